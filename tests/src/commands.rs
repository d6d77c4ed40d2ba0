//! The commands of the terminal against the running program, and on its data when it has ended.

use std::path::Path;
use std::process::{Command, Output};

use crate::folder::Folder;
use crate::program::{Program, binary};
use crate::{http, ledger};

const SPANS: u64 = 500;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.current_dir(folder).args(arguments);
    command.output().unwrap()
}

/// What a command prints when all goes well.
fn told(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    out
}

/// What a command says when it can't do what it was asked for.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_was_generated_is_listed_searched_shown_and_verified() {
    let folder = Folder::new("commands");
    let (here, data) = (folder.join(""), folder.join("data"));
    let program = Program::start(&data);
    let to = format!("http://{}", program.addresses.otlp_http);
    let server = format!("http://{}", program.addresses.query_http);
    let spans = SPANS.to_string();
    let arguments = [
        "generate",
        "--spans",
        &spans,
        "--to",
        &to,
        "--truth",
        "truth.json",
    ];
    told(&here, &arguments);
    let truth = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    assert!(truth.is_object(), "{truth}");
    ledger::check(&program);

    let services = told(&here, &["services", "--server", &server]);
    let services: Vec<&str> = services.lines().collect();
    assert!(services.contains(&"web"), "{services:?}");
    let operations = told(&here, &["services", "web", "--server", &server]);
    assert!(!operations.trim().is_empty());

    let found = told(&here, &["search", "--service", "web", "--server", &server]);
    let line = found.lines().nth(1).unwrap();
    let trace_id = line.split_whitespace().last().unwrap();
    assert_eq!(trace_id.len(), 32, "{found}");

    let shown = told(
        &here,
        &["trace", trace_id, "--attributes", "--server", &server],
    );
    let path = format!("/api/traces/{trace_id}");
    let trace = http::get(&program.addresses.query_http, &path)
        .unwrap()
        .json();
    for span in trace["data"][0]["spans"].as_array().unwrap() {
        let name = span["operationName"].as_str().unwrap();
        assert!(shown.contains(name), "no {name} in:\n{shown}");
    }
    let unknown = "0123456789abcdef0123456789abcdef";
    let said = refused(&here, &["trace", unknown, "--server", &server]);
    assert!(
        said.contains(unknown) && !said.contains("panicked"),
        "{said}"
    );

    let admin = format!("http://{}", program.addresses.admin);
    let said = told(&here, &["store", "finalise", "--wait", "--admin", &admin]);
    assert!(said.contains("is done"), "{said}");

    told(&here, &["store", "pin", trace_id, "--admin", &admin]);
    let said = told(&here, &["store", "pins", "--admin", &admin]);
    assert!(said.starts_with(trace_id), "{said}");
    told(&here, &["store", "unpin", trace_id, "--admin", &admin]);
    assert_eq!(told(&here, &["store", "pins", "--admin", &admin]), "");
    let said = refused(&here, &["store", "unpin", trace_id, "--admin", &admin]);
    assert!(said.contains("not pinned"), "{said}");

    let data = data.display().to_string();
    let ended = program.stop();
    assert!(ended.status.success(), "{}", ended.log);
    let said = refused(&here, &["services", "--server", &server]);
    assert!(said.contains(&server), "{said}");
    let said = refused(&here, &["store", "finalise", "--admin", &admin]);
    assert!(said.contains(&admin), "{said}");
    told(&here, &["store", "check", "--data-dir", &data]);
    let stats = told(&here, &["store", "stats", "--data-dir", &data]);
    let stored = stats
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().last());
    let stored: u64 = stored.unwrap().replace([',', '_'], "").parse().unwrap();
    assert!(stored >= SPANS, "{stats}");
}

#[test]
fn the_configuration_is_shown_with_its_sources_and_mistakes_are_named() {
    let folder = Folder::new("commands-config");
    let here = folder.join("");
    std::fs::write(
        folder.join("good.yaml"),
        "store:\n  retention:\n    age: 3d\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("bad.yaml"),
        "store:\n  retentoin:\n    age: 3d\n",
    )
    .unwrap();
    let shown = told(&here, &["config", "show", "--config", "good.yaml"]);
    assert!(shown.contains("good.yaml"), "{shown}");
    let collector = ["agent", "config", "show", "--collector", "c:4317"];
    let shown = told(&here, &collector);
    assert!(shown.contains("# --collector"), "{shown}");
    // What an agent shows is a file that means the same to an agent.
    std::fs::write(folder.join("agent.yaml"), &shown).unwrap();
    let again = told(
        &here,
        &["agent", "config", "show", "--config", "agent.yaml"],
    );
    let values = |text: &str| -> Vec<String> {
        let value = |line: &str| {
            line.split(" #")
                .next()
                .unwrap_or_default()
                .trim_end()
                .to_owned()
        };
        text.lines().map(value).collect()
    };
    assert_eq!(values(&again), values(&shown));
    told(&here, &["agent", "config", "check", "agent.yaml"]);
    let told_of = told(&here, &["agent", "config", "explain", "listen.admin"]);
    assert_eq!(told_of.matches("14271").count(), 3, "{told_of}");
    told(&here, &["config", "check", "good.yaml"]);
    let said = refused(&here, &["config", "check", "bad.yaml"]);
    assert!(
        said.contains("retentoin") && said.contains("retention"),
        "{said}"
    );
}
