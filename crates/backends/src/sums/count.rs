//! Counting: what a batch adds to the sums, and which spans are children of which in what one process sees.
//!
//! Promises
//! - A child finds its parent when both come to this process within some two minutes, whichever comes first. What does
//!   not is left open, for who reads whole traces.
//! - Memory is bounded: [`SEEN_MAX`] spans are remembered a minute, [`OPEN_MAX`] children wait. Of more children those
//!   of some traces are kept, the same ones by every process, and stand for the others.
//! - More series than [`SERIES_MAX`] are not made: operations become [`OTHER_OPERATIONS`], then what is new is counted
//!   as lost. What can't be kept for some minutes is given up where it takes the room of what comes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::contract::OTHER_OPERATIONS;
use model::rates::MINUTE_NANOS;
use model::{SpanBatch, SpanId, TenantId, TraceId};
use plumbing::planted;

use super::record::{Key, Minute, OpenCall, Record, RecordId, Series, Sum, hour_of};

/// OTLP's number of a status that is an error.
const STATUS_ERROR: i32 = 2;
/// Spans that are remembered of a minute, to be found by their children.
const SEEN_MAX: usize = 250_000;
/// Children that wait for their parents.
const OPEN_MAX: usize = 50_000;
/// Children that one record leaves open.
const RECORD_OPEN_MAX: usize = 2_000;
/// Series of one record; beyond half of them operations have no names of their own.
const SERIES_MAX: usize = 10_000;
/// Series of one tenant that wait to be kept; where they take half of it, what could not be kept is given up.
const WAITING_SERIES_MAX: usize = if cfg!(test) { 30_000 } else { 200_000 };
/// It could not be kept when it is settled since so many minutes.
const GIVEN_UP_AFTER_MINUTES: u64 = 5;
/// Hours in which the spans may start that come in one minute. Clocks that are wrong make more.
const HOURS_MAX: usize = 100;
/// The longest name of a service or an operation that is told; of a service what is longer is cut off.
const NAME_BYTES_MAX: usize = 256;
/// A record is written to no more when its minute is over since so many.
const SETTLED_AFTER_MINUTES: u64 = 2;

/// A span, as far as it is counted.
#[derive(Debug)]
struct Member {
    trace_id: TraceId,
    id: SpanId,
    parent: SpanId,
    minute: u64,
    service: usize,
    kind: i32,
    is_error: bool,
    duration: i64,
}

/// What one batch adds.
#[derive(Debug, Default)]
pub(super) struct Counted {
    services: Vec<Arc<str>>,
    members: Vec<Member>,
    /// By minute, service and name of the operation.
    operations: BTreeMap<u64, Series>,
}

impl Counted {
    pub(super) fn of(batch: &SpanBatch) -> Self {
        let mut counted = Self::default();
        let mut number_of: HashMap<&str, usize> = HashMap::new();
        // Names are copied once for all spans of a batch that share them.
        let mut sums: HashMap<(u64, &str, &str, i32), Sum> = HashMap::new();
        for span in batch.iter() {
            let service_name = cut(span.service());
            let service = *number_of.entry(service_name).or_insert_with(|| {
                counted.services.push(Arc::from(service_name));
                counted.services.len() - 1
            });
            let (minute, is_error) = (span.start() / MINUTE_NANOS, span.status() == STATUS_ERROR);
            let duration = span.end().wrapping_sub(span.start()).cast_signed();
            let name = match span.name().len() > NAME_BYTES_MAX {
                true => OTHER_OPERATIONS,
                false => span.name(),
            };
            sums.entry((minute, service_name, name, span.kind()))
                .or_default()
                .count(duration, is_error, span.trace_id(), 1);
            counted.members.push(Member {
                trace_id: span.trace_id(),
                id: span.span_id(),
                parent: span.parent_span_id(),
                minute,
                service,
                kind: span.kind(),
                is_error,
                duration,
            });
        }
        for ((minute, service, name, kind), sum) in sums {
            let key = Key {
                service: service.to_owned(),
                other: name.to_owned(),
                kind,
            };
            let series = counted.operations.entry(minute).or_default();
            series.insert(key, sum);
        }
        counted
    }
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES_MAX))
        .unwrap_or(name)
}

