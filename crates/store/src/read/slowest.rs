//! The slowest traces first: those that lasted longest are looked at before others, and none that can't be among the
//! first is looked at.
//!
//! The tables of traces say how long each lasted. A round looks at the spans of the slowest traces that are left; how
//! many of them match tells how many the next round takes. When nothing that is left lasted as long as the last trace
//! that is wanted, the search ends.

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use model::contract::{ReadError, SearchRequest};

use crate::engine::{Engine, View};
use crate::index::TraceEntry;
use crate::meter::Meter;
use crate::segment::bits::Bits;
use crate::segment::relate::{inside, traces_of};
use crate::segment::{SearchPlan, SegmentError};

use super::groups::GroupPlace;
use super::search::{Best, Ids, chunk_matches};
use super::splits::Splits;
use super::{Skips, trace_of};

/// Traces of the first round, if not four times what is wanted.
const FIRST_ROUND_TRACES: u64 = 128;

/// Numbers that durations are sorted into: each a sixteenth of a power of two, so a round ends where it should.
const CLASSES: usize = 976;

/// The class of a duration; a longer one has no lower class.
fn class_of(duration: u64) -> usize {
    let Some(shift) = duration.checked_ilog2().and_then(|log| log.checked_sub(4)) else {
        return usize::try_from(duration).unwrap_or_default();
    };
    // The highest bit is counted by the shift.
    let class = u64::from(shift) * 16 + (duration >> shift);
    usize::try_from(class).unwrap_or(CLASSES)
}

fn duration_of(start: u64, end: u64) -> u64 {
    end.saturating_sub(start)
}

/// A trace with a span that matches.
#[derive(Debug, Clone, Copy)]
enum Match {
    /// It lies here only.
    Whole(usize, TraceEntry),
    /// Its place among those that lie in several places.
    Split(u32),
}

