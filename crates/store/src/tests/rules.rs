//! One test for each thing that must not be got wrong, small enough to see why it fails.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use journal::{Fault, FaultScope, Files, OpenMode};
use model::TraceId;
use model::contract::{Kept, Order, Window, WriteError};
use model::{Field, Literal, Operator};

use super::machine::{Machine, START, links, options};
use super::questions::{all, attribute};
use super::traffic::{SpanSpec, encode, ids, incoming, tenant};
use super::truth::everything;
use crate::engine::{Engine, lock};
use crate::finalise::When;
use crate::options::StoreOptions;

const SECOND: u64 = 1_000_000_000;

pub(super) fn spec(trace: u64, id: u64) -> SpanSpec {
    SpanSpec {
        trace,
        id,
        parent: 0,
        service: 0,
        name: 0,
        start: START + trace * SECOND,
        lasting: SECOND,
        version: 0,
        is_error: false,
    }
}

pub(super) fn send(machine: &Machine, otlp: &Bytes) -> Result<Kept, WriteError> {
    machine
        .engine()
        .commit(vec![incoming(&tenant(0), otlp)])
        .remove(0)
}

pub(super) fn send_spec(machine: &Machine, spec: &SpanSpec) {
    let kept = send(machine, &encode(std::slice::from_ref(spec))).unwrap();
    assert_eq!(
        kept,
        Kept {
            spans: 1,
            duplicate_spans: 0
        }
    );
}

pub(super) fn spans_of(engine: &Engine, trace: u64) -> usize {
    let answer = engine
        .trace(&tenant(0), TraceId(ids().trace(trace)))
        .unwrap();
    assert_eq!(answer.skipped, []);
    answer.spans.len()
}

fn found(machine: &Machine) -> Vec<(TraceId, u64)> {
    let answer = machine
        .engine()
        .search(&everything(&tenant(0)), &|| false)
        .unwrap();
    assert_eq!(answer.skipped, []);
    answer
        .traces
        .iter()
        .map(|hit| (hit.trace_id, hit.spans))
        .collect()
}

#[test]
fn what_was_acknowledged_can_be_found_at_once() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert_eq!(spans_of(machine.engine(), 1), 1);
    assert_eq!(found(&machine), [(TraceId(ids().trace(1)), 1)]);
    assert_eq!(machine.engine().services(&tenant(0)), ["shop"]);
}

#[test]
fn a_power_cut_right_after_a_freeze_loses_nothing() {
    for seed in 0..40 {
        let mut machine = Machine::new();
        for number in 1..5 {
            send_spec(&machine, &spec(number, number));
            assert!(machine.freeze(true));
        }
        machine.cut_power(seed);
        machine.open().unwrap();
        for number in 1..5 {
            assert_eq!(
                spans_of(machine.engine(), number),
                1,
                "seed {seed}, trace {number}"
            );
        }
    }
}

#[test]
fn the_log_is_let_go_only_when_the_list_names_the_segment() {
    // Every operation of the second freeze fails in turn, and the power is cut.
    for nth in 1..200 {
        let mut machine = Machine::with(StoreOptions {
            journal_file_bytes: 512,
            ..options()
        });
        for number in 1..4 {
            send_spec(&machine, &spec(number, number));
        }
        machine
            .files
            .fail_operation(nth, Fault::IO, FaultScope::Forever);
        let is_done = machine.freeze(true);
        machine.files.clear_faults();
        machine.cut_power(nth);
        machine.open().unwrap();
        for number in 1..4 {
            assert_eq!(
                spans_of(machine.engine(), number),
                1,
                "trace {number}, failure {nth}"
            );
        }
        if is_done {
            return;
        }
    }
    panic!("the freeze never got through");
}

