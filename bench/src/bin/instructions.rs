//! Runs one hot path on fixed input, so that its instructions can be counted: `cargo xtask instructions`.
//!
//! The cases are named in `bench/instructions.txt`; each is a process of its own. Only what runs inside
//! [`counted_region`] is counted (callgrind's `--toggle-collect`), so making the input costs nothing.
//!
//! Promises: the same input on every run (fixed seeds, no clock). Counts of two runs differ by the seeds of hash
//! tables, which come from addresses: by at most 0.3 %.
//! Refuses: input so small that nothing would be counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use codec::otlp::decode_proto;
use journal::{Files, Level, RealFiles};
use model::batch::{BatchBuilder, SpanBatch};
use model::contract::{IncomingBatch, SpanWriter, Window};
use model::{Field, Literal, Operator, Place, Predicate, TenantId, TraceId};
use plumbing::{Metrics, RealClock, SeededRandom};
use store::segment::{Segment, SegmentCache, SegmentId, SegmentMeta, write_segment};
use store::{Store, StoreOptions, StoreParts};
use testkit::corpus::{Corpus, CorpusOptions, Profile};

/// Spans that each case takes.
const SPANS: u64 = 20_000;
/// Traces that are looked up, and as many ids that are not there.
const LOOKED_UP: usize = 50;
/// What a store keeps of open segments; far more than this one needs.
const CACHE_BYTES: u64 = 64 << 20;
/// Any fixed moment.
const START_UNIX_SECONDS: u64 = 1_790_000_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let case = arguments
        .next()
        .context("which case? see bench/instructions.txt")?;
    match case.as_str() {
        "decode" => decode(Profile::Kind),
        "decode-unkind" => decode(Profile::Unkind),
        "head" => head(),
        "freeze" => freeze(),
        "merge" => merge(),
        "lookup" => look_up(),
        _ => bail!("no case {case:?}; see bench/instructions.txt"),
    }
}

/// The only function whose instructions are counted, with all that it calls. Callgrind knows it by its name.
#[inline(never)]
fn counted_region(work: &mut dyn FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    // Without the black box the call would be the last thing and become a jump, which ends the counting.
    std::hint::black_box(work())
}

fn requests(profile: Profile) -> anyhow::Result<Vec<Vec<u8>>> {
    let corpus = Corpus::new(CorpusOptions::new(profile, SPANS, START_UNIX_SECONDS))?;
    Ok(corpus.map(|request| request.bytes).collect())
}

fn decoded(profile: Profile) -> anyhow::Result<Vec<SpanBatch>> {
    let requests = requests(profile)?;
    let batches = requests
        .iter()
        .map(|request| Ok(decode_proto(request)?.batch));
    batches.collect()
}

/// Requests to batches.
fn decode(profile: Profile) -> anyhow::Result<()> {
    let requests = requests(profile)?;
    let mut spans = 0;
    counted_region(&mut || {
        for request in &requests {
            spans += decode_proto(request)?.batch.len() as u64;
        }
        Ok(())
    })?;
    ensure!(spans >= SPANS, "{spans} spans of {SPANS} were decoded");
    Ok(())
}

/// Batches of single requests to the one batch of a head.
fn head() -> anyhow::Result<()> {
    let batches = decoded(Profile::Kind)?;
    let mut builder = BatchBuilder::new();
    counted_region(&mut || {
        for batch in &batches {
            builder.append(batch);
        }
        Ok(())
    })?;
    ensure!(
        builder.len() as u64 >= SPANS,
        "{} spans of {SPANS} are in the head",
        builder.len()
    );
    Ok(())
}

/// The batch of a head to a segment on the disk.
fn freeze() -> anyhow::Result<()> {
    let head = full_head()?;
    let folder = Folder::new()?;
    let mut frozen = None;
    counted_region(&mut || {
        frozen = Some(write(&head, &folder)?);
        Ok(())
    })?;
    let rows = frozen.map_or(0, |meta| meta.spans);
    ensure!(
        rows == head.len() as u64,
        "{rows} rows for {} spans",
        head.len()
    );
    Ok(())
}

