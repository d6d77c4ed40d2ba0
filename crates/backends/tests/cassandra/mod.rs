//! Cassandra: the contract suite on a real server, with a password over TLS, and what it does when that is not there.

mod faults;
mod recorded;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backends::cassandra::{
    Cassandra, CassandraMetrics, CassandraOptions, CassandraWriter, SchemaOptions,
};
use backends::sums::Ledger;
use backends::{CallLimits, PasswordSource};
use codec::jaeger::decode_rows;
use codec::jaeger_row::JaegerRow;
use model::SpanBatch;
use model::contract::{Answer, SpanReader, SpanWriter};
use plumbing::{CpuPool, Metrics};
use testkit::contract::{Subject, run};
use testkit::spans::START_UNIX_NANOS;
use tls::{ClientFiles, ClientTls, TlsMetrics};

use crate::server::{Server, USER};
use crate::sums::{Store, come_together, counting};

const MINUTE: u64 = 60_000_000_000;

/// Options for a server of tests, which has one replica and no tables yet.
fn options(server: &Server, is_secure: bool) -> CassandraOptions {
    let mut options = CassandraOptions {
        servers: vec![server.url.clone()],
        schema: SchemaOptions {
            is_created: true,
            // The world of the contract lies in the past and in the future.
            trace_ttl: Duration::ZERO,
            ..SchemaOptions::default()
        },
        ..CassandraOptions::default()
    };
    if is_secure {
        options.tls = Some(tls(server.ca_file()));
        options.login = Some((
            USER.to_owned(),
            PasswordSource::File(server.password_file()),
        ));
    }
    options
}

fn tls(ca_file: PathBuf) -> ClientTls {
    let files = ClientFiles {
        ca_file: Some(ca_file),
        ..ClientFiles::default()
    };
    let metrics = TlsMetrics::register(&Metrics::new());
    ClientTls::load("cassandra", &files, &metrics).unwrap()
}

fn open(options: CassandraOptions) -> Arc<Cassandra> {
    let pool = CpuPool::start("cassandra", 2, 64).unwrap();
    Arc::new(Cassandra::new(options, pool, CassandraMetrics::default()))
}

/// What Jaeger's layout has a place for.
fn in_rows(batch: &SpanBatch) -> SpanBatch {
    let rows: Vec<JaegerRow> = (0..batch.len())
        .map(|row| JaegerRow::of(batch, row).unwrap())
        .collect();
    let decoded = decode_rows(&rows).unwrap();
    assert_eq!(decoded.rejected_spans, 0, "{:?}", decoded.rejection);
    decoded.batch
}

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_answers_as_the_contract_says() {
    let Some(server) = Server::start("cassandra", true) else {
        return;
    };
    let cassandra = open(options(&server, true));
    let writer: Arc<dyn SpanWriter> = Arc::new(CassandraWriter(Arc::clone(&cassandra)));
    let writer = counting(writer, Arc::clone(&cassandra) as Arc<dyn Ledger>);
    let settle = || {
        let sums = Arc::clone(&writer.sums);
        Box::pin(async move { sums.keep().await.unwrap() }) as Answer<'static, ()>
    };
    let subject = Subject {
        name: "cassandra",
        writer: &writer,
        reader: &*cassandra,
        settle: &settle,
        keeps: &in_rows,
        base_unix_nanos: START_UNIX_NANOS / MINUTE * MINUTE,
    };
    let report = run(&subject).await.unwrap();
    println!("{report}");
    assert!(report.failed.is_empty(), "{report}");
    assert!(report.passed >= 80, "{report}");
    let unreading = CassandraOptions {
        call_limits: CallLimits {
            spans_read: 0,
            spans_read_max: 0,
        },
        ..options(&server, true)
    };
    come_together(&Store {
        writer: Arc::clone(&writer.inner),
        reader: Arc::clone(&cassandra) as Arc<dyn SpanReader>,
        unreading: open(unreading) as Arc<dyn SpanReader>,
        ledger: Arc::clone(&cassandra) as Arc<dyn Ledger>,
        refresh: &|| {},
    })
    .await;
    recorded::is_found(&server).await;
    faults::strangers_are_told(&server).await;
    faults::who_may_not_write_is_told(&server).await;
}
