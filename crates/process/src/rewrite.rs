//! Changes a batch: it is copied once, and a step is asked about every list of attributes and every text on the way.
//!
//! Promises
//! - A batch in which the step changed nothing is given back as none, so that the bytes which it came in are kept.
//! - Order, duplicates, types and everything that the step does not touch stay as they are. A resource or scope is
//!   asked about once, however many spans share it.

use std::borrow::Cow;

use model::batch::{
    AttrValue, Attribute, Attributes, EventRow, LinkRow, PackedValue, ResourceRow, ScopeRow,
    SpanRef, SpanRow,
};
use model::value::packed::{array_to_bytes, map_to_bytes};
use model::{BatchBuilder, SpanBatch, Value};

/// Whose attributes they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Resource,
    Scope,
    Span,
    Event,
    Link,
}

/// Texts that a step may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextOf {
    SpanName,
    StatusMessage,
    EventName,
}

/// A value, as it is in the batch or a new one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Old(AttrValue<'a>),
    New(Value),
}

/// An attribute.
#[derive(Debug, Clone)]
pub(crate) struct Pair<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) value: Cell<'a>,
}

/// The attributes of one owner.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) pairs: Vec<Pair<'a>>,
    /// How many the sender, or a step, has left out.
    pub(crate) dropped: u32,
    /// Whether a step changed anything.
    pub(crate) is_changed: bool,
}

/// What a step does to a batch.
pub(crate) trait Rewrite {
    /// Changes the attributes of an owner, and says so.
    fn attributes(&self, _owner: Owner, _fields: &mut Fields<'_>) {}

    /// Another text.
    fn text(&self, _of: TextOf, _text: &str) -> Option<String> {
        None
    }

    /// Another trace state.
    fn trace_state(&self, _span: SpanRef<'_>) -> Option<String> {
        None
    }

    /// How many events and links a span may have; those beyond are cut off and counted as dropped.
    fn events_and_links_max(&self) -> (usize, usize) {
        (usize::MAX, usize::MAX)
    }
}

/// Some rows of a batch as the step wants them; `None` where it changed nothing and all rows are wanted.
pub(crate) fn rewrite(batch: &SpanBatch, rows: &[usize], step: &dyn Rewrite) -> Option<SpanBatch> {
    let mut copier = Copier {
        step,
        builder: BatchBuilder::new(),
        resources: vec![None; batch.resources().len()],
        scopes: vec![None; batch.scopes().len()],
        fields: Fields::default(),
        packed: Vec::new(),
        is_changed: rows.len() != batch.len(),
    };
    for span in rows.iter().filter_map(|row| batch.span(*row)) {
        copier.span(span);
    }
    copier.is_changed.then(|| copier.builder.finish())
}

struct Copier<'a, 's> {
    step: &'s dyn Rewrite,
    builder: BatchBuilder,
    resources: Vec<Option<u32>>,
    scopes: Vec<Option<u32>>,
    /// The owner that is worked on.
    fields: Fields<'a>,
    packed: Vec<u8>,
    is_changed: bool,
}

impl<'a> Copier<'a, '_> {
    fn span(&mut self, span: SpanRef<'a>) {
        let resource = self.resource(span);
        let scope = self.scope(span);
        let (dropped_attributes, mut dropped_events, mut dropped_links) = span.dropped();
        let (attributes, dropped_attributes) =
            self.attributes(Owner::Span, span.attributes(), dropped_attributes);
        let (events_max, links_max) = self.step.events_and_links_max();
        dropped_events = self.cut(span.events().len(), events_max, dropped_events);
        for event in span.events().take(events_max) {
            let dropped = event.dropped_attributes();
            let (attributes, dropped_attributes) =
                self.attributes(Owner::Event, event.attributes(), dropped);
            let name = self.text(TextOf::EventName, event.name());
            self.builder.push_event(EventRow {
                time: event.time(),
                name,
                attributes,
                dropped_attributes,
            });
        }
        dropped_links = self.cut(span.links().len(), links_max, dropped_links);
        for link in span.links().take(links_max) {
            let dropped = link.dropped_attributes();
            let (attributes, dropped_attributes) =
                self.attributes(Owner::Link, link.attributes(), dropped);
            let trace_state = self.builder.intern(link.trace_state().as_bytes());
            self.builder.push_link(LinkRow {
                trace_id: link.trace_id(),
                span_id: link.span_id(),
                trace_state,
                attributes,
                dropped_attributes,
                flags: link.flags(),
            });
        }
        let trace_state = match self.step.trace_state(span) {
            Some(other) => {
                self.is_changed |= other != span.trace_state();
                self.builder.intern(other.as_bytes())
            }
            None => self.builder.intern(span.trace_state().as_bytes()),
        };
        let name = self.text(TextOf::SpanName, span.name());
        let status_message = self.text(TextOf::StatusMessage, span.status_message());
        self.builder.push_span(SpanRow {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            parent_span_id: span.parent_span_id(),
            name,
            kind: span.kind(),
            start: span.start(),
            end: span.end(),
            status: span.status(),
            status_message,
            trace_state,
            flags: span.flags(),
            resource,
            scope,
            attributes,
            dropped_attributes,
            dropped_events,
            dropped_links,
        });
    }

