//! What the server makes of odd traces, which the browser makes of the same traces in files: `web/testdata/traces`.
//!
//! `UPDATE=1 cargo test -p query twin` writes `expected.txt` anew; `web/src/model/twin.test.ts` checks that the browser
//! says the same.

use std::fmt::Write as _;
use std::path::Path;

use model::outline::{OutlineBuilder, OutlineResource, OutlineRow};
use model::{SpanId, TraceOutline, Value};
use query::skeleton::{CriticalPiece, Skeleton, flag};
use serde_json::Value as Json;

/// Added to all times: they are exact only where nanoseconds since the epoch are no doubles.
const EPOCH: u64 = 1_700_000_000_000_000_000;
/// Of a trace that is longer, only every so many rows are written.
const ROWS_ALL_MAX: usize = 100;
const ROWS_STEP: usize = 10_000;

const FLAGS: [(u16, &str); 8] = [
    (flag::ERROR, "error"),
    (flag::EVENTS, "events"),
    (flag::LINKS, "links"),
    (flag::ORPHAN, "orphan"),
    (flag::SKEW_ADJUSTED, "moved"),
    (flag::INCOMPLETE, "incomplete"),
    (flag::CRITICAL, "critical"),
    (flag::GROUP_HEAD, "head"),
];

#[derive(Debug, Clone)]
struct Span {
    id: u64,
    parent: u64,
    start: u64,
    end: Option<u64>,
    service: String,
    name: String,
    kind: i32,
    status: i32,
    events: u32,
    links: u32,
    host: String,
}

impl Span {
    fn plain(id: u64, parent: u64, start: u64, end: Option<u64>) -> Self {
        Self {
            id,
            parent,
            start,
            end,
            service: "shop".to_owned(),
            name: "work".to_owned(),
            kind: 1,
            status: 0,
            events: 0,
            links: 0,
            host: String::new(),
        }
    }

    fn read(json: &Json) -> Self {
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        let id = |key: &str| u64::from_str_radix(&text(key), 16).unwrap_or_default();
        let count = |key: &str| u32::try_from(json[key].as_u64().unwrap_or_default()).unwrap();
        let number = |key: &str, or: i64| i32::try_from(json[key].as_i64().unwrap_or(or)).unwrap();
        let or = |text: String, or: String| if text.is_empty() { or } else { text };
        let start = json["start"].as_u64().unwrap();
        let plain = Self::plain(id("id"), id("parent"), start, json["end"].as_u64());
        Self {
            service: or(text("service"), plain.service),
            name: or(text("name"), plain.name),
            kind: number("kind", 1),
            status: number("status", 0),
            events: count("events"),
            links: count("links"),
            host: text("host"),
            ..plain
        }
    }
}

fn spans_of(trace: &Json) -> Vec<Span> {
    if let Some(chain) = trace["chain"].as_u64() {
        let span = |at| Span::plain(at + 1, at, at, Some(2 * chain - at));
        return (0..chain).map(span).collect();
    }
    if let Some(seed) = trace["random"].as_u64() {
        let unit = trace["unit"].as_u64().unwrap_or(1);
        return random_spans(seed, trace["count"].as_u64().unwrap(), unit);
    }
    let spans = trace["spans"].as_array().unwrap();
    spans.iter().map(Span::read).collect()
}

/// Numbers that follow from a seed: the same as `random` of `web/perf/generate.ts`.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x6d2b_79f5);
        let mut t = (self.0 ^ (self.0 >> 15)).wrapping_mul(self.0 | 1);
        t ^= t.wrapping_add((t ^ (t >> 7)).wrapping_mul(t | 61));
        (u64::from(t ^ (t >> 14)) * limit) >> 32
    }
}

