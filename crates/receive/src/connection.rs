//! The life of a connection: accepted, served, and asked to leave when it is idle, old, hostile or the program stops.
//!
//! Promises
//! - At most `connections_max` connections; one more is closed as it comes, and counted.
//! - A connection that sends nothing, or its headers too slowly, is closed; so is one without requests.
//! - When the program stops, listeners close at once, requests under way are answered, new ones are refused with
//!   "send again later", and what is not done after `drain_timeout` is cut.
//!
//! HTTP/2's own limits are set here and nowhere else; see `limits.rs` for what each of them is against.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::ORIGIN;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use model::TenantId;
use plumbing::{Shutdown, Tasks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::intake::Receiver;
use crate::ledger::Transport;
use crate::limits::{
    HEADER_BYTES_MAX, HTTP1_BUFFER_BYTES_MAX, HTTP1_HEADERS_MAX, HTTP2_LOCAL_RESETS_MAX,
    HTTP2_PENDING_RESETS_MAX, HTTP2_SEND_BUFFER_BYTES_MAX, HTTP2_STREAMS_MAX, HTTP2_WINDOW_BYTES,
    Limits,
};
use crate::ping_watch::PingWatch;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::{grpc, jaeger_http, otlp_http, zipkin_http};

/// How long accepting rests after it failed (out of file handles, most often).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection that must go may take to say so.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// What a request needs to be answered: who takes it, by which way it came, and from whom.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) tasks: Tasks,
    pub(crate) transport: Transport,
    /// The other end of the connection, once there is one.
    pub(crate) peer: Option<IpAddr>,
    /// Whether somebody else serves the connections, and lets in who comes by them.
    is_inside: bool,
    shutdown: Shutdown,
}

impl Door {
    /// A door whose connections are served by somebody else.
    pub(crate) fn inside(
        receiver: Arc<Receiver>,
        transport: Transport,
        shutdown: Shutdown,
        tasks: Tasks,
    ) -> Self {
        Self {
            receiver,
            tasks,
            transport,
            peer: None,
            is_inside: true,
            shutdown,
        }
    }

    /// Lets the sender in, and says for which tenant.
    pub(crate) async fn admit(&self, parts: &Parts) -> Result<TenantId, Refusal> {
        if self.is_inside {
            let told = parts.extensions.get::<TenantId>();
            return Ok(told.unwrap_or(self.receiver.tenant()).clone());
        }
        let access = &self.receiver.gate().access;
        access.admit_as(&parts.headers).await.map_err(Refusal::from)
    }

    /// Lets somebody in who only asks: what is told is the same for all tenants.
    pub(crate) async fn let_in(&self, parts: &Parts) -> Result<(), Refusal> {
        if self.is_inside {
            return Ok(());
        }
        let admitted = self.receiver.gate().access.admit(&parts.headers).await;
        admitted.map(drop).map_err(Refusal::from)
    }

    /// Waits until the program is about to stop.
    pub(crate) async fn closing(&self) {
        self.shutdown.begun().await;
    }

