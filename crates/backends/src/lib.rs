//! Stores of others: each keeps spans and finds them through `model::contract`, as the embedded store does.
//!
//! - [`elastic`]: Elasticsearch or OpenSearch, in Jaeger's layout.
//! - [`kafka`]: no store, but the way to one: a topic that collectors write and ingesters read.
//! - [`remote`]: a server of Jaeger's storage API over gRPC.
//!
//! Promises: an answer is exact, or says what it can't be sure of, or is an error that names what the store can't do.

mod credentials;
pub mod elastic;
mod facts;
pub mod kafka;
pub mod remote;
mod secret;
mod trouble;
mod words;

pub use credentials::{CredentialKind, Credentials};
pub use secret::Secret;
