//! Passwords and tokens on every port, and that nothing of them is written anywhere.

use crate::folder::Folder;
use crate::http::{Answer, Connection, get};
use crate::program::{Addresses, Program};
use crate::storage_api::client::Client;
use crate::wait::until;
use codec_messages::{GetServicesRequest, GetServicesResponse};

use super::{RELOADED_MAX, borrowed, sets};

/// Messages of `jaeger.api_v2.QueryService/GetServices`.
mod codec_messages {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct GetServicesRequest {}

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct GetServicesResponse {
        #[prost(string, repeated, tag = "1")]
        pub(super) services: Vec<String>,
    }
}

const GET_SERVICES: &str = "/jaeger.api_v2.QueryService/GetServices";
const TOKEN: &str = "c2VjcmV0LW9mLW1hY2hpbmVz";
const NEXT_TOKEN: &str = "bmV4dC1zZWNyZXQtb2YtbWFjaGluZXM";
/// `secret of ann`, hashed as `htpasswd -nBC 5 ann` does; and as HTTP's basic scheme sends it.
const USERS: &str = "ann:$2b$05$Zfgecq4lU3ZXhKxwaXLFu.LhTca67A/764h7OXLeSc7lEX9OwW2Li\n";
const ANN: &str = "Basic YW5uOnNlY3JldCBvZiBhbm4=";

fn send(address: &str, method: &str, path: &str, given: Option<&str>) -> Answer {
    let mut connection = Connection::open(address).unwrap();
    let headers: Vec<(&str, &str)> = given
        .map(|given| ("authorization", given))
        .into_iter()
        .collect();
    connection.send(method, path, &headers, b"{}").unwrap()
}

/// Nobody is let in without credentials, and whoever has some is.
fn check_doors(at: &Addresses) {
    let doors = [
        (&at.otlp_http, "POST", "/v1/traces"),
        (&at.jaeger_http, "POST", "/api/traces"),
        (&at.jaeger_http, "GET", "/api/sampling?service=a"),
        (&at.zipkin, "POST", "/api/v2/spans"),
        (&at.query_http, "GET", "/"),
        (&at.query_http, "GET", "/api/services"),
        (&at.query_http, "GET", "/api/v3/services"),
        (&at.query_http, "GET", "/api/ui/v1/status"),
        (&at.query_http, "GET", "/nothing/here"),
        (&at.sampling_http, "GET", "/sampling?service=a"),
        (&at.admin, "GET", "/metrics"),
        (&at.admin, "GET", "/admin/pins"),
    ];
    let bearer = format!("Bearer {TOKEN}");
    for (address, method, path) in doors {
        for wrong in [
            None,
            Some("Bearer c2VjcmV0"),
            Some("Basic YW5uOnNlY3JldA=="),
            Some("Digest x"),
        ] {
            let answer = send(address, method, path, wrong);
            assert_eq!(answer.status, 401, "{path} {wrong:?}: {}", answer.text());
            let challenge = answer.header("www-authenticate");
            assert!(challenge.is_some(), "{path}");
            assert!(!answer.text().contains("root"), "the app is not shown");
        }
        for right in [bearer.as_str(), ANN] {
            let answer = send(address, method, path, Some(right));
            assert_ne!(answer.status, 401, "{path}: {}", answer.text());
        }
    }
}