    /// Refuses when the program is about to stop.
    pub(crate) fn check_open(&self) -> Result<(), Refusal> {
        if self.shutdown.has_begun() {
            return Err(Refusal::Unavailable {
                reason: "the server is stopping".to_owned(),
            });
        }
        Ok(())
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Reply> {
        let cors = self.receiver.gate().access.cors();
        if let Some((status, headers)) = cors.preflight(request.method(), request.headers()) {
            let mut response = Response::new(Reply::empty());
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            return response;
        }
        let origin = request.headers().get(ORIGIN).cloned();
        let mut response = self.answer_of_door(request).await;
        cors.mark(origin.as_ref(), response.headers_mut());
        response
    }

    async fn answer_of_door(&self, request: Request<Incoming>) -> Response<Reply> {
        match self.transport {
            Transport::OtlpHttp => otlp_http::answer(self, request).await,
            Transport::OtlpGrpc | Transport::JaegerGrpc => grpc::answer(self, request).await,
            Transport::JaegerHttp => jaeger_http::answer(self, request).await,
            Transport::ZipkinHttp => zipkin_http::answer(self, request).await,
            Transport::UdpCompact
            | Transport::UdpBinary
            | Transport::UdpZipkin
            | Transport::StorageGrpc => no_requests(),
        }
    }
}

/// Datagrams have no connections, and the storage API's are served by others: nothing asks by this way.
fn no_requests() -> Response<Reply> {
    let mut response = Response::new(Reply::empty());
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    response
}

/// Serves a transport on its listeners until the signal to stop, then drains; gives an error only before it serves.
///
/// # Errors
/// When a listener can't be used.
pub async fn serve(
    transport: Transport,
    receiver: Arc<Receiver>,
    listeners: Vec<std::net::TcpListener>,
    shutdown: Shutdown,
    tasks: Tasks,
) -> io::Result<()> {
    let door = Door {
        receiver,
        tasks,
        transport,
        peer: None,
        is_inside: false,
        shutdown,
    };
    serve_door(door, listeners).await
}

async fn serve_door(door: Door, listeners: Vec<std::net::TcpListener>) -> io::Result<()> {
    let listeners = listeners
        .into_iter()
        .map(listen)
        .collect::<io::Result<Vec<_>>>()?;
    let slots = Arc::new(Semaphore::new(
        door.receiver
            .limits()
            .connections_max
            .min(Semaphore::MAX_PERMITS),
    ));
    let force = Shutdown::new();
    // Nothing is ever sent: the channel ends when every listener and connection has let go of its sender.
    let (alive, mut all_ended) = mpsc::channel::<Infallible>(1);
    for listener in listeners {
        let accepting = Accepting {
            door: door.clone(),
            slots: Arc::clone(&slots),
            force: force.clone(),
        };
        door.tasks.spawn(accepting.run(listener, alive.clone()));
    }
    drop(alive);
    door.shutdown.begun().await;
    if tokio::time::timeout(door.receiver.limits().drain_timeout, all_ended.recv())
        .await
        .is_err()
    {
        tracing::warn!(
            transport = door.transport.label(),
            "connections are cut that did not end in time"
        );
        force.begin();
        let _ended = tokio::time::timeout(GOODBYE_TIMEOUT, all_ended.recv()).await;
    }
    Ok(())
}

fn listen(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Takes connections from one listener.
struct Accepting {
    door: Door,
    slots: Arc<Semaphore>,
    force: Shutdown,
}

impl Accepting {
    async fn run(self, listener: TcpListener, alive: mpsc::Sender<Infallible>) {
        let ledger = Arc::clone(self.door.receiver.ledger());
        let transport = self.door.transport;
        let mut accepted_count = 0u64;
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.door.shutdown.begun() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(transport = transport.label(), %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
                ledger.change(transport, |counts| counts.connections_refused += 1);
                continue;
            };
            accepted_count = accepted_count.wrapping_add(1);
            let age_max = age_max(self.door.receiver.limits(), transport, accepted_count);
            let (force, alive) = (self.force.clone(), alive.clone());
            let door = Door {
                // As people write it, also where the socket takes both families.
                peer: Some(peer.ip().to_canonical()),
                ..self.door.clone()
            };
            self.door.tasks.spawn(async move {
                let ledger = Arc::clone(door.receiver.ledger());
                ledger.change(transport, |counts| counts.connections += 1);
                Box::pin(drive(door, stream, force, age_max)).await;
                ledger.change(transport, |counts| counts.connections -= 1);
                drop((slot, alive));
            });
        }
    }
}

/// The age limit of the n-th connection: from 90 to 110 %, so that clients don't come back all at once.
fn age_max(limits: &Limits, transport: Transport, number: u64) -> Option<Duration> {
    let age = limits.connection_age_max.filter(|_| transport.is_grpc())?;
    // 37 and 21 have no common divisor: 21 connections in a row get 21 different ages.
    let percent = 90 + u32::try_from(number.wrapping_mul(37) % 21).unwrap_or(10);
    Some(age * percent / 100)
}

/// Serves one connection to its end, from its TLS handshake where there is one.
async fn drive(door: Door, stream: TcpStream, force: Shutdown, age_max: Option<Duration>) {
    // Answers are one small write each: waiting for more to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection could not be set up");
        return;
    }
    let limits = door.receiver.limits();
    let shaking = tls::accept(door.receiver.gate().tls.as_ref(), stream);
    // A connection that is there is answered, also when the stop begins at the same moment.
    let stream = tokio::select! {
        biased;
        accepted = shaking => accepted,
        () = door.shutdown.begun() => None,
    };
    let Some(stream) = stream else {
        return;
    };
    let (stream, alarm) = PingWatch::new(
        stream,
        Arc::clone(door.receiver.clock()),
        limits.pings_per_minute_max,
    );
    let activity = Arc::new(Activity::default());
    let service = service_fn(|request| {
        let (door, busy) = (door.clone(), Activity::begin(&activity));
        async move {
            let response = door.answer(request).await;
            drop(busy);
            Ok::<_, Infallible>(response)
        }
    });
    let builder = builder(&door);
    let mut connection = Box::pin(builder.serve_connection(TokioIo::new(stream), service));
    let grace = tokio::select! {
        _ended = connection.as_mut() => return,
        () = force.begun() => return,
        grace = reason_to_leave(&door, &activity, &alarm, age_max) => grace,
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ended = connection => {}
        () = force.begun() => {}
        () = tokio::time::sleep(grace) => {}
    }
}

