//! Spans on their way through a real Kafka, with SASL over TLS: collectors write, ingesters take them to a store, and
//! any of them, the brokers and the store too, are killed or away.
//!
//! Promises checked: a span that a collector has acknowledged is found exactly once with all its content; what can't be
//! taken is refused with the reason, `/ready` says it too, and all is well again without a start.

use std::time::Duration;

use crate::folder::Folder;
use crate::http;
use crate::ledger::total;
use crate::load::{Load, Numbers, Truth, seed};
use crate::outages::{Persistent, RECOVERY_MAX, pause, until_not_ready, until_ready};
use crate::program::{COLLECTOR_LISTENERS, Program};
use crate::server::{Server, USER};
use crate::wait::{Stopwatch, let_pass, report, until};

const KILLS: u64 = 10;
const CONNECTIONS: u64 = 3;
/// Those of the topic, which the server makes by itself.
const PARTITIONS: usize = 4;
const OF_INGESTERS: [&str; 2] = ["admin", "health"];

/// Programs around a server, and what is known of their spans.
struct Scene {
    server: Server,
    folder: Folder,
    store: Option<Program>,
    /// Where the store listens, whichever process it is.
    store_address: String,
    kafka: Vec<String>,
    truth: Truth,
    numbers: Numbers,
}

fn sets(settings: impl IntoIterator<Item = String>) -> Vec<String> {
    let flags = settings.into_iter();
    flags
        .flat_map(|setting| ["--set".to_owned(), setting])
        .collect()
}

impl Scene {
    fn new(server: Server, seed: u64) -> Self {
        let folder = Folder::new("kafka");
        let store = Program::start_with(&folder.join("data"), &[]);
        let kafka = sets([
            format!("backend.kafka.brokers={}", server.url),
            format!("backend.kafka.username={USER}"),
            format!(
                "backend.kafka.password_file={}",
                server.password_file().display()
            ),
            "backend.kafka.mechanism=SCRAM-SHA-512".to_owned(),
            "backend.kafka.tls.enabled=on".to_owned(),
            format!("backend.kafka.tls.ca_file={}", server.ca_file().display()),
            "backend.kafka.timeout=3s".to_owned(),
            "backend.kafka.session_timeout=1s".to_owned(),
        ]);
        Self {
            store_address: store.addresses.storage_grpc.clone(),
            store: Some(store),
            server,
            folder,
            kafka,
            truth: Truth::default(),
            numbers: Numbers::new(seed),
        }
    }

    fn collector(&self) -> Program {
        let mut flags = self.kafka.clone();
        flags.extend(sets(["backend.kind=kafka".to_owned()]));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Program::start_role("collector", &COLLECTOR_LISTENERS, &flags)
    }

    fn ingester(&self) -> Program {
        let mut flags = self.kafka.clone();
        flags.extend(sets([
            "backend.kind=remote".to_owned(),
            format!("backend.remote.endpoint={}", self.store_address),
            "backend.remote.timeout=3s".to_owned(),
        ]));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Program::start_role("ingester", &OF_INGESTERS, &flags)
    }

    fn start_store_again(&mut self) {
        let address = format!("listen.storage_grpc={}", self.store_address);
        let flags = ["--set", address.as_str()];
        self.store = Some(Program::start_with(&self.folder.join("data"), &flags));
    }

    /// Checks every span, once none waits any more.
    fn check(&self, ingesters: &[&Program]) {
        let is_drained = || {
            let waiting: Vec<u64> = ingesters.iter().flat_map(|one| lag(one)).collect();
            (waiting.len() == PARTITIONS && waiting.iter().all(|count| *count == 0)).then_some(())
        };
        let drained = until(RECOVERY_MAX, is_drained);
        assert!(
            drained.is_some(),
            "messages wait: {:?}",
            ingesters.iter().map(|one| lag(one)).collect::<Vec<_>>()
        );
        let store = self.store.as_ref().unwrap();
        self.truth.check(store, &self.truth.trace_ids());
    }
}

/// How many messages wait in each partition that an ingester reads.
fn lag(ingester: &Program) -> Vec<u64> {
    let answer = http::get(&ingester.addresses.admin, "/metrics").unwrap();
    let text = answer.text();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("trackway_ingester_lag_messages{"));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect()
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let found = until(RECOVERY_MAX, || holds().then_some(()));
    assert!(found.is_some(), "{what}: not after {RECOVERY_MAX:?}");
}

