//! The bytes around the sections of a sidecar.
//!
//! | Part | Bytes |
//! |---|---|
//! | header | magic `TRACKTIX`, version `u32`, level `u32`, first and last sequence of the segment `u64` each |
//! | sections | each from a multiple of 8 on, zeros between |
//! | directory | a section each: tag, form (0 raw, 1 zstd), offset, stored length, CRC-32C, length |
//! | end | directory's length `u32`, its CRC-32C `u32`, magic `TRACKTIX` |
//!
//! All numbers are little-endian.
//!
//! Refuses: sidecars of another segment or version, directories that point outside the file.

#![allow(
    clippy::cast_possible_truncation,
    reason = "sections of a segment are far below 2^32 bytes"
)]

use std::path::Path;

use journal::{File, read_exact_at};

use crate::segment::page::Compressor;
use crate::segment::{SegmentError, SegmentId};

const MAGIC: &[u8; 8] = b"TRACKTIX";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 32;
const ENTRY_BYTES: usize = 32;
const END_BYTES: usize = 16;
/// The longest section after decompression; 1 M spans need some 10 MB in all.
const SECTION_BYTES_MAX: usize = 1 << 30;

/// The name of a section.
pub(crate) type Tag = [u8; 4];

pub(crate) const TRACE_HASHES: Tag = *b"TRHA";
pub(crate) const TRACE_FACTS: Tag = *b"TRFA";
/// What `TRFA` was before traces could be in another order than that of their start.
pub(crate) const TRACES_BY_START: Tag = *b"TRAC";
pub(crate) const FILTERS: Tag = *b"KVFG";
pub(crate) const KEYS: Tag = *b"KEYS";
pub(crate) const CATALOGUE: Tag = *b"SYMS";
pub(crate) const PATTERNS: Tag = *b"PATT";
pub(crate) const OPERATIONS: Tag = *b"ROPE";
pub(crate) const CALLS: Tag = *b"RCAL";
/// Since version 4.
pub(crate) const CALL_SUMS: Tag = *b"DEPS";
/// Only in sidecars of level `d`.
pub(crate) const DROPPED: Tag = *b"DROP";
/// The same.
pub(crate) const DROPPED_CALLS: Tag = *b"DCAL";
pub(crate) const SUMS: Tag = *b"CRCS";

/// Writes a sidecar.
#[derive(Debug)]
pub(crate) struct SidecarWriter {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    compressor: Compressor,
}

impl SidecarWriter {
    pub(crate) fn new(id: SegmentId) -> Result<Self, SegmentError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(id.level as u32).to_le_bytes());
        bytes.extend_from_slice(&id.first_sequence.to_le_bytes());
        bytes.extend_from_slice(&id.last_sequence.to_le_bytes());
        Ok(Self {
            bytes,
            directory: Vec::new(),
            compressor: Compressor::new()?,
        })
    }

    /// Adds a section; it is compressed if that saves an eighth.
    pub(crate) fn add(&mut self, tag: Tag, section: &[u8]) -> Result<(), SegmentError> {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let offset = self.bytes.len();
        let mut compressed = Vec::new();
        self.compressor.compress(section, &mut compressed)?;
        let is_compressed = compressed.len() + section.len() / 8 < section.len();
        let stored = if is_compressed { &compressed } else { section };
        self.bytes.extend_from_slice(stored);
        self.directory.extend_from_slice(&tag);
        self.directory
            .extend_from_slice(&u32::from(is_compressed).to_le_bytes());
        self.directory
            .extend_from_slice(&(offset as u64).to_le_bytes());
        self.directory
            .extend_from_slice(&(stored.len() as u64).to_le_bytes());
        self.directory
            .extend_from_slice(&crc32c::crc32c(stored).to_le_bytes());
        self.directory
            .extend_from_slice(&(section.len() as u32).to_le_bytes());
        Ok(())
    }

    /// The file, and where its directory begins.
    pub(crate) fn finish(mut self) -> (Vec<u8>, usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&self.directory);
        self.bytes
            .extend_from_slice(&(self.directory.len() as u32).to_le_bytes());
        self.bytes
            .extend_from_slice(&crc32c::crc32c(&self.directory).to_le_bytes());
        self.bytes.extend_from_slice(MAGIC);
        (self.bytes, start)
    }
}

/// Where one section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub tag: Tag,
    pub offset: u64,
    pub stored_bytes: u64,
    is_compressed: bool,
    crc32c: u32,
    bytes: u32,
}

/// The directory of a sidecar.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    pub sections: Vec<Section>,
    /// Length of the directory with the end of the file.
    pub footer_bytes: u64,
}

