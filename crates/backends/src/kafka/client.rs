//! Kafka's protocol: the one place that knows the library which speaks it.
//!
//! Promises
//! - A message counts as sent when all replicas in sync have confirmed it, and never before.
//! - Brokers may be away at the start and later: each call connects when it has to, and takes at most
//!   [`KafkaOptions::timeout`] for it. A connection that was refused is made anew, with what the files then say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use krafka::admin::DescribeClusterOptions;
use krafka::auth::{AuthConfig, TlsConfig};
use krafka::consumer::{AutoOffsetReset, Consumer, OffsetAndMetadata, TopicPartition};
use krafka::error::ErrorCode;
use krafka::producer::Producer;
use krafka::{CloseOptions, Compression, Kafka, KrafkaError, Record};
use plumbing::{RELOAD_INTERVAL, planted};
use tokio::sync::Mutex;

use super::options::{KafkaOptions, KafkaTls, Login, Mechanism, Packing};

/// A batch for one partition is about so long before it is packed.
const BATCH_BYTES: usize = 512 << 10;
/// The most messages that are held and handed out at once.
const POLL_MESSAGES_MAX: i32 = 5_000;
/// The most bytes of one answer to a reader, packed: senders may make them a thousand times as many.
const FETCH_BYTES_MAX: i32 = 1 << 20;
/// The most bytes of one partition in it.
const PARTITION_BYTES_MAX: i32 = 512 << 10;
/// How long a client that is given up may still take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Asked for instead of a time: where a partition ends.
const LATEST: i64 = -1;

/// What the library says when something failed.
pub(super) type KafkaError = KrafkaError;

/// A message to be sent.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) key: Option<Bytes>,
    pub(super) value: Bytes,
    pub(super) headers: Vec<(String, Bytes)>,
}

/// A message that was read.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) message: Message,
}

/// Why a call failed, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Nobody answers, or does not let the program in, or not to this topic.
    #[error("{0}")]
    Unavailable(String),
    /// A message is longer than the topic takes.
    #[error("{0}")]
    TooLong(String),
}

/// Connected, with all that sends.
#[derive(Clone)]
struct Open {
    kafka: Kafka,
    producer: Arc<Producer>,
}

/// What is connected when it has to be.
pub(super) struct Client {
    options: KafkaOptions,
    open: Mutex<Option<Open>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("brokers", &self.options.brokers)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(options: KafkaOptions) -> Self {
        Self {
            options,
            open: Mutex::default(),
        }
    }

    /// Sends messages; those that one is refused for are sent none the less.
    pub(super) async fn send(&self, topic: &str, messages: Vec<Message>) -> Result<(), Fault> {
        let open = self.opened().await?;
        let mut handles = Vec::with_capacity(messages.len());
        let queueing = async {
            let mut too_long = None;
            for message in messages {
                match open.producer.enqueue(record(topic, message)).await {
                    Ok(handle) => handles.push(handle),
                    Err(error) if is_too_long(&error) => too_long = Some(error),
                    Err(error) => return Some(error),
                }
            }
            too_long
        };
        let queued = tokio::time::timeout(self.options.timeout, queueing).await;
        let mut failed =
            queued.unwrap_or_else(|_elapsed| Some(KrafkaError::timeout("queueing messages")));
        if planted("kafka-acknowledged-before-the-answer") {
            return Ok(());
        }
        for handle in handles {
            if let Err(error) = handle.await {
                failed.get_or_insert(error);
            }
        }
        match failed {
            Some(error) if !planted("kafka-send-errors-ignored") => {
                self.given_up(&open, &error).await;
                Err(self.fault(topic, &error))
            }
            _ => Ok(()),
        }
    }

    /// Asks whether brokers are there and have the topic.
    pub(super) async fn look(&self) -> Result<(), Fault> {
        let open = self.opened().await?;
        let topic = &self.options.topic;
        let asking = async {
            let admin = open.kafka.admin();
            let options = DescribeClusterOptions::default().timeout(self.options.timeout);
            admin.describe_cluster(options).await?;
            open.producer.partitions_for(topic).await
        };
        let asked = match tokio::time::timeout(self.options.timeout, asking).await {
            Ok(asked) => asked.map(drop),
            Err(_elapsed) => Err(KrafkaError::timeout("asking for the topic")),
        };
        if let Err(error) = &asked {
            self.given_up(&open, error).await;
        }
        asked.map_err(|error| self.fault(topic, &error))
    }

