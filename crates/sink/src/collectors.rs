//! The collectors: their names, the addresses behind them, a connection to each, and which of them to ask next.
//!
//! Promises
//! - Names are looked up again from time to time and after failures; every address is used, the least busy first.
//! - An address that fails is left alone for a while, longer each time (with jitter), and at least as long as it asked
//!   for; then one request finds out whether it is back.
//! - A request waits for as long as no address can be asked; it never gives up by itself.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use plumbing::{Clock, Random, Shutdown, Tasks};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::call::{Answer, Code, EXPORT_PATH, Framed, Manner, Verdict, call};
use crate::metrics::{CollectorMetrics, SinkMetrics, gauge};
use crate::options::{Compression, DeliveryOptions, Target};

/// The most addresses of one name that are used.
const ADDRESSES_MAX: usize = 64;
/// How soon after a look-up the next one may be, when something failed.
const LOOK_UP_PAUSE: Duration = Duration::from_secs(1);
/// How long a look-up may take.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a collector is asked whether it is still there while requests are under way.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// The most addresses that one question is put to.
const ASKED_MAX: usize = 3;

/// Says why a question had no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CallError {
    /// What happened.
    pub reason: String,
}

/// Collectors to deliver to, or to ask; clones are the same ones.
#[derive(Debug, Clone)]
pub struct Collectors {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: DeliveryOptions,
    manner: Manner,
    endpoints: Mutex<Vec<Arc<Endpoint>>>,
    /// The failures of the last look-up, which were said.
    said: Mutex<Vec<(String, String)>>,
    /// Something became known, free or usable.
    changed: Notify,
    /// A failure asks for a look-up.
    look_up: Notify,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metrics: SinkMetrics,
    own_metrics: CollectorMetrics,
    tasks: Tasks,
}

/// One address of a collector.
#[derive(Debug)]
struct Endpoint {
    target: Target,
    address: SocketAddr,
    /// It said that it can't read what is compressed as we do.
    wants_plain: AtomicBool,
    in_flight: AtomicUsize,
    health: Mutex<EndpointHealth>,
    /// A lock that is held while a connection comes about: all wait for the same one.
    connection: tokio::sync::Mutex<Option<SendRequest<Full<Bytes>>>>,
    is_connected: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy, Default)]
struct EndpointHealth {
    failures: u32,
    /// On the monotonic clock: not to be asked before.
    until_nanos: u64,
}

/// Counts a request of an endpoint for as long as it is under way.
struct UnderWay<'a> {
    endpoint: &'a Endpoint,
    inner: &'a Inner,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.inner.changed.notify_waiters();
    }
}

impl Endpoint {
    fn new(target: Target, address: SocketAddr) -> Self {
        Self {
            target,
            address,
            wants_plain: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            health: Mutex::default(),
            connection: tokio::sync::Mutex::new(None),
            is_connected: Arc::default(),
        }
    }

    fn health(&self) -> EndpointHealth {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_health(&self, health: EndpointHealth) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }
}

/// What a choice of an endpoint came to.
enum Choice {
    Endpoint(Arc<Endpoint>),
    /// None can be asked before so many nanoseconds have passed, or something changes.
    Wait(Option<u64>),
}

impl Collectors {
    /// Makes them; nothing is looked up or connected yet.
    pub(crate) fn new(
        options: DeliveryOptions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        (metrics, own_metrics): (SinkMetrics, CollectorMetrics),
        tasks: Tasks,
    ) -> Self {
        let manner = Manner {
            headers: options.headers.clone(),
            token: options.token.clone(),
            timeout: options.timeout,
            scheme: if options.tls.is_some() {
                "https"
            } else {
                "http"
            },
        };
        Self {
            inner: Arc::new(Inner {
                manner,
                options,
                endpoints: Mutex::default(),
                said: Mutex::default(),
                changed: Notify::new(),
                look_up: Notify::new(),
                clock,
                random,
                metrics,
                own_metrics,
                tasks,
            }),
        }
    }

    /// Collectors that are only asked; they are in no metric.
    #[must_use]
    pub fn to_ask(
        options: DeliveryOptions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        tasks: Tasks,
    ) -> Self {
        Self::new(options, clock, random, Default::default(), tasks)
    }

    /// Looks names up until the stop.
    pub async fn run(self, stop: Shutdown) {
        loop {
            self.look_up().await;
            let inner = &self.inner;
            let is_empty = inner.endpoints().is_empty();
            let longest = if is_empty {
                LOOK_UP_PAUSE
            } else {
                inner.options.resolve_interval.max(LOOK_UP_PAUSE)
            };
            let after_failure = async {
                sleep(LOOK_UP_PAUSE).await;
                inner.look_up.notified().await;
            };
            tokio::select! {
                () = stop.begun() => return,
                () = sleep(longest) => {}
                () = after_failure => {}
            }
        }
    }

