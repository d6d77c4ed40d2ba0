//! Compares what the program prints with files that are kept; `UPDATE=1` writes the files anew.

use std::path::Path;

/// Compares with a file of `tests/golden`.
pub(crate) fn assert_golden(name: &str, text: &str) {
    assert_file(&format!("tests/golden/{name}"), text);
}

/// Compares with a file named from the crate's folder.
pub(crate) fn assert_file(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name} is not what is printed now (UPDATE=1 writes it anew):\n{text}"
    );
}
