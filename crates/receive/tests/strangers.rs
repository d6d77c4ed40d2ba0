//! Who is let in at the doors: before anything of a body is read, in each protocol's words, and whose spans they are.

use std::path::PathBuf;

use access::{Access, AccessMetrics, AccessOptions, Gate, Tenancy};
use http::HeaderName;
use model::TenantId;
use plumbing::Metrics;
use receive::{Reason, Transport};

use crate::house::{House, spans};
use crate::http1::{Http1, PROTO};

const TOKEN: &str = "0123456789abcdef0123";

fn house(options: AccessOptions) -> House {
    let access = Access::load(
        "receive",
        options,
        &AccessMetrics::register(&Metrics::new()),
    );
    let gate = Gate {
        tls: None,
        access: access.unwrap(),
    };
    House::open_with(|plan| plan.gate = gate)
}

/// A file with the token, that goes with the test.
struct TokenFile(PathBuf);

impl TokenFile {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("trackway-door-{name}-{}", std::process::id()));
        std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
        Self(path)
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _left = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_stranger_is_refused_before_the_body_at_every_http_door() {
    let file = TokenFile::new("stranger");
    let house = house(AccessOptions {
        tokens_file: Some(file.0.clone()),
        ..AccessOptions::default()
    });
    let doors = [
        (Transport::OtlpHttp, "/v1/traces"),
        (Transport::JaegerHttp, "/api/traces"),
        (Transport::ZipkinHttp, "/api/v2/spans"),
    ];
    for (transport, path) in doors {
        let mut client = Http1::connect(house.doors[&transport]).await;
        // It would send the body once it is told to go on.
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\ncontent-type: {PROTO}\r\ncontent-length: 1000\r\n\
             expect: 100-continue\r\n\r\n"
        );
        client.send(head.as_bytes()).await;
        let answer = client.try_answer().await.unwrap();
        assert_eq!(answer.status, 401, "{path}");
        let counts = house
            .until(transport, |counts| counts.requests.in_flight == 0)
            .await;
        assert_eq!(counts.requests.refused_for(Reason::Denied), 1, "{path}");
        assert_eq!(counts.bytes.received, 0, "{path}: nothing was read");
    }
    let mut client = Http1::connect(house.http).await;
    let body = spans(3);
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: h\r\ncontent-type: {PROTO}\r\ncontent-length: {}\r\n\
         authorization: Bearer {TOKEN}\r\n\r\n",
        body.len()
    );
    client.send(&[head.as_bytes(), &body].concat()).await;
    assert_eq!(client.try_answer().await.unwrap().status, 200);
    assert_eq!(house.writer.kept_spans(), 3);
    drop(client);
    house.close().await;
}

#[tokio::test]
async fn spans_are_of_the_tenant_that_the_request_names() {
    let header = HeaderName::from_static("x-tenant");
    let house = house(AccessOptions {
        tenancy: Some(Tenancy::new(header, None, &[])),
        ..AccessOptions::default()
    });
    let body = spans(1);
    let mut client = Http1::connect(house.http).await;
    for (tenant, status) in [
        ("x-tenant: alpha\r\n", 200),
        ("x-tenant: beta\r\n", 200),
        ("", 401),
    ] {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: h\r\ncontent-type: {PROTO}\r\ncontent-length: {}\r\n{tenant}\r\n",
            body.len()
        );
        client.send(&[head.as_bytes(), &body].concat()).await;
        assert_eq!(
            client.try_answer().await.unwrap().status,
            status,
            "{tenant}"
        );
    }
    let tenants: Vec<TenantId> = house.writer.with_kept(|kept| {
        kept.iter()
            .map(|incoming| incoming.tenant.clone())
            .collect()
    });
    let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    assert_eq!(names, ["alpha", "beta"]);
    drop(client);
    house.close().await;
}
