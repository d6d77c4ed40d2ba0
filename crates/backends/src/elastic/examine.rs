//! A look at Elasticsearch or OpenSearch: who answers, whether it lets the program in, how it is, what it has of the
//! program's templates and indices, how its clock and its disks are.
//!
//! Promises: nothing is changed there; what a user may not see is said to be unknown.

use std::collections::BTreeMap;

use http::Method;
use model::TenantId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Body, Fault};
use super::indices::{Indices, Rotation, path_of};
use super::templates::{self, Dialect};
use super::{Elastic, Told};
use crate::examine::Finding;

/// Clocks that differ by less are taken to be one.
const SKEW_MILLIS_MAX: u64 = 5_000;
/// Elasticsearch puts no new shards on a disk that is fuller, and blocks writes at 95 %.
const DISK_USED_PERCENT_MAX: u64 = 85;
const DISK_USED_PERCENT_END: u64 = 95;
/// So many names stand in one finding.
const NAMED_MAX: usize = 5;

const SERVER: &str = "server";
const RIGHTS: &str = "rights";
const TEMPLATES: &str = "index templates";
const INDICES: &str = "indices";
const CLOCK: &str = "clock";

#[derive(Deserialize)]
struct ClusterHealth {
    status: String,
    #[serde(default)]
    unassigned_shards: u64,
}

#[derive(Deserialize)]
struct Nodes {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    name: String,
    timestamp: u64,
    #[serde(default)]
    fs: FileSystems,
}

#[derive(Default, Deserialize)]
struct FileSystems {
    #[serde(default)]
    total: Disk,
}

#[derive(Default, Deserialize)]
struct Disk {
    #[serde(default)]
    total_in_bytes: u64,
    #[serde(default)]
    available_in_bytes: u64,
}

impl Disk {
    fn used_percent(&self) -> Option<u64> {
        let used = self.total_in_bytes.saturating_sub(self.available_in_bytes);
        (used.saturating_mul(100)).checked_div(self.total_in_bytes)
    }
}

impl Elastic {
    /// Looks at the server; `now_millis` is the program's clock. The first finding is whether it answers; where it does
    /// not, there is no other.
    pub async fn examine(&self, now_millis: u64) -> Vec<Finding> {
        let told: Told = match self.client.ask_json(&Method::GET, "/", Body::None).await {
            Ok(told) => told,
            Err(fault) => return vec![unanswered(&fault)],
        };
        let version = &told.version;
        let name = match version.distribution.as_str() {
            "" => "Elasticsearch",
            other => other,
        };
        let dialect = match version.dialect() {
            Ok(dialect) => dialect,
            Err(fault) => {
                let fix = "use Elasticsearch 7, 8 or 9, or OpenSearch";
                return vec![Finding::wrong(SERVER, fault.reason(), fix)];
            }
        };
        let mut found = vec![Finding::well(
            SERVER,
            format!("{name} {} answers and lets the program in", version.number),
        )];
        let indices = self.indices(&TenantId::default());
        found.push(self.cluster().await);
        found.extend(self.nodes(now_millis).await);
        found.extend(self.rights(&indices).await);
        found.push(self.templates(dialect, &indices).await);
        found.extend(self.span_indices(&indices).await);
        found
    }

    async fn cluster(&self) -> Finding {
        let asked =
            self.client
                .ask_json::<ClusterHealth>(&Method::GET, "/_cluster/health", Body::None);
        let health = match asked.await {
            Ok(health) => health,
            Err(fault) => return unknown("cluster", &fault, "monitor"),
        };
        let shards = health.unassigned_shards;
        match health.status.as_str() {
            "green" => Finding::well("cluster", "it is green"),
            "yellow" => Finding::well(
                "cluster",
                format!(
                    "it is yellow: copies of {shards} shards have no node, as on a single node"
                ),
            ),
            status => Finding::wrong(
                "cluster",
                format!(
                    "it is {status}: {shards} shards have no node, so indices can't be read or written"
                ),
                "ask it why: GET /_cluster/allocation/explain; usually nodes are missing or disks are full",
            ),
        }
    }

