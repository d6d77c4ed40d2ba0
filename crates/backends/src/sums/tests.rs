//! Counts of random traces, which come in pieces to several writers, against counting span by span.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use codec::otlp::decode_proto;
use model::contract::{
    Answer, IncomingBatch, Kept, OTHER_OPERATIONS, ReadError, SpanReader as _, SpanWriter, Window,
    WriteError,
};
use model::rates::{MINUTE_NANOS, RatesOf, RatesRequest};
use model::{SpanBatch, TenantId};
use plumbing::{CpuPool, Random as _, RealClock, SeededRandom};
use testkit::oracle::OracleStore;
use testkit::spans::{SpanKind, request};

use super::count::{Counted, Tally};
use super::finish::{Leads, finish};
use super::record::RecordId;
use super::{
    CountingWriter, Hours, Ledger, Record, Sums, SumsMetrics, SumsParts, Take, calls, rates,
};

/// Keeps records in memory, as texts.
#[derive(Debug, Default)]
struct InMemory {
    records: Mutex<BTreeMap<(String, u64, u64, String), String>>,
    /// The tenant of whom nothing is taken.
    refused: Mutex<String>,
}

const LEADS: Leads<'static> = &|| Box::pin(std::future::ready(Ok(true)));
const FOLLOWS: Leads<'static> = &|| Box::pin(std::future::ready(Ok(false)));

fn place(tenant: &str, id: &RecordId) -> (String, u64, u64, String) {
    (tenant.to_owned(), id.hour, id.arrival, id.writer.clone())
}

impl InMemory {
    fn all(&self) -> Vec<Record> {
        let records = self.records.lock().unwrap();
        records
            .values()
            .map(|text| Record::read(text).unwrap())
            .collect()
    }
}

