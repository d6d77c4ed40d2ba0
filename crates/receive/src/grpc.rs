//! Spans over gRPC, spoken directly over HTTP/2: OTLP's `TraceService/Export`, Jaeger's `CollectorService/PostSpans`.
//!
//! Why not through a gRPC framework: one call with one message each way needs five bytes of prefix and two trailers,
//! and in exchange every limit is ours. The length in the prefix is checked and its memory reserved *before* the
//! message is read and before it is decompressed; decompression and decoding run on the CPU pool, not on the
//! runtime; an oversized message is `RESOURCE_EXHAUSTED` and bad bytes are `INVALID_ARGUMENT`, where the framework
//! says `OUT_OF_RANGE` (retried for ever by OTLP's clients) and `INTERNAL`. A framework's client is the test.
//!
//! Promises
//! - The client's deadline is kept: what is not with the writer when it passes is given up and not counted as
//!   accepted.
//! - The path is looked at first: one without its leading slash is no path of ours.
//! - The port of Jaeger's agents takes OTLP, too: its address is what is left where a Jaeger's agent was replaced.
//!
//! Refuses: other services and methods (`UNIMPLEMENTED`), streams, content types that are not `application/grpc`.

use std::sync::Arc;

use codec::otlp::{Encoding, success_body};
use grpc::headers::{GRPC_ENCODING, HEALTH_CHECK_PATH, is_grpc};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::body::{Bytewise, within};
use crate::connection::Door;
use crate::decompress::Compression;
use crate::format::Format;
use crate::grpc_frame::{self, read_message};
use crate::grpc_health;
use crate::intake::{self, Receipt};
use crate::ledger::{Tally, Transport};
use crate::refusal::{Refusal, shorten_to};
use crate::reply::Reply;

pub(crate) const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const POST_PATH: &str = "/jaeger.api_v2.CollectorService/PostSpans";
const SAMPLING_PATH: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";

/// Answers one call.
pub(crate) async fn answer(door: &Door, request: Request<Incoming>) -> Response<Reply> {
    let (parts, mut body) = request.into_parts();
    if parts.method != Method::POST || !is_grpc(&parts.headers) {
        return not_grpc(&parts);
    }
    let call = async {
        let (expected, format) = served_at(door.transport);
        match parts.uri.path() {
            path if path == expected => export(door, format, &parts, &mut body).await,
            // An agent of ours that was told where a Jaeger's agent delivered.
            EXPORT_PATH => export(door, Format::OtlpProto, &parts, &mut body).await,
            // Agents deliver over OTLP, and ask on the same connection.
            SAMPLING_PATH => {
                door.let_in(&parts).await?;
                strategy(door, &mut body).await
            }
            HEALTH_CHECK_PATH => health(door, &mut body).await,
            path => Err(Refusal::UnknownPath {
                path: shorten_to(path, 200),
                expected,
            }),
        }
    };
    in_time(door, &parts.headers, call).await
}

/// The answer to a call, within its client's deadline.
pub(crate) async fn in_time(
    door: &Door,
    headers: &HeaderMap,
    call: impl Future<Output = Result<Response<Reply>, Refusal>>,
) -> Response<Reply> {
    let result = match grpc::headers::deadline(headers) {
        Some(deadline) => match tokio::time::timeout(deadline, call).await {
            Ok(result) => result,
            Err(_) => Err(Refusal::DeadlinePassed),
        },
        None => call.await,
    };
    result.unwrap_or_else(|refusal| {
        grpc_frame::refusal(&refusal, door.receiver.retry_after_s(&refusal))
    })
}

/// The one method of a transport, and what its message holds.
fn served_at(transport: Transport) -> (&'static str, Format) {
    match transport {
        Transport::JaegerGrpc => (POST_PATH, Format::JaegerProto),
        _ => (EXPORT_PATH, Format::OtlpProto),
    }
}

