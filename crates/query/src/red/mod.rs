//! Rate, errors and duration of services, operations and calls, from the counts that the store keeps by minute.
//!
//! A service is judged by the spans with which it serves (kinds server and consumer), as Jaeger's monitor has it; one
//! that has none, such as a job, by all of its spans.
//!
//! Promises: counts are exact, quantiles right to 0.55 %; a window is widened to whole minutes, and rates are told by
//! the time that has really passed.

mod home;

use std::collections::BTreeMap;

use model::contract::{ReadError, Skipped, Window};
use model::rates::{RateKey, RatePoint, RateSeries, RatesAnswer, RatesOf, RatesRequest};
use model::{Histogram, TenantId, TraceId};

use crate::{Error, Query};

pub use home::{Home, HomeRequest, Look, LookKind};

/// OTLP's numbers of the kinds with which a service serves.
const SERVING: [i32; 2] = [2, 5];
const DAY_NANOS: u64 = 86_400_000_000_000;
/// Points of all series of one answer, with or without spans; each takes some 60 bytes.
const POINTS_MAX: usize = 1_000_000;

/// What is told one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedOf {
    /// Each service.
    Services,
    /// Each operation, by its kind.
    Operations,
}

/// A question for rate, errors and duration.
#[derive(Debug, Clone)]
pub struct RedRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// When the spans start.
    pub window: Window,
    /// Points over the window; 0: only the whole.
    pub steps: u64,
    /// What is told one by one.
    pub of: RedOf,
    /// Only these services; none: all.
    pub services: Vec<String>,
    /// Only spans of these kinds (OTLP's numbers); none: as the services are judged.
    pub kinds: Vec<i32>,
    /// Whether the time a day before is told, too.
    pub with_day_before: bool,
}

/// Spans of a time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Red {
    /// Spans.
    pub spans: u64,
    /// Those that failed.
    pub errors: u64,
    /// Their durations.
    pub durations: Histogram,
}

impl Red {
    fn add(&mut self, point: &RatePoint) {
        self.spans += point.spans;
        self.errors += point.errors;
        self.durations.merge(&point.durations);
    }

    /// Adds the spans of another time.
    pub fn merge(&mut self, other: &Self) {
        self.spans += other.spans;
        self.errors += other.errors;
        self.durations.merge(&other.durations);
    }

    /// A quantile of the durations in nanoseconds; 0 where there are none.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> f64 {
        self.durations.quantile(quantile).unwrap_or_default()
    }

    /// The share of spans that failed.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        reason = "a share is shown with few digits"
    )]
    pub fn error_share(&self) -> f64 {
        if self.spans == 0 {
            return 0.0;
        }
        self.errors as f64 / self.spans as f64
    }
}

/// A service, an operation or a call over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RedSeries {
    /// The service; of a call the called one.
    pub service: String,
    /// Of a call: who calls.
    pub caller: Option<String>,
    /// Of an operation: its name.
    pub operation: Option<String>,
    /// Of an operation and a call: OTLP's number of the kind.
    pub kind: Option<i32>,
    /// The whole window.
    pub total: Red,
    /// The same time a day before.
    pub day_before: Option<Red>,
    /// By step; `None` where there were no spans.
    pub points: Vec<Option<Red>>,
    /// Nanoseconds in which no child was running, and those on the critical paths, where that is known.
    pub own: u64,
    /// See `own`.
    pub critical: u64,
    /// A trace with one of the slowest spans.
    pub slowest: Option<TraceId>,
    /// A trace with one of the slowest spans that failed.
    pub failed: Option<TraceId>,
}

/// Series over time.
#[derive(Debug, Clone, Default)]
pub struct RedAnswer {
    /// When the first step begins, ns since the epoch.
    pub start: u64,
    /// Nanoseconds of a step.
    pub step: u64,
    /// Seconds of the window that have passed.
    pub seconds: f64,
    /// All spans that were asked about, also those by which no service is judged.
    pub spans: u64,
    /// By service, caller, operation, kind.
    pub series: Vec<RedSeries>,
    /// Whether each operation has a series of its own.
    pub has_all_operations: bool,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

impl Query {
    /// Rate, errors and duration of services or operations.
    pub async fn red(&self, request: &RedRequest, now: u64) -> Result<RedAnswer, Error> {
        let mut answer = self.red_of(request, request.window, now).await?;
        if !request.with_day_before {
            return Ok(answer);
        }
        let before = RedRequest {
            steps: 0,
            ..request.clone()
        };
        let window = Window {
            start: request.window.start.saturating_sub(DAY_NANOS),
            end: request.window.end.saturating_sub(DAY_NANOS),
        };
        let before = self.red_of(&before, window, now).await?;
        answer.take_before(before);
        Ok(answer)
    }

    /// Rate, errors and duration of the calls between services, by the kind of the called span.
    pub async fn edges(
        &self,
        tenant: &TenantId,
        window: Window,
        now: u64,
    ) -> Result<RedAnswer, Error> {
        let asked = RatesRequest {
            of: RatesOf::Calls,
            by_kind: true,
            with_examples: true,
            ..rates_request(tenant, window)
        };
        let steps = asked.steps()?;
        let rates = self.reader().rates(asked).await?;
        check_points(rates.series.len(), steps.count())?;
        Ok(RedAnswer::of(rates, steps, now, |key| key))
    }

