//! A machine with a simulated disk and a clock that is set by hand, on which the engine is started and killed; and what
//! small tests send to it and ask of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use journal::{Files, Level, SimFiles};
use model::contract::{Kept, Window, WriteError};
use model::{TenantId, TraceId};
use plumbing::{ManualClock, Metrics, SeededRandom};

use super::traffic::{SpanSpec, encode, ids, incoming, tenant};
use super::truth::everything;
use crate::engine::{Engine, lock};
use crate::error::Error;
use crate::finalise::When;
use crate::options::{StoreOptions, StoreParts};

/// 1,790,000,000 seconds after 1970.
pub(super) const START: u64 = 1_790_000_000_000_000_000;

const SECOND: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Machine {
    pub files: SimFiles,
    pub clock: Arc<ManualClock>,
    pub options: StoreOptions,
    pub engine: Option<Engine>,
    /// A start found the list of segments lost: then what nobody names is set aside instead of removed.
    pub had_no_list: bool,
}

pub(super) fn options() -> StoreOptions {
    StoreOptions {
        level: Level::Sync,
        head_spans_max: 40,
        head_age_max: Duration::from_secs(15),
        retention_age: Duration::from_secs(3600),
        retention_bytes: Some(u64::MAX),
        journal_file_bytes: 4096,
        cache_bytes: 1 << 20,
        finalise_after: Duration::from_secs(5),
        finalise_age: Duration::from_secs(40),
        finalise_spans_min: 60,
        finalise_spans_max: 140,
        group_spans_max: 15,
        // The simulated disk fails in an order of its own, which two threads would mix up.
        scan_threads: 1,
        ..StoreOptions::new(PathBuf::from("/data"))
    }
}

pub(super) fn open_on(
    files: &SimFiles,
    clock: &Arc<ManualClock>,
    options: &StoreOptions,
) -> Result<Engine, Error> {
    let metrics = Metrics::new();
    let clock: Arc<dyn plumbing::Clock> = Arc::<ManualClock>::clone(clock);
    let files: Arc<dyn Files> = Arc::new(files.clone());
    let parts = StoreParts {
        files,
        clock,
        random: Arc::new(SeededRandom::new(3)),
        metrics: &metrics,
    };
    let engine = Engine::open(options.clone(), parts, &|_| ())?;
    engine.keep_what_is_in_doubt();
    Ok(engine)
}

impl Machine {
    /// A machine whose store has been opened.
    pub(super) fn new() -> Self {
        Self::with(options())
    }

    pub(super) fn with(options: StoreOptions) -> Self {
        let mut machine = Self {
            files: SimFiles::new(),
            clock: Arc::new(ManualClock::at(START)),
            options,
            engine: None,
            had_no_list: false,
        };
        machine.open().unwrap();
        machine
    }

    pub(super) fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub(super) fn open(&mut self) -> Result<(), Error> {
        let engine = open_on(&self.files, &self.clock, &self.options)?;
        let mut findings = engine.findings.iter();
        self.had_no_list |= findings.any(|finding| finding.contains("CURRENT can't be read"));
        self.engine = Some(engine);
        Ok(())
    }

    /// The process dies: what was written is in the page cache, durable or not.
    pub(super) fn kill(&mut self) {
        self.engine = None;
    }

    /// The power fails.
    pub(super) fn cut_power(&mut self, seed: u64) {
        self.kill();
        self.files = self.files.crash(seed);
    }

    pub(super) fn restart(&mut self) {
        self.kill();
        self.open().unwrap();
    }

    pub(super) fn now(&self) -> u64 {
        plumbing::Clock::unix_nanos(&*self.clock)
    }

    /// Freezes what is due, or all; tells whether all went well.
    pub(super) fn freeze(&self, all: bool) -> bool {
        freeze(self.engine(), all)
    }

    /// Merges what is due, or all; tells whether all went well.
    pub(super) fn finalise(&self, when: When) -> bool {
        loop {
            match self.engine().finalise(when, &|| false) {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => return false,
            }
        }
    }

