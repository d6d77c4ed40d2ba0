//! All that matches from afar: points by time and duration, and values of fields.
//!
//! Row groups are looked at on few threads, the newest first, each on the columns that are needed. What they give is
//! added up by segment, and a segment counts when all of its groups could be read. Points to look at are places until
//! the end; only then ids are read, for one or two of each cell.

#![allow(
    clippy::cast_possible_truncation,
    reason = "segments, chunks and rows are below 2^32"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use model::batch::{AttrValue, SpanRef};
use model::contract::{ReadError, Window};
use model::overview::{ANY_DURATION, Cell, OverviewAnswer, OverviewOf, OverviewRequest, TimeSteps};
use model::{Field, Literal, Operator, Predicate, SpanId, TraceId};

use crate::engine::{Engine, View, lock};
use crate::head::HeadTrace;
use crate::index::{STATUS_ERROR, TraceEntry, TraceTable};
use crate::meter::{IsCancelled, Meter};
use crate::segment::bits::Bits;
use crate::segment::facets::{Counted, GroupFacet, is_none_when_empty};
use crate::segment::relate::{inside, traces_of};
use crate::segment::{SearchPlan, SegmentError, is_entry};
use model::evaluate::any_value;

use super::cells::{CellSum, Cells, Point, PointRef};
use super::facet_counts::FacetCounts;
use super::groups::GroupPlace;
use super::heads::each_in_heads;
use super::repeats::Repeats;
use super::splits::Splits;
use super::{Skips, bad_question, taken_back};

/// The place of traces that lie in several places; rows are their numbers.
const SPLIT: u32 = u32::MAX;

/// A question that is being answered.
struct Asked<'a> {
    request: &'a OverviewRequest,
    plan: SearchPlan,
    /// Spans that failed.
    failed: SearchPlan,
    steps: TimeSteps,
    splits: Splits,
    repeats: Repeats,
    /// Spans that may still be looked at for facets.
    facet_rows: AtomicU64,
}

/// What was counted.
#[derive(Debug, Default)]
struct Sums {
    spans: u64,
    cells: Cells,
    looked_at: u64,
    /// In the order asked for.
    facets: Vec<FacetCounts>,
    /// Traces that lie in several places and match, by their numbers.
    splits: BTreeSet<u32>,
}

/// Sums of segments of which some row groups are still to be looked at, and of all others.
#[derive(Debug, Default)]
struct Gathered {
    /// By segment of the view: how many of its row groups are there.
    open: BTreeMap<usize, (usize, Sums)>,
    /// Segments of which a part could not be read.
    damaged: BTreeSet<usize>,
    whole: Sums,
}

impl Sums {
    fn absorb(&mut self, other: Self) {
        self.spans += other.spans;
        self.looked_at += other.looked_at;
        self.splits.extend(other.splits);
        self.cells.absorb(other.cells);
        let room = self.facets.len().max(other.facets.len());
        self.facets.resize_with(room, FacetCounts::default);
        for (facet, more) in self.facets.iter_mut().zip(other.facets) {
            facet.absorb_all(more);
        }
    }
}

