//! Jaeger's HTTP API, version 3: traces as OTLP/JSON, below `/api/v3`.
//!
//! Promises: the answers and error texts of Jaeger v2.20.0, but for what `docs/jaeger-differences.md` lists; what an
//! answer lacks is said in the header `trackway-incomplete`, since the format has no place for it.
//! Bounded like the older API: traces of one answer share `query.answer_bytes_max`; summaries are made one by one.

mod answer;
mod parameters;
pub(super) mod summary;

use std::collections::BTreeSet;

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use codec::jaeger_encode::kind_name;
use codec::otlp::push_resource_spans_json;
use futures_util::StreamExt as _;
use model::SpanBatch;
use query::adjust::AdjustOptions;

use super::Jaeger;
use super::ask::{AskError, header_text, incomplete, shown};
use super::parameters::Parameters;
use crate::guard::For;
use crate::json_text::{push_list, push_text};
use answer::{Refused, json};
use parameters::{TraceParameters, search_of};

/// What a span usually takes in JSON; only to make room at once.
const SPAN_JSON_BYTES_TYPICAL: usize = 768;

pub(super) async fn services(For(jaeger): For<Jaeger>) -> Result<Response, Refused> {
    let services = jaeger.query.services(&jaeger.tenant).await?;
    let mut body = String::from("{\"services\":");
    push_list(&mut body, &services, |out, name| push_text(out, name));
    body.push('}');
    Ok(json(body, None))
}

pub(super) async fn operations(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let parameters = Parameters::parse(query.as_deref());
    let (_, wanted) = parameters::either(&parameters, &["spanKind", "span_kind"]);
    let service = parameters.first("service");
    let known = jaeger.query.operations(&jaeger.tenant, service).await?;
    let shown: BTreeSet<(&str, &str)> = (known.operations)
        .iter()
        .map(|operation| {
            let kind = kind_name(operation.kind).unwrap_or_default();
            (operation.name.as_str(), kind)
        })
        .filter(|(_, kind)| wanted.is_empty() || *kind == wanted)
        .collect();
    let mut body = String::from("{\"operations\":");
    push_list(&mut body, shown, |out, (name, kind)| {
        out.push_str("{\"name\":");
        push_text(out, name);
        out.push_str(",\"spanKind\":");
        push_text(out, if kind.is_empty() { "internal" } else { kind });
        out.push('}');
    });
    body.push('}');
    let unlisted = "there are more operations than can be listed";
    let lacks = (!known.is_all).then(|| header_text(unlisted)).flatten();
    Ok(json(body, lacks))
}

pub(super) async fn trace(
    For(jaeger): For<Jaeger>,
    Path(trace_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let parameters = Parameters::parse(query.as_deref());
    let wanted = TraceParameters::parse(&trace_id, &parameters)?;
    let found = jaeger.find_one(wanted.trace_id).await?;
    let lacks = incomplete(&found.skipped);
    let body = traces_json(&jaeger, vec![found.spans], wanted.is_raw).await?;
    Ok(json(body, lacks))
}

pub(super) async fn traces(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let search = search_of(&Parameters::parse(query.as_deref()))?;
    let found = jaeger.find(&search).await?;
    let found = jaeger.query.load(&jaeger.tenant, found).await?;
    let lacks = incomplete(&found.skipped);
    let traces = found.traces.into_iter().map(|trace| trace.spans).collect();
    let body = traces_json(&jaeger, traces, search.is_raw).await?;
    Ok(json(body, lacks))
}

pub(super) async fn summaries(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let search = search_of(&Parameters::parse(query.as_deref()))?;
    let found = jaeger.find(&search).await?;
    let mut skipped = found.skipped;
    let edits = jaeger.edits(search.is_raw);
    let mut traces = jaeger.query.each(&jaeger.tenant, found.hits);
    let mut body = String::from("{\"summaries\":[");
    let mut is_first = true;
    while let Some(trace) = traces.next().await {
        let trace = trace?;
        skipped.extend(trace.skipped);
        if trace.spans.is_empty() {
            continue;
        }
        let spans = trace.spans;
        let summary = jaeger
            .at_work(move || summary::of(&shown(&spans, edits)))
            .await?;
        if !std::mem::replace(&mut is_first, false) {
            body.push(',');
        }
        answer::push_summary(&mut body, &summary);
    }
    body.push_str("]}");
    Ok(json(body, incomplete(&skipped)))
}

/// The traces of an answer; that there is none is an error.
async fn traces_json(
    jaeger: &Jaeger,
    traces: Vec<SpanBatch>,
    is_raw: bool,
) -> Result<String, Refused> {
    if traces.iter().all(SpanBatch::is_empty) {
        return Err(Refused::nothing_found());
    }
    let edits = jaeger.edits(is_raw);
    let body = jaeger.at_work(move || write(&traces, edits)).await;
    Ok(body?)
}

fn write(traces: &[SpanBatch], edits: Option<AdjustOptions>) -> String {
    let spans: usize = traces.iter().map(SpanBatch::len).sum();
    let mut body = String::with_capacity(spans.saturating_mul(SPAN_JSON_BYTES_TYPICAL));
    body.push_str("{\"result\":{\"resourceSpans\":[");
    for spans in traces {
        let trace = shown(spans, edits);
        push_resource_spans_json(&mut body, &trace.to_batch(0..trace.spans.len()));
    }
    body.push_str("]}}");
    body
}

impl From<query::Error> for Refused {
    fn from(error: query::Error) -> Self {
        AskError::from(error).into()
    }
}
