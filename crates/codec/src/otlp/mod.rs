//! OTLP, the OpenTelemetry protocol: requests in protobuf and JSON to batches, batches to requests, and the answers.
//!
//! A request whose outer form is broken is refused as a whole ([`crate::DecodeError`]); a span that is broken or has no
//! usable ids is rejected alone, and the others are kept. What had to be changed on the way in (texts that were no
//! UTF-8, values nested too deeply) is counted.
//!
//! Read next: `proto.rs` and `json.rs` for the two ways in, `encode.rs` and `encode_json.rs` for the ways out,
//! `answer.rs` for what a sender is told, `resources.rs` for attributes that are added on the way.

mod answer;
mod answer_read;
mod encode;
mod encode_json;
mod json;
mod proto;
mod resources;
pub(crate) mod value;

pub use answer::{Detail, status_body, success_body};
pub use answer_read::{Accepted, read_retry_delay, read_success};
pub use encode::{encode_proto, encode_proto_part};
pub use encode_json::{encode_json, push_resource_spans_json};
pub use json::decode_json;
pub use proto::decode_proto;
pub use resources::ResourceAttributes;

/// The two encodings of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Protobuf.
    Proto,
    /// OTLP/JSON: protobuf's JSON with hexadecimal ids.
    Json,
}
