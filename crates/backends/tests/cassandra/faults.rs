//! What a real Cassandra does not take, and what is said of it; and that nothing is lost or doubled meanwhile.

use std::sync::Arc;
use std::time::Duration;

use backends::cassandra::{Cassandra, CassandraOptions, CassandraWriter, SchemaOptions};
use backends::{PasswordSource, Secret};
use model::contract::{
    Order, Pins as _, ReadError, SearchRequest, SpanReader as _, SpanWriter as _, TraceAnswer,
    Window, WriteError,
};
use model::{Field, Literal, Operator, Predicate, TenantId, TraceId};
use testkit::spans::{Ids, RequestBuilder, START_UNIX_NANOS, request};
use tls::{ClientFiles, ClientTls, TlsMetrics};

use super::{open, options};
use crate::elastic::incoming;
use crate::server::{Server, USER, other_authority};

/// Half a minute, in which servers must have changed their minds.
const ROUNDS_MAX: u32 = 300;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

fn id(number: u64) -> TraceId {
    TraceId(Ids::default().trace(number))
}

fn one(number: u64) -> RequestBuilder {
    with_one(request().service("shop"), number)
}

fn with_one(spans: RequestBuilder, number: u64) -> RequestBuilder {
    spans.span("GET /", |s| {
        let s = s.trace(number).id(number).start_ns(START_UNIX_NANOS);
        s.attr("k", "v")
    })
}

async fn write(cassandra: &Arc<Cassandra>, spans: RequestBuilder) -> Result<u64, WriteError> {
    let writer = CassandraWriter(Arc::clone(cassandra));
    let kept = writer.write(incoming(spans, TenantId::default())).await?;
    Ok(kept.spans)
}

async fn read(cassandra: &Cassandra, number: u64) -> TraceAnswer {
    let read = cassandra.trace(&TenantId::default(), id(number)).await;
    read.unwrap()
}

async fn find(cassandra: &Cassandra, predicate: Predicate) -> Result<Vec<TraceId>, ReadError> {
    let found = cassandra.search(SearchRequest {
        tenant: TenantId::default(),
        predicate,
        window: Window::ALWAYS,
        order: Order::NewestFirst,
        limit: 10,
        after: None,
    });
    Ok(found.await?.traces.iter().map(|hit| hit.trace_id).collect())
}

fn is(field: Field, text: &str) -> Predicate {
    let literal = Literal::String(text.to_owned());
    Predicate::Compare(field, Operator::Equal, literal)
}

async fn refusal(options: CassandraOptions) -> String {
    let refused = write(&open(options), one(1)).await.unwrap_err();
    assert!(
        matches!(refused, WriteError::Unavailable { .. }),
        "{refused:?}"
    );
    refused.to_string()
}

/// What nobody has made tables for is refused for good, so that it becomes no queue before those of others.
async fn a_tenant_without_tables_holds_up_nobody(options: &CassandraOptions) {
    let cassandra = open(CassandraOptions {
        schema: SchemaOptions::default(),
        ..options.clone()
    });
    let stranger = TenantId::parse("stranger").unwrap();
    let refused = CassandraWriter(cassandra).write(incoming(one(1), stranger));
    let told = matches!(refused.await, Err(WriteError::Failed { reason }) if reason.contains("tenant stranger"));
    assert!(told);
}

/// Who is not let in, or does not believe the server, is told so.
pub(super) async fn strangers_are_told(server: &Server) {
    let mut wrong = options(server, true);
    wrong.timeout = Duration::from_secs(3);
    let password = PasswordSource::Given(Secret::new("wrong".to_owned()));
    let said = refusal(CassandraOptions {
        login: Some((USER.to_owned(), password)),
        ..wrong.clone()
    })
    .await;
    assert!(said.contains("backend.cassandra.username"), "{said}");
    let said = refusal(CassandraOptions {
        login: None,
        ..wrong.clone()
    })
    .await;
    assert!(said.contains("backend.cassandra.username"), "{said}");
    let files = |ca_file, name: &str| ClientFiles {
        ca_file: Some(ca_file),
        server_name: Some(name.to_owned()),
        ..ClientFiles::default()
    };
    let tls = |files: &ClientFiles| {
        let metrics = TlsMetrics::register(&plumbing::Metrics::new());
        Some(ClientTls::load("cassandra", files, &metrics).unwrap())
    };
    let other = other_authority(server.ca_file().with_file_name("other.pem"));
    for files in [
        files(other, "localhost"),
        files(server.ca_file(), "elsewhere.example"),
    ] {
        let said = refusal(CassandraOptions {
            tls: tls(&files),
            ..wrong.clone()
        })
        .await;
        assert!(said.contains("certificate"), "{said}");
    }
    let named = open(CassandraOptions {
        tls: tls(&files(server.ca_file(), "localhost")),
        ..wrong
    });
    assert_eq!(write(&named, one(1)).await, Ok(1));
}

/// A user that may write no more is told so, and goes on when it may again, without a start.
pub(super) async fn who_may_not_write_is_told(server: &Server) {
    const PLAIN: &str = "plain-12";
    let may = |words: &str| {
        server.feed("cql", &format!("{words} plain"));
    };
    may(&format!(
        "CREATE ROLE plain WITH PASSWORD = '{PLAIN}' AND LOGIN = true;\nGRANT SELECT ON KEYSPACE jaeger_v1_dc1 TO"
    ));
    may("GRANT MODIFY ON KEYSPACE jaeger_v1_dc1 TO");
    let password = PasswordSource::Given(Secret::new(PLAIN.to_owned()));
    let plain = open(CassandraOptions {
        login: Some(("plain".to_owned(), password)),
        schema: SchemaOptions::default(),
        ..options(server, true)
    });
    assert_eq!(write(&plain, one(6)).await, Ok(1));
    may("REVOKE MODIFY ON KEYSPACE jaeger_v1_dc1 FROM");
    let refused = write_until(&plain, Result::is_err).await;
    let is_told = matches!(&refused, Err(WriteError::Unavailable { reason })
        if reason.contains("does not allow this") && reason.contains("MODIFY"));
    assert!(is_told, "{refused:?}");
    may("GRANT MODIFY ON KEYSPACE jaeger_v1_dc1 TO");
    assert_eq!(write_until(&plain, Result::is_ok).await, Ok(1));
}

