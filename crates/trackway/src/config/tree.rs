//! The configuration: every key with its documentation, its kind and its default, once.
//!
//! The doc comment of a key is its documentation: `config explain`, `config show`, docs/configuration.md and the type
//! below are all made of this one table.
//!
//! Promises: zero configuration works; every key is reachable by its dotted path.
//! Refuses: keys whose right value the program can find by itself.

use std::path::PathBuf;
use std::time::Duration;

use super::access::{Header, Origins, Tenant, TenantNames, TlsVersion};
use super::agent::{Attributes, Collectors, Headers, HostName, SendCompression, Switch};
use super::node::{Entry, Node, SetError, tree};
use super::steps::ProcessSteps;
use super::stores::{Backend, BackendKind};
use super::tail::TailSampling;
use serve::BasePath;

use super::units::{
    Address, ByteCount, Host, Kind, Name, OrOff, PerSecond, Probability, Setting, SizeOrAuto,
    SizeOrShare, words,
};
use super::web::FrameAncestors;

tree! {
    /// All keys.
    pub(crate) struct Config {
        /// Where the program listens. Only loopback unless told otherwise.
        listen: Listen,
        /// Who is let in, and how ports are spoken to: docs/security.md.
        access: Access,
        /// What is accepted from senders.
        receive: Receive,
        /// The steps that spans go through before anything of them is written, in their order: [how they are
        /// written](process/README.md).
        process: ProcessSteps,
        /// Which whole traces stay: policies, of which the first that fits decides when a trace is complete; where none
        /// does, it stays. See docs/process/tail-sampling.md.
        tail_sampling: TailSampling,
        /// Where spans are kept and looked for.
        backend: Backend,
        /// The embedded store: where spans are kept, how safely and for how long.
        store: Store,
        /// What clients are told to record.
        sampling: Sampling,
        /// What questions may cost.
        query: Query,
        /// The web app.
        ui: Ui,
        /// Trackway's own spans.
        own_spans: OwnSpans,
        /// The agent beside an application: where it delivers, and what it keeps meanwhile. Only `trackway agent` reads
        /// it.
        agent: Agent,
        /// How much memory the program takes.
        memory: Memory,
        /// The program's own log, written to standard error.
        log: Log,
    }

    /// Where the program listens.
    pub(crate) struct Listen {
        /// Where listeners listen that name only a port. `localhost` is both 127.0.0.1 and ::1. Without
        /// `access` anything but loopback lets everybody who can reach a port read and write.
        host: Host = Host::Loopback,
        /// OTLP over gRPC: `TraceService/Export`.
        otlp_grpc: Address = Address::Port(4317),
        /// OTLP over HTTP: `POST /v1/traces`, protobuf and JSON.
        otlp_http: Address = Address::Port(4318),
        /// Jaeger's clients over HTTP: `POST /api/traces`, Thrift.
        jaeger_http: Address = Address::Port(14268),
        /// Jaeger's agents over gRPC: `CollectorService/PostSpans`.
        jaeger_grpc: Address = Address::Port(14250),
        /// What a store for Jaeger serves over gRPC: `jaeger.storage.v1` and `jaeger.storage.v2`, to write and to read,
        /// so that a Jaeger keeps its spans here. Usually 17271.
        storage_grpc: Address = Address::Off,
        /// Jaeger's clients by datagrams (UDP): Thrift's compact protocol.
        jaeger_compact: Address = Address::Port(6831),
        /// Jaeger's clients by datagrams (UDP): Thrift's binary protocol, as Node's client sends it.
        jaeger_binary: Address = Address::Port(6832),
        /// The oldest clients by datagrams (UDP): Thrift's compact protocol with Zipkin's model. Usually 5775.
        zipkin_compact: Address = Address::Off,
        /// Zipkin's clients over HTTP: `POST /api/v2/spans` and `/api/v1/spans`.
        zipkin: Address = Address::Port(9411),
        /// Jaeger's HTTP JSON API: `/api/traces`, `/api/services` and the rest. The services of `listen.query_grpc` are
        /// answered here too.
        query_http: Address = Address::Port(16686),
        /// Jaeger's query services over gRPC: `jaeger.api_v2.QueryService`, `jaeger.api_v3.QueryService`.
        query_grpc: Address = Address::Port(16685),
        /// What clients are to record: `/sampling?service=`.
        sampling_http: Address = Address::Port(5778),
        /// The same over gRPC: `jaeger.api_v2.SamplingManager`. It is answered at `listen.jaeger_grpc` too.
        sampling_grpc: Address = Address::Port(5779),
        /// Operation: `/metrics`, `/live`, `/ready`, `/started`, `/version`, `/admin/finalise`, `/admin/pins`.
        admin: Address = Address::Port(14269),
        /// Health alone: `/status`.
        health: Address = Address::Port(13133),
        /// How long a stop waits for requests that are under way.
        drain_timeout: Duration = Duration::from_secs(10),
    }

    /// Who is let in.
    pub(crate) struct Access {
        /// The ports that take spans and tell clients what to record.
        receive: PortAccess,
        /// The ports that answer questions: `query_http`, `query_grpc`, and `storage_grpc`, which takes spans too.
        query: PortAccess,
        /// The port of operation (`admin`). `/`, `/live`, `/ready` and `/started` need no credentials; nor does the
        /// port `health`, which never speaks TLS.
        admin: PortAccess,
        /// How tenants are told apart. They see nothing of one another.
        tenants: Tenants,
    }

    /// Who is let in at some ports.
    pub(crate) struct PortAccess {
        /// TLS.
        tls: PortTls,
        /// Names and hashed passwords, as `htpasswd -nB NAME` prints them; it is read again when it changes.
        users_file: OrOff<PathBuf> = OrOff::Off,
        /// Bearer tokens, one a line; it is read again when it changes. Who has one, or a password, is let in.
        tokens_file: OrOff<PathBuf> = OrOff::Off,
        /// Other sites whose pages may send and ask from a browser (CORS).
        cors_origins: Origins,
    }

    /// TLS of some ports. With `cert_file` and `key_file` nothing else is spoken there.
    pub(crate) struct PortTls {
        /// The certificate, and behind it those up to its authority (PEM). It is read again when it changes.
        cert_file: OrOff<PathBuf> = OrOff::Off,
        /// Its private key (PEM).
        key_file: OrOff<PathBuf> = OrOff::Off,
        /// Authorities of clients: every client must show a certificate of one of them (mTLS).
        client_ca_file: OrOff<PathBuf> = OrOff::Off,
        /// The oldest version that is spoken.
        version_min: TlsVersion = TlsVersion::V12,
    }

    /// How tenants are told apart.
    pub(crate) struct Tenants {
        /// The header of every request that names its tenant, over HTTP and gRPC. Off: there is one tenant.
        header: OrOff<Header> = OrOff::Off,
        /// The tenants that there are. Nothing: any name, up to 1,000.
        names: TenantNames,
        /// The tenant of requests without the header, and of datagrams. Off: such a request is refused, and datagrams
        /// are of the tenant `default`.
        fallback: OrOff<Tenant> = OrOff::Off,
    }

    /// What is accepted from senders.
    pub(crate) struct Receive {
        /// The largest request body after decompression. A larger one is refused with 413 or RESOURCE_EXHAUSTED.
        body_bytes_max: ByteCount = ByteCount::mib(64),
        /// The largest request body as it is sent, before decompression.
        compressed_bytes_max: ByteCount = ByteCount::mib(64),
        /// The most connections on each of the OTLP ports. More are closed as they come.
        connections_max: usize = 4096,
        /// How long a sender may take for the headers of a request.
        header_timeout: Duration = Duration::from_secs(30),
        /// How long a sender may take for the body of a request.
        body_timeout: Duration = Duration::from_secs(30),
    }

    /// The embedded store.
    pub(crate) struct Store {
        /// The folder that holds everything. It is created with access for its owner alone. One process at a time.
        dir: PathBuf = PathBuf::from("./data"),
        /// What an accepted request promises. `sync`: its spans are on the disk (fsynced) and survive a power cut.
        /// `page_cache`: the operating system has them; they survive a crash of the program, not of the machine.
        /// `memory`: they are in memory alone; a crash loses what is in no segment yet.
        acknowledge: Acknowledge = Acknowledge::Sync,
        /// The part of the store that is still being written, in memory.
        head: Head,
        /// When segments are merged into ones with whole traces, in the background.
        finalise: Finalise,
        /// How long spans are kept. Whichever limit is reached first deletes the oldest segments.
        retention: Retention,
        /// How the bytes on the disk are checked, in the background.
        scrub: Scrub,
    }

    /// The part of the store that is still being written.
    pub(crate) struct Head {
        /// A head with so many spans is written to a segment.
        spans_max: usize = 131_072,
        /// A head of this size is written to a segment.
        bytes_max: ByteCount = ByteCount::mib(24),
        /// A head whose oldest span arrived so long ago is written to a segment.
        age_max: Duration = Duration::from_secs(15),
    }

    /// When segments are merged.
    pub(crate) struct Finalise {
        /// A segment that was written so long ago is merged once there is enough to merge it with: a million spans.
        after: Duration = Duration::from_secs(120),
        /// A segment that was written so long ago is merged with whatever there is.
        age: Duration = Duration::from_secs(600),
    }

    /// How long spans are kept.
    pub(crate) struct Retention {
        /// Segments that were written longer ago are deleted.
        age: OrOff<Duration> = OrOff::On(Duration::from_secs(7 * 86_400)),
        /// When the store takes more, the oldest segments are deleted. A share is of the disk and of all that is on
        /// it, others' files too, of which 5 % of the disk are always the store's.
        bytes: OrOff<SizeOrShare> = OrOff::On(SizeOrShare::Percent(80)),
    }

    /// How the bytes on the disk are checked.
    pub(crate) struct Scrub {
        /// So much is read in a second to find damage before somebody asks for what is damaged. An index that is
        /// damaged is made again.
        rate: OrOff<ByteCount> = OrOff::On(ByteCount::mib(5)),
        /// How often each segment is read, at most; also after every start.
        every: Duration = Duration::from_secs(7 * 86_400),
    }

    /// What questions may cost.
    pub(crate) struct Query {
        /// The most memory that the traces of one answer may take. `auto` is a quarter of memory.limit.
        answer_bytes_max: SizeOrAuto = SizeOrAuto::Auto,
        /// How long an answer may take.
        answer_timeout: Duration = Duration::from_secs(120),
        /// The most traces that one search may ask for.
        search_traces_max: usize = 100_000,
        /// The greatest difference between the clocks of two hosts that is corrected in a trace that is shown. `0s`
        /// corrects none and only warns.
        clock_skew_max: Duration = Duration::ZERO,
        /// The most connections on each of the ports that answer.
        connections_max: usize = 1024,
    }

    /// The web app.
    pub(crate) struct Ui {
        /// Below which path the app and all of the API are served: what a proxy in front leaves of an address.
        base_path: BasePath = BasePath::default(),
        /// Which sites may show the app in a frame.
        frame_ancestors: FrameAncestors = FrameAncestors::default(),
        /// A UI configuration as Jaeger has it (`ui-config.json`): links to other tools, menu, limits and more. What of
        /// it is not used is listed in the app's settings. Its form that is a program in JavaScript is refused.
        config_file: OrOff<PathBuf> = OrOff::Off,
    }

    /// What clients are told to record.
    pub(crate) struct Sampling {
        /// Strategies by service and operation, in Jaeger's format (`strategies.json`).
        strategies_file: OrOff<PathBuf> = OrOff::Off,
        /// How often the file is looked at again.
        reload_interval: OrOff<Duration> = OrOff::On(Duration::from_secs(10)),
        /// The probability where the file says nothing, from 0 to 1: without a file, that of every service.
        default_probability: Probability = Probability(1.0),
        /// Probabilities that follow the traffic, for services that the file does not name.
        adaptive: Adaptive,
    }

    /// Probabilities that follow the traffic.
    pub(crate) struct Adaptive {
        /// So many traces a second are wanted of each operation. Traces are counted by their first spans, whichever
        /// client sends them.
        target: OrOff<PerSecond> = OrOff::Off,
        /// How often probabilities are chosen anew. Clients ask once a minute.
        interval: Duration = Duration::from_secs(60),
        /// A probability stays while what it gives differs from the target by less than this share.
        tolerance: Probability = Probability(0.1),
        /// What a service is told before something is known of it.
        initial_probability: Probability = Probability(0.001),
        /// The smallest probability.
        min_probability: Probability = Probability(0.00001),
        /// What clients that can (Jaeger's) record of each operation at least, in traces a second.
        min_traces_per_second: PerSecond = PerSecond(1.0 / 60.0),
    }

    /// Trackway's own spans: each request of Jaeger's API over HTTP is one, and the answer's header `traceresponse`
    /// names it.
    pub(crate) struct OwnSpans {
        /// The service that they are of.
        service: Name = Name("trackway".to_owned()),
        /// So many are made in a second, at most.
        per_second: OrOff<PerSecond> = OrOff::On(PerSecond(5.0)),
    }

    /// The agent beside an application.
    pub(crate) struct Agent {
        /// The collectors, by OTLP over gRPC. Every address behind every name is used.
        collectors: Collectors,
        /// How requests are compressed. A collector that can't read that gets them as they are.
        compression: SendCompression = SendCompression::Zstd,
        /// Headers of every request. `config show` shows their names alone.
        headers: Headers,
        /// A file with a bearer token that is sent with every request; it is read again when it changes.
        token_file: OrOff<PathBuf> = OrOff::Off,
        /// Attributes that every resource is given that lacks them. `${NAME:default}` is the environment's value.
        attributes: Attributes,
        /// Whether resources are given what is known of the machine, the container and the pod, where they lack it.
        detect: Switch = Switch::On,
        /// A folder with files of a downward volume of Kubernetes, such as `labels` and `annotations`.
        pod_info_dir: OrOff<PathBuf> = OrOff::Off,
        /// What is kept on the disk until a collector has it.
        buffer: AgentBuffer,
        /// How batches of clients are joined to requests.
        request: AgentRequest,
        /// What happens when a collector does not take a request.
        retry: AgentRetry,
        /// How often the names of collectors are looked up again. It is done at once when one fails.
        resolve_interval: Duration = Duration::from_secs(30),
        /// How long a stop goes on delivering. What is left then is delivered after the next start.
        drain_timeout: Duration = Duration::from_secs(5),
        /// Sampling strategies, which are fetched from the collectors.
        sampling: AgentSampling,
        /// TLS to the collectors.
        tls: AgentTls,
    }

    /// What is kept on the disk until a collector has it.
    pub(crate) struct AgentBuffer {
        /// The folder. It is created with access for its owner alone. One process at a time.
        dir: PathBuf = PathBuf::from("./agent-buffer"),
        /// The most bytes of the folder. When it is full, OTLP is refused for now, and the oldest datagrams that wait
        /// in memory are dropped.
        bytes_max: ByteCount = ByteCount::mib(512),
        /// What an accepted request promises: `sync` (survives a power cut) or `page_cache` (survives a crash of the
        /// agent).
        acknowledge: Acknowledge = Acknowledge::Sync,
    }

    /// How batches of clients are joined to requests.
    pub(crate) struct AgentRequest {
        /// A request is not made larger than this, unless one batch of a client is.
        bytes_max: ByteCount = ByteCount::mib(1),
        /// How long a batch waits for others.
        delay: Duration = Duration::from_millis(200),
        /// The most requests under way.
        in_flight_max: usize = 4,
    }

    /// What happens when a collector does not take a request.
    pub(crate) struct AgentRetry {
        /// How long a collector may take to answer.
        timeout: Duration = Duration::from_secs(10),
        /// How long an address is left alone when it fails; twice as long each time, with some randomness.
        pause_min: Duration = Duration::from_millis(250),
        /// The longest such pause, unless the collector itself asks for a longer one.
        pause_max: Duration = Duration::from_secs(30),
    }

    /// Sampling strategies.
    pub(crate) struct AgentSampling {
        /// Where they are fetched, by gRPC (`jaeger.api_v2.SamplingManager`). Nothing: from `agent.collectors`. A
        /// Jaeger answers at its ports 14250 and 5779.
        collectors: Collectors,
        /// How long a strategy counts as fresh. An older one is asked for again, and told while no collector answers.
        refresh: Duration = Duration::from_secs(60),
    }

    /// TLS to the collectors.
    pub(crate) struct AgentTls {
        /// Whether it is spoken.
        enabled: Switch = Switch::Off,
        /// Authorities to trust, instead of the system's.
        ca_file: OrOff<PathBuf> = OrOff::Off,
        /// The agent's own certificate (mTLS).
        cert_file: OrOff<PathBuf> = OrOff::Off,
        /// The key of that certificate.
        key_file: OrOff<PathBuf> = OrOff::Off,
        /// The name that a collector's certificate must have, where it is not the one in `agent.collectors`.
        server_name: OrOff<HostName> = OrOff::Off,
        /// Whether any certificate is accepted: everybody on the way can then read and change what is sent.
        insecure_skip_verify: Switch = Switch::Off,
    }

    /// How much memory the program takes.
    pub(crate) struct Memory {
        /// What the program may take. `auto` is half of what the machine or its cgroup has, 512MiB at most. A quarter
        /// is for requests in flight (over it senders are told to send again later), a tenth each for heads and for
        /// caches, the rest for freezing, questions and everything else.
        limit: SizeOrAuto = SizeOrAuto::Auto,
    }

    /// The program's own log.
    pub(crate) struct Log {
        /// What is logged: `error`, `warn`, `info`, `debug`, `trace` or `off`, also per part: `info,store=debug`.
        level: LogLevel = LogLevel::info(),
        /// How a line looks. `auto` is text on a terminal and JSON otherwise.
        format: LogFormat = LogFormat::Auto,
    }
}

