//! Reads every byte of a data folder that no process has open, and says what is wrong with it.

use std::path::Path;
use std::sync::Arc;

use journal::Files;
use model::contract::Skipped;
use plumbing::{ManualClock, Metrics, SeededRandom};
use serde::Serialize;

use crate::engine::{Engine, lock};
use crate::error::Error;
use crate::options::{StoreOptions, StoreParts};
use crate::stats::Stats;

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckReport {
    /// What the folder holds.
    pub stats: Stats,
    /// Damage: what, and why.
    pub damage: Vec<String>,
}

impl CheckReport {
    /// Tells whether everything is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }
}

/// Opens a data folder as a start would, takes its lock, and verifies every segment. Blocks.
pub fn check(options: StoreOptions, files: Arc<dyn Files>) -> Result<CheckReport, Error> {
    let metrics = Metrics::new();
    let parts = StoreParts {
        files,
        // Nothing here depends on the time: no retention is applied.
        clock: Arc::new(ManualClock::default()),
        random: Arc::new(SeededRandom::new(1)),
        metrics: &metrics,
    };
    require_folder(parts.files.as_ref(), &options.dir)?;
    let engine = Engine::open(options, parts, &|_| ())?;
    let mut report = CheckReport {
        stats: Stats::of(&engine),
        damage: engine.findings.clone(),
    };
    let placed: Vec<_> = lock(&engine.state)
        .tenants
        .values()
        .flat_map(|t| t.placed().cloned())
        .collect();
    for placed in placed {
        match placed.segment.verify() {
            Ok(damage) => {
                report.damage.extend(
                    damage
                        .into_iter()
                        .map(|d| format!("segment {}: {d:?}", placed.listed.meta.id)),
                );
            }
            Err(error) => {
                let found = Skipped {
                    what: placed.listed.meta.id.to_string(),
                    why: error.to_string(),
                };
                report
                    .damage
                    .push(format!("segment {}: {}", found.what, found.why));
            }
        }
    }
    let damaged = engine.metrics.damaged_segments.get();
    if damaged > 0 {
        report.damage.push(format!(
            "{damaged} segments were damaged when the folder was opened; see the log"
        ));
    }
    Ok(report)
}

fn require_folder(files: &dyn Files, dir: &Path) -> Result<(), Error> {
    files
        .list(dir)
        .map(drop)
        .map_err(Error::io("open data folder", dir))
}
