//! A constant rate for some time, with searches beside it: memory at rest and under load, processor time, how long
//! answers take, and whether what is put off grows.
//!
//! 1. The program starts on an empty folder and rests; its memory is read.
//! 2. A first round of spans is sent, everything is merged, and all kinds of questions are asked at rest.
//! 3. For so many seconds spans come at a constant rate ([`crate::pace`]); all kinds of questions are asked in turn,
//!    ten a second, and now and then somebody else asks for dependencies; memory, processor time and what waits to be
//!    merged are looked at.
//! 4. Everything is merged; memory is read at rest, and the same questions are asked on all that there is now.
//!
//! Promises: senders keep to the clock and not to the answers; requests that are late or sent back are counted, and so
//! is the processor time of the benchmark itself, which shares the machine. Enough disk is made sure of before.
//! Refuses: checking what answers hold, because it changes while they are made.

use std::io::{Write as _, stderr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use plumbing::{Clock, RealClock};
use serde::Serialize;
use testkit::corpus::Profile;

use crate::disk;
use crate::figures::{Spread, Stopwatch, millis, ratio};
use crate::load::{send_rounds, together};
use crate::machine;
use crate::options::{Options, Protocol, SteadyLoad};
use crate::pace::Pace;
use crate::process;
use crate::program::{Program, data_dir};
use crate::put_off;
use crate::rounds::Rounds;
use crate::run::{REST, end_folder, fresh_folder, mib};
use crate::sender::{Counts, Sender};
use crate::turns::{Turned, Turns};
use crate::watching::{Sample, watch};

/// Questions in a second under load.
const QUESTIONS_PER_SECOND: u64 = 10;
/// How often each kind is asked at rest.
const QUESTIONS_AT_REST: usize = 30;
/// What is sent later than this after it was due is late.
const LATE: Duration = Duration::from_millis(100);
/// When the program falls so far behind, what is left is not sent.
const BEHIND_MAX: Duration = Duration::from_secs(60);
/// A large store is checked on the disk for long, so rest is not waited for as elsewhere.
const REST_WITHIN: Duration = Duration::from_secs(30);
/// What a span may take on the disk, segments that wait to be deleted included, and what is to be left.
const DISK_BYTES_PER_SPAN: u64 = 50;
const DISK_BYTES_LEFT: u64 = 4 << 30;

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Steady {
    pub(crate) profile: String,
    pub(crate) spans_per_second: u64,
    pub(crate) seconds: u64,
    /// Spans of a round, the first one included.
    pub(crate) round_spans: u64,
    /// Resident memory: just started, with the first round at rest, and at rest behind the load: before and after the
    /// questions.
    pub(crate) fresh_mib: f64,
    pub(crate) filled_mib: f64,
    pub(crate) rested_mib: f64,
    pub(crate) rested_asked_mib: f64,
    pub(crate) at_rest: Turned,
    pub(crate) load: Load,
    pub(crate) under_load: Turned,
    pub(crate) dependencies_under_load: Turned,
    pub(crate) put_off_seconds: f64,
    pub(crate) put_off_cpu_seconds: f64,
    /// Processor that was still used half a minute after all was merged; 0 when it came to rest.
    pub(crate) restless_cores: f64,
    pub(crate) bytes_per_span: f64,
    pub(crate) at_rest_after: Turned,
}

/// The load itself.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Load {
    pub(crate) spans: u64,
    pub(crate) wall_seconds: f64,
    /// Requests that were sent later than a tenth of a second after they were due, and the latest.
    pub(crate) late: u64,
    pub(crate) latest_ms: f64,
    /// Requests that were not sent because the program was behind by a minute.
    pub(crate) unsent: u64,
    pub(crate) sent_back: u64,
    pub(crate) broken_connections: u64,
    /// From the moment at which a request was due to its acknowledgement.
    pub(crate) acknowledgement: Option<Spread>,
    pub(crate) samples: Vec<Sample>,
}

/// Runs it.
pub(crate) fn measure(
    profile: Profile,
    options: &Options,
    wanted: SteadyLoad,
) -> anyhow::Result<Steady> {
    let clock = RealClock::default();
    let folder = fresh_folder(options, &format!("steady-{}", profile.name()))?;
    let spans = wanted.spans_per_second * wanted.seconds + options.spans;
    let bytes = spans * DISK_BYTES_PER_SPAN + DISK_BYTES_LEFT;
    let free = machine::free_bytes(&folder).context("the free space is unknown")?;
    ensure!(
        bytes <= free,
        "{} MiB are free and {} MiB may be needed",
        free >> 20,
        bytes >> 20
    );
    // The traces of a round follow each other as fast as they are sent.
    let round_seconds = options.spans.div_ceil(wanted.spans_per_second);
    let corpus = (profile, options.seed, options.spans);
    let rounds = Rounds::taking(round_seconds, corpus, &clock)?;
    let program = Program::start(options, &folder, 1, &clock)?;
    let steady = run(
        (&program, &folder),
        (&rounds, profile),
        (options.connections, wanted),
        &clock,
    )
    .with_context(|| program.end_of_log())?;
    program.stop()?;
    let spans = steady.load.spans + steady.round_spans;
    let bytes_per_span = disk::look(&data_dir(&folder), Some(spans))?.bytes_per_span;
    end_folder(options, &folder)?;
    Ok(Steady {
        bytes_per_span,
        ..steady
    })
}

