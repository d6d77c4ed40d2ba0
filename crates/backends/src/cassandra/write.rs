//! Writing: the rows of each span, and an answer only when Cassandra has confirmed every one.
//!
//! Promises
//! - A batch is kept when as many replicas as [`super::CassandraOptions::consistency`] says have confirmed each row.
//! - Rows of one partition go together, up to [`GROUP_ROWS_MAX`]: Cassandra takes them as one.
//! - A row written again is the same row: what is sent again is there once. Only at the very same microsecond would
//!   Cassandra put both into the lists of a row, so a batch has each row once.
//! - What Cassandra does not confirm is sent again, with growing pauses, until [`super::CassandraOptions::timeout`] is
//!   over; then the sender is told to come again.
//! - Names and values that are too long for a key are cut in the indices, never in the span.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codec::jaeger_encode::kind_name;
use codec::jaeger_row::JaegerRow;
use futures_util::stream::{self, StreamExt as _};
use model::contract::{
    Answer, IncomingBatch, Kept, PinError, PinnedTrace, Pins, SpanWriter, WriteError,
};
use model::{SpanBatch, TenantId, TraceId};
use plumbing::planted;
use scylla::value::CqlTimestamp;
use tokio::time::Instant;

use super::Cassandra;
use super::client::{Client, Statements};
use super::fault::Fault;
use super::rows::{Written, number_of, written};
use crate::lately::Lately;

/// Groups of rows of one batch that are under way at once.
const GROUPS_AT_ONCE: usize = 128;
/// Rows that go together, and about their bytes.
const GROUP_ROWS_MAX: usize = 100;
const GROUP_BYTES_MAX: usize = 128 << 10;
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Partitions in which the spans of a service lie by their time.
const SERVICE_BUCKETS: u64 = 10;
/// A key of a row has at most 65,535 bytes, and several names stand in one.
const KEY_BYTES_MAX: usize = 16_000;
pub(super) const HOUR_MICROS: i64 = 3_600_000_000;
const MICROS_PER_MILLI: i64 = 1_000;

/// A handle that writes; the server is shared.
#[derive(Debug, Clone)]
pub struct CassandraWriter(pub Arc<Cassandra>);

impl SpanWriter for CassandraWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let cassandra = Arc::clone(&self.0);
        Box::pin(async move { cassandra.keep(&incoming.tenant, incoming.batch).await })
    }

    fn readiness(&self) -> Result<(), String> {
        self.0.trouble.readiness()
    }
}

/// The keyspace, a service, an operation of it and the name of its kind.
pub(super) type Name = (String, String, String, &'static str);

/// A partition of a table: rows of one are written together.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Partition {
    Span(TraceId),
    Service(String),
    Operation(String),
    ByService(String, i32),
    ByOperation(String, String),
    /// With the milliseconds of the hour.
    ByDuration(String, String, i64),
    ByTag(String, String, String),
    /// With the milliseconds of the hour.
    ByStart(String, String, i64),
}

