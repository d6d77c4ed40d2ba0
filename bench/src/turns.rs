//! Asks all kinds of questions in turn, one after the other, while something else goes on: the store changes meanwhile,
//! so only the status of an answer is checked, and that a trace that was acknowledged whole is there.
//!
//! Promises: searches look back an hour from the moment they are asked; traces by id are spread over all rounds that
//! are acknowledged; times are from sending to the last byte. Refuses: judging what an answer holds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use plumbing::Clock;
use serde::Serialize;
use testkit::corpus::{Profile, Question};

use crate::asking::search_path;
use crate::figures::{Spread, Stopwatch, millis, ratio};
use crate::http::Connection;
use crate::pace::Pace;
use crate::questions::questions;
use crate::rounds::Rounds;

/// How far a search looks back, in microseconds.
const LOOK_BACK_US: u64 = 3_600_000_000;
/// No more is asked at rest when it has taken so long, so that slow answers are reported and not endured.
const REST_SECONDS_MAX: u64 = 60;
/// How long it takes at most until an asker that waits notices the end.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Of this service the operations are asked for.
const SERVICE: &str = "web";
/// Another one comes next; spreads traces over rounds and sample.
const STRIDE: usize = 7919;

/// Whoever asks in turn.
#[derive(Debug)]
pub(crate) struct Turns<'a> {
    connection: Connection,
    clock: &'a dyn Clock,
    rounds: &'a Rounds,
    questions: Vec<Question>,
    asked: usize,
    answers: Vec<Turn>,
    wrong: u64,
    first_wrong: Option<String>,
    begin: Stopwatch<'a>,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
struct Turn {
    kind: usize,
    at: Duration,
    ms: f64,
    bytes: u64,
}

/// What came of asking.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Turned {
    /// Each kind in the order of asking.
    pub(crate) kinds: Vec<Timed>,
    /// Searches and traces by id; all answers, where only one kind was asked for.
    pub(crate) all: Option<Spread>,
    /// The same by minute.
    pub(crate) by_minute: Vec<Option<Spread>>,
    /// Answers with a wrong status, and the first of them.
    pub(crate) wrong: u64,
    pub(crate) first_wrong: Option<String>,
}

/// The times of one kind.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Timed {
    pub(crate) name: String,
    pub(crate) over_http: Spread,
    pub(crate) mean_kib: f64,
}

const TRACE: &str = "trace by id";
const ABSENT: &str = "absent id";

impl<'a> Turns<'a> {
    /// Prepares to ask about a load of rounds.
    pub(crate) fn new(
        address: &str,
        (rounds, profile): (&'a Rounds, Profile),
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            connection: Connection::to(address),
            clock,
            rounds,
            questions: questions(profile),
            asked: 0,
            answers: Vec::new(),
            wrong: 0,
            first_wrong: None,
            begin: Stopwatch::start(clock),
        }
    }

    /// Asks each kind so many times, or once when that takes longer than [`REST_SECONDS_MAX`].
    pub(crate) fn ask_times(mut self, times: usize) -> anyhow::Result<Turned> {
        for nth in 0..times * self.kinds() {
            let is_over = self.begin.elapsed().as_secs() >= REST_SECONDS_MAX;
            if is_over && nth >= self.kinds() {
                break;
            }
            self.ask_next()?;
        }
        Ok(self.into_turned())
    }

    /// Asks with a pause behind each answer until it is told to end.
    pub(crate) fn ask_until(mut self, end: &AtomicBool, pause: Duration) -> anyhow::Result<Turned> {
        while !end.load(Ordering::Relaxed) {
            self.ask_next()?;
            self.clock.sleep(pause);
        }
        Ok(self.into_turned())
    }

    /// Asks all kinds but dependencies at a rate, or as fast as the answers come when they take longer, until it is
    /// told to end.
    pub(crate) fn ask_paced(mut self, end: &AtomicBool, per_second: u64) -> anyhow::Result<Turned> {
        let pace = Pace::begin(per_second, self.clock);
        let kinds = self.kinds() - 1;
        while !end.load(Ordering::Relaxed) {
            pace.wait_until(pace.due(self.asked as u64));
            self.ask(self.asked % kinds, self.asked / kinds)?;
        }
        Ok(self.into_turned())
    }

    /// Asks for dependencies alone, each so long after the last one, until it is told to end; never if that is 0.
    pub(crate) fn ask_dependencies(
        mut self,
        end: &AtomicBool,
        every: Duration,
    ) -> anyhow::Result<Turned> {
        let kind = self.kinds() - 1;
        let mut waited = Duration::ZERO;
        while !end.load(Ordering::Relaxed) {
            self.clock.sleep(LOOK_AGAIN);
            waited += LOOK_AGAIN;
            if !every.is_zero() && waited >= every {
                waited = Duration::ZERO;
                // Far longer than the program keeps a connection on which nothing is asked.
                self.connection.close();
                self.ask(kind, self.asked)?;
            }
        }
        Ok(self.into_turned())
    }

    /// Dependencies are the last one.
    fn kinds(&self) -> usize {
        self.questions.len() + 5
    }

    fn ask_next(&mut self) -> anyhow::Result<()> {
        let kinds = self.kinds();
        self.ask(self.asked % kinds, self.asked / kinds)
    }

