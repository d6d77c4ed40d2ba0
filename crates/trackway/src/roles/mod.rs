//! Roles: which rooms a process opens, and how it hands them to each other. Here is what every role does alike.
//!
//! Promises
//! - Health answers from the first second, while a role still opens its rooms and while the last requests drain.
//! - A stop (SIGTERM, SIGINT) lets requests under way finish; a second signal ends at once.
//! - When one server fails, all stop.
//!
//! Read next: `all_in_one` (the store in the same process, or spoken to), `ingester` (from Kafka to a store), `agent`
//! (beside an application).

mod agent;
mod all_in_one;
mod ingester;
mod storeless;

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use model::contract::{BatchProcessor, Pins, SpanWriter};
use plumbing::{CpuPool, Metrics, RealClock, RealRandom, Shutdown, Tasks};
use process::{Pipeline, Surroundings};
use prometheus_client::metrics::info::Info;
use serve::{AdminState, Health, HttpLimits};
use tls::TlsMetrics;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::backend::Backend;
use crate::config::{BackendKind, Config};
use crate::error::Error;
use crate::gates::Gates;
use crate::keep::Seams;
use crate::listen::Listeners;
use crate::{machine, web};

pub(crate) use agent::run_agent;
pub(crate) use all_in_one::{answer_bytes_max, run_all_in_one};
pub(crate) use ingester::run_ingester;

/// A server that runs until the stop.
type Serving<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Pieces of work that may wait for a core; their bytes are bounded by the budget of requests in flight.
const POOL_QUEUE_JOBS_MAX: usize = 1024;
/// How long tasks may still take after their listeners have drained.
const LAST_TASKS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long threads that still work may hold up the end of the process.
const RUNTIME_END_TIMEOUT: Duration = Duration::from_millis(200);

/// Runs a role on a runtime of its own until it ends.
fn run_on_runtime(
    threads: usize,
    role: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("trackway-io")
        .enable_all()
        .build()
        .map_err(|source| Error::Machine {
            action: "start the runtime",
            source,
        })?;
    let ended = runtime.block_on(role);
    runtime.shutdown_timeout(RUNTIME_END_TIMEOUT);
    ended
}

/// How the program is, for the health ports.
#[derive(Debug)]
struct ProgramHealth {
    state: Mutex<State>,
    shutdown: Shutdown,
}

enum State {
    /// Still starting, and how far.
    Starting(String),
    /// Serving, and whether spans are taken now.
    Serving(Arc<dyn Fn() -> Result<(), String> + Send + Sync>),
}

impl State {
    /// Serving what keeps spans.
    fn serving(writer: Arc<dyn SpanWriter>) -> Self {
        Self::Serving(Arc::new(move || writer.readiness()))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting(progress) => f.debug_tuple("Starting").field(progress).finish(),
            Self::Serving(_) => f.write_str("Serving"),
        }
    }
}

impl ProgramHealth {
    fn new(shutdown: Shutdown) -> Self {
        Self {
            state: Mutex::new(State::Starting("the program starts".to_owned())),
            shutdown,
        }
    }

    // A std mutex: it is held for a copy, never across an await.
    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn started(&self) -> Result<(), String> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Starting(progress) => Err(progress.clone()),
            State::Serving(_) => Ok(()),
        }
    }

    fn ready(&self) -> Result<(), String> {
        if self.shutdown.has_begun() {
            return Err("the program stops".to_owned());
        }
        let readiness = match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Starting(progress) => return Err(progress.clone()),
            State::Serving(readiness) => Arc::clone(readiness),
        };
        readiness()
    }
}

/// What every role stands on.
struct Ground {
    tls: TlsMetrics,
    /// Stops everything that takes requests.
    shutdown: Shutdown,
    /// Stops the health ports, which outlive the rest.
    last_shutdown: Shutdown,
    health: Arc<ProgramHealth>,
    seams: Seams,
    tasks: Tasks,
    last_tasks: Tasks,
}

