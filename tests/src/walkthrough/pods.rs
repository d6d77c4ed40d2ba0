//! Pods of rendered manifests as processes of this machine.
//!
//! Taken as they are written: commands, arguments, variables and what they refer to, ConfigMaps and Secrets at their
//! mount paths, Services with selectors and ports, readiness probes. What a process finds elsewhere than a pod is put
//! in the place of its name, wherever a text has it: mount paths (below a folder), a Service with its port (the
//! loopback address of a pod), 0.0.0.0 (its own). Not there: images, users, limits.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::chart::render::{items, text};
use crate::folder::Folder;
use crate::http;
use crate::program::binary;
use crate::ran::Ran;
use crate::wait::until;

/// Longer than anything takes on a busy machine.
const READY_MAX: Duration = Duration::from_secs(120);
/// Longer than what a job, or a test, waits for.
const ENDED_MAX: Duration = Duration::from_secs(180);
/// How many sets of pods this process has.
static SETS: AtomicU32 = AtomicU32::new(0);
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// The manifests, and what stands for what they name.
#[derive(Debug)]
pub(super) struct Pods {
    /// Which set of pods of this process it is.
    number: u32,
    folder: Folder,
    objects: Vec<Value>,
    /// By "Service:port", also with the namespace behind the Service.
    ways: BTreeMap<String, String>,
    /// Where the application is that images have in their working directory.
    app: PathBuf,
}

/// A pod that runs; it ends with the value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _buried = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("{}:\n{log}", self.log.display());
        }
    }
}

/// One pod on its way to a process.
struct Pod<'a> {
    name: &'a str,
    template: &'a Value,
    address: String,
    /// Mount paths and their folders here.
    mounts: Vec<(&'a str, PathBuf)>,
}

impl Pods {
    /// Those of some manifests, with ways ("name:port") to what runs outside of them.
    pub(super) fn of(objects: Vec<Value>, outside: &[(&str, &str)], app: PathBuf) -> Self {
        let outside = outside.iter();
        let mut pods = Self {
            number: 1 + SETS.fetch_add(1, Ordering::Relaxed),
            folder: Folder::new("pods"),
            ways: outside
                .map(|(name, way)| ((*name).to_owned(), (*way).to_owned()))
                .collect(),
            app,
            objects,
        };
        pods.find_ways();
        pods
    }

    /// Each Service leads to the pods that it selects.
    fn find_ways(&mut self) {
        let mut ways = BTreeMap::new();
        for service in self.objects.iter().filter(|o| o["kind"] == "Service") {
            let name = text(&service["metadata"]["name"]);
            let selector = service["spec"]["selector"].as_object().unwrap();
            let is_selected = |workload: &&Value| {
                let labels = &workload["spec"]["template"]["metadata"]["labels"];
                selector.iter().all(|(key, value)| labels[key] == *value)
            };
            let workload = self.workloads().find(is_selected);
            let workload = workload.unwrap_or_else(|| panic!("{name} selects nothing"));
            let template = &workload["spec"]["template"];
            let address = self.address_of(text(&workload["metadata"]["name"]));
            for port in items(&service["spec"]["ports"]) {
                let target = port_of(template, &port["targetPort"]);
                let (way, port) = (format!("{address}:{target}"), &port["port"]);
                ways.insert(format!("{name}:{port}"), way.clone());
                ways.insert(format!("{name}.tracing.svc:{port}"), way);
            }
        }
        self.ways.extend(ways);
    }

    fn workloads(&self) -> impl Iterator<Item = &Value> {
        let of_pods = |object: &&Value| WORKLOADS.contains(&text(&object["kind"]));
        self.objects.iter().filter(of_pods)
    }

    /// A loopback address that no other pod of this run has, and hardly one of a run beside it.
    fn address_of(&self, name: &str) -> String {
        let place = self
            .workloads()
            .position(|workload| workload["metadata"]["name"] == name)
            .map_or(1, |place| place + 2);
        let (run, set) = (1 + std::process::id() % 250, self.number);
        format!("127.{run}.{set}.{place}")
    }

