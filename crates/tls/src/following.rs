//! TLS of a client whose connections a library makes by itself, from one configuration for its whole life.
//!
//! Promises: each handshake trusts, and shows, what the files say at that moment.

use std::fmt;
use std::sync::Arc;

use plumbing::Reloading;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ResolvesClientCert, Resumption};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::error::TlsError;

/// What the files of a client come to.
pub(crate) struct OfFiles {
    pub(crate) config: Arc<ClientConfig>,
    /// Whom that configuration trusts.
    pub(crate) verifier: Arc<dyn ServerCertVerifier>,
}

type Files = Arc<Reloading<OfFiles, TlsError>>;

/// Asks for what is in force at each handshake.
struct Following(Files);

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Following")
    }
}

/// A configuration that follows the files.
pub(crate) fn following(files: &Files) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(&files.current().config);
    let following = Arc::new(Following(Arc::clone(files)));
    config
        .dangerous()
        .set_certificate_verifier(Arc::clone(&following) as Arc<dyn ServerCertVerifier>);
    config.client_auth_cert_resolver = following;
    // A session that is taken up again would trust, and show, what was in force before.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

impl ServerCertVerifier for Following {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = Arc::clone(&self.0.current().verifier);
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = Arc::clone(&self.0.current().verifier);
        verifier.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = Arc::clone(&self.0.current().verifier);
        verifier.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.current().verifier.supported_verify_schemes()
    }
}

impl ResolvesClientCert for Following {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let resolver = Arc::clone(&self.0.current().config.client_auth_cert_resolver);
        resolver.resolve(root_hint_subjects, schemes)
    }

    fn has_certs(&self) -> bool {
        self.0
            .current()
            .config
            .client_auth_cert_resolver
            .has_certs()
    }
}
