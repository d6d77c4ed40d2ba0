//! What Jaeger's search finds under the names that it shows.

use std::collections::BTreeMap;

use model::batch::PackedValue;
use model::contract::{Operation, Order};
use model::{TenantId, TraceId};
use query::jaeger_search::JaegerSearch;
use query::{FindTraces, Query};

use crate::world::{One, query_over, trace_id};

async fn found(query: &Query, search: JaegerSearch) -> Vec<TraceId> {
    let Some(window) = search.window() else {
        return Vec::new();
    };
    let request = FindTraces {
        tenant: TenantId::default(),
        predicate: search.predicate(),
        window,
        order: Order::NewestFirst,
        limit: 100,
        cursor: None,
    };
    query
        .find(request)
        .await
        .unwrap()
        .hits
        .iter()
        .map(|hit| hit.trace_id)
        .collect()
}

fn search(service: &str) -> JaegerSearch {
    JaegerSearch {
        service: service.to_owned(),
        end_micros: 1_000_000,
        ..JaegerSearch::default()
    }
}

#[tokio::test]
async fn spans_are_found_under_the_names_that_are_made_up_for_them() {
    let with = |number, service| One {
        service,
        ..One::new(number, 1_000)
    };
    let query = query_over(&[
        with(1, None),
        with(2, Some(PackedValue::String(b""))),
        with(3, Some(PackedValue::Int(7))),
        One {
            name: "",
            ..One::new(4, 1_000)
        },
    ]);
    let names = [
        "missing-service-name",
        "empty-service-name",
        "service-name-wrong-type",
    ];
    for (number, name) in (1..).zip(names) {
        assert_eq!(
            found(&query, search(name)).await,
            [trace_id(number)],
            "{name}"
        );
        for key in ["service.name", "resource.service.name"] {
            let tags = BTreeMap::from([(key.to_owned(), name.to_owned())]);
            let tagged = JaegerSearch { tags, ..search("") };
            assert_eq!(
                found(&query, tagged).await,
                [trace_id(number)],
                "{key} {name}"
            );
        }
    }
    let unnamed = JaegerSearch {
        operation: "empty-span-name".to_owned(),
        ..search("s")
    };
    assert_eq!(found(&query, unnamed).await, [trace_id(4)]);
    let operations = query.operations(&TenantId::default(), "s").await.unwrap();
    assert!(operations.is_all);
    assert_eq!(
        operations.operations,
        [Operation {
            name: "empty-span-name".to_owned(),
            kind: 0
        }]
    );
}

#[tokio::test]
async fn the_first_and_the_last_microsecond_of_a_window_belong_to_it() {
    let query = query_over(&[
        One::new(1, 1_000),
        One::new(2, 2_000),
        One::new(3, 2_001),
        One::new(4, 999),
    ]);
    let within = JaegerSearch {
        start_micros: 1,
        end_micros: 2,
        ..search("s")
    };
    assert_eq!(found(&query, within).await, [trace_id(2), trace_id(1)]);
}

#[tokio::test]
async fn a_span_that_ends_before_it_starts_has_the_shortest_duration_that_is_shown() {
    let query = query_over(&[
        One {
            end: 5,
            ..One::new(1, 1_000)
        },
        One::new(2, 1_000),
    ]);
    let at_least = |nanos| JaegerSearch {
        duration_min_nanos: nanos,
        ..search("s")
    };
    let at_most = |nanos| JaegerSearch {
        duration_max_nanos: nanos,
        ..search("s")
    };
    assert_eq!(found(&query, at_least(1)).await, [trace_id(1), trace_id(2)]);
    assert_eq!(found(&query, at_least(2)).await, [trace_id(2)]);
    assert_eq!(found(&query, at_most(9)).await, [trace_id(1)]);
    assert_eq!(found(&query, at_most(-1)).await, []);
}
