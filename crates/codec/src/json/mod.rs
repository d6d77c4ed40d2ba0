//! JSON for all formats that are written in it: a tape instead of a tree, and scalars without rounding.
//!
//! Read next: `tape.rs` for the text, `scalar.rs` for numbers, ids and bytes, `write.rs` for the way out.

pub(crate) mod scalar;
pub(crate) mod tape;
pub(crate) mod write;
