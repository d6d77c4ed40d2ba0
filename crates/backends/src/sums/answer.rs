//! Answers from records: rates of operations and calls, and how often services call one another.

use std::collections::{BTreeMap, HashSet};

use model::TenantId;
use model::contract::{OTHER_OPERATIONS, ReadError, Skipped, Window};
use model::rates::{
    MINUTE_NANOS, RateKey, RatePoint, RateSeries, RatesAnswer, RatesOf, RatesRequest,
};
use plumbing::planted;

use super::record::{Key, Minute, Record, RecordId, hour_of};
use super::{Hours, Ledger};
use crate::calls::Calls;

/// Points of one answer; each takes some hundred bytes.
const POINTS_MAX: usize = 1_000_000;
/// A window may begin so long before the first count without a word: nothing may have come.
const GAP_NANOS: u64 = 3_600_000_000_000;
/// OTLP's numbers of the kinds with which a service is called.
const KIND_SERVER: i32 = 2;
const KIND_CONSUMER: i32 = 5;

/// Gathers the records of an hour, which are added up in one or not yet.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Those of single minutes.
    pub(super) loose: Vec<Record>,
    pub(super) whole: Option<Record>,
}

impl Gathered {
    pub(super) fn add(&mut self, record: Record) {
        match record.id.is_whole() {
            true => self.whole = Some(record),
            false => self.loose.push(record),
        }
    }

    /// Those that are not in the one of the hour.
    pub(super) fn unmerged(&self) -> impl Iterator<Item = &Record> {
        let merged: HashSet<&RecordId> =
            self.whole.iter().flat_map(|whole| &whole.merged).collect();
        self.loose.iter().filter(move |record| {
            !merged.contains(&record.id) || planted("sums-merged-counted-twice")
        })
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        self.whole.iter().chain(self.unmerged())
    }
}

fn hours_of(window: Window) -> Hours {
    Hours {
        first: hour_of(window.start / MINUTE_NANOS),
        last: hour_of(window.end / MINUTE_NANOS),
    }
}

/// Gives the counts of all minutes of some hours. What is in memory is an hour's.
async fn minutes_of(
    ledger: &dyn Ledger,
    tenant: &TenantId,
    hours: Hours,
    mut take: impl FnMut(u64, &Minute) + Send,
) -> Result<(), ReadError> {
    let (mut hour, mut gathered) = (None, Gathered::default());
    let mut tell = |gathered: Gathered| {
        for record in gathered.records() {
            for (minute, counted) in &record.minutes {
                take(*minute, counted);
            }
        }
    };
    let mut add = |record: Record| {
        if hour.replace(record.id.hour) != Some(record.id.hour) {
            tell(std::mem::take(&mut gathered));
        }
        gathered.add(record);
    };
    ledger.records(tenant, hours, &mut add).await?;
    tell(gathered);
    Ok(())
}

/// Answers a question for rates.
pub(crate) async fn rates(
    ledger: &dyn Ledger,
    request: &RatesRequest,
) -> Result<RatesAnswer, ReadError> {
    let steps = request.steps()?;
    let hours = hours_of(request.window);
    let mut asked = Asked {
        request,
        series: BTreeMap::new(),
        points: 0,
        has_all_operations: true,
    };
    let take = |minute: u64, counted: &Minute| {
        if let Some(step) = steps
            .of_minute(minute)
            .filter(|_| asked.points <= POINTS_MAX)
        {
            asked.add(step, steps.start_of(step), counted);
        }
    };
    minutes_of(ledger, &request.tenant, hours, take).await?;
    if asked.points > POINTS_MAX {
        let reason = format!(
            "the answer has more than {POINTS_MAX} points; ask for a longer step, a shorter window or some services"
        );
        return Err(ReadError::OverLimit { reason });
    }
    Ok(asked.answer())
}

/// An answer that is being made.
struct Asked<'a> {
    request: &'a RatesRequest,
    series: BTreeMap<RateKey, BTreeMap<u64, RatePoint>>,
    points: usize,
    has_all_operations: bool,
}

