//! The parameters of version 3, each by its name in camelCase or, where that is not sent, in snake_case.
//!
//! Promises: what can't be read is a 400 that names the parameter as it was sent, in Jaeger's words.

use model::TraceId;

use super::answer::Refused;
use crate::jaeger::ask::Search;
use crate::jaeger::filter;
use crate::jaeger::parameters::Parameters;
use crate::{go_json, go_moment, go_text};

/// How many traces a search gives that doesn't say.
const DEPTH: i64 = 100;

/// The first of some names that has a value, and its value; the first name when none has.
pub(super) fn either<'a>(parameters: &'a Parameters, names: &[&'a str]) -> (&'a str, &'a str) {
    let given = names
        .iter()
        .map(|name| (*name, parameters.first(name)))
        .find(|(_, value)| !value.is_empty());
    given.unwrap_or_else(|| (names.first().copied().unwrap_or_default(), ""))
}

/// Reads a parameter; `None` when it is not sent or empty.
fn read<T>(
    parameters: &Parameters,
    names: &[&str],
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Refused> {
    match either(parameters, names) {
        (_, "") => Ok(None),
        (name, value) => match parse(value) {
            Ok(value) => Ok(Some(value)),
            Err(why) => Err(Refused::malformed(name, &why)),
        },
    }
}

/// One trace that is asked for.
#[derive(Debug)]
pub(super) struct TraceParameters {
    pub(super) trace_id: TraceId,
    pub(super) is_raw: bool,
}

impl TraceParameters {
    /// The times are checked and then of no use: a trace is looked for at all times.
    pub(super) fn parse(path: &str, parameters: &Parameters) -> Result<Self, Refused> {
        let trace_id = go_text::parse_trace_id_of_path(path)
            .map_err(|why| Refused::malformed("trace_id", &why))?;
        read(parameters, &["startTime", "start_time"], go_moment::parse)?;
        read(parameters, &["endTime", "end_time"], go_moment::parse)?;
        let raw = read(
            parameters,
            &["rawTraces", "raw_traces"],
            go_text::parse_bool,
        )?;
        Ok(Self {
            trace_id,
            is_raw: raw.unwrap_or(false),
        })
    }
}

/// A search for traces or their summaries.
pub(super) fn search_of(parameters: &Parameters) -> Result<Search, Refused> {
    let attributes = read(parameters, &["query.attributes"], go_json::parse_text_map)?;
    let filter = read(parameters, &["query.filter"], filter::parse)?;
    let min_names = ["query.startTimeMin", "query.start_time_min"];
    let max_names = ["query.startTimeMax", "query.start_time_max"];
    let is_given = |names| !either(parameters, names).1.is_empty();
    if !is_given(&min_names) || !is_given(&max_names) {
        return Err(Refused::bad_request(
            "query.startTimeMin and query.startTimeMax are required",
        ));
    }
    let start_min = read(parameters, &min_names, go_moment::parse)?;
    let start_max = read(parameters, &max_names, go_moment::parse)?;
    if start_min >= start_max {
        return Err(Refused::bad_request(
            "query.startTimeMin must be before query.startTimeMax",
        ));
    }
    let depth_names = [
        "query.searchDepth",
        "query.search_depth",
        "query.num_traces",
    ];
    let depth = read(parameters, &depth_names, parse_depth)?;
    let duration = |camel, snake| read(parameters, &[camel, snake], go_text::parse_duration);
    let duration_min = duration("query.durationMin", "query.duration_min")?;
    let duration_max = duration("query.durationMax", "query.duration_max")?;
    let raw_names = ["query.rawTraces", "query.raw_traces"];
    let raw = read(parameters, &raw_names, go_text::parse_bool)?;
    let text = |camel, snake| either(parameters, &[camel, snake]).1.to_owned();
    Ok(Search {
        service: text("query.serviceName", "query.service_name"),
        operation: text("query.operationName", "query.operation_name"),
        attributes: attributes.unwrap_or_default().into_iter().collect(),
        start_min,
        start_max,
        duration_min: duration_min.unwrap_or(0),
        duration_max: duration_max.unwrap_or(0),
        depth: depth.unwrap_or(DEPTH),
        is_raw: raw.unwrap_or(false),
        filter,
    })
}

/// A whole number, in the words of `strconv.Atoi`.
fn parse_depth(text: &str) -> Result<i64, String> {
    go_text::parse_int(text).map_err(|why| why.replacen("ParseInt", "Atoi", 1))
}
