//! The bytes of a journal file, version 1. All numbers are little-endian.
//!
//! ```text
//! file    header (64 B), frames, end mark (8 B), then zeros or what an earlier use left
//! header  0 "TWAL" | 4 version u16 | 6 zero u16 | 8 file number u64 | 16 store id u128 | 32 first sequence u64
//!         40 skipped from u64 | 48 zeros | 60 crc32c of bytes 0..60
//! frame   0 magic u32 | 4 payload length u32 | 8 crc32c u32 | 12 kind u8 (bit 7: first of its batch) | 13 codec u8
//!         14 tenant index u16 | 16 sequence u64 | 24 received ns u64 | 32 raw length u32 | 36 span count u32
//!         40 payload, zeros up to a multiple of 8
//! end     0 magic u32 | 4 crc32c of (offset u64, next sequence u64) u32
//! ```
//!
//! Magics and checksums start from the store id and the file's number, and numbers are never used twice: what an
//! earlier use of a recycled file left, or what a client put into a payload, can never be taken for a frame.
//! A frame of kind 4 binds a tenant index to the name in its payload; it has the sequence of the frame that follows.
//! Sequences from "skipped from" up to the first sequence were never given to a frame.

use std::collections::HashMap;

/// The file header's length.
pub(crate) const FILE_HEADER_BYTES: usize = 64;
/// The frame header's length.
pub(crate) const FRAME_HEADER_BYTES: usize = 40;
/// The end mark's length.
pub(crate) const END_BYTES: usize = 8;
/// The largest payload of one frame.
pub const FRAME_PAYLOAD_BYTES_MAX: usize = 1 << 30;
/// The longest tenant name.
pub const TENANT_NAME_BYTES_MAX: usize = 1024;

const FILE_MAGIC: [u8; 4] = *b"TWAL";
const VERSION: u16 = 1;
const ALIGN_BYTES: usize = 8;
const BATCH_START: u8 = 0x80;
const KIND_TENANT: u8 = 4;
const CODEC_RAW: u8 = 0;
const ZEROS: [u8; ALIGN_BYTES] = [0; ALIGN_BYTES];

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// One OTLP export request, decompressed.
    Otlp,
    /// A command to the store, such as a delete or a pin.
    Command,
    /// A seal.
    Seal,
}

/// A frame to append.
#[derive(Debug, Clone, Copy)]
pub struct NewFrame<'a> {
    /// What the payload is.
    pub kind: FrameKind,
    /// Whose it is; at most [`TENANT_NAME_BYTES_MAX`] bytes.
    pub tenant: &'a str,
    /// When it was received, nanoseconds since 1970.
    pub received_unix_nanos: u64,
    /// How many spans the payload holds.
    pub span_count: u32,
    /// At most [`FRAME_PAYLOAD_BYTES_MAX`] bytes.
    pub payload: &'a [u8],
}

/// A frame read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the payload is.
    pub kind: FrameKind,
    /// Whose it is.
    pub tenant: String,
    /// Its place in the journal.
    pub sequence: u64,
    /// When it was received, nanoseconds since 1970.
    pub received_unix_nanos: u64,
    /// How many spans the payload holds.
    pub span_count: u32,
    /// The bytes that were appended.
    pub payload: Vec<u8>,
}

impl FrameKind {
    fn code(self) -> u8 {
        match self {
            FrameKind::Otlp => 1,
            FrameKind::Command => 2,
            FrameKind::Seal => 3,
        }
    }
}

/// What a valid frame turns out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Caller(FrameKind),
    TenantName,
    Unknown,
}

/// A verified frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) kind: u8,
    pub(crate) codec: u8,
    pub(crate) tenant_index: u16,
    pub(crate) sequence: u64,
    pub(crate) received_unix_nanos: u64,
    pub(crate) span_count: u32,
    pub(crate) payload_len: u32,
}

impl FrameHeader {
    pub(crate) fn starts_batch(&self) -> bool {
        self.kind & BATCH_START != 0
    }

    pub(crate) fn holds(&self) -> Holds {
        match (self.kind & !BATCH_START, self.codec) {
            (1, CODEC_RAW) => Holds::Caller(FrameKind::Otlp),
            (2, CODEC_RAW) => Holds::Caller(FrameKind::Command),
            (3, CODEC_RAW) => Holds::Caller(FrameKind::Seal),
            (KIND_TENANT, CODEC_RAW) => Holds::TenantName,
            _ => Holds::Unknown,
        }
    }

    /// Length of the whole frame with its padding.
    pub(crate) fn frame_bytes(&self) -> u64 {
        FRAME_HEADER_BYTES as u64
            + u64::from(self.payload_len)
            + padding(self.payload_len as usize) as u64
    }
}

fn padding(len: usize) -> usize {
    len.wrapping_neg() % ALIGN_BYTES
}

/// The little-endian bytes at a fixed place of a header.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..at + N)
        .and_then(|field| field.try_into().ok())
        .unwrap_or([0; N])
}

/// What makes the frames of one file its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileKey {
    seed: u32,
    magic: u32,
    end_magic: u32,
}

