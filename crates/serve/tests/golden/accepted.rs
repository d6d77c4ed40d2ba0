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
