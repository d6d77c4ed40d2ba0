//! How the program begins and ends, and what it says about itself: stop under load, a second process on the same data,
//! a full disk, health.

use std::io::Write as _;
use std::time::Duration;

use crate::folder::Folder;
use crate::http::{self, Connection};
use crate::load::{Load, Outcome, Request, Truth, seed, send};
use crate::program::{FREEZE_SOON, Program};
use crate::small_disk::SmallDisk;
use crate::wait::{Stopwatch, until};

const CONNECTIONS: u64 = 4;
/// A small file system, filled partly by a ballast file that is removed to make room again.
const DISK_MIB: usize = 256;
const BALLAST_MIB: usize = 96;
/// Retention would make room by itself: here the disk must get full.
const KEEP_ALL: [&str; 4] = [
    "--set",
    "store.retention.bytes=off",
    "--set",
    "store.retention.age=off",
];
/// One request of the full-disk test, so that the disk fills within seconds.
const PAYLOAD_BYTES: usize = 512 * 1024;
/// The refusal comes at once, not after a time-out.
const REFUSAL_MAX: Duration = Duration::from_secs(1);
/// A disk that has room again is noticed within this time.
const RECOVERY_MAX: Duration = Duration::from_secs(30);

#[test]
fn loses_nothing_acknowledged_when_stopped_under_load() {
    let folder = Folder::new("stop");
    let data = folder.join("data");
    let program = Program::start_with(&data, &FREEZE_SOON);
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");
    let load = Load::start(&program, seed, CONNECTIONS, 0);
    // Under load: a trace has been found, so requests are on their way.
    let busy = until(Duration::from_secs(20), || {
        let services = program.query("/api/services").json();
        services["data"]
            .as_array()
            .is_some_and(|services| !services.is_empty())
            .then_some(())
    });
    assert!(busy.is_some(), "no span arrived under load");
    let ended = program.stop();
    let truth = load.join();
    assert!(
        ended.status.success(),
        "the end of a graceful stop is {}:\n{}",
        ended.status,
        ended.log
    );
    assert!(truth.span_count() > 0);
    let program = Program::start_with(&data, &FREEZE_SOON);
    truth.check(&program, &truth.trace_ids());
}

#[test]
fn refuses_a_second_process_on_the_same_data_with_a_clear_message() {
    let folder = Folder::new("twice");
    let data = folder.join("data");
    let first = Program::start(&data);
    let Err(second) = Program::try_start(&data, &[]) else {
        panic!("two processes write to the same data")
    };
    assert!(!second.status.success());
    let said = second.log.to_lowercase();
    assert!(
        said.contains(&data.display().to_string().to_lowercase()),
        "it does not name the folder:\n{said}"
    );
    assert!(
        said.contains("lock") || said.contains("in use") || said.contains("another"),
        "it gives no reason:\n{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    // The first one is not disturbed.
    let request = Request::new(1, 0, 0);
    let mut connection = Connection::open(&first.addresses.otlp_http).unwrap();
    assert_eq!(
        send(&mut connection, &request).unwrap(),
        Outcome::Acknowledged
    );
    let mut truth = Truth::default();
    truth.acknowledge(request);
    truth.check(&first, &truth.trace_ids());
}

#[test]
fn tells_its_health_on_both_ports() {
    let folder = Folder::new("health");
    let program = Program::start(&folder.join("data"));
    for path in ["/", "/ready", "/live", "/started"] {
        let answer = http::get(&program.addresses.admin, path).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let health = http::get(&program.addresses.admin, "/").unwrap().json();
    assert!(health["status"].is_string(), "{health}");
    let status = http::get(&program.addresses.health, "/status").unwrap();
    assert_eq!(status.status, 200, "{}", status.text());
    let metrics = http::get(&program.addresses.admin, "/metrics").unwrap();
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .text()
            .lines()
            .any(|line| line.starts_with("trackway_")),
        "{}",
        metrics.text()
    );
}

#[test]
fn refuses_with_503_on_a_full_disk_and_recovers_by_itself() {
    let folder = Folder::new("full");
    let Some(disk) = SmallDisk::mount(&folder.join("disk"), DISK_MIB) else {
        return;
    };
    let ballast = disk.path.join("ballast");
    std::fs::File::create(&ballast)
        .unwrap()
        .write_all(&vec![1; BALLAST_MIB * 1024 * 1024])
        .unwrap();
    let data = disk.path.join("data");
    let program = Program::start_with(&data, &KEEP_ALL);
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");

    let mut truth = fill(&program, seed);
    let kept = truth.trace_ids();
    truth.check(&program, &kept);
    let live = http::get(&program.addresses.admin, "/live").unwrap();
    assert_eq!(
        live.status,
        200,
        "a full disk makes nobody dead: {}",
        live.text()
    );
    let ready = http::get(&program.addresses.admin, "/ready").unwrap();
    assert_eq!(
        ready.status,
        503,
        "nothing can be written, but it says ready: {}",
        ready.text()
    );

    std::fs::remove_file(&ballast).unwrap();
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    let again = Request::new(seed ^ 1, 0, 0);
    let recovered = until(RECOVERY_MAX, || match send(&mut connection, &again) {
        Ok(Outcome::Acknowledged) => Some(()),
        Ok(Outcome::Refused(..)) => None,
        Err(_) => {
            connection = Connection::open(&program.addresses.otlp_http).unwrap();
            None
        }
    });
    assert!(
        recovered.is_some(),
        "there is room again, but after {RECOVERY_MAX:?} it still refuses"
    );
    truth.acknowledge(again);
    let ready = until(RECOVERY_MAX, || {
        (http::get(&program.addresses.admin, "/ready")
            .unwrap()
            .status
            == 200)
            .then_some(())
    });
    assert!(ready.is_some(), "it takes spans again, but is not ready");
    truth.resend_unsure(&program);
    truth.check(&program, &truth.trace_ids());

    program.kill();
    let program = Program::start_with(&data, &KEEP_ALL);
    truth.check(&program, &truth.trace_ids());
}

/// Sends until the disk is full; the refusal must be a quick 503 with `Retry-After`.
fn fill(program: &Program, seed: u64) -> Truth {
    let mut truth = Truth::default();
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    for number in 0.. {
        assert!(
            number * PAYLOAD_BYTES < 2 * DISK_MIB * 1024 * 1024,
            "more is acknowledged than the disk can hold"
        );
        let request = Request::new(seed, u64::try_from(number).unwrap(), PAYLOAD_BYTES);
        let watch = Stopwatch::start();
        match send(&mut connection, &request).unwrap() {
            Outcome::Acknowledged => truth.acknowledge(request),
            Outcome::Refused(status, retry_after) => {
                assert_eq!(status, 503);
                assert!(retry_after.is_some(), "a 503 without Retry-After");
                assert!(
                    watch.elapsed() <= REFUSAL_MAX,
                    "the refusal took {:?}",
                    watch.elapsed()
                );
                truth.unsure.push(request);
                break;
            }
        }
    }
    assert!(
        truth.span_count() > 0,
        "the disk was full from the beginning"
    );
    truth
}
