//! All spans of a trace looked through: what matches by row, its fields, a field by row, its events.

use std::sync::Arc;

use model::contract::Window;
use model::{SpanBatch, TenantId, TraceOutline};
use proptest::prelude::*;
use query::skeleton::Skeleton;
use query::{Query, Scope};
use serde_json::Value;
use testkit::oracle::OracleStore;
use testkit::spans::{Ids, RequestBuilder, SpanKind, request};

use super::{Page, escaped, page_over, store_of};
use crate::world::BASE_NANOS;

/// More spans than a step of a walk has.
const LONG: u64 = 20_500;

fn id() -> String {
    Ids::default().trace_hex(1)
}

async fn rows(page: &Page, text: &str) -> Vec<usize> {
    let answer = page
        .good(&format!("/traces/{}/find?q={}", id(), escaped(text)))
        .await;
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| usize::try_from(row.as_u64().unwrap()).unwrap())
        .collect()
}

/// What is drawn of a span: number of its id, of its parent's, start, duration, kind, name, an attribute, failure.
type Drawn = (u64, u64, u64, u64, i32, u8, Option<u8>, bool);

fn drawn() -> impl Strategy<Value = Drawn> {
    (
        1u64..8,
        0u64..9,
        0u64..60,
        0u64..60,
        0i32..6,
        0u8..3,
        prop::option::of(0u8..4),
        any::<bool>(),
    )
}

fn request_of(spans: &[Drawn]) -> RequestBuilder {
    let begin = request().service("s").resource_attr("host.name", "h");
    spans.iter().fold(
        begin,
        |request, (id, parent, start, lasting, kind, name, attribute, failed)| {
            request.span(["a", "b", "ä"][*name as usize], |span| {
                let span = span
                    .id(*id)
                    .start_ns(BASE_NANOS + start)
                    .lasting_ns(*lasting);
                let span = if *parent == 0 {
                    span
                } else {
                    span.parent(*parent)
                };
                let span = span.kind(SpanKind::try_from(*kind).unwrap());
                let span = match attribute {
                    Some(n @ 0..2) => span.attr("k", i64::from(*n)),
                    Some(n) => span.attr("k", format!("v{n}").as_str()),
                    None => span,
                };
                if *failed { span.error("") } else { span }
            })
        },
    )
}

const QUERIES: &[&str] = &[
    "",
    "{ name = \"ä\" }",
    "{ kind = server || status = error }",
    "{ span.k > 0 }",
    "{ .k = \"v2\" && duration >= 20ns }",
    "{ !(span.k = 1) && resource.host.name = \"h\" }",
    "{ span:childCount > 1 }",
    "{ span:selfTime < duration }",
    "{ duration > traceDuration / 2 }",
    "{ trace:errorCount > 2 && trace:spanCount < 9 }",
    "{ rootName = \"a\" }",
];

