//! What each case sends. Every span follows from its number, so nothing that was sent has to be remembered.

use std::sync::OnceLock;

use crate::expected::{Event, Scope, Sent, Status};
use crate::load::{Numbers, integer, noise, text};
use crate::wait::unix_now_ns;

pub(super) const SERVICE: &str = "blowup";
/// A million spans are sent when a case runs for so long.
const MILLION_SECONDS: u64 = 15;
const SPANS_PER_SECOND: u64 = 10_000;
const KEYS: u64 = 10_000;
const KEYS_PER_SPAN: u64 = 20;
const LARGE_BYTES: usize = 10 << 20;
/// How many of the largest values a second of a case sends.
const LARGE_PER_SECOND: u64 = 2;
const YEAR_2200_NS: u64 = 7_258_118_400_000_000_000;
/// From the start of one trace to the next one's.
const TRACE_STEP_NS: u64 = 5_000_000;

/// One way to blow up a store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) spans: u64,
    pub(super) spans_per_trace: u64,
    pub(super) spans_per_request: u64,
    /// How many traces one answer may hold.
    pub(super) traces_per_search: u64,
    /// Names of spans.
    pub(super) operations: u64,
    /// How many traces are looked at span by span.
    pub(super) sampled_traces: u64,
    /// None: as fast as it is taken.
    pub(super) spans_per_second: Option<u64>,
    /// When a trace starts.
    start_ns: fn(&Case, u64) -> u64,
    /// Makes a plain span into one of this case.
    bend: fn(&Case, u64, &mut Sent),
    /// Key and text of an attribute that only the span with this number has.
    pub(super) rare: Option<fn(u64) -> (String, String)>,
}

impl Case {
    fn new(name: &'static str, seconds: u64, bend: fn(&Case, u64, &mut Sent)) -> Self {
        Self {
            name,
            spans: seconds * SPANS_PER_SECOND,
            spans_per_trace: 10,
            spans_per_request: 500,
            traces_per_search: 200,
            operations: 20,
            sampled_traces: 20,
            spans_per_second: Some(SPANS_PER_SECOND),
            start_ns: |_, trace| begin_ns() + trace * TRACE_STEP_NS,
            bend,
            rare: None,
        }
    }

    pub(super) fn traces(&self) -> u64 {
        self.spans.div_ceil(self.spans_per_trace)
    }

    pub(super) fn trace_id(&self, trace: u64) -> String {
        let high = Numbers::new(trace ^ 0xB10).next();
        format!("{:016x}{:016x}", high | 1, trace + 1)
    }

    pub(super) fn span_id(number: u64) -> String {
        format!("{:016x}", number + 1)
    }

    /// Numbers of the spans of a trace.
    pub(super) fn spans_of(&self, trace: u64) -> std::ops::Range<u64> {
        let first = trace * self.spans_per_trace;
        first..(first + self.spans_per_trace).min(self.spans)
    }

    pub(super) fn span(&self, number: u64) -> Sent {
        let trace = number / self.spans_per_trace;
        let place = number % self.spans_per_trace;
        // A tree in which a span has up to eight children.
        let parent = (place > 0).then(|| number - place + (place - 1) / 8);
        let start_ns = (self.start_ns)(self, trace) + place * 1_000;
        let mut sent = Sent {
            trace_id: self.trace_id(trace),
            span_id: Self::span_id(number),
            parent_span_id: parent.map(Self::span_id),
            trace_state: String::new(),
            name: format!("operation {}", number % 20),
            kind: "server".to_owned(),
            start_ns: start_ns.to_string(),
            end_ns: (start_ns + 1_000_000 + number % 1_000_000).to_string(),
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            status: Status {
                code: "unset".to_owned(),
                message: String::new(),
            },
            resource: vec![text("service.name", SERVICE)],
            scope: Scope {
                name: "blowups".to_owned(),
                version: "1".to_owned(),
            },
        };
        (self.bend)(self, number, &mut sent);
        sent
    }

    /// Begin and end, in microseconds, of a time in which just these traces start.
    pub(super) fn window_us(&self, first_trace: u64, last_trace: u64) -> (u64, u64) {
        let start = |trace: u64| (self.start_ns)(self, trace) / 1000;
        (
            start(first_trace),
            start(last_trace) + self.spans_per_trace + 1,
        )
    }
}

fn begin_ns() -> u64 {
    static BEGIN: OnceLock<u64> = OnceLock::new();
    *BEGIN.get_or_init(|| unix_now_ns() - 6 * 3_600_000_000_000)
}

