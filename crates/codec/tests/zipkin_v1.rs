//! Random spans of Zipkin's version 1: JSON and Thrift say the same, and hostile bytes do no harm.

use codec::DecodeError;
use codec::zipkin::{decode_json_v1, decode_thrift_v1};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::checks::{check_zipkin_json_v1, check_zipkin_thrift, hashes};
use crate::zipkin_properties::{damaged, flips};

#[derive(Debug, Clone)]
struct Endpoint {
    service: String,
    ipv4: [u8; 4],
    ipv6: Option<[u8; 16]>,
    port: u16,
}

#[derive(Debug, Clone)]
enum Typed {
    Bool(bool),
    Text(String),
    Int(i64),
    Double(f64),
}

#[derive(Debug, Clone)]
struct Span {
    trace_id: (u64, u64),
    id: u64,
    parent_id: u64,
    name: String,
    times: (i64, i64),
    annotations: Vec<(i64, String, Option<Endpoint>)>,
    binary: Vec<(String, Typed, Option<Endpoint>)>,
}

fn a_text() -> impl Strategy<Value = String> {
    let usual = vec![
        "",
        "a",
        "error",
        "true",
        "sr",
        "ss",
        "cs",
        "cr",
        "ms",
        "mr",
        "sa",
        "ca",
        "ma",
        "lc",
        "otel.status_code",
        "OK",
    ];
    prop_oneof![4 => prop::sample::select(usual).prop_map(str::to_owned), 1 => any::<String>()]
}

fn a_host() -> impl Strategy<Value = Option<Endpoint>> {
    let endpoint = (
        a_text(),
        any::<[u8; 4]>(),
        any::<Option<[u8; 16]>>(),
        any::<u16>(),
    );
    prop::option::of(endpoint.prop_map(|(service, ipv4, ipv6, port)| Endpoint {
        service,
        ipv4,
        ipv6,
        port,
    }))
}

fn a_time() -> impl Strategy<Value = i64> {
    prop_oneof![1 => Just(0), 4 => 0..4_000_000_000_000_000i64, 1 => 0..i64::MAX]
}

fn a_value() -> impl Strategy<Value = Typed> {
    prop_oneof![
        any::<bool>().prop_map(Typed::Bool),
        a_text().prop_map(Typed::Text),
        any::<i64>().prop_map(Typed::Int),
        (-1e9..1e9f64).prop_map(Typed::Double),
    ]
}

prop_compose! {
    fn a_span()(
        trace_id in (prop_oneof![Just(0), any::<u64>()], 0..5u64), id in 0..5u64, parent_id in 0..5u64,
        name in a_text(), times in (a_time(), a_time()),
        annotations in vec((a_time(), a_text(), a_host()), 0..4), binary in vec((a_text(), a_value(), a_host()), 0..4),
    ) -> Span {
        Span { trace_id, id, parent_id, name, times, annotations, binary }
    }
}

fn json_host(endpoint: Option<&Endpoint>) -> Value {
    let Some(Endpoint {
        service,
        ipv4,
        ipv6,
        port,
    }) = endpoint
    else {
        return Value::Null;
    };
    let ipv4 = Some(ipv4)
        .filter(|ip| **ip != [0; 4])
        .map(|ip| std::net::Ipv4Addr::from(*ip).to_string());
    let ipv6 = ipv6.map(|ip| std::net::Ipv6Addr::from(ip).to_string());
    json!({"serviceName": service, "ipv4": ipv4, "ipv6": ipv6, "port": port})
}

fn json_of(spans: &[Span]) -> String {
    let spans = spans.iter().map(|span| {
        let (high, low) = span.trace_id;
        let annotations = span.annotations.iter().map(
            |(time, value, host)| json!({"timestamp": time, "value": value, "endpoint": json_host(host.as_ref())}),
        );
        let binary = span.binary.iter().map(|(key, value, host)| {
            let (value, type_name) = match value {
                Typed::Bool(is) => (json!(is), "BOOL"),
                Typed::Text(text) => (json!(text), "STRING"),
                Typed::Int(int) => (json!(int), "I64"),
                Typed::Double(double) => (json!(double), "DOUBLE"),
            };
            json!({"key": key, "value": value, "type": type_name, "endpoint": json_host(host.as_ref())})
        });
        json!({
            "traceId": if high == 0 { format!("{low:016x}") } else { format!("{high:016x}{low:016x}") },
            "id": format!("{:016x}", span.id), "parentId": format!("{:016x}", span.parent_id),
            "name": span.name, "timestamp": span.times.0, "duration": span.times.1,
            "annotations": annotations.collect::<Vec<_>>(), "binaryAnnotations": binary.collect::<Vec<_>>(),
        })
    });
    spans.collect::<Value>().to_string()
}

