//! The sections `ROPE` and `RCAL`: spans counted by minute, so that rates, errors and quantiles over a long time are
//! read off instead of counted.
//!
//! A *cell* holds the spans of one *series* that start in one minute: how many, the sum of their durations, of their
//! own times and of their times on the critical path (modulo 2^64, so that parts add up to the same in any order), the
//! row of the slowest one, and a histogram of durations (`model::histogram`). A series of `ROPE` is an operation (index
//! in `SYMS`) with a status, one of `RCAL` a call: the services of caller and called (indexes in `SYMS`), the called
//! span's kind and status. A call is a span whose parent is another service's, or which is a server or consumer.
//!
//! Bytes (varints): 1 if everything is counted, plus 2 if own times are; number of series, each as four numbers, its
//! first start, and its last start less that; number of cells, by minute, then series; then column after column, each
//! with its length before it: minutes since the epoch (difference to the cell before) each with its series, spans,
//! durations (signed), durations less own times and own times less critical times (signed; both empty where own times
//! are not counted), slowest rows, durations of zero and below, histograms. A histogram is the number of its buckets,
//! then for each how far it is from the one before (the first: from 0), twice, plus 1 if it has more than one span, and
//! in that case how many less 2.
//!
//! Where there are too many cells nothing is counted, and whoever wants to know counts rows.

#![allow(
    clippy::cast_possible_truncation,
    reason = "series, cells, rows and spans of a segment are far below 2^32"
)]

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::Histogram;
use model::histogram::bucket_of;
use model::rates::MINUTE_NANOS;

use super::catalogue::{Operations, Places, is_other, places_of};
use crate::segment::decode::{take_varint, unzigzag};
use crate::segment::encode::{put_varint, zigzag};
use crate::segment::order::NONE;
use crate::segment::parts::Parts;

const HOUR_NANOS: u64 = 60 * MINUTE_NANOS;

const COMPLETE: u8 = 1;
const HAS_OWN: u8 = 2;

/// More cells than this are not counted.
const CELLS_MAX: usize = 1 << 16;
/// Nor are more buckets in all cells together.
const BUCKETS_MAX: usize = 3 << 20;

/// OTLP's numbers of the kinds of spans that serve others.
const KIND_SERVER: i32 = 2;
const KIND_CONSUMER: i32 = 5;

/// What a cell is of: see the top of this file.
pub(crate) type Series = [u32; 4];

/// Spans of one series in one unit of time.
#[derive(Debug, Clone, Default)]
struct Cell {
    unit: u64,
    series: u32,
    spans: u32,
    duration: i64,
    own: u64,
    critical: u64,
    slowest: i64,
    slowest_row: u32,
    zeros: u32,
    /// Ascending.
    buckets: Vec<(u16, u32)>,
}

impl Cell {
    /// Adds a span; gives how many buckets it needed that were not there.
    fn add(&mut self, duration: i64, row: u32) -> usize {
        if self.spans == 0 || duration > self.slowest {
            (self.slowest, self.slowest_row) = (duration, row);
        }
        self.spans += 1;
        self.duration = self.duration.wrapping_add(duration);
        match bucket_of(duration) {
            None => self.zeros += 1,
            Some(bucket) => return self.add_bucket(bucket, 1),
        }
        0
    }

    fn add_bucket(&mut self, bucket: u16, count: u32) -> usize {
        let at = self.buckets.partition_point(|(other, _)| *other < bucket);
        match self.buckets.get_mut(at) {
            Some((other, known)) if *other == bucket => *known += count,
            _ => {
                self.buckets.insert(at, (bucket, count));
                return 1;
            }
        }
        0
    }
}

/// Counts spans, row group by row group.
#[derive(Debug, Default)]
pub(super) struct RollupBuilder {
    number_of: HashMap<Series, u32, RandomState>,
    /// By number: the series, its first and last start.
    series: Vec<(Series, u64, u64)>,
    cell_of: HashMap<(u64, u32), u32, RandomState>,
    cells: Vec<Cell>,
    buckets: usize,
    is_cut: bool,
}

/// A span as far as it is counted.
#[derive(Debug, Clone, Copy)]
struct Counted {
    start: u64,
    duration: i64,
    own: u64,
    critical: u64,
    row: u32,
}

