//! Opening a data folder: what a crash may have left is put in order, and nothing that is damaged stops the start.
//!
//! Steps: take the lock, check the format, read the manifest, look at its segments, set aside what is damaged and
//! what a crash left over, replay the log into heads. A frame whose spans are in a segment already is passed over.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use journal::{Files, FrameKind, Journal, Level, OpenMode, Options, read_to_end, write_file_durably};
use model::TenantId;
use model::contract::Operation;

use crate::engine::{Engine, Names, Placed, State, add_names, lock};
use crate::error::Error;
use crate::manifest::{Edit, Listed, Manifest, meta_path, segment_dirs};
use crate::metrics::StoreMetrics;
use crate::options::{OpenProgress, StoreOptions, StoreParts};
use crate::recent::request_hash;
use crate::segment::{Segment, SegmentCache};

/// The newest format that is read and written here.
const FORMAT: u32 = 1;

/// The store's identity, which its log carries.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct FormatFile {
    format: u32,
    store_id: String,
}

impl Engine {
    /// Opens a data folder.
    pub(crate) fn open(
        options: StoreOptions,
        parts: StoreParts<'_>,
        progress: &dyn Fn(OpenProgress),
    ) -> Result<Self, Error> {
        let root = options.dir.clone();
        let files = parts.files;
        files.create_dir_all(&root).map_err(Error::io("create", &root))?;
        let held = take_lock(files.as_ref(), &root)?;
        let store_id = check_format(files.as_ref(), &root, parts.random.as_ref())?;
        let (mut manifest, report) = Manifest::open(Arc::clone(&files), &root)?;
        if let Some(why) = &report.rebuilt {
            tracing::warn!(%why, "the list of segments was damaged and was made again from the segments");
        }
        if report.torn_bytes > 0 {
            tracing::warn!(bytes = report.torn_bytes, "an unfinished commit was cut off the list of segments");
        }
        let metrics = StoreMetrics::register(parts.metrics);
        let cache = Arc::new(SegmentCache::new(options.cache_bytes));
        let mut state = State::default();
        open_segments(&files, &root, &mut manifest, &cache, &metrics, &mut state, progress)?;
        sweep_leftovers(files.as_ref(), &root, &manifest)?;
        let floor = manifest.contents().floor;
        let covered = Covered::of(&manifest);
        let now = parts.clock.monotonic_nanos();
        let mut replay = Replay { state: &mut state, covered, metrics: &metrics, now, frames: 0, progress };
        let journal_options =
            Options { file_bytes: options.journal_file_bytes, spare_files: 2, level: options.level };
        let wal = root.join("wal");
        let mut take = |frame| replay.take(frame);
        let (journal, report) =
            Journal::open(Arc::clone(&files), &wal, store_id, journal_options, floor, &mut take)?;
        if !report.is_clean() {
            tracing::warn!(?report, "the log was not whole; what is missing in it is named here");
        }
        metrics.acknowledgement_level.set(match options.level {
            Level::Sync => 2,
            Level::PageCache => 1,
            Level::Memory => 0,
        });
        Ok(Self {
            files,
            clock: parts.clock,
            options,
            metrics,
            cache,
            journal: Mutex::new(journal),
            manifest: Mutex::new(manifest),
            commit_gate: Mutex::new(()),
            state: Mutex::new(state),
            is_urgent: AtomicBool::new(false),
            is_fatal: AtomicBool::new(false),
            _lock: held,
        })
    }
}

fn take_lock(files: &dyn Files, root: &Path) -> Result<Box<dyn journal::Lock>, Error> {
    let path = root.join("LOCK");
    let note = format!("process {}", std::process::id());
    files.lock(&path, &note).map_err(|source| match source.kind() {
        io::ErrorKind::WouldBlock => Error::Locked { dir: root.to_owned(), holder: source.to_string() },
        _ => Error::Io { doing: "lock", path, source },
    })
}

fn check_format(files: &dyn Files, root: &Path, random: &dyn plumbing::Random) -> Result<u128, Error> {
    let path = root.join("FORMAT");
    let found = match files.open(&path, OpenMode::Read).and_then(|file| read_to_end(file.as_ref())) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return start_format(files, root, random),
        Err(e) => return Err(Error::io("read", &path)(e)),
    };
    let refuse = |found: String| Error::Format { dir: root.to_owned(), found, known: FORMAT };
    // A damaged FORMAT must not cost the data: the id is written twice, and either copy will do.
    let text = String::from_utf8_lossy(&found).into_owned();
    for line in text.lines() {
        let Some((json, crc)) = line.rsplit_once(' ') else { continue };
        if crc != format!("{:08x}", crc32c::crc32c(json.as_bytes())) {
            continue;
        }
        let Ok(file) = serde_json::from_str::<FormatFile>(json) else { continue };
        let id = u128::from_str_radix(&file.store_id, 16).ok().filter(|_| file.format <= FORMAT);
        return id.ok_or_else(|| refuse(file.format.to_string()));
    }
    Err(refuse(format!("{:?}", text.chars().take(40).collect::<String>())))
}

