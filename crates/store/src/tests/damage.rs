//! Flipped bits and cuts in every file of a data folder.
//!
//! Whatever is damaged, the folder opens; an answer is right, or says what it lacks; the damage is counted or
//! reported, and a check finds it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use journal::SimFiles;
use model::TenantId;
use model::contract::Window;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::machine::{Machine, START, open_on, send_spec, spec};
use super::traffic::{SpanSpec, Traffic, encode, incoming, tenant};
use super::truth::{Key, everything, keys};
use crate::engine::{Engine, lock};
use crate::finalise::When;

const FLIPS: usize = 600;
const CUTS: usize = 200;

/// What a folder held before it was damaged.
struct Before {
    machine: Machine,
    traces: BTreeMap<TenantId, Vec<model::TraceId>>,
    spans: HashSet<Key>,
    answers: Answers,
}

/// The answers to some questions; with whether something was skipped.
#[derive(Debug, Clone, PartialEq)]
struct Answers {
    services: Vec<Vec<String>>,
    links: Vec<(Vec<model::contract::DependencyLink>, bool)>,
    found: Vec<(Vec<model::contract::TraceHit>, bool)>,
}

fn answers(engine: &Engine) -> Answers {
    let tenants = [tenant(0), tenant(1)];
    let calls = |tenant: &TenantId| {
        let answer = engine
            .dependencies(tenant, Window::ALWAYS, &|| false)
            .unwrap();
        (answer.links, !answer.skipped.is_empty())
    };
    let search = |tenant: &TenantId| {
        let answer = engine.search(&everything(tenant), &|| false).unwrap();
        (answer.traces, !answer.skipped.is_empty())
    };
    Answers {
        services: tenants
            .iter()
            .map(|tenant| engine.services(tenant))
            .collect(),
        links: tenants.iter().map(calls).collect(),
        found: tenants.iter().map(search).collect(),
    }
}

fn before() -> Before {
    let mut machine = Machine::new();
    let mut rng = SmallRng::seed_from_u64(2);
    let mut traffic = Traffic::default();
    let mut spans = HashSet::new();
    let mut traces: BTreeMap<TenantId, Vec<model::TraceId>> = BTreeMap::new();
    for number in 0..36 {
        let of = number % 2;
        let otlp = traffic.request(&mut rng, of, machine.now());
        let batch = incoming(&tenant(of), &otlp);
        spans.extend(keys(&batch.tenant, &batch.batch));
        traces
            .entry(tenant(of))
            .or_default()
            .extend(&batch.batch.spans().trace_id);
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        machine.clock.advance(Duration::from_secs(1));
        if number == 12 || number == 24 {
            assert!(machine.freeze(true));
        }
        if number == 16 {
            assert!(machine.finalise(When::NOW));
        }
    }
    // A clean restart: what was made again at the start is part of what is damaged then.
    machine.restart();
    let answers = answers(machine.engine());
    machine.kill();
    Before {
        machine,
        traces,
        spans,
        answers,
    }
}

fn is_wal(path: &Path) -> bool {
    path.starts_with("/data/wal")
}

/// Opens a damaged folder and holds its answers against the right ones.
fn judge(before: &Before, files: &SimFiles, path: &Path, what: &str) {
    let changed = files.copy();
    let engine = open_on(files, &before.machine.clock, &before.machine.options)
        .unwrap_or_else(|why| panic!("{what}: no start: {why}"));
    let mut is_lacking = false;
    for (tenant, traces) in &before.traces {
        for trace_id in traces {
            let answer = engine.trace(tenant, *trace_id).unwrap();
            let found: HashSet<Key> = keys(tenant, &answer.spans).collect();
            let wanted: HashSet<Key> = before
                .spans
                .iter()
                .filter(|key| key.0 == *tenant && key.1 == *trace_id)
                .cloned()
                .collect();
            assert!(found.is_subset(&wanted), "{what}: a wrong span");
            assert_eq!(answer.spans.len(), found.len(), "{what}: a span twice");
            is_lacking |= found != wanted;
            assert!(
                found == wanted || !answer.skipped.is_empty() || is_wal(path),
                "{what}: silently incomplete"
            );
        }
    }
    let answers = answers(&engine);
    let wrong = answers
        .found
        .iter()
        .zip(&before.answers.found)
        .any(|(is, was)| is.0 != was.0 && !is.1);
    assert!(!wrong || is_wal(path), "{what}: a search is silently wrong");
    let wrong = answers
        .links
        .iter()
        .zip(&before.answers.links)
        .any(|(is, was)| is.0 != was.0 && !is.1);
    assert!(!wrong || is_wal(path), "{what}: calls are silently wrong");
    let told = !engine.findings.is_empty() || engine.metrics.damaged_segments.get() > 0;
    if is_lacking {
        assert!(told, "{what}: spans are lost and nobody says so");
    }
    if !is_wal(path) {
        assert_eq!(
            answers.services, before.answers.services,
            "{what}: services"
        );
    }
    // What was lost with the log is said once; from then on everything works as ever.
    assert!(engine.commit(vec![extra()])[0].is_ok(), "{what}: no write");
    drop(engine);
    let options = before.machine.options.clone();
    let report = crate::check(options, Arc::new(changed))
        .unwrap_or_else(|why| panic!("{what}: no check: {why}"));
    let is_segment =
        path.starts_with("/data/seg") && path.extension().is_none_or(|kind| kind != "meta");
    if is_segment || is_lacking {
        assert!(!report.is_sound(), "{what}: the check found nothing");
    }
}

