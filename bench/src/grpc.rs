//! A small client of OTLP over gRPC: unary Export on one HTTP/2 connection that is kept, one call in flight.
//!
//! Promises: nothing is compressed, windows are what the server allows; the status is read from trailers, or from the
//! headers of an answer without a body. The calling thread works for the connection while it waits for an answer.
//! Refuses: streams, deadlines, retries (the caller's), and answers over [`ANSWER_BYTES_MAX`].

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use plumbing::Tasks;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// An acknowledgement is empty, or says in words what was rejected.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// A server that says nothing for so long is taken for stuck.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// Before each message: a flag that says whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Called {
    /// gRPC's code; 0 is success.
    pub(crate) code: u32,
    pub(crate) message: String,
    /// The one message of the answer, without its prefix.
    pub(crate) body: Vec<u8>,
}

/// A connection to one address; opened when it is first needed, and anew after it broke.
#[derive(Debug)]
pub(crate) struct GrpcConnection {
    address: String,
    runtime: Runtime,
    tasks: Tasks,
    send: Option<SendRequest<Full<Bytes>>>,
}

impl GrpcConnection {
    /// Prepares a connection to `host:port`.
    pub(crate) fn to(address: &str) -> io::Result<Self> {
        Ok(Self {
            address: address.to_owned(),
            runtime: Builder::new_current_thread().enable_all().build()?,
            tasks: Tasks::new(),
            send: None,
        })
    }

    /// Calls Export with an encoded request.
    pub(crate) fn export(&mut self, request: &[u8]) -> io::Result<Called> {
        let request = self.request(request)?;
        let (send, tasks, address) = (self.send.take(), &self.tasks, &self.address);
        let call = async {
            let mut send = match send {
                Some(send) => send,
                None => open(address, tasks).await?,
            };
            let called = call(&mut send, request).await?;
            io::Result::Ok((send, called))
        };
        let within = async { tokio::time::timeout(SILENCE_MAX, call).await };
        let (send, called) = self
            .runtime
            .block_on(within)
            .map_err(|_| broken("the server is silent"))??;
        self.send = Some(send);
        Ok(called)
    }

    fn request(&self, message: &[u8]) -> io::Result<Request<Full<Bytes>>> {
        let length = u32::try_from(message.len()).map_err(io::Error::other)?;
        let mut body = Vec::with_capacity(PREFIX_BYTES + message.len());
        body.push(0);
        body.extend(length.to_be_bytes());
        body.extend(message);
        let uri = Uri::builder()
            .scheme("http")
            .authority(self.address.as_str())
            .path_and_query(EXPORT)
            .build()
            .map_err(io::Error::other)?;
        Request::post(uri)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from(body)))
            .map_err(io::Error::other)
    }
}

async fn open(address: &str, tasks: &Tasks) -> io::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (send, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    // How it ended is what the call says that was under way.
    tasks.spawn(async move { drop(connection.await) });
    Ok(send)
}

async fn call(
    send: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> io::Result<Called> {
    send.ready().await.map_err(io::Error::other)?;
    let answer = send.send_request(request).await.map_err(io::Error::other)?;
    let (parts, body) = answer.into_parts();
    if !parts.status.is_success() {
        return Err(broken(&format!("status {} of HTTP", parts.status)));
    }
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(io::Error::other)?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    called(&parts.headers, &trailers, &body.to_bytes())
}

fn called(headers: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> io::Result<Called> {
    let field = |name: &str| {
        let value = trailers.get(name).or_else(|| headers.get(name))?;
        value.to_str().ok()
    };
    let code = field("grpc-status").and_then(|code| code.parse().ok());
    Ok(Called {
        code: code.ok_or_else(|| broken("an answer without a status of gRPC"))?,
        message: field("grpc-message").unwrap_or_default().to_owned(),
        body: body.get(PREFIX_BYTES..).unwrap_or_default().to_vec(),
    })
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = fields.iter().map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn reads_the_status_from_trailers_and_from_an_answer_that_has_only_headers() {
        let ok = fields(&[("grpc-status", "0")]);
        let kept = called(&HeaderMap::new(), &ok, &[0, 0, 0, 0, 2, 10, 0]).unwrap();
        assert_eq!((kept.code, &kept.body[..]), (0, &[10, 0][..]));
        let full = fields(&[("grpc-status", "8"), ("grpc-message", "later")]);
        let refused = called(&full, &HeaderMap::new(), &[]).unwrap();
        assert_eq!((refused.code, refused.message.as_str()), (8, "later"));
        assert!(called(&HeaderMap::new(), &HeaderMap::new(), &[]).is_err());
    }

    #[test]
    fn a_message_has_its_length_before_it() {
        let connection = GrpcConnection::to("127.0.0.1:1").unwrap();
        let request = connection.request(b"spans").unwrap();
        assert_eq!(request.uri().path(), EXPORT);
        let body = connection.runtime.block_on(request.into_body().collect());
        assert_eq!(&body.unwrap().to_bytes()[..], b"\0\0\0\0\x05spans");
    }
}
