//! Measures the real program: speed, size and memory on a corpus whose truth is known, with every answer checked.
//!
//! The program is started as a person starts it, and spoken to over its ports only. One corpus after the other is
//! generated to a file, sent at full speed over loopback, looked at on the disk, and asked about over HTTP.
//!
//! Promises: figures name the machine, the corpus, the durability level, the version and the commit; work that the
//! program puts off (freezing heads) is waited for and counted; a wrong answer fails the run.
//! Refuses: judging speed by wall clock; whether a figure has become worse is what `bin/instructions.rs` decides.
//!
//! Read in this order: `run` (the whole story), `program` and `load` (start it, feed it), `disk`, `questions`,
//! `oracle` and `asking` (what is asked and what is right), `after_kill`, `report`.

mod options;
mod run;

mod machine;
mod process;
mod program;

mod http;
mod load;
mod probe;

mod disk;

mod after_kill;
mod asking;
mod oracle;
mod questions;

mod figures;
mod report;

use std::io::{Write as _, stdout};

use anyhow::ensure;

use crate::options::Options;
use crate::report::Report;

fn main() -> anyhow::Result<()> {
    let Some(options) = Options::from_arguments()? else {
        writeln!(stdout(), "{}", options::USAGE)?;
        return Ok(());
    };
    let mut report = Report::begin(&options)?;
    for profile in &options.profiles {
        report.corpora.push(run::measure(*profile, &options)?);
    }
    report.write(&options.out)?;
    write!(stdout(), "{report}")?;
    writeln!(stdout(), "written to {}", options.out.display())?;
    let wrong = report.wrong_answers();
    ensure!(wrong == 0, "{wrong} wrong answers, see above");
    Ok(())
}
