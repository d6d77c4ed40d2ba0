//! The port where clients and agents ask over gRPC what to record (5779): `jaeger.api_v2.SamplingManager`, and health.
//!
//! Promises: answers as the recordings in `tests/golden/grpc/sampling.json`; asking waits for nothing.
//! Refuses: every other method; a question of more than [`frame::REQUEST_BYTES_MAX`] or [`QUESTION_TIMEOUT`].

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use grpc::code;
use grpc::headers::{HEALTH_CHECK_PATH, is_grpc};
use prost::Message as _;
use sampling::{Strategies, read_proto_question};

use super::frame::{self, Incoming};
use super::status::Status;
use super::{Part, Parts, health};

const SAMPLING: &str = "jaeger.api_v2.SamplingManager";
const QUESTION_PATH: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";
/// How long a client may take to send its question.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the routes of the sampling port over gRPC.
pub fn sampling_grpc_router(strategies: Arc<dyn Strategies>) -> Router {
    Router::new().fallback(answer).with_state(strategies)
}

async fn answer(State(strategies): State<Arc<dyn Strategies>>, request: Request) -> Response {
    if !is_grpc(request.headers()) || request.method() != Method::POST {
        let text = "this port speaks gRPC: POST with content type application/grpc; the same over HTTP is on \
                    listen.sampling_http (5778)\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let answered = tokio::time::timeout(QUESTION_TIMEOUT, call(&*strategies, request)).await;
    match answered.unwrap_or_else(|_| Err(Status::deadline_passed())) {
        Ok(parts) => frame::response(parts, |_| {}),
        Err(status) => frame::refusal(&status),
    }
}

async fn call(strategies: &dyn Strategies, request: Request) -> Result<Parts, Status> {
    let (parts, body) = request.into_parts();
    let incoming = Incoming::new(&parts.headers, body)?;
    match parts.uri.path() {
        QUESTION_PATH => {
            let question = incoming.only().await?;
            let service = read_proto_question(&question);
            let service = service.map_err(|why| Status::unreadable(&why))?;
            let prepared = strategies.prepare(&service).await;
            prepared.map_err(|why| Status::new(code::UNAVAILABLE, why))?;
            let answer = strategies.strategy(&service).encode_to_vec();
            Ok(stream::iter([Ok(Part::Message(Bytes::from(answer)))]).boxed())
        }
        HEALTH_CHECK_PATH => {
            let question = frame::decode(&incoming.only().await?)?;
            health::of(&[SAMPLING], &question)
        }
        path => Err(Status::new(
            code::UNIMPLEMENTED,
            format!("this port has no {path:?}, only {QUESTION_PATH}"),
        )),
    }
}
