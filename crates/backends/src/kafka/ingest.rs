//! Reading messages and having a store keep them.
//!
//! Promises
//! - An offset is told to Kafka only when the store has confirmed the spans of every message before it.
//! - A store that is away is waited for; nothing is skipped meanwhile, and all goes on without a start.
//! - One message that can't be read, or that the store refuses for good, is found among the others by halves and
//!   becomes a dead letter; the others are kept.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::TenantId;
use model::contract::{IncomingBatch, SpanWriter, WriteError};
use plumbing::{Complaints, Shutdown, planted};

use super::Kafka;
use super::client::{Fault, Incoming, KafkaError, Reader};
use super::messages::{Spans, read, tenant_of};
use super::metrics::IngestMetrics;

/// How long messages are waited for at a time.
const POLL: Duration = Duration::from_millis(500);
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// So many bytes of messages are written at once: some ten thousand spans, and a few times as many bytes in a store's
/// words.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// How often is told how much waits.
const LAG_PERIOD: Duration = Duration::from_secs(2);
/// How often a write is tried that the store says is no good.
const TRIES_OF_REFUSED: u32 = 3;

/// Takes messages out of a topic and puts their spans into a store, as a member of a group.
#[derive(Debug)]
pub struct Ingester {
    kafka: Arc<Kafka>,
    writer: Arc<dyn SpanWriter>,
    metrics: IngestMetrics,
    complaints: ComplaintsOf,
}

/// What is complained of, each by itself.
#[derive(Debug, Default)]
struct ComplaintsOf {
    commits: Complaints,
    cuts: Complaints,
    writes: Complaints,
    letters: Complaints,
}

/// A batch is left before it is kept, since the program stops.
struct Stopping;

/// Why reading ended.
enum Broken {
    Reader(KafkaError),
    Stopping,
}

/// The first message of each partition that is read and not kept yet.
#[derive(Debug, Default)]
struct InHand(Mutex<BTreeMap<i32, i64>>);

