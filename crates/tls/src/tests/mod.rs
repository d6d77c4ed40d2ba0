//! A client and a port shake hands over a real socket, well and badly.

mod authority;

use plumbing::{Metrics, Tasks};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use self::authority::{Authority, Folder, Valid};
use crate::{ClientFiles, ClientTls, ServerFiles, ServerTls, TlsMetrics, VersionMin, accept};

/// A port that answers one byte to one byte, and a client's files that fit to it.
struct World {
    folder: Folder,
    authority: Authority,
    metrics: Metrics,
    counted: TlsMetrics,
}

impl World {
    fn new(name: &str) -> Self {
        let metrics = Metrics::new();
        let world = Self {
            folder: Folder::new(name),
            authority: Authority::new("ours"),
            counted: TlsMetrics::register(&metrics),
            metrics,
        };
        world.authority.write(&world.folder.file("ca"));
        world.sign_server(&["localhost"], Valid::Now);
        world.sign_client(&world.authority, Valid::Now);
        world
    }

    fn sign_server(&self, names: &[&str], valid: Valid) {
        let (cert, key) = (self.folder.file("cert"), self.folder.file("key"));
        self.authority.sign(names, valid, &cert, &key);
    }

    fn sign_client(&self, authority: &Authority, valid: Valid) {
        let (cert, key) = (self.folder.file("mine"), self.folder.file("mine-key"));
        authority.sign(&["agent-7"], valid, &cert, &key);
    }

    fn server_files(&self, is_mutual: bool) -> ServerFiles {
        ServerFiles {
            cert_file: self.folder.file("cert"),
            key_file: self.folder.file("key"),
            client_ca_file: is_mutual.then(|| self.folder.file("ca")),
            version_min: VersionMin::Tls12,
        }
    }

    fn server(&self, is_mutual: bool) -> ServerTls {
        ServerTls::load("listen", &self.server_files(is_mutual), &self.counted).unwrap()
    }

    fn client_files(&self) -> ClientFiles {
        ClientFiles {
            ca_file: Some(self.folder.file("ca")),
            protocols: vec!["h2"],
            ..ClientFiles::default()
        }
    }

    fn mutual_client_files(&self) -> ClientFiles {
        ClientFiles {
            cert_file: Some(self.folder.file("mine")),
            key_file: Some(self.folder.file("mine-key")),
            ..self.client_files()
        }
    }

    fn client(&self, files: &ClientFiles) -> ClientTls {
        ClientTls::load("client", files, &self.counted).unwrap()
    }

    fn prints(&self, line: &str) {
        let text = self.metrics.print().unwrap();
        assert!(
            text.lines().any(|printed| printed == line),
            "{line} is not in\n{text}"
        );
    }
}

/// Sends a byte and reads one, or tells in the words for people why that failed.
async fn exchange(server: &ServerTls, client: &ClientTls, host: &str) -> Result<u8, String> {
    let connect = async |stream| {
        let connected = client.connect(host, stream).await;
        connected.map_err(|error| error.to_string())
    };
    exchange_by(server, connect).await
}

