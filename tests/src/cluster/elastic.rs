//! The walk-through: Elasticsearch outside of the cluster, reached under the name that it has in walk-throughs, with
//! TLS, an authority in a ConfigMap and a password in a Secret; two sample applications; traces through a forwarded
//! port.

use std::time::Duration;

use serde_json::Value;

use crate::folder::{Folder, copy};
use crate::http;
use crate::load::{Truth, seed};
use crate::outages::Persistent;
use crate::ran::Ran;
use crate::server::{Server, USER};
use crate::wait::{let_pass, report, until};

use super::node::{Namespace, Node, READY_MAX, WAITING};

const HOST: &str = "elasticsearch-master.logging.svc";
const TUTORIAL: &str = "examples/tutorial.yaml";

/// Elasticsearch as applications of the cluster find it, and what they need to know of it in a namespace.
pub(super) struct Elasticsearch {
    pub(super) server: Server,
}

impl Elasticsearch {
    pub(super) fn start(node: &Node) -> Option<Self> {
        node.make_namespace("logging");
        Self::start_in(node)
    }

    /// The same where the namespace is there.
    pub(super) fn start_in(node: &Node) -> Option<Self> {
        let server = Server::start_named("elasticsearch", &[HOST])?;
        let port = server.url.rsplit(':').next().unwrap().to_owned();
        node.script(&["expose", "logging", "elasticsearch-master", "9200", &port])
            .well();
        Some(Self { server })
    }

    /// The ConfigMap and the Secret of the walk-through.
    pub(super) fn introduce(&self, space: &Namespace<'_>) {
        let ca = self.authority();
        space
            .kubectl(&["create", "configmap", "elasticsearch-cacert", &ca])
            .well();
        let [user, password] = self.login();
        let secret = [
            "create",
            "secret",
            "generic",
            "elasticsearch-credentials",
            &user,
            &password,
        ];
        space.kubectl(&secret).well();
    }

    /// Its authority as kubectl takes it for a ConfigMap or a Secret.
    pub(super) fn authority(&self) -> String {
        format!("--from-file=ca.crt={}", self.server.ca_file().display())
    }

    /// Its user and password as kubectl takes them for a Secret.
    pub(super) fn login(&self) -> [String; 2] {
        let password = std::fs::read_to_string(self.server.password_file()).unwrap();
        [
            format!("--from-literal=username={USER}"),
            format!("--from-literal=password={}", password.trim()),
        ]
    }
}

#[test]
fn the_walk_through_leads_to_traces() {
    let Some(node) = Node::find() else { return };
    let Some(elasticsearch) = Elasticsearch::start(&node) else {
        return;
    };
    let space = node.namespace("tracing");
    elasticsearch.introduce(&space);
    let values = node.root().join(TUTORIAL);
    let flags = [
        "-f",
        values.to_str().unwrap(),
        "--set",
        "collector.replicaCount=2",
    ];
    // As it was published before, and then upgraded.
    space.install_previous(&flags).well();
    space.upgrade(&[&flags[..], &WAITING].concat()).well();
    let tested = space.helm(&["test", "jaeger", "--logs"]).well();
    for line in [
        "Elasticsearch 8",
        "lets the program in",
        "was found at",
        "0 wrong, ",
    ] {
        assert!(tested.contains(line), "{line}: {tested}");
    }

    // Service A and service B, as a person runs them, in a namespace of their own.
    let samples = node.namespace("default-samples");
    let overlay = node.root().join("examples/kubernetes/overlays/local");
    samples
        .kubectl(&["apply", "-k", overlay.to_str().unwrap()])
        .well();
    for service in ["deployment/service-a", "deployment/service-b"] {
        samples.until_ready(service);
    }
    let service_a = samples.port_forward("service/service-a", ":8080");
    let mut asked = Vec::new();
    for (path, status) in [
        ("/healthy", 200),
        ("/serviceB", 200),
        ("/serverError", 500),
        ("/notFound", 404),
    ] {
        // A pod that has just become ready is not known everywhere at once.
        let answer = until(READY_MAX, || {
            let answer = service_a.get(path);
            (answer.status == status).then_some(answer)
        });
        let answer = answer.unwrap_or_else(|| panic!("{path}: {}", service_a.get(path).text()));
        asked.push((path, answer.header("x-trace-id").unwrap().to_owned()));
    }

    // Exactly as the walk-through has it.
    let query = space.port_forward("service/jaeger-query", "16686:16686");
    assert_eq!(query.address, "127.0.0.1:16686");
    for (path, id) in &asked {
        let wanted: &[&str] = match *path {
            "/serviceB" => &["\"call-service-b\"", "\"service-a\"", "\"service-b\""],
            "/healthy" => &["\"process-request\"", "\"service-a\""],
            _ => &["\"service-a\""],
        };
        let has_all = |text: &str| wanted.iter().all(|word| text.contains(word));
        let ask = || query.get(&format!("/api/traces/{id}")).text();
        let found = until(READY_MAX, || has_all(&ask()).then_some(()));
        found.unwrap_or_else(|| panic!("no whole trace of {path}: {}", ask()));
    }
    drop(service_a);
    by_an_agent(&space, &samples, &query.address);
    drop(samples);
    the_shop(&node, &query.address);
    under_load(&space);
    what_waits_outlives_pods(&space, &elasticsearch, &flags);
}

