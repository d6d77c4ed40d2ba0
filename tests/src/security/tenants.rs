//! Tenants: what one sends no other finds, by any route, in any state of the store.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::{borrowed, sets};
use crate::folder::Folder;
use crate::http::{Answer, Connection};
use crate::ledger;
use crate::program::{FREEZE_SOON, Program};
use crate::storage_api::client::Client;
use crate::wait::{unix_now_ns, until};

/// Stands in everything that the tenant `alpha` sends, and in nothing else.
const MARK: &str = "zq7marker";
/// The id of its trace.
const TRACE: &str = "a1a2a3a4a5a6a7a8a9aaabacadaeafa1";
const SETTLED_MAX: Duration = Duration::from_secs(30);

/// What is asked, and whether the tenant itself finds its mark in the answer.
const ROUTES: [(&str, bool); 30] = [
    ("/api/services", true),
    ("/api/services/SERVICE/operations", true),
    ("/api/operations?service=SERVICE", true),
    ("/api/traces/TRACE", true),
    ("/api/traces?traceID=TRACE", true),
    ("/api/traces?service=SERVICE&lookback=1h&limit=20", true),
    ("/api/dependencies?endTs=NOW_MS&lookback=3600000", true),
    (
        "/api/metrics/calls?service=SERVICE&groupByOperation=true",
        false,
    ),
    ("/api/v3/services", true),
    ("/api/v3/operations?service=SERVICE", true),
    ("/api/v3/traces/TRACE", true),
    (
        "/api/v3/traces?query.service_name=SERVICE&query.start_time_min=FROM&query.start_time_max=TO",
        true,
    ),
    (
        "/api/v3/trace-summaries?query.service_name=SERVICE&query.start_time_min=FROM&query.start_time_max=TO",
        true,
    ),
    ("/api/ui/v1/services", true),
    ("/api/ui/v1/status", true),
    ("/api/ui/v1/home?WINDOW", true),
    ("/api/ui/v1/search?q=&WINDOW", true),
    ("/api/ui/v1/search?q=&mode=spans&WINDOW", false),
    ("/api/ui/v1/overview?q=&facets=service.name&WINDOW", false),
    ("/api/ui/v1/query?q=", false),
    (
        "/api/ui/v1/complete?q=%7B%20resource.service.name%20%3D%20%22&at=26&WINDOW",
        false,
    ),
    ("/api/ui/v1/complete?q=%7B%20&at=2&WINDOW", false),
    ("/api/ui/v1/red?service=SERVICE&WINDOW", false),
    (
        "/api/ui/v1/path?service=SERVICE&operation=OPERATION&WINDOW",
        false,
    ),
    ("/api/ui/v1/edges?WINDOW", true),
    ("/api/ui/v1/compare?a=TRACE&b=TRACE", false),
    ("/api/ui/v1/traces/TRACE/skeleton", true),
    ("/api/ui/v1/traces/TRACE/find?q=zq7", false),
    ("/api/ui/v1/traces/TRACE/keys", false),
    ("/api/ui/v1/traces/TRACE/events", false),
];

fn ask(address: &str, path: &str, tenant: Option<&str>) -> Answer {
    let mut connection = Connection::open(address).unwrap();
    let headers: Vec<(&str, &str)> = tenant
        .map(|tenant| ("x-tenant", tenant))
        .into_iter()
        .collect();
    connection.send("GET", path, &headers, &[]).unwrap()
}

/// A trace of two services in OTLP's JSON.
fn trace(mark: &str, trace_id: &str) -> String {
    let start = unix_now_ns() - 2_000_000_000;
    let span = |id: &str, parent: &str, kind: u8| {
        format!(
            r#"{{"traceId":"{trace_id}","spanId":"{id}","parentSpanId":"{parent}","kind":{kind},
            "name":"{mark}-operation","startTimeUnixNano":"{start}","endTimeUnixNano":"{}",
            "attributes":[{{"key":"{mark}.key","value":{{"stringValue":"{mark}-value"}}}}],
            "events":[{{"timeUnixNano":"{start}","name":"{mark}-event"}}]}}"#,
            start + 1_000_000
        )
    };
    let resource = |service: &str, spans: &str| {
        format!(
            r#"{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{mark}-{service}"}}}}]}},
            "scopeSpans":[{{"spans":[{spans}]}}]}}"#
        )
    };
    let front = resource("front", &span("00000000000000a1", "", 3));
    let back = resource("back", &span("00000000000000a2", "00000000000000a1", 2));
    format!(r#"{{"resourceSpans":[{front},{back}]}}"#)
}

