//! Reads every byte of a segment and says what is wrong with it; rebuilds the sidecar.
//!
//! Promises: what [`Segment::verify`] finds clean is whole: every file has its checksum, every page and section can be
//! read, rows are in the order that follows from their spans, and the sidecar says what the data says.

use journal::read_to_end;

use super::meta::FileKind;
use super::open::Segment;
use super::parts::Parts;
use super::{SegmentError, SegmentErrorKind};
use crate::index::{self, TraceTable};

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
                read_to_end(file).map_err(|source| SegmentError::io("read", &path, source))
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

    /// Whether rows and sidecar are what follows from the spans.
    fn check_content(&self) -> Result<Vec<Damage>, SegmentError> {
        let mut damage = Vec::new();
        let (batch, traces) = self.read_all()?;
        let parts = Parts::new(&batch);
        let spans = FileKind::Spans.name(self.meta().id);
        let mut add = |file: &str, what: String| {
            damage.push(Damage {
                file: file.to_owned(),
                what,
            });
        };
        if let Some(row) = self.misplaced_row(&parts, &traces)? {
            add(
                &spans,
                format!("row {row} is not where the order of spans puts it"),
            );
        }
        let mut described = super::write::describe(&parts, self.meta().id, &self.meta().tenant);
        described.files.clone_from(&self.meta().files);
        if described != *self.meta() {
            add(
                &spans,
                "its bounds or counts are not the manifest's".to_owned(),
            );
        }
        let (wanted, _) = index::build_sidecar(&parts, &described)?;
        let there = read_to_end(self.file(FileKind::Index)?);
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

    /// The first row whose place, depth or parent is not what follows from the spans.
    fn misplaced_row(
        &self,
        parts: &Parts<'_>,
        traces: &TraceTable,
    ) -> Result<Option<usize>, SegmentError> {
        let (arrivals, deltas, depths) = (
            self.numbers("arrival")?,
            self.numbers("parent_delta")?,
            self.numbers("depth")?,
        );
        let order = &parts.order;
        for (row, ((arrival, delta), depth)) in arrivals.iter().zip(deltas).zip(depths).enumerate()
        {
            // The spans of each trace were read by arrival, so the source of a row follows from its arrival.
            let first = u32::try_from(row)
                .ok()
                .and_then(|row| traces.of_row(row))
                .map(|trace| trace.first_row);
            let source = first.map(|first| u64::from(first) + arrival);
            let is_right = order.source.get(row).map(|row| u64::from(*row)) == source
                && order.arrival.get(row).map(|rank| u64::from(*rank)) == Some(*arrival)
                && order.parent_delta.get(row).map(|delta| i64::from(*delta))
                    == Some(delta.cast_signed())
                && order.depth.get(row).map(|depth| u64::from(*depth)) == Some(depth);
            if !is_right {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The bytes of the sidecar that the Parquet files call for, and where its directory begins.
    pub(crate) fn sidecar_from_data(&self) -> Result<(Vec<u8>, usize), SegmentError> {
        let (batch, _) = self.read_all()?;
        let parts = Parts::new(&batch);
        index::build_sidecar(&parts, self.meta())
    }
}
