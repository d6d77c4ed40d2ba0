//! The seam over a simulated disk: deterministic, in memory, with crashes and planned failures.
//!
//! Every operation is counted and logged, so that a sweep can fail the first, the second, the third … until the
//! scenario has fewer operations than that. A write that fails has written a part; a sync that fails has lost some
//! of the bytes for good. Clones are handles of the same disk.

use super::seam::{Entry, File, Files, Lock, OpenMode, Space};
use super::simulated_disk::{Change, Disk, Fault, FaultScope, Inode, place};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Older entries of the log are dropped beyond this.
const LOGGED_OPERATIONS_MAX: usize = 200_000;

#[derive(Debug)]
struct Machine {
    disk: Disk,
    locks: BTreeMap<PathBuf, String>,
    log: Vec<String>,
    operations: u64,
    planned: Option<(u64, Fault, FaultScope)>,
    planned_sync: Option<FaultScope>,
}

/// Handle of a simulated disk.
#[derive(Debug, Clone)]
pub struct SimFiles {
    machine: Arc<Mutex<Machine>>,
}

#[derive(Debug)]
struct SimFile {
    machine: Arc<Mutex<Machine>>,
    inode: u64,
    path: PathBuf,
    writable: bool,
}

#[derive(Debug)]
struct SimLock {
    machine: Arc<Mutex<Machine>>,
    path: PathBuf,
}

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        enter(&self.machine).locks.remove(&self.path);
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if let Ok(inode) = enter(&self.machine).disk.inode(self.inode) {
            inode.handles = inode.handles.saturating_sub(1);
        }
    }
}

fn enter(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    // A panicking test must not hide its message behind a poisoned lock; the disk has no half-made state.
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("{} is not on the simulated disk", path.display()),
    )
}

impl Machine {
    fn with(disk: Disk) -> SimFiles {
        let machine = Self {
            disk,
            locks: BTreeMap::new(),
            log: Vec::new(),
            operations: 0,
            planned: None,
            planned_sync: None,
        };
        SimFiles {
            machine: Arc::new(Mutex::new(machine)),
        }
    }

    /// Counts an operation; fails it when that is planned.
    fn count(&mut self, name: &str, path: &Path) -> io::Result<()> {
        self.operations += 1;
        if self.log.len() < LOGGED_OPERATIONS_MAX {
            self.log.push(format!("{name} {}", path.display()));
        }
        match self.planned {
            Some((at, fault, FaultScope::Once)) if at == self.operations => Err(fault.error()),
            Some((at, fault, FaultScope::Forever)) if at <= self.operations => Err(fault.error()),
            _ => Ok(()),
        }
    }

    /// Counts an operation on an open file, under the name that the file has now.
    fn count_file(&mut self, name: &str, file: &SimFile) -> io::Result<()> {
        let path = self
            .disk
            .name_of(file.inode)
            .map_or_else(|| file.path.clone(), Path::to_path_buf);
        self.count(name, &path)
    }

    fn count_sync(&mut self, name: &str, file: &SimFile) -> io::Result<()> {
        self.count_file(name, file)?;
        let Some(scope) = self.planned_sync else {
            return Ok(());
        };
        if scope == FaultScope::Once {
            self.planned_sync = None;
        }
        Err(Fault::IO.error())
    }
}

impl Default for SimFiles {
    fn default() -> Self {
        Self::new()
    }
}

impl SimFiles {
    /// An empty disk without a bound.
    #[must_use]
    pub fn new() -> Self {
        Machine::with(Disk::new())
    }

    /// Pulls the plug: what survives by the seed, as a disk of its own without locks and planned failures.
    #[must_use]
    pub fn crash(&self, seed: u64) -> SimFiles {
        Machine::with(enter(&self.machine).disk.after_crash(seed))
    }

    /// A disk with the same visible files that shares nothing with this one.
    #[must_use]
    pub fn copy(&self) -> SimFiles {
        Machine::with(enter(&self.machine).disk.copy())
    }

    /// Plans the failure of the `nth` operation counted from now, the next one being 1.
    pub fn fail_operation(&self, nth: u64, fault: Fault, scope: FaultScope) {
        let mut machine = enter(&self.machine);
        machine.planned = Some((machine.operations.saturating_add(nth), fault, scope));
    }

