//! Certificates and keys out of PEM files, which are small and may be wrong.

use std::path::Path;

use plumbing::why_unread;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::TlsError;

/// A larger file holds no certificates.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Reads a file whole. Blocks.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed =
        |error: std::io::Error| wrong(path, format!("can't be read: {}", why_unread(path, &error)));
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        let why = format!("has {bytes} bytes, and a file of certificates at most {FILE_BYTES_MAX}");
        return Err(wrong(path, why));
    }
    std::fs::read(path).map_err(failed)
}

/// The certificates of a file, at least one.
pub(crate) fn certificates(
    path: &Path,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let found = found.map_err(|error| wrong(path, format!("is no PEM file: {error}")))?;
    if found.is_empty() {
        let why = "holds no certificate; it should have lines -----BEGIN CERTIFICATE-----";
        return Err(wrong(path, why.to_owned()));
    }
    Ok(found)
}

/// The private key of a file.
pub(crate) fn key(path: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
        let is_locked = bytes
            .windows(LOCKED.len())
            .any(|window| window == LOCKED.as_bytes());
        let why = if is_locked {
            "holds a key with a password; take it off: openssl pkey -in KEY -out PLAIN_KEY"
        } else {
            "holds no private key; it should have a line -----BEGIN PRIVATE KEY-----"
        };
        wrong(path, why.to_owned())
    })
}

/// What the PEM header of every key with a password holds.
const LOCKED: &str = "ENCRYPTED";

/// The authorities of a file.
pub(crate) fn authorities(path: &Path, bytes: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, bytes)? {
        roots.add(certificate).map_err(|error| {
            wrong(
                path,
                format!("holds a certificate that is no authority: {error}"),
            )
        })?;
    }
    Ok(roots)
}

pub(crate) fn wrong(path: &Path, why: String) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        why,
    }
}