    /// Becomes a member of the group that reads the topic.
    pub(super) async fn reader(&self) -> Result<Reader, Fault> {
        let open = self.opened().await?;
        let (topic, group) = (&self.options.topic, &self.options.group);
        let reset = match group.from_oldest {
            true => AutoOffsetReset::Earliest,
            false => AutoOffsetReset::Latest,
        };
        let joining = async {
            let consumer = open.kafka.consumer(group.id.clone());
            let consumer = consumer
                .enable_auto_commit(false)
                .auto_offset_reset(reset)
                .session_timeout(group.session_timeout)
                .heartbeat_interval(group.session_timeout / 3)
                .max_poll_records(POLL_MESSAGES_MAX)
                .max_buffered_records(POLL_MESSAGES_MAX)
                .fetch_max_bytes(FETCH_BYTES_MAX)
                .max_partition_fetch_bytes(PARTITION_BYTES_MAX)
                .metrics_push(false)
                .build()
                .await?;
            consumer.subscribe([topic]).await?;
            Ok(consumer)
        };
        match joining.await {
            Ok(consumer) => Ok(Reader {
                consumer,
                topic: topic.clone(),
            }),
            Err(error) => {
                self.given_up(&open, &error).await;
                Err(self.fault(topic, &error))
            }
        }
    }

    /// What a reader's error comes to; the reader must not be used again.
    pub(super) async fn lost(&self, reader: Reader, error: &KrafkaError) -> Fault {
        reader.close().await;
        if let Some(open) = self.open.lock().await.clone() {
            self.given_up(&open, error).await;
        }
        self.fault(&reader.topic, error)
    }

    async fn opened(&self) -> Result<Open, Fault> {
        let opening = async {
            let mut open = self.open.lock().await;
            if let Some(open) = &*open {
                return Ok(open.clone());
            }
            let opened = self.connect().await?;
            *open = Some(opened.clone());
            Ok(opened)
        };
        let opened = tokio::time::timeout(self.options.timeout, opening).await;
        opened.unwrap_or_else(|_elapsed| {
            let timeout = self.options.timeout.as_secs_f64();
            Err(Fault::Unavailable(format!(
                "no broker answers within {timeout} s"
            )))
        })
    }

    async fn connect(&self) -> Result<Open, Fault> {
        let options = &self.options;
        let security = security(options).await.map_err(Fault::Unavailable)?;
        let connecting = async {
            let kafka = Kafka::builder(options.brokers.join(","))
                .client_id("trackway")
                .security(security)
                .connect_timeout(options.timeout / 2)
                .request_timeout(options.timeout / 2)
                .allow_auto_create_topics(true)
                .tls_reload_interval(options.tls.as_ref().map(|_| RELOAD_INTERVAL))
                .connect()
                .await?;
            let producer = kafka
                .producer()
                .batch_size(BATCH_BYTES)
                .compression(compression(options.packing))
                .delivery_timeout(options.timeout)
                .max_block(options.timeout)
                .metrics_push(false)
                .build()
                .await?;
            Ok(Open {
                kafka,
                producer: Arc::new(producer),
            })
        };
        connecting
            .await
            .map_err(|error| self.fault(&options.topic, &error))
    }

    /// Has the next call connect anew, if an error says that nothing else helps.
    async fn given_up(&self, open: &Open, error: &KrafkaError) {
        if !error.is_fatal() {
            return;
        }
        let mut current = self.open.lock().await;
        let is_current = |current: &Open| Arc::ptr_eq(&current.producer, &open.producer);
        if current.as_ref().is_some_and(is_current) {
            *current = None;
            drop(current);
            let closing = CloseOptions::new().timeout(CLOSE_TIMEOUT);
            // It is given up because it fails.
            let _failed = open.producer.close_with(closing).await;
        }
    }

    fn fault(&self, topic: &str, error: &KrafkaError) -> Fault {
        match error {
            KrafkaError::UnknownTopic { .. } => Fault::Unavailable(format!(
                "there is no topic {topic}, and the brokers make none by themselves: create it"
            )),
            KrafkaError::Auth { message, .. } => Fault::Unavailable(format!(
                "{message}; look at backend.kafka.username, password_file and tls"
            )),
            error if is_too_long(error) => Fault::TooLong(format!(
                "a span is longer than topic {topic} takes; raise its max.message.bytes"
            )),
            KrafkaError::Timeout { .. } | KrafkaError::DeliveryTimeout { .. } => {
                let timeout = self.options.timeout.as_secs_f64();
                Fault::Unavailable(format!("no answer within {timeout} s ({error})"))
            }
            other => Fault::Unavailable(other.to_string()),
        }
    }
}

