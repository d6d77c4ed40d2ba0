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
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use codec::jaeger::{self, ThriftProtocol};
use codec::otlp::{decode_proto, encode_proto};
use model::{BatchBuilder, SpanBatch};
use plumbing::Shutdown;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use crate::client_losses::ClientLosses;
use crate::intake::{Receiver, undecodable};
use crate::ledger::{Outcome, Tally, Transport};
use crate::refusal::Reason;

/// The largest datagram that IP carries.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// A pile is written when it is so large, or when nothing more waits in the socket.
const PILE_BYTES: usize = 1024 * 1024;
/// So many datagrams are one pile at most, however small they are.
const PILE_DATAGRAMS_MAX: usize = 2_000;
/// What may wait to be written, for each transport.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
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
pub(crate) struct Pile {
    pub(crate) bytes: Vec<u8>,
    /// The end of each datagram in the bytes, and its account.
    pub(crate) datagrams: Vec<(usize, Arc<Tally>)>,
}

impl Pile {
    fn memory(&self) -> usize {
        self.bytes.capacity() + self.datagrams.len() * DATAGRAM_OVERHEAD_BYTES
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= PILE_BYTES || self.datagrams.len() >= PILE_DATAGRAMS_MAX
    }

    fn push(&mut self, datagram: &[u8], tally: Arc<Tally>) {
        self.bytes.extend_from_slice(datagram);
        self.datagrams.push((self.bytes.len(), tally));
    }

    /// The datagrams, with their accounts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Arc<Tally>)> {
        let mut start = 0;
        self.datagrams.iter().map(move |(end, tally)| {
            let datagram = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (datagram, tally)
        })
    }

    fn let_go(&self, reason: Reason) {
        for (_, tally) in &self.datagrams {
            tally.settle(Outcome::Refused(reason));
        }
    }
}

