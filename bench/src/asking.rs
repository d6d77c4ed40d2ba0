//! Asks Jaeger's HTTP API, measures each answer, and checks it against the truth.
//!
//! Promises: every answer is checked, also the sixtieth of the same question; checking is outside of what is measured.
//! A kind that is so slow that it is not asked often enough has a lower count beside its figures.
//! The connection is kept; the first answer, which may have to read from the disk, is told apart.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use plumbing::Clock;
use serde::Serialize;
use serde_json::Value;
use testkit::corpus::{Question, TraceTruth, Truth};

use crate::figures::{Spread, Stopwatch, millis};
use crate::http::{Answer, Connection, encode};

/// No more of a kind are asked when they have taken so long, so that a slow answer is reported and not endured.
const KIND_SECONDS_MAX: u64 = 30;
/// So many are asked however long it takes.
const ANSWERS_MIN: usize = 5;

/// One kind of question, measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Asked {
    pub(crate) name: String,
    /// What a right answer holds, in words.
    pub(crate) holds: String,
    /// The very first answer.
    pub(crate) first_ms: f64,
    /// All answers, the first too.
    pub(crate) over_http: Spread,
    /// What the program says of its own time, where it does.
    pub(crate) engine: Option<Spread>,
    /// Bytes of the largest body.
    pub(crate) body_bytes_max: u64,
    /// How many answers were wrong, and how the first of them was.
    pub(crate) wrong: u64,
    pub(crate) first_wrong: Option<String>,
}

/// What an answer must hold.
#[derive(Debug)]
enum Right<'a> {
    Trace(&'a TraceTruth),
    Absent,
    Search(&'a Question),
    Services(BTreeSet<String>),
    Operations(BTreeSet<(String, String)>),
    Dependencies(BTreeMap<String, u64>),
}

/// A kind of question: paths to ask one after the other, each with its right answer.
struct Kind<'a> {
    name: String,
    holds: String,
    paths: Vec<(String, Right<'a>)>,
}

/// Asks everything, each kind so many times.
pub(crate) fn ask_all(
    address: &str,
    truth: &Truth,
    questions: &[Question],
    repetitions: usize,
    clock: &dyn Clock,
) -> anyhow::Result<Vec<Asked>> {
    let mut kinds = vec![traces(truth), absent(truth)];
    kinds.extend(questions.iter().map(|question| search(question, truth)));
    kinds.extend([services(truth), operations(truth), dependencies(truth)]);
    let mut connection = Connection::to(address);
    let asked = kinds
        .iter()
        .map(|kind| ask(&mut connection, kind, repetitions, clock));
    asked.collect()
}

/// Asks for every trace of a sample; counts those that are not whole.
pub(crate) fn count_wrong_traces(address: &str, truth: &Truth) -> anyhow::Result<u64> {
    let mut connection = Connection::to(address);
    let mut wrong = 0;
    for trace in &truth.sample {
        let answer = connection.get(&format!("/api/traces/{}", trace.id))?;
        wrong += u64::from(check(&answer, &Right::Trace(trace)).is_err());
    }
    Ok(wrong)
}

fn ask(
    connection: &mut Connection,
    kind: &Kind<'_>,
    repetitions: usize,
    clock: &dyn Clock,
) -> anyhow::Result<Asked> {
    ensure!(
        !kind.paths.is_empty(),
        "the corpus is too small to ask for {}",
        kind.name
    );
    let (mut times_ms, mut engine_ms) = (Vec::new(), Vec::new());
    let (mut body_bytes_max, mut wrong, mut first_wrong) = (0, 0, None);
    let whole = Stopwatch::start(clock);
    for (path, right) in kind
        .paths
        .iter()
        .cycle()
        .take(repetitions.max(kind.paths.len()))
    {
        let is_over = whole.elapsed().as_secs() >= KIND_SECONDS_MAX;
        if is_over && times_ms.len() >= ANSWERS_MIN {
            break;
        }
        let watch = Stopwatch::start(clock);
        let answer = connection
            .get(path)
            .with_context(|| format!("no answer to {path}"))?;
        times_ms.push(millis(watch.elapsed()));
        engine_ms.extend(answer.header("server-timing").and_then(server_millis));
        body_bytes_max = body_bytes_max.max(answer.body.len() as u64);
        if let Err(why) = check(&answer, right) {
            wrong += 1;
            first_wrong.get_or_insert_with(|| format!("{path}: {why:#}"));
        }
    }
    let first_ms = times_ms.first().copied().unwrap_or_default();
    Ok(Asked {
        name: kind.name.clone(),
        holds: kind.holds.clone(),
        first_ms,
        over_http: Spread::of(times_ms).context("no time was measured")?,
        engine: Spread::of(engine_ms),
        body_bytes_max,
        wrong,
        first_wrong,
    })
}

fn traces(truth: &Truth) -> Kind<'_> {
    /// Spread over the whole corpus.
    const TRACES: usize = 200;
    let step = truth.sample.len().div_ceil(TRACES).max(1);
    let sample = truth.sample.iter().step_by(step);
    Kind {
        name: "trace by id".to_owned(),
        holds: "all spans of the trace".to_owned(),
        paths: sample
            .map(|trace| (format!("/api/traces/{}", trace.id), Right::Trace(trace)))
            .collect(),
    }
}

