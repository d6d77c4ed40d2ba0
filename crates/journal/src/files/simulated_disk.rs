//! The disk behind the simulated files: what programs see, what would survive a power cut, and what is in between.
//!
//! Model
//! - Writes and length changes change the visible bytes at once and wait in a list until the file is synced. At a
//!   crash each waiting write survives, vanishes, or is torn at 512-byte sectors, independently of the others.
//! - A failed sync loses waiting writes by chance and forgets them: a later sync that succeeds does not bring them
//!   back, as with a kernel that marks the pages clean.
//! - Changes of names wait until their directory is synced. At a crash each survives or vanishes, but none without
//!   the earlier waiting changes of the same name.
//!
//! Everything is decided by seeds, so that a run can be repeated.

use plumbing::{Random, SeededRandom};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// The unit that a disk writes whole or not at all.
const SECTOR_BYTES: u64 = 512;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// The error that a planned failure gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error number of the operating system.
    Os(i32),
    /// An error without a number.
    Kind(io::ErrorKind),
}

impl Fault {
    /// The disk cannot read or write.
    pub const IO: Fault = Fault::Os(EIO);
    /// The disk is full.
    pub const FULL: Fault = Fault::Os(ENOSPC);

    pub(super) fn error(self) -> io::Error {
        match self {
            Fault::Os(number) => io::Error::from_raw_os_error(number),
            Fault::Kind(kind) => kind.into(),
        }
    }
}

/// How long a planned failure lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultScope {
    /// One operation fails.
    Once,
    /// That operation and all later ones fail.
    Forever,
}

/// A change of bytes that is not durable yet.
#[derive(Debug, Clone)]
enum Waiting {
    Write { offset: u64, bytes: Vec<u8> },
    Length(u64),
}

/// A file's bytes, as seen and as durable.
#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    pub(super) seen: Vec<u8>,
    durable: Vec<u8>,
    waiting: Vec<Waiting>,
    pub(super) handles: usize,
}

/// A change of names that is not durable yet.
#[derive(Debug, Clone)]
struct NameChange {
    /// Directories whose sync is still missing.
    unsynced: BTreeSet<PathBuf>,
    paths: Vec<PathBuf>,
    change: Change,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Create(PathBuf, u64),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

/// The names of a disk.
#[derive(Debug, Clone, Default)]
struct Names {
    files: BTreeMap<PathBuf, u64>,
    dirs: BTreeSet<PathBuf>,
}

/// The whole disk.
#[derive(Debug)]
pub(super) struct Disk {
    seen: Names,
    durable: Names,
    changes: Vec<NameChange>,
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    pub(super) capacity_bytes: u64,
    random: SeededRandom,
}

/// A place in a simulated file as an index.
pub(super) fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn put(image: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let Ok(start) = usize::try_from(offset) else {
        return;
    };
    let end = start.saturating_add(bytes.len());
    if image.len() < end {
        image.resize(end, 0);
    }
    if let Some(target) = image.get_mut(start..end) {
        target.copy_from_slice(bytes);
    }
}

fn set_length(image: &mut Vec<u8>, len: u64) {
    if let Ok(len) = usize::try_from(len) {
        image.resize(len, 0);
    }
}

/// Applies the sectors of one write that chance lets through.
fn put_torn(image: &mut Vec<u8>, offset: u64, bytes: &[u8], random: &dyn Random) {
    let mut at = offset;
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = place(SECTOR_BYTES - at % SECTOR_BYTES).unwrap_or(rest.len());
        let (sector, after) = rest.split_at(room.min(rest.len()));
        if random.below(2) == 0 {
            put(image, at, sector);
        }
        at += sector.len() as u64;
        rest = after;
    }
}

impl Inode {
    pub(super) fn with(bytes: &[u8]) -> Self {
        Self {
            seen: bytes.to_vec(),
            durable: bytes.to_vec(),
            ..Self::default()
        }
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        put(&mut self.seen, offset, bytes);
        self.waiting.push(Waiting::Write {
            offset,
            bytes: bytes.to_vec(),
        });
    }

