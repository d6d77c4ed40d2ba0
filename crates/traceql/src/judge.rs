//! Judges the spans of a whole trace by a query: the meaning of the language, in the plainest code there is.
//!
//! A field gives groups of values: one group for each event or link, one for what the span has once. An attribute that
//! repeats, and the elements of an array, are several values of one group. A comparison holds when it holds between
//! some group of the left and some group of the right; without a group it does not hold, whatever the operator.
//!
//! Promises: patterns are compiled once; facts of the trace are found once for each trace, and only where they are
//! asked for.
//! Refuses: telling traces apart; all spans that it is given are taken for those of one trace.
//!
//! Read next: `value.rs` for comparisons, `trace.rs` for the facts of a trace.

use std::borrow::Cow;
use std::collections::HashMap;

use model::batch::{AttrValue, Attribute, SpanBatch, SpanRef};
use model::value::Value as Owned;
use regex::Regex;

use crate::ast::{Expr, Field, Literal, Node, Query};
use crate::diagnostic::Diagnostic;
use crate::fields::{Intrinsic, SERVICE_NAME, Scope};
use crate::lower::checked;
use crate::pattern;
use crate::trace::TraceFacts;
use crate::value::{Value, compare, compute, negated};

/// A query, ready to judge traces.
#[derive(Debug, Clone)]
pub struct Judge {
    query: Query,
    patterns: HashMap<String, Regex>,
    needs_facts: bool,
}

/// The values of one owner.
pub(crate) type Group<'a> = Vec<Value<'a>>;

impl Judge {
    /// Compiles a query's patterns.
    ///
    /// # Errors
    /// The first thing that is wrong with a query that did not come from [`crate::parse`].
    pub fn new(query: &Query) -> Result<Self, Diagnostic> {
        checked(query)?;
        let mut judge = Self {
            query: query.clone(),
            patterns: HashMap::new(),
            needs_facts: false,
        };
        let mut to_visit: Vec<&Expr> = query.filter.iter().collect();
        while let Some(expr) = to_visit.pop() {
            match &expr.node {
                Node::All(of) | Node::Any(of) => to_visit.extend(of),
                Node::Not(of) | Node::Negative(of) => to_visit.push(of),
                Node::Arith(_, left, right) => to_visit.extend([&**left, &**right]),
                Node::Compare(op, left, right) => {
                    if let (true, Node::Literal(Literal::String(text))) =
                        (op.is_pattern(), &right.node)
                    {
                        let compiled = pattern::compile(text)
                            .map_err(|why| Diagnostic::error(&right.range, why))?;
                        judge.patterns.insert(text.clone(), compiled);
                    }
                    to_visit.extend([&**left, &**right]);
                }
                Node::Field(Field::Intrinsic(intrinsic)) => {
                    judge.needs_facts |= is_fact(*intrinsic);
                }
                Node::Field(_) | Node::Literal(_) => {}
            }
        }
        Ok(judge)
    }

    /// Whether spans can't be judged one by one, since facts of their trace are asked for.
    #[must_use]
    pub fn needs_whole_trace(&self) -> bool {
        self.needs_facts
    }

    /// Whether the query holds for a span of a trace: these rows, which ascend, of a batch that may hold others.
    #[must_use]
    pub fn holds(&self, spans: &SpanBatch, rows: &[usize]) -> bool {
        if self.query.filter.is_none() {
            return !rows.is_empty();
        }
        let facts = if self.needs_facts {
            TraceFacts::of_rows(spans, rows)
        } else {
            TraceFacts::default()
        };
        let mut spans = rows.iter().filter_map(|row| spans.span(*row));
        spans.any(|span| self.holds_for(span, &facts))
    }

    fn holds_for<'a>(&'a self, span: SpanRef<'a>, facts: &'a TraceFacts<'a>) -> bool {
        let bench = Bench {
            patterns: &self.patterns,
            facts,
            span,
        };
        let filter = self.query.filter.as_ref();
        filter.is_none_or(|filter| bench.condition(filter))
    }

    /// The rows of the spans that the query holds for, ascending; all spans of one trace are given.
    #[must_use]
    pub fn matches(&self, trace: &SpanBatch) -> Vec<usize> {
        if self.query.filter.is_none() {
            return (0..trace.len()).collect();
        }
        let facts = if self.needs_facts {
            TraceFacts::of(trace)
        } else {
            TraceFacts::default()
        };
        trace
            .iter()
            .filter(|span| self.holds_for(*span, &facts))
            .map(|span| span.row())
            .collect()
    }
}

