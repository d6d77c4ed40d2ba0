//! Asking for what only the web app shows: the outline of a trace, some of its spans whole, what was seen at all.

use model::contract::TraceAnswer;
use model::overview::{OverviewAnswer, OverviewRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
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

    /// Which operations and attribute keys there are, and since when.
    pub async fn seen(&self, tenant: &TenantId) -> Result<SeenAnswer, Error> {
        Ok(self.reader().seen(tenant).await?)
    }

    /// The values of an attribute key that begin with a text.
    pub async fn values(&self, request: ValuesRequest) -> Result<ValuesAnswer, Error> {
        Ok(self.reader().values(request).await?)
    }

    /// All that matches from afar.
    pub async fn overview(&self, request: OverviewRequest) -> Result<OverviewAnswer, Error> {
        Ok(self.reader().overview(request).await?)
    }
}
