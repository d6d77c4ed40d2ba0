//! Tail sampling: whole traces stay or leave by the word of a judge, step by step.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{Fault, FaultScope};
use model::TraceId;
use model::contract::{DependencyLink, TraceJudge, Verdict, WholeTrace, Window};
use model::rates::{RatesOf, RatesRequest};

use super::finalise::{levels_of, places_in, spec, write_to};
use super::machine::{Machine, START, links, options, spans_of};
use super::traffic::{SpanSpec, ids, tenant};
use crate::engine::lock;
use crate::finalise::When;
use crate::options::StoreOptions;
use crate::segment::Level;

/// Keeps what has an error, as the policy `errors` says; drops the rest by `rest`. Remembers what it was asked.
#[derive(Debug, Default)]
struct Errors {
    asked: Mutex<BTreeMap<TraceId, Vec<usize>>>,
}

impl TraceJudge for Errors {
    fn policies(&self) -> Vec<String> {
        vec!["errors".to_owned(), "rest".to_owned()]
    }

    fn judge(&self, trace: &WholeTrace<'_>) -> Verdict {
        let mut asked = lock(&self.asked);
        asked
            .entry(trace.trace_id)
            .or_default()
            .push(trace.rows.len());
        let mut spans = trace.rows.iter().map(|row| trace.spans.span(*row).unwrap());
        assert!(spans.clone().all(|span| span.trace_id() == trace.trace_id));
        let is_kept = spans.any(|span| span.status() == 2);
        let policy = usize::from(!is_kept);
        Verdict { is_kept, policy }
    }
}

fn judged() -> (Machine, Arc<Errors>) {
    let judge = Arc::new(Errors::default());
    let machine = Machine::with(StoreOptions {
        judge: Some(Arc::<Errors>::clone(&judge)),
        ..options()
    });
    (machine, judge)
}

fn id(trace: u64) -> TraceId {
    TraceId(ids().trace(trace))
}

/// A span that failed.
fn failed(trace: u64, id: u64, parent: u64) -> SpanSpec {
    SpanSpec {
        is_error: true,
        ..spec(trace, id, parent)
    }
}

/// Writes some spans into a segment of their own.
fn segment(machine: &Machine, specs: &[SpanSpec]) {
    write_to(machine.engine(), specs);
    assert!(machine.freeze(true));
}

/// Two segments with halves of the traces 1 to 20, of which every fifth has an error in its second half.
fn halves(machine: &Machine) {
    let first = (1..=20u64).map(|trace| spec(trace, trace * 10, 0));
    segment(machine, &first.collect::<Vec<_>>());
    let second = (1..=20u64).map(|trace| SpanSpec {
        is_error: trace.is_multiple_of(5),
        ..spec(trace, trace * 10 + 1, trace * 10)
    });
    segment(machine, &second.collect::<Vec<_>>());
}

fn rates(machine: &Machine, of: RatesOf) -> Vec<model::rates::RateSeries> {
    let request = RatesRequest {
        tenant: tenant(0),
        of,
        window: Window::ALWAYS,
        step_nanos: 0,
        services: Vec::new(),
        kinds: Vec::new(),
        by_operation: of == RatesOf::Operations,
        by_kind: true,
        with_examples: true,
    };
    let answer = machine.engine().rates(&request, &|| false).unwrap();
    assert_eq!(answer.skipped, []);
    let mut series = answer.series;
    for point in series.iter_mut().flat_map(|series| &mut series.points) {
        (point.timed_spans, point.own, point.critical) = (0, 0, 0);
        (point.slowest, point.failed) = (None, None);
    }
    series
}

