//! One Parquet page: its header, its checksum, its compression.
//!
//! Promises
//! - Every page carries the CRC-32 of its stored bytes, and every read checks it before anything is decompressed.
//! - A header is read back only in the exact form in which it is written here, and its lengths must fit the page;
//!   the caller checks the counts. So no flipped bit of a header is believed.
//!
//! Refuses: data pages of version 2, whose presence bits are stored uncompressed (4 bytes a span on usual traffic).
//!
//! Source: the Thrift definition of the Parquet format; Thrift's compact protocol.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a page is far below 2^31 bytes; see PAGE_BYTES_MAX"
)]

use std::collections::HashMap;
use std::sync::Arc;

use super::SegmentError;
use super::decode::{take_varint, unzigzag};
use super::encode::{put_varint, zigzag};
use super::meta::FileKind;
use super::opened::OpenedPage;

/// The longest page, compressed or not: a value is at most a request long (64 MiB), and a page holds at least one.
pub(crate) const PAGE_BYTES_MAX: usize = 1 << 30;

/// On the shop corpus level 1 gives 27.2 bytes a span, level 3 gives 27.0 at the same cost; on random values it is the
/// other way round by half as much.
const COMPRESSION_LEVEL: i32 = 3;

/// How the values of a data page are written; Parquet's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageEncoding {
    Plain = 0,
    Delta = 5,
    Dictionary = 8,
    Split = 9,
}

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// Distinct values that the data pages of the chunk count.
    Dictionary,
    /// Values, with the encoding and whether there are presence bits before them.
    Data(PageEncoding),
}

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    kind: PageKind,
    values: u32,
    raw_bytes: u32,
    stored_bytes: u32,
    crc: u32,
}

// Field headers of the compact protocol: the distance to the field before in the high half, the type in the low.
const NEXT_I32: u8 = 0x15;
const NEXT_STRUCT: u8 = 0x1c;
const THIRD_STRUCT: u8 = 0x3c;
const STOP: u8 = 0;
/// Definition and repetition levels are both `RLE`.
const LEVEL_ENCODING: i64 = 3;

impl Header {
    fn put(&self, out: &mut Vec<u8>) {
        let mut number = |field: u8, number: i64| {
            out.push(field);
            put_varint(zigzag(number), out);
        };
        let is_dictionary = self.kind == PageKind::Dictionary;
        number(NEXT_I32, if is_dictionary { 2 } else { 0 });
        number(NEXT_I32, i64::from(self.raw_bytes));
        number(NEXT_I32, i64::from(self.stored_bytes));
        number(NEXT_I32, i64::from(self.crc.cast_signed()));
        match self.kind {
            PageKind::Dictionary => {
                out.push(THIRD_STRUCT);
                let mut number = |number: i64| {
                    out.push(NEXT_I32);
                    put_varint(zigzag(number), out);
                };
                number(i64::from(self.values));
                number(PageEncoding::Plain as i64);
            }
            PageKind::Data(encoding) => {
                out.push(NEXT_STRUCT);
                for number in [
                    i64::from(self.values),
                    encoding as i64,
                    LEVEL_ENCODING,
                    LEVEL_ENCODING,
                ] {
                    out.push(NEXT_I32);
                    put_varint(zigzag(number), out);
                }
            }
        }
        out.extend_from_slice(&[STOP, STOP]);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        fn byte(rest: &mut &[u8], expected: u8) -> Option<()> {
            let (first, tail) = rest.split_first()?;
            *rest = tail;
            (*first == expected).then_some(())
        }
        fn number(rest: &mut &[u8]) -> Option<i32> {
            byte(rest, NEXT_I32)?;
            i32::try_from(unzigzag(take_varint(rest)?)).ok()
        }
        let kind = number(rest)?;
        let raw_bytes = u32::try_from(number(rest)?).ok()?;
        let stored_bytes = u32::try_from(number(rest)?).ok()?;
        let crc = number(rest)?.cast_unsigned();
        byte(rest, if kind == 2 { THIRD_STRUCT } else { NEXT_STRUCT })?;
        let values = u32::try_from(number(rest)?).ok()?;
        let encoding = match number(rest)? {
            0 => PageEncoding::Plain,
            5 => PageEncoding::Delta,
            8 => PageEncoding::Dictionary,
            9 => PageEncoding::Split,
            _ => return None,
        };
        let kind = match kind {
            2 if encoding == PageEncoding::Plain => PageKind::Dictionary,
            0 => {
                let levels = (i64::from(number(rest)?), i64::from(number(rest)?));
                if levels != (LEVEL_ENCODING, LEVEL_ENCODING) {
                    return None;
                }
                PageKind::Data(encoding)
            }
            _ => return None,
        };
        byte(rest, STOP)?;
        byte(rest, STOP)?;
        Some(Self {
            kind,
            values,
            raw_bytes,
            stored_bytes,
            crc,
        })
    }
}

/// Appends a page: header, then the bytes as they are stored. `raw_bytes` is their length before compression.
pub(crate) fn put_page(
    kind: PageKind,
    values: u32,
    raw_bytes: usize,
    stored: &[u8],
    out: &mut Vec<u8>,
) {
    let crc = crc32fast::hash(stored);
    Header {
        kind,
        values,
        raw_bytes: raw_bytes as u32,
        stored_bytes: stored.len() as u32,
        crc,
    }
    .put(out);
    out.extend_from_slice(stored);
}

