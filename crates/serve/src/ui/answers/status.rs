//! Answers about the program itself.

use serde::Serialize;

/// A door for spans, and what came through it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReceiverStatus {
    /// `otlp_http`, `otlp_grpc`.
    pub protocol: String,
    /// Where it listens; empty: it is off.
    pub addresses: Vec<String>,
    /// Requests that came.
    pub requests: u64,
    /// Spans that were taken.
    pub spans: u64,
    /// Bytes that came.
    pub bytes: u64,
    /// When the last request was taken, ns since the epoch.
    pub last_ns: Option<String>,
}

/// Why something was refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefusedStatus {
    /// The door.
    pub protocol: String,
    /// The reason's name in the metrics.
    pub reason: String,
    /// Requests.
    pub requests: u64,
    /// Their spans, as far as they were read.
    pub spans: u64,
}

/// The last request that was refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LastRefusal {
    /// The door.
    pub protocol: String,
    /// When, ns since the epoch.
    pub time_ns: String,
    /// What was answered.
    pub message: String,
}

/// What the store holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    /// Bytes of segments and log.
    pub bytes: u64,
    /// Bytes that it may take; null: no limit of its own.
    pub bytes_max: Option<u64>,
    /// Bytes that are free on its disk.
    pub disk_free_bytes: Option<u64>,
    /// Spans.
    pub spans: u64,
    /// Traces; one that lies in several segments is counted in each.
    pub traces: u64,
    /// Files of columns.
    pub segments: u64,
    /// Those that wait to be merged.
    pub waiting_segments: u64,
    /// Pinned traces.
    pub pinned: u64,
    /// What an accepted request promises.
    pub acknowledge: String,
    /// How long spans are kept, in words.
    pub retention: String,
    /// Whether it can keep spans now; if not, why.
    pub not_writable: Option<String>,
}

/// What came and what became of it, in spans.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LedgerStatus {
    /// All that came.
    pub received: u64,
    /// Taken and acknowledged.
    pub accepted: u64,
    /// Left out of a request that was taken.
    pub rejected: u64,
    /// Answered with an error.
    pub refused: u64,
    /// Given up because the sender was gone.
    pub dropped: u64,
    /// Under way.
    pub in_flight: u64,
    /// Among the accepted: stored before.
    pub duplicates: u64,
    /// Whether everything that came is accounted for.
    pub is_balanced: bool,
}

/// How the program is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProgramStatus {
    /// The doors.
    pub receivers: Vec<ReceiverStatus>,
    /// By reason, the most frequent first.
    pub refused: Vec<RefusedStatus>,
    /// The last one.
    pub last_refusal: Option<LastRefusal>,
    /// The store.
    pub store: StoreStatus,
    /// The ledger.
    pub ledger: LedgerStatus,
    /// Why it is not ready; null: it is.
    pub not_ready: Option<String>,
    /// When it began, ns since the epoch.
    pub started_ns: String,
}

/// A service, and when it was last heard of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct ServiceStatus {
    pub(in crate::ui) service: String,
    pub(in crate::ui) last_ns: String,
    pub(in crate::ui) operations: u64,
}

/// How the program is, and which services it hears.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct StatusAnswer {
    pub(in crate::ui) version: String,
    pub(in crate::ui) now_ns: String,
    pub(in crate::ui) program: ProgramStatus,
    pub(in crate::ui) services: Vec<ServiceStatus>,
}

/// What was sent for the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct SentAnswer {
    /// The trace to look at; null where it is many.
    pub(in crate::ui) trace_id: Option<String>,
    pub(in crate::ui) spans: u64,
}
