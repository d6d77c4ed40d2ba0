//! Values of the web app's keys.

use serve::BasePath;

use super::units::Setting;

/// Which sites may show the app in a frame: the sources of `frame-ancestors` in a content security policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrameAncestors(pub String);

impl Setting for FrameAncestors {
    const VALUES: &'static str = "sources of a content security policy, such as `'self'`, `'none'`, \
                                  `https://grafana.example.com`";

    fn parse(text: &str) -> Result<Self, String> {
        let sources: Vec<&str> = text.split_whitespace().collect();
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b";,\"".contains(&byte);
        if sources.is_empty() || !text.bytes().all(|byte| byte == b' ' || is_plain(byte)) {
            return Err(format!(
                "{text:?} is no list of sources; write 'self', 'none' or addresses such as https://grafana.example.com"
            ));
        }
        Ok(Self(sources.join(" ")))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

impl Default for FrameAncestors {
    fn default() -> Self {
        Self("'self'".to_owned())
    }
}

impl Setting for BasePath {
    const VALUES: &'static str = "path such as `/` or `/jaeger`";

    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text.trim()).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        match self.prefix() {
            "" => "/".to_owned(),
            prefix => prefix.to_owned(),
        }
    }
}
