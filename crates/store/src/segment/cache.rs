//! What was parsed of segments and is kept for the next question, within a number of bytes.
//!
//! Promises
//! - An entry is weighed with all that it holds.
//! - Filters take no more than a part of it, as every question for a value asks those of all segments: more than that
//!   are left in the files ([`FilterRoom`]), and the rest of the cache is for what is read with many of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::batch::SpanBatch;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::column::Values;
use super::footer::Footer;
use super::meta::FileKind;
use super::opened::OpenedPage;
use crate::index::filters::Filters;
use crate::index::fingerprints::FilterRoom;
use crate::index::keys::KeyList;
use crate::index::patterns::Patterns;
use crate::index::rollup::Rollup;
use crate::index::sidecar::{Directory, Tag};
use crate::index::{CallSums, Catalogue, TracePresence, TraceTable};

/// What an entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Footer(FileKind),
    Directory,
    Traces,
    TracePresence,
    Filters,
    Keys,
    Catalogue,
    Patterns,
    CallSums,
    /// By the tag of its section.
    RollupByMinute(Tag),
    /// By the tag of its section.
    RollupByHour(Tag),
    Resources,
    /// Of a column in a row group.
    Dictionary(FileKind, u32, u32),
    /// Of a column in a row group: the page that begins with this row of the group.
    Page(FileKind, u32, u32, u32),
    /// Of a row group of events or links.
    ChildRows(FileKind, u32),
}

/// An entry.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    Footer(Arc<Footer>),
    Directory(Arc<Directory>),
    Traces(Arc<TraceTable>),
    TracePresence(Arc<TracePresence>),
    Filters(Arc<Filters>),
    Keys(Arc<KeyList>),
    Catalogue(Arc<Catalogue>),
    Patterns(Arc<Patterns>),
    CallSums(Arc<CallSums>),
    Rollup(Arc<Rollup>),
    Resources(Arc<SpanBatch>),
    Dictionary(Arc<Values>),
    Page(Arc<OpenedPage>),
    /// By row of the group: the row of the span, ascending.
    ChildRows(Arc<Vec<u32>>),
}

/// What can be kept: a type for each kind of entry.
pub(crate) trait Keep: Sized {
    fn keep(part: Arc<Self>) -> Kept;
    /// The part, if the entry is of this kind.
    fn take(kept: Kept) -> Option<Arc<Self>>;
}

macro_rules! keep {
    ($($kind:ty => $entry:ident),* $(,)?) => {$(
        impl Keep for $kind {
            fn keep(part: Arc<Self>) -> Kept {
                Kept::$entry(part)
            }

            fn take(kept: Kept) -> Option<Arc<Self>> {
                match kept {
                    Kept::$entry(part) => Some(part),
                    _ => None,
                }
            }
        }
    )*};
}

keep! {
    Footer => Footer,
    Directory => Directory,
    TraceTable => Traces,
    TracePresence => TracePresence,
    Filters => Filters,
    KeyList => Keys,
    Catalogue => Catalogue,
    Patterns => Patterns,
    CallSums => CallSums,
    Rollup => Rollup,
    SpanBatch => Resources,
    Values => Dictionary,
    OpenedPage => Page,
    Vec<u32> => ChildRows,
}

#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Weighter<(u64, Part), Kept> for Bytes {
    fn weight(&self, _key: &(u64, Part), kept: &Kept) -> u64 {
        let bytes = match kept {
            Kept::Footer(footer) => footer.size_bytes(),
            Kept::Directory(directory) => directory.sections.len() * 40,
            Kept::Traces(traces) => traces.size_bytes(),
            Kept::TracePresence(presence) => presence.size_bytes(),
            Kept::Filters(filters) => filters.size_bytes(),
            Kept::Keys(keys) => keys.size_bytes(),
            Kept::Catalogue(catalogue) => catalogue.size_bytes(),
            Kept::Patterns(patterns) => patterns.size_bytes(),
            Kept::CallSums(sums) => sums.size_bytes(),
            Kept::Rollup(rollup) => rollup.size_bytes(),
            Kept::Resources(batch) => batch.size_bytes(),
            Kept::Dictionary(values) => values.size_bytes(),
            Kept::Page(page) => page.size_bytes(),
            Kept::ChildRows(rows) => rows.capacity() * 4,
        };
        // What an entry costs beside its content.
        bytes as u64 + 128
    }
}

/// Parsed parts of segments, shared by all segments of a store; the least used go when the bytes are used up.
#[derive(Debug)]
pub struct SegmentCache {
    entries: Cache<(u64, Part), Kept, Bytes>,
    filter_room: FilterRoom,
    next_owner: AtomicU64,
}

/// Typical size of an entry, from which the cache plans its table.
const ENTRY_BYTES_TYPICAL: u64 = 8 << 10;

impl SegmentCache {
    /// A cache of at most about this many bytes.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        let entries = usize::try_from(bytes_max / ENTRY_BYTES_TYPICAL)
            .unwrap_or(usize::MAX)
            .max(64);
        // In one piece: an entry must fit into its shard, and the index of a million spans takes some MiB.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(entries)
            .weight_capacity(bytes_max)
            .shards(1)
            .build();
        let made = options.map(|options| {
            let (hash, life) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
            Cache::with_options(options, Bytes, hash, life)
        });
        let entries = made.unwrap_or_else(|_| Cache::with_weighter(entries, bytes_max, Bytes));
        Self {
            entries,
            filter_room: FilterRoom::new(bytes_max),
            next_owner: AtomicU64::new(0),
        }
    }

    /// Bytes that are used.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    pub(crate) fn filter_room(&self) -> &FilterRoom {
        &self.filter_room
    }

    /// A number for a segment that no other has.
    pub(crate) fn new_owner(&self) -> u64 {
        self.next_owner.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn get(&self, owner: u64, part: Part) -> Option<Kept> {
        self.entries.get(&(owner, part))
    }

    pub(crate) fn put(&self, owner: u64, part: Part, kept: Kept) {
        self.entries.insert((owner, part), kept);
    }

    /// Forgets what holds files of a segment that goes.
    pub(crate) fn let_go(&self, gone: u64) {
        self.entries.remove(&(gone, Part::Filters));
    }

    /// Forgets a segment.
    pub(crate) fn forget(&self, gone: u64) {
        self.entries.retain(|(owner, _), _| *owner != gone);
    }
}