fn send(program: &Program, tenant: &str, mark: &str, trace_id: &str) {
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    let headers = [("content-type", "application/json"), ("x-tenant", tenant)];
    let body = trace(mark, trace_id);
    let sent = connection
        .send("POST", "/v1/traces", &headers, body.as_bytes())
        .unwrap();
    assert_eq!(sent.status, 200, "{}", sent.text());
}

fn filled(route: &str) -> String {
    let now = unix_now_ns();
    let (from, to) = (now - 1_800_000_000_000, now + 60_000_000_000);
    let rfc = |nanos: u64| jiff_text(nanos / 1_000_000_000);
    route
        .replace("SERVICE", &format!("{MARK}-front"))
        .replace("OPERATION", &format!("{MARK}-operation"))
        .replace("TRACE", TRACE)
        .replace("NOW_MS", &(to / 1_000_000).to_string())
        .replace("FROM", &rfc(from))
        .replace("TO", &rfc(to))
        .replace("WINDOW", &format!("from={from}&to={to}"))
}

/// `2026-01-02T03:04:05Z`, from seconds since 1970 (the algorithm of days and civil dates).
fn jiff_text(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let era_day = days + 719_468;
    let (era, day_of_era) = (era_day / 146_097, era_day % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Asks every route as both tenants.
fn check_routes(program: &Program, state: &str) {
    let address = &program.addresses.query_http;
    let mut seen_by_owner = 0;
    for (route, must_find) in ROUTES {
        let path = filled(route);
        let owner = ask(address, &path, Some("alpha")).text();
        let finds = owner.contains(MARK);
        seen_by_owner += usize::from(finds);
        assert!(
            finds || !must_find,
            "{state}: {path} shows its owner nothing: {owner}"
        );
        for other in ["beta", "default"] {
            let answer = ask(address, &path, Some(other));
            // What was asked may be repeated in an error or as the name of an empty row.
            let told = answer.text().replace(&format!("{MARK}-front"), "");
            let told = told.replace(&format!("{MARK}-operation"), "");
            assert!(
                !told.contains(MARK),
                "{state}: {path} tells {other}: {told}"
            );
        }
        assert_eq!(ask(address, &path, None).status, 401, "{state}: {path}");
        assert_eq!(ask(address, &path, Some("../alpha")).status, 401, "{path}");
    }
    assert!(
        seen_by_owner >= 20,
        "{state}: only {seen_by_owner} routes show anything"
    );
    check_calls(program, state);
}

/// A text of a message, and its bytes, whatever they mean.
#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(bytes = "vec", tag = "1")]
    first: Vec<u8>,
}

/// Calls over gRPC: the port, the path, and the first field of the request.
fn calls() -> [(&'static str, &'static str, Vec<u8>); 9] {
    let trace_id = u128::from_str_radix(TRACE, 16).unwrap();
    let trace_id = trace_id.to_be_bytes().to_vec();
    let service = format!("{MARK}-front").into_bytes();
    [
        (
            "query",
            "/jaeger.api_v2.QueryService/GetServices",
            Vec::new(),
        ),
        (
            "query",
            "/jaeger.api_v2.QueryService/GetOperations",
            service.clone(),
        ),
        (
            "query",
            "/jaeger.api_v2.QueryService/GetTrace",
            trace_id.clone(),
        ),
        (
            "query",
            "/jaeger.api_v3.QueryService/GetServices",
            Vec::new(),
        ),
        (
            "query",
            "/jaeger.api_v3.QueryService/GetTrace",
            TRACE.as_bytes().to_vec(),
        ),
        (
            "storage",
            "/jaeger.storage.v1.SpanReaderPlugin/GetServices",
            Vec::new(),
        ),
        (
            "storage",
            "/jaeger.storage.v1.SpanReaderPlugin/GetTrace",
            trace_id,
        ),
        (
            "storage",
            "/jaeger.storage.v2.TraceReader/GetServices",
            Vec::new(),
        ),
        (
            "storage",
            "/jaeger.storage.v2.TraceReader/GetOperations",
            service,
        ),
    ]
}

fn check_calls(program: &Program, state: &str) {
    use prost::Message as _;
    for (port, path, first) in calls() {
        let address = match port {
            "query" => &program.addresses.query_grpc,
            _ => &program.addresses.storage_grpc,
        };
        let told = |tenant: Option<&str>| {
            let headers: Vec<(&'static str, &str)> = tenant
                .map(|tenant| ("x-tenant", tenant))
                .into_iter()
                .collect();
            let client = Client::connect_as(address, &headers);
            let answers: Result<Vec<Text>, _> = client.ask(
                path,
                &[Text {
                    first: first.clone(),
                }],
            );
            answers.map(|answers| {
                let bytes: Vec<u8> = answers.iter().flat_map(Text::encode_to_vec).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            })
        };
        let owner = told(Some("alpha")).unwrap();
        assert!(
            owner.contains(MARK),
            "{state}: {path} shows its owner nothing"
        );
        if let Ok(other) = told(Some("beta")) {
            assert!(!other.contains(MARK), "{state}: {path} tells beta: {other}");
        }
        let nobody = told(None).unwrap_err();
        assert_eq!(nobody.code(), tonic::Code::Unauthenticated, "{path}");
        assert_eq!(nobody.message(), "missing tenant header");
    }
}

#[test]
fn what_a_tenant_sends_no_other_finds_by_any_route() {
    let folder = Folder::new("tenants");
    let mut flags = sets(&[
        ("access.tenants.header", "x-tenant"),
        ("access.tenants.names", "alpha, beta, default"),
    ]);
    flags.extend(FREEZE_SOON.map(str::to_owned));
    let program = Program::start_with(&folder.join("data"), &borrowed(&flags));
    let mut follower = follow(&program, "beta");
    send(&program, "alpha", MARK, TRACE);
    // The same ids in another tenant are another trace.
    send(&program, "beta", "harmless", TRACE);
    let mut nobody = Connection::open(&program.addresses.otlp_http).unwrap();
    let headers = [("content-type", "application/json")];
    let refused = nobody.send("POST", "/v1/traces", &headers, b"{}").unwrap();
    assert_eq!(refused.status, 401);
    assert!(
        refused.text().contains("missing tenant header"),
        "{}",
        refused.text()
    );
    // The first spans that beta's page hears of are its own.
    let heard = read_until(&mut follower, "harmless");
    assert!(!heard.contains(MARK), "{heard}");

    check_routes(&program, "in memory");
    pins(&program);
    ledger::check(&program);
    program.kill();
    let program = Program::start_with(&folder.join("data"), &borrowed(&flags));
    check_routes(&program, "after a crash");
    let finalised = until(SETTLED_MAX, || {
        let mut admin = Connection::open(&program.addresses.admin).unwrap();
        let answer = admin.send("POST", "/admin/finalise", &[], &[]).unwrap();
        (answer.status == 200).then_some(())
    });
    assert!(finalised.is_some());
    check_routes(&program, "in merged segments");
    program.stop();
}

/// What one keeps for good, another neither sees nor lets go.
fn pins(program: &Program) {
    let admin = &program.addresses.admin;
    let change = |method: &str, tenant: &str| {
        let mut connection = Connection::open(admin).unwrap();
        let path = format!("/admin/pins/{TRACE}");
        let answer = connection.send(method, &path, &[("x-tenant", tenant)], &[]);
        answer.unwrap().status
    };
    assert_eq!(change("POST", "alpha"), 200);
    assert!(
        ask(admin, "/admin/pins", Some("alpha"))
            .text()
            .contains(TRACE)
    );
    assert!(
        !ask(admin, "/admin/pins", Some("beta"))
            .text()
            .contains(TRACE)
    );
    assert_eq!(change("DELETE", "beta"), 404);
    assert!(
        ask(admin, "/admin/pins", Some("alpha"))
            .text()
            .contains(TRACE)
    );
}

/// Follows spans as they arrive.
fn follow(program: &Program, tenant: &str) -> TcpStream {
    let address = &program.addresses.query_http;
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SETTLED_MAX)).unwrap();
    let request =
        format!("GET /api/ui/v1/tail?q= HTTP/1.1\r\nhost: h\r\nx-tenant: {tenant}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    // Its header is written once it follows.
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.contains(" 200 "), "{head}");
    stream
}

fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut read = String::new();
    let mut buffer = [0; 4096];
    while !read.contains(wanted) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "it ended: {read}");
        read.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    read
}
