//! What the indices are asked for a predicate: parts of them that together name every span that matches.
//!
//! Promises: no span that matches is missed; more may come than match, and each is judged on what is read. Every index
//! is one of a service: where a predicate names none, all of them are asked.
//!
//! Not asked for, because Jaeger's layout has no index of it: comparisons other than equality but for durations, the
//! presence of an attribute, texts that are long or objects of JSON, ids of spans and links.

use std::collections::BTreeSet;

use codec::jaeger_encode::kind_name;
use codec::jaeger_row::{RowValue, indexed_text};
use model::batch::SERVICE_MISSING;
use model::{Field, Literal, Operator, Place, Predicate, TraceId};

use super::write::in_key;

/// What Jaeger calls the service of a resource without any attribute.
const SERVICE_OF_EMPTY_RESOURCE: &str = "OTLPResourceNoServiceName";
/// Attributes that are read from something else than a tag.
const KEYS_OF_NO_TAG: [&str; 2] = ["service.name", "opentracing.ref_type"];
const STATUS_OK: i64 = 1;
const STATUS_ERROR: i64 = 2;
const NANOS_PER_MICRO: i64 = 1_000;

/// A part of an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// One trace.
    Trace(TraceId),
    /// Spans with a tag.
    Tag(String, String),
    /// Spans of an operation.
    Operation(String),
    /// Spans that take so many microseconds at least.
    Longer(i64),
    /// All spans.
    All,
}

/// Parts whose spans together are all that may match.
pub(super) type Union = BTreeSet<Part>;

/// The ways in which all spans may be found that match; there is one at least.
pub(super) fn ways(predicate: &Predicate) -> Vec<Union> {
    let mut ways = of(predicate);
    if ways.is_empty() {
        ways.push(Union::from([Part::All]));
    }
    ways
}

/// The services that spans which match can be of; nothing where they may be of any.
pub(super) fn services(predicate: &Predicate) -> Option<BTreeSet<String>> {
    match predicate {
        Predicate::Compare(Field::Service, Operator::Equal, Literal::String(name)) => {
            let mut names = BTreeSet::from([in_key(name)]);
            if name == SERVICE_MISSING {
                names.extend([String::new(), SERVICE_OF_EMPTY_RESOURCE.to_owned()]);
            }
            Some(names)
        }
        Predicate::And(all) => {
            let named = all.iter().filter_map(services);
            named.reduce(|one, other| one.intersection(&other).cloned().collect())
        }
        Predicate::Or(any) => any
            .iter()
            .map(services)
            .try_fold(BTreeSet::new(), |mut all, one| {
                all.extend(one?);
                Some(all)
            }),
        _ => None,
    }
}

fn of(predicate: &Predicate) -> Vec<Union> {
    match predicate {
        Predicate::All | Predicate::Not(_) | Predicate::Exists(_) => Vec::new(),
        Predicate::And(all) => all.iter().flat_map(of).collect(),
        // Each must be found by itself; of several ways the one is taken whose first part says most.
        Predicate::Or(any) => {
            let best = any.iter().map(|one| of(one).into_iter().min());
            let together: Option<Union> = best
                .collect::<Option<Vec<_>>>()
                .map(|ways| ways.into_iter().flatten().collect());
            together.into_iter().collect()
        }
        Predicate::Compare(field, operator, literal) => {
            compare(field, *operator, literal).into_iter().collect()
        }
    }
}

fn compare(field: &Field, operator: Operator, literal: &Literal) -> Option<Union> {
    let equal = operator == Operator::Equal;
    match (field, literal) {
        (Field::TraceId, Literal::TraceId(id)) if equal => Some(Union::from([Part::Trace(*id)])),
        (Field::Name, Literal::String(name)) if equal => {
            Some(Union::from([Part::Operation(in_key(name))]))
        }
        (Field::Duration, Literal::Int(nanos)) => match operator {
            Operator::Equal | Operator::Greater | Operator::GreaterOrEqual if *nanos > 0 => {
                Some(Union::from([Part::Longer(nanos / NANOS_PER_MICRO)]))
            }
            _ => None,
        },
        (Field::Kind, Literal::Int(kind)) if equal => {
            let name = kind_name(i32::try_from(*kind).ok()?)?;
            tagged(&["span.kind"], &[RowValue::Text(name.to_owned())])
        }
        (Field::Status, Literal::Int(status)) if equal => of_status(*status),
        (Field::Attribute { place, key }, literal) if equal => of_attribute(*place, key, literal),
        (field, Literal::String(text)) if equal && !text.is_empty() => {
            let keys: &[&str] = match field {
                Field::ScopeName => &["otel.scope.name", "otel.library.name"],
                Field::ScopeVersion => &["otel.scope.version", "otel.library.version"],
                Field::StatusMessage => &["otel.status_description"],
                Field::TraceState => &["w3c.tracestate"],
                Field::EventName => &["event"],
                _ => return None,
            };
            tagged(keys, &[RowValue::Text(text.clone())])
        }
        _ => None,
    }
}

/// What says that a span has failed, or has not.
fn of_status(status: i64) -> Option<Union> {
    let words: &[&str] = match status {
        STATUS_OK => &["OK", "ok", "Ok"],
        STATUS_ERROR => &["ERROR", "error", "Error"],
        _ => return None,
    };
    let words: Vec<RowValue> = words
        .iter()
        .map(|word| RowValue::Text((*word).to_owned()))
        .collect();
    let mut said = tagged(&["otel.status_code"], &words)?;
    if status == STATUS_ERROR {
        said.extend(tagged(&["error"], &[RowValue::Bool(true)])?);
    }
    Some(said)
}

