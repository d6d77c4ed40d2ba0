//! The cells of one column over a range of rows, read from its pages.
//!
//! Promises
//! - Every page is checked (`page.rs`) before a cell of it is believed, and must hold exactly the cells that its rows
//!   need.
//! - Memory is bounded by the pages that the rows touch.
//!
//! Refuses: pages whose content doesn't fit the footer.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a group and bytes of a page are below 2^32"
)]

use std::ops::Range;
use std::sync::Arc;

use super::codes::Codes;
use super::decode::split;
use super::footer::{ChunkPlace, ColumnInfo, Shape};
use super::opened::{OpenedPage, PageValues, UNKNOWN, WRONG};
use super::page::{Expected, PageEncoding, PageKind, PageOpener};

const NO_CELL: u32 = u32::MAX;

/// Values in their plain form.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    Numbers(Vec<u64>),
    Bytes { bytes: Vec<u8>, ends: Vec<u32> },
}

impl Values {
    fn empty(shape: Shape) -> Self {
        match shape {
            Shape::Int32 | Shape::Int64 | Shape::Bool | Shape::SpanId => Self::Numbers(Vec::new()),
            Shape::Bytes16 | Shape::Uuid | Shape::Long => Self::Bytes {
                bytes: Vec::new(),
                ends: Vec::new(),
            },
        }
    }

    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Bytes { ends, .. } => ends.len(),
        }
    }

    pub(crate) fn number(&self, at: usize) -> u64 {
        match self {
            Self::Numbers(numbers) => numbers.get(at).copied().unwrap_or_default(),
            Self::Bytes { .. } => 0,
        }
    }

    pub(crate) fn bytes(&self, at: usize) -> &[u8] {
        let Self::Bytes { bytes, ends } = self else {
            return &[];
        };
        let start = at
            .checked_sub(1)
            .and_then(|before| ends.get(before))
            .copied()
            .unwrap_or_default();
        let end = ends.get(at).copied().unwrap_or_default();
        bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.capacity() * 8,
            Self::Bytes { bytes, ends } => bytes.capacity() + ends.capacity() * 4,
        }
    }

    /// Appends those of `count` plain values at the places of `wanted`; all of them fill `raw` exactly.
    fn put_plain(
        &mut self,
        shape: Shape,
        raw: &[u8],
        count: usize,
        wanted: &Range<usize>,
    ) -> Option<()> {
        let width = match shape {
            Shape::Int32 => 4,
            Shape::Int64 | Shape::SpanId => 8,
            Shape::Bytes16 | Shape::Uuid => 16,
            Shape::Bool => {
                let Self::Numbers(numbers) = self else {
                    return None;
                };
                if raw.len() != count.div_ceil(8) {
                    return None;
                }
                let bit = |at: usize| {
                    raw.get(at / 8)
                        .map_or(0, |byte| u64::from(byte >> (at % 8) & 1))
                };
                numbers.extend(wanted.clone().map(bit));
                return Some(());
            }
            Shape::Long => return self.put_long(raw, count, wanted),
        };
        if raw.len() != count.checked_mul(width)? {
            return None;
        }
        let raw = raw.get(wanted.start * width..wanted.end * width)?;
        match self {
            Self::Numbers(numbers) => match shape {
                Shape::Int32 => numbers.extend(raw.chunks_exact(4).map(int32)),
                Shape::SpanId => {
                    let number =
                        |id: &[u8]| id.try_into().map(u64::from_be_bytes).unwrap_or_default();
                    numbers.extend(raw.chunks_exact(8).map(number));
                }
                _ => {
                    let number =
                        |bits: &[u8]| bits.try_into().map(u64::from_le_bytes).unwrap_or_default();
                    numbers.extend(raw.chunks_exact(8).map(number));
                }
            },
            Self::Bytes { bytes, ends } => {
                for value in raw.chunks_exact(width) {
                    bytes.extend_from_slice(value);
                    ends.push(u32::try_from(bytes.len()).ok()?);
                }
            }
        }
        Some(())
    }

    /// As `put_plain`, each value with its length before it.
    fn put_long(&mut self, mut raw: &[u8], count: usize, wanted: &Range<usize>) -> Option<()> {
        let Self::Bytes { bytes, ends } = self else {
            return None;
        };
        for at in 0..count {
            let (length, rest) = raw.split_first_chunk::<4>()?;
            let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            raw = rest;
            if wanted.contains(&at) {
                bytes.extend_from_slice(value);
                ends.push(u32::try_from(bytes.len()).ok()?);
            }
        }
        raw.is_empty().then_some(())
    }
}

/// A 32-bit number with its sign, in 64 bits; a batch's 32-bit numbers are its low half.
fn int32(bytes: &[u8]) -> u64 {
    bytes
        .try_into()
        .map(i32::from_le_bytes)
        .map_or(0, |number| i64::from(number).cast_unsigned())
}

/// The cells of a column over a range of rows of one row group.
#[derive(Debug)]
pub(crate) struct Column {
    pub shape: Shape,
    rows: usize,
    /// By row: the place of its cell; `None`: every row has one.
    slots: Option<Vec<u32>>,
    /// By cell: its place in `values`, which are the dictionary then.
    codes: Option<Vec<u32>>,
    values: Arc<Values>,
}