/// The same over a connection that is made so.
async fn exchange_by<S: AsyncRead + AsyncWrite + Unpin>(
    server: &ServerTls,
    connect: impl AsyncFnOnce(TcpStream) -> Result<S, String>,
) -> Result<u8, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    let tls = server.clone();
    tasks.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Some(mut stream) = accept(Some(&tls), stream).await {
            let mut byte = [0];
            if stream.read_exact(&mut byte).await.is_ok() {
                stream.write_all(&[byte[0] + 1]).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let outcome = async {
        let mut stream = connect(stream).await?;
        let told = |error: std::io::Error| crate::explain(&error).unwrap_or(error.to_string());
        stream.write_all(&[6]).await.map_err(told)?;
        let mut byte = [0];
        stream.read_exact(&mut byte).await.map_err(told)?;
        Ok(byte[0])
    };
    let outcome = outcome.await;
    tasks.wait().await;
    outcome
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_gets_its_answer() {
    let world = World::new("answer");
    let client = world.client(&world.client_files());
    assert_eq!(
        exchange(&world.server(false), &client, "localhost").await,
        Ok(7)
    );
}

#[tokio::test]
async fn says_whether_name_chain_or_time_is_wrong() {
    let world = World::new("words");
    let client = world.client(&world.client_files());
    let why = exchange(&world.server(false), &client, "collector.internal")
        .await
        .unwrap_err();
    assert!(why.starts_with("the name is wrong"), "{why}");
    assert!(why.contains("is for localhost"), "{why}");

    world.sign_server(&["localhost"], Valid::Past);
    let why = exchange(&world.server(false), &client, "localhost")
        .await
        .unwrap_err();
    assert!(why.contains("has expired"), "{why}");
    world.sign_server(&["localhost"], Valid::Future);
    let why = exchange(&world.server(false), &client, "localhost")
        .await
        .unwrap_err();
    assert!(why.contains("not valid yet"), "{why}");

    world.sign_server(&["localhost"], Valid::Now);
    let server = world.server(false);
    Authority::new("another").write(&world.folder.file("ca"));
    let stranger = world.client(&world.client_files());
    let why = exchange(&server, &stranger, "localhost").await.unwrap_err();
    assert!(why.starts_with("the chain is broken"), "{why}");
    assert!(why.contains("ca_file"), "{why}");
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_explained() {
    let world = World::new("itself");
    let (cert, key) = (world.folder.file("cert"), world.folder.file("key"));
    world.authority.pose_as_server(&cert, &key);
    let client = world.client(&world.client_files());
    let why = exchange(&world.server(false), &client, "localhost")
        .await
        .unwrap_err();
    assert!(why.contains("basicConstraints=critical,CA:FALSE"), "{why}");
}

#[tokio::test]
async fn another_name_can_be_checked_and_all_checks_left_out() {
    let world = World::new("lenient");
    let mut files = world.client_files();
    files.server_name = Some("localhost".to_owned());
    let client = world.client(&files);
    assert_eq!(
        exchange(&world.server(false), &client, "10.0.0.7").await,
        Ok(7)
    );

    world.sign_server(&["localhost"], Valid::Past);
    let files = ClientFiles {
        insecure_skip_verify: true,
        ..ClientFiles::default()
    };
    let client = world.client(&files);
    assert_eq!(
        exchange(&world.server(false), &client, "10.0.0.7").await,
        Ok(7)
    );
}

#[tokio::test]
async fn only_clients_with_a_valid_certificate_of_the_authority_come_in() {
    let world = World::new("mutual");
    let server = world.server(true);
    assert!(server.wants_client_certificate());
    let client = world.client(&world.mutual_client_files());
    assert_eq!(exchange(&server, &client, "localhost").await, Ok(7));

    let without = world.client(&world.client_files());
    let why = exchange(&server, &without, "localhost").await.unwrap_err();
    assert!(why.contains("wants a client certificate"), "{why}");

    world.sign_client(&world.authority, Valid::Past);
    let expired = world.client(&world.mutual_client_files());
    let why = exchange(&server, &expired, "localhost").await.unwrap_err();
    assert!(why.contains("client certificate has expired"), "{why}");

    world.sign_client(&Authority::new("another"), Valid::Now);
    let stranger = world.client(&world.mutual_client_files());
    let why = exchange(&server, &stranger, "localhost").await.unwrap_err();
    assert!(why.contains("does not trust the authority"), "{why}");
    world.prints(
        r#"trackway_tls_handshakes_failed_total{tls="listen",reason="no_client_certificate"} 1"#,
    );
    world.prints(
        r#"trackway_tls_handshakes_failed_total{tls="listen",reason="client_certificate"} 2"#,
    );
}

#[tokio::test]
async fn the_next_handshake_uses_a_new_certificate_and_a_broken_file_changes_nothing() {
    let world = World::new("reload");
    let server = world.server(false);
    let client = world.client(&world.client_files());
    assert!(!server.look());

    std::fs::write(world.folder.file("cert"), "no certificate").unwrap();
    assert!(!server.look());
    assert!(!server.look());
    assert_eq!(exchange(&server, &client, "localhost").await, Ok(7));
    world.prints(r#"trackway_tls_files_refused{tls="listen"} 1"#);
    world.prints(r#"trackway_tls_reloads_total{tls="listen",outcome="failed"} 1"#);

    world.sign_server(&["renewed"], Valid::Now);
    assert!(server.look());
    assert_eq!(exchange(&server, &client, "renewed").await, Ok(7));
    assert!(exchange(&server, &client, "localhost").await.is_err());
    world.prints(r#"trackway_tls_files_refused{tls="listen"} 0"#);

    // The key of another certificate: what came half is not taken.
    let (other, key) = (world.folder.file("other"), world.folder.file("key"));
    world.authority.sign(&["other"], Valid::Now, &other, &key);
    assert!(!server.look());
    assert_eq!(exchange(&server, &client, "renewed").await, Ok(7));
}

#[tokio::test]
async fn a_client_takes_up_its_own_new_certificate() {
    let world = World::new("client-reload");
    let server = world.server(true);
    world.sign_client(&world.authority, Valid::Past);
    let client = world.client(&world.mutual_client_files());
    assert!(exchange(&server, &client, "localhost").await.is_err());
    world.sign_client(&world.authority, Valid::Now);
    assert!(client.look());
    assert_eq!(exchange(&server, &client, "localhost").await, Ok(7));
}

/// A library is given a configuration once, and shakes hands by it for ever.
#[tokio::test]
async fn a_configuration_that_was_handed_out_follows_the_files() {
    let world = World::new("following");
    let server = world.server(true);
    world.sign_client(&world.authority, Valid::Past);
    let client = world.client(&world.mutual_client_files());
    let connector = TlsConnector::from(client.config());
    let connect = async |stream| {
        let name = ServerName::try_from("localhost").unwrap();
        let connected = connector.connect(name, stream).await;
        connected.map_err(|error| error.to_string())
    };
    assert!(exchange_by(&server, connect).await.is_err());
    world.sign_client(&world.authority, Valid::Now);
    assert!(client.look());
    assert_eq!(exchange_by(&server, connect).await, Ok(7));
    Authority::new("other").write(&world.folder.file("ca"));
    assert!(client.look());
    let refused = exchange_by(&server, connect).await.unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    world.authority.write(&world.folder.file("ca"));
    assert!(client.look());
    assert_eq!(exchange_by(&server, connect).await, Ok(7));
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told_what_to_write() {
    let world = World::new("plain-client");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    let server = world.server(false);
    tasks.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        assert!(accept(Some(&server), stream).await.is_none());
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    tasks.wait().await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("https://"), "{answer}");
}

#[tokio::test]
async fn tls_to_a_plain_port_is_told_what_to_write() {
    let world = World::new("plain-server");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let client = world.client(&world.client_files());
    let why = client
        .connect("localhost", stream)
        .await
        .unwrap_err()
        .to_string();
    tasks.wait().await;
    assert!(why.contains("http:// instead of https://"), "{why}");
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let world = World::new("files");
    let load = |files: &ServerFiles| {
        ServerTls::load("listen", files, &world.counted)
            .unwrap_err()
            .to_string()
    };
    let mut files = world.server_files(false);
    files.cert_file = world.folder.file("none");
    assert!(
        load(&files).contains("none: can't be read"),
        "{}",
        load(&files)
    );
    files.cert_file = world.folder.file("key");
    assert!(
        load(&files).contains("holds no certificate"),
        "{}",
        load(&files)
    );
    let mut files = world.server_files(false);
    files.key_file = world.folder.file("mine-key");
    assert!(
        load(&files).contains("is not the key of the certificate"),
        "{}",
        load(&files)
    );
    std::fs::write(
        world.folder.file("locked"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    files.key_file = world.folder.file("locked");
    assert!(
        load(&files).contains("a password; take it off"),
        "{}",
        load(&files)
    );

    let half = ClientFiles {
        cert_file: Some(world.folder.file("mine")),
        ..ClientFiles::default()
    };
    let error = ClientTls::load("client", &half, &world.counted).unwrap_err();
    assert!(error.to_string().contains("belong together"), "{error}");
}
