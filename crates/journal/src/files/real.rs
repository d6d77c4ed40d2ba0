//! The seam over the operating system's files.
//!
//! Promises: a read that fails with EIO is tried once more; new files are readable by their owner only.
//! Refuses: anything that is not a regular file behind `open` is left to the operating system to refuse.

use super::seam::{Entry, File, Files, Lock, OpenMode, Space};
use rustix::fs::{FallocateFlags, FlockOperation};
use rustix::io::Errno;
use std::fs;
use std::io::{self, IoSlice, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Linux takes at most 1,024 slices in one gathering write.
const WRITE_SLICES_MAX: usize = 1024;
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// How much of the holder's note is read back.
const LOCK_NOTE_BYTES_MAX: u64 = 256;

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFiles;

#[derive(Debug)]
struct RealFile(fs::File);

#[derive(Debug)]
struct RealLock {
    /// Closing it releases the lock.
    _held: fs::File,
}

impl Lock for RealLock {}

/// An empty path means the working directory.
fn or_here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    }
}

fn named(path: &Path, source: &io::Error) -> io::Error {
    // The number is kept where callers branch on it: `raw_os_error` is lost by adding the path, the kind is not.
    io::Error::new(source.kind(), format!("{}: {source}", path.display()))
}

impl Files for RealFiles {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).mode(FILE_MODE);
        match mode {
            OpenMode::Read => &mut options,
            OpenMode::ReadWrite => options.write(true),
            OpenMode::CreateNew => options.write(true).create_new(true),
            OpenMode::CreateOrTruncate => options.write(true).create(true).truncate(true),
        };
        Ok(Arc::new(RealFile(
            options.open(path).map_err(|source| named(path, &source))?,
        )))
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut missing: Vec<PathBuf> = Vec::new();
        let mut at = or_here(dir);
        while !at.as_os_str().is_empty() && !at.is_dir() {
            missing.push(at.to_path_buf());
            at = at.parent().unwrap_or(Path::new(""));
        }
        for new in missing.iter().rev() {
            match fs::DirBuilder::new().mode(DIR_MODE).create(new) {
                Err(source) if source.kind() == io::ErrorKind::AlreadyExists && new.is_dir() => {}
                made => made.map_err(|source| named(new, &source))?,
            }
            self.sync_dir(new.parent().unwrap_or(Path::new("")))?;
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(or_here(dir)).map_err(|source| named(dir, &source))? {
            let entry = entry?;
            let about = match entry.metadata() {
                // Removed since it was listed.
                Err(source) if source.kind() == io::ErrorKind::NotFound => continue,
                about => about?,
            };
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry.file_name().into_string() {
                let is_dir = about.is_dir();
                entries.push(Entry {
                    name,
                    is_dir,
                    len: if is_dir { 0 } else { about.len() },
                });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to).map_err(|source| named(from, &source))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path).map_err(|source| named(path, &source))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path).map_err(|source| named(path, &source))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(or_here(dir))
            .and_then(|dir| dir.sync_all())
            .map_err(|source| named(dir, &source))
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let about = rustix::fs::statvfs(or_here(dir))?;
        // What is kept for the administrator is nobody's: it is neither there to be filled nor taken by others.
        let kept = about.f_bfree.saturating_sub(about.f_bavail);
        Ok(Space {
            total: about
                .f_blocks
                .saturating_sub(kept)
                .saturating_mul(about.f_frsize),
            available: about.f_bavail.saturating_mul(about.f_frsize),
        })
    }

    fn lock(&self, path: &Path, note: &str) -> io::Result<Box<dyn Lock>> {
        let mut options = fs::OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE);
        let file = options.open(path).map_err(|source| named(path, &source))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut held = Vec::new();
                (&file).take(LOCK_NOTE_BYTES_MAX).read_to_end(&mut held)?;
                let held = String::from_utf8_lossy(&held);
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    format!(
                        "{} is locked by another process: {}",
                        path.display(),
                        held.trim()
                    ),
                ));
            }
            Err(errno) => return Err(named(path, &errno.into())),
        }
        file.set_len(0)?;
        file.write_all_at(note.as_bytes(), 0)?;
        Ok(Box::new(RealLock { _held: file }))
    }
}

impl File for RealFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut retried = false;
        loop {
            match self.0.read_at(buf, offset) {
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source)
                    if !retried && source.raw_os_error() == Some(Errno::IO.raw_os_error()) =>
                {
                    retried = true;
                }
                done => return done,
            }
        }
    }

    fn write_all_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        let mut at = offset;
        for group in parts.chunks(WRITE_SLICES_MAX) {
            let mut slices: Vec<IoSlice<'_>> =
                group.iter().map(|part| IoSlice::new(part)).collect();
            let mut rest = slices.as_mut_slice();
            IoSlice::advance_slices(&mut rest, 0);
            while !rest.is_empty() {
                match rustix::io::pwritev(&self.0, rest, at) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        at += count as u64;
                        IoSlice::advance_slices(&mut rest, count);
                    }
                    Err(Errno::INTR) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        loop {
            match rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, len) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                // A file system without reservation: the length alone is all it can give.
                Err(Errno::OPNOTSUPP | Errno::NOSYS) if self.len()? < len => {
                    return self.set_len(len);
                }
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
