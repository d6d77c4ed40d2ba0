//! Spans that Jaeger's clients say they lost before they could send them: added up over all clients, for Prometheus.
//!
//! A client tells sums since its start with each batch. What counts is how much they grew since its batch before; the
//! first batch that is seen of a client counts whole, and so does one whose sums went back: the client began anew.
//!
//! Promises: at most [`CLIENTS_MAX`] clients are remembered; of one that was forgotten nothing is counted twice, since
//! a forgotten client's next batch only sets its sums.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use codec::jaeger::Client;
use plumbing::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Clients that are remembered.
const CLIENTS_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    reason: &'static str,
}

/// What clients lost.
#[derive(Debug)]
pub(crate) struct ClientLosses {
    known: Mutex<Known>,
    lost: Family<Labels, Counter>,
}

#[derive(Debug, Default)]
struct Known {
    sums: HashMap<String, [u64; 3]>,
    /// Once a client was forgotten, a new one may be an old one.
    has_forgotten: bool,
}

impl ClientLosses {
    pub(crate) fn register(metrics: &Metrics) -> Arc<Self> {
        let lost = Family::default();
        metrics.register(|registry| {
            registry.register(
                "trackway_receive_client_lost_spans",
                "Spans that Jaeger's clients say they lost, by their reason",
                lost.clone(),
            );
        });
        Arc::new(Self {
            known: Mutex::default(),
            lost,
        })
    }

    /// Notes what a batch says of its client.
    pub(crate) fn note(&self, client: &Client, peer: Option<IpAddr>) {
        let Some(stats) = &client.stats else {
            return;
        };
        let now = [
            stats.full_queue_dropped_spans,
            stats.too_large_dropped_spans,
            stats.failed_to_emit_spans,
        ]
        .map(|sum| u64::try_from(sum).unwrap_or(0));
        // A service's instances tell themselves apart by their ids; the others are told by where they are.
        let id = match (client.uuid.as_str(), peer) {
            ("", Some(peer)) => format!("{} {peer}", client.service),
            (uuid, _) => format!("{} {uuid}", client.service),
        };
        let grown = self.grown(id, now);
        let reasons = ["full_queue", "too_large", "not_sent"];
        for (reason, spans) in reasons.into_iter().zip(grown) {
            if spans > 0 {
                self.lost.get_or_create(&Labels { reason }).inc_by(spans);
            }
        }
    }

    fn grown(&self, client: String, now: [u64; 3]) -> [u64; 3] {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.sums.len() >= CLIENTS_MAX && !known.sums.contains_key(&client) {
            known.sums.clear();
            known.has_forgotten = true;
        }
        let before = known.sums.insert(client, now);
        match before {
            Some(before) if now.iter().zip(before).all(|(now, before)| *now >= before) => {
                std::array::from_fn(|at| {
                    let of = |sums: &[u64; 3]| sums.get(at).copied().unwrap_or_default();
                    of(&now) - of(&before)
                })
            }
            Some(_) => now,
            None if known.has_forgotten => [0; 3],
            None => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_since_the_batch_before_counts_and_a_client_that_began_anew_counts_whole() {
        let losses = ClientLosses::register(&Metrics::new());
        let grown = |client: &str, now| losses.grown(client.to_owned(), now);
        assert_eq!(grown("a", [5, 0, 1]), [5, 0, 1]);
        assert_eq!(grown("a", [7, 0, 1]), [2, 0, 0]);
        assert_eq!(grown("b", [1, 1, 1]), [1, 1, 1]);
        assert_eq!(grown("a", [1, 0, 0]), [1, 0, 0], "it began anew");
    }

    #[test]
    fn no_more_clients_are_remembered_than_may_be_and_none_counts_twice() {
        let losses = ClientLosses::register(&Metrics::new());
        for client in 0..=CLIENTS_MAX {
            losses.grown(client.to_string(), [1, 0, 0]);
        }
        assert_eq!(losses.known.lock().unwrap().sums.len(), 1);
        assert_eq!(losses.grown("0".to_owned(), [1, 0, 0]), [0, 0, 0]);
        assert_eq!(losses.grown("0".to_owned(), [3, 0, 0]), [2, 0, 0]);
    }
}
