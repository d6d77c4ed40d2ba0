//! Each edit on small traces that are built by hand; the recordings of Jaeger are replayed in `serve`.

use model::batch::{
    AttrValue, BatchBuilder, EventRow, LinkRow, PackedValue, ResourceRow, ScopeRow, SpanRow,
};
use model::{SpanBatch, SpanId, TraceId};

use super::*;

const MS: u64 = 1_000_000;

struct Span {
    id: u64,
    parent: u64,
    kind: i32,
    /// Milliseconds.
    times: (u64, u64),
    host: &'static str,
    attributes: Vec<(&'static str, PackedValue<'static>)>,
    link: Option<TraceId>,
}

fn span(id: u64, parent: u64, kind: i32, times: (u64, u64)) -> Span {
    Span {
        id,
        parent,
        kind,
        times,
        host: "a",
        attributes: Vec::new(),
        link: None,
    }
}

fn batch(spans: &[Span]) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let scope = builder.add_scope(ScopeRow::default());
    for span in spans {
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(&mut cursor, b"service.name", PackedValue::String(b"s"));
        builder.push_attribute(
            &mut cursor,
            b"host.name",
            PackedValue::String(span.host.as_bytes()),
        );
        let attributes = builder.finish_attributes(cursor);
        let resource = builder.add_resource(ResourceRow {
            attributes,
            is_present: true,
            ..ResourceRow::default()
        });
        let mut cursor = builder.begin_attributes();
        for (key, value) in &span.attributes {
            builder.push_attribute(&mut cursor, key.as_bytes(), *value);
        }
        let attributes = builder.finish_attributes(cursor);
        builder.push_event(EventRow {
            time: span.times.0 * MS,
            ..EventRow::default()
        });
        if let Some(trace_id) = span.link {
            builder.push_link(LinkRow {
                trace_id,
                span_id: SpanId([1; 8]),
                ..LinkRow::default()
            });
        }
        let name = builder.intern(b"op");
        builder.push_span(SpanRow {
            trace_id: TraceId([7; 16]),
            span_id: SpanId::from_number(span.id),
            parent_span_id: SpanId::from_number(span.parent),
            name,
            kind: span.kind,
            start: span.times.0 * MS,
            end: span.times.1 * MS,
            resource,
            scope,
            attributes,
            ..SpanRow::default()
        });
    }
    builder.finish()
}

fn warnings(trace: &AdjustableTrace<'_>) -> Vec<Vec<String>> {
    trace
        .spans
        .iter()
        .map(|span| span.warnings.clone())
        .collect()
}

#[test]
fn a_skew_within_the_limit_moves_a_span_its_events_and_those_below_it_on_its_host() {
    let mut below = span(3, 2, 1, (310, 315));
    below.host = "b";
    let mut remote = span(2, 1, 2, (300, 320));
    remote.host = "b";
    let batch = batch(&[span(1, 0, 3, (100, 200)), remote, below]);
    let mut trace = AdjustableTrace::sanitized(&batch);
    adjust(
        &mut trace,
        AdjustOptions {
            clock_skew_max_nanos: 200 * MS,
        },
    );
    // (100 - 20) / 2 behind the parent's start: 140 instead of 300.
    let starts: Vec<u64> = trace.spans.iter().map(|span| span.start / MS).collect();
    assert_eq!(starts, [100, 140, 150]);
    assert_eq!(trace.spans[1].events[0].time, 140 * MS);
    let adjusted = vec!["This span's timestamps were adjusted by -160ms".to_owned()];
    assert_eq!(warnings(&trace), [Vec::new(), adjusted.clone(), adjusted]);
}

#[test]
fn a_skew_over_the_limit_is_only_told() {
    let mut remote = span(2, 1, 2, (300, 320));
    remote.host = "b";
    let batch = batch(&[span(1, 0, 3, (100, 200)), remote]);
    for (max, warning) in [
        (
            0,
            "clock skew adjustment disabled; not applying calculated delta of -160ms",
        ),
        (
            MS,
            "max clock skew adjustment delta of 1ms exceeded; not applying calculated delta of -160ms",
        ),
    ] {
        let mut trace = AdjustableTrace::sanitized(&batch);
        adjust(
            &mut trace,
            AdjustOptions {
                clock_skew_max_nanos: max,
            },
        );
        assert_eq!(trace.spans[1].start, 300 * MS);
        assert_eq!(warnings(&trace)[1], [warning]);
    }
}

