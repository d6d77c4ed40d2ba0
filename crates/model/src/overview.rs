//! All that matches from afar: how many, when, how long, how many of it failed, and which values it has.
//!
//! Meaning
//! - A point is a span or a trace. It lies in a step of time by its start and in a bucket by its duration; one that
//!   ends before it begins has the duration 0.
//! - A trace is judged whole: it starts with its earliest span, ends with its latest, and failed when some span of it
//!   did. One that starts before the window, and has a span in it that matches, is in the first step.
//! - Where traces must last so or so long, spans of other traces are not there: they are no points, and no facet has
//!   them. A trace lasts from its earliest start to its latest end, wherever its spans lie and whether they match.
//! - Facets count spans. A span counts once for each distinct value that it has in the field; values differ by type and
//!   canonical text. Of status message, trace state, name and version of the scope the empty text is no value.

use std::ops::RangeInclusive;

use crate::contract::{ReadError, Skipped, Window};
use crate::{Field, Predicate, SpanId, TenantId, TraceId, ValueType};

/// Steps of time that may be asked for.
const STEPS_MAX: u32 = 1_000;
/// Facets that may be asked for.
const FACETS_MAX: usize = 20;
/// Values of a facet that may be asked for.
const FACET_VALUES_MAX: usize = 10_000;

/// Every trace lasts so long.
pub const ANY_DURATION: RangeInclusive<u64> = 0..=u64::MAX;

/// Durations below this have a bucket each; above, a power of two has so many.
const SUB_BUCKETS: u64 = 1 << SUB_BITS;
const SUB_BITS: u32 = 3;
/// Buckets of durations, which are numbered from 0.
pub const DURATION_BUCKETS: usize = ((u64::BITS - SUB_BITS + 1) << SUB_BITS) as usize;

/// What the points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverviewOf {
    /// Traces with a span that matches.
    Traces,
    /// Spans that match and name no parent, or are of kind server or consumer.
    EntrySpans,
    /// Spans that match.
    Spans,
}

/// A question for all that matches.
#[derive(Debug, Clone)]
pub struct OverviewRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// What a span must satisfy.
    pub predicate: Predicate,
    /// When it must start.
    pub window: Window,
    /// How long its trace must last, in nanoseconds; see [`ANY_DURATION`].
    pub trace_duration: RangeInclusive<u64>,
    /// What the points are.
    pub of: OverviewOf,
    /// Equal parts of the window; 1 to 1,000.
    pub time_steps: u32,
    /// Fields whose values are counted over the spans that match; at most 20, none of ids, times and durations.
    pub facets: Vec<Field>,
    /// The most values of a facet to give.
    pub facet_values_max: usize,
    /// Spans that are looked at for facets; where more match, those that are stored last come first.
    pub rows_max: u64,
}

/// Points in a step of time and a bucket of durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The step of time, from 0.
    pub step: u32,
    /// The bucket of the duration; see [`bounds_of`].
    pub duration_bucket: i32,
    /// Points.
    pub count: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// A point that lasted longest, and how long. The span's id is zero where points are traces; both are zero where
    /// they could not be read.
    pub slowest: (TraceId, SpanId, u64),
    /// A point that failed and is among the slowest of those.
    pub failed: Option<(TraceId, SpanId)>,
}

/// A value and the spans that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// Its canonical text.
    pub text: String,
    /// Its type.
    pub value_type: ValueType,
    /// Spans that have it.
    pub count: u64,
    /// Those of them whose status is an error.
    pub errors: u64,
}

/// The values of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetAnswer {
    /// The field.
    pub field: Field,
    /// The most frequent first, then by text and type.
    pub values: Vec<FacetValue>,
    /// The counts of all other values together.
    pub others: u64,
    /// Distinct values.
    pub distinct: u64,
    /// Spans without a value.
    pub missing: u64,
    /// Whether there was room for all values. If not, rare ones were let go on the way: counts may be too low, those of
    /// `others` hold the rest, and `distinct` are the values that were left.
    pub is_exact: bool,
}