#[test]
fn a_freeze_is_taken_back_whole_when_the_list_could_not_be_synced() {
    // The commit may be on the disk although its sync failed. The files that it names are then written again.
    let with_one_in_memory = |seed: u64| {
        let mut machine = Machine::new();
        // What a failed sync leaves is up to the disk, which a power cut gives another seed.
        machine.cut_power(seed);
        machine.open().unwrap();
        send_spec(&machine, &spec(1, 1));
        assert!(machine.freeze(true));
        send_spec(&machine, &spec(2, 2));
        machine
    };
    for seed in 0..400 {
        let dry = with_one_in_memory(seed);
        let before = dry.files.operations();
        assert!(dry.freeze(true));
        let log = dry.files.operation_log();
        let is_sync = |operation: &String| operation.starts_with("sync_data /data/manifest/");
        let at = log.iter().rposition(is_sync).unwrap() as u64;
        let mut machine = with_one_in_memory(seed);
        machine
            .files
            .fail_operation(at + 1 - before, Fault::IO, FaultScope::Once);
        assert!(!machine.freeze(true));
        // The second attempt is cut short somewhere.
        machine
            .files
            .fail_operation(seed % 40 + 1, Fault::IO, FaultScope::Forever);
        machine.freeze(true);
        machine.files.clear_faults();
        machine.cut_power(seed);
        machine.open().unwrap();
        assert_eq!(spans_of(machine.engine(), 1), 1, "seed {seed}");
        assert_eq!(spans_of(machine.engine(), 2), 1, "seed {seed}");
    }
}

#[test]
fn every_request_sent_again_out_of_order_an_hour_later_across_a_restart_and_a_freeze_is_shown_once()
{
    let mut machine = Machine::with(StoreOptions {
        retention_age: Duration::from_secs(1 << 30),
        ..options()
    });
    let requests: Vec<Bytes> = (0..12)
        .map(|n| encode(&[spec(n / 3 + 1, n + 1), spec(n / 3 + 1, n + 101)]))
        .collect();
    for (number, otlp) in requests.iter().enumerate() {
        assert_eq!(send(&machine, otlp).unwrap().spans, 2);
        if number == 5 {
            assert!(machine.freeze(true));
        }
    }
    // At once: the request itself is known.
    assert_eq!(
        send(&machine, &requests[11]).unwrap(),
        Kept {
            spans: 0,
            duplicate_spans: 2
        }
    );
    machine.restart();
    assert_eq!(
        send(&machine, &requests[10]).unwrap(),
        Kept {
            spans: 0,
            duplicate_spans: 2
        }
    );
    machine.clock.advance(Duration::from_secs(3600));
    for round in 0..2 {
        for otlp in requests.iter().rev() {
            send(&machine, otlp).unwrap();
        }
        for (trace_id, spans) in found(&machine) {
            assert_eq!(spans, 6, "{trace_id:?} in round {round}");
        }
        for trace in 1..5 {
            assert_eq!(spans_of(machine.engine(), trace), 6, "round {round}");
        }
        machine.restart();
        assert!(machine.freeze(true));
    }
    assert_eq!(found(&machine).len(), 4);
    assert_eq!(
        found(&machine).iter().map(|(_, spans)| spans).sum::<u64>(),
        24
    );
}

#[test]
fn a_span_that_one_request_holds_twice_is_counted_once() {
    let machine = Machine::new();
    send(&machine, &encode(&[spec(1, 1), spec(1, 1), spec(1, 2)])).unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 2);
    assert_eq!(found(&machine), [(TraceId(ids().trace(1)), 2)]);
    assert!(machine.freeze(true));
    assert_eq!(found(&machine), [(TraceId(ids().trace(1)), 2)]);
}

#[test]
fn spans_of_the_same_ids_and_another_content_are_both_shown() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    send_spec(
        &machine,
        &SpanSpec {
            version: 1,
            ..spec(1, 1)
        },
    );
    assert_eq!(spans_of(machine.engine(), 1), 2);
    assert!(machine.freeze(true));
    assert_eq!(spans_of(machine.engine(), 1), 2);
}

#[test]
fn a_head_is_searched_for_texts_that_it_has() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let is_it = model::Predicate::Compare(
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
fn a_span_that_comes_while_a_head_is_frozen_is_not_lost() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let sealed = machine.engine().seal_due(true);
    send_spec(
        &machine,
        &SpanSpec {
            parent: 1,
            ..spec(1, 2)
        },
    );
    assert_eq!(spans_of(machine.engine(), 1), 2);
    for (of, head) in &sealed {
        machine.engine().freeze(of, head).unwrap();
    }
    assert_eq!(spans_of(machine.engine(), 1), 2);
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 2);
}