/// Writes Thrift's binary protocol.
#[derive(Default)]
struct Thrift(Vec<u8>);

impl Thrift {
    fn field(&mut self, kind: u8, id: i16) -> &mut Vec<u8> {
        self.0.push(kind);
        self.0.extend(id.to_be_bytes());
        &mut self.0
    }

    fn i64(&mut self, id: i16, number: i64) {
        self.field(10, id).extend(number.to_be_bytes());
    }

    fn bytes(&mut self, id: i16, bytes: &[u8]) {
        let out = self.field(11, id);
        out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        out.extend(bytes);
    }

    fn list(&mut self, id: i16, len: usize) {
        self.field(15, id);
        self.list_head(len);
    }

    fn list_head(&mut self, len: usize) {
        self.0.push(12);
        self.0.extend(u32::try_from(len).unwrap().to_be_bytes());
    }

    fn host(&mut self, id: i16, host: Option<&Endpoint>) {
        let Some(host) = host else { return };
        self.field(12, id);
        self.field(8, 1).extend(host.ipv4);
        self.field(6, 2).extend(host.port.to_be_bytes());
        self.bytes(3, host.service.as_bytes());
        if let Some(ip) = host.ipv6 {
            self.bytes(4, &ip);
        }
        self.0.push(0);
    }

    fn span(&mut self, span: &Span) {
        self.i64(1, span.trace_id.1.cast_signed());
        self.bytes(3, span.name.as_bytes());
        self.i64(4, span.id.cast_signed());
        self.i64(5, span.parent_id.cast_signed());
        self.list(6, span.annotations.len());
        for (time, value, host) in &span.annotations {
            self.i64(1, *time);
            self.bytes(2, value.as_bytes());
            self.host(3, host.as_ref());
            self.0.push(0);
        }
        self.list(8, span.binary.len());
        for (key, value, host) in &span.binary {
            let (bytes, kind) = match value {
                Typed::Bool(is) => (vec![u8::from(*is)], 0),
                Typed::Text(text) => (text.as_bytes().to_vec(), 6),
                Typed::Int(int) => (int.to_be_bytes().to_vec(), 4),
                Typed::Double(double) => (double.to_be_bytes().to_vec(), 5),
            };
            self.bytes(1, key.as_bytes());
            self.bytes(2, &bytes);
            self.field(8, 3).extend(i32::to_be_bytes(kind));
            self.host(4, host.as_ref());
            self.0.push(0);
        }
        self.field(2, 9).push(1);
        self.i64(10, span.times.0);
        self.i64(11, span.times.1);
        if span.trace_id.0 != 0 {
            self.i64(12, span.trace_id.0.cast_signed());
        }
        self.0.push(0);
    }
}

fn thrift_of(spans: &[Span]) -> Vec<u8> {
    let mut out = Thrift::default();
    out.list_head(spans.len());
    spans.iter().for_each(|span| out.span(span));
    out.0
}

fn plain(id: u64) -> Span {
    Span {
        trace_id: (1, 2),
        id,
        parent_id: 0,
        name: "n".to_owned(),
        times: (5, 7),
        annotations: Vec::new(),
        binary: Vec::new(),
    }
}

#[test]
fn a_span_of_thrift_without_an_id_or_with_a_negative_duration_is_rejected_alone() {
    let mut late = plain(3);
    late.times.1 = -1;
    let decoded = decode_thrift_v1(&thrift_of(&[plain(1), plain(0), late, plain(4)])).unwrap();
    assert_eq!((decoded.batch.len(), decoded.rejected_spans), (2, 2));
    let rejection = decoded.rejection.unwrap();
    assert!(
        rejection.contains("span id is all zero (first at spans[1])"),
        "{rejection}"
    );
    assert!(
        rejection.contains("duration must be a whole number from 0 (first at spans[2])"),
        "{rejection}"
    );
}

