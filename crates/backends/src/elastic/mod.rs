//! Elasticsearch or OpenSearch as the store, in Jaeger's layout.
//!
//! Promises
//! - What Jaeger wrote is found, whichever version it was; what is written here a stock Jaeger reads.
//! - A write is answered when the server has confirmed every document. It can be searched when the server has refreshed
//!   its indices, a second later unless it is told otherwise.
//! - Answers are exact: the server finds what may match, each trace is judged here. A question that would take reading
//!   more than is allowed is refused with the reason.
//! - No script is run on the server, and nothing but the core of it is needed.
//!
//! Lost is what Jaeger's layout has no place for (`codec::jaeger_document`).
//!
//! Read next: `client.rs` for requests, `write.rs`, `lower.rs` for what is asked, `search.rs` for how it is judged.

mod client;
mod dependencies;
mod examine;
mod indices;
mod lists;
mod lower;
mod maintain;
mod metrics;
mod numbers;
mod pages;
mod search;
mod spans;
mod sums;
mod templates;
mod traces;
mod write;

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codec::jaeger_document::DocumentLayout;
use http::Method;
use model::capability::Capability;
use model::contract::{
    Answer, DependencyAnswer, OperationsAnswer, ReadError, SearchAnswer, SearchRequest, SpanReader,
    TraceAnswer, Window,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, SeenOperation, ValuesAnswer, ValuesRequest};
use model::{CountAnswer, CountRequest, SpanSearchAnswer, SpanSearchRequest, TenantId, TraceId};
use plumbing::{Complaints, CpuPool, Shutdown};
use serde::Deserialize;
use tls::{ClientTls, RELOAD_INTERVAL};
use tokio::sync::OnceCell;

use client::{Body, Client, Fault};
use indices::{HYPHEN, Indices};
use templates::Dialect;
use write::{BULK_BYTES_MAX, Listed};

use crate::busy;
use crate::credentials::Credentials;
use crate::dependencies::{CallLimits, dependencies};
use crate::facts;
use crate::lately::Lately;
use crate::trouble::Trouble;

pub use indices::Rotation;
pub use maintain::{Cleaned, MaintainError};
pub use metrics::ElasticMetrics;
pub use write::ElasticWriter;

/// How often the server is asked how it is.
const WATCH_PERIOD: Duration = Duration::from_secs(5);
/// The first major version of Elasticsearch with templates that are composed.
const COMPOSABLE_FROM: u32 = 8;

/// What may be chosen.
#[derive(Debug, Clone)]
pub struct ElasticOptions {
    /// Where the servers are: `http://host:port` or `https://host:port`, with a path where a proxy has one.
    pub hosts: Vec<String>,
    /// What stands before the names of indices; a hyphen is put behind it.
    pub index_prefix: String,
    /// How long one request may take, and how long a write is tried again.
    pub timeout: Duration,
    /// TLS, for hosts with `https`.
    pub tls: Option<ClientTls>,
    /// Who the program is.
    pub credentials: Option<Credentials>,
    /// When a new index begins.
    pub rotation: Rotation,
    /// What stands between the parts of a date in the name of an index.
    pub date_separator: char,
    /// Shards of an index that is made.
    pub shards: u32,
    /// Copies of each shard.
    pub replicas: u32,
    /// Whether templates are installed at the first write.
    pub creates_templates: bool,
    /// How documents are laid out.
    pub layout: DocumentLayout,
    /// The most bytes of one trace.
    pub answer_bytes_max: usize,
    /// The most traces that may match of which one search is decided.
    pub search_traces_max: usize,
    /// How many spans are read for the calls between services.
    pub call_limits: CallLimits,
}

