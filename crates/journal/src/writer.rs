//! Appends frames and makes them durable; rotates, recycles and abandons files.
//!
//! Promises
//! - A batch lies in one file. It is acknowledged only after the sync that the level asks for.
//! - Sequences of a batch that failed are given to the next one; what is left of the failed one can never be taken
//!   for acknowledged: it is wiped, or lies behind the first sequence that the next file's header names.
//! - A new file's header and name are durable before its first frame is written.
//!
//! Refuses
//! - A second sync or write after a failed sync: the file is closed, a new one is started.
//! - Any append after two failures in a row ([`Error::Fatal`]). A full disk is not such a failure.

use crate::files::{File, Files, OpenMode};
use crate::frame::{
    Batch, Bindings, END_BYTES, FILE_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, FileHeader, FileKey,
    Frame, NewFrame, TENANT_NAME_BYTES_MAX,
};
use crate::replay::{self, Source};
use crate::report::ReplayReport;
use crate::spares::{Role, Spare, SpareTask, set_aside, write_zeros};
use crate::{Error, VisitError, error::is_full};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A second failure in a row ends the journal.
const FAILURES_IN_ROW_MAX: u32 = 2;
/// A file must hold its header, one small frame and the end mark.
const FILE_BYTES_MIN: u64 = 512;

/// What an acknowledged append survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Power loss.
    Sync,
    /// The death of the process; not power loss.
    PageCache,
    /// Nothing; no byte is written.
    Memory,
}

/// How a journal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Size of one file; a larger batch makes its file longer.
    pub file_bytes: u64,
    /// How many files are kept ready.
    pub spare_files: usize,
    /// What an acknowledged append survives.
    pub level: Level,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            spare_files: 2,
            level: Level::Sync,
        }
    }
}

/// Counts and sizes of a journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Files with frames that are still needed, the one being written included.
    pub files: u64,
    /// Their bytes, and those of the spares.
    pub bytes: u64,
    /// Files that are ready for use.
    pub spares: u64,
    /// Syncs of files and directories since the start.
    pub syncs: u64,
    /// Frames appended since the start.
    pub appended_frames: u64,
    /// Bytes written for them, headers included.
    pub appended_bytes: u64,
    /// Files given up since the start: damaged, or after a failed sync or write.
    pub set_aside_files: u64,
}

/// What becomes of a file once its frames are no longer needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Reuse,
    SetAside,
}

/// A file that is not written any more; it holds the frames `first..end`.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) path: PathBuf,
    pub(crate) number: u64,
    pub(crate) end: u64,
    pub(crate) bytes: u64,
    pub(crate) fate: Fate,
}

/// The file being written.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) file: Arc<dyn File>,
    pub(crate) path: PathBuf,
    pub(crate) number: u64,
    pub(crate) key: FileKey,
    pub(crate) first: u64,
    /// Where the next frame goes; the end mark stands here.
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) bindings: Bindings,
}

/// An append-only log of frames.
#[derive(Debug)]
pub struct Journal {
    pub(crate) files: Arc<dyn Files>,
    dir: PathBuf,
    pub(crate) store_id: u128,
    options: Options,
    pub(crate) active: Option<Active>,
    pub(crate) closed: VecDeque<Closed>,
    spares: Vec<Spare>,
    spares_under_way: usize,
    next_sequence: u64,
    /// Where the sequences that were never given to a frame begin, until a header has said so.
    skipped_from: Option<u64>,
    next_number: u64,
    failures_in_row: u32,
    fatal: Option<String>,
    counted: Stats,
}

