//! Segments, written and read back: exactness, search, damage.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::single_range_in_vec_init,
    reason = "small numbers of tests; one range of rows is meant"
)]

mod damage;
mod facts;
mod filters;
mod golden;
mod round_trip;
mod search;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use journal::{Files, RealFiles};
use model::batch::{BatchBuilder, EventRow, LinkRow, PackedValue, ResourceRow, ScopeRow, SpanRow};
use model::{SpanBatch, SpanId, TenantId, TraceId};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{Segment, SegmentCache, SegmentId, SegmentMeta, write_segment};

const ID: SegmentId = SegmentId::fresh(1, 42);

/// A directory that goes with the test.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "segment-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _gone_or_not = std::fs::remove_dir_all(&self.0);
    }
}

fn write(dir: &Path, batch: &SpanBatch) -> SegmentMeta {
    write_segment(&RealFiles, dir, ID, &TenantId::default(), batch).unwrap()
}

fn open(dir: &Path, meta: SegmentMeta) -> Segment {
    let files: Arc<dyn Files> = Arc::new(RealFiles);
    Segment::open(files, dir, meta, Arc::new(SegmentCache::new(8 << 20))).unwrap()
}

/// What a random batch may have beside the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oddity {
    /// Times at the ends of their range, unknown enumerations, cycles, repeated ids.
    Fields,
    /// More keys than there are columns.
    ManyKeys,
}

const TEXTS: [&str; 7] = [
    "",
    "GET /cart",
    "shop",
    "500",
    "true",
    "tüv \"x\"",
    "0190c5f8-9a1b-7cde-8f01-23456789abcd",
];
const KEYS: [&str; 8] = [
    "http.method",
    "n",
    "n:int",
    "",
    "Ключ",
    "id",
    "flag",
    "deep",
];

fn random_text(rng: &mut SmallRng) -> String {
    match rng.random_range(0..10) {
        0 => format!("{:x}", rng.random::<u64>()),
        1 => "0190c5f8-9a1b-7cde-8f01-".to_owned() + &format!("{:012x}", rng.random::<u64>() >> 16),
        _ => (*TEXTS.choose(rng).unwrap()).to_owned(),
    }
}

fn push_random_attribute(
    rng: &mut SmallRng,
    odd: &[Oddity],
    builder: &mut BatchBuilder,
    cursor: &mut model::batch::AttributeCursor,
) {
    let key = if odd.contains(&Oddity::ManyKeys) && rng.random_bool(0.5) {
        format!("key{}", rng.random_range(0..900))
    } else {
        (*KEYS.choose(rng).unwrap()).to_owned()
    };
    let (text, bytes) = (random_text(rng), [rng.random(), 1, 2]);
    let mut packed = Vec::new();
    model::value::packed::array_to_bytes(&[model::Value::Int(rng.random_range(0..3))], &mut packed);
    let value = match rng.random_range(0..12) {
        0 => PackedValue::Empty,
        1 => PackedValue::Bool(rng.random()),
        2 => PackedValue::Int(*[0, -1, 500, i64::MIN, i64::MAX].choose(rng).unwrap()),
        3 => PackedValue::Int(rng.random_range(0..5)),
        4 => PackedValue::Double(
            *[0.0, -0.0, 500.0, f64::NAN, f64::INFINITY, 1e300, 0.1]
                .choose(rng)
                .unwrap(),
        ),
        5 => PackedValue::Array(&packed),
        6 => PackedValue::Map(&[0xff, 0x00]),
        7 => PackedValue::Bytes(&bytes),
        _ => PackedValue::String(text.as_bytes()),
    };
    builder.push_attribute(cursor, key.as_bytes(), value);
}

fn random_attributes(
    rng: &mut SmallRng,
    odd: &[Oddity],
    builder: &mut BatchBuilder,
) -> model::batch::Attributes {
    let mut cursor = builder.begin_attributes();
    for _ in 0..*[0, 1, 2, 3, 6].choose(rng).unwrap() {
        push_random_attribute(rng, odd, builder, &mut cursor);
    }
    builder.finish_attributes(cursor)
}

