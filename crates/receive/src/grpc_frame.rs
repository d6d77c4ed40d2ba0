//! gRPC's five bytes before each message, its status in trailers, and its deadline in a header.
//!
//! Source: "gRPC over HTTP2". Only unary calls are spoken. The limit is on the length in the prefix, so a message
//! that is too large is refused before any of it is read.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use codec::otlp::{Encoding, status_body};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use plumbing::ByteBudget;

use crate::body::{Bytewise, Held, next_bytes, next_chunk};
use crate::decompress::ENCODINGS_ACCEPTED;
use crate::ledger::Tally;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Bytes before a message: one flag, four of length.
pub(crate) const PREFIX_BYTES: usize = 5;
/// The most bytes of a health check, prefix included.
const SMALL_MESSAGE_BYTES_MAX: usize = 1024;
/// The longest deadline that means anything; longer ones are the same as none.
const DEADLINE_MAX: Duration = Duration::from_secs(24 * 3600);

pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
pub(crate) const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// One message as it came.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) is_compressed: bool,
    pub(crate) held: Held,
}

/// Reads the one message of a unary call, and the end behind it.
pub(crate) async fn read_message(
    body: &mut impl Bytewise,
    budget: &ByteBudget,
    limits: &Limits,
    tally: &Arc<Tally>,
) -> Result<Message, Refusal> {
    let mut prefix = Vec::with_capacity(PREFIX_BYTES);
    let mut message: Option<(Message, usize)> = None;
    while let Some(mut chunk) = next_chunk(body, tally).await? {
        while message.is_none() && !chunk.is_empty() {
            let missing = PREFIX_BYTES - prefix.len();
            prefix.extend_from_slice(&chunk.split_to(missing.min(chunk.len())));
            if let &[flag, a, b, c, d] = prefix.as_slice() {
                message = Some(begin(
                    flag,
                    u32::from_be_bytes([a, b, c, d]),
                    budget,
                    limits,
                )?);
            }
        }
        let Some((message, length)) = &mut message else {
            continue;
        };
        if message.held.bytes.len() + chunk.len() > *length {
            return Err(Refusal::WrongCardinality {
                found: "more than one",
            });
        }
        message.held.bytes.extend_from_slice(&chunk);
    }
    match message {
        Some((message, length)) if message.held.bytes.len() == length => Ok(message),
        None if prefix.is_empty() => Err(Refusal::WrongCardinality { found: "none" }),
        _ => Err(Refusal::Malformed {
            reason: "the message ends before its length".to_owned(),
        }),
    }
}

/// Reads a message that is a few bytes long, as those of health checks are.
pub(crate) async fn read_small_message(body: &mut impl Bytewise) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_bytes(body).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > SMALL_MESSAGE_BYTES_MAX {
            let bytes_max = u64::try_from(SMALL_MESSAGE_BYTES_MAX).unwrap_or(0);
            return Err(Refusal::TooLarge {
                what: "the message",
                bytes_max,
            });
        }
    }
    match bytes.as_slice() {
        [0, a, b, c, d, message @ ..]
            if u32::try_from(message.len()) == Ok(u32::from_be_bytes([*a, *b, *c, *d])) =>
        {
            Ok(message.to_vec())
        }
        _ => Err(Refusal::Malformed {
            reason: "not one uncompressed message".to_owned(),
        }),
    }
}

/// Takes the memory for a message whose prefix was read.
fn begin(
    flag: u8,
    length: u32,
    budget: &ByteBudget,
    limits: &Limits,
) -> Result<(Message, usize), Refusal> {
    let is_compressed = check_prefix(flag, length, limits)?;
    let held = Held::with_capacity(budget, u64::from(length), is_compressed)?;
    Ok((
        Message {
            is_compressed,
            held,
        },
        usize::try_from(length).unwrap_or(usize::MAX),
    ))
}