impl Asked<'_> {
    /// Takes as many of the spans that match as may still be looked at.
    fn take_facet_rows(&self, wanted: u64) -> u64 {
        if self.request.facets.is_empty() {
            return 0;
        }
        let mut taken = 0;
        let take = |left: u64| {
            taken = wanted.min(left);
            Some(left - taken)
        };
        let order = Ordering::Relaxed;
        let _always_some = self.facet_rows.fetch_update(order, order, take);
        taken
    }

    /// A trace that lies in several places, over all of them.
    fn whole(&self, split: Option<u32>) -> Option<&HeadTrace> {
        let whole = split.and_then(|split| self.splits.traces.get(split as usize));
        whole.filter(|_| !plumbing::planted("store-overview-lasting-in-parts"))
    }

    fn does_last(&self, start: u64, end: u64) -> bool {
        let duration = end.saturating_sub(start);
        self.request.trace_duration.contains(&duration)
    }

    /// Whether a trace with spans in memory lasts as long as is asked for.
    fn does_head_last(&self, trace_id: TraceId, split: Option<u32>) -> bool {
        if self.request.trace_duration == ANY_DURATION {
            return true;
        }
        let whole = self.whole(split).or(self.splits.heads.get(&trace_id));
        whole.is_some_and(|trace| self.does_last(trace.start, trace.end))
    }

    /// The traces of a row group; of those that lie in several places, which.
    fn traces_of<'a>(
        &'a self,
        place: &'a GroupPlace<'_>,
        table: &'a TraceTable,
    ) -> impl Iterator<Item = (TraceEntry, Option<u32>)> + use<'a> {
        let of_splits = self.splits.in_rows(place.at, &place.rows);
        let mut of_splits = of_splits.iter().peekable();
        traces_of(table, &place.rows).map(move |entry| {
            let split = of_splits.next_if(|(rows, _)| rows.start == entry.first_row as usize);
            (entry, split.map(|(_, split)| *split))
        })
    }

    /// The rows of a row group whose traces last as long as is asked for; `None` where all do.
    fn lasting_in(&self, place: &GroupPlace<'_>) -> Result<Option<Bits>, SegmentError> {
        if self.request.trace_duration == ANY_DURATION {
            return Ok(None);
        }
        let table = place.placed.segment.traces()?;
        let mut lasting = Bits::none(place.rows.len());
        for (entry, split) in self.traces_of(place, &table) {
            let whole = self.whole(split).map(|whole| (whole.start, whole.end));
            let (start, end) = whole.unwrap_or((entry.start, entry.end));
            if self.does_last(start, end) {
                lasting.fill(&inside(&place.rows, &entry));
            }
        }
        Ok(Some(lasting))
    }
}

impl Engine {
    /// All that matches.
    pub(crate) fn overview(
        &self,
        request: &OverviewRequest,
        is_cancelled: IsCancelled<'_>,
    ) -> Result<OverviewAnswer, ReadError> {
        request.check()?;
        let status = i64::from(STATUS_ERROR);
        let failed = Predicate::Compare(Field::Status, Operator::Equal, Literal::Int(status));
        let meter = Meter::new(self.options.question_rows_max, is_cancelled);
        let view = self.view(&request.tenant);
        let mut skips = Skips::new();
        let splits = self.splits(&view, &mut skips)?;
        let asked = Asked {
            request,
            plan: SearchPlan::new(&request.predicate).map_err(bad_question)?,
            failed: SearchPlan::new(&failed).map_err(bad_question)?,
            steps: request.steps(),
            repeats: self.repeated_rows(&view, (&splits, request.window), (&meter, &mut skips))?,
            splits,
            facet_rows: AtomicU64::new(request.rows_max),
        };
        let mut sums = look_at_heads(&view, &asked, &meter)?;
        let gathered = Mutex::new(Gathered::default());
        let groups: Vec<usize> = view
            .segments
            .iter()
            .map(|placed| placed.segment.spans_footer().map_or(0, |f| f.groups.len()))
            .collect();
        self.each_group(&view, &asked.splits, (&meter, &mut skips), |place| {
            let looked = look_at_group(place, &asked, &meter);
            let all = groups.get(place.at).copied().unwrap_or_default();
            lock(&gathered).put(place.at, all, looked)
        })?;
        let gathered = gathered.into_inner();
        sums.absorb(
            gathered
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .finish(),
        );
        if request.of == OverviewOf::Traces {
            add_split_traces(&view, &asked, &mut sums);
        }
        let mut answer = OverviewAnswer {
            spans: sums.spans,
            ..OverviewAnswer::default()
        };
        let cells = sums.cells.into_sorted();
        for cell in &cells {
            answer.points += cell.count;
            answer.errors += cell.errors;
        }
        answer.cells = self.with_ids(&view, &asked, cells, (&meter, &mut skips))?;
        if !request.facets.is_empty() {
            answer.facets_matching = answer.spans;
            answer.facets_looked_at = sums.looked_at;
            sums.facets
                .resize_with(request.facets.len(), FacetCounts::default);
            let facets = sums.facets.into_iter().zip(request.facets.iter().cloned());
            answer.facets = facets
                .map(|(facet, field)| facet.finish(field, request.facet_values_max))
                .collect();
        }
        answer.skipped.extend(skips.into_values());
        answer.skipped.extend(meter.skipped());
        Ok(answer)
    }

