//! Delivers what the buffer holds: reads on, puts batches together, sees each to its end, and tells the buffer how far
//! everything is answered.
//!
//! Promises
//! - Nothing is confirmed before its answer. A batch counts as answered when every part of it was taken, or refused for
//!   good.
//! - A request that is refused is sent again in halves, until what is refused is one batch alone; that is dropped and
//!   counted. OTLP's requests can be laid one behind another, and come apart where they were joined.
//! - What fails, so that nobody knows whose fault it is, is tried again apart, behind the others. A batch that fails
//!   alone again and again while others are taken is set aside as a file; while none is taken, it waits as all do.
//! - Memory is bounded by requests in flight times their size: in parts, joined, and as their outlet hands them on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use journal::{Cursor, Frame, FrameKind};
use plumbing::{Clock, Complaints, Random, Shutdown};
use tokio::sync::mpsc::Sender;
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::breaker::Pauses;
use crate::buffer::{BufferState, Order, Written};
use crate::metrics::SinkMetrics;
use crate::outlet::{Fate, Outlet};

/// How often the buffer is told how far everything is answered.
const CONFIRM_PERIOD: Duration = Duration::from_secs(1);
/// How long reading rests after it failed.
const READ_PAUSE: Duration = Duration::from_secs(1);
/// What is given up is said in the log so often at most.
const LOG_NANOS: u64 = 60_000_000_000;
/// So often a batch fails alone, while others are taken, before it is set aside.
const FAILURES_ALONE_MIN: u32 = 5;

/// What every request in flight needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) outlet: Arc<dyn Outlet>,
    pub(crate) state: Arc<BufferState>,
    pub(crate) metrics: SinkMetrics,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    /// Between two tries of what failed.
    pub(crate) pauses: Pauses,
    pub(crate) orders: Sender<Order>,
    /// When the oldest batch that is not answered was received, ns since the epoch; 0: there is none.
    pub(crate) oldest_unix_nanos: Arc<AtomicU64>,
    /// Requests that were taken since the start.
    pub(crate) taken_requests: AtomicU64,
    pub(crate) given_up: Mutex<GivenUp>,
    pub(crate) complaints: Complaints,
}

/// What was given up since it was last said.
#[derive(Debug, Default)]
pub(crate) struct GivenUp {
    spans: u64,
    said_nanos: Option<u64>,
}

/// Reads on and delivers.
#[derive(Debug)]
pub(crate) struct Deliverer {
    context: Arc<Context>,
    written: watch::Receiver<Written>,
    cursor: Cursor,
    /// Bytes of all payloads that were read.
    read_bytes: u64,
    /// Read, and in no request yet.
    queue: VecDeque<Frame>,
    /// Since when something waits for others to share its request, on the monotonic clock.
    waiting_since: Option<u64>,
    /// The first sequence of every request that is not answered, and when it was received.
    under_way: BTreeMap<u64, u64>,
    /// Something was answered that the buffer does not know of.
    is_unconfirmed: bool,
    is_stopping: bool,
    limits: DelivererLimits,
}

/// Bounds of a deliverer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DelivererLimits {
    pub(crate) request_bytes_max: u64,
    pub(crate) request_delay: Duration,
    pub(crate) requests_max: usize,
}

/// Batches that share a request.
#[derive(Debug)]
struct Joined {
    first_sequence: u64,
    parts: Vec<Frame>,
}

impl Deliverer {
    pub(crate) fn new(
        context: Arc<Context>,
        written: watch::Receiver<Written>,
        floor: u64,
        limits: DelivererLimits,
    ) -> Self {
        Self {
            context,
            written,
            cursor: Cursor::before(floor),
            read_bytes: 0,
            queue: VecDeque::new(),
            waiting_since: None,
            under_way: BTreeMap::new(),
            is_unconfirmed: false,
            is_stopping: false,
            limits,
        }
    }

