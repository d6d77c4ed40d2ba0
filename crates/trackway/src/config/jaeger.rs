//! The environment variables by which a Jaeger of version 1 is told what to do, as keys of this program.
//!
//! Promises: whoever has deployed a Jaeger with these needs no others; as variables they come after the file, and
//! before Trackway's own variables and flags. Those of a store mean something only where `SPAN_STORAGE_TYPE` names it,
//! and all others only where it says anything at all: other programs have such variables, too. Those that mean nothing
//! here are told.

use std::borrow::Cow;

use Reading::{
    AllTags, AsItIs, Bytes, Level, Lower, OffIfZero, Rotation, Switch, Tls, UnlessEmpty, UnlessZero,
};

/// What says where spans are kept.
const STORAGE: &str = "SPAN_STORAGE_TYPE";

/// A variable, the key that it sets, and how its value is read.
type Alias = (&'static str, &'static str, Reading);

/// How the value of a variable becomes that of a key.
#[derive(Debug, Clone, Copy)]
enum Reading {
    AsItIs,
    UnlessEmpty,
    Switch,
    Rotation,
    AllTags,
    Tls,
    /// In small letters.
    Lower,
    /// A number of bytes.
    Bytes,
    /// `0s` says that nothing was said.
    UnlessZero,
    /// `0s` says never.
    OffIfZero,
    /// How much is logged.
    Level,
}

/// What the variables of Kafka begin with where they are a collector's, and where an ingester's.
const KAFKA_PREFIXES: [&str; 2] = ["KAFKA_PRODUCER_", "KAFKA_CONSUMER_"];

/// The same of both, behind the prefix. How many replicas confirm is not asked: all in sync do.
const KAFKA: [Alias; 15] = [
    ("BROKERS", "brokers", AsItIs),
    ("TOPIC", "topic", UnlessEmpty),
    ("ENCODING", "encoding", UnlessEmpty),
    ("COMPRESSION", "compression", UnlessEmpty),
    ("MAX_MESSAGE_BYTES", "message_bytes_max", Bytes),
    ("GROUP_ID", "group", UnlessEmpty),
    ("AUTHENTICATION", "tls.enabled", Tls),
    ("PLAINTEXT_USERNAME", "username", UnlessEmpty),
    ("PLAINTEXT_PASSWORD", "password", UnlessEmpty),
    ("PLAINTEXT_MECHANISM", "mechanism", UnlessEmpty),
    ("TLS_ENABLED", "tls.enabled", Switch),
    ("TLS_CA", "tls.ca_file", UnlessEmpty),
    ("TLS_CERT", "tls.cert_file", UnlessEmpty),
    ("TLS_KEY", "tls.key_file", UnlessEmpty),
    ("TLS_SKIP_HOST_VERIFY", "tls.insecure_skip_verify", Switch),
];
/// What is no store's: keys from the top.
const OTHERS: [Alias; 6] = [
    ("LOG_LEVEL", "log.level", Level),
    ("QUERY_BASE_PATH", "ui.base_path", UnlessEmpty),
    ("QUERY_UI_CONFIG", "ui.config_file", UnlessEmpty),
    (
        "QUERY_MAX_CLOCK_SKEW_ADJUSTMENT",
        "query.clock_skew_max",
        UnlessEmpty,
    ),
    (
        "SAMPLING_STRATEGIES_FILE",
        "sampling.strategies_file",
        UnlessEmpty,
    ),
    (
        "SAMPLING_STRATEGIES_RELOAD_INTERVAL",
        "sampling.reload_interval",
        OffIfZero,
    ),
];
/// The header by which a Jaeger tells tenants apart unless it is told another.
const TENANT_HEADER: &str = "x-tenant";
/// What else is understood: by what is read here, and by flags.
const UNDERSTOOD: [&str; 10] = [
    STORAGE,
    "GRPC_STORAGE_SERVER",
    "GRPC_STORAGE_TLS_ENABLED",
    "MULTI_TENANCY_ENABLED",
    "MULTI_TENANCY_HEADER",
    "MULTI_TENANCY_TENANTS",
    "REPORTER_GRPC_HOST_PORT",
    // What these ask for is so anyway.
    "BADGER_EPHEMERAL",
    "COLLECTOR_OTLP_ENABLED",
    "ES_TLS_ENABLED",
];
/// What a Jaeger's variables begin with.
const PREFIXES: [&str; 14] = [
    "ADMIN_HTTP_",
    "AGENT_",
    "BADGER_",
    "CASSANDRA_",
    "COLLECTOR_",
    "ES_",
    "GRPC_STORAGE_",
    "INGESTER_",
    "KAFKA_CONSUMER_",
    "KAFKA_PRODUCER_",
    "MULTI_TENANCY_",
    "PROMETHEUS_",
    "QUERY_",
    "SAMPLING_",
];