impl Ledger for InMemory {
    fn keep(&self, record: Record) -> Answer<'_, Result<(), String>> {
        let at = place(&record.tenant, &record.id);
        if *self.refused.lock().unwrap() == record.tenant {
            return Box::pin(std::future::ready(Err("refused".to_owned())));
        }
        self.records
            .lock()
            .unwrap()
            .insert(at, record.text().unwrap());
        Box::pin(std::future::ready(Ok(())))
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        hours: Hours,
        take: Take<'a>,
    ) -> Answer<'a, Result<(), ReadError>> {
        let is_asked = |record: &Record| {
            record.tenant == tenant.as_str() && (hours.first..=hours.last).contains(&record.id.hour)
        };
        self.all().into_iter().filter(is_asked).for_each(take);
        Box::pin(std::future::ready(Ok(())))
    }

    fn open(&self, before_minute: u64) -> Answer<'_, Result<Vec<Record>, String>> {
        let mut open = self.all();
        open.retain(|record| !record.open.is_empty() && record.id.arrival < before_minute);
        Box::pin(std::future::ready(Ok(open)))
    }

    fn loose(&self, before_hour: u64) -> Answer<'_, Result<Vec<(TenantId, u64)>, String>> {
        let mut loose = self.all();
        loose.retain(|record| !record.id.is_whole() && record.id.hour < before_hour);
        let mut hours: Vec<(TenantId, u64)> = loose
            .iter()
            .map(|record| (TenantId::parse(&record.tenant).unwrap(), record.id.hour))
            .collect();
        hours.dedup();
        Box::pin(std::future::ready(Ok(hours)))
    }

    fn forget<'a>(
        &'a self,
        tenant: &'a TenantId,
        records: &'a [RecordId],
    ) -> Answer<'a, Result<(), String>> {
        let mut known = self.records.lock().unwrap();
        for id in records {
            known.remove(&place(tenant.as_str(), id));
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn lead<'a>(&'a self, _: &'a str, _: u64) -> Answer<'a, Result<bool, String>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

/// A minute of some hour.
const BASE: u64 = 29_460_000;
const WRITERS: u64 = 3;
const ARRIVALS: u64 = 6;

/// Random traces in pieces: by the minute in which they come, and the writer to which.
fn pieces(random: &SeededRandom) -> BTreeMap<(u64, u64), Vec<SpanBatch>> {
    let mut pieces: BTreeMap<(u64, u64), Vec<SpanBatch>> = BTreeMap::new();
    for number in 1..=20 + random.below(60) {
        let (trace, service, kind) = (random.below(8), random.below(3), random.below(6));
        // Most have a parent that was made before, or is made later, or is nowhere.
        let parent = random.below(80);
        let start = (BASE + random.below(150)) * MINUTE_NANOS + 17;
        let kind = SpanKind::try_from(i32::try_from(kind).unwrap()).unwrap();
        let encoded = request()
            .service(&format!("service-{service}"))
            .span(&format!("operation-{}", random.below(3)), |span| {
                let span = span.trace(trace).id(number).kind(kind).start_ns(start);
                let span = span.lasting_ns(random.below(5_000_000));
                let span = if random.below(4) == 0 {
                    span.error("no")
                } else {
                    span
                };
                if parent == 0 || parent == number {
                    span
                } else {
                    span.parent(parent)
                }
            })
            .encode();
        let at = (BASE + 200 + random.below(ARRIVALS), random.below(WRITERS));
        let batch = decode_proto(&encoded).unwrap().batch;
        pieces.entry(at).or_default().push(batch);
    }
    pieces
}

async fn keep(tally: &mut Tally, writer: u64, ledger: &InMemory, minute: u64) {
    for (record, changes) in tally.records(&format!("writer-{writer}"), minute) {
        ledger.keep(record.clone()).await.unwrap();
        tally.note_kept(&TenantId::default(), &record, changes, minute);
    }
}

/// Compares the answers to all kinds of questions.
async fn compare(ledger: &InMemory, oracle: &OracleStore, case: &str) {
    let everything = Window {
        start: BASE * MINUTE_NANOS,
        end: (BASE + 150) * MINUTE_NANOS,
    };
    let part = Window {
        start: (BASE + 30) * MINUTE_NANOS,
        end: (BASE + 95) * MINUTE_NANOS - 1,
    };
    for (of, window, step_minutes, services, kinds) in [
        (RatesOf::Operations, everything, 1, Vec::new(), Vec::new()),
        (
            RatesOf::Operations,
            part,
            0,
            vec!["service-1".to_owned()],
            vec![2, 3],
        ),
        (RatesOf::Calls, everything, 7, Vec::new(), Vec::new()),
        (
            RatesOf::Calls,
            part,
            0,
            vec!["service-2".to_owned()],
            Vec::new(),
        ),
    ] {
        let request = RatesRequest {
            tenant: TenantId::default(),
            of,
            window,
            step_nanos: step_minutes * MINUTE_NANOS,
            services,
            kinds,
            by_operation: true,
            by_kind: true,
            with_examples: false,
        };
        let told = rates(ledger, &request).await.unwrap();
        let right = oracle.rates(request.clone()).await.unwrap();
        assert_eq!(told.series, right.series, "{case}: {request:?}");
    }
    let links: u64 = oracle_calls(oracle).await;
    let summed = calls(ledger, &TenantId::default(), everything)
        .await
        .unwrap();
    let counted: u64 = summed.with(BTreeMap::new()).values().sum();
    assert_eq!(counted, links, "{case}");
}

async fn oracle_calls(oracle: &OracleStore) -> u64 {
    let answer = oracle
        .dependencies(&TenantId::default(), Window::ALWAYS)
        .await;
    answer.unwrap().links.iter().map(|link| link.calls).sum()
}

#[tokio::test]
async fn what_comes_in_pieces_to_several_writers_is_counted_span_by_span() {
    for seed in 0..25 {
        let random = SeededRandom::new(seed);
        let (ledger, oracle) = (InMemory::default(), OracleStore::new());
        let mut tallies: Vec<Tally> = (0..WRITERS).map(|_| Tally::default()).collect();
        let tenant = TenantId::default();
        let pieces = pieces(&random);
        let last = BASE + 200 + ARRIVALS + 3;
        for minute in BASE + 200..=last {
            for (writer, tally) in (0..).zip(&mut tallies) {
                for batch in pieces.get(&(minute, writer)).into_iter().flatten() {
                    oracle.keep(&tenant, batch);
                    tally.add(&tenant, &Counted::of(batch), minute);
                    // Kept halfway as well: what comes then comes on top.
                    if random.below(4) == 0 {
                        keep(tally, writer, &ledger, minute).await;
                    }
                }
                keep(tally, writer, &ledger, minute).await;
            }
        }
        let finished = finish(&ledger, &oracle, last + 3, LEADS).await.unwrap();
        assert_eq!(finished.hours, 0, "nothing is long ago yet");
        assert!(ledger.all().iter().all(|record| record.open.is_empty()));
        compare(&ledger, &oracle, &format!("seed {seed}, by minute")).await;

        let before = ledger.all();
        finish(&ledger, &oracle, last + 600, FOLLOWS).await.unwrap();
        assert_eq!(ledger.all(), before, "who does not lead changes nothing");
        let finished = finish(&ledger, &oracle, last + 600, LEADS).await.unwrap();
        assert!(finished.hours > 0);
        assert!(ledger.all().iter().all(|record| record.id.is_whole()));
        compare(&ledger, &oracle, &format!("seed {seed}, by hour")).await;

        // As it is when somebody is killed before the records of minutes are forgotten.
        for record in before {
            ledger.keep(record).await.unwrap();
        }
        compare(&ledger, &oracle, &format!("seed {seed}, killed halfway")).await;
        finish(&ledger, &oracle, last + 601, LEADS).await.unwrap();
        assert!(ledger.all().iter().all(|record| record.id.is_whole()));
        compare(&ledger, &oracle, &format!("seed {seed}, gone on")).await;
    }
}

/// A store that takes nothing at first.
#[derive(Debug, Default)]
struct Reluctant(AtomicBool);

impl SpanWriter for Reluctant {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let is_taken = self.0.swap(true, Ordering::Relaxed);
        let refused = WriteError::Unavailable {
            reason: "not yet".to_owned(),
        };
        let kept = Kept {
            spans: incoming.batch.len() as u64,
            duplicate_spans: 0,
        };
        Box::pin(std::future::ready(if is_taken {
            Ok(kept)
        } else {
            Err(refused)
        }))
    }

    fn readiness(&self) -> Result<(), String> {
        Ok(())
    }
}

