//! What a replay found besides frames. Everything that was not as it should be is in here, for logs and metrics.

use std::ops::Range;
use std::path::PathBuf;

/// More places of damage than this are only counted.
const DAMAGE_LISTED_MAX: usize = 1_000;

/// What is wrong at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// The file's header; the frames were read without it.
    Header,
    /// One or more frames.
    Frames,
    /// The operating system could not read; the bytes may be there.
    Unreadable,
    /// A whole frame whose tenant's name was in a damaged one.
    UnknownTenant,
    /// The file belongs to another store.
    ForeignStore,
}

/// A damaged place; the bytes were skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// First bad byte.
    pub offset: u64,
    /// How many bytes were skipped.
    pub bytes: u64,
    /// What is wrong.
    pub kind: DamageKind,
}

/// The remains of an append that was cut short, behind the last whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The file.
    pub path: PathBuf,
    /// Where the last whole frame ends.
    pub offset: u64,
    /// How many bytes behind it hold remains; at least.
    pub bytes: u64,
}

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Files that were read.
    pub files: u64,
    /// Files that were not read, because all their frames are below the floor.
    pub files_below_floor: u64,
    /// Frames that were visited.
    pub frames: u64,
    /// Their payload bytes.
    pub payload_bytes: u64,
    /// The tail of the last file, if an append was cut short there.
    pub torn_tail: Option<TornTail>,
    /// Damaged places, up to 1,000.
    pub damage: Vec<Damage>,
    /// How many damaged places there are in all.
    pub damage_count: u64,
    /// Sequences that were given to frames and were not found, in order.
    pub gaps: Vec<Range<u64>>,
    /// Where files that hold nothing readable were moved.
    pub set_aside: Vec<PathBuf>,
    /// The last batch was shown and could not be made durable: if nobody kept its frames elsewhere, a power cut might
    /// still take those that were never acknowledged. Who relies on them must keep them first.
    pub is_last_batch_in_doubt: bool,
}

impl ReplayReport {
    /// Whether everything was as it should be; a torn tail is not damage but is not clean either.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.torn_tail.is_none()
            && self.damage_count == 0
            && self.gaps.is_empty()
            && self.set_aside.is_empty()
            && !self.is_last_batch_in_doubt
    }

    pub(crate) fn add_damage(&mut self, damage: Damage) {
        self.damage_count += 1;
        if self.damage.len() < DAMAGE_LISTED_MAX {
            self.damage.push(damage);
        }
    }

    /// Notes missing sequences, as far as somebody still needs them.
    pub(crate) fn add_gap(&mut self, gap: Range<u64>, floor: u64) {
        let gap = gap.start.max(floor)..gap.end;
        if !gap.is_empty() && self.gaps.len() < DAMAGE_LISTED_MAX {
            self.gaps.push(gap);
        }
    }
}
