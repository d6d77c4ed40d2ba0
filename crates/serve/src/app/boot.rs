//! What the page is told before it asks anything: where it is served, and what the program can do.

use serde::Serialize;

/// Where the app's page has its root address.
const BASE: &str = "<base href=\"/\" />";
/// Where it has the boot block.
const BLOCK: &str = "<script type=\"application/json\" id=\"boot\">{}</script>";

/// What may be chosen about the app.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// Below which path everything is served.
    pub base_path: BasePath,
    /// Which sites may show the app in a frame: the sources of `frame-ancestors`.
    pub frame_ancestors: String,
    /// What the page is told.
    pub boot: Boot,
}

/// A path that begins and ends with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePath(String);

/// Why a path is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a base path begins with / and has only letters, digits and -._~/, not {given:?}")]
pub struct BasePathError {
    given: String,
}

impl Default for BasePath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl BasePath {
    /// Reads a path such as `/jaeger`.
    pub fn parse(text: &str) -> Result<Self, BasePathError> {
        let trimmed = text.trim_end_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let is_path = trimmed.is_empty() || (trimmed.starts_with('/') && !trimmed.contains("//"));
        if !is_path || !trimmed.bytes().all(is_plain) || trimmed.split('/').any(|part| part == "..")
        {
            return Err(BasePathError {
                given: text.to_owned(),
            });
        }
        Ok(Self(format!("{trimmed}/")))
    }

    /// With `/` at both ends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without `/` at its end: empty at the root.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.trim_end_matches('/')
    }
}

/// What the page is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Boot {
    /// The program's version.
    pub version: String,
    /// With `/` at both ends.
    pub base_path: String,
    /// Where senders reach the program.
    pub receivers: Vec<ReceiverAddress>,
    /// What can be done.
    pub capabilities: Capabilities,
    /// How much may be asked.
    pub limits: Limits,
    /// Links from what is shown to other tools.
    pub links: Vec<LinkTemplate>,
    /// Links beside the app's own pages.
    pub menu: Vec<MenuLink>,
    /// Attributes whose keys begin so come first.
    pub pinned_prefixes: Vec<String>,
    /// The most traces that a search may be set to.
    pub search_limit_max: Option<u32>,
    /// How far back a search may be set to look, such as `2d`.
    pub search_lookback_max: Option<String>,
    /// How far back it looks at first.
    pub search_lookback: Option<String>,
    /// Digits of a trace's id where it is shortened.
    pub trace_id_digits: Option<u32>,
    /// Light or dark can't be chosen.
    pub is_theme_fixed: bool,
    /// Files with traces can't be opened.
    pub is_file_upload_off: bool,
    /// There are no links to the JSON of a trace.
    pub is_json_view_off: bool,
    /// Keys of the configuration that have no effect here.
    pub ignored_config: Vec<String>,
}

/// Where the values of a link's template come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LinkKind {
    /// An attribute of the resource.
    Resource,
    /// An attribute of the span.
    Attributes,
    /// An attribute of an event.
    Events,
    /// The trace as a whole.
    Traces,
}

/// A link to another tool, with `#{key}` where values stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LinkTemplate {
    /// What it stands beside.
    #[serde(rename = "type")]
    pub kind: LinkKind,
    /// The attribute that it stands beside; null: any, or a whole trace.
    pub key: Option<String>,
    /// The address.
    pub url: String,
    /// What is shown.
    pub text: String,
}

/// A link of the menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MenuLink {
    /// What is shown.
    pub label: String,
    /// The address.
    pub url: String,
}

/// A door for spans.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReceiverAddress {
    /// `otlp-grpc` or `otlp-http`.
    pub protocol: String,
    /// Address and port as they are listened on.
    pub address: String,
}

/// What the program can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Traces can be kept for good.
    pub archive: bool,
    /// The page may have spans made, to try the way in.
    pub test_trace: bool,
    /// Spans can be followed as they arrive.
    pub tail: bool,
}

/// How much may be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Traces of a page of results.
    pub page_traces_max: u32,
    /// Bytes of a query's text.
    pub query_bytes_max: u32,
}

/// Fills the page in.
pub(super) fn fill(page: &str, options: &AppOptions) -> String {
    let base = format!("<base href=\"{}\" />", options.base_path.as_str());
    let boot = serde_json::to_string(&options.boot).unwrap_or_else(|_| "{}".to_owned());
    // A text of the block must not end it.
    let boot = boot.replace('<', "\\u003c");
    let block = BLOCK.replace("{}", &boot);
    page.replacen(BASE, &base, 1).replacen(BLOCK, &block, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_paths_end_with_a_slash_and_hold_nothing_that_html_reads() {
        let cases = [
            ("", "/", ""),
            ("/", "/", ""),
            ("/jaeger", "/jaeger/", "/jaeger"),
            ("/a/b/", "/a/b/", "/a/b"),
        ];
        for (given, path, prefix) in cases {
            let parsed = BasePath::parse(given).unwrap();
            assert_eq!((parsed.as_str(), parsed.prefix()), (path, prefix));
        }
        for given in ["jaeger", "/a\"b", "/a//b", "/a/../b", "/ä"] {
            assert!(BasePath::parse(given).is_err(), "{given}");
        }
    }

    #[test]
    fn the_page_is_told_its_path_and_no_text_ends_the_block() {
        let options = AppOptions {
            base_path: BasePath::parse("/jaeger").unwrap(),
            frame_ancestors: "'self'".to_owned(),
            boot: Boot {
                version: "</script><b>".to_owned(),
                ..Boot::default()
            },
        };
        let page = fill(&format!("<head>{BASE}{BLOCK}</head>"), &options);
        assert!(page.contains("<base href=\"/jaeger/\" />"), "{page}");
        assert!(
            page.contains("\"version\":\"\\u003c/script>\\u003cb>\""),
            "{page}"
        );
        assert_eq!(page.matches("</script>").count(), 1);
    }
}
