//! What the store asks of a file system, and nothing more.
//!
//! Promises
//! - [`Files::create_dir_all`] is durable when it returns; every other change of names is durable only after
//!   [`Files::sync_dir`] of the directory, every change of bytes only after [`File::sync_data`] or `sync_all`.
//! - Interrupted and short writes are finished inside.
//!
//! Refuses
//! - Retrying a failed sync: what it left behind is unknown.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How [`Files::open`] treats a file that exists, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Only for reading; the file must exist.
    Read,
    /// For reading and writing; the file must exist.
    ReadWrite,
    /// For reading and writing; the file must not exist.
    CreateNew,
    /// For reading and writing; created when missing, emptied when there.
    CreateOrTruncate,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name inside its directory.
    pub name: String,
    /// Whether it is a directory itself.
    pub is_dir: bool,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
}

/// Room of a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size of the file system, as far as processes like this one may fill it.
    pub total: u64,
    /// What this process may still fill.
    pub available: u64,
}

/// An exclusive lock; dropping it lets go.
pub trait Lock: Send + Sync + Debug {}

/// A file system.
pub trait Files: Send + Sync + Debug {
    /// Opens one file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>>;
    /// Creates a directory and its missing parents, readable by the owner only, durable on return.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// The names in a directory, sorted; `NotFound` when it is missing.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Renames a file, replacing the target.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes the names of a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// The room of the file system that holds `dir`.
    fn space(&self, dir: &Path) -> io::Result<Space>;
    /// Takes the exclusive lock of `path` and writes `note` into it; `WouldBlock` with the holder's note when held.
    fn lock(&self, path: &Path, note: &str) -> io::Result<Box<dyn Lock>>;
}

/// An open file.
pub trait File: Send + Sync + Debug {
    /// Reads at most `buf.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all parts one after another.
    fn write_all_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()>;
    /// Makes the bytes and the length durable.
    fn sync_data(&self) -> io::Result<()>;
    /// Makes the bytes and all attributes durable.
    fn sync_all(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the length is 0.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Reserves room for `len` bytes from the start; extends the length to it, never cuts.
    fn allocate(&self, len: u64) -> io::Result<()>;
}

/// Fills `buf` from `offset`; `UnexpectedEof` when the file is shorter.
pub fn read_exact_at(file: &dyn File, buf: &mut [u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let count = file.read_at(rest, offset + done as u64)?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("file ends at {}", offset + done as u64),
            ));
        }
        done += count;
    }
    Ok(())
}

/// Reads a whole file. Allocates its length.
pub fn read_to_end(file: &dyn File) -> io::Result<Vec<u8>> {
    let len =
        usize::try_from(file.len()?).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut bytes = vec![0; len];
    read_exact_at(file, &mut bytes, 0)?;
    Ok(bytes)
}

/// Puts a whole file in place: written beside it, synced, renamed, directory synced. After a crash the old or the
/// new bytes are there, never a mixture.
pub fn write_file_durably(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let file = files.open(&beside, OpenMode::CreateOrTruncate)?;
    file.write_all_at(&[bytes], 0)?;
    file.sync_all()?;
    files.rename(&beside, path)?;
    files.sync_dir(path.parent().unwrap_or(Path::new("")))
}
