//! What a decoder notes beside the spans: what it rejected, changed or passed over, and how much memory it may take.
//!
//! Promises: every text made here is at most [`MESSAGE_BYTES_MAX`] long, however many spans are bad; the number of
//! reasons that are kept is bounded by the number of kinds of faults.

use std::fmt;
use std::mem::discriminant;

use model::{BatchBuilder, TraceId};

use crate::decoded::{DecodeError, Decoded, MESSAGE_BYTES_MAX};
use crate::wire::WireError;

/// What one request may unpack to, as a multiple of its size. The leanest spans that make sense unpack to 5 times
/// their size, the usual ones to half of it; what goes beyond is built to take memory.
const MEMORY_PER_BYTE_MAX: usize = 8;
/// What every request may unpack to, however small it is.
const MEMORY_BYTES_MIN: usize = 4 << 20;
/// Memory of a distinct resource or scope that [`BatchBuilder::size_bytes`] doesn't know of.
const ENVELOPE_BYTES: usize = 128;
/// A name that a sender chose is repeated to them up to this length.
const QUOTED_BYTES_MAX: usize = 64;

/// Why a span is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpanFault {
    #[error("trace id is {0} bytes long, must be 16")]
    TraceIdLength(usize),
    #[error("trace id is all zero")]
    TraceIdZero,
    #[error("span id is {0} bytes long, must be 8")]
    SpanIdLength(usize),
    #[error("span id is all zero")]
    SpanIdZero,
    #[error("parent span id is {0} bytes long, must be 8 or absent")]
    ParentIdLength(usize),
    #[error("trace id is not a text of 32 hexadecimal digits")]
    TraceIdText,
    #[error("span id is not a text of 16 hexadecimal digits")]
    SpanIdText,
    #[error("parent span id is neither absent nor a text of 16 hexadecimal digits")]
    ParentIdText,
    #[error("{name} must be {must_be}")]
    Field {
        name: &'static str,
        must_be: &'static str,
    },
    #[error("span is broken: {0}")]
    Wire(#[from] WireError),
    #[error("{0}")]
    Json(String),
}

/// Where in an OTLP request a span is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) resource_spans: usize,
    pub(crate) scope_spans: usize,
    pub(crate) span: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            resource_spans,
            scope_spans,
            span,
        } = self;
        write!(
            f,
            "resourceSpans[{resource_spans}].scopeSpans[{scope_spans}].spans[{span}]"
        )
    }
}

/// One kind of fault: how often it came, and the first time.
#[derive(Debug)]
struct Rejection {
    first: SpanFault,
    place: String,
    spans: u64,
}

/// What is noted while a request is decoded.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Texts repaired outside of the builder: those within arrays and maps.
    pub(crate) repaired_texts: u64,
    /// Values, attributes, events and links that were cut off.
    pub(crate) truncated_values: u64,
    /// Fields that only profiles may use.
    pub(crate) profile_fields: u64,
    /// Ids of links that had a wrong length and became zero.
    pub(crate) link_ids: u64,
    /// JSON keys that came twice in an object.
    pub(crate) repeated_keys: u64,
    /// Traces that somebody wants kept, in a form that the model does not have.
    pub(crate) forced: Vec<TraceId>,
    unknown_key: Option<String>,
    rejections: Vec<Rejection>,
}

impl Notes {
    /// Notes that a span was rejected.
    pub(crate) fn reject(&mut self, fault: SpanFault, place: &dyn fmt::Display) {
        let kind = discriminant(&fault);
        match self
            .rejections
            .iter_mut()
            .find(|known| discriminant(&known.first) == kind)
        {
            Some(known) => known.spans += 1,
            None => self.rejections.push(Rejection {
                first: fault,
                place: place.to_string(),
                spans: 1,
            }),
        }
    }

    /// Notes a key of the outer form that OTLP/JSON doesn't have; the first is remembered.
    pub(crate) fn unknown_key(&mut self, key: &str) {
        if self.unknown_key.is_none() {
            self.unknown_key = Some(cut(key.to_owned(), QUOTED_BYTES_MAX));
        }
    }

    fn rejection(&self) -> Option<String> {
        let reasons = self.rejections.iter().map(
            |Rejection {
                 first,
                 place,
                 spans,
             }| {
                let spans_text = if *spans == 1 {
                    "1 span"
                } else {
                    &format!("{spans} spans")
                };
                format!("{spans_text} rejected: {first} (first at {place})")
            },
        );
        let text = reasons.collect::<Vec<_>>().join("; ");
        (!text.is_empty()).then(|| cut(text, MESSAGE_BYTES_MAX))
    }

