//! `trackway agent`: its flags, each of which sets a key of the one configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{KeyArgs, SourceArgs, named};
use crate::config::{FlagValue, Sources};

/// `trackway agent`.
#[derive(Debug, Clone, Default, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trackway agent --collector collector:4317
  trackway agent --collector tracing-a:4317,tracing-b:4317 --buffer-dir /var/lib/trackway-agent
  trackway agent --collector collector:4317 --tags cluster=${CLUSTER:none},team=shop
  trackway agent config show --collector collector:4317

It listens on this machine alone unless --host says otherwise. All keys: trackway agent config explain agent"
)]
pub(crate) struct AgentArgs {
    /// Without a command: run the agent.
    #[command(subcommand)]
    pub command: Option<AgentCommand>,
    /// The flags that set keys.
    #[command(flatten)]
    pub flags: AgentFlags,
    /// Write the addresses to a file as one line of JSON, once everything is ready
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub addresses_file: Option<PathBuf>,
}

/// What can be asked of an agent but to run.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AgentCommand {
    /// Show, check and explain the configuration of an agent, whose defaults are its own
    #[command(subcommand)]
    Config(Box<AgentConfigCommand>),
}

/// `trackway agent config …`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AgentConfigCommand {
    /// Print the effective configuration of an agent that is given the same flags, with the source of each value
    #[command(after_help = "Example:\n  trackway agent config show --collector collector:4317")]
    Show(AgentFlags),
    /// Look for mistakes in a file, together with the environment
    #[command(after_help = "Example:\n  trackway agent config check agent.yaml")]
    Check {
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Tell everything about a key, or list the keys of a section
    #[command(after_help = "Example:\n  trackway agent config explain agent.buffer")]
    Explain {
        /// The key's path.
        key: String,
        /// The flags that set keys.
        #[command(flatten)]
        flags: AgentFlags,
    },
}

/// The flags of an agent that set keys.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AgentFlags {
    /// Collectors, OTLP over gRPC; may be given often [key: agent.collectors]
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "REPORTER_GRPC_HOST_PORT",
        hide_env_values = true,
        value_delimiter = ',',
        alias = "reporter.grpc.host-port"
    )]
    pub collector: Vec<String>,
    /// Folder that holds spans until a collector has them [key: agent.buffer.dir, default: ./agent-buffer]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub buffer_dir: Option<String>,
    /// The most bytes of that folder [key: agent.buffer.bytes_max, default: 512MiB]
    #[arg(long, value_name = "SIZE")]
    pub buffer_size: Option<String>,
    /// Attributes that resources are given [key: agent.attributes]
    #[arg(
        long,
        value_name = "KEY=VALUE,…",
        env = "AGENT_TAGS",
        hide_env_values = true,
        alias = "agent.tags"
    )]
    pub tags: Option<String>,
    /// Configuration file (YAML)
    #[arg(long, value_name = "FILE", env = "TRACKWAY_CONFIG", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Sets any key of the configuration; may be given often
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Address for all listeners, such as 0.0.0.0 [key: listen.host, default: localhost]
    #[arg(long, value_name = "IP", help_heading = "Addresses")]
    pub host: Option<String>,
    /// OTLP over gRPC: port, address or off [key: listen.otlp_grpc, default: 4317]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub otlp_grpc: Option<String>,
    /// OTLP over HTTP [key: listen.otlp_http, default: 4318]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub otlp_http: Option<String>,
    /// Jaeger's clients by UDP, compact Thrift [key: listen.jaeger_compact, default: 6831]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub jaeger_compact: Option<String>,
    /// Jaeger's clients by UDP, binary Thrift [key: listen.jaeger_binary, default: 6832]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub jaeger_binary: Option<String>,
    /// The oldest clients by UDP, Zipkin's compact Thrift [key: listen.zipkin_compact, default: off]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub zipkin_compact: Option<String>,
    /// What clients are to record [key: listen.sampling_http, default: 5778]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub sampling_http: Option<String>,
    /// What clients are to record, over gRPC [key: listen.sampling_grpc, default: 5779]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub sampling_grpc: Option<String>,
    /// Metrics and health [key: listen.admin, default: 14271]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub admin: Option<String>,
    /// What is logged: error, warn, info, debug or trace [key: log.level]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How a line of the log looks: auto, text or json [key: log.format]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

