//! What Jaeger's suite asks of every store, whichever API it is asked by.

use std::collections::BTreeSet;

use super::fixtures::{Made, Question, asked_traces, questions};

/// A store that is written to and asked.
pub(super) trait Store {
    /// Writes spans; they are kept when this is back.
    fn write(&self, spans: &[Made]);
    fn services(&self) -> Vec<String>;
    /// By name and kind.
    fn operations(&self, service: &str, kind: &str) -> Vec<(String, String)>;
    /// The span ids of a trace in the order in which they come; none: there is no such trace.
    fn trace(&self, number: u64) -> Option<Vec<Vec<u8>>>;
    /// The numbers of the traces that are found, in the order in which they come.
    fn find(&self, question: &Question) -> Vec<u64>;
    /// Parent, child and calls.
    fn dependencies(&self) -> Vec<(String, String, u64)>;
}

fn span(trace: u64, span: u64) -> Made {
    Made {
        trace,
        span,
        service: "example",
        name: "operation",
        // Behind all that is asked for by time.
        start_ms: 5_000 + span % 1_000,
        lasting_ms: 1,
        ..Made::default()
    }
}

pub(super) fn services_and_operations(store: &dyn Store) {
    let mut spans = vec![span(301, 30_101), span(301, 30_102), span(301, 30_103)];
    (spans[1].name, spans[1].kind) = ("operation-server", 2);
    (spans[2].name, spans[2].service) = ("elsewhere", "example-2");
    store.write(&spans);
    let services = store.services();
    for service in ["example", "example-2"] {
        assert!(
            services.iter().any(|known| known == service),
            "{services:?}"
        );
    }
    let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    let both = vec![pair("operation", ""), pair("operation-server", "server")];
    assert_eq!(store.operations("example", ""), both);
    assert_eq!(
        store.operations("example", "server"),
        [pair("operation-server", "server")]
    );
    assert!(store.operations("unknown", "").is_empty());
}

pub(super) fn traces(store: &dyn Store) {
    assert_eq!(store.trace(999), None);
    // As many as Jaeger writes.
    let large: Vec<Made> = (1..=10_008)
        .map(|n| {
            let mut made = span(302, 100_000 + n);
            made.service = "large";
            made
        })
        .collect();
    for part in large.chunks(1_000) {
        store.write(part);
    }
    let found = store.trace(302).unwrap();
    assert_eq!(found.len(), 10_008);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 10_008);
    // Spans that are not the same and have one id are all kept.
    let repeated: Vec<Made> = (0..200)
        .map(|n| {
            let id = if n % 20 == 0 { 200_000 } else { 200_000 + n };
            let mut made = span(303, id);
            (made.service, made.start_ms) = ("repeated", 5_000 + n);
            made
        })
        .collect();
    store.write(&repeated);
    let found = store.trace(303).unwrap();
    assert_eq!(found.len(), 200);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 191);
}

pub(super) fn searches(store: &dyn Store) {
    store.write(&asked_traces());
    for (question, found) in questions() {
        assert_eq!(store.find(&question), found, "{question:?}");
    }
}

pub(super) fn dependencies(store: &dyn Store) {
    let mut spans = vec![span(304, 30_401), span(304, 30_402), span(304, 30_403)];
    spans[0].service = "caller";
    for called in &mut spans[1..] {
        (called.service, called.parent) = ("called", 30_401);
    }
    store.write(&spans);
    let links = store.dependencies();
    let wanted = ("caller".to_owned(), "called".to_owned(), 2);
    assert!(links.contains(&wanted), "{links:?}");
}

/// All of it, on an empty store.
pub(super) fn run(store: &dyn Store) {
    searches(store);
    services_and_operations(store);
    traces(store);
    dependencies(store);
}
