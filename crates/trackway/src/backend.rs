//! Where spans are kept and found: the embedded store, or one of others, with a buffer before it or without.
//!
//! Promises: everything else is wired to the contracts alone; what only the embedded store has (finalising, its
//! numbers) is said to be missing where it is. Who writes to a store of others by themselves does it behind a circuit
//! breaker ([`Backend::guarded`]).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use backends::cassandra::{Cassandra, CassandraMetrics, CassandraOptions, CassandraWriter};
use backends::elastic::{Elastic, ElasticMetrics, ElasticOptions, ElasticWriter};
use backends::kafka::{Kafka, KafkaMetrics, KafkaWriter};
use backends::remote::{Remote, RemoteOptions, RemoteWriter};
use backends::sums::{CountingWriter, Ledger, Sums, SumsMetrics, SumsParts};
use journal::Level;
use model::contract::{Pins, SpanReader, SpanWriter};
use model::throughput::SamplingStore;
use plumbing::{CpuPool, Metrics, Shutdown};
use sink::{BufferOptions, BufferedParts, BufferedWriter, GuardOptions, GuardedWriter, Pauses};
use store::Store;
use tls::{ClientTls, TlsMetrics};

use crate::banner::accepted_means;
use crate::config::{Acknowledge, BackendKind, Config, OrOff, Setting as _, Switch};
use crate::error::Error;
use crate::keep::{self, Seams};
use crate::roles;

/// A write is made of several requests to a server, and tried again for one of its timeouts.
const WRITE_TIMEOUTS: u32 = 4;

/// The store of a run.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) writer: Arc<dyn SpanWriter>,
    /// The same without the buffer: for who asks for the spans right after.
    pub(crate) direct: Arc<dyn SpanWriter>,
    /// The buffer before the store, if there is one.
    pub(crate) buffer: Option<Arc<BufferedWriter>>,
    pub(crate) reader: Arc<dyn SpanReader>,
    pub(crate) pins: Arc<dyn Pins>,
    /// Where what is counted and decided about sampling is kept, if it can be.
    pub(crate) sampling: Option<Arc<dyn SamplingStore>>,
    /// The embedded store, if it is that.
    pub(crate) store: Option<Store>,
    /// Servers of others, if it is these.
    pub(crate) servers: Option<Servers>,
    /// Counts by minute, where the store has its own by that.
    pub(crate) sums: Option<Arc<Sums>>,
}

/// Servers that keep spans, which are looked after while the program runs.
#[derive(Debug, Clone)]
pub(crate) enum Servers {
    Remote(Arc<Remote>),
    Elastic(Arc<Elastic>),
    Cassandra(Arc<Cassandra>),
    Kafka(Arc<Kafka>),
}

impl Servers {
    /// Asks from time to time how they are, until the stop.
    pub(crate) async fn watch(&self, shutdown: Shutdown) {
        match self {
            Self::Remote(remote) => remote.watch(shutdown).await,
            Self::Elastic(elastic) => elastic.watch(shutdown).await,
            Self::Cassandra(cassandra) => cassandra.watch(shutdown).await,
            Self::Kafka(kafka) => kafka.watch(shutdown).await,
        }
    }
}

impl Backend {
    /// Looks after what is beside the spans until the stop: how servers are, and counts by minute, which only those
    /// processes finish that answer questions.
    pub(crate) async fn watch(&self, answers: bool, shutdown: &Shutdown) {
        let servers = async {
            if let Some(servers) = &self.servers {
                servers.watch(shutdown.clone()).await;
            }
        };
        let keeping = async {
            if let Some(sums) = &self.sums {
                sums.keep_on(shutdown.clone()).await;
            }
        };
        let finishing = async {
            if let Some(sums) = self.sums.as_ref().filter(|_| answers) {
                sums.finish_on(Arc::clone(&self.reader), shutdown.clone())
                    .await;
            }
        };
        tokio::join!(servers, keeping, finishing);
    }

    /// Keeps what is left when no more spans come.
    pub(crate) async fn keep_last(&self) {
        if let Some(sums) = &self.sums {
            sums.keep_last().await;
        }
    }

    pub(crate) fn of_store(store: Store) -> Self {
        Self {
            writer: Arc::new(store.clone()),
            direct: Arc::new(store.clone()),
            buffer: None,
            reader: Arc::new(store.clone()),
            pins: Arc::new(store.clone()),
            sampling: Some(Arc::new(store.clone())),
            store: Some(store),
            servers: None,
            sums: None,
        }
    }

