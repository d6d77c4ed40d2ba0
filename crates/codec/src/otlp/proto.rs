//! OTLP/protobuf requests into batches: one walk over the bytes, no object per span.
//!
//! Promises
//! - Field order means nothing: a resource may follow its spans, a scope its own, repeated fields may be interleaved,
//!   and a message field that comes twice is merged. So each envelope is walked twice: once over the fields' heads to
//!   find the resource (or scope), once for what is in it.
//! - A span is rejected alone when its ids are unusable or its bytes are broken while its length is right. A parent
//!   id of eight zero bytes means a root. A link with an id of wrong length is kept with a zero id, and noted: the
//!   link may still say something by its attributes, and the span is worth more than the link.
//! - Attributes with an equal key are all kept, in their order.
//!
//! Refuses: broken bytes outside of spans, and requests that unpack to far more memory than their size.
//!
//! Order of the file: the request, its envelopes, a span, its events and links.

use model::batch::{EventRow, LinkRow, ResourceRow, ScopeRow, SpanRow};
use model::{BatchBuilder, SpanId, TraceId};

use super::value::{push_key_value, put_entity_ref};
use crate::attributes::AttributeWriter;
use crate::notes::{MemoryBound, Notes, Place, SpanFault};
use crate::wire::{Field, Reader, WireError};
use crate::{DecodeError, Decoded, EVENTS_PER_SPAN_MAX, LINKS_PER_SPAN_MAX};

/// Decodes the bytes of an `ExportTraceServiceRequest` (or of `TracesData`, which is the same).
///
/// # Errors
/// When the outer form is broken: the bytes of the request outside of its spans.
pub fn decode_proto(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder {
        request: bytes,
        builder: BatchBuilder::new(),
        notes: Notes::default(),
        memory: MemoryBound::new(bytes.len()),
        place: Place::default(),
        events: Held::new(EVENTS_PER_SPAN_MAX),
        links: Held::new(LINKS_PER_SPAN_MAX),
        entity_refs: Vec::new(),
    };
    decoder.request()?;
    Ok(decoder.notes.into_decoded(decoder.builder, true))
}

struct Decoder<'a> {
    request: &'a [u8],
    builder: BatchBuilder,
    notes: Notes,
    memory: MemoryBound,
    place: Place,
    /// A span's events and links, which are decoded after its attributes: the values of an owner lie side by side.
    events: Held<'a>,
    links: Held<'a>,
    /// The fields of a resource's entity refs, tags included.
    entity_refs: Vec<u8>,
}

/// Parts of a span that are decoded later; those over a limit are only counted.
struct Held<'a> {
    pieces: Vec<&'a [u8]>,
    pieces_max: usize,
    cut_off: usize,
}

impl<'a> Held<'a> {
    fn new(pieces_max: usize) -> Self {
        Self {
            pieces: Vec::new(),
            pieces_max,
            cut_off: 0,
        }
    }

    fn clear(&mut self) {
        self.pieces.clear();
        self.cut_off = 0;
    }

    #[inline]
    fn push(&mut self, piece: &'a [u8]) {
        if self.pieces.len() < self.pieces_max {
            self.pieces.push(piece);
        } else {
            self.cut_off += 1;
        }
    }
}

/// The envelope of a `ResourceSpans` or a `ScopeSpans`, which have the same form.
#[derive(Default)]
struct Envelope<'a> {
    /// The resource or the scope: the pieces of one message, usually one.
    owner: Vec<&'a [u8]>,
    schema_url: &'a [u8],
    /// Whether there is any span below; without one there is nothing to keep.
    has_spans: bool,
}

#[inline]
fn push_pair(
    builder: &mut BatchBuilder,
    notes: &mut Notes,
    writing: &mut AttributeWriter,
    bytes: &[u8],
) -> Result<(), WireError> {
    match writing.admit() {
        Some(cursor) => push_key_value(builder, notes, cursor, bytes),
        None => Ok(()),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "protobuf takes the low 32 bits"
)]
fn low_u32(number: u64) -> u32 {
    number as u32
}

/// Tells whether there is a span in a `ScopeSpans`; the first field or the second says so, as a rule.
fn has_span(scope_spans: &[u8]) -> bool {
    let mut reader = Reader::new(scope_spans);
    while let Ok(Some(next)) = reader.next_field() {
        if let (2, Field::Bytes(_)) = next {
            return true;
        }
    }
    false
}

fn low_i32(number: u64) -> i32 {
    low_u32(number).cast_signed()
}

impl<'a> Decoder<'a> {
    /// Says that the bytes are broken; `at` is what was still to be read.
    fn broken(&self, what: &'static str, at: &[u8], why: WireError) -> DecodeError {
        let start = at.as_ptr().addr().checked_sub(self.request.as_ptr().addr());
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
        reader
            .next_field()
            .map_err(|why| self.broken(what, reader.rest(), why))
    }

