//! The words of queries: what a text says, and what may stand at a place of it.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::oracle::OracleStore;
use testkit::spans::{SpanKind, request};

use super::{Page, escaped, page_over, store_of};
use crate::world::BASE_NANOS;

fn page() -> Page {
    let request = request()
        .service("cart")
        .resource_attr("host.name", "one")
        .span("GET /\"x\"", |span| {
            let span = span.kind(SpanKind::Server).start_ns(BASE_NANOS);
            span.attr("http.route", "/x")
                .attr("http.status_code", 404)
                .attr("ok", true)
        })
        .span("SELECT", |span| {
            span.start_ns(BASE_NANOS).attr("http.route", "a \"b\"\\c")
        })
        .service("checkout")
        .span("POST", |span| {
            span.start_ns(BASE_NANOS)
                .attr("http.route", "/x")
                .event("retry")
        });
    page_over(Arc::new(store_of([request])))
}

/// What may stand where `|` is; the text with each in its place.
async fn completed(page: &Page, marked: &str) -> (Vec<String>, Value) {
    let (before, behind) = marked.split_once('|').unwrap();
    let text = format!("{before}{behind}");
    let at = before.encode_utf16().count();
    let answer = page
        .good(&format!("/complete?q={}&at={at}", escaped(&text)))
        .await;
    let units: Vec<u16> = text.encode_utf16().collect();
    let place = |key: &str| usize::try_from(answer[key].as_u64().unwrap()).unwrap();
    let (from, to) = (place("from"), place("to"));
    let texts = answer["items"].as_array().unwrap().iter().map(|item| {
        let item: Vec<u16> = item["text"].as_str().unwrap().encode_utf16().collect();
        String::from_utf16(&[&units[..from], &item, &units[to..]].concat()).unwrap()
    });
    (texts.collect(), answer.clone())
}

#[tokio::test]
async fn a_query_is_taken_apart_into_chips() {
    let page = page();
    let text = "{resource.service.name=\"cart\"&&(duration>500ms)&&(.a=1||.b=2)}";
    let answer = page.good(&format!("/query?q={}", escaped(text))).await;
    assert_eq!(
        answer["canonical"],
        "{ resource.service.name = \"cart\" && duration > 500ms && (.a = 1 || .b = 2) }"
    );
    let chips = answer["chips"].as_array().unwrap();
    assert_eq!(chips.len(), 3);
    assert_eq!(
        chips[0]["comparison"],
        json!({"field": "resource.service.name", "op": "=", "value": "\"cart\""})
    );
    assert_eq!(chips[1]["comparison"]["value"], "500ms");
    assert_eq!(
        chips[2],
        json!({"text": ".a = 1 || .b = 2", "comparison": null})
    );
    let empty = page.good("/query?q=").await;
    assert_eq!(
        (&empty["canonical"], &empty["chips"]),
        (&"{}".into(), &json!([]))
    );
}

#[tokio::test]
async fn a_broken_query_is_a_good_answer_that_says_what_is_wrong() {
    let page = page();
    let text = "{ name = \"ä😀\" && duration > 5 }";
    let answer = page.good(&format!("/query?q={}", escaped(text))).await;
    assert_eq!(answer["canonical"], Value::Null);
    let told = &answer["diagnostics"][0];
    let at = text.encode_utf16().count() - "5 }".len();
    assert_eq!(
        (told["from"].as_u64(), told["to"].as_u64()),
        (Some(at as u64), Some(at as u64 + 1))
    );
    assert!(told["proposal"]["text"].is_string(), "{told}");
}

#[tokio::test]
async fn fields_are_those_of_the_language_and_of_the_store() {
    let page = page();
    let (texts, answer) = completed(&page, "{ span.ht| }").await;
    assert!(
        texts.contains(&"{ span.http.route }".to_owned()),
        "{texts:?}"
    );
    assert!(
        texts.contains(&"{ span.http.status_code }".to_owned()),
        "{texts:?}"
    );
    assert!(
        !texts.iter().any(|text| text.contains("host.name")),
        "{texts:?}"
    );
    let route = &answer["items"][0];
    assert_eq!(
        (&route["text"], &route["kind"], &route["count"]),
        (&"span.http.route".into(), &"attribute".into(), &3.into())
    );
    let (texts, answer) = completed(&page, "{ du| }").await;
    assert!(texts.contains(&"{ duration }".to_owned()), "{texts:?}");
    let kinds = answer["items"].as_array().unwrap().iter();
    assert!(kinds.into_iter().any(|item| item["kind"] == "field"));
    let (texts, _) = completed(&page, "{ resource.h| }").await;
    assert!(
        texts.contains(&"{ resource.host.name }".to_owned()),
        "{texts:?}"
    );
}