fn absent(truth: &Truth) -> Kind<'_> {
    let ids = truth.absent_traces.iter();
    Kind {
        name: "absent id".to_owned(),
        holds: "404".to_owned(),
        paths: ids
            .map(|id| (format!("/api/traces/{id}"), Right::Absent))
            .collect(),
    }
}

fn search<'a>(question: &'a Question, truth: &Truth) -> Kind<'a> {
    let (found, total) = (question.newest.len(), question.total_traces);
    let window = (truth.start_us, truth.latest_end_ns / 1000 + 1);
    Kind {
        name: question.name.clone(),
        holds: format!("{found} of {total} traces"),
        paths: vec![(search_path(question, window), Right::Search(question))],
    }
}

/// The path of a search in a window of microseconds.
pub(crate) fn search_path(question: &Question, (begin, end): (u64, u64)) -> String {
    let limit = question.limit;
    let mut path = format!("/api/traces?start={begin}&end={end}&limit={limit}");
    if let Some(service) = &question.service {
        path.push_str(&format!("&service={}", encode(service)));
    }
    if let Some(operation) = &question.operation {
        path.push_str(&format!("&operation={}", encode(operation)));
    }
    if let Some(min) = question.min_duration_us {
        path.push_str(&format!("&minDuration={min}us"));
    }
    if let Some(max) = question.max_duration_us {
        path.push_str(&format!("&maxDuration={max}us"));
    }
    for (key, text) in &question.tags {
        path.push_str(&format!("&tag={}", encode(&format!("{key}:{text}"))));
    }
    path
}

fn services(truth: &Truth) -> Kind<'_> {
    let names: BTreeSet<String> = truth.services.iter().cloned().collect();
    Kind {
        name: "services".to_owned(),
        holds: format!("{} services", names.len()),
        paths: vec![("/api/services".to_owned(), Right::Services(names))],
    }
}

fn operations(truth: &Truth) -> Kind<'_> {
    let paths = truth.operations.iter().map(|(service, operations)| {
        let expected = operations
            .iter()
            .map(|operation| (operation.name.clone(), operation.span_kind.clone()));
        let path = format!("/api/operations?service={}", encode(service));
        (path, Right::Operations(expected.collect()))
    });
    Kind {
        name: "operations".to_owned(),
        holds: "all operations of the service".to_owned(),
        paths: paths.collect(),
    }
}

fn dependencies(truth: &Truth) -> Kind<'_> {
    // Milliseconds, the end rounded up; Jaeger's own default looks back a day.
    let end_ms = truth.latest_end_ns / 1_000_000 + 1;
    Kind {
        name: "dependencies".to_owned(),
        holds: format!("{} links with their calls", truth.calls.len()),
        paths: vec![(
            format!("/api/dependencies?endTs={end_ms}&lookback=86400000"),
            Right::Dependencies(truth.calls.clone()),
        )],
    }
}

