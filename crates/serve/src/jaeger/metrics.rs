//! The metrics of Jaeger's monitor (`/api/metrics/…`), from the counts that the store keeps by minute.
//!
//! A point tells the time `ratePer` before it, as a range query of Prometheus does. All times are whole minutes: the
//! end and the start are those of the minutes they lie in, `step` and `ratePer` the next longer ones.
//!
//! Promises: parameters are read in Jaeger's order, and what is wrong is told in its words; a series has a point at
//! each step, with rate 0 and no latency (`NaN`) where nothing was; an answer says in `help` what it lacks.
//! Refuses: answers of more than [`POINTS_MAX`] points.

use std::collections::BTreeMap;

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use model::TenantId;
use model::contract::Window;
use model::rates::MINUTE_NANOS;
use model::value::number_text;
use plumbing::planted;
use query::red::{Red, RedAnswer, RedOf, RedRequest};

use super::Jaeger;
use super::envelope::{Answer, ApiError, json};
use super::parameters::{Parameters, unable};
use super::paths::not_found;
use crate::go_text;
use crate::guard::For;
use crate::json_text::{push_list, push_text};
use crate::kinds;

const LOOKBACK_MILLIS: i64 = 3_600_000;
const STEP_MILLIS: i64 = 5_000;
const RATE_MILLIS: i64 = 600_000;
const MINUTE_MILLIS: u64 = 60_000;
/// OTLP's number of the kind that is meant when none is given.
const SERVER: i32 = 2;
/// Points of one answer, each of some 90 bytes.
const POINTS_MAX: usize = 200_000;
/// Parts of points that are added up for one answer.
const PARTS_MAX: usize = 4_000_000;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    Latencies { quantile: f64 },
    Calls,
    Errors,
}

/// The points in minutes since the epoch, and the parts of which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Steps {
    /// The first point.
    first: u64,
    /// From one to the next.
    step: u64,
    /// How many there are.
    count: u64,
    /// How far back each looks.
    per: u64,
    /// Minutes of a part.
    part: u64,
    /// Where the first part begins.
    origin: u64,
}

/// A question that was understood.
#[derive(Debug, Clone)]
struct Asked {
    metric: Metric,
    services: Vec<String>,
    by_operation: bool,
    kinds: Vec<i32>,
    steps: Steps,
}

pub(super) async fn metrics(
    For(jaeger): For<Jaeger>,
    Path(metric): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = Parameters::parse(query.as_deref());
    match metric.as_str() {
        "latencies" | "calls" | "errors" => {
            let answer = jaeger.metrics(&metric, &parameters).await;
            answer.map_or_else(IntoResponse::into_response, |text| json(text, &parameters))
        }
        "minstep" => {
            let answer = Answer {
                data: MINUTE_MILLIS.to_string(),
                ..Answer::default()
            };
            answer.into_response(&parameters)
        }
        _ => not_found().await,
    }
}

impl Jaeger {
    async fn metrics(&self, metric: &str, parameters: &Parameters) -> Result<String, ApiError> {
        let now = self.clock.unix_nanos();
        let now_millis = i64::try_from(now / 1_000_000).unwrap_or(i64::MAX);
        let asked = Asked::read(metric, parameters, now_millis)?;
        let found = match asked.request(&self.tenant) {
            Some(request) => self.query.red(&request, now).await?,
            None => RedAnswer::default(),
        };
        self.work(move || asked.tell(found)).await?
    }
}

impl Asked {
    fn read(metric: &str, parameters: &Parameters, now_millis: i64) -> Result<Self, ApiError> {
        let metric = match metric {
            "latencies" => {
                let quantile = go_text::parse_float(parameters.first("quantile"));
                Metric::Latencies {
                    quantile: quantile.map_err(|why| unable("quantile", &why))?,
                }
            }
            "calls" => Metric::Calls,
            _ => Metric::Errors,
        };
        let services: Vec<String> = parameters.all("service").map(str::to_owned).collect();
        if services.is_empty() {
            let why = "please provide at least one service name";
            return Err(unable("service", why));
        }
        let by_operation = parameters.bool("groupByOperation")?;
        let kinds = parameters.all("spanKind").map(kind_number);
        let mut kinds = kinds.collect::<Result<Vec<i32>, _>>()?;
        if kinds.is_empty() {
            kinds.push(SERVER);
        }
        let end = parameters.int("endTs", now_millis)?;
        let lookback = parameters.int("lookback", LOOKBACK_MILLIS)?;
        let step = parameters.int("step", STEP_MILLIS)?;
        let per = parameters.int("ratePer", RATE_MILLIS)?;
        for (key, millis, least) in [
            ("lookback", lookback, 0),
            ("step", step, 1),
            ("ratePer", per, 1),
        ] {
            if millis < least {
                return Err(unable(
                    key,
                    &format!("it is {millis}, at least {least} is needed"),
                ));
            }
        }
        Ok(Self {
            metric,
            services,
            by_operation,
            kinds,
            steps: Steps::of(end, lookback, step, per),
        })
    }

