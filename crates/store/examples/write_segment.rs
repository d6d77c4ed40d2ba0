//! Writes a corpus file as segments and says what they cost: bytes a span by column, CPU time to write, to read a
//! trace, to search.
//!
//! Usage: `write_segment CORPUS OUT_DIR [SPANS_PER_SEGMENT]`, where CORPUS is a file of records, each a little-endian
//! `u32` length and one OTLP request.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a report for people"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Files, RealFiles};
use model::contract::Window;
use model::{BatchBuilder, Field, Literal, Operator, Place, Predicate, SpanBatch, TenantId};
use store::segment::{Segment, SegmentCache, SegmentId, SegmentMeta, write_segment};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const SPANS_PER_SEGMENT: usize = 128 << 10;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [corpus, out, rest @ ..] = arguments.as_slice() else {
        return Err("usage: write_segment CORPUS OUT_DIR [SPANS_PER_SEGMENT]".into());
    };
    let per_segment = rest
        .first()
        .map_or(Ok(SPANS_PER_SEGMENT), |number| number.parse())?;
    let dir = PathBuf::from(out);
    std::fs::create_dir_all(&dir)?;
    let mut run = Run {
        dir,
        ..Run::default()
    };
    let mut builder = BatchBuilder::new();
    let bytes = std::fs::read(corpus)?;
    let mut records = bytes.as_slice();
    while let Some((length, tail)) = records.split_first_chunk::<4>() {
        let (record, tail) = tail
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or("a record is cut")?;
        records = tail;
        let decoded = codec::otlp::decode_proto(record).map_err(|error| error.to_string())?;
        builder.append(&decoded.batch);
        if builder.len() >= per_segment {
            run.freeze(&std::mem::take(&mut builder).finish())?;
        }
    }
    if !builder.is_empty() {
        run.freeze(&builder.finish())?;
    }
    run.report_size();
    run.report_reading()
}

#[derive(Default)]
struct Run {
    dir: PathBuf,
    spans: u64,
    cpu_ns: u64,
    metas: Vec<SegmentMeta>,
}

impl Run {
    fn freeze(&mut self, batch: &SpanBatch) -> Fallible<()> {
        let id = SegmentId::fresh(self.metas.len() as u64, self.metas.len() as u64);
        let before = thread_cpu_ns()?;
        let meta = write_segment(&RealFiles, &self.dir, id, &TenantId::default(), batch)?;
        self.cpu_ns += thread_cpu_ns()? - before;
        self.spans += meta.spans;
        self.metas.push(meta);
        Ok(())
    }

    fn open(&self) -> Fallible<Vec<Segment>> {
        let files: Arc<dyn Files> = Arc::new(RealFiles);
        let cache = Arc::new(SegmentCache::new(64 << 20));
        let open = |meta: &SegmentMeta| {
            Segment::open(
                Arc::clone(&files),
                &self.dir,
                meta.clone(),
                Arc::clone(&cache),
            )
        };
        Ok(self.metas.iter().map(open).collect::<Result<_, _>>()?)
    }

    fn report_size(&self) {
        let spans = self.spans as f64;
        let mut columns: BTreeMap<String, u64> = BTreeMap::new();
        for segment in self.open().unwrap_or_default() {
            for (name, bytes) in segment.column_bytes().unwrap_or_default() {
                *columns.entry(name).or_default() += bytes;
            }
        }
        let mut columns: Vec<_> = columns.into_iter().collect();
        columns.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        for (name, bytes) in &columns {
            println!("{:8.3} B/span  {name}", *bytes as f64 / spans);
        }
        let bytes: u64 = self.metas.iter().map(SegmentMeta::bytes).sum();
        println!(
            "{} spans in {} segments: {:.2} B/span",
            self.spans,
            self.metas.len(),
            bytes as f64 / spans
        );
        println!(
            "written in {:.3} CPU-s per million spans",
            self.cpu_ns as f64 / 1e3 / spans
        );
    }

    fn report_reading(&self) -> Fallible<()> {
        let segments = self.open()?;
        for round in 0..2 {
            // The clock of a thread's CPU time is coarse, so only the mean of many is told.
            let (mut count, before) = (0, thread_cpu_ns()?);
            for segment in &segments {
                let traces = segment.traces()?;
                for entry in traces.iter().step_by((traces.len() / 200).max(1)) {
                    let batch = segment.read_trace(&entry)?;
                    count += 1;
                    if batch.len() != entry.rows as usize {
                        return Err("a trace came back short".into());
                    }
                }
            }
            let mean = (thread_cpu_ns()? - before) as f64 / 1e6 / f64::from(count.max(1));
            println!("trace by id, round {round}: mean {mean:.3} ms of {count}");
        }
        for (name, predicate) in questions() {
            let mut rows = 0;
            let before = thread_cpu_ns()?;
            for segment in &segments {
                rows += segment
                    .search(&predicate, Window::ALWAYS, &|| false)?
                    .rows
                    .len();
            }
            let cost = (thread_cpu_ns()? - before) as f64 / 1e6;
            println!("{name}: {rows} rows, {cost:.2} ms");
        }
        let before = thread_cpu_ns()?;
        for segment in &segments {
            let all = 0..usize::try_from(segment.meta().spans)?;
            segment.read_rows(std::slice::from_ref(&all))?;
        }
        let cost = (thread_cpu_ns()? - before) as f64 / 1e3 / self.spans as f64;
        println!("all read back in {cost:.3} CPU-s per million spans");
        Ok(())
    }
}

fn questions() -> Vec<(&'static str, Predicate)> {
    let attribute = |key: &str| Field::Attribute {
        place: Place::Anywhere,
        key: key.to_owned(),
    };
    let equal = |field, text: &str| {
        Predicate::Compare(field, Operator::Equal, Literal::Text(text.to_owned()))
    };
    let service = Predicate::Compare(
        Field::Service,
        Operator::Equal,
        Literal::String("checkout".to_owned()),
    );
    let slow = Predicate::Compare(
        Field::Duration,
        Operator::Greater,
        Literal::Int(200_000_000),
    );
    vec![
        ("absent value", equal(attribute("session.id"), "nowhere")),
        (
            "rare value",
            equal(attribute("app.user.tier"), "platinum-founder"),
        ),
        (
            "common value",
            equal(attribute("db.system.name"), "postgresql"),
        ),
        (
            "status code",
            equal(attribute("http.response.status_code"), "500"),
        ),
        ("service", service.clone()),
        ("slow spans", slow.clone()),
        ("slow spans of a service", service.and(slow)),
        (
            "a pattern",
            Predicate::Compare(
                Field::Name,
                Operator::Matches,
                Literal::String("GET .*".to_owned()),
            ),
        ),
        ("a resource", equal(attribute("service.name"), "cart")),
        (
            "a missing key",
            Predicate::Not(Box::new(Predicate::Exists(attribute("db.system.name")))),
        ),
    ]
}

/// CPU time of this thread so far.
fn thread_cpu_ns() -> Fallible<u64> {
    let text = std::fs::read_to_string(Path::new("/proc/thread-self/schedstat"))?;
    Ok(text
        .split_whitespace()
        .next()
        .ok_or("no CPU time")?
        .parse()?)
}
