//! One gRPC call over HTTP/2, and what its answer means.
//!
//! Spoken without a framework, as the servers of this program do: one message each way is five bytes of prefix, a few
//! headers and two trailers, and a body is compressed once however often it is sent.
//!
//! Promises: which answers are to be tried again is OTLP's list and nothing else, with one exception that is said at
//! [`Verdict::Denied`]. An answer is read up to [`ANSWER_BYTES_MAX`].

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use codec::otlp::read_retry_delay;
use grpc::frame::{PREFIX_BYTES, framed};
use grpc::headers::{
    APPLICATION_GRPC, GRPC_ENCODING, GRPC_MESSAGE, GRPC_STATUS, GRPC_STATUS_DETAILS, GRPC_TIMEOUT,
    percent_decode,
};
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use plumbing::Clock;

use crate::options::{Compression, Token};

/// The longest answer that is read.
pub(crate) const ANSWER_BYTES_MAX: usize = 4 << 20;
/// The longest message that is kept of an error.
const MESSAGE_CHARS_MAX: usize = 300;
/// A pause that a collector asks for is not taken to be longer.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// `OTLP`'s one method.
pub(crate) const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// A message with its prefix, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    pub(crate) body: Bytes,
    pub(crate) compression: Compression,
}

impl Framed {
    /// Compresses a message; what can't be compressed is sent as it is.
    pub(crate) fn new(message: &[u8], compression: Compression) -> Self {
        let packed = match compression {
            Compression::None => None,
            Compression::Gzip => gzip(message),
            Compression::Zstd => zstd::bulk::compress(message, ZSTD_LEVEL).ok(),
        };
        let (bytes, compression) = match &packed {
            Some(packed) => (packed.as_slice(), compression),
            None => (message, Compression::None),
        };
        Self {
            body: framed(bytes, packed.is_some()),
            compression,
        }
    }
}

/// The fastest: a level more costs as much again for a few percent.
const ZSTD_LEVEL: i32 = 1;

fn gzip(message: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(message).ok()?;
    packer.finish().ok()
}

/// What stands in every call.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) token: Token,
    pub(crate) timeout: Duration,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
}

impl Manner {
    /// The request of a call.
    pub(crate) fn request(
        &self,
        authority: &str,
        path: &str,
        framed: &Framed,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let uri = Uri::builder()
            .scheme(self.scheme)
            .authority(authority)
            .path_and_query(path)
            .build()?;
        let mut request = Request::post(uri).body(Full::new(framed.body.clone()))?;
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        if let Some(token) = self.token.value() {
            headers.insert(AUTHORIZATION, token);
        }
        headers.insert(CONTENT_TYPE, APPLICATION_GRPC);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("trackway/", env!("CARGO_PKG_VERSION"))),
        );
        let millis = format!("{}m", self.timeout.as_millis().clamp(1, 99_999_999));
        if let Ok(value) = HeaderValue::from_str(&millis) {
            headers.insert(GRPC_TIMEOUT, value);
        }
        match framed.compression {
            Compression::None => None,
            Compression::Gzip => headers.insert(GRPC_ENCODING, HeaderValue::from_static("gzip")),
            Compression::Zstd => headers.insert(GRPC_ENCODING, HeaderValue::from_static("zstd")),
        };
        Ok(request)
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// How long the collector asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// The message of a success.
    pub(crate) body: Bytes,
}

/// gRPC's number of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub u32);

impl Code {
    pub(crate) const UNAVAILABLE: Self = Self(14);
    pub(crate) const UNIMPLEMENTED: Self = Self(12);

    /// The word in the metrics.
    pub(crate) fn label(self) -> &'static str {
        const LABELS: [&str; 17] = [
            "ok",
            "cancelled",
            "unknown",
            "invalid_argument",
            "deadline_exceeded",
            "not_found",
            "already_exists",
            "permission_denied",
            "resource_exhausted",
            "failed_precondition",
            "aborted",
            "out_of_range",
            "unimplemented",
            "internal",
            "unavailable",
            "data_loss",
            "unauthenticated",
        ];
        let index = usize::try_from(self.0).unwrap_or(usize::MAX);
        LABELS.get(index).unwrap_or(&"unknown")
    }

    fn of_http(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Self(13),
            401 => Self(16),
            403 => Self(7),
            404 => Self::UNIMPLEMENTED,
            429 | 502..=504 => Self::UNAVAILABLE,
            _ => Self(2),
        }
    }
}

