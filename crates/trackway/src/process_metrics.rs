//! What the process takes of its machine, under the names that Prometheus's own clients use:
//! `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds`, `process_max_fds`,
//! `process_start_time_seconds`.
//!
//! Read anew whenever metrics are printed. What the system doesn't tell is left out.

use plumbing::{Clock, Metrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Linux shows times of processes in hundredths of a second, whatever its own ticks are.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug)]
struct ProcessMetrics {
    start_unix_seconds: f64,
}

/// Adds the process's metrics; now is when it started.
pub(crate) fn register(metrics: &Metrics, clock: &dyn Clock) {
    let start_unix_seconds = std::time::Duration::from_nanos(clock.unix_nanos()).as_secs_f64();
    metrics.register(|registry| {
        registry.register_collector(Box::new(ProcessMetrics { start_unix_seconds }));
    });
}

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut gauge = |name: &str, help: &str, unit: Option<&Unit>, value: f64| {
            let gauge = ConstGauge::new(value);
            let of = encoder.encode_descriptor(name, help, unit, gauge.metric_type())?;
            gauge.encode(of)
        };
        let (seconds, bytes) = (Unit::Seconds, Unit::Bytes);
        let help = "When the process started, since the epoch";
        gauge(
            "process_start_time",
            help,
            Some(&seconds),
            self.start_unix_seconds,
        )?;
        if let Some(resident) = file("status").as_deref().and_then(resident_bytes) {
            let help = "Memory of the process that is in RAM, shared pages included";
            gauge("process_resident_memory", help, Some(&bytes), resident)?;
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // One of them is the folder that is being read.
            let open = u32::try_from(open.count().saturating_sub(1)).unwrap_or(u32::MAX);
            gauge(
                "process_open_fds",
                "Open files and sockets",
                None,
                f64::from(open),
            )?;
        }
        if let Some(max) = file("limits").as_deref().and_then(files_max) {
            gauge(
                "process_max_fds",
                "The most files and sockets that may be open",
                None,
                max,
            )?;
        }
        if let Some(cpu) = file("stat").as_deref().and_then(cpu_seconds) {
            let counter = ConstCounter::new(cpu);
            let help = "Processor time of the process, user and system";
            let of = encoder.encode_descriptor(
                "process_cpu",
                help,
                Some(&seconds),
                counter.metric_type(),
            )?;
            counter.encode(of)?;
        }
        Ok(())
    }
}

fn file(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/{name}")).ok()
}

/// From `/proc/self/status`.
fn resident_bytes(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

/// From `/proc/self/limits`: the limit that is in force; nothing where there is none.
fn files_max(limits: &str) -> Option<f64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// From `/proc/self/stat`: the 14th and 15th field; the second is a name in parentheses that may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = |at| fields.split(' ').nth(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use plumbing::RealClock;

    use super::*;

    #[test]
    fn the_system_files_are_read_as_they_are_written() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 9 0 5 6 7";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("7 (a"), None);
        assert_eq!(
            resident_bytes("Name:\tx\nVmRSS:\t     12 kB\n"),
            Some(12288.0)
        );
        let limits =
            "Max processes   7   7 processes\nMax open files            1024   4096   files\n";
        assert_eq!(files_max(limits), Some(1024.0));
        assert_eq!(files_max("Max open files  unlimited unlimited files"), None);
    }

    #[test]
    fn all_of_them_are_printed_under_their_usual_names() {
        let metrics = Metrics::new();
        register(&metrics, &RealClock::default());
        let text = metrics.print().unwrap();
        let value = |name: &str| -> f64 {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name} in {text}"))
                .parse()
                .unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") > value("process_open_fds"));
        assert!(value("process_cpu_seconds_total") >= 0.0);
        assert!(value("process_start_time_seconds") > 1.6e9);
    }
}
