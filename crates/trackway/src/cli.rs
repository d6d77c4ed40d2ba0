//! The command line: what can be asked of the program, with help and examples.
//!
//! Promises: every flag that sets a key of the configuration says which; `trackway` alone runs everything.
//! Refuses: a second meaning of a key: flags become entries of the one configuration, nothing else.

mod agent;
mod doctor;
mod storage;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::config::{FlagValue, Sources};
use crate::terminal::ColourChoice;

const ABOUT: &str =
    "Distributed tracing in one program: takes OpenTelemetry traces, keeps them, finds them again";

const EXAMPLES: &str = "\
Examples:
  trackway                                   run everything, data in ./data
  trackway --demo                            the same with realistic traffic
  trackway --data-dir /var/lib/trackway --set store.retention.age=30d
  trackway agent --collector collector:4317  run beside an application
  trackway services                          which services have sent spans
  trackway search --service checkout --min-duration 250ms
  trackway trace 5b8efff798038103d269b633813fc60c
  trackway config show                       every setting and where it came from

Send traces with any OpenTelemetry SDK: OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318";

const COLLECTOR_EXAMPLES: &str = "\
Example:
  trackway collector --host 0.0.0.0 --set backend.kind=elasticsearch \\
      --set backend.elasticsearch.hosts=https://es:9200

The ports of senders are open, and those of what clients are to record; the admin port is 14269.";

const INGESTER_EXAMPLES: &str = "\
Example:
  trackway ingester --set backend.kafka.brokers=kafka:9092 --set backend.kind=elasticsearch \\
      --set backend.elasticsearch.hosts=https://es:9200

It reads what collectors with backend.kind=kafka write, as a member of the group backend.kafka.group; the admin port is
14270.";

const QUERY_EXAMPLES: &str = "\
Example:
  trackway query --host 0.0.0.0 --set backend.kind=elasticsearch \\
      --set backend.elasticsearch.hosts=https://es:9200

The web app and Jaeger's APIs are open; the admin port is 16687. It writes archives, and finishes counts by minute.";

const IMPORT_EXAMPLES: &str = "\
Example:
  trackway config import jaeger.yaml > trackway.yaml

Variables are put in from the environment. Standard error lists what could not be carried over,
with its line, and what to do instead. Exit codes: 0 when all was carried over, 3 when something
was not, 2 for what is no configuration.";

