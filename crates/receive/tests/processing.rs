//! Steps between decoding and writing: what they change reaches the writer in no form, and what they leave out ends in
//! the ledger as filtered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use codec::otlp::decode_proto;
use model::contract::{BatchProcessor, FilteredSpans, Processed, WriteError};
use model::{BatchBuilder, SpanBatch, TenantId, TraceId};
use receive::Transport;
use testkit::spans::request;

use crate::doors::{datagram, send};
use crate::house::{House, Mood, spans};
use crate::http1::{Http1, export};

/// Leaves out spans whose names have an `x`, and counts those that are kept.
#[derive(Debug, Default)]
struct WithoutX {
    kept: Arc<AtomicUsize>,
}

impl BatchProcessor for WithoutX {
    fn process(&self, _: &TenantId, batch: SpanBatch, _: &[TraceId]) -> Processed {
        let rows: Vec<usize> = batch
            .iter()
            .filter(|span| !span.name().contains('x'))
            .map(|span| span.row())
            .collect();
        let mut processed = Processed::untouched(batch);
        let gone = processed.batch.len() - rows.len();
        if gone > 0 {
            let mut builder = BatchBuilder::new();
            builder.append_rows(&processed.batch, rows.iter().copied());
            processed.batch = builder.finish();
            processed.is_changed = true;
            processed.filtered.push(FilteredSpans {
                reason: "x",
                spans: gone as u64,
            });
        }
        let kept = Arc::clone(&self.kept);
        processed.on_kept.push(Box::new(move || {
            kept.fetch_add(rows.len(), Ordering::SeqCst);
        }));
        processed
    }
}

/// A house with the step, and its count of what was kept.
fn house() -> (House, Arc<AtomicUsize>) {
    let step = WithoutX::default();
    let kept = Arc::clone(&step.kept);
    let house = House::open_with(|plan| plan.processor = Some(Arc::new(step)));
    (house, kept)
}

fn named(names: &[&str]) -> Vec<u8> {
    let all = request().service("shop");
    let all = names.iter().fold(all, |all, name| {
        all.span(name, |span| span.attr("of", *name))
    });
    all.encode()
}

#[tokio::test]
async fn what_a_step_leaves_out_is_filtered_and_in_no_byte_that_is_written() {
    let (house, kept) = house();
    let mut client = Http1::connect(house.http).await;
    let answer = client.ask(&export(&named(&["a", "secret x", "b"]))).await;
    assert_eq!(answer.status, 200);
    let counts = house.counts(Transport::OtlpHttp);
    assert_eq!((counts.spans.accepted, counts.spans.filtered["x"]), (2, 1));
    assert_eq!(kept.load(Ordering::SeqCst), 2);
    house.writer.with_kept(|all| {
        let of_bytes = decode_proto(&all[0].otlp).unwrap().batch;
        assert_eq!((of_bytes.len(), all[0].batch.len()), (2, 2));
        let has = |part: &[u8]| all[0].otlp.windows(part.len()).any(|one| one == part);
        assert!(!has(b"secret") && has(b"shop"));
    });
    house.close().await;
}

#[tokio::test]
async fn a_request_of_nothing_else_is_accepted_and_nothing_is_written() {
    let (house, _) = house();
    let mut client = Http1::connect(house.http).await;
    let answer = client.ask(&export(&named(&["x", "xx"]))).await;
    assert_eq!(answer.status, 200);
    let counts = house.counts(Transport::OtlpHttp);
    let requests = (counts.requests.accepted, house.writer.begun_count());
    assert_eq!((requests, counts.spans.filtered["x"]), ((1, 0), 2));
    let shown = house.metrics.print().unwrap();
    let line = r#"trackway_receive_spans_filtered_total{transport="otlp_http",reason="x"} 2"#;
    assert!(shown.lines().any(|one| one == line), "{shown}");
    house.close().await;
}

#[tokio::test]
async fn what_no_step_changes_is_written_as_it_came() {
    let (house, _) = house();
    let sent = spans(3);
    let mut client = Http1::connect(house.http).await;
    assert_eq!(client.ask(&export(&sent)).await.status, 200);
    house.writer.with_kept(|all| assert_eq!(all[0].otlp, sent));
    house.close().await;
}

#[tokio::test]
async fn what_waits_until_spans_are_kept_is_done_once_however_often_they_are_sent() {
    let (house, kept) = house();
    house.writer.set(Mood::Refuse(WriteError::Busy {
        reason: "full".to_owned(),
    }));
    let mut client = Http1::connect(house.http).await;
    let sent = export(&named(&["a", "x"]));
    for _ in 0..3 {
        assert_eq!(client.ask(&sent).await.status, 429);
    }
    assert_eq!(kept.load(Ordering::SeqCst), 0);
    house.writer.set(Mood::Keep);
    assert_eq!(client.ask(&sent).await.status, 200);
    assert_eq!(kept.load(Ordering::SeqCst), 1);
    let counts = house.counts(Transport::OtlpHttp);
    let ends = (counts.spans.refused_sum(), counts.spans.accepted);
    assert_eq!((ends, counts.spans.filtered["x"]), ((3, 1), 4));
    house.close().await;
}

#[tokio::test]
async fn datagrams_go_through_the_steps_each_on_its_own_account() {
    let step = WithoutX::default();
    let house = House::open_with(|plan| plan.processor = Some(Arc::new(step)));
    let packet = datagram("compact full");
    send(&house, Transport::UdpCompact, &[packet.clone(), packet]).await;
    let counts = house
        .until(Transport::UdpCompact, |counts| {
            counts.requests.accepted == 2
        })
        .await;
    let known = counts.spans.accepted + counts.spans.filtered_sum();
    assert_eq!(known, counts.spans.received);
    house.close().await;
}