impl Engine {
    /// Adds the slowest traces that a search finds.
    pub(super) fn add_slowest(
        &self,
        view: &View,
        (plan, request): (&SearchPlan, &SearchRequest),
        best: &mut Best<'_>,
        meter: &Meter<'_>,
    ) -> Result<(), ReadError> {
        let splits = self.splits(view, &mut best.skips)?;
        let mut in_heads = Ids::default();
        for chunk in &view.chunks {
            in_heads.extend(chunk_matches(chunk, &plan.rows, request));
        }
        for trace_id in in_heads {
            let split = splits
                .place_of(trace_id)
                .and_then(|place| splits.traces.get(place as usize));
            if let Some(trace) = split.or(splits.heads.get(&trace_id)) {
                best.put(*trace, false);
            }
        }
        // Pages before this one end with a trace that lasted so long.
        let longest = request.after.map_or(u64::MAX, |after| after.order_value);
        let counts = self.classes(view, &splits, longest, &mut best.skips)?;
        let mut round_traces = FIRST_ROUND_TRACES.max((best.wanted() as u64).saturating_mul(4));
        let mut behind = CLASSES + 1;
        let is_over = |best: &Best<'_>, behind| {
            let last = best.last();
            last.is_some_and(|last| class_of(last) >= behind)
                || behind <= CLASSES && plumbing::planted("store-slowest-stops-early")
        };
        while behind > 0 && !meter.is_spent() && !is_over(best, behind) {
            let mut traces = 0;
            let is_within = |class: &usize| {
                let had = traces;
                traces += counts.get(*class).copied().unwrap_or_default();
                had < round_traces
            };
            let first = (0..behind)
                .rev()
                .take_while(is_within)
                .last()
                .unwrap_or_default();
            let round = first..=behind - 1;
            let found = self.each_group(view, &splits, (meter, &mut best.skips), |place| {
                look_at_group(place, &splits, (plan, request), (&round, longest), meter)
            })?;
            let mut matches: Vec<Match> = found.into_iter().flat_map(|(_, of)| of).collect();
            let matching = matches.len() as u64;
            self.put_matches(view, &splits, &mut matches, best)?;
            behind = first;
            // Twice as many as should be needed; all, where nothing says how many.
            let wanted = (best.wanted() as u64)
                .saturating_mul(2)
                .saturating_mul(traces);
            round_traces = wanted.checked_div(matching).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    fn put_matches(
        &self,
        view: &View,
        splits: &Splits,
        matches: &mut [Match],
        best: &mut Best<'_>,
    ) -> Result<(), ReadError> {
        let split_at = |place: u32| splits.traces.get(place as usize).copied();
        let duration = |found: &Match| match found {
            Match::Whole(_, entry) => duration_of(entry.start, entry.end),
            Match::Split(place) => {
                split_at(*place).map_or(0, |trace| duration_of(trace.start, trace.end))
            }
        };
        matches.sort_unstable_by_key(|found| Reverse(duration(found)));
        for found in matches.iter() {
            // Ids are only read of what may be among the first.
            if best.is_full_before(duration(found)) {
                break;
            }
            match found {
                Match::Split(place) => {
                    if let Some(trace) = split_at(*place) {
                        best.put(trace, false);
                    }
                }
                Match::Whole(at, entry) => {
                    let Some(placed) = view.segments.get(*at) else {
                        continue;
                    };
                    match placed.segment.trace_id_of(entry) {
                        Ok(trace_id) => best.put(trace_of(entry, trace_id), true),
                        Err(error) => self.skip_once(placed, &error, &mut best.skips)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// How many traces are in each class, a trace that lies in several places once for each.
    fn classes(
        &self,
        view: &View,
        splits: &Splits,
        longest: u64,
        skips: &mut Skips,
    ) -> Result<Vec<u64>, ReadError> {
        let mut counts = vec![0; CLASSES + 1];
        let mut add = |duration: u64| {
            if let Some(count) = counts
                .get_mut(class_of(duration))
                .filter(|_| duration <= longest)
            {
                *count += 1;
            }
        };
        let segments = view.segments.iter().enumerate();
        for (_, placed) in segments.filter(|(at, _)| splits.has_read(*at)) {
            match placed.segment.traces() {
                Ok(table) => table
                    .iter()
                    .for_each(|entry| add(duration_of(entry.start, entry.end))),
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        splits
            .traces
            .iter()
            .for_each(|trace| add(duration_of(trace.start, trace.end)));
        Ok(counts)
    }
}

/// The traces of some classes that match.
fn look_at_group(
    place: &GroupPlace<'_>,
    splits: &Splits,
    asked: (&SearchPlan, &SearchRequest),
    (round, longest): (&RangeInclusive<usize>, u64),
    meter: &Meter<'_>,
) -> Result<Vec<Match>, SegmentError> {
    let (plan, request) = asked;
    let mut of_splits = splits.in_rows(place.at, &place.rows).iter().peekable();
    let mut candidates: Vec<(TraceEntry, Match)> = Vec::new();
    let mut bits = Bits::none(place.rows.len());
    let table = place.placed.segment.traces()?;
    for entry in traces_of(&table, &place.rows) {
        let split = of_splits.next_if(|(rows, _)| rows.start == entry.first_row as usize);
        let split = split.map(|(_, place)| *place);
        let whole = split.and_then(|split| splits.traces.get(split as usize));
        let (start, end) = whole.map_or((entry.start, entry.end), |whole| (whole.start, whole.end));
        let duration = duration_of(start, end);
        if duration <= longest
            && round.contains(&class_of(duration))
            && entry.start <= request.window.end
        {
            bits.fill(&inside(&place.rows, &entry));
            let found = split.map_or(Match::Whole(place.at, entry), Match::Split);
            candidates.push((entry, found));
        }
    }
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let segment = &place.placed.segment;
    // Where most are asked for, judging all costs less than leaving some out.
    let some = Some(&bits).filter(|bits| bits.count() * 2 < place.rows.len());
    let found = segment.matches_in(&place.rows, some, (plan, request.window), meter)?;
    let does_match = |entry: &TraceEntry| found.any_in(&inside(&place.rows, entry));
    candidates.retain(|(entry, _)| does_match(entry));
    Ok(candidates.into_iter().map(|(_, found)| found).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_duration_has_no_lower_class_and_a_class_is_narrow() {
        let mut durations: Vec<u64> = (0..300).collect();
        for power in 8..64 {
            let two = 1u64 << power;
            durations.extend([two - 1, two, two + 1, two + two / 16, two / 16 * 17 + 1]);
        }
        durations.push(u64::MAX);
        durations.sort_unstable();
        for pair in durations.windows(2) {
            assert!(class_of(pair[0]) <= class_of(pair[1]), "{pair:?}");
            if class_of(pair[0]) == class_of(pair[1]) {
                assert!(pair[1] - pair[0] <= pair[0] / 16, "{pair:?}");
            }
        }
        assert!(class_of(u64::MAX) < CLASSES);
    }
}
