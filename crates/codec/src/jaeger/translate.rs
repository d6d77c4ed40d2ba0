//! Jaeger's spans as OpenTelemetry's: the one place that knows the rules, whatever the bytes were.
//!
//! Promises
//! - What comes out is shown by Jaeger's API as a Jaeger shows it that received the same spans.
//! - Nothing is lost that a tag says: a tag is taken away only where a field of the span says the same.
//! - Spans are read into one [`Span`] whose vectors are used again, so that no span costs an object.
//!
//! Refuses: a span whose trace id or span id is zero, alone; requests that unpack to far more memory than their size.

use model::batch::{
    EventRow, LinkRow, PackedValue, ResourceRow, SERVICE_EMPTY, SERVICE_MISSING, ScopeRow, SpanRow,
    Symbol,
};
use model::value::ValueType;
use model::{BatchBuilder, SpanId, TraceId};

use crate::attributes::AttributeWriter;
use crate::notes::{MemoryBound, Notes, SpanFault};
use crate::wire::Writer;
use crate::{
    ATTRIBUTES_PER_OWNER_MAX, DecodeError, Decoded, EVENTS_PER_SPAN_MAX, LINKS_PER_SPAN_MAX,
};

/// What Jaeger calls the service of a resource that has none.
const NO_SERVICE: &[u8] = b"OTLPResourceNoServiceName";
/// The attribute that keeps the warnings of a span.
const WARNINGS_KEY: &[u8] = b"@jaeger@warnings";
/// The attribute of a link that says what kind of reference it was.
const REF_TYPE_KEY: &[u8] = b"opentracing.ref_type";
/// The only bit of Jaeger's flags that OpenTelemetry has too.
const FLAG_SAMPLED: u32 = 1;
/// Whoever made the span wants its trace kept. In OpenTelemetry's flags this bit says something else.
const FLAG_DEBUG: u32 = 2;

const KIND_INTERNAL: i32 = 1;
const KIND_SERVER: i32 = 2;
const KIND_CLIENT: i32 = 3;
const KIND_PRODUCER: i32 = 4;
const KIND_CONSUMER: i32 = 5;
const STATUS_UNSET: i32 = 0;
const STATUS_OK: i32 = 1;
const STATUS_ERROR: i32 = 2;

/// Where spans come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A client of Jaeger's.
    Client,
    /// A document, which was a span of OpenTelemetry's: what it does not say was not said.
    Document,
}

/// A tag of a span or a process, or a field of a log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: PackedValue<'a>,
    /// Whether a field of the span says the same.
    pub(super) is_taken: bool,
}

/// The value of a tag while its fields are read: there is one for each type, and one that names the type.
#[derive(Debug, Clone, Copy)]
pub(super) struct TagValue<'a> {
    /// The type that the tag names; empty if nobody knows it.
    pub(super) value_type: ValueType,
    value: PackedValue<'a>,
}

impl Default for TagValue<'_> {
    fn default() -> Self {
        Self {
            value_type: ValueType::String,
            value: PackedValue::Empty,
        }
    }
}

impl<'a> TagValue<'a> {
    /// Notes a value; the one of the named type stays.
    #[inline]
    pub(super) fn set(&mut self, value: PackedValue<'a>) {
        let is_known = self.value.value_type() == self.value_type;
        if !is_known || value.value_type() == self.value_type {
            self.value = value;
        }
    }

    /// The tag. One without a value has the zero of its type; one with a value of another type keeps that.
    #[inline]
    pub(super) fn tag(self, key: &'a [u8]) -> Tag<'a> {
        let value = match (self.value, self.value_type) {
            (PackedValue::Empty, ValueType::String) => PackedValue::String(&[]),
            (PackedValue::Empty, ValueType::Bool) => PackedValue::Bool(false),
            (PackedValue::Empty, ValueType::Int) => PackedValue::Int(0),
            (PackedValue::Empty, ValueType::Double) => PackedValue::Double(0.0),
            (PackedValue::Empty, ValueType::Bytes) => PackedValue::Bytes(&[]),
            (value, _) => value,
        };
        Tag {
            key,
            value,
            is_taken: false,
        }
    }
}

/// A log: its fields are those up to `fields_end` that no log before it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    pub(super) time: u64,
    pub(super) fields_end: usize,
    /// Fields over the limit.
    pub(super) dropped: u32,
}

/// A reference to another span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) is_child_of: bool,
}

/// A process: who sent the spans.
#[derive(Debug, Default)]
pub(super) struct Process<'a> {
    pub(super) service: &'a [u8],
    pub(super) tags: Vec<Tag<'a>>,
    pub(super) dropped: u32,
}

