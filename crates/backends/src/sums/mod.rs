//! Counts by minute for stores that can't count by themselves: rates, errors and durations of operations, and calls
//! between services.
//!
//! ```text
//! CountingWriter ─▶ store          what the store has confirmed is counted
//!       │
//!       ▼
//!    Tally (count.rs) ─▶ Ledger    a record for each minute, kept every ten seconds
//!                           │ ▲
//!                           ▼ │    whoever answers questions, one at a time:
//!                        finish.rs callers that came to another writer are looked up in the store,
//!                           │      and the records of an hour become one
//!                           ▼
//!                        answer.rs rates and calls
//! ```
//!
//! Promises
//! - Operations are counted exactly: what the store has confirmed once is counted once. A request that is sent again
//!   though it was confirmed is counted again. A writer that is killed takes with it what it counted since its last
//!   record, ten seconds or less; the spans are not touched by that.
//! - Calls are counted where parent and child came to one writer within two minutes of one another, and where a trace
//!   has both when it is looked at some minutes later. Where so many came to different writers that not all can be
//!   looked at, those of some traces stand for all.
//! - What a store keeps of it grows with the number of operations, not of spans.
//!
//! A store takes part by being a [`Ledger`].

mod answer;
mod count;
mod finish;
mod record;
mod writer;

use std::fmt;

use model::TenantId;
use model::contract::{Answer, ReadError};

pub(crate) use answer::{calls, rates};
pub use record::Record;
pub(crate) use record::{HOUR_MINUTES, RecordId};
pub use writer::{CountingWriter, Sums, SumsMetrics, SumsParts};

/// What takes a record of an answer.
pub type Take<'a> = &'a mut (dyn FnMut(Record) + Send);

/// The hours since the epoch of an answer, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// Where records are kept: a store of others.
pub trait Ledger: Send + Sync + fmt::Debug {
    /// Keeps a record in place of the one with its id.
    fn keep(&self, record: Record) -> Answer<'_, Result<(), String>>;

    /// Gives all records of some hours, those of one hour together and the one in which they are added up last: so what
    /// is added up and forgotten meanwhile is told once.
    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        hours: Hours,
        take: Take<'a>,
    ) -> Answer<'a, Result<(), ReadError>>;

    /// Some records with calls whose callers are not known, of all tenants, that came before a minute. Those of hours
    /// long ago may be left out.
    fn open(&self, before_minute: u64) -> Answer<'_, Result<Vec<Record>, String>>;

    /// Some hours before an hour of which there are records of single minutes, of all tenants. Those of hours long ago
    /// may be left out.
    fn loose(&self, before_hour: u64) -> Answer<'_, Result<Vec<(TenantId, u64)>, String>>;

    /// Forgets records.
    fn forget<'a>(
        &'a self,
        tenant: &'a TenantId,
        records: &'a [RecordId],
    ) -> Answer<'a, Result<(), String>>;

    /// Asks to be the one who finishes records for the next [`LEAD_SECONDS`]; true where nobody else is.
    fn lead<'a>(&'a self, owner: &'a str, now_unix_millis: u64)
    -> Answer<'a, Result<bool, String>>;
}

/// How long who leads does.
pub const LEAD_SECONDS: u64 = 60;

#[cfg(test)]
mod tests;
