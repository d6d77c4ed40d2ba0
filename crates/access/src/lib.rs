//! Who is let in at a port, and as which tenant: passwords, tokens, tenants by header, other sites' pages.
//!
//! Promises
//! - Credentials are checked before anything of a request's body is read.
//! - Changed files of passwords and tokens are used once they are seen; broken ones leave those before in force.
//! - No password or token is kept, logged or shown. A password is checked slowly once, and a keyed hash remembers it.
//! - A tenant is that of the header alone, and only one that the credentials may have.
//!
//! Refuses: origins with wildcards, passwords that are not hashed, hashes that are weak or take seconds.
//!
//! Read next: [`Access`] for the decision, `credentials.rs` for the files, `tenancy.rs`, `cors.rs`.

mod cors;
mod credentials;
mod denied;
mod metrics;
mod password;
mod tenancy;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use model::TenantId;
use plumbing::{FileBytes, Reloading, Shutdown};

pub use cors::{Cors, CorsError, Origin, is_forged};
pub use credentials::FileError;
pub use denied::Denied;
pub use metrics::AccessMetrics;
pub use tenancy::{TENANTS_MAX, Tenancy};

use credentials::Credentials;
use metrics::Denials;
use password::Passwords;

/// What some ports ask for.
#[derive(Debug, Clone, Default)]
pub struct AccessOptions {
    /// Names and hashed passwords, as `htpasswd -B` writes them.
    pub users_file: Option<PathBuf>,
    /// Tokens, one a line.
    pub tokens_file: Option<PathBuf>,
    /// How tenants are told apart; without it everything is of one tenant.
    pub tenancy: Option<Tenancy>,
    /// Whose pages may ask from a browser.
    pub cors: Cors,
}

/// Decides who is let in; clones share what they know.
#[derive(Debug, Clone)]
pub struct Access {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    credentials: Option<Arc<Reloading<Credentials, FileError>>>,
    passwords: Passwords,
    tenancy: Option<Tenancy>,
    cors: Cors,
    denials: Option<Denials>,
    /// The tenant where there is but one.
    only: TenantId,
}

/// The ports of a kind: how they are spoken to, and who is let in.
#[derive(Debug, Clone)]
pub struct Gate {
    /// TLS, where it is spoken.
    pub tls: Option<tls::ServerTls>,
    /// Who is let in.
    pub access: Access,
}

impl Gate {
    /// Plain ports that let everybody in.
    #[must_use]
    pub fn open() -> Self {
        Self {
            tls: None,
            access: Access::open(),
        }
    }

    /// Tells whether strangers can do something at these ports.
    #[must_use]
    pub fn lets_strangers_in(&self) -> bool {
        let wants_certificate = self
            .tls
            .as_ref()
            .is_some_and(tls::ServerTls::wants_client_certificate);
        !wants_certificate && !self.access.asks_for_credentials()
    }

    /// Looks at all files again and again until the stop.
    pub async fn watch(self, interval: Duration, stop: Shutdown) {
        let of_tls = async {
            if let Some(tls) = self.tls {
                tls.watch(interval, stop.clone()).await;
            }
        };
        let of_access = async {
            if let Some(credentials) = self.access.shared.credentials.clone() {
                credentials.watch(interval, stop.clone()).await;
            }
        };
        tokio::join!(of_tls, of_access);
    }
}

/// Somebody who was let in.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The tenants that the credentials are for; `None`: every one.
    tenants: Option<Arc<[TenantId]>>,
    access: Access,
}

impl Access {
    /// Lets everybody in, as the default tenant.
    #[must_use]
    pub fn open() -> Self {
        Self {
            shared: Arc::new(Shared {
                credentials: None,
                passwords: Passwords::new(),
                tenancy: None,
                cors: Cors::default(),
                denials: None,
                only: TenantId::default(),
            }),
        }
    }

    /// Reads the files; `ports` is for the log and the metrics. Blocks.
    ///
    /// # Errors
    /// When a file can't be read or a line of it can't be used.
    pub fn load(
        ports: &'static str,
        options: AccessOptions,
        metrics: &AccessMetrics,
    ) -> Result<Self, FileError> {
        let AccessOptions {
            users_file,
            tokens_file,
            tenancy,
            cors,
        } = options;
        let paths: Vec<PathBuf> = [&users_file, &tokens_file]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let credentials = if paths.is_empty() {
            None
        } else {
            let make = move |bytes: &FileBytes| {
                Credentials::parse(users_file.as_deref(), tokens_file.as_deref(), bytes)
            };
            let tell = metrics.teller(ports);
            Some(Arc::new(Reloading::load(
                paths,
                credentials::read,
                make,
                tell,
            )?))
        };
        Ok(Self {
            shared: Arc::new(Shared {
                credentials,
                passwords: Passwords::new(),
                tenancy,
                cors,
                denials: Some(metrics.denials(ports)),
                only: TenantId::default(),
            }),
        })
    }

