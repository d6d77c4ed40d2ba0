//! Replays the fuzzers' corpora without a fuzzer.

use std::path::Path;

use crate::checks::{
    check_jaeger, check_jaeger_document, check_otlp_json, check_otlp_proto, check_wire,
    check_zipkin_json_v1, check_zipkin_json_v2, check_zipkin_proto, check_zipkin_thrift,
};

fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut replayed = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is there") {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        check(&std::fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 3, "{replayed} inputs in {}", folder.display());
}

#[test]
fn the_corpus_of_otlp_over_protobuf_holds() {
    replay("otlp_proto", check_otlp_proto);
}

#[test]
fn the_corpus_of_otlp_json_holds() {
    replay("otlp_json", check_otlp_json);
}

#[test]
fn the_corpus_of_the_wire_format_holds() {
    replay("wire", check_wire);
}

#[test]
fn the_corpus_of_zipkin_in_json_holds() {
    replay("zipkin_json_v2", check_zipkin_json_v2);
    replay("zipkin_json_v1", check_zipkin_json_v1);
}

#[test]
fn the_corpus_of_zipkin_in_protobuf_holds() {
    replay("zipkin_proto", check_zipkin_proto);
}

#[test]
fn the_corpus_of_zipkin_in_thrift_holds() {
    replay("zipkin_thrift", check_zipkin_thrift);
}

#[test]
fn the_corpus_of_jaeger_holds() {
    replay("jaeger", check_jaeger);
    replay("jaeger_document", check_jaeger_document);
}
