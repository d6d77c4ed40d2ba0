//! A buffer before a store, whose writer fails, hangs and dies as it is told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use codec::otlp::decode_proto;
use journal::Level;
use model::TenantId;
use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use plumbing::{
    CpuPool, Metrics, Random as _, RealClock, RealRandom, SeededRandom, Shutdown, Tasks,
};
use sink::{BufferOptions, BufferedParts, BufferedWriter, GuardOptions, GuardedWriter, Pauses};

use crate::double::{Folder, request, until};

const MIB: u64 = 1 << 20;
/// So many in a row open the circuit.
const FAILURES: u32 = 5;

/// What a writer answers.
#[derive(Debug, Clone)]
enum Say {
    Kept,
    Busy,
    Unavailable,
    Failed,
    Nothing,
}

type Script = dyn Fn(&[String], u32) -> Say + Send + Sync;

/// A store, by what a writer is told to answer: asked with the names of a batch and how many came before it.
struct Store {
    script: Box<Script>,
    asked: AtomicU32,
    kept: Mutex<Vec<String>>,
    tenants: Mutex<BTreeSet<String>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    fn new(script: impl Fn(&[String], u32) -> Say + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            asked: AtomicU32::new(0),
            kept: Mutex::default(),
            tenants: Mutex::default(),
        })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap().clone()
    }
}

#[derive(Debug, Clone)]
struct Writer(Arc<Store>);

