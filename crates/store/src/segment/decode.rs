//! Parquet's encodings, read: the mirror of `encode.rs`.
//!
//! Promises: any bytes give values or `None`, never a panic and never more values than were asked for.
//! Refuses (`None`): bytes that end too early or too late for the count that is expected.

#![allow(
    clippy::cast_possible_truncation,
    reason = "bits are cut out of words on purpose; counts are bounded by rows"
)]

use std::ops::Range;

/// Takes a number of any size off the front.
pub(crate) fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The mirror of `zigzag`.
pub(crate) fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

/// A piece of a stream of runs and bit-packed groups.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run<'a> {
    /// So many times the value.
    Same(u32, usize),
    /// So many values, packed.
    Packed(&'a [u8], usize),
}

/// Gives the pieces of a stream of `count` values that fills `bytes` exactly.
pub(crate) fn each_run<'a>(
    mut bytes: &'a [u8],
    width: u32,
    count: usize,
    mut give: impl FnMut(Run<'a>) -> Option<()>,
) -> Option<()> {
    let mut left = count;
    while left > 0 {
        let run = match take_run(&mut bytes, width)? {
            Run::Packed(packed, values) => Run::Packed(packed, values.min(left)),
            same @ Run::Same(..) => same,
        };
        let (Run::Same(_, length) | Run::Packed(_, length)) = run;
        left = left.checked_sub(length)?;
        give(run)?;
    }
    bytes.is_empty().then_some(())
}

/// Gives the pieces of a stream that fills `bytes`; the last one may have up to seven values that mean nothing.
pub(crate) fn each_run_to_end<'a>(
    mut bytes: &'a [u8],
    width: u32,
    mut give: impl FnMut(Run<'a>) -> Option<()>,
) -> Option<()> {
    while !bytes.is_empty() {
        give(take_run(&mut bytes, width)?)?;
    }
    Some(())
}

/// Takes the next piece off the front.
#[inline]
pub(crate) fn take_run<'a>(bytes: &mut &'a [u8], width: u32) -> Option<Run<'a>> {
    if width > 32 {
        return None;
    }
    let header = take_varint(bytes)?;
    let length = usize::try_from(header >> 1)
        .ok()
        .filter(|length| *length > 0)?;
    if header & 1 == 1 {
        let packed = take(bytes, length.checked_mul(width as usize)?)?;
        return Some(Run::Packed(packed, length.checked_mul(8)?));
    }
    let value_bytes = width.div_ceil(8) as usize;
    let mut word = [0u8; 4];
    word.get_mut(..value_bytes)?
        .copy_from_slice(take(bytes, value_bytes)?);
    Some(Run::Same(u32::from_le_bytes(word), length))
}

/// Gives the values of `width` bits at the places `of`; the bytes are known to hold them.
pub(crate) fn unpack(bytes: &[u8], width: u32, mut of: Range<usize>, mut give: impl FnMut(u64)) {
    // Eight narrow values begin with a byte and fit into one word.
    if (1..=8).contains(&width) && of.start.is_multiple_of(8) {
        let mask = (1u64 << width) - 1;
        for group in bytes
            .get(of.start / 8 * width as usize..)
            .unwrap_or_default()
            .chunks_exact(width as usize)
            .take(of.len() / 8)
        {
            let word = word_at(group, 0);
            (0..8).for_each(|place| give(word >> (place * width) & mask));
            of.start += 8;
        }
    }
    let mask = if width >= 64 {
        u64::MAX
    } else {
        (1u64 << width) - 1
    };
    let mut bit = of.start * width as usize;
    for _ in of {
        let (at, shift) = (bit >> 3, (bit & 7) as u32);
        let word = word_at(bytes, at) >> shift;
        // A value that is wider than what is left of its eight bytes ends in the ninth.
        let value = match (width + shift).checked_sub(64) {
            Some(over) if over > 0 => {
                let ninth = bytes.get(at + 8).copied().unwrap_or_default();
                word | u64::from(ninth) << (64 - shift)
            }
            _ => word,
        };
        give(value & mask);
        bit += width as usize;
    }
}

