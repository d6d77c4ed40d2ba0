//! The way on: keeps spans on the disk until a collector has them, and delivers them over OTLP/gRPC.
//!
//! ```text
//! write ─▶ buffer (journal, one thread) ─▶ answer to the sender
//!             │  read on, in order
//!             ▼
//!          deliver (batches, in flight, retries) ─▶ collectors (addresses, connections) ─▶ OTLP/gRPC
//!             │  answered
//!             ▼
//!          confirm: the buffer lets go
//! ```
//!
//! Promises
//! - A batch is acknowledged when the buffer's level says that it survives; it is let go when a collector has answered,
//!   never before. After a crash what was not confirmed is sent again: at least once, with the same spans.
//! - What a collector refuses for good is dropped alone, counted and said in the log; it holds up nothing.
//! - What can't be sent waits on the disk, bounded in bytes; when that is full, senders are told to come again.
//!
//! Refuses: to write more than the buffer may take; to retry what OTLP says must not be retried.
//!
//! Read next: [`Sink`] for all of it together, `buffer.rs` for the disk, `deliver.rs` for batches and their fate,
//! `collectors.rs` for addresses and failures, `call.rs` for one call.

mod buffer;
mod call;
mod collectors;
mod deliver;
mod error;
mod metrics;
mod options;
mod resolver;
mod sink;

pub use collectors::{CallError, Collectors};
pub use error::Error;
pub use options::{BufferOptions, Compression, DeliveryOptions, Target, Token};
pub use resolver::{Resolver, SystemResolver};
pub use sink::{Sink, SinkParts};