    /// What is asked of the store; `None` where no point has a time before it.
    fn request(&self, tenant: &TenantId) -> Option<RedRequest> {
        let Steps { origin, part, .. } = self.steps;
        let parts = self.steps.parts();
        let end = (origin + parts * part)
            .checked_mul(MINUTE_NANOS)?
            .checked_sub(1)?;
        let window = Window {
            start: origin * MINUTE_NANOS,
            end,
        };
        (parts > 0).then(|| RedRequest {
            tenant: tenant.clone(),
            window,
            steps: parts,
            of: if self.by_operation {
                RedOf::Operations
            } else {
                RedOf::Services
            },
            services: self.services.clone(),
            kinds: self.kinds.clone(),
            with_day_before: false,
        })
    }

    fn tell(&self, found: RedAnswer) -> Result<String, ApiError> {
        let mut all: BTreeMap<(String, Option<String>), Vec<Red>> = BTreeMap::new();
        let parts = usize::try_from(self.steps.parts()).unwrap_or_default();
        for series in found.series {
            let key = (series.service, series.operation);
            let merged = all
                .entry(key)
                .or_insert_with(|| vec![Red::default(); parts]);
            for (into, point) in merged.iter_mut().zip(&series.points) {
                if let Some(point) = point {
                    into.merge(point);
                }
            }
        }
        self.check_size(all.len())?;
        let group = if self.by_operation { "_operation" } else { "" };
        let (name, help) = match self.metric {
            Metric::Latencies { quantile } => {
                ("latencies", format!("{quantile:.2}th quantile latency"))
            }
            Metric::Calls => ("call_rate", "calls/sec".to_owned()),
            Metric::Errors => (
                "error_rate",
                "error rate, computed as a fraction of errors/sec over calls/sec".to_owned(),
            ),
        };
        let mut help = format!("{help}, grouped by service");
        if self.by_operation {
            help.push_str(" & operation");
            if !found.has_all_operations && !all.is_empty() {
                help.push_str("; incomplete: there are more operations than can be listed");
            }
        }
        for skipped in &found.skipped {
            help.push_str(&format!(
                "; incomplete: {} was skipped: {}",
                skipped.what, skipped.why
            ));
        }
        let mut out = format!("{{\"name\":\"service{group}_{name}\",\"type\":\"GAUGE\",\"help\":");
        push_text(&mut out, &help);
        // As Go's writer of protobuf has it, an empty list is left out.
        if !all.is_empty() {
            out.push_str(",\"metrics\":");
            push_list(&mut out, &all, |out, (key, parts)| {
                self.push_series(out, key, parts);
            });
        }
        out.push('}');
        Ok(out)
    }

    fn check_size(&self, series: usize) -> Result<(), ApiError> {
        let Steps {
            count, per, part, ..
        } = self.steps;
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let points = series.saturating_mul(number(count));
        if points <= POINTS_MAX && points.saturating_mul(number(per / part)) <= PARTS_MAX {
            return Ok(());
        }
        Err(ApiError {
            status: 422,
            message: format!(
                "{series} series of {count} points over {per} minutes each are more than is told at once; \
                 ask for a longer step, a shorter lookback or fewer services"
            ),
        })
    }

    fn push_series(&self, out: &mut String, key: &(String, Option<String>), parts: &[Red]) {
        let (service, operation) = key;
        out.push_str("{\"labels\":[{\"name\":\"service_name\",\"value\":");
        push_text(out, service);
        if let Some(operation) = operation {
            out.push_str("},{\"name\":\"operation\",\"value\":");
            push_text(out, operation);
        }
        out.push_str("}],\"metricPoints\":");
        push_list(out, 0..self.steps.count, |out, point| {
            let minute = self.steps.first + point * self.steps.step;
            out.push_str("{\"gaugeValue\":{\"doubleValue\":");
            let of_point = parts.get(self.steps.parts_of(minute)).unwrap_or_default();
            push_double(out, self.value(of_point));
            out.push_str("},\"timestamp\":\"");
            out.push_str(&timestamp(minute));
            out.push_str("\"}");
        });
        out.push('}');
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "a rate is shown with few digits"
    )]
    fn value(&self, parts: &[Red]) -> f64 {
        let spans: u64 = parts.iter().map(|part| part.spans).sum();
        match self.metric {
            Metric::Calls => spans as f64 / (self.steps.per * 60) as f64,
            Metric::Errors => {
                let errors: u64 = parts.iter().map(|part| part.errors).sum();
                // Without calls there is no share: NaN, as in Prometheus.
                errors as f64 / spans as f64
            }
            Metric::Latencies { .. } if spans == 0 => f64::NAN,
            Metric::Latencies { quantile } if quantile < 0.0 => f64::NEG_INFINITY,
            Metric::Latencies { quantile } if quantile > 1.0 => f64::INFINITY,
            Metric::Latencies { quantile } => {
                let mut all = Red::default();
                parts.iter().for_each(|part| all.merge(part));
                all.quantile(quantile) / 1e6
            }
        }
    }
}

