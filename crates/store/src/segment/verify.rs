//! Reads every byte of a segment and says what is wrong with it; rebuilds the sidecar.
//!
//! Promises: what [`Segment::verify`] finds clean is whole: every file has its checksum, every page and section can be
//! read, rows are in the order that follows from their spans, and the sidecar says what the data says.

use journal::read_to_end;

use super::meta::{FileKind, Level, SegmentMeta};
use super::open::Segment;
use super::order::TraceOrder;
use super::parts::{Envelopes, Parts, Shared};
use super::{SegmentError, SegmentErrorKind};
use crate::index::sidecar::Directory;
use crate::index::{IndexBuilder, TraceTable};

/// Something that is wrong with a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file's name.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

impl Segment {
    /// What is wrong with the segment; nothing when it is whole. Reads every byte.
    ///
    /// *Errors*: only what keeps it from telling, such as a disk that refuses to read.
    pub fn verify(&self) -> Result<Vec<Damage>, SegmentError> {
        let mut damage = Vec::new();
        for about in &self.meta().files {
            let mut add = |what: &str| {
                damage.push(Damage {
                    file: about.name.clone(),
                    what: what.to_owned(),
                });
            };
            let read = self.file(about.kind).and_then(|file| {
                let path = self.path(about.kind);
                read_to_end(&*file).map_err(|source| SegmentError::io("read", &path, source))
            });
            match read {
                Ok(bytes) if bytes.len() as u64 != about.bytes => {
                    add("its length is not the manifest's");
                }
                Ok(bytes) if crc32c::crc32c(&bytes) != about.crc32c => add("its checksum is wrong"),
                Ok(_) => {}
                Err(error) if error.kind() == SegmentErrorKind::Corrupt => add(&error.to_string()),
                Err(error) => return Err(error),
            }
        }
        let checked = self.check_content();
        match checked {
            Ok(found) => damage.extend(found),
            Err(SegmentError::Corrupt { file, what }) => {
                let file = file
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                damage.push(Damage { file, what });
            }
            Err(error) => return Err(error),
        }
        Ok(damage)
    }

    /// The stored bytes of every column and section, by file and name: `spans.name`, `index.KVFG`, and for footers
    /// `spans.(footer)`.
    pub fn column_bytes(&self) -> Result<Vec<(String, u64)>, SegmentError> {
        let mut bytes = Vec::new();
        for about in &self.meta().files {
            if about.kind == FileKind::Index {
                let sections = &self.directory()?.sections;
                let named = |tag: &[u8]| format!("index.{}", String::from_utf8_lossy(tag));
                bytes.extend(
                    sections
                        .iter()
                        .map(|section| (named(&section.tag), section.stored_bytes)),
                );
                bytes.push(("index.(footer)".to_owned(), about.footer_bytes));
                continue;
            }
            let table = about.kind.suffix().trim_end_matches(".parquet");
            let Some(footer) = self.footer(about.kind)? else {
                continue;
            };
            for (at, column) in footer.columns.iter().enumerate() {
                let chunks = footer
                    .groups
                    .iter()
                    .filter_map(|group| group.chunks.get(at));
                bytes.push((
                    format!("{table}.{}", column.name),
                    chunks.map(|chunk| chunk.bytes).sum(),
                ));
            }
            bytes.push((format!("{table}.(footer)"), about.footer_bytes));
        }
        Ok(bytes)
    }

    /// Whether every section of the sidecar has its checksum: that of a sidecar which a newer version made again.
    pub(crate) fn has_sound_sections(&self) -> Result<bool, SegmentError> {
        let (file, path) = (self.file(FileKind::Index)?, self.path(FileKind::Index));
        let is_sound = |read: Result<(), SegmentError>| match read {
            Err(error) if error.kind() == SegmentErrorKind::Corrupt => Ok(false),
            read => read.map(|()| true),
        };
        // From the file: what is in the cache was sound when it was read.
        let read = Directory::read(&*file, &path, self.meta().id).and_then(|directory| {
            let mut tags = directory.sections.iter().map(|section| section.tag);
            tags.try_for_each(|tag| directory.section(&*file, &path, tag).map(drop))
        });
        is_sound(read)
    }

