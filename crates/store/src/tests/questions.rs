//! Random questions, asked of the engine and of the plain store.

use model::batch::{AttrValue, SpanRef};
use model::contract::{Order, SearchAnswer, SearchRequest, SpanReader, Window};
use model::{
    CountRequest, Field, Literal, Operator, Place, Predicate, Relation, SpanId, Structure,
    StructureRequest, TenantId, TraceId,
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
