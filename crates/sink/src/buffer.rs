//! The buffer on the disk: one thread that owns the journal, and the orders that it is given.
//!
//! Promises
//! - A batch is answered when its frame is as safe as the level says; many batches share one sync.
//! - Frames are let go only below the floor, which is confirmed by the one who delivers. How far that was is a frame of
//!   the journal itself, so it is written with the next batch and costs no sync of its own.
//! - The folder does not grow beyond its limit; a full disk is a refusal, and passes by itself.
//!
//! A crash may lose the last confirmations: what they were about is then sent once more.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use codec::otlp::ResourceAttributes;
use journal::{
    Cursor, ErrorKind, Files, Frame, FrameKind, Journal, NewFrame, OpenMode, Options, ReadOn,
    RealFiles, read_to_end, write_file_durably,
};
use model::contract::{IncomingBatch, Kept, WriteError};
use plumbing::{Clock, Random};
use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};

use crate::error::Error;
use crate::metrics::{SinkMetrics, gauge};
use crate::options::BufferOptions;
use crate::set_aside::SetAside;
use crate::words::Words;

/// Bytes after which a group is not made larger.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// Sizes of a file of the journal: a sixteenth of the buffer, within these.
const FILE_BYTES_MIN: u64 = 64 << 10;
const FILE_BYTES_MAX: u64 = 8 << 20;
/// What frames leave free of the buffer, in files: the rest of the one that is written, and a spare.
const FILES_FREE: u64 = 2;
/// A frame's header and padding, at most.
const FRAME_OVERHEAD_BYTES: u64 = 48;

/// What the thread is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Keep a batch.
    Write(
        Box<IncomingBatch>,
        oneshot::Sender<Result<Kept, WriteError>>,
    ),
    /// Read on, so many bytes or a little more.
    Read(Cursor, u64, oneshot::Sender<ReadAnswer>),
    /// Frames below this sequence are delivered.
    Confirm(u64),
    /// Keep a batch where somebody can look at it; the error is why it can't be now.
    SetAside(Box<Frame>, oneshot::Sender<Result<(), String>>),
    /// Look whether a disk that was full has room again.
    Look,
}

/// The cursor as it stands then, and what was read.
pub(crate) type ReadAnswer = (Cursor, Result<ReadOn, journal::Error>);

/// What others see of the buffer.
#[derive(Debug)]
pub(crate) struct BufferState {
    pub(crate) words: &'static Words,
    /// Why the disk takes nothing at the moment.
    disk_refusal: Mutex<Option<String>>,
    /// Why the buffer has no room at the moment.
    full: AtomicBool,
    /// Nothing can be made durable any more.
    pub(crate) is_fatal: AtomicBool,
    /// Spans and batches that are not confirmed.
    pub(crate) waiting_spans: AtomicI64,
    pub(crate) waiting_frames: AtomicI64,
}

impl BufferState {
    fn new(words: &'static Words) -> Self {
        Self {
            words,
            disk_refusal: Mutex::default(),
            full: AtomicBool::default(),
            is_fatal: AtomicBool::default(),
            waiting_spans: AtomicI64::default(),
            waiting_frames: AtomicI64::default(),
        }
    }

    pub(crate) fn refusal(&self) -> Option<String> {
        let disk = self
            .disk_refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let is_full = || self.full.load(Ordering::Acquire);
        disk.or_else(|| is_full().then(|| self.words.full.to_owned()))
    }

    fn add_waiting(&self, frames: i64, spans: u64) {
        self.waiting_frames.fetch_add(frames, Ordering::AcqRel);
        self.waiting_spans.fetch_add(gauge(spans), Ordering::AcqRel);
    }

    /// What was answered for waits no longer.
    pub(crate) fn take_waiting(&self, frames: usize, spans: u64) {
        let frames = i64::try_from(frames).unwrap_or(i64::MAX);
        self.waiting_frames.fetch_sub(frames, Ordering::AcqRel);
        self.waiting_spans.fetch_sub(gauge(spans), Ordering::AcqRel);
    }

