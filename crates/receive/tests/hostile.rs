//! Clients that are slow, silent, or break the rules of HTTP/2: they are cut off and others are served.

use std::time::Duration;

use receive::Transport;

use crate::grpc_client::{EXPORT, Http2};
use crate::house::{House, Plan, soon, spans};
use crate::http1::{Http1, export};
use crate::raw_frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, RawHttp2,
    export_fields, fields, frame,
};

fn impatient(plan: &mut Plan) {
    plan.limits.header_timeout = Duration::from_millis(150);
    plan.limits.idle_timeout = Duration::from_millis(150);
}

async fn assert_serves(house: &House) {
    assert_eq!(
        Http1::connect(house.http)
            .await
            .ask(&export(&spans(1)))
            .await
            .status,
        200
    );
    assert_eq!(
        Http2::connect(house.grpc)
            .await
            .export(0, &[], &spans(1))
            .await
            .code(),
        0
    );
}

#[tokio::test]
async fn connections_that_are_silent_or_slow_with_their_headers_are_closed() {
    let house = House::open_with(impatient);
    for address in [house.http, house.grpc] {
        for start in [
            &b""[..],
            b"P",
            b"PRI * HTTP/2.0\r\n",
            b"POST /v1/traces HTTP/1.1\r\nHost: here\r\n",
        ] {
            let mut client = Http1::connect(address).await;
            client.try_send(start).await;
            client.end().await;
        }
    }
    let mut drip = Http1::connect(house.http).await;
    soon(async {
        // One byte at a time is no progress: the deadline is on the whole head.
        while drip.try_send(b"x").await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(house.counts(Transport::OtlpHttp).requests.received, 0);
    assert_serves(&house).await;
    house.close().await;
}

#[tokio::test]
async fn connections_without_requests_are_closed_and_busy_ones_are_not() {
    let house = House::open_with(impatient);
    let mut idle = RawHttp2::connect(house.grpc).await;
    idle.send_export(1, &spans(1)).await;
    assert!(idle.next_of(HEADERS).await.unwrap().is_ok());
    assert!(
        idle.next_of(GOAWAY).await.is_some(),
        "an idle client is told before it is cut off"
    );
    idle.end().await;
    let mut kept_alive = Http1::connect(house.http).await;
    assert_eq!(kept_alive.ask(&export(&spans(1))).await.status, 200);
    assert_eq!(kept_alive.end().await, b"");
    house.writer.set(crate::house::Mood::Hold);
    let mut busy = RawHttp2::connect(house.grpc).await;
    busy.send_export(1, &spans(1)).await;
    house.writer.begun(3).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    house.writer.release();
    assert!(
        busy.next_of(HEADERS)
            .await
            .is_some_and(|answer| answer.is_ok()),
        "cut off while its request was under way"
    );
    drop(busy);
    house.close().await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed_as_it_comes_and_counted() {
    let house = House::open_with(|plan| plan.limits.connections_max = 2);
    let mut clients = [
        Http1::connect(house.http).await,
        Http1::connect(house.http).await,
    ];
    for client in &mut clients {
        assert_eq!(client.ask(&export(&spans(1))).await.status, 200);
    }
    let mut third = Http1::connect(house.http).await;
    assert_eq!(third.end().await, b"");
    assert_eq!(house.counts(Transport::OtlpHttp).connections_refused, 1);
    drop(clients);
    house
        .until(Transport::OtlpHttp, |counts| counts.connections == 0)
        .await;
    assert_serves(&house).await;
    house.close().await;
}

#[tokio::test]
async fn streams_that_are_reset_as_they_open_end_the_connection_and_nothing_else() {
    let house = House::open();
    for address in [house.http, house.grpc] {
        let mut client = RawHttp2::connect(address).await;
        for number in 0..5000u32 {
            let stream = 2 * number + 1;
            let opened = frame(HEADERS, END_HEADERS, stream, &export_fields(EXPORT));
            if !client
                .try_send(&[opened, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat())
                .await
            {
                break;
            }
        }
        assert!(client.next_of(GOAWAY).await.is_some());
        client.end().await;
    }
    assert_serves(&house).await;
    assert_eq!(house.counts(Transport::OtlpGrpc).requests.accepted, 1);
    house.close().await;
}

#[tokio::test]
async fn floods_of_empty_frames_end_the_connection_and_nothing_else() {
    let house = House::open();
    let begin = frame(HEADERS, END_HEADERS, 1, &export_fields(EXPORT));
    let endless = frame(HEADERS, 0, 1, &export_fields(EXPORT));
    for (first, again) in [
        (&begin, frame(DATA, 0, 1, &[])),
        (&endless, frame(CONTINUATION, 0, 1, &[])),
        (
            &endless,
            frame(CONTINUATION, 0, 1, &fields(&[("name", &"v".repeat(100))])),
        ),
    ] {
        let mut client = RawHttp2::connect(house.grpc).await;
        client.send(first).await;
        let flood = again.repeat(1000);
        let mut is_open = true;
        for _ in 0..200 {
            is_open = is_open && client.try_send(&flood).await;
        }
        assert!(
            !is_open,
            "a flood of frames of kind {} went on for ever",
            again[3]
        );
    }
    assert_serves(&house).await;
    house.close().await;
}

#[tokio::test]
async fn a_flood_of_pings_ends_the_connection_with_goaway() {
    let house = House::open_with(|plan| plan.limits.pings_per_minute_max = 50);
    let mut polite = RawHttp2::connect(house.grpc).await;
    let mut rude = RawHttp2::connect(house.grpc).await;
    let ping = frame(PING, 0, 0, &[7; 8]);
    // The hello counts for one.
    polite.send(&ping.repeat(49)).await;
    for _ in 0..49 {
        assert_eq!(polite.next_of(PING).await.unwrap().payload, [7; 8]);
    }
    polite.send_export(1, &spans(1)).await;
    assert!(polite.next_of(HEADERS).await.unwrap().is_ok());
    rude.send(&ping.repeat(51)).await;
    assert!(rude.next_of(GOAWAY).await.is_some());
    rude.end().await;
    drop(polite);
    house.close().await;
}

#[tokio::test]
async fn a_path_without_its_leading_slash_is_no_path_of_ours() {
    let house = House::open();
    for path in [EXPORT.trim_start_matches('/'), "", "*"] {
        let mut client = RawHttp2::connect(house.grpc).await;
        client
            .send(&frame(HEADERS, END_HEADERS, 1, &export_fields(path)))
            .await;
        client
            .try_send(&frame(
                DATA,
                END_STREAM,
                1,
                &crate::grpc_client::frame(0, &spans(1)),
            ))
            .await;
        // HTTP/2 itself refuses such a path by a reset; what gets through is answered as unknown.
        let refused = soon(async {
            loop {
                match client.next().await {
                    Some(next) if next.stream == 1 => return next.kind,
                    Some(_) => {}
                    None => return GOAWAY,
                }
            }
        })
        .await;
        assert!(
            [RST_STREAM, HEADERS, GOAWAY].contains(&refused),
            "{path:?} got a frame of kind {refused}"
        );
    }
    assert_eq!(
        (
            house.counts(Transport::OtlpGrpc).requests.received,
            house.writer.begun_count()
        ),
        (0, 0)
    );
    house.close().await;
}

#[tokio::test]
async fn headers_that_are_too_many_or_too_long_are_431() {
    let house = House::open();
    let many: Vec<String> = (0..200).map(|at| format!("X-{at}: v")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = format!("X-Long: {}", "v".repeat(100_000));
    for headers in [&many[..], &[&long]] {
        let mut client = Http1::connect(house.http).await;
        client
            .try_send(&crate::http1::request("POST /v1/traces", headers, b""))
            .await;
        assert_eq!(client.answer().await.status, 431);
    }
    house.close().await;
}
