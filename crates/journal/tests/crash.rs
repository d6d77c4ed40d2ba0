//! Crashes at random moments against the model: power cuts, kills, failures before the cut, recycled files.

use crate::scenario::{
    Content, FILE_BYTES, Model, append, contents, dir, open, open_with, small, wal_files,
};
use journal::{
    Error, ErrorKind, Fault, FaultScope, Files, FrameKind, Level, NewFrame, OpenMode, SimFiles,
};
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// One life of a journal after another on the same disk.
fn run(seed: u64) -> u64 {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut files = SimFiles::new();
    let mut model = Model::default();
    let mut recycled = 0;
    for life in 0..8 {
        let context = format!("seed {seed}, life {life}");
        let (mut journal, frames, report) =
            open_with(&files, small(Level::Sync), model.floor).unwrap();
        model.check(&frames, &context);
        assert_eq!(
            (report.damage, report.gaps, report.set_aside),
            (vec![], vec![], vec![]),
            "{context}"
        );
        model.settle(&frames);
        assert!(
            model
                .acknowledged
                .keys()
                .next_back()
                .is_none_or(|last| *last < journal.next_sequence()),
            "{context}"
        );
        if random.random_bool(0.3) {
            let room = [4, 6, 8, 1_000_000][random.random_range(0..4)];
            files.set_capacity(room * FILE_BYTES);
        }
        let ends_badly = random.random_bool(0.7);
        for step in 0..random.random_range(1..30) {
            if ends_badly && step > 3 && random.random_bool(0.2) {
                let fault = if random.random_bool(0.7) {
                    Fault::IO
                } else {
                    Fault::FULL
                };
                let scope = if random.random_bool(0.5) {
                    FaultScope::Once
                } else {
                    FaultScope::Forever
                };
                files.fail_operation(random.random_range(1..6), fault, scope);
            }
            match random.random_range(0..10) {
                0 => {
                    model.floor = random.random_range(model.floor..=journal.next_sequence());
                    let spares = journal.stats().spares;
                    // A failure here is tried again later and promises nothing.
                    journal.release_below(model.floor).ok();
                    recycled += journal.stats().spares.saturating_sub(spares);
                }
                1 => {
                    journal.prepare_spare().ok();
                }
                _ => {
                    let batch = model.batch(&mut random);
                    if let Err(Error::Fatal { .. }) = model.append(&mut journal, batch) {
                        break;
                    }
                }
            }
        }
        files.clear_faults();
        drop(journal);
        if random.random_bool(0.7) {
            files = files.crash(random.random());
        }
    }
    recycled
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(300),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_acknowledged_is_found_once_and_in_order_after_any_crash(seed: u64) {
        run(seed);
    }
}

#[test]
fn fixed_seeds_keep_their_promises_and_do_recycle_files() {
    let seeds = std::env::var("TRACKWAY_SIMULATION_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(200);
    let recycled: u64 = (0..seeds).map(run).sum();
    assert!(
        recycled > 200,
        "only {recycled} files were recycled: the stale frames are not tested"
    );
}

/// After a failed sync the page cache shows what the disk does not have, and a later sync succeeds without it.
#[test]
fn what_a_start_has_shown_stays_even_if_its_sync_had_failed_in_an_earlier_life() {
    let mut shown = 0;
    for seed in 0..60 {
        let files = SimFiles::new();
        let (mut journal, ..) = open(&files);
        append(&mut journal, &contents(0..2, 700)).unwrap();
        files.fail_sync(FaultScope::Forever);
        let failure = append(&mut journal, &contents(2..3, 10 + seed)).unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Fatal);
        drop(journal);
        files.clear_faults();
        let (journal, visited, _) = open(&files);
        shown += visited.len();
        drop(journal);
        let (_, frames, report) = open(&files.crash(seed as u64));
        assert_eq!(frames, visited, "seed {seed}");
        assert!(report.is_clean(), "{report:?}");
    }
    assert_eq!(shown, 180, "the frames were not in the page cache");
}

/// A new file whose name may or may not survive shuts out what an older file takes after it.
#[test]
fn a_new_file_that_could_not_be_named_takes_no_frames_of_the_old_one_with_it() {
    for nth in 1..=12 {
        for seed in 0..20 {
            let files = SimFiles::new();
            let (mut journal, ..) = open(&files);
            let mut model = Model::default();
            model.append(&mut journal, contents(0..2, 500)).unwrap();
            files.fail_operation(nth, Fault::IO, FaultScope::Once);
            let rotates = model.append(&mut journal, contents(2..4, 600));
            assert!(
                rotates.is_err(),
                "operation {nth}: {:?}",
                files.operation_log()
            );
            files.clear_faults();
            model.append(&mut journal, contents(4..5, 20)).unwrap();
            let (_, frames, report) = open(&files.crash(seed));
            model.check(&frames, &format!("operation {nth}, seed {seed}"));
            assert!(
                report.damage.is_empty() && report.gaps.is_empty(),
                "{report:?}"
            );
        }
    }
}