impl Default for ElasticOptions {
    fn default() -> Self {
        Self {
            hosts: vec!["http://localhost:9200".to_owned()],
            index_prefix: String::new(),
            rotation: Rotation::default(),
            date_separator: HYPHEN,
            timeout: Duration::from_secs(15),
            tls: None,
            credentials: None,
            shards: 5,
            replicas: 1,
            creates_templates: true,
            layout: DocumentLayout::default(),
            answer_bytes_max: 1 << 30,
            search_traces_max: 10_000,
            call_limits: CallLimits::default(),
        }
    }
}

/// Says why a backend can't be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElasticError {
    /// No server is named.
    #[error("no server is named; write its address, such as http://localhost:9200")]
    NoHost,
    /// An address is none.
    #[error(
        "{host:?} is no address of a server: {reason}; write http://host:port or https://host:port"
    )]
    Host {
        /// What was given.
        host: String,
        /// Why.
        reason: String,
    },
}

/// A store in Elasticsearch or OpenSearch.
#[derive(Debug)]
pub struct Elastic {
    client: Client,
    options: ElasticOptions,
    /// Where documents are made, read and judged.
    pool: CpuPool,
    /// For each tenant whether its templates are installed.
    prepared: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
    known: Arc<Lately<Listed>>,
    /// The most bytes of a request with documents; less than usual once one was too long.
    bulk_bytes_max: AtomicUsize,
    metrics: ElasticMetrics,
    trouble: Trouble,
    /// What is set aside.
    complaints: Complaints,
}

#[derive(Deserialize)]
struct Told {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    #[serde(default)]
    distribution: String,
}

impl Version {
    fn dialect(&self) -> Result<Dialect, Fault> {
        let number = &self.number;
        let major = number.split('.').next().unwrap_or_default().parse::<u32>();
        match (self.distribution.as_str(), major) {
            ("opensearch", Ok(_)) | (_, Ok(7)) => Ok(Dialect::Legacy),
            (_, Ok(COMPOSABLE_FROM..)) => Ok(Dialect::Composable),
            _ => Err(Fault::Unreadable(format!(
                "it is of version {number:?}; Elasticsearch from 7 on and OpenSearch are spoken to"
            ))),
        }
    }
}

impl Elastic {
    /// Prepares requests to servers, which may still be down.
    ///
    /// # Errors
    /// When the options can't be used.
    pub fn new(
        options: ElasticOptions,
        pool: CpuPool,
        metrics: ElasticMetrics,
    ) -> Result<Self, ElasticError> {
        Ok(Self {
            client: Client::new(&options)?,
            trouble: Trouble::unknown(format!("Elasticsearch at {}", options.hosts.join(", "))),
            options,
            pool,
            metrics,
            prepared: Mutex::default(),
            known: Arc::default(),
            bulk_bytes_max: AtomicUsize::new(BULK_BYTES_MAX),
            complaints: Complaints::default(),
        })
    }

    /// Asks the server from time to time whether it is there, and looks at the files of TLS and of credentials again,
    /// until the stop.
    pub async fn watch(&self, shutdown: Shutdown) {
        let tls = self.options.tls.clone();
        let files = async {
            if let Some(tls) = tls {
                tls.watch(RELOAD_INTERVAL, shutdown.clone()).await;
            }
        };
        let secrets = async {
            if let Some(credentials) = &self.options.credentials {
                credentials.watch(shutdown.clone()).await;
            }
        };
        let server = async {
            loop {
                let told = match self.prepared(&self.indices(&TenantId::default())).await {
                    Ok(()) => self
                        .client
                        .ask(&Method::GET, "/", Body::None)
                        .await
                        .map(drop),
                    Err(fault) => Err(fault),
                };
                self.trouble.note(told.err().map(|fault| fault.reason()));
                let pause = tokio::time::timeout(WATCH_PERIOD, shutdown.begun());
                if pause.await.is_ok() {
                    return;
                }
            }
        };
        tokio::join!(server, files, secrets);
    }

    /// Which requests the server understands.
    async fn dialect(&self) -> Result<Dialect, Fault> {
        let told: Told = self.client.ask_json(&Method::GET, "/", Body::None).await?;
        told.version.dialect()
    }

