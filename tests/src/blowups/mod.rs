//! What blows up stores, sent to the program under a limit of 256 MiB: ten thousand keys, a key per span, values that
//! never repeat, values of 10 MiB, a trace of a million spans, times of 1970 and 2200, a million operations.
//!
//! Promises checked for each: the program lives and stays under the limit; a refusal is a 429 or 503 that says when to
//! come again; every span that was accepted is found by its trace, by its service and by a value of its own, also
//! after merging, and after `kill -9` and a start.
//!
//! `TRACKWAY_BLOWUP_SECONDS` says how long each case sends; at 15 and over the two cases of a million send a million.
//! With another limit (`TRACKWAY_BLOWUP_MIB`) the figures that are printed say how much a case would take.

mod cases;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;

use self::cases::{Case, SERVICE};
use crate::cage::Cage;
use crate::expected::{Lines, Sent};
use crate::folder::Folder;
use crate::http::{Answer, Connection};
use crate::jaeger::{differences, trace};
use crate::ledger;
use crate::load::encode_resource_spans;
use crate::program::Program;
use crate::wait::{Stopwatch, let_pass, report, until};

/// What `memory.limit` is in a cgroup of 256 MiB when nothing is said: half of it.
const FLAGS: [&str; 2] = ["--set", "memory.limit=128MiB"];
/// For reading what is longer than an answer may be.
const FLAGS_TO_READ: [&str; 2] = ["--set", "memory.limit=8GiB"];
const SECONDS: u64 = 3;
/// The most memory that the program may have.
const LIMIT_MIB: u64 = 256;
const CONNECTIONS: u64 = 4;
/// Spans that are looked for by a value of their own.
const SAMPLED_VALUES: u64 = 10;
const NEWEST: u64 = 20;
/// So many operations of a service are listed, if there are so many, and an answer says when there are more.
const OPERATIONS_LISTED_MIN: u64 = 50_000;
/// How often one request is sent at most, and how long it waits at most between.
const ATTEMPTS_MAX: u32 = 100;
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Merging has no deadline of its own here; the client's own one is shorter.
const FINALISED_MAX: Duration = Duration::from_secs(240);
const SHOWN_CHARS: usize = 300;

