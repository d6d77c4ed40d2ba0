//! How a Cassandra is reached, and how its tables are made.

use std::time::Duration;

use tls::ClientTls;

use crate::{CallLimits, PasswordSource};

/// How many replicas must have confirmed a write, or agree on what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Any one.
    One,
    /// Two.
    Two,
    /// Three.
    Three,
    /// One of this datacenter.
    LocalOne,
    /// Most of them.
    Quorum,
    /// Most of those in this datacenter.
    LocalQuorum,
    /// Most of those in each datacenter.
    EachQuorum,
    /// All.
    All,
}

/// How tables are made that are not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaOptions {
    /// Whether they are made before the first write, not only by `trackway storage init`.
    pub is_created: bool,
    /// Replicas in each datacenter.
    pub replication_factor: u32,
    /// The datacenters with replicas; none named: the one of the server that is asked.
    pub datacenters: Vec<String>,
    /// How long spans stay.
    pub trace_ttl: Duration,
    /// How long the calls between services stay that Jaeger's job writes.
    pub dependencies_ttl: Duration,
    /// Spans of so long are compacted together.
    pub compaction_window: Duration,
}

impl Default for SchemaOptions {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3_600);
        Self {
            is_created: false,
            replication_factor: 1,
            datacenters: Vec::new(),
            trace_ttl: 48 * HOUR,
            dependencies_ttl: 48 * HOUR,
            compaction_window: 2 * HOUR,
        }
    }
}

/// What may be chosen.
#[derive(Debug, Clone)]
pub struct CassandraOptions {
    /// `host:port` of some of its servers.
    pub servers: Vec<String>,
    /// The keyspace with the tables; those of other tenants begin with its name.
    pub keyspace: String,
    /// The keyspace of traces that are kept for good, if there is one.
    pub archive_keyspace: Option<String>,
    /// The datacenter whose servers are asked; none: any.
    pub local_datacenter: Option<String>,
    /// How many replicas must confirm or agree.
    pub consistency: Consistency,
    /// How long one request may take, and how long a write is tried again.
    pub timeout: Duration,
    /// TLS, if it is spoken.
    pub tls: Option<ClientTls>,
    /// A user and its password.
    pub login: Option<(String, PasswordSource)>,
    /// How tables are made.
    pub schema: SchemaOptions,
    /// The most bytes of one trace.
    pub answer_bytes_max: usize,
    /// The most traces that may match of which one search is decided.
    pub search_traces_max: usize,
    /// How many spans are read for the calls between services.
    pub call_limits: CallLimits,
}

impl Default for CassandraOptions {
    fn default() -> Self {
        Self {
            servers: vec!["localhost:9042".to_owned()],
            keyspace: "jaeger_v1_dc1".to_owned(),
            archive_keyspace: None,
            local_datacenter: None,
            consistency: Consistency::LocalQuorum,
            timeout: Duration::from_secs(15),
            tls: None,
            login: None,
            schema: SchemaOptions::default(),
            answer_bytes_max: 1 << 30,
            search_traces_max: 10_000,
            call_limits: CallLimits::default(),
        }
    }
}
