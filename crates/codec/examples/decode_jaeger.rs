//! Decodes Jaeger's formats again and again and prints the spans that a second of CPU time decodes.
//!
//! `cargo run --profile ci -p codec --example decode_jaeger -- [ROUNDS]`. The requests are made here: a hundred spans
//! of a service as instrumented HTTP servers report them, each with its own ids, times and path.

#![allow(clippy::print_stdout, reason = "a tool that people run in a terminal")]

use std::error::Error;
use std::hint::black_box;

use codec::jaeger::{ThriftProtocol, decode_batch_binary, decode_post_spans, decode_udp};
use codec::wire::Writer;
use codec::{DecodeError, Decoded};

#[path = "../tests/thrift_writer.rs"]
mod thrift_writer;

use thrift_writer::Thrift;

/// Spans of a request: what Jaeger's clients put into one.
const SPANS: i64 = 100;
const START_MICROS: i64 = 1_768_471_200_000_000;

/// CPU time of this thread: what others do on the machine doesn't count.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}

fn id_of(number: i64) -> i64 {
    number.wrapping_mul(0x1e37_79b9_7f4a_7c15)
}

fn tags(id: i64) -> [(&'static str, String); 6] {
    [
        ("span.kind", "server".to_owned()),
        ("http.method", "GET".to_owned()),
        ("http.url", format!("/api/items/{}", id.rem_euclid(10_000))),
        ("component", "net/http".to_owned()),
        ("sampler.type", "const".to_owned()),
        ("instance.id", "items-5d8f7b9c6d-x2x4z".to_owned()),
    ]
}

fn put_text_tag(out: &mut Thrift, key: &str, value: &str) {
    out.element(|out| {
        out.bytes(1, key.as_bytes());
        out.i32(2, 0);
        out.bytes(3, value.as_bytes());
    });
}

fn put_batch(out: &mut Thrift) {
    out.message_field(1, |out| {
        out.bytes(1, b"items");
        out.list(2, 2);
        put_text_tag(out, "hostname", "items-5d8f7b9c6d-x2x4z");
        put_text_tag(out, "jaeger.version", "Go-2.30.0");
    });
    out.list(2, 100);
    for number in 1..=SPANS {
        let (id, start) = (id_of(number), START_MICROS + number * 997);
        out.element(|out| {
            out.i64(1, !id);
            out.i64(2, id);
            out.i64(3, id);
            out.i64(4, id ^ 1);
            out.bytes(5, b"GET /api/items/{id}");
            out.i32(7, 1);
            out.i64(8, start);
            out.i64(9, 1000 + id.rem_euclid(100_000));
            out.list(10, 7);
            for (key, value) in tags(id) {
                put_text_tag(out, key, &value);
            }
            out.element(|out| {
                out.bytes(1, b"http.status_code");
                out.i32(2, 3);
                out.i64(6, 200);
            });
            out.list(11, 1);
            out.element(|out| {
                out.i64(1, start + 5);
                out.list(2, 2);
                put_text_tag(out, "event", "cache miss");
                put_text_tag(out, "key", "items");
            });
        });
    }
}

fn put_proto_tag(out: &mut Writer, field: u32, key: &str, value: &str) {
    out.message(field, |out| {
        out.bytes_field(1, key.as_bytes());
        out.bytes_field(3, value.as_bytes());
    });
}

fn put_time(out: &mut Writer, field: u32, micros: i64) {
    out.message(field, |out| {
        out.varint_field(1, micros.div_euclid(1_000_000).cast_unsigned());
        out.varint_field(2, (micros.rem_euclid(1_000_000) * 1000).cast_unsigned());
    });
}

fn posted() -> Vec<u8> {
    let mut out = Writer::new();
    out.message(1, |out| {
        for number in 1..=SPANS {
            let (id, start) = (id_of(number), START_MICROS + number * 997);
            let trace_id = [id.to_be_bytes(), (!id).to_be_bytes()].concat();
            out.message(1, |out| {
                out.bytes_field(1, &trace_id);
                out.bytes_field(2, &id.to_be_bytes());
                out.bytes_field(3, b"GET /api/items/{id}");
                out.message(4, |out| {
                    out.bytes_field(1, &trace_id);
                    out.bytes_field(2, &(id ^ 1).to_be_bytes());
                });
                out.varint_field(5, 1);
                put_time(out, 6, start);
                put_time(out, 7, 1000 + id.rem_euclid(100_000));
                for (key, value) in tags(id) {
                    put_proto_tag(out, 8, key, &value);
                }
                out.message(8, |out| {
                    out.bytes_field(1, b"http.status_code");
                    out.varint_field(2, 2);
                    out.varint_field(5, 200);
                });
                out.message(9, |out| {
                    put_time(out, 1, start + 5);
                    put_proto_tag(out, 2, "event", "cache miss");
                    put_proto_tag(out, 2, "key", "items");
                });
            });
        }
        out.message(2, |out| {
            out.bytes_field(1, b"items");
            put_proto_tag(out, 2, "hostname", "items-5d8f7b9c6d-x2x4z");
        });
    });
    out.into_bytes()
}

fn compact(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_udp(bytes, ThriftProtocol::Compact).map(|datagram| datagram.submitted.decoded)
}

fn binary(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_batch_binary(bytes).map(|submitted| submitted.decoded)
}

type Decode = fn(&[u8]) -> Result<Decoded, DecodeError>;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(2000), |text| text.parse())?;
    let datagram = Thrift::message(true, 4, "emitBatch", |out| out.message_field(1, put_batch));
    let formats: [(&str, Vec<u8>, Decode); 3] = [
        ("Thrift, binary", Thrift::of(false, put_batch), binary),
        ("Thrift, compact", datagram, compact),
        ("protobuf", posted(), decode_post_spans),
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
