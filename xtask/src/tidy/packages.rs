//! What comes from the registry: licences, bans, double versions, and a written reason for each direct dependency.
//!
//! Promises: a ban holds for the lock file (every platform), so a banned package cannot arrive through another one.
//! Every list here is closed in both directions: an entry that is no longer needed is a complaint too.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::line_of;
use super::licence;
use crate::complaint::{Complaint, Rule};
use crate::tree::{SourceFile, Tree};
use crate::workspace::Workspace;

const LICENCE: Rule = Rule {
    name: "licence",
    why: "everything in the program must be usable by everyone under Apache-2.0 terms",
};
const BANNED: Rule = Rule {
    name: "banned-package",
    why: "each ban has its reason beside it in xtask/src/tidy/packages.rs",
};
const DOUBLE: Rule = Rule {
    name: "two-versions",
    why: "a package in two versions is compiled twice, and its types do not fit each other",
};
const REASON: Rule = Rule {
    name: "dependency-reason",
    why: "a dependency is a promise to watch it; it is made on purpose",
};

/// Packages that may not be in the lock file at all, each with the reason.
const BANNED_ANYWHERE: [(&str, &str); 5] = [
    (
        "openssl-sys",
        "a system library that the target machine may lack; use rustls with ring",
    ),
    (
        "native-tls",
        "behaves differently on every platform; use rustls with ring",
    ),
    ("serde_yaml", "deprecated by its author; use serde-saphyr"),
    (
        "serde_yaml_ng",
        "a translation of the C library with unsafe code; use serde-saphyr",
    ),
    ("serde_yml", "unsound; use serde-saphyr"),
];

/// Packages that may arrive through others but that our crates may not use, each with the reason.
const BANNED_DIRECTLY: [(&str, &str); 6] = [
    (
        "aws-lc-rs",
        "a second crypto library, which scylla's TLS brings and nothing else may use; use ring",
    ),
    (
        "async-trait",
        "allocates for each call; use async functions in traits or a boxed future by hand",
    ),
    (
        "chrono",
        "time is u64 nanoseconds inside and jiff at the rim; one library is enough",
    ),
    ("lazy_static", "the standard library has LazyLock"),
    (
        "once_cell",
        "the standard library has OnceLock and LazyLock",
    ),
    (
        "time",
        "time is u64 nanoseconds inside and jiff at the rim; one library is enough",
    ),
];

/// Names that are in the lock file with more than one version, each with who brings the other one.
const TWO_VERSIONS_ALLOWED: [(&str, &str); 22] = [
    ("lz4_flex", "scylla and krafka are some steps apart"),
    (
        "synstructure",
        "only while building: yoke and its like are one step behind",
    ),
    ("base64", "parquet and tonic are one step apart"),
    (
        "cpufeatures",
        "krafka's SCRAM is on an older line of hashes",
    ),
    ("crypto-common", "as cpufeatures"),
    ("socket2", "krafka is one step behind tokio"),
    (
        "thiserror",
        "krafka's way through proxies is one step behind",
    ),
    ("thiserror-impl", "as thiserror"),
    (
        "bit-vec",
        "only in tests: rcgen's yasna and proptest are one step apart",
    ),
    (
        "foldhash",
        "only in xtask: prost-build's petgraph is one step behind",
    ),
    (
        "getrandom",
        "rand, ahash and tempfile each hold another generation",
    ),
    (
        "hashbrown",
        "only in xtask: prost-build's petgraph is one step behind",
    ),
    (
        "logos",
        "only in xtask: the two halves of protox are one step apart",
    ),
    ("logos-codegen", "as logos"),
    ("logos-derive", "as logos"),
    (
        "num-bigint",
        "never built: rcgen names an optional reader of certificates that is one step behind",
    ),
    ("r-efi", "only on UEFI targets, through getrandom"),
    (
        "rand",
        "proptest and the tests' own generator are one step apart",
    ),
    ("rand_core", "as rand"),
    (
        "syn",
        "derive macros are moving to the next generation one by one",
    ),
    (
        "unicode-width",
        "only in xtask: protox's message drawing is one step behind",
    ),
    ("windows-sys", "only on Windows: ring is behind"),
];

