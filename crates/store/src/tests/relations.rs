//! Numbers of spans, kin of spans, the slowest traces, and what a question may cost: one test for each thing that must
//! not be got wrong. Random layouts are in `exactness`.

use std::time::Duration;

use model::contract::{Order, SearchRequest, Window};
use model::{
    CountAnswer, CountRequest, Field, Literal, Operator, Predicate, Relation, Structure,
    StructureAnswer, StructureRequest, TraceId,
};

use super::machine::{Machine, START, options, send, send_spec, spec};
use super::questions::{self, is_uid};
use super::traffic::{SpanSpec, encode, ids, tenant};
use crate::finalise::When;
use crate::options::StoreOptions;

const SECOND: u64 = 1_000_000_000;

fn count(machine: &Machine, predicate: Predicate) -> CountAnswer {
    let request = CountRequest {
        tenant: tenant(0),
        predicate,
        window: Window::ALWAYS,
    };
    machine.engine().count(&request, &|| false).unwrap()
}

fn spans_and_traces(machine: &Machine) -> (u64, u64) {
    let answer = count(machine, Predicate::All);
    assert_eq!(answer.skipped, []);
    (answer.spans, answer.traces)
}

fn structure(left: Predicate, relation: Relation, right: Predicate) -> StructureRequest {
    StructureRequest {
        tenant: tenant(0),
        structure: Structure {
            left,
            relation,
            right,
        },
        window: Window::ALWAYS,
        limit: 10,
        after: None,
    }
}

fn find(
    machine: &Machine,
    left: Predicate,
    relation: Relation,
    right: Predicate,
) -> StructureAnswer {
    let request = structure(left, relation, right);
    let answer = machine
        .engine()
        .find_structure(&request, &|| false)
        .unwrap();
    assert_eq!(answer.skipped, []);
    answer
}

fn uid(id: u64) -> Predicate {
    is_uid(&format!("uid-{id}"))
}

/// The numbers of the spans that stand in a relation to one, among those up to a number.
fn kin(machine: &Machine, of: u64, relation: Relation, up_to: u64) -> Vec<u64> {
    let is_found = |id: &u64| {
        let answer = find(machine, uid(of), relation, uid(*id));
        assert_eq!(answer.traces.len() as u64, answer.all_traces);
        answer.all_spans == 1
    };
    (1..=up_to).filter(is_found).collect()
}

fn child(trace: u64, id: u64, parent: u64) -> SpanSpec {
    SpanSpec {
        parent,
        ..spec(trace, id)
    }
}

#[test]
fn a_span_that_is_sent_again_counts_once_wherever_it_lies() {
    let machine = Machine::new();
    let otlp = encode(&[spec(1, 1), child(1, 2, 1), spec(2, 3)]);
    for round in 0..3 {
        send(&machine, &otlp).unwrap();
        assert_eq!(
            spans_and_traces(&machine),
            (3, 2),
            "round {round}, in a head"
        );
        assert!(machine.freeze(true));
        assert_eq!(spans_and_traces(&machine), (3, 2), "round {round}, frozen");
        // Repeats are not known as such any more.
        machine.clock.advance(Duration::from_secs(700));
    }
    // Other content under the same ids is another span.
    send_spec(
        &machine,
        &SpanSpec {
            version: 1,
            ..spec(2, 3)
        },
    );
    assert_eq!(spans_and_traces(&machine), (4, 2));
    assert!(machine.freeze(true) && machine.finalise(When::NOW));
    assert_eq!(spans_and_traces(&machine), (4, 2));
    send(&machine, &otlp).unwrap();
    assert_eq!(spans_and_traces(&machine), (4, 2));
    let none = count(&machine, Predicate::Or(Vec::new()));
    assert_eq!((none.spans, none.traces), (0, 0));
}

#[test]
fn kin_is_found_whatever_segments_and_heads_a_trace_lies_in() {
    let machine = Machine::new();
    let tree = [
        child(1, 5, 3),
        spec(1, 1),
        child(1, 2, 1),
        child(1, 3, 1),
        child(1, 4, 2),
    ];
    let check = |when: &str| {
        assert_eq!(
            kin(&machine, 1, Relation::Descendant, 5),
            [2, 3, 4, 5],
            "{when}"
        );
        assert_eq!(kin(&machine, 1, Relation::Child, 5), [2, 3], "{when}");
        assert_eq!(kin(&machine, 5, Relation::Ancestor, 5), [1, 3], "{when}");
        assert_eq!(kin(&machine, 5, Relation::Parent, 5), [3], "{when}");
        assert_eq!(kin(&machine, 2, Relation::Sibling, 5), [3], "{when}");
        let all = find(
            &machine,
            Predicate::All,
            Relation::Descendant,
            Predicate::All,
        );
        assert_eq!((all.all_spans, all.all_traces), (4, 1), "{when}");
        assert_eq!(all.traces[0].spans, 5, "{when}");
    };
    for (at, span) in tree.iter().enumerate() {
        send_spec(&machine, span);
        if at != 2 && at != 4 {
            assert!(machine.freeze(true));
        }
    }
    check("in segments and a head");
    assert!(machine.freeze(true));
    check("in segments");
    assert!(machine.finalise(When::NOW));
    check("merged");
}

