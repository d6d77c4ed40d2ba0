//! What holds for whatever the chart renders: schemas, the restricted standard, and that all parts fit together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::render::{Rendered, Tools, items, text};
use crate::ran::Ran;

/// Kubernetes takes no longer names of most things.
const NAME_BYTES_MAX: usize = 63;
/// What a job is called begins with the name of its CronJob.
const CRON_JOB_BYTES_MAX: usize = 52;

#[test]
fn every_file_of_values_renders_what_kubernetes_takes() {
    let Some(tools) = Tools::find() else { return };
    let files = tools.value_files();
    assert!(files.len() >= 20, "{} files of values", files.len());
    let chart = tools.chart();
    for (name, file) in files {
        let Ran { is_well, said } = tools.helm(&[
            "lint",
            "--strict",
            chart.to_str().unwrap(),
            "-f",
            file.to_str().unwrap(),
        ]);
        assert!(is_well, "{name}: {said}");
        let rendered = &tools.rendered()[&name];
        let complaints = tools.complaints(&rendered.text);
        assert!(complaints.is_empty(), "{name}: {complaints}");
        for trace in ["<nil>", "map[", "%!", "Error: "] {
            assert!(
                !rendered.text.contains(trace),
                "{name}: {trace} in {}",
                rendered.text
            );
        }
    }
}

#[test]
fn everything_that_runs_keeps_to_the_restricted_standard() {
    let Some(tools) = Tools::find() else { return };
    for (name, rendered) in tools.rendered() {
        // What these ask for the standard forbids, as the values say.
        let is_excused =
            |what: &str| what == "hostPort" && (name == "agent" || name.contains("kafka"));
        let pods = rendered.pods();
        assert!(!pods.is_empty(), "{name}");
        for (pod, template) in pods {
            for (what, is_kept) in restricted(template) {
                assert!(is_kept || is_excused(what), "{name}: {pod}: {what}");
            }
        }
    }
}

/// What the standard asks of a pod, and whether it is so.
pub(super) fn restricted(template: &Value) -> Vec<(&'static str, bool)> {
    let spec = &template["spec"];
    let security = &spec["securityContext"];
    let mut found = vec![
        ("runAsNonRoot", security["runAsNonRoot"] == true),
        (
            "a user by number",
            security["runAsUser"].as_u64().is_some_and(|user| user > 0),
        ),
        (
            "seccompProfile",
            security["seccompProfile"]["type"] == "RuntimeDefault",
        ),
        (
            "no namespaces of the host",
            ["hostNetwork", "hostPID", "hostIPC"]
                .iter()
                .all(|key| spec[*key] != true),
        ),
        ("no token", spec["automountServiceAccountToken"] == false),
        ("no links", spec["enableServiceLinks"] == false),
    ];
    let containers = items(&spec["containers"])
        .iter()
        .chain(items(&spec["initContainers"]));
    for container in containers {
        let own = &container["securityContext"];
        let ports = items(&container["ports"]);
        found.extend([
            ("no escalation", own["allowPrivilegeEscalation"] == false),
            (
                "no capabilities",
                own["capabilities"]["drop"] == serde_json::json!(["ALL"]),
            ),
            (
                "nothing of the root is written",
                own["readOnlyRootFilesystem"] == true,
            ),
            (
                "hostPort",
                ports.iter().all(|port| port["hostPort"].is_null()),
            ),
            (
                "the last line is told",
                container["terminationMessagePolicy"] == "FallbackToLogsOnError",
            ),
        ]);
    }
    let volumes = items(&spec["volumes"]);
    let kinds = [
        "configMap",
        "secret",
        "emptyDir",
        "persistentVolumeClaim",
        "projected",
        "downwardAPI",
    ];
    found.push((
        "volumes",
        volumes
            .iter()
            .all(|volume| kinds.iter().any(|kind| !volume[*kind].is_null())),
    ));
    found
}

