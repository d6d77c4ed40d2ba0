//! What values are when a query is judged: how they compare, and what is computed of them.
//!
//! Promises
//! - Types don't coerce, except whole numbers with others, which are compared exactly. What can't be compared is
//!   neither equal nor unequal.
//! - Arithmetic never fails loudly: what overflows, is divided by zero, or is no finite number is no value, and every
//!   comparison with it is false. Durations are whole nanoseconds.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "floating-point numbers are rounded on purpose, and within bounds"
)]

use std::borrow::Cow;
use std::cmp::Ordering;

use model::{SpanId, TraceId};
use regex::Regex;

use crate::ast::{ArithOp, CompareOp, Expr, Kind, Literal, Node, Status};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Duration(i64),
    Status(i32),
    Kind(i32),
    TraceId(TraceId),
    /// Zero for no span.
    SpanId(SpanId),
}

impl Literal {
    /// Its value; `nil` has none.
    pub(crate) fn value(&self) -> Option<Value<'_>> {
        Some(match self {
            Self::String(text) => Value::Text(Cow::Borrowed(text)),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Bool(is) => Value::Bool(*is),
            Self::Nil => return None,
            Self::Duration(nanos) => Value::Duration(*nanos),
            Self::Status(status) => Value::Status(status.number()),
            Self::Kind(kind) => Value::Kind(kind.number()),
        })
    }
}

impl Value<'_> {
    /// As text, where it is one.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::TraceId(id) => Some(Cow::Owned(id.to_string())),
            Self::SpanId(id) if id.is_zero() => Some(Cow::Borrowed("")),
            Self::SpanId(id) => Some(Cow::Owned(id.to_string())),
            _ => None,
        }
    }
}

impl Value<'_> {
    /// As it is shown to people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone().into_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => model::value::number_text(*number),
            Self::Bool(is) => is.to_string(),
            Self::Duration(nanos) => Literal::Duration(*nanos).to_string(),
            Self::Status(number) => Status::ALL
                .into_iter()
                .find(|status| status.number() == *number)
                .map_or_else(|| number.to_string(), |status| status.text().to_owned()),
            Self::Kind(number) => Kind::ALL
                .into_iter()
                .find(|kind| kind.number() == *number)
                .map_or_else(|| number.to_string(), |kind| kind.text().to_owned()),
            Self::TraceId(id) => id.to_string(),
            Self::SpanId(id) => id.to_string(),
        }
    }
}

/// Whether two values are equal; `None` where they can't be compared.
pub(crate) fn is_equal(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    match (left, right) {
        (Value::Bool(one), Value::Bool(two)) => Some(one == two),
        (Value::Status(one), Value::Status(two)) | (Value::Kind(one), Value::Kind(two)) => {
            Some(one == two)
        }
        (Value::TraceId(id), Value::Text(text)) | (Value::Text(text), Value::TraceId(id)) => {
            Some(TraceId::parse(text) == Ok(*id))
        }
        (Value::SpanId(id), Value::Text(text)) | (Value::Text(text), Value::SpanId(id)) => {
            let is_none = text.is_empty() && id.is_zero();
            Some(is_none || (!id.is_zero() && SpanId::parse(text) == Ok(*id)))
        }
        _ => order(left, right).map(Ordering::is_eq),
    }
}

/// The order of two values; `None` where there is none.
pub(crate) fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(one), Value::Int(two)) | (Value::Duration(one), Value::Duration(two)) => {
            Some(one.cmp(two))
        }
        (Value::Float(one), Value::Float(two)) => one.partial_cmp(two),
        (Value::Int(one), Value::Float(two)) => order_mixed(*one, *two),
        (Value::Float(one), Value::Int(two)) => order_mixed(*two, *one).map(Ordering::reverse),
        _ => Some(left.text()?.as_bytes().cmp(right.text()?.as_bytes())),
    }
}

