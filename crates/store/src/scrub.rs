//! The scrubber: reads every byte at rest again and again, slowly, and finds what nobody has asked for yet.
//!
//! A round reads all segments that are there when it begins, file by file, and holds each file against its checksum in
//! the list. A sidecar that is damaged is made again from the Parquet files; what is lost in these is counted and said
//! once.
//!
//! Promises: memory is [`BLOCK_BYTES`], whatever a segment's size; no step reads more than it is allowed.
//! Refuses: nothing. A file that can't be read is damaged, and the next one follows.
//!
//! Which segments were read is not remembered over a start. A round begins at another place each time, so that starts
//! which follow each other closely don't read the same segments only.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use journal::read_exact_at;

use crate::engine::{Engine, Placed, lock, nanos};
use crate::segment::{FileKind, SegmentError, SegmentMeta};

/// So much is read at once.
const BLOCK_BYTES: u64 = 256 << 10;

/// How far the scrubber is.
#[derive(Debug, Default)]
pub(crate) struct Scrubber {
    /// When the round began, on the monotonic clock.
    since: Option<u64>,
    /// What is left of the round.
    left: VecDeque<Arc<Placed>>,
    at: Place,
}

/// A place in the first segment that is left.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Of the segment's list.
    file: usize,
    offset: u64,
    crc32c: u32,
    /// Some file before was damaged.
    is_damaged: bool,
}

impl Engine {
    /// Reads up to so many bytes; gives how many. 0: nothing is due.
    pub(crate) fn scrub(&self, bytes_max: u64) -> u64 {
        let mut scrubber = lock(&self.scrubber);
        let mut bytes = 0;
        while bytes < bytes_max {
            let Some(read) = self.scrub_block(&mut scrubber, bytes_max - bytes) else {
                break;
            };
            bytes += read;
        }
        self.metrics.scrubbed_bytes.inc_by(bytes);
        bytes
    }

    /// Reads a block, or goes on to the next file or segment.
    fn scrub_block(&self, scrubber: &mut Scrubber, bytes_max: u64) -> Option<u64> {
        if scrubber.left.is_empty() {
            self.begin_round(scrubber)?;
        }
        let placed = Arc::clone(scrubber.left.front()?);
        let at = scrubber.at;
        // One that has left the store needs no care.
        let file = placed.listed.meta.files.get(at.file);
        let Some(about) = file.filter(|_| placed.expired.get().is_none()) else {
            scrubber.left.pop_front();
            scrubber.at = Place::default();
            return Some(0);
        };
        let block = BLOCK_BYTES.min(bytes_max).min(about.bytes - at.offset);
        let read = placed.segment.file(about.kind).and_then(|file| {
            let mut bytes = vec![0; usize::try_from(block).unwrap_or(0)];
            let read = || read_exact_at(&*file, &mut bytes, at.offset);
            let path = || placed.segment.path(about.kind);
            retried(read).map_err(|source| SegmentError::io("read", &path(), source))?;
            Ok(crc32c::crc32c_append(at.crc32c, &bytes))
        });
        let is_last = at.offset + block == about.bytes;
        let what = match read {
            Ok(crc32c) if !is_last => {
                scrubber.at = Place {
                    offset: at.offset + block,
                    crc32c,
                    ..at
                };
                return Some(block);
            }
            Ok(crc32c) => (crc32c != about.crc32c).then(|| "its checksum is wrong".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let is_damaged = what.is_some_and(|what| match about.kind {
            _ if placed.expired.get().is_some() => false,
            FileKind::Index => self.heal(&placed, &what, at.is_damaged),
            _ => self.found_damage(&placed, &about.name, &what),
        });
        scrubber.at = Place {
            file: at.file + 1,
            is_damaged: at.is_damaged || is_damaged,
            ..Place::default()
        };
        Some(block)
    }

    /// Lists what is to be read, if that is due again.
    fn begin_round(&self, scrubber: &mut Scrubber) -> Option<()> {
        let now = self.clock.monotonic_nanos();
        let every = nanos(self.options.scrub_every);
        if scrubber
            .since
            .is_some_and(|since| now.saturating_sub(since) < every)
        {
            return None;
        }
        let state = lock(&self.state);
        let tenants = state.tenants.values();
        scrubber.left = tenants.flat_map(|t| t.placed().cloned()).collect();
        drop(state);
        (scrubber.since, scrubber.at) = (Some(now), Place::default());
        let seconds = usize::try_from(self.clock.unix_nanos() / 1_000_000_000).unwrap_or(0);
        let first = seconds.checked_rem(scrubber.left.len())?;
        scrubber.left.rotate_left(first);
        Some(())
    }

    /// Counts damage and says it, once a segment.
    fn found_damage(&self, placed: &Placed, file: &str, what: &str) -> bool {
        if self.is_new_damage(placed) {
            tracing::error!(
                file,
                what,
                "bytes at rest are damaged; answers leave out what they held"
            );
        }
        true
    }

    /// Makes a damaged sidecar again, unless the files that it is made of are damaged, too. True: it stays damaged.
    fn heal(&self, placed: &Placed, what: &str, is_data_damaged: bool) -> bool {
        let segment = &placed.segment;
        // One of an older version that was made again has another checksum than the list says.
        let is_old = segment.meta().version < SegmentMeta::VERSION;
        let is_sound = || is_old && segment.has_sound_sections().unwrap_or(false);
        if plumbing::planted("store-scrub-skips-sidecars") || is_sound() {
            return false;
        }
        let file = FileKind::Index.name(placed.listed.meta.id);
        if is_data_damaged {
            return self.found_damage(placed, &file, what);
        }
        self.metrics.damaged_segments.inc();
        match segment.rebuild_sidecar() {
            Ok(()) => {
                tracing::warn!(
                    file,
                    what,
                    "the index of a segment was damaged and was made again"
                );
                // What is found next is news.
                placed.is_reported.store(false, Ordering::Relaxed);
                false
            }
            Err(error) => {
                tracing::error!(file, what, %error, "the index of a segment is damaged and can't be made again");
                placed.is_reported.store(true, Ordering::Relaxed);
                true
            }
        }
    }
}

/// Tries once more: what can't be read now may be readable at once.
fn retried(mut read: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
    read().or_else(|_| read())
}