#[test]
fn programs_that_stay_have_probes_and_limits() {
    let Some(tools) = Tools::find() else { return };
    for (name, rendered) in tools.rendered() {
        for (pod, template) in rendered.pods() {
            let container = &template["spec"]["containers"][0];
            let resources = &container["resources"];
            assert!(
                !resources["limits"]["memory"].is_null(),
                "{name}: {pod}: no limit of memory"
            );
            let stays = ["Deployment", "StatefulSet", "DaemonSet"]
                .iter()
                .any(|kind| pod.starts_with(kind));
            if !stays {
                continue;
            }
            let startup = &container["startupProbe"];
            let number = |value: &Value| value.as_u64().unwrap_or_default();
            let seconds = number(&startup["periodSeconds"]) * number(&startup["failureThreshold"]);
            assert!(
                seconds >= 300,
                "{name}: {pod}: a start may take {seconds} s"
            );
            let path = |probe: &str| text(&container[probe]["httpGet"]["path"]).to_owned();
            let paths = ["startupProbe", "readinessProbe"].map(path);
            assert_eq!(paths, ["/started", "/ready"], "{name}: {pod}");
            assert!(
                ["/live", "/status"].contains(&path("livenessProbe").as_str()),
                "{name}: {pod}"
            );
        }
    }
}

#[test]
fn every_part_finds_the_others() {
    let Some(tools) = Tools::find() else { return };
    for (name, rendered) in tools.rendered() {
        no_two_of_a_name(name, rendered);
        services_lead_to_pods(name, rendered);
        for (pod, template) in rendered.pods() {
            mounts_have_volumes(name, &pod, template, rendered);
        }
        names_are_short(name, rendered);
        ways_in_lead_to_services(name, rendered);
    }
}

fn no_two_of_a_name(name: &str, rendered: &Rendered) {
    let mut known = BTreeSet::new();
    for object in rendered.names() {
        assert!(known.insert(object.clone()), "{name}: two of {object}");
    }
}

fn services_lead_to_pods(name: &str, rendered: &Rendered) {
    let pods = rendered.pods();
    for service in rendered.of_kind("Service") {
        let selector = service["spec"]["selector"].as_object().unwrap();
        let chosen: Vec<&Value> = pods
            .iter()
            .map(|(_, template)| *template)
            .filter(|template| {
                let labels = &template["metadata"]["labels"];
                selector.iter().all(|(key, value)| labels[key] == *value)
            })
            .collect();
        let called = &service["metadata"]["name"];
        assert_eq!(
            chosen.len(),
            1,
            "{name}: Service {called} leads to {} kinds of pods",
            chosen.len()
        );
        let ports: Vec<&Value> = items(&chosen[0]["spec"]["containers"][0]["ports"])
            .iter()
            .map(|port| &port["containerPort"])
            .collect();
        for port in items(&service["spec"]["ports"]) {
            let target = &port["targetPort"];
            assert!(
                ports.contains(&target),
                "{name}: {called}: no port {target} in {ports:?}"
            );
        }
    }
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        for workload in rendered.of_kind(kind) {
            let labels = &workload["spec"]["template"]["metadata"]["labels"];
            let selector = workload["spec"]["selector"]["matchLabels"]
                .as_object()
                .unwrap();
            assert!(
                selector.iter().all(|(key, value)| labels[key] == *value),
                "{name}"
            );
            // What a selector has can't be changed by an upgrade.
            let mut keys: Vec<&str> = selector.keys().map(String::as_str).collect();
            keys.sort_unstable();
            let parts = ["component", "instance", "name"];
            assert_eq!(
                keys,
                parts.map(|part| format!("app.kubernetes.io/{part}")),
                "{name}"
            );
        }
    }
}

