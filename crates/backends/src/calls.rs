//! Calls between services, counted from the spans of traces.

use std::collections::{BTreeMap, HashMap};

use model::contract::DependencyLink;
use model::{SpanBatch, SpanId, TraceId};

/// The number of calls, by caller and called.
pub(crate) type Calls = BTreeMap<(String, String), u64>;

/// A trace, as far as calls are concerned.
#[derive(Debug, Default)]
pub(crate) struct OfTrace {
    /// When its last span ends.
    pub(crate) end: u64,
    /// Id, parent, and service by its number.
    spans: Vec<(SpanId, SpanId, usize)>,
}

/// Spans of traces.
#[derive(Debug, Default)]
pub(crate) struct Members {
    names: Vec<String>,
    number_of: HashMap<String, usize>,
    pub(crate) traces: HashMap<TraceId, OfTrace>,
}

impl Members {
    /// Adds spans.
    pub(crate) fn add(&mut self, batch: &SpanBatch) {
        for span in batch.iter() {
            let service = match self.number_of.get(span.service()) {
                Some(number) => *number,
                None => {
                    self.number_of
                        .insert(span.service().to_owned(), self.names.len());
                    self.names.push(span.service().to_owned());
                    self.names.len() - 1
                }
            };
            let trace = self.traces.entry(span.trace_id()).or_default();
            trace.end = trace.end.max(span.end());
            let member = (span.span_id(), span.parent_span_id(), service);
            trace.spans.push(member);
        }
    }

    /// Spans by the services of their parents.
    pub(crate) fn calls(&self) -> Calls {
        let name = |number: usize| self.names.get(number).cloned().unwrap_or_default();
        let mut counts: HashMap<(usize, usize), u64> = HashMap::new();
        for trace in self.traces.values() {
            let mut service_of = HashMap::new();
            for (id, _, service) in &trace.spans {
                service_of.entry(*id).or_insert(*service);
            }
            for (_, parent, service) in trace.spans.iter().filter(|span| !span.1.is_zero()) {
                if let Some(caller) = service_of.get(parent) {
                    *counts.entry((*caller, *service)).or_default() += 1;
                }
            }
        }
        let named = counts
            .into_iter()
            .map(|((caller, called), calls)| ((name(caller), name(called)), calls));
        named.collect()
    }
}

/// The links of an answer.
pub(crate) fn links(calls: Calls) -> Vec<DependencyLink> {
    let link = |((parent, child), calls)| DependencyLink {
        parent,
        child,
        calls,
    };
    calls.into_iter().map(link).collect()
}
