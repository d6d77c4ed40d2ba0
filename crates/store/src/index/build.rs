//! Builds the sidecar of a segment, row group by row group, and reads back what a sidecar says of its segment.

use std::path::Path;

use journal::{Files, OpenMode, read_to_end};
use model::TenantId;

use super::call_sums::CallSumsBuilder;
use super::catalogue::CatalogueBuilder;
use super::entries::Entries;
use super::keys::KeysBuilder;
use super::patterns::PatternsBuilder;
use super::rollup::RollupsBuilder;
use super::sidecar::{
    CALL_SUMS, CALLS, CATALOGUE, Directory, FILTERS, KEYS, OPERATIONS, PATTERNS, SUMS,
    SidecarWriter, TRACE_FACTS, TRACE_HASHES,
};
use super::traces::TracesBuilder;
use crate::segment::parts::{Envelopes, Parts};
use crate::segment::{FileKind, FileMeta, SegmentError, SegmentId, SegmentMeta};

/// What is known of the row groups so far. Memory is that of the sidecar, and of the values of one granule.
#[derive(Debug, Default)]
pub(crate) struct IndexBuilder {
    rows: usize,
    events: usize,
    links: usize,
    bounds: Option<TimeBounds>,
    traces: TracesBuilder,
    entries: Entries,
    keys: KeysBuilder,
    catalogue: CatalogueBuilder,
    patterns: PatternsBuilder,
    rollups: RollupsBuilder,
    call_sums: CallSumsBuilder,
    /// Whether the spans' own times are known.
    has_own: bool,
}

/// Of all spans.
#[derive(Debug, Clone, Copy)]
struct TimeBounds {
    min_start: u64,
    max_start: u64,
    max_end: u64,
}

impl IndexBuilder {
    /// Adds the next row group.
    pub(crate) fn add(&mut self, parts: &Parts<'_>) {
        let spans = parts.batch.spans();
        for source in parts.order.source.iter().map(|source| *source as usize) {
            let (start, end) = (spans.start.get(source), spans.end.get(source));
            let (start, end) = start.copied().zip(end.copied()).unwrap_or_default();
            let bounds = self.bounds.get_or_insert(TimeBounds {
                min_start: start,
                max_start: start,
                max_end: end,
            });
            bounds.min_start = bounds.min_start.min(start);
            bounds.max_start = bounds.max_start.max(start);
            bounds.max_end = bounds.max_end.max(end);
        }
        self.traces.add(parts);
        self.entries.add(parts, self.rows);
        self.keys.add(parts, self.rows);
        let operations = self.catalogue.add(parts);
        self.patterns.add(parts, &operations);
        self.rollups.add(parts, &operations, self.rows);
        self.call_sums.add(parts, &operations);
        self.has_own = parts.own_times.is_some();
        self.rows += parts.rows();
        self.events += parts.events.source.len();
        self.links += parts.links.source.len();
    }

    /// Everything that the manifest keeps, but for the files.
    pub(crate) fn describe(&self, id: SegmentId, tenant: &TenantId) -> SegmentMeta {
        let bounds = self.bounds;
        SegmentMeta {
            id,
            tenant: tenant.clone(),
            version: SegmentMeta::VERSION,
            spans: self.rows as u64,
            traces: self.traces.len() as u64,
            events: self.events as u64,
            links: self.links as u64,
            min_start: bounds.map_or(0, |bounds| bounds.min_start),
            max_start: bounds.map_or(0, |bounds| bounds.max_start),
            max_trace_start: self.traces.max_start(),
            max_end: bounds.map_or(0, |bounds| bounds.max_end),
            files: Vec::new(),
        }
    }

    /// The bytes of the sidecar, and where its directory begins. `meta` knows the other files.
    pub(crate) fn finish(
        self,
        envelopes: &Envelopes,
        meta: &SegmentMeta,
    ) -> Result<(Vec<u8>, usize), SegmentError> {
        let mut writer = SidecarWriter::new(meta.id)?;
        let bounds = self.traces.bounds();
        let (hashes, facts) = self.traces.sections();
        writer.add(TRACE_HASHES, &hashes)?;
        writer.add(TRACE_FACTS, &facts)?;
        drop((hashes, facts));
        writer.add(FILTERS, &self.entries.section(self.rows))?;
        writer.add(KEYS, &self.keys.section(envelopes, self.rows))?;
        let (catalogue, places) = self.catalogue.finish();
        writer.add(CATALOGUE, &catalogue.section())?;
        drop(catalogue);
        writer.add(PATTERNS, &self.patterns.section(&places))?;
        let (operations, calls) = self.rollups.sections(self.has_own, &places);
        writer.add(OPERATIONS, &operations)?;
        writer.add(CALLS, &calls)?;
        writer.add(CALL_SUMS, &self.call_sums.section(bounds.as_ref(), &places))?;
        let mut others = meta.clone();
        others.files.retain(|file| file.kind != FileKind::Index);
        let sums = serde_json::to_vec(&others)
            .map_err(|error| SegmentError::bug(format!("no checksums: {error}")))?;
        writer.add(SUMS, &sums)?;
        Ok(writer.finish())
    }
}

/// What the sidecar in `dir` says of its segment: what the manifest would have said, had it not been lost.
pub(crate) fn read_meta(
    files: &dyn Files,
    dir: &Path,
    id: SegmentId,
) -> Result<SegmentMeta, SegmentError> {
    let name = FileKind::Index.name(id);
    let path = dir.join(&name);
    let io = |source| SegmentError::io("read", &path, source);
    let file = files.open(&path, OpenMode::Read).map_err(io)?;
    let directory = Directory::read(&*file, &path, id)?;
    let sums = directory.section(&*file, &path, SUMS)?;
    let sums = sums.ok_or_else(|| SegmentError::corrupt(&path, "it has no checksums"))?;
    let meta: Result<SegmentMeta, _> = serde_json::from_slice(&sums);
    let mut meta = meta.map_err(|error| {
        SegmentError::corrupt(&path, format!("its checksums can't be read: {error}"))
    })?;
    let bytes = read_to_end(&*file).map_err(io)?;
    let footer_bytes = usize::try_from(directory.footer_bytes).unwrap_or(usize::MAX);
    let footer = bytes
        .len()
        .checked_sub(footer_bytes)
        .and_then(|start| bytes.get(start..))
        .unwrap_or_default();
    meta.files.push(FileMeta {
        kind: FileKind::Index,
        name,
        bytes: bytes.len() as u64,
        crc32c: crc32c::crc32c(&bytes),
        footer_bytes: directory.footer_bytes,
        footer_crc32c: crc32c::crc32c(footer),
    });
    Ok(meta)
}
