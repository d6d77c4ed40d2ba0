//! The way in at its door: real sockets, real clients, and a writer that does what it is told.
//!
//! Every test ends with `House::close`, which checks the ledger and that all memory was given back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on ends there"
)]

mod doors;
mod drain;
mod grpc;
mod grpc_client;
mod grpc_limits;
mod hostile;
mod house;
mod http1;
mod http_bodies;
mod http_protocol;
mod json;
mod memory;
mod metrics;
mod overload;
mod processing;
mod raw_frames;
mod storage;
mod strangers;
