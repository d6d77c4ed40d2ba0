//! An open segment: its files, and its parsed parts by way of the cache.
//!
//! Promises
//! - Opening reads nothing; a file is opened when the first question needs it, and stays open until it is written anew.
//! - What is given was checked against a checksum when it came from the disk; of filters that are read where they are
//!   probed, when their section was first used.
//! - A segment is immutable, so any number of threads read it at once.

#![allow(
    clippy::cast_possible_truncation,
    reason = "columns and row groups are below 2^32"
)]

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use journal::{File, Files, OpenMode, read_exact_at};
use model::TraceId;

use super::SegmentError;
use super::cache::{Keep, Part, SegmentCache};
use super::column::{Column, ColumnBuilder, Values, read_dictionary};
use super::footer::{ChunkPlace, ColumnInfo, Footer, PagePlace};
use super::meta::{FileKind, Level, SegmentId, SegmentMeta};
use super::opened::OpenedPage;
use super::page::PageOpener;
use crate::index::filters::Filters;
use crate::index::fingerprints::InFile;
use crate::index::keys::KeyList;
use crate::index::patterns::Patterns;
use crate::index::rollup::Rollup;
use crate::index::sidecar::{
    CALL_SUMS, CALLS, CATALOGUE, DROPPED, DROPPED_CALLS, Directory, FILTERS, KEYS, OPERATIONS,
    PATTERNS, TRACE_FACTS, TRACE_HASHES, TRACES_BY_START, Tag,
};
use crate::index::{
    self, CallSums, Catalogue, Dropped, DroppedCalls, Facts, TracePresence, TraceTable, trace_hash,
};

/// An open segment.
#[derive(Debug)]
pub struct Segment {
    files: Arc<dyn Files>,
    dir: PathBuf,
    meta: SegmentMeta,
    cache: Arc<SegmentCache>,
    /// The segment's number in the cache; another one after its sidecar was rebuilt.
    owner: AtomicU64,
    /// By kind.
    opened: [Mutex<Option<Arc<dyn File>>>; FileKind::ALL.len()],
}

impl Drop for Segment {
    fn drop(&mut self) {
        // Filters may hold the sidecar open, whose bytes would stay on the disk with it.
        self.cache.let_go(self.owner());
    }
}

