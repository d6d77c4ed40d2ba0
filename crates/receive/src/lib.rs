//! The way in: takes spans over OTLP, from Jaeger's and from Zipkin's clients, and hands them to a
//! [`model::contract::SpanWriter`].
//!
//! Promises
//! - A request is acknowledged only after the writer said that its spans are kept.
//! - Memory is reserved in the byte budget before a body is read, and given back only after the answer.
//! - Every request, span and byte that came in is in the ledger: accepted, rejected, refused, dropped or in flight.
//! - What can be sent again later is refused in the words that clients retry on; what can't is refused in others.
//!
//! Refuses
//! - Bodies over the limits, counted after decompression; requests when the budget or the pool of threads is full.
//! - Anything but spans: metrics and logs have other homes.
//!
//! Read next: `intake.rs` for the road of one request, `refusal.rs` for how it can end otherwise,
//! `connection.rs` for the life of a connection.

mod body;
mod client_losses;
mod collector;
mod connection;
mod decompress;
mod format;
mod grpc;
mod grpc_frame;
mod grpc_health;
mod http_request;
mod intake;
mod jaeger_http;
mod ledger;
mod limits;
mod otlp_http;
mod own;
mod ping_watch;
mod refusal;
mod reply;
mod storage;
mod udp;
mod zipkin_http;

pub use connection::serve;
pub use intake::{Receiver, ReceiverParts};
pub use ledger::{Counts, LATE_NANOS, Last, Ledger, Outcome, Refused, Transport};
pub use limits::Limits;
pub use refusal::{Reason, Refusal};
pub use reply::Reply;
pub use storage::StorageWrites;
pub use udp::serve_udp;
