//! Changes the inputs of the fuzzer's corpus and checks what the fuzzer checks.

#[path = "../../codec/tests/mutate.rs"]
mod mutate;

use crate::checks::check_text;

#[test]
fn changed_texts_do_no_harm() {
    mutate::mutate("traceql", check_text);
}
