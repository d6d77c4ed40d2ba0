//! A file of a segment while it is written: bytes go to the disk as they come, their checksum is kept on the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{File, Files, OpenMode};

use super::SegmentError as Error;
use super::meta::{FileKind, FileMeta, SegmentId};

/// Where a segment's files go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub files: &'a dyn Files,
    pub dir: &'a Path,
    pub id: SegmentId,
}

/// A file that grows.
#[derive(Debug)]
pub(crate) struct Sink {
    file: Arc<dyn File>,
    kind: FileKind,
    name: String,
    path: PathBuf,
    bytes: u64,
    crc32c: u32,
}

impl Sink {
    /// Creates a file, or empties the one of an attempt before.
    pub(crate) fn create(place: Place<'_>, kind: FileKind) -> Result<Self, Error> {
        let name = kind.name(place.id);
        let path = place.dir.join(&name);
        let file = place
            .files
            .open(&path, OpenMode::CreateOrTruncate)
            .map_err(|source| Error::io("create", &path, source))?;
        Ok(Self {
            file,
            kind,
            name,
            path,
            bytes: 0,
            crc32c: 0,
        })
    }

    /// The bytes so far.
    pub(crate) fn len(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .write_all_at(&[bytes], self.bytes)
            .map_err(|source| Error::io("write", &self.path, source))?;
        self.bytes += bytes.len() as u64;
        self.crc32c = crc32c::crc32c_append(self.crc32c, bytes);
        Ok(())
    }

    /// Adds the end, which says where everything is, and makes the bytes durable; the name is not yet.
    pub(crate) fn finish(mut self, footer: &[u8]) -> Result<FileMeta, Error> {
        self.append(footer)?;
        if !plumbing::planted("segment-skip-sync") {
            self.file
                .sync_all()
                .map_err(|source| Error::io("sync", &self.path, source))?;
        }
        Ok(FileMeta {
            kind: self.kind,
            name: self.name,
            bytes: self.bytes,
            crc32c: self.crc32c,
            footer_bytes: footer.len() as u64,
            footer_crc32c: crc32c::crc32c(footer),
        })
    }
}
