//! The packages of the project and what they depend on, as `cargo metadata` and the lock file tell it.
//!
//! Promises: nothing is downloaded beyond what a build on this machine needs; a dependency keeps its kind (normal,
//! build, dev), because different rules hold for tests.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::process::output_of;

/// One package of the resolved set, ours or from a registry.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The licence expression of its manifest.
    pub(crate) license: Option<String>,
    /// Manifest path relative to the root; `None` for packages from a registry.
    pub(crate) manifest: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependency tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Lies in this workspace.
    pub(crate) is_ours: bool,
    /// Only for tests, examples and benchmarks.
    pub(crate) is_dev: bool,
}

/// All packages that a build for this machine needs.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    /// Name and version of every package of the lock file, for every platform.
    pub(crate) locked: Vec<(String, String)>,
}

impl Workspace {
    /// Asks cargo and reads the lock file.
    ///
    /// # Errors
    /// Cargo fails (for instance because the lock file is out of date) or says something unexpected.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let host = host_triple()?;
        let mut cargo = Command::new("cargo");
        cargo
            .args([
                "metadata",
                "--format-version",
                "1",
                "--locked",
                "--filter-platform",
                &host,
            ])
            .current_dir(root);
        let metadata: Value =
            serde_json::from_str(&output_of(&mut cargo)?).context("cannot read cargo metadata")?;
        let lock =
            std::fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
        Self::from_parts(&metadata, &lock)
    }

    /// Builds the workspace from cargo's JSON and the text of the lock file.
    ///
    /// # Errors
    /// The JSON lacks a field that cargo promises.
    pub(crate) fn from_parts(metadata: &Value, lock: &str) -> anyhow::Result<Self> {
        let root = metadata["workspace_root"]
            .as_str()
            .context("cargo metadata names no workspace_root")?;
        let packages = metadata["packages"]
            .as_array()
            .context("cargo metadata lists no packages")?;
        let packages = packages
            .iter()
            .map(|package| read_package(package, root))
            .collect::<Option<Vec<_>>>();
        Ok(Self {
            packages: packages.context("a package in cargo metadata lacks a name")?,
            locked: read_lock(lock),
        })
    }

    /// The project's own packages.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&Package, &str)> {
        self.packages
            .iter()
            .filter_map(|package| Some((package, package.manifest.as_deref()?)))
    }
}

/// Returns the name of this machine's target, for instance `x86_64-unknown-linux-gnu`.
///
/// # Errors
/// `rustc` cannot be run.
pub(crate) fn host_triple() -> anyhow::Result<String> {
    let text = output_of(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

fn read_package(package: &Value, root: &str) -> Option<Package> {
    let manifest = package["manifest_path"].as_str()?;
    let is_ours = package["source"].is_null();
    let relative = manifest
        .strip_prefix(root)
        .map(|path| path.trim_start_matches('/').to_owned());
    let dependencies = package["dependencies"]
        .as_array()?
        .iter()
        .filter_map(|dependency| {
            Some(Dependency {
                name: dependency["name"].as_str()?.to_owned(),
                is_ours: dependency["path"].is_string(),
                is_dev: dependency["kind"].as_str() == Some("dev"),
            })
        });
    Some(Package {
        name: package["name"].as_str()?.to_owned(),
        version: package["version"].as_str()?.to_owned(),
        license: package["license"].as_str().map(str::to_owned),
        manifest: if is_ours { relative } else { None },
        dependencies: dependencies.collect(),
    })
}

fn read_lock(lock: &str) -> Vec<(String, String)> {
    let quoted = |line: &str, key: &str| {
        line.strip_prefix(key)
            .and_then(|rest| rest.trim().strip_prefix('"'))
            .map(|rest| rest.trim_end_matches('"').to_owned())
    };
    let mut name = None;
    let mut found = Vec::new();
    for line in lock.lines() {
        if let Some(value) = quoted(line, "name =") {
            name = Some(value);
        } else if let (Some(version), Some(name)) = (quoted(line, "version ="), name.take()) {
            found.push((name, version));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_packages_kinds_and_the_lock() {
        let metadata = serde_json::json!({
            "workspace_root": "/w",
            "packages": [
                { "name": "store", "version": "0.1.0", "license": "Apache-2.0", "source": null,
                  "manifest_path": "/w/crates/store/Cargo.toml",
                  "dependencies": [
                      { "name": "model", "path": "/w/crates/model", "kind": null },
                      { "name": "rand", "kind": "dev" }] },
                { "name": "rand", "version": "0.9.0", "license": "MIT", "source": "registry",
                  "manifest_path": "/r/rand/Cargo.toml", "dependencies": [] }]
        });
        let lock = "version = 4\n\n[[package]]\nname = \"rand\"\nversion = \"0.9.0\"\n\n\
                    [[package]]\nname = \"rand\"\nversion = \"0.10.0\"\n";
        let workspace = Workspace::from_parts(&metadata, lock).unwrap();
        let ours: Vec<_> = workspace
            .ours()
            .map(|(package, manifest)| (package.name.as_str(), manifest))
            .collect();
        assert_eq!(ours, [("store", "crates/store/Cargo.toml")]);
        let dependency = |name: &str, is_ours, is_dev| Dependency {
            name: name.to_owned(),
            is_ours,
            is_dev,
        };
        assert_eq!(
            workspace.packages.first().unwrap().dependencies,
            [
                dependency("model", true, false),
                dependency("rand", false, true)
            ]
        );
        assert_eq!(workspace.locked.len(), 2);
    }
}
