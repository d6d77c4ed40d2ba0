//! A batch laid out as one row group: everything that the files and the sidecar are written from.
//!
//! Three ways lead here: a head that is frozen, traces that are put together from several segments, and a segment that
//! is read back to rebuild its sidecar. So a sidecar that is rebuilt has the same bytes as the one that was lost.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are far below 2^32"
)]

use model::batch::{Attributes, BatchBuilder, SpanBatch};
use model::tree::OwnTime;

use super::SegmentError;
use super::attributes::{AttributeColumns, FieldUses, FileAttributes};
use super::critical::own_times;
use super::envelope::EnvelopeCopier;
use super::meta::{FileKind, Level};
use super::open::Segment;
use super::order::{RowOrder, TraceOrder, order_rows};
use crate::index::OwnerKind;

/// What all row groups of a segment share while it is written.
#[derive(Debug)]
pub(crate) struct Shared {
    pub spans: FileAttributes,
    pub events: FileAttributes,
    pub links: FileAttributes,
    /// The resources and scopes so far; their rows are their numbers in the file.
    pub envelopes: BatchBuilder,
    /// Whether it holds whole traces, so that it can be told what of their time is whose.
    pub has_own_times: bool,
}

impl Shared {
    /// Columns follow from the first row group.
    pub(crate) fn new(level: Level) -> Self {
        Self {
            has_own_times: level == Level::Merged,
            spans: FileAttributes::new("a."),
            events: FileAttributes::new("e."),
            links: FileAttributes::new("l."),
            envelopes: BatchBuilder::new(),
        }
    }

    /// Columns follow from those of other segments, whose spans are moved into this one. An error says which of them
    /// can't be read.
    pub(crate) fn joining<'s>(
        level: Level,
        others: impl Iterator<Item = &'s Segment>,
    ) -> Result<Self, (usize, SegmentError)> {
        let files = [
            (FileKind::Spans, OwnerKind::Span),
            (FileKind::Events, OwnerKind::Event),
            (FileKind::Links, OwnerKind::Link),
        ];
        let mut uses: [Option<FieldUses>; 3] = [None, None, None];
        for (at, other) in others.enumerate() {
            let keys = other.keys().map_err(|error| (at, error))?;
            for ((kind, owner), uses) in files.iter().zip(&mut uses) {
                let footer = other.footer(*kind).map_err(|error| (at, error))?;
                let Some(footer) = footer else {
                    continue;
                };
                let owned = keys.keys.iter().filter(|facts| facts.owner == *owner);
                let owned = owned.map(|facts| (facts.key.as_str(), facts.value_type, facts.count));
                uses.get_or_insert_with(FieldUses::default)
                    .add(&footer, owned);
            }
        }
        let [spans, events, links] = uses.map(Option::unwrap_or_default);
        Ok(Self {
            has_own_times: level == Level::Merged,
            spans: FileAttributes::joining("a.", &spans),
            events: FileAttributes::joining("e.", &events),
            links: FileAttributes::joining("l.", &links),
            envelopes: BatchBuilder::new(),
        })
    }
}

/// Events or links in the order of the group's rows.
#[derive(Debug)]
pub(crate) struct Children {
    /// The row in the batch's columns of events or links.
    pub source: Vec<u32>,
    /// The group's row of the span.
    pub row: Vec<u32>,
    pub attributes: AttributeColumns,
}

impl Children {
    /// The group's row of a child's span.
    pub(crate) fn span_of(&self, at: u32) -> u32 {
        self.row.get(at as usize).copied().unwrap_or_default()
    }
}

/// A batch laid out.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub batch: &'a SpanBatch,
    pub order: RowOrder,
    pub spans: AttributeColumns,
    pub events: Children,
    pub links: Children,
    /// By resource of the batch: its number in the file; meaningless for those that no span has.
    pub resources: Vec<u32>,
    /// The same of scopes.
    pub scopes: Vec<u32>,
    /// By row of the group, where traces are whole.
    pub own_times: Option<Vec<OwnTime>>,
}