fn random_envelopes(
    rng: &mut SmallRng,
    odd: &[Oddity],
    builder: &mut BatchBuilder,
) -> Vec<(u32, u32)> {
    let mut made = Vec::new();
    for service in ["shop", "cart", "", "pay"] {
        let mut cursor = builder.begin_attributes();
        if rng.random_bool(0.8) {
            builder.push_attribute(
                &mut cursor,
                b"service.name",
                PackedValue::String(service.as_bytes()),
            );
        }
        push_random_attribute(rng, odd, builder, &mut cursor);
        let attributes = builder.finish_attributes(cursor);
        let entity_refs = if rng.random_bool(0.3) {
            builder.add_blob(&[1, 2, 3])
        } else {
            0
        };
        let schema_url = builder.intern(random_text(rng).as_bytes());
        let resource = builder.add_resource(ResourceRow {
            is_present: rng.random(),
            attributes,
            dropped_attributes: rng.random_range(0..2),
            schema_url,
            entity_refs,
            ..Default::default()
        });
        let attributes = random_attributes(rng, odd, builder);
        let (name, version) = (
            builder.intern(random_text(rng).as_bytes()),
            builder.intern(b"1.0"),
        );
        let scope = builder.add_scope(ScopeRow {
            is_present: rng.random(),
            name,
            version,
            attributes,
            dropped_attributes: rng.random_range(0..2),
            schema_url,
        });
        made.push((resource, scope));
    }
    made
}

/// A batch with a bit of everything.
fn random_batch(seed: u64, spans: usize, odd: &[Oddity]) -> SpanBatch {
    let mut rng = SmallRng::seed_from_u64(seed);
    let rng = &mut rng;
    let mut builder = BatchBuilder::new();
    let envelopes = random_envelopes(rng, odd, &mut builder);
    let is_odd = odd.contains(&Oddity::Fields);
    let traces = (spans / 6).max(1) as u64;
    for _ in 0..spans {
        let trace = rng.random_range(0..traces);
        let mut trace_id = [0u8; 16];
        trace_id[15] = trace as u8;
        trace_id[9] = (trace >> 8) as u8;
        trace_id[0] = u8::from(trace % 2 == 0) * 7;
        for _ in 0..*[0, 0, 0, 1, 2].choose(rng).unwrap() {
            let attributes = random_attributes(rng, odd, &mut builder);
            let name = builder.intern(random_text(rng).as_bytes());
            let time = rng.random_range(0..u64::MAX);
            builder.push_event(EventRow {
                time,
                name,
                attributes,
                dropped_attributes: rng.random_range(0..2),
            });
        }
        for _ in 0..*[0, 0, 0, 0, 1, 2].choose(rng).unwrap() {
            let attributes = random_attributes(rng, odd, &mut builder);
            let trace_state = builder.intern(random_text(rng).as_bytes());
            builder.push_link(LinkRow {
                trace_id: *[TraceId(trace_id), TraceId::ZERO, TraceId([9; 16])]
                    .choose(rng)
                    .unwrap(),
                span_id: SpanId::from_number(rng.random_range(0..9)),
                trace_state,
                attributes,
                dropped_attributes: rng.random_range(0..2),
                flags: rng.random_range(0..3),
            });
        }
        let attributes = random_attributes(rng, odd, &mut builder);
        let start = 1_700_000_000_000_000_000 + rng.random_range(0..1_000_000_000u64);
        let mut row = SpanRow {
            trace_id: TraceId(trace_id),
            span_id: SpanId::from_number(rng.random_range(1..40)),
            parent_span_id: SpanId::from_number(*[0, 1, 2, 3, 7, 77].choose(rng).unwrap()),
            name: builder.intern(random_text(rng).as_bytes()),
            kind: rng.random_range(0..6),
            start,
            end: start + rng.random_range(0..5_000_000),
            status: rng.random_range(0..3),
            status_message: builder.intern(random_text(rng).as_bytes()),
            trace_state: builder.intern(random_text(rng).as_bytes()),
            flags: rng.random_range(0..3),
            attributes,
            ..Default::default()
        };
        (row.resource, row.scope) = *envelopes.choose(rng).unwrap();
        if is_odd {
            row.kind = *[i32::MIN, -1, 0, 3, 99, i32::MAX].choose(rng).unwrap();
            row.status = *[i32::MIN, -1, 0, 2, 99].choose(rng).unwrap();
            row.start = *[0, 1, start, u64::MAX, u64::MAX / 2, u64::MAX / 2 + 1]
                .choose(rng)
                .unwrap();
            row.end = *[0, start, start - 5, u64::MAX].choose(rng).unwrap();
            row.flags = rng.random();
            row.dropped_attributes = *[0, 1, u32::MAX].choose(rng).unwrap();
            row.dropped_events = *[0, 5].choose(rng).unwrap();
            row.dropped_links = *[0, 7].choose(rng).unwrap();
        }
        builder.push_span(row);
    }
    builder.finish()
}
