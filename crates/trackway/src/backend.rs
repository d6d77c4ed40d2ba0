//! Where spans are kept and found: the embedded store, or one of others.
//!
//! Promises: everything else is wired to the contracts alone; what only the embedded store has (finalising, its
//! numbers) is said to be missing where it is.

use std::sync::Arc;

use backends::elastic::{Elastic, ElasticMetrics, ElasticOptions, ElasticWriter};
use backends::kafka::{Kafka, KafkaMetrics, KafkaWriter};
use backends::remote::{Remote, RemoteOptions, RemoteWriter};
use model::contract::{Pins, SpanReader, SpanWriter};
use model::throughput::SamplingStore;
use plumbing::{CpuPool, Metrics, Shutdown};
use store::Store;
use tls::{ClientTls, TlsMetrics};

use crate::banner::accepted_means;
use crate::config::{BackendKind, Config, Setting as _, Switch};
use crate::error::Error;
use crate::{keep, roles};

/// The store of a run.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) writer: Arc<dyn SpanWriter>,
    pub(crate) reader: Arc<dyn SpanReader>,
    pub(crate) pins: Arc<dyn Pins>,
    /// Where what is counted and decided about sampling is kept, if it can be.
    pub(crate) sampling: Option<Arc<dyn SamplingStore>>,
    /// The embedded store, if it is that.
    pub(crate) store: Option<Store>,
    /// Servers of others, if it is these.
    pub(crate) servers: Option<Servers>,
}

/// Servers that keep spans, which are looked after while the program runs.
#[derive(Debug, Clone)]
pub(crate) enum Servers {
    Remote(Arc<Remote>),
    Elastic(Arc<Elastic>),
    Kafka(Arc<Kafka>),
}

impl Servers {
    /// Asks from time to time how they are, until the stop.
    pub(crate) async fn watch(&self, shutdown: Shutdown) {
        match self {
            Self::Remote(remote) => remote.watch(shutdown).await,
            Self::Elastic(elastic) => elastic.watch(shutdown).await,
            Self::Kafka(kafka) => kafka.watch(shutdown).await,
        }
    }
}

impl Backend {
    pub(crate) fn of_store(store: Store) -> Self {
        Self {
            writer: Arc::new(store.clone()),
            reader: Arc::new(store.clone()),
            pins: Arc::new(store.clone()),
            sampling: Some(Arc::new(store.clone())),
            store: Some(store),
            servers: None,
        }
    }

    /// The store of others that the configuration names; `None` where it is the embedded one. Reads files: call it
    /// where that is allowed.
    pub(crate) fn of_others(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
        metrics: &Metrics,
    ) -> Result<Option<Self>, Error> {
        match config.backend.kind {
            BackendKind::Embedded => Ok(None),
            BackendKind::Remote => Self::of_remote(config, pool, tls).map(Some),
            BackendKind::Elasticsearch => Self::of_elastic(config, pool, tls, metrics).map(Some),
            BackendKind::Kafka => Self::of_kafka(config, pool, metrics).map(Some),
        }
    }

    /// Prepares calls to a server, which need not be there yet. Reads files: call it where that is allowed.
    fn of_remote(config: &Config, pool: CpuPool, tls: &TlsMetrics) -> Result<Self, Error> {
        let chosen = &config.backend.remote;
        let tls = match chosen.endpoint.is_tls() {
            true => {
                let tls = ClientTls::load("backend.remote", &chosen.tls_files(), tls);
                let wrong = |error| Error::Usage(format!("backend.remote.tls: {error}"));
                Some(tls.map_err(wrong)?)
            }
            false => None,
        };
        let memory = keep::memory_limit_bytes(config);
        let options = RemoteOptions {
            endpoint: chosen.endpoint.authority().to_owned(),
            tls,
            timeout: chosen.timeout,
            token: chosen.token().map_err(Error::Usage)?,
            answer_bytes_max: roles::answer_bytes_max(config, memory),
            search_traces_max: chosen.search_traces_max,
        };
        let remote = Remote::new(options, pool);
        let remote = remote.map_err(|error| Error::Usage(format!("backend.remote: {error}")))?;
        let remote = Arc::new(remote);
        let writer = RemoteWriter(Arc::clone(&remote));
        Ok(Self {
            writer: Arc::new(writer.clone()),
            reader: Arc::clone(&remote) as Arc<dyn SpanReader>,
            pins: Arc::new(writer),
            sampling: None,
            store: None,
            servers: Some(Servers::Remote(remote)),
        })
    }

