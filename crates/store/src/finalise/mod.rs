//! Finalisation: the fresh segments of a slice of time become one in which every trace is whole.
//!
//! Heads are frozen by size and age, so a trace may begin in one fresh segment and end in the next. Later the segments
//! that lie together are *merged*: the spans of a trace come together, each once, and traces that are alike lie side by
//! side. What a trace has elsewhere at that moment decides where it goes ([`traces::Fate`]).
//!
//! Promises
//! - Inputs stay until the output is committed; both change places under one lock, so no question sees a span twice or
//!   not at all. A crash leaves either the inputs or the output.
//! - Nothing here is fatal: a failure leaves everything as it was and is tried again later; an input that can't be read
//!   is left alone.
//! - Memory is that of one row group, the tables of traces of the slice, and a few pages.
//!
//! Refuses: segments whose frames may still be replayed from the log.
//!
//! Read next: `slice.rs` for what is merged when, `traces.rs` for where a trace goes, `join.rs` for reading,
//! `verdicts.rs` for traces that are dropped.

mod backlog;
mod join;
mod pinned;
mod slice;
mod traces;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::TenantId;

use crate::engine::{Engine, Placed, day_of, lock};
use crate::error::Error;
use crate::index::DroppedBuilder;
use crate::manifest::{Edit, Listed, meta_path, write_meta};
use crate::segment::order::TraceOrder;
use crate::segment::parts::Shared;
use crate::segment::sink::Place;
use crate::segment::write::{SegmentWriter, write_dropped};
use crate::segment::{
    FileKind, Level, Segment, SegmentError, SegmentErrorKind, SegmentId, SegmentMeta,
};
pub(crate) use backlog::Backlog;
use join::Joiner;
pub(crate) use pinned::is_pinned;
use slice::Slice;
use traces::{Fate, Traces};
use verdicts::Trial;

/// After a failure so much time passes before the next attempt; twice as much after each further one.
const RETRY_NANOS: u64 = 1_000_000_000;
const RETRY_DOUBLINGS_MAX: u32 = 8;
/// An input that could not be read so often in a row is left alone.
const READ_FAILURES_MAX: u32 = 3;

/// What finalisation remembers from one slice to the next.
#[derive(Debug, Default)]
pub(crate) struct Finaliser {
    /// Inputs that can't be read, until the next start.
    left_alone: BTreeSet<(TenantId, SegmentId)>,
    /// How often in a row each of these inputs could not be read.
    unread: BTreeMap<(TenantId, SegmentId), u32>,
    /// Attempts in a row that failed.
    failures: u32,
    /// On the monotonic clock.
    retry_at: u64,
}

/// What is known of the layout besides the list of segments.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The outputs of a commit that failed: as long as their `.meta` files are there, a crash would bring it back.
    unsettled: Vec<Listed>,
}

/// When a slice is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// When it is large or old enough.
    Due,
    /// At once, what arrived below this sequence, and open traces with it.
    Below(u64),
}

#[cfg(test)]
impl When {
    /// Everything at once.
    pub(crate) const NOW: Self = Self::Below(u64::MAX);
}

