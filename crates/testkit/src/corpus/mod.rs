//! Two corpora of OTLP requests, each with the truth about it.
//!
//! *Kind* is a web shop of 20 services whose traces follow a few hundred patterns; *unkind* has short traces in random
//! trees whose values hardly repeat. Figures name the corpus they were measured on; both stay as they are, byte for
//! byte, so that figures stay comparable.
//!
//! Promises
//! - Equal [`CorpusOptions`] give equal bytes (random numbers, logarithms and cosines are the only inputs).
//! - One pass and bounded memory: a shuffling window of at most four requests and one trace is held, and of the truth
//!   about 0.2 bytes a span.
//! - No clock: the first instant is an argument.
//!
//! Refuses: options whose times leave the range of nanoseconds since 1970, requests over [`BATCH_SPANS_MAX`] spans.
//!
//! Read in this order: `catalogue` (who), `trace` and `calls` (how a trace is put together), `shop`, `checkout` and
//! `unkind` (what happens), `stream` (how spans become requests), `truth` and `question` (what is true of them),
//! `record` (the file format).

mod calls;
mod catalogue;
mod checkout;
mod options;
mod question;
mod record;
mod shop;
mod stream;
mod trace;
mod truth;
mod unkind;

#[cfg(test)]
mod tests;

pub use options::{BATCH_SPANS_MAX, CorpusOptions, Profile};
pub use question::{QUESTION_LIMIT, Question};
pub use record::{
    CorpusReader, RECORD_BYTES_MAX, read_corpus, read_truth, truth_path, write_corpus,
};
pub use stream::{Corpus, CorpusRequest};
pub use truth::{OperationTruth, TraceTruth, Truth};
