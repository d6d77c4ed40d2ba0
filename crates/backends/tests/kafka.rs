//! A real Kafka, with SASL over TLS: what is written is read again, and nothing is lost or told too early between.
//!
//! One server serves all of it, since it takes seconds to start.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backends::PasswordSource;
use backends::kafka::{
    Encoding, GroupOptions, IngestMetrics, Ingester, Kafka, KafkaMetrics, KafkaOptions, KafkaTls,
    KafkaWriter, Login, Mechanism, Packing,
};
use bytes::Bytes;
use codec::otlp::decode_proto;
use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use model::{SpanBatch, TenantId};
use plumbing::{CpuPool, Shutdown, Tasks};
use testkit::spans::{RequestBuilder, request};

use crate::server::{Server, USER, other_authority};

/// Far longer than anything here takes.
const TIME_MAX: Duration = Duration::from_secs(30);
/// The span that [`Keeper`] never keeps.
const REFUSED: &str = "refused";

fn options(server: &Server, topic: &str, encoding: Encoding) -> KafkaOptions {
    KafkaOptions {
        brokers: vec![server.url.clone()],
        topic: topic.to_owned(),
        encoding,
        packing: Packing::Zstd,
        message_bytes_max: 1_000_000,
        timeout: Duration::from_secs(10),
        tls: Some(KafkaTls {
            ca_file: Some(server.ca_file()),
            ..KafkaTls::default()
        }),
        login: Some(Login {
            mechanism: Mechanism::Plain,
            user: USER.to_owned(),
            password: PasswordSource::File(server.password_file()),
        }),
        group: GroupOptions {
            id: format!("{topic}-group"),
            from_oldest: true,
            session_timeout: Duration::from_secs(6),
            dead_letter_topic: format!("{topic}-dead"),
        },
    }
}

fn kafka(options: KafkaOptions) -> Arc<Kafka> {
    let pool = CpuPool::start("kafka", 1, 64).unwrap();
    Arc::new(Kafka::new(options, pool, KafkaMetrics::default()))
}

fn incoming(spans: RequestBuilder, tenant: &str) -> IncomingBatch {
    let otlp = Bytes::from(spans.encode());
    IncomingBatch {
        tenant: TenantId::parse(tenant).unwrap(),
        batch: decode_proto(&otlp).unwrap().batch,
        otlp,
    }
}

/// Spans of several traces, one span each, whose names begin with a word.
fn traces(word: &str, count: u64) -> RequestBuilder {
    let spans = request().service("shop");
    (1..=count).fold(spans, |spans, number| {
        let name = format!("{word} {number}");
        spans.span(&name, |s| s.trace(number).id(number).attr("n", 1_i64))
    })
}

async fn write(kafka: &Arc<Kafka>, batch: IncomingBatch) -> Result<Kept, WriteError> {
    KafkaWriter(Arc::clone(kafka)).write(batch).await
}

/// A store that says no where it is told to: what a real one can't be made to do at will.
#[derive(Debug, Default)]
struct Keeper {
    is_away: AtomicBool,
    asked: AtomicUsize,
    kept: Mutex<Vec<(String, String)>>,
}

impl SpanWriter for Keeper {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let spans = incoming.batch.len() as u64;
        let again = decode_proto(&incoming.otlp).unwrap().batch;
        assert_eq!(names(&again), names(&incoming.batch));
        let answer = if self.is_away.load(Ordering::Relaxed) {
            Err(WriteError::Unavailable {
                reason: "away".to_owned(),
            })
        } else if names(&incoming.batch).iter().any(|name| name == REFUSED) {
            Err(WriteError::Failed {
                reason: "never".to_owned(),
            })
        } else {
            let tenant = incoming.tenant.to_string();
            let named = names(&incoming.batch).into_iter();
            let named = named.map(|name| (tenant.clone(), name));
            self.kept.lock().unwrap().extend(named);
            Ok(Kept {
                spans,
                duplicate_spans: 0,
            })
        };
        Box::pin(std::future::ready(answer))
    }

    fn readiness(&self) -> Result<(), String> {
        Ok(())
    }
}

fn names(batch: &SpanBatch) -> Vec<String> {
    batch.iter().map(|span| span.name().to_owned()).collect()
}

