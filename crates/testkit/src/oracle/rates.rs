//! Rates, span by span. Own times and examples are left out: there is more than one right example, and own times are
//! known only where traces are whole.

use std::collections::BTreeMap;

use model::batch::SpanRef;
use model::contract::ReadError;
use model::rates::{RateKey, RatePoint, RateSeries, RatesAnswer, RatesOf, RatesRequest};

/// OTLP's numbers.
const STATUS_ERROR: i32 = 2;
const KIND_SERVER: i32 = 2;
const KIND_CONSUMER: i32 = 5;

pub(super) fn rates(
    spans: &[SpanRef<'_>],
    request: &RatesRequest,
) -> Result<RatesAnswer, ReadError> {
    let steps = request.steps()?;
    let mut series: BTreeMap<RateKey, BTreeMap<u64, RatePoint>> = BTreeMap::new();
    for span in spans {
        let Some(step) = steps.of_nanos(span.start()) else {
            continue;
        };
        let caller = match request.of {
            RatesOf::Operations => None,
            RatesOf::Calls => match caller_of(span, spans) {
                Some(caller) => Some(caller.to_owned()),
                None => continue,
            },
        };
        let is_asked = |service: &str| request.services.iter().any(|name| name == service);
        let of_services = request.services.is_empty()
            || is_asked(span.service())
            || caller.as_deref().is_some_and(is_asked);
        if !of_services || !request.kinds.is_empty() && !request.kinds.contains(&span.kind()) {
            continue;
        }
        let operation = request.by_operation && request.of == RatesOf::Operations;
        let key = RateKey {
            service: span.service().to_owned(),
            caller,
            operation: operation.then(|| span.name().to_owned()),
            kind: request.by_kind.then_some(span.kind()),
        };
        let point = series.entry(key).or_default().entry(step).or_default();
        let duration = span.end().wrapping_sub(span.start()).cast_signed();
        point.start = steps.start_of(step);
        point.spans += 1;
        point.errors += u64::from(span.status() == STATUS_ERROR);
        point.duration = point.duration.wrapping_add(duration);
        point.durations.add(duration);
    }
    let series = series.into_iter().map(|(key, points)| RateSeries {
        key,
        points: points.into_values().collect(),
    });
    Ok(RatesAnswer {
        series: series.collect(),
        has_all_operations: true,
        skipped: Vec::new(),
    })
}

/// The service that called with a span: that of its parent, the first to arrive of those with the id.
fn caller_of<'a>(span: &SpanRef<'a>, spans: &[SpanRef<'a>]) -> Option<&'a str> {
    let is_parent = |other: &&SpanRef<'_>| {
        other.trace_id() == span.trace_id() && other.span_id() == span.parent_span_id()
    };
    let parent = spans.iter().find(is_parent)?;
    let is_served = matches!(span.kind(), KIND_SERVER | KIND_CONSUMER);
    let is_call = parent.service() != span.service() || is_served;
    (is_call && !span.parent_span_id().is_zero()).then(|| parent.service())
}
