//! Sends OTLP requests over HTTP, again when the receiver asks for a pause.
//!
//! Promises: a request counts as accepted only after a complete 200; the pause a receiver asks for is kept; without
//! one the pauses double, with a random part so that many senders don't come back at once.
//! Refuses: trying longer than the patience, and trying again what was refused for good.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use plumbing::{Clock, Random};
use prost::Message;
use testkit::otlp::collector::trace::v1::ExportTraceServiceResponse;

use crate::client::{Connection, Reply, Server};
use crate::error::Error;

const CONTENT_TYPE: &str = "application/x-protobuf";
/// Where OTLP over HTTP takes traces, unless the address names another path.
const TRACES_PATH: &str = "/v1/traces";
/// How long one try may take.
const TRY_TIMEOUT: Duration = Duration::from_secs(60);
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// What became of the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Requests that were accepted.
    pub requests: u64,
    /// Spans that were accepted.
    pub accepted_spans: u64,
    /// Spans that the receiver rejected in requests that it accepted.
    pub rejected_spans: u64,
    /// Why, as the receiver last said.
    pub rejection: String,
    /// Tries that were refused for the moment.
    pub resends: u64,
}

impl Sent {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            accepted_spans: self.accepted_spans + other.accepted_spans,
            rejected_spans: self.rejected_spans + other.rejected_spans,
            rejection: if other.rejection.is_empty() {
                self.rejection
            } else {
                other.rejection
            },
            resends: self.resends + other.resends,
        }
    }
}

/// Sends requests one after the other over one connection.
#[derive(Debug)]
pub(crate) struct OtlpSender {
    connection: Connection,
    path: String,
    url: String,
    patience: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sent: Sent,
}

impl OtlpSender {
    /// Prepares to send to a server; nothing is opened yet.
    pub(crate) fn new(
        server: Server,
        patience: Duration,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let path = if server.path().is_empty() {
            TRACES_PATH.to_owned()
        } else {
            server.path().to_owned()
        };
        let url = server.url();
        let connection = Connection::new(server, TRY_TIMEOUT);
        Self {
            connection,
            path,
            url,
            patience,
            clock,
            random,
            sent: Sent::default(),
        }
    }

    /// What became of the requests so far.
    pub(crate) fn sent(&self) -> Sent {
        self.sent.clone()
    }

    /// Sends one request until it is accepted.
    pub(crate) async fn send(&mut self, request: Bytes, spans: u64) -> Result<(), Error> {
        let begun = self.clock.monotonic_nanos();
        let mut pause = PAUSE_FIRST;
        loop {
            let answer = self
                .connection
                .post(&self.path, CONTENT_TYPE, request.clone())
                .await;
            let (refusal, asked_pause) = match answer {
                Ok(reply) if reply.status == StatusCode::OK => {
                    self.count(&reply, spans);
                    return Ok(());
                }
                Ok(reply) if is_for_now(reply.status) => (self.refusal(&reply), reply.retry_after),
                Ok(reply) => return Err(self.refusal(&reply)),
                Err(error) => (error, None),
            };
            let passed = Duration::from_nanos(self.clock.monotonic_nanos() - begun);
            let wait = asked_pause.unwrap_or_else(|| self.jittered(pause));
            if passed + wait > self.patience {
                return Err(refusal);
            }
            self.sent.resends += 1;
            pause = (pause * 2).min(PAUSE_MAX);
            tokio::time::sleep(wait).await;
        }
    }

    /// Between half of the pause and the whole.
    fn jittered(&self, pause: Duration) -> Duration {
        let half = pause / 2;
        half + Duration::from_millis(
            self.random
                .below(u64::try_from(half.as_millis()).unwrap_or(0) + 1),
        )
    }

    fn count(&mut self, reply: &Reply, spans: u64) {
        // An answer that can't be understood rejects nothing: the 200 alone says that the request was taken.
        let partial = ExportTraceServiceResponse::decode(reply.body.clone())
            .unwrap_or_default()
            .partial_success;
        let rejected = partial.as_ref().map_or(0, |partial| {
            u64::try_from(partial.rejected_spans).unwrap_or(0)
        });
        self.sent.requests += 1;
        self.sent.rejected_spans += rejected.min(spans);
        self.sent.accepted_spans += spans.saturating_sub(rejected);
        if let Some(partial) = partial.filter(|partial| partial.rejected_spans > 0) {
            self.sent.rejection = partial.error_message;
        }
    }

    fn refusal(&self, reply: &Reply) -> Error {
        let what = match reply.excerpt() {
            words if words.is_empty() => String::new(),
            words => format!(": {words}"),
        };
        Error::Ask(format!(
            "{} refused the spans with {}{what}",
            self.url, reply.status
        ))
    }
}

/// Tells whether OTLP wants the request to be sent again.
fn is_for_now(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests;
