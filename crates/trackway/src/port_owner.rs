//! Who holds a port: found in /proc, for the message that says that a port is taken.
//!
//! Promises: an answer or none, never an error: it only makes a message better. Processes of other users hide
//! their sockets; then only the port is known to be taken.

use std::path::Path;

use crate::config::Kind;

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its name.
    pub name: String,
    /// Its id.
    pub pid: u32,
}

/// More processes than a machine has; the search ends there.
const PROCESSES_MAX: usize = 100_000;

/// The process that has a port, where it can be known.
pub(crate) fn owner_of(kind: Kind, port: u16) -> Option<Owner> {
    let (tables, state) = match kind {
        Kind::Tcp => (["/proc/net/tcp", "/proc/net/tcp6"], "0A"),
        Kind::Udp => (["/proc/net/udp", "/proc/net/udp6"], "07"),
    };
    let inodes: Vec<String> = tables
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, state, port))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let processes = std::fs::read_dir("/proc")
        .ok()?
        .take(PROCESSES_MAX)
        .flatten();
    processes
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path(),
            ))
        })
        .find(|(_, process)| holds_one_of(process, &inodes))
        .map(|(pid, process)| {
            let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
            Owner {
                name: crate::terminal::escaped(name.trim()).into_owned(),
                pid,
            }
        })
}

/// The inodes of the sockets that have a port and are in a state, from the kernel's table.
fn listening_inodes(table: &str, listening: &str, port: u16) -> Vec<String> {
    let hex_port = format!(":{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, _, _, _, _, _, inode, ..] = fields.as_slice() else {
            return None;
        };
        (*state == listening && local.ends_with(&hex_port)).then(|| (*inode).to_owned())
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds_one_of(process: &Path, inodes: &[String]) -> bool {
    let Ok(files) = std::fs::read_dir(process.join("fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| std::fs::read_link(file.path()).ok())
        .any(|target| {
            let target = target.to_string_lossy();
            let inode = target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'));
            inode.is_some_and(|inode| inodes.iter().any(|wanted| wanted == inode))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:10DE 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 4711 1 0 100 0 0 10 0\n\
             1: 0100007F:10DE 0100007F:9999 01 00000000:00000000 00:00000000 00000000  0 0 4712 1 0 100 0 0 10 0\n\
             2: 0100007F:10DF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 4713 1 0 100 0 0 10 0\n";
        assert_eq!(listening_inodes(table, "0A", 4318), ["4711"]);
        assert!(listening_inodes(table, "0A", 1).is_empty());
    }

    #[test]
    fn finds_this_very_process() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let owner = owner_of(Kind::Tcp, listener.local_addr().unwrap().port()).unwrap();
        assert_eq!(owner.pid, std::process::id());
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let owner = owner_of(Kind::Udp, socket.local_addr().unwrap().port()).unwrap();
        assert_eq!(owner.pid, std::process::id());
    }
}
