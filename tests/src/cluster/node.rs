//! The node: kubectl, Helm, namespaces, and ways to Services from here.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::chart::render::helm_homes;
use crate::folder::project_root;
use crate::http::{self, Connection};
use crate::ran::Ran;
use crate::wait::{report, until};

/// Longer than anything takes on a busy machine.
pub(super) const READY_MAX: Duration = Duration::from_secs(180);
/// What has Helm wait until all is ready.
pub(super) const WAITING: [&str; 3] = ["--wait", "--timeout", "180s"];
const CHART: &str = "deploy/helm/trackway";
/// The chart as it was published before.
const PREVIOUS: &str = "tests/charts/trackway-0.3.0.tgz";

/// A cluster that runs.
#[derive(Debug)]
pub(super) struct Node {
    root: PathBuf,
    bin: PathBuf,
    kubeconfig: PathBuf,
}

impl Node {
    /// Nothing where no cluster was started for these tests, which is said.
    pub(super) fn find() -> Option<Self> {
        if std::env::var_os("TRACKWAY_CLUSTER").is_none() {
            report("not run here: make test-cluster starts a cluster for it");
            return None;
        }
        let root = project_root();
        let asked = |what: &str| {
            let ran = Command::new(root.join("tests/servers/kubernetes"))
                .arg(what)
                .output()
                .unwrap();
            PathBuf::from(String::from_utf8_lossy(&ran.stdout).trim())
        };
        let (bin, kubeconfig) = (asked("path"), asked("kubeconfig"));
        assert!(
            kubeconfig.exists(),
            "no cluster runs: tests/servers/kubernetes start"
        );
        Some(Self {
            root,
            bin,
            kubeconfig,
        })
    }

    pub(super) fn root(&self) -> &std::path::Path {
        &self.root
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        Ran::from(self.command(program, arguments).output().unwrap())
    }

    /// A program of the cluster's tools, or of this machine with these before it in the PATH.
    pub(super) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let of_tools = self.bin.join(program);
        let mut command = match of_tools.exists() {
            true => Command::new(of_tools),
            false => Command::new(program),
        };
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .envs(helm_homes(&self.root))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn kubectl(&self, arguments: &[&str]) -> Ran {
        self.run("kubectl", arguments)
    }

    /// Makes a namespace that has nothing of a run before, which failed.
    pub(super) fn make_namespace(&self, name: &str) {
        self.kubectl(&[
            "delete",
            "namespace",
            name,
            "--ignore-not-found",
            "--timeout=120s",
        ])
        .well();
        self.kubectl(&["create", "namespace", name]).well();
    }

    /// A fresh namespace under the restricted standard, which is deleted with the value.
    pub(super) fn namespace(&self, name: &'static str) -> Namespace<'_> {
        self.make_namespace(name);
        let label = "pod-security.kubernetes.io/enforce=restricted";
        self.kubectl(&["label", "namespace", name, label]).well();
        Namespace { node: self, name }
    }

    /// A library that gives a program another clock.
    pub(super) fn clock_an_hour_ahead(&self) -> PathBuf {
        let unpacked = self.bin.parent().unwrap().join("root");
        unpacked.join("usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
    }

    /// What `tests/servers/kubernetes` does.
    pub(super) fn script(&self, arguments: &[&str]) -> Ran {
        let script = self.root.join("tests/servers/kubernetes");
        Ran::from(Command::new(script).args(arguments).output().unwrap())
    }
}

/// A namespace of a test.
#[derive(Debug)]
pub(super) struct Namespace<'a> {
    pub(super) node: &'a Node,
    pub(super) name: &'static str,
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What the pods say is worth more than an empty namespace.
            for what in [
                &["get", "all,pvc"][..],
                &["describe", "pods"],
                &["get", "events"],
            ] {
                eprintln!("{}", self.kubectl(what).said);
            }
            return;
        }
        self.node
            .kubectl(&["delete", "namespace", self.name, "--wait=false"]);
    }
}

