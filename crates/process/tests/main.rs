//! The crate at its door: the examples of its pages as they stand there, mistakes of a configuration word by word, and
//! what must hold of any batch.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking and tell what they look at"
)]

mod batches;
mod bench;
mod mistakes;
mod pages;
mod properties;
mod rates;