/// What a Jaeger writes and reads unless it is told otherwise.
const KAFKA_ENCODING: &str = "jaeger_proto";

const ALIASES: [Alias; 20] = [
    ("ES_SERVER_URLS", "hosts", AsItIs),
    ("ES_USERNAME", "username", UnlessEmpty),
    ("ES_PASSWORD", "password", UnlessEmpty),
    ("ES_PASSWORD_FILE", "password_file", UnlessEmpty),
    ("ES_API_KEY_FILE", "api_key_file", UnlessEmpty),
    ("ES_TOKEN_FILE", "token_file", UnlessEmpty),
    ("ES_INDEX_PREFIX", "index_prefix", AsItIs),
    ("ES_INDEX_DATE_SEPARATOR", "date_separator", UnlessEmpty),
    ("ES_NUM_SHARDS", "shards", AsItIs),
    ("ES_NUM_REPLICAS", "replicas", AsItIs),
    ("ES_USE_ALIASES", "rotation", Rotation),
    ("ES_CREATE_INDEX_TEMPLATES", "create_templates", Switch),
    ("ES_TAGS_AS_FIELDS_INCLUDE", "tags_as_fields", AsItIs),
    ("ES_TAGS_AS_FIELDS_ALL", "tags_as_fields", AllTags),
    (
        "ES_TAGS_AS_FIELDS_DOT_REPLACEMENT",
        "dot_replacement",
        AsItIs,
    ),
    ("ES_TLS_CA", "tls.ca_file", UnlessEmpty),
    ("ES_TLS_CERT", "tls.cert_file", UnlessEmpty),
    ("ES_TLS_KEY", "tls.key_file", UnlessEmpty),
    ("ES_TLS_SERVER_NAME", "tls.server_name", UnlessEmpty),
    (
        "ES_TLS_SKIP_HOST_VERIFY",
        "tls.insecure_skip_verify",
        Switch,
    ),
];

const CASSANDRA: [Alias; 15] = [
    ("CASSANDRA_SERVERS", "servers", AsItIs),
    ("CASSANDRA_PORT", "port", UnlessEmpty),
    ("CASSANDRA_KEYSPACE", "keyspace", UnlessEmpty),
    (
        "CASSANDRA_ARCHIVE_KEYSPACE",
        "archive_keyspace",
        UnlessEmpty,
    ),
    ("CASSANDRA_LOCAL_DC", "local_datacenter", UnlessEmpty),
    ("CASSANDRA_CONSISTENCY", "consistency", Lower),
    ("CASSANDRA_TIMEOUT", "timeout", UnlessZero),
    ("CASSANDRA_USERNAME", "username", UnlessEmpty),
    ("CASSANDRA_PASSWORD", "password", UnlessEmpty),
    ("CASSANDRA_TLS_ENABLED", "tls.enabled", Switch),
    ("CASSANDRA_TLS_CA", "tls.ca_file", UnlessEmpty),
    ("CASSANDRA_TLS_CERT", "tls.cert_file", UnlessEmpty),
    ("CASSANDRA_TLS_KEY", "tls.key_file", UnlessEmpty),
    ("CASSANDRA_TLS_SERVER_NAME", "tls.server_name", UnlessEmpty),
    (
        "CASSANDRA_TLS_SKIP_HOST_VERIFY",
        "tls.insecure_skip_verify",
        Switch,
    ),
];
/// What the TLS of a remote store is made of.
const REMOTE_FILES: [Alias; 3] = [
    ("GRPC_STORAGE_TLS_CA", "tls.ca_file", UnlessEmpty),
    ("GRPC_STORAGE_TLS_CERT", "tls.cert_file", UnlessEmpty),
    ("GRPC_STORAGE_TLS_KEY", "tls.key_file", UnlessEmpty),
];
/// The keyspace of a Jaeger that is told none.
const CASSANDRA_KEYSPACE: &str = "jaeger_v1_test";