impl Segment {
    /// Opens a segment whose files are in `dir`. Reads nothing yet.
    pub fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        meta: SegmentMeta,
        cache: Arc<SegmentCache>,
    ) -> Result<Self, SegmentError> {
        let needed: &[FileKind] = match meta.id.level {
            Level::Dropped => &[FileKind::Index],
            _ => &[FileKind::Spans, FileKind::Resources],
        };
        for kind in needed {
            if meta.file(*kind).is_none() {
                let what = format!(
                    "segment {} was to be opened without its {} file",
                    meta.id,
                    kind.suffix()
                );
                return Err(SegmentError::bug(what));
            }
        }
        let owner = AtomicU64::new(cache.new_owner());
        Ok(Self {
            files,
            dir: dir.to_path_buf(),
            meta,
            cache,
            owner,
            opened: Default::default(),
        })
    }

    /// What the manifest would have said of a segment, read from its sidecar.
    pub fn recover_meta(
        files: &dyn Files,
        dir: &Path,
        id: SegmentId,
    ) -> Result<SegmentMeta, SegmentError> {
        index::read_meta(files, dir, id)
    }

    /// What the manifest says.
    #[must_use]
    pub fn meta(&self) -> &SegmentMeta {
        &self.meta
    }

    pub(crate) fn path(&self, kind: FileKind) -> PathBuf {
        self.dir.join(kind.name(self.meta.id))
    }

    pub(crate) fn file(&self, kind: FileKind) -> Result<Arc<dyn File>, SegmentError> {
        let Some(slot) = self.opened.get(kind as usize) else {
            return Err(SegmentError::bug("no such kind of file"));
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*slot {
            return Ok(Arc::clone(file));
        }
        let path = self.path(kind);
        let file = self
            .files
            .open(&path, OpenMode::Read)
            .map_err(|source| SegmentError::io("open", &path, source))?;
        Ok(Arc::clone(slot.insert(file)))
    }

    fn owner(&self) -> u64 {
        self.owner.load(Ordering::Acquire)
    }

    /// Finds a part in the cache, or makes it.
    fn part<T: Keep>(
        &self,
        part: Part,
        make: impl FnOnce() -> Result<T, SegmentError>,
    ) -> Result<Arc<T>, SegmentError> {
        let owner = self.owner();
        if let Some(kept) = self.cache.get(owner, part).and_then(T::take) {
            return Ok(kept);
        }
        let made = Arc::new(make()?);
        self.cache.put(owner, part, T::keep(Arc::clone(&made)));
        if self.owner() != owner {
            // Meanwhile the sidecar was rebuilt, and nobody would ask for this again.
            self.cache.forget(owner);
        }
        Ok(made)
    }

    /// The footer of a file; `None` when the segment has no such file.
    pub(crate) fn footer(&self, kind: FileKind) -> Result<Option<Arc<Footer>>, SegmentError> {
        let Some(about) = self.meta.file(kind) else {
            return Ok(None);
        };
        let make = || Footer::read(&*self.file(kind)?, &self.path(kind), about, &self.meta);
        self.part(Part::Footer(kind), make).map(Some)
    }

    pub(crate) fn directory(&self) -> Result<Arc<Directory>, SegmentError> {
        let make = || {
            Directory::read(
                &*self.file(FileKind::Index)?,
                &self.path(FileKind::Index),
                self.meta.id,
            )
        };
        self.part(Part::Directory, make)
    }

    pub(crate) fn section(&self, tag: Tag) -> Result<Vec<u8>, SegmentError> {
        let path = self.path(FileKind::Index);
        let section = self
            .directory()?
            .section(&*self.file(FileKind::Index)?, &path, tag)?;
        section.ok_or_else(|| self.no_section(tag))
    }

    fn no_section(&self, tag: Tag) -> SegmentError {
        let name = String::from_utf8_lossy(&tag);
        let path = self.path(FileKind::Index);
        SegmentError::corrupt(&path, format!("it has no section {name}"))
    }

    fn senseless(&self, section: &str) -> SegmentError {
        SegmentError::corrupt(
            &self.path(FileKind::Index),
            format!("section {section} makes no sense"),
        )
    }

    /// The traces.
    pub fn traces(&self) -> Result<Arc<TraceTable>, SegmentError> {
        self.part(Part::Traces, || {
            let spans = self.meta.spans;
            let directory = self.directory()?;
            let table = if directory.has(TRACE_HASHES) {
                let facts = self.section(TRACE_FACTS)?;
                let hashes = self.trace_presence()?;
                let section = self.section(TRACE_HASHES)?;
                TraceTable::parse(hashes, &section, Facts::Signed(&facts), spans)
            } else {
                // Older versions have the ids themselves, which are in the column as well.
                let runs = self.trace_runs()?;
                let ids: Vec<TraceId> = runs.iter().map(|(id, _)| *id).collect();
                if directory.has(TRACES_BY_START) {
                    let facts = self.section(TRACES_BY_START)?;
                    TraceTable::parse_with_ids(&ids, Facts::ByStart(&facts), spans)
                } else {
                    let facts = self.section(TRACE_FACTS)?;
                    TraceTable::parse_with_ids(&ids, Facts::Signed(&facts), spans)
                }
            };
            table.ok_or_else(|| self.senseless("TRHA or TRFA"))
        })
    }

    /// Tells whether a trace may be here, from what little all segments keep in memory.
    pub(crate) fn may_have_trace(&self, trace_id: TraceId) -> Result<bool, SegmentError> {
        Ok(self.trace_presence()?.may_have(trace_hash(trace_id)))
    }

    /// The services and their operations.
    pub fn catalogue(&self) -> Result<Arc<Catalogue>, SegmentError> {
        self.part(Part::Catalogue, || {
            Catalogue::parse(&self.section(CATALOGUE)?).ok_or_else(|| self.senseless("SYMS"))
        })
    }

    /// The forms of traces; `None` in segments of an older version, which don't have them.
    pub(crate) fn patterns(&self) -> Result<Option<Arc<Patterns>>, SegmentError> {
        if !self.directory()?.has(PATTERNS) {
            return Ok(None);
        }
        let made = self.part(Part::Patterns, || {
            let operations = self.catalogue()?.operations.len();
            let traces = self.meta.traces as usize;
            let patterns = Patterns::parse(&self.section(PATTERNS)?, operations, traces);
            patterns.ok_or_else(|| self.senseless("PATT"))
        });
        made.map(Some)
    }

    /// All calls of the traces; `None` where the traces must be looked at.
    pub(crate) fn call_sums(&self) -> Result<Option<Arc<CallSums>>, SegmentError> {
        if !self.directory()?.has(CALL_SUMS) {
            return Ok(None);
        }
        let made = self.part(Part::CallSums, || {
            let services = self.catalogue()?.services.len();
            let sums = CallSums::parse(&self.section(CALL_SUMS)?, self.meta.traces > 0, services);
            sums.ok_or_else(|| self.senseless("DEPS"))
        })?;
        Ok(Some(made).filter(|sums| sums.is_complete))
    }

    /// What is remembered of dropped traces, in a segment that has nothing else.
    pub(crate) fn dropped(&self) -> Result<Dropped, SegmentError> {
        Dropped::parse(&self.section(DROPPED)?).ok_or_else(|| self.senseless("DROP"))
    }

    /// The calls of dropped traces; `None` where there are too many to be counted.
    pub(crate) fn dropped_calls(&self) -> Result<Option<DroppedCalls>, SegmentError> {
        let services = self.catalogue()?.services.len();
        let calls = DroppedCalls::parse(&self.section(DROPPED_CALLS)?, services);
        let calls = calls.ok_or_else(|| self.senseless("DCAL"))?;
        Ok(Some(calls).filter(|calls| calls.is_complete))
    }

    /// The hashes of all traces.
    pub(crate) fn trace_presence(&self) -> Result<Arc<TracePresence>, SegmentError> {
        self.part(Part::TracePresence, || {
            if !self.directory()?.has(TRACE_HASHES) {
                return Ok(TracePresence::new(self.traces()?.hashes().to_vec()));
            }
            let presence = TracePresence::parse(&self.section(TRACE_HASHES)?);
            presence.ok_or_else(|| self.senseless("TRHA"))
        })
    }

    /// Spans counted by unit of time; `None` where rows must be counted.
    pub(crate) fn rollup(&self, of: RollupOf) -> Result<Option<Arc<Rollup>>, SegmentError> {
        let tag = match of {
            RollupOf::OperationsByMinute | RollupOf::OperationsByHour => OPERATIONS,
            RollupOf::CallsByMinute | RollupOf::CallsByHour => CALLS,
        };
        if !self.directory()?.has(tag) {
            return Ok(None);
        }
        let by_minute = || {
            let rollup = Rollup::parse(&self.section(tag)?);
            rollup.ok_or_else(|| self.senseless(&String::from_utf8_lossy(&tag)))
        };
        let made = match of {
            RollupOf::OperationsByMinute | RollupOf::CallsByMinute => {
                self.part(Part::RollupByMinute(tag), by_minute)?
            }
            RollupOf::OperationsByHour | RollupOf::CallsByHour => {
                self.part(Part::RollupByHour(tag), || Ok(by_minute()?.by_hour()))?
            }
        };
        Ok(Some(made).filter(|rollup| rollup.is_complete))
    }

    /// The filters: in memory as far as there is room, else they are read where they are probed.
    pub(crate) fn filters(&self) -> Result<Arc<Filters>, SegmentError> {
        self.part(Part::Filters, || {
            let (file, path) = (self.file(FileKind::Index)?, self.path(FileKind::Index));
            let directory = self.directory()?;
            // What is read later is read from the file that is checked here, so it is not opened twice.
            let section = directory.section(&*file, &path, FILTERS)?;
            let section = section.ok_or_else(|| self.no_section(FILTERS))?;
            let bytes = section.capacity() as u64;
            let filters = Filters::parse(section).ok_or_else(|| self.senseless("KVFG"))?;
            let room = self.cache.filter_room();
            Ok(match directory.raw_offset(FILTERS) {
                None => filters.with_room(room.take_anyway(bytes)),
                Some(offset) => match room.take(bytes) {
                    Some(room) => filters.with_room(room),
                    None => filters.left_in(InFile { file, path, offset }),
                },
            })
        })
    }

    pub(crate) fn keys(&self) -> Result<Arc<KeyList>, SegmentError> {
        self.part(Part::Keys, || {
            KeyList::parse(&self.section(KEYS)?).ok_or_else(|| self.senseless("KEYS"))
        })
    }

    /// The resources and scopes, as a batch without spans.
    pub(crate) fn resources(&self) -> Result<Arc<model::SpanBatch>, SegmentError> {
        self.part(Part::Resources, || super::envelope::read_envelopes(self))
    }

    /// The dictionary of a column in a row group; `None` when it has none.
    pub(crate) fn dictionary(
        &self,
        (kind, footer): (FileKind, &Footer),
        (group, place): (usize, usize),
        opener: &mut PageOpener,
    ) -> Result<Option<Arc<Values>>, SegmentError> {
        let chunk = footer
            .groups
            .get(group)
            .and_then(|group| group.chunks.get(place));
        let (Some(chunk), Some(info)) = (chunk, footer.columns.get(place)) else {
            return Ok(None);
        };
        let Some((offset, bytes)) = chunk.dictionary else {
            return Ok(None);
        };
        let part = Part::Dictionary(kind, group as u32, place as u32);
        let made = self.part(part, || {
            let stored = self.stored(kind, offset, u64::from(bytes))?;
            let values = read_dictionary(opener, &stored, info.shape, chunk.is_compressed);
            values.map_err(|what| self.bad_page(kind, offset, &info.name, what))
        });
        made.map(Some)
    }

    fn stored(&self, kind: FileKind, offset: u64, bytes: u64) -> Result<Vec<u8>, SegmentError> {
        let mut stored = vec![0; bytes as usize];
        let read = read_exact_at(&*self.file(kind)?, &mut stored, offset);
        read.map_err(|source| SegmentError::io("read", &self.path(kind), source))?;
        Ok(stored)
    }

    fn bad_page(&self, kind: FileKind, offset: u64, column: &str, what: &str) -> SegmentError {
        SegmentError::corrupt(
            &self.path(kind),
            format!("column \"{column}\" at byte {offset}: {what}"),
        )
    }

    /// The cells of a column over rows of one row group, counted in the group.
    pub(crate) fn column(
        &self,
        (kind, footer): (FileKind, &Footer),
        (group, place): (usize, usize),
        rows: &Range<usize>,
        opener: &mut PageOpener,
    ) -> Result<Column, SegmentError> {
        let (chunk, info) = chunk_of(footer, (group, place))?;
        let dictionary = self.dictionary((kind, footer), (group, place), opener)?;
        let mut builder = ColumnBuilder::new(info, chunk, dictionary);
        self.each_page(
            (kind, footer),
            (group, place),
            (rows, None),
            opener,
            &mut |page, _, inside| builder.add_page(page, inside),
        )?;
        let column = builder.finish();
        if column.len() != rows.len() {
            return Err(SegmentError::bug(format!(
                "column \"{}\" gave {} rows for {}",
                info.name,
                column.len(),
                rows.len()
            )));
        }
        Ok(column)
    }

    /// Gives the pages of a column that hold some of `rows` of one row group, each with those rows, counted in it;
    /// `take` says what is wrong with a page. A page that certainly has no code that is one of the `passing` is left
    /// out.
    pub(crate) fn each_page(
        &self,
        (kind, footer): (FileKind, &Footer),
        (group, place): (usize, usize),
        (rows, passing): (&Range<usize>, Option<&[bool]>),
        opener: &mut PageOpener,
        take: &mut PageTaker<'_>,
    ) -> Result<(), SegmentError> {
        let (chunk, info) = chunk_of(footer, (group, place))?;
        let inside = |page: &PagePlace| {
            let first = page.first_row as usize;
            rows.start.max(first) - first
                ..rows.end.min(first + page.rows as usize).max(first) - first
        };
        let is_wanted = |page: &&PagePlace| !inside(page).is_empty();
        let wanted: Vec<PagePlace> = chunk.pages.iter().filter(is_wanted).copied().collect();
        let of = (chunk, info.is_optional);
        let bad = |page: &PagePlace, what: &str| self.bad_page(kind, page.offset, &info.name, what);
        if opener.keeps_pages {
            for page in &wanted {
                let part = Part::Page(kind, group as u32, place as u32, page.first_row);
                let opened = self.part(part, || {
                    let stored = self.stored(kind, page.offset, u64::from(page.bytes))?;
                    OpenedPage::open(opener, &stored, of, *page).map_err(|what| bad(page, what))
                })?;
                take(&opened, *page, inside(page)).map_err(|what| bad(page, what))?;
            }
            return Ok(());
        }
        let Some((first, last)) = wanted.first().zip(wanted.last()) else {
            return Ok(());
        };
        let memory = (kind, group, place);
        if let ([page], Some(opened)) = (&*wanted, opener.last(memory, first.first_row)) {
            return take(&opened, *page, inside(page)).map_err(|what| bad(page, what));
        }
        // Pages lie one behind the other, so they are read at once.
        let end = last.offset + u64::from(last.bytes);
        let stored = self.stored(kind, first.offset, end.saturating_sub(first.offset))?;
        for page in &wanted {
            let from = page
                .offset
                .checked_sub(first.offset)
                .map_or(usize::MAX, |from| from as usize);
            let bytes = from
                .checked_add(page.bytes as usize)
                .and_then(|to| stored.get(from..to))
                .ok_or_else(|| bad(page, "page is out of order"))?;
            let opened = OpenedPage::open_if(opener, bytes, of, *page, passing);
            let Some(opened) = opened.map_err(|what| bad(page, what))? else {
                continue;
            };
            let opened = Arc::new(opened);
            opener.remember(memory, page.first_row, &opened);
            take(&opened, *page, inside(page)).map_err(|what| bad(page, what))?;
        }
        Ok(())
    }

    /// The rows of the spans that the rows of a row group of events or links belong to; ascending.
    pub(crate) fn child_rows(
        &self,
        (kind, footer): (FileKind, &Footer),
        group: usize,
        opener: &mut PageOpener,
    ) -> Result<Arc<Vec<u32>>, SegmentError> {
        let part = Part::ChildRows(kind, group as u32);
        self.part(part, || {
            let missing = || SegmentError::corrupt(&self.path(kind), "it has no column \"row\"");
            let place = footer.column("row").ok_or_else(missing)?;
            let all = 0..footer.groups.get(group).map_or(0, |group| group.rows.len());
            let column = self.column((kind, footer), (group, place), &all, opener)?;
            let row = |at| column.number(at).unwrap_or_default() as u32;
            Ok(all.map(row).collect())
        })
    }

    /// Writes the sidecar anew from the Parquet files, durable on return. The bytes are those of the first time, unless
    /// that was an older version of the program.
    pub fn rebuild_sidecar(&self) -> Result<(), SegmentError> {
        if self.meta.id.level == Level::Dropped {
            let path = self.path(FileKind::Index);
            let what = "what it said of dropped traces is nowhere else";
            return Err(SegmentError::corrupt(&path, what));
        }
        let (bytes, _) = self.sidecar_from_data()?;
        // Not in place: whoever has the old one open reads on.
        let path = self.path(FileKind::Index);
        journal::write_file_durably(&*self.files, &path, &bytes)
            .map_err(|e| SegmentError::io("write", &path, e))?;
        if let Some(slot) = self.opened.get(FileKind::Index as usize) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let old = self.owner.swap(self.cache.new_owner(), Ordering::AcqRel);
        self.cache.forget(old);
        Ok(())
    }
}

/// What spans are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RollupOf {
    OperationsByMinute,
    OperationsByHour,
    CallsByMinute,
    CallsByHour,
}

impl RollupOf {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [
        Self::OperationsByMinute,
        Self::OperationsByHour,
        Self::CallsByMinute,
        Self::CallsByHour,
    ];
}

/// Takes an opened page, where it is, and the rows that are wanted of it.
type PageTaker<'a> =
    dyn FnMut(&OpenedPage, PagePlace, Range<usize>) -> Result<(), &'static str> + 'a;

fn chunk_of(
    footer: &Footer,
    (group, place): (usize, usize),
) -> Result<(&ChunkPlace, &ColumnInfo), SegmentError> {
    let chunk = footer
        .groups
        .get(group)
        .and_then(|group| group.chunks.get(place));
    chunk.zip(footer.columns.get(place)).ok_or_else(|| {
        SegmentError::bug(format!("there is no column {place} in row group {group}"))
    })
}
