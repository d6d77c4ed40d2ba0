//! The contracts between the way in and the way out: who changes spans, who keeps them, who finds them again, and who
//! says which are kept for good, or not at all.
//!
//! `receive` knows a [`BatchProcessor`] and a [`SpanWriter`], `query` and `serve` know a [`SpanReader`], `serve` knows
//! [`Pins`]; only the program knows what is behind them. All but the processor are asked from the async runtime and
//! never block it. Who keeps spans knows a [`TraceJudge`], which it asks on a thread of its own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::batch::SpanBatch;
use crate::capability::Capability;
use crate::facts::FactsAnswer;
use crate::outline::{OutlineAnswer, TraceOutline, spans_with_ids};
use crate::predicate::Predicate;
use crate::rates::{RatesAnswer, RatesRequest};
use crate::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use crate::{
    CountAnswer, CountRequest, OverviewAnswer, OverviewRequest, SpanId, SpanSearchAnswer,
    SpanSearchRequest, StructureAnswer, StructureRequest, TenantId, TraceId,
};

/// An answer that is still being made.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request's spans on their way to be kept.
#[derive(Debug)]
pub struct IncomingBatch {
    /// Whose spans they are.
    pub tenant: TenantId,
    /// The spans in columns.
    pub batch: SpanBatch,
    /// The same spans as the bytes of an OTLP `ExportTraceServiceRequest`: what is written to the log.
    pub otlp: Bytes,
}

/// Says that a batch is kept as well as the configured level promises, and can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Spans that were stored.
    pub spans: u64,
    /// Spans that had been stored before by the same request and were not stored again.
    pub duplicate_spans: u64,
}

/// Says why a batch was not kept; nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Too much is under way: the sender should try again after a pause.
    #[error("the store is busy: {reason}; send again later")]
    Busy {
        /// What is short.
        reason: String,
    },
    /// Nothing can be kept at the moment (full disk, stopping): the sender should try again after a pause.
    #[error("the store can't keep spans now: {reason}")]
    Unavailable {
        /// What must change.
        reason: String,
    },
    /// A fault of ours.
    #[error("the store failed: {reason}")]
    Failed {
        /// What happened.
        reason: String,
    },
}

/// Spans that a step left out by the will of whoever configured it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredSpans {
    /// Which kind of step, in a word for metrics. There is a handful of them.
    pub reason: &'static str,
    /// How many.
    pub spans: u64,
}

/// A batch that went through the steps before it is kept.
#[derive(Default)]
pub struct Processed {
    /// The spans that stay.
    pub batch: SpanBatch,
    /// Whether they are others than came in, so that the bytes which they came in may not be kept.
    pub is_changed: bool,
    /// The spans that do not stay.
    pub filtered: Vec<FilteredSpans>,
    /// What waits until the batch is kept, such as counts that a request sent again must not double.
    pub on_kept: Vec<Box<dyn FnOnce() + Send>>,
}

impl Processed {
    /// A batch as it came.
    #[must_use]
    pub fn untouched(batch: SpanBatch) -> Self {
        Self {
            batch,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Processed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processed")
            .field("spans", &self.batch.len())
            .field("is_changed", &self.is_changed)
            .field("filtered", &self.filtered)
            .finish_non_exhaustive()
    }
}

/// Changes or leaves out spans before anything of them is written. Called on threads for the processor's work.
pub trait BatchProcessor: Send + Sync + fmt::Debug {
    /// Takes the spans of one request through all steps. Spans of forced traces are kept whatever samplers say.
    fn process(&self, tenant: &TenantId, batch: SpanBatch, forced: &[TraceId]) -> Processed;
}

/// Keeps spans.
pub trait SpanWriter: Send + Sync + fmt::Debug {
    /// Keeps a batch, wholly or not at all; answers when it is kept and can be searched.
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>>;

    /// Tells whether a write could be accepted now, or in one line why not.
    fn readiness(&self) -> Result<(), String>;
}

/// A span of time in nanoseconds since the epoch, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first nanosecond.
    pub start: u64,
    /// The last nanosecond.
    pub end: u64,
}

impl Window {
    /// All of time.
    pub const ALWAYS: Self = Self {
        start: 0,
        end: u64::MAX,
    };

    /// Tells whether a moment lies in the window.
    #[must_use]
    pub fn contains(&self, unix_nanos: u64) -> bool {
        self.start <= unix_nanos && unix_nanos <= self.end
    }
}

/// Which traces come first. Ties are broken by trace id, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The start of the trace's earliest known span, descending.
    NewestFirst,
    /// Latest end minus earliest start over the trace's known spans, descending.
    SlowestFirst,
}

/// Where a page ended: the order value and id of its last trace. The next page starts behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Start in ns (newest first) or duration in ns (slowest first).
    pub order_value: u64,
    /// The trace.
    pub trace_id: TraceId,
}

