//! Roles: which rooms a process opens, and how it hands them to each other. So far one: all in one.
//!
//! Promises
//! - Listeners come first: a taken port ends the start before the store is touched.
//! - Health answers from the first second, while the store still opens and while the last requests drain.
//! - A stop (SIGTERM, SIGINT) lets requests under way finish, then stops the store; a second signal ends at once.
//! - The addresses are written, and readiness is told, only when everything serves.
//!
//! Read next: `listen` (sockets), `keep` (the store), `banner` (what people see).

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::map_request;
use axum::routing::any;
use model::contract::{Answer, PinError, PinnedTrace, Pins, SpanWriter};
use model::{TenantId, TraceId};
use plumbing::{ByteBudget, CpuPool, Metrics, RealClock, RealRandom, Shutdown, Tasks};
use prometheus_client::metrics::info::Info;
use query::{Query, QueryLimits};
use sampling::Strategies;
use serve::{AdminState, Health, HttpLimits, JaegerOptions, ServeParts, Tail, UiOptions, UiParts};
use store::Store;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::archive::ArchiveWriter;
use crate::backend::{Backend, data_place, promise};
use crate::banner::{banner, next_step};
use crate::client::Server;
use crate::config::{Acknowledge, BackendKind, Config, Setting, Settings, SizeOrAuto};
use crate::demo;
use crate::error::Error;
use crate::keep::{self, Seams};
use crate::listen::{Addresses, Listeners, addresses_line};
use crate::web::{self, TailedWriter, WebProgram};
use crate::{logging, machine, strategies};

/// A server that runs until the stop.
type Serving<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Pieces of work that may wait for a core; their bytes are bounded by the budget of requests in flight.
const POOL_QUEUE_JOBS_MAX: usize = 1024;
/// How long tasks may still take after their listeners have drained.
const LAST_TASKS_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the store is asked whether it has failed for good.
const STORE_WATCH_PERIOD: Duration = Duration::from_millis(250);
/// How long threads that still work may hold up the end of the process.
const RUNTIME_END_TIMEOUT: Duration = Duration::from_millis(200);

/// Runs everything in one process on the embedded store, until a signal ends it.
pub(crate) fn run_all_in_one(
    settings: &Settings,
    addresses_file: Option<&Path>,
    is_demo: bool,
) -> Result<(), Error> {
    logging::begin(&settings.config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(machine::cores())
        .thread_name("trackway-io")
        .enable_all()
        .build()
        .map_err(|source| Error::Machine {
            action: "start the runtime",
            source,
        })?;
    let ended = runtime.block_on(AllInOne::new(settings, addresses_file, is_demo).run());
    runtime.shutdown_timeout(RUNTIME_END_TIMEOUT);
    ended
}

/// How the program is, for the health ports.
#[derive(Debug)]
struct ProgramHealth {
    state: Mutex<State>,
    /// The store, once it is open.
    opened: OnceLock<Backend>,
    shutdown: Shutdown,
}

#[derive(Debug)]
enum State {
    /// Still starting, and how far.
    Starting(String),
    /// Serving.
    Serving(Arc<dyn SpanWriter>),
}

impl ProgramHealth {
    fn new(shutdown: Shutdown) -> Self {
        Self {
            state: Mutex::new(State::Starting("the program starts".to_owned())),
            opened: OnceLock::new(),
            shutdown,
        }
    }

    // A std mutex: it is held for a copy, never across an await.
    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl Health for ProgramHealth {
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
        let writer = match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Starting(progress) => return Err(progress.clone()),
            State::Serving(writer) => Arc::clone(writer),
        };
        writer.readiness()
    }

    fn finalise(&self) -> Answer<'static, Result<(), String>> {
        let Some(backend) = self.opened.get() else {
            let reason = self
                .started()
                .err()
                .unwrap_or_else(|| "the store is not open".to_owned());
            return Box::pin(std::future::ready(Err(reason)));
        };
        let Some(store) = backend.store.clone() else {
            let reason = "spans are in a store of others, which has nothing to finalise";
            return Box::pin(std::future::ready(Err(reason.to_owned())));
        };
        Box::pin(async move { store.finalise().await.map_err(|error| error.to_string()) })
    }
}

