//! What the tests share: small journals, frames that can be told apart, and the model they are checked against.

use journal::{
    Error, Files, Frame, FrameKind, Journal, Level, NewFrame, Options, ReplayReport, SimFiles,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const STORE: u128 = 0x1234_5678_9abc_def0_0f1e_2d3c_4b5a_6978;
pub(crate) const TENANTS: [&str; 3] = ["", "shop", "a tenant whose name is rather long"];
pub(crate) const FILE_BYTES: u64 = 2048;

pub(crate) fn dir() -> &'static Path {
    Path::new("wal")
}

pub(crate) fn small(level: Level) -> Options {
    Options {
        file_bytes: FILE_BYTES,
        spare_files: 2,
        level,
    }
}

/// Opens and collects.
pub(crate) fn open_with(
    files: &SimFiles,
    options: Options,
    floor: u64,
) -> Result<(Journal, Vec<Frame>, ReplayReport), Error> {
    let mut frames = Vec::new();
    let (journal, report) = Journal::open(
        Arc::new(files.clone()),
        dir(),
        STORE,
        options,
        floor,
        &mut |frame| {
            frames.push(frame);
            Ok(())
        },
    )?;
    Ok((journal, frames, report))
}

pub(crate) fn open(files: &SimFiles) -> (Journal, Vec<Frame>, ReplayReport) {
    open_with(files, small(Level::Sync), 0).unwrap()
}

/// A frame's content: all but its sequence follows from the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) number: u32,
    tenant: &'static str,
    payload: Vec<u8>,
}

impl Content {
    pub(crate) fn new(number: u32, len: usize) -> Self {
        let mut random = SmallRng::seed_from_u64(u64::from(number));
        let tenant = TENANTS[number as usize % TENANTS.len()];
        Self {
            number,
            tenant,
            payload: (0..len).map(|_| random.random()).collect(),
        }
    }

    pub(crate) fn frame(&self) -> NewFrame<'_> {
        NewFrame {
            kind: if self.number.is_multiple_of(5) {
                FrameKind::Command
            } else {
                FrameKind::Otlp
            },
            tenant: self.tenant,
            received_unix_nanos: u64::from(self.number) * 1_000_003,
            span_count: self.number,
            payload: &self.payload,
        }
    }

    /// The frame as it must be read back.
    pub(crate) fn read_back(&self, sequence: u64) -> Frame {
        let NewFrame {
            kind,
            tenant,
            received_unix_nanos,
            span_count,
            payload,
        } = self.frame();
        Frame {
            kind,
            tenant: tenant.to_owned(),
            sequence,
            received_unix_nanos,
            span_count,
            payload: payload.to_vec(),
        }
    }
}

pub(crate) fn contents(numbers: std::ops::Range<u32>, len: usize) -> Vec<Content> {
    numbers.map(|number| Content::new(number, len)).collect()
}

pub(crate) fn append(journal: &mut Journal, contents: &[Content]) -> Result<u64, Error> {
    let frames: Vec<NewFrame<'_>> = contents.iter().map(Content::frame).collect();
    journal.append(&frames)
}

/// Files with frames, by name.
pub(crate) fn wal_files(files: &SimFiles) -> Vec<PathBuf> {
    let is_wal = |path: &PathBuf| {
        path.parent() == Some(dir()) && path.extension().is_some_and(|end| end == "wal")
    };
    files
        .paths()
        .into_iter()
        .map(|(path, _)| path)
        .filter(is_wal)
        .collect()
}

pub(crate) fn names(files: &dyn Files) -> Vec<String> {
    files
        .list(dir())
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

/// What the journal has promised.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) acknowledged: BTreeMap<u64, Content>,
    /// What may be there or not, by the sequence it would have.
    pub(crate) attempted: Vec<(u64, Content)>,
    pub(crate) floor: u64,
    pub(crate) next_number: u32,
}

impl Model {
    pub(crate) fn batch(&mut self, random: &mut SmallRng) -> Vec<Content> {
        let count = random.random_range(1..=4);
        let same_len = random.random_range(0..200);
        (0..count)
            .map(|_| {
                self.next_number += 1;
                let len = match random.random_range(0..20) {
                    0 => 3_000,
                    1..8 => random.random_range(0..400),
                    _ => same_len,
                };
                Content::new(self.next_number, len)
            })
            .collect()
    }

    /// Appends, and notes what that promises.
    pub(crate) fn append(
        &mut self,
        journal: &mut Journal,
        batch: Vec<Content>,
    ) -> Result<(), Error> {
        let expected = journal.next_sequence();
        let outcome = append(journal, &batch);
        let numbered = (expected..).zip(batch);
        match outcome {
            Ok(first) => {
                assert_eq!(first, expected);
                self.acknowledged.extend(numbered);
                Ok(())
            }
            Err(failure) => {
                self.attempted.extend(numbered);
                Err(failure)
            }
        }
    }

    /// Checks what a replay gave: everything acknowledged once and in order, of the rest only whole frames.
    pub(crate) fn check(&self, frames: &[Frame], context: &str) {
        for pair in frames.windows(2) {
            assert!(
                pair[0].sequence < pair[1].sequence,
                "{context}: order of {} and {}",
                pair[0].sequence,
                pair[1].sequence
            );
        }
        let found: BTreeMap<u64, &Frame> =
            frames.iter().map(|frame| (frame.sequence, frame)).collect();
        for (sequence, content) in self.acknowledged.range(self.floor..) {
            let frame = found
                .get(sequence)
                .unwrap_or_else(|| panic!("{context}: acknowledged {sequence} is lost"));
            assert_eq!(
                **frame,
                content.read_back(*sequence),
                "{context}: acknowledged {sequence} is wrong"
            );
        }
        for frame in frames
            .iter()
            .filter(|frame| !self.acknowledged.contains_key(&frame.sequence))
        {
            assert!(
                frame.sequence >= self.floor,
                "{context}: {} is below the floor",
                frame.sequence
            );
            let is_whole = self.attempted.iter().any(|(sequence, content)| {
                *sequence == frame.sequence && content.read_back(*sequence) == *frame
            });
            assert!(
                is_whole,
                "{context}: frame {} was never appended so",
                frame.sequence
            );
        }
    }

    /// After a start without failures, what was visited is there for good; the rest is gone for good.
    pub(crate) fn settle(&mut self, frames: &[Frame]) {
        for (sequence, content) in std::mem::take(&mut self.attempted) {
            if frames.contains(&content.read_back(sequence)) {
                self.acknowledged.insert(sequence, content);
            }
        }
    }
}
