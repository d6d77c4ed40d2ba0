//! Names and the addresses behind them: the seam at which a test changes what a name means.

use std::io;
use std::net::SocketAddr;

use model::contract::Answer;

use crate::options::Target;

/// Knows the addresses behind a name.
pub trait Resolver: std::fmt::Debug + Send + Sync {
    /// Looks up all addresses of a collector. It is asked again and again, and keeps nothing.
    fn addresses<'a>(&'a self, target: &'a Target) -> Answer<'a, io::Result<Vec<SocketAddr>>>;
}

/// Asks the system, as every other program does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn addresses<'a>(&'a self, target: &'a Target) -> Answer<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await?;
            Ok(found.collect())
        })
    }
}
