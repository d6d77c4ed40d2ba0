//! The search for spans: their own order, pages, and what is judged.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::contract::Window;
use model::{SpanBatch, TenantId};
use query::{Query, Scope};
use serde_json::Value;
use testkit::oracle::OracleStore;
use testkit::spans::RequestBuilder;

use super::search::{id, lines, pages, trace, traces};
use super::{Page, batch_of, escaped, page_over, store_of};

/// What a line says of its span: trace, span, start, duration.
type Line = (String, String, u64, u64);

/// The spans of an answer, each with its trace.
fn spans(lines: &[Value]) -> Vec<Line> {
    let told = traces(lines).into_iter().map(|trace| {
        let matched = trace["matched"].as_array().unwrap();
        assert_eq!(matched.len(), 1, "a line is about one span");
        let span = &matched[0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&trace["traceId"]),
            text(&span["spanId"]),
            text(&span["startNs"]).parse().unwrap(),
            span["durationNs"].as_u64().unwrap(),
        )
    });
    told.collect()
}

/// The spans of all pages of a search.
async fn all_pages(page: &Page, target: &str, limit: usize) -> Vec<Line> {
    let pages = pages(page, target, limit).await;
    pages.iter().flat_map(|lines| spans(lines)).collect()
}

/// The spans of some traces for which a query holds, judged trace by trace.
async fn judged(batches: &[SpanBatch], text: &str, scope: Scope) -> BTreeSet<Line> {
    let query = Query::new(Arc::new(OracleStore::new()));
    let asked = query.question(&TenantId::default(), text, scope).await;
    let question = asked.unwrap();
    let of_batch = |batch: &SpanBatch| {
        let rows = question.matches(batch, Window::ALWAYS);
        let lines = rows.into_iter().map(|row| {
            let span = batch.span(row).unwrap();
            (
                span.trace_id().to_string(),
                span.span_id().to_string(),
                span.start(),
                span.end() - span.start(),
            )
        });
        lines.collect::<Vec<Line>>()
    };
    batches.iter().flat_map(of_batch).collect()
}

#[tokio::test]
async fn spans_are_listed_by_their_own_order_whatever_trace_they_are_of() {
    let requests: Vec<RequestBuilder> = (1..=40)
        .map(|seed| trace(seed, 1 + seed % 23, 1 + 7 * seed % 31))
        .collect();
    let batches: Vec<SpanBatch> = requests.iter().cloned().map(batch_of).collect();
    let page = page_over(Arc::new(store_of(requests)));
    // The last one is judged span by span.
    for text in [
        "{}",
        "{ kind = server }",
        "{ status = error || duration > 9ms }",
        "{ name != resource.service.name }",
    ] {
        for (scope, of) in [("spans", Scope::Spans), ("entry", Scope::Entry)] {
            let expected = judged(&batches, text, of).await;
            for sort in ["newest", "slowest"] {
                let what = format!("{text} {scope} {sort}");
                let target = format!("/search?q={}&scope={scope}&sort={sort}", escaped(text));
                let found = all_pages(&page, &target, 7).await;
                let value = |line: &Line| if sort == "newest" { line.2 } else { line.3 };
                assert!(
                    found.is_sorted_by_key(|line| std::cmp::Reverse(value(line))),
                    "{what}"
                );
                assert_eq!(found.len(), expected.len(), "{what}: each once");
                assert_eq!(
                    found.into_iter().collect::<BTreeSet<_>>(),
                    expected,
                    "{what}"
                );
            }
        }
    }
}

#[tokio::test]
async fn spans_that_are_judged_with_their_traces_are_each_on_one_page() {
    let requests: Vec<RequestBuilder> = (1..=60)
        .map(|seed| trace(seed, 1 + seed % 50, 1 + 7 * seed % 40))
        .collect();
    let batches: Vec<SpanBatch> = requests.iter().cloned().map(batch_of).collect();
    let page = page_over(Arc::new(store_of(requests)));
    for text in [
        "{ duration > traceDuration / 3 && span:parentID != \"\" }",
        "{ trace:errorCount = 1 && kind = client }",
        "{ duration > 5ms && span:selfTime < 5ms }",
    ] {
        let expected = judged(&batches, text, Scope::Spans).await;
        assert!(!expected.is_empty(), "{text}");
        for limit in [1, 3, 1_000] {
            let target = format!("/search?q={}&scope=spans&sort=slowest", escaped(text));
            let found = all_pages(&page, &target, limit).await;
            assert!(found.is_sorted_by_key(|line| std::cmp::Reverse(line.3)));
            assert_eq!(found.len(), expected.len(), "{text}, {limit}: each once");
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
        }
    }
}

#[tokio::test]
async fn a_span_comes_with_its_columns_and_with_what_its_trace_looks_like() {
    let page = page_over(Arc::new(store_of([trace(2, 10, 40)])));
    let q = escaped("{ span.db.rows = 7 }");
    let target = format!("/search?q={q}&scope=spans&cols=span.db.rows&cols=resource.host.name");
    let answer = lines(&page, &target).await;
    let found = traces(&answer)[0];
    assert_eq!(found["traceId"], id(2));
    assert_eq!((&found["spans"], &found["errors"]), (&3.into(), &1.into()));
    assert_eq!(found["root"]["name"], "GET /");
    assert_eq!(found["matched"][0]["name"], "SELECT");
    assert_eq!(
        found["matched"][0]["columns"],
        serde_json::json!(["7", null])
    );
    // A cursor of traces is none of spans.
    let of_traces = lines(
        &page_over(Arc::new(store_of((1..=3).map(|seed| trace(seed, 9, 9))))),
        "/search?limit=1",
    )
    .await;
    let cursor = of_traces.last().unwrap()["cursor"].as_str().unwrap();
    page.refused(&format!("/search?scope=spans&cursor={cursor}"), 400)
        .await;
}