    fn set_disk_refusal(&self, why: Option<String>) {
        *self
            .disk_refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// How much was ever written, for the one who reads on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The sequence behind the last frame.
    pub(crate) end: u64,
    /// Bytes of all payloads, with those that the start found.
    pub(crate) bytes: u64,
}

/// The thread's own.
#[derive(Debug)]
pub(crate) struct Buffer {
    journal: Journal,
    state: Arc<BufferState>,
    metrics: SinkMetrics,
    clock: Arc<dyn Clock>,
    attributes: ResourceAttributes,
    bytes_max: u64,
    file_bytes: u64,
    written: watch::Sender<Written>,
    /// Frames below are delivered, and whether the journal says so.
    floor: u64,
    is_floor_written: bool,
    aside: SetAside,
    _lock: Box<dyn journal::Lock>,
}

/// Batches that are made durable together.
#[derive(Debug, Default)]
struct Group {
    batches: Vec<Waiting>,
    bytes: usize,
    confirms: bool,
}

#[derive(Debug)]
struct Waiting {
    tenant: String,
    spans: u64,
    payload: Bytes,
    tell: oneshot::Sender<Result<Kept, WriteError>>,
}

/// What a buffer stands on.
#[derive(Debug)]
pub(crate) struct BufferParts<'a> {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: &'a dyn Random,
    pub(crate) metrics: SinkMetrics,
    pub(crate) attributes: ResourceAttributes,
    pub(crate) words: &'static Words,
}

impl<'a> BufferParts<'a> {
    pub(crate) fn on_real_files(
        clock: Arc<dyn Clock>,
        random: &'a dyn Random,
        metrics: SinkMetrics,
        attributes: ResourceAttributes,
        words: &'static Words,
    ) -> Self {
        Self {
            files: Arc::new(RealFiles),
            clock,
            random,
            metrics,
            attributes,
            words,
        }
    }
}

