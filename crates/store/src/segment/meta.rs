//! What the manifest says of a segment: its name, its bounds, its files with their checksums.
//!
//! Promises: the same input gives the same name, so a freeze that is done again after a crash overwrites itself.
//! Refuses: names that are not exactly what [`SegmentId`] writes.

use std::fmt;
use std::str::FromStr;

use model::TenantId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Says why a text is no segment's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "segment name {name:?} is not f, o, p, m, k or d and hexadecimal digits: 16, a minus, 16, but for f a minus and 8"
)]
pub struct SegmentIdError {
    name: String,
}

/// How a segment came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// A head that was frozen: traces may go on in others.
    Fresh = 0,
    /// Traces of a slice that go on behind it; they wait for the next slice.
    Open = 1,
    /// A part of traces that are too long for one segment.
    Piece = 2,
    /// Whole traces of a slice.
    Merged = 3,
    /// Traces that are pinned, moved out of segments that retention removed.
    Pinned = 4,
    /// No spans: what is remembered of traces that a judge dropped, and the counts of their spans.
    Dropped = 5,
}

impl Level {
    const ALL: [Self; 6] = [
        Self::Fresh,
        Self::Open,
        Self::Piece,
        Self::Merged,
        Self::Pinned,
        Self::Dropped,
    ];

    /// Its name in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Open => "open",
            Self::Piece => "piece",
            Self::Merged => "merged",
            Self::Pinned => "pinned",
            Self::Dropped => "dropped",
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Fresh => 'f',
            Self::Open => 'o',
            Self::Piece => 'p',
            Self::Merged => 'm',
            // What is kept.
            Self::Pinned => 'k',
            Self::Dropped => 'd',
        }
    }
}

/// A segment's name: its level and the first and last log sequence whose spans it holds,
/// `f<first:016x>-<last:016x>` for a fresh one, and the number of the commit behind it for others,
/// `m<first:016x>-<last:016x>-<number:08x>`. Those of levels [`Level::Open`] and [`Level::Pinned`] are named by the
/// last sequence of their inputs alone: what they hold is a small part of what arrived in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId {
    /// The lowest sequence of the log.
    pub first_sequence: u64,
    /// The highest sequence of the log.
    pub last_sequence: u64,
    /// How it came to be.
    pub level: Level,
    /// Ascends with the commits that move spans; 0 for a fresh one.
    pub number: u32,
}

impl SegmentId {
    /// The name of a frozen head.
    #[must_use]
    pub const fn fresh(first_sequence: u64, last_sequence: u64) -> Self {
        Self {
            first_sequence,
            last_sequence,
            level: Level::Fresh,
            number: 0,
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, SegmentIdError> {
        let parsed = Level::ALL.into_iter().find_map(|level| {
            let (first, rest) = name.strip_prefix(level.letter())?.split_once('-')?;
            let (last, number) = match level {
                Level::Fresh => (rest, 0),
                _ => {
                    let (last, number) = rest.split_once('-')?;
                    (last, hexadecimal(number, 8)?)
                }
            };
            Some(Self {
                first_sequence: hexadecimal(first, 16)?,
                last_sequence: hexadecimal(last, 16)?,
                level,
                number: u32::try_from(number).ok()?,
            })
        });
        parsed.ok_or_else(|| SegmentIdError {
            name: name.chars().take(80).collect(),
        })
    }
}

fn hexadecimal(part: &str, digits: usize) -> Option<u64> {
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let is_number = part.len() == digits && part.bytes().all(is_digit);
    is_number
        .then(|| u64::from_str_radix(part, 16).ok())
        .flatten()
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{:016x}-{:016x}",
            self.level.letter(),
            self.first_sequence,
            self.last_sequence
        )?;
        match self.level {
            Level::Fresh => Ok(()),
            _ => write!(f, "-{:08x}", self.number),
        }
    }
}

impl FromStr for SegmentId {
    type Err = SegmentIdError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::parse(name)
    }
}