    /// The store of others that the configuration names; `None` where it is the embedded one. Reads files: call it
    /// where that is allowed.
    pub(crate) fn of_others(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
        seams: &Seams,
    ) -> Result<Option<Self>, Error> {
        let metrics = &seams.metrics;
        match config.backend.kind {
            BackendKind::Embedded => Ok(None),
            BackendKind::Remote => Self::of_remote(config, pool, tls).map(Some),
            BackendKind::Elasticsearch => Self::of_elastic(config, pool, tls, seams).map(Some),
            BackendKind::Cassandra => Self::of_cassandra(config, pool, tls, seams).map(Some),
            BackendKind::Kafka => Self::of_kafka(config, pool, metrics).map(Some),
        }
    }

    /// The same store, which is not asked while it is away, with the buffer before it that the configuration names.
    /// Blocks.
    pub(crate) fn guarded(
        self,
        config: &Config,
        pool: CpuPool,
        seams: &Seams,
    ) -> Result<Self, Error> {
        let options = GuardOptions {
            place: data_place(config),
            timeout: timeout_of(config) * WRITE_TIMEOUTS,
            pauses: Pauses::default(),
        };
        let (clock, random) = (&seams.clock, &seams.random);
        let guarded = GuardedWriter::new(
            self.writer,
            options,
            Arc::clone(clock),
            Arc::clone(random),
            &seams.metrics,
        );
        let direct: Arc<dyn SpanWriter> = Arc::new(guarded.clone());
        let chosen = &config.backend.buffer;
        let OrOff::On(dir) = &chosen.dir else {
            return Ok(Self {
                writer: Arc::clone(&direct),
                direct,
                ..self
            });
        };
        let options = BufferOptions {
            dir: dir.clone(),
            bytes_max: chosen.bytes_max.0,
            level: match chosen.acknowledge {
                Acknowledge::PageCache => Level::PageCache,
                Acknowledge::Sync | Acknowledge::Memory => Level::Sync,
            },
        };
        let parts = BufferedParts {
            clock: Arc::clone(clock),
            random: Arc::clone(random),
            metrics: &seams.metrics,
            pool,
            writer: guarded,
            writes_max: chosen.in_flight_max,
        };
        let buffer = BufferedWriter::open(&options, parts);
        let buffer = Arc::new(buffer.map_err(|error| keep::failed(&error))?);
        Ok(Self {
            writer: Arc::clone(&buffer) as Arc<dyn SpanWriter>,
            direct,
            buffer: Some(buffer),
            ..self
        })
    }

    /// Writes what is in the buffer to the store until the stop, and for so long behind it; without one does nothing.
    pub(crate) async fn deliver(&self, stop: Shutdown, drain_timeout: Duration) {
        if let Some(buffer) = &self.buffer {
            buffer.deliver(stop, drain_timeout).await;
        }
    }

    /// Tells whether nothing can be made durable any more, so that the program should end and be started again.
    pub(crate) fn has_failed(&self) -> bool {
        let buffer = self.buffer.as_ref();
        self.store.as_ref().is_some_and(Store::has_failed)
            || buffer.is_some_and(|buffer| buffer.has_failed())
    }

    /// Sets the gauges that are read off the state; call it before metrics are printed.
    pub(crate) fn refresh_metrics(&self) {
        if let Some(store) = &self.store {
            store.refresh_metrics();
        }
        if let Some(buffer) = &self.buffer {
            buffer.refresh_metrics();
        }
    }

    /// Ends the threads that write to the disk. Blocks.
    pub(crate) fn stop(&self) {
        if let Some(buffer) = &self.buffer {
            buffer.stop();
            let waiting_spans = buffer.waiting_spans();
            tracing::info!(
                waiting_spans,
                "the buffer is closed; what waits in it goes to the store after the next start"
            );
        }
        if let Some(store) = &self.store {
            store.stop();
        }
    }

    fn of_remote(config: &Config, pool: CpuPool, tls: &TlsMetrics) -> Result<Self, Error> {
        let remote = Self::remote(config, pool, tls)?;
        let writer = RemoteWriter(Arc::clone(&remote));
        Ok(Self {
            writer: Arc::new(writer.clone()),
            direct: Arc::new(writer.clone()),
            buffer: None,
            reader: Arc::clone(&remote) as Arc<dyn SpanReader>,
            pins: Arc::new(writer),
            sampling: None,
            store: None,
            servers: Some(Servers::Remote(remote)),
            sums: None,
        })
    }

