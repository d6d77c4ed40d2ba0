//! The file with sampling strategies: read at the start, and again when it changes.
//!
//! Promises: a file that can't be used ends the start with what is wrong in it; while the program runs the strategies
//! that were good stay, and the log says why the new ones were not taken.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plumbing::Shutdown;
use sampling::FileStrategies;

use crate::config::{OrOff, Sampling};

/// A larger file is no file of strategies.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Strategies, and the text of the file that they were read from.
pub(crate) type Loaded = (Arc<FileStrategies>, Option<String>);

/// The strategies that the configuration names; the error is a sentence with the key.
pub(crate) fn load(config: &Sampling) -> Result<Loaded, String> {
    let strategies = FileStrategies::without_file(config.default_probability.0);
    let mut last = None;
    if let OrOff::On(path) = &config.strategies_file {
        let text = read(path).map_err(|why| format!("sampling.strategies_file: {why}"))?;
        take(&strategies, &text)
            .map_err(|why| format!("sampling.strategies_file: {}: {why}", path.display()))?;
        last = Some(text);
    }
    Ok((Arc::new(strategies), last))
}

/// Looks at the file again and again until the stop.
pub(crate) async fn watch((strategies, mut last): Loaded, config: Sampling, stop: Shutdown) {
    let (OrOff::On(path), OrOff::On(pause)) = (config.strategies_file, config.reload_interval)
    else {
        return;
    };
    let mut complaint = None;
    while tokio::time::timeout(pause, stop.begun()).await.is_err() {
        let text = match read_aside(path.clone()).await {
            Ok(text) if last.as_ref() == Some(&text) => continue,
            Ok(text) => text,
            Err(why) => {
                complain(&mut complaint, why);
                continue;
            }
        };
        match take(&strategies, &text) {
            Ok(()) => {
                tracing::info!(file = %path.display(), "sampling strategies were read again");
                complaint = None;
            }
            Err(why) => complain(&mut complaint, why),
        }
        last = Some(text);
    }
}

/// The same complaint is made once.
fn complain(last: &mut Option<String>, why: String) {
    if last.as_ref() != Some(&why) {
        tracing::warn!(why, "the sampling strategies stay as they were");
        *last = Some(why);
    }
}

fn take(strategies: &FileStrategies, text: &str) -> Result<(), String> {
    let warnings = strategies.replace(text).map_err(|why| why.to_string())?;
    for warning in warnings {
        tracing::warn!(warning, "sampling strategies");
    }
    Ok(())
}

async fn read_aside(path: PathBuf) -> Result<String, String> {
    let reading = tokio::task::spawn_blocking(move || read(&path));
    reading.await.unwrap_or_else(|ended| Err(ended.to_string()))
}

fn read(path: &Path) -> Result<String, String> {
    let failed = |why: std::io::Error| format!("can't read {}: {why}", path.display());
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(format!(
            "{} has {bytes} bytes, and a file of strategies has at most {FILE_BYTES_MAX}",
            path.display()
        ));
    }
    std::fs::read_to_string(path).map_err(failed)
}
