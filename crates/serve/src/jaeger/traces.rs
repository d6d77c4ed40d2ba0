//! Traces: one by its id, several by theirs, and the search.

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use model::SpanBatch;
use model::contract::{Order, Skipped};
use query::FindTraces;
use query::adjust::{AdjustOptions, AdjustableTrace, adjust};

use super::Jaeger;
use super::envelope::{Answer, AnswerError, ApiError};
use super::parameters::{Parameters, TracesRequest, trace_of_path};
use super::timing::Timing;
use super::trace_json::push_trace;
use crate::guard::For;
use crate::json_text::push_list;

/// What a span usually takes in JSON; only to make room at once.
const SPAN_JSON_BYTES_TYPICAL: usize = 1_400;

pub(super) async fn trace(
    For(jaeger): For<Jaeger>,
    Path(trace_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref());
    let trace_id = trace_of_path(&trace_id, &parameters)?;
    let is_raw = parameters.bool("raw")?;
    let mut timing = Timing::start(&jaeger.clock);
    let found = jaeger.query.trace(&jaeger.tenant, trace_id).await?;
    timing.part("read");
    if found.spans.is_empty() && found.skipped.is_empty() {
        return Err(ApiError {
            status: 404,
            message: "trace not found".to_owned(),
        });
    }
    if found.spans.is_empty() {
        // Whether there is such a trace is not known.
        let skipped: Vec<String> = found
            .skipped
            .iter()
            .map(|s| format!("{}: {}", s.what, s.why))
            .collect();
        let message = format!(
            "trace not found in what could be read; skipped {}",
            skipped.join("; ")
        );
        return Err(ApiError {
            status: 500,
            message,
        });
    }
    jaeger
        .show(
            vec![found.spans],
            is_raw,
            Vec::new(),
            &found.skipped,
            (&parameters, timing),
        )
        .await
}

pub(super) async fn search(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref());
    let request = TracesRequest::parse(&parameters, jaeger.clock.unix_nanos())?;
    let mut timing = Timing::start(&jaeger.clock);
    if !request.trace_ids.is_empty() {
        let answer = jaeger
            .query
            .traces(&jaeger.tenant, &request.trace_ids)
            .await?;
        timing.part("read");
        let errors = answer
            .missing
            .iter()
            .map(|id| AnswerError::trace_not_found(*id))
            .collect();
        return jaeger
            .show(
                answer.found,
                request.is_raw,
                errors,
                &answer.skipped,
                (&parameters, timing),
            )
            .await;
    }
    let limit = usize::try_from(request.limit).unwrap_or(0);
    if limit == 0 || limit > jaeger.options.search_traces_max {
        let message = "search depth must be greater than 0 and less than max traces".to_owned();
        return Err(ApiError {
            status: 500,
            message,
        });
    }
    let Some(window) = request.search.window() else {
        return jaeger
            .show(
                Vec::new(),
                request.is_raw,
                Vec::new(),
                &[],
                (&parameters, timing),
            )
            .await;
    };
    let found = jaeger
        .query
        .find(FindTraces {
            tenant: jaeger.tenant.clone(),
            predicate: request.search.predicate(),
            window,
            order: Order::NewestFirst,
            limit,
            cursor: None,
        })
        .await?;
    timing.part("find");
    let found = jaeger.query.load(&jaeger.tenant, found).await?;
    timing.part("read");
    let traces = found.traces.into_iter().map(|trace| trace.spans).collect();
    jaeger
        .show(
            traces,
            request.is_raw,
            Vec::new(),
            &found.skipped,
            (&parameters, timing),
        )
        .await
}

impl Jaeger {
    async fn show(
        &self,
        traces: Vec<SpanBatch>,
        is_raw: bool,
        errors: Vec<AnswerError>,
        skipped: &[Skipped],
        (parameters, mut timing): (&Parameters, Timing),
    ) -> Result<Response, ApiError> {
        let options = (!is_raw).then_some(self.options.adjust);
        let data = self.work(move || traces_json(&traces, options)).await?;
        let mut answer = Answer {
            data,
            total: 0,
            errors,
        };
        answer.push_skipped(skipped);
        let response = answer.into_response(parameters);
        timing.part("write");
        Ok(timing.put(response))
    }
}

/// Traces as JSON; without options they are raw.
fn traces_json(traces: &[SpanBatch], options: Option<AdjustOptions>) -> String {
    let spans: usize = traces.iter().map(SpanBatch::len).sum();
    let mut out = String::with_capacity(spans.saturating_mul(SPAN_JSON_BYTES_TYPICAL));
    push_list(&mut out, traces, |out, spans| {
        let mut trace = AdjustableTrace::sanitized(spans);
        if let Some(options) = options {
            adjust(&mut trace, options);
        }
        push_trace(out, &trace);
    });
    out
}
