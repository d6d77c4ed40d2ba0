//! Planned failures: every single operation, a full disk, syncs that fail.

use crate::scenario::{
    Content, FILE_BYTES, Model, append, contents, dir, open, open_with, small, wal_files,
};
use journal::{Error, ErrorKind, Fault, FaultScope, Journal, Level, SimFiles};
use rand::SeedableRng;
use rand::rngs::SmallRng;

/// Two lives with rotations, a release, spares and a restart; goes on after every failure that allows it.
fn lives(files: &SimFiles, model: &mut Model) -> usize {
    let mut random = SmallRng::seed_from_u64(11);
    let mut failures = 0;
    for life in 0..2 {
        // A start that fails is tried again, as a supervisor does; a failure that stays ends the scenario.
        let Some((mut journal, frames, report)) =
            (0..3).find_map(|_| open_with(files, small(Level::Sync), model.floor).ok())
        else {
            return failures + 1;
        };
        if report.is_clean() {
            model.check(&frames, &format!("life {life}"));
        }
        for step in 0..25 {
            if step == 12 {
                model.floor = journal.next_sequence() - 3.min(journal.next_sequence());
                failures += usize::from(journal.release_below(model.floor).is_err());
                failures += usize::from(journal.prepare_spare().is_err());
            }
            let batch = model.batch(&mut random);
            match model.append(&mut journal, batch) {
                Ok(()) => {}
                Err(Error::Fatal { .. }) => return failures + 1,
                Err(_) => failures += 1,
            }
        }
    }
    failures
}

fn sweep(fault: Fault, scope: FaultScope) {
    let mut rotations = 0;
    for nth in 1.. {
        let files = SimFiles::new();
        let mut model = Model::default();
        files.fail_operation(nth, fault, scope);
        let failures = lives(&files, &mut model);
        let operations = files.operations();
        let name = files
            .operation_log()
            .get(usize::try_from(nth).unwrap() - 1)
            .cloned();
        files.clear_faults();
        for seed in 0..4 {
            let context =
                format!("{fault:?} {scope:?} at operation {nth} ({name:?}), crash {seed}");
            let survivor = if seed == 0 {
                files.copy()
            } else {
                files.crash(seed)
            };
            let (mut journal, frames, report) =
                open_with(&survivor, small(Level::Sync), model.floor).unwrap();
            model.check(&frames, &context);
            assert_eq!((report.damage, report.gaps), (vec![], vec![]), "{context}");
            append(&mut journal, &contents(0..1, 9))
                .unwrap_or_else(|failure| panic!("{context}: {failure}"));
        }
        rotations = rotations.max(wal_files(&files).len());
        if operations < nth {
            assert_eq!(failures, 0);
            assert!(nth > 100, "the scenario has only {nth} operations");
            break;
        }
    }
    assert!(rotations >= 4, "only {rotations} files");
}

#[test]
fn any_single_failed_operation_loses_nothing_acknowledged() {
    sweep(Fault::IO, FaultScope::Once);
}

#[test]
fn failures_from_any_operation_on_lose_nothing_acknowledged() {
    sweep(Fault::IO, FaultScope::Forever);
}

#[test]
fn a_full_disk_at_any_operation_loses_nothing_acknowledged() {
    sweep(Fault::FULL, FaultScope::Once);
    sweep(Fault::FULL, FaultScope::Forever);
}

/// A failed batch of two must not lend its second frame to a later, single one of the same length.
#[test]
fn what_a_full_disk_cut_short_is_wiped_before_the_next_append() {
    for cut in 1..=3 {
        let files = SimFiles::new();
        let (mut journal, ..) = open(&files);
        append(&mut journal, &contents(0..3, 64)).unwrap();
        // The simulated write leaves its first half: with six frames that is three whole ones.
        files.fail_operation(1, Fault::FULL, FaultScope::Once);
        let failure = append(&mut journal, &contents(3..9, 64)).unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Full);
        assert_eq!(journal.next_sequence(), 4);
        let kept: Vec<Content> = (0..cut)
            .map(|index| Content::new(30 + index * 3, 64))
            .collect();
        append(&mut journal, &kept).unwrap();
        drop(journal);
        let (journal, frames, report) = open(&files);
        assert_eq!(
            journal.next_sequence(),
            4 + u64::from(cut),
            "a frame of the failed append came back"
        );
        assert_eq!(frames.len(), 3 + kept.len());
        assert!(report.is_clean(), "{report:?}");
    }
}

