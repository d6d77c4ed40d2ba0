//! What the HTTP doors do alike: read a body within the limits, hand it in, and let go of one that was refused.
//!
//! Promises: nothing of a body is read before the door has checked the headers.

use std::sync::Arc;

use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, EXPECT, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use model::TenantId;

use crate::body::{linger, read_whole, within};
use crate::connection::Door;
use crate::decompress::{Compression, ENCODINGS_ACCEPTED};
use crate::format::Format;
use crate::intake::{self, Receipt};
use crate::ledger::Tally;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Reads a body and hands it in; answers when its spans are kept.
pub(crate) async fn take(
    door: &Door,
    tenant: TenantId,
    format: Format,
    compression: Compression,
    body: &mut Incoming,
    tally: &Arc<Tally>,
) -> Result<Receipt, Refusal> {
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
        tenant,
        format,
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

/// The one compression that the headers name.
pub(crate) fn compression(headers: &HeaderMap) -> Result<Compression, Refusal> {
    if headers.get_all(CONTENT_ENCODING).iter().count() > 1 {
        let given = "several Content-Encoding headers".to_owned();
        return Err(Refusal::UnknownEncoding {
            given,
            accepted: ENCODINGS_ACCEPTED,
        });
    }
    Compression::of_header(headers.get(CONTENT_ENCODING))
}

/// The media type without its parameters, in small letters; nothing when there is none, or it is no text.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    Some(media_type.to_ascii_lowercase())
}

/// Counts a refusal, and sees to what is left of the body.
pub(crate) fn refused(
    door: &Door,
    parts: &Parts,
    body: Incoming,
    tally: &Arc<Tally>,
    refusal: &Refusal,
) {
    tally.refuse(refusal);
    tracing::debug!(transport = door.transport.label(), error = %refusal, "a request was refused");
    let is_waiting_for_100 = parts.headers.contains_key(EXPECT);
    let is_slow = matches!(refusal, Refusal::TooSlow { .. } | Refusal::BrokenOff { .. });
    if parts.version < Version::HTTP_2 && !body.is_end_stream() && !is_waiting_for_100 && !is_slow {
        door.tasks.spawn(linger(body));
    }
}

/// An answer in plain words, as Jaeger's and Zipkin's doors give it: a line of text, or nothing.
pub(crate) fn plain(status: StatusCode, text: &str) -> Response<Reply> {
    let line = if text.is_empty() {
        String::new()
    } else {
        format!("{text}\n")
    };
    let mut response = Response::new(Reply::bytes(line));
    *response.status_mut() = status;
    if !text.is_empty() {
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, kind);
        let no_guess = HeaderValue::from_static("nosniff");
        headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, no_guess);
    }
    response
}

/// The status of a refusal where no client knows 429: exporters to these doors send again after 5xx and take every
/// 4xx as final.
pub(crate) fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Overloaded { .. } => StatusCode::SERVICE_UNAVAILABLE,
        other => other.http_status(),
    }
}

/// Tells when to come back, and which methods there are.
pub(crate) fn add_advice(response: &mut Response<Reply>, door: &Door, refusal: &Refusal) {
    let headers = response.headers_mut();
    if let Some(seconds) = door.receiver.retry_after_s(refusal) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if matches!(refusal, Refusal::WrongMethod { .. }) {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    add_challenges(headers, refusal);
}

/// Tells which credentials may be given.
pub(crate) fn add_challenges(headers: &mut HeaderMap, refusal: &Refusal) {
    if let Refusal::Denied(denied) = refusal {
        for challenge in denied.challenges() {
            headers.append(WWW_AUTHENTICATE, challenge.clone());
        }
    }
}
