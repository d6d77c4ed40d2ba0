//! What gRPC writes into HTTP/2: bytes before a message, headers, statuses and deadlines. No sockets, no messages.
//!
//! Source: "gRPC over HTTP2". A call with one message each way needs five bytes of prefix and two trailers, so the
//! rooms speak it without a framework and every limit is theirs; what they would all say alike is said here. Reading a
//! body stays with the rooms: one takes memory from a byte budget for it, another knows that questions are short.
//!
//! Promises: nothing here allocates by a length that came from outside.
//! Refuses: a flag before a message that is none.
//!
//! Read next: [`frame`] for messages, [`headers`] for what stands around them.

pub mod code;
pub mod frame;
pub mod headers;
