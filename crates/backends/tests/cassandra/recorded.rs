//! Tables and rows that a real Jaeger made: ours are the same, its rows are found and read, and written again they are
//! what they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use backends::cassandra::{Cassandra, CassandraOptions, CassandraWriter, SchemaOptions};
use bytes::Bytes;
use codec::otlp::encode_proto;
use model::contract::{
    IncomingBatch, Order, SearchRequest, SpanReader as _, SpanWriter as _, Window,
};
use model::{Field, Literal, Operator, Place, Predicate, TenantId, TraceId};
use serde_json::Value;

use super::{open, options};
use crate::server::Server;

/// Rows of Jaeger's.
const RECORDED: &str = "recorded";
/// The same, written by us.
const AGAIN: &str = "again";
const TABLES: [&str; 7] = [
    "traces",
    "service_names",
    "operation_names_v2",
    "service_operation_index",
    "service_name_index",
    "duration_index",
    "tag_index",
];

fn file(name: &str) -> Value {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../../tests/golden/cassandra").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn rows(table: &str) -> Vec<Value> {
    let file = file(&format!("rows-{table}.json"));
    file["rows"].as_array().unwrap().clone()
}

/// Rows of several tables as JSON, asked for at once: what asks takes seconds to start.
fn select(server: &Server, questions: &[String]) -> Vec<Vec<Value>> {
    const BETWEEN: &str = "SELECT JSON release_version FROM system.local";
    let lines: Vec<String> = questions
        .iter()
        .map(|question| format!("SELECT JSON {question}\n{BETWEEN}"))
        .collect();
    let printed = server.feed("cql", &lines.join("\n"));
    let mut answers = vec![Vec::new()];
    for line in printed.lines() {
        // Between rows the driver says things of its own.
        let json = line
            .strip_prefix("Row[")
            .and_then(|line| line.strip_suffix(']'));
        let Some(row) = json.and_then(|json| serde_json::from_str::<Value>(json).ok()) else {
            continue;
        };
        if row.get("release_version").is_some() {
            answers.push(Vec::new());
        } else if let Some(answer) = answers.last_mut() {
            answer.push(row);
        }
    }
    answers.truncate(questions.len());
    answers
}

/// Makes the tables, which are Jaeger's but for two.
async fn tables(server: &Server, keyspace: &str) -> Arc<Cassandra> {
    let cassandra = open(CassandraOptions {
        keyspace: keyspace.to_owned(),
        schema: SchemaOptions::default(),
        ..options(server, true)
    });
    let made = cassandra.make_tables(&[TenantId::default()]).await.unwrap();
    assert_eq!(made.len(), 1 + 5 + 13, "{made:?}");
    let again = cassandra.make_tables(&[TenantId::default()]).await.unwrap();
    assert_eq!(again, Vec::<String>::new());
    cassandra
}

/// Tables, columns, types and ages are those that a Jaeger makes.
fn are_jaegers(server: &Server) {
    let recorded = file("system-schema.json");
    let of_table = [
        "table_name",
        "default_time_to_live",
        "gc_grace_seconds",
        "compaction",
        "speculative_retry",
    ];
    let of_column = [
        "table_name",
        "column_name",
        "clustering_order",
        "kind",
        "position",
        "type",
    ];
    let of_type = ["type_name", "field_names", "field_types"];
    let lists: [(&str, &[&str], &str); 3] = [
        ("tables", &of_table, "table_name"),
        ("columns", &of_column, "column_name"),
        ("types", &of_type, "type_name"),
    ];
    let questions = lists.map(|(list, columns, _)| {
        let columns = columns.join(", ");
        format!("{columns} FROM system_schema.{list} WHERE keyspace_name = '{RECORDED}'")
    });
    let answers = select(server, &questions);
    for ((list, columns, name), answer) in lists.into_iter().zip(answers) {
        let key = |row: &Value| {
            let keys = ["table_name", name].map(|key| row[key].as_str().unwrap_or_default());
            keys.join(" ")
        };
        let ours: BTreeMap<String, Value> = answer
            .into_iter()
            .map(|row| (key(&row), row))
            .filter(|(name, _)| !name.starts_with("trackway_"))
            .collect();
        let theirs = recorded[list].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len(), "{list}");
        for their in theirs {
            let our_row = &ours[&key(their)];
            for column in columns {
                let (our, their) = (&our_row[*column], &their[*column]);
                let their = match their.as_str().filter(|text| text.starts_with('{')) {
                    // The recorder wrote a map as Python does.
                    Some(text) => serde_json::from_str(&text.replace('\'', "\"")).unwrap(),
                    None => their.clone(),
                };
                assert_eq!(*our, their, "{} {column}", key(our_row));
            }
        }
    }
}