impl RollupBuilder {
    fn add(&mut self, series: Series, span: Counted) {
        if self.is_cut {
            return;
        }
        let next = self.series.len() as u32;
        let number = *self.number_of.entry(series).or_insert(next);
        match self.series.get_mut(number as usize) {
            Some((_, first, last)) => {
                (*first, *last) = ((*first).min(span.start), (*last).max(span.start));
            }
            None => self.series.push((series, span.start, span.start)),
        }
        let unit = span.start / MINUTE_NANOS;
        let next = self.cells.len() as u32;
        let cell = *self.cell_of.entry((unit, number)).or_insert(next);
        if cell == next {
            self.cells.push(Cell {
                unit,
                series: number,
                ..Cell::default()
            });
        }
        if let Some(cell) = self.cells.get_mut(cell as usize) {
            self.buckets += cell.add(span.duration, span.row);
            cell.own = cell.own.wrapping_add(span.own);
            cell.critical = cell.critical.wrapping_add(span.critical);
        }
        if self.cells.len() > CELLS_MAX || self.buckets > BUCKETS_MAX {
            *self = Self {
                is_cut: true,
                ..Self::default()
            };
        }
    }

    /// The section, with series as the catalogue has them.
    fn section(mut self, has_own: bool, place: impl Fn(Series) -> Series) -> Vec<u8> {
        let mut by_key: Vec<(Series, u32)> = (self.series.iter().zip(0..))
            .map(|((series, ..), number)| (place(*series), number))
            .collect();
        by_key.sort_unstable();
        let rank_of = places_of(by_key.iter().map(|(_, number)| *number));
        for cell in &mut self.cells {
            cell.series = rank_of
                .get(cell.series as usize)
                .copied()
                .unwrap_or_default();
        }
        let bounds = |number: u32| {
            let series = self.series.get(number as usize);
            series.map_or((0, 0), |(_, first, last)| (*first, *last))
        };
        let series: Vec<(Series, u64, u64)> = by_key
            .into_iter()
            .map(|(key, number)| (key, bounds(number).0, bounds(number).1))
            .collect();
        let flags = (u8::from(!self.is_cut) * COMPLETE) | (u8::from(has_own) * HAS_OWN);
        self.cells
            .sort_unstable_by_key(|cell| (cell.unit, cell.series));
        section(flags, &series, &self.cells)
    }
}

fn section(flags: u8, series: &[(Series, u64, u64)], cells: &[Cell]) -> Vec<u8> {
    let mut out = vec![flags];
    put_varint(series.len() as u64, &mut out);
    for (key, first, last) in series {
        key.iter()
            .for_each(|number| put_varint((*number).into(), &mut out));
        put_varint(*first, &mut out);
        put_varint(last - first, &mut out);
    }
    put_varint(cells.len() as u64, &mut out);
    let mut unit = 0;
    let mut put_column = |put: &mut dyn FnMut(&Cell, &mut Vec<u8>)| {
        let mut column = Vec::new();
        cells.iter().for_each(|cell| put(cell, &mut column));
        put_varint(column.len() as u64, &mut out);
        out.append(&mut column);
    };
    put_column(&mut |cell, column| {
        put_varint(cell.unit - unit, column);
        put_varint(cell.series.into(), column);
        unit = cell.unit;
    });
    put_column(&mut |cell, column| put_varint(cell.spans.into(), column));
    put_column(&mut |cell, column| put_varint(zigzag(cell.duration), column));
    let has_own = flags & HAS_OWN != 0;
    // Mostly nothing else runs below a span, and all its own time is critical.
    let less_own = |cell: &Cell| cell.duration.wrapping_sub(cell.own.cast_signed());
    let less_critical = |cell: &Cell| cell.own.wrapping_sub(cell.critical).cast_signed();
    for less in [less_own, less_critical] {
        put_column(&mut |cell, column| {
            if has_own {
                put_varint(zigzag(less(cell)), column);
            }
        });
    }
    put_column(&mut |cell, column| put_varint(cell.slowest_row.into(), column));
    put_column(&mut |cell, column| put_varint(cell.zeros.into(), column));
    put_column(&mut |cell, column| {
        let buckets = cell.buckets.iter();
        put_histogram(
            buckets.map(|(bucket, count)| (*bucket, u64::from(*count))),
            column,
        );
    });
    out
}

/// Counts operations and calls.
#[derive(Debug, Default)]
pub(super) struct RollupsBuilder {
    operations: RollupBuilder,
    calls: RollupBuilder,
}

