//! Moves pinned traces out of segments that retention removes, into segments of their own.
//!
//! It is a merge in which the other traces are left behind: one commit, with the same promises. Who holds the finaliser
//! may do it.
//!
//! Bounds: [`INPUTS_MAX`] segments a commit. A tenant has fewer than [`SEGMENTS_MAX`] segments of pinned traces and
//! those of the last commit: when there are so many, the next one takes them in, and drops what was unpinned.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::{TenantId, TraceId};

use super::join::Joiner;
use super::slice::Slice;
use super::traces::{Fragment, Traces};
use super::{Failure, Finaliser};
use crate::engine::{Engine, Placed, lock};
use crate::error::Error;
use crate::manifest::{Edit, Pins};
use crate::pins::{pinned_in, pinned_since};
use crate::segment::Level;

/// Segments that are moved out of at once: so many files may be open.
const INPUTS_MAX: usize = 64;
/// Segments of pinned traces of a tenant before they are put together.
const SEGMENTS_MAX: usize = 16;

impl Engine {
    /// Moves the pinned traces out of segments of a tenant and removes these; gives how many.
    pub(crate) fn move_pinned(
        &self,
        tenant: &TenantId,
        leaving: &[Arc<Placed>],
        _finaliser: &Finaliser,
    ) -> Result<usize, Error> {
        let mut moved = 0;
        for inputs in leaving.chunks(INPUTS_MAX) {
            let mut inputs = inputs.to_vec();
            let kept = self.view(tenant).segments;
            let kept = kept.iter().filter(|placed| is_pinned(placed));
            let kept: Vec<Arc<Placed>> = kept.cloned().collect();
            if kept.len() >= SEGMENTS_MAX {
                inputs.extend(kept);
            }
            inputs.sort_by_key(|input| input.listed.meta.id);
            moved += self.move_out(tenant, inputs)?;
        }
        Ok(moved)
    }

    fn move_out(&self, tenant: &TenantId, mut inputs: Vec<Arc<Placed>>) -> Result<usize, Error> {
        while !inputs.is_empty() {
            match self.try_move_out(tenant, &inputs) {
                Ok(moved) => return Ok(moved),
                // What can't be read stays, so that nothing that is pinned is lost; the others need not wait for it.
                Err(Failure::Input(at, error)) => {
                    self.report_once(&inputs.remove(at), &error);
                }
                Err(Failure::Other(error)) => return Err(error),
                // Next time.
                Err(Failure::Changed | Failure::Cancelled) => return Ok(0),
            }
        }
        Ok(0)
    }

    fn try_move_out(&self, tenant: &TenantId, inputs: &[Arc<Placed>]) -> Result<usize, Failure> {
        self.require_format()?;
        self.settle(&mut lock(&self.layout))?;
        let before = self.pins_now();
        let mut fragments = Vec::new();
        for (input, placed) in inputs.iter().enumerate() {
            let found = pinned_in(placed, &before).map_err(|why| Failure::Input(input, why))?;
            fragments.extend(found.into_iter().map(|(trace_id, entry)| Fragment {
                input,
                trace_id,
                entry,
            }));
        }
        let mut pinned: Vec<TraceId> = fragments.iter().map(|part| part.trace_id).collect();
        pinned.sort_unstable();
        pinned.dedup();
        if pinned.is_empty() {
            // Unpinned meanwhile: an ordinary removal, next time.
            return Err(Failure::Changed);
        }
        let spans: u64 = fragments
            .iter()
            .map(|part| u64::from(part.entry.rows))
            .sum();
        let slice = Slice {
            tenant: tenant.clone(),
            inputs: inputs.to_vec(),
            others: Vec::new(),
            dropped: Arc::default(),
            // One for whole traces, one for pieces of long ones.
            number: self.next_move.fetch_add(2, Ordering::Relaxed),
            floor: lock(&self.manifest).contents().floor,
            going_on: None,
            waits_since_min: 0,
            pinned,
        };
        let traces = Traces::of_fragments(fragments, inputs, self.options.group_spans_max);
        let joiner = Joiner::for_few(&slice.inputs)?;
        let outputs = self.write_all(&slice, &traces, (joiner, None), &|| false)?;
        let may_go = || !self.holds_what_was_pinned_since(&slice.inputs, &before);
        self.commit_outputs(&slice, &outputs, &may_go)?;
        let removed = slice.spans().saturating_sub(spans);
        tracing::info!(
            segments = slice.inputs.len(),
            spans = removed,
            pinned_spans = spans,
            "retention removed segments and kept their pinned traces"
        );
        self.metrics
            .removed_segments
            .inc_by(slice.inputs.len() as u64);
        self.metrics.removed_spans.inc_by(removed);
        Ok(slice.inputs.len())
    }

    /// Tells whether some of these segments have a trace that was pinned since; what can't be read may.
    pub(crate) fn holds_what_was_pinned_since(
        &self,
        placed: &[Arc<Placed>],
        before: &Arc<Pins>,
    ) -> bool {
        let since = pinned_since(before, &self.pins_now());
        let holds = |placed: &Arc<Placed>| !matches!(pinned_in(placed, &since), Ok(found) if found.is_empty());
        since.values().any(|pins| !pins.is_empty()) && placed.iter().any(holds)
    }

    /// The pins of the traces that a slice moves, as far as they still are: for a start that has lost the list.
    pub(super) fn pins_of(&self, slice: &Slice) -> Vec<Edit> {
        if slice.pinned.is_empty() {
            return Vec::new();
        }
        let pins = self.pins_now();
        let of_tenant = pins.get(slice.tenant.as_str());
        let known = slice.pinned.iter().filter_map(|trace_id| {
            let at = of_tenant?.get(trace_id)?;
            Some(Edit::Pin {
                tenant: slice.tenant.as_str().to_owned(),
                trace_id: *trace_id,
                at: *at,
            })
        });
        known.collect()
    }
}

pub(crate) fn is_pinned(placed: &Placed) -> bool {
    placed.listed.meta.id.level == Level::Pinned
}