#[test]
fn a_span_is_no_sibling_of_itself() {
    let machine = Machine::new();
    send(
        &machine,
        &encode(&[spec(1, 1), child(1, 2, 1), child(1, 3, 1), child(1, 4, 2)]),
    )
    .unwrap();
    for when in ["in a head", "in a segment"] {
        let all = find(&machine, Predicate::All, Relation::Sibling, Predicate::All);
        assert_eq!(all.all_spans, 2, "{when}");
        assert_eq!(kin(&machine, 2, Relation::Sibling, 4), [3], "{when}");
        assert_eq!(kin(&machine, 4, Relation::Sibling, 4), [0; 0], "{when}");
        assert!(machine.freeze(true));
    }
}

#[test]
fn parents_that_go_round_in_a_circle_are_above_each_other() {
    let machine = Machine::new();
    let circle = [
        child(1, 1, 3),
        child(1, 2, 1),
        child(1, 3, 2),
        child(1, 4, 2),
        child(1, 5, 5),
    ];
    send(&machine, &encode(&circle)).unwrap();
    for when in ["in a head", "in a segment"] {
        assert_eq!(
            kin(&machine, 1, Relation::Descendant, 5),
            [2, 3, 4],
            "{when}"
        );
        assert_eq!(kin(&machine, 4, Relation::Ancestor, 5), [1, 2, 3], "{when}");
        assert_eq!(kin(&machine, 1, Relation::Parent, 5), [3], "{when}");
        assert_eq!(kin(&machine, 5, Relation::Child, 5), [0; 0], "{when}");
        assert!(machine.freeze(true));
    }
}

#[test]
fn the_slowest_traces_are_the_slowest_of_all_page_by_page() {
    let machine = Machine::with(StoreOptions {
        head_spans_max: 100,
        finalise_spans_max: 300,
        ..options()
    });
    // More than a round looks at; the longest don't match, and few others do.
    let mut wanted: Vec<(u64, TraceId)> = Vec::new();
    for trace in 1..=600u64 {
        let lasting = trace * 7919 % 601 * SECOND / 4;
        let is_error = lasting < 100 * SECOND && trace % 5 == 0;
        let span = SpanSpec {
            lasting,
            is_error,
            start: START + trace,
            ..spec(trace, trace)
        };
        send_spec(&machine, &span);
        if is_error {
            wanted.push((lasting, TraceId(ids().trace(trace))));
        }
        if trace % 90 == 0 {
            assert!(machine.freeze(true));
        }
    }
    assert!(machine.finalise(When::NOW));
    wanted.sort_by_key(|(lasting, id)| (std::cmp::Reverse(*lasting), *id));
    let failed = Predicate::Compare(Field::Status, Operator::Equal, Literal::Int(2));
    let mut request = SearchRequest {
        order: Order::SlowestFirst,
        limit: 3,
        ..questions::all(&tenant(0), failed)
    };
    for page in wanted.chunks(3).take(20) {
        let answer = machine.engine().search(&request, &|| false).unwrap();
        let found = answer
            .traces
            .iter()
            .map(|hit| (hit.duration(), hit.trace_id));
        assert_eq!(found.collect::<Vec<_>>(), page);
        assert!(answer.has_more);
        request.after = answer.traces.last().map(|hit| hit.position(request.order));
    }
}

#[test]
fn a_question_that_looked_at_as_much_as_it_may_says_so() {
    let machine = Machine::with(StoreOptions {
        question_rows_max: 40,
        ..options()
    });
    for trace in 1..=30 {
        send_spec(&machine, &spec(trace, trace));
        if trace % 10 == 0 {
            assert!(machine.freeze(true));
        }
    }
    let search = |order, predicate| {
        let request = SearchRequest {
            order,
            limit: 100,
            ..questions::all(&tenant(0), predicate)
        };
        machine.engine().search(&request, &|| false).unwrap()
    };
    assert_eq!(spans_and_traces(&machine), (30, 30));
    assert_eq!(search(Order::NewestFirst, Predicate::All).skipped, []);
    // Ids of spans are judged row by row, which is dear.
    let is_one = Predicate::Compare(
        Field::SpanId,
        Operator::Equal,
        Literal::SpanId(model::SpanId(ids().span(30))),
    );
    let says_so = |skipped: &[model::contract::Skipped]| {
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert!(
            skipped[0].why.contains("may look at 40 rows"),
            "{skipped:?}"
        );
    };
    says_so(&count(&machine, is_one.clone()).skipped);
    for order in [Order::NewestFirst, Order::SlowestFirst] {
        says_so(&search(order, is_one.clone()).skipped);
    }
    let request = structure(Predicate::All, Relation::Child, Predicate::All);
    let answer = machine
        .engine()
        .find_structure(&request, &|| false)
        .unwrap();
    says_so(&answer.skipped);
    let cancelled = machine.engine().find_structure(&request, &|| true);
    assert!(cancelled.is_err());
}
