//! Searches with their exact answers, kept while a corpus is generated.
//!
//! A trace answers a question when **one** of its spans meets every condition of it: service, operation, each tag, and
//! a duration within the inclusive bounds, compared in nanoseconds. A tag is met by an attribute of the span, its
//! resource, its scope, an event or a link whose value reads as the text; the tag `error=true` is met by the status.
//! *Newest* is by the start of the trace's earliest span, later first, equal starts by ascending trace id.
//!
//! Promises: memory of at most the limit's traces a question, whatever the corpus's size.

use std::{cmp::Reverse, collections::BinaryHeap};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::Span,
};
use serde::{Deserialize, Serialize};

use super::{
    catalogue::Service,
    options::Profile,
    trace::{STATUS_ERROR, TraceId},
    unkind::UNKIND_SERVICES,
};

/// How many of the newest traces every question keeps; a search's usual limit.
pub const QUESTION_LIMIT: usize = 20;

/// A search and what a correct system answers to it over the whole corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What it asks for, in words joined by hyphens; unique in a corpus.
    pub name: String,
    /// The service that the matching span is of.
    pub service: Option<String>,
    /// The name of the matching span.
    pub operation: Option<String>,
    /// Keys and texts that the matching span bears.
    pub tags: Vec<(String, String)>,
    /// The least duration of the matching span, inclusive.
    pub min_duration_us: Option<u64>,
    /// The greatest duration of the matching span, inclusive.
    pub max_duration_us: Option<u64>,
    /// How many traces are asked for.
    pub limit: usize,
    /// Hex ids of the newest matching traces, newest first, at most `limit`.
    pub newest: Vec<String>,
    /// How many traces match without a limit.
    pub total_traces: u64,
}

impl Question {
    fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            service: None,
            operation: None,
            tags: Vec::new(),
            min_duration_us: None,
            max_duration_us: None,
            limit: QUESTION_LIMIT,
            newest: Vec::new(),
            total_traces: 0,
        }
    }

    fn service(mut self, name: &str) -> Self {
        self.service = Some(name.to_owned());
        self
    }

    fn operation(mut self, name: &str) -> Self {
        self.operation = Some(name.to_owned());
        self
    }

    fn tag(mut self, key: &str, text: &str) -> Self {
        self.tags.push((key.to_owned(), text.to_owned()));
        self
    }

    fn at_least_us(mut self, duration_us: u64) -> Self {
        self.min_duration_us = Some(duration_us);
        self
    }

    fn at_most_us(mut self, duration_us: u64) -> Self {
        self.max_duration_us = Some(duration_us);
        self
    }

    fn is_met_by(&self, service: Service, resource: &Resource, span: &Span) -> bool {
        let duration_ns = span
            .end_time_unix_nano
            .saturating_sub(span.start_time_unix_nano);
        self.service
            .as_deref()
            .is_none_or(|name| name == service.name())
            && self
                .operation
                .as_deref()
                .is_none_or(|name| name == span.name)
            && self
                .min_duration_us
                .is_none_or(|min| duration_ns >= min.saturating_mul(1000))
            && self
                .max_duration_us
                .is_none_or(|max| duration_ns <= max.saturating_mul(1000))
            && self
                .tags
                .iter()
                .all(|(key, text)| bears(resource, span, key, text))
    }
}

fn bears(resource: &Resource, span: &Span, key: &str, text: &str) -> bool {
    if key == "error" && text == "true" {
        return span
            .status
            .as_ref()
            .is_some_and(|status| status.code == STATUS_ERROR);
    }
    // The scopes of both corpora have no attributes.
    holds(&span.attributes, key, text)
        || span
            .events
            .iter()
            .any(|event| holds(&event.attributes, key, text))
        || span
            .links
            .iter()
            .any(|link| holds(&link.attributes, key, text))
        || holds(&resource.attributes, key, text)
}

fn holds(attributes: &[KeyValue], key: &str, text: &str) -> bool {
    attributes.iter().any(|pair| {
        pair.key == key
            && pair
                .value
                .as_ref()
                .is_some_and(|value| reads_as(value, text))
    })
}

fn reads_as(value: &AnyValue, text: &str) -> bool {
    match &value.value {
        Some(Value::StringValue(string)) => string == text,
        Some(Value::IntValue(number)) => text.parse() == Ok(*number),
        Some(Value::DoubleValue(number)) => text.parse() == Ok(*number),
        Some(Value::BoolValue(truth)) => text.parse() == Ok(*truth),
        _ => false,
    }
}

