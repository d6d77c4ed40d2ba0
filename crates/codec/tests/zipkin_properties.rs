//! Random spans of Zipkin: the formats of a version say the same, and hostile bytes do no harm.

use codec::wire::Writer;
use codec::zipkin::{decode_json_v2, decode_proto_v2};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::checks::{check_zipkin_json_v1, check_zipkin_json_v2, check_zipkin_proto, hashes};

#[derive(Debug, Clone)]
struct Endpoint {
    service: String,
    ipv4: Option<[u8; 4]>,
    ipv6: Option<[u8; 16]>,
    port: u16,
}

#[derive(Debug, Clone)]
struct Span {
    trace_id: u128,
    id: u64,
    parent_id: u64,
    kind: u8,
    name: String,
    timestamp: u64,
    duration: u64,
    local: Option<Endpoint>,
    remote: Option<Endpoint>,
    annotations: Vec<(u64, String)>,
    tags: Vec<(String, String)>,
}

fn a_text() -> impl Strategy<Value = String> {
    let usual = vec![
        "",
        "a",
        "error",
        "true",
        "sr",
        "cs",
        "otel.status_code",
        "ERROR",
        "otel.scope.name",
        "w3c.tracestate",
        "span.kind",
        "client",
        "name|{\"a\":1}|0",
        "otlp.link.0",
        "1|2||{}|0",
    ];
    prop_oneof![3 => prop::sample::select(usual).prop_map(str::to_owned), 1 => any::<String>()]
}

fn an_endpoint() -> impl Strategy<Value = Option<Endpoint>> {
    let ipv6 = prop_oneof![
        any::<[u8; 16]>(),
        Just([0; 16]),
        any::<[u8; 4]>().prop_map(|ip| { std::net::Ipv4Addr::from(ip).to_ipv6_mapped().octets() })
    ];
    let endpoint = (
        a_text(),
        any::<Option<[u8; 4]>>(),
        prop::option::of(ipv6),
        any::<u16>(),
    );
    prop::option::of(endpoint.prop_map(|(service, ipv4, ipv6, port)| Endpoint {
        service,
        ipv4,
        ipv6,
        port,
    }))
}

fn a_time() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..4_000_000_000_000_000u64, 1 => any::<u64>()]
}

prop_compose! {
    fn a_span()(
        ids in (prop_oneof![any::<u128>(), Just(5)], 0..5u64, 0..5u64), kind in 0..5u8, name in a_text(),
        timestamp in a_time(), duration in a_time(), local in an_endpoint(), remote in an_endpoint(),
        annotations in vec((a_time(), a_text()), 0..4), tags in vec((a_text(), a_text()), 0..5),
    ) -> Span {
        let (trace_id, id, parent_id) = ids;
        Span { trace_id, id, parent_id, kind, name, timestamp, duration, local, remote, annotations, tags }
    }
}

fn json_endpoint(endpoint: &Endpoint) -> Value {
    let mut out = Map::new();
    out.insert("serviceName".into(), json!(endpoint.service));
    if let Some(ip) = endpoint.ipv4 {
        out.insert(
            "ipv4".into(),
            json!(std::net::Ipv4Addr::from(ip).to_string()),
        );
    }
    if let Some(ip) = endpoint.ipv6 {
        out.insert(
            "ipv6".into(),
            json!(std::net::Ipv6Addr::from(ip).to_string()),
        );
    }
    out.insert("port".into(), json!(endpoint.port));
    out.into()
}

