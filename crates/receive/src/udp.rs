//! Datagrams from old Jaeger clients: one Thrift message each, never answered (ports 6831, 6832, 5775).
//!
//! ```text
//! socket ─▶ piles, at most QUEUE_BYTES_MAX ─▶ decode on the CPU pool ─▶ one write a pile
//! ```
//!
//! Promises
//! - Reading goes on whatever the store does: datagrams wait in a queue that is bounded in bytes, and when it is full
//!   the oldest are let go and counted as `overloaded`. Nobody can be told to send again.
//! - What the store can't take now is tried again, with pauses, for as long as it waits in the queue.
//! - When the program stops, what was read is still written, for as long as stopping may take.
//!
//! Every datagram is a request of the ledger. What the kernel lets go before it is read is not in it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use codec::jaeger::{self, ThriftProtocol};
use codec::otlp::{decode_proto, encode_proto};
use model::{BatchBuilder, SpanBatch, TenantId};
use plumbing::{ByteBudget, Reservation, Shutdown, Tasks};
use tokio::net::UdpSocket;
use tokio::sync::{Notify, mpsc};

use crate::client_losses::ClientLosses;
use crate::intake::{OnKept, Receiver, Steps, undecodable};
use crate::ledger::{Outcome, Tally, Transport};
use crate::refusal::{Reason, Refusal};

/// The largest datagram that IP carries.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// A pile is written when it is so large, or when nothing more waits in the socket.
const PILE_BYTES: usize = 1024 * 1024;
/// So many datagrams are one pile at most, however small they are.
const PILE_DATAGRAMS_MAX: usize = 2_000;
/// What may wait to be written, for each transport: this at most, and this part of what all requests may take.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
const QUEUE_PART: u64 = 8;
/// What is read of each socket behind the signal to stop.
const LAST_PILES_MAX: usize = 16;
/// Memory of a datagram in a pile besides its bytes.
const DATAGRAM_OVERHEAD_BYTES: usize = 256;
/// How long it takes until more is read, so that a pile is more than one datagram.
const GATHER: Duration = Duration::from_millis(5);
/// The first pause before a pile is tried again; doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long reading rests after it failed.
const READ_PAUSE: Duration = Duration::from_millis(50);

/// Datagrams that are written together.
#[derive(Debug, Default)]
struct Pile {
    bytes: Vec<u8>,
    datagrams: Vec<Datagram>,
}

/// One of a pile.
#[derive(Debug)]
struct Datagram {
    /// Where its bytes end among those of the pile.
    end: usize,
    /// Who sent it.
    peer: IpAddr,
    /// Its account.
    tally: Arc<Tally>,
}

impl Pile {
    fn memory(&self) -> usize {
        self.bytes.capacity() + self.datagrams.len() * DATAGRAM_OVERHEAD_BYTES
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= PILE_BYTES || self.datagrams.len() >= PILE_DATAGRAMS_MAX
    }

    fn push(&mut self, datagram: &[u8], peer: IpAddr, tally: Arc<Tally>) {
        self.bytes.extend_from_slice(datagram);
        let end = self.bytes.len();
        self.datagrams.push(Datagram { end, peer, tally });
    }

    /// The bytes of each datagram, and what else is known of it.
    fn iter(&self) -> impl Iterator<Item = (&[u8], &Datagram)> {
        let mut start = 0;
        self.datagrams.iter().map(move |datagram| {
            let bytes = self.bytes.get(start..datagram.end).unwrap_or_default();
            start = datagram.end;
            (bytes, datagram)
        })
    }

    fn let_go(&self, reason: Reason) {
        for datagram in &self.datagrams {
            datagram.tally.settle(Outcome::Refused(reason));
        }
    }
}

/// Piles on their way from the socket to the store.
#[derive(Debug)]
struct Queue {
    bytes_max: usize,
    piles: Mutex<Waiting>,
    has_more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    piles: VecDeque<Pile>,
    bytes: usize,
    is_closed: bool,
}

impl Queue {
    /// A queue whose bytes are a small part of what all requests may take.
    fn new(budget: &ByteBudget) -> Self {
        let part = usize::try_from(budget.limit() / QUEUE_PART).unwrap_or(usize::MAX);
        Self {
            bytes_max: part.clamp(2 * PILE_BYTES, QUEUE_BYTES_MAX),
            piles: Mutex::default(),
            has_more: Notify::new(),
        }
    }