#[test]
fn a_list_of_thrift_cut_off_anywhere_is_refused() {
    let bytes = thrift_of(&[plain(1), plain(2)]);
    for end in 0..bytes.len() {
        let error = decode_thrift_v1(&bytes[..end]).unwrap_err();
        assert!(
            matches!(error, DecodeError::Broken { .. }),
            "{end}: {error}"
        );
    }
    // What follows the list is no concern of its.
    assert_eq!(
        decode_thrift_v1(&[&bytes[..], b"more"].concat())
            .unwrap()
            .batch
            .len(),
        2
    );
}

#[test]
fn counts_lengths_and_depths_that_are_made_to_do_harm_are_refused() {
    let deep = [&[12, 0, 0, 0, 1][..], &b"\x0c\x00\x63".repeat(100_000)].concat();
    let cases: [&[u8]; 6] = [
        &[12, 0x7f, 0xff, 0xff, 0xff],
        &[12, 0xff, 0xff, 0xff, 0xff],
        &[10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
        &[12, 0, 0, 0, 1, 11, 0, 3, 0x7f, 0xff, 0xff, 0xff],
        &[12, 0, 0, 0, 1, 15, 0, 6, 12, 0x7f, 0xff, 0xff, 0xff],
        &deep,
    ];
    for bytes in cases {
        let error = decode_thrift_v1(bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Broken { .. }), "{error}");
    }
    assert!(
        decode_thrift_v1(&[12, 0, 0, 0, 0])
            .unwrap()
            .batch
            .is_empty()
    );
}

#[test]
fn fields_of_unknown_ids_and_of_other_types_are_passed_over() {
    let mut out = Thrift::default();
    out.list_head(1);
    out.bytes(10, b"no time");
    out.i64(2, 5);
    out.field(15, 6)
        .extend([10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]);
    out.field(13, 77)
        .extend([11, 8, 0, 0, 0, 1, 0, 0, 0, 1, b'k', 0, 0, 0, 5]);
    out.span(&plain(1));
    let decoded = decode_thrift_v1(&out.0).unwrap();
    let span = decoded.batch.span(0).unwrap();
    assert_eq!(
        (span.name(), span.start(), span.end(), span.events().len()),
        ("n", 5_000, 12_000, 0)
    );
    assert_eq!(
        span.trace_id().to_string(),
        "00000000000000010000000000000002"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn spans_of_version_1_are_the_same_in_json_and_in_thrift(spans in vec(a_span(), 0..4)) {
        let text = json_of(&spans);
        let json = decode_json_v1(text.as_bytes()).unwrap();
        let thrift = decode_thrift_v1(&thrift_of(&spans)).unwrap();
        prop_assert_eq!(hashes(&json.batch), hashes(&thrift.batch), "{}", text);
        prop_assert_eq!((json.rejected_spans, json.rejection), (thrift.rejected_spans, thrift.rejection));
        prop_assert_eq!(json.batch.len() as u64 + json.rejected_spans, spans.len() as u64);
    }

    #[test]
    fn damaged_lists_of_version_1_hold_the_checks(
        spans in vec(a_span(), 1..3), flips in flips(), end in any::<usize>(),
    ) {
        check_zipkin_thrift(&damaged(thrift_of(&spans), &flips, end));
        check_zipkin_thrift(&damaged(thrift_of(&spans), &flips, usize::MAX));
        let text = json_of(&spans).into_bytes();
        check_zipkin_json_v1(&damaged(text.clone(), &flips, end));
        check_zipkin_json_v1(&damaged(text, &flips, usize::MAX));
    }

    #[test]
    fn random_bytes_hold_the_checks_of_thrift(bytes in vec(any::<u8>(), 0..200)) {
        check_zipkin_thrift(&bytes);
        // A list that says that it is a list.
        check_zipkin_thrift(&[&[12, 0, 0, 0, 3], &bytes[..]].concat());
    }
}