/// Whether one message is longer than the topic takes, or than there is memory for here.
fn is_too_long(error: &KrafkaError) -> bool {
    let code = match error {
        KrafkaError::Broker { code, .. } => code,
        other => return matches!(other, KrafkaError::Config { .. }),
    };
    matches!(
        code,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge
    )
}

/// A member of a group.
pub(super) struct Reader {
    consumer: Consumer,
    topic: String,
}

impl Reader {
    /// Waits for messages, for a while.
    pub(super) async fn poll(&self, wait: Duration) -> Result<Vec<Incoming>, KrafkaError> {
        let records = self.consumer.poll(wait).await?;
        let incoming = records.into_iter().map(|record| Incoming {
            partition: record.partition,
            offset: record.offset,
            message: Message {
                key: record.key,
                value: record.value.unwrap_or_default(),
                headers: record
                    .headers
                    .into_iter()
                    .map(|(name, value)| (name, value.unwrap_or_default()))
                    .collect(),
            },
        });
        Ok(incoming.collect())
    }

    /// Says of partitions where reading is to go on.
    pub(super) async fn commit(&self, next: &BTreeMap<i32, i64>) -> Result<(), KrafkaError> {
        let next = next.iter().map(|(partition, offset)| {
            let partition = TopicPartition::new(self.topic.clone(), *partition);
            (partition, OffsetAndMetadata::new(*offset))
        });
        let next: Vec<_> = next.collect();
        self.consumer.commit_offsets(next).await
    }

    /// Of each partition that this member reads, where it ends now and where reading goes on.
    pub(super) async fn ends(&self) -> Result<Vec<(i32, i64, i64)>, KrafkaError> {
        let assigned = self.consumer.assignment().await;
        let assigned = assigned.get(&self.topic).cloned().unwrap_or_default();
        let asked = assigned.iter().map(|partition| (&*self.topic, *partition));
        let asked: Vec<_> = asked.collect();
        let mut found = Vec::new();
        for ((_, partition), end) in self.consumer.offsets_for_times(&asked, LATEST).await {
            let end = end?;
            if let Some(position) = self.consumer.position(&self.topic, partition).await {
                found.push((partition, end, position));
            }
        }
        Ok(found)
    }

    /// Leaves the group.
    pub(super) async fn close(&self) {
        let closing = self
            .consumer
            .close_with(CloseOptions::new().timeout(CLOSE_TIMEOUT));
        if let Err(error) = closing.await {
            tracing::debug!(%error, "the group was left without a word");
        }
    }
}

fn record(topic: &str, message: Message) -> Record {
    let mut record = Record::new(topic, message.value);
    if let Some(key) = message.key {
        record = record.key(key);
    }
    for (name, value) in message.headers {
        record = record.header(name, value);
    }
    record
}

fn compression(packing: Packing) -> Compression {
    match packing {
        Packing::None => Compression::None,
        Packing::Gzip => Compression::Gzip,
        Packing::Snappy => Compression::Snappy,
        Packing::Lz4 => Compression::Lz4,
        Packing::Zstd => Compression::Zstd,
    }
}

/// Who the program is and how that is hidden from others; the error is a sentence.
async fn security(options: &KafkaOptions) -> Result<AuthConfig, String> {
    let login = match &options.login {
        Some(Login {
            mechanism,
            user,
            password,
        }) => {
            let password = password.read().await;
            let password = password.map_err(|why| format!("backend.kafka.password_file: {why}"))?;
            Some(match mechanism {
                Mechanism::Plain => AuthConfig::sasl_plain(user, password),
                Mechanism::ScramSha256 => AuthConfig::sasl_scram_sha256(user, password),
                Mechanism::ScramSha512 => AuthConfig::sasl_scram_sha512(user, password),
            })
        }
        None => None,
    };
    Ok(match (login, options.tls.as_ref().map(tls)) {
        (None, None) => AuthConfig::plaintext(),
        (None, Some(tls)) => AuthConfig::ssl(tls),
        (Some(login), None) => login,
        (Some(login), Some(tls)) => login.with_tls(tls),
    })
}

fn tls(files: &KafkaTls) -> TlsConfig {
    let mut tls = match files.insecure_skip_verify {
        true => TlsConfig::insecure(),
        false => TlsConfig::new(),
    };
    tls = match &files.ca_file {
        Some(path) => tls.with_ca_cert(path.display().to_string()),
        None => tls.with_native_roots(),
    };
    if let Some((certificate, key)) = &files.identity {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        tls = tls.with_client_cert(certificate, key);
    }
    tls
}