/// The other sample, and customers who come to it.
fn the_shop(node: &Node, query: &str) {
    let space = node.namespace("shop");
    let shop = node.root().join("examples/shop");
    let manifests = shop.join("kubernetes");
    space
        .kubectl(&["apply", "-k", manifests.to_str().unwrap()])
        .well();
    for service in ["login", "catalog", "payment", "storefront"] {
        space.until_ready(&format!("deployment/{service}"));
    }
    let storefront = space.port_forward("service/storefront", ":8090");
    let url = format!("http://{}", storefront.address);
    let visits = node
        .command("node", &["load.js", "--url", &url, "--seconds", "5"])
        .current_dir(shop)
        .output();
    report(&Ran::from(visits.unwrap()).well());
    let asked = || {
        let path = "/api/traces?service=payment&limit=3";
        http::get(query, path).unwrap().text()
    };
    let is_whole = |text: &str| {
        let services = ["storefront", "login", "catalog", "payment"];
        services
            .iter()
            .all(|name| text.contains(&format!("\"serviceName\":\"{name}\"")))
    };
    let found = until(READY_MAX, || is_whole(&asked()).then_some(()));
    found.unwrap_or_else(|| panic!("no purchase: {}", asked()));
}

/// What Jaeger's client for Python once sent by UDP is sent by a pod to the agent of its node.
fn by_an_agent(space: &Namespace<'_>, samples: &Namespace<'_>, query: &str) {
    space.until_ready("daemonset/jaeger-agent");
    let recorded = space
        .node
        .root()
        .join("tests/golden/thrift/python-compact-128.json");
    let recorded: Value =
        serde_json::from_str(&std::fs::read_to_string(recorded).unwrap()).unwrap();
    let script = format!(
        "const s = require('dgram').createSocket('udp4');
         s.send(Buffer.from('{}', 'hex'), 6831, 'jaeger-agent.{}', (e) => {{ if (e) throw e; s.close(); }});",
        recorded["packets_hex"][0].as_str().unwrap(),
        space.name,
    );
    // The image has no PATH by which a program would be looked up.
    let send = [
        "exec",
        "deployment/service-a",
        "--",
        "/usr/bin/node",
        "-e",
        &script,
    ];
    samples.kubectl(&send).well();
    let id = recorded["trace_id_printed_by_client"].as_str().unwrap();
    let asked = || http::get(query, &format!("/api/traces/{id}")).unwrap();
    let found = until(READY_MAX, || {
        let answer = asked();
        (answer.status == 200).then(|| answer.text())
    });
    let found = found.unwrap_or_else(|| panic!("the agent delivers: {}", asked().text()));
    assert!(
        found.contains("k8s.pod.name") || found.contains("k8s.node.name"),
        "{found}"
    );
}