impl FileKey {
    pub(crate) fn new(store_id: u128, number: u64) -> Self {
        let seed = crc32c::crc32c_append(
            crc32c::crc32c(&store_id.to_le_bytes()),
            &number.to_le_bytes(),
        );
        let (magic, end_magic) = (
            crc32c::crc32c_append(seed, b"frame"),
            crc32c::crc32c_append(seed, b"end!"),
        );
        Self {
            seed,
            magic,
            end_magic,
        }
    }

    pub(crate) fn magic(&self) -> [u8; 4] {
        self.magic.to_le_bytes()
    }

    fn crc(&self, head: &[u8], body: &[u8]) -> u32 {
        let (before, after) = (
            head.get(..8).unwrap_or_default(),
            head.get(12..).unwrap_or_default(),
        );
        [before, after, body]
            .iter()
            .fold(self.seed, |crc, part| crc32c::crc32c_append(crc, part))
    }

    /// The mark behind the last frame of a file.
    pub(crate) fn end_mark(&self, offset: u64, next_sequence: u64) -> [u8; END_BYTES] {
        let crc = crc32c::crc32c_append(self.seed, &offset.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &next_sequence.to_le_bytes());
        let mut mark = [0; END_BYTES];
        mark[..4].copy_from_slice(&self.end_magic.to_le_bytes());
        mark[4..].copy_from_slice(&crc.to_le_bytes());
        mark
    }

    /// The header if its magic and fields make sense; the checksum is not looked at.
    pub(crate) fn decode_header(&self, head: &[u8]) -> Option<FrameHeader> {
        let header = FrameHeader {
            payload_len: u32::from_le_bytes(field(head, 4)),
            kind: u8::from_le_bytes(field(head, 12)),
            codec: u8::from_le_bytes(field(head, 13)),
            tenant_index: u16::from_le_bytes(field(head, 14)),
            sequence: u64::from_le_bytes(field(head, 16)),
            received_unix_nanos: u64::from_le_bytes(field(head, 24)),
            span_count: u32::from_le_bytes(field(head, 36)),
        };
        let is_ours = head.len() >= FRAME_HEADER_BYTES && field(head, 0) == self.magic();
        (is_ours && header.payload_len as usize <= FRAME_PAYLOAD_BYTES_MAX).then_some(header)
    }

    /// Whether a whole frame, header to padding, is as it was written.
    pub(crate) fn verifies(&self, frame: &[u8], payload_len: u32) -> bool {
        let Some((head, body)) = frame.split_at_checked(FRAME_HEADER_BYTES) else {
            return false;
        };
        let Some((payload, pad)) = body.split_at_checked(payload_len as usize) else {
            return false;
        };
        let is_whole = pad.len() == padding(payload.len()) && pad.iter().all(|byte| *byte == 0);
        let crc = u32::from_le_bytes(field(head, 8));
        is_whole && (crc == self.crc(head, payload) || plumbing::planted("journal-ignore-checksum"))
    }
}

/// A file header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) number: u64,
    pub(crate) store_id: u128,
    pub(crate) first_sequence: u64,
    pub(crate) skipped_from: u64,
}

/// What the first bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadHeader {
    Valid(FileHeader),
    Newer(u16),
    Bad,
}

impl FileHeader {
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = [0; FILE_HEADER_BYTES];
        bytes[..4].copy_from_slice(&FILE_MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store_id.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.first_sequence.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.skipped_from.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> ReadHeader {
        let Some(covered) = bytes.get(..60).filter(|_| bytes.len() >= FILE_HEADER_BYTES) else {
            return ReadHeader::Bad;
        };
        if !covered.starts_with(&FILE_MAGIC)
            || crc32c::crc32c(covered) != u32::from_le_bytes(field(bytes, 60))
        {
            return ReadHeader::Bad;
        }
        match u16::from_le_bytes(field(bytes, 4)) {
            VERSION => ReadHeader::Valid(FileHeader {
                number: u64::from_le_bytes(field(bytes, 8)),
                store_id: u128::from_le_bytes(field(bytes, 16)),
                first_sequence: u64::from_le_bytes(field(bytes, 32)),
                skipped_from: u64::from_le_bytes(field(bytes, 40)),
            }),
            version => ReadHeader::Newer(version),
        }
    }
}

/// A piece of a batch: bytes of our own, or the caller's payload.
enum Piece<'a> {
    Head([u8; FRAME_HEADER_BYTES]),
    Bytes(&'a [u8]),
    End([u8; END_BYTES]),
}

/// The bytes of one append, payloads borrowed.
pub(crate) struct Batch<'a> {
    pieces: Vec<Piece<'a>>,
    /// Length of the frames, without the end mark.
    pub(crate) frame_bytes: u64,
    /// Names that this batch binds, in the order of their indexes.
    pub(crate) bound: Vec<&'a str>,
}

/// Which indexes a file has bound to which tenants; the indexes are 0, 1, 2 …
pub(crate) type Bindings = HashMap<String, u16>;

