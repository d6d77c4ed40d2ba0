//! The program understands what the chart tells it: each configuration, with the variables of its pod.

use std::process::Command;

use serde_json::Value;

use super::render::{Rendered, Tools, items, text};
use crate::folder::Folder;
use crate::program::binary;

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
fn config_of(folder: &Folder, rendered: &Rendered, kind: &str, name: &str) -> (bool, String) {
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
    let ran = command
        .args(["config", "show", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    (ran.status.success(), said.into_owned())
}

#[test]
fn the_program_understands_every_configuration() {
    let Some(tools) = Tools::find() else { return };
    let folder = Folder::new("chart");
    let mut count = 0;
    for (values, file) in tools.value_files() {
        let rendered = tools.render_file("jaeger", &file);
        for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
            for workload in rendered.of_kind(kind) {
                let name = text(&workload["metadata"]["name"]);
                let (is_well, said) = config_of(&folder, &rendered, kind, name);
                assert!(is_well, "{values}: {name}: {said}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

// tidy: long-function: a table of values and what the program makes of them
#[test]
fn what_is_said_by_values_reaches_the_program() {
    let Some(tools) = Tools::find() else { return };
    let folder = Folder::new("chart-values");
    let files = tools.value_files();
    let says = |values: &str, kind: &str, name: &str, wanted: &[&str]| {
        let rendered = tools.render_file("jaeger", &files[values]);
        let (_, said) = config_of(&folder, &rendered, kind, name);
        for line in wanted {
            assert!(
                said.contains(line),
                "{values}: {name}: no {line:?} in {said}"
            );
        }
    };
    let tutorial = [
        "kind: elasticsearch",
        "hosts: \"https://elasticsearch-master.logging.svc:9200\"",
        "username: given-elsewhere",
        "/etc/trackway/elasticsearch/credentials/password",
        "/etc/trackway/elasticsearch/ca/ca.crt",
        "shards: 1 ",
        "host: 0.0.0.0",
    ];
    says(
        "examples/tutorial",
        "Deployment",
        "jaeger-collector",
        &tutorial,
    );
    says("examples/tutorial", "Deployment", "jaeger-query", &tutorial);
    let delivered = [
        "collectors: \"jaeger-collector-headless:4317\"",
        "zipkin_compact: 5775",
    ];
    says("examples/tutorial", "DaemonSet", "jaeger-agent", &delivered);
    let kept = ["dir: /data/trackway", "age: 30d", "limit: 2GiB"];
    says("existing-claim", "StatefulSet", "jaeger-all-in-one", &kept);
    let written = [
        "kind: kafka",
        "brokers: \"kafka-0.kafka.svc:9093, kafka-1.kafka.svc:9093\"",
        "encoding: otlp_proto",
    ];
    says("kafka", "Deployment", "jaeger-collector", &written);
    let read = [
        "kind: elasticsearch",
        "encoding: otlp_proto",
        "mechanism: SCRAM-SHA-512",
    ];
    says("kafka", "Deployment", "jaeger-ingester", &read);
    let asked = [
        "kind: cassandra",
        "keyspace: jaeger_v1_dc1",
        "local_datacenter: dc1",
        "replication_factor: 3",
    ];
    says("cassandra", "Deployment", "jaeger-query", &asked);
    let rolled = ["rotation: rollover"];
    says(
        "elasticsearch-rollover",
        "Deployment",
        "jaeger-collector",
        &rolled,
    );
    let buffered = ["dir: /buffer/trackway", "bytes_max: 7GiB"];
    says("large", "Deployment", "jaeger-collector", &buffered);
    let below = ["base_path: /jaeger"];
    says(
        "jaeger-v1-elasticsearch",
        "Deployment",
        "jaeger-query",
        &below,
    );
    let of_jaeger = [
        "kind: elasticsearch",
        "hosts: \"https://elasticsearch-master.logging.svc:9200\"",
    ];
    says("jaeger-v2", "StatefulSet", "jaeger-all-in-one", &of_jaeger);
    let guarded = [
        "enabled: on ",
        "server_name: jaeger-collector ",
        "/token/token",
        "/tls/ca.crt",
    ];
    says("secure-collectors", "DaemonSet", "jaeger-agent", &guarded);
    let clustered = [
        "keyspace: jaeger_v1_production",
        "consistency: local_quorum",
    ];
    says(
        "jaeger-v1-cassandra-kafka",
        "Deployment",
        "jaeger-query",
        &clustered,
    );
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
    let (is_well, said) = config_of(&folder, &rendered, "StatefulSet", "jaeger-all-in-one");
    assert!(
        is_well && said.contains("/users/htpasswd") && said.contains("connections_max: 7 "),
        "{said}"
    );
    let set = rendered.find("StatefulSet", "jaeger-all-in-one");
    let mounts = items(&set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]);
    assert!(mounts.iter().any(|mount| mount["mountPath"] == "/users"));
}
