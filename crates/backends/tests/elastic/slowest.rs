//! Traces by longest first, where documents say when spans end: only those are read that are told.

use std::sync::Arc;

use backends::elastic::{Elastic, ElasticOptions, ElasticWriter};
use codec::jaeger_document::DocumentLayout;
use model::contract::{
    Order, Position, ReadError, SearchAnswer, SearchRequest, SpanReader as _, SpanWriter as _,
    Window,
};
use model::{Field, Literal, Operator, Predicate, TenantId};
use testkit::spans::{RequestBuilder, START_UNIX_NANOS, request};

use super::{incoming, open, options};
use crate::server::Server;

const MILLI: u64 = 1_000_000;
/// Fewer than may match.
const TRACES_MAX: usize = 10;

fn store(server: &Server, has_end: bool) -> Arc<Elastic> {
    open(ElasticOptions {
        layout: DocumentLayout {
            has_end,
            ..DocumentLayout::default()
        },
        search_traces_max: TRACES_MAX,
        ..options(server, false)
    })
}

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

async fn write(elastic: &Arc<Elastic>, name: &str, spans: RequestBuilder) {
    let writer = ElasticWriter(Arc::clone(elastic));
    let written = writer.write(incoming(spans, tenant(name)));
    written.await.unwrap();
}

/// Traces as long as their numbers say, in two pieces each; every second one is called otherwise.
fn traces(numbers: std::ops::RangeInclusive<u64>) -> RequestBuilder {
    let mut spans = request().service("shop");
    for number in numbers {
        let name = if number.is_multiple_of(2) {
            "keep"
        } else {
            "skip"
        };
        spans = spans
            .span(name, |s| {
                let s = s.trace(number).id(number);
                s.start_ns(START_UNIX_NANOS).lasting_ns(MILLI)
            })
            .span(name, |s| {
                let s = s.trace(number).id(number + 1_000).parent(number);
                s.start_ns(START_UNIX_NANOS + MILLI)
                    .lasting_ns((number - 1) * MILLI)
            });
    }
    spans
}

async fn longest(
    elastic: &Elastic,
    name: &str,
    after: Option<Position>,
) -> Result<SearchAnswer, ReadError> {
    let skipped = Predicate::Compare(
        Field::Name,
        Operator::Equal,
        Literal::String("skip".to_owned()),
    );
    let found = elastic.search(SearchRequest {
        tenant: tenant(name),
        predicate: Predicate::Not(Box::new(skipped)),
        window: Window::ALWAYS,
        order: Order::SlowestFirst,
        limit: 4,
        after,
    });
    found.await
}

fn millis(found: &SearchAnswer) -> Vec<u64> {
    let hits = found.traces.iter();
    hits.map(|hit| hit.duration() / MILLI).collect()
}

pub(super) async fn are_told_without_reading_the_others(server: &Server) {
    let (ending, plain) = (store(server, true), store(server, false));
    write(&ending, "Ending", traces(1..=60)).await;
    write(&plain, "Plain", traces(1..=30)).await;
    server.curl("POST", "/_refresh", "");

    let first = longest(&ending, "Ending", None).await.unwrap();
    assert_eq!(millis(&first), [60, 58, 56, 54]);
    assert!(first.has_more);
    let last = first.traces.last().unwrap();
    let after = Some(last.position(Order::SlowestFirst));
    let second = longest(&ending, "Ending", after).await.unwrap();
    assert_eq!(millis(&second), [52, 50, 48, 46]);

    let refused = longest(&plain, "Plain", None).await.unwrap_err();
    let is_told = matches!(&refused, ReadError::OverLimit { reason }
        if reason.contains("raise backend.elasticsearch.search_traces_max"));
    assert!(is_told, "{refused:?}");

    // Somebody who does not say when spans end makes a short trace the longest.
    let late = request().service("shop").span("late", |s| {
        let s = s.trace(8).id(5_000).parent(8);
        s.start_ns(START_UNIX_NANOS + MILLI).lasting_ns(98 * MILLI)
    });
    write(&plain, "Ending", late).await;
    server.curl("POST", "/_refresh", "");
    let first = longest(&ending, "Ending", None).await.unwrap();
    assert_eq!(millis(&first), [99, 60, 58, 56]);
}
