//! A collector that answers as it is told, and a sink with a folder of its own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use codec::otlp::{Detail, Encoding, ResourceAttributes, decode_proto, status_body, success_body};
use codec::wire::Writer;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use model::TenantId;
use model::contract::{IncomingBatch, Kept, SpanWriter as _, WriteError};
use plumbing::{Clock as _, CpuPool, Metrics, RealClock, RealRandom, Shutdown, Tasks};
use sink::{BufferOptions, Compression, DeliveryOptions, Sink, SinkParts, Target};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// What the double answers.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    Taken,
    /// Taken but for so many spans.
    TakenBut(u64),
    Status(i32),
    /// A status with a pause.
    StatusAfter(i32, u64),
    /// A status of HTTP with headers, as a proxy before a collector answers.
    Http(u16, Vec<(&'static str, String)>),
    /// Nothing, ever.
    Silence,
    /// Taken, but not before a permit is there.
    Held(Arc<Semaphore>),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) names: Vec<String>,
    /// Whom the request is for.
    pub(crate) authority: String,
    pub(crate) headers: HeaderMap,
    pub(crate) nanos: u64,
}

type Script = dyn Fn(&Seen, usize) -> Say + Send + Sync;

/// A collector that does as it is told.
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    open: Arc<AtomicUsize>,
    stop: Shutdown,
}

impl Double {
    /// The script is asked with the request and how many came before it.
    pub(crate) async fn start(
        script: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(None, script).await
    }

    /// The same with TLS.
    pub(crate) async fn start_with(
        tls: Option<tls::ServerTls>,
        script: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(listener, tls, script)
    }

