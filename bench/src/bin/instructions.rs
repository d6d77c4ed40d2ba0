//! Runs one hot path on fixed input, so that its instructions can be counted: `cargo xtask instructions`.
//!
//! The cases are named in `bench/instructions.txt`; each is a process of its own. Only what runs inside
//! [`counted_region`] is counted (callgrind's `--toggle-collect`), so making the input costs nothing.
//!
//! Promises: the same input on every run (fixed seeds, no clock). Counts of two runs differ by the seeds of hash tables,
//! which come from addresses: by less than 0.1 %.
//! Refuses: input so small that nothing would be counted.

use anyhow::{Context as _, bail, ensure};
use codec::otlp::decode_proto;
use model::batch::{BatchBuilder, SpanBatch};
use testkit::corpus::{Corpus, CorpusOptions, Profile};

/// Spans of the requests that `decode` and `head` take.
const SPANS: u64 = 20_000;
/// Any fixed moment.
const START_UNIX_SECONDS: u64 = 1_790_000_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let case = arguments
        .next()
        .context("which case? see bench/instructions.txt")?;
    match case.as_str() {
        "decode" => decode(Profile::Kind),
        "decode-unkind" => decode(Profile::Unkind),
        "head" => head(),
        _ => bail!("no case {case:?}; see bench/instructions.txt"),
    }
}

/// The only function whose instructions are counted, with all that it calls. Callgrind knows it by its name.
#[inline(never)]
fn counted_region(work: &mut dyn FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    // Without the black box the call would be the last thing and become a jump, which ends the counting.
    std::hint::black_box(work())
}

fn requests(profile: Profile) -> anyhow::Result<Vec<Vec<u8>>> {
    let corpus = Corpus::new(CorpusOptions::new(profile, SPANS, START_UNIX_SECONDS))?;
    Ok(corpus.map(|request| request.bytes).collect())
}

fn decoded(profile: Profile) -> anyhow::Result<Vec<SpanBatch>> {
    let requests = requests(profile)?;
    let batches = requests
        .iter()
        .map(|request| Ok(decode_proto(request)?.batch));
    batches.collect()
}

/// Requests to batches.
fn decode(profile: Profile) -> anyhow::Result<()> {
    let requests = requests(profile)?;
    let mut spans = 0;
    counted_region(&mut || {
        for request in &requests {
            spans += decode_proto(request)?.batch.len() as u64;
        }
        Ok(())
    })?;
    ensure!(spans >= SPANS, "{spans} spans of {SPANS} were decoded");
    Ok(())
}

/// Batches of single requests to the one batch of a head.
fn head() -> anyhow::Result<()> {
    let batches = decoded(Profile::Kind)?;
    let mut builder = BatchBuilder::new();
    counted_region(&mut || {
        for batch in &batches {
            builder.append(batch);
        }
        Ok(())
    })?;
    ensure!(
        builder.len() as u64 >= SPANS,
        "{} spans of {SPANS} are in the head",
        builder.len()
    );
    Ok(())
}