#[test]
fn kafka_brings_every_acknowledged_span_over_kills_and_outages() {
    let Some(server) = Server::start("kafka", true) else {
        return;
    };
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");
    let mut scene = Scene::new(server, seed);
    let (collector, ingester) = kill_who_carries(&mut scene);
    kill_the_broker(&mut scene, &collector, &ingester);
    pause_the_broker(&mut scene, &collector, &ingester);
    let ingester = kill_the_store(&mut scene, &collector, ingester);
    share_the_work(&mut scene, &collector, ingester);
}

fn kill_who_carries(scene: &mut Scene) -> (Program, Program) {
    let watch = Stopwatch::start();
    let (mut collector, mut ingester) = (scene.collector(), scene.ingester());
    for _ in 0..KILLS {
        let load = Load::start(&collector, scene.numbers.next(), CONNECTIONS, 0);
        wait_for("messages are kept", || {
            total(&ingester, "ingester_messages_total") > 0
        });
        let_pass(Duration::from_millis(scene.numbers.below(300)));
        ingester.kill();
        let_pass(Duration::from_millis(scene.numbers.below(300)));
        collector.kill();
        load.stop_into(&mut scene.truth);
        (collector, ingester) = (scene.collector(), scene.ingester());
        scene.truth.resend_unsure(&collector);
    }
    scene.check(&[&ingester]);
    let spans = scene.truth.span_count();
    assert!(spans > 0, "nothing was acknowledged, so nothing was shown");
    report(&format!(
        "kafka: {KILLS} kills of collector and ingester in {:.1} s, {spans} spans acknowledged and found",
        watch.elapsed().as_secs_f64(),
    ));
    (collector, ingester)
}

fn kill_the_broker(scene: &mut Scene, collector: &Program, ingester: &Program) {
    let load = Persistent::start(collector, scene.numbers.next());
    let_pass(Duration::from_millis(500));
    scene.server.signal("KILL");
    let is_gone = until(RECOVERY_MAX, || (!scene.server.is_alive()).then_some(()));
    is_gone.expect("a killed process ends");
    let said = until_not_ready(collector);
    assert!(said.contains("Kafka at localhost:"), "{said}");
    scene.server.start_again();
    until_ready(collector);
    until_ready(ingester);
    let_pass(Duration::from_millis(500));
    let refused = load.stop_into(&mut scene.truth);
    assert!(refused > 0, "nobody sent while the broker was away");
    scene.check(&[ingester]);
}

fn pause_the_broker(scene: &mut Scene, collector: &Program, ingester: &Program) {
    let load = Persistent::start(collector, scene.numbers.next());
    let_pass(Duration::from_millis(300));
    scene.server.signal("STOP");
    let_pass(pause());
    let said = until_not_ready(collector);
    assert!(said.contains("within 3 s"), "{said}");
    scene.server.signal("CONT");
    until_ready(collector);
    let refused = load.stop_into(&mut scene.truth);
    assert!(refused > 0, "nobody sent while the broker was paused");
    until_ready(ingester);
    scene.check(&[ingester]);
}

/// Messages wait where they are while the store is away, whatever becomes of the ingester.
fn kill_the_store(scene: &mut Scene, collector: &Program, ingester: Program) -> Program {
    let load = Load::start(collector, scene.numbers.next(), CONNECTIONS, 0);
    let_pass(Duration::from_millis(200));
    scene.store.take().unwrap().kill();
    wait_for("writes are tried again", || {
        total(&ingester, "ingester_writes_again_total") > 0
    });
    let said = until_not_ready(&ingester);
    assert!(said.contains(&scene.store_address), "{said}");
    load.stop_into(&mut scene.truth);
    ingester.kill();
    let ingester = scene.ingester();
    scene.start_store_again();
    until_ready(&ingester);
    scene.check(&[&ingester]);
    ingester
}

/// Two of a group share the partitions, and one that is killed leaves them to the other.
fn share_the_work(scene: &mut Scene, collector: &Program, first: Program) {
    let second = scene.ingester();
    wait_for("both read", || {
        let counts = [&first, &second].map(|one| lag(one).len());
        !counts.contains(&0) && counts.iter().sum::<usize>() == PARTITIONS
    });
    let load = Load::start(collector, scene.numbers.next(), CONNECTIONS, 0);
    wait_for("both keep", || {
        [&first, &second]
            .iter()
            .all(|one| total(one, "ingester_messages_total") > 0)
    });
    first.kill();
    let_pass(Duration::from_millis(300));
    load.stop_into(&mut scene.truth);
    scene.check(&[&second]);
    let log = second.stop().log;
    assert!(!log.contains("sekrit"), "{log}");
}
