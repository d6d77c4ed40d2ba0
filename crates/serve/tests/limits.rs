//! What an answer may take, what it says when something is missing, and which error becomes which status.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::batch::{PackedValue, ResourceRow, ScopeRow, SpanRow};
use model::contract::{
    Answer, DependencyAnswer, OTHER_OPERATIONS, Operation, OperationsAnswer, ReadError,
    SearchAnswer, SearchRequest, Skipped, SpanReader, TraceAnswer, TraceHit, Window,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use model::{BatchBuilder, SpanBatch, SpanId, TenantId, TraceId};
use plumbing::{CpuPool, ManualClock, Metrics};
use query::{Query, QueryLimits};
use serve::{JaegerOptions, ServeParts, jaeger_router};
use tokio::sync::Notify;

use crate::world::{BASE_NANOS, NOW_NANOS, PinsOf, app_options, get, router_over};

/// A reader that answers as it is told, and counts how many traces are read at the same time.
#[derive(Debug, Default)]
struct Told {
    /// Traces that a search finds.
    traces: u8,
    error: Option<ReadError>,
    skipped: Vec<Skipped>,
    reading: AtomicUsize,
    reading_max: AtomicUsize,
    /// Told when a trace is asked for, which is then never answered, and when nobody waits for it any more.
    hangs: Option<(Arc<Notify>, Arc<Notify>)>,
}

/// Tells when it goes.
struct Farewell(Arc<Notify>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// A reader that never answers, with what tells that it was asked, and that nobody waits for it any more.
pub(crate) fn reader_that_hangs() -> (Arc<dyn SpanReader>, Arc<Notify>, Arc<Notify>) {
    let (asked, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let reader = Told {
        hangs: Some((Arc::clone(&asked), Arc::clone(&ended))),
        ..Told::default()
    };
    (Arc::new(reader), asked, ended)
}

fn skipped() -> Vec<Skipped> {
    vec![Skipped {
        what: "segment 7".to_owned(),
        why: "checksum <differs>".to_owned(),
    }]
}

/// A reader with some traces of one span, which skips what `skipped` says wherever it is asked.
pub(crate) fn reader_that_skips(traces: u8) -> Arc<dyn SpanReader> {
    Arc::new(Told {
        traces,
        skipped: skipped(),
        ..Told::default()
    })
}

fn span_of(trace_id: TraceId) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let mut cursor = builder.begin_attributes();
    builder.push_attribute(&mut cursor, b"service.name", PackedValue::String(b"s"));
    let attributes = builder.finish_attributes(cursor);
    let resource = builder.add_resource(ResourceRow {
        attributes,
        ..ResourceRow::default()
    });
    let scope = builder.add_scope(ScopeRow::default());
    builder.push_span(SpanRow {
        trace_id,
        span_id: SpanId([1; 8]),
        start: BASE_NANOS,
        end: BASE_NANOS + 1,
        resource,
        scope,
        ..SpanRow::default()
    });
    builder.finish()
}

impl Told {
    fn or_error<T>(&self, answer: T) -> Result<T, ReadError> {
        self.error.clone().map_or(Ok(answer), Err)
    }
}

impl SpanReader for Told {
    fn trace(&self, _: &TenantId, trace_id: TraceId) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        Box::pin(async move {
            if let Some((asked, ended)) = &self.hangs {
                let _farewell = Farewell(Arc::clone(ended));
                asked.notify_one();
                std::future::pending::<()>().await;
            }
            let now = self.reading.fetch_add(1, Ordering::SeqCst) + 1;
            self.reading_max.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.reading.fetch_sub(1, Ordering::SeqCst);
            let is_known = (1..=self.traces).any(|number| trace_id == TraceId([number; 16]));
            let spans = if is_known {
                span_of(trace_id)
            } else {
                SpanBatch::default()
            };
            self.or_error(TraceAnswer {
                spans,
                skipped: self.skipped.clone(),
            })
        })
    }

    fn search(&self, request: SearchRequest) -> Answer<'_, Result<SearchAnswer, ReadError>> {
        let hit = |number| TraceHit {
            trace_id: TraceId([number; 16]),
            start: BASE_NANOS,
            end: BASE_NANOS + 1,
            spans: 1,
        };
        let traces = (1..=self.traces).map(hit).take(request.limit).collect();
        let answer = self.or_error(SearchAnswer {
            traces,
            has_more: false,
            skipped: self.skipped.clone(),
        });
        Box::pin(async move { answer })
    }

    fn services(&self, _: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>> {
        let answer = self.or_error(Vec::new());
        Box::pin(async move { answer })
    }

    fn operations(&self, _: &TenantId, _: &str) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        let answer = self.or_error(OperationsAnswer {
            operations: vec![Operation {
                name: OTHER_OPERATIONS.to_owned(),
                kind: 2,
            }],
            is_all: false,
        });
        Box::pin(async move { answer })
    }

    fn dependencies(
        &self,
        _: &TenantId,
        _: Window,
    ) -> Answer<'_, Result<DependencyAnswer, ReadError>> {
        let answer = self.or_error(DependencyAnswer {
            links: Vec::new(),
            skipped: self.skipped.clone(),
        });
        Box::pin(async move { answer })
    }

    fn facts(&self, _: &TenantId, _: Vec<TraceId>) -> Answer<'_, Result<FactsAnswer, ReadError>> {
        let answer = self.or_error(FactsAnswer {
            facts: Vec::new(),
            skipped: self.skipped.clone(),
        });
        Box::pin(async move { answer })
    }

    fn seen(&self, _: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        let answer = self.or_error(SeenAnswer {
            skipped: self.skipped.clone(),
            ..Default::default()
        });
        Box::pin(async move { answer })
    }

    fn values(&self, _: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>> {
        let answer = self.or_error(ValuesAnswer {
            skipped: self.skipped.clone(),
            ..Default::default()
        });
        Box::pin(async move { answer })
    }

    fn rates(&self, _: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>> {
        let answer = self.or_error(RatesAnswer {
            series: Vec::new(),
            has_all_operations: true,
            skipped: self.skipped.clone(),
        });
        Box::pin(async move { answer })
    }
}

#[tokio::test]
async fn each_kind_of_error_has_its_status() {
    let reason = || "because".to_owned();
    let cases = [
        (ReadError::BadQuestion { reason: reason() }, 400, "because"),
        (ReadError::OverLimit { reason: reason() }, 422, "because"),
        (
            ReadError::Busy { reason: reason() },
            503,
            "the store is busy: because; ask again later",
        ),
        (
            ReadError::Failed { reason: reason() },
            500,
            "the store failed: because",
        ),
    ];
    for (error, status, message) in cases {
        let router = router_over(
            Arc::new(Told {
                error: Some(error),
                ..Told::default()
            }),
            JaegerOptions::default(),
        );
        for target in [
            "/api/services",
            "/api/traces?service=s",
            "/api/traces/1",
            "/api/dependencies",
            "/api/operations?service=s",
        ] {
            let answer = get(&router, target).await;
            assert_eq!(answer.status, status, "{target}");
            assert_eq!(answer.content_type, "text/plain; charset=utf-8");
            let errors = format!("[{{\"code\":{status},\"msg\":\"{message}\"}}]");
            let expected = format!(
                "{{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":{errors}}}\n"
            );
            assert_eq!(answer.text, expected, "{target}");
        }
    }
}

