//! Every bound of the way in, with its default and where the number comes from.
//!
//! The sizes are OTLP's recommendation (64 MiB after decompression). The HTTP/2 numbers are at or below the defaults
//! of the libraries on purpose: each of them closes a known way to exhaust a server, so none may be raised without
//! a test that says why.

use std::time::Duration;

/// The most bytes of an `error_message`; clients log it, so it stays short.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1024;
/// The most memory that a zstd frame may ask for as its window, as a power of two: 8 MiB.
pub(crate) const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// The most bytes of request headers: HTTP/1 buffer and HTTP/2 header list.
pub(crate) const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// The most bytes hyper buffers of an HTTP/1 connection; the smallest that lets 64 KiB chunks through.
pub(crate) const HTTP1_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// The most header fields of an HTTP/1 request.
pub(crate) const HTTP1_HEADERS_MAX: usize = 100;
/// The most streams open at once on one HTTP/2 connection.
pub(crate) const HTTP2_STREAMS_MAX: u32 = 200;
/// Flow-control window of a stream and of a connection: what a peer can make us hold outside the byte budget.
pub(crate) const HTTP2_WINDOW_BYTES: u32 = 1024 * 1024;
/// Streams that were reset before they were handled (rapid reset, CVE-2023-44487); more ends the connection.
pub(crate) const HTTP2_PENDING_RESETS_MAX: usize = 20;
/// Streams that we reset because the peer broke the rules; more ends the connection.
pub(crate) const HTTP2_LOCAL_RESETS_MAX: usize = 1024;
/// Answers that wait to be sent on one stream.
pub(crate) const HTTP2_SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// What a receiver allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most bytes of a request after decompression.
    pub body_bytes_max: u64,
    /// The most bytes of a compressed request as sent.
    pub compressed_bytes_max: u64,
    /// How long a client may take to send a request's headers; on HTTP/1 also how long a connection may rest
    /// between two requests, and on every connection how long the first request may take to come.
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// How long an HTTP/2 connection may be without a request; closed between one and two times this.
    pub idle_timeout: Duration,
    /// The most connections of one transport; more are closed as they come.
    pub connections_max: usize,
    /// How old a gRPC connection may grow (give or take a tenth), so that clients spread over new servers.
    pub connection_age_max: Option<Duration>,
    /// How long the requests under way on a connection that is too old may still take.
    pub connection_age_grace: Duration,
    /// How often an HTTP/2 client is asked whether it is still there.
    pub keepalive_interval: Duration,
    /// How long it may take to answer that.
    pub keepalive_timeout: Duration,
    /// The most pings of an HTTP/2 client in a minute without a request between them.
    pub pings_per_minute_max: u32,
    /// How long the requests under way may still take when the program stops.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 * 1024 * 1024,
            compressed_bytes_max: 64 * 1024 * 1024,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            connections_max: 4096,
            connection_age_max: Some(Duration::from_secs(30 * 60)),
            connection_age_grace: Duration::from_secs(30),
            keepalive_interval: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
            // Clients that measure bandwidth by pings (gRPC's do) send a few per request; a flood is thousands.
            pings_per_minute_max: 600,
            drain_timeout: Duration::from_secs(10),
        }
    }
}
