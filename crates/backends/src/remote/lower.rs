//! What a server is asked for a predicate: conditions that every trace that matches fulfils.
//!
//! Promises: no trace is missed for what is left out of the question, only more come than match. A condition on a text
//! that stands anywhere is asked as Jaeger's tags are, and so finds what that server finds for a tag: attributes of the
//! span, its resource and its events on all of them.

use std::collections::BTreeMap;

use codec::generated::google::protobuf::Duration;
use codec::generated::jaeger::storage::v2::any_value::Value;
use codec::generated::jaeger::storage::{v1, v2};
use codec::jaeger_encode::kind_name;
use model::contract::Window;
use model::{Field, Literal, Operator, Place, Predicate};

use super::timestamp;

/// What a span without a name is called by Jaeger.
const NAME_EMPTY: &str = "empty-span-name";
const STATUS_ERROR: i64 = 2;
/// Keys that Jaeger's servers take for something else than an attribute.
const KEYS_SPECIAL: [&str; 6] = [
    "error",
    "span.status",
    "span.kind",
    "scope.name",
    "scope.version",
    "service.name",
];

/// The conditions of a predicate that a server can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lowered {
    pub(super) service: String,
    operation: String,
    tags: BTreeMap<String, String>,
    /// Nanoseconds; 0: none.
    duration_min: i64,
    /// Nanoseconds; 0: none.
    duration_max: i64,
    /// No span can match.
    pub(super) finds_nothing: bool,
}

impl Lowered {
    pub(super) fn of(predicate: &Predicate) -> Self {
        let mut lowered = Self::default();
        lowered.add(predicate);
        lowered
    }

    fn add(&mut self, predicate: &Predicate) {
        match predicate {
            Predicate::And(all) => all.iter().for_each(|one| self.add(one)),
            Predicate::Or(any) if any.is_empty() => self.finds_nothing = true,
            Predicate::Or(any) => {
                if let [only] = any.as_slice() {
                    self.add(only);
                }
            }
            Predicate::Compare(field, operator, literal) => self.compare(field, *operator, literal),
            Predicate::All | Predicate::Not(_) | Predicate::Exists(_) => {}
        }
    }

    /// Of two values for one place the first is asked for; both are judged later.
    fn compare(&mut self, field: &Field, operator: Operator, literal: &Literal) {
        match (field, operator, literal) {
            (Field::Service, Operator::Equal, Literal::String(name)) => {
                set(&mut self.service, name);
            }
            (Field::Name, Operator::Equal, Literal::String(name)) if name != NAME_EMPTY => {
                set(&mut self.operation, name);
            }
            (Field::Status, Operator::Equal, Literal::Int(STATUS_ERROR)) => {
                self.tag("error", "true");
            }
            (Field::Kind, Operator::Equal, Literal::Int(kind)) => {
                let name = i32::try_from(*kind).ok().and_then(kind_name);
                if let Some(name) = name {
                    self.tag("span.kind", name);
                }
            }
            (
                Field::Duration,
                Operator::GreaterOrEqual | Operator::Greater | Operator::Equal,
                Literal::Int(nanos),
            ) if *nanos > 0 => self.duration_min = self.duration_min.max(*nanos),
            (Field::Duration, Operator::LessOrEqual | Operator::Less, Literal::Int(nanos))
                if *nanos > 0 =>
            {
                self.duration_max = match self.duration_max {
                    0 => *nanos,
                    known => known.min(*nanos),
                };
            }
            (
                Field::Attribute {
                    place: Place::Anywhere,
                    key,
                },
                Operator::Equal,
                Literal::Text(text),
            ) if !KEYS_SPECIAL.contains(&key.as_str()) && !key.starts_with("resource.") => {
                self.tag(key, text);
            }
            _ => {}
        }
    }

    fn tag(&mut self, key: &str, text: &str) {
        self.tags
            .entry(key.to_owned())
            .or_insert_with(|| text.to_owned());
    }

    fn durations(&self) -> (Option<Duration>, Option<Duration>) {
        let duration = |nanos: i64| {
            let moment = timestamp(u64::try_from(nanos).unwrap_or(0));
            (nanos > 0).then_some(Duration {
                seconds: moment.seconds,
                nanos: moment.nanos,
            })
        };
        (duration(self.duration_min), duration(self.duration_max))
    }

