//! Recorded packets and requests of Jaeger's clients: each trace must be shown as the real Jaeger showed it.

use std::path::Path;
use std::sync::Arc;

use codec::DecodeError;
use codec::jaeger::{
    Submitted, ThriftProtocol, decode_batch_binary, decode_post_spans, decode_udp,
};
use model::TenantId;
use serde_json::{Value, json};
use serve::JaegerOptions;
use testkit::oracle::OracleStore;

use crate::world::{get, router_over};

fn recording(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn unhex(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn packet(bytes: &[u8], protocol: ThriftProtocol) -> Result<Submitted, DecodeError> {
    decode_udp(bytes, protocol).map(|datagram| datagram.submitted)
}

/// What is shown of a trace when these were received.
async fn shown(received: &[Result<Submitted, DecodeError>], id: &str) -> Value {
    let store = OracleStore::new();
    for submitted in received.iter().flatten() {
        assert_eq!(submitted.decoded.rejection, None);
        store.keep(&TenantId::default(), &submitted.decoded.batch);
    }
    let router = router_over(Arc::new(store), JaegerOptions::default());
    let answer = get(&router, &format!("/api/traces/{id}")).await;
    serde_json::from_str(&answer.text).unwrap()
}

/// Takes off by how much the times of a packet were moved.
fn move_back(value: &mut Value, micros: u64) {
    match value {
        Value::Object(pairs) => {
            for (key, value) in pairs {
                match (key.as_str(), value.as_u64()) {
                    ("startTime" | "timestamp", Some(time)) => *value = json!(time - micros),
                    _ => move_back(value, micros),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| move_back(value, micros)),
        _ => {}
    }
}

async fn check(name: &str, received: &[Result<Submitted, DecodeError>], want: &Value, moved: u64) {
    let Some(id) = want["data"][0]["traceID"].as_str() else {
        assert!(received.iter().all(Result::is_err), "{name}");
        return;
    };
    let mut got = shown(received, id).await;
    move_back(&mut got, moved);
    assert_eq!(got["data"], want["data"], "{name}");
}

#[tokio::test]
async fn traces_of_stock_clients_are_shown_as_jaeger_showed_them() {
    for (file, protocol) in [
        ("thrift/python-compact-64.json", ThriftProtocol::Compact),
        ("thrift/python-compact-128.json", ThriftProtocol::Compact),
        ("thrift/node-binary-64.json", ThriftProtocol::Binary),
        ("thrift/node-binary-128.json", ThriftProtocol::Binary),
        (
            "thrift/node-binary-64-on-the-compact-port.json",
            ThriftProtocol::Compact,
        ),
    ] {
        let recorded = recording(file);
        let packets = recorded["packets_hex"].as_array().unwrap();
        let received: Vec<_> = packets
            .iter()
            .map(|hex| packet(&unhex(hex), protocol))
            .collect();
        check(file, &received, &recorded["jaeger_api_traces"], 0).await;
    }
    let recorded = recording("thrift/node-http-128.json");
    let body = unhex(&recorded["requests"][0]["body_hex"]);
    let want = &recorded["jaeger_api_traces"];
    check("node-http-128", &[decode_batch_binary(&body)], want, 0).await;
}

#[tokio::test]
async fn traces_of_hand_made_packets_are_shown_as_jaeger_showed_them() {
    let recorded = recording("thrift/hand-made-udp.json");
    let mut compared = 0;
    for case in recorded["cases"].as_array().unwrap() {
        let is_compact = case["sent_by"].as_str().unwrap().ends_with("compact");
        let protocol = match is_compact {
            true => ThriftProtocol::Compact,
            false => ThriftProtocol::Binary,
        };
        let received = packet(&unhex(&case["packet_hex"]), protocol);
        if case.get("never").is_some() {
            // The recorded server did not survive it.
            assert_eq!(received.unwrap().decoded.batch.len(), 1);
            continue;
        }
        let moved = case["times_in_packet_moved_by_ns"].as_str();
        let moved = moved.map_or(0, |nanos| nanos.parse::<u64>().unwrap() / 1000);
        let want = &case["jaeger_api_traces"]["body"];
        check(case["name"].as_str().unwrap(), &[received], want, moved).await;
        compared += 1;
    }
    assert!(compared >= 26, "{compared}");
}

#[tokio::test]
async fn bodies_of_posts_are_taken_or_refused_as_jaeger_did() {
    let recorded = recording("thrift/hand-made-http.json");
    let mut accepted = 0;
    for case in recorded["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let body = match case["body_text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => unhex(&case["body_hex"]),
        };
        let answer = &case["answer"];
        let is_body_refused = answer["body_text"]
            .as_str()
            .unwrap()
            .starts_with("Unable to process");
        let is_accepted = answer["status"] == 202;
        if name == "gzip" || !(is_body_refused || is_accepted) {
            continue;
        }
        let received = decode_batch_binary(&body);
        assert_eq!(received.is_ok(), is_accepted, "{name}: {received:?}");
        accepted += usize::from(is_accepted);
        if let Some(id) = case["jaeger_api_traces"]["body"]["data"][0]["traceID"].as_str() {
            let want = &case["jaeger_api_traces"]["body"];
            let mut got = shown(&[received], id).await;
            let start = |shown: &Value| shown["data"][0]["spans"][0]["startTime"].as_u64();
            // The packets were moved by whole hours.
            let moved = start(&got).unwrap() - start(want).unwrap();
            assert_eq!(moved % 3_600_000_000, 0, "{name}");
            move_back(&mut got, moved);
            assert_eq!(got["data"], want["data"], "{name}");
        }
    }
    assert!(accepted >= 7, "{accepted}");
}

#[tokio::test]
async fn posted_spans_are_shown_as_jaeger_showed_them() {
    use base64::Engine as _;
    let recorded = recording("grpc/collector.json");
    let store = OracleStore::new();
    let mut rejected = 0;
    for call in recorded["calls"].as_array().unwrap() {
        let request = call["request_base64"].as_str().unwrap();
        let request = base64::engine::general_purpose::STANDARD.decode(request);
        let decoded = decode_post_spans(&request.unwrap());
        assert_eq!(decoded.is_err(), call["name"] == "garbage", "{call}");
        let Ok(decoded) = decoded else { continue };
        store.keep(&TenantId::default(), &decoded.batch);
        rejected += decoded.rejected_spans;
    }
    // Those without ids and with a short one.
    assert_eq!(rejected, 2);
    let router = router_over(Arc::new(store), JaegerOptions::default());
    let of = async |id: &str| {
        let answer = get(&router, &format!("/api/traces/{id}")).await;
        let shown: Value = serde_json::from_str(&answer.text).unwrap();
        let trace = shown["data"][0].clone();
        (trace["spans"][0].clone(), trace["processes"]["p1"].clone())
    };
    let (span, process) = of("747261636b7761790000000000001000").await;
    // The version that was recorded loses the warnings.
    assert_eq!(span["warnings"], json!(["old warning"]));
    assert_eq!(span["references"][0]["refType"], "FOLLOWS_FROM");
    assert_eq!(
        (&span["startTime"], &span["duration"]),
        (&json!(1_768_471_200_000_000_u64), &json!(5000))
    );
    let read_back = recording("grpc/collector-read-back.json");
    let theirs = &read_back["calls"][0]["responses"][0]["json"]["spans"][0];
    let keys = |tags: &Value| -> Vec<Value> {
        let tags = tags.as_array().unwrap();
        tags.iter().map(|tag| tag["key"].clone()).collect()
    };
    assert_eq!(keys(&span["tags"]), keys(&theirs["tags"]));
    assert_eq!(keys(&process["tags"]), keys(&theirs["process"]["tags"]));
    assert_eq!(process["serviceName"], "gold-posted");
    for id in [
        "747261636b7761790000000000001003",
        "747261636b7761790000000000001004",
    ] {
        assert_eq!(of(id).await.1["serviceName"], "missing-service-name");
    }
    assert_eq!(of("1005").await.0["operationName"], "posted 5");
    assert_eq!(
        of("747261636b7761790000000000001009").await.0["startTime"],
        0
    );
}
