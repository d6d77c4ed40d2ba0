//! All matches from afar, against a plain count of the same spans.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::OverviewOf;
use model::contract::Window;
use serde_json::Value;
use testkit::oracle::OracleStore;
use testkit::spans::{Ids, RequestBuilder, SpanKind, request};

use super::search::{lines, traces};
use super::{Damaged, escaped, page_over, store_of};
use crate::world::NOW_NANOS;

const HOUR: u64 = 3_600_000_000_000;
const STEPS: u64 = 12;

/// A span as it was sent: start, duration, kind, status of its answer, whether it failed.
#[derive(Debug, Clone, Copy)]
struct Sent {
    trace: u64,
    start: u64,
    lasting: u64,
    is_server: bool,
    code: i64,
    failed: bool,
}

/// Two hundred traces of two spans over the last hour, one after the other and of very different durations.
fn sent() -> Vec<Sent> {
    let two = |n: u64| {
        let start = NOW_NANOS - HOUR + n * (HOUR / 200) + 7;
        let root = Sent {
            trace: n,
            start,
            lasting: 1_000 + n * n * 1_000,
            is_server: true,
            code: [200, 404, 500][n as usize % 3],
            failed: n.is_multiple_of(5),
        };
        let child = Sent {
            start: start + 100,
            lasting: root.lasting / 2,
            is_server: false,
            failed: false,
            ..root
        };
        [root, child]
    };
    (0..200).flat_map(two).collect()
}

fn requests(sent: &[Sent]) -> Vec<RequestBuilder> {
    let of_trace = |pair: &[Sent]| {
        let begin = request().seed(pair[0].trace).service("s \"q\"");
        pair.iter().enumerate().fold(begin, |request, (at, sent)| {
            request.span("op", |span| {
                let span = if at == 0 { span } else { span.parent(1) };
                let kind = if sent.is_server {
                    SpanKind::Server
                } else {
                    SpanKind::Client
                };
                let span = span
                    .kind(kind)
                    .start_ns(sent.start)
                    .lasting_ns(sent.lasting);
                let span = span.attr("http.status_code", sent.code);
                if sent.failed { span.error("") } else { span }
            })
        })
    };
    sent.chunks(2).map(of_trace).collect()
}

/// A point of the heatmap.
#[derive(Debug)]
struct Point {
    start: u64,
    lasting: u64,
    failed: bool,
}

fn points(sent: &[Sent], of: OverviewOf) -> Vec<Point> {
    let of_span = |sent: &Sent| Point {
        start: sent.start,
        lasting: sent.lasting,
        failed: sent.failed,
    };
    match of {
        OverviewOf::Spans => sent.iter().map(of_span).collect(),
        OverviewOf::EntrySpans => sent
            .iter()
            .filter(|sent| sent.is_server)
            .map(of_span)
            .collect(),
        OverviewOf::Traces => {
            let of_trace = |pair: &[Sent]| {
                let end = pair
                    .iter()
                    .map(|sent| sent.start + sent.lasting)
                    .max()
                    .unwrap();
                Point {
                    start: pair[0].start,
                    lasting: end - pair[0].start,
                    failed: pair.iter().any(|sent| sent.failed),
                }
            };
            sent.chunks(2).map(of_trace).collect()
        }
    }
}