#[tokio::test]
async fn what_was_skipped_is_told_in_an_answer_that_is_good_otherwise() {
    let reader = Told {
        traces: 1,
        skipped: skipped(),
        ..Told::default()
    };
    let router = router_over(Arc::new(reader), JaegerOptions::default());
    let told = "{\"msg\":\"this answer is incomplete: segment 7 was skipped: checksum \\u003cdiffers\\u003e\"}";
    for (target, times) in [
        ("/api/traces/01010101010101010101010101010101", 1),
        ("/api/traces?traceID=01010101010101010101010101010101", 1),
        // Once for the search, once for the trace.
        ("/api/traces?service=s", 2),
        ("/api/dependencies", 1),
    ] {
        let answer = get(&router, target).await;
        assert_eq!(answer.status, 200, "{target}");
        let errors = format!("\"errors\":[{}]}}", vec![told; times].join(","));
        assert!(answer.text.ends_with(&errors), "{target}: {}", answer.text);
    }
}

#[tokio::test]
async fn operations_that_are_not_listed_are_told() {
    let router = router_over(Arc::new(Told::default()), JaegerOptions::default());
    for (target, data) in [
        ("/api/services/s/operations", "[\"\\u003cother\\u003e\"]"),
        (
            "/api/operations?service=s",
            "[{\"name\":\"\\u003cother\\u003e\"",
        ),
    ] {
        let answer = get(&router, target).await;
        assert_eq!(answer.status, 200, "{target}");
        let is_told = answer
            .text
            .contains("there are more operations than can be listed");
        assert!(
            is_told && answer.text.contains(data),
            "{target}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_trace_is_not_said_to_be_missing_when_something_could_not_be_read() {
    let reader = Told {
        skipped: skipped(),
        ..Told::default()
    };
    let answer = get(
        &router_over(Arc::new(reader), JaegerOptions::default()),
        "/api/traces/1",
    )
    .await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.text.contains("segment 7: checksum"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn few_traces_are_read_at_a_time_and_they_keep_their_order() {
    let reader = Arc::new(Told {
        traces: 50,
        ..Told::default()
    });
    let router = router_over(reader.clone(), JaegerOptions::default());
    let answer = get(&router, "/api/traces?service=s&limit=40").await;
    let body: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    let ids: Vec<&str> = body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["traceID"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (1..=40u8)
        .map(|number| TraceId([number; 16]).to_string())
        .collect();
    assert_eq!(ids, expected);
    let reading_max = reader.reading_max.load(Ordering::SeqCst);
    assert!(
        (2..=QueryLimits::default().loads_at_once).contains(&reading_max),
        "{reading_max}"
    );
}

#[tokio::test]
async fn an_id_that_is_given_twice_is_answered_once() {
    let router = router_over(
        Arc::new(Told {
            traces: 2,
            ..Told::default()
        }),
        JaegerOptions::default(),
    );
    let (known, other) = ("01".repeat(16), "ff".repeat(16));
    let target =
        format!("/api/traces?traceID={known}&traceID={other}&traceID={known}&traceID={other}");
    let body: serde_json::Value = serde_json::from_str(&get(&router, &target).await.text).unwrap();
    assert_eq!(body["data"].as_array().unwrap().len(), 1);
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_over_its_memory_is_refused_with_the_name_of_the_limit() {
    let limits = QueryLimits {
        answer_bytes_max: 1_000,
        ..QueryLimits::default()
    };
    let query = Query::with_limits(
        Arc::new(Told {
            traces: 50,
            ..Told::default()
        }),
        limits,
    );
    let parts = ServeParts {
        clock: Arc::new(ManualClock::at(NOW_NANOS)),
        metrics: &Metrics::new(),
        pool: CpuPool::start("test", 1, 4).unwrap(),
        tenant: TenantId::default(),
        pins: Arc::new(PinsOf(Arc::new(Told::default()))),
        options: JaegerOptions::default(),
        ui: axum::Router::new(),
        app: app_options(),
    };
    let router = jaeger_router(Arc::new(query), parts);
    let answer = get(&router, "/api/traces?service=s").await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.text.contains("query.answer_bytes_max (1000 bytes)"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_limit_over_the_configured_one_is_refused_as_in_jaeger() {
    let options = JaegerOptions {
        search_traces_max: 5,
        ..JaegerOptions::default()
    };
    let router = router_over(
        Arc::new(Told {
            traces: 9,
            ..Told::default()
        }),
        options,
    );
    assert_eq!(
        get(&router, "/api/traces?service=s&limit=5").await.status,
        200
    );
    let refused = get(&router, "/api/traces?service=s&limit=6").await;
    assert_eq!(refused.status, 500);
    assert!(
        refused
            .text
            .contains("search depth must be greater than 0 and less than max traces")
    );
}
