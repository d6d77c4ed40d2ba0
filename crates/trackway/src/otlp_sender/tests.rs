//! What the sender does when the receiver refuses, for now or for good.

use plumbing::{RealClock, SeededRandom};
use testkit::otlp::collector::trace::v1::ExportTracePartialSuccess;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::cli::IdentityArgs;

/// A receiver that gives fixed answers, each on a connection of its own, then hangs up.
async fn receiver(answers: Vec<Vec<u8>>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    plumbing::Tasks::new().spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(buffer[..read].starts_with(b"POST /v1/traces HTTP/1.1\r\n"));
            stream.write_all(&answer).await.unwrap();
        }
    });
    Server::parse(
        &format!("http://127.0.0.1:{port}"),
        0,
        &IdentityArgs::default(),
    )
    .unwrap()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn sender(server: Server, patience: Duration) -> OtlpSender {
    OtlpSender::new(
        server,
        patience,
        Arc::new(RealClock::default()),
        Arc::new(SeededRandom::new(1)),
    )
}

#[tokio::test]
async fn sends_again_what_was_refused_for_now() {
    let answers = vec![
        answer("429 Too Many Requests", "retry-after: 0\r\n", b""),
        answer("503 Service Unavailable", "retry-after: 0\r\n", b"busy"),
        answer("200 OK", "", b""),
    ];
    let mut sender = sender(receiver(answers).await, Duration::from_secs(30));
    sender.send(Bytes::from_static(b"x"), 5).await.unwrap();
    let expected = Sent {
        requests: 1,
        accepted_spans: 5,
        resends: 2,
        ..Sent::default()
    };
    assert_eq!(sender.sent(), expected);
}

#[tokio::test]
async fn gives_up_what_was_refused_for_good() {
    let answers = vec![answer("400 Bad Request", "", b"no \x1b spans")];
    let mut sender = sender(receiver(answers).await, Duration::from_secs(30));
    let error = sender.send(Bytes::from_static(b"x"), 5).await.unwrap_err();
    assert!(
        error
            .line()
            .ends_with("refused the spans with 400 Bad Request: no \\x1b spans"),
        "{}",
        error.line()
    );
    assert_eq!(sender.sent(), Sent::default());
}

#[tokio::test]
async fn gives_up_when_the_pause_is_longer_than_the_patience() {
    let answers = vec![answer(
        "503 Service Unavailable",
        "retry-after: 60\r\n",
        b"",
    )];
    let mut sender = sender(receiver(answers).await, Duration::from_secs(1));
    assert!(
        sender
            .send(Bytes::from_static(b"x"), 5)
            .await
            .unwrap_err()
            .line()
            .contains("503")
    );
}

#[tokio::test]
async fn counts_the_spans_that_were_rejected() {
    let partial = ExportTracePartialSuccess {
        rejected_spans: 2,
        error_message: "no trace id".to_owned(),
    };
    let body = ExportTraceServiceResponse {
        partial_success: Some(partial),
    }
    .encode_to_vec();
    let mut sender = sender(
        receiver(vec![answer("200 OK", "", &body)]).await,
        Duration::from_secs(30),
    );
    sender.send(Bytes::from_static(b"x"), 5).await.unwrap();
    let sent = sender.sent();
    assert_eq!(
        (
            sent.accepted_spans,
            sent.rejected_spans,
            sent.rejection.as_str()
        ),
        (3, 2, "no trace id")
    );
}
