//! A span that is sent where applications send theirs, and found where people look for it.

use std::time::Duration;

use backends::Finding;
use bytes::Bytes;
use http::StatusCode;
use plumbing::{Clock as _, RealClock};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::STEP_TIMEOUT;
use crate::cli::IdentityArgs;
use crate::client::{Connection, Server};
use crate::error::Error;

const SUBJECT: &str = "round trip";
/// The service that the span is of.
const SERVICE: &str = "trackway-doctor";
const OTLP_PORT: u16 = 4318;
const QUERY_PORT: u16 = 16686;
/// How long nobody may answer: a Service whose pods have just become ready is not known everywhere at once.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How long it may take until it is found: a server refreshes its index, an ingester reads its topic.
const FOUND_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// Sends a span and looks for it.
pub(super) async fn examine(send_to: &str, ask: &str, identity: &IdentityArgs) -> Finding {
    match travel(send_to, ask, identity).await {
        Ok(finding) => finding,
        Err(error) => Finding::wrong(SUBJECT, error.line(), ""),
    }
}

/// A request with one span, as OTLP in JSON.
fn request(id: &str, now: u64) -> Bytes {
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": SERVICE}}]},
        "scopeSpans": [{"spans": [{
            "traceId": id, "spanId": "00000000000d0c70", "name": "round trip", "kind": 1,
            "startTimeUnixNano": now.to_string(), "endTimeUnixNano": (now + 1_000_000).to_string(),
        }]}],
    }]});
    Bytes::from(request.to_string())
}

async fn travel(send_to: &str, ask: &str, identity: &IdentityArgs) -> Result<Finding, Error> {
    let server = |url, port| Server::parse(url, port, identity).map_err(Error::Usage);
    let (receiver, query) = (server(send_to, OTLP_PORT)?, server(ask, QUERY_PORT)?);
    let path = format!(
        "{}/v1/traces",
        receiver.path().trim_end_matches("/v1/traces")
    );
    let now = RealClock::default().unix_nanos();
    let id = format!(
        "{:032x}",
        u128::from(now) << 64 | u128::from(std::process::id())
    );
    let begin = Instant::now();
    let body = request(&id, now);
    let mut connection = Connection::new(receiver, STEP_TIMEOUT);
    let sent = loop {
        match connection
            .post(&path, "application/json", body.clone())
            .await
        {
            Err(_) if begin.elapsed() < ANSWERED_WITHIN => sleep(PAUSE).await,
            answer => break answer?,
        }
    };
    if sent.status != StatusCode::OK {
        return Ok(Finding::wrong(
            SUBJECT,
            format!(
                "{send_to} answers {} to a span: {}",
                sent.status,
                sent.excerpt()
            ),
            match sent.status {
                StatusCode::UNAUTHORIZED => "say who sends: --token-file or --password-file",
                StatusCode::SERVICE_UNAVAILABLE => "it says why; look at its store",
                _ => "does --send-to name the port of OTLP over HTTP (4318)?",
            },
        ));
    }
    let accepted = Instant::now();
    let mut connection = Connection::new(query, STEP_TIMEOUT);
    loop {
        let reply = match connection.get(&format!("/api/traces/{id}")).await {
            Err(_) if accepted.elapsed() < ANSWERED_WITHIN => {
                sleep(PAUSE).await;
                continue;
            }
            answer => answer?,
        };
        match reply.status {
            StatusCode::OK => {
                let seconds = begin.elapsed().as_secs_f64();
                let seen =
                    format!("a span sent to {send_to} was found at {ask} after {seconds:.1} s");
                return Ok(Finding::well(SUBJECT, seen));
            }
            StatusCode::NOT_FOUND if accepted.elapsed() < FOUND_WITHIN => sleep(PAUSE).await,
            StatusCode::NOT_FOUND => {
                return Ok(Finding::wrong(
                    SUBJECT,
                    format!(
                        "{send_to} accepted a span that {ask} does not find after {} s",
                        FOUND_WITHIN.as_secs()
                    ),
                    "do both have the same store, index prefix and tenant? With Kafka between: does an ingester run?",
                ));
            }
            status => {
                return Ok(Finding::wrong(
                    SUBJECT,
                    format!("{ask} answers {status}: {}", reply.excerpt()),
                    match status {
                        StatusCode::UNAUTHORIZED => "say who asks: --token-file or --password-file",
                        _ => "does --ask name a query node (16686)?",
                    },
                ));
            }
        }
    }
}