impl Ground {
    fn new() -> Self {
        let shutdown = Shutdown::new();
        let metrics = Metrics::new();
        Self {
            tls: TlsMetrics::register(&metrics),
            health: Arc::new(ProgramHealth::new(shutdown.clone())),
            shutdown,
            last_shutdown: Shutdown::new(),
            seams: Seams {
                clock: Arc::new(RealClock::default()),
                random: Arc::new(RealRandom::default()),
                metrics,
            },
            tasks: Tasks::new(),
            last_tasks: Tasks::new(),
        }
    }

    /// The store of others that the configuration names, as the role makes use of it; `None` where it is the embedded
    /// one.
    async fn open_others(
        &self,
        config: &Config,
        made_use_of: fn(Backend, &Config, CpuPool, &Seams) -> Result<Backend, Error>,
    ) -> Result<Option<Backend>, Error> {
        if config.backend.kind == BackendKind::Embedded {
            return Ok(None);
        }
        let (config, tls, seams) = (config.clone(), self.tls.clone(), self.seams.clone());
        let pool = start_pool("trackway-backend")?;
        let opening = move || {
            let backend = Backend::of_others(&config, pool.clone(), &tls, &seams)?;
            backend
                .map(|backend| made_use_of(backend, &config, pool, &seams))
                .transpose()
        };
        match tokio::task::spawn_blocking(opening).await {
            Ok(opened) => opened,
            Err(panicked) => Err(Error::Store(format!(
                "the store could not be prepared: {panicked}"
            ))),
        }
    }

    /// The steps that spans go through before they are kept.
    fn processor(&self, config: &Config) -> Option<Arc<dyn BatchProcessor>> {
        let around = Surroundings {
            clock: Arc::clone(&self.seams.clock),
            metrics: &self.seams.metrics,
        };
        let steps = Pipeline::new(config.process.plan(), &around)?;
        Some(Arc::new(steps))
    }

