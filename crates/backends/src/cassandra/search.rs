//! Searches: the indices give the traces that may match by their newest span, and what is read of them is judged here.
//!
//! Promises: of several ways to find what matches the one is taken whose rows reach furthest back in time. A search of
//! no service asks the indices of all, as long as there are not more than [`SERVICES_MAX`].

use std::collections::HashSet;
use std::sync::Arc;

use model::TraceId;
use model::contract::{ReadError, SearchAnswer, SearchRequest, Skipped, TraceHit, Window};
use model::evaluate::Compiled;
use model::{Predicate, TenantId};

use super::Cassandra;
use super::client::Statements;
use super::lower;
use super::streams::{Moments, Streams};
use crate::busy;
use crate::walk::{self, Candidates, Known, Limits, Source};

/// Services whose indices are asked for one question.
const SERVICES_MAX: usize = 100;
/// Spans that are read at once.
const SPANS_AT_ONCE: usize = 10_000;
const NANOS_PER_MICRO: u64 = 1_000;

/// The traces that may match, the newest first.
pub(super) struct Newest<'a> {
    cassandra: &'a Cassandra,
    pub(super) statements: Arc<Statements>,
    streams: Streams,
    seen: HashSet<TraceId>,
    cursor: u64,
}

impl Newest<'_> {
    /// The next traces, each once.
    pub(super) async fn take(&mut self, size: usize) -> Result<Candidates, ReadError> {
        let mut ids = Vec::new();
        loop {
            self.streams
                .fill(&self.cassandra.client, &self.statements)
                .await?;
            while ids.len() < size
                && let Some((start, id)) = self.streams.pop()
            {
                self.cursor = u64::try_from(start).unwrap_or(0);
                if self.seen.insert(id) {
                    ids.push(id);
                }
            }
            let is_exhausted = self.streams.is_exhausted();
            if ids.len() >= size || is_exhausted {
                return Ok(Candidates {
                    ids,
                    cursor: self.cursor,
                    is_exhausted,
                });
            }
        }
    }
}

impl Cassandra {
    /// Begins to find what may match in a window.
    pub(super) async fn newest(
        &self,
        tenant: &TenantId,
        predicate: &Predicate,
        window: Window,
    ) -> Result<Newest<'_>, ReadError> {
        let statements = self.statements(tenant).await?;
        let micros = |nanos: u64| i64::try_from(nanos / NANOS_PER_MICRO).unwrap_or(i64::MAX);
        let moments = Moments {
            first: micros(window.start),
            last: micros(window.end),
        };
        let ways = lower::ways(predicate);
        let is_known =
            |way: &lower::Union| way.iter().all(|part| matches!(part, lower::Part::Trace(_)));
        // A trace that is named is found without any service.
        let services = match ways.iter().any(is_known) {
            true => Vec::new(),
            false => self.services_of(&statements, predicate).await?,
        };
        let has_services = !services.is_empty();
        let mut best: Option<((i64, usize), Streams)> = None;
        for way in ways.iter().filter(|way| is_known(way) || has_services) {
            let mut streams = Streams::new(way, &services, moments);
            streams.fill(&self.client, &statements).await?;
            let density = streams.density();
            if best.as_ref().is_none_or(|(known, _)| density < *known) {
                best = Some((density, streams));
            }
        }
        let nothing = || Streams::new([], &[], moments);
        Ok(Newest {
            cassandra: self,
            statements,
            streams: best.map_or_else(nothing, |(_, streams)| streams),
            seen: HashSet::new(),
            cursor: u64::MAX,
        })
    }

    /// The services whose spans may match.
    async fn services_of(
        &self,
        statements: &Statements,
        predicate: &Predicate,
    ) -> Result<Vec<String>, ReadError> {
        if let Some(services) = lower::services(predicate) {
            return Ok(services.into_iter().collect());
        }
        let mut services = self.list_services(statements).await?;
        if services.len() > SERVICES_MAX {
            let reason = format!(
                "Cassandra can't find spans of all services without reading every partition, and there are {} of them; \
                 name one",
                services.len()
            );
            return Err(ReadError::BadQuestion { reason });
        }
        // It has no name that a row could be found by, and is not listed.
        services.push(String::new());
        Ok(services)
    }

    pub(super) async fn find(&self, request: SearchRequest) -> Result<SearchAnswer, ReadError> {
        let judged = walk::compiled(&request.predicate)?;
        if request.limit == 0 || request.window.start > request.window.end {
            return Ok(SearchAnswer::default());
        }
        let newest = self
            .newest(&request.tenant, &request.predicate, request.window)
            .await?;
        let source = Judging {
            newest,
            judged: Arc::new(judged),
            window: request.window,
        };
        let limits = Limits {
            store: "Cassandra",
            key: "backend.cassandra.search_traces_max",
            traces_max: self.options.search_traces_max,
            spans_at_once: SPANS_AT_ONCE,
        };
        walk::search(source, &request, limits).await
    }
}

/// A search for traces.
struct Judging<'a> {
    newest: Newest<'a>,
    judged: Arc<Compiled>,
    window: Window,
}

impl Source for Judging<'_> {
    async fn next(&mut self, size: usize) -> Result<Candidates, ReadError> {
        self.newest.take(size).await
    }

    async fn times(&self, ids: &[TraceId]) -> Result<Known, ReadError> {
        let Newest {
            cassandra,
            statements,
            ..
        } = &self.newest;
        cassandra.starts_of(statements, ids).await
    }

    async fn judged(&self, ids: Vec<TraceId>) -> Result<(Vec<TraceHit>, Vec<Skipped>), ReadError> {
        let Newest {
            cassandra,
            statements,
            ..
        } = &self.newest;
        let traces = cassandra.read_traces(statements, ids).await?;
        let (judged, window) = (Arc::clone(&self.judged), self.window);
        let judged = cassandra
            .pool
            .run(move || walk::judge(traces, &judged, window));
        judged.await.map_err(busy)
    }
}
