//! Values of the web app's keys.

use std::path::Path;

use serve::{BasePath, UI_CONFIG_BYTES_MAX, UiConfig};

use super::tree::Ui;
use super::units::{OrOff, Setting};

impl Ui {
    /// Reads the UI configuration of Jaeger, if there is one; the error is a sentence with the key.
    pub(crate) fn jaeger_config(&self) -> Result<UiConfig, String> {
        match &self.config_file {
            OrOff::Off => Ok(UiConfig::default()),
            OrOff::On(path) => {
                read_jaeger_config(path).map_err(|why| format!("ui.config_file: {why}"))
            }
        }
    }
}

fn read_jaeger_config(path: &Path) -> Result<UiConfig, String> {
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        format!("can't read {name}: {error}; correct the path, or set it to off")
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > UI_CONFIG_BYTES_MAX {
        return Err(format!(
            "{name} has {bytes} bytes, a UI configuration has at most {UI_CONFIG_BYTES_MAX}"
        ));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    UiConfig::parse(&name, &text).map_err(|error| error.to_string())
}

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
