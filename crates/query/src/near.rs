//! Asking for one trace from near: its outline, however many spans it has, and some of its spans whole.

use model::contract::TraceAnswer;
use model::{OutlineAnswer, SpanId, TenantId, TraceId};

use crate::{Error, Query};

impl Query {
    /// The spans of a trace without their attributes; none when there is no such trace.
    pub async fn outline(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Result<OutlineAnswer, Error> {
        Ok(self.reader().outline(tenant, trace_id).await?)
    }

    /// The spans of a trace that have one of some ids.
    pub async fn spans_of(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
        ids: Vec<SpanId>,
    ) -> Result<TraceAnswer, Error> {
        let answer = self.reader().spans_of(tenant, trace_id, ids).await?;
        self.check_room(&answer.spans)?;
        Ok(answer)
    }
}
