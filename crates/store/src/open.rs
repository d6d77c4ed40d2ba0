//! Opening a data folder: what a crash may have left is put in order, and nothing that is damaged stops the start.
//!
//! Steps: take the lock, check the format, read the manifest, look at its segments, sweep what a crash left over,
//! replay the log into heads. A frame whose spans are in a segment already is passed over. A damaged segment stays in
//! the list, so that answers say what they lack, and its frames are taken from the log as far as they are there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};

use journal::{Files, FrameKind, Journal, Options};
use model::TenantId;

use crate::engine::{Engine, Placed, State, lock};
use crate::error::Error;
use crate::finalise::{Backlog, Finaliser, Layout};
use crate::format::Format;
use crate::manifest::{Listed, Manifest, ManifestReport, meta_path, segment_dirs};
use crate::metrics::{StoreMetrics, set_gauges};
use crate::names::Names;
use crate::options::{OpenProgress, StoreOptions, StoreParts};
use crate::read::ReadRoom;
use crate::recent::{RecentRequests, request_hash};
use crate::scrub::Scrubber;
use crate::segment::{Segment, SegmentCache, SegmentError, SegmentErrorKind, SegmentId};

impl Engine {
    /// Opens a data folder.
    // tidy: long-function: one step after another, and the list of what the engine holds
    pub(crate) fn open(
        options: StoreOptions,
        parts: StoreParts<'_>,
        progress: &dyn Fn(OpenProgress),
    ) -> Result<Self, Error> {
        let trace_bytes_max = options.trace_bytes_max;
        let root = options.dir.clone();
        let files = parts.files;
        files
            .create_dir_all(&root)
            .map_err(Error::io("create", &root))?;
        let held = take_lock(files.as_ref(), &root)?;
        let format = Format::check(files.as_ref(), &root, parts.random.as_ref())?;
        let metrics = StoreMetrics::register(parts.metrics);
        let (mut manifest, report) = Manifest::open(Arc::clone(&files), &root)?;
        let mut findings = report_manifest(&report, &metrics);
        let has_unread = !report.unread.is_empty() && !plumbing::planted("store-unread-forgotten");
        let cache = Arc::new(SegmentCache::new(options.cache_bytes));
        let mut state = State::default();
        let opening = Opening {
            files: &files,
            root: &root,
            metrics: &metrics,
            progress,
        };
        let damaged = opening.segments(&manifest, &cache, &mut state, &mut findings);
        if opening.keep_adopted(&mut manifest, &report) {
            opening.sweep_leftovers(&manifest, &report);
        }
        let floor = manifest.contents().floor;
        let listed = manifest.contents().segments.iter();
        let sequence_min = listed
            .map(|listed| listed.meta.id.last_sequence + 1)
            .max()
            .unwrap_or(0);
        let next_move = manifest.contents().moves.saturating_add(1);
        let covered = Covered::of(&manifest, &damaged);
        let mut replay = Replay {
            state: &mut state,
            covered,
            metrics: &metrics,
            now: parts.clock.monotonic_nanos(),
            unix_now: parts.clock.unix_nanos(),
            frames: 0,
            progress,
        };
        let wal = root.join("wal");
        let mut take = |frame| replay.take(frame);
        let (journal, report) = Journal::open(
            Arc::clone(&files),
            &wal,
            format.store_id,
            journal_options(&options),
            floor,
            &mut take,
        )?;
        report_journal(&report, &metrics, &mut findings);
        state.doubt_refusal = doubt(&report);
        metrics.set_level(options.level);
        let engine = Self {
            files,
            clock: parts.clock,
            options,
            metrics,
            cache,
            journal: Mutex::new(journal),
            manifest: Mutex::new(manifest),
            commit_gate: Mutex::new(()),
            freeze_gate: Mutex::new(()),
            layout: Mutex::new(Layout::default()),
            finaliser: Mutex::new(Finaliser::default()),
            backlog: Backlog::default(),
            trace_room: ReadRoom::new(trace_bytes_max),
            scrubber: Mutex::new(Scrubber::default()),
            is_expiry_due: AtomicBool::new(false),
            next_move: AtomicU32::new(next_move),
            format,
            has_unread,
            sequence_min,
            findings,
            state: Mutex::new(state),
            is_urgent: AtomicBool::new(false),
            is_fatal: AtomicBool::new(false),
            _lock: held,
        };
        Ok(engine)
    }

