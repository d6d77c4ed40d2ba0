//! The shapes of the app's answers. The types of `web/src/api/generated.ts` and `docs/ui-api.json` are made of these.
//!
//! Times are decimal strings of nanoseconds since the epoch (they don't fit a double), durations are numbers of
//! nanoseconds, ids are lower-case hexadecimal.

use serde::Serialize;

use model::contract;

/// Something that could not be read, and why; the rest of the answer is true without it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Skipped {
    pub(super) what: String,
    pub(super) why: String,
}

impl Skipped {
    pub(super) fn all(skipped: &[contract::Skipped]) -> Vec<Self> {
        let told = |one: &contract::Skipped| Self {
            what: one.what.clone(),
            why: one.why.clone(),
        };
        skipped.iter().map(told).collect()
    }
}

/// The body of every answer with a status of 400 and more.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiErrorBody {
    pub(super) error: ApiError,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiError {
    pub(super) message: String,
    /// What to do.
    pub(super) hint: Option<String>,
    /// What is wrong with the query.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// How bad something in a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum Severity {
    Error,
    Warning,
}

/// Something about a query; offsets are in UTF-16 units, as browsers count.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Diagnostic {
    pub(super) severity: Severity,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) message: String,
    pub(super) proposal: Option<Proposal>,
}

/// What would mend a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Proposal {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) text: String,
    pub(super) label: String,
}

/// The share of a service in a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceShare {
    pub(super) service: String,
    pub(super) spans: u64,
    pub(super) errors: u64,
}

/// OTLP's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum SpanStatus {
    Unset,
    Ok,
    Error,
}

/// OTLP's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum SpanKind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl SpanStatus {
    pub(super) fn of(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

impl SpanKind {
    pub(super) fn of(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }
}

/// A span that a search matched.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct MatchedSpan {
    pub(super) span_id: String,
    pub(super) service: String,
    pub(super) name: String,
    pub(super) start_ns: String,
    pub(super) duration_ns: u64,
    pub(super) status: SpanStatus,
    pub(super) kind: SpanKind,
    /// The values of the columns that were asked for, in their order.
    pub(super) columns: Vec<Option<String>>,
}

/// The root of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Root {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) kind: SpanKind,
}

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct TraceSummary {
    pub(super) trace_id: String,
    pub(super) start_ns: String,
    pub(super) duration_ns: u64,
    pub(super) spans: u64,
    pub(super) errors: u64,
    pub(super) root: Option<Root>,
    pub(super) services: Vec<ServiceShare>,
    pub(super) is_complete: bool,
    /// Spans that match: the first few.
    pub(super) matched: Vec<MatchedSpan>,
    /// How many match; not known where the trace is too long to look at in a list.
    pub(super) matched_spans: Option<u64>,
}

/// A line of the answer to a search, which is streamed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(
    rename_all = "camelCase",
    tag = "type",
    rename_all_fields = "camelCase"
)]
pub(super) enum SearchLine {
    /// The next trace.
    Trace { trace: TraceSummary },
    /// How far it is.
    Progress { found: u64, elapsed_ms: u64 },
    /// The page is over.
    Done {
        cursor: Option<String>,
        found: u64,
        elapsed_ms: u64,
        skipped: Vec<Skipped>,
        diagnostics: Vec<Diagnostic>,
    },
    /// It ends here, though there may be more.
    Failed {
        message: String,
        hint: Option<String>,
    },
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(
    rename_all = "camelCase",
    tag = "type",
    rename_all_fields = "camelCase"
)]
pub(super) enum AttributeValue {
    String {
        value: String,
    },
    /// In decimal: it may not fit a double.
    Int {
        value: String,
    },
    /// As text: it may be no number.
    Double {
        value: String,
    },
    Bool {
        value: bool,
    },
    /// In base64.
    Bytes {
        value: String,
    },
    /// Arrays and maps, as JSON.
    Json {
        value: String,
    },
    Empty,
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyValue {
    pub(super) key: String,
    pub(super) value: AttributeValue,
}

/// An event of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct SpanEvent {
    pub(super) time_ns: String,
    pub(super) name: String,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) dropped_attributes: u32,
}

/// A link of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct SpanLink {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) trace_state: String,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) dropped_attributes: u32,
}

/// The instrumentation scope of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Scope {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) attributes: Vec<KeyValue>,
}

/// All that is known of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct SpanDetails {
    pub(super) span_id: String,
    pub(super) parent_span_id: Option<String>,
    pub(super) service: String,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) status: SpanStatus,
    pub(super) status_message: String,
    pub(super) start_ns: String,
    pub(super) duration_ns: u64,
    pub(super) trace_state: String,
    pub(super) flags: u32,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) dropped_attributes: u32,
    pub(super) events: Vec<SpanEvent>,
    pub(super) dropped_events: u32,
    pub(super) links: Vec<SpanLink>,
    pub(super) dropped_links: u32,
    pub(super) resource: Vec<KeyValue>,
    pub(super) scope: Scope,
    pub(super) warnings: Vec<String>,
}

/// Spans of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct SpansAnswer {
    pub(super) spans: Vec<SpanDetails>,
    pub(super) skipped: Vec<Skipped>,
}
