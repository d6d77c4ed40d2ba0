//! The ledger of the way in: what came, and what became of it.
//!
//! Promises
//! - At every instant, for requests, spans and bytes:
//!   `received = accepted + rejected + filtered + refused + dropped + in flight` ([`Counts::is_balanced`]).
//! - Every request is settled exactly once, also when its client goes away or its task is given up.
//!
//! A *rejected* span is one that its request was taken without (partial success). A *filtered* one was left out by a
//! step that somebody configured: its sender is told nothing. A *refused* one was answered with
//! an error. A *dropped* one belonged to a request whose client was gone before its spans went to the writer.
//! Spans are known only once a body is decoded; what is refused before is counted in requests and bytes.
//!
//! One small lock guards all numbers of a transport, so that they fit together; it is taken a few times a request.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use codec::Decoded;
use model::contract::FilteredSpans;
use plumbing::{Clock, latency_buckets};
use prometheus_client::metrics::histogram::Histogram;

use crate::refusal::{Reason, Refusal};

/// The way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP/HTTP.
    OtlpHttp,
    /// OTLP/gRPC.
    OtlpGrpc,
    /// Jaeger's Thrift over HTTP.
    JaegerHttp,
    /// Jaeger's agents over gRPC.
    JaegerGrpc,
    /// Jaeger's storage API over gRPC.
    StorageGrpc,
    /// Zipkin over HTTP.
    ZipkinHttp,
    /// Thrift's compact protocol by datagrams.
    UdpCompact,
    /// Thrift's binary protocol by datagrams.
    UdpBinary,
    /// Thrift's compact protocol by datagrams, at the port of the oldest clients.
    UdpZipkin,
}

impl Transport {
    /// All.
    pub const ALL: [Self; 9] = [
        Self::OtlpHttp,
        Self::OtlpGrpc,
        Self::JaegerHttp,
        Self::JaegerGrpc,
        Self::StorageGrpc,
        Self::ZipkinHttp,
        Self::UdpCompact,
        Self::UdpBinary,
        Self::UdpZipkin,
    ];

    /// The word in the metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OtlpHttp => "otlp_http",
            Self::OtlpGrpc => "otlp_grpc",
            Self::JaegerHttp => "jaeger_http",
            Self::JaegerGrpc => "jaeger_grpc",
            Self::StorageGrpc => "storage_grpc",
            Self::ZipkinHttp => "zipkin_http",
            Self::UdpCompact => "jaeger_udp_compact",
            Self::UdpBinary => "jaeger_udp_binary",
            Self::UdpZipkin => "zipkin_udp_compact",
        }
    }

    /// Tells whether it is gRPC.
    #[must_use]
    pub fn is_grpc(self) -> bool {
        matches!(self, Self::OtlpGrpc | Self::JaegerGrpc | Self::StorageGrpc)
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its spans are kept, but for those that were rejected one by one.
    Accepted,
    /// It was answered with an error.
    Refused(Reason),
    /// Its client was gone before its spans went to the writer.
    Dropped,
}

/// What came and what became of it, of one kind: requests, spans or bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// All that came.
    pub received: u64,
    /// What was taken and acknowledged.
    pub accepted: u64,
    /// Spans left out of a request that was taken.
    pub rejected: u64,
    /// Spans that a step left out, by its reason.
    pub filtered: BTreeMap<&'static str, u64>,
    /// What was answered with an error, by [`Reason::ALL`].
    pub refused: [u64; Reason::ALL.len()],
    /// What was given up because its client was gone.
    pub dropped: u64,
    /// What is under way.
    pub in_flight: u64,
}

impl Flow {
    /// All that steps left out.
    #[must_use]
    pub fn filtered_sum(&self) -> u64 {
        self.filtered.values().sum()
    }

    /// All that was refused.
    #[must_use]
    pub fn refused_sum(&self) -> u64 {
        self.refused.iter().sum()
    }

    /// What was refused for one reason.
    #[must_use]
    pub fn refused_for(&self, reason: Reason) -> u64 {
        self.refused
            .get(reason.index())
            .copied()
            .unwrap_or_default()
    }

    /// Tells whether everything that came is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let ended = self.accepted + self.rejected + self.filtered_sum() + self.refused_sum();
        self.received == ended + self.dropped + self.in_flight
    }

    fn receive(&mut self, count: u64) {
        self.received += count;
        self.in_flight += count;
    }

    fn settle(&mut self, count: u64, outcome: Outcome) {
        self.in_flight = self.in_flight.saturating_sub(count);
        match outcome {
            Outcome::Accepted => self.accepted += count,
            Outcome::Refused(reason) => {
                if let Some(refused) = self.refused.get_mut(reason.index()) {
                    *refused += count;
                }
            }
            Outcome::Dropped => self.dropped += count,
        }
    }
}

