//! What the sidecar says of traces, services and calls is what counting every span says.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::index::patterns::Form;
use crate::segment::open::RollupOf;

/// A span of a form: service, name, kind, depth, whether its parent is missing.
type FormSpan = (String, String, i32, u64, bool);

/// By ordinal of the trace: its form as the columns of its rows have it.
fn forms_of_rows(segment: &Segment) -> Vec<Vec<FormSpan>> {
    let traces = segment.traces().unwrap();
    let (depths, deltas) = (
        segment.numbers("depth").unwrap(),
        segment.numbers("parent_delta").unwrap(),
    );
    let forms = traces.iter().map(|entry| {
        let mut spans: Vec<FormSpan> = Vec::new();
        let batch = segment.read_rows(&[entry.range()]).unwrap();
        for (span, row) in batch.iter().zip(entry.range()) {
            let is_orphan = deltas[row] == u64::MAX;
            let (service, name) = (span.service().to_owned(), span.name().to_owned());
            spans.push((service, name, span.kind(), depths[row], is_orphan));
        }
        spans
    });
    forms.collect()
}

/// Traces of three spans of which many are alike: some chains, some forks, some without their root.
fn alike(seed: u64, traces: u64) -> SpanBatch {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut builder = BatchBuilder::new();
    let names = [builder.intern(b"GET /"), builder.intern(b"SELECT")];
    for trace in 0..traces {
        let parent_of_third = rng.random_range(1..3);
        let root_parent = if rng.random_bool(0.2) { 9 } else { 0 };
        for (id, parent) in [(1, root_parent), (2, 1), (3, parent_of_third)] {
            builder.push_span(SpanRow {
                trace_id: TraceId((u128::from(trace) + (77 << 64)).to_be_bytes()),
                span_id: SpanId::from_number(id),
                parent_span_id: SpanId::from_number(parent),
                name: names[rng.random_range(0..5usize) / 4],
                kind: 2,
                start: 1_790_000_000_000_000_000 + trace * 1_000 + id,
                end: 1_790_000_000_000_100_000 + trace * 1_000 + id,
                ..Default::default()
            });
        }
    }
    builder.finish()
}

#[test]
fn the_forms_of_traces_are_those_of_their_rows() {
    let (mut shared, mut own) = (0, 0);
    for seed in 0..12 {
        let mut builder = BatchBuilder::new();
        builder.append(&random_batch(seed, 200, &[Oddity::Fields]));
        builder.append(&alike(seed, 60));
        let dir = TempDir::new();
        let segment = open(&dir.0, write(&dir.0, &builder.finish()));
        let patterns = segment.patterns().unwrap().unwrap();
        let catalogue = segment.catalogue().unwrap();
        let named = |at: u32| {
            let operation = &catalogue.operations[at as usize];
            let service = catalogue.services[operation.service as usize].clone();
            (service, operation.name.clone(), operation.kind)
        };
        for (ordinal, wanted) in (0..).zip(forms_of_rows(&segment)) {
            match patterns.form(ordinal) {
                Form::Shared(spans) => {
                    let spans = spans.iter().map(|span| {
                        let (service, name, kind) = named(span.operation);
                        (service, name, kind, u64::from(span.depth), span.is_orphan)
                    });
                    assert_eq!(spans.collect::<Vec<_>>(), wanted, "seed {seed}");
                    shared += 1;
                }
                Form::Own {
                    root, is_complete, ..
                } => {
                    let roots: Vec<_> = wanted.iter().filter(|span| span.3 == 0).collect();
                    let true_root = roots.iter().find(|span| !span.4);
                    let true_root = true_root.map(|span| (span.0.clone(), span.1.clone(), span.2));
                    assert_eq!(root.map(named), true_root, "seed {seed}");
                    assert_eq!(is_complete, roots.len() == 1 && !roots[0].4, "seed {seed}");
                    own += 1;
                }
            }
        }
    }
    assert!(shared > 20 && own > 20, "{shared} and {own}");
}

const MINUTE: u64 = 60_000_000_000;

/// What a cell says but for its slowest row: spans, durations, those not above zero, buckets.
type CellSays = (u64, i64, u64, BTreeMap<u16, u64>);