#[test]
fn a_head_that_two_want_to_freeze_becomes_one_segment() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let (first, second) = (
        machine.engine().seal_due(true),
        machine.engine().seal_due(true),
    );
    assert_eq!((first.len(), second.len()), (1, 1));
    for (of, head) in first.iter().chain(&second) {
        machine.engine().freeze(of, head).unwrap();
    }
    assert_eq!(
        lock(&machine.engine().state).tenants[&tenant(0)]
            .segments
            .len(),
        1
    );
    assert_eq!(spans_of(machine.engine(), 1), 1);
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
fn retention_removes_what_is_older_than_its_age_and_nothing_younger() {
    let mut machine = Machine::new();
    for number in 1..4 {
        send_spec(
            &machine,
            &SpanSpec {
                service: usize::try_from(number).unwrap(),
                ..spec(number, number)
            },
        );
        assert!(machine.freeze(true));
        machine.clock.advance(Duration::from_secs(1000));
    }
    // Written 3000, 2000 and 1000 seconds ago; 3600 is the age.
    assert_eq!(machine.engine().expire().unwrap(), 0);
    machine.clock.advance(Duration::from_secs(600));
    assert_eq!(
        machine.engine().expire().unwrap(),
        0,
        "exactly as old as is kept"
    );
    machine.clock.advance(Duration::from_nanos(1));
    assert_eq!(machine.engine().expire().unwrap(), 1);
    let left = |machine: &Machine| [1, 2, 3].map(|trace| spans_of(machine.engine(), trace));
    assert_eq!(left(&machine), [0, 1, 1]);
    assert_eq!(machine.engine().services(&tenant(0)), ["mail", "pay"]);
    assert!(
        !machine
            .paths()
            .iter()
            .any(|path| path.to_string_lossy().contains("f0000000000000001-"))
    );
    machine.restart();
    assert_eq!(left(&machine), [0, 1, 1]);
    assert_eq!(machine.engine().services(&tenant(0)), ["mail", "pay"]);
}

#[test]
fn a_power_cut_after_retention_leaves_nothing_that_looks_damaged() {
    for seed in 0..40 {
        let mut machine = Machine::new();
        for number in 1..4 {
            send_spec(&machine, &spec(number, number));
            assert!(machine.freeze(true));
            machine.clock.advance(Duration::from_secs(1600));
        }
        assert_eq!(machine.engine().expire().unwrap(), 1);
        machine.cut_power(seed);
        machine.open().unwrap();
        assert_eq!(
            machine.engine().findings,
            Vec::<String>::new(),
            "seed {seed}"
        );
        assert_eq!(
            [1, 2, 3].map(|trace| spans_of(machine.engine(), trace)),
            [0, 1, 1],
            "seed {seed}"
        );
    }
}

#[test]
fn retention_by_size_removes_the_oldest_first() {
    let mut machine = Machine::new();
    for number in 1..4 {
        send_spec(&machine, &spec(number, number));
        assert!(machine.freeze(true));
        machine.clock.advance(Duration::from_secs(10));
    }
    let bytes: Vec<u64> = {
        let state = lock(&machine.engine().state);
        state.tenants[&tenant(0)]
            .segments
            .iter()
            .map(|placed| placed.listed.meta.bytes())
            .collect()
    };
    machine.kill();
    machine.options.retention_bytes = Some(bytes[1] + bytes[2]);
    machine.open().unwrap();
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!(
        [1, 2, 3].map(|trace| spans_of(machine.engine(), trace)),
        [0, 1, 1]
    );
}

#[test]
fn a_disk_that_others_fill_is_no_reason_to_remove_what_was_accepted() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    machine.kill();
    machine.options.retention_bytes = None;
    // Others have nine tenths of the disk.
    let used: u64 = machine.files.paths().iter().map(|(_, len)| len).sum();
    let ballast = machine
        .files
        .open(Path::new("/others"), OpenMode::CreateNew)
        .unwrap();
    ballast.set_len(20 * used).unwrap();
    machine.files.set_capacity(22 * used);
    machine.open().unwrap();
    assert_eq!(machine.engine().expire().unwrap(), 0);
    assert_eq!(spans_of(machine.engine(), 1), 1);
}