impl Keeper {
    fn kept(&self) -> Vec<(String, String)> {
        let mut kept = self.kept.lock().unwrap().clone();
        kept.sort();
        kept
    }

    async fn until(&self, count: usize) -> Vec<(String, String)> {
        wait_for("spans are kept", || self.kept().len() >= count).await;
        self.kept()
    }
}

async fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(TIME_MAX, waiting).await;
    assert!(waited.is_ok(), "{what}: not within {TIME_MAX:?}");
}

/// An ingester that runs.
struct Running {
    keeper: Arc<Keeper>,
    ingester: Arc<Ingester>,
    shutdown: Shutdown,
    tasks: Tasks,
}

impl Running {
    fn start(options: KafkaOptions, keeper: &Arc<Keeper>) -> Self {
        let writer = Arc::clone(keeper) as Arc<dyn SpanWriter>;
        let ingester = Ingester::new(kafka(options), writer, IngestMetrics::default());
        let (ingester, shutdown) = (Arc::new(ingester), Shutdown::new());
        let (running, stop, tasks) = (Arc::clone(&ingester), shutdown.clone(), Tasks::new());
        tasks.spawn(async move { running.run(stop).await });
        Self {
            keeper: Arc::clone(keeper),
            ingester,
            shutdown,
            tasks,
        }
    }

    async fn stop(self) -> Vec<(String, String)> {
        self.shutdown.begin();
        let ended = tokio::time::timeout(TIME_MAX, self.tasks.wait()).await;
        ended.unwrap();
        self.keeper.kept()
    }
}

fn of(tenant: &str, word: &str, count: u64) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = (1..=count)
        .map(|number| (tenant.to_owned(), format!("{word} {number}")))
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_kafka_carries_spans_to_a_store() {
    let Some(server) = Server::start("kafka", true) else {
        return;
    };
    every_encoding_goes_round(&server).await;
    nothing_is_told_before_it_is_kept(&server).await;
    what_is_no_good_is_a_dead_letter(&server).await;
    a_span_that_is_too_long_is_refused_alone(&server).await;
    who_is_wrong_is_told_so(&server).await;
    nothing_is_acknowledged_that_was_not_confirmed(&server).await;
}

async fn every_encoding_goes_round(server: &Server) {
    for (encoding, mechanism) in [
        (Encoding::OtlpProto, Mechanism::Plain),
        (Encoding::OtlpJson, Mechanism::ScramSha256),
        (Encoding::JaegerProto, Mechanism::ScramSha512),
        (Encoding::JaegerJson, Mechanism::Plain),
    ] {
        let mut options = options(server, encoding.name(), encoding);
        if let Some(login) = &mut options.login {
            login.mechanism = mechanism;
        }
        let writer = kafka(options.clone());
        for tenant in ["default", "team-a"] {
            let written = write(&writer, incoming(traces("span", 50), tenant)).await;
            assert_eq!(written.unwrap().spans, 50);
        }
        let running = Running::start(options.clone(), &Arc::default());
        let mut expected = of("default", "span", 50);
        expected.extend(of("team-a", "span", 50));
        assert_eq!(running.keeper.until(100).await, expected);
        assert_eq!(running.ingester.readiness(), Ok(()));
        running.stop().await;
        // What was kept is not read again.
        let after = incoming(traces("after", 1), "default");
        write(&writer, after).await.unwrap();
        let running = Running::start(options, &Arc::default());
        running.keeper.until(1).await;
        assert_eq!(running.stop().await, of("default", "after", 1));
    }
}

/// A store that is away is waited for, and an ingester that ends meanwhile has told Kafka nothing.
async fn nothing_is_told_before_it_is_kept(server: &Server) {
    let options = options(server, "away", Encoding::OtlpProto);
    let writer = kafka(options.clone());
    let batch = incoming(traces("span", 20), "default");
    write(&writer, batch).await.unwrap();
    let away = Arc::new(Keeper {
        is_away: true.into(),
        ..Keeper::default()
    });
    let first = Running::start(options.clone(), &away);
    wait_for("it writes", || away.asked.load(Ordering::Relaxed) > 2).await;
    assert_eq!(first.stop().await, []);
    away.is_away.store(false, Ordering::Relaxed);
    let second = Running::start(options, &away);
    second.keeper.until(20).await;
    assert_eq!(second.stop().await, of("default", "span", 20));
}

