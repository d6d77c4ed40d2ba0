//! Questions as values, and answers as texts that can be compared.

use std::fmt::Write as _;

use model::capability::Capability;
use model::contract::{Position, ReadError, SearchRequest, Skipped, SpanReader, Window};
use model::rates::RatesRequest;
use model::seen::ValuesRequest;
use model::{
    CountRequest, OverviewRequest, SpanBatch, SpanId, SpanPosition, SpanSearchRequest,
    StructureRequest, TenantId, TraceId, TraceOutline,
};

/// A question.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// One page of traces.
    Search(SearchRequest),
    /// All pages of traces, one behind the other.
    Pages(SearchRequest),
    Trace(TenantId, TraceId),
    Outline(TenantId, TraceId),
    SpansOf(TenantId, TraceId, Vec<SpanId>),
    /// One page of spans.
    Spans(SpanSearchRequest),
    /// All pages of spans, one behind the other.
    SpanPages(SpanSearchRequest),
    Services(TenantId),
    Operations(TenantId, String),
    Dependencies(TenantId, Window),
    Facts(TenantId, Vec<TraceId>),
    Keys(TenantId),
    Values(ValuesRequest),
    Rates(RatesRequest),
    Count(CountRequest),
    Overview(OverviewRequest),
    Structure(StructureRequest),
}

impl Ask {
    /// What a store must be able to do to answer this.
    pub(super) fn needs(&self) -> Option<Capability> {
        match self {
            Self::Spans(_) | Self::SpanPages(_) => Some(Capability::SpanSearch),
            Self::Keys(_) => Some(Capability::Keys),
            Self::Values(_) => Some(Capability::Values),
            Self::Rates(_) => Some(Capability::Rates),
            Self::Count(_) => Some(Capability::Counts),
            Self::Overview(_) => Some(Capability::Overview),
            Self::Structure(_) => Some(Capability::Structure),
            Self::Dependencies(..) => Some(Capability::Dependencies),
            _ => None,
        }
    }

    /// The answer of a store, a line for each thing in it.
    pub(super) async fn of(&self, reader: &dyn SpanReader) -> Result<Vec<String>, ReadError> {
        match self {
            Self::Search(request) => Ok(page(reader, request.clone()).await?.lines),
            Self::Pages(request) => {
                let behind = async |after| {
                    let request = request.clone();
                    page(reader, SearchRequest { after, ..request }).await
                };
                walk(behind, request.after).await
            }
            Self::Spans(request) => Ok(span_page(reader, request.clone()).await?.lines),
            Self::SpanPages(request) => {
                let behind = async |after| {
                    let request = request.clone();
                    span_page(reader, SpanSearchRequest { after, ..request }).await
                };
                walk(behind, request.after).await
            }
            Self::Trace(tenant, id) => {
                let answer = reader.trace(tenant, *id).await?;
                Ok(with(spans(&answer.spans), &answer.skipped))
            }
            Self::SpansOf(tenant, id, spans_wanted) => {
                let answer = reader.spans_of(tenant, *id, spans_wanted.clone()).await?;
                Ok(with(spans(&answer.spans), &answer.skipped))
            }
            Self::Outline(tenant, id) => {
                let answer = reader.outline(tenant, *id).await?;
                Ok(with(outline(&answer.outline), &answer.skipped))
            }
            Self::Structure(request) => {
                let answer = reader.find_structure(request.clone()).await?;
                let mut lines: Vec<String> = each(&answer.traces);
                let (spans, traces) = (answer.all_spans, answer.all_traces);
                lines.push(format!(
                    "{spans} spans, {traces} traces, more: {}",
                    answer.has_more
                ));
                Ok(with(lines, &answer.skipped))
            }
            other => other.of_lists(reader).await,
        }
    }

    async fn of_lists(&self, reader: &dyn SpanReader) -> Result<Vec<String>, ReadError> {
        match self {
            Self::Services(tenant) => reader.services(tenant).await,
            Self::Operations(tenant, service) => {
                let answer = reader.operations(tenant, service).await?;
                let mut lines = each(&answer.operations);
                lines.push(format!("all: {}", answer.is_all));
                Ok(lines)
            }
            Self::Dependencies(tenant, window) => {
                let answer = reader.dependencies(tenant, *window).await?;
                Ok(with(each(&answer.links), &answer.skipped))
            }
            Self::Facts(tenant, ids) => {
                let mut answer = reader.facts(tenant, ids.clone()).await?;
                // Only a store that merges traces knows which are alike.
                answer.facts.iter_mut().for_each(|facts| facts.alike = 0);
                Ok(with(each(&answer.facts), &answer.skipped))
            }
            Self::Keys(tenant) => {
                let answer = reader.seen(tenant).await?;
                let keys = answer.keys.iter();
                // When and how often is known to a segment's width.
                let mut lines: Vec<String> = keys
                    .map(|key| format!("{:?} {:?} {}", key.place, key.value_type, key.key))
                    .collect();
                lines.sort_unstable();
                lines.dedup();
                lines.push(format!("all: {}", answer.has_all_keys));
                Ok(with(lines, &answer.skipped))
            }
            Self::Values(request) => {
                let answer = reader.values(request.clone()).await?;
                // These few must be there; whether they are all may be left open.
                Ok(with(answer.values, &answer.skipped))
            }
            Self::Rates(request) => rates(reader, request.clone()).await,
            Self::Count(request) => {
                let answer = reader.count(request.clone()).await?;
                let line = format!("{} spans, {} traces", answer.spans, answer.traces);
                Ok(with(vec![line], &answer.skipped))
            }
            Self::Overview(request) => overview(reader, request.clone()).await,
            _ => Ok(Vec::new()),
        }
    }
}

