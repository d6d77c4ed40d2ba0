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

async fn write(elastic: &Arc<Elastic>, tenant: &TenantId, number: u64) -> Result<Kept, WriteError> {
    let spans = request()
        .seed(SEED)
        .service("shop")
        .span("GET", |s| s.trace(number).id(number));
    let writer = ElasticWriter(Arc::clone(elastic));
    writer.write(incoming(spans, tenant.clone())).await
}

async fn spans_of(elastic: &Elastic, tenant: &TenantId, number: u64) -> usize {
    let id = TraceId(Ids::new(SEED).trace(number));
    let trace = elastic.trace(tenant, id).await.unwrap();
    trace.spans.len()
}

pub(super) async fn goes_round(server: &Server, is_secure: bool) {
    // The second tenant's indices are untouched by what is done for the first, whose names are shorter.
    for (tenant, prefix) in [
        (TenantId::default(), "rolled"),
        (TenantId::parse("EU").unwrap(), "rolled-+45+55"),
    ] {
        goes_round_for(server, is_secure, &tenant, prefix).await;
    }
}

async fn goes_round_for(server: &Server, is_secure: bool, tenant: &TenantId, prefix: &str) {
    let elastic = open(ElasticOptions {
        index_prefix: "rolled".to_owned(),
        rotation: Rotation::Rollover,
        ..options(server, is_secure)
    });
    let refused = write(&elastic, tenant, 1).await;
    let told = matches!(&refused, Err(WriteError::Unavailable { reason }) if reason.contains("storage init"));
    assert!(told, "{refused:?}");

    let made = elastic.begin_rollover(tenant, false).await.unwrap();
    let expected =
        ["span", "service", "dependencies"].map(|kind| format!("{prefix}-jaeger-{kind}-000001"));
    assert_eq!(made, expected);
    assert_eq!(
        elastic.begin_rollover(tenant, false).await.unwrap(),
        [] as [String; 0]
    );
    write(&elastic, tenant, 1).await.unwrap();
    server.curl("POST", "/_refresh", "");
    assert_eq!(spans_of(&elastic, tenant, 1).await, 1);

    let conditions = json!({"max_docs": 1});
    let rolled = elastic.roll_over(tenant, &conditions, false, None, LATER_UNIX_MILLIS);
    let expected = ["span", "service"]
        .map(|kind| format!("{prefix}-jaeger-{kind}: goes on in {prefix}-jaeger-{kind}-000002"));
    assert_eq!(rolled.await.unwrap(), expected);
    write(&elastic, tenant, 2).await.unwrap();
    server.curl("POST", "/_refresh", "");
    assert_eq!(
        (
            spans_of(&elastic, tenant, 1).await,
            spans_of(&elastic, tenant, 2).await
        ),
        (1, 1)
    );

    let conditions = json!({"max_docs": 1_000_000});
    let no_more = elastic.roll_over(
        tenant,
        &conditions,
        false,
        Some(Duration::ZERO),
        LATER_UNIX_MILLIS,
    );
    let expected =
        ["span", "service"].map(|kind| format!("{prefix}-jaeger-{kind}-000001: is read no longer"));
    assert_eq!(no_more.await.unwrap(), expected);
    assert_eq!(
        (
            spans_of(&elastic, tenant, 1).await,
            spans_of(&elastic, tenant, 2).await
        ),
        (0, 1)
    );

    let old = ["service", "span"].map(|kind| format!("{prefix}-jaeger-{kind}-000001"));
    for is_trial in [true, false] {
        let clean = elastic.clean(tenant, 1, Cleaned::Current, is_trial, LATER_UNIX_MILLIS);
        assert_eq!(clean.await.unwrap(), old);
    }
    let asked = format!("/_cat/indices/{prefix}-jaeger-*?h=index&s=index").replace('+', "%2B");
    let left = server.curl("GET", &asked, "");
    let left: Vec<&str> = left.split_whitespace().collect();
    let expected = ["dependencies-000001", "service-000002", "span-000002"];
    assert_eq!(left, expected.map(|end| format!("{prefix}-jaeger-{end}")));
}
