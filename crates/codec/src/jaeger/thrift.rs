//! Jaeger's batches in Thrift: the body of a POST, and datagrams.
//!
//! Promises: a field with an unknown id, or of another type than its own, is passed over, as in every reader of
//! Thrift; a batch needs a process and spans, whatever is in them. The fields come in any order.

use model::batch::PackedValue;
use model::value::ValueType;
use model::{SpanId, TraceId};

use super::translate::{Log, Process, Reference, Span, Tag, TagValue, Translator, nanos};
use super::{Client, ClientStats, Datagram, Method, Submitted, ThriftProtocol};
use crate::DecodeError;
use crate::notes::cut;
use crate::thrift::{Binary, Compact, Kind, MessageType, Protocol, Reader, ThriftError};
use crate::zipkin::thrift::decode_thrift_list;

/// Names of clients and methods are repeated up to this length.
const NAME_BYTES_MAX: usize = 128;
const NANOS_PER_MICRO: i128 = 1000;

/// Decodes the bare `Batch` in the binary protocol that clients send by HTTP.
///
/// # Errors
/// When it is broken, or unpacks to far more memory than its size.
pub fn decode_batch_binary(bytes: &[u8]) -> Result<Submitted, DecodeError> {
    let mut reader = Reader::<Binary>::new(bytes);
    let mut decoder = Decoder::new(bytes.len());
    decoder.batch(&mut reader)?;
    Ok(decoder.finish())
}

/// Decodes a datagram: one message that calls a method.
///
/// # Errors
/// When it is broken or calls another method than those of the agent.
pub fn decode_udp(bytes: &[u8], protocol: ThriftProtocol) -> Result<Datagram, DecodeError> {
    match protocol {
        ThriftProtocol::Binary => datagram(Reader::<Binary>::new(bytes)),
        ThriftProtocol::Compact => datagram(Reader::<Compact>::new(bytes)),
    }
}

fn datagram<P: Protocol>(mut reader: Reader<'_, P>) -> Result<Datagram, DecodeError> {
    let head = reader.message();
    let head = head.map_err(|why| reader.broken("message", why))?;
    let refused = |why: String| DecodeError::Broken {
        what: "message",
        byte: 0,
        why,
    };
    if !matches!(head.message_type, MessageType::Call | MessageType::Oneway) {
        return Err(refused("it is no call of a method".to_owned()));
    }
    let (method, submitted) = match head.name {
        b"emitBatch" => {
            let mut decoder = Decoder::new(reader.byte() + reader.rest().len());
            argument(&mut reader, Kind::Struct, |reader| decoder.batch(reader))?;
            (Method::EmitBatch, decoder.finish())
        }
        b"emitZipkinBatch" => {
            let decoded = argument(&mut reader, Kind::List, decode_thrift_list)?;
            let client = Client::default();
            (Method::EmitZipkinBatch, Submitted { decoded, client })
        }
        other => {
            let name = short_text(other);
            return Err(refused(format!("there is no method \"{name}\"")));
        }
    };
    Ok(Datagram { method, submitted })
}

/// Reads the one argument of a method.
fn argument<'a, P: Protocol, T>(
    reader: &mut Reader<'a, P>,
    of_kind: Kind,
    mut read: impl FnMut(&mut Reader<'a, P>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    const WHAT: &str = "arguments";
    let mut found = None;
    let mut id = 0;
    loop {
        let field = reader.next_field(&mut id);
        match field.map_err(|why| reader.broken(WHAT, why))? {
            None => break,
            Some(kind) if id == 1 && kind == of_kind && found.is_none() => {
                found = Some(read(reader)?);
            }
            Some(kind) => {
                let skipped = reader.skip(kind);
                skipped.map_err(|why| reader.broken(WHAT, why))?;
            }
        }
    }
    found.ok_or_else(|| missing(reader, WHAT, "the argument (field 1)"))
}

fn short_text(bytes: &[u8]) -> String {
    let short = bytes.get(..NAME_BYTES_MAX).unwrap_or(bytes);
    cut(String::from_utf8_lossy(short).into_owned(), NAME_BYTES_MAX)
}

struct Decoder<'a> {
    translator: Translator,
    process: Process<'a>,
    span: Span<'a>,
    client: Client,
}

impl<'a> Decoder<'a> {
    fn new(request_bytes: usize) -> Self {
        Self {
            translator: Translator::new(request_bytes),
            process: Process::default(),
            span: Span::default(),
            client: Client::default(),
        }
    }

    fn finish(self) -> Submitted {
        Submitted {
            decoded: self.translator.finish(),
            client: self.client,
        }
    }

