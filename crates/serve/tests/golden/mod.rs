//! Replays what a running Jaeger v2.20.0 answered; see `tests/golden/README.md`.
//!
//! Every recorded case is asked and compared: status, type and body, with the order of keys and the exact text wherever
//! the recording's order is not arbitrary. Where Trackway differs on purpose, `accepted.rs` says how, and the answer
//! must be just so; a difference that is no more, and one that the documentation doesn't list, fail the test.

mod accepted;
mod case;
mod compare;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use codec::otlp::{decode_json, decode_proto};
use model::TenantId;
use serve::JaegerOptions;
use testkit::oracle::OracleStore;

use crate::world::{ask, router_over};
use accepted::{ACCEPTED, Accepted};
use case::{Case, Input, cases_of, inputs};

/// The groups of recorded questions that are answered so far.
const GROUPS: [&str; 28] = [
    "services",
    "operations",
    "service-operations",
    "search",
    "search-errors",
    "search-duration",
    "search-lookback",
    "search-tags",
    "search-raw",
    "search-by-id",
    "trace",
    "trace-raw",
    "trace-id-forms",
    "dependencies",
    "methods",
    "other-paths",
    "metrics-off",
    "archive-off",
    "transform",
    "v3-services",
    "v3-operations",
    "v3-search",
    "v3-search-shapes",
    "v3-summaries",
    "v3-trace",
    "v3-trace-raw",
    "v3-trace-forms",
    "v3-other",
];

pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn filled_store() -> Arc<OracleStore> {
    let store = OracleStore::new();
    for Input { name, json, proto } in inputs() {
        let decoded = match json {
            Some(json) => decode_json(&json).map_err(|error| error.to_string()),
            None => decode_proto(&proto).map_err(|error| error.to_string()),
        };
        let decoded = decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(decoded.rejected_spans, 0, "{name}: {:?}", decoded.rejection);
        store.keep(&TenantId::default(), &decoded.batch);
    }
    Arc::new(store)
}

async fn ask_case(router: &Router, case: &Case) -> crate::world::Answer {
    let mut request = Request::builder()
        .method(case.method.as_str())
        .uri(case.target());
    for (name, value) in &case.headers {
        request = request.header(name, value);
    }
    ask(router, request.body(Body::from(case.body.clone())).unwrap()).await
}

#[tokio::test]
async fn answers_what_the_recorded_jaeger_answered() {
    let router = router_over(filled_store(), JaegerOptions::default());
    let mut complaints = Vec::new();
    let (mut agreeing, mut used) = (0, BTreeSet::new());
    for group in GROUPS {
        for mut case in cases_of(group) {
            let answer = ask_case(&router, &case).await;
            let of_case =
                |one: &&Accepted| one.group == group && one.cases.contains(&case.name.as_str());
            let found = match ACCEPTED.iter().find(of_case) {
                None => case.differences(&answer),
                Some(one) => {
                    used.insert((group, case.name.clone()));
                    if case.differences(&answer).is_empty() {
                        complaints.push(format!(
                            "{group} «{}» agrees: no accepted difference any more",
                            case.name
                        ));
                    }
                    (one.change)(&mut case);
                    case.differences(&answer)
                }
            };
            agreeing += usize::from(found.is_empty());
            if !found.is_empty() {
                let target = case.target();
                complaints.push(format!(
                    "{group} «{}» {} {target}\n    {}",
                    case.name,
                    case.method,
                    found.join("\n    ")
                ));
            }
        }
    }
    for one in ACCEPTED {
        for case in one.cases {
            if !used.contains(&(one.group, (*case).to_owned())) {
                complaints.push(format!("{} «{case}» is no recorded case", one.group));
            }
        }
    }
    let unlike = complaints.len();
    assert!(
        complaints.is_empty(),
        "{agreeing} agree, {unlike} differ\n{}",
        complaints.join("\n")
    );
}

/// The rows ``| `group` | `case`, `case` |`` of the document that tells users of the differences.
fn documented() -> BTreeSet<(String, String)> {
    let page = std::fs::read_to_string(project().join("docs/jaeger-differences.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        // What stands between back quotes: the group, then its cases.
        let mut names = row.split('`').skip(1).step_by(2).map(str::to_owned);
        let group = names.next().unwrap_or_default();
        names.map(|case| (group.clone(), case)).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn every_accepted_difference_is_documented_and_nothing_else_is() {
    let in_tests: BTreeSet<(String, String)> = ACCEPTED
        .iter()
        .flat_map(|one| {
            one.cases
                .iter()
                .map(|case| (one.group.to_owned(), (*case).to_owned()))
        })
        .collect();
    let only_here: Vec<_> = in_tests.difference(&documented()).cloned().collect();
    let only_there: Vec<_> = documented().difference(&in_tests).cloned().collect();
    assert!(
        only_here.is_empty(),
        "not in docs/jaeger-differences.md: {only_here:?}"
    );
    assert!(
        only_there.is_empty(),
        "in docs/jaeger-differences.md, but accepted nowhere: {only_there:?}"
    );
}
