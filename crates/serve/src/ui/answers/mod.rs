//! The shapes of the app's answers. The types of `web/src/api/generated/types.ts` and `docs/ui-api.json` are made of
//! these.
//!
//! Times are decimal strings of nanoseconds since the epoch (they don't fit a double), durations are numbers of
//! nanoseconds, ids are lower-case hexadecimal.

pub(in crate::ui) mod compare;
pub(in crate::ui) mod explore;
#[cfg(test)]
mod generate;
pub(in crate::ui) mod red;
pub(in crate::ui) mod status;
pub(in crate::ui) mod trace;

use serde::Serialize;

use model::contract;

/// Something that could not be read, and why; the rest of the answer is true without it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Skipped {
    pub(in crate::ui) what: String,
    pub(in crate::ui) why: String,
}

impl Skipped {
    pub(in crate::ui) fn all(skipped: &[contract::Skipped]) -> Vec<Self> {
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
pub(in crate::ui) struct ApiErrorBody {
    pub(in crate::ui) error: ApiError,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct ApiError {
    pub(in crate::ui) message: String,
    /// What to do.
    pub(in crate::ui) hint: Option<String>,
    /// What is wrong with the query.
    pub(in crate::ui) diagnostics: Vec<Diagnostic>,
}

/// How bad something in a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) enum Severity {
    Error,
    Warning,
}

/// Something about a query; offsets are in UTF-16 units, as browsers count.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Diagnostic {
    pub(in crate::ui) severity: Severity,
    pub(in crate::ui) from: u32,
    pub(in crate::ui) to: u32,
    pub(in crate::ui) message: String,
    pub(in crate::ui) proposal: Option<Proposal>,
}

/// What would mend a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Proposal {
    pub(in crate::ui) from: u32,
    pub(in crate::ui) to: u32,
    pub(in crate::ui) text: String,
    pub(in crate::ui) label: String,
}

/// The share of a service in a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct ServiceShare {
    pub(in crate::ui) service: String,
    pub(in crate::ui) spans: u64,
    pub(in crate::ui) errors: u64,
}

/// OTLP's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) enum SpanStatus {
    Unset,
    Ok,
    Error,
}

/// OTLP's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) enum SpanKind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl SpanStatus {
    pub(in crate::ui) fn of(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

impl SpanKind {
    pub(in crate::ui) fn of(number: i32) -> Self {
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
pub(in crate::ui) struct MatchedSpan {
    pub(in crate::ui) span_id: String,
    pub(in crate::ui) service: String,
    pub(in crate::ui) name: String,
    pub(in crate::ui) start_ns: String,
    pub(in crate::ui) duration_ns: u64,
    pub(in crate::ui) status: SpanStatus,
    pub(in crate::ui) kind: SpanKind,
    /// The values of the columns that were asked for, in their order.
    pub(in crate::ui) columns: Vec<Option<String>>,
}

/// The root of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Root {
    pub(in crate::ui) service: String,
    pub(in crate::ui) name: String,
    pub(in crate::ui) kind: SpanKind,
}

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct TraceSummary {
    pub(in crate::ui) trace_id: String,
    pub(in crate::ui) start_ns: String,
    pub(in crate::ui) duration_ns: u64,
    pub(in crate::ui) spans: u64,
    pub(in crate::ui) errors: u64,
    pub(in crate::ui) root: Option<Root>,
    pub(in crate::ui) services: Vec<ServiceShare>,
    pub(in crate::ui) is_complete: bool,
    /// Spans that match: the first few; in a list of spans the one that the line is about.
    pub(in crate::ui) matched: Vec<MatchedSpan>,
    /// How many match; not known where the trace is too long to look at in a list.
    pub(in crate::ui) matched_spans: Option<u64>,
}

/// A line of the answer to a search, which is streamed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(
    rename_all = "camelCase",
    tag = "type",
    rename_all_fields = "camelCase"
)]
pub(in crate::ui) enum SearchLine {
    /// The next trace, or, in the scopes of spans, the next span with its trace.
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
pub(in crate::ui) enum AttributeValue {
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
pub(in crate::ui) struct KeyValue {
    pub(in crate::ui) key: String,
    pub(in crate::ui) value: AttributeValue,
}

/// An event of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct SpanEvent {
    pub(in crate::ui) time_ns: String,
    pub(in crate::ui) name: String,
    pub(in crate::ui) attributes: Vec<KeyValue>,
    pub(in crate::ui) dropped_attributes: u32,
}

/// A link of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct SpanLink {
    pub(in crate::ui) trace_id: String,
    pub(in crate::ui) span_id: String,
    pub(in crate::ui) trace_state: String,
    pub(in crate::ui) attributes: Vec<KeyValue>,
    pub(in crate::ui) dropped_attributes: u32,
}

/// The instrumentation scope of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct InstrumentationScope {
    pub(in crate::ui) name: String,
    pub(in crate::ui) version: String,
    pub(in crate::ui) attributes: Vec<KeyValue>,
}

/// All that is known of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct SpanDetails {
    pub(in crate::ui) span_id: String,
    pub(in crate::ui) parent_span_id: Option<String>,
    pub(in crate::ui) service: String,
    pub(in crate::ui) name: String,
    pub(in crate::ui) kind: SpanKind,
    pub(in crate::ui) status: SpanStatus,
    pub(in crate::ui) status_message: String,
    pub(in crate::ui) start_ns: String,
    pub(in crate::ui) duration_ns: u64,
    pub(in crate::ui) trace_state: String,
    pub(in crate::ui) flags: u32,
    pub(in crate::ui) attributes: Vec<KeyValue>,
    pub(in crate::ui) dropped_attributes: u32,
    pub(in crate::ui) events: Vec<SpanEvent>,
    pub(in crate::ui) dropped_events: u32,
    pub(in crate::ui) links: Vec<SpanLink>,
    pub(in crate::ui) dropped_links: u32,
    pub(in crate::ui) resource: Vec<KeyValue>,
    pub(in crate::ui) scope: InstrumentationScope,
    pub(in crate::ui) warnings: Vec<String>,
}

/// Spans of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct SpansAnswer {
    pub(in crate::ui) spans: Vec<SpanDetails>,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// The names of all services, ascending.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct ServicesAnswer {
    pub(in crate::ui) services: Vec<String>,
}
