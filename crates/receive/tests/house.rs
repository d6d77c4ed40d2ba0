//! A receiver on real sockets, with a writer whose mood the test sets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::Gate;
use model::TenantId;
use model::contract::{Answer, BatchProcessor, IncomingBatch, Kept, SpanWriter, WriteError};
use plumbing::{ByteBudget, CpuPool, Metrics, RealClock, Shutdown, Tasks};
use receive::{Counts, Limits, Receiver, ReceiverParts, Transport, serve, serve_udp};
use sampling::FileStrategies;
use tokio::sync::{mpsc, watch};

pub(crate) const MIB: u64 = 1024 * 1024;
/// The ways without connections.
const UDP: [Transport; 3] = [
    Transport::UdpCompact,
    Transport::UdpBinary,
    Transport::UdpZipkin,
];

/// Fails when something that must happen does not within ten seconds.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what)
        .await
        .expect("nothing happened for 10 s")
}

/// What the writer does with the next batch.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    Keep,
    Refuse(WriteError),
    /// Waits for `Writer::release`, then keeps.
    Hold,
}

/// Keeps batches in memory, or does not.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    kept: Mutex<Vec<IncomingBatch>>,
    begun: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Writer {
    fn new() -> Arc<Self> {
        let (begun, released) = (watch::Sender::new(0), watch::Sender::new(false));
        Arc::new(Self {
            shared: Arc::new(Shared {
                mood: Mutex::new(Mood::Keep),
                kept: Mutex::default(),
                begun,
                released,
            }),
        })
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// Lets everything go that is held.
    pub(crate) fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// Waits until so many writes were begun.
    pub(crate) async fn begun(&self, count: usize) {
        soon(
            self.shared
                .begun
                .subscribe()
                .wait_for(|begun| *begun >= count),
        )
        .await
        .unwrap();
    }

    pub(crate) fn begun_count(&self) -> usize {
        *self.shared.begun.borrow()
    }

    pub(crate) fn with_kept<T>(&self, look: impl FnOnce(&[IncomingBatch]) -> T) -> T {
        look(&self.shared.kept.lock().unwrap())
    }

    pub(crate) fn kept_spans(&self) -> usize {
        self.with_kept(|kept| kept.iter().map(|incoming| incoming.batch.len()).sum())
    }

    /// The names of all spans kept, in the order of their arrival.
    pub(crate) fn kept_names(&self) -> Vec<String> {
        self.with_kept(|kept| {
            kept.iter()
                .flat_map(|incoming| incoming.batch.iter().map(|span| span.name().to_owned()))
                .collect()
        })
    }
}

impl SpanWriter for Writer {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let mood = shared.mood.lock().unwrap().clone();
            shared.begun.send_modify(|begun| *begun += 1);
            match mood {
                Mood::Keep => {}
                Mood::Refuse(error) => return Err(error),
                Mood::Hold => drop(
                    shared
                        .released
                        .subscribe()
                        .wait_for(|released| *released)
                        .await
                        .unwrap(),
                ),
            }
            let spans = u64::try_from(incoming.batch.len()).unwrap();
            shared.kept.lock().unwrap().push(incoming);
            Ok(Kept {
                spans,
                duplicate_spans: 0,
            })
        })
    }

    fn readiness(&self) -> Result<(), String> {
        match &*self.shared.mood.lock().unwrap() {
            Mood::Refuse(error) => Err(error.to_string()),
            Mood::Keep | Mood::Hold => Ok(()),
        }
    }
}

/// How a house is built.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) limits: Limits,
    pub(crate) budget_bytes: u64,
    pub(crate) pool_queue_jobs_max: usize,
    pub(crate) processor: Option<Arc<dyn BatchProcessor>>,
    pub(crate) gate: Gate,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            budget_bytes: 512 * MIB,
            pool_queue_jobs_max: 64,
            processor: None,
            gate: Gate::open(),
        }
    }
}

