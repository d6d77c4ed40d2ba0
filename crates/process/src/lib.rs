//! The steps between `receive` and what keeps spans: what is cut, renamed, hidden, left out and counted.
//!
//! Promises
//! - Steps run in the order of the configuration. What they change or leave out is never written: `receive` lets go of
//!   the bytes that came.
//! - A step is a function of the span and the configuration, so a request that is sent again ends the same. The rates
//!   of `sample` are the exception.
//! - A batch that no step touches is handed on as it is; `redact` alone has it written anew in any case.
//! - Every mistake of the configuration is told at the start, with the number of the step and the key.
//!
//! Refuses: what needs other spans than the one it looks at; sockets and files. What needs whole traces is no step, and
//! is asked by whoever keeps them (`tail.rs`).
//!
//! Read next: `plan.rs` for how steps are configured, `pipeline.rs` for how they are run, `rewrite.rs` for how a batch
//! is changed. Each step has a file and a page of docs/process.

mod attributes;
mod filter;
mod limit;
mod metrics;
mod pipeline;
mod plan;
mod reader;
mod redact;
mod rewrite;
mod sample;
mod tail;
mod weight;

pub use pipeline::{Pipeline, Surroundings};
pub use plan::{Plan, without_secrets};
pub use tail::{TailJudge, TailPolicies};

/// Tables whose keys come from outside: hashed with a seed of their own.
type Map<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;
type Set<T> = hashbrown::HashSet<T, foldhash::fast::RandomState>;
