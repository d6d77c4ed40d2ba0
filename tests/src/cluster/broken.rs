//! Broken on purpose: where a person looks (`kubectl describe`, `kubectl logs`, `trackway doctor`), and in the words
//! that docs/troubleshooting.md has, stands what is wrong and what to change.

use std::process::Command;

use super::elastic::Elasticsearch;
use super::node::{Namespace, Node, READY_MAX};
use crate::chart::pages::blocks;
use crate::doctor::Page;
use crate::program::binary;
use crate::ran::Ran;
use crate::server::USER;
use crate::wait::until;

const COLLECTOR: &str = "deploy/jaeger-collector";
const COLLECTORS: [&str; 4] = [
    "describe",
    "pods",
    "-l",
    "app.kubernetes.io/component=collector",
];
const ALL_IN_ONE: [&str; 3] = ["describe", "pod", "jaeger-all-in-one-0"];
const ALL_IN_ONE_LOGS: [&str; 4] = [
    "logs",
    "jaeger-all-in-one-0",
    "--all-containers",
    "--prefix",
];

/// What the doctor says in a pod that runs.
fn doctor(space: &Namespace<'_>, target: &str, role: &str) -> String {
    let config = "/etc/trackway/config/trackway.yaml";
    let command = [
        "exec", target, "--", "trackway", "doctor", "--role", role, "--config", config,
    ];
    space.kubectl(&command).said
}

// tidy: long-function: one way of breaking it after another, on one Elasticsearch
#[test]
fn a_store_that_is_not_reached_is_told_with_the_cause() {
    let Some(node) = Node::find() else { return };
    let Some(elasticsearch) = Elasticsearch::start(&node) else {
        return;
    };
    let page = Page::read();
    let space = node.namespace("broken");
    elasticsearch.introduce(&space);
    let values = node.root().join("examples/tutorial.yaml");
    let values = [
        "-f",
        values.to_str().unwrap(),
        "--set",
        "agent.enabled=false",
    ];
    let install = |more: &[&str]| {
        let mut all = values.to_vec();
        all.extend(more);
        space.install_only(&all);
    };
    let uninstall = || space.uninstall();
    let es = "storage.elasticsearch";

    // A wrong password: the pods run, are not ready, and say why.
    let login = [
        "create",
        "secret",
        "generic",
        "wrong-login",
        "--from-literal=password=wrong-12",
    ];
    space.kubectl(&login).well();
    let user = format!("--patch={{\"stringData\":{{\"username\":\"{USER}\"}}}}");
    space
        .kubectl(&["patch", "secret", "wrong-login", &user])
        .well();
    install(&["--set", &format!("{es}.existingSecret=wrong-login")]);
    let said = space.until_said(&["logs", COLLECTOR], "the store is not there");
    page.tells("wrong password", &said, "it answers 401");
    let said = doctor(&space, COLLECTOR, "collector");
    page.tells("wrong password", &said, "give the right user and password");
    space.until_said(&COLLECTORS, "Readiness probe failed");
    uninstall();

    // A key that the ConfigMap lacks: what it has is told.
    install(&["--set", &format!("{es}.tls.caKey=ca-cert.pem")]);
    let said = space.until_said(&COLLECTORS, "can't be read");
    page.tells(
        "missing CA key",
        &said,
        "there is no such file, its folder has ca.crt",
    );
    uninstall();

    install(&["--set", &format!("{es}.scheme=http")]);
    let said = space.until_said(&["logs", COLLECTOR], "the store is not there");
    let words = "where that port speaks TLS, write https:// instead of http://";
    page.tells("wrong scheme", &said, words);
    let said = doctor(&space, COLLECTOR, "collector");
    page.tells(
        "wrong scheme",
        &said,
        "speaks TLS, and is spoken to plainly",
    );
    uninstall();

    install(&["--set", &format!("{es}.existingSecret=forgotten")]);
    let said = space.until_said(&COLLECTORS, "secret \"forgotten\" not found");
    page.tells("missing Secret", &said, "MountVolume.SetUp failed");
    uninstall();

    install(&["--set", &format!("{es}.host=elasticsearch.logging.svc")]);
    let pods = "app.kubernetes.io/component=collector";
    space.until_said(&["get", "pods", "-l", pods], "Running");
    let said = doctor(&space, COLLECTOR, "collector");
    page.tells(
        "wrong name",
        &said,
        "kubectl -n logging get service elasticsearch",
    );
    uninstall();

    // An old template wins over Trackway's, and spans are written by it.
    let old = r#"{"index_patterns": ["jaeger-span-*"], "priority": 500,
        "template": {"mappings": {"properties": {"traceID": {"type": "text"}}}}}"#;
    elasticsearch
        .server
        .curl("PUT", "/_index_template/old", old);
    elasticsearch
        .server
        .curl("PUT", "/jaeger-span-2026-01-01", "");
    install(&[]);
    space.until_ready(COLLECTOR);
    let said = doctor(&space, COLLECTOR, "collector");
    let words = "were made by another index template: their spans are not found";
    page.tells("old index template", &said, words);
    uninstall();

    // The clocks of this machine and of the server are the same: the doctor runs by another one.
    let preload = node.clock_an_hour_ahead();
    let ca = elasticsearch.server.ca_file();
    let said = Command::new(binary())
        .args(["doctor", "--role", "query", "--away"])
        .env("LD_PRELOAD", preload)
        .env("FAKETIME", "+1h")
        .env("SPAN_STORAGE_TYPE", "elasticsearch")
        .env("ES_SERVER_URLS", &elasticsearch.server.url)
        .env("ES_TLS_CA", ca)
        .env("ES_USERNAME", USER)
        .env("ES_PASSWORD_FILE", elasticsearch.server.password_file())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    page.tells("clock skew", &said, "s apart");
    page.tells("clock skew", &said, "set both by a time server");
}

