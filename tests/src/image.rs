//! The image: made without a container engine, looked into, and run as a container runs it: another root that belongs
//! to somebody else, a user without rights, an environment with nothing in it. `cluster` runs it in pods.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::folder::{Folder, project_root};
use crate::program::binary;
use crate::wait::skipped;

/// Who the program is in it.
const USER: &str = "10001:10001";
const DOCKERFILE: &str = "deploy/Dockerfile";

fn make(arguments: &[&str]) {
    let made = Command::new(project_root().join("deploy/image"))
        .arg("--program")
        .arg(binary())
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
}

/// Runs a command of the image on its own files.
fn run(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let user = format!("--userspec={USER}");
    let mut command = Command::new("/usr/sbin/chroot");
    command
        .env_clear()
        .arg(user)
        .arg(root)
        .arg("/usr/bin/trackway")
        .args(arguments);
    command.envs(variables.iter().copied()).output().unwrap()
}

/// Nothing but root may change the root of a process.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let is_root = status.lines().any(|line| line.starts_with("Uid:\t0"));
    if !is_root {
        skipped("only root may change the root of a process");
    }
    is_root
}

#[test]
fn the_program_runs_on_what_is_in_the_image() {
    if !is_root() {
        return;
    }
    let folder = Folder::new("image");
    let root = folder.join("root");
    make(&["--tree", root.to_str().unwrap()]);
    let version = run(&root, &["--version"], &[]);
    let said = String::from_utf8_lossy(&version.stdout);
    assert!(
        said.starts_with("trackway "),
        "{said}{}",
        String::from_utf8_lossy(&version.stderr)
    );
    // Names are looked up, the system's authorities are there, and the data folder can be written.
    let config = ["--set", "backend.kind=elasticsearch", "--set"];
    let hosts = "backend.elasticsearch.hosts=https://127.0.0.1:1";
    let looked = run(
        &root,
        &[
            &["doctor", "--role", "query", "--json"],
            &config[..],
            &[hosts],
        ]
        .concat(),
        &[],
    );
    let said = String::from_utf8_lossy(&looked.stdout);
    assert!(said.contains("127.0.0.1:1: Connection refused"), "{said}");
    let looked = run(&root, &["doctor", "--data-dir", "/data/trackway"], &[]);
    let said = String::from_utf8_lossy(&looked.stdout);
    assert!(said.contains("/data can be written"), "{said}");
    let elsewhere = run(&root, &["doctor", "--data-dir", "/usr/trackway"], &[]);
    let said = String::from_utf8_lossy(&elsewhere.stdout);
    assert!(said.contains("/usr can't be written"), "{said}");
    for file in [
        "etc/ssl/certs/ca-certificates.crt",
        "usr/share/zoneinfo/Europe/Berlin",
        "usr/share/doc/trackway/LICENSE",
    ] {
        assert!(root.join(file).exists(), "{file}");
    }
    let passwd = std::fs::read_to_string(root.join("etc/passwd")).unwrap();
    assert!(passwd.contains("app:x:10001:10001:"), "{passwd}");
    assert!(!root.join("bin/sh").exists());
}

#[test]
fn the_list_of_what_it_is_made_of_has_the_crates_and_the_packages() {
    let made = Command::new(project_root().join("deploy/sbom"))
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let list: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(list["spdxVersion"], "SPDX-2.3");
    let packages = list["packages"].as_array().unwrap();
    let has = |purl: &str| {
        let found = packages.iter().any(|package| {
            let place = &package["externalRefs"][0]["referenceLocator"];
            place.as_str().is_some_and(|place| place.starts_with(purl))
        });
        assert!(found, "{purl}");
    };
    ["pkg:cargo/trackway@", "pkg:cargo/tokio@", "pkg:npm/react@"]
        .iter()
        .for_each(|purl| has(purl));
    // What only builds and tests is not in it.
    let is_there = |name: &str| packages.iter().any(|package| package["name"] == name);
    assert!(!is_there("vite") && !is_there("proptest"));
    let undeclared: Vec<&Value> = packages
        .iter()
        .filter(|package| package["licenseDeclared"] == "NOASSERTION")
        .map(|package| &package["name"])
        .filter(|name| *name != "libc6" && *name != "libgcc-s1")
        .collect();
    assert!(undeclared.is_empty(), "without a licence: {undeclared:?}");
}