/// Writes what was recorded; names of operations only where a span of them was.
fn put(server: &Server) {
    let mut lines = String::new();
    let spans = rows("traces");
    let of_span = |span: &Value| {
        let service = span["process"]["service_name"].clone();
        (service, span["operation_name"].clone())
    };
    let is_there = |row: &Value| {
        let operation = (row["service_name"].clone(), row["operation_name"].clone());
        spans.iter().any(|span| of_span(span) == operation)
    };
    for table in TABLES {
        let is_all = table != "operation_names_v2";
        for row in rows(table).iter().filter(|row| is_all || is_there(row)) {
            let json = row.to_string().replace('\'', "''");
            writeln!(lines, "INSERT INTO {RECORDED}.{table} JSON '{json}'").unwrap();
        }
    }
    server.feed("cql", &lines);
}

fn id(row: &Value) -> TraceId {
    let text = row["trace_id"].as_str().unwrap();
    TraceId::parse(text.strip_prefix("0x").unwrap()).unwrap()
}

async fn find(cassandra: &Cassandra, conditions: Vec<Predicate>) -> BTreeSet<TraceId> {
    let found = cassandra.search(SearchRequest {
        tenant: TenantId::default(),
        predicate: Predicate::And(conditions),
        window: Window::ALWAYS,
        order: Order::NewestFirst,
        limit: 1_000,
        after: None,
    });
    let found = found.await.unwrap().traces;
    found.iter().map(|hit| hit.trace_id).collect()
}

fn is(field: Field, text: &str) -> Predicate {
    let literal = Literal::String(text.to_owned());
    Predicate::Compare(field, Operator::Equal, literal)
}

