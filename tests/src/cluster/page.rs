//! docs/kubernetes.md is followed from its first command to its last.
//!
//! A comment before a block says where it is not as written: `not run: REASON`; `stays` (it runs until the end, as in
//! another terminal); `stands in: WHAT` (the test does its part, for there is no registry and no network).

use std::process::{Child, Command, Stdio};

use super::elastic::Elasticsearch;
use super::node::{Node, READY_MAX};
use crate::chart::pages::{Block, blocks};
use crate::http;
use crate::ran::Ran;
use crate::wait::{report, until};
use crate::walkthrough::looks_at_traces;

const PAGE: &str = "docs/kubernetes.md";
/// The port that a block which stays forwards.
const WEB: &str = "127.0.0.1:16686";

/// Processes of blocks that stay, ended with the value.
#[derive(Default)]
struct Staying(Vec<Child>);

impl Drop for Staying {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _gone = child.kill();
            let _buried = child.wait();
        }
    }
}

fn bash(node: &Node, block: &Block) -> Command {
    // A block is one command to its reader: the first that fails ends it, and what stays is a process by itself.
    let exec = if block.comment == "stays" {
        "exec "
    } else {
        ""
    };
    let mut command = node.command("bash", &["-euo", "pipefail", "-c"]);
    command
        .arg(format!("{exec}{}", block.text))
        .current_dir(node.root());
    command
}

/// What Elastic's chart leaves in its namespace.
fn introduce(node: &Node, elasticsearch: &Elasticsearch) {
    let ca = elasticsearch.authority();
    let certs = [
        "-n",
        "logging",
        "create",
        "secret",
        "generic",
        "elasticsearch-master-certs",
        &ca,
    ];
    node.kubectl(&certs).well();
    let [user, password] = elasticsearch.login();
    let name = "elasticsearch-master-credentials";
    node.kubectl(&[
        "-n", "logging", "create", "secret", "generic", name, &user, &password,
    ])
    .well();
}

#[test]
fn the_page_is_followed_command_by_command() {
    let Some(node) = Node::find() else { return };
    for namespace in ["logging", "tracing", "trying"] {
        node.kubectl(&[
            "delete",
            "namespace",
            namespace,
            "--ignore-not-found",
            "--timeout=180s",
        ])
        .well();
    }
    let mut elasticsearch = None;
    let mut staying = Staying::default();
    let mut count = 0;
    for block in blocks(PAGE).iter().filter(|block| block.language == "sh") {
        let place = format!("{PAGE}:{}", block.line);
        match block.comment.as_str() {
            comment if comment.starts_with("not run: ") => continue,
            "stands in: image" | "stands in: services" => continue,
            "stands in: elasticsearch" => {
                let started = Elasticsearch::start_in(&node);
                introduce(&node, started.as_ref().expect("Java"));
                elasticsearch = started;
                continue;
            }
            "stays" => {
                let child = bash(&node, block)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn();
                staying.0.push(child.unwrap());
                let port = block
                    .text
                    .trim()
                    .rsplit(' ')
                    .next()
                    .and_then(|ports| ports.split(':').next());
                let address = format!("127.0.0.1:{}", port.unwrap());
                until(READY_MAX, || http::get(&address, "/").ok())
                    .unwrap_or_else(|| panic!("{place}"));
            }
            _ => {
                let Ran { is_well, said } = Ran::from(bash(&node, block).output().unwrap());
                assert!(is_well, "{place}: {}\n{said}", block.text);
                if block.text.contains("/serverError") {
                    looks_at_traces(WEB);
                }
            }
        }
        count += 1;
    }
    assert!(elasticsearch.is_some());
    report(&format!("{count} blocks of {PAGE} were run"));
    assert!(count >= 12, "{count}");
}
