//! All that matches from afar: one test for each thing that must not be got wrong. Random layouts are in `exactness`.

use std::cell::Cell as Counter;
use std::time::Duration;

use model::contract::{ReadError, SpanReader, Window};
use model::overview::FacetAnswer;
use model::{Field, OverviewAnswer, OverviewOf, OverviewRequest, Place, SpanId, TraceId};
use testkit::oracle::OracleStore;
use testkit::spans::request;

use super::machine::{Machine, START, options, send, send_spec, spec};
use super::questions::{self, attribute};
use super::traffic::{SpanSpec, encode, ids, incoming, tenant};
use super::truth::now;
use crate::finalise::When;
use crate::options::StoreOptions;

const SECOND: u64 = 1_000_000_000;

fn ask(machine: &Machine, request: &OverviewRequest) -> OverviewAnswer {
    let answer = machine.engine().overview(request, &|| false).unwrap();
    assert_eq!(answer.skipped, []);
    answer
}

fn all_of(of: OverviewOf) -> OverviewRequest {
    OverviewRequest {
        window: Window {
            start: START,
            end: START + 100 * SECOND - 1,
        },
        ..questions::all_of(&tenant(0), of)
    }
}

fn values(facet: &FacetAnswer) -> Vec<(&str, u64, u64)> {
    let values = facet.values.iter();
    let values = values.map(|value| (value.text.as_str(), value.count, value.errors));
    values.collect()
}

#[test]
fn a_span_that_is_sent_again_is_a_point_once_wherever_it_lies() {
    let machine = Machine::new();
    let both = encode(&[spec(1, 1), spec(1, 2), spec(2, 3)]);
    let mut request = all_of(OverviewOf::Spans);
    request.facets = vec![attribute("uid")];
    for round in 0..3 {
        send(&machine, &both).unwrap();
        for is_frozen in [false, true] {
            assert!(!is_frozen || machine.freeze(true));
            let answer = ask(&machine, &request);
            let counts = (answer.points, answer.spans, answer.facets_looked_at);
            assert_eq!(counts, (3, 3, 3), "round {round}, frozen: {is_frozen}");
            let each = [("uid-1", 1, 0), ("uid-2", 1, 0), ("uid-3", 1, 0)];
            assert_eq!(values(&answer.facets[0]), each);
        }
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
    assert_eq!(ask(&machine, &request).points, 4);
    assert!(machine.freeze(true) && machine.finalise(When::NOW));
    assert_eq!(ask(&machine, &request).points, 4);
}

#[test]
fn a_trace_that_lies_in_several_places_is_one_point_and_judged_whole() {
    let machine = Machine::new();
    // From second 1 to second 2, then on to second 9, where it fails.
    let late = SpanSpec {
        parent: 1,
        start: START + 8 * SECOND,
        is_error: true,
        ..spec(1, 2)
    };
    let mut request = all_of(OverviewOf::Traces);
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    let early = ask(&machine, &request);
    assert_eq!((early.points, early.errors), (1, 0));
    send_spec(&machine, &late);
    for is_frozen in [false, true] {
        assert!(!is_frozen || machine.freeze(true));
        for only_late in [false, true] {
            // Also where only a part of it matches.
            request.window.start = START + if only_late { 5 * SECOND } else { 0 };
            let answer = ask(&machine, &request);
            let counts = (answer.points, answer.errors, answer.spans);
            assert_eq!(counts, (1, 1, 2 - u64::from(only_late)));
            let [cell] = answer.cells.as_slice() else {
                panic!("{:?}", answer.cells);
            };
            let trace_id = TraceId(ids().trace(1));
            assert_eq!(cell.slowest, (trace_id, SpanId::default(), 8 * SECOND));
            assert_eq!(cell.failed, Some((trace_id, SpanId::default())));
            assert_eq!(cell.step, 0);
        }
    }
}

#[test]
fn a_trace_lasts_as_long_as_all_of_it_wherever_that_lies() {
    let machine = Machine::new();
    let put = |trace, (id, parent), (start, lasting)| {
        let span = SpanSpec {
            parent,
            start: START + start * SECOND,
            lasting: lasting * SECOND,
            ..spec(trace, id)
        };
        send_spec(&machine, &span);
    };
    // Of 1, 3, 9 and 5 seconds. The third is short in each of its places, the fourth in each of its chunks.
    put(1, (1, 0), (0, 1));
    put(2, (2, 0), (0, 3));
    put(2, (3, 2), (1, 1));
    put(3, (4, 0), (0, 1));
    assert!(machine.freeze(true));
    put(3, (5, 4), (7, 1));
    assert!(machine.freeze(true));
    put(3, (6, 4), (8, 1));
    put(4, (7, 0), (0, 1));
    put(4, (8, 7), (4, 1));
    let kinds = [
        OverviewOf::Traces,
        OverviewOf::EntrySpans,
        OverviewOf::Spans,
    ];
    // Seconds, then traces, roots and servers (those of even ids), spans, and the ids of these.
    type Case<'a> = ((u64, u64), [u64; 3], &'a [u64]);
    let cases: [Case<'_>; 8] = [
        ((0, 99), [4, 6, 8], &[1, 2, 3, 4, 5, 6, 7, 8]),
        ((1, 1), [1, 1, 1], &[1]),
        ((2, 9), [3, 5, 7], &[2, 3, 4, 5, 6, 7, 8]),
        ((3, 5), [2, 3, 4], &[2, 3, 7, 8]),
        ((6, 9), [1, 2, 3], &[4, 5, 6]),
        ((9, 9), [1, 2, 3], &[4, 5, 6]),
        ((6, 8), [0, 0, 0], &[]),
        ((9, 1), [0, 0, 0], &[]),
    ];
    for place in ["heads", "segments", "one segment"] {
        assert!(place == "heads" || machine.freeze(true));
        assert!(place != "one segment" || machine.finalise(When::NOW));
        for ((shortest, longest), points, ids) in &cases {
            for (of, points) in kinds.iter().zip(points) {
                let request = OverviewRequest {
                    trace_duration: shortest * SECOND..=longest * SECOND,
                    facets: vec![attribute("uid")],
                    ..all_of(*of)
                };
                let answer = ask(&machine, &request);
                let case = format!("{shortest} to {longest} s, {of:?}, {place}");
                assert_eq!(answer.points, *points, "{case}");
                let uids: Vec<String> = ids.iter().map(|id| format!("uid-{id}")).collect();
                let told = values(&answer.facets[0]).into_iter();
                assert_eq!(
                    told.map(|value| value.0).collect::<Vec<_>>(),
                    uids,
                    "{case}"
                );
                let counts = [
                    answer.spans,
                    answer.facets_matching,
                    answer.facets_looked_at,
                ];
                assert_eq!(counts, [ids.len() as u64; 3], "{case}");
            }
        }
    }
}