/// A whole number and another by value, exactly.
fn order_mixed(int: i64, float: f64) -> Option<Ordering> {
    if plumbing::planted("traceql-int-compared-as-float") {
        return (int as f64).partial_cmp(&float);
    }
    // 2^63: beyond it lies no whole number, and within it the whole part of a float is exact.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= BOUND {
        return Some(Ordering::Less);
    }
    if float < -BOUND {
        return Some(Ordering::Greater);
    }
    let by_rest = 0.0f64.partial_cmp(&float.fract())?;
    Some(int.cmp(&(float.trunc() as i64)).then(by_rest))
}

/// Whether a comparison holds between some values of one owner and some of another: `=` and `=~` any of them, `!=` and
/// `!~` none of them, where at least one can be compared.
pub(crate) fn compare(
    op: CompareOp,
    left: &[Value<'_>],
    right: &[Value<'_>],
    pattern: Option<&Regex>,
) -> bool {
    let pairs = || {
        left.iter()
            .flat_map(|one| right.iter().map(move |two| (one, two)))
    };
    let any = |wanted: fn(Ordering) -> bool| {
        pairs().any(|(one, two)| order(one, two).is_some_and(wanted))
    };
    let none = |results: &mut dyn Iterator<Item = bool>| {
        let mut is_compared = false;
        for is_one in results {
            if is_one {
                return false;
            }
            is_compared = true;
        }
        is_compared
    };
    let mut texts = left.iter().filter_map(Value::text);
    let is_match = |text: Cow<'_, str>| pattern.is_some_and(|regex| regex.is_match(&text));
    match op {
        CompareOp::Equal => pairs().any(|(one, two)| is_equal(one, two) == Some(true)),
        CompareOp::NotEqual => none(&mut pairs().filter_map(|(one, two)| is_equal(one, two))),
        CompareOp::Greater => any(Ordering::is_gt),
        CompareOp::GreaterOrEqual => any(Ordering::is_ge),
        CompareOp::Less => any(Ordering::is_lt),
        CompareOp::LessOrEqual => any(Ordering::is_le),
        CompareOp::Matches => texts.any(is_match),
        CompareOp::MatchesNot => none(&mut texts.map(is_match)),
    }
}

/// What is computed of two values; `None` where there is no result.
pub(crate) fn compute(op: ArithOp, left: &Value<'_>, right: &Value<'_>) -> Option<Value<'static>> {
    use ArithOp as Op;
    match (left, right) {
        (Value::Int(one), Value::Int(two)) => compute_ints(op, *one, *two),
        (Value::Int(one), Value::Float(two)) => compute_floats(op, *one as f64, *two),
        (Value::Float(one), Value::Int(two)) => compute_floats(op, *one, *two as f64),
        (Value::Float(one), Value::Float(two)) => compute_floats(op, *one, *two),
        (Value::Duration(one), Value::Duration(two)) => match op {
            Op::Add => one.checked_add(*two).map(Value::Duration),
            Op::Subtract => one.checked_sub(*two).map(Value::Duration),
            Op::Remainder => one.checked_rem(*two).map(Value::Duration),
            Op::Divide => finite(*one as f64 / *two as f64),
            Op::Multiply | Op::Power => None,
        },
        (Value::Duration(nanos), factor) | (factor, Value::Duration(nanos))
            if op == Op::Multiply =>
        {
            scaled(*nanos, factor)
        }
        (Value::Duration(nanos), Value::Int(by)) if op == Op::Divide => {
            nanos.checked_div(*by).map(Value::Duration)
        }
        (Value::Duration(nanos), Value::Float(by)) if op == Op::Divide => {
            rounded(*nanos as f64 / by).map(Value::Duration)
        }
        _ => None,
    }
}

fn compute_ints(op: ArithOp, left: i64, right: i64) -> Option<Value<'static>> {
    let result = match op {
        ArithOp::Add => left.checked_add(right),
        ArithOp::Subtract => left.checked_sub(right),
        ArithOp::Multiply => left.checked_mul(right),
        ArithOp::Divide => left.checked_div(right),
        ArithOp::Remainder => left.checked_rem(right),
        ArithOp::Power => match u32::try_from(right) {
            Ok(exponent) => left.checked_pow(exponent),
            Err(_) => return finite((left as f64).powf(right as f64)),
        },
    };
    result.map(Value::Int)
}

