//! The commands: one module each, from arguments to output.
//!
//! Promises: answers go to standard output, everything else to standard error; every failure is an [`Error`] that is
//! said once, by `main`.

mod config;
mod doctor;
mod generate;
mod search;
mod services;
mod storage;
mod store;
mod trace;

use std::future::Future;
use std::io::{self, Write};
use std::time::Duration;

use clap::CommandFactory;
use http::StatusCode;

use crate::cli::{AgentArgs, AgentCommand, Cli, Command, RoleArgs, RunArgs, ServerArgs};
use crate::client::{Connection, Reply, Server};
use crate::config::{BackendKind, Config, OrOff, Settings};
use crate::error::Error;
use crate::jaeger_json::{ApiError, Envelope};
use crate::roles;

/// The port of Jaeger's HTTP JSON API.
const QUERY_PORT: u16 = 16686;

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli) -> Result<(), Error> {
    let out = &mut io::stdout().lock();
    match cli.command {
        None => run_all(&cli.run),
        Some(Command::Collector(args)) => run_role(Role::Collector, &args),
        Some(Command::Ingester(args)) => run_role(Role::Ingester, &args),
        Some(Command::Query(args)) => run_role(Role::Query, &args),
        Some(Command::Agent(args)) => run_agent(&args, out),
        Some(Command::Trace(args)) => trace::run(&args, out),
        Some(Command::Search(args)) => search::run(&args, out),
        Some(Command::Services(args)) => services::run(&args, out),
        Some(Command::Store(command)) => store::run(&command, out),
        Some(Command::Storage(command)) => storage::run(&command, out),
        Some(Command::Config(command)) => config::run(&command, out),
        Some(Command::Doctor(args)) => doctor::run(&args, out),
        Some(Command::Generate(args)) => generate::run(&args, out),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trackway", &mut script);
            Ok(out.write_all(&script)?)
        }
    }
}

fn run_all(args: &RunArgs) -> Result<(), Error> {
    let RunArgs { role, demo } = args;
    let sources = role.source.sources(&role.keys).map_err(Error::Usage)?;
    let settings = Settings::load(&sources)?;
    if settings.config.backend.kind == BackendKind::Kafka {
        let text = "backend.kind is kafka, where nobody finds spans: run trackway collector to write there, trackway \
                    ingester to take them to a store, and trackway query on that store";
        return Err(Error::Usage(text.to_owned()));
    }
    roles::run_all_in_one(&settings, role.addresses_file.as_deref(), *demo)
}

/// A part of everything, on a store that others share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Collector,
    Ingester,
    Query,
}

fn run_role(role: Role, args: &RoleArgs) -> Result<(), Error> {
    let (name, defaults) = match role {
        Role::Collector => ("collector", Config::for_collector()),
        Role::Ingester => ("ingester", Config::for_ingester()),
        Role::Query => ("query", Config::for_query()),
    };
    let sources = args.source.sources(&args.keys).map_err(Error::Usage)?;
    let mut settings = Settings::load_over(defaults, &sources)?;
    fit(role, name, &mut settings.config).map_err(Error::Usage)?;
    let addresses_file = args.addresses_file.as_deref();
    match role {
        Role::Ingester => roles::run_ingester(&settings, addresses_file),
        Role::Collector | Role::Query => roles::run_all_in_one(&settings, addresses_file, false),
    }
}

/// Refuses what makes no sense for a role; the error is a sentence.
fn fit(role: Role, name: &str, config: &mut Config) -> Result<(), String> {
    let (kind, buffer_dir) = (config.backend.kind, &mut config.backend.buffer.dir);
    if kind == BackendKind::Embedded {
        return Err(format!(
            "trackway {name} shares a store of others with its like, and backend.kind is embedded: set it (trackway \
             config explain backend.kind), or run everything in one process with trackway alone"
        ));
    }
    if kind == BackendKind::Kafka && role != Role::Collector {
        return Err(format!(
            "backend.kind is kafka: for trackway {name} it names the store where spans are found, such as \
             elasticsearch; only a collector writes to Kafka"
        ));
    }
    match role {
        Role::Ingester if *buffer_dir != OrOff::Off => {
            let text = "backend.buffer.dir is set, and an ingester needs no buffer: what its store does not take waits \
                        in Kafka; leave it to trackway collector";
            return Err(text.to_owned());
        }
        // The same file is right for a collector, whose buffer has one process at a time; this one takes no spans.
        Role::Query => *buffer_dir = OrOff::Off,
        Role::Ingester | Role::Collector => {}
    }
    Ok(())
}

fn run_agent(args: &AgentArgs, out: &mut dyn Write) -> Result<(), Error> {
    if let Some(AgentCommand::Config(command)) = &args.command {
        return config::run_for_agent(command, out);
    }
    let sources = args.flags.sources().map_err(Error::Usage)?;
    let settings = Settings::load_over(Config::for_agent(), &sources)?;
    roles::run_agent(&settings, args.addresses_file.as_deref())
}

/// Runs one conversation with a server to its end.
fn wait_for<T>(talk: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|source| Error::Machine {
            action: "start the runtime",
            source,
        })?
        .block_on(talk)
}

/// Asks the server for a path of its API.
fn ask(args: &ServerArgs, path_and_query: &str) -> Result<Reply, Error> {
    let server = Server::parse(&args.server, QUERY_PORT, &args.identity).map_err(Error::Usage)?;
    let mut connection = Connection::new(server, Duration::from_secs(args.timeout));
    wait_for(connection.get(path_and_query))
}

/// Understands an answer; the error is in the server's words when it has some.
fn read_answer<T: serde::de::DeserializeOwned>(
    args: &ServerArgs,
    reply: &Reply,
) -> Result<T, Error> {
    let answer: Result<Envelope<T>, _> = serde_json::from_slice(&reply.body);
    match answer {
        Ok(Envelope {
            data: Some(data), ..
        }) if reply.status.is_success() => Ok(data),
        Ok(Envelope {
            errors: Some(errors),
            ..
        }) if !errors.is_empty() => {
            let words: Vec<String> = errors
                .iter()
                .map(|error: &ApiError| error.msg.clone())
                .collect();
            Err(Error::Ask(format!(
                "{} answers: {}",
                args.server,
                crate::terminal::escaped(&words.join("; "))
            )))
        }
        _ if reply.status == StatusCode::UNAUTHORIZED => Err(Error::Ask(format!(
            "{} answers 401: {}; say who asks with --token-file, --password-file or --tenant",
            args.server,
            reply.excerpt()
        ))),
        _ => Err(Error::Ask(format!(
            "{} answers {} with what is no answer of Jaeger's API: {:?}; does --server name the right port?",
            args.server,
            reply.status,
            reply.excerpt()
        ))),
    }
}

/// Writes the server's answer as it came.
fn write_json(reply: &Reply, out: &mut dyn Write) -> Result<(), Error> {
    out.write_all(&reply.body)?;
    if !reply.body.ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_for_those_who_take_spans_alone() {
        let mut config = Config::default();
        config.backend.kind = BackendKind::Cassandra;
        let dir = OrOff::On("./buffer".into());
        config.backend.buffer.dir = dir.clone();
        fit(Role::Collector, "collector", &mut config).unwrap();
        assert_eq!(config.backend.buffer.dir, dir);
        let why = fit(Role::Ingester, "ingester", &mut config).unwrap_err();
        assert!(
            why.contains("backend.buffer.dir") && why.contains("Kafka"),
            "{why}"
        );
        fit(Role::Query, "query", &mut config).unwrap();
        assert_eq!(config.backend.buffer.dir, OrOff::Off);
    }
}
