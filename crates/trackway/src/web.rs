//! What the web app is told of the program and may have it do: its state, a trace to try, sample data, spans as they
//! arrive.

use std::sync::Arc;

use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use model::{TenantId, TraceId};
use plumbing::{Clock, Random, Tasks};
use receive::{Counts, Last, Reason, Receiver, Transport};
use serve::{
    AppOptions, Boot, Capabilities, LastRefusal, LedgerStatus, Limits, Program, ProgramStatus,
    ReceiverAddress, ReceiverStatus, RefusedStatus, StoreGrowth, StoreStatus, Tail,
};
use store::Growth;
use testkit::corpus::{Corpus, CorpusOptions, Profile};
use testkit::otlp::trace::v1::span::SpanKind;
use testkit::spans::request;

use crate::backend::{Backend, data_place, promise};
use crate::config::{Config, Setting};
use crate::error::Error;
use crate::listen::Addresses;

/// The sample: so many spans over the last hour, and as many over the same hour a day ago, to compare with.
const SAMPLE_SPANS: u64 = 20_000;
const HOUR_SECONDS: u64 = 3_600;
const DAY_SECONDS: u64 = 86_400;
const SAMPLE_BATCH_SPANS: usize = 1_000;
/// The listeners that take spans, and what they are counted under.
pub(crate) const DOORS: [(&str, Transport); 9] = [
    ("otlp_grpc", Transport::OtlpGrpc),
    ("otlp_http", Transport::OtlpHttp),
    ("jaeger_grpc", Transport::JaegerGrpc),
    ("storage_grpc", Transport::StorageGrpc),
    ("jaeger_http", Transport::JaegerHttp),
    ("jaeger_compact", Transport::UdpCompact),
    ("jaeger_binary", Transport::UdpBinary),
    ("zipkin_compact", Transport::UdpZipkin),
    ("zipkin", Transport::ZipkinHttp),
];

/// The program, for the web app.
#[derive(Debug)]
pub(crate) struct WebProgram {
    pub(crate) backend: Backend,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) tasks: Tasks,
    pub(crate) addresses: Addresses,
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) started_unix_nanos: u64,
}

impl Program for WebProgram {
    fn status(&self) -> ProgramStatus {
        let ledger = self.receiver.ledger();
        let doors: Vec<(&str, Transport, Counts, Last)> = DOORS
            .into_iter()
            .map(|(name, transport)| {
                let (counts, last) = (ledger.counts(transport), ledger.last(transport));
                (name, transport, counts, last)
            })
            .collect();
        let receivers = doors.iter().map(|(name, _, counts, last)| ReceiverStatus {
            protocol: (*name).to_owned(),
            addresses: self.addresses_of(name),
            requests: counts.requests.received,
            spans: counts.spans.accepted,
            bytes: counts.bytes.received,
            last_ns: (last.accepted_unix_nanos > 0).then(|| last.accepted_unix_nanos.to_string()),
        });
        let last_refusal = doors
            .iter()
            .filter_map(|(name, _, _, last)| Some((*name, last.refused.as_ref()?)))
            // It may quote what another tenant sent.
            .filter(|_| self.config.access.tenants.tenancy().is_none())
            .max_by_key(|(_, refused)| refused.unix_nanos)
            .map(|(protocol, refused)| LastRefusal {
                protocol: protocol.to_owned(),
                time_ns: refused.unix_nanos.to_string(),
                message: refused.message.clone(),
                peer: refused.peer.map(|peer| peer.to_string()),
            });
        let counts: Vec<&Counts> = doors.iter().map(|(_, _, counts, _)| counts).collect();
        ProgramStatus {
            receivers: receivers.collect(),
            refused: doors
                .iter()
                .flat_map(|(name, _, counts, _)| refused(name, counts))
                .collect(),
            last_refusal,
            store: self.store_status(),
            ledger: ledger_status(&counts),
            admin: self.addresses_of("admin"),
            not_ready: self.backend.writer.readiness().err(),
            started_ns: self.started_unix_nanos.to_string(),
        }
    }

