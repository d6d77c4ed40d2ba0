//! Pins: the traces that retention leaves, however old they are and however little room there is.
//!
//! A pin is an edit of the list of segments. When retention removes a segment, the spans that pinned traces have there
//! are moved out in the same commit (`finalise/pinned.rs`), also those that came after the pin.
//!
//! Promises
//! - A pin that was acknowledged is durable, and so is its end; one that failed is there wholly or not at all.
//! - What a pinned trace had when it was pinned, and what it gets later, stays until it is unpinned.
//!
//! Refuses: a trace of which nothing is there, and more than [`PINS_MAX`] pins of a tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::contract::{self, Answer, PinError, PinnedTrace};
use model::{TenantId, TraceId};
use plumbing::PoolError;

use crate::driver::Store;
use crate::engine::{Engine, Placed, lock};
use crate::error::Error;
use crate::index::TraceEntry;
use crate::manifest::{Edit, Pins};
use crate::segment::{Level, SegmentError};

/// Pinned traces of a tenant: each may cost a look-up in every segment that retention looks at.
pub(crate) const PINS_MAX: usize = 1_000;

impl Engine {
    /// Lets retention leave a trace. False: nothing of it is there, and it is not pinned.
    pub(crate) fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Result<bool, Error> {
        // Until the pin is in the list nothing may leave: what is found must still be there then. A move that failed
        // must not come back either, since it would leave behind what was not pinned when it began.
        let mut layout = lock(&self.layout);
        self.settle(&mut layout)?;
        let pins = self.pins_now();
        let of_tenant = pins.get(tenant.as_str());
        // Not even a pin that is known is acknowledged unseen: its end, if that failed, must not come back, and a start
        // may have read it where it is not durable.
        if of_tenant.is_some_and(|pins| pins.contains_key(&trace_id)) {
            lock(&self.manifest).confirm()?;
            return Ok(true);
        }
        if !self.has_trace(tenant, trace_id)? {
            return Ok(false);
        }
        if of_tenant.map_or(0, BTreeMap::len) >= PINS_MAX {
            return Err(Error::PinsFull {
                tenant: tenant.as_str().to_owned(),
                max: PINS_MAX,
            });
        }
        self.require_format()?;
        let pin = Edit::Pin {
            tenant: tenant.as_str().to_owned(),
            trace_id,
            at: self.clock.unix_nanos(),
        };
        let committed = lock(&self.manifest).commit(&[pin]);
        if plumbing::planted("store-pin-acknowledged-early") {
            return Ok(true);
        }
        committed.map(|()| true)
    }

    /// Lets retention treat a trace as any other again. False: it was not pinned.
    pub(crate) fn unpin(&self, tenant: &TenantId, trace_id: TraceId) -> Result<bool, Error> {
        let _layout = lock(&self.layout);
        let mut manifest = lock(&self.manifest);
        let pins = manifest.contents().pins.get(tenant.as_str());
        if !pins.is_some_and(|pins| pins.contains_key(&trace_id)) {
            // A pin that failed must not come back, nor one whose end a start has read where it is not durable.
            manifest.confirm()?;
            return Ok(false);
        }
        let unpin = Edit::Unpin {
            tenant: tenant.as_str().to_owned(),
            trace_id,
        };
        manifest.commit(&[unpin])?;
        Ok(true)
    }

    /// The pinned traces of a tenant, each with the time when it was pinned.
    pub(crate) fn pins(&self, tenant: &TenantId) -> Vec<PinnedTrace> {
        let pins = self.pins_now();
        let of_tenant = pins.get(tenant.as_str()).into_iter().flatten();
        let of_tenant = of_tenant.map(|(trace_id, at)| PinnedTrace {
            trace_id: *trace_id,
            since_unix_nanos: *at,
        });
        of_tenant.collect()
    }

    pub(crate) fn pins_now(&self) -> Arc<Pins> {
        Arc::clone(&lock(&self.manifest).contents().pins)
    }

    /// Tells whether some span of a trace is there.
    fn has_trace(&self, tenant: &TenantId, trace_id: TraceId) -> Result<bool, Error> {
        let view = self.view(tenant);
        let mut chunks = view.chunks.iter();
        if chunks.any(|chunk| chunk.trace(trace_id).is_some()) {
            return Ok(true);
        }
        let mut unread = None;
        for placed in view.segments.iter().rev() {
            match placed.segment.find_trace(trace_id) {
                Ok(Some(_)) => return Ok(true),
                Ok(None) => {}
                Err(error) => unread = Some(error),
            }
        }
        unread.map_or(Ok(false), |error| Err(error.into()))
    }
}

impl contract::Pins for Store {
    fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Answer<'static, Result<bool, PinError>> {
        let tenant = tenant.clone();
        answer(self.work(move |engine| engine.pin(&tenant, trace_id)))
    }

    fn unpin(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'static, Result<bool, PinError>> {
        let tenant = tenant.clone();
        answer(self.work(move |engine| engine.unpin(&tenant, trace_id)))
    }

    fn pins(&self, tenant: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        let tenant = tenant.clone();
        answer(self.work(move |engine| Ok(engine.pins(&tenant))))
    }
}

fn answer<T>(
    work: impl Future<Output = Result<Result<T, Error>, PoolError>> + Send + 'static,
) -> Answer<'static, Result<T, PinError>> {
    Box::pin(async move {
        match work.await {
            Ok(done) => done.map_err(|error| refusal_of(&error)),
            Err(PoolError::Full) => Err(PinError::Unavailable {
                reason: "too many questions wait".to_owned(),
            }),
            Err(PoolError::Gone) => Err(PinError::Failed {
                reason: "it could not be finished".to_owned(),
            }),
        }
    })
}

fn refusal_of(error: &Error) -> PinError {
    let reason = error.to_string();
    match error {
        Error::PinsFull { .. } => PinError::TooMany { reason },
        error if error.is_disk_full() => PinError::Unavailable { reason },
        _ => PinError::Failed { reason },
    }
}

/// What pinned traces have in a segment.
pub(crate) fn pinned_in(
    placed: &Placed,
    pins: &Pins,
) -> Result<Vec<(TraceId, TraceEntry)>, SegmentError> {
    let of_tenant = pins.get(placed.listed.meta.tenant.as_str());
    let mut found = Vec::new();
    if placed.listed.meta.id.level == Level::Dropped {
        return Ok(found);
    }
    for trace_id in of_tenant.into_iter().flat_map(BTreeMap::keys) {
        if let Some(entry) = placed.segment.find_trace(*trace_id)? {
            found.push((*trace_id, entry));
        }
    }
    Ok(found)
}

/// The pins that are in `now` and not in `before`.
pub(crate) fn pinned_since(before: &Arc<Pins>, now: &Arc<Pins>) -> Pins {
    if Arc::ptr_eq(before, now) {
        return Pins::new();
    }
    let mut since = now.as_ref().clone();
    for (tenant, pins) in &mut since {
        let known = before.get(tenant);
        pins.retain(|trace_id, _| !known.is_some_and(|known| known.contains_key(trace_id)));
    }
    since
}
