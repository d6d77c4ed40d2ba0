//! Too much at once: refused in words that clients retry on, before anything is read (O-12).

use model::contract::WriteError;
use receive::{Reason, Transport};

use crate::house::{House, MIB, Mood, mebibytes, soon, spans};
use crate::http1::{Http1, export, export_encoded, head};

fn busy() -> Mood {
    Mood::Refuse(WriteError::Busy {
        reason: "the log is behind".to_owned(),
    })
}

#[tokio::test]
async fn without_budget_a_request_is_refused_before_its_body_is_sent() {
    let house = House::open_with(|plan| plan.budget_bytes = 10 * MIB);
    let held = house.budget.reserve(9 * MIB).unwrap();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let mut client = Http1::connect(house.http).await;
        client
            .send(&head(
                "POST /v1/traces",
                &["Content-Type: application/x-protobuf"],
                Some(2_000_000),
            ))
            .await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.error().code), (429, 14));
        pauses.push(answer.retry_after_s());
    }
    assert!(
        pauses.iter().any(|pause| *pause != pauses[0]),
        "everybody is told to come back at once: {pauses:?}"
    );
    // What fits is still taken.
    assert_eq!(
        Http1::connect(house.http)
            .await
            .ask(&export(&spans(1)))
            .await
            .status,
        200
    );
    drop(held);
    assert_eq!(
        Http1::connect(house.http)
            .await
            .ask(&export(&mebibytes(2)))
            .await
            .status,
        200
    );
    assert_eq!(
        house.counts(Transport::OtlpHttp).requests.refused[Reason::Overloaded as usize],
        8
    );
    house.close().await;
}

#[tokio::test]
async fn a_request_that_could_never_fit_the_budget_is_refused_for_good() {
    let house = House::open_with(|plan| plan.budget_bytes = MIB);
    let answer = Http1::connect(house.http)
        .await
        .ask(&export(&mebibytes(2)))
        .await;
    assert_eq!(
        (
            answer.status,
            answer.header("retry-after"),
            answer.error().code
        ),
        (413, None, 8)
    );
    house.close().await;
}

#[tokio::test]
async fn decompression_counts_against_the_budget() {
    let house = House::open_with(|plan| plan.budget_bytes = 16 * MIB);
    let held = house.budget.reserve(14 * MIB).unwrap();
    let squeezed = crate::house::gzip(&mebibytes(3));
    let mut client = Http1::connect(house.http).await;
    let answer = client.ask(&export_encoded("gzip", &squeezed)).await;
    assert_eq!(answer.status, 429);
    answer.retry_after_s();
    drop(held);
    assert_eq!(
        client.ask(&export_encoded("gzip", &squeezed)).await.status,
        200
    );
    house.close().await;
}

#[tokio::test]
async fn memory_is_held_until_the_answer() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    let mut client = Http1::connect(house.http).await;
    client.send(&export(&mebibytes(4))).await;
    house.writer.begun(1).await;
    assert!(house.budget.used() >= 8 * MIB, "{}", house.budget.used());
    house.writer.release();
    assert_eq!(client.answer().await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn a_full_pool_of_threads_is_503() {
    let house = House::open_with(|plan| plan.pool_queue_jobs_max = 1);
    let blocked = [
        house.block_pool_thread().await,
        house.block_pool_thread().await,
    ];
    let (mut queued, mut refused) = (
        Http1::connect(house.http).await,
        Http1::connect(house.http).await,
    );
    let body = spans(1);
    let bytes = u64::try_from(body.len()).unwrap();
    queued.send(&export(&body)).await;
    house
        .until(Transport::OtlpHttp, |counts| {
            counts.bytes.in_flight == bytes
        })
        .await;
    // The first request may still be on its way into the queue: the second may get in before it.
    refused.send(&export(&body)).await;
    house
        .until(Transport::OtlpHttp, |counts| {
            counts.requests.refused_sum() == 1
        })
        .await;
    drop(blocked);
    let mut statuses = Vec::new();
    for client in [&mut queued, &mut refused] {
        let answer = client.answer().await;
        if answer.status != 200 {
            answer.retry_after_s();
        }
        statuses.push(answer.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    house.close().await;
}

#[tokio::test]
async fn what_the_writer_says_is_what_the_client_hears() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let reason = || "reason of the writer".to_owned();
    for (error, status, code, is_retryable) in [
        (WriteError::Busy { reason: reason() }, 429, 14, true),
        (WriteError::Unavailable { reason: reason() }, 503, 14, true),
        (WriteError::Failed { reason: reason() }, 500, 13, false),
    ] {
        house.writer.set(Mood::Refuse(error));
        let answer = client.ask(&export(&spans(2))).await;
        assert_eq!((answer.status, answer.error().code), (status, code));
        assert!(answer.error().message.contains("reason of the writer"));
        assert_eq!(answer.header("retry-after").is_some(), is_retryable);
        if is_retryable {
            answer.retry_after_s();
        }
    }
    let counts = house.counts(Transport::OtlpHttp);
    assert_eq!(
        (
            counts.spans.received,
            counts.spans.refused_sum(),
            counts.spans.accepted
        ),
        (6, 6, 0)
    );
    house.writer.set(Mood::Keep);
    assert_eq!(client.ask(&export(&spans(2))).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_writer_has_kept_it() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    let mut client = Http1::connect(house.http).await;
    client.send(&export(&spans(2))).await;
    house.writer.begun(1).await;
    let early =
        tokio::time::timeout(std::time::Duration::from_millis(100), client.try_answer()).await;
    assert!(
        early.is_err(),
        "answered before the spans were kept: {early:?}"
    );
    assert_eq!(house.counts(Transport::OtlpHttp).spans.in_flight, 2);
    house.writer.release();
    assert_eq!(soon(client.answer()).await.status, 200);
    assert_eq!(house.writer.kept_spans(), 2);
    house.close().await;
}

#[tokio::test]
async fn a_busy_writer_loses_nothing_once_the_client_sends_again() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    house.writer.set(busy());
    assert_eq!(client.ask(&export(&spans(5))).await.status, 429);
    house.writer.set(Mood::Keep);
    assert_eq!(client.ask(&export(&spans(5))).await.status, 200);
    assert_eq!(house.writer.kept_spans(), 5);
    house.close().await;
}
