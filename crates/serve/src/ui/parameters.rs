//! The parameters of the app's questions: times, limits, ids.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use model::contract::{Order, Window};
use model::{SpanId, TraceId};
use serde::de::DeserializeOwned;
use traceql::{Field, Kind};

use super::error::UiError;
use crate::kinds;

/// How far back a question looks that doesn't say: an hour.
const LOOKBACK_NANOS: u64 = 3_600_000_000_000;

/// The parameters of a request in their order.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads what stands behind the `?`. What can't be unescaped is as if absent.
    pub(super) fn parse(query: Option<&str>) -> Self {
        Self(plumbing::query_string::pairs(query).collect())
    }

    /// The first value of a parameter; empty when there is none.
    pub(super) fn text(&self, key: &str) -> &str {
        self.all(key).next().unwrap_or_default()
    }

    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        let of_key = self.0.iter().filter(move |(name, _)| name == key);
        of_key.map(|(_, value)| value.as_str())
    }

    /// A whole number within bounds; the default when it is not given.
    pub(super) fn number(&self, key: &str, default: u64, max: u64) -> Result<u64, UiError> {
        let text = self.text(key);
        if text.is_empty() {
            return Ok(default);
        }
        match text.parse() {
            Ok(number) if number <= max => Ok(number),
            _ => Err(UiError::bad_request(format!(
                "{key} is {text:?}; give a whole number up to {max}"
            ))),
        }
    }

    /// From `from` to `to`, nanoseconds since the epoch; the last hour when they are not given.
    pub(super) fn window(&self, now: u64) -> Result<Window, UiError> {
        let end = self.number("to", now, u64::MAX)?;
        let start = self.number("from", end.saturating_sub(LOOKBACK_NANOS), u64::MAX)?;
        if end < start {
            return Err(UiError::bad_request("the time range ends before it begins")
                .with_hint("swap from and to"));
        }
        Ok(Window { start, end })
    }

    /// OTLP's numbers of the kinds that are given.
    pub(super) fn kinds(&self) -> Result<Vec<i32>, UiError> {
        let number = |kind: &str| {
            kinds::number_of(kind).ok_or_else(|| {
                let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::text).collect();
                UiError::bad_request(format!(
                    "kind is {kind:?}; give one of {}",
                    names.join(", ")
                ))
            })
        };
        self.all("kind").map(number).collect()
    }

    /// Fields of the query language.
    pub(super) fn fields(&self, key: &str) -> Result<Vec<Field>, UiError> {
        let field = |text: &str| {
            traceql::parse_field(text).ok_or_else(|| {
                UiError::bad_request(format!("{key} has {text:?}, which is no field")).with_hint(
                    "fields are written as in a query: name, span.http.route, resource.host.name",
                )
            })
        };
        self.all(key).map(field).collect()
    }

    pub(super) fn order(&self) -> Result<Order, UiError> {
        match self.text("sort") {
            "" | "newest" => Ok(Order::NewestFirst),
            "slowest" => Ok(Order::SlowestFirst),
            other => Err(UiError::bad_request(format!(
                "sort is {other:?}; give newest or slowest"
            ))),
        }
    }
}

/// The trace that a path names.
pub(super) struct OfTrace(pub(super) TraceId);

impl<S: Send + Sync> FromRequestParts<S> for OfTrace {
    type Rejection = UiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, UiError> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = text.map_err(|error| UiError::bad_request(error.body_text()))?;
        trace_id(&text).map(Self)
    }
}

/// A body of JSON.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = UiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, UiError> {
        let body = Json::<T>::from_request(request, state).await;
        body.map(|Json(body)| Self(body))
            .map_err(|error| UiError::new(error.status(), error.body_text()))
    }
}

pub(super) fn trace_id(text: &str) -> Result<TraceId, UiError> {
    TraceId::parse(text).map_err(|error| {
        UiError::new(
            StatusCode::BAD_REQUEST,
            format!("{text:?} is no trace id: {error}"),
        )
        .with_hint("a trace id has 32 hexadecimal digits")
    })
}

pub(super) fn span_id(text: &str) -> Result<SpanId, UiError> {
    SpanId::parse(text).map_err(|error| {
        UiError::new(
            StatusCode::BAD_REQUEST,
            format!("{text:?} is no span id: {error}"),
        )
        .with_hint("a span id has 16 hexadecimal digits")
    })
}
