//! Writing: documents in bulk requests, and an answer only when the server has confirmed every one.
//!
//! Promises
//! - A batch is kept when each of its documents was confirmed, or set aside where it can be read with the reason.
//! - Ids of documents are made of what they hold: what is sent again is there once.
//! - What a server has no room for at the moment is sent again, with growing pauses, until
//!   [`super::ElasticOptions::timeout`] is over; then the sender is told to come again.
//! - A request that is too long for the server, or for a proxy before it, is sent in halves, and those after it are
//!   shorter. A document that is too long by itself fails its batch.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use codec::jaeger_document::{
    DocumentLayout, service_document_id, span_document_id, write_service, write_span,
};
use codec::jaeger_encode::kind_name;
use http::Method;
use model::contract::{
    Answer, IncomingBatch, Kept, PinError, PinnedTrace, Pins, SpanWriter, WriteError,
};
use model::{SpanBatch, TenantId, TraceId};
use plumbing::planted;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Elastic;
use super::client::{Body, Fault, error_of};
use super::indices::{Day, Indices};
use super::lists::{KIND_MEMBER, KIND_UNSPECIFIED};
use crate::lately::Lately;

/// A request is not longer than this, unless one document is by itself.
pub(super) const BULK_BYTES_MAX: usize = 5_000_000;
/// However short requests must be: what is refused below this is refused for what it holds.
const BULK_BYTES_MIN: usize = 32_768;
const BULK: &str = "/_bulk?filter_path=errors,items.*.status,items.*.error";
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// About how much is set aside at once.
const ASIDE_BYTES: usize = 1 << 20;
/// Errors that mean the document itself, or a day that somebody has closed: the same will be refused again.
const POISON: [&str; 5] = [
    "index_closed_exception",
    "mapper_parsing_exception",
    "document_parsing_exception",
    "strict_dynamic_mapping_exception",
    "illegal_argument_exception",
];

/// A handle that writes; the server is shared.
#[derive(Debug, Clone)]
pub struct ElasticWriter(pub Arc<Elastic>);

impl SpanWriter for ElasticWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let elastic = Arc::clone(&self.0);
        Box::pin(async move { elastic.keep(&incoming.tenant, incoming.batch).await })
    }

    fn readiness(&self) -> Result<(), String> {
        self.0.trouble.readiness()
    }
}

/// That an operation of a service stands in an index.
pub(super) type Listed = (String, String, String, i32);

/// Documents of one request, each two lines.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    lines: String,
    needs_alias: bool,
    documents: Vec<Range<usize>>,
}

impl Bulk {
    pub(super) fn add(&mut self, index: &str, id: &str, document: &str) {
        let start = self.lines.len();
        let mut action = json!({"_index": index, "_id": id});
        // Without its alias an index of that name would be made.
        if let Some(action) = action.as_object_mut().filter(|_| self.needs_alias) {
            action.insert("require_alias".to_owned(), Value::Bool(true));
        }
        let action = json!({"index": action}).to_string();
        for line in [action.as_str(), document] {
            self.lines.push_str(line);
            self.lines.push('\n');
        }
        self.documents.push(start..self.lines.len());
    }

    /// Adds a document as it is in another bulk.
    fn add_lines(&mut self, lines: &str) {
        let start = self.lines.len();
        self.lines.push_str(lines);
        self.documents.push(start..self.lines.len());
    }

    /// Takes the second half of the documents out of it, in the order in which they are; none when there is but one.
    fn split(&mut self) -> Option<Self> {
        let half = self.documents.len().div_ceil(2);
        let second = self
            .documents
            .get(half..)
            .filter(|second| !second.is_empty())?;
        let mut other = Self {
            needs_alias: self.needs_alias,
            ..Self::default()
        };
        for range in second {
            other.add_lines(self.lines.get(range.clone()).unwrap_or_default());
        }
        let end = second.first().map_or(0, |range| range.start);
        self.lines.truncate(end);
        self.documents.truncate(half);
        Some(other)
    }
}

