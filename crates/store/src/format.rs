//! `FORMAT` and its copy: which format a data folder has, and whose it is.
//!
//! Promises: one sound line of the four is enough; nothing of a new format is written before both files say so.
//! Refuses: a folder of a newer format.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use journal::{Files, write_file_durably};

use crate::engine::Engine;
use crate::error::Error;
use crate::manifest::read_file;

/// The format that is written here; all up to it are read. 2: segments may be merged, and the list says how far. 3:
/// traces may be pinned, and the index finds them by hashes. 4: traces may be dropped, which the list remembers.
const FORMAT: u32 = 4;

/// The store's identity, which its log carries.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct FormatFile {
    format: u32,
    store_id: String,
}

/// What the files say.
#[derive(Debug)]
pub(crate) struct Format {
    pub store_id: u128,
    /// Both files say [`FORMAT`].
    is_current: AtomicBool,
}

impl Format {
    /// Reads `FORMAT` or its copy. One of the two that is damaged or of an older program is written anew, if that is
    /// possible now.
    pub(crate) fn check(
        files: &dyn Files,
        root: &Path,
        random: &dyn plumbing::Random,
    ) -> Result<Self, Error> {
        let paths = paths(root);
        let read = paths.each_ref().map(|path| read_file(files, path));
        let mut store_id = None;
        for bytes in read.iter().flatten() {
            store_id = parse_format(root, bytes)?.or(store_id);
        }
        let is_missing = |read: &io::Result<Vec<u8>>| {
            read.as_ref()
                .is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
        };
        let store_id = match store_id {
            Some(store_id) => store_id,
            None if read.iter().all(is_missing) => {
                u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())
            }
            None => {
                let found = read
                    .iter()
                    .flatten()
                    .next()
                    .map(|bytes| String::from_utf8_lossy(bytes).chars().take(40).collect());
                return Err(Error::Format {
                    dir: root.to_owned(),
                    found: found.unwrap_or_default(),
                    known: FORMAT,
                });
            }
        };
        let is_new = read.iter().all(is_missing);
        let text = format_text(store_id)?;
        let is_said =
            |read: &io::Result<Vec<u8>>| read.as_ref().is_ok_and(|bytes| bytes == text.as_bytes());
        let format = Self {
            store_id,
            is_current: AtomicBool::new(read.iter().all(is_said)),
        };
        match format.require(files, root) {
            Err(why) if is_new => return Err(why),
            Err(why) => {
                tracing::warn!(%why, "could not update the store's identity; no segments are merged until it is");
            }
            Ok(()) => {}
        }
        Ok(format)
    }

    /// Makes sure that programs which don't know this format are kept out. To be called before anything is written that
    /// they would take for damage.
    pub(crate) fn require(&self, files: &dyn Files, root: &Path) -> Result<(), Error> {
        if self.is_current.load(Ordering::Acquire) {
            return Ok(());
        }
        let text = format_text(self.store_id)?;
        for path in paths(root) {
            if read_file(files, &path).is_ok_and(|bytes| bytes == text.as_bytes()) {
                continue;
            }
            write_file_durably(files, &path, text.as_bytes()).map_err(Error::io("write", &path))?;
            tracing::info!(file = %path.display(), "wrote the store's identity");
        }
        self.is_current.store(true, Ordering::Release);
        Ok(())
    }
}

impl Engine {
    /// As [`Format::require`].
    pub(crate) fn require_format(&self) -> Result<(), Error> {
        if plumbing::planted("store-format-not-required") {
            return Ok(());
        }
        self.format.require(self.files.as_ref(), &self.options.dir)
    }
}

fn paths(root: &Path) -> [PathBuf; 2] {
    [root.join("FORMAT"), root.join("FORMAT.copy")]
}

/// The id in a `FORMAT` file; `None` when the file is damaged. The id stands there twice, and either line will do.
fn parse_format(root: &Path, bytes: &[u8]) -> Result<Option<u128>, Error> {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        let Some((json, crc)) = line.rsplit_once(' ') else {
            continue;
        };
        if crc != format!("{:08x}", crc32c::crc32c(json.as_bytes())) {
            continue;
        }
        let Ok(file) = serde_json::from_str::<FormatFile>(json) else {
            continue;
        };
        if file.format > FORMAT {
            return Err(Error::Format {
                dir: root.to_owned(),
                found: file.format.to_string(),
                known: FORMAT,
            });
        }
        if let Ok(store_id) = u128::from_str_radix(&file.store_id, 16) {
            return Ok(Some(store_id));
        }
    }
    Ok(None)
}

fn format_text(store_id: u128) -> Result<String, Error> {
    let file = FormatFile {
        format: FORMAT,
        store_id: format!("{store_id:032x}"),
    };
    let json = serde_json::to_string(&file).map_err(|e| Error::Manifest {
        reason: e.to_string(),
    })?;
    let line = format!("{json} {:08x}\n", crc32c::crc32c(json.as_bytes()));
    Ok(line.repeat(2))
}
