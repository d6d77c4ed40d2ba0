//! Room in memory for what questions read side by side.
//!
//! Who wants more than is left waits until others have done. Nobody holds room and wants more, so nobody waits for
//! ever.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::engine::lock;

/// A number of bytes that are shared.
#[derive(Debug)]
pub(crate) struct ReadRoom {
    all: usize,
    left: Mutex<usize>,
    given_back: Condvar,
}

/// Bytes that are taken, until this is dropped.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    room: &'a ReadRoom,
    bytes: usize,
}

impl ReadRoom {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            all: bytes,
            left: Mutex::new(bytes),
            given_back: Condvar::new(),
        }
    }

    /// Takes room, and waits for it. Who wants more than there is gets all.
    pub(crate) fn take(&self, bytes: usize) -> Taken<'_> {
        let bytes = bytes.min(self.all);
        let mut left = lock(&self.left);
        while *left < bytes && !plumbing::planted("store-read-without-room") {
            let woken = self.given_back.wait(left);
            left = woken.unwrap_or_else(PoisonError::into_inner);
        }
        *left = left.saturating_sub(bytes);
        Taken { room: self, bytes }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *lock(&self.room.left) += self.bytes;
        self.room.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn readers_side_by_side_never_have_more_than_there_is() {
        let (room, used, peak) = (ReadRoom::new(100), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for nth in 0..8 {
                let (room, used, peak) = (&room, &used, &peak);
                scope.spawn(move || {
                    for round in 0..200 {
                        // More than there is counts as all of it.
                        let bytes = [10, 35, 60, 1_000][(nth + round) % 4];
                        let _taken = room.take(bytes);
                        let bytes = bytes.min(100);
                        let now = used.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        peak.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        used.fetch_sub(bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(peak.into_inner(), 100);
        assert_eq!(*lock(&room.left), 100);
    }
}
