//! What stores of others cost: the kind corpus into each of them at full speed, and the same questions as always.
//!
//! 1. For each store a real server starts by its script below `tests/servers`, plainly, on loopback.
//! 2. The corpus is sent to one program that keeps it there; its processor time is read when all is acknowledged.
//! 3. Every answer is checked against the truth of the corpus.
//! 4. Of Kafka: a collector writes the corpus, then an ingester takes it to Elasticsearch, each by itself.
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
/// Far longer than an ingester may take.
const DRAIN_MAX: Duration = Duration::from_secs(600);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
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
    /// Of Kafka: the ingester's part.
    pub(crate) ingested: Option<Moved>,
    /// What they take on the server's disk, once.
    pub(crate) bytes_per_span_on_server: Option<f64>,
    pub(crate) asked: Vec<Asked>,
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

    /// Has what was written found and on the disk; gives the bytes of the spans there.
    fn flushed(&self) -> anyhow::Result<u64> {
        let address = self.url.trim_start_matches("http://");
        let mut connection = Connection::to(address);
        for path in ["/_refresh", "/_flush"] {
            let answer = connection.post(path, "application/json", b"")?;
            ensure!(answer.status == 200, "{path} got {}", answer.status);
        }
        let answer = connection.get("/jaeger-span-*/_stats/store")?;
        let told: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let bytes = told.pointer("/_all/primaries/store/size_in_bytes");
        let bytes = bytes.and_then(serde_json::Value::as_u64);
        bytes.with_context(|| format!("{} tells no size: {}", self.name, answer.excerpt()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The figures are there; what can't be ended is seen by whoever looks at the machine.
        let mut command = Command::new(format!("{SCRIPTS}/{}", self.name));
        command.args(["stop", "--wipe", "--data"]).arg(&self.data);
        command.output().ok();
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
    for name in ["elasticsearch", "opensearch"] {
        let server = Server::start(name, &task.folder)?;
        all.push(measure_store(&task, Some(&server), options, &clock)?);
    }
    all.push(measure_kafka(&task, options, &clock)?);
    end_folder(options, &task.folder)?;
    Ok(all)
}

fn elastic(server: &Server) -> [String; 4] {
    [
        "backend.kind=elasticsearch".to_owned(),
        format!("backend.elasticsearch.hosts={}", server.url),
        "backend.elasticsearch.shards=1".to_owned(),
        "backend.elasticsearch.replicas=0".to_owned(),
    ]
}

/// One program that takes, keeps and finds.
fn measure_store(
    task: &Task,
    server: Option<&Server>,
    options: &Options,
    clock: &dyn Clock,
) -> anyhow::Result<BackendFigures> {
    let mut with_store = options.clone();
    with_store
        .settings
        .extend(server.map(elastic).into_iter().flatten());
    let name = server.map_or("embedded", |server| server.name);
    let folder = task.folder.join(format!("{name}-program"));
    std::fs::create_dir_all(&folder)?;
    let program = Program::start(&with_store, &folder, 1, clock)?;
    let (taken, sent) = take(&program, task, options, clock)?;
    let bytes = server.map(Server::flushed).transpose()?;
    let (address, repetitions) = (&program.addresses.query_http, options.repetitions);
    let asked = ask_all(address, &task.truth, &task.searches, repetitions, clock)
        .with_context(|| program.end_of_log())?;
    program.stop()?;
    Ok(BackendFigures {
        name: name.to_owned(),
        server: server.map_or_else(|| "none".to_owned(), Server::version),
        spans: task.truth.spans,
        taken,
        acknowledgement: sent.acknowledgement,
        sent_back: sent.sent_back,
        ingested: None,
        bytes_per_span_on_server: bytes.map(|bytes| ratio(bytes, task.truth.spans)),
        asked,
    })
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
    let settings: Vec<String> = elastic(&store).into_iter().chain([brokers]).collect();
    let watch = Stopwatch::start(clock);
    let ingester = Program::start_ingester(&settings, by, 11, clock)?;
    let spans = task.truth.spans;
    loop {
        let answer = Connection::to(&ingester.addresses.admin).get("/metrics")?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let kept = metric(&text, "trackway_ingester_spans_total").unwrap_or(0);
        ensure!(kept <= spans, "{kept} spans were kept of {spans}");
        if kept == spans {
            break;
        }
        ensure!(
            watch.elapsed() < DRAIN_MAX,
            "{kept} of {spans} spans are kept after {DRAIN_MAX:?}:\n{}",
            ingester.end_of_log()
        );
        clock.sleep(LOOK_AGAIN);
    }
    let ingested = Moved::of(&ingester, 0, spans, watch.elapsed())?;
    ingester.stop()?;
    Ok(BackendFigures {
        name: "kafka".to_owned(),
        server: format!("{}, then {}", kafka.version(), store.version()),
        spans,
        taken,
        acknowledgement: sent.acknowledgement,
        sent_back: sent.sent_back,
        ingested: Some(ingested),
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
        if !partition.file_name().to_string_lossy().starts_with(TOPIC) {
            continue;
        }
        for file in std::fs::read_dir(partition.path())? {
            let file = file?;
            if file.path().extension().is_some_and(|end| end == "log") {
                bytes += file.metadata()?.len();
            }
        }
    }
    Ok(bytes)
}
