//! The role beside an application: takes its spans, keeps them on the disk, delivers them to collectors.
//!
//! Promises
//! - Only the doors of applications are open, on this machine alone unless the configuration says otherwise.
//! - Ready means that spans are taken, whether a collector is there or not: that is what the buffer is for.
//! - At a stop requests under way finish, then what is in the buffer is delivered for a while; the rest waits there.
//!
//! Read next: `sink` (buffer and delivery), `whereabouts` (attributes), `remote_strategies` (sampling).

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::map_request;
use codec::otlp::ResourceAttributes;
use journal::Level;
use model::TenantId;
use plumbing::{ByteBudget, CpuPool, Shutdown};
use sampling::Strategies;
use sink::{BufferOptions, Collectors, Compression, DeliveryOptions, Sink, SinkParts, Token};
use tls::{ClientTls, RELOAD_INTERVAL};

use super::storeless::StorelessHealth;
use super::{
    Ground, POOL_QUEUE_JOBS_MAX, State, http_limits, receive_limits, run_on_runtime, write_whole,
};
use crate::config::{Acknowledge, Agent as AgentConfig, OrOff, SendCompression, Settings, Switch};
use crate::error::Error;
use crate::gates::Gates;
use crate::listen::{Addresses, Listeners, addresses_line};
use crate::remote_strategies::{self, RemoteStrategies};
use crate::{keep, logging, whereabouts};

/// How often the sink is asked whether it has failed for good.
const WATCH_PERIOD: Duration = Duration::from_millis(250);
/// How often the file with the token is looked at again.
const TOKEN_INTERVAL: Duration = Duration::from_secs(10);
/// A longer file holds no token.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;
/// One for sockets and one for decoding do what an agent has to do.
const THREADS: usize = 1;

/// Runs the agent until a signal ends it.
pub(crate) fn run_agent(settings: &Settings, addresses_file: Option<&Path>) -> Result<(), Error> {
    let config = &settings.config.agent;
    if config.collectors.0.is_empty() {
        let text = "no collector is named; write --collector HOST:PORT or set agent.collectors, such as collector:4317";
        return Err(Error::Usage(text.to_owned()));
    }
    if settings.config.tail_sampling.judge().is_some() {
        let text = "tail_sampling is configured, and an agent keeps no whole traces; configure it where the store is";
        return Err(Error::Usage(text.to_owned()));
    }
    if settings.config.access.tenants.tenancy().is_some() {
        let text = "access.tenants is configured, and an agent is of one tenant: agent.headers names it, such as \
                    x-tenant=team-a";
        return Err(Error::Usage(text.to_owned()));
    }
    logging::begin(settings);
    let ground = Ground::new();
    let health = Arc::new(StorelessHealth {
        program: Arc::clone(&ground.health),
        no_store: NO_STORE,
    });
    let agent = Agent {
        settings,
        addresses_file,
        ground,
        health,
        opened: Arc::default(),
    };
    run_on_runtime(THREADS, agent.run())
}

/// What is said to who asks for a store.
const NO_STORE: &str = "an agent has no store; ask the program that has";

struct Agent<'a> {
    settings: &'a Settings,
    addresses_file: Option<&'a Path>,
    ground: Ground,
    health: Arc<StorelessHealth>,
    /// The sink, once it is open.
    opened: Arc<OnceLock<Arc<Sink>>>,
}