impl Asked<'_> {
    fn add(&mut self, step: u64, start: u64, counted: &Minute) {
        let (of_calls, request) = (self.request.of == RatesOf::Calls, self.request);
        let series = if of_calls {
            &counted.calls
        } else {
            &counted.operations
        };
        for (key, sum) in series.iter().filter(|(key, _)| is_asked(request, key)) {
            let operation = (request.by_operation && !of_calls).then(|| key.other.clone());
            if operation.as_deref() == Some(OTHER_OPERATIONS) {
                self.has_all_operations = false;
            }
            let key = RateKey {
                service: key.service.clone(),
                caller: of_calls.then(|| key.other.clone()),
                operation,
                kind: request.by_kind.then_some(key.kind),
            };
            let points = self.series.entry(key).or_default();
            let point = points.entry(step).or_insert_with(|| {
                self.points += 1;
                RatePoint {
                    start,
                    ..RatePoint::default()
                }
            });
            // An example is taken from where most spans are.
            if request.with_examples {
                let example = |found: &Option<super::record::Example>| found.map(|found| found.1);
                if point.slowest.is_none() || sum.spans > point.spans {
                    point.slowest = example(&sum.slowest).or(point.slowest);
                }
                point.failed = example(&sum.failed).or(point.failed);
            }
            point.spans = point.spans.saturating_add(sum.spans);
            point.errors = point.errors.saturating_add(sum.errors);
            point.duration = point.duration.wrapping_add(sum.duration);
            point.durations.merge(&sum.durations);
        }
    }

    fn answer(self) -> RatesAnswer {
        let series = self.series.into_iter().map(|(key, points)| RateSeries {
            key,
            points: points.into_values().collect(),
        });
        RatesAnswer {
            series: series.collect(),
            has_all_operations: self.has_all_operations,
            skipped: Vec::new(),
        }
    }
}

fn is_asked(request: &RatesRequest, key: &Key) -> bool {
    let of_calls = request.of == RatesOf::Calls;
    let is_named = |service: &String| request.services.contains(service);
    let of_services =
        request.services.is_empty() || is_named(&key.service) || of_calls && is_named(&key.other);
    let of_kinds = request.kinds.is_empty() || request.kinds.contains(&key.kind);
    // Within a service only those spans are calls with which it serves.
    let is_call = key.service != key.other || matches!(key.kind, KIND_SERVER | KIND_CONSUMER);
    of_services && of_kinds && (!of_calls || is_call)
}

/// Calls that were counted.
#[derive(Debug, Default)]
pub(crate) struct SummedCalls {
    calls: Calls,
    /// The first minute of the window in which anything was counted.
    first: Option<u64>,
}

impl SummedCalls {
    pub(crate) fn is_counted(&self) -> bool {
        self.first.is_some()
    }

    /// The part of the window in which nothing was counted yet.
    pub(crate) fn before(&self, window: Window) -> Window {
        let end = self
            .first
            .map(|minute| minute.saturating_mul(MINUTE_NANOS).saturating_sub(1));
        Window {
            end: end.map_or(window.end, |end| end.min(window.end)),
            ..window
        }
    }

    /// Says when counting began, where the window begins well before.
    pub(crate) fn uncounted(&self, window: Window) -> Option<Skipped> {
        let first = self.first?.saturating_mul(MINUTE_NANOS);
        let is_late = first > window.start.saturating_add(GAP_NANOS);
        let seconds = i64::try_from(first / 1_000_000_000).ok()?;
        let begin = jiff::Timestamp::from_second(seconds).ok()?;
        is_late.then(|| Skipped {
            what: format!("calls before {begin}"),
            why: "the window has too many spans to read, and nothing was counted before".to_owned(),
        })
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn with(self, others: Calls) -> Calls {
        let mut calls = self.calls;
        for (pair, count) in others {
            let known: &mut u64 = calls.entry(pair).or_default();
            *known = known.saturating_add(count);
        }
        calls
    }
}

/// How often services call one another, in the minutes that a window touches.
pub(crate) async fn calls(
    ledger: &dyn Ledger,
    tenant: &TenantId,
    window: Window,
) -> Result<SummedCalls, ReadError> {
    let (first, last) = (window.start / MINUTE_NANOS, window.end / MINUTE_NANOS);
    let mut summed = SummedCalls::default();
    let take = |minute: u64, counted: &Minute| {
        if !(first..=last).contains(&minute) {
            return;
        }
        summed.first = Some(summed.first.map_or(minute, |known| known.min(minute)));
        for (key, sum) in &counted.calls {
            let pair = (key.other.clone(), key.service.clone());
            let calls: &mut u64 = summed.calls.entry(pair).or_default();
            *calls = calls.saturating_add(sum.spans);
        }
    };
    minutes_of(ledger, tenant, hours_of(window), take).await?;
    Ok(summed)
}
