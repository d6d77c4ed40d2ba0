//! HTTP/2 as frames on a socket, for clients that break the rules.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::grpc_client::EXPORT;
use crate::house::soon;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const ACK: u8 = 1;

/// One connection.
#[derive(Debug)]
pub(crate) struct RawHttp2 {
    stream: TcpStream,
}

/// One frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// The bytes of a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Header fields as literals that are not indexed and not squeezed.
pub(crate) fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    fields
        .iter()
        .flat_map(|(name, value)| [vec![0], text(name), text(value)].concat())
        .collect()
}

/// The header fields of an Export to some path.
pub(crate) fn export_fields(path: &str) -> Vec<u8> {
    fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "here"),
        (":path", path),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ])
}

impl RawHttp2 {
    /// Connects and says hello.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut raw = Self {
            stream: TcpStream::connect(address).await.unwrap(),
        };
        raw.send(
            &[
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                &frame(SETTINGS, 0, 0, &[])[..],
            ]
            .concat(),
        )
        .await;
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Sends what can be sent; tells whether it was all.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        soon(self.stream.write_all(bytes)).await.is_ok()
    }

    /// Sends a whole Export.
    pub(crate) async fn send_export(&mut self, stream: u32, message: &[u8]) {
        self.send(&frame(HEADERS, END_HEADERS, stream, &export_fields(EXPORT)))
            .await;
        self.send(&frame(
            DATA,
            END_STREAM,
            stream,
            &crate::grpc_client::frame(0, message),
        ))
        .await;
    }

    /// The next frame, or nothing when the connection ended.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut header = [0; 9];
        soon(self.stream.read_exact(&mut header)).await.ok()?;
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        soon(self.stream.read_exact(&mut payload)).await.ok()?;
        let stream = u32::from_be_bytes(header[5..].try_into().unwrap());
        Some(Frame {
            kind: header[3],
            flags: header[4],
            stream,
            payload,
        })
    }

    /// Reads up to a frame of a kind, answering pings and settings; nothing when the connection ends before.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let next = self.next().await?;
            if next.flags & ACK == 0 && matches!(next.kind, PING | SETTINGS) {
                let payload = if next.kind == PING {
                    &next.payload[..]
                } else {
                    &[]
                };
                self.try_send(&frame(next.kind, ACK, 0, payload)).await;
            }
            if next.kind == kind {
                return Some(next);
            }
        }
    }

    /// Reads to the end of the connection, answering what must be answered.
    pub(crate) async fn end(&mut self) {
        while self.next_of(u8::MAX).await.is_some() {}
    }
}

impl Frame {
    /// Whether these are the headers of a `200` (number 8 of HPACK's static table).
    pub(crate) fn is_ok(&self) -> bool {
        self.kind == HEADERS && self.payload.first() == Some(&0x88)
    }
}
