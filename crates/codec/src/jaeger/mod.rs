//! Jaeger's own formats of spans: Thrift by HTTP and UDP, protobuf by gRPC, documents of Elasticsearch and rows of
//! Cassandra, straight into batches.
//!
//! Promises
//! - Spans come out as OpenTelemetry's, translated by one set of rules (`translate.rs`) whatever the bytes were.
//! - What clients say about themselves, and above all about spans that they lost, is given beside the spans.
//!
//! Refuses
//! - Bytes of Thrift that are broken anywhere: its structs have no length, so nothing behind can be found. What
//!   follows the outermost struct is ignored, as Jaeger does.
//! - Methods other than `emitBatch` and `emitZipkinBatch`, and answers to calls.
//! - In protobuf, a span that is broken or has no usable ids, alone.
//!
//! Read next: `translate.rs` for the rules, `thrift.rs`, `proto.rs`, `document.rs` and `row.rs` for the
//! ways in.

mod document;
mod proto;
mod row;
mod stored;
mod thrift;
mod translate;

pub use document::decode_documents;
pub use proto::{decode_post_spans, decode_span, decode_spans};
pub use row::decode_rows;
pub use thrift::{decode_batch_binary, decode_udp};

use crate::Decoded;

/// The two protocols of Thrift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThriftProtocol {
    /// Numbers of fixed width.
    Binary,
    /// Numbers of variable width.
    Compact,
}

/// A batch that a client submitted.
#[derive(Debug)]
pub struct Submitted {
    /// Its spans.
    pub decoded: Decoded,
    /// Who submitted it.
    pub client: Client,
}

/// A datagram of a client.
#[derive(Debug)]
pub struct Datagram {
    /// What it calls, which is the format of its spans.
    pub method: Method,
    /// What it submits; of `emitZipkinBatch` no client is known.
    pub submitted: Submitted,
}

/// The methods of Jaeger's agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Jaeger's spans.
    EmitBatch,
    /// Zipkin's spans.
    EmitZipkinBatch,
}

/// What a client says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// The service of its process; cut off where it is very long.
    pub service: String,
    /// The process's tag `client-uuid`; cut off where it is very long, empty where there is none.
    pub uuid: String,
    /// The number of the batch, counted by the client.
    pub sequence: Option<i64>,
    /// Spans that the client lost since it was started.
    pub stats: Option<ClientStats>,
}

/// Spans that a client lost since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClientStats {
    /// Its queue was full.
    pub full_queue_dropped_spans: i64,
    /// They were too large to be sent.
    pub too_large_dropped_spans: i64,
    /// They could not be sent.
    pub failed_to_emit_spans: i64,
}