    /// If the end of the log could be read and is not known to be durable, brings its spans into segments. Until that
    /// succeeds nothing is accepted: a request that was sent again would be taken for one that is kept.
    pub(crate) fn keep_what_is_in_doubt(&self) {
        if lock(&self.state).doubt_refusal.is_none() {
            return;
        }
        let sealed = self.seal_due(true);
        if sealed.is_empty() {
            // All of it is in segments.
            lock(&self.state).doubt_refusal = None;
        }
        let mut sealed = sealed.into_iter();
        if let Err(why) = sealed.try_for_each(|(tenant, head)| self.freeze(&tenant, &head)) {
            // Heads that wait to be frozen are due, so it is tried again in the background.
            tracing::error!(%why, "{DOUBT}; no spans are accepted until it is");
        }
    }
}

fn journal_options(options: &StoreOptions) -> Options {
    Options {
        file_bytes: options.journal_file_bytes,
        spare_files: 2,
        level: options.level,
    }
}

/// Why nothing can be accepted yet, if so.
fn doubt(report: &journal::ReplayReport) -> Option<String> {
    let is_trusted = plumbing::planted("store-doubtful-log-trusted");
    (report.is_last_batch_in_doubt && !is_trusted).then(|| DOUBT.to_owned())
}

const DOUBT: &str = "the end of the log could not be made durable at the start";

fn take_lock(files: &dyn Files, root: &Path) -> Result<Box<dyn journal::Lock>, Error> {
    let path = root.join("LOCK");
    let note = format!("process {}", std::process::id());
    files
        .lock(&path, &note)
        .map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => Error::Locked {
                dir: root.to_owned(),
                holder: source.to_string(),
            },
            _ => Error::Io {
                doing: "lock",
                path,
                source,
            },
        })
}

/// What is wrong with the list of segments, said and counted.
fn report_manifest(report: &ManifestReport, metrics: &StoreMetrics) -> Vec<String> {
    let mut findings = Vec::new();
    if let Some(why) = &report.rebuilt {
        metrics.damaged_lists.inc();
        tracing::error!(%why, "the list of segments was damaged and was made again from the segments");
        findings.push(format!("list of segments: {why}"));
    }
    if report.torn_bytes > 0 {
        tracing::warn!(
            bytes = report.torn_bytes,
            "an unfinished commit was cut off the list of segments"
        );
        findings.push(format!(
            "list of segments: {} bytes at its end are no whole commit",
            report.torn_bytes
        ));
    }
    for path in &report.unread {
        let path = path.display();
        tracing::error!(file = %path, "what a segment is can't be read; nothing is merged until a start can read it");
        findings.push(format!(
            "{path}: it can't be read; nothing is merged until a start can"
        ));
    }
    for id in &report.adopted {
        tracing::warn!(segment = %id, "a whole segment that the list did not name was taken in");
        findings.push(format!("list of segments: it did not name segment {id}"));
    }
    findings
}

/// What is wrong with the log, said and counted.
fn report_journal(
    report: &journal::ReplayReport,
    metrics: &StoreMetrics,
    findings: &mut Vec<String>,
) {
    if report.is_clean() {
        return;
    }
    tracing::warn!(
        ?report,
        "the log was not whole; what is missing in it is named here"
    );
    let lost: u64 = report
        .gaps
        .iter()
        .map(|gap| gap.end.saturating_sub(gap.start))
        .sum();
    metrics.damaged_log_places.inc_by(report.damage_count);
    metrics.lost_frames.inc_by(lost);
    let damage = report.damage.iter().map(|d| {
        format!(
            "log: {:?} at byte {} of {}",
            d.kind,
            d.offset,
            d.path.display()
        )
    });
    findings.extend(damage);
    findings.extend(
        report
            .gaps
            .iter()
            .map(|gap| format!("log: frames {} to {} are lost", gap.start, gap.end - 1)),
    );
    findings.extend(
        report
            .set_aside
            .iter()
            .map(|path| format!("log: {} was set aside", path.display())),
    );
    if report.is_last_batch_in_doubt {
        findings.push("log: its end could be read and not be made durable".to_owned());
    }
    if let Some(tail) = &report.torn_tail {
        findings.push(format!(
            "log: an append was cut short at byte {} of {}",
            tail.offset,
            tail.path.display()
        ));
    }
}

