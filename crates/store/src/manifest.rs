//! The list of segments: an append-only file of edits, each wholly there or wholly absent.
//!
//! `manifest/MANIFEST-<n>` holds frames `{magic, length, crc32c, payload}`; a payload is one commit: a JSON list of
//! edits. `CURRENT` names the file in use. Besides it, every segment has a `<id>.meta` of its own with the commit that
//! added it, so that what the list has lost is found again from the segments (`adopt.rs`).
//!
//! Promises
//! - A commit that returned is found after a crash; one that did not is wholly there or absent.
//! - Whatever the list has lost (a torn end, damage, the whole file), a segment whose frames the log may have let go
//!   is never lost with it: whole segments at or above the floor are adopted.
//! - Opening writes nothing, so that a full disk does not stop a start. What it reads at the end of the file may be of
//!   a commit whose sync failed, and is durable with the next commit: until then a power cut can take it back.
//!
//! Read next: `engine.rs` and `finalise/`, which decide what is committed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{File, Files, OpenMode, read_to_end, write_file_durably};
use model::TraceId;
use serde::{Deserialize, Serialize};

use crate::adopt::adopt_unlisted;
use crate::error::Error;
use crate::segment::{SegmentId, SegmentMeta};

const MAGIC: [u8; 4] = *b"TMAN";
const HEADER_BYTES: usize = 12;
/// A file longer than this is written anew, with nothing but what still holds.
const REWRITE_BYTES_MIN: u64 = 4 << 20;

/// A segment that is part of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// What it holds.
    pub meta: SegmentMeta,
    /// Its directory below the data folder.
    pub dir: PathBuf,
    /// When it was made, ns since the epoch: what its age counts from.
    pub created_unix_nanos: u64,
    /// Of open traces: when the first segment was made that some of their spans were in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since_unix_nanos: Option<u64>,
}

impl Listed {
    /// Since when what it holds has been in some segment.
    pub(crate) fn waits_since(&self) -> u64 {
        if plumbing::planted("store-open-waits-anew") {
            return self.created_unix_nanos;
        }
        self.waits_since_unix_nanos
            .unwrap_or(self.created_unix_nanos)
    }
}

/// A change of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Edit {
    /// A segment becomes part of the store.
    Add(Box<Listed>),
    /// A segment is no longer part of the store.
    Remove {
        /// The tenant.
        tenant: String,
        /// The segment.
        id: SegmentId,
        /// Why: `age`, `size`, `merged`, `pinned`.
        why: String,
    },
    /// Frames of the log below this sequence are all in segments.
    Floor(u64),
    /// The commits that move spans are done up to this number, [`SegmentId::number`].
    Moves(u32),
    /// Retention leaves a trace from now on.
    Pin {
        /// The tenant.
        tenant: String,
        /// The trace.
        #[serde(with = "trace_text")]
        trace_id: TraceId,
        /// When, ns since the epoch.
        at: u64,
    },
    /// Retention treats a trace as any other again.
    Unpin {
        /// The tenant.
        tenant: String,
        /// The trace.
        #[serde(with = "trace_text")]
        trace_id: TraceId,
    },
}

/// The pinned traces by tenant, each with the time when it was pinned.
pub(crate) type Pins = BTreeMap<String, BTreeMap<TraceId, u64>>;

/// What a list says when all its edits are done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The segments, in the order in which they were added.
    pub segments: Vec<Listed>,
    /// Frames of the log below this sequence are all in segments.
    pub floor: u64,
    /// The commits that move spans are done up to this number. What they added and is not there any more was removed on
    /// purpose.
    pub moves: u32,
    /// The traces that retention leaves. Shared, since every commit copies the contents.
    pub pins: Arc<Pins>,
}

impl Contents {
    /// Tells whether a segment is part of the store.
    pub(crate) fn names(&self, tenant: &str, id: SegmentId) -> bool {
        let mut listed = self.segments.iter().map(|listed| &listed.meta);
        listed.any(|meta| meta.id == id && meta.tenant.as_str() == tenant)
    }

    pub(crate) fn apply(&mut self, edit: Edit) {
        match edit {
            Edit::Add(listed) => {
                let is_same =
                    |l: &Listed| l.meta.id == listed.meta.id && l.meta.tenant == listed.meta.tenant;
                self.segments.retain(|l| !is_same(l));
                self.segments.push(*listed);
            }
            Edit::Remove { tenant, id, .. } => {
                self.segments
                    .retain(|l| l.meta.id != id || l.meta.tenant.as_str() != tenant);
            }
            Edit::Floor(floor) => self.floor = self.floor.max(floor),
            Edit::Moves(number) => self.moves = self.moves.max(number),
            Edit::Pin {
                tenant,
                trace_id,
                at,
            } => {
                let pins = Arc::make_mut(&mut self.pins).entry(tenant).or_default();
                pins.entry(trace_id).or_insert(at);
            }
            Edit::Unpin { tenant, trace_id } => {
                let pins = Arc::make_mut(&mut self.pins);
                if let Some(of_tenant) = pins.get_mut(&tenant) {
                    of_tenant.remove(&trace_id);
                    if of_tenant.is_empty() {
                        pins.remove(&tenant);
                    }
                }
            }
        }
    }

