//! Requests over HTTP: one of several hosts, a deadline, credentials, and answers as bytes.
//!
//! Promises: a request goes to one host after another until one can be reached, and none is asked twice; a host that
//! could not be reached, or did not answer in time, is asked last for a while; an answer is read up to
//! [`ANSWER_BYTES_MAX`]. Everything that is asked may be asked again: ids of documents are chosen here.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use model::contract::{ReadError, WriteError};
use serde::Deserialize;
use tls::ClientTls;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::{ElasticError, ElasticOptions};
use crate::credentials::Credentials;
use crate::words::causes;

/// The longest answer that is read: a page of spans, or the answers for the parts of a bulk.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// For so long a host that failed is asked after all others.
const SHUNNED_FOR: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that nobody used for so long are closed; load balancers close theirs after a minute.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// The longest reason that is told of an answer.
const REASON_CHARS_MAX: usize = 500;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// What a request carries.
#[derive(Debug, Clone)]
pub(super) enum Body {
    None,
    Json(serde_json::Value),
    /// Lines of JSON, each with its end.
    Lines(Bytes),
}

/// Why there is no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// No host could be reached, or none answered in time.
    Away(String),
    /// The answer is longer than is read.
    TooLong,
    /// A host refused.
    Refused {
        status: u16,
        /// The server's word for the kind of error, if it gave one.
        kind: String,
        reason: String,
    },
    /// The answer is none that can be understood.
    Unreadable(String),
}

impl Fault {
    /// Whether the same may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 502..=504),
            Self::TooLong | Self::Unreadable(_) => false,
        }
    }

    /// Whether the request was too long.
    pub(super) fn is_of_length(&self) -> bool {
        matches!(self, Self::Refused { status: 413, .. })
    }

    /// In one line.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Away(why) => why.clone(),
            Self::TooLong => format!("its answer is longer than {ANSWER_BYTES_MAX} bytes"),
            Self::Refused {
                status: 401,
                reason,
                ..
            } => format!(
                "it answers 401: {reason}; see backend.elasticsearch.username, password_file, api_key_file, token_file"
            ),
            Self::Refused { status: 413, .. } => {
                "it takes no request of this length; see http.max_content_length, or the limit of the proxy before it"
                    .to_owned()
            }
            Self::Refused { kind, reason, .. } if kind == "index_not_found_exception" => format!(
                "it has no such index: {reason}; what is rolled over is made by `trackway storage init`"
            ),
            Self::Refused {
                status,
                kind,
                reason,
            } => format!("it answers {status}: {kind}: {reason}"),
            Self::Unreadable(why) => format!("its answer can't be read: {why}"),
        }
    }

    pub(super) fn unread(self) -> ReadError {
        let reason = format!("Elasticsearch: {}", self.reason());
        match self {
            Self::TooLong => ReadError::OverLimit { reason },
            _ if self.is_passing() => ReadError::Busy { reason },
            _ => ReadError::Failed { reason },
        }
    }

    pub(super) fn unwritten(self) -> WriteError {
        let reason = format!("Elasticsearch: {}", self.reason());
        match self {
            Self::Refused { status: 429, .. } => WriteError::Busy { reason },
            Self::Refused { status: 413, .. } => WriteError::Failed { reason },
            _ => WriteError::Unavailable { reason },
        }
    }
}

/// A connection, plain or with TLS.
struct Link(TokioIo<tls::Stream>);

impl Read for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, buffer)
    }
}

impl Write for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

type Connector = BoxCloneSyncService<Uri, Link, io::Error>;

/// The bytes of a request, and what they are.
type Content<'a> = (&'a Bytes, Option<&'a HeaderValue>);

/// A server of the cluster.
#[derive(Debug)]
struct Host {
    uri: Uri,
    /// Until when others are asked first.
    shunned_until: Mutex<Option<Instant>>,
}

