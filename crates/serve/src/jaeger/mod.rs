//! Jaeger's query service: the HTTP API of version 1, which its web app, Grafana, Kiali and many scripts ask; that of
//! version 3 (`v3`), and both over gRPC (`grpc`), on a port of its own and beside HTTP.
//!
//! Promises: the same paths, parameters, answers and error texts as Jaeger v2.20.0, but for the differences that
//! `docs/jaeger-differences.md` lists with their reasons; an answer that lacks something says so in `errors`.
//! Refuses: analyses that Jaeger only has samples of; it says that there are none.

mod archive;
mod ask;
mod catalogue;
mod envelope;
mod filter;
mod grpc;
mod metrics;
mod off;
mod parameters;
mod paths;
mod requests;
mod timing;
mod trace_json;
mod traces;
mod transform;
mod v3;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use model::TenantId;
use model::contract::Pins;
use plumbing::{Clock, CpuPool, Metrics};
use query::Query;
use query::adjust::AdjustOptions;

use crate::app::{self, App, AppOptions};
use crate::guard::OfTenant;
use envelope::ApiError;
use grpc::GrpcServices;
pub(crate) use grpc::grpc_refusal;
pub use grpc::sampling_grpc_router;
use requests::RequestMetrics;

/// The largest body of `/api/transform`.
const TRANSFORM_BYTES_MAX: usize = 64 << 20;

/// What may be chosen about the API.
#[derive(Debug, Clone)]
pub struct JaegerOptions {
    /// The greatest `limit` of a search.
    pub search_traces_max: usize,
    /// What is edited in traces before they are shown.
    pub adjust: AdjustOptions,
    /// How long an answer may take.
    pub answer_timeout: Duration,
}

impl Default for JaegerOptions {
    fn default() -> Self {
        Self {
            search_traces_max: 100_000,
            adjust: AdjustOptions::default(),
            answer_timeout: Duration::from_secs(120),
        }
    }
}

/// What the API stands on.
#[derive(Debug)]
pub struct ServeParts<'a> {
    /// What "now" is.
    pub clock: Arc<dyn Clock>,
    /// Where requests are counted.
    pub metrics: &'a Metrics,
    /// Where answers are written: it may take long.
    pub pool: CpuPool,
    /// Whose spans are shown where a request does not say it.
    pub tenant: TenantId,
    /// Which traces are kept for good.
    pub pins: Arc<dyn Pins>,
    /// The choices.
    pub options: JaegerOptions,
    /// The routes that the web app asks.
    pub ui: Router,
    /// The web app.
    pub app: AppOptions,
}

/// What every handler knows.
#[derive(Debug, Clone)]
struct Jaeger {
    query: Arc<Query>,
    clock: Arc<dyn Clock>,
    pool: CpuPool,
    tenant: TenantId,
    pins: Arc<dyn Pins>,
    options: JaegerOptions,
}

impl OfTenant for Jaeger {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn of_tenant(&self, tenant: TenantId) -> Self {
        Self {
            tenant,
            ..self.clone()
        }
    }
}

impl Jaeger {
    /// Does work that may take long away from the sockets.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        self.pool.run(work).await.map_err(|error| ApiError {
            status: 503,
            message: error.to_string(),
        })
    }
}

/// What listens.
#[derive(Debug)]
pub struct JaegerServices {
    /// The HTTP API, the web app, and the gRPC services beside them.
    pub http: Router,
    /// The gRPC services alone.
    pub grpc: Router,
    /// What a store for Jaeger serves over gRPC, but for the calls that write: their routes are put before it.
    pub storage: Router,
}

/// Makes the API's routes, and a page for everything that is no route.
pub fn jaeger_router(query: Arc<Query>, parts: ServeParts<'_>) -> Router {
    jaeger_services(query, parts).http
}

/// Makes the API's routes over HTTP and over gRPC.
pub fn jaeger_services(query: Arc<Query>, parts: ServeParts<'_>) -> JaegerServices {
    let ServeParts {
        clock,
        metrics,
        pool,
        tenant,
        pins,
        options,
        ui,
        app,
    } = parts;
    let prefix = app.base_path.prefix().to_owned();
    let app = Arc::new(App::new(&app));
    let requests = RequestMetrics::new(metrics, Arc::clone(&clock), options.answer_timeout);
    let state = Arc::new(Jaeger {
        query,
        clock,
        pool,
        tenant,
        pins,
        options,
    });
    let grpc = GrpcServices::new(Arc::clone(&state), metrics);
    let routes = routes_of(state, &prefix)
        .fallback_service(any(app::serve).with_state(Arc::clone(&app)))
        .nest("/api/ui/v1", ui);
    let all = match prefix.as_str() {
        "" => routes,
        // Whoever comes to the root of a server that stands below a path is sent there.
        prefix => Router::new()
            .route("/", get(paths::to_folder(prefix)))
            .nest(prefix, routes)
            // The path itself is none of those below it.
            .route_service(prefix, any(app::serve).with_state(Arc::clone(&app)))
            .route_service(&format!("{prefix}/"), any(app::serve).with_state(app))
            .fallback(paths::not_found),
    };
    let all = all.layer(axum::middleware::from_fn(paths::clean)).layer(
        axum::middleware::from_fn_with_state(requests, requests::observe),
    );
    JaegerServices {
        http: grpc.beside(all),
        storage: grpc.of_storage().alone(),
        grpc: grpc.alone(),
    }
}

/// The routes of the API alone.
fn routes_of(state: Arc<Jaeger>, prefix: &str) -> Router {
    Router::new()
        .route("/api/services", get(catalogue::services))
        .route(
            "/api/services/{service}/operations",
            get(catalogue::operation_names),
        )
        .route("/api/operations", get(catalogue::operations))
        .route("/api/dependencies", get(catalogue::dependencies))
        .route("/api/traces", get(traces::search))
        .route("/api/traces/{trace_id}", get(traces::trace))
        .route("/api/archive/{trace_id}", post(archive::archive))
        .route(
            "/api/transform",
            post(transform::transform).layer(DefaultBodyLimit::max(TRANSFORM_BYTES_MAX)),
        )
        .route("/api/deep-dependencies", get(off::deep_dependencies))
        .route("/api/quality-metrics", get(off::quality_metrics))
        .route("/api/metrics/{metric}", get(metrics::metrics))
        .route("/api/v3/services", get(v3::services))
        .route("/api/v3/operations", get(v3::operations))
        .route("/api/v3/traces", get(v3::traces))
        .route("/api/v3/traces/{trace_id}", get(v3::trace))
        .route("/api/v3/trace-summaries", get(v3::summaries))
        .route("/api", any(paths::to_folder(&format!("{prefix}/api"))))
        .route("/api/", any(paths::not_found))
        .route("/api/{*rest}", any(paths::not_found))
        .route("/static/{*rest}", any(paths::not_found))
        .method_not_allowed_fallback(paths::not_found)
        .with_state(state)
}
