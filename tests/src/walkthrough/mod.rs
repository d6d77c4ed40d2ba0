//! The walk-through where there is no cluster: the very files that the chart renders, with processes in the place of
//! pods (`pods`). What its reader looks at in the end is also looked at on a cluster.

mod pods;

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chart::render::{Tools, read};
use crate::clients::set_up;
use crate::folder::project_root;
use crate::http;
use crate::ran::Ran;
use crate::server::{Server, USER};
use crate::wait::{report, until};

use pods::Pods;

/// Longer than anything takes on a busy machine.
const FOUND_MAX: Duration = Duration::from_secs(120);

/// What the reader is told to look at: a trace for each `curl`. Where `make walkthrough` asks for it, in a browser.
pub(crate) fn looks_at_traces(web: &str) {
    // What is opened while spans are on their way lacks them: the last two of service B are waited for, too.
    let operations = [
        "GET /healthy",
        "GET /serviceB",
        "GET /serverError",
        "read-inventory",
        "reserve-items",
    ];
    let asked = || {
        http::get(web, "/api/traces?service=service-a&limit=20")
            .unwrap()
            .text()
    };
    let found = until(FOUND_MAX, || {
        let text = asked();
        let has_all = operations
            .iter()
            .all(|name| text.contains(&format!("\"{name}\"")));
        (has_all && text.contains("\"service-b\"")).then_some(())
    });
    found.unwrap_or_else(|| panic!("{}", asked()));
    if let Some(pictures) = std::env::var_os("TRACKWAY_WALKTHROUGH") {
        let script = project_root().join("tests/walkthrough/browser.mjs");
        let url = format!("http://{web}");
        let looked = Command::new("node")
            .arg(script)
            .arg(url)
            .arg(pictures)
            .output()
            .unwrap();
        report(&Ran::from(looked).well());
    }
}

/// What pods are told of a server: the ConfigMap `NAME-cacert` and the Secret `NAME-credentials`.
fn known_as(server: &Server, name: &str) -> [Value; 2] {
    let authority = std::fs::read_to_string(server.ca_file()).unwrap();
    let password = std::fs::read_to_string(server.password_file()).unwrap();
    [
        json!({
            "kind": "ConfigMap",
            "metadata": {"name": format!("{name}-cacert")},
            "data": {"ca.crt": authority},
        }),
        json!({
            "kind": "Secret",
            "metadata": {"name": format!("{name}-credentials")},
            "stringData": {"username": USER, "password": password.trim()},
        }),
    ]
}

/// What `helm test` does: a span is sent, and found.
fn is_tested(pods: &Pods, more: &[&str]) {
    let tested = pods.run("Pod", "jaeger-test").well();
    for line in ["was found at", "0 wrong, "].iter().chain(more) {
        assert!(tested.contains(line), "{line}: {tested}");
    }
}

