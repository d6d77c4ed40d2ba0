//! What a Collector does to spans on their way: processors and the connector `spanmetrics`, as steps of `process` and
//! policies of `tail_sampling`.
//!
//! Promises: a processor is carried over where a step does the same, and told where none does; nothing is guessed. Of
//! tail sampling all policies are carried over, or none: what stays must not depend on the half that was understood.

use std::time::Duration;

use serde_json::{Value, json};

use super::report::{Place, is_secret};
use super::table::How::{Elsewhere, Lost, LostUnless, Note, Quiet, With};
use super::table::{Importer, Meaning, Row, join};
use super::tree::{Item, Node};
use crate::config::Setting;

/// Steps and policies in the making.
#[derive(Default)]
pub(super) struct Steps {
    steps: Vec<Value>,
    policies: Vec<Value>,
    last: Place,
    policies_from: Place,
}

const LIMITER: &[Row] = &[
    ("limit_mib", "", With("memory.limit", mebibytes)),
    (
        "limit_percentage",
        "",
        Note("memory.limit is half of what the machine or its cgroup has, 512 MiB at most"),
    ),
    ("check_interval", "", Quiet),
    ("spike_limit_mib", "", Quiet),
    ("spike_limit_percentage", "", Quiet),
    ("min_gc_interval_when_soft_limited", "", Quiet),
    ("min_gc_interval_when_hard_limited", "", Quiet),
];

fn mebibytes(text: &str) -> Meaning {
    match text {
        "" | "0" => Meaning::Unsaid,
        count => Meaning::Is(format!("{count}MiB")),
    }
}

const NO_STEP: &str = "no step of process does this: have a Collector before Trackway do it";

impl Steps {
    /// Carries over a processor.
    pub(super) fn processor(
        &mut self,
        importer: &mut Importer,
        kind: &str,
        path: &str,
        item: &Item,
    ) {
        let place = Place::of(path, item);
        match kind {
            // Requests are written as they come, many of them at once.
            "batch" | "adaptive_sampling" | "groupbytrace" => {}
            "memory_limiter" => importer.walk(LIMITER, "", path, item),
            "probabilistic_sampler" => self.sampler(importer, path, item),
            "tail_sampling" => self.tail(importer, path, item),
            "attributes" => self.attributes(importer, path, item, ("span", "actions")),
            "resource" => self.attributes(importer, path, item, ("resource", "attributes")),
            "filter" => self.filter(importer, path, item),
            _ => importer.lost(&place, NO_STEP),
        }
    }

    /// Sets the keys. Where a store is shared there is no tail sampling.
    pub(super) fn settle(self, importer: &mut Importer, (is_embedded, is_adaptive): (bool, bool)) {
        let samples = |step: &Value| step.get("sample").is_some();
        let mut steps = self.steps;
        if is_adaptive && steps.iter().any(samples) {
            steps.retain(|step| !samples(step));
            let why = "adaptive sampling and a step sample work against each other: adaptive sampling was kept";
            importer.lost(&self.last, why);
        }
        if !steps.is_empty() {
            importer.set("process", Value::Array(steps).to_string(), &self.last);
        }
        if self.policies.is_empty() {
            return;
        }
        if !is_embedded {
            let why =
                "tail sampling needs the embedded store: have a Collector before Trackway do it";
            return importer.lost(&self.policies_from, why);
        }
        importer.set(
            "tail_sampling",
            Value::Array(self.policies).to_string(),
            &self.policies_from,
        );
    }

    fn push(&mut self, step: Value, place: &Place) {
        self.steps.push(step);
        self.last = place.clone();
    }

    fn sampler(&mut self, importer: &mut Importer, path: &str, item: &Item) {
        importer.walk(SAMPLER, "", path, item);
        let share = item.at("sampling_percentage");
        let Some(text) = importer.text(&join(path, "sampling_percentage"), share) else {
            return;
        };
        let place = Place::of(path, item);
        match text.parse::<f64>() {
            Ok(percent) if percent >= 100.0 => {}
            Ok(percent) if percent >= 0.0 => {
                self.push(json!({"sample": {"probability": percent / 100.0}}), &place);
            }
            _ => importer.lost(
                &place,
                "a number from 0 to 100 is wanted as sampling_percentage",
            ),
        }
    }

