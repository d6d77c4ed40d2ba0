//! How often services call one another, where a store can't count over its spans: read, counted by minute, or recorded.
//!
//! 1. Few spans are read and their calls counted, which is exact: those of traces that lie wholly in the window.
//! 2. Of more the counts by minute tell, where they cover the window, without reading a span.
//! 3. Where they do not, spans are read up to the most that may be.
//! 4. Beyond that the counts tell what they know, and what Jaeger's own job has recorded tells of the time before.
//!
//! Refuses the question where more spans lie in the window than may be read and nobody has counted them.

use std::future::Future;

use model::TenantId;
use model::contract::{DependencyAnswer, ReadError, Skipped, Window};

use crate::calls::{Calls, links};
use crate::sums::{self, Ledger};

/// How many spans are read for one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// So many are read in any case.
    pub spans_read: usize,
    /// So many at the most, where nothing else tells.
    pub spans_read_max: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        // Elasticsearch gives some 25,000 a second.
        Self {
            spans_read: 25_000,
            spans_read_max: 200_000,
        }
    }
}

/// Calls that were counted from spans.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) calls: Calls,
    pub(crate) skipped: Vec<Skipped>,
}

/// A store of which calls are asked.
pub(crate) trait CallSource: Ledger + Sized {
    /// Its limits.
    fn limits(&self) -> CallLimits;

    /// Reads the spans of a window and counts the calls in traces that lie wholly in it; none where there are more
    /// spans than that.
    fn counted(
        &self,
        tenant: &TenantId,
        window: Window,
        spans_max: usize,
    ) -> impl Future<Output = Result<Option<Counted>, ReadError>> + Send;

    /// The sums of what Jaeger's job has recorded in a window.
    fn recorded(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> impl Future<Output = Result<Calls, ReadError>> + Send;

    /// Says that more spans lie in the window than may be read.
    fn too_many(&self, spans_max: usize) -> ReadError;
}

/// Answers for a window.
pub(crate) async fn dependencies<S: CallSource>(
    store: &S,
    tenant: &TenantId,
    window: Window,
) -> Result<DependencyAnswer, ReadError> {
    let limits = store.limits();
    let few = store.counted(tenant, window, limits.spans_read).await?;
    if let Some(counted) = few {
        return from_spans(store, tenant, window, counted).await;
    }
    let summed = sums::calls(store, tenant, window).await?;
    let uncounted = summed.uncounted(window);
    if !summed.is_counted() || uncounted.is_some() {
        let many = store.counted(tenant, window, limits.spans_read_max).await?;
        if let Some(counted) = many {
            return from_spans(store, tenant, window, counted).await;
        }
    }
    let recorded = store.recorded(tenant, summed.before(window)).await?;
    if !summed.is_counted() && recorded.is_empty() {
        return Err(store.too_many(limits.spans_read_max));
    }
    let skipped = uncounted.filter(|_| recorded.is_empty());
    Ok(DependencyAnswer {
        links: links(summed.with(recorded)),
        skipped: skipped.into_iter().collect(),
    })
}

/// Where the spans are gone, or call nobody, what was recorded of them is told.
async fn from_spans<S: CallSource>(
    store: &S,
    tenant: &TenantId,
    window: Window,
    counted: Counted,
) -> Result<DependencyAnswer, ReadError> {
    let Counted { mut calls, skipped } = counted;
    if calls.is_empty() {
        calls = store.recorded(tenant, window).await?;
    }
    Ok(DependencyAnswer {
        links: links(calls),
        skipped,
    })
}