/// What a variable comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// The variable's name, a key, and a value.
    Key(String, String, String),
    /// A sentence.
    Mistake(String),
}

/// The keys that Jaeger's variables set.
pub(super) fn keys_of(variables: &[(String, String)]) -> Vec<Meant> {
    let value = |name: &str| {
        let found = variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim().to_owned())
    };
    let key = |name: &str, key: &str, value: &str| {
        Meant::Key(name.to_owned(), format!("backend.{key}"), value.to_owned())
    };
    let kind = |kind: &str| key(STORAGE, "kind", kind);
    let mut meant = match value(STORAGE).as_deref() {
        None | Some("") => return Vec::new(),
        Some("memory" | "badger") => vec![kind("embedded")],
        Some("kafka") => vec![
            kind("kafka"),
            key(STORAGE, "kafka.encoding", KAFKA_ENCODING),
        ],
        Some("grpc" | "grpc-plugin") => {
            let is_tls =
                value("GRPC_STORAGE_TLS_ENABLED").is_some_and(|text| switched(&text) == "on");
            let scheme = if is_tls { "https://" } else { "" };
            let server = value("GRPC_STORAGE_SERVER").map(|server| {
                let endpoint = format!("{scheme}{}", server.trim_start_matches("https://"));
                key("GRPC_STORAGE_SERVER", "remote.endpoint", &endpoint)
            });
            std::iter::once(kind("remote"))
                .chain(server)
                .chain(set_by(&REMOTE_FILES, "backend.remote.", &value))
                .collect()
        }
        Some("cassandra") => {
            let unless_told = key(STORAGE, "cassandra.keyspace", CASSANDRA_KEYSPACE);
            let first = [kind("cassandra"), unless_told];
            let set = set_by(&CASSANDRA, "backend.cassandra.", &value);
            first.into_iter().chain(set).collect()
        }
        Some("elasticsearch" | "opensearch") => {
            let set = set_by(&ALIASES, "backend.elasticsearch.", &value);
            std::iter::once(kind("elasticsearch")).chain(set).collect()
        }
        Some(other) => vec![Meant::Mistake(format!(
            "{STORAGE}: {other:?} is no store that Trackway has; it has memory and badger (both the embedded store), \
             grpc, elasticsearch, opensearch, cassandra and kafka"
        ))],
    };
    meant.extend(others(&value));
    for prefix in KAFKA_PREFIXES {
        let mut set = KAFKA.iter().filter_map(|(end, of_kafka, reading)| {
            let name = format!("{prefix}{end}");
            let given = value(&name)?;
            if *end == "AUTHENTICATION" && given == "kerberos" {
                let text =
                    format!("{name}: kerberos is not spoken; use plaintext, with SCRAM and TLS");
                return Some(Meant::Mistake(text));
            }
            let text = reading.read(&given)?;
            Some(key(&name, &format!("kafka.{of_kafka}"), &text))
        });
        if let Some(first) = set.next() {
            // Before the others, of which one may say it too.
            meant.push(key(STORAGE, "kafka.encoding", KAFKA_ENCODING));
            meant.push(first);
            meant.extend(set);
        }
    }
    meant
}

/// The keys of a section that variables set, each as the table says.
fn set_by(aliases: &[Alias], section: &str, value: &impl Fn(&str) -> Option<String>) -> Vec<Meant> {
    let set = aliases.iter().filter_map(|(name, of_section, reading)| {
        let given = value(name)?;
        let text = reading.read(&given)?.into_owned();
        Some(Meant::Key(
            (*name).to_owned(),
            format!("{section}{of_section}"),
            text,
        ))
    });
    set.collect()
}

