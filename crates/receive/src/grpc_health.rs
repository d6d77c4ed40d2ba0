//! `grpc.health.v1.Health/Check`, written by hand: one text in, one number out.
//!
//! Promises: `SERVING` means that a write could be accepted now. Refuses: `Watch` and `List` (`UNIMPLEMENTED`,
//! which clients read as "this server can't be watched" and go on).

use grpc::code;

use crate::refusal::Refusal;

/// This service itself.
const OWN_NAME: &[u8] = b"grpc.health.v1.Health";

/// The answer to a `HealthCheckRequest`: the bytes of a `HealthCheckResponse`, or a code and why. `served` is the path
/// of the method beside this one; the empty name is the server as a whole.
pub(crate) fn check(
    request: &[u8],
    served: &str,
    is_ready: bool,
) -> Result<[u8; 2], (i32, String)> {
    let service = service(request).ok_or_else(|| {
        let refusal = Refusal::Malformed {
            reason: "not a HealthCheckRequest".to_owned(),
        };
        (refusal.grpc_code(), refusal.message())
    })?;
    let beside = served.trim_start_matches('/').split('/').next();
    let is_beside = beside.is_some_and(|name| name.as_bytes() == service);
    if !service.is_empty() && service != OWN_NAME && !is_beside {
        return Err((code::NOT_FOUND, "there is no such service here".to_owned()));
    }
    // Field 1, a varint: 1 is SERVING, 2 is NOT_SERVING.
    Ok([0x08, if is_ready { 1 } else { 2 }])
}

/// The text of field 1; clients send nothing else, and nothing at all for the empty text.
fn service(request: &[u8]) -> Option<&[u8]> {
    match request {
        [] => Some(b""),
        // Names of services are shorter than 128 bytes: one byte of length.
        [0x0a, length, text @ ..] if text.len() == usize::from(*length) && *length < 0x80 => {
            Some(text)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_whether_the_server_or_a_service_of_it_serves() {
        let served = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let check = |request: &[u8], is_ready| super::check(request, served, is_ready);
        assert_eq!(check(b"", true), Ok([8, 1]));
        assert_eq!(check(b"\x0a\x00", false), Ok([8, 2]));
        let named = [
            &[0x0a, 51][..],
            b"opentelemetry.proto.collector.trace.v1.TraceService",
        ]
        .concat();
        assert_eq!(check(&named, true), Ok([8, 1]));
        assert_eq!(check(b"\x0a\x01x", true).unwrap_err().0, code::NOT_FOUND);
        for nonsense in [&b"\x0a\x02x"[..], b"\x0a", b"\x12\x00", b"\x0a\xff\x01"] {
            assert_eq!(check(nonsense, true).unwrap_err().0, code::INVALID_ARGUMENT);
        }
    }
}
