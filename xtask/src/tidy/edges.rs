//! Which crate of the workspace may use which: the floor plan as a table.
//!
//! Promises: an edge that is not in the table is a complaint at its line of the manifest; a crate without a row is one
//! too; the table of `crates/README.md` says the same as this one.

use crate::complaint::{Complaint, Rule};
use crate::tree::{SourceFile, Tree};
use crate::workspace::{Dependency, Workspace};

const EDGE: Rule = Rule {
    name: "edge",
    why: "rooms never import one another (only serve asks query), so that each can be read, tested and replaced alone",
};
const UNKNOWN_CRATE: Rule = Rule {
    name: "crate-without-row",
    why: "every crate has a place on the floor plan before it has code",
};
const LINTS: Rule = Rule {
    name: "lints",
    why: "the workspace's lints hold for every crate",
};

/// What one crate may use besides packages from the registry.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) uses: &'static [&'static str],
}

/// The floor plan. Tests may use `testkit` in addition, from any crate.
pub(super) const FLOOR_PLAN: [Row; 21] = [
    Row {
        name: "model",
        uses: &[],
    },
    Row {
        name: "plumbing",
        uses: &[],
    },
    Row {
        name: "codec",
        uses: &["model", "plumbing"],
    },
    Row {
        name: "journal",
        uses: &["model", "plumbing"],
    },
    // The language stands on the model alone; plumbing gives it planted faults, as it does codec.
    Row {
        name: "traceql",
        uses: &["model", "plumbing"],
    },
    // Apart from plumbing, because most crates need no crypto.
    Row {
        name: "tls",
        uses: &["plumbing"],
    },
    // What gRPC writes into HTTP/2, apart from plumbing: what holds spans knows no HTTP.
    Row {
        name: "grpc",
        uses: &[],
    },
    // Who is let in at a port, in one place for the rooms that have ports.
    Row {
        name: "access",
        uses: &["model", "plumbing", "tls"],
    },
    // What is told to clients, by whichever door they ask.
    Row {
        name: "sampling",
        uses: &["model", "plumbing", "codec"],
    },
    Row {
        name: "receive",
        uses: &[
            "model", "plumbing", "codec", "access", "grpc", "sampling", "tls",
        ],
    },
    // Delivery stands beside the store: neither needs the other's libraries.
    Row {
        name: "sink",
        uses: &["model", "plumbing", "codec", "grpc", "journal", "tls"],
    },
    // Decides about spans with the language that people search with; it touches no socket and no file.
    Row {
        name: "process",
        uses: &["model", "plumbing", "codec", "traceql"],
    },
    Row {
        name: "store",
        uses: &["model", "plumbing", "codec", "journal"],
    },
    Row {
        name: "backends",
        uses: &["model", "plumbing", "codec", "tls"],
    },
    Row {
        name: "query",
        uses: &["model", "plumbing", "traceql"],
    },
    Row {
        name: "serve",
        uses: &[
            "model", "plumbing", "codec", "access", "grpc", "query", "sampling", "tls", "traceql",
        ],
    },
    Row {
        name: "testkit",
        uses: &["model", "plumbing", "codec"],
    },
    // The program is the only one that knows all rooms. It uses testkit outside of tests because `trackway generate`
    // and `--demo` send the same corpora that the tests check against; nothing else of testkit is reachable from it.
    Row {
        name: "trackway",
        uses: &[
            "model", "plumbing", "codec", "journal", "traceql", "access", "sampling", "tls",
            "receive", "process", "sink", "store", "backends", "query", "serve", "testkit",
        ],
    },
    Row {
        name: "xtask",
        uses: &[],
    },
    // The benchmarks measure the program from outside and, for instruction counts, single rooms from inside.
    Row {
        name: "bench",
        uses: &[
            "model", "plumbing", "codec", "journal", "store", "query", "testkit",
        ],
    },
    // The system tests see the real program from outside only; testkit gives them traffic with known truth, and
    // backends is a client of the storage API that the program serves.
    Row {
        name: "system-tests",
        uses: &["model", "plumbing", "backends", "testkit"],
    },
];

/// What tests may use in any crate, besides the crate's own row.
const TESTS_MAY_USE: [&str; 1] = ["testkit"];

