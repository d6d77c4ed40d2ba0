//! A span with all that is known of it, as the app shows it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::batch::{AttrValue, Attribute, EventRef, LinkRef, SpanRef};

use super::answers::{
    AttributeValue, InstrumentationScope, KeyValue, SpanDetails, SpanEvent, SpanKind, SpanLink,
    SpanStatus,
};

/// Tells a span.
pub(super) fn details(span: SpanRef<'_>) -> SpanDetails {
    let (dropped_attributes, dropped_events, dropped_links) = span.dropped();
    let (resource, scope) = (span.resource(), span.scope());
    let parent = span.parent_span_id();
    SpanDetails {
        span_id: span.span_id().to_string(),
        parent_span_id: (!parent.is_zero()).then(|| parent.to_string()),
        service: span.service().to_owned(),
        name: span.name().to_owned(),
        kind: SpanKind::of(span.kind()),
        status: SpanStatus::of(span.status()),
        status_message: span.status_message().to_owned(),
        start_ns: span.start().to_string(),
        duration_ns: span.end().saturating_sub(span.start()),
        trace_state: span.trace_state().to_owned(),
        flags: span.flags(),
        attributes: key_values(span.attributes()),
        dropped_attributes,
        events: span.events().map(event).collect(),
        dropped_events,
        links: span.links().map(link).collect(),
        dropped_links,
        resource: key_values(resource.attributes()),
        scope: InstrumentationScope {
            name: scope.name().to_owned(),
            version: scope.version().to_owned(),
            attributes: key_values(scope.attributes()),
        },
        warnings: warnings(span),
    }
}

fn warnings(span: SpanRef<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if span.end() < span.start() {
        warnings.push("the span ends before it starts".to_owned());
    }
    if span.parent_span_id() == span.span_id() {
        warnings.push("the span names itself as its parent".to_owned());
    }
    warnings
}

pub(super) fn event(event: EventRef<'_>) -> SpanEvent {
    SpanEvent {
        time_ns: event.time().to_string(),
        name: event.name().to_owned(),
        attributes: key_values(event.attributes()),
        dropped_attributes: event.dropped_attributes(),
    }
}

fn link(link: LinkRef<'_>) -> SpanLink {
    SpanLink {
        trace_id: link.trace_id().to_string(),
        span_id: link.span_id().to_string(),
        trace_state: link.trace_state().to_owned(),
        attributes: key_values(link.attributes()),
        dropped_attributes: link.dropped_attributes(),
    }
}

fn key_values<'a>(attributes: impl Iterator<Item = Attribute<'a>>) -> Vec<KeyValue> {
    let told = attributes.map(|Attribute { key, value }| KeyValue {
        key: key.to_owned(),
        value: told_value(value),
    });
    told.collect()
}

fn told_value(value: AttrValue<'_>) -> AttributeValue {
    match value {
        AttrValue::Empty => AttributeValue::Empty,
        AttrValue::String(text) => AttributeValue::String {
            value: text.to_owned(),
        },
        AttrValue::Bool(value) => AttributeValue::Bool { value },
        AttrValue::Int(int) => AttributeValue::Int {
            value: int.to_string(),
        },
        AttrValue::Double(_) => AttributeValue::Double {
            value: value.canonical_text().into_owned(),
        },
        AttrValue::Array(_) | AttrValue::Map(_) => AttributeValue::Json {
            value: value.canonical_text().into_owned(),
        },
        AttrValue::Bytes(bytes) => AttributeValue::Bytes {
            value: BASE64_STANDARD.encode(bytes),
        },
    }
}
