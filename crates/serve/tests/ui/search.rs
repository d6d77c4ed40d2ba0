//! The search: its lines, pages, orders and columns, what is wrong with a query, what can't be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use flate2::read::GzDecoder;
use futures_util::StreamExt as _;
use model::contract::Window;
use model::{SpanBatch, TenantId};
use query::{Query, Scope};
use serde_json::Value;
use serve::UiOptions;
use testkit::oracle::OracleStore;
use testkit::spans::{Ids, RequestBuilder, SpanKind, request};
use tower::ServiceExt as _;

use super::{Choices, Damaged, Page, batch_of, escaped, page_over, page_with, store_of};
use crate::world::NOW_NANOS;

pub(super) const MINUTE: u64 = 60_000_000_000;

/// A trace that starts so many minutes ago and whose root lasts so many milliseconds: a root, a call and a query.
pub(super) fn trace(seed: u64, minutes_ago: u64, lasting_ms: u64) -> RequestBuilder {
    let start = NOW_NANOS - minutes_ago * MINUTE;
    request()
        .seed(seed)
        .service("front")
        .resource_attr("host.name", "one")
        .span("GET /", |span| {
            let span = span.kind(SpanKind::Server).start_ns(start);
            span.lasting_ms(lasting_ms).attr("http.route", "/")
        })
        .span("call", |span| {
            let span = span.parent(1).kind(SpanKind::Client).start_ns(start + 10);
            span.lasting_ms(lasting_ms / 2)
        })
        .service("back")
        .span("SELECT", |span| {
            let span = span.parent(2).kind(SpanKind::Server).start_ns(start + 20);
            let span = span.lasting_ms(lasting_ms / 4).attr("db.rows", 7);
            if seed.is_multiple_of(2) {
                span.error("no")
            } else {
                span
            }
        })
}

pub(super) fn id(seed: u64) -> String {
    Ids::new(seed).trace_hex(1)
}

/// The lines of an answer that must be good.
pub(super) async fn lines(page: &Page, target: &str) -> Vec<Value> {
    let answer = page.get(target).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.text);
    assert_eq!(answer.content_type, "application/x-ndjson");
    assert!(answer.text.ends_with('\n'));
    let lines = answer.text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(super) fn traces(lines: &[Value]) -> Vec<&Value> {
    let of_type = lines.iter().filter(|line| line["type"] == "trace");
    of_type.map(|line| &line["trace"]).collect()
}

pub(super) fn ids(lines: &[Value]) -> Vec<String> {
    let traces = traces(lines).into_iter();
    traces
        .map(|trace| trace["traceId"].as_str().unwrap().to_owned())
        .collect()
}