impl InHand {
    fn take(&self, messages: &[Incoming]) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for message in messages {
            let at = first.entry(message.partition).or_insert(message.offset);
            *at = (*at).min(message.offset);
        }
    }

    fn put_down(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn first(&self) -> BTreeMap<i32, i64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What became of a write.
enum Written {
    Kept,
    /// The store will not keep it, and why.
    Refused(String),
}

impl Ingester {
    /// From a topic into a store.
    #[must_use]
    pub fn new(kafka: Arc<Kafka>, writer: Arc<dyn SpanWriter>, metrics: IngestMetrics) -> Self {
        Self {
            kafka,
            writer,
            metrics,
            complaints: ComplaintsOf::default(),
        }
    }

    /// Tells whether messages are read and kept now, or in one line why not.
    ///
    /// # Errors
    /// The line.
    pub fn readiness(&self) -> Result<(), String> {
        self.kafka.trouble.readiness()?;
        self.writer.readiness()
    }

    /// Reads until the stop.
    pub async fn run(&self, shutdown: Shutdown) {
        let mut pause = PAUSE_MIN;
        while !shutdown.has_begun() {
            match self.follow(&shutdown).await {
                Ok(()) => return,
                Err((fault, has_read)) => {
                    if has_read {
                        pause = PAUSE_MIN;
                    }
                    self.kafka.trouble.note(Some(fault.to_string()));
                }
            }
            // The stop ends the pause as well as its time does.
            let _ended = tokio::time::timeout(pause, shutdown.begun()).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Reads as a member of the group, until the stop or a fault; tells whether anything was read before it.
    async fn follow(&self, shutdown: &Shutdown) -> Result<(), (Fault, bool)> {
        let client = &self.kafka.client;
        let reader = client.reader().await.map_err(|fault| (fault, false))?;
        let in_hand = InHand::default();
        let has_read = AtomicBool::new(false);
        let ended = tokio::select! {
            ended = self.read_on(&reader, &in_hand, &has_read, shutdown) => ended,
            () = self.tell_lag(&reader, &in_hand) => Ok(()),
        };
        let has_read = has_read.into_inner();
        match ended {
            Ok(()) | Err(Broken::Stopping) => {
                reader.close().await;
                Ok(())
            }
            Err(Broken::Reader(error)) => Err((client.lost(reader, &error).await, has_read)),
        }
    }

    async fn read_on(
        &self,
        reader: &Reader,
        in_hand: &InHand,
        has_read: &AtomicBool,
        shutdown: &Shutdown,
    ) -> Result<(), Broken> {
        while !shutdown.has_begun() {
            let polled = tokio::select! {
                polled = reader.poll(POLL) => polled,
                () = shutdown.begun() => break,
            };
            let messages = polled.map_err(Broken::Reader)?;
            self.kafka.trouble.note(None);
            has_read.store(true, Ordering::Relaxed);
            if messages.is_empty() {
                continue;
            }
            in_hand.take(&messages);
            let next = next_offsets(&messages);
            if planted("kafka-offset-committed-early") {
                self.commit(reader, &next).await;
            }
            let count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
            let kept = self.keep(messages, shutdown).await;
            kept.map_err(|Stopping| Broken::Stopping)?;
            self.metrics.messages.inc_by(count);
            self.commit(reader, &next).await;
            in_hand.put_down();
        }
        Ok(())
    }

    /// Tells again and again how much waits, also while the store is waited for.
    async fn tell_lag(&self, reader: &Reader, in_hand: &InHand) {
        loop {
            match reader.ends().await {
                Ok(ends) => self.metrics.tell_lag(&ends, &in_hand.first()),
                Err(error) => tracing::debug!(%error, "how much waits is not known"),
            }
            tokio::time::sleep(LAG_PERIOD).await;
        }
    }

    /// Says where reading is to go on. What is not taken is told with the next; should it never be, it is read again.
    async fn commit(&self, reader: &Reader, next: &BTreeMap<i32, i64>) {
        let told = reader.commit(next).await;
        if let Err(error) = told
            && let Some(untold) = self.complaints.commits.due()
        {
            tracing::warn!(%error, untold, "offsets were not committed: the messages are read again");
        }
    }

    async fn keep(&self, messages: Vec<Incoming>, shutdown: &Shutdown) -> Result<(), Stopping> {
        let mut groups: BTreeMap<TenantId, Vec<Incoming>> = BTreeMap::new();
        for message in messages {
            match tenant_of(&message) {
                Ok(tenant) => groups.entry(tenant).or_default().push(message),
                Err(why) => self.bury(message, &why, shutdown).await?,
            }
        }
        let groups = groups.into_iter().flat_map(|(tenant, group)| {
            let parts = parts(group).into_iter();
            parts.map(move |part| (tenant.clone(), part))
        });
        let mut waiting: Vec<(TenantId, Vec<Incoming>)> = groups.collect();
        while let Some((tenant, mut group)) = waiting.pop() {
            let Some(fault) = self.keep_group(&tenant, &group, shutdown).await? else {
                continue;
            };
            if group.len() > 1 {
                let second = group.split_off(group.len() / 2);
                waiting.push((tenant.clone(), second));
                waiting.push((tenant, group));
            } else if let Some(message) = group.pop() {
                self.bury(message, &fault, shutdown).await?;
            }
        }
        Ok(())
    }

    /// Has the spans of messages kept; says what is wrong when one of the messages is no good.
    async fn keep_group(
        &self,
        tenant: &TenantId,
        group: &[Incoming],
        shutdown: &Shutdown,
    ) -> Result<Option<String>, Stopping> {
        let encoding = self.kafka.options.encoding;
        let spans = loop {
            let messages = group.to_vec();
            match self.kafka.pool.run(move || read(&messages, encoding)).await {
                Ok(Ok(spans)) => break spans,
                Ok(Err(why)) => return Ok(Some(why)),
                Err(_busy) => self.pause(PAUSE_MIN, shutdown).await?,
            }
        };
        if spans.truncated_values > 0
            && let Some(untold) = self.complaints.cuts.due()
        {
            let values = spans.truncated_values;
            tracing::warn!(
                values,
                untold,
                "values of spans are too deep or too many: they are cut off"
            );
        }
        match &spans.rejected {
            Some(why) if group.len() > 1 => return Ok(Some(why.clone())),
            _ => {}
        }
        let rejected = spans.rejected.clone();
        if spans.batch.is_empty() {
            return Ok(rejected);
        }
        match self.write(tenant, spans, shutdown).await? {
            Written::Kept => Ok(rejected),
            Written::Refused(why) => Ok(Some(why)),
        }
    }

    /// Writes until the store has confirmed it.
    async fn write(
        &self,
        tenant: &TenantId,
        spans: Spans,
        shutdown: &Shutdown,
    ) -> Result<Written, Stopping> {
        let Spans { batch, otlp, .. } = spans;
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let (mut pause, mut refused) = (PAUSE_MIN, 0);
        loop {
            let incoming = IncomingBatch {
                tenant: tenant.clone(),
                batch: batch.clone(),
                otlp: otlp.clone(),
            };
            let error = match self.writer.write(incoming).await {
                Ok(_) => {
                    self.metrics.spans.inc_by(count);
                    return Ok(Written::Kept);
                }
                Err(error) => error,
            };
            if let WriteError::Failed { reason } = &error {
                refused += 1;
                if refused >= TRIES_OF_REFUSED {
                    return Ok(Written::Refused(reason.clone()));
                }
            }
            self.metrics.writes_again.inc();
            if let Some(untold) = self.complaints.writes.due() {
                tracing::warn!(%error, untold, "spans of messages are not kept yet: they are written again");
            }
            self.pause(pause, shutdown).await?;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn pause(&self, pause: Duration, shutdown: &Shutdown) -> Result<(), Stopping> {
        match tokio::time::timeout(pause, shutdown.begun()).await {
            Ok(()) => Err(Stopping),
            Err(_elapsed) => Ok(()),
        }
    }

    /// Puts a message where somebody can look at it, with the reason.
    async fn bury(
        &self,
        message: Incoming,
        why: &str,
        shutdown: &Shutdown,
    ) -> Result<(), Stopping> {
        let Incoming {
            partition,
            offset,
            mut message,
        } = message;
        let topic = &self.kafka.options.group.dead_letter_topic;
        if let Some(untold) = self.complaints.letters.due() {
            tracing::warn!(
                partition,
                offset,
                reason = why,
                dead_letter_topic = topic,
                untold,
                "a message is no good: it is a dead letter"
            );
        }
        let facts = [
            ("trackway-reason", why.to_owned()),
            ("trackway-topic", self.kafka.options.topic.clone()),
            ("trackway-partition", partition.to_string()),
            ("trackway-offset", offset.to_string()),
        ];
        let facts = facts.map(|(name, value)| (name.to_owned(), Bytes::from(value)));
        message.headers.extend(facts);
        if planted("kafka-dead-letters-dropped") {
            return Ok(());
        }
        // What was written before it is not written again: it is tried until it succeeds.
        let mut pause = PAUSE_MIN;
        loop {
            let sent = tokio::select! {
                sent = self.kafka.client.send(topic, vec![message.clone()]) => sent,
                () = shutdown.begun() => return Err(Stopping),
            };
            let Err(fault) = sent else {
                self.metrics.dead_letters.inc();
                return Ok(());
            };
            let fault = format!("dead letters are not taken: {fault}");
            if let Some(untold) = self.complaints.letters.due() {
                tracing::warn!(fault, untold, "a dead letter is sent again");
            }
            self.kafka.trouble.note(Some(fault));
            self.pause(pause, shutdown).await?;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// Cuts messages into groups that are written at once, none longer than it may be unless it is one message.
fn parts(messages: Vec<Incoming>) -> Vec<Vec<Incoming>> {
    let (mut parts, mut bytes) = (vec![Vec::new()], 0);
    for message in messages {
        let length = message.message.value.len();
        if bytes > 0 && bytes + length > GROUP_BYTES_MAX {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += length;
        if let Some(part) = parts.last_mut() {
            part.push(message);
        }
    }
    parts
}

/// Where reading goes on in each partition.
fn next_offsets(messages: &[Incoming]) -> BTreeMap<i32, i64> {
    let mut next = BTreeMap::new();
    for message in messages {
        let at = next.entry(message.partition).or_insert(0);
        *at = (*at).max(message.offset + 1);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::client::Message;

    #[test]
    fn groups_are_no_longer_than_they_may_be_and_lose_nothing() {
        let message = |offset: i64, bytes: usize| Incoming {
            partition: 0,
            offset,
            message: Message {
                key: None,
                value: Bytes::from(vec![0; bytes]),
                headers: Vec::new(),
            },
        };
        let half = GROUP_BYTES_MAX / 2;
        let lengths = [half, half, 1, GROUP_BYTES_MAX + 1, 1, 0];
        let messages = (0..).zip(lengths).map(|(at, bytes)| message(at, bytes));
        let offsets = |part: &Vec<Incoming>| part.iter().map(|one| one.offset).collect();
        let parts: Vec<Vec<i64>> = parts(messages.collect()).iter().map(offsets).collect();
        assert_eq!(parts, [vec![0, 1], vec![2], vec![3], vec![4, 5]]);
    }
}