/// Piles on their way from the socket to the store.
#[derive(Debug, Default)]
struct Queue {
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
    /// Adds a pile; what makes the queue too large is let go, the oldest first.
    fn push(&self, pile: Pile) {
        let mut gone = Vec::new();
        {
            let mut waiting = self.piles.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.bytes += pile.memory();
            waiting.piles.push_back(pile);
            while waiting.bytes > QUEUE_BYTES_MAX && waiting.piles.len() > 1 {
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

    /// Tells whether so much waits that a pile that can't be written had better make room.
    fn is_crowded(&self) -> bool {
        let waiting = self.piles.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.bytes > QUEUE_BYTES_MAX / 2
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
) -> io::Result<()> {
    let sockets = sockets
        .into_iter()
        .map(|socket| {
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket)
        })
        .collect::<io::Result<Vec<_>>>()?;
    let queue = Arc::new(Queue::default());
    let readers = sockets.into_iter().map(|socket| {
        let reader = Reader {
            socket,
            transport,
            receiver: Arc::clone(&receiver),
            queue: Arc::clone(&queue),
            shutdown: shutdown.clone(),
        };
        reader.run()
    });
    let reading = async {
        futures_util::future::join_all(readers).await;
        queue.close();
    };
    let protocol = match transport {
        Transport::UdpBinary => ThriftProtocol::Binary,
        _ => ThriftProtocol::Compact,
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

impl Reader {
    async fn run(self) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            let ready = tokio::select! {
                biased;
                () = self.shutdown.begun() => break,
                ready = self.socket.readable() => ready,
            };
            let is_read = ready.and_then(|()| self.read_all(&mut buffer));
            if let Err(error) = is_read {
                tracing::warn!(transport = self.transport.label(), %error, "datagrams could not be read");
                tokio::time::sleep(READ_PAUSE).await;
            }
            // A moment later there is more: one write for many datagrams. The kernel holds them meanwhile.
            tokio::time::sleep(GATHER).await;
        }
        // What the kernel had when the program was told to stop.
        let _ended = self.read_all(&mut buffer);
    }

    /// Reads what waits in the socket, in piles.
    fn read_all(&self, buffer: &mut [u8]) -> io::Result<()> {
        let mut pile = Pile::default();
        let result = loop {
            match self.socket.try_recv_from(buffer) {
                Ok((length, peer)) => {
                    let ledger = self.receiver.ledger();
                    let tally = ledger.open(self.transport, Some(peer.ip().to_canonical()));
                    let datagram = buffer.get(..length).unwrap_or_default();
                    tally.add_bytes(u64::try_from(length).unwrap_or(0));
                    pile.push(datagram, tally);
                    if pile.is_full() {
                        self.queue.push(std::mem::take(&mut pile));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
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
            write_one(receiver, queue, protocol, pile).await;
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

/// Writes a pile, and tries again while the store can't take it and no newer ones need the room.
async fn write_one(receiver: &Arc<Receiver>, queue: &Queue, protocol: ThriftProtocol, pile: Pile) {
    let losses = Arc::clone(receiver.losses());
    let work = move || digest(&pile, protocol, &losses);
    let digest = match receiver.pool().run(work).await {
        Ok(digest) => digest,
        // The pool is full or gone; the accounts are settled as they are let go.
        Err(error) => return tracing::debug!(%error, "datagrams were let go"),
    };
    let Digest {
        batch,
        otlp,
        tallies,
    } = digest;
    if batch.is_empty() {
        return settle(&tallies, 0);
    }
    let mut pause = PAUSE_MIN;
    let mut next = Some(batch);
    loop {
        let batch = match next.take() {
            Some(batch) => batch,
            None => again(receiver, &otlp).await,
        };
        let refusal = match receiver.write(batch, otlp.clone()).await {
            Ok(kept) => return settle(&tallies, kept.duplicate_spans),
            Err(refusal) => refusal,
        };
        let can_wait = matches!(refusal.kind(), Reason::Overloaded | Reason::Unavailable);
        if !can_wait || queue.is_crowded() {
            tracing::debug!(error = %refusal, "datagrams were let go");
            for tally in &tallies {
                tally.refuse(&refusal);
            }
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// The spans of a pile, ready for the writer.
#[derive(Debug)]
struct Digest {
    batch: SpanBatch,
    otlp: Bytes,
    /// The accounts of the datagrams that could be read.
    tallies: Vec<Arc<Tally>>,
}

/// Decodes a pile into one batch; datagrams that can't be read are settled alone.
fn digest(pile: &Pile, protocol: ThriftProtocol, losses: &ClientLosses) -> Digest {
    let mut builder = BatchBuilder::new();
    let mut tallies = Vec::with_capacity(pile.datagrams.len());
    for (bytes, tally) in pile.iter() {
        let datagram = match jaeger::decode_udp(bytes, protocol) {
            Ok(datagram) => datagram,
            Err(error) => {
                tally.refuse(&undecodable(error));
                continue;
            }
        };
        let submitted = datagram.submitted;
        losses.note(&submitted.client);
        tally.add_decoded(&submitted.decoded);
        builder.append(&submitted.decoded.batch);
        tallies.push(Arc::clone(tally));
    }
    let batch = builder.finish();
    let otlp = Bytes::from(encode_proto(&batch));
    Digest {
        batch,
        otlp,
        tallies,
    }
}

/// The same batch once more: what is written is given away.
async fn again(receiver: &Receiver, otlp: &Bytes) -> SpanBatch {
    let otlp = otlp.clone();
    let decoding = receiver.pool().run(move || decode_proto(&otlp));
    // What we encoded can be decoded; without a pool there is nothing to be written any more.
    let decoded = decoding.await.ok().and_then(Result::ok);
    decoded.map(|decoded| decoded.batch).unwrap_or_default()
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
        pile.push(&vec![7; bytes], ledger.open(Transport::UdpCompact, None));
        pile
    }

    #[tokio::test]
    async fn a_full_queue_lets_the_oldest_go_and_counts_them() {
        let ledger = Ledger::new(Arc::new(RealClock::default()));
        let queue = Queue::default();
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
