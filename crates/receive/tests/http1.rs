//! HTTP/1.1 as bytes on a socket: nothing is done that the test does not say.

use std::net::SocketAddr;

use codec::generated::google::rpc;
use prost::Message as _;
use testkit::otlp::collector::trace::v1::ExportTraceServiceResponse;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::house::soon;

pub(crate) const PROTO: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

/// One connection.
#[derive(Debug)]
pub(crate) struct Http1 {
    stream: BufReader<TcpStream>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Http1 {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: BufReader::new(TcpStream::connect(address).await.unwrap()),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        soon(self.stream.get_mut().write_all(bytes)).await.unwrap();
    }

    /// Sends what can be sent; the other end may close while it is under way.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        soon(self.stream.get_mut().write_all(bytes)).await.is_ok()
    }

    pub(crate) async fn end_sending(&mut self) {
        self.stream.get_mut().shutdown().await.unwrap();
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match soon(self.stream.read_line(&mut line)).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
        }
    }

    /// The next answer, or nothing when the connection is closed.
    pub(crate) async fn try_answer(&mut self) -> Option<Answer> {
        let status_line = self.line().await?;
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        if status != 100 {
            answer.body = vec![0; answer.header("content-length").unwrap().parse().unwrap()];
            soon(self.stream.read_exact(&mut answer.body))
                .await
                .unwrap();
        }
        Some(answer)
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer()
            .await
            .expect("the connection was closed without an answer")
    }

    /// Sends a request and gives its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    /// Waits for the end of the connection; gives what came before it.
    pub(crate) async fn end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _reset = soon(self.stream.read_to_end(&mut rest)).await;
        rest
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as the answer to an export.
    pub(crate) fn response(&self) -> ExportTraceServiceResponse {
        assert_eq!(
            (self.status, self.header("content-type")),
            (200, Some(PROTO))
        );
        ExportTraceServiceResponse::decode(&self.body[..]).unwrap()
    }

    /// The body as an error in protobuf.
    pub(crate) fn error(&self) -> rpc::Status {
        assert_eq!(self.header("content-type"), Some(PROTO));
        let status = rpc::Status::decode(&self.body[..]).unwrap();
        assert!(
            !status.message.is_empty() && status.message.len() <= 1024,
            "{status:?}"
        );
        status
    }

    /// Seconds to wait, which must be from 1 to 30, and also be in the body.
    pub(crate) fn retry_after_s(&self) -> u64 {
        let seconds = self
            .header("retry-after")
            .expect("Retry-After is missing")
            .parse()
            .unwrap();
        assert!((1..=30).contains(&seconds), "{seconds}");
        assert_eq!(retry_info_s(&self.error()), Some(seconds));
        seconds
    }
}

/// The pause that a status names.
pub(crate) fn retry_info_s(status: &rpc::Status) -> Option<u64> {
    let detail = status
        .details
        .iter()
        .find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = rpc::RetryInfo::decode(&detail.value[..])
        .unwrap()
        .retry_delay?;
    u64::try_from(delay.seconds).ok()
}

/// What a status says was wrong with the request.
pub(crate) fn bad_request(status: &rpc::Status) -> Option<String> {
    let detail = status
        .details
        .iter()
        .find(|any| any.type_url.ends_with("/google.rpc.BadRequest"))?;
    let violations = rpc::BadRequest::decode(&detail.value[..])
        .unwrap()
        .field_violations;
    violations
        .first()
        .map(|violation| violation.description.clone())
}

/// The bytes of a request with a body of known length; headers are whole lines.
pub(crate) fn request(start: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = head(start, headers, Some(body.len()));
    bytes.extend_from_slice(body);
    bytes
}

/// The bytes of a request's head alone.
pub(crate) fn head(start: &str, headers: &[&str], content_length: Option<usize>) -> Vec<u8> {
    let mut text = format!("{start} HTTP/1.1\r\nHost: here\r\n");
    headers
        .iter()
        .for_each(|header| text.push_str(&format!("{header}\r\n")));
    if let Some(length) = content_length {
        text.push_str(&format!("Content-Length: {length}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// The usual request: spans in protobuf.
pub(crate) fn export(body: &[u8]) -> Vec<u8> {
    request(
        "POST /v1/traces",
        &["Content-Type: application/x-protobuf"],
        body,
    )
}

/// The usual request with an encoding.
pub(crate) fn export_encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    let encoding = format!("Content-Encoding: {encoding}");
    request(
        "POST /v1/traces",
        &["Content-Type: application/x-protobuf", &encoding],
        body,
    )
}