pub(crate) use agent::{AgentArgs, AgentCommand, AgentConfigCommand, AgentFlags};
pub(crate) use doctor::{DoctorArgs, Part};
pub(crate) use storage::{CleanArgs, InitArgs, RolloverArgs, StorageCommand};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "trackway", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 110)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_help_heading = "Commands"
)]
pub(crate) struct Cli {
    /// Without a command: run everything in one process.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What a run needs.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What can be asked of the program.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take spans and write them to a store of others, or to Kafka; any number of these run side by side
    #[command(after_help = COLLECTOR_EXAMPLES)]
    Collector(Box<RoleArgs>),
    /// Take spans out of Kafka into a store of others; any number of these share the messages
    #[command(after_help = INGESTER_EXAMPLES)]
    Ingester(Box<RoleArgs>),
    /// Answer questions from a store of others; any number of these run side by side
    #[command(after_help = QUERY_EXAMPLES)]
    Query(Box<RoleArgs>),
    /// Run beside an application: take its spans, keep them on the disk, deliver them to collectors
    Agent(Box<agent::AgentArgs>),
    /// Show a trace as a waterfall
    Trace(TraceArgs),
    /// Find traces
    Search(SearchArgs),
    /// List the services that have sent spans, and their operations
    Services(ServicesArgs),
    /// Look into the store while the program is not running, or have it put in order while it runs
    #[command(subcommand)]
    Store(StoreCommand),
    /// Put a store of others in order: indices that are rolled over, and the end of old ones
    #[command(subcommand)]
    Storage(Box<StorageCommand>),
    /// Show, check and explain the configuration, or make it of a Jaeger's
    #[command(subcommand)]
    Config(Box<ConfigCommand>),
    /// Look for what is wrong with the store, names, certificates, ports, disks and clocks, and say what to change
    Doctor(Box<DoctorArgs>),
    /// Generate traces and send them anywhere, or write them to a file
    Generate(GenerateArgs),
    /// Print the completions of a shell
    #[command(
        after_help = "Example:\n  trackway completions bash > /etc/bash_completion.d/trackway"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SourceArgs {
    /// Configuration file (YAML)
    #[arg(long, value_name = "FILE", env = "TRACKWAY_CONFIG", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Folder that holds the spans [key: store.dir, default: ./data]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<String>,
    /// Sets any key of the configuration; may be given often
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// The flags that set single keys.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct KeyArgs {
    /// Address for all listeners, such as 0.0.0.0 [key: listen.host, default: localhost]
    #[arg(long, value_name = "IP", help_heading = "Addresses")]
    pub host: Option<String>,
    /// OTLP over gRPC: port, address or off [key: listen.otlp_grpc, default: 4317]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub otlp_grpc: Option<String>,
    /// OTLP over HTTP [key: listen.otlp_http, default: 4318]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub otlp_http: Option<String>,
    /// Jaeger's clients over HTTP, Thrift [key: listen.jaeger_http, default: 14268]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub jaeger_http: Option<String>,
    /// Jaeger's agents over gRPC [key: listen.jaeger_grpc, default: 14250]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub jaeger_grpc: Option<String>,
    /// A store for Jaeger over gRPC, usually 17271 [key: listen.storage_grpc, default: off]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub storage_grpc: Option<String>,
    /// Jaeger's clients by UDP, compact Thrift [key: listen.jaeger_compact, default: 6831]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub jaeger_compact: Option<String>,
    /// Jaeger's clients by UDP, binary Thrift [key: listen.jaeger_binary, default: 6832]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub jaeger_binary: Option<String>,
    /// The oldest clients by UDP, Zipkin's compact Thrift [key: listen.zipkin_compact, default: off]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub zipkin_compact: Option<String>,
    /// Zipkin's clients over HTTP [key: listen.zipkin, default: 9411]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub zipkin: Option<String>,
    /// Jaeger's HTTP JSON API [key: listen.query_http, default: 16686]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub query_http: Option<String>,
    /// Jaeger's query services over gRPC [key: listen.query_grpc, default: 16685]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub query_grpc: Option<String>,
    /// What clients are to record [key: listen.sampling_http, default: 5778]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub sampling_http: Option<String>,
    /// What clients are to record, over gRPC [key: listen.sampling_grpc, default: 5779]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub sampling_grpc: Option<String>,
    /// Metrics and health [key: listen.admin, default: 14269]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub admin: Option<String>,
    /// Health alone [key: listen.health, default: 13133]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub health: Option<String>,
    /// What an accepted request promises: sync, page_cache or memory [key: store.acknowledge]
    #[arg(long, value_name = "LEVEL")]
    pub acknowledge: Option<String>,
    /// How long spans are kept, such as 7d, or off [key: store.retention.age]
    #[arg(long, value_name = "AGE")]
    pub retention_age: Option<String>,
    /// Memory that the program may take, such as 512MiB [key: memory.limit]
    #[arg(long, value_name = "SIZE")]
    pub memory_limit: Option<String>,
    /// What is logged: error, warn, info, debug or trace [key: log.level]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How a line of the log looks: auto, text or json [key: log.format]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// What a run needs.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RunArgs {
    /// What every process needs.
    #[command(flatten)]
    pub role: RoleArgs,
    /// Send realistic traffic of a small web shop to itself
    #[arg(long)]
    pub demo: bool,
}

/// What every process needs that is no agent.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RoleArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Single keys.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Write the addresses to a file as one line of JSON, once everything is ready
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub addresses_file: Option<PathBuf>,
}

/// How to reach the server that is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// Server to ask
    #[arg(
        long,
        value_name = "URL",
        env = "TRACKWAY_SERVER",
        hide_env_values = true,
        default_value = "http://127.0.0.1:16686"
    )]
    pub server: String,
    /// Seconds to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Who asks.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// Who asks, where a server wants to know.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Servers that ask for more")]
pub(crate) struct IdentityArgs {
    /// File with a token, sent as `authorization: Bearer TOKEN`
    #[arg(
        long,
        value_name = "FILE",
        env = "TRACKWAY_TOKEN_FILE",
        hide_env_values = true,
        value_hint = ValueHint::FilePath
    )]
    pub token_file: Option<PathBuf>,
    /// File with NAME:PASSWORD
    #[arg(
        long,
        value_name = "FILE",
        env = "TRACKWAY_PASSWORD_FILE",
        hide_env_values = true,
        value_hint = ValueHint::FilePath,
        conflicts_with = "token_file"
    )]
    pub password_file: Option<PathBuf>,
    /// Authorities to trust for https, instead of the system's
    #[arg(
        long,
        value_name = "FILE",
        env = "TRACKWAY_CA_FILE",
        hide_env_values = true,
        value_hint = ValueHint::FilePath
    )]
    pub ca_file: Option<PathBuf>,
    /// Certificate to show (mTLS)
    #[arg(
        long,
        value_name = "FILE",
        env = "TRACKWAY_CERT_FILE",
        hide_env_values = true,
        value_hint = ValueHint::FilePath
    )]
    pub cert_file: Option<PathBuf>,
    /// Key of that certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "TRACKWAY_KEY_FILE",
        hide_env_values = true,
        value_hint = ValueHint::FilePath
    )]
    pub key_file: Option<PathBuf>,
    /// Tenant that is meant, sent as `x-tenant: NAME`
    #[arg(
        long,
        value_name = "NAME",
        env = "TRACKWAY_TENANT",
        hide_env_values = true
    )]
    pub tenant: Option<String>,
}

