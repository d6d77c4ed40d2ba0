//! Places in a dictionary, kept as a page stores them: runs and bit-packed groups.
//!
//! A page has thousands of codes, and a trace needs some twenty of them. Taking all of them apart was most of what a
//! trace by id cost; now the runs are walked once, for a mark every thousand cells, and from a mark any cell is near.
//!
//! Promises: codes that were read are as many as was said; no bytes make a panic.

#![allow(
    clippy::cast_possible_truncation,
    reason = "cells and bytes of a page are below 2^32; codes are cut out of words"
)]

use std::ops::Range;

use super::decode::{Run, each_run, take_run, unpack};
use super::opened::{UNKNOWN, WRONG};

/// From one mark to the next there are at least so many cells.
const MARK_CELLS: usize = 1_024;

/// The codes of a page.
#[derive(Debug)]
pub(crate) struct Codes {
    width: u32,
    cells: usize,
    runs: Vec<u8>,
    marks: Vec<Mark>,
}

/// Where a run begins.
#[derive(Debug, Clone, Copy)]
struct Mark {
    cell: u32,
    /// In the bytes of the runs.
    at: u32,
}

/// Walks codes, best forward.
#[derive(Debug)]
pub(crate) struct CodeWalk<'a> {
    codes: &'a Codes,
    rest: &'a [u8],
    run: Run<'a>,
    /// Those of the run.
    cells: Range<usize>,
}

impl Codes {
    /// The codes of so many cells, which fill the bytes behind the one that says their width; `None` if they don't.
    pub(crate) fn read(raw: &[u8], cells: usize) -> Option<Self> {
        let (width, runs) = raw.split_first()?;
        let width = u32::from(*width);
        let mut marks: Vec<Mark> = Vec::new();
        let (mut cell, mut rest) = (0, runs);
        while cell < cells {
            if marks
                .last()
                .is_none_or(|mark| cell - mark.cell as usize >= MARK_CELLS)
            {
                marks.push(Mark {
                    cell: cell as u32,
                    at: (runs.len() - rest.len()) as u32,
                });
            }
            cell += match take_run(&mut rest, width)? {
                // Groups of eight may end behind the last cell, a run may not.
                Run::Packed(_, length) => length.min(cells - cell),
                Run::Same(_, length) if length <= cells - cell => length,
                Run::Same(..) => return None,
            };
        }
        rest.is_empty().then(|| Self {
            width,
            cells,
            runs: runs.to_vec(),
            marks,
        })
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.runs.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    pub(crate) fn walk(&self) -> CodeWalk<'_> {
        CodeWalk {
            codes: self,
            rest: &self.runs,
            run: Run::Same(0, 0),
            cells: 0..0,
        }
    }

    /// The cells whose values pass, ascending, or what is wrong; `passing` is by code.
    pub(crate) fn passing(&self, passing: &[bool]) -> Result<Vec<usize>, &'static str> {
        let (mut found, mut first) = (Vec::new(), 0);
        let mut is_known = true;
        let walked = each_run(&self.runs, self.width, self.cells, |run| {
            match run {
                Run::Same(code, length) => {
                    if *passing.get(code as usize)? {
                        found.extend(first..first + length);
                    }
                    first += length;
                }
                Run::Packed(packed, length) => {
                    let mut cell = first;
                    unpack(packed, self.width, 0..length, |code| {
                        match passing.get(code as usize) {
                            Some(true) => found.push(cell),
                            Some(false) => {}
                            None => is_known = false,
                        }
                        cell += 1;
                    });
                    first += length;
                }
            }
            Some(())
        });
        if walked.is_some() && is_known {
            Ok(found)
        } else {
            Err(UNKNOWN)
        }
    }

    /// Appends those at the places of `wanted`; `None` when there are not so many.
    pub(crate) fn put(&self, wanted: Range<usize>, out: &mut Vec<u32>) -> Option<()> {
        let mut walk = self.walk();
        let mut at = wanted.start;
        out.reserve(wanted.len().min(self.cells));
        while at < wanted.end {
            walk.seek(at)?;
            let first = walk.cells.start;
            let end = walk.cells.end.min(wanted.end);
            match walk.run {
                Run::Same(code, _) => out.resize(out.len() + (end - at), code),
                Run::Packed(packed, _) => {
                    unpack(packed, self.width, at - first..end - first, |code| {
                        out.push(code as u32);
                    });
                }
            }
            at = end;
        }
        (wanted.end <= self.cells).then_some(())
    }
}

