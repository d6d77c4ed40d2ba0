//! Looks at all row groups of a view, on few threads at once.
//!
//! Promises: what a segment gives counts wholly or, when a part of it can't be read, not at all; then it is named.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::contract::ReadError;
use plumbing::Tasks;

use crate::engine::{Engine, Placed, View};
use crate::meter::Meter;
use crate::segment::SegmentError;

use super::splits::Splits;
use super::{Skips, taken_back};

/// A row group of a segment of the view.
#[derive(Debug)]
pub(super) struct GroupPlace<'a> {
    /// The segment's place in the view.
    pub at: usize,
    pub placed: &'a Placed,
    /// Counted in the segment.
    pub rows: Range<usize>,
}

impl Engine {
    /// Does the same with every row group and gives what came of it, in order. What the meter doesn't allow is left
    /// out.
    pub(super) fn each_group<T: Send>(
        &self,
        view: &View,
        splits: &Splits,
        (meter, skips): (&Meter<'_>, &mut Skips),
        look: impl Fn(&GroupPlace<'_>) -> Result<T, SegmentError> + Sync,
    ) -> Result<Vec<(usize, T)>, ReadError> {
        let mut places: Vec<GroupPlace<'_>> = Vec::new();
        // The newest first: when not everything may be looked at, that is what is asked for.
        let segments = view.segments.iter().enumerate().rev();
        for (at, placed) in segments.filter(|(at, _)| splits.has_read(*at)) {
            match placed.segment.spans_footer() {
                Ok(footer) => places.extend(footer.groups.iter().rev().map(|group| GroupPlace {
                    at,
                    placed,
                    rows: group.rows.clone(),
                })),
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        let next = AtomicUsize::new(0);
        let threads = self.options.scan_threads.clamp(1, places.len().max(1));
        let looked = Tasks::side_by_side(threads, |_| {
            let mut found = Vec::new();
            while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = look(place);
                let is_over = matches!(&result, Err(SegmentError::Cancelled | SegmentError::Spent));
                found.push((place, result));
                if is_over {
                    break;
                }
            }
            found
        });
        if meter.is_cancelled() {
            return Err(taken_back());
        }
        let mut failed: BTreeSet<usize> = BTreeSet::new();
        let mut found: Vec<(usize, usize, T)> = Vec::new();
        for (place, result) in looked.into_iter().flatten() {
            match result {
                Ok(result) => found.push((place.at, place.rows.start, result)),
                Err(SegmentError::Spent) => {}
                Err(error) => {
                    failed.insert(place.at);
                    self.skip_once(place.placed, &error, skips)?;
                }
            }
        }
        found.retain(|(at, ..)| !failed.contains(at));
        found.sort_unstable_by_key(|(at, row, _)| (*at, *row));
        Ok(found
            .into_iter()
            .map(|(at, _, found)| (at, found))
            .collect())
    }
}
