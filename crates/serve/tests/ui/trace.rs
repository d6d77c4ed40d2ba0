//! One trace: its rows as Arrow, read back as the app reads them, and its spans with all that is known of them.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, UInt8Type, UInt16Type, UInt32Type};
use arrow_array::{Array as _, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use flate2::read::GzDecoder;
use serde_json::Value;
use testkit::oracle::OracleStore;
use testkit::spans::{Ids, RequestBuilder, SpanKind, request};
use testkit::{array, map};
use tower::ServiceExt as _;

use super::{Damaged, Page, error_of, page_over, store_of};
use crate::world::{Answer, BASE_NANOS};

const MS: u64 = 1_000_000;

/// A root, a client and a server that share an id, a query below them, and four like calls of the root.
fn trace() -> RequestBuilder {
    let at = |ms: u64| BASE_NANOS + ms * MS;
    let first = request()
        .service("front")
        .span("GET /", |span| {
            span.id(1)
                .kind(SpanKind::Server)
                .start_ns(at(0))
                .lasting_ms(100)
        })
        .span("call", |span| {
            let span = span.id(2).parent(1).kind(SpanKind::Client).start_ns(at(10));
            span.lasting_ms(50).event("retry").link(7, 9)
        })
        .service("back")
        .span("call", |span| {
            let span = span.id(2).parent(1).kind(SpanKind::Server).start_ns(at(15));
            span.lasting_ms(40)
        })
        .span("SELECT", |span| {
            let span = span.id(3).parent(2).start_ns(at(20)).lasting_ms(10);
            span.error("no")
        })
        .service("front");
    (0..4).fold(first, |request, n| {
        request.span("loop", |span| {
            span.id(10 + n)
                .parent(1)
                .start_ns(at(70 + n))
                .lasting_ns(MS / 2)
        })
    })
}

fn id() -> String {
    Ids::default().trace_hex(1)
}

struct Skeleton {
    headers: HashMap<String, String>,
    rows: Vec<RecordBatch>,
    metadata: HashMap<String, String>,
    critical: RecordBatch,
}

async fn skeleton(page: &Page, id: &str) -> Skeleton {
    let request = Request::get(format!("/api/ui/v1/traces/{id}/skeleton"));
    let response = page
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut rest = &body[..];
    let mut streams = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (stream, behind) = behind.split_at(u32::from_le_bytes(*length) as usize);
        let reader = StreamReader::try_new(Cursor::new(stream.to_vec()), None).unwrap();
        let metadata: HashMap<String, String> =
            reader.schema().metadata().clone().into_iter().collect();
        streams.push((metadata, reader.map(Result::unwrap).collect::<Vec<_>>()));
        rest = behind;
    }
    assert!(rest.is_empty(), "nothing stands behind the last stream");
    let [(metadata, rows), (_, critical)] = <[_; 2]>::try_from(streams).unwrap();
    let [critical] = <[_; 1]>::try_from(critical).unwrap();
    Skeleton {
        headers,
        rows,
        metadata,
        critical,
    }
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
    let column = batch
        .column_by_name(column)
        .unwrap()
        .as_dictionary::<UInt32Type>();
    let values = column
        .values()
        .as_any()
        .downcast_ref::<StringArray>()
        .unwrap();
    let keys = column.keys().values().iter();
    keys.map(|key| values.value(*key as usize).to_owned())
        .collect()
}

fn floats(batch: &RecordBatch, column: &str) -> Vec<f64> {
    batch
        .column_by_name(column)
        .unwrap()
        .as_primitive::<Float64Type>()
        .values()
        .to_vec()
}

