//! A small HTTP/1.1 client: asks a running server, and sends it traces.
//!
//! Promises: every wait has an end, every answer a size that it may have; a message names the server's address and
//! what to do; a token or password is shown nowhere. Refuses: redirects, proxies: it speaks to a server of one's own.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use model::TenantId;
use plumbing::Tasks;
use tls::{ClientFiles, ClientTls, Stream, TlsMetrics};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::IdentityArgs;
use crate::error::Error;

/// The largest answer that is taken: traces of a million spans are below it.
const ANSWER_BYTES_MAX: usize = 1 << 30;
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a server is.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    host: String,
    port: u16,
    /// Without a slash at the end.
    path: String,
    /// TLS, where it is spoken.
    tls: Option<ClientTls>,
    /// Who asks: sent with every request.
    identity: Vec<(HeaderName, HeaderValue)>,
}

impl Server {
    /// Reads `http://host:port/path`, or https; the scheme may be left out. Reads the files that say who asks.
    pub(crate) fn parse(
        url: &str,
        default_port: u16,
        identity: &IdentityArgs,
    ) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("{url:?} is no address of a server: {why}; write http://host:{default_port}")
        };
        let with_scheme = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let uri: Uri = with_scheme
            .parse()
            .map_err(|error| wrong(&format!("{error}")))?;
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(client_tls(identity)?),
            _ => return Err(wrong("only http and https are spoken here")),
        };
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| wrong("it has no host"))?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(default_port),
            path: uri.path().trim_end_matches('/').to_owned(),
            tls,
            identity: headers(identity)?,
        })
    }

    /// The server's address for messages.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path)
    }

    /// The path that the address names, without a slash at the end.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// What a server answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The status.
    pub status: StatusCode,
    /// How long to wait before the next try, if the server says so.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The beginning of the body, for messages.
    pub(crate) fn excerpt(&self) -> String {
        const EXCERPT_CHARS_MAX: usize = 300;
        let text: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(EXCERPT_CHARS_MAX)
            .collect();
        crate::terminal::escaped(text.trim()).into_owned()
    }
}

/// A connection that is opened when it is needed and kept for the next request.
#[derive(Debug)]
pub(crate) struct Connection {
    server: Server,
    tasks: Tasks,
    timeout: Duration,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Prepares a connection; nothing is opened yet.
    pub(crate) fn new(server: Server, timeout: Duration) -> Self {
        Self {
            server,
            tasks: Tasks::new(),
            timeout,
            open: None,
        }
    }

    /// Asks for a path below the server's.
    pub(crate) async fn get(&mut self, path_and_query: &str) -> Result<Reply, Error> {
        let path = format!("{}{path_and_query}", self.server.path);
        self.ask(Method::GET, &path, &[], Bytes::new()).await
    }

    /// Removes what a path of the server names.
    pub(crate) async fn delete(&mut self, path: &str) -> Result<Reply, Error> {
        let path = format!("{}{path}", self.server.path);
        self.ask(Method::DELETE, &path, &[], Bytes::new()).await
    }

    /// Sends a body to a path of the server.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Reply, Error> {
        self.ask(
            Method::POST,
            path,
            &[(CONTENT_TYPE.as_str(), content_type)],
            body,
        )
        .await
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Reply, Error> {
        let mut request =
            Request::builder()
                .method(method)
                .uri(if path.is_empty() { "/" } else { path });
        request = request.header(HOST, self.server.authority());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &self.server.identity {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| self.failed("ask", &error.to_string()))?;
        let answer = timeout(self.timeout, self.exchange(request)).await;
        // After a failure the state of the connection is unknown: the next request opens a new one.
        match answer {
            Ok(Ok((reply, sender))) => {
                self.open = Some(sender);
                Ok(reply)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self.failed(
                "ask",
                &format!("no answer in {} s (--timeout)", self.timeout.as_secs()),
            )),
        }
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Reply, SendRequest<Full<Bytes>>), Error> {
        let mut sender = match self.still_open().await {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| self.failed("ask", &cause_of(&error)))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body
            .map_err(|error| self.failed("read the answer of", &error.to_string()))?
            .to_bytes();
        let seconds = head
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Ok((
            Reply {
                status: head.status,
                retry_after: seconds.map(Duration::from_secs),
                body,
            },
            sender,
        ))
    }

    /// The connection of the request before, unless the server closed it.
    async fn still_open(&mut self) -> Option<SendRequest<Full<Bytes>>> {
        let mut sender = self.open.take()?;
        sender.ready().await.is_ok().then_some(sender)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Error> {
        let address = (self.server.host.as_str(), self.server.port);
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        let stream = stream
            .map_err(|_| self.failed("reach", "no connection in 10 s"))?
            .map_err(|error| self.failed("reach", &error.to_string()))?;
        // Small requests must not wait for the acknowledgement of the one before; not vital where it can't be set.
        let _not_vital = stream.set_nodelay(true);
        let stream = match &self.server.tls {
            Some(tls) => timeout(CONNECT_TIMEOUT, tls.connect(&self.server.host, stream))
                .await
                .map_err(|_| self.failed("reach", "no TLS handshake in 10 s"))?
                .map_err(|error| self.failed("reach", &error.to_string()))?,
            None => Stream::Plain(stream),
        };
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.failed("talk to", &cause_of(&error)))?;
        self.tasks.spawn(async move {
            // Whoever asked learns of the failure by the request that fails.
            let _told_by_the_request = connection.await;
        });
        Ok(sender)
    }

    fn failed(&self, action: &str, why: &str) -> Error {
        Error::Ask(format!(
            "can't {action} {}: {why}; is the server running there?",
            self.server.url()
        ))
    }
}

