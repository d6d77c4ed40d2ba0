//! What a Parquet file's footer says, cut down to what reading needs: columns, pages, layout of attributes.
//!
//! Promises: nothing is parsed before the checksum of the footer's bytes was compared with the manifest's; what is
//! given is inside the file and fits together.
//! Refuses: files of another schema, segment or tenant than the manifest says.

#![allow(
    clippy::cast_possible_truncation,
    reason = "columns, rows and pages of a segment's files are below 2^32"
)]

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use journal::{File, read_exact_at};
use parquet::basic::{Compression, Encoding, Repetition, Type as Physical};
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader,
};

use super::SegmentError;
use super::layout::{LAYOUT_NOTE, Layout};
use super::meta::{FileMeta, SegmentMeta};
use super::page::PageEncoding;
use super::tables::{SCHEMA_NOTE, SCHEMA_VERSION, SEGMENT_NOTE, TENANT_NOTE};

/// How the plain values of a column look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Int32,
    /// Also doubles, by their bits.
    Int64,
    Bool,
    /// Eight bytes, big-endian.
    SpanId,
    /// Sixteen bytes: trace ids.
    Bytes16,
    /// Sixteen bytes that stand for a text of 36 characters.
    Uuid,
    /// Any bytes with their length before them.
    Long,
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct ColumnInfo {
    pub name: String,
    pub shape: Shape,
    pub is_optional: bool,
}

/// A data page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PagePlace {
    pub offset: u64,
    pub bytes: u32,
    /// Counted in the row group.
    pub first_row: u32,
    pub rows: u32,
}

/// The pages of a column in a row group.
#[derive(Debug, Clone)]
pub(crate) struct ChunkPlace {
    pub is_compressed: bool,
    pub encoding: PageEncoding,
    /// Offset and length of the dictionary page.
    pub dictionary: Option<(u64, u32)>,
    pub pages: Vec<PagePlace>,
    pub bytes: u64,
}

/// A row group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub rows: Range<usize>,
    /// By column.
    pub chunks: Vec<ChunkPlace>,
}

/// A footer.
#[derive(Debug, Clone)]
pub(crate) struct Footer {
    pub columns: Vec<ColumnInfo>,
    pub groups: Vec<Group>,
    pub layout: Layout,
    /// By field of the layout: its column.
    pub field_columns: Vec<Option<u32>>,
    pub rows: usize,
}

impl Footer {
    /// Reads and checks the footer of a file.
    pub(crate) fn read(
        file: &dyn File,
        path: &Path,
        about: &FileMeta,
        of: &SegmentMeta,
    ) -> Result<Self, SegmentError> {
        let corrupt = |what: &str| SegmentError::corrupt(path, what);
        let length = file
            .len()
            .map_err(|source| SegmentError::io("read", path, source))?;
        if length != about.bytes || about.footer_bytes > length {
            return Err(corrupt("its length is not the manifest's"));
        }
        let start = length - about.footer_bytes;
        let mut bytes = vec![0; usize::try_from(about.footer_bytes).unwrap_or_default()];
        read_exact_at(file, &mut bytes, start)
            .map_err(|source| SegmentError::io("read", path, source))?;
        if crc32c::crc32c(&bytes) != about.footer_crc32c
            && !plumbing::planted("segment-crc-ignored")
        {
            return Err(corrupt("the checksum of its footer is wrong"));
        }
        let parsed = parse(&Bytes::from(bytes), length);
        let parsed =
            parsed.map_err(|error| corrupt(&format!("its footer can't be read: {error}")))?;
        let note = |key: &str| {
            let notes = parsed.file_metadata().key_value_metadata()?;
            notes.iter().find(|note| note.key == key)?.value.as_deref()
        };
        if note(SCHEMA_NOTE) != Some(SCHEMA_VERSION) {
            return Err(corrupt("its schema is of a newer version"));
        }
        let (id, tenant) = (of.id.to_string(), of.tenant.as_str());
        if note(SEGMENT_NOTE) != Some(id.as_str()) || note(TENANT_NOTE) != Some(tenant) {
            return Err(corrupt("it is of another segment or tenant"));
        }
        let layout = note(LAYOUT_NOTE).and_then(Layout::parse);
        let layout = layout.ok_or_else(|| corrupt("its layout of attributes makes no sense"))?;
        Self::distil(&parsed, layout, start).ok_or_else(|| corrupt("its footer contradicts itself"))
    }