#[tokio::test]
async fn the_rows_of_a_trace_are_two_streams_of_arrow() {
    let page = page_over(Arc::new(store_of([trace()])));
    let told = skeleton(&page, &id()).await;
    assert_eq!(
        told.headers["content-type"],
        "application/vnd.apache.arrow.stream"
    );
    let [rows] = <[_; 1]>::try_from(told.rows).unwrap();
    let names: Vec<String> = rows
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(
        names,
        [
            "span_id", "depth", "subtree", "start", "dur", "self", "service", "name", "kind",
            "status", "flags", "group"
        ]
    );
    assert_eq!(
        texts(&rows, "name"),
        [
            "GET /", "call", "call", "SELECT", "loop", "loop", "loop", "loop"
        ]
    );
    assert_eq!(
        texts(&rows, "service")[..4],
        ["front", "front", "back", "back"]
    );
    let numbers = |column: &str| rows.column_by_name(column).unwrap().clone();
    assert_eq!(
        numbers("depth").as_primitive::<UInt16Type>().values()[..],
        [0, 1, 2, 3, 1, 1, 1, 1]
    );
    assert_eq!(
        numbers("subtree").as_primitive::<UInt32Type>().values()[..],
        [8, 3, 2, 1, 1, 1, 1, 1]
    );
    assert_eq!(
        numbers("kind").as_primitive::<UInt8Type>().values()[..4],
        [2, 3, 2, 0]
    );
    assert_eq!(
        numbers("status").as_primitive::<UInt8Type>().values()[..4],
        [0, 0, 0, 2]
    );
    assert_eq!(
        numbers("group").as_primitive::<UInt32Type>().values()[..],
        [0, 0, 0, 0, 1, 1, 1, 1]
    );
    let flags = numbers("flags")
        .as_primitive::<UInt16Type>()
        .values()
        .to_vec();
    assert_eq!(flags[1] & 0b110, 0b110, "it has an event and a link");
    assert_eq!(
        (flags[3] & 1, flags[4] >> 7),
        (1, 1),
        "an error; the first of a run"
    );
    assert_eq!(floats(&rows, "start")[..4], [0.0, 10e6, 15e6, 20e6]);
    assert_eq!(floats(&rows, "dur")[..4], [100e6, 50e6, 40e6, 10e6]);
    assert_eq!(floats(&rows, "self")[..4], [48e6, 10e6, 30e6, 10e6]);
    let ids = numbers("span_id");
    let ids = ids.as_fixed_size_binary();
    assert_eq!(ids.value(1), ids.value(2), "ids are told as they were sent");
    assert_eq!(ids.value(3), Ids::default().span(3));
}

#[tokio::test]
async fn what_holds_for_the_whole_trace_stands_beside_its_rows() {
    let page = page_over(Arc::new(store_of([trace()])));
    let told = skeleton(&page, &id()).await;
    let metadata = |key: &str| told.metadata[key].as_str();
    assert_eq!(
        (metadata("trace_id"), metadata("spans")),
        (id().as_str(), "8")
    );
    assert_eq!(metadata("start_ns"), BASE_NANOS.to_string());
    assert_eq!(
        (metadata("duration_ns"), metadata("errors")),
        ("100000000", "1")
    );
    assert_eq!((metadata("complete"), metadata("warnings")), ("true", "[]"));
    assert_eq!(told.headers["etag"], format!("\"{}\"", metadata("version")));
    let (from, to) = (floats(&told.critical, "from"), floats(&told.critical, "to"));
    assert_eq!((from[0], to[to.len() - 1]), (0.0, 100e6));
    assert!(
        from.iter().skip(1).eq(to.iter().take(to.len() - 1)),
        "the pieces leave no gap"
    );
}

#[tokio::test]
async fn a_long_trace_comes_in_batches() {
    let first = request().service("s").span("root", |span| {
        span.id(1).start_ns(BASE_NANOS).lasting_ms(90_000)
    });
    let long = (2..=40_000).fold(first, |request, n| {
        request.span("leaf", |span| span.id(n).parent(1))
    });
    let page = page_over(Arc::new(store_of([long])));
    let told = skeleton(&page, &id()).await;
    let rows: Vec<usize> = told.rows.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [16_384, 16_384, 40_000 - 2 * 16_384]);
    assert_eq!(
        told.metadata["spans"], "40000",
        "known before the first row is read"
    );
    let last = told.rows[2].column_by_name("service").unwrap();
    assert_eq!(last.as_dictionary::<UInt32Type>().values().len(), 1);
}

async fn asked_with(page: &Page, tag: &str) -> (u16, usize) {
    let request = Request::get(format!("/api/ui/v1/traces/{}/skeleton", id()));
    let request = request
        .header("if-none-match", tag)
        .body(Body::empty())
        .unwrap();
    let response = page.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    assert!(response.headers().contains_key("etag"));
    (
        status,
        to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .len(),
    )
}