/// A span as Jaeger's formats have it.
#[derive(Debug, Default)]
pub(super) struct Span<'a> {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    /// Zero if it is only among the references.
    pub(super) parent_span_id: SpanId,
    pub(super) name: &'a [u8],
    pub(super) flags: u32,
    /// Nanoseconds since the epoch.
    pub(super) start: u64,
    /// Nanoseconds since the epoch.
    pub(super) end: u64,
    pub(super) references: Vec<Reference>,
    pub(super) tags: Vec<Tag<'a>>,
    pub(super) logs: Vec<Log>,
    pub(super) log_fields: Vec<Tag<'a>>,
    pub(super) warnings: Vec<&'a [u8]>,
    pub(super) dropped_tags: u32,
    pub(super) dropped_logs: u32,
    pub(super) dropped_references: u32,
}

/// Adds to a list that has room for so many; counts what has none.
pub(super) fn push_up_to<T>(list: &mut Vec<T>, item: T, max: usize, dropped: &mut u32) {
    if list.len() < max {
        list.push(item);
    } else {
        *dropped = dropped.saturating_add(1);
    }
}

impl<'a> Process<'a> {
    pub(super) fn clear(&mut self) {
        self.service = &[];
        self.tags.clear();
        self.dropped = 0;
    }

    pub(super) fn push_tag(&mut self, tag: Tag<'a>) {
        push_up_to(
            &mut self.tags,
            tag,
            ATTRIBUTES_PER_OWNER_MAX,
            &mut self.dropped,
        );
    }
}

impl<'a> Span<'a> {
    pub(super) fn clear(&mut self) {
        let Self {
            references,
            tags,
            logs,
            log_fields,
            warnings,
            ..
        } = self;
        references.clear();
        tags.clear();
        logs.clear();
        log_fields.clear();
        warnings.clear();
        *self = Self {
            references: std::mem::take(references),
            tags: std::mem::take(tags),
            logs: std::mem::take(logs),
            log_fields: std::mem::take(log_fields),
            warnings: std::mem::take(warnings),
            ..Self::default()
        };
    }

    pub(super) fn push_tag(&mut self, tag: Tag<'a>) {
        push_up_to(
            &mut self.tags,
            tag,
            ATTRIBUTES_PER_OWNER_MAX,
            &mut self.dropped_tags,
        );
    }

    pub(super) fn push_reference(&mut self, reference: Reference) {
        // One more than there may be links: one of them may be the parent.
        push_up_to(
            &mut self.references,
            reference,
            LINKS_PER_SPAN_MAX + 1,
            &mut self.dropped_references,
        );
    }

    /// Adds a field to the log that is being read, whose fields begin at `first`.
    pub(super) fn push_field(&mut self, first: usize, field: Tag<'a>, dropped: &mut u32) {
        let max = first.saturating_add(ATTRIBUTES_PER_OWNER_MAX);
        push_up_to(&mut self.log_fields, field, max, dropped);
    }

    pub(super) fn push_log(&mut self, log: Log) {
        if self.logs.len() < EVENTS_PER_SPAN_MAX {
            self.logs.push(log);
            return;
        }
        let kept = self.logs.last().map_or(0, |log| log.fields_end);
        self.log_fields.truncate(kept);
        self.dropped_logs = self.dropped_logs.saturating_add(1);
    }

    /// Memory that the logs take while the span is read; everything else of it is bounded by itself.
    pub(super) fn scratch_bytes(&self) -> usize {
        self.log_fields.len() * size_of::<Tag<'_>>() + self.warnings.len() * size_of::<&[u8]>()
    }
}

/// The nanoseconds of a time that may lie outside of those that OpenTelemetry can say.
pub(super) fn nanos(exact: i128) -> u64 {
    u64::try_from(exact.max(0)).unwrap_or(u64::MAX)
}

/// What the tags of a span say that OpenTelemetry has fields for.
#[derive(Default)]
struct Found<'a> {
    kind: i32,
    is_error: bool,
    status_code: Option<PackedValue<'a>>,
    /// Where the description of the status is among the tags.
    description: Option<usize>,
    http_status: Option<PackedValue<'a>>,
    http_message: Option<&'a [u8]>,
    trace_state: &'a [u8],
    scope_name: &'a [u8],
    scope_version: &'a [u8],
}

