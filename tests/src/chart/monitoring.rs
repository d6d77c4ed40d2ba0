//! The dashboard and the alert rules speak of metrics that the program has, and each alert has its section.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::{Tools, items, text};
use crate::folder::{Folder, project_root};
use crate::http;
use crate::program::{COLLECTOR_LISTENERS, Program};

/// What is not of the program: whether it is there, what fires, and how full volumes are.
const OF_OTHERS: [&str; 4] = [
    "up",
    "ALERTS",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
];

fn monitoring(name: &str) -> String {
    let folder = project_root().join("deploy/helm/trackway/monitoring");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The names of metrics in an expression.
fn names_in(expression: &str, found: &mut BTreeSet<String>) {
    let mut outside = String::new();
    for (number, part) in expression.split('"').enumerate() {
        if number % 2 == 0 {
            outside.push_str(part);
        }
    }
    let words = outside.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
    let is_metric = |word: &&str| {
        ["trackway_", "process_", "kubelet_"]
            .iter()
            .any(|begin| word.starts_with(begin))
            || ["up", "ALERTS"].contains(word)
    };
    found.extend(words.filter(is_metric).map(str::to_owned));
}

/// Every expression below a value.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if ["expr", "definition"].contains(&key.as_str()) => {
                        found.push(text.clone());
                    }
                    other => expressions(other, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

fn metrics_named() -> BTreeSet<String> {
    let dashboard: Value = serde_json::from_str(&monitoring("dashboard.json")).unwrap();
    let alerts: Value = serde_saphyr::from_str(&monitoring("alerts.yaml")).unwrap();
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    expressions(&alerts, &mut found);
    let mut names = BTreeSet::new();
    found
        .iter()
        .for_each(|expression| names_in(expression, &mut names));
    names
}

/// A metric's family, as `# TYPE` names it.
fn family(name: &str) -> &str {
    let ends = ["_total", "_bucket", "_count", "_sum", "_info"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
}

#[test]
fn every_metric_of_the_dashboard_and_the_alerts_is_there() {
    let names = metrics_named();
    assert!(names.len() > 100, "{} metrics", names.len());
    let folder = Folder::new("monitoring");
    let buffer = format!("backend.buffer.dir={}", folder.join("spans").display());
    let away = [
        "--set",
        "backend.kind=elasticsearch",
        "--set",
        "backend.elasticsearch.hosts=http://127.0.0.1:1",
        "--set",
        &buffer,
    ];
    let programs = [
        Program::start(&folder.join("data")),
        Program::start_agent("127.0.0.1:1", &folder.join("buffer"), &[]),
        Program::start_role("collector", &COLLECTOR_LISTENERS, &away),
    ];
    let asked = programs.iter().map(|program| {
        let told = crate::http::get(&program.addresses.admin, "/metrics").unwrap();
        told.text()
    });
    let told: String = asked.collect();
    let families: BTreeSet<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let sources = project_root().join("crates");
    for name in names
        .iter()
        .filter(|name| !OF_OTHERS.contains(&name.as_str()))
    {
        // Other roles have others, and some are told from their first event on: these are registered by name.
        let is_there = families.contains(family(name))
            || families.contains(name.as_str())
            || is_registered(&sources, family(name));
        assert!(is_there, "{name} is no metric of the program");
    }
}

/// The names of metrics in a line. Those that differ in their ends share what is before them:
/// `trackway_store_logged_bytes_total`, `…_frozen_bytes_total`.
fn names_of_line(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut whole = "";
    for word in line.split('`').skip(1).step_by(2) {
        let word = word.split('{').next().unwrap_or_default();
        match word.strip_prefix('…') {
            None => {
                whole = word;
                found.push(word.to_owned());
            }
            Some(end) => {
                // Behind `trackway_store` at least, so that a room's metrics are not taken for those of another.
                let cuts = whole.match_indices('_').skip(1);
                found.extend(cuts.filter_map(|(at, _)| Some(whole.get(..at)?.to_owned() + end)));
            }
        }
    }
    found
}

/// A person who looks at a metric finds it on the page.
#[test]
fn every_metric_of_everything_in_one_is_on_its_page() {
    let folder = Folder::new("metrics");
    let program = Program::start(&folder.join("data"));
    let told = http::get(&program.addresses.admin, "/metrics")
        .unwrap()
        .text();
    let page = std::fs::read_to_string(project_root().join("docs/metrics.md")).unwrap();
    let known: BTreeSet<String> = page.lines().flat_map(names_of_line).collect();
    let kinds = told.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut count = 0;
    for (name, kind) in kinds.map(|line| line.split_once(' ').unwrap()) {
        let end = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let whole = format!("{name}{end}");
        assert!(known.contains(&whole), "docs/metrics.md lacks {whole}");
        count += 1;
    }
    assert!(count > 60, "{count}");
}

#[test]
fn what_prometheus_needs_to_be_let_in_reaches_its_operator() {
    let Some(tools) = Tools::find() else { return };
    let monitor = tools.rendered()["monitoring"].find("ServiceMonitor", "jaeger");
    let endpoint = &monitor["spec"]["endpoints"][0];
    assert_eq!(endpoint["interval"], "15s");
    assert_eq!(endpoint["scheme"], "https");
    let secret = &endpoint["authorization"]["credentials"]["name"];
    assert_eq!(secret, "trackway-admin");
}

/// What stands before the names of a buffer's metrics, which has it from who opens the buffer.
const OF_BUFFERS: [&str; 2] = ["trackway_backend_buffer_", "trackway_sink_"];

/// Whether a source registers a metric by this name.
fn is_registered(folder: &std::path::Path, family: &str) -> bool {
    let of_buffer = OF_BUFFERS
        .iter()
        .find_map(|begin| family.strip_prefix(begin));
    let family = of_buffer.unwrap_or(family);
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_registered(&path, family);
        }
        let is_source = path.extension().is_some_and(|end| end == "rs");
        is_source
            && std::fs::read_to_string(&path)
                .unwrap()
                .contains(&format!("\"{family}\""))
    })
}

#[test]
fn every_alert_says_what_to_do_and_has_its_section() {
    let alerts: Value = serde_saphyr::from_str(&monitoring("alerts.yaml")).unwrap();
    let page = std::fs::read_to_string(project_root().join("docs/troubleshooting.md")).unwrap();
    let mut count = 0;
    for rule in items(&alerts["groups"])
        .iter()
        .flat_map(|group| items(&group["rules"]))
    {
        let name = text(&rule["alert"]);
        let annotations = &rule["annotations"];
        for part in ["summary", "description"] {
            assert!(text(&annotations[part]).len() > 20, "{name}: {part}");
        }
        assert!(
            ["critical", "warning"].contains(&text(&rule["labels"]["severity"])),
            "{name}"
        );
        let anchor = format!("docs/troubleshooting.md#{}", name.to_lowercase());
        assert_eq!(text(&annotations["runbook"]), anchor, "{name}");
        assert!(
            page.contains(&format!("### {name}\n")),
            "{name} has no section"
        );
        count += 1;
    }
    assert!(count >= 20, "{count} alerts");
}