pub(crate) fn is_fact(intrinsic: Intrinsic) -> bool {
    use Intrinsic as I;
    matches!(
        intrinsic,
        I::ChildCount
            | I::SelfTime
            | I::CriticalTime
            | I::TraceDuration
            | I::RootName
            | I::RootService
            | I::SpanCount
            | I::ErrorCount
    )
}

/// One span with all that is known of it.
pub(crate) struct Bench<'a> {
    pub(crate) patterns: &'a HashMap<String, Regex>,
    pub(crate) facts: &'a TraceFacts<'a>,
    pub(crate) span: SpanRef<'a>,
}

impl<'a> Bench<'a> {
    fn condition(&self, expr: &'a Expr) -> bool {
        match &expr.node {
            Node::All(of) => of.iter().all(|one| self.condition(one)),
            Node::Any(of) => of.iter().any(|one| self.condition(one)),
            Node::Not(of) => !self.condition(of),
            Node::Compare(op, left, right) => match (&left.node, &right.node) {
                (Node::Literal(Literal::Nil), of) | (of, Node::Literal(Literal::Nil)) => {
                    self.is_absent(of) == (*op == crate::ast::CompareOp::Equal)
                }
                _ => {
                    let pattern = match &right.node {
                        Node::Literal(Literal::String(text)) => self.patterns.get(text),
                        _ => None,
                    };
                    let right = self.operand(right);
                    self.operand(left)
                        .iter()
                        .any(|one| right.iter().any(|two| compare(*op, one, two, pattern)))
                }
            },
            Node::Field(_) | Node::Literal(_) => {
                let groups = self.operand(expr);
                groups
                    .iter()
                    .any(|group| group.contains(&Value::Bool(true)))
            }
            Node::Negative(_) | Node::Arith(..) => false,
        }
    }

    fn is_absent(&self, of: &'a Node) -> bool {
        match of {
            Node::Field(field) => self.field(field).is_empty(),
            _ => false,
        }
    }

    fn operand(&self, expr: &'a Expr) -> Vec<Group<'a>> {
        match &expr.node {
            Node::Field(field) => self.field(field),
            Node::Literal(literal) => literal
                .value()
                .into_iter()
                .map(|value| vec![value])
                .collect(),
            Node::Negative(of) => {
                let groups = self.operand(of);
                let negative = |group: Group<'a>| group.iter().filter_map(negated).collect();
                groups.into_iter().map(negative).collect()
            }
            Node::Arith(op, left, right) => {
                let right = self.operand(right);
                let mut groups = Vec::new();
                for one in self.operand(left) {
                    for two in &right {
                        let pairs = one
                            .iter()
                            .flat_map(|one| two.iter().map(move |two| (one, two)));
                        groups.push(
                            pairs
                                .filter_map(|(one, two)| compute(*op, one, two))
                                .collect(),
                        );
                    }
                }
                groups
            }
            Node::All(_) | Node::Any(_) | Node::Not(_) | Node::Compare(..) => {
                vec![vec![Value::Bool(self.condition(expr))]]
            }
        }
    }

    pub(crate) fn field(&self, field: &Field) -> Vec<Group<'a>> {
        let (scope, key) = match field {
            Field::Intrinsic(intrinsic) => return self.intrinsic(*intrinsic),
            Field::Attribute { scope, key } => (*scope, key.as_str()),
        };
        let span = self.span;
        let on_span = || group(span.attributes(), key);
        let on_resource = || {
            if key == SERVICE_NAME {
                return Some(vec![Value::Text(Cow::Borrowed(span.service()))]);
            }
            group(span.resource().attributes(), key)
        };
        match scope {
            Scope::Either => on_span().or_else(on_resource).into_iter().collect(),
            Scope::Span => on_span().into_iter().collect(),
            Scope::Resource => on_resource().into_iter().collect(),
            Scope::Instrumentation => group(span.scope().attributes(), key).into_iter().collect(),
            Scope::Event => {
                let events = span.events();
                events
                    .filter_map(|event| group(event.attributes(), key))
                    .collect()
            }
            Scope::Link => {
                let links = span.links();
                links
                    .filter_map(|link| group(link.attributes(), key))
                    .collect()
            }
        }
    }

