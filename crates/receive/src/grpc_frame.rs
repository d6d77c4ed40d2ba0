//! Messages of gRPC's calls as this room takes them, and its answers; `grpc` has what stands around them.
//!
//! Only unary calls are spoken. The limit is on the length in the prefix, so a message that is too large is refused
//! before any of it is read.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use codec::otlp::{Encoding, status_body};
use grpc::frame::{BadFlag, Prefix, PrefixReader, framed};
use grpc::headers::{APPLICATION_GRPC, GRPC_ACCEPT_ENCODING, GRPC_STATUS_DETAILS};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use plumbing::ByteBudget;

use crate::body::{Bytewise, Held, next_bytes, next_chunk};
use crate::decompress::ENCODINGS_ACCEPTED;
use crate::ledger::Tally;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The most bytes of a health check, prefix included.
const SMALL_MESSAGE_BYTES_MAX: usize = 1024;

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
    let mut reader = PrefixReader::default();
    let mut message: Option<(Message, usize)> = None;
    while let Some(mut chunk) = next_chunk(body, tally).await? {
        if message.is_none()
            && let Some(prefix) = reader.push(&mut chunk)?
        {
            message = Some(begin(prefix, budget, limits)?);
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
        None if reader.is_empty() => Err(Refusal::WrongCardinality { found: "none" }),
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
    prefix: Prefix,
    budget: &ByteBudget,
    limits: &Limits,
) -> Result<(Message, usize), Refusal> {
    check_length(prefix, limits)?;
    let (length, is_compressed) = (prefix.length, prefix.is_compressed);
    let held = Held::with_capacity(budget, u64::from(length), is_compressed)?;
    Ok((
        Message {
            is_compressed,
            held,
        },
        usize::try_from(length).unwrap_or(usize::MAX),
    ))
}

impl From<BadFlag> for Refusal {
    fn from(flag: BadFlag) -> Self {
        Self::Malformed {
            reason: flag.to_string(),
        }
    }
}

/// Refuses a message that is longer than may be.
pub(crate) fn check_length(prefix: Prefix, limits: &Limits) -> Result<(), Refusal> {
    let bytes_max = if prefix.is_compressed {
        limits.compressed_bytes_max
    } else {
        limits.body_bytes_max
    };
    if u64::from(prefix.length) > bytes_max {
        return Err(Refusal::TooLarge {
            what: "the message",
            bytes_max,
        });
    }
    Ok(())
}

fn response(reply: Reply) -> Response<Reply> {
    let mut response = Response::new(reply);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, APPLICATION_GRPC);
    response
}

/// An answer of one message.
pub(crate) fn success(message: &[u8]) -> Response<Reply> {
    let trailers = grpc::headers::status(grpc::code::OK, "");
    let mut response = response(Reply::with_trailers(framed(message, false), trailers));
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
    let status = grpc::headers::status(code, message);
    response.headers_mut().extend(status);
    response
}