    /// Prepares calls to a server, which need not be there yet. Reads files: call it where that is allowed.
    pub(crate) fn remote(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
    ) -> Result<Arc<Remote>, Error> {
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
        Ok(Arc::new(remote))
    }

    /// Kafka, which spans go to on their way to a store.
    fn of_kafka(config: &Config, pool: CpuPool, metrics: &Metrics) -> Result<Self, Error> {
        let kafka = Self::kafka(config, pool, metrics)?;
        let writer = KafkaWriter(Arc::clone(&kafka));
        Ok(Self {
            writer: Arc::new(writer.clone()),
            direct: Arc::new(writer.clone()),
            buffer: None,
            reader: Arc::clone(&kafka) as Arc<dyn SpanReader>,
            pins: Arc::new(writer),
            sampling: None,
            store: None,
            servers: Some(Servers::Kafka(kafka)),
            sums: None,
        })
    }

    /// Prepares calls to brokers, which need not be there yet. Reads files.
    pub(crate) fn kafka(
        config: &Config,
        pool: CpuPool,
        metrics: &Metrics,
    ) -> Result<Arc<Kafka>, Error> {
        let options = config.backend.kafka.options().map_err(Error::Usage)?;
        Ok(Arc::new(Kafka::new(
            options,
            pool,
            KafkaMetrics::register(metrics),
        )))
    }

    /// The store in Cassandra.
    fn of_cassandra(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
        seams: &Seams,
    ) -> Result<Self, Error> {
        let cassandra = Self::cassandra(config, pool.clone(), tls, &seams.metrics)?;
        let writer = CassandraWriter(Arc::clone(&cassandra));
        let (counted, sums) = counted(config, &writer, &cassandra, pool, seams);
        Ok(Self {
            direct: Arc::clone(&counted),
            writer: counted,
            buffer: None,
            reader: Arc::clone(&cassandra) as Arc<dyn SpanReader>,
            pins: Arc::new(writer),
            sampling: None,
            store: None,
            servers: Some(Servers::Cassandra(cassandra)),
            sums,
        })
    }

    /// Prepares requests to Cassandra, which need not be there yet. Reads files.
    pub(crate) fn cassandra(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
        metrics: &Metrics,
    ) -> Result<Arc<Cassandra>, Error> {
        let chosen = &config.backend.cassandra;
        let tls = match chosen.tls.enabled == Switch::On {
            true => {
                let tls = ClientTls::load("backend.cassandra", &chosen.tls_files(), tls);
                let wrong = |error| Error::Usage(format!("backend.cassandra.tls: {error}"));
                Some(tls.map_err(wrong)?)
            }
            false => None,
        };
        let memory = keep::memory_limit_bytes(config);
        let options = CassandraOptions {
            servers: chosen.addresses(),
            keyspace: chosen.keyspace.0.clone(),
            archive_keyspace: chosen.archive_keyspace.clone().on().map(|name| name.0),
            local_datacenter: chosen.local_datacenter.clone().on().map(|name| name.0),
            consistency: chosen.consistency(),
            timeout: chosen.timeout,
            tls,
            login: chosen.login().map_err(Error::Usage)?,
            schema: chosen.schema_options(),
            answer_bytes_max: roles::answer_bytes_max(config, memory),
            search_traces_max: chosen.search_traces_max,
            call_limits: backends::CallLimits::default(),
        };
        let metrics = CassandraMetrics::register(metrics);
        Ok(Arc::new(Cassandra::new(options, pool, metrics)))
    }

