//! The right answers to the searches, found by looking at every span of the corpus file.
//!
//! The truth that comes with a corpus answers most searches for all services together; Jaeger's API only knows searches
//! of one service. So they are answered here, by the same words: a trace is found when **one** of its spans meets every
//! condition; the newest trace is the one whose earliest span starts last, equal starts by ascending id.
//!
//! Promises: exact; held against the truth of the corpus where both answer the same search ([`answer`] fails if they
//! differ). Memory of about 100 bytes a trace.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context as _, ensure};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use testkit::corpus::{Question, Truth, read_corpus};

use crate::questions::ABSENT_VALUE;

/// OTLP's status "error".
const STATUS_ERROR: i32 = 2;

type Id = [u8; 16];

/// A search and the traces found so far.
struct Watch {
    question: Question,
    found: HashSet<Id>,
}

/// Answers the searches from the corpus file, and makes sure that they can be asked and that the truth agrees.
pub(crate) fn answer(
    corpus: &Path,
    truth: &Truth,
    questions: Vec<Question>,
) -> anyhow::Result<Vec<Question>> {
    let asked = questions.len();
    let checks = truth
        .questions
        .iter()
        .filter(|check| check.service.is_some());
    let all = questions.into_iter().chain(checks.cloned());
    let mut watches: Vec<Watch> = all
        .map(|question| Watch {
            question,
            found: HashSet::new(),
        })
        .collect();
    let starts = look_at_every_span(corpus, &mut watches)?;
    ensure!(
        starts.len() as u64 == truth.traces,
        "the corpus file has {} traces, its truth says {}",
        starts.len(),
        truth.traces
    );
    let checks = watches.split_off(asked);
    for check in checks {
        let expected = check.question.clone();
        let found = check.into_answer(&starts);
        ensure!(
            found == expected,
            "the truth says {expected:?}, but the spans say {found:?}"
        );
    }
    let answered = watches.into_iter().map(|watch| watch.into_answer(&starts));
    let answered: Vec<Question> = answered.collect();
    let absent = answered
        .iter()
        .find(|question| question.name == ABSENT_VALUE);
    let found = absent.map_or(0, |question| question.total_traces);
    ensure!(
        found == 0,
        "{found} traces have the value that none should have"
    );
    Ok(answered)
}

/// Marks what each search finds; gives the start of each trace.
fn look_at_every_span(corpus: &Path, watches: &mut [Watch]) -> anyhow::Result<HashMap<Id, u64>> {
    let mut starts: HashMap<Id, u64> = HashMap::new();
    for record in read_corpus(corpus)? {
        let request = ExportTraceServiceRequest::decode(record?.as_slice())
            .context("a record of the corpus is no request")?;
        for resource_spans in request.resource_spans {
            let resource = resource_spans.resource.map(|resource| resource.attributes);
            let resource = resource.unwrap_or_default();
            for span in resource_spans
                .scope_spans
                .iter()
                .flat_map(|scope| &scope.spans)
            {
                let id = Id::try_from(span.trace_id.as_slice()).context("an odd trace id")?;
                let start = starts.entry(id).or_insert(u64::MAX);
                *start = span.start_time_unix_nano.min(*start);
                for watch in watches.iter_mut() {
                    if is_met(&watch.question, &resource, span) {
                        watch.found.insert(id);
                    }
                }
            }
        }
    }
    Ok(starts)
}

impl Watch {
    fn into_answer(self, starts: &HashMap<Id, u64>) -> Question {
        let mut question = self.question;
        let mut found: Vec<(Reverse<u64>, Id)> = self
            .found
            .into_iter()
            .map(|id| (Reverse(starts.get(&id).copied().unwrap_or(0)), id))
            .collect();
        found.sort_unstable();
        question.total_traces = found.len() as u64;
        let newest = found.iter().take(question.limit);
        question.newest = newest.map(|(_, id)| hex(id)).collect();
        question
    }
}

fn hex(id: &Id) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}

fn is_met(question: &Question, resource: &[KeyValue], span: &Span) -> bool {
    let duration_ns = span
        .end_time_unix_nano
        .saturating_sub(span.start_time_unix_nano);
    let service = question.service.as_deref();
    let operation = question.operation.as_deref();
    service.is_none_or(|name| holds(resource, "service.name", name))
        && operation.is_none_or(|name| name == span.name)
        && question
            .min_duration_us
            .is_none_or(|min| duration_ns >= min * 1000)
        && question
            .max_duration_us
            .is_none_or(|max| duration_ns <= max * 1000)
        && question
            .tags
            .iter()
            .all(|(key, text)| bears(resource, span, key, text))
}

fn bears(resource: &[KeyValue], span: &Span, key: &str, text: &str) -> bool {
    if key == "error" && text == "true" {
        return span
            .status
            .as_ref()
            .is_some_and(|status| status.code == STATUS_ERROR);
    }
    let mut events = span.events.iter().map(|event| &event.attributes);
    let mut links = span.links.iter().map(|link| &link.attributes);
    holds(&span.attributes, key, text)
        || events.any(|attributes| holds(attributes, key, text))
        || links.any(|attributes| holds(attributes, key, text))
        || holds(resource, key, text)
}

fn holds(attributes: &[KeyValue], key: &str, text: &str) -> bool {
    let mut values = attributes.iter().filter(|pair| pair.key == key);
    values.any(
        |pair| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(string)) => string == text,
            Some(Value::IntValue(number)) => number.to_string() == text,
            Some(Value::BoolValue(truth)) => truth.to_string() == text,
            Some(Value::DoubleValue(number)) => text.parse() == Ok(*number),
            _ => false,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::corpus::{Corpus, CorpusOptions, Profile, write_corpus};

    #[test]
    fn agrees_with_the_truth_and_answers_every_question_of_both_corpora() {
        for profile in [Profile::Kind, Profile::Unkind] {
            let name = format!("bench-oracle-{}-{}", std::process::id(), profile.name());
            let path = std::env::temp_dir().join(name);
            let options = CorpusOptions::new(profile, 60_000, 1_790_000_000);
            let mut truth = write_corpus(&path, Corpus::new(options).unwrap()).unwrap();
            let questions = crate::questions::questions(profile);
            let answered = answer(&path, &truth, questions.clone()).unwrap();
            assert_eq!(answered.len(), questions.len());
            assert!(answered.iter().any(|question| question.newest.len() == 20));

            // A truth that is wrong by one trace is noticed.
            let check = truth
                .questions
                .iter_mut()
                .find(|check| check.service.is_some());
            check.unwrap().total_traces += 1;
            assert!(answer(&path, &truth, questions).is_err());
            std::fs::remove_file(testkit::corpus::truth_path(&path)).unwrap();
            std::fs::remove_file(&path).unwrap();
        }
    }
}
