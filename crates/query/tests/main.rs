//! Questions from outside, answered by the oracle: what is shown is found, and pages fit together. And what
//! is made of odd traces.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on has failed; the lint's exception covers test functions only"
)]

mod pages;
mod red;
mod search;
mod twin;
mod world;