fn numbers(value: &Value) -> Vec<u64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn cells_hold_what_a_plain_count_finds() {
    let sent = sent();
    let page = page_over(Arc::new(store_of(requests(&sent))));
    let window = Window {
        start: NOW_NANOS - HOUR,
        end: NOW_NANOS,
    };
    for (scope, of) in [
        ("traces", OverviewOf::Traces),
        ("entry", OverviewOf::EntrySpans),
        ("spans", OverviewOf::Spans),
    ] {
        let answer = page
            .good(&format!(
                "/overview?q=&scope={scope}&steps={STEPS}&from={}&to={}",
                window.start, window.end
            ))
            .await;
        let points = points(&sent, of);
        assert_eq!(answer["points"], points.len(), "{scope}");
        assert_eq!(
            answer["errors"],
            points.iter().filter(|point| point.failed).count(),
            "{scope}"
        );
        let buckets = answer["buckets"].as_array().unwrap();
        let bounds = |at: u64| {
            let bucket = &buckets[usize::try_from(at).unwrap()];
            (
                bucket["fromNs"].as_f64().unwrap(),
                bucket["toNs"].as_f64().unwrap(),
            )
        };
        let mut counted: BTreeMap<(u64, u64), (u64, u64)> = BTreeMap::new();
        for point in &points {
            let step = (point.start - window.start) * STEPS / (window.end - window.start + 1);
            let lasting = point.lasting as f64;
            let is_in = |at: &u64| bounds(*at).0 <= lasting && lasting < bounds(*at).1;
            let bucket = (0..buckets.len() as u64)
                .find(is_in)
                .expect("each duration has a bucket");
            let cell = counted.entry((step, bucket)).or_default();
            cell.0 += 1;
            cell.1 += u64::from(point.failed);
        }
        let cells = &answer["cells"];
        let places = numbers(&cells["step"])
            .into_iter()
            .zip(numbers(&cells["bucket"]));
        let counts = numbers(&cells["count"])
            .into_iter()
            .zip(numbers(&cells["errors"]));
        let told: BTreeMap<(u64, u64), (u64, u64)> = places.zip(counts).collect();
        assert_eq!(told, counted, "{scope}");
        assert_eq!(
            answer["stepNs"].as_f64().unwrap(),
            (HOUR as f64 + 1.0) / STEPS as f64
        );
        for (slowest, bucket) in cells["slowest"]
            .as_array()
            .unwrap()
            .iter()
            .zip(numbers(&cells["bucket"]))
        {
            let lasting = slowest["durationNs"].as_f64().unwrap();
            assert!(bounds(bucket).0 <= lasting && lasting < bounds(bucket).1);
            assert_eq!(slowest["spanId"].is_null(), scope == "traces");
        }
    }
}

#[tokio::test]
async fn facets_tell_values_as_a_query_writes_them() {
    let sent = sent();
    let page = page_over(Arc::new(store_of(requests(&sent))));
    let fields = [
        "status",
        "kind",
        "span.http.status_code",
        "resource.service.name",
        "span.none",
    ];
    let asked: String = fields
        .iter()
        .map(|field| format!("&facets={field}"))
        .collect();
    let answer = page.good(&format!("/overview?q={asked}")).await;
    assert_eq!(answer["facetShare"], 1.0);
    let facets = answer["facets"].as_array().unwrap();
    let told = |at: usize| -> Vec<(String, String, u64)> {
        assert_eq!(facets[at]["field"], fields[at]);
        let values = facets[at]["values"].as_array().unwrap().iter();
        values
            .map(|value| {
                let text = |key: &str| value[key].as_str().unwrap().to_owned();
                (
                    text("value"),
                    text("literal"),
                    value["count"].as_u64().unwrap(),
                )
            })
            .collect()
    };
    let row =
        |value: &str, literal: &str, count: u64| (value.to_owned(), literal.to_owned(), count);
    assert_eq!(
        told(0),
        [row("unset", "unset", 360), row("error", "error", 40)]
    );
    assert_eq!(
        told(1),
        [row("server", "server", 200), row("client", "client", 200)]
    );
    let of_code = |code: i64| sent.iter().filter(|sent| sent.code == code).count() as u64;
    assert!(told(2).contains(&row("404", "404", of_code(404))));
    assert_eq!(told(3), [row("s \"q\"", "\"s \\\"q\\\"\"", 400)]);
    assert_eq!((told(4).len(), &facets[4]["missing"]), (0, &400.into()));
    // Every literal is what finds just these spans.
    for (at, field) in fields.iter().enumerate().take(4) {
        for (_, literal, count) in told(at) {
            let q = escaped(&format!("{{ {field} = {literal} }}"));
            assert_eq!(
                page.good(&format!("/overview?scope=spans&q={q}")).await["points"],
                count,
                "{field} {literal}"
            );
        }
    }
}

