//! Jaeger's spans in protobuf: what agents and collectors post by gRPC, and single spans.
//!
//! Promises
//! - Field order means nothing: the process of a batch may follow its spans, and what comes in pieces is merged.
//! - A span is rejected alone when its ids are unusable or its bytes are broken while its length is right.
//!
//! Refuses: broken bytes outside of spans.

use model::batch::PackedValue;
use model::value::ValueType;
use model::{SpanId, TraceId};

use super::translate::{Log, Process, Reference, Span, Tag, TagValue, Translator, nanos};
use crate::notes::SpanFault;
use crate::wire::{Field, Reader, WireError};
use crate::{DecodeError, Decoded};

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Decodes a `jaeger.api_v2.PostSpansRequest`.
///
/// # Errors
/// When it is broken outside of its spans, or unpacks to far more memory than its size.
pub fn decode_post_spans(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    // Pieces of one message: the process of any piece is that of all spans.
    let mut batches = Vec::new();
    let mut reader = Reader::new(bytes);
    while let Some(field) = decoder.next(&mut reader, "request")? {
        match field {
            (1, Field::Bytes(batch)) => {
                batches.push(batch);
                let held = batches.len() * size_of::<&[u8]>();
                decoder.translator.check(&decoder.span, held)?;
                decoder.batch_process(batch)?;
            }
            (field @ 1, _) => {
                return Err(decoder.broken("request", &reader, WireError::FieldType { field }));
            }
            _ => {}
        }
    }
    for batch in batches {
        let mut reader = Reader::new(batch);
        while let Some(field) = decoder.next(&mut reader, "batch")? {
            if let (1, Field::Bytes(span)) = field {
                decoder.span(span)?;
            }
        }
    }
    Ok(decoder.translator.finish())
}

/// Decodes spans that each have their process with them: the field 1 of a message, as often as it comes. So look
/// `SpansResponseChunk`, `WriteSpanRequest`, and several of these one behind another.
///
/// # Errors
/// When it is broken outside of its spans, or unpacks to far more memory than its size.
pub fn decode_spans(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut reader = Reader::new(bytes);
    while let Some(field) = decoder.next(&mut reader, "spans")? {
        match field {
            (1, Field::Bytes(span)) => decoder.span(span)?,
            (field @ 1, _) => {
                return Err(decoder.broken("spans", &reader, WireError::FieldType { field }));
            }
            _ => {}
        }
    }
    Ok(decoder.translator.finish())
}

/// Decodes a `jaeger.api_v2.Span` that has its process with it.
///
/// # Errors
/// When it unpacks to far more memory than its size. A broken span is a rejected one.
pub fn decode_span(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    decoder.span(bytes)?;
    Ok(decoder.translator.finish())
}

struct Decoder<'a> {
    request: &'a [u8],
    translator: Translator,
    /// The process of the batch, and its row once a span had none of its own.
    shared: Process<'a>,
    shared_row: Option<u32>,
    /// The process of a span: its pieces, those that were decoded last, and their row.
    pieces: Vec<&'a [u8]>,
    own_pieces: Vec<&'a [u8]>,
    own: Process<'a>,
    own_row: u32,
    span: Span<'a>,
}

impl<'a> Decoder<'a> {
    fn new(request: &'a [u8]) -> Self {
        Self {
            request,
            translator: Translator::new(request.len()),
            shared: Process::default(),
            shared_row: None,
            pieces: Vec::new(),
            own_pieces: Vec::new(),
            own: Process::default(),
            own_row: 0,
            span: Span::default(),
        }
    }

    #[cold]
    fn broken(&self, what: &'static str, reader: &Reader<'_>, why: WireError) -> DecodeError {
        let at = reader.rest().as_ptr().addr();
        let start = at.checked_sub(self.request.as_ptr().addr());
        let byte = start
            .filter(|byte| *byte <= self.request.len())
            .unwrap_or(0);
        DecodeError::Broken {
            what,
            byte,
            why: why.to_string(),
        }
    }

    fn next(
        &self,
        reader: &mut Reader<'a>,
        what: &'static str,
    ) -> Result<Option<(u32, Field<'a>)>, DecodeError> {
        let next = reader.next_field();
        next.map_err(|why| self.broken(what, reader, why))
    }