#[test]
fn whole_traces_stay_or_leave_and_each_is_judged_once() {
    let (mut machine, judge) = judged();
    halves(&machine);
    assert!(lock(&judge.asked).is_empty(), "nothing is judged in parts");
    assert!((1..=20).all(|trace| spans_of(machine.engine(), trace) == 2));
    assert!(machine.finalise(When::NOW));
    let all: BTreeMap<TraceId, Vec<usize>> = (1..=20).map(|trace| (id(trace), vec![2])).collect();
    assert_eq!(*lock(&judge.asked), all);
    for _ in 0..2 {
        for trace in 1..=20u64 {
            let wanted = if trace.is_multiple_of(5) { 2 } else { 0 };
            assert_eq!(spans_of(machine.engine(), trace), wanted, "trace {trace}");
        }
        machine.check_files(true);
        let stats = crate::stats::Stats::of(machine.engine());
        assert_eq!((stats.segments, stats.segment_spans), (1, 8));
        assert_eq!(stats.levels["dropped"].spans, 32);
        assert_eq!(stats.unread_segments, 0);
        machine.restart();
    }
    // Nothing is left to do, and nothing is asked again.
    assert!(!machine.engine().finalise(When::NOW, &|| false).unwrap());
    assert_eq!(lock(&judge.asked).len(), 20);
}

#[test]
fn verdicts_are_counted_by_policy_and_what_was_stored_is_kept_or_dropped() {
    let (machine, _) = judged();
    halves(&machine);
    assert!(machine.finalise(When::NOW));
    let metrics = &machine.engine().metrics;
    assert_eq!(metrics.judged("errors", "kept"), (4, 8));
    assert_eq!(metrics.judged("rest", "dropped"), (16, 32));
    let there = crate::stats::Stats::brief(machine.engine()).segment_spans;
    assert_eq!(metrics.stored_spans.get(), there + 32);
}

#[test]
fn what_comes_late_follows_the_verdict_also_after_a_start() {
    let (mut machine, judge) = judged();
    halves(&machine);
    assert!(machine.finalise(When::NOW));
    machine.restart();
    // The error would have kept trace 1, the missing one dropped trace 5.
    segment(&machine, &[failed(1, 500, 10), spec(5, 501, 50)]);
    assert_eq!(spans_of(machine.engine(), 1), 1, "until it is merged");
    assert!(machine.finalise(When::NOW));
    let spans = |trace| spans_of(machine.engine(), trace);
    assert_eq!((spans(1), spans(5)), (0, 3));
    assert_eq!(lock(&judge.asked)[&id(1)], [2]);
    assert_eq!(lock(&judge.asked)[&id(5)], [2]);
    let metrics = &machine.engine().metrics;
    assert_eq!(metrics.judged("(late)", "dropped"), (0, 1));
    assert_eq!(metrics.judged("(late)", "kept"), (0, 1));
    // And what comes later still.
    segment(&machine, &[failed(1, 502, 10)]);
    machine.restart();
    assert!(machine.finalise(When::NOW));
    assert_eq!(spans_of(machine.engine(), 1), 0);
}

#[test]
fn rates_are_those_of_all_that_came_and_the_services_stay_known() {
    let (mut machine, _) = judged();
    halves(&machine);
    let operations = rates(&machine, RatesOf::Operations);
    let services = machine.engine().services(&tenant(0));
    let minute = START / 60_000_000_000 * 60_000_000_000;
    let within = Window {
        start: minute,
        end: minute + 59_999_999_999,
    };
    let called = links(machine.engine(), &tenant(0), within);
    assert!(!called.is_empty());
    assert!(machine.finalise(When::NOW));
    for _ in 0..2 {
        assert_eq!(links(machine.engine(), &tenant(0), within), called);
        let later = Window {
            start: minute + 1,
            ..within
        };
        let kept = links(machine.engine(), &tenant(0), later);
        let all = |links: &[DependencyLink]| links.iter().map(|link| link.calls).sum::<u64>();
        assert_eq!((all(&called), all(&kept)), (20, 4));
        assert_eq!(rates(&machine, RatesOf::Operations), operations);
        assert_eq!(machine.engine().services(&tenant(0)), services);
        let calls = rates(&machine, RatesOf::Calls);
        let calls = calls.iter().flat_map(|series| &series.points);
        assert_eq!(calls.map(|point| point.spans).sum::<u64>(), 20);
        machine.restart();
    }
}

