//! Elasticsearch and OpenSearch: the contract suite on real servers, plainly and through TLS with a password.

mod answers;
mod credentials;
mod recorded;
mod rotation;
mod slowest;

use std::sync::Arc;

use backends::elastic::{Elastic, ElasticMetrics, ElasticOptions, ElasticWriter};
use backends::sums::Ledger;
use backends::{CallLimits, CredentialKind, Credentials};
use bytes::Bytes;
use codec::jaeger::decode_documents;
use codec::jaeger_document::{DocumentLayout, write_span};
use codec::otlp::decode_proto;
use model::contract::{
    Answer, IncomingBatch, Order, SearchRequest, SpanReader, SpanWriter, Window,
};
use model::{Field, Literal, Operator, Predicate, SpanBatch, TenantId};
use plumbing::{CpuPool, Metrics};
use testkit::contract::{Subject, run};
use testkit::spans::{RequestBuilder, START_UNIX_NANOS, request};
use tls::{ClientFiles, ClientTls, TlsMetrics};

use crate::server::{Server, USER};
use crate::sums::{Store, come_together, counting};

const MINUTE: u64 = 60_000_000_000;

/// Options for a server of tests: one shard, since they are many indices.
fn options(server: &Server, is_secure: bool) -> ElasticOptions {
    let mut options = ElasticOptions {
        hosts: vec![server.url.clone()],
        shards: 1,
        replicas: 0,
        ..ElasticOptions::default()
    };
    if is_secure {
        let files = ClientFiles {
            ca_file: Some(server.ca_file()),
            ..ClientFiles::default()
        };
        let metrics = TlsMetrics::register(&Metrics::new());
        options.tls = Some(ClientTls::load("elasticsearch", &files, &metrics).unwrap());
        let user = CredentialKind::Password {
            user: USER.to_owned(),
        };
        options.credentials = Some(Credentials::load(user, server.password_file()).unwrap());
    }
    options
}

fn open(options: ElasticOptions) -> Arc<Elastic> {
    let pool = CpuPool::start("elastic", 2, 64).unwrap();
    Arc::new(Elastic::new(options, pool, ElasticMetrics::default()).unwrap())
}

/// What Jaeger's layout has a place for.
fn in_documents(batch: &SpanBatch) -> SpanBatch {
    let layout = DocumentLayout::default();
    let documents: Vec<String> = batch
        .iter()
        .map(|span| {
            let mut text = String::new();
            write_span(&mut text, span, &layout);
            text
        })
        .collect();
    let documents: Vec<&[u8]> = documents.iter().map(String::as_bytes).collect();
    let decoded = decode_documents(&documents, &layout).unwrap();
    assert_eq!(decoded.rejected_spans, 0, "{:?}", decoded.rejection);
    decoded.batch
}

async fn check(name: &str, is_secure: bool) {
    let Some(server) = Server::start(name, is_secure) else {
        return;
    };
    // Both ways of laying out spans answer alike.
    let has_end = name == "opensearch";
    let elastic = open(ElasticOptions {
        layout: DocumentLayout {
            has_end,
            ..DocumentLayout::default()
        },
        ..options(&server, is_secure)
    });
    let (server, refresh) = (Arc::new(server), |server: &Server| {
        server.curl("POST", "/_refresh", "");
    });
    let writer: Arc<dyn SpanWriter> = Arc::new(ElasticWriter(Arc::clone(&elastic)));
    let writer = counting(writer, Arc::clone(&elastic) as Arc<dyn Ledger>);
    let settle = || {
        let (sums, server) = (Arc::clone(&writer.sums), Arc::clone(&server));
        Box::pin(async move {
            sums.keep().await.unwrap();
            refresh(&server);
        }) as Answer<'static, ()>
    };
    let subject = Subject {
        name,
        writer: &writer,
        reader: &*elastic,
        settle: &settle,
        keeps: &in_documents,
        base_unix_nanos: START_UNIX_NANOS / MINUTE * MINUTE,
    };
    let report = run(&subject).await.unwrap();
    println!("{report}");
    assert!(report.failed.is_empty(), "{report}");
    assert!(report.passed >= 80, "{report}");
    let unreading = ElasticOptions {
        call_limits: CallLimits {
            spans_read: 0,
            spans_read_max: 0,
        },
        ..options(&server, is_secure)
    };
    come_together(&Store {
        writer: Arc::clone(&writer.inner),
        reader: Arc::clone(&elastic) as Arc<dyn SpanReader>,
        unreading: open(unreading) as Arc<dyn SpanReader>,
        ledger: Arc::clone(&elastic) as Arc<dyn Ledger>,
        refresh: &|| refresh(&server),
    })
    .await;
    // One server shows it.
    if is_secure && name == "elasticsearch" {
        counts_need_no_template(&server, is_secure).await;
    }
    recorded::is_found(&server, is_secure).await;
    // The server of these tests that gives out tokens which run out.
    if is_secure && name == "elasticsearch" {
        credentials::are_replaced_when_they_run_out(&server).await;
    }
    rotation::goes_round(&server, is_secure).await;
}