    /// Adds a pile; what makes the queue too large is let go, the oldest first.
    fn push(&self, pile: Pile) {
        let mut gone = Vec::new();
        {
            let mut waiting = self.piles.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.bytes += pile.memory();
            waiting.piles.push_back(pile);
            while waiting.bytes > self.bytes_max && waiting.piles.len() > 1 {
                let Some(oldest) = waiting.piles.pop_front() else {
                    break;
                };
                waiting.bytes -= oldest.memory();
                gone.push(oldest);
            }
        }
        self.has_more.notify_one();
        for pile in gone {
            pile.let_go(Reason::Overloaded);
        }
    }

    fn close(&self) {
        let mut waiting = self.piles.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_closed = true;
        drop(waiting);
        self.has_more.notify_one();
    }

    /// Waits for a pile; nothing once the queue is closed and empty.
    async fn next(&self) -> Option<Pile> {
        loop {
            {
                let mut waiting = self.piles.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(pile) = waiting.piles.pop_front() {
                    waiting.bytes -= pile.memory();
                    return Some(pile);
                }
                if waiting.is_closed {
                    return None;
                }
            }
            self.has_more.notified().await;
        }
    }
}

/// Reads datagrams until the signal to stop, then writes what was read; gives an error only before it reads.
///
/// # Errors
/// When a socket can't be used.
pub async fn serve_udp(
    transport: Transport,
    receiver: Arc<Receiver>,
    sockets: Vec<std::net::UdpSocket>,
    shutdown: Shutdown,
    tasks: Tasks,
) -> io::Result<()> {
    let sockets = sockets
        .into_iter()
        .map(|socket| {
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket)
        })
        .collect::<io::Result<Vec<_>>>()?;
    let queue = Arc::new(Queue::new(receiver.budget()));
    // Nothing is ever sent: the channel ends when every reader has let go of its sender.
    let (alive, mut all_ended) = mpsc::channel::<Infallible>(1);
    for socket in sockets {
        let reader = Reader {
            socket,
            transport,
            receiver: Arc::clone(&receiver),
            queue: Arc::clone(&queue),
            shutdown: shutdown.clone(),
        };
        let alive = alive.clone();
        // Tasks of their own: whoever sends without a pause keeps no other listener waiting.
        tasks.spawn(async move {
            reader.run().await;
            drop(alive);
        });
    }
    drop(alive);
    let protocol = match transport {
        Transport::UdpBinary => ThriftProtocol::Binary,
        _ => ThriftProtocol::Compact,
    };
    let reading = async {
        all_ended.recv().await;
        queue.close();
    };
    let writing = write_all(&receiver, &queue, protocol, &shutdown);
    tokio::join!(reading, writing);
    Ok(())
}

/// Reads one socket.
struct Reader {
    socket: UdpSocket,
    transport: Transport,
    receiver: Arc<Receiver>,
    queue: Arc<Queue>,
    shutdown: Shutdown,
}

/// What reading has come to.
enum Read {
    /// Nothing more waits.
    All,
    /// A pile was read, and there may be more.
    Pile,
}

