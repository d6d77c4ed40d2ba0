//! Measures one corpus, from its making to the last question: the whole story, top to bottom.
//!
//! 1. The corpus is written to a file, and the searches are answered from it. None of this is measured.
//! 2. The program starts on an empty folder; the corpus is sent at full speed, with probes beside it.
//! 3. What the program puts off is waited for; then its processor time and memory are read.
//! 4. It stops; the disk is looked at. It starts again on what it has; start-up is measured.
//! 5. It is asked, over HTTP, and probed once more at rest.
//! 6. It is killed with a full log, and starts once more.
//! 7. It is asked while more is sent at full speed, which is a load of its own and changes no other figure.
//!
//! Over gRPC only the first three are done.
//!
//! Promises: the folder of a run is its own, and is removed unless it is to be kept or the run fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use plumbing::{Clock, RealClock};
use serde::Serialize;
use testkit::corpus::{Corpus, CorpusOptions, Profile, Truth, write_corpus};

use crate::after_kill::{self, AfterKill};
use crate::asking::{Asked, ask_all};
use crate::disk::{self, Disk};
use crate::figures::{Spread, millis, ratio};
use crate::full_load::{self, FullLoad};
use crate::load;
use crate::options::{Options, Protocol};
use crate::oracle;
use crate::probe::{self, Probed, Prober};
use crate::process;
use crate::program::{Program, data_dir};
use crate::put_off;
use crate::questions::questions;

/// The traces are spread over half an hour that is just over, so that the usual look-backs of an hour reach them.
const WINDOW_SECONDS: u64 = 1800;
const WINDOW_END_BEFORE_NOW_SECONDS: u64 = 300;
/// From the end of all work to reading the memory at rest.
pub(crate) const REST: Duration = Duration::from_secs(5);
const PROBES_AT_REST: usize = 50;

/// What was measured on one corpus.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) profile: String,
    pub(crate) spans: u64,
    pub(crate) traces: u64,
    pub(crate) requests: u64,
    pub(crate) wire_bytes_per_span: f64,
    pub(crate) ingest: Ingest,
    pub(crate) disk: Disk,
    /// What the program says of its store, as it says it; nothing where it can't.
    pub(crate) store_stats: serde_json::Value,
    /// Start on an empty folder, and on the data of the run, until ready.
    pub(crate) start_empty_ms: f64,
    pub(crate) start_on_data_ms: f64,
    pub(crate) stop_ms: f64,
    pub(crate) after_kill: AfterKill,
    pub(crate) full_load: FullLoad,
    pub(crate) asked: Vec<Asked>,
    /// The most memory while it was asked, from its start on data on.
    pub(crate) query_peak_mib: f64,
    pub(crate) probed_under_load: Probed,
    pub(crate) probed_at_rest: Probed,
}

/// What sending the corpus cost.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ingest {
    pub(crate) wall_seconds: f64,
    pub(crate) spans_per_second: f64,
    pub(crate) megabytes_per_second: f64,
    /// Requests sent back with 429 or 503, and sent again.
    pub(crate) sent_back: u64,
    pub(crate) broken_connections: u64,
    pub(crate) acknowledgement: Option<Spread>,
    /// Processor time of the program until the last acknowledgement, and until all put-off work was done.
    pub(crate) cpu_seconds_acknowledged: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) cpu_seconds_per_million_spans: f64,
    /// How the end of put-off work was known.
    pub(crate) put_off_work: String,
    /// From the last acknowledgement to the end of put-off work.
    pub(crate) put_off_seconds: f64,
    pub(crate) peak_mib: f64,
    pub(crate) idle_mib: f64,
}

