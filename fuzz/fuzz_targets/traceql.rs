//! Fuzzes the language of questions: parsing, printing, chips, completion at every place, lowering.
//!
//! The checks are those of `crates/traceql/tests/checks.rs`; the corpus is replayed there by the ordinary tests.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/traceql/tests/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check_text(bytes));
