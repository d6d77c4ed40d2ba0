//! The store with its threads, as the program opens it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};

use journal::{FaultScope, File, Files, OpenMode, RealFiles, SimFiles};
use model::TraceId;
use model::contract::{SpanReader, SpanWriter, Window, WriteError};
use plumbing::{Clock, Metrics, RealClock, SeededRandom, Tasks};

use super::gates::{Gate, HandledFiles, Opening};
use super::machine::{Machine, spec};
use super::traffic::{SpanSpec, encode, ids, incoming, tenant};
use super::truth::everything;
use crate::options::{StoreOptions, StoreParts};
use crate::{Error, Store};

const WRITERS: u64 = 8;
const REQUESTS: u64 = 60;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "store-threads-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_or_not = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn open(files: Arc<dyn Files>, options: StoreOptions) -> Result<Store, Error> {
    let metrics = Metrics::new();
    let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
    let parts = StoreParts {
        files,
        clock,
        random: Arc::new(SeededRandom::new(3)),
        metrics: &metrics,
    };
    Store::open(options, parts, &|_| ())
}

/// Waits for an answer of the store.
pub(super) fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(answer)
}

pub(super) fn write(store: &Store, spec: &SpanSpec) -> Result<model::contract::Kept, WriteError> {
    wait(store.write(incoming(&tenant(0), &encode(std::slice::from_ref(spec)))))
}

pub(super) fn spans_of(store: &Store, trace: u64) -> usize {
    let answer = wait(store.trace(&tenant(0), TraceId(ids().trace(trace)))).unwrap();
    assert_eq!(answer.skipped, []);
    answer.spans.len()
}

/// Syncs of the log wait at a gate.
#[derive(Debug)]
struct GatedLog(Arc<Gate>);

#[derive(Debug)]
struct GatedFile {
    file: Arc<dyn File>,
    /// Of a file of the log.
    gate: Option<Arc<Gate>>,
}

impl Opening for GatedLog {
    fn open(&self, files: &SimFiles, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let gate = path.starts_with("/data/wal").then(|| Arc::clone(&self.0));
        Ok(Arc::new(GatedFile {
            file: files.open(path, mode)?,
            gate,
        }))
    }
}

impl File for GatedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn write_all_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        self.file.write_all_at(parts, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        self.file.sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }
}

/// Counts who is done, or has panicked.
struct CountOnDrop(Arc<AtomicU64>);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn many_writers_lose_nothing_while_heads_are_frozen_under_them() {
    let folder = Folder::new();
    let options = StoreOptions {
        head_spans_max: 50,
        heads_bytes_max: 1 << 20,
        journal_file_bytes: 64 << 10,
        finalise_segments_max: usize::MAX,
        ..StoreOptions::new(folder.0.clone())
    };
    let store = open(Arc::new(RealFiles), options.clone()).unwrap();
    let (bytes_max, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, bytes_max) = (store.clone(), Arc::clone(&bytes_max));
            let done = CountOnDrop(Arc::clone(&done));
            Tasks::thread("writer", move || {
                for number in 0..REQUESTS {
                    let id = writer * 1000 + number + 1;
                    let kept = write(&store, &spec(id, id)).unwrap();
                    assert_eq!(kept.spans, 1);
                    assert_eq!(
                        spans_of(&store, id),
                        1,
                        "not found when it was acknowledged"
                    );
                    bytes_max.fetch_max(store.stats().head_bytes, Ordering::Relaxed);
                }
                drop(done);
            })
            .unwrap()
        })
        .collect();
    let mut is_frozen = true;
    while is_frozen && done.load(Ordering::Relaxed) < WRITERS {
        is_frozen = store.freeze_now().is_ok();
    }
    assert!(is_frozen);
    assert!(writers.into_iter().all(plumbing::ThreadHandle::join));
    let stats = store.stats();
    assert!(stats.segments > 1, "{stats:?}");
    assert_eq!(stats.head_spans + stats.segment_spans, WRITERS * REQUESTS);
    assert!(bytes_max.load(Ordering::Relaxed) < 2 << 20);
    store.stop();
    let refused = write(&store, &spec(1, 77_777)).unwrap_err();
    assert!(
        matches!(refused, WriteError::Unavailable { .. }),
        "{refused}"
    );
    drop(store);
    let store = open_again(&options);
    let answer = wait(store.search(everything(&tenant(0)))).unwrap();
    assert_eq!(answer.traces.len() as u64, WRITERS * REQUESTS);
    assert!(answer.traces.iter().all(|hit| hit.spans == 1));
    assert_eq!(wait(store.services(&tenant(0))).unwrap(), ["shop"]);
    assert_eq!(
        wait(store.dependencies(&tenant(0), Window::ALWAYS))
            .unwrap()
            .links,
        []
    );
    store.stop();
}

