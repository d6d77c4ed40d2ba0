//! What the time of an operation goes to: the critical path below its spans, on the average of a sample.
//!
//! The sample is taken evenly over the window: the newest spans of each of [`PARTS`] parts of it; what room parts with
//! few leave, the newest of all have. The path is that of the span alone, as if it were the whole trace, so the parts
//! add up to its duration. Time is given to the operation that was at work.
//!
//! Promises: a trace that is too long to be laid out for this is left out, and that is told.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::{StreamExt as _, stream};
use model::batch::SpanRef;
use model::contract::{Order, Skipped, Window};
use model::predicate::{Field, Literal, Operator, Predicate};
use model::tree::{OwnTimes, PathPiece, Time};
use model::{SpanId, SpanSearchRequest, TenantId, TraceId};
use plumbing::planted;
use traceql::Scope;

use crate::skeleton::Skeleton;
use crate::summaries::add_new;
use crate::{Error, Query};

/// Parts of the window that are sampled alike.
const PARTS: u64 = 8;
/// Spans of each part.
const SPANS_OF_PART: usize = 16;
/// Spans of a trace up to which it is looked at.
const TRACE_SPANS_MAX: u64 = 20_000;
/// Traces that are laid out at the same time.
const AT_ONCE: usize = 4;
/// Attributes that are told.
const ATTRIBUTES_MAX: usize = 12;

/// A question for what an operation's time goes to.
#[derive(Debug, Clone)]
pub struct PathRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// The service.
    pub service: String,
    /// The name of its spans.
    pub operation: String,
    /// Their kind (OTLP's number), if not any.
    pub kind: Option<i32>,
    /// When they start.
    pub window: Window,
    /// The greatest clock skew that is corrected, in nanoseconds.
    pub clock_skew_max_nanos: u64,
}

/// What the time of an operation goes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AveragePath {
    /// Spans of the sample.
    pub spans: u64,
    /// Their durations together, in nanoseconds.
    pub nanos: u64,
    /// The operations that were at work, those with most time first.
    pub parts: Vec<PathPart>,
    /// Attributes of the sample's spans whose values repeat, as a query writes them; those of most spans first.
    pub attributes: Vec<String>,
    /// Traces that were too long.
    pub left_out: u64,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// An operation on the path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPart {
    /// Its service.
    pub service: String,
    /// The name of its spans.
    pub operation: String,
    /// Time of it on the path, over all spans of the sample, in nanoseconds.
    pub nanos: u64,
    /// Its spans on the path.
    pub calls: u64,
    /// Spans of the sample with any of it on their path.
    pub of_spans: u64,
    /// Where it had most time: the trace, and its span with most of it.
    pub example: (TraceId, SpanId),
}

/// The path below one span.
#[derive(Debug, Default)]
struct OnePath {
    nanos: u64,
    /// By service and name.
    parts: HashMap<(u32, u32), OwnWork>,
}

/// What an operation did on a path.
#[derive(Debug, Default)]
struct OwnWork {
    nanos: u64,
    calls: u64,
    /// The span with most of it, and how much that is.
    most: (SpanId, u64),
}

impl Query {
    /// What the time of an operation goes to.
    pub async fn average_path(&self, request: &PathRequest) -> Result<AveragePath, Error> {
        let mut path = AveragePath::default();
        let (sample, attributes) = self.sample(request, &mut path.skipped).await?;
        path.attributes = attributes;
        let ids: Vec<TraceId> = sample.keys().copied().collect();
        let skipped = &mut path.skipped;
        let facts = self.facts_by_id(&request.tenant, &ids, skipped).await?;
        let is_short = |id: &TraceId| {
            facts
                .get(id)
                .is_some_and(|facts| facts.spans <= TRACE_SPANS_MAX)
        };
        let (short, long): (Vec<TraceId>, Vec<TraceId>) = ids.into_iter().partition(is_short);
        path.left_out = long.iter().filter(|id| facts.contains_key(*id)).count() as u64;
        let outlines = short.into_iter().map(|id| async move {
            let outline = self.outline(&request.tenant, id).await;
            (id, outline)
        });
        let mut outlines = stream::iter(outlines).buffered(AT_ONCE);
        let mut sums: BTreeMap<(String, String), (PathPart, u64)> = BTreeMap::new();
        while let Some((trace_id, outline)) = outlines.next().await {
            let outline = outline?;
            add_new(&mut path.skipped, outline.skipped);
            let skeleton = Skeleton::of(&outline.outline, request.clock_skew_max_nanos);
            let wanted = sample.get(&trace_id);
            for row in rows_of(&skeleton, request, wanted) {
                path.add(&skeleton, trace_id, &path_below(&skeleton, row), &mut sums);
            }
        }
        path.parts = sums.into_values().map(|(part, _)| part).collect();
        path.parts.sort_by(|a, b| {
            let by_name = || (&a.service, &a.operation).cmp(&(&b.service, &b.operation));
            b.nanos.cmp(&a.nanos).then_with(by_name)
        });
        Ok(path)
    }

