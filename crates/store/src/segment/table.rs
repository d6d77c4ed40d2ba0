//! A Parquet file as a whole: schema, row groups, page index, footer.
//!
//! The pages are ours (`chunk.rs`); the footer is written by the `parquet` crate. Flat columns only: a column that
//! doesn't have a cell on every row is optional, nothing repeats.
//!
//! Promises: any reader of Parquet 2.11 reads the file; the page index is there for every column.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "rows, offsets and lengths of a segment's files are far below 2^31"
)]

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::page_index::PageIndexBuilder;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, KeyValue, OffsetIndexBuilder, ParquetMetaDataBuilder,
    ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::statistics::Statistics;
use parquet::file::writer::TrackedWrite;
use parquet::schema::types::{SchemaDescriptor, Type};

use super::SegmentError;
use super::chunk::{Cells, ChunkWriter, Prefer, WrittenChunk};
use super::page::PageEncoding;
use super::plain::Plain;

/// Rows of a row group; a longer trace is cut.
pub(crate) const GROUP_ROWS_MAX: usize = 131_072;

/// Who wrote the file. Readers of the field tell writers apart by it, so it never changes with our version.
const CREATED_BY: &str = "trackway segment 1";
const MAGIC: &[u8] = b"PAR1";

/// What readers are told beyond the physical type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    None,
    Text,
    Uuid,
    TimeNanos,
    Unsigned32,
}

/// Where the cells of a column come from, by row of the file.
pub(crate) enum Source<'a> {
    /// Every row has a cell.
    Every(Box<dyn Fn(usize) -> u64 + 'a>),
    /// Some rows have one.
    Maybe(Box<dyn Fn(usize) -> Option<u64> + 'a>),
    /// These rows, ascending, have these cells.
    Listed { rows: &'a [u32], keys: &'a [u64] },
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Every(_)) {
            "Every"
        } else {
            "Some"
        })
    }
}

/// A column to write.
#[derive(Debug)]
pub(crate) struct TableColumn<'a> {
    pub name: String,
    pub plain: Plain<'a>,
    pub prefer: Prefer,
    pub meaning: Meaning,
    pub source: Source<'a>,
}

/// A table to write.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub columns: Vec<TableColumn<'a>>,
    pub groups: Vec<Range<usize>>,
    /// Keys and values of the footer.
    pub notes: Vec<(String, String)>,
}

/// A written file, still in memory.
#[derive(Debug)]
pub(crate) struct TableFile {
    pub bytes: Vec<u8>,
    /// Where the page index begins; from there to the end is the footer.
    pub footer_start: usize,
}

/// Cuts rows into groups of [`GROUP_ROWS_MAX`] at most, all of about the same size.
pub(crate) fn even_groups(rows: usize) -> Vec<Range<usize>> {
    let count = rows.div_ceil(GROUP_ROWS_MAX);
    let size = if count == 0 { 1 } else { rows.div_ceil(count) };
    (0..count)
        .map(|group| group * size..((group + 1) * size).min(rows))
        .collect()
}

