//! Two traces compared: the tree of both, and what explains the difference.

use std::sync::Arc;

use serde_json::Value;
use testkit::spans::{Ids, RequestBuilder, request};

use super::{Page, page_over, store_of};
use crate::world::BASE_NANOS;

const MS: u64 = 1_000_000;

/// A span: service, name, parent (counted from 1, 0: none), start and end in milliseconds.
type Span = (&'static str, &'static str, u64, u64, u64);

fn trace(seed: u64, spans: &[Span]) -> RequestBuilder {
    let begin = request().seed(seed);
    spans
        .iter()
        .fold(begin, |request, (service, name, parent, from, to)| {
            request.service(service).span(name, |span| {
                let span = span.start_ns(BASE_NANOS + from * MS).lasting_ms(to - from);
                if *parent == 0 {
                    span
                } else {
                    span.parent(*parent)
                }
            })
        })
}

const SLOW: [Span; 7] = [
    ("web", "GET", 0, 0, 214),
    ("shop", "order", 1, 3, 211),
    ("db", "SELECT", 2, 10, 40),
    ("db", "SELECT", 2, 40, 70),
    ("db", "SELECT", 2, 70, 100),
    ("db", "SELECT", 2, 100, 130),
    ("mail", "publish", 2, 200, 201),
];
const FAST: [Span; 5] = [
    ("web", "GET", 0, 0, 41),
    ("auth", "check", 1, 0, 1),
    ("shop", "order", 1, 3, 39),
    ("db", "SELECT", 3, 10, 13),
    ("db", "SELECT", 3, 14, 20),
];

fn page() -> Page {
    page_over(Arc::new(store_of([trace(1, &SLOW), trace(2, &FAST)])))
}

fn target(a: u64, b: u64) -> String {
    let id = |seed: u64| Ids::new(seed).trace_hex(1);
    format!("/compare?a={}&b={}", id(a), id(b))
}

/// The nodes as lines: depth, name, spans and milliseconds of either side.
fn tree(answer: &Value) -> Vec<String> {
    let nodes = answer["nodes"].as_array().unwrap().iter();
    nodes
        .map(|node| {
            let side = |spans: &str, nanos: &str| match node[spans].as_u64().unwrap() {
                0 => "-".to_owned(),
                count => format!("{}x{count}", node[nanos].as_u64().unwrap() / MS),
            };
            format!(
                "{} {} {} {}",
                node["depth"],
                node["operation"].as_str().unwrap(),
                side("spansA", "durationNsA"),
                side("spansB", "durationNsB")
            )
        })
        .collect()
}

#[tokio::test]
async fn traces_are_aligned_by_path_and_the_largest_difference_comes_first() {
    let answer = page().good(&target(1, 2)).await;
    assert_eq!(
        tree(&answer),
        [
            "0 GET 214x1 41x1",
            "1 order 208x1 36x1",
            "2 SELECT 120x4 9x2",
            "2 publish 1x1 -",
            "1 check - 1x1",
        ]
    );
    assert_eq!(
        (&answer["a"]["spans"], &answer["a"]["onlyHere"]),
        (&7.into(), &1.into())
    );
    assert_eq!(
        (&answer["b"]["spans"], &answer["b"]["onlyHere"]),
        (&5.into(), &1.into())
    );
    assert_eq!(answer["a"]["durationNs"], 214 * MS);
    assert_eq!(answer["allNodes"], 5);
    assert_eq!(answer["nodes"][2]["spanIdA"], Ids::new(1).span_hex(3));
    assert_eq!(answer["nodes"][3]["spanIdB"], Value::Null);
    let causes = answer["causes"].as_array().unwrap();
    let cause = |at: usize| {
        (
            causes[at]["operation"].as_str().unwrap(),
            causes[at]["differenceNs"].as_i64().unwrap() / 1_000_000,
        )
    };
    assert_eq!([cause(0), cause(1)], [("SELECT", 111), ("order", 60)]);
    assert_eq!(
        (&causes[0]["spansA"], &causes[0]["spansB"]),
        (&4.into(), &2.into())
    );
    let short = page().good(&format!("{}&nodes=2", target(1, 2))).await;
    assert_eq!(tree(&short).len(), 2);
    assert_eq!(short["causes"], answer["causes"], "all nodes count");
    assert_eq!(short["allNodes"], 5);
}

#[tokio::test]
async fn like_siblings_are_compared_one_by_one_where_both_have_the_same_few() {
    let before = [
        ("a", "root", 0, 0, 100),
        ("a", "try", 1, 0, 10),
        ("a", "try", 1, 10, 90),
    ];
    let after = [
        ("a", "root", 0, 0, 100),
        ("a", "try", 1, 0, 80),
        ("a", "try", 1, 80, 90),
    ];
    let page = page_over(Arc::new(store_of([trace(1, &before), trace(2, &after)])));
    let answer = page.good(&target(1, 2)).await;
    assert_eq!(
        tree(&answer),
        ["0 root 100x1 100x1", "1 try 10x1 80x1", "1 try 80x1 10x1"]
    );
}

#[tokio::test]
async fn a_trace_does_not_differ_from_itself_and_both_must_be_there() {
    let page = page();
    let same = page.good(&target(1, 1)).await;
    assert_eq!(same["causes"], Value::Array(Vec::new()));
    assert_eq!(
        (&same["a"], &same["a"]["onlyHere"]),
        (&same["b"], &0.into())
    );
    page.refused(&target(1, 3), 404).await;
    page.refused("/compare?a=1", 400).await;
    page.refused("/compare?a=1&b=x", 400).await;
}