impl RollupsBuilder {
    /// Adds a row group, whose first row is `base`.
    pub(super) fn add(&mut self, parts: &Parts<'_>, operations: &Operations, base: usize) {
        let spans = parts.batch.spans();
        let number = |column: &[u32], row: usize| column.get(row).copied().unwrap_or_default();
        for row in 0..parts.rows() {
            let start = parts.pick(&spans.start, row);
            let own = parts.own_times.as_ref().and_then(|own| own.get(row));
            let own = own.copied().unwrap_or_default();
            let span = Counted {
                start,
                duration: parts
                    .pick(&spans.end, row)
                    .wrapping_sub(start)
                    .cast_signed(),
                own: own.own,
                critical: own.critical,
                row: (base + row) as u32,
            };
            let status = parts.pick(&spans.status, row).cast_unsigned();
            let operation = number(&operations.operation_of, row);
            if !is_other(operation) || !plumbing::planted("store-others-not-counted") {
                self.operations.add([operation, status, 0, 0], span);
            }
            let caller = number(&parts.order.caller, row);
            if caller == NONE {
                continue;
            }
            let parent = number(&operations.service_of, caller as usize);
            let child = number(&operations.service_of, row);
            let kind = parts.pick(&spans.kind, row);
            if is_call((parent, child), kind) {
                let series = [parent, child, kind.cast_unsigned(), status];
                self.calls.add(series, span);
            }
        }
    }

    /// The sections of operations and of calls, with series as the catalogue has them.
    pub(super) fn sections(self, has_own: bool, places: &Places) -> (Vec<u8>, Vec<u8>) {
        let operation =
            |[operation, status, ..]: Series| [places.operation(operation), status, 0, 0];
        let call = |[parent, child, kind, status]: Series| {
            [places.service(parent), places.service(child), kind, status]
        };
        let operations = self.operations.section(has_own, operation);
        (operations, self.calls.section(false, call))
    }
}

/// Whether a span of a service below one of another, or of the same, is a call.
pub(crate) fn is_call<S: PartialEq>((parent, child): (S, S), kind: i32) -> bool {
    parent != child || matches!(kind, KIND_SERVER | KIND_CONSUMER)
}

/// A cell that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReadCell {
    /// Its first nanosecond.
    pub from: u64,
    /// Index of [`Rollup::series`].
    pub series: u32,
    pub spans: u64,
    pub duration: i64,
    pub own: u64,
    pub critical: u64,
    pub slowest_row: u32,
    pub zeros: u64,
    histogram_at: u32,
}

/// Spans counted by unit of time and series.
#[derive(Debug, Default)]
pub(crate) struct Rollup {
    /// Whether all spans are counted; if not, none is.
    pub is_complete: bool,
    /// Whether own and critical times are.
    pub has_own: bool,
    /// Ascending, with first and last start.
    pub series: Vec<(Series, u64, u64)>,
    /// By time, then series.
    pub cells: Vec<ReadCell>,
    histograms: Vec<u8>,
}

impl Rollup {
    /// Gives the buckets of a cell with how many spans each has.
    pub(crate) fn each_bucket(&self, cell: &ReadCell, mut give: impl FnMut(u16, u64)) {
        let mut rest = self
            .histograms
            .get(cell.histogram_at as usize..)
            .unwrap_or_default();
        // It was looked through when it was read.
        let walked = walk_histogram(&mut rest, &mut give);
        debug_assert!(walked.is_some(), "a histogram changed after it was read");
    }

    /// The cells that begin in a range of time.
    pub(crate) fn between(&self, from: u64, to: u64) -> &[ReadCell] {
        let first = self.cells.partition_point(|cell| cell.from < from);
        let behind = self.cells.partition_point(|cell| cell.from < to).max(first);
        self.cells.get(first..behind).unwrap_or_default()
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.series.capacity() * size_of::<(Series, u64, u64)>()
            + self.cells.capacity() * size_of::<ReadCell>()
            + self.histograms.capacity()
    }

