//! What a query means on a whole trace: types, absence, several values, and the facts of the trace.

use model::batch::{BatchBuilder, EventRow, LinkRow, PackedValue, ResourceRow, SpanBatch, SpanRow};
use model::value::{Value, packed};
use model::{SpanId, TraceId};
use traceql::{Judge, parse};

fn rows(batch: &SpanBatch, text: &str) -> Vec<usize> {
    let parsed = parse(text);
    let query = parsed
        .query
        .unwrap_or_else(|| panic!("{text}: {:?}", parsed.diagnostics));
    Judge::new(&query).unwrap().matches(batch)
}

fn holds(batch: &SpanBatch, condition: &str) -> bool {
    !rows(batch, &format!("{{ {condition} }}")).is_empty()
}

fn attributes(
    builder: &mut BatchBuilder,
    all: &[(&str, PackedValue<'_>)],
) -> model::batch::Attributes {
    let mut cursor = builder.begin_attributes();
    for (key, value) in all {
        builder.push_attribute(&mut cursor, key.as_bytes(), *value);
    }
    builder.finish_attributes(cursor)
}

/// One span with an attribute of each type, two events and a link.
fn one_span() -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let mut array = Vec::new();
    packed::array_to_bytes(&[Value::String("x".to_owned()), Value::Int(2)], &mut array);
    let service = ("service.name", PackedValue::String(b"shop"));
    let of_resource = attributes(
        &mut builder,
        &[
            service,
            ("both", PackedValue::Int(2)),
            ("env", PackedValue::String(b"prod")),
        ],
    );
    let resource = builder.add_resource(ResourceRow {
        is_present: true,
        attributes: of_resource,
        ..Default::default()
    });
    let own = attributes(
        &mut builder,
        &[
            ("text", PackedValue::String(b"ab")),
            ("int", PackedValue::Int((1 << 53) + 1)),
            ("float", PackedValue::Double(1.5)),
            ("yes", PackedValue::Bool(true)),
            ("no", PackedValue::Bool(false)),
            ("array", PackedValue::Array(&array)),
            ("none", PackedValue::Empty),
            ("both", PackedValue::Int(1)),
        ],
    );
    for (name, since, level) in [("start", 5, 1), ("end", 9, 2)] {
        let of_event = attributes(&mut builder, &[("level", PackedValue::Int(level))]);
        let name = builder.intern(name.as_bytes());
        builder.push_event(EventRow {
            time: 100 + since,
            name,
            attributes: of_event,
            ..Default::default()
        });
    }
    builder.push_link(LinkRow {
        trace_id: TraceId([7; 16]),
        span_id: SpanId([9; 8]),
        ..Default::default()
    });
    let name = builder.intern(b"GET /");
    let mut trace_id = TraceId::ZERO;
    trace_id.0[15] = 0xab;
    builder.push_span(SpanRow {
        trace_id,
        span_id: SpanId::from_number(1),
        name,
        kind: 2,
        start: 100,
        end: 1_000_100,
        status: 2,
        resource,
        attributes: own,
        ..Default::default()
    });
    builder.finish()
}

// tidy: long-function: two tables, of what holds and of what does not
#[test]
fn values_compare_by_type_and_absence_is_false_for_every_operator() {
    let batch = one_span();
    let true_ones = [
        "name = \"GET /\"",
        "name =~ `GET.*`",
        "name !~ `GET`",
        "kind = server",
        "status = error",
        "status != ok",
        "duration = 1ms",
        "duration > 999µs",
        "trace:id = \"AB\"",
        "trace:id =~ `0*ab`",
        "span:id = \"1\"",
        "span:parentID = \"\"",
        "resource.service.name = \"shop\"",
        ".service.name = \"shop\"",
        ".env = \"prod\"",
        "span.text < \"b\"",
        "span.text >= \"ab\"",
        "span.int > 9007199254740992.0",
        "span.float > 1",
        "span.yes",
        "!span.no",
        "!span.absent",
        "span.absent = nil",
        "span.none != nil",
        "span.array != nil",
        ".both = 1",
        "span.array = \"x\"",
        "span.array = 2",
        "span.array =~ `x|y`",
        "span.array != \"y\"",
        "span.array > 1",
        "event:name = \"end\"",
        "event:name != \"end\"",
        "event.level = 2",
        "event.level != 2",
        "event:timeSinceStart = 9ns",
        "link:spanID = \"0909090909090909\"",
        "span.float * 2 = 3",
        "-span.float = -1.5",
        "span.both + 1 = resource.both",
        "span.both < resource.both",
        "(span.text = \"ab\") = true",
        "1 + 1 = 2",
        "instrumentation:name = \"\"",
        "duration * 2 = 2ms",
        "duration / 1ms = 1",
        "trace:spanCount = 1",
        "resource.both != nil",
        "span.array + 1 = 3",
    ];
    for condition in true_ones {
        assert!(holds(&batch, condition), "{condition}");
    }
    let false_ones = [
        "name =~ `GET`",
        "span.text = 1",
        "span.text != 1",
        "span.int = \"x\"",
        "span.int != \"x\"",
        "span.absent = 1",
        "span.absent != 1",
        "span.absent !~ `x`",
        "span.absent != nil",
        "span.no",
        "span.text",
        "span.array != \"x\"",
        "span.array !~ `x`",
        "span.none = \"\"",
        "span.none != \"\"",
        "span.int = 9007199254740992.0",
        ".both = 2",
        "!(span.int > 1)",
        "event.absent != 1",
        "event.level > 2",
        "link:spanID != \"0909090909090909\"",
        "span.int / 0 = 1",
        "span.int / 0 != 1",
        "span.text + 1 = 1",
        "span.env = \"prod\"",
        "span:parentID != \"\"",
        "span.yes = 1",
        "1 = 2",
        "false",
    ];
    for condition in false_ones {
        assert!(!holds(&batch, condition), "{condition}");
    }
}

/// A trace of spans given as (id, parent, start, end).
fn trace(spans: &[(u64, u64, u64, u64)]) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let resource = builder.add_resource(ResourceRow::default());
    for (id, parent, start, end) in spans {
        let name = builder.intern(format!("s{id}").as_bytes());
        builder.push_span(SpanRow {
            trace_id: TraceId([1; 16]),
            span_id: SpanId::from_number(*id),
            parent_span_id: SpanId::from_number(*parent),
            name,
            start: *start,
            end: *end,
            status: i32::from(*id == 3) * 2,
            resource,
            ..Default::default()
        });
    }
    builder.finish()
}