fn setting(name: &str, default: u64) -> u64 {
    let given = std::env::var(name);
    given
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn seconds() -> u64 {
    setting("TRACKWAY_BLOWUP_SECONDS", SECONDS)
}

#[test]
fn ten_thousand_attribute_keys_blow_nothing_up() {
    Run::new(cases::ten_thousand_keys(seconds())).whole();
}

#[test]
fn a_key_per_span_blows_nothing_up() {
    Run::new(cases::a_key_per_span(seconds())).whole();
}

#[test]
fn values_that_never_repeat_blow_nothing_up() {
    Run::new(cases::values_that_never_repeat(seconds())).whole();
}

#[test]
fn values_of_ten_mebibytes_blow_nothing_up() {
    Run::new(cases::ten_mebibyte_values(seconds())).whole();
}

#[test]
fn times_of_1970_and_2200_blow_nothing_up() {
    Run::new(cases::times_of_1970_and_2200(seconds())).whole();
}

#[test]
fn a_million_operations_blow_nothing_up() {
    Run::new(cases::a_million_operations(seconds())).whole();
}

#[test]
fn a_trace_of_a_million_spans_blows_nothing_up() {
    Run::new(cases::one_long_trace(seconds())).long_trace();
}

/// One case on one folder of data.
struct Run {
    case: Case,
    limit_mib: u64,
    cage: Cage,
    data: PathBuf,
    /// Kept for as long as the run.
    _folder: Folder,
    refused: AtomicU64,
    /// The most memory of each step, in MiB.
    peaks: Vec<(&'static str, u64)>,
}

impl Run {
    fn new(case: Case) -> Self {
        let folder = Folder::new("blowup");
        let limit_mib = setting("TRACKWAY_BLOWUP_MIB", LIMIT_MIB);
        Self {
            cage: Cage::new(limit_mib << 20),
            case,
            limit_mib,
            data: folder.join("data"),
            _folder: folder,
            refused: AtomicU64::new(0),
            peaks: Vec::new(),
        }
    }

    /// Two thirds are merged, the rest lies in the log and in heads when the kill comes.
    fn whole(mut self) {
        let watch = Stopwatch::start();
        let program = self.start();
        let requests = self.case.spans.div_ceil(self.case.spans_per_request);
        let merged = (requests * 2 / 3).max(1);
        let sending = Stopwatch::start();
        self.send(&program, 0..merged);
        let sent_for = sending.elapsed();
        self.weigh(&program, "sent");
        let sent = (merged * self.case.spans_per_request).min(self.case.spans);
        self.look(&program, sent, "as sent");
        self.weigh(&program, "asked");
        finalise(&program);
        self.weigh(&program, "merged");
        self.look(&program, sent, "merged");
        self.weigh(&program, "asked");
        self.send(&program, merged..requests);
        self.weigh(&program, "sent");
        ledger::check(&program);
        program.kill();

        let program = self.start();
        let start_up = program.start_up;
        self.weigh(&program, "started");
        self.look(&program, self.case.spans, "after the kill");
        self.sweep(&program);
        self.check_operations(&program);
        self.weigh(&program, "asked");
        finalise(&program);
        self.weigh(&program, "merged");
        self.look(&program, self.case.spans, "merged after the kill");
        self.weigh(&program, "asked");
        assert!(program.stop().status.success());
        self.report(sent, sent_for, start_up, watch);
    }

    fn report(&self, sent: u64, sent_for: Duration, start_up: Duration, watch: Stopwatch) {
        let peaks: Vec<String> = self
            .peaks
            .iter()
            .map(|(step, mib)| format!("{step} {mib}"))
            .collect();
        report(&format!(
            "blowup: {}: {} spans, {:.0} a second, {} refused for a while, start after kill in {start_up:.2?}, \
             all in {:.0} s; peaks under {} MiB ({}): {}",
            self.case.name,
            self.case.spans,
            per_second(sent, sent_for),
            self.refused.load(Ordering::Relaxed),
            watch.elapsed().as_secs_f64(),
            self.limit_mib,
            self.cage.name(),
            peaks.join(", "),
        ));
    }

    /// A trace that is longer than any answer may be: it is kept, and told to be too long; with more memory it is read.
    fn long_trace(mut self) {
        let watch = Stopwatch::start();
        let program = self.start();
        let requests = self.case.spans.div_ceil(self.case.spans_per_request);
        let sending = Stopwatch::start();
        self.send(&program, 0..requests * 2 / 3);
        let sent_for = sending.elapsed();
        self.weigh(&program, "sent");
        finalise(&program);
        self.weigh(&program, "merged");
        self.send(&program, requests * 2 / 3..requests);
        ledger::check(&program);
        self.weigh(&program, "sent");
        self.ask_for_the_trace(&program);
        self.weigh(&program, "asked");
        program.kill();

        let program = self.start();
        let start_up = program.start_up;
        self.weigh(&program, "started");
        self.ask_for_the_trace(&program);
        self.weigh(&program, "asked");
        finalise(&program);
        self.weigh(&program, "merged");
        self.ask_for_the_trace(&program);
        self.weigh(&program, "asked");
        program.kill();

        let program = Program::start_with(&self.data, &FLAGS_TO_READ);
        let id = self.case.trace_id(0);
        let answer = program.query(&format!("/api/traces/{id}?raw=true"));
        self.check_whole(&answer);
        self.report(
            requests * 2 / 3 * self.case.spans_per_request,
            sent_for,
            start_up,
            watch,
        );
    }

    /// Asks for the long trace: it comes whole, or it is told to be too long.
    fn ask_for_the_trace(&self, program: &Program) {
        let mut connection = program.query_connection();
        let (start, end) = self.case.window_us(0, 0);
        let search = format!("/api/traces?service={SERVICE}&start={start}&end={end}&limit=1");
        for path in [format!("/api/traces/{}", self.case.trace_id(0)), search] {
            let answer = connection.get(&path).unwrap();
            if answer.status == 200 {
                self.check_whole(&answer);
                continue;
            }
            let said = excerpt(&answer);
            assert_eq!(answer.status, 422, "{path}: {said}");
            assert!(said.contains("answer_bytes_max"), "{path}: {said}");
        }
    }

    /// Checks that an answer has every span of the one trace there is.
    fn check_whole(&self, answer: &Answer) {
        assert_eq!(answer.status, 200, "{}", excerpt(answer));
        let found = span_ids(answer);
        let trace = self.case.trace_id(0);
        for number in 0..self.case.spans {
            let id = (trace.clone(), Case::span_id(number));
            assert!(found.contains(&id), "span {number} is lost");
        }
        assert_eq!(u64::try_from(found.len()).unwrap(), self.case.spans);
    }

    fn start(&self) -> Program {
        Program::start_in(&self.cage, &self.data, &FLAGS)
    }

    /// Checks that the program lives, and the most memory that it had since the last look.
    fn weigh(&mut self, program: &Program, step: &'static str) {
        let peak_mib = program.peak_mib_since_last_look();
        let peak_mib = peak_mib.unwrap_or_else(|| panic!("{step}: the program is gone"));
        self.peaks.push((step, peak_mib));
        let limit = self.limit_mib;
        assert!(peak_mib <= limit, "{step}: the program had {peak_mib} MiB");
    }

    /// Sends requests, several at once, at the rate of the case.
    fn send(&self, program: &Program, requests: std::ops::Range<u64>) {
        let next = AtomicU64::new(requests.start);
        let watch = Stopwatch::start();
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= requests.end {
                            break;
                        }
                        let body = self.request(number);
                        if let Some(rate) = self.case.spans_per_second {
                            let before = (number - requests.start) * self.case.spans_per_request;
                            let due = Duration::from_millis(before * 1000 / rate);
                            let_pass(due.saturating_sub(watch.elapsed()));
                        }
                        self.send_until_kept(&mut connection, &body);
                    }
                });
            }
        });
    }

    /// A resource a trace.
    fn request(&self, number: u64) -> Vec<u8> {
        let first = number * self.case.spans_per_request;
        let last = (first + self.case.spans_per_request).min(self.case.spans);
        let spans: Vec<Sent> = (first..last).map(|span| self.case.span(span)).collect();
        let traces = spans.chunk_by(|left, right| left.trace_id == right.trace_id);
        let resource_spans = traces.map(encode_resource_spans).collect();
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    fn send_until_kept(&self, connection: &mut Connection, body: &[u8]) {
        for _ in 0..ATTEMPTS_MAX {
            let answer = connection.post("/v1/traces", "application/x-protobuf", body);
            let answer = answer.expect("the program does not answer a sender");
            if answer.status == 200 {
                let said = ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap();
                let rejected = said
                    .partial_success
                    .map_or(0, |partial| partial.rejected_spans);
                assert_eq!(rejected, 0, "good spans are rejected");
                return;
            }
            assert!(matches!(answer.status, 429 | 503), "{}", excerpt(&answer));
            let pause = answer.header("retry-after").expect("no Retry-After");
            let pause = Duration::from_secs(pause.parse().unwrap());
            self.refused.fetch_add(1, Ordering::Relaxed);
            let_pass(pause.min(PAUSE_MAX));
        }
        panic!("a request was refused {ATTEMPTS_MAX} times");
    }

    /// Looks for some of the first so many spans: by trace, by service, by value.
    fn look(&self, program: &Program, spans: u64, when: &str) {
        let case = &self.case;
        let mut connection = program.query_connection();
        let traces = spans / case.spans_per_trace;
        for trace in spread(traces, case.sampled_traces) {
            self.check_trace(&mut connection, trace, when);
        }
        for number in spread(spans, SAMPLED_VALUES) {
            let Some(rare) = case.rare else { break };
            let (key, value) = rare(number);
            let trace = number / case.spans_per_trace;
            let found = self.search(
                &mut connection,
                (0, traces - 1),
                NEWEST,
                &format!("&tag={key}:{value}"),
            );
            let expected = BTreeSet::from([case.trace_id(trace)]);
            let found: BTreeSet<String> = found.into_iter().map(|(trace, _)| trace).collect();
            assert_eq!(found, expected, "{when}: {key}={value}");
        }
    }

    fn check_operations(&self, program: &Program) {
        let answer = program.query(&format!("/api/services/{SERVICE}/operations"));
        assert_eq!(answer.status, 200, "{}", excerpt(&answer));
        let listed = answer.json()["data"].as_array().map_or(0, Vec::len);
        let listed = u64::try_from(listed).unwrap();
        let least = self.case.operations.min(OPERATIONS_LISTED_MIN);
        assert!(listed >= least, "{listed} operations");
        let is_told = answer.text().contains("there are more operations");
        assert_eq!(
            is_told,
            listed < self.case.operations,
            "{listed} operations"
        );
    }

    fn check_trace(&self, connection: &mut Connection, number: u64, when: &str) {
        let id = self.case.trace_id(number);
        let found = trace(connection, &id, "?raw=true");
        let found = found.unwrap_or_else(|| panic!("{when}: trace {number} is missing"));
        let sent = self.case.spans_of(number).map(|span| self.case.span(span));
        let expected: Lines = sent
            .map(|span| (span.span_id.clone(), span.lines()))
            .collect();
        let wrong = differences(&expected, &found.canonical());
        let first = wrong
            .first()
            .map(|line| line.chars().take(SHOWN_CHARS).collect::<String>());
        assert!(
            wrong.is_empty(),
            "{when}: trace {number}: {} wrong: {first:?}",
            wrong.len()
        );
    }

    /// Searches all traces that start from one to another; gives trace and span ids.
    fn search(
        &self,
        connection: &mut Connection,
        (first, last): (u64, u64),
        limit: u64,
        more: &str,
    ) -> BTreeSet<(String, String)> {
        let (start, end) = self.case.window_us(first, last);
        let path = format!(
            "/api/traces?service={SERVICE}&start={start}&end={end}&limit={limit}&raw=true{more}"
        );
        let answer = connection.get(&path).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", excerpt(&answer));
        span_ids(&answer)
    }

    /// Finds every span by searches of the service, each for a stretch of time.
    fn sweep(&self, program: &Program) {
        let case = &self.case;
        let mut connection = program.query_connection();
        let step = case.traces_per_search;
        let mut expected = 0;
        for first in (0..case.traces()).step_by(usize::try_from(step).unwrap()) {
            let last = (first + step).min(case.traces()) - 1;
            let found = self.search(&mut connection, (first, last), 2 * step, "");
            let spans = case.spans_of(first).start..case.spans_of(last).end;
            for number in spans.clone() {
                let id = (
                    case.trace_id(number / case.spans_per_trace),
                    Case::span_id(number),
                );
                assert!(found.contains(&id), "span {number} is lost");
            }
            expected += spans.count();
            let newest = self.search(&mut connection, (first, last), 1, "");
            let newest: BTreeSet<&String> = newest.iter().map(|(trace, _)| trace).collect();
            assert_eq!(
                newest,
                BTreeSet::from([&case.trace_id(last)]),
                "the newest trace"
            );
        }
        assert_eq!(u64::try_from(expected).unwrap(), case.spans);
    }
}

