//! Counts spans for Prometheus: calls and durations by service, operation, kind and status, under the names of
//! OpenTelemetry's span metrics.
//!
//! Promises
//! - A span counts once it is kept, and for as many as it stands for (`weight.rs`). A request that is refused and sent
//!   again is counted once.
//! - Series are bounded: what has none of its own is counted as `<other>`, so sums are right.
//! - Numbers only grow.
//!
//! Read next: docs/process/metrics.md for when these are better than those of services, which the store counts.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::{Arc, Mutex, PoisonError};

use model::batch::SpanRef;
use model::contract::Processed;
use model::{SpanBatch, Symbol};
use plumbing::Metrics;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use crate::Map;
use crate::pipeline::{Step, With};
use crate::reader::Reader;
use crate::weight::weight;

/// Series where nothing else is said: 20 lines of text each.
const SERIES_MAX: u64 = 2_000;
/// Upper bounds in milliseconds where nothing else is said; those of OpenTelemetry's connector.
const BOUNDS_MS: [f64; 16] = [
    2.0, 4.0, 6.0, 8.0, 10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1_000.0, 1_400.0, 2_000.0, 5_000.0,
    10_000.0, 15_000.0,
];
const BOUNDS_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 16;
/// Bytes of a label's value that are told.
const LABEL_BYTES_MAX: usize = 256;
/// What has no series of its own.
const OTHER: &str = "<other>";
/// Labels that every series has.
const OWN_LABELS: [&str; 4] = ["service_name", "span_name", "span_kind", "status_code"];

/// Places of labels.
const KIND: usize = 2;
const STATUS: usize = 3;

/// What is counted.
#[derive(Debug, Clone)]
pub(crate) struct MetricsOptions {
    /// Attributes that are labels, too: their keys and how they are written.
    dimensions: Vec<(String, String)>,
    series_max: usize,
    bounds_ms: Vec<f64>,
}

impl MetricsOptions {
    /// Reads the keys of a step.
    pub(crate) fn read(keys: &mut Reader<'_>) -> Self {
        let mut dimensions: Vec<(String, String)> = Vec::new();
        for key in keys.texts("dimensions") {
            let label = label_of(key);
            let is_taken = OWN_LABELS.contains(&label.as_str())
                || dimensions.iter().any(|(_, taken)| *taken == label);
            if is_taken || label.is_empty() {
                keys.complain("dimensions", format!("{key:?} is a label already"));
            } else if dimensions.len() >= DIMENSIONS_MAX {
                keys.complain(
                    "dimensions",
                    format!("at most {DIMENSIONS_MAX} can be used"),
                );
                break;
            } else {
                dimensions.push((key.to_owned(), label));
            }
        }
        let series_max = keys.count("series_max", 1).unwrap_or(SERIES_MAX);
        Self {
            dimensions,
            series_max: usize::try_from(series_max).unwrap_or(usize::MAX),
            bounds_ms: read_bounds(keys),
        }
    }
}

fn read_bounds(keys: &mut Reader<'_>) -> Vec<f64> {
    let Some(written) = keys.value("buckets_ms") else {
        return BOUNDS_MS.to_vec();
    };
    let bounds = written.as_array().map(|items| {
        let numbers = items.iter().map(serde_json::Value::as_f64);
        numbers.collect::<Option<Vec<f64>>>().unwrap_or_default()
    });
    let bounds = bounds.unwrap_or_default();
    let is_ascending = bounds.is_sorted_by(|one, two| one < two);
    if bounds.is_empty() || bounds.len() > BOUNDS_MAX || !is_ascending {
        keys.complain(
            "buckets_ms",
            format!(
                "write up to {BOUNDS_MAX} numbers of milliseconds, each greater than the one before"
            ),
        );
    }
    bounds
}

/// The key of an attribute as Prometheus writes it.
fn label_of(key: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let label: String = key
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    if label.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{label}")
    } else {
        label
    }
}

/// The step, ready.
#[derive(Debug)]
pub(crate) struct SpanMetrics {
    options: MetricsOptions,
    table: Arc<Table>,
}

/// All series.
#[derive(Debug)]
struct Table {
    bounds_ms: Vec<f64>,
    labels: Vec<String>,
    series_max: usize,
    series: Mutex<BTreeMap<Vec<String>, Calls>>,
}

/// The calls of one series; parts of spans, for those that stand for others.
#[derive(Debug, Clone, Default)]
struct Calls {
    /// By bound; the last one for what is longer.
    durations: Vec<f64>,
    sum_ms: f64,
}

impl Calls {
    fn add(&mut self, bounds_ms: &[f64], ms: f64, weight: f64) {
        if self.durations.is_empty() {
            self.durations = vec![0.0; bounds_ms.len() + 1];
        }
        let bound = bounds_ms.partition_point(|bound| *bound < ms);
        if let Some(count) = self.durations.get_mut(bound) {
            *count += weight;
        }
        self.sum_ms += ms * weight;
    }

    fn absorb(&mut self, more: &Self) {
        self.durations.resize(more.durations.len(), 0.0);
        for (count, more) in self.durations.iter_mut().zip(&more.durations) {
            *count += more;
        }
        self.sum_ms += more.sum_ms;
    }

    /// Whole calls, bucket by bucket.
    fn whole(&self) -> Vec<u64> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "weights are positive, and what is beyond 2^64 stays there"
        )]
        let whole = |count: &f64| count.round() as u64;
        self.durations.iter().map(whole).collect()
    }
}

/// The series of a span inside its batch: kind, status, and the rest, or nothing where there are too many.
type LocalKey = (&'static str, &'static str, Option<Rest>);
type Rest = (Symbol, Symbol, Vec<String>);