impl Reader {
    async fn run(self) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            let ready = tokio::select! {
                biased;
                () = self.shutdown.begun() => break,
                ready = self.socket.readable() => ready,
            };
            match ready.and_then(|()| self.read_pile(&mut buffer)) {
                // However fast they come, others have their turn.
                Ok(Read::Pile) => tokio::task::yield_now().await,
                // A moment later there is more: one write for many datagrams. The kernel holds them meanwhile.
                Ok(Read::All) => tokio::time::sleep(GATHER).await,
                Err(error) => {
                    tracing::warn!(transport = self.transport.label(), %error, "datagrams could not be read");
                    tokio::time::sleep(READ_PAUSE).await;
                }
            }
        }
        // What the kernel had when the program was told to stop.
        for _ in 0..LAST_PILES_MAX {
            match self.read_pile(&mut buffer) {
                Ok(Read::Pile) => tokio::task::yield_now().await,
                Ok(Read::All) | Err(_) => break,
            }
        }
    }

    /// Reads what waits in the socket, a pile at most.
    fn read_pile(&self, buffer: &mut [u8]) -> io::Result<Read> {
        let mut pile = Pile::default();
        let result = loop {
            match self.socket.try_recv_from(buffer) {
                Ok((length, peer)) => {
                    let ledger = self.receiver.ledger();
                    let peer = peer.ip().to_canonical();
                    let tally = ledger.open(self.transport, Some(peer));
                    let datagram = buffer.get(..length).unwrap_or_default();
                    tally.add_bytes(u64::try_from(length).unwrap_or(0));
                    pile.push(datagram, peer, tally);
                    if pile.is_full() {
                        break Ok(Read::Pile);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(Read::All),
                Err(error) => break Err(error),
            }
        };
        if !pile.datagrams.is_empty() {
            self.queue.push(pile);
        }
        result
    }
}

/// Writes piles until the queue is closed and empty, or stopping has taken too long.
async fn write_all(
    receiver: &Arc<Receiver>,
    queue: &Queue,
    protocol: ThriftProtocol,
    shutdown: &Shutdown,
) {
    let writing = async {
        while let Some(pile) = queue.next().await {
            write_one(receiver, protocol, Arc::new(pile)).await;
        }
    };
    let too_late = async {
        shutdown.begun().await;
        tokio::time::sleep(receiver.limits().drain_timeout).await;
    };
    tokio::select! {
        () = writing => {}
        () = too_late => {
            tracing::warn!("datagrams are let go that could not be written in time");
        }
    }
}

/// Writes a pile, and tries again while the store can't take it: newer ones wait in the queue meanwhile, which lets go
/// of the oldest when it is full.
async fn write_one(receiver: &Arc<Receiver>, protocol: ThriftProtocol, pile: Arc<Pile>) {
    let mut pauses = Pauses::default();
    let Digest {
        batch,
        otlp,
        tallies,
        on_kept,
        _reservation,
    } = loop {
        match decode(receiver, protocol, &pile).await {
            Ok(digest) => break digest,
            Err(refusal) if can_wait(&refusal) => pauses.wait().await,
            Err(refusal) => return let_go(pile.datagrams.iter().map(|one| &one.tally), &refusal),
        }
    };
    if batch.is_empty() {
        on_kept.into_iter().for_each(|act| act());
        return settle(&tallies, 0);
    }
    let mut next = Some(batch);
    loop {
        let written = match next.take() {
            Some(batch) => {
                receiver
                    .write(receiver.tenant().clone(), batch, otlp.clone())
                    .await
            }
            None => match again(receiver, &otlp).await {
                Ok(batch) => {
                    receiver
                        .write(receiver.tenant().clone(), batch, otlp.clone())
                        .await
                }
                Err(refusal) => Err(refusal),
            },
        };
        match written {
            Ok(kept) => {
                on_kept.into_iter().for_each(|act| act());
                return settle(&tallies, kept.duplicate_spans);
            }
            Err(refusal) if can_wait(&refusal) => pauses.wait().await,
            Err(refusal) => return let_go(tallies.iter(), &refusal),
        }
    }
}

/// Pauses that get longer.
struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSE_MIN)
    }
}

impl Pauses {
    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(PAUSE_MAX);
    }
}

fn can_wait(refusal: &Refusal) -> bool {
    matches!(refusal.kind(), Reason::Overloaded | Reason::Unavailable)
}

fn let_go<'a>(tallies: impl Iterator<Item = &'a Arc<Tally>>, refusal: &Refusal) {
    tracing::debug!(error = %refusal, "datagrams were let go");
    for tally in tallies {
        tally.refuse(refusal);
    }
}

/// Decodes a pile on the pool, within the budget of all requests. What fails here has settled nothing.
async fn decode(
    receiver: &Receiver,
    protocol: ThriftProtocol,
    pile: &Arc<Pile>,
) -> Result<Digest, Refusal> {
    // The datagrams, their batch and its encoding are each about as large.
    let bytes = u64::try_from(pile.bytes.len().saturating_mul(3)).unwrap_or(u64::MAX);
    let reserved = receiver.budget().reserve(bytes);
    let reservation = reserved.map_err(|exceeded| Refusal::over_budget(0, &exceeded))?;
    let (pile, losses) = (Arc::clone(pile), Arc::clone(receiver.losses()));
    let steps = receiver.steps();
    let tenant = receiver.tenant().clone();
    let work = move || digest(&pile, protocol, &losses, (&steps, &tenant), reservation);
    Ok(receiver.pool().run(work).await?)
}

