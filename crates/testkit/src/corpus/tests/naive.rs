//! The truth, told again the slow way: from the decoded requests alone, all traces in memory.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;

use super::sample;
use crate::corpus::{Corpus, OperationTruth, Profile, Question, Truth};

/// A span as it arrived, with everything a question can look at.
struct Seen {
    service: String,
    span: Span,
    /// Keys and texts of span, resource, events and links.
    texts: BTreeSet<(String, String)>,
}

type Traces = BTreeMap<Vec<u8>, Vec<Seen>>;

fn text(pair: &KeyValue) -> (String, String) {
    let text = match pair
        .value
        .as_ref()
        .and_then(|value| value.value.as_ref())
        .unwrap()
    {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::BoolValue(truth) => truth.to_string(),
        other => panic!("the corpora have no {other:?}"),
    };
    (pair.key.clone(), text)
}

fn read_back(profile: Profile, spans: u64) -> (Traces, Truth) {
    let mut corpus = Corpus::new(sample(profile, spans)).unwrap();
    let mut traces = Traces::new();
    for request in &mut corpus {
        let decoded = ExportTraceServiceRequest::decode(request.bytes.as_slice()).unwrap();
        for resource_spans in decoded.resource_spans {
            let resource: Vec<(String, String)> = resource_spans
                .resource
                .unwrap()
                .attributes
                .iter()
                .map(text)
                .collect();
            let service = &resource
                .iter()
                .find(|(key, _)| key == "service.name")
                .unwrap()
                .1;
            for span in resource_spans
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                let events = span.events.iter().flat_map(|event| &event.attributes);
                let links = span.links.iter().flat_map(|link| &link.attributes);
                let own = span.attributes.iter().chain(events).chain(links).map(text);
                let mut texts: BTreeSet<_> = resource.iter().cloned().chain(own).collect();
                if span.status.as_ref().is_some_and(|status| status.code == 2) {
                    texts.insert(("error".into(), "true".into()));
                }
                let seen = Seen {
                    service: service.clone(),
                    texts,
                    span,
                };
                traces
                    .entry(seen.span.trace_id.clone())
                    .or_default()
                    .push(seen);
            }
        }
    }
    (traces, corpus.into_truth())
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn answer(traces: &Traces, question: &Question) -> (Vec<String>, u64) {
    let mut found = Vec::new();
    for (id, spans) in traces {
        let is_met = spans.iter().any(|seen| {
            let duration_ns = seen.span.end_time_unix_nano - seen.span.start_time_unix_nano;
            question
                .service
                .as_ref()
                .is_none_or(|name| *name == seen.service)
                && question
                    .operation
                    .as_ref()
                    .is_none_or(|name| *name == seen.span.name)
                && question.tags.iter().all(|tag| seen.texts.contains(tag))
                && duration_ns >= question.min_duration_us.unwrap_or(0) * 1000
                && duration_ns <= question.max_duration_us.unwrap_or(u64::MAX / 1000) * 1000
        });
        if is_met {
            let start_ns = spans
                .iter()
                .map(|seen| seen.span.start_time_unix_nano)
                .min()
                .unwrap();
            found.push((u64::MAX - start_ns, hex(id)));
        }
    }
    found.sort();
    let total = found.len() as u64;
    (
        found
            .into_iter()
            .take(question.limit)
            .map(|(_, id)| id)
            .collect(),
        total,
    )
}

