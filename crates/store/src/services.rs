//! Calls, errors and durations of services, counted as their spans are kept: what Prometheus alerts on.
//!
//! A call is a span that enters a service: one without a parent, or of the kinds server and consumer.
//!
//! Promises
//! - Numbers only grow while the program runs. What was sent twice is counted once, what a start reads from the log not
//!   again.
//! - [`SERVICES_MAX`] services are told, those that came first; all others together as [`OTHER_SERVICES`].
//! - A span costs a look at its kind and its parent; a batch one lock.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::SpanBatch;
use plumbing::Metrics;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use crate::engine::lock;
use crate::index::STATUS_ERROR;
use crate::metrics::seconds;
use crate::segment::is_entry;

/// Services that are told: 18 lines of text each.
const SERVICES_MAX: usize = 300;
/// What all others are told as.
const OTHER_SERVICES: &str = "<other>";
/// Bytes of a service's name that are told.
const NAME_BYTES_MAX: usize = 256;
/// Upper bounds of durations in milliseconds.
const BOUNDS_MS: [u32; 13] = [
    2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];

/// Calls of a service.
#[derive(Debug, Clone, Default)]
struct Calls {
    calls: u64,
    errors: u64,
    seconds: f64,
    /// By [`BOUNDS_MS`]; the last one for what is longer.
    durations: [u64; BOUNDS_MS.len() + 1],
}

impl Calls {
    fn add(&mut self, nanos: u64, is_error: bool) {
        self.calls += 1;
        self.errors += u64::from(is_error);
        self.seconds += seconds(nanos);
        let bound = BOUNDS_MS.partition_point(|ms| u64::from(*ms) * 1_000_000 < nanos);
        if let Some(count) = self.durations.get_mut(bound) {
            *count += 1;
        }
    }

    fn absorb(&mut self, more: &Self) {
        self.calls += more.calls;
        self.errors += more.errors;
        self.seconds += more.seconds;
        for (count, more) in self.durations.iter_mut().zip(&more.durations) {
            *count += more;
        }
    }

    fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS_MS.iter().map(|ms| f64::from(*ms) / 1_000.0);
        let bounds = bounds.chain([f64::INFINITY]);
        bounds.zip(self.durations.iter().copied()).collect()
    }
}

/// The calls of all services; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceCalls(Arc<Mutex<BTreeMap<String, Calls>>>);

impl ServiceCalls {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        let collector = Box::new(made.clone());
        metrics.register(|registry| registry.register_collector(collector));
        made
    }

    /// Counts the calls of spans that are kept for the first time.
    pub(crate) fn count(&self, batch: &SpanBatch) {
        let spans = batch.spans();
        let mut by_resource: HashMap<u32, Calls, RandomState> = HashMap::default();
        let rows = spans.kind.iter().zip(&spans.parent_span_id).enumerate();
        for (row, (kind, parent)) in rows {
            if !is_entry(*kind, *parent) {
                continue;
            }
            let Some(span) = batch.span(row) else {
                continue;
            };
            let nanos = span.end().saturating_sub(span.start());
            let calls = by_resource.entry(span.resource_row()).or_default();
            calls.add(nanos, span.status() == STATUS_ERROR);
        }
        let mut services = lock(&self.0);
        for (resource, calls) in by_resource {
            let name = batch.resource(resource).service();
            let name = name.get(..name.floor_char_boundary(NAME_BYTES_MAX));
            let name = name.unwrap_or_default();
            let is_told = services.contains_key(name) || services.len() < SERVICES_MAX;
            let name = if is_told { name } else { OTHER_SERVICES };
            match services.get_mut(name) {
                Some(known) => known.absorb(&calls),
                None => drop(services.insert(name.to_owned(), calls)),
            }
        }
    }
}

#[cfg(test)]
impl ServiceCalls {
    /// Calls and errors of each service.
    pub(crate) fn counts(&self) -> Vec<(String, u64, u64)> {
        let services = lock(&self.0).clone().into_iter();
        let told = services.map(|(service, calls)| (service, calls.calls, calls.errors));
        told.collect()
    }
}

impl Collector for ServiceCalls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        // Printing may take a while, and who writes must not wait for it.
        let services = lock(&self.0).clone();
        type Series = (&'static str, &'static str, fn(&Calls) -> u64);
        let counters: [Series; 2] = [
            (
                "trackway_service_calls",
                "Stored spans that enter a service: without a parent, or of the kinds server and consumer",
                |calls| calls.calls,
            ),
            (
                "trackway_service_errors",
                "Those of them whose status is an error",
                |calls| calls.errors,
            ),
        ];
        for (name, help, get) in counters {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (service, calls) in &services {
                let labels = [("service", service.as_str())];
                ConstCounter::new(get(calls)).encode(metric.encode_family(&labels)?)?;
            }
        }
        let name = "trackway_service_duration";
        let help = "Their durations";
        let kind = MetricType::Histogram;
        let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        for (service, calls) in &services {
            let labels = [("service", service.as_str())];
            let mut series = metric.encode_family(&labels)?;
            let buckets = calls.buckets();
            series.encode_histogram::<NoLabelSet>(calls.seconds, calls.calls, &buckets, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::spans::request;

    /// One root of each service.
    fn batch_of(services: &[String]) -> SpanBatch {
        let all = services.iter().fold(request(), |request, service| {
            request.service(service).span("op", |span| span)
        });
        codec::otlp::decode_proto(&all.encode()).unwrap().batch
    }

    #[test]
    fn services_beyond_the_most_are_told_together_and_none_is_lost() {
        let metrics = Metrics::new();
        let calls = ServiceCalls::register(&metrics);
        let names: Vec<String> = (0..SERVICES_MAX + 5).map(|n| format!("s-{n:03}")).collect();
        // One batch each: which of a batch come first does not matter.
        for name in names.iter().chain(&names) {
            calls.count(&batch_of(std::slice::from_ref(name)));
        }
        let services = lock(&calls.0).clone();
        assert_eq!(services.len(), SERVICES_MAX + 1);
        let all: u64 = services.values().map(|calls| calls.calls).sum();
        assert_eq!(all, 2 * names.len() as u64);
        assert_eq!(services[OTHER_SERVICES].calls, 10);
        let text = metrics.print().unwrap();
        assert!(text.contains("trackway_service_calls_total{service=\"<other>\"} 10\n"));
    }

    #[test]
    fn a_duration_counts_where_its_bound_is_not_below_it() {
        let mut calls = Calls::default();
        for nanos in [0, 2_000_000, 2_000_001, 30_000_000_000, 30_000_000_001] {
            calls.add(nanos, nanos == 0);
        }
        assert_eq!((calls.calls, calls.errors), (5, 1));
        let buckets = calls.buckets();
        assert_eq!(buckets.first(), Some(&(0.002, 2)));
        assert_eq!(buckets.get(1), Some(&(0.005, 1)));
        assert_eq!(buckets.get(12), Some(&(30.0, 1)));
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, 1)));
    }
}
