//! Pages of a search by cursors.

use std::sync::Arc;

use model::contract::{Order, Window};
use model::{Predicate, TenantId, TraceId};
use query::{Error, ErrorKind, FindTraces, Query, QueryLimits};
use testkit::oracle::OracleStore;

use crate::world::{One, add, trace_id};

fn request(cursor: Option<String>) -> FindTraces {
    FindTraces {
        tenant: TenantId::default(),
        predicate: Predicate::All,
        window: Window::ALWAYS,
        order: Order::NewestFirst,
        limit: 3,
        cursor,
    }
}

fn store() -> Arc<OracleStore> {
    let store = OracleStore::new();
    // Several traces start at the same time: their ids decide.
    let spans: Vec<One> = (1..=10)
        .map(|number| One::new(number, 100 + u64::from(number / 3)))
        .collect();
    add(&store, &spans);
    Arc::new(store)
}

#[tokio::test]
async fn pages_give_every_trace_once_even_when_newer_ones_arrive_between() {
    let store = store();
    let query = Query::new(store.clone());
    let (mut ids, mut cursor): (Vec<TraceId>, _) = (Vec::new(), None);
    for page in 0..10 {
        let found = query.find(request(cursor)).await.unwrap();
        let found = query.load(&TenantId::default(), found).await.unwrap();
        assert!(found.traces.len() <= 3);
        ids.extend(found.traces.iter().map(|trace| trace.hit.trace_id));
        assert!(found.traces.iter().all(|trace| trace.spans.len() == 1));
        add(&store, &[One::new(100 + page, 900)]);
        cursor = found.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(ids, [9, 10, 6, 7, 8, 3, 4, 5, 1, 2].map(trace_id));
}

#[tokio::test]
async fn what_is_made_of_spans_counts_as_memory_of_an_answer() {
    let limits = QueryLimits {
        answer_bytes_max: 4_000,
        ..QueryLimits::default()
    };
    let query = Query::with_limits(store(), limits);
    let load = async |limit: usize| {
        let request = FindTraces {
            limit,
            ..request(None)
        };
        let found = query.find(request).await.unwrap();
        query.load(&TenantId::default(), found).await
    };
    assert_eq!(load(2).await.unwrap().traces.len(), 2);
    // Ten small spans take less than that themselves.
    assert!(matches!(load(10).await, Err(Error::TooMuch { .. })));
}

#[tokio::test]
async fn a_cursor_of_another_query_is_refused() {
    let query = Query::new(store());
    let cursor = query.find(request(None)).await.unwrap().next;
    assert!(cursor.is_some());
    let others = [
        FindTraces {
            order: Order::SlowestFirst,
            ..request(cursor.clone())
        },
        FindTraces {
            predicate: Predicate::Or(Vec::new()),
            ..request(cursor.clone())
        },
        FindTraces {
            window: Window { start: 1, end: 2 },
            ..request(cursor.clone())
        },
        FindTraces {
            tenant: TenantId::parse("other").unwrap(),
            ..request(cursor.clone())
        },
    ];
    for other in others {
        let error = query.find(other).await.unwrap_err();
        assert_eq!(
            (error.kind(), error),
            (ErrorKind::BadQuestion, Error::ForeignCursor)
        );
    }
    let fewer = FindTraces {
        limit: 1,
        ..request(cursor)
    };
    assert_eq!(
        query.find(fewer).await.unwrap().hits[0].trace_id,
        trace_id(7)
    );
}
