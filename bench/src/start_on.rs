//! How long starts take on a folder of data that is there already, such as a very large one, and what memory they
//! leave.
//!
//! Promises: the program is asked to end between two starts, and each start is measured until `/ready` says so. The
//! folder's files are in the system's memory or not as they are found; reading them anew from a disk takes longer.
//! Refuses: filling the folder (`cargo run --profile ci -p store --example ask` does), and questions.

use std::path::Path;

use anyhow::{Context as _, ensure};
use plumbing::{Clock as _, RealClock};
use serde::Serialize;

use crate::disk::{self, Disk};
use crate::figures::{Spread, millis};
use crate::options::Options;
use crate::process;
use crate::program::Program;
use crate::run::{REST, end_folder, fresh_folder, mib};

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Started {
    pub(crate) disk: Disk,
    /// From the start of the process until it said that it is ready, start by start.
    pub(crate) starts_ms: Vec<f64>,
    pub(crate) spread: Spread,
    /// Resident memory five seconds after each.
    pub(crate) idle_mib: Vec<f64>,
    pub(crate) stops_ms: Vec<f64>,
}

/// Starts the program so many times.
pub(crate) fn measure(data: &Path, options: &Options) -> anyhow::Result<Started> {
    let clock = RealClock::default();
    ensure!(data.is_dir(), "there is no folder {data:?}");
    let data = data.canonicalize()?;
    let folder = fresh_folder(options, "start-on")?;
    let (mut starts_ms, mut idle_mib, mut stops_ms) = (Vec::new(), Vec::new(), Vec::new());
    for nth in 1..=u32::try_from(options.repetitions)? {
        let program = Program::start_on(&data, (options, &folder), nth, &clock)?;
        starts_ms.push(millis(program.start_up));
        clock.sleep(REST);
        idle_mib.push(mib(process::memory(program.pid())?.resident_kib));
        stops_ms.push(millis(program.stop()?));
    }
    end_folder(options, &folder)?;
    // Afterwards, so that looking does not bring files into memory for the first start.
    let disk = disk::look(&data, None)?;
    Ok(Started {
        disk,
        spread: Spread::of(starts_ms.clone()).context("no start was measured")?,
        starts_ms,
        idle_mib,
        stops_ms,
    })
}