/// Writes a table.
pub(crate) fn write_table(
    table: Table<'_>,
    writer: &mut ChunkWriter,
) -> Result<TableFile, SegmentError> {
    let mut out = MAGIC.to_vec();
    let fault =
        |error: ParquetError| SegmentError::bug(format!("footer can't be written: {error}"));
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(
        schema(&table.columns).map_err(fault)?,
    )));
    let mut index = PageIndexBuilder::default();
    index.allocate_offset_indexes(table.groups.len(), table.columns.len());
    let mut groups = Vec::new();
    let mut buffers = Buffers::default();
    for (at, rows) in table.groups.iter().enumerate() {
        let mut group = RowGroupMetaData::builder(Arc::clone(&schema))
            .set_num_rows(rows.len() as i64)
            .set_ordinal(at as i32)
            .set_file_offset(out.len() as i64);
        let mut raw_bytes = 0;
        for (place, column) in table.columns.iter().enumerate() {
            let cells = buffers.cells(column, rows);
            let statistics = statistics(&cells, column.meaning);
            let chunk = writer.write(cells, &mut out)?;
            raw_bytes += chunk.raw_bytes;
            index.put_offset_index(offset_index(&chunk), at, place);
            let about =
                chunk_meta(&schema, place, rows.len(), &chunk, statistics).map_err(fault)?;
            group = group.add_column_metadata(about);
        }
        groups.push(
            group
                .set_total_byte_size(raw_bytes as i64)
                .build()
                .map_err(fault)?,
        );
    }
    let rows: i64 = table.groups.iter().map(|rows| rows.len() as i64).sum();
    let notes = table
        .notes
        .into_iter()
        .map(|(key, value)| KeyValue::new(key, value))
        .collect();
    let file = FileMetaData::new(
        2,
        rows,
        Some(CREATED_BY.to_owned()),
        Some(notes),
        Arc::clone(&schema),
        None,
    );
    let about = ParquetMetaDataBuilder::new(file)
        .set_row_groups(groups)
        .set_page_index(Some(Arc::new(index.build())))
        .build();
    let footer_start = out.len();
    let mut bytes = Vec::with_capacity(out.len() + (64 << 10));
    let mut tracked = TrackedWrite::new(&mut bytes);
    tracked
        .write_all(&out)
        .map_err(|error| SegmentError::bug(error.to_string()))?;
    ParquetMetaDataWriter::new_with_tracked(tracked, &about)
        .finish()
        .map_err(fault)?;
    Ok(TableFile {
        bytes,
        footer_start,
    })
}

/// The cells of one column in one group, gathered from closures.
#[derive(Debug, Default)]
struct Buffers {
    keys: Vec<u64>,
    rows: Vec<u32>,
}

impl Buffers {
    fn cells<'b>(&'b mut self, column: &TableColumn<'b>, of: &Range<usize>) -> Cells<'b> {
        self.keys.clear();
        self.rows.clear();
        let (present, keys) = match &column.source {
            Source::Every(cell) => {
                self.keys.extend(of.clone().map(cell));
                (None, self.keys.as_slice())
            }
            Source::Maybe(cell) => {
                for (row, key) in of
                    .clone()
                    .enumerate()
                    .filter_map(|(at, row)| Some((at, cell(row)?)))
                {
                    self.rows.push(row as u32);
                    self.keys.push(key);
                }
                (Some(self.rows.as_slice()), self.keys.as_slice())
            }
            Source::Listed { rows, keys } => {
                let from = rows.partition_point(|row| (*row as usize) < of.start);
                let to = rows.partition_point(|row| (*row as usize) < of.end);
                let listed = rows.get(from..to).unwrap_or_default();
                self.rows
                    .extend(listed.iter().map(|row| row - of.start as u32));
                (
                    Some(self.rows.as_slice()),
                    keys.get(from..to).unwrap_or_default(),
                )
            }
        };
        Cells {
            rows: of.len(),
            present,
            keys,
            plain: column.plain,
            prefer: column.prefer,
        }
    }
}

