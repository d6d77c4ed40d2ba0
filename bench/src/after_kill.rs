//! How long a start takes after `kill -9`, when the log holds as many spans as it does before a head is frozen.
//!
//! Promises: the spans are a corpus of their own, sent at full speed and killed right behind the last acknowledgement;
//! after the start some of its traces are asked for, and must be whole.

use std::path::Path;

use anyhow::{Context as _, ensure};
use plumbing::Clock;
use serde::Serialize;
use testkit::corpus::{Corpus, CorpusOptions, write_corpus};

use crate::asking::count_wrong_traces;
use crate::figures::millis;
use crate::load;
use crate::options::{Options, Protocol};
use crate::program::Program;

/// Just under what a head holds by default, 131,072.
const LOGGED_SPANS: u64 = 125_000;

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AfterKill {
    /// Spans that were acknowledged just before the kill.
    pub(crate) logged_spans: u64,
    pub(crate) start_ms: f64,
    /// Traces that were asked for after the start, and those of them that were not whole.
    pub(crate) asked: usize,
    pub(crate) wrong: u64,
}

/// Fills the log, kills the program and starts it again; gives the new one.
pub(crate) fn measure<'a>(
    program: Program<'a>,
    corpus: &CorpusOptions,
    (options, folder): (&Options, &Path),
    clock: &'a dyn Clock,
) -> anyhow::Result<(AfterKill, Program<'a>)> {
    let file = folder.join("logged.bin");
    let corpus = CorpusOptions {
        spans: LOGGED_SPANS.min(options.spans),
        // Other traces than those that are there.
        seed: !options.seed,
        ..corpus.clone()
    };
    let truth = write_corpus(&file, Corpus::new(corpus)?)?;
    let by = (Protocol::Http, options.connections);
    let sent = load::send(&file, &program.addresses, by, clock);
    let sent = sent.with_context(|| program.end_of_log())?;
    program.kill()?;
    ensure!(
        (sent.requests, sent.bytes) == (truth.requests, truth.bytes),
        "{} of {} requests were sent",
        sent.requests,
        truth.requests
    );
    let program = Program::start(options, folder, 3, clock)?;
    let wrong = count_wrong_traces(&program.addresses.query_http, &truth)
        .with_context(|| program.end_of_log())?;
    let after = AfterKill {
        logged_spans: truth.spans,
        start_ms: millis(program.start_up),
        asked: truth.sample.len(),
        wrong,
    };
    Ok((after, program))
}
