//! Kafka on either side: the exporter `kafka` of a collector and the receiver `kafka` of an ingester, as keys of
//! `backend.kafka`.
//!
//! Promises: the topic, the group, where it begins and how messages are packed are written out, since the Collector's
//! own defaults are others than Trackway's.

use super::report::Place;
use super::storage::{login, tls_without_name};
use super::table::How::{Below, Elsewhere, Key, Lost, LostUnless, Note, Quiet, With};
use super::table::{Importer, Meaning, Row, join, unless_empty, unless_zero};
use super::tree::{Item, Node};

const SECTION: &str = "backend.kafka";

const NO_OTHERS: &str = "only spans are carried";
const KERBEROS: &str =
    "Kerberos, OAuth and the SASL of AWS are not spoken: use SCRAM over TLS, or mTLS";

const TLS: &[Row] = tls_without_name![(
    "server_name_override",
    "",
    Lost("a broker's certificate must have the name that it is reached by")
),];

/// What both sides have.
macro_rules! with_common {
    ($($row:expr),+ $(,)?) => { &[
        ("brokers", "localhost:9092", Key("brokers")),
        ("topic", "", Elsewhere),
        ("encoding", "", Elsewhere),
        ("traces.topic", "", Elsewhere),
        ("traces.topics", "", Elsewhere),
        ("traces.exclude_topics", "", Lost("one topic is read")),
        ("traces.topic_from_metadata_key", "", Lost("there is one topic: backend.kafka.topic")),
        ("traces.encoding", "", Elsewhere),
        ("metrics", "", Note(NO_OTHERS)),
        ("logs", "", Note(NO_OTHERS)),
        ("profiles", "", Note(NO_OTHERS)),
        ("protocol_version", "", Quiet),
        ("client_id", "", Quiet),
        ("rack_id", "", Quiet),
        ("resolve_canonical_bootstrap_servers_only", "", Quiet),
        ("conn_idle_timeout", "", Quiet),
        ("use_leader_epoch", "", Quiet),
        ("metadata", "", Quiet),
        ("auth.plain_text", "", Elsewhere),
        ("auth.sasl", "", Elsewhere),
        ("auth.tls", "", Below(TLS, "tls")),
        ("auth.kerberos", "", Lost(KERBEROS)),
        ("tls", "", Below(TLS, "tls")),
        $($row),+
    ] };
}

const EXPORTER: &[Row] = with_common![
    (
        "producer.max_message_bytes",
        "",
        With("message_bytes_max", bytes)
    ),
    (
        "producer.required_acks",
        "",
        Note("a message counts when all replicas in sync have confirmed it")
    ),
    (
        "producer.compression",
        "none",
        With("compression", unless_empty)
    ),
    ("producer.compression_params", "", Quiet),
    ("producer.flush_max_messages", "", Quiet),
    ("producer.allow_auto_topic_creation", "", Quiet),
    ("producer.linger", "", Quiet),
    (
        "partition_traces_by_id",
        "",
        Note("a message is keyed by its trace's id, always")
    ),
    (
        "include_metadata_keys",
        "",
        Lost("headers of requests are not passed on, but the tenant's")
    ),
    (
        "topic_from_attribute",
        "",
        Lost("there is one topic: backend.kafka.topic")
    ),
    ("timeout", "", With("timeout", unless_zero)),
    (
        "sending_queue",
        "",
        Note("a request is answered when Kafka has confirmed it, and nothing waits in memory")
    ),
    ("retry_on_failure", "", Quiet),
];

