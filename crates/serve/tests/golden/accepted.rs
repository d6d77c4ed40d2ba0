//! Where Trackway's answers differ from the recorded ones on purpose.
//!
//! Each entry changes the recorded answer into the one that is right here, and that one is compared: a difference
//! hides no other. Reasons are told to users in `docs/jaeger-differences.md`, with the same groups and cases.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::case::{Case, cases_of, ours};

/// A difference that some cases of a group have.
pub(super) struct Accepted {
    pub(super) group: &'static str,
    pub(super) cases: &'static [&'static str],
    /// Makes the recorded answer ours.
    pub(super) change: fn(&mut Case),
}

pub(super) const ACCEPTED: &[Accepted] = &[
    Accepted {
        group: "search",
        cases: &[
            "service-only",
            "limit-max",
            "operation-inner",
            "missing-service-name",
            "range-all",
            "start-negative",
            "start-zero",
        ],
        change: newest_first,
    },
    Accepted {
        group: "search",
        cases: &[
            "limit-1",
            "limit-3",
            "unknown-service-name-wins",
            "pretty",
            "unknown-parameter",
            "bad-percent",
        ],
        change: newest_of_all,
    },
    Accepted {
        group: "search-errors",
        cases: &["limit ''", "start ''", "end ''"],
        change: newest_first,
    },
    Accepted {
        group: "search-errors",
        cases: &["limit '+5'"],
        change: newest_of_all,
    },
    Accepted {
        group: "search-duration",
        cases: &["min 5ms max 20ms", "min µs"],
        change: newest_first,
    },
    Accepted {
        group: "search-lookback",
        cases: &[
            "lookback '1h'",
            "lookback 'custom'",
            "lookback 'bogus'",
            "lookback '2d'",
        ],
        change: newest_of_all,
    },
    Accepted {
        group: "search-tags",
        cases: &[
            "span.kind client",
            "span.status UNSET",
            "span.status Unset",
            "resource service.name",
            "resource.service.name",
            "json null",
        ],
        change: newest_first,
    },
    Accepted {
        group: "search-raw",
        cases: &["raw 'false'", "raw ''"],
        change: newest_of_all,
    },
    Accepted {
        group: "search-raw",
        cases: &["raw 'true'", "raw 'T'", "raw 'TRUE'"],
        change: newest_of_all_raw,
    },
    Accepted {
        group: "services",
        cases: &["all", "pretty", "pretty-0", "gzip", "origin"],
        change: with_repaired_service,
    },
    Accepted {
        group: "operations",
        cases: &["bad-utf8-service"],
        change: with_repaired_operation,
    },
    Accepted {
        group: "dependencies",
        cases: &[
            "default",
            "endTs-lookback",
            "narrow-window",
            "window-cuts-trace",
            "lookback ''",
        ],
        change: with_repaired_child,
    },
    Accepted {
        group: "trace",
        cases: &["35"],
        change: |case| case.want_ours(ours("trace-35")),
    },
    Accepted {
        group: "trace-raw",
        cases: &["35"],
        change: |case| case.want_ours(ours("trace-raw-35")),
    },
    Accepted {
        group: "trace",
        cases: &["34"],
        change: |case| case.want_ours(ours("trace-34")),
    },
    Accepted {
        group: "trace-raw",
        cases: &["34"],
        change: |case| case.want_ours(ours("trace-34")),
    },
    Accepted {
        group: "dependencies",
        cases: &["quality-metrics"],
        change: without_samples,
    },
    Accepted {
        group: "metrics-off",
        cases: &["calls", "errors"],
        change: |case| {
            let answer = ours(&format!("metrics-{}", case.name));
            case.want_ours(answer);
        },
    },
    Accepted {
        group: "metrics-off",
        cases: &["minstep", "minstep-no-service"],
        change: |case| {
            case.want_ours(
                json!({"data": 60_000, "total": 0, "limit": 0, "offset": 0, "errors": null}),
            );
        },
    },
    Accepted {
        group: "archive-off",
        cases: &["post"],
        change: |case| {
            case.want_ours(json!({"data": [], "total": 0, "limit": 0, "offset": 0, "errors": []}));
        },
    },
    Accepted {
        group: "archive-off",
        cases: &["post-absent", "post-zeros"],
        change: |case| case.want_error(404, "trace not found"),
    },
    Accepted {
        group: "v3-services",
        cases: &["all", "pretty-ignored"],
        change: |case| {
            let mut body = recorded(case);
            let services = body["services"].as_array_mut().unwrap();
            services.push(json!("gold-bad \u{fffd}"));
            case.want_ours(body);
        },
    },
    Accepted {
        group: "v3-search",
        cases: &[
            "service-camel",
            "service-snake",
            "both-names",
            "num-traces-camel",
            "time-zone",
            "depth-1",
            "num-traces-2",
        ],
        change: newest_resource_spans,
    },
    Accepted {
        group: "v3-summaries",
        cases: &[
            "service-camel",
            "service-snake",
            "num-traces-camel",
            "time-zone",
            "depth-snake-2",
            "num-traces-2",
        ],
        change: newest_summaries,
    },
    Accepted {
        group: "v3-summaries",
        cases: &["no-service"],
        change: |case| {
            newest_summaries_of(case, "no-service");
            let mut body = recorded(case);
            repair_summaries(&mut body);
            case.want_ours(body);
        },
    },
    Accepted {
        group: "v3-search",
        cases: &["filter-with-service"],
        change: |case| case.want_v3_error(FILTER_BESIDE_OTHERS),
    },
    Accepted {
        group: "v3-search",
        cases: &["filter-broken"],
        change: |case| {
            case.want_v3_error("");
            case.is_unstable = true;
        },
    },
    Accepted {
        group: "v3-search",
        cases: &["filter-off"],
        change: |case| {
            case.want_ours(ours("v3-filter"));
            case.is_unstable = false;
        },
    },
    Accepted {
        group: "v3-summaries",
        cases: &["filter-with-service"],
        change: |case| case.want_v3_error(FILTER_BESIDE_OTHERS),
    },
    Accepted {
        group: "v3-summaries",
        cases: &["filter-off"],
        change: |case| {
            newest_summaries_of(case, "no-service");
            let mut body = recorded(case);
            // These traces have an attribute n that is 3.
            let has_three = |summary: &Value| matches!(summary["traceId"].as_str(), Some(id) if id.ends_with("35") || id.ends_with("3e"));
            body["summaries"].as_array_mut().unwrap().retain(has_three);
            case.want_ours(body);
        },
    },
    Accepted {
        group: "v3-trace",
        cases: &["13", "15"],
        change: |case| {
            let answer = ours(&format!("v3-trace-{}", case.name));
            case.want_ours(answer);
        },
    },
    Accepted {
        group: "v3-trace-raw",
        cases: &["13"],
        change: |case| case.want_ours(ours("v3-trace-raw-13")),
    },
    Accepted {
        group: "v3-trace",
        cases: &["35"],
        change: |case| case.want_ours(ours("v3-trace-35")),
    },
    Accepted {
        group: "transform",
        cases: &["empty", "text", "bad-id", "short-id", "wrong-type"],
        change: |case| case.is_unstable = true,
    },
];

