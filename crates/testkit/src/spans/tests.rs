//! What the builders promise: order, numbers, ids and times.

use std::collections::BTreeSet;

use super::*;

fn only_span(request: RequestBuilder) -> Span {
    request
        .build()
        .resource_spans
        .remove(0)
        .scope_spans
        .remove(0)
        .spans
        .remove(0)
}

#[test]
fn ids_are_distinct_and_never_zero() {
    let mut spans = BTreeSet::new();
    let mut traces = BTreeSet::new();
    for seed in 0..10 {
        for number in 0..1000 {
            spans.insert(Ids::new(seed).span(number));
            traces.insert(Ids::new(seed).trace(number));
        }
    }
    assert_eq!((spans.len(), traces.len()), (10_000, 10_000));
    assert!(!spans.contains(&[0; 8]) && !traces.contains(&[0; 16]));
}

#[test]
fn hex_reads_as_the_bytes() {
    let ids = Ids::new(5);
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    assert_eq!(ids.span_hex(9), hex(&ids.span(9)));
    assert_eq!(ids.trace_hex(9), hex(&ids.trace(9)));
}

#[test]
fn equal_calls_give_equal_bytes_and_another_seed_others() {
    let build = |seed| {
        request()
            .seed(seed)
            .service("a")
            .span("x", |s| s.attr("k", 1i64))
            .encode()
    };
    assert_eq!(build(1), build(1));
    assert_ne!(build(1), build(2));
}

#[test]
fn spans_stand_under_the_resource_and_scope_before_them() {
    let request = request()
        .service("a")
        .span("a1", |s| s)
        .scope("lib", "1.2")
        .scope_attr("sk", "sv")
        .span("a2", |s| s)
        .span("a3", |s| s)
        .service("b")
        .resource_attr("host.name", "h")
        .span("b1", |s| s)
        .build();
    let names: Vec<Vec<Vec<&str>>> = request
        .resource_spans
        .iter()
        .map(|rs| {
            rs.scope_spans
                .iter()
                .map(|ss| ss.spans.iter().map(|s| s.name.as_str()).collect())
                .collect()
        })
        .collect();
    assert_eq!(
        names,
        [vec![vec!["a1"], vec!["a2", "a3"]], vec![vec!["b1"]]]
    );
    let scope = request.resource_spans[0].scope_spans[1]
        .scope
        .as_ref()
        .unwrap();
    assert_eq!(
        (
            scope.name.as_str(),
            scope.version.as_str(),
            scope.attributes.len()
        ),
        ("lib", "1.2", 1)
    );
    assert_eq!(
        request.resource_spans[1]
            .resource
            .as_ref()
            .unwrap()
            .attributes
            .len(),
        2
    );
}

#[test]
fn numbers_name_traces_spans_and_parents() {
    let ids = Ids::default();
    let request = request()
        .service("a")
        .span("root", |s| s)
        .span("child", |s| s.parent(1))
        .span("other", |s| s.trace(2).id(40));
    let spans = request
        .build()
        .resource_spans
        .remove(0)
        .scope_spans
        .remove(0)
        .spans;
    assert_eq!(
        (&spans[0].trace_id[..], &spans[0].span_id[..]),
        (&ids.trace(1)[..], &ids.span(1)[..])
    );
    assert_eq!(
        (&spans[1].parent_span_id[..], &spans[1].span_id[..]),
        (&ids.span(1)[..], &ids.span(2)[..])
    );
    assert_eq!(
        (&spans[2].trace_id[..], &spans[2].span_id[..]),
        (&ids.trace(2)[..], &ids.span(40)[..])
    );
}

#[test]
fn times_follow_the_number_of_the_span_and_can_be_set() {
    let at = |r: RequestBuilder| {
        let span = only_span(r);
        (span.start_time_unix_nano, span.end_time_unix_nano)
    };
    assert_eq!(
        at(request().at_ns(10).span("x", |s| s)),
        (10 + MILLISECOND_NS, 10 + 2 * MILLISECOND_NS)
    );
    assert_eq!(
        at(request().span("x", |s| s.lasting_ms(3).start_ns(7))),
        (7, 7 + 3 * MILLISECOND_NS)
    );
    assert_eq!(at(request().span("x", |s| s.start_ns(7).end_ns(5))), (7, 5));
    assert_eq!(
        at(request().at_ns(u64::MAX).span("x", |s| s)),
        (u64::MAX, u64::MAX)
    );
}

#[test]
fn every_word_sets_its_field() {
    let span = only_span(request().service("a").span("x", |s| {
        s.kind(SpanKind::Client)
            .attr("k", "v")
            .event("first")
            .event("second")
            .event_at_ns(3)
            .event_attr("ek", true)
            .link(7, 8)
            .link_attr("lk", 1.5)
            .trace_state("a=b")
            .flags(0x101)
            .dropped(1, 2, 3)
            .error("bad")
            .with(|span| span.name.push('!'))
    }));
    assert_eq!(
        (
            span.kind,
            span.name.as_str(),
            span.attributes[0].key.as_str()
        ),
        (3, "x!", "k")
    );
    assert_eq!(
        (
            span.events.len(),
            span.events[1].time_unix_nano,
            span.events[1].attributes.len()
        ),
        (2, 3, 1)
    );
    assert_eq!(span.links[0].trace_id, Ids::default().trace(7));
    assert_eq!(span.links[0].span_id, Ids::default().span(8));
    assert_eq!(span.links[0].attributes.len(), 1);
    assert_eq!((span.trace_state.as_str(), span.flags), ("a=b", 0x101));
    assert_eq!(
        (
            span.dropped_attributes_count,
            span.dropped_events_count,
            span.dropped_links_count
        ),
        (1, 2, 3)
    );
    assert_eq!(
        span.status,
        Some(Status {
            code: 2,
            message: "bad".into()
        })
    );
    assert_eq!(
        only_span(request().span("x", SpanBuilder::ok))
            .status
            .unwrap()
            .code,
        1
    );
}

#[test]
fn a_wrong_id_can_be_built() {
    let span =
        only_span(request().span("x", |s| s.trace_id(vec![1]).span_id([]).parent_id([0; 9])));
    assert_eq!(
        (
            span.trace_id.len(),
            span.span_id.len(),
            span.parent_span_id.len()
        ),
        (1, 0, 9)
    );
}