    fn request(&mut self) -> Result<(), DecodeError> {
        let mut reader = Reader::new(self.request);
        while let Some(next) = self.next(&mut reader, "request")? {
            match next {
                (1, Field::Bytes(resource_spans)) => {
                    self.resource_spans(resource_spans)?;
                    self.place.resource_spans += 1;
                }
                (1, _) => {
                    return Err(self.broken(
                        "request",
                        reader.rest(),
                        WireError::FieldType { field: 1 },
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn resource_spans(&mut self, bytes: &'a [u8]) -> Result<(), DecodeError> {
        let envelope = self.envelope(bytes, "resource spans", has_span)?;
        let resource = self.resource(&envelope)?;
        self.place.scope_spans = 0;
        let mut reader = Reader::new(bytes);
        while let Some(next) = self.next(&mut reader, "resource spans")? {
            if let (2, Field::Bytes(scope_spans)) = next {
                self.scope_spans(scope_spans, resource)?;
                self.place.scope_spans += 1;
            }
        }
        Ok(())
    }

    /// Reads an envelope's own fields. `has_span` tells whether there is a span in a child.
    fn envelope(
        &self,
        bytes: &'a [u8],
        what: &'static str,
        has_span: fn(&[u8]) -> bool,
    ) -> Result<Envelope<'a>, DecodeError> {
        let mut envelope = Envelope::default();
        let mut reader = Reader::new(bytes);
        while let Some(next) = self.next(&mut reader, what)? {
            match next {
                // A decoder of one pass would know only what comes before the first child.
                (1, Field::Bytes(_))
                    if envelope.has_spans && plumbing::planted("codec-late-resource-lost") => {}
                (1, Field::Bytes(piece)) => envelope.owner.push(piece),
                (2, Field::Bytes(child)) => {
                    envelope.has_spans = envelope.has_spans || has_span(child);
                }
                (3, Field::Bytes(url)) => envelope.schema_url = url,
                (field @ 1..=3, _) => {
                    return Err(self.broken(what, reader.rest(), WireError::FieldType { field }));
                }
                _ => {}
            }
        }
        Ok(envelope)
    }

    /// The row of the resource. Without a span below it is checked but not kept.
    fn resource(&mut self, envelope: &Envelope<'a>) -> Result<u32, DecodeError> {
        let mark = self.builder.mark();
        let mut writing = AttributeWriter::begin(&self.builder);
        let mut dropped = 0;
        self.entity_refs.clear();
        for piece in &envelope.owner {
            let mut reader = Reader::new(piece);
            loop {
                let before = reader.rest();
                let Some(next) = self.next(&mut reader, "resource")? else {
                    break;
                };
                let done = match next {
                    (1, Field::Bytes(pair)) => {
                        push_pair(&mut self.builder, &mut self.notes, &mut writing, pair)
                    }
                    (2, Field::Varint(number)) => {
                        dropped = low_u32(number);
                        Ok(())
                    }
                    (3, Field::Bytes(message)) => {
                        let (raw, _) = before.split_at(before.len() - reader.rest().len());
                        put_entity_ref(&mut self.entity_refs, raw, message, &mut self.notes)
                    }
                    (field @ 1..=3, _) => Err(WireError::FieldType { field }),
                    _ => Ok(()),
                };
                done.map_err(|why| self.broken("resource", before, why))?;
            }
        }
        let (attributes, dropped_attributes) =
            writing.finish(&mut self.builder, &mut self.notes, dropped);
        if !envelope.has_spans {
            self.builder.roll_back(mark);
            return Ok(0);
        }
        let entity_refs = if self.entity_refs.is_empty() {
            0
        } else {
            self.builder.add_blob(&self.entity_refs)
        };
        let row = ResourceRow {
            is_present: !envelope.owner.is_empty(),
            attributes,
            dropped_attributes,
            schema_url: self.builder.intern(envelope.schema_url),
            entity_refs,
            ..ResourceRow::default()
        };
        let row = self.builder.add_resource(row);
        self.memory.note_envelope(row);
        self.memory.check(&self.builder)?;
        Ok(row)
    }

    fn scope_spans(&mut self, bytes: &'a [u8], resource: u32) -> Result<(), DecodeError> {
        let envelope = self.envelope(bytes, "scope spans", |_| true)?;
        let scope = self.scope(&envelope)?;
        self.place.span = 0;
        let mut reader = Reader::new(bytes);
        while let Some(next) = self.next(&mut reader, "scope spans")? {
            if let (2, Field::Bytes(span)) = next {
                let mark = self.builder.mark();
                if let Err(fault) = self.span(span, resource, scope)? {
                    if !plumbing::planted("codec-rejected-span-left-behind") {
                        self.builder.roll_back(mark);
                    }
                    self.notes.reject(fault, &self.place);
                }
                self.memory.check(&self.builder)?;
                self.place.span += 1;
            }
        }
        Ok(())
    }

    /// The row of the scope. Without a span below it is checked but not kept.
    fn scope(&mut self, envelope: &Envelope<'a>) -> Result<u32, DecodeError> {
        let mark = self.builder.mark();
        let mut writing = AttributeWriter::begin(&self.builder);
        let (mut name, mut version, mut dropped) = (&[][..], &[][..], 0);
        for piece in &envelope.owner {
            let mut reader = Reader::new(piece);
            loop {
                let before = reader.rest();
                let Some(next) = self.next(&mut reader, "scope")? else {
                    break;
                };
                let done = match next {
                    (1, Field::Bytes(text)) => {
                        name = text;
                        Ok(())
                    }
                    (2, Field::Bytes(text)) => {
                        version = text;
                        Ok(())
                    }
                    (3, Field::Bytes(pair)) => {
                        push_pair(&mut self.builder, &mut self.notes, &mut writing, pair)
                    }
                    (4, Field::Varint(number)) => {
                        dropped = low_u32(number);
                        Ok(())
                    }
                    (field @ 1..=4, _) => Err(WireError::FieldType { field }),
                    _ => Ok(()),
                };
                done.map_err(|why| self.broken("scope", before, why))?;
            }
        }
        let (attributes, dropped_attributes) =
            writing.finish(&mut self.builder, &mut self.notes, dropped);
        if !envelope.has_spans {
            self.builder.roll_back(mark);
            return Ok(0);
        }
        let row = ScopeRow {
            is_present: !envelope.owner.is_empty(),
            name: self.builder.intern(name),
            version: self.builder.intern(version),
            attributes,
            dropped_attributes,
            schema_url: self.builder.intern(envelope.schema_url),
        };
        let row = self.builder.add_scope(row);
        self.memory.note_envelope(row);
        self.memory.check(&self.builder)?;
        Ok(row)
    }

    /// Adds a span. The outer error ends the request, the inner one rejects the span.
    fn span(
        &mut self,
        bytes: &'a [u8],
        resource: u32,
        scope: u32,
    ) -> Result<Result<(), SpanFault>, DecodeError> {
        let mut row = SpanRow {
            resource,
            scope,
            ..SpanRow::default()
        };
        if let Err(fault) = self.span_fields(bytes, &mut row) {
            return Ok(Err(fault));
        }
        row.dropped_events = self.add_cut_off(row.dropped_events, self.events.cut_off);
        for index in 0..self.events.pieces.len() {
            let event = self.events.pieces.get(index).copied().unwrap_or_default();
            if let Err(fault) = self.event(event) {
                return Ok(Err(fault.into()));
            }
            self.memory.check(&self.builder)?;
        }
        row.dropped_links = self.add_cut_off(row.dropped_links, self.links.cut_off);
        for index in 0..self.links.pieces.len() {
            let link = self.links.pieces.get(index).copied().unwrap_or_default();
            if let Err(fault) = self.link(link) {
                return Ok(Err(fault.into()));
            }
            self.memory.check(&self.builder)?;
        }
        self.builder.push_span(row);
        Ok(Ok(()))
    }

    fn add_cut_off(&mut self, dropped: u32, cut_off: usize) -> u32 {
        self.notes.truncated_values += cut_off as u64;
        dropped.saturating_add(u32::try_from(cut_off).unwrap_or(u32::MAX))
    }

    /// Reads the fields of a span: its attributes into the builder, its events and links into the scratch.
    fn span_fields(&mut self, bytes: &'a [u8], row: &mut SpanRow) -> Result<(), SpanFault> {
        self.events.clear();
        self.links.clear();
        let (mut trace_id, mut span_id, mut parent_id) = (&[][..], &[][..], &[][..]);
        let (mut name, mut trace_state, mut status_message) = (&[][..], &[][..], &[][..]);
        let mut dropped = 0;
        let mut writing = AttributeWriter::begin(&self.builder);
        let mut reader = Reader::new(bytes);
        while let Some(next) = reader.next_field()? {
            match next {
                (1, Field::Bytes(id)) => trace_id = id,
                (2, Field::Bytes(id)) => span_id = id,
                (3, Field::Bytes(text)) => trace_state = text,
                (4, Field::Bytes(id)) => parent_id = id,
                (5, Field::Bytes(text)) => name = text,
                (6, Field::Varint(number)) => row.kind = low_i32(number),
                (7, Field::Fixed64(nanos)) => row.start = nanos,
                (8, Field::Fixed64(nanos)) => row.end = nanos,
                (9, Field::Bytes(pair)) => {
                    push_pair(&mut self.builder, &mut self.notes, &mut writing, pair)?;
                }
                (10, Field::Varint(number)) => dropped = low_u32(number),
                (11, Field::Bytes(event)) => self.events.push(event),
                (12, Field::Varint(number)) => row.dropped_events = low_u32(number),
                (13, Field::Bytes(link)) => self.links.push(link),
                (14, Field::Varint(number)) => row.dropped_links = low_u32(number),
                (15, Field::Bytes(status)) => read_status(status, row, &mut status_message)?,
                (16, Field::Fixed32(flags)) => row.flags = flags,
                (field @ 1..=16, _) => return Err(WireError::FieldType { field }.into()),
                _ => {}
            }
        }
        (row.attributes, row.dropped_attributes) =
            writing.finish(&mut self.builder, &mut self.notes, dropped);
        row.trace_id = TraceId(
            trace_id
                .try_into()
                .map_err(|_| SpanFault::TraceIdLength(trace_id.len()))?,
        );
        row.span_id = SpanId(
            span_id
                .try_into()
                .map_err(|_| SpanFault::SpanIdLength(span_id.len()))?,
        );
        if row.trace_id.is_zero() {
            return Err(SpanFault::TraceIdZero);
        }
        if row.span_id.is_zero() {
            return Err(SpanFault::SpanIdZero);
        }
        if !parent_id.is_empty() {
            row.parent_span_id = SpanId(
                parent_id
                    .try_into()
                    .map_err(|_| SpanFault::ParentIdLength(parent_id.len()))?,
            );
        }
        row.name = self.builder.intern(name);
        row.status_message = self.builder.intern(status_message);
        row.trace_state = self.builder.intern(trace_state);
        Ok(())
    }

    fn event(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let mut row = EventRow::default();
        let (mut name, mut dropped) = (&[][..], 0);
        let mut writing = AttributeWriter::begin(&self.builder);
        let mut reader = Reader::new(bytes);
        while let Some(next) = reader.next_field()? {
            match next {
                (1, Field::Fixed64(nanos)) => row.time = nanos,
                (2, Field::Bytes(text)) => name = text,
                (3, Field::Bytes(pair)) => {
                    push_pair(&mut self.builder, &mut self.notes, &mut writing, pair)?;
                }
                (4, Field::Varint(number)) => dropped = low_u32(number),
                (field @ 1..=4, _) => return Err(WireError::FieldType { field }),
                _ => {}
            }
        }
        (row.attributes, row.dropped_attributes) =
            writing.finish(&mut self.builder, &mut self.notes, dropped);
        row.name = self.builder.intern(name);
        self.builder.push_event(row);
        Ok(())
    }

    fn link(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let mut row = LinkRow::default();
        let (mut trace_id, mut span_id, mut trace_state, mut dropped) =
            (&[][..], &[][..], &[][..], 0);
        let mut writing = AttributeWriter::begin(&self.builder);
        let mut reader = Reader::new(bytes);
        while let Some(next) = reader.next_field()? {
            match next {
                (1, Field::Bytes(id)) => trace_id = id,
                (2, Field::Bytes(id)) => span_id = id,
                (3, Field::Bytes(text)) => trace_state = text,
                (4, Field::Bytes(pair)) => {
                    push_pair(&mut self.builder, &mut self.notes, &mut writing, pair)?;
                }
                (5, Field::Varint(number)) => dropped = low_u32(number),
                (6, Field::Fixed32(flags)) => row.flags = flags,
                (field @ 1..=6, _) => return Err(WireError::FieldType { field }),
                _ => {}
            }
        }
        (row.attributes, row.dropped_attributes) =
            writing.finish(&mut self.builder, &mut self.notes, dropped);
        row.trace_id = TraceId(self.link_id(trace_id));
        row.span_id = SpanId(self.link_id(span_id));
        row.trace_state = self.builder.intern(trace_state);
        self.builder.push_link(row);
        Ok(())
    }

    /// The id of a link; zero when it is absent or has a wrong length, which is noted.
    fn link_id<const N: usize>(&mut self, bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or_else(|_| {
            self.notes.link_ids += u64::from(!bytes.is_empty());
            [0; N]
        })
    }
}

fn read_status<'a>(
    bytes: &'a [u8],
    row: &mut SpanRow,
    message: &mut &'a [u8],
) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        match next {
            (2, Field::Bytes(text)) => *message = text,
            (3, Field::Varint(number)) => row.status = low_i32(number),
            (field @ (2 | 3), _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    Ok(())
}
