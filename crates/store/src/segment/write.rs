//! Writes a segment: a batch in, files on the disk out.
//!
//! Promises
//! - When [`write_segment`] returns, the bytes of all files and their names are durable.
//! - Writing the same batch again yields the same bytes under the same names.
//! - Everything of the batch is in the Parquet files; the sidecar only says where to look.
//!
//! Refuses: a batch without spans.
//!
//! Read next: `parts.rs` for the order of rows, `tables.rs` for the columns, `table.rs` for Parquet,
//! `index/build.rs` for the sidecar.

use std::path::Path;

use journal::{Files, OpenMode};
use model::TenantId;
use model::batch::SpanBatch;

use super::chunk::ChunkWriter;
use super::meta::{FileKind, FileMeta, SegmentId, SegmentMeta};
use super::parts::Parts;
use super::table::TableFile;
use super::tables::Tables;
use super::{SegmentError, SegmentError as Error};
use crate::index;

/// Writes the files of a segment into `dir` and makes them durable, names included.
pub fn write_segment(
    files: &dyn Files,
    dir: &Path,
    id: SegmentId,
    tenant: &TenantId,
    batch: &SpanBatch,
) -> Result<SegmentMeta, SegmentError> {
    if batch.is_empty() {
        return Err(Error::bug("a segment without spans was to be written"));
    }
    let parts = Parts::new(batch);
    let mut meta = describe(&parts, id, tenant);
    let mut writer = ChunkWriter::new()?;
    let name = Name { files, dir, id };
    let table = |kind: FileKind, table: TableFile, meta: &mut SegmentMeta| {
        meta.files
            .push(name.put(kind, &table.bytes, table.footer_start)?);
        Ok::<(), Error>(())
    };
    let tables = Tables {
        parts: &parts,
        id,
        tenant,
    };
    table(FileKind::Spans, tables.spans(&mut writer)?, &mut meta)?;
    if !parts.events.source.is_empty() {
        table(FileKind::Events, tables.events(&mut writer)?, &mut meta)?;
    }
    if !parts.links.source.is_empty() {
        table(FileKind::Links, tables.links(&mut writer)?, &mut meta)?;
    }
    table(
        FileKind::Resources,
        tables.resources(&mut writer)?,
        &mut meta,
    )?;
    let (sidecar, directory_start) = index::build_sidecar(&parts, &meta)?;
    meta.files
        .push(name.put(FileKind::Index, &sidecar, directory_start)?);
    if !plumbing::planted("segment-skip-sync") {
        files
            .sync_dir(dir)
            .map_err(|source| Error::io("sync", dir, source))?;
    }
    Ok(meta)
}

/// Everything that the manifest keeps, but for the files.
pub(crate) fn describe(parts: &Parts<'_>, id: SegmentId, tenant: &TenantId) -> SegmentMeta {
    let spans = parts.batch.spans();
    let bound = |column: &[u64], pick: fn(u64, u64) -> u64| {
        column.iter().copied().reduce(pick).unwrap_or_default()
    };
    SegmentMeta {
        id,
        tenant: tenant.clone(),
        spans: parts.rows() as u64,
        traces: parts.order.traces.len() as u64,
        events: parts.events.source.len() as u64,
        links: parts.links.source.len() as u64,
        min_start: bound(&spans.start, u64::min),
        max_start: bound(&spans.start, u64::max),
        max_trace_start: parts.order.traces.last().map_or(0, |trace| trace.start),
        max_end: bound(&spans.end, u64::max),
        files: Vec::new(),
    }
}

/// Where a segment's files go.
pub(crate) struct Name<'a> {
    pub files: &'a dyn Files,
    pub dir: &'a Path,
    pub id: SegmentId,
}

impl Name<'_> {
    /// Writes one file, durable but for its name.
    pub(crate) fn put(
        &self,
        kind: FileKind,
        bytes: &[u8],
        footer_start: usize,
    ) -> Result<FileMeta, Error> {
        let name = kind.name(self.id);
        let path = self.dir.join(&name);
        let file = self
            .files
            .open(&path, OpenMode::CreateOrTruncate)
            .map_err(|e| Error::io("create", &path, e))?;
        file.write_all_at(&[bytes], 0)
            .map_err(|source| Error::io("write", &path, source))?;
        if !plumbing::planted("segment-skip-sync") {
            file.sync_all()
                .map_err(|source| Error::io("sync", &path, source))?;
        }
        let footer = bytes.get(footer_start..).unwrap_or_default();
        Ok(FileMeta {
            kind,
            name,
            bytes: bytes.len() as u64,
            crc32c: crc32c::crc32c(bytes),
            footer_bytes: footer.len() as u64,
            footer_crc32c: crc32c::crc32c(footer),
        })
    }
}
