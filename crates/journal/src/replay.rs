//! Reads the journal back at the start.
//!
//! Promises
//! - Opening changes no byte of any frame: what could not be read today may be readable tomorrow.
//! - A bad frame followed by a later batch was acknowledged: it is skipped and reported. A bad frame that nothing
//!   but the rest of its own batch follows, in the last file, is the tail of an append that was cut short.
//! - The last file is written further only when it ends with its mark and nothing of its own lies behind it;
//!   otherwise the next append starts a new file, whose first sequence shuts out whatever lies there.
//!
//! Refuses
//! - Files of a newer version, and frames whose kind or codec is not known: guessing would lose them silently.

use crate::files::{Entry, File, Files, OpenMode};
use crate::frame::{
    Bindings, END_BYTES, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, FileKey, Frame, FrameHeader, Holds,
    ReadHeader,
};
use crate::report::{Damage, DamageKind, ReplayReport, TornTail};
use crate::scan::{Scanner, twice};
use crate::spares::{Role, Spare, set_aside, set_aside_numbers};
use crate::writer::{Active, Closed, Fate, Level, Options};
use crate::{Error, VisitError};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is replayed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) dir: &'a Path,
    pub(crate) store_id: u128,
    pub(crate) options: Options,
    /// At least 1.
    pub(crate) floor: u64,
}

/// What a replay leaves for the writer.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) active: Option<Active>,
    pub(crate) closed: VecDeque<Closed>,
    pub(crate) spares: Vec<Spare>,
    pub(crate) next_sequence: u64,
    pub(crate) skipped_from: Option<u64>,
    pub(crate) next_number: u64,
    pub(crate) report: ReplayReport,
}

/// A file with frames, before they are read.
#[derive(Debug)]
struct Candidate {
    path: PathBuf,
    number: u64,
    bytes: u64,
    header_is_good: bool,
    first: u64,
    skipped_from: u64,
}

/// How reading a file ended.
enum Tail {
    /// All there is was read.
    Whole,
    Torn,
    Damaged,
}

/// A file whose frames were read.
struct ReadFile {
    scanner: Scanner,
    names: BTreeMap<u16, String>,
    /// The sequence behind its last frame.
    end: u64,
    /// Where its last frame ends.
    end_offset: u64,
    /// Where the last batch that was taken begins.
    batch_offset: u64,
    tail: Tail,
    damaged: bool,
}

struct Replay<'a> {
    source: &'a Source<'a>,
    visit: &'a mut dyn FnMut(Frame) -> Result<(), VisitError>,
    report: ReplayReport,
    closed: VecDeque<Closed>,
    /// The sequence behind the last one accounted for.
    position: u64,
    /// The highest number of a file that could not be read in full, and its length.
    unread: Option<(u64, u64)>,
}

/// Replays all files of the directory.
pub(crate) fn replay(
    source: &Source<'_>,
    visit: &mut dyn FnMut(Frame) -> Result<(), VisitError>,
) -> Result<Replayed, Error> {
    let entries = list(source)?;
    let named: Vec<(&Entry, u64, Role)> = entries
        .iter()
        .filter(|entry| !entry.is_dir)
        .filter_map(|entry| Role::of(&entry.name).map(|(number, role)| (entry, number, role)))
        .collect();
    let numbers = named.iter().map(|(_, number, _)| *number);
    let highest = numbers
        .chain(set_aside_numbers(source.files, source.dir))
        .max()
        .unwrap_or(0);
    let report = ReplayReport::default();
    let mut replay = Replay {
        source,
        visit,
        report,
        closed: VecDeque::new(),
        position: source.floor,
        unread: None,
    };
    let candidates = replay.look_at_all(&named)?;
    let active = replay.read_all(&candidates)?;
    let spares = spares(source, &named);
    let Replay {
        report,
        closed,
        position,
        unread,
        ..
    } = replay;
    // What could not be read may hold frames: their sequences must not be given again.
    let last_number = candidates.last().map_or(0, |candidate| candidate.number);
    let hidden = unread.filter(|(number, _)| *number >= last_number);
    let skipped = hidden.map_or(0, |(_, bytes)| bytes / FRAME_HEADER_BYTES as u64 + 1);
    Ok(Replayed {
        active,
        closed,
        spares,
        next_sequence: position.saturating_add(skipped),
        skipped_from: (skipped > 0).then_some(position),
        next_number: highest.saturating_add(1),
        report,
    })
}

