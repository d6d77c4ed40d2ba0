//! Tail sampling in the real program: whole traces stay or leave, whatever kills it in between.
//!
//! Promises checked: the example of docs/process/tail-sampling.md does what the page says; over kills at random moments
//! a trace is there with every acknowledged span or not at all once all is finalised, what must stay stays, and a
//! verdict that was seen is never taken back; what the step `redact` takes out meanwhile is on the disk at no moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::expected::Lines;
use crate::folder::{Folder, project_root};
use crate::http::{self, Connection};
use crate::jaeger::trace;
use crate::ledger;
use crate::load::{Load, Numbers, Truth, seed};
use crate::processing::holding;
use crate::program::{FREEZE_SOON, Program};
use crate::wait::{Stopwatch, let_pass, report, unix_now_ns};

const ROUNDS: u64 = 6;
const ROUNDS_TIME_MAX: Duration = Duration::from_secs(60);
const CONNECTIONS: u64 = 3;
const LOAD_MILLIS_MAX: u64 = 500;

const POLICIES: &str = r#"tail_sampling=[
    {"name": "errors", "when": {"errors": true}, "keep": "always"},
    {"name": "others", "keep": {"probability": 0.3}}]"#;

/// In every request of the load: a text of its resource, and the beginning of values of `user.id`.
const SECRETS: [&str; 2] = ["crash-test", "user-"];
const STEPS: &str = r#"process=[{"redact": {"patterns": ["crash-test"], "keys": ["user.id"]}}]"#;

/// What is kept of a trace once secrets are taken out.
fn masked(sent: &Lines) -> Lines {
    let mask = |line: &String| {
        let line = line.replace("crash-test", "***");
        match line.split_once("\"user-") {
            Some((before, behind)) => {
                let (_, behind) = behind.split_once('"').unwrap();
                format!("{before}\"***\"{behind}")
            }
            None => line,
        }
    };
    let of_span = |lines: &Vec<String>| {
        let mut lines: Vec<String> = lines.iter().map(mask).collect();
        lines.sort();
        lines
    };
    sent.iter()
        .map(|(id, lines)| (id.clone(), of_span(lines)))
        .collect()
}

/// Looks at every byte on the disk.
fn check_disk(data: &Path) {
    for secret in SECRETS {
        let (found, bytes) = holding(data, secret);
        assert!(found.is_empty(), "{secret:?} is in {found:?}");
        assert!(bytes > 0, "there are no files");
    }
}

/// Has everything written to segments, and these merged.
fn finalise(program: &Program) {
    let mut admin = Connection::open(&program.addresses.admin).unwrap();
    let done = admin.post("/admin/finalise", "text/plain", b"").unwrap();
    assert_eq!(done.status / 100, 2, "{}", done.text());
}

fn has_error(spans: &Lines) -> bool {
    let lines = spans.values().flatten();
    lines.into_iter().any(|line| line.contains("ERROR"))
}

/// Which traces are there; each wholly or not at all, and as it was said before.
fn check_whole(program: &Program, truth: &Truth, said: &mut BTreeMap<String, bool>) {
    let mut connection = program.query_connection();
    for id in truth.trace_ids() {
        let sent = &masked(truth.of(&id));
        let found = trace(&mut connection, &id, "?raw=true");
        let found = found.map(|found| found.canonical()).unwrap_or_default();
        let is_there = !found.is_empty();
        assert!(
            !is_there || &found == sent,
            "trace {id}: {} of {} spans are there",
            found.len(),
            sent.len()
        );
        let before = *said.entry(id.clone()).or_insert(is_there);
        assert_eq!(before, is_there, "trace {id}: the verdict was taken back");
    }
}

#[test]
fn over_kills_under_load_every_trace_stays_or_leaves_whole_and_without_secrets() {
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");
    let mut numbers = Numbers::new(seed);
    let folder = Folder::new("tail");
    let data = folder.join("data");
    let mut flags = FREEZE_SOON.to_vec();
    flags.extend(["--set", POLICIES, "--set", STEPS]);
    let watch = Stopwatch::start();
    let (mut truth, mut said) = (Truth::default(), BTreeMap::new());
    let mut program = Program::start_with(&data, &flags);
    for round in 0..ROUNDS {
        if watch.elapsed() > ROUNDS_TIME_MAX {
            break;
        }
        let load = Load::start(&program, numbers.next(), CONNECTIONS, 0);
        let_pass(Duration::from_millis(50 + numbers.below(LOAD_MILLIS_MAX)));
        program.kill();
        check_disk(&data);
        load.stop_into(&mut truth);
        program = Program::start_with(&data, &flags);
        truth.resend_unsure(&program);
        if round % 2 == 0 {
            // Also merging is cut short.
            let address = program.addresses.admin.clone();
            let asking = std::thread::spawn(move || {
                let admin = Connection::open(&address);
                admin.and_then(|mut admin| admin.post("/admin/finalise", "text/plain", b""))
            });
            let_pass(Duration::from_millis(numbers.below(120)));
            program.kill();
            drop(asking.join().unwrap());
            check_disk(&data);
            program = Program::start_with(&data, &flags);
        }
        finalise(&program);
        ledger::check(&program);
        check_disk(&data);
        check_whole(&program, &truth, &mut said);
    }
    program.kill();
    program = Program::start_with(&data, &flags);
    check_whole(&program, &truth, &mut said);
    let without_errors: Vec<bool> = (truth.trace_ids().iter())
        .filter(|id| !has_error(truth.of(id)))
        .map(|id| said[id])
        .collect();
    let kept = without_errors.iter().filter(|is_there| **is_there).count();
    let all = without_errors.len();
    assert!(
        kept * 10 > all && kept * 2 < all,
        "{kept} of {all} traces without errors stayed; three in ten should"
    );
    let dropped = said.values().filter(|is_there| !**is_there).count();
    report(&format!(
        "tail: {} traces over kills, {dropped} dropped, each whole",
        said.len()
    ));
}