/// All that matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverviewAnswer {
    /// Points.
    pub points: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Spans that match.
    pub spans: u64,
    /// By step, then bucket; those without points are left out.
    pub cells: Vec<Cell>,
    /// In the order asked for.
    pub facets: Vec<FacetAnswer>,
    /// Spans that were looked at for facets; 0 where none are asked for.
    pub facets_looked_at: u64,
    /// Spans that match, as many as would be looked at without a limit; 0 where no facets are asked for.
    pub facets_matching: u64,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

impl OverviewRequest {
    /// Refuses what asks for too much, or for what there is not.
    pub fn check(&self) -> Result<(), ReadError> {
        let bad = |reason: String| Err(ReadError::BadQuestion { reason });
        if self.window.end < self.window.start {
            return bad("the window ends before it begins".to_owned());
        }
        if !(1..=STEPS_MAX).contains(&self.time_steps) {
            let steps = self.time_steps;
            return bad(format!(
                "{steps} steps of time are asked for: ask for 1 to {STEPS_MAX}"
            ));
        }
        if self.facets.len() > FACETS_MAX {
            let facets = self.facets.len();
            return bad(format!(
                "{facets} facets are asked for: ask for up to {FACETS_MAX}"
            ));
        }
        if self.facet_values_max > FACET_VALUES_MAX {
            let values = self.facet_values_max;
            return bad(format!(
                "{values} values of a facet are asked for: ask for up to {FACET_VALUES_MAX}"
            ));
        }
        let has_none = |field: &&Field| {
            matches!(
                field,
                Field::TraceId
                    | Field::SpanId
                    | Field::ParentSpanId
                    | Field::Start
                    | Field::Duration
                    | Field::LinkTraceId
                    | Field::LinkSpanId
            )
        };
        match self.facets.iter().find(has_none) {
            Some(field) => bad(format!(
                "there is no facet of {field:?}: its values hardly repeat"
            )),
            None => Ok(()),
        }
    }

    /// The steps of time.
    #[must_use]
    pub fn steps(&self) -> TimeSteps {
        let steps = self.time_steps.max(1);
        let (start, end) = (self.window.start, self.window.end.max(self.window.start));
        let length = u128::from(end - start) + 1;
        let first_of = |step: u32| {
            // The first moment that is not in the step before.
            let from = (u128::from(step) * length).div_ceil(u128::from(steps));
            start.saturating_add(u64::try_from(from).unwrap_or(u64::MAX))
        };
        #[allow(clippy::cast_precision_loss, reason = "it is looked for from there")]
        TimeSteps {
            firsts: (0..steps).map(first_of).collect(),
            start,
            a_nano: f64::from(steps) / length as f64,
        }
    }
}

/// Equal parts of a window.
#[derive(Debug, Clone)]
pub struct TimeSteps {
    /// By step: its first nanosecond.
    firsts: Vec<u64>,
    start: u64,
    /// Steps in a nanosecond.
    a_nano: f64,
}

impl TimeSteps {
    /// The step of a moment; the first or the last for one outside the window.
    #[inline]
    #[must_use]
    pub fn of(&self, unix_nanos: u64) -> u32 {
        let last = self.firsts.len().saturating_sub(1);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is rounded is put right below"
        )]
        let near = (unix_nanos.saturating_sub(self.start) as f64 * self.a_nano) as usize;
        let mut step = near.min(last);
        let first_of = |step: usize| self.firsts.get(step).copied().unwrap_or(u64::MAX);
        while step > 0 && unix_nanos < first_of(step) {
            step -= 1;
        }
        while step < last && unix_nanos >= first_of(step + 1) {
            step += 1;
        }
        u32::try_from(step).unwrap_or(u32::MAX)
    }
}

/// The bucket of a duration: below 8 ns one for each, above eight for each power of two, all of the same width.
#[inline]
#[must_use]
pub fn bucket_of(duration: u64) -> i32 {
    let Some(shift) = duration
        .checked_ilog2()
        .and_then(|log| log.checked_sub(SUB_BITS))
    else {
        return i32::try_from(duration).unwrap_or_default();
    };
    // The highest bit is counted by the shift.
    let bucket = u64::from(shift) * SUB_BUCKETS + (duration >> shift);
    i32::try_from(bucket).unwrap_or(i32::MAX)
}

