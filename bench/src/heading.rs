//! What stands above all figures of a run: machine, program, level, version, commit.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde::Serialize;

use crate::machine::{self, Machine};
use crate::options::Options;
use crate::program;

/// What was measured, and where.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Heading {
    pub(crate) version: String,
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    pub(crate) level: String,
    pub(crate) connections: usize,
    pub(crate) seed: u64,
    pub(crate) settings: Vec<String>,
}

impl Heading {
    /// Looks at machine and program; builds the program first if asked to.
    pub(crate) fn begin(options: &Options) -> anyhow::Result<Self> {
        if options.is_built_first {
            program::build()?;
        }
        let program = options.program.display();
        let version = machine::first_line_of(Command::new(&options.program).arg("--version"));
        let version = version.with_context(|| format!("{program} says no version; use --build"))?;
        std::fs::create_dir_all(&options.work_dir)?;
        Ok(Self {
            version,
            commit: machine::commit(),
            machine: Machine::look(&options.work_dir),
            level: options.level.clone(),
            connections: options.connections,
            seed: options.seed,
            settings: options.settings.clone(),
        })
    }
}

/// Writes figures as JSON, over an older file.
pub(crate) fn write(path: &Path, figures: &impl Serialize) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut text = serde_json::to_string_pretty(figures)?;
    text.push('\n');
    std::fs::write(path, text).with_context(|| format!("cannot write {path:?}"))
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(
            f,
            "{} at {}, level {}",
            self.version, self.commit, self.level
        )?;
        writeln!(
            f,
            "{} × {}, {} MiB, Linux {}, {}; {} connections over loopback, seed {}",
            machine.cores,
            machine.processor,
            machine.memory_mib,
            machine.kernel,
            machine.file_system,
            self.connections,
            self.seed
        )?;
        for setting in &self.settings {
            writeln!(f, "set {setting}")?;
        }
        Ok(())
    }
}
