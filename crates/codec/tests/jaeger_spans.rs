//! Jaeger's formats against one another: what Thrift says in either protocol, protobuf says too.

use codec::generated::google::protobuf::{Duration, Timestamp};
use codec::generated::jaeger::api_v2::{
    Batch, KeyValue, Log, PostSpansRequest, Process, Span, SpanRef,
};
use codec::jaeger::{
    ClientStats, Method, Submitted, ThriftProtocol, decode_batch_binary, decode_post_spans,
    decode_span, decode_udp,
};
use codec::{DecodeError, Decoded};
use model::batch::SpanRef as Row;
use model::value::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use crate::checks::{check_jaeger, one_by_one};
use crate::thrift_writer::Thrift;
use crate::zipkin_properties::{damaged, flips};

const START_MICROS: i64 = 1_768_471_200_000_000;

/// The numbers of the types of values: Thrift's, then protobuf's.
const TYPES: [(i32, i32); 5] = [(0, 0), (1, 3), (2, 1), (3, 2), (4, 4)];

fn put_tags(out: &mut Thrift, id: i16, tags: &[KeyValue]) {
    out.list(id, tags.len());
    for tag in tags {
        out.element(|out| {
            let (thrift_type, _) = TYPES
                .iter()
                .find(|(_, proto)| *proto == tag.v_type)
                .unwrap();
            out.bytes(1, tag.key.as_bytes());
            out.i32(2, *thrift_type);
            match thrift_type {
                0 => out.bytes(3, tag.v_str.as_bytes()),
                1 => out.double(4, tag.v_float64),
                2 => out.bool(5, tag.v_bool),
                3 => out.i64(6, tag.v_int64),
                _ => out.bytes(7, &tag.v_binary),
            }
        });
    }
}

fn number(bytes: &[u8]) -> i64 {
    i64::from_be_bytes(bytes.try_into().unwrap())
}

fn micros(time: Option<Timestamp>) -> i64 {
    time.map_or(0, |time| {
        time.seconds * 1_000_000 + i64::from(time.nanos) / 1000
    })
}

fn put_span(out: &mut Thrift, span: &Span) {
    out.i64(1, number(&span.trace_id[8..]));
    out.i64(2, number(&span.trace_id[..8]));
    out.i64(3, number(&span.span_id));
    out.i64(4, 0);
    out.bytes(5, span.operation_name.as_bytes());
    out.list(6, span.references.len());
    for reference in &span.references {
        out.element(|out| {
            out.i32(1, reference.ref_type);
            out.i64(2, number(&reference.trace_id[8..]));
            out.i64(3, number(&reference.trace_id[..8]));
            out.i64(4, number(&reference.span_id));
        });
    }
    out.i32(7, span.flags.cast_signed());
    out.i64(8, micros(span.start_time));
    let duration = span.duration.unwrap();
    out.i64(
        9,
        duration.seconds * 1_000_000 + i64::from(duration.nanos) / 1000,
    );
    put_tags(out, 10, &span.tags);
    out.list(11, span.logs.len());
    for log in &span.logs {
        out.element(|out| {
            out.i64(1, micros(log.timestamp));
            put_tags(out, 2, &log.fields);
        });
    }
}

fn put_batch(out: &mut Thrift, batch: &Batch) {
    let process = batch.process.as_ref().unwrap();
    out.message_field(1, |out| {
        out.bytes(1, process.service_name.as_bytes());
        put_tags(out, 2, &process.tags);
    });
    out.list(2, batch.spans.len());
    for span in &batch.spans {
        out.element(|out| put_span(out, span));
    }
    out.i64(3, 41);
    out.message_field(4, |out| {
        out.i64(1, 1);
        out.i64(2, 2);
        out.i64(3, 3);
    });
}

fn http(batch: &Batch) -> Vec<u8> {
    Thrift::of(false, |out| put_batch(out, batch))
}

fn datagram(batch: &Batch, is_compact: bool) -> Vec<u8> {
    Thrift::message(is_compact, 4, "emitBatch", |out| {
        out.message_field(1, |out| put_batch(out, batch));
    })
}

fn posted(batch: &Batch) -> Vec<u8> {
    let batch = Some(batch.clone());
    PostSpansRequest { batch }.encode_to_vec()
}

fn tag(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        v_str: value.to_owned(),
        ..KeyValue::default()
    }
}