/// Four fresh segments to one with whole traces.
fn merge() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let metrics = Metrics::new();
    let parts = StoreParts {
        files: Arc::new(RealFiles),
        clock: Arc::new(RealClock::default()),
        random: Arc::new(SeededRandom::new(1)),
        metrics: &metrics,
    };
    let options = StoreOptions {
        // Nothing but what is asked for.
        level: Level::Memory,
        head_age_max: Duration::from_secs(3600),
        ..StoreOptions::new(folder.0.clone())
    };
    let store = Store::open(options, parts, &|_| ())?;
    let requests = requests(Profile::Kind)?;
    for quarter in requests.chunks(requests.len().div_ceil(4)) {
        for request in quarter {
            let incoming = IncomingBatch {
                tenant: TenantId::default(),
                batch: decode_proto(request)?.batch,
                otlp: request.clone().into(),
            };
            block_on(store.write(incoming))?;
        }
        store.freeze_now()?;
    }
    let before = store.stats();
    counted_region(&mut || Ok(store.finalise_now()?))?;
    let after = store.stats();
    store.stop();
    ensure!(before.segments == 4 && after.segments == 1, "{after:?}");
    ensure!(
        before.segment_spans == after.segment_spans,
        "{} spans of {}",
        after.segment_spans,
        before.segment_spans
    );
    Ok(())
}

/// Waits for an answer.
fn block_on<T>(answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        std::thread::park();
    }
}

/// Wakes a thread that waits for an answer.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Traces by id, ids that are not there, and one search, in a segment that was just opened.
fn look_up() -> anyhow::Result<()> {
    let head = full_head()?;
    let folder = Folder::new()?;
    let meta = write(&head, &folder)?;
    let cache = Arc::new(SegmentCache::new(CACHE_BYTES));
    let segment = Segment::open(Arc::new(RealFiles), &folder.0, meta, cache)?;
    let there = spread_trace_ids(&head);
    let absent: Vec<TraceId> = there.iter().map(|id| even(*id)).collect();
    let field = Field::Attribute {
        place: Place::Anywhere,
        key: "db.system.name".to_owned(),
    };
    let value = Literal::Text("postgresql".to_owned());
    let search = Predicate::Compare(field, Operator::Equal, value);
    let (mut spans, mut wrongly_found, mut rows) = (0, 0, 0);
    counted_region(&mut || {
        for id in &there {
            let entry = segment.find_trace(*id)?.context("a trace is missing")?;
            spans += segment.read_trace(&entry)?.len();
        }
        for id in &absent {
            wrongly_found += usize::from(segment.find_trace(*id)?.is_some());
        }
        rows = segment
            .search(&search, Window::ALWAYS, &|| false)?
            .rows
            .len();
        Ok(())
    })?;
    ensure!(spans > LOOKED_UP, "{spans} spans in {LOOKED_UP} traces");
    ensure!(
        wrongly_found == 0,
        "{wrongly_found} traces were found that are not there"
    );
    ensure!(rows > 0, "the search found nothing");
    Ok(())
}

fn full_head() -> anyhow::Result<SpanBatch> {
    let mut builder = BatchBuilder::new();
    for batch in decoded(Profile::Kind)? {
        builder.append(&batch);
    }
    Ok(builder.finish())
}

fn write(head: &SpanBatch, folder: &Folder) -> anyhow::Result<SegmentMeta> {
    let id = SegmentId::fresh(1, 20);
    let tenant = TenantId::default();
    let meta = write_segment(&RealFiles as &dyn Files, &folder.0, id, &tenant, head)?;
    Ok(meta)
}

/// Ids from all over a head, ascending.
fn spread_trace_ids(head: &SpanBatch) -> Vec<TraceId> {
    let mut ids = head.spans().trace_id.clone();
    ids.sort_unstable();
    ids.dedup();
    let step = (ids.len() / LOOKED_UP).max(1);
    ids.into_iter().step_by(step).take(LOOKED_UP).collect()
}

/// Every trace of a corpus has an odd first byte; this one is not there.
fn even(id: TraceId) -> TraceId {
    let mut bytes = id.0;
    bytes[0] &= !1;
    TraceId(bytes)
}

/// A folder of this process's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let name = format!("trackway-instructions-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("cannot make {path:?}"))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind if this fails is a few KiB in the system's folder for temporary files.
        std::fs::remove_dir_all(&self.0).ok();
    }
}
