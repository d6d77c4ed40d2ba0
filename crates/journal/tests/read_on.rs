//! Reading on while others write: every acknowledged frame once, in order, over all files; what is damaged is passed.

use crate::scenario::{append, contents, open, wal_files};
use journal::{Cursor, Frame, Journal, SimFiles};

fn read_all(journal: &Journal, cursor: &mut Cursor, bytes_max: u64) -> (Vec<Frame>, u64) {
    let (mut frames, mut missing) = (Vec::new(), 0);
    loop {
        let read = journal.read_on(cursor, bytes_max).unwrap();
        missing += read.missing;
        if read.frames.is_empty() {
            return (frames, missing);
        }
        frames.extend(read.frames);
    }
}

#[test]
fn every_frame_is_given_once_and_in_order_while_others_are_appended() {
    let (mut journal, ..) = open(&SimFiles::new());
    let mut cursor = Cursor::before(1);
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    for batch in 0..60u32 {
        let batch = contents(batch * 3..batch * 3 + 1 + batch % 3, 150);
        let first = append(&mut journal, &batch).unwrap();
        expected.extend((first..).zip(&batch).map(|(at, one)| one.read_back(at)));
        let read = journal.read_on(&mut cursor, 300).unwrap();
        assert_eq!(read.missing, 0);
        found.extend(read.frames);
    }
    assert!(journal.stats().files > 3, "several files are read");
    found.extend(read_all(&journal, &mut cursor, 1).0);
    assert_eq!(found, expected);
    assert_eq!(cursor.sequence(), journal.next_sequence());
}

#[test]
fn reading_starts_anywhere_and_goes_on_behind_what_was_released() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    for number in 0..60 {
        append(&mut journal, &contents(number..number + 1, 150)).unwrap();
    }
    let (frames, missing) = read_all(&journal, &mut Cursor::before(31), 1 << 20);
    assert_eq!((frames.len(), missing, frames[0].sequence), (30, 0, 31));
    let held = journal.held_bytes();
    journal.release_below(31).unwrap();
    assert!(journal.held_bytes() < held);
    let (frames, missing) = read_all(&journal, &mut Cursor::before(1), 1 << 20);
    assert_eq!(frames.len() as u64 + missing, 60);
    assert!(missing > 10, "{missing}");
    // A start later the same is read.
    drop(journal);
    let (journal, ..) = open(&files);
    assert_eq!(
        read_all(&journal, &mut Cursor::before(1), 1 << 20).0,
        frames
    );
}

#[test]
fn a_damaged_frame_is_counted_and_those_behind_it_are_given() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    for number in 0..20 {
        append(&mut journal, &contents(number..number + 1, 150)).unwrap();
    }
    let before = read_all(&journal, &mut Cursor::before(1), 1 << 20).0;
    let path = &wal_files(&files)[0];
    files.flip_bit(path, 1_000, 0).unwrap();
    let (frames, missing) = read_all(&journal, &mut Cursor::before(1), 1 << 20);
    assert_eq!((frames.len() as u64 + missing, missing), (20, 1));
    assert!(frames.iter().all(|frame| before.contains(frame)));
}
