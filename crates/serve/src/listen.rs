//! Listening: connections in, requests to a router, with limits, and an end that lets running requests finish.
//!
//! Promises: HTTP/1.1 and HTTP/2 on one port; at most [`HttpLimits::connections_max`] connections at a time (more wait
//! in the system's queue); a client that sends its header too slowly is let go; on shutdown nothing new is accepted,
//! running requests are answered, and what is not done after [`HttpLimits::drain_timeout`] is cut.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use plumbing::{Shutdown, Tasks};
use tls::ServerTls;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::guard::Door;

/// Questions at once on one HTTP/2 connection.
const HTTP2_STREAMS_MAX: u32 = 100;

/// What one server may take.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// The most connections at a time, over all listeners.
    pub connections_max: usize,
    /// The most bytes of a request's line and header.
    pub header_bytes_max: usize,
    /// How long a client may take to send a header.
    pub header_timeout: Duration,
    /// How long running requests may take to finish after shutdown began.
    pub drain_timeout: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            header_bytes_max: 256 << 10,
            header_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// How long accepting rests when the system has no socket to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Everything that a connection is served with.
#[derive(Clone)]
struct Server {
    router: Router,
    tls: Option<ServerTls>,
    http: auto::Builder<TokioExecutor>,
    connections: Arc<Semaphore>,
    /// Given when the time to finish is over.
    cut: CancellationToken,
    tasks: Tasks,
}

/// Serves a router on some listeners until shutdown; returns when all connections have ended.
pub async fn serve_http(
    router: Router,
    door: Door,
    listeners: Vec<TcpListener>,
    limits: HttpLimits,
    shutdown: Shutdown,
    tasks: Tasks,
) -> std::io::Result<()> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes_max);
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let connections = Arc::new(Semaphore::new(limits.connections_max.max(1)));
    let server = Server {
        router: door.before(router),
        tls: door.gate.tls.clone(),
        http,
        connections,
        cut: CancellationToken::new(),
        tasks,
    };
    let graceful = GracefulShutdown::new();
    let listeners = listeners.into_iter().map(|listener| {
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    });
    let listeners = listeners.collect::<std::io::Result<Vec<_>>>()?;
    let accepting = listeners
        .into_iter()
        .map(|listener| accept(&server, listener, &graceful, &shutdown));
    let mut accepting: Vec<_> = accepting.map(Box::pin).collect();
    for one in join_all(&mut accepting).await {
        one?;
    }
    drop(accepting);
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were cut that did not finish in time");
        server.cut.cancel();
    }
    Ok(())
}

/// Waits for all futures; there are only as many as listeners.
async fn join_all<F: Future + Unpin>(futures: &mut [F]) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = std::pin::Pin::new(future).poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

async fn accept(
    server: &Server,
    listener: tokio::net::TcpListener,
    graceful: &GracefulShutdown,
    shutdown: &Shutdown,
) -> std::io::Result<()> {
    loop {
        let next = async {
            let permit = Arc::clone(&server.connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = shutdown.begun() => return Ok(()),
            next = next => next,
        };
        match (permit, accepted) {
            (Ok(permit), Ok((stream, _))) => {
                server.start(stream, permit, graceful.watcher(), shutdown.clone());
            }
            (Ok(_), Err(error)) if is_of_one_client(&error) => {}
            (Ok(_), Err(error)) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            // The semaphore is never closed.
            (Err(_), _) => return Ok(()),
        }
    }
}

fn is_of_one_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

impl Server {
    fn start(
        &self,
        stream: TcpStream,
        permit: OwnedSemaphorePermit,
        watcher: Watcher,
        shutdown: Shutdown,
    ) {
        let Self {
            router,
            tls,
            http,
            cut,
            ..
        } = self.clone();
        self.tasks.spawn(async move {
            // Answers are written whole: waiting for more to send would only delay them.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a socket has no TCP_NODELAY");
            }
            let shaking = tls::accept(tls.as_ref(), stream);
            // Who still shakes hands has asked nothing yet: it holds up no stop.
            let stream = tokio::select! {
                biased;
                accepted = shaking => accepted,
                () = shutdown.begun() => None,
            };
            let Some(stream) = stream else {
                return;
            };
            let service = TowerToHyperService::new(router);
            let connection = http
                .serve_connection(TokioIo::new(stream), service)
                .into_owned();
            tokio::select! {
                () = cut.cancelled() => {}
                ended = watcher.watch(connection) => {
                    // A client that hangs up is no event of ours.
                    if let Err(error) = ended {
                        tracing::debug!(error, "a connection ended badly");
                    }
                }
            }
            drop(permit);
        });
    }
}
