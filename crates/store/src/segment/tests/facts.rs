//! What the sidecar says of traces, services and calls is what counting every span says.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Calls by (trace, caller, called), and orphans as (trace, parent id, service).
type Calls = (
    BTreeMap<(TraceId, String, String), u64>,
    Vec<(TraceId, SpanId, String)>,
);

fn counted(batch: &SpanBatch) -> Calls {
    let (mut calls, mut orphans) = (BTreeMap::new(), Vec::new());
    for span in batch.iter().filter(|span| !span.parent_span_id().is_zero()) {
        // The first to arrive of those with the id.
        let is_parent = |other: &model::batch::SpanRef<'_>| {
            other.trace_id() == span.trace_id() && other.span_id() == span.parent_span_id()
        };
        let service = span.service().to_owned();
        match batch.iter().find(is_parent) {
            Some(parent) => {
                *calls
                    .entry((span.trace_id(), parent.service().to_owned(), service))
                    .or_default() += 1;
            }
            None => orphans.push((span.trace_id(), span.parent_span_id(), service)),
        }
    }
    orphans.sort();
    (calls, orphans)
}

fn told(segment: &Segment) -> Calls {
    let (edges, traces) = (segment.edges().unwrap(), segment.traces().unwrap());
    let name = |at: u32| edges.services[at as usize].clone();
    let mut calls = BTreeMap::new();
    for trace in traces.iter() {
        for edge in edges.of_trace(trace.ordinal) {
            calls.insert(
                (trace.trace_id, name(edge.parent), name(edge.child)),
                u64::from(edge.calls),
            );
        }
    }
    let orphans = edges.orphans.iter();
    let mut orphans: Vec<_> = orphans
        .map(|o| {
            (
                traces.entry(o.trace).unwrap().trace_id,
                o.parent_span_id,
                name(o.child),
            )
        })
        .collect();
    orphans.sort();
    (calls, orphans)
}

#[test]
fn calls_and_orphans_are_those_of_the_spans() {
    for seed in 0..12 {
        let batch = random_batch(seed, 400, &[Oddity::Fields]);
        let dir = TempDir::new();
        let segment = open(&dir.0, write(&dir.0, &batch));
        let told = told(&segment);
        assert!(!told.0.is_empty() && !told.1.is_empty());
        assert_eq!(told, counted(&batch), "seed {seed}");
    }
}

#[test]
fn services_and_operations_are_those_of_the_spans() {
    let batch = random_batch(4, 500, &[Oddity::Fields]);
    let dir = TempDir::new();
    let segment = open(&dir.0, write(&dir.0, &batch));
    let catalogue = segment.catalogue().unwrap();
    let wanted: BTreeSet<_> = batch
        .iter()
        .map(|s| (s.service(), s.name(), s.kind()))
        .collect();
    let services: BTreeSet<_> = batch.iter().map(|s| s.service()).collect();
    assert_eq!(
        catalogue.services,
        services.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()
    );
    let told: Vec<_> = services
        .iter()
        .flat_map(|s| {
            catalogue
                .operations_of(s)
                .map(move |o| (*s, o.name.as_str(), o.kind))
        })
        .collect();
    assert_eq!(told, wanted.into_iter().collect::<Vec<_>>());
    assert_eq!(catalogue.operations_of("nobody").count(), 0);
}

#[test]
fn the_bytes_of_columns_and_sections_make_up_the_files() {
    let dir = TempDir::new();
    let meta = write(&dir.0, &random_batch(4, 3_000, &[]));
    let segment = open(&dir.0, meta.clone());
    let told: u64 = segment
        .column_bytes()
        .unwrap()
        .iter()
        .map(|(_, bytes)| bytes)
        .sum();
    // Magic numbers, the sidecar's header and padding are nobody's.
    assert!(
        told <= meta.bytes() && told + 200 > meta.bytes(),
        "{told} of {}",
        meta.bytes()
    );
}

#[test]
fn a_segment_of_which_writing_returned_survives_a_crash() {
    let dir = Path::new("seg");
    let batch = random_batch(8, 200, &[]);
    for seed in 0..16 {
        let disk = journal::SimFiles::new();
        disk.create_dir_all(dir).unwrap();
        let meta = write_segment(&disk, dir, ID, &TenantId::default(), &batch).unwrap();
        let files: Arc<dyn Files> = Arc::new(disk.crash(seed));
        let cache = Arc::new(SegmentCache::new(1 << 20));
        let segment = Segment::open(files, dir, meta, cache).unwrap();
        assert_eq!(segment.verify().unwrap(), [], "seed {seed}");
    }
}

#[test]
fn a_refusal_of_the_disk_while_writing_is_told() {
    let dir = Path::new("seg");
    let batch = random_batch(8, 50, &[]);
    let disk = journal::SimFiles::new();
    disk.create_dir_all(dir).unwrap();
    let before = disk.operations();
    write_segment(&disk, dir, ID, &TenantId::default(), &batch).unwrap();
    let operations = disk.operations() - before;
    assert!(
        operations >= 16,
        "five files, each created, written, synced, and the directory: {operations}"
    );
    for nth in 1..=operations {
        let disk = journal::SimFiles::new();
        disk.create_dir_all(dir).unwrap();
        disk.fail_operation(nth, journal::Fault::IO, journal::FaultScope::Once);
        let written = write_segment(&disk, dir, ID, &TenantId::default(), &batch);
        assert!(written.is_err(), "operation {nth}");
    }
}
