//! The cells of one column in one row group, written as Parquet pages.
//!
//! A cell comes as 64 bits, as batches hold values: a symbol, a number, a blob's index. Equal bits are equal values,
//! so a dictionary is built without looking at a text twice.
//!
//! Promises
//! - A dictionary is used when it has fewer than half as many values as there are cells, and is at most 128 KiB.
//! - Pages have 4,096 rows or a power of two more, so many that they are about 8 KiB: a constant column is one
//!   page, a busy one has small pages for reading single traces.
//! - A chunk that compression doesn't shorten is stored as it is.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a group and bytes of a page are far below 2^32"
)]

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::SegmentError;
use super::encode::{put_delta, put_hybrid, put_split, width_of};
use super::page::{Compressor, PageEncoding, PageKind, put_page};
use super::plain::Plain;

const PAGE_ROWS_MIN: usize = 4_096;
/// A page is at least about this long before compression. What a trace costs that was not asked for before is mostly
/// opening its pages. On the shop corpus, with a cache that holds little of it: 32 KiB reads a trace in 0.92 ms, 16 KiB
/// in 0.65, 8 KiB in 0.60 for 0.09 bytes a span more, 4 KiB in 0.55 for 0.27 more.
const PAGE_BYTES_MIN: usize = 8 << 10;
/// A page of long values ends here.
const PAGE_BYTES_SOFT_MAX: usize = 1 << 20;
/// A dictionary is opened whole for a value of it. 256 KiB would save 0.04 bytes a span and read a trace in 0.60 ms
/// rather than in 0.5.
const DICTIONARY_BYTES_MAX: usize = 128 << 10;
/// Keys below this are looked up by index rather than by hash.
const DIRECT_KEYS: usize = 1 << 16;
const NO_CODE: u32 = u32::MAX;

/// What to write when a dictionary is no use, or is not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefer {
    /// A dictionary if it pays, else this.
    DictionaryOr(PageEncoding),
    /// Only this.
    Only(PageEncoding),
    /// Plain values, never compressed: random bits.
    Random,
}

/// The cells to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    /// Rows of the row group.
    pub rows: usize,
    /// The rows that have a cell, ascending, counted in the group; `None`: every row, and no presence bits.
    pub present: Option<&'a [u32]>,
    /// The cells.
    pub keys: &'a [u64],
    pub plain: Plain<'a>,
    pub prefer: Prefer,
}

/// A page of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrittenPage {
    pub offset: usize,
    pub bytes: usize,
    pub rows: usize,
}

/// A chunk that was written; offsets are in what it was appended to.
#[derive(Debug, Default)]
pub(crate) struct WrittenChunk {
    pub dictionary_offset: Option<usize>,
    pub pages: Vec<WrittenPage>,
    pub encoding: Option<PageEncoding>,
    pub is_compressed: bool,
    pub raw_bytes: usize,
    pub stored_bytes: usize,
    pub nulls: usize,
}

impl WrittenChunk {
    /// Moves all offsets: from those in a row group to those in the file.
    pub(crate) fn shift(&mut self, offset: usize) {
        self.dictionary_offset = self.dictionary_offset.map(|at| at + offset);
        self.pages.iter_mut().for_each(|page| page.offset += offset);
    }
}

/// Writes chunks, one after another, with its buffers.
#[derive(Debug)]
pub(crate) struct ChunkWriter {
    compressor: Compressor,
    code_of: Vec<u32>,
    code_of_rare: HashMap<u64, u32, RandomState>,
    entries: Vec<u64>,
    codes: Vec<u32>,
    code_width: u32,
    levels: Vec<u32>,
    raw: Vec<u8>,
    stored: Vec<u8>,
}

/// A page before it has a header: its raw and its compressed bytes in the writer's buffers.
#[derive(Debug, Clone, Copy)]
struct Draft {
    kind: PageKind,
    values: usize,
    raw: (usize, usize),
    stored: (usize, usize),
}

