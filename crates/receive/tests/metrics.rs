//! The ledger as metrics: every name that is promised, with numbers that fit together.

use model::contract::WriteError;
use receive::Transport;

use crate::grpc_client::Http2;
use crate::house::{House, Mood, spans};
use crate::http1::{Http1, export, request};

fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find(|line| {
        line.strip_prefix(series)
            .is_some_and(|rest| rest.starts_with(' '))
    });
    let line = line.unwrap_or_else(|| panic!("{series} is missing in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_request_span_and_byte_is_shown_with_its_fate() {
    let house = House::open();
    let mut http = Http1::connect(house.http).await;
    let good = export(&spans(3));
    assert_eq!(http.ask(&good).await.status, 200);
    assert_eq!(
        http.ask(&request("GET /v1/traces", &[], b"")).await.status,
        405
    );
    assert_eq!(http.ask(&export(b"\xff")).await.status, 400);
    house.writer.set(Mood::Refuse(WriteError::Busy {
        reason: "no".to_owned(),
    }));
    assert_eq!(http.ask(&good).await.status, 429);
    let mut grpc = Http2::connect(house.grpc).await;
    assert_eq!(grpc.export(0, &[], &spans(2)).await.code(), 14);
    for transport in [Transport::OtlpHttp, Transport::OtlpGrpc] {
        let refused = house.receiver.ledger().last(transport).refused.unwrap();
        assert_eq!(refused.peer, Some(std::net::Ipv4Addr::LOCALHOST.into()));
    }
    let text = house.metrics.print().unwrap();
    assert_http_series(&text);
    let grpc_spans = "trackway_receive_spans_total{transport=\"otlp_grpc\"}";
    assert_eq!(value(&text, grpc_spans), 2.0);
    assert!(value(&text, "trackway_receive_budget_peak_bytes") > 0.0);
    drop((http, grpc));
    house.close().await;
}

/// Three good spans, one wrong method, one bad byte, and three spans that the writer had no room for.
fn assert_http_series(text: &str) {
    let with = |name: &str, label: &str, word: &str| {
        let labels = format!("{{transport=\"otlp_http\",{label}=\"{word}\"}}");
        value(text, &format!("trackway_receive_{name}_total{labels}"))
    };
    for (outcome, count) in [
        ("accepted", 1.0),
        ("malformed", 1.0),
        ("overloaded", 1.0),
        ("not_served", 1.0),
        ("dropped", 0.0),
    ] {
        assert_eq!(with("requests", "outcome", outcome), count, "{outcome}");
    }
    let bytes = f64::from(u32::try_from(spans(3).len()).unwrap());
    assert_eq!(with("spans_refused", "reason", "overloaded"), 3.0);
    assert_eq!(with("bytes_refused", "reason", "overloaded"), bytes);
    for (name, count) in [
        ("spans_total", 6.0),
        ("spans_accepted_total", 3.0),
        ("spans_rejected_total", 0.0),
        ("spans_in_flight", 0.0),
        ("requests_in_flight", 0.0),
        ("bytes_total", 2.0 * bytes + 1.0),
        ("bytes_accepted_total", bytes),
        ("bytes_in_flight", 0.0),
        ("request_duration_seconds_count", 4.0),
        ("connections_open", 1.0),
        ("connections_refused_total", 0.0),
        ("repaired_texts_total", 0.0),
        ("late_spans_total", 6.0),
    ] {
        let series = format!("trackway_receive_{name}{{transport=\"otlp_http\"}}");
        assert_eq!(value(text, &series), count, "{name}");
    }
}

#[tokio::test]
async fn repaired_texts_are_counted() {
    let house = House::open();
    let mut body = testkit::spans::request()
        .service("shop")
        .span("name?", |span| span)
        .encode();
    let at = body
        .windows(5)
        .position(|window| window == b"name?")
        .unwrap();
    body[at + 4] = 0xff;
    assert_eq!(
        Http1::connect(house.http)
            .await
            .ask(&export(&body))
            .await
            .status,
        200
    );
    assert_eq!(house.writer.kept_names(), ["name\u{fffd}"]);
    assert!(house.counts(receive::Transport::OtlpHttp).repaired_texts >= 1);
    house
        .writer
        .with_kept(|kept| assert_ne!(kept[0].otlp, body, "what is logged is what was kept"));
    house.close().await;
}
