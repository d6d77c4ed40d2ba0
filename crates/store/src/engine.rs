//! The store without its threads: every step is a call, so that a test can take them in any order, with any fault.
//!
//! Life of a batch: [`Engine::commit`] writes a group of batches to the log, makes it durable, and publishes them to
//! their tenants' heads; then they are acknowledged. [`Engine::seal_due`] takes full or old heads out,
//! [`Engine::freeze`] writes one as a segment, commits it to the manifest, and lets go of the log.
//!
//! Promises
//! - A batch that `commit` said is kept is in the log, or in a segment that the manifest names, at every moment.
//! - Readers see a batch before it is acknowledged, and at no moment twice or not at all: a head and the segment made
//!   of it change places under one lock.
//! - No lock is held over I/O, but for the journal's and the manifest's own and the gates that order freezing, merging
//!   and removal, which readers never take.
//!
//! Read next: `finalise/` for what becomes of segments, `open.rs` for recovery, `driver.rs` for the threads, `read/`
//! for questions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use journal::{ErrorKind, Files, FrameKind, Journal, NewFrame};
use model::contract::{IncomingBatch, Kept, WriteError};
use model::{SpanBatch, TenantId};
use plumbing::Clock;

use crate::error::Error;
use crate::finalise::{Backlog, Finaliser, Layout};
use crate::format::Format;
use crate::head::{Chunk, Head};
use crate::manifest::{Edit, Listed, Manifest, write_meta};
use crate::metrics::StoreMetrics;
use crate::names::Names;
use crate::options::StoreOptions;
use crate::read::ReadRoom;
use crate::recent::{RecentRequests, request_hash};
use crate::scrub::Scrubber;
use crate::segment::{Level, Segment, SegmentCache, SegmentId, write_segment};

/// Frames that are written at once to skip sequences: 40 bytes each.
const FILLER_FRAMES_MAX: usize = 65_536;

/// A segment that can be read.
#[derive(Debug)]
pub(crate) struct Placed {
    pub listed: Listed,
    pub segment: Segment,
    /// Damage that was found is logged once.
    pub is_reported: AtomicBool,
    /// Files to remove when the last reader lets go; set when the segment has left the store.
    pub expired: OnceLock<(Arc<dyn Files>, Vec<PathBuf>)>,
}

