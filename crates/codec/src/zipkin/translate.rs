//! What a Zipkin span means in OpenTelemetry's words: the one place that says so.
//!
//! - The local endpoint's service is the resource's `service.name`; without one the resource has no attributes.
//! - Endpoints are attributes: `network.local.address`, `net.host.port`, `service.peer.name`, `network.peer.address`,
//!   `net.peer.port`.
//! - Tags are attributes in the order sent, but for those in which OpenTelemetry's exporters say what Zipkin has no
//!   field for: scope, status, trace state, links, and the kind of a span that has none.
//! - A tag `error` of any text makes the status an error. It stays, unless it says nothing else (`true`).
//! - An annotation is an event, with attributes where its text holds them.
//! - Without a start, a span starts at zero and has the attribute `otel.zipkin.absentField.startTime`.
//! - A span that is its own parent is a root.
//!
//! Refuses spans with an id of zero, and times beyond the year 2554, which nanoseconds can't say.

use model::batch::{Attributes, EventRow, LinkRow, PackedValue, ResourceRow, ScopeRow, SpanRow};
use model::{BatchBuilder, SpanId, TraceId};

use super::attached::{Link, event_of, link_of};
use super::span::{Annotation, Endpoint, Span, TagValue};
use crate::attributes::AttributeWriter;
use crate::notes::{MemoryBound, Notes, SpanFault};
use crate::{DecodeError, Decoded, LINKS_PER_SPAN_MAX};

/// OTLP's number of the status of a failed span.
const STATUS_ERROR: i32 = 2;
/// Links of a span are held parsed up to so many bytes of their texts; parsed they take up to 16 times as much.
const LINK_BYTES_MAX: usize = 1 << 20;
/// Attributes of the local endpoint: its address and its port. Its service is the resource's.
const LOCAL_KEYS: [&[u8]; 3] = [b"", b"network.local.address", b"net.host.port"];
/// Attributes of the remote endpoint: its service, its address and its port.
const REMOTE_KEYS: [&[u8]; 3] = [
    b"service.peer.name",
    b"network.peer.address",
    b"net.peer.port",
];
/// OTLP's kinds as tags name them, by number from 1.
const KIND_NAMES: [&[u8]; 5] = [b"internal", b"server", b"client", b"producer", b"consumer"];
/// OTLP's status codes as exporters name them, by number.
const STATUS_NAMES: [&[u8]; 3] = [b"unset", b"ok", b"error"];

/// Writes spans into a batch.
pub(super) struct Translator<'a> {
    builder: BatchBuilder,
    pub(super) notes: Notes,
    memory: MemoryBound,
    /// The resource of the span before, which the next one most likely shares, and its row.
    last_resource: Option<(Endpoint<'a>, u32)>,
    resources: u32,
    /// The row of the scope of spans that name none.
    no_scope: Option<u32>,
    /// Which span of the request is next.
    index: usize,
}

/// The name and the version of an instrumentation scope.
#[derive(Default, Clone, Copy)]
struct Scope<'a> {
    name: &'a [u8],
    version: &'a [u8],
}

impl Scope<'_> {
    fn is_empty(&self) -> bool {
        self.name.is_empty() && self.version.is_empty()
    }
}

/// What tags say that is no attribute.
#[derive(Default)]
struct Extras<'a> {
    kind: i32,
    is_error: bool,
    status: i32,
    status_message: &'a [u8],
    trace_state: &'a [u8],
    scope: Scope<'a>,
    /// The scope by the names that exporters used before.
    library: Scope<'a>,
    links: Vec<Link<'a>>,
    /// Bytes of their texts.
    link_bytes: usize,
}

impl<'a> Translator<'a> {
    /// Begins the batch of a request of so many bytes.
    pub(super) fn new(request_bytes: usize) -> Self {
        Self {
            builder: BatchBuilder::new(),
            notes: Notes::default(),
            memory: MemoryBound::new(request_bytes),
            last_resource: None,
            resources: 0,
            no_scope: None,
            index: 0,
        }
    }

    /// Adds the next span, or rejects it, as its decoder or the translation has it.
    ///
    /// # Errors
    /// When the batch has outgrown its bound, which ends the request.
    pub(super) fn add(
        &mut self,
        span: &Span<'a>,
        decoded: Result<(), SpanFault>,
    ) -> Result<(), DecodeError> {
        if let Err(fault) = decoded.and_then(|()| self.span(span)) {
            self.notes
                .reject(fault, &format_args!("spans[{}]", self.index));
        }
        self.index += 1;
        self.memory.check(&self.builder)
    }

    /// Ends the request.
    pub(super) fn finish(self) -> Decoded {
        self.notes.into_decoded(self.builder, false)
    }

