//! Rates, errors and durations: of services and operations, of calls, of everything at once.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::RawQuery;
use query::red::{HomeRequest, Look, LookKind, Red, RedOf, RedRequest};
use query::{AveragePath, PathPart, PathRequest};

use super::Ui;
use super::answers::red as told;
use super::answers::{Skipped, SpanKind};
use super::error::UiError;
use super::parameters::Parameters;
use crate::guard::For;

/// Most points of a series.
const STEPS_MAX: u64 = 1_440;
const STEPS: u64 = 60;

/// `GET /red?by=service|operation&service=&kind=&from=&to=&steps=`
pub(super) async fn red(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<Json<told::RedAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let now = ui.parts.clock.unix_nanos();
    let of = match parameters.text("by") {
        "" | "service" => RedOf::Services,
        "operation" => RedOf::Operations,
        other => {
            let message = format!("by is {other:?}; give service or operation");
            return Err(UiError::bad_request(message));
        }
    };
    let request = RedRequest {
        tenant: ui.parts.tenant.clone(),
        window: parameters.window(now)?,
        steps: parameters.number("steps", STEPS, STEPS_MAX)?,
        of,
        services: parameters.all("service").map(str::to_owned).collect(),
        kinds: parameters.kinds()?,
        with_day_before: true,
    };
    let answer = ui.parts.query.red(&request, now).await?;
    Ok(Json(told::RedAnswer::of(answer)))
}

/// Operations of a path that are told.
const PATH_PARTS_MAX: usize = 50;

/// `GET /path?service=&operation=&kind=&from=&to=`
pub(super) async fn path(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<Json<told::PathAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let (service, operation) = (parameters.text("service"), parameters.text("operation"));
    if service.is_empty() {
        return Err(UiError::bad_request("service is missing"));
    }
    let request = PathRequest {
        tenant: ui.parts.tenant.clone(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        kind: parameters.kinds()?.first().copied(),
        window: parameters.window(ui.parts.clock.unix_nanos())?,
        clock_skew_max_nanos: ui.parts.options.clock_skew_max_nanos,
    };
    let path = ui.parts.query.average_path(&request).await?;
    Ok(Json(told::PathAnswer::of(&path)))
}

/// `GET /edges?from=&to=`
pub(super) async fn edges(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<Json<told::EdgesAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let now = ui.parts.clock.unix_nanos();
    let window = parameters.window(now)?;
    let services = RedRequest {
        tenant: ui.parts.tenant.clone(),
        window,
        steps: 0,
        of: RedOf::Services,
        services: Vec::new(),
        kinds: Vec::new(),
        with_day_before: false,
    };
    let services = ui.parts.query.red(&services, now).await?;
    let calls = ui.parts.query.edges(&ui.parts.tenant, window, now).await?;
    let mut skipped = services.skipped;
    skipped.extend(calls.skipped);
    skipped.dedup();
    let mut nodes: BTreeMap<String, Red> = services
        .series
        .into_iter()
        .map(|series| (series.service, series.total))
        .collect();
    let mut edges = Vec::new();
    for call in calls.series {
        let caller = call.caller.unwrap_or_default();
        // One that only calls serves nothing.
        for service in [&caller, &call.service] {
            nodes.entry(service.clone()).or_default();
        }
        edges.push(told::Edge {
            caller,
            callee: call.service,
            is_async: call.kind == Some(KIND_CONSUMER),
            total: told::RedPoint::of(&call.total),
            slowest: call.slowest.map(|id| id.to_string()),
            failed: call.failed.map(|id| id.to_string()),
        });
    }
    let node = |(service, total): (String, Red)| told::MapNode {
        service,
        total: told::RedPoint::of(&total),
    };
    Ok(Json(told::EdgesAnswer {
        seconds: calls.seconds,
        nodes: nodes.into_iter().map(node).collect(),
        edges,
        skipped: Skipped::all(&skipped),
    }))
}

/// OTLP's number of the kind of what consumes messages.
const KIND_CONSUMER: i32 = 5;

/// `GET /home?from=&to=`
pub(super) async fn home(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<Json<told::HomeAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let now = ui.parts.clock.unix_nanos();
    let request = HomeRequest {
        tenant: ui.parts.tenant.clone(),
        window: parameters.window(now)?,
    };
    let home = ui.parts.query.home(&request, now).await?;
    let seen = ui.parts.query.seen(&ui.parts.tenant).await?;
    let last = seen.operations.iter().map(|operation| operation.last).max();
    Ok(Json(told::HomeAnswer {
        spans_per_second: home.spans_per_second,
        services: told::RedAnswer::of(home.services),
        needs_a_look: home.looks.into_iter().map(told::Look::of).collect(),
        last_span_ns: last.map(|nanos| nanos.to_string()),
        skipped: Skipped::all(&home.skipped),
    }))
}

impl told::PathAnswer {
    #[allow(
        clippy::cast_precision_loss,
        reason = "averages and shares are shown with few digits"
    )]
    fn of(path: &AveragePath) -> Self {
        let of_each = |sum: u64| sum as f64 / path.spans.max(1) as f64;
        let share = |nanos: u64| nanos as f64 / path.nanos.max(1) as f64;
        let left = path.parts.get(PATH_PARTS_MAX..).unwrap_or_default();
        let others = share(left.iter().map(|part| part.nanos).sum());
        let part = |part: &PathPart| told::PathPart {
            service: part.service.clone(),
            operation: part.operation.clone(),
            mean_ns: of_each(part.nanos),
            share: share(part.nanos),
            calls: of_each(part.calls),
            of_spans: part.of_spans,
            trace_id: part.example.0.to_string(),
            span_id: part.example.1.to_string(),
        };
        Self {
            spans: path.spans,
            mean_ns: of_each(path.nanos),
            parts: path.parts.iter().take(PATH_PARTS_MAX).map(part).collect(),
            others,
            attributes: path.attributes.clone(),
            left_out: path.left_out,
            skipped: Skipped::all(&path.skipped),
        }
    }
}