impl<'a> Batch<'a> {
    /// Lays out the frames for `offset` of a file; `None` when the file has no tenant index left.
    pub(crate) fn encode(
        key: &FileKey,
        bindings: &Bindings,
        frames: &[NewFrame<'a>],
        first_sequence: u64,
        offset: u64,
    ) -> Option<Self> {
        let mut batch = Batch {
            pieces: Vec::with_capacity(frames.len() * 3 + 1),
            frame_bytes: 0,
            bound: Vec::new(),
        };
        let mut sequence = first_sequence;
        for frame in frames {
            let tenant_index = batch.index_of(bindings, frame.tenant, |batch, index, name| {
                let header = FrameHeader {
                    kind: KIND_TENANT,
                    codec: CODEC_RAW,
                    tenant_index: index,
                    sequence,
                    received_unix_nanos: 0,
                    span_count: 0,
                    payload_len: 0,
                };
                // Twice, so that no single bad bit orphans the tenant's frames.
                batch.push(key, header, name.as_bytes());
                batch.push(key, header, name.as_bytes());
            })?;
            let header = FrameHeader {
                kind: frame.kind.code(),
                codec: CODEC_RAW,
                tenant_index,
                sequence,
                received_unix_nanos: frame.received_unix_nanos,
                span_count: frame.span_count,
                payload_len: 0,
            };
            batch.push(key, header, frame.payload);
            sequence += 1;
        }
        let mark = key.end_mark(offset + batch.frame_bytes, sequence);
        batch.pieces.push(Piece::End(mark));
        Some(batch)
    }

    fn index_of(
        &mut self,
        bindings: &Bindings,
        tenant: &'a str,
        bind: impl FnOnce(&mut Self, u16, &'a str),
    ) -> Option<u16> {
        if let Some(index) = bindings.get(tenant) {
            return Some(*index);
        }
        let known = self.bound.iter().position(|name| *name == tenant);
        let index = u16::try_from(bindings.len() + known.unwrap_or(self.bound.len())).ok()?;
        if known.is_none() {
            self.bound.push(tenant);
            bind(self, index, tenant);
        }
        Some(index)
    }

    fn push(&mut self, key: &FileKey, header: FrameHeader, payload: &'a [u8]) {
        // The caller has checked the payload against FRAME_PAYLOAD_BYTES_MAX.
        let payload_len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let start = if self.pieces.is_empty() {
            BATCH_START
        } else {
            0
        };
        let mut head = [0; FRAME_HEADER_BYTES];
        head[..4].copy_from_slice(&key.magic());
        head[4..8].copy_from_slice(&payload_len.to_le_bytes());
        head[12] = header.kind | start;
        head[13] = header.codec;
        head[14..16].copy_from_slice(&header.tenant_index.to_le_bytes());
        head[16..24].copy_from_slice(&header.sequence.to_le_bytes());
        head[24..32].copy_from_slice(&header.received_unix_nanos.to_le_bytes());
        head[32..36].copy_from_slice(&payload_len.to_le_bytes());
        head[36..].copy_from_slice(&header.span_count.to_le_bytes());
        let crc = key.crc(&head, payload);
        head[8..12].copy_from_slice(&crc.to_le_bytes());
        self.pieces.push(Piece::Head(head));
        self.pieces.push(Piece::Bytes(payload));
        let pad = padding(payload.len());
        self.pieces
            .push(Piece::Bytes(ZEROS.get(..pad).unwrap_or_default()));
        self.frame_bytes += (FRAME_HEADER_BYTES + payload.len() + pad) as u64;
    }

    /// The bytes to write, in order: all frames, then the end mark.
    pub(crate) fn parts(&self) -> Vec<&[u8]> {
        fn part<'b>(piece: &'b Piece<'_>) -> &'b [u8] {
            match piece {
                Piece::Head(head) => head,
                Piece::End(mark) => mark,
                Piece::Bytes(bytes) => bytes,
            }
        }
        self.pieces.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_any_flipped_bit_makes_it_bad() {
        let header = FileHeader {
            number: 7,
            store_id: 1 << 100 | 9,
            first_sequence: 42,
            skipped_from: 40,
        };
        let bytes = header.encode();
        assert_eq!(FileHeader::decode(&bytes), ReadHeader::Valid(header));
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&bytes), ReadHeader::Bad, "bit {bit}");
        }
    }

    #[test]
    fn a_header_of_a_newer_version_is_told_from_a_bad_one() {
        let mut bytes = FileHeader {
            number: 1,
            store_id: 1,
            first_sequence: 1,
            skipped_from: 1,
        }
        .encode();
        bytes[4] = 2;
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(FileHeader::decode(&bytes), ReadHeader::Newer(2));
    }

    #[test]
    fn frames_of_one_file_are_never_frames_of_another_or_of_another_store() {
        let keys: Vec<FileKey> = (0..1000).map(|number| FileKey::new(5, number)).collect();
        let mut seeds: Vec<u32> = keys.iter().map(|key| key.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), keys.len());
        assert_ne!(FileKey::new(5, 1), FileKey::new(6, 1));
    }
}
