//! What the tests ask: a router over the oracle, a clock that stands still, and requests without a socket.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use model::contract::{PinError, PinnedTrace, Pins, SpanReader};
use model::{TenantId, TraceId};
use plumbing::{CpuPool, ManualClock, Metrics};
use query::Query;
use serve::{
    AppOptions, BasePath, Boot, JaegerOptions, JaegerServices, ServeParts, jaeger_services,
};
use tower::ServiceExt;

/// The moment that the recordings count from: 2026-01-15T10:00:00Z.
pub(crate) const BASE_NANOS: u64 = 1_768_471_200_000_000_000;
/// What "now" is: the recordings were made one to two hours after the base.
pub(crate) const NOW_NANOS: u64 = BASE_NANOS + 90 * 60 * 1_000_000_000;

/// Jaeger's API over a reader.
pub(crate) fn router_over(reader: Arc<dyn SpanReader>, options: JaegerOptions) -> Router {
    services_over(reader, options).http
}

/// Jaeger's API over a reader, over HTTP and gRPC.
pub(crate) fn services_over(reader: Arc<dyn SpanReader>, options: JaegerOptions) -> JaegerServices {
    let parts = ServeParts {
        clock: Arc::new(ManualClock::at(NOW_NANOS)),
        metrics: &Metrics::new(),
        pool: CpuPool::start("test", 2, 64).unwrap(),
        tenant: TenantId::default(),
        pins: Arc::new(PinsOf(Arc::clone(&reader))),
        options,
        ui: Router::new(),
        app: app_options(),
    };
    jaeger_services(Arc::new(Query::new(reader)), parts)
}

/// Takes pins of the traces that a reader knows.
#[derive(Debug)]
pub(crate) struct PinsOf(pub(crate) Arc<dyn SpanReader>);

impl Pins for PinsOf {
    fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> PinAnswer<bool> {
        let (reader, tenant) = (Arc::clone(&self.0), tenant.clone());
        Box::pin(async move {
            let found = reader.trace(&tenant, trace_id).await;
            let found = found.map_err(|error| PinError::Failed {
                reason: error.to_string(),
            })?;
            Ok(!found.spans.is_empty())
        })
    }

    fn unpin(&self, _: &TenantId, _: TraceId) -> PinAnswer<bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn pins(&self, _: &TenantId) -> PinAnswer<Vec<PinnedTrace>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

pub(crate) type PinAnswer<T> = model::contract::Answer<'static, Result<T, PinError>>;

pub(crate) fn app_options() -> AppOptions {
    AppOptions {
        base_path: BasePath::default(),
        frame_ancestors: "'self'".to_owned(),
        boot: Boot::default(),
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) location: String,
    pub(crate) text: String,
}

pub(crate) async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let response: Response<Body> = router.clone().oneshot(request).await.unwrap();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map_or("", |v| v.to_str().unwrap())
            .to_owned()
    };
    let (content_type, location) = (header("content-type"), header("location"));
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer {
        status,
        content_type,
        location,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

pub(crate) async fn get(router: &Router, target: &str) -> Answer {
    ask(router, Request::get(target).body(Body::empty()).unwrap()).await
}