    async fn red_of(
        &self,
        request: &RedRequest,
        window: Window,
        now: u64,
    ) -> Result<RedAnswer, Error> {
        let is_by_service = request.of == RedOf::Services;
        let length = window.end.saturating_sub(window.start);
        let asked = RatesRequest {
            step_nanos: if request.steps == 0 {
                0
            } else {
                length.div_ceil(request.steps).max(1)
            },
            services: request.services.clone(),
            kinds: request.kinds.clone(),
            by_operation: !is_by_service,
            by_kind: true,
            with_examples: true,
            ..rates_request(&request.tenant, window)
        };
        let steps = asked.steps()?;
        let mut rates = self.reader().rates(asked).await?;
        let spans = spans_of(&rates.series);
        if is_by_service && request.kinds.is_empty() {
            keep_serving(&mut rates.series);
        }
        check_points(rates.series.len(), steps.count())?;
        let named = |key: RateKey| RateKey {
            kind: key.kind.filter(|_| !is_by_service),
            ..key
        };
        Ok(RedAnswer {
            spans,
            ..RedAnswer::of(rates, steps, now, named)
        })
    }
}

fn rates_request(tenant: &TenantId, window: Window) -> RatesRequest {
    RatesRequest {
        tenant: tenant.clone(),
        of: RatesOf::Operations,
        window,
        step_nanos: 0,
        services: Vec::new(),
        kinds: Vec::new(),
        by_operation: false,
        by_kind: false,
        with_examples: false,
    }
}

/// Refuses what would take too much memory.
fn check_points(series: usize, steps: u64) -> Result<(), ReadError> {
    let points = series.saturating_mul(usize::try_from(steps).unwrap_or(usize::MAX));
    if points <= POINTS_MAX {
        return Ok(());
    }
    let reason = format!(
        "{series} series of {steps} steps are more than the {POINTS_MAX} points that are told at once: \
         ask for fewer steps or for some services"
    );
    Err(ReadError::OverLimit { reason })
}

fn spans_of(series: &[RateSeries]) -> u64 {
    let points = series.iter().flat_map(|series| &series.points);
    points.map(|point| point.spans).sum()
}

fn serves(series: &RateSeries) -> bool {
    series.key.kind.is_some_and(|kind| SERVING.contains(&kind))
}

/// Leaves out what a service does beside serving, where it serves at all.
fn keep_serving(series: &mut Vec<RateSeries>) {
    let servers: Vec<String> = series
        .iter()
        .filter(|series| serves(series))
        .map(|series| series.key.service.clone())
        .collect();
    series.retain(|series| serves(series) || !servers.contains(&series.key.service));
}

impl RedAnswer {
    fn of(
        rates: RatesAnswer,
        steps: model::rates::Steps,
        now: u64,
        named: impl Fn(RateKey) -> RateKey,
    ) -> Self {
        let (start, behind) = (steps.start_of(0), minute_start(steps.behind));
        let passed = behind.min(now.max(start)).saturating_sub(start);
        let count = usize::try_from(steps.count()).unwrap_or_default();
        let mut by_key: BTreeMap<RateKey, RedSeries> = BTreeMap::new();
        for RateSeries { key, points } in rates.series {
            let key = named(key);
            let series = by_key.entry(key.clone()).or_insert_with(|| RedSeries {
                service: key.service,
                caller: key.caller,
                operation: key.operation,
                kind: key.kind,
                points: vec![None; count],
                ..RedSeries::default()
            });
            for point in &points {
                series.add(point, steps.of_nanos(point.start));
            }
        }
        Self {
            spans: by_key.values().map(|series| series.total.spans).sum(),
            start,
            step: minute_start(steps.minutes),
            seconds: seconds(passed),
            series: by_key.into_values().collect(),
            has_all_operations: rates.has_all_operations,
            skipped: rates.skipped,
        }
    }

    /// Takes what was a day before; a series that has none keeps `None`.
    fn take_before(&mut self, before: Self) {
        let key = |series: &RedSeries| {
            (
                series.service.clone(),
                series.operation.clone(),
                series.kind,
            )
        };
        let mut by_key: BTreeMap<_, Red> = before
            .series
            .into_iter()
            .map(|series| (key(&series), series.total))
            .collect();
        for series in &mut self.series {
            series.day_before = by_key.remove(&key(series));
        }
        for skipped in before.skipped {
            if !self.skipped.contains(&skipped) {
                self.skipped.push(skipped);
            }
        }
    }
}

impl RedSeries {
    fn add(&mut self, point: &RatePoint, step: Option<u64>) {
        let was_fewer = self.total.spans < point.spans;
        self.total.add(point);
        self.own = self.own.saturating_add(point.own);
        self.critical = self.critical.saturating_add(point.critical);
        // An example is looked for where most spans are.
        if was_fewer || self.slowest.is_none() {
            self.slowest = point.slowest.or(self.slowest);
        }
        self.failed = point.failed.or(self.failed);
        let at = step.and_then(|step| usize::try_from(step).ok());
        if let Some(slot) = at.and_then(|at| self.points.get_mut(at)) {
            slot.get_or_insert_default().add(point);
        }
    }
}

fn minute_start(minutes: u64) -> u64 {
    minutes.saturating_mul(model::rates::MINUTE_NANOS)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "seconds are shown with few digits"
)]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
