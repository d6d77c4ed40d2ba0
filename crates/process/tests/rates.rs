//! Rates of `sample` under a clock that the test moves.

use std::time::Duration;

use model::SpanBatch;
use testkit::spans::request;

use crate::bench::Bench;

/// A batch of one span of each of some traces.
fn traces(service: &str, numbers: std::ops::Range<u64>) -> SpanBatch {
    let all = numbers.fold(request().service(service), |all, number| {
        all.span("op", |span| span.trace(number + 1))
    });
    codec::otlp::decode_proto(&all.encode()).unwrap().batch
}

fn kept(bench: &Bench, batch: &SpanBatch) -> usize {
    bench.process(batch).batch.len()
}

#[test]
fn spans_of_a_service_pass_at_its_rate_and_others_have_their_own() {
    let bench = Bench::of(
        "process: [sample: {spans_per_second: 10, services: {big: {spans_per_second: 30}}}]",
    );
    assert_eq!(kept(&bench, &traces("a", 0..50)), 10);
    assert_eq!(kept(&bench, &traces("b", 0..50)), 10);
    assert_eq!(kept(&bench, &traces("big", 0..50)), 30);
    assert_eq!(kept(&bench, &traces("a", 0..50)), 0);
    bench.clock.advance(Duration::from_millis(300));
    assert_eq!(kept(&bench, &traces("a", 0..50)), 3);
    bench.clock.advance(Duration::from_secs(3600));
    assert_eq!(kept(&bench, &traces("a", 0..50)), 10);
}

#[test]
fn a_trace_that_passed_goes_on_passing_and_one_that_did_not_does_not() {
    let bench = Bench::of("process: [sample: {traces_per_second: 5}]");
    let processed = bench.process(&traces("a", 0..8));
    assert_eq!(processed.batch.len(), 5);
    assert_eq!(
        (processed.filtered[0].reason, processed.filtered[0].spans),
        ("rate", 3)
    );
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(kept(&bench, &traces("a", 0..8)), 5);
    assert_eq!(kept(&bench, &traces("a", 8..20)), 5);
}

#[test]
fn what_is_forced_passes_and_takes_no_tokens() {
    let bench = Bench::of("process: [sample: {probability: 0, spans_per_second: 1}]");
    let all = (0..20).fold(request().service("a"), |all, number| {
        all.span("op", |span| {
            let forced = if number % 2 == 0 {
                "sampling.priority"
            } else {
                "jaeger-debug-id"
            };
            span.trace(number + 1).attr(forced, "1")
        })
    });
    let all = codec::otlp::decode_proto(&all.encode()).unwrap().batch;
    assert_eq!(kept(&bench, &all), 20);
    // A debug flag is told beside the spans.
    let plain = traces("a", 0..3);
    let forced: Vec<_> = plain.iter().skip(1).map(|span| span.trace_id()).collect();
    let after = bench.process_forced(&plain, &forced);
    let ids: Vec<_> = after.batch.iter().map(|span| span.trace_id()).collect();
    assert_eq!(ids, forced);
}
