//! Filters that fit into no memory and are read where they are probed.

use journal::{Fault, FaultScope};
use model::Predicate;
use model::contract::SearchRequest;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use testkit::oracle::OracleStore;

use super::machine::{Machine, START, options};
use super::questions::{self, all, compare_count, compare_search, is_uid};
use super::traffic::{SpanSpec, encode, incoming, tenant};
use crate::finalise::When;
use crate::options::StoreOptions;

/// With so many values in a granule its filter is stored as it is.
const SPANS: u64 = 9_000;
/// What is sent at a time: the first two become one segment.
const REQUESTS: u64 = 3;
const MERGED: u64 = 2;
const SEGMENTS: usize = 2;
/// In so small a cache filters of more than 8 KiB are left in the files.
const SMALL_CACHE_BYTES: u64 = 32 << 10;

fn request(number: u64) -> Vec<SpanSpec> {
    let first = number * SPANS + 1;
    let spec = |id: u64| SpanSpec {
        trace: id / 4,
        id,
        parent: 0,
        service: (id % 5) as usize,
        name: (id % 4) as usize,
        start: START + id / 100 * 1_000_000_000,
        lasting: id % 7 * 500_000_000,
        version: 0,
        is_error: id.is_multiple_of(9),
    };
    (first..first + SPANS).map(spec).collect()
}

/// A store of some segments, of which the first are merged into one, and the plain store with the same spans.
fn stores() -> (Machine, OracleStore) {
    let machine = Machine::with(StoreOptions {
        head_spans_max: 20_000,
        finalise_spans_max: REQUESTS * SPANS,
        group_spans_max: 4_000,
        journal_file_bytes: 1 << 24,
        ..options()
    });
    let oracle = OracleStore::new();
    for number in 0..REQUESTS {
        let batch = incoming(&tenant(0), &encode(&request(number)));
        oracle.keep(&tenant(0), &batch.batch);
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        assert!(machine.freeze(true));
        if number + 1 == MERGED {
            assert!(machine.finalise(When::NOW));
        }
    }
    (machine, oracle)
}

/// By segment: whether its filters are read in its file.
fn are_in_file(machine: &Machine) -> Vec<bool> {
    let view = machine.engine().view(&tenant(0));
    let segments = view.segments.iter();
    let filters = segments.map(|placed| placed.segment.filters().unwrap());
    filters.map(|filters| filters.is_in_file()).collect()
}

fn uids() -> Vec<SearchRequest> {
    let absent = ["uid-0", "uid-", "", "uid-27001"].map(str::to_owned);
    let ids = (1..SPANS * REQUESTS).step_by(911);
    let uids = ids.map(|id| format!("uid-{id}")).chain(absent);
    uids.map(|uid| all(&tenant(0), is_uid(&uid))).collect()
}

#[test]
fn answers_are_the_same_whether_filters_are_in_memory_or_read_in_their_files() {
    let (mut machine, oracle) = stores();
    for (cache_bytes, in_file) in [(8 << 20, false), (SMALL_CACHE_BYTES, true)] {
        machine.options.cache_bytes = cache_bytes;
        machine.restart();
        assert_eq!(are_in_file(&machine), [in_file; SEGMENTS]);
        for request in uids() {
            compare_search(machine.engine(), &oracle, &request);
            compare_count(machine.engine(), &oracle, &request);
        }
        let mut rng = SmallRng::seed_from_u64(5);
        for _ in 0..40 {
            let request = SearchRequest {
                limit: 20,
                ..questions::random(&mut rng, &tenant(0))
            };
            compare_count(machine.engine(), &oracle, &request);
        }
    }
}

#[test]
fn a_segment_whose_filters_can_not_be_read_is_named_and_never_taken_for_one_without_a_match() {
    let (mut machine, _) = stores();
    machine.options.cache_bytes = SMALL_CACHE_BYTES;
    machine.restart();
    let is_any = |ids: [u64; 2]| Predicate::Or(ids.map(|id| is_uid(&format!("uid-{id}"))).into());
    // One in each segment.
    let request = all(&tenant(0), is_any([5, SPANS * REQUESTS - 5]));
    let ask = || machine.engine().search(&request, &|| false).unwrap();
    let wanted = ask();
    assert_eq!((wanted.traces.len(), wanted.skipped.len()), (2, 0));
    let before = machine.files.operations();
    ask();
    let operations = machine.files.operations() - before;
    let mut skipped = 0;
    for nth in 1..=operations {
        let files = &machine.files;
        let logged = files.operation_log().len();
        files.fail_operation(nth, Fault::IO, FaultScope::Once);
        let answer = ask();
        files.clear_faults();
        let log = files.operation_log();
        let mut asked = log.iter().skip(logged).zip(1..);
        let Some((failed, _)) = asked.find(|(_, at)| *at == nth) else {
            // What the cache had this time was not read.
            continue;
        };
        assert!(!answer.skipped.is_empty(), "{failed}: {answer:?}");
        skipped += usize::from(failed.starts_with("read_at") && failed.ends_with(".tix"));
        for hit in answer.traces {
            assert!(wanted.traces.contains(&hit), "{failed}");
        }
    }
    assert!(skipped >= 4, "{skipped} of {operations}");
}
