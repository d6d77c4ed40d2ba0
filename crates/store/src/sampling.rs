//! What was counted and decided about sampling, in one small file beside the manifest, so that a start goes on where
//! the run before ended instead of asking all clients for everything, or for next to nothing.
//!
//! Promises
//! - The file is whole or the one before: written beside it, synced and renamed. A file that is damaged counts as none,
//!   which is said in the log: what is lost is found again within minutes.
//! - Bounded: slices of the last [`KEPT_SLICES_MAX`] intervals, [`OPERATIONS_MAX`] operations each.
//!
//! Layout: eight bytes of magic, CRC-32C of what follows (4 bytes, little-endian), JSON.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::{Files, OpenMode, read_to_end, write_file_durably};
use model::contract::Answer;
use model::throughput::{
    Decision, Decisions, OPERATIONS_MAX, SamplingStore, SamplingStoreError, Throughput,
    ThroughputSlice,
};
use plumbing::PoolError;
use serde::{Deserialize, Serialize};

use crate::driver::Store;

/// The file's name in the store's folder.
pub(crate) const FILE_NAME: &str = "SAMPLING";
const MAGIC: &[u8; 8] = b"TWSAMPL1";
const HEAD_BYTES: usize = 12;
/// Slices that are kept; older ones say nothing about now.
const KEPT_SLICES_MAX: usize = 16;

/// The file and what it holds.
#[derive(Debug)]
pub(crate) struct SamplingFile {
    files: Arc<dyn Files>,
    path: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    slices: Vec<ThroughputSlice>,
    decisions: Decisions,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Text {
    slices: Vec<SliceText>,
    made: u64,
    decisions: BTreeMap<String, BTreeMap<String, (f64, u64, u64)>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SliceText {
    start: u64,
    end: u64,
    of: Vec<(String, String, u64, u64, f64)>,
}

impl SamplingFile {
    /// Reads the file; none, or a damaged one, is an empty one.
    pub(crate) fn open(files: Arc<dyn Files>, dir: &Path) -> Self {
        let path = dir.join(FILE_NAME);
        let held = match read(&*files, &path) {
            Ok(held) => held,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Held::default(),
            Err(error) => {
                let file = path.display();
                tracing::warn!(%file, %error, "what was decided about sampling is lost and will be decided anew");
                Held::default()
            }
        };
        Self {
            files,
            path,
            held: Mutex::new(held),
        }
    }

    /// Keeps a slice and lets go of the oldest ones.
    pub(crate) fn add(&self, mut slice: ThroughputSlice) -> io::Result<()> {
        slice.of.truncate(OPERATIONS_MAX);
        self.change(|held| {
            held.slices.push(slice);
            let extra = held.slices.len().saturating_sub(KEPT_SLICES_MAX);
            held.slices.drain(..extra);
        })
    }

    /// The slices that end at a moment or later.
    pub(crate) fn slices(&self, from: u64) -> Vec<ThroughputSlice> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let slices = held.slices.iter().filter(|slice| slice.end >= from);
        slices.cloned().collect()
    }

    /// Keeps what was decided.
    pub(crate) fn decide(&self, decisions: Decisions) -> io::Result<()> {
        self.change(|held| held.decisions = decisions)
    }

    /// What was decided last.
    pub(crate) fn decisions(&self) -> Decisions {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.decisions.clone()
    }

    /// Changes what is held and writes it. The lock is held over the writing, so that the file is never older than
    /// what is in memory was when it was written; a write that fails leaves the change in memory, for the next one.
    fn change(&self, change: impl FnOnce(&mut Held)) -> io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut held);
        let body = serde_json::to_vec(&Text::from(&*held))?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        write_file_durably(&*self.files, &self.path, &bytes)
    }
}

fn read(files: &dyn Files, path: &Path) -> io::Result<Held> {
    let file = files.open(path, OpenMode::Read)?;
    let bytes = read_to_end(&*file)?;
    let damaged = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let (head, body) = bytes
        .split_at_checked(HEAD_BYTES)
        .ok_or_else(|| damaged("it ends too early"))?;
    let Some((magic, checksum)) = head.split_at_checked(MAGIC.len()) else {
        return Err(damaged("it ends too early"));
    };
    if magic != MAGIC {
        return Err(damaged("it is no such file"));
    }
    if checksum != crc32c::crc32c(body).to_le_bytes() {
        return Err(damaged("its checksum is wrong"));
    }
    let text: Text = serde_json::from_slice(body)?;
    Ok(text.into())
}

impl From<&Held> for Text {
    fn from(held: &Held) -> Self {
        let slices = held.slices.iter().map(|slice| SliceText {
            start: slice.start,
            end: slice.end,
            of: slice
                .of
                .iter()
                .map(|of| {
                    let (service, operation) = (of.service.clone(), of.operation.clone());
                    (service, operation, of.plain, of.told, of.told_weight)
                })
                .collect(),
        });
        let decisions = held.decisions.of.iter().map(|(service, operations)| {
            let operations = operations.iter().map(|(operation, decision)| {
                let Decision {
                    probability,
                    since,
                    seen,
                } = *decision;
                (operation.clone(), (probability, since, seen))
            });
            (service.clone(), operations.collect())
        });
        Self {
            slices: slices.collect(),
            made: held.decisions.made,
            decisions: decisions.collect(),
        }
    }
}

