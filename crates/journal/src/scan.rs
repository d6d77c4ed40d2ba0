//! Reads one journal file through a window: frames at a place, the next frame behind a bad one, the end mark.
//!
//! Promises: memory is one window, or one frame when that is larger; a frame's length is checked against the file
//! before anything is allocated; bytes that cannot be read are taken for zeros and [`Scanner::unreadable`] says so.

use crate::files::{File, Files, OpenMode};
use crate::frame::{
    END_BYTES, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, FileHeader, FileKey, FrameHeader, ReadHeader,
};
use std::io;
use std::path::Path;
use std::sync::Arc;

const WINDOW_BYTES: usize = 1 << 20;
/// After a failed read, what can be read is taken in pieces of this size.
const PIECE_BYTES: usize = 4 << 10;
/// Frames and marks start at multiples of this.
const STEP_BYTES: usize = 8;

/// A journal file being read.
pub(crate) struct Scanner {
    file: Arc<dyn File>,
    key: FileKey,
    len: u64,
    window_start: u64,
    window: Vec<u8>,
    /// Whether some bytes could not be read.
    pub(crate) unreadable: bool,
}

/// Tries again once: one passing failure must not hide frames.
pub(crate) fn twice<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    attempt().or_else(|_| attempt())
}

impl Scanner {
    pub(crate) fn open(files: &dyn Files, path: &Path, key: FileKey) -> io::Result<Self> {
        let file = twice(|| files.open(path, OpenMode::Read))?;
        let len = twice(|| file.len())?;
        Ok(Self {
            file,
            key,
            len,
            window_start: 0,
            window: Vec::new(),
            unreadable: false,
        })
    }

    /// Takes the file to end here, if it is longer: what lies behind is still being written.
    pub(crate) fn ending_at(self, end: u64) -> Self {
        let len = self.len.min(end);
        Self { len, ..self }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Writes a stretch of the file again, as it was read; refuses when something could not be read.
    pub(crate) fn write_again(&mut self, file: &dyn File, start: u64, end: u64) -> io::Result<()> {
        let count =
            usize::try_from(end.saturating_sub(start)).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.bytes(start, count);
        if self.unreadable {
            return Err(io::ErrorKind::InvalidData.into());
        }
        file.write_all_at(&[self.bytes(start, count)], start)
    }

    pub(crate) fn file_header(&mut self) -> ReadHeader {
        FileHeader::decode(self.bytes(0, FILE_HEADER_BYTES))
    }

    /// Up to `wanted` bytes at `offset`; fewer at the end of the file.
    fn bytes(&mut self, offset: u64, wanted: usize) -> &[u8] {
        let wanted = self.within(offset, wanted);
        let mut start = offset
            .checked_sub(self.window_start)
            .and_then(|start| usize::try_from(start).ok());
        if start.is_none_or(|start| start.saturating_add(wanted) > self.window.len()) {
            self.fill(offset, self.within(offset, wanted.max(WINDOW_BYTES)));
            start = Some(0);
        }
        let start = start.unwrap_or(0);
        self.window
            .get(start..start.saturating_add(wanted))
            .unwrap_or_default()
    }

    /// How many of `wanted` bytes the file has at `offset`.
    fn within(&self, offset: u64, wanted: usize) -> usize {
        let rest = self.len.saturating_sub(offset);
        usize::try_from(rest).map_or(wanted, |rest| rest.min(wanted))
    }

    fn fill(&mut self, offset: u64, count: usize) {
        self.window_start = offset;
        self.window.clear();
        self.window.resize(count, 0);
        if read_fully(self.file.as_ref(), &mut self.window, offset).is_ok() {
            return;
        }
        for (index, piece) in self.window.chunks_mut(PIECE_BYTES).enumerate() {
            if read_fully(
                self.file.as_ref(),
                piece,
                offset + (index * PIECE_BYTES) as u64,
            )
            .is_err()
            {
                piece.fill(0);
                self.unreadable = true;
            }
        }
    }

    /// The verified frame at a place.
    pub(crate) fn frame_at(&mut self, offset: u64) -> Option<FrameHeader> {
        let key = self.key;
        let header = key.decode_header(self.bytes(offset, FRAME_HEADER_BYTES))?;
        let frame_bytes = header.frame_bytes();
        if frame_bytes > self.len.saturating_sub(offset) {
            return None;
        }
        let frame = self.bytes(offset, usize::try_from(frame_bytes).ok()?);
        key.verifies(frame, header.payload_len).then_some(header)
    }

    /// The payload of the frame at a place.
    pub(crate) fn payload(&mut self, offset: u64, header: &FrameHeader) -> &[u8] {
        self.bytes(
            offset + FRAME_HEADER_BYTES as u64,
            header.payload_len as usize,
        )
    }

    /// The first verified frame from a place on that is as wanted.
    pub(crate) fn find(
        &mut self,
        from: u64,
        wanted: impl Fn(&FrameHeader) -> bool,
    ) -> Option<(u64, FrameHeader)> {
        let mut at = from;
        while let Some(found) = self.magic_from(at) {
            if let Some(header) = self.frame_at(found).filter(&wanted) {
                return Some((found, header));
            }
            at = found + STEP_BYTES as u64;
        }
        None
    }

    /// Where the file's frame magic stands next.
    pub(crate) fn magic_from(&mut self, from: u64) -> Option<u64> {
        let magic = self.key.magic();
        let mut at = from;
        loop {
            let kept = self.window_start + self.window.len() as u64;
            let in_window = at >= self.window_start && at + STEP_BYTES as u64 <= kept;
            let wanted = if in_window {
                usize::try_from(kept - at).ok()?
            } else {
                WINDOW_BYTES
            };
            let chunk = self.bytes(at, wanted);
            if chunk.len() < STEP_BYTES {
                return None;
            }
            if let Some(index) = chunk
                .chunks_exact(STEP_BYTES)
                .position(|step| step.starts_with(&magic))
            {
                return Some(at + (index * STEP_BYTES) as u64);
            }
            at += (chunk.len() / STEP_BYTES * STEP_BYTES) as u64;
        }
    }

    /// Whether the end mark of the whole file stands here and nothing of its own behind it.
    pub(crate) fn ends_at(&mut self, offset: u64, next_sequence: u64) -> bool {
        let mark = self.key.end_mark(offset, next_sequence);
        self.bytes(offset, END_BYTES) == mark && self.magic_from(offset).is_none()
    }

    /// How many bytes from `offset` on hold something of this file's own; at least.
    pub(crate) fn remains_from(&mut self, offset: u64) -> u64 {
        let mut end = offset;
        while let Some(found) = self.magic_from(end) {
            end = self.len.min(found + FRAME_HEADER_BYTES as u64);
        }
        end - offset
    }
}

/// Fills the piece; a file that ends early leaves zeros.
fn read_fully(file: &dyn File, piece: &mut [u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = piece.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64)? {
            0 => return Ok(()),
            count => done += count,
        }
    }
    Ok(())
}