#[tokio::test]
async fn values_are_quoted_as_a_query_needs_it() {
    let page = page();
    let (texts, answer) = completed(&page, "{ span.http.route = | }").await;
    assert!(
        texts.contains(&"{ span.http.route = \"/x\" }".to_owned()),
        "{texts:?}"
    );
    assert!(
        texts.contains(&"{ span.http.route = \"a \\\"b\\\"\\\\c\" }".to_owned()),
        "{texts:?}"
    );
    assert_eq!(answer["items"][0]["kind"], "value");
    let (texts, _) = completed(&page, "{ span.http.route = \"/| }").await;
    assert_eq!(
        texts,
        ["{ span.http.route = \"/x\" }"],
        "an open quote is part of what is replaced"
    );
    let (texts, _) = completed(&page, "{ span.http.status_code = | }").await;
    assert!(
        texts.contains(&"{ span.http.status_code = 404 }".to_owned()),
        "{texts:?}"
    );
    let (texts, _) = completed(&page, "{ resource.service.name = \"c| }").await;
    assert_eq!(
        texts,
        [
            "{ resource.service.name = \"cart\" }",
            "{ resource.service.name = \"checkout\" }"
        ]
    );
    let (texts, _) = completed(&page, "{ name = \"GET| }").await;
    assert_eq!(texts, ["{ name = \"GET /\\\"x\\\"\" }"]);
    let (texts, _) = completed(&page, "{ status = | }").await;
    assert!(
        texts.contains(&"{ status = error }".to_owned()),
        "{texts:?}"
    );
    // Whatever is offered for a finished comparison is a query.
    for text in texts {
        assert_eq!(
            page.good(&format!("/query?q={}", escaped(&text))).await["diagnostics"],
            json!([]),
            "{text}"
        );
    }
}

#[tokio::test]
async fn operators_and_logic_are_offered_where_they_may_stand() {
    let page = page();
    let (texts, answer) = completed(&page, "{ duration | }").await;
    assert!(texts.contains(&"{ duration > }".to_owned()), "{texts:?}");
    assert_eq!(answer["items"][0]["kind"], "operator");
    let (texts, answer) = completed(&page, "{ duration > 5ms | }").await;
    assert!(
        texts.contains(&"{ duration > 5ms && }".to_owned()),
        "{texts:?}"
    );
    assert_eq!(answer["items"][0]["kind"], "logic");
}

#[tokio::test]
async fn places_are_counted_in_utf_16_behind_any_text() {
    let page = page();
    let (texts, answer) = completed(&page, "{ name = \"😀ä😀\" && sta| }").await;
    assert!(
        texts.contains(&"{ name = \"😀ä😀\" && status }".to_owned()),
        "{texts:?}"
    );
    assert_eq!(
        answer["from"].as_u64(),
        Some("{ name = \"😀ä😀\" && ".encode_utf16().count() as u64)
    );
    // Without a place it is the end; behind the end it is the end, too.
    for at in ["", "&at=4000"] {
        let answer = page
            .good(&format!("/complete?q={}{at}", escaped("{ 😀 ")))
            .await;
        assert_eq!(answer["to"], 5, "{at}");
    }
    page.refused("/complete?q=&at=x", 400).await;
}

#[tokio::test]
async fn services_are_listed_by_name() {
    assert_eq!(
        page().good("/services").await,
        json!({"services": ["cart", "checkout"]})
    );
    let empty = page_over(Arc::new(OracleStore::new()));
    assert_eq!(empty.good("/services").await, json!({"services": []}));
    let (texts, _) = completed(&empty, "{ resource.service.name = | }").await;
    assert!(texts.is_empty(), "{texts:?}");
}
