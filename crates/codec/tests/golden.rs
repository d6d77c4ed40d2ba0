//! The recorded requests: each in JSON and in protobuf, which must be the same spans.

use std::path::{Path, PathBuf};

use codec::otlp::{decode_json, decode_proto};

use crate::checks::{check_encoders, hashes};

/// Requests that are recorded at least; should the folders move, the tests must not pass by finding nothing.
const REQUESTS_MIN: usize = 55;

pub(crate) fn requests() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut found = Vec::new();
    for folder in ["input", "input-more"] {
        let entries =
            std::fs::read_dir(root.join(folder)).expect("the recorded requests are there");
        found.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|e| e == "bin")),
        );
    }
    found.sort();
    assert!(found.len() >= REQUESTS_MIN, "{} requests", found.len());
    found
}

#[test]
fn recorded_requests_in_json_and_in_protobuf_are_the_same_spans() {
    let mut pairs = 0;
    for path in requests() {
        let proto = decode_proto(&std::fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let Ok(text) = std::fs::read(path.with_extension("json")) else {
            continue;
        };
        let json = decode_json(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(hashes(&json.batch), hashes(&proto.batch), "{path:?}");
        assert_eq!(
            (json.rejected_spans, json.warning),
            (proto.rejected_spans, proto.warning),
            "{path:?}"
        );
        assert!(!proto.batch.is_empty(), "{path:?}");
        pairs += 1;
    }
    assert!(pairs >= REQUESTS_MIN - 2, "{pairs} pairs");
}

#[test]
fn recorded_requests_survive_both_encodings() {
    for path in requests() {
        let proto = decode_proto(&std::fs::read(&path).unwrap()).unwrap();
        check_encoders(&proto.batch);
    }
}
