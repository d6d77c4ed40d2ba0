//! The short answers: services, their operations, and the calls between them.

use std::collections::BTreeSet;

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use codec::jaeger_encode::kind_name;
use model::contract::{DependencyAnswer, DependencyLink, Window};

use super::Jaeger;
use super::envelope::{Answer, ApiError};
use super::parameters::{Parameters, service_required};
use super::timing::Timing;
use crate::guard::For;
use crate::json_text::{push_list, push_number, push_text};

const NANOS_PER_MILLI: u64 = 1_000_000;
/// How far back dependencies are looked at when a request doesn't say.
const LOOKBACK_MILLIS: i64 = 24 * 3600 * 1_000;

pub(super) async fn services(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut timing = Timing::start(&jaeger.clock);
    let services = jaeger.query.services(&jaeger.tenant).await?;
    timing.part("find");
    let mut answer = Answer {
        total: services.len(),
        ..Answer::default()
    };
    push_list(&mut answer.data, &services, |out, name| {
        push_text(out, name);
    });
    Ok(timing.put(answer.into_response(&Parameters::parse(query.as_deref()))))
}

pub(super) async fn operation_names(
    For(jaeger): For<Jaeger>,
    Path(service): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut timing = Timing::start(&jaeger.clock);
    let known = jaeger.query.operations(&jaeger.tenant, &service).await?;
    timing.part("find");
    let names: BTreeSet<&str> = (known.operations)
        .iter()
        .map(|operation| operation.name.as_str())
        .collect();
    let mut answer = Answer {
        total: names.len(),
        ..Answer::default()
    };
    answer.push_unlisted(&known);
    if names.is_empty() {
        answer.data.push_str("null");
    } else {
        push_list(&mut answer.data, names, push_text);
    }
    Ok(timing.put(answer.into_response(&Parameters::parse(query.as_deref()))))
}

pub(super) async fn operations(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref());
    let service = parameters.first("service");
    if service.is_empty() {
        return Err(service_required());
    }
    let wanted = parameters.first("spanKind");
    let mut timing = Timing::start(&jaeger.clock);
    let known = jaeger.query.operations(&jaeger.tenant, service).await?;
    timing.part("find");
    // Kinds that have no name are one and the same here.
    let shown: BTreeSet<(&str, &str)> = (known.operations)
        .iter()
        .map(|operation| {
            (
                operation.name.as_str(),
                kind_name(operation.kind).unwrap_or_default(),
            )
        })
        .filter(|(_, kind)| wanted.is_empty() || *kind == wanted)
        .collect();
    let mut answer = Answer {
        total: shown.len(),
        ..Answer::default()
    };
    answer.push_unlisted(&known);
    push_list(&mut answer.data, shown, |out, (name, kind)| {
        out.push_str("{\"name\":");
        push_text(out, name);
        out.push_str(",\"spanKind\":");
        push_text(out, kind);
        out.push('}');
    });
    Ok(timing.put(answer.into_response(&parameters)))
}

pub(super) async fn dependencies(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref());
    let now_millis = i64::try_from(jaeger.clock.unix_nanos() / NANOS_PER_MILLI).unwrap_or(i64::MAX);
    let end_millis = parameters.int("endTs", now_millis)?;
    let lookback_millis = parameters.int("lookback", LOOKBACK_MILLIS)?;
    if lookback_millis < 0 {
        let message = "end time must be greater than start time".to_owned();
        return Err(ApiError {
            status: 500,
            message,
        });
    }
    let mut timing = Timing::start(&jaeger.clock);
    let DependencyAnswer { links, skipped } = match window(end_millis, lookback_millis) {
        Some(window) => jaeger.query.dependencies(&jaeger.tenant, window).await?,
        None => DependencyAnswer::default(),
    };
    timing.part("find");
    let service = parameters.first("service");
    let is_wanted = |link: &&DependencyLink| {
        service.is_empty() || link.parent == service || link.child == service
    };
    let mut answer = Answer::default();
    push_list(
        &mut answer.data,
        links.iter().filter(is_wanted),
        |out, link| {
            out.push_str("{\"parent\":");
            push_text(out, &link.parent);
            out.push_str(",\"child\":");
            push_text(out, &link.child);
            out.push_str(",\"callCount\":");
            push_number(out, link.calls);
            out.push('}');
        },
    );
    answer.push_skipped(&skipped);
    Ok(timing.put(answer.into_response(&parameters)))
}

/// The time looked at: a trace must begin at its start or later and end before its end. `None` when nothing can.
fn window(end_millis: i64, lookback_millis: i64) -> Option<Window> {
    let end = u64::try_from(end_millis).ok()?;
    // What is before the epoch holds no span.
    let start = u64::try_from(end_millis.saturating_sub(lookback_millis)).unwrap_or(0);
    let start = start.saturating_mul(NANOS_PER_MILLI);
    // The window of the contract includes its last nanosecond.
    let end = end.saturating_mul(NANOS_PER_MILLI).checked_sub(1)?;
    (start <= end).then_some(Window { start, end })
}
