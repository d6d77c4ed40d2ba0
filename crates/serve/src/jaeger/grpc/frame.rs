//! Questions as they come and answers as they are made; `grpc` has what stands around messages.
//!
//! The limit of a request is on the length in the prefix, so a message that is too large is
//! refused before it is read; gzip is unpacked up to the same limit.

use std::io::Read as _;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::{Buf as _, Bytes, BytesMut};
use codec::wire::{Reader, WireError};
use futures_util::{StreamExt as _, stream};
use grpc::code;
use grpc::frame::{PREFIX_BYTES, Prefix, framed};
use grpc::headers::{APPLICATION_GRPC, GRPC_ACCEPT_ENCODING, GRPC_ENCODING};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use model::contract::Skipped;

use super::status::Status;
use super::{Part, Parts};
use crate::jaeger::ask::{INCOMPLETE, incomplete};

/// The longest request message, compressed or not: a question is short, and is held outside of any budget.
pub(super) const REQUEST_BYTES_MAX: usize = 256 << 10;
/// What may be skipped and is still told by name.
const SKIPPED_MAX: usize = 100;

const ENCODINGS_ACCEPTED: HeaderValue = HeaderValue::from_static("identity,gzip");

/// The messages of a call as they come.
#[derive(Debug)]
pub(super) struct Incoming {
    body: Body,
    held: BytesMut,
    is_gzip: bool,
}

impl Incoming {
    pub(super) fn new(headers: &HeaderMap, body: Body) -> Result<Self, Status> {
        let encoding = headers
            .get(GRPC_ENCODING)
            .map_or(&b"identity"[..], HeaderValue::as_bytes);
        let is_gzip = match encoding {
            b"identity" | b"" => false,
            b"gzip" => true,
            other => {
                let other = String::from_utf8_lossy(other);
                let message =
                    format!("grpc-encoding {other:?} is not known; send identity or gzip");
                return Err(Status::new(code::UNIMPLEMENTED, message));
            }
        };
        Ok(Self {
            body,
            held: BytesMut::new(),
            is_gzip,
        })
    }

    /// The one message of a call that has one.
    pub(super) async fn only(mut self) -> Result<Bytes, Status> {
        let Some(message) = self.next().await? else {
            return Err(Status::new(code::INTERNAL, "the call has no message"));
        };
        match self.next().await? {
            None => Ok(message),
            Some(_) => Err(Status::new(
                code::INTERNAL,
                "the call has more than one message",
            )),
        }
    }

    /// The next message; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            let Some(frame) = self.body.frame().await else {
                return match self.held.is_empty() {
                    true => Ok(None),
                    false => Err(Status::unreadable("unexpected EOF")),
                };
            };
            let frame = frame.map_err(|error| {
                Status::new(code::CANCELLED, format!("the request broke off: {error}"))
            })?;
            if let Ok(data) = frame.into_data() {
                self.held.extend_from_slice(&data);
            }
        }
    }

    /// A message that is there whole.
    fn take(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(prefix) = self.held.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let prefix = Prefix::read(*prefix);
        let prefix = prefix.map_err(|flag| Status::new(code::INTERNAL, flag.to_string()))?;
        let length = usize::try_from(prefix.length).unwrap_or(usize::MAX);
        if length > REQUEST_BYTES_MAX {
            return Err(too_large());
        }
        if self.held.len() < PREFIX_BYTES + length {
            return Ok(None);
        }
        self.held.advance(PREFIX_BYTES);
        let message = self.held.split_to(length).freeze();
        match (prefix.is_compressed, self.is_gzip) {
            (false, _) => Ok(Some(message)),
            (true, true) => unpacked(&message).map(Some),
            (true, false) => {
                let message = "the message is compressed, and grpc-encoding names no compression";
                Err(Status::new(code::INTERNAL, message))
            }
        }
    }
}

fn too_large() -> Status {
    let message =
        format!("the request has more than {REQUEST_BYTES_MAX} bytes; ask for less at once");
    Status::new(code::RESOURCE_EXHAUSTED, message)
}

fn unpacked(message: &[u8]) -> Result<Bytes, Status> {
    let mut out = Vec::new();
    let limit = u64::try_from(REQUEST_BYTES_MAX).unwrap_or(u64::MAX);
    let mut reader = flate2::read::GzDecoder::new(message).take(limit.saturating_add(1));
    match reader.read_to_end(&mut out) {
        Ok(_) if out.len() > REQUEST_BYTES_MAX => Err(too_large()),
        Ok(_) => Ok(out.into()),
        Err(error) => Err(Status::unreadable(&format!("gzip: {error}"))),
    }
}

/// Reads a message, in Go's words where it is cut short.
pub(super) fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, Status> {
    M::decode(bytes).map_err(|error| {
        let mut reader = Reader::new(bytes);
        let first = std::iter::from_fn(|| reader.next_field().transpose()).find_map(Result::err);
        Status::unreadable(&match first {
            Some(WireError::Cut | WireError::LengthBeyondEnd { .. }) => "unexpected EOF".to_owned(),
            _ => error.to_string(),
        })
    })
}

/// An answer that is only a status, in the headers.
pub(super) fn refusal(status: &Status) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    *headers = status_headers(status, &[]);
    headers.insert(CONTENT_TYPE, APPLICATION_GRPC);
    headers.insert(GRPC_ACCEPT_ENCODING, ENCODINGS_ACCEPTED);
    response
}

fn status_headers(status: &Status, lacks: &[Skipped]) -> HeaderMap {
    let mut headers = grpc::headers::status(status.code, &status.message);
    if let Some(lacks) = incomplete(lacks) {
        headers.insert(INCOMPLETE, lacks);
    }
    headers
}

/// An answer of messages as they are made, with the status behind them; `ended` is told its code.
pub(super) fn response(parts: Parts, ended: impl FnOnce(i32) + Send + 'static) -> Response {
    let state = Some((parts, Vec::new(), ended));
    let frames = stream::unfold(state, |state| async {
        let (mut parts, mut lacks, ended) = state?;
        loop {
            let status = match parts.next().await {
                Some(Ok(Part::Message(message))) => {
                    let frame = Frame::data(framed(&message, false));
                    return Some((frame, Some((parts, lacks, ended))));
                }
                Some(Ok(Part::Lacks(skipped))) => {
                    let room = SKIPPED_MAX.saturating_sub(lacks.len());
                    lacks.extend(skipped.into_iter().take(room));
                    continue;
                }
                Some(Err(status)) => status,
                None => Status::new(code::OK, ""),
            };
            ended(status.code);
            return Some((Frame::trailers(status_headers(&status, &lacks)), None));
        }
    });
    let body = StreamBody::new(frames.map(Ok::<_, std::convert::Infallible>));
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, APPLICATION_GRPC);
    headers.insert(GRPC_ACCEPT_ENCODING, ENCODINGS_ACCEPTED);
    response
}
