//! The web app: its files, and the one page that every address without a file shows.
//!
//! Promises
//! - Files with a hash in their name never change and may be kept for ever; the page is asked for each time.
//! - The page knows below which path it is served (`<base href>`), and what the program can do (the boot block), so it
//!   needs no request before it shows something.
//! - No script but the app's own runs (`Content-Security-Policy`); which sites may frame it is configured.
//! - Built without the app, the program serves a page that says how to build it.

mod boot;
mod files;
mod jaeger_config;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

pub use boot::{
    AppOptions, BasePath, BasePathError, Boot, Capabilities, Limits, LinkKind, LinkTemplate,
    MenuLink, ReceiverAddress,
};
pub use jaeger_config::{UI_CONFIG_BYTES_MAX, UiConfig, UiConfigError};

use files::{Body, File};

/// The page of a program without the app.
const NOT_BUILT: &str = include_str!("not_built.html");
/// What a file with a hash in its name may be told to caches.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// The app, ready to be served.
#[derive(Debug)]
pub(crate) struct App {
    page: String,
    /// Changes with the page.
    tag: HeaderValue,
    policy: HeaderValue,
    files: &'static [File],
}

impl App {
    /// The app that was built into this program.
    pub(crate) fn new(options: &AppOptions) -> Self {
        Self::of(files::FILES, options)
    }

    /// Fills the page of some files in.
    fn of(files: &'static [File], options: &AppOptions) -> Self {
        let index = files::find(files, "index.html").and_then(File::text);
        let (page, rules) = match index {
            Some(index) => (boot::fill(&index, options), APP_POLICY),
            None => (
                NOT_BUILT.to_owned(),
                "default-src 'none'; style-src 'unsafe-inline'",
            ),
        };
        Self {
            tag: tag(page.as_bytes()),
            page,
            policy: policy(rules, &options.frame_ancestors),
            files,
        }
    }

    fn page(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (header::CACHE_CONTROL, ASK_EACH_TIME),
            (header::ETAG, self.tag.clone()),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("same-origin"),
            ),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
        ];
        if asked.get(header::IF_NONE_MATCH) == Some(&self.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, self.page.clone()).into_response()
    }
}

/// Names a content, for caches of browsers.
fn tag(bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Scripts, styles and fonts are files of ours; workers and fetches stay here. React and the editor set styles from
/// scripts, which is no inline style; those that a library writes as elements are allowed, since they can run nothing.
const APP_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                          object-src 'none'; base-uri 'self'; form-action 'self'";

fn policy(rules: &str, frame_ancestors: &str) -> HeaderValue {
    let with = format!("{rules}; frame-ancestors {frame_ancestors}");
    HeaderValue::try_from(with).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The page or a file: what is asked for by every path that is no part of an API.
pub(crate) async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path().trim_start_matches('/');
    match files::find(app.files, path).filter(|file| is_read && file.path != "index.html") {
        Some(file) => file_response(file, request.headers()),
        // A page that is still open asks for files of the program that was here before.
        None if path.starts_with("assets/") => (
            StatusCode::NOT_FOUND,
            "there is no such file; reload the page\n",
        )
            .into_response(),
        None => app.page(request.headers()),
    }
}

fn file_response(file: &File, asked: &HeaderMap) -> Response {
    let accepted = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let accepts = |name: &str| {
        let mut names = accepted.unwrap_or_default().split(',');
        names.any(|one| {
            let (of, weight) = one.split_once(';').unwrap_or((one, ""));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
            of.trim().eq_ignore_ascii_case(name) && weight.trim().parse() != Ok(0.0)
        })
    };
    let caching = if file.path.starts_with("assets/") {
        FOR_EVER
    } else {
        ASK_EACH_TIME
    };
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: HeaderValue| drop(headers.insert(name, value));
    put(
        header::CONTENT_TYPE,
        HeaderValue::from_static(file.content_type()),
    );
    put(header::CACHE_CONTROL, caching);
    put(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if matches!(file.body, Body::Compressed { .. }) {
        put(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    match &file.body {
        Body::Plain(bytes) => (headers, *bytes).into_response(),
        Body::Compressed { br, .. } if accepts("br") => {
            put(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
            (headers, *br).into_response()
        }
        Body::Compressed { gz, .. } if accepts("gzip") => {
            put(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            (headers, *gz).into_response()
        }
        Body::Compressed { .. } => match file.bytes() {
            Some(bytes) => (headers, bytes).into_response(),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    }
}
