//! What is counted of those who are not let in, and what the log says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plumbing::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;

use crate::credentials::FileError;
use crate::denied::Denied;

/// At most one refusal is told in so long; the others are counted.
const COMPLAINT_PERIOD: Duration = Duration::from_secs(10);

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
            complaint: Arc::default(),
        }
    }
}

/// Counts and tells whoever is not let in at some ports.
#[derive(Debug, Clone)]
pub(crate) struct Denials {
    ports: &'static str,
    denied: Family<Labels, Counter>,
    complaint: Arc<Mutex<Complaint>>,
}

/// When a refusal was told last, and how many were not.
#[derive(Debug, Default)]
struct Complaint {
    last: Option<Instant>,
    untold: u64,
}

impl Denials {
    pub(crate) fn denied(&self, denied: &Denied) {
        let (ports, reason) = (self.ports, denied.label());
        let labels = vec![("ports", ports), ("reason", reason)];
        self.denied.get_or_create(&labels).inc();
        let mut complaint = self
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_due = complaint
            .last
            .is_none_or(|last| now.duration_since(last) >= COMPLAINT_PERIOD);
        if is_due {
            let untold = std::mem::take(&mut complaint.untold);
            complaint.last = Some(now);
            tracing::warn!(ports, reason, untold, "somebody was not let in");
        } else {
            complaint.untold += 1;
        }
    }
}