fn mounts_have_volumes(name: &str, pod: &str, template: &Value, rendered: &Rendered) {
    let spec = &template["spec"];
    let mut volumes: BTreeMap<&str, &Value> = BTreeMap::new();
    for volume in items(&spec["volumes"]) {
        let twice = volumes.insert(text(&volume["name"]), volume);
        assert!(
            twice.is_none(),
            "{name}: {pod}: two volumes {}",
            volume["name"]
        );
    }
    let claims: Vec<&str> = rendered
        .of_kind("StatefulSet")
        .flat_map(|set| items(&set["spec"]["volumeClaimTemplates"]))
        .map(|claim| text(&claim["metadata"]["name"]))
        .collect();
    let containers = items(&spec["containers"])
        .iter()
        .chain(items(&spec["initContainers"]));
    for container in containers {
        let mut paths = BTreeSet::new();
        for mount in items(&container["volumeMounts"]) {
            let volume = text(&mount["name"]);
            let is_claimed = pod.starts_with("StatefulSet") && claims.contains(&volume);
            assert!(
                volumes.contains_key(volume) || is_claimed,
                "{name}: {pod}: no volume {volume}"
            );
            assert!(
                paths.insert(text(&mount["mountPath"])),
                "{name}: {pod}: {mount} twice"
            );
        }
        let mut variables = BTreeSet::new();
        for variable in items(&container["env"]) {
            let called = text(&variable["name"]);
            assert!(variables.insert(called), "{name}: {pod}: {called} twice");
        }
    }
    // What the chart makes itself is there under the name that is mounted.
    for volume in volumes.values() {
        let config = text(&volume["configMap"]["name"]);
        if config.starts_with("jaeger-") {
            rendered.find("ConfigMap", config);
        }
        let secret = text(&volume["secret"]["secretName"]);
        if secret.starts_with("jaeger-elastic") {
            rendered.find("Secret", secret);
        }
    }
}

fn names_are_short(name: &str, rendered: &Rendered) {
    for object in &rendered.objects {
        let called = text(&object["metadata"]["name"]);
        let most = if object["kind"] == "CronJob" {
            CRON_JOB_BYTES_MAX
        } else {
            NAME_BYTES_MAX
        };
        assert!(
            called.len() <= most && !called.is_empty(),
            "{name}: {called:?}"
        );
    }
}

fn ways_in_lead_to_services(name: &str, rendered: &Rendered) {
    let port_of = |service: &str, port: &Value| {
        let ports = items(&rendered.find("Service", service)["spec"]["ports"]);
        ports
            .iter()
            .any(|known| known["name"] == *port || known["port"] == *port)
    };
    for ingress in rendered.of_kind("Ingress") {
        for rule in items(&ingress["spec"]["rules"]) {
            for path in items(&rule["http"]["paths"]) {
                let service = &path["backend"]["service"];
                let port = [&service["port"]["name"], &service["port"]["number"]];
                let leads = port
                    .into_iter()
                    .any(|port| !port.is_null() && port_of(text(&service["name"]), port));
                assert!(leads, "{name}: {service}");
            }
        }
    }
    for kind in ["HTTPRoute", "GRPCRoute"] {
        for route in rendered.of_kind(kind) {
            for backend in items(&route["spec"]["rules"][0]["backendRefs"]) {
                assert!(
                    port_of(text(&backend["name"]), &backend["port"]),
                    "{name}: {backend}"
                );
            }
        }
    }
}

#[test]
fn no_password_is_in_a_config_map_or_a_variable() {
    let Some(tools) = Tools::find() else { return };
    let values = "storage: {type: elasticsearch, elasticsearch: {password: hunter-2-secret}}";
    let rendered = tools.render("jaeger", values);
    assert!(
        !rendered.text.contains("hunter-2-secret"),
        "{}",
        rendered.text
    );
    let secret = rendered.find("Secret", "jaeger-elasticsearch");
    // It is `hunter-2-secret`.
    assert_eq!(secret["data"]["password"], "aHVudGVyLTItc2VjcmV0");
}
