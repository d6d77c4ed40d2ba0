//! A data page that was opened: checked, decompressed, and laid out so that any row of it is found at once.
//!
//! A stored page has to be walked from its front to find a row: presence bits and dictionary codes come in runs. An
//! opened page may be kept (`cache.rs`), and then a trace costs its own rows and not those of its pages.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a page are below 2^32; codes are cut out of words"
)]

use std::ops::Range;

use super::codes::Codes;
use super::decode::{Run, delta, each_run, each_run_to_end, unpack, word_at};
use super::footer::{ChunkPlace, PagePlace};
use super::page::{Expected, PageEncoding, PageKind, PageOpener};

pub(crate) const WRONG: &str = "values don't fill the page";
pub(crate) const UNKNOWN: &str = "a value is not in the dictionary";

/// A page that was opened.
#[derive(Debug)]
pub(crate) struct OpenedPage {
    /// `None`: every row has a cell.
    pub presence: Option<Presence>,
    /// The number of cells.
    pub cells: usize,
    pub values: PageValues,
}

/// The cells of a page.
#[derive(Debug)]
pub(crate) enum PageValues {
    /// Places in the dictionary.
    Codes(Codes),
    /// Numbers that were stored as differences, which give no single one.
    Numbers(Vec<u64>),
    /// As they are stored, from this byte on.
    Stored(Vec<u8>, usize),
}

/// Which rows of a page have a cell.
#[derive(Debug)]
pub(crate) struct Presence {
    words: Vec<u64>,
    /// By word: the cells before it.
    before: Vec<u32>,
    cells: usize,
}

impl OpenedPage {
    /// Opens a page of a column, or says what is wrong with it. One that is to be kept is made small.
    pub(crate) fn open(
        opener: &mut PageOpener,
        stored: &[u8],
        of: (&ChunkPlace, bool),
        page: PagePlace,
    ) -> Result<Self, &'static str> {
        Self::open_if(opener, stored, of, page, None).and_then(|opened| opened.ok_or(WRONG))
    }

    /// Opens a page of a column, unless it certainly has no cell whose code is one of the `passing`.
    pub(crate) fn open_if(
        opener: &mut PageOpener,
        stored: &[u8],
        (chunk, is_optional): (&ChunkPlace, bool),
        page: PagePlace,
        passing: Option<&[bool]>,
    ) -> Result<Option<Self>, &'static str> {
        let expected = Expected {
            kind: PageKind::Data(chunk.encoding),
            values: Some(page.rows),
            is_compressed: chunk.is_compressed,
        };
        let (_, raw) = opener.open(stored, expected)?;
        let rows = page.rows as usize;
        let mut rest = raw;
        let levels = if is_optional {
            Some(take_levels(&mut rest).ok_or("presence bits are cut short")?)
        } else {
            None
        };
        if passing.is_some_and(|passing| !may_pass(rest, passing)) {
            return Ok(None);
        }
        let presence = match levels {
            Some(levels) => {
                Some(Presence::read(levels, rows).ok_or("presence bits make no sense")?)
            }
            None => None,
        };
        let cells = presence.as_ref().map_or(rows, |presence| presence.cells);
        let values = match chunk.encoding {
            PageEncoding::Dictionary => PageValues::Codes(Codes::read(rest, cells).ok_or(WRONG)?),
            PageEncoding::Delta => {
                let mut numbers = Vec::with_capacity(cells);
                delta(rest, cells, &mut numbers).ok_or(WRONG)?;
                PageValues::Numbers(numbers)
            }
            PageEncoding::Plain | PageEncoding::Split => {
                PageValues::Stored(raw.to_vec(), raw.len() - rest.len())
            }
        };
        Ok(Some(Self {
            presence,
            cells,
            values,
        }))
    }

    /// The number of a row's cell.
    pub(crate) fn cell(&self, row: usize) -> Option<usize> {
        match &self.presence {
            None => Some(row),
            Some(presence) => presence.has(row).then(|| presence.before(row)),
        }
    }

    /// Gives the rows of some cells, which ascend.
    pub(crate) fn rows_of(&self, cells: impl Iterator<Item = usize>, mut give: impl FnMut(usize)) {
        let Some(presence) = &self.presence else {
            cells.for_each(give);
            return;
        };
        let mut word = 0;
        for cell in cells {
            let is_behind = |before: Option<&u32>| before.is_some_and(|b| *b as usize <= cell);
            while is_behind(presence.before.get(word + 1)) {
                word += 1;
            }
            let before = presence.before.get(word).copied().unwrap_or_default();
            let mut bits = presence.words.get(word).copied().unwrap_or_default();
            for _ in before as usize..cell {
                bits &= bits.wrapping_sub(1);
            }
            if bits != 0 {
                give(word * 64 + bits.trailing_zeros() as usize);
            }
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let presence = self.presence.as_ref();
        let presence = presence.map_or(0, |p| p.words.capacity() * 8 + p.before.capacity() * 4);
        presence
            + match &self.values {
                PageValues::Codes(codes) => codes.size_bytes(),
                PageValues::Numbers(numbers) => numbers.capacity() * 8,
                PageValues::Stored(raw, _) => raw.capacity(),
            }
    }
}

