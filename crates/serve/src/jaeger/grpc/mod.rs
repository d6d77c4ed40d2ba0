//! Jaeger's query services over gRPC: `jaeger.api_v2.QueryService`, `jaeger.api_v3.QueryService`, health, reflection.
//!
//! Spoken directly over HTTP/2, as the receivers do: every limit is ours, and a client of a framework is the test.
//!
//! Promises
//! - Answers come message by message and are made as the client takes them; a client that goes away ends its question.
//! - The client's deadline and `query.answer_timeout` hold for the whole answer, whichever is shorter.
//! - A request of more than [`frame::REQUEST_BYTES_MAX`] is refused by its length alone. Messages with spans are kept
//!   below [`MESSAGE_BYTES_TYPICAL_MAX`], which clients take without being told to, unless one span alone is longer.
//!
//! Refuses: `Health/Watch` (`UNIMPLEMENTED`: clients go on), answers that are compressed.

mod frame;
mod health;
mod reflection;
mod status;
mod v2;
mod v3;
mod written;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use model::contract::Skipped;
use plumbing::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::time::Instant;

use super::Jaeger;
use frame::{Incoming, is_grpc};
use status::{Status, code};

/// Clients refuse messages of more than 4 MiB unless told otherwise; a span more may come.
const MESSAGE_BYTES_TYPICAL_MAX: usize = 3 << 20;

const V2: &str = "jaeger.api_v2.QueryService";
const V3: &str = "jaeger.api_v3.QueryService";
const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";
/// All services, in the order of their names.
const SERVICES: [&str; 5] = [HEALTH, REFLECTION, REFLECTION_ALPHA, V2, V3];

/// One thing that an answer has.
#[derive(Debug)]
enum Part {
    /// The bytes of a message.
    Message(Bytes),
    /// What could not be read; said behind the last message.
    Lacks(Vec<Skipped>),
}

/// An answer, made as it is taken.
type Parts = BoxStream<'static, Result<Part, Status>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    code: i32,
}

/// The services.
#[derive(Debug, Clone)]
pub(super) struct GrpcServices {
    jaeger: Arc<Jaeger>,
    calls: Family<CallLabels, Counter>,
}

impl GrpcServices {
    pub(super) fn new(jaeger: Arc<Jaeger>, metrics: &Metrics) -> Self {
        let calls = Family::default();
        metrics.register(|registry| {
            let help = "Calls of Jaeger's query services over gRPC by method and status code";
            registry.register("trackway_serve_grpc_calls", help, calls.clone());
        });
        Self { jaeger, calls }
    }

    /// The services in front of an HTTP API on the same port.
    pub(super) fn beside(&self, http: Router) -> Router {
        http.layer(axum::middleware::from_fn_with_state(
            self.clone(),
            grpc_first,
        ))
    }

    /// The services alone.
    pub(super) fn alone(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    async fn call(self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let method = find_method(&path);
        let counted = Counted {
            calls: self.calls.clone(),
            method: method.as_ref().map_or("other", |method| method.name),
            code: code::CANCELLED,
        };
        let method = match method {
            Ok(method) => method,
            Err(status) => return counted.refuse(&status),
        };
        let given = frame::deadline(&parts.headers);
        let timeout = self.jaeger.options.answer_timeout;
        let allowed = given.map_or(timeout, |given| given.min(timeout));
        // Nobody waits for years, and adding them could overflow.
        let deadline = Instant::now() + allowed.min(frame::DEADLINE_MAX);
        let begun = async {
            let incoming = Incoming::new(&parts.headers, body)?;
            (method.run)(Arc::clone(&self.jaeger), incoming).await
        };
        match tokio::time::timeout_at(deadline, begun).await {
            Ok(Ok(answer)) => counted.answer(answer, deadline),
            Ok(Err(status)) => counted.refuse(&status),
            Err(_) => counted.refuse(&Status::deadline_passed()),
        }
    }
}

async fn grpc_first(
    State(services): State<GrpcServices>,
    request: Request,
    next: Next,
) -> Response {
    if is_grpc(request.headers()) && request.method() == Method::POST {
        return services.call(request).await;
    }
    next.run(request).await
}

async fn answer(State(services): State<GrpcServices>, request: Request) -> Response {
    if is_grpc(request.headers()) && request.method() == Method::POST {
        return services.call(request).await;
    }
    let text = "this port speaks gRPC: POST with content type application/grpc; the HTTP API is on \
                listen.query_http (16686)\n";
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response()
}

/// A call that will be counted, whatever becomes of it; one that is dropped was cancelled.
#[derive(Debug)]
struct Counted {
    calls: Family<CallLabels, Counter>,
    method: &'static str,
    code: i32,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (method, code) = (self.method, self.code);
        self.calls.get_or_create(&CallLabels { method, code }).inc();
    }
}