fn compute_floats(op: ArithOp, left: f64, right: f64) -> Option<Value<'static>> {
    finite(match op {
        ArithOp::Add => left + right,
        ArithOp::Subtract => left - right,
        ArithOp::Multiply => left * right,
        ArithOp::Divide => left / right,
        ArithOp::Remainder => left % right,
        ArithOp::Power => left.powf(right),
    })
}

fn finite(number: f64) -> Option<Value<'static>> {
    number.is_finite().then_some(Value::Float(number))
}

fn scaled(nanos: i64, factor: &Value<'_>) -> Option<Value<'static>> {
    let nanos = match factor {
        Value::Int(by) => nanos.checked_mul(*by),
        Value::Float(by) => rounded(nanos as f64 * by),
        _ => None,
    };
    nanos.map(Value::Duration)
}

/// The whole part, where it fits.
fn rounded(number: f64) -> Option<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    (-BOUND..BOUND).contains(&number).then_some(number as i64)
}

/// The number with the other sign.
pub(crate) fn negated(value: &Value<'_>) -> Option<Value<'static>> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int),
        Value::Float(number) => Some(Value::Float(-number)),
        Value::Duration(nanos) => nanos.checked_neg().map(Value::Duration),
        _ => None,
    }
}

/// What an operand is before any span is looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant<'a> {
    Value(Value<'a>),
    /// No value, whatever the span is: `1 / 0`.
    Nothing,
    /// It depends on the span.
    Depends,
}

/// Computes what follows from the text alone.
pub(crate) fn constant(expr: &Expr) -> Constant<'_> {
    match &expr.node {
        Node::Literal(literal) => literal.value().map_or(Constant::Nothing, Constant::Value),
        Node::Negative(of) => match constant(of) {
            Constant::Value(value) => negated(&value).map_or(Constant::Nothing, Constant::Value),
            other => other,
        },
        Node::Arith(op, left, right) => match (constant(left), constant(right)) {
            (Constant::Nothing, _) | (_, Constant::Nothing) => Constant::Nothing,
            (Constant::Value(left), Constant::Value(right)) => {
                compute(*op, &left, &right).map_or(Constant::Nothing, Constant::Value)
            }
            _ => Constant::Depends,
        },
        _ => Constant::Depends,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_others_are_compared_exactly() {
        let big = (1i64 << 53) + 1;
        assert_eq!(
            order_mixed(big, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order_mixed(i64::MAX, 9_223_372_036_854_775_808.0),
            Some(Ordering::Less)
        );
        assert_eq!(
            order_mixed(i64::MIN, -9_223_372_036_854_775_808.0),
            Some(Ordering::Equal)
        );
        assert_eq!(order_mixed(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(order_mixed(0, f64::NEG_INFINITY), Some(Ordering::Greater));
        assert_eq!(order_mixed(0, f64::NAN), None);
    }

    #[test]
    fn arithmetic_that_has_no_result_is_no_value() {
        let ints = |op, one, two| compute(op, &Value::Int(one), &Value::Int(two));
        assert_eq!(ints(ArithOp::Divide, 1, 0), None);
        assert_eq!(ints(ArithOp::Add, i64::MAX, 1), None);
        assert_eq!(ints(ArithOp::Remainder, i64::MIN, -1), None);
        assert_eq!(ints(ArithOp::Power, 2, 10), Some(Value::Int(1024)));
        assert_eq!(ints(ArithOp::Power, 2, -1), Some(Value::Float(0.5)));
        assert_eq!(ints(ArithOp::Power, 10, 19), None);
        let second = Value::Duration(1_000_000_000);
        let twice = compute(ArithOp::Multiply, &Value::Float(1.5), &second);
        assert_eq!(twice, Some(Value::Duration(1_500_000_000)));
        assert_eq!(compute(ArithOp::Add, &second, &Value::Int(1)), None);
        assert_eq!(
            compute(ArithOp::Divide, &second, &second),
            Some(Value::Float(1.0))
        );
        assert_eq!(compute(ArithOp::Divide, &second, &Value::Duration(0)), None);
    }
}