/// What is different about two answers.
pub(super) fn differ(
    told: Result<Vec<String>, ReadError>,
    truth: Result<Vec<String>, ReadError>,
) -> Option<String> {
    const LINES_MAX: usize = 6;
    let (told, truth) = match (told, truth) {
        // The words of a refusal are each store's own.
        (
            Err(ReadError::BadQuestion { .. } | ReadError::NotHere { .. }),
            Err(ReadError::BadQuestion { .. }),
        ) => return None,
        (Ok(told), Ok(truth)) => (told, truth),
        (told, truth) => return Some(format!("{told:?} instead of {truth:?}")),
    };
    if told == truth {
        return None;
    }
    let mut text = format!("{} lines instead of {}", told.len(), truth.len());
    let lines = (0..told.len().max(truth.len()))
        .map(|at| (told.get(at), truth.get(at)))
        .filter(|(told, truth)| told != truth);
    for (told, truth) in lines.take(LINES_MAX) {
        let _written = write!(text, "\n    got  {told:?}\n    want {truth:?}");
    }
    Some(text)
}

/// A page: what it says, and where the next one begins.
struct Page<P> {
    lines: Vec<String>,
    next: Option<P>,
}

async fn page(
    reader: &dyn SpanReader,
    request: SearchRequest,
) -> Result<Page<Position>, ReadError> {
    let (order, limit) = (request.order, request.limit);
    let answer = reader.search(request).await?;
    let mut lines = each(&answer.traces);
    if answer.traces.len() > limit {
        lines.push(format!("more than {limit}"));
    }
    lines.push(format!("more: {}", answer.has_more));
    let last = answer.traces.last().filter(|_| answer.has_more);
    Ok(Page {
        lines: with(lines, &answer.skipped),
        next: last.map(|hit| hit.position(order)),
    })
}

async fn span_page(
    reader: &dyn SpanReader,
    request: SpanSearchRequest,
) -> Result<Page<SpanPosition>, ReadError> {
    let answer = reader.search_spans(request).await?;
    let mut lines = each(&answer.positions);
    lines.push(format!(
        "{} spans, more: {}",
        answer.spans.len(),
        answer.has_more
    ));
    let last = answer.positions.last().filter(|_| answer.has_more);
    Ok(Page {
        lines: with(lines, &answer.skipped),
        next: last.copied(),
    })
}

/// All pages; a store that gives a page again is asked no further.
async fn walk<P: Copy + PartialEq>(
    page_behind: impl AsyncFn(Option<P>) -> Result<Page<P>, ReadError>,
    mut after: Option<P>,
) -> Result<Vec<String>, ReadError> {
    let mut lines = Vec::new();
    loop {
        let page = page_behind(after).await?;
        lines.extend(page.lines);
        if page.next.is_none() || page.next == after {
            return Ok(lines);
        }
        after = page.next;
    }
}

async fn rates(reader: &dyn SpanReader, request: RatesRequest) -> Result<Vec<String>, ReadError> {
    let answer = reader.rates(request).await?;
    let mut lines = Vec::new();
    for series in &answer.series {
        lines.push(format!("{:?}", series.key));
        let points = series.points.iter();
        // Which examples are named, and what was timed, is a store's own choice.
        lines.extend(points.map(|point| {
            let (start, spans, errors) = (point.start, point.spans, point.errors);
            format!("  {start}: {spans}, {errors} failed, {} ns", point.duration)
        }));
    }
    lines.push(format!("all: {}", answer.has_all_operations));
    Ok(with(lines, &answer.skipped))
}

async fn overview(
    reader: &dyn SpanReader,
    request: OverviewRequest,
) -> Result<Vec<String>, ReadError> {
    let answer = reader.overview(request).await?;
    let (points, errors) = (answer.points, answer.errors);
    let mut lines = vec![format!(
        "{points} points, {errors} failed, {} spans",
        answer.spans
    )];
    let cells = answer.cells.iter();
    lines.extend(cells.map(|cell| {
        let (step, bucket) = (cell.step, cell.duration_bucket);
        format!("{step} {bucket}: {}, {} failed", cell.count, cell.errors)
    }));
    lines.extend(each(&answer.facets));
    Ok(with(lines, &answer.skipped))
}

/// Spans by all that they hold, in the order of their ids.
fn spans(batch: &SpanBatch) -> Vec<String> {
    let mut lines: Vec<String> = batch
        .iter()
        .map(|span| {
            let (id, name, hash) = (span.span_id(), span.name(), batch.span_hash(span.row()));
            format!("{id} {name} {hash:016x}")
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// The rows with their texts, in the order of their ids.
fn outline(outline: &TraceOutline) -> Vec<String> {
    let rows = (0..outline.len()).filter_map(|at| outline.row(at));
    let mut lines: Vec<String> = rows
        .map(|mut row| {
            let at = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
            let name = outline.names.get(at(row.name));
            let resource = outline.resources.get(at(row.resource));
            // Where a text stands is a store's own choice.
            (row.name, row.resource) = (0, 0);
            format!("{row:?} {name:?} {resource:?}")
        })
        .collect();
    lines.sort_unstable();
    lines
}

fn each<T: std::fmt::Debug>(things: &[T]) -> Vec<String> {
    things.iter().map(|thing| format!("{thing:?}")).collect()
}

fn with(mut lines: Vec<String>, skipped: &[Skipped]) -> Vec<String> {
    lines.extend(each(skipped));
    lines
}
