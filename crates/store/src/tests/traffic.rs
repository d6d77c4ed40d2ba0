//! Requests made of small numbers: what was sent can be sent again, changed, or taken apart.

use bytes::Bytes;
use model::contract::IncomingBatch;
use model::{SpanBatch, TenantId};
use rand::Rng;
use rand::rngs::SmallRng;
use testkit::spans::{Ids, SpanKind, request};

pub(super) const SERVICES: [&str; 5] = ["shop", "cart", "pay", "mail", "db"];
pub(super) const NAMES: [&str; 4] = ["GET /", "POST /cart", "SELECT", "send"];

/// One span, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SpanSpec {
    pub trace: u64,
    pub id: u64,
    /// 0: a root.
    pub parent: u64,
    pub service: usize,
    pub name: usize,
    pub start: u64,
    pub lasting: u64,
    /// Another content under the same ids when it differs.
    pub version: i64,
    pub is_error: bool,
}

/// The ids of all traffic.
pub(super) fn ids() -> Ids {
    Ids::new(7)
}

pub(super) fn tenant(number: usize) -> TenantId {
    TenantId::parse(["default", "acme"][number % 2]).unwrap()
}

/// The bytes of a request with these spans.
pub(super) fn encode(specs: &[SpanSpec]) -> Bytes {
    let mut builder = request().seed(7);
    for spec in specs {
        builder = builder
            .service(SERVICES[spec.service])
            .resource_attr("host", format!("h{}", spec.service));
        builder = builder.scope("lib", "1").span(NAMES[spec.name], |s| {
            let s = s
                .trace(spec.trace)
                .id(spec.id)
                .start_ns(spec.start)
                .lasting_ns(spec.lasting);
            let s = if spec.parent == 0 {
                s
            } else {
                s.parent(spec.parent)
            };
            let s = s
                .attr("uid", format!("uid-{}", spec.id))
                .attr("version", spec.version)
                .attr("even", spec.id % 2 == 0);
            let s = s.attr("ratio", (spec.id % 8) as f64 / 4.0);
            let s = if spec.id % 3 == 0 {
                s.event("retry").event_attr("attempt", spec.version)
            } else {
                s
            };
            let s = if spec.id % 5 == 0 {
                s.link(spec.trace + 1, 1).link_attr("why", "batch")
            } else {
                s
            };
            let s = if spec.is_error {
                s.error("it failed")
            } else {
                s.ok()
            };
            s.kind(if spec.id % 2 == 0 {
                SpanKind::Server
            } else {
                SpanKind::Client
            })
        });
    }
    builder.encode().into()
}

pub(super) fn decode(otlp: &[u8]) -> SpanBatch {
    codec::otlp::decode_proto(otlp).unwrap().batch
}

pub(super) fn incoming(tenant: &TenantId, otlp: &Bytes) -> IncomingBatch {
    IncomingBatch {
        tenant: tenant.clone(),
        batch: decode(otlp),
        otlp: otlp.clone(),
    }
}

/// Makes up requests.
#[derive(Debug)]
pub(super) struct Traffic {
    next_id: u64,
    next_trace: u64,
    /// By tenant: what was made before.
    specs: [Vec<SpanSpec>; 2],
    requests: [Vec<Bytes>; 2],
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            next_id: 1,
            next_trace: 1,
            specs: Default::default(),
            requests: Default::default(),
        }
    }
}

impl Traffic {
    /// The next request of a tenant: new and old traces, now and then a span or a whole request again.
    pub(super) fn request(&mut self, rng: &mut SmallRng, tenant: usize, now: u64) -> Bytes {
        if rng.random_bool(0.12) && !self.requests[tenant].is_empty() {
            return self.requests[tenant][rng.random_range(0..self.requests[tenant].len())].clone();
        }
        let specs: Vec<SpanSpec> = (0..rng.random_range(1..7))
            .map(|_| self.span(rng, tenant, now))
            .collect();
        let otlp = encode(&specs);
        self.specs[tenant].extend(specs);
        self.requests[tenant].push(otlp.clone());
        otlp
    }

    /// Traces are numbered from 1 up to below this.
    pub(super) fn traces(&self) -> u64 {
        self.next_trace
    }

    fn span(&mut self, rng: &mut SmallRng, tenant: usize, now: u64) -> SpanSpec {
        let known = &self.specs[tenant];
        let old = (!known.is_empty()).then(|| known[rng.random_range(0..known.len())].clone());
        if let Some(old) = &old {
            if rng.random_bool(0.08) {
                return old.clone();
            }
            if rng.random_bool(0.05) {
                return SpanSpec {
                    version: old.version + 1,
                    ..old.clone()
                };
            }
        }
        // A late span is a child of an old one; a new one often goes on with the newest trace.
        let recent = known.len().saturating_sub(6)..known.len();
        let parent = match rng.random_range(0..10) {
            0..3 => None,
            3..8 if !recent.is_empty() => Some(known[rng.random_range(recent)].clone()),
            _ => old,
        };
        let id = self.next_id;
        self.next_id += 1;
        let (trace, parent) = match parent {
            Some(parent) => (parent.trace, parent.id),
            None => {
                self.next_trace += 1;
                (self.next_trace - 1, 0)
            }
        };
        // Parents that are not there, come later, or go round in a circle.
        let parent = if rng.random_bool(0.06) {
            rng.random_range(id.saturating_sub(3).max(1)..id + 4)
        } else {
            parent
        };
        SpanSpec {
            trace,
            id,
            parent,
            service: rng.random_range(0..SERVICES.len()),
            name: rng.random_range(0..NAMES.len()),
            // Coarse, so that traces have equal starts and equal durations.
            start: now - rng.random_range(0..4) * 1_000_000_000,
            lasting: rng.random_range(0..5) * 500_000_000,
            version: 0,
            is_error: rng.random_bool(0.2),
        }
    }
}
