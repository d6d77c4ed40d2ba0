//! A circuit breaker before a store: while it is known to be away, nobody waits for it to say so again.
//!
//! ```text
//! closed ──(FAILURES_MAX in a row)──▶ open ──(the pause is over)──▶ one probe ──▶ closed, or open for longer
//! ```
//!
//! Promises
//! - While it is open nothing is tried; then one write finds out for all. The pause is a random part of a time that
//!   doubles with each probe that fails, so that many programs do not come back at the same moment.
//! - A probe that is given up without an answer lets the next one try.
//! - Its state is a metric, and is said in the log when it changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plumbing::{Clock, Metrics, Random};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;
use tokio::time::timeout;

/// So many writes in a row that find the store away open the circuit.
pub(crate) const FAILURES_MAX: u32 = 5;
/// More probes that fail make no longer pause: 2^19 times the least is a week.
const DOUBLINGS_MAX: u32 = 19;

/// How long a store is left alone.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
    /// The first pause; doubled each time.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            min: Duration::from_millis(250),
            max: Duration::from_secs(5),
        }
    }
}

impl Pauses {
    /// A random part of the pause after so many failures (full jitter).
    pub(crate) fn after(&self, failures: u32, random: &dyn Random) -> Duration {
        let (min, max) = (nanos(self.min), nanos(self.max));
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        let longest = min.saturating_mul(1 << doublings).min(max);
        Duration::from_nanos(random.below(longest.saturating_add(1)))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What is known of a store.
#[derive(Debug, Clone)]
enum State {
    /// Writes are tried; so many in a row have failed.
    Closed { failures: u32 },
    /// None is tried before a moment of the monotonic clock. So many probes have failed since.
    Open { until_nanos: u64, away: Away },
    /// One is on its way to find out.
    Probing { away: Away },
}

/// How a store is away.
#[derive(Debug, Clone)]
struct Away {
    probes: u32,
    reason: String,
}

/// Why nothing may be tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) reason: String,
    /// After so long something may be tried; none: when the probe has its answer.
    pub(crate) wait: Option<Duration>,
}

/// A circuit breaker; shared by all who write to one store.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// Where the store is, for people.
    place: String,
    pauses: Pauses,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// A std mutex: held for a few comparisons, never across an await.
    state: Mutex<State>,
    changed: Notify,
    is_open: Gauge,
    opened: Counter,
}

/// That a write may be tried. Its end is told; dropped, it says nothing of the store.
#[derive(Debug)]
pub(crate) struct Permit {
    breaker: Arc<Breaker>,
    is_probe: bool,
    is_told: bool,
}