fn per_second(spans: u64, time: Duration) -> f64 {
    let spans = f64::from(u32::try_from(spans).unwrap());
    spans / time.as_secs_f64()
}

/// Numbers below `end`, evenly spread, the first and the last among them.
fn spread(end: u64, count: u64) -> BTreeSet<u64> {
    let last = end.saturating_sub(1);
    (0..count).map(|nth| nth * last / (count - 1)).collect()
}

fn excerpt(answer: &Answer) -> String {
    let text: String = answer.text().chars().take(SHOWN_CHARS).collect();
    format!("{} {text}", answer.status)
}

/// Asks until all is merged: an answer may take longer than a client waits.
fn finalise(program: &Program) {
    let done = until(FINALISED_MAX, || {
        let mut admin = Connection::open(&program.addresses.admin).unwrap();
        let answer = admin.post("/admin/finalise", "text/plain", b"").ok()?;
        assert_eq!(answer.status / 100, 2, "{}", excerpt(&answer));
        Some(())
    });
    assert!(done.is_some(), "not merged after {FINALISED_MAX:?}");
}

/// Trace and span ids in an answer of traces, without reading the rest of it.
fn span_ids(answer: &Answer) -> BTreeSet<(String, String)> {
    const BEFORE: &str = "{\"traceID\":\"";
    const BETWEEN: &str = "\",\"spanID\":\"";
    const BEHIND: &str = "\",\"operationName\":";
    let text = std::str::from_utf8(&answer.body).unwrap();
    let mut ids = BTreeSet::new();
    for (at, _) in text.match_indices(BEHIND) {
        let (before, span) = text.split_at(at).0.rsplit_once(BETWEEN).unwrap();
        let (_, trace) = before.rsplit_once(BEFORE).unwrap();
        ids.insert((trace.to_owned(), span.to_owned()));
    }
    ids
}