impl SpanMetrics {
    pub(crate) fn new(options: MetricsOptions, metrics: &Metrics) -> Self {
        let own = OWN_LABELS.map(str::to_owned).into_iter();
        let others = options.dimensions.iter().map(|(_, label)| label.clone());
        let table = Arc::new(Table {
            bounds_ms: options.bounds_ms.clone(),
            labels: own.chain(others).collect(),
            series_max: options.series_max,
            series: Mutex::default(),
        });
        let shown = Box::new(Shown(Arc::clone(&table)));
        metrics.register(|registry| registry.register_collector(shown));
        Self { options, table }
    }

    /// The calls of a batch.
    fn count(&self, batch: &SpanBatch) -> Vec<(Vec<String>, Calls)> {
        let mut local: Map<LocalKey, Calls> = Map::default();
        for span in batch.iter() {
            let name = batch.spans().name.get(span.row()).copied();
            let dimensions = self.options.dimensions.iter();
            let rest = (
                span.resource().row().service,
                name.unwrap_or_default(),
                dimensions.map(|(key, _)| dimension(span, key)).collect(),
            );
            let mut key = (
                kind_name(span.kind()),
                status_name(span.status()),
                Some(rest),
            );
            // However many series a request makes up, it holds no more than there may be in all.
            if local.len() >= self.options.series_max && !local.contains_key(&key) {
                key.2 = None;
            }
            let nanos = span.end().saturating_sub(span.start());
            let ms = std::time::Duration::from_nanos(nanos).as_secs_f64() * 1_000.0;
            let calls = local.entry(key).or_default();
            calls.add(&self.options.bounds_ms, ms, weight(span));
        }
        let told = local.into_iter().map(|((kind, status, rest), calls)| {
            let labels = match rest {
                Some((service, name, dimensions)) => {
                    let own = [
                        short(batch.strings().get(service)),
                        short(batch.strings().get(name)),
                        kind.to_owned(),
                        status.to_owned(),
                    ];
                    own.into_iter().chain(dimensions).collect()
                }
                None => self.table.others(kind, status),
            };
            (labels, calls)
        });
        told.collect()
    }
}

/// An attribute of the span, else of its resource; nothing where neither has it.
fn dimension(span: SpanRef<'_>, key: &str) -> String {
    let of_span = span.attributes().find(|attribute| attribute.key == key);
    let resource = span.resource();
    let found = of_span.or_else(|| {
        let mut of_resource = resource.attributes();
        of_resource.find(|attribute| attribute.key == key)
    });
    found.map_or_else(String::new, |found| short(&found.value.canonical_text()))
}

fn short(text: &str) -> String {
    let end = text.floor_char_boundary(LABEL_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}

fn kind_name(kind: i32) -> &'static str {
    match kind {
        1 => "SPAN_KIND_INTERNAL",
        2 => "SPAN_KIND_SERVER",
        3 => "SPAN_KIND_CLIENT",
        4 => "SPAN_KIND_PRODUCER",
        5 => "SPAN_KIND_CONSUMER",
        _ => "SPAN_KIND_UNSPECIFIED",
    }
}

fn status_name(status: i32) -> &'static str {
    match status {
        1 => "STATUS_CODE_OK",
        2 => "STATUS_CODE_ERROR",
        _ => "STATUS_CODE_UNSET",
    }
}

impl Table {
    /// The labels of what has no series of its own.
    fn others(&self, kind: &str, status: &str) -> Vec<String> {
        let label = |place| match place {
            KIND => kind,
            STATUS => status,
            _ => OTHER,
        };
        let labels = (0..self.labels.len()).map(label);
        labels.map(str::to_owned).collect()
    }

    fn absorb(&self, counted: Vec<(Vec<String>, Calls)>) {
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        for (mut labels, calls) in counted {
            if !series.contains_key(&labels) && series.len() >= self.series_max {
                // Kind and status stay, so that the share of errors can still be told.
                let own = |at: usize| labels.get(at).cloned().unwrap_or_default();
                labels = self.others(&own(KIND), &own(STATUS));
            }
            series.entry(labels).or_default().absorb(&calls);
        }
    }
}

impl Step for SpanMetrics {
    fn apply(&self, _with: &With<'_>, work: &mut Processed) {
        let counted = self.count(&work.batch);
        let table = Arc::clone(&self.table);
        work.on_kept.push(Box::new(move || table.absorb(counted)));
    }
}

/// Shows a table among the metrics.
#[derive(Debug)]
struct Shown(Arc<Table>);

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let table = &*self.0;
        // Printing may take a while, and who counts must not wait for it.
        let series = table
            .series
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let labels_of = |values: &[String]| -> Vec<(String, String)> {
            let pairs = table.labels.iter().zip(values);
            let pairs = pairs.filter(|(_, value)| !value.is_empty());
            pairs
                .map(|(label, value)| (label.clone(), value.clone()))
                .collect()
        };
        let help = "Spans that were kept, those that they stand for included";
        let name = "traces_span_metrics_calls";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (values, calls) in &series {
            let count: u64 = calls.whole().iter().sum();
            ConstCounter::new(count).encode(metric.encode_family(&labels_of(values))?)?;
        }
        let name = "traces_span_metrics_duration";
        let unit = Unit::Other("milliseconds".to_owned());
        let kind = MetricType::Histogram;
        let mut metric = encoder.encode_descriptor(name, "Their durations", Some(&unit), kind)?;
        for (values, calls) in &series {
            let labels = labels_of(values);
            let mut of_series = metric.encode_family(&labels)?;
            let whole = calls.whole();
            let bounds = table.bounds_ms.iter().copied().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(whole.iter().copied()).collect();
            let count = whole.iter().sum();
            of_series.encode_histogram::<NoLabelSet>(calls.sum_ms, count, &buckets, None)?;
        }
        Ok(())
    }
}
