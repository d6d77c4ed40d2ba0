//! The parameters of a request, read as Go and Jaeger read them.
//!
//! Promises: a pair with a `;` and one with a broken `%` are as if absent; a number, duration or tag that can't be
//! read is a 400 in Jaeger's words.

use std::collections::BTreeMap;

use query::jaeger_search::JaegerSearch;

use model::TraceId;

use super::envelope::ApiError;
use crate::{go_json, go_text};

/// How far back a search looks that doesn't say.
const LOOKBACK_MICROS: i64 = 48 * 3600 * 1_000_000;
/// How many traces a search gives that doesn't say.
const LIMIT: i32 = 100;

/// The parameters of a request in their order.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads what stands behind the `?` of a target.
    pub(super) fn parse(query: Option<&str>) -> Self {
        Self(plumbing::query_string::pairs(query).collect())
    }

    /// The first value of a parameter; empty when there is none.
    pub(super) fn first(&self, key: &str) -> &str {
        self.all(key).next().unwrap_or_default()
    }

    /// All values of a parameter.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        let of_key = self.0.iter().filter(move |(name, _)| name == key);
        of_key.map(|(_, value)| value.as_str())
    }

    /// A whole number; the default when it is not given or empty.
    pub(super) fn int(&self, key: &str, default: i64) -> Result<i64, ApiError> {
        match self.first(key) {
            "" => Ok(default),
            text => go_text::parse_int(text).map_err(|why| unable(key, &why)),
        }
    }

    pub(super) fn bool(&self, key: &str) -> Result<bool, ApiError> {
        match self.first(key) {
            "" => Ok(false),
            text => go_text::parse_bool(text).map_err(|why| unable(key, &why)),
        }
    }

    fn duration_nanos(&self, key: &str) -> Result<i64, ApiError> {
        match self.first(key) {
            "" => Ok(0),
            text => go_text::parse_duration(text).map_err(|why| unable(key, &why)),
        }
    }
}

/// The trace of a path. Its times are checked and then of no use: a trace is looked for at all times.
pub(super) fn trace_of_path(path: &str, parameters: &Parameters) -> Result<TraceId, ApiError> {
    let trace_id = go_text::parse_trace_id_of_path(path).map_err(ApiError::bad_request)?;
    parameters.int("start", 0)?;
    parameters.int("end", 0)?;
    Ok(trace_id)
}

/// Says that a parameter can't be read.
pub(super) fn unable(key: &str, why: &str) -> ApiError {
    ApiError::bad_request(format!("unable to parse param '{key}': {why}"))
}

/// A search by service, or for some traces by their ids.
#[derive(Debug)]
pub(super) struct TracesRequest {
    pub(super) search: JaegerSearch,
    /// As given; it may be 0 or negative.
    pub(super) limit: i32,
    pub(super) trace_ids: Vec<TraceId>,
    pub(super) is_raw: bool,
}

impl TracesRequest {
    pub(super) fn parse(parameters: &Parameters, now_unix_nanos: u64) -> Result<Self, ApiError> {
        let now_micros = i64::try_from(now_unix_nanos / 1_000).unwrap_or(i64::MAX);
        let start_micros = parameters.int("start", now_micros - LOOKBACK_MICROS)?;
        let end_micros = parameters.int("end", now_micros)?;
        let tags = parse_tags(parameters)?;
        let limit = match parameters.first("limit") {
            "" => LIMIT,
            text => go_text::parse_int32(text).map_err(ApiError::bad_request)?,
        };
        let duration_min_nanos = parameters.duration_nanos("minDuration")?;
        let duration_max_nanos = parameters.duration_nanos("maxDuration")?;
        let trace_ids = parameters.all("traceID").map(|text| {
            go_text::parse_trace_id(text)
                .map_err(|why| ApiError::bad_request(format!("cannot parse traceID param: {why}")))
        });
        let trace_ids = trace_ids.collect::<Result<Vec<_>, _>>()?;
        let is_raw = parameters.bool("raw")?;
        let service = parameters.first("service").to_owned();
        if service.is_empty() && trace_ids.is_empty() {
            return Err(service_required());
        }
        let are_both_set = duration_min_nanos != 0 && duration_max_nanos != 0;
        if are_both_set && duration_max_nanos < duration_min_nanos {
            return Err(ApiError::bad_request(
                "'maxDuration' should be greater than 'minDuration'",
            ));
        }
        let operation = parameters.first("operation").to_owned();
        let search = JaegerSearch {
            service,
            operation,
            duration_min_nanos,
            duration_max_nanos,
            tags,
            start_micros,
            end_micros,
        };
        Ok(Self {
            search,
            limit,
            trace_ids,
            is_raw,
        })
    }
}