fn int(key: &str, value: i64) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        v_type: 2,
        v_int64: value,
        ..KeyValue::default()
    }
}

fn yes(key: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        v_type: 1,
        v_bool: true,
        ..KeyValue::default()
    }
}

fn time_of(micros: i64) -> Timestamp {
    Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000)).unwrap() * 1000,
    }
}

fn span(tags: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![8; 8],
        operation_name: "operation".to_owned(),
        start_time: Some(time_of(START_MICROS)),
        duration: Some(Duration {
            seconds: 0,
            nanos: 5000,
        }),
        tags,
        ..Span::default()
    }
}

fn batch_of(spans: Vec<Span>) -> Batch {
    let process = Process {
        service_name: "service".to_owned(),
        tags: vec![tag("client-uuid", "u-1"), int("ip", 2_130_706_433)],
    };
    Batch {
        spans,
        process: Some(process),
    }
}

/// Decodes a span that came in each of the formats, which must say the same, and looks at it.
fn look(span: Span, look: impl FnOnce(Row<'_>)) {
    let batch = batch_of(vec![span]);
    let decoded = decode_post_spans(&posted(&batch)).unwrap();
    assert_eq!(decoded.rejection, None);
    check_same(&batch);
    look(decoded.batch.span(0).unwrap());
}

#[test]
fn a_debug_flag_forces_its_trace() {
    for (flags, forced) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        let mut one = span(Vec::new());
        one.flags = flags;
        let batch = batch_of(vec![one.clone(), one]);
        let decoded = decode_post_spans(&posted(&batch)).unwrap();
        let trace_id = decoded.batch.span(0).unwrap().trace_id();
        assert_eq!(decoded.forced, vec![trace_id; forced]);
        check_same(&batch);
    }
}

fn check_same(batch: &Batch) {
    let proto = decode_post_spans(&posted(batch)).unwrap();
    for submitted in [
        decode_batch_binary(&http(batch)).unwrap(),
        udp(&datagram(batch, false), ThriftProtocol::Binary),
        udp(&datagram(batch, true), ThriftProtocol::Compact),
    ] {
        let Submitted { decoded, client } = submitted;
        assert_eq!(one_by_one(&decoded.batch), one_by_one(&proto.batch));
        assert_eq!(decoded.rejected_spans, proto.rejected_spans);
        assert_eq!(decoded.forced, proto.forced);
        assert_eq!(client.sequence, Some(41));
        let stats = ClientStats {
            full_queue_dropped_spans: 1,
            too_large_dropped_spans: 2,
            failed_to_emit_spans: 3,
        };
        assert_eq!(client.stats, Some(stats));
    }
}

fn udp(bytes: &[u8], protocol: ThriftProtocol) -> Submitted {
    let datagram = decode_udp(bytes, protocol).unwrap();
    assert_eq!(datagram.method, Method::EmitBatch);
    datagram.submitted
}

fn texts(row: Row<'_>) -> Vec<(String, Value)> {
    row.attributes()
        .map(|attribute| (attribute.key.to_owned(), attribute.value.to_value()))
        .collect()
}

#[test]
fn tags_that_a_field_says_as_well_are_taken_and_no_others() {
    let tags = vec![
        tag("span.kind", "server"),
        yes("error"),
        tag("otel.status_code", "OK"),
        tag("otel.status_description", "why"),
        tag("otel.scope.name", "lib"),
        tag("otel.scope.version", "1"),
        tag("w3c.tracestate", "a=b"),
        int("http.status_code", 200),
    ];
    look(span(tags), |row| {
        assert_eq!(
            (row.kind(), row.status(), row.status_message()),
            (2, 2, "why")
        );
        assert_eq!((row.scope().name(), row.scope().version()), ("lib", "1"));
        assert_eq!(row.trace_state(), "a=b");
        assert_eq!(
            texts(row),
            [("http.status_code".to_owned(), Value::Int(200))]
        );
    });
    look(span(vec![tag("error", "true")]), |row| {
        assert_eq!(row.status(), 0);
        assert_eq!(row.attributes().count(), 1);
    });
}

