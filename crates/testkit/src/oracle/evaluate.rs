//! Judges one span by a [`Predicate`]: the words of `model::predicate`, in the plainest code there is.

#![allow(
    clippy::cast_precision_loss,
    reason = "whole numbers and doubles are compared exactly where it matters"
)]

use std::cmp::Ordering;
use std::collections::HashMap;

use model::batch::{AttrValue, Attribute, SpanRef};
use model::{Field, Literal, Operator, Place, Predicate, SpanId, TraceId};
use regex::Regex;

/// Says that a pattern of a predicate is no regular expression.
#[derive(Debug, thiserror::Error)]
#[error("pattern {pattern:?} is no regular expression: {source}")]
pub struct BadPattern {
    pattern: String,
    source: regex::Error,
}

/// A predicate, ready to judge spans.
#[derive(Debug)]
pub struct Evaluator<'p> {
    predicate: &'p Predicate,
    patterns: HashMap<&'p str, Regex>,
}

/// A value that a span has in a field.
#[derive(Debug, Clone, Copy)]
enum Found<'a> {
    TraceId(TraceId),
    SpanId(SpanId),
    /// A whole number of the span itself; wider than a literal, since times are unsigned.
    Int(i128),
    Value(AttrValue<'a>),
}

impl<'p> Evaluator<'p> {
    /// Compiles the patterns of a predicate.
    pub fn new(predicate: &'p Predicate) -> Result<Self, BadPattern> {
        let mut patterns = HashMap::new();
        let mut to_visit = vec![predicate];
        while let Some(one) = to_visit.pop() {
            match one {
                Predicate::And(all) | Predicate::Or(all) => to_visit.extend(all),
                Predicate::Not(inner) => to_visit.push(inner),
                Predicate::Compare(
                    _,
                    Operator::Matches | Operator::MatchesNot,
                    Literal::String(pattern),
                ) => {
                    let compiled =
                        Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|source| {
                            BadPattern {
                                pattern: pattern.clone(),
                                source,
                            }
                        })?;
                    patterns.insert(pattern.as_str(), compiled);
                }
                Predicate::All | Predicate::Exists(_) | Predicate::Compare(..) => {}
            }
        }
        Ok(Self {
            predicate,
            patterns,
        })
    }

    /// Tells whether the predicate holds for a span.
    #[must_use]
    pub fn holds(&self, span: SpanRef<'_>) -> bool {
        self.judge(self.predicate, span)
    }

    fn judge(&self, predicate: &Predicate, span: SpanRef<'_>) -> bool {
        match predicate {
            Predicate::All => true,
            Predicate::And(all) => all.iter().all(|one| self.judge(one, span)),
            Predicate::Or(any) => any.iter().any(|one| self.judge(one, span)),
            Predicate::Not(inner) => !self.judge(inner, span),
            Predicate::Exists(field) => !values(field, span).is_empty(),
            Predicate::Compare(field, operator, literal) => values(field, span)
                .iter()
                .any(|found| self.compare(*found, *operator, literal)),
        }
    }

    fn compare(&self, found: Found<'_>, operator: Operator, literal: &Literal) -> bool {
        let is_order = |wanted: fn(Ordering) -> bool| order(found, literal).is_some_and(wanted);
        match operator {
            Operator::Equal => is_equal(found, literal),
            Operator::NotEqual => !is_equal(found, literal),
            Operator::Less => is_order(Ordering::is_lt),
            Operator::LessOrEqual => is_order(Ordering::is_le),
            Operator::Greater => is_order(Ordering::is_gt),
            Operator::GreaterOrEqual => is_order(Ordering::is_ge),
            Operator::Matches => self.matches(found, literal) == Some(true),
            Operator::MatchesNot => self.matches(found, literal) == Some(false),
        }
    }

    /// Whether a text matches a pattern; `None` for what is no text.
    fn matches(&self, found: Found<'_>, literal: &Literal) -> Option<bool> {
        match (found, literal) {
            (Found::Value(AttrValue::String(text)), Literal::String(pattern)) => {
                Some(self.patterns.get(pattern.as_str())?.is_match(text))
            }
            _ => None,
        }
    }
}

fn is_equal(found: Found<'_>, literal: &Literal) -> bool {
    match (found, literal) {
        (Found::TraceId(one), Literal::TraceId(two)) => one == *two,
        (Found::SpanId(one), Literal::SpanId(two)) => one == *two,
        (Found::Value(value), Literal::Text(text)) => value.canonical_text() == text.as_str(),
        (Found::Int(number), Literal::Text(text)) => number.to_string() == *text,
        (Found::Value(AttrValue::Bool(one)), Literal::Bool(two)) => one == *two,
        _ => order(found, literal) == Some(Ordering::Equal),
    }
}

