//! The files that say who is let in: names with hashed passwords, and tokens.
//!
//! ```text
//! users_file    ann:$2y$10$…               as `htpasswd -nB ann` prints it
//!               bob:$2y$10$…:team-a,team-b  for these tenants only
//! tokens_file   3f9c…                      a token, as `openssl rand -hex 32` prints it
//!               sha256:5feceb66…           its hash, so that the file holds no secret
//!               3f9c…:team-a               for this tenant only
//! ```
//!
//! Empty lines and those that begin with `#` mean nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use model::TenantId;
use plumbing::why_unread;
use ring::digest::{SHA256, digest};

use crate::denied::Denied;

/// A larger file holds no credentials.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// A shorter token can be guessed.
const TOKEN_CHARS_MIN: usize = 16;
/// Costs of bcrypt: below, a stolen file is soon read; above, one check takes seconds.
const COST_MIN: u32 = 4;
const COST_MAX: u32 = 14;
const HASHED: &str = "sha256:";
const REALM_BASIC: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Trackway\", charset=\"UTF-8\"");
const REALM_BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"Trackway\"");

/// Says why a file can't be used. What stands in it is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct FileError {
    path: PathBuf,
    why: String,
}

/// The tenants that credentials are for; `None`: every one.
pub(crate) type Tenants = Option<Arc<[TenantId]>>;

/// Somebody with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) hash: String,
    pub(crate) tenants: Tenants,
}

/// All who are let in.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    users: Option<HashMap<String, User>>,
    /// By the SHA-256 of the token: how long a search takes says nothing of a token.
    tokens: Option<HashMap<[u8; 32], Tenants>>,
}

/// Reads a file whole. Blocks.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let failed =
        |error: std::io::Error| wrong(path, format!("can't be read: {}", why_unread(path, &error)));
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        let why = format!("has {bytes} bytes, and a file of credentials at most {FILE_BYTES_MAX}");
        return Err(wrong(path, why));
    }
    std::fs::read(path).map_err(failed)
}

fn wrong(path: &Path, why: impl Into<String>) -> FileError {
    FileError {
        path: path.to_owned(),
        why: why.into(),
    }
}

impl Credentials {
    /// Takes the files that there are, in the order of the arguments.
    pub(crate) fn parse(
        users_file: Option<&Path>,
        tokens_file: Option<&Path>,
        bytes: &[Vec<u8>],
    ) -> Result<Self, FileError> {
        let mut bytes = bytes.iter();
        let mut of = |path: &Path| {
            let bytes = bytes.next().map(Vec::as_slice).unwrap_or_default();
            let text = std::str::from_utf8(bytes);
            text.map_err(|_| wrong(path, "is no text in UTF-8"))
        };
        let mut all = Self::default();
        if let Some(path) = users_file {
            all.users = Some(each(path, of(path)?, user)?);
        }
        if let Some(path) = tokens_file {
            all.tokens = Some(each(path, of(path)?, token)?);
        }
        Ok(all)
    }

    /// What may be given.
    pub(crate) fn challenges(&self) -> Vec<HeaderValue> {
        let basic = self.users.is_some().then_some(REALM_BASIC);
        let bearer = self.tokens.is_some().then_some(REALM_BEARER);
        basic.into_iter().chain(bearer).collect()
    }

    pub(crate) fn wrong(&self) -> Denied {
        Denied::WrongCredentials {
            challenges: self.challenges(),
        }
    }

    /// The tenants of a token.
    pub(crate) fn of_token(&self, token: &str) -> Result<Tenants, Denied> {
        let tokens = self.tokens.as_ref();
        let found = tokens.and_then(|tokens| tokens.get(&sha256(token.as_bytes())));
        found.cloned().ok_or_else(|| self.wrong())
    }

    /// Somebody by name.
    pub(crate) fn user(&self, name: &str) -> Option<User> {
        self.users.as_ref()?.get(name).cloned()
    }
}

/// Reads every line, each key once.
fn each<K, V>(
    path: &Path,
    text: &str,
    read: fn(&str) -> Result<(K, V), String>,
) -> Result<HashMap<K, V>, FileError>
where
    K: Eq + std::hash::Hash,
{
    let mut all = HashMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let failed = |why: String| wrong(path, format!("line {}: {why}", at + 1));
        let (key, value) = read(line).map_err(failed)?;
        if all.insert(key, value).is_some() {
            return Err(failed("stands there twice".to_owned()));
        }
    }
    if all.is_empty() {
        return Err(wrong(path, "lets nobody in: it has no line"));
    }
    Ok(all)
}

fn user(line: &str) -> Result<(String, User), String> {
    let mut parts = line.splitn(3, ':');
    let (name, hash) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if name.is_empty() || hash.is_empty() {
        return Err("is not NAME:HASH, as `htpasswd -nB NAME` prints it".to_owned());
    }
    let is_bcrypt = ["$2a$", "$2b$", "$2y$", "$2x$"]
        .iter()
        .any(|kind| hash.starts_with(kind));
    let parsed = hash.parse::<bcrypt::HashParts>();
    let Some(parsed) = parsed.ok().filter(|_| is_bcrypt) else {
        return Err(
            "has no bcrypt hash of a password; make it with `htpasswd -nB NAME`".to_owned(),
        );
    };
    let cost = parsed.get_cost();
    if !(COST_MIN..=COST_MAX).contains(&cost) {
        return Err(format!(
            "has a hash of cost {cost}; make it with a cost from {COST_MIN} to {COST_MAX}: `htpasswd -nBC 10 NAME`"
        ));
    }
    let user = User {
        hash: hash.to_owned(),
        tenants: tenants(parts.next())?,
    };
    Ok((name.to_owned(), user))
}

fn token(line: &str) -> Result<([u8; 32], Tenants), String> {
    let (hashed, rest) = match line.strip_prefix(HASHED) {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (text, tenants_of) = match rest.split_once(':') {
        Some((text, tenants_of)) => (text, Some(tenants_of)),
        None => (rest, None),
    };
    let hash = if hashed {
        unhex(text).ok_or("has no SHA-256 behind `sha256:`, which is 64 hexadecimal digits")?
    } else {
        let is_sendable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.len() < TOKEN_CHARS_MIN || !is_sendable {
            return Err(format!(
                "is no token: at least {TOKEN_CHARS_MIN} printable characters without spaces; make one with \
                 `openssl rand -hex 32`"
            ));
        }
        sha256(text.as_bytes())
    };
    Ok((hash, tenants(tenants_of)?))
}

fn tenants(text: Option<&str>) -> Result<Tenants, String> {
    let Some(text) = text else {
        return Ok(None);
    };
    let names = text.split(',').map(str::trim);
    let tenants = names.map(|name| TenantId::parse(name).map_err(|error| error.to_string()));
    Ok(Some(tenants.collect::<Result<Vec<_>, _>>()?.into()))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}