#[test]
fn a_service_is_entered_by_roots_and_by_those_that_serve() {
    let machine = Machine::new();
    let child = |id| SpanSpec {
        parent: 1,
        ..spec(1, id)
    };
    // Even ones are servers, odd ones clients: one is a root, one has a parent that is nowhere.
    let lost = SpanSpec {
        parent: 99,
        ..spec(1, 7)
    };
    send(
        &machine,
        &encode(&[spec(1, 1), child(2), child(3), child(4), lost]),
    )
    .unwrap();
    for _ in 0..2 {
        let answer = ask(&machine, &all_of(OverviewOf::EntrySpans));
        assert_eq!((answer.points, answer.spans), (3, 5));
        assert!(machine.freeze(true));
    }
}

/// Spans that have a value of a key several times, at several places and of several types.
#[test]
fn a_span_counts_once_for_each_value_that_it_has() {
    let machine = Machine::with(StoreOptions {
        group_spans_max: 10,
        ..options()
    });
    let oracle = OracleStore::new();
    for round in 0..12u64 {
        let mut builder = request().seed(7).service("shop");
        builder = builder
            .resource_attr("k", "on all")
            .resource_attr("own", "r");
        builder = builder.scope("lib", if round % 2 == 0 { "1" } else { "" });
        for id in round * 10 + 1..round * 10 + 8 {
            builder = builder.span("work", |span| {
                let span = span
                    .trace(round + 1)
                    .id(id)
                    .start_ns(START + id)
                    .lasting_ns(id);
                let span = span.attr("k", format!("v{}", id % 3));
                let span = match id % 7 {
                    0 => span.attr("k", "v0").attr("k", "v1"),
                    1 => span.attr("k", "on all").attr("own", 5),
                    2 => span.event("e").event_attr("k", "v1").event_attr("k", "v1"),
                    3 => span.event("e").event("e").event("f").attr("n", 1.5),
                    4 => span.attr("n", 1).attr("n", "1").attr("n", 1),
                    5 => span
                        .link(1, 1)
                        .link_attr("k", "linked")
                        .link_attr("k", "v2"),
                    _ => span.attr("n", true),
                };
                // More keys than have a column.
                let span = span.attr(&format!("rare-{id}"), id.cast_signed());
                if id % 4 == 0 { span.error("no") } else { span }
            });
        }
        let batch = incoming(&tenant(0), &builder.encode().into());
        oracle.keep(&tenant(0), &batch.batch);
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        if round % 3 == 2 {
            assert!(machine.freeze(true));
        }
    }
    let at = |place, key: &str| Field::Attribute {
        place,
        key: key.to_owned(),
    };
    let mut request = all_of(OverviewOf::Spans);
    request.facets = vec![
        attribute("k"),
        at(Place::Span, "k"),
        at(Place::Resource, "k"),
        at(Place::Event, "k"),
        at(Place::Link, "k"),
        attribute("own"),
        attribute("n"),
        attribute("rare-3"),
        attribute("absent"),
        Field::EventName,
        Field::ScopeVersion,
        Field::StatusMessage,
    ];
    for is_merged in [false, true] {
        assert!(!is_merged || machine.freeze(true) && machine.finalise(When::NOW));
        let (told, wanted) = (
            ask(&machine, &request),
            now(oracle.overview(request.clone())),
        );
        let wanted = wanted.unwrap();
        for (told, wanted) in told.facets.iter().zip(&wanted.facets) {
            assert_eq!(told, wanted, "merged: {is_merged}");
        }
        assert_eq!(told.facets.len(), 12);
        let own = &told.facets[5];
        assert_eq!(values(own).first(), Some(&("r", 84, 18)));
        assert_eq!((told.facets[8].missing, told.facets[8].distinct), (84, 0));
    }
}

