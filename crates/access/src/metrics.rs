//! What is counted of those who are not let in, and what the log says.

use std::sync::Arc;

use plumbing::{Complaints, Metrics};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::credentials::FileError;
use crate::denied::Denied;

type Labels = Vec<(&'static str, &'static str)>;

/// The counters, registered once and shared by all ports.
#[derive(Debug, Clone, Default)]
pub struct AccessMetrics {
    denied: Family<Labels, Counter>,
    reloads: Family<Labels, Counter>,
    stale: Family<Labels, Gauge>,
}

impl AccessMetrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        metrics.register(|registry| {
            registry.register(
                "trackway_access_denied",
                "Requests that were refused for their credentials, tenant or site, by ports and reason",
                made.denied.clone(),
            );
            registry.register(
                "trackway_access_reloads",
                "Changed files of credentials that were read again, by whether they could be used",
                made.reloads.clone(),
            );
            registry.register(
                "trackway_access_files_refused",
                "1 while the files of credentials can't be used and those before stay in force",
                made.stale.clone(),
            );
        });
        made
    }

    /// What is said and counted when the files of some ports have changed.
    pub(crate) fn teller(
        &self,
        ports: &'static str,
    ) -> impl Fn(Result<(), &FileError>) + Send + Sync + 'static {
        let metrics = self.clone();
        metrics.stale.get_or_create(&vec![("ports", ports)]).set(0);
        move |outcome| {
            let word = if outcome.is_ok() { "ok" } else { "failed" };
            let labels = vec![("ports", ports), ("outcome", word)];
            metrics.reloads.get_or_create(&labels).inc();
            let of_ports = vec![("ports", ports)];
            let stale = metrics.stale.get_or_create(&of_ports);
            stale.set(i64::from(outcome.is_err()));
            drop(stale);
            match outcome {
                Ok(()) => tracing::info!(ports, "credentials were read again"),
                Err(error) => {
                    tracing::warn!(ports, %error, "credentials can't be used; those before stay in force");
                }
            }
        }
    }

    pub(crate) fn denials(&self, ports: &'static str) -> Denials {
        Denials {
            ports,
            denied: self.denied.clone(),
            complaints: Arc::default(),
        }
    }
}

/// Counts and tells whoever is not let in at some ports.
#[derive(Debug, Clone)]
pub(crate) struct Denials {
    ports: &'static str,
    denied: Family<Labels, Counter>,
    complaints: Arc<Complaints>,
}

impl Denials {
    pub(crate) fn denied(&self, denied: &Denied) {
        let (ports, reason) = (self.ports, denied.label());
        let labels = vec![("ports", ports), ("reason", reason)];
        self.denied.get_or_create(&labels).inc();
        if let Some(untold) = self.complaints.due() {
            tracing::warn!(ports, reason, untold, "somebody was not let in");
        }
    }
}