/// The newest traces seen so far, at most [`QUESTION_LIMIT`]; the oldest of them is on top of the heap.
#[derive(Debug, Default)]
struct Newest(BinaryHeap<Reverse<(u64, Reverse<TraceId>)>>);

impl Newest {
    fn offer(&mut self, start_ns: u64, trace_id: TraceId) {
        self.0.push(Reverse((start_ns, Reverse(trace_id))));
        if self.0.len() > QUESTION_LIMIT {
            self.0.pop();
        }
    }

    fn into_hex(self) -> Vec<String> {
        self.0
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse((_, Reverse(id)))| hex(&id))
            .collect()
    }
}

/// A question and what is known of its answer so far.
#[derive(Debug)]
pub(super) struct Watch {
    question: Question,
    newest: Newest,
    total_traces: u64,
    /// Whether the tag asked for is the least value that its key has in the corpus. A random value that occurs can only
    /// be named once it is seen; the least one is known exactly at every moment, and lies anywhere in time.
    wants_least_value: bool,
}

impl Watch {
    fn new(question: Question) -> Self {
        Self {
            question,
            newest: Newest::default(),
            total_traces: 0,
            wants_least_value: false,
        }
    }

    fn for_least_value(question: Question) -> Self {
        Self {
            wants_least_value: true,
            ..Self::new(question)
        }
    }

    /// Judges one whole trace: its start, and its spans with service and resource.
    pub(super) fn judge(
        &mut self,
        start_ns: u64,
        trace_id: TraceId,
        spans: &[(Service, &Resource, &Span)],
    ) {
        if self.wants_least_value {
            self.lower_to_least_value(spans);
        }
        if spans
            .iter()
            .any(|(service, resource, span)| self.question.is_met_by(*service, resource, span))
        {
            self.total_traces += 1;
            self.newest.offer(start_ns, trace_id);
        }
    }

    fn lower_to_least_value(&mut self, spans: &[(Service, &Resource, &Span)]) {
        let Some((key, least)) = self.question.tags.first_mut() else {
            return;
        };
        let attributes = spans.iter().flat_map(|(_, _, span)| &span.attributes);
        for pair in attributes.filter(|pair| pair.key == *key) {
            let Some(Value::StringValue(text)) =
                pair.value.as_ref().and_then(|value| value.value.as_ref())
            else {
                continue;
            };
            if least.is_empty() || text < least {
                least.clone_from(text);
                self.newest = Newest::default();
                self.total_traces = 0;
            }
        }
    }

    /// Gives the answered question; none if it asks for a value that was never seen.
    pub(super) fn into_question(self) -> Option<Question> {
        if self.wants_least_value && self.total_traces == 0 {
            return None;
        }
        Some(Question {
            newest: self.newest.into_hex(),
            total_traces: self.total_traces,
            ..self.question
        })
    }
}

/// Gives the questions asked of a profile's corpus, the same names for both where both can answer.
pub(super) fn watches(profile: Profile) -> Vec<Watch> {
    let mut watches = vec![
        Watch::new(Question::named("newest")),
        Watch::new(Question::named("errors").tag("error", "true")),
        Watch::new(Question::named("duration-over-200ms").at_least_us(200_000)),
        Watch::new(
            Question::named("duration-200ms-to-300ms")
                .at_least_us(200_000)
                .at_most_us(300_000),
        ),
        Watch::new(Question::named("absent-attribute").tag("app.user.tier", "nobody-has-this")),
        Watch::new(Question::named("resource-attribute").tag("telemetry.sdk.language", "rust")),
        Watch::new(Question::named("event-attribute").tag("message.type", "RECEIVED")),
    ];
    let services = match profile {
        Profile::Kind => {
            watches.extend(kind_questions().map(Watch::new));
            usize::MAX
        }
        Profile::Unkind => {
            watches.extend(unkind_questions().map(Watch::new));
            let rarest = Question::named("rare-attribute").tag("attr.key.40", "");
            watches.push(Watch::for_least_value(rarest));
            UNKIND_SERVICES
        }
    };
    let by_service = |service: Service| {
        Question::named(format!("service-{}", service.name())).service(service.name())
    };
    watches.extend(
        Service::all()
            .take(services)
            .map(by_service)
            .map(Watch::new),
    );
    watches
}

fn kind_questions() -> [Question; 6] {
    [
        Question::named("common-attribute").tag("db.system.name", "postgresql"),
        Question::named("rare-attribute").tag("app.user.tier", "platinum-founder"),
        Question::named("integer-attribute")
            .service("web")
            .tag("http.response.status_code", "500"),
        Question::named("two-attributes")
            .tag("db.system.name", "redis")
            .tag("cache.hit", "false"),
        Question::named("errors-of-one-service")
            .service("payment")
            .tag("error", "true"),
        Question::named("slow-operation")
            .service("checkout")
            .operation("shop.Checkout/PlaceOrder")
            .at_least_us(250_000),
    ]
}

