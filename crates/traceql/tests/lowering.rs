//! What a query is lowered to never misses a span that the query holds for, and finds no other where it is exact.

use model::batch::{
    BatchBuilder, EventRow, LinkRow, PackedValue, ResourceRow, ScopeRow, SpanBatch, SpanRow,
};
use model::seen::{SeenAnswer, SeenKey};
use model::value::{Value, ValueType, packed};
use model::{Place, Predicate, SpanId, TraceId};
use proptest::prelude::*;
use testkit::oracle::Evaluator;
use traceql::{
    Arrays, Field, Intrinsic, Judge, KnownArrays, Lowered, Query, lower, lower_with, parse,
    without_trace_duration,
};

use crate::trees::{duration, op, query};

type Attributes = Vec<(&'static str, Value)>;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => prop::sample::select(vec!["", "x", "y", "xy"]).prop_map(|text| Value::String(text.to_owned())),
        4 => prop::sample::select(vec![-1, 0, 1, 2, (1 << 53) + 1, i64::MAX, i64::MIN]).prop_map(Value::Int),
        4 => prop::sample::select(vec![1.0, 1.5, f64::NAN, -0.5, f64::INFINITY, 9_007_199_254_740_992.0])
            .prop_map(Value::Double),
        3 => any::<bool>().prop_map(Value::Bool),
    ];
    let odd = prop::sample::select(vec![
        Value::Empty,
        Value::Bytes(vec![1]),
        Value::Map(Vec::new()),
    ]);
    prop_oneof![
        16 => scalar.clone(),
        2 => prop::collection::vec(scalar, 0..3).prop_map(Value::Array),
        1 => odd,
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    prop::collection::vec((prop::sample::select(vec!["a", "b"]), value()), 0..3)
}

