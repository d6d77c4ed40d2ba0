//! What a sink is told: where it keeps, where it delivers, and how patiently.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use journal::Level;

use crate::resolver::{Resolver, SystemResolver};

/// How the buffer on the disk is kept.
#[derive(Debug, Clone)]
pub struct BufferOptions {
    /// Its folder; one process at a time.
    pub dir: PathBuf,
    /// The most bytes of the folder.
    pub bytes_max: u64,
    /// What an acknowledged batch survives.
    pub level: Level,
}

/// Where a collector is: a name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Target {
    /// Reads `host:port`, `[::1]:port`, with `http://`, `https://` or `dns:///` before it or not.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no address of a collector; write host:port, such as collector:4317"
            )
        };
        let plain = ["http://", "https://", "dns:///"]
            .iter()
            .find_map(|scheme| text.trim().strip_prefix(scheme))
            .unwrap_or(text.trim())
            .trim_end_matches('/');
        let (host, port) = plain.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_plain = |host: &str| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'/')
        };
        let host = match bare {
            Some(v6) => v6,
            None if host.contains(':') => return Err(wrong()),
            None => host,
        };
        let port: u16 = port.parse().map_err(|_| wrong())?;
        if !is_plain(host) || port == 0 {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// As it stands in a request.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// How a request is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// As every collector can read it.
    Gzip,
    /// Smaller, and cheaper.
    Zstd,
}

/// The value of the `authorization` header, which may change while the program runs; clones share it.
#[derive(Clone, Default)]
pub struct Token(Arc<Mutex<Option<HeaderValue>>>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Token {
    /// Takes a bearer token in place of the one before; false: it can't stand in a header, and the one before stays.
    #[must_use]
    pub fn set_bearer(&self, token: &str) -> bool {
        match HeaderValue::from_str(&format!("Bearer {}", token.trim())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                true
            }
            Err(_) => false,
        }
    }

    pub(crate) fn value(&self) -> Option<HeaderValue> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Where batches are delivered, and how.
#[derive(Debug, Clone)]
pub struct DeliveryOptions {
    /// The collectors; every address of every name is used.
    pub collectors: Vec<Target>,
    /// Who knows the addresses behind their names.
    pub resolver: Arc<dyn Resolver>,
    /// Sent with every call. Values may be secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Sent with every call, when there is one.
    pub token: Token,
    /// With TLS, when there is one.
    pub tls: Option<tls::ClientTls>,
    /// How requests are compressed.
    pub compression: Compression,
    /// A request is not made larger than this, unless one batch is by itself.
    pub request_bytes_max: u64,
    /// How long a batch waits for others to share its request.
    pub request_delay: Duration,
    /// Requests under way at once.
    pub requests_max: usize,
    /// How long a collector may take to answer.
    pub timeout: Duration,
    /// The first pause after a failure of an address; doubled each time.
    pub pause_min: Duration,
    /// The longest pause after a failure, but for one that the collector itself asks for.
    pub pause_max: Duration,
    /// How often names are looked up again.
    pub resolve_interval: Duration,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            collectors: Vec::new(),
            resolver: Arc::new(SystemResolver),
            headers: Vec::new(),
            token: Token::default(),
            tls: None,
            compression: Compression::Zstd,
            request_bytes_max: 1 << 20,
            request_delay: Duration::from_millis(200),
            requests_max: 4,
            timeout: Duration::from_secs(10),
            pause_min: Duration::from_millis(250),
            pause_max: Duration::from_secs(30),
            resolve_interval: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_in_every_form() {
        let read = |text: &str| Target::parse(text).map(|target| target.authority());
        assert_eq!(read("collector:4317").unwrap(), "collector:4317");
        assert_eq!(read(" http://10.0.0.1:4317/ ").unwrap(), "10.0.0.1:4317");
        assert_eq!(
            read("dns:///tracing.svc:14250").unwrap(),
            "tracing.svc:14250"
        );
        assert_eq!(read("[::1]:4317").unwrap(), "[::1]:4317");
        for wrong in [
            "",
            "collector",
            "collector:",
            ":4317",
            "::1:4317",
            "a:0",
            "a:65536",
            "a/b:1",
        ] {
            assert!(
                Target::parse(wrong).unwrap_err().contains("host:port"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_token_is_replaced_but_by_none_that_a_header_can_not_hold() {
        let token = Token::default();
        assert!(token.value().is_none());
        assert!(token.set_bearer("one\n"));
        assert!(!token.set_bearer("t\u{0}wo"));
        assert_eq!(token.value().unwrap(), "Bearer one");
        assert_eq!(format!("{token:?}"), "Token(***)");
    }
}
