//! The names in the journal's directory, and spare files: written full of zeros once, so that later syncs touch no
//! metadata.
//!
//! Names: `<number>.wal` holds frames, `<number>.spare` is ready for use, `<number>.new` is being written and is
//! removed at the next start. `set-aside/` keeps what could not be used. Numbers are never given twice.

use crate::Error;
use crate::files::{Files, OpenMode};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ZERO_PIECE_BYTES: usize = 1 << 20;
const SET_ASIDE_DIR: &str = "set-aside";
/// How many files of one name the set-aside directory takes.
const SET_ASIDE_NAMES_MAX: u32 = 1_000;

/// What a name in the directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Frames,
    Spare,
    Unfinished,
    Other,
}

impl Role {
    fn extension(self) -> &'static str {
        match self {
            Role::Frames => "wal",
            Role::Spare => "spare",
            Role::Unfinished => "new",
            Role::Other => "other",
        }
    }

    pub(crate) fn path(self, dir: &Path, number: u64) -> PathBuf {
        dir.join(format!("{number:016}.{}", self.extension()))
    }

    /// Number and role of a name; `None` when it is not the journal's.
    pub(crate) fn of(name: &str) -> Option<(u64, Role)> {
        let (number, rest) = name.split_once('.')?;
        let number = number.parse().ok()?;
        let role = [Role::Frames, Role::Spare, Role::Unfinished]
            .into_iter()
            .find(|role| role.extension() == rest);
        Some((number, role.unwrap_or(Role::Other)))
    }
}

/// A file full of zeros, or of frames that nobody needs any more.
#[derive(Debug)]
pub struct Spare {
    pub(crate) path: PathBuf,
}

/// The making of a spare file, to be run away from the thread that appends.
#[derive(Debug)]
pub struct SpareTask {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) dir: PathBuf,
    pub(crate) number: u64,
    pub(crate) bytes: u64,
}

impl SpareTask {
    /// Writes the file; blocks for as long as the disk needs.
    pub fn run(self) -> Result<Spare, Error> {
        let unfinished = Role::Unfinished.path(&self.dir, self.number);
        let made = self.make(&unfinished);
        if made.is_err() {
            // Best effort: the next start removes it too.
            self.files.remove(&unfinished).ok();
        }
        made
    }

    fn make(&self, unfinished: &Path) -> Result<Spare, Error> {
        let fill = || {
            let file = self.files.open(unfinished, OpenMode::CreateOrTruncate)?;
            write_zeros(self.bytes, 0, |zeros, offset| {
                if offset == 0 {
                    file.allocate(self.bytes)?;
                }
                file.write_all_at(&[zeros], offset)
            })?;
            file.sync_all()
        };
        fill().map_err(|source| Error::io("prepare", unfinished, source))?;
        let path = Role::Spare.path(&self.dir, self.number);
        self.files
            .rename(unfinished, &path)
            .map_err(|source| Error::io("rename", unfinished, source))?;
        Ok(Spare { path })
    }
}

/// Hands out zeros for `start..end` piece by piece.
pub(crate) fn write_zeros(
    end: u64,
    start: u64,
    mut write: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let zeros = vec![
        0;
        usize::try_from(end.saturating_sub(start))
            .map_or(ZERO_PIECE_BYTES, |n| n.min(ZERO_PIECE_BYTES))
    ];
    let mut at = start;
    while at < end {
        let piece = usize::try_from(end - at).map_or(zeros.len(), |rest| rest.min(zeros.len()));
        write(zeros.get(..piece).unwrap_or(&zeros), at)?;
        at += piece as u64;
    }
    Ok(())
}

/// Moves a file out of the way, to be looked at by a person; durable on return.
pub(crate) fn set_aside(files: &dyn Files, dir: &Path, path: &Path) -> io::Result<PathBuf> {
    let aside = dir.join(SET_ASIDE_DIR);
    files.create_dir_all(&aside)?;
    let taken: Vec<String> = files
        .list(&aside)?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let free = (0..SET_ASIDE_NAMES_MAX)
        .map(|copy| {
            if copy == 0 {
                name.clone()
            } else {
                format!("{name}.{copy}")
            }
        })
        .find(|candidate| !taken.contains(candidate))
        .ok_or(io::ErrorKind::AlreadyExists)?;
    let target = aside.join(free);
    files.rename(path, &target)?;
    files.sync_dir(&aside)?;
    files.sync_dir(dir)?;
    Ok(target)
}

/// Numbers of the files that were set aside; none when there is no such directory.
pub(crate) fn set_aside_numbers(files: &dyn Files, dir: &Path) -> Vec<u64> {
    let entries = files.list(&dir.join(SET_ASIDE_DIR)).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| Role::of(&entry.name))
        .map(|(number, _)| number)
        .collect()
}
