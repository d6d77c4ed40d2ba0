//! One trace while it is put together: its spans, and the random numbers that decide about them.
//!
//! The order of draws from the generator is part of the bytes: a draw moved past another changes every trace after it.
//! Widths of the drawn integers count too, which is why they are spelt out.
//!
//! Promises: ids are never zero, and a trace id's first byte is always odd, so an id with an even one is surely absent.

use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    trace::v1::{
        Span, Status,
        span::{Event, Link},
    },
};
use rand::{Rng, RngCore, rngs::SmallRng};

use super::catalogue::Service;
use crate::attribute::attribute;

pub(super) type TraceId = [u8; 16];
pub(super) type SpanId = [u8; 8];

/// OTLP's number of the status "error".
pub(super) const STATUS_ERROR: i32 = 2;

/// OTLP's numbers of the span kinds.
pub(super) mod kind {
    pub(in crate::corpus) const INTERNAL: i32 = 1;
    pub(in crate::corpus) const SERVER: i32 = 2;
    pub(in crate::corpus) const CLIENT: i32 = 3;
    pub(in crate::corpus) const PRODUCER: i32 = 4;
    pub(in crate::corpus) const CONSUMER: i32 = 5;
}

/// W3C "sampled" plus OTLP's "it is known whether the parent is remote".
const SPAN_FLAGS: u32 = 0x101;

/// A span and the replica that sends it.
#[derive(Debug)]
pub(super) struct PlacedSpan {
    pub(super) service: Service,
    pub(super) replica: usize,
    pub(super) span: Span,
}

/// What one new span is made of.
pub(super) struct NewSpan<'n> {
    pub(super) service: Service,
    pub(super) parent: Option<SpanId>,
    pub(super) name: &'n str,
    pub(super) kind: i32,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) error: Option<&'n str>,
}

/// A trace being put together.
pub(super) struct TraceBuilder<'r> {
    pub(super) rng: &'r mut SmallRng,
    pub(super) trace_id: TraceId,
    pub(super) spans: Vec<PlacedSpan>,
    pub(super) user: u32,
    pub(super) session: String,
    pub(super) product: String,
    pub(super) order: Option<String>,
    /// Whether the user is of the rare tier.
    pub(super) is_rare: bool,
    pub(super) has_error: bool,
}

/// Gives a random UUID of version 4, as text.
pub(super) fn uuid(rng: &mut SmallRng) -> String {
    let (a, b) = (rng.next_u64(), rng.next_u64());
    let (head, middle, tail) = (a >> 32, (a >> 16) & 0xffff, a & 0xfff);
    format!(
        "{head:08x}-{middle:04x}-4{tail:03x}-a{:03x}-{:012x}",
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

/// Gives a duration in nanoseconds: log-normal with sigma 0.8 around the median, with a rare tenfold tail, ≥ 2 µs.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is at least 2000; casts saturate, and medians are milliseconds"
)]
pub(super) fn duration_ns(rng: &mut SmallRng, median_us: f64) -> u64 {
    let (u1, u2): (f64, f64) = (rng.random_range(1e-9..1.0), rng.random());
    let z = (-2.0 * u1.ln()).sqrt() * (std::f64::consts::TAU * u2).cos();
    let tail = if rng.random_bool(0.004) { 10.0 } else { 1.0 };
    (median_us * (0.8 * z).exp() * tail * 1000.0).max(2000.0) as u64
}

/// Gives a product number; low ones are the popular ones.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value lies between 0 and 5000"
)]
fn product(rng: &mut SmallRng) -> String {
    format!("P{:05}", (rng.random::<f64>().powi(3) * 5000.0) as u32)
}

impl<'r> TraceBuilder<'r> {
    /// Starts a trace: draws who the user is, and whether they are of the rare tier.
    pub(super) fn new(rng: &'r mut SmallRng, trace_id: TraceId) -> Self {
        let user = rng.random_range(1..40_000u32);
        let session = uuid(rng);
        let product = product(rng);
        let is_rare = rng.random_bool(0.0004);
        Self {
            rng,
            trace_id,
            spans: Vec::new(),
            user,
            session,
            product,
            order: None,
            is_rare,
            has_error: false,
        }
    }

