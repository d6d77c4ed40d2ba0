//! Calls: a path, messages as bytes, a deadline, and what every call carries.
//!
//! One connection, which is made when it is first needed and again when it breaks.

use std::io;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use model::TenantId;
use model::contract::{ReadError, WriteError};
use prost::Message;
use tls::ClientTls;
use tokio::net::TcpStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tower::service_fn;

use super::{RemoteError, RemoteOptions};
use crate::secret::Secret;
use crate::words::causes;

/// The longest message that is read: servers keep below 4 MiB unless one span alone is longer.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// The port of a server that names none.
const PORT: u16 = 17_271;
/// How Jaeger names a tenant.
const TENANT_HEADER: &str = "x-tenant";
/// By which a server says in what order it gives traces.
const ORDER_HEADER: &str = "trackway-order";

/// Messages as their bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}

/// Calls a server.
#[derive(Debug, Clone)]
pub(super) struct Client {
    channel: Channel,
    timeout: Duration,
    authorization: Option<MetadataValue<tonic::metadata::Ascii>>,
}

impl Client {
    pub(super) fn new(options: &RemoteOptions) -> Result<Self, RemoteError> {
        let endpoint = Endpoint::from_shared(format!("http://{}", options.endpoint));
        let endpoint = endpoint.map_err(|error| RemoteError::Endpoint {
            endpoint: options.endpoint.clone(),
            reason: error.to_string(),
        })?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .http2_adaptive_window(true);
        let authorization = options.token.as_ref().map(bearer).transpose()?;
        let channel = match options.tls.clone() {
            None => endpoint.connect_lazy(),
            Some(tls) => endpoint.connect_with_connector_lazy(service_fn(move |uri: Uri| {
                let tls = tls.clone();
                async move { connect(&tls, &uri).await.map(TokioIo::new) }
            })),
        };
        Ok(Self {
            channel,
            timeout: options.timeout,
            authorization,
        })
    }

    fn request<T>(&self, tenant: Option<&TenantId>, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        let metadata = request.metadata_mut();
        if let Some(authorization) = &self.authorization {
            metadata.insert("authorization", authorization.clone());
        }
        // A server without tenants is not told of the only one.
        let named = tenant.filter(|tenant| **tenant != TenantId::default());
        if let Some(Ok(tenant)) = named.map(|tenant| tenant.as_str().parse()) {
            metadata.insert(TENANT_HEADER, tenant);
        }
        request
    }

    async fn ready(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .accept_compressed(CompressionEncoding::Gzip);
        let ready = tokio::time::timeout(self.timeout, grpc.ready()).await;
        match ready {
            Ok(Ok(())) => Ok(grpc),
            Ok(Err(error)) => Err(Status::unavailable(format!(
                "can't connect: {}",
                causes(&error)
            ))),
            Err(_) => Err(Status::unavailable("can't connect in time")),
        }
    }

    /// A call of one message each way.
    pub(super) async fn one<Q: Message, A: Message + Default>(
        &self,
        tenant: Option<&TenantId>,
        path: &'static str,
        message: &Q,
    ) -> Result<A, Status> {
        let answer = self
            .raw(tenant, path, message.encode_to_vec().into())
            .await?;
        decode(answer)
    }

    /// The same of bytes.
    pub(super) async fn raw(
        &self,
        tenant: Option<&TenantId>,
        path: &'static str,
        message: Bytes,
    ) -> Result<Bytes, Status> {
        let mut grpc = self.ready().await?;
        let request = self.request(tenant, message);
        let called = grpc.unary(request, PathAndQuery::from_static(path), Raw);
        Ok(self.in_time(called).await?.into_inner())
    }

