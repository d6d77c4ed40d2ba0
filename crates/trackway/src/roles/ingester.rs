//! The role between Kafka and a store: reads messages and has the store keep their spans.
//!
//! Promises
//! - Only the health ports are open. Ready means that messages are read and kept.
//! - At a stop what is being written is waited for, and told to Kafka when it is kept; others read the rest again.
//!
//! Read next: `backends::kafka` (what is read, and when that is told).

use std::path::Path;
use std::sync::Arc;

use backends::kafka::{IngestMetrics, Ingester, Kafka, KafkaMetrics};

use super::storeless::StorelessHealth;
use super::{Ground, State, run_on_runtime, start_pool, write_whole};
use crate::backend::{Backend, data_place, kafka_place};
use crate::config::Settings;
use crate::error::Error;
use crate::listen::{Listeners, addresses_line};
use crate::{logging, machine};

/// What is said to who asks for a store.
const NO_STORE: &str = "an ingester only writes to its store; ask trackway query";

/// Reads and writes until a signal ends it.
pub(crate) fn run_ingester(
    settings: &Settings,
    addresses_file: Option<&Path>,
) -> Result<(), Error> {
    logging::begin(settings);
    run_on_runtime(machine::cores(), run(settings, addresses_file))
}

async fn run(settings: &Settings, addresses_file: Option<&Path>) -> Result<(), Error> {
    let config = &settings.config;
    let ground = Ground::new();
    ground.watch_signals()?;
    let mut listeners = Listeners::open(&config.listen)?;
    let addresses = listeners.addresses();
    let gates = ground.gates(config, &listeners).await?;
    ground.register_program();
    let health = Arc::new(StorelessHealth {
        program: Arc::clone(&ground.health),
        no_store: NO_STORE,
    });
    let state = ground.admin_state(&health);
    let admin = serve::admin_router(state.clone());
    ground.serve_health(admin, serve::health_router(state), &gates, &mut listeners);
    // It waits for its store by itself, and what waits lies in Kafka.
    let as_it_is = |backend, _: &_, _, _: &_| Ok(backend);
    let Some(backend) = ground.open_others(config, as_it_is).await? else {
        return Err(Error::Usage(
            "an ingester writes to a store of others, and backend.kind is embedded".to_owned(),
        ));
    };
    let ingester = Arc::new(ingester(settings, &ground, &backend)?);
    let readiness = Arc::clone(&ingester);
    let serving = State::Serving(Arc::new(move || readiness.readiness()));
    ground.health.set(serving);
    for (listener, address) in &addresses {
        tracing::info!(listener, %address, "listening");
    }
    let (from, to) = (kafka_place(config), data_place(config));
    tracing::info!(from, to, "ready");
    if let Some(file) = addresses_file {
        write_whole(file, &addresses_line(&addresses))?;
    }
    let watching = backend.watch(false, &ground.shutdown);
    tokio::join!(ingester.run(ground.shutdown.clone()), watching);
    ground.drain().await;
    backend.keep_last().await;
    ground.last_shutdown.begin();
    tracing::info!("stopped");
    Ok(())
}

fn ingester(settings: &Settings, ground: &Ground, backend: &Backend) -> Result<Ingester, Error> {
    let options = settings.config.backend.kafka.options();
    let options = options.map_err(Error::Usage)?;
    let metrics = &ground.seams.metrics;
    let pool = start_pool("trackway-cpu")?;
    // Nothing but dead letters is sent, which the ingester counts by itself.
    let kafka = Kafka::new(options, pool, KafkaMetrics::default());
    Ok(Ingester::new(
        Arc::new(kafka),
        Arc::clone(&backend.writer),
        IngestMetrics::register(metrics),
    ))
}
