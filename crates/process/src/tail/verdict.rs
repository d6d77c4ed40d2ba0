//! Judges whole traces by the policies.
//!
//! - *Probability*: by a hash of the trace's id that never changes, so that every process, at any time, says the same
//!   of a trace; it has nothing to do with the bits by which clients and the step `sample` decide.
//! - *Rate*: so many of the traces that start in the same second, by the times in their spans, of a tenant. They are
//!   remembered, so that a trace that is judged twice gets the same answer. A restart forgets them: then a second whose
//!   traces are judged before and after it may keep twice as many.
//!
//! Bounds: [`GRANTS_MAX`] traces that rates let pass are remembered, in all policies together; the seconds that came
//! first are forgotten first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use model::contract::{TraceJudge, Verdict, WholeTrace};
use model::{TenantId, TraceId};

use super::{DEFAULT_NAME, Keep, Policy, TailPolicies, When};

/// Traces that rates let pass and that are remembered: about 24 bytes each.
const GRANTS_MAX: usize = 100_000;
const SECOND_NANOS: u64 = 1_000_000_000;
/// OTLP's number of the status of a span that failed.
const STATUS_ERROR: i32 = 2;

/// Policies, at work.
#[derive(Debug)]
pub struct TailJudge {
    policies: Vec<Policy>,
    // A std mutex: held for a look-up.
    grants: Mutex<Grants>,
}

/// A second of a tenant, for a policy.
type Second = (usize, TenantId, u64);

/// The traces that rates let pass.
#[derive(Debug, Default)]
struct Grants {
    by_second: BTreeMap<Second, BTreeSet<u64>>,
    /// In the order in which they came.
    seconds: VecDeque<Second>,
    count: usize,
}

impl TailJudge {
    /// A judge by these policies; `None` when there is none, and all traces stay.
    #[must_use]
    pub fn new(policies: &TailPolicies) -> Option<Self> {
        (!policies.is_empty()).then(|| Self {
            policies: policies.policies.clone(),
            grants: Mutex::default(),
        })
    }

    /// How many traces that rates let pass are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        let grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        grants.by_second.values().map(BTreeSet::len).sum()
    }

    fn keeps(&self, policy: (usize, &Policy), trace: &WholeTrace<'_>) -> bool {
        match policy.1.keep {
            Keep::Always => true,
            Keep::Never => false,
            Keep::Probability(share) => is_within(trace.trace_id, share),
            Keep::PerSecond(most) => {
                let second = trace.start / SECOND_NANOS;
                let second = (policy.0, trace.tenant.clone(), second);
                let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
                grants.take(second, hash_of(trace.trace_id), most)
            }
        }
    }
}

impl TraceJudge for TailJudge {
    fn policies(&self) -> Vec<String> {
        let names = self.policies.iter().map(|policy| policy.name.clone());
        names.chain([DEFAULT_NAME.to_owned()]).collect()
    }

    fn judge(&self, trace: &WholeTrace<'_>) -> Verdict {
        let mut policies = self.policies.iter().enumerate();
        match policies.find(|(_, policy)| policy.when.fits(trace)) {
            Some((at, policy)) => Verdict {
                is_kept: self.keeps((at, policy), trace),
                policy: at,
            },
            None => Verdict {
                is_kept: true,
                policy: self.policies.len(),
            },
        }
    }
}

impl When {
    /// Whether all that is asked for is true of a trace; what costs least is looked at first.
    fn fits(&self, trace: &WholeTrace<'_>) -> bool {
        let lasts = trace.end.saturating_sub(trace.start);
        if self.slower_than.is_some_and(|nanos| lasts <= nanos) {
            return false;
        }
        let spans = || trace.rows.iter().filter_map(|row| trace.spans.span(*row));
        let has_error = || spans().any(|span| span.status() == STATUS_ERROR);
        if self.errors.is_some_and(|errors| errors != has_error()) {
            return false;
        }
        let is_of = || spans().any(|span| self.services.contains(span.service()));
        if !self.services.is_empty() && !is_of() {
            return false;
        }
        let query = self.query.as_ref();
        query.is_none_or(|query| query.holds(trace.spans, trace.rows))
    }
}

impl Grants {
    /// Lets a trace pass, if so many of its second have not.
    fn take(&mut self, second: Second, trace: u64, most: u64) -> bool {
        if !self.by_second.contains_key(&second) {
            self.seconds.push_back(second.clone());
        }
        let passed = self.by_second.entry(second).or_default();
        if passed.contains(&trace) {
            return true;
        }
        if passed.len() as u64 >= most {
            return false;
        }
        passed.insert(trace);
        self.count += 1;
        while self.count > GRANTS_MAX {
            let Some(first) = self.seconds.pop_front() else {
                break;
            };
            self.count -= self.by_second.remove(&first).map_or(0, |of| of.len());
        }
        true
    }
}

/// Whether a trace is in a share of all.
fn is_within(trace_id: TraceId, share: f64) -> bool {
    // 2^53 numbers are told apart exactly.
    const BITS: u32 = 53;
    #[allow(
        clippy::cast_precision_loss,
        reason = "both are at most 2^53, which a double holds"
    )]
    let (place, all) = (
        (hash_of(trace_id) >> (64 - BITS)) as f64,
        (1u64 << BITS) as f64,
    );
    place < share * all
}

/// A hash of an id, which must never change: a trace that was dropped must not be kept by the next version.
///
/// *Source*: the finaliser of `splitmix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators").
fn hash_of(trace_id: TraceId) -> u64 {
    let id = u128::from_be_bytes(trace_id.0);
    #[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let (high, low) = ((id >> 64) as u64, id as u64);
    mix(high ^ mix(low))
}

fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
