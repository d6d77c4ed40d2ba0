//! Warnings that somebody outside can cause as often as they like: one in a while is told, the others are counted.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// At most one is told in so long.
const PERIOD: Duration = Duration::from_secs(10);

/// Warnings of one kind.
#[derive(Debug, Default)]
pub struct Complaints {
    state: Mutex<State>,
}

/// When one was told last, and how many were not since.
#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    untold: u64,
}

impl Complaints {
    /// Tells whether it is time for one, and how many were left out before it.
    pub fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        // A std mutex: it is held for a comparison.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = state
            .last
            .is_none_or(|last| now.duration_since(last) >= PERIOD);
        if !is_due {
            state.untold += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_while_is_told_with_the_number_of_those_that_were_not() {
        let (complaints, begin) = (Complaints::default(), Instant::now());
        assert_eq!(complaints.due_at(begin), Some(0));
        assert_eq!(complaints.due_at(begin), None);
        assert_eq!(complaints.due_at(begin + PERIOD / 2), None);
        assert_eq!(complaints.due_at(begin + PERIOD), Some(2));
        assert_eq!(complaints.due_at(begin + PERIOD), None);
    }
}
