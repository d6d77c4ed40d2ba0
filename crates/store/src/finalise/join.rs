//! Reads the traces of a slice: their parts from all inputs, in order of arrival, each span once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{BatchBuilder, SpanBatch, TraceId};

use super::Failure;
use super::traces::Group;
use crate::engine::Placed;
use crate::head::Seen;
use crate::index::TraceTable;
use crate::segment::SegmentError;
use crate::segment::page::PageOpener;

/// Rows that are read at once; a longer trace is read whole.
const READ_ROWS: usize = 16_384;

/// The traces of an input.
#[derive(Debug)]
pub(super) struct InputTraces {
    pub table: Arc<TraceTable>,
    /// By ordinal.
    pub ids: Vec<TraceId>,
}

impl InputTraces {
    fn without_ids(input: &Placed) -> Result<Self, SegmentError> {
        let (table, ids) = (input.segment.traces()?, Vec::new());
        Ok(Self { table, ids })
    }

    fn of(input: &Placed) -> Result<Self, SegmentError> {
        let table = input.segment.traces()?;
        let ids = input.segment.trace_ids(&table)?;
        Ok(Self { table, ids })
    }
}

/// Reads traces from the inputs of a slice.
pub(super) struct Joiner<'a> {
    inputs: &'a [Arc<Placed>],
    tables: Vec<InputTraces>,
    /// By input: what was opened of it for the row group before, since the next one goes on there.
    openers: BTreeMap<usize, PageOpener>,
}

impl<'a> Joiner<'a> {
    /// For all traces of the inputs.
    pub(super) fn new(inputs: &'a [Arc<Placed>]) -> Result<Self, Failure> {
        Self::with(inputs, InputTraces::of)
    }

    /// For a few traces that were looked up: the ids of all others are not read.
    pub(super) fn for_few(inputs: &'a [Arc<Placed>]) -> Result<Self, Failure> {
        Self::with(inputs, InputTraces::without_ids)
    }

    fn with(
        inputs: &'a [Arc<Placed>],
        of: impl Fn(&Placed) -> Result<InputTraces, SegmentError>,
    ) -> Result<Self, Failure> {
        let mut tables = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let table = of(input);
            tables.push(table.map_err(|error| Failure::Input(at, error))?);
        }
        Ok(Self {
            inputs,
            tables,
            openers: BTreeMap::new(),
        })
    }

    pub(super) fn tables(&self) -> &[InputTraces] {
        &self.tables
    }

    /// The spans of a row group, traces in the order of the inputs.
    pub(super) fn batch(&mut self, group: &Group) -> Result<SpanBatch, Failure> {
        let mut rows_of: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for fragment in &group.fragments {
            let rows = rows_of.entry(fragment.input).or_default();
            rows.push(fragment.entry.range());
        }
        self.openers.retain(|input, _| rows_of.contains_key(input));
        let mut builder = BatchBuilder::new();
        for (at, rows) in rows_of {
            let (Some(input), Some(table)) = (self.inputs.get(at), self.tables.get(at)) else {
                continue;
            };
            let opener = self.openers.entry(at).or_insert_with(PageOpener::new);
            let read = input.segment.read_into(
                &table.table,
                &together(rows),
                true,
                (&mut builder, opener),
            );
            read.map_err(|error| Failure::Input(at, error))?;
        }
        let batch = builder.finish();
        Ok(if group.has_split {
            without_repeats(batch, group)
        } else {
            batch
        })
    }
}

/// Puts ranges together that follow each other, up to as many rows as are read at once.
fn together(mut rows: Vec<Range<usize>>) -> Vec<Range<usize>> {
    rows.sort_unstable_by_key(|rows| rows.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for rows in rows {
        match joined.last_mut() {
            Some(last) if last.end == rows.start && last.len() + rows.len() <= READ_ROWS => {
                last.end = rows.end;
            }
            _ => joined.push(rows),
        }
    }
    joined
}

/// Drops every span that is there already with the same content. An input has a span once, so only traces with several
/// parts are looked at.
fn without_repeats(batch: SpanBatch, group: &Group) -> SpanBatch {
    let mut parts: HashMap<TraceId, u32, RandomState> = HashMap::default();
    for fragment in &group.fragments {
        *parts.entry(fragment.trace_id).or_default() += 1;
    }
    let mut seen = Seen::default();
    let trace_ids = batch.spans().trace_id.iter().enumerate();
    let repeats: Vec<usize> = trace_ids
        .filter(|(_, id)| parts.get(*id).is_some_and(|parts| *parts > 1))
        .map(|(row, _)| row)
        .filter(|row| seen.is_repeat(&batch, *row))
        .collect();
    if repeats.is_empty() || plumbing::planted("store-merge-keeps-duplicates") {
        return batch;
    }
    let mut builder = BatchBuilder::new();
    let is_kept = |row: &usize| repeats.binary_search(row).is_err();
    builder.append_rows(&batch, (0..batch.len()).filter(is_kept));
    builder.finish()
}