impl Host {
    fn is_shunned(&self, now: Instant) -> bool {
        let until = self.shunned_until.lock();
        until
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|until| now < until)
    }

    fn note(&self, is_well: bool) {
        let until = (!is_well).then(|| Instant::now() + SHUNNED_FOR);
        *self
            .shunned_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = until;
    }
}

/// Asks a cluster.
#[derive(Debug)]
pub(super) struct Client {
    pool: legacy::Client<Connector, Full<Bytes>>,
    hosts: Vec<Host>,
    /// Whose turn it is.
    next: AtomicUsize,
    timeout: Duration,
    credentials: Option<Credentials>,
}

impl Client {
    pub(super) fn new(options: &ElasticOptions) -> Result<Self, ElasticError> {
        let hosts = options.hosts.iter().map(|host| {
            let uri = host.parse::<Uri>().map_err(|error| ElasticError::Host {
                host: host.clone(),
                reason: error.to_string(),
            })?;
            let is_url = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
            let known = is_url.then_some(Host {
                uri,
                shunned_until: Mutex::default(),
            });
            known.ok_or_else(|| ElasticError::Host {
                host: host.clone(),
                reason: "it has no scheme or no host".to_owned(),
            })
        });
        let hosts: Vec<Host> = hosts.collect::<Result<_, _>>()?;
        if hosts.is_empty() {
            return Err(ElasticError::NoHost);
        }
        let tls = options.tls.clone();
        let connect = service_fn(move |uri: Uri| {
            let tls = tls.clone();
            async move { connect(tls.as_ref(), &uri).await.map(Link) }
        });
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(BoxCloneSyncService::new(connect));
        Ok(Self {
            pool,
            hosts,
            next: AtomicUsize::new(0),
            timeout: options.timeout,
            credentials: options.credentials.clone(),
        })
    }

    /// The answer to a request; what is refused is a fault. One that is refused because of the credentials is asked
    /// again when these have changed.
    pub(super) async fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Body,
    ) -> Result<Bytes, Fault> {
        let (bytes, content_type) = match body {
            Body::None => (Bytes::new(), None),
            Body::Json(value) => (Bytes::from(value.to_string()), Some(JSON)),
            Body::Lines(lines) => (lines, Some(LINES)),
        };
        let content = (&bytes, content_type.as_ref());
        let answer = self.ask_any(method, path, content).await;
        match (&answer, &self.credentials) {
            (Err(Fault::Refused { status: 401, .. }), Some(credentials))
                if credentials.look().await =>
            {
                self.ask_any(method, path, content).await
            }
            _ => answer,
        }
    }

    /// Asks one host after another until one can be reached.
    async fn ask_any(
        &self,
        method: &Method,
        path: &str,
        content: Content<'_>,
    ) -> Result<Bytes, Fault> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.hosts.len().max(1);
        let (before, from) = self.hosts.split_at_checked(first).unwrap_or_default();
        let mut turns: Vec<&Host> = from.iter().chain(before).collect();
        let now = Instant::now();
        turns.sort_by_key(|host| host.is_shunned(now));
        let mut fault = Fault::Away("there is no host".to_owned());
        for host in turns {
            let asked = self.ask_host(&host.uri, method, path, content);
            match tokio::time::timeout(self.timeout, asked).await {
                Ok(Err(Fault::Away(why))) => {
                    host.note(false);
                    fault = Fault::Away(why);
                }
                Ok(answered) => {
                    host.note(true);
                    return answered;
                }
                // The time is over, whoever else is there.
                Err(_) => {
                    host.note(false);
                    let (seconds, uri) = (self.timeout.as_secs_f32(), &host.uri);
                    let why = format!("{uri} does not answer within {seconds} s");
                    return Err(Fault::Away(why));
                }
            }
        }
        Err(fault)
    }

    /// The same, read as JSON.
    pub(super) async fn ask_json<T: for<'a> Deserialize<'a>>(
        &self,
        method: &Method,
        path: &str,
        body: Body,
    ) -> Result<T, Fault> {
        let answer = self.ask(method, path, body).await?;
        serde_json::from_slice(&answer).map_err(|error| Fault::Unreadable(error.to_string()))
    }

    async fn ask_host(
        &self,
        host: &Uri,
        method: &Method,
        path: &str,
        (bytes, content_type): Content<'_>,
    ) -> Result<Bytes, Fault> {
        let unsayable = |error: http::Error| Fault::Unreadable(format!("no request: {error}"));
        let uri = Uri::builder()
            .scheme(host.scheme_str().unwrap_or("http"))
            .authority(host.authority().map_or("", |authority| authority.as_str()))
            .path_and_query(format!("{}{path}", host.path().trim_end_matches('/')))
            .build()
            .map_err(unsayable)?;
        let request = Request::builder().method(method.clone()).uri(uri);
        let mut request = request.body(Full::new(bytes.clone())).map_err(unsayable)?;
        let headers = request.headers_mut();
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("trackway/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        if let Some(credentials) = &self.credentials {
            headers.insert(AUTHORIZATION, credentials.header());
        }
        let away = |why: String| Fault::Away(format!("{host}: {why}"));
        let answer = self.pool.request(request).await;
        let answer = answer.map_err(|error| away(why_unanswered(&error, host)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
        let bytes = body.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Fault::TooLong
            } else {
                away(error.to_string())
            }
        })?;
        let bytes = bytes.to_bytes();
        if status.is_success() {
            return Ok(bytes);
        }
        Err(refusal(status, &bytes))
    }
}