impl Counted {
    fn refuse(mut self, status: &Status) -> Response {
        self.code = status.code;
        frame::refusal(status)
    }

    fn end(mut self, code: i32) {
        self.code = code;
    }

    fn answer(self, parts: Parts, deadline: Instant) -> Response {
        let parts = stream::unfold(Some(parts), move |parts| async move {
            let mut parts = parts?;
            match tokio::time::timeout_at(deadline, parts.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(part))) => Some((Ok(part), Some(parts))),
                Ok(Some(Err(status))) => Some((Err(status), None)),
                Err(_) => Some((Err(Status::deadline_passed()), None)),
            }
        });
        frame::response(parts.boxed(), move |code| self.end(code))
    }
}

/// A method that is answered.
struct Answered {
    name: &'static str,
    run: fn(Arc<Jaeger>, Incoming) -> Answering,
}

type Answering = futures_util::future::BoxFuture<'static, Result<Parts, Status>>;

/// Makes a method of one message from what answers it.
macro_rules! unary {
    ($name:literal, $answer:path) => {
        Answered {
            name: $name,
            run: |jaeger, incoming| {
                Box::pin(async move {
                    let message = incoming.only().await?;
                    $answer(jaeger, frame::decode(&message)?).await
                })
            },
        }
    };
}

fn find_method(path: &str) -> Result<Answered, Status> {
    let named = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let Some((service, method)) = named else {
        return Err(Status::new(
            code::UNIMPLEMENTED,
            format!("malformed method name: {path:?}"),
        ));
    };
    let found = match (service, method) {
        (V2, "GetTrace") => unary!("v2.GetTrace", v2::get_trace),
        (V2, "FindTraces") => unary!("v2.FindTraces", v2::find_traces),
        (V2, "ArchiveTrace") => unary!("v2.ArchiveTrace", v2::archive_trace),
        (V2, "GetServices") => unary!("v2.GetServices", v2::get_services),
        (V2, "GetOperations") => unary!("v2.GetOperations", v2::get_operations),
        (V2, "GetDependencies") => unary!("v2.GetDependencies", v2::get_dependencies),
        (V3, "GetTrace") => unary!("v3.GetTrace", v3::get_trace),
        (V3, "FindTraces") => unary!("v3.FindTraces", v3::find_traces),
        (V3, "FindTraceSummaries") => {
            unary!("v3.FindTraceSummaries", v3::find_trace_summaries)
        }
        (V3, "GetServices") => unary!("v3.GetServices", v3::get_services),
        (V3, "GetOperations") => unary!("v3.GetOperations", v3::get_operations),
        (V3, "GetDependencies") => unary!("v3.GetDependencies", v3::get_dependencies),
        (HEALTH, "Check") => unary!("health.Check", health::check),
        (REFLECTION | REFLECTION_ALPHA, "ServerReflectionInfo") => Answered {
            name: "reflection",
            run: |_, incoming| Box::pin(async move { Ok(reflection::answer(incoming)) }),
        },
        _ if SERVICES.contains(&service) => {
            return Err(Status::new(
                code::UNIMPLEMENTED,
                format!("unknown method {method} for service {service}"),
            ));
        }
        _ => {
            return Err(Status::new(
                code::UNIMPLEMENTED,
                format!("unknown service {service}"),
            ));
        }
    };
    Ok(found)
}

/// An answer of one message.
fn one(message: &impl prost::Message) -> Parts {
    let message = Bytes::from(message.encode_to_vec());
    stream::iter([Ok(Part::Message(message))]).boxed()
}

/// One message, and what it lacks.
fn one_with(message: &impl prost::Message, skipped: Vec<Skipped>) -> Parts {
    let message = Bytes::from(message.encode_to_vec());
    stream::iter([Ok(Part::Message(message)), Ok(Part::Lacks(skipped))]).boxed()
}