    /// What lies on the disk, sorted.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files
            .paths()
            .into_iter()
            .map(|(path, _)| path)
            .collect()
    }

    /// Every file that the manifest names is whole, and nothing else lies beside it.
    pub(super) fn check_files(&self, is_after_start: bool) {
        let mut known = Vec::new();
        let placed: Vec<_> = lock(&self.engine().state)
            .tenants
            .values()
            .flat_map(|t| t.placed().cloned())
            .collect();
        for placed in placed {
            assert_eq!(
                placed.segment.verify().unwrap(),
                [],
                "segment {}",
                placed.listed.meta.id
            );
            let dir = Path::new("/data").join(&placed.listed.dir);
            known.extend(
                placed
                    .listed
                    .meta
                    .files
                    .iter()
                    .map(|file| dir.join(&file.name)),
            );
            known.push(dir.join(format!("{}.meta", placed.listed.meta.id)));
        }
        let paths = self.paths();
        let in_dir = |dir: &str| {
            paths
                .iter()
                .filter(|path| path.starts_with(dir))
                .cloned()
                .collect::<Vec<_>>()
        };
        let leftovers: Vec<_> = in_dir("/data/seg")
            .into_iter()
            .filter(|path| !known.contains(path))
            .collect();
        if is_after_start {
            assert!(leftovers.is_empty(), "nobody names {leftovers:?}");
            assert!(in_dir("/data/quarantine").is_empty() || self.had_no_list);
        }
        assert!(
            in_dir("/data/manifest").len() <= 8,
            "{:?}",
            in_dir("/data/manifest")
        );
        assert!(
            paths.len() - known.len() < 120,
            "{} files: {paths:?}",
            paths.len()
        );
    }
}

pub(super) fn freeze(engine: &Engine, all: bool) -> bool {
    engine
        .seal_due(all)
        .into_iter()
        .fold(true, |good, (tenant, head)| {
            engine.freeze(&tenant, &head).is_ok() && good
        })
}

/// The calls between services of all time, as text.
pub(super) fn links(
    engine: &Engine,
    tenant: &TenantId,
    window: Window,
) -> Vec<model::contract::DependencyLink> {
    let answer = engine.dependencies(tenant, window, &|| false).unwrap();
    assert_eq!(answer.skipped, []);
    answer.links
}

/// A root of one second, in a trace that starts as many seconds after [`START`] as its number says.
pub(super) fn spec(trace: u64, id: u64) -> SpanSpec {
    SpanSpec {
        trace,
        id,
        parent: 0,
        service: 0,
        name: 0,
        start: START + trace * SECOND,
        lasting: SECOND,
        version: 0,
        is_error: false,
    }
}

/// Sends a request of the first tenant.
pub(super) fn send(machine: &Machine, otlp: &Bytes) -> Result<Kept, WriteError> {
    machine
        .engine()
        .commit(vec![incoming(&tenant(0), otlp)])
        .remove(0)
}

/// Sends one span, which is new.
pub(super) fn send_spec(machine: &Machine, spec: &SpanSpec) {
    let kept = send(machine, &encode(std::slice::from_ref(spec))).unwrap();
    assert_eq!(
        kept,
        Kept {
            spans: 1,
            duplicate_spans: 0
        }
    );
}

/// How many spans a trace has.
pub(super) fn spans_of(engine: &Engine, trace: u64) -> usize {
    let answer = engine
        .trace(&tenant(0), TraceId(ids().trace(trace)))
        .unwrap();
    assert_eq!(answer.skipped, []);
    answer.spans.len()
}

/// All traces that a search finds, and how many spans each has.
pub(super) fn found(machine: &Machine) -> Vec<(TraceId, u64)> {
    let answer = machine
        .engine()
        .search(&everything(&tenant(0)), &|| false)
        .unwrap();
    assert_eq!(answer.skipped, []);
    answer
        .traces
        .iter()
        .map(|hit| (hit.trace_id, hit.spans))
        .collect()
}
