//! Inputs made by changing good ones: what decoders are fuzzed with where no fuzzer is at hand.
//!
//! Equal seeds and corpora give equal inputs. What goes on is blind: a fuzzer that watches the code (`make fuzz`) finds
//! more in an hour; this finds what a change of yesterday broke within seconds.

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// Changes made to one input, at most.
const CHANGES_MAX: usize = 6;
/// Inputs are not grown beyond this.
const BYTES_MAX: usize = 64 * 1024;
/// How often a piece is repeated at most, for what nests.
const REPEATS_MAX: usize = 2_000;
/// Lengths and numbers at which decoders go wrong.
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7f,
    0x80,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Makes inputs without end.
#[derive(Debug)]
pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    random: SmallRng,
}

impl Mutator {
    /// Starts from good inputs; there must be one.
    #[must_use]
    pub fn new(corpus: Vec<Vec<u8>>, seed: u64) -> Self {
        Self {
            corpus,
            random: SmallRng::seed_from_u64(seed),
        }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.any();
        for _ in 0..self.random.random_range(1..=CHANGES_MAX) {
            self.change(&mut input);
            input.truncate(BYTES_MAX);
        }
        input
    }

    fn any(&mut self) -> Vec<u8> {
        let at = self.random.random_range(0..self.corpus.len().max(1));
        self.corpus.get(at).cloned().unwrap_or_default()
    }

    /// A place in an input, its end included.
    fn place(&mut self, input: &[u8]) -> usize {
        self.random.random_range(0..=input.len())
    }

    fn range(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let (one, other) = (self.place(input), self.place(input));
        one.min(other)..one.max(other)
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.place(input);
        match self.random.random_range(0..9) {
            0 => {
                let bit = 1 << self.random.random_range(0..8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
            1 => {
                let random = self.random.random();
                if let Some(byte) = input.get_mut(at) {
                    *byte = random;
                }
            }
            2 => input.truncate(at),
            3 => {
                let range = self.range(input);
                input.drain(range);
            }
            4 => {
                let range = self.range(input);
                let piece = input.get(range).unwrap_or_default().to_vec();
                input.splice(at..at, piece);
            }
            5 => {
                let other = self.any();
                let range = self.range(&other);
                let piece = other.get(range).unwrap_or_default().to_vec();
                input.splice(at..at, piece);
            }
            6 => self.put_number(input, at),
            7 => {
                let mut piece = input.get(at..).unwrap_or_default().to_vec();
                piece.truncate(self.random.random_range(1..=8));
                let repeats = self.random.random_range(1..=REPEATS_MAX);
                input.splice(at..at, piece.repeat(repeats));
            }
            _ => {
                let piece: Vec<u8> = (0..self.random.random_range(1..16))
                    .map(|_| self.random.random())
                    .collect();
                input.splice(at..at, piece);
            }
        }
    }

    /// A number at which things go wrong, in one of the forms in which formats write lengths.
    fn put_number(&mut self, input: &mut Vec<u8>, at: usize) {
        let number = NUMBERS
            .get(self.random.random_range(0..NUMBERS.len()))
            .copied()
            .unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, reason = "a length of four bytes")]
        let short = number as u32;
        let bytes = match self.random.random_range(0..5) {
            0 => short.to_be_bytes().to_vec(),
            1 => number.to_be_bytes().to_vec(),
            2 => number.to_le_bytes().to_vec(),
            3 => number.to_string().into_bytes(),
            _ => varint(number),
        };
        let end = if self.random.random() {
            at
        } else {
            input.len().min(at + bytes.len())
        };
        input.splice(at..end, bytes);
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        #[allow(clippy::cast_possible_truncation, reason = "seven bits")]
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_inputs_of_bounded_length() {
        let corpus = vec![b"{\"a\":[1,2]}".to_vec(), vec![10, 3, 1, 2, 3]];
        let mut one = Mutator::new(corpus.clone(), 1);
        let mut other = Mutator::new(corpus.clone(), 1);
        let mut changed = 0;
        for _ in 0..1_000 {
            let input = one.next_input();
            assert_eq!(input, other.next_input());
            assert!(input.len() <= BYTES_MAX);
            changed += usize::from(!corpus.contains(&input));
        }
        assert!(changed > 900, "{changed}");
    }
}
