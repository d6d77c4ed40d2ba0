//! Which rows of a granule satisfy something: for certain, and at most.
//!
//! A part of a predicate that can't be judged on columns alone leaves a gap between the two; the rows in the gap are
//! read and judged one by one. So any predicate is answered exactly, and most are answered on columns.

use std::ops::Range;

/// A set of rows, counted from the granule's first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// No row of `len`.
    pub(crate) fn none(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
            len,
        }
    }

    /// All rows of `len`.
    pub(crate) fn all(len: usize) -> Self {
        let mut bits = Self {
            words: vec![u64::MAX; len.div_ceil(64)],
            len,
        };
        bits.clear_tail();
        bits
    }

    fn clear_tail(&mut self) {
        let used = self.len % 64;
        if let Some(last) = self.words.last_mut().filter(|_| used > 0) {
            *last &= (1 << used) - 1;
        }
    }

    pub(crate) fn set(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64).filter(|_| row < self.len) {
            *word |= 1 << (row % 64);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    fn combine(mut self, other: &Self, with: impl Fn(u64, u64) -> u64) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word = with(*word, *other);
        }
        self
    }

    pub(crate) fn and(self, other: &Self) -> Self {
        self.combine(other, |a, b| a & b)
    }

    pub(crate) fn or(self, other: &Self) -> Self {
        self.combine(other, |a, b| a | b)
    }

    pub(crate) fn without(self, other: &Self) -> Self {
        self.combine(other, |a, b| a & !b)
    }

    fn not(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.clear_tail();
        self
    }

    /// Ranges of whole blocks, the last one cut at the end, that hold all rows; neighbours are joined.
    pub(crate) fn blocks(&self, block_words: usize) -> Vec<Range<usize>> {
        let mut blocks: Vec<Range<usize>> = Vec::new();
        for (at, words) in self.words.chunks(block_words).enumerate() {
            if words.iter().all(|word| *word == 0) {
                continue;
            }
            let start = at * block_words * 64;
            let end = (start + block_words * 64).min(self.len);
            match blocks.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => blocks.push(start..end),
            }
        }
        blocks
    }

    /// A part that begins at a row which is the first of a word.
    pub(crate) fn part(&self, of: &Range<usize>) -> Self {
        let words = self.words.iter().skip(of.start / 64);
        let mut part = Self {
            words: words.take(of.len().div_ceil(64)).copied().collect(),
            len: of.len(),
        };
        part.clear_tail();
        part
    }

    pub(crate) fn count(&self) -> usize {
        let ones = self.words.iter().map(|word| word.count_ones() as usize);
        ones.sum()
    }

    pub(crate) fn has(&self, row: usize) -> bool {
        let word = self.words.get(row / 64).copied().unwrap_or_default();
        word >> (row % 64) & 1 == 1
    }

    /// Takes over the rows of a part that begins at a row, which is the first of a word.
    pub(crate) fn put(&mut self, from: usize, part: &Self) {
        let words = self.words.iter_mut().skip(from / 64);
        words
            .zip(&part.words)
            .for_each(|(word, part)| *word |= part);
    }

    /// The words that a range lies in, each with its bits of the range.
    fn masks(of: &Range<usize>) -> impl Iterator<Item = (usize, u64)> + use<> {
        let of = of.clone();
        (of.start / 64..of.end.div_ceil(64)).map(move |word| {
            let from = of.start.saturating_sub(word * 64);
            let behind = (of.end - word * 64).min(64);
            (word, (u64::MAX << from) & (u64::MAX >> (64 - behind)))
        })
    }

    /// Tells whether a range has one of the rows.
    pub(crate) fn any_in(&self, of: &Range<usize>) -> bool {
        let mut masks = Self::masks(of);
        masks.any(|(word, mask)| self.words.get(word).is_some_and(|bits| bits & mask != 0))
    }

    /// The rows of a range, in order.
    pub(crate) fn rows_in(&self, of: &Range<usize>) -> Vec<usize> {
        of.clone().filter(|row| self.has(*row)).collect()
    }

    /// Takes the rows of a range out.
    pub(crate) fn clear(&mut self, of: &Range<usize>) {
        for (word, mask) in Self::masks(of) {
            if let Some(bits) = self.words.get_mut(word) {
                *bits &= !mask;
            }
        }
    }

    /// Adds the rows of a range.
    pub(crate) fn fill(&mut self, of: &Range<usize>) {
        for (word, mask) in Self::masks(&(of.start..of.end.min(self.len))) {
            if let Some(bits) = self.words.get_mut(word) {
                *bits |= mask;
            }
        }
    }

    /// The rows in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }
}

