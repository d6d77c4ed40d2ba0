//! Traces as messages: made one after another as the client takes them.
//!
//! Promises: beside the trace itself only messages of some megabytes are in memory, whatever its resources weigh; what
//! could not be read is said behind the trace.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use model::SpanBatch;
use model::contract::{Skipped, TraceAnswer};
use query::FoundHits;

use super::status::Status;
use super::{MESSAGE_BYTES_TYPICAL_MAX, Part, Parts};
use crate::jaeger::Jaeger;
use crate::jaeger::ask::{AskError, shown};

/// How a trace is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// What it looks like.
    pub(super) look: Look,
    /// Its messages.
    pub(super) write: Write,
    /// How an error becomes a status.
    pub(super) refuse: Refuse,
}

/// What a trace looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// With all edits.
    Edited,
    /// With those alone that Jaeger makes when spans come in.
    Raw,
    /// As it is stored.
    Stored,
}

impl Look {
    pub(super) fn of(is_raw: bool) -> Self {
        if is_raw { Self::Raw } else { Self::Edited }
    }
}

/// Writes the message that begins with a row; gives the row behind its last, which is a later one.
pub(super) type Write = fn(&SpanBatch, usize) -> (Bytes, usize);
pub(super) type Refuse = fn(AskError) -> Status;

/// A trace on its way out.
enum Writing {
    /// Not looked at yet.
    Read(Box<TraceAnswer>),
    /// Written up to a row.
    Rows {
        spans: Arc<SpanBatch>,
        next: usize,
        ready: VecDeque<Bytes>,
        skipped: Vec<Skipped>,
    },
    Done,
}

/// The messages of one trace.
pub(super) fn trace_parts(
    jaeger: Arc<Jaeger>,
    trace: Result<TraceAnswer, AskError>,
    manner: Manner,
) -> impl Stream<Item = Result<Part, Status>> + Send {
    let begun = trace.map(|trace| Writing::Read(Box::new(trace)));
    stream::unfold(Some(begun), move |state| {
        let jaeger = Arc::clone(&jaeger);
        async move {
            let step = match state? {
                Ok(writing) => step(&jaeger, writing, manner).await,
                Err(error) => Err(error),
            };
            match step {
                Ok(Some((part, writing))) => Some((Ok(part), Some(Ok(writing)))),
                Ok(None) => None,
                Err(error) => Some((Err((manner.refuse)(error)), None)),
            }
        }
    })
}

/// The next part of a trace.
async fn step(
    jaeger: &Jaeger,
    writing: Writing,
    manner: Manner,
) -> Result<Option<(Part, Writing)>, AskError> {
    let (spans, mut next, mut ready, skipped) = match writing {
        Writing::Done => return Ok(None),
        Writing::Read(answer) => {
            let TraceAnswer { spans, skipped } = *answer;
            let spans = Arc::new(dressed(jaeger, spans, manner.look).await?);
            (spans, 0, VecDeque::new(), skipped)
        }
        Writing::Rows {
            spans,
            next,
            ready,
            skipped,
        } => (spans, next, ready, skipped),
    };
    if ready.is_empty() && next < spans.len() {
        let (batch, from) = (Arc::clone(&spans), next);
        let written = jaeger.at_work(move || write_some(&batch, from, manner.write));
        (ready, next) = written.await?;
    }
    Ok(Some(match ready.pop_front() {
        Some(message) => {
            let rest = Writing::Rows {
                spans,
                next,
                ready,
                skipped,
            };
            (Part::Message(message), rest)
        }
        None => (Part::Lacks(skipped), Writing::Done),
    }))
}

/// The spans as they are shown. A trace may have been removed between the search and the reading of it.
async fn dressed(jaeger: &Jaeger, spans: SpanBatch, look: Look) -> Result<SpanBatch, AskError> {
    if spans.is_empty() || look == Look::Stored {
        return Ok(spans);
    }
    let edits = jaeger.edits(look == Look::Raw);
    let dress = move || {
        let trace = shown(&spans, edits);
        trace.to_batch(0..trace.spans.len())
    };
    jaeger.at_work(dress).await
}

/// Messages of some megabytes together: small ones are not worth a way to the pool each.
fn write_some(spans: &SpanBatch, from: usize, write: Write) -> (VecDeque<Bytes>, usize) {
    let (mut next, mut bytes, mut ready) = (from, 0, VecDeque::new());
    while next < spans.len() && bytes < MESSAGE_BYTES_TYPICAL_MAX {
        let (message, end) = write(spans, next);
        bytes += message.len();
        ready.push_back(message);
        next = end.max(next + 1);
    }
    (ready, next)
}

/// The messages of the traces that were found, one trace after another.
pub(super) fn write_traces(jaeger: Arc<Jaeger>, found: FoundHits, manner: Manner) -> Parts {
    let traces = jaeger.query.each(&jaeger.tenant, found.hits);
    let parts = traces.flat_map(move |trace| {
        trace_parts(Arc::clone(&jaeger), trace.map_err(AskError::from), manner).boxed()
    });
    stream::iter([Ok(Part::Lacks(found.skipped))])
        .chain(parts)
        .boxed()
}