    /// Whether rows and sidecar are what follows from the spans.
    fn check_content(&self) -> Result<Vec<Damage>, SegmentError> {
        let mut damage = Vec::new();
        if self.meta().id.level == Level::Dropped {
            // There is nothing that it could be compared with.
            self.dropped()?;
            self.dropped_calls()?;
            return Ok(damage);
        }
        let spans = FileKind::Spans.name(self.meta().id);
        let mut add = |file: &str, what: String| {
            damage.push(Damage {
                file: file.to_owned(),
                what,
            });
        };
        let stored = StoredOrder {
            arrival: self.numbers("arrival")?,
            parent_delta: self.numbers("parent_delta")?,
            depth: self.numbers("depth")?,
        };
        let mut misplaced = None;
        let (index, shared) = self.index_from_data(&mut |parts, traces, base| {
            misplaced = misplaced.or_else(|| stored.misplaced_row(parts, traces, base));
        })?;
        if let Some(row) = misplaced {
            add(
                &spans,
                format!("row {row} is not where the order of spans puts it"),
            );
        }
        let mut described = index.describe(self.meta().id, &self.meta().tenant);
        described.files.clone_from(&self.meta().files);
        described.version = self.meta().version;
        if described != *self.meta() {
            add(
                &spans,
                "its bounds or counts are not the manifest's".to_owned(),
            );
        }
        if self.meta().version < SegmentMeta::VERSION {
            // What an older version would have written is not known any more; its checksums are right.
            return Ok(damage);
        }
        let (wanted, _) = index.finish(&Envelopes::new(shared.envelopes)?, &described)?;
        let there = read_to_end(&*self.file(FileKind::Index)?);
        let there = there
            .map_err(|source| SegmentError::io("read", &self.path(FileKind::Index), source))?;
        if there != wanted {
            add(
                &FileKind::Index.name(self.meta().id),
                "it is not what the data says; rebuild it".to_owned(),
            );
        }
        Ok(damage)
    }

    /// The sidecar's content as it follows from the Parquet files, row group by row group; `look` sees each with the
    /// rows of the traces and its first row.
    fn index_from_data(
        &self,
        look: &mut dyn FnMut(&Parts<'_>, &TraceTable, usize),
    ) -> Result<(IndexBuilder, Shared), SegmentError> {
        let traces = TraceTable::of_runs(&self.trace_runs()?)
            .ok_or_else(|| SegmentError::bug("a segment has too many rows"))?;
        let level = self.meta().id.level;
        let (mut index, mut shared) = (IndexBuilder::default(), Shared::new(level));
        for group in &self.spans_footer()?.groups {
            let batch = self.read_with(&traces, std::slice::from_ref(&group.rows), true)?;
            // Columns are of no interest here, so that each row group may have others.
            let envelopes = std::mem::take(&mut shared.envelopes);
            shared = Shared {
                envelopes,
                ..Shared::new(level)
            };
            let parts = Parts::new(&batch, TraceOrder::AsGiven, &mut shared)?;
            look(&parts, &traces, group.rows.start);
            index.add(&parts);
        }
        Ok((index, shared))
    }

    /// Gives the rows of the segment as they were when it was written, row group by row group, each with its first row.
    pub(crate) fn each_part(
        &self,
        look: &mut dyn FnMut(&Parts<'_>, usize),
    ) -> Result<(), SegmentError> {
        self.index_from_data(&mut |parts, _, base| look(parts, base))?;
        Ok(())
    }

    /// The bytes of the sidecar that the Parquet files call for, and where its directory begins.
    pub(crate) fn sidecar_from_data(&self) -> Result<(Vec<u8>, usize), SegmentError> {
        let (index, shared) = self.index_from_data(&mut |_, _, _| ())?;
        let mut meta = self.meta().clone();
        meta.version = SegmentMeta::VERSION;
        index.finish(&Envelopes::new(shared.envelopes)?, &meta)
    }
}

/// Where the columns say that spans stand; by row of the segment.
struct StoredOrder {
    arrival: Vec<u64>,
    parent_delta: Vec<u64>,
    depth: Vec<u64>,
}

impl StoredOrder {
    /// The first row of a row group whose place, depth or parent is not what follows from the spans.
    fn misplaced_row(&self, parts: &Parts<'_>, traces: &TraceTable, base: usize) -> Option<usize> {
        let order = &parts.order;
        let is_wrong = |row: &usize| {
            let (at, in_file) = (*row, base + row);
            let arrival = self.arrival.get(in_file).copied().unwrap_or_default();
            // The spans of each trace were read by arrival, so the source of a row follows from its arrival.
            let trace = u32::try_from(in_file)
                .ok()
                .and_then(|row| traces.of_row(row));
            let first = trace.map(|trace| u64::from(trace.first_row));
            let source = first.map(|first| first + arrival);
            let is_right = order
                .source
                .get(at)
                .map(|row| base as u64 + u64::from(*row))
                == source
                && order.arrival.get(at).map(|rank| u64::from(*rank)) == Some(arrival)
                && order.parent_delta.get(at).map(|delta| i64::from(*delta))
                    == self.parent_delta.get(in_file).map(|d| d.cast_signed())
                && order.depth.get(at).map(|depth| u64::from(*depth))
                    == self.depth.get(in_file).copied();
            !is_right
        };
        (0..parts.rows()).find(is_wrong).map(|row| base + row)
    }
}
