//! Is anything wrong? Operations that are slower or fail more often than they did, by plain rules that are told.
//!
//! Promises: what is told is told with its rule and its numbers; nothing is said of an operation with little traffic.

use std::collections::HashMap;

use model::contract::{Skipped, Window};
use model::rates::MINUTE_NANOS;
use model::{TenantId, TraceId};

use super::{DAY_NANOS, Red, RedAnswer, RedOf, RedRequest, RedSeries};
use crate::{Error, Query};

/// Spans that an operation must have, now and before, to be judged.
const SPANS_MIN: u64 = 20;
/// How many times slower the slowest twentieth must be.
const SLOWER: f64 = 1.5;
/// By how much it must be slower at least: what nobody feels is not told.
const SLOWER_NANOS_MIN: f64 = 20e6;
/// The share of failures from which on they are told, and how many times more there must be than before.
const FAILING_SHARE_MIN: f64 = 0.01;
const FAILING_MORE: f64 = 2.0;
/// Fewer failures are told of no operation: they come by themselves.
const FAILURES_MIN: u64 = 3;
/// What counts as having failed before, at least, when failures are weighed: from none to some is not without end.
const FAILED_BEFORE_MIN: f64 = 0.002;
/// The share of failures that is told where there is nothing to compare with.
const FAILING_SHARE_ALWAYS: f64 = 0.05;
/// Points of the small charts.
const TREND_STEPS: u64 = 30;
/// What is told at most.
const LOOKS_MAX: usize = 20;

/// A question for what needs a look.
#[derive(Debug, Clone)]
pub struct HomeRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// When.
    pub window: Window,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookKind {
    /// The slowest twentieth takes longer.
    Slow,
    /// More spans fail.
    Failing,
}

/// Something that needs a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The service.
    pub service: String,
    /// The span's name.
    pub operation: String,
    /// OTLP's number of the kind.
    pub kind: i32,
    /// What is wrong.
    pub what: LookKind,
    /// The slowest twentieth in nanoseconds, or the share of failures.
    pub now: f64,
    /// The same before; `None` where there is nothing to compare with.
    pub before: Option<f64>,
    /// What it is compared with, and the rule, with its numbers.
    pub rule: String,
    /// A trace to look at.
    pub example: Option<TraceId>,
    /// Spans in the window.
    pub spans: u64,
}

/// How all services are.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// Spans of all kinds that started in a second.
    pub spans_per_second: f64,
    /// All services.
    pub services: RedAnswer,
    /// What needs a look, the worst first.
    pub looks: Vec<Look>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// An earlier time, and what it is called.
struct Before {
    name: &'static str,
    totals: HashMap<(String, Option<String>, Option<i32>), Red>,
}

impl Query {
    /// How all services are, and what needs a look.
    pub async fn home(&self, request: &HomeRequest, now: u64) -> Result<Home, Error> {
        let services = RedRequest {
            tenant: request.tenant.clone(),
            window: request.window,
            steps: TREND_STEPS,
            of: RedOf::Services,
            services: Vec::new(),
            kinds: Vec::new(),
            with_day_before: true,
        };
        let operations = RedRequest {
            steps: 0,
            of: RedOf::Operations,
            kinds: super::SERVING.to_vec(),
            with_day_before: false,
            ..services.clone()
        };
        // Windows are widened to the minutes that they touch: none may be in both.
        let minute = |nanos: u64| nanos / MINUTE_NANOS;
        let minutes = minute(request.window.end).saturating_sub(minute(request.window.start)) + 1;
        let length = minutes.saturating_mul(MINUTE_NANOS);
        let earlier = |by: u64| Window {
            start: request.window.start.saturating_sub(by),
            end: request.window.end.saturating_sub(by),
        };
        let services = self.red(&services, now).await?;
        let current = self.red(&operations, now).await?;
        let mut befores = Vec::new();
        for (name, by) in [
            ("the same time yesterday", DAY_NANOS),
            ("the time before", length),
        ] {
            let window = earlier(by);
            let of_before = RedRequest {
                window,
                ..operations.clone()
            };
            befores.push(Before::of(name, self.red(&of_before, now).await?));
        }
        let mut skipped = services.skipped.clone();
        skipped.extend(current.skipped);
        skipped.dedup();
        Ok(Home {
            spans_per_second: spans_per_second(services.spans, services.seconds),
            looks: looks(&current.series, &befores),
            services,
            skipped,
        })
    }
}

