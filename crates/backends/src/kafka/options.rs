//! How a Kafka is reached, and what stands in its topic.

use std::path::PathBuf;
use std::time::Duration;

use crate::PasswordSource;

/// How spans stand in messages; the names are those of Jaeger's second version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A `jaeger.api_v2.Span` in protobuf, one a message: what a Jaeger of version 1 writes.
    JaegerProto,
    /// The same in protobuf's JSON.
    JaegerJson,
    /// Spans of a trace as an `ExportTraceServiceRequest` in protobuf.
    OtlpProto,
    /// The same in OTLP's JSON.
    OtlpJson,
    /// Zipkin's second version in protobuf; only read.
    ZipkinProto,
    /// Zipkin's second version in JSON; only read.
    ZipkinJson,
    /// Zipkin's first version in Thrift; only read.
    ZipkinThrift,
}

impl Encoding {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JaegerProto => "jaeger_proto",
            Self::JaegerJson => "jaeger_json",
            Self::OtlpProto => "otlp_proto",
            Self::OtlpJson => "otlp_json",
            Self::ZipkinProto => "zipkin_proto",
            Self::ZipkinJson => "zipkin_json",
            Self::ZipkinThrift => "zipkin_thrift",
        }
    }

    /// Whether spans are written so.
    #[must_use]
    pub fn is_written(self) -> bool {
        !matches!(
            self,
            Self::ZipkinProto | Self::ZipkinJson | Self::ZipkinThrift
        )
    }
}

/// How messages are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By Snappy.
    Snappy,
    /// By LZ4.
    Lz4,
    /// By Zstandard.
    Zstd,
}

/// How the program says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The password itself.
    Plain,
    /// RFC 5802 with SHA-256.
    ScramSha256,
    /// RFC 5802 with SHA-512.
    ScramSha512,
}

/// Who the program is.
#[derive(Debug, Clone)]
pub struct Login {
    /// How it is said.
    pub mechanism: Mechanism,
    /// The user.
    pub user: String,
    /// The password.
    pub password: PasswordSource,
}

/// What TLS is made of; the files are read again while the program runs.
#[derive(Debug, Clone, Default)]
pub struct KafkaTls {
    /// Whom to trust instead of the authorities that everybody trusts.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Believe any certificate.
    pub insecure_skip_verify: bool,
}

/// What reading is done by.
#[derive(Debug, Clone)]
pub struct GroupOptions {
    /// The group whose members share the topic.
    pub id: String,
    /// Whether a group that has read nothing yet begins with the oldest message.
    pub from_oldest: bool,
    /// After so long without a sign of life others read what a member read.
    pub session_timeout: Duration,
    /// Where messages go that can't be read.
    pub dead_letter_topic: String,
}

/// How a Kafka is reached.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// `host:port` of some of its brokers.
    pub brokers: Vec<String>,
    /// The topic with the spans.
    pub topic: String,
    /// How they stand in it.
    pub encoding: Encoding,
    /// How they are packed.
    pub packing: Packing,
    /// A message is not longer than this, unless one span is by itself.
    pub message_bytes_max: usize,
    /// How long a broker may take for an answer, and how long a message may take until it is confirmed.
    pub timeout: Duration,
    /// TLS, if it is spoken.
    pub tls: Option<KafkaTls>,
    /// Who the program is, if anybody.
    pub login: Option<Login>,
    /// How it is read.
    pub group: GroupOptions,
}