/// Where the reasons are written, and the section of it that is about the web app.
const REASONS_FILE: &str = "docs/dependencies.md";
const WEB_SECTION: &str = "## The web app";
/// What the web app uses.
const WEB_MANIFEST: &str = "web/package.json";

/// Runs all checks of this file.
pub(super) fn check(workspace: &Workspace, tree: &Tree, complaints: &mut Vec<Complaint>) {
    check_licences(workspace, complaints);
    check_bans(workspace, tree, complaints);
    check_versions(workspace, complaints);
    check_reasons(workspace, tree, complaints);
    check_web_reasons(tree, complaints);
}

fn check_licences(workspace: &Workspace, complaints: &mut Vec<Complaint>) {
    for package in &workspace.packages {
        let expression = package.license.as_deref().unwrap_or("");
        if !licence::is_allowed(expression) {
            let what = format!(
                "{} {} has the licence \"{expression}\"",
                package.name, package.version
            );
            let fix =
                "use another package, or read the licence and add it to xtask/src/tidy/licence.rs";
            complaints.push(LICENCE.broken("Cargo.lock", 1, what, fix));
        }
    }
}

fn check_bans(workspace: &Workspace, tree: &Tree, complaints: &mut Vec<Complaint>) {
    for (name, reason) in BANNED_ANYWHERE {
        if workspace.locked.iter().any(|(locked, _)| locked == name) {
            let fix = format!(
                "run cargo tree --target all -i {name} and switch off the feature that brings it"
            );
            complaints.push(BANNED.broken(
                "Cargo.lock",
                1,
                format!("\"{name}\" is banned: {reason}"),
                fix,
            ));
        }
    }
    for (package, manifest) in workspace.ours() {
        for dependency in &package.dependencies {
            let banned = BANNED_DIRECTLY
                .iter()
                .find(|(name, _)| *name == dependency.name);
            if let Some((name, reason)) = banned {
                let line = line_of(tree.get(manifest), name);
                complaints.push(BANNED.broken(
                    manifest,
                    line,
                    format!("\"{name}\" may not be used directly"),
                    *reason,
                ));
            }
        }
    }
}

