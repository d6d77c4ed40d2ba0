//! A batch laid out for a segment: everything that the files and the sidecar are written from.
//!
//! Both ways in lead here: a head that is frozen, and a segment that was read back to rebuild its sidecar. So a
//! sidecar that is rebuilt has the same bytes as the one that was lost.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are far below 2^32"
)]

use model::batch::{Attributes, SpanBatch};

use super::attributes::{AttributeColumns, gather};
use super::order::{RowOrder, order_rows};

/// Resources of a batch that spans use, or its scopes; numbered in the order of the batch.
#[derive(Debug, Default)]
pub(crate) struct Renumbered {
    /// By number in the file: the row in the batch.
    pub source: Vec<u32>,
    /// By row in the batch: the number in the file; meaningless for those that are not used.
    number: Vec<u32>,
}

impl Renumbered {
    fn new(rows: usize, used: &[u32]) -> Self {
        let mut is_used = vec![false; rows];
        for row in used {
            if let Some(is_used) = is_used.get_mut(*row as usize) {
                *is_used = true;
            }
        }
        let mut numbers = Self {
            source: Vec::new(),
            number: Vec::with_capacity(rows),
        };
        for (row, is_used) in is_used.into_iter().enumerate() {
            numbers.number.push(numbers.source.len() as u32);
            if is_used {
                numbers.source.push(row as u32);
            }
        }
        numbers
    }

    /// The row in the batch of a number in the file.
    pub(crate) fn row(&self, number: u32) -> u32 {
        self.source
            .get(number as usize)
            .copied()
            .unwrap_or_default()
    }

    /// The number in the file.
    pub(crate) fn number(&self, row: u32) -> u32 {
        self.number.get(row as usize).copied().unwrap_or_default()
    }
}

/// Events or links in the order of the segment's rows.
#[derive(Debug)]
pub(crate) struct Children {
    /// The row in the batch's columns of events or links.
    pub source: Vec<u32>,
    /// The segment's row of the span.
    pub row: Vec<u32>,
    pub attributes: AttributeColumns,
}

impl Children {
    /// The segment's row of a child's span.
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
    pub resources: Renumbered,
    pub scopes: Renumbered,
    /// Of resources, then scopes, by number.
    pub envelopes: AttributeColumns,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(batch: &'a SpanBatch) -> Self {
        let order = order_rows(batch);
        let columns = batch.spans();
        let attributes_of = |column: &[Attributes], rows: &[u32]| -> Vec<Attributes> {
            rows.iter()
                .map(|row| column.get(*row as usize).copied().unwrap_or_default())
                .collect()
        };
        let spans = gather(
            batch,
            &attributes_of(&columns.attributes, &order.source),
            "a.",
        );
        let children = |first: &[u32], attributes: &[Attributes], prefix: &str| {
            let (source, row) = children_of(&order.source, first, attributes.len());
            let attributes = gather(batch, &attributes_of(attributes, &source), prefix);
            Children {
                source,
                row,
                attributes,
            }
        };
        let events = children(&columns.first_event, &batch.events().attributes, "e.");
        let links = children(&columns.first_link, &batch.links().attributes, "l.");
        let resources = Renumbered::new(batch.resources().len(), &columns.resource);
        let scopes = Renumbered::new(batch.scopes().len(), &columns.scope);
        let of_resources = resources
            .source
            .iter()
            .map(|row| batch.resource(*row).row().attributes);
        let of_scopes = scopes
            .source
            .iter()
            .map(|row| batch.scope(*row).row().attributes);
        let owners: Vec<Attributes> = of_resources.chain(of_scopes).collect();
        let envelopes = gather(batch, &owners, "r.");
        Self {
            batch,
            order,
            spans,
            events,
            links,
            resources,
            scopes,
            envelopes,
        }
    }

    /// The row in the batch of a row of the segment.
    pub(crate) fn source(&self, row: usize) -> usize {
        self.order
            .source
            .get(row)
            .map_or(usize::MAX, |row| *row as usize)
    }

    /// A value of a column of the batch, by row of the segment.
    pub(crate) fn pick<T: Copy + Default>(&self, column: &[T], row: usize) -> T {
        column.get(self.source(row)).copied().unwrap_or_default()
    }

    /// The rows of the segment.
    pub(crate) fn rows(&self) -> usize {
        self.order.source.len()
    }
}

/// The child rows of spans in the order of the segment, each with the segment's row of its span.
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
