//! Rates, errors and durations: read off the counts by minute and hour that the segments' indexes hold.
//!
//! A step is covered by hours as far as they lie in it, and by minutes where they don't. Spans in memory are counted
//! one by one, and so are the rows of segments that have no counts: of an older version, or with too many operations.
//! Spans of traces that were dropped are counted with the others, and shown as examples by none.
//! An answer has room for so many operations; the others are counted together, under one name a service and kind.

use std::collections::BTreeMap;
use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::contract::{OTHER_OPERATIONS, ReadError};
use model::histogram::bucket_of;
use model::rates::{
    MINUTE_NANOS, RateKey, RatePoint, RateSeries, RatesAnswer, RatesOf, RatesRequest, Steps,
};
use model::{SpanBatch, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::index::rollup::{ReadCell, Rollup, Series, is_call};
use crate::index::{Catalogue, STATUS_ERROR};
use crate::names::{Room, kind_of_other};
use crate::segment::SegmentError;
use crate::segment::open::RollupOf;
use crate::segment::order::NONE;
use crate::segment::parts::Parts;

use super::{Skips, taken_back, too_many};

const MINUTES_PER_HOUR: u64 = 60;
/// Points of all series together: about 1 KiB each.
const POINTS_MAX: usize = 1 << 17;
/// Operations with a series of their own. Tests reach it.
const OPERATIONS_MAX: usize = if cfg!(test) { 100 } else { 10_000 };

/// A span to show: where it is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Segment of the view, row.
    Segment(usize, u32),
    Known(TraceId),
}

/// A point that grows.
#[derive(Debug, Default)]
struct Point {
    says: RatePoint,
    /// With the bucket of its duration.
    slowest: Option<(Option<u16>, Place)>,
    failed: Option<(Option<u16>, Place)>,
}

/// A span as far as it is counted.
struct Counted {
    start: u64,
    duration: i64,
    is_error: bool,
    /// Own and critical time.
    own: Option<(u64, u64)>,
    place: Place,
}

struct Counter<'a> {
    request: &'a RatesRequest,
    steps: Steps,
    number_of: HashMap<RateKey, usize, RandomState>,
    /// By service: its operations that have a series of their own.
    operations_of: HashMap<String, usize, RandomState>,
    room: Room,
    /// By number, then step.
    points: Vec<BTreeMap<u64, Point>>,
    count: usize,
}

