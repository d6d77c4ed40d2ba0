//! How long it takes until a span that was acknowledged is found: sends one, and asks for its trace at once.
//!
//! Promises: the first question after the acknowledgement decides; there is no second try. The spans are of a service
//! of their own, [`SERVICE`], and each is a trace of its own, so that they change no answer about the corpus but the
//! list of services.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use plumbing::Clock;
use prost::Message as _;
use serde::Serialize;
use testkit::attribute;

use crate::figures::{Spread, Stopwatch, millis};
use crate::http::Connection;
use crate::program::Addresses;
use crate::sender::{PATH, PROTOBUF, check_kept};

/// Whose spans the probes are.
pub(crate) const SERVICE: &str = "bench-probe";

/// Between two probes while the corpus is being sent.
const PAUSE: Duration = Duration::from_millis(100);

/// What came of some probes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Probed {
    /// Spans that were acknowledged.
    pub(crate) spans: u64,
    /// Probes that the program sent back because it was busy.
    pub(crate) sent_back: u64,
    /// Acknowledged spans that were not found by the first question.
    pub(crate) not_found: u64,
    /// From sending to acknowledgement.
    pub(crate) acknowledgement: Option<Spread>,
    /// From acknowledgement to the whole answer with the span in it.
    pub(crate) found: Option<Spread>,
}

/// Sends probes one after the other; each has an id of its own.
#[derive(Debug)]
pub(crate) struct Prober<'a> {
    clock: &'a dyn Clock,
    sender: Connection,
    asker: Connection,
    /// Tells the ids of this prober from another one's.
    series: u64,
    sent: u64,
    sent_back: u64,
    not_found: u64,
    acknowledgement_ms: Vec<f64>,
    found_ms: Vec<f64>,
}

impl<'a> Prober<'a> {
    pub(crate) fn new(addresses: &Addresses, series: u64, clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            sender: Connection::to(&addresses.otlp_http),
            asker: Connection::to(&addresses.query_http),
            series,
            sent: 0,
            sent_back: 0,
            not_found: 0,
            acknowledgement_ms: Vec::new(),
            found_ms: Vec::new(),
        }
    }

    /// Sends this many probes.
    pub(crate) fn probe_times(mut self, times: usize) -> anyhow::Result<Probed> {
        for _ in 0..times {
            self.probe()?;
        }
        Ok(self.into_probed())
    }

    /// Sends probes with a pause between them until it is told to end.
    pub(crate) fn probe_until(mut self, end: &AtomicBool) -> anyhow::Result<Probed> {
        while !end.load(Ordering::Relaxed) {
            self.probe()?;
            self.clock.sleep(PAUSE);
        }
        Ok(self.into_probed())
    }

    fn probe(&mut self) -> anyhow::Result<()> {
        self.sent += 1;
        // Even first bytes: no trace of a corpus has one.
        let id = format!("02{:014x}{:016x}", self.series, self.sent);
        let request = self.request();
        let watch = Stopwatch::start(self.clock);
        let answer = self.sender.post(PATH, PROTOBUF, &request)?;
        if answer.status == 429 || answer.status == 503 {
            self.sent_back += 1;
            return Ok(());
        }
        self.acknowledgement_ms.push(millis(watch.elapsed()));
        check_kept(&answer)?;
        let watch = Stopwatch::start(self.clock);
        let answer = self.asker.get(&format!("/api/traces/{id}"))?;
        if answer.status == 200 {
            self.found_ms.push(millis(watch.elapsed()));
        } else {
            self.not_found += 1;
        }
        Ok(())
    }

    fn request(&self) -> Vec<u8> {
        let mut trace_id = (self.series | 2 << 56).to_be_bytes().to_vec();
        trace_id.extend(self.sent.to_be_bytes());
        let start = self.clock.unix_nanos();
        let span = Span {
            trace_id,
            span_id: self.sent.to_be_bytes().to_vec(),
            name: "probe".to_owned(),
            kind: 1,
            start_time_unix_nano: start,
            end_time_unix_nano: start + 1_000_000,
            ..Span::default()
        };
        let resource = Resource {
            attributes: vec![attribute("service.name", SERVICE)],
            ..Resource::default()
        };
        let resource_spans = vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    fn into_probed(self) -> Probed {
        Probed {
            spans: self.acknowledgement_ms.len() as u64,
            sent_back: self.sent_back,
            not_found: self.not_found,
            acknowledgement: Spread::of(self.acknowledgement_ms),
            found: Spread::of(self.found_ms),
        }
    }
}
