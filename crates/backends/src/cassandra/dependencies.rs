//! Calls between services: counted from the spans of a window, or read from Jaeger's records.
//!
//! Promises: see `crate::dependencies`.

use model::batch::SpanRef;
use model::capability::Capability;
use model::contract::{ReadError, Window};
use model::{Predicate, SpanBatch, TenantId};
use scylla::value::CqlTimestamp;

use super::Cassandra;
use super::fault::Fault;
use super::reading::Reader;
use super::rows::Dependency;
use crate::busy;
use crate::calls::{Calls, Members};
use crate::dependencies::{CallLimits, CallSource, Counted};

const NANOS_PER_MILLI: u64 = 1_000_000;
const DAY_MILLIS: i64 = 86_400_000;

impl CallSource for Cassandra {
    fn limits(&self) -> CallLimits {
        self.options.call_limits
    }

    async fn counted(
        &self,
        tenant: &TenantId,
        window: Window,
        spans_max: usize,
    ) -> Result<Option<Counted>, ReadError> {
        if window.start > window.end {
            return Ok(Some(Counted::default()));
        }
        let mut reader = match Reader::new(self, tenant, &Predicate::All, window).await {
            // Of so many services not all spans are found.
            Err(ReadError::BadQuestion { .. } | ReadError::NotHere { .. }) => return Ok(None),
            reader => reader?,
        };
        let mut members = Members::default();
        loop {
            let add = move |members: &mut Members, spans: SpanBatch| {
                let is_inside =
                    |span: SpanRef<'_>| window.contains(span.start()) && span.end() <= window.end;
                if spans.iter().all(is_inside) {
                    members.add(&spans);
                }
            };
            members = reader.add_next(members, spans_max, add).await?;
            if reader.spans > spans_max {
                return Ok(None);
            }
            if reader.is_done {
                break;
            }
        }
        let calls = self.pool.run(move || members.calls());
        Ok(Some(Counted {
            calls: calls.await.map_err(busy)?,
            skipped: reader.skipped,
        }))
    }

    async fn recorded(&self, tenant: &TenantId, window: Window) -> Result<Calls, ReadError> {
        let statements = &self.statements(tenant).await?;
        let millis = |nanos: u64| i64::try_from(nanos / NANOS_PER_MILLI).unwrap_or(i64::MAX);
        let (first, last) = (millis(window.start), millis(window.end));
        let mut calls = Calls::new();
        // A day or two: as long as records are kept.
        let days = self
            .client
            .rows::<(CqlTimestamp,)>(&statements.recorded_days, ());
        let days = days.await.map_err(Fault::unread)?.into_iter();
        let is_inside =
            |day: &CqlTimestamp| day.0 <= last && day.0.saturating_add(DAY_MILLIS) > first;
        for day in days.map(|row| row.0).filter(is_inside) {
            let of = (day, CqlTimestamp(first), CqlTimestamp(last));
            let rows = self
                .client
                .rows::<(Option<Vec<Dependency>>,)>(&statements.recorded_calls, of);
            for call in rows
                .await
                .map_err(Fault::unread)?
                .into_iter()
                .filter_map(|row| row.0)
                .flatten()
            {
                let count = u64::try_from(call.call_count.unwrap_or_default()).unwrap_or(0);
                let key = (
                    call.parent.unwrap_or_default(),
                    call.child.unwrap_or_default(),
                );
                let known: &mut u64 = calls.entry(key).or_default();
                *known = known.saturating_add(count);
            }
        }
        Ok(calls)
    }

    fn too_many(&self, spans_max: usize) -> ReadError {
        let reason = format!(
            "Cassandra can't {}: more than {spans_max} spans lie in the window, and nobody has counted the calls; \
             narrow the window",
            Capability::Dependencies
        );
        ReadError::OverLimit { reason }
    }
}
