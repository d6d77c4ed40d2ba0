//! Copying rows from one batch into another: the one way in which batches are merged, gathered and reordered.

use super::SpanBatch;
use super::builder::{BatchBuilder, EventRow, LinkRow, ResourceRow, ScopeRow, SpanRow};
use super::table::{Attributes, FieldOfShape, Symbol};
use crate::value::ValueType;

/// What an index of the source became in the target; filled as rows need it.
#[derive(Debug)]
struct Renaming {
    symbols: Vec<Option<Symbol>>,
    resources: Vec<Option<u32>>,
    scopes: Vec<Option<u32>>,
}

impl BatchBuilder {
    /// Copies all spans of another batch.
    pub fn append(&mut self, source: &SpanBatch) {
        self.append_rows(source, 0..source.len());
    }

    /// Copies spans of another batch, in the order given. Rows that it doesn't have are passed over.
    ///
    /// *Cost*: a text of the source is hashed once, however often the rows use it.
    pub fn append_rows(&mut self, source: &SpanBatch, rows: impl IntoIterator<Item = usize>) {
        let mut renaming = Renaming {
            symbols: vec![None; source.strings.len()],
            resources: vec![None; source.resources.len()],
            scopes: vec![None; source.scopes.len()],
        };
        for row in rows {
            self.append_row(source, row, &mut renaming);
        }
    }

    fn append_row(&mut self, source: &SpanBatch, row: usize, renaming: &mut Renaming) {
        let Some(span) = source.span(row) else { return };
        let columns = &source.spans;
        let symbol_at = |column: &[Symbol]| column.get(row).copied().unwrap_or_default();
        let resource = self.copy_resource(source, span.resource_row(), renaming);
        let scope = self.copy_scope(source, span.scope_row(), renaming);
        let attributes = self.copy_attributes(source, span.packed(), renaming);
        for event in span.events() {
            let attributes = self.copy_attributes(source, event.packed(), renaming);
            let name = self.intern(event.name().as_bytes());
            self.push_event(EventRow {
                time: event.time(),
                name,
                attributes,
                dropped_attributes: event.dropped_attributes(),
            });
        }
        for link in span.links() {
            let attributes = self.copy_attributes(source, link.packed(), renaming);
            let trace_state = self.intern(link.trace_state().as_bytes());
            self.push_link(LinkRow {
                trace_id: link.trace_id(),
                span_id: link.span_id(),
                trace_state,
                attributes,
                dropped_attributes: link.dropped_attributes(),
                flags: link.flags(),
            });
        }
        let (dropped_attributes, dropped_events, dropped_links) = span.dropped();
        let row = SpanRow {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            parent_span_id: span.parent_span_id(),
            name: self.copy_symbol(source, symbol_at(&columns.name), renaming),
            kind: span.kind(),
            start: span.start(),
            end: span.end(),
            status: span.status(),
            status_message: self.copy_symbol(source, symbol_at(&columns.status_message), renaming),
            trace_state: self.copy_symbol(source, symbol_at(&columns.trace_state), renaming),
            flags: span.flags(),
            resource,
            scope,
            attributes,
            dropped_attributes,
            dropped_events,
            dropped_links,
        };
        self.push_span(row);
    }

    #[inline]
    fn copy_symbol(
        &mut self,
        source: &SpanBatch,
        symbol: Symbol,
        renaming: &mut Renaming,
    ) -> Symbol {
        let Some(slot) = renaming.symbols.get_mut(symbol.0 as usize) else {
            return Symbol::EMPTY;
        };
        *slot.get_or_insert_with(|| self.intern(source.strings.get_bytes(symbol)))
    }

    fn copy_attributes(
        &mut self,
        source: &SpanBatch,
        attributes: Attributes,
        renaming: &mut Renaming,
    ) -> Attributes {
        let mut cursor = self.begin_attributes();
        for (field, bits) in source.packed_attributes(attributes) {
            let key = self.copy_symbol(source, field.key, renaming);
            let bits = match field.value_type {
                ValueType::String => {
                    #[allow(
                        clippy::cast_possible_truncation,
                        reason = "a symbol's bits were made from 32 bits"
                    )]
                    let symbol = Symbol(bits as u32);
                    u64::from(self.copy_symbol(source, symbol, renaming).0)
                }
                ValueType::Array | ValueType::Map | ValueType::Bytes => {
                    self.batch.blobs.add(source.blobs.get(bits))
                }
                ValueType::Empty | ValueType::Bool | ValueType::Int | ValueType::Double => bits,
            };
            self.push_packed(
                &mut cursor,
                FieldOfShape {
                    key,
                    value_type: field.value_type,
                },
                bits,
            );
        }
        self.finish_attributes(cursor)
    }

    fn copy_resource(&mut self, source: &SpanBatch, row: u32, renaming: &mut Renaming) -> u32 {
        if let Some(Some(known)) = renaming.resources.get(row as usize) {
            return *known;
        }
        let from = source.resource(row);
        let attributes = self.copy_attributes(source, from.row().attributes, renaming);
        let schema_url = self.copy_symbol(source, from.row().schema_url, renaming);
        let entity_refs = if from.entity_refs().is_empty() {
            0
        } else {
            self.add_blob(from.entity_refs())
        };
        let copied = self.add_resource(ResourceRow {
            attributes,
            schema_url,
            entity_refs,
            ..from.row()
        });
        if let Some(slot) = renaming.resources.get_mut(row as usize) {
            *slot = Some(copied);
        }
        copied
    }

    fn copy_scope(&mut self, source: &SpanBatch, row: u32, renaming: &mut Renaming) -> u32 {
        if let Some(Some(known)) = renaming.scopes.get(row as usize) {
            return *known;
        }
        let from = source.scope(row);
        let copied = ScopeRow {
            attributes: self.copy_attributes(source, from.row().attributes, renaming),
            name: self.copy_symbol(source, from.row().name, renaming),
            version: self.copy_symbol(source, from.row().version, renaming),
            schema_url: self.copy_symbol(source, from.row().schema_url, renaming),
            ..from.row()
        };
        let copied = self.add_scope(copied);
        if let Some(slot) = renaming.scopes.get_mut(row as usize) {
            *slot = Some(copied);
        }
        copied
    }
}
