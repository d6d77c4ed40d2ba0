//! A trace that was edited, as a batch again, so that the one writer of OTLP writes it.
//!
//! Promises: the same spans in the same order; warnings become the attribute `@jaeger@warnings`, where Jaeger has them.
//! Every resource and scope is there, be it empty. *Cost*: one copy of the spans that are asked for.

use std::ops::Range;

use model::batch::{
    AttrValue, Attributes, EventRow, LinkRow, PackedValue, ResourceRow, ScopeRow, SpanRow,
};
use model::value::packed::array_to_bytes;
use model::{BatchBuilder, SpanBatch, Value};

use super::trace::{
    AdjustableAttribute, AdjustableResource, AdjustableScope, AdjustableSpan, AdjustableTrace,
    WARNINGS_KEY,
};

impl AdjustableTrace<'_> {
    /// Some of the spans as a batch; rows beyond the last are none.
    #[must_use]
    pub fn to_batch(&self, rows: Range<usize>) -> SpanBatch {
        let mut builder = BatchBuilder::new();
        let mut resources = vec![None; self.resources.len()];
        let mut scopes = vec![None; self.scopes.len()];
        let rows = rows.start.min(self.spans.len())..rows.end.min(self.spans.len());
        for span in self.spans.get(rows).unwrap_or_default() {
            let resource = row_of(&mut resources, span.resource, || {
                add_resource(&mut builder, self.resources.get(span.resource))
            });
            let scope = row_of(&mut scopes, span.scope, || {
                add_scope(&mut builder, self.scopes.get(span.scope))
            });
            push_span(&mut builder, self, span, (resource, scope));
        }
        builder.finish()
    }
}

/// The row that is known for an index, or the one that is made now.
fn row_of(known: &mut [Option<u32>], index: usize, make: impl FnOnce() -> u32) -> u32 {
    match known.get_mut(index) {
        Some(row) => *row.get_or_insert_with(make),
        None => make(),
    }
}

fn add_resource(builder: &mut BatchBuilder, resource: Option<&AdjustableResource<'_>>) -> u32 {
    let Some(resource) = resource else {
        return builder.add_resource(ResourceRow {
            is_present: true,
            ..ResourceRow::default()
        });
    };
    let attributes = attributes(builder, &resource.attributes, None);
    let entity_refs = match resource.entity_refs {
        [] => 0,
        fields => builder.add_blob(fields),
    };
    let schema_url = builder.intern(resource.schema_url.as_bytes());
    builder.add_resource(ResourceRow {
        is_present: true,
        attributes,
        dropped_attributes: resource.dropped_attributes,
        schema_url,
        entity_refs,
        ..ResourceRow::default()
    })
}

fn add_scope(builder: &mut BatchBuilder, scope: Option<&AdjustableScope<'_>>) -> u32 {
    let Some(scope) = scope else {
        return builder.add_scope(ScopeRow {
            is_present: true,
            ..ScopeRow::default()
        });
    };
    let attributes = attributes(builder, &scope.attributes, None);
    let name = builder.intern(scope.name.as_bytes());
    let version = builder.intern(scope.version.as_bytes());
    let schema_url = builder.intern(scope.schema_url.as_bytes());
    builder.add_scope(ScopeRow {
        is_present: true,
        name,
        version,
        attributes,
        dropped_attributes: scope.dropped_attributes,
        schema_url,
    })
}

/// The attributes of one owner, with warnings among them.
fn attributes(
    builder: &mut BatchBuilder,
    attributes: &[AdjustableAttribute<'_>],
    warnings: Option<(usize, &[u8])>,
) -> Attributes {
    let mut cursor = builder.begin_attributes();
    for (index, attribute) in attributes.iter().enumerate() {
        if let Some((_, list)) = warnings.filter(|(place, _)| *place == index) {
            let list = PackedValue::Array(list);
            builder.push_attribute(&mut cursor, WARNINGS_KEY.as_bytes(), list);
        }
        let value = packed(attribute.value.get());
        builder.push_attribute(&mut cursor, attribute.key.as_bytes(), value);
    }
    if let Some((_, list)) = warnings.filter(|(place, _)| *place >= attributes.len()) {
        let list = PackedValue::Array(list);
        builder.push_attribute(&mut cursor, WARNINGS_KEY.as_bytes(), list);
    }
    builder.finish_attributes(cursor)
}

fn push_span(
    builder: &mut BatchBuilder,
    trace: &AdjustableTrace<'_>,
    span: &AdjustableSpan<'_>,
    (resource, scope): (u32, u32),
) {
    let mut list = Vec::new();
    let texts: Vec<Value> = span.warnings.iter().cloned().map(Value::String).collect();
    array_to_bytes(&texts, &mut list);
    let place = span.warnings_place.unwrap_or(usize::MAX);
    let place = place.min(span.attributes.len());
    let warnings = (!texts.is_empty()).then_some((place, list.as_slice()));
    let of_span = attributes(builder, &span.attributes, warnings);
    for event in &span.events {
        let attributes = attributes(builder, &event.attributes, None);
        let name = builder.intern(event.name.as_bytes());
        builder.push_event(EventRow {
            time: event.time,
            name,
            attributes,
            dropped_attributes: event.dropped_attributes,
        });
    }
    for link in &span.links {
        let attributes = attributes(builder, &link.attributes, None);
        let trace_state = builder.intern(link.trace_state.as_bytes());
        builder.push_link(LinkRow {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state,
            attributes,
            dropped_attributes: link.dropped_attributes,
            flags: link.flags,
        });
    }
    let name = builder.intern(span.name.as_bytes());
    let status_message = builder.intern(span.status_message.as_bytes());
    let trace_state = builder.intern(span.trace_state.as_bytes());
    let (dropped_attributes, dropped_events, dropped_links) = span.dropped;
    builder.push_span(SpanRow {
        trace_id: trace.trace_id,
        span_id: span.span_id,
        parent_span_id: span.parent_span_id,
        name,
        kind: span.kind,
        start: span.start,
        end: span.end,
        status: span.status,
        status_message,
        trace_state,
        flags: span.flags,
        resource,
        scope,
        attributes: of_span,
        dropped_attributes,
        dropped_events,
        dropped_links,
    });
}

fn packed(value: AttrValue<'_>) -> PackedValue<'_> {
    match value {
        AttrValue::Empty => PackedValue::Empty,
        AttrValue::String(text) => PackedValue::String(text.as_bytes()),
        AttrValue::Bool(is) => PackedValue::Bool(is),
        AttrValue::Int(int) => PackedValue::Int(int),
        AttrValue::Double(double) => PackedValue::Double(double),
        AttrValue::Array(list) => PackedValue::Array(list),
        AttrValue::Map(list) => PackedValue::Map(list),
        AttrValue::Bytes(bytes) => PackedValue::Bytes(bytes),
    }
}
