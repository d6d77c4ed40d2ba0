//! What stands in the way of merging: files that can't be read at the moment, too many segments, traces without end,
//! and questions that must not wait for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{File, Files, OpenMode, SimFiles};
use model::contract::SpanReader;
use plumbing::{Clock, ManualClock, Metrics, SeededRandom, Tasks};

use super::finalise::{levels_of, places_in, spec, write_to};
use super::gates::{Gate, HandledFiles, Opening};
use super::machine::{self, Machine, START, freeze, options, send_spec, spans_of};
use super::threads::{self, wait};
use super::traffic::{SpanSpec, tenant};
use super::truth::everything;
use crate::driver::Store;
use crate::engine::Engine;
use crate::finalise::When;
use crate::options::{StoreOptions, StoreParts};
use crate::segment::Level;

/// One file can't be opened, and those of merged segments are written only when a gate is open.
#[derive(Debug, Clone, Default)]
struct Obstacles {
    /// The end of its path.
    refused: Arc<Mutex<Option<String>>>,
    gate: Option<Arc<Gate>>,
}

impl Obstacles {
    fn refuse(&self, ending: Option<&str>) {
        *self.refused.lock().unwrap() = ending.map(str::to_owned);
    }
}

impl Opening for Obstacles {
    fn open(&self, files: &SimFiles, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let text = path.to_string_lossy();
        let refused = self.refused.lock().unwrap().clone();
        if refused.is_some_and(|ending| text.ends_with(&ending)) {
            return Err(io::Error::other("it can't be read at the moment"));
        }
        let is_merged = text.contains("/m0") && text.ends_with("spans.parquet");
        if let (Some(gate), true) = (&self.gate, is_merged) {
            gate.pass();
        }
        files.open(path, mode)
    }
}

type Obstructed = HandledFiles<Obstacles>;

fn waiting_at(gate: &Arc<Gate>) -> Obstructed {
    let opening = Obstacles {
        gate: Some(Arc::clone(gate)),
        ..Obstacles::default()
    };
    Obstructed {
        opening,
        ..Obstructed::default()
    }
}

fn start(files: &Obstructed) -> Engine {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(START));
    let parts = StoreParts {
        files: Arc::new(files.clone()),
        clock,
        random: Arc::new(SeededRandom::new(3)),
        metrics: &Metrics::new(),
    };
    Engine::open(options(), parts, &|_| ()).unwrap()
}

fn merge_all(engine: &Engine) {
    while engine.finalise(When::NOW, &|| false).unwrap() {}
}

#[test]
fn a_commit_that_could_not_be_read_at_one_start_is_not_taken_for_an_old_one_at_the_next() {
    let files = Obstructed::default();
    let engine = start(&files);
    for number in 1..3 {
        write_to(&engine, &[spec(number, number, 0)]);
        assert!(freeze(&engine, true));
    }
    merge_all(&engine);
    drop(engine);
    // The list is lost, and of the merged segment nobody can tell what it is.
    files
        .files
        .write_file(Path::new("/data/manifest/CURRENT"), b"?");
    files.opening.refuse(Some("-00000001.meta"));
    let engine = start(&files);
    let said = engine.findings.join(", ");
    assert!(
        said.contains("nothing is merged until a start can"),
        "{said}"
    );
    for number in 3..5 {
        write_to(&engine, &[spec(number, number, 0)]);
        assert!(freeze(&engine, true));
    }
    merge_all(&engine);
    assert!(!levels_of(&engine).contains(&Level::Merged));
    drop(engine);
    files.opening.refuse(None);
    let engine = start(&files);
    assert_eq!([1, 2, 3, 4].map(|trace| spans_of(&engine, trace)), [1; 4]);
    merge_all(&engine);
    assert_eq!([1, 2, 3, 4].map(|trace| spans_of(&engine, trace)), [1; 4]);
}

#[test]
fn failures_to_read_are_counted_by_input() {
    let files = Obstructed::default();
    let engine = start(&files);
    for number in 1..3 {
        write_to(&engine, &[spec(number, number, 0)]);
        assert!(freeze(&engine, true));
    }
    // Each fails less often than one that is left alone.
    for (nth, times) in [(1, 2), (2, 2)] {
        files.opening.refuse(Some(&format!("-{nth:016x}.tix")));
        for _ in 0..times {
            assert!(engine.finalise(When::NOW, &|| false).is_err());
        }
    }
    files.opening.refuse(None);
    merge_all(&engine);
    assert_eq!(levels_of(&engine), [Level::Merged]);
}

#[test]
fn a_slice_is_of_so_many_segments_and_of_so_many_traces() {
    let mut machine = Machine::with(StoreOptions {
        finalise_spans_max: 100_000,
        ..options()
    });
    for number in 1..=150 {
        send_spec(&machine, &spec(number, number, 0));
        assert!(machine.freeze(true));
    }
    let spans = |machine: &Machine| -> Vec<u64> {
        let view = machine.engine().view(&tenant(0));
        view.segments
            .iter()
            .map(|placed| placed.listed.meta.spans)
            .collect()
    };
    assert!(machine.engine().finalise(When::NOW, &|| false).unwrap());
    assert_eq!(spans(&machine)[..2], [128, 1]);
    machine.kill();
    // Memory for ten traces.
    machine.options.heads_bytes_max = 1_280;
    machine.open().unwrap();
    assert!(machine.finalise(When::NOW));
    assert_eq!(spans(&machine), [128, 10, 10, 2]);
}

