//! Traces from the messages of a server: those of one trace follow one another.
//!
//! Promises: a span that is the same in every part as one before is given once; a trace that would take more than
//! [`super::RemoteOptions::answer_bytes_max`] is refused; what can't be read of an answer is said.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use codec::generated::jaeger::storage::{v1, v2};
use codec::jaeger::decode_spans;
use codec::otlp::decode_proto;
use futures_util::{Stream, StreamExt as _};
use model::contract::{ReadError, Skipped, TraceAnswer};
use model::{BatchBuilder, SpanBatch, TenantId, TraceId};
use tonic::{Code, Status};

use super::client::unread;
use super::{Remote, Version};
use crate::busy;
use crate::facts::each_once;

/// What was made of the traces of an answer.
#[derive(Debug)]
pub(super) struct Visited<T> {
    pub(super) made: Vec<T>,
    /// How many traces there were.
    pub(super) traces: usize,
    pub(super) skipped: Vec<Skipped>,
}

/// What is made of a trace, if anything.
pub(super) type Visit<T> = Arc<dyn Fn(TraceId, SpanBatch) -> Option<T> + Send + Sync>;

/// An answer as far as it was read.
struct Reading<T> {
    is_otlp: bool,
    bytes_max: usize,
    current: Option<(TraceId, BatchBuilder)>,
    done: HashSet<TraceId>,
    visit: Visit<T>,
    visited: Visited<T>,
}

impl<T> Reading<T> {
    fn push(&mut self, message: &[u8]) -> Result<(), ReadError> {
        let decoded = if self.is_otlp {
            decode_proto(message)
        } else {
            decode_spans(message)
        };
        let decoded =
            decoded.map_err(|error| failed(&format!("its answer can't be read: {error}")))?;
        if decoded.rejected_spans > 0 {
            let why = decoded.rejection.as_deref().unwrap_or("they are broken");
            self.skip(
                format!("{} spans of the remote store", decoded.rejected_spans),
                why,
            );
        }
        let batch = decoded.batch;
        let mut from = 0;
        while let Some(first) = batch.span(from) {
            let id = first.trace_id();
            let rest = batch.spans().trace_id.iter().skip(from);
            let end = from + rest.take_while(|other| **other == id).count();
            self.append(id, &batch, from..end)?;
            from = end;
        }
        Ok(())
    }

    fn append(
        &mut self,
        id: TraceId,
        batch: &SpanBatch,
        rows: std::ops::Range<usize>,
    ) -> Result<(), ReadError> {
        if self
            .current
            .as_ref()
            .is_none_or(|(current, _)| *current != id)
        {
            self.finish_trace();
            if !self.done.insert(id) {
                let reason = format!("it gives the trace {id} in two places of an answer");
                return Err(failed(&reason));
            }
        }
        let (_, builder) = self
            .current
            .get_or_insert_with(|| (id, BatchBuilder::new()));
        builder.append_rows(batch, rows);
        if builder.size_bytes() > self.bytes_max {
            let reason = format!(
                "the trace {id} takes more than {} bytes, the most that an answer may; query.answer_bytes_max allows \
                 more",
                self.bytes_max
            );
            return Err(ReadError::OverLimit { reason });
        }
        Ok(())
    }

    fn finish_trace(&mut self) {
        let Some((id, builder)) = self.current.take() else {
            return;
        };
        self.visited.traces += 1;
        let spans = each_once(builder.finish());
        self.visited.made.extend((self.visit)(id, spans));
    }

    fn skip(&mut self, what: String, why: &str) {
        let why = why.to_owned();
        self.visited.skipped.push(Skipped { what, why });
    }
}

fn failed(reason: &str) -> ReadError {
    let reason = format!("the remote store: {reason}");
    ReadError::Failed { reason }
}

impl Remote {
    /// Makes something of each trace of an answer, away from the sockets.
    pub(super) async fn visit<T: Send + 'static>(
        &self,
        mut messages: impl Stream<Item = Result<Bytes, Status>> + Unpin,
        is_otlp: bool,
        visit: Visit<T>,
    ) -> Result<Visited<T>, ReadError> {
        let mut reading = Reading {
            is_otlp,
            bytes_max: self.options.answer_bytes_max,
            current: None,
            done: HashSet::new(),
            visit,
            visited: Visited {
                made: Vec::new(),
                traces: 0,
                skipped: Vec::new(),
            },
        };
        while let Some(message) = messages.next().await {
            let message = message.map_err(unread)?;
            let read = self.pool.run(move || {
                let pushed = reading.push(&message);
                pushed.map(|()| reading)
            });
            reading = read.await.map_err(busy)??;
        }
        let finished = self.pool.run(move || {
            reading.finish_trace();
            reading.visited
        });
        finished.await.map_err(busy)
    }

    /// All spans of a trace; none when there is no such trace.
    pub(super) async fn read_trace(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Result<TraceAnswer, ReadError> {
        let id = trace_id.0.to_vec();
        let is_it: Visit<SpanBatch> =
            Arc::new(move |found, spans| (found == trace_id).then_some(spans));
        let visited = match self.version().await.map_err(unread)? {
            Version::V2(_) => {
                let asked = v2::GetTracesRequest {
                    query: vec![v2::GetTraceParams {
                        trace_id: id,
                        ..v2::GetTraceParams::default()
                    }],
                };
                let path = "/jaeger.storage.v2.TraceReader/GetTraces";
                let messages = self
                    .client
                    .many(tenant, path, &asked)
                    .await
                    .map_err(unread)?;
                self.visit(messages.filter(known_trace), true, is_it)
                    .await?
            }
            Version::V1 { .. } => {
                let asked = v1::GetTraceRequest {
                    trace_id: id,
                    ..v1::GetTraceRequest::default()
                };
                let path = "/jaeger.storage.v1.SpanReaderPlugin/GetTrace";
                let messages = match self.client.many(tenant, path, &asked).await {
                    Ok(messages) => messages,
                    Err(status) if is_unknown_trace(&status) => return Ok(TraceAnswer::default()),
                    Err(status) => return Err(unread(status)),
                };
                self.visit(messages.filter(known_trace), false, is_it)
                    .await?
            }
        };
        Ok(TraceAnswer {
            spans: visited.made.into_iter().next().unwrap_or_default(),
            skipped: visited.skipped,
        })
    }
}

/// That there is no such trace is an empty answer.
fn known_trace(message: &Result<Bytes, Status>) -> std::future::Ready<bool> {
    std::future::ready(!matches!(message, Err(status) if is_unknown_trace(status)))
}

/// Some servers of version 1 say so in words alone.
fn is_unknown_trace(status: &Status) -> bool {
    status.code() == Code::NotFound
        || status.code() == Code::Unknown && status.message().contains("trace not found")
}