fn of_attribute(place: Place, key: &str, literal: &Literal) -> Option<Union> {
    if matches!(place, Place::Scope | Place::Link) || KEYS_OF_NO_TAG.contains(&key) {
        return None;
    }
    tagged(&[key], &values_of(literal)?)
}

/// The values that are equal to a literal, in all the types that they may have.
fn values_of(literal: &Literal) -> Option<Vec<RowValue>> {
    Some(match literal {
        Literal::String(text) => vec![RowValue::Text(text.clone())],
        Literal::Bool(is) => vec![RowValue::Bool(*is)],
        // A double that is equal is written in ten digits.
        #[allow(clippy::cast_precision_loss, reason = "ten digits are compared")]
        Literal::Int(int) => vec![RowValue::Int(*int), RowValue::Double(*int as f64)],
        Literal::Double(double) => {
            let mut values = vec![RowValue::Double(*double)];
            values.extend(whole(*double).map(RowValue::Int));
            values
        }
        Literal::Text(text) => {
            // What looks like a number may be one: by its digits, or in ten of them.
            let mut values = vec![RowValue::Text(text.clone())];
            values.extend(text.parse::<f64>().ok().map(RowValue::Double));
            values
        }
        Literal::TraceId(_) | Literal::SpanId(_) => return None,
    })
}

/// The whole number that a double is.
fn whole(double: f64) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let text = format!("{double:.0}");
    let is_whole = double.fract() == 0.0 && double.abs() <= EXACT_MAX;
    is_whole.then(|| text.parse().ok())?
}

/// Spans that have one of some tags with one of some values; nothing where one of these is not in the index.
fn tagged(keys: &[&str], values: &[RowValue]) -> Option<Union> {
    let mut parts = Union::new();
    for key in keys {
        for value in values {
            let text = indexed_text(key, value)?;
            parts.insert(Part::Tag((*key).to_owned(), text));
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(field: Field, operator: Operator, literal: Literal) -> Predicate {
        Predicate::Compare(field, operator, literal)
    }

    fn text(text: &str) -> Literal {
        Literal::String(text.to_owned())
    }

    fn tag(literal: Literal) -> Predicate {
        let field = Field::Attribute {
            place: Place::Anywhere,
            key: "k".to_owned(),
        };
        is(field, Operator::Equal, literal)
    }

    fn tags(of: &[(&str, &str)]) -> Union {
        of.iter()
            .map(|(key, value)| Part::Tag((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn values_are_looked_up_in_all_the_types_that_they_may_have() {
        for (literal, expected) in [
            (text("500"), &["500"][..]),
            (Literal::Text("500".to_owned()), &["500"]),
            (
                Literal::Text("0.30000000000000004".to_owned()),
                &["0.30000000000000004", "0.3"],
            ),
            (
                Literal::Text("-Infinity".to_owned()),
                &["-Infinity", "-Inf"],
            ),
            (
                Literal::Int(12_345_678_901),
                &["12345678901", "1.23456789e+10"],
            ),
            (Literal::Double(2.0), &["2"]),
            (Literal::Double(2.5), &["2.5"]),
            (Literal::Bool(true), &["true"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|value| ("k", *value)).collect();
            assert_eq!(
                ways(&tag(literal.clone())),
                [tags(&expected)],
                "{literal:?}"
            );
        }
        let long = "x".repeat(256);
        for literal in [text(&long), text("{\"a\":1}"), Literal::Text(long.clone())] {
            assert_eq!(ways(&tag(literal)), [Union::from([Part::All])]);
        }
    }

    #[test]
    fn every_condition_is_a_way_and_alternatives_are_one_together() {
        let name = is(Field::Name, Operator::Equal, text("GET /"));
        let slow = is(Field::Duration, Operator::Greater, Literal::Int(2_000_500));
        let of_name = Union::from([Part::Operation("GET /".to_owned())]);
        let of_slow = Union::from([Part::Longer(2_000)]);
        let both = Predicate::And(vec![name.clone(), slow.clone()]);
        assert_eq!(ways(&both), [of_name.clone(), of_slow.clone()]);
        let either = Predicate::Or(vec![name.clone(), slow.clone()]);
        assert_eq!(
            ways(&either),
            [of_name.union(&of_slow).cloned().collect::<Union>()]
        );
        let all = Union::from([Part::All]);
        let or_any = Predicate::Or(vec![name.clone(), Predicate::All]);
        assert_eq!(ways(&or_any), std::slice::from_ref(&all));
        assert_eq!(ways(&Predicate::Not(Box::new(name))), [all]);
        assert_eq!(ways(&Predicate::Or(Vec::new())), [Union::new()]);
    }

    #[test]
    fn services_are_those_that_every_part_allows() {
        let of = |name: &str| is(Field::Service, Operator::Equal, text(name));
        let names = |names: &[&str]| -> Option<BTreeSet<String>> {
            Some(names.iter().map(|name| (*name).to_owned()).collect())
        };
        let both = |one, other| Predicate::And(vec![one, other]);
        let either = |one, other| Predicate::Or(vec![one, other]);
        assert_eq!(services(&of("a")), names(&["a"]));
        assert_eq!(services(&either(of("a"), of("b"))), names(&["a", "b"]));
        assert_eq!(services(&both(of("a"), of("b"))), names(&[]));
        assert_eq!(services(&both(of("a"), Predicate::All)), names(&["a"]));
        assert_eq!(services(&either(of("a"), Predicate::All)), None);
        assert_eq!(services(&Predicate::Not(Box::new(of("a")))), None);
        assert!(services(&of(SERVICE_MISSING)).unwrap().contains(""));
    }
}
