//! The file format: what is written is read, and damage is named.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::sample;
use crate::{
    Error,
    corpus::{
        Corpus, Profile, RECORD_BYTES_MAX, read_corpus, read_truth, truth_path, write_corpus,
    },
};

/// A directory of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "testkit-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("corpus.bin")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn read_all(path: &Path) -> Vec<Result<Vec<u8>, Error>> {
    read_corpus(path).unwrap().collect()
}

#[test]
fn a_written_corpus_is_read_back_with_its_truth() {
    let scratch = Scratch::new();
    let options = sample(Profile::Unkind, 3000);
    let truth = write_corpus(&scratch.file(), Corpus::new(options.clone()).unwrap()).unwrap();
    let expected: Vec<Vec<u8>> = Corpus::new(options)
        .unwrap()
        .map(|request| request.bytes)
        .collect();
    let read: Vec<Vec<u8>> = read_all(&scratch.file())
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(read, expected);
    assert_eq!(read_truth(&scratch.file()).unwrap(), truth);
    let bytes: u64 = expected.iter().map(|bytes| bytes.len() as u64).sum();
    assert_eq!(
        (truth.requests, truth.bytes),
        (expected.len() as u64, bytes)
    );
    assert!(expected.len() >= 3);
}

#[test]
fn a_record_cut_short_is_an_error_at_its_place_and_the_last_item() {
    let scratch = Scratch::new();
    for (bytes, place) in [
        (&[1, 0, 0, 0, 9, 2, 0, 0, 0, 7][..], 5),
        (&[1, 0, 0, 0, 9, 2, 0][..], 5),
        (&[2, 0, 0, 0][..], 0),
    ] {
        fs::write(scratch.file(), bytes).unwrap();
        let mut items = read_all(&scratch.file());
        let last = items.pop().unwrap();
        assert!(
            matches!(last, Err(Error::Damaged { offset, .. }) if offset == place),
            "{bytes:?}: {last:?}"
        );
        assert!(items.iter().all(Result::is_ok));
    }
}

#[test]
fn a_length_over_the_limit_is_damage_and_no_allocation() {
    let scratch = Scratch::new();
    fs::write(scratch.file(), (RECORD_BYTES_MAX + 1).to_le_bytes()).unwrap();
    let items = read_all(&scratch.file());
    assert!(
        matches!(items.as_slice(), [Err(Error::Damaged { what, .. })] if what.contains("longer")),
        "{items:?}"
    );
}

#[test]
fn errors_name_the_file() {
    let scratch = Scratch::new();
    let missing = read_corpus(&scratch.file()).unwrap_err().to_string();
    assert!(
        missing.contains("open") && missing.contains("corpus.bin"),
        "{missing}"
    );
    let no_truth = read_truth(&scratch.file()).unwrap_err().to_string();
    assert!(no_truth.contains("corpus.truth.json"), "{no_truth}");
    fs::write(truth_path(&scratch.file()), "{").unwrap();
    assert!(matches!(
        read_truth(&scratch.file()),
        Err(Error::Truth { .. })
    ));
    let into_nowhere = write_corpus(
        &scratch.0.join("no/such"),
        Corpus::new(sample(Profile::Kind, 1)).unwrap(),
    );
    assert!(into_nowhere.unwrap_err().to_string().contains("create"));
}