impl Namespace<'_> {
    pub(super) fn kubectl(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["-n", self.name];
        all.extend(arguments);
        self.node.kubectl(&all)
    }

    pub(super) fn helm(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["-n", self.name];
        all.extend(arguments);
        self.node.run("helm", &all)
    }

    /// Installs the project's chart as `jaeger` with these flags and waits until it is ready.
    pub(super) fn install(&self, flags: &[&str]) -> Ran {
        self.release("install", CHART, &[&WAITING, flags].concat())
    }

    /// The same with the chart as it was published before, and the image of this tree.
    pub(super) fn install_previous(&self, flags: &[&str]) -> Ran {
        let image = ["--set", concat!("image.tag=", env!("CARGO_PKG_VERSION"))];
        self.release("install", PREVIOUS, &[&WAITING, &image[..], flags].concat())
    }

    /// The same without waiting.
    pub(super) fn install_only(&self, flags: &[&str]) {
        self.release("install", CHART, flags).well();
    }

    pub(super) fn upgrade(&self, flags: &[&str]) -> Ran {
        self.release("upgrade", CHART, flags)
    }

    fn release(&self, what: &str, chart: &str, flags: &[&str]) -> Ran {
        let chart = self.node.root.join(chart);
        let begin = [what, "jaeger", chart.to_str().unwrap()];
        self.helm(&[&begin, flags].concat())
    }

    /// Deletes the release and waits until its pods are gone.
    pub(super) fn uninstall(&self) {
        self.helm(&["uninstall", "jaeger", "--wait", "--timeout", "120s"])
            .well();
        let pods = [
            "wait",
            "--for=delete",
            "pods",
            "-l",
            // The pod of `helm test` stays, for who wants to read what it said.
            "app.kubernetes.io/instance=jaeger,app.kubernetes.io/component!=test",
            "--timeout=120s",
        ];
        self.kubectl(&pods).well();
    }

    /// Waits until a text stands in what kubectl says, which is returned.
    pub(super) fn until_said(&self, arguments: &[&str], wanted: &str) -> String {
        let found = until(READY_MAX, || {
            let said = self.kubectl(arguments).said;
            said.contains(wanted).then_some(said)
        });
        found.unwrap_or_else(|| panic!("no {wanted:?} in {}", self.kubectl(arguments).said))
    }

    /// Deletes the pods of a selector and waits until these very ones are gone: `kubectl delete` waits by their names,
    /// which others of a StatefulSet have a moment later.
    pub(super) fn delete_pods(&self, selector: &str) {
        let listing = ["get", "pods", "-l", selector, "-o"];
        let uids = "jsonpath={.items[*].metadata.uid}";
        let there = || self.kubectl(&[&listing[..], &[uids]].concat()).well();
        let before = there();
        self.kubectl(&["delete", "pods", "-l", selector, "--wait=false"])
            .well();
        let gone = until(READY_MAX, || {
            let now = there();
            let is_gone = |uid: &str| !now.contains(uid);
            before.split_whitespace().all(is_gone).then_some(())
        });
        gone.unwrap_or_else(|| panic!("{}", self.kubectl(&["get", "pods"]).said));
    }

    pub(super) fn until_ready(&self, what: &str) {
        let timeout = format!("--timeout={}s", READY_MAX.as_secs());
        self.kubectl(&["rollout", "status", what, &timeout]).well();
    }

    /// One word of an object.
    pub(super) fn word(&self, object: &str, path: &str) -> String {
        let path = format!("jsonpath={path}");
        self.kubectl(&["get", object, "-o", &path])
            .well()
            .trim()
            .to_owned()
    }

    /// A way from here to a Service, whichever pods are behind it.
    pub(super) fn way_to(&self, service: &str, port: u16) -> Way {
        let address = self.word(&format!("service/{service}"), "{.spec.clusterIP}");
        let local = crate::server::free_port(u32::from(port));
        let child = Command::new(self.node.root.join("tests/servers/kubernetes"))
            .args(["forward", &local.to_string(), &format!("{address}:{port}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let way = Way {
            child,
            address: format!("127.0.0.1:{local}"),
        };
        let is_open = until(READY_MAX, || http::get(&way.address, "/").ok());
        is_open.expect("the way to a Service should open");
        way
    }

    /// `kubectl port-forward`, as a person does it.
    pub(super) fn port_forward(&self, target: &str, ports: &str) -> Way {
        let mut child = self
            .node
            .command("kubectl", &["-n", self.name, "port-forward", target, ports])
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut first).unwrap();
        // It says a line for each connection, and ends when nobody listens.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        // Forwarding from 127.0.0.1:16686 -> 16686
        let address = first
            .split_whitespace()
            .nth(2)
            .unwrap_or_default()
            .to_owned();
        let way = Way { child, address };
        assert!(way.address.starts_with("127.0.0.1:"), "{target}: {first:?}");
        way
    }
}

/// A way into the cluster, closed with the value.
#[derive(Debug)]
pub(super) struct Way {
    child: Child,
    pub(super) address: String,
}

impl Way {
    pub(super) fn get(&self, path: &str) -> http::Answer {
        http::get(&self.address, path).unwrap()
    }

    /// A connection to who answers there; a pod that has just become ready is not known everywhere at once.
    pub(super) fn connection(&self) -> Connection {
        let opened = until(READY_MAX, || {
            let mut connection = Connection::open(&self.address).ok()?;
            connection.get("/api/services").ok()?;
            Some(connection)
        });
        opened.expect("somebody should answer")
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        // By its own signal, so that it ends what it started.
        let pid = self.child.id().to_string();
        let _gone = Command::new("kill").arg(pid).status();
        let _buried = self.child.wait();
    }
}