async fn judged(batch: &SpanBatch, text: &str, scope: Scope) -> Vec<usize> {
    let query = Query::new(Arc::new(OracleStore::new()));
    let question = query
        .question(&TenantId::default(), text, scope)
        .await
        .unwrap();
    let skeleton = Skeleton::of(&TraceOutline::of(batch), 0);
    let found = question
        .matches(batch, Window::ALWAYS)
        .into_iter()
        .map(|at| {
            let is_of = |source: &&u32| **source as usize == at;
            let mut sources = skeleton.rows.source.iter();
            sources.position(|source| is_of(&source)).unwrap()
        });
    let mut rows: Vec<usize> = found.collect();
    rows.sort_unstable();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_that_are_found_are_those_that_the_whole_trace_says(spans in prop::collection::vec(drawn(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // The store keeps a span that is sent twice once: it is asked what it has.
            let store = Arc::new(store_of([request_of(&spans)]));
            let trace = model::TraceId(Ids::default().trace(1));
            let kept = model::contract::SpanReader::trace(&*store, &TenantId::default(), trace);
            let batch = kept.await.unwrap().spans;
            let page = page_over(store);
            for text in QUERIES {
                assert_eq!(rows(&page, text).await, judged(&batch, text, Scope::Traces).await, "{text}");
            }
            let entry = page.good(&format!("/traces/{}/find?q=&scope=entry", id())).await;
            let entry: Vec<u64> = entry["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect();
            let expected = judged(&batch, "", Scope::Entry).await;
            assert!(entry.iter().map(|row| *row as usize).eq(expected));
        });
    }
}

/// A long trace: a root that comes last, and below it spans of which every hundredth fails, with seven values.
fn long() -> RequestBuilder {
    let leaves = (2..=LONG).fold(
        request().service("s").resource_attr("host.name", "h"),
        |request, n| {
            request.span("leaf", |span| {
                let span = span.id(n).parent(1).start_ns(BASE_NANOS + n).lasting_ns(1);
                let span = span
                    .attr("shard", format!("s{}", n % 7).as_str())
                    .event("tick");
                if n.is_multiple_of(100) {
                    span.error("")
                } else {
                    span
                }
            })
        },
    );
    leaves.span("root", |span| {
        span.id(1).start_ns(BASE_NANOS).lasting_ns(LONG + 10)
    })
}

#[tokio::test]
async fn a_trace_of_any_length_is_looked_through_in_steps() {
    let page = page_over(Arc::new(store_of([long()])));
    let failed: Vec<usize> = (2..=LONG)
        .filter(|n| n.is_multiple_of(100))
        .map(|n| n as usize - 1)
        .collect();
    assert_eq!(
        rows(&page, "{ status = error }").await,
        failed,
        "rows are in the order of starts"
    );
    assert_eq!(rows(&page, "{ name = \"root\" }").await, [0]);
    for text in [
        "{ span:childCount = 0 }",
        "{ trace:spanCount > 1 }",
        "{ rootName = \"root\" }",
    ] {
        let target = format!("/traces/{}/find?q={}", id(), escaped(text));
        let error = page.refused(&target, 422).await;
        assert!(error["hint"].is_string(), "{text}");
    }
    let keys = page.good(&format!("/traces/{}/keys", id())).await;
    let told: Vec<String> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        format!(r#"{{"field":"resource.host.name","spans":{LONG},"distinct":1}}"#),
        format!(r#"{{"field":"resource.service.name","spans":{LONG},"distinct":1}}"#),
        format!(
            r#"{{"field":"span.shard","spans":{},"distinct":7}}"#,
            LONG - 1
        ),
    ];
    assert_eq!(told, expected, "a value that comes in two steps is one");
    assert_eq!(keys["isAll"], true);
    let events = page.good(&format!("/traces/{}/events", id())).await;
    assert_eq!(events["events"].as_array().unwrap().len(), 20_000);
    assert_eq!(events["isAll"], false, "it is said that there are more");
}

#[tokio::test]
async fn a_column_tells_the_values_by_row_with_the_most_frequent_first() {
    let page = page_over(Arc::new(store_of([long()])));
    let column = page
        .good(&format!("/traces/{}/column?field=span.shard", id()))
        .await;
    let values: Vec<&str> = column["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect();
    assert_eq!(values.len(), 7);
    let rows: Vec<usize> = column["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_u64().unwrap() as usize)
        .collect();
    assert_eq!((rows.len() as u64, rows[0]), (LONG, 0), "the root has none");
    for n in 2..=LONG {
        assert_eq!(values[rows[n as usize - 1] - 1], format!("s{}", n % 7));
    }
    let count = |value: usize| rows.iter().filter(|row| **row == value + 1).count();
    let counts: Vec<usize> = (0..7).map(count).collect();
    assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    let names = page
        .good(&format!("/traces/{}/column?field=name", id()))
        .await;
    assert_eq!(names["values"], serde_json::json!(["leaf", "root"]));
    for target in ["column", "column?field=", "column?field=a%20b"] {
        page.refused(&format!("/traces/{}/{target}", id()), 400)
            .await;
    }
}

#[tokio::test]
async fn events_come_by_time_with_the_row_of_their_span() {
    let request = request()
        .service("s")
        .span("child", |span| {
            let span = span
                .id(2)
                .parent(1)
                .start_ns(BASE_NANOS + 10)
                .lasting_ns(50);
            span.event("late")
                .event_at_ns(BASE_NANOS + 40)
                .event("early")
                .event_at_ns(BASE_NANOS + 15)
        })
        .span("root", |span| {
            let span = span.id(1).start_ns(BASE_NANOS).lasting_ns(100);
            span.event("middle")
                .event_at_ns(BASE_NANOS + 20)
                .event_attr("n", 3)
        });
    let page = page_over(Arc::new(store_of([request])));
    let answer = page.good(&format!("/traces/{}/events", id())).await;
    let told: Vec<(u64, &str)> = answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["row"].as_u64().unwrap(),
                one["event"]["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(1, "early"), (0, "middle"), (1, "late")]);
    assert_eq!(
        answer["events"][1]["event"]["attributes"][0]["value"]["value"],
        "3"
    );
    assert_eq!(answer["isAll"], Value::Bool(true));
}

/// The ids of the spans that words are found in.
async fn with_words(page: &Page, words: &str) -> Vec<usize> {
    let target = format!("/traces/{}/find?words={}", id(), escaped(words));
    let answer = page.good(&target).await;
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| usize::try_from(row.as_u64().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn words_are_found_in_all_that_a_span_holds() {
    let of_trace = request()
        .service("front")
        .resource_attr("host.name", "Node-7")
        .scope("otel-http", "1.2")
        .span("GET /", |span| {
            let span = span
                .start_ns(BASE_NANOS)
                .lasting_ms(9)
                .kind(SpanKind::Server);
            span.attr("user_agent", "python-requests")
                .attr("http.response.status_code", 503)
        })
        .span("call", |span| {
            let span = span.parent(1).start_ns(BASE_NANOS + 1).lasting_ms(5);
            span.event("Exception")
                .event_attr("exception.type", "TimeoutError")
        })
        .span("read", |span| {
            let span = span.parent(2).start_ns(BASE_NANOS + 2).lasting_ms(2);
            span.attr("secret.front", "x").error("gave up")
        });
    let page = page_over(Arc::new(store_of([of_trace])));
    let id_of_third = Ids::default().span_hex(3);
    for (words, rows) in [
        ("PYTHON", vec![0]),
        ("503", vec![0]),
        ("server", vec![0]),
        ("timeouterror", vec![1]),
        ("exception", vec![1]),
        ("\"gave up\"", vec![2]),
        ("error=true", vec![]),
        ("true", vec![2]),
        ("node-7", vec![0, 1, 2]),
        ("otel-http", vec![0, 1, 2]),
        // Any of them is enough.
        ("python call", vec![0, 1]),
        ("\"python call\"", vec![]),
        ("front -service.name", vec![0, 1, 2]),
        ("secret", vec![2]),
        ("secret -SECRET.front", vec![]),
        ("-secret.front", vec![]),
        (id_of_third.as_str(), vec![2]),
        (".*", vec![]),
    ] {
        assert_eq!(with_words(&page, words).await, rows, "{words}");
    }
    let long = escaped(&"x".repeat(10_001));
    let error = page
        .refused(&format!("/traces/{}/find?words={long}", id()), 400)
        .await;
    assert!(error["message"].as_str().unwrap().contains("10000"));
}