#[test]
fn the_page_cache_level_survives_the_death_of_the_process() {
    let files = SimFiles::new();
    let mut model = Model::default();
    let mut random = SmallRng::seed_from_u64(1);
    for life in 0..20 {
        let (mut journal, frames, report) = open_with(&files, small(Level::PageCache), 0).unwrap();
        model.check(&frames, &format!("life {life}"));
        assert!(report.is_clean(), "{report:?}");
        for _ in 0..5 {
            let batch = model.batch(&mut random);
            model.append(&mut journal, batch).unwrap();
        }
        std::mem::forget(journal);
    }
    let syncs = files
        .operation_log()
        .iter()
        .filter(|name| name.starts_with("sync_data"))
        .count();
    let (_, _, report) = open_with(&files, small(Level::PageCache), 0).unwrap();
    assert!(
        report.files > 3 && syncs <= 2 * 20 * 5,
        "{syncs} syncs over {} files",
        report.files
    );
}

#[test]
fn the_page_cache_level_gives_only_whole_frames_after_a_power_cut() {
    for seed in 0..100 {
        let files = SimFiles::new();
        let (mut journal, ..) = open_with(&files, small(Level::PageCache), 0).unwrap();
        let mut model = Model::default();
        let mut random = SmallRng::seed_from_u64(seed);
        for _ in 0..12 {
            let batch = model.batch(&mut random);
            model.append(&mut journal, batch).unwrap();
        }
        model
            .attempted
            .extend(std::mem::take(&mut model.acknowledged));
        let (_, frames, _) = open(&files.crash(seed));
        model.check(&frames, &format!("seed {seed}"));
    }
}

#[test]
fn the_memory_level_counts_and_writes_nothing() {
    let files = SimFiles::new();
    let (mut journal, ..) = open_with(&files, small(Level::Memory), 0).unwrap();
    assert_eq!(append(&mut journal, &contents(0..3, 50)).unwrap(), 1);
    assert_eq!(append(&mut journal, &contents(3..4, 50)).unwrap(), 4);
    assert_eq!(
        (journal.next_sequence(), journal.stats().appended_frames),
        (5, 4)
    );
    assert_eq!(files.paths(), vec![]);
}

/// Fills, releases, and fills again with frames of the same lengths.
#[test]
fn stale_frames_of_a_recycled_file_never_replay() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    while wal_files(&files).len() < 4 {
        let number = u32::try_from(journal.next_sequence()).unwrap();
        append(&mut journal, &contents(number..number + 1, 100)).unwrap();
    }
    let floor = journal.next_sequence();
    journal.release_below(floor).unwrap();
    assert_eq!(journal.stats().spares, 2);
    let mut sequence = floor;
    for round in 0..20 {
        sequence = append(&mut journal, &contents(round..round + 1, 100)).unwrap();
        let (_, frames, report) = open_with(&files.copy(), small(Level::Sync), floor).unwrap();
        let sequences: Vec<u64> = frames.iter().map(|frame| frame.sequence).collect();
        assert_eq!(sequences, (floor..=sequence).collect::<Vec<_>>());
        assert!(report.is_clean(), "{report:?}");
    }
    assert!(
        files
            .operation_log()
            .iter()
            .filter(|name| name.starts_with("open") && name.ends_with(".spare"))
            .count()
            >= 2
    );
    assert!(sequence > floor + 10);
}

/// Cuts the last file's tail sector by sector behind a first sector that was lost, then writes over it.
#[test]
fn a_torn_tail_never_becomes_valid_by_a_later_append() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    append(&mut journal, &contents(0..3, 64)).unwrap();
    let path = wal_files(&files).remove(0);
    let before = files.read_file(&path).unwrap();
    // Three frames of one tenant that is known already: the first is not whole on the disk, the others are.
    let cut_short = [6, 9, 12].map(|number| Content::new(number, 64));
    append(&mut journal, &cut_short).unwrap();
    let mut torn = files.read_file(&path).unwrap();
    let start = before.iter().zip(&torn).position(|(a, b)| a != b).unwrap();
    torn[start + 50] ^= 0xff;
    drop(journal);
    let files = files.copy();
    files.write_file(&path, &torn);

    let (mut journal, frames, report) = open(&files);
    assert_eq!((frames.len(), journal.next_sequence()), (3, 4));
    let tail = report.torn_tail.unwrap();
    assert_eq!(
        (tail.path.as_path(), tail.offset, report.damage_count),
        (path.as_path(), start as u64, 0)
    );
    assert!(tail.bytes >= 2 * 104 + 40, "{}", tail.bytes);
    let later = Content::new(15, 64);
    append(&mut journal, std::slice::from_ref(&later)).unwrap();
    drop(journal);
    let (journal, frames, report) = open(&files);
    assert_eq!(journal.next_sequence(), 5, "a stale frame came back");
    assert_eq!(frames.last().unwrap(), &later.read_back(4));
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn a_batch_larger_than_a_file_is_kept_and_its_file_is_not_recycled() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    let large = Content::new(1, 5 * usize::try_from(FILE_BYTES).unwrap());
    append(&mut journal, std::slice::from_ref(&large)).unwrap();
    append(&mut journal, &contents(2..3, 10)).unwrap();
    let (_, frames, report) = open(&files.crash(3));
    assert_eq!(
        frames,
        vec![large.read_back(1), Content::new(2, 10).read_back(2)]
    );
    assert!(report.is_clean());
    journal.release_below(2).unwrap();
    assert_eq!((journal.stats().spares, wal_files(&files).len()), (0, 1));
}

