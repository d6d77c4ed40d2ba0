//! OTLP/JSON requests into batches, by way of a tape of the JSON text (`crate::json`), without an object per span.
//!
//! The rules where OTLP/JSON differs from protobuf's JSON, or where the sender's freedom needs an answer:
//!
//! - Ids are hexadecimal text of any case. A span with another id is rejected alone; a link keeps a zero id.
//! - A value of the wrong type within a span rejects the span; outside of spans it breaks the request.
//! - Unknown fields are ignored, `null` is absent, the last of equal keys is taken and the others are counted.
//! - Names are lowerCamelCase only: `resource_spans` is an unknown field. A request without spans that has unknown
//!   fields in its outer form is answered with a warning.
//! - Enums may be given by name, though the specification wants numbers: the Collector accepts them, so senders exist.
//! - Several fields of one `AnyValue`: the last one counts, as in protobuf.
//! - An empty body is an empty request.
//!
//! Refuses: what is not JSON, and more than `JSON_DEPTH_MAX` levels. Values below 64 levels of arrays and maps are cut.
//!
//! Read next: `crate::json` for the text, numbers and ids, `value.rs` for attribute values.

mod value;

use std::borrow::Cow;

use model::batch::{Attributes, EventRow, LinkRow, ResourceRow, ScopeRow, SpanRow};
use model::{BatchBuilder, SpanId, Symbol, TraceId};

use crate::json::scalar::{Unfit, enum_of, id_of, u32_of, u64_of};
use crate::json::tape::{Node, Tape};
use crate::notes::{MemoryBound, Notes, Place, SpanFault};
use crate::{DecodeError, Decoded, EVENTS_PER_SPAN_MAX, LINKS_PER_SPAN_MAX};

/// The names of the span kinds by number.
const KIND_NAMES: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
/// The names of the status codes by number.
const STATUS_NAMES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/// Decodes an `ExportTraceServiceRequest` (or `TracesData`) in OTLP/JSON.
///
/// # Errors
/// When the text is not JSON, is nested too deeply, or has values of a wrong type outside of its spans.
pub fn decode_json(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder {
        builder: BatchBuilder::new(),
        notes: Notes::default(),
        memory: MemoryBound::new(bytes.len()),
    };
    if !bytes.trim_ascii().is_empty() {
        let tape = Tape::new(bytes)?;
        decoder.request(tape.root())?;
    }
    Ok(decoder.notes.into_decoded(decoder.builder, false))
}

struct Decoder {
    builder: BatchBuilder,
    notes: Notes,
    memory: MemoryBound,
}

/// Says that what is outside of the spans doesn't fit.
fn broken(what: &'static str) -> impl Fn(Unfit) -> DecodeError {
    move |Unfit { byte, why }| DecodeError::Broken { what, byte, why }
}

/// The values of a list; none when it is absent.
fn list_of<'a>(
    node: Option<Node<'a>>,
    name: &str,
) -> Result<impl Iterator<Item = Node<'a>> + use<'a>, Unfit> {
    let elements = match node {
        None => None,
        Some(node) => Some(
            node.elements()
                .ok_or_else(|| Unfit::new(node, name, "an array"))?,
        ),
    };
    Ok(elements.into_iter().flatten())
}

/// Messages of a list: `null` among them is none.
fn messages_of<'a>(
    node: Option<Node<'a>>,
    name: &str,
) -> Result<impl Iterator<Item = Node<'a>> + use<'a>, Unfit> {
    Ok(list_of(node, name)?.filter(|message| !message.is_null()))
}

/// Tells whether there may be a span in an object of `scopeSpans`; what is no such object is judged elsewhere.
fn has_span(scope_spans: Node<'_>) -> bool {
    let is_spans = |key: Node<'_>| key.text().is_some_and(|(key, _)| &*key == b"spans");
    let mut lists = scope_spans
        .members()
        .into_iter()
        .flatten()
        .filter(|(key, _)| is_spans(*key));
    lists.any(|(_, list)| {
        list.elements()
            .is_some_and(|mut spans| spans.any(|span| !span.is_null()))
    })
}