impl SpanWriter for Writer {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let store = Arc::clone(&self.0);
        Box::pin(async move {
            let names = names_in(&incoming.otlp);
            let before = store.asked.fetch_add(1, Ordering::SeqCst);
            let reason = "as told".to_owned();
            match (store.script)(&names, before) {
                Say::Busy => return Err(WriteError::Busy { reason }),
                Say::Unavailable => return Err(WriteError::Unavailable { reason }),
                Say::Failed => return Err(WriteError::Failed { reason }),
                Say::Nothing => std::future::pending().await,
                Say::Kept => {}
            }
            store.kept.lock().unwrap().extend(names);
            let tenant = incoming.tenant.as_str().to_owned();
            store.tenants.lock().unwrap().insert(tenant);
            Ok(Kept {
                spans: incoming.batch.len() as u64,
                duplicate_spans: 0,
            })
        })
    }

    fn readiness(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What lies in the files of batches that were set aside.
fn set_aside(folder: &Folder) -> Vec<Vec<u8>> {
    let Ok(files) = std::fs::read_dir(folder.0.join("set-aside")) else {
        return Vec::new();
    };
    let read = |file: std::io::Result<std::fs::DirEntry>| std::fs::read(file.unwrap().path());
    files.map(|file| read(file).unwrap()).collect()
}

fn names_in(otlp: &[u8]) -> Vec<String> {
    let batch = decode_proto(otlp).unwrap().batch;
    batch.iter().map(|span| span.name().to_owned()).collect()
}

fn batch(tenant: &str, names: &[&str]) -> IncomingBatch {
    let otlp = Bytes::from(request(names));
    IncomingBatch {
        tenant: TenantId::parse(tenant).unwrap(),
        batch: decode_proto(&otlp).unwrap().batch,
        otlp,
    }
}

fn guarded(store: &Arc<Store>, metrics: &Metrics, pauses: Pauses) -> GuardedWriter {
    let options = GuardOptions {
        place: "a store".to_owned(),
        timeout: Duration::from_millis(200),
        pauses,
    };
    GuardedWriter::new(
        Arc::new(Writer(Arc::clone(store))),
        options,
        Arc::new(RealClock::default()),
        Arc::new(RealRandom::default()),
        metrics,
    )
}

const SHORT: Pauses = Pauses {
    min: Duration::from_millis(2),
    max: Duration::from_millis(20),
};

/// A buffered writer and what it counts.
struct House {
    writer: Arc<BufferedWriter>,
    metrics: Metrics,
    tasks: Tasks,
    stop: Shutdown,
}

impl House {
    fn open(folder: &Folder, bytes_max: u64, store: &Arc<Store>) -> Self {
        let metrics = Metrics::new();
        let buffer = BufferOptions {
            dir: folder.0.clone(),
            bytes_max,
            level: Level::PageCache,
        };
        let parts = BufferedParts {
            clock: Arc::new(RealClock::default()),
            random: Arc::new(RealRandom::default()),
            metrics: &metrics,
            pool: CpuPool::start("test", 1, 64).unwrap(),
            writer: guarded(store, &metrics, SHORT),
            writes_max: 3,
        };
        Self {
            writer: Arc::new(BufferedWriter::open(&buffer, parts).unwrap()),
            metrics,
            tasks: Tasks::new(),
            stop: Shutdown::new(),
        }
    }

    fn deliver(&self) {
        let (writer, stop) = (Arc::clone(&self.writer), self.stop.clone());
        self.tasks
            .spawn(async move { writer.deliver(stop, Duration::ZERO).await });
    }

    /// Ends all of it, so that the folder can be opened again.
    async fn close(self) {
        self.stop.begin();
        let Self { writer, tasks, .. } = self;
        tasks.wait().await;
        let stopping = tokio::task::spawn_blocking(move || writer.stop());
        stopping.await.unwrap();
    }

    async fn write(&self, names: &[&str]) -> Result<Kept, WriteError> {
        self.writer.write(batch("default", names)).await
    }

    fn metric(&self, name: &str) -> u64 {
        self.writer.refresh_metrics();
        value(&self.metrics, name)
    }
}

fn value(metrics: &Metrics, name: &str) -> u64 {
    let text = metrics.print().unwrap();
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(series, _)| *series == format!("trackway_backend_{name}"));
    found.map_or(0, |(_, value)| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_store_does_not_take_now_is_kept_until_it_does() {
    let store = Store::new(|_, before| match before {
        0 | 3 => Say::Unavailable,
        1 => Say::Busy,
        // It has a deadline.
        2 => Say::Nothing,
        _ => Say::Kept,
    });
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &store);
    for name in ["a", "b"] {
        assert_eq!(house.write(&[name]).await.unwrap().spans, 1);
    }
    let of_another = house.writer.write(batch("team-b", &["c"])).await;
    assert_eq!(of_another.unwrap().spans, 1);
    assert_eq!(
        store.asked(),
        0,
        "it is acknowledged before anybody is asked"
    );
    house.deliver();
    until(|| house.metric("buffer_waiting_spans") == 0).await;
    let mut kept = store.kept();
    kept.sort();
    assert_eq!(kept, ["a", "b", "c"]);
    let tenants = store.tenants.lock().unwrap().clone();
    assert_eq!(
        tenants,
        BTreeSet::from(["default".to_owned(), "team-b".to_owned()])
    );
    assert_eq!(house.metric("buffer_sent_spans_total"), 3);
    assert_eq!(house.metric("buffer_retries_total{reason=\"busy\"}"), 1);
    assert_eq!(
        house.metric("buffer_retries_total{reason=\"unavailable\"}"),
        3
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_confirmed_is_still_there_after_a_restart() {
    let folder = Folder::new();
    let silent = Store::new(|names, _| match names[0].as_str() {
        "first" => Say::Kept,
        _ => Say::Unavailable,
    });
    let house = House::open(&folder, MIB, &silent);
    house.deliver();
    house.write(&["first"]).await.unwrap();
    until(|| house.metric("buffer_sent_spans_total") == 1).await;
    house.write(&["second"]).await.unwrap();
    until(|| silent.asked() >= 3).await;
    house.close().await;
    let store = Store::new(|_, _| Say::Kept);
    let house = House::open(&folder, MIB, &store);
    assert_eq!(house.metric("buffer_waiting_spans"), 1);
    house.deliver();
    until(|| house.metric("buffer_waiting_spans") == 0).await;
    assert_eq!(store.kept(), ["second"], "the first was confirmed");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_batch_reaches_the_store_over_faults_and_restarts() {
    for seed in 0..6 {
        let folder = Folder::new();
        let random = Arc::new(SeededRandom::new(seed));
        let chance = Arc::clone(&random);
        let store = Store::new(move |_, _| match chance.below(8) {
            0 => Say::Busy,
            1 | 2 => Say::Unavailable,
            3 => Say::Failed,
            4 if chance.below(4) == 0 => Say::Nothing,
            _ => Say::Kept,
        });
        let mut acknowledged = BTreeSet::new();
        for life in 0..4 {
            let house = House::open(&folder, MIB, &store);
            house.deliver();
            for number in 0..random.below(30) {
                let name = format!("{life}-{number}");
                house.write(&[&name]).await.unwrap();
                acknowledged.insert(name);
            }
            // At any moment: nothing is waited for.
            house.close().await;
        }
        let house = House::open(&folder, MIB, &store);
        house.deliver();
        until(|| house.metric("buffer_waiting_spans") == 0).await;
        let mut reached: BTreeSet<String> = store.kept().into_iter().collect();
        // One that failed again and again by chance.
        reached.extend(set_aside(&folder).iter().flat_map(|bytes| names_in(bytes)));
        assert_eq!(reached, acknowledged, "seed {seed}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_fails_while_others_are_taken_is_set_aside_and_holds_up_nothing() {
    let is_bad = |names: &[String]| names.iter().any(|name| name == "bad");
    let store = Store::new(move |names, _| match is_bad(names) {
        true => Say::Failed,
        false => Say::Kept,
    });
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &store);
    house.write(&["bad"]).await.unwrap();
    house.deliver();
    // Nothing else is taken, so it may be the store that is at fault: it waits.
    until(|| house.metric("buffer_retries_total{reason=\"failed\"}") > 6).await;
    assert_eq!(house.metric("buffer_waiting_spans"), 1);
    for name in ["a", "b"] {
        house.write(&[name]).await.unwrap();
    }
    until(|| house.metric("buffer_waiting_spans") == 0).await;
    assert_eq!(house.metric("buffer_set_aside_spans_total"), 1);
    assert_eq!(house.metric("buffer_sent_spans_total"), 2);
    house.close().await;
    let files = set_aside(&folder);
    assert_eq!(files, [request(&["bad"])], "it can be sent again as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_buffer_says_why_the_store_takes_nothing_and_has_room_again_by_itself() {
    let is_away = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let away = Arc::clone(&is_away);
    let store = Store::new(move |_, _| match away.load(Ordering::SeqCst) {
        true => Say::Unavailable,
        false => Say::Kept,
    });
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &store);
    house.deliver();
    let large = "x".repeat(50_000);
    let mut taken = 0;
    let refused = loop {
        match house.write(&[&large]).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100, "it never is full");
    };
    assert!(
        matches!(refused, WriteError::Unavailable { .. }),
        "{refused}"
    );
    until(|| house.metric("circuit_is_open") == 1).await;
    let refused = house.write(&[&large]).await.unwrap_err();
    assert!(refused.to_string().ends_with(": as told"), "{refused}");
    let said = house.writer.readiness().unwrap_err();
    assert!(
        said.contains("backend.buffer.bytes_max") && said.ends_with(": as told"),
        "{said}"
    );
    is_away.store(false, Ordering::SeqCst);
    until(|| house.writer.readiness().is_ok()).await;
    house.write(&[&large]).await.unwrap();
    until(|| house.metric("buffer_sent_spans_total") == taken + 1).await;
    assert_eq!(house.metric("circuit_is_open"), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_asked_by_one_write_at_a_time() {
    let store = Store::new(|_, _| Say::Unavailable);
    let metrics = Metrics::new();
    let hour = Duration::from_secs(3600);
    let writer = guarded(
        &store,
        &metrics,
        Pauses {
            min: hour,
            max: hour,
        },
    );
    for _ in 0..FAILURES {
        assert_eq!(writer.readiness(), Ok(()));
        let refused = writer.write(batch("default", &["a"])).await.unwrap_err();
        assert!(matches!(refused, WriteError::Unavailable { .. }));
    }
    let refused = writer.write(batch("default", &["a"])).await.unwrap_err();
    assert!(
        refused.to_string().ends_with("failed: as told"),
        "{refused}"
    );
    assert_eq!(store.asked(), FAILURES, "the last one was not tried");
    let said = writer.readiness().unwrap_err();
    assert!(said.ends_with("failed: as told"), "{said}");
    assert_eq!(value(&metrics, "circuit_is_open"), 1);
    assert_eq!(value(&metrics, "circuit_opened_total"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_batch_or_a_busy_store_opens_no_circuit() {
    let store = Store::new(|_, before| match before % 2 {
        0 => Say::Failed,
        _ => Say::Busy,
    });
    let metrics = Metrics::new();
    let writer = guarded(&store, &metrics, SHORT);
    for _ in 0..4 * FAILURES {
        assert!(writer.write(batch("default", &["a"])).await.is_err());
    }
    assert_eq!(store.asked(), 4 * FAILURES);
    assert_eq!(value(&metrics, "circuit_opened_total"), 0);
}
