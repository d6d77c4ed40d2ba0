//! What lies in the folder of data: bytes by kind of file, and bytes a span by column.
//!
//! Promises: every file is counted once, under the last kind if no other fits; the journal stands apart, because it
//! holds what is not yet frozen and files kept for reuse, and does not grow with the data.
//! The columns are read from the footers of the Parquet files themselves, not from what the program says of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde::Serialize;

use crate::figures::ratio;

/// The kind of file that is no part of the bytes a span.
const JOURNAL: &str = "journal";
const SPANS: &str = "spans";
const SPANS_ENDING: &str = ".spans.parquet";
/// The names of segments that were not merged begin so.
const FRESH: char = 'f';
/// Endings of names, and the kind of file each means; looked through in this order.
const KINDS_BY_ENDING: [(&str, &str); 7] = [
    (SPANS_ENDING, SPANS),
    (".events.parquet", "events"),
    (".links.parquet", "links"),
    (".resources.parquet", "resources"),
    (".tix", "side index"),
    (".wal", JOURNAL),
    (".blob", "large values"),
];
const MANIFEST: &str = "manifest";
const OTHER: &str = "other";
/// Blocks of `stat`, whatever the file system's own are.
const BLOCK_BYTES: u64 = 512;

/// The bytes on the disk.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Disk {
    pub(crate) files: u64,
    /// Segments, by their files of spans.
    pub(crate) segments: u64,
    /// Lengths of files by kind.
    pub(crate) bytes_by_kind: BTreeMap<String, u64>,
    /// All lengths but the journal's.
    pub(crate) bytes_without_journal: u64,
    /// What all files take on the disk, the journal's too.
    pub(crate) bytes_allocated: u64,
    pub(crate) bytes_per_span: f64,
    /// Rows in the files of spans.
    pub(crate) rows: u64,
    /// Bytes a span of each column of the files of spans, compressed, the greatest first.
    pub(crate) columns: Vec<Column>,
}

/// One column of the files of spans.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) bytes_per_span: f64,
}

/// Looks at a folder of data in which so many spans lie; if it is not known how many, as many as there are rows.
pub(crate) fn look(data: &Path, spans: Option<u64>) -> anyhow::Result<Disk> {
    let mut disk = Disk::default();
    let mut columns: BTreeMap<String, u64> = BTreeMap::new();
    for file in files_below(data)? {
        let metadata = file
            .metadata()
            .with_context(|| format!("cannot look at {file:?}"))?;
        let kind = kind_of(file.strip_prefix(data).unwrap_or(&file));
        disk.files += 1;
        disk.bytes_allocated += metadata.blocks() * BLOCK_BYTES;
        *disk.bytes_by_kind.entry(kind.to_owned()).or_default() += metadata.len();
        if kind == SPANS {
            disk.segments += 1;
            disk.rows += add_columns(&file, &mut columns)?;
        }
    }
    let kinds = disk.bytes_by_kind.iter();
    let kept = kinds.filter(|(kind, _)| *kind != JOURNAL);
    disk.bytes_without_journal = kept.map(|(_, bytes)| bytes).sum();
    disk.divide(spans.unwrap_or(disk.rows), columns);
    Ok(disk)
}

impl Disk {
    /// Says what a span takes when there are so many.
    fn divide(&mut self, spans: u64, columns: BTreeMap<String, u64>) {
        self.bytes_per_span = ratio(self.bytes_without_journal, spans);
        self.columns = columns
            .into_iter()
            .map(|(name, bytes)| Column {
                name,
                bytes_per_span: ratio(bytes, spans),
            })
            .collect();
        self.columns
            .sort_by(|left, right| right.bytes_per_span.total_cmp(&left.bytes_per_span));
    }
}

/// Counts the segments that were not merged yet, by the names of their files; those that vanish meanwhile do not count.
pub(crate) fn count_fresh(data: &Path) -> anyhow::Result<u64> {
    let mut fresh = 0;
    for file in files_below(data)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        fresh += u64::from(name.starts_with(FRESH) && name.ends_with(SPANS_ENDING));
    }
    Ok(fresh)
}

/// Gives all files below a folder. The program makes a few levels of folders; links are not followed.
fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {folder:?}"))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

/// Gives the kind of a file from its path below the folder of data.
fn kind_of(path: &Path) -> &'static str {
    let text = path.to_string_lossy();
    let by_ending = KINDS_BY_ENDING
        .iter()
        .find(|(ending, _)| text.ends_with(ending));
    if let Some((_, kind)) = by_ending {
        return kind;
    }
    match text.split('/').next() {
        Some("wal" | "journal") => JOURNAL,
        Some("manifest") => MANIFEST,
        _ => OTHER,
    }
}

/// Adds a file's compressed bytes to its columns; gives its rows.
fn add_columns(file: &Path, columns: &mut BTreeMap<String, u64>) -> anyhow::Result<u64> {
    let named = || format!("cannot read the footer of {file:?}");
    let reader = SerializedFileReader::new(File::open(file).with_context(named)?);
    let reader = reader.with_context(named)?;
    let metadata = reader.metadata();
    for column in metadata
        .row_groups()
        .iter()
        .flat_map(RowGroupMetaData::columns)
    {
        let bytes = u64::try_from(column.compressed_size()).with_context(named)?;
        *columns.entry(column.column_path().string()).or_default() += bytes;
    }
    u64::try_from(metadata.file_metadata().num_rows()).with_context(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_kinds_of_files_apart() {
        let kinds = [
            ("seg/default/20260101/f1.spans.parquet", "spans"),
            ("seg/default/20260101/f1.tix", "side index"),
            ("wal/0000000000000001.wal", JOURNAL),
            ("wal/spare", JOURNAL),
            ("manifest/MANIFEST-1", MANIFEST),
            ("LOCK", OTHER),
        ];
        for (path, kind) in kinds {
            assert_eq!(kind_of(Path::new(path)), kind, "{path}");
        }
    }
}
