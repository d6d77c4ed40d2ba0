//! Texts that are never shown, and where they come from.

use std::path::{Path, PathBuf};

use crate::credentials::read;

/// A text that is never shown: a token, a password.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where a password comes from.
#[derive(Debug, Clone)]
pub enum PasswordSource {
    /// A file, read at every connection anew.
    File(PathBuf),
    /// The configuration.
    Given(Secret),
}

impl PasswordSource {
    /// The password as it is now; the error is a sentence without the key.
    pub(crate) async fn read(&self) -> Result<String, String> {
        match self {
            Self::Given(secret) => Ok(secret.reveal().to_owned()),
            Self::File(path) => {
                let path = path.clone();
                let reading = tokio::task::spawn_blocking(move || read_password(&path));
                reading.await.map_err(|panicked| panicked.to_string())?
            }
        }
    }
}

fn read_password(path: &Path) -> Result<String, String> {
    let name = path.display();
    let text = String::from_utf8(read(path)?).map_err(|_| format!("{name} is no text"))?;
    match text.trim() {
        "" => Err(format!("{name} is empty")),
        password => Ok(password.to_owned()),
    }
}
