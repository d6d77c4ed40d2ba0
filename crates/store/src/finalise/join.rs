//! Reads the traces of a slice: their parts from all inputs, in order of arrival, each span once, and without those
//! that another segment of the store has already.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use model::{BatchBuilder, SpanBatch, SpanId, TraceId};

use super::Failure;
use super::traces::Group;
use crate::engine::Placed;
use crate::head::Seen;
use crate::index::{TraceEntry, TraceTable};
use crate::segment::page::PageOpener;
use crate::segment::{Segment, SegmentError, SegmentErrorKind};

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
    fn iter(&self) -> impl Iterator<Item = (TraceEntry, TraceId)> + '_ {
        self.table.iter().zip(self.ids.iter().copied())
    }

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
    /// What other segments have of the slice's traces: a span that was sent again long after is known from there.
    elsewhere: Parts,
    /// Whether a disk that refuses to read other segments is a reason to try again later.
    is_patient: bool,
}

type Parts = HashMap<TraceId, Vec<Elsewhere>, RandomState>;

/// A part of a trace in a segment that is not merged here.
#[derive(Debug)]
struct Elsewhere {
    placed: Arc<Placed>,
    entry: TraceEntry,
}

impl<'a> Joiner<'a> {
    /// For all traces of the inputs. `others` are the segments of the tenant that are not merged here and came before.
    pub(super) fn new(
        inputs: &'a [Arc<Placed>],
        others: &[Arc<Placed>],
        is_patient: bool,
    ) -> Result<Self, Failure> {
        let mut joiner = Self::with(inputs, InputTraces::of)?;
        joiner.elsewhere = find_elsewhere(&joiner.tables, others, is_patient)?;
        joiner.is_patient = is_patient;
        Ok(joiner)
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
            elsewhere: Parts::default(),
            is_patient: false,
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
        let known = self.known(group, &batch)?;
        Ok(if group.has_split || !known.is_empty() {
            without_repeats(batch, group, &known)
        } else {
            batch
        })
    }

    /// Spans that lie elsewhere with the ids of some of a row group. Where that can't be read for good, a span stays in
    /// the store twice; those who look at whole traces see that it is the same.
    fn known(&self, group: &Group, batch: &SpanBatch) -> Result<Vec<SpanBatch>, Failure> {
        if plumbing::planted("store-merge-forgets-the-past") {
            return Ok(Vec::new());
        }
        let mut parts: Vec<(&Segment, TraceId, Range<usize>)> = Vec::new();
        if !self.elsewhere.is_empty() {
            let mut ids: Vec<TraceId> = group.fragments.iter().map(|part| part.trace_id).collect();
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                let of_trace = self.elsewhere.get(&id).into_iter().flatten();
                parts.extend(of_trace.map(|part| (&part.placed.segment, id, part.entry.range())));
            }
        }
        for part in &group.before {
            let input = self.inputs.get(part.input);
            parts.extend(input.map(|input| (&input.segment, part.trace_id, part.entry.range())));
        }
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let spans = batch.spans();
        let ids: HashSet<(TraceId, SpanId), RandomState> = spans
            .trace_id
            .iter()
            .copied()
            .zip(spans.span_id.iter().copied())
            .collect();
        let mut known = Vec::new();
        for (segment, trace_id, rows) in parts {
            let (mut row, mut found) = (rows.start, Vec::new());
            let read = segment.each_kin(&[rows], |_, kin| {
                if ids.contains(&(trace_id, kin.span_id)) {
                    found.push(row..row + 1);
                }
                row += 1;
            });
            let read = read.and_then(|()| segment.read_rows(&found));
            known.extend(if_readable(read, self.is_patient)?);
        }
        known.retain(|known| !known.is_empty());
        Ok(known)
    }
}

/// What was read, or nothing where it can't be; an error when that may be over later.
pub(super) fn if_readable<T>(
    read: Result<T, SegmentError>,
    is_patient: bool,
) -> Result<Option<T>, Failure> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_patient && error.kind() == SegmentErrorKind::Io => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// What other segments have of the traces of some inputs. A span that is sent again has the same times, so only
/// segments and traces of that time are looked at.
fn find_elsewhere(
    tables: &[InputTraces],
    others: &[Arc<Placed>],
    is_patient: bool,
) -> Result<Parts, Failure> {
    let mut found = Parts::default();
    for placed in others {
        let meta = &placed.listed.meta;
        let mut looked: HashSet<TraceId, RandomState> = HashSet::default();
        for (entry, trace_id) in tables.iter().flat_map(InputTraces::iter) {
            let is_of_time = entry.start <= meta.max_end && meta.min_start <= entry.end;
            if !is_of_time {
                continue;
            }
            let read = if_readable(placed.segment.find_trace(trace_id), is_patient)?;
            if let Some(entry) = read.flatten().filter(|_| looked.insert(trace_id)) {
                let placed = Arc::clone(placed);
                let of_trace = found.entry(trace_id).or_default();
                of_trace.push(Elsewhere { placed, entry });
            }
        }
    }
    Ok(found)
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
/// parts are looked at, and those of which something is known from elsewhere.
fn without_repeats(batch: SpanBatch, group: &Group, known: &[SpanBatch]) -> SpanBatch {
    let mut parts: HashMap<TraceId, u32, RandomState> = HashMap::default();
    for fragment in &group.fragments {
        *parts.entry(fragment.trace_id).or_default() += 1;
    }
    let mut seen = Seen::default();
    for known in known {
        for (row, trace_id) in known.spans().trace_id.iter().enumerate() {
            seen.is_repeat(known, row);
            parts.insert(*trace_id, u32::MAX);
        }
    }
    let trace_ids = batch.spans().trace_id.iter().enumerate();
    let repeats: Vec<usize> = trace_ids
        .filter(|(_, id)| parts.get(*id).is_some_and(|parts| *parts > 1))
        .map(|(row, _)| row)
        .filter(|row| {
            seen.is_repeat(&batch, *row)
                || !known.is_empty() && plumbing::planted("store-late-spans-dropped")
        })
        .collect();
    if repeats.is_empty() || plumbing::planted("store-merge-keeps-duplicates") {
        return batch;
    }
    let mut builder = BatchBuilder::new();
    let is_kept = |row: &usize| repeats.binary_search(row).is_err();
    builder.append_rows(&batch, (0..batch.len()).filter(is_kept));
    builder.finish()
}
