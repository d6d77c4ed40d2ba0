//! All spans of one trace looked through: what matches, which fields there are, a field by row, the events.
//!
//! Promises: a trace of any length is looked through in steps; what is cut is said.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use axum::Json;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use model::batch::Attribute;
use model::contract::{Skipped as Unread, Window};
use model::{SpanBatch, TraceId};
use plumbing::planted;
use query::{Question, Step, Walk};
use traceql::{Field, FieldReader, Scope};

use super::Ui;
use super::answers::trace::{
    FindAnswer, TraceColumnAnswer, TraceEvent, TraceEventsAnswer, TraceKey, TraceKeysAnswer,
};
use super::answers::{Diagnostic, Skipped};
use super::error::UiError;
use super::find_words::Words;
use super::parameters::{OfTrace, Parameters};
use super::spans;
use super::text;
use crate::guard::For;

/// Distinct values of a field that are counted; beyond, it is only known that there are more.
const DISTINCT_MAX: usize = 1_000;
/// Distinct values of a column that are told; the others are "other".
const COLUMN_VALUES_MAX: usize = 10_000;
/// Fields that are told.
const KEYS_MAX: usize = 2_000;
/// Events that are told.
const EVENTS_MAX: usize = 20_000;

/// A walk over a trace, and what could not be read on the way.
struct Walking {
    walk: Walk,
    skipped: Vec<Unread>,
}

impl Ui {
    async fn walk(&self, id: TraceId) -> Result<Walking, UiError> {
        let found = self.found(id).await?;
        let skew = self.parts.options.clock_skew_max_nanos;
        let walk = self
            .work(move || Walk::new(id, &found.outline, skew))
            .await?;
        Ok(Walking {
            walk,
            skipped: found.skipped,
        })
    }

    async fn next(&self, walking: &mut Walking) -> Result<Option<Step>, UiError> {
        let step = self
            .parts
            .query
            .walk_on(&self.parts.tenant, &mut walking.walk)
            .await?;
        for unread in step.iter().flat_map(|step| &step.skipped) {
            if !walking.skipped.contains(unread) {
                walking.skipped.push(unread.clone());
            }
        }
        Ok(step)
    }
}

impl Walking {
    fn version(&self) -> String {
        format!("{:016x}", self.walk.skeleton.version)
    }

    fn skipped(&self) -> Vec<Skipped> {
        Skipped::all(&self.skipped)
    }
}

/// The row of a span in the skeleton; `None` for one that came since that was laid out.
fn known_row(row: u32) -> Option<u32> {
    (row != u32::MAX).then_some(row)
}

/// What is looked for in a trace.
enum Sought {
    Query(Question),
    Words(Words),
}

impl Sought {
    fn matches(&self, spans: &SpanBatch) -> Vec<usize> {
        match self {
            Self::Query(question) => question.matches(spans, Window::ALWAYS),
            Self::Words(words) => words.matches(spans),
        }
    }

    fn needs_whole_trace(&self) -> bool {
        matches!(self, Self::Query(question) if question.needs_whole_trace())
    }

    fn warnings(&self, q: &str) -> Vec<Diagnostic> {
        match self {
            Self::Query(question) => text::warnings(q, question),
            Self::Words(_) => Vec::new(),
        }
    }
}