/// What a connection's end means.
fn why_unanswered(error: &legacy::Error, host: &Uri) -> String {
    let why = tls::explain(error).unwrap_or_else(|| causes(error));
    let mut next = std::error::Error::source(error);
    let mut is_no_http = false;
    while let Some(cause) = next {
        let said = cause.downcast_ref::<hyper::Error>();
        is_no_http |= said.is_some_and(|said| said.is_incomplete_message() || said.is_parse());
        next = cause.source();
    }
    match is_no_http && host.scheme_str() == Some("http") {
        true => format!("{why}; where that port speaks TLS, write https:// instead of http://"),
        false => why,
    }
}

/// What an answer says that is an error.
fn refusal(status: StatusCode, body: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct Refusal {
        error: serde_json::Value,
    }
    let told = serde_json::from_slice::<Refusal>(body);
    let (kind, reason) = match told.map(|told| told.error) {
        Ok(serde_json::Value::String(reason)) => (String::new(), reason),
        Ok(error) => error_of(&error),
        Err(_) => (String::new(), String::from_utf8_lossy(body).into_owned()),
    };
    Fault::Refused {
        status: status.as_u16(),
        kind,
        reason: reason.chars().take(REASON_CHARS_MAX).collect(),
    }
}

/// The kind and the reason of an error, with that of its cause.
pub(super) fn error_of(error: &serde_json::Value) -> (String, String) {
    let text = |value: &serde_json::Value, name: &str| {
        let text = value.get(name).and_then(serde_json::Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let mut reason = text(error, "reason");
    let cause = error
        .get("caused_by")
        .or_else(|| error.pointer("/root_cause/0"));
    let cause = cause.map(|cause| text(cause, "reason")).unwrap_or_default();
    if !cause.is_empty() && cause != reason {
        reason = format!("{reason}: {cause}");
    }
    (
        text(error, "type"),
        reason.chars().take(REASON_CHARS_MAX).collect(),
    )
}

async fn connect(tls: Option<&ClientTls>, uri: &Uri) -> io::Result<TokioIo<tls::Stream>> {
    let is_tls = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let connected = async {
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        stream.set_nodelay(true)?;
        match tls.filter(|_| is_tls) {
            Some(tls) => tls.connect(host, stream).await.map_err(io::Error::other),
            None => Ok(tls::Stream::Plain(stream)),
        }
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, connected).await {
        Ok(stream) => stream.map(TokioIo::new),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "no connection within 5 s",
        )),
    }
}