/// How the output looks.
#[derive(Debug, Clone, Args)]
pub(crate) struct LookArgs {
    /// Colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColourChoice::Auto)]
    pub color: ColourChoice,
    /// Columns of the output [default: those of the terminal]
    #[arg(long, value_name = "COLUMNS")]
    pub width: Option<usize>,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `trackway trace`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  trackway trace 5b8efff798038103d269b633813fc60c
  trackway trace 5b8efff798038103d269b633813fc60c --attributes | less -R
  trackway trace 5b8efff798038103d269b633813fc60c --json | jq .data[0].spans[0]")]
pub(crate) struct TraceArgs {
    /// Trace id in hex
    pub id: String,
    /// Show attributes, events, links and warnings as well
    #[arg(long, short)]
    pub attributes: bool,
    /// The most spans to show; 0 shows all
    #[arg(long, value_name = "COUNT", default_value_t = 2000)]
    pub spans: usize,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The output.
    #[command(flatten)]
    pub look: LookArgs,
}

/// `trackway search`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  trackway search --service checkout --min-duration 250ms --since 15m
  trackway search --service checkout --errors
  trackway search --service cart --operation 'GET /cart' --tag http.response.status_code=500 --limit 100")]
pub(crate) struct SearchArgs {
    /// Service that has a span in the trace
    #[arg(long, short, value_name = "NAME")]
    pub service: String,
    /// Name of that span
    #[arg(long, short, value_name = "NAME")]
    pub operation: Option<String>,
    /// Attribute of that span; may be given often, all must hold
    #[arg(long, short, value_name = "KEY=VALUE")]
    pub tag: Vec<String>,
    /// Only spans that failed
    #[arg(long)]
    pub errors: bool,
    /// Only spans that took at least so long, such as 250ms
    #[arg(long, value_name = "DURATION")]
    pub min_duration: Option<String>,
    /// Only spans that took at most so long
    #[arg(long, value_name = "DURATION")]
    pub max_duration: Option<String>,
    /// Only spans that started at most so long ago
    #[arg(long, value_name = "DURATION", default_value = "48h")]
    pub since: String,
    /// The most traces
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The output.
    #[command(flatten)]
    pub look: LookArgs,
}

/// `trackway services`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  trackway services\n  trackway services checkout")]
pub(crate) struct ServicesArgs {
    /// Service whose operations to list
    pub service: Option<String>,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// `trackway store …`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read every byte of the store and verify it; changes nothing
    #[command(
        visible_alias = "verify",
        after_help = "Example:\n  trackway store check --data-dir /var/lib/trackway"
    )]
    Check(StoreArgs),
    /// Have a running program do the work that it puts off: write what is in memory, merge what is in parts
    #[command(after_help = "Example:\n  trackway store finalise --wait")]
    Finalise(FinaliseArgs),
    /// Have a running program keep a trace, however old it is and however little room there is
    #[command(after_help = "Example:\n  trackway store pin 0af7651916cd43dd8448eb211c80319c")]
    Pin(PinArgs),
    /// List the traces that a running program keeps
    Pins(PinsArgs),
    /// Show what is in the store, and how large it is
    #[command(after_help = "Example:\n  trackway store stats --data-dir /var/lib/trackway --json")]
    Stats(StoreArgs),
    /// Have a running program let a trace age as all others do
    Unpin(PinArgs),
}

/// `trackway store pin|unpin`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PinArgs {
    /// Trace id, 1 to 32 hexadecimal digits
    pub trace_id: String,
    /// Admin port of the program
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:14269")]
    pub admin: String,
    /// Who asks.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// `trackway store pins`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PinsArgs {
    /// Admin port of the program
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:14269")]
    pub admin: String,
    /// Who asks.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Print the program's answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `trackway store finalise`.
