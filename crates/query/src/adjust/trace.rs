//! The editable form of a trace. Everything is borrowed from the batch but what an edit makes anew.

use model::batch::{AttrValue, Attribute};
use model::{SpanBatch, SpanId, TraceId};
use std::collections::HashMap;

use super::sanitize;

/// Where Jaeger keeps the warnings of a span among its attributes.
pub(super) const WARNINGS_KEY: &str = "@jaeger@warnings";

/// The value of an attribute.
#[derive(Debug, Clone)]
pub enum AdjustableValue<'a> {
    /// As it was sent.
    Sent(AttrValue<'a>),
    /// A text that an edit made.
    Made(String),
}

impl AdjustableValue<'_> {
    /// The value to look at.
    #[must_use]
    pub fn get(&self) -> AttrValue<'_> {
        match self {
            Self::Sent(value) => *value,
            Self::Made(text) => AttrValue::String(text),
        }
    }

    /// Tells whether two values are the same, bit by bit; NaN is itself.
    #[must_use]
    pub fn is_same(&self, other: &AdjustableValue<'_>) -> bool {
        match (self.get(), other.get()) {
            (AttrValue::Double(one), AttrValue::Double(two)) => one.to_bits() == two.to_bits(),
            (one, two) => one == two,
        }
    }
}

/// An attribute.
#[derive(Debug, Clone)]
pub struct AdjustableAttribute<'a> {
    /// The key.
    pub key: &'a str,
    /// The value.
    pub value: AdjustableValue<'a>,
}

impl AdjustableAttribute<'_> {
    pub(super) fn is_same(&self, other: &AdjustableAttribute<'_>) -> bool {
        self.key == other.key && self.value.is_same(&other.value)
    }
}

/// A resource of the trace.
#[derive(Debug, Clone, Default)]
pub struct AdjustableResource<'a> {
    /// The attributes, `service.name` among them.
    pub attributes: Vec<AdjustableAttribute<'a>>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// The schema URL of the resource's envelope.
    pub schema_url: &'a str,
    /// The `entity_refs` fields as they came, tags included.
    pub entity_refs: &'a [u8],
}

/// A scope of the trace.
#[derive(Debug, Clone, Default)]
pub struct AdjustableScope<'a> {
    /// The name.
    pub name: &'a str,
    /// The version.
    pub version: &'a str,
    /// The attributes.
    pub attributes: Vec<AdjustableAttribute<'a>>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// The schema URL of the scope's envelope.
    pub schema_url: &'a str,
}

/// An event of a span.
#[derive(Debug, Clone)]
pub struct AdjustableEvent<'a> {
    /// Nanoseconds since the epoch.
    pub time: u64,
    /// The name.
    pub name: &'a str,
    /// The attributes.
    pub attributes: Vec<AdjustableAttribute<'a>>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
}

/// A link of a span.
#[derive(Debug, Clone)]
pub struct AdjustableLink<'a> {
    /// The trace that is linked to; may be zero.
    pub trace_id: TraceId,
    /// The span that is linked to; may be zero.
    pub span_id: SpanId,
    /// The trace state.
    pub trace_state: &'a str,
    /// The attributes.
    pub attributes: Vec<AdjustableAttribute<'a>>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// All 32 flag bits.
    pub flags: u32,
}

/// A span that may be edited.
#[derive(Debug, Clone)]
pub struct AdjustableSpan<'a> {
    /// The span.
    pub span_id: SpanId,
    /// The parent; zero for a root.
    pub parent_span_id: SpanId,
    /// The name.
    pub name: &'a str,
    /// OTLP's number.
    pub kind: i32,
    /// Nanoseconds since the epoch.
    pub start: u64,
    /// Nanoseconds since the epoch.
    pub end: u64,
    /// OTLP's number.
    pub status: i32,
    /// The status message.
    pub status_message: &'a str,
    /// The trace state.
    pub trace_state: &'a str,
    /// All 32 flag bits.
    pub flags: u32,
    /// Index in [`AdjustableTrace::resources`].
    pub resource: usize,
    /// Index in [`AdjustableTrace::scopes`].
    pub scope: usize,
    /// The attributes.
    pub attributes: Vec<AdjustableAttribute<'a>>,
    /// The events.
    pub events: Vec<AdjustableEvent<'a>>,
    /// The links.
    pub links: Vec<AdjustableLink<'a>>,
    /// Attributes, events and links that the sender dropped.
    pub dropped: (u32, u32, u32),
    /// What a reader should know about the span, oldest first.
    pub warnings: Vec<String>,
    /// Before which attribute the warnings stand where they are shown as one; `None`: behind all of them.
    pub warnings_place: Option<usize>,
}

/// A trace that may be edited.
#[derive(Debug, Clone)]
pub struct AdjustableTrace<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// The resources that the spans name.
    pub resources: Vec<AdjustableResource<'a>>,
    /// The scopes that the spans name.
    pub scopes: Vec<AdjustableScope<'a>>,
    /// The spans in the order of arrival.
    pub spans: Vec<AdjustableSpan<'a>>,
}

