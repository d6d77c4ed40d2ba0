//! Points by step of time and bucket of duration, with one to look at for each.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "steps and buckets are few, and none is negative"
)]

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::overview::{DURATION_BUCKETS, TimeSteps, bucket_of};

/// No cell yet.
const NONE: u32 = u32::MAX;

/// Where a point is: a place, whose meaning its maker knows, and a row there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PointRef {
    pub place: u32,
    pub row: u32,
}

/// A point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub start: u64,
    pub duration: u64,
    pub is_error: bool,
    pub at: PointRef,
}

/// The points of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellSum {
    pub step: u32,
    pub bucket: i32,
    pub count: u64,
    pub errors: u64,
    pub slowest: (u64, PointRef),
    pub failed: Option<(u64, PointRef)>,
}

/// Cells that grow: at most one for each step and bucket.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// By step: by bucket the place of its cell.
    places: HashMap<u32, Box<[u32; DURATION_BUCKETS]>, RandomState>,
    pub sums: Vec<CellSum>,
    /// The step that was used last, with its places.
    last: Option<(u32, Box<[u32; DURATION_BUCKETS]>)>,
}

impl Cells {
    /// Adds a point.
    #[inline]
    pub(super) fn add(&mut self, steps: &TimeSteps, point: &Point) {
        let failed = point.is_error.then_some((point.duration, point.at));
        self.put(CellSum {
            step: steps.of(point.start),
            bucket: bucket_of(point.duration),
            count: 1,
            errors: u64::from(point.is_error),
            slowest: (point.duration, point.at),
            failed,
        });
    }

    /// Adds all points of others.
    pub(super) fn absorb(&mut self, other: Self) {
        other.sums.into_iter().for_each(|sum| self.put(sum));
    }

    #[inline]
    fn put(&mut self, sum: CellSum) {
        if self.last.as_ref().is_none_or(|(step, _)| *step != sum.step) {
            self.turn_to(sum.step);
        }
        let Some(place) = self
            .last
            .as_mut()
            .and_then(|(_, places)| places.get_mut(sum.bucket as usize))
        else {
            return;
        };
        let Some(cell) = self.sums.get_mut(*place as usize) else {
            *place = self.sums.len() as u32;
            self.sums.push(sum);
            return;
        };
        cell.count += sum.count;
        cell.errors += sum.errors;
        if sum.slowest.0 > cell.slowest.0 {
            cell.slowest = sum.slowest;
        }
        if let Some(failed) = sum.failed
            && cell.failed.is_none_or(|known| failed.0 > known.0)
        {
            cell.failed = Some(failed);
        }
    }

    fn turn_to(&mut self, step: u32) {
        if let Some((before, places)) = self.last.take() {
            self.places.insert(before, places);
        }
        let places = self.places.remove(&step);
        let places = places.unwrap_or_else(|| Box::new([NONE; DURATION_BUCKETS]));
        self.last = Some((step, places));
    }

    /// All, by step, then bucket.
    pub(super) fn into_sorted(self) -> Vec<CellSum> {
        let mut sums = self.sums;
        sums.sort_unstable_by_key(|sum| (sum.step, sum.bucket));
        sums
    }
}