    /// The question for version 2.
    pub(super) fn v2(&self, window: Window, depth: usize) -> v2::TraceQueryParameters {
        let (duration_min, duration_max) = self.durations();
        let attributes = self.tags.iter().map(|(key, text)| v2::KeyValue {
            key: key.clone(),
            value: Some(v2::AnyValue {
                value: Some(Value::StringValue(text.clone())),
            }),
        });
        v2::TraceQueryParameters {
            service_name: self.service.clone(),
            operation_name: self.operation.clone(),
            attributes: attributes.collect(),
            start_time_min: Some(timestamp(window.start)),
            start_time_max: Some(timestamp(latest(window))),
            duration_min,
            duration_max,
            search_depth: i32::try_from(depth).unwrap_or(i32::MAX),
            filter: None,
        }
    }

    /// The question for version 1.
    pub(super) fn v1(&self, window: Window, depth: usize) -> v1::TraceQueryParameters {
        let (duration_min, duration_max) = self.durations();
        v1::TraceQueryParameters {
            service_name: self.service.clone(),
            operation_name: self.operation.clone(),
            tags: self.tags.clone().into_iter().collect(),
            start_time_min: Some(timestamp(window.start)),
            start_time_max: Some(timestamp(latest(window))),
            duration_min,
            duration_max,
            num_traces: i32::try_from(depth).unwrap_or(i32::MAX),
        }
    }
}

/// The end of a window as servers can count it: in 64 bits of nanoseconds with a sign.
fn latest(window: Window) -> u64 {
    window.end.min(i64::MAX.cast_unsigned())
}

fn set(place: &mut String, text: &str) {
    if place.is_empty() {
        text.clone_into(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(field: Field, literal: Literal) -> Predicate {
        Predicate::Compare(field, Operator::Equal, literal)
    }

    fn text(text: &str) -> Literal {
        Literal::String(text.to_owned())
    }

    fn tagged(key: &str, place: Place) -> Predicate {
        let key = key.to_owned();
        is(
            Field::Attribute { place, key },
            Literal::Text("x".to_owned()),
        )
    }

    #[test]
    fn what_every_match_fulfils_is_asked_and_nothing_else() {
        let asked = Predicate::And(vec![
            is(Field::Service, text("shop")),
            is(Field::Name, text("GET /")),
            is(Field::Status, Literal::Int(2)),
            is(Field::Kind, Literal::Int(2)),
            tagged("colour", Place::Anywhere),
            Predicate::Compare(Field::Duration, Operator::Greater, Literal::Int(5)),
            Predicate::Compare(Field::Duration, Operator::LessOrEqual, Literal::Int(9)),
        ]);
        let lowered = Lowered::of(&asked);
        let query = lowered.v1(Window { start: 0, end: 1 }, 7);
        assert_eq!(
            (query.service_name.as_str(), query.operation_name.as_str()),
            ("shop", "GET /")
        );
        let mut tags: Vec<_> = query.tags.into_iter().collect();
        tags.sort();
        let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
        assert_eq!(
            tags,
            [
                pair("colour", "x"),
                pair("error", "true"),
                pair("span.kind", "server")
            ]
        );
        assert_eq!(query.duration_min.unwrap().nanos, 5);
        assert_eq!(query.duration_max.unwrap().nanos, 9);
        // None of these holds for every match, or it means something else to a server.
        for left_out in [
            Predicate::Not(Box::new(is(Field::Service, text("shop")))),
            Predicate::Or(vec![
                is(Field::Service, text("shop")),
                is(Field::Service, text("cart")),
            ]),
            is(Field::Name, text(NAME_EMPTY)),
            is(Field::Status, Literal::Int(1)),
            tagged("colour", Place::Span),
            tagged("error", Place::Anywhere),
            tagged("resource.colour", Place::Anywhere),
            Predicate::Compare(Field::Duration, Operator::GreaterOrEqual, Literal::Int(0)),
        ] {
            assert_eq!(Lowered::of(&left_out), Lowered::default(), "{left_out:?}");
        }
        assert!(Lowered::of(&Predicate::Or(Vec::new())).finds_nothing);
    }
}