#[test]
fn a_long_chain_and_a_cycle_end() {
    let mut spans: Vec<Span> = (1..20_000)
        .map(|id| span(id, id - 1, 1, (id, id + 1)))
        .collect();
    spans.push(span(30_000, 30_001, 1, (1, 2)));
    spans.push(span(30_001, 30_000, 1, (1, 2)));
    let batch = batch(&spans);
    let mut trace = AdjustableTrace::sanitized(&batch);
    adjust(&mut trace, AdjustOptions::default());
    assert_eq!(trace.spans.len(), 20_001);
}

#[test]
fn a_new_id_of_a_server_passes_those_in_use_and_takes_the_children() {
    let batch = batch(&[
        span(5, 0, 3, (0, 100)),
        span(5, 0, 2, (10, 90)),
        span(1, 5, 1, (20, 30)),
    ]);
    let mut trace = AdjustableTrace::sanitized(&batch);
    adjust(&mut trace, AdjustOptions::default());
    let ids = |span: &AdjustableSpan<'_>| (span.span_id.number(), span.parent_span_id.number());
    assert_eq!(
        trace.spans.iter().map(ids).collect::<Vec<_>>(),
        [(5, 0), (2, 5), (1, 2)]
    );
}

#[test]
fn attributes_are_sorted_by_bytes_and_the_last_of_equal_keys_stays() {
    let mut one = span(1, 0, 1, (0, 1));
    let text = |text: &'static str| PackedValue::String(text.as_bytes());
    one.attributes = vec![
        ("b", text("1")),
        ("a", text("2")),
        ("b", text("3")),
        ("B", text("4")),
        ("b", text("5")),
    ];
    let batch = batch(&[one]);
    let mut trace = AdjustableTrace::sanitized(&batch);
    adjust(&mut trace, AdjustOptions::default());
    let shown: Vec<_> = trace.spans[0]
        .attributes
        .iter()
        .map(|a| (a.key, a.value.get()))
        .collect();
    let expected =
        [("B", "4"), ("a", "2"), ("b", "5")].map(|(key, text)| (key, AttrValue::String(text)));
    assert_eq!(shown, expected);
}

#[test]
fn a_span_that_differs_in_the_order_of_its_attributes_only_is_shown_once() {
    let with = |attributes: &[(&'static str, f64)]| {
        let mut one = span(1, 0, 1, (0, 1));
        one.attributes = attributes
            .iter()
            .map(|(key, value)| (*key, PackedValue::Double(*value)))
            .collect();
        one
    };
    let batch = batch(&[
        with(&[("a", f64::NAN), ("b", 1.0)]),
        with(&[("b", 1.0), ("a", f64::NAN)]),
        with(&[("b", 1.0), ("a", 0.0)]),
    ]);
    let mut trace = AdjustableTrace::sanitized(&batch);
    adjust(&mut trace, AdjustOptions::default());
    assert_eq!(trace.spans.len(), 2);
}

#[test]
fn addresses_library_attributes_and_empty_links_are_put_right() {
    let mut one = span(1, 0, 1, (0, 1));
    one.attributes = vec![
        ("ip", PackedValue::Int(-1)),
        ("peer.ipv4", PackedValue::Double(2_130_706_433.0)),
        ("telemetry.sdk.name", PackedValue::String(b"lib")),
    ];
    one.link = Some(TraceId::ZERO);
    let mut other = span(2, 1, 1, (0, 1));
    other.attributes = vec![("telemetry.sdk.name", PackedValue::String(b"other"))];
    let batch = batch(&[one, other]);
    let mut trace = AdjustableTrace::sanitized(&batch);
    adjust(&mut trace, AdjustOptions::default());
    let texts = |span: usize| {
        let attributes = trace.spans[span].attributes.iter();
        attributes
            .map(|a| format!("{}={}", a.key, a.value.get().canonical_text()))
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(0), ["ip=255.255.255.255", "peer.ipv4=127.0.0.1"]);
    assert_eq!(texts(1), ["telemetry.sdk.name=other"]);
    assert_eq!(
        trace.resources[0].attributes.last().unwrap().key,
        "telemetry.sdk.name"
    );
    assert!(trace.spans[0].links.is_empty());
    let conflict = "conflicting values between Span and Resource for attribute telemetry.sdk.name";
    assert_eq!(
        warnings(&trace),
        [["Invalid span link removed"], [conflict]]
    );
}
