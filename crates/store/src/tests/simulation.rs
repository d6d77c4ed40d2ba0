//! Random lives of a store, each from a seed: requests, freezes, retention, deaths, power cuts, full disks, failing
//! files and jumps of the clock, against the plain store.
//!
//! `TRACKWAY_SEED` replays one seed, `TRACKWAY_SIMULATION_SEEDS` says how many are tried.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use journal::{Fault, FaultScope};
use model::contract::{Kept, TraceJudge, Verdict, WholeTrace};
use model::{TenantId, TraceId};
use plumbing::Clock;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::machine::{Machine, options, spec};
use super::traffic::{SpanSpec, Traffic, decode, encode, ids, incoming, tenant};
use super::truth::{Key, Truth, keys};
use crate::engine::lock;
use crate::finalise::When;
use crate::options::StoreOptions;
use crate::segment::Level;

const SEEDS: u64 = 200;
const ACTIONS_MAX: usize = 90;

struct Life {
    rng: SmallRng,
    machine: Machine,
    traffic: Traffic,
    truth: Truth,
    /// A failure may still be planned.
    has_plans: bool,
    /// Where there is a judge: traces that it would drop, and that stay, since some of them was pinned or too long.
    kept: BTreeSet<(TenantId, TraceId)>,
    is_judged: bool,
}

/// Drops every other trace.
#[derive(Debug)]
struct ById;

fn is_to_drop(trace_id: TraceId) -> bool {
    trace_id.0[15] & 1 == 1
}

impl TraceJudge for ById {
    fn policies(&self) -> Vec<String> {
        vec!["odd".to_owned(), "even".to_owned()]
    }

    fn judge(&self, trace: &WholeTrace<'_>) -> Verdict {
        let is_kept = !is_to_drop(trace.trace_id);
        let policy = usize::from(is_kept);
        Verdict { is_kept, policy }
    }
}

impl Life {
    fn new(seed: u64, is_judged: bool) -> Self {
        let rng = SmallRng::seed_from_u64(seed);
        let judge = is_judged.then(|| Arc::new(ById) as Arc<dyn TraceJudge>);
        Self {
            rng,
            machine: Machine::with(StoreOptions { judge, ..options() }),
            traffic: Traffic::default(),
            truth: Truth::new(is_judged),
            has_plans: false,
            kept: BTreeSet::new(),
            is_judged,
        }
    }

    fn act(&mut self) {
        match self.rng.random_range(0..100) {
            0..45 => self.commit(),
            45..48 => drop(self.finalise(When::Due)),
            48..50 => drop(self.finalise(When::NOW)),
            50..58 => drop(self.machine.freeze(false)),
            58..64 => drop(self.machine.freeze(true)),
            64..67 => self.expire(),
            67..69 => self.pin(),
            69..74 => self
                .machine
                .clock
                .advance(Duration::from_secs(self.rng.random_range(1..20))),
            74..76 => self
                .machine
                .clock
                .advance(Duration::from_secs(60 * self.rng.random_range(1..70))),
            76..77 => drop(self.machine.engine().scrub(20_000)),
            77..80 => drop(lock(&self.machine.engine().journal).prepare_spare()),
            80..84 => self.full_disk(),
            84..88 => self.failing_file(),
            88..92 => self.start_again(false),
            92..97 => self.start_again(true),
            _ => self.look(),
        }
    }

    fn commit(&mut self) {
        let now = self.machine.now();
        let mut group: Vec<(TenantId, Bytes)> = Vec::new();
        for _ in 0..self.rng.random_range(1..5) {
            let of = self.rng.random_range(0..2);
            group.push((tenant(of), self.traffic.request(&mut self.rng, of, now)));
        }
        let batches = group
            .iter()
            .map(|(tenant, otlp)| incoming(tenant, otlp))
            .collect();
        let answers = self.machine.engine().commit(batches);
        assert_eq!(answers.len(), group.len());
        for ((tenant, otlp), answer) in group.iter().zip(answers) {
            // What is known to have been kept is not stored again, also when it was dropped since.
            let is_known = |kept: &Kept| kept.spans == 0 && kept.duplicate_spans > 0;
            if self.is_judged && answer.as_ref().is_ok_and(is_known) {
                continue;
            }
            self.truth.note(tenant, otlp, answer.is_ok());
        }
    }

