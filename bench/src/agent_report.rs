//! The figures of an agent and of datagrams as a table.

use std::fmt;

use serde::Serialize;

use crate::agent::Measured;
use crate::figures::ratio;
use crate::heading::Heading;
use crate::report::write_spread;

/// A run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AgentReport {
    #[serde(flatten)]
    pub(crate) heading: Heading,
    pub(crate) measured: Measured,
}

impl fmt::Display for AgentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (agent, sent) = (&self.measured.agent, &self.measured.datagrams);
        write!(f, "{}", self.heading)?;
        let (rate, seconds, size) = (
            agent.spans_per_second,
            self.measured.seconds,
            agent.request_spans,
        );
        writeln!(
            f,
            "\n== agent: kind corpus, {rate} spans a second for {seconds} s in requests of {size}\n"
        )?;
        let mut line = |name: &str, value: f64| writeln!(f, "{name:<40} {value:>14.2}");
        line("idle memory, MiB", agent.idle_mib)?;
        line("  of it its own", agent.idle_own_mib)?;
        line("peak memory, MiB", agent.peak_mib)?;
        line("processor, agent, cores", agent.cores)?;
        line("spans acknowledged", ratio(agent.acknowledged_spans, 1))?;
        line("spans delivered", ratio(agent.delivered_spans, 1))?;
        line("bytes per span to the collector", agent.wire_bytes_per_span)?;
        line("sent latest after it was due, ms", agent.latest_ms)?;
        line("requests sent back (429, 503)", ratio(agent.sent_back, 1))?;
        write_spread(f, "acknowledged since due", agent.acknowledgement)?;
        let rate = sent.spans_per_second;
        let on = if sent.is_held {
            "held to one core"
        } else {
            "on all cores"
        };
        writeln!(
            f,
            "\n== datagrams to a collector {on}: kind corpus, {rate} spans a second for {seconds} s\n"
        )?;
        let mut line = |name: &str, value: f64| writeln!(f, "{name:<40} {value:>14.2}");
        line("datagrams", ratio(sent.datagrams, 1))?;
        line("spans of a datagram", ratio(sent.spans, sent.datagrams))?;
        line("bytes of a datagram", ratio(sent.bytes, sent.datagrams))?;
        line("spans sent", ratio(sent.spans, 1))?;
        line("spans lost", ratio(sent.lost_spans, 1))?;
        line("sent latest after it was due, ms", sent.latest_ms)?;
        line("processor, program, cores", sent.cores)?;
        line("peak memory, MiB", sent.peak_mib)
    }
}