/// A running receiver.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) doors: HashMap<Transport, SocketAddr>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) budget: ByteBudget,
    pub(crate) pool: CpuPool,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: Tasks,
    pub(crate) shutdown: Shutdown,
    served: mpsc::Receiver<std::io::Result<()>>,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::open_with(|_| {})
    }

    pub(crate) fn open_with(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan::default();
        change(&mut plan);
        let writer = Writer::new();
        let (budget, metrics) = (ByteBudget::new(plan.budget_bytes), Metrics::new());
        let pool = CpuPool::start("decode", 2, plan.pool_queue_jobs_max).unwrap();
        let receiver = Receiver::new(
            Arc::clone(&writer) as Arc<dyn SpanWriter>,
            ReceiverParts {
                pool: pool.clone(),
                budget: budget.clone(),
                clock: Arc::new(RealClock::default()),
                metrics: &metrics,
                limits: plan.limits,
                tenant: TenantId::default(),
                gate: plan.gate,
                strategies: Arc::new(FileStrategies::without_file(0.25)),
                processor: plan.processor,
            },
        );
        let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
        let (tell, served) = mpsc::channel(Transport::ALL.len());
        let mut doors = HashMap::new();
        for transport in Transport::ALL {
            let (receiver, stop) = (Arc::clone(&receiver), shutdown.clone());
            let tell = tell.clone();
            if UDP.contains(&transport) {
                let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
                doors.insert(transport, socket.local_addr().unwrap());
                let serving = serve_udp(transport, receiver, vec![socket], stop, tasks.clone());
                tasks.spawn(async move { tell.send(serving.await).await.unwrap() });
            } else {
                let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                doors.insert(transport, socket.local_addr().unwrap());
                let serving = serve(transport, receiver, vec![socket], stop, tasks.clone());
                tasks.spawn(async move { tell.send(serving.await).await.unwrap() });
            }
        }
        let (http, grpc) = (doors[&Transport::OtlpHttp], doors[&Transport::OtlpGrpc]);
        Self {
            http,
            grpc,
            doors,
            writer,
            receiver,
            budget,
            pool,
            metrics,
            tasks,
            shutdown,
            served,
        }
    }

    pub(crate) fn counts(&self, transport: Transport) -> Counts {
        let counts = self.receiver.ledger().counts(transport);
        assert!(
            counts.is_balanced(),
            "something is not accounted for: {counts:?}"
        );
        counts
    }

    /// Waits until the counts of a transport are as asked.
    pub(crate) async fn until(
        &self,
        transport: Transport,
        is_so: impl Fn(&Counts) -> bool,
    ) -> Counts {
        soon(async {
            loop {
                let counts = self.counts(transport);
                if is_so(&counts) {
                    return counts;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
    }

    /// Keeps one thread of the pool busy until the sender is dropped.
    pub(crate) async fn block_pool_thread(&self) -> std::sync::mpsc::Sender<()> {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (started, begun) = tokio::sync::oneshot::channel();
        let pool = self.pool.clone();
        self.tasks.spawn(async move {
            let done = pool.run(move || {
                started.send(()).unwrap();
                let _released = wait.recv();
            });
            assert_eq!(done.await, Ok(()));
        });
        soon(begun).await.unwrap();
        release
    }

    /// Stops, waits for everything, and checks that nothing is left under way or unaccounted for.
    pub(crate) async fn close(mut self) {
        self.shutdown.begin();
        for _ in Transport::ALL {
            soon(self.served.recv()).await.unwrap().unwrap();
        }
        soon(self.tasks.wait()).await;
        for transport in Transport::ALL {
            let counts = self.counts(transport);
            let left = (
                counts.requests.in_flight,
                counts.spans.in_flight,
                counts.bytes.in_flight,
            );
            assert_eq!((left, counts.connections), ((0, 0, 0), 0), "{transport:?}");
        }
        assert_eq!(self.budget.used(), 0, "memory that was not given back");
        assert!(self.budget.peak() <= self.budget.limit());
        let accepted: u64 = Transport::ALL
            .into_iter()
            .map(|way| self.counts(way).spans.accepted)
            .sum();
        assert_eq!(
            accepted,
            u64::try_from(self.writer.kept_spans()).unwrap(),
            "acknowledged is not kept"
        );
    }
}

/// A request of so many spans, all good.
pub(crate) fn spans(count: usize) -> Vec<u8> {
    let one_more = |request: testkit::spans::RequestBuilder, at| {
        request.span(&format!("span {at}"), |span| span)
    };
    (0..count)
        .fold(testkit::spans::request().service("shop"), one_more)
        .encode()
}

/// A request of so many MiB, one span of one MiB each.
pub(crate) fn mebibytes(count: usize) -> Vec<u8> {
    let text = "x".repeat(1024 * 1024);
    let one_more = |request: testkit::spans::RequestBuilder, at| {
        request.span(&format!("span {at}"), |span| {
            span.attr("text", format!("{at}{text}").as_str())
        })
    };
    (0..count)
        .fold(testkit::spans::request().service("shop"), one_more)
        .encode()
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
