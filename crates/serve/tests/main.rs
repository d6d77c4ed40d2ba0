//! The routes from outside: what a recorded Jaeger answered, and what holds for servers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on has failed; the lint's exception covers test functions only"
)]

mod admin;
mod app;
mod archive;
mod golden;
mod grpc;
mod guard;
mod jaeger_clients;
mod limits;
mod listen;
mod metrics;
mod ui;
mod wire_facts;
mod world;
