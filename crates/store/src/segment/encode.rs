//! Parquet's encodings, written: runs and packed groups, packed differences, split bytes.
//!
//! Promises: the bytes are those of the Parquet format 2.11, read by every reader of it; equal input gives equal
//! bytes, whatever the version of any library.
//!
//! Source: the encodings document of the Parquet format.

#![allow(
    clippy::cast_possible_truncation,
    reason = "bits are cut into bytes on purpose; counts are rows of a page"
)]

/// Values of a block of packed differences, and of its four parts.
const DELTA_BLOCK_VALUES: usize = 128;
const DELTA_PART_VALUES: usize = 32;

/// Values of a packed group.
const GROUP_VALUES: usize = 8;
/// Equal values that would take fewer bits than this when packed are not worth a run of their own: whoever looks for a
/// row walks run by run. Shorter runs save 0.03 bytes a span and cost a sixth of the time of reading a trace.
const RUN_BITS_MIN: usize = 128;

/// Appends a number of any size, seven bits a byte.
pub(crate) fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A signed number with its sign in the lowest bit.
pub(crate) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The bits that numbers up to this one need; at least 1, since some readers refuse a width of 0.
pub(crate) fn width_of(max: u32) -> u32 {
    (32 - max.leading_zeros()).max(1)
}

/// Appends values below 2^`width` as runs and bit-packed groups.
pub(crate) fn put_hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let value_bytes = width.div_ceil(8) as usize;
    let run_min = (RUN_BITS_MIN / width as usize).next_multiple_of(GROUP_VALUES);
    let (mut at, mut packed_from) = (0, 0);
    while let Some(rest) = values.get(at..).filter(|rest| !rest.is_empty()) {
        let run = run_length(rest);
        let is_whole_rest = run == rest.len() && packed_from == at;
        if run < run_min && !is_whole_rest {
            at = (at + GROUP_VALUES).min(values.len());
            continue;
        }
        put_packed_run(values.get(packed_from..at).unwrap_or_default(), width, out);
        put_varint((run as u64) << 1, out);
        let first = rest.first().copied().unwrap_or_default().to_le_bytes();
        out.extend_from_slice(first.get(..value_bytes).unwrap_or_default());
        at += run;
        packed_from = at;
    }
    put_packed_run(values.get(packed_from..).unwrap_or_default(), width, out);
}

fn run_length(values: &[u32]) -> usize {
    let Some(first) = values.first() else {
        return 0;
    };
    values.iter().take_while(|value| *value == first).count()
}

fn put_packed_run(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(GROUP_VALUES);
    put_varint(((groups as u64) << 1) | 1, out);
    let padding = groups * GROUP_VALUES - values.len();
    put_packed(
        values
            .iter()
            .map(|value| u64::from(*value))
            .chain(std::iter::repeat_n(0, padding)),
        width,
        out,
    );
}

/// Appends values bit by bit, lowest bits first; what is left of the last byte is zero.
fn put_packed(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0u128, 0u32);
    for value in values {
        bits |= u128::from(value) << count;
        count += width;
        if count >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            count -= 64;
        }
    }
    let bytes = (bits as u64).to_le_bytes();
    out.extend_from_slice(bytes.get(..count.div_ceil(8) as usize).unwrap_or_default());
}

/// Appends numbers as bit-packed differences (`DELTA_BINARY_PACKED`).
pub(crate) fn put_delta(values: &[u64], out: &mut Vec<u8>) {
    put_varint(DELTA_BLOCK_VALUES as u64, out);
    put_varint((DELTA_BLOCK_VALUES / DELTA_PART_VALUES) as u64, out);
    put_varint(values.len() as u64, out);
    let mut last = values.first().copied().unwrap_or_default();
    put_varint(zigzag(last.cast_signed()), out);
    let mut deltas = [0i64; DELTA_BLOCK_VALUES];
    for block in values
        .get(1..)
        .unwrap_or_default()
        .chunks(DELTA_BLOCK_VALUES)
    {
        for (delta, value) in deltas.iter_mut().zip(block) {
            *delta = value.wrapping_sub(last).cast_signed();
            last = *value;
        }
        put_delta_block(deltas.get(..block.len()).unwrap_or_default(), out);
    }
}

fn put_delta_block(deltas: &[i64], out: &mut Vec<u8>) {
    let min = deltas.iter().copied().min().unwrap_or_default();
    put_varint(zigzag(min), out);
    let above = |delta: &i64| delta.wrapping_sub(min).cast_unsigned();
    let mut widths = [0u8; DELTA_BLOCK_VALUES / DELTA_PART_VALUES];
    for (width, part) in widths.iter_mut().zip(deltas.chunks(DELTA_PART_VALUES)) {
        let max = part.iter().map(above).max().unwrap_or_default();
        *width = (64 - max.leading_zeros()) as u8;
    }
    out.extend_from_slice(&widths);
    for (width, part) in widths.iter().zip(deltas.chunks(DELTA_PART_VALUES)) {
        let padding = DELTA_PART_VALUES - part.len();
        let padded = part
            .iter()
            .map(above)
            .chain(std::iter::repeat_n(0, padding));
        put_packed(padded, u32::from(*width), out);
    }
}

/// Appends numbers of `bytes` bytes with their first bytes together, then their second, and so on
/// (`BYTE_STREAM_SPLIT`).
pub(crate) fn put_split(values: &[u64], bytes: usize, out: &mut Vec<u8>) {
    out.reserve(values.len() * bytes);
    for byte in 0..bytes {
        out.extend(values.iter().map(|value| (value >> (8 * byte)) as u8));
    }
}