impl Case {
    /// Expects another body than the recorded one, with the recorded status unless that was an error.
    fn want_ours(&mut self, json: Value) {
        self.want.status = 200;
        "application/json".clone_into(&mut self.want.content_type);
        self.want.json = Some(json);
        self.want.text = None;
        self.want.body_bytes = None;
        self.want.is_index_page = false;
    }

    /// Expects another error than the recorded one.
    fn want_error(&mut self, status: u16, message: &str) {
        let mut body = recorded(self);
        body["errors"] = json!([{"code": status, "msg": message}]);
        self.want.status = status;
        self.want.text = Some(format!("{body}\n"));
        self.want.json = Some(body);
        self.want.body_bytes = None;
    }
}

const FILTER_BESIDE_OTHERS: &str = "the query filter can't be combined with service name, operation name, durations or \
                                    attributes; say them in the filter";

impl Case {
    fn want_v3_error(&mut self, message: &str) {
        self.want_ours(json!({"error": {"httpCode": 400, "message": message}}));
        self.want.status = 400;
        "text/plain; charset=utf-8".clone_into(&mut self.want.content_type);
    }
}

/// The recorded body.
fn recorded(case: &Case) -> Value {
    case.want.json.clone().unwrap()
}

fn sort_newest_first(traces: &mut [Value]) {
    let start = |trace: &Value| {
        let spans = trace["spans"].as_array().unwrap();
        spans
            .iter()
            .map(|span| span["startTime"].as_u64().unwrap())
            .min()
    };
    traces.sort_by_cached_key(|trace| {
        (
            Reverse(start(trace)),
            trace["traceID"].as_str().unwrap().to_owned(),
        )
    });
}

/// The recorded traces in the order of their starts.
fn newest_first(case: &mut Case) {
    let mut body = recorded(case);
    sort_newest_first(body["data"].as_array_mut().unwrap());
    case.want_ours(body);
}

