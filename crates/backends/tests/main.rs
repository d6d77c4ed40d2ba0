//! Stores of others, played by servers that say what the test tells them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on ends there"
)]

mod answers;
mod scripted;
mod search;
mod secure;