    fn span(&mut self, span: &Span<'a>) -> Result<(), SpanFault> {
        let (trace_id, span_id) = (TraceId(span.trace_id), SpanId(span.span_id));
        if trace_id.is_zero() {
            return Err(SpanFault::TraceIdZero);
        }
        if span_id.is_zero() {
            return Err(SpanFault::SpanIdZero);
        }
        let start = nanos_of(span.start_micros)?;
        let end = start
            .checked_add(nanos_of(span.duration_micros)?)
            .ok_or(TOO_LATE)?;
        let (annotations, dropped_events) = span.annotations();
        if annotations
            .iter()
            .any(|annotation| nanos_of(annotation.micros).is_err())
        {
            return Err(TOO_LATE);
        }
        let resource = self.resource(&span.resource);
        let mut extras = Extras {
            kind: span.kind,
            ..Extras::default()
        };
        let (attributes, dropped_attributes) = self.attributes(span, &mut extras);
        self.events(annotations);
        let dropped_links = self.links(&extras.links);
        self.notes.truncated_values += u64::from(dropped_events) + u64::from(dropped_links);
        let is_root = span.parent_span_id == span.span_id;
        let row = SpanRow {
            trace_id,
            span_id,
            parent_span_id: if is_root {
                SpanId::default()
            } else {
                SpanId(span.parent_span_id)
            },
            name: self.builder.intern(&span.name),
            kind: extras.kind,
            start,
            end,
            status: if extras.is_error {
                STATUS_ERROR
            } else {
                extras.status
            },
            status_message: self.builder.intern(extras.status_message),
            trace_state: self.builder.intern(extras.trace_state),
            resource,
            scope: self.scope(&extras),
            attributes,
            dropped_attributes,
            dropped_events,
            dropped_links,
            ..SpanRow::default()
        };
        self.builder.push_span(row);
        Ok(())
    }

