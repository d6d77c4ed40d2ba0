//! The app as browsers ask for it: over files made by hand, and over those that were built into this program.

use std::io::Write as _;

use axum::Router;
use axum::body::to_bytes;
use axum::http::Request;
use axum::routing::any;
use flate2::Compression;
use flate2::write::GzEncoder;
use tower::ServiceExt as _;

use super::*;

const INDEX: &str = "<html><head><base href=\"/\" />\
    <script type=\"application/json\" id=\"boot\">{}</script></head>\
    <body><div id=\"jaeger-ui-root\"></div></body></html>";

fn gzip(text: &str) -> &'static [u8] {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().leak()
}

/// An app of four files, in the order of their paths.
fn built() -> &'static [File] {
    let compressed = |path, text: &str| File {
        path,
        body: Body::Compressed {
            br: b"as brotli",
            gz: gzip(text),
        },
    };
    let plain = |path, bytes| File {
        path,
        body: Body::Plain(bytes),
    };
    vec![
        plain("assets/font-c3.woff2", b"font"),
        compressed("assets/main-a1b2.js", "let a = 1;"),
        plain("favicon.svg", b"<svg/>"),
        compressed("index.html", INDEX),
    ]
    .leak()
}

fn options(base_path: &str) -> AppOptions {
    AppOptions {
        base_path: BasePath::parse(base_path).unwrap(),
        frame_ancestors: "'self' https://grafana.example.com".to_owned(),
        boot: Boot {
            version: "1.2.3".to_owned(),
            ..Boot::default()
        },
    }
}

fn app_of(files: &'static [File]) -> Router {
    let app = Arc::new(App::of(files, &options("/jaeger")));
    Router::new().fallback_service(any(serve).with_state(app))
}

/// An answer as status, the header that is asked for, and body.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(router: &Router, method: &str, target: &str, headers: &[(&str, &str)]) -> Got {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router
        .clone()
        .oneshot(request.body(axum::body::Body::empty()).unwrap())
        .await
        .unwrap();
    Got {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec(),
    }
}

