//! TLS of a port: its certificate, whom it lets in, and the handshake.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plumbing::{Complaints, FileBytes, Reloading, Shutdown};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::error::{TlsError, of_io};
use crate::metrics::TlsMetrics;
use crate::pem;
use crate::stream::Stream;

/// How long a client may take for its handshake, waiting for its turn included.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The most handshakes under way; more wait. Each may hold 64 KiB of what its client sent.
const HANDSHAKES_MAX: usize = 512;
/// The most bytes of early data: none, for it can be played again by others.
const EARLY_DATA_BYTES_MAX: u32 = 0;

/// The oldest version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionMin {
    /// 1.2 and 1.3.
    #[default]
    Tls12,
    /// 1.3 alone.
    Tls13,
}

impl VersionMin {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        match self {
            Self::Tls12 => &BOTH,
            Self::Tls13 => BOTH.get(..1).unwrap_or_default(),
        }
    }
}

/// Where a port's certificates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFiles {
    /// The certificate, and after it those between it and its authority.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
    /// The authorities of clients: with them every client must show a certificate (mTLS).
    pub client_ca_file: Option<PathBuf>,
    /// The oldest version that is spoken.
    pub version_min: VersionMin,
}

/// TLS of some ports; clones share it.
#[derive(Clone)]
pub struct ServerTls {
    shared: Arc<Shared>,
    reloading: Arc<Reloading<ServerConfig, TlsError>>,
}

struct Shared {
    name: String,
    wants_client_certificate: bool,
    handshakes: Semaphore,
    metrics: TlsMetrics,
    complaints: Complaints,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerTls({})", self.shared.name)
    }
}

impl ServerTls {
    /// Reads the files; `name` is for the log and the metrics. Blocks.
    ///
    /// # Errors
    /// When a file can't be read or the files don't belong together.
    pub fn load(name: &str, files: &ServerFiles, metrics: &TlsMetrics) -> Result<Self, TlsError> {
        let mut paths = vec![files.cert_file.clone(), files.key_file.clone()];
        paths.extend(files.client_ca_file.clone());
        let made_of = files.clone();
        let make = move |bytes: &FileBytes| server_config(&made_of, bytes);
        let reloading = Reloading::load(paths, pem::read, make, metrics.teller(name))?;
        Ok(Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                wants_client_certificate: files.client_ca_file.is_some(),
                handshakes: Semaphore::new(HANDSHAKES_MAX),
                metrics: metrics.clone(),
                complaints: Complaints::default(),
            }),
            reloading: Arc::new(reloading),
        })
    }

    /// Tells whether every client must show a certificate.
    #[must_use]
    pub fn wants_client_certificate(&self) -> bool {
        self.shared.wants_client_certificate
    }

    /// Looks at the files again and again until the stop.
    pub async fn watch(self, interval: Duration, stop: Shutdown) {
        self.reloading.watch(interval, stop).await;
    }

    /// Looks at the files now; tells whether something new is in force. Blocks.
    #[must_use]
    pub fn look(&self) -> bool {
        self.reloading.look()
    }

    async fn accept(&self, stream: TcpStream) -> Result<Stream, ()> {
        let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.shake_hands(stream)).await;
        match shaken {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(Failure { reason, why })) => {
                self.complain(reason, &why);
                Err(())
            }
            Err(_) => {
                self.complain("timeout", "the client took too long");
                Err(())
            }
        }
    }

    async fn shake_hands(&self, stream: TcpStream) -> Result<Stream, Failure> {
        let broken = |error: &io::Error| Failure::of(error);
        let _turn = self.shared.handshakes.acquire().await;
        let mut first = [0u8; 1];
        let seen = stream
            .peek(&mut first)
            .await
            .map_err(|error| broken(&error))?;
        // Every method of HTTP, and HTTP/2's preface, begin with a capital letter; TLS with 22.
        if seen == 1 && first.first().is_some_and(u8::is_ascii_uppercase) {
            answer_plain(stream).await;
            return Err(Failure {
                reason: "plain_http",
                why: "the client spoke plain HTTP to a TLS port".to_owned(),
            });
        }
        let acceptor = TlsAcceptor::from(self.reloading.current());
        let accepted = acceptor.accept(stream).await;
        let stream = accepted.map_err(|error| broken(&error))?;
        Ok(Stream::Tls(Box::new(stream.into())))
    }

    fn complain(&self, reason: &'static str, why: &str) {
        let Shared { name, metrics, .. } = &*self.shared;
        metrics.failed(name, reason);
        if let Some(untold) = self.shared.complaints.due() {
            tracing::warn!(tls = name, reason, why, untold, "a TLS handshake failed");
        }
    }
}