/// What the steps of opening share.
struct Opening<'a> {
    files: &'a Arc<dyn Files>,
    root: &'a Path,
    metrics: &'a StoreMetrics,
    progress: &'a dyn Fn(OpenProgress),
}

impl Opening<'_> {
    /// Opens the segments of the list; gives those that have lost bytes.
    fn segments(
        &self,
        manifest: &Manifest,
        cache: &Arc<SegmentCache>,
        state: &mut State,
        findings: &mut Vec<String>,
    ) -> Vec<SegmentId> {
        let listed = &manifest.contents().segments;
        let mut lengths: BTreeMap<PathBuf, Option<BTreeMap<String, u64>>> = BTreeMap::new();
        let mut damaged = Vec::new();
        for (done, listed) in listed.iter().enumerate() {
            (self.progress)(OpenProgress::Segments {
                done,
                all: manifest.contents().segments.len(),
            });
            let (meta, dir) = (&listed.meta, self.root.join(&listed.dir));
            let names = lengths
                .entry(dir.clone())
                .or_insert_with(|| lengths_in(self.files.as_ref(), &dir));
            // A folder that can't be listed now says nothing about its segments.
            let is_whole = names.as_ref().is_none_or(|names| {
                meta.files
                    .iter()
                    .all(|file| names.get(&file.name) == Some(&file.bytes))
            });
            if !is_whole {
                self.metrics.damaged_segments.inc();
                tracing::error!(segment = %meta.id, spans = meta.spans, "a segment's file is missing or was cut");
                findings.push(format!(
                    "segment {}: a file is missing or has another length",
                    meta.id
                ));
                damaged.push(meta.id);
            }
            match self.open_segment(listed, &dir, cache, findings) {
                Ok(segment) => place(segment, listed.clone(), state),
                Err(why) => {
                    tracing::error!(segment = %meta.id, %why, "the list says nonsense of a segment");
                }
            }
        }
        damaged
    }

    /// Opens a segment; an index that is damaged is made again from the data.
    fn open_segment(
        &self,
        listed: &Listed,
        dir: &Path,
        cache: &Arc<SegmentCache>,
        findings: &mut Vec<String>,
    ) -> Result<Segment, SegmentError> {
        let open = || {
            Segment::open(
                Arc::clone(self.files),
                dir,
                listed.meta.clone(),
                Arc::clone(cache),
            )
        };
        let segment = open()?;
        let why = match segment.catalogue().or_else(|_| segment.catalogue()) {
            Err(why) if why.kind() == SegmentErrorKind::Corrupt => why,
            _ => return Ok(segment),
        };
        self.metrics.damaged_segments.inc();
        tracing::warn!(segment = %listed.meta.id, %why, "the index of a segment is damaged and is made again");
        findings.push(format!("segment {}: {why}", listed.meta.id));
        if let Err(why) = segment.rebuild_sidecar() {
            tracing::error!(segment = %listed.meta.id, %why, "the index of a segment can't be made again");
            return Ok(segment);
        }
        // Opened anew: the old one may have the old file open.
        open()
    }

    /// Makes the list durable that names what was adopted: what its commit removed must not be swept before. False when
    /// that is not possible now, on a full disk for one; the next start tries again.
    fn keep_adopted(&self, manifest: &mut Manifest, report: &ManifestReport) -> bool {
        if report.adopted.is_empty() {
            return true;
        }
        let dirs = manifest.contents().segments.iter();
        let dirs: BTreeSet<PathBuf> = dirs.map(|listed| self.root.join(&listed.dir)).collect();
        let synced = dirs
            .iter()
            .try_for_each(|dir| self.files.sync_dir(dir).map_err(Error::io("sync", dir)));
        match synced.and_then(|()| manifest.commit(&[])) {
            Ok(()) => true,
            Err(why) => {
                tracing::warn!(%why, "could not write the list of segments anew; leftovers stay until it is");
                false
            }
        }
    }

    /// Removes files that no segment of the list names: what a crash left of a freeze, whose spans are still in the
    /// log, or of a removal. After damage to the list they are only moved out of the way.
    fn sweep_leftovers(&self, manifest: &Manifest, report: &ManifestReport) {
        let mut known: HashSet<PathBuf> = HashSet::new();
        for listed in &manifest.contents().segments {
            let dir = self.root.join(&listed.dir);
            known.extend(listed.meta.files.iter().map(|file| dir.join(&file.name)));
            known.insert(meta_path(self.root, listed));
        }
        let unread: Vec<PathBuf> = report
            .unread
            .iter()
            .map(|meta| meta.with_extension(""))
            .collect();
        let is_unread = |file: &Path| unread.iter().any(|of| starts_with_name(file, of));
        for dir in segment_dirs(self.files.as_ref(), self.root).unwrap_or_default() {
            let path = self.root.join(&dir);
            let mut left = 0;
            let mut entries = self.files.list(&path).unwrap_or_default();
            // A `.meta` that is found must find all that it names, so it goes first.
            entries.sort_by_key(|entry| !entry.name.ends_with(".meta"));
            for entry in entries {
                let file = path.join(&entry.name);
                left += 1;
                if entry.is_dir || known.contains(&file) || is_unread(&file) {
                    continue;
                }
                let swept = if report.rebuilt.is_some() {
                    self.set_aside(&dir, &file)
                } else {
                    self.files.remove(&file)
                };
                match swept {
                    Ok(()) => {
                        left -= 1;
                        tracing::info!(file = %file.display(), "swept what an interrupted write left over");
                    }
                    Err(why) => {
                        tracing::warn!(file = %file.display(), %why, "could not sweep a leftover");
                    }
                }
            }
            if left == 0 {
                // Best effort: an empty folder of a past day costs next to nothing.
                self.files
                    .sync_dir(&path)
                    .and_then(|()| self.files.remove_dir(&path))
                    .ok();
            }
        }
    }

    fn set_aside(&self, dir: &Path, file: &Path) -> io::Result<()> {
        let quarantine = self
            .root
            .join("quarantine")
            .join(dir.file_name().unwrap_or_default());
        self.files.create_dir_all(&quarantine)?;
        self.files
            .rename(file, &quarantine.join(file.file_name().unwrap_or_default()))
    }
}

