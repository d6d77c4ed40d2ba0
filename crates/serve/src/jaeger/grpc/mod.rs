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
mod sampling;
mod status;
mod storage_v1;
mod storage_v2;
mod tables;
mod v2;
mod v3;
mod written;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use grpc::code;
use grpc::headers::{DEADLINE_MAX, deadline, is_grpc};
use model::contract::Skipped;
use plumbing::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::time::Instant;

use super::Jaeger;
use crate::guard::for_request;
use frame::Incoming;
pub use sampling::sampling_grpc_router;
use status::Status;

/// Clients refuse messages of more than 4 MiB unless told otherwise; a span more may come.
const MESSAGE_BYTES_TYPICAL_MAX: usize = 3 << 20;

/// Says in which order traces are found.
const ORDER: HeaderName = HeaderName::from_static("trackway-order");

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

/// The services of a port.
#[derive(Debug, Clone)]
pub(super) struct GrpcServices {
    jaeger: Arc<Jaeger>,
    calls: Family<CallLabels, Counter>,
    table: &'static Table,
}

impl GrpcServices {
    pub(super) fn new(jaeger: Arc<Jaeger>, metrics: &Metrics) -> Self {
        let calls = Family::default();
        metrics.register(|registry| {
            let help =
                "Calls of Jaeger's query and storage services over gRPC by method and status code";
            registry.register("trackway_serve_grpc_calls", help, calls.clone());
        });
        Self {
            jaeger,
            calls,
            table: &tables::QUERY,
        }
    }

    /// What a store for Jaeger serves, but for the calls that write.
    pub(super) fn of_storage(&self) -> Self {
        Self {
            table: &tables::STORAGE,
            ..self.clone()
        }
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
        let method = self.table.find_method(&path);
        let counted = Counted {
            calls: self.calls.clone(),
            method: method.as_ref().map_or("other", |method| method.name),
            code: code::CANCELLED,
        };
        let method = match method {
            Ok(method) => method,
            Err(status) => return counted.refuse(&status),
        };
        let given = deadline(&parts.headers);
        let timeout = self.jaeger.options.answer_timeout;
        let allowed = given.map_or(timeout, |given| given.min(timeout));
        // Nobody waits for years, and adding them could overflow.
        let deadline = Instant::now() + allowed.min(DEADLINE_MAX);
        let begun = async {
            let incoming = Incoming::new(&parts.headers, body)?;
            let jaeger = for_request(&self.jaeger, &parts.extensions);
            (method.run)(jaeger, self.table, incoming).await
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
        let order = services.table.order;
        let mut response = services.call(request).await;
        if let Some(order) = order {
            let order = HeaderValue::from_static(order);
            response.headers_mut().insert(ORDER, order);
        }
        return response;
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
    run: fn(Arc<Jaeger>, &'static Table, Incoming) -> Answering,
}

type Answering = futures_util::future::BoxFuture<'static, Result<Parts, Status>>;

/// What is answered on a port.
struct Table {
    /// All services, in the order of their names; those that others answer on the same port are among them.
    services: &'static [&'static str],
    /// In which order traces are found, where the API leaves it open and its answers have no place for it.
    order: Option<&'static str>,
    /// The methods by service and name.
    find: fn(&str, &str) -> Option<Answered>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.services).finish()
    }
}

impl Table {
    fn find_method(&self, path: &str) -> Result<Answered, Status> {
        let named = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        let Some((service, method)) = named else {
            return Err(Status::new(
                code::UNIMPLEMENTED,
                format!("malformed method name: {path:?}"),
            ));
        };
        (self.find)(service, method).ok_or_else(|| {
            let message = if self.services.contains(&service) {
                format!("unknown method {method} for service {service}")
            } else {
                format!("unknown service {service}")
            };
            Status::new(code::UNIMPLEMENTED, message)
        })
    }
}

/// The answer to a call that is not let in.
pub(crate) fn grpc_refusal(code: i32, message: &str) -> Response {
    frame::refusal(&Status::new(code, message))
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