fn run(
    (program, folder): (&Program<'_>, &Path),
    (rounds, profile): (&Rounds, Profile),
    (connections, wanted): (usize, SteadyLoad),
    clock: &dyn Clock,
) -> anyhow::Result<Steady> {
    let resident = || process::memory(program.pid()).map(|memory| mib(memory.resident_kib));
    let turns = || {
        let address = &program.addresses.query_http;
        Turns::new(address, (rounds, profile), clock)
    };
    say("the first round")?;
    clock.sleep(REST);
    let fresh_mib = resident()?;
    let by = (Protocol::Http, connections);
    send_rounds(rounds, &program.addresses, by, clock, || rounds.taken() < 1)?;
    put_off::finish(program, put_off::REST_WITHIN, clock)?.at_rest()?;
    clock.sleep(REST);
    let filled_mib = resident()?;
    let at_rest = turns().ask_times(QUESTIONS_AT_REST)?;

    say("the load")?;
    let (counts, is_over) = (Counts::default(), AtomicBool::new(false));
    let every = Duration::from_secs(wanted.dependencies_every);
    let (load, samples, under_load, dependencies) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch((program, folder), &counts, clock, &is_over));
        let (asker, other) = (turns(), turns());
        let asking = scope.spawn(|| asker.ask_paced(&is_over, QUESTIONS_PER_SECOND));
        let asking_dependencies = scope.spawn(|| other.ask_dependencies(&is_over, every));
        let load = send(rounds, program, &counts, (connections, wanted), clock);
        is_over.store(true, Ordering::Relaxed);
        let panicked = || anyhow!("a thread of the benchmark panicked");
        let samples = watching.join().unwrap_or_else(|_| Err(panicked()));
        let asked = asking.join().unwrap_or_else(|_| Err(panicked()));
        let dependencies = asking_dependencies.join();
        let dependencies = dependencies.unwrap_or_else(|_| Err(panicked()));
        (load, samples, asked, dependencies)
    });
    let load = Load {
        samples: samples?,
        ..load?
    };
    say("everything is merged")?;
    let cpu_before = process::cpu_millis(program.pid())?;
    let finished = put_off::finish(program, REST_WITHIN, clock)?;
    let put_off_cpu = process::cpu_millis(program.pid())? - cpu_before;
    clock.sleep(REST);
    let rested_mib = resident()?;
    say("questions at rest")?;
    let at_rest_after = turns().ask_times(QUESTIONS_AT_REST)?;
    clock.sleep(REST);
    Ok(Steady {
        profile: profile.name().to_owned(),
        spans_per_second: wanted.spans_per_second,
        seconds: wanted.seconds,
        round_spans: rounds.truth.spans,
        fresh_mib,
        filled_mib,
        rested_mib,
        rested_asked_mib: resident()?,
        at_rest,
        load,
        under_load: under_load?,
        dependencies_under_load: dependencies?,
        put_off_seconds: finished.said.as_secs_f64(),
        put_off_cpu_seconds: ratio(put_off_cpu, 1000),
        restless_cores: finished.restless_cores.unwrap_or_default(),
        bytes_per_span: 0.0,
        at_rest_after,
    })
}

/// Says what comes next: it takes minutes, and stops short where something is wrong.
fn say(what: &str) -> std::io::Result<()> {
    writeln!(stderr(), "{what} …")
}

/// Sends at the rate.
fn send(
    rounds: &Rounds,
    program: &Program<'_>,
    counts: &Counts,
    (connections, wanted): (usize, SteadyLoad),
    clock: &dyn Clock,
) -> anyhow::Result<Load> {
    let end = Duration::from_secs(wanted.seconds);
    let before_all = rounds.spans_taken()?;
    let (spans, late, unsent) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let watch = Stopwatch::start(clock);
    let pace = Pace::begin(wanted.spans_per_second, clock);
    // How late each request was sent, and how long after it was due it was acknowledged.
    let times_ms = together(connections, || {
        let addresses = &program.addresses;
        let mut sender = Sender::new(Protocol::Http, addresses, clock, counts)?;
        let mut times_ms = Vec::new();
        loop {
            let taken = rounds.take()?;
            let due = pace.due(taken.spans_before.saturating_sub(before_all));
            if due >= end {
                return Ok(times_ms);
            }
            if pace.passed() > due + BEHIND_MAX {
                unsent.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let lateness = pace.wait_until(due);
            late.fetch_add(u64::from(lateness > LATE), Ordering::Relaxed);
            rounds.with_bytes(taken, clock, |bytes| sender.send_until_kept(bytes))??;
            spans.fetch_add(taken.spans, Ordering::Relaxed);
            let acknowledged = pace.passed().saturating_sub(due);
            times_ms.push((millis(lateness), millis(acknowledged)));
        }
    })?;
    let latest = times_ms.iter().map(|(late, _)| *late);
    let latest_ms = latest.fold(0.0, f64::max);
    let acknowledged = times_ms.iter().map(|(_, acknowledged)| *acknowledged);
    Ok(Load {
        spans: spans.into_inner(),
        wall_seconds: watch.elapsed().as_secs_f64(),
        late: late.into_inner(),
        latest_ms,
        unsent: unsent.into_inner(),
        sent_back: counts.sent_back.load(Ordering::Relaxed),
        broken_connections: counts.broken_connections.load(Ordering::Relaxed),
        acknowledgement: Spread::of(acknowledged.collect()),
        samples: Vec::new(),
    })
}