/// Finds the traces of every service, of every operation, and those with some tags.
async fn are_found(cassandra: &Cassandra) {
    let mut by_service: BTreeMap<String, BTreeSet<TraceId>> = BTreeMap::new();
    let mut by_operation: BTreeMap<(String, String), BTreeSet<TraceId>> = BTreeMap::new();
    for row in rows("traces") {
        let service = row["process"]["service_name"].as_str().unwrap().to_owned();
        let name = row["operation_name"].as_str().unwrap().to_owned();
        by_service
            .entry(service.clone())
            .or_default()
            .insert(id(&row));
        by_operation
            .entry((service, name))
            .or_default()
            .insert(id(&row));
    }
    assert!(by_service.len() > 25, "{}", by_service.len());
    for (service, traces) in &by_service {
        let found = find(cassandra, vec![is(Field::Service, service)]).await;
        assert_eq!(found, *traces, "{service}");
    }
    for ((service, name), traces) in by_operation {
        let conditions = vec![is(Field::Service, &service), is(Field::Name, &name)];
        assert_eq!(
            find(cassandra, conditions).await,
            traces,
            "{service} {name}"
        );
    }
    let tagged = |key: &str, literal: Literal| {
        let field = Field::Attribute {
            place: Place::Anywhere,
            key: key.to_owned(),
        };
        let of_service = is(Field::Service, "gold-search");
        vec![
            of_service,
            Predicate::Compare(field, Operator::Equal, literal),
        ]
    };
    for (key, literal) in [
        ("http.status_code", Literal::Int(200)),
        ("http.status_code", Literal::Text("200".to_owned())),
        ("even", Literal::Bool(true)),
        ("env", Literal::String("prod".to_owned())),
        ("ev.k", Literal::String("ev0".to_owned())),
        ("half", Literal::Double(1.5)),
    ] {
        let found = find(cassandra, tagged(key, literal.clone())).await;
        let text = match &literal {
            Literal::Int(int) => int.to_string(),
            Literal::Double(double) => double.to_string(),
            Literal::Bool(is) => is.to_string(),
            Literal::String(text) | Literal::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        let rows = rows("tag_index").into_iter().filter(|row| {
            row["service_name"] == "gold-search"
                && row["tag_key"] == key
                && row["tag_value"] == *text
        });
        let expected: BTreeSet<TraceId> = rows.map(|row| id(&row)).collect();
        assert!(!expected.is_empty(), "{key} {literal:?}");
        assert_eq!(found, expected, "{key} {literal:?}");
    }
}

/// Reads every trace of Jaeger's and writes it into tables of its own, which then are the same.
async fn are_written_again(server: &Server, cassandra: &Cassandra) {
    let again = tables(server, AGAIN).await;
    let writer = CassandraWriter(again);
    let traces: BTreeSet<TraceId> = rows("traces").iter().map(id).collect();
    for trace_id in traces {
        let tenant = TenantId::default();
        let read = cassandra.trace(&tenant, trace_id).await.unwrap();
        assert!(
            read.skipped.is_empty() && !read.spans.is_empty(),
            "{trace_id}"
        );
        let incoming = IncomingBatch {
            tenant,
            otlp: Bytes::from(encode_proto(&read.spans)),
            batch: read.spans,
        };
        writer.write(incoming).await.unwrap();
    }
    let compared: [(&str, &str); 6] = [
        ("traces", "span_hash"),
        ("operation_names_v2", ""),
        ("service_operation_index", ""),
        ("duration_index", ""),
        ("tag_index", ""),
        ("service_name_index", "bucket"),
    ];
    let questions = compared.iter().flat_map(|(table, _)| {
        [RECORDED, AGAIN].map(|keyspace| format!("* FROM {keyspace}.{table}"))
    });
    let mut answers = select(server, &questions.collect::<Vec<_>>()).into_iter();
    let mut odd: BTreeSet<String> = BTreeSet::new();
    for (table, lost) in compared {
        let mut lines = || -> BTreeMap<String, Value> {
            let rows = answers.next().unwrap().into_iter().map(|mut row| {
                row.as_object_mut().unwrap().remove(lost);
                (row.to_string(), row)
            });
            rows.collect()
        };
        let (theirs, ours) = (lines(), lines());
        assert!(theirs.len() > 40, "{table}: {}", theirs.len());
        let names = |row: &Value| {
            let name =
                ["operation_name", "tag_key"].map(|key| row[key].as_str().unwrap_or_default());
            format!("{table}: {}", name.concat())
        };
        let alone =
            |these: &BTreeMap<String, Value>, those: &BTreeMap<String, Value>| -> Vec<String> {
                let alone = these.iter().filter(|(line, _)| !those.contains_key(*line));
                alone.map(|(_, row)| names(row)).collect()
            };
        odd.extend(alone(&theirs, &ours));
        odd.extend(alone(&ours, &theirs));
    }
    // Their attributes are called as the tags of fields are, so they are those fields from now on; bytes are looked up.
    let expected: BTreeSet<String> = ODD.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(odd, expected);
}

/// What is not the same: rows of `traces` and of names by their operations, of `tag_index` by their keys.
const ODD: [&str; 15] = [
    "operation_names_v2: root",
    "tag_index: error",
    "tag_index: otel.library.name",
    "tag_index: otel.scope.name",
    "tag_index: otel.status_code",
    "tag_index: span.kind",
    "tag_index: y.bytes",
    "tag_index: y.empty",
    "tag_index: y.text",
    "traces: error true and status error",
    "traces: kind by odd attribute",
    "traces: library",
    "traces: otel.status_code attribute",
    "traces: root",
    "traces: with own otel.scope.name",
];

/// All of it.
pub(super) async fn is_found(server: &Server) {
    let cassandra = tables(server, RECORDED).await;
    are_jaegers(server);
    put(server);
    let listed = cassandra.services(&TenantId::default()).await.unwrap();
    let names = rows("service_names");
    let names = names
        .iter()
        .map(|row| row["service_name"].as_str().unwrap());
    let expected: BTreeSet<&str> = names.collect();
    assert_eq!(listed, expected.into_iter().collect::<Vec<_>>());
    are_found(&cassandra).await;
    are_written_again(server, &cassandra).await;
}
