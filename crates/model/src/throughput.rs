//! How many traces begin at which operation, and with which probability clients are told to record them: what
//! collectors that decide together share through the storage.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contract::Answer;

/// Operations whose probabilities are decided; those that come later are told the usual probability.
pub const OPERATIONS_MAX: usize = 5_000;
/// A name of a service or an operation that is longer gets no probability of its own: it would be kept for days.
pub const NAME_BYTES_MAX: usize = 256;

/// Traces that began at one operation within a slice of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Throughput {
    /// The service of the first span.
    pub service: String,
    /// Its name.
    pub operation: String,
    /// Traces of which nobody knows with which probability they were recorded.
    pub plain: u64,
    /// Traces of which it is known.
    pub told: u64,
    /// Those counted as what they stand for: the sum of 1 / probability.
    pub told_weight: f64,
}

/// What one collector counted in a slice of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThroughputSlice {
    /// Where the slice begins, ns since the epoch.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// By service and operation, each once.
    pub of: Vec<Throughput>,
}

/// With which probability clients record the traces of an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// From 0 to 1.
    pub probability: f64,
    /// Since when clients are told it, ns since the epoch.
    pub since: u64,
    /// When a trace of it was last seen, ns since the epoch.
    pub seen: u64,
}

/// All that was decided, by service and operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decisions {
    /// When, ns since the epoch.
    pub made: u64,
    /// By service, then by operation.
    pub of: BTreeMap<String, BTreeMap<String, Decision>>,
}

/// Says why throughput or decisions could not be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what clients are to record can't be {action}: {reason}")]
pub struct SamplingStoreError {
    /// `kept` or `read`.
    pub action: &'static str,
    /// What happened.
    pub reason: String,
}

/// Keeps what collectors share that decide about sampling together.
pub trait SamplingStore: Send + Sync + std::fmt::Debug {
    /// Keeps what was counted in a slice.
    fn add_throughput(
        &self,
        slice: ThroughputSlice,
    ) -> Answer<'static, Result<(), SamplingStoreError>>;

    /// All slices that end at this moment or later, of all collectors.
    fn throughput(
        &self,
        from: u64,
    ) -> Answer<'static, Result<Vec<ThroughputSlice>, SamplingStoreError>>;

    /// Keeps what was decided in place of what was decided before.
    fn decide(&self, decisions: Decisions) -> Answer<'static, Result<(), SamplingStoreError>>;

    /// What was decided last.
    fn decisions(&self) -> Answer<'static, Result<Decisions, SamplingStoreError>>;

    /// After how long what other collectors keep can be read: zero where there are none.
    fn settles_after(&self) -> Duration;

    /// Asks to be the one that decides, for so long; true where nobody else does.
    fn lead(&self, period: Duration) -> Answer<'static, Result<bool, SamplingStoreError>>;
}
