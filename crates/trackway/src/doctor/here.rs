//! What is looked at on this machine: the clock, ports, folders and how full their disks are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use backends::Finding;
use jiff::Timestamp;
use journal::{Files as _, RealFiles};
use plumbing::{Clock as _, RealClock};

use crate::cli::Part;
use crate::config::{BackendKind, Config, Listen, OrOff};
use crate::listen::Listeners;
use crate::port_owner::owner_of;

/// No program of this version runs before this moment: 2026-01-01.
const EARLIEST_SECONDS: u64 = 1_767_225_600;
/// A disk with less than a twentieth left is nearly full.
const FREE_SHARE_MIN: u64 = 20;
/// Less is too little to go on.
const FREE_BYTES_MIN: u64 = 64 << 20;
const MIB: u64 = 1 << 20;

/// Whether the clock can be right.
pub(super) fn clock() -> Finding {
    let since_epoch = Duration::from_nanos(RealClock::default().unix_nanos());
    let seconds = since_epoch.as_secs();
    let moment = i64::try_from(seconds)
        .ok()
        .and_then(|at| Timestamp::from_second(at).ok());
    let moment = moment.unwrap_or(Timestamp::MAX);
    match seconds < EARLIEST_SECONDS {
        false => Finding::well("clock", format!("this machine says {moment}")),
        true => Finding::wrong(
            "clock",
            format!("this machine says {moment}, which is long gone"),
            "set it by a time server (chrony, the cloud's time service)",
        ),
    }
}

/// Whether the ports are free, or the program's own.
pub(super) fn ports(listen: &Listen) -> Vec<Finding> {
    let (mut own, mut free) = (0, 0);
    let mut found = Vec::new();
    for (kind, port, opened) in Listeners::probe(listen) {
        let Err(error) = opened else {
            free += 1;
            continue;
        };
        match owner_of(kind, port) {
            Some(owner)
                if owner.name == env!("CARGO_PKG_NAME")
                    || plumbing::planted("doctor-owner-not-looked-at") =>
            {
                own += 1;
            }
            _ => found.push(Finding::wrong(
                "ports",
                error.to_string(),
                "end the other program, or choose another port; with `hostPort` or `hostNetwork` only one pod of a \
                 node has it",
            )),
        }
    }
    if found.is_empty() {
        let seen = match own {
            0 => format!("all {free} can be opened"),
            own => format!("a running Trackway has {own} of them, {free} more can be opened"),
        };
        found.push(Finding::well("ports", seen));
    }
    found
}

/// Whether the folders that the role keeps spans in can be written, and have room.
pub(super) fn folders(role: Part, config: &Config) -> Vec<Finding> {
    let mut folders: Vec<(&'static str, PathBuf)> = Vec::new();
    let is_embedded = config.backend.kind == BackendKind::Embedded;
    if role == Part::AllInOne && is_embedded {
        folders.push(("store.dir", config.store.dir.clone()));
    }
    if matches!(role, Part::AllInOne | Part::Collector)
        && !is_embedded
        && let OrOff::On(dir) = &config.backend.buffer.dir
    {
        folders.push(("backend.buffer.dir", dir.clone()));
    }
    if role == Part::Agent {
        folders.push(("agent.buffer.dir", config.agent.buffer.dir.clone()));
    }
    folders
        .iter()
        .flat_map(|(key, dir)| folder(key, dir))
        .collect()
}

fn folder(key: &'static str, dir: &Path) -> Vec<Finding> {
    // The program makes the folder itself where it can.
    let there = dir
        .ancestors()
        .find(|path| path.is_dir() || path.as_os_str().is_empty());
    let there = match there {
        Some(path) if !path.as_os_str().is_empty() => path,
        _ => Path::new("."),
    };
    let name = there.display();
    let mut found = vec![match tempfile_in(there) {
        Ok(()) => Finding::well(key, format!("{name} can be written")),
        Err(error) => Finding::wrong(
            key,
            format!("{name} can't be written: {error}"),
            "give it to the program's user; in Kubernetes: podSecurityContext.fsGroup, with which the volume belongs \
             to the pod's group",
        ),
    }];
    match RealFiles.space(there) {
        Ok(space) => {
            let (free, total) = (space.available / MIB, space.total / MIB);
            let seen = format!("the disk of {name} has {free} of {total} MiB left");
            let fix = "make room or give it a larger disk; what may be taken of it says store.retention.bytes, or \
                       bytes_max of a buffer";
            let is_full = space.available < FREE_BYTES_MIN;
            found.push(
                if is_full && !plumbing::planted("doctor-full-disk-ignored") {
                    Finding::wrong("disk", seen, fix)
                } else if space.available < space.total / FREE_SHARE_MIN {
                    Finding::doubtful("disk", seen, fix)
                } else {
                    Finding::well("disk", seen)
                },
            );
        }
        Err(error) => found.push(Finding::doubtful(
            "disk",
            format!("how full the disk of {name} is can't be told: {error}"),
            "",
        )),
    }
    found
}

/// Makes a file and removes it.
fn tempfile_in(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!(".trackway-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)
}