fn json_of(spans: &[Span]) -> String {
    let spans = spans.iter().map(|span| {
        let kind = ["OTHER", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"][usize::from(span.kind)];
        let annotations = span
            .annotations
            .iter()
            .map(|(time, value)| json!({"timestamp": time, "value": value}));
        // Written by hand: a map would lose tags with equal keys.
        let tags = span
            .tags
            .iter()
            .map(|(key, value)| format!("{}:{}", json!(key), json!(value)));
        let mut text = json!({
            "traceId": if span.trace_id >> 64 == 0 { format!("{:016x}", span.trace_id) } else {
                format!("{:032x}", span.trace_id)
            },
            "id": format!("{:016x}", span.id),
            "parentId": format!("{:016x}", span.parent_id),
            "kind": kind, "name": span.name, "timestamp": span.timestamp, "duration": span.duration,
            "localEndpoint": span.local.as_ref().map(json_endpoint),
            "remoteEndpoint": span.remote.as_ref().map(json_endpoint),
            "annotations": annotations.collect::<Vec<_>>(),
        })
        .to_string();
        text.pop();
        text + ",\"tags\":{" + &tags.collect::<Vec<_>>().join(",") + "}}"
    });
    format!("[{}]", spans.collect::<Vec<_>>().join(","))
}

fn proto_endpoint(out: &mut Writer, field: u32, endpoint: Option<&Endpoint>) {
    let Some(endpoint) = endpoint else { return };
    out.message(field, |out| {
        out.bytes_field(1, endpoint.service.as_bytes());
        endpoint.ipv4.iter().for_each(|ip| out.bytes_field(2, ip));
        endpoint.ipv6.iter().for_each(|ip| out.bytes_field(3, ip));
        out.varint_field(4, endpoint.port.into());
    });
}

fn proto_of(spans: &[Span]) -> Vec<u8> {
    let mut out = Writer::new();
    for span in spans {
        out.message(1, |out| {
            let trace_id = span.trace_id.to_be_bytes();
            out.bytes_field(
                1,
                if span.trace_id >> 64 == 0 {
                    &trace_id[8..]
                } else {
                    &trace_id
                },
            );
            out.bytes_field(2, &span.parent_id.to_be_bytes());
            out.bytes_field(3, &span.id.to_be_bytes());
            out.varint_field(4, span.kind.into());
            out.bytes_field(5, span.name.as_bytes());
            out.fixed64_field(6, span.timestamp);
            out.varint_field(7, span.duration);
            proto_endpoint(out, 8, span.local.as_ref());
            proto_endpoint(out, 9, span.remote.as_ref());
            for (time, value) in &span.annotations {
                out.message(10, |out| {
                    out.fixed64_field(1, *time);
                    out.bytes_field(2, value.as_bytes());
                });
            }
            for (key, value) in &span.tags {
                out.message(11, |out| {
                    out.bytes_field(1, key.as_bytes());
                    out.bytes_field(2, value.as_bytes());
                });
            }
        });
    }
    out.into_bytes()
}

/// The bytes with some of them changed, and cut off somewhere.
pub(crate) fn damaged(mut bytes: Vec<u8>, flips: &[(usize, u8)], end: usize) -> Vec<u8> {
    for (at, with) in flips {
        let len = bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at % len) {
            *byte ^= with;
        }
    }
    bytes.truncate(end % (bytes.len() + 1));
    bytes
}

pub(crate) fn flips() -> impl Strategy<Value = Vec<(usize, u8)>> {
    vec((any::<usize>(), any::<u8>()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn spans_of_version_2_are_the_same_in_json_and_in_protobuf(spans in vec(a_span(), 0..4)) {
        let text = json_of(&spans);
        let json = decode_json_v2(text.as_bytes()).unwrap();
        let proto = decode_proto_v2(&proto_of(&spans)).unwrap();
        prop_assert_eq!(hashes(&json.batch), hashes(&proto.batch), "{}", text);
        prop_assert_eq!((json.rejected_spans, json.rejection), (proto.rejected_spans, proto.rejection));
        prop_assert_eq!(json.batch.len() as u64 + json.rejected_spans, spans.len() as u64);
    }

    #[test]
    fn damaged_lists_of_version_2_hold_the_checks(
        spans in vec(a_span(), 1..3), flips in flips(), end in any::<usize>(),
    ) {
        check_zipkin_proto(&damaged(proto_of(&spans), &flips, end));
        check_zipkin_proto(&damaged(proto_of(&spans), &flips, usize::MAX));
        let text = json_of(&spans).into_bytes();
        check_zipkin_json_v2(&damaged(text.clone(), &flips, end));
        check_zipkin_json_v2(&damaged(text, &flips, usize::MAX));
    }

    #[test]
    fn random_bytes_hold_the_checks_of_zipkin(bytes in vec(any::<u8>(), 0..200)) {
        check_zipkin_proto(&bytes);
        check_zipkin_json_v2(&bytes);
        check_zipkin_json_v1(&bytes);
    }
}