/// What is written for a batch.
#[derive(Debug, Default)]
struct Plan {
    needs_alias: bool,
    /// No bulk is longer, unless it is of one document.
    bytes_max: usize,
    bulks: Vec<Bulk>,
    listed: Vec<Listed>,
}

impl Plan {
    fn add(&mut self, index: &str, id: &str, document: &str) {
        let bytes_max = self.bytes_max;
        let has_room = |bulk: &&mut Bulk| bulk.lines.len() + document.len() < bytes_max;
        match self.bulks.last_mut().filter(has_room) {
            Some(bulk) => bulk.add(index, id, document),
            None => {
                let mut bulk = Bulk {
                    needs_alias: self.needs_alias,
                    ..Bulk::default()
                };
                bulk.add(index, id, document);
                self.bulks.push(bulk);
            }
        }
    }
}

fn plan(
    batch: &SpanBatch,
    indices: &Indices,
    layout: &DocumentLayout,
    known: &Lately<Listed>,
    bytes_max: usize,
) -> Plan {
    let mut plan = Plan {
        needs_alias: indices.is_rolled(),
        bytes_max,
        ..Plan::default()
    };
    let mut names: HashMap<Day, (String, String)> = HashMap::new();
    let mut had = HashSet::new();
    let mut text = String::new();
    for span in batch.iter() {
        // What is rolled over has one name for all days.
        let day = Day::of(if plan.needs_alias { 0 } else { span.start() });
        let (spans, services) = names
            .entry(day)
            .or_insert_with(|| (indices.spans_of(day), indices.services_of(day)));
        let (service, name, kind) = (span.service(), span.name(), span.kind());
        if had.insert((day, service, name, kind)) {
            let listed = (services.clone(), service.to_owned(), name.to_owned(), kind);
            if !known.has(&listed) {
                let id = service_document_id(service, name);
                text.clear();
                write_service(&mut text, service, name);
                plan.add(services, &id, &text);
                let kind = kind_name(kind).unwrap_or(KIND_UNSPECIFIED);
                let tag = json!({KIND_MEMBER: kind});
                let document = json!({"serviceName": service, "operationName": name, "tag": tag});
                plan.add(services, &format!("{id}-{kind}"), &document.to_string());
                plan.listed.push(listed);
            }
        }
        text.clear();
        write_span(&mut text, span, layout);
        plan.add(spans, &span_document_id(span, &text), &text);
    }
    plan
}

/// What a server says of each document.
#[derive(Deserialize)]
struct Bulked {
    errors: bool,
    items: Vec<HashMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    status: u16,
    #[serde(default)]
    error: Option<Value>,
}

/// What became of a request's documents that were not taken.
#[derive(Debug, Default)]
struct Left {
    again: Bulk,
    /// Why they were not taken now.
    why: String,
    /// Those that the server will never take: which, what kind of error, and its reason.
    poison: Vec<(String, String, String)>,
}

impl Elastic {
    /// Keeps a batch; what fails halfway is sent again as a whole by whoever sent it, and is there once.
    pub(super) async fn keep(
        &self,
        tenant: &TenantId,
        batch: SpanBatch,
    ) -> Result<Kept, WriteError> {
        let indices = self.indices(tenant);
        self.prepared(&indices).await.map_err(Fault::unwritten)?;
        let aside = indices.set_aside();
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let (layout, known) = (self.options.layout.clone(), Arc::clone(&self.known));
        let bytes_max = self.bulk_bytes_max.load(Ordering::Relaxed);
        let planned = self
            .pool
            .run(move || plan(&batch, &indices, &layout, &known, bytes_max));
        let planned = planned.await.map_err(|error| WriteError::Busy {
            reason: error.to_string(),
        })?;
        let until = Instant::now() + self.options.timeout;
        for bulk in planned.bulks {
            let sent = self.send(bulk, &aside, until).await;
            if !planted("elastic-answer-ignored") {
                sent?;
            }
        }
        self.known.add(&planned.listed);
        self.metrics.spans_kept.inc_by(spans);
        Ok(Kept {
            spans,
            duplicate_spans: 0,
        })
    }

