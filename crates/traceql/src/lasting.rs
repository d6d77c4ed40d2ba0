//! What a query says of the duration of whole traces, taken apart from what it says of spans.
//!
//! A store can't judge a span by its trace, but knows how long each trace lasts. So where a condition on that stands at
//! the top, beside others that must hold as well, the store is asked for the others among the spans of such traces.
//!
//! Promises: a query holds for a span when what is left of it holds for the span, and the range for the duration of its
//! trace. Refuses: conditions below `||` and `!`, `!=`, and comparisons with what is no constant; they are left in.

use std::ops::RangeInclusive;

use crate::ast::{CompareOp, Expr, Field, Node, Query};
use crate::fields::Intrinsic;
use crate::value::{Constant, Value, constant};

/// What is left of a query without its conditions on the duration of traces, and the nanoseconds that they allow;
/// `None` where there is no such condition.
#[must_use]
pub fn without_trace_duration(query: &Query) -> Option<(Query, RangeInclusive<u64>)> {
    let mut allowed: Option<RangeInclusive<u64>> = None;
    let mut left = Vec::new();
    for conjunct in query.conjuncts() {
        let Some(more) = durations_of(conjunct) else {
            left.push(conjunct.clone());
            continue;
        };
        allowed = Some(match allowed {
            Some(one) => *one.start().max(more.start())..=*one.end().min(more.end()),
            None => more,
        });
    }
    let left = Query {
        filter: Expr::all(left),
    };
    Some((left, allowed?))
}

/// The durations of traces for which a comparison holds; `None` of one that compares something else.
fn durations_of(conjunct: &Expr) -> Option<RangeInclusive<u64>> {
    let Node::Compare(op, left, right) = &conjunct.node else {
        return None;
    };
    match (is_trace_duration(left), is_trace_duration(right)) {
        (true, false) => durations(*op, &constant(right)),
        (false, true) => durations(op.turned(), &constant(left)),
        _ => None,
    }
}

fn is_trace_duration(of: &Expr) -> bool {
    of.node == Node::Field(Field::Intrinsic(Intrinsic::TraceDuration))
}

fn durations(op: CompareOp, with: &Constant<'_>) -> Option<RangeInclusive<u64>> {
    let Constant::Value(Value::Duration(nanos)) = *with else {
        return None;
    };
    let none = RangeInclusive::new(1, 0);
    // What is longer than the language can say counts as the longest that it can.
    let (is_longest, longest) = (nanos == i64::MAX, u64::MAX);
    let strict = !plumbing::planted("traceql-trace-duration-off-by-one");
    let at = u64::try_from(nanos).ok();
    Some(match (op, at) {
        (CompareOp::Greater | CompareOp::GreaterOrEqual, None) => 0..=longest,
        (CompareOp::Less | CompareOp::LessOrEqual | CompareOp::Equal, None) => none,
        (CompareOp::Greater, Some(_)) if is_longest => none,
        (CompareOp::Greater, Some(at)) => at + u64::from(strict)..=longest,
        (CompareOp::GreaterOrEqual, Some(at)) => at..=longest,
        (CompareOp::Less, Some(at)) => at.checked_sub(1).map_or(none, |last| 0..=last),
        (CompareOp::LessOrEqual, Some(at)) => 0..=if is_longest { longest } else { at },
        (CompareOp::Equal, Some(at)) => at..=if is_longest { longest } else { at },
        (CompareOp::NotEqual | CompareOp::Matches | CompareOp::MatchesNot, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Option<(String, RangeInclusive<u64>)> {
        let query = crate::parse(text).query;
        let query = query.unwrap_or_else(|| panic!("{text}"));
        without_trace_duration(&query).map(|(left, range)| (left.to_string(), range))
    }

    #[test]
    fn conditions_at_the_top_become_a_range_and_all_else_is_left() {
        let all = u64::MAX;
        let none = RangeInclusive::new(1, 0);
        for (text, left, range) in [
            ("{ traceDuration > 5ns }", "{}", 6..=all),
            ("{ trace:duration >= 5ns }", "{}", 5..=all),
            ("{ traceDuration < 5ns }", "{}", 0..=4),
            ("{ traceDuration <= 5ns }", "{}", 0..=5),
            ("{ traceDuration = 5ns }", "{}", 5..=5),
            ("{ 5ns < traceDuration }", "{}", 6..=all),
            ("{ 5ns >= traceDuration }", "{}", 0..=5),
            ("{ traceDuration > 2 * 2ns + 1ns }", "{}", 6..=all),
            ("{ traceDuration < 0ns }", "{}", none.clone()),
            ("{ traceDuration <= -1ns }", "{}", none.clone()),
            ("{ traceDuration = -1ns }", "{}", none.clone()),
            ("{ traceDuration > -1ns }", "{}", 0..=all),
            ("{ traceDuration >= -1ns }", "{}", 0..=all),
            (
                "{ traceDuration > 9223372036854775807ns }",
                "{}",
                none.clone(),
            ),
            ("{ traceDuration <= 9223372036854775807ns }", "{}", 0..=all),
            (
                "{ traceDuration = 9223372036854775807ns }",
                "{}",
                (1 << 63) - 1..=all,
            ),
            (
                "{ traceDuration >= 4ns && traceDuration < 8ns }",
                "{}",
                4..=7,
            ),
            (
                "{ traceDuration > 8ns && traceDuration < 4ns }",
                "{}",
                RangeInclusive::new(9, 3),
            ),
            (
                "{ name = \"a\" && (traceDuration > 4ns && (.b || .c)) && traceDuration < 9ns }",
                "{ name = \"a\" && (.b || .c) }",
                5..=8,
            ),
            (
                "{ traceDuration > 4ns && duration < traceDuration && traceDuration != 7ns }",
                "{ duration < traceDuration && traceDuration != 7ns }",
                5..=all,
            ),
        ] {
            assert_eq!(split(text), Some((left.to_owned(), range)), "{text}");
        }
        for text in [
            "{}",
            "{ duration > 1s }",
            "{ name = \"a\" || traceDuration > 1s }",
            "{ name = \"a\" && (.b || traceDuration > 1s) }",
            "{ !(traceDuration > 1s) }",
            "{ traceDuration != 1s }",
            "{ traceDuration > traceDuration }",
            "{ traceDuration / 2 > 1s }",
            "{ traceDuration > 1s * (1 / 0) }",
            "{ (traceDuration > 1s) = true }",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