/// Everything that is counted of one transport.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests.
    pub requests: Flow,
    /// Spans.
    pub spans: Flow,
    /// Bytes of bodies, as sent.
    pub bytes: Flow,
    /// Spans among the accepted that had been stored before.
    pub duplicate_spans: u64,
    /// Texts that were not UTF-8 and were repaired.
    pub repaired_texts: u64,
    /// Attribute values that were nested too deep and were cut.
    pub truncated_values: u64,
    /// Spans that ended [`LATE_NANOS`] before they came, or earlier.
    pub late_spans: u64,
    /// Connections that are open.
    pub connections: u64,
    /// Connections that were closed as they came, for there were too many.
    pub connections_refused: u64,
}

impl Counts {
    /// Tells whether everything that came is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.requests.is_balanced() && self.spans.is_balanced() && self.bytes.is_balanced()
    }
}

/// A span that comes so long after its end is late, in nanoseconds: five minutes. Charts of the last minutes lack it.
pub const LATE_NANOS: u64 = 300_000_000_000;

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// When, ns since the epoch.
    pub unix_nanos: u64,
    /// With which words.
    pub message: String,
    /// Who sent it, where that is known: the other end of the connection, which may be a proxy.
    pub peer: Option<IpAddr>,
}

/// When something last happened at a transport, for people who look why nothing arrives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Last {
    /// When a request was last taken, ns since the epoch; 0: never.
    pub accepted_unix_nanos: u64,
    /// The one that was last refused.
    pub refused: Option<Refused>,
}

/// The ledger of all transports.
#[derive(Debug)]
pub struct Ledger {
    counts: HashMap<Transport, Mutex<Counts>>,
    last: HashMap<Transport, Mutex<Last>>,
    durations: HashMap<Transport, Histogram>,
    clock: Arc<dyn Clock>,
}

