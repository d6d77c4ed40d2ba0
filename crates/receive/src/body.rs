//! Reading a body: memory is taken from the budget before the bytes are, and a deadline is on the whole.
//!
//! Promises
//! - A body whose length is declared has all its memory reserved before its first byte is read, or is refused.
//! - A body of unknown length grows its reservation before its memory.
//! - A refused HTTP/1 body is read away for a moment without being kept, so that a client that is still sending
//!   sees our answer and not a reset connection.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use plumbing::{ByteBudget, Reservation};

use crate::decompress::grow;
use crate::ledger::Tally;
use crate::refusal::Refusal;

/// The least memory taken for a body of unknown length.
const STEP_BYTES_MIN: usize = 16 * 1024;
/// The most bytes of a refused body that are read away.
const LINGER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The longest time that a refused body is read away.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// A body as it is read, and the memory reserved for it.
#[derive(Debug)]
pub(crate) struct Held {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// At least the capacity of the bytes.
    pub(crate) reservation: Reservation,
}

impl Held {
    /// Takes memory for a body of a known size, or none yet. What is not compressed is soon decoded: memory for that
    /// is taken too, so that a request that was admitted is not refused after it was read.
    pub(crate) fn with_capacity(
        budget: &ByteBudget,
        bytes: u64,
        is_compressed: bool,
    ) -> Result<Self, Refusal> {
        let mut reservation = budget
            .reserve(0)
            .map_err(|exceeded| Refusal::over_budget(0, &exceeded))?;
        let capacity = usize::try_from(bytes).unwrap_or(usize::MAX);
        grow(
            &mut reservation,
            if is_compressed {
                capacity
            } else {
                capacity.saturating_mul(2)
            },
        )?;
        Ok(Self {
            bytes: Vec::with_capacity(capacity),
            reservation,
        })
    }

    /// Makes room for a number of bytes more.
    pub(crate) fn make_room(&mut self, more: usize) -> Result<(), Refusal> {
        if self.bytes.capacity() - self.bytes.len() >= more {
            return Ok(());
        }
        let step = more.max(self.bytes.capacity()).max(STEP_BYTES_MIN);
        grow(&mut self.reservation, step)?;
        self.bytes.reserve_exact(step);
        Ok(())
    }
}

/// A body of a request, whoever serves its connection.
pub(crate) trait Bytewise: http_body::Body<Data = Bytes, Error: Display> + Unpin {}

impl<B: http_body::Body<Data = Bytes, Error: Display> + Unpin> Bytewise for B {}

/// Gives the next bytes of a body, counted; nothing at its end.
pub(crate) async fn next_chunk(
    body: &mut impl Bytewise,
    tally: &Tally,
) -> Result<Option<Bytes>, Refusal> {
    let chunk = next_bytes(body).await?;
    if let Some(chunk) = &chunk {
        tally.add_bytes(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    }
    Ok(chunk)
}

/// Gives the next bytes of a body; nothing at its end.
pub(crate) async fn next_bytes(body: &mut impl Bytewise) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(chunk)) => return Ok(Some(chunk)),
            // Trailers say nothing to us.
            Ok(Err(_)) => {}
            Err(error) => {
                return Err(Refusal::BrokenOff {
                    reason: error.to_string(),
                });
            }
        }
    }
    Ok(None)
}

/// Reads a whole HTTP body of at most `bytes_max` bytes.
pub(crate) async fn read_whole(
    body: &mut Incoming,
    budget: &ByteBudget,
    bytes_max: u64,
    is_compressed: bool,
    tally: &Tally,
) -> Result<Held, Refusal> {
    let too_large = || Refusal::TooLarge {
        what: "the request's body",
        bytes_max,
    };
    let declared = body.size_hint().exact().unwrap_or(0);
    if declared > bytes_max {
        return Err(too_large());
    }
    let mut held = Held::with_capacity(budget, declared, is_compressed)?;
    while let Some(chunk) = next_chunk(body, tally).await? {
        let sum = held.bytes.len().saturating_add(chunk.len());
        if u64::try_from(sum).map_or(true, |sum| sum > bytes_max) {
            return Err(too_large());
        }
        held.make_room(chunk.len())?;
        held.bytes.extend_from_slice(&chunk);
    }
    Ok(held)
}

/// Gives up a future that takes longer than the body may.
pub(crate) async fn within<T>(
    timeout: Duration,
    reading: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout(timeout, reading).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::TooSlow {
            seconds: timeout.as_secs(),
        }),
    }
}

/// Reads what is left of a refused body, keeping nothing of it.
pub(crate) async fn linger(mut body: Incoming) {
    let reading = async {
        let mut bytes = 0usize;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > LINGER_BYTES_MAX {
                return;
            }
        }
    };
    // Either way the body is let go, which closes the connection when there is still more of it.
    let _timed_out = tokio::time::timeout(LINGER_TIMEOUT, reading).await;
}