#[test]
fn a_slice_of_which_nothing_stays_leaves_its_counts_alone() {
    let (mut machine, _) = judged();
    segment(&machine, &[spec(1, 10, 0), spec(2, 20, 0)]);
    let before = rates(&machine, RatesOf::Operations);
    assert!(machine.finalise(When::NOW));
    assert_eq!(levels_of(machine.engine()), []);
    // A list that is lost is made again from what lies there.
    machine.kill();
    for path in machine.paths() {
        if path.starts_with("/data/manifest") {
            machine.files.write_file(&path, b"nonsense");
        }
    }
    machine.restart();
    assert_eq!(levels_of(machine.engine()), []);
    assert_eq!(spans_of(machine.engine(), 1), 0);
    assert_eq!(rates(&machine, RatesOf::Operations), before);
    segment(&machine, &[failed(2, 21, 20)]);
    assert!(machine.finalise(When::NOW));
    assert_eq!(spans_of(machine.engine(), 2), 0);
}

#[test]
fn a_pinned_trace_is_not_dropped_whenever_it_was_pinned() {
    let (machine, judge) = judged();
    halves(&machine);
    assert!(machine.engine().pin(&tenant(0), id(3)).unwrap());
    // Seven traces are a row group: when the second is begun, the first was judged.
    let asked = std::cell::Cell::new(0);
    let pin_later = || {
        asked.set(asked.get() + 1);
        if asked.get() == 2 {
            assert!(lock(&judge.asked).contains_key(&id(1)));
            assert!(machine.engine().pin(&tenant(0), id(1)).unwrap());
        }
        false
    };
    assert!(machine.engine().finalise(When::NOW, &pin_later).unwrap());
    assert_eq!(levels_of(machine.engine()), [Level::Fresh; 2]);
    assert!(machine.finalise(When::NOW));
    let spans = |trace| spans_of(machine.engine(), trace);
    assert_eq!((spans(1), spans(2), spans(3)), (2, 0, 2));
    assert_eq!(machine.engine().metrics.judged("(pinned)", "kept"), (2, 4));
    // Later it is not judged either: it was kept.
    assert!(machine.engine().unpin(&tenant(0), id(3)).unwrap());
    segment(&machine, &[spec(3, 500, 30)]);
    assert!(machine.finalise(When::NOW));
    assert_eq!(spans_of(machine.engine(), 3), 3);
}

#[test]
fn a_trace_that_goes_on_is_judged_when_it_is_whole() {
    let (mut machine, judge) = judged();
    let ending = (1..=30u64).map(|trace| spec(trace, trace * 10, 0));
    segment(&machine, &ending.collect::<Vec<_>>());
    segment(&machine, &[spec(100, 1, 0), failed(31, 310, 0)]);
    write_to(machine.engine(), &[failed(100, 2, 1)]);
    machine.clock.advance(Duration::from_secs(46));
    assert!(machine.engine().finalise(When::Due, &|| false).unwrap());
    assert_eq!(levels_of(machine.engine()), [Level::Merged, Level::Open]);
    assert!(!lock(&judge.asked).contains_key(&id(100)));
    assert_eq!(spans_of(machine.engine(), 100), 2);
    machine.restart();
    assert!(machine.freeze(true));
    assert!(machine.finalise(When::NOW));
    assert_eq!(lock(&judge.asked)[&id(100)], [2]);
    assert_eq!(places_in(machine.engine(), 100), [(Level::Merged, 2)]);
}

#[test]
fn a_trace_too_long_for_a_row_group_stays_unjudged() {
    let (machine, judge) = judged();
    for part in 0..2u64 {
        let specs = (0..10).map(|n| spec(1, part * 10 + n + 1, 0));
        segment(&machine, &specs.collect::<Vec<_>>());
    }
    assert!(machine.finalise(When::NOW));
    assert_eq!(spans_of(machine.engine(), 1), 20);
    assert!(lock(&judge.asked).is_empty());
    assert_eq!(machine.engine().metrics.judged("(long)", "kept"), (1, 20));
}

#[test]
fn verdicts_are_forgotten_with_what_came_at_the_same_time() {
    let (machine, _) = judged();
    halves(&machine);
    assert!(machine.finalise(When::NOW));
    machine.clock.advance(Duration::from_secs(3601));
    assert_eq!(machine.engine().expire().unwrap(), 2);
    assert!(rates(&machine, RatesOf::Operations).is_empty());
    assert_eq!(machine.engine().services(&tenant(0)), [""; 0]);
    let removed = machine.engine().metrics.removed_spans.get();
    assert_eq!(removed, 8, "the dropped ones were gone");
    machine.check_files(true);
    segment(&machine, &[failed(1, 500, 10)]);
    assert!(machine.finalise(When::NOW));
    assert_eq!(spans_of(machine.engine(), 1), 1);
}