impl Column {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// The place of a row's value in [`Column::values`].
    #[inline]
    pub(crate) fn place(&self, row: usize) -> Option<usize> {
        let cell = match &self.slots {
            None => row,
            Some(slots) => slots
                .get(row)
                .filter(|slot| **slot != NO_CELL)
                .map(|slot| *slot as usize)?,
        };
        match &self.codes {
            None => Some(cell).filter(|cell| *cell < self.values.len()),
            Some(codes) => codes.get(cell).map(|code| *code as usize),
        }
    }

    /// The number of a row's cell.
    #[inline]
    pub(crate) fn number(&self, row: usize) -> Option<u64> {
        self.place(row).map(|place| self.values.number(place))
    }

    /// The bytes of a row's cell.
    #[inline]
    pub(crate) fn bytes(&self, row: usize) -> Option<&[u8]> {
        self.place(row).map(|place| self.values.bytes(place))
    }

    /// The numbers of all rows, where every row has one and they are not in a dictionary.
    pub(crate) fn plain_numbers(&self) -> Option<&[u64]> {
        match (&self.slots, &self.codes, &*self.values) {
            (None, None, Values::Numbers(numbers)) => Some(numbers),
            _ => None,
        }
    }

    /// The distinct values when there is a dictionary, else all cells.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }
}

/// Gathers the cells of a column, page by page.
#[derive(Debug)]
pub(crate) struct ColumnBuilder<'a> {
    info: &'a ColumnInfo,
    chunk: &'a ChunkPlace,
    dictionary: Option<Arc<Values>>,
    slots: Option<Vec<u32>>,
    codes: Vec<u32>,
    values: Values,
    cells: usize,
    rows: usize,
}

impl<'a> ColumnBuilder<'a> {
    pub(crate) fn new(
        info: &'a ColumnInfo,
        chunk: &'a ChunkPlace,
        dictionary: Option<Arc<Values>>,
    ) -> Self {
        Self {
            info,
            chunk,
            dictionary,
            slots: info.is_optional.then(Vec::new),
            codes: Vec::new(),
            values: Values::empty(info.shape),
            cells: 0,
            rows: 0,
        }
    }

    /// Adds rows of a page, or says what is wrong with it.
    pub(crate) fn add_page(
        &mut self,
        opened: &OpenedPage,
        rows: Range<usize>,
    ) -> Result<(), &'static str> {
        let (first, last) = (rows.start, rows.end);
        let mut cells = rows;
        if let (Some(slots), Some(presence)) = (&mut self.slots, &opened.presence) {
            presence.put_slots(cells, (self.cells as u32, NO_CELL), slots);
            cells = presence.before(first)..presence.before(last);
        }
        match &opened.values {
            PageValues::Codes(codes) => self.put_codes(codes, cells.clone())?,
            PageValues::Numbers(given) => match &mut self.values {
                Values::Numbers(numbers) => {
                    numbers.extend_from_slice(given.get(cells.clone()).ok_or(WRONG)?);
                }
                Values::Bytes { .. } => return Err(WRONG),
            },
            PageValues::Stored(raw, from) => {
                let raw = raw.get(*from..).unwrap_or_default();
                self.put_stored(raw, opened.cells, &cells)?;
            }
        }
        self.cells += cells.len();
        self.rows += last - first;
        Ok(())
    }

    fn put_codes(&mut self, codes: &Codes, wanted: Range<usize>) -> Result<(), &'static str> {
        let from = self.codes.len();
        codes.put(wanted, &mut self.codes).ok_or(WRONG)?;
        let entries = self
            .dictionary
            .as_ref()
            .map_or(0, |dictionary| dictionary.len());
        let highest = self.codes.get(from..).unwrap_or_default().iter().max();
        let is_known = highest.is_none_or(|code| (*code as usize) < entries);
        if is_known { Ok(()) } else { Err(UNKNOWN) }
    }

    fn put_stored(
        &mut self,
        raw: &[u8],
        cells: usize,
        wanted: &Range<usize>,
    ) -> Result<(), &'static str> {
        match self.chunk.encoding {
            PageEncoding::Dictionary | PageEncoding::Delta => Err(WRONG),
            PageEncoding::Plain => self
                .values
                .put_plain(self.info.shape, raw, cells, wanted)
                .ok_or(WRONG),
            PageEncoding::Split => {
                let Values::Numbers(numbers) = &mut self.values else {
                    return Err(WRONG);
                };
                let width = if self.info.shape == Shape::Int32 {
                    4
                } else {
                    8
                };
                split(raw, (cells, width), wanted, numbers).ok_or(WRONG)
            }
        }
    }

    pub(crate) fn finish(self) -> Column {
        let (codes, values) = match self.dictionary {
            Some(dictionary) => (Some(self.codes), dictionary),
            None => (None, Arc::new(self.values)),
        };
        Column {
            shape: self.info.shape,
            rows: self.rows,
            slots: self.slots,
            codes,
            values,
        }
    }
}

/// The values of a dictionary page, or what is wrong with it.
pub(crate) fn read_dictionary(
    opener: &mut PageOpener,
    stored: &[u8],
    shape: Shape,
    is_compressed: bool,
) -> Result<Values, &'static str> {
    let expected = Expected {
        kind: PageKind::Dictionary,
        values: None,
        is_compressed,
    };
    let (count, raw) = opener.open(stored, expected)?;
    let mut values = Values::empty(shape);
    // A count that the page can't hold is refused before anything is made of it.
    values
        .put_plain(shape, raw, count as usize, &(0..count as usize))
        .ok_or("dictionary doesn't fill the page")?;
    Ok(values)
}
