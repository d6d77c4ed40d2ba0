//! What can be asked of spans: one tree for every front end and every backend.
//!
//! Meaning
//! - A tree is judged on one span. Where a span has several values of a field (events, links, a key that
//!   repeats, the same key at several places), a comparison holds when it holds for at least one of them.
//! - A comparison with a field that the span does not have is false, whatever the operator;
//!   `Not` turns the result of its whole subtree.
//! - A trace is found when at least one of its spans satisfies the tree and starts in the window.

use crate::{SpanId, TraceId};

/// Where an attribute may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// On the span, its resource, its scope, one of its events or links.
    Anywhere,
    /// On the span itself.
    Span,
    /// On the span's resource.
    Resource,
    /// On the span's instrumentation scope.
    Scope,
    /// On one of the span's events.
    Event,
    /// On one of the span's links.
    Link,
}

/// What a comparison looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// The trace's id, as [`Literal::TraceId`].
    TraceId,
    /// The span's id, as [`Literal::SpanId`].
    SpanId,
    /// The parent's id, as [`Literal::SpanId`]; a root has none.
    ParentSpanId,
    /// The span's name.
    Name,
    /// The name of the span's service, as Jaeger shows it (`missing-service-name` where there is none).
    Service,
    /// The span's kind as OTLP's number, an integer.
    Kind,
    /// The status as OTLP's number, an integer: 0 unset, 1 ok, 2 error.
    Status,
    /// The status message; empty when there is none.
    StatusMessage,
    /// The start in nanoseconds since the epoch, an integer.
    Start,
    /// End minus start in nanoseconds, an integer; may be negative.
    Duration,
    /// The trace state; empty when there is none.
    TraceState,
    /// The scope's name; empty when there is none.
    ScopeName,
    /// The scope's version; empty when there is none.
    ScopeVersion,
    /// The names of the span's events.
    EventName,
    /// The trace ids of the span's links.
    LinkTraceId,
    /// The span ids of the span's links.
    LinkSpanId,
    /// An attribute by its key.
    Attribute {
        /// Where it may stand.
        place: Place,
        /// Its key, compared byte for byte.
        key: String,
    },
}

/// How a field is compared with a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The same type and the same value; for [`Literal::Text`] the same canonical text.
    Equal,
    /// There is a value and it is not equal. Different types are not equal.
    NotEqual,
    /// Less; numbers of either type by value, texts by bytes. Other pairs of types: false.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// A text that the regular expression matches whole (anchored at both ends).
    Matches,
    /// A text that the regular expression does not match.
    MatchesNot,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text, or the pattern of a regular expression.
    String(String),
    /// A whole number; equal to a double of the same value.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// Any value whose canonical text is this: `500` is the int 500 and the text "500", `true` the bool.
    /// See [`canonical_text`](crate::batch::AttrValue::canonical_text).
    Text(String),
    /// A trace's id.
    TraceId(TraceId),
    /// A span's id.
    SpanId(SpanId),
}

/// A question about one span.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Every span.
    All,
    /// Spans for which all hold; none given: every span.
    And(Vec<Predicate>),
    /// Spans for which at least one holds; none given: no span.
    Or(Vec<Predicate>),
    /// Spans for which it does not hold.
    Not(Box<Predicate>),
    /// Spans that have the field at all.
    Exists(Field),
    /// Spans whose field compares so with the literal.
    Compare(Field, Operator, Literal),
}

impl Predicate {
    /// Both must hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, only) | (only, Self::All) => only,
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), one) => {
                all.push(one);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }
}
