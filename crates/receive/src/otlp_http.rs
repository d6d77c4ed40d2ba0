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
use http::header::{
    ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT, RETRY_AFTER,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;

use crate::body::{linger, read_whole, within};
use crate::connection::Door;
use crate::decompress::{Compression, ENCODINGS_ACCEPTED};
use crate::intake::{self, Receipt};
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
            tally.refuse(&refusal);
            tracing::debug!(transport = door.transport.label(), error = %refusal, "a request was refused");
            let response = refuse(door, &parts, encoding.unwrap_or(Encoding::Json), &refusal);
            let is_waiting_for_100 = parts.headers.contains_key(EXPECT);
            let is_slow = matches!(refusal, Refusal::TooSlow { .. } | Refusal::BrokenOff { .. });
            if parts.version < Version::HTTP_2
                && !body.is_end_stream()
                && !is_waiting_for_100
                && !is_slow
            {
                door.tasks.spawn(linger(body));
            }
            response
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
    let (encoding, compression) = check_headers(parts, encoding)?;
    door.check_open()?;
    let receiver = &door.receiver;
    let limits = receiver.limits();
    let is_compressed = compression != Compression::Identity;
    let bytes_max = if is_compressed {
        limits.compressed_bytes_max
    } else {
        limits.body_bytes_max
    };
    let reading = read_whole(body, receiver.budget(), bytes_max, is_compressed, tally);
    let held = within(limits.body_timeout, reading).await?;
    let request = intake::Request {
        encoding,
        compression,
        held,
        tally: Arc::clone(tally),
    };
    let told = receiver.take(request, &door.tasks).await;
    told.unwrap_or_else(|_| {
        Err(Refusal::Failed {
            reason: "the request's task ended early".to_owned(),
        })
    })
}

fn check_headers(
    parts: &Parts,
    encoding: Option<Encoding>,
) -> Result<(Encoding, Compression), Refusal> {
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
    if parts.headers.get_all(CONTENT_ENCODING).iter().count() > 1 {
        let given = "several Content-Encoding headers".to_owned();
        return Err(Refusal::UnknownEncoding {
            given,
            accepted: ENCODINGS_ACCEPTED,
        });
    }
    Ok((
        encoding,
        Compression::of_header(parts.headers.get(CONTENT_ENCODING))?,
    ))
}

/// The encoding that the content type names, whatever its parameters; nothing when it is none of ours.
fn content_type(headers: &HeaderMap) -> Option<Encoding> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(PROTO_TYPE) {
        Some(Encoding::Proto)
    } else if media_type.eq_ignore_ascii_case(JSON_TYPE) {
        Some(Encoding::Json)
    } else {
        None
    }
}

fn media_type(encoding: Encoding) -> HeaderValue {
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
        .insert(CONTENT_TYPE, media_type(encoding));
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
    headers.insert(CONTENT_TYPE, media_type(encoding));
    if let Some(seconds) =
        retry_after_s.filter(|_| !plumbing::planted("receive-retry-after-missing"))
    {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
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