    /// Reads the ids of the points that cells show.
    fn with_ids(
        &self,
        view: &View,
        asked: &Asked<'_>,
        cells: Vec<CellSum>,
        (meter, skips): (&Meter<'_>, &mut Skips),
    ) -> Result<Vec<Cell>, ReadError> {
        let shown = cells
            .iter()
            .flat_map(|cell| [Some(cell.slowest.1), cell.failed.map(|(_, at)| at)]);
        let mut shown: Vec<PointRef> = shown.flatten().collect();
        shown.sort_unstable();
        shown.dedup();
        let mut ids: HashMap<PointRef, (TraceId, SpanId), RandomState> = HashMap::default();
        let is_of_traces = asked.request.of == OverviewOf::Traces;
        for of_place in shown.chunk_by(|a, b| a.place == b.place) {
            if meter.is_cancelled() {
                return Err(taken_back());
            }
            let place = of_place.first().map_or(SPLIT, |at| at.place);
            if let Some(placed) = view.segments.get(place as usize) {
                let rows: Vec<u32> = of_place.iter().map(|at| at.row).collect();
                match placed.segment.ids_of_rows(&rows, !is_of_traces) {
                    Ok(found) => ids.extend(of_place.iter().copied().zip(found)),
                    Err(error) => self.skip_once(placed, &error, skips)?,
                }
                continue;
            }
            let chunk = (place as usize).checked_sub(view.segments.len());
            let chunk = chunk.and_then(|chunk| view.chunks.get(chunk));
            for at in of_place {
                let span = chunk.and_then(|chunk| chunk.batch.span(at.row as usize));
                let split = asked.splits.traces.get(at.row as usize);
                let split = split.filter(|_| place == SPLIT).map(|split| split.trace_id);
                let trace_id = split.or(span.map(|span| span.trace_id()));
                let span_id = span.filter(|_| !is_of_traces).map(|span| span.span_id());
                ids.insert(
                    *at,
                    (trace_id.unwrap_or_default(), span_id.unwrap_or_default()),
                );
            }
        }
        let id_of = |at: PointRef| ids.get(&at).copied().unwrap_or_default();
        let cell = |sum: CellSum| {
            let (trace_id, span_id) = id_of(sum.slowest.1);
            Cell {
                step: sum.step,
                duration_bucket: sum.bucket,
                count: sum.count,
                errors: sum.errors,
                slowest: (trace_id, span_id, sum.slowest.0),
                failed: sum.failed.map(|(_, at)| id_of(at)),
            }
        };
        Ok(cells.into_iter().map(cell).collect())
    }
}

impl Gathered {
    /// Adds what came of a row group of a segment that has so many.
    fn put(
        &mut self,
        at: usize,
        groups: usize,
        looked: Result<Sums, SegmentError>,
    ) -> Result<(), SegmentError> {
        match looked {
            Ok(sums) if !self.damaged.contains(&at) => {
                let (count, open) = self.open.entry(at).or_default();
                *count += 1;
                open.absorb(sums);
                if *count >= groups
                    && let Some((_, whole)) = self.open.remove(&at)
                {
                    self.whole.absorb(whole);
                }
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) => {
                if !matches!(error, SegmentError::Spent | SegmentError::Cancelled) {
                    self.damaged.insert(at);
                    self.open.remove(&at);
                }
                Err(error)
            }
        }
    }

