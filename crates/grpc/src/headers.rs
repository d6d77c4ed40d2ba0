//! gRPC's headers and trailers: what a call is known by, how long it may take, and how it ended.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

/// How a call's messages are compressed.
pub const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// How messages may be compressed.
pub const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// How long a call may take.
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// The code of how a call ended.
pub const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The text to it.
pub const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// A `google.rpc.Status` to it, in base64.
pub const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// The content type of requests and answers.
pub const APPLICATION_GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Where the health protocol asks whether a server serves; nobody's spans are told of there.
pub const HEALTH_CHECK_PATH: &str = "/grpc.health.v1.Health/Check";

/// The longest deadline that means anything; longer ones are the same as none.
pub const DEADLINE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Tells whether a request is a gRPC call.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE);
    let media_type = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    matches!(
        media_type.to_ascii_lowercase().as_str(),
        "application/grpc" | "application/grpc+proto"
    )
}

/// Reads `grpc-timeout`: at most eight digits and a unit, at most [`DEADLINE_MAX`]; nothing when there is none or it
/// can't be read.
pub fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    let duration = match unit {
        // Eight digits of hours are far from the end of the type.
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

/// How a call ended, for its trailers, or for its headers where there is no message.
pub fn status(code: i32, message: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(GRPC_STATUS, HeaderValue::from(code));
    if !message.is_empty()
        && let Ok(message) = HeaderValue::from_str(&percent_encode(message))
    {
        headers.insert(GRPC_MESSAGE, message);
    }
    headers
}

/// Writes a message of a status: printable ASCII but for the percent sign stays as it is.
fn percent_encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
    encoded
}

/// Reads a message of a status; what is no percent code stays as it is.
pub fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let hex = behind
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
    fn messages_travel_as_printable_ascii_and_come_back() {
        let text = "50 % ä\n";
        let headers = status(14, text);
        assert_eq!(headers[GRPC_STATUS], "14");
        assert_eq!(headers[GRPC_MESSAGE], "50 %25 %C3%A4%0A");
        assert_eq!(percent_decode("50 %25 %C3%A4%0A"), text);
        assert_eq!(percent_decode("%zz%4"), "%zz%4");
        assert!(!status(0, "").contains_key(GRPC_MESSAGE));
    }

    #[test]
    fn calls_are_known_by_their_content_type() {
        let is = |text: &str| {
            let value = HeaderValue::from_str(text).unwrap();
            is_grpc(&HeaderMap::from_iter([(CONTENT_TYPE, value)]))
        };
        for yes in [
            "application/grpc",
            "application/grpc+proto",
            "Application/GRPC; x=y",
        ] {
            assert!(is(yes), "{yes}");
        }
        for no in ["application/grpc-web", "application/grpc+json", "text/html"] {
            assert!(!is(no), "{no}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
