//! The query services over gRPC: what a recorded Jaeger answered, what holds for calls, and a framework's client.

mod calls;
mod client;
mod golden;
mod storage;
