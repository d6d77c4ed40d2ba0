//! The real program is sent what a running Jaeger v2.20.0 was sent, and asked what that was asked.
//!
//! Promises: exactly the answers that `docs/jaeger-differences.md` lists differ; a documented difference that is gone
//! is found like a new one. What each difference is, the tests of the crate `serve` hold in process, with their own
//! clock; here the whole way is gone, from a socket by the log and the store to a socket.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::folder::{Folder, project_root};
use crate::ledger;
use crate::program::Program;
use crate::wait::skipped;

/// The groups of recorded questions that are answered so far.
const GROUPS: &str = "services,operations,service-operations,search,search-errors,search-duration,search-lookback,\
    search-tags,search-raw,search-by-id,trace,trace-raw,trace-id-forms,dependencies,methods,other-paths,metrics-off,\
    archive-off,transform,v3-services,v3-operations,v3-search,v3-search-shapes,v3-summaries,v3-trace,v3-trace-raw,\
    v3-trace-forms,v3-other";
/// The documented difference that the tool can't see: the recording holds the status alone.
const UNSEEN: (&str, &str) = ("v3-search", "filter-off");
/// There are over 400 recorded questions; far fewer would mean that they were not asked.
const AGREEING_MIN: usize = 430;

type Cases = BTreeSet<(String, String)>;

/// The rows ``| `group` | `case`, `case` |`` of the document.
fn documented() -> Cases {
    let page = std::fs::read_to_string(project_root().join("docs/jaeger-differences.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let mut names = row.split('`').skip(1).step_by(2).map(str::to_owned);
        let group = names.next().unwrap();
        names.map(|case| (group.clone(), case)).collect::<Vec<_>>()
    })
    .collect()
}

/// Sends the input and asks all questions; gives what the tool printed.
fn replay(program: &Program, folder: &Path) -> String {
    let url = |address: &str| format!("http://{address}");
    let output = Command::new("python3")
        .arg("-B")
        .arg(project_root().join("tests/golden/tools/replay.py"))
        .args(["--base", &url(&program.addresses.query_http)])
        .args(["--otlp", &url(&program.addresses.otlp_http)])
        // What is acknowledged is found: there is nothing to wait for.
        .args(["--wait", "0", "--only", GROUPS, "--delta-file"])
        .arg(folder.join("delta"))
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(error.is_empty(), "{error}");
    out.into_owned()
}

/// The cases that differ: lines like `http/GROUP «CASE» GET …`.
fn differing(printed: &str) -> Cases {
    let cases = printed.lines().filter_map(|line| {
        let (group, rest) = line.strip_prefix("http/")?.split_once(" «")?;
        Some((group.to_owned(), rest.split_once('»')?.0.to_owned()))
    });
    cases.collect()
}

#[test]
fn the_program_answers_as_jaeger_but_for_the_documented_differences() {
    if Command::new("python3").arg("--version").output().is_err() {
        skipped("there is no python3");
        return;
    }
    let folder = Folder::new("golden");
    let program = Program::start(&folder.join("data"));
    let printed = replay(&program, &folder.join(""));
    ledger::check(&program);
    let (mut documented, found) = (documented(), differing(&printed));
    documented.remove(&(UNSEEN.0.to_owned(), UNSEEN.1.to_owned()));
    let new: Vec<_> = found.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not documented: {new:?}\nno more: {gone:?}\n{printed}"
    );
    let refused: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("input refused"))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    let agreeing = printed
        .lines()
        .last()
        .and_then(|line| line.split(' ').next()?.parse::<usize>().ok());
    assert!(
        agreeing.is_some_and(|agreeing| agreeing >= AGREEING_MIN),
        "{printed}"
    );
}