    /// Plans the failure of the next sync of a file, or of all from now on.
    pub fn fail_sync(&self, scope: FaultScope) {
        enter(&self.machine).planned_sync = Some(scope);
    }

    /// Takes back all planned failures.
    pub fn clear_faults(&self) {
        let mut machine = enter(&self.machine);
        (machine.planned, machine.planned_sync) = (None, None);
    }

    /// Bounds the bytes of all files together; what is there already stays.
    pub fn set_capacity(&self, bytes: u64) {
        enter(&self.machine).disk.capacity_bytes = bytes;
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        enter(&self.machine).operations
    }

    /// Name and path of the operations so far, such as `sync_data wal/0000000000000001.wal`.
    #[must_use]
    pub fn operation_log(&self) -> Vec<String> {
        enter(&self.machine).log.clone()
    }

    /// All files with their lengths, sorted by path.
    #[must_use]
    pub fn paths(&self) -> Vec<(PathBuf, u64)> {
        enter(&self.machine)
            .disk
            .files()
            .map(|(path, len)| (path.clone(), len))
            .collect()
    }

    /// The visible bytes of a file.
    pub fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let disk = &mut enter(&self.machine).disk;
        let id = disk.inode_of(path).ok_or_else(|| missing(path))?;
        Ok(disk.inode(id)?.seen.clone())
    }

    /// Puts a durable file in place, with its directories.
    pub fn write_file(&self, path: &Path, bytes: &[u8]) {
        let disk = &mut enter(&self.machine).disk;
        disk.make_dirs(path.parent().unwrap_or(Path::new("")));
        disk.create(path, Inode::with(bytes), true);
    }

    /// Flips bit `bit` (0 to 7) of a byte, on the disk and in the page cache.
    pub fn flip_bit(&self, path: &Path, byte: u64, bit: u32) -> io::Result<()> {
        let disk = &mut enter(&self.machine).disk;
        let id = disk.inode_of(path).ok_or_else(|| missing(path))?;
        disk.inode(id)?.flip_bit(place(byte)?, bit);
        Ok(())
    }
}

