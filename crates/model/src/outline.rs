//! A trace from near, without its attributes: what draws all of its spans, however many they are.
//!
//! A row takes 60 bytes; texts and resources are there once. What else a span has is asked for by its id.

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use crate::batch::{AttrValue, ResourceRef, SpanBatch};
use crate::contract::Skipped;
use crate::{BatchBuilder, SpanId, Value};

/// The outline of a trace, and what could not be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutlineAnswer {
    /// All known spans of the trace; none: there is no such trace.
    pub outline: TraceOutline,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// The spans of a trace as columns, each span once, in the order of their arrival.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceOutline {
    /// The spans; an id may come more than once.
    pub span_ids: Vec<SpanId>,
    /// The parents; zero for a root.
    pub parents: Vec<SpanId>,
    /// Nanoseconds since the epoch, as sent.
    pub starts: Vec<u64>,
    /// Nanoseconds since the epoch, as sent; may be before the start.
    pub ends: Vec<u64>,
    /// The distinct names, in the order in which spans have them first.
    pub names: Vec<String>,
    /// By span: its place in `names`.
    pub name: Vec<u32>,
    /// The distinct resources, in the order in which spans have them first.
    pub resources: Vec<OutlineResource>,
    /// By span: its place in `resources`.
    pub resource: Vec<u32>,
    /// OTLP's numbers of the kinds.
    pub kinds: Vec<i32>,
    /// OTLP's numbers of the statuses.
    pub statuses: Vec<i32>,
    /// How many events each span has.
    pub events: Vec<u32>,
    /// How many links each span has.
    pub links: Vec<u32>,
}

/// A resource: what is shown of it, and by which hosts are told apart.
#[derive(Debug, Clone, PartialEq)]
pub struct OutlineResource {
    /// The name of the service, as it is shown.
    pub service: String,
    /// The attributes in order.
    pub attributes: Vec<(String, Value)>,
}

/// One row of an outline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutlineRow {
    /// The span.
    pub span_id: SpanId,
    /// Its parent; zero for a root.
    pub parent: SpanId,
    /// Nanoseconds since the epoch.
    pub start: u64,
    /// Nanoseconds since the epoch.
    pub end: u64,
    /// As [`OutlineBuilder::name`] gave it.
    pub name: u32,
    /// As [`OutlineBuilder::resource`] gave it.
    pub resource: u32,
    /// OTLP's number of the kind.
    pub kind: i32,
    /// OTLP's number of the status.
    pub status: i32,
    /// Its events.
    pub events: u32,
    /// Its links.
    pub links: u32,
}

impl TraceOutline {
    /// The outline of all spans of a batch, which are those of one trace.
    #[must_use]
    pub fn of(batch: &SpanBatch) -> Self {
        let mut builder = OutlineBuilder::default();
        builder.append_rows(batch, 0..batch.len());
        builder.finish()
    }

    /// The number of spans.
    #[must_use]
    pub fn len(&self) -> usize {
        self.span_ids.len()
    }

    /// Tells whether there is no span.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.span_ids.is_empty()
    }

    /// One span; `None` beyond the last.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<OutlineRow> {
        Some(OutlineRow {
            span_id: *self.span_ids.get(at)?,
            parent: *self.parents.get(at)?,
            start: *self.starts.get(at)?,
            end: *self.ends.get(at)?,
            name: *self.name.get(at)?,
            resource: *self.resource.get(at)?,
            kind: *self.kinds.get(at)?,
            status: *self.statuses.get(at)?,
            events: *self.events.get(at)?,
            links: *self.links.get(at)?,
        })
    }

    fn reserve(&mut self, rows: usize) {
        self.span_ids.reserve(rows);
        self.parents.reserve(rows);
        self.starts.reserve(rows);
        self.ends.reserve(rows);
        self.name.reserve(rows);
        self.resource.reserve(rows);
        self.kinds.reserve(rows);
        self.statuses.reserve(rows);
        self.events.reserve(rows);
        self.links.reserve(rows);
    }

    /// Adds a span.
    pub fn push(&mut self, row: &OutlineRow) {
        self.span_ids.push(row.span_id);
        self.parents.push(row.parent);
        self.starts.push(row.start);
        self.ends.push(row.end);
        self.name.push(row.name);
        self.resource.push(row.resource);
        self.kinds.push(row.kind);
        self.statuses.push(row.status);
        self.events.push(row.events);
        self.links.push(row.links);
    }
}

