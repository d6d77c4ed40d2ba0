//! Stopping, and clients that go away: what was begun is finished, what is new is refused (G-03, G-07).

use std::time::Duration;

use receive::{Reason, Transport};
use tokio::net::TcpStream;

use crate::grpc_client::{EXPORT, Http2, frame as message};
use crate::house::{House, Mood, soon, spans};
use crate::http1::{Http1, export, head};
use crate::raw_frames::{
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RawHttp2, export_fields, frame,
};

#[tokio::test]
async fn requests_under_way_are_answered_before_the_program_stops() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    let mut http = Http1::connect(house.http).await;
    http.send(&export(&spans(2))).await;
    let mut grpc = RawHttp2::connect(house.grpc).await;
    grpc.send_export(1, &spans(3)).await;
    house.writer.begun(2).await;
    house.shutdown.begin();
    assert!(grpc.next_of(GOAWAY).await.is_some());
    house.writer.release();
    assert_eq!(http.answer().await.status, 200);
    assert!(grpc.next_of(HEADERS).await.unwrap().is_ok());
    grpc.end().await;
    assert_eq!(house.writer.kept_spans(), 5);
    house.close().await;
}

#[tokio::test]
async fn a_body_that_was_begun_may_still_come_and_a_new_request_is_refused_for_now() {
    let house = House::open();
    let mut client = RawHttp2::connect(house.grpc).await;
    client
        .send(&frame(HEADERS, END_HEADERS, 1, &export_fields(EXPORT)))
        .await;
    house
        .until(Transport::OtlpGrpc, |counts| counts.requests.in_flight == 1)
        .await;
    house.shutdown.begin();
    // A polite server first says that it will go, and takes what is already on its way.
    assert!(client.next_of(GOAWAY).await.is_some());
    client
        .send(&frame(DATA, END_STREAM, 1, &message(0, &spans(1))))
        .await;
    assert!(client.next_of(HEADERS).await.unwrap().is_ok());
    assert_eq!(house.writer.kept_spans(), 1);
    drop(client);
    house.close().await;
}

#[tokio::test]
async fn what_comes_on_an_open_connection_after_the_signal_is_refused_for_now() {
    let house = House::open();
    let mut client = RawHttp2::connect(house.grpc).await;
    client
        .send(&frame(HEADERS, END_HEADERS, 1, &export_fields(EXPORT)))
        .await;
    house
        .until(Transport::OtlpGrpc, |counts| counts.requests.in_flight == 1)
        .await;
    house.shutdown.begin();
    // The pings of the goodbye are not answered yet, so streams are still taken.
    while client.next().await.unwrap().kind != GOAWAY {}
    client.send_export(3, &spans(1)).await;
    let counts = house
        .until(Transport::OtlpGrpc, |counts| {
            counts.requests.refused_sum() == 1
        })
        .await;
    assert_eq!(counts.requests.refused[Reason::Unavailable as usize], 1);
    client
        .send(&frame(DATA, END_STREAM, 1, &message(0, &spans(1))))
        .await;
    client.end().await;
    assert_eq!(house.writer.kept_spans(), 1);
    house.close().await;
}

#[tokio::test]
async fn after_the_signal_nobody_is_let_in_and_idle_connections_end() {
    let house = House::open();
    let mut idle = Http1::connect(house.http).await;
    assert_eq!(idle.ask(&export(&spans(1))).await.status, 200);
    let (http, grpc) = (house.http, house.grpc);
    house.close().await;
    assert_eq!(idle.end().await, b"");
    for address in [http, grpc] {
        assert!(
            TcpStream::connect(address).await.is_err(),
            "somebody still listens at {address}"
        );
    }
}

#[tokio::test]
async fn clients_that_do_not_finish_are_cut_when_the_time_is_over() {
    let house = House::open_with(|plan| plan.limits.drain_timeout = Duration::from_millis(200));
    let mut stuck = Http1::connect(house.http).await;
    stuck
        .send(&head(
            "POST /v1/traces",
            &["Content-Type: application/x-protobuf"],
            Some(1000),
        ))
        .await;
    house
        .until(Transport::OtlpHttp, |counts| counts.requests.in_flight == 1)
        .await;
    house.close().await;
    stuck.end().await;
}

#[tokio::test]
async fn a_client_that_goes_away_while_its_spans_are_written_changes_nothing() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    let mut http1 = Http1::connect(house.http).await;
    http1.send(&export(&spans(2))).await;
    house.writer.begun(1).await;
    drop(http1);
    let mut http2 = Http2::connect(house.grpc).await;
    let headers = [("content-type", "application/grpc")];
    let answering = http2.begin_post(EXPORT, &headers, message(0, &spans(3)));
    house.writer.begun(2).await;
    drop((answering, http2));
    house
        .until(Transport::OtlpGrpc, |counts| counts.connections == 0)
        .await;
    house.writer.release();
    let counts = house
        .until(Transport::OtlpGrpc, |counts| counts.requests.in_flight == 0)
        .await;
    assert_eq!((counts.spans.accepted, counts.spans.dropped), (3, 0));
    let counts = house
        .until(Transport::OtlpHttp, |counts| counts.requests.in_flight == 0)
        .await;
    assert_eq!((counts.spans.accepted, counts.spans.dropped), (2, 0));
    assert_eq!(house.writer.kept_spans(), 5);
    house.close().await;
}

#[tokio::test]
async fn an_old_connection_is_told_to_leave_and_its_request_is_still_answered() {
    let house = House::open_with(|plan| {
        plan.limits.connection_age_max = Some(Duration::from_millis(100));
        plan.limits.connection_age_grace = Duration::from_secs(60);
    });
    house.writer.set(Mood::Hold);
    let mut client = RawHttp2::connect(house.grpc).await;
    client.send_export(1, &spans(1)).await;
    assert!(client.next_of(GOAWAY).await.is_some());
    house.writer.begun(1).await;
    house.writer.release();
    assert!(client.next_of(HEADERS).await.unwrap().is_ok());
    client.end().await;
    house.close().await;
}

#[tokio::test]
async fn the_grace_of_an_old_connection_ends() {
    let house = House::open_with(|plan| {
        plan.limits.connection_age_max = Some(Duration::from_millis(50));
        plan.limits.connection_age_grace = Duration::from_millis(50);
    });
    house.writer.set(Mood::Hold);
    let mut client = RawHttp2::connect(house.grpc).await;
    client.send_export(1, &spans(1)).await;
    soon(client.end()).await;
    house.writer.begun(1).await;
    // HTTP has no such age: many clients don't reconnect well.
    let mut http = Http1::connect(house.http).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    house.writer.release();
    assert_eq!(http.ask(&export(&spans(1))).await.status, 200);
    house.close().await;
}
