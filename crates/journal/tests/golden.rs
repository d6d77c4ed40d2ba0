//! The frozen format: files written by version 1 must open for ever. `UPDATE=1` writes them anew.

use crate::scenario::{Content, append, contents, dir, open, open_with, small, wal_files};
use journal::{Level, Options, SimFiles};
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/version-1.wal");

fn written() -> Vec<u8> {
    let files = SimFiles::new();
    let options = Options {
        file_bytes: 1024,
        ..small(Level::Sync)
    };
    let (mut journal, ..) = open_with(&files, options, 40).unwrap();
    append(&mut journal, &contents(1..4, 21)).unwrap();
    append(&mut journal, &contents(4..6, 40)).unwrap();
    files.read_file(&wal_files(&files)[0]).unwrap()
}

#[test]
fn the_bytes_of_version_1_are_frozen() {
    let bytes = written();
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(GOLDEN, &bytes).unwrap();
    }
    assert!(
        bytes == std::fs::read(GOLDEN).unwrap(),
        "the format changed: raise the version and keep a reader for the old one"
    );
}

#[test]
fn a_file_of_version_1_opens() {
    let files = SimFiles::new();
    let path = dir().join("0000000000000002.wal");
    files.write_file(&path, &std::fs::read(Path::new(GOLDEN)).unwrap());
    let (journal, frames, report) = open_with(&files, small(Level::Sync), 40).unwrap();
    let lens = [(1, 21), (2, 21), (3, 21), (4, 40), (5, 40)];
    let expected: Vec<_> = (40..)
        .zip(lens)
        .map(|(sequence, (number, len))| Content::new(number, len).read_back(sequence))
        .collect();
    assert_eq!(frames, expected);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(journal.next_sequence(), 45);
    // The same file under another number is not taken for its own.
    let renamed = SimFiles::new();
    renamed.write_file(
        &dir().join("0000000000000003.wal"),
        &files.read_file(&path).unwrap(),
    );
    let (_, frames, report) = open(&renamed);
    assert_eq!((frames.len(), report.set_aside.len()), (0, 1));
}
