//! Delivers what the buffer holds: reads on, puts batches together, sees each to its end, and tells the buffer how far
//! everything is answered.
//!
//! Promises
//! - Nothing is confirmed before its answer. A batch counts as answered when every part of it was taken, or refused for
//!   good.
//! - A request that is refused is sent again in halves, until what is refused is one batch alone; that is dropped and
//!   counted. OTLP's requests can be laid one behind another, and come apart where they were joined.
//! - Memory is bounded by requests in flight times their size, three times: in parts, joined, and compressed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codec::otlp::read_success;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use journal::{Cursor, Frame, FrameKind};
use plumbing::{Clock, CpuPool, Shutdown};
use tokio::sync::mpsc::Sender;
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::buffer::{BufferState, Order, Written};
use crate::call::{Answer, Framed, Verdict};
use crate::collectors::Collectors;
use crate::metrics::SinkMetrics;

/// How often the buffer is told how far everything is answered.
const CONFIRM_PERIOD: Duration = Duration::from_secs(1);
/// How long reading rests after it failed.
const READ_PAUSE: Duration = Duration::from_secs(1);
/// What is given up is said in the log so often at most.
const LOG_NANOS: u64 = 60_000_000_000;

/// What every request in flight needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) collectors: Collectors,
    pub(crate) pool: CpuPool,
    pub(crate) state: Arc<BufferState>,
    pub(crate) metrics: SinkMetrics,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) compression: crate::options::Compression,
    /// When the oldest batch that is not answered was received, ns since the epoch; 0: there is none.
    pub(crate) oldest_unix_nanos: Arc<AtomicU64>,
    pub(crate) given_up: Mutex<GivenUp>,
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
    orders: Sender<Order>,
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
        orders: Sender<Order>,
        written: watch::Receiver<Written>,
        floor: u64,
        limits: DelivererLimits,
    ) -> Self {
        Self {
            context,
            orders,
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
            drop(self.orders.try_send(Order::Look));
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
            let sent = self.orders.try_send(Order::Confirm(self.floor()));
            self.is_unconfirmed = sent.is_err();
        }
    }

    fn has_to_confirm(&self) -> bool {
        self.is_unconfirmed || plumbing::planted("sink-release-before-answer")
    }

    async fn tell_floor(&mut self) {
        if self.has_to_confirm() {
            // When the buffer has ended, what is not confirmed is sent once more after the next start.
            drop(self.orders.send(Order::Confirm(self.floor())).await);
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
        if self.orders.send(order).await.is_err() {
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

/// Sees joined batches to their end, and gives the first sequence of them.
async fn deliver(context: Arc<Context>, joined: Joined) -> u64 {
    let mut stack = vec![joined.parts];
    while let Some(mut parts) = stack.pop() {
        let payloads: Vec<&[u8]> = parts.iter().map(|part| part.payload.as_slice()).collect();
        let message = Arc::new(payloads.concat());
        let framed = context.frame(&message).await;
        let answer = context.collectors.export(&message, &framed).await;
        if answer.verdict() != Verdict::Taken && parts.len() > 1 {
            let behind = parts.split_off(parts.len() / 2);
            stack.push(behind);
            stack.push(parts);
            continue;
        }
        context.count(&parts, &answer);
    }
    joined.first_sequence
}

impl Context {
    /// Compresses on the pool; when that is busy, the message goes as it is.
    async fn frame(&self, message: &Arc<Vec<u8>>) -> Framed {
        let (packed, compression) = (Arc::clone(message), self.compression);
        let packed = self
            .pool
            .run(move || Framed::new(&packed, compression))
            .await;
        packed.unwrap_or_else(|_| Framed::new(message, crate::options::Compression::None))
    }

    /// Counts what has come to its end.
    fn count(&self, parts: &[Frame], answer: &Answer) {
        let spans: u64 = parts.iter().map(|part| u64::from(part.span_count)).sum();
        self.state.take_waiting(parts.len(), spans);
        if answer.verdict() != Verdict::Taken {
            self.metrics.drop_spans(answer.code.label(), spans);
            return self.say_given_up(spans, answer);
        }
        let accepted = read_success(&answer.body);
        let rejected = accepted.rejected_spans.min(spans);
        self.metrics.sent_requests.inc();
        self.metrics.sent_spans.inc_by(spans - rejected);
        self.metrics.rejected_spans.inc_by(rejected);
        if !accepted.message.is_empty() {
            tracing::debug!(
                rejected,
                message = accepted.message,
                "a collector took a request in part"
            );
        }
    }

    fn say_given_up(&self, spans: u64, answer: &Answer) {
        let now = self.clock.monotonic_nanos();
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.spans += spans;
        let is_due = |said: u64| now.saturating_sub(said) >= LOG_NANOS;
        if given_up.said_nanos.is_none_or(is_due) {
            let (spans, code) = (given_up.spans, answer.code.label());
            tracing::error!(
                spans,
                code,
                error = answer.message,
                "a collector refuses spans for good; they are dropped"
            );
            *given_up = GivenUp {
                spans: 0,
                said_nanos: Some(now),
            };
        }
    }
}