fn check(answer: &Answer, right: &Right<'_>) -> anyhow::Result<()> {
    if matches!(right, Right::Absent) {
        ensure!(
            answer.status == 404,
            "got {} for a trace that is not there",
            answer.status
        );
        return Ok(());
    }
    ensure!(
        answer.status == 200,
        "got {}: {}",
        answer.status,
        answer.excerpt()
    );
    let body: Value = serde_json::from_slice(&answer.body).context("the body is no JSON")?;
    let data = body
        .get("data")
        .and_then(Value::as_array)
        .context("no list \"data\"")?;
    match right {
        Right::Absent => Ok(()),
        Right::Trace(trace) => check_trace(data, trace),
        Right::Search(question) => check_search(data, question),
        Right::Services(expected) => {
            let found = data
                .iter()
                .map(|name| name.as_str().unwrap_or_default().to_owned());
            check_equal(&found.collect(), expected, data.len())
        }
        Right::Operations(expected) => {
            let found = data
                .iter()
                .map(|one| (text(one, "name"), text(one, "spanKind")));
            check_equal(&found.collect(), expected, data.len())
        }
        Right::Dependencies(expected) => check_dependencies(data, expected),
    }
}

fn check_trace(data: &[Value], trace: &TraceTruth) -> anyhow::Result<()> {
    let [found] = data else {
        bail!("{} traces for one id", data.len())
    };
    ensure!(
        text(found, "traceID") == trace.id,
        "another trace: {}",
        text(found, "traceID")
    );
    let spans = found
        .get("spans")
        .and_then(Value::as_array)
        .context("no list \"spans\"")?;
    let ids: BTreeSet<String> = spans.iter().map(|span| text(span, "spanID")).collect();
    let (count, distinct, expected) = (spans.len(), ids.len(), trace.spans);
    ensure!(
        count == expected && distinct == expected,
        "{count} spans ({distinct} ids) instead of {expected}"
    );
    let processes = found.get("processes").and_then(Value::as_object);
    let processes = processes.context("no object \"processes\"")?;
    let services: BTreeSet<String> = processes
        .values()
        .map(|process| text(process, "serviceName"))
        .collect();
    let expected: BTreeSet<String> = trace.services.iter().cloned().collect();
    ensure!(
        services == expected,
        "services {services:?} instead of {expected:?}"
    );
    Ok(())
}

/// The traces and their order must be right; their spans are what `trace by id` checks.
fn check_search(data: &[Value], question: &Question) -> anyhow::Result<()> {
    let found: Vec<String> = data.iter().map(|trace| text(trace, "traceID")).collect();
    if found == question.newest {
        return Ok(());
    }
    let sorted = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<String>>();
    let (have, want) = (sorted(&found), sorted(&question.newest));
    ensure!(have != want, "the right traces in another order");
    bail!(
        "{} traces: {} missing, {} too many, of {} wanted",
        found.len(),
        want.difference(&have).count(),
        have.difference(&want).count(),
        want.len()
    )
}

fn check_dependencies(data: &[Value], expected: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    let found = data.iter().map(|link| {
        let calls = link.get("callCount").and_then(Value::as_u64).unwrap_or(0);
        (
            format!("{}->{}", text(link, "parent"), text(link, "child")),
            calls,
        )
    });
    let found: BTreeMap<String, u64> = found.collect();
    let wrong = expected
        .iter()
        .find(|(link, calls)| found.get(*link) != Some(calls));
    if let Some((link, calls)) = wrong {
        bail!("{link} has {:?} calls instead of {calls}", found.get(link));
    }
    ensure!(
        data.len() == expected.len(),
        "{} links for {}",
        data.len(),
        expected.len()
    );
    Ok(())
}

