//! What stores of others cost: the kind corpus into each of them at full speed, and the same questions as always.
//!
//! 1. For each store a real server starts by its script below `tests/servers`, plainly, on loopback.
//! 2. The corpus is sent to one program that keeps it there; its processor time is read when all is acknowledged.
//! 3. Every answer is checked against the truth of the corpus.
//! 4. The same server takes the corpus twice more, under other names: without counting by minute, and through a buffer
//!    on the disk; nothing is asked then.
//! 5. Of Kafka: a collector writes the corpus, then an ingester takes it to Elasticsearch, each by itself.
//!
//! Promises: the embedded store is measured in the same way, so that figures can be read as ratios to it.
//! Refuses: judging the servers: they are one node with a small heap on the machine that also sends and asks.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use plumbing::{Clock, RealClock};
use serde::Serialize;
use testkit::corpus::{Corpus, Profile, Question, Truth, write_corpus};

use crate::asking::{Asked, ask_all};
use crate::figures::{Spread, Stopwatch, ratio};
use crate::http::Connection;
use crate::load;
use crate::options::{Options, Protocol};
use crate::oracle;
use crate::process;
use crate::program::Program;
use crate::questions::questions;
use crate::run::{corpus_options, end_folder, fresh_folder, mib};
use crate::watching::metric;

const SCRIPTS: &str = "tests/servers";
/// Tells the scripts that speed is measured.
const FULL_SPEED: &str = "TRACKWAY_SERVERS_FULL_SPEED";
/// Far longer than an ingester may take.
const DRAIN_MAX: Duration = Duration::from_secs(600);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const CASSANDRA: &str = "cassandra";
/// Where it keeps spans in the usual way.
const KEYSPACE: &str = "jaeger_v1_dc1";
/// What the topic's folders begin with.
const TOPIC: &str = "jaeger-spans-";

/// What one way of keeping spans costs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BackendFigures {
    pub(crate) name: String,
    /// Which server it was, with its version.
    pub(crate) server: String,
    pub(crate) spans: u64,
    pub(crate) taken: Moved,
    pub(crate) acknowledgement: Option<Spread>,
    pub(crate) sent_back: u64,
    /// What comes after the acknowledgement: the ingester's part, or all until the buffer is empty.
    pub(crate) then: Option<Then>,
    /// What they take on the server's disk, once.
    pub(crate) bytes_per_span_on_server: Option<f64>,
    pub(crate) asked: Vec<Asked>,
}

/// What happens to spans that are acknowledged before the store has them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Then {
    pub(crate) what: &'static str,
    #[serde(flatten)]
    pub(crate) moved: Moved,
}

/// Spans that went from one place to another.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Moved {
    pub(crate) seconds: f64,
    pub(crate) spans_per_second: f64,
    /// Of the program itself, not of the server.
    pub(crate) cpu_seconds_per_million_spans: f64,
    pub(crate) peak_mib: f64,
}

impl Moved {
    fn of(
        program: &Program<'_>,
        cpu_before: u64,
        spans: u64,
        time: Duration,
    ) -> anyhow::Result<Self> {
        let cpu = process::cpu_millis(program.pid())? - cpu_before;
        let seconds = time.as_secs_f64();
        Ok(Self {
            seconds,
            spans_per_second: ratio(spans, 1) / seconds,
            cpu_seconds_per_million_spans: ratio(cpu, 1000) * 1e6 / ratio(spans, 1),
            peak_mib: mib(process::memory(program.pid())?.peak_kib),
        })
    }
}

/// A server that runs; it ends with the value.
struct Server {
    name: &'static str,
    data: PathBuf,
    url: String,
}

impl Server {
    fn start(name: &'static str, folder: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let data = folder.join(name);
        let mut command = Command::new(format!("{SCRIPTS}/{name}"));
        command.env(FULL_SPEED, "1");
        command.args(["start", "--port", &port.to_string(), "--data"]);
        let done = command.arg(&data).output();
        let done = done.with_context(|| format!("cannot run {SCRIPTS}/{name}"))?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{name} does not start: {said}");
        let url = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        Ok(Self { name, data, url })
    }

    /// The name and the version, which the script pins.
    fn version(&self) -> String {
        let script =
            std::fs::read_to_string(format!("{SCRIPTS}/{}", self.name)).unwrap_or_default();
        let version = script
            .lines()
            .find_map(|line| line.strip_prefix("VERSION="));
        format!("{} {}", self.name, version.unwrap_or_default())
    }

    /// Has what was written found; Cassandra needs not be asked.
    fn refresh(&self) -> anyhow::Result<()> {
        if self.name == CASSANDRA {
            return Ok(());
        }
        self.post("/_refresh")
    }

