//! Servers that are away for a while: who sends meanwhile, how long it takes, and what the program says of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::http::{self, Connection};
use crate::load::{Numbers, Outcome, Request, Truth, send};
use crate::program::Program;
use crate::wait::{let_pass, until};

/// Far longer than anything takes to come back.
pub(crate) const RECOVERY_MAX: Duration = Duration::from_secs(60);
const CONNECTIONS: u64 = 3;

/// Senders that send each request until it is acknowledged, as SDKs do.
pub(crate) struct Persistent {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<(Vec<Request>, u64)>>,
}

impl Persistent {
    pub(crate) fn start(program: &Program, seed: u64) -> Self {
        Self::start_at(&program.addresses.otlp_http, seed, |error| {
            panic!("the program itself is away: {error}")
        })
    }

    /// The same to an address behind which programs come and go: who gets no answer sends the same again.
    pub(crate) fn start_behind(address: &str, seed: u64) -> Self {
        Self::start_at(address, seed, |_| {})
    }

    fn start_at(address: &str, seed: u64, on_error: fn(io::Error)) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..CONNECTIONS).map(|number| {
            let (stop, address) = (Arc::clone(&stop), address.to_owned());
            let seed = Numbers::new(seed.wrapping_add(number)).next();
            std::thread::spawn(move || send_persistently(&stop, &address, seed, on_error))
        });
        Self {
            threads: threads.collect(),
            stop,
        }
    }

    /// Ends them; adds what was acknowledged, and tells how often they were refused.
    pub(crate) fn stop_into(self, truth: &mut Truth) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let mut refused = 0;
        for thread in self.threads {
            let (kept, refusals) = thread.join().unwrap();
            refused += refusals;
            kept.into_iter()
                .for_each(|request| truth.acknowledge(request));
        }
        refused
    }
}

fn send_persistently(
    stop: &AtomicBool,
    address: &str,
    seed: u64,
    on_error: fn(io::Error),
) -> (Vec<Request>, u64) {
    let (mut kept, mut refused) = (Vec::new(), 0);
    for number in 0.. {
        let request = Request::new(seed, number, 0);
        loop {
            let sent = Connection::open(address).and_then(|mut open| send(&mut open, &request));
            match sent {
                Ok(Outcome::Acknowledged) => break,
                Ok(Outcome::Refused(429 | 503, _)) => refused += 1,
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    on_error(error);
                    refused += 1;
                }
            }
            let_pass(Duration::from_millis(100));
        }
        kept.push(request);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    (kept, refused)
}

/// How long the server is paused: longer than a request may take, or as `TRACKWAY_OUTAGE_SECONDS` says.
pub(crate) fn pause() -> Duration {
    let given = std::env::var("TRACKWAY_OUTAGE_SECONDS").ok();
    let seconds = given.and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(5))
}

fn ready(program: &Program) -> http::Answer {
    http::get(&program.addresses.admin, "/ready").unwrap()
}

/// Why it is not ready, once that is known.
pub(crate) fn until_not_ready(program: &Program) -> String {
    let said = until(RECOVERY_MAX, || {
        let answer = ready(program);
        let is_known = answer.status != 200 && !answer.text().contains("it has not answered yet");
        is_known.then(|| answer.text())
    });
    said.expect("it should say that it is not ready")
}

pub(crate) fn until_ready(program: &Program) {
    let is_ready = until(RECOVERY_MAX, || {
        (ready(program).status == 200).then_some(())
    });
    is_ready.unwrap_or_else(|| panic!("not ready: {}", ready(program).text()));
}
