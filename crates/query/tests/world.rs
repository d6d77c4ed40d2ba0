//! Small spans in the oracle.

use std::sync::Arc;

use model::batch::{PackedValue, ResourceRow, ScopeRow, SpanRow};
use model::{BatchBuilder, SpanId, TenantId, TraceId};
use query::Query;
use testkit::oracle::OracleStore;

/// One span, which is a trace of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct One {
    /// Names trace and span.
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    /// `service.name`; none: no such attribute.
    pub(crate) service: Option<PackedValue<'static>>,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl One {
    pub(crate) fn new(number: u8, start: u64) -> Self {
        Self {
            number,
            name: "op",
            service: Some(PackedValue::String(b"s")),
            start,
            end: start + 10,
        }
    }
}

pub(crate) fn trace_id(number: u8) -> TraceId {
    TraceId([number; 16])
}

/// A query over some spans.
pub(crate) fn query_over(spans: &[One]) -> Query {
    let store = OracleStore::new();
    add(&store, spans);
    Query::new(Arc::new(store))
}

pub(crate) fn add(store: &OracleStore, spans: &[One]) {
    let mut builder = BatchBuilder::new();
    let scope = builder.add_scope(ScopeRow::default());
    for span in spans {
        let mut cursor = builder.begin_attributes();
        if let Some(service) = span.service {
            builder.push_attribute(&mut cursor, b"service.name", service);
        }
        let attributes = builder.finish_attributes(cursor);
        let resource = builder.add_resource(ResourceRow {
            attributes,
            is_present: true,
            ..ResourceRow::default()
        });
        let name = builder.intern(span.name.as_bytes());
        builder.push_span(SpanRow {
            trace_id: trace_id(span.number),
            span_id: SpanId([span.number; 8]),
            name,
            start: span.start,
            end: span.end,
            resource,
            scope,
            ..SpanRow::default()
        });
    }
    store.keep(&TenantId::default(), &builder.finish());
}
