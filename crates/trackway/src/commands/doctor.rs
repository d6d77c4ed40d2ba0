//! `trackway doctor`: prints what was found, the worst of it told by the exit code.

use std::io::Write;

use backends::{Finding, State};
use serde_json::json;

use super::wait_for;
use crate::cli::DoctorArgs;
use crate::doctor;
use crate::error::Error;
use crate::terminal::escaped;

/// Columns of what was looked at.
const SUBJECT_COLUMNS: usize = 20;

/// Looks, and prints.
pub(crate) fn run(args: &DoctorArgs, out: &mut dyn Write) -> Result<(), Error> {
    let found = wait_for(async { Ok(Box::pin(doctor::examine(args)).await) })?;
    match args.json {
        true => write_json(&found, out)?,
        false => write_text(&found, out)?,
    }
    match doctor::first_wrong(&found) {
        Some(wrong) if !args.never_fail && !plumbing::planted("doctor-always-well") => {
            Err(Error::Sick(wrong))
        }
        _ => Ok(()),
    }
}

fn write_text(found: &[Finding], out: &mut dyn Write) -> std::io::Result<()> {
    for finding in found {
        let word = word_of(finding.state);
        let subject = &finding.subject;
        writeln!(
            out,
            "{word:<6} {subject:<SUBJECT_COLUMNS$} {}",
            escaped(&finding.seen)
        )?;
        if !finding.fix.is_empty() {
            writeln!(
                out,
                "{:<6} {:<SUBJECT_COLUMNS$} {}",
                "",
                "  what to do",
                escaped(&finding.fix)
            )?;
        }
    }
    let count = |state| {
        found
            .iter()
            .filter(|finding| finding.state == state)
            .count()
    };
    let (well, doubtful, wrong) = (
        count(State::Well),
        count(State::Doubtful),
        count(State::Wrong),
    );
    writeln!(out, "{wrong} wrong, {doubtful} doubtful, {well} well")
}

fn write_json(found: &[Finding], out: &mut dyn Write) -> std::io::Result<()> {
    let findings: Vec<_> = found
        .iter()
        .map(|finding| {
            json!({
                "subject": finding.subject,
                "state": word_of(finding.state),
                "seen": finding.seen,
                "fix": finding.fix,
            })
        })
        .collect();
    writeln!(out, "{}", json!({ "findings": findings }))
}

fn word_of(state: State) -> &'static str {
    match state {
        State::Well => "well",
        State::Doubtful => "doubt",
        State::Wrong => "WRONG",
    }
}