    /// Has what was written on the disk; gives the bytes of the spans there.
    fn bytes(&self) -> anyhow::Result<u64> {
        if self.name == CASSANDRA {
            // It writes what is in memory when it stops.
            self.script(&["stop"])?;
            let bytes = bytes_below(&self.data.join("data").join(KEYSPACE), "db")?;
            let port = self.url.rsplit(':').next().unwrap_or_default();
            self.script(&["start", "--port", port])?;
            return Ok(bytes);
        }
        self.post("/_flush")?;
        let answer = Connection::to(self.address()).get("/jaeger-span-*/_stats/store")?;
        let told: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let bytes = told.pointer("/_all/primaries/store/size_in_bytes");
        let bytes = bytes.and_then(serde_json::Value::as_u64);
        bytes.with_context(|| format!("{} tells no size: {}", self.name, answer.excerpt()))
    }

    fn post(&self, path: &str) -> anyhow::Result<()> {
        let answer = Connection::to(self.address()).post(path, "application/json", b"")?;
        ensure!(answer.status == 200, "{path} got {}", answer.status);
        Ok(())
    }

    fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What the program is told of it. Ways have names of their own, so that each begins with nothing.
    fn settings(&self, way: Way) -> Vec<String> {
        if self.name == CASSANDRA {
            let keyspace = match way.suffix() {
                "" => KEYSPACE.to_owned(),
                suffix => format!("{KEYSPACE}_{suffix}"),
            };
            return vec![
                "backend.kind=cassandra".to_owned(),
                format!("backend.cassandra.servers={}", self.url),
                format!("backend.cassandra.keyspace={keyspace}"),
                "backend.cassandra.schema.create=on".to_owned(),
            ];
        }
        vec![
            "backend.kind=elasticsearch".to_owned(),
            format!("backend.elasticsearch.hosts={}", self.url),
            format!("backend.elasticsearch.index_prefix={}", way.suffix()),
            "backend.elasticsearch.shards=1".to_owned(),
            "backend.elasticsearch.replicas=0".to_owned(),
        ]
    }

    fn script(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(format!("{SCRIPTS}/{}", self.name));
        command.args(arguments).arg("--data").arg(&self.data);
        let done = command.env(FULL_SPEED, "1").output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{} {arguments:?}: {said}", self.name);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The figures are there; what can't be ended is seen by whoever looks at the machine.
        self.script(&["stop", "--wipe"]).ok();
    }
}

/// How the program writes to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As it does when nothing is said.
    Usual,
    /// Without sums by minute.
    Uncounted,
    /// Through the buffer on the disk.
    Buffered,
}

impl Way {
    fn suffix(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Uncounted => "uncounted",
            Self::Buffered => "buffered",
        }
    }
}

/// The corpus and what is asked about it.
struct Task {
    folder: PathBuf,
    corpus: PathBuf,
    truth: Truth,
    searches: Vec<Question>,
}

/// Measures all of them.
pub(crate) fn measure(options: &Options) -> anyhow::Result<Vec<BackendFigures>> {
    let clock = RealClock::default();
    let folder = fresh_folder(options, "backends")?;
    let corpus = folder.join("corpus.bin");
    let source = Corpus::new(corpus_options(Profile::Kind, options, &clock))?;
    let truth = write_corpus(&corpus, source)?;
    let searches = oracle::answer(&corpus, &truth, questions(Profile::Kind))?;
    let task = Task {
        folder,
        corpus,
        truth,
        searches,
    };
    let mut all = vec![measure_store(&task, None, options, &clock)?];
    for name in ["elasticsearch", "opensearch", CASSANDRA] {
        let server = Server::start(name, &task.folder)?;
        for way in [Way::Usual, Way::Uncounted, Way::Buffered] {
            all.push(measure_store(&task, Some((&server, way)), options, &clock)?);
        }
    }
    all.push(measure_kafka(&task, options, &clock)?);
    end_folder(options, &task.folder)?;
    Ok(all)
}

/// One program that takes, keeps and, in the usual way, finds.
fn measure_store(
    task: &Task,
    server: Option<(&Server, Way)>,
    options: &Options,
    clock: &dyn Clock,
) -> anyhow::Result<BackendFigures> {
    let way = server.map_or(Way::Usual, |(_, way)| way);
    let mut name = server
        .map_or("embedded", |(server, _)| server.name)
        .to_owned();
    if way != Way::Usual {
        name = format!("{name}-{}", way.suffix());
    }
    let folder = task.folder.join(format!("{name}-program"));
    std::fs::create_dir_all(&folder)?;
    let mut with_store = options.clone();
    let settings = &mut with_store.settings;
    settings.extend(
        server
            .map(|(server, way)| server.settings(way))
            .into_iter()
            .flatten(),
    );
    match way {
        Way::Usual => {}
        Way::Uncounted => settings.push("backend.count_by_minute=off".to_owned()),
        Way::Buffered => {
            settings.push(format!(
                "backend.buffer.dir={}",
                folder.join("buffer").display()
            ));
        }
    }
    let program = Program::start(&with_store, &folder, 1, clock)?;
    let cpu_before = process::cpu_millis(program.pid())?;
    let watch = Stopwatch::start(clock);
    let (taken, sent) = take(&program, task, options, clock)?;
    let spans = task.truth.spans;
    let mut then = None;
    let mut asked = Vec::new();
    match way {
        Way::Usual => {
            server.map_or(Ok(()), |(server, _)| server.refresh())?;
            let (address, repetitions) = (&program.addresses.query_http, options.repetitions);
            asked = ask_all(address, &task.truth, &task.searches, repetitions, clock)
                .with_context(|| program.end_of_log())?;
        }
        Way::Uncounted => {}
        Way::Buffered => {
            await_spans(
                &program,
                "trackway_backend_buffer_sent_spans_total",
                spans,
                clock,
            )?;
            let moved = Moved::of(&program, cpu_before, spans, watch.elapsed())?;
            let what = "taken and written";
            then = Some(Then { what, moved });
        }
    }
    program.stop()?;
    let at_rest = server.filter(|_| way == Way::Usual);
    let bytes = at_rest.map(|(server, _)| server.bytes()).transpose()?;
    Ok(BackendFigures {
        name,
        server: server.map_or_else(|| "none".to_owned(), |(server, _)| server.version()),
        spans,
        taken,
        acknowledgement: sent.acknowledgement,
        sent_back: sent.sent_back,
        then,
        bytes_per_span_on_server: bytes.map(|bytes| ratio(bytes, spans)),
        asked,
    })
}

