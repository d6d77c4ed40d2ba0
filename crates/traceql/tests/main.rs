//! The crate at its door: the grammar rule by rule, errors word by word, and what must hold of any text, tree and span.
//!
//! `grammar.rs` and `errors.rs` are tables; `properties.rs` has random trees, `lowering.rs` random spans too;
//! `checks.rs` is what the fuzzer checks, replayed here by `corpus.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests fail by panicking and tell what they look at"
)]

mod checks;
mod completion;
mod corpus;
mod errors;
mod grammar;
mod judging;
mod lowering;
mod mutation;
mod properties;
mod trees;
