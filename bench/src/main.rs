//! Measures the real program: speed, size and memory on a corpus whose truth is known, with every answer checked.
//!
//! The program is started as a person starts it, and spoken to over its ports only. One corpus after the other is
//! generated to a file, sent at full speed over loopback, looked at on the disk, and asked about over HTTP.
//! More modes: a constant rate for some time (`steady`), starts on a folder that is there (`start_on`), an agent before
//! a collector (`agent`), and stores of others (`backends`).
//!
//! Promises: figures name the machine, the corpus, the durability level, the version and the commit; work that the
//! program puts off (freezing heads) is waited for and counted; a wrong answer fails the run.
//! Refuses: judging speed by wall clock; whether a figure has become worse is what `bin/instructions.rs` decides.
//!
//! Read in this order: `run` (the whole story), `program` and `load` (start it, feed it), `disk`, `questions`,
//! `oracle` and `asking` (what is asked and what is right), `after_kill`, `full_load`, `report`; then `stamp` and
//! `rounds` (a corpus that never ends), `pace`, `turns` and `watching` (what goes on beside it), `steady`, `start_on`,
//! `datagrams`, `agent`, `backends`.

mod agent;
mod backends;
mod options;
mod run;
mod start_on;
mod steady;

mod machine;
mod process;
mod program;
mod put_off;

mod datagrams;
mod grpc;
mod http;
mod load;
mod pace;
mod probe;
mod rounds;
mod sender;
mod stamp;

mod disk;
mod watching;

mod after_kill;
mod asking;
mod full_load;
mod oracle;
mod questions;
mod turns;

mod agent_report;
mod backends_report;
mod figures;
mod heading;
mod report;
mod start_report;
mod steady_report;

use std::fmt::Display;
use std::io::{Write as _, stdout};

use anyhow::ensure;
use serde::Serialize;

use crate::agent_report::AgentReport;
use crate::backends_report::BackendsReport;
use crate::heading::Heading;
use crate::options::{Mode, Options, Protocol};
use crate::report::Report;
use crate::start_report::StartReport;
use crate::steady_report::SteadyReport;

fn main() -> anyhow::Result<()> {
    let Some(options) = Options::from_arguments()? else {
        writeln!(stdout(), "{}", options::USAGE)?;
        return Ok(());
    };
    let heading = Heading::begin(&options)?;
    match &options.mode {
        Mode::Corpora => measure_corpora(&options, heading),
        Mode::Steady(load) => {
            let Some(profile) = options.profiles.first() else {
                return Ok(());
            };
            let steady = steady::measure(*profile, &options, *load)?;
            let report = SteadyReport { heading, steady };
            tell(&report, &options, report.wrong_answers())
        }
        Mode::StartOn(data) => {
            let started = start_on::measure(data, &options)?;
            tell(&StartReport { heading, started }, &options, 0)
        }
        Mode::Agent(seconds) => {
            let measured = agent::measure(*seconds, &options)?;
            tell(&AgentReport { heading, measured }, &options, 0)
        }
        Mode::Backends => {
            let backends = backends::measure(&options)?;
            let report = BackendsReport { heading, backends };
            tell(&report, &options, report.wrong_answers())
        }
    }
}

fn measure_corpora(options: &Options, heading: Heading) -> anyhow::Result<()> {
    let mut report = Report {
        heading,
        corpora: Vec::new(),
        grpc: None,
    };
    if options.protocols.contains(&Protocol::Http) {
        for profile in &options.profiles {
            report.corpora.push(run::measure(*profile, options)?);
        }
    }
    let first = options.profiles.first();
    if let Some(profile) = first.filter(|_| options.protocols.contains(&Protocol::Grpc)) {
        report.grpc = Some(run::measure_grpc(*profile, options)?);
    }
    tell(&report, options, report.wrong_answers())
}

/// Writes a report to its file and shows it.
fn tell(report: &(impl Serialize + Display), options: &Options, wrong: u64) -> anyhow::Result<()> {
    heading::write(&options.out, report)?;
    write!(stdout(), "{report}")?;
    writeln!(stdout(), "written to {}", options.out.display())?;
    ensure!(wrong == 0, "{wrong} wrong answers, see above");
    Ok(())
}
