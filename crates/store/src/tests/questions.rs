//! Random questions, asked of the engine and of the plain store.

use std::ops::RangeInclusive;

use model::batch::{AttrValue, SpanRef};
use model::contract::{Order, SearchAnswer, SearchRequest, SpanReader, Window};
use model::overview::{ANY_DURATION, FacetValue, bucket_of};
use model::{
    CountRequest, Field, Literal, Operator, OverviewAnswer, OverviewOf, OverviewRequest, Place,
    Predicate, Relation, SpanId, Structure, StructureRequest, TenantId, TraceId,
};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use testkit::oracle::OracleStore;

use super::machine::START;
use super::traffic::{NAMES, SERVICES, ids};
use super::truth::now;
use crate::engine::Engine;

const SECOND: u64 = 1_000_000_000;

pub(super) fn all(tenant: &TenantId, predicate: Predicate) -> SearchRequest {
    SearchRequest {
        tenant: tenant.clone(),
        predicate,
        window: Window::ALWAYS,
        order: Order::NewestFirst,
        limit: 10_000,
        after: None,
    }
}

pub(super) fn attribute(key: &str) -> Field {
    Field::Attribute {
        place: Place::Anywhere,
        key: key.to_owned(),
    }
}

pub(super) fn is_uid(uid: &str) -> Predicate {
    Predicate::Compare(
        attribute("uid"),
        Operator::Equal,
        Literal::String(uid.to_owned()),
    )
}

pub(super) fn uid_of(span: SpanRef<'_>) -> String {
    let uid = span.attributes().find(|attribute| attribute.key == "uid");
    match uid.map(|attribute| attribute.value) {
        Some(AttrValue::String(uid)) => uid.to_owned(),
        other => panic!("a span without uid: {other:?}"),
    }
}

/// A window at whose ends spans start, since starts are whole seconds after [`START`].
pub(super) fn window(rng: &mut SmallRng) -> Window {
    let range = *[60, 3 * 3600].choose(rng).unwrap();
    let start = START + rng.random_range(0..range) * SECOND - 4 * SECOND;
    let window = Window {
        start,
        end: start + *[0, 5, 60, 4000].choose(rng).unwrap() * SECOND,
    };
    if rng.random_bool(0.3) {
        Window::ALWAYS
    } else {
        window
    }
}

/// A range at whose ends traces are, since they last half seconds.
fn trace_duration(rng: &mut SmallRng) -> RangeInclusive<u64> {
    let halves = |rng: &mut SmallRng| rng.random_range(0..16) * (SECOND / 2);
    match rng.random_range(0..6) {
        0 => halves(rng)..=u64::MAX,
        1 => 0..=halves(rng),
        2 => halves(rng) + 1..=halves(rng),
        3 => {
            let from = halves(rng);
            from..=from + halves(rng)
        }
        _ => ANY_DURATION,
    }
}

pub(super) fn random(rng: &mut SmallRng, tenant: &TenantId) -> SearchRequest {
    SearchRequest {
        tenant: tenant.clone(),
        predicate: predicate(rng, 3),
        window: window(rng),
        order: *[Order::NewestFirst, Order::SlowestFirst]
            .choose(rng)
            .unwrap(),
        limit: *[1, 2, 3, 7, 20, 10_000].choose(rng).unwrap(),
        after: None,
    }
}

pub(super) fn predicate(rng: &mut SmallRng, depth: usize) -> Predicate {
    let some = |rng: &mut SmallRng| {
        (0..rng.random_range(0..4))
            .map(|_| predicate(rng, depth - 1))
            .collect()
    };
    match rng.random_range(0..10) {
        0 => Predicate::All,
        1 | 2 if depth > 0 => Predicate::And(some(rng)),
        3 if depth > 0 => Predicate::Or(some(rng)),
        4 if depth > 0 => Predicate::Not(Box::new(predicate(rng, depth - 1))),
        5 => Predicate::Exists(field(rng)),
        _ => {
            let field = field(rng);
            let literal = if rng.random_bool(0.85) {
                fitting(rng, &field)
            } else {
                literal(rng)
            };
            let mut operator = operator(rng);
            if matches!(operator, Operator::Matches | Operator::MatchesNot)
                && !matches!(literal, Literal::String(_))
            {
                operator = Operator::Equal;
            }
            Predicate::Compare(field, operator, literal)
        }
    }
}

