//! Sends a corpus at full speed: some connections, each sending its next request when the last one is acknowledged.
//!
//! Promises: every request is acknowledged whole, or the run fails; sending again is [`crate::sender`]'s.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{anyhow, bail};
use plumbing::Clock;
use testkit::corpus::{CorpusReader, read_corpus};

use crate::figures::{Spread, Stopwatch, millis};
use crate::options::Protocol;
use crate::program::Addresses;
use crate::rounds::Rounds;
use crate::sender::{Counts, Sender};

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

/// Sends the requests of a corpus file over so many connections.
pub(crate) fn send(
    corpus: &Path,
    addresses: &Addresses,
    (protocol, connections): (Protocol, usize),
    clock: &dyn Clock,
) -> anyhow::Result<Sent> {
    let records = Mutex::new(read_corpus(corpus)?);
    let counts = Counts::default();
    let watch = Stopwatch::start(clock);
    let times_ms = together(connections, || {
        let mut sender = Sender::new(protocol, addresses, clock, &counts)?;
        let mut times_ms = Vec::new();
        while let Some(request) = next_request(&records)? {
            let watch = Stopwatch::start(clock);
            sender.send_until_kept(&request)?;
            times_ms.push(millis(watch.elapsed()));
        }
        Ok(times_ms)
    })?;
    Ok(Sent::of(counts, watch.elapsed(), times_ms))
}

/// Sends requests of rounds in the same way as long as it goes on.
pub(crate) fn send_rounds(
    rounds: &Rounds,
    addresses: &Addresses,
    (protocol, connections): (Protocol, usize),
    clock: &dyn Clock,
    goes_on: impl Fn() -> bool + Sync,
) -> anyhow::Result<Sent> {
    let counts = Counts::default();
    let watch = Stopwatch::start(clock);
    let times_ms = together(connections, || {
        let mut sender = Sender::new(protocol, addresses, clock, &counts)?;
        let mut times_ms = Vec::new();
        while goes_on() {
            let taken = rounds.take()?;
            let watch = Stopwatch::start(clock);
            rounds.with_bytes(taken, clock, |bytes| sender.send_until_kept(bytes))??;
            times_ms.push(millis(watch.elapsed()));
        }
        Ok(times_ms)
    })?;
    Ok(Sent::of(counts, watch.elapsed(), times_ms))
}

impl Sent {
    fn of(counts: Counts, wall: Duration, times_ms: Vec<f64>) -> Self {
        Self {
            requests: counts.requests.into_inner(),
            bytes: counts.bytes.into_inner(),
            wall,
            sent_back: counts.sent_back.into_inner(),
            broken_connections: counts.broken_connections.into_inner(),
            acknowledgement: Spread::of(times_ms),
        }
    }
}

/// Runs so many threads of the same, and gives together what each gives.
pub(crate) fn together<T: Send>(
    threads: usize,
    work: impl Fn() -> anyhow::Result<Vec<T>> + Sync,
) -> anyhow::Result<Vec<T>> {
    let results: Vec<anyhow::Result<Vec<T>>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let ended = running.into_iter().map(|sender| {
            let result = sender.join();
            result.unwrap_or_else(|_| Err(anyhow!("a sender panicked")))
        });
        ended.collect()
    });
    let mut all = Vec::new();
    for result in results {
        all.append(&mut result?);
    }
    Ok(all)
}

fn next_request(records: &Mutex<CorpusReader>) -> anyhow::Result<Option<Vec<u8>>> {
    let Ok(mut records) = records.lock() else {
        bail!("another sender panicked")
    };
    Ok(records.next().transpose()?)
}