    /// The first signal begins the stop; the second ends the process.
    fn watch_signals(&self) -> Result<(), Error> {
        let failed = |source| Error::Machine {
            action: "watch for signals",
            source,
        };
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let (shutdown, health) = (self.shutdown.clone(), Arc::clone(&self.health));
        self.last_tasks.spawn(async move {
            let name = next_signal(&mut terminate, &mut interrupt).await;
            match health.started() {
                Ok(()) => tracing::info!(signal = name, "stopping; a second signal ends at once"),
                Err(progress) => tracing::warn!(
                    signal = name,
                    progress,
                    "stopped before the start was done; if a probe did it, give the start more time: \
                     startupProbe.failureThreshold in the chart"
                ),
            }
            shutdown.begin();
            let name = next_signal(&mut terminate, &mut interrupt).await;
            tracing::warn!(signal = name, "ended at once");
            #[allow(
                clippy::exit,
                reason = "the second signal asks for just this; the log keeps what was acknowledged"
            )]
            std::process::exit(130);
        });
        Ok(())
    }

    /// Reads who is let in where, and follows the files from then on.
    async fn gates(&self, config: &Config, listeners: &Listeners) -> Result<Gates, Error> {
        let (config, metrics, tls) = (config.clone(), self.seams.metrics.clone(), self.tls.clone());
        let loading = tokio::task::spawn_blocking(move || Gates::load(&config, &metrics, &tls));
        let loaded = loading.await;
        let gates = loaded.map_err(|panicked| Error::Usage(format!("access: {panicked}")))??;
        gates.warn(listeners);
        gates.watch(&self.last_tasks, &self.last_shutdown);
        Ok(gates)
    }

    fn register_program(&self) {
        crate::process_metrics::register(&self.seams.metrics, &*self.seams.clock);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.seams.metrics.register(|registry| {
            registry.register(
                "trackway_build",
                "The program",
                Info::new(vec![("version", version)]),
            );
        });
    }

    /// What the health ports say how the program is by.
    fn admin_state(&self, health: &Arc<impl Health + Pins + 'static>) -> AdminState {
        AdminState {
            metrics: self.seams.metrics.clone(),
            clock: Arc::clone(&self.seams.clock),
            health: Arc::clone(health) as Arc<dyn Health>,
            pins: Arc::clone(health) as Arc<dyn Pins>,
        }
    }

    /// Serves the health ports on tasks of their own, from now until the very end.
    fn serve_health(
        &self,
        admin: Router,
        health: Router,
        gates: &Gates,
        listeners: &mut Listeners,
    ) {
        for (name, router) in [("admin", admin), ("health", health)] {
            let (door, sockets) = (gates.door(name), listeners.take(name));
            if sockets.is_empty() {
                continue;
            }
            let (shutdown, tasks) = (self.last_shutdown.clone(), self.last_tasks.clone());
            let limits = HttpLimits {
                drain_timeout: LAST_TASKS_TIMEOUT,
                ..HttpLimits::default()
            };
            self.last_tasks.spawn(async move {
                if let Err(error) =
                    serve::serve_http(router, door, sockets, limits, shutdown, tasks).await
                {
                    tracing::error!(%error, "a health port ended");
                }
            });
        }
    }

    /// Takes spans by every way that is open, until the stop.
    async fn receive(
        &self,
        receiver: Arc<receive::Receiver>,
        listeners: &mut Listeners,
    ) -> Result<(), Error> {
        let mut doors: Vec<Serving<'_>> = Vec::new();
        for (name, transport) in web::DOORS {
            let (receiver, stop) = (Arc::clone(&receiver), self.shutdown.clone());
            let (sockets, datagrams) = (listeners.take(name), listeners.take_udp(name));
            if !sockets.is_empty() {
                let tasks = self.tasks.clone();
                let served = receive::serve(transport, receiver, sockets, stop, tasks);
                doors.push(Box::pin(self.guard(served)));
            } else if !datagrams.is_empty() {
                let tasks = self.tasks.clone();
                let served = receive::serve_udp(transport, receiver, datagrams, stop, tasks);
                doors.push(Box::pin(self.guard(served)));
            }
        }
        let ended = futures_util::future::join_all(doors).await;
        ended.into_iter().collect()
    }

    /// When one server fails, all stop: a program that serves by halves is harder to notice than one that ends.
    async fn guard(&self, server: impl Future<Output = std::io::Result<()>>) -> Result<(), Error> {
        let served = server.await;
        if served.is_err() {
            self.shutdown.begin();
        }
        served.map_err(|source| Error::Machine {
            action: "serve a listener",
            source,
        })
    }

    /// Stops what takes requests, and waits a moment for what is under way.
    async fn drain(&self) {
        self.shutdown.begin();
        if tokio::time::timeout(LAST_TASKS_TIMEOUT, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some requests were cut off: they were not acknowledged");
        }
    }
}

/// The threads for work that takes the processor.
fn start_pool(name: &str) -> Result<CpuPool, Error> {
    let pool = CpuPool::start(name, machine::cores(), POOL_QUEUE_JOBS_MAX);
    pool.map_err(|source| Error::Machine {
        action: "start threads",
        source,
    })
}

async fn next_signal(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Writes a file so that a reader sees either nothing or all of it.
fn write_whole(file: &Path, text: &str) -> Result<(), Error> {
    let failed = |action| {
        move |source| Error::File {
            action,
            path: file.to_owned(),
            source,
        }
    };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = file.with_file_name(name);
    std::fs::write(&beside, text).map_err(failed("write"))?;
    std::fs::rename(&beside, file).map_err(failed("rename"))
}

fn receive_limits(config: &Config) -> receive::Limits {
    receive::Limits {
        body_bytes_max: config.receive.body_bytes_max.0,
        compressed_bytes_max: config.receive.compressed_bytes_max.0,
        header_timeout: config.receive.header_timeout,
        body_timeout: config.receive.body_timeout,
        connections_max: config.receive.connections_max,
        drain_timeout: config.listen.drain_timeout,
        ..receive::Limits::default()
    }
}

fn http_limits(config: &Config) -> HttpLimits {
    HttpLimits {
        connections_max: config.query.connections_max,
        drain_timeout: config.listen.drain_timeout,
        ..HttpLimits::default()
    }
}

#[cfg(test)]
mod tests;
