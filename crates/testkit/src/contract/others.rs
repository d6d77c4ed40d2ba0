//! Questions that are no searches for traces: traces themselves, lists, numbers, relations, spans by their own order.

use model::capability::Capability;
use model::contract::{Order, Window};
use model::overview::ANY_DURATION;
use model::rates::{RatesOf, RatesRequest};
use model::seen::ValuesRequest;
use model::{
    CountRequest, Field, Literal, Operator, OverviewOf, OverviewRequest, Place, Predicate,
    Relation, SpanSearchRequest, Structure, StructureRequest, TenantId, TraceId,
};

use super::Case;
use super::ask::Ask;
use super::searches::{at, is, of_service, span_id, text, trace_id};
use super::world::{
    EXTREMES, LARGE, NAMELESS, ORDERS, ORPHANS, RESENT, SECOND, TIED, TWINS, TYPED, order_start,
    other_tenant, tenant,
};

const MINUTE: u64 = 60 * SECOND;

pub(super) fn cases(base: u64) -> Vec<Case> {
    let mut cases = traces();
    cases.extend(lists(base));
    cases.extend(numbers(base));
    cases.extend(relations(base));
    cases.extend(spans(base));
    cases
}

fn traces() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, number) in [
        ("an order", 6),
        ("large", LARGE),
        ("shared ids", TWINS),
        ("sent twice", RESENT),
        ("odd values", TYPED),
        ("of no service", NAMELESS),
        ("without its first span", ORPHANS),
        ("the first microsecond", *EXTREMES.start()),
        ("centuries on", 402),
        ("no time", 403),
        ("backwards", *EXTREMES.end()),
        ("unknown", 999),
    ] {
        let id = trace_id(number);
        let mut add = |of: &str, ask: Ask| cases.push(Case::new(format!("{of}: {name}"), ask));
        add("trace", Ask::Trace(tenant(), id));
        add("outline", Ask::Outline(tenant(), id));
    }
    let zero = TraceId([0; 16]);
    cases.push(Case::new("trace: of no id", Ask::Trace(tenant(), zero)));
    for (name, trace, spans) in [
        ("one", 6, vec![62]),
        ("some of many", LARGE, vec![100_001, 110_000, 105_000]),
        ("several of one id", TWINS, vec![200_019]),
        ("of another trace", 6, vec![72]),
        ("none", 6, Vec::new()),
    ] {
        let spans = spans.into_iter().map(span_id).collect();
        let ask = Ask::SpansOf(tenant(), trace_id(trace), spans);
        cases.push(Case::new(format!("spans of a trace: {name}"), ask));
    }
    for (name, tenant, number) in [
        ("theirs", other_tenant(), 1),
        ("ours, asked by them", other_tenant(), 2),
        ("of nobody", nobody(), 1),
    ] {
        let case = Case::new(
            format!("tenant: trace {name}"),
            Ask::Trace(tenant, trace_id(number)),
        );
        cases.push(case.needing(Capability::Tenants));
    }
    cases
}

fn nobody() -> TenantId {
    TenantId::parse("nobody").unwrap_or_default()
}

fn lists(base: u64) -> Vec<Case> {
    let mut cases = vec![Case::new("services", Ask::Services(tenant()))];
    for service in [
        "shop",
        "cart",
        "payment",
        "large",
        "missing-service-name",
        "nobody",
        "",
    ] {
        let ask = Ask::Operations(tenant(), service.to_owned());
        cases.push(Case::new(format!("operations: {service:?}"), ask));
    }
    let (first, last) = (
        order_start(base, *ORDERS.start()),
        order_start(base, *ORDERS.end()),
    );
    for (name, start, end) in [
        ("of orders", first, last + MINUTE),
        ("cut at the end", first, last),
        ("always", 0, u64::MAX),
        ("before all", 1, 2),
    ] {
        let ask = Ask::Dependencies(tenant(), Window { start, end });
        cases.push(Case::new(format!("dependencies: {name}"), ask));
    }
    for (name, numbers) in [
        ("of orders", vec![5, 2, 6]),
        ("large", vec![LARGE]),
        ("without a first span", vec![ORPHANS, NAMELESS]),
        ("of unknown ones", vec![998, 3, 999]),
        ("of none", Vec::new()),
        ("of ties", TIED.collect()),
        ("of shared ids and what was sent twice", vec![TWINS, RESENT]),
    ] {
        let ids = numbers.into_iter().map(trace_id).collect();
        cases.push(Case::new(
            format!("facts: {name}"),
            Ask::Facts(tenant(), ids),
        ));
    }
    for (name, ask) in [
        ("services", Ask::Services(other_tenant())),
        (
            "operations",
            Ask::Operations(other_tenant(), "shop".to_owned()),
        ),
        ("services of nobody", Ask::Services(nobody())),
        (
            "facts",
            Ask::Facts(other_tenant(), vec![trace_id(1), trace_id(2)]),
        ),
    ] {
        let case = Case::new(format!("tenant: {name}"), ask);
        cases.push(case.needing(Capability::Tenants));
    }
    cases.push(Case::new("keys", Ask::Keys(tenant())));
    for (name, place, key, prefix) in [
        ("of a span", Place::Span, "currency", ""),
        ("by a prefix", Place::Anywhere, "customer", "customer-"),
        ("of a resource", Place::Resource, "host.name", "web"),
        ("of an event", Place::Event, "key", "k"),
        ("of an unknown key", Place::Anywhere, "nothing", ""),
    ] {
        let ask = Ask::Values(ValuesRequest {
            tenant: tenant(),
            place,
            key: key.to_owned(),
            prefix: prefix.to_owned(),
            limit: 100,
        });
        cases.push(Case::new(format!("values: {name}"), ask));
    }
    cases
}

