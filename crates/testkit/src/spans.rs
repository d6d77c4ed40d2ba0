//! One small OTLP request in one readable line.
//!
//! ```
//! use testkit::spans::{SpanKind, request};
//! let bytes = request()
//!     .service("shop")
//!     .span("GET /", |s| s.kind(SpanKind::Server).attr("http.response.status_code", 200i64))
//!     .span("SELECT", |s| s.parent(1).event("row").event_attr("n", 3i64).error("timeout"))
//!     .encode();
//! assert!(!bytes.is_empty());
//! ```
//!
//! Promises
//! - Ids follow from the request's seed and small numbers: the n-th span of a request has the id [`Ids::span`]`(n)`,
//!   counted from 1, and is of the trace [`Ids::trace`]`(1)`, unless it is told otherwise.
//! - No clock: the n-th span starts n milliseconds after [`RequestBuilder::at_ns`] and lasts one.
//!
//! Refuses nothing: ids of wrong lengths, ends before starts and repeated keys can all be built, for others to refuse.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::InstrumentationScope,
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, Link},
        status::StatusCode,
    },
};
use prost::Message;

use crate::attribute::{AttributeValue, attribute};

/// The generated enumeration of span kinds.
pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

/// When the spans of a request begin that is not told otherwise: 1,790,000,000 seconds after 1970.
pub const START_UNIX_NANOS: u64 = 1_790_000_000_000_000_000;

const MILLISECOND_NS: u64 = 1_000_000;

/// Ids from a seed and small numbers: never zero, all different for different numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ids {
    seed: u64,
}

impl Ids {
    /// Gives the ids of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Gives the id of the trace with this number.
    #[must_use]
    pub fn trace(self, number: u64) -> [u8; 16] {
        let mut id = [0; 16];
        let (high, low) = id.split_at_mut(8);
        high.copy_from_slice(&self.mix(1, number).to_be_bytes());
        low.copy_from_slice(&self.mix(2, number).to_be_bytes());
        id
    }

    /// Gives the id of the span with this number.
    #[must_use]
    pub fn span(self, number: u64) -> [u8; 8] {
        self.mix(3, number).to_be_bytes()
    }

    /// Gives the trace's id as lower-case hex.
    #[must_use]
    pub fn trace_hex(self, number: u64) -> String {
        format!("{:032x}", u128::from_be_bytes(self.trace(number)))
    }

    /// Gives the span's id as lower-case hex.
    #[must_use]
    pub fn span_hex(self, number: u64) -> String {
        format!("{:016x}", u64::from_be_bytes(self.span(number)))
    }

    /// Each step maps 64 bits to 64 bits one to one, so different numbers stay different.
    fn mix(self, lane: u64, number: u64) -> u64 {
        let step = |x: u64| {
            let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        };
        step(number ^ step(lane ^ step(self.seed))).max(1)
    }
}

/// Begins a request with seed 0 and nothing in it.
#[must_use]
pub fn request() -> RequestBuilder {
    RequestBuilder {
        ids: Ids::default(),
        start_ns: START_UNIX_NANOS,
        span_count: 0,
        resource_spans: Vec::new(),
    }
}

/// A request being built; made by [`request`].
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    ids: Ids,
    start_ns: u64,
    span_count: u64,
    resource_spans: Vec<ResourceSpans>,
}