/// The largest file with a token or a password.
const SECRET_BYTES_MAX: u64 = 64 << 10;
const TENANT_HEADER: HeaderName = HeaderName::from_static("x-tenant");

fn client_tls(identity: &IdentityArgs) -> Result<ClientTls, String> {
    let files = ClientFiles {
        ca_file: identity.ca_file.clone(),
        cert_file: identity.cert_file.clone(),
        key_file: identity.key_file.clone(),
        protocols: vec!["http/1.1"],
        ..ClientFiles::default()
    };
    let counted_nowhere = TlsMetrics::default();
    ClientTls::load("client", &files, &counted_nowhere).map_err(|error| error.to_string())
}

fn headers(identity: &IdentityArgs) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut headers = Vec::new();
    let authorization = match (&identity.token_file, &identity.password_file) {
        (Some(file), _) => Some((file, format!("Bearer {}", secret(file)?))),
        (None, Some(file)) => {
            let text = secret(file)?;
            if !text.contains(':') {
                return Err(format!("{}: is not NAME:PASSWORD", file.display()));
            }
            Some((file, format!("Basic {}", STANDARD.encode(text))))
        }
        (None, None) => None,
    };
    if let Some((file, text)) = authorization {
        let value = HeaderValue::try_from(text);
        let mut value =
            value.map_err(|_| format!("{}: holds what no header can", file.display()))?;
        value.set_sensitive(true);
        headers.push((AUTHORIZATION, value));
    }
    if let Some(tenant) = &identity.tenant {
        let tenant = TenantId::parse(tenant).map_err(|error| error.to_string())?;
        let value = HeaderValue::from_str(tenant.as_str()).map_err(|error| error.to_string())?;
        headers.push((TENANT_HEADER, value));
    }
    Ok(headers)
}

fn secret(file: &Path) -> Result<String, String> {
    let failed = |why: std::io::Error| format!("can't read {}: {why}", file.display());
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > SECRET_BYTES_MAX {
        return Err(format!(
            "{}: has {bytes} bytes, which is no secret",
            file.display()
        ));
    }
    let text = std::fs::read_to_string(file).map_err(failed)?;
    match text.trim() {
        "" => Err(format!("{}: is empty", file.display())),
        text => Ok(text.to_owned()),
    }
}

/// hyper's errors say what they mean only in their source.
fn cause_of(error: &hyper::Error) -> String {
    std::error::Error::source(error)
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// A text as part of a query.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn reads_addresses_with_and_without_scheme_port_and_path() {
        let nobody = IdentityArgs::default();
        let url = |text| Server::parse(text, 16686, &nobody).map(|server| server.url());
        assert_eq!(
            url("http://127.0.0.1:16686/").unwrap(),
            "http://127.0.0.1:16686"
        );
        assert_eq!(
            url("tracing.internal/jaeger/").unwrap(),
            "http://tracing.internal:16686/jaeger"
        );
        assert_eq!(url("http://[::1]:80").unwrap(), "http://[::1]:80");
        assert_eq!(url("https://x").unwrap(), "https://x:16686");
        assert!(url("ftp://x").unwrap_err().contains("only http"));
        assert!(url("http://").is_err());
    }

    #[test]
    fn encodes_everything_that_a_query_could_misread() {
        assert_eq!(percent_encoded("a b&c=d/é~"), "a%20b%26c%3Dd%2F%C3%A9~");
    }

    /// Serves fixed answers, each on a connection of its own; the last bytes of each request are kept.
    async fn serve(answers: Vec<&'static str>) -> (Server, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        #[allow(
            clippy::disallowed_methods,
            reason = "a test waits for its task by itself"
        )]
        let task = tokio::spawn(async move {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buffer = vec![0; 4096];
                let read = stream.read(&mut buffer).await.unwrap();
                requests.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        });
        (
            Server {
                host: "127.0.0.1".to_owned(),
                port,
                path: "/base".to_owned(),
                tls: None,
                identity: vec![(AUTHORIZATION, HeaderValue::from_static("Bearer t"))],
            },
            task,
        )
    }

    #[tokio::test]
    async fn asks_below_the_servers_path_and_reads_status_and_pause() {
        let (server, task) = serve(vec![
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nbusy",
        ])
        .await;
        let mut connection = Connection::new(server, Duration::from_secs(10));
        let reply = connection.get("/api/services").await.unwrap();
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(reply.excerpt(), "busy");
        let asked = &task.await.unwrap()[0];
        assert!(asked.starts_with("GET /base/api/services HTTP/1.1\r\nhost: 127.0.0.1:"));
        assert!(asked.contains("authorization: Bearer t\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn opens_a_new_connection_after_the_server_closed_the_old() {
        let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
        let (server, task) = serve(vec![answer, answer]).await;
        let mut connection = Connection::new(server, Duration::from_secs(10));
        for _ in 0..2 {
            let reply = connection
                .post(
                    "/v1/traces",
                    "application/x-protobuf",
                    Bytes::from_static(b"x"),
                )
                .await
                .unwrap();
            assert_eq!(reply.body.as_ref(), b"ok");
        }
        assert_eq!(task.await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn names_the_server_that_is_not_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let server = Server {
            host: "127.0.0.1".to_owned(),
            port,
            path: String::new(),
            tls: None,
            identity: Vec::new(),
        };
        let error = Connection::new(server, Duration::from_secs(10))
            .get("/")
            .await
            .unwrap_err();
        assert!(
            error
                .line()
                .contains(&format!("can't reach http://127.0.0.1:{port}")),
            "{}",
            error.line()
        );
        assert!(error.line().ends_with("is the server running there?"));
    }
}