/// The order of two texts or two numbers; `None` for other pairs and for NaN.
fn order(found: Found<'_>, literal: &Literal) -> Option<Ordering> {
    match (found, literal) {
        (Found::Value(AttrValue::String(one)), Literal::String(two)) => {
            Some(one.as_bytes().cmp(two.as_bytes()))
        }
        (Found::Int(one), Literal::Int(two)) => Some(one.cmp(&i128::from(*two))),
        (Found::Int(one), Literal::Double(two)) => order_mixed(one, *two),
        (Found::Value(AttrValue::Int(one)), Literal::Int(two)) => Some(one.cmp(two)),
        (Found::Value(AttrValue::Int(one)), Literal::Double(two)) => {
            order_mixed(i128::from(one), *two)
        }
        (Found::Value(AttrValue::Double(one)), Literal::Double(two)) => one.partial_cmp(two),
        (Found::Value(AttrValue::Double(one)), Literal::Int(two)) => {
            order_mixed(i128::from(*two), one).map(Ordering::reverse)
        }
        _ => None,
    }
}

/// A whole number and a double by value, exactly.
fn order_mixed(int: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // Beyond these bounds no 64-bit number lies, and within them a double's whole part is exact.
    const BOUND: f64 = 1e30;
    if double.abs() >= BOUND {
        return Some(if double > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "within the bound the whole part fits"
    )]
    let whole = double.trunc() as i128;
    let rest = double.fract();
    let by_rest = 0.0f64.partial_cmp(&rest)?;
    Some(int.cmp(&whole).then(by_rest))
}

fn text(text: &str) -> Vec<Found<'_>> {
    vec![Found::Value(AttrValue::String(text))]
}

fn values<'a>(field: &Field, span: SpanRef<'a>) -> Vec<Found<'a>> {
    match field {
        Field::TraceId => vec![Found::TraceId(span.trace_id())],
        Field::SpanId => vec![Found::SpanId(span.span_id())],
        Field::ParentSpanId if span.parent_span_id().is_zero() => Vec::new(),
        Field::ParentSpanId => vec![Found::SpanId(span.parent_span_id())],
        Field::Name => text(span.name()),
        Field::Service => text(span.service()),
        Field::Kind => vec![Found::Int(i128::from(span.kind()))],
        Field::Status => vec![Found::Int(i128::from(span.status()))],
        Field::StatusMessage => text(span.status_message()),
        Field::Start => vec![Found::Int(i128::from(span.start()))],
        Field::Duration => vec![Found::Int(i128::from(span.duration()))],
        Field::TraceState => text(span.trace_state()),
        Field::ScopeName => text(span.scope().name()),
        Field::ScopeVersion => text(span.scope().version()),
        Field::EventName => span.events().flat_map(|event| text(event.name())).collect(),
        Field::LinkTraceId => span
            .links()
            .map(|link| Found::TraceId(link.trace_id()))
            .collect(),
        Field::LinkSpanId => span
            .links()
            .map(|link| Found::SpanId(link.span_id()))
            .collect(),
        Field::Attribute { place, key } => attributes(*place, span)
            .into_iter()
            .filter(|attribute| attribute.key == key)
            .map(|attribute| Found::Value(attribute.value))
            .collect(),
    }
}

/// The values of a field that have a text.
pub(super) fn texts<'a>(field: &Field, span: SpanRef<'a>) -> Vec<AttrValue<'a>> {
    let found = values(field, span).into_iter();
    let text = |found| match found {
        Found::Value(value) => Some(value),
        Found::Int(int) => i64::try_from(int).ok().map(AttrValue::Int),
        Found::TraceId(_) | Found::SpanId(_) => None,
    };
    found.filter_map(text).collect()
}

fn attributes<'a>(place: Place, span: SpanRef<'a>) -> Vec<Attribute<'a>> {
    let every = [
        Place::Span,
        Place::Resource,
        Place::Scope,
        Place::Event,
        Place::Link,
    ];
    match place {
        Place::Anywhere => every
            .into_iter()
            .flat_map(|place| attributes(place, span))
            .collect(),
        Place::Span => span.attributes().collect(),
        Place::Resource => span.resource().attributes().collect(),
        Place::Scope => span.scope().attributes().collect(),
        Place::Event => span
            .events()
            .flat_map(|event| event.attributes().collect::<Vec<_>>())
            .collect(),
        Place::Link => span
            .links()
            .flat_map(|link| link.attributes().collect::<Vec<_>>())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_doubles_are_compared_by_value_beyond_what_a_double_holds() {
        let big = (1i128 << 53) + 1;
        assert_eq!(
            order_mixed(big, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(order_mixed(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(order_mixed(2, 2.5), Some(Ordering::Less));
        assert_eq!(order_mixed(2, 2.0), Some(Ordering::Equal));
        assert_eq!(
            order_mixed(i128::MIN, f64::NEG_INFINITY),
            Some(Ordering::Greater)
        );
        assert_eq!(order_mixed(0, f64::NAN), None);
    }

    #[test]
    fn a_pattern_must_match_the_whole_text() {
        let predicate = Predicate::Compare(
            Field::Name,
            Operator::Matches,
            Literal::String("a|b".to_owned()),
        );
        let evaluator = Evaluator::new(&predicate).unwrap();
        let matches = |name: &'static str| {
            let found = Found::Value(AttrValue::String(name));
            evaluator.compare(found, Operator::Matches, &Literal::String("a|b".to_owned()))
        };
        assert!(matches("a") && matches("b") && !matches("ab"));
        let bad = Predicate::Compare(
            Field::Name,
            Operator::Matches,
            Literal::String("(".to_owned()),
        );
        assert!(Evaluator::new(&bad).is_err());
    }
}