/// A search for traces.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// What one span of a trace must satisfy.
    pub predicate: Predicate,
    /// When that span must start.
    pub window: Window,
    /// Which traces come first.
    pub order: Order,
    /// The most traces to give.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Position>,
}

/// One trace that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceHit {
    /// The trace.
    pub trace_id: TraceId,
    /// Start of its earliest known span, ns since the epoch.
    pub start: u64,
    /// Latest end of its known spans, ns since the epoch.
    pub end: u64,
    /// Its known spans, each counted once.
    pub spans: u64,
}

impl TraceHit {
    /// Latest end minus earliest start; 0 when the end comes first.
    #[must_use]
    pub fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// What the trace is ordered by.
    #[must_use]
    pub fn position(&self, order: Order) -> Position {
        let order_value = match order {
            Order::NewestFirst => self.start,
            Order::SlowestFirst => self.duration(),
        };
        Position {
            order_value,
            trace_id: self.trace_id,
        }
    }
}

impl Position {
    /// Tells whether this comes before the other in the order that both were made with.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        (std::cmp::Reverse(self.order_value), self.trace_id)
            < (std::cmp::Reverse(other.order_value), other.trace_id)
    }
}

/// Something that could not be read, and why; the rest of the answer is true without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What was not read: a file, a block, a backend.
    pub what: String,
    /// Why.
    pub why: String,
}

/// The traces that were found, in the order asked for.
#[derive(Debug, Clone, Default)]
pub struct SearchAnswer {
    /// The traces.
    pub traces: Vec<TraceHit>,
    /// Whether there are more behind the last one.
    pub has_more: bool,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// The spans of one trace.
#[derive(Debug, Default)]
pub struct TraceAnswer {
    /// All known spans of the trace, each once, in the order of their arrival; none: there is no such trace.
    pub spans: SpanBatch,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// An operation of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The span's name.
    pub name: String,
    /// OTLP's number of the span's kind.
    pub kind: i32,
}

/// The name under which operations are found in lists and rates that have no room for all names: one row a service and
/// kind. Searches know every name.
pub const OTHER_OPERATIONS: &str = "<other>";

/// The operations of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationsAnswer {
    /// By name, then kind.
    pub operations: Vec<Operation>,
    /// Whether there are no others. If not, [`OTHER_OPERATIONS`] is among them; a search for one that is not listed
    /// finds it all the same.
    pub is_all: bool,
}

/// How often one service called another (or itself).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DependencyLink {
    /// The caller.
    pub parent: String,
    /// The called.
    pub child: String,
    /// Spans of `child` whose parent span is of `parent`.
    pub calls: u64,
}

/// The calls between services.
#[derive(Debug, Clone, Default)]
pub struct DependencyAnswer {
    /// The links, by parent, then child.
    pub links: Vec<DependencyLink>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// Says why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The question itself is at fault.
    #[error("{reason}")]
    BadQuestion {
        /// What is wrong with it.
        reason: String,
    },
    /// The store can't be asked this: it lacks a capability.
    #[error("{reason}")]
    NotHere {
        /// Which one.
        reason: String,
    },
    /// The answer would take more than is allowed.
    #[error("{reason}")]
    OverLimit {
        /// Which limit, its key, what to ask instead.
        reason: String,
    },
    /// Too many questions at once, or the store is stopping.
    #[error("the store is busy: {reason}; ask again later")]
    Busy {
        /// What is short.
        reason: String,
    },
    /// A fault of ours.
    #[error("the store failed: {reason}")]
    Failed {
        /// What happened.
        reason: String,
    },
}

impl ReadError {
    /// What a backend says that lacks something.
    fn not_answered_here(capability: Capability) -> Self {
        Self::NotHere {
            reason: format!("this backend can't {capability}"),
        }
    }
}

/// Finds spans again.
pub trait SpanReader: Send + Sync + fmt::Debug {
    /// What can't be asked here.
    fn lacks(&self) -> &[Capability] {
        &[]
    }

    /// The spans of a trace.
    fn trace(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'_, Result<TraceAnswer, ReadError>>;

    /// The spans of a trace without their attributes, events and links: of a trace of any size.
    fn outline(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'_, Result<OutlineAnswer, ReadError>> {
        let whole = self.trace(tenant, trace_id);
        Box::pin(async move {
            let TraceAnswer { spans, skipped } = whole.await?;
            Ok(OutlineAnswer {
                outline: TraceOutline::of(&spans),
                skipped,
            })
        })
    }

    /// Those spans of a trace that have one of some ids, whole and in the order of their arrival; several may share an
    /// id.
    fn spans_of(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
        span_ids: Vec<SpanId>,
    ) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        let whole = self.trace(tenant, trace_id);
        Box::pin(async move {
            let TraceAnswer { spans, skipped } = whole.await?;
            Ok(TraceAnswer {
                spans: spans_with_ids(&spans, &span_ids),
                skipped,
            })
        })
    }

