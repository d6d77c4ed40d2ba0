//! Builds the sidecar of a batch that is laid out, and reads back what a sidecar says of its segment.

use std::path::Path;

use journal::{Files, OpenMode, read_to_end};

use super::catalogue::Catalogue;
use super::edges::Edges;
use super::entries::filters_section;
use super::keys::keys_section;
use super::sidecar::{
    CATALOGUE, Directory, EDGES, FILTERS, KEYS, ORPHANS, SUMS, SidecarWriter, TRACE_IDS, TRACES,
};
use super::traces::TraceTable;
use crate::segment::parts::Parts;
use crate::segment::{FileKind, FileMeta, SegmentError, SegmentId, SegmentMeta};

/// The bytes of the sidecar, and where its directory begins. `meta` knows the other files.
pub(crate) fn build_sidecar(
    parts: &Parts<'_>,
    meta: &SegmentMeta,
) -> Result<(Vec<u8>, usize), SegmentError> {
    let mut writer = SidecarWriter::new(meta.id)?;
    let traces = TraceTable::of_parts(parts);
    writer.add(TRACE_IDS, &traces.ids_section())?;
    writer.add(TRACES, &traces.facts_section())?;
    writer.add(FILTERS, &filters_section(parts))?;
    writer.add(KEYS, &keys_section(parts))?;
    let (catalogue, service_of) = Catalogue::of_parts(parts);
    writer.add(CATALOGUE, &catalogue.section())?;
    let edges = Edges::of_parts(parts, &service_of);
    writer.add(EDGES, &edges.edges_section())?;
    writer.add(ORPHANS, &edges.orphans_section())?;
    let mut others = meta.clone();
    others.files.retain(|file| file.kind != FileKind::Index);
    let sums = serde_json::to_vec(&others)
        .map_err(|error| SegmentError::bug(format!("no checksums: {error}")))?;
    writer.add(SUMS, &sums)?;
    Ok(writer.finish())
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