/// The samples for EKS, with and without a load balancer: the API server itself takes them.
#[test]
fn the_samples_for_eks_are_what_kubernetes_takes() {
    let Some(node) = Node::find() else { return };
    let space = node.namespace("samples-of-eks");
    let folder = Folder::new("samples-of-eks");
    copy(
        &node.root().join("examples/kubernetes"),
        &folder.join("all"),
    );
    let overlay = folder.join("all/overlays/eks");
    let taken = || {
        let tried = [
            "apply",
            "--dry-run=server",
            "-o",
            "name",
            "-k",
            overlay.to_str().unwrap(),
        ];
        let said = space.kubectl(&tried).well();
        assert!(said.contains("deployment.apps/service-a"), "{said}");
        let printed = space
            .kubectl(&["kustomize", overlay.to_str().unwrap()])
            .well();
        assert_eq!(printed.matches("replicas: 2").count(), 2, "{printed}");
        printed
    };
    assert!(!taken().contains("LoadBalancer"));
    let file = overlay.join("kustomization.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let patch = "# - path: load-balancer.yaml";
    assert_eq!(text.matches(patch).count(), 1, "{text}");
    std::fs::write(&file, text.replace(patch, patch.trim_start_matches("# "))).unwrap();
    assert!(taken().contains("loadBalancerClass: service.k8s.aws/nlb"));
}

/// The store stands still; what collectors have acknowledged meanwhile outlives all of their pods.
fn what_waits_outlives_pods(space: &Namespace<'_>, elasticsearch: &Elasticsearch, flags: &[&str]) {
    let with_volumes = [
        "--set",
        "collector.buffer.enabled=true,collector.buffer.persistence.enabled=true",
    ];
    space
        .upgrade(&[flags, &WAITING, &with_volumes].concat())
        .well();
    let way_in = space.way_to("jaeger-collector", 4318);
    elasticsearch.server.signal("STOP");
    let senders = Persistent::start_behind(&way_in.address, seed());
    let_pass(Duration::from_secs(3));
    let mut truth = Truth::default();
    let refused = senders.stop_into(&mut truth);
    let pods = "app.kubernetes.io/component=collector";
    space.delete_pods(pods);
    elasticsearch.server.signal("CONT");
    space.until_ready("statefulset/jaeger-collector");
    report(&format!(
        "acknowledged while the store stood still: {} spans, {refused} sent again",
        truth.span_count()
    ));
    are_found(space, &truth);
}

/// Every trace is found, once the index was refreshed.
fn are_found(space: &Namespace<'_>, truth: &Truth) {
    let way_out = space.way_to("jaeger-query", 16686);
    assert!(truth.span_count() > 0);
    let ids = truth.trace_ids();
    let status = |id: &String| {
        let path = format!("/api/traces/{id}");
        http::get(&way_out.address, &path).unwrap().status
    };
    let is_there = until(READY_MAX, || {
        ids.iter().all(|id| status(id) == 200).then_some(())
    });
    is_there.expect("every trace is found");
    truth.check_at(way_out.connection(), &ids);
}

/// Collectors are deleted one after another while spans are sent.
fn under_load(space: &Namespace<'_>) {
    let way_in = space.way_to("jaeger-collector", 4318);
    let senders = Persistent::start_behind(&way_in.address, seed());
    let pods = "app.kubernetes.io/component=collector";
    for _ in 0..2 {
        let names = space
            .kubectl(&["get", "pods", "-l", pods, "-o", "name"])
            .well();
        let first = names.lines().next().unwrap();
        space.kubectl(&["delete", first, "--timeout=120s"]).well();
        space.until_ready("deployment/jaeger-collector");
    }
    let mut truth = Truth::default();
    let refused = senders.stop_into(&mut truth);
    report(&format!(
        "collectors deleted under load: {} spans, {refused} sent again",
        truth.span_count()
    ));
    are_found(space, &truth);
}
