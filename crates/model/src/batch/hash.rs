//! When two rows are the same: a hash over content, never over indexes, so that it holds across batches.

use xxhash_rust::xxh3::xxh3_64;

use super::table::Attributes;
use super::{ResourceRow, ScopeRow, SpanBatch};
use crate::value::ValueType;

impl SpanBatch {
    /// A hash of everything in a span: its fields, attributes, events, links, resource and scope. Equal spans of
    /// different batches have equal hashes. The function never changes, since hashes may outlive the program.
    #[must_use]
    pub fn span_hash(&self, row: usize) -> u64 {
        let mut buf = Vec::with_capacity(512);
        self.span_hash_with(row, &mut buf)
    }

    /// As [`SpanBatch::span_hash`], with a buffer to use again.
    pub fn span_hash_with(&self, row: usize, buf: &mut Vec<u8>) -> u64 {
        buf.clear();
        let Some(span) = self.span(row) else { return 0 };
        buf.extend_from_slice(&span.trace_id().0);
        buf.extend_from_slice(&span.span_id().0);
        buf.extend_from_slice(&span.parent_span_id().0);
        put_text(buf, span.name());
        buf.extend_from_slice(&span.kind().to_le_bytes());
        buf.extend_from_slice(&span.start().to_le_bytes());
        buf.extend_from_slice(&span.end().to_le_bytes());
        buf.extend_from_slice(&span.status().to_le_bytes());
        put_text(buf, span.status_message());
        put_text(buf, span.trace_state());
        buf.extend_from_slice(&span.flags().to_le_bytes());
        let (attributes, events, links) = span.dropped();
        [attributes, events, links]
            .iter()
            .for_each(|n| buf.extend_from_slice(&n.to_le_bytes()));
        self.put_attributes(buf, span.packed());
        for event in span.events() {
            buf.push(b'E');
            buf.extend_from_slice(&event.time().to_le_bytes());
            put_text(buf, event.name());
            buf.extend_from_slice(&event.dropped_attributes().to_le_bytes());
            self.put_attributes(buf, event.packed());
        }
        for link in span.links() {
            buf.push(b'L');
            buf.extend_from_slice(&link.trace_id().0);
            buf.extend_from_slice(&link.span_id().0);
            put_text(buf, link.trace_state());
            buf.extend_from_slice(&link.flags().to_le_bytes());
            buf.extend_from_slice(&link.dropped_attributes().to_le_bytes());
            self.put_attributes(buf, link.packed());
        }
        self.put_resource(buf, &span.resource().row());
        self.put_scope(buf, &span.scope().row());
        xxh3_64(buf)
    }

    pub(super) fn resource_hash(&self, row: &ResourceRow) -> u64 {
        let mut buf = Vec::with_capacity(256);
        self.put_resource(&mut buf, row);
        xxh3_64(&buf)
    }

    pub(super) fn scope_hash(&self, row: &ScopeRow) -> u64 {
        let mut buf = Vec::with_capacity(128);
        self.put_scope(&mut buf, row);
        xxh3_64(&buf)
    }

    pub(super) fn is_same_resource(&self, a: &ResourceRow, b: &ResourceRow) -> bool {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.put_resource(&mut left, a);
        self.put_resource(&mut right, b);
        left == right
    }

    pub(super) fn is_same_scope(&self, a: &ScopeRow, b: &ScopeRow) -> bool {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.put_scope(&mut left, a);
        self.put_scope(&mut right, b);
        left == right
    }

    fn put_resource(&self, buf: &mut Vec<u8>, row: &ResourceRow) {
        buf.push(b'R');
        buf.push(u8::from(row.is_present));
        buf.extend_from_slice(&row.dropped_attributes.to_le_bytes());
        put_text(buf, self.strings.get(row.schema_url));
        let refs = row
            .entity_refs
            .checked_sub(1)
            .map(|blob| self.blobs.get(blob))
            .unwrap_or_default();
        put_bytes(buf, refs);
        self.put_attributes(buf, row.attributes);
    }

    fn put_scope(&self, buf: &mut Vec<u8>, row: &ScopeRow) {
        buf.push(b'S');
        buf.push(u8::from(row.is_present));
        put_text(buf, self.strings.get(row.name));
        put_text(buf, self.strings.get(row.version));
        buf.extend_from_slice(&row.dropped_attributes.to_le_bytes());
        put_text(buf, self.strings.get(row.schema_url));
        self.put_attributes(buf, row.attributes);
    }

    fn put_attributes(&self, buf: &mut Vec<u8>, attributes: Attributes) {
        for (field, bits) in self.packed_attributes(attributes) {
            buf.push(field.value_type as u8);
            put_text(buf, self.strings.get(field.key));
            match field.value_type {
                ValueType::Empty => {}
                ValueType::Bool | ValueType::Int | ValueType::Double => {
                    buf.extend_from_slice(&bits.to_le_bytes());
                }
                ValueType::String => {
                    #[allow(
                        clippy::cast_possible_truncation,
                        reason = "a symbol's bits were made from 32 bits"
                    )]
                    put_bytes(buf, self.strings.get_bytes(super::Symbol(bits as u32)));
                }
                ValueType::Array | ValueType::Map | ValueType::Bytes => {
                    put_bytes(buf, self.blobs.get(bits));
                }
            }
        }
        buf.push(b';');
    }
}

fn put_text(buf: &mut Vec<u8>, text: &str) {
    put_bytes(buf, text.as_bytes());
}

fn put_bytes(buf: &mut Vec<u8>, bytes: &[u8]) {
    buf.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    buf.extend_from_slice(bytes);
}