impl ChunkWriter {
    pub(crate) fn new() -> Result<Self, SegmentError> {
        Ok(Self {
            compressor: Compressor::new()?,
            code_of: vec![NO_CODE; DIRECT_KEYS],
            code_of_rare: HashMap::default(),
            entries: Vec::new(),
            codes: Vec::new(),
            code_width: 1,
            levels: Vec::new(),
            raw: Vec::new(),
            stored: Vec::new(),
        })
    }

    /// Appends the pages of a chunk.
    pub(crate) fn write(
        &mut self,
        cells: Cells<'_>,
        out: &mut Vec<u8>,
    ) -> Result<WrittenChunk, SegmentError> {
        self.raw.clear();
        self.stored.clear();
        let mut drafts = Vec::new();
        let encoding = match cells.prefer {
            Prefer::DictionaryOr(other) if !self.build_dictionary(cells) => other,
            Prefer::DictionaryOr(_) => PageEncoding::Dictionary,
            Prefer::Only(encoding) => encoding,
            Prefer::Random => PageEncoding::Plain,
        };
        if encoding == PageEncoding::Dictionary {
            for key in &self.entries {
                cells.plain.put(*key, &mut self.raw);
            }
            let values = self.entries.len();
            drafts.push(Draft {
                kind: PageKind::Dictionary,
                values,
                raw: (0, self.raw.len()),
                stored: (0, 0),
            });
        }
        let page_rows = self.page_rows(cells, encoding);
        if encoding == PageEncoding::Dictionary {
            let (_, end_cell) = page_end(cells, encoding, (0, 0), page_rows);
            self.choose_code_width(end_cell)?;
        }
        let (mut row, mut cell) = (0, 0);
        while row < cells.rows {
            let (end_row, end_cell) = page_end(cells, encoding, (row, cell), page_rows);
            let from = self.raw.len();
            self.put_levels(cells, row..end_row, cell..end_cell);
            self.put_values(cells, encoding, cell..end_cell);
            let (kind, values) = (PageKind::Data(encoding), end_row - row);
            drafts.push(Draft {
                kind,
                values,
                raw: (from, self.raw.len()),
                stored: (0, 0),
            });
            (row, cell) = (end_row, end_cell);
        }
        let is_compressed = cells.prefer != Prefer::Random && self.compress(&mut drafts)?;
        let mut chunk = WrittenChunk {
            encoding: Some(encoding),
            is_compressed,
            ..Default::default()
        };
        chunk.nulls = cells
            .present
            .map_or(0, |present| cells.rows - present.len());
        self.put_pages(&drafts, &mut chunk, out);
        Ok(chunk)
    }

    /// Fills `entries` and `codes`; false when a dictionary doesn't pay.
    fn build_dictionary(&mut self, cells: Cells<'_>) -> bool {
        let entries_max = cells.keys.len() / 2;
        if let Plain::Text(strings) | Plain::Uuid(strings) = cells.plain
            && self.code_of.len() < strings.len()
        {
            self.code_of.resize(strings.len(), NO_CODE);
        }
        self.entries.clear();
        self.codes.clear();
        self.codes.reserve(cells.keys.len());
        let mut bytes = 0;
        let mut pays = !cells.keys.is_empty();
        let mut last = None;
        for &key in cells.keys {
            if let Some((last_key, code)) = last
                && last_key == key
            {
                self.codes.push(code);
                continue;
            }
            let next = self.entries.len() as u32;
            let direct = usize::try_from(key)
                .ok()
                .and_then(|key| self.code_of.get_mut(key));
            let code = match direct {
                Some(code) => code,
                None => self.code_of_rare.entry(key).or_insert(NO_CODE),
            };
            if *code == NO_CODE {
                *code = next;
                self.entries.push(key);
                bytes += cells.plain.len(key);
                pays = self.entries.len() <= entries_max && bytes <= DICTIONARY_BYTES_MAX;
                if !pays {
                    break;
                }
            }
            self.codes.push(*code);
            last = Some((key, *code));
        }
        for key in &self.entries {
            if let Some(code) = usize::try_from(*key)
                .ok()
                .and_then(|key| self.code_of.get_mut(key))
            {
                *code = NO_CODE;
            }
        }
        self.code_of_rare.clear();
        pays && !(matches!(cells.plain, Plain::Int64) && self.is_dearer_than_numbers())
    }