#[tokio::test]
async fn files_with_a_hash_in_their_name_are_kept_for_ever_in_the_encoding_that_is_taken() {
    let app = app_of(built());
    for (accepted, encoding, body) in [
        ("gzip, deflate, br, zstd", "br", b"as brotli".to_vec()),
        ("br;q=0, gzip;q=0.5", "gzip", gzip("let a = 1;").to_vec()),
        ("GZIP", "gzip", gzip("let a = 1;").to_vec()),
        ("gzip;q=0", "", b"let a = 1;".to_vec()),
        ("identity", "", b"let a = 1;".to_vec()),
        ("", "", b"let a = 1;".to_vec()),
    ] {
        let got = ask(
            &app,
            "GET",
            "/assets/main-a1b2.js",
            &[("accept-encoding", accepted)],
        )
        .await;
        assert_eq!(
            (got.status, got.header("content-encoding")),
            (200, encoding),
            "{accepted}"
        );
        assert!(got.body == body, "{accepted}");
        assert_eq!(
            got.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(got.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(
            (got.header("vary"), got.header("x-content-type-options")),
            ("accept-encoding", "nosniff")
        );
    }
    let font = ask(
        &app,
        "GET",
        "/assets/font-c3.woff2",
        &[("accept-encoding", "br")],
    )
    .await;
    assert_eq!(
        (font.header("content-type"), font.header("content-encoding")),
        ("font/woff2", "")
    );
}

#[tokio::test]
async fn every_other_path_is_the_page_which_is_asked_for_each_time() {
    let app = app_of(built());
    for target in [
        "/",
        "/search?service=a",
        "/trace/abc...def",
        "/index.html",
        "/none",
    ] {
        let got = ask(&app, "GET", target, &[]).await;
        let page = String::from_utf8(got.body.clone()).unwrap();
        assert_eq!(
            (got.status, got.header("cache-control")),
            (200, "no-cache"),
            "{target}"
        );
        assert!(page.contains("<base href=\"/jaeger/\" />"), "{page}");
        assert!(
            page.contains("id=\"boot\">{\"version\":\"1.2.3\""),
            "{page}"
        );
        assert!(page.contains("<div id=\"jaeger-ui-root\">"), "{page}");
        let policy = got.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';") && !policy.contains("unsafe-eval"),
            "{policy}"
        );
        assert!(
            policy.ends_with("frame-ancestors 'self' https://grafana.example.com"),
            "{policy}"
        );
        let again = ask(
            &app,
            "GET",
            target,
            &[("if-none-match", got.header("etag"))],
        )
        .await;
        assert_eq!((again.status, again.body.len()), (304, 0));
    }
    let icon = ask(&app, "GET", "/favicon.svg", &[]).await;
    assert_eq!(
        (icon.header("content-type"), icon.header("cache-control")),
        ("image/svg+xml", "no-cache")
    );
}

#[tokio::test]
async fn a_file_of_another_build_is_not_the_page() {
    let app = app_of(built());
    let got = ask(&app, "GET", "/assets/main-0000.js", &[]).await;
    assert_eq!(got.status, 404);
    assert!(
        String::from_utf8(got.body)
            .unwrap()
            .contains("reload the page")
    );
}

#[tokio::test]
async fn a_question_for_the_head_has_no_body_and_the_same_headers() {
    let app = app_of(built());
    for target in ["/", "/assets/main-a1b2.js", "/favicon.svg"] {
        let (get, head) = (
            ask(&app, "GET", target, &[]).await,
            ask(&app, "HEAD", target, &[]).await,
        );
        assert!(head.body.is_empty() && !get.body.is_empty(), "{target}");
        assert_eq!(
            (head.status, head.header("content-type")),
            (200, get.header("content-type"))
        );
        assert_eq!(
            head.header("content-length"),
            get.body.len().to_string(),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_program_without_the_app_says_how_to_build_it() {
    let app = app_of(&[]);
    let got = ask(&app, "GET", "/search", &[]).await;
    let page = String::from_utf8(got.body.clone()).unwrap();
    assert!(
        got.status == 200 && page.contains("npm run build"),
        "{page}"
    );
    assert!(
        got.header("content-security-policy")
            .starts_with("default-src 'none';")
    );
    assert!(
        got.header("content-security-policy")
            .contains("frame-ancestors 'self'")
    );
    assert_eq!(
        ask(&app, "GET", "/assets/main-a1b2.js", &[]).await.status,
        404
    );
}

/// What was built into this program, if anything was: the page is whole, and so is every file it names.
#[tokio::test]
async fn the_files_of_this_program_are_whole() {
    let app = app_of(files::FILES);
    let page = String::from_utf8(ask(&app, "GET", "/", &[]).await.body).unwrap();
    if files::FILES.is_empty() {
        assert!(page.contains("built without its web app"));
        return;
    }
    assert!(
        page.contains("id=\"jaeger-ui-root\"") && page.contains("<base href=\"/jaeger/\" />"),
        "{page}"
    );
    for file in files::FILES {
        let got = ask(
            &app,
            "GET",
            &format!("/{}", file.path),
            &[("accept-encoding", "gzip, br")],
        )
        .await;
        assert_eq!(got.status, 200, "{}", file.path);
        assert!(
            file.bytes().is_some_and(|bytes| !bytes.is_empty()),
            "{}",
            file.path
        );
    }
}

#[test]
fn the_page_in_the_sources_has_what_is_filled_in() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/index.html");
    let page = std::fs::read_to_string(path).unwrap();
    // Jaeger's element: what embeds the app waits for it.
    assert!(page.contains("<div id=\"jaeger-ui-root\"></div>"));
    let filled = boot::fill(&page, &options("/jaeger"));
    assert!(filled.contains("<base href=\"/jaeger/\" />"), "{filled}");
    assert!(
        filled.contains("id=\"boot\">{\"version\":\"1.2.3\""),
        "{filled}"
    );
}
