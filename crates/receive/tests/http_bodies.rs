//! Bodies over HTTP: sizes, compression, chunks, deadlines (O-05, O-07, O-13).

use std::time::Duration;

use receive::{Reason, Transport};

use crate::house::{House, MIB, Plan, gzip, mebibytes, spans};
use crate::http1::{Http1, export, export_encoded, head};

fn one_mebibyte(plan: &mut Plan) {
    plan.limits.body_bytes_max = MIB;
    plan.limits.compressed_bytes_max = MIB;
}

fn chunked(body: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let headers = [
        "Content-Type: application/x-protobuf",
        "Transfer-Encoding: chunked",
    ];
    let mut bytes = head("POST /v1/traces", &headers, None);
    for chunk in body.chunks(chunk_bytes) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[tokio::test]
async fn refuses_a_body_over_the_limit_before_reading_it() {
    let house = House::open_with(one_mebibyte);
    let limit = usize::try_from(MIB).unwrap();
    let mut client = Http1::connect(house.http).await;
    // Only the head is sent: the answer can't depend on the body.
    client
        .send(&head(
            "POST /v1/traces",
            &["Content-Type: application/x-protobuf"],
            Some(limit + 1),
        ))
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("retry-after")), (413, None));
    let status = answer.error();
    assert_eq!(status.code, 8);
    assert!(status.message.contains("1048576"), "{}", status.message);
    assert_eq!(house.counts(Transport::OtlpHttp).bytes.received, 0);
    assert_eq!(house.budget.peak(), 0);
    house.close().await;
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_body_that_is_too_large_sees_the_answer_and_can_go_on() {
    let house = House::open_with(one_mebibyte);
    let mut client = Http1::connect(house.http).await;
    for _ in 0..3 {
        assert_eq!(client.ask(&export(&mebibytes(20))).await.status, 413);
    }
    assert_eq!(client.ask(&export(&spans(1))).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn the_limit_is_exact_on_plain_and_on_decompressed_bytes() {
    let body = spans(100);
    let exact = u64::try_from(body.len()).unwrap();
    for (limit, status) in [(exact, 200), (exact - 1, 413)] {
        let house = House::open_with(|plan| plan.limits.body_bytes_max = limit);
        let mut client = Http1::connect(house.http).await;
        assert_eq!(client.ask(&export(&body)).await.status, status, "plain");
        assert_eq!(
            client
                .ask(&export_encoded("gzip", &gzip(&body)))
                .await
                .status,
            status,
            "gzip"
        );
        let squeezed = zstd::encode_all(&body[..], 3).unwrap();
        assert_eq!(
            client.ask(&export_encoded("zstd", &squeezed)).await.status,
            status,
            "zstd"
        );
        assert_eq!(
            client.ask(&chunked(&body, 100)).await.status,
            status,
            "chunked"
        );
        house.close().await;
    }
}

#[tokio::test]
async fn compressed_bodies_have_a_limit_of_their_own_as_sent() {
    let squeezed = gzip(&spans(100));
    let limit = u64::try_from(squeezed.len()).unwrap() - 1;
    let house = House::open_with(|plan| plan.limits.compressed_bytes_max = limit);
    let answer = Http1::connect(house.http)
        .await
        .ask(&export_encoded("gzip", &squeezed))
        .await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.error().code, 8);
    house.close().await;
}

#[tokio::test]
async fn compressed_bodies_are_kept_in_their_plain_bytes() {
    let house = House::open();
    let (body, mut client) = (spans(3), Http1::connect(house.http).await);
    let (first, second) = body.split_at(body.len() / 2);
    let members = [gzip(first), gzip(second)].concat();
    for (encoding, bytes) in [
        ("gzip", gzip(&body)),
        ("GZIP", members),
        ("zstd", zstd::encode_all(&body[..], 3).unwrap()),
    ] {
        assert_eq!(
            client.ask(&export_encoded(encoding, &bytes)).await.status,
            200,
            "{encoding}"
        );
    }
    house.writer.with_kept(|kept| {
        assert!(kept.len() == 3 && kept.iter().all(|incoming| incoming.otlp == body));
    });
    house.close().await;
}

#[tokio::test]
async fn damaged_compression_is_400() {
    let house = House::open();
    let (whole, mut client) = (gzip(&spans(3)), Http1::connect(house.http).await);
    let trailing = [&whole[..], b"more"].concat();
    for bytes in [
        b"nonsense",
        &whole[..whole.len() - 1],
        &whole[..5],
        &trailing[..],
    ] {
        for encoding in ["gzip", "zstd"] {
            let answer = client.ask(&export_encoded(encoding, bytes)).await;
            assert_eq!(answer.status, 400, "{encoding}");
            assert_eq!(answer.error().code, 3);
        }
    }
    assert_eq!(house.writer.begun_count(), 0);
    house.close().await;
}

#[tokio::test]
async fn a_gzip_bomb_is_413_however_small_it_is() {
    let house = House::open();
    let bomb = gzip(&vec![0; 65 * 1024 * 1024]);
    assert!(bomb.len() < 1024 * 1024);
    let answer = Http1::connect(house.http)
        .await
        .ask(&export_encoded("gzip", &bomb))
        .await;
    assert_eq!(answer.status, 413);
    assert!(house.budget.peak() < 4 * MIB, "{}", house.budget.peak());
    house.close().await;
}

#[tokio::test]
async fn chunked_bodies_obey_the_same_limit() {
    let house = House::open_with(one_mebibyte);
    let mut client = Http1::connect(house.http).await;
    for chunk_bytes in [1, 100, 1_000_000] {
        assert_eq!(
            client.ask(&chunked(&spans(10), chunk_bytes)).await.status,
            200,
            "{chunk_bytes}"
        );
    }
    let answer = client.ask(&chunked(&mebibytes(3), 70_000)).await;
    assert_eq!(answer.status, 413);
    assert!(
        house.budget.peak() < 4 * MIB,
        "a chunked body took {} bytes",
        house.budget.peak()
    );
    assert_eq!(house.writer.kept_spans(), 30);
    house.close().await;
}

#[tokio::test]
async fn expect_100_continue_is_answered_before_the_body_or_refused_without_it() {
    let house = House::open_with(one_mebibyte);
    let mut client = Http1::connect(house.http).await;
    let (body, expect) = (
        spans(2),
        [
            "Content-Type: application/x-protobuf",
            "Expect: 100-continue",
        ],
    );
    assert_eq!(
        client
            .ask(&head("POST /v1/traces", &expect, Some(body.len())))
            .await
            .status,
        100
    );
    assert_eq!(client.ask(&body).await.status, 200);
    let mut client = Http1::connect(house.http).await;
    let refused = client
        .ask(&head("POST /v1/traces", &expect, Some(2 * 1024 * 1024)))
        .await;
    assert_eq!(refused.status, 413);
    house.close().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_with_an_answer_that_lets_it_be_sent_again() {
    let house = House::open_with(|plan| plan.limits.body_timeout = Duration::from_millis(150));
    let mut client = Http1::connect(house.http).await;
    client
        .send(&head(
            "POST /v1/traces",
            &["Content-Type: application/x-protobuf"],
            Some(1000),
        ))
        .await;
    client.send(&[0x0a; 10]).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 503);
    assert!(answer.retry_after_s() <= 30);
    assert_eq!(client.end().await, b"");
    let counts = house.counts(Transport::OtlpHttp);
    assert_eq!(
        (
            counts.bytes.received,
            counts.bytes.refused[Reason::TooSlow as usize]
        ),
        (10, 10)
    );
    house.close().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_accounted_for() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    client
        .send(&head(
            "POST /v1/traces",
            &["Content-Type: application/x-protobuf"],
            Some(1000),
        ))
        .await;
    client.send(&[0x0a; 10]).await;
    house
        .until(Transport::OtlpHttp, |counts| counts.bytes.in_flight == 10)
        .await;
    drop(client);
    let counts = house
        .until(Transport::OtlpHttp, |counts| counts.requests.in_flight == 0)
        .await;
    assert_eq!(counts.bytes.refused_sum() + counts.bytes.dropped, 10);
    assert_eq!(counts.requests.accepted, 0);
    house.close().await;
}
