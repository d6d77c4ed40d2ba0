//! The contract suite on a Trackway that is asked through the storage API: every other store passes it as well.

use std::sync::Arc;
use std::time::Duration;

use backends::remote::{Remote, RemoteOptions, RemoteWriter};
use model::contract::Answer;
use plumbing::CpuPool;
use testkit::contract::{Subject, run};
use testkit::spans::START_UNIX_NANOS;

use crate::folder::Folder;
use crate::ledger;
use crate::program::Program;

const MINUTE_NANOS: u64 = 60_000_000_000;
/// What a process takes of one trace and of one search unless it is told otherwise.
const ANSWER_BYTES_MAX: usize = 64 << 20;
const SEARCH_TRACES_MAX: usize = 1_000;

#[test]
fn a_store_behind_the_storage_api_answers_as_the_contract_says() {
    let folder = Folder::new("storage-api-contract");
    let settings = [
        "access.tenants.header=x-tenant",
        "access.tenants.fallback=default",
        // Its spans are of all centuries.
        "store.retention.age=off",
    ];
    let flags: Vec<&str> = settings.iter().flat_map(|set| ["--set", *set]).collect();
    let program = Program::start_with(&folder.join("data"), &flags);
    let options = RemoteOptions {
        endpoint: program.addresses.storage_grpc.clone(),
        timeout: Duration::from_secs(30),
        tls: None,
        token: None,
        answer_bytes_max: ANSWER_BYTES_MAX,
        search_traces_max: SEARCH_TRACES_MAX,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _in_it = runtime.enter();
    let pool = CpuPool::start("judges", 1, 64).unwrap();
    let remote = Arc::new(Remote::new(options, pool).unwrap());
    let writer = RemoteWriter(Arc::clone(&remote));
    let subject = Subject {
        name: "remote",
        writer: &writer,
        reader: &*remote,
        // What is acknowledged is found.
        settle: &|| Box::pin(std::future::ready(())) as Answer<'static, ()>,
        keeps: &Clone::clone,
        base_unix_nanos: START_UNIX_NANOS / MINUTE_NANOS * MINUTE_NANOS,
    };
    let report = runtime.block_on(run(&subject)).unwrap();
    println!("{report}");
    assert!(report.failed.is_empty(), "{report}");
    assert!(report.passed >= 80, "{report}");
    ledger::check(&program);
}