/// What is to be done after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: the collector has it.
    Taken,
    /// Try again, by OTLP's list.
    Later,
    /// Try again, much later: the answer is about who asks and where, not about what is sent. By OTLP's list the spans
    /// would be lost; a token that ran out or a wrong port is not worth that, while there is room for them.
    Denied,
    /// Give it up: the same request will be refused again.
    Refused,
}

impl Answer {
    /// A call that brought no answer.
    pub(crate) fn none(why: &str) -> Self {
        Self {
            code: Code::UNAVAILABLE,
            message: why.chars().take(MESSAGE_CHARS_MAX).collect(),
            retry_after: None,
            body: Bytes::new(),
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match self.code.0 {
            0 => Verdict::Taken,
            1 | 4 | 10 | 11 | 14 | 15 => Verdict::Later,
            8 if self.retry_after.is_some() => Verdict::Later,
            7 | 12 | 16 => Verdict::Denied,
            _ => Verdict::Refused,
        }
    }
}

/// Makes a call and reads its answer; what goes wrong on the way is an answer too. The clock is only looked at when a
/// collector names a date and does not say what time it has itself.
pub(crate) async fn call(
    mut sender: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
    clock: &dyn Clock,
) -> Answer {
    match sender.send_request(request).await {
        Ok(response) => read_answer(response, clock).await,
        Err(error) => Answer::none(&format!("the call broke off: {error}")),
    }
}

async fn read_answer(response: Response<Incoming>, clock: &dyn Clock) -> Answer {
    let (parts, body) = response.into_parts();
    let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(clock.unix_nanos());
    let asked = retry_after(&parts.headers, now);
    let is_grpc = parts.status == StatusCode::OK;
    // An error may stand in the headers alone.
    if is_grpc && parts.headers.contains_key(GRPC_STATUS) {
        return of_headers(&parts.headers, &Bytes::new(), asked);
    }
    if !is_grpc {
        return Answer {
            code: Code::of_http(parts.status),
            message: format!("HTTP status {}", parts.status),
            retry_after: asked,
            body: Bytes::new(),
        };
    }
    let collected = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(collected) => collected,
        Err(error) => return Answer::none(&format!("the answer broke off: {error}")),
    };
    let Some(trailers) = collected.trailers().cloned() else {
        return Answer::none("the answer has no status: does that port speak gRPC?");
    };
    let asked = retry_after(&trailers, now).or(asked);
    of_headers(&trailers, &collected.to_bytes(), asked)
}

/// `asked` is what headers say of a pause; what the status itself says comes before it.
fn of_headers(headers: &HeaderMap, body: &Bytes, asked: Option<Duration>) -> Answer {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let code = text(&GRPC_STATUS)
        .and_then(|text| text.parse().ok())
        .map_or(Code(2), Code);
    let details = text(&GRPC_STATUS_DETAILS).and_then(|text| {
        let text = text.trim();
        let bytes = STANDARD_NO_PAD
            .decode(text)
            .or_else(|_| STANDARD.decode(text));
        read_retry_delay(&bytes.ok()?)
    });
    Answer {
        code,
        message: printable(text(&GRPC_MESSAGE).unwrap_or_default()),
        retry_after: details.map(|delay| delay.min(RETRY_AFTER_MAX)).or(asked),
        body: body
            .get(PREFIX_BYTES..)
            .filter(|_| body.first() == Some(&0))
            .map(Bytes::copy_from_slice)
            .unwrap_or_default(),
    }
}

/// `Retry-After` in both its forms, as proxies before a collector send it with 429 and 503, and some collectors beside
/// a gRPC status.
///
/// A date is set against the `Date` of the same answer, so that no two clocks need to agree; where there is none,
/// against our own. One that is over asks for no pause, and none is longer than [`RETRY_AFTER_MAX`].
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pause = if is_number {
        // More digits than a number of ours has are long, too.
        text.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(text).ok()?;
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        until
            .duration_since(date.unwrap_or(now))
            .unwrap_or_default()
    };
    Some(pause.min(RETRY_AFTER_MAX))
}