/// As many traces as were recorded, but the newest of all that the search finds without a limit.
fn newest_of_all(case: &mut Case) {
    let mut body = recorded(case);
    let limit = body["data"].as_array().unwrap().len();
    let all = cases_of("search")
        .into_iter()
        .find(|case| case.name == "service-only")
        .unwrap();
    let mut traces = recorded(&all)["data"].as_array().unwrap().clone();
    sort_newest_first(&mut traces);
    traces.truncate(limit);
    body["data"] = traces.into();
    case.want_ours(body);
}

/// The same, where the only recording of the trace has its tags in order and the raw one has not.
fn newest_of_all_raw(case: &mut Case) {
    newest_of_all(case);
    case.is_loose = true;
}

fn with_repaired_service(case: &mut Case) {
    let mut body = recorded(case);
    body["data"]
        .as_array_mut()
        .unwrap()
        .push(json!("gold-bad \u{fffd}"));
    body["total"] = json!(body["total"].as_u64().unwrap() + 1);
    case.want_ours(body);
}

fn with_repaired_operation(case: &mut Case) {
    let mut body = recorded(case);
    for operation in body["data"].as_array_mut().unwrap() {
        if operation["name"] == "invalid-span-name" {
            operation["name"] = json!("op \u{fffd}\u{fffd}");
        }
    }
    case.want_ours(body);
}

fn with_repaired_child(case: &mut Case) {
    let mut body = recorded(case);
    for link in body["data"].as_array_mut().unwrap() {
        if link["child"] == "" {
            link["child"] = json!("gold-bad \u{fffd}");
        }
    }
    case.want_ours(body);
}

fn without_samples(case: &mut Case) {
    case.want_ours(
        json!({"traceQualityDocumentationLink": "", "scores": [], "metrics": [], "clients": []}),
    );
}

/// As many traces as were recorded, but the newest of all that the service has.
fn newest_resource_spans(case: &mut Case) {
    let of = |body: &Value| body["result"]["resourceSpans"].as_array().unwrap().clone();
    let id = |one: &Value| one["scopeSpans"][0]["spans"][0]["traceId"].clone();
    let mut recorded_ids: Vec<Value> = of(&recorded(case)).iter().map(id).collect();
    recorded_ids.dedup();
    let all = cases_of("v3-search");
    let all = all
        .iter()
        .find(|case| case.name == "service-camel")
        .unwrap();
    // The parts of a trace stand side by side.
    let mut traces: Vec<Vec<Value>> = Vec::new();
    for one in of(&recorded(all)) {
        match traces.last_mut() {
            Some(trace) if id(&trace[0]) == id(&one) => trace.push(one),
            _ => traces.push(vec![one]),
        }
    }
    let start = |trace: &Vec<Value>| {
        let spans = trace
            .iter()
            .flat_map(|one| one["scopeSpans"].as_array().unwrap());
        let spans = spans.flat_map(|scope| scope["spans"].as_array().unwrap());
        let starts = spans.map(|span| span["startTimeUnixNano"].as_str().unwrap().to_owned());
        starts.min()
    };
    traces.sort_by_cached_key(|trace| Reverse(start(trace)));
    traces.truncate(recorded_ids.len());
    let traces: Vec<Value> = traces.into_iter().flatten().collect();
    case.want_ours(json!({"result": {"resourceSpans": traces}}));
}

fn newest_summaries(case: &mut Case) {
    newest_summaries_of(case, "service-camel");
}

/// As many summaries as were recorded, but the newest of all that another case has.
fn newest_summaries_of(case: &mut Case, all: &str) {
    let limit = recorded(case)["summaries"].as_array().unwrap().len();
    let cases = cases_of("v3-summaries");
    let all = cases.iter().find(|case| case.name == all).unwrap();
    let mut body = recorded(all);
    let summaries = body["summaries"].as_array_mut().unwrap();
    summaries.sort_by_cached_key(|summary| {
        let start = summary["minStartTimeUnixNano"].as_str().unwrap_or_default();
        let start = start.parse::<u64>().unwrap_or_default();
        (
            Reverse(start),
            summary["traceId"].as_str().unwrap().to_owned(),
        )
    });
    summaries.truncate(limit);
    case.want_ours(body);
}

/// The names of the trace whose texts are no UTF-8.
fn repair_summaries(body: &mut Value) {
    for summary in body["summaries"].as_array_mut().unwrap() {
        if summary["traceId"] != "747261636b7761790000000000000023" {
            continue;
        }
        summary["rootOperationName"] = json!("op \u{fffd}\u{fffd}");
        for service in summary["services"].as_array_mut().unwrap() {
            if service["name"].as_str().unwrap_or_default().is_empty() {
                service["name"] = json!("gold-bad \u{fffd}");
            }
        }
        let services = summary["services"].as_array_mut().unwrap();
        services
            .sort_by_cached_key(|service| service["name"].as_str().unwrap_or_default().to_owned());
    }
}
