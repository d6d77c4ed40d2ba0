//! TLS of ports and of the program as a client: rustls with ring, certificates that are read again while it runs.
//!
//! Promises
//! - A certificate that was replaced on the disk is used from the next handshake on; files that can't be used leave the
//!   ones before in force, and the log and a metric say so.
//! - A client's certificate is checked in every handshake: nobody comes back on a session of before.
//! - Handshakes are bounded in time and number. Who speaks plain HTTP to a TLS port is told so.
//! - An error says whether name, chain or time is at fault, and what to change.
//!
//! Refuses: TLS below 1.2, other crypto libraries, keys with a password.
//!
//! Read next: [`ServerTls`] for ports, [`ClientTls`] for connections out, [`plumbing::Reloading`] for the files.

mod client;
mod error;
mod following;
mod metrics;
mod pem;
mod server;
mod stream;
#[cfg(test)]
mod tests;

pub use client::{ClientFiles, ClientTls};
pub use error::{TlsError, explain};
pub use metrics::TlsMetrics;
pub use plumbing::RELOAD_INTERVAL;
pub use server::{ServerFiles, ServerTls, VersionMin, accept};
pub use stream::Stream;