impl Agent<'_> {
    async fn run(self) -> Result<(), Error> {
        self.ground.watch_signals()?;
        let mut listeners = Listeners::open(&self.settings.config.listen)?;
        let addresses = listeners.addresses();
        let config = &self.settings.config;
        let gates = self.ground.gates(config, &listeners).await?;
        self.ground.register_program();
        self.serve_health(&gates, &mut listeners);
        let pool = start_pool()?;
        let delivery = self.delivery_options().await?;
        let asking = self.asking_options(&delivery);
        let sink = self.open_sink(delivery, pool.clone()).await?;
        // Set once: there is one sink in a run.
        let _was_empty = self.opened.set(Arc::clone(&sink));
        let served = self
            .serve(&sink, asking, pool, (&gates, listeners), &addresses)
            .await;
        let stopping = Arc::clone(&sink);
        let stopped = tokio::task::spawn_blocking(move || stopping.stop()).await;
        if let Err(panicked) = stopped {
            tracing::error!(error = %panicked, "the buffer did not stop cleanly; it keeps what was acknowledged");
        }
        self.ground.last_shutdown.begin();
        let waiting_spans = sink.waiting_spans();
        tracing::info!(waiting_spans, "stopped");
        served
    }

    fn serve_health(&self, gates: &Gates, listeners: &mut Listeners) {
        let state = self.ground.admin_state(&self.health);
        let opened = Arc::clone(&self.opened);
        let admin =
            serve::admin_router(state.clone()).layer(map_request(move |request: Request| {
                if let Some(sink) = opened.get().filter(|_| request.uri().path() == "/metrics") {
                    sink.refresh_metrics();
                }
                std::future::ready(request)
            }));
        let health = serve::health_router(state);
        self.ground.serve_health(admin, health, gates, listeners);
    }

    /// Where is delivered and how, with the token and the certificates as they are now.
    async fn delivery_options(&self) -> Result<DeliveryOptions, Error> {
        let config = &self.settings.config.agent;
        let token = Token::default();
        if let OrOff::On(file) = &config.token_file {
            let text = read_token(file.clone()).await.map_err(Error::Usage)?;
            if !token.set_bearer(&text) {
                let file = file.display();
                return Err(Error::Usage(format!(
                    "agent.token_file: {file} holds no token"
                )));
            }
            let (token, file, stop) = (
                token.clone(),
                file.clone(),
                self.ground.last_shutdown.clone(),
            );
            self.ground
                .last_tasks
                .spawn(watch_token(token, file, text, stop));
        }
        let tls = match config.tls.enabled {
            Switch::Off if config.token_file != OrOff::Off => {
                tracing::warn!(
                    "the token of agent.token_file is sent without TLS, so everybody on the way can read it; \
                     agent.tls.enabled=on protects it"
                );
                None
            }
            Switch::Off => None,
            Switch::On => Some(self.client_tls(config).await?),
        };
        Ok(DeliveryOptions {
            collectors: config.collectors.0.clone(),
            headers: config.headers.0.clone(),
            token,
            tls,
            compression: match config.compression {
                SendCompression::Zstd => Compression::Zstd,
                SendCompression::Gzip => Compression::Gzip,
                SendCompression::None => Compression::None,
            },
            request_bytes_max: config.request.bytes_max.0,
            request_delay: config.request.delay,
            requests_max: config.request.in_flight_max,
            timeout: config.retry.timeout,
            pause_min: config.retry.pause_min,
            pause_max: config.retry.pause_max,
            resolve_interval: config.resolve_interval,
            ..DeliveryOptions::default()
        })
    }

    /// Where strategies are asked for, when it is not where spans are delivered.
    fn asking_options(&self, delivery: &DeliveryOptions) -> Option<DeliveryOptions> {
        let collectors = &self.settings.config.agent.sampling.collectors.0;
        (!collectors.is_empty()).then(|| DeliveryOptions {
            collectors: collectors.clone(),
            ..delivery.clone()
        })
    }

    async fn client_tls(&self, config: &AgentConfig) -> Result<ClientTls, Error> {
        let files = config.tls_files();
        let metrics = self.ground.tls.clone();
        let load = move || ClientTls::load("agent", &files, &metrics);
        let loaded = tokio::task::spawn_blocking(load).await;
        let loaded = loaded.map_err(|panicked| Error::Usage(format!("agent.tls: {panicked}")))?;
        let tls = loaded.map_err(|error| Error::Usage(format!("agent.tls: {error}")))?;
        let stop = self.ground.last_shutdown.clone();
        let watched = tls.clone().watch(RELOAD_INTERVAL, stop);
        self.ground.last_tasks.spawn(watched);
        Ok(tls)
    }

    async fn open_sink(
        &self,
        delivery: DeliveryOptions,
        pool: CpuPool,
    ) -> Result<Arc<Sink>, Error> {
        let (config, seams) = (
            self.settings.config.agent.clone(),
            self.ground.seams.clone(),
        );
        let tasks = self.ground.last_tasks.clone();
        let opening = tokio::task::spawn_blocking(move || {
            let buffer = BufferOptions {
                dir: config.buffer.dir.clone(),
                bytes_max: config.buffer.bytes_max.0,
                level: match config.buffer.acknowledge {
                    Acknowledge::PageCache => Level::PageCache,
                    Acknowledge::Sync | Acknowledge::Memory => Level::Sync,
                },
            };
            let parts = SinkParts {
                clock: Arc::clone(&seams.clock),
                random: Arc::clone(&seams.random),
                metrics: &seams.metrics,
                pool,
                attributes: ResourceAttributes::new(&attributes(&config)),
                tasks,
            };
            Sink::open(&buffer, &delivery, parts).map(Arc::new)
        });
        let opened = opening
            .await
            .map_err(|panicked| Error::Store(panicked.to_string()))?;
        opened.map_err(|error| keep::failed(&error))
    }

    async fn serve(
        &self,
        sink: &Arc<Sink>,
        asking: Option<DeliveryOptions>,
        pool: CpuPool,
        (gates, mut listeners): (&Gates, Listeners),
        addresses: &Addresses,
    ) -> Result<(), Error> {
        let (config, ground) = (&self.settings.config, &self.ground);
        let last_stop = || ground.last_shutdown.clone();
        let strategies = self.strategies(sink, asking);
        let receiver = receive::Receiver::new(
            Arc::clone(sink) as Arc<dyn model::contract::SpanWriter>,
            receive::ReceiverParts {
                pool,
                budget: ByteBudget::new(keep::memory_limit_bytes(config) / 2),
                clock: Arc::clone(&ground.seams.clock),
                metrics: &ground.seams.metrics,
                limits: receive_limits(config),
                tenant: TenantId::default(),
                gate: gates.receive(),
                strategies: Arc::clone(&strategies) as Arc<dyn Strategies>,
                processor: ground.processor(config),
            },
        );
        let looked_up = sink.collectors().clone().run(last_stop());
        ground.last_tasks.spawn(looked_up);
        let told = serve::serve_http(
            remote_strategies::router(&strategies),
            gates.door("sampling_http"),
            listeners.take("sampling_http"),
            http_limits(config),
            ground.shutdown.clone(),
            ground.tasks.clone(),
        );
        let told_calls = serve::serve_http(
            serve::sampling_grpc_router(strategies),
            gates.door("sampling_grpc"),
            listeners.take("sampling_grpc"),
            http_limits(config),
            ground.shutdown.clone(),
            ground.tasks.clone(),
        );
        ground
            .health
            .set(State::serving(Arc::clone(sink) as Arc<_>));
        self.tell_ready(addresses)?;
        let no_more_comes = Shutdown::new();
        let receiving = async {
            let (received, told, told_calls, kept) = tokio::join!(
                ground.receive(receiver, &mut listeners),
                ground.guard(told),
                ground.guard(told_calls),
                self.watch_sink(sink)
            );
            ground.drain().await;
            no_more_comes.begin();
            received.and(told).and(told_calls).and(kept)
        };
        let delivering = sink.deliver(no_more_comes.clone(), config.agent.drain_timeout);
        let (served, ()) = tokio::join!(receiving, delivering);
        served
    }

    fn strategies(&self, sink: &Sink, asking: Option<DeliveryOptions>) -> Arc<RemoteStrategies> {
        let (config, ground) = (&self.settings.config, &self.ground);
        let seams = &ground.seams;
        let collectors = match asking {
            None => sink.collectors().clone(),
            Some(options) => {
                let (clock, random) = (Arc::clone(&seams.clock), Arc::clone(&seams.random));
                let asked = Collectors::to_ask(options, clock, random, ground.last_tasks.clone());
                let looked_up = asked.clone().run(ground.last_shutdown.clone());
                ground.last_tasks.spawn(looked_up);
                asked
            }
        };
        RemoteStrategies::new(
            collectors,
            Arc::clone(&seams.clock),
            config.agent.sampling.refresh,
            config.sampling.default_probability.0,
        )
    }

    /// Waits for the stop; a buffer that can keep nothing any more begins it.
    async fn watch_sink(&self, sink: &Sink) -> Result<(), Error> {
        let shutdown = &self.ground.shutdown;
        while tokio::time::timeout(WATCH_PERIOD, shutdown.begun())
            .await
            .is_err()
        {
            if sink.has_failed() {
                shutdown.begin();
                let text = "the buffer can keep nothing any more; look at the log and the disk, then start again";
                return Err(Error::Store(text.to_owned()));
            }
        }
        Ok(())
    }

    fn tell_ready(&self, addresses: &Addresses) -> Result<(), Error> {
        let config = &self.settings.config.agent;
        for (listener, address) in addresses {
            tracing::info!(listener, %address, "listening");
        }
        let collectors: Vec<String> = config
            .collectors
            .0
            .iter()
            .map(sink::Target::authority)
            .collect();
        let (collectors, buffer) = (collectors.join(" "), config.buffer.dir.display());
        tracing::info!(collectors, %buffer, "ready");
        match self.addresses_file {
            Some(file) => write_whole(file, &addresses_line(addresses)),
            None => Ok(()),
        }
    }
}