fn extra() -> model::contract::IncomingBatch {
    incoming(&tenant(0), &encode(&[spec(9_999, 99_999)]))
}

/// Files of every kind, each kind as often as the others.
fn pick(rng: &mut SmallRng, files: &SimFiles) -> (PathBuf, u64) {
    let mut kinds: BTreeMap<String, Vec<(PathBuf, u64)>> = BTreeMap::new();
    for (path, len) in files.paths().into_iter().filter(|(_, len)| *len > 0) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let kind = name
            .split_once('.')
            .map_or(name.clone(), |(_, kind)| kind.to_owned());
        kinds
            .entry(kind.trim_end_matches(char::is_numeric).to_owned())
            .or_default()
            .push((path, len));
    }
    assert!(kinds.len() >= 9, "{:?}", kinds.keys());
    let kind = kinds
        .values()
        .nth(rng.random_range(0..kinds.len()))
        .unwrap();
    kind[rng.random_range(0..kind.len())].clone()
}

#[test]
fn a_flipped_bit_in_any_file_gives_no_wrong_answer_and_stops_no_start() {
    let before = before();
    for trial in 0..FLIPS {
        let mut rng = SmallRng::seed_from_u64(trial as u64);
        let files = before.machine.files.copy();
        let (path, len) = pick(&mut rng, &files);
        let (byte, bit) = (rng.random_range(0..len), rng.random_range(0..8));
        files.flip_bit(&path, byte, bit).unwrap();
        judge(
            &before,
            &files,
            &path,
            &format!("bit {bit} of byte {byte} of {len} of {}", path.display()),
        );
    }
}

#[test]
fn a_cut_of_any_file_gives_no_wrong_answer_and_stops_no_start() {
    let before = before();
    for trial in 0..CUTS {
        let mut rng = SmallRng::seed_from_u64(1_000_000 + trial as u64);
        let files = before.machine.files.copy();
        let (path, len) = pick(&mut rng, &files);
        let at = rng.random_range(0..len);
        let bytes = files.read_file(&path).unwrap();
        files.write_file(&path, &bytes[..usize::try_from(at).unwrap()]);
        judge(
            &before,
            &files,
            &path,
            &format!("{} of {len} bytes of {}", at, path.display()),
        );
    }
}

#[test]
fn the_list_cut_behind_each_commit_loses_no_segment() {
    let mut before = before();
    // Commits, which a start has not gathered into one.
    before.machine.open().unwrap();
    for number in 0..6 {
        let spec = SpanSpec {
            start: START,
            ..spec(5_000, 50_000 + number)
        };
        let batch = incoming(&tenant(0), &encode(&[spec]));
        before.spans.extend(keys(&batch.tenant, &batch.batch));
        before
            .traces
            .entry(tenant(0))
            .or_default()
            .extend(&batch.batch.spans().trace_id);
        assert!(before.machine.engine().commit(vec![batch])[0].is_ok());
        assert!(before.machine.freeze(true));
        if number == 2 || number == 4 {
            assert!(before.machine.finalise(When::NOW));
        }
    }
    before.answers = answers(before.machine.engine());
    before.machine.kill();
    let path = before
        .machine
        .paths()
        .into_iter()
        .find(|path| path.to_string_lossy().contains("MANIFEST-"))
        .unwrap();
    let bytes = before.machine.files.read_file(&path).unwrap();
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(b"TMAN"))
        .collect();
    assert!(starts.len() > 5, "{starts:?}");
    for at in starts {
        let files = before.machine.files.copy();
        files.write_file(&path, &bytes[..at]);
        judge(&before, &files, &path, &format!("the list cut at {at}"));
    }
}

#[test]
fn a_damaged_list_is_said_and_made_again() {
    let before = before();
    let path = before
        .machine
        .paths()
        .into_iter()
        .find(|path| path.to_string_lossy().contains("MANIFEST-"))
        .unwrap();
    let files = before.machine.files.copy();
    files.flip_bit(&path, 40, 3).unwrap();
    let engine = open_on(&files, &before.machine.clock, &before.machine.options).unwrap();
    assert_eq!(engine.metrics.damaged_lists.get(), 1);
    assert!(
        engine
            .findings
            .iter()
            .any(|finding| finding.starts_with("list of segments")),
        "{:?}",
        engine.findings
    );
    assert_eq!(answers(&engine), before.answers);
}

