//! Reads what a collector answered: the other side of `answer.rs`, for whoever sends.

use std::time::Duration;

use prost::Message as _;

use crate::generated::google::rpc::{RetryInfo, Status};
use crate::generated::opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

/// What a collector says of a request that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Spans that it left out, for good.
    pub rejected_spans: u64,
    /// Why, or a warning.
    pub message: String,
}

/// Reads an `ExportTraceServiceResponse`; one that can't be read says nothing.
#[must_use]
pub fn read_success(body: &[u8]) -> Accepted {
    let response = ExportTraceServiceResponse::decode(body).unwrap_or_default();
    let partial = response.partial_success.unwrap_or_default();
    Accepted {
        rejected_spans: u64::try_from(partial.rejected_spans).unwrap_or(0),
        message: partial.error_message,
    }
}

/// The pause that a `google.rpc.Status` asks for in its `RetryInfo`; none: it has no such detail.
#[must_use]
pub fn read_retry_delay(status: &[u8]) -> Option<Duration> {
    let status = Status::decode(status).ok()?;
    let is_retry_info = |url: &str| url.rsplit('/').next() == Some("google.rpc.RetryInfo");
    let detail = status
        .details
        .iter()
        .find(|detail| is_retry_info(&detail.type_url))?;
    let delay = RetryInfo::decode(detail.value.as_slice())
        .ok()?
        .retry_delay
        .unwrap_or_default();
    let seconds = u64::try_from(delay.seconds).unwrap_or(0);
    let nanos = u32::try_from(delay.nanos).unwrap_or(0).min(999_999_999);
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::{Detail, Encoding, status_body, success_body};

    #[test]
    fn what_is_told_is_read_again() {
        let told = success_body(Encoding::Proto, 3, "three had no ids");
        let read = read_success(&told);
        assert_eq!(
            (read.rejected_spans, read.message.as_str()),
            (3, "three had no ids")
        );
        assert_eq!(read_success(&[]), Accepted::default());
        assert_eq!(read_success(&[0xff]), Accepted::default());
    }

    #[test]
    fn a_pause_is_read_and_its_absence_too() {
        let status = |details: &[Detail]| status_body(Encoding::Proto, 14, "busy", details);
        let retry = Detail::RetryInfo { seconds: 7 };
        let bad = Detail::BadRequest {
            field: "x".to_owned(),
            description: "y".to_owned(),
        };
        let delay = read_retry_delay(&status(&[bad.clone(), retry]));
        assert_eq!(delay, Some(Duration::from_secs(7)));
        assert_eq!(read_retry_delay(&status(&[bad])), None);
        assert_eq!(read_retry_delay(b"nonsense"), None);
    }
}
