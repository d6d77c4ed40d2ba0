//! Building, reading and merging batches.

use super::*;
use crate::value::ValueType;

fn two_services() -> SpanBatch {
    let mut builder = BatchBuilder::new();
    for (service, id) in [("shop", 1u64), ("cart", 2)] {
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(
            &mut cursor,
            b"service.name",
            PackedValue::String(service.as_bytes()),
        );
        let attributes = builder.finish_attributes(cursor);
        let resource = builder.add_resource(ResourceRow {
            is_present: true,
            attributes,
            ..Default::default()
        });
        let scope = builder.add_scope(ScopeRow::default());
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(&mut cursor, b"n", PackedValue::Int(-5));
        builder.push_attribute(&mut cursor, b"n", PackedValue::Double(0.5));
        builder.push_attribute(&mut cursor, b"raw", PackedValue::Bytes(&[1, 2]));
        let attributes = builder.finish_attributes(cursor);
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(&mut cursor, b"why", PackedValue::String(b"bad \xff byte"));
        let event_attributes = builder.finish_attributes(cursor);
        let name = builder.intern(b"event");
        builder.push_event(EventRow {
            time: 7,
            name,
            attributes: event_attributes,
            dropped_attributes: 1,
        });
        let name = builder.intern(b"GET /");
        builder.push_span(SpanRow {
            trace_id: TraceId::parse("abc").unwrap(),
            span_id: SpanId::from_number(id),
            name,
            start: 10,
            end: 4,
            resource,
            scope,
            attributes,
            ..Default::default()
        });
    }
    assert_eq!(builder.repaired_texts(), 2);
    builder.finish()
}

#[test]
fn order_types_duplicates_and_repairs_are_kept() {
    let batch = two_services();
    let span = batch.span(1).unwrap();
    assert_eq!(
        (span.service(), span.name(), span.duration()),
        ("cart", "GET /", -6)
    );
    let attributes: Vec<_> = span.attributes().map(|a| (a.key, a.value)).collect();
    let expected = [
        ("n", AttrValue::Int(-5)),
        ("n", AttrValue::Double(0.5)),
        ("raw", AttrValue::Bytes(&[1, 2])),
    ];
    assert_eq!(attributes, expected);
    let events: Vec<_> = span.events().collect();
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].attributes().next().unwrap().value,
        AttrValue::String("bad \u{fffd} byte")
    );
    assert_eq!(batch.shapes().len(), 4, "empty, resource, span, event");
    assert!(batch.strings().find("nowhere").is_none());
    assert!(batch.span(2).is_none());
}

#[test]
fn a_copied_span_has_the_same_hash_and_a_changed_one_another() {
    let batch = two_services();
    let mut builder = BatchBuilder::new();
    builder.append_rows(&batch, [1, 0, 9]);
    builder.append(&batch);
    let copy = builder.finish();
    assert_eq!(copy.len(), 4);
    assert_eq!(copy.span_hash(0), batch.span_hash(1));
    assert_eq!(copy.span_hash(1), batch.span_hash(0));
    assert_eq!(copy.span_hash(2), batch.span_hash(0));
    assert_ne!(batch.span_hash(0), batch.span_hash(1));
    assert_eq!(copy.resources().len(), 2, "equal resources are one");
}

#[test]
fn a_span_that_is_rolled_back_leaves_nothing() {
    let mut builder = BatchBuilder::new();
    let mark = builder.mark();
    let mut cursor = builder.begin_attributes();
    builder.push_attribute(&mut cursor, b"k", PackedValue::Array(&[1]));
    let attributes = builder.finish_attributes(cursor);
    builder.push_event(EventRow {
        attributes,
        ..Default::default()
    });
    builder.push_link(LinkRow::default());
    builder.roll_back(mark);
    builder.push_span(SpanRow::default());
    let batch = builder.finish();
    let span = batch.span(0).unwrap();
    assert_eq!(
        (
            span.events().len(),
            span.links().len(),
            batch.values().len()
        ),
        (0, 0, 0)
    );
}

#[test]
fn services_without_a_usable_name_are_named_as_jaeger_names_them() {
    let mut builder = BatchBuilder::new();
    let mut names = Vec::new();
    let values = [
        None,
        Some(PackedValue::String(b"")),
        Some(PackedValue::Int(5)),
        Some(PackedValue::String(b" ")),
    ];
    for value in values {
        let mut cursor = builder.begin_attributes();
        if let Some(value) = value {
            builder.push_attribute(&mut cursor, b"service.name", value);
        }
        let attributes = builder.finish_attributes(cursor);
        names.push(builder.add_resource(ResourceRow {
            attributes,
            ..Default::default()
        }));
    }
    let batch = builder.finish();
    let names: Vec<_> = names
        .into_iter()
        .map(|row| batch.resource(row).service())
        .collect();
    assert_eq!(
        names,
        [SERVICE_MISSING, SERVICE_EMPTY, SERVICE_WRONG_TYPE, " "]
    );
}

#[test]
fn many_shapes_below_one_key_are_told_apart() {
    let mut builder = BatchBuilder::new();
    let mut made = Vec::new();
    for n in 0..1000u32 {
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(&mut cursor, b"first", PackedValue::Bool(n % 2 == 0));
        builder.push_attribute(&mut cursor, format!("k{n}").as_bytes(), PackedValue::Empty);
        made.push(builder.finish_attributes(cursor));
    }
    let batch = builder.finish();
    assert_eq!(batch.shapes().len(), 1001);
    for (n, attributes) in made.into_iter().enumerate() {
        let fields = batch.shapes().fields(attributes.shape);
        assert_eq!(batch.strings().get(fields[1].key), format!("k{n}"));
        assert_eq!(fields[1].value_type, ValueType::Empty);
    }
}
