//! Names and ports are those of a Jaeger, by the rule of its chart.

use super::render::{Rendered, Tools, items, text};

fn ports(rendered: &Rendered, service: &str) -> Vec<u64> {
    let ports = items(&rendered.find("Service", service)["spec"]["ports"]).iter();
    ports.map(|port| port["port"].as_u64().unwrap()).collect()
}

#[test]
fn a_plain_install_has_the_names_of_a_jaeger() {
    let Some(tools) = Tools::find() else { return };
    let rendered = tools.render("jaeger", "{}");
    rendered.find("StatefulSet", "jaeger-all-in-one");
    assert!(ports(&rendered, "jaeger-query").starts_with(&[16686, 16685]));
    let collector = ports(&rendered, "jaeger-collector");
    for port in [4317, 4318, 14250, 14268, 9411] {
        assert!(collector.contains(&port), "{collector:?}");
    }
    let agent = ports(&rendered, "jaeger-agent");
    for port in [5775, 6831, 6832, 5778] {
        assert!(agent.contains(&port), "{agent:?}");
    }
    // Jaeger's chart of version 2 has one Service for everything.
    let all = ports(&rendered, "jaeger");
    assert!(all.contains(&16686) && all.contains(&4317), "{all:?}");
}

#[test]
fn a_distributed_install_has_the_names_of_a_jaeger() {
    let Some(tools) = Tools::find() else { return };
    let values = "storage: {type: elasticsearch, kafka: {brokers: ['kafka:9092']}}\ningester: {enabled: true}";
    let rendered = tools.render("jaeger", values);
    for name in ["jaeger-collector", "jaeger-query", "jaeger-ingester"] {
        rendered.find("Deployment", name);
    }
    rendered.find("DaemonSet", "jaeger-agent");
    for service in ["jaeger-collector", "jaeger-query", "jaeger-agent"] {
        rendered.find("Service", service);
    }
    let collector = rendered.find("Deployment", "jaeger-collector");
    let labels = &collector["spec"]["selector"]["matchLabels"];
    // Those of Jaeger's own Deployments, which can't be changed: an upgrade in place goes through.
    assert_eq!(labels["app.kubernetes.io/name"], "jaeger");
    assert_eq!(labels["app.kubernetes.io/component"], "collector");
}

#[test]
fn other_releases_are_called_by_jaegers_rule() {
    let Some(tools) = Tools::find() else { return };
    let cases = [
        ("tracing", "{}", "tracing-jaeger-query"),
        ("my-jaeger", "{}", "my-jaeger-query"),
        ("trackway", "{}", "trackway-query"),
        ("tracing", "nameOverride: spans", "tracing-spans-query"),
        ("tracing", "fullnameOverride: t", "t-query"),
        (
            "a-release-whose-name-is-as-long-as-helm-takes-it-53cc",
            "{}",
            "a-release-whose-name-is-as-long-as-helm-t-query",
        ),
    ];
    for (release, values, query) in cases {
        let rendered = tools.render(release, values);
        rendered.find("Service", query);
    }
}

#[test]
fn a_carried_over_port_of_the_query_service_leaves_the_usual_one_open() {
    let Some(tools) = Tools::find() else { return };
    let rendered = tools.render("jaeger", "query: {service: {port: 80}}");
    let query = ports(&rendered, "jaeger-query");
    assert!(query.contains(&80) && query.contains(&16686), "{query:?}");
    let rendered = tools.render(
        "jaeger",
        "collector: {service: {otlp: {grpc: {port: 443}}}}",
    );
    assert!(ports(&rendered, "jaeger-collector").contains(&443));
}