    /// The counts of a section; `None` when it makes no sense.
    pub(crate) fn parse(section: &[u8]) -> Option<Self> {
        fn number(section: &mut &[u8]) -> Option<u32> {
            u32::try_from(take_varint(section)?).ok()
        }
        let (flags, mut rest) = section.split_first()?;
        let rest = &mut rest;
        let mut rollup = Self {
            is_complete: flags & COMPLETE != 0,
            has_own: flags & HAS_OWN != 0,
            ..Self::default()
        };
        for _ in 0..take_varint(rest)? {
            let key = [number(rest)?, number(rest)?, number(rest)?, number(rest)?];
            let first = take_varint(rest)?;
            let last = first.checked_add(take_varint(rest)?)?;
            rollup.series.push((key, first, last));
        }
        let count = usize::try_from(take_varint(rest)?).ok()?;
        let mut columns: [&[u8]; 8] = [&[]; 8];
        for column in &mut columns {
            let length = usize::try_from(take_varint(rest)?).ok()?;
            (*column, *rest) = rest.split_at_checked(length)?;
        }
        let [
            heads,
            spans,
            durations,
            own,
            critical,
            rows,
            zeros,
            histograms,
        ] = &mut columns;
        rollup.histograms = histograms.to_vec();
        let all = histograms.len();
        let has_own = rollup.has_own;
        let mut unit = 0u64;
        for _ in 0..count {
            unit = unit.checked_add(take_varint(heads)?)?;
            let series = number(heads).filter(|at| (*at as usize) < rollup.series.len())?;
            let duration = unzigzag(take_varint(durations)?);
            let (mut own_time, mut critical_time) = (0, 0);
            if has_own {
                own_time = duration
                    .wrapping_sub(unzigzag(take_varint(own)?))
                    .cast_unsigned();
                let less = unzigzag(take_varint(critical)?).cast_unsigned();
                critical_time = own_time.wrapping_sub(less);
            }
            rollup.cells.push(ReadCell {
                from: unit.checked_mul(MINUTE_NANOS)?,
                series,
                spans: take_varint(spans)?,
                duration,
                own: own_time,
                critical: critical_time,
                slowest_row: number(rows)?,
                zeros: take_varint(zeros)?,
                histogram_at: (all - histograms.len()) as u32,
            });
            walk_histogram(histograms, &mut |_, _| ())?;
        }
        let is_used_up = rest.is_empty() && columns.iter().all(|column| column.is_empty());
        is_used_up.then_some(rollup)
    }
}

impl Rollup {
    /// The same counts by hour.
    pub(crate) fn by_hour(&self) -> Self {
        let mut by_hour = Self {
            is_complete: self.is_complete,
            has_own: self.has_own,
            series: self.series.clone(),
            ..Self::default()
        };
        let hour_of = |cell: &ReadCell| cell.from / HOUR_NANOS;
        for of_hour in self.cells.chunk_by(|a, b| hour_of(a) == hour_of(b)) {
            let mut minutes: Vec<&ReadCell> = of_hour.iter().collect();
            minutes.sort_by_key(|cell| cell.series);
            for of_series in minutes.chunk_by(|a, b| a.series == b.series) {
                by_hour.push_sum(self, of_series);
            }
        }
        by_hour
    }

    /// Appends what cells of one series in one hour are together.
    fn push_sum(&mut self, of: &Self, cells: &[&ReadCell]) {
        let Some(first) = cells.first() else { return };
        let mut sum = ReadCell {
            from: first.from / HOUR_NANOS * HOUR_NANOS,
            series: first.series,
            histogram_at: self.histograms.len() as u32,
            ..ReadCell::default()
        };
        let (mut buckets, mut slowest) = (Histogram::default(), None);
        for cell in cells {
            sum.spans += cell.spans;
            sum.duration = sum.duration.wrapping_add(cell.duration);
            sum.own = sum.own.wrapping_add(cell.own);
            sum.critical = sum.critical.wrapping_add(cell.critical);
            sum.zeros += cell.zeros;
            let mut last = None;
            let mut durations = buckets.ascending();
            of.each_bucket(cell, |bucket, count| {
                durations.add(bucket, count);
                last = Some(bucket);
            });
            if slowest.is_none_or(|known| known < last) {
                (slowest, sum.slowest_row) = (Some(last), cell.slowest_row);
            }
        }
        put_histogram(buckets.buckets().iter().copied(), &mut self.histograms);
        self.cells.push(sum);
    }
}

fn put_histogram(buckets: impl ExactSizeIterator<Item = (u16, u64)>, out: &mut Vec<u8>) {
    put_varint(buckets.len() as u64, out);
    let mut before = 0;
    for (bucket, count) in buckets {
        put_varint(u64::from(bucket - before) << 1 | u64::from(count > 1), out);
        if count > 1 {
            put_varint(count - 2, out);
        }
        before = bucket;
    }
}

fn walk_histogram(rest: &mut &[u8], give: &mut dyn FnMut(u16, u64)) -> Option<()> {
    let mut bucket = 0u16;
    for _ in 0..take_varint(rest)? {
        let bits = take_varint(rest)?;
        bucket = bucket.checked_add(u16::try_from(bits >> 1).ok()?)?;
        let count = match bits & 1 {
            0 => 1,
            _ => take_varint(rest)?.checked_add(2)?,
        };
        give(bucket, count);
    }
    Some(())
}