impl Buffer {
    /// Opens the folder; gives the sequence from which on frames are to be delivered. Blocks.
    pub(crate) fn open(
        options: &BufferOptions,
        parts: BufferParts<'_>,
    ) -> Result<(Self, u64), Error> {
        let dir = &options.dir;
        let io = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io {
                doing,
                path,
                source,
            }
        };
        parts.files.create_dir_all(dir).map_err(io("create", dir))?;
        let lock = take_lock(parts.files.as_ref(), dir, parts.words)?;
        let identity = identity(parts.files.as_ref(), parts.random, dir)?;
        let file_bytes = (options.bytes_max / 16).clamp(FILE_BYTES_MIN, FILE_BYTES_MAX);
        let journal_options = Options {
            file_bytes,
            spare_files: 1,
            level: options.level,
        };
        let wal = dir.join("wal");
        parts
            .files
            .create_dir_all(&wal)
            .map_err(io("create", &wal))?;
        let open = |floor, visit: &mut dyn FnMut(Frame)| {
            let files = Arc::clone(&parts.files);
            Journal::open(
                files,
                &wal,
                identity,
                journal_options,
                floor,
                &mut |frame| {
                    visit(frame);
                    Ok(())
                },
            )
        };
        // How far was delivered stands behind the frames that it is about, so it is looked for first.
        let mut floor = 1;
        open(1, &mut |frame| floor = floor.max(confirmed_by(&frame)))?;
        let (state, mut bytes) = (Arc::new(BufferState::new(parts.words)), 0);
        let (journal, report) = open(floor, &mut |frame| {
            if frame.kind == FrameKind::Otlp {
                bytes += frame.payload.len() as u64;
                state.add_waiting(1, u64::from(frame.span_count));
            }
        })?;
        if !report.is_clean() {
            tracing::warn!(
                ?report,
                "the buffer was not whole; what is missing in it is named here"
            );
        }
        let start = Written {
            end: journal.next_sequence(),
            bytes,
        };
        parts.metrics.held_bytes_max.set(gauge(options.bytes_max));
        let aside = SetAside::open(parts.files, dir, options.bytes_max).map_err(io("list", dir))?;
        let buffer = Self {
            aside,
            state,
            metrics: parts.metrics,
            clock: parts.clock,
            attributes: parts.attributes,
            bytes_max: options.bytes_max,
            file_bytes,
            written: watch::Sender::new(start),
            floor,
            is_floor_written: true,
            journal,
            _lock: lock,
        };
        buffer.show();
        Ok((buffer, floor))
    }

    pub(crate) fn state(&self) -> Arc<BufferState> {
        Arc::clone(&self.state)
    }

    pub(crate) fn written(&self) -> watch::Receiver<Written> {
        self.written.subscribe()
    }

    /// Follows orders until nobody is left to give any.
    pub(crate) fn run(mut self, mut orders: Receiver<Order>) {
        while let Some(order) = orders.blocking_recv() {
            let mut group = Group::default();
            self.follow(order, &mut group);
            while group.bytes < GROUP_BYTES_MAX {
                let Ok(order) = orders.try_recv() else { break };
                self.follow(order, &mut group);
            }
            self.commit(group);
        }
        self.commit(Group {
            confirms: true,
            ..Group::default()
        });
    }

    /// Does what can be done at once, and adds the rest to the group.
    fn follow(&mut self, order: Order, group: &mut Group) {
        match order {
            Order::Write(incoming, tell) => self.prepare(*incoming, tell, group),
            Order::Read(mut cursor, bytes_max, tell) => {
                let read = self.journal.read_on(&mut cursor, bytes_max);
                // Whoever asked may have been stopped; it reads again at the next start.
                drop(tell.send((cursor, read)));
            }
            Order::Confirm(floor) => {
                if floor > self.floor {
                    self.floor = floor;
                    self.is_floor_written = false;
                }
                group.confirms = true;
            }
            Order::SetAside(frame, tell) => {
                // Whoever asked may have been stopped; the batch is then delivered after the next start.
                drop(tell.send(self.aside.keep(&frame)));
            }
            Order::Look => self.look(),
        }
    }

    /// Gives a batch what its resources lack, and refuses what there is no room for.
    fn prepare(
        &self,
        incoming: IncomingBatch,
        tell: oneshot::Sender<Result<Kept, WriteError>>,
        group: &mut Group,
    ) {
        let spans = incoming.batch.len() as u64;
        let tenant = incoming.tenant.as_str().to_owned();
        drop(incoming.batch);
        let added = (!self.attributes.is_empty()).then(|| self.attributes.added_to(&incoming.otlp));
        let payload = match added {
            Some(Ok(Cow::Owned(changed))) => Bytes::from(changed),
            // What can't be walked over is kept as it is: the receiver could read it.
            Some(Ok(Cow::Borrowed(_)) | Err(_)) | None => incoming.otlp.clone(),
        };
        let bytes = payload.len() as u64 + FRAME_OVERHEAD_BYTES;
        let room = self.bytes_max.saturating_sub(FILES_FREE * self.file_bytes);
        let held = self.journal.held_bytes() + self.aside.bytes() + group.bytes as u64;
        if bytes > room || payload.len() > journal::FRAME_PAYLOAD_BYTES_MAX {
            self.metrics.refuse("too_large");
            let reason = format!("a batch of {bytes} bytes does not fit into the buffer");
            return answer(tell, Err(WriteError::Failed { reason }));
        }
        let is_full = held + bytes > room && !plumbing::planted("sink-buffer-unbounded");
        self.state.full.store(is_full, Ordering::Release);
        if is_full {
            self.metrics.refuse("full");
            let reason = self.state.words.full.to_owned();
            return answer(tell, Err(WriteError::Unavailable { reason }));
        }
        group.bytes += usize::try_from(bytes).unwrap_or(usize::MAX);
        group.batches.push(Waiting {
            tenant,
            spans,
            payload,
            tell,
        });
    }

    /// Makes a group durable, answers its senders, and lets go of what is delivered.
    fn commit(&mut self, mut group: Group) {
        let confirms = group.confirms && !self.is_floor_written;
        if group.batches.is_empty() && !confirms {
            return self.show();
        }
        if plumbing::planted("sink-acknowledge-early") {
            for waiting in &mut group.batches {
                let (nobody, _) = oneshot::channel();
                let tell = std::mem::replace(&mut waiting.tell, nobody);
                answer(tell, Ok(kept(waiting.spans)));
            }
        }
        let floor = self.floor.to_le_bytes();
        let received_unix_nanos = self.clock.unix_nanos();
        let frame = |kind, tenant, spans: u64, payload| NewFrame {
            kind,
            tenant,
            received_unix_nanos,
            span_count: u32::try_from(spans).unwrap_or(u32::MAX),
            payload,
        };
        let batches = group.batches.iter();
        let mut frames: Vec<NewFrame<'_>> = batches
            .map(|one| {
                frame(
                    FrameKind::Otlp,
                    one.tenant.as_str(),
                    one.spans,
                    &*one.payload,
                )
            })
            .collect();
        if confirms {
            frames.push(frame(FrameKind::Command, "", 0, &floor));
        }
        let appended = self.journal.append(&frames);
        drop(frames);
        let refusal = match appended {
            Ok(_) => {
                self.is_floor_written |= confirms;
                self.state.set_disk_refusal(None);
                None
            }
            Err(error) => Some(self.refusal_of(&error)),
        };
        if confirms {
            // Even when the disk was too full to say so: what is removed was delivered, and makes room.
            self.release();
        }
        self.tell(group.batches, refusal.as_ref());
        self.show();
    }

    fn tell(&self, batches: Vec<Waiting>, refusal: Option<&WriteError>) {
        if refusal.is_none() {
            let (mut bytes, mut spans) = (0, 0);
            for one in &batches {
                bytes += one.payload.len() as u64;
                spans += one.spans;
            }
            let frames = i64::try_from(batches.len()).unwrap_or(i64::MAX);
            self.state.add_waiting(frames, spans);
            self.metrics.buffered_spans.inc_by(spans);
            self.written.send_modify(|written| {
                written.end = self.journal.next_sequence();
                written.bytes += bytes;
            });
        }
        for one in batches {
            let told = match refusal {
                None => Ok(kept(one.spans)),
                Some(refusal) => {
                    self.metrics.refuse("disk");
                    Err(refusal.clone())
                }
            };
            answer(one.tell, told);
        }
    }

    /// Decides what a failure of the journal means for the senders.
    fn refusal_of(&self, error: &journal::Error) -> WriteError {
        let mut reason = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            reason = format!("{reason}: {source}");
        }
        let was_refused = self.state.refusal().is_some();
        match error.kind() {
            // A full disk is said once, not for every batch that it turns away.
            ErrorKind::Full | ErrorKind::Io if was_refused => {}
            _ => tracing::error!(error = %reason, "the buffer could not be written"),
        }
        match error.kind() {
            ErrorKind::SyncFailed => WriteError::Busy { reason },
            ErrorKind::Full | ErrorKind::Io => {
                self.state.set_disk_refusal(Some(reason.clone()));
                WriteError::Unavailable { reason }
            }
            ErrorKind::Fatal => {
                self.state.is_fatal.store(true, Ordering::Release);
                self.state.set_disk_refusal(Some(reason.clone()));
                WriteError::Failed { reason }
            }
            ErrorKind::Corrupt | ErrorKind::Visit | ErrorKind::Bug => WriteError::Failed { reason },
        }
    }

    fn release(&mut self) {
        if let Err(error) = self.journal.release_below(self.floor) {
            tracing::warn!(%error, "files of the buffer could not be removed; it is tried again");
        }
        let room = self.bytes_max.saturating_sub(FILES_FREE * self.file_bytes);
        if self.journal.held_bytes() + self.aside.bytes() <= room - room / 8 {
            self.state.full.store(false, Ordering::Release);
        }
    }

    /// Finds out whether a disk that was full has room again, even if nobody sends.
    fn look(&mut self) {
        if self.state.is_fatal.load(Ordering::Acquire) {
            return;
        }
        if self.journal.prepare_spare().is_ok() {
            self.state.set_disk_refusal(None);
        }
    }

    fn show(&self) {
        self.metrics
            .held_bytes
            .set(gauge(self.journal.held_bytes() + self.aside.bytes()));
        let is_writable = self.state.refusal().is_none();
        self.metrics.is_writable.set(i64::from(is_writable));
    }
}