    /// The names of a tenant's indices.
    fn indices(&self, tenant: &TenantId) -> Indices {
        let indices = Indices::new(&self.options.index_prefix, tenant);
        indices
            .rotated(self.options.rotation)
            .dated(self.options.date_separator)
    }

    /// Installs the templates, once.
    async fn prepared(&self, indices: &Indices) -> Result<(), Fault> {
        if !self.options.creates_templates {
            return Ok(());
        }
        let prepare = async {
            let dialect = self.dialect().await?;
            for put in templates::install(dialect, indices, &self.options) {
                let body = Body::Json(put.body);
                self.client.ask(&put.method, &put.path, body).await?;
            }
            Ok(())
        };
        self.once(indices.template("span"), prepare).await
    }

    /// Does something until it has succeeded once.
    async fn once(
        &self,
        name: String,
        work: impl Future<Output = Result<(), Fault>> + Send,
    ) -> Result<(), Fault> {
        let done = {
            let mut known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(name).or_default())
        };
        done.get_or_try_init(|| work).await.copied()
    }
}

impl SpanReader for Elastic {
    fn lacks(&self) -> &[Capability] {
        &[
            Capability::Keys,
            Capability::Overview,
            Capability::Structure,
        ]
    }

    fn trace(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        let indices = self.indices(tenant);
        Box::pin(async move { self.read_trace(&indices, trace_id).await })
    }

    fn search(&self, request: SearchRequest) -> Answer<'_, Result<SearchAnswer, ReadError>> {
        Box::pin(self.find(request))
    }

    fn search_spans(
        &self,
        request: SpanSearchRequest,
    ) -> Answer<'_, Result<SpanSearchAnswer, ReadError>> {
        Box::pin(self.find_spans(request))
    }

    fn services(&self, tenant: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>> {
        let indices = self.indices(tenant);
        Box::pin(async move { self.list_services(&indices).await })
    }

    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        let (indices, service) = (self.indices(tenant), service.to_owned());
        Box::pin(async move {
            Ok(OperationsAnswer {
                operations: self.list_operations(&indices, &service).await?,
                is_all: true,
            })
        })
    }

    fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Answer<'_, Result<DependencyAnswer, ReadError>> {
        let tenant = tenant.clone();
        Box::pin(async move { dependencies(self, &tenant, window).await })
    }

    fn facts(
        &self,
        tenant: &TenantId,
        traces: Vec<TraceId>,
    ) -> Answer<'_, Result<FactsAnswer, ReadError>> {
        let indices = self.indices(tenant);
        Box::pin(async move {
            let mut answer = FactsAnswer::default();
            for ids in traces.chunks(facts::TRACES_AT_ONCE) {
                let read = self.read_traces(&indices, ids.to_vec()).await?;
                let added = self.pool.run(move || facts::add(answer, read));
                answer = added.await.map_err(busy)?;
            }
            Ok(answer)
        })
    }

    fn seen(&self, tenant: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        let indices = self.indices(tenant);
        Box::pin(async move {
            let operations = self.list_all(&indices).await?.into_iter();
            // Since when is not told: always.
            let operations = operations.map(|(service, one)| SeenOperation {
                service,
                name: one.name,
                kind: one.kind,
                first: 0,
                last: u64::MAX,
            });
            Ok(SeenAnswer {
                operations: operations.collect(),
                has_all_operations: true,
                ..SeenAnswer::default()
            })
        })
    }

    fn values(&self, request: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>> {
        Box::pin(self.list_values(request))
    }

    fn count(&self, request: CountRequest) -> Answer<'_, Result<CountAnswer, ReadError>> {
        Box::pin(self.count_spans(request))
    }

    fn rates(&self, request: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>> {
        Box::pin(async move { crate::sums::rates(self, &request).await })
    }
}