    /// Tells whether some segment has frames of this one.
    pub(crate) fn overlaps(&self, meta: &SegmentMeta) -> bool {
        let of_tenant = self
            .segments
            .iter()
            .map(|listed| &listed.meta)
            .filter(|other| other.tenant == meta.tenant);
        let (first, last) = (meta.id.first_sequence, meta.id.last_sequence);
        of_tenant
            .map(|other| other.id)
            .any(|id| id.first_sequence <= last && first <= id.last_sequence)
    }

    fn as_edits(&self) -> Vec<Edit> {
        let adds = self
            .segments
            .iter()
            .cloned()
            .map(|listed| Edit::Add(Box::new(listed)));
        let pins = self.pins.iter().flat_map(|(tenant, pins)| {
            pins.iter().map(|(trace_id, at)| Edit::Pin {
                tenant: tenant.clone(),
                trace_id: *trace_id,
                at: *at,
            })
        });
        adds.chain([Edit::Floor(self.floor), Edit::Moves(self.moves)])
            .chain(pins)
            .collect()
    }
}

/// What opening found besides the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ManifestReport {
    /// Bytes of an unfinished commit that were cut off.
    pub torn_bytes: u64,
    /// Why the list was made again from the segments' own files; `None` when it was not.
    pub rebuilt: Option<String>,
    /// Segments that the list did not name and that were taken in.
    pub adopted: Vec<SegmentId>,
    /// `.meta` files that could not be read: nothing of their segments may be swept.
    pub unread: Vec<PathBuf>,
}

/// The list, open for commits.
#[derive(Debug)]
pub(crate) struct Manifest {
    files: Arc<dyn Files>,
    root: PathBuf,
    number: u64,
    /// The file that commits are appended to. `None` after the start and after a commit that failed half-way: the
    /// end of the old file is not known, so the next commit writes a new one.
    open: Option<(Arc<dyn File>, u64)>,
    contents: Contents,
    /// A commit failed, and a crash could still bring it back.
    may_say_more: bool,
}

impl Manifest {
    /// Opens the list of a data folder, or starts one.
    pub(crate) fn open(
        files: Arc<dyn Files>,
        root: &Path,
    ) -> Result<(Self, ManifestReport), Error> {
        let dir = root.join("manifest");
        files
            .create_dir_all(&dir)
            .map_err(Error::io("create", &dir))?;
        let mut report = ManifestReport::default();
        let (mut contents, number) = match read_current(files.as_ref(), &dir)? {
            Read::Nothing => (Contents::default(), 0),
            Read::Whole {
                contents,
                number,
                torn_bytes,
            } => {
                report.torn_bytes = torn_bytes;
                sweep(files.as_ref(), &dir, number);
                (contents, number)
            }
            Read::Damaged {
                why,
                contents,
                number,
            } => {
                report.rebuilt = Some(why);
                (contents, number)
            }
        };
        adopt_unlisted(files.as_ref(), root, &mut contents, &mut report)?;
        let number = highest_number(files.as_ref(), &dir)?.max(number);
        let manifest = Self {
            files,
            root: root.to_owned(),
            number,
            open: None,
            contents,
            may_say_more: false,
        };
        Ok((manifest, report))
    }

    /// What the list says now.
    #[must_use]
    pub(crate) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Makes some edits, all or none; durable on return.
    pub(crate) fn commit(&mut self, edits: &[Edit]) -> Result<(), Error> {
        let mut changed = self.contents.clone();
        edits.iter().cloned().for_each(|edit| changed.apply(edit));
        self.may_say_more = true;
        match self.open.take() {
            Some((file, length)) if length <= REWRITE_BYTES_MIN => {
                let frame = encode(edits)?;
                let path = file_path(&self.root.join("manifest"), self.number);
                file.write_all_at(&[&frame], length)
                    .map_err(Error::io("write", &path))?;
                if !plumbing::planted("store-manifest-skip-sync") {
                    file.sync_data().map_err(Error::io("sync", &path))?;
                }
                self.open = Some((file, length + frame.len() as u64));
            }
            _ => self.write_anew(&changed)?,
        }
        self.contents = changed;
        self.may_say_more = false;
        Ok(())
    }

