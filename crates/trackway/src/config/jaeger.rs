//! The environment variables by which a Jaeger of version 1 is told where spans are kept, as keys of this program.
//!
//! Promises: whoever has deployed a Jaeger with these needs no others; Trackway's own variables, files and flags come
//! after them. Those of Elasticsearch mean something only where `SPAN_STORAGE_TYPE` says Elasticsearch: other programs
//! have such variables too.

use Reading::{AllTags, AsItIs, Rotation, Switch, UnlessEmpty};

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
}

const ALIASES: [Alias; 19] = [
    ("ES_SERVER_URLS", "hosts", AsItIs),
    ("ES_USERNAME", "username", UnlessEmpty),
    ("ES_PASSWORD", "password", UnlessEmpty),
    ("ES_PASSWORD_FILE", "password_file", UnlessEmpty),
    ("ES_API_KEY_FILE", "api_key_file", UnlessEmpty),
    ("ES_TOKEN_FILE", "token_file", UnlessEmpty),
    ("ES_INDEX_PREFIX", "index_prefix", AsItIs),
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

/// What a variable comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// The variable's name, a key, and a value.
    Key(&'static str, String, String),
    /// A sentence.
    Mistake(String),
}

/// The keys that Jaeger's variables set.
pub(super) fn keys_of(variables: &[(String, String)]) -> Vec<Meant> {
    let value = |name: &str| {
        let found = variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim().to_owned())
    };
    let kind = |kind: &str| Meant::Key(STORAGE, "backend.kind".to_owned(), kind.to_owned());
    match value(STORAGE).as_deref() {
        None | Some("") => Vec::new(),
        Some("memory" | "badger") => vec![kind("embedded")],
        Some("grpc" | "grpc-plugin") => {
            let server = value("GRPC_STORAGE_SERVER").map(|server| {
                Meant::Key(
                    "GRPC_STORAGE_SERVER",
                    "backend.remote.endpoint".to_owned(),
                    server,
                )
            });
            [Some(kind("remote")), server]
                .into_iter()
                .flatten()
                .collect()
        }
        Some("elasticsearch" | "opensearch") => {
            let set = ALIASES.iter().filter_map(|(name, key, reading)| {
                let text = reading.read(&value(name)?)?;
                Some(Meant::Key(
                    name,
                    format!("backend.elasticsearch.{key}"),
                    text,
                ))
            });
            std::iter::once(kind("elasticsearch")).chain(set).collect()
        }
        Some(other) => vec![Meant::Mistake(format!(
            "{STORAGE}: {other:?} is no store that Trackway has; it has memory and badger (both the embedded store), \
             grpc, elasticsearch and opensearch"
        ))],
    }
}

impl Reading {
    /// The value of the key; nothing where the variable says what is so anyway.
    fn read(self, text: &str) -> Option<String> {
        let text = match self {
            Self::UnlessEmpty if text.is_empty() => return None,
            Self::AsItIs | Self::UnlessEmpty => text,
            Self::Switch => switched(text),
            Self::Rotation if switched(text) == "on" => "rollover",
            Self::Rotation => "daily",
            Self::AllTags if switched(text) == "on" => "all",
            Self::AllTags => return None,
        };
        Some(text.to_owned())
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
    fn without_the_word_for_the_store_others_variables_mean_nothing() {
        assert!(load(&[("ES_SERVER_URLS", "nonsense")]).is_ok());
        assert!(load(&[("SPAN_STORAGE_TYPE", "badger"), ("ES_PASSWORD", "x")]).is_ok());
        let wrong = load(&[("SPAN_STORAGE_TYPE", "cassandra")]).unwrap_err();
        assert!(wrong.contains("cassandra"), "{wrong}");
        let wrong = load(&[
            ("SPAN_STORAGE_TYPE", "elasticsearch"),
            ("ES_NUM_SHARDS", "x"),
        ]);
        assert!(wrong.unwrap_err().contains("ES_NUM_SHARDS"));
    }
}
