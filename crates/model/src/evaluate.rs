//! Judges one span by a predicate: the meaning of `model::predicate`, row by row.
//!
//! Promises
//! - The same answer whatever holds the span: what segments decide faster must agree with this, and what other backends
//!   can't decide is decided here.
//! - Regular expressions run in linear time and are compiled once, with a bound on their size.
//!
//! Read next: `model::predicate` for the rules that are implemented here.

use std::cmp::Ordering;

use crate::batch::{AttrValue, Attribute, EventRef, LinkRef, SpanBatch, SpanRef};
use crate::{Field, Literal, Operator, Place, Predicate};
use regex::{Regex, RegexBuilder};

/// Bytes that a compiled regular expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// Levels of a predicate; deeper ones are refused.
const PREDICATE_DEPTH_MAX: usize = 64;

/// Says why a predicate can't be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredicateError {
    /// The pattern is no regular expression, or too big a one.
    #[error("regular expression {pattern:?} is not usable: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// Too many levels.
    #[error("the query has more than {PREDICATE_DEPTH_MAX} levels; write it flatter")]
    Depth,
}

/// A predicate that is ready to be evaluated.
#[derive(Debug, Clone)]
pub struct Compiled {
    root: Node,
    /// Texts of which every match must have at least one, per conjunct: what lets a batch be passed over.
    required: Vec<String>,
}

/// A predicate, compiled.
#[derive(Debug, Clone)]
pub enum Node {
    /// Every span.
    All,
    /// All hold.
    And(Vec<Node>),
    /// At least one holds.
    Or(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// There is a value.
    Exists(Field),
    /// A value passes.
    Compare(Field, Test),
}

/// What a value is held against.
#[derive(Debug, Clone)]
pub enum Test {
    /// A literal.
    Literal(Operator, Literal),
    /// A pattern for the whole of a text.
    Pattern {
        /// The pattern, anchored.
        regex: Regex,
        /// Whether it has to match.
        is_wanted: bool,
    },
}

impl Compiled {
    /// Makes a predicate ready: compiles its patterns, checks its depth.
    pub fn new(predicate: &Predicate) -> Result<Self, PredicateError> {
        let mut required = Vec::new();
        collect_required(predicate, &mut required);
        Ok(Self {
            root: compile(predicate, 0)?,
            required,
        })
    }

    /// What is judged.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Tells whether some span of a batch could match; `false` is certain.
    #[must_use]
    pub fn may_match(&self, batch: &SpanBatch) -> bool {
        self.required
            .iter()
            .all(|text| batch.strings().find(text).is_some())
    }

    /// Tells whether every match has some text that is known.
    #[must_use]
    pub fn requires_a_text(&self) -> bool {
        !self.required.is_empty()
    }
}

/// Texts that must be in the string table of a batch with a match: of top-level conjuncts that compare a text for
/// equality. A canonical text is only required when nothing but a text can be written so.
fn collect_required(predicate: &Predicate, required: &mut Vec<String>) {
    match predicate {
        Predicate::And(all) => all.iter().for_each(|one| collect_required(one, required)),
        Predicate::Compare(field, Operator::Equal, Literal::String(text)) => {
            let is_in_table =
                !matches!(field, Field::TraceId | Field::SpanId | Field::ParentSpanId);
            if is_in_table && !text.is_empty() {
                required.push(text.clone());
            }
        }
        Predicate::Compare(field, Operator::Equal, Literal::Text(text)) => {
            // Keys are texts too, so the key must be there whatever the value's type is.
            if let Field::Attribute { key, .. } = field {
                required.push(key.clone());
            }
            if is_only_text(text) {
                required.push(text.clone());
            }
        }
        Predicate::Exists(Field::Attribute { key, .. }) => required.push(key.clone()),
        _ => {}
    }
}

/// Tells whether no bool, number, bytes, array, map or empty value is written so.
fn is_only_text(text: &str) -> bool {
    let starts_as_other =
        text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '[' | '{' | '+'));
    let is_word = matches!(text, "true" | "false" | "NaN" | "Infinity" | "");
    let is_base64 = text.len().is_multiple_of(4)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    !starts_as_other && !is_word && !is_base64
}

fn compile(predicate: &Predicate, depth: usize) -> Result<Node, PredicateError> {
    if depth > PREDICATE_DEPTH_MAX {
        return Err(PredicateError::Depth);
    }
    let all = |of: &[Predicate]| {
        of.iter()
            .map(|one| compile(one, depth + 1))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match predicate {
        Predicate::All => Node::All,
        Predicate::And(of) => Node::And(all(of)?),
        Predicate::Or(of) => Node::Or(all(of)?),
        Predicate::Not(one) => Node::Not(Box::new(compile(one, depth + 1)?)),
        Predicate::Exists(field) => Node::Exists(field.clone()),
        Predicate::Compare(field, operator, literal) => {
            Node::Compare(field.clone(), compile_test(*operator, literal)?)
        }
    })
}