/// By start of the unit and series, as text.
type Cells = BTreeMap<(u64, String), CellSays>;

fn add(cells: &mut Cells, unit: u64, series: String, span: &model::batch::SpanRef<'_>) {
    let duration = span.end().wrapping_sub(span.start()).cast_signed();
    let cell = cells
        .entry((span.start() / unit * unit, series))
        .or_default();
    cell.0 += 1;
    cell.1 = cell.1.wrapping_add(duration);
    match model::histogram::bucket_of(duration) {
        Some(bucket) => *cell.3.entry(bucket).or_default() += 1,
        None => cell.2 += 1,
    }
}

/// Operations and calls, counted span by span.
fn counted(batch: &SpanBatch, unit: u64) -> [Cells; 2] {
    let (mut operations, mut calls) = (Cells::new(), Cells::new());
    for span in batch.iter() {
        let (service, kind, status) = (span.service(), span.kind(), span.status());
        let series = format!("{service}/{}/{kind}/{status}", span.name());
        add(&mut operations, unit, series, &span);
        // The first to arrive of those with the id.
        let is_parent = |other: &model::batch::SpanRef<'_>| {
            other.trace_id() == span.trace_id() && other.span_id() == span.parent_span_id()
        };
        let parent = batch.iter().find(is_parent);
        if let Some(parent) = parent.filter(|_| !span.parent_span_id().is_zero())
            && (parent.service() != service || [2, 5].contains(&kind))
        {
            let series = format!("{}/{service}/{kind}/{status}", parent.service());
            add(&mut calls, unit, series, &span);
        }
    }
    [operations, calls]
}

fn told(segment: &Segment, of: RollupOf) -> Cells {
    let (rollup, catalogue) = (
        segment.rollup(of).unwrap().unwrap(),
        segment.catalogue().unwrap(),
    );
    let durations: Vec<i64> = {
        let batch = segment
            .read_rows(&[0..segment.meta().spans as usize])
            .unwrap();
        let spans = batch.spans().start.iter().zip(&batch.spans().end);
        spans
            .map(|(start, end)| end.wrapping_sub(*start).cast_signed())
            .collect()
    };
    let service = |at: u32| catalogue.services[at as usize].as_str();
    let mut cells = Cells::new();
    for cell in &rollup.cells {
        let ([a, b, c, d], first, last) = rollup.series[cell.series as usize];
        assert!(first / 60 <= cell.from / 60 + MINUTE && cell.from <= last);
        let series = match of {
            RollupOf::OperationsByMinute | RollupOf::OperationsByHour => {
                let operation = &catalogue.operations[a as usize];
                format!(
                    "{}/{}/{}/{}",
                    service(operation.service),
                    operation.name,
                    operation.kind,
                    b.cast_signed()
                )
            }
            _ => format!(
                "{}/{}/{}/{}",
                service(a),
                service(b),
                c.cast_signed(),
                d.cast_signed()
            ),
        };
        let mut buckets = BTreeMap::new();
        rollup.each_bucket(cell, |bucket, count| buckets.extend([(bucket, count)]));
        // The slowest row is in the slowest bucket.
        let slowest = durations[cell.slowest_row as usize];
        assert_eq!(
            model::histogram::bucket_of(slowest),
            buckets.keys().max().copied()
        );
        let says = (cell.spans, cell.duration, cell.zeros, buckets);
        assert!(cells.insert((cell.from, series), says).is_none());
    }
    cells
}

#[test]
fn operations_and_calls_are_counted_as_the_spans_are() {
    for seed in 0..8 {
        let batch = random_batch(seed, 400, &[Oddity::Fields]);
        let dir = TempDir::new();
        let segment = open(&dir.0, write(&dir.0, &batch));
        let by_minute = [RollupOf::OperationsByMinute, RollupOf::CallsByMinute];
        assert_eq!(
            by_minute.map(|of| told(&segment, of)),
            counted(&batch, MINUTE)
        );
        let by_hour = [RollupOf::OperationsByHour, RollupOf::CallsByHour];
        let wanted = counted(&batch, 60 * MINUTE);
        assert!(!wanted[1].is_empty());
        assert_eq!(by_hour.map(|of| told(&segment, of)), wanted);
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
