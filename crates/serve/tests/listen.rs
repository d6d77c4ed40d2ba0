//! The server on real sockets: both versions of HTTP, limits, and its end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use plumbing::{Shutdown, Tasks};
use serve::{Door, HttpLimits, serve_http};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};

/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    ended: oneshot::Receiver<std::io::Result<()>>,
    tasks: Tasks,
}

fn run(router: Router, limits: HttpLimits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (shutdown, tasks) = (Shutdown::new(), Tasks::new());
    let (tell, ended) = oneshot::channel();
    let (signal, own_tasks) = (shutdown.clone(), tasks.clone());
    tasks.spawn(async move {
        let _asker_may_be_gone = tell.send(
            serve_http(
                router,
                Door::open(),
                vec![listener],
                limits,
                signal,
                own_tasks,
            )
            .await,
        );
    });
    Running {
        address,
        shutdown,
        ended,
        tasks,
    }
}

async fn send(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_running_request_is_answered_after_shutdown_began_and_nothing_new_is() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&entered), Arc::clone(&release));
    let handler = move || async move {
        tell.notify_one();
        wait.notified().await;
        "done"
    };
    let running = run(
        Router::new().route("/", get(handler)),
        HttpLimits::default(),
    );
    let mut stream = send(running.address, REQUEST).await;
    entered.notified().await;
    running.shutdown.begin();
    release.notify_one();
    assert!(read_to_end(&mut stream).await.ends_with("done"));
    tokio::time::timeout(PATIENCE, running.ended)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    running.tasks.wait().await;
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let router = Router::new().route("/", get(std::future::pending::<()>));
    let limits = HttpLimits {
        drain_timeout: Duration::from_millis(20),
        ..HttpLimits::default()
    };
    let running = run(router, limits);
    let mut stream = send(running.address, REQUEST).await;
    // A first answered connection shows that the server has accepted what came before it.
    let mut other = send(
        running.address,
        b"GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(read_to_end(&mut other).await.starts_with("HTTP/1.1 404"));
    running.shutdown.begin();
    tokio::time::timeout(PATIENCE, running.ended)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    tokio::time::timeout(PATIENCE, running.tasks.wait())
        .await
        .unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn one_connection_too_many_waits_until_another_ends() {
    let limits = HttpLimits {
        connections_max: 1,
        ..HttpLimits::default()
    };
    let running = run(Router::new().route("/", get(async || "ok")), limits);
    let idle = send(running.address, b"GET / HTTP/1.1\r\nHost: h\r\n").await;
    let mut second = send(running.address, REQUEST).await;
    let mut byte = [0; 1];
    let early = tokio::time::timeout(Duration::from_millis(100), second.peek(&mut byte)).await;
    assert!(early.is_err(), "answered while the only place was taken");
    drop(idle);
    assert!(read_to_end(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_header_that_comes_too_slowly_ends_the_connection() {
    let limits = HttpLimits {
        header_timeout: Duration::from_millis(50),
        ..HttpLimits::default()
    };
    let running = run(Router::new().route("/", get(async || "ok")), limits);
    let mut stream = send(running.address, b"GET / HTTP/1.1\r\nHost").await;
    let answer = read_to_end(&mut stream).await;
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn a_header_that_is_too_long_is_refused() {
    let limits = HttpLimits {
        header_bytes_max: 16 << 10,
        ..HttpLimits::default()
    };
    let running = run(Router::new().route("/", get(async || "ok")), limits);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: h\r\nX-Long: {}\r\n\r\n",
        "x".repeat(64 << 10)
    );
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // The server may close before all of it is sent.
    let _sent_or_refused = stream.write_all(request.as_bytes()).await;
    let mut answer = [0; 12];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut answer))
        .await
        .unwrap();
    assert!(read.is_err() || answer.starts_with(b"HTTP/1.1 431") || answer == [0; 12]);
}

#[tokio::test]
async fn http_2_is_spoken_on_the_same_port() {
    let running = run(
        Router::new().route("/", get(async || "ok")),
        HttpLimits::default(),
    );
    // The preface and an empty SETTINGS frame: a server of HTTP/2 answers with its own SETTINGS (type 4).
    let mut stream = send(
        running.address,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    )
    .await;
    let mut frame = [0; 9];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut frame))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame[3], 4);
}
