//! `kill -9` at random moments under load, again and again on the same data.
//!
//! Promises checked after every kill: an acknowledged span is found exactly once with all its content; a request whose
//! answer did not arrive is there wholly or not at all, and sending it again does not double it; the start takes ≤ 5 s.
//!
//! `TRACKWAY_CRASH_ROUNDS`, `TRACKWAY_CRASH_SECONDS` and `TRACKWAY_SEED` change the run; a failure names its seed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::folder::Folder;
use crate::load::{Load, Numbers, SERVICE, Truth, seed};
use crate::program::{FREEZE_SOON, Program};
use crate::wait::{Stopwatch, let_pass, report};

const ROUNDS: u64 = 30;
const SECONDS_MAX: u64 = 90;
const CONNECTIONS: u64 = 3;
const START_UP_MAX: Duration = Duration::from_secs(5);
/// The longest time that load runs before the kill.
const LOAD_MILLIS_MAX: u64 = 600;
/// How many traces of earlier rounds are looked at after each kill; after the last one all are.
const EARLIER_TRACES: usize = 50;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn keeps_every_acknowledged_span_over_kills_at_random_moments() {
    let (rounds, seconds) = (
        setting("TRACKWAY_CRASH_ROUNDS", ROUNDS),
        setting("TRACKWAY_CRASH_SECONDS", SECONDS_MAX),
    );
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");
    let mut numbers = Numbers::new(seed);
    let folder = Folder::new("crash");
    let data = folder.join("data");
    let mut truth = Truth::default();
    let mut start_up_max = Duration::ZERO;
    let watch = Stopwatch::start();
    let mut program = Program::start_with(&data, &FREEZE_SOON);
    let mut done = 0;
    while done < rounds && watch.elapsed() < Duration::from_secs(seconds) {
        let load = Load::start(&program, numbers.next(), CONNECTIONS, 0);
        let_pass(Duration::from_millis(5 + numbers.below(LOAD_MILLIS_MAX)));
        program.kill();
        let before = truth.trace_ids();
        load.stop_into(&mut truth);
        if numbers.below(4) == 0 {
            // Also a start can be cut short.
            Program::start_and_kill(
                &data,
                &FREEZE_SOON,
                Duration::from_millis(numbers.below(60)),
            );
        }
        program = Program::start_with(&data, &FREEZE_SOON);
        start_up_max = start_up_max.max(program.start_up);
        assert!(
            program.start_up <= START_UP_MAX,
            "round {done}: the start took {:?}",
            program.start_up
        );
        truth.check(&program, &pick(&truth, &before, &mut numbers));
        truth.resend_unsure(&program);
        done += 1;
    }
    truth.check(&program, &truth.trace_ids());
    assert!(
        merged_segments(&data) > 0,
        "no kill came during or after a merge, so nothing was shown of merges"
    );
    let services = program.query("/api/services").json();
    assert_eq!(services["data"], serde_json::json!([SERVICE]));
    report(&format!(
        "crash: {done} kills in {:.1} s, {} spans acknowledged and found, start-up at most {start_up_max:?}",
        watch.elapsed().as_secs_f64(),
        truth.span_count(),
    ));
    assert!(
        done >= rounds.min(ROUNDS),
        "only {done} rounds fit into {seconds} s"
    );
    assert!(
        truth.span_count() > 0,
        "nothing was acknowledged, so nothing was shown"
    );
}

/// Counts the segments that were merged of others.
fn merged_segments(data: &Path) -> usize {
    let below = |dir: &PathBuf| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let tenants = below(&data.join("seg"));
    let days = tenants.iter().flat_map(below).collect::<Vec<_>>();
    let files = days.iter().flat_map(below);
    let is_merged = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with('m') && name.ends_with(".tix")
    };
    files.filter(is_merged).count()
}

/// The traces of this round, and some of earlier ones.
fn pick(truth: &Truth, before: &[String], numbers: &mut Numbers) -> Vec<String> {
    let mut picked: Vec<String> = truth.trace_ids();
    picked.retain(|id| before.binary_search(id).is_err());
    picked.extend(truth.unsure.iter().map(|request| request.trace_id.clone()));
    for _ in 0..EARLIER_TRACES.min(before.len()) {
        let index = numbers.below(u64::try_from(before.len()).unwrap());
        picked.extend(before.get(usize::try_from(index).unwrap()).cloned());
    }
    picked
}
