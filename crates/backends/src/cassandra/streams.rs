//! Rows of indices in the order of their starts, the newest first, from as many parts of them as a question needs.
//!
//! Promises
//! - Every row of a part that starts in the window comes, once or more often, and none later than one that starts
//!   before it.
//! - Rows are read as they are asked for, a page of each part at a time.

use std::cmp::Reverse;
use std::collections::VecDeque;

use futures_util::future::try_join_all;
use model::TraceId;
use model::contract::ReadError;
use scylla::response::PagingState;
use scylla::value::CqlTimestamp;

use super::client::{Client, Statements};
use super::fault::Fault;
use super::lower::Part;
use super::rows::trace_id;
use super::write::{HOUR_MICROS, hour_of, nearest_hour_of};

/// Rows that are read at once where the driver can't page: more than can start at one moment.
const UNPAGED_ROWS: i32 = 200;
/// The most rows of long spans of one hour.
const HOUR_ROWS_MAX: usize = 200_000;
const MICROS_PER_MILLI: i64 = 1_000;

/// A row: when a span starts, in microseconds, and its trace.
pub(super) type Row = (i64, TraceId);

/// Where rows stand.
#[derive(Debug, Clone)]
enum Place {
    /// A trace that is known, and asked for once.
    Trace(TraceId),
    /// Jaeger's index of services.
    JaegersService,
    /// Jaeger's index of operations.
    JaegersOperation(String),
    /// The index of tags.
    Tag(String, String),
    /// Our index of a service and an operation, or of all of them, hour by hour.
    Start(String),
    /// The index of durations, hour by hour, from some duration on.
    Longer(i64),
}

/// The rows of one place.
#[derive(Debug)]
struct Stream {
    place: Place,
    service: String,
    /// The first moment that counts.
    first: i64,
    /// The last moment that counts; what is read hour by hour has been read behind it.
    last: i64,
    /// The hour that is being read.
    hour: Option<CqlTimestamp>,
    next: Option<PagingState>,
    rows: VecDeque<Row>,
    is_done: bool,
}

/// The moments that count, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    pub(super) first: i64,
    pub(super) last: i64,
}

/// The rows of several places together.
#[derive(Debug)]
pub(super) struct Streams(Vec<Stream>);

impl Streams {
    /// Rows of parts, for each of some services.
    pub(super) fn new<'a>(
        parts: impl IntoIterator<Item = &'a Part>,
        services: &[String],
        moments: Moments,
    ) -> Self {
        let stream = |place: Place, service: &str| Stream {
            place,
            service: service.to_owned(),
            first: moments.first,
            last: moments.last,
            hour: None,
            next: None,
            rows: VecDeque::new(),
            is_done: false,
        };
        let mut streams = Vec::new();
        for part in parts {
            if let Part::Trace(id) = part {
                streams.push(stream(Place::Trace(*id), ""));
                continue;
            }
            for service in services {
                let places = match part {
                    Part::Trace(_) => Vec::new(),
                    Part::Tag(key, value) => vec![Place::Tag(key.clone(), value.clone())],
                    Part::Longer(micros) => vec![Place::Longer(*micros)],
                    Part::Operation(name) => {
                        let start = Place::Start(name.clone());
                        vec![Place::JaegersOperation(name.clone()), start]
                    }
                    Part::All => vec![Place::JaegersService, Place::Start(String::new())],
                };
                streams.extend(places.into_iter().map(|place| stream(place, service)));
            }
        }
        Self(streams)
    }

    /// Reads on where nothing is left that was read before.
    pub(super) async fn fill(
        &mut self,
        client: &Client,
        statements: &Statements,
    ) -> Result<(), ReadError> {
        let empty = self.0.iter_mut().filter(|stream| stream.rows.is_empty());
        let filled = empty.map(|stream| stream.fill(client, statements));
        try_join_all(filled).await?;
        Ok(())
    }

    /// The next row, as far as it is known to be the next.
    pub(super) fn pop(&mut self) -> Option<Row> {
        let is_known = |stream: &Stream| stream.is_done || !stream.rows.is_empty();
        if !self.0.iter().all(is_known) {
            return None;
        }
        let newest = |stream: &&mut Stream| {
            stream
                .rows
                .front()
                .map(|(start, id)| (*start, Reverse(*id)))
        };
        self.0.iter_mut().max_by_key(newest)?.rows.pop_front()
    }

    /// Whether all rows were given.
    pub(super) fn is_exhausted(&self) -> bool {
        self.0
            .iter()
            .all(|stream| stream.is_done && stream.rows.is_empty())
    }

    /// How far the rows reach that were read so far, and how many they are: the further back, the fewer there are.
    pub(super) fn density(&self) -> (i64, usize) {
        let reached = self
            .0
            .iter()
            .filter(|stream| !stream.is_done)
            .map(|stream| stream.rows.back().map_or(i64::MAX, |row| row.0));
        let rows = self.0.iter().map(|stream| stream.rows.len());
        (reached.max().unwrap_or(i64::MIN), rows.sum())
    }
}

