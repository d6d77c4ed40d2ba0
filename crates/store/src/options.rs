//! What the program tells the store: where, how safe, how much.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use journal::{Files, Level};
use model::contract::TraceJudge;
use plumbing::{Clock, Metrics, Random};

/// What can be configured.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The data folder.
    pub dir: PathBuf,
    /// What an acknowledged span survives.
    pub level: Level,
    /// Spans of a head before it is frozen into a segment.
    pub head_spans_max: usize,
    /// Bytes of a head before it is frozen.
    pub head_bytes_max: usize,
    /// Age of a head's first span before it is frozen.
    pub head_age_max: Duration,
    /// Segments older than this are removed; their age counts from when they were written.
    pub retention_age: Duration,
    /// Bytes of all segments before the oldest are removed; `None`: as much as `retention_percent` says.
    pub retention_bytes: Option<u64>,
    /// The part of the disk that all that is on it may take before the oldest segments are removed; 5 % of it are
    /// theirs whatever others have on it.
    pub retention_percent: u8,
    /// Bytes of one file of the log.
    pub journal_file_bytes: u64,
    /// Bytes of indexes and footers that are kept in memory.
    pub cache_bytes: u64,
    /// Bytes of heads in memory, those being frozen included, before new spans wait.
    pub heads_bytes_max: usize,
    /// A fresh segment is not merged before this age: until then late spans of its traces are expected.
    pub finalise_after: Duration,
    /// At this age it is merged, however little there is to merge it with; no trace waits for late spans any longer.
    pub finalise_age: Duration,
    /// Spans that are worth a merge before that.
    pub finalise_spans_min: u64,
    /// Spans of a merged segment.
    pub finalise_spans_max: u64,
    /// Segments of a tenant that wait to be merged before age counts no longer.
    pub finalise_segments_max: usize,
    /// Segments of a tenant that wait to be merged before new ones are only made of what is old, so that senders wait
    /// for merging.
    pub unmerged_segments_max: usize,
    /// Spans of a row group of a merged segment; a longer trace stays in pieces.
    pub group_spans_max: usize,
    /// Bytes at rest that are checked in a second; `None`: none are.
    pub scrub_bytes_per_second: Option<u64>,
    /// How often each of them is, at most.
    pub scrub_every: Duration,
    /// Bytes of a trace that is read whole.
    pub trace_bytes_max: usize,
    /// Spans of a trace that is given whole; one that certainly has more is refused before it is read. What is made of
    /// a span to show it takes more than what is read.
    pub trace_spans_max: u64,
    /// Spans of a trace whose outline is given; what lies in several places counts in each. See
    /// [`OUTLINE_SPAN_BYTES`](crate::OUTLINE_SPAN_BYTES).
    pub outline_spans_max: u64,
    /// Threads that answer questions.
    pub query_threads: usize,
    /// Threads that one question may use at once where it looks at everything.
    pub scan_threads: usize,
    /// Rows that one question may look at; then it gives what it has and says so. A row that must be read whole counts
    /// as many. The default is several seconds of work.
    pub question_rows_max: u64,
    /// Says of whole traces which stay; `None`: all do.
    pub judge: Option<Arc<dyn TraceJudge>>,
}

impl StoreOptions {
    /// The defaults for a data folder.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            level: Level::Sync,
            head_spans_max: 128 * 1024,
            head_bytes_max: 24 << 20,
            head_age_max: Duration::from_secs(15),
            retention_age: Duration::from_secs(7 * 24 * 3600),
            retention_bytes: None,
            retention_percent: 80,
            journal_file_bytes: 64 << 20,
            cache_bytes: 48 << 20,
            heads_bytes_max: 48 << 20,
            finalise_after: Duration::from_secs(120),
            finalise_age: Duration::from_secs(600),
            finalise_spans_min: 1_000_000,
            finalise_spans_max: 1_500_000,
            finalise_segments_max: 64,
            unmerged_segments_max: 512,
            group_spans_max: 64 * 1024,
            trace_bytes_max: 128 << 20,
            trace_spans_max: u64::MAX,
            outline_spans_max: 5_000_000,
            scrub_bytes_per_second: Some(5 << 20),
            scrub_every: Duration::from_secs(7 * 24 * 3600),
            query_threads: 2,
            scan_threads: 2,
            question_rows_max: 2_000_000_000,
            judge: None,
        }
    }
}

/// The seams that the store stands on.
#[derive(Debug)]
pub struct StoreParts<'a> {
    /// Its files.
    pub files: Arc<dyn Files>,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Its randomness.
    pub random: Arc<dyn Random>,
    /// Where its metrics go.
    pub metrics: &'a Metrics,
}

/// How far opening has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenProgress {
    /// Segments are being looked at.
    Segments {
        /// Done so far.
        done: usize,
        /// All.
        all: usize,
    },
    /// The log is being replayed.
    Replay {
        /// Frames done so far.
        frames: u64,
    },
}
