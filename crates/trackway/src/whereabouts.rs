//! Where the agent runs: what OpenTelemetry calls the machine, the container and the pod.
//!
//! Promises: nothing is asked of a network; what can't be learnt is left out. The container is the agent's own, which
//! is also the application's only where both are one; the pod is the same for all its containers.

use std::collections::BTreeMap;
use std::path::Path;

/// The longest value that is taken from a file.
const VALUE_BYTES_MAX: usize = 1024;
/// A larger file of a downward volume is not read.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Variables that hold what the downward API tells of the pod, the preferred one first.
const POD_VARIABLES: [(&str, &[&str]); 5] = [
    ("k8s.pod.name", &["K8S_POD_NAME", "POD_NAME"]),
    ("k8s.namespace.name", &["K8S_NAMESPACE", "POD_NAMESPACE"]),
    ("k8s.node.name", &["K8S_NODE_NAME", "NODE_NAME"]),
    ("k8s.pod.uid", &["K8S_POD_UID", "POD_UID"]),
    ("k8s.container.name", &["K8S_CONTAINER_NAME"]),
];
/// Where every pod finds its own namespace, unless it has no service account.
const NAMESPACE_FILE: &str = "var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// All that is known; `root` is `/` but in tests.
pub(crate) fn attributes(
    root: &Path,
    variable: impl Fn(&str) -> Option<String>,
    pod_info_dir: Option<&Path>,
) -> Vec<(String, String)> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            found.entry(key.to_owned()).or_insert(value);
        }
    };
    put("os.type", Some(std::env::consts::OS.to_owned()));
    put("host.arch", Some(architecture().to_owned()));
    put("host.name", line(&root.join("proc/sys/kernel/hostname")));
    let ids = ["etc/machine-id", "var/lib/dbus/machine-id"];
    put(
        "host.id",
        ids.iter().find_map(|file| line(&root.join(file))),
    );
    put("container.id", container_id(root));
    for (key, names) in POD_VARIABLES {
        put(key, names.iter().find_map(|name| variable(name)));
    }
    if let Some(dir) = pod_info_dir {
        let (files, labels) = pod_info(dir);
        for (key, value) in files.into_iter().chain(labels) {
            put(&key, Some(value));
        }
    }
    put("k8s.namespace.name", line(&root.join(NAMESPACE_FILE)));
    found.into_iter().collect()
}

/// As OpenTelemetry names it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "x86",
        "arm" => "arm32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// The one line of a small file.
fn line(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().next().unwrap_or_default().trim();
    (!line.is_empty() && line.len() <= VALUE_BYTES_MAX).then(|| line.to_owned())
}

/// From the path of the cgroup; where that says nothing, as in version 2 with a namespace of its own, from a mount of a
/// file that lies in the container's folder.
fn container_id(root: &Path) -> Option<String> {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap_or_default();
    let cgroup = read("proc/self/cgroup");
    let of_path = |line: &str| id_in(line.rsplit('/').next()?);
    if let Some(id) = cgroup.lines().find_map(of_path) {
        return Some(id);
    }
    let mounts = read("proc/self/mountinfo");
    let own = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (from, to) = (fields.next()?, fields.next()?);
        let is_own = own.contains(&to);
        let mut folders = from.split('/').rev();
        is_own.then(|| folders.find_map(id_in)).flatten()
    })
}

/// A container's id within a name such as `docker-<id>.scope` or `<id>`.
fn id_in(name: &str) -> Option<String> {
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let id = name.rsplit(['-', ':']).next().unwrap_or(name);
    let is_hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (id.len() == 64 && is_hex).then(|| id.to_owned())
}

type Pairs = Vec<(String, String)>;

/// What a downward volume tells: files with one value, and files with `key="value"` lines.
fn pod_info(dir: &Path) -> (Pairs, Pairs) {
    let single = [
        ("k8s.pod.name", &["name", "pod_name"][..]),
        ("k8s.namespace.name", &["namespace", "pod_namespace"]),
        ("k8s.pod.uid", &["uid", "pod_uid"]),
        ("k8s.node.name", &["node_name", "nodename"]),
    ];
    let values = single.into_iter().filter_map(|(key, files)| {
        let value = files.iter().find_map(|file| line(&dir.join(file)))?;
        Some((key.to_owned(), value))
    });
    let lists = [
        ("labels", "k8s.pod.label."),
        ("annotations", "k8s.pod.annotation."),
    ];
    let of_list = lists.into_iter().flat_map(|(file, prefix)| {
        let text = small_text(&dir.join(file)).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            // Kubernetes writes values as Go quotes texts, which is JSON but for rare escapes.
            let value: String = serde_json::from_str(value).ok()?;
            let fits = value.len() <= VALUE_BYTES_MAX;
            fits.then(|| (format!("{prefix}{key}"), value))
        });
        pairs.collect::<Pairs>()
    });
    (values.collect(), of_list.collect())
}

