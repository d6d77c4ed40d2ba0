//! What a body holds: the one place that knows which decoder reads which.

use codec::otlp::{decode_json, decode_proto};
use codec::{DecodeError, Decoded, jaeger, zipkin};

use crate::client_losses::ClientLosses;

/// The encoding of a request's spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// OTLP/protobuf.
    OtlpProto,
    /// OTLP/JSON.
    OtlpJson,
    /// A batch of Jaeger's in Thrift's binary protocol.
    JaegerThrift,
    /// What Jaeger's agents post, in protobuf.
    JaegerProto,
    /// Spans of Jaeger's in protobuf, one or several, each with its process.
    JaegerSpans,
    /// Zipkin's first model in JSON.
    ZipkinJsonV1,
    /// Zipkin's first model in Thrift's binary protocol.
    ZipkinThriftV1,
    /// Zipkin's second model in JSON.
    ZipkinJsonV2,
    /// Zipkin's second model in protobuf.
    ZipkinProtoV2,
}

impl Format {
    /// Decodes a body; what its client says of itself is noted.
    pub(crate) fn decode(
        self,
        bytes: &[u8],
        losses: &ClientLosses,
    ) -> Result<Decoded, DecodeError> {
        match self {
            Self::OtlpProto => decode_proto(bytes),
            Self::OtlpJson => decode_json(bytes),
            Self::JaegerThrift => {
                let submitted = jaeger::decode_batch_binary(bytes)?;
                losses.note(&submitted.client, None);
                Ok(submitted.decoded)
            }
            Self::JaegerProto => jaeger::decode_post_spans(bytes),
            Self::JaegerSpans => jaeger::decode_spans(bytes),
            Self::ZipkinJsonV1 => zipkin::decode_json_v1(bytes),
            Self::ZipkinThriftV1 => zipkin::decode_thrift_v1(bytes),
            Self::ZipkinJsonV2 => zipkin::decode_json_v2(bytes),
            Self::ZipkinProtoV2 => zipkin::decode_proto_v2(bytes),
        }
    }

    /// Tells whether the body can be written to the log as it came, when the decoder changed nothing.
    pub(crate) fn is_otlp_proto(self) -> bool {
        self == Self::OtlpProto
    }
}