    fn expire(&mut self) {
        let engine = self.machine.engine();
        let now = self.machine.now();
        let age_max = u64::try_from(engine.options.retention_age.as_nanos()).unwrap();
        let all = || -> Vec<_> {
            lock(&engine.state)
                .tenants
                .values()
                .flat_map(|t| t.segments.to_vec())
                .collect()
        };
        let is_old = |created: u64| now.saturating_sub(created) > age_max;
        let before = all();
        // Read first: afterwards their files are gone. A fault may be waiting for these reads, too.
        let old: Vec<_> = before
            .iter()
            .filter(|placed| is_old(placed.listed.created_unix_nanos))
            .collect();
        let spans: Vec<_> = old
            .iter()
            .filter_map(|placed| Some((*placed, placed.segment.read_all().ok()?)))
            .collect();
        if spans.len() < old.len() {
            return;
        }
        let result = engine.expire();
        let after = all();
        let is_left = |id, tenant: &TenantId| {
            after
                .iter()
                .any(|p| p.listed.meta.id == id && p.listed.meta.tenant == *tenant)
        };
        for placed in &before {
            let meta = &placed.listed.meta;
            let is_removed = !is_left(meta.id, &meta.tenant);
            assert!(
                !is_removed || is_old(placed.listed.created_unix_nanos),
                "{} was removed too early",
                meta.id
            );
        }
        for (placed, spans) in &spans {
            let meta = &placed.listed.meta;
            if result.is_err() {
                self.truth.note_removed(&meta.tenant, spans, false);
            } else if !is_left(meta.id, &meta.tenant) {
                self.truth.note_removed(&meta.tenant, spans, true);
            }
        }
        // The same span may lie elsewhere as well.
        let names: Vec<TenantId> = lock(&engine.state).tenants.keys().cloned().collect();
        for name in names {
            let view = engine.view(&name);
            view.chunks
                .iter()
                .for_each(|chunk| self.truth.still_there(&name, &chunk.batch));
            for placed in view.segments.iter() {
                // A fault that waits for this read comes once.
                let spans = placed.segment.read_all();
                let spans = spans.or_else(|_| placed.segment.read_all()).unwrap();
                self.truth.still_there(&name, &spans);
            }
        }
    }

    /// Pins or unpins one of the traces that came lately, or one of which nothing is there.
    fn pin(&mut self) {
        let of = self.rng.random_range(0..2);
        let number = self.rng.random_range(0..self.traffic.traces() + 3);
        let of = (tenant(of), TraceId(ids().trace(number)));
        let engine = self.machine.engine();
        if self.rng.random_bool(0.7) {
            let is_pinned = engine.pin(&of.0, of.1).map_err(drop);
            self.truth.note_pin(of, is_pinned);
        } else {
            let pins = engine.pins(&of.0);
            let trace_id = match pins.len() {
                0 => of.1,
                len => pins[self.rng.random_range(0..len)].trace_id,
            };
            let was_pinned = engine.unpin(&of.0, trace_id).map_err(drop);
            self.truth.note_unpin((of.0, trace_id), was_pinned);
        }
    }

    /// Merges what is due, or all; tells whether all went well. Whole traces leave, and none that must stay.
    fn finalise(&mut self, when: When) -> bool {
        if !self.is_judged {
            return self.machine.finalise(when);
        }
        loop {
            let before = self.to_drop();
            let result = self.machine.engine().finalise(when, &|| false);
            let after = self.to_drop();
            for (of, keys) in &before {
                let left = after.get(of);
                let is_left = |key: &&Key| left.is_some_and(|left| left.contains(*key));
                let gone: Vec<&Key> = keys.iter().filter(|key| !is_left(key)).collect();
                if result.is_err() {
                    assert!(gone.is_empty(), "{of:?} left half-way");
                    self.truth.note_perhaps_dropped(keys.iter());
                } else if !gone.is_empty() {
                    self.truth.note_dropped(gone.into_iter());
                    let levels = self.levels(of);
                    let is_decided = |level: &Level| !matches!(level, Level::Fresh | Level::Open);
                    assert!(
                        !levels.iter().any(is_decided),
                        "half of {of:?} stays in {levels:?}"
                    );
                }
            }
            for of in before.keys() {
                let levels = self.levels(of);
                let is_merged = levels.contains(&Level::Merged);
                let is_piece = levels.contains(&Level::Piece) || levels.contains(&Level::Pinned);
                if is_piece || is_merged && self.truth.may_be_pinned(of) {
                    self.kept.insert(of.clone());
                }
                assert!(!is_merged || self.kept.contains(of), "{of:?} had to leave");
            }
            match result {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => return false,
            }
        }
    }

    /// The spans that are shown of traces that the judge drops.
    fn to_drop(&self) -> BTreeMap<(TenantId, TraceId), HashSet<Key>> {
        let traces = self.truth.traces().into_iter();
        let all =
            traces.flat_map(|(tenant, ids)| ids.into_iter().map(move |id| (tenant.clone(), id)));
        let mut shown = BTreeMap::new();
        for (tenant, id) in all.filter(|(_, id)| is_to_drop(*id)) {
            // A fault that waits for this read comes once.
            let read = || {
                let answer = self.machine.engine().trace(&tenant, id).ok()?;
                answer.skipped.is_empty().then_some(answer.spans)
            };
            let spans = read().or_else(read).unwrap();
            if !spans.is_empty() {
                let of_trace = keys(&tenant, &spans).collect();
                shown.insert((tenant, id), of_trace);
            }
        }
        shown
    }

