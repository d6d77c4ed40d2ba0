//! The keys that say where spans are kept and looked for: which store it is, and how those of others are reached.

use std::path::PathBuf;
use std::time::Duration;

use backends::kafka::Encoding;

use super::agent::{HostName, Switch};
use super::backend::{
    DateSeparator, DotReplacement, Endpoint, Hosts, IndexPrefix, IndexRotation, Password, TagFields,
};
use super::cassandra::{CassandraPort, ConsistencyLevel, Contacts, Datacenters, Keyspace};
use super::kafka::{Brokers, GroupStart, MessageEncoding, MessagePacking, SaslMechanism, Topic};
use super::node::{Entry, Node, SetError, tree};
use super::tree::Acknowledge;
use super::units::{ByteCount, Name, OrOff, words};

tree! {
    /// Where spans are kept and looked for.
    pub(crate) struct Backend {
        /// `embedded`: in the folder `store.dir`. `remote`: in a server of Jaeger's storage API over gRPC, which may be
        /// another Trackway (`listen.storage_grpc`). `elasticsearch`: in Elasticsearch or OpenSearch, in Jaeger's
        /// layout. `cassandra`: in Cassandra, in Jaeger's layout. `kafka`: on the way to a store, for `trackway
        /// collector`; `trackway ingester` reads them there. Keys of `store` mean nothing for all but the first.
        kind: BackendKind = BackendKind::Embedded,
        /// Whether spans are counted by minute as they are written, so that rates and calls between services are told
        /// without reading them: docs/storage/sums.md. In Elasticsearch and Cassandra; the embedded store always does.
        count_by_minute: Switch = Switch::On,
        /// What is kept on the disk until a store of others has it: docs/storage/buffer.md.
        buffer: BackendBuffer,
        /// The remote store.
        remote: Remote,
        /// Elasticsearch or OpenSearch: docs/storage/elasticsearch.md.
        elasticsearch: Elasticsearch,
        /// Cassandra: docs/storage/cassandra.md.
        cassandra: Cassandra,
        /// Kafka between collectors and a store: docs/storage/kafka.md.
        kafka: Kafka,
    }

    /// What is kept on the disk until a store of others has it: docs/storage/buffer.md. For `trackway collector`, and
    /// for `trackway` alone where `backend.kind` names such a store.
    pub(crate) struct BackendBuffer {
        /// The folder. It is created with access for its owner alone. One process at a time. Off: a request is accepted
        /// when the store itself has confirmed it.
        dir: OrOff<PathBuf> = OrOff::Off,
        /// The most bytes of the folder. When it is full, senders are told to come again.
        bytes_max: ByteCount = ByteCount::mib(1024),
        /// What an accepted request promises: `sync` (survives a power cut) or `page_cache` (survives a crash of the
        /// program).
        acknowledge: Acknowledge = Acknowledge::Sync,
        /// The most writes to the store under way. Each takes about a mebibyte of spans, unless one request is larger.
        in_flight_max: usize = 4,
        /// How long a stop goes on writing to the store. What is left then is written after the next start.
        drain_timeout: Duration = Duration::from_secs(5),
    }

    /// Elasticsearch or OpenSearch.
    pub(crate) struct Elasticsearch {
        /// Where the servers are, one or several of a cluster. One that can't be reached is passed over.
        hosts: Hosts = Hosts::default(),
        /// Who the program is, with the password in `backend.elasticsearch.password_file`.
        username: OrOff<Name> = OrOff::Off,
        /// The password. It is hidden where it is shown; a file keeps it better.
        password: OrOff<Password> = OrOff::Off,
        /// A file with the password. It is read again when it changes.
        password_file: OrOff<PathBuf> = OrOff::Off,
        /// A file with an API key, encoded or as `id:key`, instead of a user. It is read again when it changes.
        api_key_file: OrOff<PathBuf> = OrOff::Off,
        /// A file with a bearer token, instead of a user. It is read again when it changes.
        token_file: OrOff<PathBuf> = OrOff::Off,
        /// TLS, for addresses with `https://`.
        tls: ElasticsearchTls,
        /// What stands before the names of indices, as in Jaeger's `index_prefix`; a hyphen is put behind it.
        index_prefix: IndexPrefix = IndexPrefix::default(),
        /// When a new index begins. `daily`: with every UTC day on which spans start. `rollover`: when
        /// `trackway storage rollover` says so; `trackway storage init` makes the first ones.
        rotation: IndexRotation = IndexRotation::Daily,
        /// What stands between year, month and day in their names: another sign finds what a Jaeger wrote with it.
        date_separator: DateSeparator = DateSeparator::Hyphen,
        /// Shards of an index that is made by the templates.
        shards: u32 = 5,
        /// Copies of each shard.
        replicas: u32 = 1,
        /// Whether templates are installed before the first write.
        create_templates: Switch = Switch::On,
        /// Which tags are members of their own, besides `span.kind` and `error`: `all`, or their keys. Whoever
        /// looks for such a tag in the server by other means finds it without nested queries.
        tags_as_fields: TagFields = TagFields::default(),
        /// What stands for a dot in the name of such a member.
        dot_replacement: DotReplacement = DotReplacement::default(),
        /// Whether the document of a span says when the span ends, which Jaeger's does not and a Jaeger passes over:
        /// traces are then found by longest first without reading all that may match.
        end_times: Switch = Switch::Off,
        /// How long one request may take, and how long a write is tried again while the server has no room.
        timeout: Duration = Duration::from_secs(15),
        /// Of so many traces that may match one search is decided at the most. A search that would need more of them
        /// is refused: longest first without `end_times`, or one with conditions that the server can't judge by itself.
        search_traces_max: usize = 10_000,
    }

    /// TLS to Elasticsearch or OpenSearch.
    pub(crate) struct ElasticsearchTls {
        /// Authorities to trust, instead of the system's.
        ca_file: OrOff<PathBuf> = OrOff::Off,
        /// The program's own certificate (mTLS).
        cert_file: OrOff<PathBuf> = OrOff::Off,
        /// The key of that certificate.
        key_file: OrOff<PathBuf> = OrOff::Off,
        /// The name that the servers' certificates must have, where it is not the one in `backend.elasticsearch.hosts`.
        server_name: OrOff<HostName> = OrOff::Off,
        /// Whether any certificate is accepted: everybody on the way can then read and change what is sent.
        insecure_skip_verify: Switch = Switch::Off,
    }

    /// Cassandra.
    pub(crate) struct Cassandra {
        /// Where servers are, some of a cluster; the others are learned from these.
        servers: Contacts = Contacts::default(),
        /// The port of those that are named without one.
        port: CassandraPort = CassandraPort(9042),
        /// The keyspace with the tables. Those of tenants but the default one begin with its name.
        keyspace: Keyspace = Keyspace::default(),
        /// The keyspace of traces that are kept for good, with the same tables. Off: none can be.
        archive_keyspace: OrOff<Keyspace> = OrOff::Off,
        /// The datacenter whose servers are asked. Off: any.
        local_datacenter: OrOff<Name> = OrOff::Off,
        /// How many replicas must have confirmed a write, or agree on what is read.
        consistency: ConsistencyLevel = ConsistencyLevel::LocalQuorum,
        /// How long a write is tried again while servers do not confirm it; no request takes longer.
        timeout: Duration = Duration::from_secs(15),
        /// Who the program is, with the password in `backend.cassandra.password_file`.
        username: OrOff<Name> = OrOff::Off,
        /// The password. It is hidden where it is shown; a file keeps it better.
        password: OrOff<Password> = OrOff::Off,
        /// A file with the password. It is read again for each connection.
        password_file: OrOff<PathBuf> = OrOff::Off,
        /// TLS to the servers.
        tls: CassandraTls,
        /// Of so many traces that may match one search is decided at the most. A search that would need more of them
        /// is refused: longest first, or one with conditions that no index answers.
        search_traces_max: usize = 10_000,
        /// How tables are made.
        schema: CassandraSchema,
    }

    /// TLS to Cassandra.
    pub(crate) struct CassandraTls {
        /// Whether it is spoken.
        enabled: Switch = Switch::Off,
        /// Authorities to trust, instead of the system's.
        ca_file: OrOff<PathBuf> = OrOff::Off,
        /// The program's own certificate (mTLS).
        cert_file: OrOff<PathBuf> = OrOff::Off,
        /// The key of that certificate.
        key_file: OrOff<PathBuf> = OrOff::Off,
        /// The name that the servers' certificates must have. Off: each server's address.
        server_name: OrOff<HostName> = OrOff::Off,
        /// Whether any certificate is accepted: everybody on the way can then read and change what is sent.
        insecure_skip_verify: Switch = Switch::Off,
    }

    /// How tables are made: by `trackway storage init`.
    pub(crate) struct CassandraSchema {
        /// Whether they are made before the first write and the first question as well.
        create: Switch = Switch::Off,
        /// Copies of each row in each datacenter, when the keyspace is made.
        replication_factor: u32 = 1,
        /// The datacenters that have them. Nothing: the one of the server that is asked.
        datacenters: Datacenters = Datacenters::default(),
        /// How long spans stay, when the tables are made. Off: for good.
        trace_ttl: OrOff<Duration> = OrOff::On(Duration::from_secs(172_800)),
        /// How long the calls between services stay that Jaeger's job writes. Off: for good.
        dependencies_ttl: OrOff<Duration> = OrOff::On(Duration::from_secs(172_800)),
        /// Spans of so long are compacted together: a twentieth to a thirtieth of the time that they stay.
        compaction_window: Duration = Duration::from_secs(7_200),
    }

    /// Kafka: collectors write it where `backend.kind` is `kafka`, and `trackway ingester` reads it.
    pub(crate) struct Kafka {
        /// Where brokers are, some of a cluster.
        brokers: Brokers = Brokers::default(),
        /// The topic with the spans.
        topic: Topic = Topic::of_spans(),
        /// How spans stand in it: an OTLP request for the spans of a trace, or Jaeger's own messages of one span each,
        /// which lose attributes of scopes and links. Who writes and who reads must be told the same; `jaeger_proto` is
        /// what a Jaeger of version 1 writes and reads.
        encoding: MessageEncoding = MessageEncoding(Encoding::OtlpProto),
        /// How messages are packed.
        compression: MessagePacking = MessagePacking::Zstd,
        /// A message is not longer than this before it is packed, unless one span is by itself. The topic's
        /// `max.message.bytes` must allow it.
        message_bytes_max: ByteCount = ByteCount(1_000_000),
        /// How long a message may take until all replicas in sync have confirmed it.
        timeout: Duration = Duration::from_secs(15),
        /// Who the program is, with the password in `backend.kafka.password_file`.
        username: OrOff<Name> = OrOff::Off,
        /// The password. It is hidden where it is shown; a file keeps it better.
        password: OrOff<Password> = OrOff::Off,
        /// A file with the password. It is read again at each connection that has to be made anew.
        password_file: OrOff<PathBuf> = OrOff::Off,
        /// How the program says who it is.
        mechanism: SaslMechanism = SaslMechanism::Plain,
        /// TLS to the brokers.
        tls: BrokerTls,
        /// The group of ingesters: each message is read by one of them.
        group: Name = Name("jaeger-ingester".to_owned()),
        /// Where a group begins that has read nothing yet.
        start: GroupStart = GroupStart::Oldest,
        /// After so long without a sign of life of an ingester others read what it read.
        session_timeout: Duration = Duration::from_secs(10),
        /// The topic for messages that can't be read or kept, with the reason in a header.
        dead_letter_topic: Topic = Topic::of_dead_letters(),
    }

    /// TLS to the brokers.
    pub(crate) struct BrokerTls {
        /// Whether it is spoken.
        enabled: Switch = Switch::Off,
        /// Authorities to trust, instead of the system's.
        ca_file: OrOff<PathBuf> = OrOff::Off,
        /// The program's own certificate (mTLS).
        cert_file: OrOff<PathBuf> = OrOff::Off,
        /// The key of that certificate.
        key_file: OrOff<PathBuf> = OrOff::Off,
        /// Whether any certificate is accepted: everybody on the way can then read and change what is sent.
        insecure_skip_verify: Switch = Switch::Off,
    }

    /// The remote store.
    pub(crate) struct Remote {
        /// Where it is. With `https://` before it TLS is spoken.
        endpoint: Endpoint = Endpoint::default(),
        /// How long one call may take, and each message of a long answer.
        timeout: Duration = Duration::from_secs(15),
        /// TLS, where it is spoken.
        tls: RemoteTls,
        /// A file with a token, which is sent as `authorization: Bearer TOKEN`.
        token_file: OrOff<PathBuf> = OrOff::Off,
        /// The most traces that it is asked for in one search. They are judged here, since it can't be asked all that
        /// Trackway can; where it has more of them the answer says so.
        search_traces_max: usize = 1_000,
    }

    /// TLS to the remote store.
    pub(crate) struct RemoteTls {
        /// Authorities to trust, instead of the system's.
        ca_file: OrOff<PathBuf> = OrOff::Off,
        /// The program's own certificate (mTLS).
        cert_file: OrOff<PathBuf> = OrOff::Off,
        /// The key of that certificate.
        key_file: OrOff<PathBuf> = OrOff::Off,
    }
}

words! {
    /// Where spans are kept.
    pub(crate) enum BackendKind {
        /// In the embedded store.
        Embedded = "embedded",
        /// In a server of Jaeger's storage API.
        Remote = "remote",
        /// In Elasticsearch or OpenSearch.
        Elasticsearch = "elasticsearch",
        /// In Cassandra.
        Cassandra = "cassandra",
        /// On the way to a store.
        Kafka = "kafka",
    }
    values = "`embedded`, `remote`, `elasticsearch`, `cassandra` or `kafka`"
}
