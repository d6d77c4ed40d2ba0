//! Zipkin's formats: lists of spans of version 1 (JSON, Thrift) and version 2 (JSON, protobuf) to batches.
//!
//! Every decoder fills a borrowed `span::Span`, span by span, and `translate.rs` alone says what that means in
//! OpenTelemetry's words, so that a span is the same whichever way it came.
//!
//! Promises: a span that is broken or has no usable ids is rejected alone and counted, the others are kept.
//! Refuses: bytes that are no list of spans, and what unpacks to far more memory than its size.
//!
//! Read next: `translate.rs`, then `json_v2.rs` and `proto.rs`; `v1.rs` for what annotations of version 1 mean.

mod attached;
mod json_v1;
mod json_v2;
mod proto;
mod span;
pub(crate) mod thrift;
mod translate;
mod v1;

pub use json_v1::decode_json_v1;
pub use json_v2::decode_json_v2;
pub use proto::decode_proto_v2;
pub use thrift::decode_thrift_v1;