/// Where somebody else keeps Jaeger's templates, those of counts are missing, and nothing else is.
async fn counts_need_no_template(server: &Server, is_secure: bool) {
    let with = |creates_templates: bool, spans_read: usize| {
        open(ElasticOptions {
            index_prefix: "untemplated".to_owned(),
            creates_templates,
            call_limits: CallLimits {
                spans_read,
                spans_read_max: spans_read,
            },
            ..options(server, is_secure)
        })
    };
    let (installing, elastic, unreading) = (with(true, 1), with(false, 1_000), with(false, 0));
    for tenant in ["default", "Counted", "Uncounted"] {
        let tenant = TenantId::parse(tenant).unwrap();
        let first = request()
            .service("shop")
            .span("GET", |s| s.trace(900).id(900));
        let writer = ElasticWriter(Arc::clone(&installing));
        writer.write(incoming(first, tenant)).await.unwrap();
    }
    server.curl("DELETE", "/_index_template/*trackway-sums", "");
    come_together(&Store {
        writer: Arc::new(ElasticWriter(Arc::clone(&elastic))),
        reader: Arc::clone(&elastic) as Arc<dyn SpanReader>,
        unreading: unreading as Arc<dyn SpanReader>,
        ledger: elastic as Arc<dyn Ledger>,
        refresh: &|| {
            server.curl("POST", "/_refresh", "");
        },
    })
    .await;
}

/// A request's spans as a door gives them.
pub(crate) fn incoming(spans: RequestBuilder, tenant: TenantId) -> IncomingBatch {
    let otlp = Bytes::from(spans.encode());
    let batch = decode_proto(&otlp).unwrap().batch;
    IncomingBatch {
        tenant,
        batch,
        otlp,
    }
}

/// Traces whose last span is newer than all others, and whose first is older: they are given first and come last.
#[tokio::test(flavor = "multi_thread")]
async fn opensearch_gives_long_traces_where_they_start_and_the_longest_first() {
    let Some(server) = Server::start("opensearch", false) else {
        return;
    };
    let elastic = open(options(&server, false));
    let writer = ElasticWriter(Arc::clone(&elastic));
    const SECOND: u64 = 1_000_000_000;
    let tenant = TenantId::parse("Long").unwrap();
    let at = |seconds: u64| START_UNIX_NANOS / SECOND * SECOND + seconds * SECOND;
    let mut spans = request().service("shop");
    for number in 1..=40_u64 {
        let name = if number.is_multiple_of(2) {
            "keep"
        } else {
            "skip"
        };
        spans = spans.span(name, |s| s.trace(number).id(number).start_ns(at(number)));
    }
    for number in 101..=106 {
        spans = spans
            .span("keep", |s| s.trace(number).id(number).start_ns(at(0)))
            .span("keep", |s| {
                s.trace(number).id(number + 100).start_ns(at(100))
            });
    }
    let written = writer.write(incoming(spans, tenant.clone())).await;
    assert_eq!(written.unwrap().spans, 52);
    server.curl("POST", "/_refresh", "");
    let skipped = Predicate::Compare(
        Field::Name,
        Operator::Equal,
        Literal::String("skip".to_owned()),
    );
    let found = elastic.search(SearchRequest {
        tenant,
        predicate: Predicate::Not(Box::new(skipped)),
        window: Window {
            start: at(0),
            end: at(200),
        },
        order: Order::NewestFirst,
        limit: 12,
        after: None,
    });
    let found = found.await.unwrap();
    let starts: Vec<u64> = found.traces.iter().map(|hit| hit.start).collect();
    let expected: Vec<u64> = (0..12).map(|step| at(40 - 2 * step)).collect();
    assert_eq!(starts, expected);
    assert!(found.has_more);
    slowest::are_told_without_reading_the_others(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_answers_through_tls_to_whoever_has_the_password() {
    check("elasticsearch", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_answers_as_the_contract_says() {
    check("opensearch", false).await;
}

/// The other way round: where there is time for it, since each takes minutes.
#[tokio::test(flavor = "multi_thread")]
async fn both_answer_the_other_way_round_in_the_long_run() {
    if std::env::var_os("TRACKWAY_ALL_SERVERS").is_some() {
        check("elasticsearch", false).await;
        check("opensearch", true).await;
    }
}