#[test]
fn a_jaegers_release_is_upgraded_in_place() {
    let Some(tools) = Tools::find() else { return };
    let rendered = &tools.rendered()["jaeger-v1-elasticsearch"];
    let query = rendered.find("Deployment", "jaeger-query");
    let container = &query["spec"]["template"]["spec"]["containers"][0];
    let image = text(&container["image"]);
    assert!(
        image.contains("trackway") && !image.contains("jaegertracing"),
        "{image}"
    );
    let value = |name: &str| {
        let variables = items(&container["env"]);
        let found = variables.iter().find(|variable| variable["name"] == name);
        found.map(|variable| text(&variable["value"]).to_owned())
    };
    let es = "https://elasticsearch-master.logging.svc:9200";
    assert_eq!(value("ES_SERVER_URLS").as_deref(), Some(es));
    assert_eq!(value("ES_TLS_CA").as_deref(), Some("/es-tls/ca.crt"));
    assert_eq!(value("ES_NUM_SHARDS").as_deref(), Some("3"));
    let mounts = items(&container["volumeMounts"]);
    assert!(mounts.iter().any(|mount| mount["mountPath"] == "/es-tls"));
    assert!(ports(rendered, "jaeger-query").contains(&80));
    rendered.find("CronJob", "jaeger-index-cleaner");
}

/// The ports of a Service by their names.
fn named<'a>(rendered: &'a Rendered, service: &str) -> Vec<&'a str> {
    let ports = items(&rendered.find("Service", service)["spec"]["ports"]).iter();
    ports.map(|port| text(&port["name"])).collect()
}

#[test]
fn what_is_opened_to_others_has_what_was_said_and_no_port_of_operation() {
    let Some(tools) = Tools::find() else { return };
    let open = "{type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]}";
    let values = format!(
        "allInOne: {{service: {open}}}\nquery: {{service: {open}}}\ncollector: {{service: {{externalIPs: [10.1.1.1]}}}}"
    );
    let rendered = tools.render("jaeger", &values);
    for service in ["jaeger", "jaeger-query", "jaeger-collector"] {
        assert!(!named(&rendered, service).contains(&"admin"), "{service}");
    }
    for service in ["jaeger", "jaeger-query"] {
        let spec = &rendered.find("Service", service)["spec"];
        assert_eq!(
            spec["loadBalancerSourceRanges"][0], "10.0.0.0/8",
            "{service}"
        );
    }
    let proxied = "query: {service: {targetPort: 4180}}";
    let rendered = tools.render("jaeger", proxied);
    let ports = items(&rendered.find("Service", "jaeger-query")["spec"]["ports"]);
    let leads: Vec<&serde_json::Value> = ports.iter().map(|port| &port["targetPort"]).collect();
    assert_eq!(leads, [4180, 14269], "{ports:?}");
    let rendered = &tools.rendered()["node-ports"];
    let ports = items(&rendered.find("Service", "jaeger-collector")["spec"]["ports"]);
    let of_nodes: Vec<u64> = ports
        .iter()
        .filter_map(|port| port["nodePort"].as_u64())
        .collect();
    assert_eq!(of_nodes, [30317, 30318]);
}

#[test]
fn what_goes_out_is_let_out_to_the_ports_of_the_store() {
    let Some(tools) = Tools::find() else { return };
    let out = |storage: &str| {
        let values = format!("networkPolicy: {{enabled: true, egress: true}}\nstorage: {storage}");
        let rendered = tools.render("jaeger", &values);
        let rules =
            items(&rendered.find("NetworkPolicy", "jaeger-query")["spec"]["egress"]).to_vec();
        let ports = rules.iter().flat_map(|rule| items(&rule["ports"]));
        let ports: Vec<u64> = ports.filter_map(|port| port["port"].as_u64()).collect();
        assert_eq!(ports[..2], [53, 53]);
        ports[2..].to_vec()
    };
    let hosts = "'https://es-1:9243,https://es-2'";
    assert_eq!(
        out(&format!(
            "{{type: elasticsearch, elasticsearch: {{host: {hosts}}}}}"
        )),
        [9243, 443]
    );
    assert_eq!(
        out("{type: elasticsearch, elasticsearch: {host: es}}"),
        [9200]
    );
    assert_eq!(
        out("{type: cassandra, cassandra: {host: 'c1:9142,c2'}}"),
        [9142, 9042]
    );
    assert_eq!(
        out("{type: grpc, grpc: {cmdlineParams: {grpc-storage.server: 's:17271'}}}"),
        [17271]
    );
}