fn starts_with_name(file: &Path, of: &Path) -> bool {
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    file.parent() == of.parent() && name(file).starts_with(&name(of))
}

fn lengths_in(files: &dyn Files, dir: &Path) -> Option<BTreeMap<String, u64>> {
    match files.list(dir).or_else(|_| files.list(dir)) {
        Ok(entries) => Some(
            entries
                .into_iter()
                .map(|entry| (entry.name, entry.len))
                .collect(),
        ),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Some(BTreeMap::new()),
        Err(_) => None,
    }
}

fn place(segment: Segment, listed: Listed, state: &mut State) {
    let tenant = state.tenants.entry(listed.meta.tenant.clone()).or_default();
    add_names_of(&segment, &mut tenant.names);
    tenant.add_segment(Arc::new(Placed::new(listed, segment)));
}

/// Adds the services and operations of a segment.
pub(crate) fn add_names_of(segment: &Segment, names: &mut Names) {
    // Once more, since a name that is missing is missed by every question.
    match segment.catalogue().or_else(|_| segment.catalogue()) {
        Ok(catalogue) => names.add_catalogue(&catalogue),
        Err(why) => {
            tracing::error!(segment = %segment.meta().id, %why, "a segment's services and operations can't be read");
        }
    }
}

/// Which frames of the log are in segments already.
#[derive(Debug)]
struct Covered {
    ranges: BTreeMap<TenantId, Vec<(u64, u64)>>,
}

