//! Runs Helm and kubeconform, and reads what they print.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::planted;
use crate::folder::{Folder, copy, project_root};
use crate::ran::Ran;
use crate::wait::skipped;

/// What says of itself that it is Kubernetes 1.35 of EKS, with the kinds of others that the chart knows.
const CLUSTER: [&str; 2] = ["--kube-version", "v1.35.4-eks-1a2b3c"];

/// The tools, where they can be had.
#[derive(Debug)]
pub(crate) struct Tools {
    bin: PathBuf,
    root: PathBuf,
}

/// What Helm printed.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(super) text: String,
    pub(crate) objects: Vec<Value>,
}

impl Tools {
    /// Nothing where they can't be had on this machine, which is said.
    pub(crate) fn find() -> Option<Self> {
        let root = project_root();
        let cache = std::env::var_os("TRACKWAY_SERVERS_CACHE")
            .map_or_else(|| root.join("target/servers"), PathBuf::from);
        let bin = cache.join("kubernetes/bin");
        if bin.join("helm").exists() && bin.join("kubeconform").exists() {
            return Some(Self { bin, root });
        }
        skipped("helm is missing: tests/servers/setup installs it where there is Go");
        None
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn chart(&self) -> PathBuf {
        planted::chart(&self.root)
    }

    /// Every file of values that is tried, by its name.
    pub(super) fn value_files(&self) -> BTreeMap<String, PathBuf> {
        let entries = std::fs::read_dir(self.chart().join("ci")).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        let mut found: BTreeMap<String, PathBuf> = files
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name.trim_end_matches("-values.yaml").to_owned(), path)
            })
            .collect();
        let tutorial = self.root.join("examples/tutorial.yaml");
        found.insert("examples/tutorial".to_owned(), tutorial);
        found
    }

    /// One of them.
    pub(crate) fn value_file(&self, name: &str) -> PathBuf {
        self.value_files()[name].clone()
    }

    /// What they render for a release called `jaeger`, by their names; once for all tests.
    pub(crate) fn rendered(&self) -> &'static BTreeMap<String, Rendered> {
        static RENDERED: OnceLock<BTreeMap<String, Rendered>> = OnceLock::new();
        RENDERED.get_or_init(|| {
            let files = self.value_files().into_iter();
            files
                .map(|(name, file)| (name, self.render_file("jaeger", &file)))
                .collect()
        })
    }

    /// Runs Helm.
    pub(super) fn helm(&self, arguments: &[&str]) -> Ran {
        let mut helm = Command::new(self.bin.join("helm"));
        helm.args(arguments).envs(helm_homes(&self.root));
        Ran::from(helm.output().unwrap())
    }

    /// Renders a file of values.
    pub(super) fn render_file(&self, release: &str, file: &Path) -> Rendered {
        let Ran {
            is_well,
            said: text,
        } = self.template(release, &self.chart(), file);
        assert!(is_well, "{}: {text}", file.display());
        let objects = read(&text);
        Rendered { text, objects }
    }

    fn template(&self, release: &str, chart: &Path, file: &Path) -> Ran {
        let (chart, file) = (chart.to_str().unwrap(), file.to_str().unwrap());
        let rendering = ["template", release, chart, "-f", file];
        self.helm(&[&rendering[..], &CLUSTER].concat())
    }

    /// Renders values that are given as YAML.
    pub(crate) fn render(&self, release: &str, values: &str) -> Rendered {
        self.with_file(values, |file| self.render_file(release, file))
    }

    /// Why Helm refuses these values.
    pub(super) fn refusal(&self, values: &str) -> String {
        self.with_file(values, |file| {
            let (chart, file) = (self.chart(), file.display().to_string());
            let ran = self.helm(&["template", "jaeger", chart.to_str().unwrap(), "-f", &file]);
            assert!(!ran.is_well, "these values were taken: {values}");
            ran.said
        })
    }

    /// What Helm tells who has installed these values. Only a cluster can be asked for it, so that a copy of the chart
    /// shows it as an object.
    pub(super) fn notes(&self, values: &str) -> String {
        let folder = Folder::new("notes");
        let chart = folder.join("trackway");
        copy(&self.chart(), &chart);
        let templates = chart.join("templates");
        let notes = std::fs::read_to_string(templates.join("NOTES.txt")).unwrap();
        let define = format!("{{{{- define \"notes\" -}}}}{notes}{{{{- end -}}}}");
        std::fs::write(templates.join("_notes.tpl"), define).unwrap();
        let shown = r#"{kind: Notes, text: {{ include "notes" . | toJson }}}"#;
        std::fs::write(templates.join("notes.yaml"), shown).unwrap();
        self.with_file(values, |file| {
            let objects = read(&self.template("jaeger", &chart, file).well());
            let notes = objects.iter().find(|object| object["kind"] == "Notes");
            text(&notes.unwrap()["text"]).to_owned()
        })
    }

    /// Does something with texts that stand in files.
    pub(super) fn with_files<T>(&self, texts: &[&str], work: impl FnOnce(&[String]) -> T) -> T {
        let folder = Folder::new("helm");
        let files = texts.iter().enumerate().map(|(number, text)| {
            let file = folder.join(&format!("{number}.yaml"));
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        });
        work(&files.collect::<Vec<_>>())
    }

    fn with_file<T>(&self, values: &str, work: impl FnOnce(&Path) -> T) -> T {
        self.with_files(&[values], |files| work(Path::new(&files[0])))
    }

    /// What the schemas of Kubernetes and of kinds of others say of a text with objects; nothing: they are content.
    pub(super) fn complaints(&self, text: &str) -> String {
        let schemas = self.bin.parent().unwrap().join("schemas");
        let schemas = format!(
            "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            schemas.display()
        );
        self.with_file(text, |file| {
            let ran = Command::new(self.bin.join("kubeconform"))
                .args(["-strict", "-schema-location", &schemas])
                .arg(file)
                .output()
                .unwrap();
            String::from_utf8_lossy(&ran.stdout).into_owned()
        })
    }
}