pub(super) fn service_required() -> ApiError {
    ApiError::bad_request("parameter 'service' is required")
}

/// `tag=key:value` and `tags={"key":"value"}`; `tags` wins over `tag`, later over earlier.
fn parse_tags(parameters: &Parameters) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in parameters.all("tag") {
        let (key, value) = tag.split_once(':').ok_or_else(|| {
            ApiError::bad_request(format!(
                "malformed 'tag' parameter, expecting key:value, received: {tag}"
            ))
        })?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    for text in parameters.all("tags") {
        let pairs = go_json::parse_text_map(text).map_err(|why| {
            ApiError::bad_request(format!(
                "malformed 'tags' parameter, cannot unmarshal JSON: {why}"
            ))
        })?;
        tags.extend(pairs);
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_768_471_200_000_000_000;

    fn parse(query: &str) -> Result<TracesRequest, ApiError> {
        TracesRequest::parse(&Parameters::parse(Some(query)), NOW)
    }

    #[test]
    fn pairs_that_go_would_drop_are_dropped() {
        let parameters = Parameters::parse(Some("a=1+2&b=%zz&c=%c3%bc&d;e=1&f&a=3&g=%"));
        assert_eq!(parameters.all("a").collect::<Vec<_>>(), ["1 2", "3"]);
        assert_eq!((parameters.first("b"), parameters.first("c")), ("", "ü"));
        assert_eq!(parameters.0.len(), 4);
    }

    #[test]
    fn a_search_that_says_nothing_looks_back_two_days_and_gives_a_hundred() {
        let request = parse("service=s&limit=&start=&raw=").unwrap();
        let now_micros = 1_768_471_200_000_000;
        assert_eq!(request.search.end_micros, now_micros);
        assert_eq!(request.search.start_micros, now_micros - 172_800_000_000);
        assert_eq!((request.limit, request.is_raw), (100, false));
    }

    #[test]
    fn the_first_thing_that_is_wrong_is_told_before_what_is_missing() {
        let messages = [
            "limit=x",
            "start=x&limit=y",
            "maxDuration=1",
            "traceID=",
            "operation=o",
        ]
        .map(|query| parse(query).unwrap_err().message);
        let expected = [
            "strconv.ParseInt: parsing \"x\": invalid syntax",
            "unable to parse param 'start': strconv.ParseInt: parsing \"x\": invalid syntax",
            "unable to parse param 'maxDuration': time: missing unit in duration \"1\"",
            "cannot parse traceID param: strconv.ParseUint: parsing \"\": invalid syntax",
            "parameter 'service' is required",
        ];
        assert_eq!(messages, expected);
    }

    // Alphabets that reach behind the first check of each parser, and any text at all.
    const QUERIES: &str = concat!(
        "(service|operation|tag|tags|start|end|limit|minDuration|maxDuration|lookback|traceID|raw",
        "|&|=|%7B|%22|:|,|%7D|%5C|u00e9|-|\\+|1|9|e|\\.|h|ms|µs|ns|%ff|%|;|true|a){0,40}"
    );

    proptest::proptest! {
        #[test]
        fn any_query_is_read_or_refused_without_a_panic(
            query in proptest::prop_oneof![QUERIES, ".{0,200}"],
            now in proptest::prelude::any::<u64>(),
        ) {
            let parameters = Parameters::parse(Some(&query));
            let _read = (
                TracesRequest::parse(&parameters, now).map(|request| {
                    (request.search.window(), request.search.predicate())
                }),
                parameters.int("start", 0),
                parameters.bool("raw"),
            );
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(
            text in proptest::prop_oneof!["[-+0-9a-fhmnsuxµ.:_ eInfNaT]{0,40}", ".{0,80}"],
            json in proptest::prop_oneof!["[{}\\[\\]\",:\\\\u0-9a-fntl -]{0,80}", ".{0,80}"],
        ) {
            let _read = (
                go_text::parse_int(&text),
                go_text::parse_int32(&text),
                go_text::parse_bool(&text),
                go_text::parse_float(&text),
                go_text::parse_duration(&text),
                go_text::parse_trace_id(&text),
                go_text::parse_trace_id_of_path(&text),
                go_text::quote(text.as_bytes()),
                go_json::parse_text_map(&json),
            );
        }
    }
}
