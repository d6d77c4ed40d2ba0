//! Reads frames on, in order, while others are appended: for whoever passes them on.
//!
//! Promises
//! - Only frames whose append returned `Ok` are given, each once, in the order of their sequences.
//! - Memory is one window, or one frame when that is larger, and the frames that are given.
//! - A frame that can't be read any more is counted and passed over; it never holds up those behind it.

use crate::Error;
use crate::frame::{FILE_HEADER_BYTES, FRAME_HEADER_BYTES, FileKey, Frame, FrameHeader, Holds};
use crate::scan::Scanner;
use crate::writer::Journal;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How far somebody has read.
#[derive(Debug, Clone)]
pub struct Cursor {
    sequence: u64,
    place: Option<Place>,
}

/// Where in a file the next frame is looked for, and what the file has named before.
#[derive(Debug, Clone)]
struct Place {
    number: u64,
    offset: u64,
    names: BTreeMap<u16, String>,
}

impl Cursor {
    /// Stands before the frame with a sequence.
    #[must_use]
    pub fn before(sequence: u64) -> Self {
        Self {
            sequence,
            place: None,
        }
    }

    /// The sequence of the next frame that is given, if it is there.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct ReadOn {
    /// The frames.
    pub frames: Vec<Frame>,
    /// Sequences that were passed over, for their frames can't be read or are not there any more.
    pub missing: u64,
}

/// A file as it is known to the writer.
struct Known {
    path: PathBuf,
    number: u64,
    /// The sequence behind its last frame.
    end: u64,
    /// Where its last frame ends, at the latest.
    end_offset: u64,
}

impl Journal {
    /// Reads from the cursor on, until so many bytes are reached or nothing more is there; one frame at least, if
    /// there is one. Blocks.
    pub fn read_on(&self, cursor: &mut Cursor, bytes_max: u64) -> Result<ReadOn, Error> {
        let mut read = ReadOn::default();
        let mut left = bytes_max;
        while cursor.sequence < self.next_sequence() && left > 0 {
            let Some(known) = self.known_with(cursor.sequence) else {
                read.missing += self.next_sequence() - cursor.sequence;
                cursor.sequence = self.next_sequence();
                break;
            };
            self.read_file(&known, cursor, &mut left, &mut read)?;
        }
        Ok(read)
    }

    /// Bytes of the files that are still needed, up to where the last frame ends; not those of spares.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        let closed: u64 = self.closed.iter().map(|closed| closed.bytes).sum();
        closed + self.active.as_ref().map_or(0, |active| active.offset)
    }

    /// The file that has the frame of a sequence, or else the first one behind it.
    fn known_with(&self, sequence: u64) -> Option<Known> {
        if let Some(closed) = self.closed.iter().find(|closed| closed.end > sequence) {
            return Some(Known {
                path: closed.path.clone(),
                number: closed.number,
                end: closed.end,
                end_offset: closed.bytes,
            });
        }
        self.active.as_ref().map(|active| Known {
            path: active.path.clone(),
            number: active.number,
            end: self.next_sequence(),
            end_offset: active.offset,
        })
    }

    fn read_file(
        &self,
        known: &Known,
        cursor: &mut Cursor,
        left: &mut u64,
        read: &mut ReadOn,
    ) -> Result<(), Error> {
        let key = FileKey::new(self.store_id, known.number);
        let scanner = Scanner::open(self.files.as_ref(), &known.path, key);
        let mut scanner = scanner
            .map_err(|source| Error::io("open", &known.path, source))?
            .ending_at(known.end_offset);
        let mut place = cursor
            .place
            .take()
            .filter(|place| place.number == known.number)
            .unwrap_or(Place {
                number: known.number,
                offset: FILE_HEADER_BYTES as u64,
                names: BTreeMap::new(),
            });
        while cursor.sequence < known.end && *left > 0 {
            let (next, end) = (cursor.sequence, known.end);
            let is_ours = |frame: &FrameHeader| frame.sequence < end;
            let found = scanner
                .frame_at(place.offset)
                .filter(is_ours)
                .map(|frame| (place.offset, frame))
                .or_else(|| {
                    let is_next = |frame: &FrameHeader| is_ours(frame) && frame.sequence >= next;
                    scanner.find(place.offset, is_next)
                });
            let Some((offset, frame)) = found else {
                read.missing += known.end - cursor.sequence;
                cursor.sequence = known.end;
                break;
            };
            place.offset = offset + frame.frame_bytes();
            let payload = scanner.payload(offset, &frame);
            let kind = match frame.holds() {
                Holds::TenantName => {
                    let name = String::from_utf8_lossy(payload).into_owned();
                    place.names.entry(frame.tenant_index).or_insert(name);
                    continue;
                }
                Holds::Unknown => None,
                Holds::Caller(kind) => Some(kind),
            };
            if frame.sequence < cursor.sequence {
                continue;
            }
            read.missing += frame.sequence - cursor.sequence;
            cursor.sequence = frame.sequence.saturating_add(1);
            match (kind, place.names.get(&frame.tenant_index)) {
                (Some(kind), Some(tenant)) => {
                    let bytes = FRAME_HEADER_BYTES as u64 + u64::from(frame.payload_len);
                    *left = left.saturating_sub(bytes);
                    read.frames.push(Frame {
                        kind,
                        tenant: tenant.clone(),
                        sequence: frame.sequence,
                        received_unix_nanos: frame.received_unix_nanos,
                        span_count: frame.span_count,
                        payload: payload.to_vec(),
                    });
                }
                _ => read.missing += 1,
            }
        }
        cursor.place = Some(place);
        Ok(())
    }
}
