//! Spans for a store that a Jaeger writes to: its storage API over gRPC, whose reading half is answered elsewhere on
//! the same port.
//!
//! ```text
//! TraceService/Export              version 2: OTLP, as at its own door
//! SpanWriterPlugin/WriteSpan       version 1: a span a call
//! StreamingSpanWriterPlugin/…      version 1: spans as they come, for as long as the client likes
//! ArchiveSpanWriterPlugin/…        version 1: a span of a trace that is to be kept for good
//! ```
//!
//! Promises
//! - A call is answered only when all its spans are kept.
//! - The spans of a stream are written in piles: a client may keep its stream open for days, so what came is kept when
//!   nothing more comes for a moment. Memory is taken from the byte budget before a message is read.
//! - What came whole before a stream breaks is kept.
//!
//! Refuses: a message that is broken, which ends its stream.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codec::wire::{Field, Reader};
use grpc::frame::{Prefix, PrefixReader};
use grpc::headers::{GRPC_ENCODING, is_grpc};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use model::TenantId;
use model::contract::SpanWriter;
use plumbing::{Shutdown, Tasks, planted};

use crate::body::{Bytewise, Held, next_bytes, within};
use crate::connection::Door;
use crate::decompress::{Compression, decompress};
use crate::format::Format;
use crate::grpc::{EXPORT_PATH, compression_of, export, in_time, not_grpc};
use crate::grpc_frame::{self, check_length};
use crate::intake::{self, Receipt, Receiver};
use crate::ledger::Transport;
use crate::refusal::{Refusal, shorten_to};
use crate::reply::Reply;

const WRITE_PATH: &str = "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan";
const CLOSE_PATH: &str = "/jaeger.storage.v1.SpanWriterPlugin/Close";
const STREAM_PATH: &str = "/jaeger.storage.v1.StreamingSpanWriterPlugin/WriteSpanStream";
const ARCHIVE_PATH: &str = "/jaeger.storage.v1.ArchiveSpanWriterPlugin/WriteArchiveSpan";

/// So many bytes of a stream are written at once.
const PILE_BYTES: usize = 1024 * 1024;
/// When nothing comes for so long, what came is written.
const PILE_PAUSE: Duration = Duration::from_millis(5);

/// Answers the calls by which a Jaeger writes to its store.
#[derive(Debug, Clone)]
pub struct StorageWrites {
    door: Arc<Door>,
    archive: Arc<Door>,
}

impl StorageWrites {
    /// The paths that are answered.
    pub const PATHS: [&str; 5] = [
        EXPORT_PATH,
        WRITE_PATH,
        CLOSE_PATH,
        STREAM_PATH,
        ARCHIVE_PATH,
    ];

    /// Takes spans like a receiver; those for the archive go to a writer of their own.
    #[must_use]
    pub fn new(
        receiver: Arc<Receiver>,
        archive: Arc<dyn SpanWriter>,
        shutdown: &Shutdown,
        tasks: &Tasks,
    ) -> Self {
        let to_archive = receiver.with_writer(archive);
        let door = |receiver| {
            let (shutdown, tasks) = (shutdown.clone(), tasks.clone());
            Arc::new(Door::inside(
                receiver,
                Transport::StorageGrpc,
                shutdown,
                tasks,
            ))
        };
        Self {
            archive: door(to_archive),
            door: door(receiver),
        }
    }

    /// Answers one call.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Reply>
    where
        B: http_body::Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
    {
        let (parts, mut body) = request.into_parts();
        if parts.method != Method::POST || !is_grpc(&parts.headers) {
            return not_grpc(&parts);
        }
        let door = &*self.door;
        let call = async {
            match parts.uri.path() {
                EXPORT_PATH => export(door, Format::OtlpProto, &parts, &mut body).await,
                WRITE_PATH => export(door, Format::JaegerSpans, &parts, &mut body).await,
                ARCHIVE_PATH => export(&self.archive, Format::JaegerSpans, &parts, &mut body).await,
                STREAM_PATH => write_stream(door, &parts, body).await,
                CLOSE_PATH => {
                    let timeout = door.receiver.limits().body_timeout;
                    within(timeout, grpc_frame::read_small_message(&mut body)).await?;
                    Ok(grpc_frame::success(&[]))
                }
                path => Err(Refusal::UnknownPath {
                    path: shorten_to(path, 200),
                    expected: EXPORT_PATH,
                }),
            }
        };
        in_time(door, &parts.headers, call).await
    }
}

/// Takes the spans of a stream; answers when all are kept.
async fn write_stream(
    door: &Door,
    parts: &Parts,
    body: impl Bytewise,
) -> Result<Response<Reply>, Refusal> {
    let tenant = door.admit(parts).await?;
    let mut stream = SpanStream::new(door, &parts.headers, body)?;
    let mut all = Receipt::default();
    loop {
        let gathered = tokio::select! {
            gathered = stream.gather() => gathered,
            () = door.closing() => door.check_open().map(|()| true),
        };
        if let Some(pile) = stream.take_pile()? {
            let is_last = matches!(gathered, Ok(false));
            let receipt = keep(door, tenant.clone(), pile, is_last).await?;
            all.rejected_spans += receipt.rejected_spans;
            if all.message.is_empty() {
                all.message = receipt.message;
            }
        }
        match gathered {
            Ok(true) => {}
            Ok(false) => break,
            Err(refusal) => {
                let tally = door.receiver.ledger().open(door.transport, door.peer);
                tally.refuse(&refusal);
                return Err(refusal);
            }
        }
    }
    if all.rejected_spans > 0 {
        let (rejected, why) = (all.rejected_spans, all.message);
        let reason = format!("{rejected} spans are rejected, all others kept: {why}");
        return Err(Refusal::Malformed { reason });
    }
    Ok(grpc_frame::success(&[]))
}

