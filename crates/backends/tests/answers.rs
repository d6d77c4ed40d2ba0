//! Traces as servers send them, and servers that are at fault.

use codec::generated::jaeger::storage::v1;
use model::contract::{ReadError, SpanReader};
use model::seen::ValuesRequest;
use model::{Place, Predicate, TenantId};
use testkit::otlp::trace::v1::TracesData;

use crate::scripted::{Script, Scripted, remote};
use crate::search::{id, search, trace};

const GET: &str = "/jaeger.storage.v2.TraceReader/GetTraces";
const GET_V1: &str = "/jaeger.storage.v1.SpanReaderPlugin/GetTrace";

async fn read(script: &std::sync::Arc<Script>) -> Result<usize, ReadError> {
    let answer = script
        .start()
        .await
        .trace(&TenantId::default(), id(1))
        .await;
    answer.map(|answer| answer.spans.len())
}

#[tokio::test]
async fn a_trace_is_put_together_each_span_once() {
    let script = Script::v2();
    script.answer(GET, &[] as &[TracesData]);
    assert_eq!(read(&script).await, Ok(0));
    let other = trace(2, "shop", "GET");
    let parts = [
        trace(1, "shop", "GET"),
        trace(1, "shop", "POST"),
        trace(1, "shop", "GET"),
        other,
    ];
    script.answer(GET, &parts);
    assert_eq!(read(&script).await, Ok(2));
}

#[tokio::test]
async fn a_trace_that_a_server_of_version_1_has_not_is_no_error() {
    for (code, message) in [(5, "whatever"), (2, "trace not found")] {
        let script = std::sync::Arc::new(Script::default());
        let refused = Scripted {
            code,
            message,
            ..Scripted::default()
        };
        script.set(GET_V1, refused);
        assert_eq!(read(&script).await, Ok(0), "{message}");
        assert_eq!(script.asked::<v1::GetTraceRequest>(GET_V1).len(), 1);
    }
}

#[tokio::test]
async fn a_server_at_fault_is_an_error_and_no_panic() {
    let script = Script::v2();
    let broken = Scripted {
        messages: vec![vec![0x0a, 0xff, 0xff, 1, 2]],
        ..Scripted::default()
    };
    script.set(GET, broken);
    assert!(matches!(read(&script).await, Err(ReadError::Failed { .. })));
    // One trace in two places could be missed in one of them.
    let twice = [
        trace(1, "shop", "GET"),
        trace(2, "shop", "GET"),
        trace(1, "shop", "POST"),
    ];
    script.answer(GET, &twice);
    assert!(matches!(read(&script).await, Err(ReadError::Failed { .. })));
    let long = "x".repeat(400 << 10);
    script.answer(
        GET,
        &["a", "b", "c"].map(|end| trace(1, "shop", &format!("{long}{end}"))),
    );
    assert!(matches!(
        read(&script).await,
        Err(ReadError::OverLimit { .. })
    ));
    let failed = Scripted {
        code: 13,
        message: "its disk is gone",
        ..Scripted::default()
    };
    script.set(GET, failed);
    let error = read(&script).await.unwrap_err().to_string();
    assert!(error.contains("its disk is gone"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_busy_and_what_it_can_not_do_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = taken.local_addr().unwrap().to_string();
    drop(taken);
    let gone = remote(endpoint, None);
    let answer = gone.search(search(Predicate::All, 1)).await;
    assert!(matches!(answer, Err(ReadError::Busy { .. })), "{answer:?}");
    let values = ValuesRequest {
        tenant: TenantId::default(),
        place: Place::Span,
        key: "colour".to_owned(),
        prefix: String::new(),
        limit: 1,
    };
    let error = gone.values(values).await.unwrap_err().to_string();
    assert!(error.contains("can't list the values"), "{error}");
}
