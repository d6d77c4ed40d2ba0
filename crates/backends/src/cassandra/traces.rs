//! The spans of traces, page by page.
//!
//! Promises: all of them, each once; a trace that would take more than [`super::CassandraOptions::answer_bytes_max`] is
//! refused; a row that is no span is told.

use codec::jaeger::decode_rows;
use codec::jaeger_row::JaegerRow;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use model::contract::{ReadError, Skipped, TraceAnswer};
use model::{BatchBuilder, TenantId, TraceId};

use super::Cassandra;
use super::client::{Page, Statements};
use super::fault::Fault;
use super::rows::Read;
use crate::busy;
use crate::facts::each_once;
use crate::walk::{Known, Times};

/// Traces that are read at the same time.
const READ_AT_ONCE: usize = 8;
/// Traces of which the start is asked at the same time.
const STARTS_AT_ONCE: usize = 32;

/// A trace as far as it was read.
#[derive(Default)]
struct Reading {
    spans: BatchBuilder,
    skipped: Vec<Skipped>,
}

impl Reading {
    fn add(&mut self, rows: Vec<Read>) -> Result<(), ReadError> {
        let rows: Vec<JaegerRow> = rows.into_iter().map(JaegerRow::from).collect();
        let decoded = decode_rows(&rows).map_err(|error| ReadError::Failed {
            reason: format!("Cassandra: its rows can't be read: {error}"),
        })?;
        if decoded.rejected_spans > 0 {
            self.skipped.push(Skipped {
                what: format!("{} rows of Cassandra", decoded.rejected_spans),
                why: decoded
                    .rejection
                    .unwrap_or_else(|| "they are no spans".to_owned()),
            });
        }
        let batch = decoded.batch;
        self.spans.append_rows(&batch, 0..batch.len());
        Ok(())
    }
}

impl Cassandra {
    /// All spans of a trace; none when there is no such trace.
    pub(super) async fn read_trace(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Result<TraceAnswer, ReadError> {
        let statements = self.statements(tenant).await?;
        let found = self.read_by(&statements, trace_id).await?;
        let archive = self.archive_keyspace(tenant);
        match archive {
            Some(archive) if found.spans.is_empty() && found.skipped.is_empty() => {
                let statements = self.client.statements(&archive).await;
                let statements = statements.map_err(Fault::unread)?;
                self.read_by(&statements, trace_id).await
            }
            _ => Ok(found),
        }
    }

    /// The spans of several traces, in the order in which these are asked for; of what is kept for good nothing.
    pub(super) async fn read_traces(
        &self,
        statements: &Statements,
        ids: Vec<TraceId>,
    ) -> Result<Vec<(TraceId, TraceAnswer)>, ReadError> {
        let read = stream::iter(ids)
            .map(|id| async move { Ok((id, self.read_by(statements, id).await?)) });
        read.buffered(READ_AT_ONCE).try_collect().await
    }

    async fn read_by(
        &self,
        statements: &Statements,
        trace_id: TraceId,
    ) -> Result<TraceAnswer, ReadError> {
        let bytes_max = self.options.answer_bytes_max;
        let (mut reading, mut from) = (Reading::default(), None);
        loop {
            let of = (trace_id.0.as_slice(),);
            let page = self.client.page::<Read>(&statements.trace, of, from);
            let Page { rows, next } = page.await.map_err(Fault::unread)?;
            let added = self.pool.run(move || {
                reading.add(rows)?;
                Ok::<_, ReadError>(reading)
            });
            reading = added.await.map_err(busy)??;
            if reading.spans.size_bytes() > bytes_max {
                let reason = format!(
                    "the trace {trace_id} takes more than {bytes_max} bytes, the most that an answer may; \
                     query.answer_bytes_max allows more"
                );
                return Err(ReadError::OverLimit { reason });
            }
            if next.is_none() {
                break;
            }
            from = next;
        }
        let finished = self.pool.run(move || TraceAnswer {
            spans: each_once(reading.spans.finish()),
            skipped: reading.skipped,
        });
        finished.await.map_err(busy)
    }

    /// When traces start, in microseconds, and how many rows they have.
    pub(super) async fn starts_of(
        &self,
        statements: &Statements,
        ids: &[TraceId],
    ) -> Result<Known, ReadError> {
        let asked = stream::iter(ids.to_vec()).map(|id| async move {
            let of = (id.0.as_slice(),);
            let rows = self
                .client
                .rows::<(Option<i64>, i64)>(&statements.start_of_trace, of);
            let rows = rows.await.map_err(Fault::unread)?;
            let (start, spans) = rows.into_iter().next().unwrap_or_default();
            let times = Times {
                start: start.and_then(|start| u64::try_from(start).ok()),
                end: None,
                spans: usize::try_from(spans).unwrap_or(usize::MAX),
            };
            Ok::<_, ReadError>((id, times))
        });
        asked.buffer_unordered(STARTS_AT_ONCE).try_collect().await
    }
}