    pub(super) fn set_len(&mut self, len: u64) {
        set_length(&mut self.seen, len);
        self.waiting.push(Waiting::Length(len));
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.waiting) {
            match change {
                Waiting::Write { offset, bytes } => put(&mut self.durable, offset, &bytes),
                Waiting::Length(len) => set_length(&mut self.durable, len),
            }
        }
    }

    /// What a failed sync or a power cut leaves of the waiting changes.
    fn lose_some(&mut self, random: &dyn Random) {
        for change in std::mem::take(&mut self.waiting) {
            match (change, random.below(3)) {
                (_, 0) => {}
                (Waiting::Write { offset, bytes }, 1) => put(&mut self.durable, offset, &bytes),
                (Waiting::Write { offset, bytes }, _) => {
                    put_torn(&mut self.durable, offset, &bytes, random);
                }
                (Waiting::Length(len), _) => set_length(&mut self.durable, len),
            }
        }
    }

    pub(super) fn flip_bit(&mut self, byte: usize, bit: u32) {
        for image in [&mut self.seen, &mut self.durable] {
            if let Some(byte) = image.get_mut(byte) {
                *byte ^= 1_u8.rotate_left(bit);
            }
        }
    }
}

impl Names {
    fn apply(&mut self, change: &Change) {
        let has_parent = |path: &Path| path.parent().is_none_or(|dir| self.dirs.contains(dir));
        match change {
            Change::Create(path, inode) if has_parent(path) => {
                self.files.insert(path.clone(), *inode);
            }
            Change::Rename(from, to) if has_parent(to) => {
                if let Some(inode) = self.files.remove(from) {
                    self.files.insert(to.clone(), inode);
                }
            }
            Change::Remove(path) => {
                self.files.remove(path);
            }
            Change::Create(..) | Change::Rename(..) => {}
        }
    }
}

impl Disk {
    pub(super) fn new() -> Self {
        let mut names = Names::default();
        names.dirs.extend([PathBuf::new(), PathBuf::from("/")]);
        Self {
            seen: names.clone(),
            durable: names,
            changes: Vec::new(),
            inodes: BTreeMap::new(),
            next_inode: 1,
            capacity_bytes: u64::MAX,
            random: SeededRandom::new(0),
        }
    }

    pub(super) fn has_dir(&self, dir: &Path) -> bool {
        self.seen.dirs.contains(dir)
    }

    pub(super) fn inode_of(&self, path: &Path) -> Option<u64> {
        self.seen.files.get(path).copied()
    }

    /// A name of the file, while it has one.
    pub(super) fn name_of(&self, inode: u64) -> Option<&Path> {
        self.seen
            .files
            .iter()
            .find(|(_, id)| **id == inode)
            .map(|(path, _)| path.as_path())
    }

    pub(super) fn inode(&mut self, id: u64) -> io::Result<&mut Inode> {
        self.inodes
            .get_mut(&id)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&PathBuf, u64)> {
        let len = |id: &u64| {
            self.inodes
                .get(id)
                .map_or(0, |inode| inode.seen.len() as u64)
        };
        self.seen
            .files
            .iter()
            .map(move |(path, id)| (path, len(id)))
    }

    pub(super) fn dirs(&self) -> impl Iterator<Item = &PathBuf> {
        self.seen.dirs.iter()
    }

    /// Bytes that the visible files take.
    pub(super) fn used_bytes(&self) -> u64 {
        self.files().map(|(_, len)| len).sum()
    }

    /// How far a file may grow from `len` to `wanted` before the disk is full.
    pub(super) fn growth_end(&self, len: u64, wanted: u64) -> u64 {
        wanted.min(len.saturating_add(self.capacity_bytes.saturating_sub(self.used_bytes())))
    }

    pub(super) fn make_dirs(&mut self, dir: &Path) {
        for dir in dir.ancestors() {
            self.seen.dirs.insert(dir.to_path_buf());
            self.durable.dirs.insert(dir.to_path_buf());
        }
    }

    pub(super) fn remove_dir(&mut self, dir: &Path) {
        self.seen.dirs.remove(dir);
        self.durable.dirs.remove(dir);
    }

