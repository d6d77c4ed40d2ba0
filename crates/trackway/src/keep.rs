//! The embedded store as the configuration wants it: opened for a run, checked and measured for the commands.
//!
//! Promises: the only place that knows how keys of `store.*` and the shares of `memory.limit` become the store's
//! options; at a limit of 512 MiB the shares are the store's own defaults. What only looks deletes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use journal::{Level, RealFiles};
use plumbing::{Clock, Metrics, Random};
use store::{CheckReport, OpenProgress, Stats, Store, StoreOptions, StoreParts};

use crate::config::{Acknowledge, Config, OrOff, SizeOrAuto, SizeOrShare};
use crate::error::Error;
use crate::machine;

/// Older than anything: no limit.
const FOR_EVER: Duration = Duration::from_nanos(u64::MAX);

/// Merging takes the memory of a row group and of a segment's index, so with less memory both are smaller. Below these
/// numbers of spans they would cost more than they spare.
const GROUP_SPANS_MIN: u64 = 8 * 1024;
const SLICE_SPANS_MIN: u64 = 250_000;

/// What a run needs of the machine.
#[derive(Debug, Clone)]
pub(crate) struct Seams {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The registry of metrics.
    pub metrics: Metrics,
}

/// The memory that the program may take, in bytes.
pub(crate) fn memory_limit_bytes(config: &Config) -> u64 {
    match config.memory.limit {
        SizeOrAuto::Auto => machine::memory_limit_default_bytes(),
        SizeOrAuto::Bytes(bytes) => bytes.0,
    }
}

/// Opens the store for a run; blocks, and tells how far it is.
pub(crate) fn open(
    config: &Config,
    seams: &Seams,
    progress: &dyn Fn(String),
) -> Result<Store, Error> {
    open_with(options_of(config), seams, progress)
}

/// What the folder holds, without a run; nothing is deleted or rewritten but what every start repairs.
pub(crate) fn stats(config: &Config, seams: &Seams) -> Result<Stats, Error> {
    let options = options_to_look(config);
    require_folder(&options.dir)?;
    let store = open_with(options, seams, &|_| ())?;
    let stats = store.stats();
    store.stop();
    Ok(stats)
}

/// Reads and verifies every byte of the segments.
pub(crate) fn check(config: &Config) -> Result<CheckReport, Error> {
    let options = options_to_look(config);
    require_folder(&options.dir)?;
    store::check(options, Arc::new(RealFiles)).map_err(|error| failed(&error))
}

fn open_with(
    options: StoreOptions,
    seams: &Seams,
    progress: &dyn Fn(String),
) -> Result<Store, Error> {
    let parts = StoreParts {
        files: Arc::new(RealFiles),
        clock: Arc::clone(&seams.clock),
        random: Arc::clone(&seams.random),
        metrics: &seams.metrics,
    };
    Store::open(options, parts, &|at| progress(words_of(at))).map_err(|error| failed(&error))
}

/// Why a folder with spans can't be used: the error and its causes, each said once, and what to do where that is known.
pub(crate) fn failed(error: &(dyn std::error::Error + 'static)) -> Error {
    let mut text = error.to_string();
    let mut kind = None;
    let mut next = Some(error);
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        let of_system = cause.downcast_ref::<std::io::Error>();
        kind = of_system.map(std::io::Error::kind).or(kind);
        next = cause.source();
    }
    let fix = match kind {
        Some(std::io::ErrorKind::PermissionDenied) => {
            "; give the folder to the program's user (in Kubernetes: podSecurityContext.fsGroup)"
        }
        Some(std::io::ErrorKind::StorageFull) => {
            "; make room, or give it a larger disk (in Kubernetes: a larger volume)"
        }
        _ => "",
    };
    text.push_str(fix);
    Error::Store(text)
}

fn words_of(progress: OpenProgress) -> String {
    match progress {
        OpenProgress::Segments { done, all } => {
            format!("looking at the segments: {done} of {all}")
        }
        OpenProgress::Replay { frames } => format!("replaying the log: {frames} frames"),
    }
}

/// A command that only looks must not make a folder where somebody mistyped its name.
fn require_folder(dir: &Path) -> Result<(), Error> {
    if dir.is_dir() {
        return Ok(());
    }
    let dir = dir.display();
    Err(Error::Missing(format!(
        "there is no folder \"{dir}\"; name the folder of the data with --data-dir"
    )))
}

fn options_to_look(config: &Config) -> StoreOptions {
    let mut options = options_of(config);
    options.retention_age = FOR_EVER;
    options.retention_bytes = Some(u64::MAX);
    options.head_age_max = FOR_EVER;
    options.finalise_after = FOR_EVER;
    options.scrub_bytes_per_second = None;
    options
}