fn compile_test(operator: Operator, literal: &Literal) -> Result<Test, PredicateError> {
    let is_wanted = match operator {
        Operator::Matches => true,
        Operator::MatchesNot => false,
        _ => return Ok(Test::Literal(operator, literal.clone())),
    };
    let (Literal::String(pattern) | Literal::Text(pattern)) = literal else {
        let reason = "it is no text".to_owned();
        return Err(PredicateError::Pattern {
            pattern: format!("{literal:?}"),
            reason,
        });
    };
    let built = RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(REGEX_BYTES_MAX)
        .build();
    let regex = built.map_err(|e| PredicateError::Pattern {
        pattern: pattern.clone(),
        reason: e.to_string(),
    })?;
    Ok(Test::Pattern { regex, is_wanted })
}

/// Tells whether a span satisfies a predicate.
#[must_use]
pub fn matches(span: SpanRef<'_>, predicate: &Compiled) -> bool {
    holds(span, &predicate.root)
}

/// Tells whether a span satisfies a compiled predicate, or a part of one.
#[must_use]
pub fn holds(span: SpanRef<'_>, node: &Node) -> bool {
    match node {
        Node::All => true,
        Node::And(all) => all.iter().all(|one| holds(span, one)),
        Node::Or(any) => any.iter().any(|one| holds(span, one)),
        Node::Not(one) => !holds(span, one),
        Node::Exists(field) => any_value(span, field, &mut |_| true),
        Node::Compare(Field::TraceId, test) => is_id(test, |literal| {
            *literal == Literal::TraceId(span.trace_id())
        }),
        Node::Compare(Field::SpanId, test) => {
            is_id(test, |literal| *literal == Literal::SpanId(span.span_id()))
        }
        Node::Compare(Field::ParentSpanId, test) => {
            let parent = span.parent_span_id();
            !parent.is_zero() && is_id(test, |literal| *literal == Literal::SpanId(parent))
        }
        Node::Compare(Field::LinkTraceId, test) => span.links().any(|link| {
            is_id(test, |literal| {
                *literal == Literal::TraceId(link.trace_id())
            })
        }),
        Node::Compare(Field::LinkSpanId, test) => span
            .links()
            .any(|link| is_id(test, |literal| *literal == Literal::SpanId(link.span_id()))),
        Node::Compare(field, test) => any_value(span, field, &mut |value| passes(&value, test)),
    }
}

/// Ids are equal or not equal; they have no order, and no pattern matches them.
fn is_id(test: &Test, is_same: impl Fn(&Literal) -> bool) -> bool {
    match test {
        Test::Literal(Operator::Equal, literal) => is_same(literal),
        Test::Literal(Operator::NotEqual, literal) => !is_same(literal),
        _ => false,
    }
}

/// Tells whether one of the field's values passes a test.
pub fn any_value(
    span: SpanRef<'_>,
    field: &Field,
    test: &mut dyn FnMut(AttrValue<'_>) -> bool,
) -> bool {
    let number = |n: u64| AttrValue::Int(i64::try_from(n).unwrap_or(i64::MAX));
    match field {
        Field::TraceId | Field::SpanId => true,
        Field::ParentSpanId => !span.parent_span_id().is_zero(),
        Field::LinkTraceId | Field::LinkSpanId => span.links().len() > 0,
        Field::Name => test(AttrValue::String(span.name())),
        Field::Service => test(AttrValue::String(span.service())),
        Field::Kind => test(AttrValue::Int(span.kind().into())),
        Field::Status => test(AttrValue::Int(span.status().into())),
        Field::StatusMessage => test(AttrValue::String(span.status_message())),
        Field::Start => test(number(span.start())),
        Field::Duration => test(AttrValue::Int(span.duration())),
        Field::TraceState => test(AttrValue::String(span.trace_state())),
        Field::ScopeName => test(AttrValue::String(span.scope().name())),
        Field::ScopeVersion => test(AttrValue::String(span.scope().version())),
        Field::EventName => span
            .events()
            .any(|event| test(AttrValue::String(event.name()))),
        Field::Attribute { place, key } => any_attribute(span, *place, key, test),
    }
}

fn any_attribute(
    span: SpanRef<'_>,
    place: Place,
    key: &str,
    test: &mut dyn FnMut(AttrValue<'_>) -> bool,
) -> bool {
    let mut passes = |attribute: Attribute<'_>| attribute.key == key && test(attribute.value);
    let everywhere = place == Place::Anywhere;
    (everywhere || place == Place::Span) && span.attributes().any(&mut passes)
        || (everywhere || place == Place::Resource) && span.resource().attributes().any(&mut passes)
        || (everywhere || place == Place::Scope) && span.scope().attributes().any(&mut passes)
        || (everywhere || place == Place::Event)
            && span
                .events()
                .any(|e: EventRef<'_>| e.attributes().any(&mut passes))
        || (everywhere || place == Place::Link)
            && span
                .links()
                .any(|l: LinkRef<'_>| l.attributes().any(&mut passes))
}

/// Tells whether a value passes a test.
#[must_use]
pub fn passes(value: &AttrValue<'_>, test: &Test) -> bool {
    match test {
        Test::Literal(operator, literal) => compare(value, *operator, literal),
        Test::Pattern { regex, is_wanted } => match value {
            AttrValue::String(text) => regex.is_match(text) == *is_wanted,
            _ => false,
        },
    }
}

/// Compares one value with a literal, as `model::predicate` says.
#[must_use]
pub fn compare(value: &AttrValue<'_>, operator: Operator, literal: &Literal) -> bool {
    // A text that stands for any type, and a bool, are equal or not equal; they have no order.
    let is_same = match (value, literal) {
        (_, Literal::Text(text)) => Some(value.canonical_text().as_ref() == text.as_str()),
        (AttrValue::Bool(is), Literal::Bool(other)) => Some(is == other),
        _ => None,
    };
    if let Some(is_same) = is_same {
        return operator == Operator::Equal && is_same
            || operator == Operator::NotEqual && !is_same;
    }
    match order_of(value, literal) {
        Some(order) => holds_order(operator, order),
        // Values of different types are not equal and have no order.
        None => operator == Operator::NotEqual,
    }
}

fn order_of(value: &AttrValue<'_>, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (AttrValue::String(text), Literal::String(other)) => Some((*text).cmp(other.as_str())),
        (AttrValue::Int(int), Literal::Int(other)) => Some(int.cmp(other)),
        (AttrValue::Double(double), Literal::Double(other)) => double.partial_cmp(other),
        (AttrValue::Int(int), Literal::Double(other)) => order_of_mixed(*int, *other),
        (AttrValue::Double(double), Literal::Int(other)) => {
            order_of_mixed(*other, *double).map(Ordering::reverse)
        }
        _ => None,
    }
}

/// The order of an int and a double by their exact values.
fn order_of_mixed(int: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // 2^63 is exact as a double; every double at or beyond it is larger than every int.
    if double >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if double < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the bounds above leave what an int can hold"
    )]
    let whole = double.trunc() as i64;
    let fraction = double - double.trunc();
    Some(
        int.cmp(&whole)
            .then_with(|| 0.0_f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal)),
    )
}