#[tokio::test]
async fn who_has_the_rows_is_told_so_until_a_span_comes() {
    let store = Arc::new(store_of([trace()]));
    let page = page_over(store.clone());
    let tag = skeleton(&page, &id()).await.headers["etag"].clone();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"1\", {tag}")] {
        assert_eq!(asked_with(&page, &known).await, (304, 0), "{known}");
    }
    let (status, bytes) = asked_with(&page, "\"0000000000000000\"").await;
    assert!(status == 200 && bytes > 500);
    let late = request()
        .service("front")
        .span("late", |span| span.id(99).parent(1).start_ns(BASE_NANOS));
    store.keep(&model::TenantId::default(), &super::batch_of(late));
    let (status, bytes) = asked_with(&page, &tag).await;
    assert!(status == 200 && bytes > 500, "another version");
    assert_ne!(skeleton(&page, &id()).await.headers["etag"], tag);
}

#[tokio::test]
async fn a_trace_that_there_is_not_is_404_and_one_that_can_not_be_read_is_not() {
    let page = page_over(Arc::new(OracleStore::new()));
    let damaged = page_over(Arc::new(Damaged::new(OracleStore::new())));
    for route in ["skeleton", "find?q=", "keys", "column?field=name", "events"] {
        let target = format!("/traces/{}/{route}", id());
        assert!(page.refused(&target, 404).await["hint"].is_string());
        let error = damaged.refused(&target, 500).await;
        assert!(
            error["message"].as_str().unwrap().contains("segment 7"),
            "{target}"
        );
        for bad in ["zz", "123456789012345678901234567890123", "%ff"] {
            page.refused(&format!("/traces/{bad}/{route}"), 400).await;
        }
    }
}

#[tokio::test]
async fn rows_that_lack_something_say_so_and_are_not_kept() {
    let page = page_over(Arc::new(Damaged::new(store_of([trace()]))));
    let told = skeleton(&page, &id()).await;
    assert_eq!(
        told.metadata["warnings"],
        "[\"segment 7 could not be read: checksum differs\"]"
    );
    assert_eq!(told.metadata["complete"], "false");
    assert!(!told.headers.contains_key("etag"));
    for route in ["find?q=", "keys", "column?field=name", "events"] {
        let answer = page.good(&format!("/traces/{}/{route}", id())).await;
        let skipped = answer["skipped"].as_array().unwrap();
        assert_eq!(
            (skipped.len(), &skipped[0]["what"]),
            (1, &"segment 7".into()),
            "{route}"
        );
    }
    let spans = post(&page, &format!("[\"{}\"]", Ids::default().span_hex(1))).await;
    assert!(spans.text.contains("segment 7"));
}

async fn post(page: &Page, spans: &str) -> Answer {
    let target = format!("/traces/{}/spans", id());
    page.post(
        &target,
        "application/json",
        &format!("{{\"spans\":{spans}}}"),
    )
    .await
}