    /// Creates a file; its name waits for a sync of the directory unless it is to be there `durably`.
    pub(super) fn create(&mut self, path: &Path, inode: Inode, durably: bool) -> u64 {
        let id = self.next_inode;
        self.next_inode += 1;
        self.inodes.insert(id, inode);
        self.change(Change::Create(path.to_path_buf(), id));
        if durably {
            self.sync_names(|change| change.paths.iter().any(|name| name == path));
        }
        id
    }

    /// Changes names, visibly at once.
    pub(super) fn change(&mut self, change: Change) {
        self.seen.apply(&change);
        let paths = match &change {
            Change::Create(path, _) | Change::Remove(path) => vec![path.clone()],
            Change::Rename(from, to) => vec![from.clone(), to.clone()],
        };
        let unsynced = paths
            .iter()
            .filter_map(|path| path.parent())
            .map(Path::to_path_buf)
            .collect();
        self.changes.push(NameChange {
            unsynced,
            paths,
            change,
        });
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) {
        for change in &mut self.changes {
            change.unsynced.remove(dir);
        }
        self.sync_names(|change| change.unsynced.is_empty());
        self.forget_unnamed();
    }

    /// Makes the chosen changes durable, with the earlier ones of the same names.
    fn sync_names(&mut self, chosen: impl Fn(&NameChange) -> bool) {
        let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
        let mut keep: Vec<bool> = Vec::new();
        for change in self.changes.iter().rev() {
            let durable = chosen(change) || change.paths.iter().any(|path| paths.contains(path));
            if durable {
                paths.extend(change.paths.iter().cloned());
            }
            keep.push(!durable);
        }
        let mut keep = keep.into_iter().rev();
        let durable = &mut self.durable;
        self.changes.retain(|change| {
            let waits = keep.next().unwrap_or(true);
            if !waits {
                durable.apply(&change.change);
            }
            waits
        });
    }

    /// Frees the files that no name, no waiting change and no handle holds.
    fn forget_unnamed(&mut self) {
        let mut named: BTreeSet<u64> = self
            .seen
            .files
            .values()
            .chain(self.durable.files.values())
            .copied()
            .collect();
        named.extend(
            self.changes
                .iter()
                .filter_map(|change| match change.change {
                    Change::Create(_, id) => Some(id),
                    Change::Remove(_) | Change::Rename(..) => None,
                }),
        );
        self.inodes
            .retain(|id, inode| inode.handles > 0 || named.contains(id));
    }

    pub(super) fn fail_sync(&mut self, id: u64) {
        if let Some(inode) = self.inodes.get_mut(&id) {
            inode.lose_some(&self.random);
        }
    }

    /// The disk after a power cut.
    pub(super) fn after_crash(&self, seed: u64) -> Disk {
        let random = SeededRandom::new(seed);
        let mut names = self.durable.clone();
        let mut lost: BTreeSet<&PathBuf> = BTreeSet::new();
        for change in &self.changes {
            if random.below(2) == 0 || change.paths.iter().any(|path| lost.contains(path)) {
                lost.extend(&change.paths);
            } else {
                names.apply(&change.change);
            }
        }
        let mut inodes = BTreeMap::new();
        for id in names.files.values() {
            let mut inode = self.inodes.get(id).cloned().unwrap_or_default();
            inode.lose_some(&random);
            inodes.insert(*id, Inode::with(&inode.durable));
        }
        Disk {
            seen: names.clone(),
            durable: names,
            changes: Vec::new(),
            inodes,
            next_inode: self.next_inode,
            capacity_bytes: self.capacity_bytes,
            random,
        }
    }

    /// The same disk, everything durable, sharing nothing.
    pub(super) fn copy(&self) -> Disk {
        let inodes = self
            .inodes
            .iter()
            .map(|(id, inode)| (*id, Inode::with(&inode.seen)))
            .collect();
        Disk {
            seen: self.seen.clone(),
            durable: self.seen.clone(),
            changes: Vec::new(),
            inodes,
            next_inode: self.next_inode,
            capacity_bytes: self.capacity_bytes,
            random: SeededRandom::new(0),
        }
    }
}