#[test]
fn the_archive_says_who_runs_it_and_where_it_listens_as_the_dockerfile_does() {
    let folder = Folder::new("archive");
    let archive = folder.join("image.tar");
    make(&[
        "--output",
        archive.to_str().unwrap(),
        "--name",
        "localhost/test:1",
    ]);
    let read = |name: &str| -> Value {
        let found = Command::new("tar")
            .arg("-xOf")
            .arg(&archive)
            .arg(name)
            .output()
            .unwrap();
        serde_json::from_slice(&found.stdout).unwrap()
    };
    let blob = |digest: &Value| format!("blobs/{}", digest.as_str().unwrap().replace(':', "/"));
    let index = read("index.json");
    let manifest = read(&blob(&index["manifests"][0]["digest"]));
    let config = read(&blob(&manifest["config"]["digest"]));
    let config = &config["config"];
    assert_eq!(config["User"], USER);
    assert_eq!(
        config["Entrypoint"],
        serde_json::json!(["/usr/bin/trackway"])
    );
    assert_eq!(
        config["Labels"]["org.opencontainers.image.version"],
        env!("CARGO_PKG_VERSION")
    );

    let dockerfile = std::fs::read_to_string(project_root().join(DOCKERFILE)).unwrap();
    let line = |instruction: &str| {
        let found = dockerfile
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix(instruction));
        found
            .unwrap_or_else(|| panic!("no {instruction} in {DOCKERFILE}"))
            .trim()
            .to_owned()
    };
    assert_eq!(line("USER "), USER);
    let json = |text: String| -> Value { serde_json::from_str(&text).unwrap() };
    assert_eq!(json(line("ENTRYPOINT ")), config["Entrypoint"]);
    assert_eq!(json(line("CMD ")), config["Cmd"]);
    assert_eq!(line("WORKDIR "), config["WorkingDir"]);
    let mut exposed: Vec<String> = line("EXPOSE ")
        .split_whitespace()
        .map(|port| {
            if port.contains('/') {
                port.to_owned()
            } else {
                format!("{port}/tcp")
            }
        })
        .collect();
    exposed.sort();
    let mut ports: Vec<String> = config["ExposedPorts"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    ports.sort();
    assert_eq!(exposed, ports);
    assert_eq!(line("ARG VERSION="), env!("CARGO_PKG_VERSION"));
    for label in config["Labels"].as_object().unwrap().keys() {
        assert!(dockerfile.contains(&format!("{label}=")), "{label}");
    }
    assert_eq!(stages_of(&dockerfile).last(), Some(&"scratch"));
    // The same file makes the image for other processors: none is named but in comments.
    let does = dockerfile.lines().filter(|line| !line.starts_with('#'));
    for line in does {
        let names = ["amd64", "x86", "arm64", "aarch64"];
        assert!(!names.iter().any(|name| line.contains(name)), "{line}");
    }
}

/// What the stages of a Dockerfile stand on; each on one version.
fn stages_of(dockerfile: &str) -> Vec<&str> {
    let stages = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "));
    let stages: Vec<&str> = stages
        .filter_map(|stage| stage.split_whitespace().next())
        .collect();
    for image in stages.iter().filter(|image| **image != "scratch") {
        let tag = image.split(':').nth(1).unwrap_or_default();
        assert!(
            tag.starts_with(|sign: char| sign.is_ascii_digit()),
            "{image} has no version"
        );
    }
    stages
}

/// Nobody builds them in the tests, where there is no engine: what they copy and start is there, and nothing else of
/// them differs from the images that the cluster runs.
#[test]
fn the_dockerfiles_of_the_samples_copy_and_start_what_is_there() {
    for (sample, starts) in [("services", "service-a.js"), ("shop", "shop.js")] {
        let folder = project_root().join("examples").join(sample);
        let dockerfile = std::fs::read_to_string(folder.join("Dockerfile")).unwrap();
        let lines = |instruction: &'static str| {
            dockerfile
                .lines()
                .filter_map(move |line| line.strip_prefix(instruction))
        };
        assert_eq!(stages_of(&dockerfile).len(), 2, "{sample}");
        assert_eq!(lines("USER ").next_back(), Some(USER), "{sample}");
        assert_eq!(lines("WORKDIR ").next_back(), Some("/app"), "{sample}");
        let of_folder = lines("COPY ").filter(|copied| !copied.starts_with("--from="));
        for copied in of_folder {
            let words: Vec<&str> = copied.split_whitespace().collect();
            for source in &words[..words.len() - 1] {
                let is_there = *source == "*.js" || folder.join(source).exists();
                assert!(is_there, "{sample}: there is no {source}");
            }
        }
        let command: Vec<String> =
            serde_json::from_str(lines("CMD ").next_back().unwrap()).unwrap();
        assert!(
            command.contains(&starts.to_owned()),
            "{sample}: {command:?}"
        );
        for file in command.iter().filter(|word| word.ends_with(".js")) {
            assert!(folder.join(file).exists(), "{sample}: there is no {file}");
        }
    }
}