impl ProgramHealth {
    /// Asks the store for pins, once it is open.
    fn of_store<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Pins) -> Answer<'static, Result<T, PinError>>,
    ) -> Answer<'static, Result<T, PinError>> {
        let reason = match self.opened.get() {
            Some(backend) => return ask(&*backend.pins),
            None => self.started().err(),
        };
        let reason = reason.unwrap_or_else(|| "the store is not open".to_owned());
        Box::pin(std::future::ready(Err(PinError::Unavailable { reason })))
    }
}

impl Pins for ProgramHealth {
    fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Answer<'static, Result<bool, PinError>> {
        self.of_store(|store| store.pin(tenant, trace_id))
    }

    fn unpin(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'static, Result<bool, PinError>> {
        self.of_store(|store| store.unpin(tenant, trace_id))
    }

    fn pins(&self, tenant: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        self.of_store(|store| store.pins(tenant))
    }
}

struct AllInOne<'a> {
    settings: &'a Settings,
    addresses_file: Option<&'a Path>,
    is_demo: bool,
    /// Stops everything that takes requests.
    shutdown: Shutdown,
    /// Stops the health ports, which outlive the rest.
    last_shutdown: Shutdown,
    health: Arc<ProgramHealth>,
    seams: Seams,
    tasks: Tasks,
    last_tasks: Tasks,
}

/// The threads for work that takes the processor.
fn start_pool(name: &str) -> Result<CpuPool, Error> {
    let pool = CpuPool::start(name, machine::cores(), POOL_QUEUE_JOBS_MAX);
    pool.map_err(|source| Error::Machine {
        action: "start threads",
        source,
    })
}

impl<'a> AllInOne<'a> {
    fn new(settings: &'a Settings, addresses_file: Option<&'a Path>, is_demo: bool) -> Self {
        let shutdown = Shutdown::new();
        Self {
            settings,
            addresses_file,
            is_demo,
            health: Arc::new(ProgramHealth::new(shutdown.clone())),
            shutdown,
            last_shutdown: Shutdown::new(),
            seams: Seams {
                clock: Arc::new(RealClock::default()),
                random: Arc::new(RealRandom::default()),
                metrics: Metrics::new(),
            },
            tasks: Tasks::new(),
            last_tasks: Tasks::new(),
        }
    }

    async fn run(self) -> Result<(), Error> {
        self.watch_signals()?;
        let mut listeners = Listeners::open(&self.settings.config.listen)?;
        let addresses = listeners.addresses();
        self.warn_of_risks(&listeners);
        self.register_facts();
        self.serve_health(&mut listeners);
        let Some(backend) = self.open_backend().await? else {
            // Stopped while the store still opened: what was acknowledged before is safe in its log.
            return Ok(());
        };
        // Set once: there is one store in a run.
        let _was_empty = self.health.opened.set(backend.clone());
        let served = self.serve(&backend, listeners, &addresses).await;
        self.stop(backend.store).await;
        served
    }