impl Stream {
    async fn fill(&mut self, client: &Client, statements: &Statements) -> Result<(), ReadError> {
        while self.rows.is_empty() && !self.is_done {
            match self.place.clone() {
                Place::Trace(id) => {
                    self.rows.push_back((self.last, id));
                    self.is_done = true;
                }
                Place::JaegersService => self.fill_of_service(client, statements).await?,
                Place::JaegersOperation(name) => {
                    let of = (&self.service, name, self.first, self.last);
                    let page = client.page(&statements.by_operation, of, self.next.take());
                    self.take(page.await.map_err(Fault::unread)?);
                    self.is_done = self.next.is_none();
                }
                Place::Tag(key, value) => {
                    let of = (&self.service, key, value, self.first, self.last);
                    let page = client.page(&statements.by_tag, of, self.next.take());
                    self.take(page.await.map_err(Fault::unread)?);
                    self.is_done = self.next.is_none();
                }
                Place::Start(name) => self.fill_of_hour(client, statements, name).await?,
                Place::Longer(micros) => self.fill_of_long(client, statements, micros).await?,
            }
        }
        Ok(())
    }

    fn take(&mut self, page: super::client::Page<(i64, Vec<u8>)>) {
        let rows = page.rows.into_iter();
        self.rows
            .extend(rows.map(|(start, id)| (start, trace_id(&id))));
        self.next = page.next;
    }

    /// The driver can't page through several partitions in the order of their rows: what starts when a page ends is
    /// read again with the next one.
    async fn fill_of_service(
        &mut self,
        client: &Client,
        statements: &Statements,
    ) -> Result<(), ReadError> {
        let of = (&self.service, self.first, self.last, UNPAGED_ROWS);
        let read = client.rows::<(i64, Vec<u8>)>(&statements.by_service, of);
        let rows = read.await.map_err(Fault::unread)?;
        self.is_done = i32::try_from(rows.len()).unwrap_or(i32::MAX) < UNPAGED_ROWS;
        if let Some((start, _)) = rows.last() {
            self.last = *start;
        }
        let rows = rows.into_iter();
        self.rows
            .extend(rows.map(|(start, id)| (start, trace_id(&id))));
        Ok(())
    }

    /// When the newest span of the service starts that is still to come.
    async fn newest(
        &self,
        client: &Client,
        statements: &Statements,
    ) -> Result<Option<i64>, ReadError> {
        if self.first > self.last {
            return Ok(None);
        }
        let of = (&self.service, self.first, self.last);
        let read = client.rows::<(i64,)>(&statements.newest_of_service, of);
        let newest = read.await.map_err(Fault::unread)?;
        Ok(newest.into_iter().map(|row| row.0).max())
    }

    async fn fill_of_hour(
        &mut self,
        client: &Client,
        statements: &Statements,
        name: String,
    ) -> Result<(), ReadError> {
        let hour = match self.hour {
            Some(hour) => hour,
            None => match self.newest(client, statements).await? {
                Some(newest) => hour_of(newest),
                None => {
                    self.is_done = true;
                    return Ok(());
                }
            },
        };
        let of = (&self.service, name, hour, self.first, self.last);
        let page = client.page(&statements.by_start, of, self.next.take());
        self.take(page.await.map_err(Fault::unread)?);
        self.hour = self.next.is_some().then_some(hour);
        if self.hour.is_none() {
            self.last = hour.0.saturating_mul(MICROS_PER_MILLI).saturating_sub(1);
        }
        Ok(())
    }

    /// All rows of an hour: they are in the order of their durations.
    async fn fill_of_long(
        &mut self,
        client: &Client,
        statements: &Statements,
        micros: i64,
    ) -> Result<(), ReadError> {
        let Some(newest) = self.newest(client, statements).await? else {
            self.is_done = true;
            return Ok(());
        };
        let hour = nearest_hour_of(newest);
        let mut rows = Vec::new();
        let mut next = None;
        loop {
            let of = (&self.service, "", hour, micros, i64::MAX);
            let page = client.page::<(i64, Vec<u8>)>(&statements.by_duration, of, next);
            let page = page.await.map_err(Fault::unread)?;
            let read = page.rows.into_iter();
            rows.extend(
                read.filter(|(start, _)| (self.first..=self.last).contains(start))
                    .map(|(start, id)| (start, trace_id(&id))),
            );
            next = page.next;
            if next.is_none() {
                break;
            }
            if rows.len() > HOUR_ROWS_MAX {
                let reason = format!(
                    "Cassandra has more than {HOUR_ROWS_MAX} spans of the service {:?} in one hour that take so long; \
                     ask for longer ones, or for an operation or a tag",
                    self.service
                );
                return Err(ReadError::OverLimit { reason });
            }
        }
        rows.sort_unstable_by_key(|(start, id)| (Reverse(*start), *id));
        self.rows.extend(rows);
        let begin = hour.0.saturating_mul(MICROS_PER_MILLI);
        self.last = begin.saturating_sub(HOUR_MICROS / 2).saturating_sub(1);
        Ok(())
    }
}