/// Why a slice was not merged.
enum Failure {
    /// An input, by place in the slice, can't be read.
    Input(usize, SegmentError),
    Other(Error),
    /// Retention took inputs away.
    Changed,
    /// The store stops.
    Cancelled,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<SegmentError> for Failure {
    fn from(error: SegmentError) -> Self {
        Self::Other(error.into())
    }
}

/// A segment that was written and is not part of the store yet.
struct Output {
    listed: Listed,
    placed: Arc<Placed>,
}

impl Engine {
    /// Merges the oldest slice that is ready. False: there is none.
    pub(crate) fn finalise(
        &self,
        when: When,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<bool, Error> {
        let mut finaliser = lock(&self.finaliser);
        if self.is_expiry_due.swap(false, Ordering::AcqRel) {
            self.expire_holding(&finaliser)?;
        }
        if self.has_unread {
            return Ok(false);
        }
        let now = self.clock.monotonic_nanos();
        if when == When::Due && now < finaliser.retry_at {
            return Ok(false);
        }
        self.settle(&mut lock(&self.layout))?;
        let Some(slice) = self.choose_slice(when, &finaliser.left_alone) else {
            return Ok(false);
        };
        let started = now;
        // After some failures in a row the past is left alone where it can't be read.
        let is_patient = finaliser.failures < READ_FAILURES_MAX;
        self.backlog.is_merging.store(true, Ordering::Release);
        let result = self.merge(&slice, is_patient, is_cancelled);
        self.backlog.is_merging.store(false, Ordering::Release);
        let now = self.clock.monotonic_nanos();
        match result {
            Ok(spans) => {
                finaliser.forget(&slice);
                (finaliser.failures, finaliser.retry_at) = (0, 0);
                self.backlog.fails.store(false, Ordering::Release);
                self.metrics
                    .observe_finalise(now.saturating_sub(started), spans);
                Ok(true)
            }
            Err(Failure::Changed) => Ok(true),
            Err(Failure::Cancelled) => Ok(false),
            Err(Failure::Input(at, error)) => {
                self.put_off(&mut finaliser, now);
                let Some(input) = slice.inputs.get(at) else {
                    return Err(error.into());
                };
                let meta = &input.listed.meta;
                let name = (meta.tenant.clone(), meta.id);
                let failures = finaliser.unread.entry(name.clone()).or_default();
                *failures += 1;
                let is_hopeless =
                    error.kind() == SegmentErrorKind::Corrupt || *failures >= READ_FAILURES_MAX;
                if !is_hopeless {
                    return Err(error.into());
                }
                tracing::error!(segment = %meta.id, %error, "a segment can't be read and is left as it is");
                finaliser.unread.remove(&name);
                finaliser.left_alone.insert(name);
                let left_alone = finaliser.left_alone.len();
                self.backlog.left_alone.store(left_alone, Ordering::Release);
                (finaliser.failures, finaliser.retry_at) = (0, 0);
                Ok(true)
            }
            Err(Failure::Other(error)) => {
                self.put_off(&mut finaliser, now);
                Err(error)
            }
        }
    }

    /// Notes that merging failed.
    fn put_off(&self, finaliser: &mut Finaliser, now: u64) {
        self.metrics.finalise_errors.inc();
        self.backlog.fails.store(true, Ordering::Release);
        finaliser.put_off(now);
    }

    /// Makes sure that no crash brings back a commit that failed, and removes what it wrote.
    pub(crate) fn settle(&self, layout: &mut Layout) -> Result<(), Error> {
        lock(&self.manifest).settle()?;
        // All `.meta` files before any data: one that is found must find the whole commit.
        for listed in &layout.unsettled {
            let path = meta_path(&self.options.dir, listed);
            match self.files.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        for listed in &layout.unsettled {
            let dir = self.options.dir.join(&listed.dir);
            self.files.sync_dir(&dir).map_err(Error::io("sync", &dir))?;
        }
        for listed in layout.unsettled.drain(..) {
            let dir = self.options.dir.join(&listed.dir);
            self.discard_files(&dir, listed.meta.id);
        }
        Ok(())
    }

    /// Merges a slice; gives its spans.
    fn merge(
        &self,
        slice: &Slice,
        is_patient: bool,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<u64, Failure> {
        self.require_format()?;
        let joiner = Joiner::new(&slice.inputs, &slice.others, is_patient)?;
        let group_spans = self.options.group_spans_max;
        let traces = Traces::new(joiner.tables(), slice, group_spans);
        let mut trial = match &self.options.judge {
            Some(judge) => {
                let tables = joiner.tables();
                let pins = self.pins_now();
                Some(Trial::new(&**judge, slice, tables, pins, is_patient)?)
            }
            None => None,
        };
        let reading = (joiner, trial.as_mut());
        let outputs = self.write_all(slice, &traces, reading, is_cancelled)?;
        let may_go = || {
            let drops = |trial: &Trial<'_>| trial.drops_what_was_pinned_since(&self.pins_now());
            !trial.as_ref().is_some_and(drops)
        };
        self.commit_outputs(slice, &outputs, &may_go)?;
        if let Some(trial) = &trial {
            trial.report(&self.metrics);
        }
        Ok(slice.spans())
    }

    /// Writes all outputs of a slice, or none.
    fn write_all(
        &self,
        slice: &Slice,
        traces: &Traces,
        (joiner, trial): (Joiner<'_>, Option<&mut Trial<'_>>),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Output>, Failure> {
        let mut outputs = Vec::new();
        let reading = (joiner, trial);
        let written = self.write_outputs(slice, traces, reading, &mut outputs, is_cancelled);
        if written.is_err() {
            for output in &outputs {
                let dir = self.options.dir.join(&output.listed.dir);
                self.discard_files(&dir, output.listed.meta.id);
            }
        }
        written.map(|()| outputs)
    }

    fn write_outputs(
        &self,
        slice: &Slice,
        traces: &Traces,
        (mut joiner, mut trial): (Joiner<'_>, Option<&mut Trial<'_>>),
        outputs: &mut Vec<Output>,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        for fate in [Fate::Whole, Fate::Open] {
            let groups = traces.groups(fate);
            if groups.is_empty() {
                continue;
            }
            let id = slice.name(fate);
            let order = if id.level == Level::Merged {
                TraceOrder::InSlices
            } else {
                TraceOrder::ByStart
            };
            let waits_since = (fate == Fate::Open)
                .then(|| traces.open_since(slice))
                .flatten();
            outputs.extend(self.write_output(slice, id, waits_since, |writer| {
                let mut has_spans = false;
                for group in &groups {
                    if is_cancelled() {
                        return Err(Failure::Cancelled);
                    }
                    let mut batch = joiner.batch(group)?;
                    if let Some(trial) = &mut trial
                        && (fate == Fate::Whole || plumbing::planted("store-open-trace-judged"))
                    {
                        batch = trial.sift(batch, false)?;
                    }
                    if !batch.is_empty() {
                        writer.add(&batch, order)?;
                        has_spans = true;
                    }
                }
                Ok(has_spans)
            })?);
        }
        for piece in traces.pieces() {
            if is_cancelled() {
                return Err(Failure::Cancelled);
            }
            let id = slice.name_of_piece(&piece.inputs);
            outputs.extend(self.write_output(slice, id, None, |writer| {
                let mut batch = joiner.batch(&piece.group)?;
                if let Some(trial) = &mut trial {
                    batch = trial.sift(batch, true)?;
                }
                if batch.is_empty() {
                    return Ok(false);
                }
                writer.add(&batch, TraceOrder::ByStart)?;
                Ok(true)
            })?);
        }
        if let Some(left) = trial.and_then(Trial::take_left) {
            outputs.push(self.write_dropped(slice, left)?);
        }
        Ok(())
    }

    /// Writes what is remembered of dropped traces; durable but for its `.meta`.
    fn write_dropped(&self, slice: &Slice, left: DroppedBuilder) -> Result<Output, Failure> {
        let (dir, path) = self.output_dir(slice)?;
        let id = slice.name_of_dropped();
        let place = Place {
            files: self.files.as_ref(),
            dir: &path,
            id,
        };
        let written = write_dropped(place, &slice.tenant, left);
        let meta = written.inspect_err(|_| self.discard_files(&path, id))?;
        self.output((slice, dir), meta, None)
    }

    /// Where the outputs of a slice go: below the data folder, and as a path.
    fn output_dir(&self, slice: &Slice) -> Result<(PathBuf, PathBuf), Error> {
        let dir = PathBuf::from("seg")
            .join(slice.tenant.as_str())
            .join(day_of(slice.created()));
        let path = self.options.dir.join(&dir);
        self.files
            .create_dir_all(&path)
            .map_err(Error::io("create", &path))?;
        Ok((dir, path))
    }

    /// A segment that was written, opened.
    fn output(
        &self,
        (slice, dir): (&Slice, PathBuf),
        meta: SegmentMeta,
        waits_since_unix_nanos: Option<u64>,
    ) -> Result<Output, Failure> {
        let path = self.options.dir.join(&dir);
        let listed = Listed {
            meta: meta.clone(),
            dir,
            created_unix_nanos: slice.created(),
            waits_since_unix_nanos,
        };
        let (files, cache) = (Arc::clone(&self.files), Arc::clone(&self.cache));
        let segment = Segment::open(files, &path, meta, cache)?;
        let placed = Arc::new(Placed::new(listed.clone(), segment));
        Ok(Output { listed, placed })
    }

    /// Writes one segment; durable but for its `.meta`. None, when there is no span for it.
    fn write_output(
        &self,
        slice: &Slice,
        id: SegmentId,
        waits_since_unix_nanos: Option<u64>,
        fill: impl FnOnce(&mut SegmentWriter<'_>) -> Result<bool, Failure>,
    ) -> Result<Option<Output>, Failure> {
        let (dir, path) = self.output_dir(slice)?;
        let place = Place {
            files: self.files.as_ref(),
            dir: &path,
            id,
        };
        let written = (|| {
            let inputs = slice.inputs.iter().map(|input| &input.segment);
            let shared = Shared::joining(id.level, inputs)
                .map_err(|(input, error)| Failure::Input(input, error))?;
            let mut writer = SegmentWriter::new(place, &slice.tenant, shared)?;
            if !fill(&mut writer)? {
                return Ok(None);
            }
            Ok(Some(writer.finish()?))
        })();
        let meta = match written {
            Ok(Some(meta)) => meta,
            Ok(None) => {
                self.discard_files(&path, id);
                return Ok(None);
            }
            Err(failure) => {
                self.discard_files(&path, id);
                return Err(failure);
            }
        };
        let output = self.output((slice, dir), meta, waits_since_unix_nanos)?;
        Ok(Some(output))
    }

    /// Puts the outputs in the place of the inputs, if these are all there and `may_go`.
    fn commit_outputs(
        &self,
        slice: &Slice,
        outputs: &[Output],
        may_go: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        let tenant = slice.tenant.as_str();
        let adds = outputs
            .iter()
            .map(|output| Edit::Add(Box::new(output.listed.clone())));
        let ids = slice.inputs.iter().map(|input| input.listed.meta.id);
        let adds = adds.filter(|add| !is_forgotten(add));
        let removes = ids.clone().map(|id| Edit::Remove {
            tenant: tenant.to_owned(),
            id,
            why: slice.why().to_owned(),
        });
        let removes = removes.filter(|_| !are_both_kept(slice));
        let bounds = [Edit::Moves(slice.last_number()), Edit::Floor(slice.floor)];
        let mut layout = lock(&self.layout);
        let commit: Vec<Edit> = adds
            .chain(removes)
            .chain(bounds)
            .chain(self.pins_of(slice))
            .collect();
        let all_there = may_go() && {
            let manifest = lock(&self.manifest);
            ids.clone().all(|id| manifest.contents().names(tenant, id))
                || plumbing::planted("store-merge-over-retention")
        };
        if !all_there {
            layout
                .unsettled
                .extend(outputs.iter().map(|output| output.listed.clone()));
            return Err(Failure::Changed);
        }
        let root = &self.options.dir;
        // From here on a crash may bring the commit about, which is as good as what there was before. If it fails, it
        // must be settled before the files go.
        let listed = outputs.iter().map(|output| output.listed.clone());
        layout.unsettled.extend(listed);
        for output in outputs {
            write_meta(self.files.as_ref(), root, &output.listed, &commit)?;
        }
        lock(&self.manifest).commit(&commit)?;
        let bytes = outputs.iter().map(|output| output.listed.meta.bytes());
        self.metrics.merged_bytes.inc_by(bytes.sum());
        layout.unsettled.clear();
        self.swap_merged(slice, outputs);
        for input in &slice.inputs {
            self.remove_files(input);
        }
        Ok(())
    }

    fn swap_merged(&self, slice: &Slice, outputs: &[Output]) {
        let mut state = lock(&self.state);
        let tenant = state.tenants.entry(slice.tenant.clone()).or_default();
        let is_input =
            |placed: &Arc<Placed>| slice.inputs.iter().any(|input| Arc::ptr_eq(input, placed));
        let mut segments = tenant.segments.as_ref().clone();
        segments.retain(|placed| !is_input(placed));
        tenant.segments = Arc::new(segments);
        for output in outputs {
            tenant.add_segment(Arc::clone(&output.placed));
        }
    }

    /// Removes the files of an output that did not come to be; best effort, the next start sweeps the rest.
    fn discard_files(&self, dir: &Path, id: SegmentId) {
        for kind in FileKind::ALL {
            self.files.remove(&dir.join(kind.name(id))).ok();
        }
    }
}

/// Whether pinned traces are copied and their originals stay; never, but for a planted fault.
fn are_both_kept(slice: &Slice) -> bool {
    !slice.pinned.is_empty() && plumbing::planted("store-pinned-twice")
}

/// Whether an output is left out of the commit; nothing is, but for a planted fault.
fn is_forgotten(edit: &Edit) -> bool {
    let is_open = matches!(edit, Edit::Add(listed) if listed.meta.id.level == Level::Open);
    is_open && plumbing::planted("store-open-forgotten")
}

impl Finaliser {
    /// Forgets that inputs which are gone now could not be read.
    fn forget(&mut self, slice: &Slice) {
        for input in &slice.inputs {
            let meta = &input.listed.meta;
            self.unread.remove(&(meta.tenant.clone(), meta.id));
        }
    }

    fn put_off(&mut self, now: u64) {
        let doublings = self.failures.min(RETRY_DOUBLINGS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.saturating_add(RETRY_NANOS << doublings);
    }
}