impl told::RedPoint {
    fn of(red: &Red) -> Self {
        Self {
            spans: red.spans,
            errors: red.errors,
            p50: red.quantile(0.5),
            p95: red.quantile(0.95),
            p99: red.quantile(0.99),
        }
    }
}

impl told::RedAnswer {
    #[allow(
        clippy::cast_precision_loss,
        reason = "steps and sums of times are shown with few digits"
    )]
    fn of(answer: query::red::RedAnswer) -> Self {
        let steps = answer
            .series
            .first()
            .map_or(0, |series| series.points.len());
        let series = answer.series.into_iter().map(|series| told::RedSeries {
            service: series.service,
            operation: series.operation,
            kind: series.kind.map(SpanKind::of),
            total: told::RedPoint::of(&series.total),
            day_before: series.day_before.as_ref().map(told::RedPoint::of),
            own_ns: series.own as f64,
            critical_ns: series.critical as f64,
            points: series
                .points
                .iter()
                .map(|point| point.as_ref().map(told::RedPoint::of))
                .collect(),
            slowest: series.slowest.map(|id| id.to_string()),
            failed: series.failed.map(|id| id.to_string()),
        });
        Self {
            from_ns: answer.start.to_string(),
            step_ns: answer.step as f64,
            steps: steps as u64,
            seconds: answer.seconds,
            series: series.collect(),
            has_all_operations: answer.has_all_operations,
            skipped: Skipped::all(&answer.skipped),
        }
    }
}

impl told::Look {
    fn of(look: Look) -> Self {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let operation = format!(
            "resource.service.name = {} && name = {}",
            quoted(&look.service),
            quoted(&look.operation)
        );
        let (what, query) = match look.what {
            // What took longer than the slowest twentieth before.
            LookKind::Slow => (
                told::LookKind::Slow,
                format!(
                    "{{ {operation} && duration >= {} }}",
                    bound_text(look.before.unwrap_or_default())
                ),
            ),
            LookKind::Failing => (
                told::LookKind::Failing,
                format!("{{ {operation} && status = error }}"),
            ),
        };
        Self {
            service: look.service,
            operation: look.operation,
            kind: SpanKind::of(look.kind),
            what,
            now: look.now,
            before: look.before,
            rule: look.rule,
            query,
            example: look.example.map(|id| id.to_string()),
            spans: look.spans,
        }
    }
}

/// A bound as a query writes it, to the microsecond, and not above what is meant: what took as long as that is found.
fn bound_text(nanos: f64) -> String {
    let lasting = Duration::try_from_secs_f64(nanos / 1e9).unwrap_or_default();
    let nanos = i64::try_from(lasting.as_nanos()).unwrap_or(i64::MAX);
    let unit = if nanos < 1_000 { 1 } else { 1_000 };
    traceql::duration_text(nanos - nanos % unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_of_slow_traces_is_not_rounded_away() {
        let look = |before: f64| {
            let look = Look {
                service: "a \"b\"".to_owned(),
                operation: "GET /".to_owned(),
                kind: 2,
                what: LookKind::Slow,
                now: before * 9.0,
                before: Some(before),
                rule: String::new(),
                example: None,
                spans: 1,
            };
            let query = told::Look::of(look).query;
            assert!(traceql::parse(&query).query.is_some(), "{query}");
            query.rsplit(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(look(400_000.0), "400µs");
        assert_eq!(look(1_499_999.4), "1.499ms");
        assert_eq!(look(2_104_233_789.0), "2.104233s");
        assert_eq!(look(12.0), "12ns");
        assert_eq!(look(f64::NAN), "0s");
    }
}
