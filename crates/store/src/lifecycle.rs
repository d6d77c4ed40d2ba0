//! Retention: segments that are too old, or for which there is no room, leave the store whole.
//!
//! Age counts from when a segment was written, not from the times in its spans, so that a sender with a wrong clock
//! loses nothing. A segment is taken off the manifest first; its files go when no reader has it any more, or at the
//! next start. What is pinned in it moves to another segment in the same commit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use journal::Space;
use model::TenantId;

use crate::engine::{Engine, Placed, View, lock, nanos};
use crate::error::Error;
use crate::finalise::{Finaliser, is_pinned};
use crate::manifest::{Edit, Pins, meta_path};
use crate::metrics::set_gauges;
use crate::names::Names;
use crate::open::add_names_of;
use crate::pins::pinned_in;
use crate::segment::{Level, SegmentError};

/// However much others have on the disk, segments may take this part of it, in percent: a disk that others fill is a
/// reason to refuse new spans, not to remove those that were accepted a moment ago.
const DISK_PERCENT_MIN: u64 = 5;

/// Segments that retention chose, each with why.
type Chosen = Vec<(Arc<Placed>, &'static str)>;

/// The most that segments, which take `bytes` now, may take of a disk: a part of it less what others have on it, but
/// not nothing.
fn bytes_max(space: Space, bytes: u64, percent_max: u8) -> u64 {
    let taken = space.total.saturating_sub(space.available);
    let others = taken.saturating_sub(bytes);
    let percent = space.total / 100;
    let left = (percent * u64::from(percent_max)).saturating_sub(others);
    if plumbing::planted("store-others-fill-the-disk") {
        return left;
    }
    left.max(percent * DISK_PERCENT_MIN)
}

impl Engine {
    /// Removes segments that are too old or too many; gives how many. Those that hold pinned traces may have to wait
    /// for a merge to end.
    pub(crate) fn expire(&self) -> Result<usize, Error> {
        // A merge that failed must not come back later with spans that are removed here.
        self.settle(&mut lock(&self.layout))?;
        let pins = self.pins_now();
        let (holding, chosen) = self.part(self.choose_expired(&pins)?, &pins);
        // First: moving needs room, of which there may be none.
        let removed = self.remove(chosen, &pins)?;
        if holding.is_empty() {
            return Ok(removed);
        }
        match self.finaliser.try_lock() {
            Ok(finaliser) => Ok(removed + self.expire_holding(&finaliser)?),
            Err(_) => {
                self.is_expiry_due.store(true, Ordering::Release);
                Ok(removed)
            }
        }
    }

    /// Removes segments that are due to leave and hold pinned traces, which are moved out; gives how many.
    pub(crate) fn expire_holding(&self, finaliser: &Finaliser) -> Result<usize, Error> {
        if self.has_unread {
            return Ok(0);
        }
        let pins = self.pins_now();
        let (holding, _) = self.part(self.choose_expired(&pins)?, &pins);
        let mut by_tenant: BTreeMap<TenantId, Vec<Arc<Placed>>> = BTreeMap::new();
        for placed in holding {
            let tenant = placed.listed.meta.tenant.clone();
            by_tenant.entry(tenant).or_default().push(placed);
        }
        let moved = by_tenant.iter().try_fold(0, |moved, (tenant, leaving)| {
            Ok(moved + self.move_pinned(tenant, leaving, finaliser)?)
        });
        self.renew_names(by_tenant.keys());
        moved
    }

    /// Parts segments that hold pinned traces from those that do not. What can't be read may hold some, and is in
    /// neither.
    fn part(&self, chosen: Chosen, pins: &Pins) -> (Vec<Arc<Placed>>, Chosen) {
        let (mut holding, mut others) = (Vec::new(), Vec::new());
        for (placed, why) in chosen {
            match pinned_in(&placed, pins) {
                Ok(found) if found.is_empty() || plumbing::planted("store-pin-forgotten") => {
                    others.push((placed, why));
                }
                Ok(_) => holding.push(placed),
                Err(error) => self.report_once(&placed, &error),
            }
        }
        (holding, others)
    }

    /// Says once that a segment stays since nobody can tell what is pinned in it.
    pub(crate) fn report_once(&self, placed: &Placed, error: &SegmentError) {
        if self.is_new_damage(placed) {
            let segment = placed.listed.meta.id;
            tracing::error!(%segment, %error, "a segment can't be read for pinned traces and stays");
        }
    }

    fn remove(&self, mut removals: Chosen, pins: &Arc<Pins>) -> Result<usize, Error> {
        if removals.is_empty() {
            return Ok(0);
        }
        let _layout = lock(&self.layout);
        // What was merged or pinned meanwhile is judged anew, next time.
        let may_go = |placed: &Arc<Placed>| {
            let meta = &placed.listed.meta;
            let is_there = {
                let manifest = lock(&self.manifest);
                manifest.contents().names(meta.tenant.as_str(), meta.id)
            };
            is_there && !self.holds_what_was_pinned_since(std::slice::from_ref(placed), pins)
        };
        removals.retain(|(placed, _)| may_go(placed));
        let edits: Vec<Edit> = removals
            .iter()
            .map(|(placed, why)| Edit::Remove {
                tenant: placed.listed.meta.tenant.as_str().to_owned(),
                id: placed.listed.meta.id,
                why: (*why).to_owned(),
            })
            .collect();
        lock(&self.manifest).commit(&edits)?;
        for (placed, why) in &removals {
            let meta = &placed.listed.meta;
            let bytes = meta.bytes();
            tracing::info!(segment = %meta.id, spans = meta.spans, bytes, why, "retention removed a segment");
            self.metrics.removed_segments.inc();
            if meta.id.level != Level::Dropped {
                self.metrics.removed_spans.inc_by(meta.spans);
            }
        }
        self.forget(&removals);
        for (placed, _) in &removals {
            self.remove_files(placed);
        }
        Ok(removals.len())
    }

    fn choose_expired(&self, pins: &Pins) -> Result<Chosen, Error> {
        let now = self.clock.unix_nanos();
        let age_max = nanos(self.options.retention_age);
        // Frames at or above the floor are replayed: a segment that has some would come back from the log.
        let (floor, moves) = {
            let manifest = lock(&self.manifest);
            (manifest.contents().floor, manifest.contents().moves)
        };
        let mut all: Vec<Arc<Placed>> = Vec::new();
        lock(&self.state)
            .tenants
            .values()
            .for_each(|tenant| all.extend(tenant.placed().cloned()));
        all.sort_by_key(|placed| (placed.listed.created_unix_nanos, placed.listed.meta.id));
        let bytes_of = |all: &[Arc<Placed>]| all.iter().map(|p| p.listed.meta.bytes()).sum::<u64>();
        let all_bytes = bytes_of(&all);
        let bytes_max = self.bytes_max(all_bytes)?;
        self.show_room(bytes_max);
        // Segments of pinned traces stay as long as one of these is pinned; one that can't be read may be.
        all.retain(|placed| {
            !is_pinned(placed) || pinned_in(placed, pins).is_ok_and(|found| found.is_empty())
        });
        let mut bytes = bytes_of(&all);
        // However much is pinned, half of the room is for what comes.
        let bytes_max = bytes_max - (all_bytes - bytes).min(bytes_max / 2);
        let mut chosen = Vec::new();
        for placed in all {
            let age = now.saturating_sub(placed.listed.created_unix_nanos);
            let id = placed.listed.meta.id;
            // A commit that is not known to be done is done again at the next start, and with it what is removed here.
            let why = if id.last_sequence >= floor || id.number > moves {
                continue;
            } else if age > age_max
                || age == age_max && plumbing::planted("store-retention-off-by-one")
            {
                "age"
            } else if bytes > bytes_max {
                "size"
            } else {
                continue;
            };
            bytes -= placed.listed.meta.bytes();
            chosen.push((placed, why));
        }
        Ok(chosen)
    }

    /// The most that segments may take.
    pub(crate) fn bytes_max(&self, bytes: u64) -> Result<u64, Error> {
        if let Some(bytes_max) = self.options.retention_bytes {
            return Ok(bytes_max);
        }
        let percent = self.options.retention_percent;
        Ok(bytes_max(self.space()?, bytes, percent))
    }

    fn space(&self) -> Result<Space, Error> {
        let dir = &self.options.dir;
        let space = self.files.space(dir);
        space.map_err(Error::io("ask for the room of", dir))
    }

    /// Bytes that are free on the disk; `None` where the system doesn't say.
    pub(crate) fn disk_free_bytes(&self) -> Option<u64> {
        self.space().ok().map(|space| space.available)
    }

    /// Sets the gauges of the disk. Where the system doesn't say it they stay.
    fn show_room(&self, bytes_max: u64) {
        let metrics = &self.metrics;
        let mut gauges = vec![(&metrics.segment_bytes_max, bytes_max)];
        if let Ok(space) = self.space() {
            gauges.push((&metrics.disk_bytes, space.total));
            gauges.push((&metrics.disk_free_bytes, space.available));
        }
        set_gauges(gauges);
    }

    fn forget(&self, removals: &[(Arc<Placed>, &'static str)]) {
        let mut changed: Vec<TenantId> = Vec::new();
        {
            let mut state = lock(&self.state);
            for (id, tenant) in &mut state.tenants {
                let is_removed =
                    |p: &Arc<Placed>| removals.iter().any(|(removed, _)| Arc::ptr_eq(p, removed));
                let mut is_changed = false;
                for list in [&mut tenant.segments, &mut tenant.dropped] {
                    if list.iter().any(is_removed) {
                        let kept = list.iter().filter(|p| !is_removed(p));
                        *list = Arc::new(kept.cloned().collect());
                        is_changed = true;
                    }
                }
                if is_changed {
                    changed.push(id.clone());
                }
            }
        }
        self.renew_names(changed.iter());
    }

    /// Finds out anew which services and operations tenants have, after some of their spans have left.
    fn renew_names<'t>(&self, tenants: impl Iterator<Item = &'t TenantId>) {
        // Names are read outside the lock; what arrived meanwhile is in heads and is added under it.
        for id in tenants {
            let View {
                segments, dropped, ..
            } = self.view(id);
            let mut names = Names::default();
            let all = segments.iter().chain(dropped.iter());
            all.for_each(|p| add_names_of(&p.segment, &mut names));
            let mut state = lock(&self.state);
            if let Some(tenant) = state.tenants.get_mut(id) {
                let is_known = |p: &Arc<Placed>| {
                    let mut known = segments.iter().chain(dropped.iter());
                    known.any(|known| Arc::ptr_eq(known, p))
                };
                let newer = tenant.placed().filter(|p| !is_known(p));
                newer.for_each(|p| add_names_of(&p.segment, &mut names));
                let heads = tenant.heads();
                let chunks = heads.flat_map(|head| head.chunks.iter());
                chunks.for_each(|chunk| names.absorb(Names::of_batch(&chunk.batch)));
                tenant.names = names;
            }
        }
    }

    /// Lets the files go with the last reader.
    pub(crate) fn remove_files(&self, placed: &Placed) {
        let dir = self.options.dir.join(&placed.listed.dir);
        let data = placed
            .listed
            .meta
            .files
            .iter()
            .map(|file| dir.join(&file.name));
        // The `.meta` first: without it nobody takes the rest for a segment.
        let paths: Vec<PathBuf> = [meta_path(&self.options.dir, &placed.listed)]
            .into_iter()
            .chain(data)
            .collect();
        if plumbing::planted("store-unlinked-while-read") {
            paths.iter().for_each(|path| drop(self.files.remove(path)));
            return;
        }
        // A segment is expired once: it has left the state under the lock.
        let _first = placed.expired.set((Arc::clone(&self.files), paths));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_on_the_disk_is_not_for_segments() {
        let left = |available, bytes| {
            let space = Space {
                total: 1_000,
                available,
            };
            bytes_max(space, bytes, 80)
        };
        // Nobody else, others that leave room, and others that leave none.
        assert_eq!((left(1_000, 0), left(400, 600)), (800, 800));
        assert_eq!((left(400, 300), left(100, 600)), (500, 500));
        assert_eq!((left(100, 100), left(0, 20)), (50, 50));
    }
}