    /// `attributes` and `resource`: an action is a step of its own, so that their order stays.
    fn attributes(
        &mut self,
        importer: &mut Importer,
        path: &str,
        item: &Item,
        (on, key): (&str, &str),
    ) {
        for (name, below) in item.fields() {
            let place = Place::of(&join(path, name), below);
            match name.as_str() {
                _ if name == key => {}
                "include" | "exclude" => {
                    importer.lost(
                        &place,
                        "a step attributes is for all spans; the actions were left out",
                    );
                    return;
                }
                _ => importer.unknown(&place.path, name, below, [key, "include", "exclude"]),
            }
        }
        for action in item.at(key).items() {
            let place = Place::of(&join(path, key), action);
            match attribute(action) {
                Ok((verb, value)) => {
                    let mut step = serde_json::Map::new();
                    if on != "span" {
                        step.insert("on".to_owned(), on.into());
                    }
                    step.insert(verb.to_owned(), value);
                    self.push(json!({"attributes": step}), &place);
                }
                Err(why) => importer.lost(&place, why),
            }
        }
    }

    fn filter(&mut self, importer: &mut Importer, path: &str, item: &Item) {
        for (name, below) in item.fields() {
            let full = join(path, name);
            match name.as_str() {
                "error_mode" | "metrics" | "logs" | "profiles" => {}
                "traces" => {
                    for (name, conditions) in below.fields() {
                        let full = join(&full, name);
                        for condition in conditions.items() {
                            let place = Place::of(&full, condition);
                            let Some(text) = importer.text(&full, condition) else {
                                continue;
                            };
                            match query_of(&text).filter(|_| name == "span") {
                                Some(query) => {
                                    self.push(json!({"filter": {"drop": query}}), &place);
                                }
                                None => importer.lost(&place, NO_QUERY),
                            }
                        }
                    }
                }
                "spans" | "trace_conditions" => importer.lost(&Place::of(&full, below), NO_QUERY),
                _ => importer.unknown(&full, name, below, ["error_mode", "traces", "spans"]),
            }
        }
    }

    fn tail(&mut self, importer: &mut Importer, path: &str, item: &Item) {
        importer.walk(TAIL, "", path, item);
        let mut policies = Vec::new();
        let mut last = Vec::new();
        let mut is_whole = true;
        for policy in item.at("policies").items() {
            match tail_policy(policy) {
                Ok(policy) if policy.get("when").is_none() => last.push(policy),
                Ok(policy) => policies.push(policy),
                Err(why) => {
                    is_whole = false;
                    let why = format!(
                        "{why}; none of the policies was carried over, so that all traces stay"
                    );
                    importer.lost(&Place::of(&join(path, "policies"), policy), why);
                }
            }
        }
        let place = Place::of(&join(path, "policies"), item.at("policies"));
        if last.len() > 1 {
            is_whole = false;
            importer.lost(
                &place,
                "one policy may be for all traces; none was carried over, so that all traces stay",
            );
        }
        if !is_whole || (policies.is_empty() && last.is_empty()) {
            return;
        }
        // A Collector drops what no policy wants, and Trackway keeps it.
        let others = last
            .pop()
            .unwrap_or_else(|| json!({"name": "others", "keep": "never"}));
        policies.push(others);
        self.policies = policies;
        self.policies_from = place;
    }

    /// The connector `spanmetrics`.
    pub(super) fn span_metrics(&mut self, importer: &mut Importer, path: &str, item: &Item) {
        importer.walk(SPAN_METRICS, "", path, item);
        let mut step = serde_json::Map::new();
        let mut dimensions: Vec<Value> = Vec::new();
        for dimension in item.at("dimensions").items() {
            let place = Place::of(&join(path, "dimensions"), dimension);
            let name = dimension.text_at("name");
            // These are labels anyway.
            let is_own =
                ["service.name", "span.name", "span.kind", "status.code"].contains(&name.as_str());
            if dimension.get("default").is_some() {
                importer.lost(
                    &place,
                    "a label is left out where a span has no such attribute, and gets no default",
                );
            }
            if !name.is_empty() && !is_own && !dimensions.contains(&name.as_str().into()) {
                dimensions.push(name.into());
            }
        }
        if !dimensions.is_empty() {
            step.insert("dimensions".to_owned(), dimensions.into());
        }
        let buckets = item.at("histogram.explicit.buckets");
        let bounds: Vec<Option<f64>> = buckets
            .items()
            .iter()
            .map(|item| milliseconds(&item.text()?))
            .collect();
        match bounds.into_iter().collect::<Option<Vec<f64>>>() {
            Some(bounds) if bounds.is_empty() => {}
            Some(bounds) => drop(step.insert("buckets_ms".to_owned(), bounds.into())),
            None => {
                let place = Place::of(&join(path, "histogram.explicit.buckets"), buckets);
                importer.lost(&place, "durations are wanted, such as 10ms");
            }
        }
        if let Ok(count) = item.text_at("aggregation_cardinality_limit").parse::<u64>()
            && count > 0
        {
            step.insert("series_max".to_owned(), count.into());
        }
        self.push(json!({"metrics": step}), &Place::of(path, item));
    }
}