// tidy: long-function: a table of counts
fn assert_counts(traces: &Traces, truth: &Truth) {
    let mut naive = Truth::default();
    let mut operations: BTreeMap<String, BTreeSet<OperationTruth>> = BTreeMap::new();
    for spans in traces.values() {
        let services: BTreeSet<&String> = spans.iter().map(|seen| &seen.service).collect();
        for service in services {
            *naive.traces_by_service.entry(service.clone()).or_default() += 1;
        }
        for seen in spans {
            *naive
                .spans_by_service
                .entry(seen.service.clone())
                .or_default() += 1;
            let kinds = [
                "unspecified",
                "internal",
                "server",
                "client",
                "producer",
                "consumer",
            ];
            let span_kind = kinds[usize::try_from(seen.span.kind).unwrap()].to_owned();
            let operation = OperationTruth {
                name: seen.span.name.clone(),
                span_kind,
            };
            operations
                .entry(seen.service.clone())
                .or_default()
                .insert(operation);
            if seen.texts.contains(&("error".into(), "true".into())) {
                *naive
                    .error_spans_by_service
                    .entry(seen.service.clone())
                    .or_default() += 1;
            }
            for parent in spans
                .iter()
                .filter(|other| other.span.span_id == seen.span.parent_span_id)
            {
                *naive
                    .calls
                    .entry(format!("{}->{}", parent.service, seen.service))
                    .or_default() += 1;
            }
        }
    }
    let is_cross = |edge: &String| {
        edge.split_once("->")
            .is_some_and(|(parent, child)| parent != child)
    };
    let cross: BTreeMap<String, u64> = naive
        .calls
        .iter()
        .filter(|(edge, _)| is_cross(edge))
        .map(|(edge, count)| (edge.clone(), *count))
        .collect();
    assert_eq!(truth.traces, traces.len() as u64);
    assert_eq!(
        truth.spans,
        traces.values().map(|spans| spans.len() as u64).sum::<u64>()
    );
    assert_eq!(truth.spans_by_service, naive.spans_by_service);
    assert_eq!(truth.traces_by_service, naive.traces_by_service);
    assert_eq!(truth.error_spans_by_service, naive.error_spans_by_service);
    assert_eq!(
        truth.error_spans,
        naive.error_spans_by_service.values().sum::<u64>()
    );
    assert_eq!(truth.calls, naive.calls);
    assert_eq!(truth.edges, cross);
    assert!(
        truth.edges.len() < truth.calls.len(),
        "no service calls itself"
    );
    let services: BTreeSet<&String> = truth.services.iter().collect();
    assert_eq!(services, naive.spans_by_service.keys().collect());
    let operations: BTreeMap<String, Vec<OperationTruth>> = operations
        .into_iter()
        .map(|(service, set)| (service, set.into_iter().collect()))
        .collect();
    assert_eq!(truth.operations, operations);
}

fn assert_times_and_ids(traces: &Traces, truth: &Truth) {
    let spans = || traces.values().flatten().map(|seen| &seen.span);
    assert_eq!(
        Some(truth.earliest_start_ns),
        spans().map(|span| span.start_time_unix_nano).min()
    );
    assert_eq!(
        Some(truth.latest_end_ns),
        spans().map(|span| span.end_time_unix_nano).max()
    );
    assert!(truth.earliest_start_ns / 1000 >= truth.start_us);
    let ids: BTreeSet<String> = traces.keys().map(|id| hex(id)).collect();
    assert_eq!(truth.absent_traces.len(), 20);
    assert!(
        truth
            .absent_traces
            .iter()
            .all(|id| id.len() == 32 && !ids.contains(id))
    );
    assert!(!truth.sample.is_empty());
    for sample in &truth.sample {
        let (_, spans) = traces.iter().find(|(id, _)| hex(id) == sample.id).unwrap();
        assert_eq!(sample.spans, spans.len());
        assert_eq!(
            sample.error,
            spans
                .iter()
                .any(|seen| seen.texts.contains(&("error".into(), "true".into())))
        );
        let services: BTreeSet<&String> = spans.iter().map(|seen| &seen.service).collect();
        assert_eq!(sample.services.iter().collect::<BTreeSet<_>>(), services);
    }
}

fn assert_truth(profile: Profile, spans: u64, unanswered: &[&str]) -> Truth {
    let (traces, truth) = read_back(profile, spans);
    assert_counts(&traces, &truth);
    assert_times_and_ids(&traces, &truth);
    for question in &truth.questions {
        let (newest, total) = answer(&traces, question);
        assert_eq!(
            (&question.newest, question.total_traces),
            (&newest, total),
            "{}",
            question.name
        );
        let is_empty = unanswered.contains(&question.name.as_str());
        assert_eq!(total == 0, is_empty, "{} has {total} traces", question.name);
    }
    let error_traces = truth.question("errors").unwrap().total_traces;
    assert_eq!(truth.error_traces, error_traces);
    truth
}

#[test]
fn the_truth_of_the_kind_corpus_is_what_its_requests_say() {
    let truth = assert_truth(
        Profile::Kind,
        100_000,
        &["absent-attribute", "service-images"],
    );
    // The smallest round size at which this seed has a user of the rare tier.
    let rare = truth.question("rare-attribute").unwrap();
    assert_eq!(rare.total_traces, truth.rare_attr.len() as u64);
    assert_eq!(truth.question("newest").unwrap().total_traces, truth.traces);
}

#[test]
fn the_truth_of_the_unkind_corpus_is_what_its_requests_say() {
    let truth = assert_truth(
        Profile::Unkind,
        20_000,
        &["absent-attribute", "integer-attribute"],
    );
    let rare = truth.question("rare-attribute").unwrap();
    assert!(rare.tags[0].1.starts_with("user-"), "{:?}", rare.tags);
    assert!(truth.rare_attr.is_empty());
    assert_eq!(truth.services.len(), 10);
}