impl Before {
    fn of(name: &'static str, answer: RedAnswer) -> Self {
        let totals = answer.series.into_iter();
        let totals = totals.map(|series| {
            (
                (series.service, series.operation, series.kind),
                series.total,
            )
        });
        Self {
            name,
            totals: totals.collect(),
        }
    }
}

fn looks(current: &[RedSeries], befores: &[Before]) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    for series in current
        .iter()
        .filter(|series| series.total.spans >= SPANS_MIN)
    {
        let key = (
            series.service.clone(),
            series.operation.clone(),
            series.kind,
        );
        // The first time that has enough spans to be compared with.
        let before = befores.iter().find_map(|before| {
            let total = before.totals.get(&key)?;
            (total.spans >= SPANS_MIN).then_some((before.name, total))
        });
        looks.extend(failing(series, before));
        looks.extend(slow(series, before));
    }
    let weight = |look: &Look| {
        let least = match look.what {
            LookKind::Slow => 1.0,
            LookKind::Failing => FAILED_BEFORE_MIN,
        };
        let more = look
            .before
            .map_or(10.0, |before| look.now / before.max(least));
        more * spans_weight(look.spans)
    };
    looks.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    looks.truncate(LOOKS_MAX);
    looks
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a rate is shown with few digits"
)]
fn spans_per_second(spans: u64, seconds: f64) -> f64 {
    spans as f64 / seconds.max(1.0)
}

/// What is used much counts more, but not by as much.
#[allow(clippy::cast_precision_loss, reason = "only an order is made of it")]
fn spans_weight(spans: u64) -> f64 {
    (spans as f64).sqrt()
}

fn look(series: &RedSeries, what: LookKind, now: f64, before: Option<f64>, rule: String) -> Look {
    Look {
        service: series.service.clone(),
        operation: series.operation.clone().unwrap_or_default(),
        kind: series.kind.unwrap_or_default(),
        what,
        now,
        before,
        rule,
        example: match what {
            LookKind::Slow => series.slowest,
            LookKind::Failing => series.failed,
        },
        spans: series.total.spans,
    }
}

fn slow(series: &RedSeries, before: Option<(&str, &Red)>) -> Option<Look> {
    let (name, before) = before?;
    let (now, before) = (series.total.quantile(0.95), before.quantile(0.95));
    if now < before * SLOWER || now - before < SLOWER_NANOS_MIN {
        return None;
    }
    let rule = format!(
        "p95 is {:.1} times that of {name} and {:.0} ms more; told from {SLOWER} times and {:.0} ms on, with at least \
         {SPANS_MIN} spans in both",
        now / before.max(1.0),
        (now - before) / 1e6,
        SLOWER_NANOS_MIN / 1e6,
    );
    Some(look(series, LookKind::Slow, now, Some(before), rule))
}

fn failing(series: &RedSeries, before: Option<(&str, &Red)>) -> Option<Look> {
    if series.total.errors < FAILURES_MIN {
        return None;
    }
    let now = series.total.error_share();
    let rule = match before {
        Some((name, before))
            if now >= FAILING_SHARE_MIN && now >= before.error_share() * FAILING_MORE =>
        {
            format!(
                "{:.1} % fail, {:.1} % at {name}; told from {:.0} %, {FAILURES_MIN} failures and {FAILING_MORE} times \
                 as many on, with at least {SPANS_MIN} spans in both",
                now * 100.0,
                before.error_share() * 100.0,
                FAILING_SHARE_MIN * 100.0,
            )
        }
        _ if before.is_none() && now >= FAILING_SHARE_ALWAYS => format!(
            "{:.1} % fail; told from {:.0} % on where there is nothing to compare with, with at least {SPANS_MIN} \
             spans",
            now * 100.0,
            FAILING_SHARE_ALWAYS * 100.0,
        ),
        _ => return None,
    };
    let before = before.map(|(_, before)| before.error_share());
    Some(look(series, LookKind::Failing, now, before, rule))
}