fn field(rng: &mut SmallRng) -> Field {
    let fields = [
        Field::TraceId,
        Field::SpanId,
        Field::ParentSpanId,
        Field::Name,
        Field::Service,
        Field::Kind,
        Field::Status,
        Field::StatusMessage,
        Field::Start,
        Field::Duration,
        Field::TraceState,
        Field::ScopeName,
        Field::ScopeVersion,
        Field::EventName,
        Field::LinkTraceId,
        Field::LinkSpanId,
    ];
    let places = [
        Place::Anywhere,
        Place::Span,
        Place::Resource,
        Place::Scope,
        Place::Event,
        Place::Link,
    ];
    let keys = [
        "uid",
        "version",
        "even",
        "ratio",
        "host",
        "attempt",
        "why",
        "service.name",
        "none",
    ];
    if rng.random_bool(0.55) {
        return fields.choose(rng).unwrap().clone();
    }
    Field::Attribute {
        place: *places.choose(rng).unwrap(),
        key: (*keys.choose(rng).unwrap()).to_owned(),
    }
}

fn operator(rng: &mut SmallRng) -> Operator {
    let operators = [
        Operator::Equal,
        Operator::Equal,
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::Matches,
        Operator::MatchesNot,
    ];
    *operators.choose(rng).unwrap()
}

/// A value that some span may have in the field.
fn fitting(rng: &mut SmallRng, field: &Field) -> Literal {
    let text = |text: &str| Literal::String(text.to_owned());
    let number = rng.random_range(1..80);
    match field {
        Field::TraceId | Field::LinkTraceId => {
            Literal::TraceId(TraceId(ids().trace(number / 2 + 1)))
        }
        Field::SpanId | Field::ParentSpanId => Literal::SpanId(SpanId(ids().span(number))),
        Field::LinkSpanId => Literal::SpanId(SpanId(ids().span(1))),
        Field::Name => text(
            ["GET /", "POST /cart", "SELECT", "send", ".*E.*"]
                .choose(rng)
                .unwrap(),
        ),
        Field::Service => text(SERVICES.choose(rng).unwrap()),
        Field::Kind => Literal::Int(rng.random_range(2..4)),
        Field::Status => Literal::Int(rng.random_range(0..3)),
        Field::StatusMessage => text(["it failed", "", "it .*"].choose(rng).unwrap()),
        Field::Start => Literal::Int((START + rng.random_range(0..60) * SECOND).cast_signed()),
        Field::Duration => Literal::Int(rng.random_range(0..5) * 500_000_000),
        Field::TraceState => text(""),
        Field::ScopeName => text("lib"),
        Field::ScopeVersion => text("1"),
        Field::EventName => text("retry"),
        Field::Attribute { key, .. } => match key.as_str() {
            "uid" if rng.random() => Literal::Text(format!("uid-{number}")),
            "uid" => text(&format!("uid-{number}")),
            "version" | "attempt" if rng.random() => {
                Literal::Text(rng.random_range(0..3).to_string())
            }
            "version" | "attempt" => Literal::Int(rng.random_range(0..3)),
            "even" if rng.random() => Literal::Text("true".to_owned()),
            "even" => Literal::Bool(rng.random()),
            "ratio" => Literal::Double((number % 8) as f64 / 4.0),
            "host" => text(&format!("h{}", number % 5)),
            "why" => text("batch"),
            _ => text("shop"),
        },
    }
}