#[test]
fn what_waits_is_merged_at_once_when_there_is_too_much_of_it() {
    let machine = Machine::with(StoreOptions {
        finalise_segments_max: 20,
        ..options()
    });
    for number in 1..=21 {
        send_spec(&machine, &spec(number, number, 0));
        assert!(machine.freeze(true));
        let is_merged = machine.engine().finalise(When::Due, &|| false).unwrap();
        assert_eq!(is_merged, number == 21);
    }
    assert_eq!(levels_of(machine.engine()), [Level::Merged]);
}

#[test]
fn a_trace_that_goes_on_and_on_waits_no_longer_than_any_other() {
    let machine = Machine::new();
    let mut next = 1_000;
    let mut fillers = |count: u64| -> Vec<SpanSpec> {
        next += count;
        (next - count..next).map(|n| spec(n, n, 0)).collect()
    };
    let mut waited = Vec::new();
    for round in 0..5u64 {
        // Slices follow each other closely: each has a span of the trace, and one comes behind it.
        for _ in 0..2 {
            write_to(machine.engine(), &fillers(50));
            if round == 0 {
                write_to(machine.engine(), &[spec(1, 1, 0)]);
            }
            assert!(machine.freeze(true));
        }
        write_to(machine.engine(), &[spec(1, 10 + round, 1)]);
        machine.clock.advance(Duration::from_secs(14));
        assert!(machine.finalise(When::Due));
        let levels = places_in(machine.engine(), 1);
        waited.push(levels.iter().any(|(level, _)| *level == Level::Open));
    }
    // 40 seconds are the most.
    assert_eq!(waited, [true, true, true, false, true]);
}

#[test]
fn questions_are_answered_while_all_is_merged_and_all_who_asked_for_it_are_told() {
    let gate = Arc::new(Gate::default());
    let files = waiting_at(&gate);
    let options = StoreOptions {
        query_threads: 1,
        ..StoreOptions::new(PathBuf::from("/data"))
    };
    let store = threads::open(Arc::new(files), options).unwrap();
    threads::write(&store, &machine::spec(1, 1)).unwrap();
    gate.close();
    let ask = || {
        let store = store.clone();
        Tasks::thread("asker", move || wait(store.finalise()).unwrap()).unwrap()
    };
    let first = ask();
    gate.wait_for_sync();
    let second = ask();
    // The only thread for questions is free.
    let answer = wait(store.search(everything(&tenant(0)))).unwrap();
    assert_eq!(answer.traces.len(), 1);
    threads::write(&store, &machine::spec(2, 2)).unwrap();
    gate.open();
    assert!(first.join() && second.join());
    assert_eq!(threads::spans_of(&store, 2), 1);
    store.stop();
    assert!(matches!(
        wait(store.finalise()),
        Err(crate::Error::Stopped { .. })
    ));
}

#[test]
fn senders_wait_while_too_much_waits_to_be_merged_and_go_on_when_it_is() {
    let gate = Arc::new(Gate::default());
    let files = waiting_at(&gate);
    let options = StoreOptions {
        head_spans_max: 1,
        heads_bytes_max: 16 << 10,
        finalise_segments_max: 2,
        unmerged_segments_max: 5,
        ..StoreOptions::new(PathBuf::from("/data"))
    };
    let store = threads::open(Arc::new(files), options.clone()).unwrap();
    gate.close();
    let mut sent = 0;
    let is_full = |store: &Store| store.stats().head_bytes > options.heads_bytes_max as u64;
    while !is_full(&store) {
        sent += 1;
        assert!(sent < 1_000, "{:?}", store.stats());
        threads::write(&store, &machine::spec(sent, sent)).unwrap();
        let is_behind = || wait(store.work(Engine::look_at_backlog)).unwrap();
        while store.stats().head_spans > 0 && !is_behind() {
            std::thread::yield_now();
        }
    }
    // One more may have been begun before it was looked at.
    assert!(store.stats().segments <= 7, "{:?}", store.stats());
    gate.open();
    for number in sent + 1..=sent + 20 {
        threads::write(&store, &machine::spec(number, number)).unwrap();
    }
    let found = wait(store.search(everything(&tenant(0)))).unwrap();
    assert_eq!(found.traces.len() as u64, sent + 20);
    store.stop();
}

#[test]
fn where_segments_can_not_be_merged_nobody_waits_for_it() {
    let files = Obstructed::default();
    let clock = Arc::new(ManualClock::at(START));
    let engine = Engine::open(
        StoreOptions {
            finalise_segments_max: 2,
            unmerged_segments_max: 4,
            ..options()
        },
        StoreParts {
            files: Arc::new(files.clone()),
            clock: Arc::<ManualClock>::clone(&clock),
            random: Arc::new(SeededRandom::new(3)),
            metrics: &Metrics::new(),
        },
        &|_| (),
    )
    .unwrap();
    let is_behind: Vec<bool> = (1..=5)
        .map(|number| {
            write_to(&engine, &[spec(number, number, 0)]);
            assert!(freeze(&engine, true));
            engine.look_at_backlog()
        })
        .collect();
    assert_eq!(is_behind, [false, false, false, false, true]);
    // A full head waits, an old one does not.
    let specs: Vec<SpanSpec> = (10..60).map(|n| spec(n, n, 0)).collect();
    write_to(&engine, &specs);
    assert!(!engine.is_due());
    clock.advance(Duration::from_secs(16));
    assert!(engine.is_due());
    files.opening.refuse(Some("spans.parquet"));
    engine.finalise(When::Due, &|| false).unwrap_err();
    assert!(!engine.look_at_backlog());
    files.opening.refuse(None);
    clock.advance(Duration::from_secs(600));
    assert!(engine.finalise(When::Due, &|| false).unwrap());
    assert!(!engine.look_at_backlog());
}