/// The columns of a row that are not those of its partition.
#[derive(Debug)]
enum Row {
    Span(Box<Written>),
    Service,
    /// The kind and the name.
    Operation(&'static str, String),
    /// Start and trace.
    Found(i64, TraceId),
    /// Duration, start and trace.
    Lasting(i64, i64, TraceId),
    /// Start, trace and span.
    Tagged(i64, TraceId, i64),
}

/// Rows of one partition that go together.
#[derive(Debug)]
struct Group {
    partition: Arc<Partition>,
    rows: Vec<Row>,
    bytes: usize,
}

impl Group {
    async fn put(&self, client: &Client, statements: &Statements) -> Result<(), Fault> {
        let rows = self.rows.iter();
        match &*self.partition {
            Partition::Span(_) => {
                let of = rows.filter_map(|row| match row {
                    Row::Span(written) => Some(&**written),
                    _ => None,
                });
                client.put(&statements.put_span, of.collect()).await
            }
            Partition::Service(service) => {
                let of = rows.map(|_| (service,));
                client.put(&statements.put_service, of.collect()).await
            }
            Partition::Operation(service) => {
                let of = rows.filter_map(|row| match row {
                    Row::Operation(kind, name) => Some((service, kind, name)),
                    _ => None,
                });
                client.put(&statements.put_operation, of.collect()).await
            }
            Partition::ByService(service, bucket) => {
                let of = rows.filter_map(found);
                let of = of.map(|(start, id)| (service, bucket, start, id));
                client.put(&statements.put_by_service, of.collect()).await
            }
            Partition::ByOperation(service, name) => {
                let of = rows.filter_map(found);
                let of = of.map(|(start, id)| (service, name, start, id));
                client.put(&statements.put_by_operation, of.collect()).await
            }
            Partition::ByStart(service, name, hour) => {
                let of = rows.filter_map(found);
                let of = of.map(|(start, id)| (service, name, CqlTimestamp(*hour), start, id));
                client.put(&statements.put_by_start, of.collect()).await
            }
            Partition::ByDuration(service, name, hour) => {
                let of = rows.filter_map(|row| match row {
                    Row::Lasting(duration, start, id) => {
                        let hour = CqlTimestamp(*hour);
                        Some((service, name, hour, duration, start, id.0.as_slice()))
                    }
                    _ => None,
                });
                client.put(&statements.put_by_duration, of.collect()).await
            }
            Partition::ByTag(service, key, value) => {
                let of = rows.filter_map(|row| match row {
                    Row::Tagged(start, id, span) => {
                        Some((service, key, value, start, id.0.as_slice(), span))
                    }
                    _ => None,
                });
                client.put(&statements.put_by_tag, of.collect()).await
            }
        }
    }

    /// Each row by itself.
    fn split(self) -> impl Iterator<Item = Self> {
        let Self {
            partition, rows, ..
        } = self;
        rows.into_iter().map(move |row| Self {
            partition: Arc::clone(&partition),
            rows: vec![row],
            bytes: 0,
        })
    }
}

fn found(row: &Row) -> Option<(&i64, &[u8])> {
    match row {
        Row::Found(start, id) => Some((start, id.0.as_slice())),
        _ => None,
    }
}

/// The rows of a batch, those of one partition together.
#[derive(Debug, Default)]
struct Groups {
    full: Vec<Group>,
    open: HashMap<Arc<Partition>, Group>,
}

impl Groups {
    fn add(&mut self, partition: Partition, row: Row, bytes: usize) {
        if let Some(group) = self.open.get_mut(&partition) {
            group.rows.push(row);
            group.bytes += bytes;
            if group.rows.len() >= GROUP_ROWS_MAX || group.bytes >= GROUP_BYTES_MAX {
                self.full.extend(self.open.remove(&partition));
            }
            return;
        }
        let partition = Arc::new(partition);
        let group = Group {
            partition: Arc::clone(&partition),
            rows: vec![row],
            bytes,
        };
        self.open.insert(partition, group);
    }