fn sums_in(ledger: &Arc<InMemory>) -> Arc<Sums> {
    Arc::new(Sums::new(SumsParts {
        ledger: Arc::clone(ledger) as Arc<dyn Ledger>,
        clock: Arc::new(RealClock::default()),
        random: Arc::new(SeededRandom::new(1)),
        pool: CpuPool::start("sums", 1, 8).unwrap(),
        metrics: SumsMetrics::default(),
    }))
}

#[tokio::test]
async fn a_record_that_a_store_refuses_holds_up_no_other() {
    let ledger = Arc::new(InMemory::default());
    let sums = sums_in(&ledger);
    let writer = CountingWriter {
        inner: Arc::new(Reluctant(AtomicBool::new(true))),
        sums: Arc::clone(&sums),
    };
    let tenants = ["a", "b", "c", "d", "e"].map(|name| TenantId::parse(name).unwrap());
    for refused in &tenants {
        for tenant in &tenants {
            let incoming = IncomingBatch {
                tenant: tenant.clone(),
                batch: orphans(3, 0),
                otlp: Bytes::new(),
            };
            writer.write(incoming).await.unwrap();
        }
        refused
            .as_str()
            .clone_into(&mut ledger.refused.lock().unwrap());
        ledger.records.lock().unwrap().clear();
        sums.keep().await.unwrap_err();
        let kept: BTreeSet<String> = ledger.all().into_iter().map(|one| one.tenant).collect();
        assert_eq!(kept.len(), tenants.len() - 1, "all but {refused}: {kept:?}");
    }
}