#[derive(Debug, Clone, Args)]
pub(crate) struct FinaliseArgs {
    /// Wait until all of it is done
    #[arg(long)]
    pub wait: bool,
    /// Admin port of the program
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:14269")]
    pub admin: String,
    /// Who asks.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Seconds to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}

/// What both commands of the store need.
#[derive(Debug, Clone, Args)]
pub(crate) struct StoreArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `trackway config …`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the effective configuration; a comment behind each value names its source
    Show(ConfigArgs),
    /// Look for mistakes in a file, together with the environment
    #[command(after_help = "Example:\n  trackway config check trackway.yaml")]
    Check {
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Tell everything about a key, or list the keys of a section
    #[command(
        after_help = "Examples:\n  trackway config explain store.retention.age\n  trackway config explain listen"
    )]
    Explain {
        /// The key's path.
        key: String,
        /// Where the configuration comes from.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print the configuration of a Jaeger 2 as one of Trackway, and list what can't be carried over
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// The file (YAML).
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print the reference of all keys in Markdown
    #[command(hide = true)]
    Reference,
}

/// The whole configuration.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ConfigArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Single keys.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// Which corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// A web shop of 20 services.
    Kind,
    /// Short random traces whose values hardly repeat.
    Unkind,
}

/// `trackway generate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  trackway generate --spans 10000
  trackway generate --spans 1000000 --rate 20000 --to http://collector:4318
  trackway generate --spans 1000000 --seed 7 --start 1790000000 --out kind.bin --truth kind.truth.json

Equal --profile, --spans, --seed, --start, --window and --batch give equal bytes.")]
pub(crate) struct GenerateArgs {
    /// Kind of traffic
    #[arg(long, value_enum, default_value_t = ProfileChoice::Kind)]
    pub profile: ProfileChoice,
    /// Spans at least; the last trace is always whole
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub spans: u64,
    /// Where the random numbers begin
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// First instant in Unix seconds [default: so that the traces end about now]
    #[arg(long, value_name = "SECONDS")]
    pub start: Option<u64>,
    /// Seconds over which the traces are spread
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    pub window: u64,
    /// Spans of a request
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub batch: usize,
    /// Spans a second [default: as fast as they are taken]
    #[arg(long, value_name = "SPANS", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// OTLP/HTTP endpoint to send to
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:4318",
        conflicts_with = "out"
    )]
    pub to: String,
    /// Who sends.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Requests under way at once
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub connections: u8,
    /// Seconds for which a request that is refused for now is sent again
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub patience: u64,
    /// Write to a file instead: records of a little-endian u32 length and one ExportTraceServiceRequest
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Write the truth about the traces to a file as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub truth: Option<PathBuf>,
}

impl SourceArgs {
    fn flag_values(&self) -> Result<Vec<FlagValue>, String> {
        let mut values = Vec::new();
        for set in &self.set {
            let Some((path, text)) = set.split_once('=') else {
                return Err(format!(
                    "--set {set}: write KEY=VALUE, such as --set store.retention.age=30d"
                ));
            };
            values.push(FlagValue {
                path: path.to_owned(),
                text: text.to_owned(),
                flag: "--set".to_owned(),
            });
        }
        values.extend(named("store.dir", self.data_dir.as_ref(), "--data-dir"));
        Ok(values)
    }

    /// The sources of the configuration: file, this process's environment, flags.
    pub(crate) fn sources(&self, keys: &KeyArgs) -> Result<Sources, String> {
        let mut flags = self.flag_values()?;
        flags.extend(keys.flag_values());
        // A name or value that is no Unicode can't be one of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Ok(Sources {
            file: self.config.clone(),
            variables: std::env::vars_os().filter_map(text).collect(),
            flags,
        })
    }
}

impl KeyArgs {
    fn flag_values(&self) -> Vec<FlagValue> {
        let flags = [
            ("listen.host", &self.host, "--host"),
            ("listen.otlp_grpc", &self.otlp_grpc, "--otlp-grpc"),
            ("listen.otlp_http", &self.otlp_http, "--otlp-http"),
            ("listen.jaeger_http", &self.jaeger_http, "--jaeger-http"),
            ("listen.jaeger_grpc", &self.jaeger_grpc, "--jaeger-grpc"),
            ("listen.storage_grpc", &self.storage_grpc, "--storage-grpc"),
            (
                "listen.jaeger_compact",
                &self.jaeger_compact,
                "--jaeger-compact",
            ),
            (
                "listen.jaeger_binary",
                &self.jaeger_binary,
                "--jaeger-binary",
            ),
            (
                "listen.zipkin_compact",
                &self.zipkin_compact,
                "--zipkin-compact",
            ),
            ("listen.zipkin", &self.zipkin, "--zipkin"),
            ("listen.query_http", &self.query_http, "--query-http"),
            ("listen.query_grpc", &self.query_grpc, "--query-grpc"),
            (
                "listen.sampling_http",
                &self.sampling_http,
                "--sampling-http",
            ),
            (
                "listen.sampling_grpc",
                &self.sampling_grpc,
                "--sampling-grpc",
            ),
            ("listen.admin", &self.admin, "--admin"),
            ("listen.health", &self.health, "--health"),
            ("store.acknowledge", &self.acknowledge, "--acknowledge"),
            (
                "store.retention.age",
                &self.retention_age,
                "--retention-age",
            ),
            ("memory.limit", &self.memory_limit, "--memory-limit"),
            ("log.level", &self.log_level, "--log-level"),
            ("log.format", &self.log_format, "--log-format"),
        ];
        flags
            .into_iter()
            .filter_map(|(path, value, flag)| named(path, value.as_ref(), flag))
            .collect()
    }
}