    /// Reads the process of a batch and passes over its spans.
    fn batch_process(&mut self, batch: &'a [u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(batch);
        while let Some(next) = self.next(&mut reader, "batch")? {
            let read = match next {
                (1, Field::Bytes(_)) => Ok(()),
                (2, Field::Bytes(process)) => read_process(process, &mut self.shared),
                (field @ (1 | 2), _) => Err(WireError::FieldType { field }),
                _ => Ok(()),
            };
            read.map_err(|why| self.broken("batch", &reader, why))?;
        }
        Ok(())
    }

    fn span(&mut self, bytes: &'a [u8]) -> Result<(), DecodeError> {
        self.span.clear();
        self.pieces.clear();
        match self.read_span(bytes)? {
            Ok(()) => {
                let resource = self.resource()?;
                self.translator.span(&mut self.span, resource)
            }
            Err(fault) => {
                self.translator.reject(fault);
                Ok(())
            }
        }
    }

    /// The row of the process of the span that was read.
    fn resource(&mut self) -> Result<u32, DecodeError> {
        if !self.pieces.is_empty() {
            if self.pieces != self.own_pieces {
                self.own_row = self.translator.resource(&self.own)?;
                self.own_pieces.clone_from(&self.pieces);
            }
            return Ok(self.own_row);
        }
        if let Some(row) = self.shared_row {
            return Ok(row);
        }
        let row = self.translator.resource(&self.shared)?;
        self.shared_row = Some(row);
        Ok(row)
    }

    /// Reads a span. The outer error ends the request, the inner one rejects the span.
    fn read_span(&mut self, bytes: &'a [u8]) -> Result<Result<(), SpanFault>, DecodeError> {
        let (mut start, mut duration) = (0, 0);
        let mut reader = Reader::new(bytes);
        loop {
            let field = match reader.next_field() {
                Ok(Some(field)) => field,
                Ok(None) => break,
                Err(why) => return Ok(Err(why.into())),
            };
            let span = &mut self.span;
            let read = match field {
                (1, Field::Bytes(id)) => trace_id(id).map(|id| span.trace_id = id),
                (2, Field::Bytes(id)) => span_id(id).map(|id| span.span_id = id),
                (3, Field::Bytes(name)) => {
                    span.name = name;
                    Ok(())
                }
                (4, Field::Bytes(reference)) => {
                    read_reference(reference).map(|reference| span.push_reference(reference))
                }
                (5, Field::Varint(flags)) => {
                    #[allow(
                        clippy::cast_possible_truncation,
                        reason = "protobuf takes the low 32 bits"
                    )]
                    let flags = flags as u32;
                    span.flags = flags;
                    Ok(())
                }
                (6, Field::Bytes(time)) => add_time(time, &mut start).map_err(Into::into),
                (7, Field::Bytes(time)) => add_time(time, &mut duration).map_err(Into::into),
                (8, Field::Bytes(tag)) => read_tag(tag)
                    .map(|tag| span.push_tag(tag))
                    .map_err(Into::into),
                (9, Field::Bytes(log)) => read_log(log, span).map_err(Into::into),
                (10, Field::Bytes(process)) => {
                    self.pieces.push(process);
                    Ok(())
                }
                (11, Field::Bytes(_)) => Ok(()),
                (12, Field::Bytes(warning)) => {
                    span.warnings.push(warning);
                    Ok(())
                }
                (field @ 1..=12, _) => Err(WireError::FieldType { field }.into()),
                _ => Ok(()),
            };
            if let Err(fault) = read {
                return Ok(Err(fault));
            }
            // The pieces of a process are held twice.
            let pieces = 2 * self.pieces.len() * size_of::<&[u8]>();
            self.translator.check(&self.span, pieces)?;
        }
        if !self.pieces.is_empty() && self.pieces != self.own_pieces {
            self.own_pieces.clear();
            self.own.clear();
            for piece in &self.pieces {
                if let Err(why) = read_process(piece, &mut self.own) {
                    return Ok(Err(why.into()));
                }
            }
        }
        self.span.start = nanos(start);
        self.span.end = nanos(start + duration);
        Ok(Ok(()))
    }
}

