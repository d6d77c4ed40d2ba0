//! Values of the keys that say who is let in.

use access::{AccessOptions, Cors, Tenancy};
use http::HeaderName;
use model::TenantId;
use tls::{ServerFiles, VersionMin};

use super::tree::{PortAccess, Tenants};
use super::units::{OrOff, Setting, items, words};

/// Origins of pages, as browsers send them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origins(pub Vec<access::Origin>);

impl Setting for Origins {
    const VALUES: &'static str =
        "origins separated by commas, such as `https://shop.example.com, http://localhost:3000`";

    fn parse(text: &str) -> Result<Self, String> {
        let origins = items(text).map(access::Origin::parse);
        let origins: Result<Vec<_>, _> = origins.collect();
        origins.map(Self).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        let written: Vec<&str> = self.0.iter().map(access::Origin::as_str).collect();
        written.join(", ")
    }
}

/// The name of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header(pub HeaderName);

impl Setting for Header {
    const VALUES: &'static str = "name of a header such as `x-tenant`";
    const VALUES_OR_OFF: &'static str = "name of a header such as `x-tenant`, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim().parse();
        name.map(Self)
            .map_err(|_| format!("{text:?} is no name of a header; write one such as x-tenant"))
    }

    fn print(&self) -> String {
        self.0.as_str().to_owned()
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tenant(pub TenantId);

impl Setting for Tenant {
    const VALUES: &'static str = "name of a tenant such as `team-a`";
    const VALUES_OR_OFF: &'static str = "name of a tenant such as `team-a`, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let tenant = TenantId::parse(text.trim());
        tenant.map(Self).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        self.0.as_str().to_owned()
    }
}

/// Some tenants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TenantNames(pub Vec<TenantId>);

impl Setting for TenantNames {
    const VALUES: &'static str = "names separated by commas, such as `team-a, team-b`";

    fn parse(text: &str) -> Result<Self, String> {
        let tenants: Result<Vec<_>, _> = items(text).map(TenantId::parse).collect();
        tenants.map(Self).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        let written: Vec<&str> = self.0.iter().map(TenantId::as_str).collect();
        written.join(", ")
    }
}

words! {
    /// The oldest version of TLS that is spoken.
    pub(crate) enum TlsVersion {
        /// Both that are safe.
        V12 = "1.2",
        /// The newest alone.
        V13 = "1.3",
    }
    values = "`1.2` or `1.3`"
}

impl PortAccess {
    /// What TLS is made of, where it is spoken; the error is a sentence about the keys below `access.NAME.tls`.
    pub(crate) fn tls_files(&self) -> Result<Option<ServerFiles>, String> {
        let (cert_file, key_file) = match (&self.tls.cert_file, &self.tls.key_file) {
            (OrOff::On(cert_file), OrOff::On(key_file)) => (cert_file.clone(), key_file.clone()),
            (OrOff::Off, OrOff::Off) if self.tls.client_ca_file == OrOff::Off => return Ok(None),
            (OrOff::Off, OrOff::Off) => {
                let text = "client_ca_file asks for certificates of clients, which only TLS has; set cert_file and \
                            key_file too";
                return Err(text.to_owned());
            }
            _ => return Err("cert_file and key_file belong together: set both or none".to_owned()),
        };
        Ok(Some(ServerFiles {
            cert_file,
            key_file,
            client_ca_file: self.tls.client_ca_file.clone().on(),
            version_min: match self.tls.version_min {
                TlsVersion::V12 => VersionMin::Tls12,
                TlsVersion::V13 => VersionMin::Tls13,
            },
        }))
    }

    /// Who is let in.
    pub(crate) fn options(&self, tenants: &Tenants) -> AccessOptions {
        AccessOptions {
            users_file: self.users_file.clone().on(),
            tokens_file: self.tokens_file.clone().on(),
            tenancy: tenants.tenancy(),
            cors: Cors::new(self.cors_origins.0.clone()),
        }
    }
}

impl Tenants {
    /// How tenants are told apart, where they are.
    pub(crate) fn tenancy(&self) -> Option<Tenancy> {
        let OrOff::On(Header(header)) = &self.header else {
            return None;
        };
        let fallback = self.fallback.clone().on().map(|Tenant(tenant)| tenant);
        Some(Tenancy::new(header.clone(), fallback, &self.names.0))
    }

    /// Whose spans are those that come without a header, and can't have one.
    pub(crate) fn of_datagrams(&self) -> TenantId {
        let fallback = self.fallback.clone().on();
        fallback.map(|Tenant(tenant)| tenant).unwrap_or_default()
    }
}