impl Presence {
    /// The bits of `count` rows; the stream of runs fills `bytes` exactly.
    fn read(bytes: &[u8], count: usize) -> Option<Self> {
        let mut words = vec![0u64; count.div_ceil(64)];
        let mut at = 0;
        let mut put = |at: usize, bits: u64| {
            let (word, shift) = (at / 64, at % 64);
            if let Some(word) = words.get_mut(word) {
                *word |= bits << shift;
            }
            if let Some(next) = words.get_mut(word + 1).filter(|_| shift > 0) {
                *next |= bits >> (64 - shift);
            }
        };
        each_run(bytes, 1, count, |run| {
            let (Run::Same(_, length) | Run::Packed(_, length)) = run;
            match run {
                Run::Same(0, _) => {}
                Run::Same(1, _) => {
                    for from in (0..length).step_by(64) {
                        put(at + from, mask(length - from));
                    }
                }
                Run::Same(..) => return None,
                Run::Packed(packed, _) => {
                    for from in (0..length).step_by(64) {
                        // Behind the last row there may be bits that mean nothing.
                        put(at + from, word_at(packed, from / 8) & mask(length - from));
                    }
                }
            }
            at += length;
            Some(())
        })?;
        let mut cells = 0;
        let before = words.iter().map(|word| {
            let before = cells;
            cells += word.count_ones();
            before
        });
        let before = before.collect();
        Some(Self {
            words,
            before,
            cells: cells as usize,
        })
    }

    /// The cells of the rows before one.
    pub(crate) fn before(&self, row: usize) -> usize {
        match (self.words.get(row / 64), self.before.get(row / 64)) {
            (Some(word), Some(before)) => (before + (word & mask(row % 64)).count_ones()) as usize,
            _ => self.cells,
        }
    }

    fn has(&self, row: usize) -> bool {
        let word = self.words.get(row / 64).copied().unwrap_or_default();
        word >> (row % 64) & 1 == 1
    }

    /// Appends for each row of `wanted` the number of its cell, counted from `base`, or `missing`.
    pub(crate) fn put_slots(
        &self,
        wanted: Range<usize>,
        (base, missing): (u32, u32),
        slots: &mut Vec<u32>,
    ) {
        slots.reserve(wanted.len());
        let mut next = base;
        for row in wanted {
            let has_cell = self.has(row);
            slots.push(if has_cell { next } else { missing });
            next += u32::from(has_cell);
        }
    }
}