#[derive(Debug, Clone)]
struct Span {
    parent: u64,
    name: &'static str,
    service: Option<Value>,
    kind: i32,
    status: i32,
    start: u64,
    end: u64,
    own: Attributes,
    resource: Attributes,
    scope: Attributes,
    events: Vec<(&'static str, u64, Attributes)>,
    links: Vec<(u8, u64, Attributes)>,
}

fn span() -> impl Strategy<Value = Span> {
    let name = || prop::sample::select(vec!["", "x", "y"]);
    let service = prop::option::of(prop_oneof![
        3 => prop::sample::select(vec!["", "x"]).prop_map(|text| Value::String(text.to_owned())),
        1 => Just(Value::Int(1)),
    ]);
    let own = (0u64..6, name(), service, 0i32..7, 0i32..4);
    let events = prop::collection::vec((name(), 0u64..60, attributes()), 0..3);
    let links = prop::collection::vec((0u8..3, 0u64..3, attributes()), 0..3);
    let times = (0u64..40, prop_oneof![9 => 0u64..80, 1 => Just(u64::MAX)]);
    (
        own,
        times,
        attributes(),
        attributes(),
        attributes(),
        events,
        links,
    )
        .prop_map(
            |(
                (parent, name, service, kind, status),
                (start, end),
                own,
                resource,
                scope,
                events,
                links,
            )| Span {
                parent,
                name,
                service,
                kind,
                status,
                start,
                end,
                own,
                resource,
                scope,
                events,
                links,
            },
        )
}

fn put(builder: &mut BatchBuilder, all: &[(&'static str, Value)]) -> model::batch::Attributes {
    let mut cursor = builder.begin_attributes();
    for (key, value) in all {
        let mut bytes = Vec::new();
        let packed = match value {
            Value::Empty => PackedValue::Empty,
            Value::String(text) => PackedValue::String(text.as_bytes()),
            Value::Bool(is) => PackedValue::Bool(*is),
            Value::Int(number) => PackedValue::Int(*number),
            Value::Double(number) => PackedValue::Double(*number),
            Value::Array(values) => {
                packed::array_to_bytes(values, &mut bytes);
                PackedValue::Array(&bytes)
            }
            Value::Map(pairs) => {
                packed::map_to_bytes(pairs, &mut bytes);
                PackedValue::Map(&bytes)
            }
            Value::Bytes(bytes) => PackedValue::Bytes(bytes),
        };
        builder.push_attribute(&mut cursor, key.as_bytes(), packed);
    }
    builder.finish_attributes(cursor)
}

fn batch(spans: &[Span]) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    for (n, span) in spans.iter().enumerate() {
        let mut of_resource = span.resource.clone();
        of_resource.extend(span.service.clone().map(|value| ("service.name", value)));
        let attributes = put(&mut builder, &of_resource);
        let resource = builder.add_resource(ResourceRow {
            is_present: true,
            attributes,
            ..Default::default()
        });
        let attributes = put(&mut builder, &span.scope);
        let name = builder.intern(span.name.as_bytes());
        let scope = builder.add_scope(ScopeRow {
            is_present: true,
            name,
            attributes,
            ..Default::default()
        });
        let attributes = put(&mut builder, &span.own);
        for (name, since, of_event) in &span.events {
            let attributes = put(&mut builder, of_event);
            let name = builder.intern(name.as_bytes());
            builder.push_event(EventRow {
                time: span.start + since,
                name,
                attributes,
                ..Default::default()
            });
        }
        for (trace, id, of_link) in &span.links {
            let attributes = put(&mut builder, of_link);
            let mut trace_id = TraceId::ZERO;
            trace_id.0[15] = *trace;
            builder.push_link(LinkRow {
                trace_id,
                span_id: SpanId::from_number(*id),
                attributes,
                ..Default::default()
            });
        }
        let mut trace_id = TraceId::ZERO;
        trace_id.0[15] = 1;
        builder.push_span(SpanRow {
            trace_id,
            span_id: SpanId::from_number(n as u64 + 1),
            parent_span_id: SpanId::from_number(span.parent),
            name,
            kind: span.kind,
            start: span.start,
            end: span.end,
            status: span.status,
            resource,
            scope,
            attributes,
            ..Default::default()
        });
    }
    builder.finish()
}

fn has_array(spans: &[Span], place: Place, key: &str) -> bool {
    let is_one = |of: &Attributes| {
        of.iter()
            .any(|(k, value)| *k == key && matches!(value, Value::Array(_)))
    };
    spans.iter().any(|span| match place {
        Place::Span => is_one(&span.own),
        Place::Resource => is_one(&span.resource),
        Place::Scope => is_one(&span.scope),
        Place::Event => span.events.iter().any(|(_, _, of)| is_one(of)),
        Place::Link => span.links.iter().any(|(_, _, of)| is_one(of)),
        Place::Anywhere => panic!("it is told where"),
    })
}

fn check(query: &Query, batch: &SpanBatch, lowered: &Lowered) -> Result<(), TestCaseError> {
    let judged = Judge::new(query).unwrap().matches(batch);
    let evaluator = Evaluator::new(&lowered.predicate).unwrap();
    let found: Vec<usize> = batch
        .iter()
        .filter(|span| evaluator.holds(*span))
        .map(|span| span.row())
        .collect();
    let text = query.to_string();
    for row in &judged {
        prop_assert!(
            found.contains(row),
            "{} misses row {}: {:?}",
            text,
            row,
            lowered
        );
    }
    if lowered.is_exact {
        prop_assert_eq!(found, judged, "{}: {:?}", text, lowered);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases * 8, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_missed_and_what_is_exact_finds_nothing_else(
        query in query(),
        spans in prop::collection::vec(span(), 1..6),
    ) {
        let batch = batch(&spans);
        check(&query, &batch, &lower(&query).unwrap())?;
        let knows = |place, key: &str| has_array(&spans, place, key);
        check(&query, &batch, &lower_with(&query, Arrays::Where(&knows)).unwrap())?;
    }

    #[test]
    fn what_is_left_without_the_duration_of_traces_holds_for_the_spans_of_those_that_last_so_long(
        query in query(),
        compared in prop::collection::vec((op(), duration()), 1..4),
        spans in prop::collection::vec(span(), 1..6),
    ) {
        let batch = batch(&spans);
        let of_trace = Field::Intrinsic(Intrinsic::TraceDuration);
        let whole = compared.into_iter().fold(query, |query, (op, nanos)| {
            query.with_comparison(of_trace.clone(), op, nanos)
        });
        if let Some((left, range)) = without_trace_duration(&whole) {
            let start = batch.iter().map(|span| span.start()).min().unwrap();
            let end = batch.iter().map(|span| span.end()).max().unwrap();
            let mut rows = Judge::new(&left).unwrap().matches(&batch);
            rows.retain(|_| range.contains(&end.saturating_sub(start)));
            prop_assert_eq!(rows, Judge::new(&whole).unwrap().matches(&batch), "{}: {:?}", whole, range);
        }
    }
}

fn lowered(text: &str) -> Lowered {
    let parsed = parse(text);
    lower_with(
        &parsed
            .query
            .unwrap_or_else(|| panic!("{text}: {:?}", parsed.diagnostics)),
        Arrays::Nowhere,
    )
    .unwrap()
}

#[test]
fn what_a_store_can_say_is_lowered_exactly() {
    for text in [
        "{}",
        "{ true }",
        "{ name = \"a\" }",
        "{ name =~ `a.*` && kind = server }",
        "{ status != ok }",
        "{ duration >= 1.5s }",
        "{ .a = 1 }",
        "{ .a != \"x\" }",
        "{ !(span.a > 1 || .b !~ `x`) }",
        "{ .a = nil }",
        "{ resource.service.name != \"x\" }",
        "{ trace:id = \"1\" || span:parentID = \"\" }",
        "{ span.flag }",
        "{ event:name = \"x\" }",
        "{ link:traceID != \"1\" }",
        "{ event.a =~ `x` }",
        "{ instrumentation:name < \"b\" }",
        "{ duration > 2 * 500ms + 1s }",
        "{ 1 + 1 = 2 }",
        "{ span.a = 1 / 0 }",
        "{ span.a < 2 ^ 10 }",
        "{ instrumentation.a = true }",
        "{ 100 < span.a }",
    ] {
        assert!(lowered(text).is_exact, "{text}");
    }
    for text in [
        "{ rootName = \"a\" }",
        "{ trace:rootService = \"a\" }",
        "{ traceDuration > 1s }",
        "{ span:childCount > 1 }",
        "{ span:selfTime > 1s }",
        "{ span:criticalTime > 1s }",
        "{ trace:spanCount > 1 }",
        "{ trace:errorCount = 0 }",
        "{ event:timeSinceStart > 1s }",
        "{ span.a = span.b }",
        "{ span.a + 1 = 2 }",
        "{ trace:id =~ `a.*` }",
        "{ event.a != 1 }",
        "{ (span.a = 1) = false }",
    ] {
        assert!(!lowered(text).is_exact, "{text}");
    }
}

#[test]
fn what_is_not_exact_keeps_what_stands_beside_it() {
    let name = lowered("{ name = \"a\" }").predicate;
    let both = lowered("{ name = \"a\" && trace:spanCount > 1 }");
    assert_eq!(
        both,
        Lowered {
            predicate: name.clone(),
            is_exact: false
        }
    );
    let either = lowered("{ name = \"a\" || trace:spanCount > 1 }");
    assert_eq!(either.predicate, Predicate::All);
    assert_eq!(
        lowered("{ !(trace:spanCount > 1) }").predicate,
        Predicate::All
    );
    assert_eq!(
        lowered("{ !(name = \"a\" && trace:spanCount > 1) }").predicate,
        Predicate::All
    );
    let neither = lowered("{ !(name = \"a\" || trace:spanCount > 1) }");
    assert_eq!(neither.predicate, Predicate::Not(Box::new(name)));
    // No part of a span is longer than the span.
    let own = lowered("{ span:selfTime > 1s }").predicate;
    assert!(
        format!("{own:?}").contains("Compare(Duration, Greater, Int(1000000000))"),
        "{own:?}"
    );
}

#[test]
fn an_attribute_that_may_be_an_array_is_only_asked_to_be_there() {
    let query = parse("{ span.a = 1 && resource.service.name = \"x\" }")
        .query
        .unwrap();
    let wide = lower(&query).unwrap();
    assert!(
        !wide.is_exact && format!("{wide:?}").contains("Exists"),
        "{wide:?}"
    );
    assert!(lower_with(&query, Arrays::Nowhere).unwrap().is_exact);
    assert!(
        lower_with(&query, Arrays::Where(&|_, key| key == "b"))
            .unwrap()
            .is_exact
    );
}

fn depth(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::And(of) | Predicate::Or(of) => 1 + of.iter().map(depth).max().unwrap_or(0),
        Predicate::Not(of) => 1 + depth(of),
        Predicate::All | Predicate::Exists(_) | Predicate::Compare(..) => 1,
    }
}

#[test]
fn the_deepest_query_stays_below_the_levels_that_a_store_allows() {
    let deepest = |open: &str, leaf: &str, close: &str| {
        let nested =
            |count: usize| format!("{{ {}{leaf}{} }}", open.repeat(count), close.repeat(count));
        let count = (1..traceql::DEPTH_MAX + 1)
            .rfind(|count| parse(&nested(*count)).query.is_some())
            .unwrap();
        depth(&lowered(&nested(count)).predicate)
    };
    for (open, close) in [(".x && (.y || (", "))"), ("!(.y && ", ")"), ("!(", ")")] {
        for leaf in [
            ".a != 1",
            ".service.name !~ `x`",
            "span:selfTime > 1s",
            "trace:spanCount > 1",
        ] {
            let levels = deepest(open, leaf, close);
            assert!(levels <= 64, "{open}{leaf}: {levels} levels");
        }
    }
}

#[test]
fn what_a_store_has_seen_tells_which_attributes_may_be_arrays() {
    let key = |key: &str, value_type| SeenKey {
        place: Place::Span,
        key: key.to_owned(),
        value_type,
        first: 0,
        last: 0,
        count: 1,
    };
    let mut seen = SeenAnswer {
        keys: vec![
            key("a", ValueType::Int),
            key("b", ValueType::Array),
            key("b", ValueType::Int),
        ],
        has_all_keys: true,
        ..SeenAnswer::default()
    };
    let arrays = KnownArrays::of(&seen);
    let is_exact = |text: &str, arrays: &KnownArrays| {
        let knows = |place, key: &str| arrays.may_be(place, key);
        lower_with(&parse(text).query.unwrap(), Arrays::Where(&knows))
            .unwrap()
            .is_exact
    };
    assert!(is_exact("{ span.a = 1 && resource.b = 1 }", &arrays));
    assert!(!is_exact("{ span.b = 1 }", &arrays) && !is_exact("{ .b != 1 }", &arrays));
    assert!(is_exact("{ span.b != nil }", &arrays));
    seen.has_all_keys = false;
    assert!(!is_exact("{ span.a = 1 }", &KnownArrays::of(&seen)));
}

#[test]
fn what_is_certain_beside_something_that_is_not_is_exact() {
    for (text, predicate) in [
        ("{ true || trace:spanCount > 1 }", Predicate::All),
        ("{ !(trace:spanCount > 1 && false) }", Predicate::All),
        (
            "{ 1 = 2 && trace:spanCount > 1 }",
            Predicate::Or(Vec::new()),
        ),
    ] {
        assert_eq!(
            lowered(text),
            Lowered {
                predicate,
                is_exact: true
            },
            "{text}"
        );
    }
}