/// The spans of a batch that have one of some ids, in their order.
#[must_use]
pub fn spans_with_ids(batch: &SpanBatch, ids: &[SpanId]) -> SpanBatch {
    let wanted: HashSet<SpanId, RandomState> = ids.iter().copied().collect();
    let all = batch.spans().span_id.iter().enumerate();
    let rows = all.filter(|(_, id)| wanted.contains(*id));
    let mut builder = BatchBuilder::new();
    builder.append_rows(batch, rows.map(|(row, _)| row));
    builder.finish()
}

/// Builds an outline from several places.
#[derive(Debug, Default)]
pub struct OutlineBuilder {
    outline: TraceOutline,
    names: HashMap<String, u32, RandomState>,
    /// By all that tells a resource from others.
    resources: HashMap<Vec<u8>, u32, RandomState>,
    text_bytes: usize,
}

impl OutlineBuilder {
    /// Makes room for so many more rows.
    pub fn reserve(&mut self, rows: usize) {
        self.outline.reserve(rows);
    }

    /// The rows so far.
    #[must_use]
    pub fn outline(&self) -> &TraceOutline {
        &self.outline
    }

    /// Bytes of names and resources so far.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// The place of a name.
    pub fn name(&mut self, name: &str) -> u32 {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let place = place_of(self.outline.names.len());
        self.text_bytes += 2 * (name.len() + size_of::<String>());
        self.outline.names.push(name.to_owned());
        self.names.insert(name.to_owned(), place);
        place
    }

    /// The place of a resource: one for all that are equal in service and attributes.
    pub fn resource(&mut self, resource: ResourceRef<'_>) -> u32 {
        let content = content_of(resource);
        if let Some(known) = self.resources.get(&content) {
            return *known;
        }
        let place = place_of(self.outline.resources.len());
        self.text_bytes += 2 * content.len() + size_of::<OutlineResource>();
        let attributes = resource.attributes();
        self.outline.resources.push(OutlineResource {
            service: resource.service().to_owned(),
            attributes: attributes
                .map(|attribute| (attribute.key.to_owned(), attribute.value.to_value()))
                .collect(),
        });
        self.resources.insert(content, place);
        place
    }

    /// Adds a span.
    pub fn push(&mut self, row: &OutlineRow) {
        self.outline.push(row);
    }

    /// Adds spans of a batch, in the order given. Rows that it doesn't have are passed over.
    pub fn append_rows(&mut self, batch: &SpanBatch, rows: impl IntoIterator<Item = usize>) {
        let mut names: Vec<Option<u32>> = vec![None; batch.strings().len()];
        let mut resources: Vec<Option<u32>> = vec![None; batch.resources().len()];
        for span in rows.into_iter().filter_map(|row| batch.span(row)) {
            let symbol = batch.spans().name.get(span.row()).copied();
            let symbol = symbol.unwrap_or_default().0 as usize;
            let name = match names.get_mut(symbol) {
                Some(known) => *known.get_or_insert_with(|| self.name(span.name())),
                None => self.name(span.name()),
            };
            let resource = match resources.get_mut(span.resource_row() as usize) {
                Some(known) => *known.get_or_insert_with(|| self.resource(span.resource())),
                None => self.resource(span.resource()),
            };
            self.outline.push(&OutlineRow {
                span_id: span.span_id(),
                parent: span.parent_span_id(),
                start: span.start(),
                end: span.end(),
                name,
                resource,
                kind: span.kind(),
                status: span.status(),
                events: place_of(span.events().len()),
                links: place_of(span.links().len()),
            });
        }
    }

    /// The outline.
    #[must_use]
    pub fn finish(self) -> TraceOutline {
        self.outline
    }

    /// The outline of those rows for which `is_kept` says so; names and resources stay as they are.
    #[must_use]
    pub fn finish_with(self, is_kept: impl Fn(usize) -> bool) -> TraceOutline {
        let mut outline = self.outline;
        retain(&mut outline.span_ids, &is_kept);
        retain(&mut outline.parents, &is_kept);
        retain(&mut outline.starts, &is_kept);
        retain(&mut outline.ends, &is_kept);
        retain(&mut outline.name, &is_kept);
        retain(&mut outline.resource, &is_kept);
        retain(&mut outline.kinds, &is_kept);
        retain(&mut outline.statuses, &is_kept);
        retain(&mut outline.events, &is_kept);
        retain(&mut outline.links, &is_kept);
        outline
    }
}

