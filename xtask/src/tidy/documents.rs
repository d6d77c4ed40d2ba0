//! The documents: links between them resolve, and the list of crates is complete.
//!
//! Promises: a link to a file or folder of the project leads to something that exists, and one with `#heading` to a
//! heading of that document. Addresses outside the project are not visited: a check must work without a network.

use std::path::Path;

use super::edges::FLOOR_PLAN;
use crate::complaint::{Complaint, Rule};
use crate::tree::{SourceFile, Tree};

const LINK: Rule = Rule {
    name: "link",
    why: "a dead link costs every reader who follows it",
};
const CRATES: Rule = Rule {
    name: "crate-list",
    why: "a newcomer finds every crate on one page",
};

/// The page that shows the floor plan.
const CRATES_FILE: &str = "crates/README.md";

/// Checks all documents of the tree; `root` is where links are looked up.
pub(super) fn check(root: &Path, tree: &Tree, complaints: &mut Vec<Complaint>) {
    for file in tree
        .files
        .iter()
        .filter(|file| file.ends_with(".md") && !file.is_generated())
    {
        for (number, target) in links(file) {
            if let Some(what) = broken(root, tree, file, &target) {
                let fix = "correct the link, or write the page that it promises";
                complaints.push(LINK.broken(&file.path, number, what, fix));
            }
        }
    }
    check_crates(tree, complaints);
}

/// Finds the targets of `[text](target)` outside of code.
fn links(file: &SourceFile) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in file.numbered() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second part between back quotes is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        for part in prose.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((number, target.trim().to_owned()));
            }
        }
    }
    found
}

/// Says what is wrong with a link, if anything.
fn broken(root: &Path, tree: &Tree, file: &SourceFile, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let resolved = if path.is_empty() {
        file.path.clone()
    } else {
        resolve(&file.path, path)?
    };
    if !path.is_empty() && tree.get(&resolved).is_none() && !root.join(&resolved).exists() {
        return Some(format!("\"{target}\" leads nowhere"));
    }
    let page = tree.get(&resolved);
    let has_heading = |page: &SourceFile| {
        page.text
            .lines()
            .filter_map(heading_anchor)
            .any(|anchor| anchor == heading)
    };
    match page {
        Some(page) if !heading.is_empty() && !has_heading(page) => {
            Some(format!("{resolved} has no heading \"#{heading}\""))
        }
        _ => None,
    }
}

/// Joins a link with the folder of the page it stands on; `None` when it leaves the project.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Makes the anchor of a heading line: lower case, blanks become dashes, marks fall away.
fn heading_anchor(line: &str) -> Option<String> {
    let text = line.trim_start_matches('#');
    if text.len() == line.len() || !text.starts_with(' ') {
        return None;
    }
    let kept = text.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
}

/// The page of crates lists each crate of the floor plan under `crates/` once, with what it may use.
fn check_crates(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let Some(page) = tree.get(CRATES_FILE) else {
        complaints.push(CRATES.broken(CRATES_FILE, 1, "the page is missing", "write it"));
        return;
    };
    for row in &FLOOR_PLAN {
        let is_here = tree
            .get(&format!("crates/{}/Cargo.toml", row.name))
            .is_some();
        let begin = format!("| [`{0}`]({0}) |", row.name);
        let rows: Vec<_> = page
            .numbered()
            .filter(|(_, line)| line.starts_with(&begin))
            .collect();
        let expected: Vec<String> = row.uses.iter().map(|name| format!("`{name}`")).collect();
        let uses = if expected.is_empty() {
            "–".to_owned()
        } else {
            expected.join(" ")
        };
        match (rows.as_slice(), is_here) {
            ([], false) => {}
            ([(number, line)], true) => {
                if !line.trim_end().ends_with(&format!("| {uses} |")) {
                    let what = format!("the row of \"{}\" does not say what it may use", row.name);
                    complaints.push(CRATES.broken(
                        CRATES_FILE,
                        *number,
                        what,
                        format!("end the row with | {uses} |"),
                    ));
                }
            }
            (rows, _) => {
                let what = format!("\"{}\" is listed {} times", row.name, rows.len());
                complaints.push(CRATES.broken(
                    CRATES_FILE,
                    1,
                    what,
                    format!("one row: {begin} purpose | {uses} |"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        let mut complaints = Vec::new();
        check(Path::new("/nowhere"), &Tree::of(files), &mut complaints);
        complaints.retain(|complaint| complaint.rule == "link");
        complaints
            .iter()
            .map(|c| format!("{}:{} {}", c.file, c.line, c.what))
            .collect()
    }

    #[test]
    fn follows_links_to_files_and_headings() {
        let page = "# A b\n[a](docs/b.md) [a](docs/b.md#two-words) [a](#a-b) [a](https://e.org/x) `[a](no.md)`\n\
                    ```\n[a](no.md)\n```\n[a](docs/c.md)\n[a](docs/b.md#three)\n";
        let found = whats(&[
            ("README.md", page),
            ("docs/b.md", "## Two words\n[up](../README.md)\n"),
        ]);
        let expected = [
            "README.md:6 \"docs/c.md\" leads nowhere",
            "README.md:7 docs/b.md has no heading \"#three\"",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn wants_each_crate_once_with_what_it_may_use() {
        let run = |page: &str| {
            let mut complaints = Vec::new();
            let files = [
                (CRATES_FILE, page),
                ("crates/query/Cargo.toml", ""),
                ("crates/model/Cargo.toml", ""),
            ];
            check_crates(&Tree::of(&files), &mut complaints);
            complaints
                .into_iter()
                .map(|complaint| complaint.what)
                .collect::<Vec<_>>()
        };
        let query = "| [`query`](query) | plans | `model` `plumbing` `traceql` |\n";
        let model = "| [`model`](model) | nouns | – |\n";
        assert!(run(&format!("{query}{model}")).is_empty());
        assert_eq!(run(query), ["\"model\" is listed 0 times"]);
        assert_eq!(
            run(&format!("{query}{query}{model}")),
            ["\"query\" is listed 2 times"]
        );
        assert_eq!(
            run(&format!("| [`query`](query) | plans | `store` |\n{model}")).len(),
            1
        );
    }
}
