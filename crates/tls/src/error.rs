//! What can be wrong with TLS, in words that say what to change.

use std::io;
use std::path::PathBuf;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// Why TLS can't be set up, or a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or is not what it should be.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// The files or the settings do not fit together.
    #[error("{0}")]
    Settings(String),
    /// A handshake failed.
    #[error("{0}")]
    Handshake(String),
}

/// What a failed connection means where TLS is the reason; nothing where it is not.
///
/// With TLS 1.3 a server refuses a client's certificate only when the client thinks that all is well: the reason comes
/// with the first answer.
#[must_use]
pub fn explain(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    for _ in 0..CAUSES_MAX {
        let error = next?;
        if let Some(error) = error.downcast_ref::<Error>() {
            return Some(of_client(error, ""));
        }
        // An `io::Error` shows what it holds only by its own method.
        next = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    None
}

/// Causes of causes that are looked at.
const CAUSES_MAX: usize = 8;

/// The rustls error in an error of input and output.
pub(crate) fn of_io(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

/// What an error means to a client of a server by that name.
pub(crate) fn of_client(error: &Error, name: &str) -> String {
    let server = if name.is_empty() {
        "the server".to_owned()
    } else {
        format!("the server {name}")
    };
    match error {
        Error::InvalidCertificate(why) => of_certificate(why, &server),
        Error::AlertReceived(alert) => of_alert(*alert, &server),
        Error::InvalidMessage(InvalidMessage::InvalidContentType)
        | Error::InvalidMessage(InvalidMessage::MessageTooLarge)
        | Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => format!(
            "{server} does not speak TLS on this port: write http:// instead of https://, or switch TLS on there"
        ),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            format!("{server} speaks neither TLS 1.2 nor 1.3")
        }
        other => format!("the TLS handshake with {server} failed: {other}"),
    }
}

/// The library's word for a server that shows an authority's certificate; it has no kind of its own for it.
const AUTHORITY_AS_SERVER: &str = "CaUsedAsEndEntity";

fn of_certificate(error: &CertificateError, server: &str) -> String {
    match error {
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "the name is wrong: the certificate of {server} is for {}; ask by one of these names, or give the name to \
             check against (server_name)",
            names(presented)
        ),
        CertificateError::NotValidForName => format!(
            "the name is wrong: the certificate of {server} is for another one; ask by that name, or give the name to \
             check against (server_name)"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("a certificate of {server} has expired: it has to be renewed there")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => format!(
            "a certificate of {server} is not valid yet: compare the clocks of both machines"
        ),
        CertificateError::UnknownIssuer => format!(
            "the chain is broken: the certificate of {server} comes from nobody that is trusted here; give the \
             certificate of its authority (ca_file), or let the server send the certificates between"
        ),
        CertificateError::Revoked => format!("the certificate of {server} was revoked"),
        CertificateError::BadSignature => {
            format!(
                "the chain is broken: the certificate of {server} is not signed by the authority of that name that is \
                 trusted here; was it made anew (ca_file)?"
            )
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!("the certificate of {server} is not made for servers (extended key usage)")
        }
        CertificateError::Other(other) if other.to_string().contains(AUTHORITY_AS_SERVER) => {
            format!(
                "the certificate of {server} is one of an authority (CA:TRUE), which no server may show; `openssl req \
                 -x509` makes one of a server with -addext basicConstraints=critical,CA:FALSE"
            )
        }
        other => format!("the certificate of {server} is not accepted: {other}"),
    }
}

fn names(presented: &[String]) -> String {
    const NAMES_MAX: usize = 5;
    if presented.is_empty() {
        return "no name at all (it has no subjectAltName)".to_owned();
    }
    let mut text = presented
        .iter()
        .take(NAMES_MAX)
        .map(|name| bare(name))
        .collect::<Vec<_>>()
        .join(", ");
    if presented.len() > NAMES_MAX {
        text.push_str(", …");
    }
    text
}

/// The library writes `DnsName("localhost")` and `IpAddress(127.0.0.1)`.
fn bare(presented: &str) -> &str {
    let inner = presented
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(presented).trim_matches('"')
}

fn of_alert(alert: AlertDescription, server: &str) -> String {
    match alert {
        AlertDescription::CertificateRequired => format!(
            "{server} wants a client certificate (mTLS), and none was sent: give cert_file and key_file"
        ),
        AlertDescription::CertificateExpired => {
            format!("{server} says that the client certificate has expired: renew it")
        }
        AlertDescription::UnknownCA => format!(
            "{server} does not trust the authority of the client certificate: use one that its client CA signed"
        ),
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            format!("{server} does not accept the client certificate ({alert:?})")
        }
        AlertDescription::ProtocolVersion => {
            format!("{server} and this program have no version of TLS in common")
        }
        AlertDescription::HandshakeFailure => format!(
            "{server} refused the handshake: it may want a client certificate, or no cipher is common to both"
        ),
        AlertDescription::UnrecognisedName => {
            format!("the name is wrong: {server} knows no site of that name (server_name)")
        }
        other => format!("{server} broke the handshake off: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_cause_however_deep_it_lies() {
        let error = Error::AlertReceived(AlertDescription::CertificateRequired);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error));
        assert!(explain(&wrapped).unwrap().contains("client certificate"));
        assert_eq!(explain(&io::Error::other("disk full")), None);
    }
}