#[test]
fn what_retention_removed_does_not_come_back_from_the_log() {
    let mut machine = Machine::new();
    // An unfrozen span of another tenant keeps the log.
    let pinned = incoming(&tenant(1), &encode(&[spec(9, 9)]));
    assert!(machine.engine().commit(vec![pinned])[0].is_ok());
    send_spec(&machine, &spec(1, 1));
    let sealed = machine.engine().seal_due(true);
    let (of, head) = sealed.iter().find(|(of, _)| *of == tenant(0)).unwrap();
    machine.engine().freeze(of, head).unwrap();
    machine.clock.advance(Duration::from_secs(4000));
    let removed = machine.engine().expire().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 1 - removed);
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 1 - removed);
    // Once the log has been let go, retention goes on.
    assert!(machine.freeze(true));
    machine.engine().expire().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 0);
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 0);
}

#[test]
fn a_request_that_retention_removed_is_kept_when_it_comes_again() {
    let mut machine = Machine::new();
    let pinned = incoming(&tenant(1), &encode(&[spec(9, 9)]));
    assert!(machine.engine().commit(vec![pinned])[0].is_ok());
    let otlp = encode(&[spec(1, 1)]);
    send(&machine, &otlp).unwrap();
    let sealed = machine.engine().seal_due(true);
    let (of, head) = sealed.iter().find(|(of, _)| *of == tenant(0)).unwrap();
    machine.engine().freeze(of, head).unwrap();
    machine.clock.advance(Duration::from_secs(4000));
    // The start reads the frame again, which is in a segment.
    machine.restart();
    assert!(machine.freeze(true));
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!(send(&machine, &otlp).unwrap().spans, 1);
    assert_eq!(spans_of(machine.engine(), 1), 1);
}

#[test]
fn sequences_that_segments_have_are_not_given_again_when_the_log_lost_its_end() {
    let mut machine = Machine::new();
    let pinned = incoming(&tenant(1), &encode(&[spec(9, 9)]));
    assert!(machine.engine().commit(vec![pinned])[0].is_ok());
    send_spec(&machine, &spec(1, 1));
    send_spec(&machine, &spec(2, 2));
    let sealed = machine.engine().seal_due(true);
    let (of, head) = sealed.iter().find(|(of, _)| *of == tenant(0)).unwrap();
    machine.engine().freeze(of, head).unwrap();
    machine.kill();
    for path in machine
        .paths()
        .iter()
        .filter(|path| path.starts_with("/data/wal"))
    {
        let bytes = machine.files.read_file(path).unwrap();
        machine
            .files
            .write_file(path, &bytes[..bytes.len().min(100)]);
    }
    machine.open().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 1);
    // Two new requests, as many as the segment has sequences.
    send_spec(&machine, &spec(3, 3));
    send_spec(&machine, &spec(4, 4));
    machine.restart();
    assert_eq!(
        [1, 2, 3, 4].map(|trace| spans_of(machine.engine(), trace)),
        [1; 4]
    );
    assert!(machine.freeze(true));
    machine.restart();
    assert_eq!(
        [1, 2, 3, 4].map(|trace| spans_of(machine.engine(), trace)),
        [1; 4]
    );
}

#[test]
fn memory_is_bounded_when_nothing_can_be_frozen() {
    let machine = Machine::with(StoreOptions {
        heads_bytes_max: 60_000,
        ..options()
    });
    // Segments can't be written, the log can.
    let full = |machine: &Machine| {
        machine
            .files
            .fail_operation(1, Fault::FULL, FaultScope::Forever);
        assert!(!machine.freeze(true));
        machine.files.clear_faults();
    };
    let mut refused = 0;
    for number in 1..400 {
        match send(&machine, &encode(&[spec(number, number)])) {
            Ok(kept) => assert_eq!(kept.spans, 1),
            Err(WriteError::Unavailable { reason }) => {
                assert!(reason.contains("60000 are allowed"), "{reason}");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
        full(&machine);
        let bytes = machine.engine().heads_bytes();
        assert!(bytes < 80_000, "{bytes} bytes after {number} requests");
    }
    assert!(refused > 100, "{refused}");
    // It recovers by itself.
    assert!(machine.freeze(true));
    send_spec(&machine, &spec(1_000, 1_000));
}

#[test]
fn a_full_disk_refuses_and_recovers_and_reads_go_on() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let used: u64 = machine.files.paths().iter().map(|(_, len)| len).sum();
    machine.files.set_capacity(used);
    let mut number = 1;
    let refused = loop {
        number += 1;
        match send(&machine, &encode(&[spec(number, number)])) {
            Ok(_) => assert!(number < 1000),
            Err(refused) => break refused,
        }
    };
    assert!(
        matches!(refused, WriteError::Unavailable { .. }),
        "{refused}"
    );
    assert!(machine.engine().refusal().is_some());
    assert_eq!(spans_of(machine.engine(), 1), 1);
    // A start on the full disk is possible, too.
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 1);
    machine.files.set_capacity(u64::MAX);
    send_spec(&machine, &spec(number, number));
    assert_eq!(machine.engine().refusal(), None);
}