/// Waits until a counter of the program stands at all spans.
fn await_spans(
    program: &Program<'_>,
    counter: &str,
    spans: u64,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let watch = Stopwatch::start(clock);
    loop {
        let answer = Connection::to(&program.addresses.admin).get("/metrics")?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let kept = metric(&text, counter).unwrap_or(0);
        ensure!(kept <= spans, "{counter} tells {kept} spans of {spans}");
        if kept == spans {
            return Ok(());
        }
        ensure!(
            watch.elapsed() < DRAIN_MAX,
            "{counter} tells {kept} of {spans} spans after {DRAIN_MAX:?}:\n{}",
            program.end_of_log()
        );
        clock.sleep(LOOK_AGAIN);
    }
}

/// A collector that writes messages, then an ingester that takes them to Elasticsearch.
fn measure_kafka(
    task: &Task,
    options: &Options,
    clock: &dyn Clock,
) -> anyhow::Result<BackendFigures> {
    let kafka = Server::start("kafka", &task.folder)?;
    let brokers = format!("backend.kafka.brokers={}", kafka.url);
    let settings = [brokers.clone(), "backend.kind=kafka".to_owned()];
    let by = (options, task.folder.as_path());
    let collector = Program::start_collector(&settings, by, 10, clock)?;
    let (taken, sent) = take(&collector, task, options, clock)?;
    collector.stop()?;
    let bytes = bytes_of_topic(&kafka.data.join("data"))?;
    let store = Server::start("elasticsearch", &task.folder)?;
    let mut settings = store.settings(Way::Usual);
    settings.push(brokers);
    let watch = Stopwatch::start(clock);
    let ingester = Program::start_ingester(&settings, by, 11, clock)?;
    let spans = task.truth.spans;
    await_spans(&ingester, "trackway_ingester_spans_total", spans, clock)?;
    let moved = Moved::of(&ingester, 0, spans, watch.elapsed())?;
    let what = "ingested";
    ingester.stop()?;
    Ok(BackendFigures {
        name: "kafka".to_owned(),
        server: format!("{}, then {}", kafka.version(), store.version()),
        spans,
        taken,
        acknowledgement: sent.acknowledgement,
        sent_back: sent.sent_back,
        then: Some(Then { what, moved }),
        bytes_per_span_on_server: Some(ratio(bytes, spans)),
        asked: Vec::new(),
    })
}

/// Sends the corpus.
fn take(
    program: &Program<'_>,
    task: &Task,
    options: &Options,
    clock: &dyn Clock,
) -> anyhow::Result<(Moved, load::Sent)> {
    let cpu_before = process::cpu_millis(program.pid())?;
    let by = (Protocol::Http, options.connections);
    let sent = load::send(&task.corpus, &program.addresses, by, clock);
    let sent = sent.with_context(|| program.end_of_log())?;
    let moved = Moved::of(program, cpu_before, task.truth.spans, sent.wall)?;
    Ok((moved, sent))
}

/// The bytes of the files of messages; those of indices are made beforehand and nearly empty.
fn bytes_of_topic(data: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for partition in std::fs::read_dir(data)? {
        let partition = partition?;
        if partition.file_name().to_string_lossy().starts_with(TOPIC) {
            bytes += bytes_below(&partition.path(), "log")?;
        }
    }
    Ok(bytes)
}

/// The bytes of the files in a folder, and in those within, whose names end so.
fn bytes_below(folder: &Path, end: &str) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        if file.file_type()?.is_dir() {
            bytes += bytes_below(&file.path(), end)?;
        } else if file.path().extension().is_some_and(|found| found == end) {
            bytes += file.metadata()?.len();
        }
    }
    Ok(bytes)
}