fn list(source: &Source<'_>) -> Result<Vec<Entry>, Error> {
    let (files, dir) = (source.files, source.dir);
    if source.options.level != Level::Memory {
        files
            .create_dir_all(dir)
            .map_err(|failure| Error::io("create", dir, failure))?;
    }
    match twice(|| files.list(dir)) {
        Err(failure) if failure.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|failure| Error::io("list", dir, failure)),
    }
}

/// The spare files that fit; leftovers are removed.
fn spares(source: &Source<'_>, named: &[(&Entry, u64, Role)]) -> Vec<Spare> {
    let mut spares = Vec::new();
    if source.options.level == Level::Memory {
        return spares;
    }
    for (entry, _, role) in named {
        let path = source.dir.join(&entry.name);
        let fits =
            entry.len == source.options.file_bytes && spares.len() < source.options.spare_files;
        match role {
            Role::Spare if fits => spares.push(Spare { path }),
            // Best effort: a leftover costs room, nothing else.
            Role::Spare | Role::Unfinished => {
                source.files.remove(&path).ok();
            }
            Role::Frames | Role::Other => {}
        }
    }
    spares
}

impl Replay<'_> {
    /// Reads the headers of all files, in the order of their numbers.
    fn look_at_all(&mut self, named: &[(&Entry, u64, Role)]) -> Result<Vec<Candidate>, Error> {
        let mut frames: Vec<_> = named
            .iter()
            .filter(|(_, _, role)| *role == Role::Frames)
            .collect();
        frames.sort_by_key(|(_, number, _)| *number);
        let mut candidates = Vec::new();
        for (entry, number, _) in frames {
            let path = self.source.dir.join(&entry.name);
            match self.look_at(&path, *number) {
                Ok(Some(candidate)) => candidates.push(candidate),
                Ok(None) => {}
                Err(Error::Io { path, .. } | Error::Full { path, .. }) => {
                    self.damage(&path, 0, entry.len, DamageKind::Unreadable);
                    self.unread = Some((*number, entry.len));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(candidates)
    }

    fn look_at(&mut self, path: &Path, number: u64) -> Result<Option<Candidate>, Error> {
        let key = FileKey::new(self.source.store_id, number);
        let opened = Scanner::open(self.source.files, path, key);
        let mut scanner = opened.map_err(|failure| Error::io("open", path, failure))?;
        let bytes = scanner.len();
        let path = path.to_path_buf();
        match scanner.file_header() {
            ReadHeader::Newer(version) => {
                return Err(Error::Unsupported {
                    path,
                    offset: 4,
                    why: format!("format version {version} is not known"),
                });
            }
            ReadHeader::Valid(header) if header.store_id != self.source.store_id => {
                self.damage(&path, 0, bytes, DamageKind::ForeignStore);
                self.set_aside(&path);
                return Ok(None);
            }
            ReadHeader::Valid(header) if header.number == number => {
                let (first, skipped_from) = (header.first_sequence, header.skipped_from);
                return Ok(Some(Candidate {
                    path,
                    number,
                    bytes,
                    header_is_good: true,
                    first,
                    skipped_from,
                }));
            }
            ReadHeader::Valid(_) | ReadHeader::Bad => {}
        }
        // The number from the name is enough to know the file's frames.
        self.damage(&path, 0, FILE_HEADER_BYTES as u64, DamageKind::Header);
        let found = scanner.find(FILE_HEADER_BYTES as u64, |_| true);
        match found {
            Some((_, frame)) => {
                let (first, skipped_from) = (frame.sequence, frame.sequence);
                Ok(Some(Candidate {
                    path,
                    number,
                    bytes,
                    header_is_good: false,
                    first,
                    skipped_from,
                }))
            }
            None if scanner.unreadable => {
                self.unread = Some((number, bytes));
                Ok(None)
            }
            None => {
                self.set_aside(&path);
                Ok(None)
            }
        }
    }

    /// Reads the frames of all files; gives the last one back to be written further if it can be.
    fn read_all(&mut self, candidates: &[Candidate]) -> Result<Option<Active>, Error> {
        let mut active = None;
        for (index, candidate) in candidates.iter().enumerate() {
            let later = candidates.get(index + 1..).unwrap_or_default();
            // Frames from the first sequence of a later file on were not acknowledged here.
            let limit = later.iter().map(|later| later.first).min();
            self.report
                .add_gap(self.position..candidate.skipped_from, self.source.floor);
            if let Some(limit) = limit.filter(|limit| *limit <= self.source.floor) {
                self.report.files_below_floor += 1;
                self.close(candidate, limit, Fate::Reuse);
                continue;
            }
            let read = match self.read(candidate, limit) {
                Ok(read) => read,
                Err(Error::Io { path, .. } | Error::Full { path, .. }) => {
                    self.damage(&path, 0, candidate.bytes, DamageKind::Unreadable);
                    self.unread = Some((candidate.number, candidate.bytes));
                    self.close(candidate, limit.unwrap_or(candidate.first), Fate::SetAside);
                    continue;
                }
                Err(other) => return Err(other),
            };
            self.report.files += 1;
            self.position = self.position.max(read.end);
            if read.scanner.unreadable {
                self.damage(&candidate.path, 0, candidate.bytes, DamageKind::Unreadable);
                self.unread = Some((candidate.number, candidate.bytes));
            }
            if limit.is_none() {
                active = self.finish_last(candidate, read);
            } else {
                let is_bad = read.damaged || !candidate.header_is_good;
                let fate = if is_bad { Fate::SetAside } else { Fate::Reuse };
                self.close(candidate, read.end, fate);
            }
        }
        Ok(active)
    }

    fn read(&mut self, candidate: &Candidate, limit: Option<u64>) -> Result<ReadFile, Error> {
        let key = FileKey::new(self.source.store_id, candidate.number);
        let opened = Scanner::open(self.source.files, &candidate.path, key);
        let scanner = opened.map_err(|failure| Error::io("open", &candidate.path, failure))?;
        let mut offset = FILE_HEADER_BYTES as u64;
        let mut read = ReadFile {
            scanner,
            names: BTreeMap::new(),
            end: candidate.first,
            end_offset: offset,
            batch_offset: offset,
            tail: Tail::Damaged,
            damaged: false,
        };
        loop {
            if limit.is_some_and(|limit| read.end >= limit) {
                read.tail = Tail::Whole;
                return Ok(read);
            }
            let frame = read
                .scanner
                .frame_at(offset)
                .filter(|frame| frame.sequence == read.end);
            if let Some(frame) = frame {
                self.take(candidate, &mut read, offset, &frame)?;
                if frame.starts_batch() {
                    read.batch_offset = offset;
                }
                offset += frame.frame_bytes();
                read.end_offset = offset;
                continue;
            }
            if read.scanner.ends_at(offset, read.end) {
                read.tail = Tail::Whole;
                return Ok(read);
            }
            let Some((found, frame)) = resume(&mut read, offset, limit) else {
                self.end_badly(candidate, &mut read, offset, limit);
                return Ok(read);
            };
            read.damaged = true;
            self.damage(&candidate.path, offset, found - offset, DamageKind::Frames);
            self.report
                .add_gap(read.end..frame.sequence, self.source.floor);
            (read.end, offset) = (frame.sequence, found);
        }
    }

    /// Notes why a file ended without its end mark.
    fn end_badly(
        &mut self,
        candidate: &Candidate,
        read: &mut ReadFile,
        offset: u64,
        limit: Option<u64>,
    ) {
        let bytes = read.scanner.remains_from(offset);
        let path = candidate.path.clone();
        if limit.is_none() {
            self.report.torn_tail = Some(TornTail {
                path,
                offset,
                bytes,
            });
            read.tail = Tail::Torn;
        } else {
            read.damaged = true;
            self.damage(&path, offset, bytes, DamageKind::Frames);
        }
    }

    /// Takes one verified frame whose turn it is.
    fn take(
        &mut self,
        candidate: &Candidate,
        read: &mut ReadFile,
        offset: u64,
        frame: &FrameHeader,
    ) -> Result<(), Error> {
        let kind = match frame.holds() {
            Holds::Caller(kind) => kind,
            Holds::TenantName => {
                let name =
                    String::from_utf8_lossy(read.scanner.payload(offset, frame)).into_owned();
                read.names.entry(frame.tenant_index).or_insert(name);
                return Ok(());
            }
            Holds::Unknown => {
                let why = format!(
                    "frame kind {} with codec {} is not known",
                    frame.kind & 0x7f,
                    frame.codec
                );
                return Err(Error::Unsupported {
                    path: candidate.path.clone(),
                    offset,
                    why,
                });
            }
        };
        read.end = frame.sequence.saturating_add(1);
        if frame.sequence < self.source.floor {
            return Ok(());
        }
        let Some(tenant) = read.names.get(&frame.tenant_index).cloned() else {
            read.damaged = true;
            self.damage(
                &candidate.path,
                offset,
                frame.frame_bytes(),
                DamageKind::UnknownTenant,
            );
            self.report
                .add_gap(frame.sequence..read.end, self.source.floor);
            return Ok(());
        };
        self.report.frames += 1;
        self.report.payload_bytes += u64::from(frame.payload_len);
        let payload = read.scanner.payload(offset, frame).to_vec();
        let FrameHeader {
            sequence,
            received_unix_nanos,
            span_count,
            ..
        } = *frame;
        (self.visit)(Frame {
            kind,
            tenant,
            sequence,
            received_unix_nanos,
            span_count,
            payload,
        })
        .map_err(|source| Error::Visit { sequence, source })
    }

    /// Decides whether the last file is written further.
    fn finish_last(&mut self, candidate: &Candidate, mut read: ReadFile) -> Option<Active> {
        let level = self.source.options.level;
        let is_whole = !read.damaged && !read.scanner.unreadable && candidate.header_is_good;
        let has_end = match read.tail {
            Tail::Whole => true,
            Tail::Torn => plumbing::planted("journal-append-after-torn-tail"),
            Tail::Damaged => false,
        };
        let file = if level == Level::Memory {
            None
        } else {
            let kept = self.keep_last_batch(candidate, &mut read);
            self.report.is_last_batch_in_doubt = kept.is_none() && level == Level::Sync;
            kept
        };
        if let Some(file) = file
            && (is_whole && has_end && read.end == self.position)
        {
            let bindings: Bindings = read
                .names
                .into_iter()
                .map(|(index, name)| (name, index))
                .collect();
            let Candidate {
                number,
                first,
                bytes,
                ..
            } = *candidate;
            let (path, key) = (
                candidate.path.clone(),
                FileKey::new(self.source.store_id, number),
            );
            return Some(Active {
                file,
                path,
                number,
                key,
                first,
                offset: read.end_offset,
                bytes,
                bindings,
            });
        }
        let fate = if is_whole {
            Fate::Reuse
        } else {
            Fate::SetAside
        };
        self.close(candidate, read.end, fate);
        None
    }

    /// Makes durable what was visited. The last batch may never have been synced, or its sync may have failed before
    /// the process died: then the page cache shows what the disk does not have, and only a new write brings it there.
    fn keep_last_batch(&self, candidate: &Candidate, read: &mut ReadFile) -> Option<Arc<dyn File>> {
        let (files, dir) = (self.source.files, self.source.dir);
        let end = match read.tail {
            Tail::Whole => read.end_offset + END_BYTES as u64,
            Tail::Torn | Tail::Damaged => read.end_offset,
        };
        let mut keep = || {
            let file = files.open(&candidate.path, OpenMode::ReadWrite)?;
            if self.source.options.level == Level::Sync {
                if end > read.batch_offset && !plumbing::planted("journal-trust-page-cache") {
                    read.scanner
                        .write_again(file.as_ref(), read.batch_offset, end)?;
                }
                // A torn tail too: what this start did not show must not be there at the next.
                file.sync_data()?;
            }
            // The name may be one whose directory could not be synced before the process died.
            files.sync_dir(dir)?;
            io::Result::Ok(file)
        };
        // Without it the next append starts a new file; what was acknowledged is durable already.
        keep().ok()
    }

    fn close(&mut self, candidate: &Candidate, end: u64, fate: Fate) {
        let Candidate { number, bytes, .. } = *candidate;
        self.position = self.position.max(end);
        self.closed.push_back(Closed {
            path: candidate.path.clone(),
            number,
            end,
            bytes,
            fate,
        });
    }

    fn damage(&mut self, path: &Path, offset: u64, bytes: u64, kind: DamageKind) {
        self.report.add_damage(Damage {
            path: path.to_path_buf(),
            offset,
            bytes,
            kind,
        });
    }

    /// Moves a file that holds nothing of ours; left in place when even that fails.
    fn set_aside(&mut self, path: &Path) {
        let is_allowed = self.source.options.level != Level::Memory;
        if is_allowed && let Ok(moved) = set_aside(self.source.files, self.source.dir, path) {
            self.report.set_aside.push(moved);
        }
    }
}

/// Where reading goes on behind a bad frame.
fn resume(read: &mut ReadFile, offset: u64, limit: Option<u64>) -> Option<(u64, FrameHeader)> {
    let end = read.end;
    let fits = |frame: &FrameHeader| {
        frame.sequence >= end && limit.is_none_or(|limit| frame.sequence < limit)
    };
    // In the last file only the start of a later batch shows that what is bad here was acknowledged.
    let proven = limit.is_some()
        || read
            .scanner
            .find(offset, |frame| fits(frame) && frame.starts_batch())
            .is_some();
    if proven {
        read.scanner.find(offset, fits)
    } else {
        None
    }
}