    /// The levels of the segments that have spans of a trace.
    fn levels(&self, (tenant, id): &(TenantId, TraceId)) -> Vec<Level> {
        let view = self.machine.engine().view(tenant);
        let found = view.segments.iter().filter(|placed| {
            let find = || placed.segment.find_trace(*id);
            find().or_else(|_| find()).unwrap().is_some()
        });
        found.map(|placed| placed.listed.meta.id.level).collect()
    }

    fn full_disk(&mut self) {
        let used: u64 = self.machine.files.paths().iter().map(|(_, len)| len).sum();
        let room = if self.rng.random_bool(0.5) {
            u64::MAX
        } else {
            used + self.rng.random_range(0..20_000)
        };
        self.machine.files.set_capacity(room);
    }

    fn failing_file(&mut self) {
        self.has_plans = true;
        if self.rng.random_bool(0.4) {
            self.machine.files.fail_sync(FaultScope::Once);
        } else {
            let nth = self.rng.random_range(1..40);
            self.machine
                .files
                .fail_operation(nth, Fault::IO, FaultScope::Once);
        }
    }

    fn start_again(&mut self, is_power_cut: bool) {
        if is_power_cut {
            self.machine.cut_power(self.rng.random());
        } else {
            self.machine.kill();
        }
        // A planned failure may stop one start, but not the next; a full disk stops none. A start whose sync failed
        // shows what was not acknowledged and is not durable: only the next one makes it so.
        let has_failed = self.machine.open().is_err();
        if has_failed || std::mem::take(&mut self.has_plans) {
            self.machine.files.clear_faults();
            self.machine.restart();
        }
        self.truth.settle(self.machine.engine());
        self.truth.check_pins(self.machine.engine(), true);
        self.look();
    }

    fn look(&mut self) {
        self.machine.files.clear_faults();
        self.has_plans = false;
        self.truth.check_pins(self.machine.engine(), false);
        self.truth.compare(self.machine.engine(), &mut self.rng);
    }

    /// All deferred work is done: a trace lies in one segment, unless it came late or is long.
    fn check_whole(&self) {
        let engine = self.machine.engine();
        let state = lock(&engine.state);
        let placed = state.tenants.values().flat_map(|t| t.segments.iter());
        for placed in placed {
            let level = placed.listed.meta.id.level;
            let is_last = matches!(level, Level::Merged | Level::Piece | Level::Pinned);
            assert!(is_last, "{level:?}");
        }
    }

    fn finish(&mut self) {
        self.machine.files.set_capacity(u64::MAX);
        self.machine.files.clear_faults();
        self.start_again(true);
        self.machine.check_files(true);
        assert!(self.machine.freeze(true));
        self.look();
        self.machine.check_files(false);
        assert!(self.finalise(When::NOW));
        self.look();
        self.check_whole();
        if !self.is_judged {
            self.truth.compare_rates(self.machine.engine());
        }
        self.machine.check_files(false);
        self.start_again(true);
    }
}

fn live(seed: u64, is_judged: bool) -> (usize, u64) {
    let mut life = Life::new(seed, is_judged);
    let actions = life.rng.random_range(10..ACTIONS_MAX);
    for _ in 0..actions {
        life.act();
        if life
            .machine
            .engine()
            .is_fatal
            .load(std::sync::atomic::Ordering::Acquire)
        {
            life.start_again(false);
        }
    }
    life.finish();
    (life.truth.kept_spans(), life.machine.clock.unix_nanos())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn live_all(is_judged: bool) {
    let seeds = match number("TRACKWAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TRACKWAY_SIMULATION_SEEDS").unwrap_or(SEEDS),
    };
    let mut kept = 0;
    for seed in seeds {
        match catch_unwind(AssertUnwindSafe(|| live(seed, is_judged))) {
            Ok((spans, _)) => kept += spans,
            Err(panic) => {
                eprintln!(
                    "replay: TRACKWAY_SEED={seed} cargo test --profile ci -p store random_lives"
                );
                resume_unwind(panic);
            }
        }
    }
    assert!(kept > 0);
}

#[test]
fn random_lives_lose_nothing_and_answer_as_the_plain_store_does() {
    live_all(false);
}

#[test]
fn random_lives_with_a_judge_drop_whole_traces_and_none_that_must_stay() {
    live_all(true);
}

#[test]
fn the_same_seed_lives_the_same_life() {
    assert_eq!(live(11, false), live(11, false));
    assert_eq!(live(11, true), live(11, true));
}

#[test]
fn keys_tell_spans_of_the_same_ids_and_another_content_apart() {
    let spec = spec(1, 1);
    let other = SpanSpec {
        version: 1,
        ..spec.clone()
    };
    let batch = decode(&encode(&[spec.clone(), other, spec]));
    let all: Vec<_> = keys(&tenant(0), &batch).collect();
    assert_ne!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
}