impl Ledger {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let counts = Transport::ALL
            .into_iter()
            .map(|transport| (transport, Mutex::default()))
            .collect();
        let durations = Transport::ALL
            .into_iter()
            .map(|transport| (transport, Histogram::new(latency_buckets())))
            .collect();
        let last = Transport::ALL
            .into_iter()
            .map(|transport| (transport, Mutex::default()))
            .collect();
        Arc::new(Self {
            counts,
            last,
            durations,
            clock,
        })
    }

    /// What was counted up to this instant.
    #[must_use]
    pub fn counts(&self, transport: Transport) -> Counts {
        let mut copy = Counts::default();
        self.change(transport, |counts| copy = counts.clone());
        copy
    }

    /// When something last happened at a transport.
    #[must_use]
    pub fn last(&self, transport: Transport) -> Last {
        let mut copy = Last::default();
        self.change_last(transport, |last| copy = last.clone());
        copy
    }

    fn change_last(&self, transport: Transport, change: impl FnOnce(&mut Last)) {
        if let Some(last) = self.last.get(&transport) {
            change(&mut last.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    pub(crate) fn duration(&self, transport: Transport) -> Option<&Histogram> {
        self.durations.get(&transport)
    }

    pub(crate) fn change(&self, transport: Transport, change: impl FnOnce(&mut Counts)) {
        if let Some(counts) = self.counts.get(&transport) {
            change(&mut counts.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Opens the account of a request that somebody sent.
    pub(crate) fn open(self: &Arc<Self>, transport: Transport, peer: Option<IpAddr>) -> Arc<Tally> {
        self.change(transport, |counts| counts.requests.receive(1));
        Arc::new(Tally {
            started_nanos: self.clock.monotonic_nanos(),
            ledger: Arc::clone(self),
            transport,
            peer,
            bytes: AtomicU64::new(0),
            spans: AtomicU64::new(0),
            is_settled: AtomicBool::new(false),
        })
    }
}

/// The account of one request; settled as dropped when it is let go unsettled.
#[derive(Debug)]
pub(crate) struct Tally {
    ledger: Arc<Ledger>,
    transport: Transport,
    peer: Option<IpAddr>,
    started_nanos: u64,
    bytes: AtomicU64,
    spans: AtomicU64,
    is_settled: AtomicBool,
}

impl Tally {
    /// Counts bytes of the body as they come.
    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.ledger
            .change(self.transport, |counts| counts.bytes.receive(bytes));
    }

    /// Counts the spans once they are known; those rejected are settled with it.
    fn add_spans(&self, good: u64, rejected: u64) {
        self.spans.fetch_add(good, Ordering::AcqRel);
        self.ledger.change(self.transport, |counts| {
            counts.spans.receive(good);
            counts.spans.received += rejected;
            counts.spans.rejected += rejected;
        });
    }

    /// Settles spans that steps left out of the request.
    pub(crate) fn filter(&self, filtered: &[FilteredSpans]) {
        if plumbing::planted("receive-filtered-as-accepted") {
            return;
        }
        for FilteredSpans { reason, spans } in filtered {
            self.spans.fetch_sub(*spans, Ordering::AcqRel);
            self.ledger.change(self.transport, |counts| {
                counts.spans.in_flight = counts.spans.in_flight.saturating_sub(*spans);
                *counts.spans.filtered.entry(reason).or_default() += spans;
            });
        }
    }

    /// Counts what was found in the body.
    pub(crate) fn add_decoded(&self, decoded: &Decoded) {
        let good = u64::try_from(decoded.batch.len()).unwrap_or(u64::MAX);
        self.add_spans(good, decoded.rejected_spans);
        self.add_notes(decoded.repaired_texts, decoded.truncated_values, 0);
        let spans = decoded.batch.spans();
        self.add_late(&spans.start, &spans.end);
    }

    /// Counts those that come long after their ends. One that ends before it starts, as one that was never ended, is
    /// judged by its start.
    fn add_late(&self, starts: &[u64], ends: &[u64]) {
        let now = self.ledger.clock.unix_nanos();
        let latest = now.saturating_sub(LATE_NANOS);
        let last = starts.iter().zip(ends).map(|(start, end)| start.max(end));
        let late = last.filter(|last| **last <= latest).count() as u64;
        if late > 0 {
            self.ledger
                .change(self.transport, |counts| counts.late_spans += late);
        }
    }

    /// Counts what was changed in the texts and values of the spans, or found stored already.
    pub(crate) fn add_notes(
        &self,
        repaired_texts: u64,
        truncated_values: u64,
        duplicate_spans: u64,
    ) {
        self.ledger.change(self.transport, |counts| {
            counts.repaired_texts += repaired_texts;
            counts.truncated_values += truncated_values;
            counts.duplicate_spans += duplicate_spans;
        });
    }

    /// Closes the account of a request that was refused, and keeps what it was told.
    pub(crate) fn refuse(&self, refusal: &Refusal) {
        let told = Refused {
            unix_nanos: self.ledger.clock.unix_nanos(),
            message: refusal.to_string(),
            peer: self.peer,
        };
        self.ledger
            .change_last(self.transport, |last| last.refused = Some(told));
        self.settle(Outcome::Refused(refusal.kind()));
    }

    /// Closes the account; only the first call counts.
    pub(crate) fn settle(&self, outcome: Outcome) {
        if self.is_settled.swap(true, Ordering::AcqRel) {
            return;
        }
        let (spans, bytes) = (
            self.spans.load(Ordering::Acquire),
            self.bytes.load(Ordering::Acquire),
        );
        self.ledger.change(self.transport, |counts| {
            counts.requests.settle(1, outcome);
            counts.spans.settle(spans, outcome);
            counts.bytes.settle(bytes, outcome);
        });
        if outcome == Outcome::Accepted {
            let now = self.ledger.clock.unix_nanos();
            self.ledger
                .change_last(self.transport, |last| last.accepted_unix_nanos = now);
        }
        let nanos = self
            .ledger
            .clock
            .monotonic_nanos()
            .saturating_sub(self.started_nanos);
        if let Some(duration) = self.ledger.duration(self.transport) {
            duration.observe(std::time::Duration::from_nanos(nanos).as_secs_f64());
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.settle(Outcome::Dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbing::ManualClock;

    #[test]
    fn everything_that_came_is_accounted_for_at_every_step() {
        let ledger = Ledger::new(Arc::new(ManualClock::at(0)));
        let balanced = || ledger.counts(Transport::OtlpHttp).is_balanced();
        let first = ledger.open(Transport::OtlpHttp, None);
        first.add_bytes(100);
        first.add_spans(7, 2);
        assert!(balanced());
        let second = ledger.open(Transport::OtlpHttp, None);
        second.add_bytes(30);
        first.settle(Outcome::Accepted);
        first.settle(Outcome::Dropped);
        assert!(balanced());
        second.settle(Outcome::Refused(Reason::Malformed));
        let third = ledger.open(Transport::OtlpHttp, None);
        third.add_spans(5, 0);
        drop(third);
        let counts = ledger.counts(Transport::OtlpHttp);
        assert!(counts.is_balanced());
        assert_eq!(
            (
                counts.requests.received,
                counts.requests.accepted,
                counts.requests.dropped
            ),
            (3, 1, 1)
        );
        assert_eq!(
            (
                counts.spans.received,
                counts.spans.accepted,
                counts.spans.rejected
            ),
            (14, 7, 2)
        );
        assert_eq!(
            (
                counts.spans.dropped,
                counts.spans.in_flight,
                counts.bytes.refused_sum()
            ),
            (5, 0, 30)
        );
        assert_eq!(ledger.counts(Transport::OtlpGrpc), Counts::default());
    }

    #[test]
    fn a_span_is_late_five_minutes_after_its_end() {
        let ledger = Ledger::new(Arc::new(ManualClock::at(LATE_NANOS + 1_000)));
        let tally = ledger.open(Transport::OtlpGrpc, None);
        // On the point, a moment before it; then two without an end, one of which has just begun.
        tally.add_late(&[0, 0, 0, 1_001], &[1_000, 1_001, 0, 0]);
        assert_eq!(ledger.counts(Transport::OtlpGrpc).late_spans, 2);
        assert_eq!(ledger.counts(Transport::OtlpHttp).late_spans, 0);
    }
}
