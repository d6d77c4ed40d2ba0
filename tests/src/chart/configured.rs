//! The program understands what the chart tells it: each configuration, with the variables of its pod.

use std::process::Command;

use serde_json::Value;

use super::render::{Rendered, Tools, items, text};
use crate::folder::Folder;
use crate::program::binary;
use crate::ran::Ran;

/// Folders in which a pod has files that are mounted.
const MOUNTED: [&str; 6] = [
    "/etc/trackway/",
    "/es-tls/",
    "/tls/",
    "/users/",
    "/token/",
    "/tokens/",
];

/// A text in which paths of mounted files lead to files below a folder, which are made.
fn rooted(folder: &Folder, text: &str) -> String {
    let mut done = text.to_owned();
    let words = text.split(|sign: char| sign.is_whitespace() || sign == '"');
    for path in words.filter(|word| MOUNTED.iter().any(|mount| word.starts_with(mount))) {
        let file = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "{}").unwrap();
        done = done.replacen(&format!(" {path}"), &format!(" {}", file.display()), 1);
        if done == *path {
            done = file.display().to_string();
        }
    }
    done
}

/// What the program says of the configuration that a workload's pods have.
fn config_of(folder: &Folder, rendered: &Rendered, kind: &str, name: &str) -> Ran {
    let file = folder.join(&format!("{name}.yaml"));
    let config = rendered.find("ConfigMap", name);
    let config = rooted(folder, text(&config["data"]["trackway.yaml"]));
    std::fs::write(&file, config).unwrap();
    let workload = rendered.find(kind, name);
    let container = &workload["spec"]["template"]["spec"]["containers"][0];
    let role = items(&container["args"])
        .first()
        .map(text)
        .filter(|word| !word.starts_with('-'));
    let mut command = Command::new(binary());
    command.env_clear();
    for variable in items(&container["env"]) {
        // What comes from a Secret or a field is some text.
        let value = match &variable["value"] {
            Value::Null => "given-elsewhere",
            value => text(value),
        };
        command.env(text(&variable["name"]), rooted(folder, value));
    }
    if role == Some("agent") {
        command.arg("agent");
    }
    command.args(["config", "show", "--config"]).arg(&file);
    Ran::from(command.output().unwrap())
}

#[test]
fn the_program_understands_every_configuration() {
    let Some(tools) = Tools::find() else { return };
    let folder = Folder::new("chart");
    let mut count = 0;
    for (values, rendered) in tools.rendered() {
        for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
            for workload in rendered.of_kind(kind) {
                let name = text(&workload["metadata"]["name"]);
                let Ran { is_well, said } = config_of(&folder, rendered, kind, name);
                assert!(is_well, "{values}: {name}: {said}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

/// A file of values, a workload that it leads to, and what the program must then say of its configuration.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const OF_TUTORIAL: &[&str] = &[
    "kind: elasticsearch",
    "hosts: \"https://elasticsearch-master.logging.svc:9200\"",
    "username: given-elsewhere",
    "/etc/trackway/elasticsearch/credentials/password",
    "/etc/trackway/elasticsearch/ca/ca.crt",
    "shards: 1 ",
    "host: 0.0.0.0",
];
const CASES: [Case; 13] = [
    (
        "examples/tutorial",
        "Deployment",
        "jaeger-collector",
        OF_TUTORIAL,
    ),
    (
        "examples/tutorial",
        "Deployment",
        "jaeger-query",
        OF_TUTORIAL,
    ),
    (
        "examples/tutorial",
        "DaemonSet",
        "jaeger-agent",
        &[
            "collectors: \"jaeger-collector-headless:4317\"",
            "zipkin_compact: 5775",
        ],
    ),
    (
        "existing-claim",
        "StatefulSet",
        "jaeger-all-in-one",
        &["dir: /data/trackway", "age: 30d", "limit: 2GiB"],
    ),
    (
        "kafka",
        "Deployment",
        "jaeger-collector",
        &[
            "kind: kafka",
            "brokers: \"kafka-0.kafka.svc:9093, kafka-1.kafka.svc:9093\"",
            "encoding: otlp_proto",
        ],
    ),
    (
        "kafka",
        "Deployment",
        "jaeger-ingester",
        &[
            "kind: elasticsearch",
            "encoding: otlp_proto",
            "mechanism: SCRAM-SHA-512",
        ],
    ),
    (
        "cassandra",
        "Deployment",
        "jaeger-query",
        &[
            "kind: cassandra",
            "keyspace: jaeger_v1_dc1",
            "local_datacenter: dc1",
            "replication_factor: 3",
        ],
    ),
    (
        "elasticsearch-rollover",
        "Deployment",
        "jaeger-collector",
        &["rotation: rollover"],
    ),
    (
        "large",
        "Deployment",
        "jaeger-collector",
        &["dir: /buffer/trackway", "bytes_max: 7GiB"],
    ),
    (
        "jaeger-v1-elasticsearch",
        "Deployment",
        "jaeger-query",
        &["base_path: /jaeger"],
    ),
    (
        "jaeger-v2",
        "StatefulSet",
        "jaeger-all-in-one",
        &[
            "kind: elasticsearch",
            "hosts: \"https://elasticsearch-master.logging.svc:9200\"",
        ],
    ),
    (
        "secure-collectors",
        "DaemonSet",
        "jaeger-agent",
        &[
            "enabled: on ",
            "server_name: jaeger-collector ",
            "/token/token",
            "/tls/ca.crt",
        ],
    ),
    (
        "jaeger-v1-cassandra-kafka",
        "Deployment",
        "jaeger-query",
        &[
            "keyspace: jaeger_v1_production",
            "/etc/trackway/cassandra/ca/ca-cert.pem",
            "/etc/trackway/cassandra/ca/client-cert.pem",
            "/etc/trackway/cassandra/ca/client-key.pem",
            "server_name: given-elsewhere",
            "consistency: local_quorum",
        ],
    ),
];

#[test]
fn what_is_said_by_values_reaches_the_program() {
    let Some(tools) = Tools::find() else { return };
    let folder = Folder::new("chart-values");
    for (values, kind, name, wanted) in CASES {
        let said = config_of(&folder, &tools.rendered()[values], kind, name).said;
        for line in wanted {
            assert!(
                said.contains(line),
                "{values}: {name}: no {line:?} in {said}"
            );
        }
    }
}

#[test]
fn who_is_let_in_by_a_part_is_let_in_by_the_whole() {
    let Some(tools) = Tools::find() else { return };
    let folder = Folder::new("chart-parts");
    let values = [
        "query:",
        "  settings: {access: {query: {users_file: /users/htpasswd}}}",
        "  extraSecretMounts: [{name: users, mountPath: /users, secretName: users}]",
        "collector: {settings: {receive: {connections_max: 7}}}",
    ]
    .join("\n");
    let rendered = tools.render("jaeger", &values);
    let Ran { is_well, said } = config_of(&folder, &rendered, "StatefulSet", "jaeger-all-in-one");
    assert!(
        is_well && said.contains("/users/htpasswd") && said.contains("connections_max: 7 "),
        "{said}"
    );
    let set = rendered.find("StatefulSet", "jaeger-all-in-one");
    let mounts = items(&set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]);
    assert!(mounts.iter().any(|mount| mount["mountPath"] == "/users"));
}