fn schema(columns: &[TableColumn<'_>]) -> Result<Type, ParquetError> {
    let fields = columns.iter().map(|column| {
        let (physical, length) = physical(&column.plain);
        let is_optional = !matches!(column.source, Source::Every(_));
        let meaning = match column.meaning {
            Meaning::None => None,
            Meaning::Text => Some(LogicalType::String),
            Meaning::Uuid => Some(LogicalType::Uuid),
            Meaning::TimeNanos => Some(LogicalType::timestamp(true, TimeUnit::NANOS)),
            Meaning::Unsigned32 => Some(LogicalType::integer(32, false)),
        };
        let field = Type::primitive_type_builder(&column.name, physical)
            .with_length(length)
            .with_repetition(if is_optional {
                Repetition::OPTIONAL
            } else {
                Repetition::REQUIRED
            })
            .with_logical_type(meaning);
        field.build().map(Arc::new)
    });
    Type::group_type_builder("schema")
        .with_fields(fields.collect::<Result<_, _>>()?)
        .build()
}

fn physical(plain: &Plain<'_>) -> (Physical, i32) {
    match plain {
        Plain::Int32 => (Physical::INT32, -1),
        Plain::Int64 => (Physical::INT64, -1),
        Plain::Double => (Physical::DOUBLE, -1),
        Plain::Bool => (Physical::BOOLEAN, -1),
        Plain::SpanId => (Physical::FIXED_LEN_BYTE_ARRAY, 8),
        Plain::TraceId(_) | Plain::Uuid(_) => (Physical::FIXED_LEN_BYTE_ARRAY, 16),
        Plain::Text(_) | Plain::Blob(_) | Plain::Bytes(_) => (Physical::BYTE_ARRAY, -1),
    }
}

/// Bounds of whole numbers; other types have only their count of nulls.
fn statistics(cells: &Cells<'_>, meaning: Meaning) -> Statistics {
    let nulls = cells
        .present
        .map_or(0, |present| cells.rows - present.len());
    let nulls = Some(nulls as u64);
    let keys = cells.keys.iter().copied();
    match (cells.plain, meaning) {
        (Plain::Int64, _) => {
            let numbers = keys.map(u64::cast_signed);
            Statistics::new(numbers.clone().min(), numbers.max(), None, nulls, false)
        }
        (Plain::Int32, Meaning::Unsigned32) => {
            let bits = |number: Option<u64>| number.map(|number| (number as u32).cast_signed());
            Statistics::new(
                bits(keys.clone().min()),
                bits(keys.max()),
                None,
                nulls,
                false,
            )
        }
        (Plain::Int32, _) => {
            let numbers = keys.map(|key| (key as u32).cast_signed());
            Statistics::new(numbers.clone().min(), numbers.max(), None, nulls, false)
        }
        (Plain::Double, _) => Statistics::new::<f64>(None, None, None, nulls, false),
        (Plain::Bool, _) => Statistics::new::<bool>(None, None, None, nulls, false),
        (Plain::SpanId | Plain::TraceId(_) | Plain::Uuid(_), _) => Statistics::FixedLenByteArray(
            parquet::file::statistics::ValueStatistics::new(None, None, None, nulls, false),
        ),
        (Plain::Text(_) | Plain::Blob(_) | Plain::Bytes(_), _) => {
            Statistics::new::<parquet::data_type::ByteArray>(None, None, None, nulls, false)
        }
    }
}

fn offset_index(
    chunk: &WrittenChunk,
) -> parquet::file::page_index::offset_index::OffsetIndexMetaData {
    let mut index = OffsetIndexBuilder::new();
    for page in &chunk.pages {
        index.append_row_count(page.rows as i64);
        index.append_offset_and_size(page.offset as i64, page.bytes as i32);
    }
    index.build()
}

fn chunk_meta(
    schema: &SchemaDescriptor,
    place: usize,
    rows: usize,
    chunk: &WrittenChunk,
    statistics: Statistics,
) -> Result<ColumnChunkMetaData, ParquetError> {
    let encoding = match chunk.encoding {
        Some(PageEncoding::Delta) => Encoding::DELTA_BINARY_PACKED,
        Some(PageEncoding::Dictionary) => Encoding::RLE_DICTIONARY,
        Some(PageEncoding::Split) => Encoding::BYTE_STREAM_SPLIT,
        Some(PageEncoding::Plain) | None => Encoding::PLAIN,
    };
    let mut encodings = vec![encoding, Encoding::RLE];
    if chunk.dictionary_offset.is_some() {
        encodings.push(Encoding::PLAIN);
    }
    let compression = match chunk.is_compressed {
        true => Compression::ZSTD(parquet::basic::ZstdLevel::default()),
        false => Compression::UNCOMPRESSED,
    };
    let first_page = chunk.pages.first().map_or(0, |page| page.offset);
    ColumnChunkMetaData::builder(schema.column(place))
        .set_encodings(encodings)
        .set_compression(compression)
        .set_num_values(rows as i64)
        .set_total_compressed_size(chunk.stored_bytes as i64)
        .set_total_uncompressed_size(chunk.raw_bytes as i64)
        .set_data_page_offset(first_page as i64)
        .set_dictionary_page_offset(chunk.dictionary_offset.map(|offset| offset as i64))
        .set_statistics(statistics)
        .build()
}