    async fn nodes(&self, now_millis: u64) -> Vec<Finding> {
        let path = "/_nodes/stats/fs?filter_path=nodes.*.name,nodes.*.timestamp,nodes.*.fs.total";
        let asked = self
            .client
            .ask_json::<Nodes>(&Method::GET, path, Body::None);
        let nodes = match asked.await {
            Ok(nodes) => nodes.nodes.into_values(),
            Err(fault) => return vec![unknown(CLOCK, &fault, "monitor")],
        };
        let mut found = Vec::new();
        let mut skews = Vec::new();
        for node in nodes {
            let name = &node.name;
            skews.push((node.timestamp.abs_diff(now_millis), name.clone()));
            let Some(used) = node.fs.total.used_percent() else {
                continue;
            };
            let seen = format!("the disk of its node {name} is {used} % full");
            let fix = "give it a larger disk, or keep spans for less long: `trackway storage clean --days DAYS`";
            if used >= DISK_USED_PERCENT_END {
                let seen = format!("{seen}: it refuses writes from {DISK_USED_PERCENT_END} % on");
                found.push(Finding::wrong("disk", seen, fix));
            } else if used >= DISK_USED_PERCENT_MAX {
                found.push(Finding::doubtful("disk", seen, fix));
            } else {
                found.push(Finding::well("disk", seen));
            }
        }
        if let Some((skew, name)) = skews.into_iter().max() {
            found.push(clock(skew, &name));
        }
        found
    }

    /// Whether the user may do what the program does. Only Elasticsearch can be asked.
    async fn rights(&self, indices: &Indices) -> Option<Finding> {
        let names = format!("{}jaeger-*", indices.prefix());
        let needed = ["read", "write", "create_index", "view_index_metadata"];
        let asked = json!({"index": [{"names": [names], "privileges": needed}]});
        let path = "/_security/user/_has_privileges";
        let asked = self
            .client
            .ask_json::<Value>(&Method::POST, path, Body::Json(asked));
        let told = asked.await.ok()?;
        let held = told.pointer("/index")?.as_object()?.values().next()?;
        let lacks: Vec<&str> = needed
            .into_iter()
            .filter(|name| held.get(*name) == Some(&Value::Bool(false)))
            .collect();
        let who = told.get("username").and_then(Value::as_str).unwrap_or("?");
        Some(match lacks.is_empty() {
            true => Finding::well(RIGHTS, format!("user {who} may read and write {names}")),
            false => Finding::wrong(
                RIGHTS,
                format!("user {who} lacks {} on {names}", lacks.join(", ")),
                format!("give its role these privileges on the indices {names}, and trackway-*"),
            ),
        })
    }

    async fn templates(&self, dialect: Dialect, indices: &Indices) -> Finding {
        let mut missing = Vec::new();
        let mut other = Vec::new();
        for put in templates::install(dialect, indices, &self.options) {
            let name = put.path.rsplit('/').next().unwrap_or_default().to_owned();
            let got = self
                .client
                .ask_json::<Value>(&Method::GET, &put.path, Body::None);
            match got.await {
                Ok(got) => {
                    let wanted = mappings_of(&put.body).unwrap_or(&Value::Null);
                    match find_mappings(&got) {
                        Some(has) if has_all(has, wanted) => {}
                        _ => other.push(name),
                    }
                }
                Err(Fault::Refused { status: 404, .. }) => missing.push(name),
                Err(fault) => return unknown(TEMPLATES, &fault, "manage_index_templates"),
            }
        }
        if !other.is_empty() {
            let seen = format!(
                "{} lay documents out in another way than this version",
                other.join(", ")
            );
            let fix = "the next start of a collector replaces them unless backend.elasticsearch.create_templates is \
                       off; indices that were made by them stay as they are until the next day or rollover";
            return Finding::doubtful(TEMPLATES, seen, fix);
        }
        if !missing.is_empty() {
            let seen = format!("{} are not there", missing.join(", "));
            let fix = "the first start of a collector installs them, unless backend.elasticsearch.create_templates is \
                       off; its user needs manage_index_templates";
            return Finding::doubtful(TEMPLATES, seen, fix);
        }
        Finding::well(
            TEMPLATES,
            "they are there, as this version lays documents out",
        )
    }