impl Directory {
    /// Reads and checks header and directory.
    pub(crate) fn read(file: &dyn File, path: &Path, id: SegmentId) -> Result<Self, SegmentError> {
        let io = |source| SegmentError::io("read", path, source);
        let corrupt = |what: &str| SegmentError::corrupt(path, what);
        let length = file.len().map_err(io)?;
        let mut header = [0u8; HEADER_BYTES];
        read_exact_at(file, &mut header, 0).map_err(io)?;
        let mut wanted = SidecarWriter::new(id)?.bytes;
        wanted.resize(HEADER_BYTES, 0);
        if header.as_slice() != wanted {
            return Err(corrupt(
                "it is the index of another segment, or of a newer version",
            ));
        }
        let end_offset = length
            .checked_sub(END_BYTES as u64)
            .ok_or_else(|| corrupt("it is too short"))?;
        let mut end = [0u8; END_BYTES];
        read_exact_at(file, &mut end, end_offset).map_err(io)?;
        let (numbers, magic) = end.split_at(8);
        if magic != MAGIC {
            return Err(corrupt("its end is not an index's"));
        }
        let directory_bytes = u64::from(number_at(numbers, 0));
        let offset = end_offset
            .checked_sub(directory_bytes)
            .filter(|offset| *offset >= HEADER_BYTES as u64);
        let offset = offset.ok_or_else(|| corrupt("its directory is longer than the file"))?;
        let mut bytes = vec![0; directory_bytes as usize];
        read_exact_at(file, &mut bytes, offset).map_err(io)?;
        if crc32c::crc32c(&bytes) != number_at(numbers, 4) {
            return Err(corrupt("the checksum of its directory is wrong"));
        }
        let sections: Option<Vec<Section>> = bytes
            .chunks(ENTRY_BYTES)
            .map(|entry| section(entry, offset))
            .collect();
        let sections = sections.ok_or_else(|| corrupt("its directory points outside the file"))?;
        Ok(Self {
            sections,
            footer_bytes: directory_bytes + END_BYTES as u64,
        })
    }

    pub(crate) fn has(&self, tag: Tag) -> bool {
        self.sections.iter().any(|section| section.tag == tag)
    }

    /// Where the bytes of a section lie in the file as they are; `None` when there are no such.
    pub(crate) fn raw_offset(&self, tag: Tag) -> Option<u64> {
        let section = self.sections.iter().find(|section| section.tag == tag)?;
        (!section.is_compressed).then_some(section.offset)
    }

    /// The bytes of a section, checked; `None` when there is no such section.
    pub(crate) fn section(
        &self,
        file: &dyn File,
        path: &Path,
        tag: Tag,
    ) -> Result<Option<Vec<u8>>, SegmentError> {
        let Some(section) = self.sections.iter().find(|section| section.tag == tag) else {
            return Ok(None);
        };
        let mut stored = vec![0; section.stored_bytes as usize];
        read_exact_at(file, &mut stored, section.offset)
            .map_err(|source| SegmentError::io("read", path, source))?;
        let name = String::from_utf8_lossy(&tag).into_owned();
        if crc32c::crc32c(&stored) != section.crc32c && !plumbing::planted("segment-crc-ignored") {
            return Err(SegmentError::corrupt(
                path,
                format!("the checksum of section {name} is wrong"),
            ));
        }
        if !section.is_compressed {
            return Ok(Some(stored));
        }
        let length = section.bytes as usize;
        let said = zstd::zstd_safe::get_frame_content_size(&stored)
            .ok()
            .flatten();
        let raw = match said {
            Some(said) if said == length as u64 && length <= SECTION_BYTES_MAX => {
                zstd::bulk::decompress(&stored, length).ok()
            }
            _ => None,
        };
        let raw = raw.filter(|raw| raw.len() == length);
        raw.map(Some).ok_or_else(|| {
            SegmentError::corrupt(path, format!("section {name} can't be decompressed"))
        })
    }
}

fn number_at(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}

fn long_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(number_at(bytes, at)) | u64::from(number_at(bytes, at + 4)) << 32
}

/// An entry of the directory; `None` when the section would not end before `limit`.
fn section(entry: &[u8], limit: u64) -> Option<Section> {
    let tag = entry.get(..4)?.try_into().ok()?;
    let (offset, stored_bytes) = (long_at(entry, 8), long_at(entry, 16));
    let is_inside = entry.len() == ENTRY_BYTES && offset.checked_add(stored_bytes)? <= limit;
    let form = number_at(entry, 4);
    (is_inside && form <= 1).then_some(Section {
        tag,
        offset,
        stored_bytes,
        is_compressed: form == 1,
        crc32c: number_at(entry, 24),
        bytes: number_at(entry, 28),
    })
}
