//! The search parameters of Jaeger's API, lowered to what a store is asked.
//!
//! Promises: what the API shows under a made-up name (`empty-span-name`, `missing-service-name`) is found under it.
//! A few tag keys are no attributes: `error`, `span.status`, `span.kind`, `scope.name`, `scope.version`; the prefix
//! `resource.` asks for the resource only; every other key is looked for in all places, its value as text.
//! Refuses: parsing texts; the front end hands over numbers.

use std::collections::BTreeMap;

use model::batch::{SERVICE_EMPTY, SERVICE_MISSING, SERVICE_WRONG_TYPE};
use model::contract::Window;
use model::{Field, Literal, Operator, Place, Predicate};
use plumbing::planted;

use crate::SPAN_NAME_EMPTY;

const NANOS_PER_MICRO: u64 = 1_000;

/// A search as Jaeger's API words it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JaegerSearch {
    /// The service, exactly; empty for any.
    pub service: String,
    /// The operation, exactly; empty for any.
    pub operation: String,
    /// The least duration in nanoseconds; 0 for none.
    pub duration_min_nanos: i64,
    /// The greatest duration in nanoseconds; 0 for none.
    pub duration_max_nanos: i64,
    /// Tags that must all be on one span.
    pub tags: BTreeMap<String, String>,
    /// The earliest start of the span, in microseconds since the epoch.
    pub start_micros: i64,
    /// The latest start of the span, in microseconds since the epoch.
    pub end_micros: i64,
}

impl JaegerSearch {
    /// What one span must satisfy.
    #[must_use]
    pub fn predicate(&self) -> Predicate {
        let mut all = Predicate::All;
        if !self.service.is_empty() {
            all = all.and(text_is(Field::Service, &self.service));
        }
        if !self.operation.is_empty() {
            all = all.and(operation_is(&self.operation));
        }
        // Every span is shown with at least one nanosecond, and one that is shown must be found: a bound below says
        // nothing.
        if self.duration_min_nanos > 1 {
            all = all.and(duration(Operator::GreaterOrEqual, self.duration_min_nanos));
        }
        if self.duration_max_nanos > 0 {
            all = all.and(duration(Operator::LessOrEqual, self.duration_max_nanos));
        } else if self.duration_max_nanos < 0 {
            all = all.and(nothing());
        }
        self.tags
            .iter()
            .fold(all, |all, (key, value)| all.and(tag_is(key, value)))
    }

    /// When the span must start; `None` when no moment can.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        let end_micros = u64::try_from(self.end_micros).ok()?;
        // What is before the epoch holds no span.
        let start_micros = u64::try_from(self.start_micros).unwrap_or(0);
        let start = start_micros.saturating_mul(NANOS_PER_MICRO);
        let end = end_micros.saturating_mul(NANOS_PER_MICRO);
        let end = if planted("query-window-off-by-one") {
            end.saturating_sub(1)
        } else {
            end
        };
        (start <= end).then_some(Window { start, end })
    }
}

fn nothing() -> Predicate {
    Predicate::Or(Vec::new())
}

fn text_is(field: Field, text: &str) -> Predicate {
    Predicate::Compare(field, Operator::Equal, Literal::String(text.to_owned()))
}

fn duration(operator: Operator, nanos: i64) -> Predicate {
    Predicate::Compare(Field::Duration, operator, Literal::Int(nanos))
}

/// Spans of an operation by the name that is shown.
#[must_use]
pub fn operation_is(operation: &str) -> Predicate {
    let named = text_is(Field::Name, operation);
    if operation == SPAN_NAME_EMPTY {
        return Predicate::Or(vec![named, text_is(Field::Name, "")]);
    }
    named
}

fn attribute_is(place: Place, key: &str, value: &str) -> Predicate {
    let field = Field::Attribute {
        place,
        key: key.to_owned(),
    };
    Predicate::Compare(field, Operator::Equal, Literal::Text(value.to_owned()))
}

fn tag_is(key: &str, value: &str) -> Predicate {
    match key {
        "error" => error_is(value),
        "span.status" => number_is(Field::Status, status_number(value)),
        "span.kind" => number_is(Field::Kind, kind_number(value)),
        "scope.name" => text_is(Field::ScopeName, value),
        "scope.version" => text_is(Field::ScopeVersion, value),
        _ => match key.strip_prefix("resource.") {
            Some(key) => resource_attribute_is(Place::Resource, key, value),
            None => resource_attribute_is(Place::Anywhere, key, value),
        },
    }
}