/// `GET /traces/{id}/find?q=` or `?words=`
pub(super) async fn find(
    For(ui): For<Ui>,
    OfTrace(id): OfTrace,
    RawQuery(query): RawQuery,
) -> Result<Json<FindAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let words = parameters.text("words");
    let sought = Arc::new(if words.is_empty() {
        Sought::Query(ui.question(&parameters).await?)
    } else {
        Sought::Words(Words::parse(words)?)
    });
    let mut walk = ui.walk(id).await?;
    let mut rows = Vec::new();
    while let Some(step) = ui.next(&mut walk).await? {
        if sought.needs_whole_trace() && !step.is_whole {
            return Err(UiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the trace is too long to be judged by what holds for it as a whole",
            )
            .with_hint("leave out childCount, own and critical times, and facts of the trace"));
        }
        let sought = Arc::clone(&sought);
        let found = ui
            .work(move || {
                let found = sought.matches(&step.spans);
                let row = |at: usize| {
                    if planted("ui-find-order-of-arrival") {
                        return u32::try_from(at).ok();
                    }
                    step.rows.get(at).copied().and_then(known_row)
                };
                found.into_iter().filter_map(row).collect::<Vec<u32>>()
            })
            .await?;
        rows.extend(found);
    }
    rows.sort_unstable();
    Ok(Json(FindAnswer {
        version: walk.version(),
        rows,
        diagnostics: sought.warnings(parameters.text("q")),
        skipped: walk.skipped(),
    }))
}

/// What is known of a field.
#[derive(Default)]
struct Known {
    spans: u64,
    /// The span that was counted last, counted from 1: a span may have a key twice.
    last: u64,
    /// Hashes of the values.
    values: HashSet<u64>,
}

/// The fields of the spans that were looked at.
#[derive(Default)]
struct Keys {
    known: HashMap<(Scope, String), Known>,
    spans: u64,
    is_cut: bool,
}

/// `GET /traces/{id}/keys`
pub(super) async fn keys(
    For(ui): For<Ui>,
    OfTrace(id): OfTrace,
) -> Result<Json<TraceKeysAnswer>, UiError> {
    let mut walk = ui.walk(id).await?;
    let mut keys = Keys::default();
    while let Some(step) = ui.next(&mut walk).await? {
        keys = ui
            .work(move || {
                keys.count(&step.spans);
                keys
            })
            .await?;
    }
    let is_all = !keys.is_cut;
    let key = |((scope, key), known): ((Scope, String), Known)| TraceKey {
        field: Field::attribute(scope, &key).to_string(),
        spans: known.spans,
        distinct: known.values.len() as u64,
    };
    let mut keys: Vec<TraceKey> = keys.known.into_iter().map(key).collect();
    keys.sort_by(|a, b| b.spans.cmp(&a.spans).then_with(|| a.field.cmp(&b.field)));
    Ok(Json(TraceKeysAnswer {
        keys,
        is_all,
        skipped: walk.skipped(),
    }))
}

impl Keys {
    fn count(&mut self, spans: &SpanBatch) {
        for span in spans.iter() {
            self.spans += 1;
            for attribute in span.attributes() {
                self.add(Scope::Span, attribute);
            }
            for attribute in span.resource().attributes() {
                self.add(Scope::Resource, attribute);
            }
        }
    }

    fn add(&mut self, scope: Scope, attribute: Attribute<'_>) {
        let key = (scope, attribute.key.to_owned());
        if self.known.len() >= KEYS_MAX && !self.known.contains_key(&key) {
            self.is_cut = true;
            return;
        }
        let known = self.known.entry(key).or_default();
        known.spans += u64::from(known.last != self.spans);
        known.last = self.spans;
        if known.values.len() < DISTINCT_MAX {
            // The same in every step, unlike a hasher that is seeded at random.
            let mut hasher = DefaultHasher::new();
            attribute.value.canonical_text().hash(&mut hasher);
            known.values.insert(hasher.finish());
        }
    }
}

/// `GET /traces/{id}/column?field=`
pub(super) async fn column(
    For(ui): For<Ui>,
    OfTrace(id): OfTrace,
    RawQuery(query): RawQuery,
) -> Result<Json<TraceColumnAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let fields = parameters.fields("field")?;
    let Some(field) = fields.into_iter().next() else {
        return Err(UiError::bad_request(
            "field is missing; give a field of the query language",
        ));
    };
    let mut walk = ui.walk(id).await?;
    let mut column = Column::new(walk.walk.skeleton.rows.len());
    while let Some(step) = ui.next(&mut walk).await? {
        let field = field.clone();
        column = ui
            .work(move || {
                column.take(&step, &field);
                column
            })
            .await?;
    }
    let (values, rows) = column.by_frequency();
    Ok(Json(TraceColumnAnswer {
        version: walk.version(),
        values,
        rows,
        skipped: walk.skipped(),
    }))
}

