//! TLS with clients' certificates, spoken by OpenTelemetry's stock exporters and by an agent of our own.

use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::authority::Authority;
use super::{RELOADED_MAX, borrowed, sets};
use crate::folder::{Folder, project_root};
use crate::http::{Connection, get};
use crate::ledger;
use crate::program::Program;
use crate::wait::until;

#[derive(Debug, Deserialize)]
struct Exported {
    taken: bool,
    trace_id: String,
}

/// What an exporter is given of certificates.
struct Files {
    ca: PathBuf,
    own: Option<(PathBuf, PathBuf)>,
}

/// Has a stock exporter send one span.
fn export(transport: &str, address: &str, files: &Files, name: &str) -> Exported {
    let root = project_root();
    let setup = Command::new(root.join("tests/clients/setup")).status();
    assert!(setup.unwrap().success(), "the SDKs cannot be installed");
    let mut command = Command::new(root.join("target/clients/python/bin/python"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    let endpoint = format!("https://{}", address.replace("127.0.0.1", "localhost"));
    command
        .arg(root.join("tests/clients/python/export.py"))
        .args([transport, &endpoint, name])
        // It would be trusted instead of what is given here.
        .env_remove("REQUESTS_CA_BUNDLE")
        .env_remove("CURL_CA_BUNDLE")
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &files.ca);
    if let Some((cert, key)) = &files.own {
        command
            .env("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", cert)
            .env("OTEL_EXPORTER_OTLP_CLIENT_KEY", key);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}\n{complaint}"))
}

#[test]
fn stock_exporters_and_an_agent_deliver_over_mtls_and_nobody_else_does() {
    let folder = Folder::new("mtls");
    let file = |name: &str| folder.join(name);
    let authority = Authority::new("ours");
    authority.write(&file("ca.pem"));
    authority.sign(&file("server.pem"), &file("server.key"), false);
    authority.sign(&file("client.pem"), &file("client.key"), false);
    authority.sign(&file("old.pem"), &file("old.key"), true);
    Authority::new("others").sign(&file("stranger.pem"), &file("stranger.key"), false);
    let text = |name: &str| file(name).display().to_string();
    let flags = sets(&[
        ("access.receive.tls.cert_file", &text("server.pem")),
        ("access.receive.tls.key_file", &text("server.key")),
        ("access.receive.tls.client_ca_file", &text("ca.pem")),
    ]);
    let program = Program::start_with(&file("data"), &borrowed(&flags));
    let (grpc, http) = (
        program.addresses.otlp_grpc.clone(),
        program.addresses.otlp_http.clone(),
    );
    let of = |own: Option<&str>| Files {
        ca: file("ca.pem"),
        own: own.map(|own| (file(&format!("{own}.pem")), file(&format!("{own}.key")))),
    };
    for (transport, address) in [("grpc", &grpc), ("http", &http)] {
        let exported = export(transport, address, &of(Some("client")), "let in");
        assert!(exported.taken, "{transport}");
        let found = program.query(&format!("/api/traces/{}", exported.trace_id));
        assert_eq!(found.status, 200, "{transport}: {}", found.text());
    }
    // Over HTTP a failure is told at once; over gRPC it is tried again until the time is up.
    for stranger in [None, Some("stranger"), Some("old")] {
        let exported = export("http", &http, &of(stranger), "not let in");
        assert!(!exported.taken, "{stranger:?}");
        let found = program.query(&format!("/api/traces/{}", exported.trace_id));
        assert_eq!(found.status, 404, "{stranger:?}");
    }
    // Whoever forgets the s is told.
    let plain = get(&http, "/v1/traces").unwrap();
    assert_eq!(plain.status, 400);
    assert!(
        plain.text().contains("this port speaks TLS"),
        "{}",
        plain.text()
    );

    check_agent(&program, &folder);

    // Another authority signs the server anew: those who trust it alone are served without a restart.
    let newer = Authority::new("newer");
    newer.write(&file("newer.pem"));
    newer.sign(&file("server.pem"), &file("server.key"), false);
    let trusts_newer = Files {
        ca: file("newer.pem"),
        ..of(Some("client"))
    };
    let reloaded = until(RELOADED_MAX, || {
        let exported = export("http", &http, &trusts_newer, "after the reload");
        exported.taken.then_some(())
    });
    assert!(reloaded.is_some(), "the new certificate is not in force");
    ledger::check(&program);
    program.stop();
}

/// An agent beside an application delivers the same way.
fn check_agent(program: &Program, folder: &Folder) {
    let text = |name: &str| folder.join(name).display().to_string();
    let flags = sets(&[
        ("agent.tls.enabled", "on"),
        ("agent.tls.ca_file", &text("ca.pem")),
        ("agent.tls.cert_file", &text("client.pem")),
        ("agent.tls.key_file", &text("client.key")),
    ]);
    let collector = program
        .addresses
        .otlp_grpc
        .replace("127.0.0.1", "localhost");
    let agent = Program::start_agent(&collector, &folder.join("buffer"), &borrowed(&flags));
    let spans = testkit::spans::request()
        .service("behind-agent")
        .span("delivered", |span| span);
    let trace_id = model_hex(&spans.ids().trace(0));
    let mut connection = Connection::open(&agent.addresses.otlp_http).unwrap();
    let sent = connection.post("/v1/traces", "application/x-protobuf", &spans.encode());
    assert_eq!(sent.unwrap().status, 200);
    let services = until(RELOADED_MAX, || {
        let services = program.query("/api/services").text();
        services.contains("behind-agent").then_some(services)
    });
    assert!(
        services.is_some(),
        "the agent's span {trace_id} did not arrive"
    );
    agent.stop();
}

fn model_hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