fn check_calls(address: &str) {
    let bearer = format!("Bearer {TOKEN}");
    let ask = |given: &[(&'static str, &str)]| {
        let client = Client::connect_as(address, given);
        client.one::<_, GetServicesResponse>(GET_SERVICES, GetServicesRequest {})
    };
    assert_eq!(ask(&[]).unwrap_err().code(), tonic::Code::Unauthenticated);
    let wrong = ask(&[("authorization", "Bearer c2VjcmV0")]).unwrap_err();
    assert_eq!(wrong.code(), tonic::Code::Unauthenticated);
    assert!(ask(&[("authorization", &bearer)]).is_ok());
    assert!(ask(&[("authorization", ANN)]).is_ok());
}

#[test]
fn every_port_asks_for_credentials_and_none_of_them_is_written() {
    let folder = Folder::new("credentials");
    let (users, tokens) = (folder.join("users"), folder.join("tokens"));
    std::fs::write(&users, USERS).unwrap();
    std::fs::write(&tokens, format!("{TOKEN}\n")).unwrap();
    let (users_file, tokens_file) = (users.display().to_string(), tokens.display().to_string());
    let mut pairs = Vec::new();
    let keys: Vec<String> = ["receive", "query", "admin"]
        .iter()
        .flat_map(|ports| {
            ["users_file", "tokens_file"].map(|file| format!("access.{ports}.{file}"))
        })
        .collect();
    for key in &keys {
        let file = if key.ends_with("users_file") {
            &users_file
        } else {
            &tokens_file
        };
        pairs.push((key.as_str(), file.as_str()));
    }
    pairs.push(("log.level", "debug"));
    let program = Program::start_with(&folder.join("data"), &borrowed(&sets(&pairs)));
    let at = &program.addresses;
    check_doors(at);
    // Supervisors have no credentials.
    for path in ["/", "/live", "/ready", "/started"] {
        assert_eq!(get(&at.admin, path).unwrap().status, 200, "{path}");
    }
    assert_eq!(get(&at.health, "/status").unwrap().status, 200);

    check_calls(&at.query_grpc);

    let bearer = format!("Bearer {TOKEN}");
    // A token that is exchanged: the new one is let in, the old one is not any more, nothing is restarted.
    std::fs::write(&tokens, format!("{NEXT_TOKEN}\n")).unwrap();
    let next = format!("Bearer {NEXT_TOKEN}");
    let changed = until(RELOADED_MAX, || {
        let answer = send(&at.query_http, "GET", "/api/services", Some(&next));
        (answer.status == 200).then_some(())
    });
    assert!(changed.is_some(), "the new token is not let in");
    let old = send(&at.query_http, "GET", "/api/services", Some(&bearer));
    assert_eq!(old.status, 401);
    // The program can send to itself all the same.
    let headers = [("authorization", ANN), ("content-type", "application/json")];
    let mut connection = Connection::open(&at.query_http).unwrap();
    let sent = connection.send("POST", "/api/ui/v1/test-trace", &headers, b"{}");
    assert_eq!(sent.unwrap().status, 200);

    let log = program.stop().log;
    for secret in [
        TOKEN,
        NEXT_TOKEN,
        "secret of ann",
        "YW5uOnNlY3JldCBvZiBhbm4=",
        "$2b$05",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(log.contains("somebody was not let in"), "{log}");
}

#[test]
fn files_that_cannot_be_used_end_the_start_with_the_name_of_the_key() {
    let folder = Folder::new("wrong-files");
    let plain = folder.join("users");
    std::fs::write(&plain, "ann:secret\n").unwrap();
    let plain = plain.display().to_string();
    let cases = [
        ("access.query.users_file", plain.as_str(), "access.query: "),
        (
            "access.admin.tokens_file",
            "/nowhere/tokens",
            "access.admin: /nowhere/tokens",
        ),
        (
            "access.receive.tls.cert_file",
            "/nowhere/cert",
            "access.receive.tls: cert_file and key_file",
        ),
        (
            "access.receive.cors_origins",
            "*",
            "access.receive.cors_origins",
        ),
    ];
    for (key, value, wanted) in cases {
        let flags = sets(&[(key, value)]);
        let ended = Program::try_start(&folder.join("data"), &borrowed(&flags)).unwrap_err();
        assert!(ended.log.contains(wanted), "{key}: {}", ended.log);
        assert!(!ended.log.contains("secret"), "{}", ended.log);
        assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
    }
}