/// The lowest `count` bits, at most all.
fn mask(count: usize) -> u64 {
    if count >= 64 {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

/// Tells whether some code of a page passes; `true` for what makes no sense, so that it is read and found out.
fn may_pass(raw: &[u8], passing: &[bool]) -> bool {
    let Some((width, runs)) = raw.split_first() else {
        return true;
    };
    let does = |code: u32| passing.get(code as usize).is_none_or(|is| *is);
    if *width == 0 {
        // No bits at all: any number of zeros.
        return does(0);
    }
    let mut found = false;
    // How many codes there are is not known here; the stream ends where the page does.
    let walked = each_run_to_end(runs, u32::from(*width), |run| {
        match run {
            Run::Same(code, _) => found |= does(code),
            Run::Packed(packed, count) => {
                unpack(packed, u32::from(*width), 0..count, |code| {
                    found |= does(code as u32);
                });
            }
        }
        Some(())
    });
    found || walked.is_none()
}

fn take_levels<'a>(raw: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = raw.split_first_chunk::<4>()?;
    let (levels, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *raw = rest;
    Some(levels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encode::{put_hybrid, width_of};
    use super::*;

    fn runs() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec((0u32..40, 1usize..90), 0..12).prop_map(|runs| {
            runs.into_iter()
                .flat_map(|(v, n)| std::iter::repeat_n(v, n))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn presence_is_read_as_written(
            values in prop_oneof![runs(), prop::collection::vec(any::<u32>(), 0..300)],
            ends in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let bits: Vec<u32> = values.iter().map(|value| value & 1).collect();
            let mut bytes = Vec::new();
            put_hybrid(&bits, 1, &mut bytes);
            let presence = Presence::read(&bytes, bits.len()).unwrap();
            let sum = |bits: &[u32]| bits.iter().sum::<u32>() as usize;
            prop_assert_eq!(presence.cells, sum(&bits));
            let (a, b) = (ends.0.index(bits.len() + 1), ends.1.index(bits.len() + 1));
            let some = a.min(b)..a.max(b);
            prop_assert_eq!(presence.before(some.start), sum(&bits[..some.start]));
            prop_assert_eq!(presence.before(some.end), sum(&bits[..some.end]));
            let mut slots = Vec::new();
            let page = OpenedPage {
                cells: presence.cells,
                values: PageValues::Numbers(Vec::new()),
                presence: Presence::read(&bytes, bits.len()),
            };
            let present: Vec<usize> = (0..bits.len()).filter(|row| bits[*row] == 1).collect();
            let mut rows = Vec::new();
            page.rows_of(0..present.len(), |row| rows.push(row));
            prop_assert_eq!(&rows, &present);
            rows.clear();
            page.rows_of((0..present.len()).step_by(3), |row| rows.push(row));
            prop_assert_eq!(rows, present.into_iter().step_by(3).collect::<Vec<_>>());
            for row in some.clone() {
                let cell = (bits[row] == 1).then(|| sum(&bits[..row]));
                prop_assert_eq!(page.cell(row), cell);
            }
            presence.put_slots(some.clone(), (100, u32::MAX), &mut slots);
            let cell = |at: usize| 100 + sum(&bits[some.start..at]) as u32;
            let wanted: Vec<u32> =
                some.clone().map(|at| if bits[at] == 1 { cell(at) } else { u32::MAX }).collect();
            prop_assert_eq!(slots, wanted);
        }

        #[test]
        fn a_page_that_may_have_a_code_is_told(
            values in runs(),
            factor in prop::sample::select(vec![1u32, 5, 900, 70_000]),
        ) {
            let values: Vec<u32> = values.into_iter().map(|value| value * factor).collect();
            let width = width_of(values.iter().copied().max().unwrap_or_default());
            let mut bytes = vec![width as u8];
            put_hybrid(&values, width, &mut bytes);
            let entries = values.iter().max().map_or(0, |code| *code as usize + 1);
            let mut passing = vec![false; entries];
            // Padding behind the last code is zeros, so whether that one passes may not be known.
            prop_assert!(!may_pass(&bytes, &passing) || values.is_empty());
            for code in values.iter().filter(|code| **code < 1_000) {
                passing[*code as usize] = true;
                prop_assert!(may_pass(&bytes, &passing));
                passing[*code as usize] = false;
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            if let Some(presence) = Presence::read(&bytes, 50) {
                prop_assert!(presence.cells <= 50 && presence.before(60) == presence.cells);
            }
            let _read = may_pass(&bytes, &[true, false]);
        }
    }
}