fn holds_order(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterOrEqual => order != Ordering::Less,
        Operator::Matches | Operator::MatchesNot => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_types_compare_by_their_exact_value() {
        let cases = [
            (
                AttrValue::Int(2),
                Operator::Greater,
                Literal::Double(1.5),
                true,
            ),
            (
                AttrValue::Int(2),
                Operator::Equal,
                Literal::Double(2.0),
                true,
            ),
            (
                AttrValue::Int(i64::MAX),
                Operator::Equal,
                Literal::Double(9_223_372_036_854_775_807.0),
                false,
            ),
            (
                AttrValue::Double(-0.5),
                Operator::Less,
                Literal::Int(0),
                true,
            ),
            (
                AttrValue::Double(f64::NAN),
                Operator::Equal,
                Literal::Double(f64::NAN),
                false,
            ),
            (
                AttrValue::String("2"),
                Operator::Equal,
                Literal::Int(2),
                false,
            ),
            (
                AttrValue::String("2"),
                Operator::NotEqual,
                Literal::Int(2),
                true,
            ),
            (
                AttrValue::String("2"),
                Operator::Greater,
                Literal::Int(1),
                false,
            ),
            (
                AttrValue::Int(500),
                Operator::Equal,
                Literal::Text("500".into()),
                true,
            ),
            (
                AttrValue::Bool(true),
                Operator::Equal,
                Literal::Text("true".into()),
                true,
            ),
            (
                AttrValue::Bool(true),
                Operator::Equal,
                Literal::Text("TRUE".into()),
                false,
            ),
        ];
        for (value, operator, literal, expected) in cases {
            assert_eq!(
                compare(&value, operator, &literal),
                expected,
                "{value:?} {operator:?} {literal:?}"
            );
        }
    }

    #[test]
    fn a_pattern_is_anchored_and_a_bad_one_is_refused() {
        let of = |pattern: &str| {
            Predicate::Compare(
                Field::Name,
                Operator::Matches,
                Literal::String(pattern.into()),
            )
        };
        assert!(matches!(
            Compiled::new(&of("(")),
            Err(PredicateError::Pattern { .. })
        ));
        assert!(matches!(
            Compiled::new(&of("(a{1000}){1000}")),
            Err(PredicateError::Pattern { .. })
        ));
        let mut builder = crate::BatchBuilder::new();
        let name = builder.intern(b"GET /cart");
        builder.push_span(crate::batch::SpanRow {
            name,
            ..Default::default()
        });
        let batch = builder.finish();
        let span = batch.span(0).unwrap();
        assert!(matches(span, &Compiled::new(&of("GET|GET /.*")).unwrap()));
        assert!(!matches(span, &Compiled::new(&of("GET")).unwrap()));
    }
}
