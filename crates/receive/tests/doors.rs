//! The doors of Jaeger's and Zipkin's clients: what they answer, beside what a real Jaeger answered, and how datagrams
//! that nobody answers are kept or counted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::contract::WriteError;
use receive::{Reason, Transport};
use serde_json::Value;
use tokio::net::UdpSocket;

use crate::grpc_client::{Http2, frame};
use crate::house::{House, MIB, Mood, gzip};
use crate::http1::{Http1, request};

const POST_SPANS: &str = "/jaeger.api_v2.CollectorService/PostSpans";
const THRIFT: &str = "Content-Type: application/x-thrift";
const JSON: &str = "Content-Type: application/json";

/// The cases of a recording.
fn recorded(name: &str) -> Vec<Value> {
    let path = format!("../../tests/golden/thrift/{name}.json");
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let file: Value = serde_json::from_slice(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .map(|digit| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect()
}

fn body_of(case: &Value) -> Vec<u8> {
    match case["body_hex"].as_str() {
        Some(hex) => unhex(hex),
        None => case["body_text"].as_str().unwrap_or_default().into(),
    }
}

/// The recorded bytes of a batch of Jaeger's.
fn thrift_batch() -> Vec<u8> {
    body_of(&recorded("hand-made-http")[0])
}

/// The recorded datagram of a case.
pub(crate) fn datagram(name: &str) -> Vec<u8> {
    let cases = recorded("hand-made-udp");
    let case = cases.iter().find(|case| case["name"] == name).unwrap();
    unhex(case["packet_hex"].as_str().unwrap())
}

fn zipkin_span(id: u64, more: &str) -> String {
    format!(
        r#"{{"traceId": "{:032x}", "id": "{id:016x}", "name": "zip {id}", "timestamp": 1768471200000000,
            "duration": 5000, "localEndpoint": {{"serviceName": "shop"}}{more}}}"#,
        id + 1
    )
}

/// Sends what was sent to the real one, and compares status, content type and the first words.
async fn replay(house: &House, transport: Transport, name: &str, differing: &[&str]) {
    for case in recorded(name) {
        let Some(wanted) = case["answer"]["status"].as_u64() else {
            continue;
        };
        let what = case["name"].as_str().unwrap();
        let mut headers = Vec::new();
        if let Some(kind) = case["content_type"].as_str() {
            headers.push(format!("Content-Type: {kind}"));
        }
        for (key, value) in case["headers"].as_object().into_iter().flatten() {
            headers.push(format!("{key}: {}", value.as_str().unwrap()));
        }
        let lines: Vec<&str> = headers.iter().map(String::as_str).collect();
        let start = case["sent_by"].as_str().unwrap_or(what);
        let mut client = Http1::connect(house.doors[&transport]).await;
        let answer = client.ask(&request(start, &lines, &body_of(&case))).await;
        if differing.contains(&what) {
            continue;
        }
        assert_eq!(u64::from(answer.status), wanted, "{name}: {what}");
        let kind = case["answer"]["headers"]["content-type"].as_str();
        assert_eq!(answer.header("content-type"), kind, "{name}: {what}");
        let text = String::from_utf8(answer.body).unwrap();
        let recorded = case["answer"]["body_text"].as_str().unwrap_or_default();
        assert_eq!(text.is_empty(), recorded.is_empty(), "{what}: {text}");
        assert_eq!(text.ends_with('\n'), recorded.ends_with('\n'), "{what}");
        if transport == Transport::JaegerHttp {
            let first = |text: &str| text.split(':').next().map(str::to_owned);
            assert_eq!(first(&text), first(recorded), "{what}");
        }
    }
}

#[tokio::test]
async fn jaegers_clients_over_http_get_the_answers_that_they_got_from_jaeger() {
    let house = House::open();
    replay(&house, Transport::JaegerHttp, "hand-made-http", &[]).await;
    let mut client = Http1::connect(house.doors[&Transport::JaegerHttp]).await;
    let answer = client.ask(&request("GET /api/traces", &[], b"")).await;
    assert_eq!((answer.status, answer.body.as_slice()), (405, &b""[..]));
    assert_eq!(answer.header("allow"), Some("POST"));
    house.close().await;
}

#[tokio::test]
async fn zipkins_clients_get_the_answers_that_they_got_from_jaeger() {
    let house = House::open();
    let zipkin = Transport::ZipkinHttp;
    // One bad span costs itself, where Jaeger refuses the whole request.
    let alone = [
        "bad trace id",
        "no id",
        "negative duration",
        "text timestamp",
    ];
    replay(&house, zipkin, "zipkin-v2-json", &alone).await;
    house.close().await;
}

