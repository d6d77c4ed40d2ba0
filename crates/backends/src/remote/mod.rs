//! A server of Jaeger's storage API over gRPC as the store: version 2 where it has it, else version 1.
//!
//! Promises
//! - What version the server speaks is found out by asking it, when it is first needed.
//! - A write is answered when the server has answered: it is kept as well as that server keeps it.
//! - The server finds candidates, which may be more than match; each is judged here. Where the server gave as many as
//!   it was asked for, so that others may have been passed over, the answer says so, unless the server is known to give
//!   the newest.
//! - Memory of an answer is bounded by [`RemoteOptions::answer_bytes_max`].
//!
//! Refuses: what that API has no question for, by name (rates, counts, structure, values for completion, lists of
//! spans).
//!
//! Read next: `client.rs` for calls, `lower.rs` for what a server is asked, `search.rs` for how it is judged.

mod client;
mod lower;
mod search;
mod traces;
mod write;

use std::time::Duration;

use codec::generated::google::protobuf::Timestamp;
use codec::generated::grpc::health::v1::{HealthCheckRequest, HealthCheckResponse};
use codec::generated::jaeger::storage::{v1, v2};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use model::capability::Capability;
use model::contract::{
    Answer, DependencyAnswer, DependencyLink, Operation, OperationsAnswer, ReadError, SearchAnswer,
    SearchRequest, SpanReader, TraceAnswer, Window,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, SeenOperation, ValuesAnswer, ValuesRequest};
use model::{TenantId, TraceId};
use plumbing::{CpuPool, Shutdown};
use tls::{ClientTls, RELOAD_INTERVAL};
use tokio::sync::OnceCell;
use tonic::Code;

use client::{Client, unread};

use crate::examine::Finding;
use crate::facts;
use crate::secret::Secret;
use crate::trouble::Trouble;
use crate::words::kind_number;

pub use write::RemoteWriter;

/// The most services whose operations are listed together.
const SERVICES_MAX: usize = 1_000;
/// Traces that are read at once.
const READ_AT_ONCE: usize = 4;
/// How often the server is asked how it is.
const WATCH_PERIOD: Duration = Duration::from_secs(5);

/// What may be chosen.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// Where the server is: `host:port`.
    pub endpoint: String,
    /// How long one call may take.
    pub timeout: Duration,
    /// TLS, where the server speaks it.
    pub tls: Option<ClientTls>,
    /// What is sent as `authorization: Bearer …`.
    pub token: Option<Secret>,
    /// The most bytes of one trace, as it is sent.
    pub answer_bytes_max: usize,
    /// The most traces that the server is asked for in one search.
    pub search_traces_max: usize,
}

/// Says why a backend can't be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The address is none.
    #[error("{endpoint:?} is no address of a server: {reason}; write host:port")]
    Endpoint {
        /// What was given.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// The token can't be sent.
    #[error("the token has characters that can't be sent in a header")]
    Token,
}

/// What the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V2(Search),
    V1 { is_streaming: bool },
}

/// What searches a server of version 2 can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Search {
    without_service: bool,
    /// It says that it gives the newest traces first, and means by a search what Trackway means.
    is_newest_first: bool,
}

/// A store behind Jaeger's storage API.
#[derive(Debug)]
pub struct Remote {
    client: Client,
    options: RemoteOptions,
    /// Where answers are decoded and judged.
    pool: CpuPool,
    version: OnceCell<Version>,
    trouble: Trouble,
}

impl Remote {
    /// Prepares calls to a server; it may still be down.
    ///
    /// # Errors
    /// When the options can't be used.
    pub fn new(options: RemoteOptions, pool: CpuPool) -> Result<Self, RemoteError> {
        Ok(Self {
            client: Client::new(&options)?,
            trouble: Trouble::unknown(format!("the remote store at {}", options.endpoint)),
            options,
            pool,
            version: OnceCell::new(),
        })
    }

    /// Asks the server from time to time whether it is there, and looks at the files of TLS again, until the stop.
    pub async fn watch(&self, shutdown: Shutdown) {
        let tls = self.options.tls.clone();
        let files = async {
            if let Some(tls) = tls {
                tls.watch(RELOAD_INTERVAL, shutdown.clone()).await;
            }
        };
        tokio::join!(self.watch_server(shutdown.clone()), files);
    }

