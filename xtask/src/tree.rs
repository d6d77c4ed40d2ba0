//! The text files of the project, read once for all checks.
//!
//! Promises: paths are relative to the root and use `/`; files are sorted by path, so complaints come in one order.
//! Refuses: build output, installed packages and data folders; files that are not UTF-8 are left out.

use std::path::Path;

use anyhow::Context as _;

/// Folders that never hold sources, by name at any depth.
const SKIPPED_ANYWHERE: [&str; 5] = [".git", "node_modules", "__pycache__", ".venv", "target"];
/// Folders that never hold sources, by path from the root.
const SKIPPED_PATHS: [&str; 5] = [
    "data",
    "web/dist",
    "bench/out",
    "fuzz/corpus",
    "fuzz/artifacts",
];
/// Endings of the files that rules speak about.
const TEXT_ENDINGS: [&str; 13] = [
    ".rs", ".md", ".toml", ".py", ".js", ".cjs", ".mjs", ".ts", ".tsx", ".css", ".sh", ".txt",
    ".proto",
];
/// Files without an ending that rules speak about.
const TEXT_NAMES: [&str; 5] = ["Makefile", "run", "setup", "LICENSE", "package.json"];
/// A source file is never bigger; what is bigger is data.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 16;

/// One text file.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// Tells whether the file was written by a program or recorded, so that rules of form do not apply.
    pub(crate) fn is_generated(&self) -> bool {
        self.path.contains("/generated/") || self.path.contains("/golden/")
    }

    /// Tells whether the file holds tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("tests.rs")
            || self.is_web_test()
    }

    /// Tells whether the file holds tests of the web app: its name says of what.
    pub(crate) fn is_web_test(&self) -> bool {
        [".test.ts", ".test.tsx"]
            .iter()
            .any(|ending| self.ends_with(ending))
    }

    /// Tells whether the file name ends so, for instance `.rs`.
    pub(crate) fn ends_with(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }

    /// Lines with their numbers, counted from 1.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

/// All text files under one root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<SourceFile>,
}

impl Tree {
    /// Reads every text file below `root`.
    ///
    /// # Errors
    /// A folder cannot be listed.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        walk(root, "", 0, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// Builds a tree from pairs of path and text, for tests of the checks.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let one = |(path, text): &(&str, &str)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self {
            files: files.iter().map(one).collect(),
        }
    }

    /// Finds a file by its path.
    pub(crate) fn get(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<SourceFile>,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        depth <= DEPTH_MAX,
        "folders lie more than {DEPTH_MAX} deep at \"{prefix}\""
    );
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !SKIPPED_ANYWHERE.contains(&name.as_str()) && !SKIPPED_PATHS.contains(&path.as_str())
            {
                walk(&entry.path(), &path, depth + 1, files)?;
            }
        } else if kind.is_file() && is_text(&name) && entry.metadata()?.len() <= FILE_BYTES_MAX {
            let bytes =
                std::fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(SourceFile { path, text });
            }
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    TEXT_NAMES.contains(&name) || TEXT_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_tests_and_generated_files_by_their_place() {
        let tree = Tree::of(&[
            ("crates/codec/src/generated/otlp.rs", ""),
            ("crates/store/src/head/tests.rs", ""),
            ("crates/store/tests/main.rs", ""),
            ("crates/store/src/lib.rs", ""),
            ("web/src/model/rows.test.ts", ""),
            ("web/src/api/generated/types.ts", ""),
        ]);
        let facts: Vec<_> = tree
            .files
            .iter()
            .map(|file| (file.is_generated(), file.is_test()))
            .collect();
        assert_eq!(
            facts,
            [
                (true, false),
                (false, true),
                (false, true),
                (false, false),
                (false, true),
                (true, false)
            ]
        );
    }

    #[test]
    fn reads_this_project_without_its_build_output() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tree = Tree::read(root).unwrap();
        assert!(tree.get("xtask/src/tree.rs").is_some());
        assert!(
            !tree
                .files
                .iter()
                .any(|file| file.path.starts_with("target/"))
        );
    }
}
