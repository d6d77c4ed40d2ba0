//! Watches the frames that an HTTP/2 client sends for floods of pings.
//!
//! The HTTP/2 library answers every ping and every settings frame and keeps no account of them. This reads the nine
//! bytes before each frame as they pass by, changes nothing, and raises an alarm when a client sent more of them
//! than the limit in a minute without a request between. HTTP/1 connections are not looked at.
//!
//! Cost: a few instructions a frame; no memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use plumbing::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER_BYTES: usize = 9;
const FRAME_HEADERS: u8 = 0x1;
const FRAME_SETTINGS: u8 = 0x4;
const FRAME_PING: u8 = 0x6;
/// In a ping or settings frame: an answer to ours.
const FLAG_ACK: u8 = 0x1;
const WINDOW: Duration = Duration::from_secs(60);

/// A connection that is watched.
#[derive(Debug)]
pub(crate) struct PingWatch<S> {
    stream: S,
    reading: Reading,
    count: u32,
    count_max: u32,
    window_start_nanos: u64,
    clock: Arc<dyn Clock>,
    alarm: Arc<Notify>,
}

#[derive(Debug)]
enum Reading {
    /// So many bytes of the preface were seen.
    Preface(usize),
    /// Part of a frame's header.
    Header([u8; FRAME_HEADER_BYTES], usize),
    /// So many bytes of a frame's payload are still to come.
    Payload(usize),
    /// Not HTTP/2, or already over the limit.
    Off,
}

impl<S> PingWatch<S> {
    /// Watches a connection; gives also the alarm, which is raised once.
    pub(crate) fn new(stream: S, clock: Arc<dyn Clock>, count_max: u32) -> (Self, Arc<Notify>) {
        let alarm = Arc::new(Notify::new());
        let window_start_nanos = clock.monotonic_nanos();
        let reading = Reading::Preface(0);
        let watch = Self {
            stream,
            reading,
            count: 0,
            count_max,
            window_start_nanos,
            clock,
            alarm: Arc::clone(&alarm),
        };
        (watch, alarm)
    }

    fn look_at(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            match &mut self.reading {
                Reading::Off => return,
                Reading::Preface(seen) => {
                    if PREFACE.get(*seen) != Some(&first) {
                        self.reading = Reading::Off;
                        return;
                    }
                    *seen += 1;
                    if *seen == PREFACE.len() {
                        self.reading = Reading::Header([0; FRAME_HEADER_BYTES], 0);
                    }
                    bytes = rest;
                }
                Reading::Header(header, filled) => {
                    if let Some(place) = header.get_mut(*filled) {
                        *place = first;
                    }
                    *filled += 1;
                    bytes = rest;
                    if *filled == FRAME_HEADER_BYTES {
                        let header = *header;
                        self.begin_frame(header);
                    }
                }
                Reading::Payload(missing) => {
                    let step = bytes.len().min(*missing);
                    *missing -= step;
                    if *missing == 0 {
                        self.reading = Reading::Header([0; FRAME_HEADER_BYTES], 0);
                    }
                    bytes = bytes.get(step..).unwrap_or_default();
                }
            }
        }
    }

    fn begin_frame(&mut self, header: [u8; FRAME_HEADER_BYTES]) {
        let [a, b, c, kind, flags, ..] = header;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
        self.reading = if length == 0 {
            Reading::Header([0; FRAME_HEADER_BYTES], 0)
        } else {
            Reading::Payload(length)
        };
        match kind {
            FRAME_HEADERS => self.count = 0,
            FRAME_PING | FRAME_SETTINGS if flags & FLAG_ACK == 0 => self.count_one(),
            _ => {}
        }
    }

    fn count_one(&mut self) {
        let now = self.clock.monotonic_nanos();
        if u128::from(now.saturating_sub(self.window_start_nanos)) >= WINDOW.as_nanos() {
            self.window_start_nanos = now;
            self.count = 0;
        }
        self.count += 1;
        if self.count > self.count_max {
            self.reading = Reading::Off;
            self.alarm.notify_one();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PingWatch<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buf);
        self.look_at(buf.filled().get(before..).unwrap_or_default());
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PingWatch<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbing::ManualClock;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 0], payload].concat()
    }

    fn is_raised_by(chunk_bytes: usize, bytes: &[u8], clock: &Arc<ManualClock>) -> bool {
        let (mut watch, _alarm) = PingWatch::new((), Arc::clone(clock) as Arc<dyn Clock>, 3);
        bytes
            .chunks(chunk_bytes)
            .for_each(|chunk| watch.look_at(chunk));
        matches!(watch.reading, Reading::Off)
    }

    #[test]
    fn too_many_pings_without_a_request_raise_the_alarm_however_the_bytes_are_cut() {
        let clock = Arc::new(ManualClock::at(0));
        let ping = || frame(FRAME_PING, 0, &[0; 8]);
        let three = [PREFACE, &ping(), &ping(), &ping()].concat();
        let four = [&three[..], &ping()].concat();
        let data = frame(0, 0, &[FRAME_PING; 50]);
        let parted = [
            &three[..],
            &frame(FRAME_HEADERS, 4, &[0; 30]),
            &data,
            &ping(),
            &ping(),
        ]
        .concat();
        let answers = [
            &three[..],
            &frame(FRAME_PING, FLAG_ACK, &[0; 8]),
            &frame(FRAME_SETTINGS, FLAG_ACK, &[]),
        ];
        let answers = answers.concat();
        for chunk_bytes in [1, 2, 9, 24, 1000] {
            assert!(is_raised_by(chunk_bytes, &four, &clock), "{chunk_bytes}");
            for fine in [&three, &parted, &answers] {
                assert!(!is_raised_by(chunk_bytes, fine, &clock), "{chunk_bytes}");
            }
        }
    }

    #[test]
    fn pings_of_another_minute_are_forgotten() {
        let clock = Arc::new(ManualClock::at(0));
        let (mut watch, _alarm) = PingWatch::new((), Arc::clone(&clock) as Arc<dyn Clock>, 3);
        watch.look_at(PREFACE);
        for _ in 0..10 {
            watch.look_at(&frame(FRAME_PING, 0, &[0; 8]));
            clock.advance(Duration::from_secs(25));
        }
        assert!(!matches!(watch.reading, Reading::Off));
    }
}