#[tokio::test]
async fn only_what_the_store_has_confirmed_is_counted() {
    let ledger = Arc::new(InMemory::default());
    let sums = sums_in(&ledger);
    let writer = CountingWriter {
        inner: Arc::new(Reluctant::default()),
        sums: Arc::clone(&sums),
    };
    let incoming = || IncomingBatch {
        tenant: TenantId::default(),
        batch: orphans(3, 0),
        otlp: Bytes::new(),
    };
    writer.write(incoming()).await.unwrap_err();
    sums.keep().await.unwrap();
    assert!(ledger.all().is_empty());
    writer.write(incoming()).await.unwrap();
    sums.keep_last().await;
    let records = ledger.all();
    let key = |record: &Record| {
        record.minutes[&BASE]
            .operations
            .values()
            .map(|sum| sum.spans)
            .sum::<u64>()
    };
    assert_eq!(records.iter().map(key).collect::<Vec<_>>(), [3]);
}

/// Spans of one minute, each a child of a parent that is nowhere, of traces of their own.
fn orphans(count: u64, first: u64) -> SpanBatch {
    let start = BASE * MINUTE_NANOS;
    let spans = (first..first + count).fold(request().service("cart"), |request, number| {
        request.span("pay", |span| span.trace(number).parent(1).start_ns(start))
    });
    decode_proto(&spans.encode()).unwrap().batch
}

#[test]
fn of_too_many_open_calls_some_stand_for_all() {
    let (tenant, mut tally) = (TenantId::default(), Tally::default());
    const ALL: u64 = 130_000;
    for first in (0..ALL).step_by(10_000) {
        tally.add(&tenant, &Counted::of(&orphans(10_000, first)), BASE);
    }
    let records = tally.records("writer", BASE);
    let (record, _) = &records[0];
    assert_eq!(records.len(), 1);
    assert!(record.open.len() <= 2_000, "{}", record.open.len());
    let stand_for = record.open.len() as u64 * record.weight;
    assert!(
        stand_for.abs_diff(ALL) < ALL / 8,
        "{stand_for} stand for {ALL}"
    );
    // Every writer chooses the same traces.
    let mut other = Tally::default();
    for turn in (0..13_u8).rev() {
        let spans = orphans(10_000, u64::from(turn) * 10_000);
        other.add(&tenant, &Counted::of(&spans), BASE);
    }
    let others = other.records("other", BASE);
    assert_eq!(others[0].0.open, record.open);
    assert_eq!(tally.take_lost(), 0);
}

fn operations(count: u64) -> Counted {
    let start = BASE * MINUTE_NANOS;
    let spans = (0..count).fold(request().service("cart"), |request, number| {
        request.span(&format!("pay {number}"), |span| span.start_ns(start))
    });
    Counted::of(&decode_proto(&spans.encode()).unwrap().batch)
}

#[test]
fn what_can_never_be_kept_makes_room_for_what_comes() {
    let (tenant, mut tally) = (TenantId::default(), Tally::default());
    let counted = operations(5_000);
    for minute in 0..20 {
        tally.add(&tenant, &counted, BASE + minute);
        let records = tally.records("writer", BASE + minute);
        assert!(records.len() <= 7, "{}", records.len());
        let newest = records.iter().map(|(record, _)| record.id.arrival).max();
        assert_eq!(newest, Some(BASE + minute));
    }
    let lost = tally.take_lost();
    assert!(lost > 0 && lost.is_multiple_of(5_000), "{lost}");
}

#[test]
fn operations_without_end_become_one_and_nothing_is_forgotten() {
    let (tenant, mut tally) = (TenantId::default(), Tally::default());
    tally.add(&tenant, &operations(20_000), BASE);
    let records = tally.records("writer", BASE);
    let series = &records[0].0.minutes[&BASE].operations;
    assert!(series.len() < 6_000, "{}", series.len());
    let spans: u64 = series.values().map(|sum| sum.spans).sum();
    assert_eq!((spans, tally.take_lost()), (20_000, 0));
    let other = series.iter().find(|(key, _)| key.other == OTHER_OPERATIONS);
    assert!(other.is_some());
}