    fn batch<P: Protocol>(&mut self, reader: &mut Reader<'a, P>) -> Result<(), DecodeError> {
        let (mut has_process, mut spans_at) = (false, None);
        let mut has_spans = false;
        let mut id = 0;
        loop {
            let field = reader.next_field(&mut id);
            let Some(kind) = field.map_err(|why| reader.broken("batch", why))? else {
                break;
            };
            let read = match (id, kind) {
                (1, Kind::Struct) => {
                    has_process = true;
                    self.read_process(reader)
                }
                (2, Kind::List) if has_process && !has_spans => {
                    has_spans = true;
                    self.spans(reader)?;
                    Ok(())
                }
                // The process is needed first.
                (2, Kind::List) if !has_spans => {
                    has_spans = true;
                    spans_at = Some(*reader);
                    reader.skip(kind)
                }
                (3, Kind::I64) => reader
                    .i64()
                    .map(|number| self.client.sequence = Some(number)),
                (4, Kind::Struct) => {
                    read_stats(reader).map(|stats| self.client.stats = Some(stats))
                }
                (_, kind) => reader.skip(kind),
            };
            read.map_err(|why| reader.broken("batch", why))?;
        }
        if !has_process {
            return Err(missing(reader, "batch", "the process (field 1)"));
        }
        if !has_spans {
            return Err(missing(reader, "batch", "the list of spans (field 2)"));
        }
        if let Some(mut spans_at) = spans_at {
            self.spans(&mut spans_at)?;
        }
        Ok(())
    }

    fn read_process<P: Protocol>(&mut self, reader: &mut Reader<'a, P>) -> Result<(), ThriftError> {
        self.process.clear();
        let mut id = 0;
        while let Some(kind) = reader.next_field(&mut id)? {
            match (id, kind) {
                (1, Kind::Bytes) => self.process.service = reader.bytes()?,
                (2, Kind::List) => {
                    let process = &mut self.process;
                    read_tags(reader, |tag| process.push_tag(tag))?;
                }
                (_, kind) => reader.skip(kind)?,
            }
        }
        self.client.service = short_text(self.process.service);
        let uuid = self.process.tags.iter().find_map(|tag| match tag.value {
            PackedValue::String(text) if tag.key == b"client-uuid" => Some(text),
            _ => None,
        });
        self.client.uuid = uuid.map(short_text).unwrap_or_default();
        Ok(())
    }

    fn spans<P: Protocol>(&mut self, reader: &mut Reader<'a, P>) -> Result<(), DecodeError> {
        let list = reader.list().map_err(|why| reader.broken("spans", why))?;
        if list.count == 0 {
            return Ok(());
        }
        if list.element != Kind::Struct {
            let skipped = reader.skip_elements(list);
            return skipped.map_err(|why| reader.broken("spans", why));
        }
        let resource = self.translator.resource(&self.process)?;
        for _ in 0..list.count {
            self.read_span(reader)?;
            self.translator.span(&mut self.span, resource)?;
        }
        Ok(())
    }

    fn read_span<P: Protocol>(&mut self, reader: &mut Reader<'a, P>) -> Result<(), DecodeError> {
        self.span.clear();
        let (mut low, mut high, mut start, mut duration) = (0, 0, 0, 0);
        let mut id = 0;
        loop {
            let field = reader.next_field(&mut id);
            let Some(kind) = field.map_err(|why| reader.broken("span", why))? else {
                break;
            };
            let span = &mut self.span;
            let read = match (id, kind) {
                (1, Kind::I64) => reader.i64().map(|number| low = number),
                (2, Kind::I64) => reader.i64().map(|number| high = number),
                (3, Kind::I64) => reader.i64().map(|number| span.span_id = span_id(number)),
                (4, Kind::I64) => reader
                    .i64()
                    .map(|number| span.parent_span_id = span_id(number)),
                (5, Kind::Bytes) => reader.bytes().map(|name| span.name = name),
                (6, Kind::List) => read_references(reader, span),
                (7, Kind::I32) => reader.i32().map(|flags| span.flags = flags.cast_unsigned()),
                (8, Kind::I64) => reader.i64().map(|micros| start = micros),
                (9, Kind::I64) => reader.i64().map(|micros| duration = micros),
                (10, Kind::List) => read_tags(reader, |tag| span.push_tag(tag)),
                (11, Kind::List) => {
                    self.read_logs(reader)?;
                    Ok(())
                }
                (_, kind) => reader.skip(kind),
            };
            read.map_err(|why| reader.broken("span", why))?;
        }
        self.span.trace_id = trace_id(high, low);
        let start = i128::from(start);
        self.span.start = nanos(start * NANOS_PER_MICRO);
        self.span.end = nanos((start + i128::from(duration)) * NANOS_PER_MICRO);
        Ok(())
    }

