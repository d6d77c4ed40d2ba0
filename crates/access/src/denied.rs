//! Why somebody is not let in, in the words of HTTP and of gRPC.
//!
//! Source: Jaeger's words for tenants (`x-tenant`); RFC 9110 §11.6 for challenges.

use http::{HeaderValue, StatusCode};

/// Says why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing says who asks.
    #[error(
        "credentials are missing: this port asks for a password or a token (header authorization)"
    )]
    NoCredentials {
        /// What may be given.
        challenges: Vec<HeaderValue>,
    },
    /// What says who asks is wrong.
    #[error("the credentials are wrong")]
    WrongCredentials {
        /// What may be given.
        challenges: Vec<HeaderValue>,
    },
    /// Too many passwords are being checked.
    #[error("too many passwords are being checked; send again later")]
    Busy,
    /// The header of the tenant is missing.
    #[error("missing tenant header")]
    NoTenant,
    /// The header of the tenant is there more than once.
    #[error("extra tenant header")]
    TwoTenants,
    /// There is no such tenant, or not for these credentials.
    #[error("unknown tenant")]
    UnknownTenant,
    /// A page of another site sent something that changes something.
    #[error(
        "a page of another site may not do this; the setting cors_origins names those that may"
    )]
    OtherSite,
}

impl Denied {
    /// The word in the metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::NoCredentials { .. } => "no_credentials",
            Self::WrongCredentials { .. } => "wrong_credentials",
            Self::Busy => "busy",
            Self::NoTenant => "no_tenant",
            Self::TwoTenants => "two_tenants",
            Self::UnknownTenant => "unknown_tenant",
            Self::OtherSite => "other_site",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        match self {
            Self::NoCredentials { .. }
            | Self::WrongCredentials { .. }
            | Self::NoTenant
            | Self::TwoTenants
            | Self::UnknownTenant => StatusCode::UNAUTHORIZED,
            Self::OtherSite => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code of gRPC.
    #[must_use]
    pub fn grpc_code(&self) -> i32 {
        const PERMISSION_DENIED: i32 = 7;
        const UNAVAILABLE: i32 = 14;
        const UNAUTHENTICATED: i32 = 16;
        match self {
            Self::NoCredentials { .. } | Self::WrongCredentials { .. } | Self::NoTenant => {
                UNAUTHENTICATED
            }
            Self::TwoTenants | Self::UnknownTenant | Self::OtherSite => PERMISSION_DENIED,
            Self::Busy => UNAVAILABLE,
        }
    }

    /// The values of `WWW-Authenticate`.
    #[must_use]
    pub fn challenges(&self) -> &[HeaderValue] {
        match self {
            Self::NoCredentials { challenges } | Self::WrongCredentials { challenges } => {
                challenges
            }
            _ => &[],
        }
    }
}
