//! The role that does everything in one process, on the embedded store.
//!
//! Promises
//! - Listeners come first: a taken port ends the start before the store is touched.
//! - At a stop requests under way finish, then what is in a buffer before a store of others is written for a while,
//!   then the store stops; health answers until then.
//! - The addresses are written, and readiness is told, only when everything serves.
//!
//! Read next: `listen` (sockets), `keep` (the store), `banner` (what people see).

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::map_request;
use axum::routing::any;
use model::contract::{Answer, PinError, PinnedTrace, Pins, SpanWriter};
use model::{TenantId, TraceId};
use plumbing::{ByteBudget, Shutdown};
use prometheus_client::metrics::info::Info;
use query::{Query, QueryLimits};
use sampling::{FileStrategies, Strategies};
use serve::{
    Health, JaegerOptions, JaegerServices, OwnSpans, OwnSpansOptions, ServeParts, Tail, UiOptions,
    UiParts,
};
use store::Store;

use super::{
    Ground, ProgramHealth, Serving, State, http_limits, receive_limits, run_on_runtime, start_pool,
    write_whole,
};
use crate::adaptive::{self, CountedWriter};
use crate::archive::ArchiveWriter;
use crate::backend::{Backend, data_place, promise};
use crate::banner::{banner, next_step};
use crate::config::{Acknowledge, Config, OrOff, PerSecond, Setting, Settings, SizeOrAuto};
use crate::demo;
use crate::error::Error;
use crate::gates::Gates;
use crate::keep;
use crate::listen::{Addresses, Listeners, addresses_line};
use crate::web::{self, TailedWriter, WebProgram};
use crate::{logging, machine, strategies};

/// How often the store is asked whether it has failed for good.
const STORE_WATCH_PERIOD: Duration = Duration::from_millis(250);

/// Runs everything in one process on the embedded store, until a signal ends it.
pub(crate) fn run_all_in_one(
    settings: &Settings,
    addresses_file: Option<&Path>,
    is_demo: bool,
) -> Result<(), Error> {
    logging::begin(settings);
    let role = AllInOne::new(settings, addresses_file, is_demo);
    run_on_runtime(machine::cores(), role.run())
}

/// How the program is, with what only a store can do.
#[derive(Debug)]
struct StoreHealth {
    program: Arc<ProgramHealth>,
    /// The store, once it is open.
    opened: OnceLock<Backend>,
}

impl Health for StoreHealth {
    fn started(&self) -> Result<(), String> {
        self.program.started()
    }

