//! Stores of others: each keeps spans and finds them through `model::contract`, as the embedded store does.
//!
//! - [`cassandra`]: Cassandra, in Jaeger's layout.
//! - [`elastic`]: Elasticsearch or OpenSearch, in Jaeger's layout.
//! - [`kafka`]: no store, but the way to one: a topic that collectors write and ingesters read.
//! - [`remote`]: a server of Jaeger's storage API over gRPC.
//! - [`sums`]: counts by minute, kept beside the spans in stores that can't count by themselves.
//!
//! Promises: an answer is exact, or says what it can't be sure of, or is an error that names what the store can't do.

mod calls;
pub mod cassandra;
mod credentials;
mod dependencies;
pub mod elastic;
mod examine;
mod facts;
mod found;
pub mod kafka;
mod lately;
mod numbers;
pub mod remote;
mod secret;
pub mod sums;
mod trouble;
mod walk;
mod words;

pub use credentials::{CredentialKind, Credentials};
pub use dependencies::CallLimits;
pub use examine::{Finding, State};
pub use secret::{PasswordSource, Secret};

/// What a question comes to when the pool has no room for its work.
#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
pub(crate) fn busy(error: plumbing::PoolError) -> model::contract::ReadError {
    model::contract::ReadError::Busy {
        reason: error.to_string(),
    }
}