fn check_equal<T: Ord + std::fmt::Debug>(
    found: &BTreeSet<T>,
    expected: &BTreeSet<T>,
    count: usize,
) -> anyhow::Result<()> {
    ensure!(
        found == expected && count == expected.len(),
        "{count} instead of {}; the first difference: {:?}",
        expected.len(),
        found.symmetric_difference(expected).next()
    );
    Ok(())
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// How long the store worked for an answer, as its `Server-Timing` header has it: finding and reading.
fn server_millis(header: &str) -> Option<f64> {
    let part = |part: &str| {
        let (name, duration) = part.trim().split_once(";dur=")?;
        let is_store = matches!(name, "find" | "read");
        duration.parse::<f64>().ok().filter(|_| is_store)
    };
    let times: Vec<f64> = header.split(',').filter_map(part).collect();
    (!times.is_empty()).then(|| times.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question(newest: &[&str]) -> Question {
        let mut questions = crate::questions::questions(testkit::corpus::Profile::Kind);
        questions[0].newest = newest.iter().map(|&id| id.to_owned()).collect();
        questions.swap_remove(0)
    }

    #[test]
    fn traces_that_are_missing_too_many_or_out_of_order_are_wrong() {
        let question = question(&["b", "a"]);
        let data = |ids: &[&str]| -> Vec<Value> {
            ids.iter().map(|id| json!({ "traceID": id })).collect()
        };
        assert!(check_search(&data(&["b", "a"]), &question).is_ok());
        for wrong in [&["a", "b"][..], &["b"], &["b", "c"], &["b", "a", "c"], &[]] {
            assert!(check_search(&data(wrong), &question).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_trace_with_a_span_too_few_or_twice_is_wrong() {
        let truth = TraceTruth {
            id: "7".to_owned(),
            spans: 2,
            start_us: 0,
            end_us: 0,
            order_id: None,
            error: false,
            services: vec!["web".to_owned()],
        };
        let trace = |ids: &[&str], service: &str| {
            let spans: Vec<Value> = ids.iter().map(|id| json!({ "spanID": id })).collect();
            let processes = json!({ "p1": { "serviceName": service } });
            [json!({ "traceID": "7", "spans": spans, "processes": processes })]
        };
        assert!(check_trace(&trace(&["1", "2"], "web"), &truth).is_ok());
        assert!(check_trace(&trace(&["1"], "web"), &truth).is_err());
        assert!(check_trace(&trace(&["1", "1"], "web"), &truth).is_err());
        assert!(check_trace(&trace(&["1", "2"], "cart"), &truth).is_err());
    }

    #[test]
    fn a_count_of_calls_that_is_off_by_one_is_wrong() {
        let expected = BTreeMap::from([("a->b".to_owned(), 3)]);
        let link = |calls: u64| json!({ "parent": "a", "child": "b", "callCount": calls });
        assert!(check_dependencies(&[link(3)], &expected).is_ok());
        assert!(check_dependencies(&[link(2)], &expected).is_err());
        assert!(check_dependencies(&[], &expected).is_err());
        let other = json!({ "parent": "b", "child": "a", "callCount": 1 });
        assert!(check_dependencies(&[link(3), other], &expected).is_err());
    }

    #[test]
    fn adds_up_what_the_server_says_of_its_time() {
        assert_eq!(
            server_millis("find;dur=1.5, read;dur=0.25, write;dur=0.5"),
            Some(1.75)
        );
        assert_eq!(server_millis("cache"), None);
    }

    #[test]
    fn writes_every_condition_into_the_path() {
        let mut question = question(&[]);
        question.operation = Some("GET /a".to_owned());
        question.tags.push(("k".to_owned(), "v:w".to_owned()));
        question.min_duration_us = Some(5);
        question.max_duration_us = Some(9);
        let expected = "/api/traces?start=1&end=3&limit=20&service=web&operation=GET%20%2Fa\
                        &minDuration=5us&maxDuration=9us&tag=k%3Av%3Aw";
        assert_eq!(search_path(&question, (1, 3)), expected);
    }
}
