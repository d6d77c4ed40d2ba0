//! Values of the keys of Kafka.

use backends::kafka::{Encoding, GroupOptions, KafkaOptions, KafkaTls, Login, Mechanism, Packing};

use super::agent::Switch;
use super::backend::user_and_password;
use super::stores::Kafka;
use super::units::{OrOff, Setting, items, words};

/// Addresses of brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brokers(pub Vec<String>);

impl Default for Brokers {
    fn default() -> Self {
        Self(vec!["localhost:9092".to_owned()])
    }
}

impl Setting for Brokers {
    const VALUES: &'static str =
        "`host:port` separated by commas, such as `kafka-1:9092, kafka-2:9092`";

    fn parse(text: &str) -> Result<Self, String> {
        let brokers: Vec<String> = items(text).map(str::to_owned).collect();
        for broker in &brokers {
            let is_address = broker.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && !host.contains(['/', ' ', '@']) && port.parse::<u16>().is_ok()
            });
            if !is_address {
                return Err(format!(
                    "{broker:?} is no address of a broker; write host:port"
                ));
            }
        }
        match brokers.is_empty() {
            true => Err("no broker is named; write host:port".to_owned()),
            false => Ok(Self(brokers)),
        }
    }

    fn print(&self) -> String {
        self.0.join(", ")
    }
}

/// The name of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic(pub String);

impl Topic {
    /// The topic that Jaeger's collectors write.
    pub(super) fn of_spans() -> Self {
        Self("jaeger-spans".to_owned())
    }

    /// The topic of messages that are no good.
    pub(super) fn of_dead_letters() -> Self {
        Self("jaeger-spans-dead-letters".to_owned())
    }
}

impl Setting for Topic {
    const VALUES: &'static str = "name of a topic: up to 249 of the characters A-Z a-z 0-9 . _ -";

    fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim();
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let is_name = (1..=249).contains(&name.len()) && name.chars().all(is_allowed);
        if !is_name || matches!(name, "." | "..") {
            return Err(format!(
                "{text:?} is no name of a topic: it has 1 to 249 of the characters A-Z a-z 0-9 . _ -"
            ));
        }
        Ok(Self(name.to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// How spans stand in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageEncoding(pub Encoding);

impl MessageEncoding {
    const ALL: [Encoding; 7] = [
        Encoding::OtlpProto,
        Encoding::OtlpJson,
        Encoding::JaegerProto,
        Encoding::JaegerJson,
        Encoding::ZipkinProto,
        Encoding::ZipkinJson,
        Encoding::ZipkinThrift,
    ];
}

impl Setting for MessageEncoding {
    const VALUES: &'static str = "`otlp_proto`, `otlp_json`, `jaeger_proto`, `jaeger_json`; and, to be read only, \
                                  `zipkin_proto`, `zipkin_json`, `zipkin_thrift`";

    fn parse(text: &str) -> Result<Self, String> {
        // The words of Jaeger's first version.
        let name = match text.trim() {
            "protobuf" => "jaeger_proto",
            "json" => "jaeger_json",
            "zipkin-thrift" => "zipkin_thrift",
            other => other,
        };
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.map(Self).ok_or_else(|| {
            let names = Self::ALL.map(Encoding::name).join(", ");
            format!("{text:?} is none of {names}")
        })
    }

    fn print(&self) -> String {
        self.0.name().to_owned()
    }
}

words! {
    /// How messages are packed.
    pub(crate) enum MessagePacking {
        /// Not at all.
        None = "none",
        /// By gzip.
        Gzip = "gzip",
        /// By Snappy.
        Snappy = "snappy",
        /// By LZ4.
        Lz4 = "lz4",
        /// By Zstandard.
        Zstd = "zstd",
    }
    values = "`none`, `gzip`, `snappy`, `lz4` or `zstd`"
}

words! {
    /// How the program says who it is.
    pub(crate) enum SaslMechanism {
        /// The password itself.
        Plain = "PLAIN",
        /// A proof of it, by SHA-256.
        ScramSha256 = "SCRAM-SHA-256",
        /// A proof of it, by SHA-512.
        ScramSha512 = "SCRAM-SHA-512",
    }
    values = "`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`"
}

words! {
    /// Where a group begins that has read nothing yet.
    pub(crate) enum GroupStart {
        /// With the oldest message.
        Oldest = "oldest",
        /// With what comes from now on.
        Newest = "newest",
    }
    values = "`oldest` or `newest`"
}

impl Kafka {
    /// What does not fit together.
    pub(crate) fn contradictions(&self) -> Option<String> {
        if let Err(why) = self.login() {
            return Some(why);
        }
        if (self.tls.cert_file == OrOff::Off) != (self.tls.key_file == OrOff::Off) {
            let text =
                "backend.kafka.tls.cert_file and key_file belong together: give both or none";
            return Some(text.to_owned());
        }
        (self.topic == self.dead_letter_topic).then(|| {
            "backend.kafka.topic and dead_letter_topic are the same: dead letters would be read again and again"
                .to_owned()
        })
    }

    fn login(&self) -> Result<Option<Login>, String> {
        let given = user_and_password(
            "backend.kafka",
            (&self.username, &self.password, &self.password_file),
        )?;
        Ok(given.map(|(user, password)| Login {
            mechanism: match self.mechanism {
                SaslMechanism::Plain => Mechanism::Plain,
                SaslMechanism::ScramSha256 => Mechanism::ScramSha256,
                SaslMechanism::ScramSha512 => Mechanism::ScramSha512,
            },
            user,
            password,
        }))
    }

    /// What TLS is made of, for who looks at the way to a broker; Kafka's library makes its own of the same files.
    pub(crate) fn tls_files(&self) -> tls::ClientFiles {
        tls::ClientFiles {
            ca_file: self.tls.ca_file.clone().on(),
            cert_file: self.tls.cert_file.clone().on(),
            key_file: self.tls.key_file.clone().on(),
            insecure_skip_verify: self.tls.insecure_skip_verify == Switch::On,
            ..tls::ClientFiles::default()
        }
    }

    /// How it is reached; the error is a sentence with the key.
    pub(crate) fn options(&self) -> Result<KafkaOptions, String> {
        let tls = || KafkaTls {
            ca_file: self.tls.ca_file.clone().on(),
            identity: self
                .tls
                .cert_file
                .clone()
                .on()
                .zip(self.tls.key_file.clone().on()),
            insecure_skip_verify: self.tls.insecure_skip_verify == Switch::On,
        };
        Ok(KafkaOptions {
            brokers: self.brokers.0.clone(),
            topic: self.topic.0.clone(),
            encoding: self.encoding.0,
            packing: match self.compression {
                MessagePacking::None => Packing::None,
                MessagePacking::Gzip => Packing::Gzip,
                MessagePacking::Snappy => Packing::Snappy,
                MessagePacking::Lz4 => Packing::Lz4,
                MessagePacking::Zstd => Packing::Zstd,
            },
            message_bytes_max: usize::try_from(self.message_bytes_max.0).unwrap_or(usize::MAX),
            timeout: self.timeout,
            tls: (self.tls.enabled == Switch::On).then(tls),
            login: self.login()?,
            group: GroupOptions {
                id: self.group.0.clone(),
                from_oldest: self.start == GroupStart::Oldest,
                session_timeout: self.session_timeout,
                dead_letter_topic: self.dead_letter_topic.0.clone(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::units::Name;
    use super::*;

    #[test]
    fn names_of_both_versions_of_jaeger_are_read() {
        for (given, name) in [
            ("protobuf", "jaeger_proto"),
            ("json", "jaeger_json"),
            ("zipkin-thrift", "zipkin_thrift"),
            ("otlp_proto", "otlp_proto"),
        ] {
            assert_eq!(MessageEncoding::parse(given).unwrap().print(), name);
        }
        assert!(MessageEncoding::parse("avro").is_err());
        for wrong in ["", "a", "a:x", "u:p@a:1", "http://a:1"] {
            assert!(Brokers::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "a b", "..", "ä"] {
            assert!(Topic::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_contradicts_is_said() {
        let said = |change: &dyn Fn(&mut Kafka)| {
            let mut chosen = Kafka::default();
            change(&mut chosen);
            chosen.contradictions().unwrap_or_default()
        };
        let user = || OrOff::On(Name("u".to_owned()));
        assert_eq!(said(&|_| {}), "");
        assert!(said(&|it| it.username = user()).contains("belong together"));
        assert!(said(&|it| it.tls.cert_file = OrOff::On("/c".into())).contains("belong together"));
        assert!(said(&|it| it.dead_letter_topic = Topic::of_spans()).contains("the same"));
    }
}