impl Serialize for SegmentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SegmentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).map_err(serde::de::Error::custom)
    }
}

/// The kinds of files that a segment is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// One row a span.
    Spans,
    /// One row an event; missing when there is none.
    Events,
    /// One row a link; missing when there is none.
    Links,
    /// One row a resource or scope.
    Resources,
    /// The sidecar.
    Index,
}

impl FileKind {
    /// All kinds, in the order in which they are written.
    pub const ALL: [Self; 5] = [
        Self::Spans,
        Self::Events,
        Self::Links,
        Self::Resources,
        Self::Index,
    ];

    /// The end of the file's name.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Spans => "spans.parquet",
            Self::Events => "events.parquet",
            Self::Links => "links.parquet",
            Self::Resources => "resources.parquet",
            Self::Index => "tix",
        }
    }

    /// The name of a segment's file of this kind.
    #[must_use]
    pub fn name(self, id: SegmentId) -> String {
        format!("{id}.{}", self.suffix())
    }
}

/// One file of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMeta {
    /// What it holds.
    pub kind: FileKind,
    /// Its name in the segment's directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// CRC-32C of all of it.
    pub crc32c: u32,
    /// Length of its end that says where everything is: page index and footer, or the sidecar's directory.
    pub footer_bytes: u64,
    /// CRC-32C of that end.
    pub footer_crc32c: u32,
}

/// What the manifest keeps of a segment. Times are nanoseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentMeta {
    /// The name.
    pub id: SegmentId,
    /// Whose spans it holds.
    #[serde(with = "tenant_text")]
    pub tenant: TenantId,
    /// The version of the sidecar; the first one is not written.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub version: u32,
    /// Spans. Of level [`Level::Dropped`]: how many were dropped.
    pub spans: u64,
    /// Distinct traces.
    pub traces: u64,
    /// Events of all spans.
    pub events: u64,
    /// Links of all spans.
    pub links: u64,
    /// The earliest start of a span.
    pub min_start: u64,
    /// The latest start of a span.
    pub max_start: u64,
    /// The start of the trace that starts last.
    pub max_trace_start: u64,
    /// The latest end of a span.
    pub max_end: u64,
    /// The files.
    pub files: Vec<FileMeta>,
}

fn first_version() -> u32 {
    1
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
fn is_first_version(version: &u32) -> bool {
    *version == 1
}

impl SegmentMeta {
    /// The version of sidecars that are written now.
    pub const VERSION: u32 = 5;

    /// The file of a kind; `None` when the segment has none.
    #[must_use]
    pub fn file(&self, kind: FileKind) -> Option<&FileMeta> {
        self.files.iter().find(|file| file.kind == kind)
    }

    /// The length of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

mod tenant_text {
    use super::{Deserialize, Deserializer, Serializer, TenantId};

    pub(super) fn serialize<S: Serializer>(
        tenant: &TenantId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(tenant.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<TenantId, D::Error> {
        let name = String::deserialize(deserializer)?;
        TenantId::parse(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_refused() {
        let mut id = SegmentId::fresh(0x2a, u64::MAX);
        assert_eq!(id.to_string(), "f000000000000002a-ffffffffffffffff");
        for level in [
            Level::Open,
            Level::Piece,
            Level::Pinned,
            Level::Dropped,
            Level::Merged,
        ] {
            (id.level, id.number) = (level, 0x1f);
            assert_eq!(SegmentId::parse(&id.to_string()), Ok(id));
        }
        assert_eq!(
            id.to_string(),
            "m000000000000002a-ffffffffffffffff-0000001f"
        );
        let bad = [
            "",
            "f",
            "f2a-2b",
            "m000000000000002a-ffffffffffffffff",
            "f000000000000002a-ffffffffffffffff-00000001",
            "f000000000000002A-ffffffffffffffff",
        ];
        for name in bad {
            assert!(SegmentId::parse(name).is_err(), "{name}");
        }
    }
}
