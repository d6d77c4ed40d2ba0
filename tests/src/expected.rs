//! What was sent, and how Jaeger's API must show it.
//!
//! A span is written down as its sender knows it (the instrumented services write such lines, the load makes them);
//! from that follow the lines that `jaeger` reads from an answer. The rules are Jaeger's translation of OTLP: parent
//! and links become references, kind, status and scope become tags, arrays become compact JSON text.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::jaeger::{log_line, tag_line};

/// The largest whole number that JSON readers with doubles keep; beyond it Jaeger writes text.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sent {
    /// 32 hex digits.
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_span_id: Option<String>,
    pub(crate) trace_state: String,
    pub(crate) name: String,
    /// In lower case; `internal` where the sender says nothing else.
    pub(crate) kind: String,
    /// Numbers are text, so that no digit is lost between the languages.
    pub(crate) start_ns: String,
    pub(crate) end_ns: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) events: Vec<Event>,
    pub(crate) links: Vec<Link>,
    pub(crate) status: Status,
    pub(crate) resource: Vec<Attribute>,
    pub(crate) scope: Scope,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Attribute {
    pub(crate) key: String,
    #[serde(flatten)]
    pub(crate) value: Typed,
}

/// `string`, `bool`, `int64` and `float64` (both as text), `binary` (base64), `array` (of these).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Typed {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) time_ns: String,
    pub(crate) attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Link {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Status {
    pub(crate) code: String,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Spans by id, each as the lines that `jaeger::Trace::canonical` would read.
pub(crate) type Lines = BTreeMap<String, Vec<String>>;

impl Sent {
    /// Makes the lines of this span.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (start_ns, end_ns) = (number(&self.start_ns), number(&self.end_ns));
        let mut lines = vec![
            format!("trace {}", jaeger_trace_id(&self.trace_id)),
            format!("operation {:?}", self.name),
            format!(
                "start {} duration {}",
                start_ns / 1000,
                (end_ns - start_ns) / 1000
            ),
        ];
        let parent = self
            .parent_span_id
            .as_ref()
            .map(|parent| ("CHILD_OF", &self.trace_id, parent));
        let links = self
            .links
            .iter()
            .map(|link| ("FOLLOWS_FROM", &link.trace_id, &link.span_id));
        for (number, (kind, trace_id, span_id)) in parent.into_iter().chain(links).enumerate() {
            lines.push(format!(
                "reference {number} {kind} {} {span_id}",
                jaeger_trace_id(trace_id)
            ));
        }
        lines.extend(self.tags().iter().map(|tag| format!("tag {tag}")));
        for attribute in &self.resource {
            if attribute.key == "service.name" {
                lines.push(format!(
                    "service {:?}",
                    attribute.value.value.as_str().unwrap()
                ));
            } else {
                lines.push(format!("process tag {}", attribute.line()));
            }
        }
        lines.extend(self.events.iter().map(Event::line));
        lines.sort();
        lines
    }

    fn tags(&self) -> Vec<String> {
        let text =
            |key: &str, value: &str| tag_line(key, "string", &Value::from(value).to_string());
        let mut tags: Vec<String> = self.attributes.iter().map(Attribute::line).collect();
        tags.push(text("otel.scope.name", &self.scope.name));
        tags.push(text("otel.scope.version", &self.scope.version));
        tags.push(text("span.kind", &self.kind));
        match self.status.code.as_str() {
            "ok" => tags.push(text("otel.status_code", "OK")),
            "error" => {
                tags.push(text("otel.status_code", "ERROR"));
                tags.push(tag_line("error", "bool", "true"));
            }
            _ => {}
        }
        if !self.status.message.is_empty() {
            tags.push(text("otel.status_description", &self.status.message));
        }
        if !self.trace_state.is_empty() {
            tags.push(text("w3c.tracestate", &self.trace_state));
        }
        tags
    }
}

impl Attribute {
    fn line(&self) -> String {
        let (kind, json) = self.value.as_tag();
        tag_line(&self.key, kind, &json)
    }
}

impl Event {
    fn line(&self) -> String {
        let mut fields: Vec<String> = self.attributes.iter().map(Attribute::line).collect();
        let has_own = self
            .attributes
            .iter()
            .any(|attribute| attribute.key == "event");
        if !self.name.is_empty() && !has_own {
            fields.push(tag_line(
                "event",
                "string",
                &Value::from(self.name.as_str()).to_string(),
            ));
        }
        log_line(number(&self.time_ns) / 1000, fields)
    }
}

impl Typed {
    /// The type that Jaeger names, and the value as JSON.
    fn as_tag(&self) -> (&'static str, String) {
        match self.kind.as_str() {
            "bool" => ("bool", self.value.to_string()),
            "binary" => ("binary", self.value.to_string()),
            "float64" => ("float64", self.value.as_str().unwrap().to_owned()),
            "int64" => {
                let digits = self.value.as_str().unwrap();
                let is_safe = digits.parse::<i64>().unwrap().unsigned_abs() <= SAFE_INTEGER_MAX;
                (
                    "int64",
                    if is_safe {
                        digits.to_owned()
                    } else {
                        format!("\"{digits}\"")
                    },
                )
            }
            "array" => ("string", Value::from(self.as_compact_json()).to_string()),
            "string" => ("string", self.value.to_string()),
            other => panic!("a service wrote the unknown type \"{other}\""),
        }
    }

    fn as_compact_json(&self) -> String {
        match self.kind.as_str() {
            "array" => {
                let items: Vec<Typed> = serde_json::from_value(self.value.clone()).unwrap();
                let items: Vec<String> = items.iter().map(Typed::as_compact_json).collect();
                format!("[{}]", items.join(","))
            }
            "int64" | "float64" => self.value.as_str().unwrap().to_owned(),
            _ => self.value.to_string(),
        }
    }
}

/// Jaeger writes a trace id whose high half is zero with 16 digits.
pub(crate) fn jaeger_trace_id(trace_id: &str) -> &str {
    trace_id
        .strip_prefix("0000000000000000")
        .unwrap_or(trace_id)
}

fn number(text: &str) -> u64 {
    text.parse().unwrap()
}
