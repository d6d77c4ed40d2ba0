//! `trackway config show|check|explain|import`, and the first three of `trackway agent`: what is set, where it came
//! from, what is wrong with it, and what another program's configuration means here.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::{AgentConfigCommand, AgentFlags, ConfigArgs, ConfigCommand, KeyArgs, SourceArgs};
use crate::config::{Config, ConfigError, Settings, Sources, explain, read_file, reference, show};
use crate::error::Error;
use crate::import::import;

/// Does what the command says.
pub(crate) fn run(command: &ConfigCommand, out: &mut dyn Write) -> Result<(), Error> {
    match command {
        ConfigCommand::Show(args) => out.write_all(show(&load(args)?).as_bytes())?,
        ConfigCommand::Check { file } => {
            Settings::load(&sources_of(file)?)?;
            tell_right(file, out)?;
        }
        ConfigCommand::Explain { key, config } => tell(&load(config)?, key, out)?,
        ConfigCommand::Import { file } => import_file(file, out, &mut io::stderr().lock())?,
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

/// Prints what a Jaeger's configuration means here, and says on `said` what there is to say.
fn import_file(file: &Path, out: &mut dyn Write, said: &mut dyn Write) -> Result<(), Error> {
    let name = file.display().to_string();
    let environment = |name: &str| std::env::var(name).ok();
    let imported = read_file(file).and_then(|text| import(&name, &text, &environment));
    let imported = imported.map_err(|why| ConfigError {
        mistakes: vec![format!("{name}: {why}")],
    })?;
    out.write_all(imported.text.as_bytes())?;
    for line in &imported.lines {
        writeln!(said, "{line}")?;
    }
    match imported.lost_count {
        0 => Ok(()),
        1 => Err(Error::Partial(format!(
            "1 line of {name} could not be carried over"
        ))),
        count => Err(Error::Partial(format!(
            "{count} lines of {name} could not be carried over"
        ))),
    }
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