pub(super) fn ten_thousand_keys(seconds: u64) -> Case {
    let bend = |_: &Case, number: u64, sent: &mut Sent| {
        let key = |nth: u64| format!("key.{}", (number * KEYS_PER_SPAN + nth) % KEYS);
        sent.attributes.push(text(&key(0), &format!("v{number}")));
        let others = (1..KEYS_PER_SPAN).map(|nth| text(&key(nth), &format!("v{}", nth % 7)));
        sent.attributes.extend(others);
    };
    Case {
        rare: Some(|number| {
            let key = format!("key.{}", number * KEYS_PER_SPAN % KEYS);
            (key, format!("v{number}"))
        }),
        ..Case::new("10,000 attribute keys", seconds, bend)
    }
}

pub(super) fn a_key_per_span(seconds: u64) -> Case {
    let bend = |_: &Case, number: u64, sent: &mut Sent| {
        sent.attributes.push(integer(&format!("user_{number}"), 1));
        sent.attributes.push(text("plan", "free"));
    };
    Case {
        rare: Some(|number| (format!("user_{number}"), "1".to_owned())),
        ..Case::new("a key per span", seconds, bend)
    }
}

pub(super) fn values_that_never_repeat(seconds: u64) -> Case {
    let bend = |_: &Case, number: u64, sent: &mut Sent| {
        let mut numbers = Numbers::new(number);
        let unique = |numbers: &mut Numbers, of: &str| format!("{of}-{:016x}", numbers.next());
        for nth in 0..8 {
            let value = unique(&mut numbers, "value");
            sent.attributes.push(text(&format!("attr.{nth}"), &value));
        }
        sent.attributes
            .push(text("request.id", &format!("r{number}")));
        sent.attributes.push(integer("bytes", numbers.next() >> 12));
        sent.events.push(Event {
            name: unique(&mut numbers, "event"),
            time_ns: sent.start_ns.clone(),
            attributes: vec![text("note", &unique(&mut numbers, "note"))],
        });
        sent.status = Status {
            code: "error".to_owned(),
            message: unique(&mut numbers, "failed"),
        };
        // Of a trace, for a request has one resource a trace.
        let instance = number / 10;
        sent.resource
            .push(text("service.instance.id", &format!("i{instance}")));
    };
    Case {
        rare: Some(|number| ("request.id".to_owned(), format!("r{number}"))),
        ..Case::new("values that never repeat", seconds, bend)
    }
}

pub(super) fn ten_mebibyte_values(seconds: u64) -> Case {
    let bend = |_: &Case, number: u64, sent: &mut Sent| {
        let value = noise(&mut Numbers::new(number), LARGE_BYTES);
        sent.attributes.push(text("document", &value));
        sent.attributes
            .push(text("request.id", &format!("r{number}")));
    };
    Case {
        spans: seconds * LARGE_PER_SECOND,
        spans_per_trace: 1,
        spans_per_request: 1,
        traces_per_search: 1,
        sampled_traces: 4,
        operations: 1,
        spans_per_second: Some(LARGE_PER_SECOND),
        rare: Some(|number| ("request.id".to_owned(), format!("r{number}"))),
        ..Case::new("values of 10 MiB", seconds, bend)
    }
}

pub(super) fn one_long_trace(seconds: u64) -> Case {
    let spans = of_a_million(seconds);
    let bend = |_: &Case, number: u64, sent: &mut Sent| {
        sent.attributes.push(integer("number", number));
    };
    Case {
        spans,
        spans_per_trace: spans,
        spans_per_second: None,
        ..Case::new("one trace of a million spans", seconds, bend)
    }
}

pub(super) fn times_of_1970_and_2200(seconds: u64) -> Case {
    let bend = |_: &Case, number: u64, sent: &mut Sent| {
        sent.attributes
            .push(text("request.id", &format!("r{number}")));
    };
    Case {
        // A third of the traces lies in 1970, one now, one in 2200.
        start_ns: |case, trace| {
            let begin = match trace / case.traces().div_ceil(3) {
                0 => 1_000_000,
                1 => begin_ns(),
                _ => YEAR_2200_NS,
            };
            begin + trace * TRACE_STEP_NS
        },
        rare: Some(|number| ("request.id".to_owned(), format!("r{number}"))),
        ..Case::new("times of 1970 and 2200", seconds, bend)
    }
}

pub(super) fn a_million_operations(seconds: u64) -> Case {
    let bend = |_: &Case, number: u64, sent: &mut Sent| {
        sent.name = format!("GET /users/{number}");
        sent.attributes
            .push(text("request.id", &format!("r{number}")));
    };
    let spans = of_a_million(seconds);
    Case {
        spans,
        operations: spans,
        spans_per_second: None,
        rare: Some(|number| ("request.id".to_owned(), format!("r{number}"))),
        ..Case::new("a million operations", seconds, bend)
    }
}

fn of_a_million(seconds: u64) -> u64 {
    (1_000_000 * seconds / MILLION_SECONDS).min(1_000_000)
}