    fn read_logs<P: Protocol>(&mut self, reader: &mut Reader<'a, P>) -> Result<(), DecodeError> {
        let list = reader.list().map_err(|why| reader.broken("logs", why))?;
        if list.element != Kind::Struct {
            let skipped = reader.skip_elements(list);
            return skipped.map_err(|why| reader.broken("logs", why));
        }
        for _ in 0..list.count {
            let read = read_log(reader, &mut self.span);
            read.map_err(|why| reader.broken("log", why))?;
            self.translator.check(&self.span, 0)?;
        }
        Ok(())
    }
}

#[cold]
fn missing<P: Protocol>(
    reader: &Reader<'_, P>,
    what: &'static str,
    field: &'static str,
) -> DecodeError {
    DecodeError::Broken {
        what,
        byte: reader.byte(),
        why: format!("{field} is missing"),
    }
}

fn span_id(number: i64) -> SpanId {
    SpanId::from_number(number.cast_unsigned())
}

fn trace_id(high: i64, low: i64) -> TraceId {
    let number = u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned());
    TraceId(number.to_be_bytes())
}

fn read_stats<P: Protocol>(reader: &mut Reader<'_, P>) -> Result<ClientStats, ThriftError> {
    let mut stats = ClientStats::default();
    let mut id = 0;
    while let Some(kind) = reader.next_field(&mut id)? {
        match (id, kind) {
            (1, Kind::I64) => stats.full_queue_dropped_spans = reader.i64()?,
            (2, Kind::I64) => stats.too_large_dropped_spans = reader.i64()?,
            (3, Kind::I64) => stats.failed_to_emit_spans = reader.i64()?,
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok(stats)
}

fn read_references<P: Protocol>(
    reader: &mut Reader<'_, P>,
    span: &mut Span<'_>,
) -> Result<(), ThriftError> {
    let list = reader.list()?;
    if list.element != Kind::Struct {
        return reader.skip_elements(list);
    }
    for _ in 0..list.count {
        let (mut ref_type, mut low, mut high, mut of) = (0, 0, 0, 0);
        let mut id = 0;
        while let Some(kind) = reader.next_field(&mut id)? {
            match (id, kind) {
                (1, Kind::I32) => ref_type = reader.i32()?,
                (2, Kind::I64) => low = reader.i64()?,
                (3, Kind::I64) => high = reader.i64()?,
                (4, Kind::I64) => of = reader.i64()?,
                (_, kind) => reader.skip(kind)?,
            }
        }
        span.push_reference(Reference {
            trace_id: trace_id(high, low),
            span_id: span_id(of),
            is_child_of: ref_type == 0,
        });
    }
    Ok(())
}

fn read_log<'a, P: Protocol>(
    reader: &mut Reader<'a, P>,
    span: &mut Span<'a>,
) -> Result<(), ThriftError> {
    let first = span.log_fields.len();
    let (mut micros, mut dropped) = (0, 0);
    let mut id = 0;
    while let Some(kind) = reader.next_field(&mut id)? {
        match (id, kind) {
            (1, Kind::I64) => micros = reader.i64()?,
            (2, Kind::List) => {
                read_tags(reader, |tag| span.push_field(first, tag, &mut dropped))?;
            }
            (_, kind) => reader.skip(kind)?,
        }
    }
    span.push_log(Log {
        time: nanos(i128::from(micros) * NANOS_PER_MICRO),
        fields_end: span.log_fields.len(),
        dropped,
    });
    Ok(())
}

fn read_tags<'a, P: Protocol>(
    reader: &mut Reader<'a, P>,
    mut push: impl FnMut(Tag<'a>),
) -> Result<(), ThriftError> {
    let list = reader.list()?;
    if list.element != Kind::Struct {
        return reader.skip_elements(list);
    }
    for _ in 0..list.count {
        push(read_tag(reader)?);
    }
    Ok(())
}

fn read_tag<'a, P: Protocol>(reader: &mut Reader<'a, P>) -> Result<Tag<'a>, ThriftError> {
    let mut key = &[][..];
    let mut value = TagValue::default();
    let mut id = 0;
    while let Some(kind) = reader.next_field(&mut id)? {
        match (id, kind) {
            (1, Kind::Bytes) => key = reader.bytes()?,
            (2, Kind::I32) => value.value_type = value_type(reader.i32()?),
            (3, Kind::Bytes) => value.set(PackedValue::String(reader.bytes()?)),
            (4, Kind::Double) => value.set(PackedValue::Double(reader.double()?)),
            (5, Kind::Bool) => value.set(PackedValue::Bool(reader.bool()?)),
            (6, Kind::I64) => value.set(PackedValue::Int(reader.i64()?)),
            (7, Kind::Bytes) => value.set(PackedValue::Bytes(reader.bytes()?)),
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok(value.tag(key))
}

fn value_type(number: i32) -> ValueType {
    match number {
        0 => ValueType::String,
        1 => ValueType::Double,
        2 => ValueType::Bool,
        3 => ValueType::Int,
        4 => ValueType::Bytes,
        _ => ValueType::Empty,
    }
}