    /// Delivers until the stop, and then, for so long at most, what is left.
    pub(crate) async fn run(mut self, stop: Shutdown, drain_timeout: Duration) {
        let mut requests = FuturesUnordered::new();
        let mut ticks = interval(CONFIRM_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let over = async {
            stop.begun().await;
            sleep(drain_timeout).await;
        };
        tokio::pin!(over);
        while !(self.is_stopping && requests.is_empty() && self.is_all_read()) {
            let is_free = requests.len() < self.limits.requests_max.max(1);
            tokio::select! {
                biased;
                () = &mut over => break,
                () = stop.begun(), if !self.is_stopping => self.is_stopping = true,
                Some(first_sequence) = requests.next(), if !requests.is_empty() => {
                    self.settle(first_sequence);
                }
                _ = ticks.tick() => self.tick(),
                joined = self.next_request(), if is_free => {
                    let received = joined.parts.first().map_or(0, |part| part.received_unix_nanos);
                    self.under_way.insert(joined.first_sequence, received);
                    requests.push(deliver(Arc::clone(&self.context), joined));
                }
            }
            let in_flight = i64::try_from(requests.len()).unwrap_or(i64::MAX);
            self.context.metrics.in_flight.set(in_flight);
        }
        self.tell_floor().await;
    }

    fn is_all_read(&self) -> bool {
        self.queue.is_empty() && self.written.borrow().end <= self.cursor.sequence()
    }

    fn settle(&mut self, first_sequence: u64) {
        self.under_way.remove(&first_sequence);
        self.is_unconfirmed = true;
        if self.context.state.refusal().is_some() {
            // Senders are turned away: room is wanted now.
            self.confirm();
        }
    }

    fn tick(&mut self) {
        self.confirm();
        if self.context.state.refusal().is_some() {
            // A full queue of orders means that the buffer looks soon anyway.
            drop(self.context.orders.try_send(Order::Look));
        }
        let oldest = self.under_way.values().copied().min();
        let oldest = oldest.or_else(|| self.queue.front().map(|frame| frame.received_unix_nanos));
        self.context
            .oldest_unix_nanos
            .store(oldest.unwrap_or(0), Ordering::Release);
    }

    /// The sequence below which everything is answered.
    fn floor(&self) -> u64 {
        if plumbing::planted("sink-release-before-answer") {
            return self.cursor.sequence();
        }
        let under_way = self.under_way.keys().next().copied();
        let queued = self.queue.front().map(|frame| frame.sequence);
        let open = under_way.into_iter().chain(queued).min();
        open.unwrap_or(self.cursor.sequence())
    }

    fn confirm(&mut self) {
        if self.has_to_confirm() {
            let sent = self.context.orders.try_send(Order::Confirm(self.floor()));
            self.is_unconfirmed = sent.is_err();
        }
    }

    fn has_to_confirm(&self) -> bool {
        self.is_unconfirmed || plumbing::planted("sink-release-before-answer")
    }

    async fn tell_floor(&mut self) {
        if self.has_to_confirm() {
            // When the buffer has ended, what is not confirmed is sent once more after the next start.
            drop(self.context.orders.send(Order::Confirm(self.floor())).await);
        }
    }

    /// Waits for a request. Nothing is lost when this is given up halfway and asked again.
    async fn next_request(&mut self) -> Joined {
        loop {
            if let Some(joined) = self.join() {
                return joined;
            }
            self.wait_for_more().await;
            self.read_on().await;
        }
    }

    /// Takes batches from the queue, one at least, of one tenant, up to the size of a request.
    fn join(&mut self) -> Option<Joined> {
        let first = self.queue.pop_front()?;
        let (first_sequence, mut bytes) = (first.sequence, first.payload.len() as u64);
        let mut parts = vec![first];
        while let (Some(next), Some(first)) = (self.queue.front(), parts.first()) {
            bytes += next.payload.len() as u64;
            if bytes > self.limits.request_bytes_max || next.tenant != first.tenant {
                break;
            }
            parts.extend(self.queue.pop_front());
        }
        Some(Joined {
            first_sequence,
            parts,
        })
    }

    /// Waits until there is enough for a request, or what is there has waited long enough.
    async fn wait_for_more(&mut self) {
        loop {
            let written = *self.written.borrow_and_update();
            let left = if written.end <= self.cursor.sequence() {
                None
            } else {
                let now = self.context.clock.monotonic_nanos();
                let since = *self.waiting_since.get_or_insert(now);
                let waited = Duration::from_nanos(now.saturating_sub(since));
                let waiting_bytes = written.bytes.saturating_sub(self.read_bytes);
                let is_enough = waiting_bytes >= self.limits.request_bytes_max;
                let left = self.limits.request_delay.saturating_sub(waited);
                if is_enough || self.is_stopping || left.is_zero() {
                    self.waiting_since = None;
                    return;
                }
                Some(left)
            };
            let changed = self.written.changed();
            let has_ended = match left {
                None => changed.await.is_err(),
                Some(left) => matches!(timeout(left, changed).await, Ok(Err(_))),
            };
            if has_ended {
                // The buffer's thread has ended, which the program notices by itself.
                std::future::pending::<()>().await;
            }
        }
    }

    async fn read_on(&mut self) {
        let (tell, told) = oneshot::channel();
        let bytes_max = self.limits.request_bytes_max;
        let order = Order::Read(self.cursor.clone(), bytes_max, tell);
        if self.context.orders.send(order).await.is_err() {
            return std::future::pending().await;
        }
        match told.await {
            Ok((cursor, Ok(read))) => {
                self.cursor = cursor;
                if read.missing > 0 {
                    self.context.metrics.missing_frames.inc_by(read.missing);
                    tracing::error!(
                        batches = read.missing,
                        "batches in the buffer can't be read any more; they are passed over"
                    );
                }
                let batches = read.frames.into_iter();
                for frame in batches.filter(|frame| frame.kind == FrameKind::Otlp) {
                    self.read_bytes += frame.payload.len() as u64;
                    self.queue.push_back(frame);
                }
            }
            Ok((_, Err(error))) => {
                tracing::warn!(%error, "the buffer could not be read; it is tried again");
                sleep(READ_PAUSE).await;
            }
            Err(_) => std::future::pending().await,
        }
    }
}

/// Batches that are handed on together.
#[derive(Debug)]
struct Lot {
    parts: Vec<Frame>,
    /// How often this one batch failed alone.
    failures: u32,
    /// How many requests had been taken when it failed alone for the first time.
    taken_before: u64,
}

impl Lot {
    fn of(parts: Vec<Frame>) -> Self {
        Self {
            parts,
            failures: 0,
            taken_before: 0,
        }
    }

