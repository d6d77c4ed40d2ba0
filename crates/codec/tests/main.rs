//! The crate at its door: the rules of OTLP, oracles, hostile input, recorded requests and the fuzzers' corpora.
//!
//! `rules_proto.rs`, `rules_json.rs` and `zipkin_rules.rs` have one test for each rule; `properties.rs` compares with
//! another implementation of the messages; `checks.rs` is what the fuzzers check too, replayed here by `corpus.rs`
//! and changed by `mutation.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and tell what they look at"
)]

mod checks;
mod corpus;
mod documents;
mod golden;
mod hostile;
mod jaeger_encode;
mod jaeger_spans;
mod mutate;
mod mutation;
mod properties;
mod rows;
mod rules_json;
mod rules_proto;
mod spans;
mod thrift_writer;
mod zipkin_golden;
mod zipkin_properties;
mod zipkin_rules;
mod zipkin_v1;