/// Writes again and again: servers remember for seconds what a user may.
async fn write_until(
    cassandra: &Arc<Cassandra>,
    holds: fn(&Result<u64, WriteError>) -> bool,
) -> Result<u64, WriteError> {
    let mut written = write(cassandra, one(7)).await;
    for _ in 0..ROUNDS_MAX {
        if holds(&written) {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        written = write(cassandra, one(7)).await;
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_loses_and_doubles_nothing_that_it_confirmed() {
    let Some(server) = Server::start("cassandra", false) else {
        return;
    };
    let plain = options(&server, false);
    let missing = refusal(CassandraOptions {
        schema: SchemaOptions::default(),
        ..plain.clone()
    })
    .await;
    assert!(missing.contains("trackway storage init"), "{missing}");
    a_tenant_without_tables_holds_up_nobody(&plain).await;
    let cassandra = open(CassandraOptions {
        archive_keyspace: Some("kept".to_owned()),
        timeout: Duration::from_secs(2),
        ..plain
    });
    what_is_sent_twice_is_there_once(&cassandra).await;
    what_is_long_is_found(&cassandra).await;
    what_is_pinned_stays(&server, &cassandra).await;
    what_would_scan_is_refused(&cassandra).await;
    what_is_not_confirmed_is_not_kept(&server, &cassandra).await;
}

/// In one batch, and one behind the other.
async fn what_is_sent_twice_is_there_once(cassandra: &Arc<Cassandra>) {
    for (spans, count) in [(with_one(one(2), 2), 2), (one(2), 1)] {
        assert_eq!(write(cassandra, spans).await, Ok(count));
        let spans = read(cassandra, 2).await.spans;
        assert_eq!(spans.len(), 1);
        let attributes: Vec<_> = spans.span(0).unwrap().attributes().collect();
        assert_eq!(attributes.len(), 1, "{attributes:?}");
    }
}

/// Longer than a key may be.
async fn what_is_long_is_found(cassandra: &Arc<Cassandra>) {
    let (name, value) = ("n".repeat(70_000), "v".repeat(300_000));
    let long = request()
        .service(&"s".repeat(70_000))
        .span(&name, |s| s.trace(3).id(3).attr("long", value.as_str()));
    assert_eq!(write(cassandra, long).await, Ok(1));
    let spans = read(cassandra, 3).await.spans;
    assert_eq!(spans.span(0).unwrap().name(), name);
    let service = is(Field::Service, &"s".repeat(70_000));
    for predicate in [service.clone(), service.and(is(Field::Name, &name))] {
        assert_eq!(find(cassandra, predicate).await, Ok(vec![id(3)]));
    }
    let other = is(Field::Service, &"s".repeat(69_999));
    assert_eq!(find(cassandra, other).await, Ok(Vec::new()));
}

async fn what_is_pinned_stays(server: &Server, cassandra: &Arc<Cassandra>) {
    assert_eq!(write(cassandra, one(4)).await, Ok(1));
    let writer = CassandraWriter(Arc::clone(cassandra));
    let tenant = TenantId::default();
    assert_eq!(writer.pin(&tenant, id(4)).await, Ok(true));
    assert_eq!(writer.pin(&tenant, id(40)).await, Ok(false));
    let gone = format!(
        "DELETE FROM jaeger_v1_dc1.traces WHERE trace_id = 0x{}",
        id(4)
    );
    server.feed("cql", &gone);
    assert_eq!(read(cassandra, 4).await.spans.len(), 1);
}

async fn what_would_scan_is_refused(cassandra: &Arc<Cassandra>) {
    let mut many = request();
    for number in 0..120_u64 {
        let name = format!("service-{number}");
        many = many
            .service(&name)
            .span("x", |s| s.trace(1_000 + number).id(1));
    }
    assert_eq!(write(cassandra, many).await, Ok(120));
    let refused = find(cassandra, Predicate::All).await.unwrap_err();
    assert!(
        matches!(&refused, ReadError::BadQuestion { reason } if reason.contains("name one")),
        "{refused:?}"
    );
    let found = find(cassandra, is(Field::Service, "service-7")).await;
    assert_eq!(found, Ok(vec![id(1_007)]));
    let by_id = Predicate::Compare(Field::TraceId, Operator::Equal, Literal::TraceId(id(1_008)));
    assert_eq!(find(cassandra, by_id).await, Ok(vec![id(1_008)]));
}

async fn what_is_not_confirmed_is_not_kept(server: &Server, cassandra: &Arc<Cassandra>) {
    server.signal("STOP");
    let refused = write(cassandra, one(5)).await;
    server.signal("CONT");
    assert!(
        matches!(refused, Err(WriteError::Unavailable { .. })),
        "{refused:?}"
    );
    let mut again = write(cassandra, one(5)).await;
    for _ in 0..10 {
        if again.is_ok() {
            break;
        }
        again = write(cassandra, one(5)).await;
    }
    assert_eq!(again, Ok(1));
    let spans = read(cassandra, 5).await.spans;
    assert_eq!(spans.len(), 1);
}