/// Spans that start in one hour and came in one minute.
#[derive(Debug, Default)]
struct Part {
    minutes: BTreeMap<u64, Minute>,
    series: usize,
    /// What was counted since it was last kept.
    changes: u64,
}

impl Part {
    /// The series of a key, if there is room for one more; of an operation perhaps that of all others. A new one is
    /// added to those of the tenant.
    fn series(
        &mut self,
        minute: u64,
        mut key: Key,
        is_call: bool,
        of_tenant: &mut usize,
    ) -> Option<&mut Sum> {
        let of = self.minutes.entry(minute).or_default();
        let series = if is_call {
            &mut of.calls
        } else {
            &mut of.operations
        };
        if !series.contains_key(&key) {
            if !is_call && self.series >= SERIES_MAX / 2 {
                OTHER_OPERATIONS.clone_into(&mut key.other);
            }
            if !series.contains_key(&key) {
                if self.series >= SERIES_MAX || *of_tenant >= WAITING_SERIES_MAX {
                    return None;
                }
                self.series += 1;
                *of_tenant += 1;
            }
        }
        Some(series.entry(key).or_default())
    }
}

/// A child that waits, and in which minute it came.
#[derive(Debug)]
struct Waiting {
    arrival: u64,
    call: OpenCall,
}

/// What was counted of a tenant's spans and may still change.
#[derive(Debug, Default)]
struct OfTenant {
    /// Spans that came in this minute and in the one before, and their services.
    seen: [HashMap<(TraceId, SpanId), Arc<str>>; 2],
    seen_minute: u64,
    /// By the ids of their parents.
    open: HashMap<(TraceId, SpanId), Vec<Waiting>>,
    open_count: usize,
    /// Of children that came in a minute only those of one of 2^n traces wait.
    open_shifts: BTreeMap<u64, u32>,
    /// By the minute in which spans came, and the hour in which they start.
    parts: BTreeMap<(u64, u64), Part>,
    /// Of all parts.
    series: usize,
    lost: u64,
}