#[test]
fn the_status_of_http_counts_where_nothing_else_says_one() {
    let cases = [
        (int("http.status_code", 404), "client", 2),
        (int("http.status_code", 404), "server", 0),
        (tag("http.status_code", "503"), "server", 2),
        (tag("http.status_code", "no"), "client", 0),
        (int("http.status_code", 302), "client", 0),
    ];
    for (code, kind, status) in cases {
        let tags = vec![code.clone(), tag("span.kind", kind)];
        look(span(tags), |row| {
            assert_eq!(row.status(), status, "{code:?} {kind}");
            assert_eq!(row.attributes().count(), 1);
        });
        let tags = vec![code, tag("otel.status_code", "ok"), tag("span.kind", kind)];
        look(span(tags), |row| assert_eq!(row.status(), 1));
    }
}

fn reference(trace: u8, span: u8, ref_type: i32) -> SpanRef {
    SpanRef {
        trace_id: vec![trace; 16],
        span_id: vec![span; 8],
        ref_type,
    }
}

#[test]
fn the_first_child_of_in_the_trace_is_the_parent_and_others_are_links() {
    let mut child = span(Vec::new());
    child.references = vec![
        reference(9, 1, 0),
        reference(7, 2, 1),
        reference(7, 3, 0),
        reference(7, 4, 0),
    ];
    look(child.clone(), |row| {
        assert_eq!(row.parent_span_id().0, [3; 8]);
        let links = row.links().map(|link| {
            let kind = link.attributes().next().unwrap();
            (
                link.span_id().0[0],
                kind.key.to_owned(),
                kind.value.to_value(),
            )
        });
        let of = |id, kind: &str| {
            (
                id,
                "opentracing.ref_type".to_owned(),
                Value::String(kind.into()),
            )
        };
        let expected = [of(1, "child_of"), of(2, "follows_from"), of(4, "child_of")];
        assert_eq!(links.collect::<Vec<_>>(), expected);
    });
    child.references.truncate(2);
    look(child, |row| {
        assert_eq!(row.parent_span_id().0, [2; 8]);
        assert_eq!(row.links().count(), 2);
    });
}

#[test]
fn times_and_ids_at_the_edge_are_kept_as_well_as_they_can_be() {
    let mut odd = span(Vec::new());
    odd.duration = Some(Duration {
        seconds: -1,
        nanos: 0,
    });
    odd.flags = 3;
    look(odd.clone(), |row| {
        assert_eq!(row.start() - row.end(), 1_000_000_000);
        assert_eq!(row.flags(), 1);
    });
    // Go's zero time, which many senders mean by no time.
    odd.start_time = Some(Timestamp {
        seconds: -62_135_596_800,
        nanos: 0,
    });
    look(odd.clone(), |row| {
        assert_eq!((row.start(), row.end()), (0, 0));
    });
    for bad in [vec![0; 16], vec![0xff; 16]] {
        odd.trace_id = bad;
        check_same(&batch_of(vec![odd.clone()]));
    }
    let far = Thrift::of(false, |out| {
        out.message_field(1, |_| {});
        out.list(2, 1);
        out.element(|out| {
            for (id, number) in [
                (1, -1),
                (2, i64::MIN),
                (3, -1),
                (8, i64::MAX),
                (9, i64::MAX),
            ] {
                out.i64(id, number);
            }
        });
    });
    let batch = decode_batch_binary(&far).unwrap().decoded.batch;
    let row = batch.span(0).unwrap();
    assert_eq!((row.start(), row.end()), (u64::MAX, u64::MAX));
    assert_eq!(
        row.trace_id().to_string(),
        "8000000000000000ffffffffffffffff"
    );
    assert_eq!(row.service(), "missing-service-name");
}

#[test]
fn a_process_becomes_a_resource_once() {
    let mut batch = batch_of(vec![span(Vec::new()), span(Vec::new()), span(Vec::new())]);
    let tags = [tag("hostname", "h"), tag("jaeger.version", "Go-2.30.0")];
    batch.process.as_mut().unwrap().tags.extend(tags);
    batch.spans[1].process = Some(Process {
        service_name: "own".to_owned(),
        tags: Vec::new(),
    });
    let decoded = decode_post_spans(&posted(&batch)).unwrap().batch;
    assert_eq!(decoded.resources().len(), 2);
    let services: Vec<_> = decoded.iter().map(|row| row.service().to_owned()).collect();
    assert_eq!(services, ["service", "own", "service"]);
    let row = decoded.span(0).unwrap();
    let keys: Vec<_> = row.resource().attributes().map(|one| one.key).collect();
    let expected = [
        "service.name",
        "client-uuid",
        "ip",
        "host.name",
        "opencensus.exporterversion",
    ];
    assert_eq!(keys, expected);
    let submitted = decode_batch_binary(&http(&batch)).unwrap();
    assert_eq!(submitted.client.uuid, "u-1");
    assert_eq!(submitted.client.service, "service");
    let alone = decode_span(&batch.spans[1].encode_to_vec()).unwrap().batch;
    assert_eq!(alone.span(0).unwrap().service(), "own");
}