    /// Where a Service's port is: what `kubectl port-forward` leads to.
    pub(super) fn way_to(&self, service: &str, port: u16) -> &str {
        &self.ways[&format!("{service}:{port}")]
    }

    /// Starts the pods of a workload, one for all, and waits until they are ready.
    pub(super) fn start(&self, name: &str) -> Process {
        let mut named = self.workloads().filter(|o| o["metadata"]["name"] == name);
        let workload = named.next().unwrap_or_else(|| panic!("there is no {name}"));
        let pod = self.pod(name, &workload["spec"]["template"]);
        let log = self.folder.join(&format!("{name}.log"));
        let out = File::create(&log).unwrap();
        let mut command = self.command(&pod);
        command.stdout(out.try_clone().unwrap()).stderr(out);
        let mut process = Process {
            child: command.spawn().unwrap(),
            log,
        };
        let probe = &container_of(pod.template)["readinessProbe"]["httpGet"];
        let port = port_of(pod.template, &probe["port"]);
        let (admin, path) = (format!("{}:{port}", pod.address), text(&probe["path"]));
        let is_ready = until(READY_MAX, || {
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "{name} ended: {ended:?}");
            let answer = http::get(&admin, path).ok()?;
            (answer.status == 200).then_some(())
        });
        is_ready.unwrap_or_else(|| panic!("{name} does not become ready"));
        process
    }

    /// Runs a pod, or that of a job, to its end.
    pub(super) fn run(&self, kind: &str, name: &str) -> Ran {
        // Behind the name of a job stands what it depends on.
        let is_named = |object: &&Value| {
            object["kind"] == kind && text(&object["metadata"]["name"]).starts_with(name)
        };
        let object = self.objects.iter().find(is_named);
        let object = object.unwrap_or_else(|| panic!("there is no {kind} {name}"));
        let template = match kind {
            "Job" => &object["spec"]["template"],
            _ => object,
        };
        let mut command = self.command(&self.pod(name, template));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if until(ENDED_MAX, || child.try_wait().unwrap()).is_none() {
            child.kill().unwrap();
            panic!(
                "{name} does not end: {:?}",
                Ran::from(child.wait_with_output().unwrap())
            );
        }
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Makes the files that its volumes give it.
    fn pod<'a>(&self, name: &'a str, template: &'a Value) -> Pod<'a> {
        let mut mounts = Vec::new();
        for mount in items(&container_of(template)["volumeMounts"]) {
            let (volume, path) = (&mount["name"], text(&mount["mountPath"]));
            let here = self.folder.join(name).join(path.trim_start_matches('/'));
            std::fs::create_dir_all(&here).unwrap();
            mounts.push((path, here.clone()));
            let volumes = items(&template["spec"]["volumes"]).iter();
            let volume = volumes
                .clone()
                .find(|one| one["name"] == *volume)
                .unwrap_or_else(|| panic!("{name}: there is no volume {volume}"));
            let (kind, of) = match (&volume["configMap"], &volume["secret"]) {
                (Value::Null, Value::Null) => continue,
                (Value::Null, secret) => ("Secret", &secret["secretName"]),
                (map, _) => ("ConfigMap", &map["name"]),
            };
            for (key, value) in self.data_of(kind, text(of)) {
                std::fs::write(here.join(key), value).unwrap();
            }
        }
        let pod = Pod {
            name,
            template,
            address: self.address_of(name),
            mounts,
        };
        // Files name each other, too.
        for (_, here) in &pod.mounts {
            for file in std::fs::read_dir(here).unwrap() {
                let file = file.unwrap().path();
                if file.extension().is_some_and(|end| end == "yaml") {
                    let written = std::fs::read_to_string(&file).unwrap();
                    std::fs::write(&file, self.placed(&pod, &written)).unwrap();
                }
            }
        }
        pod
    }

    /// What stands in a ConfigMap or a Secret.
    fn data_of(&self, kind: &str, name: &str) -> BTreeMap<String, String> {
        let is_meant = |o: &&Value| o["kind"] == kind && o["metadata"]["name"] == name;
        let object = self.objects.iter().find(is_meant);
        let object = object.unwrap_or_else(|| panic!("there is no {kind} {name}"));
        let texts = |of: &str| {
            let data = object[of].as_object().into_iter().flatten();
            data.map(|(key, value)| (key.clone(), text(value).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        if kind == "ConfigMap" {
            return texts("data");
        }
        let packed = texts("data").into_iter().map(|(key, value)| {
            let bytes = BASE64_STANDARD.decode(value).unwrap();
            (key, String::from_utf8(bytes).unwrap())
        });
        packed.chain(texts("stringData")).collect()
    }

    fn command(&self, pod: &Pod<'_>) -> Command {
        let container = container_of(pod.template);
        let mut words = items(&container["command"]).iter().map(text);
        let mut command = match words.next() {
            Some(program) => Command::new(program),
            None => Command::new(binary()),
        };
        let arguments = words.chain(items(&container["args"]).iter().map(text));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(arguments.map(|word| self.placed(pod, word)))
            .stdin(Stdio::null());
        if !container["workingDir"].is_null() {
            command.current_dir(&self.app);
        }
        let mut known: Vec<(String, String)> = Vec::new();
        for variable in items(&container["env"]) {
            let mut value = self.value_of(pod, variable);
            for (name, earlier) in &known {
                value = value.replace(&format!("$({name})"), earlier);
            }
            known.push((text(&variable["name"]).to_owned(), value));
        }
        command.envs(known);
        command
    }

    fn value_of(&self, pod: &Pod<'_>, variable: &Value) -> String {
        let from = &variable["valueFrom"];
        let (secret, field) = (&from["secretKeyRef"], &from["fieldRef"]["fieldPath"]);
        match (secret["name"].as_str(), field.as_str()) {
            (Some(name), _) => self.data_of("Secret", name)[text(&secret["key"])].clone(),
            (None, Some("metadata.name")) => pod.name.to_owned(),
            (None, Some(field)) => field.to_owned(),
            (None, None) => self.placed(pod, text(&variable["value"])),
        }
    }

    /// A text in which every name leads to what stands for it here.
    fn placed(&self, pod: &Pod<'_>, text: &str) -> String {
        let is_end = |sign: char| sign.is_whitespace() || matches!(sign, '"' | ',');
        let pieces = text.split_inclusive(is_end);
        let placed = pieces.map(|piece| {
            let word = piece.trim_end_matches(is_end);
            self.word(pod, word) + piece.strip_prefix(word).unwrap_or_default()
        });
        placed.collect()
    }

    fn word(&self, pod: &Pod<'_>, word: &str) -> String {
        if word == "0.0.0.0" {
            return pod.address.clone();
        }
        for (path, here) in &pod.mounts {
            if let Ok(rest) = Path::new(word).strip_prefix(path) {
                return here.join(rest).display().to_string();
            }
        }
        let (scheme, rest) = match word.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), word),
        };
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) => (host, format!("/{path}")),
            None => (rest, String::new()),
        };
        match self.ways.get(host) {
            Some(way) => format!("{scheme}{way}{path}"),
            None => word.to_owned(),
        }
    }
}

fn container_of(template: &Value) -> &Value {
    &template["spec"]["containers"][0]
}

/// A port that is given as a number or by its name.
fn port_of(template: &Value, port: &Value) -> u64 {
    port.as_u64().unwrap_or_else(|| {
        let mut ports = items(&container_of(template)["ports"]).iter();
        let named = ports.find(|one| one["name"] == *port);
        let named = named.unwrap_or_else(|| panic!("there is no port {port}"));
        named["containerPort"].as_u64().unwrap()
    })
}