impl Decoder {
    /// The fields of an object by name, each absent or not `null`.
    fn fields<'a, const N: usize>(
        &mut self,
        node: Node<'a>,
        what: &str,
        names: [&str; N],
    ) -> Result<[Option<Node<'a>>; N], Unfit> {
        self.fields_or(node, what, names, |_, _| {})
    }

    /// As `fields`, for the outer form of a request, where unknown names are noted.
    fn outer_fields<'a, const N: usize>(
        &mut self,
        node: Node<'a>,
        what: &str,
        names: [&str; N],
    ) -> Result<[Option<Node<'a>>; N], Unfit> {
        self.fields_or(node, what, names, |notes, key| {
            notes.unknown_key(&String::from_utf8_lossy(key));
        })
    }

    fn fields_or<'a, const N: usize>(
        &mut self,
        node: Node<'a>,
        what: &str,
        names: [&str; N],
        on_unknown: impl Fn(&mut Notes, &[u8]),
    ) -> Result<[Option<Node<'a>>; N], Unfit> {
        let members = node
            .members()
            .ok_or_else(|| Unfit::new(node, what, "an object"))?;
        let mut found = [None; N];
        // Senders write fields in the order of their numbers: the next name is most likely the next of ours.
        let mut next = 0;
        for (key, value) in members {
            let (key, _) = key.text().unwrap_or_default();
            let is_name = |place: &usize| {
                names
                    .get(*place)
                    .is_some_and(|name| name.as_bytes() == &*key)
            };
            let Some(place) = (next..N).chain(0..next).find(is_name) else {
                on_unknown(&mut self.notes, &key);
                continue;
            };
            next = place + 1;
            if let Some(slot) = found.get_mut(place) {
                self.notes.repeated_keys += u64::from(slot.is_some());
                *slot = Some(value);
            }
        }
        Ok(found.map(|value| value.filter(|value: &Node<'a>| !value.is_null())))
    }

    /// The bytes of a text, repaired where it had half a surrogate pair; empty when absent.
    fn text<'a>(&mut self, node: Option<Node<'a>>, name: &str) -> Result<Cow<'a, [u8]>, Unfit> {
        let Some(node) = node else {
            return Ok(Cow::Borrowed(&[]));
        };
        let (text, is_repaired) = node.text().ok_or_else(|| Unfit::new(node, name, "text"))?;
        self.notes.repaired_texts += u64::from(is_repaired);
        Ok(text)
    }

    fn symbol(&mut self, node: Option<Node<'_>>, name: &str) -> Result<Symbol, Unfit> {
        let text = self.text(node, name)?;
        Ok(self.builder.intern(&text))
    }

    fn request(&mut self, node: Node<'_>) -> Result<(), DecodeError> {
        let [list] = self
            .outer_fields(node, "request", ["resourceSpans"])
            .map_err(broken("request"))?;
        for (index, resource_spans) in messages_of(list, "resourceSpans")
            .map_err(broken("request"))?
            .enumerate()
        {
            self.resource_spans(
                resource_spans,
                Place {
                    resource_spans: index,
                    ..Place::default()
                },
            )?;
        }
        Ok(())
    }

    fn resource_spans(&mut self, node: Node<'_>, mut place: Place) -> Result<(), DecodeError> {
        let broken = broken("resourceSpans");
        let names = ["resource", "scopeSpans", "schemaUrl"];
        let [resource, list, schema_url] = self
            .outer_fields(node, "resourceSpans", names)
            .map_err(&broken)?;
        let has_spans = messages_of(list, "scopeSpans")
            .map_err(&broken)?
            .any(has_span);
        let mark = self.builder.mark();
        let row = self.resource(resource, schema_url).map_err(&broken)?;
        let row = if has_spans {
            self.builder.add_resource(row)
        } else {
            self.builder.roll_back(mark);
            0
        };
        self.memory.note_envelope(row);
        self.memory.check(&self.builder)?;
        for (index, scope_spans) in messages_of(list, "scopeSpans")
            .map_err(&broken)?
            .enumerate()
        {
            place.scope_spans = index;
            self.scope_spans(scope_spans, row, place)?;
        }
        Ok(())
    }

    fn resource(
        &mut self,
        node: Option<Node<'_>>,
        schema_url: Option<Node<'_>>,
    ) -> Result<ResourceRow, Unfit> {
        let mut row = ResourceRow {
            schema_url: self.symbol(schema_url, "schemaUrl")?,
            ..ResourceRow::default()
        };
        let Some(node) = node else { return Ok(row) };
        let names = ["attributes", "droppedAttributesCount", "entityRefs"];
        let [attributes, dropped, entity_refs] = self.fields(node, "resource", names)?;
        row.is_present = true;
        (row.attributes, row.dropped_attributes) = self.attributes(attributes, dropped)?;
        let entity_refs = self.entity_refs(entity_refs)?;
        if !entity_refs.is_empty() {
            row.entity_refs = self.builder.add_blob(&entity_refs);
        }
        Ok(row)
    }

    fn scope_spans(
        &mut self,
        node: Node<'_>,
        resource: u32,
        mut place: Place,
    ) -> Result<(), DecodeError> {
        let broken = broken("scopeSpans");
        let names = ["scope", "spans", "schemaUrl"];
        let [scope, list, schema_url] = self
            .outer_fields(node, "scopeSpans", names)
            .map_err(&broken)?;
        let has_spans = messages_of(list, "spans")
            .map_err(&broken)?
            .next()
            .is_some();
        let mark = self.builder.mark();
        let row = self.scope(scope, schema_url).map_err(&broken)?;
        let row = if has_spans {
            self.builder.add_scope(row)
        } else {
            self.builder.roll_back(mark);
            0
        };
        self.memory.note_envelope(row);
        self.memory.check(&self.builder)?;
        for (index, span) in messages_of(list, "spans").map_err(&broken)?.enumerate() {
            place.span = index;
            let mark = self.builder.mark();
            if let Err(fault) = self.span(span, resource, row)? {
                if !plumbing::planted("codec-rejected-span-left-behind") {
                    self.builder.roll_back(mark);
                }
                self.notes.reject(fault, &place);
            }
            self.memory.check(&self.builder)?;
        }
        Ok(())
    }

    fn scope(
        &mut self,
        node: Option<Node<'_>>,
        schema_url: Option<Node<'_>>,
    ) -> Result<ScopeRow, Unfit> {
        let mut row = ScopeRow {
            schema_url: self.symbol(schema_url, "schemaUrl")?,
            ..ScopeRow::default()
        };
        let Some(node) = node else { return Ok(row) };
        let names = ["name", "version", "attributes", "droppedAttributesCount"];
        let [name, version, attributes, dropped] = self.fields(node, "scope", names)?;
        row.is_present = true;
        row.name = self.symbol(name, "name")?;
        row.version = self.symbol(version, "version")?;
        (row.attributes, row.dropped_attributes) = self.attributes(attributes, dropped)?;
        Ok(row)
    }

    /// Adds a span. The outer error ends the request, the inner one rejects the span.
    fn span(
        &mut self,
        node: Node<'_>,
        resource: u32,
        scope: u32,
    ) -> Result<Result<(), SpanFault>, DecodeError> {
        let mut row = SpanRow {
            resource,
            scope,
            ..SpanRow::default()
        };
        let lists = match self.span_fields(node, &mut row) {
            Ok(lists) => lists,
            Err(fault) => return Ok(Err(fault)),
        };
        let (Ok(events), Ok(links)) = (
            messages_of(lists.0, "events"),
            messages_of(lists.1, "links"),
        ) else {
            return Ok(Err(SpanFault::Json(
                "events and links must be arrays".to_owned(),
            )));
        };
        for (index, event) in events.enumerate() {
            if index >= EVENTS_PER_SPAN_MAX {
                row.dropped_events = row.dropped_events.saturating_add(1);
                self.notes.truncated_values += 1;
                continue;
            }
            if let Err(unfit) = self.event(event) {
                return Ok(Err(unfit.into()));
            }
            self.memory.check(&self.builder)?;
        }
        for (index, link) in links.enumerate() {
            if index >= LINKS_PER_SPAN_MAX {
                row.dropped_links = row.dropped_links.saturating_add(1);
                self.notes.truncated_values += 1;
                continue;
            }
            if let Err(unfit) = self.link(link) {
                return Ok(Err(unfit.into()));
            }
            self.memory.check(&self.builder)?;
        }
        self.builder.push_span(row);
        Ok(Ok(()))
    }

    /// Reads the fields of a span into its row and its attributes into the builder; gives the events and the links.
    fn span_fields<'a>(
        &mut self,
        node: Node<'a>,
        row: &mut SpanRow,
    ) -> Result<(Option<Node<'a>>, Option<Node<'a>>), SpanFault> {
        let names = [
            "traceId",
            "spanId",
            "traceState",
            "parentSpanId",
            "name",
            "kind",
            "startTimeUnixNano",
            "endTimeUnixNano",
            "attributes",
            "droppedAttributesCount",
            "events",
            "droppedEventsCount",
            "links",
            "droppedLinksCount",
            "status",
            "flags",
        ];
        let found = self.fields(node, "span", names)?;
        let [
            trace_id,
            span_id,
            trace_state,
            parent_id,
            name,
            kind,
            start,
            end,
            found @ ..,
        ] = found;
        let [
            attributes,
            dropped,
            events,
            dropped_events,
            links,
            dropped_links,
            status,
            flags,
        ] = found;
        row.trace_id = TraceId(id_of(trace_id).flatten().ok_or(SpanFault::TraceIdText)?);
        row.span_id = SpanId(id_of(span_id).flatten().ok_or(SpanFault::SpanIdText)?);
        if row.trace_id.is_zero() {
            return Err(SpanFault::TraceIdZero);
        }
        if row.span_id.is_zero() {
            return Err(SpanFault::SpanIdZero);
        }
        row.parent_span_id = SpanId(
            id_of(parent_id)
                .ok_or(SpanFault::ParentIdText)?
                .unwrap_or_default(),
        );
        row.kind = enum_of(kind, "kind", &KIND_NAMES)?;
        row.start = u64_of(start, "startTimeUnixNano")?;
        row.end = u64_of(end, "endTimeUnixNano")?;
        row.flags = u32_of(flags, "flags")?;
        row.dropped_events = u32_of(dropped_events, "droppedEventsCount")?;
        row.dropped_links = u32_of(dropped_links, "droppedLinksCount")?;
        if let Some(status) = status {
            let [message, code] = self.fields(status, "status", ["message", "code"])?;
            row.status_message = self.symbol(message, "message")?;
            row.status = enum_of(code, "code", &STATUS_NAMES)?;
        }
        row.name = self.symbol(name, "name")?;
        row.trace_state = self.symbol(trace_state, "traceState")?;
        (row.attributes, row.dropped_attributes) = self.attributes(attributes, dropped)?;
        Ok((events, links))
    }

    fn event(&mut self, node: Node<'_>) -> Result<(), Unfit> {
        let names = [
            "timeUnixNano",
            "name",
            "attributes",
            "droppedAttributesCount",
        ];
        let [time, name, attributes, dropped] = self.fields(node, "event", names)?;
        let (attributes, dropped_attributes) = self.attributes(attributes, dropped)?;
        let time = u64_of(time, "timeUnixNano")?;
        let name = self.symbol(name, "name")?;
        self.builder.push_event(EventRow {
            time,
            name,
            attributes,
            dropped_attributes,
        });
        Ok(())
    }

    fn link(&mut self, node: Node<'_>) -> Result<(), Unfit> {
        let names = [
            "traceId",
            "spanId",
            "traceState",
            "attributes",
            "droppedAttributesCount",
            "flags",
        ];
        let [trace_id, span_id, trace_state, attributes, dropped, flags] =
            self.fields(node, "link", names)?;
        let (attributes, dropped_attributes) = self.attributes(attributes, dropped)?;
        let row = LinkRow {
            trace_id: TraceId(self.link_id(trace_id)),
            span_id: SpanId(self.link_id(span_id)),
            trace_state: self.symbol(trace_state, "traceState")?,
            attributes,
            dropped_attributes,
            flags: u32_of(flags, "flags")?,
        };
        self.builder.push_link(row);
        Ok(())
    }

    /// The id of a link; zero when it is absent or no id, which is noted.
    fn link_id<const N: usize>(&mut self, node: Option<Node<'_>>) -> [u8; N] {
        let id = id_of(node);
        self.notes.link_ids += u64::from(id.is_none());
        id.flatten().unwrap_or([0; N])
    }

    /// The attributes of an owner, and the number of dropped ones with those that are cut off here.
    fn attributes(
        &mut self,
        list: Option<Node<'_>>,
        dropped: Option<Node<'_>>,
    ) -> Result<(Attributes, u32), Unfit> {
        let mut dropped = u32_of(dropped, "droppedAttributesCount")?;
        let mut cursor = self.builder.begin_attributes();
        for (index, pair) in messages_of(list, "attributes")?.enumerate() {
            if index >= crate::ATTRIBUTES_PER_OWNER_MAX {
                dropped = dropped.saturating_add(1);
                self.notes.truncated_values += 1;
                continue;
            }
            self.push_pair(&mut cursor, pair)?;
        }
        Ok((self.builder.finish_attributes(cursor), dropped))
    }
}

impl From<Unfit> for SpanFault {
    fn from(unfit: Unfit) -> Self {
        Self::Json(format!("{} (at byte {})", unfit.why, unfit.byte))
    }
}