/// A `FORMAT` file that says another version.
fn format_text(version: u32, store_id: &str) -> Vec<u8> {
    let json = format!(r#"{{"format":{version},"store_id":"{store_id}"}}"#);
    let line = format!("{json} {:08x}\n", crc32c::crc32c(json.as_bytes()));
    line.repeat(2).into_bytes()
}

#[test]
fn a_folder_of_the_version_before_is_opened_and_is_of_this_one_then() {
    let before = before();
    let files = before.machine.files.copy();
    let paths = ["/data/FORMAT", "/data/FORMAT.copy"].map(Path::new);
    let now = files.read_file(paths[0]).unwrap();
    let store_id = String::from_utf8_lossy(&now)
        .split('"')
        .nth(5)
        .unwrap()
        .to_owned();
    for path in paths {
        files.write_file(path, &format_text(1, &store_id));
    }
    let engine = open_on(&files, &before.machine.clock, &before.machine.options).unwrap();
    assert_eq!(answers(&engine), before.answers);
    for path in paths {
        assert_eq!(files.read_file(path).unwrap(), now);
    }
}

#[test]
fn nothing_that_an_older_program_does_not_know_is_written_before_it_is_kept_out() {
    let mut machine = Machine::new();
    for number in 1..3 {
        send_spec(&machine, &spec(number, number));
        assert!(machine.freeze(true));
    }
    machine.kill();
    let paths = ["/data/FORMAT", "/data/FORMAT.copy"].map(Path::new);
    let now = machine.files.read_file(paths[0]).unwrap();
    let text = String::from_utf8_lossy(&now).into_owned();
    let store_id = text.split('"').nth(5).unwrap();
    for path in paths {
        machine.files.write_file(path, &format_text(2, store_id));
    }
    // The start can write nothing, and succeeds all the same.
    machine.files.set_capacity(0);
    machine.open().unwrap();
    machine.files.set_capacity(u64::MAX);
    let says_so =
        |machine: &Machine| paths.map(|path| machine.files.read_file(path).unwrap() == now);
    assert_eq!(says_so(&machine), [false; 2]);
    // The first file is all that can be written.
    let before = machine.files.operations();
    let trace_id = model::TraceId(super::traffic::ids().trace(1));
    for nth in 1.. {
        machine
            .files
            .fail_operation(nth, journal::Fault::IO, journal::FaultScope::Forever);
        let is_merged = machine
            .engine()
            .finalise(When::NOW, &|| false)
            .is_ok_and(|is_done| is_done);
        let is_pinned = machine.engine().pin(&tenant(0), trace_id).is_ok();
        machine.files.clear_faults();
        if is_merged || is_pinned {
            assert_eq!(says_so(&machine), [true; 2], "after {nth} operations");
            break;
        }
    }
    assert!(machine.files.operations() > before);
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_says_so() {
    let before = before();
    let newer = format_text(5, "00000000000000000000000000000001");
    let files = before.machine.files.copy();
    files.write_file(Path::new("/data/FORMAT"), &newer);
    let refused = open_on(&files, &before.machine.clock, &before.machine.options).unwrap_err();
    assert!(
        matches!(refused, crate::Error::Format { known: 4, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("newer version"), "{refused}");
}

#[test]
fn spans_of_a_damaged_segment_that_are_still_in_the_log_are_found() {
    let mut machine = Machine::new();
    // The other tenant's span keeps the log from being let go.
    let kept = incoming(&tenant(1), &encode(&[spec(1, 1)]));
    let frozen = incoming(&tenant(0), &encode(&[spec(1, 2)]));
    let wanted: Vec<Key> = keys(&tenant(0), &frozen.batch).collect();
    assert!(
        machine
            .engine()
            .commit(vec![kept, frozen])
            .iter()
            .all(Result::is_ok)
    );
    let sealed = machine.engine().seal_due(true);
    let (of, head) = sealed.iter().find(|(of, _)| *of == tenant(0)).unwrap();
    machine.engine().freeze(of, head).unwrap();
    assert_eq!(
        lock(&machine.engine().state).tenants[&tenant(0)]
            .segments
            .len(),
        1
    );
    machine.kill();
    let path = machine
        .paths()
        .into_iter()
        .find(|path| path.to_string_lossy().ends_with("spans.parquet"))
        .unwrap();
    machine.files.write_file(&path, b"PAR1");
    machine.open().unwrap();
    let answer = machine.engine().trace(&tenant(0), wanted[0].1).unwrap();
    assert_eq!(keys(&tenant(0), &answer.spans).collect::<Vec<_>>(), wanted);
}