/// Eight bytes from a place on, the first one lowest; zeros behind the end.
#[inline]
pub(crate) fn word_at(bytes: &[u8], at: usize) -> u64 {
    match bytes
        .get(at..at + 8)
        .and_then(|word| <[u8; 8]>::try_from(word).ok())
    {
        Some(word) => u64::from_le_bytes(word),
        None => {
            let tail = bytes.get(at..).unwrap_or_default().iter().take(8);
            tail.rev()
                .fold(0, |word, byte| word << 8 | u64::from(*byte))
        }
    }
}

/// Appends `count` numbers that are packed differences and fill `bytes` exactly.
pub(crate) fn delta(mut bytes: &[u8], count: usize, out: &mut Vec<u64>) -> Option<()> {
    let block_values = usize::try_from(take_varint(&mut bytes)?).ok()?;
    let parts = usize::try_from(take_varint(&mut bytes)?).ok()?;
    let total = usize::try_from(take_varint(&mut bytes)?).ok()?;
    let mut last = unzigzag(take_varint(&mut bytes)?).cast_unsigned();
    // Only what `put_delta` writes: other shapes would be other writers' files.
    if (block_values, parts, total) != (128, 4, count) {
        return None;
    }
    if count > 0 {
        out.push(last);
    }
    let mut left = count.saturating_sub(1);
    while left > 0 {
        let min = unzigzag(take_varint(&mut bytes)?);
        let widths = take(&mut bytes, parts)?;
        for width in widths.iter().take(left.div_ceil(32)) {
            if *width > 64 {
                return None;
            }
            let packed = take(&mut bytes, usize::from(*width) * 4)?;
            let values = left.min(32);
            unpack(packed, u32::from(*width), 0..values, |above| {
                last = last.wrapping_add(above).wrapping_add(min.cast_unsigned());
                out.push(last);
            });
            left -= values;
        }
    }
    bytes.is_empty().then_some(())
}

/// Appends those of `count` numbers of `width` bytes at the places of `wanted`; their split bytes fill `bytes` exactly.
pub(crate) fn split(
    bytes: &[u8],
    (count, width): (usize, usize),
    wanted: &Range<usize>,
    out: &mut Vec<u64>,
) -> Option<()> {
    if bytes.len() != count.checked_mul(width)? || wanted.end > count {
        return None;
    }
    let from = out.len();
    out.resize(from + wanted.len(), 0);
    let values = out.get_mut(from..)?;
    if values.is_empty() {
        return Some(());
    }
    for (place, stream) in bytes.chunks_exact(count).enumerate() {
        for (value, byte) in values.iter_mut().zip(stream.get(wanted.clone())?) {
            *value |= u64::from(*byte) << (8 * place);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encode::{put_delta, put_split, put_varint, zigzag};
    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_written(values in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..900], 0..300)) {
            let (mut packed, mut apart, mut read) = (Vec::new(), Vec::new(), Vec::new());
            put_delta(&values, &mut packed);
            prop_assert_eq!(delta(&packed, values.len(), &mut read), Some(()));
            prop_assert_eq!(&read, &values);
            put_split(&values, 8, &mut apart);
            read.clear();
            prop_assert_eq!(split(&apart, (values.len(), 8), &(0..values.len()), &mut read), Some(()));
            prop_assert_eq!(&read, &values);
            let some = values.len() / 3..values.len() / 2;
            read.clear();
            prop_assert_eq!(split(&apart, (values.len(), 8), &some, &mut read), Some(()));
            prop_assert_eq!(&read, &values[some]);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..90),
            width in 0u32..40,
            from in 0usize..60,
        ) {
            let (mut values, mut numbers) = (0, Vec::new());
            let wanted = from..from + 20;
            let runs = each_run(&bytes, width, 50, |run| {
                let (Run::Same(_, length) | Run::Packed(_, length)) = run;
                values += length;
                Some(())
            });
            let _read = (
                delta(&bytes, 50, &mut numbers),
                split(&bytes, (9, 4), &wanted, &mut numbers),
            );
            prop_assert!(values <= 50 && (runs.is_none() || values == 50));
        }

        #[test]
        fn signed_numbers_and_varints_are_read_as_written(number in any::<i64>()) {
            prop_assert_eq!(unzigzag(zigzag(number)), number);
            let mut bytes = Vec::new();
            put_varint(number.cast_unsigned(), &mut bytes);
            prop_assert_eq!(take_varint(&mut bytes.as_slice()), Some(number.cast_unsigned()));
        }
    }
}
