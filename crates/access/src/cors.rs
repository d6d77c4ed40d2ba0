//! Pages of other sites: which of them a browser lets ask (CORS), and what none of them may do unasked.
//!
//! Promises: an origin is allowed only when it is named, character by character; the answer names that one.
//!
//! Source: the Fetch standard (CORS protocol), Fetch Metadata (`Sec-Fetch-Site`).

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// How long a browser may remember a preflight's answer, in seconds.
const REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("3600");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const EXPOSED: HeaderValue = HeaderValue::from_static("traceresponse, retry-after");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Says why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no origin: write it as browsers send it, such as https://shop.example.com, without a wildcard, path or slash at the end"
)]
pub struct CorsError {
    text: String,
}

/// The origin of a page, as browsers send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// Takes `scheme://host` or `scheme://host:port`.
    ///
    /// # Errors
    /// When the text has a wildcard, a path or anything else that no browser sends.
    pub fn parse(text: &str) -> Result<Self, CorsError> {
        let wrong = || CorsError {
            text: text.to_owned(),
        };
        let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
        let is_scheme = !scheme.is_empty()
            && scheme.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
            });
        let is_host = !host.is_empty()
            && host.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte)
            });
        if !is_scheme || !is_host {
            return Err(wrong());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| wrong())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Whose pages may ask from a browser. Nobody's, unless they are named.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    origins: Vec<Origin>,
}

impl Cors {
    /// Allows these origins.
    #[must_use]
    pub fn new(origins: Vec<Origin>) -> Self {
        Self { origins }
    }

    /// The origin of a request, if it is allowed.
    fn allowed(&self, given: Option<&HeaderValue>) -> Option<&Origin> {
        self.origins.iter().find(|origin| Some(&origin.0) == given)
    }

    /// The answer to a browser that asks whether it may ask; `None` when this is no such question, or nobody's pages
    /// are allowed. It comes before credentials, which such a question never has.
    #[must_use]
    pub fn preflight(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<(StatusCode, HeaderMap)> {
        let is_preflight = *method == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight || self.origins.is_empty() {
            return None;
        }
        let mut answer = HeaderMap::new();
        let origin = headers.get(header::ORIGIN);
        if self.allowed(origin).is_none() {
            return Some((StatusCode::FORBIDDEN, answer));
        }
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS);
        if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        self.mark(origin, &mut answer);
        Some((StatusCode::NO_CONTENT, answer))
    }

    /// Lets the page that asked, by its origin, read the answer, where it is allowed.
    pub fn mark(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        // Answers differ by the origin: no cache may give one's to another.
        answer.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(Origin(origin)) = self.allowed(origin) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let yes = HeaderValue::from_static("true");
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// Tells whether a page of another site asks for a change: its browser adds the visitor's password by itself.
#[must_use]
pub fn is_forged(cors: &Cors, method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    let is_other = matches!(site, Some(b"cross-site" | b"same-site"));
    is_other && cors.allowed(headers.get(header::ORIGIN)).is_none()
}
