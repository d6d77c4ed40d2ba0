//! Batches that a store does not take while it takes others: kept as files where somebody can look at them.
//!
//! Promises
//! - A batch is on the disk, under its name and synced, before the buffer lets go of it.
//! - The files are never removed by the program, and take at most a sixteenth of the buffer.
//!
//! A file is a whole OTLP request, so that it can be sent again as it is once the reason is gone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Files, Frame, write_file_durably};

/// The folder inside that of the buffer.
const FOLDER: &str = "set-aside";
/// The part of the buffer that these may take.
const SHARE: u64 = 16;

/// What was set aside.
#[derive(Debug)]
pub(crate) struct SetAside {
    files: Arc<dyn Files>,
    dir: PathBuf,
    bytes: u64,
    bytes_max: u64,
}

impl SetAside {
    /// Counts what is there; the folder is made with its first file.
    pub(crate) fn open(files: Arc<dyn Files>, dir: &Path, buffer_bytes: u64) -> io::Result<Self> {
        let mut aside = Self {
            files,
            dir: dir.join(FOLDER),
            bytes: 0,
            bytes_max: buffer_bytes / SHARE,
        };
        aside.count()?;
        Ok(aside)
    }

    fn count(&mut self) -> io::Result<()> {
        self.bytes = match self.files.list(&self.dir) {
            Ok(entries) => entries.iter().map(|entry| entry.len).sum(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// Bytes of all files, when they were counted last.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps a batch; the error is why it can't be kept now.
    pub(crate) fn keep(&mut self, frame: &Frame) -> Result<(), String> {
        let failed = |path: &Path, error: io::Error| format!("\"{}\": {error}", path.display());
        // Somebody may have removed some of them.
        let counted = self.count();
        counted.map_err(|error| failed(&self.dir, error))?;
        let bytes = frame.payload.len() as u64;
        if self.bytes + bytes > self.bytes_max {
            return Err(format!(
                "\"{}\" holds {} bytes of {}; look at its files and move them away",
                self.dir.display(),
                self.bytes,
                self.bytes_max
            ));
        }
        let path = self.dir.join(name_of(frame));
        let written = self
            .files
            .create_dir_all(&self.dir)
            .and_then(|()| write_file_durably(self.files.as_ref(), &path, &frame.payload));
        written.map_err(|error| failed(&path, error))?;
        self.bytes += bytes;
        Ok(())
    }
}

/// The same batch has the same name, so that what is set aside again after a crash is there once.
fn name_of(frame: &Frame) -> String {
    format!("{:020}-{}.otlp", frame.sequence, frame.tenant)
}