    pub(super) fn duration_ns(&mut self, median_us: f64) -> u64 {
        duration_ns(self.rng, median_us)
    }

    /// Adds a span and gives its id. Some spans get a message event, spans with an error an exception event.
    pub(super) fn push(&mut self, new: NewSpan<'_>) -> SpanId {
        let mut id: SpanId = [0; 8];
        self.rng.fill_bytes(&mut id);
        id[0] |= 1;
        let mut events = Vec::new();
        if self.rng.random_bool(0.08) {
            events.push(self.message_event(new.start_ns + (new.end_ns - new.start_ns) / 3));
        }
        if let Some(message) = new.error {
            self.has_error = true;
            events.push(self.exception_event(new.name, message, new.end_ns - 1000));
        }
        let status = new.error.map(|message| Status {
            code: STATUS_ERROR,
            message: message.to_owned(),
        });
        self.spans.push(PlacedSpan {
            service: new.service,
            replica: new.service.replica_for(self.user),
            span: Span {
                trace_id: self.trace_id.to_vec(),
                span_id: id.to_vec(),
                parent_span_id: new.parent.map(|parent| parent.to_vec()).unwrap_or_default(),
                name: new.name.to_owned(),
                kind: new.kind,
                start_time_unix_nano: new.start_ns,
                end_time_unix_nano: new.end_ns,
                attributes: new.attributes,
                events,
                status,
                flags: SPAN_FLAGS,
                ..Default::default()
            },
        });
        id
    }

    fn message_event(&mut self, time_ns: u64) -> Event {
        Event {
            time_unix_nano: time_ns,
            name: "message".into(),
            attributes: vec![
                attribute("message.type", "RECEIVED"),
                attribute("message.id", 1i64),
                attribute(
                    "message.uncompressed_size",
                    self.rng.random_range(20..4000i64),
                ),
            ],
            ..Default::default()
        }
    }

    fn exception_event(&mut self, span_name: &str, message: &str, time_ns: u64) -> Event {
        let attempt = self.rng.random_range(1..5i32);
        let lines = [
            self.rng.random_range(20..400i32),
            self.rng.random_range(20..400i32),
        ];
        let stack = format!(
            "UpstreamError: {message}\n    at call (/srv/app/src/{span_name}/client.ts:{}:17)\n    \
             at retry (/srv/app/src/lib/retry.ts:88:9)\n    at handle (/srv/app/src/{span_name}/handler.ts:{}:5)\n    \
             at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
            lines[0], lines[1]
        );
        Event {
            time_unix_nano: time_ns,
            name: "exception".into(),
            attributes: vec![
                attribute("exception.type", "UpstreamError"),
                attribute(
                    "exception.message",
                    format!("{message} (attempt {attempt})"),
                ),
                attribute("exception.stacktrace", stack),
            ],
            ..Default::default()
        }
    }

    /// Gives the place that the next span will have, for [`Self::end_span_at`].
    pub(super) fn next_place(&self) -> usize {
        self.spans.len()
    }

    /// Sets the end of the span at this place.
    pub(super) fn end_span_at(&mut self, place: usize, end_ns: u64) {
        if let Some(placed) = self.spans.get_mut(place) {
            placed.span.end_time_unix_nano = end_ns;
        }
    }

    /// Adds attributes to the span added last.
    pub(super) fn extend_last(&mut self, attributes: impl IntoIterator<Item = KeyValue>) {
        if let Some(placed) = self.spans.last_mut() {
            placed.span.attributes.extend(attributes);
        }
    }

    /// Links the span added last to another of this trace.
    pub(super) fn link_last(&mut self, span_id: SpanId) {
        let link = Link {
            trace_id: self.trace_id.to_vec(),
            span_id: span_id.to_vec(),
            ..Default::default()
        };
        if let Some(placed) = self.spans.last_mut() {
            placed.span.links.push(link);
        }
    }
}
