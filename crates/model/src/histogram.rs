//! Durations counted in buckets whose bounds grow by a constant factor, so that quantiles are right to 0.55 % whatever
//! the durations are, and histograms of any origin can be added up.
//!
//! It is OpenTelemetry's base-2 exponential histogram at scale 6: bucket `i` holds durations above 2^(i/64) and up to
//! 2^((i+1)/64) nanoseconds. Durations of zero and below are counted apart.
//!
//! Promises: the bucket of a duration is found with whole numbers alone, so every machine finds the same one.
//!
//! Source: "Exponential Buckets" in the metrics data model of the OpenTelemetry specification.

/// 2^[`SCALE`] buckets to each doubling.
const SCALE: u32 = 6;
const BUCKETS_PER_OCTAVE: usize = 1 << SCALE;
/// Bits behind the point of [`BOUNDS`].
const POINT: u32 = 63;

/// 2^(i/64) with [`POINT`] bits behind the point, rounded down.
static BOUNDS: std::sync::LazyLock<[u64; BUCKETS_PER_OCTAVE]> = std::sync::LazyLock::new(bounds);

#[allow(
    clippy::cast_possible_truncation,
    reason = "all factors are below 2, so 64 bits hold them with 63 behind the point"
)]
fn bounds() -> [u64; BUCKETS_PER_OCTAVE] {
    // 2^(1/64): the square root of 2, taken six times, with 62 bits behind the point on the way.
    let mut root: u128 = 2 << 62;
    for _ in 0..SCALE {
        root = (root << 62).isqrt();
    }
    let mut bounds = [0; BUCKETS_PER_OCTAVE];
    let mut bound: u128 = 1 << 62;
    for slot in &mut bounds {
        *slot = (bound << (POINT - 62)) as u64;
        bound = (bound * root) >> 62;
    }
    bounds
}

/// How many durations there are about each length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Durations of zero and below.
    pub zeros: u64,
    /// Buckets that are not empty and how many durations each has, ascending.
    buckets: Vec<(u16, u64)>,
}

/// Counts durations of buckets that ascend, each found from the one before.
#[derive(Debug)]
pub struct Ascending<'a> {
    buckets: &'a mut Vec<(u16, u64)>,
    /// No bucket before this place is as high as the one that came last.
    at: usize,
}

/// A bucket is mostly among so many behind the one before.
const NEAR_BUCKETS: usize = 8;

impl Ascending<'_> {
    /// Counts durations of a bucket, not lower than the one before.
    pub fn add(&mut self, bucket: u16, count: u64) {
        let rest = self.buckets.get(self.at..).unwrap_or_default();
        let near = rest.get(..NEAR_BUCKETS).unwrap_or(rest);
        let is_near = near.last().is_some_and(|(last, _)| *last >= bucket);
        let among = if is_near { near } else { rest };
        self.at += among.partition_point(|(other, _)| *other < bucket);
        match self.buckets.get_mut(self.at) {
            Some((other, known)) if *other == bucket => *known = known.saturating_add(count),
            _ => self.buckets.insert(self.at, (bucket, count)),
        }
    }
}

/// The number of a duration's bucket; `None` when it is zero or below.
///
/// Numbers are one more than OpenTelemetry's, so that the first one, of a nanosecond, is 0.
#[must_use]
pub fn bucket_of(nanos: i64) -> Option<u16> {
    let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos > 0)?;
    let zeros = nanos.leading_zeros();
    let (octave, mantissa) = ((63 - zeros) as usize, nanos << zeros);
    // The bounds below the mantissa; the first one is a whole power of two, which belongs to the bucket before.
    let below = BOUNDS.partition_point(|bound| *bound < mantissa);
    u16::try_from(octave * BUCKETS_PER_OCTAVE + below).ok()
}

/// The upper bound of a bucket in nanoseconds; the lower one is that of the bucket before.
#[must_use]
pub fn upper_bound(bucket: u16) -> f64 {
    (f64::from(bucket) / 64.0).exp2()
}

/// The duration that stands for a bucket: as far from both bounds, in proportion.
fn middle(bucket: u16) -> f64 {
    ((f64::from(bucket) - 0.5) / 64.0).exp2()
}

impl Histogram {
    /// Buckets that are not empty with how many durations each has, ascending; see [`bucket_of`].
    #[must_use]
    pub fn buckets(&self) -> &[(u16, u64)] {
        &self.buckets
    }

