//! Policies: how they are read, and which traces stay.

use std::collections::BTreeMap;

use model::batch::{ResourceRow, SpanRow};
use model::contract::{TraceJudge, Verdict, WholeTrace};
use model::{BatchBuilder, SpanBatch, SpanId, TenantId, TraceId};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SECOND: u64 = 1_000_000_000;

/// A span in numbers: its trace, service, start and duration in ms, and whether it failed.
type Row = (u64, &'static str, u64, u64, bool);

fn id(trace: u64) -> TraceId {
    TraceId(u128::from(trace).to_be_bytes())
}

fn batch(rows: &[Row]) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    for (number, (trace, service, start, lasting, is_error)) in (1..).zip(rows) {
        let mut cursor = builder.begin_attributes();
        let name = model::batch::PackedValue::String(service.as_bytes());
        builder.push_attribute(&mut cursor, b"service.name", name);
        let attributes = builder.finish_attributes(cursor);
        let resource = builder.add_resource(ResourceRow {
            is_present: true,
            attributes,
            ..Default::default()
        });
        let name = builder.intern(b"GET /");
        builder.push_span(SpanRow {
            trace_id: id(*trace),
            span_id: SpanId::from_number(number),
            name,
            start: start * 1_000_000,
            end: (start + lasting) * 1_000_000,
            status: if *is_error { 2 } else { 0 },
            resource,
            ..Default::default()
        });
    }
    builder.finish()
}

/// The verdicts on all traces of a batch, by number.
fn verdicts(judge: &TailJudge, spans: &SpanBatch) -> BTreeMap<TraceId, (bool, String)> {
    let mut rows_of: BTreeMap<TraceId, Vec<usize>> = BTreeMap::new();
    for span in spans.iter() {
        rows_of.entry(span.trace_id()).or_default().push(span.row());
    }
    let names = judge.policies();
    let judged = rows_of.into_iter().map(|(trace_id, rows)| {
        let of = || rows.iter().map(|row| spans.span(*row).unwrap());
        let Verdict { is_kept, policy } = judge.judge(&WholeTrace {
            tenant: &TenantId::default(),
            trace_id,
            spans,
            rows: &rows,
            start: of().map(|span| span.start()).min().unwrap(),
            end: of().map(|span| span.end()).max().unwrap(),
        });
        (trace_id, (is_kept, names[policy].clone()))
    });
    judged.collect()
}

fn policies(list: &Value) -> TailPolicies {
    TailPolicies::read(list.as_array().unwrap()).unwrap()
}

fn judge(list: &Value) -> TailJudge {
    TailJudge::new(&policies(list)).unwrap()
}

#[test]
fn the_first_policy_that_fits_decides_and_without_one_a_trace_stays() {
    let judge = judge(&json!([
        {"name": "health", "when": {"query": "{ resource.service.name = \"health\" }"}, "keep": "never"},
        {"name": "errors", "when": {"errors": true}, "keep": "always"},
        {"name": "slow-shop", "when": {"slower_than": "0.5s", "services": ["shop", "cart"]}, "keep": "always"},
        {"name": "long", "when": {"query": "{ trace:spanCount > 2 }"}, "keep": "never"},
    ]));
    let spans = batch(&[
        // A failure of what nobody wants.
        (1, "health", 0, 1, true),
        (2, "db", 0, 1, false),
        (2, "shop", 0, 1, true),
        // All of it takes longer than half a second, none of its spans does.
        (3, "shop", 0, 400, false),
        (3, "db", 300, 201, false),
        (4, "shop", 0, 500, false),
        (5, "db", 0, 900, false),
        (5, "db", 0, 900, false),
        (5, "db", 0, 900, false),
    ]);
    let said = verdicts(&judge, &spans);
    let said: Vec<(bool, &str)> = said
        .values()
        .map(|(is, name)| (*is, name.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (false, "health"),
            (true, "errors"),
            (true, "slow-shop"),
            (true, "default"),
            (false, "long"),
        ]
    );
}

#[test]
fn no_policies_are_no_judge() {
    assert!(TailJudge::new(&policies(&json!([]))).is_none());
}

#[test]
fn a_share_is_the_same_traces_every_time_and_as_many_as_it_says() {
    let list = json!([{"name": "few", "keep": {"probability": 0.1}}]);
    let rows: Vec<Row> = (1..=20_000)
        .map(|trace| (trace, "shop", 0, 1, false))
        .collect();
    let spans = batch(&rows);
    let said = verdicts(&judge(&list), &spans);
    assert_eq!(said, verdicts(&judge(&list), &spans));
    let kept = said.values().filter(|(is_kept, _)| *is_kept).count();
    assert!((1_900..2_100).contains(&kept), "{kept}");
    // A larger share has all of a smaller one, so that a change of the share splits no trace that stayed.
    let more = verdicts(
        &judge(&json!([{"name": "few", "keep": {"probability": 0.2}}])),
        &spans,
    );
    assert!(said.iter().all(|(id, (is_kept, _))| !is_kept || more[id].0));
    let all = verdicts(
        &judge(&json!([{"name": "few", "keep": {"probability": 1}}])),
        &spans,
    );
    assert!(all.values().all(|(is_kept, _)| *is_kept));
    let none = verdicts(
        &judge(&json!([{"name": "few", "keep": {"probability": 0}}])),
        &spans,
    );
    assert!(!none.values().any(|(is_kept, _)| *is_kept));
}