    async fn watch_server(&self, shutdown: Shutdown) {
        loop {
            let path = "/grpc.health.v1.Health/Check";
            let asked = HealthCheckRequest::default();
            let answer = self
                .client
                .one::<_, HealthCheckResponse>(None, path, &asked)
                .await;
            let trouble = match answer {
                Ok(answer) if answer.status == 2 => {
                    Some("it says that it does not serve".to_owned())
                }
                Ok(_) => None,
                Err(status) if status.code() == Code::Unimplemented => None,
                Err(status) => Some(status.message().to_owned()),
            };
            self.trouble.note(trouble);
            if tokio::time::timeout(WATCH_PERIOD, shutdown.begun())
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    /// Looks at the server: whether it answers, and what it speaks.
    pub async fn examine(&self) -> Vec<Finding> {
        match self.version().await {
            Ok(version) => {
                let number = match version {
                    Version::V1 { .. } => 1,
                    Version::V2(_) => 2,
                };
                let seen = format!("it answers by version {number} of the storage API");
                vec![Finding::well("server", seen)]
            }
            Err(status) => {
                let fix = match status.code() {
                    Code::Unauthenticated | Code::PermissionDenied => {
                        "give the token that it asks for: backend.remote.token_file"
                    }
                    Code::Unimplemented => {
                        "is it a server of the storage API that listens there? A Jaeger has it on 17271, not on 16685"
                    }
                    _ => "",
                };
                vec![Finding::wrong("server", status.message().to_owned(), fix)]
            }
        }
    }

    /// What the server speaks, asked once.
    async fn version(&self) -> Result<Version, tonic::Status> {
        self.version.get_or_try_init(|| self.probe()).await.copied()
    }

    async fn probe(&self) -> Result<Version, tonic::Status> {
        let path = "/jaeger.storage.v2.Capabilities/GetCapabilities";
        let asked = v2::GetCapabilitiesRequest {};
        let told = self
            .client
            .with_order::<_, v2::GetCapabilitiesResponse>(path, &asked)
            .await;
        match told {
            Ok((told, is_newest_first)) => {
                return Ok(Version::V2(Search {
                    without_service: told.search.is_some_and(|can| can.without_service_name),
                    is_newest_first,
                }));
            }
            Err(status) if status.code() == Code::Unimplemented => {}
            Err(status) => return Err(status),
        }
        // Servers before the capabilities have the rest of version 2, or version 1 alone.
        let path = "/jaeger.storage.v2.TraceReader/GetServices";
        let asked = v2::GetServicesRequest {};
        let told = self
            .client
            .one::<_, v2::GetServicesResponse>(None, path, &asked);
        match told.await {
            Ok(_) => return Ok(Version::V2(Search::default())),
            Err(status) if status.code() == Code::Unimplemented => {}
            Err(status) => return Err(status),
        }
        let path = "/jaeger.storage.v1.PluginCapabilities/Capabilities";
        let asked = v1::CapabilitiesRequest {};
        let told = self
            .client
            .one::<_, v1::CapabilitiesResponse>(None, path, &asked);
        match told.await {
            Ok(told) => Ok(Version::V1 {
                is_streaming: told.streaming_span_writer,
            }),
            Err(status) if status.code() == Code::Unimplemented => Ok(Version::V1 {
                is_streaming: false,
            }),
            Err(status) => Err(status),
        }
    }

    async fn service_names(&self, tenant: &TenantId) -> Result<Vec<String>, tonic::Status> {
        let client = &self.client;
        let mut services = match self.version().await? {
            Version::V2(_) => {
                let path = "/jaeger.storage.v2.TraceReader/GetServices";
                let asked = v2::GetServicesRequest {};
                let answer = client.one::<_, v2::GetServicesResponse>(Some(tenant), path, &asked);
                answer.await?.services
            }
            Version::V1 { .. } => {
                let path = "/jaeger.storage.v1.SpanReaderPlugin/GetServices";
                let asked = v1::GetServicesRequest {};
                let answer = client.one::<_, v1::GetServicesResponse>(Some(tenant), path, &asked);
                answer.await?.services
            }
        };
        services.sort_unstable();
        services.dedup();
        Ok(services)
    }

    async fn operations_of(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Result<Vec<Operation>, tonic::Status> {
        let client = &self.client;
        let service = service.to_owned();
        let named: Vec<(String, String)> = match self.version().await? {
            Version::V2(_) => {
                let path = "/jaeger.storage.v2.TraceReader/GetOperations";
                let asked = v2::GetOperationsRequest {
                    service,
                    ..v2::GetOperationsRequest::default()
                };
                let answer = client.one::<_, v2::GetOperationsResponse>(Some(tenant), path, &asked);
                let operations = answer.await?.operations.into_iter();
                operations.map(|one| (one.name, one.span_kind)).collect()
            }
            Version::V1 { .. } => {
                let path = "/jaeger.storage.v1.SpanReaderPlugin/GetOperations";
                let asked = v1::GetOperationsRequest {
                    service,
                    ..v1::GetOperationsRequest::default()
                };
                let answer = client.one::<_, v1::GetOperationsResponse>(Some(tenant), path, &asked);
                let v1::GetOperationsResponse {
                    operation_names,
                    operations,
                } = answer.await?;
                // The oldest servers know names alone.
                if operations.is_empty() {
                    operation_names
                        .into_iter()
                        .map(|name| (name, String::new()))
                        .collect()
                } else {
                    let operations = operations.into_iter();
                    operations.map(|one| (one.name, one.span_kind)).collect()
                }
            }
        };
        let mut operations: Vec<Operation> = named
            .into_iter()
            .map(|(name, kind)| Operation {
                name,
                kind: kind_number(&kind),
            })
            .collect();
        operations.sort_unstable();
        operations.dedup();
        Ok(operations)
    }

    async fn calls(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Result<Vec<DependencyLink>, tonic::Status> {
        let client = &self.client;
        let (start_time, end_time) = (
            Some(timestamp(window.start)),
            Some(timestamp(window.end.saturating_add(1))),
        );
        let mut links: Vec<DependencyLink> = match self.version().await? {
            Version::V2(_) => {
                let path = "/jaeger.storage.v2.DependencyReader/GetDependencies";
                let asked = v2::GetDependenciesRequest {
                    start_time,
                    end_time,
                };
                let answer =
                    client.one::<_, v2::GetDependenciesResponse>(Some(tenant), path, &asked);
                let links = answer.await?.dependencies.into_iter();
                links
                    .map(|link| of_link(link.parent, link.child, link.call_count))
                    .collect()
            }
            Version::V1 { .. } => {
                let path = "/jaeger.storage.v1.DependenciesReaderPlugin/GetDependencies";
                let asked = v1::GetDependenciesRequest {
                    start_time,
                    end_time,
                };
                let answer =
                    client.one::<_, v1::GetDependenciesResponse>(Some(tenant), path, &asked);
                let links = answer.await?.dependencies.into_iter();
                links
                    .map(|link| of_link(link.parent, link.child, link.call_count))
                    .collect()
            }
        };
        links.sort_unstable();
        // A server may have a row for each day.
        links.dedup_by(|next, kept| {
            let is_same = (&next.parent, &next.child) == (&kept.parent, &kept.child);
            if is_same {
                kept.calls = kept.calls.saturating_add(next.calls);
            }
            is_same
        });
        Ok(links)
    }
}

fn of_link(parent: String, child: String, calls: u64) -> DependencyLink {
    DependencyLink {
        parent,
        child,
        calls,
    }
}

fn timestamp(nanos: u64) -> Timestamp {
    const NANOS_PER_SECOND: u64 = 1_000_000_000;
    Timestamp {
        seconds: i64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos % NANOS_PER_SECOND).unwrap_or(0),
    }
}

fn cannot<T>(what: Capability) -> Answer<'static, Result<T, ReadError>>
where
    T: Send + 'static,
{
    let reason = format!(
        "the remote store can't {what}: Jaeger's storage API has no such question; the embedded store can"
    );
    Box::pin(std::future::ready(Err(ReadError::BadQuestion { reason })))
}

impl SpanReader for Remote {
    fn lacks(&self) -> &[Capability] {
        &[
            Capability::SpanSearch,
            Capability::Keys,
            Capability::Values,
            Capability::Rates,
            Capability::Counts,
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
        Box::pin(async move { self.find(request).await })
    }

    fn services(&self, tenant: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>> {
        let tenant = tenant.clone();
        Box::pin(async move { self.service_names(&tenant).await.map_err(unread) })
    }

    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        let (tenant, service) = (tenant.clone(), service.to_owned());
        Box::pin(async move {
            let operations = self.operations_of(&tenant, &service).await;
            Ok(OperationsAnswer {
                operations: operations.map_err(unread)?,
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
        Box::pin(async move {
            let links = self.calls(&tenant, window).await.map_err(unread)?;
            Ok(DependencyAnswer {
                links,
                skipped: Vec::new(),
            })
        })
    }

    fn facts(
        &self,
        tenant: &TenantId,
        traces: Vec<TraceId>,
    ) -> Answer<'_, Result<FactsAnswer, ReadError>> {
        let tenant = tenant.clone();
        Box::pin(async move {
            let read = stream::iter(traces).map(|trace_id| {
                let tenant = tenant.clone();
                async move { Ok((trace_id, self.read_trace(&tenant, trace_id).await?)) }
            });
            let mut read = read.buffered(READ_AT_ONCE);
            let mut answer = FactsAnswer::default();
            while let Some((trace_id, trace)) = read.try_next().await? {
                answer.facts.extend(facts::of(trace_id, &trace.spans));
                answer.skipped.extend(trace.skipped);
            }
            Ok(answer)
        })
    }

    fn seen(&self, tenant: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        let tenant = tenant.clone();
        Box::pin(async move {
            let services = self.service_names(&tenant).await.map_err(unread)?;
            let has_all_operations = services.len() <= SERVICES_MAX;
            let read = stream::iter(services.into_iter().take(SERVICES_MAX)).map(|service| {
                let tenant = tenant.clone();
                async move {
                    let operations = self.operations_of(&tenant, &service).await;
                    Ok::<_, ReadError>((service, operations.map_err(unread)?))
                }
            });
            let mut read = read.buffered(READ_AT_ONCE);
            let mut operations = Vec::new();
            while let Some((service, of_service)) = read.try_next().await? {
                // Since when is not told: always.
                operations.extend(of_service.into_iter().map(|one| SeenOperation {
                    service: service.clone(),
                    name: one.name,
                    kind: one.kind,
                    first: 0,
                    last: u64::MAX,
                }));
            }
            Ok(SeenAnswer {
                operations,
                has_all_operations,
                ..SeenAnswer::default()
            })
        })
    }

    fn values(&self, _: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>> {
        cannot(Capability::Values)
    }

    fn rates(&self, _: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>> {
        cannot(Capability::Rates)
    }
}