/// What is no store's.
fn others(value: &impl Fn(&str) -> Option<String>) -> Vec<Meant> {
    let key = |name: &str, key: &str, text: &str| {
        Meant::Key(name.to_owned(), key.to_owned(), text.to_owned())
    };
    let mut meant = set_by(&OTHERS, "", value);
    let tells_tenants_apart =
        value("MULTI_TENANCY_ENABLED").is_some_and(|text| switched(&text) == "on");
    if tells_tenants_apart {
        let header = value("MULTI_TENANCY_HEADER").filter(|name| !name.is_empty());
        let header = header.as_deref().unwrap_or(TENANT_HEADER);
        meant.push(key(
            "MULTI_TENANCY_ENABLED",
            "access.tenants.header",
            header,
        ));
        if let Some(names) = value("MULTI_TENANCY_TENANTS") {
            meant.push(key("MULTI_TENANCY_TENANTS", "access.tenants.names", &names));
        }
    }
    meant
}

/// The names of those of a Jaeger's variables that are set and mean nothing here; none where there is no word for the
/// store, since they are another program's then.
pub(super) fn unheeded(variables: &[(String, String)]) -> Vec<String> {
    let has_storage = variables
        .iter()
        .any(|(name, text)| name == STORAGE && !text.is_empty());
    if !has_storage {
        return Vec::new();
    }
    let is_jaegers = |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let has = |table: &[Alias], name: &str| table.iter().any(|(known, _, _)| *known == name);
    let is_known = |name: &str| {
        let of_kafka = KAFKA_PREFIXES
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        UNDERSTOOD.contains(&name)
            || of_kafka.is_some_and(|end| has(&KAFKA, end))
            || has(&ALIASES, name)
            || has(&CASSANDRA, name)
            || has(&REMOTE_FILES, name)
            || has(&OTHERS, name)
    };
    let names = variables.iter().map(|(name, _)| name);
    let unheeded = names.filter(|name| is_jaegers(name) && !is_known(name));
    unheeded.cloned().collect()
}

impl Reading {
    /// The value of the key; nothing where the variable says what is so anyway.
    fn read(self, text: &str) -> Option<Cow<'_, str>> {
        let text = match self {
            Self::UnlessEmpty | Self::Lower | Self::UnlessZero | Self::Bytes if text.is_empty() => {
                return None;
            }
            Self::UnlessZero if text == "0s" || text == "0" => return None,
            Self::AsItIs | Self::UnlessEmpty | Self::UnlessZero => text,
            Self::OffIfZero if text.is_empty() => return None,
            Self::OffIfZero if text == "0s" || text == "0" => "off",
            Self::OffIfZero => text,
            // Go's logger has words for how it ends.
            Self::Level if matches!(text, "dpanic" | "panic" | "fatal") => "error",
            Self::Level if text.is_empty() => return None,
            Self::Level => text,
            Self::Lower => return Some(Cow::Owned(text.to_ascii_lowercase())),
            Self::Bytes => return Some(Cow::Owned(format!("{text}B"))),
            Self::Switch => switched(text),
            Self::Rotation if switched(text) == "on" => "rollover",
            Self::Rotation => "daily",
            Self::AllTags if switched(text) == "on" => "all",
            Self::AllTags => return None,
            Self::Tls if text == "tls" => "on",
            Self::Tls => return None,
        };
        Some(Cow::Borrowed(text))
    }
}

