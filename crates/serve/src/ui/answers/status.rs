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
    /// The address of who sent it, or of a proxy in between; null: not known.
    pub peer: Option<String>,
}

/// How fast the store grows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StoreGrowth {
    /// Bytes that were added in the last `over_seconds`.
    pub bytes: u64,
    /// The time that this is taken from: the last hours, or since the first span.
    pub over_seconds: u64,
    /// When there is no more room if it goes on like that; null: old spans leave by their age before.
    pub full_in_seconds: Option<u64>,
}

/// What the store holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    /// Bytes of segments and log.
    pub bytes: u64,
    /// Bytes that it may take before the oldest spans leave; null: as many as fit on its disk.
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
    /// When the oldest spans that it holds were stored, ns since the epoch; those of pinned traces don't count.
    pub oldest_ns: Option<String>,
    /// Bytes that were written since the start: to the log, to segments, and again when these were merged.
    pub written_bytes: u64,
    /// Whether segments are being merged now.
    pub is_merging: bool,
    /// How fast it grows; null: too little time has passed to tell.
    pub growth: Option<StoreGrowth>,
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
    /// Left out by a step of the configuration.
    pub filtered: u64,
    /// Answered with an error.
    pub refused: u64,
    /// Given up because the sender was gone.
    pub dropped: u64,
    /// Under way.
    pub in_flight: u64,
    /// Among the accepted: stored before.
    pub duplicates: u64,
    /// Among all that came: more than five minutes after their ends.
    pub late: u64,
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
    /// Where it tells its metrics; empty: nowhere.
    pub admin: Vec<String>,
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