fn options_of(config: &Config) -> StoreOptions {
    let store = &config.store;
    let share = Share {
        memory_bytes: memory_limit_bytes(config),
    };
    let defaults = StoreOptions::new(store.dir.clone());
    let group_spans_max = defaults.group_spans_max as u64;
    let heads_bytes_max = share.of(48);
    let trace_bytes_max = crate::roles::answer_bytes_max(config, share.memory_bytes);
    // One head fills while another is frozen.
    let head_bytes_max = usize::try_from(store.head.bytes_max.0).unwrap_or(usize::MAX);
    StoreOptions {
        level: match store.acknowledge {
            Acknowledge::Sync => Level::Sync,
            Acknowledge::PageCache => Level::PageCache,
            Acknowledge::Memory => Level::Memory,
        },
        head_spans_max: store.head.spans_max,
        head_bytes_max: head_bytes_max.min(heads_bytes_max / 2),
        head_age_max: store.head.age_max,
        finalise_after: store.finalise.after,
        finalise_age: store.finalise.age,
        retention_age: match store.retention.age {
            OrOff::On(age) => age,
            OrOff::Off => FOR_EVER,
        },
        retention_bytes: retention_bytes(store.retention.bytes),
        retention_percent: match store.retention.bytes {
            OrOff::On(SizeOrShare::Percent(percent)) => percent,
            _ => defaults.retention_percent,
        },
        scrub_bytes_per_second: store.scrub.rate.on().map(|rate| rate.0),
        scrub_every: store.scrub.every,
        cache_bytes: share.of(48) as u64,
        heads_bytes_max,
        finalise_spans_max: share.of_number(defaults.finalise_spans_max, SLICE_SPANS_MIN),
        group_spans_max: usize::try_from(share.of_number(group_spans_max, GROUP_SPANS_MIN))
            .unwrap_or(defaults.group_spans_max),
        trace_bytes_max,
        trace_spans_max: (trace_bytes_max / query::SHOWN_SPAN_BYTES) as u64,
        outline_spans_max: defaults
            .outline_spans_max
            .min((trace_bytes_max / store::OUTLINE_SPAN_BYTES) as u64),
        query_threads: machine::cores(),
        judge: config.tail_sampling.judge(),
        ..defaults
    }
}

/// The limit in bytes; `None` leaves it to the store, which knows its disk once it is open, with a share of that.
fn retention_bytes(limit: OrOff<SizeOrShare>) -> Option<u64> {
    match limit {
        OrOff::Off => Some(u64::MAX),
        OrOff::On(SizeOrShare::Bytes(bytes)) => Some(bytes.0),
        OrOff::On(SizeOrShare::Percent(_)) => None,
    }
}

/// Shares of the memory, in parts of 512.
struct Share {
    memory_bytes: u64,
}

impl Share {
    fn of(&self, parts: u64) -> usize {
        usize::try_from(self.memory_bytes / 512 * parts).unwrap_or(usize::MAX)
    }

    /// A number that costs memory: as it is from 512 MiB on, less with less.
    fn of_number(&self, number: u64, min: u64) -> u64 {
        let scaled = self.memory_bytes.saturating_mul(number) / (512 << 20);
        scaled.clamp(min.min(number), number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ByteCount;

    fn config(memory_mib: u64) -> Config {
        let mut config = Config::default();
        config.memory.limit = SizeOrAuto::Bytes(ByteCount::mib(memory_mib));
        config
    }

    #[test]
    fn the_defaults_are_those_of_the_store() {
        let ours = options_of(&config(512));
        let mut theirs = StoreOptions::new(ours.dir.clone());
        theirs.query_threads = ours.query_threads;
        theirs.trace_spans_max = ours.trace_spans_max;
        theirs.outline_spans_max = ours.outline_spans_max;
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        let mut config = config(512);
        config.store.retention.bytes = OrOff::On(SizeOrShare::Percent(30));
        let ours = options_of(&config);
        assert_eq!((ours.retention_bytes, ours.retention_percent), (None, 30));
    }

    #[test]
    fn less_memory_makes_smaller_heads() {
        let options = options_of(&config(64));
        assert_eq!(options.heads_bytes_max, 6 << 20);
        assert_eq!(options.head_bytes_max, 3 << 20);
        assert_eq!(options.cache_bytes, 6 << 20);
    }

    #[test]
    fn less_memory_makes_smaller_row_groups_and_merged_segments_down_to_a_bound() {
        let sizes = |memory_mib: u64| {
            let options = options_of(&config(memory_mib));
            (options.group_spans_max, options.finalise_spans_max)
        };
        assert_eq!(sizes(1 << 20), (65_536, 1_500_000));
        assert_eq!(sizes(256), (32_768, 750_000));
        assert_eq!(sizes(16), (8_192, 250_000));
    }

    #[test]
    fn a_command_that_looks_keeps_everything_and_makes_nothing() {
        let mut config = config(512);
        config.store.retention.age = OrOff::On(Duration::ZERO);
        let options = options_to_look(&config);
        assert_eq!(
            (options.retention_age, options.retention_bytes),
            (FOR_EVER, Some(u64::MAX))
        );
        let missing = std::env::temp_dir().join("trackway-no-such-folder");
        config.store.dir = missing.clone();
        assert!(
            check(&config)
                .unwrap_err()
                .line()
                .contains("there is no folder")
        );
        assert!(!missing.exists());
    }

    #[test]
    fn retention_that_is_off_is_no_limit() {
        let mut config = config(512);
        config.store.retention.age = OrOff::Off;
        config.store.retention.bytes = OrOff::Off;
        let options = options_of(&config);
        assert_eq!(
            (options.retention_age, options.retention_bytes),
            (FOR_EVER, Some(u64::MAX))
        );
    }
}