/// `true` or `false`, as Go reads them; what is neither is refused by the key.
fn switched(text: &str) -> &str {
    match text {
        "true" | "1" | "t" | "T" | "TRUE" | "True" => "on",
        "false" | "0" | "f" | "F" | "FALSE" | "False" => "off",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Settings, Sources, show};

    fn load(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let pairs = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sources = Sources {
            variables: pairs.collect(),
            ..Sources::default()
        };
        Settings::load(&sources).map_err(|error| error.to_string())
    }

    #[test]
    fn a_jaegers_variables_are_understood_and_shown_with_their_keys() {
        let settings = load(&[
            ("SPAN_STORAGE_TYPE", "elasticsearch"),
            ("ES_SERVER_URLS", "https://a:9200,https://b:9200"),
            ("ES_USERNAME", "elastic"),
            ("ES_PASSWORD", "sekrit"),
            ("ES_TLS_CA", "/ca.pem"),
            ("ES_TLS_SKIP_HOST_VERIFY", "true"),
            ("ES_USE_ALIASES", "true"),
            ("ES_INDEX_PREFIX", "shop"),
            ("ES_NUM_SHARDS", "3"),
            ("ES_TAGS_AS_FIELDS_ALL", "true"),
            ("TRACKWAY_BACKEND__ELASTICSEARCH__SHARDS", "2"),
        ]);
        let settings = settings.unwrap();
        let shown = show(&settings);
        for line in [
            "kind: elasticsearch # SPAN_STORAGE_TYPE",
            "username: elastic # ES_USERNAME",
            "index_prefix: shop # ES_INDEX_PREFIX",
            "rotation: rollover # ES_USE_ALIASES",
            "tags_as_fields: all # ES_TAGS_AS_FIELDS_ALL",
            "shards: 2 # TRACKWAY_BACKEND__ELASTICSEARCH__SHARDS",
        ] {
            let squeezed = shown
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            assert!(
                squeezed.into_iter().any(|shown| shown == line),
                "{line}: {shown}"
            );
        }
        assert!(!shown.contains("sekrit"), "{shown}");
    }

    #[test]
    fn a_jaegers_variables_of_cassandra_are_understood() {
        let settings = load(&[
            ("SPAN_STORAGE_TYPE", "cassandra"),
            ("CASSANDRA_SERVERS", "a,b"),
            ("CASSANDRA_PORT", "9142"),
            ("CASSANDRA_CONSISTENCY", "LOCAL_ONE"),
            ("CASSANDRA_TIMEOUT", "0s"),
            ("CASSANDRA_USERNAME", "u"),
            ("CASSANDRA_PASSWORD", "sekrit"),
            ("CASSANDRA_TLS_ENABLED", "true"),
        ]);
        let shown = show(&settings.unwrap());
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = shown.lines().map(squeezed).collect();
        for line in [
            "kind: cassandra # SPAN_STORAGE_TYPE",
            "servers: \"a, b\" # CASSANDRA_SERVERS",
            "port: 9142 # CASSANDRA_PORT",
            "keyspace: jaeger_v1_test # SPAN_STORAGE_TYPE",
            "consistency: local_one # CASSANDRA_CONSISTENCY",
            "enabled: on # CASSANDRA_TLS_ENABLED",
        ] {
            assert!(lines.iter().any(|shown| shown == line), "{line}: {shown}");
        }
        assert!(!shown.contains("sekrit"), "{shown}");
    }

    #[test]
    fn a_jaegers_variables_of_kafka_are_understood() {
        let settings = load(&[
            ("SPAN_STORAGE_TYPE", "kafka"),
            ("KAFKA_PRODUCER_BROKERS", "a:9092,b:9092"),
            ("KAFKA_PRODUCER_AUTHENTICATION", "plaintext"),
            ("KAFKA_PRODUCER_PLAINTEXT_USERNAME", "u"),
            ("KAFKA_PRODUCER_PLAINTEXT_PASSWORD", "sekrit"),
            ("KAFKA_PRODUCER_PLAINTEXT_MECHANISM", "SCRAM-SHA-512"),
            ("KAFKA_PRODUCER_TLS_ENABLED", "true"),
            ("KAFKA_PRODUCER_MAX_MESSAGE_BYTES", "1000000"),
        ]);
        let shown = show(&settings.unwrap());
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = shown.lines().map(squeezed).collect();
        for line in [
            "kind: kafka # SPAN_STORAGE_TYPE",
            "brokers: \"a:9092, b:9092\" # KAFKA_PRODUCER_BROKERS",
            "encoding: jaeger_proto # SPAN_STORAGE_TYPE",
            "mechanism: SCRAM-SHA-512 # KAFKA_PRODUCER_PLAINTEXT_MECHANISM",
            "enabled: on # KAFKA_PRODUCER_TLS_ENABLED",
            "message_bytes_max: 1MB # KAFKA_PRODUCER_MAX_MESSAGE_BYTES",
        ] {
            assert!(lines.iter().any(|shown| shown == line), "{line}: {shown}");
        }
        assert!(!shown.contains("sekrit"), "{shown}");
        let ingester = load(&[
            ("SPAN_STORAGE_TYPE", "elasticsearch"),
            ("KAFKA_CONSUMER_TOPIC", "spans"),
            ("KAFKA_CONSUMER_ENCODING", "json"),
            ("KAFKA_CONSUMER_AUTHENTICATION", "tls"),
        ]);
        let shown = show(&ingester.unwrap());
        for part in ["topic: spans ", "encoding: jaeger_json ", "enabled: on "] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let wrong = load(&[
            ("SPAN_STORAGE_TYPE", "kafka"),
            ("KAFKA_PRODUCER_AUTHENTICATION", "kerberos"),
        ]);
        assert!(wrong.unwrap_err().contains("kerberos"));
    }

    #[test]
    fn a_jaegers_variables_of_a_remote_store_are_understood() {
        let plain = load(&[
            ("SPAN_STORAGE_TYPE", "grpc"),
            ("GRPC_STORAGE_SERVER", "store:17271"),
        ]);
        assert!(show(&plain.unwrap()).contains("endpoint: \"store:17271\" "));
        let secure = load(&[
            ("SPAN_STORAGE_TYPE", "grpc"),
            ("GRPC_STORAGE_SERVER", "store:17271"),
            ("GRPC_STORAGE_TLS_ENABLED", "true"),
            ("GRPC_STORAGE_TLS_CA", "/ca.pem"),
        ]);
        let shown = show(&secure.unwrap());
        for part in ["https://store:17271", "ca_file: /ca.pem "] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn variables_of_no_store_are_understood_and_those_that_mean_nothing_are_told() {
        let settings = load(&[
            ("SPAN_STORAGE_TYPE", "memory"),
            ("LOG_LEVEL", "fatal"),
            ("QUERY_BASE_PATH", "/jaeger"),
            ("QUERY_MAX_CLOCK_SKEW_ADJUSTMENT", "5s"),
            ("SAMPLING_STRATEGIES_RELOAD_INTERVAL", "0s"),
            ("MULTI_TENANCY_ENABLED", "true"),
            ("MULTI_TENANCY_TENANTS", "a,b"),
            ("COLLECTOR_NUM_WORKERS", "50"),
            ("ES_BULK_SIZE", "1"),
            ("PATH", "/bin"),
        ]);
        let settings = settings.unwrap();
        let shown = show(&settings);
        for part in [
            "base_path: /jaeger ",
            "level: error ",
            "clock_skew_max: 5s ",
            "reload_interval: off ",
            "header: x-tenant ",
            "names: \"a, b\" ",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert_eq!(settings.unheeded, ["COLLECTOR_NUM_WORKERS", "ES_BULK_SIZE"]);
        let of_others = load(&[("ES_BULK_SIZE", "1"), ("LOG_LEVEL", "nonsense")]);
        assert_eq!(of_others.unwrap().unheeded, Vec::<String>::new());
    }

    #[test]
    fn without_the_word_for_the_store_others_variables_mean_nothing() {
        assert!(load(&[("ES_SERVER_URLS", "nonsense")]).is_ok());
        assert!(load(&[("SPAN_STORAGE_TYPE", "badger"), ("ES_PASSWORD", "x")]).is_ok());
        let wrong = load(&[("SPAN_STORAGE_TYPE", "oracle")]).unwrap_err();
        assert!(wrong.contains("oracle"), "{wrong}");
        let wrong = load(&[
            ("SPAN_STORAGE_TYPE", "elasticsearch"),
            ("ES_NUM_SHARDS", "x"),
        ]);
        assert!(wrong.unwrap_err().contains("ES_NUM_SHARDS"));
    }
}