/// The text of a status that may stand in a log.
fn printable(text: &str) -> String {
    percent_decode(text)
        .chars()
        .filter(|char| !char.is_control())
        .take(MESSAGE_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u32, retry_after: Option<Duration>) -> Answer {
        Answer {
            code: Code(code),
            message: String::new(),
            retry_after,
            body: Bytes::new(),
        }
    }

    #[test]
    fn what_is_tried_again_is_the_list_of_otlp() {
        let of = |verdict| {
            (0..20)
                .filter(|code| answer(*code, None).verdict() == verdict)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(Verdict::Taken), [0]);
        assert_eq!(of(Verdict::Later), [1, 4, 10, 11, 14, 15]);
        assert_eq!(of(Verdict::Denied), [7, 12, 16]);
        assert_eq!(of(Verdict::Refused), [2, 3, 5, 6, 8, 9, 13, 17, 18, 19]);
        let pause = Some(Duration::from_secs(1));
        assert_eq!(answer(8, pause).verdict(), Verdict::Later);
        assert_eq!(answer(3, pause).verdict(), Verdict::Refused);
    }

    #[test]
    fn statuses_of_proxies_are_told_apart() {
        let verdict = |status: u16| {
            let code = Code::of_http(StatusCode::from_u16(status).unwrap());
            answer(code.0, None).verdict()
        };
        for status in [429, 502, 503, 504] {
            assert_eq!(verdict(status), Verdict::Later, "{status}");
        }
        for status in [401, 403, 404] {
            assert_eq!(verdict(status), Verdict::Denied, "{status}");
        }
        assert_eq!(verdict(400), Verdict::Refused);
    }

    #[test]
    fn messages_and_pauses_are_read_whatever_they_are() {
        assert_eq!(printable("50 %25 %C3%A4%0A%"), "50 % ä%");
        assert_eq!(printable("%zz%4"), "%zz%4");
    }

    #[test]
    fn a_pause_is_read_as_seconds_or_as_a_date_in_each_of_its_forms() {
        let at = |text: &str| httpdate::parse_http_date(text).unwrap();
        let ours = at("Sun, 06 Nov 1994 08:49:30 GMT");
        let pause = |value: &'static str, date: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            retry_after(&headers, ours).map(|pause| pause.as_secs())
        };
        let theirs = Some("Sun, 06 Nov 1994 08:49:35 GMT");
        let table = [
            ("0", None, Some(0)),
            (" 7 ", None, Some(7)),
            ("300", None, Some(300)),
            ("301", None, Some(300)),
            ("99999999999999999999999", None, Some(300)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, Some(7)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None, Some(7)),
            ("Sun Nov  6 08:49:37 1994", None, Some(7)),
            // The collector's clock is the one that counts, ours where it says nothing readable of it.
            ("Sun, 06 Nov 1994 08:49:37 GMT", theirs, Some(2)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("now"), Some(7)),
            ("7", theirs, Some(7)),
            // Over, and far away.
            ("Sun, 06 Nov 1994 08:49:29 GMT", None, Some(0)),
            ("Sun, 06 Nov 1994 08:49:34 GMT", theirs, Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None, Some(300)),
            // Neither of both.
            ("", None, None),
            ("soon", None, None),
            ("-1", None, None),
            ("+1", None, None),
            ("1.5", None, None),
            ("1 s", None, None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None, None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None, None),
            ("1994-11-06T08:49:37Z", None, None),
        ];
        for (value, date, expected) in table {
            assert_eq!(pause(value, date), expected, "{value:?} at {date:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), ours), None);
    }

    #[test]
    fn what_a_status_itself_asks_for_comes_before_a_header() {
        let details = codec::otlp::status_body(
            codec::otlp::Encoding::Proto,
            14,
            "later",
            &[codec::otlp::Detail::RetryInfo { seconds: 2 }],
        );
        let packed = HeaderValue::from_str(&STANDARD_NO_PAD.encode(details)).unwrap();
        let mut headers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("14"))]);
        let seconds = Some(Duration::from_secs(9));
        let of = |headers: &HeaderMap| of_headers(headers, &Bytes::new(), seconds).retry_after;
        assert_eq!(of(&headers), seconds);
        headers.insert(GRPC_STATUS_DETAILS, packed);
        assert_eq!(of(&headers), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_message_is_framed_in_each_encoding() {
        let message = vec![7; 10_000];
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let framed = Framed::new(&message, compression);
            let length = u32::from_be_bytes(framed.body[1..5].try_into().unwrap());
            assert_eq!(framed.body.len(), 5 + usize::try_from(length).unwrap());
            let is_packed = compression != Compression::None;
            assert_eq!(
                (framed.body[0] == 1, framed.body.len() < 1_000),
                (is_packed, is_packed)
            );
            assert_eq!(framed.compression, compression);
        }
    }
}