/// Measures one corpus.
pub(crate) fn measure(profile: Profile, options: &Options) -> anyhow::Result<Measured> {
    let clock = RealClock::default();
    let folder = fresh_folder(options, profile.name())?;
    let corpus = folder.join("corpus.bin");
    let truth = write_corpus(
        &corpus,
        Corpus::new(corpus_options(profile, options, &clock))?,
    )?;
    ensure!(
        truth.latest_end_ns < clock.unix_nanos(),
        "the corpus ends in the future; use fewer spans"
    );
    let searches = oracle::answer(&corpus, &truth, questions(profile))?;

    let program = Program::start(options, &folder, 1, &clock)?;
    let start_empty_ms = millis(program.start_up);
    let (ingest, probed_under_load) =
        send(&program, &corpus, &truth, (options, Protocol::Http), &clock)
            .with_context(|| program.end_of_log())?;
    let stop_ms = millis(program.stop()?);

    let spans = truth.spans + probed_under_load.spans;
    let disk = disk::look(&data_dir(&folder), Some(spans))?;
    ensure!(
        disk.rows == 0 || disk.rows == spans,
        "the segments have {} rows for {spans} spans",
        disk.rows
    );
    let store_stats = store_stats(options, &folder);

    let program = Program::start(options, &folder, 2, &clock)?;
    let start_on_data_ms = millis(program.start_up);
    let address = &program.addresses.query_http;
    let mut with_probes = truth.clone();
    with_probes.services.push(probe::SERVICE.to_owned());
    let asked = ask_all(
        address,
        &with_probes,
        &searches,
        options.repetitions,
        &clock,
    )
    .with_context(|| program.end_of_log())?;
    let query_peak_mib = mib(process::memory(program.pid())?.peak_kib);
    let probed_at_rest = Prober::new(&program.addresses, 2, &clock).probe_times(PROBES_AT_REST)?;
    let more = corpus_options(profile, options, &clock);
    let (after_kill, program) = after_kill::measure(program, &more, (options, &folder), &clock)?;
    let full_load = full_load::measure(&program, (options, profile), &clock)
        .with_context(|| program.end_of_log())?;
    program.stop()?;
    end_folder(options, &folder)?;
    Ok(Measured {
        profile: profile.name().to_owned(),
        spans: truth.spans,
        traces: truth.traces,
        requests: truth.requests,
        wire_bytes_per_span: ratio(truth.bytes, truth.spans),
        ingest,
        disk,
        store_stats,
        start_empty_ms,
        start_on_data_ms,
        stop_ms,
        after_kill,
        full_load,
        asked,
        query_peak_mib,
        probed_under_load,
        probed_at_rest,
    })
}

/// What taking one corpus costs, without questions.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Taken {
    pub(crate) profile: String,
    pub(crate) spans: u64,
    pub(crate) ingest: Ingest,
    pub(crate) probed: Probed,
}

/// Measures what one corpus costs over gRPC.
pub(crate) fn measure_grpc(profile: Profile, options: &Options) -> anyhow::Result<Taken> {
    let clock = RealClock::default();
    let folder = fresh_folder(options, &format!("{}-grpc", profile.name()))?;
    let corpus = folder.join("corpus.bin");
    let source = Corpus::new(corpus_options(profile, options, &clock))?;
    let truth = write_corpus(&corpus, source)?;
    let program = Program::start(options, &folder, 1, &clock)?;
    let by = (options, Protocol::Grpc);
    let (ingest, probed) =
        send(&program, &corpus, &truth, by, &clock).with_context(|| program.end_of_log())?;
    program.stop()?;
    end_folder(options, &folder)?;
    Ok(Taken {
        profile: profile.name().to_owned(),
        spans: truth.spans,
        ingest,
        probed,
    })
}

/// Removes the folder of a run that went well, unless it is to be kept.
pub(crate) fn end_folder(options: &Options, folder: &Path) -> anyhow::Result<()> {
    if !options.is_kept {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {folder:?}"))?;
    }
    Ok(())
}