impl Files for SimFiles {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let mut machine = enter(&self.machine);
        machine.count("open", path)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        let inode = match (machine.disk.inode_of(path), mode) {
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(id), OpenMode::Read | OpenMode::ReadWrite) => id,
            (Some(id), OpenMode::CreateOrTruncate) => {
                machine.disk.inode(id)?.set_len(0);
                id
            }
            (None, OpenMode::CreateNew | OpenMode::CreateOrTruncate)
                if machine.disk.has_dir(parent) =>
            {
                machine.disk.create(path, Inode::default(), false)
            }
            (None, _) => return Err(missing(path)),
        };
        machine.disk.inode(inode)?.handles += 1;
        let (machine, path) = (Arc::clone(&self.machine), path.to_path_buf());
        Ok(Arc::new(SimFile {
            machine,
            inode,
            path,
            writable: mode != OpenMode::Read,
        }))
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut machine = enter(&self.machine);
        machine.count("create_dir_all", dir)?;
        machine.disk.make_dirs(dir);
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut machine = enter(&self.machine);
        machine.count("list", dir)?;
        if !machine.disk.has_dir(dir) {
            return Err(missing(dir));
        }
        let entry = |path: &PathBuf, is_dir: bool, len: u64| {
            let name = path.file_name()?.to_str()?.to_owned();
            (path.parent() == Some(dir)).then_some(Entry { name, is_dir, len })
        };
        let files = machine
            .disk
            .files()
            .filter_map(|(path, len)| entry(path, false, len));
        let dirs = machine.disk.dirs().filter_map(|path| entry(path, true, 0));
        let mut entries: Vec<Entry> = files.chain(dirs).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut machine = enter(&self.machine);
        machine.count("rename", from)?;
        if machine.disk.inode_of(from).is_none()
            || !machine.disk.has_dir(to.parent().unwrap_or(Path::new("")))
        {
            return Err(missing(from));
        }
        machine
            .disk
            .change(Change::Rename(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut machine = enter(&self.machine);
        machine.count("remove", path)?;
        machine.disk.inode_of(path).ok_or_else(|| missing(path))?;
        machine.disk.change(Change::Remove(path.to_path_buf()));
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut machine = enter(&self.machine);
        machine.count("remove_dir", path)?;
        if !machine.disk.has_dir(path) {
            return Err(missing(path));
        }
        let disk = &machine.disk;
        if disk
            .files()
            .map(|(file, _)| file)
            .chain(disk.dirs())
            .any(|inside| inside.parent() == Some(path))
        {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        machine.disk.remove_dir(path);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut machine = enter(&self.machine);
        machine.count("sync_dir", dir)?;
        if !machine.disk.has_dir(dir) {
            return Err(missing(dir));
        }
        machine.disk.sync_dir(dir);
        Ok(())
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let mut machine = enter(&self.machine);
        machine.count("space", dir)?;
        let total = machine.disk.capacity_bytes;
        Ok(Space {
            total,
            available: total.saturating_sub(machine.disk.used_bytes()),
        })
    }

    fn lock(&self, path: &Path, note: &str) -> io::Result<Box<dyn Lock>> {
        let mut machine = enter(&self.machine);
        machine.count("lock", path)?;
        if let Some(holder) = machine.locks.get(path) {
            let message = format!("{} is locked by another process: {holder}", path.display());
            return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
        }
        if !machine.disk.has_dir(path.parent().unwrap_or(Path::new(""))) {
            return Err(missing(path));
        }
        let inode = match machine.disk.inode_of(path) {
            Some(inode) => inode,
            None => machine.disk.create(path, Inode::default(), false),
        };
        let inode = machine.disk.inode(inode)?;
        inode.set_len(0);
        inode.write(0, note.as_bytes());
        machine.locks.insert(path.to_path_buf(), note.to_owned());
        Ok(Box::new(SimLock {
            machine: Arc::clone(&self.machine),
            path: path.to_path_buf(),
        }))
    }
}

impl SimFile {
    fn check_writable(&self) -> io::Result<()> {
        if self.writable {
            Ok(())
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let mut machine = enter(&self.machine);
        match machine.count_sync(name, self) {
            Ok(()) => machine.disk.inode(self.inode)?.sync(),
            Err(failed) => {
                machine.disk.fail_sync(self.inode);
                return Err(failed);
            }
        }
        Ok(())
    }
}

impl File for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut machine = enter(&self.machine);
        machine.count_file("read_at", self)?;
        let rest = machine
            .disk
            .inode(self.inode)?
            .seen
            .get(place(offset)?..)
            .unwrap_or_default();
        let count = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write_all_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        self.check_writable()?;
        let bytes = parts.concat();
        let mut machine = enter(&self.machine);
        let counted = machine.count_file("write_all_at", self);
        let len = machine.disk.inode(self.inode)?.seen.len() as u64;
        let end = offset.saturating_add(bytes.len() as u64);
        let (fits, outcome) = match counted {
            Ok(()) if end <= len => (bytes.len(), Ok(())),
            Ok(()) => {
                let fits = place(machine.disk.growth_end(len, end).saturating_sub(offset))?;
                (
                    fits,
                    if fits < bytes.len() {
                        Err(Fault::FULL.error())
                    } else {
                        Ok(())
                    },
                )
            }
            Err(failed) => (bytes.len() / 2, Err(failed)),
        };
        let written = bytes.get(..fits).unwrap_or(&bytes);
        if !written.is_empty() {
            machine.disk.inode(self.inode)?.write(offset, written);
        }
        outcome
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync("sync_data")
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync("sync_all")
    }

    fn len(&self) -> io::Result<u64> {
        let mut machine = enter(&self.machine);
        machine.count_file("len", self)?;
        Ok(machine.disk.inode(self.inode)?.seen.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut machine = enter(&self.machine);
        machine.count_file("set_len", self)?;
        let now = machine.disk.inode(self.inode)?.seen.len() as u64;
        if machine.disk.growth_end(now, len) < len {
            return Err(Fault::FULL.error());
        }
        machine.disk.inode(self.inode)?.set_len(len);
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut machine = enter(&self.machine);
        machine.count_file("allocate", self)?;
        let now = machine.disk.inode(self.inode)?.seen.len() as u64;
        if len <= now {
            return Ok(());
        }
        if machine.disk.growth_end(now, len) < len {
            return Err(Fault::FULL.error());
        }
        machine.disk.inode(self.inode)?.set_len(len);
        Ok(())
    }
}
