//! What is written is read again, by us and by others.

use std::collections::BTreeMap;
use std::fs::File;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::*;
use crate::index::trace_hash;
use crate::segment::FileKind;

/// Hashes of the spans by trace, in order of arrival.
fn hashes_by_trace(batch: &SpanBatch) -> BTreeMap<TraceId, Vec<u64>> {
    let mut by_trace: BTreeMap<TraceId, Vec<u64>> = BTreeMap::new();
    for (row, span) in batch.iter().enumerate() {
        by_trace
            .entry(span.trace_id())
            .or_default()
            .push(batch.span_hash(row));
    }
    by_trace
}

fn assert_round_trip(batch: &SpanBatch) {
    let dir = TempDir::new();
    let meta = write(&dir.0, batch);
    let segment = open(&dir.0, meta.clone());
    let wanted = hashes_by_trace(batch);
    let traces = segment.traces().unwrap();
    assert_eq!(traces.len(), wanted.len());
    let mut total = 0;
    for (trace_id, hashes) in &wanted {
        let entry = segment.find_trace(*trace_id).unwrap().unwrap();
        let trace = segment.read_trace(&entry).unwrap();
        let read: Vec<u64> = (0..trace.len()).map(|row| trace.span_hash(row)).collect();
        assert_eq!(&read, hashes, "{trace_id}");
        assert_eq!(Some(entry.start), trace.spans().start.iter().copied().min());
        assert_eq!(Some(entry.end), trace.spans().end.iter().copied().max());
        assert_eq!(
            entry.errors as usize,
            trace.iter().filter(|span| span.status() == 2).count()
        );
        total += entry.rows;
    }
    assert_eq!(u64::from(total), meta.spans);
    assert_eq!(segment.verify().unwrap(), []);
    // Ranges of rows, also such that parents are outside.
    let all = segment.read_rows(&[0..batch.len()]).unwrap();
    for start in (0..batch.len()).step_by(5) {
        let range = start..(start + 3).min(batch.len());
        let some = segment.read_rows(std::slice::from_ref(&range)).unwrap();
        let hashes: Vec<u64> = (0..some.len()).map(|row| some.span_hash(row)).collect();
        let wanted: Vec<u64> = range.map(|row| all.span_hash(row)).collect();
        assert_eq!(hashes, wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_span_comes_back_with_everything(seed in any::<u64>(), spans in 1usize..60, odd in 0usize..4) {
        let both = vec![Oddity::Fields, Oddity::ManyKeys];
        let odd = [vec![], vec![Oddity::Fields], vec![Oddity::ManyKeys], both][odd].clone();
        assert_round_trip(&random_batch(seed, spans, &odd));
    }
}

#[test]
fn thousands_of_spans_and_more_keys_than_columns_come_back() {
    assert_round_trip(&random_batch(7, 9_000, &[Oddity::ManyKeys]));
}

#[test]
fn more_shapes_than_are_listed_come_back() {
    let mut builder = BatchBuilder::new();
    for n in 0..5_000u32 {
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(&mut cursor, b"common", PackedValue::Int(1));
        builder.push_attribute(
            &mut cursor,
            format!("user_{n}").as_bytes(),
            PackedValue::Bool(true),
        );
        builder.push_attribute(&mut cursor, b"none", PackedValue::Empty);
        let attributes = builder.finish_attributes(cursor);
        let (resource, scope) = (
            builder.add_resource(ResourceRow::default()),
            builder.add_scope(ScopeRow::default()),
        );
        builder.push_span(SpanRow {
            trace_id: TraceId([(n / 40) as u8; 16]),
            span_id: SpanId::from_number(u64::from(n) + 1),
            resource,
            scope,
            attributes,
            ..Default::default()
        });
    }
    assert_round_trip(&builder.finish());
}

#[test]
fn long_values_come_back() {
    let mut builder = BatchBuilder::new();
    for (n, length) in [1 << 20, 10 << 20, 3, 600 << 10, 600 << 10]
        .into_iter()
        .enumerate()
    {
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(
            &mut cursor,
            b"long",
            PackedValue::String(&vec![b'a' + n as u8; length]),
        );
        builder.push_attribute(
            &mut cursor,
            b"raw",
            PackedValue::Bytes(&vec![n as u8; length]),
        );
        builder.push_attribute(
            &mut cursor,
            b"raw",
            PackedValue::Bytes(&vec![n as u8; length / 2]),
        );
        let attributes = builder.finish_attributes(cursor);
        let (resource, scope) = (
            builder.add_resource(ResourceRow::default()),
            builder.add_scope(ScopeRow::default()),
        );
        let trace_id = TraceId([1; 16]);
        builder.push_span(SpanRow {
            trace_id,
            span_id: SpanId([1; 8]),
            resource,
            scope,
            attributes,
            ..Default::default()
        });
    }
    assert_round_trip(&builder.finish());
}

/// One trace over three row groups, its spans arriving from the last to the first.
#[test]
fn a_trace_of_hundreds_of_thousands_of_spans_comes_back() {
    let mut builder = BatchBuilder::new();
    let (resource, scope) = (
        builder.add_resource(ResourceRow::default()),
        builder.add_scope(ScopeRow::default()),
    );
    let count = 270_000u64;
    for n in (1..=count).rev() {
        builder.push_span(SpanRow {
            trace_id: TraceId([3; 16]),
            span_id: SpanId::from_number(n),
            parent_span_id: SpanId::from_number(n / 2),
            start: n,
            end: n + 9,
            resource,
            scope,
            ..Default::default()
        });
    }
    let batch = builder.finish();
    let dir = TempDir::new();
    let segment = open(&dir.0, write(&dir.0, &batch));
    let entry = segment.find_trace(TraceId([3; 16])).unwrap().unwrap();
    let read = segment.read_trace(&entry).unwrap();
    assert_eq!(read.spans().span_id, batch.spans().span_id);
    assert_eq!(read.spans().parent_span_id, batch.spans().parent_span_id);
    assert_eq!(segment.verify().unwrap(), []);
}

#[test]
fn the_same_batch_gives_the_same_bytes_and_none_is_refused() {
    let batch = random_batch(3, 300, &[Oddity::Fields]);
    let (one, two) = (TempDir::new(), TempDir::new());
    assert_eq!(write(&one.0, &batch), write(&two.0, &batch));
    let refused = write_segment(
        &RealFiles,
        &one.0,
        ID,
        &TenantId::default(),
        &BatchBuilder::new().finish(),
    );
    assert!(refused.is_err());
}

#[test]
fn a_lost_sidecar_is_rebuilt_byte_for_byte() {
    for (seed, odd) in [
        (1, vec![]),
        (2, vec![Oddity::Fields]),
        (3, vec![Oddity::ManyKeys]),
    ] {
        let batch = random_batch(seed, 2_000, &odd);
        let dir = TempDir::new();
        let meta = write(&dir.0, &batch);
        let path = dir.0.join(FileKind::Index.name(ID));
        let wanted = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let segment = open(&dir.0, meta.clone());
        assert!(segment.traces().is_err());
        segment.rebuild_sidecar().unwrap();
        assert!(std::fs::read(&path).unwrap() == wanted, "seed {seed}");
        let segment = open(&dir.0, meta.clone());
        assert_eq!(segment.verify().unwrap(), []);
        assert_eq!(Segment::recover_meta(&RealFiles, &dir.0, ID).unwrap(), meta);
    }
}

/// The stock reader of the Parquet project checks our pages, encodings and checksums.
#[test]
fn other_readers_see_the_same_columns() {
    let batch = random_batch(11, 9_000, &[]);
    let dir = TempDir::new();
    let meta = write(&dir.0, &batch);
    let segment = open(&dir.0, meta.clone());
    let ours = segment.read_rows(&[0..batch.len()]).unwrap();
    let mut rows = 0;
    for about in meta
        .files
        .iter()
        .filter(|about| about.kind != FileKind::Index)
    {
        let file = File::open(dir.0.join(&about.name)).unwrap();
        for read in ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap()
        {
            let read = read.unwrap();
            if about.kind != FileKind::Spans {
                continue;
            }
            let column = |name: &str| read.column_by_name(name).unwrap();
            let names = column("name")
                .as_any()
                .downcast_ref::<arrow_array::StringArray>()
                .unwrap();
            let starts = column("start_time").as_any();
            let starts = starts
                .downcast_ref::<arrow_array::TimestampNanosecondArray>()
                .unwrap();
            let ids = column("span_id")
                .as_any()
                .downcast_ref::<arrow_array::FixedSizeBinaryArray>()
                .unwrap();
            let lengths = column("duration")
                .as_any()
                .downcast_ref::<arrow_array::Int64Array>()
                .unwrap();
            let kinds = column("kind")
                .as_any()
                .downcast_ref::<arrow_array::Int32Array>()
                .unwrap();
            for at in 0..read.num_rows() {
                let span = ours.span(rows).unwrap();
                assert_eq!(names.value(at), span.name());
                assert_eq!(starts.value(at).cast_unsigned(), span.start());
                assert_eq!(ids.value(at), span.span_id().0);
                assert_eq!(lengths.value(at), span.duration());
                assert_eq!(kinds.value(at), span.kind());
                rows += 1;
            }
        }
    }
    assert_eq!(rows, batch.len());
}

#[test]
fn a_trace_that_only_has_the_hash_of_another_is_not_found() {
    // Of so many ids two have the same 32 bits, almost surely.
    let ids = (1..400_000u128).map(|number| TraceId(number.to_be_bytes()));
    let mut by_hash = std::collections::HashMap::new();
    let twins = ids
        .into_iter()
        .find_map(|id| Some((by_hash.insert(trace_hash(id), id)?, id)));
    let (known, unknown) = twins.unwrap();
    let mut builder = BatchBuilder::new();
    builder.push_span(SpanRow {
        trace_id: known,
        span_id: SpanId::from_number(1),
        ..Default::default()
    });
    let dir = TempDir::new();
    let segment = open(&dir.0, write(&dir.0, &builder.finish()));
    assert!(segment.find_trace(known).unwrap().is_some());
    assert_eq!(segment.find_trace(unknown).unwrap(), None);
}
