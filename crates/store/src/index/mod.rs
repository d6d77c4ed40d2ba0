//! The sidecar of a segment: where to look before its Parquet files are read.
//!
//! One file, read section by section; see `sidecar.rs` for the bytes around them.
//!
//! | Tag | Content | File |
//! |---|---|---|
//! | `TRHA`, `TRFA` | the traces: hashes of their ids, rows, times, errors | `traces.rs`, `trace_facts.rs` |
//! | `PATT` | the forms of traces, and which trace has which | `patterns.rs` |
//! | `KVFG` | per granule of 65,536 rows a filter over keys and values | `filters.rs`, `fingerprints.rs` |
//! | `KEYS` | per key and type: how often, bounds, in which granules | `keys.rs` |
//! | `SYMS` | services and their operations | `catalogue.rs` |
//! | `ROPE`, `RCAL` | operations and calls, counted by minute | `rollup.rs` |
//! | `DEPS` | calls between services, all together | `call_sums.rs` |
//! | `DROP`, `DCAL` | in place of the first four: the traces that were dropped, and their calls | `dropped.rs` |
//! | `CRCS` | what the manifest says of the segment, with the checksums of the other files | `build.rs` |
//!
//! Promises
//! - Nothing is only here: the file is rebuilt from the Parquet files, byte for byte. What is remembered of dropped
//!   traces is the exception, for they are nowhere else.
//! - A filter says "no" only where nothing is.
//! - A section is checked against its checksum each time it is read from the disk.

mod build;
mod call_sums;
mod catalogue;
mod dropped;
mod entries;
pub(crate) mod filters;
pub(crate) mod fingerprints;
pub(crate) mod keys;
pub(crate) mod patterns;
mod presence;
pub(crate) mod rollup;
pub(crate) mod sidecar;
mod trace_facts;
mod traces;

pub(crate) use build::{IndexBuilder, read_meta};
pub(crate) use call_sums::CallSums;
pub use catalogue::{Catalogue, CatalogueOperation};
pub(crate) use dropped::{Dropped, DroppedBuilder, DroppedCalls, dropped_hash};
pub(crate) use presence::TracePresence;
pub(crate) use traces::{Facts, STATUS_ERROR, trace_hash};
pub use traces::{TraceEntry, TraceTable};

/// Rows that share a filter.
pub(crate) const GRANULE_ROWS: usize = 65_536;

/// Where attributes stand, in filters and key lists; the numbers are written to disk and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum OwnerKind {
    Span = 0,
    Resource = 1,
    Scope = 2,
    Event = 3,
    Link = 4,
}

impl OwnerKind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Span,
        Self::Resource,
        Self::Scope,
        Self::Event,
        Self::Link,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}