#[test]
fn a_failed_sync_is_refused_and_heads_are_frozen_at_once() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(!machine.engine().is_due());
    machine.files.fail_sync(FaultScope::Once);
    let refused = send(&machine, &encode(&[spec(2, 2)])).unwrap_err();
    assert!(matches!(refused, WriteError::Busy { .. }), "{refused}");
    assert_eq!(spans_of(machine.engine(), 2), 0);
    assert!(machine.engine().is_due());
    assert!(machine.freeze(false));
    assert!(!machine.engine().is_due());
    assert_eq!(
        lock(&machine.engine().state).tenants[&tenant(0)]
            .segments
            .len(),
        1
    );
    // On a new file it goes on.
    send_spec(&machine, &spec(2, 2));
}

#[test]
fn syncs_that_fail_for_ever_end_in_a_clear_refusal() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    machine.files.fail_sync(FaultScope::Forever);
    let mut last = None;
    for number in 2..6 {
        last = Some(send(&machine, &encode(&[spec(number, number)])).unwrap_err());
    }
    assert!(
        matches!(&last, Some(WriteError::Failed { reason }) if reason.contains("restart")),
        "{last:?}"
    );
    assert!(
        machine
            .engine()
            .is_fatal
            .load(std::sync::atomic::Ordering::Acquire)
    );
    machine.files.clear_faults();
    machine.cut_power(1);
    machine.open().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 1);
}

#[test]
fn a_second_process_is_refused_and_told_who_has_the_folder() {
    let machine = Machine::new();
    let refused =
        super::machine::open_on(&machine.files, &machine.clock, &machine.options).unwrap_err();
    assert!(matches!(refused, crate::Error::Locked { .. }), "{refused}");
    assert!(refused.to_string().contains("process "), "{refused}");
}

#[test]
fn one_failed_look_at_a_folder_sets_no_segment_aside() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    machine.kill();
    let start = machine.files.operations();
    machine.open().unwrap();
    let operations = machine.files.operations() - start;
    for nth in 1..=operations {
        machine.kill();
        machine
            .files
            .fail_operation(nth, Fault::IO, FaultScope::Once);
        if machine.open().is_ok() {
            machine.files.clear_faults();
            assert_eq!(spans_of(machine.engine(), 1), 1, "operation {nth}");
            assert_eq!(
                machine.engine().services(&tenant(0)),
                ["shop"],
                "operation {nth}"
            );
        }
        machine.files.clear_faults();
    }
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 1);
    assert!(
        !machine
            .paths()
            .iter()
            .any(|path| path.starts_with(Path::new("/data/quarantine")))
    );
}

#[test]
fn a_damaged_index_is_made_again_at_the_start_and_its_services_are_known() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    machine.kill();
    let path = machine
        .paths()
        .into_iter()
        .find(|path| path.extension().is_some_and(|kind| kind == "tix"))
        .unwrap();
    let sound = machine.files.read_file(&path).unwrap();
    for byte in 0..sound.len() as u64 {
        machine.kill();
        machine.files.write_file(&path, &sound);
        machine.files.flip_bit(&path, byte, 2).unwrap();
        machine.open().unwrap();
        assert_eq!(
            machine.engine().services(&tenant(0)),
            ["shop"],
            "byte {byte}"
        );
        assert_eq!(
            machine
                .engine()
                .operations(&tenant(0), "shop")
                .operations
                .len(),
            1,
            "byte {byte}"
        );
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
            let request = all(
                &tenant(0),
                model::Predicate::Compare(field, operator, literal),
            );
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
