//! Retention: segments that are too old, or for which there is no room, leave the store whole.
//!
//! Age counts from when a segment was written, not from the times in its spans, so that a sender with a wrong clock
//! loses nothing. A segment is taken off the manifest first; its files go when no reader has it any more, or at the
//! next start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use model::TenantId;

use crate::engine::{Engine, Names, Placed, add_names, lock, names_of, nanos};
use crate::error::Error;
use crate::manifest::{Edit, meta_path};
use crate::open::names_of_segment;

/// Without a limit in bytes, all that is on the disk may take this part of it, in percent, before segments leave.
const DISK_PERCENT_MAX: u64 = 80;
/// However much others have on the disk, segments may take this part of it, in percent: a disk that others fill is a
/// reason to refuse new spans, not to remove those that were accepted a moment ago.
const DISK_PERCENT_MIN: u64 = 5;

impl Engine {
    /// Removes segments that are too old or too many; gives how many.
    pub(crate) fn expire(&self) -> Result<usize, Error> {
        // A merge that failed must not come back later with spans that are removed here. While one runs, it has not.
        if let Ok(mut finaliser) = self.finaliser.try_lock() {
            self.settle(&mut finaliser)?;
        }
        let mut removals = self.choose_expired()?;
        if removals.is_empty() {
            return Ok(0);
        }
        let _gate = lock(&self.layout_gate);
        // What was merged meanwhile is judged anew, next time.
        let still_there = |placed: &Placed| {
            let meta = &placed.listed.meta;
            let manifest = lock(&self.manifest);
            manifest.contents().names(meta.tenant.as_str(), meta.id)
        };
        removals.retain(|(placed, _)| still_there(placed));
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
            self.metrics.removed_spans.inc_by(meta.spans);
        }
        self.forget(&removals);
        for (placed, _) in &removals {
            self.remove_files(placed);
        }
        Ok(removals.len())
    }

    fn choose_expired(&self) -> Result<Vec<(Arc<Placed>, &'static str)>, Error> {
        let now = self.clock.unix_nanos();
        let age_max = nanos(self.options.retention_age);
        // Frames at or above the floor are replayed: a segment that has some would come back from the log.
        let floor = lock(&self.manifest).contents().floor;
        let mut all: Vec<Arc<Placed>> = Vec::new();
        lock(&self.state)
            .tenants
            .values()
            .for_each(|tenant| all.extend(tenant.segments.iter().cloned()));
        all.sort_by_key(|placed| (placed.listed.created_unix_nanos, placed.listed.meta.id));
        let mut bytes: u64 = all.iter().map(|placed| placed.listed.meta.bytes()).sum();
        let bytes_max = self.bytes_max(bytes)?;
        let mut chosen = Vec::new();
        for placed in all {
            let age = now.saturating_sub(placed.listed.created_unix_nanos);
            let why = if placed.listed.meta.id.last_sequence >= floor {
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

    /// The most that segments may take: what is configured, or a part of the disk less what others have on it, but not
    /// nothing.
    fn bytes_max(&self, bytes: u64) -> Result<u64, Error> {
        if let Some(bytes_max) = self.options.retention_bytes {
            return Ok(bytes_max);
        }
        let dir = &self.options.dir;
        let space = self
            .files
            .space(dir)
            .map_err(Error::io("ask for the room of", dir))?;
        let others = space
            .total
            .saturating_sub(space.available)
            .saturating_sub(bytes);
        let percent = space.total / 100;
        let left = (percent * DISK_PERCENT_MAX).saturating_sub(others);
        if plumbing::planted("store-others-fill-the-disk") {
            return Ok(left);
        }
        Ok(left.max(percent * DISK_PERCENT_MIN))
    }

    fn forget(&self, removals: &[(Arc<Placed>, &'static str)]) {
        let mut left: BTreeMap<TenantId, Vec<Arc<Placed>>> = BTreeMap::new();
        {
            let mut state = lock(&self.state);
            for (id, tenant) in &mut state.tenants {
                let is_removed =
                    |p: &Arc<Placed>| removals.iter().any(|(removed, _)| Arc::ptr_eq(p, removed));
                if tenant.segments.iter().any(is_removed) {
                    let kept: Vec<Arc<Placed>> = tenant
                        .segments
                        .iter()
                        .filter(|p| !is_removed(p))
                        .cloned()
                        .collect();
                    left.insert(id.clone(), kept.clone());
                    tenant.segments = Arc::new(kept);
                }
            }
        }
        // Names are read outside the lock; what arrived meanwhile is in heads and is added under it.
        for (id, segments) in left {
            let mut names = Names::new();
            segments
                .iter()
                .for_each(|p| add_names(&mut names, names_of_segment(&p.segment)));
            let mut state = lock(&self.state);
            if let Some(tenant) = state.tenants.get_mut(&id) {
                let known: Vec<&Arc<Placed>> = segments.iter().collect();
                let newer = tenant
                    .segments
                    .iter()
                    .filter(|p| !known.iter().any(|k| Arc::ptr_eq(k, p)));
                newer.for_each(|p| add_names(&mut names, names_of_segment(&p.segment)));
                let heads = tenant.heads();
                let chunks = heads.flat_map(|head| head.chunks.iter());
                chunks.for_each(|chunk| add_names(&mut names, names_of(&chunk.batch)));
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