/// By span in order of id: (own, critical), asked for by queries.
fn times(spans: &[(u64, u64, u64, u64)]) -> Vec<(u64, u64)> {
    let batch = trace(spans);
    let ask = |field: &str, id: u64| {
        let least =
            |nanos: u64| holds(&batch, &format!("name = \"s{id}\" && {field} >= {nanos}ns"));
        (0..1_000).take_while(|nanos| least(*nanos)).last().unwrap()
    };
    let ids = spans.iter().map(|(id, ..)| *id);
    ids.map(|id| (ask("span:selfTime", id), ask("span:criticalTime", id)))
        .collect()
}

#[test]
fn own_and_critical_times_are_those_of_the_store() {
    // The cases of crates/store/src/segment/critical.rs.
    let one_after_the_other = [
        (1, 0, 0, 100),
        (2, 1, 10, 40),
        (3, 1, 50, 90),
        (4, 3, 60, 70),
    ];
    assert_eq!(
        times(&one_after_the_other),
        [(30, 30), (30, 30), (30, 30), (10, 10)]
    );
    let side_by_side = [
        (1, 0, 0, 100),
        (2, 1, 20, 60),
        (3, 1, 30, 90),
        (4, 1, 5, 15),
    ];
    assert_eq!(
        times(&side_by_side),
        [(20, 30), (40, 0), (60, 60), (10, 10)]
    );
    let goes_on = [
        (1, 0, 0, 100),
        (2, 1, 80, 150),
        (3, 2, 110, 140),
        (4, 1, 200, 210),
    ];
    assert_eq!(times(&goes_on), [(80, 80), (40, 20), (30, 0), (10, 0)]);
    let several_roots = [(2, 9, 0, 40), (3, 9, 60, 100), (4, 9, 30, 35)];
    assert_eq!(times(&several_roots), [(40, 40), (40, 40), (5, 0)]);
    // A circle is cut at the span that starts first; the end before the start is no time.
    let circle = [(1, 2, 10, 30), (2, 1, 0, 40), (3, 1, 20, 5)];
    assert_eq!(times(&circle), [(20, 20), (20, 20), (0, 0)]);
}

