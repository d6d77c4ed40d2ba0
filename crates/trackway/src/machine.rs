//! What the machine has: cores, memory, disk.
//!
//! Promises: limits of the cgroup count, not only what the hardware has; nothing here fails, for a guess on the safe
//! side does.

use std::path::Path;

/// What is assumed where nothing can be learnt.
const MEMORY_ASSUMED_BYTES: u64 = 1 << 30;
/// The most memory that is taken unless the configuration says otherwise.
const MEMORY_DEFAULT_MAX_BYTES: u64 = 512 << 20;

/// Cores that the process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The default of `memory.limit`: half of the cgroup or machine, 512 MiB at most.
pub(crate) fn memory_limit_default_bytes() -> u64 {
    (memory_bytes(Path::new("/")) / 2).min(MEMORY_DEFAULT_MAX_BYTES)
}

/// Memory of the cgroup or of the machine, whichever is less; `root` is `/` but in tests.
fn memory_bytes(root: &Path) -> u64 {
    let cgroup = cgroup_limits(root).into_iter().min();
    let machine = std::fs::read_to_string(root.join("proc/meminfo"))
        .ok()
        .and_then(|text| total_bytes(&text));
    cgroup
        .into_iter()
        .chain(machine)
        .min()
        .unwrap_or(MEMORY_ASSUMED_BYTES)
}

/// The limits of the process's cgroup and of all above it, in both versions of cgroups.
fn cgroup_limits(root: &Path) -> Vec<u64> {
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (base, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let relative = path.trim_start_matches('/');
        // In a container the own cgroup is mounted at the top, whatever its path says.
        files.extend(
            Path::new(relative)
                .ancestors()
                .map(|folder| root.join(base).join(folder).join(file)),
        );
    }
    files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
        .collect()
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct Root(PathBuf);

    impl Root {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir()
                .join(format!("trackway-machine-{}-{name}", std::process::id()));
            for (path, text) in files {
                let file = root.join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, text).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:        8388608 kB\nMemFree: 1 kB\n",
    );

    #[test]
    fn the_least_limit_above_the_process_counts() {
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "0::/pods/one\n"),
            ("sys/fs/cgroup/pods/one/memory.max", "max\n"),
            ("sys/fs/cgroup/pods/memory.max", "1073741824\n"),
        ];
        assert_eq!(memory_bytes(&Root::new("v2", &files).0), 1 << 30);
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "3:cpu,memory:/a\n1:name=systemd:/b\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n"),
            (
                "sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ];
        assert_eq!(memory_bytes(&Root::new("v1", &files).0), 256 << 20);
    }

    #[test]
    fn without_a_cgroup_the_machine_counts_and_without_that_a_guess() {
        assert_eq!(memory_bytes(&Root::new("machine", &[MEMINFO]).0), 8 << 30);
        assert_eq!(
            memory_bytes(Path::new("/no/such/root")),
            MEMORY_ASSUMED_BYTES
        );
    }
}
