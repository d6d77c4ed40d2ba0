//! Searches: what the server gives is judged, and what it may have passed over is said.

use codec::generated::jaeger::api_v2::{Process, Span};
use codec::generated::jaeger::storage::{v1, v2};
use model::contract::{Order, SearchAnswer, SearchRequest, SpanReader, Window};
use model::{Field, Literal, Operator, Predicate, TenantId, TraceId};
use testkit::otlp::trace::v1::TracesData;
use testkit::spans::{Ids, request};

use crate::scripted::Script;

const FIND: &str = "/jaeger.storage.v2.TraceReader/FindTraces";

pub(crate) fn id(number: u64) -> TraceId {
    TraceId(Ids::default().trace(number))
}

/// A trace of one span, which starts so many milliseconds on.
pub(crate) fn trace(number: u64, service: &str, name: &str) -> TracesData {
    let built = request().service(service).span(name, |span| {
        span.trace(number)
            .id(number)
            .start_ns(1_790_000_000_000_000_000 + number * 1_000_000)
    });
    prost::Message::decode(&*built.encode()).unwrap()
}

pub(crate) fn service_is(name: &str) -> Predicate {
    let name = Literal::String(name.to_owned());
    Predicate::Compare(Field::Service, Operator::Equal, name)
}

pub(crate) fn search(predicate: Predicate, limit: usize) -> SearchRequest {
    SearchRequest {
        tenant: TenantId::default(),
        predicate,
        window: Window::ALWAYS,
        order: Order::NewestFirst,
        limit,
        after: None,
    }
}

fn found(answer: &SearchAnswer) -> Vec<TraceId> {
    answer.traces.iter().map(|hit| hit.trace_id).collect()
}

#[tokio::test]
async fn what_a_server_gives_too_much_is_left_out() {
    let script = Script::v2();
    // It does as if it had been asked nothing, and has an order of its own.
    let all = [
        trace(1, "shop", "GET"),
        trace(2, "cart", "GET"),
        trace(3, "shop", "GET"),
    ];
    script.answer(FIND, &all);
    let remote = script.start().await;
    let answer = remote.search(search(service_is("shop"), 10)).await.unwrap();
    assert_eq!(found(&answer), [id(3), id(1)]);
    assert!(!answer.has_more && answer.skipped.is_empty());
    // Not what the window leaves out either, and pages go on behind their last.
    let mut next = search(service_is("shop"), 10);
    next.after = Some(answer.traces[0].position(Order::NewestFirst));
    assert_eq!(found(&remote.search(next).await.unwrap()), [id(1)]);
    let mut early = search(service_is("shop"), 10);
    early.window.end = 1_790_000_000_002_000_000;
    assert_eq!(found(&remote.search(early).await.unwrap()), [id(1)]);
    let asked: Vec<v2::FindTracesRequest> = script.asked(FIND);
    assert_eq!(asked[0].query.as_ref().unwrap().service_name, "shop");
}

#[tokio::test]
async fn what_a_server_may_have_passed_over_is_said() {
    let script = Script::v2();
    // However many it is asked for, there are as many.
    let all: Vec<_> = (1..=100)
        .map(|number| trace(number, "shop", "GET"))
        .collect();
    script.answer(FIND, &all);
    let remote = script.start().await;
    let answer = remote.search(search(service_is("shop"), 5)).await.unwrap();
    assert_eq!(found(&answer), [100, 99, 98, 97, 96].map(id));
    assert!(answer.has_more);
    assert_eq!(answer.skipped.len(), 1, "{:?}", answer.skipped);
    assert!(
        answer.skipped[0]
            .why
            .contains("backend.remote.search_traces_max")
    );
    let depths = script.asked::<v2::FindTracesRequest>(FIND).into_iter();
    let depths: Vec<i32> = depths
        .map(|asked| asked.query.unwrap().search_depth)
        .collect();
    assert_eq!(depths, [20, 80, 100]);
    // One that says that it gives the newest has passed over nothing that belongs here.
    script.says_newest_first();
    let remote = script.start().await;
    let answer = remote.search(search(service_is("shop"), 5)).await.unwrap();
    assert_eq!(found(&answer), [100, 99, 98, 97, 96].map(id));
    assert!(answer.skipped.is_empty(), "{:?}", answer.skipped);
    // But the slowest may be among those that it passed over.
    let mut slowest = search(service_is("shop"), 5);
    slowest.order = Order::SlowestFirst;
    assert_eq!(remote.search(slowest).await.unwrap().skipped.len(), 1);
}

#[tokio::test]
async fn a_server_that_must_be_told_the_service_is_asked_for_each() {
    const FIND_V1: &str = "/jaeger.storage.v1.SpanReaderPlugin/FindTraces";
    let script = std::sync::Arc::new(Script::default());
    let services = ["cart", "shop"].map(str::to_owned).into();
    let path = "/jaeger.storage.v1.SpanReaderPlugin/GetServices";
    script.answer(path, &[v1::GetServicesResponse { services }]);
    let span = Span {
        trace_id: id(1).0.to_vec(),
        span_id: vec![1; 8],
        operation_name: "GET".to_owned(),
        process: Some(Process {
            service_name: "shop".to_owned(),
            tags: Vec::new(),
        }),
        ..Span::default()
    };
    script.answer(FIND_V1, &[v1::SpansResponseChunk { spans: vec![span] }]);
    let remote = script.start().await;
    let answer = remote.search(search(Predicate::All, 10)).await.unwrap();
    assert_eq!(found(&answer), [id(1)]);
    let asked = script.asked::<v1::FindTracesRequest>(FIND_V1).into_iter();
    let asked: Vec<String> = asked
        .map(|asked| asked.query.unwrap().service_name)
        .collect();
    assert_eq!(asked, ["cart", "shop"]);
    assert!(script.asked::<v2::FindTracesRequest>(FIND).is_empty());
}
