//! Damaged files: cut, flipped, lost, foreign, newer. Never a wrong payload, never a panic, always a report.

use crate::scenario::{
    Content, STORE, append, contents, dir, names, open, open_with, small, wal_files,
};
use journal::{DamageKind, ErrorKind, Frame, Journal, Level, ReplayReport, SimFiles};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A journal of several files, batches of one to three frames.
fn filled(batches: u32) -> (SimFiles, Vec<Frame>) {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    let mut number = 0;
    let mut frames = Vec::new();
    for batch in 0..batches {
        let batch = contents(
            number..number + 1 + batch % 3,
            60 + 37 * (batch as usize % 4),
        );
        let first = append(&mut journal, &batch).unwrap();
        frames.extend(
            (first..)
                .zip(&batch)
                .map(|(sequence, content)| content.read_back(sequence)),
        );
        number += 3;
    }
    (files, frames)
}

/// Bytes of a file up to its last one that is not zero.
fn used(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

/// Reads a damaged disk: what comes is a part of what was written, and what is missing is accounted for.
fn read_damaged(files: &SimFiles, written: &[Frame], context: &str) -> (Vec<Frame>, ReplayReport) {
    let (mut journal, frames, report) = open(files);
    let mut rest = written.iter();
    for frame in &frames {
        assert!(
            rest.any(|expected| expected == frame),
            "{context}: frame {} is wrong",
            frame.sequence
        );
    }
    let highest = frames.last().map_or(0, |frame| frame.sequence);
    assert!(journal.next_sequence() > highest, "{context}");
    // The journal works on, and what it is given now is found beside what was found before.
    let content = Content::new(999, 33);
    let sequence = append(&mut journal, std::slice::from_ref(&content)).unwrap();
    drop(journal);
    let (_, again, _) = open(files);
    assert_eq!(
        again.split_last().unwrap(),
        (&content.read_back(sequence), frames.as_slice()),
        "{context}"
    );
    (frames, report)
}

#[test]
fn a_flipped_bit_never_gives_a_wrong_payload_and_is_always_reported() {
    let (files, written) = filled(14);
    let mut random = SmallRng::seed_from_u64(4);
    let paths = wal_files(&files);
    assert!(paths.len() >= 3);
    let mut trials = 0;
    for path in &paths {
        let bytes = files.read_file(path).unwrap();
        // All of the headers' bits, and every second byte behind them.
        let headers = (0..104).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
        let bodies: Vec<(usize, u32)> = (104..used(&bytes))
            .step_by(2)
            .map(|byte| (byte, random.random_range(0..8)))
            .collect();
        for (byte, bit) in headers.chain(bodies) {
            let context = format!("{} byte {byte} bit {bit}", path.display());
            let damaged = files.copy();
            damaged.flip_bit(path, byte as u64, bit).unwrap();
            let (frames, report) = read_damaged(&damaged, &written, &context);
            let is_last = path == paths.last().unwrap();
            // The end mark of an older file is not needed: the next file says where it ends.
            let is_needed = is_last || byte + 8 < used(&bytes);
            assert!(
                !report.is_clean() || (!is_needed && frames == written),
                "{context}: silent"
            );
            // One bad bit costs at most one frame, in the last batch at most that batch.
            let lost = written.len() - frames.len();
            assert!(
                lost <= if is_last { 3 } else { 1 },
                "{context}: {lost} frames lost, {report:?}"
            );
            trials += 1;
        }
    }
    assert!(trials >= 2_500, "{trials}");
}

#[test]
fn a_file_cut_anywhere_gives_what_lies_before_the_cut_and_a_report() {
    let (files, written) = filled(14);
    let paths = wal_files(&files);
    let last = paths.last().unwrap();
    let bytes = files.read_file(last).unwrap();
    let (_, first_in_last) = frames_of_last(&files);
    for cut in 0..used(&bytes) {
        let damaged = files.copy();
        damaged.write_file(last, &bytes[..cut]);
        let context = format!("cut at {cut}");
        let (frames, report) = read_damaged(&damaged, &written, &context);
        assert!(!report.is_clean(), "{context}: silent");
        assert!(
            frames.len() >= first_in_last,
            "{context}: frames of older files are lost"
        );
    }
    // A cut in an older file costs that file's frames from there on, none of the others.
    let bytes = files.read_file(&paths[0]).unwrap();
    for cut in (0..used(&bytes) - 8).step_by(8) {
        let damaged = files.copy();
        damaged.write_file(&paths[0], &bytes[..cut]);
        let (frames, report) =
            read_damaged(&damaged, &written, &format!("older file cut at {cut}"));
        assert!(
            report.damage_count + report.set_aside.len() as u64 > 0,
            "{report:?}"
        );
        assert_eq!(frames.last(), written.last());
        let lost: u64 = report.gaps.iter().map(|gap| gap.end - gap.start).sum();
        assert_eq!(lost as usize, written.len() - frames.len(), "{report:?}");
    }
}

/// All frames, and how many of them lie before the last file.
fn frames_of_last(files: &SimFiles) -> (usize, usize) {
    let (_, frames, _) = open(&files.copy());
    let without = files.copy();
    without.write_file(wal_files(files).last().unwrap(), b"");
    let (_, before, _) = open(&without);
    (frames.len(), before.len())
}

#[test]
fn a_bad_frame_in_the_middle_of_the_last_file_costs_only_itself() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    for number in 0..5 {
        append(&mut journal, &[Content::new(number * 3, 50)]).unwrap();
    }
    drop(journal);
    let path = wal_files(&files).remove(0);
    let bytes = files.read_file(&path).unwrap();
    let payload = Content::new(6, 50).frame().payload.to_vec();
    let at = bytes
        .windows(payload.len())
        .position(|window| window == payload)
        .unwrap();
    files.flip_bit(&path, at as u64 + 7, 3).unwrap();
    let (_, frames, report) = open(&files);
    let sequences: Vec<u64> = frames.iter().map(|frame| frame.sequence).collect();
    assert_eq!(sequences, [1, 2, 4, 5]);
    assert_eq!((report.gaps, report.torn_tail), (vec![3..4], None));
    assert_eq!(
        (
            report.damage[0].kind,
            report.damage[0].offset,
            report.damage[0].bytes
        ),
        (DamageKind::Frames, at as u64 - 40, 96)
    );
}

