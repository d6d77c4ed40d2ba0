//! The embedded store: keeps spans on one machine's disk and finds them again.
//!
//! A batch goes to the log (crate `journal`), then to its tenant's *head* in memory, where it can be searched; then it
//! is acknowledged. A full or old head is *frozen* into a *segment*: standard Parquet files and one index beside them.
//! Later the segments of a slice of time are *merged* into one with whole traces. The manifest names the segments; what
//! it does not name is not there.
//!
//! Promises
//! - An acknowledged span is found, exactly once, after any crash; a batch is kept wholly or not at all.
//! - Answers are exact over heads and segments, or say what could not be read.
//! - Memory is bounded by the options; damage in one file costs no more than what that file held.
//!
//! Read next: `driver.rs` for the threads, `engine.rs` for the life of a batch, `read/` for questions, `segment/` for
//! the format, `finalise/` for whole traces, `open.rs` for what a start does.

mod adopt;
mod batch_scan;
mod check;
mod driver;
mod engine;
mod error;
mod filling;
mod finalise;
mod format;
mod head;
pub mod index;
mod lifecycle;
mod manifest;
mod meter;
mod metrics;
mod names;
mod open;
mod options;
mod pins;
mod read;
mod recent;
mod sampling;
mod scrub;
pub mod segment;
mod services;
mod stats;
#[cfg(test)]
mod tests;

pub use check::{CheckReport, check};
pub use driver::Store;
pub use error::Error;
pub use filling::{Filling, Growth};
pub use options::{OpenProgress, StoreOptions, StoreParts};
pub use read::OUTLINE_SPAN_BYTES;
pub use stats::{LevelStats, Stats};