#[test]
fn warnings_of_a_span_are_kept() {
    let mut warned = span(Vec::new());
    warned.warnings = vec!["old warning".to_owned(), String::new()];
    let decoded = decode_post_spans(&posted(&batch_of(vec![warned]))).unwrap();
    let list = ["old warning", ""].map(|text| Value::String(text.into()));
    let expected = ("@jaeger@warnings".to_owned(), Value::Array(list.to_vec()));
    assert_eq!(texts(decoded.batch.span(0).unwrap()), [expected]);
}

#[test]
fn a_span_without_usable_ids_is_rejected_alone() {
    let broken = [
        Span {
            trace_id: vec![0; 16],
            ..span(Vec::new())
        },
        Span {
            span_id: vec![0; 8],
            ..span(Vec::new())
        },
    ];
    for bad in broken {
        let batch = batch_of(vec![bad, span(Vec::new())]);
        check_same(&batch);
        let decoded = decode_post_spans(&posted(&batch)).unwrap();
        assert_eq!((decoded.batch.len(), decoded.rejected_spans), (1, 1));
    }
    let short = Span {
        span_id: vec![1; 4],
        ..span(Vec::new())
    };
    let decoded = decode_post_spans(&posted(&batch_of(vec![short, span(Vec::new())]))).unwrap();
    let reason = "1 span rejected: span id is 4 bytes long, must be 8 (first at batch.spans[0])";
    assert_eq!(decoded.rejection.as_deref(), Some(reason));
    assert_eq!(decoded.batch.len(), 1);
}

#[test]
fn only_calls_of_the_two_methods_are_taken() {
    let batch = batch_of(vec![span(Vec::new())]);
    let write = |kind, name| {
        Thrift::message(true, kind, name, |out| {
            out.message_field(1, |out| put_batch(out, &batch));
        })
    };
    assert!(decode_udp(&write(1, "emitBatch"), ThriftProtocol::Compact).is_ok());
    for (kind, name, why) in [
        (2, "emitBatch", "it is no call of a method"),
        (4, "emit", "there is no method \"emit\""),
    ] {
        let error = decode_udp(&write(kind, name), ThriftProtocol::Compact).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(decode_udp(&write(4, "emitBatch"), ThriftProtocol::Binary).is_err());
    let zipkin = Thrift::message(true, 4, "emitZipkinBatch", |out| {
        out.list(1, 1);
        out.element(|out| {
            out.i64(1, 5);
            out.bytes(3, b"name");
            out.i64(4, 6);
        });
    });
    let datagram = decode_udp(&zipkin, ThriftProtocol::Compact).unwrap();
    assert_eq!(datagram.method, Method::EmitZipkinBatch);
    let batch = datagram.submitted.decoded.batch;
    assert_eq!(batch.span(0).unwrap().name(), "name");
}

#[test]
fn a_batch_cut_off_anywhere_is_refused() {
    let mut full = span(vec![tag("a", "b"), yes("c"), int("d", 5)]);
    full.references.push(reference(7, 1, 0));
    full.logs.push(Log {
        timestamp: Some(time_of(START_MICROS)),
        fields: vec![tag("event", "e")],
    });
    let batch = batch_of(vec![full]);
    let whole = http(&batch);
    for end in 0..whole.len() {
        let error = decode_batch_binary(&whole[..end]).unwrap_err();
        assert!(
            matches!(error, DecodeError::Broken { byte, .. } if byte <= end),
            "{error}"
        );
    }
    for is_compact in [false, true] {
        let protocol = if is_compact {
            ThriftProtocol::Compact
        } else {
            ThriftProtocol::Binary
        };
        let whole = datagram(&batch, is_compact);
        for end in 0..whole.len() {
            assert!(decode_udp(&whole[..end], protocol).is_err(), "{end}");
        }
        // What follows is ignored.
        assert!(decode_udp(&[&whole[..], b"rest"].concat(), protocol).is_ok());
    }
}

#[test]
fn lean_structs_take_no_more_memory_than_their_bytes_allow() {
    const COUNT: usize = 4 << 20;
    let lean = |id: i16, depth: usize| {
        Thrift::of(true, |out| {
            out.message_field(1, |_| {});
            out.list(2, 1);
            out.element(|out| {
                out.i64(1, 1);
                out.i64(3, 1);
                out.list(id, if depth == 0 { COUNT } else { 1 });
                if depth == 1 {
                    out.element(|out| {
                        out.list(2, COUNT);
                        out.out.extend(std::iter::repeat_n(0, COUNT));
                    });
                } else {
                    out.out.extend(std::iter::repeat_n(0, COUNT));
                }
            });
        })
    };
    for (id, depth) in [(6, 0), (10, 0), (11, 0), (11, 1)] {
        let bare = lean(id, depth);
        let bytes = Thrift::message(true, 4, "emitBatch", |out| {
            out.message_field(1, |out| out.out.extend(&bare[..bare.len() - 1]));
        });
        match decode_udp(&bytes, ThriftProtocol::Compact) {
            Ok(datagram) => {
                let Decoded {
                    batch,
                    truncated_values,
                    ..
                } = datagram.submitted.decoded;
                assert!(truncated_values > 0, "{id}");
                assert!(batch.size_bytes() <= 8 * bytes.len() + (16 << 20), "{id}");
            }
            Err(error) => assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}"),
        }
    }
}

