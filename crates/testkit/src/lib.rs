//! What tests and benchmarks stand on: traffic that is the same bytes on every run, and the truth about it.
//!
//! - [`corpus`] writes a stream of OTLP requests from a seed, with every answer a correct system must give about it.
//! - [`spans`] builds one small OTLP request in one readable line.
//! - [`mutation`] changes good inputs into ones that decoders must survive.
//! - [`oracle`] answers every question by looking at every span: what the real store is compared with.
//! - [`contract`] asks a store everything that a store must answer.
//! - [`attribute`] is the key and value that both are made of.
//!
//! Promises: nothing here reads a clock, the environment or the network; equal arguments give equal bytes.
//! Refuses: being part of what the program does for its users with their data.

mod attribute;
pub mod contract;
pub mod corpus;
mod error;
pub mod mutation;
pub mod oracle;
pub mod spans;

pub use attribute::{AttributeValue, array, attribute, map};
pub use error::Error;

/// The messages of Jaeger's own APIs, for clients of tests.
pub use codec::generated::{google, grpc, jaeger};
/// The generated OTLP message types that [`spans`] and [`corpus`] are made of.
pub use opentelemetry_proto::tonic as otlp;
