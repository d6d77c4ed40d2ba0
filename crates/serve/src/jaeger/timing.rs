//! The header `Server-Timing`: where the time of an answer went, in milliseconds. Browsers show it beside a request.
//!
//! `find` is the search itself, `read` the reading of spans, `write` the making of the answer's text.
//! Source: W3C Server Timing.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use plumbing::Clock;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Measures the parts of an answer, one after another.
#[derive(Debug)]
pub(super) struct Timing {
    clock: Arc<dyn Clock>,
    since_nanos: u64,
    header: String,
}

impl Timing {
    pub(super) fn start(clock: &Arc<dyn Clock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            since_nanos: clock.monotonic_nanos(),
            header: String::new(),
        }
    }

    /// Says that what took the time until now was this part.
    pub(super) fn part(&mut self, name: &str) {
        let now = self.clock.monotonic_nanos();
        let micros = now.saturating_sub(self.since_nanos) / 1_000;
        self.since_nanos = now;
        let comma = if self.header.is_empty() { "" } else { ", " };
        let (millis, rest) = (micros / 1_000, micros % 1_000);
        self.header
            .push_str(&format!("{comma}{name};dur={millis}.{rest:03}"));
    }

    /// Adds the header.
    pub(super) fn put(self, mut response: Response) -> Response {
        if let Ok(value) = HeaderValue::try_from(self.header) {
            response.headers_mut().insert(SERVER_TIMING, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use plumbing::ManualClock;

    use super::*;

    #[test]
    fn each_part_has_its_own_time() {
        let manual = Arc::new(ManualClock::at(0));
        let clock: Arc<dyn Clock> = manual.clone();
        let mut timing = Timing::start(&clock);
        manual.advance(std::time::Duration::from_micros(1_050));
        timing.part("find");
        manual.advance(std::time::Duration::from_millis(20));
        timing.part("read");
        let response = timing.put("".into_response());
        assert_eq!(
            response.headers().get("server-timing").unwrap(),
            "find;dur=1.050, read;dur=20.000"
        );
    }
}