/// Whether a trace is among those that stand for 2^shift.
fn is_chosen(trace_id: TraceId, shift: u32) -> bool {
    let mixed =
        (trace_id.high() ^ trace_id.low().rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed.leading_zeros() >= shift
}

impl OfTenant {
    fn turn_to(&mut self, minute: u64) {
        if minute == self.seen_minute {
            return;
        }
        let [now, before] = &mut self.seen;
        std::mem::swap(now, before);
        now.clear();
        if minute > self.seen_minute + 1 {
            before.clear();
        }
        self.seen_minute = minute;
    }

    fn service_of(&self, id: &(TraceId, SpanId)) -> Option<&Arc<str>> {
        self.seen.iter().find_map(|seen| seen.get(id))
    }

    fn add(&mut self, counted: &Counted, arrival: u64) {
        self.turn_to(arrival);
        for (minute, series) in &counted.operations {
            for (key, sum) in series {
                match self.sum(arrival, *minute, key.clone(), false) {
                    Some(known) => known.merge(sum),
                    None => self.lost = self.lost.saturating_add(sum.spans),
                }
            }
        }
        for member in &counted.members {
            let Some(service) = counted.services.get(member.service) else {
                continue;
            };
            let [now, _] = &mut self.seen;
            if now.len() < SEEN_MAX {
                now.entry((member.trace_id, member.id))
                    .or_insert_with(|| Arc::clone(service));
            }
            for child in self
                .open
                .remove(&(member.trace_id, member.id))
                .unwrap_or_default()
            {
                self.open_count -= 1;
                self.count_call(child.arrival, &child.call, service);
            }
        }
        let mut calls: BTreeMap<(u64, usize, i32, Arc<str>), Sum> = BTreeMap::new();
        for member in counted
            .members
            .iter()
            .filter(|member| !member.parent.is_zero())
        {
            let id = (member.trace_id, member.parent);
            match self.service_of(&id) {
                Some(caller) => {
                    let at = (
                        member.minute,
                        member.service,
                        member.kind,
                        Arc::clone(caller),
                    );
                    let sum = calls.entry(at).or_default();
                    sum.count(member.duration, member.is_error, member.trace_id, 1);
                }
                None if planted("sums-children-not-kept-open") => {}
                None => {
                    let Some(service) = counted.services.get(member.service) else {
                        continue;
                    };
                    let call = OpenCall {
                        trace_id: member.trace_id,
                        parent: member.parent,
                        minute: member.minute,
                        service: service.to_string(),
                        kind: member.kind,
                        is_error: member.is_error,
                        duration: member.duration,
                    };
                    self.wait(id, Waiting { arrival, call });
                }
            }
        }
        for ((minute, service, kind, caller), sum) in calls {
            let Some(service) = counted.services.get(service) else {
                continue;
            };
            let key = Key {
                service: service.to_string(),
                other: caller.to_string(),
                kind,
            };
            self.add_calls(arrival, minute, key, &sum);
        }
    }

    /// The series of a key, if there is room for it.
    fn sum(&mut self, arrival: u64, minute: u64, key: Key, is_call: bool) -> Option<&mut Sum> {
        let at = (arrival, hour_of(minute));
        let is_new = !self.parts.contains_key(&at);
        if is_new && self.parts.range((arrival, 0)..=(arrival, u64::MAX)).count() >= HOURS_MAX {
            return None;
        }
        let part = self.parts.entry(at).or_default();
        part.changes += 1;
        part.series(minute, key, is_call, &mut self.series)
    }

    /// Counts the call of a child whose caller came after it.
    fn count_call(&mut self, arrival: u64, call: &OpenCall, caller: &str) {
        let key = Key {
            service: call.service.clone(),
            other: caller.to_owned(),
            kind: call.kind,
        };
        let mut sum = Sum::default();
        sum.count(call.duration, call.is_error, call.trace_id, 1);
        self.add_calls(arrival, call.minute, key, &sum);
    }

    fn add_calls(&mut self, arrival: u64, minute: u64, key: Key, sum: &Sum) {
        match self.sum(arrival, minute, key, true) {
            Some(known) => known.merge(sum),
            None => self.lost = self.lost.saturating_add(sum.spans),
        }
    }

    fn wait(&mut self, id: (TraceId, SpanId), waiting: Waiting) {
        let at = (waiting.arrival, hour_of(waiting.call.minute));
        if !self.parts.contains_key(&at) {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        // A minute begins nearly as thin as the one before had to become.
        let before = self
            .open_shifts
            .last_key_value()
            .map_or(0, |(_, shift)| *shift);
        let shift = self.open_shifts.entry(waiting.arrival);
        if !is_chosen(id.0, *shift.or_insert(before.saturating_sub(1))) {
            return;
        }
        self.open.entry(id).or_default().push(waiting);
        self.open_count += 1;
        while self.open_count > OPEN_MAX {
            let shift = self.open_shifts.values().max().map_or(1, |most| most + 1);
            self.open_shifts
                .values_mut()
                .for_each(|known| *known = shift);
            self.open.retain(|id, _| is_chosen(id.0, shift));
            self.open_count = self.open.values().map(Vec::len).sum();
        }
    }

    /// The records of parts that have changed, with their places and how often they had; what is settled leaves.
    fn records(&mut self, tenant: &TenantId, writer: &str, now: u64) -> Vec<(Record, u64)> {
        self.make_room(now);
        let mut open: HashMap<(u64, u64), Vec<&OpenCall>> = HashMap::new();
        for waiting in self.open.values().flatten() {
            let at = (waiting.arrival, hour_of(waiting.call.minute));
            open.entry(at).or_default().push(&waiting.call);
        }
        let is_settled = |arrival: u64| arrival.saturating_add(SETTLED_AFTER_MINUTES) <= now;
        let changed = self
            .parts
            .iter()
            .filter(|((arrival, _), part)| part.changes > 0 || is_settled(*arrival));
        let records = changed.map(|((arrival, hour), part)| {
            let id = RecordId {
                hour: *hour,
                arrival: *arrival,
                writer: writer.to_owned(),
            };
            let mut record = Record::new(tenant, id);
            record.minutes.clone_from(&part.minutes);
            let mut left = open.remove(&(*arrival, *hour)).unwrap_or_default();
            let mut shift = self.open_shifts.get(arrival).copied().unwrap_or_default();
            while left.len() > RECORD_OPEN_MAX {
                shift += 1;
                left.retain(|call| is_chosen(call.trace_id, shift));
            }
            record.open = left.into_iter().cloned().collect();
            record.open.sort_by_key(|call| (call.trace_id, call.parent));
            record.weight = 1_u64.checked_shl(shift).unwrap_or(u64::MAX);
            (record, part.changes)
        });
        records.collect()
    }

    /// Notes that a record is kept.
    fn note_kept(&mut self, record: &Record, changes: u64, now: u64) {
        let at = (record.id.arrival, record.id.hour);
        let Some(part) = self.parts.get_mut(&at) else {
            return;
        };
        part.changes = part.changes.saturating_sub(changes);
        let is_settled = record.id.arrival.saturating_add(SETTLED_AFTER_MINUTES) <= now;
        if !is_settled {
            return;
        }
        // Whoever reads whole traces goes on with it.
        self.leave(at, now);
    }

    /// Gives up the oldest of what nobody takes, where there would be no room for what comes.
    fn make_room(&mut self, now: u64) {
        while self.series > WAITING_SERIES_MAX / 2 {
            let Some((&at, part)) = self.parts.first_key_value() else {
                return;
            };
            if at
                .0
                .saturating_add(SETTLED_AFTER_MINUTES + GIVEN_UP_AFTER_MINUTES)
                > now
            {
                return;
            }
            let sums = part.minutes.values().flat_map(|of| of.operations.values());
            let spans = sums.fold(0, |all: u64, sum| all.saturating_add(sum.spans));
            self.lost = self.lost.saturating_add(spans);
            self.leave(at, now);
        }
    }

    /// Has a part no longer, nor the children in it that wait.
    fn leave(&mut self, at: (u64, u64), now: u64) {
        let part = self.parts.remove(&at).unwrap_or_default();
        self.series = self.series.saturating_sub(part.series);
        self.open.retain(|_, waiting| {
            waiting.retain(|child| (child.arrival, hour_of(child.call.minute)) != at);
            !waiting.is_empty()
        });
        self.open_count = self.open.values().map(Vec::len).sum();
        let arrivals = self.parts.keys().map(|(arrival, _)| *arrival);
        let oldest = arrivals.min().unwrap_or(now);
        self.open_shifts = self.open_shifts.split_off(&oldest);
    }
}

/// What was counted and may still change.
#[derive(Debug, Default)]
pub(super) struct Tally {
    tenants: HashMap<TenantId, OfTenant>,
}

impl Tally {
    pub(super) fn add(&mut self, tenant: &TenantId, counted: &Counted, arrival: u64) {
        match self.tenants.get_mut(tenant) {
            Some(of) => of.add(counted, arrival),
            None => self
                .tenants
                .entry(tenant.clone())
                .or_default()
                .add(counted, arrival),
        }
    }

    /// What is to be kept now, and how often each had changed.
    pub(super) fn records(&mut self, writer: &str, now: u64) -> Vec<(Record, u64)> {
        let tenants = self.tenants.iter_mut();
        tenants
            .flat_map(|(tenant, of)| of.records(tenant, writer, now))
            .collect()
    }

    pub(super) fn note_kept(&mut self, tenant: &TenantId, record: &Record, changes: u64, now: u64) {
        if let Some(of) = self.tenants.get_mut(tenant) {
            of.note_kept(record, changes, now);
            if of.parts.is_empty() && of.open.is_empty() && now > of.seen_minute + 1 {
                self.tenants.remove(tenant);
            }
        }
    }

    /// Spans that found no room since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        let lost = self
            .tenants
            .values_mut()
            .map(|of| std::mem::take(&mut of.lost));
        lost.fold(0, u64::saturating_add)
    }
}
