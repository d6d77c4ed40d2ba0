//! The tables: Jaeger's, and two of our own.
//!
//! Promises
//! - Jaeger's tables and types are those that Jaeger 2.20 makes, column by column; what is there stays as it is.
//! - Of our own, `trackway_start_index` has a row for every span of a service and of an operation by the hour and the
//!   moment of its start. In Jaeger's indices of services and operations a span hides another one that starts at the
//!   same moment.
//!
//! Source: Jaeger's Cassandra schema, version 4, recorded in `tests/golden/cassandra/schema.cql`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::client::Client;
use super::fault::Fault;
use super::options::SchemaOptions;

/// How long a node that was away may bring back what was deleted.
const GC_GRACE_SECONDS: u64 = 10_800;
/// Indices of so many hours are compacted together.
const INDEX_WINDOW: Duration = Duration::from_secs(3_600);

/// How the rows of a table age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ageing {
    /// As spans do, those of one time together.
    Spans,
    /// As spans do, indices.
    Index,
    /// As spans do, written again and again.
    Names,
    /// As records of calls do.
    Dependencies,
    /// Not at all.
    Never,
}

/// A table: its name, its columns and key, the order of its rows, how they age.
type Table = (&'static str, &'static str, &'static str, Ageing);

const TYPES: [(&str, &str); 5] = [
    (
        "keyvalue",
        "key text, value_type text, value_string text, value_bool boolean, value_long bigint, value_double double, \
         value_binary blob",
    ),
    ("log", "ts bigint, fields frozen<list<frozen<keyvalue>>>"),
    ("span_ref", "ref_type text, trace_id blob, span_id bigint"),
    (
        "process",
        "service_name text, tags frozen<list<frozen<keyvalue>>>",
    ),
    (
        "dependency",
        "parent text, child text, call_count bigint, source text",
    ),
];

const TABLES: [Table; 13] = [
    (
        "traces",
        "trace_id blob, span_id bigint, span_hash bigint, parent_id bigint, operation_name text, flags int, \
         start_time bigint, duration bigint, tags list<frozen<keyvalue>>, logs list<frozen<log>>, \
         refs list<frozen<span_ref>>, process frozen<process>, PRIMARY KEY (trace_id, span_id, span_hash)",
        "",
        Ageing::Spans,
    ),
    (
        "service_names",
        "service_name text, PRIMARY KEY (service_name)",
        "",
        Ageing::Names,
    ),
    (
        "operation_names_v2",
        "service_name text, span_kind text, operation_name text, \
         PRIMARY KEY ((service_name), span_kind, operation_name)",
        "",
        Ageing::Names,
    ),
    (
        "service_operation_index",
        "service_name text, operation_name text, start_time bigint, trace_id blob, \
         PRIMARY KEY ((service_name, operation_name), start_time)",
        "start_time DESC",
        Ageing::Index,
    ),
    (
        "service_name_index",
        "service_name text, bucket int, start_time bigint, trace_id blob, \
         PRIMARY KEY ((service_name, bucket), start_time)",
        "start_time DESC",
        Ageing::Index,
    ),
    (
        "duration_index",
        "service_name text, operation_name text, bucket timestamp, duration bigint, start_time bigint, \
         trace_id blob, PRIMARY KEY ((service_name, operation_name, bucket), duration, start_time, trace_id)",
        "duration DESC, start_time DESC, trace_id ASC",
        Ageing::Index,
    ),
    (
        "tag_index",
        "service_name text, tag_key text, tag_value text, start_time bigint, trace_id blob, span_id bigint, \
         PRIMARY KEY ((service_name, tag_key, tag_value), start_time, trace_id, span_id)",
        "start_time DESC, trace_id ASC, span_id ASC",
        Ageing::Index,
    ),
    (
        "dependencies_v2",
        "ts_bucket timestamp, ts timestamp, dependencies list<frozen<dependency>>, PRIMARY KEY (ts_bucket, ts)",
        "ts DESC",
        Ageing::Dependencies,
    ),
    (
        "operation_throughput",
        "bucket int, ts timeuuid, throughput text, PRIMARY KEY (bucket, ts)",
        "ts DESC",
        Ageing::Never,
    ),
    (
        "sampling_probabilities",
        "bucket int, ts timeuuid, hostname text, probabilities text, PRIMARY KEY (bucket, ts)",
        "ts DESC",
        Ageing::Never,
    ),
    (
        "leases",
        "name text, owner text, PRIMARY KEY (name)",
        "",
        Ageing::Never,
    ),
    (
        "trackway_start_index",
        "service_name text, operation_name text, bucket timestamp, start_time bigint, trace_id blob, \
         PRIMARY KEY ((service_name, operation_name, bucket), start_time, trace_id)",
        "start_time DESC, trace_id ASC",
        Ageing::Index,
    ),
    (
        "trackway_sums",
        "hour bigint, arrival bigint, writer text, tenant text, is_open boolean, record text, \
         PRIMARY KEY ((hour), arrival, writer)",
        "",
        Ageing::Names,
    ),
];

/// The tables that a keyspace lacks; nothing where there is no such keyspace.
pub(super) async fn missing(client: &Client, keyspace: &str) -> Result<Option<Vec<String>>, Fault> {
    let asked = |table: &str, column: &str| {
        format!("SELECT {column} FROM system_schema.{table} WHERE keyspace_name = '{keyspace}'")
    };
    let keyspaces: Vec<(String,)> = client.ask(&asked("keyspaces", "keyspace_name")).await?;
    if keyspaces.is_empty() {
        return Ok(None);
    }
    let tables: Vec<(String,)> = client.ask(&asked("tables", "table_name")).await?;
    let has = |name: &str| tables.iter().any(|(table,)| table == name);
    let lacks = TABLES.iter().map(|table| table.0).filter(|name| !has(name));
    Ok(Some(lacks.map(str::to_owned).collect()))
}

/// Makes what is not there in a keyspace, and the keyspace; tells what was made.
pub(super) async fn make(
    client: &Client,
    keyspace: &str,
    options: &SchemaOptions,
) -> Result<Vec<String>, Fault> {
    let asked = |table: &str, column: &str| {
        format!("SELECT {column} FROM system_schema.{table} WHERE keyspace_name = '{keyspace}'")
    };
    let names =
        |rows: Vec<(String,)>| -> BTreeSet<String> { rows.into_iter().map(|row| row.0).collect() };
    let keyspaces = names(client.ask(&asked("keyspaces", "keyspace_name")).await?);
    let types = names(client.ask(&asked("types", "type_name")).await?);
    let tables = names(client.ask(&asked("tables", "table_name")).await?);
    let mut made = Vec::new();
    if keyspaces.is_empty() {
        let datacenters = match options.datacenters.is_empty() {
            true => names(client.ask("SELECT data_center FROM system.local").await?),
            false => options.datacenters.iter().cloned().collect(),
        };
        let text = keyspace_text(keyspace, &datacenters, options.replication_factor);
        client.change(&text).await?;
        made.push(format!("keyspace {keyspace}"));
    }
    for (name, members) in TYPES.iter().filter(|(name, _)| !types.contains(*name)) {
        let text = format!("CREATE TYPE IF NOT EXISTS {keyspace}.{name} ({members})");
        client.change(&text).await?;
        made.push(format!("type {keyspace}.{name}"));
    }
    for table in TABLES.iter().filter(|table| !tables.contains(table.0)) {
        client.change(&table_text(keyspace, table, options)).await?;
        made.push(format!("table {keyspace}.{}", table.0));
    }
    Ok(made)
}

fn keyspace_text(keyspace: &str, datacenters: &BTreeSet<String>, replicas: u32) -> String {
    let replicas: String = datacenters
        .iter()
        .map(|name| format!(", '{}': '{replicas}'", name.replace('\'', "''")))
        .collect();
    format!(
        "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{'class': 'NetworkTopologyStrategy'{replicas}}}"
    )
}

fn table_text(keyspace: &str, table: &Table, options: &SchemaOptions) -> String {
    let (name, columns, order, ageing) = table;
    let order = match order.is_empty() {
        true => String::new(),
        false => format!("CLUSTERING ORDER BY ({order}) AND "),
    };
    let window = match ageing {
        Ageing::Spans => Some(options.compaction_window),
        Ageing::Index => Some(INDEX_WINDOW),
        Ageing::Names | Ageing::Dependencies | Ageing::Never => None,
    };
    let compaction = match window {
        Some(window) => {
            let (size, unit) = window_of(window);
            format!(
                "{{'class': 'TimeWindowCompactionStrategy', 'compaction_window_size': '{size}', \
                 'compaction_window_unit': '{unit}'}}"
            )
        }
        None => "{'class': 'SizeTieredCompactionStrategy'}".to_owned(),
    };
    let ttl = match ageing {
        Ageing::Spans | Ageing::Index | Ageing::Names => options.trace_ttl.as_secs(),
        Ageing::Dependencies => options.dependencies_ttl.as_secs(),
        Ageing::Never => 0,
    };
    // What Jaeger says of spans and their indices alone.
    let of_spans = match ageing {
        Ageing::Spans | Ageing::Index | Ageing::Names => {
            format!(" AND gc_grace_seconds = {GC_GRACE_SECONDS} AND speculative_retry = 'NONE'")
        }
        Ageing::Dependencies | Ageing::Never => String::new(),
    };
    format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.{name} ({columns}) WITH {order}compaction = {compaction} AND \
         default_time_to_live = {ttl}{of_spans}"
    )
}

/// A window as Cassandra counts it. Spans' windows are in minutes, as Jaeger writes them.
fn window_of(window: Duration) -> (u64, &'static str) {
    match window == INDEX_WINDOW {
        true => (1, "HOURS"),
        false => ((window.as_secs() / 60).max(1), "MINUTES"),
    }
}