fn small_text(file: &Path) -> Option<String> {
    let bytes = std::fs::metadata(file).ok()?.len();
    (bytes <= FILE_BYTES_MAX)
        .then(|| std::fs::read_to_string(file).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct Root(PathBuf);

    impl Root {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let name = format!("trackway-whereabouts-{}-{name}", std::process::id());
            let root = std::env::temp_dir().join(name);
            for (path, text) in files {
                let file = root.join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, text).unwrap();
            }
            Self(root)
        }

        fn find(&self, variables: &[(&str, &str)]) -> BTreeMap<String, String> {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name)?;
                Some(found.1.to_owned())
            };
            let pod_info = self.0.join("podinfo");
            attributes(&self.0, variable, Some(&pod_info))
                .into_iter()
                .collect()
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn id(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    #[test]
    fn a_container_is_known_in_both_versions_of_cgroups() {
        let v1 = format!(
            "12:pids:/kubepods/burstable/pod1/{}\n1:name=systemd:/x\n",
            id('a')
        );
        let scope = format!("0::/system.slice/docker-{}.scope\n", id('b'));
        let containerd = format!("0::/kubepods.slice/cri-containerd-{}.scope\n", id('c'));
        for (name, text, digit) in [
            ("v1", v1, 'a'),
            ("scope", scope, 'b'),
            ("cri", containerd, 'c'),
        ] {
            let root = Root::new(name, &[("proc/self/cgroup", text.as_str())]);
            assert_eq!(container_id(&root.0), Some(id(digit)), "{name}");
        }
        let mounts = format!(
            "1 2 0:1 / / rw - overlay overlay rw\n\
             3 4 8:1 /var/lib/docker/containers/{}/hostname /etc/hostname rw - ext4 /dev/sda rw\n",
            id('d')
        );
        let files = [
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", mounts.as_str()),
        ];
        assert_eq!(container_id(&Root::new("v2", &files).0), Some(id('d')));
        let bare = [("proc/self/cgroup", "0::/user.slice/session-1.scope\n")];
        assert_eq!(container_id(&Root::new("bare", &bare).0), None);
    }

    #[test]
    fn the_machine_and_the_pod_are_told_and_what_is_not_known_is_left_out() {
        let files = [
            ("proc/sys/kernel/hostname", "node-1\n"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
            (NAMESPACE_FILE, "from-the-account"),
            (
                "podinfo/labels",
                "app=\"shop\"\nteam=\"a \\\"b\\\"\"\nbroken\n",
            ),
            ("podinfo/uid", "uid-1"),
        ];
        let root = Root::new("pod", &files);
        let found = root.find(&[("POD_NAME", "shop-0"), ("K8S_NODE_NAME", "n1")]);
        let of = |key: &str| found.get(key).map_or("", String::as_str);
        assert_eq!((of("host.name"), of("os.type")), ("node-1", "linux"));
        assert_eq!(of("host.id"), "0123456789abcdef0123456789abcdef");
        assert_eq!((of("k8s.pod.name"), of("k8s.node.name")), ("shop-0", "n1"));
        assert_eq!(
            (of("k8s.pod.uid"), of("k8s.namespace.name")),
            ("uid-1", "from-the-account")
        );
        assert_eq!(
            (of("k8s.pod.label.app"), of("k8s.pod.label.team")),
            ("shop", "a \"b\"")
        );
        assert!(!found.contains_key("container.id") && !found.contains_key("k8s.container.name"));
    }

    #[test]
    fn a_variable_of_the_downward_api_comes_before_the_account() {
        let root = Root::new("namespace", &[(NAMESPACE_FILE, "account")]);
        assert_eq!(
            root.find(&[("POD_NAMESPACE", "api")])["k8s.namespace.name"],
            "api"
        );
    }
}
