//! How much a question may look at, and whether somebody still waits for its answer.
//!
//! Promises: what is looked at is counted before it is read, so no question costs more than it may, however much is
//! stored; several threads may draw on the same meter.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::contract::Skipped;

use crate::segment::SegmentError;

/// Tells whether the asker went away.
pub(crate) type IsCancelled<'a> = &'a (dyn Fn() -> bool + Sync);

/// What a row costs that is read whole, in rows that are judged on columns: about 1 µs against a few ns.
pub(crate) const WHOLE_ROW_COST: u64 = 256;

/// What a question may still look at.
pub(crate) struct Meter<'a> {
    is_cancelled: IsCancelled<'a>,
    rows_max: u64,
    rows_left: AtomicU64,
    is_spent: AtomicBool,
}

impl std::fmt::Debug for Meter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Meter({:?} of {})", self.rows_left, self.rows_max)
    }
}

impl<'a> Meter<'a> {
    pub(crate) fn new(rows_max: u64, is_cancelled: IsCancelled<'a>) -> Self {
        Self {
            is_cancelled,
            rows_max,
            rows_left: AtomicU64::new(rows_max),
            is_spent: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        (self.is_cancelled)()
    }

    /// Takes the cost of some rows, or says why they must not be looked at.
    pub(crate) fn take(&self, rows: u64) -> Result<(), SegmentError> {
        if self.is_cancelled() {
            return Err(SegmentError::Cancelled);
        }
        let take = |left: u64| left.checked_sub(rows);
        let order = Ordering::Relaxed;
        if self.rows_left.fetch_update(order, order, take).is_err() {
            self.is_spent.store(true, order);
            return Err(SegmentError::Spent);
        }
        Ok(())
    }

    /// Tells whether something was not looked at.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    /// What is said in an answer for which not everything was looked at.
    pub(crate) fn skipped(&self) -> Option<Skipped> {
        let is_told = self.is_spent() && !plumbing::planted("store-budget-not-told");
        is_told.then(|| Skipped {
            what: "a part of the stored spans".to_owned(),
            why: format!(
                "the question may look at {} rows and needs more; ask for less time or for rarer \
                 values",
                self.rows_max
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_looked_at_than_may_be_and_that_is_said() {
        let meter = Meter::new(10, &|| false);
        assert!(meter.take(6).is_ok());
        assert_eq!(meter.skipped(), None);
        assert!(matches!(meter.take(5), Err(SegmentError::Spent)));
        assert!(meter.is_spent() && meter.skipped().is_some());
        let cancelled = Meter::new(10, &|| true);
        assert!(matches!(cancelled.take(1), Err(SegmentError::Cancelled)));
        assert!(!cancelled.is_spent());
    }
}