impl Breaker {
    pub(crate) fn new(
        place: String,
        pauses: Pauses,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        metrics: &Metrics,
    ) -> Self {
        let (is_open, opened) = (Gauge::default(), Counter::default());
        metrics.register(|registry| {
            registry.register(
                "trackway_backend_circuit_is_open",
                "Whether writes are not tried since the store is away: 1 or 0",
                is_open.clone(),
            );
            registry.register(
                "trackway_backend_circuit_opened",
                "How often that began",
                opened.clone(),
            );
        });
        Self {
            place,
            pauses,
            clock,
            random,
            state: Mutex::new(State::Closed { failures: 0 }),
            changed: Notify::new(),
            is_open,
            opened,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a write be tried, or says why not.
    pub(crate) fn try_enter(self: &Arc<Self>) -> Result<Permit, Blocked> {
        let mut state = self.state();
        let is_probe = match &*state {
            State::Closed { .. } => false,
            State::Open { until_nanos, away } => {
                let left = until_nanos.saturating_sub(self.clock.monotonic_nanos());
                let is_over = left == 0 || plumbing::planted("backend-circuit-never-open");
                if !is_over {
                    return Err(self.blocked(away, Some(Duration::from_nanos(left))));
                }
                let away = away.clone();
                *state = State::Probing { away };
                true
            }
            State::Probing { away } => return Err(self.blocked(away, None)),
        };
        Ok(Permit {
            breaker: Arc::clone(self),
            is_probe,
            is_told: false,
        })
    }

    /// Waits until a write may be tried.
    pub(crate) async fn enter(self: &Arc<Self>) -> Permit {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.try_enter() {
                Ok(permit) => return permit,
                // Either way it is looked again.
                Err(Blocked {
                    wait: Some(wait), ..
                }) => drop(timeout(wait, changed).await),
                Err(Blocked { wait: None, .. }) => changed.await,
            }
        }
    }

    /// Why nothing is tried now, if so.
    pub(crate) fn trouble(&self) -> Option<String> {
        match &*self.state() {
            State::Closed { .. } => None,
            State::Open { until_nanos, away } => {
                let is_over = *until_nanos <= self.clock.monotonic_nanos();
                (!is_over).then(|| self.blocked(away, None).reason)
            }
            State::Probing { away } => Some(self.blocked(away, None).reason),
        }
    }

    /// The last that was heard of a store that is away, also when it may be tried again.
    pub(crate) fn last_reason(&self) -> Option<String> {
        match &*self.state() {
            State::Closed { .. } => None,
            State::Open { away, .. } | State::Probing { away } => Some(away.reason.clone()),
        }
    }

    fn blocked(&self, away: &Away, wait: Option<Duration>) -> Blocked {
        let (place, reason) = (&self.place, &away.reason);
        Blocked {
            reason: format!(
                "{place} is not written to for a moment, since the last writes failed: {reason}"
            ),
            wait,
        }
    }

    fn note_answer(&self) {
        let mut state = self.state();
        if !matches!(&*state, State::Closed { .. }) {
            self.is_open.set(0);
            tracing::info!(store = self.place, "the store takes writes again");
        }
        *state = State::Closed { failures: 0 };
        drop(state);
        self.changed.notify_waiters();
    }

    fn note_absence(&self, is_probe: bool, reason: &str) {
        let mut state = self.state();
        let probes = match &*state {
            State::Closed { failures } if failures + 1 < FAILURES_MAX => {
                let failures = failures + 1;
                *state = State::Closed { failures };
                return;
            }
            State::Closed { .. } => {
                self.is_open.set(1);
                self.opened.inc();
                tracing::warn!(
                    store = self.place,
                    error = reason,
                    "the store does not take writes: none is tried for a while"
                );
                1
            }
            State::Probing { away } if is_probe => away.probes.saturating_add(1),
            // Those that were under way when the circuit opened say what is known.
            State::Open { .. } | State::Probing { .. } => return,
        };
        let pause = self.pauses.after(probes, &*self.random);
        let away = Away {
            probes,
            reason: reason.to_owned(),
        };
        *state = State::Open {
            until_nanos: self.clock.monotonic_nanos().saturating_add(nanos(pause)),
            away,
        };
        drop(state);
        self.changed.notify_waiters();
    }

    /// A probe ended without an answer.
    fn forget_probe(&self) {
        let mut state = self.state();
        if let State::Probing { away } = &*state {
            let away = away.clone();
            *state = State::Open {
                until_nanos: 0,
                away,
            };
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

impl Permit {
    /// The store has answered, whatever it said.
    pub(crate) fn answered(mut self) {
        self.is_told = true;
        self.breaker.note_answer();
    }

    /// The store is away, and why.
    pub(crate) fn away(mut self, reason: &str) {
        self.is_told = true;
        self.breaker.note_absence(self.is_probe, reason);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_probe && !self.is_told {
            self.breaker.forget_probe();
        }
    }
}

#[cfg(test)]
mod tests {
    use plumbing::{ManualClock, SeededRandom};

    use super::*;

    const PAUSES: Pauses = Pauses {
        min: Duration::from_secs(1),
        max: Duration::from_secs(4),
    };

    fn breaker() -> (Arc<Breaker>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(1));
        let random = Arc::new(SeededRandom::new(3));
        let breaker = Breaker::new(
            "a store".to_owned(),
            PAUSES,
            Arc::clone(&clock) as Arc<dyn Clock>,
            random,
            &Metrics::new(),
        );
        (Arc::new(breaker), clock)
    }

    fn open(breaker: &Arc<Breaker>) {
        for _ in 0..FAILURES_MAX {
            breaker.try_enter().unwrap().away("it is away");
        }
    }

    #[test]
    fn a_few_failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let (breaker, _) = breaker();
        for _ in 0..3 {
            for _ in 1..FAILURES_MAX {
                breaker.try_enter().unwrap().away("it is away");
            }
            breaker.try_enter().unwrap().answered();
        }
        assert_eq!(breaker.trouble(), None);
        open(&breaker);
        assert_eq!((breaker.is_open.get(), breaker.opened.get()), (1, 1));
        let blocked = breaker.try_enter().unwrap_err();
        assert!(blocked.reason.ends_with(": it is away"), "{blocked:?}");
        assert!(blocked.wait.unwrap() <= PAUSES.min);
        assert_eq!(breaker.trouble(), Some(blocked.reason));
    }

    #[test]
    fn after_the_pause_one_write_finds_out_for_all() {
        let (breaker, clock) = breaker();
        open(&breaker);
        clock.advance(PAUSES.min);
        assert_eq!(breaker.trouble(), None, "a write would be tried");
        let probe = breaker.try_enter().unwrap();
        assert_eq!(breaker.try_enter().unwrap_err().wait, None);
        probe.away("still");
        assert_eq!(breaker.last_reason().as_deref(), Some("still"));
        clock.advance(2 * PAUSES.min);
        let probe = breaker.try_enter().unwrap();
        probe.answered();
        assert_eq!((breaker.is_open.get(), breaker.opened.get()), (0, 1));
        let _both = (breaker.try_enter().unwrap(), breaker.try_enter().unwrap());
    }

    #[test]
    fn a_probe_that_is_given_up_lets_the_next_one_try() {
        let (breaker, clock) = breaker();
        open(&breaker);
        clock.advance(PAUSES.min);
        drop(breaker.try_enter().unwrap());
        breaker.try_enter().unwrap().answered();
        assert_eq!(breaker.is_open.get(), 0);
    }

    #[test]
    fn those_under_way_when_it_opens_make_the_pause_no_longer() {
        let (breaker, clock) = breaker();
        let late: Vec<Permit> = (0..9).map(|_| breaker.try_enter().unwrap()).collect();
        open(&breaker);
        for permit in late {
            permit.away("it was away");
        }
        clock.advance(PAUSES.min);
        let probe = breaker.try_enter().unwrap();
        assert_eq!(breaker.last_reason().as_deref(), Some("it is away"));
        probe.answered();
    }

    #[test]
    fn pauses_are_random_and_bounded() {
        let random = SeededRandom::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for failures in [1, 2, 3, 9, 40, u32::MAX] {
            for _ in 0..50 {
                let pause = PAUSES.after(failures, &random);
                assert!(pause <= PAUSES.max);
                assert!(failures > 1 || pause <= PAUSES.min);
                seen.insert(pause);
            }
        }
        assert!(seen.len() > 200, "they differ");
    }

    #[tokio::test]
    async fn who_waits_goes_on_as_soon_as_the_probe_has_its_answer() {
        let (breaker, clock) = breaker();
        open(&breaker);
        clock.advance(PAUSES.max);
        let probe = breaker.try_enter().unwrap();
        let waiting = breaker.enter();
        tokio::pin!(waiting);
        let soon = timeout(Duration::from_millis(1), &mut waiting).await;
        assert!(soon.is_err(), "the probe has no answer yet");
        probe.answered();
        waiting.await.answered();
    }
}
