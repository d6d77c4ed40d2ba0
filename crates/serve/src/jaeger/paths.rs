//! Paths as Go's router treats them: what is not clean is sent on to its clean form, what is unknown is not found.

use axum::extract::{RawQuery, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::envelope::plain_text;

/// The answer for what is no route, and for a method that a route doesn't have.
pub(super) async fn not_found() -> Response {
    plain_text(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// Sends a request on to a folder, which has a `/` at its end.
pub(super) fn to_folder(
    path: &str,
) -> impl Fn(RawQuery) -> std::future::Ready<Response> + Clone + Send + Sync + 'static {
    let folder = format!("{path}/");
    move |RawQuery(query)| std::future::ready(redirect(&folder, query.as_deref()))
}

/// Sends a request on whose path is not clean.
pub(super) async fn clean(request: Request, next: Next) -> Response {
    match clean_path(request.uri().path()) {
        Some(path) => redirect(&path, request.uri().query()),
        None => next.run(request).await,
    }
}

fn redirect(path: &str, query: Option<&str>) -> Response {
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    // The path came in a request line: it has no character that a header can't hold.
    let Ok(location) = HeaderValue::try_from(target.as_str()) else {
        return plain_text(StatusCode::NOT_FOUND, "404 page not found\n");
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::LOCATION, location),
    ];
    let escaped = target
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let escaped = escaped.replace('"', "&#34;").replace('\'', "&#39;");
    let body = format!("<a href=\"{escaped}\">Temporary Redirect</a>.\n\n");
    (StatusCode::TEMPORARY_REDIRECT, headers, body).into_response()
}

/// The path without empty parts, `.` and `..`; `None` when it is so already.
fn clean_path(path: &str) -> Option<String> {
    let is_dirty = |part: &str| matches!(part, "" | "." | "..");
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let (last, inner) = parts.split_last()?;
    if !inner.iter().any(|part| is_dirty(part)) && !matches!(*last, "." | "..") {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in &parts {
        match *part {
            "" | "." => {}
            ".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    let end = if last.is_empty() && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    Some(format!("/{}{end}", kept.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unclean_paths_are_sent_on() {
        let cases = [
            ("/", None),
            ("/api/", None),
            ("/api/services", None),
            ("//api/services", Some("/api/services")),
            ("/api/../api/services", Some("/api/services")),
            ("/api/./services/", Some("/api/services/")),
            ("/../..", Some("/")),
            ("/a/..", Some("/")),
            ("//evil.test//", Some("/evil.test/")),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean_path(path).as_deref(), cleaned, "{path}");
        }
    }
}