fn unkind_questions() -> [Question; 6] {
    [
        Question::named("common-attribute").tag("attr.key.45", "value-7"),
        Question::named("boolean-attribute").tag("attr.key.42", "true"),
        Question::named("integer-attribute").tag("attr.key.41", "777"),
        Question::named("two-attributes")
            .tag("attr.key.45", "value-7")
            .tag("attr.key.50", "true"),
        Question::named("errors-of-one-service")
            .service("payment")
            .tag("error", "true"),
        Question::named("slow-operation")
            .service("checkout")
            .operation("op-5-3")
            .at_least_us(50_000),
    ]
}

/// Gives lower-case hex of an id.
pub(super) fn hex(id: &[u8]) -> String {
    use std::fmt::Write as _;
    id.iter()
        .fold(String::with_capacity(id.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            write!(text, "{byte:02x}").ok();
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::attribute;

    fn id(last: u8) -> TraceId {
        let mut id = [0; 16];
        id[15] = last;
        id
    }

    #[test]
    fn keeps_the_newest_and_orders_equal_starts_by_ascending_id() {
        let mut newest = Newest::default();
        for n in 0..40u8 {
            newest.offer(u64::from(n / 2), id(n));
        }
        let kept = newest.into_hex();
        assert_eq!(kept.len(), QUESTION_LIMIT);
        let expected: Vec<String> = (10..20)
            .rev()
            .flat_map(|n| [hex(&id(n * 2)), hex(&id(n * 2 + 1))])
            .collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_tie_at_the_limit_keeps_the_lower_id() {
        let mut newest = Newest::default();
        for n in (0..=20u8).rev() {
            newest.offer(7, id(n));
        }
        let kept = newest.into_hex();
        assert_eq!(
            (kept.first(), kept.last()),
            (Some(&hex(&id(0))), Some(&hex(&id(19))))
        );
    }

    #[test]
    fn bounds_of_duration_are_inclusive_to_the_nanosecond() {
        let question = Question::named("q").at_least_us(2).at_most_us(3);
        let met = |duration_ns: u64| {
            let span = Span {
                start_time_unix_nano: 5,
                end_time_unix_nano: 5 + duration_ns,
                ..Default::default()
            };
            question.is_met_by(Service::WEB, &Resource::default(), &span)
        };
        assert_eq!(
            [1999, 2000, 3000, 3001].map(met),
            [false, true, true, false]
        );
    }

    #[test]
    fn a_tag_reads_typed_values_as_text_but_not_as_other_types() {
        let attributes = [
            attribute("s", "1"),
            attribute("i", 1i64),
            attribute("f", 1.5),
            attribute("b", true),
            attribute("y", vec![49u8]),
        ];
        let reads = |key: &str, text: &str| holds(&attributes, key, text);
        assert!(reads("s", "1") && reads("i", "1") && reads("f", "1.5") && reads("b", "true"));
        assert!(
            !reads("s", "true")
                && !reads("i", "1.5")
                && !reads("f", "1")
                && !reads("b", "1")
                && !reads("y", "1")
        );
    }

    #[test]
    fn the_least_value_starts_anew_when_a_lesser_one_comes() {
        let mut watch = Watch::for_least_value(Question::named("rare").tag("k", ""));
        let resource = Resource::default();
        for (n, text) in [(1u8, "user-5"), (2, "user-3"), (3, "user-4"), (4, "user-3")] {
            let span = Span {
                attributes: vec![attribute("k", text)],
                ..Default::default()
            };
            watch.judge(u64::from(n), id(n), &[(Service::WEB, &resource, &span)]);
        }
        let question = watch.into_question().unwrap();
        assert_eq!(question.tags, [("k".to_owned(), "user-3".to_owned())]);
        assert_eq!(
            (question.total_traces, question.newest),
            (2, vec![hex(&id(4)), hex(&id(2))])
        );
        assert!(
            Watch::for_least_value(Question::named("rare").tag("k", ""))
                .into_question()
                .is_none()
        );
    }

    #[test]
    fn names_of_questions_are_unique_in_each_profile() {
        for profile in [Profile::Kind, Profile::Unkind] {
            let names: Vec<String> = watches(profile)
                .into_iter()
                .map(|watch| watch.question.name)
                .collect();
            let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
            assert_eq!(distinct.len(), names.len());
        }
    }
}