    /// The traces that a search finds.
    fn search(&self, request: SearchRequest) -> Answer<'_, Result<SearchAnswer, ReadError>>;

    /// The spans that a search for spans finds.
    fn search_spans(
        &self,
        request: SpanSearchRequest,
    ) -> Answer<'_, Result<SpanSearchAnswer, ReadError>> {
        drop(request);
        Box::pin(async { Err(ReadError::not_answered_here(Capability::SpanSearch)) })
    }

    /// The names of all services, ascending.
    fn services(&self, tenant: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>>;

    /// The operations of a service, by name, then kind.
    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Answer<'_, Result<OperationsAnswer, ReadError>>;

    /// The calls between services in traces that lie wholly in the window.
    fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Answer<'_, Result<DependencyAnswer, ReadError>>;

    /// What some traces look like from afar.
    fn facts(
        &self,
        tenant: &TenantId,
        traces: Vec<TraceId>,
    ) -> Answer<'_, Result<FactsAnswer, ReadError>>;

    /// Which operations and attribute keys there are, and since when.
    fn seen(&self, tenant: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>>;

    /// The values of an attribute key, for completion.
    fn values(&self, request: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>>;

    /// Spans counted over time.
    fn rates(&self, request: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>>;

    /// The number of spans that satisfy a predicate.
    fn count(&self, request: CountRequest) -> Answer<'_, Result<CountAnswer, ReadError>> {
        drop(request);
        Box::pin(async { Err(ReadError::not_answered_here(Capability::Counts)) })
    }

    /// All that matches from afar: counts by time and duration, and values of fields.
    fn overview(&self, request: OverviewRequest) -> Answer<'_, Result<OverviewAnswer, ReadError>> {
        drop(request);
        Box::pin(async { Err(ReadError::not_answered_here(Capability::Overview)) })
    }

    /// The spans that stand in a relation to others of their trace.
    fn find_structure(
        &self,
        request: StructureRequest,
    ) -> Answer<'_, Result<StructureAnswer, ReadError>> {
        drop(request);
        Box::pin(async { Err(ReadError::not_answered_here(Capability::Structure)) })
    }
}

/// A trace that is kept however old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedTrace {
    /// The trace.
    pub trace_id: TraceId,
    /// When it was pinned, ns since the epoch.
    pub since_unix_nanos: u64,
}

/// Says why a pin was not set, removed or listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// There are as many as there may be.
    #[error("{reason}")]
    TooMany {
        /// How many, and what to do.
        reason: String,
    },
    /// Not at the moment (full disk, starting, stopping): try again after a pause.
    #[error("the store can't change pins now: {reason}")]
    Unavailable {
        /// What must change.
        reason: String,
    },
    /// A fault of ours, or of the disk.
    #[error("the store failed: {reason}")]
    Failed {
        /// What happened.
        reason: String,
    },
}

/// Says which traces are kept however old they are and however little room there is. What is answered is durable.
pub trait Pins: Send + Sync + fmt::Debug {
    /// Pins a trace, with all that still comes of it. False: nothing of it is there, and it is not pinned.
    fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Answer<'static, Result<bool, PinError>>;

    /// Lets a trace age as all others do. False: it was not pinned.
    fn unpin(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'static, Result<bool, PinError>>;

    /// The pinned traces, by id.
    fn pins(&self, tenant: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>>;
}

/// A trace, when it is decided whether it stays: all that came of it so far.
#[derive(Debug, Clone, Copy)]
pub struct WholeTrace<'a> {
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// Its id.
    pub trace_id: TraceId,
    /// Its spans, among others.
    pub spans: &'a SpanBatch,
    /// Which rows of these they are, ascending, which is their order of arrival; each span once, and one at the least.
    pub rows: &'a [usize],
    /// Start of its earliest span, ns since the epoch.
    pub start: u64,
    /// Latest end of its spans, ns since the epoch.
    pub end: u64,
}

/// What becomes of a trace, and whose word that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// It stays, all of it.
    pub is_kept: bool,
    /// Index of [`TraceJudge::policies`].
    pub policy: usize,
}

/// Says of whole traces which stay and which leave: tail sampling.
///
/// Whoever keeps spans asks once for each trace when nothing more of it is expected, and remembers the answer for what
/// comes late. After a crash, or a failure of the disk, it may ask again.
pub trait TraceJudge: Send + Sync + fmt::Debug {
    /// The names of the policies, for counts.
    fn policies(&self) -> Vec<String>;

    /// Judges a trace. Takes no longer than a walk over its spans, and waits for nothing.
    fn judge(&self, trace: &WholeTrace<'_>) -> Verdict;
}
