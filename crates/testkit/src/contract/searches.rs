//! Searches for traces: every field with every kind of comparison, trees of them, orders, pages and windows.

use model::capability::Capability;
use model::contract::{Order, Position, SearchRequest, Window};
use model::{Field, Literal, Operator, Place, Predicate, SpanId, TraceId};

use super::Case;
use super::ask::Ask;
use super::world::{
    LARGE, ORDERS, RESENT, SECOND, TIED, TWINS, TYPED, ids, large_start, odd_start, order_start,
    other_tenant, tenant, tied_start,
};
use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Matches, MatchesNot, NotEqual};

const MILLI: i64 = 1_000_000;

pub(super) fn cases(base: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, predicate) in by_field(base)
        .into_iter()
        .chain(by_attribute())
        .chain(trees())
    {
        cases.push(Case::new(
            format!("search: {name}"),
            Ask::Search(before_large(base, predicate)),
        ));
    }
    cases.extend(orders(base));
    cases.extend(windows(base));
    cases
}

/// A search over all of time that no limit cuts.
pub(super) fn all(predicate: Predicate) -> SearchRequest {
    SearchRequest {
        tenant: tenant(),
        predicate,
        window: Window::ALWAYS,
        order: Order::NewestFirst,
        limit: 1_000,
        after: None,
    }
}

/// The same before the large trace: some engines read that whole to judge it, and need seconds for it.
pub(super) fn before_large(base: u64, predicate: Predicate) -> SearchRequest {
    let window = Window {
        start: 0,
        end: large_start(base) - 1,
    };
    SearchRequest {
        window,
        ..all(predicate)
    }
}

pub(super) fn is(field: Field, operator: Operator, literal: Literal) -> Predicate {
    Predicate::Compare(field, operator, literal)
}

pub(super) fn text(text: &str) -> Literal {
    Literal::String(text.to_owned())
}

pub(super) fn of_service(name: &str) -> Predicate {
    is(Field::Service, Equal, text(name))
}

pub(super) fn at(place: Place, key: &str) -> Field {
    let key = key.to_owned();
    Field::Attribute { place, key }
}

pub(super) fn trace_id(number: u64) -> TraceId {
    TraceId(ids().trace(number))
}

pub(super) fn span_id(number: u64) -> SpanId {
    SpanId(ids().span(number))
}