const RECEIVER: &[Row] = with_common![
    ("group_id", "otel-collector", With("group", unless_empty)),
    (
        "group_instance_id",
        "",
        Lost("members of the group have no names of their own")
    ),
    ("group_rebalance_strategy", "", Quiet),
    ("initial_offset", "latest", With("start", start)),
    ("session_timeout", "", With("session_timeout", unless_zero)),
    ("heartbeat_interval", "", Quiet),
    ("rebalance_timeout", "", Quiet),
    ("min_fetch_size", "", Quiet),
    ("default_fetch_size", "", Quiet),
    ("max_fetch_size", "", Quiet),
    ("max_fetch_wait", "", Quiet),
    ("max_partition_fetch_size", "", Quiet),
    (
        "autocommit",
        "",
        Note("an offset is committed when the store has confirmed every span before it")
    ),
    (
        "message_marking",
        "",
        Note("an offset is committed when the store has confirmed every span before it")
    ),
    (
        "header_extraction.extract_headers",
        "",
        LostUnless("false", "headers of messages are no attributes")
    ),
    ("header_extraction.headers", "", Quiet),
    ("error_backoff", "", Quiet),
    ("telemetry", "", Quiet),
];

/// The exporter of a collector.
pub(super) fn exporter(importer: &mut Importer, path: &str, item: &Item) {
    importer.walk(EXPORTER, SECTION, path, item);
    shared(importer, path, item);
}

/// The receiver of an ingester.
pub(super) fn receiver(importer: &mut Importer, path: &str, item: &Item) {
    importer.walk(RECEIVER, SECTION, path, item);
    shared(importer, path, item);
}

fn shared(importer: &mut Importer, path: &str, item: &Item) {
    let found = |names: &[&'static str]| {
        let mut names = names.iter().copied();
        names.find(|name| !item.at(name).items().is_empty())
    };
    let place_of = |name: &str| Place::of(&join(path, name), item.at(name));
    match found(&["traces.topics", "traces.topic", "topic"]) {
        None => importer.set(
            "backend.kafka.topic",
            "otlp_spans",
            &Place::missing(&join(path, "traces.topic")),
        ),
        Some(name) => {
            let topics = item.at(name).items();
            if topics.len() > 1 {
                importer.lost(
                    &place_of(name),
                    "one topic is read, the first: run an ingester for each of the others",
                );
            }
            if let Some(text) = topics
                .first()
                .and_then(|topic| importer.text(&join(path, name), topic))
            {
                importer.set("backend.kafka.topic", text, &place_of(name));
            }
        }
    }
    if let Some(name) = found(&["traces.encoding", "encoding"])
        && let Some(text) = importer.text(&join(path, name), item.at(name))
    {
        importer.set("backend.kafka.encoding", text, &place_of(name));
    }
    for name in ["tls", "auth.tls"] {
        let tls = item.at(name);
        if matches!(tls.node, Node::Section(_)) && !tls.is_true("insecure") {
            importer.set("backend.kafka.tls.enabled", "on", &place_of(name));
        }
    }
    sasl(importer, path, item);
}

fn sasl(importer: &mut Importer, path: &str, item: &Item) {
    for name in ["auth.plain_text", "auth.sasl"] {
        let Some(auth) = item.get(name) else {
            continue;
        };
        let path = join(path, name);
        login(
            importer,
            SECTION,
            &path,
            (auth.at("username"), auth.at("password")),
        );
        for (name, below) in auth.fields() {
            let full = join(&path, name);
            let place = Place::of(&full, below);
            match name.as_str() {
                "username" | "password" | "version" => {}
                "mechanism" => {
                    let Some(text) = importer.text(&full, below) else {
                        continue;
                    };
                    match text.as_str() {
                        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => {
                            importer.set("backend.kafka.mechanism", text, &place);
                        }
                        _ => importer.lost(&place, KERBEROS),
                    }
                }
                "aws_msk" => importer.lost(&place, KERBEROS),
                _ => importer.unknown(
                    &full,
                    name,
                    below,
                    ["username", "password", "mechanism", "version"],
                ),
            }
        }
    }
}

/// A number of bytes.
fn bytes(text: &str) -> Meaning {
    match text {
        "" | "0" => Meaning::Unsaid,
        count => Meaning::Is(format!("{count}B")),
    }
}

fn start(text: &str) -> Meaning {
    match text {
        "" => Meaning::Unsaid,
        "latest" => Meaning::is("newest"),
        "earliest" => Meaning::is("oldest"),
        _ => Meaning::Wrong("latest or earliest is wanted"),
    }
}