impl Covered {
    /// Of the segments that are whole: what the others have lost may still be in the log.
    fn of(manifest: &Manifest, damaged: &[SegmentId]) -> Self {
        let mut ranges: BTreeMap<TenantId, Vec<(u64, u64)>> = BTreeMap::new();
        let contents = manifest.contents();
        let listed = contents
            .segments
            .iter()
            .filter(|listed| !damaged.contains(&listed.meta.id));
        // What lies below the floor is not replayed anyway.
        for listed in listed.filter(|listed| listed.meta.id.last_sequence >= contents.floor) {
            let meta = &listed.meta;
            ranges
                .entry(meta.tenant.clone())
                .or_default()
                .push((meta.id.first_sequence, meta.id.last_sequence));
        }
        Self { ranges }
    }

    fn contains(&self, tenant: &TenantId, sequence: u64) -> bool {
        let Some(ranges) = self.ranges.get(tenant) else {
            return false;
        };
        ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&sequence))
    }
}

/// Takes frames of the log back into heads.
struct Replay<'a> {
    state: &'a mut State,
    covered: Covered,
    metrics: &'a StoreMetrics,
    now: u64,
    unix_now: u64,
    frames: u64,
    progress: &'a dyn Fn(OpenProgress),
}

impl Replay<'_> {
    #[allow(
        clippy::needless_pass_by_value,
        clippy::unnecessary_wraps,
        reason = "the journal's visitor has this form"
    )]
    fn take(&mut self, frame: journal::Frame) -> Result<(), journal::VisitError> {
        self.frames += 1;
        if self.frames.is_multiple_of(64) {
            (self.progress)(OpenProgress::Replay {
                frames: self.frames,
            });
        }
        if frame.kind != FrameKind::Otlp {
            return Ok(());
        }
        let tenant = match TenantId::parse(&frame.tenant) {
            Ok(tenant) => tenant,
            Err(why) => {
                tracing::error!(sequence = frame.sequence, %why, "a frame of the log was passed over");
                return Ok(());
            }
        };
        // An old one may since have been removed by retention: then its repeat is no repeat.
        if plumbing::planted("store-old-requests-remembered")
            || RecentRequests::is_recent(self.unix_now.saturating_sub(frame.received_unix_nanos))
        {
            self.state
                .recent
                .insert(request_hash(&tenant, &frame.payload), self.now);
        }
        if self.covered.contains(&tenant, frame.sequence) {
            return Ok(());
        }
        // The frame's checksum held, so this is a fault of the decoder, not of the disk: the start goes on.
        let decoded = match codec::otlp::decode_proto(&frame.payload) {
            Ok(decoded) => decoded,
            Err(why) => {
                tracing::error!(sequence = frame.sequence, %why, "a frame of the log could not be decoded");
                return Ok(());
            }
        };
        self.metrics
            .replayed_spans
            .inc_by(decoded.batch.len() as u64);
        let names = Names::of_batch(&decoded.batch);
        let tenant = self.state.tenants.entry(tenant).or_default();
        tenant.names.absorb(names);
        tenant.head.push(
            crate::head::Chunk::new(decoded.batch),
            frame.sequence,
            self.now,
        );
        Ok(())
    }
}

impl Engine {
    /// Sets the gauges that are read off the state.
    pub(crate) fn refresh_gauges(&self) {
        let is_writable = self.refusal().is_none();
        let journal = lock(&self.journal).stats();
        let state = lock(&self.state);
        let (mut spans, mut bytes, mut segments, mut segment_spans, mut segment_bytes) =
            (0, 0, 0, 0, 0);
        for tenant in state.tenants.values() {
            for head in tenant.heads() {
                spans += head.spans as u64;
                bytes += head.bytes as u64;
            }
            segments += tenant.segments.len() as u64;
            segment_spans += tenant
                .segments
                .iter()
                .map(|s| s.listed.meta.spans)
                .sum::<u64>();
            segment_bytes += tenant.placed().map(|s| s.listed.meta.bytes()).sum::<u64>();
        }
        drop(state);
        let gauges = [
            (&self.metrics.head_spans, spans),
            (&self.metrics.head_bytes, bytes),
            (&self.metrics.segments, segments),
            (&self.metrics.segment_spans, segment_spans),
            (&self.metrics.segment_bytes, segment_bytes),
            (&self.metrics.journal_bytes, journal.bytes),
            (&self.metrics.is_writable, u64::from(is_writable)),
        ];
        set_gauges(gauges);
    }
}