/// The lines of all pages of a search, each of as many as are asked for at most.
pub(super) async fn pages(page: &Page, target: &str, limit: usize) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let of_page = lines(page, &format!("{target}&limit={limit}&cursor={cursor}")).await;
        assert!(traces(&of_page).len() <= limit);
        let next = of_page.last().unwrap()["cursor"]
            .as_str()
            .map(str::to_owned);
        pages.push(of_page);
        match next {
            Some(next) => cursor = next,
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_search_tells_traces_then_how_far_it_is_then_that_it_is_done() {
    let page = page_over(Arc::new(store_of([
        trace(1, 30, 100),
        trace(2, 10, 40),
        trace(3, 90, 40),
    ])));
    let lines = lines(&page, "/search?q=").await;
    let types: Vec<&str> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["trace", "trace", "progress", "done"]);
    assert_eq!(
        ids(&lines),
        [id(2), id(1)],
        "the newest first, none before the hour"
    );
    let second = &lines[1]["trace"];
    assert_eq!(second["startNs"], (NOW_NANOS - 30 * MINUTE).to_string());
    assert_eq!(second["durationNs"], 100_000_000);
    assert_eq!(
        (&second["spans"], &second["errors"]),
        (&3.into(), &0.into())
    );
    assert_eq!(second["root"]["service"], "front");
    assert_eq!(second["root"]["kind"], "server");
    assert_eq!(second["services"][0]["service"], "back");
    assert_eq!(second["isComplete"], true);
    assert_eq!(second["matchedSpans"], 3, "every span matches");
    assert_eq!(lines[2]["found"], 2);
    let done = &lines[3];
    assert_eq!((&done["found"], &done["cursor"]), (&2.into(), &Value::Null));
    assert_eq!(done["skipped"], Value::Array(Vec::new()));
    assert_eq!(done["diagnostics"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn pages_hold_every_trace_once_and_a_cursor_belongs_to_its_query() {
    let many = (1..=73).map(|seed| trace(seed, 1 + seed % 50, 1 + seed));
    let page = page_over(Arc::new(store_of(many)));
    for sort in ["newest", "slowest"] {
        let all = ids(&lines(&page, &format!("/search?limit=1000&sort={sort}")).await);
        assert_eq!(all.len(), 73);
        let paged = pages(&page, &format!("/search?sort={sort}"), 20).await;
        let paged: Vec<String> = paged.iter().flat_map(|lines| ids(lines)).collect();
        assert_eq!(paged, all, "{sort}");
    }
    let first = lines(&page, "/search?limit=20").await;
    let cursor = first.last().unwrap()["cursor"].as_str().unwrap().to_owned();
    let q = escaped("{ status = error }");
    let foreign = page
        .refused(&format!("/search?q={q}&cursor={cursor}"), 400)
        .await;
    assert!(
        foreign["message"]
            .as_str()
            .unwrap()
            .contains("another query")
    );
    page.refused("/search?cursor=x", 400).await;
}

#[tokio::test]
async fn the_slowest_come_first_when_that_is_asked_for() {
    let page = page_over(Arc::new(store_of([
        trace(1, 30, 100),
        trace(2, 10, 40),
        trace(3, 20, 900),
    ])));
    let found = lines(&page, "/search?sort=slowest").await;
    assert_eq!(ids(&found), [id(3), id(1), id(2)]);
}

#[tokio::test]
async fn the_scope_says_which_spans_of_a_trace_are_meant() {
    let page = page_over(Arc::new(store_of([trace(2, 10, 40)])));
    let q = escaped("{ resource.service.name =~ \".*\" }");
    for scope in ["", "traces"] {
        let lines = lines(&page, &format!("/search?q={q}&scope={scope}")).await;
        assert_eq!(traces(&lines)[0]["matchedSpans"], 3, "{scope}");
    }
    for (scope, count) in [("spans", 3), ("entry", 2)] {
        let lines = lines(&page, &format!("/search?q={q}&scope={scope}")).await;
        assert_eq!(traces(&lines).len(), count, "{scope}");
    }
    let client = escaped("{ kind = client }");
    let of_client = lines(&page, &format!("/search?q={client}&scope=entry")).await;
    assert!(ids(&of_client).is_empty(), "a client span enters nothing");
    page.refused("/search?scope=all", 400).await;
}

#[tokio::test]
async fn spans_that_match_are_told_with_the_columns_that_were_asked_for() {
    let page = page_over(Arc::new(store_of([trace(2, 10, 40)])));
    let q = escaped("{ kind = server }");
    let target = format!("/search?q={q}&cols=span.db.rows&cols=resource.host.name&cols=name");
    let lines = lines(&page, &target).await;
    let matched = traces(&lines)[0]["matched"].as_array().unwrap();
    assert_eq!(matched.len(), 2);
    let columns = |at: usize| serde_json::to_string(&matched[at]["columns"]).unwrap();
    assert_eq!(columns(0), "[null,\"one\",\"GET /\"]");
    assert_eq!(columns(1), "[\"7\",null,\"SELECT\"]");
    assert_eq!(matched[1]["service"], "back");
    assert_eq!(matched[1]["status"], "error");
    assert_eq!(matched[1]["spanId"], Ids::new(2).span_hex(3));
    assert_eq!(
        matched[1]["startNs"],
        (NOW_NANOS - 10 * MINUTE + 20).to_string()
    );
    let wrong = page
        .refused(&format!("/search?cols={}", escaped("a b")), 400)
        .await;
    assert!(wrong["hint"].is_string());
}

#[tokio::test]
async fn a_window_holds_both_its_ends_and_times_that_are_none_are_refused() {
    let page = page_over(Arc::new(store_of([trace(1, 30, 100)])));
    let start = NOW_NANOS - 30 * MINUTE;
    for (from, to, count) in [
        (start, start, 1),
        (start - 5, start - 1, 0),
        (start + 20, start + 20, 1),
        (start + 21, start + 99, 0),
    ] {
        let lines = lines(&page, &format!("/search?from={from}&to={to}")).await;
        assert_eq!(ids(&lines).len(), count, "{from} {to}");
    }
    let cut = lines(
        &page,
        &format!("/search?from={}&to={NOW_NANOS}", start + 15),
    )
    .await;
    assert_eq!(
        traces(&cut)[0]["matchedSpans"],
        Value::Null,
        "how many of them start in the window is not known without looking"
    );
    for target in [
        "/search?from=5&to=4",
        "/search?from=-1",
        "/search?to=now",
        "/search?limit=1001",
        "/search?sort=oldest",
    ] {
        page.refused(target, 400).await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_told_with_its_place_in_utf_16() {
    let page = page_over(Arc::new(OracleStore::new()));
    let text = "{ span.ä = \"😀😀\" && status = errr }";
    for route in ["/search", "/overview", "/tail"] {
        let error = page
            .refused(&format!("{route}?q={}", escaped(text)), 400)
            .await;
        let told = &error["diagnostics"][0];
        let from = text.encode_utf16().count() - "errr }".len();
        assert_eq!(told["severity"], "error");
        assert_eq!(
            (told["from"].as_u64(), told["to"].as_u64()),
            (Some(from as u64), Some(from as u64 + 4))
        );
        assert_eq!(told["proposal"]["text"], "error", "{told}");
        assert_eq!(told["proposal"]["from"].as_u64(), Some(from as u64));
    }
    // One that only bears minding is a good query.
    let minded = lines(
        &page,
        &format!("/search?q={}", escaped("{ .a = 1 || .b = 2 && .c = 3 }")),
    )
    .await;
    assert_eq!(
        minded.last().unwrap()["diagnostics"][0]["severity"],
        "warning"
    );
}

/// The traces of a store that have a span for which a query holds, judged one by one.
async fn judged(batches: &[SpanBatch], text: &str) -> BTreeSet<String> {
    let query = Query::new(Arc::new(OracleStore::new()));
    let question = query
        .question(&TenantId::default(), text, Scope::Traces)
        .await
        .unwrap();
    assert!(!question.is_exact, "{text}: the store could answer alone");
    let matching = batches
        .iter()
        .filter(|batch| !question.matches(batch, Window::ALWAYS).is_empty());
    matching
        .map(|batch| batch.span(0).unwrap().trace_id().to_string())
        .collect()
}

#[tokio::test]
async fn what_the_store_can_not_tell_alone_is_judged_trace_by_trace() {
    let requests: Vec<RequestBuilder> = (1..=90)
        .map(|seed| trace(seed, 1 + seed % 50, 1 + 7 * seed % 40))
        .collect();
    let batches: Vec<SpanBatch> = requests.iter().cloned().map(batch_of).collect();
    let page = page_over(Arc::new(store_of(requests)));
    for text in [
        "{ duration > traceDuration / 3 && span:parentID != \"\" }",
        "{ trace:errorCount = 1 && kind = client }",
        "{ duration > 5ms && span:selfTime < 5ms }",
    ] {
        let expected = judged(&batches, text).await;
        assert!(!expected.is_empty(), "{text}: nothing matches");
        let lines = lines(&page, &format!("/search?limit=1000&q={}", escaped(text))).await;
        let found = ids(&lines);
        assert_eq!(
            found.iter().cloned().collect::<BTreeSet<_>>(),
            expected,
            "{text}"
        );
        assert_eq!(found.len(), expected.len(), "{text}: each once");
        assert_eq!(lines.last().unwrap()["found"], expected.len());
        for trace in traces(&lines) {
            let matched = trace["matchedSpans"].as_u64().unwrap();
            assert!(matched > 0 && trace["matched"].as_array().unwrap().len() as u64 == matched);
        }
    }
}

#[tokio::test]
async fn only_so_many_traces_are_looked_at_for_a_page_and_the_cursor_goes_on() {
    let of_one = |seed: u64| {
        request()
            .seed(seed)
            .service("s")
            .span("a", |span| span.start_ns(NOW_NANOS - seed))
    };
    // The last one alone has two spans.
    let last = request()
        .seed(9_999)
        .service("s")
        .span("a", |span| span.start_ns(NOW_NANOS - 5_000));
    let last = last.span("b", |span| span.parent(1).start_ns(NOW_NANOS - 5_000));
    let page = page_over(Arc::new(store_of((1..=2_100).map(of_one).chain([last]))));
    let q = escaped("{ trace:spanCount = 2 }");
    let first = lines(&page, &format!("/search?q={q}")).await;
    assert_eq!(ids(&first), [] as [&str; 0], "{:?}", first.last());
    let done = first.last().unwrap();
    assert_eq!(done["skipped"][0]["what"], "the rest of the time range");
    assert!(done["skipped"][0]["why"].as_str().unwrap().contains("2000"));
    let cursor = done["cursor"].as_str().unwrap();
    let second = lines(&page, &format!("/search?q={q}&cursor={cursor}")).await;
    assert_eq!(ids(&second), [id(9_999)]);
    assert_eq!(second.last().unwrap()["cursor"], Value::Null);
    assert_eq!(second.last().unwrap()["skipped"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_trace_that_is_too_long_to_look_at_in_a_list_is_told_to_be_so() {
    let choices = Choices {
        options: UiOptions {
            matched_spans_of: 2,
            ..UiOptions::default()
        },
        ..Choices::default()
    };
    let page = page_with(Arc::new(store_of([trace(1, 30, 100)])), choices);
    let exact = lines(
        &page,
        &format!("/search?q={}", escaped("{ kind = client }")),
    )
    .await;
    assert_eq!(ids(&exact), [id(1)]);
    assert_eq!(traces(&exact)[0]["matchedSpans"], Value::Null);
    let inexact = escaped("{ duration > traceDuration / 3 }");
    let judged = lines(&page, &format!("/search?q={inexact}")).await;
    assert!(ids(&judged).is_empty());
    let skipped = &judged.last().unwrap()["skipped"][0];
    assert_eq!(skipped["what"], format!("trace {}", id(1)));
}

#[tokio::test]
async fn a_search_that_fails_later_says_so_in_its_last_line() {
    let many = || store_of((1..=30).map(|seed| trace(seed, seed, 10)));
    let page = page_over(Arc::new(Damaged::failing_after(many(), 1)));
    let lines = lines(&page, "/search?limit=30").await;
    assert_eq!(ids(&lines).len(), 10, "what was found before is told");
    let last = lines.last().unwrap();
    assert_eq!(last["type"], "failed");
    assert!(
        last["message"]
            .as_str()
            .unwrap()
            .contains("the disk is gone")
    );
    let page = page_over(Arc::new(Damaged::failing_after(many(), 0)));
    let error = page.refused("/search?limit=30", 500).await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("the disk is gone")
    );
}

#[tokio::test]
async fn what_could_not_be_read_is_told_once() {
    let many = store_of((1..=30).map(|seed| trace(seed, seed, 10)));
    let page = page_over(Arc::new(Damaged::new(many)));
    let q = escaped("{ kind = server }");
    let lines = lines(&page, &format!("/search?limit=30&q={q}")).await;
    let skipped = lines.last().unwrap()["skipped"].as_array().unwrap().clone();
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!(
        (&skipped[0]["what"], &skipped[0]["why"]),
        (&"segment 7".into(), &"checksum differs".into())
    );
}

#[tokio::test]
async fn the_first_lines_come_before_the_search_goes_on_also_when_they_are_compressed() {
    let many = || store_of((1..=30).map(|seed| trace(seed, seed, 10)));
    for encoding in ["identity", "gzip"] {
        let page = page_over(Arc::new(Damaged::waiting_after(many(), 1)));
        let request =
            Request::get("/api/ui/v1/search?limit=30").header("accept-encoding", encoding);
        let response = page
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let is_compressed = response.headers().get("content-encoding").is_some();
        assert_eq!(is_compressed, encoding == "gzip");
        let mut body = response.into_body().into_data_stream();
        let mut read = Vec::new();
        let mut text = String::new();
        while text.lines().count() < 11 {
            let more = tokio::time::timeout(std::time::Duration::from_secs(30), body.next());
            read.extend_from_slice(&more.await.unwrap().unwrap().unwrap());
            let mut bytes = Vec::new();
            if is_compressed {
                // It ends in the middle: what is there is enough.
                let _cut = std::io::Read::read_to_end(&mut GzDecoder::new(&*read), &mut bytes);
            } else {
                bytes.clone_from(&read);
            }
            text = String::from_utf8(bytes).unwrap();
        }
        assert!(text.lines().last().unwrap().contains("progress"), "{text}");
    }
}