    /// Indices whose documents can't be found, which take no writes, or which are not there though they must be.
    async fn span_indices(&self, indices: &Indices) -> Vec<Finding> {
        let all = format!("{}-*", indices.template("span"));
        let mut found = Vec::new();
        let path = path_of(&all, "/_mapping/field/traceID,serviceName,operationName");
        match self
            .client
            .ask_json::<BTreeMap<String, Value>>(&Method::GET, &path, Body::None)
            .await
        {
            Ok(mappings) => found.push(of_mappings(&mappings)),
            // No index of such a name: nothing was written yet.
            Err(Fault::Refused { status: 404, .. }) => found.push(of_mappings(&BTreeMap::new())),
            Err(fault) => found.push(unknown(INDICES, &fault, "view_index_metadata")),
        }
        let path = path_of(&all, "/_settings/index.blocks.*?flat_settings=true");
        let asked =
            self.client
                .ask_json::<BTreeMap<String, Value>>(&Method::GET, &path, Body::None);
        if let Ok(settings) = asked.await {
            let blocked = settings.iter().filter(|(_, told)| is_blocked(told));
            let blocked: Vec<&str> = blocked.map(|(name, _)| name.as_str()).collect();
            if !blocked.is_empty() {
                let seen = format!("{} take no writes (index.blocks)", named(&blocked));
                let fix = "make room on the disks of its nodes, then lift the block: PUT INDEX/_settings \
                           {\"index.blocks.read_only_allow_delete\": null, \"index.blocks.write\": null}";
                found.push(Finding::wrong(INDICES, seen, fix));
            }
        }
        if self.options.rotation == Rotation::Rollover {
            let alias = format!("{}-write", indices.template("span"));
            let path = format!("/_alias{}", path_of(&alias, ""));
            let asked = self.client.ask(&Method::GET, &path, Body::None).await;
            if let Err(Fault::Refused { status: 404, .. }) = asked {
                let seen =
                    format!("there is no alias {alias}, which rotation by rollover writes to");
                found.push(Finding::wrong(
                    INDICES,
                    seen,
                    "run `trackway storage init` once",
                ));
            }
        }
        found
    }
}

/// Why the server did not answer, or did not let the program in.
fn unanswered(fault: &Fault) -> Finding {
    let reason = fault.reason();
    let fix = match fault {
        Fault::Refused { status: 401, .. } => {
            "give the right user and password (or API key, or token); in Kubernetes: look at the Secret, whose value \
             must not end in a line break"
        }
        Fault::Refused { status: 403, .. } => {
            "the user is known but may not ask: give its role the privilege `monitor` on the cluster"
        }
        Fault::Away(_) => "",
        Fault::Refused { .. } | Fault::TooLong | Fault::Unreadable(_) => {
            "is it Elasticsearch or OpenSearch that listens there? Look at backend.elasticsearch.hosts"
        }
    };
    Finding::wrong(SERVER, reason, fix)
}

fn unknown(subject: &'static str, fault: &Fault, privilege: &str) -> Finding {
    Finding::doubtful(
        subject,
        format!("it could not be found out: {}", fault.reason()),
        format!("the privilege `{privilege}` shows it; Trackway works without it"),
    )
}

fn clock(skew_millis: u64, node: &str) -> Finding {
    let seconds = skew_millis as f64 / 1_000.0;
    match skew_millis {
        ..=SKEW_MILLIS_MAX => {
            Finding::well(CLOCK, format!("it goes as that of its node {node} does"))
        }
        _ => Finding::wrong(
            CLOCK,
            format!("this machine's clock and that of its node {node} are {seconds:.0} s apart"),
            "set both by a time server (chrony, the cloud's time service): spans are dated by the clocks of their \
             senders, and a search for the last hour misses those of a wrong one",
        ),
    }
}

