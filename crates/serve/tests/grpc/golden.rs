//! Replays the calls that were recorded (`tests/golden/grpc`), and compares the answers as messages.
//!
//! Where Trackway answers otherwise on purpose is said in `docs/jaeger-differences.md` under "Over gRPC", and here:
//! `expected` changes the recorded messages into the ones that are right.

use std::cmp::Reverse;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use codec::generated::grpc::health::v1::HealthCheckResponse;
use codec::generated::grpc::reflection::v1::ServerReflectionResponse;
use codec::generated::jaeger::{api_v2, api_v3};
use codec::generated::opentelemetry::proto::common::v1::{AnyValue, KeyValue, any_value};
use codec::generated::opentelemetry::proto::trace::v1::TracesData;
use prost::Message;
use serde_json::Value;
use serve::JaegerOptions;

use super::calls::{Answer, call};
use crate::golden::{filled_store, project};
use crate::world::{BASE_NANOS, services_over};

const GROUPS: [&str; 10] = [
    "health",
    "v2-GetTrace",
    "v2-GetTrace-forms",
    "v2-FindTraces",
    "v2-other",
    "v3-GetTrace",
    "v3-GetTrace-forms",
    "v3-FindTraces",
    "v3-FindTraceSummaries",
    "v3-other",
];

/// A recorded call.
#[derive(Debug, Clone)]
struct Recorded {
    name: String,
    method: String,
    request: Vec<u8>,
    code: i32,
    message: String,
    responses: Vec<Bytes>,
    /// Whether the bytes of all messages were kept; some are too long.
    is_whole: bool,
}

fn code_of(name: &str) -> i32 {
    match name {
        "OK" => 0,
        "UNKNOWN" => 2,
        "INVALID_ARGUMENT" => 3,
        "NOT_FOUND" => 5,
        "UNIMPLEMENTED" => 12,
        "INTERNAL" => 13,
        other => panic!("no code {other}"),
    }
}