#[test]
fn shares_never_change_from_version_to_version() {
    let list = json!([{"name": "half", "keep": {"probability": 0.5}}]);
    let rows: Vec<Row> = (1..=16).map(|trace| (trace, "shop", 0, 1, false)).collect();
    let said = verdicts(&judge(&list), &batch(&rows));
    let kept: Vec<u8> = (said.iter().filter(|(_, (is_kept, _))| *is_kept))
        .map(|(id, _)| id.0[15])
        .collect();
    assert_eq!(kept, [1, 2, 8, 10, 15, 16]);
}

#[test]
fn so_many_traces_of_a_second_stay_and_one_that_is_judged_again_stays_again() {
    let judge = judge(&json!([{"name": "some", "keep": {"traces_per_second": 3}}]));
    let rows: Vec<Row> = (1..=20)
        .map(|trace| (trace, "shop", trace * 100, 5_000, false))
        .collect();
    let spans = batch(&rows);
    let said = verdicts(&judge, &spans);
    let mut of_second: BTreeMap<u64, usize> = BTreeMap::new();
    for span in spans.iter().filter(|span| said[&span.trace_id()].0) {
        *of_second.entry(span.start() / SECOND).or_default() += 1;
    }
    // 9 traces start in the first second, 10 in the next, one at the end.
    assert_eq!(of_second, BTreeMap::from([(0, 3), (1, 3), (2, 1)]));
    assert_eq!(verdicts(&judge, &spans), said);
}

#[test]
fn what_rates_remember_is_bounded() {
    let judge = judge(&json!([{"name": "some", "keep": {"traces_per_second": 10_000}}]));
    let spans = batch(&[(1, "shop", 0, 1, false)]);
    for trace in 0..150_000u64 {
        let verdict = judge.judge(&WholeTrace {
            tenant: &TenantId::default(),
            trace_id: id(trace),
            spans: &spans,
            rows: &[0],
            start: trace / 5_000 * SECOND,
            end: 0,
        });
        assert!(verdict.is_kept);
    }
    assert!(judge.remembered() <= 100_000);
}

#[test]
fn every_mistake_is_told_with_its_policy_and_key() {
    let list = json!([
        {"name": "a b", "keep": "always", "when": {"errors": 1}},
        {"name": "a", "keep": "sometimes", "when": {"slower_than": "fast", "query": "{ nonsense"}},
        {"name": "a", "keep": {"probability": 2}},
        {"name": "d", "keep": {"probability": 0.5, "traces_per_second": 1}, "when": {"services": []}},
        {"name": "e", "keep": {"traces_per_second": 1_000_000}, "when": {"servces": ["x"]}},
        {"name": "f", "keep": {}},
        "g",
    ]);
    let mistakes = TailPolicies::read(list.as_array().unwrap()).unwrap_err();
    let wanted = [
        "policy 1.name: write up to 64 letters",
        "policy 1.when.errors: a number is no boolean",
        "policy 2.when.query: ",
        "policy 2.when.slower_than: \"fast\" is no duration",
        "policy 2.keep: write always, never, {probability: 0.1} or {traces_per_second: 10}",
        "policy 3.name: \"a\" is another one's",
        "policy 3.keep.probability: write a number from 0 to 1",
        "policy 3.when: is missing, so that no trace comes to the policies behind it",
        "policy 4.when.services: names none",
        "policy 4.keep: has both",
        "policy 5.when: unknown key servces",
        "policy 5.keep.traces_per_second: write a whole number up to 10000",
        "policy 6.keep: says nothing",
        "policy 7 is a text; write a map of keys",
    ];
    for wanted in wanted {
        let is_told = mistakes.iter().any(|mistake| mistake.starts_with(wanted));
        assert!(is_told, "{wanted} is not in {mistakes:#?}");
    }
    let many: Vec<Value> = vec![json!({"name": "x", "keep": "always"}); 65];
    assert!(TailPolicies::read(&many).unwrap_err()[0].contains("too many"));
}

proptest! {
    #[test]
    fn every_trace_is_judged_by_its_spans_alone_whatever_lies_between_them(
        rows in prop::collection::vec(
            (1u64..9, prop::sample::select(vec!["shop", "cart", "db"]), 0u64..3_000, 0u64..900, any::<bool>()),
            1..60,
        ),
    ) {
        let list = json!([
            {"name": "errors", "when": {"errors": true, "services": "shop"}, "keep": "always"},
            {"name": "slow", "when": {"slower_than": "700ms"}, "keep": {"traces_per_second": 2}},
            {"name": "cart", "when": {"query": "{ trace:spanCount = 1 }", "services": "cart"}, "keep": "never"},
            {"name": "rest", "keep": {"probability": 0.5}},
        ]);
        let said = verdicts(&judge(&list), &batch(&rows));
        // Each trace alone, in the same order.
        let alone = judge(&list);
        for (trace, verdict) in &said {
            let rows: Vec<Row> = rows.iter().filter(|row| id(row.0) == *trace).copied().collect();
            prop_assert_eq!(&verdicts(&alone, &batch(&rows))[trace], verdict);
        }
    }
}
