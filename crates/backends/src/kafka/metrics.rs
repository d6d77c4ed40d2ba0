//! What is counted of messages.

use std::collections::BTreeMap;

use plumbing::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// The partition of a topic.
type OfPartition = Vec<(&'static str, String)>;

/// The counters; clones share them.
#[derive(Debug, Clone, Default)]
pub struct KafkaMetrics {
    pub(super) spans_sent: Counter,
    pub(super) messages_sent: Counter,
}

impl KafkaMetrics {
    /// Makes the counters of whoever sends, and registers them.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        metrics.register(|registry| {
            registry.register(
                "trackway_kafka_spans_sent",
                "Spans in messages that Kafka has confirmed",
                made.spans_sent.clone(),
            );
            registry.register(
                "trackway_kafka_messages_sent",
                "Messages that Kafka has confirmed",
                made.messages_sent.clone(),
            );
        });
        made
    }
}

/// The counters of whoever reads; clones share them.
#[derive(Debug, Clone, Default)]
pub struct IngestMetrics {
    pub(super) messages: Counter,
    pub(super) spans: Counter,
    pub(super) dead_letters: Counter,
    pub(super) writes_again: Counter,
    lag: Family<OfPartition, Gauge>,
}

impl IngestMetrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        metrics.register(|registry| {
            registry.register(
                "trackway_ingester_messages",
                "Messages whose spans are kept, or that are dead letters",
                made.messages.clone(),
            );
            registry.register(
                "trackway_ingester_spans",
                "Spans of messages that are kept",
                made.spans.clone(),
            );
            registry.register(
                "trackway_ingester_dead_letters",
                "Messages that can't be read or kept, put into the dead-letter topic",
                made.dead_letters.clone(),
            );
            registry.register(
                "trackway_ingester_writes_again",
                "Writes that the store did not take and that were tried again",
                made.writes_again.clone(),
            );
            registry.register(
                "trackway_ingester_lag_messages",
                "Messages that are not kept yet in the partitions which this process reads",
                made.lag.clone(),
            );
        });
        made
    }

    /// Tells how many messages wait in partitions that end somewhere and are read up to somewhere, those in hand among
    /// them, of which the first are given; partitions that others read now are told no more.
    pub(super) fn tell_lag(&self, ends: &[(i32, i64, i64)], first_in_hand: &BTreeMap<i32, i64>) {
        self.lag.clear();
        for (partition, end, position) in ends {
            let from = first_in_hand.get(partition).unwrap_or(position);
            let messages = end.saturating_sub(*from).max(0);
            let partition = vec![("partition", partition.to_string())];
            self.lag.get_or_create(&partition).set(messages);
        }
    }
}