#[test]
fn a_missing_file_is_reported_as_a_gap() {
    let (files, written) = filled(14);
    let paths = wal_files(&files);
    let survivor = SimFiles::new();
    for path in paths.iter().filter(|path| **path != paths[1]) {
        survivor.write_file(path, &files.read_file(path).unwrap());
    }
    let (_, frames, report) = open(&survivor);
    let gap = report.gaps.first().cloned().unwrap();
    assert_eq!(report.gaps.len(), 1);
    assert_eq!((gap.end - gap.start) as usize, written.len() - frames.len());
    assert!(frames.iter().all(|frame| !gap.contains(&frame.sequence)));
}

#[test]
fn a_file_with_a_bad_header_gives_its_frames_and_is_set_aside_only_when_they_are_released() {
    let (files, written) = filled(14);
    let path = wal_files(&files).remove(1);
    files.flip_bit(&path, 20, 1).unwrap();
    let (mut journal, frames, report) = open(&files);
    assert_eq!(frames, written);
    assert_eq!(
        (report.damage.len(), report.damage[0].kind),
        (1, DamageKind::Header)
    );
    assert!(report.set_aside.is_empty() && wal_files(&files).contains(&path));
    journal.release_below(journal.next_sequence()).unwrap();
    assert!(!wal_files(&files).contains(&path));
    assert!(
        files
            .read_file(&dir().join("set-aside").join(path.file_name().unwrap()))
            .is_ok()
    );
}

#[test]
fn garbage_and_files_of_another_store_are_set_aside_and_do_not_stop_the_start() {
    let (files, written) = filled(6);
    let other = SimFiles::new();
    let (mut journal, _) = Journal::open(
        Arc::new(other.clone()),
        dir(),
        STORE + 1,
        small(Level::Sync),
        0,
        &mut |_| Ok(()),
    )
    .unwrap();
    append(&mut journal, &contents(0..3, 30)).unwrap();
    let foreign = dir().join("0000000000000900.wal");
    files.write_file(&foreign, &other.read_file(&wal_files(&other)[0]).unwrap());
    files.write_file(&dir().join("0000000000000901.wal"), &[0xa5; 3_000]);
    files.write_file(&dir().join("0000000000000902.wal"), b"");
    files.write_file(&dir().join("notes.txt"), b"not ours");
    let (mut journal, frames, report) = open(&files);
    assert_eq!(frames, written);
    assert_eq!(report.set_aside.len(), 3);
    let kinds: Vec<DamageKind> = report.damage.iter().map(|damage| damage.kind).collect();
    assert_eq!(
        kinds,
        [
            DamageKind::ForeignStore,
            DamageKind::Header,
            DamageKind::Header
        ]
    );
    assert!(names(&files).contains(&"notes.txt".to_owned()));
    // A second file of that number is set aside beside the first.
    files.write_file(&foreign, b"again");
    append(&mut journal, &contents(0..3, 30)).unwrap();
    let (_, _, report) = open(&files);
    assert_eq!(
        report.set_aside,
        [PathBuf::from("wal/set-aside/0000000000000900.wal.1")]
    );
}

