//! Sends a corpus at full speed: some connections, each sending its next request when the last one is acknowledged.
//!
//! Promises: every request is acknowledged whole, or the run fails; when the program says "later" (429, 503) the sender
//! waits as long as it is told, sends the same bytes again, and counts it.
//! Refuses: compressing, and requests that are kept being sent back ([`ATTEMPTS_MAX`]).

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use plumbing::Clock;
use prost::Message as _;
use testkit::corpus::{CorpusReader, read_corpus};

use crate::figures::{Spread, Stopwatch, millis};
use crate::http::{Answer, Connection};

pub(crate) const PATH: &str = "/v1/traces";
pub(crate) const PROTOBUF: &str = "application/x-protobuf";

/// How often one request is sent at most.
const ATTEMPTS_MAX: u32 = 200;
/// The longest that a sender waits before it sends again, whatever it is told.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a sender waits when it is not told.
const PAUSE_USUAL: Duration = Duration::from_millis(100);

/// How the sending went.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    /// From the first byte sent to the last acknowledgement.
    pub(crate) wall: Duration,
    /// Requests that were sent back with 429 or 503.
    pub(crate) sent_back: u64,
    /// Connections that broke under a request, which was then sent again.
    pub(crate) broken_connections: u64,
    /// From sending a request to its acknowledgement, waiting included.
    pub(crate) acknowledgement: Option<Spread>,
}

/// What all senders share.
struct Shared<'a> {
    address: &'a str,
    clock: &'a dyn Clock,
    records: Mutex<CorpusReader>,
    bytes: AtomicU64,
    sent_back: AtomicU64,
    broken_connections: AtomicU64,
}

/// Sends the requests of a corpus file over so many connections.
pub(crate) fn send(
    corpus: &Path,
    address: &str,
    connections: usize,
    clock: &dyn Clock,
) -> anyhow::Result<Sent> {
    let shared = Shared {
        address,
        clock,
        records: Mutex::new(read_corpus(corpus)?),
        bytes: AtomicU64::new(0),
        sent_back: AtomicU64::new(0),
        broken_connections: AtomicU64::new(0),
    };
    let watch = Stopwatch::start(clock);
    let senders: Vec<anyhow::Result<Vec<f64>>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| shared.send_until_empty()))
            .collect();
        let ended = running.into_iter().map(|sender| {
            let result = sender.join();
            result.unwrap_or_else(|_| Err(anyhow!("a sender panicked")))
        });
        ended.collect()
    });
    let wall = watch.elapsed();
    let mut times_ms = Vec::new();
    for sender in senders {
        times_ms.append(&mut sender?);
    }
    Ok(Sent {
        requests: times_ms.len() as u64,
        bytes: shared.bytes.into_inner(),
        wall,
        sent_back: shared.sent_back.into_inner(),
        broken_connections: shared.broken_connections.into_inner(),
        acknowledgement: Spread::of(times_ms),
    })
}

impl Shared<'_> {
    fn send_until_empty(&self) -> anyhow::Result<Vec<f64>> {
        let mut connection = Connection::to(self.address);
        let mut times_ms = Vec::new();
        while let Some(request) = self.next_request()? {
            let watch = Stopwatch::start(self.clock);
            self.send_until_kept(&mut connection, &request)?;
            times_ms.push(millis(watch.elapsed()));
            self.bytes
                .fetch_add(request.len() as u64, Ordering::Relaxed);
        }
        Ok(times_ms)
    }

    fn next_request(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let Ok(mut records) = self.records.lock() else {
            bail!("another sender panicked")
        };
        Ok(records.next().transpose()?)
    }

    fn send_until_kept(&self, connection: &mut Connection, request: &[u8]) -> anyhow::Result<()> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS_MAX {
            match connection.post(PATH, PROTOBUF, request) {
                Ok(answer) if answer.status == 429 || answer.status == 503 => {
                    self.sent_back.fetch_add(1, Ordering::Relaxed);
                    last = format!("{} {}", answer.status, answer.excerpt());
                    self.clock.sleep(pause(answer.header("retry-after")));
                }
                Ok(answer) => return check_kept(&answer),
                Err(error) => {
                    self.broken_connections.fetch_add(1, Ordering::Relaxed);
                    last = error.to_string();
                    self.clock.sleep(PAUSE_USUAL);
                }
            }
        }
        bail!("a request was not taken in {ATTEMPTS_MAX} attempts; the last one: {last}")
    }
}

fn pause(retry_after: Option<&str>) -> Duration {
    let seconds = retry_after.and_then(|text| text.parse().ok());
    seconds
        .map_or(PAUSE_USUAL, Duration::from_secs)
        .min(PAUSE_MAX)
}

/// Checks that a request was kept whole.
pub(crate) fn check_kept(answer: &Answer) -> anyhow::Result<()> {
    ensure!(
        answer.status == 200,
        "a request got {}: {}",
        answer.status,
        answer.excerpt()
    );
    let response = ExportTraceServiceResponse::decode(answer.body.as_slice())
        .context("the body of an acknowledgement is none")?;
    if let Some(partial) = response.partial_success {
        let (rejected, why) = (partial.rejected_spans, partial.error_message);
        ensure!(
            rejected == 0,
            "{rejected} spans of a request were rejected: {why}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_as_long_as_it_is_told_and_never_too_long() {
        assert_eq!(pause(Some("2")), Duration::from_secs(2));
        assert_eq!(pause(Some("86400")), PAUSE_MAX);
        assert_eq!(pause(Some("soon")), PAUSE_USUAL);
        assert_eq!(pause(None), PAUSE_USUAL);
    }
}