fn recorded(group: &str) -> Vec<Recorded> {
    let path = project().join(format!("tests/golden/grpc/{group}.json"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap_or_default()).unwrap();
    let calls = file["calls"].as_array().unwrap().iter();
    calls
        .map(|call| Recorded {
            name: text(&call["name"]),
            method: text(&call["method"]),
            request: bytes(&call["request_base64"]),
            code: code_of(call["status"][0].as_str().unwrap()),
            message: text(&call["status"][1]),
            responses: call["responses"]
                .as_array()
                .unwrap()
                .iter()
                .map(|response| bytes(&response["raw_base64"]).into())
                .collect(),
            is_whole: call["responses"]
                .as_array()
                .unwrap()
                .iter()
                .all(|response| response["raw_base64"].is_string()),
        })
        .collect()
}

/// The messages of an answer, so that equal ones read alike; lists whose order means nothing are sorted.
fn read(method: &str, messages: &[Bytes]) -> Vec<String> {
    fn each<M: Message + Default + std::fmt::Debug>(
        messages: &[Bytes],
        clean: impl Fn(&mut M),
    ) -> Vec<String> {
        let decoded = messages.iter().map(|message| {
            let mut message = M::decode(&**message).unwrap();
            clean(&mut message);
            format!("{message:#?}").replace(MOVED_TEXT.0, MOVED_TEXT.1)
        });
        decoded.collect()
    }
    if messages.is_empty() {
        return Vec::new();
    }
    match method.rsplit_once('/').unwrap() {
        ("/jaeger.api_v2.QueryService", "GetTrace" | "FindTraces") => {
            each(messages, |chunk: &mut api_v2::SpansResponseChunk| {
                // The sign of a zero is lost in the recording.
                let tags = chunk.spans.iter_mut().flat_map(|span| &mut span.tags);
                tags.filter(|tag| tag.v_float64 == 0.0)
                    .for_each(|tag| tag.v_float64 = 0.0);
            })
        }
        ("/jaeger.api_v3.QueryService", "GetTrace" | "FindTraces") => {
            each(messages, |traces: &mut TracesData| clean_traces(traces))
        }
        ("/jaeger.api_v2.QueryService", "GetDependencies") => {
            each(messages, |answer: &mut api_v2::GetDependenciesResponse| {
                let links = &mut answer.dependencies;
                links.sort_by_key(|link| (link.parent.clone(), link.child.clone()));
            })
        }
        ("/jaeger.api_v3.QueryService", "GetDependencies") => {
            each(messages, |answer: &mut api_v3::DependenciesResponse| {
                let links = &mut answer.dependencies;
                links.sort_by_key(|link| (link.parent.clone(), link.child.clone()));
            })
        }
        ("/jaeger.api_v3.QueryService", "FindTraceSummaries") => {
            each(messages, |_: &mut api_v3::FindTraceSummariesResponse| {})
        }
        ("/jaeger.api_v3.QueryService", "GetOperations") => {
            each(messages, |_: &mut api_v3::GetOperationsResponse| {})
        }
        ("/jaeger.api_v2.QueryService", "GetOperations") => {
            each(messages, |_: &mut api_v2::GetOperationsResponse| {})
        }
        ("/jaeger.api_v2.QueryService", "ArchiveTrace") => {
            each(messages, |_: &mut api_v2::ArchiveTraceResponse| {})
        }
        ("/grpc.health.v1.Health", _) => each(messages, |_: &mut HealthCheckResponse| {}),
        (service, _) if service.contains("reflection") => {
            each(messages, |_: &mut ServerReflectionResponse| {})
        }
        other => panic!("{other:?}"),
    }
}

/// The recording has other times than the base in the bytes of these messages: by so much, and as texts.
const MOVED_NANOS: u64 = 26_989_200_000_000_000;
const MOVED_TEXT: (&str, &str) = ("2026-11-23 19:", "2026-01-15 10:");

fn moved(nanos: u64) -> u64 {
    if nanos > BASE_NANOS + MOVED_NANOS / 2 {
        nanos - MOVED_NANOS
    } else {
        nanos
    }
}

/// The recorded server repeats a warning each time that a trace is read.
fn unrepeat(warnings: &mut KeyValue) {
    let list = warnings
        .value
        .as_mut()
        .and_then(|value| value.value.as_mut());
    if let Some(any_value::Value::ArrayValue(list)) = list {
        let mut seen: Vec<AnyValue> = Vec::new();
        list.values.retain(|value| {
            let is_new = !seen.contains(value);
            if is_new {
                seen.push(value.clone());
            }
            is_new
        });
    }
}

/// Statuses that say nothing are left out by us, and schema URLs and repeated envelopes by Jaeger.
fn clean_traces(traces: &mut TracesData) {
    for resource in &mut traces.resource_spans {
        for span in resource
            .scope_spans
            .iter_mut()
            .flat_map(|scope| &mut scope.spans)
        {
            span.start_time_unix_nano = moved(span.start_time_unix_nano);
            span.end_time_unix_nano = moved(span.end_time_unix_nano);
            for event in &mut span.events {
                event.time_unix_nano = moved(event.time_unix_nano);
            }
            let warnings = span
                .attributes
                .iter_mut()
                .filter(|one| one.key == "@jaeger@warnings");
            warnings.for_each(unrepeat);
        }
        resource.schema_url.clear();
        for scope in &mut resource.scope_spans {
            scope.schema_url.clear();
            for span in &mut scope.spans {
                span.status.get_or_insert_default();
            }
        }
        resource.scope_spans.dedup_by(|next, kept| {
            let is_same = next.scope == kept.scope;
            if is_same {
                kept.spans.append(&mut next.spans);
            }
            is_same
        });
    }
}

/// The messages of the newest traces of a recorded answer, in their order; a trace of these answers is one message.
fn newest(group: &str, all: &str, limit: usize) -> Vec<Bytes> {
    let all = recorded(group).into_iter().find(|call| call.name == all);
    let mut messages = all.unwrap().responses;
    let start = |message: &Bytes| match group {
        "v2-FindTraces" => {
            let chunk = api_v2::SpansResponseChunk::decode(&**message).unwrap();
            let starts = chunk.spans.iter().filter_map(|span| span.start_time);
            starts.map(|time| (time.seconds, time.nanos)).min().unwrap()
        }
        _ => {
            let answer = api_v3::FindTraceSummariesResponse::decode(&**message).unwrap();
            let nanos = answer.summaries[0].min_start_time_unix_nano;
            (i64::try_from(nanos).unwrap(), 0)
        }
    };
    messages.sort_by_cached_key(|message| Reverse(start(message)));
    messages.truncate(limit);
    messages
}

/// Takes back what the recorded server had done to its own data when it was asked, and gives the service whose name is
/// no UTF-8 its name; tells whether there is such a link.
fn unspoilt(parent: &str, child: &mut String, calls: &mut u64) -> bool {
    match (parent, child.as_str()) {
        (_, "") => "gold-bad \u{fffd}".clone_into(child),
        ("gold-shared-server", "gold-shared-server") => return false,
        ("gold-shared-client", "gold-shared-server") => *calls = 2,
        ("gold-dupids", "gold-dupids") => *calls = 5,
        _ => {}
    }
    true
}

/// Makes a recorded answer ours; `None` when only the status and the number of messages are to be compared.
fn expected(group: &str, mut call: Recorded) -> Option<Recorded> {
    match (group, call.name.as_str()) {
        // The newest first.
        ("v2-FindTraces", "all") | ("v3-FindTraceSummaries", "all") => {
            call.responses = newest(group, "all", usize::MAX);
        }
        ("v2-FindTraces", "depth 2" | "no times" | "no min")
        | ("v3-FindTraceSummaries", "depth 2") => {
            call.responses = newest(group, "all", 2);
        }
        ("v2-FindTraces", "no service") | ("v3-FindTraceSummaries", "no service") => {
            call.responses = newest(group, "all", 3);
        }
        _ if !call.is_whole => return None,
        ("v3-FindTraces", "depth 2") => return None,
        ("v2-FindTraces", "tags error" | "held status") | ("v3-FindTraceSummaries", "duration") => {
            let mut sorted = call.clone();
            sorted.responses.sort();
            return Some(sorted);
        }
        // Texts that are no UTF-8 are repaired: the message can be read.
        ("v2-GetTrace", "35") => return None,
        // The recorded server had edited its own data when these were asked (see the recordings' README).
        ("v2-GetTrace-forms", "raw skew" | "raw shared") | ("v2-FindTraces", "raw skew") => {
            return None;
        }
        ("v2-other", "dependencies") => {
            let message = call.responses.remove(0);
            let mut answer = api_v2::GetDependenciesResponse::decode(message).unwrap();
            answer
                .dependencies
                .retain_mut(|link| unspoilt(&link.parent, &mut link.child, &mut link.call_count));
            call.responses = vec![answer.encode_to_vec().into()];
        }
        ("v3-other", "dependencies") => {
            let message = call.responses.remove(0);
            let mut answer = api_v3::DependenciesResponse::decode(message).unwrap();
            answer
                .dependencies
                .retain_mut(|link| unspoilt(&link.parent, &mut link.child, &mut link.call_count));
            call.responses = vec![answer.encode_to_vec().into()];
        }
        // The archive is always there.
        ("v2-other", "archive hit") => {
            call.code = 0;
            call.message.clear();
            call.responses = vec![Bytes::new()];
        }
        _ => {}
    }
    Some(call)
}

fn differences(group: &str, call: &Recorded, mut answer: Answer) -> Vec<String> {
    let counts = (call.code, call.responses.len());
    let is_any_order =
        call.name == "tags error" || call.name == "held status" || call.name == "duration";
    let Some(want) = expected(group, call.clone()) else {
        // What can't be read panics.
        read(&call.method, &answer.messages);
        return match (answer.code, answer.messages.len()) {
            got if got == counts => Vec::new(),
            got => vec![format!("want {counts:?}, got {got:?}")],
        };
    };
    if (want.code, &want.message) != (answer.code, &answer.message.replace("%22", "\"")) {
        let (code, message) = (answer.code, answer.message);
        return vec![format!(
            "want {} {:?}, got {code} {message:?}",
            want.code, want.message
        )];
    }
    let mut wanted = read(&call.method, &want.responses);
    let mut got = read(&call.method, &std::mem::take(&mut answer.messages));
    if is_any_order {
        wanted.sort();
        got.sort();
    }
    if wanted.len() != got.len() {
        return vec![format!("want {} messages, got {}", wanted.len(), got.len())];
    }
    let pairs = wanted.iter().zip(&got).filter(|(want, got)| want != got);
    let lines = pairs.map(|(want, got)| {
        let mut lines = want.lines().zip(got.lines());
        let (want, got) = lines
            .find(|(want, got)| want != got)
            .unwrap_or(("the end", "the end"));
        format!("want {want}, got {got}")
    });
    lines.take(5).collect()
}

async fn replay(router: &Router) -> Vec<String> {
    let mut told = Vec::new();
    for group in GROUPS {
        for one in recorded(group) {
            let answer = call(router, &one.method, &one.request).await;
            for difference in differences(group, &one, answer) {
                told.push(format!("{group} «{}»: {difference}", one.name));
            }
        }
    }
    told
}

#[tokio::test]
async fn answers_what_the_recorded_jaeger_answered() {
    let services = services_over(filled_store(), JaegerOptions::default());
    let told = replay(&services.grpc).await;
    assert!(told.is_empty(), "{}", told.join("\n"));
    // Beside HTTP the same services answer.
    let told = replay(&services.http).await;
    assert!(told.is_empty(), "beside HTTP: {}", told.join("\n"));
}

#[tokio::test]
async fn clients_are_told_what_to_record_as_by_the_recorded_jaeger() {
    let strategies = sampling::FileStrategies::without_file(0.001);
    let file = project().join("tests/golden/sampling/strategies.json");
    strategies
        .replace(&std::fs::read_to_string(file).unwrap())
        .unwrap();
    let router = serve::sampling_grpc_router(std::sync::Arc::new(strategies));
    let calls = recorded("sampling");
    assert_eq!(calls.len(), 4);
    for one in calls {
        let answer = call(&router, &one.method, &one.request).await;
        assert_eq!(answer.code, one.code, "{}", one.name);
        let read = |message: &Bytes| sampling::Strategy::decode(&**message).unwrap();
        let got: Vec<_> = answer.messages.iter().map(read).collect();
        let wanted: Vec<_> = one.responses.iter().map(read).collect();
        assert_eq!(got, wanted, "{}", one.name);
    }
    let health = codec::generated::grpc::health::v1::HealthCheckRequest {
        service: "jaeger.api_v2.SamplingManager".to_owned(),
    };
    let path = "/grpc.health.v1.Health/Check";
    let answer = call(&router, path, &health.encode_to_vec()).await;
    assert_eq!((answer.code, answer.messages.len()), (0, 1));
    let answer = call(&router, "/jaeger.api_v2.QueryService/GetServices", &[]).await;
    assert_eq!(answer.code, 12, "{answer:?}");
}
