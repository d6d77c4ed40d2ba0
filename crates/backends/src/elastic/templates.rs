//! What a server is told when the program starts: how indices are laid out that are made later.
//!
//! Promises: the templates of spans and services are Jaeger's, member by member; it changes nothing who installs them.
//! Where spans say when they end, which is for who asks for it, there is one member more.
//!
//! Source: Jaeger's requests at its start, recorded in `tests/golden/elasticsearch` and `tests/golden/opensearch`.

use http::Method;
use serde_json::{Value, json};

use super::ElasticOptions;
use super::indices::{Indices, path_of};
use super::search::END;

/// Which requests a server understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Elasticsearch 7 and OpenSearch.
    Legacy,
    /// Elasticsearch from 8 on.
    Composable,
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Put {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

/// The requests that install all templates.
pub(super) fn install(dialect: Dialect, indices: &Indices, options: &ElasticOptions) -> Vec<Put> {
    let template = |kind: &str, mappings: Value| {
        let name = indices.template(kind);
        put(dialect, &name, &format!("{name}-*"), &mappings, options)
    };
    let aside = indices.set_aside();
    let sums = indices.sums_prefix();
    vec![
        template("span", span_mappings(options.layout.has_end)),
        template("service", service_mappings()),
        put(dialect, &aside, &aside, &aside_mappings(), options),
        put(
            dialect,
            sums.trim_end_matches('-'),
            &indices.all_sums(),
            &super::sums::mappings(),
            &of_sums(options),
        ),
    ]
}

/// Counts by minute are few and small.
fn of_sums(options: &ElasticOptions) -> ElasticOptions {
    ElasticOptions {
        shards: 1,
        ..options.clone()
    }
}

/// What makes an index of counts by minute as its template does.
pub(super) fn index_of_sums(options: &ElasticOptions) -> Value {
    json!({"mappings": super::sums::mappings(), "settings": settings(&of_sums(options))})
}

fn settings(options: &ElasticOptions) -> Value {
    json!({
        "index.number_of_shards": options.shards,
        "index.number_of_replicas": options.replicas,
        "index.mapping.nested_fields.limit": 50,
        "index.requests.cache.enable": true,
    })
}

/// The request that installs the template of what Jaeger's job writes.
pub(super) fn of_dependencies(
    dialect: Dialect,
    indices: &Indices,
    options: &ElasticOptions,
) -> Put {
    let name = indices.template("dependencies");
    put(dialect, &name, &format!("{name}-*"), &json!({}), options)
}

fn put(
    dialect: Dialect,
    name: &str,
    pattern: &str,
    mappings: &Value,
    options: &ElasticOptions,
) -> Put {
    let settings = settings(options);
    let (path, body) = match dialect {
        Dialect::Composable => {
            let template = json!({"mappings": mappings, "settings": settings});
            let body = json!({"index_patterns": pattern, "priority": 0, "template": template});
            ("_index_template", body)
        }
        Dialect::Legacy => {
            let pattern = format!("*{pattern}");
            let body =
                json!({"index_patterns": pattern, "mappings": mappings, "settings": settings});
            ("_template", body)
        }
    };
    Put {
        method: Method::PUT,
        path: format!("/{path}{}", path_of(name, "")),
        body,
    }
}

fn keyword() -> Value {
    json!({"type": "keyword", "ignore_above": 256})
}

/// Tags in a list.
fn tags() -> Value {
    json!({
        "type": "nested",
        "dynamic": false,
        "properties": {"key": keyword(), "value": keyword(), "type": keyword()},
    })
}

/// Members of an object that are keywords, whatever they are called.
fn members(name: &str, path: &str) -> Value {
    let mut named = serde_json::Map::new();
    named.insert(
        name.to_owned(),
        json!({"mapping": keyword(), "path_match": path}),
    );
    Value::Object(named)
}

fn span_mappings(has_end: bool) -> Value {
    let object = || json!({"type": "object"});
    let mut mappings = json!({
        "dynamic_templates": [
            members("span_tags_map", "tag.*"),
            members("process_tags_map", "process.tag.*"),
            members("scope_tags_map", "scopeTag.*"),
        ],
        "properties": {
            "traceID": keyword(),
            "parentSpanID": keyword(),
            "spanID": keyword(),
            "operationName": keyword(),
            "startTime": {"type": "long"},
            "startTimeMillis": {"type": "date", "format": "epoch_millis"},
            "duration": {"type": "long"},
            "flags": {"type": "integer"},
            "logs": {
                "type": "nested",
                "dynamic": false,
                "properties": {"timestamp": {"type": "long"}, "fields": tags()},
            },
            "process": {
                "properties": {"serviceName": keyword(), "tag": object(), "tags": tags()},
            },
            "references": {
                "type": "nested",
                "dynamic": false,
                "properties": {
                    "refType": keyword(),
                    "traceID": keyword(),
                    "spanID": keyword(),
                    "traceState": keyword(),
                    "flags": {"type": "integer"},
                    "tags": tags(),
                },
            },
            "tag": object(),
            "tags": tags(),
            "scopeTag": object(),
            "scopeTags": tags(),
        },
    });
    let properties = mappings
        .get_mut("properties")
        .and_then(Value::as_object_mut);
    if let Some(properties) = properties.filter(|_| has_end) {
        properties.insert(END.to_owned(), json!({"type": "long"}));
    }
    mappings
}

fn service_mappings() -> Value {
    json!({
        "dynamic_templates": [
            members("span_tags_map", "tag.*"),
            members("process_tags_map", "process.tag.*"),
        ],
        "properties": {
            "serviceName": keyword(),
            "operationName": keyword(),
        },
    })
}

/// What is set aside is kept as a text that nothing of is indexed: the server did not take it otherwise.
fn aside_mappings() -> Value {
    json!({
        "dynamic": false,
        "properties": {
            "index": keyword(),
            "kind": keyword(),
            "reason": {"type": "text"},
            "document": {"type": "keyword", "index": false, "doc_values": false},
        },
    })
}

#[cfg(test)]
mod tests {
    use model::TenantId;

    use super::*;

    fn of(prefix: &str) -> Indices {
        Indices::new(prefix, &TenantId::default())
    }

    /// What Jaeger asked, of the path's name.
    fn recorded(text: &str, path: &str) -> Value {
        let recorded: Value = serde_json::from_str(text).unwrap();
        let requests = recorded["requests"].as_array().unwrap();
        let request = requests.iter().find(|request| request["path"] == path);
        request.expect(path)["body"].clone()
    }

    #[test]
    fn templates_are_what_jaeger_installs() {
        let options = ElasticOptions {
            shards: 1,
            replicas: 0,
            ..ElasticOptions::default()
        };
        let elasticsearch =
            include_str!("../../../../tests/golden/elasticsearch/default-start-up-requests.json");
        let opensearch =
            include_str!("../../../../tests/golden/opensearch/default-start-up-requests.json");
        for (dialect, text) in [
            (Dialect::Composable, elasticsearch),
            (Dialect::Legacy, opensearch),
        ] {
            let puts = install(dialect, &of(""), &options);
            let spans = &puts[0];
            assert_eq!(spans.body, recorded(text, &spans.path));
            let services = &puts[1];
            assert_eq!(services.body, recorded(text, &services.path));
        }
    }

    #[test]
    fn a_prefix_stands_before_names_and_patterns() {
        let options = ElasticOptions::default();
        let puts = install(Dialect::Legacy, &of("shop"), &options);
        assert_eq!(puts[0].path, "/_template/shop-jaeger-span");
        assert_eq!(puts[0].body["index_patterns"], "*shop-jaeger-span-*");
    }
}