    fn ask(&mut self, kind: usize, nth: usize) -> anyhow::Result<()> {
        self.asked += 1;
        let (path, expected) = self.path(kind, nth)?;
        let watch = Stopwatch::start(self.clock);
        // That there is no answer, such as one that takes too long, is a wrong answer and no end of the load.
        let answer = self.connection.get(&path);
        let (bytes, wrong) = match &answer {
            Ok(answer) if answer.status == expected => (answer.body.len(), None),
            Ok(answer) => (
                answer.body.len(),
                Some(format!("{} {}", answer.status, answer.excerpt())),
            ),
            Err(error) => (0, Some(error.to_string())),
        };
        self.answers.push(Turn {
            kind,
            at: self.begin.elapsed(),
            ms: millis(watch.elapsed()),
            bytes: bytes as u64,
        });
        if let Some(wrong) = wrong {
            self.wrong += 1;
            self.first_wrong
                .get_or_insert_with(|| format!("{path}: {wrong}"));
        }
        Ok(())
    }

    /// What is asked now, and the status that it must have.
    fn path(&self, kind: usize, nth: usize) -> anyhow::Result<(String, u16)> {
        let now_us = self.clock.unix_nanos() / 1000;
        if let Some(question) = self.questions.get(kind) {
            let path = search_path(question, (now_us - LOOK_BACK_US, now_us + 1));
            return Ok((path, 200));
        }
        Ok(match self.name(kind) {
            TRACE => {
                let spread = nth * STRIDE;
                // Of the last round that was taken some may be under way.
                let whole = self.rounds.taken().saturating_sub(1).max(1);
                let round = spread as u64 % whole;
                let id = self.rounds.sampled_id(round, spread);
                (format!("/api/traces/{}", id.context("no sample")?), 200)
            }
            ABSENT => {
                let absent = &self.rounds.truth.absent_traces;
                let id = absent.get(nth % absent.len().max(1)).context("no sample")?;
                (format!("/api/traces/{id}"), 404)
            }
            "services" => ("/api/services".to_owned(), 200),
            "operations" => (format!("/api/operations?service={SERVICE}"), 200),
            _ => {
                let (end, day) = (now_us / 1000, 86_400_000);
                (format!("/api/dependencies?endTs={end}&lookback={day}"), 200)
            }
        })
    }

    /// Searches come first, then traces by id.
    fn name(&self, kind: usize) -> &str {
        if let Some(question) = self.questions.get(kind) {
            return &question.name;
        }
        match kind - self.questions.len() {
            0 => TRACE,
            1 => ABSENT,
            2 => "services",
            3 => "operations",
            _ => "dependencies",
        }
    }

    fn into_turned(self) -> Turned {
        let times = |is_wanted: &dyn Fn(&Turn) -> bool| {
            let wanted = self.answers.iter().filter(|turn| is_wanted(turn));
            Spread::of(wanted.map(|turn| turn.ms).collect())
        };
        let kinds = (0..self.kinds()).filter_map(|kind| {
            let of_kind = self.answers.iter().filter(|turn| turn.kind == kind);
            let bytes: u64 = of_kind.map(|turn| turn.bytes).sum();
            let over_http = times(&|turn| turn.kind == kind)?;
            Some(Timed {
                name: self.name(kind).to_owned(),
                mean_kib: ratio(bytes, over_http.count as u64 * 1024),
                over_http,
            })
        });
        let first = self.answers.first().map(|turn| turn.kind);
        let is_one_kind = self.answers.iter().all(|turn| Some(turn.kind) == first);
        let is_counted = |turn: &Turn| turn.kind <= self.questions.len() || is_one_kind;
        let minute = |turn: &Turn| turn.at.as_secs() / 60;
        let minutes = self.answers.last().map_or(0, |turn| minute(turn) + 1);
        let by_minute = (0..minutes)
            .map(|nth| times(&|turn| is_counted(turn) && minute(turn) == nth))
            .collect();
        Turned {
            kinds: kinds.collect(),
            all: times(&is_counted),
            by_minute,
            wrong: self.wrong,
            first_wrong: self.first_wrong.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbing::ManualClock;
    use testkit::corpus::CorpusOptions;

    #[test]
    fn every_kind_comes_in_turn_with_the_status_that_it_must_have() {
        let clock = ManualClock::at(1_800_000_000_000_000_000);
        let options = CorpusOptions::new(Profile::Kind, 5000, 1_790_000_000);
        let rounds = Rounds::generate(options).unwrap();
        let turns = Turns::new("127.0.0.1:1", (&rounds, Profile::Kind), &clock);
        let asked: Vec<(String, u16)> = (0..turns.kinds())
            .map(|kind| turns.path(kind, 1).unwrap())
            .collect();
        let searches = asked.iter().filter(|(path, _)| path.contains("&limit=20"));
        assert_eq!(searches.count(), 7);
        for (path, _) in asked.iter().take(7) {
            let window = "start=1799996400000000&end=1800000000000001&";
            assert!(path.contains(window), "{path}");
        }
        let absent = &rounds.truth.absent_traces[1];
        assert_eq!(asked[8], (format!("/api/traces/{absent}"), 404));
        assert!(asked.iter().filter(|(_, status)| *status == 200).count() == 11);
        assert_eq!(turns.name(7), TRACE);
    }
}