fn check_versions(workspace: &Workspace, complaints: &mut Vec<Complaint>) {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in &workspace.locked {
        versions.entry(name).or_default().insert(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let listed = |name: &str| {
        TWO_VERSIONS_ALLOWED
            .iter()
            .any(|(allowed, _)| *allowed == name)
    };
    for (name, versions) in versions.iter().filter(|(name, _)| !listed(name)) {
        let shown: Vec<_> = versions.iter().copied().collect();
        let fix = "bring the users of the older one to the newer, or add it to TWO_VERSIONS_ALLOWED with the reason";
        complaints.push(DOUBLE.broken(
            "Cargo.lock",
            1,
            format!("\"{name}\" is there as {}", shown.join(", ")),
            fix,
        ));
    }
    for (name, _) in TWO_VERSIONS_ALLOWED
        .iter()
        .filter(|(name, _)| !versions.contains_key(name))
    {
        let what = format!("\"{name}\" has one version only");
        complaints.push(DOUBLE.broken(
            "xtask/src/tidy/packages.rs",
            1,
            what,
            "remove its line from TWO_VERSIONS_ALLOWED",
        ));
    }
}

fn check_reasons(workspace: &Workspace, tree: &Tree, complaints: &mut Vec<Complaint>) {
    let reasons = tree
        .get(REASONS_FILE)
        .map(|file| rows(file, false))
        .unwrap_or_default();
    let mut used = BTreeSet::new();
    for (package, manifest) in workspace.ours() {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| !dependency.is_ours)
        {
            let is_new = used.insert(dependency.name.as_str());
            if is_new && !reasons.contains_key(dependency.name.as_str()) {
                let line = line_of(tree.get(manifest), &dependency.name);
                let what = format!("\"{}\" has no row in {REASONS_FILE}", dependency.name);
                complaints.push(REASON.broken(
                    manifest,
                    line,
                    what,
                    "add a row: what it is for, and why this one",
                ));
            }
        }
    }
    for (name, line) in reasons.iter().filter(|(name, _)| !used.contains(*name)) {
        let what = format!("nothing uses \"{name}\" any more");
        complaints.push(REASON.broken(REASONS_FILE, *line, what, "remove the row"));
    }
    for (name, line) in tree.get("Cargo.toml").map(offered).unwrap_or_default() {
        if !used.contains(name) {
            let what = format!("no crate uses \"{name}\"");
            complaints.push(REASON.broken(
                "Cargo.toml",
                line,
                what,
                "remove it from [workspace.dependencies]",
            ));
        }
    }
}

/// The same for what the web app uses: its own packages, and those that build and test it.
fn check_web_reasons(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let Some(manifest) = tree.get(WEB_MANIFEST) else {
        return;
    };
    let reasons = tree
        .get(REASONS_FILE)
        .map(|file| rows(file, true))
        .unwrap_or_default();
    let used = web_packages(manifest);
    for (name, line) in &used {
        if !reasons.contains_key(name.as_str()) {
            let what = format!("\"{name}\" has no row in {REASONS_FILE}");
            let fix =
                format!("add a row below \"{WEB_SECTION}\": what it is for, and why this one");
            complaints.push(REASON.broken(WEB_MANIFEST, *line, what, fix));
        }
    }
    for (name, line) in reasons {
        if !used.contains_key(name) {
            let what = format!("the web app does not use \"{name}\" any more");
            complaints.push(REASON.broken(REASONS_FILE, line, what, "remove the row"));
        }
    }
}

/// The packages that a manifest of npm names, with their lines.
fn web_packages(manifest: &SourceFile) -> BTreeMap<String, usize> {
    let parsed: serde_json::Value = serde_json::from_str(&manifest.text).unwrap_or_default();
    let lists = ["dependencies", "devDependencies"].iter();
    let names = lists
        .filter_map(|list| parsed.get(list)?.as_object())
        .flat_map(serde_json::Map::keys);
    let line_of = |name: &String| {
        let quoted = format!("\"{name}\":");
        let line = manifest
            .numbered()
            .find(|(_, line)| line.trim_start().starts_with(&quoted));
        line.map_or(1, |(number, _)| number)
    };
    names.map(|name| (name.clone(), line_of(name))).collect()
}

/// Reads the rows of a table of reasons, that of the web app or those of the crates: name of the package and line.
fn rows(file: &SourceFile, is_web: bool) -> BTreeMap<&str, usize> {
    let mut is_in_web = false;
    let named = |(number, line): (usize, _)| {
        if str::starts_with(line, "## ") {
            is_in_web = line == WEB_SECTION;
        }
        let rest = str::strip_prefix(line, "| `").filter(|_| is_in_web == is_web)?;
        Some((rest.split_once('`')?.0, number))
    };
    file.numbered().filter_map(named).collect()
}

/// Reads the registry packages that the root manifest offers to the crates: name and line.
fn offered(manifest: &SourceFile) -> Vec<(&str, usize)> {
    let section = manifest
        .numbered()
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1);
    let lines = section.take_while(|(_, line)| !line.starts_with('['));
    let entries = lines.filter(|(_, line)| !line.starts_with('#') && !line.contains("path ="));
    entries
        .filter_map(|(number, line)| Some((line.split_once(['=', ' '])?.0.trim(), number)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Dependency, Package};

    fn package(
        name: &str,
        license: &str,
        manifest: Option<&str>,
        dependencies: &[&str],
    ) -> Package {
        let one = |name: &&str| Dependency {
            name: (*name).to_owned(),
            is_ours: false,
            is_dev: false,
        };
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: Some(license.to_owned()),
            manifest: manifest.map(str::to_owned),
            dependencies: dependencies.iter().map(one).collect(),
        }
    }

    fn whats(check: impl Fn(&mut Vec<Complaint>)) -> Vec<String> {
        let mut complaints = Vec::new();
        check(&mut complaints);
        complaints
            .iter()
            .map(|c| format!("{}:{} {}", c.file, c.line, c.what))
            .collect()
    }

    #[test]
    fn complains_about_a_licence_that_nobody_allowed() {
        let packages = vec![
            package("good", "MIT", None, &[]),
            package("bad", "GPL-3.0", None, &[]),
        ];
        let workspace = Workspace {
            packages,
            locked: Vec::new(),
        };
        assert_eq!(
            whats(|c| check_licences(&workspace, c)),
            ["Cargo.lock:1 bad 1.0.0 has the licence \"GPL-3.0\""]
        );
    }

    #[test]
    fn wants_a_reason_for_each_package_of_the_web_app_in_its_own_section() {
        let manifest = "{\n  \"dependencies\": {\n    \"react\": \"19\"\n  },\n\
        \"devDependencies\": {\n    \"vite\": \"8\"\n  }\n}\n";
        let complaints = |reasons: &str| {
            let tree = Tree::of(&[(WEB_MANIFEST, manifest), (REASONS_FILE, reasons)]);
            whats(|c| check_web_reasons(&tree, c))
        };
        let good = "## Other\n| `tokio` | x |\n## The web app\n| `react` | x |\n| `vite` | x |\n";
        assert!(complaints(good).is_empty());
        assert_eq!(
            complaints("## The web app\n| `vite` | x |\n| `gone` | x |\n"),
            [
                "web/package.json:3 \"react\" has no row in docs/dependencies.md",
                "docs/dependencies.md:3 the web app does not use \"gone\" any more"
            ]
        );
        assert_eq!(complaints("| `react` | x |\n| `vite` | x |\n").len(), 2);
    }

    #[test]
    fn finds_banned_packages_in_the_lock_and_direct_bans_in_manifests() {
        let packages = vec![package(
            "store",
            "MIT",
            Some("crates/store/Cargo.toml"),
            &["chrono"],
        )];
        let locked = vec![
            ("openssl-sys".to_owned(), "0.9.0".to_owned()),
            ("chrono".to_owned(), "0.4.0".to_owned()),
        ];
        let tree = Tree::of(&[(
            "crates/store/Cargo.toml",
            "[dependencies]\nchrono.workspace = true\n",
        )]);
        let workspace = Workspace { packages, locked };
        let found = whats(|c| check_bans(&workspace, &tree, c));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found
                .iter()
                .any(|what| what.starts_with("Cargo.lock:1 \"openssl-sys\""))
        );
        assert!(
            found
                .iter()
                .any(|what| what.starts_with("crates/store/Cargo.toml:2 \"chrono\""))
        );
    }

    #[test]
    fn complains_about_a_new_double_version_and_about_a_stale_entry() {
        let mut locked: Vec<_> = [("hyper", "1.0.0"), ("hyper", "2.0.0")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .to_vec();
        for (name, _) in TWO_VERSIONS_ALLOWED.iter().skip(1) {
            locked
                .extend(["1.0.0", "2.0.0"].map(|version| ((*name).to_owned(), version.to_owned())));
        }
        let workspace = Workspace {
            packages: Vec::new(),
            locked,
        };
        let found = whats(|c| check_versions(&workspace, c));
        let stale = TWO_VERSIONS_ALLOWED[0].0;
        let expected = [
            "Cargo.lock:1 \"hyper\" is there as 1.0.0, 2.0.0".to_owned(),
            format!("xtask/src/tidy/packages.rs:1 \"{stale}\" has one version only"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn wants_a_reason_for_each_direct_dependency_and_no_row_too_many() {
        let packages = vec![package(
            "store",
            "MIT",
            Some("crates/store/Cargo.toml"),
            &["bytes", "regex"],
        )];
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace.dependencies]\nmodel = { path = \"m\" }\nbytes = \"1\"\nregex = \"1\"\nhttp = \"1\"\n",
            ),
            (
                "crates/store/Cargo.toml",
                "[dependencies]\nbytes = \"1\"\nregex = \"1\"\n",
            ),
            (
                REASONS_FILE,
                "| Package | Why |\n|---|---|\n| `bytes` | shared buffers |\n| `old` | gone |\n",
            ),
        ]);
        let workspace = Workspace {
            packages,
            locked: Vec::new(),
        };
        let found = whats(|c| check_reasons(&workspace, &tree, c));
        let expected = [
            "crates/store/Cargo.toml:3 \"regex\" has no row in docs/dependencies.md",
            "docs/dependencies.md:4 nothing uses \"old\" any more",
            "Cargo.toml:5 no crate uses \"http\"",
        ];
        assert_eq!(found, expected);
    }
}
