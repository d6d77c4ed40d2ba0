//! A server that answers each path with what it is told, and remembers what it was asked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use backends::remote::{Remote, RemoteOptions};
use bytes::Bytes;
use codec::generated::jaeger::storage::v2::{GetCapabilitiesResponse, SearchCapabilities};
use futures_util::stream;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use plumbing::{CpuPool, Tasks};
use prost::Message;
use tls::ClientTls;

pub(crate) const CAPABILITIES: &str = "/jaeger.storage.v2.Capabilities/GetCapabilities";
pub(crate) const UNIMPLEMENTED: i32 = 12;

/// What a path is answered with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scripted {
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) code: i32,
    pub(crate) message: &'static str,
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    answers: Mutex<HashMap<String, Scripted>>,
    asked: Mutex<Vec<(String, Vec<u8>)>>,
    order: Mutex<Option<&'static str>>,
}

impl Script {
    /// A server that says of itself that it speaks version 2 and takes any search.
    pub(crate) fn v2() -> Arc<Self> {
        let script = Arc::new(Self::default());
        let search = SearchCapabilities {
            without_service_name: true,
            ..SearchCapabilities::default()
        };
        let told = GetCapabilitiesResponse {
            search: Some(search),
        };
        script.answer(CAPABILITIES, &[told]);
        script
    }

    pub(crate) fn answer(&self, path: &str, messages: &[impl Message]) {
        let messages = messages.iter().map(Message::encode_to_vec).collect();
        self.set(
            path,
            Scripted {
                messages,
                ..Scripted::default()
            },
        );
    }

    pub(crate) fn set(&self, path: &str, answer: Scripted) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(crate) fn says_newest_first(&self) {
        *self.order.lock().unwrap() = Some("newest-first");
    }

    /// What a path was asked, in its order.
    pub(crate) fn asked<M: Message + Default>(&self, path: &str) -> Vec<M> {
        let asked = self.asked.lock().unwrap();
        let of_path = asked.iter().filter(|(asked, _)| asked == path);
        of_path
            .map(|(_, message)| M::decode(&**message).unwrap())
            .collect()
    }

    /// What it answers with.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(answer).with_state(Arc::clone(self))
    }

    /// Starts it; gives what asks it.
    pub(crate) async fn start(self: &Arc<Self>) -> Remote {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let router = self.router();
        Tasks::new().spawn(async move { axum::serve(listener, router).await.unwrap() });
        remote(endpoint, None)
    }
}

pub(crate) fn remote(endpoint: String, tls: Option<ClientTls>) -> Remote {
    let options = RemoteOptions {
        endpoint,
        timeout: Duration::from_secs(10),
        tls,
        token: None,
        answer_bytes_max: 1 << 20,
        search_traces_max: 100,
    };
    Remote::new(options, CpuPool::start("test", 2, 64).unwrap()).unwrap()
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let message = body.get(5..).unwrap_or_default().to_vec();
    script.asked.lock().unwrap().push((path.clone(), message));
    let scripted = script.answers.lock().unwrap().get(&path).cloned();
    let scripted = scripted.unwrap_or(Scripted {
        code: UNIMPLEMENTED,
        ..Scripted::default()
    });
    let frames = scripted.messages.into_iter().map(|message| {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        Frame::data(Bytes::from([&[0], &length[..], &message].concat()))
    });
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(scripted.code));
    trailers.insert("grpc-message", HeaderValue::from_static(scripted.message));
    let frames = frames
        .chain([Frame::trailers(trailers)])
        .map(Ok::<_, Infallible>);
    let frames: Vec<_> = frames.collect();
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    if let Some(order) = *script.order.lock().unwrap() {
        headers.insert("trackway-order", HeaderValue::from_static(order));
    }
    response
}