    /// Tells whether everybody must say who they are.
    #[must_use]
    pub fn asks_for_credentials(&self) -> bool {
        self.shared.credentials.is_some()
    }

    /// Whose pages may ask from a browser.
    #[must_use]
    pub fn cors(&self) -> &Cors {
        &self.shared.cors
    }

    /// Looks at the files now; tells whether something new is in force. Blocks.
    #[must_use]
    pub fn look(&self) -> bool {
        let credentials = self.shared.credentials.as_ref();
        credentials.is_some_and(|credentials| credentials.look())
    }

    /// Lets in whoever has the credentials, if any are asked for.
    ///
    /// # Errors
    /// When the credentials are missing or wrong, or too many passwords are being checked.
    pub async fn admit(&self, headers: &HeaderMap) -> Result<Guest, Denied> {
        let Some(credentials) = &self.shared.credentials else {
            return Ok(self.guest(None));
        };
        let credentials = credentials.current();
        let admitted = match given(headers) {
            _ if plumbing::planted("access-credentials-ignored") => Ok(None),
            Given::Nothing => Err(Denied::NoCredentials {
                challenges: credentials.challenges(),
            }),
            Given::Token(token) => credentials.of_token(token),
            Given::Password { name, password } => {
                let user = credentials.user(&name);
                let passwords = &self.shared.passwords;
                passwords
                    .check(user, password, credentials.challenges())
                    .await
            }
            Given::Other => Err(credentials.wrong()),
        };
        match admitted {
            Ok(tenants) => Ok(self.guest(tenants)),
            Err(denied) => Err(self.tell(denied)),
        }
    }

    /// Lets in whoever has the credentials, and says for which tenant.
    ///
    /// # Errors
    /// As [`Self::admit`] and [`Guest::tenant`].
    pub async fn admit_as(&self, headers: &HeaderMap) -> Result<TenantId, Denied> {
        self.admit(headers).await?.tenant(headers)
    }

    fn guest(&self, tenants: Option<Arc<[TenantId]>>) -> Guest {
        Guest {
            tenants,
            access: self.clone(),
        }
    }

    fn tell(&self, denied: Denied) -> Denied {
        if let Some(denials) = &self.shared.denials {
            denials.denied(&denied);
        }
        denied
    }
}

impl Guest {
    /// Which tenant is meant.
    ///
    /// # Errors
    /// When there must be one in the header and is none, or it is not one of those that are allowed.
    pub fn tenant(&self, headers: &HeaderMap) -> Result<TenantId, Denied> {
        let Some(tenancy) = &self.access.shared.tenancy else {
            return Ok(self.access.shared.only.clone());
        };
        let tenant = tenancy.tenant(headers, self.tenants.as_deref());
        tenant.map_err(|denied| self.access.tell(denied))
    }

    /// Which tenant is meant, where that may be left open.
    ///
    /// # Errors
    /// When one is named and is not one of those that are allowed.
    pub fn named_tenant(&self, headers: &HeaderMap) -> Result<Option<TenantId>, Denied> {
        let is_named = |tenancy: &Tenancy| tenancy.is_named(headers);
        match self.access.shared.tenancy.as_ref().is_some_and(is_named) {
            true => self.tenant(headers).map(Some),
            false => Ok(None),
        }
    }
}

/// What a request says of who asks.
enum Given<'a> {
    Nothing,
    Token(&'a str),
    Password { name: String, password: String },
    Other,
}

fn given(headers: &HeaderMap) -> Given<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Given::Nothing;
    };
    // Of two nobody knows which one a proxy looked at.
    if values.next().is_some() {
        return Given::Other;
    }
    let Some((scheme, rest)) = split(value) else {
        return Given::Other;
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        return Given::Token(rest);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Given::Other;
    }
    match password::of_basic(rest) {
        Some((name, password)) => Given::Password { name, password },
        None => Given::Other,
    }
}

fn split(value: &HeaderValue) -> Option<(&str, &str)> {
    let (scheme, rest) = value.to_str().ok()?.trim().split_once(' ')?;
    Some((scheme, rest.trim()))
}

#[cfg(test)]
mod tests;
