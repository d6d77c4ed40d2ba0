//! What is counted of TLS.

use plumbing::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::error::TlsError;

type Labels = Vec<(&'static str, String)>;

/// The counters, registered once and shared by all ports and clients.
#[derive(Debug, Clone, Default)]
pub struct TlsMetrics {
    reloads: Family<Labels, Counter>,
    stale: Family<Labels, Gauge>,
    handshakes_failed: Family<Labels, Counter>,
}

impl TlsMetrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        metrics.register(|registry| {
            registry.register(
                "trackway_tls_reloads",
                "Changed certificate files that were read again, by whether they could be used",
                made.reloads.clone(),
            );
            registry.register(
                "trackway_tls_files_refused",
                "1 while the certificate files on the disk can't be used and those before stay in force",
                made.stale.clone(),
            );
            registry.register(
                "trackway_tls_handshakes_failed",
                "Connections that were closed before their handshake was done, by reason",
                made.handshakes_failed.clone(),
            );
        });
        made
    }

    /// What is said and counted when the files of `name` have changed.
    pub(crate) fn teller(
        &self,
        name: &str,
    ) -> impl Fn(Result<(), &TlsError>) + Send + Sync + 'static {
        let (metrics, name) = (self.clone(), name.to_owned());
        metrics.set_stale(&name, false);
        move |outcome| {
            metrics.reloaded(&name, outcome.is_ok());
            match outcome {
                Ok(()) => tracing::info!(tls = name, "certificates were read again"),
                Err(error) => {
                    tracing::warn!(tls = name, %error, "certificates can't be used; those before stay in force");
                }
            }
        }
    }

    pub(crate) fn reloaded(&self, name: &str, is_ok: bool) {
        let outcome = if is_ok { "ok" } else { "failed" };
        let labels = vec![("tls", name.to_owned()), ("outcome", outcome.to_owned())];
        self.reloads.get_or_create(&labels).inc();
        self.set_stale(name, !is_ok);
    }

    pub(crate) fn set_stale(&self, name: &str, is_stale: bool) {
        let labels = vec![("tls", name.to_owned())];
        self.stale.get_or_create(&labels).set(i64::from(is_stale));
    }

    pub(crate) fn failed(&self, name: &str, reason: &'static str) {
        let labels = vec![("tls", name.to_owned()), ("reason", reason.to_owned())];
        self.handshakes_failed.get_or_create(&labels).inc();
    }
}
