//! Zipkin's clients over HTTP: spans of both models in JSON, Thrift and protobuf (port 9411).
//!
//! Promises: as Zipkin's collectors everywhere, the path decides on the model (`/api/v1/spans`, all others are the
//! second) and the content type on the encoding, JSON unless it says otherwise; 202 without a body, 400 with the
//! reason. What should be sent again is 503 with `Retry-After`.
//!
//! Refuses: other methods than POST (405).

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::connection::Door;
use crate::format::Format;
use crate::http_request::{add_advice, compression, media_type, plain, refused, status_of, take};
use crate::intake::Receipt;
use crate::ledger::Tally;
use crate::refusal::{Refusal, shorten_to};
use crate::reply::Reply;

/// What the path of the first model has in it.
const V1: &str = "api/v1/spans";
const THRIFT_TYPE: &str = "application/x-thrift";
const PROTO_TYPE: &str = "application/x-protobuf";
/// The most of a client's own words that an error repeats.
const QUOTE_BYTES_MAX: usize = 100;

/// Answers one request.
pub(crate) async fn answer(door: &Door, request: Request<Incoming>) -> Response<Reply> {
    let (parts, mut body) = request.into_parts();
    let tally = door.receiver.ledger().open(door.transport, door.peer);
    match receive(door, &parts, &mut body, &tally).await {
        Ok(_) => plain(StatusCode::ACCEPTED, ""),
        Err(refusal) => {
            refused(door, &parts, body, &tally, &refusal);
            let mut response = plain(status_of(&refusal), &refusal.message());
            add_advice(&mut response, door, &refusal);
            response
        }
    }
}

async fn receive(
    door: &Door,
    parts: &Parts,
    body: &mut Incoming,
    tally: &Arc<Tally>,
) -> Result<Receipt, Refusal> {
    let tenant = door.admit(parts).await?;
    if parts.method != Method::POST {
        return Err(Refusal::WrongMethod {
            method: shorten_to(parts.method.as_str(), QUOTE_BYTES_MAX),
        });
    }
    let compression = compression(&parts.headers)?;
    take(door, tenant, format_of(parts), compression, body, tally).await
}

fn format_of(parts: &Parts) -> Format {
    let media_type = media_type(&parts.headers).unwrap_or_default();
    let is_v1 = parts.uri.path().contains(V1);
    match (is_v1, media_type.as_str()) {
        (true, THRIFT_TYPE) => Format::ZipkinThriftV1,
        (true, _) => Format::ZipkinJsonV1,
        (false, PROTO_TYPE) => Format::ZipkinProtoV2,
        (false, _) => Format::ZipkinJsonV2,
    }
}
