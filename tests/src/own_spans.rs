//! What the program tells of itself: a request of Jaeger's API becomes a span that is found by the answer's header.

use std::time::Duration;

use crate::folder::Folder;
use crate::http::Connection;
use crate::program::Program;
use crate::wait::until;

/// Far longer than a span takes to be found.
const WAIT_MAX: Duration = Duration::from_secs(20);

#[test]
fn a_request_becomes_one_span_that_the_answer_names() {
    let folder = Folder::new("own-spans");
    let flags = [
        "--set",
        "own_spans.per_second=3",
        "--set",
        "own_spans.service=jaeger-trackway",
    ];
    let program = Program::start_with(&folder.join("data"), &flags);
    let mut connection = Connection::open(&program.addresses.query_http).unwrap();
    let answer = connection.get("/api/v3/services").unwrap();
    let named = answer.header("traceresponse").unwrap().to_owned();
    let parts: Vec<&str> = named.split('-').collect();
    assert_eq!(
        (parts.len(), parts[0], parts[3]),
        (4, "00", "01"),
        "{named}"
    );
    // A caller that is traced is gone on with, and its wish not to be recorded is heard.
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = connection.send("GET", "/api/services", &[("traceparent", parent)], &[]);
    let gone_on = answer.unwrap().header("traceresponse").unwrap().to_owned();
    assert!(
        gone_on.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{gone_on}"
    );
    let unwanted = parent.replace("-01", "-00");
    let answer = connection.send("GET", "/api/services", &[("traceparent", &unwanted)], &[]);
    assert!(
        answer
            .unwrap()
            .header("traceresponse")
            .unwrap()
            .ends_with("-00")
    );

    let path = format!("/api/traces/{}?raw=true", parts[1]);
    let trace = until(WAIT_MAX, || {
        let answer = connection.get(&path).unwrap();
        (answer.status == 200).then(|| answer.json()["data"][0].clone())
    });
    let trace = trace.expect("the span is kept");
    let spans = trace["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 1, "{trace}");
    assert_eq!(spans[0]["operationName"], "GET /api/v3/services");
    assert_eq!(spans[0]["spanID"], parts[2]);
    let process = &trace["processes"][spans[0]["processID"].as_str().unwrap()];
    assert_eq!(process["serviceName"], "jaeger-trackway");
    let child = connection
        .get("/api/traces/0af7651916cd43dd8448eb211c80319c")
        .unwrap()
        .json();
    let references = &child["data"][0]["spans"][0]["references"][0];
    assert_eq!(references["spanID"], "b7ad6b7169203331", "{child}");

    // Asked again and again only so many become spans, and what the app asks never does.
    let mut recorded = 0;
    for _ in 0..100 {
        let answer = connection.get("/api/services").unwrap();
        recorded += u32::from(answer.header("traceresponse").unwrap().ends_with("-01"));
    }
    assert!(recorded < 100, "{recorded}");
    let answer = connection.get("/api/ui/v1/status").unwrap();
    assert_eq!((answer.status, answer.header("traceresponse")), (200, None));
    program.stop();
}