fn kept(spans: u64) -> Kept {
    Kept {
        spans,
        duplicate_spans: 0,
    }
}

/// A sender that hung up learns nothing; its spans are kept all the same.
fn answer(tell: oneshot::Sender<Result<Kept, WriteError>>, told: Result<Kept, WriteError>) {
    drop(tell.send(told));
}

/// The floor that a frame confirms; 0 for others.
fn confirmed_by(frame: &Frame) -> u64 {
    match frame.payload.as_slice().try_into() {
        Ok(bytes) if frame.kind == FrameKind::Command => u64::from_le_bytes(bytes),
        _ => 0,
    }
}

fn take_lock(
    files: &dyn Files,
    dir: &Path,
    words: &Words,
) -> Result<Box<dyn journal::Lock>, Error> {
    let path = dir.join("LOCK");
    let note = format!("process {}", std::process::id());
    files
        .lock(&path, &note)
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::WouldBlock => Error::Locked {
                dir: dir.to_owned(),
                holder: source.to_string(),
                section: words.section,
            },
            _ => Error::Io {
                doing: "lock",
                path,
                source,
            },
        })
}

/// What makes the frames of this folder its own: no payload can look like one of them.
fn identity(files: &dyn Files, random: &dyn Random, dir: &Path) -> Result<u128, Error> {
    let path = dir.join("IDENTITY");
    let failed = |doing| {
        let path = path.clone();
        move |source| Error::Io {
            doing,
            path,
            source,
        }
    };
    match files.open(&path, OpenMode::Read) {
        Ok(file) => {
            let bytes = read_to_end(file.as_ref()).map_err(failed("read"))?;
            let text = String::from_utf8_lossy(&bytes);
            u128::from_str_radix(text.trim(), 16).map_err(|_| Error::Identity { path })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let identity = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
            let text = format!("{identity:032x}\n");
            write_file_durably(files, &path, text.as_bytes()).map_err(failed("write"))?;
            Ok(identity)
        }
        Err(error) => Err(failed("open")(error)),
    }
}

#[cfg(test)]
mod tests;
