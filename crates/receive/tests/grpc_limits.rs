//! What gRPC clients hear when something is too large, too much or too late (G-02, G-03, G-05).

use std::time::Duration;

use model::contract::WriteError;
use receive::{Reason, Transport};
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::grpc_client::{EXPORT, Http2, Tonic, frame};
use crate::house::{House, MIB, Mood, Plan, gzip, mebibytes, spans};
use crate::http1::retry_info_s;

fn one_mebibyte(plan: &mut Plan) {
    plan.limits.body_bytes_max = MIB;
    plan.limits.compressed_bytes_max = MIB;
}

#[tokio::test]
async fn a_message_over_the_limit_is_exhausted_for_good_compressed_or_not() {
    let house = House::open_with(one_mebibyte);
    let squeezed = gzip(&mebibytes(3));
    assert!(squeezed.len() < 1024 * 1024);
    let mut client = Http2::connect(house.grpc).await;
    // Three ways to be too large: as announced, after decompression, and compressed but still too large.
    let announced = [&[0][..], &u32::MAX.to_be_bytes()].concat();
    let answers = [
        client.call(EXPORT, &[], announced.clone()).await,
        client.export(0, &[], &mebibytes(3)).await,
        client
            .export(1, &[("grpc-encoding", "gzip")], &squeezed)
            .await,
        client
            .call(
                EXPORT,
                &[("grpc-encoding", "gzip")],
                [&[1][..], &announced[1..]].concat(),
            )
            .await,
    ];
    for answer in answers {
        assert_eq!(answer.code(), 8);
        assert_eq!(
            answer.header("grpc-status-details-bin"),
            None,
            "RetryInfo would make clients send it again"
        );
    }
    assert!(house.budget.peak() < 8 * MIB, "{}", house.budget.peak());
    let status = Tonic::connect(house.grpc, None)
        .await
        .export(mebibytes(3))
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), status.details()),
        (Code::ResourceExhausted, &b""[..])
    );
    house.close().await;
}

#[tokio::test]
async fn messages_larger_than_a_frameworks_default_of_4_mib_are_taken() {
    let house = House::open();
    for compression in [None, Some(CompressionEncoding::Gzip)] {
        Tonic::connect(house.grpc, compression)
            .await
            .export(mebibytes(6))
            .await
            .unwrap();
    }
    assert_eq!(house.writer.kept_spans(), 12);
    house.close().await;
}

#[tokio::test]
async fn without_budget_a_call_is_refused_for_now_as_soon_as_its_length_is_known() {
    let house = House::open_with(|plan| plan.budget_bytes = 10 * MIB);
    let held = house.budget.reserve(9 * MIB).unwrap();
    let mut client = Http2::connect(house.grpc).await;
    let answer = client.export(0, &[], &mebibytes(4)).await;
    assert_eq!(answer.code(), 14);
    assert!(retry_info_s(&answer.error()).is_some_and(|seconds| (1..=30).contains(&seconds)));
    // The rest of the message was not taken in: no more than what was under way when the length was read.
    assert!(house.counts(Transport::OtlpGrpc).bytes.received < 2 * MIB);
    drop(held);
    assert_eq!(client.export(0, &[], &mebibytes(4)).await.code(), 0);
    house.close().await;
}

#[tokio::test]
async fn what_the_writer_says_is_what_the_client_hears() {
    let house = House::open();
    let mut client = Http2::connect(house.grpc).await;
    let reason = || "reason of the writer: 100 % ä".to_owned();
    for (error, code, is_retryable) in [
        (WriteError::Busy { reason: reason() }, 14, true),
        (WriteError::Unavailable { reason: reason() }, 14, true),
        (WriteError::Failed { reason: reason() }, 13, false),
    ] {
        house.writer.set(Mood::Refuse(error));
        let answer = client.export(0, &[], &spans(2)).await;
        assert_eq!(answer.code(), code);
        assert!(
            answer
                .header("grpc-message")
                .unwrap()
                .contains("reason of the writer: 100 %25 %C3%A4")
        );
        assert_eq!(
            answer.headers.contains_key("grpc-status-details-bin"),
            is_retryable
        );
        if is_retryable {
            assert!(
                retry_info_s(&answer.error()).is_some_and(|seconds| (1..=30).contains(&seconds))
            );
        }
    }
    house.close().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_writer_has_kept_it() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    let mut client = Http2::connect(house.grpc).await;
    let answering = client.begin_post(
        EXPORT,
        &[("content-type", "application/grpc")],
        frame(0, &spans(2)),
    );
    let mut answering = Box::pin(answering);
    house.writer.begun(1).await;
    let early = tokio::time::timeout(Duration::from_millis(100), answering.as_mut()).await;
    assert!(
        early.is_err(),
        "answered before the spans were kept: {early:?}"
    );
    house.writer.release();
    assert_eq!(crate::house::soon(answering).await.code(), 0);
    assert_eq!(house.writer.kept_spans(), 2);
    house.close().await;
}

#[tokio::test]
async fn work_whose_deadline_passed_before_it_was_written_is_given_up() {
    let house = House::open();
    let blocked = [
        house.block_pool_thread().await,
        house.block_pool_thread().await,
    ];
    let mut client = Http2::connect(house.grpc).await;
    let answer = client
        .export(0, &[("grpc-timeout", "100m")], &spans(2))
        .await;
    assert_eq!(answer.code(), 4);
    drop(blocked);
    let counts = house
        .until(Transport::OtlpGrpc, |counts| counts.requests.in_flight == 0)
        .await;
    assert_eq!(
        (
            counts.spans.received,
            counts.spans.dropped,
            counts.spans.accepted
        ),
        (2, 2, 0)
    );
    assert_eq!(
        (counts.requests.dropped, house.writer.begun_count()),
        (1, 0)
    );
    house.close().await;
}

#[tokio::test]
async fn a_deadline_that_passes_while_writing_leaves_the_spans_kept_and_counted() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    let mut client = Http2::connect(house.grpc).await;
    assert_eq!(
        client
            .export(0, &[("grpc-timeout", "100m")], &spans(2))
            .await
            .code(),
        4
    );
    house.writer.release();
    let counts = house
        .until(Transport::OtlpGrpc, |counts| counts.requests.in_flight == 0)
        .await;
    assert_eq!((counts.spans.accepted, counts.spans.dropped), (2, 0));
    house.close().await;
}

#[tokio::test]
async fn a_message_that_does_not_come_is_given_up_for_now() {
    let house = House::open_with(|plan| plan.limits.body_timeout = Duration::from_millis(150));
    let mut client = crate::raw_frames::RawHttp2::connect(house.grpc).await;
    let head = crate::raw_frames::export_fields(EXPORT);
    client.send(&crate::raw_frames::frame(1, 4, 1, &head)).await;
    client
        .send(&crate::raw_frames::frame(
            0,
            0,
            1,
            &frame(0, &spans(2))[..20],
        ))
        .await;
    let counts = house
        .until(Transport::OtlpGrpc, |counts| {
            counts.requests.refused_sum() == 1
        })
        .await;
    assert_eq!(counts.requests.refused[Reason::TooSlow as usize], 1);
    assert!(client.next_of(1).await.unwrap().is_ok());
    drop(client);
    house.close().await;
}
