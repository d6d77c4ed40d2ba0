//! One sender: a connection over HTTP or gRPC, and what it does when a request is not taken.
//!
//! Promises: when the program says "later" (429 or 503, in gRPC `RESOURCE_EXHAUSTED` or `UNAVAILABLE`) the sender waits
//! as long as it is told, sends the same bytes again, and counts it; what was kept in part is an error.
//! Refuses: compressing, and requests that are kept being sent back ([`ATTEMPTS_MAX`]).

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use plumbing::Clock;
use prost::Message as _;

use crate::grpc::{Called, GrpcConnection};
use crate::http::{Answer, Connection};
use crate::options::Protocol;
use crate::program::Addresses;

pub(crate) const PATH: &str = "/v1/traces";
pub(crate) const PROTOBUF: &str = "application/x-protobuf";

/// How often one request is sent at most.
const ATTEMPTS_MAX: u32 = 200;
/// The longest that a sender waits before it sends again, whatever it is told.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a sender waits when it is not told.
const PAUSE_USUAL: Duration = Duration::from_millis(100);
/// gRPC's codes for "later".
const RESOURCE_EXHAUSTED: u32 = 8;
const UNAVAILABLE: u32 = 14;

/// What all senders of a load count together.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Requests that were kept, and their bytes.
    pub(crate) requests: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// Answers that said "later".
    pub(crate) sent_back: AtomicU64,
    /// Connections that broke under a request, which was then sent again.
    pub(crate) broken_connections: AtomicU64,
}

/// Sends requests, one after the other.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    wire: Wire,
    clock: &'a dyn Clock,
    counts: &'a Counts,
}

#[derive(Debug)]
enum Wire {
    Http(Connection),
    Grpc(Box<GrpcConnection>),
}

/// What became of a request that was answered.
enum Fate {
    Kept,
    Later(Duration, String),
}

impl<'a> Sender<'a> {
    pub(crate) fn new(
        protocol: Protocol,
        addresses: &Addresses,
        clock: &'a dyn Clock,
        counts: &'a Counts,
    ) -> io::Result<Self> {
        let wire = match protocol {
            Protocol::Http => Wire::Http(Connection::to(&addresses.otlp_http)),
            Protocol::Grpc => Wire::Grpc(Box::new(GrpcConnection::to(&addresses.otlp_grpc)?)),
        };
        Ok(Self {
            wire,
            clock,
            counts,
        })
    }

    /// Sends a request until it is kept.
    pub(crate) fn send_until_kept(&mut self, request: &[u8]) -> anyhow::Result<()> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS_MAX {
            let pause = match self.send(request) {
                Ok(fate) => match fate? {
                    Fate::Kept => {
                        let bytes = request.len() as u64;
                        self.counts.requests.fetch_add(1, Ordering::Relaxed);
                        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
                        return Ok(());
                    }
                    Fate::Later(pause, why) => {
                        self.counts.sent_back.fetch_add(1, Ordering::Relaxed);
                        last = why;
                        pause
                    }
                },
                Err(error) => {
                    self.counts
                        .broken_connections
                        .fetch_add(1, Ordering::Relaxed);
                    last = error.to_string();
                    PAUSE_USUAL
                }
            };
            self.clock.sleep(pause);
        }
        bail!("a request was not taken in {ATTEMPTS_MAX} attempts; the last one: {last}")
    }

    /// The outer error: the connection broke, and the request may be sent again.
    fn send(&mut self, request: &[u8]) -> io::Result<anyhow::Result<Fate>> {
        match &mut self.wire {
            Wire::Http(connection) => connection.post(PATH, PROTOBUF, request).map(fate_of_http),
            Wire::Grpc(connection) => connection.export(request).map(fate_of_grpc),
        }
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "stands behind `map`, which gives it away"
)]
fn fate_of_http(answer: Answer) -> anyhow::Result<Fate> {
    if answer.status == 429 || answer.status == 503 {
        let why = format!("{} {}", answer.status, answer.excerpt());
        return Ok(Fate::Later(pause(answer.header("retry-after")), why));
    }
    check_kept(&answer)?;
    Ok(Fate::Kept)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "stands behind `map`, which gives it away"
)]
fn fate_of_grpc(called: Called) -> anyhow::Result<Fate> {
    let (code, message) = (called.code, &called.message);
    if code == RESOURCE_EXHAUSTED || code == UNAVAILABLE {
        return Ok(Fate::Later(PAUSE_USUAL, format!("code {code} {message}")));
    }
    ensure!(code == 0, "a request got code {code}: {message}");
    check_whole(&called.body)?;
    Ok(Fate::Kept)
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
    check_whole(&answer.body)
}

fn check_whole(body: &[u8]) -> anyhow::Result<()> {
    let response = ExportTraceServiceResponse::decode(body)
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

    #[test]
    fn tells_later_from_never_over_grpc() {
        let called = |code| Called {
            code,
            message: String::new(),
            body: Vec::new(),
        };
        assert!(matches!(fate_of_grpc(called(0)), Ok(Fate::Kept)));
        assert!(matches!(fate_of_grpc(called(8)), Ok(Fate::Later(..))));
        assert!(matches!(fate_of_grpc(called(14)), Ok(Fate::Later(..))));
        assert!(fate_of_grpc(called(3)).is_err());
        // Partial success: one span rejected.
        let body = vec![10, 2, 8, 1];
        assert!(fate_of_grpc(Called { body, ..called(0) }).is_err());
    }
}
