//! A server that speaks TLS.

use std::path::PathBuf;

use codec::generated::jaeger::storage::v2::GetServicesResponse;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use model::TenantId;
use model::contract::SpanReader;
use plumbing::{Metrics, Tasks};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tls::{ClientFiles, ClientTls, ServerFiles, ServerTls, TlsMetrics, VersionMin, accept};
use tokio::net::TcpListener;

use crate::scripted::{Script, remote};

/// Files of a test, gone when it is over.
struct Files(PathBuf);

impl Files {
    /// The certificate of an authority, and one that it signed for `localhost` with its key.
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("trackway-remote-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        let authority = authority.unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let signed = params.signed_by(&key, &authority).unwrap();
        std::fs::write(folder.join("ca"), authority.pem()).unwrap();
        std::fs::write(folder.join("cert"), signed.pem()).unwrap();
        std::fs::write(folder.join("key"), key.serialize_pem()).unwrap();
        Self(folder)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn a_server_with_tls_is_asked_only_when_its_certificate_is_trusted() {
    let files = Files::new();
    let counted = TlsMetrics::register(&Metrics::new());
    let server = ServerFiles {
        cert_file: files.0.join("cert"),
        key_file: files.0.join("key"),
        client_ca_file: None,
        version_min: VersionMin::default(),
    };
    let server = ServerTls::load("server", &server, &counted).unwrap();
    let script = Script::v2();
    let services = vec!["shop".to_owned()];
    let path = "/jaeger.storage.v2.TraceReader/GetServices";
    script.answer(path, &[GetServicesResponse { services }]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = script.router();
    Tasks::new().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Some(stream) = accept(Some(&server), stream).await else {
                continue;
            };
            let service = TowerToHyperService::new(router.clone());
            let http = auto::Builder::new(TokioExecutor::new());
            drop(http.serve_connection(TokioIo::new(stream), service).await);
        }
    });
    let client = |ca: &str, host: &str| {
        let files = ClientFiles {
            ca_file: Some(files.0.join(ca)),
            protocols: vec!["h2"],
            ..ClientFiles::default()
        };
        let tls = ClientTls::load("client", &files, &counted).unwrap();
        remote(format!("{host}:{port}"), Some(tls))
    };
    let tenant = TenantId::default();
    let wrong_name = client("ca", "127.0.0.1").services(&tenant).await;
    let error = wrong_name.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1"), "{error}");
    let trusting = client("ca", "localhost");
    assert_eq!(
        trusting.services(&tenant).await,
        Ok(vec!["shop".to_owned()])
    );
}