#[tokio::test]
async fn the_path_chooses_zipkins_model_and_the_type_the_encoding() {
    let house = House::open();
    let mut client = Http1::connect(house.doors[&Transport::ZipkinHttp]).await;
    let body = format!("[{}, {}]", zipkin_span(1, ""), zipkin_span(2, ""));
    for path in ["/api/v2/spans", "/", "/some/prefix/api/v2/spans?x=y"] {
        let answer = client
            .ask(&request(&format!("POST {path}"), &[JSON], body.as_bytes()))
            .await;
        assert_eq!((answer.status, answer.body.as_slice()), (202, &b""[..]));
    }
    let proto = "Content-Type: application/x-protobuf";
    for (path, kind) in [("/api/v2/spans", proto), ("/api/v1/spans", THRIFT)] {
        let broken = request(&format!("POST {path}"), &[kind], body.as_bytes());
        let answer = client.ask(&broken).await;
        assert_eq!(answer.status, 400, "{path} {kind}");
    }
    let answer = client.ask(&request("GET /api/v2/spans", &[], b"")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(house.writer.kept_names().len(), 6);
    house.close().await;
}

#[tokio::test]
async fn a_store_that_can_keep_nothing_is_503_with_a_pause_and_never_a_word_that_loses_spans() {
    let house = House::open();
    let busy = |reason: &str| WriteError::Busy {
        reason: reason.to_owned(),
    };
    house.writer.set(Mood::Refuse(busy("the queue is full")));
    let zipkin = format!("[{}]", zipkin_span(1, ""));
    let asked = [
        (Transport::JaegerHttp, "/api/traces", THRIFT, thrift_batch()),
        (
            Transport::ZipkinHttp,
            "/api/v2/spans",
            JSON,
            zipkin.into_bytes(),
        ),
    ];
    for (transport, path, kind, body) in asked {
        let mut client = Http1::connect(house.doors[&transport]).await;
        let answer = client
            .ask(&request(&format!("POST {path}"), &[kind], &body))
            .await;
        assert_eq!(answer.status, 503, "{transport:?}");
        let pause: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&pause));
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.contains("the queue is full"), "{text}");
        let counts = house.counts(transport);
        assert_eq!(counts.requests.refused_for(Reason::Overloaded), 1);
        assert_eq!(counts.spans.refused_for(Reason::Overloaded), 1);
    }
    house.close().await;
}

#[tokio::test]
async fn agents_post_over_grpc_and_are_told_in_its_codes() {
    let house = House::open();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/grpc/collector.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut client = Http2::connect(house.doors[&Transport::JaegerGrpc]).await;
    for call in file["calls"].as_array().unwrap() {
        use base64::Engine as _;
        let bytes = call["request_base64"].as_str().unwrap();
        let message = base64::engine::general_purpose::STANDARD
            .decode(bytes)
            .unwrap();
        let answer = client.call(POST_SPANS, &[], frame(0, &message)).await;
        // Ids that are none cost their spans, not the batch; what is no batch at all is the sender's fault.
        let wanted = if call["name"] == "garbage" { 3 } else { 0 };
        assert_eq!(answer.code(), wanted, "{}", call["name"]);
    }
    let counts = house.counts(Transport::JaegerGrpc);
    assert!(
        counts.spans.accepted >= 7 && counts.spans.rejected >= 2,
        "{counts:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn clients_and_agents_are_told_what_to_record() {
    let house = House::open();
    let mut client = Http1::connect(house.doors[&Transport::JaegerHttp]).await;
    let answer = client
        .ask(&request("GET /api/sampling?service=shop", &[], b""))
        .await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let wanted =
        r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.25}}"#;
    assert_eq!(String::from_utf8(answer.body).unwrap(), wanted);
    let answer = client.ask(&request("GET /api/sampling", &[], b"")).await;
    assert_eq!(answer.status, 400);
    let mut agent = Http2::connect(house.doors[&Transport::JaegerGrpc]).await;
    let path = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";
    let answer = agent.call(path, &[], frame(0, b"\x0a\x04shop")).await;
    // Field 2 holds field 1, a double.
    let wanted = [&[0x12, 9, 9][..], &0.25f64.to_le_bytes()].concat();
    assert_eq!(answer.message(), wanted);
    house.close().await;
}

pub(crate) async fn send(house: &House, transport: Transport, packets: &[Vec<u8>]) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(house.doors[&transport]).await.unwrap();
    for packet in packets {
        socket.send(packet).await.unwrap();
    }
}

