//! The figures of stores of others as a table.

use std::fmt;

use serde::Serialize;

use crate::backends::{BackendFigures, Moved};
use crate::figures::ratio;
use crate::heading::Heading;
use crate::report::{write_asked, write_spread};

/// A run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BackendsReport {
    #[serde(flatten)]
    pub(crate) heading: Heading,
    pub(crate) backends: Vec<BackendFigures>,
}

impl BackendsReport {
    /// How many answers were wrong.
    pub(crate) fn wrong_answers(&self) -> u64 {
        let asked = self.backends.iter().flat_map(|backend| &backend.asked);
        asked.map(|asked| asked.wrong).sum()
    }
}

impl fmt::Display for BackendsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.heading)?;
        for backend in &self.backends {
            let (name, server, spans) = (&backend.name, &backend.server, backend.spans);
            writeln!(
                f,
                "\n== {name}: kind corpus, {spans} spans; server: {server}\n"
            )?;
            write_moved(f, "taken", &backend.taken)?;
            write_line(
                f,
                "requests sent back (429, 503)",
                ratio(backend.sent_back, 1),
            )?;
            if let Some(bytes) = backend.bytes_per_span_on_server {
                write_line(f, "bytes per span on the server", bytes)?;
            }
            if let Some(then) = &backend.then {
                write_moved(f, then.what, &then.moved)?;
            }
            if !backend.asked.is_empty() {
                write_asked(f, &backend.asked, false)?;
            }
            write_spread(f, "acknowledged", backend.acknowledgement)?;
        }
        Ok(())
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, name: &str, value: f64) -> fmt::Result {
    writeln!(f, "{name:<40} {value:>14.2}")
}

fn write_moved(f: &mut fmt::Formatter<'_>, what: &str, moved: &Moved) -> fmt::Result {
    write_line(
        f,
        &format!("{what}, spans per second"),
        moved.spans_per_second,
    )?;
    let cpu = moved.cpu_seconds_per_million_spans;
    write_line(f, &format!("{what}, CPU-s per million spans"), cpu)?;
    write_line(f, &format!("{what}, peak memory, MiB"), moved.peak_mib)
}
