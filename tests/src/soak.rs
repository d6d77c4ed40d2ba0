//! Steady load with retention at work: what the program takes does not grow, and its ledger adds up at the end.
//!
//! Promises checked: memory, open files, threads, bytes on the disk, heads and the number of segments are no higher in
//! the last third of the time than in the middle one, but for what they swing by; every span that came in has gone
//! somewhere; spans of the last second are found, and old segments were removed.
//!
//! `TRACKWAY_SOAK_SECONDS` says how long it takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::folder::Folder;
use crate::http::{self, Connection};
use crate::jaeger::trace;
use crate::ledger;
use crate::load::{Outcome, Request, seed, send};
use crate::program::Program;
use crate::wait::{Stopwatch, let_pass, report};

/// Retention looks about every ten seconds, and must have done so before the middle third and in the last one.
const SECONDS: u64 = 36;
/// Small heads, merged soon and removed soon, so that every stage of a span's life is passed many times.
const FLAGS: [&str; 12] = [
    "--set",
    "memory.limit=256MiB",
    "--set",
    "store.head.spans_max=2000",
    "--set",
    "store.head.age_max=1s",
    "--set",
    "store.finalise.after=0s",
    "--set",
    "store.finalise.age=1s",
    "--set",
    "store.retention.age=3s",
];
/// Requests of 1 to 12 spans.
const REQUESTS_PER_SECOND: u64 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// What is looked at, and what the highest value of the last third may be over that of the middle third.
const SWINGS: [(&str, u64); 6] = [
    ("resident MiB", 24),
    ("open files", 16),
    ("threads", 4),
    ("disk MiB", 16),
    ("head spans", 4_000),
    ("segments", 12),
];

#[test]
fn takes_no_more_the_longer_it_runs_while_retention_removes_what_is_old() {
    let given = std::env::var("TRACKWAY_SOAK_SECONDS").ok();
    let seconds = given
        .and_then(|text| text.parse().ok())
        .unwrap_or(SECONDS)
        .max(SECONDS);
    let folder = Folder::new("soak");
    let data = folder.join("data");
    let program = Program::start_with(&data, &FLAGS);
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");
    let (is_over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut peaks: [BTreeMap<&str, u64>; 3] = Default::default();
    std::thread::scope(|scope| {
        scope.spawn(|| send_steadily(&program, seed, &is_over, &sent));
        let watch = Stopwatch::start();
        while watch.elapsed() < Duration::from_secs(seconds) {
            let third = watch.elapsed().as_secs() * 3 / seconds;
            let peaks = &mut peaks[usize::try_from(third.min(2)).unwrap()];
            for (name, value) in look(&program, &data) {
                let peak = peaks.entry(name).or_default();
                *peak = value.max(*peak);
            }
            let_pass(BETWEEN_LOOKS);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let sent = sent.into_inner();
    let [_, middle, last] = &peaks;
    report(&format!(
        "soak: {sent} requests in {seconds} s: {middle:?}, then {last:?}"
    ));
    for (name, swing) in SWINGS {
        let (before, after) = (middle[name], last[name]);
        assert!(
            after <= before + before / 4 + swing,
            "{name}: {before}, then {after}"
        );
    }
    ledger::check(&program);
    let newest = Request::new(seed, sent - 1, 0);
    let found = trace(&mut program.query_connection(), &newest.trace_id, "");
    assert!(found.is_some(), "the newest trace is not found");
    let oldest = Request::new(seed, 0, 0);
    let found = trace(&mut program.query_connection(), &oldest.trace_id, "");
    assert!(found.is_none(), "the oldest trace is still there");
}

/// Sends requests of which nothing is remembered, at a steady rate.
fn send_steadily(program: &Program, seed: u64, is_over: &AtomicBool, sent: &AtomicU64) {
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    let watch = Stopwatch::start();
    while !is_over.load(Ordering::Relaxed) {
        let number = sent.load(Ordering::Relaxed);
        let due = Duration::from_millis(number * 1000 / REQUESTS_PER_SECOND);
        let_pass(due.saturating_sub(watch.elapsed()));
        let outcome = send(&mut connection, &Request::new(seed, number, 0)).unwrap();
        assert_eq!(outcome, Outcome::Acknowledged, "a load that it can bear");
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

fn look(program: &Program, data: &Path) -> Vec<(&'static str, u64)> {
    let metrics = http::get(&program.addresses.admin, "/metrics").unwrap();
    let metrics = metrics.text();
    let metric = |name: &str| -> u64 {
        let lines = metrics.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.filter(|(series, _)| series.split('{').next() == Some(name));
        let values: Vec<f64> = found.map(|(_, value)| value.parse().unwrap()).collect();
        assert!(!values.is_empty(), "no metric {name}");
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        let sum = values.iter().sum::<f64>() as u64;
        sum
    };
    vec![
        (
            "resident MiB",
            metric("process_resident_memory_bytes") >> 20,
        ),
        ("open files", metric("process_open_fds")),
        ("threads", program.threads().expect("the program is gone")),
        ("disk MiB", bytes_below(data) >> 20),
        ("head spans", metric("trackway_store_head_spans")),
        ("segments", metric("trackway_store_segments")),
    ]
}

/// Lengths of all files; what is removed meanwhile does not count.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