fn retain<T>(column: &mut Vec<T>, is_kept: &impl Fn(usize) -> bool) {
    let mut at = 0;
    column.retain(|_| {
        at += 1;
        is_kept(at - 1)
    });
}

/// Everything that tells a resource from others, as bytes.
fn content_of(resource: ResourceRef<'_>) -> Vec<u8> {
    let mut content = Vec::with_capacity(256);
    let mut put = |bytes: &[u8]| {
        content.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        content.extend_from_slice(bytes);
    };
    put(resource.service().as_bytes());
    for attribute in resource.attributes() {
        put(attribute.key.as_bytes());
        put(&[attribute.value.value_type() as u8]);
        match attribute.value {
            AttrValue::Empty => put(&[]),
            AttrValue::String(text) => put(text.as_bytes()),
            AttrValue::Bool(is) => put(&[u8::from(is)]),
            AttrValue::Int(int) => put(&int.to_le_bytes()),
            AttrValue::Double(double) => put(&double.to_bits().to_le_bytes()),
            AttrValue::Array(bytes) | AttrValue::Map(bytes) | AttrValue::Bytes(bytes) => put(bytes),
        }
    }
    content
}

fn place_of(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TraceId;
    use crate::batch::{EventRow, PackedValue, ResourceRow, SpanRow};

    fn batch(spans: &[(u64, &str, &str)]) -> SpanBatch {
        let mut builder = BatchBuilder::new();
        for (id, name, service) in spans {
            let mut cursor = builder.begin_attributes();
            let service = PackedValue::String(service.as_bytes());
            builder.push_attribute(&mut cursor, b"service.name", service);
            let attributes = builder.finish_attributes(cursor);
            let resource = builder.add_resource(ResourceRow {
                is_present: true,
                attributes,
                // What is not shown makes no other resource of it.
                dropped_attributes: u32::try_from(*id).unwrap(),
                ..Default::default()
            });
            let name = builder.intern(name.as_bytes());
            for _ in 0..id % 3 {
                builder.push_event(EventRow::default());
            }
            builder.push_span(SpanRow {
                trace_id: TraceId([1; 16]),
                span_id: SpanId::from_number(*id),
                parent_span_id: SpanId::from_number(id / 2),
                start: *id,
                end: id + 5,
                name,
                resource,
                ..Default::default()
            });
        }
        builder.finish()
    }

    #[test]
    fn names_and_resources_are_there_once_in_the_order_of_the_spans() {
        let batch = batch(&[(4, "b", "y"), (2, "a", "x"), (5, "b", "x"), (4, "b", "y")]);
        let outline = TraceOutline::of(&batch);
        assert_eq!(outline.names, ["b", "a"]);
        assert_eq!(outline.name, [0, 1, 0, 0]);
        let services = outline.resources.iter().map(|of| of.service.as_str());
        assert_eq!(services.collect::<Vec<_>>(), ["y", "x"]);
        assert_eq!(outline.resource, [0, 1, 1, 0]);
        assert_eq!(outline.events, [1, 2, 2, 1]);
        assert_eq!((outline.len(), outline.ends[2]), (4, 10));
        let mut builder = OutlineBuilder::default();
        builder.append_rows(&batch, [0, 1, 9]);
        builder.append_rows(&batch, [2, 3]);
        let kept = builder.finish_with(|at| at != 3);
        assert_eq!(kept.span_ids, outline.span_ids[..3]);
        assert_eq!(kept.names, outline.names);
        assert_eq!(kept.row(2), outline.row(2));
    }

    #[test]
    fn spans_that_share_an_id_are_all_given() {
        let batch = batch(&[(4, "b", "y"), (2, "a", "x"), (5, "b", "x"), (4, "c", "y")]);
        let ids = [5, 4, 9].map(SpanId::from_number);
        let found = spans_with_ids(&batch, &ids);
        assert_eq!(found.spans().start, [4, 5, 4]);
        assert!(spans_with_ids(&batch, &[]).is_empty());
    }
}