fn start_format(files: &dyn Files, root: &Path, random: &dyn plumbing::Random) -> Result<u128, Error> {
    let store_id = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let file = FormatFile { format: FORMAT, store_id: format!("{store_id:032x}") };
    let json = serde_json::to_string(&file).map_err(|e| Error::Manifest { reason: e.to_string() })?;
    let line = format!("{json} {:08x}\n", crc32c::crc32c(json.as_bytes()));
    let path = root.join("FORMAT");
    write_file_durably(files, &path, line.repeat(2).as_bytes()).map_err(Error::io("write", &path))?;
    Ok(store_id)
}

/// Opens the segments of the list; what is missing or cut is set aside and taken off the list.
fn open_segments(
    files: &Arc<dyn Files>,
    root: &Path,
    manifest: &mut Manifest,
    cache: &Arc<SegmentCache>,
    metrics: &StoreMetrics,
    state: &mut State,
    progress: &dyn Fn(OpenProgress),
) -> Result<(), Error> {
    let listed = manifest.contents().segments.clone();
    let all = listed.len();
    let mut lengths: BTreeMap<PathBuf, BTreeMap<String, u64>> = BTreeMap::new();
    let mut removals = Vec::new();
    for (done, listed) in listed.into_iter().enumerate() {
        progress(OpenProgress::Segments { done, all });
        let dir = root.join(&listed.dir);
        let names = lengths.entry(dir.clone()).or_insert_with(|| lengths_in(files.as_ref(), &dir));
        let is_whole = listed.meta.files.iter().all(|file| names.get(&file.name) == Some(&file.bytes));
        let opened = if is_whole {
            Segment::open(Arc::clone(files), &dir, listed.meta.clone(), Arc::clone(cache)).map_err(Error::from)
        } else {
            Err(Error::Manifest { reason: "a file is missing or has another length".to_owned() })
        };
        match opened {
            Ok(segment) => place(segment, listed, metrics, state),
            Err(why) => {
                metrics.damaged_segments.inc();
                tracing::error!(segment = %listed.meta.id, spans = listed.meta.spans, %why, "a segment is damaged and was set aside");
                set_aside(files.as_ref(), root, &listed)?;
                let tenant = listed.meta.tenant.as_str().to_owned();
                removals.push(Edit::Remove { tenant, id: listed.meta.id, why: "damage".to_owned() });
            }
        }
    }
    if !removals.is_empty() {
        manifest.commit(&removals)?;
    }
    Ok(())
}

fn lengths_in(files: &dyn Files, dir: &Path) -> BTreeMap<String, u64> {
    let entries = files.list(dir).unwrap_or_default();
    entries.into_iter().map(|entry| (entry.name, entry.len)).collect()
}

fn place(segment: Segment, listed: Listed, metrics: &StoreMetrics, state: &mut State) {
    let names = names_of_segment(&segment, metrics);
    let tenant = state.tenants.entry(listed.meta.tenant.clone()).or_default();
    add_names(&mut tenant.names, names);
    let mut segments = std::mem::take(&mut tenant.segments);
    Arc::make_mut(&mut segments).push(Arc::new(Placed::new(listed, segment)));
    tenant.segments = segments;
}

/// The services and operations of a segment. A sidecar that can't be read is made again from the data.
pub(crate) fn names_of_segment(segment: &Segment, metrics: &StoreMetrics) -> Names {
    let read = segment.catalogue().or_else(|why| {
        metrics.damaged_segments.inc();
        tracing::warn!(segment = %segment.meta().id, %why, "the index of a segment is damaged and is made again");
        segment.rebuild_sidecar()?;
        segment.catalogue()
    });
    let catalogue = match read {
        Ok(catalogue) => catalogue,
        Err(why) => {
            tracing::error!(segment = %segment.meta().id, %why, "a segment's services and operations can't be read");
            return Names::new();
        }
    };
    let mut names = Names::new();
    for service in &catalogue.services {
        let operations = catalogue.operations_of(service);
        let known = operations.map(|o| Operation { name: o.name.clone(), kind: o.kind });
        names.insert(service.clone(), known.collect::<BTreeSet<_>>());
    }
    names
}