    fn distil(parsed: &ParquetMetaData, layout: Layout, data_end: u64) -> Option<Self> {
        let schema = parsed.file_metadata().schema_descr();
        let column = |at: usize| {
            let described = schema.column(at);
            let logical = described.logical_type_ref();
            let shape = match (described.physical_type(), described.type_length()) {
                (Physical::INT32, _) => Shape::Int32,
                (Physical::INT64 | Physical::DOUBLE, _) => Shape::Int64,
                (Physical::BOOLEAN, _) => Shape::Bool,
                (Physical::FIXED_LEN_BYTE_ARRAY, 8) => Shape::SpanId,
                (Physical::FIXED_LEN_BYTE_ARRAY, 16) => {
                    let is_uuid = logical == Some(&parquet::basic::LogicalType::Uuid);
                    if is_uuid { Shape::Uuid } else { Shape::Bytes16 }
                }
                (Physical::BYTE_ARRAY, _) => Shape::Long,
                _ => return None,
            };
            let is_optional =
                described.self_type().get_basic_info().repetition() == Repetition::OPTIONAL;
            Some(ColumnInfo {
                name: described.name().to_owned(),
                shape,
                is_optional,
            })
        };
        let columns: Vec<ColumnInfo> = (0..schema.num_columns())
            .map(column)
            .collect::<Option<_>>()?;
        let mut groups = Vec::new();
        let mut first_row = 0usize;
        for (at, group) in parsed.row_groups().iter().enumerate() {
            let rows = usize::try_from(group.num_rows()).ok()?;
            let chunk = |place: usize| {
                let pages = parsed.page_index()?.page_locations(at, place)?;
                let places = pages
                    .iter()
                    .map(|page| (page.offset, page.compressed_page_size, page.first_row_index));
                chunk(group.columns().get(place)?, places, rows, data_end)
            };
            let chunks = (0..columns.len()).map(chunk).collect::<Option<_>>()?;
            groups.push(Group {
                rows: first_row..first_row.checked_add(rows)?,
                chunks,
            });
            first_row += rows;
        }
        let place_of = |name: &String| {
            columns
                .iter()
                .position(|column| column.name == *name)
                .map(|at| at as u32)
        };
        let named = layout
            .fields
            .iter()
            .map(|field| field.column.as_ref().map(place_of));
        // A column that is named and not there would lose values.
        let field_columns = named.map(|place| place.map_or(Some(None), |place| place.map(Some)));
        let field_columns = field_columns.collect::<Option<Vec<_>>>()?;
        Some(Self {
            columns,
            groups,
            layout,
            field_columns,
            rows: first_row,
        })
    }

    /// A column by its name.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let columns: usize = self
            .columns
            .iter()
            .map(|column| column.name.len() + 40)
            .sum();
        let chunks = self.groups.iter().flat_map(|group| &group.chunks);
        let chunks: usize = chunks
            .map(|chunk| chunk.pages.len() * size_of::<PagePlace>() + 72)
            .sum();
        let fields: usize = self
            .layout
            .fields
            .iter()
            .map(|field| field.key.len() * 2 + 80)
            .sum();
        let shapes: usize = self
            .layout
            .shapes
            .iter()
            .map(|shape| shape.len() * 4 + 24)
            .sum();
        columns + chunks + fields + shapes
    }
}

fn parse(bytes: &Bytes, length: u64) -> Result<ParquetMetaData, parquet::errors::ParquetError> {
    let mut reader = ParquetMetaDataReader::new()
        .with_column_index_policy(PageIndexPolicy::Skip)
        .with_offset_index_policy(PageIndexPolicy::Required);
    reader.try_parse_sized(bytes, length)?;
    reader.finish()
}

fn chunk(
    about: &ColumnChunkMetaData,
    pages: impl Iterator<Item = (i64, i32, i64)>,
    rows: usize,
    data_end: u64,
) -> Option<ChunkPlace> {
    let mut encoding = None;
    for one in about.encodings() {
        encoding = match one {
            Encoding::RLE_DICTIONARY => Some(PageEncoding::Dictionary),
            Encoding::DELTA_BINARY_PACKED => Some(PageEncoding::Delta),
            Encoding::BYTE_STREAM_SPLIT => Some(PageEncoding::Split),
            Encoding::PLAIN => encoding.or(Some(PageEncoding::Plain)),
            Encoding::RLE => encoding,
            _ => return None,
        };
    }
    let mut places: Vec<PagePlace> = Vec::new();
    for (offset, bytes, first_row) in pages {
        let page = PagePlace {
            offset: u64::try_from(offset).ok()?,
            bytes: u32::try_from(bytes).ok()?,
            first_row: u32::try_from(first_row).ok()?,
            rows: 0,
        };
        if page.offset.checked_add(u64::from(page.bytes))? > data_end {
            return None;
        }
        if let Some(before) = places.last_mut() {
            before.rows = page.first_row.checked_sub(before.first_row)?;
        }
        places.push(page);
    }
    let first = *places.first()?;
    if let Some(last) = places.last_mut() {
        last.rows = (rows as u32).checked_sub(last.first_row)?;
    }
    let dictionary = match about.dictionary_page_offset() {
        None => None,
        Some(offset) => {
            let offset = u64::try_from(offset).ok()?;
            Some((
                offset,
                u32::try_from(first.offset.checked_sub(offset)?).ok()?,
            ))
        }
    };
    let has_dictionary = encoding? == PageEncoding::Dictionary;
    let is_whole = first.first_row == 0 && has_dictionary == dictionary.is_some();
    is_whole.then_some(ChunkPlace {
        is_compressed: about.compression() != Compression::UNCOMPRESSED,
        encoding: encoding?,
        dictionary,
        pages: places,
        bytes: u64::try_from(about.compressed_size()).ok()?,
    })
}
