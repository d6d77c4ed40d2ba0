//! How long searches take while spans come as fast as they are taken.
//!
//! A load of its own behind all others, on the store that they left: corpus after corpus at full speed for
//! [`SECONDS`], and one asker that asks all kinds in turn with a short pause behind each answer. It takes processor
//! time from the load, so no figure of the load is quoted from here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use plumbing::Clock;
use serde::Serialize;
use testkit::corpus::Profile;

use crate::figures::Stopwatch;
use crate::load;
use crate::options::{Options, Protocol};
use crate::program::Program;
use crate::rounds::Rounds;
use crate::turns::{Turned, Turns};

/// Long enough for some hundred answers.
const SECONDS: u64 = 20;
const PAUSE: Duration = Duration::from_millis(50);
/// A round is kept in memory.
const ROUND_SPANS: u64 = 1_000_000;
/// About as long as a round takes.
const ROUND_SECONDS: u64 = 2;

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FullLoad {
    pub(crate) seconds: f64,
    /// Requests of 1,000 spans that were acknowledged.
    pub(crate) requests: u64,
    pub(crate) sent_back: u64,
    pub(crate) searches: Turned,
}

/// Sends and asks.
pub(crate) fn measure(
    program: &Program<'_>,
    (options, profile): (&Options, Profile),
    clock: &dyn Clock,
) -> anyhow::Result<FullLoad> {
    let seed = options.seed.wrapping_add(1);
    let corpus = (profile, seed, options.spans.min(ROUND_SPANS));
    let rounds = Rounds::taking(ROUND_SECONDS, corpus, clock)?;
    let (addresses, by) = (&program.addresses, (Protocol::Http, options.connections));
    // Of the first round all traces are there before one is asked for.
    load::send_rounds(&rounds, addresses, by, clock, || rounds.taken() < 1)?;
    let is_over = AtomicBool::new(false);
    let (sent, searches) = std::thread::scope(|scope| {
        let turns = Turns::new(&addresses.query_http, (&rounds, profile), clock);
        let asking = scope.spawn(|| turns.ask_until(&is_over, PAUSE));
        let watch = Stopwatch::start(clock);
        let goes_on = || watch.elapsed().as_secs() < SECONDS;
        let sent = load::send_rounds(&rounds, addresses, by, clock, goes_on);
        is_over.store(true, Ordering::Relaxed);
        let searches = asking
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the asker panicked")));
        (sent, searches)
    });
    let sent = sent?;
    Ok(FullLoad {
        seconds: sent.wall.as_secs_f64(),
        requests: sent.requests,
        sent_back: sent.sent_back,
        searches: searches?,
    })
}