impl CodeWalk<'_> {
    /// Tells whether a cell's value passes, or what is wrong; `passing` is by code.
    pub(crate) fn passes(&mut self, cell: usize, passing: &[bool]) -> Result<bool, &'static str> {
        let code = self.code(cell).ok_or(WRONG)?;
        passing.get(code).copied().ok_or(UNKNOWN)
    }

    fn code(&mut self, cell: usize) -> Option<usize> {
        self.seek(cell)?;
        match self.run {
            Run::Same(code, _) => Some(code as usize),
            Run::Packed(packed, _) => {
                let at = cell - self.cells.start;
                let mut found = 0;
                unpack(packed, self.codes.width, at..at + 1, |code| found = code);
                Some(found as usize)
            }
        }
    }

    /// Goes to the run that holds a cell; `None` when no run does.
    fn seek(&mut self, cell: usize) -> Option<()> {
        if cell >= self.codes.cells {
            return None;
        }
        if cell < self.cells.start || cell >= self.cells.end + MARK_CELLS {
            let marks = &self.codes.marks;
            let behind = marks.partition_point(|mark| mark.cell as usize <= cell);
            let mark = marks.get(behind.checked_sub(1)?)?;
            self.rest = self.codes.runs.get(mark.at as usize..)?;
            self.cells = mark.cell as usize..mark.cell as usize;
        }
        while cell >= self.cells.end {
            self.run = take_run(&mut self.rest, self.codes.width)?;
            let (Run::Same(_, length) | Run::Packed(_, length)) = self.run;
            let first = self.cells.end;
            self.cells = first..(first + length).min(self.codes.cells);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encode::{put_hybrid, width_of};
    use super::*;

    /// Runs and single values of all widths.
    fn codes() -> impl Strategy<Value = Vec<u32>> {
        let run = prop_oneof![
            (0u32..40, 1usize..90),
            (0u32..40, 1_000usize..3_000),
            (any::<u32>().prop_map(|code| code % 200), Just(1)),
        ];
        let runs = prop::collection::vec(run, 0..40);
        let factor = prop::sample::select(vec![1u32, 5, 900]);
        let runs = (runs, factor).prop_map(|(runs, factor)| {
            let codes = runs
                .into_iter()
                .flat_map(|(code, n)| std::iter::repeat_n(code, n));
            codes.map(|code| code * factor).collect()
        });
        prop_oneof![runs, prop::collection::vec(any::<u32>(), 0..70)]
    }

    fn stored(codes: &[u32]) -> Vec<u8> {
        let width = width_of(codes.iter().copied().max().unwrap_or_default());
        let mut bytes = vec![width as u8];
        put_hybrid(codes, width, &mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn codes_are_read_as_written(
            values in codes(),
            ends in any::<(prop::sample::Index, prop::sample::Index)>(),
            places in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let bytes = stored(&values);
            let codes = Codes::read(&bytes, values.len()).unwrap();
            let (a, b) = (ends.0.index(values.len() + 1), ends.1.index(values.len() + 1));
            let some = a.min(b)..a.max(b);
            let mut read = Vec::new();
            codes.put(some.clone(), &mut read).unwrap();
            prop_assert_eq!(&read, &values[some]);
            prop_assert!(codes.put(0..values.len() + 1, &mut read).is_none());
            let highest = values.iter().max().map_or(0, |code| *code as usize);
            if highest > 1 << 20 {
                return Ok(());
            }
            let passing: Vec<bool> = (0..=highest).map(|code| code % 3 == 0).collect();
            let wanted = (0..values.len()).filter(|cell| values[*cell].is_multiple_of(3));
            prop_assert_eq!(codes.passing(&passing), Ok(wanted.collect()));
            let too_few = passing.get(..highest).unwrap();
            prop_assert_eq!(codes.passing(too_few).is_err(), !values.is_empty());
            let mut walk = codes.walk();
            if !values.is_empty() {
                for place in places.iter().map(|place| place.index(values.len())) {
                    let passes = walk.passes(place, &passing);
                    prop_assert_eq!(passes, Ok(values[place].is_multiple_of(3)));
                }
            }
            prop_assert!(walk.passes(values.len(), &passing).is_err());
            prop_assert!(Codes::read(&bytes, values.len() + 8).is_none());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            if let Some(codes) = Codes::read(&bytes, 50) {
                let mut out = Vec::new();
                let all = codes.put(0..50, &mut out);
                prop_assert!(all.is_some() && out.len() == 50);
                let _walked = (codes.passing(&[true, false]), codes.walk().passes(49, &[true]));
            }
        }
    }
}