impl RequestBuilder {
    /// Takes the ids of the spans that follow from this seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.ids = Ids::new(seed);
        self
    }

    /// Sets the nanosecond that the spans that follow start after.
    #[must_use]
    pub fn at_ns(mut self, start_unix_nanos: u64) -> Self {
        self.start_ns = start_unix_nanos;
        self
    }

    /// Begins the resource of a service; what follows is of it.
    #[must_use]
    pub fn service(self, name: &str) -> Self {
        self.resource().resource_attr("service.name", name)
    }

    /// Begins a resource without attributes; what follows is of it.
    #[must_use]
    pub fn resource(mut self) -> Self {
        self.resource_spans.push(ResourceSpans {
            resource: Some(Resource::default()),
            ..Default::default()
        });
        self
    }

    /// Adds an attribute to the resource.
    #[must_use]
    pub fn resource_attr(mut self, key: &str, value: impl Into<AttributeValue>) -> Self {
        let resource = self.last_resource().resource.get_or_insert_default();
        resource.attributes.push(attribute(key, value));
        self
    }

    /// Sets the schema URL of the resource.
    #[must_use]
    pub fn resource_schema(mut self, url: &str) -> Self {
        self.last_resource().schema_url = url.to_owned();
        self
    }

    /// Begins an instrumentation scope in the resource; the spans that follow are of it.
    #[must_use]
    pub fn scope(mut self, name: &str, version: &str) -> Self {
        let scope = InstrumentationScope {
            name: name.into(),
            version: version.into(),
            ..Default::default()
        };
        self.last_resource().scope_spans.push(ScopeSpans {
            scope: Some(scope),
            ..Default::default()
        });
        self
    }

    /// Adds an attribute to the scope.
    #[must_use]
    pub fn scope_attr(mut self, key: &str, value: impl Into<AttributeValue>) -> Self {
        self.last_scope()
            .scope
            .get_or_insert_default()
            .attributes
            .push(attribute(key, value));
        self
    }

    /// Sets the schema URL of the scope.
    #[must_use]
    pub fn scope_schema(mut self, url: &str) -> Self {
        self.last_scope().schema_url = url.to_owned();
        self
    }

    /// Adds a span of this name, with what `with` says of it.
    #[must_use]
    pub fn span(mut self, name: &str, with: impl FnOnce(SpanBuilder) -> SpanBuilder) -> Self {
        self.span_count += 1;
        let start_ns = self
            .start_ns
            .saturating_add(self.span_count.saturating_mul(MILLISECOND_NS));
        let span = Span {
            trace_id: self.ids.trace(1).to_vec(),
            span_id: self.ids.span(self.span_count).to_vec(),
            name: name.to_owned(),
            start_time_unix_nano: start_ns,
            end_time_unix_nano: start_ns.saturating_add(MILLISECOND_NS),
            ..Default::default()
        };
        let built = with(SpanBuilder {
            ids: self.ids,
            span,
        });
        self.last_scope().spans.push(built.span);
        self
    }

    /// Gives the ids that the spans that follow have.
    #[must_use]
    pub fn ids(&self) -> Ids {
        self.ids
    }

    /// Gives the message.
    #[must_use]
    pub fn build(self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest {
            resource_spans: self.resource_spans,
        }
    }

    /// Gives the message encoded as protobuf.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        self.build().encode_to_vec()
    }

    fn last_resource(&mut self) -> &mut ResourceSpans {
        last_or_new(&mut self.resource_spans)
    }

    fn last_scope(&mut self) -> &mut ScopeSpans {
        last_or_new(&mut self.last_resource().scope_spans)
    }
}

/// A span being built; given to the closure of [`RequestBuilder::span`].
#[derive(Debug, Clone)]
pub struct SpanBuilder {
    ids: Ids,
    span: Span,
}

impl SpanBuilder {
    /// Puts it into the trace with this number.
    #[must_use]
    pub fn trace(self, number: u64) -> Self {
        let id = self.ids.trace(number);
        self.trace_id(id)
    }

    /// Gives it the id with this number.
    #[must_use]
    pub fn id(self, number: u64) -> Self {
        let id = self.ids.span(number);
        self.span_id(id)
    }

    /// Makes it a child of the span with this number.
    #[must_use]
    pub fn parent(self, number: u64) -> Self {
        let id = self.ids.span(number);
        self.parent_id(id)
    }

    /// Sets the bytes of the trace id, of any length.
    #[must_use]
    pub fn trace_id(mut self, id: impl Into<Vec<u8>>) -> Self {
        self.span.trace_id = id.into();
        self
    }

    /// Sets the bytes of the span id, of any length.
    #[must_use]
    pub fn span_id(mut self, id: impl Into<Vec<u8>>) -> Self {
        self.span.span_id = id.into();
        self
    }

    /// Sets the bytes of the parent's span id, of any length.
    #[must_use]
    pub fn parent_id(mut self, id: impl Into<Vec<u8>>) -> Self {
        self.span.parent_span_id = id.into();
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.span.kind = kind.into();
        self
    }

