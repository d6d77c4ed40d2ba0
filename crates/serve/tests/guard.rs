//! The door before the routes: credentials before anything else, a tenant for every question, pages of other sites.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use access::{Access, AccessMetrics, AccessOptions, Cors, Gate, Origin, Tenancy};
use axum::http::HeaderName;
use model::TenantId;
use plumbing::{Metrics, Shutdown, Tasks};
use serve::{Asks, Door, HttpLimits, JaegerOptions, serve_http};
use testkit::oracle::OracleStore;
use testkit::spans::request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::ui::batch_of;
use crate::world::router_over;

/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
const ORIGIN: &str = "https://grafana.example.com";

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

/// Jaeger's API over the spans of two tenants, behind a door.
fn open(options: AccessOptions) -> SocketAddr {
    let store = OracleStore::new();
    for name in ["alpha", "beta"] {
        let spans = request().service(&format!("service-of-{name}"));
        store.keep(&tenant(name), &batch_of(spans.span("op", |span| span)));
    }
    let router = router_over(Arc::new(store), JaegerOptions::default());
    let access = Access::load("query", options, &AccessMetrics::register(&Metrics::new()));
    let gate = Gate {
        tls: None,
        access: access.unwrap(),
    };
    let asks = Asks::Tenant;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    let own_tasks = tasks.clone();
    tasks.spawn(async move {
        let (limits, stop) = (HttpLimits::default(), Shutdown::new());
        let door = Door { gate, asks };
        serve_http(router, door, vec![listener], limits, stop, own_tasks)
            .await
            .unwrap();
    });
    address
}

async fn ask(address: SocketAddr, line: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(PATIENCE, reading)
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer).unwrap()
}

fn with_tenants(cors: Cors) -> AccessOptions {
    let header = HeaderName::from_static("x-tenant");
    AccessOptions {
        tenancy: Some(Tenancy::new(
            header,
            None,
            &[tenant("alpha"), tenant("beta")],
        )),
        cors,
        ..AccessOptions::default()
    }
}

#[tokio::test]
async fn a_question_is_answered_from_the_spans_of_its_tenant_alone() {
    let address = open(with_tenants(Cors::default()));
    for path in ["/api/services", "/api/v3/services"] {
        let line = format!("GET {path}");
        for (name, other) in [("alpha", "beta"), ("beta", "alpha")] {
            let answer = ask(address, &line, &[("x-tenant", name)]).await;
            assert!(answer.contains(&format!("service-of-{name}")), "{answer}");
            assert!(!answer.contains(&format!("service-of-{other}")), "{answer}");
        }
        let nobody = ask(address, &line, &[]).await;
        assert!(nobody.starts_with("HTTP/1.1 401"), "{nobody}");
        assert!(nobody.ends_with("missing tenant header\n"), "{nobody}");
        let unknown = ask(address, &line, &[("x-tenant", "gamma")]).await;
        assert!(unknown.ends_with("unknown tenant\n"), "{unknown}");
    }
}

#[tokio::test]
async fn a_page_that_is_named_may_ask_and_another_may_neither_ask_nor_change() {
    let cors = Cors::new(vec![Origin::parse(ORIGIN).unwrap()]);
    let address = open(with_tenants(cors));
    let preflight = [
        ("origin", ORIGIN),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "x-tenant"),
    ];
    // A browser's question before the question has no tenant and no credentials.
    let allowed = ask(address, "OPTIONS /api/services", &preflight).await;
    assert!(allowed.starts_with("HTTP/1.1 204"), "{allowed}");
    let named = format!("access-control-allow-origin: {ORIGIN}\r\n");
    assert!(allowed.contains(&named), "{allowed}");
    let asked = [("origin", ORIGIN), ("x-tenant", "alpha")];
    let answer = ask(address, "GET /api/services", &asked).await;
    assert!(
        answer.contains(&named) && answer.contains("service-of-alpha"),
        "{answer}"
    );
    let refused = ask(address, "GET /api/services", &[("origin", ORIGIN)]).await;
    assert!(refused.contains(&named), "the page may read why: {refused}");

    let other = [
        ("origin", "https://evil.example.com"),
        ("x-tenant", "alpha"),
    ];
    let answer = ask(address, "GET /api/services", &other).await;
    assert!(!answer.contains("access-control-allow-origin"), "{answer}");
    let mut change = other.to_vec();
    change.push(("sec-fetch-site", "cross-site"));
    let answer = ask(address, "POST /api/archive/1", &change).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    change[0].1 = ORIGIN;
    let answer = ask(address, "POST /api/archive/1", &change).await;
    assert!(!answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn credentials_come_before_everything_but_are_not_asked_of_supervisors_over_grpc() {
    let file = std::env::temp_dir().join(format!("trackway-guard-{}", std::process::id()));
    std::fs::write(&file, "0123456789abcdef0123\n").unwrap();
    let address = open(AccessOptions {
        tokens_file: Some(file.clone()),
        ..AccessOptions::default()
    });
    for line in [
        "GET /",
        "GET /nothing",
        "POST /api/archive/x",
        "DELETE /",
        "GET /api/services",
    ] {
        let answer = ask(address, line, &[]).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{line}: {answer}");
        assert!(answer.contains("www-authenticate: Bearer"), "{answer}");
        let right = [("authorization", "Bearer 0123456789abcdef0123")];
        let answer = ask(address, line, &right).await;
        assert!(!answer.starts_with("HTTP/1.1 401"), "{line}: {answer}");
    }
    let grpc = [("content-type", "application/grpc")];
    let service = "POST /jaeger.api_v2.QueryService/GetServices";
    let refused = ask(address, service, &grpc).await;
    assert!(refused.starts_with("HTTP/1.1 200"), "{refused}");
    assert!(refused.contains("grpc-status: 16\r\n"), "{refused}");
    let health = ask(address, "POST /grpc.health.v1.Health/Check", &grpc).await;
    assert!(!health.contains("grpc-status: 16"), "{health}");
    std::fs::remove_file(&file).unwrap();
}
