//! The contract suite: what every store behind `model::contract` must do, written once.
//!
//! A world of spans is written to the store under test and to the [`oracle`](crate::oracle); then both are asked the
//! same questions, each a case. A case that needs what the store declares to lack must be refused with the words of
//! that capability; all others must be answered as the oracle answers, which is told of each span what the store has a
//! place for.
//!
//! Promises: [`run`] reads no clock and needs no runtime; a case that fails says what was asked and both answers.
//! Refuses: being satisfied with less than declared.
//!
//! Read next: `world.rs` for the spans, `searches.rs` and `others.rs` for the questions, `ask.rs` for how answers are
//! compared.

mod ask;
mod others;
mod searches;
mod world;

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use codec::otlp::decode_proto;
use model::SpanBatch;
use model::capability::Capability;
use model::contract::{Answer, IncomingBatch, ReadError, SpanReader, SpanWriter};

use crate::oracle::OracleStore;
use ask::Ask;

/// A store under test.
pub struct Subject<'a> {
    /// What it is called in reports.
    pub name: &'a str,
    /// What keeps spans.
    pub writer: &'a dyn SpanWriter,
    /// What finds them.
    pub reader: &'a dyn SpanReader,
    /// Waits until what was written can be found.
    pub settle: &'a (dyn Fn() -> Answer<'static, ()> + Sync),
    /// What the store has a place for of spans that are written: all, unless its layout is another's.
    pub keeps: &'a (dyn Fn(&SpanBatch) -> SpanBatch + Sync),
    /// When the world's spans begin, ns since the epoch: a whole minute.
    pub base_unix_nanos: u64,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One question, and what a store must be able to do for it.
#[derive(Debug)]
struct Case {
    name: String,
    needs: Option<Capability>,
    ask: Ask,
}

impl Case {
    fn new(name: impl Into<String>, ask: Ask) -> Self {
        Self {
            name: name.into(),
            needs: ask.needs(),
            ask,
        }
    }

    fn needing(mut self, capability: Capability) -> Self {
        self.needs = Some(capability);
        self
    }
}

/// What came of the suite.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was tested.
    pub name: String,
    /// Cases that were answered as they must be.
    pub passed: usize,
    /// Cases that were refused because the store declares to lack something.
    pub lacking: BTreeMap<Capability, usize>,
    /// Cases that failed: their names, and what was answered.
    pub failed: Vec<(String, String)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused: usize = self.lacking.values().sum();
        let all = self.passed + refused + self.failed.len();
        write!(f, "{}: {all} cases, {} passed", self.name, self.passed)?;
        for (capability, cases) in &self.lacking {
            write!(f, ", {cases} refused (can't {capability})")?;
        }
        for (name, why) in &self.failed {
            write!(f, "\n  FAILED {name}: {why}")?;
        }
        Ok(())
    }
}

/// Writes the world and asks all questions.
///
/// # Errors
/// When the world can't be written.
pub async fn run(subject: &Subject<'_>) -> Result<Report, String> {
    let oracle = OracleStore::new();
    for (tenant, request) in world::requests(subject.base_unix_nanos) {
        let otlp = Bytes::from(request);
        let decoded = decode_proto(&otlp).map_err(|error| error.to_string())?;
        oracle.keep(&tenant, &(subject.keeps)(&decoded.batch));
        let written = subject.writer.write(IncomingBatch {
            tenant,
            batch: decoded.batch,
            otlp,
        });
        let written = written.await;
        written.map_err(|error| format!("the world can't be written: {error}"))?;
    }
    (subject.settle)().await;
    let mut report = Report {
        name: subject.name.to_owned(),
        ..Report::default()
    };
    for case in cases(subject.base_unix_nanos) {
        let told = case.ask.of(subject.reader).await;
        let needs = case.needs.filter(|it| subject.reader.lacks().contains(it));
        match (needs, told) {
            (
                Some(lacking),
                Err(ReadError::BadQuestion { reason } | ReadError::NotHere { reason }),
            ) if reason.contains(lacking.words()) => {
                *report.lacking.entry(lacking).or_default() += 1;
            }
            (Some(Capability::Keys), Ok(lines)) if lines == ["all: false"] => {
                *report.lacking.entry(Capability::Keys).or_default() += 1;
            }
            (Some(lacking), told) => {
                let why = format!("it should be refused with {:?}: {told:?}", lacking.words());
                report.failed.push((case.name, why));
            }
            (None, told) => match ask::differ(told, case.ask.of(&oracle).await) {
                None => report.passed += 1,
                Some(why) => report
                    .failed
                    .push((case.name, format!("{why}; {:?}", case.ask))),
            },
        }
    }
    Ok(report)
}

fn cases(base: u64) -> Vec<Case> {
    let mut cases = searches::cases(base);
    cases.extend(others::cases(base));
    cases
}

#[cfg(test)]
mod tests;