#[tokio::test]
async fn datagrams_of_both_protocols_are_kept_and_bad_ones_cost_only_themselves() {
    let house = House::open();
    let compact = [
        "compact full",
        "compact as CALL",
        "compact cut short",
        "garbage on compact",
    ];
    let binary = [
        "binary full",
        "binary non-strict",
        "binary with trailing bytes",
    ];
    let packets: Vec<_> = compact.into_iter().map(datagram).collect();
    send(&house, Transport::UdpCompact, &packets).await;
    let packets: Vec<_> = binary.into_iter().map(datagram).collect();
    send(&house, Transport::UdpBinary, &packets).await;
    let counts = house
        .until(Transport::UdpCompact, |counts| {
            counts.requests.accepted == 2
        })
        .await;
    let counts = match counts.requests.refused_for(Reason::Malformed) {
        2 => counts,
        _ => {
            house
                .until(Transport::UdpCompact, |counts| {
                    counts.requests.refused_for(Reason::Malformed) == 2
                })
                .await
        }
    };
    assert_eq!(counts.requests.received, 4);
    house
        .until(Transport::UdpBinary, |counts| counts.requests.accepted == 3)
        .await;
    assert_eq!(house.writer.kept_spans(), 5);
    house.close().await;
}

#[tokio::test]
async fn zipkins_oldest_clients_are_understood_at_every_port() {
    let house = House::open();
    let packet = datagram("emitZipkinBatch compact");
    for transport in [Transport::UdpZipkin, Transport::UdpCompact] {
        send(&house, transport, std::slice::from_ref(&packet)).await;
        house
            .until(transport, |counts| counts.spans.accepted == 1)
            .await;
    }
    house.close().await;
}

#[tokio::test]
async fn datagrams_wait_for_a_store_that_is_busy_and_are_written_once_it_is_not() {
    let house = House::open();
    house.writer.set(Mood::Refuse(WriteError::Busy {
        reason: "full".to_owned(),
    }));
    send(&house, Transport::UdpBinary, &[datagram("binary full")]).await;
    house.writer.begun(3).await;
    let counts = house.counts(Transport::UdpBinary);
    assert_eq!((counts.requests.in_flight, counts.spans.in_flight), (1, 1));
    house.writer.set(Mood::Keep);
    house
        .until(Transport::UdpBinary, |counts| counts.spans.accepted == 1)
        .await;
    assert_eq!(house.writer.kept_spans(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_flood_of_datagrams_keeps_nobody_waiting_and_the_stop_is_heard() {
    let house = House::open();
    let to = house.doors[&Transport::UdpBinary];
    let (packet, is_over) = (datagram("binary full"), Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&is_over);
    let flood = std::thread::spawn(move || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(to).unwrap();
        while !flag.load(Ordering::Relaxed) {
            let _sent = socket.send(&packet);
        }
    });
    house
        .until(Transport::UdpBinary, |counts| counts.spans.accepted > 5_000)
        .await;
    let body = format!("[{}]", zipkin_span(1, ""));
    let mut client = Http1::connect(house.doors[&Transport::ZipkinHttp]).await;
    let asked = request("POST /api/v2/spans", &[JSON], body.as_bytes());
    assert_eq!(client.ask(&asked).await.status, 202);
    drop(client);
    // The sender goes on while the receiver stops.
    house.close().await;
    is_over.store(true, Ordering::Relaxed);
    flood.join().unwrap();
}

#[tokio::test]
async fn what_was_read_before_the_stop_is_still_written() {
    let house = House::open();
    house.writer.set(Mood::Hold);
    send(&house, Transport::UdpBinary, &[datagram("binary full")]).await;
    house.writer.begun(1).await;
    send(&house, Transport::UdpBinary, &[datagram("binary as CALL")]).await;
    house
        .until(Transport::UdpBinary, |counts| counts.requests.received == 2)
        .await;
    house.shutdown.begin();
    house.writer.release();
    house.writer.set(Mood::Keep);
    house
        .until(Transport::UdpBinary, |counts| counts.spans.accepted == 2)
        .await;
    house.close().await;
}

#[tokio::test]
async fn compressed_bodies_are_taken_and_bombs_are_not() {
    let house = House::open_with(|plan| plan.limits.body_bytes_max = MIB);
    let mut client = Http1::connect(house.doors[&Transport::ZipkinHttp]).await;
    let encoded = "Content-Encoding: gzip";
    let body = format!("[{}]", zipkin_span(1, ""));
    let good = request(
        "POST /api/v2/spans",
        &[JSON, encoded],
        &gzip(body.as_bytes()),
    );
    assert_eq!(client.ask(&good).await.status, 202);
    let bomb = gzip(" ".repeat(8 << 20).as_bytes());
    let refused = request("POST /api/v2/spans", &[JSON, encoded], &bomb);
    assert_eq!(client.ask(&refused).await.status, 413);
    assert_eq!(house.writer.kept_spans(), 1);
    house.close().await;
}
