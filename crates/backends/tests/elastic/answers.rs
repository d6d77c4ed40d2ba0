//! What a server answers to bulk requests, played where a real one can't be made to: each document has its own answer.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use backends::elastic::{Elastic, ElasticOptions, ElasticWriter, Rotation};
use http::StatusCode;
use model::TenantId;
use model::contract::{Kept, SpanReader as _, SpanWriter as _, WriteError};
use plumbing::Tasks;
use testkit::spans::request;

use super::{incoming, open};

/// What became of a document: the status, and the kind of error.
type Told = (u16, &'static str);

/// A server that answers bulk requests one after another as it is told, then takes everything.
#[derive(Debug, Default)]
struct Played {
    bulks: Mutex<VecDeque<Reply>>,
    /// Where it listens.
    host: Mutex<String>,
    /// What it says it is, in JSON.
    version: &'static str,
    /// What it was asked: method and path, and body.
    asked: Mutex<Vec<(String, String)>>,
}

#[derive(Debug)]
enum Reply {
    /// By document, the last for all others.
    Each(Vec<Told>),
    Whole(u16, &'static str),
}

impl Played {
    /// Bulks of spans, or those of what was set aside.
    fn bulks_of(&self, is_aside: bool) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let bulks = asked.iter().filter(|(path, body)| {
            path.starts_with("POST /_bulk") && body.contains("trackway-set-aside") == is_aside
        });
        bulks.map(|(_, body)| body.clone()).collect()
    }

    fn bulks(&self) -> Vec<String> {
        self.bulks_of(false)
    }

    /// Documents that were set aside.
    fn set_aside(&self) -> Vec<String> {
        let bulks = self.bulks_of(true);
        let lines = bulks
            .iter()
            .flat_map(|bulk| bulk.lines().skip(1).step_by(2));
        lines.map(str::to_owned).collect()
    }
}

async fn answer(State(played): State<Arc<Played>>, request: Request) -> (StatusCode, String) {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 24).await;
    let body: Bytes = body.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let documents = body.lines().count() / 2;
    let asked = (format!("{method} {path}"), body);
    played.asked.lock().unwrap().push(asked);
    if path == "/" {
        let version = format!(r#"{{"version":{}}}"#, played.version);
        return (StatusCode::OK, version);
    }
    if path != "/_bulk" {
        return (StatusCode::OK, "{}".to_owned());
    }
    let reply = played.bulks.lock().unwrap().pop_front();
    let told = match reply.unwrap_or(Reply::Each(vec![(201, "")])) {
        Reply::Whole(status, body) => {
            return (StatusCode::from_u16(status).unwrap(), body.to_owned());
        }
        Reply::Each(told) => told,
    };
    let items: Vec<String> = (0..documents)
        .map(|at| {
            let (status, kind) = told.get(at).or(told.last()).copied().unwrap();
            let error = match kind {
                "" => String::new(),
                kind => format!(r#","error":{{"type":"{kind}","reason":"because"}}"#),
            };
            format!(r#"{{"index":{{"status":{status}{error}}}}}"#)
        })
        .collect();
    let errors = items.iter().any(|item| item.contains("error"));
    (
        StatusCode::OK,
        format!(r#"{{"errors":{errors},"items":[{}]}}"#, items.join(",")),
    )
}

/// A store on a server that answers bulk requests so.
async fn played(
    version: &'static str,
    bulks: Vec<Reply>,
    rotation: Rotation,
) -> (Arc<Elastic>, Arc<Played>) {
    let played = Arc::new(Played {
        bulks: Mutex::new(bulks.into()),
        version,
        ..Played::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    played.host.lock().unwrap().clone_from(&host);
    let router = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&played));
    Tasks::new().spawn(async move { axum::serve(listener, router).await.unwrap() });
    let elastic = open(ElasticOptions {
        hosts: vec![host],
        timeout: Duration::from_secs(2),
        shards: 1,
        replicas: 0,
        rotation,
        ..ElasticOptions::default()
    });
    (elastic, played)
}

/// Writes a batch of two spans to a server that answers so.
async fn write(bulks: Vec<Reply>) -> (Result<Kept, WriteError>, Arc<Played>) {
    let (elastic, played) = played(ELASTICSEARCH_8, bulks, Rotation::Daily).await;
    let spans = request()
        .service("shop")
        .span("GET", |s| s.trace(1).id(1))
        .span("GET", |s| s.trace(1).id(2));
    let writer = ElasticWriter(elastic);
    let written = writer.write(incoming(spans, TenantId::default()));
    (written.await, played)
}

const ELASTICSEARCH_8: &str = r#"{"number":"8.19.0"}"#;

const KEPT: Kept = Kept {
    spans: 2,
    duplicate_spans: 0,
};

#[tokio::test]
async fn what_there_is_no_room_for_is_sent_again_alone() {
    // Two documents of the operation come first, then the span that is sent again.
    let some = vec![
        (201, ""),
        (201, ""),
        (429, "es_rejected_execution_exception"),
        (201, ""),
    ];
    let (kept, played) = write(vec![Reply::Each(some), Reply::Whole(503, "busy")]).await;
    assert_eq!(kept, Ok(KEPT));
    let bulks = played.bulks();
    let lines: Vec<usize> = bulks.iter().map(|bulk| bulk.lines().count()).collect();
    assert_eq!(lines, [8, 2, 2]);
    assert_eq!(bulks[1], bulks[2]);
    assert!(bulks[0].contains(&bulks[1]));
}

#[tokio::test]
async fn what_a_server_never_takes_is_set_aside_with_the_reason() {
    let some = vec![
        (201, ""),
        (201, ""),
        (201, ""),
        (400, "document_parsing_exception"),
    ];
    let refused = Reply::Each(vec![(403, "security_exception")]);
    let (kept, _) = write(vec![Reply::Each(some.clone()), refused]).await;
    let told =
        matches!(&kept, Err(WriteError::Unavailable { reason }) if reason.contains("security"));
    assert!(told, "what can't be set aside is not kept: {kept:?}");
    let (kept, played) = write(vec![Reply::Each(some)]).await;
    assert_eq!(kept, Ok(KEPT));
    let aside = played.set_aside();
    assert_eq!(aside.len(), 1);
    let document: serde_json::Value = serde_json::from_str(&aside[0]).unwrap();
    assert_eq!(document["kind"], "document_parsing_exception");
    assert_eq!(document["reason"], "because");
    let text = document["document"].as_str().unwrap();
    assert!(
        played.bulks()[0].contains(text) && text.contains("operationName"),
        "{text}"
    );
}

#[tokio::test]
async fn nothing_is_kept_that_was_not_confirmed() {
    let blocked = (403, "cluster_block_exception");
    let full = (429, "cluster_block_exception");
    for (name, reply) in [
        ("a block", Reply::Each(vec![(201, ""), blocked])),
        (
            "a missing right",
            Reply::Each(vec![(403, "security_exception")]),
        ),
        (
            "too many shards",
            Reply::Each(vec![(400, "validation_exception")]),
        ),
        (
            "fewer answers",
            Reply::Whole(200, r#"{"errors":false,"items":[]}"#),
        ),
        ("no JSON", Reply::Whole(200, "<html>")),
        ("no such path", Reply::Whole(404, "not found")),
        (
            "credentials",
            Reply::Whole(
                401,
                r#"{"error":{"type":"security_exception","reason":"no"}}"#,
            ),
        ),
    ] {
        let (kept, played) = write(vec![reply]).await;
        let refused =
            matches!(&kept, Err(WriteError::Unavailable { reason }) if !reason.is_empty());
        assert!(refused, "{name}: {kept:?}");
        assert_eq!(played.bulks().len(), 1, "{name}");
        assert!(played.set_aside().is_empty(), "{name}");
    }
    let always = (0..100).map(|_| Reply::Each(vec![full])).collect();
    let (kept, played) = write(always).await;
    assert!(matches!(kept, Err(WriteError::Busy { .. })), "{kept:?}");
    assert!(played.bulks().len() > 2);
}

/// What is too long is sent in halves; one document by itself is told of, and holds up no other batch.
#[tokio::test]
async fn what_is_too_long_is_sent_in_halves() {
    let too_long = || Reply::Whole(413, "<html>Request Entity Too Large</html>");
    let (kept, played) = write(vec![too_long(), too_long()]).await;
    assert_eq!(kept, Ok(KEPT));
    // All four, the later two of them, the last, the third; then the first two.
    let bulks = played.bulks();
    let lines: Vec<usize> = bulks.iter().map(|bulk| bulk.lines().count()).collect();
    assert_eq!(lines, [8, 4, 2, 2, 4]);
    assert_eq!(format!("{}{}{}", bulks[4], bulks[3], bulks[2]), bulks[0]);
    assert_eq!(format!("{}{}", bulks[3], bulks[2]), bulks[1]);

    let (kept, played) = write((0..3).map(|_| too_long()).collect()).await;
    let failed = matches!(&kept, Err(WriteError::Failed { reason }) if reason.contains("no request of this length"));
    assert!(failed, "{kept:?}");
    assert_eq!(played.bulks().len(), 3);
    assert!(played.set_aside().is_empty());
}

/// After a request that was too long the next ones are shorter from the start.
#[tokio::test]
async fn requests_become_as_short_as_they_must() {
    let too_long = Reply::Whole(413, "");
    let (elastic, played) = played(ELASTICSEARCH_8, vec![too_long], Rotation::Daily).await;
    let writer = ElasticWriter(elastic);
    let text = "x".repeat(1_000);
    for trace in [1, 2] {
        let mut spans = request().service("shop");
        for id in 1..=100 {
            spans = spans.span("GET", |s| s.trace(trace).id(id).attr("text", text.as_str()));
        }
        let written = writer.write(incoming(spans, TenantId::default()));
        assert_eq!(written.await.map(|kept| kept.spans), Ok(100));
    }
    let bytes: Vec<usize> = played.bulks().iter().map(String::len).collect();
    let (refused, others) = bytes.split_first().unwrap();
    assert!(others.len() >= 4, "{bytes:?}");
    assert!(
        others.iter().all(|bytes| bytes * 2 <= refused + 4_000),
        "{bytes:?}"
    );
}

/// A host that takes connections and says nothing costs one request its time; the next ones go to the other.
#[tokio::test]
async fn a_host_that_does_not_answer_is_asked_last() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (elastic, played) = played(ELASTICSEARCH_8, Vec::new(), Rotation::Daily).await;
    drop(elastic);
    let well = played.host.lock().unwrap().clone();
    let silent_host = format!("http://{}", silent.local_addr().unwrap());
    let gone_host = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let elastic = open(ElasticOptions {
        hosts: vec![silent_host, gone_host, well],
        timeout: Duration::from_millis(300),
        creates_templates: false,
        ..ElasticOptions::default()
    });
    let tenant = TenantId::default();
    let mut failed = 0;
    for _ in 0..9 {
        failed += usize::from(elastic.services(&tenant).await.is_err());
    }
    assert_eq!(failed, 1);
}

/// Versions that no test has a server of are told what Jaeger tells them.
#[tokio::test]
async fn each_version_is_told_of_templates_in_its_own_words() {
    for (version, expected) in [
        (r#"{"number":"7.17.29"}"#, "PUT /_template/jaeger-span"),
        (ELASTICSEARCH_8, "PUT /_index_template/jaeger-span"),
        (r#"{"number":"9.1.0"}"#, "PUT /_index_template/jaeger-span"),
        (
            r#"{"number":"1.3.20","distribution":"opensearch"}"#,
            "PUT /_template/jaeger-span",
        ),
        (
            r#"{"number":"3.1.0","distribution":"opensearch"}"#,
            "PUT /_template/jaeger-span",
        ),
    ] {
        let (elastic, played) = played(version, Vec::new(), Rotation::Daily).await;
        let one = request().service("shop").span("GET", |s| s.trace(1).id(1));
        let written = ElasticWriter(elastic).write(incoming(one, TenantId::default()));
        assert!(written.await.is_ok(), "{version}");
        let asked = played.asked.lock().unwrap();
        assert!(
            asked.iter().any(|(path, _)| path == expected),
            "{version}: {asked:?}"
        );
    }
    let (elastic, _) = played(r#"{"number":"6.8.23"}"#, Vec::new(), Rotation::Daily).await;
    let one = request().service("shop").span("GET", |s| s.trace(1).id(1));
    let refused = ElasticWriter(elastic)
        .write(incoming(one, TenantId::default()))
        .await;
    let said =
        matches!(&refused, Err(WriteError::Unavailable { reason }) if reason.contains("6.8.23"));
    assert!(said, "{refused:?}");
}

#[tokio::test]
async fn rollover_begins_as_jaegers_tool_begins_it() {
    let recorded = include_str!("../../../../tests/golden/elasticsearch/es-rollover-requests.json");
    let recorded: serde_json::Value = serde_json::from_str(recorded).unwrap();
    let is_init = |one: &&serde_json::Value| one["command"].as_str().unwrap().contains("init");
    let requests = recorded["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_init);
    let changes = requests.filter(|one| matches!(one["method"].as_str(), Some("PUT" | "POST")));
    let expected: BTreeSet<(String, String)> = changes
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap();
            let body = &one["body"];
            let body = if body.is_object() {
                body.to_string()
            } else {
                String::new()
            };
            (format!("{} {}", text("method"), text("path")), body)
        })
        .collect();
    let (elastic, played) = played(ELASTICSEARCH_8, Vec::new(), Rotation::Rollover).await;
    elastic
        .begin_rollover(&TenantId::default(), false)
        .await
        .unwrap();
    let asked = played.asked.lock().unwrap();
    // What is Trackway's own is no matter of Jaeger's tool.
    let changes = asked.iter().filter(|(path, _)| {
        (path.starts_with("PUT") || path.starts_with("POST")) && !path.contains("trackway-")
    });
    let told: BTreeSet<(String, String)> = changes.cloned().collect();
    assert_eq!(told, expected);
}
