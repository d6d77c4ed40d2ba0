//! The project's own tools, run as `cargo xtask NAME`; the Makefile is their thin front.
//!
//! - `tidy` checks the rules that a machine can check: who may depend on whom, sizes, licences, links.
//! - `codegen` writes the generated sources (`--check`: fails where they are not up to date).
//! - `planted` shows that the tests bite: every planted fault must make its test fail.
//! - `instructions` counts instructions of the hot paths and fails where they grew.
//!
//! Promises: plain Rust, no tool to install first, every complaint names place, rule, reason and fix.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that people run in a terminal"
)]

mod chart;
mod codegen;
mod complaint;
mod instructions;
mod planted;
mod process;
mod rust_text;
mod tidy;
mod tree;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use lexopt::prelude::{Long, Value, ValueExt as _};

const HELP: &str = "\
usage: cargo xtask COMMAND

  tidy                    check the rules of the house (edges, sizes, licences, links, …)
  codegen [--check]       write the generated sources, or check that they are up to date
  planted [FAULT]...      show that each planted fault is caught by its test (default: all)
  planted --suggest [PACKAGE]...
                          propose rows of xtask/planted.txt for faults that have none
  instructions [--update] count instructions of the hot paths, compare with the baseline";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let root = project_root()?;
    let mut parser = lexopt::Parser::from_env();
    let command = match parser.next()? {
        Some(Value(command)) => command.string()?,
        None | Some(Long("help")) => {
            println!("{HELP}");
            return Ok(());
        }
        Some(other) => return Err(other.unexpected().into()),
    };
    let mut flags = Vec::new();
    let mut names = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long(flag) => flags.push(flag.to_owned()),
            Value(name) => names.push(name.string()?),
            lexopt::Arg::Short(_) => return Err(argument.unexpected().into()),
        }
    }
    let only = |allowed: &str| match flags.iter().find(|flag| flag.as_str() != allowed) {
        Some(unknown) => bail!("\"{command}\" has no option --{unknown}; see cargo xtask --help"),
        None => Ok(!flags.is_empty()),
    };
    match command.as_str() {
        "tidy" => only("").and_then(|_| tidy::run(&root)),
        "codegen" => only("check").and_then(codegen::run),
        "planted" => only("suggest").and_then(|suggest| {
            if suggest {
                planted::suggest(&root, &names)
            } else {
                planted::run(&root, &names)
            }
        }),
        "instructions" => only("update").and_then(|update| instructions::run(&root, update)),
        _ => bail!("there is no command \"{command}\"\n{HELP}"),
    }
}

/// Returns the folder that holds the root manifest: the parent of this crate's.
fn project_root() -> anyhow::Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent()
        .map(Path::to_path_buf)
        .context("xtask has no parent folder")
}