    /// Makes sure that no crash brings back a commit that failed. To be called before the files of a segment are
    /// written again: a list that names them must not be found while they are half written.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        if self.may_say_more {
            let contents = self.contents.clone();
            self.open = None;
            self.write_anew(&contents)?;
            self.may_say_more = false;
        }
        Ok(())
    }

    /// Tells whether no crash can change what the list says: after a start, not before the first commit.
    pub(crate) fn is_settled(&self) -> bool {
        self.open.is_some() && !self.may_say_more
    }

    /// Makes durable what the list says, for who answers that something is so already.
    pub(crate) fn confirm(&mut self) -> Result<(), Error> {
        if self.is_settled() || plumbing::planted("store-known-pin-unconfirmed") {
            return Ok(());
        }
        let contents = self.contents.clone();
        self.open = None;
        self.write_anew(&contents)?;
        self.may_say_more = false;
        Ok(())
    }

    fn write_anew(&mut self, contents: &Contents) -> Result<(), Error> {
        let dir = self.root.join("manifest");
        // Never the number of an attempt that failed: `CURRENT` may name it.
        self.number += 1;
        let written = write_whole(self.files.as_ref(), &dir, self.number, contents);
        if written.is_err() {
            self.remove_unnamed();
        }
        self.open = Some(written?);
        self.remove_older();
        Ok(())
    }

    /// Removes the file of an attempt that failed, so that a full disk does not collect them.
    fn remove_unnamed(&self) {
        let dir = self.root.join("manifest");
        let current = read_file(self.files.as_ref(), &dir.join("CURRENT"));
        let is_named = match current {
            Ok(bytes) => number_of(String::from_utf8_lossy(&bytes).trim()) == Some(self.number),
            Err(e) => e.kind() != std::io::ErrorKind::NotFound,
        };
        if !is_named {
            self.files.remove(&file_path(&dir, self.number)).ok();
        }
    }

    fn remove_older(&self) {
        let dir = self.root.join("manifest");
        // Best effort: a file that stays is removed by the next one to be written.
        let entries = self.files.list(&dir).unwrap_or_default();
        for entry in entries
            .iter()
            .filter(|e| number_of(&e.name).is_some_and(|n| n < self.number))
        {
            self.files.remove(&dir.join(&entry.name)).ok();
        }
    }
}

/// Removes the files that `CURRENT` does not name: what power cuts brought back, and attempts that failed. Best effort.
fn sweep(files: &dyn Files, dir: &Path, current: u64) {
    // Else a crash could keep the removals and lose the name in `CURRENT`.
    if files.sync_dir(dir).is_err() {
        return;
    }
    let entries = files.list(dir).unwrap_or_default();
    let others = entries
        .iter()
        .filter(|e| number_of(&e.name).is_some_and(|n| n != current));
    for entry in others {
        files.remove(&dir.join(&entry.name)).ok();
    }
}

enum Read {
    Nothing,
    Whole {
        contents: Contents,
        number: u64,
        torn_bytes: u64,
    },
    /// With what was read before the damage.
    Damaged {
        why: String,
        contents: Contents,
        number: u64,
    },
}

fn file_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("MANIFEST-{number:06}"))
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("MANIFEST-")?.parse().ok()
}

fn highest_number(files: &dyn Files, dir: &Path) -> Result<u64, Error> {
    let entries = files.list(dir).map_err(Error::io("list", dir))?;
    Ok(entries
        .iter()
        .filter_map(|entry| number_of(&entry.name))
        .max()
        .unwrap_or(0))
}

fn read_current(files: &dyn Files, dir: &Path) -> Result<Read, Error> {
    let highest = highest_number(files, dir)?;
    let damaged = |why: String| {
        Ok(Read::Damaged {
            why,
            contents: Contents::default(),
            number: highest,
        })
    };
    let name = match read_file(files, &dir.join("CURRENT")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && highest == 0 => {
            return Ok(Read::Nothing);
        }
        Err(e) => return damaged(format!("CURRENT can't be read: {e}")),
    };
    let Some(number) = number_of(&name) else {
        return damaged("CURRENT names no list".to_owned());
    };
    match read_file(files, &file_path(dir, number)) {
        Ok(bytes) => Ok(decode_all(&bytes, number)),
        Err(e) => damaged(format!("{name} can't be read: {e}")),
    }
}

/// Reads a whole file; once more when it failed, since what can't be read now may be readable at once.
pub(crate) fn read_file(files: &dyn Files, path: &Path) -> std::io::Result<Vec<u8>> {
    let read = || {
        files
            .open(path, OpenMode::Read)
            .and_then(|file| read_to_end(file.as_ref()))
    };
    read().or_else(|e| {
        if e.kind() == std::io::ErrorKind::NotFound {
            Err(e)
        } else {
            read()
        }
    })
}