    /// Whether a dictionary of ints takes more than their significant bytes would: port numbers, small counters.
    fn is_dearer_than_numbers(&self) -> bool {
        let widest = self
            .entries
            .iter()
            .map(|bits| bits.cast_signed().unsigned_abs())
            .max()
            .unwrap_or_default();
        let number_bytes = (65 - widest.leading_zeros() as usize).div_ceil(8);
        let code_bits = width_of(self.entries.len().saturating_sub(1) as u32) as usize;
        // An entry is compressed to about its significant bytes and one.
        self.entries.len() * (number_bytes + 1) + self.codes.len() * code_bits / 8
            > self.codes.len() * number_bytes
    }

    /// Takes the bits that codes need, or whole bytes if the compressor makes more of them on the first page: bytes
    /// let it see what repeats from trace to trace (a resource's number costs half), bits suit what doesn't.
    fn choose_code_width(&mut self, first_page_cells: usize) -> Result<(), SegmentError> {
        let bits = width_of(self.entries.len().saturating_sub(1) as u32);
        let codes = self.codes.get(..first_page_cells).unwrap_or_default();
        self.code_width = bits;
        if bits == 1 || bits.is_multiple_of(8) {
            return Ok(());
        }
        let mut best = (usize::MAX, bits);
        for width in [bits, bits.next_multiple_of(8)] {
            let (from, stored_from) = (self.raw.len(), self.stored.len());
            put_hybrid(codes, width, &mut self.raw);
            let raw = self.raw.get(from..).unwrap_or_default();
            self.compressor.compress(raw, &mut self.stored)?;
            best = best.min((self.stored.len() - stored_from, width));
            self.raw.truncate(from);
            self.stored.truncate(stored_from);
        }
        self.code_width = best.1;
        Ok(())
    }

    /// Rows of a page, so that pages are neither tiny nor slow to read for one trace.
    fn page_rows(&self, cells: Cells<'_>, encoding: PageEncoding) -> usize {
        let mut bits = match encoding {
            PageEncoding::Dictionary => {
                let width = width_of(self.entries.len().saturating_sub(1) as u32) as usize;
                let changes = self
                    .codes
                    .windows(2)
                    .filter(|pair| pair.first() != pair.last())
                    .count();
                self.codes.len().min(changes * 8) * width
            }
            PageEncoding::Plain if matches!(cells.plain, Plain::Bool) => cells.keys.len(),
            PageEncoding::Plain => cells.keys.iter().map(|key| cells.plain.len(*key) * 8).sum(),
            PageEncoding::Delta | PageEncoding::Split => cells.keys.len() * 32,
        };
        if let Some(present) = cells.present {
            let gaps = present.windows(2).filter(|pair| {
                pair.last()
                    .zip(pair.first())
                    .is_some_and(|(b, a)| b - a > 1)
            });
            bits += cells.rows.min(gaps.count() * 16);
        }
        let mut page_rows = PAGE_ROWS_MIN;
        while page_rows < cells.rows && bits / 8 * page_rows / cells.rows < PAGE_BYTES_MIN {
            page_rows *= 2;
        }
        page_rows
    }

    fn put_levels(
        &mut self,
        cells: Cells<'_>,
        rows: std::ops::Range<usize>,
        of: std::ops::Range<usize>,
    ) {
        let Some(present) = cells.present else { return };
        self.levels.clear();
        self.levels.resize(rows.len(), 0);
        for row in present.get(of).unwrap_or_default() {
            if let Some(level) = (*row as usize)
                .checked_sub(rows.start)
                .and_then(|at| self.levels.get_mut(at))
            {
                *level = 1;
            }
        }
        let at = self.raw.len();
        self.raw.extend_from_slice(&[0; 4]);
        put_hybrid(&self.levels, 1, &mut self.raw);
        let length = (self.raw.len() - at - 4) as u32;
        if let Some(field) = self.raw.get_mut(at..at + 4) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }

    fn put_values(&mut self, cells: Cells<'_>, encoding: PageEncoding, of: std::ops::Range<usize>) {
        let keys = cells.keys.get(of.clone()).unwrap_or_default();
        match encoding {
            PageEncoding::Dictionary => {
                self.raw.push(self.code_width as u8);
                put_hybrid(
                    self.codes.get(of).unwrap_or_default(),
                    self.code_width,
                    &mut self.raw,
                );
            }
            PageEncoding::Plain if matches!(cells.plain, Plain::Bool) => {
                for eight in keys.chunks(8) {
                    self.raw.push(
                        eight
                            .iter()
                            .rev()
                            .fold(0, |bits, key| bits << 1 | (*key != 0) as u8),
                    );
                }
            }
            PageEncoding::Plain => keys
                .iter()
                .for_each(|key| cells.plain.put(*key, &mut self.raw)),
            PageEncoding::Delta => put_delta(keys, &mut self.raw),
            PageEncoding::Split => {
                let bytes = if matches!(cells.plain, Plain::Int32) {
                    4
                } else {
                    8
                };
                put_split(keys, bytes, &mut self.raw);
            }
        }
    }

    /// Compresses all drafts; false when that is no use.
    fn compress(&mut self, drafts: &mut [Draft]) -> Result<bool, SegmentError> {
        let mut raw_bytes = 0;
        for draft in drafts {
            let raw = self.raw.get(draft.raw.0..draft.raw.1).unwrap_or_default();
            let from = self.stored.len();
            self.compressor.compress(raw, &mut self.stored)?;
            draft.stored = (from, self.stored.len());
            raw_bytes += raw.len();
        }
        // Uncompressed pages are cheaper to read; one part in fifty is not worth it.
        Ok(self.stored.len() + raw_bytes / 50 < raw_bytes)
    }

    fn put_pages(&self, drafts: &[Draft], chunk: &mut WrittenChunk, out: &mut Vec<u8>) {
        let start = out.len();
        for draft in drafts {
            let offset = out.len();
            let raw_bytes = draft.raw.1 - draft.raw.0;
            let stored = match chunk.is_compressed {
                true => self.stored.get(draft.stored.0..draft.stored.1),
                false => self.raw.get(draft.raw.0..draft.raw.1),
            };
            let stored = stored.unwrap_or_default();
            put_page(draft.kind, draft.values as u32, raw_bytes, stored, out);
            chunk.raw_bytes += raw_bytes + (out.len() - offset - stored.len());
            match draft.kind {
                PageKind::Dictionary => chunk.dictionary_offset = Some(offset),
                PageKind::Data(_) => {
                    let page = WrittenPage {
                        offset,
                        bytes: out.len() - offset,
                        rows: draft.values,
                    };
                    chunk.pages.push(page);
                }
            }
        }
        chunk.stored_bytes = out.len() - start;
    }
}

/// Where a page ends that begins at this row and cell: after its rows, or before long values make it too long.
fn page_end(
    cells: Cells<'_>,
    encoding: PageEncoding,
    from: (usize, usize),
    page_rows: usize,
) -> (usize, usize) {
    let (row, cell) = from;
    let end_row = (row + page_rows).min(cells.rows);
    let end_cell = match cells.present {
        None => end_row,
        Some(present) => present.partition_point(|at| (*at as usize) < end_row),
    };
    let is_long = matches!(
        cells.plain,
        Plain::Text(_) | Plain::Blob(_) | Plain::Bytes(_)
    );
    if encoding != PageEncoding::Plain || !is_long {
        return (end_row, end_cell);
    }
    let mut bytes = 0;
    for at in cell..end_cell {
        bytes += cells.keys.get(at).map_or(0, |key| cells.plain.len(*key));
        if bytes > PAGE_BYTES_SOFT_MAX && at > cell {
            let row = cells.present.map_or(at, |present| {
                present.get(at).map_or(end_row, |row| *row as usize)
            });
            return (row, at);
        }
    }
    (end_row, end_cell)
}