/// Checks the bytes before a message; tells whether it is compressed.
pub(crate) fn check_prefix(flag: u8, length: u32, limits: &Limits) -> Result<bool, Refusal> {
    let is_compressed = match flag {
        0 => false,
        1 => true,
        _ => {
            return Err(Refusal::Malformed {
                reason: format!("the message's flag is {flag}, which is no flag"),
            });
        }
    };
    let bytes_max = if is_compressed {
        limits.compressed_bytes_max
    } else {
        limits.body_bytes_max
    };
    if u64::from(length) > bytes_max {
        return Err(Refusal::TooLarge {
            what: "the message",
            bytes_max,
        });
    }
    Ok(is_compressed)
}

/// Reads `grpc-timeout`: at most eight digits and a unit; nothing when there is none or it can't be read.
pub(crate) fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    let duration = match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    };
    Some(duration.min(DEADLINE_MAX))
}

fn response(reply: Reply) -> Response<Reply> {
    let mut response = Response::new(reply);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// An answer of one message.
pub(crate) fn success(message: &[u8]) -> Response<Reply> {
    let mut framed = Vec::with_capacity(PREFIX_BYTES + message.len());
    framed.push(0);
    framed.extend_from_slice(
        &u32::try_from(message.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    framed.extend_from_slice(message);
    let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
    let mut response = response(Reply::with_trailers(framed, trailers));
    response.headers_mut().insert(
        GRPC_ACCEPT_ENCODING,
        HeaderValue::from_static(ENCODINGS_ACCEPTED_GRPC),
    );
    response
}

/// gRPC's list has no spaces in the clients' own; theirs is what we send.
const ENCODINGS_ACCEPTED_GRPC: &str = "identity,gzip,zstd,deflate";

/// An answer that is only an error, in the headers.
pub(crate) fn refusal(refusal: &Refusal, retry_after_s: Option<u32>) -> Response<Reply> {
    let (code, message) = (refusal.grpc_code(), refusal.message());
    let details = refusal.details(retry_after_s);
    let mut response = status(code, &message);
    let headers = response.headers_mut();
    if !details.is_empty() {
        let status = status_body(Encoding::Proto, code, &message, &details);
        if let Ok(value) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(status)) {
            headers.insert(GRPC_STATUS_DETAILS, value);
        }
    }
    if matches!(refusal, Refusal::UnknownEncoding { .. }) {
        debug_assert_eq!(ENCODINGS_ACCEPTED.replace(' ', ""), ENCODINGS_ACCEPTED_GRPC);
        headers.insert(
            GRPC_ACCEPT_ENCODING,
            HeaderValue::from_static(ENCODINGS_ACCEPTED_GRPC),
        );
    }
    response
}

/// An answer that is only a status, in the headers.
pub(crate) fn status(code: i32, message: &str) -> Response<Reply> {
    let mut response = response(Reply::empty());
    let headers = response.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from(code));
    if let Ok(value) = HeaderValue::from_str(&percent_encode(message)) {
        headers.insert(GRPC_MESSAGE, value);
    }
    response
}

/// Printable ASCII but for the percent sign stays as it is.
fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x20..0x7f).contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string never fails.
            let _ok = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_read_in_every_unit_and_nonsense_is_none() {
        let read = |text: &str| {
            deadline(&HeaderMap::from_iter([(
                GRPC_TIMEOUT,
                text.parse().unwrap(),
            )]))
        };
        assert_eq!(read("100m"), Some(Duration::from_millis(100)));
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(
            (read("5u"), read("7n")),
            (
                Some(Duration::from_micros(5)),
                Some(Duration::from_nanos(7))
            )
        );
        assert_eq!(read("99999999H"), Some(DEADLINE_MAX));
        for nonsense in ["", "S", "-1S", "1", "1s", "999999999S", "1.5S", "+1S"] {
            assert_eq!(read(nonsense), None, "{nonsense:?}");
        }
        assert_eq!(deadline(&HeaderMap::new()), None);
    }

    #[test]
    fn messages_travel_as_printable_ascii() {
        assert_eq!(percent_encode("50 % ä\n"), "50 %25 %C3%A4%0A");
    }
}