/// The minutes in which the orders are.
fn of_orders(base: u64) -> Window {
    Window {
        start: base,
        end: base + 20 * MINUTE - 1,
    }
}

fn numbers(base: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    let orders = of_orders(base);
    let failed = || is(Field::Status, Operator::Equal, Literal::Int(2));
    for (name, predicate, window) in [
        ("all", Predicate::All, Window::ALWAYS),
        ("of a service", of_service("large"), Window::ALWAYS),
        ("failed in a window", failed(), orders),
        ("of shared ids", of_service("twins"), Window::ALWAYS),
        ("sent twice", of_service("resent"), Window::ALWAYS),
        ("none", of_service("nobody"), Window::ALWAYS),
    ] {
        let tenant = tenant();
        let ask = Ask::Count(CountRequest {
            tenant,
            predicate,
            window,
        });
        cases.push(Case::new(format!("count: {name}"), ask));
    }
    for (name, step_nanos, services, by_operation) in [
        ("by service", 0, Vec::new(), false),
        ("by operation and minute", MINUTE, Vec::new(), true),
        ("of a service", 2 * MINUTE, vec!["cart".to_owned()], true),
        ("of nobody", MINUTE, vec!["nobody".to_owned()], true),
    ] {
        let ask = Ask::Rates(RatesRequest {
            tenant: tenant(),
            of: RatesOf::Operations,
            window: orders,
            step_nanos,
            services,
            kinds: Vec::new(),
            by_operation,
            by_kind: false,
            with_examples: false,
        });
        cases.push(Case::new(format!("rates: {name}"), ask));
    }
    for (name, of) in [
        ("spans", OverviewOf::Spans),
        ("traces", OverviewOf::Traces),
        ("entries", OverviewOf::EntrySpans),
    ] {
        let ask = Ask::Overview(OverviewRequest {
            tenant: tenant(),
            predicate: Predicate::All,
            window: orders,
            trace_duration: ANY_DURATION,
            of,
            time_steps: 20,
            facets: vec![Field::Service, at(Place::Anywhere, "customer")],
            facet_values_max: 10,
            rows_max: 1_000_000,
        });
        cases.push(Case::new(format!("overview: {name}"), ask));
    }
    cases
}

fn relations(base: u64) -> Vec<Case> {
    // The others look at every pair of spans of a trace.
    let orders = of_orders(base);
    let named = |name: &str| is(Field::Name, Operator::Equal, text(name));
    let shop = || of_service("shop");
    let relations = [
        ("child", Relation::Child, shop(), named("SELECT"), orders),
        ("parent", Relation::Parent, named("charge"), shop(), orders),
        (
            "descendant",
            Relation::Descendant,
            of_service("large"),
            Predicate::All,
            Window::ALWAYS,
        ),
        (
            "ancestor",
            Relation::Ancestor,
            named("SELECT"),
            Predicate::All,
            orders,
        ),
        (
            "sibling",
            Relation::Sibling,
            named("charge"),
            named("SELECT"),
            orders,
        ),
        (
            "none",
            Relation::Child,
            named("SELECT"),
            Predicate::All,
            orders,
        ),
    ];
    let of = |(name, relation, left, right, window)| {
        let ask = Ask::Structure(StructureRequest {
            tenant: tenant(),
            structure: Structure {
                left,
                relation,
                right,
            },
            window,
            limit: 5,
            after: None,
        });
        Case::new(format!("structure: {name}"), ask)
    };
    relations.into_iter().map(of).collect()
}

fn spans(base: u64) -> Vec<Case> {
    let window = Window {
        start: order_start(base, 2),
        end: order_start(base, 20),
    };
    let mut cases = Vec::new();
    for (order, word) in [
        (Order::NewestFirst, "newest"),
        (Order::SlowestFirst, "slowest"),
    ] {
        let request = |predicate: Predicate, limit: usize| SpanSearchRequest {
            tenant: tenant(),
            predicate,
            window,
            order,
            limit,
            after: None,
        };
        let mut add =
            |name: &str, ask: Ask| cases.push(Case::new(format!("{word} spans: {name}"), ask));
        add("all", Ask::Spans(request(Predicate::All, 1_000)));
        add("pages", Ask::SpanPages(request(of_service("cart"), 4)));
        let ties = SpanSearchRequest {
            window: Window::ALWAYS,
            ..request(of_service("tied"), 3)
        };
        add("pages over equal keys", Ask::SpanPages(ties));
    }
    cases
}
