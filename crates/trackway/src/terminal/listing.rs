//! Traces that were found, one line each: when, how long, what, how many spans, which id.
//!
//! Promises: a line is as wide as asked for or a little wider, never broken; the trace id is always whole, so that it
//! can be copied.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use super::moment::{duration_text, local_time};
use super::waterfall::counted;
use super::{Ink, Look, Paint, escaped, fitted};
use crate::jaeger_json::Trace;

/// Columns of everything but the name of the root span.
const OTHER_COLUMNS: usize = 32 + 1 + 9 + 1 + 6 + 1 + 4 + 1 + 32;
const NAME_COLUMNS_MIN: usize = 16;

/// Writes the traces in the order given.
pub(crate) fn write(
    traces: &[Trace],
    look: Look,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = look
        .width
        .saturating_sub(OTHER_COLUMNS + 1)
        .max(NAME_COLUMNS_MIN);
    let head = format!(
        "{:33}{:>9} {:>6} {:>4} {} TRACE",
        "START",
        "DURATION",
        "SPANS",
        "ERR",
        fitted("ROOT SPAN", columns)
    );
    writeln!(out, "{}", look.paint.ink(Ink::Faint, &head))?;
    for trace in traces {
        write_trace(trace, columns, look.paint, zone, out)?;
    }
    Ok(())
}

fn write_trace(
    trace: &Trace,
    columns: usize,
    paint: Paint,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (start, end) = trace.bounds();
    let errors = trace.spans.iter().filter(|span| span.is_error()).count();
    let service = trace.root().map_or("", |span| trace.service(span));
    let name = trace.root().map_or("", |span| span.operation_name.as_str());
    let label = fitted(&format!("{} {}", escaped(service), escaped(name)), columns);
    let errors = match errors {
        0 => format!("{:>4}", "-"),
        _ => paint.ink(Ink::Red, &format!("{errors:>4}")),
    };
    writeln!(
        out,
        "{:33}{:>9} {:>6} {errors} {} {}",
        local_time(start, zone),
        duration_text(end.saturating_sub(start)),
        trace.spans.len(),
        paint.ink(Paint::service(service), &label),
        escaped(&trace.trace_id),
    )
}

/// The line below the traces.
pub(crate) fn summary(found: usize, limit: u32) -> String {
    let more = if found == usize::try_from(limit).unwrap_or(usize::MAX) {
        "; there may be more (--limit)"
    } else {
        ""
    };
    format!("{}{more}", counted(found, "trace"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_traces_with_their_roots_and_errors() {
        let trace = |id: &str, error: bool| -> Trace {
            serde_json::from_value(json!({
                "traceID": id,
                "processes": {"p1": {"serviceName": "shop"}, "p2": {"serviceName": "pay\u{7}"}},
                "spans": [
                    {"traceID": id, "spanID": "b", "operationName": "charge", "startTime": 1_790_000_000_000_500_i64,
                     "duration": 1000, "processID": "p2", "tags": [{"key": "error", "value": error}],
                     "references": [{"refType": "CHILD_OF", "traceID": id, "spanID": "a"}]},
                    {"traceID": id, "spanID": "a", "operationName": "GET /", "startTime": 1_790_000_000_000_000_i64,
                     "duration": 2500, "processID": "p1"}
                ]
            }))
            .unwrap()
        };
        let traces = [
            trace("5b8efff798038103d269b633813fc60c", true),
            trace("00000000000000ab", false),
        ];
        let mut out = Vec::new();
        let look = Look {
            width: 120,
            paint: Paint::new(false),
        };
        write(&traces, look, &TimeZone::UTC, &mut out).unwrap();
        crate::golden::assert_golden("search.txt", &String::from_utf8(out).unwrap());
        assert_eq!(summary(2, 2), "2 traces; there may be more (--limit)");
        assert_eq!(summary(1, 2), "1 trace");
    }
}
