//! Resources and scopes, read from their file into a batch without spans, and copied from it into others.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of 32 bits come back from where they were widened"
)]

use model::SpanBatch;
use model::batch::{
    AttrValue, Attribute, Attributes, BatchBuilder, PackedValue, ResourceRow, ScopeRow,
};

use super::SegmentError;
use super::assemble::AttributeReader;
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;

/// The resources and scopes of a segment; their rows in the batch are their numbers in the file.
pub(crate) fn read_envelopes(segment: &Segment) -> Result<SpanBatch, SegmentError> {
    let kind = FileKind::Resources;
    let path = segment.path(kind);
    let corrupt = |what: &str| SegmentError::corrupt(&path, what);
    let footer = segment
        .footer(kind)?
        .ok_or_else(|| corrupt("it is missing"))?;
    let mut opener = PageOpener::new();
    let mut builder = BatchBuilder::new();
    for (at, group) in footer.groups.iter().enumerate() {
        let rows = 0..group.rows.len();
        let mut column = |name: &str| {
            let place = footer
                .column(name)
                .ok_or_else(|| corrupt(&format!("it has no column \"{name}\"")))?;
            segment.column((kind, &footer), (at, place), &rows, &mut opener)
        };
        let (is_scope, id, is_present) =
            (column("is_scope")?, column("id")?, column("is_present")?);
        let (name, version, url) = (column("name")?, column("version")?, column("schema_url")?);
        let (dropped, refs) = (column("dropped_attrs")?, column("entity_refs")?);
        let mut attributes =
            AttributeReader::read(segment, (kind, &footer), (at, &rows), &mut opener)?;
        for row in rows.clone() {
            let attributes = attributes
                .put(row, &mut builder)
                .ok_or_else(|| corrupt("attributes make no sense"))?;
            let mut text = |column: &super::column::Column| {
                builder.intern(column.bytes(row).unwrap_or_default())
            };
            let (name, version, schema_url) = (text(&name), text(&version), text(&url));
            let dropped_attributes = dropped.number(row).unwrap_or_default() as u32;
            let is_present = is_present.number(row) == Some(1);
            let made = if is_scope.number(row) == Some(1) {
                builder.add_scope(ScopeRow {
                    is_present,
                    name,
                    version,
                    attributes,
                    dropped_attributes,
                    schema_url,
                })
            } else {
                let entity_refs = refs.bytes(row).map_or(0, |bytes| builder.add_blob(bytes));
                builder.add_resource(ResourceRow {
                    is_present,
                    attributes,
                    dropped_attributes,
                    schema_url,
                    entity_refs,
                    ..Default::default()
                })
            };
            if id.number(row) != Some(u64::from(made)) {
                return Err(corrupt(
                    "resources or scopes are out of order or not distinct",
                ));
            }
        }
    }
    Ok(builder.finish())
}

/// Copies resources and scopes from a segment's batch of them, each once.
#[derive(Debug)]
pub(crate) struct EnvelopeCopier<'a> {
    source: &'a SpanBatch,
    resources: Vec<Option<u32>>,
    scopes: Vec<Option<u32>>,
}

impl<'a> EnvelopeCopier<'a> {
    pub(crate) fn new(source: &'a SpanBatch) -> Self {
        let (resources, scopes) = (
            vec![None; source.resources().len()],
            vec![None; source.scopes().len()],
        );
        Self {
            source,
            resources,
            scopes,
        }
    }

    /// The row of a resource in the batch that is being built; `None` when there is no such resource.
    pub(crate) fn resource(&mut self, number: usize, builder: &mut BatchBuilder) -> Option<u32> {
        let slot = self.resources.get_mut(number)?;
        if slot.is_none() {
            let from = self.source.resource(number as u32);
            let attributes = copy_attributes(from.attributes(), builder);
            let schema_url = builder.intern(from.schema_url().as_bytes());
            let refs = from.entity_refs();
            let entity_refs = if refs.is_empty() {
                0
            } else {
                builder.add_blob(refs)
            };
            *slot = Some(builder.add_resource(ResourceRow {
                attributes,
                schema_url,
                entity_refs,
                ..from.row()
            }));
        }
        *slot
    }

    /// The row of a scope in the batch that is being built; `None` when there is no such scope.
    pub(crate) fn scope(&mut self, number: usize, builder: &mut BatchBuilder) -> Option<u32> {
        let slot = self.scopes.get_mut(number)?;
        if slot.is_none() {
            let from = self.source.scope(number as u32);
            let attributes = copy_attributes(from.attributes(), builder);
            let name = builder.intern(from.name().as_bytes());
            let version = builder.intern(from.version().as_bytes());
            let schema_url = builder.intern(from.schema_url().as_bytes());
            *slot = Some(builder.add_scope(ScopeRow {
                attributes,
                name,
                version,
                schema_url,
                ..from.row()
            }));
        }
        *slot
    }
}

fn copy_attributes<'a>(
    attributes: impl Iterator<Item = Attribute<'a>>,
    builder: &mut BatchBuilder,
) -> Attributes {
    let mut cursor = builder.begin_attributes();
    for attribute in attributes {
        let value = match attribute.value {
            AttrValue::Empty => PackedValue::Empty,
            AttrValue::String(text) => PackedValue::String(text.as_bytes()),
            AttrValue::Bool(is) => PackedValue::Bool(is),
            AttrValue::Int(int) => PackedValue::Int(int),
            AttrValue::Double(double) => PackedValue::Double(double),
            AttrValue::Array(bytes) => PackedValue::Array(bytes),
            AttrValue::Map(bytes) => PackedValue::Map(bytes),
            AttrValue::Bytes(bytes) => PackedValue::Bytes(bytes),
        };
        builder.push_attribute(&mut cursor, attribute.key.as_bytes(), value);
    }
    builder.finish_attributes(cursor)
}
