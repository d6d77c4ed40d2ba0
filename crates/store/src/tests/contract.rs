//! The contract suite of `testkit`, with everything in memory and with everything merged.

use std::path::PathBuf;
use std::sync::Arc;

use journal::SimFiles;
use model::SpanBatch;
use model::contract::Answer;
use testkit::contract::{Subject, run};
use testkit::spans::START_UNIX_NANOS;

use super::threads::{open, wait};
use crate::Store;
use crate::options::StoreOptions;

const MINUTE: u64 = 60_000_000_000;

fn check(name: &str, settle: impl Fn(&Store) + Sync) {
    let options = StoreOptions::new(PathBuf::from("/data"));
    let store = open(Arc::new(SimFiles::new()), options).unwrap();
    let report = wait(run(&Subject {
        name,
        writer: &store,
        reader: &store,
        settle: &|| {
            settle(&store);
            Box::pin(std::future::ready(())) as Answer<'static, ()>
        },
        keeps: &SpanBatch::clone,
        base_unix_nanos: START_UNIX_NANOS / MINUTE * MINUTE,
    }))
    .unwrap();
    store.stop();
    println!("{report}");
    assert!(
        report.failed.is_empty() && report.lacking.is_empty(),
        "{report}"
    );
    assert!(report.passed >= 80, "{report}");
}

#[test]
fn what_is_in_memory_answers_as_the_contract_says() {
    check("the embedded store, in memory", |_| {});
}

#[test]
fn what_is_merged_answers_as_the_contract_says() {
    check("the embedded store, merged", |store| {
        store.finalise_now().unwrap();
    });
}
