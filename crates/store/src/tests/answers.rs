//! Small questions, each about one thing that an answer can get wrong: texts of heads, pages, windows, calls, and what
//! is too large to be shown.

use std::time::Duration;

use model::contract::{Order, Window};
use model::seen::ValuesRequest;
use model::{Field, Literal, Operator, Place, Predicate, TraceId};
use testkit::spans::request;

use super::machine::{Machine, START, links, send, send_spec, spans_of, spec};
use super::questions::{all, attribute};
use super::traffic::{SpanSpec, encode, ids, tenant};
use super::truth::everything;
use crate::finalise::When;

const SECOND: u64 = 1_000_000_000;

#[test]
fn a_head_is_searched_for_texts_that_it_has() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let is_it = Predicate::Compare(
        attribute("uid"),
        Operator::Equal,
        Literal::String("uid-1".to_owned()),
    );
    let answer = machine
        .engine()
        .search(&all(&tenant(0), is_it), &|| false)
        .unwrap();
    assert_eq!(answer.traces.len(), 1);
}

#[test]
fn every_value_that_is_shown_of_a_key_finds_its_span() {
    let doubles = [
        1e21,
        -1e300,
        1e-7,
        f64::INFINITY,
        f64::NAN,
        -0.0,
        0.25,
        1e20,
    ];
    let machine = Machine::new();
    let mut builder = request().seed(7).service("shop");
    for (trace, double) in (1..).zip(doubles) {
        builder = builder.span("GET /", |s| {
            s.trace(trace)
                .id(trace)
                .start_ns(START)
                .attr("size", double)
        });
    }
    send(&machine, &builder.encode().into()).unwrap();
    for is_frozen in [false, true] {
        assert!(!is_frozen || machine.freeze(true));
        let asked = ValuesRequest {
            tenant: tenant(0),
            place: Place::Anywhere,
            key: "size".to_owned(),
            prefix: String::new(),
            limit: 100,
        };
        let shown = machine.engine().values(&asked, &|| false).unwrap().values;
        assert_eq!(shown.len(), doubles.len(), "{shown:?}");
        for text in shown {
            let is_it = Predicate::Compare(
                attribute("size"),
                Operator::Equal,
                Literal::Text(text.clone()),
            );
            let request = all(&tenant(0), is_it);
            let answer = machine.engine().search(&request, &|| false).unwrap();
            assert_eq!(answer.traces.len(), 1, "{text}, frozen: {is_frozen}");
        }
    }
}

#[test]
fn the_limit_cuts_behind_the_order_and_pages_go_through_equal_keys() {
    let machine = Machine::new();
    for number in 1..21 {
        // All start at one of two moments.
        let start = START + number % 2 * SECOND;
        send_spec(
            &machine,
            &SpanSpec {
                start,
                lasting: number % 2 * SECOND,
                ..spec(number, number)
            },
        );
        if number == 10 {
            assert!(machine.freeze(true));
        }
    }
    for order in [Order::NewestFirst, Order::SlowestFirst] {
        let mut request = everything(&tenant(0));
        request.order = order;
        let whole = machine.engine().search(&request, &|| false).unwrap().traces;
        assert_eq!(whole.len(), 20);
        assert!(whole.is_sorted_by_key(|hit| (
            std::cmp::Reverse(hit.position(order).order_value),
            hit.trace_id
        )));
        let mut paged = Vec::new();
        request.limit = 3;
        loop {
            let page = machine.engine().search(&request, &|| false).unwrap();
            paged.extend(page.traces);
            if !page.has_more {
                break;
            }
            request.after = paged
                .last()
                .map(|hit: &model::contract::TraceHit| hit.position(order));
        }
        assert_eq!(paged, whole, "{order:?}");
    }
}

#[test]
fn both_ends_of_a_window_are_inside_in_heads_and_in_segments() {
    for is_frozen in [false, true] {
        let machine = Machine::new();
        for number in 1..6 {
            send_spec(&machine, &spec(number, number));
        }
        assert!(!is_frozen || machine.freeze(true));
        let mut request = everything(&tenant(0));
        request.window = Window {
            start: START + 2 * SECOND,
            end: START + 4 * SECOND,
        };
        let answer = machine.engine().search(&request, &|| false).unwrap();
        let starts: Vec<u64> = answer
            .traces
            .iter()
            .map(|hit| (hit.start - START) / SECOND)
            .collect();
        assert_eq!(starts, [4, 3, 2], "frozen: {is_frozen}");
    }
}

#[test]
fn a_question_for_an_order_of_ids_or_bools_finds_nothing() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let id = Literal::TraceId(TraceId(ids().trace(1)));
    for is_frozen in [false, true] {
        assert!(!is_frozen || machine.freeze(true));
        let ask = |field: Field, operator, literal| {
            let request = all(&tenant(0), Predicate::Compare(field, operator, literal));
            machine
                .engine()
                .search(&request, &|| false)
                .unwrap()
                .traces
                .len()
        };
        assert_eq!(ask(Field::TraceId, Operator::Equal, id.clone()), 1);
        assert_eq!(ask(Field::TraceId, Operator::LessOrEqual, id.clone()), 0);
        assert_eq!(
            ask(
                Field::TraceId,
                Operator::Equal,
                Literal::String("x".to_owned())
            ),
            0
        );
        assert_eq!(
            ask(
                Field::TraceId,
                Operator::NotEqual,
                Literal::String("x".to_owned())
            ),
            1
        );
        assert_eq!(
            ask(
                attribute("even"),
                Operator::GreaterOrEqual,
                Literal::Bool(false)
            ),
            0
        );
        assert_eq!(
            ask(
                attribute("uid"),
                Operator::Greater,
                Literal::Text("a".to_owned())
            ),
            0
        );
    }
}