#[tokio::test]
async fn of_a_band_of_the_heatmap_all_is_counted_that_the_list_has() {
    let sent = sent();
    let page = page_over(Arc::new(store_of(requests(&sent))));
    let whole = page.good("/overview?q=").await;
    let (cells, buckets) = (&whole["cells"], whole["buckets"].as_array().unwrap());
    let counts: Vec<(u64, u64)> = numbers(&cells["bucket"])
        .into_iter()
        .zip(numbers(&cells["count"]))
        .collect();
    let last = buckets.len() - 1;
    for (low, high) in [(0, last), (2, 2), (last / 2, last), (last / 3, last / 2)] {
        let from = buckets[low]["fromNs"].as_f64().unwrap();
        let to = buckets[high]["toNs"].as_f64().unwrap();
        let band = format!("traceDuration >= {from}ns && traceDuration < {to}ns");
        let of_band = counts
            .iter()
            .filter(|(bucket, _)| (low as u64..=high as u64).contains(bucket))
            .map(|(_, count)| *count)
            .sum::<u64>();
        assert!(of_band > 0);
        for (more, scope) in [
            ("", "traces"),
            ("", "entry"),
            ("", "spans"),
            ("span.http.status_code = 404 && ", "traces"),
            ("kind = client && ", "spans"),
        ] {
            let asked = format!(
                "scope={scope}&q={}",
                escaped(&format!("{{ {more}{band} }}"))
            );
            let told = page.good(&format!("/overview?facets=kind&{asked}")).await;
            let listed = lines(&page, &format!("/search?limit=1000&{asked}")).await;
            let listed = traces(&listed);
            let points = listed.len() as u64;
            // In the scopes of spans a line is about one.
            let matched = listed.iter().map(|trace| trace["matchedSpans"].as_u64());
            let spans = match scope {
                "traces" => matched.sum::<Option<u64>>().unwrap(),
                _ => points,
            };
            assert_eq!(
                (&told["points"], &told["spans"]),
                (&points.into(), &spans.into()),
                "{asked}"
            );
            let facet = told["facets"][0]["values"].as_array().unwrap().iter();
            let in_facet = facet
                .map(|value| value["count"].as_u64())
                .sum::<Option<u64>>();
            assert_eq!(in_facet, Some(spans), "{asked}");
            if (more, scope) == ("", "traces") {
                assert_eq!(points, of_band, "{asked}");
            }
        }
    }
}

#[tokio::test]
async fn a_query_that_the_store_can_not_answer_alone_has_no_heatmap() {
    let page = page_over(Arc::new(store_of(requests(&sent()))));
    for text in [
        "{ duration > traceDuration / 2 }",
        "{ span:childCount = 1 }",
        "{ rootName = \"op\" }",
        "{ traceDuration > 1ms && rootName = \"op\" }",
        "{ traceDuration > 1ms || name = \"op\" }",
    ] {
        let error = page
            .refused(&format!("/overview?q={}", escaped(text)), 422)
            .await;
        assert!(error["hint"].as_str().unwrap().contains("list"), "{text}");
    }
}

#[tokio::test]
async fn what_there_is_no_overview_of_is_refused() {
    let page = page_over(Arc::new(OracleStore::new()));
    for target in [
        "/overview?facets=duration",
        "/overview?facets=trace:id",
        "/overview?facets=",
        "/overview?steps=1001",
        "/overview?from=9&to=8",
        "/overview?scope=none",
    ] {
        page.refused(target, 400).await;
    }
    let many = "&facets=name".repeat(21);
    page.refused(&format!("/overview?q={many}"), 400).await;
}

#[tokio::test]
async fn an_overview_of_all_of_time_is_one() {
    let page = page_over(Arc::new(store_of(requests(&sent()))));
    let answer = page
        .good(&format!("/overview?from=0&to={}&steps=1", u64::MAX))
        .await;
    assert_eq!(
        (&answer["points"], &answer["cells"]["step"][0]),
        (&200.into(), &0.into())
    );
    assert_eq!(answer["toNs"], u64::MAX.to_string());
    assert!(answer["stepNs"].as_f64().unwrap() > 1.8e19);
}

#[tokio::test]
async fn an_overview_says_what_could_not_be_read() {
    let page = page_over(Arc::new(Damaged::new(store_of(requests(&sent())))));
    let answer = page.good("/overview").await;
    assert_eq!(answer["skipped"][0]["what"], "segment 7");
    let slowest = answer["cells"]["slowest"].as_array().unwrap();
    assert!(
        slowest
            .iter()
            .any(|of| of["traceId"] == Ids::new(199).trace_hex(1))
    );
}