/// Waits until the connection must go; gives how long what is under way on it may still take.
async fn reason_to_leave(
    door: &Door,
    activity: &Activity,
    alarm: &Notify,
    age_max: Option<Duration>,
) -> Duration {
    let limits = door.receiver.limits();
    let too_old = async {
        match age_max {
            Some(age) => tokio::time::sleep(age).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = door.shutdown.begun() => limits.drain_timeout,
        () = alarm.notified() => GOODBYE_TIMEOUT,
        () = activity.ceased(limits) => GOODBYE_TIMEOUT,
        () = too_old => limits.connection_age_grace,
    }
}

fn builder(door: &Door) -> Builder<OnTasks> {
    let limits = door.receiver.limits();
    let mut builder = Builder::new(OnTasks(door.tasks.clone()));
    if door.transport.is_grpc() {
        builder = builder.http2_only();
    }
    builder
        .http1()
        // Without a timer the library's header timeout does nothing.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .half_close(true)
        .max_headers(HTTP1_HEADERS_MAX)
        .max_buf_size(HTTP1_BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.keepalive_interval)
        .keep_alive_timeout(limits.keepalive_timeout)
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .max_pending_accept_reset_streams(HTTP2_PENDING_RESETS_MAX)
        .max_local_error_reset_streams(HTTP2_LOCAL_RESETS_MAX)
        .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES_MAX);
    builder
}

/// Runs the library's own tasks (one for each HTTP/2 stream) where shutdown waits for them.
#[derive(Debug, Clone)]
struct OnTasks(Tasks);

impl<F> hyper::rt::Executor<F> for OnTasks
where
    F: Future + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(async move {
            let _output = task.await;
        });
    }
}

/// The requests of a connection: how many began, how many are under way.
#[derive(Debug, Default)]
struct Activity {
    begun: AtomicU64,
    under_way: AtomicU64,
}

/// A request under way.
struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Activity {
    fn begin(activity: &Arc<Self>) -> Busy {
        activity.begun.fetch_add(1, Ordering::AcqRel);
        activity.under_way.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(activity))
    }

    /// Waits until no first request came in time, or none for as long as a connection may be idle.
    async fn ceased(&self, limits: &Limits) {
        tokio::time::sleep(limits.header_timeout).await;
        let mut seen = self.begun.load(Ordering::Acquire);
        if seen == 0 {
            return;
        }
        loop {
            tokio::time::sleep(limits.idle_timeout).await;
            let begun = self.begun.load(Ordering::Acquire);
            if begun == seen && self.under_way.load(Ordering::Acquire) == 0 {
                return;
            }
            seen = begun;
        }
    }
}