impl Journal {
    /// Replays every frame with a sequence of at least `floor`, in order, then is ready to append.
    ///
    /// The first sequence of a new journal is 1. Nothing is created but the directory, so that a full disk does not
    /// stop the start. Fails when the directory cannot be listed, when a file is of a newer version, or when `visit`
    /// fails; damaged files are reported instead.
    pub fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        store_id: u128,
        options: Options,
        floor: u64,
        visit: &mut dyn FnMut(Frame) -> Result<(), VisitError>,
    ) -> Result<(Journal, ReplayReport), Error> {
        let options = Options {
            file_bytes: options.file_bytes.max(FILE_BYTES_MIN).next_multiple_of(8),
            ..options
        };
        let source = Source {
            files: files.as_ref(),
            dir,
            store_id,
            options,
            floor: floor.max(1),
        };
        let found = replay::replay(&source, visit)?;
        let set_aside_files = found.report.set_aside.len() as u64
            + found
                .closed
                .iter()
                .filter(|closed| closed.fate == Fate::SetAside)
                .count() as u64;
        let journal = Journal {
            dir: dir.to_path_buf(),
            store_id,
            options,
            active: found.active,
            closed: found.closed,
            spares: found.spares,
            spares_under_way: 0,
            next_sequence: found.next_sequence,
            skipped_from: found.skipped_from,
            next_number: found.next_number,
            failures_in_row: 0,
            fatal: None,
            counted: Stats {
                set_aside_files,
                ..Stats::default()
            },
            files,
        };
        Ok((journal, found.report))
    }

    /// Writes the frames one after another and makes them durable as the level says. Gives the sequence of the
    /// first; they are consecutive. After an error none of them is acknowledged.
    pub fn append(&mut self, frames: &[NewFrame<'_>]) -> Result<u64, Error> {
        if let Some(why) = &self.fatal {
            return Err(Error::Fatal { why: why.clone() });
        }
        frames.iter().try_for_each(check)?;
        let first = self.next_sequence;
        if frames.is_empty() {
            return Ok(first);
        }
        if self.options.level != Level::Memory {
            self.append_batch(frames)?;
            self.failures_in_row = 0;
        }
        self.next_sequence += frames.len() as u64;
        self.counted.appended_frames += frames.len() as u64;
        Ok(first)
    }

    /// Says that frames below `floor` are no longer needed; the caller must have made that durable. Files wholly
    /// below become spares, or are removed; damaged ones are moved to `set-aside/`. After an error the rest is
    /// done all the same, and what failed is tried again by the next call or the next start.
    pub fn release_below(&mut self, floor: u64) -> Result<(), Error> {
        let mut first_failure = None;
        let mut recycled = Vec::new();
        for closed in std::mem::take(&mut self.closed) {
            if closed.end > floor {
                self.closed.push_back(closed);
            } else if let Err(failure) = self.release(&closed, &mut recycled) {
                first_failure.get_or_insert(failure);
                self.closed.push_back(closed);
            }
        }
        if !recycled.is_empty() {
            self.counted.syncs += 1;
            // Before the new name is durable a spare must not be used: after a crash it could stand under its old
            // name with a new header.
            match self.files.sync_dir(&self.dir) {
                Ok(()) => self.spares.append(&mut recycled),
                Err(source) => {
                    first_failure.get_or_insert(Error::io("sync", &self.dir, source));
                }
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// The sequence that the next frame gets.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Counts and sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let closed_bytes: u64 = self.closed.iter().map(|closed| closed.bytes).sum();
        let spare_bytes = self.spares.len() as u64 * self.options.file_bytes;
        Stats {
            files: self.closed.len() as u64 + u64::from(self.active.is_some()),
            bytes: closed_bytes
                + spare_bytes
                + self.active.as_ref().map_or(0, |active| active.bytes),
            spares: self.spares.len() as u64,
            ..self.counted
        }
    }

    /// Makes one spare file if one is missing, in this thread. Tells whether it made one.
    pub fn prepare_spare(&mut self) -> Result<bool, Error> {
        let Some(task) = self.spare_task() else {
            return Ok(false);
        };
        self.adopt_spare(task.run()).map(|()| true)
    }

    /// The making of one spare file if one is missing, to be run in another thread. Its outcome must be given to
    /// [`Journal::adopt_spare`].
    pub fn spare_task(&mut self) -> Option<SpareTask> {
        let enough = self.spares.len() + self.spares_under_way >= self.options.spare_files;
        if enough || self.options.level == Level::Memory {
            return None;
        }
        self.spares_under_way += 1;
        Some(self.new_file_task())
    }

    /// Takes over what a [`SpareTask`] made.
    pub fn adopt_spare(&mut self, made: Result<Spare, Error>) -> Result<(), Error> {
        self.spares_under_way = self.spares_under_way.saturating_sub(1);
        self.spares.push(made?);
        Ok(())
    }

    fn new_file_task(&mut self) -> SpareTask {
        let number = self.take_number();
        SpareTask {
            files: Arc::clone(&self.files),
            dir: self.dir.clone(),
            number,
            bytes: self.options.file_bytes,
        }
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    fn append_batch(&mut self, frames: &[NewFrame<'_>]) -> Result<(), Error> {
        for rotate in [false, true] {
            if rotate || self.active.is_none() {
                self.rotate()?;
            }
            let Some(active) = &self.active else { continue };
            let batch = Batch::encode(
                &active.key,
                &active.bindings,
                frames,
                self.next_sequence,
                active.offset,
            );
            // Without a tenant index left the batch needs a new file too.
            let Some(batch) = batch else { continue };
            let end = active.offset + batch.frame_bytes + END_BYTES as u64;
            if end <= active.bytes || active.offset == FILE_HEADER_BYTES as u64 {
                return self.write_batch(&batch, end);
            }
        }
        Err(Error::Refused {
            why: format!(
                "one append of {} frames names too many tenants",
                frames.len()
            ),
        })
    }

    fn write_batch(&mut self, batch: &Batch<'_>, end: u64) -> Result<(), Error> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        if end > active.bytes {
            // Before any frame is written, so that a full disk leaves nothing of the batch.
            if let Err(source) = active.file.allocate(end) {
                let failure = Error::io("extend", &active.path, source);
                return Err(self.count_failure(failure));
            }
            active.bytes = end;
        }
        if let Err(source) = active.file.write_all_at(&batch.parts(), active.offset) {
            return Err(self.after_failed_write(source, end));
        }
        if self.options.level == Level::Sync && !plumbing::planted("journal-skip-fsync") {
            self.sync_active()?;
        }
        if let Some(active) = &mut self.active {
            active.offset += batch.frame_bytes;
            for name in &batch.bound {
                // Batch::encode gave out the indexes in this order and checked that they fit.
                let index = u16::try_from(active.bindings.len()).unwrap_or(u16::MAX);
                active.bindings.insert((*name).to_owned(), index);
            }
        }
        self.counted.appended_bytes += batch.frame_bytes;
        Ok(())
    }

    fn sync_active(&mut self) -> Result<(), Error> {
        let Some(active) = &self.active else {
            return Ok(());
        };
        self.counted.syncs += 1;
        match active.file.sync_data() {
            Ok(()) => Ok(()),
            Err(_)
                if plumbing::planted("journal-retry-fsync") && active.file.sync_data().is_ok() =>
            {
                Ok(())
            }
            Err(source) => Err(self.after_failed_sync(source)),
        }
    }

    /// Closes the file for good and starts another; what was acknowledged from it is the caller's to save.
    fn after_failed_sync(&mut self, source: io::Error) -> Error {
        let (path, first) = match &self.active {
            Some(active) => (active.path.clone(), active.first),
            None => (self.dir.clone(), self.next_sequence),
        };
        self.close_active(Fate::SetAside);
        let failure = self.count_failure(Error::SyncFailed {
            path,
            set_aside_first_sequence: first,
            set_aside_last_sequence: self.next_sequence.saturating_sub(1),
            source,
        });
        if self.fatal.is_some() {
            return failure;
        }
        match self.start_file() {
            Ok(new) => self.active = Some(new),
            // The next append tries again; a full disk is no reason to stop.
            Err(Error::Full { .. }) => {}
            Err(second) => return self.count_failure(second),
        }
        failure
    }

    fn after_failed_write(&mut self, source: io::Error, end: u64) -> Error {
        let path = self
            .active
            .as_ref()
            .map_or_else(|| self.dir.clone(), |active| active.path.clone());
        if !is_full(&source) {
            self.close_active(Fate::SetAside);
            return self.count_failure(Error::io("write", &path, source));
        }
        if self.wipe(end).is_err() {
            self.close_active(Fate::Reuse);
        }
        Error::Full { path, source }
    }

    /// Overwrites what a failed append may have left: a later, shorter batch must not make its tail valid.
    fn wipe(&self, end: u64) -> io::Result<()> {
        let Some(active) = &self.active else {
            return Ok(());
        };
        if plumbing::planted("journal-no-tail-neutralise") {
            return Ok(());
        }
        let mark = active.key.end_mark(active.offset, self.next_sequence);
        active.file.write_all_at(&[&mark], active.offset)?;
        write_zeros(end, active.offset + END_BYTES as u64, |zeros, at| {
            active.file.write_all_at(&[zeros], at)
        })
    }

    /// Counts a failure that is not a full disk; the second in a row is fatal.
    fn count_failure(&mut self, failure: Error) -> Error {
        if matches!(failure, Error::Full { .. }) {
            return failure;
        }
        self.failures_in_row += 1;
        if self.failures_in_row < FAILURES_IN_ROW_MAX {
            return failure;
        }
        let why = failure.in_full();
        self.fatal = Some(why.clone());
        Error::Fatal { why }
    }

    fn close_active(&mut self, fate: Fate) {
        if let Some(active) = self.active.take() {
            self.counted.set_aside_files += u64::from(fate == Fate::SetAside);
            let Active {
                path,
                number,
                bytes,
                ..
            } = active;
            self.closed.push_back(Closed {
                path,
                number,
                end: self.next_sequence,
                bytes,
                fate,
            });
        }
    }

    fn rotate(&mut self) -> Result<(), Error> {
        if self.options.level == Level::PageCache {
            self.sync_active()?;
        }
        match self.start_file() {
            Ok(new) => {
                self.close_active(Fate::Reuse);
                self.active = Some(new);
                Ok(())
            }
            Err(failure) => Err(self.count_failure(failure)),
        }
    }

    /// Takes a spare, or makes a file, and gives it header and name, durably.
    fn start_file(&mut self) -> Result<Active, Error> {
        let spare = match self.spares.pop() {
            Some(spare) => spare,
            None => self.new_file_task().run()?,
        };
        let number = self.take_number();
        let key = FileKey::new(self.store_id, number);
        let path = Role::Frames.path(&self.dir, number);
        let first = self.next_sequence;
        let header = FileHeader {
            number,
            store_id: self.store_id,
            first_sequence: first,
            skipped_from: self.skipped_from.unwrap_or(first),
        };
        let offset = FILE_HEADER_BYTES as u64;
        let head = [header.encode().as_slice(), &key.end_mark(offset, first)].concat();
        let file = match self.files.open(&spare.path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(source) => return Err(Error::io("open", &spare.path, source)),
        };
        if let Err(source) = file.write_all_at(&[&head], 0) {
            let failure = Error::io("write", &spare.path, source);
            if matches!(failure, Error::Full { .. }) {
                self.spares.push(spare);
            }
            return Err(failure);
        }
        self.counted.syncs += 2;
        let named = file
            .sync_data()
            .and_then(|()| self.files.rename(&spare.path, &path))
            .and_then(|()| self.files.sync_dir(&self.dir));
        if let Err(source) = named {
            // A crash may bring the new name back. Its header shuts out frames from `first` on in older files, so
            // none may be written there any more.
            if !plumbing::planted("journal-append-behind-a-lost-name") {
                self.close_active(Fate::Reuse);
            }
            // Best effort: it holds no frame, and the next start copes with it under either name.
            self.files.remove(&spare.path).ok();
            self.files.remove(&path).ok();
            return Err(Error::io("start", &path, source));
        }
        self.skipped_from = None;
        let (bytes, bindings) = (self.options.file_bytes, Bindings::new());
        Ok(Active {
            file,
            path,
            number,
            key,
            first,
            offset,
            bytes,
            bindings,
        })
    }

    fn release(&mut self, closed: &Closed, recycled: &mut Vec<Spare>) -> Result<(), Error> {
        let is_wanted = self.spares.len() + recycled.len() < self.options.spare_files
            && closed.bytes == self.options.file_bytes
            && self.options.level != Level::Memory;
        let (doing, done) = match closed.fate {
            Fate::SetAside => {
                self.counted.syncs += 2;
                let moved = set_aside(self.files.as_ref(), &self.dir, &closed.path);
                ("set aside", moved.map(|_| ()))
            }
            Fate::Reuse if is_wanted => {
                // The number stays in the name: it must never be given again while the file holds frames of it.
                let path = Role::Spare.path(&self.dir, closed.number);
                let renamed = self.files.rename(&closed.path, &path);
                ("recycle", renamed.map(|()| recycled.push(Spare { path })))
            }
            Fate::Reuse => ("remove", self.files.remove(&closed.path)),
        };
        match done {
            // An earlier try got as far as that before it failed.
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.map_err(|source| Error::io(doing, &closed.path, source)),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.options.level == Level::PageCache
            && let Some(active) = &self.active
        {
            // Nobody is left to tell; what was promised at this level does not need it.
            active.file.sync_data().ok();
        }
    }
}

/// Refuses what the format cannot hold.
fn check(frame: &NewFrame<'_>) -> Result<(), Error> {
    let (payload, tenant) = (frame.payload.len(), frame.tenant.len());
    if payload > FRAME_PAYLOAD_BYTES_MAX {
        let why = format!(
            "payload of {payload} bytes is over FRAME_PAYLOAD_BYTES_MAX ({FRAME_PAYLOAD_BYTES_MAX})"
        );
        return Err(Error::Refused { why });
    }
    if tenant > TENANT_NAME_BYTES_MAX {
        let why = format!(
            "tenant name of {tenant} bytes is over TENANT_NAME_BYTES_MAX ({TENANT_NAME_BYTES_MAX})"
        );
        return Err(Error::Refused { why });
    }
    Ok(())
}