/// Serves a new connection with TLS where there is any; nothing when its handshake failed, which has been told.
pub async fn accept(tls: Option<&ServerTls>, stream: TcpStream) -> Option<Stream> {
    match tls {
        None => Some(Stream::Plain(stream)),
        Some(tls) => tls.accept(stream).await.ok(),
    }
}

const PLAIN_ANSWER: &str = "this port speaks TLS: write https:// instead of http://\n";
/// Of a plain request so much is read before it is answered: a socket that is closed on what was not read takes the
/// answer back.
const PLAIN_REQUEST_BYTES_MAX: usize = 16 << 10;

/// Tells a client of plain HTTP what is wrong; whether it hears it is its own matter.
async fn answer_plain(mut stream: TcpStream) {
    let mut request = vec![0; PLAIN_REQUEST_BYTES_MAX];
    let _read = stream.read(&mut request).await;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{PLAIN_ANSWER}",
        PLAIN_ANSWER.len()
    );
    let _written = stream.write_all(answer.as_bytes()).await;
    let _ended = stream.shutdown().await;
}

struct Failure {
    reason: &'static str,
    why: String,
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        let reason = match of_io(error) {
            Some(Error::NoCertificatesPresented) => "no_client_certificate",
            Some(Error::InvalidCertificate(_)) => "client_certificate",
            Some(Error::AlertReceived(_)) => "refused_by_client",
            Some(Error::PeerIncompatible(_)) => "nothing_in_common",
            Some(Error::InvalidMessage(_)) => "no_tls",
            Some(_) => "other",
            None => "broken_off",
        };
        let why = match of_io(error) {
            Some(Error::NoCertificatesPresented) => {
                "the client showed no certificate, and this port wants one".to_owned()
            }
            Some(Error::AlertReceived(alert)) => {
                format!("the client does not accept the certificate of this port: {alert:?}")
            }
            _ => error.to_string(),
        };
        Self { reason, why }
    }
}

/// The crypto library, named wherever it is needed: there is no default one for the process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn server_config(files: &ServerFiles, bytes: &FileBytes) -> Result<ServerConfig, TlsError> {
    let [cert_bytes, key_bytes, rest @ ..] = bytes.as_slice() else {
        return Err(TlsError::Settings("there is no certificate".to_owned()));
    };
    let chain = pem::certificates(&files.cert_file, cert_bytes)?;
    let key = pem::key(&files.key_file, key_bytes)?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(files.version_min.versions())
        .map_err(|error| TlsError::Settings(error.to_string()))?;
    let builder = match (&files.client_ca_file, rest.first()) {
        (Some(path), Some(bytes)) => {
            let roots = pem::authorities(path, bytes)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            let verifier = verifier
                .build()
                .map_err(|error| pem::wrong(path, error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
        _ => builder.with_no_client_auth(),
    };
    let made = builder.with_single_cert(chain, key);
    let mut config = made.map_err(|error| {
        let why = match error {
            Error::InconsistentKeys(_) => {
                format!(
                    "is not the key of the certificate in {}",
                    files.cert_file.display()
                )
            }
            other => other.to_string(),
        };
        pem::wrong(&files.key_file, why)
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.max_early_data_size = EARLY_DATA_BYTES_MAX;
    if files.client_ca_file.is_some() {
        // A session that is taken up again would let a client in whose certificate has expired since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}
