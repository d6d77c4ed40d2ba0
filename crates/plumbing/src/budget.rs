//! A budget of bytes that several tasks draw on; never waits, always says no at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Says how much was asked for and how much the budget allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{asked} bytes more would take {used} bytes in use over the limit of {limit}")]
pub struct BudgetExceeded {
    /// Bytes that were asked for.
    pub asked: u64,
    /// Bytes in use when they were asked for.
    pub used: u64,
    /// The most that may be in use.
    pub limit: u64,
}

#[derive(Debug)]
struct Shared {
    used: AtomicU64,
    peak: AtomicU64,
    limit: u64,
}

/// A number of bytes that may be in use at once. Clones draw on the same number.
#[derive(Debug, Clone)]
pub struct ByteBudget {
    shared: Arc<Shared>,
}

impl ByteBudget {
    /// Makes a budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                used: AtomicU64::new(0),
                peak: AtomicU64::new(0),
                limit,
            }),
        }
    }

    /// Takes bytes until the reservation is dropped, or says at once that they can't be had.
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, BudgetExceeded> {
        let mut reservation = Reservation {
            budget: self.clone(),
            bytes: 0,
        };
        reservation.grow(bytes)?;
        Ok(reservation)
    }

    /// Bytes in use now.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.shared.used.load(Ordering::Relaxed)
    }

    /// The most bytes that were ever in use at once.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.shared.peak.load(Ordering::Relaxed)
    }

    /// The most bytes that may be in use at once.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.shared.limit
    }
}

/// Bytes taken from a [`ByteBudget`]; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: ByteBudget,
    bytes: u64,
}

impl Reservation {
    /// Takes more bytes; on refusal the reservation stays as it was.
    pub fn grow(&mut self, bytes: u64) -> Result<(), BudgetExceeded> {
        let shared = &self.budget.shared;
        let taken = shared
            .used
            .try_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= shared.limit)
            });
        match taken {
            Ok(before) => {
                shared.peak.fetch_max(before + bytes, Ordering::Relaxed);
                self.bytes += bytes;
                Ok(())
            }
            Err(used) => Err(BudgetExceeded {
                asked: bytes,
                used,
                limit: shared.limit,
            }),
        }
    }

    /// Gives back what is above `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.budget.shared.used.fetch_sub(surplus, Ordering::AcqRel);
        self.bytes -= surplus;
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_over_the_limit_and_gives_back_on_drop() {
        let budget = ByteBudget::new(100);
        let mut first = budget.reserve(60).unwrap();
        assert_eq!(
            budget.reserve(41).unwrap_err(),
            BudgetExceeded {
                asked: 41,
                used: 60,
                limit: 100
            }
        );
        first.grow(40).unwrap();
        assert!(first.grow(1).is_err());
        first.shrink_to(10);
        assert_eq!(budget.used(), 10);
        drop(first);
        assert_eq!((budget.used(), budget.peak()), (0, 100));
    }
}
