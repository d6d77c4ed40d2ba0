//! Fuzzes Jaeger's documents of Elasticsearch, by encoding what was decoded.
//!
//! The checks are those of `crates/codec/tests/checks.rs`; the corpus is replayed there by the ordinary tests.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/codec/tests/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check_jaeger_document(bytes));