#[test]
fn the_files_of_the_walk_through_lead_to_traces_without_a_cluster() {
    let Some(tools) = Tools::find() else { return };
    let Some(elasticsearch) = Server::start("elasticsearch", true) else {
        return;
    };
    let mut objects = tools.rendered()["examples/tutorial"].objects.clone();
    for file in ["service-a", "service-b"] {
        let path = project_root().join(format!("examples/kubernetes/base/{file}.yaml"));
        objects.extend(read(&std::fs::read_to_string(path).unwrap()));
    }
    objects.extend(known_as(&elasticsearch, "elasticsearch"));
    let (_, address) = elasticsearch.url.split_once("://").unwrap();
    let outside = [("elasticsearch-master.logging.svc:9200", address)];
    set_up();
    let app = project_root().join("target/clients/services");
    let pods = Pods::of(objects, &outside, app);

    let started = ["jaeger-collector", "jaeger-query", "jaeger-agent"];
    let _trackway = started.map(|name| pods.start(name));
    is_tested(&pods, &["Elasticsearch 8", "lets the program in"]);
    let _samples = ["service-b", "service-a"].map(|name| pods.start(name));
    let service_a = pods.way_to("service-a", 8080);
    for (path, status) in [("/healthy", 200), ("/serviceB", 200), ("/serverError", 500)] {
        let answer = http::get(service_a, path).unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    looks_at_traces(pods.way_to("jaeger-query", 16686));
}

/// Values as users of Jaeger's chart have them, with another password and address.
#[test]
fn values_of_a_jaegers_chart_lead_to_a_span_that_is_found() {
    let Some(tools) = Tools::find() else { return };
    let one = tools.rendered()["jaeger-v1-all-in-one"].objects.clone();
    let pods = Pods::of(one, &[], project_root());
    let started = pods.start("jaeger-all-in-one");
    is_tested(&pods, &["/jaeger after "]);
    drop(started);

    let Some(elasticsearch) = Server::start("elasticsearch", true) else {
        return;
    };
    let password = std::fs::read_to_string(elasticsearch.password_file()).unwrap();
    let authority = "tls: {enabled: true, caConfigMap: elasticsearch-cacert}";
    let (_, address) = elasticsearch.url.split_once("://").unwrap();
    let outside = [("elasticsearch-master.logging.svc:9200", address)];
    let shapes: [(&str, &[&str]); 2] = [
        (
            "jaeger-v1-elasticsearch",
            &["jaeger-collector", "jaeger-query"],
        ),
        ("jaeger-v2", &["jaeger-all-in-one"]),
    ];
    for (shape, names) in shapes {
        // With the address, the user, the password and the authority of this server.
        let values = std::fs::read_to_string(tools.value_file(shape)).unwrap();
        let values = values
            .replace("user: elastic", &format!("user: {USER}"))
            .replace("changeme}", &format!("{}, {authority}}}", password.trim()))
            .replace("changeme\n", &format!("{}\n", password.trim()))
            .replace("es-login", "elasticsearch-credentials");
        let mut objects = tools.render("jaeger", &values).objects;
        objects.extend(known_as(&elasticsearch, "elasticsearch"));
        let pods = Pods::of(objects, &outside, project_root());
        let _trackway: Vec<_> = names.iter().map(|name| pods.start(name)).collect();
        is_tested(&pods, &["Elasticsearch 8", "lets the program in"]);
    }
}

/// Collectors that write to Kafka, ingesters that read it, and tables that a job makes.
#[test]
fn spans_go_through_kafka_to_cassandra_as_values_say() {
    let Some(tools) = Tools::find() else { return };
    let (Some(kafka), Some(cassandra)) = (
        Server::start("kafka", true),
        Server::start("cassandra", true),
    ) else {
        return;
    };
    let (host, port) = cassandra.url.rsplit_once(':').unwrap();
    let values = json!({
        "agent": {"enabled": false},
        "ingester": {"enabled": true},
        "storage": {
            "type": "cassandra",
            "cassandra": {
                "host": host,
                "port": port.parse::<u16>().unwrap(),
                "existingSecret": "cassandra-credentials",
                "existingSecretUserKey": "username",
                "tls": {"enabled": true, "caConfigMap": "cassandra-cacert"},
            },
            "kafka": {
                "brokers": [kafka.url],
                "authentication": "plaintext",
                "mechanism": "SCRAM-SHA-512",
                "user": USER,
                "existingSecret": "kafka-credentials",
                "tls": {"enabled": true, "caConfigMap": "kafka-cacert"},
            },
        },
    });
    let mut objects = tools.render("jaeger", &values.to_string()).objects;
    objects.extend(known_as(&kafka, "kafka"));
    objects.extend(known_as(&cassandra, "cassandra"));
    let pods = Pods::of(objects, &[], project_root());
    let made = pods.run("Job", "jaeger-storage-init").well();
    assert!(made.contains(".traces: made"), "{made}");
    let started = ["jaeger-ingester", "jaeger-collector", "jaeger-query"];
    let _trackway = started.map(|name| pods.start(name));
    is_tested(&pods, &["Cassandra 5", "lets the program in"]);
}
