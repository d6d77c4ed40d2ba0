//! `trackway doctor`: what is wrong, and what to change.

use clap::{Args, ValueEnum};

use super::{IdentityArgs, SourceArgs};

/// Which part of the program is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Everything in one process.
    AllInOne,
    Collector,
    Query,
    Ingester,
    Agent,
}

/// `trackway doctor`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  trackway doctor                                            everything in one process, on this machine
  trackway doctor --role collector --config trackway.yaml
  trackway doctor --send-to http://collector:4318 --ask http://query:16686
  kubectl exec deploy/jaeger-query -- trackway doctor --role query --config /etc/trackway/config/trackway.yaml

It reads the same file, variables and keys as the program, and changes nothing; --send-to sends one span. Exit code 1
when something is wrong; standard error then says the first of it in one line.")]
pub(crate) struct DoctorArgs {
    /// What the configuration is for
    #[arg(long, value_name = "ROLE", value_enum, default_value_t = Part::AllInOne)]
    pub role: Part,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The program runs elsewhere: its ports and folders are not looked at
    #[arg(long)]
    pub away: bool,
    /// Exit with 0 whatever is found: before a program, in a pod
    #[arg(long)]
    pub never_fail: bool,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// Send a span there, by OTLP over HTTP, and find it again by --ask
    #[arg(long, value_name = "URL", requires = "ask")]
    pub send_to: Option<String>,
    /// Where the span must be found: a query node
    #[arg(long, value_name = "URL", requires = "send_to")]
    pub ask: Option<String>,
    /// Who sends and asks.
    #[command(flatten)]
    pub identity: IdentityArgs,
}