    /// Counts what is cut off of a list.
    fn cut(&mut self, len: usize, max: usize, dropped: u32) -> u32 {
        let more = len.saturating_sub(max);
        self.is_changed |= more > 0;
        dropped.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
    }

    fn text(&mut self, of: TextOf, text: &str) -> model::Symbol {
        match self.step.text(of, text) {
            Some(other) => {
                self.is_changed |= other != text;
                self.builder.intern(other.as_bytes())
            }
            None => self.builder.intern(text.as_bytes()),
        }
    }

    fn attributes(
        &mut self,
        owner: Owner,
        attributes: impl Iterator<Item = Attribute<'a>>,
        dropped: u32,
    ) -> (Attributes, u32) {
        let fields = &mut self.fields;
        fields.pairs.clear();
        fields
            .pairs
            .extend(attributes.map(|Attribute { key, value }| Pair {
                key: Cow::Borrowed(key),
                value: Cell::Old(value),
            }));
        fields.dropped = dropped;
        fields.is_changed = false;
        self.step.attributes(owner, fields);
        self.is_changed |= fields.is_changed;
        let mut cursor = self.builder.begin_attributes();
        for Pair { key, value } in &fields.pairs {
            self.packed.clear();
            let value = packed(value, &mut self.packed);
            self.builder
                .push_attribute(&mut cursor, key.as_bytes(), value);
        }
        (self.builder.finish_attributes(cursor), fields.dropped)
    }

    fn resource(&mut self, span: SpanRef<'a>) -> u32 {
        let index = span.resource_row() as usize;
        if let Some(Some(known)) = self.resources.get(index) {
            return *known;
        }
        let from = span.resource();
        let (attributes, dropped_attributes) = self.attributes(
            Owner::Resource,
            from.attributes(),
            from.row().dropped_attributes,
        );
        let schema_url = self.builder.intern(from.schema_url().as_bytes());
        let entity_refs = match from.entity_refs() {
            [] => 0,
            fields => self.builder.add_blob(fields),
        };
        let row = self.builder.add_resource(ResourceRow {
            // Attributes that were put in need a message to stand in.
            is_present: from.row().is_present || !self.fields.pairs.is_empty(),
            attributes,
            dropped_attributes,
            schema_url,
            entity_refs,
            ..ResourceRow::default()
        });
        if let Some(slot) = self.resources.get_mut(index) {
            *slot = Some(row);
        }
        row
    }

    fn scope(&mut self, span: SpanRef<'a>) -> u32 {
        let index = span.scope_row() as usize;
        if let Some(Some(known)) = self.scopes.get(index) {
            return *known;
        }
        let from = span.scope();
        let (attributes, dropped_attributes) = self.attributes(
            Owner::Scope,
            from.attributes(),
            from.row().dropped_attributes,
        );
        let row = ScopeRow {
            is_present: from.row().is_present || !self.fields.pairs.is_empty(),
            name: self.builder.intern(from.name().as_bytes()),
            version: self.builder.intern(from.version().as_bytes()),
            attributes,
            dropped_attributes,
            schema_url: self.builder.intern(from.schema_url().as_bytes()),
        };
        let row = self.builder.add_scope(row);
        if let Some(slot) = self.scopes.get_mut(index) {
            *slot = Some(row);
        }
        row
    }
}

/// A value as the builder takes it; lists that are new are written into `bytes`.
fn packed<'v>(value: &'v Cell<'v>, bytes: &'v mut Vec<u8>) -> PackedValue<'v> {
    match value {
        Cell::Old(AttrValue::Empty) | Cell::New(Value::Empty) => PackedValue::Empty,
        Cell::Old(AttrValue::String(text)) => PackedValue::String(text.as_bytes()),
        Cell::New(Value::String(text)) => PackedValue::String(text.as_bytes()),
        Cell::Old(AttrValue::Bool(is)) | Cell::New(Value::Bool(is)) => PackedValue::Bool(*is),
        Cell::Old(AttrValue::Int(int)) | Cell::New(Value::Int(int)) => PackedValue::Int(*int),
        Cell::Old(AttrValue::Double(number)) | Cell::New(Value::Double(number)) => {
            PackedValue::Double(*number)
        }
        Cell::Old(AttrValue::Array(list)) => PackedValue::Array(list),
        Cell::Old(AttrValue::Map(list)) => PackedValue::Map(list),
        Cell::Old(AttrValue::Bytes(raw)) => PackedValue::Bytes(raw),
        Cell::New(Value::Bytes(raw)) => PackedValue::Bytes(raw),
        Cell::New(Value::Array(values)) => {
            array_to_bytes(values, bytes);
            PackedValue::Array(bytes)
        }
        Cell::New(Value::Map(pairs)) => {
            map_to_bytes(pairs, bytes);
            PackedValue::Map(bytes)
        }
    }
}