impl<'a> Found<'a> {
    /// Looks at the tags once and takes those that a field says as well.
    fn among(tags: &mut [Tag<'a>], origin: Origin) -> Self {
        let mut found = Self::default();
        for (index, tag) in tags.iter_mut().enumerate() {
            match (tag.key, tag.value) {
                (b"span.kind", value) => {
                    // What is no kind is taken as well, as Jaeger does.
                    found.kind = kind_of(value);
                    tag.is_taken = true;
                }
                (b"error", PackedValue::Bool(true)) => {
                    found.is_error = true;
                    tag.is_taken = true;
                }
                (b"otel.status_code", value) => {
                    found.status_code = Some(value);
                    tag.is_taken = true;
                }
                (b"otel.status_description", PackedValue::String(_)) => {
                    found.description = Some(index);
                }
                (b"http.status_code", value) if origin == Origin::Client => {
                    found.http_status = Some(value);
                }
                (b"http.status_message", PackedValue::String(text)) if origin == Origin::Client => {
                    found.http_message = Some(text);
                }
                (b"w3c.tracestate", PackedValue::String(text)) => {
                    found.trace_state = text;
                    tag.is_taken = true;
                }
                (b"otel.scope.name" | b"otel.library.name", PackedValue::String(text)) => {
                    found.scope_name = text;
                    tag.is_taken = true;
                }
                (b"otel.scope.version" | b"otel.library.version", PackedValue::String(text)) => {
                    found.scope_version = text;
                    tag.is_taken = true;
                }
                _ => {}
            }
        }
        found
    }

    /// The status and its message.
    fn status(&self, tags: &mut [Tag<'a>], origin: Origin) -> (i32, &'a [u8]) {
        let said = self.status_code.map(status_of);
        let explicit = match (self.is_error, self.status_code) {
            // A span that is fine may have an attribute that says otherwise.
            (true, _) if origin == Origin::Document && said == Some(STATUS_OK) => {
                let errors = tags.iter_mut().filter(|tag| tag.key == b"error");
                errors.for_each(|tag| tag.is_taken = false);
                said
            }
            (true, _) => Some(STATUS_ERROR),
            (false, Some(code)) => Some(status_of(code)),
            (false, None) if origin == Origin::Document => Some(STATUS_UNSET),
            (false, None) => None,
        };
        if let Some(status) = explicit {
            let description = self.description.and_then(|index| tags.get_mut(index));
            return match description {
                Some(tag) => {
                    tag.is_taken = true;
                    (status, text_of(tag.value))
                }
                None if self.is_error => (status, self.http_message.unwrap_or_default()),
                None => (status, &[]),
            };
        }
        let is_failed = self
            .http_status
            .and_then(http_code)
            .is_some_and(|code| is_http_error(code, self.kind));
        if is_failed {
            (STATUS_ERROR, self.http_message.unwrap_or_default())
        } else {
            (STATUS_UNSET, &[])
        }
    }
}

fn text_of(value: PackedValue<'_>) -> &[u8] {
    match value {
        PackedValue::String(text) => text,
        _ => &[],
    }
}

fn kind_of(value: PackedValue<'_>) -> i32 {
    match text_of(value) {
        b"internal" => KIND_INTERNAL,
        b"server" => KIND_SERVER,
        b"client" => KIND_CLIENT,
        b"producer" => KIND_PRODUCER,
        b"consumer" => KIND_CONSUMER,
        _ => 0,
    }
}

fn status_of(code: PackedValue<'_>) -> i32 {
    let code = text_of(code);
    if code.eq_ignore_ascii_case(b"ok") {
        STATUS_OK
    } else if code.eq_ignore_ascii_case(b"error") {
        STATUS_ERROR
    } else {
        STATUS_UNSET
    }
}

fn http_code(value: PackedValue<'_>) -> Option<i64> {
    match value {
        PackedValue::Int(code) => Some(code),
        PackedValue::String(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

/// A refused request is the client's fault: to the server nothing went wrong.
fn is_http_error(code: i64, kind: i32) -> bool {
    match code {
        400..500 => kind == KIND_CLIENT,
        500..600 => true,
        _ => false,
    }
}

/// The parent, and the reference that says no more than that.
fn parent_of(span: &Span<'_>) -> (SpanId, Option<usize>) {
    let same_trace = |reference: &Reference| reference.trace_id == span.trace_id;
    let given = (!span.parent_span_id.is_zero()).then_some(span.parent_span_id);
    let child_of = span.references.iter().position(|reference| {
        reference.is_child_of
            && same_trace(reference)
            && given.is_none_or(|parent| parent == reference.span_id)
    });
    let at = |index: Option<usize>| index.and_then(|index| span.references.get(index));
    let parent = given
        .or_else(|| at(child_of).map(|reference| reference.span_id))
        .or_else(|| {
            let follows = span.references.iter().find(|other| same_trace(other));
            follows.map(|reference| reference.span_id)
        });
    (parent.unwrap_or_default(), child_of)
}

/// Writes Jaeger's spans into a batch of OpenTelemetry's.
#[derive(Debug)]
pub(super) struct Translator {
    origin: Origin,
    builder: BatchBuilder,
    notes: Notes,
    memory: MemoryBound,
    /// The scope of the span before, which nearly always is the next one's.
    scope: Option<(Symbol, Symbol, u32)>,
    spans: usize,
    text: Vec<u8>,
    list: Writer,
}

impl Translator {
    /// For a request of so many bytes.
    pub(super) fn new(request_bytes: usize) -> Self {
        Self::of(Origin::Client, request_bytes)
    }

    /// For so many bytes of some origin.
    pub(super) fn of(origin: Origin, request_bytes: usize) -> Self {
        Self {
            origin,
            builder: BatchBuilder::new(),
            notes: Notes::default(),
            memory: MemoryBound::new(request_bytes),
            scope: None,
            spans: 0,
            text: Vec::new(),
            list: Writer::new(),
        }
    }

    pub(super) fn finish(self) -> Decoded {
        self.notes.into_decoded(self.builder, false)
    }

    /// Fails when the request has outgrown its bound, with what is read of the next span and so much beside it.
    pub(super) fn check(&self, span: &Span<'_>, beside_bytes: usize) -> Result<(), DecodeError> {
        self.memory
            .check_beside(&self.builder, span.scratch_bytes() + beside_bytes)
    }

    /// The row of a process.
    pub(super) fn resource(&mut self, process: &Process<'_>) -> Result<u32, DecodeError> {
        let mut writing = AttributeWriter::begin(&self.builder);
        let is_client = self.origin == Origin::Client;
        let service = match process.service {
            b"" | NO_SERVICE => None,
            name if !is_client && name == SERVICE_MISSING.as_bytes() => None,
            name if !is_client && name == SERVICE_EMPTY.as_bytes() => Some(&b""[..]),
            name => Some(name),
        };
        if let Some(name) = service {
            let service = PackedValue::String(name);
            writing.push(&mut self.builder, b"service.name", service);
        }
        let has_host = process.tags.iter().any(|tag| tag.key == b"host.name");
        for tag in &process.tags {
            match (tag.key, tag.value) {
                (key, value) if !is_client => writing.push(&mut self.builder, key, value),
                (b"hostname", value) if !has_host => {
                    writing.push(&mut self.builder, b"host.name", value);
                }
                (b"jaeger.version", PackedValue::String(version)) => {
                    self.text.clear();
                    self.text.extend_from_slice(b"Jaeger-");
                    self.text.extend_from_slice(version);
                    let version = PackedValue::String(&self.text);
                    writing.push(&mut self.builder, b"opencensus.exporterversion", version);
                }
                (key, value) => writing.push(&mut self.builder, key, value),
            }
        }
        let (attributes, dropped_attributes) =
            writing.finish(&mut self.builder, &mut self.notes, process.dropped);
        self.notes.truncated_values += u64::from(process.dropped);
        let row = self.builder.add_resource(ResourceRow {
            is_present: true,
            attributes,
            dropped_attributes,
            ..ResourceRow::default()
        });
        self.memory.note_envelope(row);
        self.memory.check(&self.builder)?;
        Ok(row)
    }

    /// Notes that the next span is rejected.
    pub(super) fn reject(&mut self, fault: SpanFault) {
        let place = format_args!("batch.spans[{}]", self.spans);
        self.notes.reject(fault, &place);
        self.spans += 1;
    }

    /// Adds a span, or rejects it.
    pub(super) fn span(&mut self, span: &mut Span<'_>, resource: u32) -> Result<(), DecodeError> {
        if span.trace_id.is_zero() && !plumbing::planted("jaeger-zero-ids-kept") {
            self.reject(SpanFault::TraceIdZero);
            return Ok(());
        }
        if span.span_id.is_zero() && !plumbing::planted("jaeger-zero-ids-kept") {
            self.reject(SpanFault::SpanIdZero);
            return Ok(());
        }
        let found = Found::among(&mut span.tags, self.origin);
        let (status, message) = found.status(&mut span.tags, self.origin);
        let (parent_span_id, parent_at) = parent_of(span);
        let (attributes, dropped_attributes) = self.attributes(span);
        self.events(span)?;
        self.links(span, parent_at)?;
        let dropped = [
            span.dropped_tags,
            span.dropped_logs,
            span.dropped_references,
        ];
        self.notes.truncated_values += dropped.map(u64::from).iter().sum::<u64>();
        let row = SpanRow {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id,
            name: self.builder.intern(span.name),
            kind: found.kind,
            start: span.start,
            end: span.end,
            status,
            status_message: self.builder.intern(message),
            trace_state: self.builder.intern(found.trace_state),
            flags: match self.origin {
                Origin::Client => span.flags & FLAG_SAMPLED,
                Origin::Document => span.flags,
            },
            resource,
            scope: self.scope(found.scope_name, found.scope_version),
            attributes,
            dropped_attributes,
            dropped_events: span.dropped_logs,
            dropped_links: span.dropped_references,
        };
        self.builder.push_span(row);
        let is_forced = self.origin == Origin::Client && span.flags & FLAG_DEBUG != 0;
        if is_forced && self.notes.forced.last() != Some(&span.trace_id) {
            self.notes.forced.push(span.trace_id);
        }
        self.spans += 1;
        self.memory.check(&self.builder)
    }

    fn attributes(&mut self, span: &Span<'_>) -> (model::batch::Attributes, u32) {
        let mut writing = AttributeWriter::begin(&self.builder);
        for tag in span.tags.iter().filter(|tag| !tag.is_taken) {
            writing.push(&mut self.builder, tag.key, tag.value);
        }
        if !span.warnings.is_empty() {
            self.list.clear();
            for warning in &span.warnings {
                let text = String::from_utf8_lossy(warning);
                self.notes.repaired_texts += u64::from(matches!(text, std::borrow::Cow::Owned(_)));
                self.list
                    .message(1, |value| value.bytes_field(1, text.as_bytes()));
            }
            let list = PackedValue::Array(self.list.as_bytes());
            writing.push(&mut self.builder, WARNINGS_KEY, list);
        }
        writing.finish(&mut self.builder, &mut self.notes, span.dropped_tags)
    }

    fn events(&mut self, span: &Span<'_>) -> Result<(), DecodeError> {
        let mut first = 0;
        for log in &span.logs {
            let fields = span
                .log_fields
                .get(first..log.fields_end)
                .unwrap_or_default();
            first = log.fields_end;
            let is_name =
                |field: &Tag<'_>| field.key == b"event" && !text_of(field.value).is_empty();
            let name_at = fields.iter().position(is_name);
            let name = name_at.and_then(|at| fields.get(at));
            let mut writing = AttributeWriter::begin(&self.builder);
            for (index, field) in fields.iter().enumerate() {
                if Some(index) != name_at {
                    writing.push(&mut self.builder, field.key, field.value);
                }
            }
            let (attributes, dropped_attributes) =
                writing.finish(&mut self.builder, &mut self.notes, log.dropped);
            self.notes.truncated_values += u64::from(log.dropped);
            let event = EventRow {
                time: log.time,
                name: self
                    .builder
                    .intern(name.map_or(&[], |tag| text_of(tag.value))),
                attributes,
                dropped_attributes,
            };
            self.builder.push_event(event);
            self.memory.check(&self.builder)?;
        }
        Ok(())
    }

    fn links(&mut self, span: &Span<'_>, parent_at: Option<usize>) -> Result<(), DecodeError> {
        for (index, reference) in span.references.iter().enumerate() {
            if Some(index) == parent_at && !plumbing::planted("jaeger-parent-linked-too") {
                continue;
            }
            let ref_type: &[u8] = if reference.is_child_of {
                b"child_of"
            } else {
                b"follows_from"
            };
            let mut writing = AttributeWriter::begin(&self.builder);
            // Links of OpenTelemetry's are written as those that follow.
            if self.origin == Origin::Client || reference.is_child_of {
                let ref_type = PackedValue::String(ref_type);
                writing.push(&mut self.builder, REF_TYPE_KEY, ref_type);
            }
            let (attributes, _) = writing.finish(&mut self.builder, &mut self.notes, 0);
            self.builder.push_link(LinkRow {
                trace_id: reference.trace_id,
                span_id: reference.span_id,
                attributes,
                ..LinkRow::default()
            });
            self.memory.check(&self.builder)?;
        }
        Ok(())
    }

    fn scope(&mut self, name: &[u8], version: &[u8]) -> u32 {
        let (name, version) = (self.builder.intern(name), self.builder.intern(version));
        if let Some((known_name, known_version, row)) = self.scope
            && (known_name, known_version) == (name, version)
        {
            return row;
        }
        let is_said = (name, version) != (Symbol::EMPTY, Symbol::EMPTY);
        let row = self.builder.add_scope(ScopeRow {
            is_present: is_said || self.origin == Origin::Client,
            name,
            version,
            ..ScopeRow::default()
        });
        self.memory.note_envelope(row);
        self.scope = Some((name, version, row));
        row
    }
}