/// Compresses pages, one after another, with one context.
pub(crate) struct Compressor {
    context: zstd::bulk::Compressor<'static>,
    /// Room for one page: what is not written need not be cleared first.
    page: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new() -> Result<Self, SegmentError> {
        let made = zstd::bulk::Compressor::new(COMPRESSION_LEVEL);
        let context = made.map_err(|error| SegmentError::bug(format!("no compressor: {error}")))?;
        Ok(Self {
            context,
            page: Vec::new(),
        })
    }

    /// Appends the compressed bytes.
    pub(crate) fn compress(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), SegmentError> {
        self.page.clear();
        self.page
            .reserve(zstd::zstd_safe::compress_bound(raw.len()));
        match self.context.compress_to_buffer(raw, &mut self.page) {
            Ok(_) => {
                out.extend_from_slice(&self.page);
                Ok(())
            }
            Err(error) => Err(SegmentError::bug(format!(
                "can't compress {} bytes: {error}",
                raw.len()
            ))),
        }
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compressor")
    }
}

/// Opens pages, one after another, with one context.
pub(crate) struct PageOpener {
    /// Made when the first compressed page comes: often all pages are in the cache.
    context: Option<zstd::bulk::Decompressor<'static>>,
    raw: Vec<u8>,
    /// Whether data pages are worth keeping for the next question: few are read, not all of a file.
    pub keeps_pages: bool,
    /// The page that was opened last of a column, by file, row group and column: rows are often asked for in pieces.
    last: HashMap<LastOf, LastPage>,
}

type LastOf = (FileKind, usize, usize);
/// Its first row, and the page.
type LastPage = (u32, Arc<OpenedPage>);

impl std::fmt::Debug for PageOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageOpener")
    }
}

/// What is expected of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub kind: PageKind,
    /// Rows of a data page; a dictionary's is not known before.
    pub values: Option<u32>,
    pub is_compressed: bool,
}

impl PageOpener {
    pub(crate) fn new() -> Self {
        Self {
            context: None,
            raw: Vec::new(),
            keeps_pages: false,
            last: HashMap::new(),
        }
    }

    /// The page that was opened last of a column, if it is the one that begins with this row.
    pub(crate) fn last(&self, of: LastOf, first_row: u32) -> Option<Arc<OpenedPage>> {
        let (row, page) = self.last.get(&of)?;
        (*row == first_row).then(|| Arc::clone(page))
    }

    pub(crate) fn remember(&mut self, of: LastOf, first_row: u32, page: &Arc<OpenedPage>) {
        self.last.insert(of, (first_row, Arc::clone(page)));
    }

    /// An opener of few pages, which are kept in the cache.
    pub(crate) fn keeping() -> Self {
        Self {
            keeps_pages: true,
            ..Self::new()
        }
    }

    /// The number of values and the uncompressed bytes of a page that fills `bytes` exactly, or what is wrong with it.
    pub(crate) fn open<'a>(
        &'a mut self,
        bytes: &'a [u8],
        expected: Expected,
    ) -> Result<(u32, &'a [u8]), &'static str> {
        let mut rest = bytes;
        let header = Header::take(&mut rest).ok_or("page header is not one of ours")?;
        if header.stored_bytes as usize != rest.len() {
            return Err("page length is not the header's");
        }
        if crc32fast::hash(rest) != header.crc && !plumbing::planted("segment-crc-ignored") {
            return Err("page checksum is wrong");
        }
        if header.kind != expected.kind {
            return Err("page is of another kind");
        }
        if expected
            .values
            .is_some_and(|values| values != header.values)
        {
            return Err("page has another number of values");
        }
        let raw_bytes = header.raw_bytes as usize;
        if raw_bytes > PAGE_BYTES_MAX {
            return Err("page is too long");
        }
        if !expected.is_compressed {
            let is_right = rest.len() == raw_bytes;
            return if is_right {
                Ok((header.values, rest))
            } else {
                Err("page lengths differ")
            };
        }
        // The frame's own length is covered by the checksum; nothing is allocated for a length that is not.
        let said = zstd::zstd_safe::get_frame_content_size(rest).ok().flatten();
        if said != Some(u64::from(header.raw_bytes)) {
            return Err("compressed length is not the header's");
        }
        let context = match &mut self.context {
            Some(context) => context,
            none => match zstd::bulk::Decompressor::new() {
                Ok(made) => none.insert(made),
                Err(_) => return Err("there is no memory to decompress it"),
            },
        };
        self.raw.resize(raw_bytes, 0);
        match context.decompress_to_buffer(rest, self.raw.as_mut_slice()) {
            Ok(len) if len == raw_bytes => Ok((header.values, &self.raw)),
            _ => Err("page can't be decompressed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_of_a_page_is_believed() {
        let raw: Vec<u8> = (0..200u8).flat_map(|n| [n / 3, 0, 1]).collect();
        let mut stored = Vec::new();
        Compressor::new()
            .unwrap()
            .compress(&raw, &mut stored)
            .unwrap();
        for kind in [PageKind::Dictionary, PageKind::Data(PageEncoding::Delta)] {
            let mut page = Vec::new();
            put_page(kind, 77, raw.len(), &stored, &mut page);
            let mut opener = PageOpener::new();
            let expected = Expected {
                kind,
                values: Some(77),
                is_compressed: true,
            };
            assert_eq!(opener.open(&page, expected), Ok((77, raw.as_slice())));
            for bit in 0..page.len() * 8 {
                let mut bad = page.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(opener.open(&bad, expected).is_err(), "bit {bit}");
            }
            assert!(opener.open(&page[..page.len() - 1], expected).is_err());
        }
    }
}