/// Draws in the order in which `twin.test.ts` draws.
fn random_spans(seed: u64, count: u64, unit: u64) -> Vec<Span> {
    let mut random = Random(u32::try_from(seed).unwrap());
    let mut below = |limit| random.below(limit);
    let mut span = |at: u64| {
        let id = 1 + if below(10) == 0 { below(count) } else { at };
        let parent = match below(10) {
            0 => 0,
            1 => 1 + below(count * 3),
            _ => 1 + below(count),
        };
        let start = below(60);
        let end = match below(12) {
            0 => None,
            _ => Some((start + below(40)).saturating_sub(4)),
        };
        let mut of = |letter: &str, limit| format!("{letter}{}", below(limit));
        let (service, name, host) = (of("s", 2), of("n", 2), of("h", 3));
        Span {
            service,
            name,
            kind: i32::try_from(below(6)).unwrap(),
            status: if below(8) == 0 { 2 } else { 0 },
            events: u32::from(below(5) == 0),
            links: u32::from(below(7) == 0),
            host: if host == "h0" { String::new() } else { host },
            ..Span::plain(id, parent, start * unit, end.map(|end| end * unit))
        }
    };
    (0..count).map(&mut span).collect()
}

fn outline(spans: &[Span]) -> TraceOutline {
    let mut builder = OutlineBuilder::default();
    let mut resources: Vec<OutlineResource> = Vec::new();
    for span in spans {
        let host = (!span.host.is_empty()).then(|| Value::String(span.host.clone()));
        let resource = OutlineResource {
            service: span.service.clone(),
            attributes: host
                .into_iter()
                .map(|host| ("host.name".to_owned(), host))
                .collect(),
        };
        let known = resources.iter().position(|other| *other == resource);
        let place = known.unwrap_or_else(|| {
            resources.push(resource);
            resources.len() - 1
        });
        let name = builder.name(&span.name);
        builder.push(&OutlineRow {
            span_id: SpanId::from_number(span.id),
            parent: SpanId::from_number(span.parent),
            start: EPOCH + span.start,
            end: span.end.map_or(0, |end| EPOCH + end),
            name,
            resource: u32::try_from(place).unwrap(),
            kind: span.kind,
            status: span.status,
            events: span.events,
            links: span.links,
        });
    }
    TraceOutline {
        resources,
        ..builder.finish()
    }
}

fn is_shown(at: usize, count: usize) -> bool {
    count <= ROWS_ALL_MAX || at.is_multiple_of(ROWS_STEP) || at + 1 == count
}

fn shown(skeleton: &Skeleton) -> String {
    let mut out = String::new();
    let rows = &skeleton.rows;
    writeln!(
        out,
        "start {} duration {} errors {} complete {}",
        skeleton.start.saturating_sub(EPOCH),
        skeleton.duration,
        skeleton.errors,
        skeleton.is_complete
    )
    .unwrap();
    for at in (0..rows.len()).filter(|at| is_shown(*at, rows.len())) {
        let flags = FLAGS.iter().filter(|(bit, _)| rows.flags[at] & bit != 0);
        writeln!(
            out,
            "{at}: span {} id {} depth {} subtree {} start {} duration {} self {} group {} kind {} status {} [{}]",
            rows.source[at],
            rows.span_id[at],
            rows.depth[at],
            rows.subtree[at],
            rows.start[at],
            rows.duration[at],
            rows.own[at],
            rows.group[at],
            rows.kind[at],
            rows.status[at],
            flags.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
        )
        .unwrap();
    }
    let pieces = skeleton.critical.iter().enumerate();
    for (_, piece) in pieces.filter(|(at, _)| is_shown(*at, skeleton.critical.len())) {
        let CriticalPiece { row, from, to } = piece;
        writeln!(out, "path {row} {from}..{to}").unwrap();
    }
    for warning in &skeleton.warnings {
        writeln!(out, "! {warning}").unwrap();
    }
    out
}

#[test]
fn odd_traces_are_laid_out_as_the_browser_lays_them_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/testdata/traces");
    let traces = std::fs::read_to_string(folder.join("traces.json")).unwrap();
    let traces: Vec<Json> = serde_json::from_str(&traces).unwrap();
    let mut now = String::new();
    for trace in &traces {
        let skeleton = Skeleton::of(&outline(&spans_of(trace)), 0);
        let name = trace["name"].as_str().unwrap();
        writeln!(now, "# {name}\n{}", shown(&skeleton)).unwrap();
    }
    let path = folder.join("expected.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "expected.txt is not what is made now (UPDATE=1 writes it anew):\n{now}"
    );
}