    /// The same; tells whether the server says that it gives the newest traces first.
    pub(super) async fn with_order<Q: Message, A: Message + Default>(
        &self,
        path: &'static str,
        message: &Q,
    ) -> Result<(A, bool), Status> {
        let mut grpc = self.ready().await?;
        let request = self.request(None, Bytes::from(message.encode_to_vec()));
        let called = grpc.unary(request, PathAndQuery::from_static(path), Raw);
        let answer = self.in_time(called).await?;
        let order = answer.metadata().get(ORDER_HEADER);
        let is_newest_first = order.is_some_and(|order| order == "newest-first");
        Ok((decode(answer.into_inner())?, is_newest_first))
    }

    /// A question with an answer of many messages.
    pub(super) async fn many<Q: Message>(
        &self,
        tenant: &TenantId,
        path: &'static str,
        message: &Q,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send + Unpin + use<Q>, Status> {
        let mut grpc = self.ready().await?;
        let request = self.request(Some(tenant), Bytes::from(message.encode_to_vec()));
        let called = grpc.server_streaming(request, PathAndQuery::from_static(path), Raw);
        let answer: Streaming<Bytes> = self.in_time(called).await?.into_inner();
        let timeout = self.timeout;
        // Each message has its time: a long answer is no slow one.
        let timed = stream::unfold(Some(answer), move |answer| async move {
            let mut answer = answer?;
            match tokio::time::timeout(timeout, answer.next()).await {
                Ok(next) => next.map(|next| (next, Some(answer))),
                Err(_) => Some((
                    Err(Status::deadline_exceeded("no message came in time")),
                    None,
                )),
            }
        });
        Ok(timed.boxed())
    }

    /// Many messages with one answer.
    pub(super) async fn pour(
        &self,
        tenant: &TenantId,
        path: &'static str,
        messages: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<(), Status> {
        let mut grpc = self.ready().await?;
        let request = self.request(Some(tenant), messages);
        let called = grpc.client_streaming(request, PathAndQuery::from_static(path), Raw);
        self.in_time(called).await?;
        Ok(())
    }

    async fn in_time<T>(
        &self,
        called: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<tonic::Response<T>, Status> {
        match tokio::time::timeout(self.timeout, called).await {
            Ok(answer) => answer,
            Err(_) => Err(Status::deadline_exceeded("no answer came in time")),
        }
    }
}

/// A connection with TLS; the endpoint bounds the time.
async fn connect(tls: &ClientTls, uri: &Uri) -> io::Result<tls::Stream> {
    let host = uri.host().unwrap_or_default();
    let address = (
        host.trim_matches(['[', ']']),
        uri.port_u16().unwrap_or(PORT),
    );
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    tls.connect(host, stream).await.map_err(io::Error::other)
}

fn bearer(token: &Secret) -> Result<MetadataValue<tonic::metadata::Ascii>, RemoteError> {
    let text = format!("Bearer {}", token.reveal());
    let mut value = MetadataValue::try_from(text).map_err(|_| RemoteError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn decode<A: Message + Default>(bytes: Bytes) -> Result<A, Status> {
    A::decode(bytes).map_err(|error| Status::internal(format!("the answer can't be read: {error}")))
}

fn told(status: &Status) -> String {
    format!(
        "the remote store answers {:?}: {}",
        status.code(),
        status.message()
    )
}

/// Why there is no answer to a question.
#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
pub(super) fn unread(status: Status) -> ReadError {
    let reason = told(&status);
    match status.code() {
        Code::InvalidArgument | Code::Unimplemented => ReadError::BadQuestion { reason },
        Code::ResourceExhausted => ReadError::OverLimit { reason },
        Code::Unavailable | Code::DeadlineExceeded | Code::Aborted | Code::Cancelled => {
            ReadError::Busy { reason }
        }
        _ => ReadError::Failed { reason },
    }
}

/// Why spans were not kept.
#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
pub(super) fn unwritten(status: Status) -> WriteError {
    let reason = told(&status);
    match status.code() {
        Code::ResourceExhausted | Code::Aborted => WriteError::Busy { reason },
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            WriteError::Unavailable { reason }
        }
        _ => WriteError::Failed { reason },
    }
}
