//! Decodes Zipkin's formats again and again and prints the spans that a second of CPU time decodes.
//!
//! `cargo run --profile ci -p codec --example decode_zipkin -- [ROUNDS]`. The requests are made here: a hundred spans
//! of a service as instrumented HTTP servers report them, each with its own ids, times and path.

#![allow(clippy::print_stdout, reason = "a tool that people run in a terminal")]

use std::error::Error;
use std::hint::black_box;

use codec::wire::Writer;
use codec::zipkin::{decode_json_v1, decode_json_v2, decode_proto_v2, decode_thrift_v1};
use codec::{DecodeError, Decoded};
use serde_json::{Value, json};

/// Spans of a request: what Zipkin's senders put into one.
const SPANS: u64 = 100;
const START_MICROS: u64 = 1_768_471_200_000_000;

/// CPU time of this thread: what others do on the machine doesn't count.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}

struct Span {
    trace_id: u128,
    id: u64,
    start: u64,
    duration: u64,
    path: String,
}

fn spans() -> impl Iterator<Item = Span> {
    (1..=SPANS).map(|number| {
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Span {
            trace_id: u128::from(id) << 64 | u128::from(!id),
            id,
            start: START_MICROS + number * 997,
            duration: 1000 + id % 100_000,
            path: format!("/api/items/{}", id % 10_000),
        }
    })
}

