//! The buffer step by step on a simulated disk: what is answered when, and what survives.

use std::path::PathBuf;

use codec::otlp::decode_proto;
use codec::wire::Writer;
use journal::{FaultScope, Level, SimFiles};
use model::TenantId;
use plumbing::{ManualClock, Metrics, SeededRandom};

use super::*;
use crate::words::COLLECTORS;

fn open(files: &SimFiles) -> (Buffer, u64) {
    let options = BufferOptions {
        dir: PathBuf::from("buffer"),
        bytes_max: 1 << 20,
        level: Level::Sync,
    };
    let parts = BufferParts {
        files: Arc::new(files.clone()),
        clock: Arc::new(ManualClock::at(1)),
        random: &SeededRandom::new(7),
        metrics: SinkMetrics::register(&Metrics::new(), &COLLECTORS),
        attributes: ResourceAttributes::default(),
        words: &COLLECTORS,
    };
    Buffer::open(&options, parts).unwrap()
}

fn batch(name: &str) -> IncomingBatch {
    let mut out = Writer::new();
    out.message(1, |spans| {
        spans.message(2, |scope| {
            scope.message(2, |span| {
                span.bytes_field(1, &[7; 16]);
                span.bytes_field(2, &[8; 8]);
                span.bytes_field(5, name.as_bytes());
            });
        });
    });
    let otlp = Bytes::from(out.into_bytes());
    IncomingBatch {
        tenant: TenantId::default(),
        batch: decode_proto(&otlp).unwrap().batch,
        otlp,
    }
}

fn write(buffer: &mut Buffer, name: &str) -> Result<Kept, WriteError> {
    let (tell, mut told) = oneshot::channel();
    let mut group = Group::default();
    buffer.follow(Order::Write(Box::new(batch(name)), tell), &mut group);
    buffer.commit(group);
    told.try_recv().unwrap()
}

fn confirm(buffer: &mut Buffer, floor: u64) {
    let mut group = Group::default();
    buffer.follow(Order::Confirm(floor), &mut group);
    buffer.commit(group);
}

fn names(buffer: &Buffer, floor: u64) -> Vec<String> {
    let mut cursor = Cursor::before(floor);
    let read = buffer.journal.read_on(&mut cursor, u64::MAX).unwrap();
    let batches = read
        .frames
        .iter()
        .filter(|frame| frame.kind == FrameKind::Otlp);
    let name = |frame: &Frame| {
        let batch = decode_proto(&frame.payload).unwrap().batch;
        batch.span(0).unwrap().name().to_owned()
    };
    batches.map(name).collect()
}

#[test]
fn nothing_is_acknowledged_that_is_not_on_the_disk() {
    let files = SimFiles::new();
    let (mut buffer, _) = open(&files);
    write(&mut buffer, "kept").unwrap();
    files.fail_sync(FaultScope::Once);
    assert!(matches!(
        write(&mut buffer, "lost"),
        Err(WriteError::Busy { .. })
    ));
    files.clear_faults();
    write(&mut buffer, "kept too").unwrap();
    for seed in 0..20 {
        let (buffer, floor) = open(&files.crash(seed));
        assert_eq!(names(&buffer, floor), ["kept", "kept too"], "seed {seed}");
    }
}

#[test]
fn what_was_confirmed_is_not_given_again_after_a_crash_and_the_rest_is() {
    let files = SimFiles::new();
    let (mut buffer, floor) = open(&files);
    assert_eq!(floor, 1);
    for name in ["a", "b", "c"] {
        write(&mut buffer, name).unwrap();
    }
    confirm(&mut buffer, 3);
    let (buffer, floor) = open(&files.crash(1));
    assert_eq!((floor, names(&buffer, floor)), (3, vec!["c".to_owned()]));
    assert_eq!(buffer.state.waiting_spans.load(Ordering::Acquire), 1);
}

#[test]
fn a_full_disk_refuses_and_passes_even_when_nobody_sends() {
    let files = SimFiles::new();
    let (mut buffer, _) = open(&files);
    write(&mut buffer, "a").unwrap();
    let used: u64 = files.paths().iter().map(|(_, bytes)| *bytes).sum();
    files.set_capacity(used);
    let large = "x".repeat(100_000);
    assert!(matches!(
        write(&mut buffer, &large),
        Err(WriteError::Unavailable { .. })
    ));
    assert!(buffer.state.refusal().is_some());
    // What is delivered makes room all the same, and says so where there still is some.
    confirm(&mut buffer, 2);
    files.set_capacity(u64::MAX);
    buffer.look();
    assert_eq!(buffer.state.refusal(), None);
    write(&mut buffer, &large).unwrap();
}

#[test]
fn a_second_program_is_told_who_has_the_folder() {
    let files = SimFiles::new();
    let (_buffer, _) = open(&files);
    let again = std::panic::catch_unwind(|| open(&files).1);
    assert!(again.is_err());
}
