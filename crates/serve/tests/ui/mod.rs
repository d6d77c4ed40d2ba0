//! What the web app asks, over the plain store: every route, its mistakes, and what is told when something is missing.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of spans and rows are small here"
)]

mod compare;
mod overview;
mod program;
mod rates;
mod search;
mod spans;
mod tail;
mod trace;
mod walk;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use codec::otlp::decode_proto;
use model::contract::{
    Answer as Asked, DependencyAnswer, OperationsAnswer, ReadError, SearchAnswer, SearchRequest,
    Skipped, SpanReader, TraceAnswer, Window,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use model::{OutlineAnswer, OverviewAnswer, OverviewRequest, SpanBatch, SpanId, TenantId, TraceId};
use plumbing::{CpuPool, ManualClock, Metrics, Shutdown};
use query::Query;
use serde_json::Value;
use serve::{
    JaegerOptions, Program, ProgramStatus, ServeParts, Tail, UiOptions, UiParts, jaeger_router,
    ui_router,
};
use testkit::oracle::OracleStore;
use testkit::spans::RequestBuilder;

use crate::world::{Answer, NOW_NANOS, PinsOf, app_options, ask};

/// The app's API below a whole server, and what it stands on.
pub(super) struct Page {
    pub(super) router: Router,
    pub(super) tail: Tail,
    pub(super) shutdown: Shutdown,
    pub(super) clock: Arc<ManualClock>,
}

/// What may be different in a test.
pub(super) struct Choices {
    pub(super) options: UiOptions,
    pub(super) program: Arc<dyn Program>,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            options: UiOptions::default(),
            program: Arc::new(NoProgram),
        }
    }
}

pub(super) fn page_over(reader: Arc<dyn SpanReader>) -> Page {
    page_with(reader, Choices::default())
}

pub(super) fn page_with(reader: Arc<dyn SpanReader>, choices: Choices) -> Page {
    let clock = Arc::new(ManualClock::at(NOW_NANOS));
    let (tail, shutdown) = (Tail::default(), Shutdown::new());
    let query = Arc::new(Query::new(Arc::clone(&reader)));
    let pool = CpuPool::start("test", 2, 64).unwrap();
    let ui = ui_router(UiParts {
        query: Arc::clone(&query),
        clock: clock.clone(),
        pool: pool.clone(),
        tenant: TenantId::default(),
        program: choices.program,
        tail: tail.clone(),
        shutdown: shutdown.clone(),
        options: choices.options,
    });
    let parts = ServeParts {
        clock: clock.clone(),
        metrics: &Metrics::new(),
        pool,
        tenant: TenantId::default(),
        pins: Arc::new(PinsOf(reader)),
        options: JaegerOptions::default(),
        ui,
        app: app_options(),
    };
    Page {
        router: jaeger_router(query, parts),
        tail,
        shutdown,
        clock,
    }
}

impl Page {
    /// Asks a route below `/api/ui/v1`.
    pub(super) async fn get(&self, target: &str) -> Answer {
        let target = format!("/api/ui/v1{target}");
        ask(
            &self.router,
            Request::get(target).body(Body::empty()).unwrap(),
        )
        .await
    }

    /// Asks for an answer that must be good.
    pub(super) async fn good(&self, target: &str) -> Value {
        let answer = self.get(target).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text);
        assert_eq!(answer.content_type, "application/json", "{target}");
        serde_json::from_str(&answer.text).unwrap()
    }

    /// Asks for what must be refused in the one shape of errors; gives the error.
    pub(super) async fn refused(&self, target: &str, status: u16) -> Value {
        error_of(target, &self.get(target).await, status)
    }

    pub(super) async fn post(&self, target: &str, content_type: &str, body: &str) -> Answer {
        let mut request = Request::post(format!("/api/ui/v1{target}"));
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        ask(
            &self.router,
            request.body(Body::from(body.to_owned())).unwrap(),
        )
        .await
    }
}

pub(super) fn error_of(target: &str, answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{target}: {}", answer.text);
    assert_eq!(
        answer.content_type, "application/json",
        "{target}: {}",
        answer.text
    );
    let body: Value = serde_json::from_str(&answer.text).unwrap();
    let error = body["error"].clone();
    assert!(
        error["message"].as_str().is_some_and(|text| text.len() > 5),
        "{target}: {}",
        answer.text
    );
    error
}

/// As a parameter.
pub(super) fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(crate) fn batch_of(request: RequestBuilder) -> SpanBatch {
    let decoded = decode_proto(&request.encode()).unwrap();
    assert_eq!(decoded.rejected_spans, 0, "{:?}", decoded.rejection);
    decoded.batch
}

pub(super) fn store_of(requests: impl IntoIterator<Item = RequestBuilder>) -> OracleStore {
    let store = OracleStore::new();
    for request in requests {
        store.keep(&TenantId::default(), &batch_of(request));
    }
    store
}

/// A program of which nothing is asked.
#[derive(Debug)]
struct NoProgram;

impl Program for NoProgram {
    fn status(&self) -> ProgramStatus {
        ProgramStatus::default()
    }