words! {
    /// What an accepted request promises.
    pub(crate) enum Acknowledge {
        /// On the disk.
        Sync = "sync",
        /// With the operating system.
        PageCache = "page_cache",
        /// In memory.
        Memory = "memory",
    }
    values = "`sync`, `page_cache` or `memory`"
}

words! {
    /// How a line of the log looks.
    pub(crate) enum LogFormat {
        /// Text on a terminal, JSON otherwise.
        Auto = "auto",
        /// For people.
        Text = "text",
        /// For machines.
        Json = "json",
    }
    values = "`auto`, `text` or `json`"
}

/// What is logged, as a list of levels, alone or per part: `info,store=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLevel(String);

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

impl LogLevel {
    fn info() -> Self {
        Self("info".to_owned())
    }

    /// The directives, as `tracing-subscriber` reads them.
    pub(crate) fn directives(&self) -> &str {
        &self.0
    }
}

impl Setting for LogLevel {
    const VALUES: &'static str = "level such as `info`, or several: `info,store=debug`";

    fn parse(text: &str) -> Result<Self, String> {
        for directive in text.split(',') {
            let level = directive
                .split_once('=')
                .map_or(directive, |(_, level)| level)
                .trim();
            if !LEVELS.contains(&level) {
                return Err(format!(
                    "{level:?} is not a level; write one of {}",
                    LEVELS.join(", ")
                ));
            }
        }
        Ok(Self(text.trim().to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

impl Config {
    /// Tells what does not fit together, one sentence each with the keys at fault.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let mut found = self.listen.shared_ports();
        let mut at_least_one = |key: &str, count: u64| {
            if count == 0 {
                found.push(format!("{key} is 0: nothing would be accepted"));
            }
        };
        at_least_one("receive.body_bytes_max", self.receive.body_bytes_max.0);
        at_least_one(
            "receive.compressed_bytes_max",
            self.receive.compressed_bytes_max.0,
        );
        at_least_one(
            "receive.connections_max",
            self.receive.connections_max as u64,
        );
        at_least_one(
            "query.search_traces_max",
            self.query.search_traces_max as u64,
        );
        at_least_one("query.connections_max", self.query.connections_max as u64);
        at_least_one(
            "backend.remote.search_traces_max",
            self.backend.remote.search_traces_max as u64,
        );
        at_least_one(
            "backend.elasticsearch.search_traces_max",
            self.backend.elasticsearch.search_traces_max as u64,
        );
        at_least_one(
            "backend.elasticsearch.shards",
            self.backend.elasticsearch.shards.into(),
        );
        at_least_one("store.head.spans_max", self.store.head.spans_max as u64);
        at_least_one("store.head.bytes_max", self.store.head.bytes_max.0);
        if let SizeOrAuto::Bytes(limit) = self.memory.limit
            && limit < MEMORY_LIMIT_MIN
        {
            let (limit, least) = (limit.print(), MEMORY_LIMIT_MIN.print());
            found.push(format!(
                "memory.limit is {limit}: the program can't work with less than {least}"
            ));
        }
        found.extend(self.agent.contradictions());
        found.extend(self.backend.buffer_contradictions());
        found.extend(self.backend.remote.token().err());
        found.extend(self.backend.elasticsearch.contradictions());
        found.extend(self.backend.cassandra.contradictions());
        found.extend(self.backend.kafka.contradictions());
        found.extend(self.ui.jaeger_config().err());
        found.extend(crate::strategies::load(&self.sampling).err());
        if matches!(self.sampling.adaptive.target, OrOff::On(_)) && self.process.plan().samples() {
            let text = "sampling.adaptive.target and a step sample of process work against each other: each takes \
                        what the other leaves for the traffic; choose one of them";
            found.push(text.to_owned());
        }
        found.extend(self.missing_in_store());
        if self.sampling.adaptive.interval < ADAPTIVE_INTERVAL_MIN {
            let least = ADAPTIVE_INTERVAL_MIN.print();
            found.push(format!(
                "sampling.adaptive.interval is under {least}: too few traces would come in one"
            ));
        }
        found
    }
}

impl Config {
    /// What is asked for and the chosen store has not.
    fn missing_in_store(&self) -> Vec<String> {
        let mut found = Vec::new();
        let kind = self.backend.kind.print();
        let mut lacks = |is_set: bool, key: &str, why: &str| {
            if is_set {
                found.push(format!("{key} is set and backend.kind is {kind}: {why}"));
            }
        };
        if self.backend.kind != BackendKind::Embedded {
            let why = "it needs the embedded store";
            let is_adaptive = matches!(self.sampling.adaptive.target, OrOff::On(_));
            lacks(is_adaptive, "sampling.adaptive.target", why);
            lacks(self.tail_sampling.judge().is_some(), "tail_sampling", why);
        }
        if self.backend.kind == BackendKind::Remote {
            let has_tenants = self.access.tenants.tenancy().is_some();
            let why =
                "a remote store is of one tenant; use another store, or a program for each tenant";
            lacks(has_tenants, "access.tenants.header", why);
        }
        if self.backend.kind == BackendKind::Kafka {
            let encoding = &self.backend.kafka.encoding;
            let key = format!("backend.kafka.encoding={}", encoding.print());
            let why = "it is only read; write otlp_proto, otlp_json, jaeger_proto or jaeger_json";
            lacks(!encoding.0.is_written(), &key, why);
        }
        found
    }
}

/// In less hardly a trace comes of an operation that is recorded once a second.
const ADAPTIVE_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// A head, a freeze and one request of the default size do not fit into less.
const MEMORY_LIMIT_MIN: ByteCount = ByteCount::mib(64);

impl Config {
    /// The defaults of `trackway collector`: the doors of senders are open, and what tells them what to record.
    pub(crate) fn for_collector() -> Self {
        let mut config = Self::default();
        let listen = &mut config.listen;
        for off in [&mut listen.query_http, &mut listen.query_grpc] {
            *off = Address::Off;
        }
        config.own_spans.per_second = OrOff::Off;
        config
    }

    /// The defaults of `trackway query`: the doors of those who ask are open. It writes archives and the counts by
    /// minute that it finishes, and makes no templates, so that it needs no right to.
    pub(crate) fn for_query() -> Self {
        let mut config = Self::default();
        let listen = &mut config.listen;
        listen.admin = Address::Port(16687);
        for off in [
            &mut listen.otlp_grpc,
            &mut listen.otlp_http,
            &mut listen.jaeger_http,
            &mut listen.jaeger_grpc,
            &mut listen.jaeger_compact,
            &mut listen.jaeger_binary,
            &mut listen.zipkin,
            &mut listen.sampling_http,
            &mut listen.sampling_grpc,
        ] {
            *off = Address::Off;
        }
        config.own_spans.per_second = OrOff::Off;
        config.backend.elasticsearch.create_templates = Switch::Off;
        config
    }

    /// The defaults of `trackway ingester`: it takes nothing but what it reads, and answers nothing but how it is.
    pub(crate) fn for_ingester() -> Self {
        let mut config = Self::default();
        config.listen = Listen {
            admin: Address::Port(14270),
            health: config.listen.health,
            ..Listen::off()
        };
        config.own_spans.per_second = OrOff::Off;
        config
    }

    /// The defaults of `trackway agent`: only the doors of applications on the same machine are open.
    pub(crate) fn for_agent() -> Self {
        let mut config = Self::default();
        let listen = &mut config.listen;
        listen.admin = Address::Port(14271);
        for off in [
            &mut listen.jaeger_http,
            &mut listen.jaeger_grpc,
            &mut listen.zipkin,
            &mut listen.query_http,
            &mut listen.query_grpc,
            &mut listen.health,
        ] {
            *off = Address::Off;
        }
        config.memory.limit = SizeOrAuto::Bytes(ByteCount::mib(128));
        config
    }
}

impl Agent {
    /// What TLS to collectors is made of.
    pub(crate) fn tls_files(&self) -> tls::ClientFiles {
        tls::ClientFiles {
            ca_file: self.tls.ca_file.clone().on(),
            cert_file: self.tls.cert_file.clone().on(),
            key_file: self.tls.key_file.clone().on(),
            server_name: self.tls.server_name.clone().on().map(|name| name.0),
            insecure_skip_verify: self.tls.insecure_skip_verify == Switch::On,
            protocols: vec!["h2"],
        }
    }

    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut wrong = |is_wrong: bool, why: &str| {
            if is_wrong {
                found.push(why.to_owned());
            }
        };
        wrong(
            self.buffer.bytes_max < AGENT_BUFFER_MIN,
            "agent.buffer.bytes_max is below 1MiB: the log's files don't fit into less",
        );
        wrong(
            self.buffer.acknowledge == Acknowledge::Memory,
            "agent.buffer.acknowledge is memory: a buffer must be on the disk; write sync or page_cache",
        );
        wrong(
            self.request.in_flight_max == 0,
            "agent.request.in_flight_max is 0: nothing would be delivered",
        );
        wrong(
            self.retry.pause_min > self.retry.pause_max,
            "agent.retry.pause_min is longer than agent.retry.pause_max",
        );
        found
    }
}

/// Sixteen files of the log.
const AGENT_BUFFER_MIN: ByteCount = ByteCount::mib(1);

impl Listen {
    /// The name of every listener's key, what it listens for, and where.
    pub(crate) fn addresses(&self) -> [(&'static str, Kind, Address); 15] {
        [
            ("otlp_grpc", Kind::Tcp, self.otlp_grpc),
            ("otlp_http", Kind::Tcp, self.otlp_http),
            ("jaeger_http", Kind::Tcp, self.jaeger_http),
            ("jaeger_grpc", Kind::Tcp, self.jaeger_grpc),
            ("storage_grpc", Kind::Tcp, self.storage_grpc),
            ("jaeger_compact", Kind::Udp, self.jaeger_compact),
            ("jaeger_binary", Kind::Udp, self.jaeger_binary),
            ("zipkin_compact", Kind::Udp, self.zipkin_compact),
            ("zipkin", Kind::Tcp, self.zipkin),
            ("query_http", Kind::Tcp, self.query_http),
            ("query_grpc", Kind::Tcp, self.query_grpc),
            ("sampling_http", Kind::Tcp, self.sampling_http),
            ("sampling_grpc", Kind::Tcp, self.sampling_grpc),
            ("admin", Kind::Tcp, self.admin),
            ("health", Kind::Tcp, self.health),
        ]
    }

    /// Nothing listens.
    pub(crate) fn off() -> Self {
        Self {
            otlp_grpc: Address::Off,
            otlp_http: Address::Off,
            jaeger_http: Address::Off,
            jaeger_grpc: Address::Off,
            storage_grpc: Address::Off,
            jaeger_compact: Address::Off,
            jaeger_binary: Address::Off,
            zipkin_compact: Address::Off,
            zipkin: Address::Off,
            query_http: Address::Off,
            query_grpc: Address::Off,
            sampling_http: Address::Off,
            sampling_grpc: Address::Off,
            admin: Address::Off,
            health: Address::Off,
            ..Self::default()
        }
    }

    fn shared_ports(&self) -> Vec<String> {
        let addresses = self.addresses();
        let mut found = Vec::new();
        for (index, (name, kind, address)) in addresses.iter().enumerate() {
            // A port of TCP and the same of UDP are two.
            let same = |(_, other_kind, other): &&(&str, Kind, Address)| {
                (other_kind, other) == (kind, address)
                    && !matches!(
                        address,
                        Address::Off | Address::Port(0) | Address::Loopback(0)
                    )
            };
            if let Some((other, ..)) = addresses.iter().take(index).find(same) {
                found.push(format!(
                    "listen.{other} and listen.{name} are both {}: each needs its own port",
                    address.print()
                ));
            }
        }
        found
    }
}