    fn send_test_trace(&self, tenant: &TenantId) -> Answer<'static, Result<TraceId, String>> {
        let now = self.clock.unix_nanos();
        let (trace_id, bytes) = test_trace(self.random.next_u64(), now);
        let (receiver, tasks, tenant) = self.sender(tenant);
        Box::pin(async move {
            receiver.take_own(&tenant, &bytes, &tasks).await?;
            Ok(trace_id)
        })
    }

    fn send_sample(&self, tenant: &TenantId) -> Answer<'static, Result<u64, String>> {
        let (receiver, tasks, tenant) = self.sender(tenant);
        let now = self.clock.unix_nanos() / 1_000_000_000;
        let seed = self.random.next_u64();
        Box::pin(async move {
            let mut spans = 0;
            for ago in [DAY_SECONDS, 0] {
                let options = CorpusOptions {
                    profile: Profile::Kind,
                    spans: SAMPLE_SPANS,
                    seed: seed.wrapping_add(ago),
                    start_unix_seconds: now - ago - HOUR_SECONDS,
                    window_seconds: HOUR_SECONDS,
                    batch_spans: SAMPLE_BATCH_SPANS,
                };
                let corpus = Corpus::new(options).map_err(|error| error.to_string())?;
                for request in corpus {
                    spans += request.spans as u64;
                    receiver.take_own(&tenant, &request.bytes, &tasks).await?;
                }
            }
            Ok(spans)
        })
    }
}

impl WebProgram {
    /// What it takes to send something to itself.
    fn sender(&self, tenant: &TenantId) -> (Arc<Receiver>, Tasks, TenantId) {
        (
            Arc::clone(&self.receiver),
            self.tasks.clone(),
            tenant.clone(),
        )
    }

    fn addresses_of(&self, listener: &str) -> Vec<String> {
        let of_listener = self.addresses.iter().filter(|(name, _)| *name == listener);
        of_listener
            .map(|(_, address)| address.to_string())
            .collect()
    }

    fn store_status(&self) -> StoreStatus {
        let not_writable = self.backend.writer.readiness().err();
        let Some(store) = &self.backend.store else {
            return StoreStatus {
                acknowledge: promise(&self.config).into_owned(),
                retention: format!("that of {}", data_place(&self.config)),
                not_writable,
                ..StoreStatus::default()
            };
        };
        let stats = store.brief_stats();
        let merged = ["merged", "pinned"].into_iter();
        let merged: u64 = merged
            .filter_map(|level| stats.levels.get(level))
            .map(|level| level.segments)
            .sum();
        let filling = store.filling();
        let growth = |growth: Growth| StoreGrowth {
            bytes: growth.bytes,
            over_seconds: growth.over.as_secs(),
            full_in_seconds: growth.full_in.map(|full_in| full_in.as_secs()),
        };
        let retention = &self.config.store.retention;
        StoreStatus {
            bytes: stats.segment_bytes + stats.journal_bytes,
            bytes_max: filling.bytes_max,
            disk_free_bytes: store.disk_free_bytes(),
            spans: stats.segment_spans + stats.head_spans,
            traces: stats.segment_traces,
            segments: stats.segments,
            waiting_segments: stats.segments - merged.min(stats.segments),
            pinned: stats.pinned_traces,
            oldest_ns: filling.oldest_unix_nanos.map(|nanos| nanos.to_string()),
            written_bytes: filling.written_bytes,
            is_merging: filling.is_merging,
            growth: filling.growth.map(growth),
            acknowledge: self.config.store.acknowledge.print(),
            retention: format!(
                "age {}, bytes {}",
                retention.age.print(),
                retention.bytes.print()
            ),
            not_writable,
        }
    }
}

fn refused(protocol: &str, counts: &Counts) -> Vec<RefusedStatus> {
    let of_reason = |reason: &Reason| {
        let (requests, spans) = (
            counts.requests.refused_for(*reason),
            counts.spans.refused_for(*reason),
        );
        (requests > 0).then(|| RefusedStatus {
            protocol: protocol.to_owned(),
            reason: reason.label().to_owned(),
            requests,
            spans,
        })
    };
    Reason::ALL.iter().filter_map(of_reason).collect()
}

