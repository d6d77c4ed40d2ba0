//! The file format of a corpus: records of a little-endian `u32` length and one encoded request, as they are sent.
//!
//! Promises: a file is read one record at a time; what is cut short or too long is an error with its place, and ends
//! the reading. The truth lies beside the corpus as JSON, under the same name with the ending `truth.json`.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use super::{stream::Corpus, truth::Truth};
use crate::Error;

/// The longest record that is read; a longer length is taken for damage.
pub const RECORD_BYTES_MAX: u32 = 256 << 20;

const FILE_BUFFER_BYTES: usize = 1 << 20;

/// Gives the path of the truth of the corpus at this path.
#[must_use]
pub fn truth_path(corpus: &Path) -> PathBuf {
    corpus.with_extension("truth.json")
}

/// Writes what is left of a corpus and its truth beside it, replacing files that are there; gives the truth.
///
/// # Errors
/// [`Error::File`] if a file cannot be written.
pub fn write_corpus(path: &Path, mut corpus: Corpus) -> Result<Truth, Error> {
    let failed = |action: &'static str| {
        move |source| Error::File {
            action,
            path: path.to_owned(),
            source,
        }
    };
    let file = File::create(path).map_err(failed("create"))?;
    let mut out = BufWriter::with_capacity(FILE_BUFFER_BYTES, file);
    for request in &mut corpus {
        write_record(&mut out, &request.bytes).map_err(failed("write"))?;
    }
    out.flush().map_err(failed("write"))?;
    let truth = corpus.into_truth();
    let truth_path = truth_path(path);
    let json = serde_json::to_vec(&truth).map_err(|source| Error::Truth {
        path: truth_path.clone(),
        source,
    })?;
    match std::fs::write(&truth_path, json) {
        Ok(()) => Ok(truth),
        Err(source) => Err(Error::File {
            action: "write",
            path: truth_path,
            source,
        }),
    }
}

fn write_record(out: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(bytes)
}

/// Opens a corpus for reading.
///
/// # Errors
/// [`Error::File`] if it cannot be opened.
pub fn read_corpus(path: &Path) -> Result<CorpusReader, Error> {
    match File::open(path) {
        Ok(file) => {
            let file = BufReader::with_capacity(FILE_BUFFER_BYTES, file);
            Ok(CorpusReader {
                file,
                path: path.to_owned(),
                offset: 0,
                is_done: false,
            })
        }
        Err(source) => Err(Error::File {
            action: "open",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Reads the truth beside the corpus at this path.
///
/// # Errors
/// [`Error::File`] if it cannot be read, [`Error::Truth`] if it is not such a truth.
pub fn read_truth(corpus: &Path) -> Result<Truth, Error> {
    let path = truth_path(corpus);
    match std::fs::read(&path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|source| Error::Truth { path, source }),
        Err(source) => Err(Error::File {
            action: "read",
            path,
            source,
        }),
    }
}

/// The records of a corpus file, one encoded request each, in the order of sending; ends after the first error.
#[derive(Debug)]
pub struct CorpusReader {
    file: BufReader<File>,
    path: PathBuf,
    offset: u64,
    is_done: bool,
}

impl CorpusReader {
    fn read_record(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut length = Vec::with_capacity(4);
        self.read_up_to(4, &mut length)?;
        let length = match <[u8; 4]>::try_from(length.as_slice()) {
            Ok(length) => u32::from_le_bytes(length),
            Err(_) if length.is_empty() => return Ok(None),
            Err(_) => return Err(self.damaged("a length is cut short")),
        };
        if length > RECORD_BYTES_MAX {
            return Err(self.damaged("a record is longer than any request"));
        }
        let mut bytes = Vec::new();
        self.read_up_to(u64::from(length), &mut bytes)?;
        if bytes.len() as u64 != u64::from(length) {
            return Err(self.damaged("a record is cut short"));
        }
        self.offset += 4 + u64::from(length);
        Ok(Some(bytes))
    }

    fn read_up_to(&mut self, bytes: u64, into: &mut Vec<u8>) -> Result<(), Error> {
        match (&mut self.file).take(bytes).read_to_end(into) {
            Ok(_) => Ok(()),
            Err(source) => Err(Error::File {
                action: "read",
                path: self.path.clone(),
                source,
            }),
        }
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged {
            path: self.path.clone(),
            offset: self.offset,
            what,
        }
    }
}

impl Iterator for CorpusReader {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let record = self.read_record();
        self.is_done = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}