    /// Writes the tags and endpoints as attributes; what tags say that is none goes into `extras`.
    fn attributes<'s>(&mut self, span: &'s Span<'_>, extras: &mut Extras<'s>) -> (Attributes, u32) {
        let (tags, dropped) = span.tags();
        self.notes.truncated_values += u64::from(dropped);
        let mut writing = AttributeWriter::begin(&self.builder);
        for (key, value) in tags {
            if !extras.take(key, value) {
                writing.push(&mut self.builder, key, packed(value));
            }
        }
        self.endpoint(&mut writing, &span.local, LOCAL_KEYS);
        self.endpoint(&mut writing, &span.remote, REMOTE_KEYS);
        if span.start_micros == 0 {
            let key = b"otel.zipkin.absentField.startTime";
            writing.push(&mut self.builder, key, PackedValue::Bool(true));
        }
        writing.finish(&mut self.builder, &mut self.notes, dropped)
    }

    /// The row of the resource of a service, and of the addresses that belong to it.
    fn resource(&mut self, endpoint: &Endpoint<'a>) -> u32 {
        if let Some((last, row)) = &self.last_resource
            && last == endpoint
        {
            return *row;
        }
        let mark = self.builder.mark();
        let mut writing = AttributeWriter::begin(&self.builder);
        if !endpoint.service.is_empty() {
            writing.push(
                &mut self.builder,
                b"service.name",
                PackedValue::String(&endpoint.service),
            );
        }
        for (key, address) in [(&b"ipv4"[..], &endpoint.ipv4), (b"ipv6", &endpoint.ipv6)] {
            address
                .with_text(|text| writing.push(&mut self.builder, key, PackedValue::String(text)));
        }
        if endpoint.port > 0 {
            let port = endpoint.port.to_string();
            writing.push(
                &mut self.builder,
                b"port",
                PackedValue::String(port.as_bytes()),
            );
        }
        let (attributes, dropped_attributes) =
            writing.finish(&mut self.builder, &mut self.notes, 0);
        let row = self.builder.add_resource(ResourceRow {
            is_present: true,
            attributes,
            dropped_attributes,
            ..ResourceRow::default()
        });
        if row < self.resources {
            // It was there already: spans of two services that take turns must not leave a trail of values.
            self.builder.roll_back(mark);
        }
        self.resources = self.resources.max(row + 1);
        self.memory.note_envelope(row);
        self.last_resource = Some((endpoint.clone(), row));
        row
    }

    fn scope(&mut self, extras: &Extras<'_>) -> u32 {
        let Scope { name, version } = if extras.scope.is_empty() {
            extras.library
        } else {
            extras.scope
        };
        if name.is_empty() && version.is_empty() {
            if self.no_scope.is_none() {
                self.no_scope = Some(self.builder.add_scope(ScopeRow::default()));
            }
            return self.no_scope.unwrap_or_default();
        }
        let (name, version) = (self.builder.intern(name), self.builder.intern(version));
        let row = self.builder.add_scope(ScopeRow {
            is_present: true,
            name,
            version,
            ..ScopeRow::default()
        });
        self.memory.note_envelope(row);
        row
    }

    /// Writes an endpoint as attributes with these keys: of its service, its address and its port.
    fn endpoint(
        &mut self,
        writing: &mut AttributeWriter,
        endpoint: &Endpoint<'_>,
        keys: [&[u8]; 3],
    ) {
        let [service, address, port] = keys;
        if !endpoint.service.is_empty() && !service.is_empty() {
            writing.push(
                &mut self.builder,
                service,
                PackedValue::String(&endpoint.service),
            );
        }
        endpoint
            .address()
            .with_text(|text| writing.push(&mut self.builder, address, PackedValue::String(text)));
        if endpoint.port > 0 {
            writing.push(&mut self.builder, port, PackedValue::Int(endpoint.port));
        }
    }

    fn events(&mut self, annotations: &[Annotation<'_>]) {
        for annotation in annotations {
            let mut row = EventRow {
                time: nanos_of(annotation.micros).unwrap_or_default(),
                ..EventRow::default()
            };
            let event = event_of(&annotation.value);
            let name = event.as_ref().map_or(&*annotation.value, |(name, _)| name);
            row.name = self.builder.intern(name);
            if let Some((_, attached)) = &event {
                (row.attributes, row.dropped_attributes) =
                    attached.write(&mut self.builder, &mut self.notes);
            }
            self.builder.push_event(row);
        }
    }

    /// Writes the links; gives the number of those over the limit.
    fn links(&mut self, links: &[Link<'_>]) -> u32 {
        for link in links.iter().take(LINKS_PER_SPAN_MAX) {
            let (attributes, dropped_attributes) =
                link.attached.write(&mut self.builder, &mut self.notes);
            let row = LinkRow {
                trace_id: TraceId(link.trace_id),
                span_id: SpanId(link.span_id),
                trace_state: self.builder.intern(link.trace_state),
                attributes,
                dropped_attributes,
                flags: 0,
            };
            self.builder.push_link(row);
        }
        let cut_off = links.len().saturating_sub(LINKS_PER_SPAN_MAX);
        u32::try_from(cut_off).unwrap_or(u32::MAX)
    }
}

const TOO_LATE: SpanFault = SpanFault::Field {
    name: "timestamp, duration or the time of an annotation",
    must_be: "in microseconds and before the year 2554",
};

fn nanos_of(micros: u64) -> Result<u64, SpanFault> {
    micros.checked_mul(1000).ok_or(TOO_LATE)
}

fn packed<'a>(value: &'a TagValue<'_>) -> PackedValue<'a> {
    match value {
        TagValue::Text(text) => PackedValue::String(text),
        TagValue::Bool(is) => PackedValue::Bool(*is),
        TagValue::Int(int) => PackedValue::Int(*int),
        TagValue::Double(double) => PackedValue::Double(*double),
    }
}

impl<'a> Extras<'a> {
    /// Takes what a tag says; `false` when the tag is an attribute (also).
    #[inline]
    fn take(&mut self, key: &[u8], value: &'a TagValue<'_>) -> bool {
        match key.first() {
            Some(b'e' | b'o' | b's' | b'w') => self.take_known(key, value),
            _ => false,
        }
    }

    fn take_known(&mut self, key: &[u8], value: &'a TagValue<'_>) -> bool {
        if key == b"error" {
            return self.take_error(value);
        }
        let Some(text) = value.text() else {
            return false;
        };
        match key {
            b"otel.status_code" => match status_of(text) {
                Some(status) => self.status = status,
                None => return false,
            },
            b"otel.status_description" => self.status_message = text,
            b"otel.scope.name" => self.scope.name = text,
            b"otel.scope.version" => self.scope.version = text,
            b"otel.library.name" => self.library.name = text,
            b"otel.library.version" => self.library.version = text,
            b"w3c.tracestate" => self.trace_state = text,
            b"span.kind" if self.kind == 0 => match place_of(&KIND_NAMES, text) {
                Some(place) => self.kind = place + 1,
                None => return false,
            },
            // A link is held parsed until the span is written; beyond what is held it stays a tag.
            _ if key.starts_with(b"otlp.link.") && self.link_bytes < LINK_BYTES_MAX => {
                match link_of(text) {
                    Some(link) => self.links.push(link),
                    None => return false,
                }
                self.link_bytes += text.len();
            }
            _ => return false,
        }
        true
    }

    fn take_error(&mut self, value: &TagValue<'_>) -> bool {
        let says_only_that = match value {
            TagValue::Bool(is) => *is,
            TagValue::Text(text) => &**text == b"true",
            TagValue::Int(_) | TagValue::Double(_) => false,
        };
        if *value != TagValue::Bool(false) && !plumbing::planted("codec-zipkin-error-lost") {
            self.is_error = true;
        }
        says_only_that
    }
}

fn status_of(text: &[u8]) -> Option<i32> {
    let prefix = text
        .get(..12)
        .filter(|prefix| prefix.eq_ignore_ascii_case(b"status_code_"));
    let name = prefix
        .and_then(|prefix| text.get(prefix.len()..))
        .unwrap_or(text);
    place_of(&STATUS_NAMES, name)
}

fn place_of(names: &[&[u8]], text: &[u8]) -> Option<i32> {
    let place = names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))?;
    i32::try_from(place).ok()
}