const SAMPLER: &[Row] = &[
    ("sampling_percentage", "", Elsewhere),
    (
        "mode",
        "",
        Note("as OpenTelemetry has it: by the low 56 bits of a trace's id, or its rv"),
    ),
    (
        "hash_seed",
        "",
        Lost("which traces stay is told by their ids alone, without a seed; as many stay"),
    ),
    (
        "attribute_source",
        "",
        LostUnless("traceID", "traces are sampled by their ids"),
    ),
    (
        "from_attribute",
        "",
        Lost("traces are sampled by their ids"),
    ),
    (
        "sampling_priority",
        "",
        Lost("spans with sampling.priority above 0 stay; no other attribute says so"),
    ),
    ("sampling_precision", "", Quiet),
    ("fail_closed", "", Quiet),
];

const NAMES: &str =
    "metrics are called traces_span_metrics_…, as the connector calls them by default";
const SPAN_METRICS: &[Row] = &[
    ("namespace", "", LostUnless("traces.span.metrics", NAMES)),
    ("dimensions", "", Elsewhere),
    (
        "calls_dimensions",
        "",
        Lost("all metrics have the same labels: dimensions"),
    ),
    (
        "exclude_dimensions",
        "",
        Lost("service, name, kind and status are always labels"),
    ),
    (
        "histogram.unit",
        "",
        LostUnless("ms", "durations are told in milliseconds"),
    ),
    ("histogram.explicit.buckets", "", Elsewhere),
    (
        "histogram.exponential",
        "",
        Lost("histograms have fixed bounds: buckets_ms of the step metrics"),
    ),
    (
        "histogram.disable",
        "",
        Lost("the histogram is always there"),
    ),
    (
        "histogram.dimensions",
        "",
        Lost("all metrics have the same labels: dimensions"),
    ),
    ("metrics_flush_interval", "", Quiet),
    ("metrics_expiration", "", Quiet),
    (
        "aggregation_temporality",
        "",
        LostUnless(
            "AGGREGATION_TEMPORALITY_CUMULATIVE",
            "metrics add up from the start on",
        ),
    ),
    ("aggregation_cardinality_limit", "", Elsewhere),
    ("dimensions_cache_size", "", Quiet),
    ("resource_metrics_cache_size", "", Quiet),
    ("resource_metrics_key_attributes", "", Quiet),
    (
        "include_instrumentation_scope",
        "",
        Lost("metrics are not told by scope"),
    ),
    (
        "instrumentation_library",
        "",
        Lost("metrics are not told by scope"),
    ),
    ("exemplars.enabled", "", Lost("metrics have no exemplars")),
    ("exemplars.max_per_data_point", "", Quiet),
    ("events.enabled", "", Lost("events are not counted")),
    ("events.dimensions", "", Quiet),
    ("add_resource_attributes", "", Quiet),
];

const TAIL: &[Row] = &[
    ("policies", "", Elsewhere),
    (
        "decision_wait",
        "",
        Note("a trace is judged when its segment is merged: store.finalise"),
    ),
    ("decision_wait_after_root_received", "", Quiet),
    ("num_traces", "", Quiet),
    ("expected_new_traces_per_sec", "", Quiet),
    ("decision_cache", "", Quiet),
    ("block_on_overflow", "", Quiet),
    ("sample_on_first_match", "", Quiet),
    ("drop_pending_traces_on_shutdown", "", Quiet),
    ("maximum_trace_size_bytes", "", Quiet),
];

/// A duration in milliseconds, to the microsecond.
fn milliseconds(text: &str) -> Option<f64> {
    let micros = Duration::parse(text).ok()?.as_micros();
    Some(f64::from(u32::try_from(micros).ok()?) / 1e3)
}

const NO_ACTION: &str = "a step attributes deletes, renames, inserts and upserts by exact keys: have a Collector \
                         before \
                         Trackway do it";