/// What is no gRPC call is answered in plain HTTP.
pub(crate) fn not_grpc(parts: &Parts) -> Response<Reply> {
    let is_post = parts.method == Method::POST;
    let status = if is_post {
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    } else {
        StatusCode::METHOD_NOT_ALLOWED
    };
    let mut response = Response::new(Reply::bytes(
        "this port speaks gRPC: POST with content type application/grpc\n",
    ));
    *response.status_mut() = status;
    if !is_post {
        response
            .headers_mut()
            .insert(http::header::ALLOW, http::HeaderValue::from_static("POST"));
    }
    response
}

pub(crate) async fn export(
    door: &Door,
    format: Format,
    parts: &Parts,
    body: &mut impl Bytewise,
) -> Result<Response<Reply>, Refusal> {
    let tally = door.receiver.ledger().open(door.transport, door.peer);
    let result = receive(door, format, parts, body, &tally).await;
    match result {
        // Where one span is all there is, no part of it was taken.
        Ok(receipt) if format == Format::JaegerSpans && receipt.rejected_spans > 0 => {
            let reason = receipt.message;
            Err(Refusal::Malformed { reason })
        }
        Ok(_) if format == Format::JaegerSpans => Ok(grpc_frame::success(&[])),
        // Jaeger's answer has nothing in it.
        Ok(_) if format == Format::JaegerProto => Ok(grpc_frame::success(&[])),
        Ok(receipt) => Ok(grpc_frame::success(&success_body(
            Encoding::Proto,
            receipt.rejected_spans,
            &receipt.message,
        ))),
        Err(refusal) => {
            tally.refuse(&refusal);
            tracing::debug!(transport = door.transport.label(), error = %refusal, "a request was refused");
            Err(refusal)
        }
    }
}

async fn receive(
    door: &Door,
    format: Format,
    parts: &Parts,
    body: &mut impl Bytewise,
    tally: &Arc<Tally>,
) -> Result<Receipt, Refusal> {
    let tenant = door.admit(parts).await?;
    let encoding = Compression::of_header(parts.headers.get(GRPC_ENCODING))?;
    door.check_open()?;
    let receiver = &door.receiver;
    let limits = receiver.limits();
    let reading = read_message(body, receiver.budget(), limits, tally);
    let message = within(limits.body_timeout, reading).await?;
    let compression = compression_of(message.is_compressed, encoding)?;
    let tally = Arc::clone(tally);
    let request = intake::Request {
        tenant,
        format,
        compression,
        held: message.held,
        tally,
    };
    let told = receiver.take(request, &door.tasks).await;
    told.unwrap_or_else(|_| {
        Err(Refusal::Failed {
            reason: "the request's task ended early".to_owned(),
        })
    })
}

/// How a message is compressed, by its flag and by what the call says.
pub(crate) fn compression_of(
    is_compressed: bool,
    encoding: Compression,
) -> Result<Compression, Refusal> {
    match (is_compressed, encoding) {
        (false, _) => Ok(Compression::Identity),
        (true, Compression::Identity) => {
            let reason =
                "the message is flagged as compressed, and grpc-encoding names no compression";
            Err(Refusal::Malformed {
                reason: reason.to_owned(),
            })
        }
        (true, encoding) => Ok(encoding),
    }
}

/// Tells an agent what a service is to record; it is in no ledger, for it brings nothing.
async fn strategy(door: &Door, body: &mut Incoming) -> Result<Response<Reply>, Refusal> {
    let timeout = door.receiver.limits().body_timeout;
    let question = within(timeout, grpc_frame::read_small_message(body)).await?;
    let answer = sampling::proto_answer(door.receiver.strategies(), &question);
    let answer = answer.map_err(|reason| Refusal::Malformed { reason })?;
    Ok(grpc_frame::success(&answer))
}

/// Answers a health check; it is in no ledger, for it brings nothing.
async fn health(door: &Door, body: &mut Incoming) -> Result<Response<Reply>, Refusal> {
    let message = within(
        door.receiver.limits().body_timeout,
        grpc_frame::read_small_message(body),
    )
    .await?;
    let is_ready = door.check_open().is_ok() && door.receiver.readiness().is_ok();
    Ok(
        match grpc_health::check(&message, served_at(door.transport).0, is_ready) {
            Ok(answer) => grpc_frame::success(&answer),
            Err((code, why)) => grpc_frame::status(code, &why),
        },
    )
}
