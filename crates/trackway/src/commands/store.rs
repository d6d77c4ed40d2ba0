//! `trackway store check|stats`: looks into the store while the program is not running.

use std::io::Write;

use crate::cli::StoreCommand;
use crate::error::Error;

/// Does what the command says.
pub(crate) fn run(_command: &StoreCommand, _out: &mut dyn Write) -> Result<(), Error> {
    Err(Error::Store("this build has no store".to_owned()))
}
