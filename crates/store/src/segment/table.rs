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
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::page_index::PageIndexBuilder;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, KeyValue, OffsetIndexBuilder, ParquetMetaDataBuilder,
    ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::TrackedWrite;
use parquet::schema::types::{SchemaDescriptor, Type};

use super::SegmentError;
use super::chunk::{Cells, ChunkWriter, Prefer, WrittenChunk};
use super::meta::FileMeta;
use super::page::PageEncoding;
use super::plain::Plain;
use super::sink::Sink;

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

/// A file that is written row group by row group.
#[derive(Debug)]
pub(crate) struct TableWriter {
    sink: Sink,
    schema: Arc<SchemaDescriptor>,
    groups: Vec<RowGroupMetaData>,
    /// By row group, then column.
    pages: Vec<Vec<OffsetIndexMetaData>>,
    rows: usize,
    buffers: Buffers,
    /// The row group that is being written.
    out: Vec<u8>,
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
fn fault(error: ParquetError) -> SegmentError {
    SegmentError::bug(format!("footer can't be written: {error}"))
}

impl TableWriter {
    /// Begins a file with the columns of its first row group; all others must have the same.
    pub(crate) fn new(mut sink: Sink, columns: &[TableColumn<'_>]) -> Result<Self, SegmentError> {
        let schema = SchemaDescriptor::new(Arc::new(schema(columns).map_err(fault)?));
        sink.append(MAGIC)?;
        Ok(Self {
            sink,
            schema: Arc::new(schema),
            groups: Vec::new(),
            pages: Vec::new(),
            rows: 0,
            buffers: Buffers::default(),
            out: Vec::new(),
        })
    }

    /// The rows so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row group.
    pub(crate) fn put_group(
        &mut self,
        columns: &[TableColumn<'_>],
        rows: usize,
        writer: &mut ChunkWriter,
    ) -> Result<(), SegmentError> {
        let offset = self.sink.len() as usize;
        self.out.clear();
        let mut group = RowGroupMetaData::builder(Arc::clone(&self.schema))
            .set_num_rows(rows as i64)
            .set_ordinal(self.groups.len() as i32)
            .set_file_offset(offset as i64);
        let (mut raw_bytes, mut pages) = (0, Vec::with_capacity(columns.len()));
        for (place, column) in columns.iter().enumerate() {
            self.check_column(place, column, columns.len())?;
            let cells = self.buffers.cells(column, rows);
            let statistics = statistics(&cells, column.meaning);
            let mut chunk = writer.write(cells, &mut self.out)?;
            chunk.shift(offset);
            raw_bytes += chunk.raw_bytes;
            pages.push(offset_index(&chunk));
            let about = chunk_meta(&self.schema, place, rows, &chunk, statistics).map_err(fault)?;
            group = group.add_column_metadata(about);
        }
        let group = group.set_total_byte_size(raw_bytes as i64).build();
        self.groups.push(group.map_err(fault)?);
        self.pages.push(pages);
        self.rows += rows;
        self.sink.append(&self.out)
    }

    /// Row groups share one schema.
    fn check_column(
        &self,
        place: usize,
        column: &TableColumn<'_>,
        count: usize,
    ) -> Result<(), SegmentError> {
        let known = (count == self.schema.num_columns()).then(|| self.schema.column(place));
        let is_same = known.is_some_and(|known| {
            known.name() == column.name
                && known.physical_type() == physical(&column.plain).0
                && known.type_length() == physical(&column.plain).1
        });
        if is_same {
            return Ok(());
        }
        let what = format!(
            "a later row group has a column {place} \"{}\" that the first one has not",
            column.name
        );
        Err(SegmentError::bug(what))
    }

    /// Adds the footer with its keys and values; durable but for its name.
    pub(crate) fn finish(mut self, notes: Vec<(String, String)>) -> Result<FileMeta, SegmentError> {
        let mut index = PageIndexBuilder::default();
        index.allocate_offset_indexes(self.groups.len(), self.schema.num_columns());
        for (group, pages) in self.pages.drain(..).enumerate() {
            for (place, pages) in pages.into_iter().enumerate() {
                index.put_offset_index(pages, group, place);
            }
        }
        let notes = notes
            .into_iter()
            .map(|(key, value)| KeyValue::new(key, value));
        let file = FileMetaData::new(
            2,
            self.rows as i64,
            Some(CREATED_BY.to_owned()),
            Some(notes.collect()),
            Arc::clone(&self.schema),
            None,
        );
        let about = ParquetMetaDataBuilder::new(file)
            .set_row_groups(std::mem::take(&mut self.groups))
            .set_page_index(Some(Arc::new(index.build())))
            .build();
        let mut footer = Footer {
            before: self.sink.len(),
            bytes: Vec::with_capacity(64 << 10),
        };
        let mut tracked = TrackedWrite::new(&mut footer);
        footer_behind(self.sink.len(), &mut tracked)
            .map_err(|error| SegmentError::bug(error.to_string()))?;
        ParquetMetaDataWriter::new_with_tracked(tracked, &about)
            .finish()
            .map_err(fault)?;
        self.sink.finish(&footer.bytes)
    }
}

/// Takes the footer from a writer that believes to have written the whole file.
struct Footer {
    /// Bytes that are in the file already.
    before: u64,
    bytes: Vec<u8>,
}

impl Write for Footer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let known = (bytes.len() as u64).min(self.before);
        self.before -= known;
        self.bytes
            .extend_from_slice(bytes.get(known as usize..).unwrap_or_default());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Lets a writer count what is in the file already: offsets in the footer follow from it.
fn footer_behind(bytes: u64, tracked: &mut TrackedWrite<&mut Footer>) -> std::io::Result<()> {
    let filler = [0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(filler.len() as u64);
        tracked.write_all(filler.get(..now as usize).unwrap_or_default())?;
        left -= now;
    }
    Ok(())
}

/// The cells of one column at a time.
#[derive(Debug, Default)]
struct Buffers {
    keys: Vec<u64>,
    rows: Vec<u32>,
}

impl Buffers {
    fn cells<'b>(&'b mut self, column: &TableColumn<'b>, rows: usize) -> Cells<'b> {
        self.keys.clear();
        self.rows.clear();
        let (present, keys) = match &column.source {
            Source::Every(cell) => {
                self.keys.extend((0..rows).map(cell));
                (None, self.keys.as_slice())
            }
            Source::Maybe(cell) => {
                for (row, key) in (0..rows).filter_map(|row| Some((row, cell(row)?))) {
                    self.rows.push(row as u32);
                    self.keys.push(key);
                }
                (Some(self.rows.as_slice()), self.keys.as_slice())
            }
            Source::Listed { rows, keys } => (Some(*rows), *keys),
        };
        Cells {
            rows,
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

fn offset_index(chunk: &WrittenChunk) -> OffsetIndexMetaData {
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