/// An attribute that may stand on the resource. The service's name is shown even where none was sent.
fn resource_attribute_is(place: Place, key: &str, value: &str) -> Predicate {
    let sent = attribute_is(place, key, value);
    let is_made_up = [SERVICE_MISSING, SERVICE_EMPTY, SERVICE_WRONG_TYPE].contains(&value);
    if key == "service.name" && is_made_up {
        return Predicate::Or(vec![sent, text_is(Field::Service, value)]);
    }
    sent
}

/// `error:true` is the status ERROR, `error:false` the status OK (not unset), anything else finds nothing.
fn error_is(value: &str) -> Predicate {
    number_is(
        Field::Status,
        match value {
            "true" => Some(2),
            "false" => Some(1),
            _ => None,
        },
    )
}

fn number_is(field: Field, number: Option<i64>) -> Predicate {
    number.map_or_else(nothing, |number| {
        Predicate::Compare(field, Operator::Equal, Literal::Int(number))
    })
}

fn status_number(text: &str) -> Option<i64> {
    match text.to_ascii_lowercase().as_str() {
        "unset" => Some(0),
        "ok" => Some(1),
        "error" => Some(2),
        _ => None,
    }
}

fn kind_number(text: &str) -> Option<i64> {
    match text.to_ascii_lowercase().as_str() {
        "unspecified" => Some(0),
        "internal" => Some(1),
        "server" => Some(2),
        "client" => Some(3),
        "producer" => Some(4),
        "consumer" => Some(5),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(key: &str, value: &str) -> Predicate {
        let tags = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        JaegerSearch {
            tags,
            ..JaegerSearch::default()
        }
        .predicate()
    }

    fn number(field: Field, number: i64) -> Predicate {
        Predicate::Compare(field, Operator::Equal, Literal::Int(number))
    }

    #[test]
    fn special_keys_ask_for_fields_and_not_for_attributes() {
        assert_eq!(tagged("error", "true"), number(Field::Status, 2));
        assert_eq!(tagged("error", "false"), number(Field::Status, 1));
        assert_eq!(tagged("error", "yes"), Predicate::Or(Vec::new()));
        assert_eq!(tagged("span.status", "Unset"), number(Field::Status, 0));
        assert_eq!(tagged("span.kind", "SERVER"), number(Field::Kind, 2));
        assert_eq!(tagged("span.kind", "sideways"), Predicate::Or(Vec::new()));
        assert_eq!(
            tagged("scope.version", "1"),
            text_is(Field::ScopeVersion, "1")
        );
        assert_eq!(
            tagged("resource.env", "prod"),
            attribute_is(Place::Resource, "env", "prod")
        );
        assert_eq!(
            tagged("env", "prod"),
            attribute_is(Place::Anywhere, "env", "prod")
        );
    }

    #[test]
    fn names_that_are_only_shown_are_found_too() {
        let search = JaegerSearch {
            operation: SPAN_NAME_EMPTY.to_owned(),
            ..JaegerSearch::default()
        };
        let either = vec![
            text_is(Field::Name, SPAN_NAME_EMPTY),
            text_is(Field::Name, ""),
        ];
        assert_eq!(search.predicate(), Predicate::Or(either));
        let sent = attribute_is(Place::Anywhere, "service.name", SERVICE_MISSING);
        let shown = text_is(Field::Service, SERVICE_MISSING);
        assert_eq!(
            tagged("service.name", SERVICE_MISSING),
            Predicate::Or(vec![sent, shown])
        );
    }

    #[test]
    fn a_window_holds_both_its_microseconds_and_none_is_empty_by_accident() {
        let search = |start_micros, end_micros| JaegerSearch {
            start_micros,
            end_micros,
            ..JaegerSearch::default()
        };
        assert_eq!(
            search(2, 2).window(),
            Some(Window {
                start: 2_000,
                end: 2_000
            })
        );
        assert_eq!(search(-5, 0).window(), Some(Window { start: 0, end: 0 }));
        assert_eq!(search(3, 2).window(), None);
        assert_eq!(search(-5, -1).window(), None);
        let always = search(0, i64::MAX).window().unwrap();
        assert_eq!(always.end, u64::MAX);
    }

    #[test]
    fn bounds_on_durations_are_off_at_zero_and_a_negative_greatest_finds_nothing() {
        let search = |min, max| JaegerSearch {
            duration_min_nanos: min,
            duration_max_nanos: max,
            ..JaegerSearch::default()
        };
        assert_eq!(search(0, 0).predicate(), Predicate::All);
        assert_eq!(search(-1, 0).predicate(), Predicate::All);
        assert_eq!(search(0, -1).predicate(), nothing());
        let both = vec![
            duration(Operator::GreaterOrEqual, 5),
            duration(Operator::LessOrEqual, 9),
        ];
        assert_eq!(search(5, 9).predicate(), Predicate::And(both));
    }
}