/// The example of the page, as a file.
fn example() -> String {
    let page = project_root().join("docs/process/tail-sampling.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn start_with_file(folder: &Folder, yaml: &str) -> Program {
    let file = folder.join("trackway.yaml");
    std::fs::write(&file, yaml).unwrap();
    let file: &Path = &file;
    Program::start_with(&folder.join("data"), &["--config", file.to_str().unwrap()])
}

/// A span of a trace with a number, as OTLP's JSON has it.
fn span((number, id): (u64, u64), name: &str, millis: u64, is_error: bool) -> Value {
    let start = unix_now_ns() / 1_000_000_000 * 1_000_000_000 - 60_000_000_000;
    json!({
        "traceId": trace_id(number),
        "spanId": format!("{id:016x}"),
        "name": name,
        "kind": 2,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": (start + millis * 1_000_000).to_string(),
        "status": {"code": if is_error { 2 } else { 0 }},
    })
}

fn trace_id(number: u64) -> String {
    // Numbers in a row are spread as ids are.
    let mut spread = Numbers::new(number);
    format!("{:016x}{:016x}", spread.next(), spread.next())
}

fn send(program: &Program, spans: &[Value]) {
    let service = json!({"key": "service.name", "value": {"stringValue": "shop"}});
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": [service]},
        "scopeSpans": [{"spans": spans}],
    }]});
    let body = body.to_string();
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    let answer = connection.post("/v1/traces", "application/json", body.as_bytes());
    assert_eq!(answer.unwrap().status, 200);
}

fn metric(program: &Program, series: &str) -> u64 {
    let answer = http::get(&program.addresses.admin, "/metrics").unwrap();
    let text = answer.text();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

#[test]
fn the_example_of_the_page_keeps_errors_and_some_of_the_rest() {
    let folder = Folder::new("tail-example");
    let program = start_with_file(&folder, &example());
    for number in 0..400 {
        let (name, millis, is_error) = match number {
            0..40 => ("GET /health", 1, number == 0),
            40..80 => ("GET /cart", 1, true),
            80..120 => ("GET /slow", 3_000, false),
            _ => ("GET /", 1, false),
        };
        // The part that decides comes last, and late.
        send(&program, &[span((number, 1), "enter", 1, false)]);
        send(&program, &[span((number, 2), name, millis, is_error)]);
    }
    let there = |numbers: std::ops::Range<u64>| {
        let mut connection = program.query_connection();
        let spans = numbers.map(|number| {
            let found = trace(&mut connection, &trace_id(number), "?raw=true");
            found.map_or(0, |found| found.canonical().len())
        });
        spans
            .filter(|spans| *spans > 0)
            .inspect(|spans| assert_eq!(*spans, 2))
            .count()
    };
    assert_eq!(there(0..400), 400, "nothing is decided yet");
    finalise(&program);
    assert_eq!(there(0..40), 0, "health checks");
    assert_eq!(there(40..80), 40, "errors");
    // They start within as many seconds as it took to send them, ten of each second stay.
    let slow = there(80..120);
    assert!((10..=40).contains(&slow), "{slow} slow ones");
    let others = there(120..400);
    assert!((1..60).contains(&others), "{others} of 280 others at 5 %");
    let spans = |policy: &str, verdict: &str| {
        let labels = format!("policy=\"{policy}\",verdict=\"{verdict}\"");
        metric(
            &program,
            &format!("trackway_store_judged_spans_total{{{labels}}}"),
        )
    };
    assert_eq!(spans("health", "dropped"), 80);
    assert_eq!(spans("errors", "kept"), 80);
    let dropped = ["health", "slow", "others"].map(|policy| spans(policy, "dropped"));
    let dropped: u64 = dropped.iter().sum();
    let stored = metric(&program, "trackway_store_stored_spans_total");
    let kept = metric(&program, "trackway_store_segment_spans");
    assert_eq!(
        stored,
        kept + dropped,
        "what was stored is there or was dropped"
    );
    ledger::check(&program);
}

#[test]
fn a_mistake_in_the_policies_ends_the_start_with_the_policy_and_the_key() {
    let folder = Folder::new("tail-mistake");
    let policies = r#"tail_sampling=[{"name": "a", "keep": "sometimes"}]"#;
    let ended = Program::try_start(&folder.join("data"), &["--set", policies]).unwrap_err();
    assert!(
        ended.log.contains("policy 1.keep: write always, never"),
        "{}",
        ended.log
    );
}