#[test]
fn a_file_of_a_newer_version_stops_the_start_and_is_left_alone() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    append(&mut journal, &contents(0..1, 30)).unwrap();
    let path = wal_files(&files).remove(0);
    let mut bytes = files.read_file(&path).unwrap();
    bytes[4] = 9;
    let crc = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    files.write_file(&path, &bytes);
    let failure = open_with(&files, small(Level::Sync), 0).unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Corrupt);
    assert!(failure.to_string().contains("version 9"), "{failure}");
    assert_eq!(files.read_file(&path).unwrap(), bytes);
}

#[test]
fn a_payload_that_looks_like_frames_is_not_taken_for_frames_when_its_own_frame_is_bad() {
    let (files, _) = filled(3);
    let image = files.read_file(&wal_files(&files)[0]).unwrap();
    let target = SimFiles::new();
    let (mut journal, _) = Journal::open(
        Arc::new(target.clone()),
        dir(),
        STORE,
        small(Level::Sync),
        0,
        &mut |_| Ok(()),
    )
    .unwrap();
    // Numbers differ, as they do between any two files of a store.
    assert!(journal.prepare_spare().unwrap() && journal.prepare_spare().unwrap());
    let hostile = journal::NewFrame {
        kind: journal::FrameKind::Otlp,
        tenant: "t",
        received_unix_nanos: 0,
        span_count: 0,
        payload: &image[64..used(&image)],
    };
    journal.append(&[hostile]).unwrap();
    append(&mut journal, &contents(1..2, 2_000)).unwrap();
    append(&mut journal, &contents(2..3, 2_000)).unwrap();
    drop(journal);
    let path = wal_files(&target).remove(0);
    assert_ne!(path.file_name(), wal_files(&files)[0].file_name());
    for bit in 0..8 {
        let damaged = target.copy();
        damaged.flip_bit(&path, 200, bit).unwrap();
        let (_, frames, report) = open(&damaged);
        assert_eq!(
            frames
                .iter()
                .map(|frame| frame.sequence)
                .collect::<Vec<_>>(),
            [2, 3]
        );
        assert_eq!(report.gaps, [1..2]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_reported_and_nothing_of_it_is_destroyed() {
    let (files, written) = filled(14);
    let reads = |files: &SimFiles| {
        files
            .operation_log()
            .iter()
            .filter(|name| name.starts_with("read_at"))
            .count()
    };
    let probe = files.copy();
    open(&probe);
    assert!(reads(&probe) > 3);
    let images: Vec<Vec<u8>> = wal_files(&files)
        .iter()
        .map(|path| files.read_file(path).unwrap())
        .collect();
    for nth in 3..probe.operations() {
        let damaged = files.copy();
        damaged.fail_operation(nth, journal::Fault::IO, journal::FaultScope::Forever);
        let Ok((journal, frames, report)) = open_with(&damaged, small(Level::Sync), 0) else {
            continue;
        };
        let missing = frames.len() < written.len();
        assert!(!missing || !report.is_clean(), "operation {nth}: silent");
        assert!(
            !missing || journal.next_sequence() > written.last().unwrap().sequence,
            "operation {nth}: given again"
        );
        drop(journal);
        damaged.clear_faults();
        let kept: Vec<Vec<u8>> = wal_files(&damaged)
            .iter()
            .map(|path| damaged.read_file(path).unwrap())
            .collect();
        assert_eq!(kept, images, "operation {nth}");
        let (_, frames, report) = open(&damaged);
        assert_eq!(frames, written);
        assert!(report.is_clean());
    }
}

#[test]
fn reports_name_file_and_place() {
    let (files, _) = filled(14);
    let path = wal_files(&files).remove(0);
    files.flip_bit(&path, 120, 0).unwrap();
    let (_, _, report) = open(&files);
    assert_eq!(
        report.damage[0].path,
        Path::new("wal").join(path.file_name().unwrap())
    );
    assert_eq!(report.damage_count, 1);
}
