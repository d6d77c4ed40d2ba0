//! One trace: all rows of it at once, and its spans when somebody looks at them.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::contract::Skipped as Unread;
use model::{OutlineAnswer, TraceId};
use plumbing::planted;
use query::skeleton::Skeleton;
use serde::Deserialize;

use super::Ui;
use super::answers::{Skipped, SpansAnswer};
use super::error::UiError;
use super::parameters::{OfTrace, Sent, span_id};
use super::{arrow, spans};
use crate::guard::For;

/// Most spans of one question.
const SPANS_MAX: usize = 1_000;
/// What the skeleton is called.
const ARROW_STREAM: HeaderValue = HeaderValue::from_static("application/vnd.apache.arrow.stream");

impl Ui {
    /// The outline of a trace that must be there.
    pub(super) async fn found(&self, id: TraceId) -> Result<OutlineAnswer, UiError> {
        let found = self.parts.query.outline(&self.parts.tenant, id).await?;
        if found.outline.is_empty() {
            return Err(not_found(id, &found.skipped));
        }
        Ok(found)
    }
}

/// The rows of a trace. Who has them already sends their version back and is told that nothing changed; rows that lack
/// something say so in their warnings, and have no version to be kept by.
pub(super) async fn skeleton(
    For(ui): For<Ui>,
    OfTrace(id): OfTrace,
    headers: HeaderMap,
) -> Result<Response, UiError> {
    let found = ui.found(id).await?;
    let skew = ui.parts.options.clock_skew_max_nanos;
    let known = headers.get(header::IF_NONE_MATCH).cloned();
    let (tag, body) = ui
        .work(move || {
            let mut skeleton = Skeleton::of(&found.outline, skew);
            let tag = found.skipped.is_empty().then(|| tag(&skeleton));
            if tag
                .as_ref()
                .zip(known)
                .is_some_and(|(tag, known)| is_known(&known, tag))
            {
                return Ok((tag, None));
            }
            skeleton.is_complete &= found.skipped.is_empty();
            let lacks = found.skipped.iter();
            skeleton.warnings.extend(
                lacks.map(|unread| format!("{} could not be read: {}", unread.what, unread.why)),
            );
            arrow::write(id, &skeleton).map(|body| (tag, Some(body)))
        })
        .await?
        .map_err(|error| {
            UiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the trace could not be written: {error}"),
            )
        })?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    Ok(match body {
        None => (StatusCode::NOT_MODIFIED, headers).into_response(),
        Some(body) => (headers, [(header::CONTENT_TYPE, ARROW_STREAM)], body).into_response(),
    })
}

/// What a version is called in headers.
fn tag(skeleton: &Skeleton) -> HeaderValue {
    let version = format!("\"{:016x}\"", skeleton.version);
    HeaderValue::try_from(version).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether a version is among those that the page has. A proxy that compresses marks them as weak.
fn is_known(known: &HeaderValue, tag: &HeaderValue) -> bool {
    if planted("ui-tag-not-compared") {
        return true;
    }
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else {
        return false;
    };
    known.split(',').any(|one| {
        let one = one.trim();
        one.strip_prefix("W/").unwrap_or(one) == tag
    })
}

/// Says that there is no such trace, or that it is not known whether there is.
pub(super) fn not_found(id: TraceId, skipped: &[Unread]) -> UiError {
    if let Some(first) = skipped.first() {
        let message = format!(
            "no span of trace {id} is in what could be read; {} was skipped: {}",
            first.what, first.why
        );
        return UiError::new(StatusCode::INTERNAL_SERVER_ERROR, message);
    }
    UiError::new(StatusCode::NOT_FOUND, format!("there is no trace {id}"))
        .with_hint("it was never received, is not received yet, or has passed the retention time")
}

/// Which spans are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct SpansRequest {
    spans: Vec<String>,
}

/// Some spans of a trace with all that is known of them; several may have one id.
pub(super) async fn spans(
    For(ui): For<Ui>,
    OfTrace(id): OfTrace,
    Sent(request): Sent<SpansRequest>,
) -> Result<Json<SpansAnswer>, UiError> {
    let wanted = request.spans.len();
    if wanted > SPANS_MAX {
        return Err(UiError::bad_request(format!(
            "{wanted} spans are asked for at once; at most {SPANS_MAX} are told"
        )));
    }
    let ids = request.spans.iter().map(|text| span_id(text));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let found = ui.parts.query.spans_of(&ui.parts.tenant, id, ids).await?;
    let answer = ui
        .work(move || SpansAnswer {
            spans: found.spans.iter().map(spans::details).collect(),
            skipped: Skipped::all(&found.skipped),
        })
        .await?;
    Ok(Json(answer))
}