/// Reads commits until the end. What follows the last whole commit is a torn end unless another commit follows it.
fn decode_all(bytes: &[u8], number: u64) -> Read {
    let mut contents = Contents::default();
    let mut rest = bytes;
    let mut commits = 0;
    while !rest.is_empty() {
        match decode(rest) {
            Some((edits, length)) => {
                edits.into_iter().for_each(|edit| contents.apply(edit));
                rest = rest.get(length..).unwrap_or_default();
                commits += 1;
            }
            None => break,
        }
    }
    let is_damage = commits == 0
        || (1..rest.len()).any(|at| rest.get(at..).is_some_and(|r| decode(r).is_some()));
    // A rewritten file is named only when it is whole, so a first commit that can't be read is damage, too.
    if is_damage && !plumbing::planted("store-manifest-ignore-damage") {
        let why = format!("MANIFEST-{number:06} is damaged after {commits} commits");
        return Read::Damaged {
            why,
            contents,
            number,
        };
    }
    Read::Whole {
        contents,
        number,
        torn_bytes: rest.len() as u64,
    }
}

fn encode(edits: &[Edit]) -> Result<Vec<u8>, Error> {
    let payload = serde_json::to_vec(edits).map_err(|e| Error::Manifest {
        reason: e.to_string(),
    })?;
    let length = u32::try_from(payload.len()).map_err(|e| Error::Manifest {
        reason: e.to_string(),
    })?;
    let mut frame = Vec::with_capacity(HEADER_BYTES + payload.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&length.to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), &payload);
    frame.extend_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(&payload);
    Ok(frame)
}

fn decode(bytes: &[u8]) -> Option<(Vec<Edit>, usize)> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    if *magic != MAGIC {
        return None;
    }
    let payload = rest.get(..u32::from_le_bytes(*length) as usize)?;
    if crc32c::crc32c_append(crc32c::crc32c(length), payload) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some((
        serde_json::from_slice(payload).ok()?,
        HEADER_BYTES + payload.len(),
    ))
}

/// Writes a file that holds nothing but the contents, and makes it the current one.
fn write_whole(
    files: &dyn Files,
    dir: &Path,
    number: u64,
    contents: &Contents,
) -> Result<(Arc<dyn File>, u64), Error> {
    let path = file_path(dir, number);
    let frame = encode(&contents.as_edits())?;
    let file = files
        .open(&path, OpenMode::CreateOrTruncate)
        .map_err(Error::io("create", &path))?;
    file.write_all_at(&[&frame], 0)
        .map_err(Error::io("write", &path))?;
    file.sync_all().map_err(Error::io("sync", &path))?;
    files.sync_dir(dir).map_err(Error::io("sync", dir))?;
    let current = dir.join("CURRENT");
    let name = format!("MANIFEST-{number:06}\n");
    write_file_durably(files, &current, name.as_bytes()).map_err(Error::io("write", &current))?;
    Ok((file, frame.len() as u64))
}

/// Writes a segment's own `.meta` file: the commit that makes it part of the store. To be called when the files of all
/// segments of the commit are durable.
pub(crate) fn write_meta(
    files: &dyn Files,
    root: &Path,
    listed: &Listed,
    commit: &[Edit],
) -> Result<(), Error> {
    let path = meta_path(root, listed);
    write_file_durably(files, &path, &encode(commit)?).map_err(Error::io("write", &path))
}

/// The commit that a `.meta` file holds; nothing when it is damaged.
pub(crate) fn decode_meta(bytes: &[u8]) -> Vec<Edit> {
    decode(bytes).map(|(edits, _)| edits).unwrap_or_default()
}

mod trace_text {
    use model::TraceId;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde calls"
    )]
    pub(super) fn serialize<S: Serializer>(
        trace_id: &TraceId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(trace_id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<TraceId, D::Error> {
        let text = String::deserialize(deserializer)?;
        TraceId::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where a segment's own `.meta` file is.
pub(crate) fn meta_path(root: &Path, listed: &Listed) -> PathBuf {
    root.join(&listed.dir)
        .join(format!("{}.meta", listed.meta.id))
}

/// All directories that may hold segments, below the data folder: `seg/<tenant>/<day>`.
pub(crate) fn segment_dirs(files: &dyn Files, root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = vec![PathBuf::from("seg")];
    for _level in 0..2 {
        let mut below = Vec::new();
        for dir in &found {
            let path = root.join(dir);
            let entries = match files.list(&path) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                Err(_) => files.list(&path).map_err(Error::io("list", &path))?,
                listed => listed.map_err(Error::io("list", &path))?,
            };
            below.extend(
                entries
                    .into_iter()
                    .filter(|entry| entry.is_dir)
                    .map(|entry| dir.join(entry.name)),
            );
        }
        found = below;
    }
    Ok(found)
}