#[test]
fn facets_are_of_the_newest_where_not_all_are_looked_at() {
    let machine = Machine::new();
    for id in 1..=30 {
        send_spec(&machine, &spec(id, id));
        if id % 10 == 0 && id < 30 {
            assert!(machine.freeze(true));
        }
    }
    let mut request = all_of(OverviewOf::Spans);
    request.facets = vec![attribute("uid")];
    for (rows_max, oldest) in [(0, 31), (4, 27), (10, 21), (13, 18), (31, 1)] {
        request = OverviewRequest {
            rows_max,
            facet_values_max: 100,
            ..request
        };
        let answer = ask(&machine, &request);
        assert_eq!((answer.points, answer.facets_matching), (30, 30));
        assert_eq!(answer.facets_looked_at, rows_max.min(30));
        let mut wanted: Vec<String> = (oldest..=30).map(|id| format!("uid-{id}")).collect();
        wanted.sort();
        let told = values(&answer.facets[0]).into_iter();
        assert_eq!(told.map(|(text, ..)| text).collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn an_overview_that_looked_at_as_much_as_it_may_says_so_and_one_that_nobody_wants_ends() {
    let machine = Machine::with(StoreOptions {
        question_rows_max: 15,
        ..options()
    });
    for trace in 1..=30 {
        send_spec(&machine, &spec(trace, trace));
        if trace % 10 == 0 {
            assert!(machine.freeze(true));
        }
    }
    let mut request = all_of(OverviewOf::Spans);
    request.window = Window::ALWAYS;
    request.facets = vec![Field::Name];
    let answer = machine.engine().overview(&request, &|| false).unwrap();
    assert!(answer.spans < 30);
    assert_eq!(answer.skipped.len(), 1);
    assert!(answer.skipped[0].why.contains("may look at 15 rows"));
    for looks in 0..3u32 {
        let left = Counter::new(looks);
        let left = std::sync::Mutex::new(left);
        let is_cancelled = || {
            let left = left.lock().unwrap();
            left.replace(left.get().saturating_sub(1)) == 0
        };
        let refused = machine.engine().overview(&request, &is_cancelled);
        assert!(matches!(refused, Err(ReadError::Busy { .. })), "{looks}");
    }
    request.time_steps = 0;
    let refused = machine.engine().overview(&request, &|| false);
    assert!(matches!(refused, Err(ReadError::BadQuestion { .. })));
}
