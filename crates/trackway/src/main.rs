//! The program: reads the command line and the configuration, opens the rooms, and hands them to each other.
//!
//! Only this crate knows all rooms. Errors end here: one line on standard error, and an exit code (0: done, 1: failed,
//! 2: the command line or the configuration is wrong, 3: an import left something out).
//!
//! Read next: `cli` (what can be asked), `config` (the one tree of settings), `roles` (the wiring), `commands`.

mod adaptive;
mod allocator;
mod archive;
mod backend;
mod banner;
mod cli;
mod client;
mod commands;
mod config;
mod demo;
mod doctor;
mod error;
mod gates;
#[cfg(test)]
mod golden;
mod import;
mod jaeger_json;
mod keep;
mod listen;
mod logging;
mod machine;
mod otlp_sender;
mod port_owner;
mod process_metrics;
mod remote_strategies;
mod roles;
mod strategies;
mod terminal;
mod web;
mod whereabouts;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    allocator::give_back_soon();
    let error = match commands::run(cli::Cli::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => return ExitCode::SUCCESS,
        Err(error) => error,
    };
    for line in error.line().lines() {
        // Where even standard error is closed, the exit code is all that is left to say.
        let _unheard = writeln!(std::io::stderr(), "trackway: {line}");
    }
    ExitCode::from(error.exit_code())
}