    fn send_test_trace(&self, _: &TenantId) -> Asked<'static, Result<TraceId, String>> {
        Box::pin(std::future::ready(Err("there is none".to_owned())))
    }

    fn send_sample(&self, _: &TenantId) -> Asked<'static, Result<u64, String>> {
        Box::pin(std::future::ready(Err("there is none".to_owned())))
    }
}

/// A store with a part that can't be read, whose searches fail or wait from some number on.
#[derive(Debug)]
pub(super) struct Damaged {
    store: OracleStore,
    pub(super) skipped: Vec<Skipped>,
    /// Searches that are answered.
    good_searches: usize,
    /// Whether those behind are never answered, instead of with an error.
    is_slow: bool,
    searches: AtomicUsize,
}

impl Damaged {
    pub(super) fn new(store: OracleStore) -> Self {
        let skipped = vec![Skipped {
            what: "segment 7".to_owned(),
            why: "checksum differs".to_owned(),
        }];
        Self {
            store,
            skipped,
            good_searches: usize::MAX,
            is_slow: false,
            searches: AtomicUsize::new(0),
        }
    }

    pub(super) fn failing_after(store: OracleStore, searches: usize) -> Self {
        Self {
            good_searches: searches,
            skipped: Vec::new(),
            ..Self::new(store)
        }
    }

    pub(super) fn waiting_after(store: OracleStore, searches: usize) -> Self {
        Self {
            is_slow: true,
            ..Self::failing_after(store, searches)
        }
    }
}

impl SpanReader for Damaged {
    fn trace(&self, tenant: &TenantId, id: TraceId) -> Asked<'_, Result<TraceAnswer, ReadError>> {
        let answer = self.store.trace(tenant, id);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(TraceAnswer {
                skipped: self.skipped.clone(),
                ..answer
            })
        })
    }

    fn outline(
        &self,
        tenant: &TenantId,
        id: TraceId,
    ) -> Asked<'_, Result<OutlineAnswer, ReadError>> {
        let answer = self.store.outline(tenant, id);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(OutlineAnswer {
                skipped: self.skipped.clone(),
                ..answer
            })
        })
    }

    fn spans_of(
        &self,
        tenant: &TenantId,
        id: TraceId,
        ids: Vec<SpanId>,
    ) -> Asked<'_, Result<TraceAnswer, ReadError>> {
        let answer = self.store.spans_of(tenant, id, ids);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(TraceAnswer {
                skipped: self.skipped.clone(),
                ..answer
            })
        })
    }

    fn search(&self, request: SearchRequest) -> Asked<'_, Result<SearchAnswer, ReadError>> {
        let before = self.searches.fetch_add(1, Ordering::SeqCst);
        if before >= self.good_searches {
            if self.is_slow {
                return Box::pin(std::future::pending());
            }
            let reason = "the disk is gone".to_owned();
            return Box::pin(std::future::ready(Err(ReadError::Failed { reason })));
        }
        let answer = self.store.search(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(SearchAnswer {
                skipped: self.skipped.clone(),
                ..answer
            })
        })
    }

    fn services(&self, tenant: &TenantId) -> Asked<'_, Result<Vec<String>, ReadError>> {
        self.store.services(tenant)
    }

    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Asked<'_, Result<OperationsAnswer, ReadError>> {
        self.store.operations(tenant, service)
    }

    fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Asked<'_, Result<DependencyAnswer, ReadError>> {
        self.store.dependencies(tenant, window)
    }

    fn facts(
        &self,
        tenant: &TenantId,
        traces: Vec<TraceId>,
    ) -> Asked<'_, Result<FactsAnswer, ReadError>> {
        let answer = self.store.facts(tenant, traces);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(FactsAnswer {
                skipped: self.skipped.clone(),
                ..answer
            })
        })
    }

    fn seen(&self, tenant: &TenantId) -> Asked<'_, Result<SeenAnswer, ReadError>> {
        self.store.seen(tenant)
    }

    fn values(&self, request: ValuesRequest) -> Asked<'_, Result<ValuesAnswer, ReadError>> {
        self.store.values(request)
    }

    fn rates(&self, request: RatesRequest) -> Asked<'_, Result<RatesAnswer, ReadError>> {
        let answer = self.store.rates(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(RatesAnswer {
                skipped: self.skipped.clone(),
                ..answer
            })
        })
    }

    fn overview(&self, request: OverviewRequest) -> Asked<'_, Result<OverviewAnswer, ReadError>> {
        let answer = self.store.overview(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(OverviewAnswer {
                skipped: self.skipped.clone(),
                ..answer
            })
        })
    }
}

#[tokio::test]
async fn a_route_that_there_is_not_is_refused_in_the_shape_of_all_errors() {
    let page = page_over(Arc::new(OracleStore::new()));
    for target in ["", "/none", "/traces/1", "/traces/1/none", "/search/x"] {
        let error = page.refused(target, 404).await;
        assert!(error["hint"].is_string(), "{target}");
    }
    let post = page.post("/none", "application/json", "{}").await;
    error_of("POST /none", &post, 404);
    let post = page.post("/search", "application/json", "{}").await;
    error_of("POST /search", &post, 405);
    error_of("GET /sample", &page.get("/sample").await, 405);
}
