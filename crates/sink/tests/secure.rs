//! TLS, client certificates and tokens on the way to a collector.

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};
use plumbing::Metrics;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use sink::{DeliveryOptions, Token};
use tls::{ClientFiles, ClientTls, ServerFiles, ServerTls, TlsMetrics};

use crate::double::{Double, Folder, House, Say, options, until};

const MIB: u64 = 1 << 20;

/// An authority, and a certificate of it for 127.0.0.1 that serves both sides.
fn certificates(folder: &Folder) -> [PathBuf; 3] {
    std::fs::create_dir_all(&folder.0).unwrap();
    let files = ["ca.pem", "cert.pem", "key.pem"].map(|name| folder.0.join(name));
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    own.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let key = KeyPair::generate().unwrap();
    let signed = own.signed_by(&key, &authority).unwrap();
    let texts = [authority.pem(), signed.pem(), key.serialize_pem()];
    for (file, text) in files.iter().zip(texts) {
        std::fs::write(file, text).unwrap();
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_go_over_tls_with_a_certificate_a_token_and_headers() {
    let (folder, metrics) = (Folder::new(), TlsMetrics::register(&Metrics::new()));
    let keys = Folder::new();
    let [ca_file, cert_file, key_file] = certificates(&keys);
    let files = ServerFiles {
        cert_file: cert_file.clone(),
        key_file: key_file.clone(),
        client_ca_file: Some(ca_file.clone()),
        version_min: tls::VersionMin::default(),
    };
    let server = ServerTls::load("double", &files, &metrics).unwrap();
    let double = Double::start_with(Some(server), |_, _| Say::Taken).await;
    let client = |cert_file, key_file| {
        let files = ClientFiles {
            ca_file: Some(ca_file.clone()),
            cert_file,
            key_file,
            protocols: vec!["h2"],
            ..ClientFiles::default()
        };
        Some(ClientTls::load("agent", &files, &metrics).unwrap())
    };
    // Without a certificate nothing comes through, and nothing is lost.
    let without = DeliveryOptions {
        tls: client(None, None),
        ..options(&[&double])
    };
    let house = House::open(&folder, MIB, &without);
    house.deliver();
    house.write(&["a"]).await.unwrap();
    until(|| house.metric("retries_total{reason=\"unavailable\"}") > 0).await;
    house.close().await;
    let token = Token::default();
    assert!(token.set_bearer("secret"));
    let header = (
        HeaderName::from_static("x-team"),
        HeaderValue::from_static("shop"),
    );
    let with = DeliveryOptions {
        tls: client(Some(cert_file.clone()), Some(key_file.clone())),
        token: token.clone(),
        headers: vec![header],
        ..options(&[&double])
    };
    let house = House::open(&folder, MIB, &with);
    house.deliver();
    until(|| house.metric("sent_spans_total") == 1).await;
    // A token that was read again stands in the next request.
    assert!(token.set_bearer("new"));
    house.write(&["b"]).await.unwrap();
    until(|| house.metric("sent_spans_total") == 2).await;
    let seen = double.seen();
    let tokens: Vec<_> = seen
        .iter()
        .map(|seen| seen.headers["authorization"].clone())
        .collect();
    assert_eq!(tokens, ["Bearer secret", "Bearer new"]);
    assert_eq!(seen[0].headers["x-team"], "shop");
    house.close().await;
}
