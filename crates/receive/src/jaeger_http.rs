//! Jaeger's clients over HTTP: `POST /api/traces` with a batch in Thrift's binary protocol, and `GET /api/sampling` for
//! what to record (port 14268).
//!
//! Promises: status, content type and the first words of every answer are those of Jaeger's collector: 202 without a
//! body, 400 for what can't be read, text with a line's end. What should be sent again is 503 with `Retry-After`,
//! where Jaeger says 500.
//!
//! Refuses: other paths (404), other methods (405), other content types (400).

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::connection::Door;
use crate::format::Format;
use crate::http_request::{add_advice, compression, media_type, plain, refused, status_of, take};
use crate::intake::Receipt;
use crate::ledger::Tally;
use crate::refusal::{Refusal, shorten_to};
use crate::reply::Reply;

const PATH: &str = "/api/traces";
/// Where clients and agents ask what to record.
const SAMPLING_PATH: &str = "/api/sampling";
const TYPES: [&str; 2] = [
    "application/x-thrift",
    "application/vnd.apache.thrift.binary",
];
const TYPES_ACCEPTED: &str = "application/x-thrift or application/vnd.apache.thrift.binary";
/// The most of a client's own words that an error repeats.
const QUOTE_BYTES_MAX: usize = 100;

/// Answers one request.
pub(crate) async fn answer(door: &Door, request: Request<Incoming>) -> Response<Reply> {
    let (parts, mut body) = request.into_parts();
    if parts.method == Method::GET && parts.uri.path() == SAMPLING_PATH {
        return match door.let_in(&parts).await {
            Ok(()) => strategy(door, parts.uri.query()),
            Err(refusal) => refuse(door, &parts.headers, &refusal),
        };
    }
    let tally = door.receiver.ledger().open(door.transport, door.peer);
    match receive(door, &parts, &mut body, &tally).await {
        Ok(_) => plain(StatusCode::ACCEPTED, ""),
        Err(refusal) => {
            refused(door, &parts, body, &tally, &refusal);
            refuse(door, &parts.headers, &refusal)
        }
    }
}

fn strategy(door: &Door, query: Option<&str>) -> Response<Reply> {
    match sampling::http_answer(door.receiver.strategies(), query) {
        Ok(text) => {
            let mut response = Response::new(Reply::bytes(text));
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(why) => plain(StatusCode::BAD_REQUEST, why),
    }
}

async fn receive(
    door: &Door,
    parts: &Parts,
    body: &mut Incoming,
    tally: &Arc<Tally>,
) -> Result<Receipt, Refusal> {
    let tenant = door.admit(parts).await?;
    let path = parts.uri.path();
    if path != PATH {
        return Err(Refusal::UnknownPath {
            path: shorten_to(path, QUOTE_BYTES_MAX),
            expected: PATH,
        });
    }
    if parts.method != Method::POST {
        return Err(Refusal::WrongMethod {
            method: shorten_to(parts.method.as_str(), QUOTE_BYTES_MAX),
        });
    }
    let given = media_type(&parts.headers).unwrap_or_default();
    if !TYPES.contains(&given.as_str()) {
        return Err(Refusal::WrongContentType {
            given: shorten_to(&given, QUOTE_BYTES_MAX),
            accepted: TYPES_ACCEPTED,
        });
    }
    let compression = compression(&parts.headers)?;
    take(door, tenant, Format::JaegerThrift, compression, body, tally).await
}

fn refuse(door: &Door, headers: &HeaderMap, refusal: &Refusal) -> Response<Reply> {
    let mut response = match refusal {
        Refusal::UnknownPath { .. } => plain(StatusCode::NOT_FOUND, "404 page not found"),
        Refusal::WrongMethod { .. } => plain(StatusCode::METHOD_NOT_ALLOWED, ""),
        Refusal::Denied(denied) => plain(denied.http_status(), &denied.to_string()),
        Refusal::WrongContentType { given, accepted } => plain(
            StatusCode::BAD_REQUEST,
            &content_type_text(headers, given, accepted),
        ),
        Refusal::Malformed { .. } | Refusal::UnknownEncoding { .. } => plain(
            StatusCode::BAD_REQUEST,
            &format!("Unable to process request body: {}", refusal.message()),
        ),
        other => plain(
            status_of(other),
            &format!("Cannot submit Jaeger batch: {}", other.message()),
        ),
    };
    add_advice(&mut response, door, refusal);
    response
}

fn content_type_text(headers: &HeaderMap, given: &str, accepted: &str) -> String {
    let is_given = headers.get(CONTENT_TYPE).is_some_and(|it| !it.is_empty());
    if !is_given {
        return format!("Cannot parse content type: mime: no media type; use {accepted}");
    }
    let is_odd = |sign: char| "()<>@,;:\\\"[]?={}".contains(sign) || sign.is_whitespace();
    if given.matches('/').count() > 1 || given.contains(is_odd) {
        return format!(
            "Cannot parse content type: mime: unexpected content after media subtype; use {accepted}"
        );
    }
    let given = given.replace('&', "&amp;").replace('\'', "&#39;");
    format!("Unsupported content type: {given}")
}