    /// Spans of the operation, by trace, and the attributes that tell them apart.
    async fn sample(
        &self,
        request: &PathRequest,
        skipped: &mut Vec<Skipped>,
    ) -> Result<(BTreeMap<TraceId, HashSet<SpanId>>, Vec<String>), Error> {
        let mut sample: BTreeMap<TraceId, HashSet<SpanId>> = BTreeMap::new();
        let mut seen = SeenValues::default();
        let text = |field, text: &str| {
            Predicate::Compare(field, Operator::Equal, Literal::String(text.to_owned()))
        };
        let mut predicate =
            text(Field::Service, &request.service).and(text(Field::Name, &request.operation));
        if let Some(kind) = request.kind {
            let of_kind = Literal::Int(kind.into());
            predicate = predicate.and(Predicate::Compare(Field::Kind, Operator::Equal, of_kind));
        }
        let parts = parts_of(request.window);
        let mut left = parts.len() * SPANS_OF_PART;
        let asked = parts.into_iter().map(|window| (window, SPANS_OF_PART));
        let asked = asked.chain([(request.window, left)]);
        for (window, most) in asked {
            if left == 0 {
                break;
            }
            let search = SpanSearchRequest {
                tenant: request.tenant.clone(),
                predicate: predicate.clone(),
                window,
                order: Order::NewestFirst,
                limit: most,
                after: None,
            };
            let found = self.reader().search_spans(search).await?;
            add_new(skipped, found.skipped);
            for span in found.spans.iter() {
                let of_trace = sample.entry(span.trace_id()).or_default();
                if left > 0 && of_trace.insert(span.span_id()) {
                    left -= 1;
                    seen.add(span);
                }
            }
        }
        Ok((sample, seen.repeating()))
    }
}

/// The values of attributes.
#[derive(Debug, Default)]
struct SeenValues {
    spans: usize,
    /// By key: spans that have it, and its values.
    of_key: BTreeMap<String, (usize, HashSet<String>)>,
}

impl SeenValues {
    fn add(&mut self, span: SpanRef<'_>) {
        self.spans += 1;
        for attribute in span.attributes() {
            let (spans, values) = self.of_key.entry(attribute.key.to_owned()).or_default();
            *spans += 1;
            values.insert(attribute.value.canonical_text().into_owned());
        }
    }

    /// Keys that half of the spans have, and whose values are few.
    fn repeating(self) -> Vec<String> {
        let enough = self.spans.div_ceil(2);
        let mut keys: Vec<(usize, String)> = self
            .of_key
            .into_iter()
            .filter(|(_, (spans, values))| *spans >= enough && values.len() * 2 <= *spans)
            .map(|(key, (spans, _))| (spans, key))
            .collect();
        keys.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let fields = keys.into_iter().take(ATTRIBUTES_MAX);
        fields
            .map(|(_, key)| traceql::Field::attribute(Scope::Span, &key).to_string())
            .collect()
    }
}

impl AveragePath {
    fn add(
        &mut self,
        skeleton: &Skeleton,
        trace_id: TraceId,
        of_span: &OnePath,
        sums: &mut BTreeMap<(String, String), (PathPart, u64)>,
    ) {
        self.spans += 1;
        self.nanos += of_span.nanos;
        for ((service, name), work) in &of_span.parts {
            let (most, most_nanos) = work.most;
            let name_at = |names: &[String], at: &u32| names.get(*at as usize).cloned();
            let service = name_at(&skeleton.services, service).unwrap_or_default();
            let operation = name_at(&skeleton.names, name).unwrap_or_default();
            let key = (service.clone(), operation.clone());
            let (part, most_before) = sums.entry(key).or_insert_with(|| {
                let part = PathPart {
                    service,
                    operation,
                    nanos: 0,
                    calls: 0,
                    of_spans: 0,
                    example: (trace_id, most),
                };
                (part, 0)
            });
            part.nanos += work.nanos;
            part.calls += work.calls;
            part.of_spans += 1;
            if most_nanos > *most_before {
                *most_before = most_nanos;
                part.example = (trace_id, most);
            }
        }
    }
}