impl From<Text> for Held {
    fn from(text: Text) -> Self {
        let slices = text.slices.into_iter().map(|slice| ThroughputSlice {
            start: slice.start,
            end: slice.end,
            of: slice
                .of
                .into_iter()
                .map(
                    |(service, operation, plain, told, told_weight)| Throughput {
                        service,
                        operation,
                        plain,
                        told,
                        told_weight,
                    },
                )
                .collect(),
        });
        let decisions = text.decisions.into_iter().map(|(service, operations)| {
            let operations =
                operations
                    .into_iter()
                    .map(|(operation, (probability, since, seen))| {
                        let decision = Decision {
                            probability,
                            since,
                            seen,
                        };
                        (operation, decision)
                    });
            (service, operations.collect())
        });
        Self {
            slices: slices.collect(),
            decisions: Decisions {
                made: text.made,
                of: decisions.collect(),
            },
        }
    }
}

impl SamplingStore for Store {
    fn add_throughput(
        &self,
        slice: ThroughputSlice,
    ) -> Answer<'static, Result<(), SamplingStoreError>> {
        let file = self.sampling();
        let written = self.work(move |_| file.add(slice));
        Box::pin(async move { kept(written.await) })
    }

    fn throughput(
        &self,
        from: u64,
    ) -> Answer<'static, Result<Vec<ThroughputSlice>, SamplingStoreError>> {
        let slices = self.sampling().slices(from);
        Box::pin(std::future::ready(Ok(slices)))
    }

    fn decide(&self, decisions: Decisions) -> Answer<'static, Result<(), SamplingStoreError>> {
        let file = self.sampling();
        let written = self.work(move |_| file.decide(decisions));
        Box::pin(async move { kept(written.await) })
    }

    fn decisions(&self) -> Answer<'static, Result<Decisions, SamplingStoreError>> {
        let decisions = self.sampling().decisions();
        Box::pin(std::future::ready(Ok(decisions)))
    }

    fn settles_after(&self) -> Duration {
        Duration::ZERO
    }

    /// One process at a time has the folder, so it is this one.
    fn lead(&self, _: Duration) -> Answer<'static, Result<bool, SamplingStoreError>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

fn kept(written: Result<io::Result<()>, PoolError>) -> Result<(), SamplingStoreError> {
    let failed = |reason: String| SamplingStoreError {
        action: "kept",
        reason,
    };
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use journal::SimFiles;

    use super::*;

    fn slice(end: u64) -> ThroughputSlice {
        let of = Throughput {
            service: "cart".to_owned(),
            operation: "GET /\"x\"".to_owned(),
            plain: end,
            told: 2,
            told_weight: 2.5,
        };
        ThroughputSlice {
            start: end - 1,
            end,
            of: vec![of],
        }
    }

    #[test]
    fn what_was_kept_is_there_after_a_start_and_old_slices_are_not() {
        let files: Arc<dyn Files> = Arc::new(SimFiles::new());
        let dir = Path::new("/store");
        files.create_dir_all(dir).unwrap();
        let kept = SamplingFile::open(Arc::clone(&files), dir);
        for end in 1..=20 {
            kept.add(slice(end)).unwrap();
        }
        let mut decisions = Decisions {
            made: 20,
            ..Decisions::default()
        };
        let decision = Decision {
            probability: 0.25,
            since: 3,
            seen: 19,
        };
        let of_cart = decisions.of.entry("cart".to_owned()).or_default();
        of_cart.insert("GET /".to_owned(), decision);
        kept.decide(decisions.clone()).unwrap();

        let again = SamplingFile::open(files, dir);
        assert_eq!(again.decisions(), decisions);
        assert_eq!(again.slices(0), (5..=20).map(slice).collect::<Vec<_>>());
        assert_eq!(again.slices(20), [slice(20)]);
    }

    #[test]
    fn a_damaged_file_is_none_and_is_replaced() {
        let files: Arc<dyn Files> = Arc::new(SimFiles::new());
        let dir = Path::new("/store");
        files.create_dir_all(dir).unwrap();
        SamplingFile::open(Arc::clone(&files), dir)
            .add(slice(9))
            .unwrap();
        let path = dir.join(FILE_NAME);
        let file = files.open(&path, OpenMode::Read).unwrap();
        let whole = read_to_end(&*file).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            write_file_durably(&*files, &path, &bytes).unwrap();
            let opened = SamplingFile::open(Arc::clone(&files), dir);
            assert!(opened.slices(0).is_empty(), "byte {at}");
        }
        for cut in 0..whole.len() {
            write_file_durably(&*files, &path, &whole[..cut]).unwrap();
            let opened = SamplingFile::open(Arc::clone(&files), dir);
            assert!(opened.slices(0).is_empty(), "cut at {cut}");
        }
        let opened = SamplingFile::open(Arc::clone(&files), dir);
        opened.add(slice(10)).unwrap();
        assert_eq!(SamplingFile::open(files, dir).slices(0), [slice(10)]);
    }
}
