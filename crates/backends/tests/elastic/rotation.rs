//! Indices that are rolled over, read through their aliases, and deleted in the end, in a real server.

use std::sync::Arc;
use std::time::Duration;

use backends::elastic::{Cleaned, Elastic, ElasticOptions, ElasticWriter, Rotation};
use model::TenantId;
use model::TraceId;
use model::contract::{Kept, SpanReader as _, SpanWriter as _, WriteError};
use serde_json::json;
use testkit::spans::{Ids, request};

use super::{incoming, open, options};
use crate::server::Server;

const SEED: u64 = 5;
/// Behind all that is made now: 2200.
const LATER_UNIX_MILLIS: u64 = 7_258_118_400_000;

async fn write(elastic: &Arc<Elastic>, number: u64) -> Result<Kept, WriteError> {
    let spans = request()
        .seed(SEED)
        .service("shop")
        .span("GET", |s| s.trace(number).id(number));
    let writer = ElasticWriter(Arc::clone(elastic));
    writer.write(incoming(spans, TenantId::default())).await
}

async fn spans_of(elastic: &Elastic, number: u64) -> usize {
    let id = TraceId(Ids::new(SEED).trace(number));
    let trace = elastic.trace(&TenantId::default(), id).await.unwrap();
    trace.spans.len()
}

pub(super) async fn goes_round(server: &Server, is_secure: bool) {
    let elastic = open(ElasticOptions {
        index_prefix: "rolled".to_owned(),
        rotation: Rotation::Rollover,
        ..options(server, is_secure)
    });
    let refused = write(&elastic, 1).await;
    let told = matches!(&refused, Err(WriteError::Unavailable { reason }) if reason.contains("storage init"));
    assert!(told, "{refused:?}");

    let made = elastic.begin_rollover(false).await.unwrap();
    let expected =
        ["span", "service", "dependencies"].map(|kind| format!("rolled-jaeger-{kind}-000001"));
    assert_eq!(made, expected);
    assert_eq!(
        elastic.begin_rollover(false).await.unwrap(),
        [] as [String; 0]
    );
    write(&elastic, 1).await.unwrap();
    server.curl("POST", "/_refresh", "");
    assert_eq!(spans_of(&elastic, 1).await, 1);

    let conditions = json!({"max_docs": 1});
    let rolled = elastic.roll_over(&conditions, false, None, LATER_UNIX_MILLIS);
    let expected = ["span", "service"]
        .map(|kind| format!("rolled-jaeger-{kind}: goes on in rolled-jaeger-{kind}-000002"));
    assert_eq!(rolled.await.unwrap(), expected);
    write(&elastic, 2).await.unwrap();
    server.curl("POST", "/_refresh", "");
    assert_eq!(
        (spans_of(&elastic, 1).await, spans_of(&elastic, 2).await),
        (1, 1)
    );

    let conditions = json!({"max_docs": 1_000_000});
    let no_more = elastic.roll_over(&conditions, false, Some(Duration::ZERO), LATER_UNIX_MILLIS);
    let expected =
        ["span", "service"].map(|kind| format!("rolled-jaeger-{kind}-000001: is read no longer"));
    assert_eq!(no_more.await.unwrap(), expected);
    assert_eq!(
        (spans_of(&elastic, 1).await, spans_of(&elastic, 2).await),
        (0, 1)
    );

    let old = ["service", "span"].map(|kind| format!("rolled-jaeger-{kind}-000001"));
    for is_trial in [true, false] {
        let clean = elastic.clean(1, Cleaned::Current, is_trial, LATER_UNIX_MILLIS);
        assert_eq!(clean.await.unwrap(), old);
    }
    let left = server.curl("GET", "/_cat/indices/rolled-jaeger-*?h=index&s=index", "");
    let left: Vec<&str> = left.split_whitespace().collect();
    assert_eq!(
        left,
        [
            "rolled-jaeger-dependencies-000001",
            "rolled-jaeger-service-000002",
            "rolled-jaeger-span-000002"
        ]
    );
}