    fn warning(&self, is_without_spans: bool) -> Option<String> {
        let mut parts = Vec::new();
        if let (true, Some(key)) = (is_without_spans, &self.unknown_key) {
            let hint = "OTLP/JSON names are lowerCamelCase";
            parts.push(format!(
                "no spans found; unknown field \"{key}\" was ignored, {hint}"
            ));
        }
        let counted = [
            (
                self.truncated_values,
                "values, attributes, events or links were over a limit and were cut off",
            ),
            (
                self.link_ids,
                "ids of links had a wrong length and were kept as zero",
            ),
            (
                self.profile_fields,
                "fields that only profiles may use (key_strindex, string_value_strindex) were ignored",
            ),
            (
                self.repeated_keys,
                "JSON keys came twice in an object, the last of each was kept",
            ),
        ];
        parts.extend(
            counted
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        (!parts.is_empty()).then(|| cut(parts.join("; "), MESSAGE_BYTES_MAX))
    }

    /// Ends the decoding. `is_proto` says that the request was protobuf.
    pub(crate) fn into_decoded(self, builder: BatchBuilder, is_proto: bool) -> Decoded {
        let repaired_texts = self.repaired_texts + builder.repaired_texts();
        let rejected_spans: u64 = self
            .rejections
            .iter()
            .map(|rejection| rejection.spans)
            .sum();
        let is_changed =
            rejected_spans + repaired_texts + self.truncated_values + self.link_ids > 0;
        Decoded {
            rejected_spans,
            rejection: self.rejection(),
            warning: self.warning(builder.is_empty() && rejected_spans == 0),
            repaired_texts,
            truncated_values: self.truncated_values,
            is_verbatim: is_proto && !is_changed,
            batch: builder.finish(),
            forced: self.forced,
        }
    }
}

/// A text of at most so many bytes.
pub(crate) fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let ellipsis = "…";
        text.truncate(text.floor_char_boundary(bytes_max.saturating_sub(ellipsis.len())));
        text.push_str(ellipsis);
    }
    text
}

/// Holds what a request unpacks to below a bound.
#[derive(Debug)]
pub(crate) struct MemoryBound {
    request_bytes: usize,
    memory_bytes_max: usize,
    envelopes: usize,
}

impl MemoryBound {
    /// The bound of a request of so many bytes.
    pub(crate) fn new(request_bytes: usize) -> Self {
        let memory_bytes_max = request_bytes
            .saturating_mul(MEMORY_PER_BYTE_MAX)
            .saturating_add(MEMORY_BYTES_MIN);
        Self {
            request_bytes,
            memory_bytes_max,
            envelopes: 0,
        }
    }

    /// Notes the row of a resource or a scope.
    pub(crate) fn note_envelope(&mut self, row: u32) {
        self.envelopes = self.envelopes.max(row as usize + 1);
    }

    /// Fails when the batch has outgrown the bound.
    pub(crate) fn check(&self, builder: &BatchBuilder) -> Result<(), DecodeError> {
        self.check_beside(builder, 0)
    }

    /// Fails when the batch and so many bytes beside it have outgrown the bound.
    pub(crate) fn check_beside(
        &self,
        builder: &BatchBuilder,
        beside_bytes: usize,
    ) -> Result<(), DecodeError> {
        // Resources and scopes are about as many, so the larger number stands for both.
        let memory_bytes =
            builder.size_bytes() + 2 * ENVELOPE_BYTES * self.envelopes + beside_bytes;
        if memory_bytes <= self.memory_bytes_max || plumbing::planted("codec-memory-unbounded") {
            return Ok(());
        }
        Err(DecodeError::TooLarge {
            bytes: self.request_bytes,
            memory_bytes_max: self.memory_bytes_max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_grouped_and_the_text_is_bounded() {
        let mut notes = Notes::default();
        for span in 0..5000 {
            let place = Place {
                resource_spans: 1,
                scope_spans: 2,
                span,
            };
            notes.reject(SpanFault::TraceIdLength(span), &place);
            notes.reject(SpanFault::Json("long ".repeat(1000)), &place);
        }
        assert_eq!(notes.rejections.len(), 2);
        let text = notes.rejection().unwrap();
        let start = "5000 spans rejected: trace id is 0 bytes long, must be 16 \
                     (first at resourceSpans[1].scopeSpans[2].spans[0]); 5000 spans rejected: long";
        assert!(text.starts_with(start), "{text}");
        assert!(text.len() <= MESSAGE_BYTES_MAX && text.ends_with('…'));
    }

    #[test]
    fn cutting_never_splits_a_character() {
        for length in 0..40 {
            let text = cut("äöü€".repeat(4), length.max(3));
            assert!(text.len() <= length.max(3));
        }
        assert_eq!(cut("short".to_owned(), 5), "short");
    }
}