/// Messages that can't be read, and spans that the store refuses for good: the others are kept, and what is left can be
/// read where dead letters are.
async fn what_is_no_good_is_a_dead_letter(server: &Server) {
    let options = options(server, "mixed", Encoding::OtlpProto);
    let writer = kafka(options.clone());
    let strange = kafka(KafkaOptions {
        encoding: Encoding::JaegerJson,
        ..options.clone()
    });
    for (kafka, batch) in [
        (&writer, traces("good", 7)),
        (&strange, traces("strange", 3)),
        (&writer, traces("more", 7)),
    ] {
        write(kafka, incoming(batch, "default")).await.unwrap();
    }
    let running = Running::start(options.clone(), &Arc::default());
    running.keeper.until(14).await;
    let batch = request().span(REFUSED, |s| s.trace(99).id(1));
    let batch = batch.span("its neighbour", |s| s.trace(98).id(2));
    write(&writer, incoming(batch, "default")).await.unwrap();
    running.keeper.until(15).await;
    let dead = KafkaOptions {
        topic: options.group.dead_letter_topic.clone(),
        encoding: Encoding::JaegerJson,
        group: GroupOptions {
            id: "undertaker".to_owned(),
            dead_letter_topic: "deader".to_owned(),
            ..options.group.clone()
        },
        ..options.clone()
    };
    let letters = Running::start(dead, &Arc::default());
    let read = letters.keeper.until(3).await;
    assert_eq!(read, of("default", "strange", 3));
    letters.stop().await;
    let mut expected = of("default", "good", 7);
    expected.extend(of("default", "more", 7));
    expected.push(("default".to_owned(), "its neighbour".to_owned()));
    expected.sort();
    assert_eq!(running.stop().await, expected);
}

/// A span of some megabytes that can't be packed.
async fn a_span_that_is_too_long_is_refused_alone(server: &Server) {
    let options = options(server, "long", Encoding::OtlpProto);
    let writer = kafka(options.clone());
    let mut state = 1_u64;
    let noise: String = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    })
    .take(300_000)
    .collect();
    let batch = request()
        .span("short", |s| s.trace(1).id(1))
        .span("long", |s| s.trace(2).id(2).attr("noise", noise.as_str()));
    let refused = write(&writer, incoming(batch, "default")).await;
    let said = refused.unwrap_err();
    assert!(
        matches!(&said, WriteError::Failed { reason } if reason.contains("max.message.bytes")),
        "{said}"
    );
    let running = Running::start(options, &Arc::default());
    running.keeper.until(1).await;
    let short = vec![("default".to_owned(), "short".to_owned())];
    assert_eq!(running.stop().await, short);
}

async fn who_is_wrong_is_told_so(server: &Server) {
    let folder = server.password_file();
    let folder = folder.parent().unwrap();
    let password = folder.join("changing");
    std::fs::write(&password, "wrong-sekrit").unwrap();
    let mut wrong = options(server, "secret", Encoding::OtlpProto);
    if let Some(login) = &mut wrong.login {
        login.password = PasswordSource::File(password.clone());
    }
    let writer = kafka(wrong.clone());
    let batch = || incoming(traces("span", 1), "default");
    let said = write(&writer, batch()).await.unwrap_err().to_string();
    assert!(
        said.contains("password_file") && !said.contains("sekrit"),
        "{said}"
    );
    std::fs::copy(server.password_file(), &password).unwrap();
    write(&writer, batch()).await.unwrap();

    wrong.tls = Some(KafkaTls {
        ca_file: Some(other_authority(folder.join("other-ca.pem"))),
        ..KafkaTls::default()
    });
    let said = write(&kafka(wrong), batch()).await.unwrap_err().to_string();
    assert!(said.contains("tls"), "{said}");
}

async fn nothing_is_acknowledged_that_was_not_confirmed(server: &Server) {
    let mut options = options(server, "paused", Encoding::OtlpProto);
    options.timeout = Duration::from_secs(2);
    let writer = kafka(options);
    let batch = || incoming(traces("span", 10), "default");
    write(&writer, batch()).await.unwrap();
    server.signal("STOP");
    let said = write(&writer, batch()).await;
    server.signal("CONT");
    let said = said.unwrap_err();
    assert!(matches!(said, WriteError::Unavailable { .. }), "{said}");
}
