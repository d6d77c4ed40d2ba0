//! Values of the keys that say where spans are kept.

use super::tree::Remote;
use super::units::{OrOff, Setting};

const TLS_PREFIX: &str = "https://";
/// The most bytes of a token's file.
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// The address of a server: `host:port`, with `https://` before it where it speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(pub String);

impl Default for Endpoint {
    fn default() -> Self {
        Self("localhost:17271".to_owned())
    }
}

impl Endpoint {
    /// Where it is.
    pub(crate) fn authority(&self) -> &str {
        self.0.strip_prefix(TLS_PREFIX).unwrap_or(&self.0)
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.0.starts_with(TLS_PREFIX)
    }
}

impl Setting for Endpoint {
    const VALUES: &'static str =
        "host and port: `jaeger-storage:17271`, `https://jaeger-storage:17271`";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let authority = text.strip_prefix(TLS_PREFIX).unwrap_or(text);
        let port = authority
            .rsplit_once(':')
            .map(|(host, port)| (host, port.parse::<u16>()));
        match port {
            Some((host, Ok(_))) if !host.is_empty() && !host.contains(['/', ' ']) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(format!(
                "{text:?} is no address of a server; write host:port, or https://host:port"
            )),
        }
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

impl Remote {
    /// What TLS is made of.
    pub(crate) fn tls_files(&self) -> tls::ClientFiles {
        tls::ClientFiles {
            ca_file: self.tls.ca_file.clone().on(),
            cert_file: self.tls.cert_file.clone().on(),
            key_file: self.tls.key_file.clone().on(),
            protocols: vec!["h2"],
            ..tls::ClientFiles::default()
        }
    }

    /// The token, if there is one; the error is a sentence with the key.
    pub(crate) fn token(&self) -> Result<Option<backends::Secret>, String> {
        let OrOff::On(path) = &self.token_file else {
            return Ok(None);
        };
        let name = path.display();
        let unreadable = |error: std::io::Error| {
            format!("backend.remote.token_file: can't read {name}: {error}")
        };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > TOKEN_BYTES_MAX {
            return Err(format!(
                "backend.remote.token_file: {name} has {bytes} bytes, a token has at most {TOKEN_BYTES_MAX}"
            ));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Ok(Some(backends::Secret::new(text.trim().to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["localhost:17271", "[::1]:1", "https://10.0.0.1:65535"] {
            assert_eq!(Endpoint::parse(good).map(|it| it.0), Ok(good.to_owned()));
        }
        let endpoint = Endpoint("https://x:1".to_owned());
        assert!(endpoint.is_tls() && endpoint.authority() == "x:1");
        for bad in ["", "localhost", ":1", "http://x:1", "x:65536", "x:"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
