//! `trackway config show|check|explain`: what is set, where it came from, what is wrong with it.

use std::io::Write;

use crate::cli::{ConfigArgs, ConfigCommand, KeyArgs, SourceArgs};
use crate::config::{Settings, explain, reference, show};
use crate::error::Error;

/// Does what the command says.
pub(crate) fn run(command: &ConfigCommand, out: &mut dyn Write) -> Result<(), Error> {
    match command {
        ConfigCommand::Show(args) => out.write_all(show(&load(args)?).as_bytes())?,
        ConfigCommand::Check { file } => {
            let source = SourceArgs {
                config: Some(file.clone()),
                ..SourceArgs::default()
            };
            load(&ConfigArgs {
                source,
                keys: KeyArgs::default(),
            })?;
            writeln!(out, "{}: no mistakes", file.display())?;
        }
        ConfigCommand::Explain { key, config } => {
            let text = explain(&load(config)?, key).map_err(Error::Usage)?;
            out.write_all(text.as_bytes())?;
        }
        ConfigCommand::Reference => out.write_all(reference().as_bytes())?,
    }
    Ok(())
}

fn load(args: &ConfigArgs) -> Result<Settings, Error> {
    let sources = args.source.sources(&args.keys).map_err(Error::Usage)?;
    Ok(Settings::load(&sources)?)
}