impl<'a> AdjustableTrace<'a> {
    /// The traces of a batch as they were sent, in the order of their first spans.
    #[must_use]
    pub fn all_as_sent(batch: &'a SpanBatch) -> Vec<Self> {
        let mut places: HashMap<TraceId, usize> = HashMap::new();
        let mut rows: Vec<(TraceId, Vec<usize>)> = Vec::new();
        for span in batch.iter() {
            let place = *places.entry(span.trace_id()).or_insert_with(|| {
                rows.push((span.trace_id(), Vec::new()));
                rows.len() - 1
            });
            if let Some((_, rows)) = rows.get_mut(place) {
                rows.push(span.row());
            }
        }
        rows.into_iter()
            .map(|(trace_id, rows)| Self::of_rows(batch, trace_id, rows))
            .collect()
    }

    /// The one trace of a batch, with Jaeger's names for what has none and its repair of what ends before it starts.
    #[must_use]
    pub fn sanitized(batch: &'a SpanBatch) -> Self {
        let trace_id = batch
            .span(0)
            .map(|span| span.trace_id())
            .unwrap_or_default();
        let mut trace = Self::of_rows(batch, trace_id, 0..batch.len());
        sanitize::sanitize(&mut trace);
        trace
    }

    fn of_rows(
        batch: &'a SpanBatch,
        trace_id: TraceId,
        rows: impl IntoIterator<Item = usize>,
    ) -> Self {
        let mut trace = Self {
            trace_id,
            resources: Vec::new(),
            scopes: Vec::new(),
            spans: Vec::new(),
        };
        let (mut resources, mut scopes) = (HashMap::new(), HashMap::new());
        for span in rows.into_iter().filter_map(|row| batch.span(row)) {
            let resource = *resources.entry(span.resource_row()).or_insert_with(|| {
                let resource = span.resource();
                trace.resources.push(AdjustableResource {
                    attributes: collect(resource.attributes()),
                    dropped_attributes: resource.row().dropped_attributes,
                    schema_url: resource.schema_url(),
                    entity_refs: resource.entity_refs(),
                });
                trace.resources.len() - 1
            });
            let scope = *scopes.entry(span.scope_row()).or_insert_with(|| {
                let scope = span.scope();
                let (name, version) = (scope.name(), scope.version());
                let attributes = collect(scope.attributes());
                trace.scopes.push(AdjustableScope {
                    name,
                    version,
                    attributes,
                    dropped_attributes: scope.row().dropped_attributes,
                    schema_url: scope.schema_url(),
                });
                trace.scopes.len() - 1
            });
            trace.spans.push(AdjustableSpan::of(span, resource, scope));
        }
        trace
    }
}

fn collect<'a>(
    attributes: impl ExactSizeIterator<Item = Attribute<'a>>,
) -> Vec<AdjustableAttribute<'a>> {
    let one = |Attribute { key, value }| AdjustableAttribute {
        key,
        value: AdjustableValue::Sent(value),
    };
    attributes.map(one).collect()
}

impl<'a> AdjustableSpan<'a> {
    fn of(span: model::batch::SpanRef<'a>, resource: usize, scope: usize) -> Self {
        let mut attributes = collect(span.attributes());
        let events = span.events().map(|event| AdjustableEvent {
            time: event.time(),
            name: event.name(),
            attributes: collect(event.attributes()),
            dropped_attributes: event.dropped_attributes(),
        });
        let links = span.links().map(|link| AdjustableLink {
            trace_id: link.trace_id(),
            span_id: link.span_id(),
            trace_state: link.trace_state(),
            attributes: collect(link.attributes()),
            dropped_attributes: link.dropped_attributes(),
            flags: link.flags(),
        });
        let (warnings, warnings_place) = take_warnings(&mut attributes);
        Self {
            span_id: span.span_id(),
            parent_span_id: span.parent_span_id(),
            name: span.name(),
            kind: span.kind(),
            start: span.start(),
            end: span.end(),
            status: span.status(),
            status_message: span.status_message(),
            trace_state: span.trace_state(),
            flags: span.flags(),
            resource,
            scope,
            events: events.collect(),
            links: links.collect(),
            dropped: span.dropped(),
            warnings,
            warnings_place,
            attributes,
        }
    }

    /// End minus start in nanoseconds; 0 when the end comes first.
    #[must_use]
    pub fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// Warnings that came as an attribute, as from another Jaeger, and its place among the others.
fn take_warnings(attributes: &mut Vec<AdjustableAttribute<'_>>) -> (Vec<String>, Option<usize>) {
    let mut warnings = Vec::new();
    let place = attributes
        .iter()
        .position(|attribute| attribute.key == WARNINGS_KEY);
    attributes.retain(|attribute| {
        let is_warnings = attribute.key == WARNINGS_KEY;
        if is_warnings {
            match attribute.value.get().to_value() {
                model::Value::Array(texts) => {
                    warnings.extend(texts.iter().map(model::Value::canonical_text));
                }
                other => warnings.push(other.canonical_text()),
            }
        }
        !is_warnings
    });
    (warnings, place)
}