impl<'a> Parts<'a> {
    /// Lays out the next row group.
    pub(crate) fn new(
        batch: &'a SpanBatch,
        traces: TraceOrder,
        shared: &mut Shared,
    ) -> Result<Self, SegmentError> {
        let order = order_rows(batch, traces);
        let columns = batch.spans();
        let attributes_of = |column: &[Attributes], rows: &[u32]| -> Vec<Attributes> {
            rows.iter()
                .map(|row| column.get(*row as usize).copied().unwrap_or_default())
                .collect()
        };
        let own = attributes_of(&columns.attributes, &order.source);
        let spans = shared.spans.gather(batch, &own)?;
        let children = |first: &[u32], attributes: &[Attributes], file: &mut FileAttributes| {
            let (source, row) = children_of(&order.source, first, attributes.len());
            let attributes = file.gather(batch, &attributes_of(attributes, &source))?;
            Ok::<_, SegmentError>(Children {
                source,
                row,
                attributes,
            })
        };
        let events = children(
            &columns.first_event,
            &batch.events().attributes,
            &mut shared.events,
        )?;
        let links = children(
            &columns.first_link,
            &batch.links().attributes,
            &mut shared.links,
        )?;
        let mut copier = EnvelopeCopier::new(batch);
        let mut number = |row: usize| {
            copier
                .resource(row, &mut shared.envelopes)
                .unwrap_or_default()
        };
        let resources = numbers(batch.resources().len(), &columns.resource, &mut number);
        let mut number = |row: usize| copier.scope(row, &mut shared.envelopes).unwrap_or_default();
        let scopes = numbers(batch.scopes().len(), &columns.scope, &mut number);
        let own_times = shared.has_own_times.then(|| own_times(batch, &order));
        Ok(Self {
            own_times,
            batch,
            order,
            spans,
            events,
            links,
            resources,
            scopes,
        })
    }

    /// The row in the batch of a row of the group.
    pub(crate) fn source(&self, row: usize) -> usize {
        self.order
            .source
            .get(row)
            .map_or(usize::MAX, |row| *row as usize)
    }

    /// A value of a column of the batch, by row of the group.
    pub(crate) fn pick<T: Copy + Default>(&self, column: &[T], row: usize) -> T {
        column.get(self.source(row)).copied().unwrap_or_default()
    }

    /// The number in the file of a span's resource, by row of the group.
    pub(crate) fn resource(&self, row: usize) -> u32 {
        let resource = self.pick(&self.batch.spans().resource, row);
        let number = self.resources.get(resource as usize);
        number.copied().unwrap_or_default()
    }

    /// The number in the file of a span's scope, by row of the group.
    pub(crate) fn scope(&self, row: usize) -> u32 {
        let scope = self.pick(&self.batch.spans().scope, row);
        self.scopes.get(scope as usize).copied().unwrap_or_default()
    }

    /// The rows of the group.
    pub(crate) fn rows(&self) -> usize {
        self.order.source.len()
    }
}

/// The resources and scopes of a segment, laid out: resources first, each in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Envelopes {
    pub batch: SpanBatch,
    pub attributes: AttributeColumns,
    pub file: FileAttributes,
}

impl Envelopes {
    /// Takes the resources and scopes that were numbered.
    pub(crate) fn new(numbered: BatchBuilder) -> Result<Self, SegmentError> {
        let batch = numbered.finish();
        let of_resources = batch.resources().iter().map(|row| row.attributes);
        let of_scopes = batch.scopes().iter().map(|row| row.attributes);
        let owners: Vec<Attributes> = of_resources.chain(of_scopes).collect();
        let mut file = FileAttributes::new("r.");
        let attributes = file.gather(&batch, &owners)?;
        Ok(Self {
            batch,
            attributes,
            file,
        })
    }
}

/// Numbers the rows that are used, in their order.
fn numbers(rows: usize, used: &[u32], number: &mut dyn FnMut(usize) -> u32) -> Vec<u32> {
    let mut is_used = vec![false; rows];
    for row in used {
        if let Some(is_used) = is_used.get_mut(*row as usize) {
            *is_used = true;
        }
    }
    let numbered = is_used.into_iter().enumerate();
    numbered
        .map(|(row, is_used)| if is_used { number(row) } else { 0 })
        .collect()
}

/// The child rows of spans in the order of the group, each with the group's row of its span.
fn children_of(order: &[u32], first: &[u32], all: usize) -> (Vec<u32>, Vec<u32>) {
    let (mut source, mut rows) = (Vec::with_capacity(all), Vec::with_capacity(all));
    if all == 0 {
        return (source, rows);
    }
    for (row, from) in order.iter().enumerate() {
        let begin = first.get(*from as usize).copied().unwrap_or_default();
        let end = first.get(*from as usize + 1).copied().unwrap_or(all as u32);
        source.extend(begin..end);
        rows.extend((begin..end).map(|_| row as u32));
    }
    (source, rows)
}