fn of_mappings(mappings: &BTreeMap<String, Value>) -> Finding {
    let is_wrong = |told: &Value| {
        let fields = told.get("mappings").and_then(Value::as_object);
        fields.is_some_and(|fields| {
            fields.iter().any(|(name, field)| {
                let kind = field.pointer(&format!("/mapping/{name}/type"));
                kind.is_some_and(|kind| kind != "keyword")
                    && !plumbing::planted("elastic-old-template-ignored")
            })
        })
    };
    let wrong = mappings.iter().filter(|(_, told)| is_wrong(told));
    let wrong: Vec<&str> = wrong.map(|(name, _)| name.as_str()).collect();
    match (wrong.is_empty(), mappings.len()) {
        (true, 0) => Finding::well(INDICES, "there are none with spans yet"),
        (true, count) => Finding::well(INDICES, format!("{count} have spans")),
        (false, _) => Finding::wrong(
            INDICES,
            format!(
                "{} were made by another index template: their spans are not found",
                named(&wrong)
            ),
            "see which templates match: GET _index_template and GET _template; delete the one that is not \
             Trackway's, start a collector, and let the next index begin (the next day, or `trackway storage \
             rollover`)",
        ),
    }
}

fn is_blocked(told: &Value) -> bool {
    let settings = told.get("settings").and_then(Value::as_object);
    settings.is_some_and(|settings| {
        settings
            .values()
            .any(|value| value == "true" || *value == Value::Bool(true))
    })
}

fn named(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED_MAX).copied();
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > NAMED_MAX {
        text.push_str(&format!(" and {} more", names.len() - NAMED_MAX));
    }
    text
}

/// Where the mappings stand in a template that is put.
fn mappings_of(body: &Value) -> Option<&Value> {
    body.pointer("/template/mappings")
        .or_else(|| body.get("mappings"))
}

/// Where they stand in a template that is got: in a list, or under its name.
fn find_mappings(got: &Value) -> Option<&Value> {
    let composed = got.pointer("/index_templates/0/index_template");
    let legacy = || got.as_object()?.values().next();
    mappings_of(composed.or_else(legacy)?)
}

/// Whether all that is wanted is there, with the same types; a server writes the rest in its own way.
fn has_all(has: &Value, wanted: &Value) -> bool {
    let Some(properties) = wanted.get("properties").and_then(Value::as_object) else {
        return true;
    };
    properties.iter().all(|(name, wanted)| {
        has["properties"].get(name).is_some_and(|has| {
            let kind = wanted.get("type");
            (kind.is_none() || has.get("type") == kind || kind == Some(&json!("object")))
                && has_all(has, wanted)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examine::State;

    #[test]
    fn an_index_whose_ids_are_texts_is_told() {
        let field = |kind: &str| {
            let mapping = json!({"traceID": {"type": kind}});
            json!({"mappings": {"traceID": {"full_name": "traceID", "mapping": mapping}}})
        };
        let good = BTreeMap::from([("jaeger-span-2026-01-15".to_owned(), field("keyword"))]);
        assert_eq!(of_mappings(&good).state, State::Well);
        let bad = BTreeMap::from([("jaeger-span-2026-01-15".to_owned(), field("text"))]);
        let found = of_mappings(&bad);
        assert_eq!(found.state, State::Wrong);
        assert!(
            found.seen.starts_with("jaeger-span-2026-01-15 were made"),
            "{}",
            found.seen
        );
    }

    #[test]
    fn templates_are_compared_by_types() {
        let wanted = json!({"properties": {"traceID": {"type": "keyword"}, "tags": {"type": "nested", "properties": {
            "key": {"type": "keyword"}}}}});
        let mut has = wanted.clone();
        has["dynamic_templates"] = json!([]);
        assert!(has_all(&has, &wanted));
        has["properties"]["tags"]["properties"]["key"]["type"] = json!("text");
        assert!(!has_all(&has, &wanted));
    }

    #[test]
    fn clocks_may_differ_a_little() {
        assert_eq!(clock(4_000, "one").state, State::Well);
        let found = clock(3_600_000, "one");
        assert_eq!(found.state, State::Wrong);
        assert!(found.seen.contains("3600 s apart"), "{}", found.seen);
    }
}
