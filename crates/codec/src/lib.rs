//! The wire formats: bytes in, batches of spans out, and back.
//!
//! Everything here is a pure function of its input: no I/O, no clock, no state between calls. Decoders write straight
//! into the columns of a [`model::SpanBatch`]; there is no object per span in between.
//!
//! Read next: [`wire`] for protobuf's bytes, [`thrift`] for Thrift's, [`otlp`] for OTLP over protobuf and JSON,
//! [`jaeger`] for Jaeger's own spans, [`jaeger_encode`] and [`jaeger_json`] for spans in its model,
//! [`jaeger_document`] for those in Elasticsearch, [`jaeger_row`] for those in Cassandra, [`zipkin`] for Zipkin's
//! formats.

mod attributes;
mod decoded;
#[allow(
    clippy::all,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    missing_debug_implementations,
    reason = "written by cargo xtask codegen"
)]
pub mod generated;
pub mod jaeger;
pub mod jaeger_document;
pub mod jaeger_encode;
pub mod jaeger_json;
pub mod jaeger_row;
mod json;
mod notes;
pub mod otlp;
pub mod thrift;
pub mod wire;
pub mod zipkin;

/// The descriptors of the services that are described to clients, as the bytes of a `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");

pub use decoded::{
    ATTRIBUTES_PER_OWNER_MAX, DecodeError, Decoded, EVENTS_PER_SPAN_MAX, LINKS_PER_SPAN_MAX,
    MESSAGE_BYTES_MAX,
};