    /// The first signal begins the stop; the second ends the process.
    fn watch_signals(&self) -> Result<(), Error> {
        let failed = |source| Error::Machine {
            action: "watch for signals",
            source,
        };
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let shutdown = self.shutdown.clone();
        self.last_tasks.spawn(async move {
            let name = next_signal(&mut terminate, &mut interrupt).await;
            tracing::info!(signal = name, "stopping; a second signal ends at once");
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

    fn warn_of_risks(&self, listeners: &Listeners) {
        let open = listeners.open_to_others();
        if !open.is_empty() {
            let addresses: Vec<String> = open.iter().map(ToString::to_string).collect();
            let addresses = addresses.join(" ");
            tracing::warn!(
                addresses,
                "open to other machines without authentication; listen.host narrows it"
            );
        }
        let level = self.settings.config.store.acknowledge;
        if level == Acknowledge::Memory {
            tracing::warn!("store.acknowledge is memory: a crash loses spans that were accepted");
        }
    }

    fn register_facts(&self) {
        crate::process_metrics::register(&self.seams.metrics, &*self.seams.clock);
        let level = self.settings.config.store.acknowledge.print();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.seams.metrics.register(|registry| {
            registry.register(
                "trackway_build",
                "The program",
                Info::new(vec![("version", version)]),
            );
            let level = Info::new(vec![("level", level)]);
            registry.register(
                "trackway_store_acknowledge",
                "What an accepted request promises",
                level,
            );
        });
    }

    /// Serves the health ports on tasks of their own, from now until the very end.
    fn serve_health(&self, listeners: &mut Listeners) {
        let state = AdminState {
            metrics: self.seams.metrics.clone(),
            clock: Arc::clone(&self.seams.clock),
            health: Arc::clone(&self.health) as Arc<dyn Health>,
            pins: Arc::clone(&self.health) as Arc<dyn Pins>,
        };
        let health = Arc::clone(&self.health);
        // Gauges that are read off the store's state are set when somebody asks for them.
        let admin =
            serve::admin_router(state.clone()).layer(map_request(move |request: Request| {
                if let Some(store) = health
                    .opened
                    .get()
                    .and_then(|backend| backend.store.as_ref())
                    .filter(|_| request.uri().path() == "/metrics")
                {
                    store.refresh_metrics();
                }
                std::future::ready(request)
            }));
        let doors = [
            (admin, listeners.take("admin")),
            (serve::health_router(state), listeners.take("health")),
        ];
        for (router, sockets) in doors {
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
                    serve::serve_http(router, sockets, limits, shutdown, tasks).await
                {
                    tracing::error!(%error, "a health port ended");
                }
            });
        }
    }

    /// Opens the store that the configuration names; `None` when the stop comes first.
    async fn open_backend(&self) -> Result<Option<Backend>, Error> {
        match self.settings.config.backend.kind {
            BackendKind::Embedded => Ok(self.open_store().await?.map(Backend::of_store)),
            BackendKind::Remote => {
                let (config, metrics) = (self.settings.config.clone(), self.seams.metrics.clone());
                let pool = start_pool("trackway-remote")?;
                let opening = tokio::task::spawn_blocking(move || {
                    Backend::of_remote(&config, pool, &metrics)
                });
                match opening.await {
                    Ok(opened) => opened.map(Some),
                    Err(panicked) => Err(Error::Store(format!(
                        "the remote store could not be prepared: {panicked}"
                    ))),
                }
            }
        }
    }

    /// Opens the store on a thread that may block; `None` when the stop comes first.
    async fn open_store(&self) -> Result<Option<Store>, Error> {
        let (config, seams) = (self.settings.config.clone(), self.seams.clone());
        let health = Arc::clone(&self.health);
        let opening = tokio::task::spawn_blocking(move || {
            keep::open(&config, &seams, &|progress| {
                health.set(State::Starting(progress));
            })
        });
        tokio::select! {
            opened = opening => match opened {
                Ok(opened) => opened.map(Some),
                Err(panicked) => Err(Error::Store(format!("the store could not be opened: {panicked}"))),
            },
            () = self.shutdown.begun() => Ok(None),
        }
    }

    async fn serve(
        &self,
        backend: &Backend,
        mut listeners: Listeners,
        addresses: &Addresses,
    ) -> Result<(), Error> {
        let config = &self.settings.config;
        let pool = start_pool("trackway-cpu")?;
        let tenant = TenantId::default();
        let memory = keep::memory_limit_bytes(config);
        let tail = Tail::default();
        let loaded = strategies::load(&config.sampling).map_err(Error::Usage)?;
        let strategies = Arc::clone(&loaded.0) as Arc<dyn Strategies>;
        let parts = receive::ReceiverParts {
            pool: pool.clone(),
            budget: ByteBudget::new(memory / 4),
            clock: Arc::clone(&self.seams.clock),
            metrics: &self.seams.metrics,
            limits: receive_limits(config),
            tenant: tenant.clone(),
            strategies: Arc::clone(&strategies),
        };
        let writer = TailedWriter {
            writer: Arc::clone(&backend.writer),
            tail: tail.clone(),
        };
        let receiver = receive::Receiver::new(Arc::new(writer), parts);
        let query = Arc::new(Query::with_limits(
            Arc::clone(&backend.reader),
            query_limits(config, memory),
        ));
        let ui = serve::ui_router(UiParts {
            query: Arc::clone(&query),
            clock: Arc::clone(&self.seams.clock),
            pool: pool.clone(),
            tenant: tenant.clone(),
            program: Arc::new(self.web_program(backend, &receiver, addresses)),
            tail,
            shutdown: self.shutdown.clone(),
            options: ui_options(config),
        });
        let services = serve::jaeger_services(
            query,
            ServeParts {
                clock: Arc::clone(&self.seams.clock),
                metrics: &self.seams.metrics,
                pool,
                tenant,
                pins: Arc::clone(&self.health) as Arc<dyn Pins>,
                options: jaeger_options(config),
                ui,
                app: web::app_options(config, addresses)?,
            },
        );
        let (stop, tasks) = (|| self.shutdown.clone(), || self.tasks.clone());
        let answer = |router, listeners| {
            serve::serve_http(router, listeners, http_limits(config), stop(), tasks())
        };
        let storage = self.storage_router(backend, &receiver, services.storage);
        let stored = answer(storage, listeners.take("storage_grpc"));
        let answers = answer(services.http, listeners.take("query_http"));
        let calls = answer(services.grpc, listeners.take("query_grpc"));
        let sampling = serve::sampling_router(strategies);
        let told = answer(sampling, listeners.take("sampling_http"));
        let watched = strategies::watch(loaded, config.sampling.clone(), stop());
        self.tasks.spawn(watched);
        self.health.set(State::Serving(Arc::clone(&backend.writer)));
        self.tell_ready(addresses)?;
        let (received, stored, told, answers, calls, kept) = tokio::join!(
            self.receive(receiver, &mut listeners),
            self.guard(stored),
            self.guard(told),
            self.guard(answers),
            self.guard(calls),
            self.watch_store(backend)
        );
        let ended = [received, stored, told, answers, calls, kept];
        ended.into_iter().collect()
    }

    /// What a store for Jaeger serves: `serve` answers the calls that read, `receive` those that write.
    fn storage_router(
        &self,
        backend: &Backend,
        receiver: &Arc<receive::Receiver>,
        reads: Router,
    ) -> Router {
        let archive = ArchiveWriter {
            writer: Arc::clone(&backend.writer),
            reader: Arc::clone(&backend.reader),
            pins: Arc::clone(&backend.pins),
        };
        let writes = receive::StorageWrites::new(
            Arc::clone(receiver),
            Arc::new(archive),
            &self.shutdown,
            &self.tasks,
        );
        receive::StorageWrites::PATHS
            .into_iter()
            .fold(reads, |router, path| {
                let writes = writes.clone();
                let take = move |request: Request| {
                    let writes = writes.clone();
                    async move { writes.answer(request).await.map(Body::new) }
                };
                router.route(path, any(take))
            })
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

    /// Waits for the stop; a store that can keep nothing any more begins it.
    async fn watch_store(&self, backend: &Backend) -> Result<(), Error> {
        if let Some(remote) = &backend.remote {
            remote.watch(self.shutdown.clone()).await;
        }
        let Some(store) = &backend.store else {
            return Ok(());
        };
        while tokio::time::timeout(STORE_WATCH_PERIOD, self.shutdown.begun())
            .await
            .is_err()
        {
            if store.has_failed() {
                self.shutdown.begin();
                let text = "the store can keep nothing any more; look at the log and the disk, then start again";
                return Err(Error::Store(text.to_owned()));
            }
        }
        Ok(())
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

    fn tell_ready(&self, addresses: &Addresses) -> Result<(), Error> {
        let config = &self.settings.config;
        let mut out = std::io::stdout();
        let is_terminal = out.is_terminal();
        // A person reads the same in the banner.
        for (listener, address) in addresses.iter().filter(|_| !is_terminal) {
            tracing::info!(listener, %address, "listening");
        }
        let data_dir = data_place(config);
        tracing::info!(data_dir, accepted_means = promise(config), "ready");
        if let (false, Some(next)) = (is_terminal, next_step(addresses)) {
            tracing::info!("{next}");
        }
        if let Some(file) = self.addresses_file {
            write_whole(file, &addresses_line(addresses))?;
        }
        if is_terminal {
            out.write_all(banner(config, addresses, self.is_demo).as_bytes())?;
        }
        if self.is_demo {
            self.start_demo(addresses);
        }
        Ok(())
    }

    fn web_program(
        &self,
        backend: &Backend,
        receiver: &receive::Receiver,
        addresses: &Addresses,
    ) -> WebProgram {
        WebProgram {
            backend: backend.clone(),
            ledger: Arc::clone(receiver.ledger()),
            addresses: addresses.clone(),
            own_door: own_door(addresses),
            config: self.settings.config.clone(),
            clock: Arc::clone(&self.seams.clock),
            random: Arc::clone(&self.seams.random),
            started_unix_nanos: self.seams.clock.unix_nanos(),
        }
    }

    fn start_demo(&self, addresses: &Addresses) {
        let Some(server) = own_door(addresses) else {
            tracing::warn!("--demo sends over OTLP/HTTP, but listen.otlp_http is off");
            return;
        };
        let (clock, random) = (
            Arc::clone(&self.seams.clock),
            Arc::clone(&self.seams.random),
        );
        self.tasks.spawn(demo::send_traffic(
            server,
            clock,
            random,
            self.shutdown.clone(),
        ));
    }

    /// Ends what still runs, then the store, then the health ports.
    async fn stop(&self, store: Option<Store>) {
        self.shutdown.begin();
        if tokio::time::timeout(LAST_TASKS_TIMEOUT, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some requests were cut off: they were not acknowledged");
        }
        let stop = move || store.as_ref().map(Store::stop);
        let stopped = tokio::task::spawn_blocking(stop).await;
        if let Err(panicked) = stopped {
            tracing::error!(error = %panicked, "the store did not stop cleanly; its log keeps what was acknowledged");
        }
        self.last_shutdown.begin();
        tracing::info!("stopped");
    }
}

async fn next_signal(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Where this very process takes spans over OTLP/HTTP.
fn own_door(addresses: &Addresses) -> Option<Server> {
    let (_, address) = addresses.iter().find(|(name, _)| *name == "otlp_http")?;
    Server::parse(&reachable(*address), address.port()).ok()
}

/// The address at which this very process reaches a listener of its own.
fn reachable(address: std::net::SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
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

/// What an answer may take in memory.
pub(crate) fn answer_bytes_max(config: &Config, memory_bytes: u64) -> usize {
    let bytes = match config.query.answer_bytes_max {
        SizeOrAuto::Auto => memory_bytes / 4,
        SizeOrAuto::Bytes(bytes) => bytes.0,
    };
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn query_limits(config: &Config, memory_bytes: u64) -> QueryLimits {
    QueryLimits {
        answer_bytes_max: answer_bytes_max(config, memory_bytes),
        ..QueryLimits::default()
    }
}

fn jaeger_options(config: &Config) -> JaegerOptions {
    let skew = config.query.clock_skew_max.as_nanos();
    let mut options = JaegerOptions {
        search_traces_max: config.query.search_traces_max,
        answer_timeout: config.query.answer_timeout,
        ..JaegerOptions::default()
    };
    options.adjust.clock_skew_max_nanos = u64::try_from(skew).unwrap_or(u64::MAX);
    options
}

fn ui_options(config: &Config) -> UiOptions {
    let skew = config.query.clock_skew_max.as_nanos();
    UiOptions {
        clock_skew_max_nanos: u64::try_from(skew).unwrap_or(u64::MAX),
        ..UiOptions::default()
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
