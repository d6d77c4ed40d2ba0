//! The waterfall, as a golden text and on traces that are no trees.

use serde_json::json;

use super::*;

fn span(id: &str, parent: Option<&str>, start: i64, duration: i64) -> serde_json::Value {
    let references: Vec<_> = parent
        .map(|parent| json!({"refType": "CHILD_OF", "traceID": "t1", "spanID": parent}))
        .into_iter()
        .collect();
    json!({"traceID": "t1", "spanID": id, "operationName": format!("op-{id}"), "references": references,
           "startTime": 1_790_000_000_000_000_i64 + start, "duration": duration, "processID": "p1", "tags": []})
}

fn trace(spans: &[serde_json::Value]) -> Trace {
    let processes = json!({"p1": {"serviceName": "shop", "tags": []}});
    serde_json::from_value(json!({"traceID": "t1", "spans": spans, "processes": processes}))
        .unwrap()
}

fn drawn(trace: &Trace, content: Content, width: usize, is_coloured: bool) -> String {
    let look = Look {
        width,
        paint: Paint::new(is_coloured),
    };
    let mut out = Vec::new();
    write(
        trace,
        content,
        look,
        &TimeZone::fixed(jiff::tz::offset(2)),
        &mut out,
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

const BRIEF: Content = Content {
    has_attributes: false,
    spans_max: 1000,
};
const FULL: Content = Content {
    has_attributes: true,
    spans_max: 1000,
};

/// A checkout with an error, an event, a link, an orphan, and text that tries to command the terminal.
fn checkout() -> Trace {
    serde_json::from_value(json!({
        "traceID": "5b8efff798038103d269b633813fc60c",
        "warnings": ["clocks of 2 services differ"],
        "processes": {
            "p1": {"serviceName": "frontend", "tags": [{"key": "host.name", "type": "string", "value": "web-1"}]},
            "p2": {"serviceName": "payment", "tags": []},
            "p3": {"serviceName": "ca\u{1b}[31mrt", "tags": []}
        },
        "spans": [
            {"traceID": "t", "spanID": "b", "operationName": "charge the card of a customer with a very long name",
             "references": [{"refType": "CHILD_OF", "traceID": "t", "spanID": "a"},
                            {"refType": "FOLLOWS_FROM", "traceID": "u", "spanID": "z"}],
             "startTime": 1_790_000_000_050_000_i64, "duration": 120_000, "processID": "p2",
             "tags": [{"key": "error", "type": "bool", "value": true},
                      {"key": "app.amount", "type": "float64", "value": 12.5},
                      {"key": "note", "type": "string", "value": "line\nbreak \u{1b}[2J"}],
             "logs": [{"timestamp": 1_790_000_000_060_000_i64,
                       "fields": [{"key": "event", "type": "string", "value": "exception"},
                                  {"key": "exception.type", "type": "string", "value": "Declined"}]}],
             "warnings": ["clock skew adjusted"]},
            {"traceID": "t", "spanID": "a", "operationName": "GET /checkout", "references": [],
             "startTime": 1_790_000_000_000_000_i64, "duration": 200_000, "processID": "p1",
             "tags": [{"key": "http.response.status_code", "type": "int64", "value": 500}]},
            {"traceID": "t", "spanID": "c", "operationName": "get",
             "references": [{"refType": "CHILD_OF", "traceID": "t", "spanID": "a"}],
             "startTime": 1_790_000_000_010_000_i64, "duration": 30_000, "processID": "p3", "tags": []},
            {"traceID": "t", "spanID": "d", "operationName": "redis GET",
             "references": [{"refType": "CHILD_OF", "traceID": "t", "spanID": "c"}],
             "startTime": 1_790_000_000_011_000_i64, "duration": 300, "processID": "p3", "tags": []},
            {"traceID": "t", "spanID": "e", "operationName": "late",
             "references": [{"refType": "CHILD_OF", "traceID": "t", "spanID": "missing"}],
             "startTime": 1_790_000_000_190_000_i64, "duration": 10_000, "processID": "p3", "tags": []}
        ]
    }))
    .unwrap()
}

#[test]
fn draws_tree_bars_durations_and_errors() {
    crate::golden::assert_golden("waterfall.txt", &drawn(&checkout(), BRIEF, 100, false));
}

#[test]
fn draws_attributes_events_links_and_resources_on_request() {
    crate::golden::assert_golden(
        "waterfall-attributes.txt",
        &drawn(&checkout(), FULL, 80, false),
    );
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let coloured = drawn(&checkout(), FULL, 90, true);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, sequence)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let (code, behind) = sequence.split_once('m').unwrap();
        assert!(
            code.bytes().all(|byte| byte.is_ascii_digit()),
            "{code:?} is no colour"
        );
        rest = behind;
    }
    plain.push_str(rest);
    assert_eq!(plain, drawn(&checkout(), FULL, 90, false));
    assert!(coloured.contains("\x1b[31m✗ payment"));
}

#[test]
fn every_line_of_a_span_is_exactly_as_wide_as_asked() {
    for width in [40, 61, 100, 250] {
        let text = drawn(&checkout(), BRIEF, width, false);
        let bars = text.lines().skip_while(|line| !line.is_empty()).skip(1);
        for line in bars {
            assert_eq!(super::super::width_of(line), width, "{line}");
        }
    }
}

#[test]
fn shows_each_span_once_even_in_rings_and_with_equal_ids() {
    let ring = trace(&[
        span("a", Some("c"), 0, 10),
        span("b", Some("a"), 1, 10),
        span("c", Some("b"), 2, 10),
        span("self", Some("self"), 3, 10),
        span("twice", None, 4, 10),
        span("twice", Some("twice"), 5, 5),
    ]);
    let text = drawn(&ring, BRIEF, 100, false);
    for (name, times) in [
        ("op-a", 1),
        ("op-b", 1),
        ("op-c", 1),
        ("op-self", 1),
        ("op-twice", 2),
    ] {
        assert_eq!(text.matches(name).count(), times, "{name} in\n{text}");
    }
}

#[test]
fn a_chain_of_100_000_spans_needs_no_deep_stack() {
    let ids: Vec<String> = (0..100_000).map(|index| format!("s{index}")).collect();
    let spans = ids.iter().enumerate().map(|(index, id)| {
        let parent = index
            .checked_sub(1)
            .and_then(|before| ids.get(before))
            .map(String::as_str);
        let start = i64::try_from(index).unwrap();
        span(id, parent, start, 10)
    });
    let text = drawn(
        &trace(&spans.collect::<Vec<_>>()),
        Content {
            has_attributes: false,
            spans_max: 50,
        },
        120,
        false,
    );
    assert!(text.contains("[30] shop op-s30"), "{text}");
    assert!(text.ends_with("… 99950 more spans; --spans 0 shows all\n"));
}

#[test]
fn bars_stay_inside_whatever_the_times_say() {
    let bounds = (0, 1000);
    let of = |start, duration| {
        let mut span = Span::default();
        (span.start_time, span.duration) = (start, duration);
        bar_of(&span, bounds, 10)
    };
    assert_eq!(of(0, 1000), (0, "█".repeat(10)));
    assert_eq!(of(1000, 0), (9, "▎".to_owned()));
    assert_eq!(of(500, 100), (5, "█".to_owned()));
    assert_eq!(of(999, i64::MAX), (9, "█".to_owned()));
    assert_eq!(of(i64::MAX, i64::MAX), (9, "█".to_owned()));
    assert_eq!(bar_of(&Span::default(), (0, 0), 0), (0, String::new()));
}