    /// All of it; of segments that were not looked at to their end what was counted.
    fn finish(mut self) -> Sums {
        for (_, sums) in std::mem::take(&mut self.open).into_values() {
            self.whole.absorb(sums);
        }
        self.whole
    }
}

fn look_at_group(
    place: &GroupPlace<'_>,
    asked: &Asked<'_>,
    meter: &Meter<'_>,
) -> Result<Sums, SegmentError> {
    let (request, segment) = (asked.request, &place.placed.segment);
    let mut sums = Sums::default();
    let of_question = (&asked.plan, request.window);
    let lasting = asked.lasting_in(place)?;
    if lasting.as_ref().is_some_and(Bits::is_empty) {
        return Ok(sums);
    }
    // Where most are asked for, judging all costs less than leaving some out.
    let few = lasting.as_ref();
    let few = few.filter(|lasting| lasting.count() * 2 < place.rows.len());
    let mut found = segment.matches_in(&place.rows, few, of_question, meter)?;
    if let Some(lasting) = &lasting {
        found = found.and(lasting);
    }
    for row in asked.repeats.in_rows(place.at, &place.rows) {
        let row = (*row as usize).saturating_sub(place.rows.start);
        found.clear(&(row..row + 1));
    }
    if found.is_empty() {
        return Ok(sums);
    }
    let count = found.count();
    sums.spans = count as u64;
    let looked_at = asked.take_facet_rows(sums.spans);
    let needs_errors = request.of != OverviewOf::Traces || looked_at > 0;
    let errors = if needs_errors {
        let few = Some(&found).filter(|_| count * 8 < place.rows.len());
        segment.matches_in(&place.rows, few, (&asked.failed, Window::ALWAYS), meter)?
    } else {
        Bits::none(0)
    };
    add_points(place, asked, (&found, &errors), &mut sums)?;
    if looked_at > 0 {
        // The rows behind are of newer traces.
        let left_out = count.saturating_sub(looked_at as usize);
        let first = found.rows().nth(left_out);
        found.clear(&(0..first.unwrap_or_default()));
        sums.looked_at = looked_at;
        for field in &request.facets {
            meter.take(looked_at)?;
            let mut facet = FacetCounts::default();
            facet.absorb(segment.facet_in(&place.rows, field, (&found, &errors))?);
            sums.facets.push(facet);
        }
    }
    Ok(sums)
}

/// Adds the points of a row group of which some rows match and some failed.
fn add_points(
    place: &GroupPlace<'_>,
    asked: &Asked<'_>,
    (found, errors): (&Bits, &Bits),
    sums: &mut Sums,
) -> Result<(), SegmentError> {
    let (request, segment) = (asked.request, &place.placed.segment);
    let at = place.at as u32;
    let mut add = |row: usize, start, duration, is_error| {
        let at = PointRef {
            place: at,
            row: row as u32,
        };
        let point = Point {
            start,
            duration,
            is_error,
            at,
        };
        sums.cells.add(&asked.steps, &point);
    };
    match request.of {
        OverviewOf::Traces => {
            let table = segment.traces()?;
            for (entry, split) in asked.traces_of(place, &table) {
                if !found.any_in(&inside(&place.rows, &entry)) {
                    continue;
                }
                match split.filter(|_| !plumbing::planted("store-overview-trace-in-parts")) {
                    Some(split) => drop(sums.splits.insert(split)),
                    None => {
                        let duration = entry.end.saturating_sub(entry.start);
                        add(
                            entry.first_row as usize,
                            entry.start,
                            duration,
                            entry.errors > 0,
                        );
                    }
                }
            }
        }
        OverviewOf::Spans | OverviewOf::EntrySpans => {
            let entries = match request.of {
                OverviewOf::EntrySpans => Some(segment.entries_in(&place.rows, found)?),
                _ => None,
            };
            let of = entries.as_ref().unwrap_or(found);
            segment.each_point(&place.rows, of, |row, start, duration| {
                add(place.rows.start + row, start, duration, errors.has(row));
            })?;
        }
    }
    Ok(())
}

/// What is in memory, the newest first.
fn look_at_heads(view: &View, asked: &Asked<'_>, meter: &Meter<'_>) -> Result<Sums, ReadError> {
    let (request, mut sums) = (asked.request, Sums::default());
    let mut facets: Vec<FacetCounts> = Vec::new();
    facets.resize_with(request.facets.len(), FacetCounts::default);
    let mut traces: HashMap<TraceId, PointRef, RandomState> = HashMap::default();
    let of_question = (&asked.plan, request.window);
    let known = (&asked.splits, &asked.repeats);
    each_in_heads(view, of_question, known, meter, |found| {
        let (span, at) = (found.span, found.at);
        if !asked.does_head_last(span.trace_id(), found.split) {
            return;
        }
        let is_error = span.status() == STATUS_ERROR;
        match (request.of, found.split) {
            (OverviewOf::Traces, Some(split)) => drop(sums.splits.insert(split)),
            (OverviewOf::Traces, None) => drop(traces.insert(span.trace_id(), at)),
            _ => {}
        }
        if found.is_again {
            return;
        }
        sums.spans += 1;
        let enters = is_entry(span.kind(), span.parent_span_id());
        if request.of == OverviewOf::Spans || request.of == OverviewOf::EntrySpans && enters {
            let point = Point {
                start: span.start(),
                duration: u64::try_from(span.duration()).unwrap_or_default(),
                is_error,
                at,
            };
            sums.cells.add(&asked.steps, &point);
        }
        if asked.take_facet_rows(1) == 1 {
            sums.looked_at += 1;
            for (facet, field) in facets.iter_mut().zip(&request.facets) {
                facet.absorb(facet_of(span, field, is_error));
            }
        }
    })?;
    sums.facets = facets;
    let failed = failed_traces(view, request.of);
    for (trace_id, at) in traces {
        let Some(trace) = asked.splits.heads.get(&trace_id) else {
            continue;
        };
        let point = Point {
            start: trace.start,
            duration: trace.end.saturating_sub(trace.start),
            is_error: failed.contains(&trace_id),
            at,
        };
        sums.cells.add(&asked.steps, &point);
    }
    Ok(sums)
}

/// The traces that match and lie in several places, each once.
fn add_split_traces(view: &View, asked: &Asked<'_>, sums: &mut Sums) {
    let failed = failed_traces(view, asked.request.of);
    let mut failed_splits: BTreeSet<u32> = BTreeSet::new();
    for (at, placed) in view.segments.iter().enumerate() {
        // One that can't be read is named by then.
        let of_segment = asked.splits.of_segment(at);
        let Ok(table) = placed.segment.traces() else {
            continue;
        };
        for (rows, split) in of_segment.iter().filter(|of| sums.splits.contains(&of.1)) {
            let entry = table.of_row(rows.start as u32);
            if entry.is_some_and(|entry| entry.errors > 0) {
                failed_splits.insert(*split);
            }
        }
    }
    for split in std::mem::take(&mut sums.splits) {
        let Some(trace) = asked.splits.traces.get(split as usize) else {
            continue;
        };
        let point = Point {
            start: trace.start,
            duration: trace.end.saturating_sub(trace.start),
            is_error: failed_splits.contains(&split) || failed.contains(&trace.trace_id),
            at: PointRef {
                place: SPLIT,
                row: split,
            },
        };
        sums.cells.add(&asked.steps, &point);
    }
}

/// The traces that have a span in memory that failed, where that is asked for.
fn failed_traces(view: &View, of: OverviewOf) -> HashSet<TraceId, RandomState> {
    let mut failed = HashSet::default();
    let chunks = view.chunks.iter().filter(|_| of == OverviewOf::Traces);
    for chunk in chunks {
        let spans = chunk.batch.spans();
        let states = spans.trace_id.iter().zip(&spans.status);
        let of_chunk = states.filter(|(_, status)| **status == STATUS_ERROR);
        failed.extend(of_chunk.map(|(trace_id, _)| *trace_id));
    }
    failed
}

/// The values of a field that one span has, each once.
fn facet_of(span: SpanRef<'_>, field: &Field, is_error: bool) -> GroupFacet {
    let mut values: Vec<Counted> = Vec::new();
    any_value(span, field, &mut |value| {
        let is_none = is_none_when_empty(field) && value == AttrValue::String("");
        let (value_type, text) = (value.value_type(), value.canonical_text());
        let is_known = |known: &Counted| known.value_type == value_type && known.text == text;
        if !is_none && !values.iter().any(is_known) {
            values.push(Counted {
                value_type,
                text: text.into_owned(),
                count: 1,
                errors: u64::from(is_error),
            });
        }
        false
    });
    GroupFacet {
        missing: u64::from(values.is_empty()),
        values,
    }
}