    /// Delivers a request; gives an answer once there is one that is final.
    pub(crate) async fn export(&self, message: &[u8], framed: &Framed) -> Answer {
        let mut plain = None;
        loop {
            let endpoint = self.pick().await;
            let under_way = self.inner.enter(&endpoint);
            let wants_plain = endpoint.wants_plain.load(Ordering::Acquire);
            let framed = match wants_plain && framed.compression != Compression::None {
                true => &*plain.get_or_insert_with(|| Framed::new(message, Compression::None)),
                false => framed,
            };
            let answer = self.inner.attempt(&endpoint, EXPORT_PATH, framed).await;
            let verdict = answer.verdict();
            match verdict {
                Verdict::Taken | Verdict::Refused => {
                    endpoint.set_health(EndpointHealth::default());
                    self.inner.own_metrics.sent_bytes.inc_by(match verdict {
                        Verdict::Taken => framed.body.len() as u64,
                        _ => 0,
                    });
                    return answer;
                }
                Verdict::Denied
                    if answer.code == Code::UNIMPLEMENTED
                        && framed.compression != Compression::None =>
                {
                    // It may be the compression that is not known there.
                    endpoint.wants_plain.store(true, Ordering::Release);
                }
                Verdict::Later | Verdict::Denied => {
                    self.inner.metrics.retry(answer.code.label());
                    self.inner.note_failure(&endpoint, &answer);
                }
            }
            drop(under_way);
        }
    }

    /// Puts a question to addresses that can be asked now, one after another, until one has an answer.
    ///
    /// # Errors
    /// When none has: what the last one said.
    pub async fn ask(&self, path: &'static str, message: &[u8]) -> Result<Bytes, CallError> {
        let framed = Framed::new(message, Compression::None);
        let mut reason = "no collector can be asked now".to_owned();
        let mut asked: Vec<SocketAddr> = Vec::new();
        while asked.len() < ASKED_MAX {
            let Choice::Endpoint(endpoint) = self.inner.choose(&asked) else {
                break;
            };
            asked.push(endpoint.address);
            let _under_way = self.inner.enter(&endpoint);
            let answer = self.inner.attempt(&endpoint, path, &framed).await;
            if answer.verdict() == Verdict::Taken {
                endpoint.set_health(EndpointHealth::default());
                return Ok(answer.body);
            }
            if answer.verdict() == Verdict::Later {
                self.inner.note_failure(&endpoint, &answer);
            }
            let (at, code) = (endpoint.target.authority(), answer.code.label());
            reason = format!("{at} answers {code}: {}", answer.message);
        }
        Err(CallError { reason })
    }

    /// Sets the gauges of addresses and connections.
    pub(crate) fn refresh_metrics(&self) {
        let endpoints = self.inner.endpoints();
        let connected = endpoints
            .iter()
            .filter(|endpoint| endpoint.is_connected.load(Ordering::Acquire));
        let connected = connected.count() as u64;
        self.inner.own_metrics.connections.set(gauge(connected));
        self.inner
            .own_metrics
            .addresses
            .set(gauge(endpoints.len() as u64));
    }

    async fn pick(&self) -> Arc<Endpoint> {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.inner.choose(&[]) {
                Choice::Endpoint(endpoint) => return endpoint,
                Choice::Wait(Some(nanos)) => {
                    let woken = timeout(Duration::from_nanos(nanos), changed);
                    // Either way it is looked again.
                    drop(woken.await);
                }
                Choice::Wait(None) => changed.await,
            }
        }
    }

    async fn look_up(&self) {
        let inner = &self.inner;
        let known = inner.endpoints();
        let mut found: Vec<Arc<Endpoint>> = Vec::new();
        let mut failures = Vec::new();
        for target in &inner.options.collectors {
            let looking = inner.options.resolver.addresses(target);
            let addresses = match timeout(LOOK_UP_TIMEOUT, looking).await {
                Ok(Ok(addresses)) if addresses.is_empty() => Err("it has no address".to_owned()),
                Ok(Ok(addresses)) => Ok(addresses),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {LOOK_UP_TIMEOUT:?}")),
            };
            let of_target = |endpoint: &&Arc<Endpoint>| endpoint.target == *target;
            match addresses {
                Ok(addresses) => {
                    for address in addresses.into_iter().take(ADDRESSES_MAX) {
                        let is_it = |one: &&Arc<Endpoint>| one.address == address;
                        if found.iter().any(|one| is_it(&one)) {
                            continue;
                        }
                        let same = known.iter().filter(of_target).find(is_it).cloned();
                        let new = || Arc::new(Endpoint::new(target.clone(), address));
                        found.push(same.unwrap_or_else(new));
                    }
                }
                Err(error) => {
                    inner.own_metrics.resolve_failures.inc();
                    failures.push((target.authority(), error));
                    // What was known of it may still be right.
                    found.extend(known.iter().filter(of_target).cloned());
                }
            }
        }
        *inner
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = found;
        inner.changed.notify_waiters();
        inner.complain(failures);
    }
}

impl Inner {
    /// The same failures are said once.
    fn complain(&self, failures: Vec<(String, String)>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said == failures {
            return;
        }
        for (collector, error) in &failures {
            tracing::warn!(
                collector,
                error,
                "a collector's name could not be looked up; it is tried again"
            );
        }
        *said = failures;
    }

    fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn enter<'a>(&'a self, endpoint: &'a Endpoint) -> UnderWay<'a> {
        endpoint.in_flight.fetch_add(1, Ordering::AcqRel);
        UnderWay {
            endpoint,
            inner: self,
        }
    }

    /// The least busy of those that can be asked; of equal ones any.
    fn choose(&self, without: &[SocketAddr]) -> Choice {
        let now = self.clock.monotonic_nanos();
        let endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut wait: Option<u64> = None;
        let mut best: Vec<&Arc<Endpoint>> = Vec::new();
        for endpoint in endpoints.iter() {
            if without.contains(&endpoint.address) {
                continue;
            }
            let health = endpoint.health();
            if health.until_nanos > now {
                let left = health.until_nanos - now;
                wait = Some(wait.map_or(left, |wait| wait.min(left)));
                continue;
            }
            // One that failed before is asked by one request, which finds out for all.
            if health.failures > 0 && endpoint.in_flight() > 0 {
                continue;
            }
            match best.first().map(|other| other.in_flight()) {
                Some(least) if least < endpoint.in_flight() => {}
                Some(least) if least == endpoint.in_flight() => best.push(endpoint),
                _ => best = vec![endpoint],
            }
        }
        let count = best.len() as u64;
        let index = if count > 1 {
            self.random.below(count)
        } else {
            0
        };
        match best.get(usize::try_from(index).unwrap_or(0)) {
            Some(endpoint) => Choice::Endpoint(Arc::clone(endpoint)),
            None => Choice::Wait(wait),
        }
    }

    async fn attempt(&self, endpoint: &Endpoint, path: &str, framed: &Framed) -> Answer {
        let authority = endpoint.target.authority();
        let request = match self.manner.request(&authority, path, framed) {
            Ok(request) => request,
            Err(error) => return Answer::none(&format!("no request can be made: {error}")),
        };
        let connecting = timeout(self.options.timeout, self.sender(endpoint));
        let sender = match connecting.await {
            Ok(Ok(sender)) => sender,
            Ok(Err(why)) => return Answer::none(&why),
            Err(_) => {
                let within = self.options.timeout;
                return Answer::none(&format!(
                    "no connection to {} within {within:?}",
                    endpoint.address
                ));
            }
        };
        match timeout(self.options.timeout, call(sender, request, &*self.clock)).await {
            Ok(answer) => answer,
            Err(_) => Answer {
                code: Code(4),
                ..Answer::none(&format!("no answer within {:?}", self.options.timeout))
            },
        }
    }

    /// The connection of an endpoint, a new one where there is none.
    async fn sender(&self, endpoint: &Endpoint) -> Result<SendRequest<Full<Bytes>>, String> {
        let mut connection = endpoint.connection.lock().await;
        if let Some(sender) = connection.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let address = endpoint.address;
        let failed = |why: String| format!("can't connect to {address}: {why}");
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| failed(error.to_string()))?;
        // Without it a small request may wait for the acknowledgement of the one before.
        stream
            .set_nodelay(true)
            .map_err(|error| failed(error.to_string()))?;
        let stream = match &self.options.tls {
            Some(tls) => {
                let shaken = tls.connect(&endpoint.target.host, stream).await;
                shaken.map_err(|error| failed(error.to_string()))?
            }
            None => tls::Stream::Plain(stream),
        };
        let (sender, driver) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let is_connected = Arc::clone(&endpoint.is_connected);
        is_connected.store(true, Ordering::Release);
        self.tasks.spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%address, %error, "a connection to a collector ended");
            }
            is_connected.store(false, Ordering::Release);
        });
        *connection = Some(sender.clone());
        Ok(sender)
    }

    /// Leaves an address alone for a while.
    fn note_failure(&self, endpoint: &Endpoint, answer: &Answer) {
        let now = self.clock.monotonic_nanos();
        let mut health = endpoint.health();
        // Requests that were under way together fail together: that is one failure.
        if health.until_nanos <= now {
            health.failures = match answer.verdict() {
                Verdict::Denied => FAILURES_MAX,
                _ => (health.failures + 1).min(FAILURES_MAX),
            };
            let (least, most) = (nanos(self.options.pause_min), nanos(self.options.pause_max));
            let pause = least.saturating_mul(1 << (health.failures - 1)).min(most);
            // Between half of the pause and all of it, so that agents come back one after another.
            let pause = pause / 2 + self.random.below(pause / 2 + 1);
            health.until_nanos = now.saturating_add(pause);
            let (collector, address) = (endpoint.target.authority(), endpoint.address);
            let (code, error) = (answer.code.label(), &answer.message);
            let pause = Duration::from_nanos(pause);
            tracing::warn!(collector, %address, code, error, ?pause, "a collector took nothing; it is tried again");
        }
        if let Some(asked) = answer.retry_after {
            let asked = nanos(asked);
            health.until_nanos = health.until_nanos.max(now.saturating_add(asked));
        }
        endpoint.set_health(health);
        self.look_up.notify_one();
    }
}

/// More failures in a row make no longer pause: 2^19 times the least is a week.
const FAILURES_MAX: u32 = 20;

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