    /// The store in Elasticsearch or OpenSearch.
    fn of_elastic(
        config: &Config,
        pool: CpuPool,
        tls: &TlsMetrics,
        seams: &Seams,
    ) -> Result<Self, Error> {
        let elastic = Self::elastic(config, pool.clone(), tls, &seams.metrics)?;
        let writer = ElasticWriter(Arc::clone(&elastic));
        let (counted, sums) = counted(config, &writer, &elastic, pool, seams);
        Ok(Self {
            direct: Arc::clone(&counted),
            writer: counted,
            buffer: None,
            reader: Arc::clone(&elastic) as Arc<dyn SpanReader>,
            pins: Arc::new(writer),
            sampling: None,
            store: None,
            servers: Some(Servers::Elastic(elastic)),
            sums,
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
            date_separator: chosen.date_separator.of_indices(),
            timeout: chosen.timeout,
            tls,
            credentials: chosen.credentials().map_err(Error::Usage)?,
            shards: chosen.shards,
            replicas: chosen.replicas,
            creates_templates: chosen.create_templates == Switch::On,
            layout: chosen.layout(),
            answer_bytes_max: roles::answer_bytes_max(config, memory),
            search_traces_max: chosen.search_traces_max,
            call_limits: backends::CallLimits::default(),
        };
        let elastic = Elastic::new(options, pool, ElasticMetrics::register(metrics));
        let elastic =
            elastic.map_err(|error| Error::Usage(format!("backend.elasticsearch: {error}")))?;
        Ok(Arc::new(elastic))
    }
}

/// A writer that counts by minute what the store has confirmed, unless that is not wanted.
fn counted(
    config: &Config,
    writer: &(impl SpanWriter + Clone + 'static),
    ledger: &Arc<impl Ledger + 'static>,
    pool: CpuPool,
    seams: &Seams,
) -> (Arc<dyn SpanWriter>, Option<Arc<Sums>>) {
    let inner: Arc<dyn SpanWriter> = Arc::new(writer.clone());
    if config.backend.count_by_minute == Switch::Off {
        return (inner, None);
    }
    let sums = Arc::new(Sums::new(SumsParts {
        ledger: Arc::clone(ledger) as Arc<dyn Ledger>,
        clock: Arc::clone(&seams.clock),
        random: Arc::clone(&seams.random),
        pool,
        metrics: SumsMetrics::register(&seams.metrics),
    }));
    let writer = CountingWriter {
        inner,
        sums: Arc::clone(&sums),
    };
    (Arc::new(writer), Some(sums))
}

/// How long one request to a store of others may take.
fn timeout_of(config: &Config) -> Duration {
    let chosen = &config.backend;
    match chosen.kind {
        BackendKind::Embedded | BackendKind::Remote => chosen.remote.timeout,
        BackendKind::Elasticsearch => chosen.elasticsearch.timeout,
        BackendKind::Cassandra => chosen.cassandra.timeout,
        BackendKind::Kafka => chosen.kafka.timeout,
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
        BackendKind::Cassandra => {
            let chosen = &config.backend.cassandra;
            let (keyspace, servers) = (chosen.keyspace.print(), chosen.addresses().join(", "));
            format!("keyspace {keyspace} of Cassandra at {servers}")
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
pub(crate) fn promise(config: &Config) -> Cow<'static, str> {
    let (store, promise) = match config.backend.kind {
        BackendKind::Embedded => return Cow::Borrowed(accepted_means(config.store.acknowledge)),
        BackendKind::Remote => (
            "the remote store has it",
            "acknowledged by the remote store: kept as well as it keeps spans",
        ),
        BackendKind::Elasticsearch => (
            "Elasticsearch has it",
            "acknowledged by Elasticsearch, document by document: kept as well as it keeps them",
        ),
        BackendKind::Cassandra => (
            "Cassandra has it",
            "acknowledged by as many replicas of Cassandra as backend.cassandra.consistency says",
        ),
        BackendKind::Kafka => (
            "an ingester has taken it from Kafka",
            "acknowledged by all replicas in sync of Kafka; found once an ingester has taken it",
        ),
    };
    let buffer = &config.backend.buffer;
    match buffer.dir {
        OrOff::Off => Cow::Borrowed(promise),
        OrOff::On(_) => {
            let level = accepted_means(buffer.acknowledge);
            Cow::Owned(format!("in the buffer {level}; found once {store}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_a_buffer_is_promised_what_the_buffer_keeps() {
        let mut config = Config::default();
        assert!(promise(&config).starts_with("on the disk (sync)"));
        config.backend.kind = BackendKind::Elasticsearch;
        assert!(promise(&config).starts_with("acknowledged by Elasticsearch"));
        config.backend.buffer.dir = OrOff::On("./buffer".into());
        assert_eq!(
            promise(&config),
            "in the buffer on the disk (sync): a power cut loses nothing; found once Elasticsearch has it"
        );
        config.backend.buffer.acknowledge = Acknowledge::PageCache;
        assert!(promise(&config).contains("a power cut may lose spans; found once"));
    }
}
