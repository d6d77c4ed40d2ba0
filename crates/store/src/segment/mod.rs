//! A segment: the frozen content of one head, or the whole traces of several, as a handful of files that never change.
//! `docs/internals/store-format.md` has every byte of them.
//!
//! `<id>.spans.parquet` has one row a span, `<id>.events.parquet` and `<id>.links.parquet` one a child,
//! `<id>.resources.parquet` one a resource or scope, and `<id>.tix` says where to look. All but the last are standard
//! Parquet that others read; the last is rebuilt from them when it is lost.
//!
//! Promises
//! - Spans come back with everything they were written with.
//! - A flipped bit anywhere is an error of kind [`SegmentErrorKind::Corrupt`], never a wrong answer and never a panic.
//! - [`write_segment`] returns when bytes and names are durable.
//!
//! Refuses: to change a segment. Read next: `write.rs`, `order.rs`, `layout.rs`; then `open.rs`, `read.rs`,
//! `search.rs`; `verify.rs` for the whole truth about one segment.

mod assemble;
pub(crate) mod attributes;
pub(crate) mod bits;
mod cache;
mod children;
mod chunk;
mod codes;
mod column;
pub(crate) mod critical;
pub(crate) mod decode;
pub(crate) mod encode;
mod envelope;
mod error;
pub(crate) mod facets;
mod footer;
pub(crate) mod kin;
mod layout;
mod leaf;
mod meta;
pub(crate) mod open;
mod opened;
pub(crate) mod order;
mod outline;
pub(crate) mod page;
pub(crate) mod parts;
mod plain;
pub(crate) mod plan;
mod points;
mod read;
pub(crate) mod relate;
mod search;
pub(crate) mod sink;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod trace_ids;
mod values;
mod verify;
pub(crate) mod write;

pub use cache::SegmentCache;
pub use error::{SegmentError, SegmentErrorKind};
pub use meta::{FileKind, FileMeta, Level, SegmentId, SegmentIdError, SegmentMeta};
pub use open::Segment;
pub use plan::SearchPlan;
pub(crate) use points::is_entry;
pub use search::Matches;
pub use verify::Damage;
pub use write::write_segment;
