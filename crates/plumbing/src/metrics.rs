//! The registry of metrics that `/metrics` prints, shared by every room.
//!
//! Names are `trackway_<room>_<thing>_<unit>[_total]`. Each room registers its own at start.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// The registry of metrics; clones share it.
#[derive(Clone, Default)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Makes an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a room register its metrics.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Prints every metric in the OpenMetrics text format.
    pub fn print(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(
            &mut text,
            &self.registry.lock().unwrap_or_else(PoisonError::into_inner),
        )?;
        Ok(text)
    }
}

/// Upper bounds of a latency histogram in seconds: 50 µs to 26 s, each double the one before.
pub fn latency_buckets() -> impl Iterator<Item = f64> {
    (0..20).map(|exponent| 50e-6 * f64::from(1u32 << exponent))
}
