//! Requests in one readable line, for the rules and the hostile inputs.

use codec::Decoded;
use codec::generated::opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
use codec::generated::opentelemetry::proto::common::v1::any_value::Value as Any;
use codec::generated::opentelemetry::proto::common::v1::{
    AnyValue, InstrumentationScope, KeyValue,
};
use codec::generated::opentelemetry::proto::resource::v1::Resource;
use codec::generated::opentelemetry::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use codec::otlp::{decode_json, decode_proto};
use codec::wire::Writer;
use prost::Message;

/// A good span without anything optional.
pub(crate) fn span(id: u8) -> Span {
    Span {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        name: format!("span {id}"),
        ..Span::default()
    }
}

/// A span with one attribute.
pub(crate) fn span_with(key: &str, value: Any) -> Span {
    Span {
        attributes: vec![attribute(key, value)],
        ..span(1)
    }
}

/// An attribute.
pub(crate) fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
    }
}

/// A text value.
pub(crate) fn text(text: &str) -> Any {
    Any::StringValue(text.to_owned())
}

/// The envelope of some spans of one service.
pub(crate) fn resource_spans(service: &str, spans: Vec<Span>) -> ResourceSpans {
    let resource = Resource {
        attributes: vec![attribute("service.name", text(service))],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "library".to_owned(),
        ..InstrumentationScope::default()
    };
    ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![ScopeSpans {
            scope: Some(scope),
            spans,
            schema_url: String::new(),
        }],
        schema_url: String::new(),
    }
}

/// The bytes of a request with some spans.
pub(crate) fn request(spans: Vec<Span>) -> Vec<u8> {
    ExportTraceServiceRequest {
        resource_spans: vec![resource_spans("shop", spans)],
    }
    .encode_to_vec()
}

/// The bytes of a request whose only scope has spans of any bytes.
pub(crate) fn request_of_raw_spans(spans: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Writer::new();
    out.message(1, |out| {
        out.message(2, |out| {
            spans.iter().for_each(|span| out.bytes_field(2, span));
        });
    });
    out.into_bytes()
}

/// A good span whose bytes are followed by others.
pub(crate) fn span_and(more: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(&span(1).encode_to_vec());
    more(&mut out);
    out.into_bytes()
}

/// Decodes protobuf that can be decoded.
pub(crate) fn decoded(bytes: &[u8]) -> Decoded {
    decode_proto(bytes).expect("the request can be decoded")
}

/// Decodes JSON that can be decoded.
pub(crate) fn decoded_json(text: &str) -> Decoded {
    decode_json(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The JSON of a request with one good span that has more members (`,"name":…`).
pub(crate) fn json_with(members: &str) -> String {
    let ids = r#""traceId":"747261636b7761790000000000000001","spanId":"0000000100000001""#;
    json_of_span(&format!("{ids}{members}"))
}

/// The JSON of a request with one span of these members.
pub(crate) fn json_of_span(members: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#)
}
