//! How much memory hostile and heavy traffic takes: measured in a process of its own, for it is the process's.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;

use plumbing::Tasks;
use tokio::sync::mpsc;

use crate::house::{House, MIB, Mood, mebibytes, spans};
use crate::http1::{Http1, export, export_encoded, request};

/// Says to this program that it is the process of its own.
const ALONE: &str = "TRACKWAY_TEST_ALONE";

/// Runs a test of this program again, alone; tells whether this already is that run.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(printed.contains("1 passed"), "{printed}");
    false
}

/// A line of `/proc/self/status`, in bytes.
fn status_bytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    line.trim_matches([':', ' ', '\t'])
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .unwrap()
        * 1024
}

/// Forgets the highest memory so far; gives what is in use.
fn begin_measuring() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    status_bytes("VmRSS")
}

/// How much more memory than at the beginning was in use at the highest moment.
fn growth_bytes(before: u64) -> u64 {
    status_bytes("VmHWM").saturating_sub(before)
}

#[tokio::test]
async fn a_gzip_bomb_of_300_mib_grows_the_process_by_no_more_than_8_mib() {
    if !is_alone("memory::a_gzip_bomb_of_300_mib_grows_the_process_by_no_more_than_8_mib") {
        return;
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1024 * 1024];
    (0..300).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bomb = export_encoded("gzip", &encoder.finish().unwrap());
    assert!(bomb.len() < 400 * 1024, "{}", bomb.len());
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    assert_eq!(client.ask(&export(&spans(100))).await.status, 200);
    let before = begin_measuring();
    for _ in 0..3 {
        assert_eq!(client.ask(&bomb).await.status, 413);
    }
    let growth = growth_bytes(before);
    assert!(growth <= 8 * MIB, "the bomb took {} KiB", growth / 1024);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_requests_of_14_mib_at_once_stay_under_the_budget_and_the_rest_is_refused() {
    if !is_alone(
        "memory::thirty_two_requests_of_14_mib_at_once_stay_under_the_budget_and_the_rest_is_refused",
    ) {
        return;
    }
    const BUDGET: u64 = 96 * MIB;
    let house = House::open_with(|plan| plan.budget_bytes = BUDGET);
    house.writer.set(Mood::Hold);
    let body: Arc<Vec<u8>> = Arc::new(mebibytes(14));
    let head = request(
        "POST /v1/traces",
        &["Content-Type: application/x-protobuf"],
        &[],
    );
    let head = String::from_utf8(head)
        .unwrap()
        .replace("Length: 0", &format!("Length: {}", body.len()));
    let before = begin_measuring();
    let (tell, mut told) = mpsc::channel(32);
    let clients = Tasks::new();
    for _ in 0..32 {
        let (body, head, tell, address) =
            (Arc::clone(&body), head.clone(), tell.clone(), house.http);
        clients.spawn(async move {
            let mut client = Http1::connect(address).await;
            client.send(head.as_bytes()).await;
            client.send(&body).await;
            let answer = client.answer().await;
            if answer.status != 200 {
                answer.retry_after_s();
            }
            tell.send(answer.status).await.unwrap();
        });
    }
    drop(tell);
    // Three fit (28 MiB each with what they are decoded to) and are held by the writer; 29 are refused meanwhile.
    for _ in 0..29 {
        assert_eq!(crate::house::soon(told.recv()).await, Some(429));
    }
    house.writer.begun(3).await;
    house.writer.release();
    for _ in 0..3 {
        assert_eq!(crate::house::soon(told.recv()).await, Some(200));
    }
    clients.wait().await;
    let growth = growth_bytes(before);
    assert!(
        growth <= BUDGET + 64 * MIB,
        "the requests took {} MiB",
        growth / MIB
    );
    assert_eq!(house.writer.kept_spans(), 3 * 14);
    house.close().await;
}