/// Makes the folder of a run, with the folder of data in it.
pub(crate) fn fresh_folder(options: &Options, what: &str) -> anyhow::Result<PathBuf> {
    let name = format!("{what}-{}", std::process::id());
    // Absolute, because it is passed to the program.
    std::fs::create_dir_all(&options.work_dir)?;
    let folder = options.work_dir.canonicalize()?.join(name);
    std::fs::create_dir_all(data_dir(&folder))
        .with_context(|| format!("cannot make the folder of the run, {folder:?}"))?;
    Ok(folder)
}

pub(crate) fn corpus_options(
    profile: Profile,
    options: &Options,
    clock: &dyn Clock,
) -> CorpusOptions {
    let now_seconds = clock.unix_nanos() / 1_000_000_000;
    let start = now_seconds - WINDOW_SECONDS - WINDOW_END_BEFORE_NOW_SECONDS;
    CorpusOptions {
        seed: options.seed,
        window_seconds: WINDOW_SECONDS,
        ..CorpusOptions::new(profile, options.spans, start)
    }
}

/// Sends the corpus with probes beside it, waits for put-off work, and reads what it all cost.
fn send(
    program: &Program<'_>,
    corpus: &Path,
    truth: &Truth,
    (options, protocol): (&Options, Protocol),
    clock: &dyn Clock,
) -> anyhow::Result<(Ingest, Probed)> {
    let cpu_millis_before = process::cpu_millis(program.pid())?;
    let is_sent = AtomicBool::new(false);
    let (sent, probed) = std::thread::scope(|scope| {
        let prober = Prober::new(&program.addresses, 1, clock);
        let probing = scope.spawn(|| prober.probe_until(&is_sent));
        let by = (protocol, options.connections);
        let sent = load::send(corpus, &program.addresses, by, clock);
        is_sent.store(true, Ordering::Relaxed);
        let probed = probing
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the prober panicked")));
        (sent, probed)
    });
    let (sent, probed) = (sent?, probed?);
    ensure!(
        (sent.requests, sent.bytes) == (truth.requests, truth.bytes),
        "{} of {} requests were sent",
        sent.requests,
        truth.requests
    );
    let cpu_millis_acknowledged = process::cpu_millis(program.pid())? - cpu_millis_before;
    let put_off = put_off::finish(program, put_off::REST_WITHIN, clock)?.at_rest()?;
    let cpu_millis = process::cpu_millis(program.pid())? - cpu_millis_before;
    let peak_kib = process::memory(program.pid())?.peak_kib;
    clock.sleep(REST);
    let idle_kib = process::memory(program.pid())?.resident_kib;
    let seconds = sent.wall.as_secs_f64();
    let wall_nanos = u64::try_from(sent.wall.as_nanos())?;
    let ingest = Ingest {
        wall_seconds: seconds,
        spans_per_second: ratio(truth.spans, wall_nanos) * 1e9,
        megabytes_per_second: ratio(sent.bytes, wall_nanos) * 1e3,
        sent_back: sent.sent_back,
        broken_connections: sent.broken_connections,
        acknowledgement: sent.acknowledgement,
        cpu_seconds_acknowledged: ratio(cpu_millis_acknowledged, 1000),
        cpu_seconds: ratio(cpu_millis, 1000),
        cpu_seconds_per_million_spans: ratio(cpu_millis * 1000, truth.spans),
        put_off_work: put_off.how,
        put_off_seconds: put_off.took.as_secs_f64(),
        peak_mib: mib(peak_kib),
        idle_mib: mib(idle_kib),
    };
    Ok((ingest, probed))
}

/// Asks the program what it says of the store at rest.
fn store_stats(options: &Options, folder: &Path) -> serde_json::Value {
    let mut command = Command::new(&options.program);
    command
        .args(["store", "stats", "--json", "--data-dir"])
        .arg(data_dir(folder));
    let output = command
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    serde_json::from_slice(&output).unwrap_or_default()
}

pub(crate) fn mib(kib: u64) -> f64 {
    ratio(kib, 1024)
}
