//! Rate, errors and duration, and what needs a look, over spans in the oracle.

use std::sync::Arc;

use model::batch::{PackedValue, ResourceRow, SpanRow};
use model::contract::Window;
use model::{BatchBuilder, SpanId, TenantId, TraceId};
use query::Query;
use query::red::{Home, HomeRequest, LookKind, RedOf, RedRequest};
use testkit::oracle::OracleStore;

const MINUTE: u64 = 60_000_000_000;
const DAY: u64 = 24 * 60 * MINUTE;
/// The start of the hour that is looked at.
const HOUR: u64 = 20_000 * DAY + 10 * 60 * MINUTE;
const NOW: u64 = HOUR + 60 * MINUTE;
const MS: u64 = 1_000_000;

/// Spans of one operation, one every second.
struct Spans {
    service: &'static str,
    name: &'static str,
    kind: i32,
    from: u64,
    count: u64,
    lasting: u64,
    failed: u64,
}

fn query(all: &[Spans]) -> Query {
    let store = OracleStore::new();
    let mut builder = BatchBuilder::new();
    let mut number = 0u64;
    for spans in all {
        let mut cursor = builder.begin_attributes();
        let service = PackedValue::String(spans.service.as_bytes());
        builder.push_attribute(&mut cursor, b"service.name", service);
        let attributes = builder.finish_attributes(cursor);
        let resource = builder.add_resource(ResourceRow {
            attributes,
            is_present: true,
            ..ResourceRow::default()
        });
        let name = builder.intern(spans.name.as_bytes());
        for at in 0..spans.count {
            number += 1;
            let mut id = [0; 16];
            id[8..].copy_from_slice(&number.to_be_bytes());
            let start = spans.from + at * 1_000_000_000;
            builder.push_span(SpanRow {
                trace_id: TraceId(id),
                span_id: SpanId::from_number(number),
                name,
                kind: spans.kind,
                start,
                end: start + spans.lasting,
                status: if at < spans.failed { 2 } else { 0 },
                resource,
                ..SpanRow::default()
            });
        }
    }
    store.keep(&TenantId::default(), &builder.finish());
    Query::new(Arc::new(store))
}

fn hour() -> Window {
    Window {
        start: HOUR,
        end: NOW - 1,
    }
}

fn spans(name: &'static str, from: u64, lasting: u64, failed: u64) -> Spans {
    Spans {
        service: "pay",
        name,
        kind: 2,
        from,
        count: 50,
        lasting,
        failed,
    }
}

fn request(of: RedOf) -> RedRequest {
    RedRequest {
        tenant: TenantId::default(),
        window: hour(),
        steps: 60,
        of,
        services: Vec::new(),
        kinds: Vec::new(),
        with_day_before: true,
    }
}

#[tokio::test]
async fn a_service_is_judged_by_what_it_serves_and_a_job_by_all_it_does() {
    let client = Spans {
        kind: 3,
        ..spans("call", HOUR, 900 * MS, 50)
    };
    let job = Spans {
        service: "job",
        kind: 1,
        ..spans("tick", HOUR + 5 * MINUTE, 7 * MS, 0)
    };
    let before = spans("serve", HOUR - DAY, 20 * MS, 0);
    let query = query(&[spans("serve", HOUR, 10 * MS, 3), client, job, before]);
    let answer = query.red(&request(RedOf::Services), NOW).await.unwrap();
    let told: Vec<_> = answer
        .series
        .iter()
        .map(|series| {
            (
                series.service.as_str(),
                series.total.spans,
                series.total.errors,
            )
        })
        .collect();
    assert_eq!(told, [("job", 50, 0), ("pay", 50, 3)]);
    let pay = &answer.series[1];
    assert!((pay.total.quantile(0.95) / 1e6 - 10.0).abs() < 0.1);
    assert_eq!(pay.day_before.as_ref().unwrap().spans, 50);
    assert_eq!(answer.series[0].day_before, None);
    assert!((answer.seconds - 3_600.0).abs() < 1e-9);
    assert_eq!(answer.step, MINUTE);
    let filled: Vec<usize> = (0..60)
        .filter(|at| answer.series[0].points[*at].is_some())
        .collect();
    assert_eq!(filled, [5]);
}

#[tokio::test]
async fn operations_are_told_by_their_kinds() {
    let client = Spans {
        kind: 3,
        ..spans("serve", HOUR, 900 * MS, 50)
    };
    let query = query(&[spans("serve", HOUR, 10 * MS, 3), client]);
    let answer = query.red(&request(RedOf::Operations), NOW).await.unwrap();
    let told: Vec<_> = answer
        .series
        .iter()
        .map(|series| {
            (
                series.operation.as_deref().unwrap(),
                series.kind,
                series.total.errors,
            )
        })
        .collect();
    assert_eq!(told, [("serve", Some(2), 3), ("serve", Some(3), 50)]);
}

async fn home(all: &[Spans]) -> Home {
    let request = HomeRequest {
        tenant: TenantId::default(),
        window: hour(),
    };
    query(all).home(&request, NOW).await.unwrap()
}

#[tokio::test]
async fn what_is_slower_than_yesterday_needs_a_look_and_the_rule_is_told() {
    let home = home(&[
        spans("slow", HOUR, 400 * MS, 0),
        spans("slow", HOUR - DAY, 100 * MS, 0),
        // The hour before would say nothing: yesterday is what counts.
        spans("slow", HOUR - 50 * MINUTE, 400 * MS, 0),
        spans("same", HOUR, 100 * MS, 0),
        spans("same", HOUR - DAY, 90 * MS, 0),
        // Many times slower, but nobody feels it.
        spans("tiny", HOUR, 9 * MS, 0),
        spans("tiny", HOUR - DAY, MS, 0),
    ])
    .await;
    let told: Vec<_> = home
        .looks
        .iter()
        .map(|look| (look.operation.as_str(), look.what))
        .collect();
    assert_eq!(told, [("slow", LookKind::Slow)]);
    let rule = &home.looks[0].rule;
    assert!(
        rule.contains("4.0 times that of the same time yesterday"),
        "{rule}"
    );
}

#[tokio::test]
async fn without_yesterday_the_time_before_counts_and_without_that_only_failures() {
    let told = home(&[
        spans("slow", HOUR, 400 * MS, 0),
        spans("slow", HOUR - 50 * MINUTE, 100 * MS, 0),
        spans("new", HOUR, 900 * MS, 0),
        spans("failing", HOUR, MS, 10),
        spans("failed twice", HOUR, MS, 2),
        spans("failed before", HOUR, MS, 10),
        spans("failed before", HOUR - DAY, MS, 9),
    ])
    .await;
    let mut looks: Vec<_> = told
        .looks
        .iter()
        .map(|look| (look.operation.as_str(), look.what))
        .collect();
    looks.sort_by_key(|(operation, _)| *operation);
    assert_eq!(
        looks,
        [("failing", LookKind::Failing), ("slow", LookKind::Slow)]
    );
    let slow = told
        .looks
        .iter()
        .find(|look| look.operation == "slow")
        .unwrap();
    assert!(slow.rule.contains("the time before"), "{}", slow.rule);
}

#[tokio::test]
async fn of_little_traffic_nothing_is_said() {
    let few = Spans {
        count: 19,
        ..spans("failing", HOUR, MS, 19)
    };
    assert!(home(&[few]).await.looks.is_empty());
}
