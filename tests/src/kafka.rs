//! Spans on their way through a real Kafka, with SASL over TLS: collectors write, ingesters take them to a store, and
//! any of them, the brokers and the store too, are killed or away. The store is another Trackway, and in the long run a
//! real Cassandra as well, with a password over TLS.
//!
//! Promises checked: a span that a collector has acknowledged is found exactly once with all its content; what can't be
//! taken is refused with the reason, `/ready` says it too, and all is well again without a start.

use std::process::Command;
use std::time::Duration;

use crate::folder::Folder;
use crate::http;
use crate::ledger::total;
use crate::load::{Load, Numbers, Truth, seed};
use crate::outages::{Persistent, RECOVERY_MAX, pause, until_not_ready, until_ready};
use crate::program::{COLLECTOR_LISTENERS, Program, QUERY_LISTENERS, binary};
use crate::server::{Server, USER};
use crate::wait::{Stopwatch, let_pass, report, until};

const KILLS: u64 = 10;
const CONNECTIONS: u64 = 3;
/// Those of the topic, which the server makes by itself.
const PARTITIONS: usize = 4;
/// An ingester asks every two seconds how many messages wait; what it told before may be older than the last one.
const LAG_IS_TRUE_WITHIN: Duration = Duration::from_secs(5);
const OF_INGESTERS: [&str; 2] = ["admin", "health"];

/// Where the ingesters have spans kept.
enum Store {
    /// A Trackway that serves others.
    Served {
        folder: Folder,
        program: Option<Program>,
        /// Where it listens, whichever process it is.
        address: String,
    },
    /// Cassandra, and who finds spans there.
    Cassandra {
        server: Server,
        query: Program,
        flags: Vec<String>,
    },
}

impl Store {
    fn served() -> Self {
        let folder = Folder::new("kafka");
        let program = Program::start_with(&folder.join("data"), &[]);
        Self::Served {
            address: program.addresses.storage_grpc.clone(),
            program: Some(program),
            folder,
        }
    }

    fn cassandra(server: Server) -> Self {
        let password_file = server.password_file();
        let flags = sets([
            "backend.kind=cassandra".to_owned(),
            format!("backend.cassandra.servers={}", server.url),
            format!("backend.cassandra.username={USER}"),
            format!(
                "backend.cassandra.password_file={}",
                password_file.display()
            ),
            "backend.cassandra.tls.enabled=on".to_owned(),
            format!(
                "backend.cassandra.tls.ca_file={}",
                server.ca_file().display()
            ),
            "backend.cassandra.timeout=3s".to_owned(),
            // The load's spans are not of today.
            "backend.cassandra.schema.trace_ttl=off".to_owned(),
        ]);
        let mut init = Command::new(binary());
        let init = init.args(["storage", "init"]).args(&flags).output();
        let made = String::from_utf8(init.unwrap().stdout).unwrap();
        assert!(made.contains("table jaeger_v1_dc1.traces: made"), "{made}");
        let of_query: Vec<&str> = flags.iter().map(String::as_str).collect();
        let query = Program::start_role("query", &QUERY_LISTENERS, &of_query);
        Self::Cassandra {
            server,
            query,
            flags,
        }
    }

    /// What an ingester is told of it.
    fn flags(&self) -> Vec<String> {
        match self {
            Self::Served { address, .. } => sets([
                "backend.kind=remote".to_owned(),
                format!("backend.remote.endpoint={address}"),
                "backend.remote.timeout=3s".to_owned(),
            ]),
            Self::Cassandra { flags, .. } => flags.clone(),
        }
    }

    /// Who finds its spans.
    fn finder(&self) -> &Program {
        match self {
            Self::Served { program, .. } => program.as_ref().unwrap(),
            Self::Cassandra { query, .. } => query,
        }
    }

    /// Kills it; gives what others then say of it.
    fn kill(&mut self) -> String {
        match self {
            Self::Served {
                program, address, ..
            } => {
                program.take().unwrap().kill();
                address.clone()
            }
            Self::Cassandra { server, .. } => {
                server.signal("KILL");
                format!("Cassandra at {}", server.url)
            }
        }
    }

    fn start_again(&mut self) {
        match self {
            Self::Served {
                folder,
                program,
                address,
            } => {
                let setting = format!("listen.storage_grpc={address}");
                let flags = ["--set", setting.as_str()];
                *program = Some(Program::start_with(&folder.join("data"), &flags));
            }
            Self::Cassandra { server, query, .. } => {
                server.start_again();
                until_ready(query);
            }
        }
    }
}

/// Programs around a server, and what is known of their spans.
struct Scene {
    server: Server,
    store: Store,
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
    fn new(server: Server, store: Store) -> Self {
        let seed = seed();
        println!("replay with TRACKWAY_SEED={seed}");
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
            server,
            store,
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
        flags.extend(self.store.flags());
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Program::start_role("ingester", &OF_INGESTERS, &flags)
    }

    /// Checks every span, once none waits any more.
    fn check(&self, ingesters: &[&Program]) {
        let mut none_since: Option<Stopwatch> = None;
        let is_drained = || {
            let waiting: Vec<u64> = ingesters.iter().flat_map(|one| lag(one)).collect();
            if waiting.len() != PARTITIONS || waiting.iter().any(|count| *count != 0) {
                none_since = None;
                return None;
            }
            let since = *none_since.get_or_insert_with(Stopwatch::start);
            (since.elapsed() > LAG_IS_TRUE_WITHIN).then_some(())
        };
        let drained = until(RECOVERY_MAX, is_drained);
        assert!(
            drained.is_some(),
            "messages wait: {:?}",
            ingesters.iter().map(|one| lag(one)).collect::<Vec<_>>()
        );
        self.truth
            .check(self.store.finder(), &self.truth.trace_ids());
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
    let mut scene = Scene::new(server, Store::served());
    let (collector, ingester) = kill_who_carries(&mut scene);
    kill_the_broker(&mut scene, &collector, &ingester);
    pause_the_broker(&mut scene, &collector, &ingester);
    let ingester = kill_the_store(&mut scene, &collector, ingester);
    share_the_work(&mut scene, &collector, ingester);
}

/// Where there is time for it: two servers and these programs share two cores.
#[test]
fn cassandra_keeps_what_kafka_brings_over_kills_in_the_long_run() {
    if std::env::var_os("TRACKWAY_ALL_SERVERS").is_none() {
        return;
    }
    let (Some(server), Some(store)) = (
        Server::start("kafka", true),
        Server::start("cassandra", true),
    ) else {
        return;
    };
    let mut scene = Scene::new(server, Store::cassandra(store));
    let (collector, ingester) = kill_who_carries(&mut scene);
    kill_the_store(&mut scene, &collector, ingester);
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
    let name = scene.store.kill();
    wait_for("writes are tried again", || {
        total(&ingester, "ingester_writes_again_total") > 0
    });
    let said = until_not_ready(&ingester);
    assert!(said.contains(&name), "{said}");
    load.stop_into(&mut scene.truth);
    ingester.kill();
    let ingester = scene.ingester();
    scene.store.start_again();
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