/// Where Helm keeps what is its own: nothing of the user's settings or caches is read or written.
pub(crate) fn helm_homes(root: &Path) -> impl Iterator<Item = (&'static str, PathBuf)> {
    let home = root.join("target/tmp/helm");
    let variables = ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"];
    variables.into_iter().map(move |name| (name, home.clone()))
}

/// The objects of a text in YAML.
pub(crate) fn read(text: &str) -> Vec<Value> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(text)
        .unwrap_or_else(|error| panic!("no YAML: {error}\n{text}"));
    objects
        .into_iter()
        .filter(|object| !object.is_null())
        .collect()
}

impl Rendered {
    /// The objects of a kind.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        self.objects
            .iter()
            .filter(move |object| object["kind"] == kind)
    }

    /// One object.
    pub(super) fn find(&self, kind: &str, name: &str) -> &Value {
        let named = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
        let mut found = self.objects.iter().filter(named);
        let one = found
            .next()
            .unwrap_or_else(|| panic!("no {kind} {name} in {:?}", self.names()));
        assert!(found.next().is_none(), "two {kind} {name}");
        one
    }

    /// The kinds and names of all objects.
    pub(super) fn names(&self) -> Vec<String> {
        let named = self.objects.iter().map(|object| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "{}/{}",
                text(&object["kind"]),
                text(&object["metadata"]["name"])
            )
        });
        named.collect()
    }

    /// Everything that runs: its kind and name, and the template of its pods.
    pub(super) fn pods(&self) -> Vec<(String, &Value)> {
        let pods = self.objects.iter().filter_map(|object| {
            let template = match object["kind"].as_str()? {
                "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => &object["spec"]["template"],
                "CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"],
                "Pod" => object,
                _ => return None,
            };
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            Some((format!("{} {name}", object["kind"].as_str()?), template))
        });
        pods.collect()
    }
}

/// The members of a list; nothing where there is none.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text; empty where there is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