async fn spans(page: &Page, ids: &[String]) -> Vec<Value> {
    let answer = post(page, &serde_json::to_string(ids).unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(answer["skipped"], Value::Array(Vec::new()));
    answer["spans"].as_array().unwrap().clone()
}

#[tokio::test]
async fn all_spans_with_an_id_are_told_and_none_for_an_id_that_there_is_not() {
    let page = page_over(Arc::new(store_of([trace()])));
    let hex = |number: u64| Ids::default().span_hex(number);
    let both = spans(&page, &[hex(2), hex(77)]).await;
    let kinds: Vec<&str> = both
        .iter()
        .map(|span| span["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["client", "server"]);
    assert_eq!(both[0]["parentSpanId"], hex(1));
    assert_eq!(both[0]["events"][0]["name"], "retry");
    assert_eq!(both[0]["links"][0]["traceId"], Ids::default().trace_hex(7));
    assert!(spans(&page, &[]).await.is_empty());
}

#[tokio::test]
async fn too_many_spans_and_bodies_that_are_none_are_refused() {
    let page = page_over(Arc::new(store_of([trace()])));
    let ids: Vec<String> = (0..1_001).map(|n| Ids::default().span_hex(n)).collect();
    let many = post(&page, &serde_json::to_string(&ids).unwrap()).await;
    let error = error_of("many", &many, 400);
    assert!(error["message"].as_str().unwrap().contains("1000"));
    assert_eq!(spans(&page, &ids[..1_000]).await.len(), 8);
    let target = format!("/traces/{}/spans", id());
    for (content_type, body, status) in [
        ("application/json", "{\"spans\":[\"xyz\"]}", 400),
        ("application/json", "{\"spans\":", 400),
        ("application/json", "{\"span\":[]}", 422),
        ("text/plain", "{\"spans\":[]}", 415),
        ("", "{\"spans\":[]}", 415),
    ] {
        error_of(body, &page.post(&target, content_type, body).await, status);
    }
    let bad = page
        .post("/traces/zz/spans", "application/json", "{\"spans\":[]}")
        .await;
    error_of("zz", &bad, 400);
}

#[tokio::test]
async fn a_span_is_told_with_every_type_of_value() {
    let request = request()
        .service("s")
        .scope("lib", "1.2")
        .span("op", |span| {
            let span = span.id(1).start_ns(BASE_NANOS).lasting_ms(1).error("bad");
            let span = span
                .attr("text", "a\"b")
                .attr("int", i64::MAX)
                .attr("double", 1.5);
            let span = span.attr("not", f64::NAN).attr("yes", true);
            let span = span.attr("bytes", testkit::AttributeValue::from(vec![1u8, 2]));
            span.attr("list", array([1i64.into(), 2i64.into()]))
                .attr("map", map([("k", "v".into())]))
                .flags(257)
                .dropped(1, 2, 3)
        });
    let page = page_over(Arc::new(store_of([request])));
    let span = &spans(&page, &[Ids::default().span_hex(1)]).await[0];
    let told: Vec<String> = span["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        r#"{"key":"text","value":{"type":"string","value":"a\"b"}}"#,
        r#"{"key":"int","value":{"type":"int","value":"9223372036854775807"}}"#,
        r#"{"key":"double","value":{"type":"double","value":"1.5"}}"#,
        r#"{"key":"not","value":{"type":"double","value":"NaN"}}"#,
        r#"{"key":"yes","value":{"type":"bool","value":true}}"#,
        r#"{"key":"bytes","value":{"type":"bytes","value":"AQI="}}"#,
        r#"{"key":"list","value":{"type":"json","value":"[1,2]"}}"#,
        r#"{"key":"map","value":{"type":"json","value":"{\"k\":\"v\"}"}}"#,
    ];
    assert_eq!(told, expected);
    assert_eq!(
        (&span["status"], &span["statusMessage"]),
        (&"error".into(), &"bad".into())
    );
    assert_eq!(
        (&span["flags"], &span["droppedEvents"]),
        (&257.into(), &2.into())
    );
    assert_eq!(span["scope"]["version"], "1.2");
    assert_eq!(span["resource"][0]["key"], "service.name");
    assert_eq!(span["durationNs"], 1_000_000);
}

#[tokio::test]
async fn answers_are_compressed_for_who_takes_it_and_are_the_same() {
    let page = page_over(Arc::new(store_of([trace()])));
    for route in [format!("/traces/{}/skeleton", id()), "/services".to_owned()] {
        let mut bodies = Vec::new();
        for accepted in ["identity", "gzip", "zstd", "br"] {
            let request = Request::get(format!("/api/ui/v1{route}"));
            let request = request.header("accept-encoding", accepted);
            let response = page.router.clone();
            let response = response.oneshot(request.body(Body::empty()).unwrap());
            let response = response.await.unwrap();
            let encoding = response.headers().get("content-encoding");
            let expected = ["gzip", "zstd"].contains(&accepted).then_some(accepted);
            // What is small is sent as it is.
            let expected = expected.filter(|_| route.contains("skeleton"));
            assert_eq!(encoding.map(|value| value.to_str().unwrap()), expected);
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            bodies.push((expected, body));
        }
        let plain = bodies[0].1.clone();
        for (encoding, body) in bodies {
            match encoding {
                Some("gzip") => {
                    let mut bytes = Vec::new();
                    std::io::Read::read_to_end(&mut GzDecoder::new(&*body), &mut bytes).unwrap();
                    assert!(bytes == plain && body.len() < plain.len() / 2);
                }
                Some(_) => assert_eq!(body[..4], [0x28, 0xb5, 0x2f, 0xfd], "a frame of zstd"),
                None => assert_eq!(body, plain),
            }
        }
    }
}
