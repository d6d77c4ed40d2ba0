//! What every decoder gives: spans that were accepted, and what is to be said of the others.

use model::{SpanBatch, TraceId};

/// Attributes of one owner that are kept; more are dropped and counted as dropped.
pub const ATTRIBUTES_PER_OWNER_MAX: usize = 65_536;
/// Events of one span that are kept; more are dropped and counted as dropped.
pub const EVENTS_PER_SPAN_MAX: usize = 65_536;
/// Links of one span that are kept; more are dropped and counted as dropped.
pub const LINKS_PER_SPAN_MAX: usize = 65_536;
/// A message to a sender is at most so long.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// A decoded request.
#[derive(Debug)]
pub struct Decoded {
    /// The spans that were accepted.
    pub batch: SpanBatch,
    /// Spans that were rejected.
    pub rejected_spans: u64,
    /// Why spans were rejected: the first reasons, at most [`MESSAGE_BYTES_MAX`].
    pub rejection: Option<String>,
    /// What the sender should know although nothing was rejected.
    pub warning: Option<String>,
    /// Texts that were no UTF-8 and were repaired with U+FFFD.
    pub repaired_texts: u64,
    /// Values, attributes, events and links that were cut off: nested too deeply, or too many.
    pub truncated_values: u64,
    /// Whether the request's own bytes are protobuf and say exactly what the batch holds: nothing was rejected,
    /// repaired or cut off.
    pub is_verbatim: bool,
    /// Traces whose spans say, in a form that no span of the model has, that samplers must keep them: Jaeger's debug
    /// flag. Ids may repeat.
    pub forced: Vec<TraceId>,
}

/// Says why a request cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The outer form is broken.
    #[error("{what} at byte {byte} is broken: {why}")]
    Broken {
        /// What was being read.
        what: &'static str,
        /// Where, counted from 0.
        byte: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The content would take up far more memory than its size lets expect.
    #[error(
        "the request of {bytes} bytes unpacks to more than {memory_bytes_max} bytes; send smaller requests"
    )]
    TooLarge {
        /// The request's size.
        bytes: usize,
        /// What it may unpack to.
        memory_bytes_max: usize,
    },
}
