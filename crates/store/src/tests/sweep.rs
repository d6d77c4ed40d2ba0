//! One scenario, each of its file operations failed in turn: once and from then on, by a disk that can't and by a full
//! one. Nothing panics, no acknowledged span is lost, and the next start without failures succeeds.

use std::time::Duration;

use journal::{Fault, FaultScope};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::machine::{Machine, options};
use super::traffic::{Traffic, incoming, tenant};
use super::truth::Truth;
use crate::engine::lock;
use crate::finalise::When;
use crate::options::StoreOptions;

const COMMITS: usize = 30;

/// Opens, commits, freezes, merges, expires and opens again.
fn scenario(machine: &mut Machine, truth: &mut Truth) {
    let mut rng = SmallRng::seed_from_u64(5);
    let mut traffic = Traffic::default();
    if machine.open().is_err() {
        return;
    }
    for number in 0..COMMITS {
        let of = number % 2;
        let otlp = traffic.request(&mut rng, of, machine.now());
        let answers = machine.engine().commit(vec![incoming(&tenant(of), &otlp)]);
        truth.note(&tenant(of), &otlp, answers[0].is_ok());
        machine.clock.advance(Duration::from_secs(2));
        if number % 10 == 9 {
            machine.freeze(number > 20);
            lock(&machine.engine().journal).prepare_spare().ok();
            machine.finalise(When::Due);
        }
    }
    machine.finalise(When::NOW);
    // What is expired here is none of the truth's business: it is too young.
    machine.engine().expire().ok();
    machine.kill();
    if machine.open().is_ok() {
        machine.freeze(true);
        machine.finalise(When::NOW);
        machine.engine().expire().ok();
    }
}

fn fresh() -> Machine {
    // Small enough that files of the log are used up, too.
    let options = StoreOptions {
        head_spans_max: 25,
        ..options()
    };
    let mut machine = Machine::with(options);
    machine.kill();
    machine.files = journal::SimFiles::new();
    machine
}

fn sweep(fault: Fault, scope: FaultScope, is_power_cut: bool) {
    for nth in 1.. {
        assert!(nth < 2_000, "the scenario does not end");
        let (mut machine, mut truth) = (fresh(), Truth::default());
        machine.files.fail_operation(nth, fault, scope);
        scenario(&mut machine, &mut truth);
        let is_untouched = machine.files.operations() < nth;
        machine.files.clear_faults();
        let failed = machine
            .files
            .operation_log()
            .into_iter()
            .nth(usize::try_from(nth - 1).unwrap());
        if is_power_cut {
            machine.cut_power(nth);
        } else {
            machine.kill();
        }
        machine
            .open()
            .unwrap_or_else(|why| panic!("no start after failure {nth} ({failed:?}): {why}"));
        truth.settle(machine.engine());
        let mut rng = SmallRng::seed_from_u64(nth);
        let compared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            truth.compare_spans(machine.engine());
            machine.check_files(true);
            assert!(machine.freeze(true));
            truth.compare_spans(machine.engine());
            assert!(machine.finalise(When::NOW));
            truth.compare_spans(machine.engine());
            if nth % 8 == 0 {
                truth.compare(machine.engine(), &mut rng);
            }
        }));
        if let Err(panic) = compared {
            eprintln!(
                "operation {nth} ({failed:?}) failed with {fault:?} {scope:?}, power cut: {is_power_cut}"
            );
            std::panic::resume_unwind(panic);
        }
        if is_untouched {
            assert!(nth > 300, "only {nth} operations");
            return;
        }
    }
}

#[test]
fn each_operation_fails_once() {
    sweep(Fault::IO, FaultScope::Once, false);
}

#[test]
fn each_operation_fails_once_and_the_power_is_cut() {
    sweep(Fault::IO, FaultScope::Once, true);
}

#[test]
fn each_operation_and_all_after_it_fail() {
    sweep(Fault::IO, FaultScope::Forever, false);
}

#[test]
fn the_disk_is_full_for_one_operation() {
    sweep(Fault::FULL, FaultScope::Once, true);
}

#[test]
fn the_disk_is_full_from_one_operation_on() {
    sweep(Fault::FULL, FaultScope::Forever, true);
}