    fn intrinsic(&self, intrinsic: Intrinsic) -> Vec<Group<'a>> {
        use Intrinsic as I;
        let (span, facts) = (self.span, self.facts);
        let by_row = |column: &[u64]| facts.by_row(column, span.row());
        let text = |text: &'a str| Value::Text(Cow::Borrowed(text));
        let one = match intrinsic {
            I::Name => text(span.name()),
            I::Status => Value::Status(span.status()),
            I::StatusMessage => text(span.status_message()),
            I::Kind => Value::Kind(span.kind()),
            I::Duration => Value::Duration(span.duration()),
            I::SpanId => Value::SpanId(span.span_id()),
            I::ParentId => Value::SpanId(span.parent_span_id()),
            I::ChildCount => count(by_row(&facts.children)),
            I::SelfTime => duration(by_row(&facts.self_time)),
            I::CriticalTime => duration(by_row(&facts.critical_time)),
            I::TraceId => Value::TraceId(span.trace_id()),
            I::TraceDuration => duration(facts.duration),
            I::SpanCount => count(facts.spans as u64),
            I::ErrorCount => count(facts.errors as u64),
            I::ScopeName => text(span.scope().name()),
            I::ScopeVersion => text(span.scope().version()),
            I::RootName | I::RootService => {
                let Some(root) = facts.root else {
                    return Vec::new();
                };
                text(if intrinsic == I::RootName {
                    root.name()
                } else {
                    root.service()
                })
            }
            I::EventName => {
                return span
                    .events()
                    .map(|event| vec![text(event.name())])
                    .collect();
            }
            I::EventTimeSinceStart => {
                // Before the start it is negative, as durations are.
                let since =
                    |time: u64| Value::Duration(time.wrapping_sub(span.start()).cast_signed());
                return span
                    .events()
                    .map(|event| vec![since(event.time())])
                    .collect();
            }
            I::LinkTraceId => {
                let id = |id| vec![Value::TraceId(id)];
                return span.links().map(|link| id(link.trace_id())).collect();
            }
            I::LinkSpanId => {
                let id = |id| vec![Value::SpanId(id)];
                return span.links().map(|link| id(link.span_id())).collect();
            }
        };
        vec![vec![one]]
    }
}

fn count(number: u64) -> Value<'static> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn duration(nanos: u64) -> Value<'static> {
    Value::Duration(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// The values of a key; `None` where there is none.
fn group<'a>(attributes: impl Iterator<Item = Attribute<'a>>, key: &str) -> Option<Group<'a>> {
    let mut values: Option<Group<'a>> = None;
    for attribute in attributes.filter(|attribute| attribute.key == key) {
        put_values(attribute.value, values.get_or_insert_default());
    }
    values
}

/// Appends what can be compared of a value: of an array its elements; of maps, bytes and nothing, nothing.
fn put_values<'a>(value: AttrValue<'a>, values: &mut Group<'a>) {
    match value {
        AttrValue::String(text) => values.push(Value::Text(Cow::Borrowed(text))),
        AttrValue::Bool(is) => values.push(Value::Bool(is)),
        AttrValue::Int(number) => values.push(Value::Int(number)),
        AttrValue::Double(number) => values.push(Value::Float(number)),
        AttrValue::Array(_) => {
            let Owned::Array(elements) = value.to_value() else {
                return;
            };
            values.extend(elements.into_iter().filter_map(|element| match element {
                Owned::String(text) => Some(Value::Text(Cow::Owned(text))),
                Owned::Bool(is) => Some(Value::Bool(is)),
                Owned::Int(number) => Some(Value::Int(number)),
                Owned::Double(number) => Some(Value::Float(number)),
                Owned::Empty | Owned::Array(_) | Owned::Map(_) | Owned::Bytes(_) => None,
            }));
        }
        AttrValue::Empty | AttrValue::Map(_) | AttrValue::Bytes(_) => {}
    }
}