    /// Writes the spans of a trace into the index that nobody cleans; false when there are none.
    async fn archive(&self, tenant: &TenantId, trace_id: TraceId) -> Result<bool, PinError> {
        let indices = self.indices(tenant);
        let found = self.read_trace(&indices, trace_id).await;
        let spans = found
            .map_err(|error| PinError::Failed {
                reason: error.to_string(),
            })?
            .spans;
        if spans.is_empty() {
            return Ok(false);
        }
        let unavailable = |why: String| PinError::Unavailable { reason: why };
        let prepared = self.prepared(&indices).await;
        prepared.map_err(|fault| unavailable(fault.reason()))?;
        let (archive, layout) = (indices.archive(), self.options.layout.clone());
        let needs_alias = indices.is_rolled();
        let bytes_max = self.bulk_bytes_max.load(Ordering::Relaxed);
        let planned = self.pool.run(move || {
            let mut text = String::new();
            let mut plan = Plan {
                needs_alias,
                bytes_max,
                ..Plan::default()
            };
            for span in spans.iter() {
                text.clear();
                write_span(&mut text, span, &layout);
                plan.add(&archive, &span_document_id(span, &text), &text);
            }
            plan
        });
        let planned = planned
            .await
            .map_err(|error| unavailable(error.to_string()))?;
        let until = Instant::now() + self.options.timeout;
        for bulk in planned.bulks {
            let sent = self.send(bulk, &indices.set_aside(), until).await;
            sent.map_err(|error| unavailable(error.to_string()))?;
        }
        Ok(true)
    }