    /// The same on a port that is open.
    pub(crate) fn start_on(
        listener: TcpListener,
        tls: Option<tls::ServerTls>,
        script: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let open = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&open);
        let (seen, stop) = (Arc::<Mutex<Vec<Seen>>>::default(), Shutdown::new());
        let (script, clock) = (
            Arc::new(script) as Arc<Script>,
            Arc::new(RealClock::default()),
        );
        let (all, stopped) = (Arc::clone(&seen), stop.clone());
        Tasks::new().spawn(async move {
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    () = stopped.begun() => return,
                };
                let (script, all, clock) =
                    (Arc::clone(&script), Arc::clone(&all), Arc::clone(&clock));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (script, all, clock) =
                        (Arc::clone(&script), Arc::clone(&all), Arc::clone(&clock));
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let seen = Seen {
                            names: names_in(&body),
                            authority: parts.uri.authority().unwrap().to_string(),
                            headers: parts.headers,
                            nanos: clock.monotonic_nanos(),
                        };
                        let before = {
                            let mut all = all.lock().unwrap();
                            all.push(seen.clone());
                            all.len() - 1
                        };
                        Ok::<_, Infallible>(answer(script(&seen, before)).await)
                    }
                });
                let (stopped, tls) = (stopped.clone(), tls.clone());
                let counted = Arc::clone(&counted);
                Tasks::new().spawn(async move {
                    let Some(stream) = tls::accept(tls.as_ref(), stream).await else {
                        return;
                    };
                    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service);
                    counted.fetch_add(1, Ordering::Relaxed);
                    tokio::select! {
                        served = serving => drop(served),
                        () = stopped.begun() => {}
                    }
                    counted.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self {
            address,
            seen,
            open,
            stop,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Connections that are open now.
    pub(crate) fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Its port is closed and its connections break off.
    pub(crate) fn kill(&self) {
        self.stop.begin();
    }
}

/// The names of all spans of a request's message, unpacked.
fn names_in(body: &[u8]) -> Vec<String> {
    let message = match body[0] {
        0 => body[5..].to_vec(),
        _ => zstd::decode_all(&body[5..]).unwrap(),
    };
    let batch = decode_proto(&message).unwrap().batch;
    let names = (0..batch.len()).map(|row| batch.span(row).unwrap().name().to_owned());
    names.collect()
}

async fn answer(say: Say) -> Response<http_body_util::combinators::BoxBody<Bytes, Infallible>> {
    let success = |rejected| {
        let message = success_body(Encoding::Proto, rejected, "");
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let body = [&[0], &length[..], &message].concat();
        let trailers =
            HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        let body = Full::new(Bytes::from(body)).with_trailers(async move { Some(Ok(trailers)) });
        Response::new(body.boxed())
    };
    let status = |code: i32, details: &[Detail]| {
        let mut response = Response::new(Full::new(Bytes::new()).boxed());
        let headers = response.headers_mut();
        headers.insert("grpc-status", code.into());
        headers.insert("grpc-message", "as%20told".parse().unwrap());
        let packed = STANDARD_NO_PAD.encode(status_body(Encoding::Proto, code, "as told", details));
        headers.insert("grpc-status-details-bin", packed.parse().unwrap());
        response
    };
    let mut response = match say {
        Say::Taken => success(0),
        Say::TakenBut(rejected) => success(rejected),
        Say::Status(code) => status(code, &[]),
        Say::StatusAfter(code, seconds) => status(code, &[Detail::RetryInfo { seconds }]),
        Say::Http(code, headers) => {
            let mut response = Response::new(Full::new(Bytes::from("<html>later")).boxed());
            *response.status_mut() = code.try_into().unwrap();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            return response;
        }
        Say::Silence => std::future::pending().await,
        Say::Held(permits) => {
            permits.acquire().await.unwrap().forget();
            success(0)
        }
    };
    response
        .headers_mut()
        .insert("content-type", "application/grpc".parse().unwrap());
    response
}

/// A folder that goes with the test.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trackway-sink-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A sink and what it counts.
pub(crate) struct House {
    pub(crate) sink: Arc<Sink>,
    metrics: Metrics,
    tasks: Tasks,
    stop: Shutdown,
    last_stop: Shutdown,
}

pub(crate) fn options(collectors: &[&Double]) -> DeliveryOptions {
    let target = |double: &&Double| Target::parse(&double.address.to_string()).unwrap();
    DeliveryOptions {
        collectors: collectors.iter().map(target).collect(),
        request_delay: Duration::from_millis(5),
        pause_min: Duration::from_millis(5),
        pause_max: Duration::from_millis(50),
        ..DeliveryOptions::default()
    }
}

impl House {
    pub(crate) fn open(folder: &Folder, bytes_max: u64, options: &DeliveryOptions) -> Self {
        let (metrics, tasks) = (Metrics::new(), Tasks::new());
        let buffer = BufferOptions {
            dir: folder.0.clone(),
            bytes_max,
            level: journal::Level::PageCache,
        };
        let parts = SinkParts {
            clock: Arc::new(RealClock::default()),
            random: Arc::new(RealRandom::default()),
            metrics: &metrics,
            pool: CpuPool::start("test", 1, 64).unwrap(),
            attributes: ResourceAttributes::new(&[("added".to_owned(), "yes".to_owned())]),
            tasks: tasks.clone(),
        };
        let sink = Arc::new(Sink::open(&buffer, options, parts).unwrap());
        Self {
            sink,
            metrics,
            tasks,
            stop: Shutdown::new(),
            last_stop: Shutdown::new(),
        }
    }

    /// Begins to deliver.
    pub(crate) fn deliver(&self) {
        self.tasks
            .spawn(self.sink.collectors().clone().run(self.last_stop.clone()));
        let (sink, stop) = (Arc::clone(&self.sink), self.stop.clone());
        self.tasks
            .spawn(async move { sink.deliver(stop, Duration::ZERO).await });
    }

    /// Ends all of it, so that the folder can be opened again.
    pub(crate) async fn close(self) {
        self.stop.begin();
        self.last_stop.begin();
        let sink = Arc::clone(&self.sink);
        // The one who delivers ends first; connections may outlive it.
        until(|| Arc::strong_count(&sink) <= 2).await;
        tokio::task::spawn_blocking(move || sink.stop())
            .await
            .unwrap();
    }

    pub(crate) async fn write(&self, names: &[&str]) -> Result<Kept, WriteError> {
        let otlp = Bytes::from(request(names));
        let batch = decode_proto(&otlp).unwrap().batch;
        let tenant = TenantId::default();
        self.sink
            .write(IncomingBatch {
                tenant,
                batch,
                otlp,
            })
            .await
    }

    /// A metric's value, without the prefix and with its labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.sink.refresh_metrics();
        let text = self.metrics.print().unwrap();
        let values: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.rsplit_once(' '))
            .collect();
        let value = values.get(format!("trackway_sink_{name}").as_str());
        value.map_or(0, |value| value.parse().unwrap())
    }
}

pub(crate) fn request(names: &[&str]) -> Vec<u8> {
    let mut out = Writer::new();
    out.message(1, |spans| {
        spans.message(2, |scope| {
            for (at, name) in names.iter().enumerate() {
                scope.message(2, |span| {
                    span.bytes_field(1, &[7; 16]);
                    span.bytes_field(2, &[u8::try_from(at).unwrap() + 1; 8]);
                    span.bytes_field(5, name.as_bytes());
                });
            }
        });
    });
    out.into_bytes()
}

/// Waits until something holds; a test whose condition never holds fails.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it never holds");
}

/// As it is by default, so that the double unpacks it.
pub(crate) const USUAL: Compression = Compression::Zstd;