/// Moves a segment's files to `quarantine/`; they are never deleted.
pub(crate) fn set_aside(files: &dyn Files, root: &Path, listed: &Listed) -> Result<(), Error> {
    let quarantine = root.join("quarantine");
    files.create_dir_all(&quarantine).map_err(Error::io("create", &quarantine))?;
    let dir = root.join(&listed.dir);
    let names = listed.meta.files.iter().map(|file| dir.join(&file.name)).chain([meta_path(root, listed)]);
    for path in names {
        let Some(name) = path.file_name() else { continue };
        let target = quarantine.join(format!("{}-{}", listed.meta.tenant, name.to_string_lossy()));
        match files.rename(&path, &target) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io("set aside", &path)(e)),
            _ => {}
        }
    }
    files.sync_dir(&quarantine).map_err(Error::io("sync", &quarantine))?;
    files.sync_dir(&dir).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
        .map_err(Error::io("sync", &dir))
}

/// Removes files that no segment of the list names: what a crash left of a freeze, whose spans are still in the log,
/// or of a removal.
fn sweep_leftovers(files: &dyn Files, root: &Path, manifest: &Manifest) -> Result<(), Error> {
    let mut known: HashSet<PathBuf> = HashSet::new();
    for listed in &manifest.contents().segments {
        let dir = root.join(&listed.dir);
        known.extend(listed.meta.files.iter().map(|file| dir.join(&file.name)));
        known.insert(meta_path(root, listed));
    }
    for dir in segment_dirs(files, root)? {
        let path = root.join(dir);
        for entry in files.list(&path).map_err(Error::io("list", &path))? {
            let file = path.join(&entry.name);
            if !entry.is_dir && !known.contains(&file) {
                tracing::info!(file = %file.display(), "removed what an interrupted write left over");
                files.remove(&file).map_err(Error::io("remove", &file))?;
            }
        }
    }
    Ok(())
}

/// Which frames of the log are in segments already.
#[derive(Debug)]
struct Covered {
    ranges: BTreeMap<TenantId, Vec<(u64, u64)>>,
}

impl Covered {
    fn of(manifest: &Manifest) -> Self {
        let mut ranges: BTreeMap<TenantId, Vec<(u64, u64)>> = BTreeMap::new();
        for listed in &manifest.contents().segments {
            let meta = &listed.meta;
            ranges.entry(meta.tenant.clone()).or_default().push((meta.id.first_sequence, meta.id.last_sequence));
        }
        ranges.values_mut().for_each(|ranges| ranges.sort_unstable());
        Self { ranges }
    }

    fn contains(&self, tenant: &TenantId, sequence: u64) -> bool {
        let Some(ranges) = self.ranges.get(tenant) else { return false };
        let behind = ranges.partition_point(|(first, _)| *first <= sequence);
        let before = behind.checked_sub(1).and_then(|at| ranges.get(at));
        before.is_some_and(|(_, last)| sequence <= *last)
    }
}

/// Takes frames of the log back into heads.
struct Replay<'a> {
    state: &'a mut State,
    covered: Covered,
    metrics: &'a StoreMetrics,
    now: u64,
    frames: u64,
    progress: &'a dyn Fn(OpenProgress),
}

impl Replay<'_> {
    fn take(&mut self, frame: journal::Frame) -> Result<(), journal::VisitError> {
        self.frames += 1;
        if self.frames % 64 == 0 {
            (self.progress)(OpenProgress::Replay { frames: self.frames });
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
        self.state.recent.insert(request_hash(&tenant, &frame.payload), self.now);
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
        self.metrics.replayed_spans.inc_by(decoded.batch.len() as u64);
        let names = crate::engine::names_of(&decoded.batch);
        let tenant = self.state.tenants.entry(tenant).or_default();
        add_names(&mut tenant.names, names);
        tenant.head.push(crate::head::Chunk::new(decoded.batch), frame.sequence, self.now);
        Ok(())
    }
}

impl Engine {
    /// Sets the gauges that are read off the state.
    pub(crate) fn refresh_gauges(&self) {
        let journal = lock(&self.journal).stats();
        let state = lock(&self.state);
        let (mut spans, mut bytes, mut segments, mut segment_spans, mut segment_bytes) = (0, 0, 0, 0, 0);
        for tenant in state.tenants.values() {
            for head in tenant.freezing.iter().map(AsRef::as_ref).chain([&tenant.head]) {
                spans += head.spans as u64;
                bytes += head.bytes as u64;
            }
            segments += tenant.segments.len() as u64;
            segment_spans += tenant.segments.iter().map(|s| s.listed.meta.spans).sum::<u64>();
            segment_bytes += tenant.segments.iter().map(|s| s.listed.meta.bytes()).sum::<u64>();
        }
        let is_writable = state.refusal.is_none();
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
        for (gauge, value) in gauges {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }
}