    /// Sends documents until each is confirmed or set aside.
    pub(super) async fn send(
        &self,
        bulk: Bulk,
        aside: &str,
        until: Instant,
    ) -> Result<(), WriteError> {
        let (mut waiting, mut pause) = (vec![bulk], PAUSE_MIN);
        while let Some(bulk) = waiting.last_mut() {
            let fault = match self.send_once(bulk, aside).await {
                Ok(None) => {
                    waiting.pop();
                    continue;
                }
                Ok(Some(why)) => WriteError::Busy { reason: why },
                Err(fault) if fault.is_passing() => fault.unwritten(),
                Err(fault) => {
                    let half = if fault.is_of_length() {
                        self.halved(bulk)
                    } else {
                        None
                    };
                    waiting.push(half.ok_or_else(|| fault.unwritten())?);
                    continue;
                }
            };
            if Instant::now() + pause >= until {
                return Err(fault);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Ok(())
    }

    /// The second half of a bulk that is too long; bulks after it are shorter from the start.
    fn halved(&self, bulk: &mut Bulk) -> Option<Bulk> {
        let bytes = bulk.lines.len();
        let half = bulk.split()?;
        let shorter = (bytes / 2).max(BULK_BYTES_MIN);
        let before = self.bulk_bytes_max.fetch_min(shorter, Ordering::Relaxed);
        if shorter < before {
            tracing::warn!(
                bytes,
                bytes_max = shorter,
                "Elasticsearch, or a proxy before it, takes no request of that length: requests are shorter from now on"
            );
        }
        Some(half)
    }

    /// One request; leaves in the bulk what must be sent again, and tells why.
    async fn send_once(&self, bulk: &mut Bulk, aside: &str) -> Result<Option<String>, Fault> {
        let lines = Bytes::from(bulk.lines.clone());
        let answer = self.client.ask(&Method::POST, BULK, Body::Lines(lines));
        let answer = answer.await?;
        let answer: Bulked = serde_json::from_slice(&answer)
            .map_err(|error| Fault::Unreadable(error.to_string()))?;
        if answer.items.len() != bulk.documents.len() {
            let (told, sent) = (answer.items.len(), bulk.documents.len());
            let why = format!("it tells what became of {told} documents, and {sent} were sent");
            return Err(Fault::Unreadable(why));
        }
        if !answer.errors || planted("elastic-item-errors-ignored") {
            return Ok(None);
        }
        let left = left_of(bulk, &answer.items)?;
        self.set_aside(aside, left.poison).await?;
        *bulk = left.again;
        let again = u64::try_from(bulk.documents.len()).unwrap_or(u64::MAX);
        self.metrics.sent_again.inc_by(again);
        Ok((!bulk.documents.is_empty()).then_some(left.why))
    }

    /// Keeps what a server will never take where somebody can look at it.
    async fn set_aside(
        &self,
        aside: &str,
        poison: Vec<(String, String, String)>,
    ) -> Result<(), Fault> {
        let mut bulk = Bulk::default();
        for (lines, kind, reason) in poison {
            let (action, document) = lines.split_once('\n').unwrap_or_default();
            let action: Value = serde_json::from_str(action).unwrap_or_default();
            let text = |at: &str| {
                action
                    .pointer(at)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let (of_index, id) = (text("/index/_index"), text("/index/_id"));
            if let Some(untold) = self.complaints.due() {
                tracing::warn!(
                    index = of_index,
                    id,
                    kind,
                    reason,
                    untold,
                    "Elasticsearch does not take a document: it is set aside"
                );
            }
            let document = json!({
                "index": of_index, "kind": kind, "reason": reason, "document": document.trim_end(),
            });
            bulk.add(aside, id, &document.to_string());
            if bulk.lines.len() >= ASIDE_BYTES {
                self.put_aside(std::mem::take(&mut bulk)).await?;
            }
        }
        if bulk.documents.is_empty() {
            return Ok(());
        }
        self.put_aside(bulk).await
    }

    async fn put_aside(&self, bulk: Bulk) -> Result<(), Fault> {
        let count = u64::try_from(bulk.documents.len()).unwrap_or(u64::MAX);
        let lines = Bytes::from(bulk.lines);
        let answer: Bulked = self
            .client
            .ask_json(&Method::POST, BULK, Body::Lines(lines))
            .await?;
        let items = answer.items.iter().flat_map(HashMap::values);
        if let Some(item) = items.into_iter().find(|item| !item.is_taken()) {
            return Err(item.refused());
        }
        self.metrics.set_aside.inc_by(count);
        Ok(())
    }
}

impl Item {
    fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the server says against it.
    fn refused(&self) -> Fault {
        let (kind, reason) = self.error.as_ref().map(error_of).unwrap_or_default();
        Fault::Refused {
            status: self.status,
            kind,
            reason,
        }
    }
}

/// Sorts what was not taken into what may be later and what never will be.
fn left_of(bulk: &Bulk, items: &[HashMap<String, Item>]) -> Result<Left, Fault> {
    let mut left = Left::default();
    for (item, range) in items.iter().zip(&bulk.documents) {
        let Some(item) = item.values().next() else {
            return Err(Fault::Unreadable(
                "it tells nothing of a document".to_owned(),
            ));
        };
        if item.is_taken() {
            continue;
        }
        let lines = bulk.lines.get(range.clone()).unwrap_or_default();
        match item.refused() {
            Fault::Refused {
                status: 400,
                kind,
                reason,
            } if POISON.contains(&kind.as_str()) => {
                left.poison.push((lines.to_owned(), kind, reason));
            }
            passing if passing.is_passing() => {
                left.again.add_lines(lines);
                left.why = passing.reason();
            }
            // A block, a limit of the cluster, a right that is missing: whoever runs it must change something.
            lasting => return Err(lasting),
        }
    }
    Ok(left)
}

fn not_here(what: &str) -> PinError {
    PinError::Unavailable {
        reason: format!("Elasticsearch can't {what}"),
    }
}

impl Pins for ElasticWriter {
    fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Answer<'static, Result<bool, PinError>> {
        let (elastic, tenant) = (Arc::clone(&self.0), tenant.clone());
        Box::pin(async move { elastic.archive(&tenant, trace_id).await })
    }

    fn unpin(&self, _: &TenantId, _: TraceId) -> Answer<'static, Result<bool, PinError>> {
        Box::pin(std::future::ready(Err(not_here(
            "take a trace out of its archive",
        ))))
    }

    fn pins(&self, _: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        Box::pin(std::future::ready(Err(not_here("list its archive"))))
    }
}