fn ledger_status(counts: &[&Counts]) -> LedgerStatus {
    let sum = |of: fn(&Counts) -> u64| counts.iter().map(|counts| of(counts)).sum();
    LedgerStatus {
        received: sum(|counts| counts.spans.received),
        accepted: sum(|counts| counts.spans.accepted),
        rejected: sum(|counts| counts.spans.rejected),
        filtered: sum(|counts| counts.spans.filtered_sum()),
        refused: sum(|counts| counts.spans.refused_sum()),
        dropped: sum(|counts| counts.spans.dropped),
        in_flight: sum(|counts| counts.spans.in_flight),
        duplicates: sum(|counts| counts.duplicate_spans),
        late: sum(|counts| counts.late_spans),
        is_balanced: counts.iter().all(|counts| counts.is_balanced()),
    }
}

/// A trace through three services, with what pages show: attributes, an event, a failure that was mended.
fn test_trace(seed: u64, now_unix_nanos: u64) -> (TraceId, Vec<u8>) {
    let start = now_unix_nanos.saturating_sub(130_000_000);
    let at = |ms: u64| start + ms * 1_000_000;
    let request = request()
        .seed(seed)
        .service("hello-frontend")
        .span("GET /hello", |span| {
            let span = span
                .trace(1)
                .id(1)
                .kind(SpanKind::Server)
                .start_ns(at(0))
                .lasting_ms(120);
            span.attr("http.route", "/hello")
                .attr("http.response.status_code", 200)
        })
        .span("GET /greeting", |span| {
            span.trace(1)
                .id(2)
                .parent(1)
                .kind(SpanKind::Client)
                .start_ns(at(10))
                .lasting_ms(95)
        })
        .resource()
        .service("hello-backend")
        .span("GET /greeting", |span| {
            let span = span
                .trace(1)
                .id(3)
                .parent(2)
                .kind(SpanKind::Server)
                .start_ns(at(15))
                .lasting_ms(85);
            span.event("cache.miss").event_attr("key", "greeting")
        })
        .span("SELECT greetings", |span| {
            let span = span
                .trace(1)
                .id(4)
                .parent(3)
                .kind(SpanKind::Client)
                .start_ns(at(30))
                .lasting_ms(60);
            let text =
                "SELECT text FROM greetings WHERE language = 'en' ORDER BY warmth DESC LIMIT 1";
            span.attr("db.system.name", "postgresql")
                .attr("db.query.text", text)
        });
    let trace_id = TraceId(request.ids().trace(1));
    (trace_id, request.encode())
}

/// A writer that tells pages what it took.
#[derive(Debug)]
pub(crate) struct TailedWriter {
    pub(crate) writer: Arc<dyn SpanWriter>,
    pub(crate) tail: Tail,
}

impl SpanWriter for TailedWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        if !self.tail.is_followed() {
            return self.writer.write(incoming);
        }
        let (tenant, spans) = (incoming.tenant.clone(), incoming.batch.clone());
        let tail = self.tail.clone();
        let written = self.writer.write(incoming);
        Box::pin(async move {
            let kept = written.await?;
            tail.tell(tenant, spans);
            Ok(kept)
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.writer.readiness()
    }
}

/// What the app's page is told.
pub(crate) fn app_options(config: &Config, addresses: &Addresses) -> Result<AppOptions, Error> {
    let receivers = DOORS.into_iter().flat_map(|(listener, _)| {
        let of_door = addresses.iter().filter(move |(name, _)| *name == listener);
        of_door.map(|(_, address)| ReceiverAddress {
            protocol: listener.replace('_', "-"),
            address: address.to_string(),
        })
    });
    let base_path = config.ui.base_path.clone();
    let mut boot = Boot {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        base_path: base_path.as_str().to_owned(),
        receivers: receivers.collect(),
        capabilities: Capabilities {
            archive: true,
            test_trace: true,
            tail: true,
        },
        limits: Limits {
            page_traces_max: 1_000,
            query_bytes_max: 128 << 10,
        },
        ..Boot::default()
    };
    // It was read when the configuration was; what has changed since is told as then.
    let of_jaeger = config.ui.jaeger_config().map_err(Error::Usage)?;
    of_jaeger.apply(&mut boot);
    Ok(AppOptions {
        boot,
        base_path,
        frame_ancestors: config.ui.frame_ancestors.0.clone(),
    })
}