/// The spans of a pile, ready for the writer.
struct Digest {
    batch: SpanBatch,
    otlp: Bytes,
    /// The accounts of the datagrams that could be read.
    tallies: Vec<Arc<Tally>>,
    on_kept: OnKept,
    /// The memory of all this, until it is written.
    _reservation: Reservation,
}

/// Decodes a pile into one batch; datagrams that can't be read are settled alone, and each goes through the steps alone
/// so that what they leave out is known by its datagram.
fn digest(
    pile: &Pile,
    protocol: ThriftProtocol,
    losses: &ClientLosses,
    (steps, tenant): (&Steps, &TenantId),
    reservation: Reservation,
) -> Digest {
    let mut builder = BatchBuilder::new();
    let mut tallies = Vec::with_capacity(pile.datagrams.len());
    let mut on_kept = OnKept::new();
    for (bytes, Datagram { peer, tally, .. }) in pile.iter() {
        let datagram = match jaeger::decode_udp(bytes, protocol) {
            Ok(datagram) => datagram,
            Err(error) => {
                tally.refuse(&undecodable(error));
                continue;
            }
        };
        let submitted = datagram.submitted;
        losses.note(&submitted.client, Some(*peer));
        tally.add_decoded(&submitted.decoded);
        let decoded = submitted.decoded;
        let processed = steps.process(tenant, decoded.batch, &decoded.forced, tally);
        builder.append(&processed.batch);
        on_kept.extend(processed.on_kept);
        tallies.push(Arc::clone(tally));
    }
    let batch = builder.finish();
    let otlp = Bytes::from(encode_proto(&batch));
    Digest {
        batch,
        otlp,
        tallies,
        on_kept,
        _reservation: reservation,
    }
}

/// The same batch once more: what is written is given away.
async fn again(receiver: &Receiver, otlp: &Bytes) -> Result<SpanBatch, Refusal> {
    let otlp = otlp.clone();
    let decoded = receiver.pool().run(move || decode_proto(&otlp)).await?;
    decoded.map(|decoded| decoded.batch).map_err(undecodable)
}

fn settle(tallies: &[Arc<Tally>], duplicate_spans: u64) {
    for (at, tally) in tallies.iter().enumerate() {
        // Which datagram a duplicate came in is not known.
        tally.add_notes(0, 0, if at == 0 { duplicate_spans } else { 0 });
        tally.settle(Outcome::Accepted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;
    use plumbing::RealClock;

    fn pile(ledger: &Arc<Ledger>, bytes: usize) -> Pile {
        let mut pile = Pile::default();
        let tally = ledger.open(Transport::UdpCompact, None);
        pile.push(&vec![7; bytes], IpAddr::from([127, 0, 0, 1]), tally);
        pile
    }

    #[tokio::test]
    async fn a_full_queue_lets_the_oldest_go_and_counts_them() {
        let ledger = Ledger::new(Arc::new(RealClock::default()));
        let queue = Queue::new(&ByteBudget::new(1 << 30));
        let count = 3 * QUEUE_BYTES_MAX / PILE_BYTES;
        for number in 0..count {
            let mut one = pile(&ledger, PILE_BYTES);
            one.bytes[0] = u8::try_from(number).unwrap();
            queue.push(one);
        }
        queue.close();
        let mut left = Vec::new();
        while let Some(pile) = queue.next().await {
            left.push(usize::from(pile.bytes[0]));
            pile.let_go(Reason::Failed);
        }
        assert!(left.len() < count && left.len() * PILE_BYTES > QUEUE_BYTES_MAX / 2);
        assert_eq!(left, (count - left.len()..count).collect::<Vec<_>>());
        let counts = ledger.counts(Transport::UdpCompact);
        let gone = counts.requests.refused_for(Reason::Overloaded);
        assert_eq!(usize::try_from(gone).unwrap(), count - left.len());
        assert!(counts.is_balanced());
    }
}
