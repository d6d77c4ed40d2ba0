//! How many segments wait to be merged, and what is done when they become too many.
//!
//! Every question pays for each of them. Merging gives way to everything else, so at full speed it falls behind; from
//! [`crate::StoreOptions::unmerged_segments_max`] on, heads are frozen when they are old, not when they are full. Then
//! they fill their part of the memory, acknowledgements wait, and merging has the processor.
//!
//! Refuses nothing by itself, and waits for nothing that may never come: where segments can't be merged, heads are
//! frozen as ever, and age freezes each head in the end, which lets the log go on and so what may be merged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::slice::is_mergeable;
use crate::engine::{Engine, lock};

/// What is known of merging by those who don't merge.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// The last attempt failed.
    pub fails: AtomicBool,
    /// Segments that wait and are left alone, since they can't be read.
    pub left_alone: AtomicUsize,
    /// Segments are being merged.
    pub is_merging: AtomicBool,
    is_too_long: AtomicBool,
}

impl Engine {
    /// Counts what waits to be merged. True: it is too much.
    pub(crate) fn look_at_backlog(&self) -> bool {
        let options = &self.options;
        // As long as nobody hurries, it can't be too much.
        let most = options
            .unmerged_segments_max
            .max(options.finalise_segments_max.saturating_add(1));
        let can_merge = !self.has_unread && !self.backlog.fails.load(Ordering::Acquire);
        let is_too_long = can_merge && {
            let tenants: Vec<_> = {
                let state = lock(&self.state);
                let tenants = state.tenants.values();
                tenants.map(|tenant| Arc::clone(&tenant.segments)).collect()
            };
            let waiting = tenants
                .iter()
                .map(|of| of.iter().filter(|placed| is_mergeable(placed)).count());
            let left_alone = self.backlog.left_alone.load(Ordering::Acquire);
            waiting.max().unwrap_or_default() > most.saturating_add(left_alone)
        };
        let is_too_long = is_too_long && !plumbing::planted("store-backlog-unbounded");
        self.backlog
            .is_too_long
            .store(is_too_long, Ordering::Release);
        is_too_long
    }

    /// Tells whether too much waited to be merged when it was last looked at.
    pub(crate) fn is_behind(&self) -> bool {
        self.backlog.is_too_long.load(Ordering::Acquire)
    }
}
