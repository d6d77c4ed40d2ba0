//! A token that runs out while spans are written: it is told, and the next one is taken from the file at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backends::elastic::{Elastic, ElasticOptions, ElasticWriter};
use backends::{CredentialKind, Credentials};
use model::contract::{SpanReader as _, SpanWriter as _, WriteError};
use model::{TenantId, TraceId};
use testkit::spans::{Ids, request};

use super::{incoming, open, options};
use crate::server::Server;

/// Far more than are written while a token is good.
const WRITES_MAX: u64 = 1_000;
const PAUSE: Duration = Duration::from_millis(100);

fn tenant() -> TenantId {
    TenantId::parse("Expired").unwrap()
}

/// Puts a token that is good for so long where the program looks for it.
fn renew(server: &Server, seconds: u32, file: &Path) {
    let token = server.feed("token", &format!("{seconds}\n"));
    std::fs::write(file, token).unwrap();
}

async fn write(elastic: &Arc<Elastic>, number: u64) -> Result<u64, WriteError> {
    let spans = request()
        .service("shop")
        .span("GET", |s| s.trace(number).id(number));
    let writer = ElasticWriter(Arc::clone(elastic));
    let kept = writer.write(incoming(spans, tenant())).await?;
    Ok(kept.spans)
}

pub(super) async fn are_replaced_when_they_run_out(server: &Server) {
    let file = server.ca_file().with_file_name("token");
    renew(server, 3, &file);
    let token = Credentials::load(CredentialKind::Token, file.clone());
    let elastic = open(ElasticOptions {
        credentials: Some(token.unwrap()),
        ..options(server, true)
    });
    let (mut written, mut refused) = (0, None);
    while refused.is_none() && written < WRITES_MAX {
        match write(&elastic, written + 1).await {
            Ok(_) => written += 1,
            Err(error) => refused = Some(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
    let says_all = |told: &str| told.contains("401") && told.contains("token_file");
    let is_told = matches!(&refused, Some(WriteError::Unavailable { reason }) if says_all(reason));
    assert!(is_told, "after {written}: {refused:?}");
    let unread = elastic.services(&tenant()).await.unwrap_err().to_string();
    assert!(says_all(&unread), "{unread}");

    renew(server, 3_600, &file);
    assert_eq!(write(&elastic, written + 1).await, Ok(1));
    server.curl("POST", "/_refresh", "");
    for number in 1..=written + 1 {
        let id = TraceId(Ids::default().trace(number));
        let read = elastic.trace(&tenant(), id).await.unwrap();
        assert_eq!(read.spans.len(), 1, "trace {number}");
    }
}