/// Checks the edges of every crate of the workspace.
pub(super) fn check(workspace: &Workspace, tree: &Tree, complaints: &mut Vec<Complaint>) {
    for (package, manifest) in workspace.ours() {
        let file = tree.get(manifest);
        if !file.is_some_and(|file| inherits_lints(&file.text)) {
            complaints.push(LINTS.broken(
                manifest,
                1,
                "the workspace's lints are not on",
                "add: [lints] workspace = true",
            ));
        }
        let Some(row) = FLOOR_PLAN.iter().find(|row| row.name == package.name) else {
            let fix = "add a row to FLOOR_PLAN in xtask/src/tidy/edges.rs, to crates/README.md and to ARCHITECTURE.md";
            complaints.push(UNKNOWN_CRATE.broken(
                manifest,
                1,
                format!("no row for \"{}\"", package.name),
                fix,
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.is_ours)
        {
            if !may_use(row, dependency) {
                let what = format!("\"{}\" may not use \"{}\"", package.name, dependency.name);
                let fix = "move the shared part into model or plumbing, or pass it in from the program; \
                           a new edge needs \
                           a decision record and a row in xtask/src/tidy/edges.rs";
                complaints.push(EDGE.broken(manifest, line_of(file, &dependency.name), what, fix));
            }
        }
    }
}

fn may_use(row: &Row, dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    row.uses.contains(&name) || (dependency.is_dev && TESTS_MAY_USE.contains(&name))
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest
        .lines()
        .skip_while(|line| line.trim() != "[lints]")
        .skip(1);
    lines
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.replace(' ', "") == "workspace=true")
}

/// Finds the line of a manifest that begins with a dependency's name; 1 if there is none.
pub(super) fn line_of(manifest: Option<&SourceFile>, name: &str) -> usize {
    let begins = |line: &str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '=', '.']))
    };
    let found = manifest.and_then(|file| file.numbered().find(|(_, line)| begins(line)));
    found.map_or(1, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Package;

    const LINTED: &str = "[lints]\nworkspace = true\n";

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let one = |(name, is_dev): &(&str, bool)| Dependency {
            name: (*name).to_owned(),
            is_ours: true,
            is_dev: *is_dev,
        };
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            license: None,
            manifest: Some(format!("crates/{name}/Cargo.toml")),
            dependencies: dependencies.iter().map(one).collect(),
        }
    }

    fn complaints_about(package: Package, manifest: &str) -> Vec<Complaint> {
        let path = package.manifest.clone().unwrap();
        let workspace = Workspace {
            packages: vec![package],
            locked: Vec::new(),
        };
        let mut complaints = Vec::new();
        check(&workspace, &Tree::of(&[(&path, manifest)]), &mut complaints);
        complaints
    }

    #[test]
    fn complains_about_a_room_that_imports_a_room_at_its_line() {
        let text =
            format!("{LINTED}[dependencies]\nmodel.workspace = true\nreceive.workspace = true\n");
        let found = complaints_about(
            package("store", &[("model", false), ("receive", false)]),
            &text,
        );
        let places: Vec<_> = found.iter().map(|c| (c.rule, c.line)).collect();
        assert_eq!(places, [("edge", 5)]);
    }

    #[test]
    fn lets_tests_use_testkit_but_not_the_crate_itself() {
        assert!(complaints_about(package("store", &[("testkit", true)]), LINTED).is_empty());
        assert_eq!(
            complaints_about(package("store", &[("testkit", false)]), LINTED).len(),
            1
        );
    }

    #[test]
    fn complains_about_a_crate_without_row_and_without_lints() {
        let rules: Vec<_> = complaints_about(package("helpers", &[]), "[package]\n")
            .iter()
            .map(|c| c.rule)
            .collect();
        assert_eq!(rules, ["lints", "crate-without-row"]);
    }

    #[test]
    fn lets_only_the_program_know_all_rooms() {
        for row in &FLOOR_PLAN {
            let rooms = row
                .uses
                .iter()
                .filter(|name| ["receive", "process", "store", "query", "serve"].contains(*name))
                .count();
            let allowed = match row.name {
                "trackway" => 5,
                "bench" => 2,
                "serve" => 1,
                _ => 0,
            };
            assert_eq!(rooms, allowed, "{}", row.name);
        }
    }
}