    /// Moves the start; the duration stays.
    #[must_use]
    pub fn start_ns(mut self, start_unix_nanos: u64) -> Self {
        let duration_ns = self
            .span
            .end_time_unix_nano
            .saturating_sub(self.span.start_time_unix_nano);
        self.span.start_time_unix_nano = start_unix_nanos;
        self.lasting_ns(duration_ns)
    }

    /// Sets the end, which may lie before the start.
    #[must_use]
    pub fn end_ns(mut self, end_unix_nanos: u64) -> Self {
        self.span.end_time_unix_nano = end_unix_nanos;
        self
    }

    /// Sets the duration in nanoseconds.
    #[must_use]
    pub fn lasting_ns(mut self, duration_ns: u64) -> Self {
        self.span.end_time_unix_nano = self.span.start_time_unix_nano.saturating_add(duration_ns);
        self
    }

    /// Sets the duration in milliseconds.
    #[must_use]
    pub fn lasting_ms(self, duration_ms: u64) -> Self {
        self.lasting_ns(duration_ms.saturating_mul(MILLISECOND_NS))
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attr(mut self, key: &str, value: impl Into<AttributeValue>) -> Self {
        self.span.attributes.push(attribute(key, value));
        self
    }

    /// Adds an event at the span's start.
    #[must_use]
    pub fn event(mut self, name: &str) -> Self {
        let time_unix_nano = self.span.start_time_unix_nano;
        self.span.events.push(Event {
            time_unix_nano,
            name: name.to_owned(),
            ..Default::default()
        });
        self
    }

    /// Sets the time of the event added last.
    #[must_use]
    pub fn event_at_ns(mut self, time_unix_nanos: u64) -> Self {
        last_or_new(&mut self.span.events).time_unix_nano = time_unix_nanos;
        self
    }

    /// Adds an attribute to the event added last.
    #[must_use]
    pub fn event_attr(mut self, key: &str, value: impl Into<AttributeValue>) -> Self {
        last_or_new(&mut self.span.events)
            .attributes
            .push(attribute(key, value));
        self
    }

    /// Adds a link to the span with the second number in the trace with the first.
    #[must_use]
    pub fn link(mut self, trace_number: u64, span_number: u64) -> Self {
        self.span.links.push(Link {
            trace_id: self.ids.trace(trace_number).to_vec(),
            span_id: self.ids.span(span_number).to_vec(),
            ..Default::default()
        });
        self
    }

    /// Adds an attribute to the link added last.
    #[must_use]
    pub fn link_attr(mut self, key: &str, value: impl Into<AttributeValue>) -> Self {
        last_or_new(&mut self.span.links)
            .attributes
            .push(attribute(key, value));
        self
    }

    /// Sets the status "ok".
    #[must_use]
    pub fn ok(self) -> Self {
        self.status(StatusCode::Ok.into(), "")
    }

    /// Sets the status "error" with a message.
    #[must_use]
    pub fn error(self, message: &str) -> Self {
        self.status(StatusCode::Error.into(), message)
    }

    /// Sets the status, known to OTLP or not.
    #[must_use]
    pub fn status(mut self, code: i32, message: &str) -> Self {
        self.span.status = Some(Status {
            code,
            message: message.to_owned(),
        });
        self
    }

    /// Sets the W3C trace state.
    #[must_use]
    pub fn trace_state(mut self, state: &str) -> Self {
        self.span.trace_state = state.to_owned();
        self
    }

    /// Sets the flags.
    #[must_use]
    pub fn flags(mut self, flags: u32) -> Self {
        self.span.flags = flags;
        self
    }

    /// Sets how many attributes, events and links the sender dropped.
    #[must_use]
    pub fn dropped(mut self, attributes: u32, events: u32, links: u32) -> Self {
        self.span.dropped_attributes_count = attributes;
        self.span.dropped_events_count = events;
        self.span.dropped_links_count = links;
        self
    }

    /// Changes the message itself, for what has no word here.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Span)) -> Self {
        change(&mut self.span);
        self
    }
}

fn last_or_new<T: Default>(list: &mut Vec<T>) -> &mut T {
    if list.is_empty() {
        list.push(T::default());
    }
    let last = list.len() - 1;
    &mut list[last]
}

#[cfg(test)]
mod tests;