#[test]
fn a_full_disk_refuses_appends_and_recovers_by_itself() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    journal.prepare_spare().unwrap();
    files.set_capacity(3 * FILE_BYTES);
    let mut model = Model::default();
    let mut refused = 0;
    for number in 0..60 {
        match model.append(&mut journal, contents(number..number + 1, 300)) {
            Ok(()) => assert_eq!(refused, 0, "there was room again by itself"),
            Err(failure) => {
                assert_eq!(failure.kind(), ErrorKind::Full, "{failure}");
                refused += 1;
            }
        }
    }
    assert!(refused > 40, "{refused}");
    // A start on a full disk works, and shows what was acknowledged.
    let (_, frames, report) = open(&files.copy());
    model.check(&frames, "full");
    assert!(report.is_clean(), "{report:?}");

    model.floor = journal.next_sequence() - 1;
    journal.release_below(model.floor).unwrap();
    for number in 60..66 {
        model
            .append(&mut journal, contents(number..number + 1, 300))
            .unwrap();
    }
    let (_, frames, report) = open_with(&files.crash(5), small(Level::Sync), model.floor).unwrap();
    model.check(&frames, "after the disk was full");
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn a_large_frame_that_does_not_fit_leaves_room_for_small_ones() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    append(&mut journal, &contents(0..1, 10)).unwrap();
    files.set_capacity(2 * FILE_BYTES + 100);
    assert_eq!(
        append(&mut journal, &contents(1..2, 6_000))
            .unwrap_err()
            .kind(),
        ErrorKind::Full
    );
    assert_eq!(append(&mut journal, &contents(2..3, 10)).unwrap(), 2);
    let (_, frames, _) = open(&files.crash(1));
    assert_eq!(frames.last().unwrap(), &Content::new(2, 10).read_back(2));
}

fn syncs_of(files: &SimFiles, path: &std::path::Path) -> usize {
    let name = path.display().to_string();
    files
        .operation_log()
        .iter()
        .filter(|entry| entry.starts_with("sync_") && entry.ends_with(&name))
        .count()
}

#[test]
fn a_failed_sync_is_not_acknowledged_and_never_tried_again_on_that_file() {
    for seed in 0..30 {
        let files = SimFiles::new();
        let (mut journal, ..) = open(&files);
        let mut model = Model::default();
        model.append(&mut journal, contents(0..3, 40)).unwrap();
        let bad = wal_files(&files).remove(0);
        let syncs = syncs_of(&files, &bad);
        files.fail_sync(FaultScope::Once);
        match model.append(&mut journal, contents(3..5, 300)) {
            Err(Error::SyncFailed {
                path,
                set_aside_first_sequence,
                set_aside_last_sequence,
                ..
            }) => {
                assert_eq!(
                    (path, set_aside_first_sequence, set_aside_last_sequence),
                    (bad.clone(), 1, 3)
                );
            }
            other => panic!("seed {seed}: {other:?}"),
        }
        assert_eq!(journal.stats().set_aside_files, 1);
        for number in 5..30 {
            model
                .append(&mut journal, contents(number..number + 1, 100))
                .unwrap();
        }
        assert_eq!(
            syncs_of(&files, &bad),
            syncs + 1,
            "the bad file was synced again"
        );
        let (_, frames, report) = open(&files.crash(seed));
        model.check(&frames, &format!("seed {seed}"));
        assert!(report.is_clean(), "{report:?}");
        // Once its frames are safe elsewhere it is kept for a person to look at, not used again.
        journal.release_below(journal.next_sequence()).unwrap();
        assert!(
            files
                .read_file(&dir().join("set-aside").join(bad.file_name().unwrap()))
                .is_ok()
        );
    }
}

#[test]
fn syncs_that_fail_for_ever_end_the_journal_with_a_clear_message() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    append(&mut journal, &contents(0..3, 40)).unwrap();
    let bad = wal_files(&files).remove(0);
    let syncs = syncs_of(&files, &bad);
    files.fail_sync(FaultScope::Forever);
    let failure = append(&mut journal, &contents(3..4, 40)).unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Fatal);
    assert!(failure.to_string().contains("start again"), "{failure}");
    let operations = files.operations();
    assert_eq!(
        append(&mut journal, &contents(4..5, 40))
            .unwrap_err()
            .kind(),
        ErrorKind::Fatal
    );
    assert_eq!(
        files.operations(),
        operations,
        "a journal that gave up touches no file"
    );
    assert_eq!(syncs_of(&files, &bad), syncs + 1);
    let (_, frames, _) = open(&files.crash(9));
    assert_eq!(frames.first().unwrap(), &Content::new(0, 40).read_back(1));
    assert!(frames.len() >= 3);
}

#[test]
fn two_failed_syncs_in_a_row_on_two_files_are_fatal_and_two_with_a_success_between_are_not() {
    for success_between in [false, true] {
        let files = SimFiles::new();
        let (mut journal, ..) = open(&files);
        append(&mut journal, &contents(0..1, 40)).unwrap();
        files.fail_sync(FaultScope::Once);
        assert_eq!(
            append(&mut journal, &contents(1..2, 40))
                .unwrap_err()
                .kind(),
            ErrorKind::SyncFailed
        );
        if success_between {
            append(&mut journal, &contents(2..3, 40)).unwrap();
        }
        files.fail_sync(FaultScope::Once);
        let kind = append(&mut journal, &contents(3..4, 40))
            .unwrap_err()
            .kind();
        assert_eq!(
            kind,
            if success_between {
                ErrorKind::SyncFailed
            } else {
                ErrorKind::Fatal
            }
        );
    }
}

#[test]
fn a_power_cut_right_after_every_append_keeps_all_of_them() {
    let files = SimFiles::new();
    let (mut journal, ..): (Journal, _, _) = open(&files);
    let mut model = Model::default();
    for number in 0..40 {
        model
            .append(&mut journal, contents(number..number + 1, 150))
            .unwrap();
        for seed in 0..5 {
            let (_, frames, report) = open(&files.crash(seed));
            model.check(&frames, &format!("after {number}, seed {seed}"));
            assert!(report.is_clean(), "{report:?}");
        }
    }
}