/// Opens a folder that a store has just left: the thread of a last question may hold it for a moment.
fn open_again(options: &StoreOptions) -> Store {
    loop {
        match open(Arc::new(RealFiles), options.clone()) {
            Err(Error::Locked { .. }) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

#[test]
fn an_acknowledged_span_survives_the_power_cut_at_that_moment() {
    let (files, gate) = (SimFiles::new(), Arc::new(Gate::default()));
    let gated = HandledFiles {
        files: files.clone(),
        opening: GatedLog(Arc::clone(&gate)),
    };
    let store = open(Arc::new(gated), super::machine::options()).unwrap();
    for number in 1..40 {
        // The disk is as slow as it must be for an answer that comes too early to be seen.
        gate.close();
        let request = incoming(&tenant(0), &encode(&[spec(number, number)]));
        let mut answer = store.write(request);
        let early = answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(early.is_pending(), "request {number}: {early:?}");
        gate.open();
        wait(answer).unwrap();
        let mut machine = Machine::new();
        machine.kill();
        machine.files = files.crash(number);
        machine.open().unwrap();
        let answer = machine
            .engine()
            .trace(&tenant(0), TraceId(ids().trace(number)))
            .unwrap();
        assert_eq!(answer.spans.len(), 1, "request {number}");
    }
    store.stop();
}

#[test]
fn while_a_sync_is_stuck_nothing_is_acknowledged_reads_go_on_and_what_waits_shares_the_next_sync() {
    let (files, gate) = (SimFiles::new(), Arc::new(Gate::default()));
    let gated = HandledFiles {
        files,
        opening: GatedLog(Arc::clone(&gate)),
    };
    let store = open(Arc::new(gated), StoreOptions::new(PathBuf::from("/data"))).unwrap();
    write(&store, &spec(1, 1)).unwrap();
    gate.close();
    let (tell, told) = mpsc::channel();
    // `write` puts a request into the queue when it is called.
    let ask = |number: u64| store.write(incoming(&tenant(0), &encode(&[spec(number, number)])));
    let first = ask(2);
    let writer = Tasks::thread("writer", move || tell.send(wait(first)).unwrap()).unwrap();
    gate.wait_for_sync();
    let waiting: Vec<_> = (3..23).map(ask).collect();
    // The stuck sync holds up no question, and nothing unacknowledged is shown.
    assert_eq!(spans_of(&store, 1), 1);
    assert_eq!(spans_of(&store, 2), 0);
    assert_eq!(told.try_recv().unwrap_err(), mpsc::TryRecvError::Empty);
    let before = gate.syncs.load(Ordering::SeqCst);
    gate.open();
    assert_eq!(told.recv().unwrap().unwrap().spans, 1);
    for answer in waiting {
        assert_eq!(wait(answer).unwrap().spans, 1);
    }
    assert!(writer.join());
    assert!((2..23).all(|number| spans_of(&store, number) == 1));
    let syncs = gate.syncs.load(Ordering::SeqCst) - before;
    assert!(
        syncs <= 2,
        "{syncs} syncs for 20 requests that waited together"
    );
    store.stop();
}

#[test]
fn stopping_answers_everybody_who_waits_and_keeps_what_it_said_it_kept() {
    let (files, gate) = (SimFiles::new(), Arc::new(Gate::default()));
    let gated = HandledFiles {
        files: files.clone(),
        opening: GatedLog(Arc::clone(&gate)),
    };
    let store = open(Arc::new(gated), StoreOptions::new(PathBuf::from("/data"))).unwrap();
    gate.close();
    // Queued before the stop: `write` puts a request into the queue when it is called.
    let answers: Vec<_> = (1..30)
        .map(|number| store.write(incoming(&tenant(0), &encode(&[spec(number, number)]))))
        .collect();
    let stopping = {
        let store = store.clone();
        Tasks::thread("stopper", move || store.stop()).unwrap()
    };
    gate.open();
    assert!(stopping.join());
    let kept = answers.into_iter().map(wait).filter(Result::is_ok).count();
    assert_eq!(kept, 29);
    let mut machine = Machine::new();
    machine.kill();
    machine.files = files.crash(5);
    machine.open().unwrap();
    for number in 1..30 {
        let answer = machine
            .engine()
            .trace(&tenant(0), TraceId(ids().trace(number)))
            .unwrap();
        assert_eq!(answer.spans.len(), 1, "request {number}");
    }
}

#[test]
fn one_failed_sync_is_told_to_its_senders_and_for_ever_failing_ones_end_the_store() {
    let files = SimFiles::new();
    let store = open(
        Arc::new(files.clone()),
        StoreOptions::new(PathBuf::from("/data")),
    )
    .unwrap();
    write(&store, &spec(1, 1)).unwrap();
    assert_eq!(store.readiness(), Ok(()));
    // The thread that makes files for the log ready may be who meets the failure.
    let refused = (100..110).find_map(|number| {
        files.fail_sync(FaultScope::Once);
        write(&store, &spec(number, number)).err()
    });
    let refused = refused.unwrap();
    assert!(matches!(refused, WriteError::Busy { .. }), "{refused}");
    files.clear_faults();
    write(&store, &spec(2, 2)).unwrap();
    files.fail_sync(FaultScope::Forever);
    let is_over = (3..8).any(|number| {
        write(&store, &spec(number, number)).unwrap_err();
        store.has_failed()
    });
    assert!(is_over);
    assert!(store.readiness().is_err());
    assert_eq!((spans_of(&store, 1), spans_of(&store, 2)), (1, 1));
    store.stop();
}

#[test]
fn without_a_log_what_is_in_memory_is_written_when_the_store_stops() {
    let files = SimFiles::new();
    let options = StoreOptions {
        level: journal::Level::Memory,
        ..StoreOptions::new(PathBuf::from("/data"))
    };
    let store = open(Arc::new(files.clone()), options).unwrap();
    for number in 1..5 {
        write(&store, &spec(number, number)).unwrap();
    }
    store.stop();
    let mut machine = Machine::new();
    machine.kill();
    machine.files = files.crash(1);
    machine.open().unwrap();
    let answer = machine
        .engine()
        .search(&everything(&tenant(0)), &|| false)
        .unwrap();
    assert_eq!(answer.traces.len(), 4);
}

#[test]
fn a_question_is_answered_while_another_thread_freezes() {
    let files = SimFiles::new();
    let store = open(Arc::new(files), StoreOptions::new(PathBuf::from("/data"))).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let freezer = {
        let (store, is_over) = (store.clone(), Arc::clone(&is_over));
        Tasks::thread("freezer", move || {
            while !is_over.load(Ordering::SeqCst) {
                store.freeze_now().unwrap();
                std::thread::yield_now();
            }
        })
        .unwrap()
    };
    for number in 1..80 {
        write(&store, &spec(number, number)).unwrap();
        // At no moment twice or not at all.
        let answer = wait(store.search(everything(&tenant(0)))).unwrap();
        assert_eq!(answer.traces.len() as u64, number);
        assert!(answer.traces.iter().all(|hit| hit.spans == 1));
    }
    is_over.store(true, Ordering::SeqCst);
    assert!(freezer.join());
    store.stop();
}