#[test]
fn what_comes_more_than_a_day_later_is_judged_by_itself() {
    let judge = Arc::new(Errors::default());
    let machine = Machine::with(StoreOptions {
        judge: Some(Arc::<Errors>::clone(&judge)),
        retention_age: Duration::from_secs(30 * 24 * 3600),
        ..options()
    });
    halves(&machine);
    assert!(machine.finalise(When::NOW));
    machine.clock.advance(Duration::from_secs(24 * 3600));
    segment(&machine, &[failed(1, 500, 10), spec(5, 501, 50)]);
    assert!(machine.finalise(When::NOW));
    let spans = |trace| spans_of(machine.engine(), trace);
    assert_eq!((spans(1), spans(5)), (0, 3));
    machine.clock.advance(Duration::from_secs(24 * 3600 + 1));
    segment(&machine, &[failed(1, 502, 10), spec(10, 503, 100)]);
    assert!(machine.finalise(When::NOW));
    assert_eq!((spans(1), spans(10)), (1, 2));
    assert_eq!(lock(&judge.asked)[&id(1)], [2, 1]);
}

#[test]
fn what_is_remembered_and_damaged_is_found_and_costs_no_span() {
    let (mut machine, _) = judged();
    halves(&machine);
    assert!(machine.finalise(When::NOW));
    let is_dropped = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with('d') && name.ends_with(".tix")
    };
    let path = machine.paths().into_iter().find(is_dropped).unwrap();
    machine.kill();
    for byte in 40..300 {
        // Shorter ones have no such byte.
        drop(machine.files.flip_bit(&path, byte, 1));
    }
    machine.restart();
    assert!(!machine.engine().findings.is_empty());
    machine.engine().scrub(u64::MAX);
    assert!(machine.engine().metrics.damaged_segments.get() > 0);
    assert_eq!(spans_of(machine.engine(), 5), 2);
    segment(&machine, &[spec(5, 500, 50), spec(40, 400, 0)]);
    assert!(machine.finalise(When::NOW));
    let spans = |trace| spans_of(machine.engine(), trace);
    assert_eq!((spans(5), spans(40)), (3, 0));
}

/// Whatever operation fails while a slice is merged, traces are whole, those that stay are there, and the counts of all
/// are the same before and after.
fn sweep(fault: Fault, scope: FaultScope, is_power_cut: bool) {
    for nth in 1.. {
        assert!(nth < 1_000, "the merge does not end");
        let (mut machine, _) = judged();
        halves(&machine);
        let operations = rates(&machine, RatesOf::Operations);
        let before = machine.files.operations();
        machine.files.fail_operation(nth, fault, scope);
        machine.finalise(When::NOW);
        let is_untouched = machine.files.operations() - before < nth;
        machine.files.clear_faults();
        let look = |machine: &Machine, is_done: bool, what: &str| {
            for trace in 1..=20u64 {
                let spans = spans_of(machine.engine(), trace);
                let stays = trace.is_multiple_of(5);
                let is_right = spans == 2 || spans == 0 && !stays;
                let of = format!("operation {nth}, power cut: {is_power_cut}, {what}");
                assert!(is_right, "{spans} spans of trace {trace}: {of}");
                assert!(!is_done || (spans == 2) == stays, "trace {trace}: {of}");
            }
            assert_eq!(rates(machine, RatesOf::Operations), operations);
        };
        look(&machine, is_untouched, "after the failure");
        if is_power_cut {
            machine.cut_power(nth);
        } else {
            machine.kill();
        }
        machine.open().unwrap();
        machine.check_files(true);
        look(&machine, is_untouched, "after a start");
        assert!(machine.finalise(When::NOW));
        look(&machine, true, "at last");
        machine.restart();
        machine.check_files(true);
        look(&machine, true, "after another start");
        if is_untouched {
            break;
        }
    }
}

#[test]
fn whatever_operation_fails_no_trace_stays_by_half() {
    sweep(Fault::IO, FaultScope::Once, false);
    sweep(Fault::IO, FaultScope::Once, true);
    sweep(Fault::IO, FaultScope::Forever, true);
    sweep(Fault::FULL, FaultScope::Forever, false);
}
