//! A question in the query language, ready to be asked: what the store is asked, and what judges the traces it gives.
//!
//! Promises: where the store can't say all that the text says, what it finds is judged span by span, so that an answer
//! is as exact as with a predicate that says all.

use std::ops::RangeInclusive;

use model::TenantId;
use model::batch::SpanBatch;
use model::contract::Window;
use model::overview::ANY_DURATION;
use model::predicate::{Field, Literal, Operator, Predicate};
use traceql::{Arrays, Diagnostic, Judge, KnownArrays, Lowered, Severity};

use crate::{Error, Query};

/// OTLP's numbers of the kinds with which a span enters a service.
const ENTERING: [i32; 2] = [2, 5];

/// Which spans are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All, and what is listed are their traces.
    Traces,
    /// Those that enter a service: without a parent, or of the kinds server and consumer.
    Entry,
    /// All.
    Spans,
}

/// What holds for a span when it is meant, and for no other.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Holds for the span.
    pub predicate: Predicate,
    /// How long its trace lasts, in nanoseconds.
    pub trace_duration: RangeInclusive<u64>,
}

/// A question that was understood.
#[derive(Debug, Clone)]
pub struct Question {
    judge: Judge,
    scope: Scope,
    /// Holds for every span that is meant.
    pub predicate: Predicate,
    /// Whether it holds for no other.
    pub is_exact: bool,
    /// By what the store counts all that is meant; `None` where it can't.
    pub counted: Option<Counted>,
    /// Whether every span is meant.
    pub is_all: bool,
    /// What to mind about the text.
    pub warnings: Vec<Diagnostic>,
}

impl Question {
    /// The rows of a whole trace that are meant, ascending.
    #[must_use]
    pub fn matches(&self, trace: &SpanBatch, window: Window) -> Vec<usize> {
        let is_meant = |row: &usize| {
            trace.span(*row).is_some_and(|span| {
                let enters = span.parent_span_id().is_zero() || ENTERING.contains(&span.kind());
                window.contains(span.start()) && (self.scope != Scope::Entry || enters)
            })
        };
        let mut rows = self.judge.matches(trace);
        rows.retain(is_meant);
        rows
    }
}

impl Question {
    /// Which spans are meant.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether spans can only be judged with all others of their trace.
    #[must_use]
    pub fn needs_whole_trace(&self) -> bool {
        self.judge.needs_whole_trace()
    }
}

impl Query {
    /// Understands a text; an empty one means every span.
    pub async fn question(
        &self,
        tenant: &TenantId,
        text: &str,
        scope: Scope,
    ) -> Result<Question, Error> {
        let parsed = traceql::parse(if text.trim().is_empty() { "{}" } else { text });
        let Some(query) = parsed.query else {
            return Err(Error::BadText {
                diagnostics: parsed.diagnostics,
            });
        };
        let wrong = |diagnostic| Error::BadText {
            diagnostics: vec![diagnostic],
        };
        let known = match query.filter {
            Some(_) => KnownArrays::of(&self.reader().seen(tenant).await?),
            None => KnownArrays::default(),
        };
        let may_be = |place, key: &str| known.may_be(place, key);
        let lower = |query: &traceql::Query| {
            let lowered = traceql::lower_with(query, Arrays::Where(&may_be)).map_err(wrong)?;
            Ok::<_, Error>(Lowered {
                predicate: match scope {
                    Scope::Entry => lowered.predicate.and(enters()),
                    Scope::Traces | Scope::Spans => lowered.predicate,
                },
                ..lowered
            })
        };
        let lowered = lower(&query)?;
        let counted = match traceql::without_trace_duration(&query) {
            Some((rest, trace_duration)) if !lowered.is_exact => {
                Some((lower(&rest)?, trace_duration))
            }
            _ => Some((lowered.clone(), ANY_DURATION)),
        };
        let counted = counted.filter(|(lowered, _)| lowered.is_exact);
        let mut warnings = parsed.diagnostics;
        warnings.retain(|diagnostic| diagnostic.severity == Severity::Warning);
        let is_all = query.filter.is_none() && scope != Scope::Entry;
        Ok(Question {
            judge: Judge::new(&query).map_err(wrong)?,
            scope,
            predicate: lowered.predicate,
            is_exact: lowered.is_exact,
            counted: counted.map(|(lowered, trace_duration)| Counted {
                predicate: lowered.predicate,
                trace_duration,
            }),
            is_all,
            warnings,
        })
    }
}

/// Spans that enter a service.
fn enters() -> Predicate {
    let of_kind =
        |kind: &i32| Predicate::Compare(Field::Kind, Operator::Equal, Literal::Int((*kind).into()));
    let is_root = Predicate::Not(Box::new(Predicate::Exists(Field::ParentSpanId)));
    Predicate::Or(ENTERING.iter().map(of_kind).chain([is_root]).collect())
}
