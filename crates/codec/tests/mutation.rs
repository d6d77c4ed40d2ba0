//! Changes the inputs of the fuzzers' corpora and checks what the fuzzers check; see `mutate.rs`.

use crate::checks::{
    check_jaeger, check_jaeger_document, check_otlp_json, check_otlp_proto, check_wire,
    check_zipkin_json_v1, check_zipkin_json_v2, check_zipkin_proto, check_zipkin_thrift,
};
use crate::mutate::mutate;

#[test]
fn changed_otlp_over_protobuf_does_no_harm() {
    mutate("otlp_proto", check_otlp_proto);
}

#[test]
fn changed_otlp_json_does_no_harm() {
    mutate("otlp_json", check_otlp_json);
}

#[test]
fn changed_bytes_of_the_wire_format_do_no_harm() {
    mutate("wire", check_wire);
}

#[test]
fn changed_zipkin_json_of_version_2_does_no_harm() {
    mutate("zipkin_json_v2", check_zipkin_json_v2);
}

#[test]
fn changed_zipkin_json_of_version_1_does_no_harm() {
    mutate("zipkin_json_v1", check_zipkin_json_v1);
}

#[test]
fn changed_zipkin_protobuf_does_no_harm() {
    mutate("zipkin_proto", check_zipkin_proto);
}

#[test]
fn changed_zipkin_thrift_does_no_harm() {
    mutate("zipkin_thrift", check_zipkin_thrift);
}

#[test]
fn changed_jaeger_formats_do_no_harm() {
    mutate("jaeger", check_jaeger);
}

#[test]
fn changed_documents_of_jaeger_do_no_harm() {
    mutate("jaeger_document", check_jaeger_document);
}