    fn ready(&self) -> Result<(), String> {
        self.program.ready()
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

impl StoreHealth {
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

impl Pins for StoreHealth {
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
    ground: Ground,
    health: Arc<StoreHealth>,
}

impl<'a> AllInOne<'a> {
    fn new(settings: &'a Settings, addresses_file: Option<&'a Path>, is_demo: bool) -> Self {
        let ground = Ground::new();
        let health = Arc::new(StoreHealth {
            program: Arc::clone(&ground.health),
            opened: OnceLock::new(),
        });
        Self {
            settings,
            addresses_file,
            is_demo,
            ground,
            health,
        }
    }

    async fn run(self) -> Result<(), Error> {
        self.ground.watch_signals()?;
        let mut listeners = Listeners::open(&self.settings.config.listen)?;
        let addresses = listeners.addresses();
        let gates = self.ground.gates(&self.settings.config, &listeners).await?;
        self.warn_of_risks();
        self.register_facts();
        self.serve_health(&gates, &mut listeners);
        let Some(backend) = self.open_backend().await? else {
            // Stopped while the store still opened: what was acknowledged before is safe in its log.
            return Ok(());
        };
        // Set once: there is one store in a run.
        let _was_empty = self.health.opened.set(backend.clone());
        let no_more_comes = Shutdown::new();
        let serving = async {
            let served = self.serve(&backend, &gates, listeners, &addresses).await;
            self.ground.drain().await;
            no_more_comes.begin();
            served
        };
        let drain_timeout = self.settings.config.backend.buffer.drain_timeout;
        let delivering = backend.deliver(no_more_comes.clone(), drain_timeout);
        let (served, ()) = tokio::join!(serving, delivering);
        self.stop(backend).await;
        served
    }

    fn warn_of_risks(&self) {
        let level = self.settings.config.store.acknowledge;
        if level == Acknowledge::Memory {
            tracing::warn!("store.acknowledge is memory: a crash loses spans that were accepted");
        }
    }

    fn register_facts(&self) {
        self.ground.register_program();
        let level = self.settings.config.store.acknowledge.print();
        self.ground.seams.metrics.register(|registry| {
            let level = Info::new(vec![("level", level)]);
            registry.register(
                "trackway_store_acknowledge",
                "What an accepted request promises",
                level,
            );
        });
    }

    fn serve_health(&self, gates: &Gates, listeners: &mut Listeners) {
        let state = self.ground.admin_state(&self.health);
        let health = Arc::clone(&self.health);
        // Gauges that are read off the store's state are set when somebody asks for them.
        let admin =
            serve::admin_router(state.clone()).layer(map_request(move |request: Request| {
                let is_asked = |_: &&Backend| request.uri().path() == "/metrics";
                if let Some(backend) = health.opened.get().filter(is_asked) {
                    backend.refresh_metrics();
                }
                std::future::ready(request)
            }));
        let health = serve::health_router(state);
        self.ground.serve_health(admin, health, gates, listeners);
    }

    /// Opens the store that the configuration names; `None` when the stop comes first.
    async fn open_backend(&self) -> Result<Option<Backend>, Error> {
        let config = &self.settings.config;
        match self.ground.open_others(config, Backend::guarded).await? {
            Some(backend) => Ok(Some(backend)),
            None => Ok(self.open_store().await?.map(Backend::of_store)),
        }
    }

    /// Opens the store on a thread that may block; `None` when the stop comes first.
    async fn open_store(&self) -> Result<Option<Store>, Error> {
        let (config, seams) = (self.settings.config.clone(), self.ground.seams.clone());
        let health = Arc::clone(&self.ground.health);
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
            () = self.ground.shutdown.begun() => Ok(None),
        }
    }

    async fn serve(
        &self,
        backend: &Backend,
        gates: &Gates,
        mut listeners: Listeners,
        addresses: &Addresses,
    ) -> Result<(), Error> {
        let (config, ground) = (&self.settings.config, &self.ground);
        let seams = &ground.seams;
        let pool = start_pool("trackway-cpu")?;
        let tenant = TenantId::default();
        let memory = keep::memory_limit_bytes(config);
        let tail = Tail::default();
        let writer = TailedWriter {
            writer: Arc::clone(&backend.writer),
            tail: tail.clone(),
        };
        let loaded = strategies::load(&config.sampling).map_err(Error::Usage)?;
        let (writer, strategies) = self.sampled(backend, Arc::new(writer), &loaded.0);
        let receiver = receive::Receiver::new(
            writer,
            receive::ReceiverParts {
                pool: pool.clone(),
                budget: ByteBudget::new(memory / 4),
                clock: Arc::clone(&seams.clock),
                metrics: &seams.metrics,
                limits: receive_limits(config),
                tenant: config.access.tenants.of_datagrams(),
                gate: gates.receive(),
                strategies: Arc::clone(&strategies),
                processor: ground.processor(config),
            },
        );
        let limits = query_limits(config, memory);
        let query = Arc::new(Query::with_limits(Arc::clone(&backend.reader), limits));
        let program = Arc::new(self.web_program(backend, &receiver, addresses));
        let ui = serve::ui_router(UiParts {
            query: Arc::clone(&query),
            clock: Arc::clone(&seams.clock),
            pool: pool.clone(),
            tenant: tenant.clone(),
            program,
            tail,
            shutdown: ground.shutdown.clone(),
            options: ui_options(config),
        });
        let services = serve::jaeger_services(
            query,
            ServeParts {
                clock: Arc::clone(&seams.clock),
                metrics: &seams.metrics,
                pool,
                tenant,
                pins: Arc::clone(&self.health) as Arc<dyn Pins>,
                options: jaeger_options(config),
                ui,
                app: web::app_options(config, addresses)?,
            },
        );
        let mut services = self.with_own_spans(backend, services);
        services.storage = self.storage_router(backend, &receiver, services.storage);
        let mut serving = self.answer(services, strategies, gates, &mut listeners);
        let watched = strategies::watch(loaded, config.sampling.clone(), ground.shutdown.clone());
        ground.tasks.spawn(watched);
        ground
            .health
            .set(State::serving(Arc::clone(&backend.writer)));
        self.tell_ready(gates, addresses)?;
        if self.is_demo {
            self.start_demo(&receiver);
        }
        serving.push(Box::pin(ground.receive(receiver, &mut listeners)));
        let answers = addresses.iter().any(|(name, _)| name.starts_with("query"));
        serving.push(Box::pin(self.watch_store(backend, answers)));
        let ended = futures_util::future::join_all(serving).await;
        ended.into_iter().collect()
    }

    /// Has requests recorded as spans, where that is wanted.
    fn with_own_spans(&self, backend: &Backend, services: JaegerServices) -> JaegerServices {
        let (config, ground) = (&self.settings.config.own_spans, &self.ground);
        let OrOff::On(PerSecond(per_second)) = config.per_second else {
            return services;
        };
        let options = OwnSpansOptions {
            service: config.service.0.clone(),
            per_second,
            tenant: TenantId::default(),
        };
        let (clock, random) = (&ground.seams.clock, &ground.seams.random);
        let (own, writer) = OwnSpans::new(
            options,
            Arc::clone(&backend.writer),
            Arc::clone(clock),
            Arc::clone(random),
        );
        ground.tasks.spawn(writer.run(ground.shutdown.clone()));
        JaegerServices {
            http: own.over(services.http),
            ..services
        }
    }

    /// Answers on every port that is asked, until the stop.
    fn answer(
        &self,
        services: JaegerServices,
        strategies: Arc<dyn Strategies>,
        gates: &Gates,
        listeners: &mut Listeners,
    ) -> Vec<Serving<'_>> {
        let doors = [
            ("query_http", services.http),
            ("query_grpc", services.grpc),
            ("storage_grpc", services.storage),
            (
                "sampling_http",
                serve::sampling_router(Arc::clone(&strategies)),
            ),
            ("sampling_grpc", serve::sampling_grpc_router(strategies)),
        ];
        let (config, ground) = (&self.settings.config, &self.ground);
        let mut serving: Vec<Serving<'_>> = Vec::new();
        for (name, router) in doors {
            let (stop, tasks) = (ground.shutdown.clone(), ground.tasks.clone());
            let (door, limits) = (gates.door(name), http_limits(config));
            let sockets = listeners.take(name);
            let served = serve::serve_http(router, door, sockets, limits, stop, tasks);
            serving.push(Box::pin(ground.guard(served)));
        }
        serving
    }

    /// What clients are told to record, and the writer that counts what they did where that follows the traffic.
    fn sampled(
        &self,
        backend: &Backend,
        writer: Arc<dyn SpanWriter>,
        file: &Arc<FileStrategies>,
    ) -> (Arc<dyn SpanWriter>, Arc<dyn Strategies>) {
        let config = &self.settings.config.sampling;
        let adaptive = adaptive::of(config, file).zip(backend.sampling.clone());
        let Some((adaptive, store)) = adaptive else {
            return (writer, Arc::clone(file) as Arc<dyn Strategies>);
        };
        let ground = &self.ground;
        ground.tasks.spawn(adaptive::follow(
            Arc::clone(&adaptive),
            store,
            config.adaptive.interval,
            Arc::clone(&ground.seams.clock),
            ground.shutdown.clone(),
        ));
        let counted = CountedWriter {
            inner: writer,
            adaptive: Arc::clone(&adaptive),
        };
        (Arc::new(counted), adaptive)
    }

    /// What a store for Jaeger serves: `serve` answers the calls that read, `receive` those that write.
    fn storage_router(
        &self,
        backend: &Backend,
        receiver: &Arc<receive::Receiver>,
        reads: Router,
    ) -> Router {
        let archive = ArchiveWriter {
            writer: Arc::clone(&backend.direct),
            reader: Arc::clone(&backend.reader),
            pins: Arc::clone(&backend.pins),
        };
        let writes = receive::StorageWrites::new(
            Arc::clone(receiver),
            Arc::new(archive),
            &self.ground.shutdown,
            &self.ground.tasks,
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

    /// Waits for the stop; a store or a buffer that can keep nothing any more begins it.
    async fn watch_store(&self, backend: &Backend, answers: bool) -> Result<(), Error> {
        let watching = backend.watch(answers, &self.ground.shutdown);
        let failing = async {
            while tokio::time::timeout(STORE_WATCH_PERIOD, self.ground.shutdown.begun())
                .await
                .is_err()
            {
                if backend.has_failed() {
                    self.ground.shutdown.begin();
                    let what = if backend.store.is_some() {
                        "store"
                    } else {
                        "buffer"
                    };
                    let text = format!(
                        "the {what} can keep nothing any more; look at the log and the disk, then start again"
                    );
                    return Err(Error::Store(text));
                }
            }
            Ok(())
        };
        let ((), failed) = tokio::join!(watching, failing);
        failed
    }

    fn tell_ready(&self, gates: &Gates, addresses: &Addresses) -> Result<(), Error> {
        let config = &self.settings.config;
        let mut out = std::io::stdout();
        let is_terminal = out.is_terminal();
        // A person reads the same in the banner.
        for (listener, address) in addresses.iter().filter(|_| !is_terminal) {
            tracing::info!(listener, %address, "listening");
        }
        let data_dir = data_place(config);
        tracing::info!(data_dir, accepted_means = &*promise(config), "ready");
        if let (false, Some(next)) = (is_terminal, next_step(gates, addresses)) {
            tracing::info!("{next}");
        }
        if let Some(file) = self.addresses_file {
            write_whole(file, &addresses_line(addresses))?;
        }
        if is_terminal {
            out.write_all(banner(config, gates, addresses, self.is_demo).as_bytes())?;
        }
        Ok(())
    }

    fn web_program(
        &self,
        backend: &Backend,
        receiver: &Arc<receive::Receiver>,
        addresses: &Addresses,
    ) -> WebProgram {
        WebProgram {
            backend: backend.clone(),
            receiver: Arc::clone(receiver),
            tasks: self.ground.tasks.clone(),
            addresses: addresses.clone(),
            config: self.settings.config.clone(),
            clock: Arc::clone(&self.ground.seams.clock),
            random: Arc::clone(&self.ground.seams.random),
            started_unix_nanos: self.ground.seams.clock.unix_nanos(),
        }
    }

    fn start_demo(&self, receiver: &Arc<receive::Receiver>) {
        let (clock, random) = (
            Arc::clone(&self.ground.seams.clock),
            Arc::clone(&self.ground.seams.random),
        );
        self.ground.tasks.spawn(demo::send_traffic(
            Arc::clone(receiver),
            self.ground.tasks.clone(),
            clock,
            random,
            self.ground.shutdown.clone(),
        ));
    }

    /// Keeps what is left, then ends the store, then the health ports.
    async fn stop(&self, backend: Backend) {
        backend.keep_last().await;
        let stopped = tokio::task::spawn_blocking(move || backend.stop()).await;
        if let Err(panicked) = stopped {
            tracing::error!(error = %panicked, "the store did not stop cleanly; its log keeps what was acknowledged");
        }
        self.ground.last_shutdown.begin();
        tracing::info!("stopped");
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

pub(super) fn query_limits(config: &Config, memory_bytes: u64) -> QueryLimits {
    QueryLimits {
        answer_bytes_max: answer_bytes_max(config, memory_bytes),
        ..QueryLimits::default()
    }
}

pub(super) fn jaeger_options(config: &Config) -> JaegerOptions {
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