/// A trace id of 16 bytes, or of the low eight.
fn trace_id(bytes: &[u8]) -> Result<TraceId, SpanFault> {
    let mut id = [0; 16];
    match bytes.len() {
        0 => {}
        8 | 16 => {
            let place = id.get_mut(16 - bytes.len()..).unwrap_or_default();
            place.copy_from_slice(bytes);
        }
        length => return Err(SpanFault::TraceIdLength(length)),
    }
    Ok(TraceId(id))
}

fn span_id(bytes: &[u8]) -> Result<SpanId, SpanFault> {
    if bytes.is_empty() {
        return Ok(SpanId::ZERO);
    }
    let id = bytes
        .try_into()
        .map_err(|_| SpanFault::SpanIdLength(bytes.len()))?;
    Ok(SpanId(id))
}

fn read_reference(bytes: &[u8]) -> Result<Reference, SpanFault> {
    let mut reference = Reference {
        trace_id: TraceId::ZERO,
        span_id: SpanId::ZERO,
        is_child_of: true,
    };
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field {
            (1, Field::Bytes(id)) => reference.trace_id = trace_id(id)?,
            (2, Field::Bytes(id)) => reference.span_id = span_id(id)?,
            (3, Field::Varint(ref_type)) => reference.is_child_of = ref_type == 0,
            (field @ 1..=3, _) => return Err(WireError::FieldType { field }.into()),
            _ => {}
        }
    }
    Ok(reference)
}

/// Reads a piece of a `Timestamp` or a `Duration` into nanoseconds.
fn add_time(bytes: &[u8], exact: &mut i128) -> Result<(), WireError> {
    let (mut seconds, mut nanos) = (
        exact.div_euclid(NANOS_PER_SECOND),
        exact.rem_euclid(NANOS_PER_SECOND),
    );
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field {
            (1, Field::Varint(number)) => seconds = i128::from(number.cast_signed()),
            (2, Field::Varint(number)) => {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "protobuf takes the low 32 bits"
                )]
                let number = (number as u32).cast_signed();
                nanos = i128::from(number);
            }
            (field @ (1 | 2), _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    *exact = seconds * NANOS_PER_SECOND + nanos;
    Ok(())
}

fn read_process<'a>(bytes: &'a [u8], process: &mut Process<'a>) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field {
            (1, Field::Bytes(service)) => process.service = service,
            (2, Field::Bytes(tag)) => process.push_tag(read_tag(tag)?),
            (field @ (1 | 2), _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    Ok(())
}

fn read_log<'a>(bytes: &'a [u8], span: &mut Span<'a>) -> Result<(), WireError> {
    let first = span.log_fields.len();
    let (mut time, mut dropped) = (0, 0);
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field {
            (1, Field::Bytes(timestamp)) => add_time(timestamp, &mut time)?,
            (2, Field::Bytes(tag)) => span.push_field(first, read_tag(tag)?, &mut dropped),
            (field @ (1 | 2), _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    span.push_log(Log {
        time: nanos(time),
        fields_end: span.log_fields.len(),
        dropped,
    });
    Ok(())
}

fn read_tag(bytes: &[u8]) -> Result<Tag<'_>, WireError> {
    let mut key = &[][..];
    let mut value = TagValue::default();
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field {
            (1, Field::Bytes(text)) => key = text,
            (2, Field::Varint(number)) => value.value_type = value_type(number),
            (3, Field::Bytes(text)) => value.set(PackedValue::String(text)),
            (4, Field::Varint(number)) => value.set(PackedValue::Bool(number != 0)),
            (5, Field::Varint(number)) => value.set(PackedValue::Int(number.cast_signed())),
            (6, Field::Fixed64(bits)) => value.set(PackedValue::Double(f64::from_bits(bits))),
            (7, Field::Bytes(bytes)) => value.set(PackedValue::Bytes(bytes)),
            (field @ 1..=7, _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    Ok(value.tag(key))
}

fn value_type(number: u64) -> ValueType {
    match number {
        0 => ValueType::String,
        1 => ValueType::Bool,
        2 => ValueType::Int,
        3 => ValueType::Double,
        4 => ValueType::Bytes,
        _ => ValueType::Empty,
    }
}