    /// Both halves, if there are two.
    fn halves(mut self) -> Result<[Self; 2], Self> {
        if self.parts.len() < 2 {
            return Err(self);
        }
        let behind = self.parts.split_off(self.parts.len() / 2);
        Ok([Self::of(self.parts), Self::of(behind)])
    }
}

/// Sees joined batches to their end, and gives the first sequence of them.
async fn deliver(context: Arc<Context>, joined: Joined) -> u64 {
    let mut lots = VecDeque::from([Lot::of(joined.parts)]);
    while let Some(lot) = lots.pop_front() {
        let fate = context.outlet.hand_on(&lot.parts).await;
        if let Fate::Taken { rejected_spans } = fate {
            context.count_taken(&lot.parts, rejected_spans);
            continue;
        }
        if let Fate::Failed { .. } = fate {
            sleep(context.pauses.after(lot.failures + 1, &*context.random)).await;
        }
        let lot = match lot.halves() {
            Ok([front, behind]) => {
                lots.push_front(behind);
                lots.push_front(front);
                continue;
            }
            Err(alone) => alone,
        };
        match fate {
            Fate::Taken { .. } => {}
            Fate::Refused { code, reason } => context.give_up(&lot.parts, code, &reason),
            // Behind the others, so that it does not hold them up.
            Fate::Failed { reason } => lots.extend(context.failed_alone(lot, &reason).await),
        }
    }
    joined.first_sequence
}

impl Context {
    /// Counts what was taken.
    fn count_taken(&self, parts: &[Frame], rejected_spans: u64) {
        let spans = spans_of(parts);
        self.state.take_waiting(parts.len(), spans);
        self.taken_requests.fetch_add(1, Ordering::AcqRel);
        self.metrics.sent_requests.inc();
        self.metrics
            .sent_spans
            .inc_by(spans.saturating_sub(rejected_spans));
    }

    /// Counts what was refused for good.
    fn give_up(&self, parts: &[Frame], code: &'static str, reason: &str) {
        let spans = spans_of(parts);
        self.state.take_waiting(parts.len(), spans);
        self.metrics.drop_spans(code, spans);
        self.say_given_up(spans, code, reason);
    }

    /// Sets a batch aside that fails again and again while others are taken; gives it back when it is to be tried
    /// again.
    async fn failed_alone(&self, mut lot: Lot, reason: &str) -> Option<Lot> {
        self.metrics.retry("failed");
        let taken = self.taken_requests.load(Ordering::Acquire);
        if lot.failures == 0 {
            lot.taken_before = taken;
        }
        lot.failures = lot.failures.saturating_add(1);
        let others_are_taken = taken > lot.taken_before;
        if lot.failures < FAILURES_ALONE_MIN || !others_are_taken {
            if let Some(untold) = self.complaints.due() {
                tracing::warn!(
                    error = reason,
                    untold,
                    "spans in the buffer are not taken; they are tried again"
                );
            }
            return Some(lot);
        }
        let frame = lot.parts.first()?.clone();
        let (tell, told) = oneshot::channel();
        let order = Order::SetAside(Box::new(frame), tell);
        if self.orders.send(order).await.is_err() {
            return std::future::pending().await;
        }
        let spans = spans_of(&lot.parts);
        match told.await {
            Ok(Ok(())) => {
                self.state.take_waiting(lot.parts.len(), spans);
                self.metrics.set_aside_spans.inc_by(spans);
                tracing::error!(
                    spans,
                    error = reason,
                    "a batch is not taken while others are: it is set aside in the buffer's folder"
                );
                None
            }
            Ok(Err(why)) => {
                if let Some(untold) = self.complaints.due() {
                    tracing::error!(
                        error = reason,
                        why,
                        untold,
                        "a batch is not taken, and can't be set aside"
                    );
                }
                Some(lot)
            }
            Err(_) => std::future::pending().await,
        }
    }

    fn say_given_up(&self, spans: u64, code: &'static str, reason: &str) {
        let now = self.clock.monotonic_nanos();
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.spans += spans;
        let is_due = |said: u64| now.saturating_sub(said) >= LOG_NANOS;
        if given_up.said_nanos.is_none_or(is_due) {
            let spans = given_up.spans;
            tracing::error!(
                spans,
                code,
                error = reason,
                "{} refuses spans for good; they are dropped",
                self.state.words.taker
            );
            *given_up = GivenUp {
                spans: 0,
                said_nanos: Some(now),
            };
        }
    }
}

fn spans_of(parts: &[Frame]) -> u64 {
    parts.iter().map(|part| u64::from(part.span_count)).sum()
}
