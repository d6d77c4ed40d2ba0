//! The format is frozen: a segment that was written once is read for ever, and is written again byte for byte.
//!
//! `UPDATE=1` writes the files anew; only a new version of the format may need that.

use super::*;

/// What programs of before wrote, with the version that it says: never made anew.
const OLDER: [(u32, &str); 5] = [(1, "1"), (2, "2"), (3, "3-short-runs"), (3, "3"), (4, "4")];
/// What this one writes.
const CURRENT: (u32, &str) = (SegmentMeta::VERSION, "5");

fn golden_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/segment-{name}"))
}

// tidy: long-function: a table of odd spans
fn golden_batch() -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let mut cursor = builder.begin_attributes();
    builder.push_attribute(&mut cursor, b"service.name", PackedValue::String(b"shop"));
    builder.push_attribute(&mut cursor, b"host.cpus", PackedValue::Int(8));
    let attributes = builder.finish_attributes(cursor);
    let schema_url = builder.intern(b"https://opentelemetry.io/schemas/1.26.0");
    let entity_refs = builder.add_blob(&[0x1a, 0x02, 0x0a, 0x00]);
    let resource = ResourceRow {
        is_present: true,
        attributes,
        schema_url,
        entity_refs,
        ..Default::default()
    };
    let resource = builder.add_resource(resource);
    let (name, version) = (builder.intern(b"http"), builder.intern(b"1.2"));
    let scope = builder.add_scope(ScopeRow {
        is_present: true,
        name,
        version,
        ..Default::default()
    });
    for n in 0..40u64 {
        let mut cursor = builder.begin_attributes();
        let id = format!("0190c5f8-9a1b-7cde-8f01-{:012x}", n * 0x10_0001);
        builder.push_attribute(
            &mut cursor,
            b"http.request.method",
            PackedValue::String(b"GET"),
        );
        builder.push_attribute(
            &mut cursor,
            b"session.id",
            PackedValue::String(id.as_bytes()),
        );
        builder.push_attribute(&mut cursor, b"load", PackedValue::Double(n as f64 / 8.0));
        builder.push_attribute(&mut cursor, b"hit", PackedValue::Bool(n % 3 == 0));
        builder.push_attribute(
            &mut cursor,
            b"bytes",
            PackedValue::Int((n * n).cast_signed() - 100),
        );
        builder.push_attribute(&mut cursor, b"bytes", PackedValue::Int(-1));
        builder.push_attribute(
            &mut cursor,
            b"tags",
            PackedValue::Array(&[0x0a, 0x02, 0x18, 0x01]),
        );
        builder.push_attribute(&mut cursor, b"nothing", PackedValue::Empty);
        let attributes = builder.finish_attributes(cursor);
        if n % 10 == 0 {
            let name = builder.intern(b"exception");
            builder.push_event(EventRow {
                time: 1_000 + n,
                name,
                ..Default::default()
            });
            let (trace_id, span_id) = (TraceId([8; 16]), SpanId([n as u8; 8]));
            builder.push_link(LinkRow {
                trace_id,
                span_id,
                flags: 0x301,
                ..Default::default()
            });
        }
        let name = builder.intern([b"GET /cart".as_slice(), b"SELECT"][n as usize % 2]);
        let status_message = if n == 4 {
            builder.intern(b"timeout")
        } else {
            Default::default()
        };
        builder.push_span(SpanRow {
            trace_id: TraceId([(n / 10) as u8 + 1; 16]),
            span_id: SpanId::from_number(n + 1),
            parent_span_id: SpanId::from_number(if n % 10 == 0 { 0 } else { n / 10 * 10 + 1 }),
            name,
            kind: (n % 6) as i32,
            start: 1_790_000_000_000_000_000 + n * 1_000_003,
            end: 1_790_000_000_000_000_000 + n * 1_000_003 + 777 * n,
            status: i32::from(n == 4) * 2,
            status_message,
            flags: 0x101,
            resource,
            scope,
            attributes,
            dropped_attributes: u32::from(n == 7),
            ..Default::default()
        });
    }
    builder.finish()
}

/// Opens a golden segment and compares it with the spans that it was made of.
fn read_golden((version, name): (u32, &str)) -> Segment {
    let (dir, batch) = (golden_dir(name), golden_batch());
    let meta = Segment::recover_meta(&RealFiles, &dir, ID).unwrap();
    assert_eq!(meta.version, version);
    let segment = open(&dir, meta);
    assert_eq!(segment.verify().unwrap(), []);
    for (row, entry) in segment.traces().unwrap().iter().enumerate() {
        let trace = segment.read_trace(&entry).unwrap();
        for at in 0..trace.len() {
            assert_eq!(trace.span_hash(at), batch.span_hash(row * 10 + at));
        }
    }
    segment
}

#[test]
fn older_versions_of_the_format_are_still_read_and_get_an_index_of_this_one() {
    for (version, name) in OLDER {
        let old = read_golden((version, name));
        assert_eq!(old.patterns().unwrap().is_some(), version >= 3);
        assert_eq!(old.call_sums().unwrap().is_some(), version >= 4);
        let copy = TempDir::new();
        for about in &old.meta().files {
            let from = golden_dir(name).join(&about.name);
            std::fs::copy(from, copy.0.join(&about.name)).unwrap();
        }
        open(&copy.0, old.meta().clone()).rebuild_sidecar().unwrap();
        let new = open(&copy.0, old.meta().clone());
        assert!(new.patterns().unwrap().is_some() && new.call_sums().unwrap().is_some());
        let entries = |segment: &Segment| segment.traces().unwrap().iter().collect::<Vec<_>>();
        assert_eq!(entries(&new), entries(&old));
        for entry in entries(&new) {
            let (new, old) = (
                new.read_trace(&entry).unwrap(),
                old.read_trace(&entry).unwrap(),
            );
            assert!((0..new.len()).all(|row| new.span_hash(row) == old.span_hash(row)));
        }
    }
}

#[test]
fn the_format_is_read_and_written_byte_for_byte() {
    let dir = golden_dir(CURRENT.1);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(&dir).unwrap();
        write(&dir, &golden_batch());
    }
    let segment = read_golden(CURRENT);
    let again = TempDir::new();
    assert_eq!(write(&again.0, &golden_batch()), *segment.meta());
    for about in &segment.meta().files {
        let (golden, now) = (
            std::fs::read(dir.join(&about.name)),
            std::fs::read(again.0.join(&about.name)),
        );
        assert!(golden.unwrap() == now.unwrap(), "{}", about.name);
    }
}
