//! Stores of others: real ones, and servers that say what the test tells them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that can't go on ends there, and says what it counted"
)]

mod answers;
mod cassandra;
mod elastic;
mod kafka;
mod scripted;
mod search;
mod secure;
#[path = "../../../tests/servers/server.rs"]
mod server;
mod sums;
