//! Writes a segment: batches in, one row group each, files on the disk out.
//!
//! Promises
//! - When [`SegmentWriter::finish`] returns, the bytes of all files and their names are durable.
//! - Writing the same batches again yields the same bytes under the same names.
//! - Everything of the batches is in the Parquet files; the sidecar only says where to look.
//! - Memory is that of one row group, whatever the segment's size.
//!
//! Refuses: a segment without spans.
//!
//! Read next: `parts.rs` for the order of rows, `tables.rs` for the columns, `table.rs` for Parquet,
//! `index/build.rs` for the sidecar.

use std::path::Path;

use journal::Files;
use model::TenantId;
use model::batch::SpanBatch;

use super::attributes::FileAttributes;
use super::chunk::ChunkWriter;
use super::meta::{FileKind, FileMeta, SegmentId, SegmentMeta};
use super::order::TraceOrder;
use super::parts::{Envelopes, Parts, Shared};
use super::sink::{Place, Sink};
use super::table::{TableColumn, TableWriter};
use super::tables::{Group, entity_refs, envelope_columns, notes};
use super::{SegmentError, SegmentError as Error};
use crate::index::{DroppedBuilder, IndexBuilder};

/// Writes the files of a segment of one batch into `dir` and makes them durable, names included.
pub fn write_segment(
    files: &dyn Files,
    dir: &Path,
    id: SegmentId,
    tenant: &TenantId,
    batch: &SpanBatch,
) -> Result<SegmentMeta, SegmentError> {
    let place = Place { files, dir, id };
    let mut writer = SegmentWriter::new(place, tenant, Shared::new(id.level))?;
    if !batch.is_empty() {
        writer.add(batch, TraceOrder::ByStart)?;
    }
    writer.finish()
}

/// A segment that is being written.
#[derive(Debug)]
pub(crate) struct SegmentWriter<'a> {
    place: Place<'a>,
    tenant: &'a TenantId,
    shared: Shared,
    chunks: ChunkWriter,
    /// Spans, events, links; a file is begun when there is something for it.
    tables: [Option<TableWriter>; 3],
    index: IndexBuilder,
}

const TABLES: [FileKind; 3] = [FileKind::Spans, FileKind::Events, FileKind::Links];

impl<'a> SegmentWriter<'a> {
    pub(crate) fn new(
        place: Place<'a>,
        tenant: &'a TenantId,
        shared: Shared,
    ) -> Result<Self, SegmentError> {
        Ok(Self {
            place,
            tenant,
            shared,
            chunks: ChunkWriter::new()?,
            tables: [None, None, None],
            index: IndexBuilder::default(),
        })
    }

    /// Adds a batch of whole traces as a row group.
    pub(crate) fn add(
        &mut self,
        batch: &SpanBatch,
        traces: TraceOrder,
    ) -> Result<(), SegmentError> {
        let parts = Parts::new(batch, traces, &mut self.shared)?;
        let [spans, ..] = &self.tables;
        let base = spans.as_ref().map_or(0, TableWriter::rows);
        let group = Group::new(&parts, &self.shared, base);
        let rows = [
            parts.rows(),
            parts.events.source.len(),
            parts.links.source.len(),
        ];
        for ((kind, table), rows) in TABLES.into_iter().zip(&mut self.tables).zip(rows) {
            if rows == 0 {
                continue;
            }
            let columns = match kind {
                FileKind::Events => group.events(),
                FileKind::Links => group.links(),
                _ => group.spans(),
            };
            let table = match table {
                Some(table) => table,
                None => table.insert(TableWriter::new(Sink::create(self.place, kind)?, &columns)?),
            };
            table.put_group(&columns, rows, &mut self.chunks)?;
        }
        self.index.add(&parts);
        Ok(())
    }

    /// Ends the files and makes everything durable.
    pub(crate) fn finish(mut self) -> Result<SegmentMeta, SegmentError> {
        let (id, tenant) = (self.place.id, self.tenant);
        let mut meta = self.index.describe(id, tenant);
        if meta.spans == 0 {
            return Err(Error::bug("a segment without spans was to be written"));
        }
        let Shared {
            spans,
            events,
            links,
            envelopes,
            has_own_times: _,
        } = self.shared;
        for (table, attributes) in self.tables.into_iter().zip([spans, events, links]) {
            if let Some(table) = table {
                meta.files
                    .push(table.finish(notes(id, tenant, attributes)?)?);
            }
        }
        let mut envelopes = Envelopes::new(envelopes)?;
        let refs = entity_refs(&envelopes);
        let columns = envelope_columns(&envelopes, &refs);
        let mut table = TableWriter::new(Sink::create(self.place, FileKind::Resources)?, &columns)?;
        let rows = envelopes.batch.resources().len() + envelopes.batch.scopes().len();
        table.put_group(&columns, rows, &mut self.chunks)?;
        drop::<Vec<TableColumn<'_>>>(columns);
        let file = std::mem::replace(&mut envelopes.file, FileAttributes::new(""));
        meta.files.push(table.finish(notes(id, tenant, file)?)?);
        let sidecar = self.index.finish(&envelopes, &meta)?;
        meta.files.push(write_sidecar(self.place, &sidecar)?);
        Ok(meta)
    }
}

/// Writes what is left of dropped traces into `dir` and makes it durable, its name included.
pub(crate) fn write_dropped(
    place: Place<'_>,
    tenant: &TenantId,
    left: DroppedBuilder,
) -> Result<SegmentMeta, SegmentError> {
    let mut meta = left.describe(place.id, tenant);
    let sidecar = left.finish(&meta)?;
    meta.files.push(write_sidecar(place, &sidecar)?);
    Ok(meta)
}

/// Writes the bytes of a sidecar, whose directory begins where it is said, and makes the names of all files durable.
fn write_sidecar(
    place: Place<'_>,
    (bytes, directory_start): &(Vec<u8>, usize),
) -> Result<FileMeta, SegmentError> {
    let mut sink = Sink::create(place, FileKind::Index)?;
    let (sections, directory) = bytes.split_at_checked(*directory_start).unwrap_or_default();
    sink.append(sections)?;
    let about = sink.finish(directory)?;
    if !plumbing::planted("segment-skip-sync") {
        let synced = place.files.sync_dir(place.dir);
        synced.map_err(|source| Error::io("sync", place.dir, source))?;
    }
    Ok(about)
}