fn literal(rng: &mut SmallRng) -> Literal {
    let literals = [
        Literal::String("shop".to_owned()),
        Literal::String(NAMES[0].to_owned()),
        Literal::String(String::new()),
        Literal::Int(1),
        Literal::Double(1.0),
        Literal::Double(0.5),
        Literal::Bool(true),
        Literal::Text("1".to_owned()),
        Literal::Text("0.5".to_owned()),
        Literal::TraceId(TraceId(ids().trace(2))),
        Literal::SpanId(SpanId(ids().span(3))),
    ];
    literals.choose(rng).unwrap().clone()
}

/// Asks both for all pages of an answer.
pub(super) fn compare_search(engine: &Engine, oracle: &OracleStore, request: &SearchRequest) {
    let mut request = request.clone();
    for _page in 0..200 {
        let wanted = now(oracle.search(request.clone())).unwrap();
        let answer = engine.search(&request, &|| false).unwrap();
        assert_eq!(answer.skipped, []);
        assert_same(&answer, &wanted, &request);
        let Some(last) = wanted.traces.last().filter(|_| wanted.has_more) else {
            return;
        };
        request.after = Some(last.position(request.order));
    }
}

/// Asks both how many spans there are.
pub(super) fn compare_count(engine: &Engine, oracle: &OracleStore, request: &SearchRequest) {
    let request = CountRequest {
        tenant: request.tenant.clone(),
        predicate: request.predicate.clone(),
        window: request.window,
    };
    let wanted = now(oracle.count(request.clone())).unwrap();
    let answer = engine.count(&request, &|| false).unwrap();
    assert_eq!(answer, wanted, "{request:?}");
}

/// A question for all that matches, with facets of which some have several values a span.
pub(super) fn overview(rng: &mut SmallRng, tenant: &TenantId) -> OverviewRequest {
    let is_facet = |field: &Field| {
        let of = OverviewRequest {
            facets: vec![field.clone()],
            ..all_of(tenant, OverviewOf::Spans)
        };
        of.check().is_ok()
    };
    let facets = (0..rng.random_range(0..5)).map(|_| field(rng));
    let facets: Vec<Field> = facets.filter(is_facet).collect();
    let of = [
        OverviewOf::Traces,
        OverviewOf::EntrySpans,
        OverviewOf::Spans,
    ];
    OverviewRequest {
        predicate: predicate(rng, 2),
        window: window(rng),
        trace_duration: trace_duration(rng),
        time_steps: *[1, 2, 7, 1_000].choose(rng).unwrap(),
        facets,
        facet_values_max: *[0, 1, 3, 10_000].choose(rng).unwrap(),
        ..all_of(tenant, *of.choose(rng).unwrap())
    }
}

pub(super) fn all_of(tenant: &TenantId, of: OverviewOf) -> OverviewRequest {
    OverviewRequest {
        tenant: tenant.clone(),
        predicate: Predicate::All,
        window: Window::ALWAYS,
        trace_duration: ANY_DURATION,
        of,
        time_steps: 10,
        facets: Vec::new(),
        facet_values_max: 10,
        rows_max: u64::MAX,
    }
}