    /// Kafka, which spans go to on their way to a store.
    fn of_kafka(config: &Config, pool: CpuPool, metrics: &Metrics) -> Result<Self, Error> {
        let options = config.backend.kafka.options().map_err(Error::Usage)?;
        let kafka = Arc::new(Kafka::new(options, pool, KafkaMetrics::register(metrics)));
        let writer = KafkaWriter(Arc::clone(&kafka));
        Ok(Self {
            writer: Arc::new(writer.clone()),
            reader: Arc::clone(&kafka) as Arc<dyn SpanReader>,
            pins: Arc::new(writer),
            sampling: None,
            store: None,
            servers: Some(Servers::Kafka(kafka)),
        })
    }

    /// The store in Elasticsearch or OpenSearch.
    fn of_elastic(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let elastic = Self::elastic(config, pool, tls, metrics)?;
        let writer = ElasticWriter(Arc::clone(&elastic));
        Ok(Self {
            writer: Arc::new(writer.clone()),
            reader: Arc::clone(&elastic) as Arc<dyn SpanReader>,
            pins: Arc::new(writer),
            sampling: None,
            store: None,
            servers: Some(Servers::Elastic(elastic)),
        })
    }

    /// Prepares requests to Elasticsearch or OpenSearch, which need not be there yet. Reads files.
    pub(crate) fn elastic(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
        metrics: &Metrics,
    ) -> Result<Arc<Elastic>, Error> {
        let chosen = &config.backend.elasticsearch;
        let tls = match chosen.is_tls() {
            true => {
                let tls = ClientTls::load("backend.elasticsearch", &chosen.tls_files(), tls);
                let wrong = |error| Error::Usage(format!("backend.elasticsearch.tls: {error}"));
                Some(tls.map_err(wrong)?)
            }
            false => None,
        };
        let memory = keep::memory_limit_bytes(config);
        let options = ElasticOptions {
            hosts: chosen.hosts.0.clone(),
            index_prefix: chosen.index_prefix.0.clone(),
            rotation: chosen.rotation.of_indices(),
            timeout: chosen.timeout,
            tls,
            credentials: chosen.credentials().map_err(Error::Usage)?,
            shards: chosen.shards,
            replicas: chosen.replicas,
            creates_templates: chosen.create_templates == Switch::On,
            layout: chosen.layout(),
            answer_bytes_max: roles::answer_bytes_max(config, memory),
            search_traces_max: chosen.search_traces_max,
        };
        let elastic = Elastic::new(options, pool, ElasticMetrics::register(metrics));
        let elastic =
            elastic.map_err(|error| Error::Usage(format!("backend.elasticsearch: {error}")))?;
        Ok(Arc::new(elastic))
    }
}

/// Where spans are, for people.
pub(crate) fn data_place(config: &Config) -> String {
    match config.backend.kind {
        BackendKind::Embedded => config.store.dir.display().to_string(),
        BackendKind::Remote => format!("the remote store at {}", config.backend.remote.endpoint.0),
        BackendKind::Elasticsearch => {
            format!(
                "Elasticsearch at {}",
                config.backend.elasticsearch.hosts.print()
            )
        }
        BackendKind::Kafka => kafka_place(config),
    }
}

/// Where messages with spans are, for people.
pub(crate) fn kafka_place(config: &Config) -> String {
    let chosen = &config.backend.kafka;
    format!(
        "topic {} of Kafka at {}",
        chosen.topic.print(),
        chosen.brokers.print()
    )
}

/// What a sender may rely on.
pub(crate) fn promise(config: &Config) -> &'static str {
    match config.backend.kind {
        BackendKind::Embedded => accepted_means(config.store.acknowledge),
        BackendKind::Remote => "acknowledged by the remote store: kept as well as it keeps spans",
        BackendKind::Elasticsearch => {
            "acknowledged by Elasticsearch, document by document: kept as well as it keeps them"
        }
        BackendKind::Kafka => {
            "acknowledged by all replicas in sync of Kafka; found once an ingester has taken it"
        }
    }
}
