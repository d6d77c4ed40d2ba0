//! Counts by minute in real stores: what several writers count of the same traces, before and after it is finished.

use std::sync::Arc;

use backends::sums::{CountingWriter, Ledger, Sums, SumsMetrics, SumsParts};
use model::TenantId;
use model::contract::{
    DependencyAnswer, DependencyLink, ReadError, SpanReader, SpanWriter, Window,
};
use model::rates::{MINUTE_NANOS, RatesOf, RatesRequest};
use plumbing::{Clock as _, CpuPool, RealClock, RealRandom};
use testkit::spans::{START_UNIX_NANOS, SpanKind, request};

use crate::elastic::incoming;

/// A store that counts: who writes, who reads, where records are, and what makes all that was written found.
pub(crate) struct Store<'a> {
    pub(crate) writer: Arc<dyn SpanWriter>,
    pub(crate) reader: Arc<dyn SpanReader>,
    /// The same, but it may read no spans to count calls.
    pub(crate) unreading: Arc<dyn SpanReader>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) refresh: &'a (dyn Fn() + Sync),
}

/// A writer that counts, with a name of its own.
pub(crate) fn counting(writer: Arc<dyn SpanWriter>, ledger: Arc<dyn Ledger>) -> CountingWriter {
    let parts = SumsParts {
        ledger,
        clock: Arc::new(RealClock::default()),
        random: Arc::new(RealRandom::default()),
        pool: CpuPool::start("sums", 1, 64).unwrap(),
        metrics: SumsMetrics::default(),
    };
    CountingWriter {
        inner: writer,
        sums: Arc::new(Sums::new(parts)),
    }
}

async fn told(store: &Store<'_>, tenant: &TenantId, of: RatesOf) -> Vec<String> {
    (store.refresh)();
    let start = START_UNIX_NANOS / MINUTE_NANOS * MINUTE_NANOS;
    let asked = RatesRequest {
        tenant: tenant.clone(),
        of,
        window: Window {
            start,
            end: start + 3 * MINUTE_NANOS,
        },
        step_nanos: 0,
        services: Vec::new(),
        kinds: Vec::new(),
        by_operation: true,
        by_kind: false,
        with_examples: true,
    };
    let answer = store.reader.rates(asked).await.unwrap();
    assert!(answer.has_all_operations);
    let lines = answer.series.into_iter().map(|series| {
        let (key, point) = (series.key, &series.points[0]);
        let of = key.caller.or(key.operation).unwrap();
        let median = point.durations.quantile(0.5).unwrap() / 1e6;
        let (spans, errors) = (point.spans, point.errors);
        assert!(point.slowest.is_some());
        format!(
            "{} {of}: {spans}, {errors} failed, {median:.0} ms",
            key.service
        )
    });
    lines.collect()
}

/// The calls between services in some minutes.
async fn links(
    reader: &dyn SpanReader,
    tenant: &TenantId,
    (first, last): (u64, u64),
) -> Result<DependencyAnswer, ReadError> {
    let start = START_UNIX_NANOS / MINUTE_NANOS * MINUTE_NANOS;
    let window = Window {
        start: start + first * MINUTE_NANOS,
        end: start + last * MINUTE_NANOS - 1,
    };
    reader.dependencies(tenant, window).await
}

/// More spans than may be read: the counts tell as much, and say since when; where there are none, nothing is told.
async fn told_without_reading(store: &Store<'_>, tenant: &TenantId) {
    let read = links(&*store.reader, tenant, (0, 3)).await.unwrap();
    let link = DependencyLink {
        parent: "front".to_owned(),
        child: "cart".to_owned(),
        calls: 2,
    };
    assert_eq!((read.links, read.skipped), (vec![link.clone()], Vec::new()));
    let unread = links(&*store.unreading, tenant, (0, 3)).await.unwrap();
    assert_eq!((unread.links, unread.skipped), (vec![link], Vec::new()));

    let uncounted = TenantId::parse("Uncounted").unwrap();
    let spans = request()
        .service("front")
        .span("GET /", |s| s.trace(1).id(1));
    let spans = incoming(spans, uncounted.clone());
    store.writer.write(spans).await.unwrap();
    (store.refresh)();
    let refused = links(&*store.unreading, &uncounted, (0, 3)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("nobody has counted the calls"),
        "{refused}"
    );
    // Of a window without spans there is nothing that could not be read.
    let empty = links(&*store.unreading, &uncounted, (10, 12))
        .await
        .unwrap();
    assert_eq!((empty.links, empty.skipped), (Vec::new(), Vec::new()));
}

/// Has two writers count pieces of traces, and looks at what is told meanwhile.
pub(crate) async fn come_together(store: &Store<'_>) {
    let tenant = TenantId::parse("Counted").unwrap();
    let [one, other] =
        [(), ()].map(|()| counting(Arc::clone(&store.writer), Arc::clone(&store.ledger)));
    let parents = request()
        .service("front")
        .span("GET /", |s| s.trace(1).id(1).lasting_ms(40))
        .span("GET /", |s| s.trace(2).id(2).lasting_ms(40))
        .service("cart")
        .span("pay", |s| {
            let s = s.trace(1).id(11).parent(1).kind(SpanKind::Server);
            s.lasting_ms(20).error("no money")
        });
    let children = request()
        .service("cart")
        .span("pay", |s| {
            s.trace(2)
                .id(12)
                .parent(2)
                .kind(SpanKind::Server)
                .lasting_ms(20)
        })
        .span("pay", |s| {
            s.trace(3)
                .id(13)
                .parent(3)
                .kind(SpanKind::Server)
                .lasting_ms(20)
        });
    for (writer, spans) in [(&one, parents), (&other, children)] {
        writer.write(incoming(spans, tenant.clone())).await.unwrap();
        writer.sums.keep().await.unwrap();
    }
    let operations = [
        "cart pay: 3, 1 failed, 20 ms",
        "front GET /: 2, 0 failed, 40 ms",
    ];
    assert_eq!(told(store, &tenant, RatesOf::Operations).await, operations);
    // The second child and its parent came to different writers.
    let calls = told(store, &tenant, RatesOf::Calls).await;
    assert_eq!(calls, ["cart front: 1, 1 failed, 20 ms"]);

    let (name, millis) = (
        one.sums.name(),
        RealClock::default().unix_nanos() / 1_000_000,
    );
    assert_eq!(store.ledger.lead(name, millis).await, Ok(true));
    (store.refresh)();
    assert_eq!(store.ledger.lead("other", millis + 1).await, Ok(false));
    assert_eq!(store.ledger.lead(name, millis + 2).await, Ok(true));

    let minute = millis / 60_000;
    one.sums.finish(&*store.reader, minute + 5).await.unwrap();
    let calls = told(store, &tenant, RatesOf::Calls).await;
    assert_eq!(calls, ["cart front: 2, 1 failed, 20 ms"]);
    // The hour becomes one, as often as it is tried.
    for hours in 2..4 {
        one.sums
            .finish(&*store.reader, minute + hours * 60)
            .await
            .unwrap();
        assert_eq!(told(store, &tenant, RatesOf::Calls).await, calls);
        assert_eq!(told(store, &tenant, RatesOf::Operations).await, operations);
        let loose = store.ledger.loose(u64::from(u32::MAX)).await.unwrap();
        assert!(!loose.iter().any(|(of, _)| *of == tenant), "{loose:?}");
    }
    told_without_reading(store, &tenant).await;
}
