//! What a trace looks like from afar, as Jaeger's API v3 tells it.
//!
//! Counted on the trace as it is shown. The root is the span without a parent that started first; an orphan names a
//! parent that the trace does not have; an error is a span whose status says so.

use std::collections::{BTreeMap, HashSet};

use codec::generated::jaeger::api_v3::{ServiceSummary, TraceSummary};
use codec::jaeger_encode::{SERVICE_KEY, service_name};
use model::batch::Attribute;
use query::adjust::{AdjustableResource, AdjustableSpan, AdjustableTrace};

const STATUS_ERROR: i32 = 2;

/// The summary of a trace.
pub(crate) fn of(trace: &AdjustableTrace<'_>) -> TraceSummary {
    let names: Vec<String> = trace.resources.iter().map(service_of).collect();
    let name_of = |span: &AdjustableSpan<'_>| names.get(span.resource).map_or("", String::as_str);
    let ids: HashSet<_> = trace.spans.iter().map(|span| span.span_id).collect();
    let is_error = |span: &&AdjustableSpan<'_>| span.status == STATUS_ERROR;
    let is_orphan = |span: &&AdjustableSpan<'_>| {
        !span.parent_span_id.is_zero() && !ids.contains(&span.parent_span_id)
    };
    let root = trace
        .spans
        .iter()
        .filter(|span| span.parent_span_id.is_zero())
        .min_by_key(|span| span.start);
    let mut services: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for span in &trace.spans {
        let (spans, errors) = services.entry(name_of(span)).or_default();
        *spans += 1;
        *errors += usize::from(is_error(&span));
    }
    let services = services
        .into_iter()
        .map(|(name, (spans, errors))| ServiceSummary {
            name: name.to_owned(),
            span_count: count(spans),
            error_span_count: count(errors),
        });
    TraceSummary {
        trace_id: trace.trace_id.to_string(),
        root_service_name: root.map_or_else(String::new, |span| name_of(span).to_owned()),
        root_operation_name: root.map_or_else(String::new, |span| span.name.to_owned()),
        min_start_time_unix_nano: trace.spans.iter().map(|span| span.start).min().unwrap_or(0),
        max_end_time_unix_nano: trace.spans.iter().map(|span| span.end).max().unwrap_or(0),
        span_count: count(trace.spans.len()),
        error_span_count: count(trace.spans.iter().filter(is_error).count()),
        orphan_span_count: count(trace.spans.iter().filter(is_orphan).count()),
        services: services.collect(),
    }
}

fn service_of(resource: &AdjustableResource<'_>) -> String {
    let named = resource
        .attributes
        .iter()
        .filter(|attribute| attribute.key == SERVICE_KEY);
    let named: Vec<Attribute<'_>> = named
        .map(|attribute| Attribute {
            key: attribute.key,
            value: attribute.value.get(),
        })
        .collect();
    if named.is_empty() {
        return String::new();
    }
    service_name(named.into_iter()).into_owned()
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