impl Steps {
    fn of(end_millis: i64, lookback_millis: i64, step_millis: i64, per_millis: i64) -> Self {
        // No time is later than this: nanoseconds are counted in 64 bits.
        const LAST_MINUTE: u64 = u64::MAX / MINUTE_NANOS - 1;
        let minute = |millis: i64| {
            (u64::try_from(millis).unwrap_or_default() / MINUTE_MILLIS).min(LAST_MINUTE)
        };
        let length = |millis: i64| {
            let minutes = u64::try_from(millis)
                .unwrap_or_default()
                .div_ceil(MINUTE_MILLIS);
            minutes.clamp(1, LAST_MINUTE)
        };
        let (last, first) = (
            minute(end_millis),
            minute(end_millis.saturating_sub(lookback_millis)),
        );
        let (step, per) = (length(step_millis), length(per_millis));
        // Where time begins, parts of a minute fit.
        let part = if first >= per {
            common_divisor(step, per)
        } else {
            1
        };
        Self {
            first,
            step,
            count: (last - first) / step + 1,
            per,
            part,
            origin: first.saturating_sub(per),
        }
    }

    /// How many parts there are up to the last point.
    fn parts(&self) -> u64 {
        (self.first + (self.count - 1) * self.step - self.origin) / self.part
    }

    /// The parts that a point tells: those that end with it.
    fn parts_of(&self, minute: u64) -> std::ops::Range<usize> {
        let at = |minute: u64| {
            let part = minute.saturating_sub(self.origin) / self.part;
            usize::try_from(part).unwrap_or(usize::MAX)
        };
        let (from, to) = (at(minute.saturating_sub(self.per)), at(minute));
        if planted("serve-metrics-one-part-late") && from > 0 {
            return from - 1..to - 1;
        }
        from..to
    }
}

fn common_divisor(one: u64, other: u64) -> u64 {
    match other {
        0 => one.max(1),
        _ => common_divisor(other, one % other),
    }
}

fn kind_number(text: &str) -> Result<i32, ApiError> {
    kinds::number_of(&text.to_ascii_lowercase())
        .ok_or_else(|| unable("spanKind", &format!("unsupported span kind: '{text}'")))
}

fn push_double(out: &mut String, number: f64) {
    if number.is_finite() {
        out.push_str(&number_text(number));
    } else {
        push_text(out, &number_text(number));
    }
}

fn timestamp(minute: u64) -> String {
    let seconds = i64::try_from(minute.saturating_mul(60)).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Asked, ApiError> {
        Asked::read(
            "calls",
            &Parameters::parse(Some(query)),
            1_000 * 60_000 + 59_999,
        )
    }

    #[test]
    fn times_are_whole_minutes_and_points_are_made_of_the_longest_parts_that_fit() {
        let steps = asked("service=s&lookback=600000&step=61000&ratePer=240001")
            .unwrap()
            .steps;
        let expected = Steps {
            first: 990,
            step: 2,
            count: 6,
            per: 5,
            part: 1,
            origin: 985,
        };
        assert_eq!(steps, expected);
        let steps = asked("service=s&lookback=600000&step=120000&ratePer=240000")
            .unwrap()
            .steps;
        assert_eq!((steps.part, steps.parts()), (2, 7));
        assert_eq!((steps.parts_of(990), steps.parts_of(1_000)), (0..2, 5..7));
    }

    #[test]
    fn what_a_request_does_not_say_is_as_in_jaeger() {
        let asked = asked("service=s").unwrap();
        let steps = asked.steps;
        assert_eq!(
            (steps.first, steps.step, steps.count, steps.per),
            (940, 1, 61, 10)
        );
        assert_eq!((asked.kinds, asked.by_operation), (vec![SERVER], false));
    }

    #[test]
    fn times_that_lead_nowhere_are_refused_with_the_parameter() {
        for (query, key) in [
            ("lookback=-1", "lookback"),
            ("step=0", "step"),
            ("ratePer=-5", "ratePer"),
        ] {
            let error = asked(&format!("service=s&{query}")).unwrap_err();
            assert_eq!(error.status, 400);
            assert!(
                error.message.contains(&format!("'{key}'")),
                "{}",
                error.message
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_times_are_answered_without_a_panic(
            end in proptest::prelude::any::<i64>(),
            lookback in 0..i64::MAX,
            step in 1..i64::MAX,
            per in 1..i64::MAX,
        ) {
            let steps = Steps::of(end, lookback, step, per);
            let last = steps.first + (steps.count - 1) * steps.step;
            let of_last = steps.parts_of(last);
            proptest::prop_assert!(of_last.end as u64 == steps.parts() && of_last.start <= of_last.end);
            let of_first = steps.parts_of(steps.first);
            proptest::prop_assert!((of_first.len() as u64) * steps.part <= steps.per);
        }
    }
}