/// The verb of a step and its value.
fn attribute(action: &Item) -> Result<(&'static str, Value), String> {
    let known = ["key", "action", "value"];
    let key = action.text_at("key");
    let verb = action.text_at("action").to_lowercase();
    let other = action
        .fields()
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()));
    let value = action.at("value");
    if key.is_empty() || other.is_some() {
        return Err(NO_ACTION.to_owned());
    }
    if let Some(why) = &value.unknown {
        return Err(why.clone());
    }
    if is_secret(&key) && value.any_variable().is_some() {
        return Err("its value is a secret from a variable, and is not written down".to_owned());
    }
    match (verb.as_str(), &value.node) {
        ("delete", Node::Nothing) => Ok(("delete", json!([key]))),
        ("insert", Node::One(_)) => Ok(("insert", json!({ key: value.json() }))),
        ("upsert", Node::One(_)) => Ok(("upsert", json!({ key: value.json() }))),
        _ => Err(NO_ACTION.to_owned()),
    }
}

const NO_QUERY: &str = "write it as a query (docs/query-language.md) into a step filter: only comparisons of name and \
                        attributes by == are translated";

/// A condition of OTTL as a query, where it is one comparison by `==`.
fn query_of(condition: &str) -> Option<String> {
    let (field, value) = condition.split_once("==")?;
    let (field, value) = (field.trim(), value.trim());
    let field = field.strip_prefix("span.").unwrap_or(field);
    let is_text = |text: &str| {
        text.len() >= 2
            && text.starts_with('"')
            && text.ends_with('"')
            && !text
                .get(1..text.len() - 1)
                .is_none_or(|inner| inner.contains(['"', '\\']))
    };
    let is_number = |text: &str| !text.is_empty() && text.parse::<f64>().is_ok_and(f64::is_finite);
    if !is_text(value) && !is_number(value) && !matches!(value, "true" | "false") {
        return None;
    }
    let keyed = |begin: &str| {
        let key = field.strip_prefix(begin)?.strip_suffix(']')?;
        is_text(key).then(|| key.to_owned())
    };
    let left = if field == "name" && is_text(value) {
        "name".to_owned()
    } else if let Some(key) = keyed("resource.attributes[") {
        format!("resource.{key}")
    } else {
        format!("span.{}", keyed("attributes[")?)
    };
    Some(format!("{{ {left} = {value} }}"))
}

/// A span or its resource has an attribute with a value.
fn either(key: &str, value: &str) -> String {
    format!("span.{key} = {value} || resource.{key} = {value}")
}

/// One policy of a Collector's tail sampling.
fn tail_policy(policy: &Item) -> Result<Value, String> {
    let name: String = policy
        .text_at("name")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(64)
        .collect();
    let of = |key: &str| policy.at(&policy.text_at("type")).at(key).clone();
    let is_not = |key: &str| of(key).text().is_none_or(|is| is != "true");
    let always = |when: Value| json!({"name": name, "when": when, "keep": "always"});
    let quoted = |text: String| Value::from(text).to_string();
    match policy.text_at("type").as_str() {
        "always_sample" => Ok(json!({"name": name, "keep": "always"})),
        "probabilistic" => {
            let percent: Option<f64> = of("sampling_percentage")
                .text()
                .and_then(|text| text.parse().ok());
            let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
            let percent =
                percent.ok_or("a number from 0 to 100 is wanted as sampling_percentage")?;
            Ok(json!({"name": name, "keep": {"probability": percent / 100.0}}))
        }
        "latency" if of("upper_threshold_ms").text().is_none() => {
            let least = of("threshold_ms").text().ok_or("threshold_ms is wanted")?;
            Ok(always(json!({"slower_than": format!("{least}ms")})))
        }
        "status_code" => match of("status_codes").text().as_deref() {
            Some("ERROR") => Ok(always(json!({"errors": true}))),
            _ => Err("traces are kept by failed spans, not by other statuses".to_owned()),
        },
        "string_attribute" if is_not("enabled_regex_matching") && is_not("invert_match") => {
            let key = quoted(of("key").text().ok_or("key is wanted")?);
            let values = of("values");
            let parts: Option<Vec<String>> = values
                .items()
                .iter()
                .map(|item| Some(either(&key, &quoted(item.text()?))))
                .collect();
            let parts = parts
                .filter(|parts| !parts.is_empty())
                .ok_or("values are wanted")?;
            Ok(always(
                json!({"query": format!("{{ {} }}", parts.join(" || "))}),
            ))
        }
        "boolean_attribute" if is_not("invert_match") => {
            let key = quoted(of("key").text().ok_or("key is wanted")?);
            let value = of("value")
                .text()
                .filter(|text| text == "true")
                .map_or("false", |_| "true");
            Ok(always(
                json!({"query": format!("{{ {} }}", either(&key, value))}),
            ))
        }
        _ => Err("no policy of tail_sampling says this (docs/process/tail-sampling.md)".to_owned()),
    }
}
