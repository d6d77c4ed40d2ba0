//! The ledger of a running program, from its `/metrics`: every span that came in has gone somewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::http;
use crate::program::Program;
use crate::wait::until;

/// The ways in.
const TRANSPORTS: [&str; 9] = [
    "otlp_http",
    "otlp_grpc",
    "jaeger_http",
    "jaeger_grpc",
    "storage_grpc",
    "zipkin_http",
    "jaeger_udp_compact",
    "jaeger_udp_binary",
    "zipkin_udp_compact",
];
/// Until nothing is in flight any more.
const SETTLED_MAX: Duration = Duration::from_secs(20);

/// The sum of each metric over the labels that are not its transport; keys are `name` or `name transport`.
fn sums(program: &Program) -> BTreeMap<String, u64> {
    let answer = http::get(&program.addresses.admin, "/metrics").unwrap();
    assert_eq!(answer.status, 200);
    let mut sums = BTreeMap::new();
    for line in answer.text().lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let transport = labels
            .split([',', '}'])
            .find_map(|label| label.strip_prefix("transport="))
            .unwrap_or_default();
        if let Ok(value) = value.parse::<u64>() {
            *sums.entry(format!("{name} {transport}")).or_default() += value;
        }
    }
    sums
}

/// A metric of a program, over all its labels; 0: there is none.
pub(crate) fn total(program: &Program, name: &str) -> u64 {
    let prefix = format!("trackway_{name} ");
    let sums = sums(program);
    let of_name = sums.iter().filter(|(key, _)| key.starts_with(&prefix));
    of_name.map(|(_, value)| value).sum()
}

/// What steps left out, over all ways in.
pub(crate) fn filtered(program: &Program) -> u64 {
    let sums = sums(program).into_iter();
    let of_steps = sums.filter(|(key, _)| key.starts_with("trackway_receive_spans_filtered_total"));
    of_steps.map(|(_, count)| count).sum()
}

/// Checks, for spans and bytes and for each transport, that what was received is what was accepted, rejected, filtered,
/// refused or dropped, and that the store has every span that was accepted.
pub(crate) fn check(program: &Program) {
    let settled = until(SETTLED_MAX, || {
        let sums = sums(program);
        let mut in_flight = sums
            .iter()
            .filter(|(series, _)| series.contains("_in_flight"));
        in_flight.all(|(_, count)| *count == 0).then_some(sums)
    });
    let sums = settled.expect("something stays in flight");
    let get = |name: &str, transport: &str| {
        let key = format!("trackway_{name} {transport}");
        *sums
            .get(&key)
            .unwrap_or_else(|| panic!("no {key} in {sums:#?}"))
    };
    let mut accepted = 0;
    for transport in TRANSPORTS.map(|name| format!("\"{name}\"")) {
        let transport = transport.as_str();
        for what in ["spans", "bytes"] {
            let gone = ["accepted", "rejected", "refused", "dropped"]
                .map(|fate| get(&format!("receive_{what}_{fate}_total"), transport));
            // There is no such series where no step left anything out.
            let key = format!("trackway_receive_{what}_filtered_total {transport}");
            let filtered = sums.get(&key).copied().unwrap_or_default();
            let received = get(&format!("receive_{what}_total"), transport);
            assert_eq!(
                received,
                gone.iter().sum::<u64>() + filtered,
                "{what} {transport}: {gone:?}, {filtered}"
            );
        }
        accepted += get("receive_spans_accepted_total", transport);
    }
    let kept = match sums.get("trackway_backend_spans_kept_total ") {
        Some(kept) => [*kept, 0],
        None => ["stored", "duplicate"].map(|fate| get(&format!("store_{fate}_spans_total"), "")),
    };
    assert_eq!(
        accepted,
        kept.iter().sum::<u64>(),
        "accepted, and in the store: {kept:?}"
    );
}
