//! Kafka between collectors and a store: spans as messages, as a Jaeger puts them there and reads them.
//!
//! Promises
//! - A batch is kept when all replicas in sync have confirmed each of its messages ([`KafkaWriter`]).
//! - Where reading goes on is told only when the store has confirmed what was read ([`Ingester`]): a message is read
//!   again rather than lost, and a store whose ids are made of what they name keeps it once.
//! - What can't be read, or is never kept, goes into a topic of dead letters with the reason, and holds nothing up.
//!
//! Refuses: to find spans. Who asks must ask the store that the ingester writes to.
//!
//! Read next: `messages.rs` for what stands in a message, `ingest.rs` for the way out.

mod client;
mod ingest;
mod messages;
mod metrics;
mod options;
mod unread;
mod write;

use std::time::Duration;

use plumbing::{CpuPool, Shutdown};

use self::client::Client;
use crate::examine::Finding;
use crate::trouble::Trouble;

pub use self::ingest::Ingester;
pub use self::metrics::{IngestMetrics, KafkaMetrics};
pub use self::options::{
    Encoding, GroupOptions, KafkaOptions, KafkaTls, Login, Mechanism, Packing,
};
pub use self::write::KafkaWriter;

/// How often is asked whether brokers are there.
const WATCH_PERIOD: Duration = Duration::from_secs(5);

/// A topic with spans.
#[derive(Debug)]
pub struct Kafka {
    options: KafkaOptions,
    client: Client,
    pool: CpuPool,
    metrics: KafkaMetrics,
    trouble: Trouble,
}

impl Kafka {
    /// Prepares calls to brokers, which may still be down.
    #[must_use]
    pub fn new(options: KafkaOptions, pool: CpuPool, metrics: KafkaMetrics) -> Self {
        Self {
            client: Client::new(options.clone()),
            trouble: Trouble::unknown(format!("Kafka at {}", options.brokers.join(", "))),
            options,
            pool,
            metrics,
        }
    }

    /// Looks at the brokers: whether one answers, lets the program in, and has the topic.
    pub async fn examine(&self) -> Vec<Finding> {
        let topic = &self.options.topic;
        match self.client.look().await {
            Ok(()) => {
                let seen =
                    format!("brokers answer, let the program in, and have the topic {topic}");
                vec![Finding::well("brokers", seen)]
            }
            Err(fault) => vec![Finding::wrong("brokers", fault.to_string(), "")],
        }
    }

    /// Asks from time to time whether brokers are there and have the topic, until the stop.
    pub async fn watch(&self, shutdown: Shutdown) {
        loop {
            let told = self.client.look().await;
            self.trouble.note(told.err().map(|fault| fault.to_string()));
            let pause = tokio::time::timeout(WATCH_PERIOD, shutdown.begun());
            if pause.await.is_ok() {
                return;
            }
        }
    }
}