/// What is known of a part of a predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Rows that satisfy it for certain.
    pub certain: Bits,
    /// Rows that may satisfy it; all certain ones are among them.
    pub possible: Bits,
}

impl Verdict {
    pub(crate) fn none(len: usize) -> Self {
        Self {
            certain: Bits::none(len),
            possible: Bits::none(len),
        }
    }

    pub(crate) fn all(len: usize) -> Self {
        Self {
            certain: Bits::all(len),
            possible: Bits::all(len),
        }
    }

    pub(crate) fn unknown(len: usize) -> Self {
        Self {
            certain: Bits::none(len),
            possible: Bits::all(len),
        }
    }

    pub(crate) fn and(self, other: &Self) -> Self {
        Self {
            certain: self.certain.and(&other.certain),
            possible: self.possible.and(&other.possible),
        }
    }

    pub(crate) fn or(self, other: &Self) -> Self {
        Self {
            certain: self.certain.or(&other.certain),
            possible: self.possible.or(&other.possible),
        }
    }

    pub(crate) fn not(self) -> Self {
        Self {
            certain: self.possible.not(),
            possible: self.certain.not(),
        }
    }

    /// Takes over what is known of a part that begins at a row, which is the first of a word.
    pub(crate) fn put(&mut self, from: usize, part: &Self) {
        self.certain.put(from, &part.certain);
        self.possible.put(from, &part.possible);
    }

    /// Adds a row that satisfies it.
    pub(crate) fn set(&mut self, row: usize) {
        self.certain.set(row);
        self.possible.set(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_beyond_the_last_never_appear() {
        let all = Bits::all(70);
        assert_eq!(all.rows().collect::<Vec<_>>(), (0..70).collect::<Vec<_>>());
        assert!(all.clone().not().is_empty());
        assert_eq!(Bits::none(70).not(), all);
        let mut some = Bits::none(70);
        [0, 63, 64, 69, 70]
            .into_iter()
            .for_each(|row| some.set(row));
        assert_eq!(some.rows().collect::<Vec<_>>(), [0, 63, 64, 69]);
    }

    #[test]
    fn blocks_hold_all_rows_and_can_be_judged_apart() {
        let mut some = Bits::none(700);
        [130, 260, 699].into_iter().for_each(|row| some.set(row));
        let blocks = some.blocks(2);
        assert_eq!(blocks, [128..384, 640..700]);
        let mut verdict = Verdict::none(700);
        for block in blocks {
            let part = some.part(&block);
            let rows = part.rows().map(|row| row + block.start);
            let wanted = some.rows().filter(|row| block.contains(row));
            assert_eq!(rows.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
            assert!((0..block.len()).all(|row| part.has(row) == some.has(row + block.start)));
            verdict.put(block.start, &Verdict::all(block.len()));
        }
        assert_eq!(some.clone().and(&verdict.certain), some);
        assert_eq!(verdict.certain.rows().count(), 256 + 60);
    }

    #[test]
    fn ranges_are_looked_at_filled_and_cleared_to_the_row() {
        for range in [0..0, 5..5, 0..64, 3..64, 63..65, 64..128, 1..200, 130..131] {
            let mut bits = Bits::none(200);
            bits.fill(&range);
            assert_eq!(
                bits.rows().collect::<Vec<_>>(),
                range.clone().collect::<Vec<_>>()
            );
            assert_eq!(bits.any_in(&range), !range.is_empty());
            assert!(!bits.any_in(&(0..range.start)) && !bits.any_in(&(range.end..200)));
            let mut others = Bits::all(200);
            others.clear(&range);
            assert!(others.clone().and(&bits).is_empty());
            assert_eq!(others.count() + bits.count(), 200);
        }
    }

    #[test]
    fn what_is_unknown_stays_unknown_when_turned() {
        let unknown = Verdict::unknown(3);
        assert_eq!(unknown.clone().not(), unknown);
        assert_eq!(unknown.clone().and(&Verdict::none(3)), Verdict::none(3));
        assert_eq!(unknown.clone().or(&Verdict::all(3)), Verdict::all(3));
    }
}