#[test]
fn many_tenants_in_one_file_come_back_under_their_own_names() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    let names: Vec<String> = (0..300).map(|tenant| format!("tenant-{tenant}")).collect();
    for chunk in names.chunks(7) {
        let frame = |tenant| NewFrame {
            kind: FrameKind::Otlp,
            tenant,
            received_unix_nanos: 1,
            span_count: 1,
            payload: b"x",
        };
        let frames: Vec<NewFrame<'_>> = chunk
            .iter()
            .chain(chunk)
            .map(|name| frame(name.as_str()))
            .collect();
        journal.append(&frames).unwrap();
    }
    let (_, frames, _) = open(&files.crash(1));
    let found: Vec<&str> = frames.iter().map(|frame| frame.tenant.as_str()).collect();
    let expected: Vec<&str> = names
        .chunks(7)
        .flat_map(|chunk| chunk.iter().chain(chunk))
        .map(String::as_str)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn refuses_what_the_format_cannot_hold_and_goes_on() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    let tenant = "t".repeat(journal::TENANT_NAME_BYTES_MAX + 1);
    let frame = NewFrame {
        kind: FrameKind::Otlp,
        tenant: &tenant,
        received_unix_nanos: 1,
        span_count: 1,
        payload: b"x",
    };
    assert_eq!(journal.append(&[frame]).unwrap_err().kind(), ErrorKind::Bug);
    assert_eq!(
        journal
            .append(&[NewFrame {
                tenant: "t",
                ..frame
            }])
            .unwrap(),
        1
    );
    assert_eq!(journal.append(&[]).unwrap(), 2);
}

#[test]
fn leftovers_of_a_crash_while_making_spares_are_cleared_away() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    append(&mut journal, &contents(0..1, 10)).unwrap();
    assert!(journal.prepare_spare().unwrap() && journal.prepare_spare().unwrap());
    assert!(!journal.prepare_spare().unwrap(), "two spares are enough");
    drop(journal);
    files.write_file(&dir().join("0000000000000077.new"), b"half");
    files.write_file(&dir().join("0000000000000078.spare"), b"short");
    let (mut journal, frames, report) = open(&files);
    assert_eq!((frames.len(), journal.stats().spares), (1, 2));
    assert!(report.is_clean());
    assert!(
        !files
            .paths()
            .iter()
            .any(|(path, _)| path.to_string_lossy().contains("007"))
    );
    // Numbers of removed files are not given again either.
    for number in 0..40 {
        append(&mut journal, &contents(number..number + 1, 200)).unwrap();
    }
    assert!(wal_files(&files).contains(&dir().join("0000000000000079.wal")));
}

#[test]
fn a_floor_above_everything_is_where_the_sequences_go_on() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    append(&mut journal, &contents(0..3, 10)).unwrap();
    drop(journal);
    let (mut journal, frames, report) = open_with(&files, small(Level::Sync), 100).unwrap();
    assert_eq!((frames.len(), journal.next_sequence()), (0, 100));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(append(&mut journal, &contents(3..4, 10)).unwrap(), 100);
    let (_, frames, report) = open_with(&files.crash(1), small(Level::Sync), 100).unwrap();
    assert_eq!(frames, vec![Content::new(3, 10).read_back(100)]);
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn a_visitor_that_gives_up_stops_the_start() {
    let files = SimFiles::new();
    let (mut journal, ..) = open(&files);
    append(&mut journal, &contents(0..3, 10)).unwrap();
    let shared: std::sync::Arc<dyn Files> = std::sync::Arc::new(files.clone());
    assert!(shared.open(&wal_files(&files)[0], OpenMode::Read).is_ok());
    let mut seen = 0;
    let outcome = journal::Journal::open(
        shared,
        dir(),
        crate::scenario::STORE,
        small(Level::Sync),
        0,
        &mut |frame| {
            seen += 1;
            if frame.sequence == 2 {
                Err("no room in the head".into())
            } else {
                Ok(())
            }
        },
    );
    let failure = outcome.unwrap_err();
    assert_eq!((failure.kind(), seen), (ErrorKind::Visit, 2));
    assert!(failure.to_string().contains("frame 2"), "{failure}");
}
