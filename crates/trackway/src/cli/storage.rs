//! `trackway storage`: what is done from time to time to a store of others, by a person or a job.

use clap::{Args, Subcommand};

use super::SourceArgs;

/// `trackway storage …`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum StorageCommand {
    /// Make what a store needs before the first span: Cassandra's tables, Elasticsearch's first indices and aliases
    #[command(
        after_help = "Example:\n  trackway storage init --config trackway.yaml\n\nWhat is there stays as it is. \
                            Elasticsearch needs it for backend.elasticsearch.rotation=rollover alone."
    )]
    Init(InitArgs),
    /// Go on in new indices where those that are written to are old or large enough
    #[command(
        after_help = "Examples:\n  trackway storage rollover --config trackway.yaml\n  \
                      trackway storage rollover --conditions '{\"max_age\":\"1d\",\"max_docs\":500000000}' \
                      --lookback 14d\n\nRun it every few hours, for instance as a CronJob."
    )]
    Rollover(RolloverArgs),
    /// Delete old indices; those that are written to stay
    #[command(
        after_help = "Examples:\n  trackway storage clean --days 7 --config trackway.yaml\n  \
                      trackway storage clean --days 7 --dry-run\n\nRun it once a day, for instance as a CronJob."
    )]
    Clean(CleanArgs),
}

/// `trackway storage init`.
#[derive(Debug, Clone, Args)]
pub(crate) struct InitArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Also for archived traces, in Elasticsearch
    #[arg(long)]
    pub archive: bool,
}

/// `trackway storage rollover`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RolloverArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// When an index is old or large enough, in Elasticsearch's words
    #[arg(
        long,
        value_name = "JSON",
        env = "CONDITIONS",
        hide_env_values = true,
        default_value = r#"{"max_age":"2d"}"#
    )]
    pub conditions: String,
    /// Search no longer in indices that were made so long ago, such as 14d
    #[arg(long, value_name = "AGE")]
    pub lookback: Option<String>,
    /// Also those of archived traces
    #[arg(long)]
    pub archive: bool,
}

/// `trackway storage clean`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CleanArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Whole days that indices are kept after they were made
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub days: u32,
    /// Those of archived traces instead, which are rolled over
    #[arg(long)]
    pub archive: bool,
    /// Only say what would be deleted
    #[arg(long)]
    pub dry_run: bool,
}