    /// How many durations there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self.buckets.iter().map(|(_, count)| *count);
        self.zeros
            .saturating_add(counts.fold(0, u64::saturating_add))
    }

    /// Counts a duration.
    pub fn add(&mut self, nanos: i64) {
        match bucket_of(nanos) {
            Some(bucket) => self.add_bucket(bucket, 1),
            None => self.zeros = self.zeros.saturating_add(1),
        }
    }

    /// Counts durations of a bucket.
    pub fn add_bucket(&mut self, bucket: u16, count: u64) {
        // Mostly they come in ascending order.
        if self.buckets.last().is_none_or(|(last, _)| *last < bucket) {
            self.buckets.push((bucket, count));
            return;
        }
        self.ascending().add(bucket, count);
    }

    /// To count durations of several buckets, which ascend.
    pub fn ascending(&mut self) -> Ascending<'_> {
        Ascending {
            buckets: &mut self.buckets,
            at: 0,
        }
    }

    /// Adds up.
    pub fn merge(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_add(other.zeros);
        let mut ours = self.ascending();
        for (bucket, count) in &other.buckets {
            ours.add(*bucket, *count);
        }
    }

    /// The duration in nanoseconds that a share `quantile` (0 to 1) of all durations does not exceed, to 0.55 %; `None`
    /// when there are none.
    ///
    /// It is that of the duration whose rank is the share of the count, rounded up, counted from 1.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "ranks beyond 2^53 are not told apart, which no quantile shows"
    )]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((quantile.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count);
        let mut seen = self.zeros;
        if rank <= seen {
            return Some(0.0);
        }
        for (bucket, count) in &self.buckets {
            seen = seen.saturating_add(*count);
            if rank <= seen {
                return Some(middle(*bucket));
            }
        }
        None
    }
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "ranks of a few hundred numbers"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bucket_holds_what_is_above_its_lower_bound_up_to_its_upper_one() {
        // Powers of two are upper bounds.
        for octave in 0..63u16 {
            let power = 1i64 << octave;
            assert_eq!(bucket_of(power), Some(octave * 64));
            assert!(bucket_of(power + 1).is_some_and(|b| b > octave * 64));
        }
        assert_eq!(bucket_of(0), None);
        assert_eq!(bucket_of(-5), None);
        assert_eq!(bucket_of(i64::MAX), Some(63 * 64));
        // 2^(40 + 1/64) is 1,111,484,524,408.02.
        assert_eq!(bucket_of(1_111_484_524_408), Some(40 * 64 + 1));
        assert_eq!(bucket_of(1_111_484_524_409), Some(40 * 64 + 2));
    }

    proptest! {
        #[test]
        fn a_duration_lies_between_the_bounds_of_its_bucket(nanos in 1i64..i64::MAX) {
            let bucket = bucket_of(nanos).unwrap();
            let close = 1.0 + 1e-12;
            prop_assert!(nanos as f64 <= upper_bound(bucket) * close);
            if bucket > 0 {
                prop_assert!(nanos as f64 * close > upper_bound(bucket - 1));
            }
        }

        #[test]
        fn buckets_that_ascend_are_counted_as_single_ones_are(
            parts in prop::collection::vec(prop::collection::vec((0u16..400, 1u64..9), 0..40), 0..8),
        ) {
            let (mut ascending, mut single) = (Histogram::default(), Histogram::default());
            for mut part in parts {
                part.sort_unstable();
                let mut into = ascending.ascending();
                for (bucket, count) in part {
                    into.add(bucket, count);
                    single.add_bucket(bucket, count);
                }
            }
            prop_assert_eq!(ascending, single);
        }

        #[test]
        fn quantiles_are_right_to_less_than_a_percent_however_the_parts_are_added(
            mut nanos in prop::collection::vec(prop_oneof![1i64..50, 1_000i64..9_000_000, 0i64..i64::MAX], 1..300),
            quantile in 0.0f64..1.0,
        ) {
            let mut whole = Histogram::default();
            for part in nanos.chunks(7).rev() {
                let mut histogram = Histogram::default();
                part.iter().for_each(|nanos| histogram.add(*nanos));
                whole.merge(&histogram);
            }
            prop_assert_eq!(whole.count(), nanos.len() as u64);
            nanos.sort_unstable();
            let rank = ((quantile * nanos.len() as f64).ceil() as usize).clamp(1, nanos.len());
            let (exact, told) = (nanos[rank - 1] as f64, whole.quantile(quantile).unwrap());
            prop_assert!((told - exact).abs() <= exact * 0.0055, "{} for {}", told, exact);
        }
    }
}
