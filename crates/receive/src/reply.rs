//! The body of every answer: nothing, or one piece of bytes, or bytes and trailers. Never a stream.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// An answer's body.
#[derive(Debug, Default)]
pub struct Reply {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Reply {
    /// Nothing, not even trailers.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// Bytes only.
    pub(crate) fn bytes(data: impl Into<Bytes>) -> Self {
        Self {
            data: Some(data.into()).filter(|data: &Bytes| !data.is_empty()),
            trailers: None,
        }
    }

    /// Bytes, then trailers.
    pub(crate) fn with_trailers(data: impl Into<Bytes>, trailers: HeaderMap) -> Self {
        Self {
            trailers: Some(trailers),
            ..Self::bytes(data)
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.data.take().map(Frame::data);
        Poll::Ready(
            frame
                .or_else(|| self.trailers.take().map(Frame::trailers))
                .map(Ok),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(
            self.data
                .as_ref()
                .map_or(0, |data| u64::try_from(data.len()).unwrap_or(0)),
        )
    }
}
