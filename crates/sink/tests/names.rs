//! Names of collectors whose addresses change, or are not all alive.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::contract::Answer;
use sink::{DeliveryOptions, Resolver, Target};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;

use crate::double::{Double, Folder, House, Say, options, until};

const MIB: u64 = 1 << 20;

/// One name whose addresses the test sets.
#[derive(Debug, Default)]
struct Names {
    /// None: the look-up fails.
    now: Mutex<Option<Vec<SocketAddr>>>,
    asked: Mutex<Vec<Target>>,
}

impl Names {
    fn of(addresses: &[SocketAddr]) -> Arc<Self> {
        let names = Arc::new(Self::default());
        names.set(Some(addresses));
        names
    }

    fn set(&self, addresses: Option<&[SocketAddr]>) {
        *self.now.lock().unwrap() = addresses.map(<[_]>::to_vec);
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Waits until what is set now is what the sink knows: a look-up began and the next one did, too.
    async fn known(&self) {
        let before = self.asked();
        until(|| self.asked() >= before + 2).await;
    }

    fn options(self: &Arc<Self>) -> DeliveryOptions {
        DeliveryOptions {
            collectors: vec![Target::parse("collector.test:4317").unwrap()],
            resolver: Arc::clone(self) as Arc<dyn Resolver>,
            // It is looked up every second at most.
            resolve_interval: Duration::ZERO,
            ..options(&[])
        }
    }
}

impl Resolver for Names {
    fn addresses<'a>(&'a self, target: &'a Target) -> Answer<'a, io::Result<Vec<SocketAddr>>> {
        self.asked.lock().unwrap().push(target.clone());
        let now = self.now.lock().unwrap().clone();
        let found = now.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(found))
    }
}

fn names(double: &Double) -> Vec<String> {
    let seen = double.seen().into_iter();
    let mut names: Vec<String> = seen.flat_map(|seen| seen.names).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_points_elsewhere_is_followed_and_nothing_is_lost_or_sent_twice() {
    let answers = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&answers);
    let old = Double::start(move |seen, _| match seen.names[0].as_str() {
        "held" => Say::Held(Arc::clone(&held)),
        _ => Say::Taken,
    })
    .await;
    let new = Double::start(|_, _| Say::Taken).await;
    let names_now = Names::of(&[old.address]);
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &names_now.options());
    house.deliver();
    house.write(&["first"]).await.unwrap();
    until(|| house.metric("sent_spans_total") == 1).await;
    house.write(&["held"]).await.unwrap();
    until(|| old.seen().len() == 2).await;
    // Both for a while, then the new one alone; the old one still answers, so nothing but the name tells.
    names_now.set(Some(&[old.address, new.address]));
    names_now.known().await;
    assert_eq!(house.metric("addresses"), 2);
    names_now.set(Some(&[new.address]));
    names_now.known().await;
    assert_eq!(house.metric("addresses"), 1);
    for count in 2..=9 {
        house.write(&["behind"]).await.unwrap();
        until(|| house.metric("sent_spans_total") == count).await;
    }
    assert_eq!(names(&new), ["behind"; 8]);
    // What was under way at the old address comes to its end there, and the connection with it.
    assert_eq!(
        (house.metric("waiting_spans"), old.open_connections()),
        (1, 1)
    );
    answers.add_permits(1);
    until(|| house.metric("sent_spans_total") == 10).await;
    until(|| old.open_connections() == 0).await;
    assert_eq!(names(&old), ["first", "held"]);
    assert_eq!(
        (house.metric("waiting_spans"), house.metric("connections")),
        (0, 1)
    );
    let asked = names_now.asked.lock().unwrap()[0].authority();
    assert_eq!(asked, "collector.test:4317");
    let host = |double: &Double| double.seen()[0].authority.clone();
    assert_eq!((host(&old), host(&new)), (asked.clone(), asked));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_refuses_is_passed_over_until_it_is_back() {
    // Bound and not listening: connections are refused, and nobody else gets the port.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let alive = Double::start(|_, _| Say::Taken).await;
    let names_now = Names::of(&[gone.local_addr().unwrap(), alive.address]);
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &names_now.options());
    house.deliver();
    let mut sent = 0;
    while sent < 20 || house.metric("retries_total{reason=\"unavailable\"}") == 0 {
        house.write(&["before"]).await.unwrap();
        sent += 1;
        until(|| house.metric("sent_spans_total") == sent).await;
    }
    assert_eq!(names(&alive).len() as u64, sent, "each once");
    assert_eq!(house.metric("addresses"), 2, "the name still has it");
    let back = Double::start_on(gone.listen(64).unwrap(), None, |_, _| Say::Taken);
    while back.seen().is_empty() {
        house.write(&["behind"]).await.unwrap();
        sent += 1;
        until(|| house.metric("sent_spans_total") == sent).await;
    }
    assert_eq!(
        (names(&alive).len() + names(&back).len()) as u64,
        sent,
        "each once"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_that_fails_or_finds_nothing_leaves_what_is_known() {
    let double = Double::start(|_, _| Say::Taken).await;
    let names_now = Names::of(&[double.address]);
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &names_now.options());
    house.deliver();
    let nothing: [Option<&[SocketAddr]>; 2] = [None, Some(&[])];
    for (nth, nothing) in nothing.into_iter().enumerate() {
        house.write(&["before"]).await.unwrap();
        until(|| house.metric("sent_spans_total") == 2 * nth as u64 + 1).await;
        names_now.set(nothing);
        names_now.known().await;
        assert!(house.metric("resolve_failures_total") > nth as u64);
        house.write(&["behind"]).await.unwrap();
        until(|| house.metric("sent_spans_total") == 2 * nth as u64 + 2).await;
        names_now.set(Some(&[double.address]));
        names_now.known().await;
    }
    assert_eq!(names(&double).len(), 4);
    house.close().await;
}
