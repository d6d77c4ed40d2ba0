//! The figures of starts on a folder of data, for reading.

use std::fmt;

use serde::Serialize;

use crate::heading::Heading;
use crate::start_on::Started;

/// A run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StartReport {
    #[serde(flatten)]
    pub(crate) heading: Heading,
    pub(crate) started: Started,
}

impl fmt::Display for StartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = &self.started;
        let (disk, spread) = (&started.disk, started.spread);
        write!(f, "{}", self.heading)?;
        writeln!(
            f,
            "\n== {} starts on {} spans in {} segments, {} MiB\n",
            spread.count,
            disk.rows,
            disk.segments,
            disk.bytes_without_journal >> 20
        )?;
        let lines = [
            ("until ready, ms", &started.starts_ms),
            ("memory 5 s after, MiB", &started.idle_mib),
            ("until ended, ms", &started.stops_ms),
        ];
        for (name, values) in lines {
            let values: Vec<String> = values.iter().map(|value| format!("{value:.0}")).collect();
            writeln!(f, "{name:<26} {}", values.join(" "))?;
        }
        let (p50, worst) = (spread.p50_ms, spread.max_ms);
        writeln!(f, "until ready, p50 and worst  {p50:.0} / {worst:.0} ms")
    }
}