#[test]
fn facts_of_the_trace_are_those_of_all_its_spans() {
    let batch = trace(&[
        (1, 0, 0, 100),
        (2, 1, 10, 40),
        (3, 1, 50, 190),
        (4, 4, 60, 70),
        (5, 0, 5, 6),
    ]);
    let all = [0, 1, 2, 3, 4];
    let rows = |text: &str| rows(&batch, text);
    assert_eq!(
        rows("{ rootName = \"s1\" && rootServiceName = \"missing-service-name\" }"),
        all
    );
    assert_eq!(
        rows("{ traceDuration = 190ns && trace:spanCount = 5 && trace:errorCount = 1 }"),
        all
    );
    assert_eq!(rows("{ span:childCount = 2 }"), [0]);
    assert_eq!(rows("{ span:childCount = 0 }"), [1, 2, 3, 4]);
    assert_eq!(
        rows("{ span:parentID != \"\" && name != rootName }"),
        [1, 2, 3]
    );
    assert_eq!(rows("{ duration > traceDuration / 2 }"), [0, 2]);
    assert_eq!(rows("{}"), all);
    let without_root = trace(&[(2, 1, 0, 1)]);
    assert!(!holds(&without_root, "rootName != \"x\""));
}

#[test]
fn many_spans_in_circles_or_in_a_chain_take_no_stack() {
    let spans: Vec<_> = (1..=200_000u64)
        .map(|id| (id, if id % 2 == 1 { id + 1 } else { id - 1 }, id, id + 1))
        .collect();
    let found = rows(
        &trace(&spans),
        "{ span:childCount = 1 && span:selfTime > 10s }",
    );
    assert!(found.is_empty());
    let deep: Vec<_> = (1..=200_000u64)
        .map(|id| (id, id - 1, id, 300_000))
        .collect();
    assert_eq!(rows(&trace(&deep), "{ span:childCount = 0 }"), [199_999]);
}

#[test]
fn a_trace_among_others_is_judged_by_its_own_spans() {
    let (first, second) = (
        [(1, 0, 0, 100), (2, 1, 10, 40), (3, 1, 50, 190)],
        [(4, 0, 5, 9), (5, 4, 6, 7)],
    );
    let mixed = trace(&[first[0], second[0], first[1], first[2], second[1]]);
    for (rows, alone) in [
        (&[0, 2, 3][..], trace(&first)),
        (&[1, 4][..], trace(&second)),
    ] {
        let queries = [
            "{}",
            "{ trace:spanCount = 3 }",
            "{ trace:spanCount = 2 && rootName = \"s4\" }",
            "{ traceDuration = 190ns }",
            "{ span:childCount = 2 && span:selfTime > 10ns }",
            "{ name = \"s5\" }",
            "{ name = \"s3\" && duration > traceDuration / 2 }",
            "{ trace:errorCount = 1 }",
        ];
        for query in queries {
            let judge = Judge::new(&parse(query).query.unwrap()).unwrap();
            let wanted = !judge.matches(&alone).is_empty();
            assert_eq!(judge.holds(&mixed, rows), wanted, "{query} of {rows:?}");
        }
        let all = Judge::new(&parse("{}").query.unwrap()).unwrap();
        assert!(!all.holds(&mixed, &[]));
    }
}
