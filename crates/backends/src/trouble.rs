//! Whether a server can be reached, and why not, said in the log when that changes.

use std::sync::{Mutex, PoisonError};

/// What is known of a server at the moment.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What the server is called.
    name: String,
    known: Mutex<Known>,
}

#[derive(Debug)]
enum Known {
    /// It has not been asked yet, or has not answered.
    Nothing,
    There,
    /// Why it is not.
    Away(String),
}

impl Trouble {
    /// Nothing is known yet: who is not known to be there is not relied on.
    pub(crate) fn unknown(name: String) -> Self {
        Self {
            name,
            known: Mutex::new(Known::Nothing),
        }
    }

    /// Keeps what was found out.
    pub(crate) fn note(&self, why: Option<String>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let store = &self.name;
        match (&*known, &why) {
            (Known::Nothing | Known::There, Some(why)) => {
                tracing::warn!(
                    error = format!("{store}: {why}"),
                    "the store is not there; `trackway doctor` looks for the cause"
                );
            }
            (Known::Nothing, None) => tracing::info!(store, "the store is there"),
            (Known::Away(_), None) => tracing::info!(store, "the store is there again"),
            // Another reason than before is news, too: a password may be wrong once the server can be reached.
            (Known::Away(before), Some(why)) if before != why => {
                tracing::warn!(
                    error = format!("{store}: {why}"),
                    "the store is still not there"
                );
            }
            _ => {}
        }
        *known = why.map_or(Known::There, Known::Away);
    }

    /// In one line why nothing can be kept, if so.
    pub(crate) fn readiness(&self) -> Result<(), String> {
        match &*self.known.lock().unwrap_or_else(PoisonError::into_inner) {
            Known::Nothing => Err(format!("{}: it has not answered yet", self.name)),
            Known::There => Ok(()),
            Known::Away(why) => Err(format!("{}: {why}", self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_not_answered_yet_is_not_ready() {
        let trouble = Trouble::unknown("the store".to_owned());
        let why = trouble.readiness().unwrap_err();
        assert_eq!(why, "the store: it has not answered yet");
        trouble.note(None);
        trouble.readiness().unwrap();
        trouble.note(Some("away".to_owned()));
        assert_eq!(trouble.readiness().unwrap_err(), "the store: away");
    }
}
