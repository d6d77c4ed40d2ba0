//! The way on: keeps spans on the disk until somebody has them, and delivers them: to collectors over OTLP/gRPC, or to
//! the writer of a store of others.
//!
//! ```text
//! write ─▶ buffer (journal, one thread) ─▶ answer to the sender
//!             │  read on, in order
//!             ▼
//!          deliver (batches, in flight, retries) ─▶ outlet ─▶ collectors (addresses, connections) ─▶ OTLP/gRPC
//!             │  answered                              └────▶ circuit breaker ─▶ a SpanWriter
//!             ▼
//!          confirm: the buffer lets go
//! ```
//!
//! Promises
//! - A batch is acknowledged when the buffer's level says that it survives; it is let go when who takes it has
//!   answered, never before. After a crash what was not confirmed is sent again: at least once, with the same spans.
//! - What a collector refuses for good is dropped alone, counted and said in the log; what a store does not take while
//!   it takes others is set aside as a file. Neither holds up anything.
//! - What can't be sent waits on the disk, bounded in bytes; when that is full, senders are told to come again.
//! - A store that is known to be away is not asked by every write: one at a time finds out, with or without a buffer.
//!
//! Refuses: to write more than the buffer may take; to retry what OTLP says must not be retried.
//!
//! Read next: [`Sink`] and [`BufferedWriter`] for all of it together, `buffer.rs` for the disk, `deliver.rs` for
//! batches and their fate, `outlet.rs` for whom they are delivered to; `collectors.rs` for addresses and failures,
//! `call.rs` for one call; `store_outlet.rs` for a store, [`GuardedWriter`] and `breaker.rs` for one that is away.

mod breaker;
mod buffer;
mod buffered_writer;
mod call;
mod collectors;
mod deliver;
mod error;
mod guarded;
mod metrics;
mod options;
mod outlet;
mod resolver;
mod set_aside;
mod sink;
mod store_outlet;
mod way;
mod words;

pub use breaker::Pauses;
pub use buffered_writer::{BufferedParts, BufferedWriter};
pub use collectors::{CallError, Collectors};
pub use error::Error;
pub use guarded::{GuardOptions, GuardedWriter};
pub use options::{BufferOptions, Compression, DeliveryOptions, Target, Token};
pub use resolver::{Resolver, SystemResolver};
pub use sink::{Sink, SinkParts};
