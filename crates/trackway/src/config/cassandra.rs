//! Values of the keys of Cassandra.

use std::time::Duration;

use backends::PasswordSource;
use backends::cassandra::{Consistency, SchemaOptions};

use super::agent::Switch;
use super::backend::user_and_password;
use super::stores::Cassandra;
use super::units::{OrOff, Setting, items, words};

/// The longest name of a keyspace.
const KEYSPACE_BYTES_MAX: usize = 48;

/// Addresses of servers, with or without ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contacts(pub Vec<String>);

impl Default for Contacts {
    fn default() -> Self {
        Self(vec!["localhost".to_owned()])
    }
}

impl Setting for Contacts {
    const VALUES: &'static str =
        "`host` or `host:port`, separated by commas, such as `cassandra-1, cassandra-2`";

    fn parse(text: &str) -> Result<Self, String> {
        let servers: Vec<String> = items(text).map(str::to_owned).collect();
        for server in &servers {
            let (host, port) = split(server);
            let is_host = !host.is_empty() && !host.contains(['/', ' ', '@']);
            if !is_host || port.is_some_and(|port| port.parse::<u16>().is_err()) {
                return Err(format!(
                    "{server:?} is no address of a server; write host or host:port"
                ));
            }
        }
        match servers.is_empty() {
            true => Err("no server is named; write host or host:port".to_owned()),
            false => Ok(Self(servers)),
        }
    }

    fn print(&self) -> String {
        self.0.join(", ")
    }
}

/// The host and the port, if there is one; an address of version 6 has brackets around it where it has a port.
fn split(server: &str) -> (&str, Option<&str>) {
    match server.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port)),
        _ => (server, None),
    }
}

/// The port of servers that are named without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CassandraPort(pub u16);

impl Setting for CassandraPort {
    const VALUES: &'static str = "port, such as `9042`";

    fn parse(text: &str) -> Result<Self, String> {
        let port = text.trim().parse().ok().filter(|port| *port != 0);
        port.map(Self)
            .ok_or_else(|| format!("{text:?} is no port: it is a number from 1 to 65535"))
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}

/// The name of a keyspace, as it is written without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keyspace(pub String);

impl Default for Keyspace {
    fn default() -> Self {
        Self("jaeger_v1_dc1".to_owned())
    }
}

impl Setting for Keyspace {
    const VALUES: &'static str = "name of a keyspace: up to 48 of the characters a-z 0-9 _";
    const VALUES_OR_OFF: &'static str =
        "name of a keyspace: up to 48 of the characters a-z 0-9 _, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        // Cassandra itself takes names without quotes for those in small letters.
        let name = text.trim().to_ascii_lowercase();
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !begins || name.len() > KEYSPACE_BYTES_MAX || !name.chars().all(is_allowed) {
            return Err(format!(
                "{text:?} is no name of a keyspace: it begins with a letter and has up to 48 of the characters \
                 a-z 0-9 _"
            ));
        }
        Ok(Self(name))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// Names of datacenters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Datacenters(pub Vec<String>);

impl Setting for Datacenters {
    const VALUES: &'static str = "names separated by commas, or nothing";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(items(text).map(str::to_owned).collect()))
    }