impl Engine {
    /// Rates, errors and durations.
    pub(crate) fn rates(
        &self,
        request: &RatesRequest,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<RatesAnswer, ReadError> {
        self.count_rates(request, false, is_cancelled)
    }

    /// As [`Engine::rates`], if wanted row by row, which must say the same.
    pub(crate) fn count_rates(
        &self,
        request: &RatesRequest,
        by_rows: bool,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<RatesAnswer, ReadError> {
        let mut counter = Counter::new(request, request.steps()?);
        let view = self.view(&request.tenant);
        let mut skips = Skips::new();
        for (at, placed) in view.segments.iter().enumerate() {
            if is_cancelled() {
                return Err(taken_back());
            }
            if let Err(error) = counter.add_segment((at, placed), by_rows) {
                self.skip_once(placed, &error, &mut skips)?;
            }
            counter.check_size()?;
        }
        for placed in view.dropped.iter() {
            if let Err(error) = counter.add_dropped(placed, &mut skips) {
                self.skip_once(placed, &error, &mut skips)?;
            }
            counter.check_size()?;
        }
        if request.of == RatesOf::Operations {
            for chunk in &view.chunks {
                counter.add_chunk(&chunk.batch);
                counter.check_size()?;
            }
        }
        self.finish(&view, counter, skips)
    }

    fn finish(
        &self,
        view: &View,
        counter: Counter<'_>,
        mut skips: Skips,
    ) -> Result<RatesAnswer, ReadError> {
        let Counter {
            request,
            steps,
            number_of,
            mut points,
            ..
        } = counter;
        let mut series = Vec::with_capacity(points.len());
        for (key, number) in number_of {
            let of_series = points.get_mut(number).map(std::mem::take);
            let mut of_key = Vec::new();
            for (step, point) in of_series.unwrap_or_default() {
                let mut says = point.says;
                says.start = steps.start_of(step);
                if request.with_examples {
                    says.slowest = self.example(view, point.slowest, &mut skips)?;
                    says.failed = self.example(view, point.failed, &mut skips)?;
                }
                of_key.push(says);
            }
            if !of_key.is_empty() {
                let points = of_key;
                series.push(RateSeries { key, points });
            }
        }
        series.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let is_other = |s: &RateSeries| s.key.operation.as_deref() == Some(OTHER_OPERATIONS);
        Ok(RatesAnswer {
            has_all_operations: !series.iter().any(is_other),
            series,
            skipped: skips.into_values().collect(),
        })
    }

    fn example(
        &self,
        view: &View,
        found: Option<(Option<u16>, Place)>,
        skips: &mut Skips,
    ) -> Result<Option<TraceId>, ReadError> {
        let (segment, row) = match found {
            None => return Ok(None),
            Some((_, Place::Known(trace_id))) => return Ok(Some(trace_id)),
            Some((_, Place::Segment(segment, row))) => (segment, row),
        };
        let Some(placed) = view.segments.get(segment) else {
            return Ok(None);
        };
        match placed.segment.trace_id_of_row(row) {
            Ok(trace_id) => Ok(trace_id),
            Err(error) => {
                self.skip_once(placed, &error, skips)?;
                Ok(None)
            }
        }
    }
}

impl<'a> Counter<'a> {
    fn new(request: &'a RatesRequest, steps: Steps) -> Self {
        Self {
            request,
            steps,
            number_of: HashMap::default(),
            operations_of: HashMap::default(),
            room: Room::of(OPERATIONS_MAX),
            points: Vec::new(),
            count: 0,
        }
    }

    fn check_size(&self) -> Result<(), ReadError> {
        if self.count <= POINTS_MAX {
            return Ok(());
        }
        let reason = format!(
            "the answer has more than {POINTS_MAX} points: ask for a longer step, for fewer services, or not for each \
             operation"
        );
        Err(ReadError::OverLimit { reason })
    }

    /// The number of the series of a span; `None` when it is not asked for.
    fn series(
        &mut self,
        service: &str,
        caller: Option<&str>,
        name: &str,
        kind: i32,
    ) -> Option<usize> {
        let asked = &self.request.services;
        let is_asked = |service: &str| asked.iter().any(|name| name == service);
        let of_services = asked.is_empty() || is_asked(service) || caller.is_some_and(is_asked);
        let kinds = &self.request.kinds;
        if !of_services || !kinds.is_empty() && !kinds.contains(&kind) {
            return None;
        }
        let operation = self.request.by_operation && caller.is_none();
        let key = RateKey {
            service: service.to_owned(),
            caller: caller.map(str::to_owned),
            operation: operation.then(|| name.to_owned()),
            kind: self.request.by_kind.then_some(kind),
        };
        Some(self.number(key))
    }

    /// The number of a series, a new one if there is room for it.
    fn number(&mut self, mut key: RateKey) -> usize {
        if let Some(number) = self.number_of.get(&key) {
            return *number;
        }
        if let Some(name) = key.operation.as_mut().filter(|n| *n != OTHER_OPERATIONS) {
            let of_service = self.operations_of.entry_ref(key.service.as_str());
            let of_service = of_service.or_default();
            if self.room.take(name, *of_service) {
                *of_service += 1;
            } else {
                OTHER_OPERATIONS.clone_into(name);
                key.kind = key.kind.map(kind_of_other);
            }
        }
        let next = self.points.len();
        let number = *self.number_of.entry(key).or_insert(next);
        if number == next {
            self.points.push(BTreeMap::new());
        }
        number
    }

    fn point(&mut self, series: usize, step: u64) -> Option<&mut Point> {
        let count = &mut self.count;
        let point = self.points.get_mut(series)?.entry(step);
        Some(point.or_insert_with(|| {
            *count += 1;
            Point::default()
        }))
    }

    fn add_span(&mut self, series: usize, span: &Counted) {
        let Some(step) = self.steps.of_nanos(span.start) else {
            return;
        };
        let Some(point) = self.point(series, step) else {
            return;
        };
        let says = &mut point.says;
        says.spans += 1;
        says.errors += u64::from(span.is_error);
        says.duration = says.duration.wrapping_add(span.duration);
        says.durations.add(span.duration);
        if let Some((own, critical)) = span.own {
            says.timed_spans += 1;
            says.own = says.own.wrapping_add(own);
            says.critical = says.critical.wrapping_add(critical);
        }
        point.show(bucket_of(span.duration), span.place, span.is_error);
    }

    fn add_chunk(&mut self, batch: &SpanBatch) {
        let mut last: Option<((u32, u32, i32), Option<usize>)> = None;
        let spans = batch.spans();
        for span in batch.iter() {
            let at = |column: &[u32]| column.get(span.row()).copied().unwrap_or_default();
            let name = spans.name.get(span.row()).map_or(0, |name| name.0);
            let here = (at(&spans.resource), name, span.kind());
            let series = match last {
                Some((same, series)) if same == here => series,
                _ => self.series(span.service(), None, span.name(), span.kind()),
            };
            last = Some((here, series));
            if let Some(series) = series {
                let counted = Counted {
                    start: span.start(),
                    duration: span.end().wrapping_sub(span.start()).cast_signed(),
                    is_error: span.status() == STATUS_ERROR,
                    own: None,
                    place: Place::Known(span.trace_id()),
                };
                self.add_span(series, &counted);
            }
        }
    }

    fn add_segment(
        &mut self,
        (at, placed): (usize, &Placed),
        by_rows: bool,
    ) -> Result<(), SegmentError> {
        let meta = &placed.listed.meta;
        let minutes = meta.min_start / MINUTE_NANOS..meta.max_start / MINUTE_NANOS + 1;
        if minutes.end <= self.steps.first || self.steps.behind <= minutes.start {
            return Ok(());
        }
        let (by_minute, by_hour) = match self.request.of {
            RatesOf::Operations => (RollupOf::OperationsByMinute, RollupOf::OperationsByHour),
            RatesOf::Calls => (RollupOf::CallsByMinute, RollupOf::CallsByHour),
        };
        let catalogue = placed.segment.catalogue()?;
        // What can't be read adds nothing, so everything is read before anything is added.
        let pieces = self.pieces(&minutes);
        let needs = |is_hours: bool| pieces.iter().any(|piece| piece.is_hours == is_hours);
        let read = |needed: bool, of| {
            if needed {
                placed.segment.rollup(of)
            } else {
                Ok(None)
            }
        };
        let (minutes, hours) = (read(needs(false), by_minute)?, read(needs(true), by_hour)?);
        let has_all = minutes.is_some() == needs(false) && hours.is_some() == needs(true);
        if !has_all || by_rows {
            return self.add_rows(at, placed);
        }
        for (rollup, is_hours) in [(minutes, false), (hours, true)] {
            if let Some(rollup) = rollup {
                let pieces = pieces.iter().filter(|piece| piece.is_hours == is_hours);
                self.add_rollup(Some(at), &rollup, &catalogue, pieces);
            }
        }
        Ok(())
    }

    /// Adds the spans of dropped traces.
    fn add_dropped(&mut self, placed: &Placed, skips: &mut Skips) -> Result<(), SegmentError> {
        let meta = &placed.listed.meta;
        let minutes = meta.min_start / MINUTE_NANOS..meta.max_start / MINUTE_NANOS + 1;
        if minutes.end <= self.steps.first || self.steps.behind <= minutes.start {
            return Ok(());
        }
        let of = match self.request.of {
            RatesOf::Operations => RollupOf::OperationsByMinute,
            RatesOf::Calls => RollupOf::CallsByMinute,
        };
        let catalogue = placed.segment.catalogue()?;
        let Some(rollup) = placed.segment.rollup(of)? else {
            skips.entry(meta.id).or_insert_with(|| too_many(placed));
            return Ok(());
        };
        let mut pieces = self.pieces(&minutes);
        pieces.iter_mut().for_each(|piece| piece.is_hours = false);
        self.add_rollup(None, &rollup, &catalogue, pieces.iter());
        Ok(())
    }

    /// What of the steps lies where a segment has spans, in minutes or whole hours.
    fn pieces(&self, of_segment: &Range<u64>) -> Vec<Piece> {
        let steps = &self.steps;
        let first = of_segment.start.max(steps.first);
        let last = (of_segment.end - 1).min(steps.behind - 1);
        let (Some(first), Some(last)) = (steps.of_minute(first), steps.of_minute(last)) else {
            return Vec::new();
        };
        let mut pieces = Vec::new();
        for step in first..=last {
            let (from, to) = steps.minutes_of(step);
            // Where the segment has nothing outside the step, an hour that lies partly outside is as good.
            let reaches_down =
                from <= of_segment.start || plumbing::planted("store-rates-whole-hours");
            let reaches_up = of_segment.end <= to;
            let from = if reaches_down {
                of_segment.start / MINUTES_PER_HOUR * MINUTES_PER_HOUR
            } else {
                from
            };
            let to = if reaches_up {
                of_segment.end.next_multiple_of(MINUTES_PER_HOUR)
            } else {
                to
            };
            let first_hour = from.next_multiple_of(MINUTES_PER_HOUR);
            let behind_hours = to / MINUTES_PER_HOUR * MINUTES_PER_HOUR;
            let mut add = |minutes: Range<u64>, is_hours| {
                if !minutes.is_empty() {
                    pieces.push(Piece {
                        step,
                        minutes,
                        is_hours,
                    });
                }
            };
            if first_hour < behind_hours {
                add(from..first_hour, false);
                add(first_hour..behind_hours, true);
                add(behind_hours..to, false);
                if plumbing::planted("store-rates-counted-twice") {
                    add(first_hour..behind_hours, false);
                }
            } else {
                add(from..to, false);
            }
        }
        pieces
    }

    fn add_rollup<'p>(
        &mut self,
        segment: Option<usize>,
        rollup: &Rollup,
        catalogue: &Catalogue,
        pieces: impl Iterator<Item = &'p Piece>,
    ) {
        let mut of_series: Vec<Option<(usize, bool)>> = vec![None; rollup.series.len()];
        for at in frequent_first(rollup) {
            if let (Some(slot), Some((key, ..))) = (of_series.get_mut(at), rollup.series.get(at)) {
                *slot = self.series_of(key, catalogue);
            }
        }
        for piece in pieces {
            let nanos = |minute: u64| minute.saturating_mul(MINUTE_NANOS);
            for cell in rollup.between(nanos(piece.minutes.start), nanos(piece.minutes.end)) {
                let series = of_series.get(cell.series as usize).copied().flatten();
                if let Some((series, is_error)) = series {
                    self.add_cell((series, piece.step), (rollup, cell), (segment, is_error));
                }
            }
        }
    }

    /// The number of a rollup's series, and whether its spans failed.
    fn series_of(&mut self, key: &Series, catalogue: &Catalogue) -> Option<(usize, bool)> {
        let service = |at: u32| {
            catalogue
                .services
                .get(at as usize)
                .map_or("", String::as_str)
        };
        let (series, status) = match (self.request.of, *key) {
            (RatesOf::Operations, [operation, status, ..]) => {
                let operation = catalogue.operations.get(operation as usize)?;
                let name = operation.name.as_str();
                (
                    self.series(service(operation.service), None, name, operation.kind)?,
                    status,
                )
            }
            (RatesOf::Calls, [caller, called, kind, status]) => {
                let caller = Some(service(caller));
                (
                    self.series(service(called), caller, "", kind.cast_signed())?,
                    status,
                )
            }
        };
        Some((series, status.cast_signed() == STATUS_ERROR))
    }

    fn add_cell(
        &mut self,
        (series, step): (usize, u64),
        (rollup, cell): (&Rollup, &ReadCell),
        (segment, is_error): (Option<usize>, bool),
    ) {
        let Some(point) = self.point(series, step) else {
            return;
        };
        let says = &mut point.says;
        says.spans += cell.spans;
        says.errors += if is_error { cell.spans } else { 0 };
        says.duration = says.duration.wrapping_add(cell.duration);
        says.durations.zeros += cell.zeros;
        if rollup.has_own {
            says.timed_spans += cell.spans;
            says.own = says.own.wrapping_add(cell.own);
            says.critical = says.critical.wrapping_add(cell.critical);
        }
        let mut last = None;
        let mut durations = says.durations.ascending();
        rollup.each_bucket(cell, |bucket, count| {
            durations.add(bucket, count);
            last = Some(bucket);
        });
        if let Some(segment) = segment {
            point.show(last, Place::Segment(segment, cell.slowest_row), is_error);
        }
    }

    /// Counts the rows of a segment one by one.
    fn add_rows(&mut self, at: usize, placed: &Placed) -> Result<(), SegmentError> {
        // A segment that turns out to be damaged half-way must not be counted in part.
        let mut apart = Counter::new(self.request, self.steps);
        placed.segment.each_part(&mut |parts, base| {
            for row in 0..parts.rows() {
                if let Some(series) = apart.series_of_row(parts, row) {
                    apart.add_span(series, &counted(parts, row, (at, base)));
                }
            }
        })?;
        self.absorb(apart);
        Ok(())
    }

    fn absorb(&mut self, other: Counter<'_>) {
        let mut points = other.points;
        let mut numbers: Vec<(RateKey, usize)> = other.number_of.into_iter().collect();
        numbers.sort_unstable();
        for (key, number) in numbers {
            let series = self.number(key);
            let of_series = points.get_mut(number).map(std::mem::take);
            for (step, theirs) in of_series.unwrap_or_default() {
                if let Some(ours) = self.point(series, step) {
                    ours.absorb(&theirs);
                }
            }
        }
    }

    fn series_of_row(&mut self, parts: &Parts<'_>, row: usize) -> Option<usize> {
        let span = parts
            .batch
            .span(parts.order.source.get(row).copied()? as usize)?;
        if self.request.of == RatesOf::Operations {
            return self.series(span.service(), None, span.name(), span.kind());
        }
        let caller = parts
            .order
            .caller
            .get(row)
            .copied()
            .filter(|caller| *caller != NONE)?;
        let parent = parts.order.source.get(caller as usize).copied()?;
        let parent = parts.batch.span(parent as usize)?;
        if !is_call((parent.service(), span.service()), span.kind()) {
            return None;
        }
        self.series(span.service(), Some(parent.service()), "", span.kind())
    }
}

/// The places of a rollup's series, those with the most spans first: they are the ones to have room for.
fn frequent_first(rollup: &Rollup) -> Vec<usize> {
    let mut spans = vec![0u64; rollup.series.len()];
    for cell in &rollup.cells {
        if let Some(spans) = spans.get_mut(cell.series as usize) {
            *spans += cell.spans;
        }
    }
    let mut by_spans: Vec<(u64, usize)> = spans.into_iter().zip(0..).collect();
    by_spans.sort_unstable_by_key(|(spans, at)| (std::cmp::Reverse(*spans), *at));
    by_spans.into_iter().map(|(_, at)| at).collect()
}

fn counted(parts: &Parts<'_>, row: usize, (segment, base): (usize, usize)) -> Counted {
    let spans = parts.batch.spans();
    let start = parts.pick(&spans.start, row);
    let own = parts.own_times.as_ref().and_then(|own| own.get(row));
    Counted {
        start,
        duration: parts
            .pick(&spans.end, row)
            .wrapping_sub(start)
            .cast_signed(),
        is_error: parts.pick(&spans.status, row) == STATUS_ERROR,
        own: own.map(|own| (own.own, own.critical)),
        place: Place::Segment(segment, u32::try_from(base + row).unwrap_or(u32::MAX)),
    }
}

impl Point {
    fn absorb(&mut self, other: &Self) {
        let (ours, theirs) = (&mut self.says, &other.says);
        ours.spans += theirs.spans;
        ours.errors += theirs.errors;
        ours.duration = ours.duration.wrapping_add(theirs.duration);
        ours.durations.merge(&theirs.durations);
        ours.timed_spans += theirs.timed_spans;
        ours.own = ours.own.wrapping_add(theirs.own);
        ours.critical = ours.critical.wrapping_add(theirs.critical);
        for (found, is_error) in [(other.slowest, false), (other.failed, true)] {
            if let Some((bucket, place)) = found {
                self.show(bucket, place, is_error);
            }
        }
    }

    /// Remembers a span if it is slower than those before.
    fn show(&mut self, bucket: Option<u16>, place: Place, is_error: bool) {
        let is_slower =
            |known: &Option<(Option<u16>, Place)>| known.is_none_or(|(known, _)| known < bucket);
        if is_slower(&self.slowest) {
            self.slowest = Some((bucket, place));
        }
        if is_error && is_slower(&self.failed) {
            self.failed = Some((bucket, place));
        }
    }
}

/// A part of a step.
#[derive(Debug)]
struct Piece {
    step: u64,
    minutes: Range<u64>,
    /// Whole hours.
    is_hours: bool,
}
