//! Who the program is to a server: what a file says, as it stands in a header.
//!
//! Promises: what is in the file is never shown; a file that is written anew (a token that ran out, a password that was
//! changed) is used within [`RELOAD_INTERVAL`], and at once when the server refuses what is in force.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use plumbing::{FileBytes, RELOAD_INTERVAL, Reloading, Shutdown, why_unread};

/// The most bytes of a file.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialKind {
    /// The password of a user.
    Password {
        /// The user's name.
        user: String,
    },
    /// A key of the server's API, as it is told when the key is made.
    ApiKey,
    /// A bearer token.
    Token,
}

/// The value of `authorization`; clones share it.
#[derive(Debug, Clone)]
pub struct Credentials(Arc<Reloading<HeaderValue, String>>);

impl Credentials {
    /// Reads a file. Blocks.
    ///
    /// # Errors
    /// A sentence, when it can't be read or can't stand in a header.
    pub fn load(kind: CredentialKind, path: PathBuf) -> Result<Self, String> {
        let name = path.display().to_string();
        let make = move |files: &FileBytes| {
            let text = files.first().map(Vec::as_slice).unwrap_or_default();
            let text = std::str::from_utf8(text).map_err(|_| format!("{name} is no text"))?;
            header(&kind, text.trim()).ok_or_else(|| {
                format!("{name} is empty, or has characters that can't be sent in a header")
            })
        };
        let tell = |told: Result<(), &String>| match told {
            Ok(()) => tracing::info!("credentials were read again and are in force"),
            Err(why) => tracing::error!(error = %why, "credentials stay as they were"),
        };
        let loaded = Reloading::load(vec![path], read, make, tell)?;
        Ok(Self(Arc::new(loaded)))
    }

    /// Takes a text that never changes.
    ///
    /// # Errors
    /// A sentence, when it can't stand in a header.
    pub fn given(kind: CredentialKind, text: String) -> Result<Self, String> {
        let make = move |_: &FileBytes| {
            let unfit = "it is empty, or has characters that can't be sent in a header";
            header(&kind, &text).ok_or_else(|| unfit.to_owned())
        };
        let loaded = Reloading::load(Vec::new(), read, make, |_| {})?;
        Ok(Self(Arc::new(loaded)))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::clone(&self.0.current())
    }

    /// Looks at the file now; tells whether something new is in force.
    pub(crate) async fn look(&self) -> bool {
        let reloading = Arc::clone(&self.0);
        let looked = tokio::task::spawn_blocking(move || reloading.look());
        looked.await.unwrap_or(false)
    }

    /// Looks at the file again and again until the stop.
    pub(crate) async fn watch(&self, shutdown: Shutdown) {
        Arc::clone(&self.0).watch(RELOAD_INTERVAL, shutdown).await;
    }
}

fn header(kind: &CredentialKind, text: &str) -> Option<HeaderValue> {
    if text.is_empty() {
        return None;
    }
    let written = match kind {
        CredentialKind::Password { user } => {
            format!("Basic {}", STANDARD.encode(format!("{user}:{text}")))
        }
        // As an identifier and a key it is encoded, as one text it is already.
        CredentialKind::ApiKey if text.contains(':') => format!("ApiKey {}", STANDARD.encode(text)),
        CredentialKind::ApiKey => format!("ApiKey {text}"),
        CredentialKind::Token => format!("Bearer {text}"),
    };
    let mut value = HeaderValue::from_str(&written).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Reads a file that holds a secret. Blocks.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.display();
    let failed = |error: std::io::Error| format!("can't read {name}: {}", why_unread(path, &error));
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut bounded = file.take(FILE_BYTES_MAX + 1);
    let read = bounded.read_to_end(&mut bytes);
    read.map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!(
            "{name} is longer than {FILE_BYTES_MAX} bytes, which no secret is"
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_written_as_servers_read_it() {
        let written = |kind: CredentialKind, text: &str| {
            header(&kind, text).map(|value| value.to_str().unwrap_or_default().to_owned())
        };
        let user = || CredentialKind::Password {
            user: "u".to_owned(),
        };
        assert_eq!(written(user(), "p:w"), Some("Basic dTpwOnc=".to_owned()));
        assert_eq!(
            written(CredentialKind::ApiKey, "abc"),
            Some("ApiKey abc".to_owned())
        );
        assert_eq!(
            written(CredentialKind::ApiKey, "i:k"),
            Some("ApiKey aTpr".to_owned())
        );
        assert_eq!(
            written(CredentialKind::Token, "t"),
            Some("Bearer t".to_owned())
        );
        assert_eq!(written(CredentialKind::Token, ""), None);
        assert_eq!(written(CredentialKind::Token, "a\nb"), None);
        let value = header(&user(), "secret").unwrap();
        assert_eq!(format!("{value:?}"), "Sensitive");
    }
}