impl Placed {
    pub(crate) fn new(listed: Listed, segment: Segment) -> Self {
        Self {
            listed,
            segment,
            is_reported: AtomicBool::new(false),
            expired: OnceLock::new(),
        }
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        let Some((files, paths)) = self.expired.take() else {
            return;
        };
        for path in paths {
            // What can't be removed now is swept at the next start.
            if let Err(why) = files.remove(&path) {
                tracing::warn!(file = %path.display(), %why, "could not remove a file of an expired segment");
            }
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct TenantState {
    pub head: Head,
    pub freezing: Vec<Arc<Head>>,
    pub segments: Arc<Vec<Arc<Placed>>>,
    /// What is left of dropped traces, in the order in which their spans arrived.
    pub dropped: Arc<Vec<Arc<Placed>>>,
    pub names: Names,
}

impl TenantState {
    /// The heads in order of arrival: those being frozen, then the one that grows.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Head> {
        self.freezing.iter().map(AsRef::as_ref).chain([&self.head])
    }

    /// Segments are kept in the order in which their spans arrived.
    pub(crate) fn add_segment(&mut self, placed: Arc<Placed>) {
        let id = placed.listed.meta.id;
        let list = match id.level {
            Level::Dropped => &mut self.dropped,
            _ => &mut self.segments,
        };
        let mut segments = list.as_ref().clone();
        let at = segments.partition_point(|other| other.listed.meta.id < id);
        segments.insert(at, placed);
        *list = Arc::new(segments);
    }

    /// All that has files: segments, and what is left of dropped traces.
    pub(crate) fn placed(&self) -> impl Iterator<Item = &Arc<Placed>> {
        self.segments.iter().chain(self.dropped.iter())
    }
}

/// Everything of a tenant at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// In order of arrival.
    pub chunks: Vec<Arc<Chunk>>,
    pub segments: Arc<Vec<Arc<Placed>>>,
    /// What is left of dropped traces.
    pub dropped: Arc<Vec<Arc<Placed>>>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub tenants: BTreeMap<TenantId, TenantState>,
    pub recent: RecentRequests,
    /// Why the log takes nothing at the moment.
    pub log_refusal: Option<String>,
    /// Why heads can't be frozen; a reason to refuse once they take more memory than they may.
    pub memory_refusal: Option<String>,
    /// Why the end of the log, as it was read at the start, may not survive a power cut. Until that is over nothing is
    /// accepted: a request that is sent again would be taken for one that is kept.
    pub doubt_refusal: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Engine {
    pub files: Arc<dyn Files>,
    pub clock: Arc<dyn Clock>,
    pub options: StoreOptions,
    pub metrics: StoreMetrics,
    pub cache: Arc<SegmentCache>,
    pub journal: Mutex<Journal>,
    pub manifest: Mutex<Manifest>,
    /// Held from the append of a batch to its publication: between the two it is in no head, so whoever asks what
    /// the log is still needed for must wait.
    pub commit_gate: Mutex<()>,
    /// Held while a head is written: maintenance and a caller who wants everything frozen must not write the same one.
    pub freeze_gate: Mutex<()>,
    /// Held while some segments take the place of others, or leave, and while a trace is pinned.
    pub layout: Mutex<Layout>,
    /// Held while spans are moved: one commit that moves some follows the other, in the order of their numbers.
    pub finaliser: Mutex<Finaliser>,
    /// How many segments wait to be merged.
    pub backlog: Backlog,
    /// What traces that are read whole may take together.
    pub trace_room: ReadRoom,
    /// How far the bytes at rest have been checked.
    pub scrubber: Mutex<Scrubber>,
    /// Retention waits for the finaliser: whoever has it moves pinned traces next.
    pub is_expiry_due: AtomicBool,
    /// The number of the next commit that moves spans.
    pub next_move: AtomicU32,
    /// Who the store is, and whether older programs are kept out of it.
    pub format: Format,
    /// The start could not read some `.meta` files. Until one can, no spans are moved: a commit that raises the number
    /// up to which moves are done would make an older one in these files count as removed.
    pub has_unread: bool,
    /// Sequences below this one are in segments. When the log has lost its end it would give them again.
    pub sequence_min: u64,
    /// Damage that the start found.
    pub findings: Vec<String>,
    pub state: Mutex<State>,
    /// Heads must be frozen at once, since their log is in doubt.
    pub is_urgent: AtomicBool,
    /// Nothing can be made durable any more.
    pub is_fatal: AtomicBool,
    /// Kept open for as long as the store is.
    pub _lock: Box<dyn journal::Lock>,
}

/// A std mutex: held for moments only, never across an await.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A duration in nanoseconds; the longest there is for one that is longer.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A batch that will be appended, and who waits for it.
struct Pending {
    incoming: IncomingBatch,
    hash: u128,
    /// Places in the group that are answered with it: its own, and those of equal requests.
    places: Vec<usize>,
}

impl Engine {
    /// Makes a group of batches durable and visible; answers in their order.
    pub(crate) fn commit(&self, group: Vec<IncomingBatch>) -> Vec<Result<Kept, WriteError>> {
        let _gate = lock(&self.commit_gate);
        if let Some(reason) = lock(&self.state).doubt_refusal.clone() {
            let refuse = |_| {
                Err(WriteError::Unavailable {
                    reason: reason.clone(),
                })
            };
            return group.into_iter().map(refuse).collect();
        }
        let mut answers: Vec<Option<Result<Kept, WriteError>>> =
            group.iter().map(|_| None).collect();
        let pending = self.sort_out(group, &mut answers);
        let result = if pending.is_empty() {
            Ok(0)
        } else {
            self.check_room().and_then(|()| self.append(&pending))
        };
        match result {
            Ok(first_sequence) => self.publish(pending, first_sequence, &mut answers),
            Err(refusal) => {
                for place in pending.iter().flat_map(|p| p.places.iter().copied()) {
                    set(&mut answers, place, Err(refusal.clone()));
                }
            }
        }
        let missing = || {
            Err(WriteError::Failed {
                reason: "a batch was not answered".to_owned(),
            })
        };
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(missing))
            .collect()
    }

    /// Answers what need not be written: empty batches, and requests that were kept before.
    fn sort_out(
        &self,
        group: Vec<IncomingBatch>,
        answers: &mut [Option<Result<Kept, WriteError>>],
    ) -> Vec<Pending> {
        let now = self.clock.monotonic_nanos();
        let mut state = lock(&self.state);
        let mut pending: Vec<Pending> = Vec::with_capacity(group.len());
        for (place, incoming) in group.into_iter().enumerate() {
            let spans = incoming.batch.len() as u64;
            let hash = request_hash(&incoming.tenant, &incoming.otlp);
            if spans == 0 {
                set(
                    answers,
                    place,
                    Ok(Kept {
                        spans: 0,
                        duplicate_spans: 0,
                    }),
                );
            } else if incoming.otlp.len() > journal::FRAME_PAYLOAD_BYTES_MAX {
                let reason = format!(
                    "a request of {} bytes is too large for the log",
                    incoming.otlp.len()
                );
                set(answers, place, Err(WriteError::Failed { reason }));
            } else if state.recent.contains(hash, now) {
                self.metrics.duplicate_requests.inc();
                self.metrics.duplicate_spans.inc_by(spans);
                set(
                    answers,
                    place,
                    Ok(Kept {
                        spans: 0,
                        duplicate_spans: spans,
                    }),
                );
            } else if let Some(same) = pending.iter_mut().find(|p| p.hash == hash) {
                self.metrics.duplicate_requests.inc();
                same.places.push(place);
            } else {
                pending.push(Pending {
                    incoming,
                    hash,
                    places: vec![place],
                });
            }
        }
        pending
    }

    /// Refuses what memory has no room for: freezing has failed, or is too slow.
    fn check_room(&self) -> Result<(), WriteError> {
        let (bytes, bytes_max) = (self.heads_bytes(), self.options.heads_bytes_max);
        if bytes <= bytes_max || plumbing::planted("store-heads-unbounded") {
            return Ok(());
        }
        let why = self
            .refusal()
            .unwrap_or_else(|| "they are being written to segments".to_owned());
        let reason =
            format!("{bytes} bytes of spans wait in memory, {bytes_max} are allowed: {why}");
        Err(WriteError::Unavailable { reason })
    }

    fn append(&self, pending: &[Pending]) -> Result<u64, WriteError> {
        if self.is_fatal.load(Ordering::Acquire) {
            return Err(WriteError::Failed {
                reason: "the log can't be written any more; restart the program".to_owned(),
            });
        }
        let received_unix_nanos = self.clock.unix_nanos();
        let frames: Vec<NewFrame<'_>> = pending
            .iter()
            .map(|p| NewFrame {
                kind: FrameKind::Otlp,
                tenant: p.incoming.tenant.as_str(),
                received_unix_nanos,
                span_count: u32::try_from(p.incoming.batch.len()).unwrap_or(u32::MAX),
                payload: &p.incoming.otlp,
            })
            .collect();
        let started = self.clock.monotonic_nanos();
        let result = self.append_frames(&frames);
        self.metrics
            .observe_commit(self.clock.monotonic_nanos().saturating_sub(started));
        let bytes = frames.iter().map(|frame| frame.payload.len() as u64).sum();
        result
            .map_err(|error| self.refusal_of(&error))
            .inspect(|_| {
                self.metrics.logged_bytes.inc_by(bytes);
                self.log_takes_again();
            })
    }

    fn append_frames(&self, frames: &[NewFrame<'_>]) -> Result<u64, journal::Error> {
        let mut journal = lock(&self.journal);
        while journal.next_sequence() < self.sequence_min
            && !plumbing::planted("store-sequences-given-again")
        {
            // The log has lost frames that are in segments; their sequences must not be given to other spans.
            let missing = self.sequence_min - journal.next_sequence();
            let tenant = TenantId::default();
            let filler = NewFrame {
                kind: FrameKind::Seal,
                tenant: tenant.as_str(),
                received_unix_nanos: 0,
                span_count: 0,
                payload: &[],
            };
            let fillers = usize::try_from(missing)
                .unwrap_or(usize::MAX)
                .min(FILLER_FRAMES_MAX);
            journal.append(&vec![filler; fillers])?;
        }
        journal.append(frames)
    }

    /// Takes back why the log takes nothing, unless that is for good.
    pub(crate) fn log_takes_again(&self) {
        let mut state = lock(&self.state);
        // Set before the reason is, so a reason that comes meanwhile stays.
        if !self.is_fatal.load(Ordering::Acquire) {
            state.log_refusal = None;
        }
    }

    /// Decides what a failure of the log means for the store and for the sender.
    fn refusal_of(&self, error: &journal::Error) -> WriteError {
        self.metrics.journal_errors.inc();
        tracing::error!(error = %error, "the log could not be written");
        let reason = error.to_string();
        match error.kind() {
            ErrorKind::SyncFailed => {
                // Acknowledged frames of the bad file are still in heads: segments make them durable without it.
                self.is_urgent.store(true, Ordering::Release);
                WriteError::Busy { reason }
            }
            ErrorKind::Full | ErrorKind::Io => {
                lock(&self.state).log_refusal = Some(reason.clone());
                WriteError::Unavailable { reason }
            }
            ErrorKind::Fatal => {
                self.is_fatal.store(true, Ordering::Release);
                lock(&self.state).log_refusal = Some(reason.clone());
                WriteError::Failed { reason }
            }
            ErrorKind::Corrupt | ErrorKind::Visit | ErrorKind::Bug => WriteError::Failed { reason },
        }
    }

    fn publish(
        &self,
        pending: Vec<Pending>,
        first_sequence: u64,
        answers: &mut [Option<Result<Kept, WriteError>>],
    ) {
        let now = self.clock.monotonic_nanos();
        for (sequence, pending) in (first_sequence..).zip(pending) {
            let spans = pending.incoming.batch.len() as u64;
            let places = pending.places;
            self.metrics.services.count(&pending.incoming.batch);
            if !plumbing::planted("store-publish-nothing") {
                self.publish_one(
                    pending.incoming.tenant,
                    pending.incoming.batch,
                    sequence,
                    now,
                );
            }
            lock(&self.state).recent.insert(pending.hash, now);
            self.metrics.stored_spans.inc_by(spans);
            for (index, place) in places.into_iter().enumerate() {
                let (spans, duplicate_spans) = if index == 0 { (spans, 0) } else { (0, spans) };
                self.metrics.duplicate_spans.inc_by(duplicate_spans);
                set(
                    answers,
                    place,
                    Ok(Kept {
                        spans,
                        duplicate_spans,
                    }),
                );
            }
        }
    }

    /// Lets readers see a batch that is durable.
    pub(crate) fn publish_one(&self, tenant: TenantId, batch: SpanBatch, sequence: u64, now: u64) {
        let names = Names::of_batch(&batch);
        let chunk = Chunk::new(batch);
        let mut state = lock(&self.state);
        let tenant = state.tenants.entry(tenant).or_default();
        tenant.names.absorb(names);
        tenant.head.push(chunk, sequence, now);
    }

    /// Everything of a tenant at this moment.
    pub(crate) fn view(&self, tenant: &TenantId) -> View {
        let state = lock(&self.state);
        let Some(tenant) = state.tenants.get(tenant) else {
            return View::default();
        };
        let chunks = tenant.heads().flat_map(|head| head.chunks.iter());
        View {
            chunks: chunks.cloned().collect(),
            segments: Arc::clone(&tenant.segments),
            dropped: Arc::clone(&tenant.dropped),
        }
    }

    /// Tells whether damage in a segment was not reported yet, and counts it then: once a segment.
    pub(crate) fn is_new_damage(&self, placed: &Placed) -> bool {
        let is_new = !placed.is_reported.swap(true, Ordering::Relaxed);
        if is_new {
            self.metrics.damaged_segments.inc();
        }
        is_new
    }

    /// Bytes of all heads, those being frozen included.
    pub(crate) fn heads_bytes(&self) -> usize {
        let state = lock(&self.state);
        let heads = state.tenants.values().flat_map(TenantState::heads);
        heads.map(|head| head.bytes).sum()
    }

    /// Tells whether some head is due to be frozen.
    pub(crate) fn is_due(&self) -> bool {
        let now = self.clock.monotonic_nanos();
        let is_urgent = self.is_urgent.load(Ordering::Acquire);
        let is_due = |head: &Head| is_urgent && !head.is_empty() || self.is_head_due(head, now);
        lock(&self.state)
            .tenants
            .values()
            .any(|t| !t.freezing.is_empty() || is_due(&t.head))
    }

    fn is_head_due(&self, head: &Head, now: u64) -> bool {
        let age_max = nanos(self.options.head_age_max);
        let is_full =
            head.spans >= self.options.head_spans_max || head.bytes >= self.options.head_bytes_max;
        !head.is_empty()
            && (is_full && !self.is_behind() || now.saturating_sub(head.since_nanos) >= age_max)
    }

    /// Takes out the heads that are due (or all), and gives them with those whose freezing failed before.
    pub(crate) fn seal_due(&self, all: bool) -> Vec<(TenantId, Arc<Head>)> {
        let now = self.clock.monotonic_nanos();
        // Taken back first: what becomes urgent from here on is for the next round.
        let all = self.is_urgent.swap(false, Ordering::AcqRel) || all;
        let mut state = lock(&self.state);
        let mut sealed = Vec::new();
        for (id, tenant) in &mut state.tenants {
            if self.is_head_due(&tenant.head, now) || all && !tenant.head.is_empty() {
                let head = std::mem::take(&mut tenant.head);
                tenant.freezing.push(Arc::new(head));
            }
            sealed.extend(
                tenant
                    .freezing
                    .iter()
                    .map(|head| (id.clone(), Arc::clone(head))),
            );
        }
        sealed
    }

    /// Writes a head as a segment. On failure it stays in memory and in the log, and is tried again later.
    pub(crate) fn freeze(&self, tenant: &TenantId, head: &Arc<Head>) -> Result<(), Error> {
        let _gate = lock(&self.freeze_gate);
        if !self.is_waiting(tenant, head) && !plumbing::planted("store-freeze-twice") {
            return Ok(());
        }
        let started = self.clock.monotonic_nanos();
        if !plumbing::planted("store-doubtful-list-kept") {
            lock(&self.manifest).settle()?;
        }
        self.require_format()?;
        if plumbing::planted("store-release-log-early") {
            let floor = self.floor_without(tenant, head);
            lock(&self.journal).release_below(floor)?;
        }
        let batch = head.merge();
        let created_unix_nanos = self.clock.unix_nanos();
        let dir = PathBuf::from("seg")
            .join(tenant.as_str())
            .join(day_of(created_unix_nanos));
        let path = self.options.dir.join(&dir);
        self.files
            .create_dir_all(&path)
            .map_err(Error::io("create", &path))?;
        let id = SegmentId::fresh(head.first_sequence, head.last_sequence);
        let meta = write_segment(self.files.as_ref(), &path, id, tenant, &batch)?;
        drop(batch);
        let listed = Listed {
            meta: meta.clone(),
            dir,
            created_unix_nanos,
            waits_since_unix_nanos: None,
        };
        let mut commit = vec![Edit::Add(Box::new(listed.clone()))];
        write_meta(self.files.as_ref(), &self.options.dir, &listed, &commit)?;
        let segment = Segment::open(
            Arc::clone(&self.files),
            &path,
            meta,
            Arc::clone(&self.cache),
        )?;
        let placed = Arc::new(Placed::new(listed, segment));
        let bytes = placed.listed.meta.bytes();
        let floor = self.floor_without(tenant, head);
        commit.push(Edit::Floor(floor));
        lock(&self.manifest).commit(&commit)?;
        self.swap_in(tenant, head, placed);
        lock(&self.journal).release_below(floor)?;
        self.metrics.observe_freeze(
            self.clock.monotonic_nanos().saturating_sub(started),
            (head.spans as u64, bytes),
        );
        Ok(())
    }

    /// Tells whether a head was not frozen meanwhile.
    fn is_waiting(&self, tenant: &TenantId, head: &Arc<Head>) -> bool {
        let state = lock(&self.state);
        state
            .tenants
            .get(tenant)
            .is_some_and(|t| t.freezing.iter().any(|other| Arc::ptr_eq(other, head)))
    }

    fn swap_in(&self, tenant: &TenantId, head: &Arc<Head>, placed: Arc<Placed>) {
        let mut state = lock(&self.state);
        let tenant = state.tenants.entry(tenant.clone()).or_default();
        tenant.freezing.retain(|other| !Arc::ptr_eq(other, head));
        if plumbing::planted("store-late-span-lost") {
            tenant.head = Head::default();
        }
        tenant.add_segment(placed);
        if state.tenants.values().all(|t| t.freezing.is_empty()) {
            state.doubt_refusal = None;
        }
    }

    /// The lowest sequence that is in no segment when `frozen` is in one: the log below it is not needed.
    fn floor_without(&self, tenant: &TenantId, frozen: &Arc<Head>) -> u64 {
        self.floor_but_for(|id, head| id == tenant && Arc::ptr_eq(head, frozen))
    }

    /// The lowest sequence that is in no segment.
    pub(crate) fn floor(&self) -> u64 {
        self.floor_but_for(|_, _| false)
    }

    fn floor_but_for(&self, is_frozen: impl Fn(&TenantId, &Arc<Head>) -> bool) -> u64 {
        let _gate = lock(&self.commit_gate);
        let next = lock(&self.journal).next_sequence();
        let state = lock(&self.state);
        let mut floor = next;
        for (id, tenant) in &state.tenants {
            if !tenant.head.is_empty() {
                floor = floor.min(tenant.head.first_sequence);
            }
            let unfrozen = tenant.freezing.iter().filter(|head| !is_frozen(id, head));
            floor = unfrozen
                .map(|head| head.first_sequence)
                .min()
                .map_or(floor, |first| floor.min(first));
        }
        floor
    }

    /// Tells why nothing can be written at the moment, if so.
    pub(crate) fn refusal(&self) -> Option<String> {
        let (log, memory) = {
            let state = lock(&self.state);
            let log = state
                .doubt_refusal
                .clone()
                .or_else(|| state.log_refusal.clone());
            (log, state.memory_refusal.clone())
        };
        let is_over = || self.heads_bytes() > self.options.heads_bytes_max;
        log.or_else(|| memory.filter(|_| is_over()))
    }
}

fn set(
    answers: &mut [Option<Result<Kept, WriteError>>],
    place: usize,
    answer: Result<Kept, WriteError>,
) {
    if let Some(slot) = answers.get_mut(place) {
        *slot = Some(answer);
    }
}

/// The day of a moment in UTC, as `yyyymmdd`.
///
/// *Source*: the civil-from-days algorithm of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
pub(crate) fn day_of(unix_nanos: u64) -> String {
    let days = unix_nanos / 86_400_000_000_000 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_as_the_calendar_names_them() {
        let day = 86_400_000_000_000;
        let cases = [
            (0, "19700101"),
            (59, "19700301"),
            (11_016, "20000229"),
            (11_017, "20000301"),
            (20_454, "20260101"),
        ];
        for (days, name) in cases {
            assert_eq!(day_of(days * day), name);
            assert_eq!(day_of(days * day + day - 1), name);
        }
    }
}
