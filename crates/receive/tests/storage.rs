//! Spans that a Jaeger writes to its store: streams that stay open, and when they are answered.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use codec::generated::google::protobuf::{Duration, Timestamp};
use codec::generated::jaeger::api_v2::{Process, Span};
use codec::generated::jaeger::storage::v1::WriteSpanRequest;
use futures_util::stream;
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use model::contract::SpanWriter;
use prost::Message as _;
use receive::{StorageWrites, Transport};
use tokio::sync::mpsc;

use crate::grpc_client::frame;
use crate::house::{House, Mood, soon};

const STREAM: &str = "/jaeger.storage.v1.StreamingSpanWriterPlugin/WriteSpanStream";
const WRITE: &str = "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan";

fn span(number: u8) -> Vec<u8> {
    let span = Span {
        trace_id: vec![7; 16],
        span_id: vec![number; 8],
        operation_name: format!("span {number}"),
        start_time: Some(Timestamp {
            seconds: 1_790_000_000,
            nanos: 0,
        }),
        duration: Some(Duration::default()),
        process: Some(Process {
            service_name: "shop".to_owned(),
            tags: Vec::new(),
        }),
        ..Span::default()
    };
    WriteSpanRequest { span: Some(span) }.encode_to_vec()
}

/// Answers calls as the program does, with one writer for spans and archive.
fn writes(house: &House) -> StorageWrites {
    let writer = Arc::clone(&house.writer) as Arc<dyn SpanWriter>;
    StorageWrites::new(
        Arc::clone(&house.receiver),
        writer,
        &house.shutdown,
        &house.tasks,
    )
}

/// A call whose bytes the test sends; the answer is its code and message.
fn call(
    house: &House,
    path: &'static str,
) -> (
    mpsc::Sender<Vec<u8>>,
    impl Future<Output = (i32, String)> + use<>,
) {
    let (send, sent) = mpsc::channel::<Vec<u8>>(16);
    let frames = stream::unfold(sent, |mut sent| async move {
        let bytes = sent.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(bytes))), sent))
    });
    let body = StreamBody::new(Box::pin(frames));
    let request = Request::post(path).header("content-type", "application/grpc");
    let request = request.body(body).unwrap();
    let writes = writes(house);
    let answer = async move {
        let (parts, body) = writes.answer(request).await.into_parts();
        let body = body.collect().await.unwrap();
        let mut headers: HeaderMap = parts.headers;
        headers.extend(body.trailers().cloned().unwrap_or_default());
        let text = |name: &str| {
            headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        (
            text("grpc-status").parse().unwrap(),
            text("grpc-message").to_owned(),
        )
    };
    (send, answer)
}

#[tokio::test]
async fn a_stream_is_answered_only_when_all_its_spans_are_kept() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    let (send, answer) = call(&house, STREAM);
    for number in 1..=3 {
        send.send(frame(0, &span(number))).await.unwrap();
    }
    drop(send);
    let mut answer = Box::pin(answer);
    tokio::select! {
        biased;
        answered = &mut answer => panic!("answered before it was kept: {answered:?}"),
        () = house.writer.begun(1) => {}
    }
    house.writer.release();
    assert_eq!(soon(answer).await, (0, String::new()));
    assert_eq!(house.writer.kept_names(), ["span 1", "span 2", "span 3"]);
}

#[tokio::test]
async fn the_spans_of_a_stream_that_stays_open_are_kept() {
    let house = House::open();
    let (send, answer) = call(&house, STREAM);
    let mut answer = Box::pin(answer);
    let halves = frame(0, &span(2));
    let (begin, end) = halves.split_at(9);
    for bytes in [[&frame(0, &span(1)), begin].concat(), end.to_vec()] {
        send.send(bytes).await.unwrap();
    }
    for count in 1.. {
        tokio::select! {
            answered = &mut answer => panic!("the stream has not ended: {answered:?}"),
            () = house.writer.begun(count) => {}
        }
        if house.writer.kept_spans() == 2 {
            break;
        }
    }
    drop(send);
    assert_eq!(soon(answer).await.0, 0);
    assert_eq!(house.writer.kept_names(), ["span 1", "span 2"]);
}

#[tokio::test]
async fn what_came_before_a_broken_message_is_kept_and_the_stream_is_refused() {
    let house = House::open();
    // It says that it is longer than it is: it must not swallow what follows.
    let cut = [0x0a, 0x7f, 1, 2];
    for broken in [
        frame(0, &cut),
        frame(0, &[0x08, 1]),
        vec![0, 0, 0, 0, 9, 1],
        vec![7, 0, 0, 0, 0],
    ] {
        let before = house.writer.kept_spans();
        let (send, answer) = call(&house, STREAM);
        send.send([frame(0, &span(1)), broken].concat())
            .await
            .unwrap();
        drop(send);
        let (code, message) = soon(answer).await;
        assert_eq!(code, 3, "{message}");
        assert_eq!(house.writer.kept_spans(), before + 1, "{message}");
    }
    let counts = house.receiver.ledger().counts(Transport::StorageGrpc);
    assert!(counts.is_balanced(), "{counts:?}");
    assert_eq!(counts.spans.accepted, 4);
}

#[tokio::test]
async fn a_stream_ends_when_the_program_stops_and_keeps_what_came() {
    let house = House::open();
    let (send, answer) = call(&house, STREAM);
    let mut answer = Box::pin(answer);
    send.send(frame(0, &span(1))).await.unwrap();
    tokio::select! {
        answered = &mut answer => panic!("the stream has not ended: {answered:?}"),
        () = house.writer.begun(1) => {}
    }
    house.shutdown.begin();
    assert_eq!(soon(answer).await.0, 14);
    assert_eq!(house.writer.kept_spans(), 1);
    drop(send);
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_by_its_length() {
    let house = House::open_with(|plan| plan.limits.body_bytes_max = 100);
    for path in [STREAM, WRITE] {
        let (send, answer) = call(&house, path);
        send.send(vec![0, 0, 0, 0, 101]).await.unwrap();
        assert_eq!(soon(answer).await.0, 8, "{path}");
    }
}