/// Asks both for all that matches; then for a part of the facets, which never counts more than there is.
pub(super) fn compare_overview(
    engine: &Engine,
    oracle: &OracleStore,
    request: &OverviewRequest,
    rng: &mut SmallRng,
) {
    let wanted = now(oracle.overview(request.clone())).unwrap();
    let told = engine.overview(request, &|| false).unwrap();
    // Which point a cell shows is not said, but it is one of its points.
    let plain = |answer: &OverviewAnswer| {
        let mut answer = answer.clone();
        for cell in &mut answer.cells {
            let duration = cell.slowest.2;
            cell.slowest = (TraceId::default(), SpanId::default(), duration);
            cell.failed = cell.failed.map(|_| (TraceId::default(), SpanId::default()));
        }
        answer
    };
    assert_eq!(plain(&told), plain(&wanted), "{request:?}");
    // A few of them: each is a question of its own.
    for cell in told.cells.iter().take(4) {
        let (trace_id, span_id, duration) = cell.slowest;
        check_shown(engine, request, (trace_id, span_id), &|_, lasting| {
            lasting == duration
        });
        if let Some(failed) = cell.failed {
            check_shown(engine, request, failed, &|is_error, lasting| {
                is_error && bucket_of(lasting) == cell.duration_bucket
            });
        }
    }
    if request.facets.is_empty() {
        return;
    }
    let some = OverviewRequest {
        rows_max: rng.random_range(0..=wanted.spans),
        facet_values_max: 10_000,
        ..request.clone()
    };
    let all = OverviewRequest {
        facet_values_max: 10_000,
        ..request.clone()
    };
    let all = now(oracle.overview(all)).unwrap();
    let told = engine.overview(&some, &|| false).unwrap();
    assert_eq!(plain(&told).cells, plain(&wanted).cells);
    assert_eq!(told.facets_looked_at, some.rows_max);
    assert_eq!(told.facets_matching, wanted.spans);
    for (told, all) in told.facets.iter().zip(&all.facets) {
        assert!(told.missing <= all.missing && told.distinct <= all.distinct);
        for value in &told.values {
            let is_same =
                |of: &&FacetValue| (of.value_type, &of.text) == (value.value_type, &value.text);
            let all = all.values.iter().find(is_same).unwrap();
            assert!(value.count <= all.count && value.errors <= all.errors);
        }
    }
}

/// A point that is shown is there, failed or not, and lasted so long.
fn check_shown(
    engine: &Engine,
    request: &OverviewRequest,
    (trace_id, span_id): (TraceId, SpanId),
    is_right: &dyn Fn(bool, u64) -> bool,
) {
    let spans = engine.trace(&request.tenant, trace_id).unwrap().spans;
    let is_error = |span: &SpanRef<'_>| span.status() == 2;
    if request.of == OverviewOf::Traces {
        let start = spans.iter().map(|span| span.start()).min().unwrap();
        let end = spans.iter().map(|span| span.end()).max().unwrap();
        assert!(is_right(
            spans.iter().any(|span| is_error(&span)),
            end - start
        ));
        assert!(span_id.is_zero());
        return;
    }
    let mut same = spans.iter().filter(|span| span.span_id() == span_id);
    assert!(same.any(|span| is_right(is_error(&span), span.end() - span.start())));
}

pub(super) fn structure(rng: &mut SmallRng, tenant: &TenantId) -> StructureRequest {
    let relations = [
        Relation::Descendant,
        Relation::Child,
        Relation::Ancestor,
        Relation::Parent,
        Relation::Sibling,
    ];
    let side = |rng: &mut SmallRng| {
        if rng.random_bool(0.4) {
            Predicate::All
        } else {
            predicate(rng, 2)
        }
    };
    StructureRequest {
        tenant: tenant.clone(),
        structure: Structure {
            left: side(rng),
            relation: *relations.choose(rng).unwrap(),
            right: side(rng),
        },
        window: window(rng),
        limit: *[0, 1, 2, 3, 7, 20, 10_000].choose(rng).unwrap(),
        after: None,
    }
}

/// Asks both for all pages of an answer.
pub(super) fn compare_structure(engine: &Engine, oracle: &OracleStore, request: &StructureRequest) {
    let mut request = request.clone();
    for _page in 0..200 {
        let wanted = now(oracle.find_structure(request.clone())).unwrap();
        let answer = engine.find_structure(&request, &|| false).unwrap();
        assert_eq!(answer, wanted, "{request:?}");
        let Some(last) = wanted.traces.last().filter(|_| wanted.has_more) else {
            return;
        };
        request.after = Some(last.position(Order::NewestFirst));
    }
}

fn assert_same(answer: &SearchAnswer, wanted: &SearchAnswer, request: &SearchRequest) {
    assert_eq!(answer.traces, wanted.traces, "{request:?}");
    assert_eq!(answer.has_more, wanted.has_more, "has_more of {request:?}");
}
