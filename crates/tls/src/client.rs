//! TLS of the program as a client: whom it trusts, and who it says it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plumbing::{FileBytes, Reloading, Shutdown};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::{TlsError, of_client, of_io};
use crate::following::{OfFiles, following};
use crate::metrics::TlsMetrics;
use crate::pem;
use crate::server::provider;
use crate::stream::Stream;

/// Whom a client trusts and who it is. Everything may be left out: the system's authorities are trusted then.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientFiles {
    /// Authorities, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The client's own certificate (mTLS), and those between it and its authority.
    pub cert_file: Option<PathBuf>,
    /// The key of that certificate.
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate must have, where it is not the one that was asked for.
    pub server_name: Option<String>,
    /// Accept any certificate: everybody on the way can read and change what is said.
    pub insecure_skip_verify: bool,
    /// The protocols that are offered, the preferred one first: `h2`, `http/1.1`. None is offered when it is empty.
    pub protocols: Vec<&'static str>,
}

/// TLS of a client; clones share it.
#[derive(Clone)]
pub struct ClientTls {
    name: String,
    server_name: Option<ServerName<'static>>,
    reloading: Arc<Reloading<OfFiles, TlsError>>,
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientTls({})", self.name)
    }
}

impl ClientTls {
    /// Reads the files; `name` is for the log and the metrics. Blocks.
    ///
    /// # Errors
    /// When a file can't be read, a certificate comes without its key, or there is nobody to trust.
    pub fn load(name: &str, files: &ClientFiles, metrics: &TlsMetrics) -> Result<Self, TlsError> {
        let paths: Vec<PathBuf> = match (&files.cert_file, &files.key_file) {
            (Some(_), None) | (None, Some(_)) => {
                let text = "cert_file and key_file belong together: give both or none";
                return Err(TlsError::Settings(text.to_owned()));
            }
            (cert_file, key_file) => [&files.ca_file, cert_file, key_file]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        };
        let server_name = match &files.server_name {
            Some(name) => Some(server_name(name)?),
            None => None,
        };
        if files.insecure_skip_verify {
            tracing::warn!(
                tls = name,
                "insecure_skip_verify: any certificate is accepted, so everybody on the way can read and change what \
                 is said; use it for a trial only"
            );
        }
        let made_of = files.clone();
        let make = move |bytes: &FileBytes| of_files(&made_of, bytes);
        let reloading = Reloading::load(paths, pem::read, make, metrics.teller(name))?;
        Ok(Self {
            name: name.to_owned(),
            server_name,
            reloading: Arc::new(reloading),
        })
    }

    /// Looks at the files again and again until the stop; the next connection uses what is new.
    pub async fn watch(self, interval: Duration, stop: Shutdown) {
        self.reloading.watch(interval, stop).await;
    }

    /// Looks at the files now; tells whether something new is in force. Blocks.
    #[must_use]
    pub fn look(&self) -> bool {
        self.reloading.look()
    }

    /// What rustls is given, for libraries that connect by themselves: each handshake goes by what the files say then.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        following(&self.reloading)
    }

    /// Shakes hands with the server `host` over an open connection. The caller bounds the time.
    ///
    /// # Errors
    /// [`TlsError::Handshake`] says what is wrong and what to change.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> Result<Stream, TlsError> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(host.trim_matches(['[', ']']))?,
        };
        let connector = TlsConnector::from(Arc::clone(&self.reloading.current().config));
        let asked = name.to_str().into_owned();
        let connected = connector.connect(name, stream).await;
        let stream = connected.map_err(|error| {
            let why = match of_io(&error) {
                Some(why) => of_client(why, &asked),
                None => format!(
                    "the server {asked} ended the connection in the TLS handshake ({error}): does that port speak \
                     TLS, and does it want a client certificate?"
                ),
            };
            TlsError::Handshake(why)
        })?;
        Ok(Stream::Tls(Box::new(stream.into())))
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        TlsError::Settings(format!(
            "{name:?} is no name of a server: write a host name or an IP address"
        ))
    })
}

fn of_files(files: &ClientFiles, bytes: &FileBytes) -> Result<OfFiles, TlsError> {
    let mut bytes = bytes.iter();
    let mut next = || bytes.next().map(Vec::as_slice).unwrap_or_default();
    let settings = |error: Error| TlsError::Settings(error.to_string());
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(settings)?;
    let roots = match &files.ca_file {
        Some(path) => Some(pem::authorities(path, next())?),
        None if files.insecure_skip_verify => None,
        None => Some(system_authorities()?),
    };
    let verifier: Arc<dyn ServerCertVerifier> = match roots {
        Some(roots) if !files.insecure_skip_verify => {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            let verifier = verifier.map_err(|error| TlsError::Settings(error.to_string()))?;
            match &files.server_name {
                Some(name) => {
                    let name = server_name(name)?;
                    Arc::new(NamedVerifier { verifier, name })
                }
                None => verifier,
            }
        }
        _ => Arc::new(NoVerifier(provider())),
    };
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier));
    let mut config = match (&files.cert_file, &files.key_file) {
        (Some(cert_file), Some(key_file)) => {
            let chain = pem::certificates(cert_file, next())?;
            let key = pem::key(key_file, next())?;
            let made = builder.with_client_auth_cert(chain, key);
            made.map_err(|error| {
                let why = match error {
                    Error::InconsistentKeys(_) => {
                        format!(
                            "is not the key of the certificate in {}",
                            cert_file.display()
                        )
                    }
                    other => other.to_string(),
                };
                pem::wrong(key_file, why)
            })?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = files
        .protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    if files.cert_file.is_some() {
        // A session that is taken up again would keep the certificate of before.
        config.resumption = Resumption::disabled();
    }
    Ok(OfFiles {
        config: Arc::new(config),
        verifier,
    })
}

/// The authorities that the machine trusts.
fn system_authorities() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _left_out) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found
            .errors
            .first()
            .map_or_else(String::new, |error| format!(" ({error})"));
        return Err(TlsError::Settings(format!(
            "this machine has no certificate authorities{why}: install ca-certificates, or give ca_file"
        )));
    }
    Ok(roots)
}

/// Wants a name of its own in the certificate, whatever name a library that connects by itself asks for.
#[derive(Debug)]
struct NamedVerifier {
    verifier: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for NamedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (verifier, name) = (&self.verifier, &self.name);
        verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Accepts every certificate, and still checks that the server has its key.
#[derive(Debug)]
struct NoVerifier(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerifier {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