#[test]
fn calls_are_counted_across_late_spans_freezes_and_restarts() {
    let mut machine = Machine::new();
    send_spec(
        &machine,
        &SpanSpec {
            service: 1,
            parent: 1,
            ..spec(1, 2)
        },
    );
    assert!(machine.freeze(true));
    machine.clock.advance(Duration::from_secs(700));
    send_spec(
        &machine,
        &SpanSpec {
            service: 2,
            parent: 2,
            start: START + 600 * SECOND,
            ..spec(1, 3)
        },
    );
    assert!(machine.freeze(true));
    machine.restart();
    // The root is the last to come.
    send_spec(&machine, &spec(1, 1));
    let wanted = [("cart", "pay", 1), ("shop", "cart", 1)];
    for _ in 0..2 {
        let calls = links(machine.engine(), &tenant(0), Window::ALWAYS);
        let calls: Vec<_> = calls
            .iter()
            .map(|link| (link.parent.as_str(), link.child.as_str(), link.calls))
            .collect();
        assert_eq!(calls, wanted);
        assert!(machine.freeze(true));
        machine.restart();
    }
    // A trace that does not lie wholly in the window does not count.
    let window = Window {
        start: 0,
        end: START + 10 * SECOND,
    };
    assert_eq!(links(machine.engine(), &tenant(0), window), []);
}

#[test]
fn a_trace_that_can_not_be_shown_is_refused_before_it_is_read() {
    let mut machine = Machine::new();
    machine.kill();
    machine.options.trace_spans_max = 20;
    machine.open().unwrap();
    let long: Vec<SpanSpec> = (1..40).map(|id| spec(1, id)).collect();
    assert!(send(&machine, &encode(&long)).is_ok());
    let short: Vec<SpanSpec> = (100..120).map(|id| spec(2, id)).collect();
    assert!(send(&machine, &encode(&short)).is_ok());
    let trace = |number| {
        machine
            .engine()
            .trace(&tenant(0), TraceId(ids().trace(number)))
    };
    for is_merged in [false, true] {
        assert!(machine.freeze(true));
        assert!(!is_merged || machine.finalise(When::NOW));
        let refusal = trace(1).unwrap_err().to_string();
        assert!(refusal.contains("query.answer_bytes_max"), "{refusal}");
        assert_eq!(trace(2).unwrap().spans.len(), 20);
        // It is counted all the same.
        let found = machine
            .engine()
            .search(&everything(&tenant(0)), &|| false)
            .unwrap();
        let spans: Vec<u64> = found.traces.iter().map(|hit| hit.spans).collect();
        assert!(spans.contains(&39) && spans.contains(&20), "{spans:?}");
    }
}

#[test]
fn a_trace_that_takes_more_than_it_may_is_refused_and_others_are_read() {
    let mut machine = Machine::new();
    machine.kill();
    machine.options.trace_bytes_max = 4_000;
    machine.open().unwrap();
    let long: Vec<SpanSpec> = (1..40).map(|id| spec(1, id)).collect();
    assert!(send(&machine, &encode(&long)).is_ok());
    send_spec(&machine, &spec(2, 77));
    let refusal = |machine: &Machine| {
        let id = TraceId(ids().trace(1));
        machine
            .engine()
            .trace(&tenant(0), id)
            .unwrap_err()
            .to_string()
    };
    assert!(refusal(&machine).contains("4000 bytes"));
    assert!(machine.freeze(true) && machine.finalise(crate::finalise::When::NOW));
    assert!(refusal(&machine).contains("4000 bytes"));
    assert_eq!(spans_of(machine.engine(), 2), 1);
}

#[test]
fn a_trace_that_is_too_long_to_be_read_is_seen_from_afar() {
    let mut machine = Machine::new();
    machine.kill();
    machine.options.trace_bytes_max = 1_000;
    machine.open().unwrap();
    // Two services, a failure in each, and two spans at the top: one lacks its parent.
    let specs: Vec<SpanSpec> = (1..15)
        .map(|id| SpanSpec {
            parent: [id / 2, 99][usize::from(id == 7)],
            service: usize::from(id > 10),
            name: usize::from(id % 2 == 1),
            is_error: id == 5 || id == 12,
            ..spec(1, id)
        })
        .collect();
    assert!(send(&machine, &encode(&specs)).is_ok());
    send_spec(&machine, &spec(2, 77));
    for is_merged in [false, true] {
        assert!(machine.freeze(true));
        assert!(!is_merged || machine.finalise(When::NOW));
        let id = TraceId(ids().trace(1));
        assert!(machine.engine().trace(&tenant(0), id).is_err());
        let seen = machine.engine().facts(&tenant(0), &[id], &|| false);
        let seen = seen.unwrap().facts.remove(0);
        let root = seen.root.unwrap();
        assert_eq!(
            (root.service.as_str(), root.name.as_str()),
            ("shop", "POST /cart")
        );
        let services: Vec<_> = seen
            .services
            .iter()
            .map(|s| (s.service.as_str(), s.spans, s.errors))
            .collect();
        assert_eq!(services, [("cart", 4, 1), ("shop", 10, 1)]);
        assert_eq!((seen.spans, seen.errors, seen.is_complete), (14, 2, false));
        assert_eq!(seen.alike, u64::from(is_merged));
    }
}