fn tags(path: &str) -> [(&'static str, &str); 6] {
    [
        ("http.method", "GET"),
        ("http.path", path),
        ("http.status_code", "200"),
        ("mvc.controller.class", "ItemController"),
        ("mvc.controller.method", "getItem"),
        ("instance.id", "items-5d8f7b9c6d-x2x4z"),
    ]
}

fn json_v2() -> Vec<u8> {
    let spans = spans().map(|span| {
        let tags: serde_json::Map<String, Value> =
            tags(&span.path).iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        json!({
            "traceId": format!("{:032x}", span.trace_id), "parentId": format!("{:016x}", span.id ^ 1),
            "id": format!("{:016x}", span.id), "kind": "SERVER", "name": "get /api/items/{id}",
            "timestamp": span.start, "duration": span.duration,
            "localEndpoint": {"serviceName": "items", "ipv4": "10.12.0.7", "port": 8080},
            "remoteEndpoint": {"ipv4": "10.12.0.31", "port": 51234},
            "annotations": [{"timestamp": span.start + 5, "value": "wr"}],
            "tags": tags, "shared": true,
        })
    });
    spans.collect::<Value>().to_string().into_bytes()
}

fn json_v1() -> Vec<u8> {
    let host = json!({"serviceName": "items", "ipv4": "10.12.0.7", "port": 8080});
    let spans = spans().map(|span| {
        let core = [("sr", span.start), ("ss", span.start + span.duration)];
        let annotations = core.map(|(value, time)| json!({"timestamp": time, "value": value, "endpoint": host}));
        let binary = tags(&span.path).map(|(key, value)| json!({"key": key, "value": value, "endpoint": host}));
        json!({
            "traceId": format!("{:032x}", span.trace_id), "parentId": format!("{:016x}", span.id ^ 1),
            "id": format!("{:016x}", span.id), "name": "get /api/items/{id}",
            "timestamp": span.start, "duration": span.duration,
            "annotations": annotations, "binaryAnnotations": binary,
        })
    });
    spans.collect::<Value>().to_string().into_bytes()
}

fn proto_v2() -> Vec<u8> {
    let mut out = Writer::new();
    for span in spans() {
        out.message(1, |out| {
            out.bytes_field(1, &span.trace_id.to_be_bytes());
            out.bytes_field(2, &(span.id ^ 1).to_be_bytes());
            out.bytes_field(3, &span.id.to_be_bytes());
            out.varint_field(4, 2);
            out.bytes_field(5, b"get /api/items/{id}");
            out.fixed64_field(6, span.start);
            out.varint_field(7, span.duration);
            out.message(8, |out| {
                out.bytes_field(1, b"items");
                out.bytes_field(2, &[10, 12, 0, 7]);
                out.varint_field(4, 8080);
            });
            out.message(9, |out| {
                out.bytes_field(2, &[10, 12, 0, 31]);
                out.varint_field(4, 51234);
            });
            out.message(10, |out| {
                out.fixed64_field(1, span.start + 5);
                out.bytes_field(2, b"wr");
            });
            for (key, value) in tags(&span.path) {
                out.message(11, |out| {
                    out.bytes_field(1, key.as_bytes());
                    out.bytes_field(2, value.as_bytes());
                });
            }
            out.varint_field(13, 1);
        });
    }
    out.into_bytes()
}

/// A field's head and number in Thrift's binary protocol.
fn thrift_i64(out: &mut Vec<u8>, id: u8, number: u64) {
    out.extend([10, 0, id]);
    out.extend(number.to_be_bytes());
}

fn thrift_text(out: &mut Vec<u8>, id: u8, text: &str) {
    out.extend([11, 0, id]);
    thrift_count(out, text.len());
    out.extend(text.as_bytes());
}

fn thrift_count(out: &mut Vec<u8>, count: usize) {
    out.extend(u32::try_from(count).unwrap_or_default().to_be_bytes());
}

fn thrift_list(out: &mut Vec<u8>, id: u8, count: usize) {
    out.extend([15, 0, id, 12]);
    thrift_count(out, count);
}

fn thrift_host(out: &mut Vec<u8>, id: u8) {
    out.extend([12, 0, id, 8, 0, 1, 10, 12, 0, 7, 6, 0, 2, 0x1f, 0x90]);
    thrift_text(out, 3, "items");
    out.push(0);
}

fn thrift_v1() -> Vec<u8> {
    let mut list = vec![12];
    let out = &mut list;
    thrift_count(out, spans().count());
    for span in spans() {
        thrift_i64(out, 1, !span.id);
        thrift_text(out, 3, "get /api/items/{id}");
        thrift_i64(out, 4, span.id);
        thrift_i64(out, 5, span.id ^ 1);
        thrift_list(out, 6, 2);
        for (value, time) in [("sr", span.start), ("ss", span.start + span.duration)] {
            thrift_i64(out, 1, time);
            thrift_text(out, 2, value);
            thrift_host(out, 3);
            out.push(0);
        }
        let tags = tags(&span.path);
        thrift_list(out, 8, tags.len());
        for (key, value) in tags {
            thrift_text(out, 1, key);
            thrift_text(out, 2, value);
            out.extend([8, 0, 3, 0, 0, 0, 6]);
            thrift_host(out, 4);
            out.push(0);
        }
        thrift_i64(out, 10, span.start);
        thrift_i64(out, 11, span.duration);
        thrift_i64(out, 12, span.id);
        out.push(0);
    }
    list
}

type Decode = fn(&[u8]) -> Result<Decoded, DecodeError>;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(2000), |text| text.parse())?;
    let formats: [(&str, Vec<u8>, Decode); 4] = [
        ("v2 JSON", json_v2(), decode_json_v2),
        ("v2 protobuf", proto_v2(), decode_proto_v2),
        ("v1 JSON", json_v1(), decode_json_v1),
        ("v1 Thrift", thrift_v1(), decode_thrift_v1),
    ];
    for (name, bytes, decode) in formats {
        let started = cpu_seconds()?;
        let mut spans = 0;
        for _ in 0..rounds {
            spans += black_box(decode(black_box(&bytes))?).batch.len();
        }
        let seconds = cpu_seconds()? - started;
        #[allow(clippy::cast_precision_loss, reason = "a count to be shown")]
        let per_second = spans as f64 / seconds;
        let per_span = bytes.len() / usize::try_from(SPANS)?;
        println!("{name}: {per_second:.0} spans per CPU second, of {per_span} bytes each");
    }
    Ok(())
}