/// The shortest and the longest duration of a bucket, in nanoseconds; of a number that is none those of the nearest.
#[must_use]
pub fn bounds_of(bucket: i32) -> (u64, u64) {
    let last = DURATION_BUCKETS as u64 - 1;
    let bucket = u64::try_from(bucket).unwrap_or_default().min(last);
    let Some(above) = bucket.checked_sub(SUB_BUCKETS) else {
        return (bucket, bucket);
    };
    let (shift, place) = (above / SUB_BUCKETS, above % SUB_BUCKETS);
    let low = (SUB_BUCKETS + place) << shift;
    (low, low + ((1 << shift) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(window: (u64, u64), time_steps: u32) -> OverviewRequest {
        OverviewRequest {
            tenant: TenantId::default(),
            predicate: Predicate::All,
            window: Window {
                start: window.0,
                end: window.1,
            },
            trace_duration: ANY_DURATION,
            of: OverviewOf::Spans,
            time_steps,
            facets: Vec::new(),
            facet_values_max: 10,
            rows_max: 10,
        }
    }

    #[test]
    fn buckets_are_narrow_and_hold_what_is_sorted_into_them() {
        let mut durations: Vec<u64> = (0..300).collect();
        for power in 3..64 {
            let two = 1u64 << power;
            durations.extend([two - 1, two, two + 1, two + two / 8, two / 8 * 9 - 1]);
        }
        durations.push(u64::MAX);
        durations.sort_unstable();
        for pair in durations.windows(2) {
            assert!(bucket_of(pair[0]) <= bucket_of(pair[1]), "{pair:?}");
        }
        for duration in durations {
            let (low, high) = bounds_of(bucket_of(duration));
            assert!(low <= duration && duration <= high, "{duration}");
            assert!(high - low <= low / 8, "{duration}");
        }
        let mut before = None;
        for bucket in 0..i32::try_from(DURATION_BUCKETS).unwrap() {
            let (low, high) = bounds_of(bucket);
            assert_eq!(before.map_or(0, |before: u64| before + 1), low);
            assert_eq!((bucket_of(low), bucket_of(high)), (bucket, bucket));
            before = Some(high);
        }
        assert_eq!(before, Some(u64::MAX));
        assert_eq!(bounds_of(-1), bounds_of(0));
        assert_eq!(bounds_of(i32::MAX).1, u64::MAX);
    }

    #[test]
    fn steps_are_equal_parts_of_the_window() {
        let steps = request((100, 109), 5).steps();
        let of: Vec<u32> = (98..112).map(|nanos| steps.of(nanos)).collect();
        assert_eq!(of, [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4]);
        // More steps than nanoseconds.
        let steps = request((7, 9), 10).steps();
        assert_eq!([7, 8, 9].map(|nanos| steps.of(nanos)), [0, 3, 6]);
        let steps = request((0, u64::MAX), 1_000).steps();
        for step in 0..1_000u32 {
            let first = (u128::from(step) << 64).div_ceil(1_000);
            let first = u64::try_from(first).unwrap();
            assert_eq!(steps.of(first), step);
            assert_eq!(steps.of(first.saturating_sub(1)), step.saturating_sub(1));
        }
        assert_eq!(steps.of(u64::MAX), 999);
    }

    #[test]
    fn what_asks_for_too_much_is_refused() {
        let refused = |change: &dyn Fn(&mut OverviewRequest)| {
            let mut request = request((0, 9), 5);
            change(&mut request);
            request.check().is_err()
        };
        assert!(!refused(&|_| {}));
        assert!(refused(&|request| request.time_steps = 0));
        assert!(refused(&|request| request.time_steps = 1_001));
        assert!(refused(&|request| request.window.start = 10));
        assert!(refused(&|request| request.facets = vec![Field::Name; 21]));
        assert!(refused(&|request| request.facets = vec![Field::Duration]));
        assert!(refused(&|request| request.facet_values_max = 10_001));
        assert!(!refused(&|request| request.facets = vec![Field::Name; 20]));
    }
}
