//! What a process has used: processor time and memory, from the system's own books.
//!
//! Promises: processor time of all threads, ended ones too, in user and in system mode; memory in KiB as the system
//! counts it (resident pages, shared ones included).

use anyhow::Context as _;

/// Ticks a second in `/proc`; Linux has kept it at 100 towards programs on every platform that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time used so far, in milliseconds.
pub(crate) fn cpu_millis(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let ticks = cpu_ticks(&text).with_context(|| format!("{path} has another form than known"))?;
    Ok(ticks * 1000 / TICKS_PER_SECOND)
}

/// Adds up the 14th and the 15th field; the second one, the name, is in brackets and may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Memory of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident_kib: u64,
    /// Of it, what is no page of a file.
    pub(crate) own_kib: u64,
    /// The most since it began.
    pub(crate) peak_kib: u64,
}

/// Looks at the memory of a process.
pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    memory_of(&text).with_context(|| format!("{path} has another form than known"))
}

fn memory_of(status: &str) -> Option<Memory> {
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory {
        resident_kib: kib("VmRSS:")?,
        own_kib: kib("RssAnon:")?,
        peak_kib: kib("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_user_and_system_time_behind_any_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 9 9 20 0 3 0 12 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("7 (a) S 1"), None);
    }

    #[test]
    fn reads_resident_and_peak_memory() {
        let status = "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nRssAnon:\t   512 kB\n";
        let expected = Memory {
            resident_kib: 1024,
            own_kib: 512,
            peak_kib: 2048,
        };
        assert_eq!(memory_of(status), Some(expected));
        assert_eq!(memory_of("Name:\tx\n"), None);
    }

    #[test]
    fn reads_this_process() {
        let pid = std::process::id();
        assert!(cpu_millis(pid).is_ok());
        let memory = memory(pid).unwrap();
        assert!(memory.peak_kib >= memory.resident_kib && memory.resident_kib > 0);
    }
}