/// Writes a pile.
async fn keep(
    door: &Door,
    tenant: TenantId,
    pile: Held,
    is_last: bool,
) -> Result<Receipt, Refusal> {
    let tally = door.receiver.ledger().open(door.transport, door.peer);
    tally.add_bytes(u64::try_from(pile.bytes.len()).unwrap_or(u64::MAX));
    let request = intake::Request {
        tenant,
        format: Format::JaegerSpans,
        compression: Compression::Identity,
        held: pile,
        tally,
    };
    let told = door.receiver.take(request, &door.tasks);
    if is_last && planted("receive-stream-answered-before-kept") {
        // Dropping it would abandon the write.
        door.tasks.spawn(async move { drop(told.await) });
        return Ok(Receipt::default());
    }
    told.await.unwrap_or_else(|_| {
        Err(Refusal::Failed {
            reason: "the request's task ended early".to_owned(),
        })
    })
}

/// The messages of a stream, gathered in piles.
struct SpanStream<'a, B> {
    door: &'a Door,
    body: B,
    encoding: Compression,
    /// The bytes before the next message, as far as they came.
    prefix: PrefixReader,
    /// The message that is being read: what came of it, its length, how it is compressed.
    message: Option<(Held, usize, Compression)>,
    /// Messages that came whole, one behind another.
    pile: Held,
}

impl<'a, B: Bytewise> SpanStream<'a, B> {
    fn new(door: &'a Door, headers: &HeaderMap, body: B) -> Result<Self, Refusal> {
        Ok(Self {
            door,
            body,
            encoding: Compression::of_header(headers.get(GRPC_ENCODING))?,
            prefix: PrefixReader::default(),
            message: None,
            pile: empty(door)?,
        })
    }

    /// Gathers messages until they are enough, or nothing comes for a moment; false: the stream has ended.
    async fn gather(&mut self) -> Result<bool, Refusal> {
        let body_timeout = self.door.receiver.limits().body_timeout;
        while self.pile.bytes.len() < PILE_BYTES {
            let has_pile = !self.pile.bytes.is_empty();
            let is_between = self.message.is_none() && self.prefix.is_empty();
            let next = next_bytes(&mut self.body);
            let chunk = if has_pile {
                match tokio::time::timeout(PILE_PAUSE, next).await {
                    Ok(chunk) => chunk?,
                    Err(_) => return Ok(true),
                }
            } else if is_between {
                next.await?
            } else {
                within(body_timeout, next).await?
            };
            match chunk {
                Some(chunk) => self.push(chunk)?,
                None if is_between => return Ok(false),
                None => {
                    return Err(Refusal::Malformed {
                        reason: "the message ends before its length".to_owned(),
                    });
                }
            }
        }
        Ok(true)
    }

    fn take_pile(&mut self) -> Result<Option<Held>, Refusal> {
        if self.pile.bytes.is_empty() {
            return Ok(None);
        }
        let next = empty(self.door)?;
        Ok(Some(std::mem::replace(&mut self.pile, next)))
    }

    fn push(&mut self, mut chunk: Bytes) -> Result<(), Refusal> {
        loop {
            if self.message.is_none() {
                let Some(prefix) = self.prefix.push(&mut chunk)? else {
                    return Ok(());
                };
                self.begin(prefix)?;
            }
            let Some((held, length, _)) = &mut self.message else {
                return Ok(());
            };
            let missing = *length - held.bytes.len();
            let came = chunk.split_to(missing.min(chunk.len()));
            held.bytes.extend_from_slice(&came);
            if held.bytes.len() < *length {
                return Ok(());
            }
            self.end()?;
        }
    }

    /// Takes the memory for a message whose prefix was read.
    fn begin(&mut self, prefix: Prefix) -> Result<(), Refusal> {
        let receiver = &self.door.receiver;
        check_length(prefix, receiver.limits())?;
        let compression = compression_of(prefix.is_compressed, self.encoding)?;
        // It is decoded with its pile, which takes the memory for that.
        let held = Held::with_capacity(receiver.budget(), u64::from(prefix.length), true)?;
        let length = usize::try_from(prefix.length).unwrap_or(usize::MAX);
        self.message = Some((held, length, compression));
        Ok(())
    }

    /// Puts the message that is there whole onto the pile.
    fn end(&mut self) -> Result<(), Refusal> {
        let Some((mut held, _, compression)) = self.message.take() else {
            return Ok(());
        };
        if compression != Compression::Identity {
            let bytes_max = self.door.receiver.limits().body_bytes_max;
            held.bytes = decompress(compression, &held.bytes, bytes_max, &mut held.reservation)?;
        }
        check_message(&held.bytes)?;
        self.pile.make_room(held.bytes.len())?;
        self.pile.bytes.extend_from_slice(&held.bytes);
        Ok(())
    }
}

fn empty(door: &Door) -> Result<Held, Refusal> {
    Held::with_capacity(door.receiver.budget(), 0, true)
}

/// A message that is cut must not swallow the next one on the pile.
fn check_message(bytes: &[u8]) -> Result<(), Refusal> {
    let mut reader = Reader::new(bytes);
    loop {
        let reason = match reader.next_field() {
            Ok(None) => return Ok(()),
            Ok(Some((1, Field::Bytes(_)))) => continue,
            Ok(Some((1, _))) => "field 1 of a WriteSpanRequest is no span".to_owned(),
            Ok(Some(_)) => continue,
            Err(error) => format!("not a WriteSpanRequest: {error}"),
        };
        return Err(Refusal::Malformed { reason });
    }
}