/// The values of a field by row.
struct Column {
    codes: HashMap<String, u32>,
    values: Vec<(String, u64)>,
    /// By row: one more than the place in `values`.
    rows: Vec<u32>,
}

impl Column {
    fn new(rows: usize) -> Self {
        Self {
            codes: HashMap::new(),
            values: Vec::new(),
            rows: vec![0; rows],
        }
    }

    fn take(&mut self, step: &Step, field: &Field) {
        let reader = FieldReader::new(&step.spans, std::slice::from_ref(field));
        for (at, row) in step.rows.iter().enumerate() {
            let (Some(row), Some(text)) = (known_row(*row), reader.text(field, at)) else {
                continue;
            };
            let code = self.code(text);
            if let Some(slot) = self.rows.get_mut(row as usize) {
                *slot = code;
            }
        }
    }

    fn code(&mut self, text: String) -> u32 {
        let known = self.codes.get(&text).copied();
        let code = known.unwrap_or_else(|| {
            // Beyond the limit all are the same.
            let text = if self.values.len() < COLUMN_VALUES_MAX {
                text
            } else {
                "…".to_owned()
            };
            let next = u32::try_from(self.values.len()).unwrap_or(u32::MAX - 1) + 1;
            let values = &mut self.values;
            *self.codes.entry(text.clone()).or_insert_with(|| {
                values.push((text, 0));
                next
            })
        });
        if let Some((_, count)) = self.values.get_mut(code as usize - 1) {
            *count += 1;
        }
        code
    }

    fn by_frequency(self) -> (Vec<String>, Vec<u32>) {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        let key = |at: &usize| {
            self.values
                .get(*at)
                .map(|(text, count)| (std::cmp::Reverse(*count), text))
        };
        order.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut place = vec![0; self.values.len() + 1];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(old + 1) {
                *slot = u32::try_from(new + 1).unwrap_or(u32::MAX);
            }
        }
        let rows = self
            .rows
            .iter()
            .map(|code| place.get(*code as usize).copied().unwrap_or(0));
        let rows = rows.collect();
        let texts = order.into_iter().filter_map(|at| self.values.get(at));
        (texts.map(|(text, _)| text.clone()).collect(), rows)
    }
}

/// `GET /traces/{id}/events`
pub(super) async fn events(
    For(ui): For<Ui>,
    OfTrace(id): OfTrace,
) -> Result<Json<TraceEventsAnswer>, UiError> {
    let mut walk = ui.walk(id).await?;
    let mut all: Vec<(u64, TraceEvent)> = Vec::new();
    let mut is_all = true;
    while let Some(step) = ui.next(&mut walk).await? {
        let (found, is_whole) = ui
            .work(move || {
                let room = EVENTS_MAX.saturating_sub(all.len());
                let mut of_step = Vec::new();
                for (span, row) in step.spans.iter().zip(step.rows) {
                    let Some(row) = known_row(row) else { continue };
                    let left = (room + 1).saturating_sub(of_step.len());
                    of_step.extend(span.events().take(left).map(|event| {
                        let time = event.time();
                        let event = spans::event(event);
                        (time, TraceEvent { row, event })
                    }));
                }
                let is_whole = of_step.len() <= room;
                of_step.truncate(room);
                all.extend(of_step);
                (all, is_whole)
            })
            .await?;
        all = found;
        is_all &= is_whole;
        if !is_whole {
            break;
        }
    }
    all.sort_by_key(|(time, event)| (*time, event.row));
    Ok(Json(TraceEventsAnswer {
        version: walk.version(),
        events: all.into_iter().map(|(_, event)| event).collect(),
        is_all,
        skipped: walk.skipped(),
    }))
}
