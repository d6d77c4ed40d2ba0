//! The answers of Jaeger's HTTP JSON API, as far as the terminal shows them.
//!
//! Promises: takes any server that speaks the API; fields that it leaves out are empty.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What every answer is wrapped in.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<T> {
    /// The answer.
    pub data: Option<T>,
    /// What went wrong.
    pub errors: Option<Vec<ApiError>>,
}

/// One thing that went wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct ApiError {
    /// In words.
    #[serde(default)]
    pub msg: String,
}

/// A trace.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Trace {
    /// Its id in hex.
    #[serde(rename = "traceID")]
    pub trace_id: String,
    /// Its spans in no particular order.
    pub spans: Vec<Span>,
    /// Who made them.
    pub processes: BTreeMap<String, Process>,
    /// What is doubtful about the trace.
    pub warnings: Option<Vec<String>>,
}

/// A span.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Span {
    /// Its id in hex.
    #[serde(rename = "spanID")]
    pub span_id: String,
    /// The id of its trace in hex.
    #[serde(rename = "traceID")]
    pub trace_id: String,
    /// Its name.
    pub operation_name: String,
    /// Its parent and its links.
    pub references: Vec<Reference>,
    /// Microseconds since the epoch.
    pub start_time: i64,
    /// Microseconds.
    pub duration: i64,
    /// Its attributes.
    pub tags: Vec<KeyValue>,
    /// Its events.
    pub logs: Vec<Log>,
    /// Who made it.
    #[serde(rename = "processID")]
    pub process_id: String,
    /// What is doubtful about it.
    pub warnings: Option<Vec<String>>,
}

/// A reference of a span to another.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Reference {
    /// `CHILD_OF` or `FOLLOWS_FROM`.
    pub ref_type: String,
    /// The other's trace.
    #[serde(rename = "traceID")]
    pub trace_id: String,
    /// The other.
    #[serde(rename = "spanID")]
    pub span_id: String,
}

/// A resource.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Process {
    /// The service's name.
    pub service_name: String,
    /// Its other attributes.
    pub tags: Vec<KeyValue>,
}

/// An attribute.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct KeyValue {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: serde_json::Value,
}

/// An event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Log {
    /// Microseconds since the epoch.
    pub timestamp: i64,
    /// Its name (as the field `event`) and attributes.
    pub fields: Vec<KeyValue>,
}

/// An operation of a service.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Operation {
    /// The span's name.
    pub name: String,
    /// Its kind.
    pub span_kind: String,
}

impl KeyValue {
    /// The value as text, without the quotes that JSON puts around it.
    pub(crate) fn text(&self) -> String {
        match &self.value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl Span {
    /// The id of the parent: the first reference to it within the trace.
    pub(crate) fn parent(&self) -> Option<&str> {
        let is_parent = |reference: &&Reference| {
            reference.ref_type == "CHILD_OF" && reference.trace_id == self.trace_id
        };
        self.references
            .iter()
            .find(is_parent)
            .map(|reference| reference.span_id.as_str())
    }

    /// Whether it failed.
    pub(crate) fn is_error(&self) -> bool {
        self.tags.iter().any(|tag| match tag.key.as_str() {
            "error" => tag.text() == "true",
            "otel.status_code" => tag.text() == "ERROR",
            _ => false,
        })
    }

    /// When it ended, microseconds since the epoch.
    pub(crate) fn end_time(&self) -> i64 {
        self.start_time.saturating_add(self.duration)
    }
}

impl Trace {
    /// The name of a span's service.
    pub(crate) fn service(&self, span: &Span) -> &str {
        self.processes
            .get(&span.process_id)
            .map_or("", |process| process.service_name.as_str())
    }

    /// Start of the earliest and end of the latest span.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        let start = self
            .spans
            .iter()
            .map(|span| span.start_time)
            .min()
            .unwrap_or(0);
        let end = self.spans.iter().map(Span::end_time).max().unwrap_or(start);
        (start, end.max(start))
    }

    /// The earliest span without a parent in the trace, else the earliest span.
    pub(crate) fn root(&self) -> Option<&Span> {
        let ids: std::collections::HashSet<&str> = self
            .spans
            .iter()
            .map(|span| span.span_id.as_str())
            .collect();
        let key = |span: &&Span| {
            let has_parent = span.parent().is_some_and(|parent| ids.contains(parent));
            (has_parent, span.parent().is_some(), span.start_time)
        };
        self.spans.iter().min_by_key(key)
    }
}
