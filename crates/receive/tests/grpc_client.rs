//! HTTP/2 and gRPC from the client's side: by hand for full control, and a framework's client for truth.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{Buf as _, BufMut as _, Bytes};
use codec::generated::google::rpc;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use plumbing::Tasks;
use prost::Message as _;
use tokio::net::TcpStream;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};

use crate::house::soon;

pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// One HTTP/2 connection.
#[derive(Debug)]
pub(crate) struct Http2 {
    send: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

/// One answer, with trailers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http2 {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (send, connection) = soon(handshake(TokioExecutor::new(), TokioIo::new(stream)))
            .await
            .unwrap();
        Tasks::new().spawn(async move { drop(connection.await) });
        Self { send, address }
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        soon(self.begin_post(path, headers, body)).await
    }

    /// Sends a request; the answer is waited for as long as the future lives.
    pub(crate) fn begin_post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> impl Future<Output = Answer> + use<> {
        let uri = Uri::builder()
            .scheme("http")
            .authority(self.address.to_string())
            .path_and_query(path);
        let mut request = Request::post(uri.build().unwrap());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answering = self
            .send
            .send_request(request.body(Full::new(Bytes::from(body))).unwrap());
        async move {
            let (parts, body) = answering.await.unwrap().into_parts();
            let body = body.collect().await.unwrap();
            let mut headers = parts.headers;
            headers.extend(body.trailers().cloned().unwrap_or_default());
            Answer {
                status: parts.status.as_u16(),
                headers,
                body: body.to_bytes(),
            }
        }
    }

    /// Calls Export with one message, flagged as given.
    pub(crate) async fn export(
        &mut self,
        flag: u8,
        headers: &[(&str, &str)],
        message: &[u8],
    ) -> Answer {
        self.call(EXPORT, headers, frame(flag, message)).await
    }

    /// Calls a method with the bytes of a body.
    pub(crate) async fn call(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut all = vec![("content-type", "application/grpc"), ("te", "trailers")];
        all.extend_from_slice(headers);
        self.post(path, &all, body).await
    }
}

/// A message with its prefix.
pub(crate) fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    [
        &[flag],
        &u32::try_from(message.len()).unwrap().to_be_bytes()[..],
        message,
    ]
    .concat()
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// gRPC's code.
    pub(crate) fn code(&self) -> i32 {
        assert_eq!(
            (self.status, self.header("content-type")),
            (200, Some("application/grpc")),
            "{self:?}"
        );
        self.header("grpc-status")
            .expect("grpc-status is missing")
            .parse()
            .unwrap()
    }

    /// The status with details; it must say the same as the plain headers.
    pub(crate) fn error(&self) -> rpc::Status {
        let details = self
            .header("grpc-status-details-bin")
            .expect("details are missing");
        let status = rpc::Status::decode(&STANDARD_NO_PAD.decode(details).unwrap()[..]).unwrap();
        assert_eq!(status.code, self.code());
        status
    }

    /// The one message of a success.
    pub(crate) fn message(&self) -> &[u8] {
        assert_eq!(self.code(), 0, "{self:?}");
        let length = u32::from_be_bytes(self.body[1..5].try_into().unwrap());
        assert_eq!(
            (self.body[0], usize::try_from(length).unwrap()),
            (0, self.body.len() - 5)
        );
        &self.body[5..]
    }
}

/// A framework's client.
#[derive(Debug)]
pub(crate) struct Tonic {
    client: tonic::client::Grpc<Channel>,
}

impl Tonic {
    pub(crate) async fn connect(
        address: SocketAddr,
        compression: Option<CompressionEncoding>,
    ) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = soon(endpoint.connect_timeout(Duration::from_secs(5)).connect())
            .await
            .unwrap();
        let mut client = tonic::client::Grpc::new(channel);
        if let Some(encoding) = compression {
            client = client.send_compressed(encoding).accept_compressed(encoding);
        }
        Self { client }
    }

    pub(crate) async fn export(&mut self, message: Vec<u8>) -> Result<Bytes, tonic::Status> {
        self.call(EXPORT, message).await
    }

    pub(crate) async fn call(
        &mut self,
        path: &'static str,
        message: Vec<u8>,
    ) -> Result<Bytes, tonic::Status> {
        self.client.ready().await.unwrap();
        let request = tonic::Request::new(Bytes::from(message));
        soon(self.client.unary(request, path.parse().unwrap(), Raw))
            .await
            .map(tonic::Response::into_inner)
    }
}

/// Messages as the bytes they are.
#[derive(Debug, Clone, Copy)]
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
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, buf: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        buf.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(buf.copy_to_bytes(buf.remaining())))
    }
}
