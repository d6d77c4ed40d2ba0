//! OTLP/HTTP: `POST /v1/traces` with protobuf or JSON, over HTTP/1.1 or HTTP/2 on one port.
//!
//! Promises
//! - Headers are checked before anything of the body is read: path, method, content type, encoding, length.
//! - Every answer, good or bad, has the request's content type; errors are a `google.rpc.Status` in it. A request
//!   without a content type of ours is answered in JSON.
//! - `Expect: 100-continue` is answered only when the body is about to be read.
//!
//! Refuses: other paths (404), other methods (405 with `Allow`), preflights of browsers (CORS is off).

use codec::otlp::{Encoding, status_body, success_body};
use http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use crate::connection::Door;
use crate::decompress::{Compression, ENCODINGS_ACCEPTED};
use crate::format::Format;
use crate::http_request::{add_challenges, compression, media_type, refused, take};
use crate::intake::Receipt;
use crate::ledger::Tally;
use crate::refusal::{Refusal, shorten_to};
use crate::reply::Reply;
use std::sync::Arc;

const PATH: &str = "/v1/traces";
const PROTO_TYPE: &str = "application/x-protobuf";
const JSON_TYPE: &str = "application/json";
const TYPES_ACCEPTED: &str = "application/x-protobuf or application/json";
/// The most of a client's own words that an error repeats.
const QUOTE_BYTES_MAX: usize = 100;

/// Answers one request.
pub(crate) async fn answer(door: &Door, request: Request<Incoming>) -> Response<Reply> {
    let (parts, mut body) = request.into_parts();
    let encoding = content_type(&parts.headers);
    let tally = door.receiver.ledger().open(door.transport, door.peer);
    match receive(door, &parts, encoding, &mut body, &tally).await {
        Ok(receipt) => success(encoding.unwrap_or(Encoding::Json), &receipt),
        Err(refusal) => {
            refused(door, &parts, body, &tally, &refusal);
            refuse(door, &parts, encoding.unwrap_or(Encoding::Json), &refusal)
        }
    }
}

async fn receive(
    door: &Door,
    parts: &Parts,
    encoding: Option<Encoding>,
    body: &mut Incoming,
    tally: &Arc<Tally>,
) -> Result<Receipt, Refusal> {
    let tenant = door.admit(parts).await?;
    let (format, compression) = check_headers(parts, encoding)?;
    take(door, tenant, format, compression, body, tally).await
}

fn check_headers(
    parts: &Parts,
    encoding: Option<Encoding>,
) -> Result<(Format, Compression), Refusal> {
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
    let encoding = encoding.ok_or_else(|| {
        let given = parts
            .headers
            .get(CONTENT_TYPE)
            .map_or(&b""[..], HeaderValue::as_bytes);
        let given = shorten_to(&String::from_utf8_lossy(given), QUOTE_BYTES_MAX);
        Refusal::WrongContentType {
            given,
            accepted: TYPES_ACCEPTED,
        }
    })?;
    let format = match encoding {
        Encoding::Proto => Format::OtlpProto,
        Encoding::Json => Format::OtlpJson,
    };
    Ok((format, compression(&parts.headers)?))
}

/// The encoding that the content type names, whatever its parameters; nothing when it is none of ours.
fn content_type(headers: &HeaderMap) -> Option<Encoding> {
    match media_type(headers)?.as_str() {
        PROTO_TYPE => Some(Encoding::Proto),
        JSON_TYPE => Some(Encoding::Json),
        _ => None,
    }
}

fn type_of(encoding: Encoding) -> HeaderValue {
    HeaderValue::from_static(match encoding {
        Encoding::Proto => PROTO_TYPE,
        Encoding::Json => JSON_TYPE,
    })
}

fn success(encoding: Encoding, receipt: &Receipt) -> Response<Reply> {
    let body = success_body(encoding, receipt.rejected_spans, &receipt.message);
    let mut response = Response::new(Reply::bytes(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, type_of(encoding));
    response
}

fn refuse(door: &Door, parts: &Parts, encoding: Encoding, refusal: &Refusal) -> Response<Reply> {
    let retry_after_s = door.receiver.retry_after_s(refusal);
    let body = status_body(
        encoding,
        refusal.grpc_code(),
        &refusal.message(),
        &refusal.details(retry_after_s),
    );
    let mut response = Response::new(Reply::bytes(body));
    *response.status_mut() = refusal.http_status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, type_of(encoding));
    if let Some(seconds) =
        retry_after_s.filter(|_| !plumbing::planted("receive-retry-after-missing"))
    {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    add_challenges(headers, refusal);
    match refusal {
        Refusal::WrongMethod { .. } => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Refusal::UnknownEncoding { .. } => {
            headers.insert(
                ACCEPT_ENCODING,
                HeaderValue::from_static(ENCODINGS_ACCEPTED),
            );
        }
        // What is left of the body can't be told from a next request.
        Refusal::TooSlow { .. } if parts.version < Version::HTTP_2 => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    debug_assert_ne!(
        response.status(),
        StatusCode::OK,
        "a refusal is never a success"
    );
    response
}