    fn finish(mut self) -> Vec<Group> {
        self.full.extend(self.open.into_values());
        self.full
    }
}

/// A name as it stands in a key.
pub(super) fn in_key(name: &str) -> String {
    let mut end = KEY_BYTES_MAX.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default().to_owned()
}

/// The hour in which a moment lies.
pub(super) fn hour_of(micros: i64) -> CqlTimestamp {
    CqlTimestamp(micros.div_euclid(HOUR_MICROS) * (HOUR_MICROS / MICROS_PER_MILLI))
}

/// The hour to which a moment is rounded, as the index of durations counts.
pub(super) fn nearest_hour_of(micros: i64) -> CqlTimestamp {
    hour_of(micros.saturating_add(HOUR_MICROS / 2))
}

/// The rows of a batch, and the names among them that are new.
fn rows_of(batch: &SpanBatch, keyspace: &str, known: &Lately<Name>) -> (Vec<Group>, Vec<Name>) {
    let (mut groups, mut names) = (Groups::default(), Vec::new());
    let mut had: HashSet<(&str, &str, i32)> = HashSet::new();
    let mut had_spans = HashSet::new();
    for (at, span) in batch.iter().enumerate() {
        let key = (span.service(), span.name(), span.kind());
        if had.insert(key) {
            let kind = kind_name(span.kind()).unwrap_or_default();
            let (service, name) = (in_key(span.service()), in_key(span.name()));
            let listed = (keyspace.to_owned(), service.clone(), name.clone(), kind);
            if !known.has(&listed) {
                // An empty text is no key of a row.
                if !service.is_empty() {
                    groups.add(Partition::Service(service.clone()), Row::Service, 0);
                    groups.add(Partition::Operation(service), Row::Operation(kind, name), 0);
                }
                names.push(listed);
            }
        }
        // Written twice at one moment the lists of a row would have everything twice.
        let row = JaegerRow::of(batch, at);
        if let Some(row) = row.filter(|row| {
            let is_new = had_spans.insert((row.trace_id, row.span_id, row.hash));
            is_new || planted("cassandra-same-span-twice")
        }) {
            add_rows(&mut groups, row);
        }
    }
    (groups.finish(), names)
}

/// The rows of a span.
fn add_rows(groups: &mut Groups, row: JaegerRow) {
    let (service, name) = (in_key(&row.service), in_key(&row.name));
    let (id, start, duration) = (row.trace_id, row.start_micros, row.duration_micros);
    let bucket = i32::try_from(row.hash.cast_unsigned() % SERVICE_BUCKETS).unwrap_or_default();
    let (hour, nearest) = (hour_of(start).0, nearest_hour_of(start).0);
    let by_service = Partition::ByService(service.clone(), bucket);
    groups.add(by_service, Row::Found(start, id), 0);
    let by_operation = Partition::ByOperation(service.clone(), name.clone());
    groups.add(by_operation, Row::Found(start, id), 0);
    for operation in [String::new(), name] {
        let by_duration = Partition::ByDuration(service.clone(), operation.clone(), nearest);
        groups.add(by_duration, Row::Lasting(duration, start, id), 0);
        let by_start = Partition::ByStart(service.clone(), operation, hour);
        groups.add(by_start, Row::Found(start, id), 0);
    }
    let span = number_of(row.span_id);
    for (key, value) in row.indexed() {
        let by_tag = Partition::ByTag(service.clone(), key.to_owned(), value);
        groups.add(by_tag, Row::Tagged(start, id, span), 0);
    }
    let bytes = row.size_bytes();
    groups.add(
        Partition::Span(id),
        Row::Span(Box::new(written(row))),
        bytes,
    );
}

impl Cassandra {
    /// Keeps a batch; what fails halfway is sent again as a whole by whoever sent it, and is there once.
    pub(super) async fn keep(
        &self,
        tenant: &TenantId,
        batch: SpanBatch,
    ) -> Result<Kept, WriteError> {
        let keyspace = self.keyspace(tenant);
        let statements = self.client.statements(&keyspace).await;
        let statements = statements.map_err(|fault| unprepared(tenant, fault))?;
        let spans = self.write_into(&keyspace, &statements, batch).await?;
        self.metrics.spans_kept.inc_by(spans);
        Ok(Kept {
            spans,
            duplicate_spans: 0,
        })
    }

    async fn write_into(
        &self,
        keyspace: &str,
        statements: &Statements,
        batch: SpanBatch,
    ) -> Result<u64, WriteError> {
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let (keyspace, known) = (keyspace.to_owned(), Arc::clone(&self.known));
        let made = self.pool.run(move || rows_of(&batch, &keyspace, &known));
        let (groups, names) = made.await.map_err(|error| WriteError::Busy {
            reason: error.to_string(),
        })?;
        let sent = self.send(groups, statements).await;
        if !planted("cassandra-rows-unconfirmed") {
            sent?;
        }
        self.known.add(&names);
        Ok(spans)
    }