type Named = Vec<(&'static str, Predicate)>;

fn by_field(base: u64) -> Named {
    let nanos = |nanos: u64| Literal::Int(i64::try_from(nanos).unwrap_or(i64::MAX));
    let fourth = order_start(base, 4);
    let trace = || Literal::TraceId(trace_id(4));
    let span = |number: u64| Literal::SpanId(span_id(number));
    let mut cases: Named = vec![
        ("trace id equal", is(Field::TraceId, Equal, trace())),
        ("trace id not equal", is(Field::TraceId, NotEqual, trace())),
        ("span id equal", is(Field::SpanId, Equal, span(42))),
        (
            "span id not equal",
            of_service("cart").and(is(Field::SpanId, NotEqual, span(42))),
        ),
        ("parent equal", is(Field::ParentSpanId, Equal, span(41))),
        (
            "parent not equal",
            is(Field::ParentSpanId, NotEqual, span(41)),
        ),
        ("parent there", Predicate::Exists(Field::ParentSpanId)),
        ("start equal", is(Field::Start, Equal, nanos(fourth))),
        ("start less", is(Field::Start, Less, nanos(fourth))),
        (
            "start at most",
            is(Field::Start, LessOrEqual, nanos(fourth)),
        ),
        ("start greater", is(Field::Start, Greater, nanos(fourth))),
        (
            "start at least",
            is(Field::Start, GreaterOrEqual, nanos(fourth)),
        ),
        (
            "link's trace equal",
            is(Field::LinkTraceId, Equal, Literal::TraceId(trace_id(6))),
        ),
        ("link's trace there", Predicate::Exists(Field::LinkTraceId)),
        ("link's span equal", is(Field::LinkSpanId, Equal, span(61))),
        (
            "link's span not equal",
            is(Field::LinkSpanId, NotEqual, span(61)),
        ),
    ];
    for (operator, name) in [
        (Equal, "duration equal"),
        (NotEqual, "duration not equal"),
        (Less, "duration less"),
        (LessOrEqual, "duration at most"),
        (Greater, "duration greater"),
        (GreaterOrEqual, "duration at least"),
    ] {
        let compared = is(Field::Duration, operator, Literal::Int(40 * MILLI));
        cases.push((name, of_service("shop").and(compared)));
    }
    let numbers = [
        ("kind equal", is(Field::Kind, Equal, Literal::Int(2))),
        ("kind not equal", is(Field::Kind, NotEqual, Literal::Int(0))),
        ("kind greater", is(Field::Kind, Greater, Literal::Int(3))),
        ("status equal", is(Field::Status, Equal, Literal::Int(2))),
        (
            "status not equal",
            is(Field::Status, NotEqual, Literal::Int(0)),
        ),
        ("status ok", is(Field::Status, Equal, Literal::Int(1))),
    ];
    cases.extend(numbers);
    cases.extend(by_text());
    cases
}

fn by_text() -> Named {
    vec![
        ("name equal", is(Field::Name, Equal, text("GET /cart/1"))),
        ("name not equal", is(Field::Name, NotEqual, text("tick"))),
        ("name less", is(Field::Name, Less, text("SELECT"))),
        (
            "name at least",
            is(Field::Name, GreaterOrEqual, text("charge")),
        ),
        (
            "name matches",
            is(Field::Name, Matches, text("GET /cart/[12]")),
        ),
        (
            "name matches whole only",
            is(Field::Name, Matches, text("charg")),
        ),
        (
            "name matches not",
            is(Field::Name, MatchesNot, text("[a-z].*")),
        ),
        ("service equal", of_service("payment")),
        (
            "service not equal",
            is(Field::Service, NotEqual, text("tied")),
        ),
        ("service matches", is(Field::Service, Matches, text("t.*"))),
        ("service of none", of_service("missing-service-name")),
        ("service unknown", of_service("nobody")),
        (
            "message equal",
            is(Field::StatusMessage, Equal, text("upstream failed")),
        ),
        (
            "message matches",
            is(Field::StatusMessage, Matches, text(".*failed")),
        ),
        (
            "message empty",
            of_service("shop").and(is(Field::StatusMessage, Equal, text(""))),
        ),
        (
            "state equal",
            is(Field::TraceState, Equal, text("vendor=a1")),
        ),
        (
            "state matches",
            is(Field::TraceState, Matches, text("vendor=.*")),
        ),
        ("scope equal", is(Field::ScopeName, Equal, text("sql"))),
        ("scope not equal", is(Field::ScopeName, NotEqual, text(""))),
        ("scope matches", is(Field::ScopeName, Matches, text("h.*"))),
        (
            "scope's version equal",
            is(Field::ScopeVersion, Equal, text("2.0")),
        ),
        (
            "scope's version matches",
            is(Field::ScopeVersion, Matches, text("1\\..*")),
        ),
        (
            "event equal",
            is(Field::EventName, Equal, text("cache.miss")),
        ),
        ("event there", Predicate::Exists(Field::EventName)),
        (
            "event not equal",
            is(Field::EventName, NotEqual, text("cache.hit")),
        ),
        (
            "event unknown",
            is(Field::EventName, Equal, text("cache.hit")),
        ),
        (
            "a pattern that is none",
            is(Field::Name, Matches, text("(")),
        ),
    ]
}

// tidy: long-function: a table
fn by_attribute() -> Named {
    let code = || at(Place::Span, "http.response.status_code");
    let customer = || at(Place::Anywhere, "customer");
    let typed = |key: &str| at(Place::Span, key);
    let mut cases: Named = vec![
        ("span's there", Predicate::Exists(code())),
        ("span's equal int", is(code(), Equal, Literal::Int(500))),
        (
            "span's equal double",
            is(code(), Equal, Literal::Double(404.0)),
        ),
        ("span's equal another type", is(code(), Equal, text("500"))),
        ("span's not equal", is(code(), NotEqual, Literal::Int(200))),
        ("span's greater", is(code(), Greater, Literal::Int(404))),
        (
            "span's at most",
            is(code(), LessOrEqual, Literal::Double(404.5)),
        ),
        (
            "resource's equal",
            is(at(Place::Resource, "host.name"), Equal, text("web-1")),
        ),
        (
            "resource's int",
            is(at(Place::Resource, "replicas"), Equal, Literal::Int(3)),
        ),
        (
            "resource's not the span's",
            is(at(Place::Resource, "vip"), Equal, Literal::Bool(true)),
        ),
        (
            "scope's equal",
            is(at(Place::Scope, "stable"), Equal, Literal::Bool(true)),
        ),
        (
            "event's equal",
            is(at(Place::Event, "key"), Equal, text("k1")),
        ),
        (
            "event's matches",
            is(at(Place::Event, "key"), Matches, text("k[02]")),
        ),
        (
            "event's not the span's",
            Predicate::Exists(at(Place::Span, "key")),
        ),
        (
            "link's equal",
            is(at(Place::Link, "why"), Equal, text("retry")),
        ),
        ("link's there", Predicate::Exists(at(Place::Link, "why"))),
        (
            "bool",
            is(at(Place::Span, "vip"), Equal, Literal::Bool(true)),
        ),
        (
            "bool not equal",
            is(at(Place::Span, "vip"), NotEqual, Literal::Bool(true)),
        ),
        (
            "double less",
            is(at(Place::Span, "ratio"), Less, Literal::Double(1.5)),
        ),
        (
            "double equal int",
            is(at(Place::Span, "ratio"), Equal, Literal::Int(2)),
        ),
        ("anywhere text", is(customer(), Equal, text("customer-2"))),
        ("anywhere int", is(customer(), Equal, Literal::Int(12))),
        ("anywhere of both types", Predicate::Exists(customer())),
        (
            "anywhere matches",
            is(customer(), Matches, text("customer-[0-2]")),
        ),
        (
            "anywhere matches not",
            is(customer(), MatchesNot, text("customer-[0-2]")),
        ),
        (
            "anywhere of a resource",
            is(at(Place::Anywhere, "zone"), Equal, text("eu-1")),
        ),
        (
            "anywhere of an event",
            is(at(Place::Anywhere, "key"), Equal, text("k2")),
        ),
        (
            "anywhere of a scope",
            is(at(Place::Anywhere, "stable"), Equal, Literal::Bool(true)),
        ),
        (
            "anywhere of a link",
            is(at(Place::Anywhere, "why"), Equal, text("retry")),
        ),
        (
            "unknown key equal",
            is(at(Place::Anywhere, "nothing"), Equal, text("x")),
        ),
        (
            "unknown key not equal",
            is(at(Place::Anywhere, "nothing"), NotEqual, text("x")),
        ),
        ("empty key", Predicate::Exists(at(Place::Span, ""))),
        (
            "unicode",
            is(typed("t.text"), Equal, text("naïve 日本 \"quoted\"")),
        ),
        (
            "unicode matches",
            is(typed("t.text"), Matches, text("na.ve .*")),
        ),
        ("digits are text", is(typed("t.digits"), Equal, text("500"))),
        (
            "digits are no number",
            is(typed("t.digits"), Equal, Literal::Int(500)),
        ),
        (
            "least int",
            is(typed("t.least"), Equal, Literal::Int(i64::MIN)),
        ),
        (
            "whole double",
            is(typed("t.whole"), Equal, Literal::Double(7.0)),
        ),
        (
            "long text",
            is(typed("a.very.long.text"), Equal, text(&"x".repeat(5_000))),
        ),
        ("bytes there", Predicate::Exists(typed("t.bytes"))),
        ("list there", Predicate::Exists(typed("t.list"))),
        ("map there", Predicate::Exists(typed("t.map"))),
    ];
    for (name, key, canonical) in [
        ("canonical int", "t.int", "500"),
        ("canonical digits", "t.digits", "500"),
        ("canonical double", "t.double", "2.5"),
        ("canonical bool", "t.true", "true"),
        ("canonical text", "customer", "customer-3"),
        ("canonical of both types", "customer", "12"),
    ] {
        let field = at(Place::Anywhere, key);
        cases.push((name, is(field, Equal, Literal::Text(canonical.to_owned()))));
    }
    cases
}

fn trees() -> Named {
    use Predicate::{All, And, Not, Or};
    let failed = || is(Field::Status, Equal, Literal::Int(2));
    let vip = || is(at(Place::Span, "vip"), Equal, Literal::Bool(true));
    let select = || is(Field::Name, Equal, text("SELECT"));
    let not = |predicate: Predicate| Not(Box::new(predicate));
    vec![
        ("everything", All),
        ("nothing asked of", And(Vec::new())),
        ("nothing may be", Or(Vec::new())),
        ("not everything", not(All)),
        ("both", And(vec![failed(), vip()])),
        ("either", Or(vec![failed(), vip()])),
        (
            "neither",
            of_service("shop").and(not(Or(vec![failed(), vip()]))),
        ),
        ("one and not the other", And(vec![failed(), not(vip())])),
        (
            "not what is nowhere",
            not(is(at(Place::Span, "no"), Equal, text("x"))),
        ),
        // Each is true of a span of the trace, but not of one span.
        ("both on one span", And(vec![select(), of_service("shop")])),
        ("service and name", And(vec![select(), of_service("cart")])),
        (
            "either of three",
            Or(vec![of_service("tied"), of_service("types"), failed()]),
        ),
        ("not not", not(not(failed()))),
        (
            "deep",
            And(vec![
                Or(vec![
                    And(vec![failed(), vip()]),
                    And(vec![select(), not(failed())]),
                ]),
                not(And(vec![
                    of_service("shop"),
                    is(Field::Kind, Equal, Literal::Int(1)),
                ])),
            ]),
        ),
        (
            "a range",
            And(vec![
                is(Field::Duration, GreaterOrEqual, Literal::Int(20 * MILLI)),
                is(Field::Duration, LessOrEqual, Literal::Int(50 * MILLI)),
                of_service("shop"),
            ]),
        ),
    ]
}

fn orders(base: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    for (order, word) in [
        (Order::NewestFirst, "newest"),
        (Order::SlowestFirst, "slowest"),
    ] {
        let ordered = |predicate: Predicate, limit: usize| SearchRequest {
            order,
            limit,
            ..all(predicate)
        };
        let mut add = |name: &str, ask: Ask| cases.push(Case::new(format!("{word}: {name}"), ask));
        add("all", Ask::Search(ordered(Predicate::All, 1_000)));
        add("the first", Ask::Search(ordered(Predicate::All, 1)));
        add("five", Ask::Search(ordered(of_service("cart"), 5)));
        add(
            "as many as there are",
            Ask::Search(ordered(of_service("cart"), 24)),
        );
        add("pages", Ask::Pages(ordered(Predicate::All, 20)));
        let small = SearchRequest {
            order,
            limit: 7,
            ..before_large(base, Predicate::All)
        };
        add("small pages", Ask::Pages(small));
        add(
            "pages of a service",
            Ask::Pages(ordered(of_service("payment"), 5)),
        );
        add(
            "pages over equal keys",
            Ask::Pages(ordered(of_service("tied"), 3)),
        );
        add(
            "single traces over equal keys",
            Ask::Pages(ordered(of_service("tied"), 1)),
        );
        let failed = is(Field::Status, Equal, Literal::Int(2));
        let conditional = Predicate::Not(Box::new(failed));
        add(
            "what has not failed",
            Ask::Search(ordered(conditional, 1_000)),
        );
        let behind = SearchRequest {
            after: Some(Position {
                order_value: 0,
                trace_id: TraceId([255; 16]),
            }),
            ..ordered(Predicate::All, 10)
        };
        add("behind the last", Ask::Search(behind));
        let in_window = SearchRequest {
            window: Window {
                start: order_start(base, 3),
                end: order_start(base, 9),
            },
            ..ordered(of_service("shop"), 2)
        };
        add("pages in a window", Ask::Pages(in_window));
    }
    cases
}

fn windows(base: u64) -> Vec<Case> {
    let tenth = order_start(base, 10);
    let (first, last) = (
        order_start(base, *ORDERS.start()),
        order_start(base, *ORDERS.end()),
    );
    let windows = [
        ("both ends inside", first, last),
        ("one nanosecond", tenth, tenth),
        ("just behind", tenth + 1, tenth + 1),
        (
            "of a span that is not the first",
            tenth + 2_000_000,
            tenth + 2_000_000,
        ),
        ("before all", 1, 1),
        ("long before", 0, base - 86_400 * SECOND),
        ("behind all", 8_000_000_000 * SECOND, u64::MAX),
        ("the wrong way round", last, first),
        ("equal starts", tied_start(base), tied_start(base)),
        (
            "within a large trace",
            large_start(base) + 5_000_000,
            large_start(base) + 6_000_000,
        ),
        (
            "a day",
            base - base % (86_400 * SECOND),
            base + 86_400 * SECOND,
        ),
        ("odd ones", odd_start(base), odd_start(base) + 600 * SECOND),
    ];
    let mut cases: Vec<Case> = windows
        .into_iter()
        .map(|(name, start, end)| {
            let window = Window { start, end };
            let request = SearchRequest {
                window,
                ..all(Predicate::All)
            };
            Case::new(format!("window: {name}"), Ask::Search(request))
        })
        .collect();
    let theirs = |predicate: Predicate| SearchRequest {
        tenant: other_tenant(),
        ..all(predicate)
    };
    for (name, predicate) in [
        ("theirs alone", Predicate::All),
        ("nothing of ours", of_service("shop")),
    ] {
        let case = Case::new(format!("tenant: {name}"), Ask::Search(theirs(predicate)));
        cases.push(case.needing(Capability::Tenants));
    }
    for (name, number) in [
        ("large", LARGE),
        ("shared ids", TWINS),
        ("sent twice", RESENT),
        ("odd values", TYPED),
        ("equal to others", *TIED.start()),
    ] {
        let is_it = is(Field::TraceId, Equal, Literal::TraceId(trace_id(number)));
        cases.push(Case::new(
            format!("counted whole: {name}"),
            Ask::Search(all(is_it)),
        ));
    }
    cases
}