fn a_key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,3}",
        prop::sample::select(vec![
            "span.kind",
            "error",
            "otel.status_code",
            "otel.status_description",
            "event",
            "http.status_code",
            "http.status_message",
            "w3c.tracestate",
            "otel.scope.name",
            "hostname",
            "host.name",
            "jaeger.version",
            "service.name",
        ])
        .prop_map(str::to_owned),
    ]
}

prop_compose! {
    fn a_tag()(
        key in a_key(), v_type in 0..5, text in "[a-zé]{0,3}|client|server|OK|Error|404|500",
        v_bool: bool, v_int64: i64, v_float64 in -1e9..1e9f64, v_binary in vec(any::<u8>(), 0..4),
    ) -> KeyValue {
        let mut tag = KeyValue { key, v_type, ..KeyValue::default() };
        match v_type {
            0 => tag.v_str = text,
            1 => tag.v_bool = v_bool,
            2 => tag.v_int64 = v_int64,
            3 => tag.v_float64 = v_float64,
            _ => tag.v_binary = v_binary,
        }
        tag
    }
}

prop_compose! {
    fn a_span()(
        id in vec(0..3u8, 2), operation_name in "[a-z]{0,3}", flags: u32,
        references in vec((0..3u8, 0..3u8, 0..2i32), 0..4), start in -5..i64::from(u32::MAX),
        duration in -5..100_000i64, tags in vec(a_tag(), 0..6),
        logs in vec((0..100_000i64, vec(a_tag(), 0..20)), 0..3),
    ) -> Span {
        let references = references.into_iter().map(|(trace, id, kind)| reference(trace, id, kind));
        let logs = logs.into_iter().map(|(time, fields)| {
            Log { timestamp: Some(time_of(time)), fields }
        });
        Span {
            trace_id: vec![id[0]; 16],
            span_id: vec![id[1]; 8],
            operation_name,
            references: references.collect(),
            flags,
            start_time: Some(time_of(start)),
            duration: Some(Duration { seconds: 0, nanos: i32::try_from(duration).unwrap() * 1000 }),
            tags,
            logs: logs.collect(),
            ..Span::default()
        }
    }
}

proptest! {
    #[test]
    fn spans_are_the_same_in_both_protocols_of_thrift_and_in_protobuf(
        spans in vec(a_span(), 0..4), tags in vec(a_tag(), 0..4), service_name in "[a-z]{0,3}",
    ) {
        let process = Some(Process { service_name, tags });
        check_same(&Batch { spans, process });
    }

    #[test]
    fn damaged_batches_hold_the_checks(
        spans in vec(a_span(), 0..3), flips in flips(), end: prop::sample::Index,
    ) {
        let batch = batch_of(spans);
        for bytes in [http(&batch), datagram(&batch, false), datagram(&batch, true), posted(&batch)] {
            let end = end.index(bytes.len() + 1);
            check_jaeger(&damaged(bytes, &flips, end));
        }
    }

    #[test]
    fn random_bytes_hold_the_checks_of_jaeger(bytes in vec(any::<u8>(), 0..200)) {
        check_jaeger(&bytes);
    }
}