fn start_pool() -> Result<CpuPool, Error> {
    let pool = CpuPool::start("trackway-cpu", THREADS, POOL_QUEUE_JOBS_MAX);
    pool.map_err(|source| Error::Machine {
        action: "start threads",
        source,
    })
}

/// What resources are given: what the configuration says comes before what was found.
fn attributes(config: &AgentConfig) -> Vec<(String, String)> {
    let variable = |name: &str| std::env::var(name).ok();
    let mut attributes = config.attributes.filled(variable);
    if config.detect == Switch::On {
        let pod_info_dir = match &config.pod_info_dir {
            OrOff::On(dir) => Some(dir.as_path()),
            OrOff::Off => None,
        };
        attributes.extend(whereabouts::attributes(
            Path::new("/"),
            variable,
            pod_info_dir,
        ));
    }
    attributes
}

/// Looks at the token's file again and again until the stop.
async fn watch_token(token: Token, file: PathBuf, mut last: String, stop: Shutdown) {
    let mut complaint = String::new();
    while tokio::time::timeout(TOKEN_INTERVAL, stop.begun())
        .await
        .is_err()
    {
        let why = match read_token(file.clone()).await {
            Ok(text) if text == last => continue,
            Ok(text) if token.set_bearer(&text) => {
                tracing::info!(file = %file.display(), "the token was read again");
                last = text;
                complaint.clear();
                continue;
            }
            Ok(_) => format!("agent.token_file: {} holds no token", file.display()),
            Err(why) => why,
        };
        if complaint != why {
            tracing::warn!(why, "the token stays as it was");
            complaint = why;
        }
    }
}

async fn read_token(file: PathBuf) -> Result<String, String> {
    let read = move || {
        let failed =
            |why: std::io::Error| format!("agent.token_file: can't read {}: {why}", file.display());
        let bytes = std::fs::metadata(&file).map_err(failed)?.len();
        if bytes == 0 || bytes > TOKEN_BYTES_MAX {
            return Err(format!(
                "agent.token_file: {} holds no token",
                file.display()
            ));
        }
        std::fs::read_to_string(&file).map_err(failed)
    };
    let reading = tokio::task::spawn_blocking(read);
    reading.await.unwrap_or_else(|ended| Err(ended.to_string()))
}
