//! Cassandra as the store, in Jaeger's layout.
//!
//! Promises
//! - What Jaeger wrote is found, as far as its indices name it; what is written here a stock Jaeger reads.
//! - A write is answered when as many replicas as are asked for have confirmed each row, and is found from then on.
//! - Answers are exact: the indices name what may match, each trace is judged here. A question that would take reading
//!   more than is allowed, or every partition, is refused with the reason.
//!
//! Lost is what Jaeger's layout has no place for (`codec::jaeger_row`).
//!
//! Read next: `client.rs` for requests, `schema.rs` for the tables, `write.rs`, `lower.rs` for what is asked,
//! `streams.rs` and `search.rs` for how it is found.

mod client;
mod dependencies;
mod fault;
mod keyspaces;
mod lists;
mod lower;
mod metrics;
mod options;
mod reading;
mod rows;
mod schema;
mod search;
mod streams;
mod sums;
mod traces;
mod write;

use std::sync::Arc;
use std::time::Duration;

use model::capability::Capability;
use model::contract::{
    Answer, DependencyAnswer, OperationsAnswer, ReadError, SearchAnswer, SearchRequest, SpanReader,
    TraceAnswer, Window,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use model::{CountAnswer, CountRequest, SpanSearchAnswer, SpanSearchRequest, TenantId, TraceId};
use plumbing::{CpuPool, Shutdown};
use tls::RELOAD_INTERVAL;

use client::{Client, Statements};
use fault::Fault;
use write::Name;

use crate::busy;
use crate::dependencies::dependencies;
use crate::examine::Finding;
use crate::facts;
use crate::lately::Lately;
use crate::trouble::Trouble;

pub use metrics::CassandraMetrics;
pub use options::{CassandraOptions, Consistency, SchemaOptions};
pub use write::CassandraWriter;

/// How often a server is asked how it is.
const WATCH_PERIOD: Duration = Duration::from_secs(5);

/// A store in Cassandra.
#[derive(Debug)]
pub struct Cassandra {
    client: Client,
    options: CassandraOptions,
    /// Where rows are made, read and judged.
    pool: CpuPool,
    known: Arc<Lately<Name>>,
    metrics: CassandraMetrics,
    trouble: Trouble,
}

impl Cassandra {
    /// Prepares requests to servers, which may still be down.
    #[must_use]
    pub fn new(options: CassandraOptions, pool: CpuPool, metrics: CassandraMetrics) -> Self {
        Self {
            client: Client::new(options.clone()),
            trouble: Trouble::unknown(format!("Cassandra at {}", options.servers.join(", "))),
            options,
            pool,
            known: Arc::default(),
            metrics,
        }
    }

    /// Asks a server from time to time whether it is there and has the tables, until the stop.
    pub async fn watch(&self, shutdown: Shutdown) {
        let tls = self.options.tls.clone();
        let files = async {
            if let Some(tls) = tls {
                tls.watch(RELOAD_INTERVAL, shutdown.clone()).await;
            }
        };
        let server = async {
            loop {
                let told = match self.client.look().await {
                    Ok(_) => self.client.statements(&self.options.keyspace).await.err(),
                    Err(fault) => Some(fault),
                };
                self.trouble.note(told.map(|fault| fault.reason()));
                let pause = tokio::time::timeout(WATCH_PERIOD, shutdown.begun());
                if pause.await.is_ok() {
                    return;
                }
            }
        };
        tokio::join!(server, files);
    }

    /// Makes the keyspaces and tables of some tenants that are not there yet; tells what was made.
    ///
    /// # Errors
    /// A sentence, when Cassandra is not there or refuses.
    pub async fn make_tables(&self, tenants: &[TenantId]) -> Result<Vec<String>, String> {
        let mut made = Vec::new();
        for tenant in tenants {
            let keyspaces = [Some(self.keyspace(tenant)), self.archive_keyspace(tenant)];
            for keyspace in keyspaces.into_iter().flatten() {
                let done = schema::make(&self.client, &keyspace, &self.options.schema).await;
                made.extend(done.map_err(|fault| format!("Cassandra: {}", fault.reason()))?);
            }
        }
        Ok(made)
    }

    /// Looks at the servers: who answers, and whether tables are there. The first finding is whether one answers; where
    /// none does, there is no other.
    pub async fn examine(&self) -> Vec<Finding> {
        let version = match self.client.look().await {
            Ok(version) => version,
            Err(fault) => {
                let fix = match &fault {
                    Fault::Forbidden(_) => {
                        "give the right user and password; in Kubernetes: look at the Secret, whose value must not end \
                         in a line break"
                    }
                    _ => "",
                };
                return vec![Finding::wrong("server", fault.reason(), fix)];
            }
        };
        let seen = format!("Cassandra {version} answers and lets the program in");
        let mut found = vec![Finding::well("server", seen)];
        let keyspace = self.keyspace(&TenantId::default());
        found.push(match schema::missing(&self.client, &keyspace).await {
            Err(fault) => Finding::wrong("tables", fault.reason(), "give the user SELECT on system_schema"),
            Ok(None) => Finding::wrong(
                "tables",
                format!("there is no keyspace {keyspace}"),
                "make it: `trackway storage init`; or name the one that there is: backend.cassandra.keyspace",
            ),
            Ok(Some(tables)) if tables.is_empty() => {
                Finding::well("tables", format!("keyspace {keyspace} has them all"))
            }
            Ok(Some(tables)) => Finding::wrong(
                "tables",
                format!("keyspace {keyspace} lacks {}", tables.join(", ")),
                "make them: `trackway storage init`",
            ),
        });
        found
    }

    fn keyspace(&self, tenant: &TenantId) -> String {
        keyspaces::of_tenant(&self.options.keyspace, tenant)
    }

    fn archive_keyspace(&self, tenant: &TenantId) -> Option<String> {
        let archive = self.options.archive_keyspace.as_ref()?;
        Some(keyspaces::of_tenant(archive, tenant))
    }

    async fn statements(&self, tenant: &TenantId) -> Result<Arc<Statements>, ReadError> {
        let statements = self.client.statements(&self.keyspace(tenant)).await;
        statements.map_err(Fault::unread)
    }
}

impl SpanReader for Cassandra {
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
        let tenant = tenant.clone();
        Box::pin(async move { self.read_trace(&tenant, trace_id).await })
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
        let tenant = tenant.clone();
        Box::pin(async move {
            let statements = self.statements(&tenant).await?;
            self.list_services(&statements).await
        })
    }

    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        let (tenant, service) = (tenant.clone(), service.to_owned());
        Box::pin(async move {
            let statements = self.statements(&tenant).await?;
            Ok(OperationsAnswer {
                operations: self.list_operations(&statements, &service).await?,
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
        let tenant = tenant.clone();
        Box::pin(async move {
            let statements = self.statements(&tenant).await?;
            let mut answer = FactsAnswer::default();
            for ids in traces.chunks(facts::TRACES_AT_ONCE) {
                let read = self.read_traces(&statements, ids.to_vec()).await?;
                let added = self.pool.run(move || facts::add(answer, read));
                answer = added.await.map_err(busy)?;
            }
            Ok(answer)
        })
    }

    fn seen(&self, tenant: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        let tenant = tenant.clone();
        Box::pin(async move {
            let statements = self.statements(&tenant).await?;
            Ok(SeenAnswer {
                operations: self.list_all(&statements).await?,
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
