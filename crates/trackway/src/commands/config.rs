//! `trackway config show|check|explain`, and the same of `trackway agent`: what is set, where it came from, what is
//! wrong with it.

use std::io::Write;
use std::path::Path;

use crate::cli::{AgentConfigCommand, AgentFlags, ConfigArgs, ConfigCommand, KeyArgs, SourceArgs};
use crate::config::{Config, Settings, Sources, explain, reference, show};
use crate::error::Error;

/// Does what the command says.
pub(crate) fn run(command: &ConfigCommand, out: &mut dyn Write) -> Result<(), Error> {
    match command {
        ConfigCommand::Show(args) => out.write_all(show(&load(args)?).as_bytes())?,
        ConfigCommand::Check { file } => {
            Settings::load(&sources_of(file)?)?;
            tell_right(file, out)?;
        }
        ConfigCommand::Explain { key, config } => tell(&load(config)?, key, out)?,
        ConfigCommand::Reference => out.write_all(reference().as_bytes())?,
    }
    Ok(())
}

/// The same with the defaults and the flags of an agent.
pub(crate) fn run_for_agent(
    command: &AgentConfigCommand,
    out: &mut dyn Write,
) -> Result<(), Error> {
    match command {
        AgentConfigCommand::Show(flags) => {
            out.write_all(show(&load_agent(flags)?).as_bytes())?;
        }
        AgentConfigCommand::Check { file } => {
            Settings::load_over(Config::for_agent(), &sources_of(file)?)?;
            tell_right(file, out)?;
        }
        AgentConfigCommand::Explain { key, flags } => tell(&load_agent(flags)?, key, out)?,
    }
    Ok(())
}

fn tell_right(file: &Path, out: &mut dyn Write) -> Result<(), Error> {
    Ok(writeln!(out, "{}: no mistakes", file.display())?)
}

fn tell(settings: &Settings, key: &str, out: &mut dyn Write) -> Result<(), Error> {
    let text = explain(settings, key).map_err(Error::Usage)?;
    Ok(out.write_all(text.as_bytes())?)
}

/// A file and the environment.
fn sources_of(file: &Path) -> Result<Sources, Error> {
    let source = SourceArgs {
        config: Some(file.to_owned()),
        ..SourceArgs::default()
    };
    source.sources(&KeyArgs::default()).map_err(Error::Usage)
}

fn load(args: &ConfigArgs) -> Result<Settings, Error> {
    let sources = args.source.sources(&args.keys).map_err(Error::Usage)?;
    Ok(Settings::load(&sources)?)
}

fn load_agent(flags: &AgentFlags) -> Result<Settings, Error> {
    let sources = flags.sources().map_err(Error::Usage)?;
    Ok(Settings::load_over(Config::for_agent(), &sources)?)
}