fn named(path: &str, value: Option<&String>, flag: &str) -> Option<FlagValue> {
    value.map(|text| FlagValue {
        path: path.to_owned(),
        text: text.clone(),
        flag: flag.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::Settings;

    #[test]
    fn the_command_line_is_put_together_right() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_is_what_it_was() {
        let mut command = Cli::command().term_width(100);
        command.build();
        let mut text = String::new();
        let mut waiting: Vec<(String, clap::Command)> = vec![("trackway".to_owned(), command)];
        while let Some((name, mut command)) = waiting.pop() {
            let below: Vec<clap::Command> = command.get_subcommands().cloned().collect();
            let shown = below
                .into_iter()
                .filter(|below| below.get_name() != "help" && !below.is_hide_set());
            waiting.extend(shown.map(|below| (format!("{name} {}", below.get_name()), below)));
            waiting.sort_by(|left, right| right.0.cmp(&left.0));
            text.push_str(&format!("$ {name} --help\n{}\n", command.render_help()));
        }
        crate::golden::assert_golden("help.txt", &text);
    }

    #[test]
    fn every_flag_of_a_key_sets_it_and_its_help_names_the_key() {
        let command = Cli::command();
        let keys = KeyArgs {
            host: Some("0.0.0.0".to_owned()),
            otlp_grpc: Some("1".to_owned()),
            otlp_http: Some("2".to_owned()),
            jaeger_http: Some("10".to_owned()),
            jaeger_grpc: Some("11".to_owned()),
            storage_grpc: Some("17".to_owned()),
            jaeger_compact: Some("12".to_owned()),
            jaeger_binary: Some("13".to_owned()),
            zipkin_compact: Some("14".to_owned()),
            zipkin: Some("15".to_owned()),
            query_http: Some("3".to_owned()),
            query_grpc: Some("6".to_owned()),
            sampling_http: Some("16".to_owned()),
            sampling_grpc: Some("18".to_owned()),
            admin: Some("4".to_owned()),
            health: Some("5".to_owned()),
            acknowledge: Some("memory".to_owned()),
            retention_age: Some("1d".to_owned()),
            memory_limit: Some("1GiB".to_owned()),
            log_level: Some("debug".to_owned()),
            log_format: Some("json".to_owned()),
        };
        let mut flags = keys.flag_values();
        flags.extend(named("store.dir", Some(&"/x".to_owned()), "--data-dir"));
        let sources = Sources {
            flags: flags.clone(),
            ..Sources::default()
        };
        let settings = Settings::load(&sources).unwrap();
        for value in &flags {
            assert_eq!(settings.origin(&value.path).to_string(), value.flag);
            let long = value.flag.trim_start_matches("--");
            let argument = command
                .get_arguments()
                .find(|argument| argument.get_long() == Some(long))
                .unwrap();
            let help = argument.get_help().unwrap().to_string();
            assert!(
                help.contains(&format!("key: {}", value.path)),
                "{} does not name {}",
                value.flag,
                value.path
            );
        }
    }

    #[test]
    fn a_set_without_value_is_told() {
        let source = SourceArgs {
            set: vec!["store.dir".to_owned()],
            ..SourceArgs::default()
        };
        assert!(
            source
                .sources(&KeyArgs::default())
                .unwrap_err()
                .contains("KEY=VALUE")
        );
    }

    #[test]
    fn a_run_with_flags_is_no_command_and_a_command_takes_none_of_them() {
        let cli = Cli::try_parse_from(["trackway", "--data-dir", "/x", "--demo"]).unwrap();
        assert!(cli.command.is_none() && cli.run.demo);
        assert!(Cli::try_parse_from(["trackway", "--demo", "services"]).is_err());
    }
}