impl AgentFlags {
    /// The sources of the configuration: file, this process's environment, flags.
    pub(crate) fn sources(&self) -> Result<Sources, String> {
        let source = SourceArgs {
            config: self.config.clone(),
            data_dir: None,
            set: self.set.clone(),
        };
        let keys = KeyArgs {
            host: self.host.clone(),
            otlp_grpc: self.otlp_grpc.clone(),
            otlp_http: self.otlp_http.clone(),
            jaeger_compact: self.jaeger_compact.clone(),
            jaeger_binary: self.jaeger_binary.clone(),
            zipkin_compact: self.zipkin_compact.clone(),
            sampling_http: self.sampling_http.clone(),
            sampling_grpc: self.sampling_grpc.clone(),
            admin: self.admin.clone(),
            log_level: self.log_level.clone(),
            log_format: self.log_format.clone(),
            ..KeyArgs::default()
        };
        let mut sources = source.sources(&keys)?;
        sources.flags.extend(self.flag_values());
        Ok(sources)
    }

    fn flag_values(&self) -> Vec<FlagValue> {
        let collectors = (!self.collector.is_empty()).then(|| self.collector.join(","));
        let flags = [
            ("agent.collectors", &collectors, "--collector"),
            ("agent.buffer.dir", &self.buffer_dir, "--buffer-dir"),
            ("agent.buffer.bytes_max", &self.buffer_size, "--buffer-size"),
            ("agent.attributes", &self.tags, "--tags"),
        ];
        let named = flags
            .into_iter()
            .filter_map(|(path, value, flag)| named(path, value.as_ref(), flag));
        named.collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::config::{Address, Config, Settings, show};

    fn settings(arguments: &[&str]) -> Settings {
        let all = [&["trackway", "agent"], arguments].concat();
        let Some(Command::Agent(args)) = Cli::try_parse_from(all).unwrap().command else {
            panic!("it is no agent");
        };
        load(&args.flags)
    }

    fn load(flags: &AgentFlags) -> Settings {
        Settings::load_over(Config::for_agent(), &flags.sources().unwrap()).unwrap()
    }

    #[test]
    fn an_agents_configuration_is_shown_as_the_same_flags_would_run_it() {
        let flags = ["--collector", "a:1", "--tags=team=shop", "--admin=9"];
        let all = ["trackway", "agent", "config", "show"];
        let cli = Cli::try_parse_from(all.iter().chain(&flags)).unwrap();
        let Some(Command::Agent(args)) = cli.command else {
            panic!("it is no agent");
        };
        let Some(AgentCommand::Config(command)) = args.command else {
            panic!("nothing is asked of it");
        };
        let AgentConfigCommand::Show(shown) = *command else {
            panic!("nothing is shown");
        };
        let text = show(&load(&shown));
        assert_eq!(text, show(&settings(&flags)));
        crate::golden::assert_golden("agent-config-show.yaml", &text);
    }

    #[test]
    fn every_flag_sets_its_key_and_those_of_jaegers_agent_do_too() {
        let settings = settings(&[
            "--collector",
            "a:1",
            "--reporter.grpc.host-port=b:2,c:3",
            "--buffer-dir=/x",
            "--buffer-size=2MiB",
            "--agent.tags=a=1,b=2",
            "--admin=9",
        ]);
        let agent = &settings.config.agent;
        assert_eq!(agent.collectors.0.len(), 3);
        assert_eq!(agent.buffer.dir, PathBuf::from("/x"));
        assert_eq!(
            (agent.buffer.bytes_max.0, agent.attributes.0.len()),
            (2 << 20, 2)
        );
        assert_eq!(settings.config.listen.admin, Address::Port(9));
        assert_eq!(
            settings.origin("agent.collectors").to_string(),
            "--collector"
        );
    }

    #[test]
    fn only_the_doors_of_applications_are_open_unless_told_otherwise() {
        let open = |settings: &Settings| {
            let addresses = settings.config.listen.addresses();
            let open = addresses
                .iter()
                .filter(|(.., address)| *address != Address::Off);
            open.map(|(name, ..)| *name).collect::<Vec<_>>()
        };
        let usual = [
            "otlp_grpc",
            "otlp_http",
            "jaeger_compact",
            "jaeger_binary",
            "sampling_http",
            "sampling_grpc",
            "admin",
        ];
        assert_eq!(open(&settings(&[])), usual);
        assert!(open(&settings(&["--set", "listen.zipkin=9411"])).contains(&"zipkin"));
    }
}