    /// Writes rows until each is confirmed.
    async fn send(
        &self,
        mut groups: Vec<Group>,
        statements: &Statements,
    ) -> Result<(), WriteError> {
        let until = Instant::now() + self.options.timeout;
        let mut pause = PAUSE_MIN;
        loop {
            let (left, fault) = self.send_once(groups, statements).await?;
            let Some(fault) = fault else {
                return Ok(());
            };
            if Instant::now() + pause >= until {
                return Err(fault.unwritten());
            }
            let rows: usize = left.iter().map(|group| group.rows.len()).sum();
            let again = &self.metrics.rows_sent_again;
            again.inc_by(u64::try_from(rows).unwrap_or(u64::MAX));
            groups = left;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Writes rows once; gives those that may be written a moment later, and why they were not.
    async fn send_once(
        &self,
        groups: Vec<Group>,
        statements: &Statements,
    ) -> Result<(Vec<Group>, Option<Fault>), WriteError> {
        // Once it is known to be away, the others need not find it out one after another.
        let is_away = &AtomicBool::new(false);
        let put = stream::iter(groups).map(|group| async move {
            if is_away.load(Ordering::Relaxed) {
                return (group, Err(Fault::Away("it was away".to_owned())));
            }
            let put = group.put(&self.client, statements).await;
            if put.as_ref().is_err_and(Fault::is_passing) {
                is_away.store(true, Ordering::Relaxed);
            }
            (group, put)
        });
        let mut put = put.buffer_unordered(GROUPS_AT_ONCE);
        let (mut left, mut passing, mut lasting) = (Vec::new(), None, None);
        while let Some((group, put)) = put.next().await {
            match put {
                Ok(()) => {}
                Err(fault) if fault.is_passing() => {
                    left.push(group);
                    passing.get_or_insert(fault);
                }
                // One of them may be at fault, and spoils the others.
                Err(fault) if group.rows.len() > 1 => {
                    left.extend(group.split());
                    passing.get_or_insert(fault);
                }
                // The others are written all the same.
                Err(fault) => lasting = Some(fault),
            }
        }
        match lasting {
            Some(fault) => Err(fault.unwritten()),
            None => Ok((left, passing)),
        }
    }

    /// Writes the spans of a trace into the keyspace that keeps them for good; false when there are none.
    async fn archive(&self, tenant: &TenantId, trace_id: TraceId) -> Result<bool, PinError> {
        let Some(archive) = self.archive_keyspace(tenant) else {
            return Err(not_here(
                "keep traces for good without backend.cassandra.archive_keyspace",
            ));
        };
        let found = self.read_trace(tenant, trace_id).await;
        let spans = found
            .map_err(|error| PinError::Failed {
                reason: error.to_string(),
            })?
            .spans;
        if spans.is_empty() {
            return Ok(false);
        }
        let statements = self.client.statements(&archive).await;
        let statements = statements.map_err(|fault| PinError::Unavailable {
            reason: fault.unwritten().to_string(),
        })?;
        let written = self.write_into(&archive, &statements, spans).await;
        written.map_err(|error| PinError::Unavailable {
            reason: error.to_string(),
        })?;
        Ok(true)
    }
}

/// Why there are no statements. Tables of a tenant that nobody has made any for are not waited for, or they would hold
/// up those of all others; those of the store itself are made at any moment.
fn unprepared(tenant: &TenantId, fault: Fault) -> WriteError {
    match fault {
        Fault::Missing(why) if *tenant != TenantId::default() => WriteError::Failed {
            reason: format!("Cassandra has no tables for tenant {tenant}: {why}"),
        },
        other => other.unwritten(),
    }
}

fn not_here(what: &str) -> PinError {
    PinError::Unavailable {
        reason: format!("Cassandra can't {what}"),
    }
}

impl Pins for CassandraWriter {
    fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Answer<'static, Result<bool, PinError>> {
        let (cassandra, tenant) = (Arc::clone(&self.0), tenant.clone());
        Box::pin(async move { cassandra.archive(&tenant, trace_id).await })
    }

    fn unpin(&self, _: &TenantId, _: TraceId) -> Answer<'static, Result<bool, PinError>> {
        Box::pin(std::future::ready(Err(not_here(
            "take a trace out of what it keeps for good",
        ))))
    }

    fn pins(&self, _: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        Box::pin(std::future::ready(Err(not_here(
            "list what it keeps for good",
        ))))
    }
}