/// Equal parts of a window, as far as it has room for them.
fn parts_of(window: Window) -> Vec<Window> {
    let length = u128::from(window.end.saturating_sub(window.start)) + 1;
    let parts = length.min(u128::from(PARTS));
    let begin = |part: u128| {
        let behind = part * length / parts;
        u64::try_from(u128::from(window.start) + behind).unwrap_or(u64::MAX)
    };
    (0..parts)
        .map(|part| Window {
            start: begin(part),
            end: if part + 1 == parts {
                window.end
            } else {
                begin(part + 1) - 1
            },
        })
        .collect()
}

/// The rows of the spans that were sampled.
fn rows_of(
    skeleton: &Skeleton,
    request: &PathRequest,
    wanted: Option<&HashSet<SpanId>>,
) -> Vec<usize> {
    let Some(wanted) = wanted else {
        return Vec::new();
    };
    let rows = &skeleton.rows;
    let is_named = |names: &[String], at: Option<&u32>, name: &str| {
        at.and_then(|at| names.get(*at as usize))
            .is_some_and(|known| known == name)
    };
    // A client and a server may share an id.
    let is_meant = |row: &usize| {
        let kind = rows.kind.get(*row).map(|kind| i32::from(*kind));
        rows.span_id.get(*row).is_some_and(|id| wanted.contains(id))
            && is_named(&skeleton.services, rows.service.get(*row), &request.service)
            && is_named(&skeleton.names, rows.name.get(*row), &request.operation)
            && request.kind.is_none_or(|wanted| kind == Some(wanted))
    };
    (0..rows.len()).filter(is_meant).collect()
}

/// The critical path of a span, as if it were the whole trace.
fn path_below(skeleton: &Skeleton, top: usize) -> OnePath {
    let rows = &skeleton.rows;
    let length = rows.subtree.get(top).copied().unwrap_or(1) as usize;
    let range = top..(top + length).min(rows.len());
    let (mut times, mut deltas) = (Vec::with_capacity(length), Vec::with_capacity(length));
    // By depth below the top: the last row that stood there.
    let mut above: Vec<usize> = Vec::new();
    let depth_at = |row: usize| rows.depth.get(row).map_or(0, |depth| usize::from(*depth));
    let top_depth = depth_at(top);
    for row in range.clone() {
        let start = rows.start.get(row).copied().unwrap_or_default();
        let duration = rows.duration.get(row).copied().unwrap_or_default();
        times.push(Time::of(start, start.saturating_add(duration)));
        let depth = depth_at(row).saturating_sub(top_depth).min(above.len());
        above.truncate(depth);
        let parent = above.last().copied();
        deltas.push(parent.map_or(0, |parent| i32::try_from(row - parent).unwrap_or_default()));
        above.push(row);
    }
    let mut path = OnePath {
        nanos: rows.duration.get(top).copied().unwrap_or_default(),
        ..OnePath::default()
    };
    let mut of_rows: BTreeMap<usize, u64> = BTreeMap::new();
    OwnTimes::default().find(
        &times,
        &deltas,
        |_| {},
        |PathPiece { row, from, to }| {
            *of_rows.entry(top + row as usize).or_default() += to - from;
        },
    );
    for (row, nanos) in of_rows {
        if row == top && planted("query-path-without-own") {
            continue;
        }
        let service = rows.service.get(row).copied().unwrap_or_default();
        let name = rows.name.get(row).copied().unwrap_or_default();
        let id = rows.span_id.get(row).copied().unwrap_or_default();
        let work = path.parts.entry((service, name)).or_default();
        work.nanos += nanos;
        work.calls += 1;
        if work.calls == 1 || nanos > work.most.1 {
            work.most = (id, nanos);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_cut_into_parts_without_gaps() {
        for (start, end) in [(0, 0), (5, 6), (0, 7), (3, 100), (0, u64::MAX)] {
            let parts = parts_of(Window { start, end });
            assert!(parts.len() as u64 <= PARTS && !parts.is_empty());
            assert_eq!(parts.first().map(|part| part.start), Some(start));
            assert_eq!(parts.last().map(|part| part.end), Some(end));
            for pair in parts.windows(2) {
                assert!(pair[0].start <= pair[0].end);
                assert_eq!(pair[0].end + 1, pair[1].start);
            }
        }
    }
}