/// The commands of the page by which the doctor comes to a pod, for one of `component` in a namespace; what each says.
fn doctor_comes(space: &Namespace<'_>, component: &str, more: &str) -> Vec<String> {
    let page = blocks("docs/troubleshooting.md");
    let debugs = page.iter().filter(|block| block.text.contains(" debug "));
    let said = debugs.map(|block| {
        let text = block
            .text
            .replace("-n tracing", &format!("-n {}", space.name))
            .replace("collector", component)
            .replace("--image=", &format!("{more} --image="))
            .replace("same.yaml", "target/tmp/same.yaml");
        let mut bash = space
            .node
            .command("bash", &["-euo", "pipefail", "-c", &text]);
        let ran = Ran::from(bash.current_dir(space.node.root()).output().unwrap());
        assert!(ran.is_well, "{text}: {}", ran.said);
        ran.said
    });
    said.collect()
}

#[test]
fn the_doctor_comes_to_a_pod_that_can_not_be_asked() {
    let Some(node) = Node::find() else { return };
    let space = node.namespace("doctor");
    let values = ["--set", "doctor.enabled=true"];
    // The program does not start; the doctor before it does, and stops nothing.
    space.install_only(&[&values[..], &["--set", "settings.log.level=nonsense"]].concat());
    let words = "\"nonsense\" is not a level";
    space.until_said(&ALL_IN_ONE, words);
    let before = space
        .kubectl(&["logs", "jaeger-all-in-one-0", "-c", "doctor"])
        .well();
    assert!(before.contains(words), "{before}");
    let said = doctor_comes(&space, "all-in-one", "");
    assert_eq!(said.len(), 2, "a copy and an ephemeral container");
    for text in said {
        assert!(text.contains(words) && text.contains("1 wrong, "), "{text}");
    }
    space.upgrade(&values).well();
    space.until_ready("statefulset/jaeger-all-in-one");
    let said = doctor_comes(&space, "all-in-one", "--target=all-in-one");
    assert!(said[1].contains("a running Trackway has"), "{}", said[1]);
    assert!(said[1].contains("0 wrong, "), "{}", said[1]);
}

#[test]
fn a_pod_that_does_not_stay_up_says_why() {
    let Some(node) = Node::find() else { return };
    let page = Page::read();
    let space = node.namespace("crashing");
    let uninstall = || {
        space.uninstall();
        space
            .kubectl(&["delete", "pvc", "--all", "--timeout=60s"])
            .well();
    };

    // The volume belongs to root, as it does without a group.
    space.install_only(&["--set", "components.podSecurityContext.fsGroup=null"]);
    let said = space.until_said(&ALL_IN_ONE, "ermission denied");
    page.tells("no permission", &said, "podSecurityContext.fsGroup");
    uninstall();

    // A volume of a mebibyte.
    let full = "storage: {type: memory}\nsettings: {store: {dir: /small/trackway}}\nallInOne:\n  extraVolumes: \
                [{name: small, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]\n  extraVolumeMounts: [{name: small, \
                mountPath: /small}]\n";
    let file = node.root().join("target/tmp/full.yaml");
    std::fs::write(&file, full).unwrap();
    space.install_only(&["-f", file.to_str().unwrap()]);
    space.until_said(&["get", "pods"], "jaeger-all-in-one-0");
    let said = space.until_said(&ALL_IN_ONE_LOGS, "no room for the journal");
    page.tells("full disk", &said, "no room for the journal");
    uninstall();

    // Two listeners on one port, and a container beside the program that has one of its ports.
    space.install_only(&["--set", "settings.listen.query_http=4317"]);
    let said = space.until_said(&ALL_IN_ONE, "each needs its own port");
    page.tells("port clash", &said, "each needs its own port");
    uninstall();
    let clash = [
        "allInOne:",
        "  initContainers:",
        "    - name: other",
        "      image: localhost/trackway/services:1",
        "      restartPolicy: Always",
        "      command: [node, -e, \"require('net').createServer().listen(16686)\"]",
        "      startupProbe: {tcpSocket: {port: 16686}}",
        "      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}",
    ]
    .join("\n");
    let file = node.root().join("target/tmp/clash.yaml");
    std::fs::write(&file, &clash).unwrap();
    space.install_only(&["-f", file.to_str().unwrap()]);
    let said = space.until_said(&ALL_IN_ONE, "is taken");
    page.tells("port clash", &said, "is taken");
    uninstall();

    // A probe that asks at once, of a program that hardly gets any time.
    let early = [
        "--set",
        "components.startupProbe.failureThreshold=1,components.startupProbe.periodSeconds=1",
        "--set",
        "components.startupProbe.timeoutSeconds=1",
        "--set",
        "allInOne.resources.limits.cpu=5m,allInOne.resources.requests.cpu=1m",
    ];
    space.install_only(&early);
    // A node that is slower still asks only when the program is there: it starts once more then.
    let said = until(READY_MAX, || {
        let said = space.kubectl(&ALL_IN_ONE).said;
        if said.contains("ContainersReady             True") {
            space.kubectl(&["delete", "pod", "jaeger-all-in-one-0"]);
        }
        said.contains("Startup probe failed").then_some(said)
    });
    let said = said.expect("a probe should come too early");
    page.tells("probe too early", &said, "Startup probe failed");
    space.until_said(&ALL_IN_ONE, "will be restarted");
    uninstall();
}
