//! Searches for spans: one test for each thing that must not be got wrong. Random layouts are in `exactness`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use journal::SimFiles;
use model::contract::{Order, SpanReader, Window};
use model::{CountRequest, Predicate, SpanPosition, SpanSearchAnswer, SpanSearchRequest, TenantId};
use rand::rngs::SmallRng;
use testkit::oracle::OracleStore;

use super::machine::{Machine, START, open_on, send, spec};
use super::questions;
use super::traffic::{SpanSpec, encode, tenant};
use super::truth::now;
use crate::engine::Engine;

const SECOND: u64 = 1_000_000_000;

fn ask(engine: &Engine, request: &SpanSearchRequest) -> SpanSearchAnswer {
    let answer = engine.search_spans(request, &|| false).unwrap();
    assert_eq!(answer.skipped, [], "{request:?}");
    assert_eq!(answer.positions.len(), answer.spans.len());
    answer
}

/// What the spans of an answer hold, in its order.
fn contents(answer: &SpanSearchAnswer) -> Vec<u64> {
    let rows = 0..answer.spans.len();
    rows.map(|row| answer.spans.span_hash(row)).collect()
}

/// Asks both for the first spans, page by page.
pub(super) fn compare_first_spans(
    engine: &Engine,
    oracle: &OracleStore,
    tenant: &TenantId,
    rng: &mut SmallRng,
) {
    let of_traces = questions::random(rng, tenant);
    let mut request = SpanSearchRequest {
        tenant: of_traces.tenant,
        predicate: of_traces.predicate,
        window: of_traces.window,
        order: of_traces.order,
        limit: of_traces.limit,
        after: None,
    };
    for _ in 0..6 {
        let wanted = now(oracle.search_spans(request.clone())).unwrap();
        let told = ask(engine, &request);
        assert_eq!(told.positions, wanted.positions, "{request:?}");
        assert_eq!(contents(&told), contents(&wanted), "{request:?}");
        assert_eq!(told.has_more, wanted.has_more, "{request:?}");
        request.after = told.positions.last().copied();
        if !told.has_more {
            break;
        }
    }
}

fn first(order: Order, limit: usize, after: Option<SpanPosition>) -> SpanSearchRequest {
    SpanSearchRequest {
        tenant: tenant(0),
        predicate: Predicate::All,
        window: Window::ALWAYS,
        order,
        limit,
        after,
    }
}

fn uids(answer: &SpanSearchAnswer) -> Vec<String> {
    answer.spans.iter().map(questions::uid_of).collect()
}

fn at(trace: u64, id: u64, second: u64, millis: u64) -> SpanSpec {
    SpanSpec {
        start: START + second * SECOND,
        lasting: millis * 1_000_000,
        ..spec(trace, id)
    }
}

#[test]
fn spans_come_by_their_own_start_and_duration_whatever_trace_they_are_of() {
    let machine = Machine::new();
    // The slowest trace has no slow span.
    let spans = [
        at(1, 1, 0, 10),
        at(1, 2, 9, 20),
        at(2, 3, 4, 300),
        at(2, 4, 5, 1),
        at(3, 5, 2, 40),
    ];
    for (round, part) in spans.chunks(2).enumerate() {
        send(&machine, &encode(part)).unwrap();
        assert!(round > 1 || machine.freeze(true));
    }
    let newest = ask(machine.engine(), &first(Order::NewestFirst, 10, None));
    assert_eq!(uids(&newest), ["uid-2", "uid-4", "uid-3", "uid-5", "uid-1"]);
    let slowest = ask(machine.engine(), &first(Order::SlowestFirst, 3, None));
    assert_eq!(uids(&slowest), ["uid-3", "uid-5", "uid-2"]);
    assert!(slowest.has_more);
    let after = slowest.positions.last().copied();
    let rest = ask(machine.engine(), &first(Order::SlowestFirst, 3, after));
    assert_eq!(uids(&rest), ["uid-1", "uid-4"]);
    assert!(!rest.has_more);
}

#[test]
fn pages_of_spans_that_are_alike_in_all_but_what_they_hold_give_each_once() {
    let machine = Machine::new();
    let alike: Vec<SpanSpec> = (0..9)
        .map(|version| SpanSpec {
            version,
            ..at(1, 7, 3, 5)
        })
        .collect();
    for (round, part) in alike.chunks(4).enumerate() {
        send(&machine, &encode(part)).unwrap();
        // The first of them once more: it is known by what it holds.
        send(&machine, &encode(&alike[..1])).unwrap();
        assert!(round > 1 || machine.freeze(true));
        machine.clock.advance(Duration::from_secs(700));
    }
    for order in [Order::NewestFirst, Order::SlowestFirst] {
        let (mut after, mut seen) = (None, Vec::new());
        let all = ask(machine.engine(), &first(order, 10, None));
        for _ in 0..9 {
            let page = ask(machine.engine(), &first(order, 2, after));
            assert!(page.spans.len() <= 2);
            seen.extend(contents(&page));
            after = page.positions.last().copied();
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen.len(), 9, "{order:?}");
        assert_eq!(seen, contents(&all), "{order:?}");
    }
}

#[test]
fn where_a_segment_is_damaged_the_first_spans_are_those_of_all_others() {
    let machine = Machine::new();
    send(&machine, &encode(&[at(1, 1, 0, 10), at(2, 2, 1, 20)])).unwrap();
    assert!(machine.freeze(true));
    let paths = |files: &SimFiles| -> BTreeSet<PathBuf> {
        files.paths().into_iter().map(|(path, _)| path).collect()
    };
    let before = paths(&machine.files);
    // The first in either order; it is known to be damaged only when the damaged part is read.
    let of_damaged: Vec<SpanSpec> = (3..40).map(|n| at(n, n, 50 + n, 900 + n)).collect();
    send(&machine, &encode(&of_damaged)).unwrap();
    assert!(machine.freeze(true));
    let is_of_segment = |path: &&PathBuf| path.starts_with("/data/seg") && !before.contains(*path);
    let (mut damaged, mut late) = (0, 0);
    for path in paths(&machine.files).iter().filter(is_of_segment) {
        let len = machine.files.read_file(path).unwrap().len() as u64;
        for byte in (0..len).step_by(11) {
            let files = machine.files.copy();
            files.flip_bit(path, byte, 3).unwrap();
            let engine = open_on(&files, &machine.clock, &machine.options).unwrap();
            for order in [Order::NewestFirst, Order::SlowestFirst] {
                let answer = engine
                    .search_spans(&first(order, 1, None), &|| false)
                    .unwrap();
                let is_damaged = !answer.skipped.is_empty();
                let wanted = if is_damaged { "uid-2" } else { "uid-39" };
                assert_eq!(
                    uids(&answer),
                    [wanted],
                    "{order:?}, byte {byte} of {path:?}"
                );
                assert!(answer.has_more);
                damaged += u32::from(is_damaged);
                // What counts spans does not read all columns.
                let count = CountRequest {
                    tenant: tenant(0),
                    predicate: Predicate::All,
                    window: Window::ALWAYS,
                };
                let is_counted = engine.count(&count, &|| false).unwrap().skipped.is_empty();
                late += u32::from(is_damaged && is_counted);
            }
        }
    }
    assert!(damaged > 20 && late > 5, "{damaged} {late}");
}