    fn print(&self) -> String {
        self.0.join(", ")
    }
}

words! {
    /// How many replicas confirm or agree.
    pub(crate) enum ConsistencyLevel {
        /// Any one.
        One = "one",
        /// Two.
        Two = "two",
        /// Three.
        Three = "three",
        /// One of this datacenter.
        LocalOne = "local_one",
        /// Most of them.
        Quorum = "quorum",
        /// Most of those in this datacenter.
        LocalQuorum = "local_quorum",
        /// Most of those in each datacenter.
        EachQuorum = "each_quorum",
        /// All.
        All = "all",
    }
    values = "`one`, `two`, `three`, `local_one`, `quorum`, `local_quorum`, `each_quorum` or `all`"
}

impl Cassandra {
    /// `host:port` of each server.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let address = |server: &String| match split(server) {
            (_, Some(_)) => server.clone(),
            (host, None) if host.contains(':') && !host.starts_with('[') => {
                format!("[{host}]:{}", self.port.0)
            }
            (host, None) => format!("{host}:{}", self.port.0),
        };
        self.servers.0.iter().map(address).collect()
    }

    pub(crate) fn login(&self) -> Result<Option<(String, PasswordSource)>, String> {
        let keys = (&self.username, &self.password, &self.password_file);
        user_and_password("backend.cassandra", keys)
    }

    pub(crate) fn tls_files(&self) -> tls::ClientFiles {
        tls::ClientFiles {
            ca_file: self.tls.ca_file.clone().on(),
            cert_file: self.tls.cert_file.clone().on(),
            key_file: self.tls.key_file.clone().on(),
            server_name: self.tls.server_name.clone().on().map(|name| name.0),
            insecure_skip_verify: self.tls.insecure_skip_verify == Switch::On,
            protocols: Vec::new(),
        }
    }

    pub(crate) fn consistency(&self) -> Consistency {
        match self.consistency {
            ConsistencyLevel::One => Consistency::One,
            ConsistencyLevel::Two => Consistency::Two,
            ConsistencyLevel::Three => Consistency::Three,
            ConsistencyLevel::LocalOne => Consistency::LocalOne,
            ConsistencyLevel::Quorum => Consistency::Quorum,
            ConsistencyLevel::LocalQuorum => Consistency::LocalQuorum,
            ConsistencyLevel::EachQuorum => Consistency::EachQuorum,
            ConsistencyLevel::All => Consistency::All,
        }
    }

    pub(crate) fn schema_options(&self) -> SchemaOptions {
        // None is what Cassandra takes for ever.
        let ttl = |ttl: OrOff<Duration>| ttl.on().unwrap_or(Duration::ZERO);
        SchemaOptions {
            is_created: self.schema.create == Switch::On,
            replication_factor: self.schema.replication_factor,
            datacenters: self.schema.datacenters.0.clone(),
            trace_ttl: ttl(self.schema.trace_ttl),
            dependencies_ttl: ttl(self.schema.dependencies_ttl),
            compaction_window: self.schema.compaction_window,
        }
    }

    /// What does not fit together.
    pub(crate) fn contradictions(&self) -> Option<String> {
        if let Err(why) = self.login() {
            return Some(why);
        }
        if (self.tls.cert_file == OrOff::Off) != (self.tls.key_file == OrOff::Off) {
            let text =
                "backend.cassandra.tls.cert_file and key_file belong together: give both or none";
            return Some(text.to_owned());
        }
        if self.schema.replication_factor == 0 {
            let text = "backend.cassandra.schema.replication_factor is 0: nothing would be kept";
            return Some(text.to_owned());
        }
        let is_same = self.archive_keyspace == OrOff::On(self.keyspace.clone());
        is_same.then(|| {
            "backend.cassandra.keyspace and archive_keyspace are the same: what is kept for good would age".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::units::Name;
    use super::*;

    #[test]
    fn servers_have_the_port_that_they_name_or_the_one_for_all() {
        let addresses = |text: &str| {
            let servers = Contacts::parse(text).unwrap();
            let chosen = Cassandra {
                servers,
                port: CassandraPort(7),
                ..Cassandra::default()
            };
            chosen.addresses().join(" ")
        };
        assert_eq!(addresses("a, b:1"), "a:7 b:1");
        assert_eq!(addresses("::1, [::1]:2"), "[::1]:7 [::1]:2");
        for wrong in ["", "a:x", "http://a", "u:p@a", ":1"] {
            assert!(Contacts::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Keyspace::parse("Jaeger_V1").unwrap().0, "jaeger_v1");
        for wrong in ["", "1a", "a-b", "a b", "a\";", &"a".repeat(49)] {
            assert!(Keyspace::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_contradicts_is_said() {
        let said = |change: &dyn Fn(&mut Cassandra)| {
            let mut chosen = Cassandra::default();
            change(&mut chosen);
            chosen.contradictions().unwrap_or_default()
        };
        let user = || OrOff::On(Name("u".to_owned()));
        assert_eq!(said(&|_| {}), "");
        assert!(said(&|it| it.username = user()).contains("belong together"));
        assert!(said(&|it| it.tls.key_file = OrOff::On("/k".into())).contains("belong together"));
        assert!(said(&|it| it.archive_keyspace = OrOff::On(Keyspace::default())).contains("same"));
        assert!(said(&|it| it.schema.replication_factor = 0).contains("nothing would be kept"));
    }
}
