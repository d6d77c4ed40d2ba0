//! Values of the keys that say where spans are kept.
//!
//! Secrets stand in files, never in the configuration itself.

use std::path::PathBuf;

use backends::elastic::Rotation;
use backends::{CredentialKind, Credentials, PasswordSource};
use codec::jaeger_document::{DocumentLayout, TagsAsFields};

use super::agent::Switch;
use super::stores::{Backend, BackendBuffer, BackendKind, Elasticsearch, Remote};
use super::tree::Acknowledge;
use super::units::{ByteCount, Name, OrOff, Setting, items, words};

const TLS_PREFIX: &str = "https://";
/// Servers take 65,536 terms, and a page of them comes after the limit was looked at.
const SEARCH_TRACES_MAX: usize = 60_000;
/// Sixteen files of the log.
const BUFFER_BYTES_MIN: ByteCount = ByteCount::mib(1);
/// The most bytes of a token's file.
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// The address of a server: `host:port`, with `https://` before it where it speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(pub String);

impl Default for Endpoint {
    fn default() -> Self {
        Self("localhost:17271".to_owned())
    }
}

impl Endpoint {
    /// Where it is.
    pub(crate) fn authority(&self) -> &str {
        self.0.strip_prefix(TLS_PREFIX).unwrap_or(&self.0)
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.0.starts_with(TLS_PREFIX)
    }
}

impl Setting for Endpoint {
    const VALUES: &'static str =
        "host and port: `jaeger-storage:17271`, `https://jaeger-storage:17271`";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let authority = text.strip_prefix(TLS_PREFIX).unwrap_or(text);
        let port = authority
            .rsplit_once(':')
            .map(|(host, port)| (host, port.parse::<u16>()));
        match port {
            Some((host, Ok(_))) if !host.is_empty() && !host.contains(['/', ' ']) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(format!(
                "{text:?} is no address of a server; write host:port, or https://host:port"
            )),
        }
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

impl Backend {
    /// What is wrong with its buffer.
    pub(crate) fn buffer_contradictions(&self) -> Vec<String> {
        let mut found = self.buffer.contradictions();
        if self.kind == BackendKind::Embedded && self.buffer.dir != OrOff::Off {
            let text = "backend.buffer.dir is set and backend.kind is embedded: the embedded store has a log of its \
                        own, and needs no buffer before it";
            found.push(text.to_owned());
        }
        found
    }
}

impl BackendBuffer {
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut wrong = |is_wrong: bool, why: &str| {
            if is_wrong {
                found.push(why.to_owned());
            }
        };
        wrong(
            self.bytes_max < BUFFER_BYTES_MIN,
            "backend.buffer.bytes_max is below 1MiB: the log's files don't fit into less",
        );
        wrong(
            self.acknowledge == Acknowledge::Memory,
            "backend.buffer.acknowledge is memory: a buffer must be on the disk; write sync or page_cache",
        );
        wrong(
            self.in_flight_max == 0,
            "backend.buffer.in_flight_max is 0: nothing would be written to the store",
        );
        found
    }
}

impl Remote {
    /// What TLS is made of.
    pub(crate) fn tls_files(&self) -> tls::ClientFiles {
        tls::ClientFiles {
            ca_file: self.tls.ca_file.clone().on(),
            cert_file: self.tls.cert_file.clone().on(),
            key_file: self.tls.key_file.clone().on(),
            protocols: vec!["h2"],
            ..tls::ClientFiles::default()
        }
    }

    /// The token, if there is one; the error is a sentence with the key.
    pub(crate) fn token(&self) -> Result<Option<backends::Secret>, String> {
        let OrOff::On(path) = &self.token_file else {
            return Ok(None);
        };
        let name = path.display();
        let unreadable = |error: std::io::Error| {
            let why = plumbing::why_unread(path, &error);
            format!("backend.remote.token_file: can't read {name}: {why}")
        };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > TOKEN_BYTES_MAX {
            return Err(format!(
                "backend.remote.token_file: {name} has {bytes} bytes, a token has at most {TOKEN_BYTES_MAX}"
            ));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Ok(Some(backends::Secret::new(text.trim().to_owned())))
    }
}

/// Addresses of a cluster's servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts(pub Vec<String>);

impl Default for Hosts {
    fn default() -> Self {
        Self(vec!["http://localhost:9200".to_owned()])
    }
}

impl Setting for Hosts {
    const VALUES: &'static str =
        "addresses separated by commas, such as `https://es-1:9200, https://es-2:9200`";

    fn parse(text: &str) -> Result<Self, String> {
        let hosts: Vec<String> = items(text)
            .map(|host| host.trim_end_matches('/').to_owned())
            .collect();
        for host in &hosts {
            let uri = host.parse::<http::Uri>().ok();
            let is_url = uri.is_some_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.host().is_some_and(|host| !host.is_empty())
                    && uri.query().is_none()
            });
            if !is_url {
                // A password may stand in it.
                let shown = if host.contains('@') {
                    "an address"
                } else {
                    host
                };
                return Err(format!(
                    "{shown} is none of a server; write http://host:port or https://host:port"
                ));
            }
            if host.contains('@') {
                return Err("a user and a password belong into backend.elasticsearch.username and password_file, not \
                            into the address, which is shown and logged"
                    .to_owned());
            }
        }
        if hosts.is_empty() {
            return Err(
                "no server is named; write http://host:port or https://host:port".to_owned(),
            );
        }
        Ok(Self(hosts))
    }

    fn print(&self) -> String {
        self.0.join(", ")
    }
}

/// A password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Password {
    /// What is never shown.
    pub(super) fn secret(self) -> backends::Secret {
        backends::Secret::new(self.0)
    }
}

impl Setting for Password {
    const VALUES: &'static str = "password";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }

    fn print(&self) -> String {
        "***".to_owned()
    }
}

/// What stands before the names of indices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct IndexPrefix(pub String);

impl Setting for IndexPrefix {
    const VALUES: &'static str = "text such as `production`, without capitals; empty for none";

    fn parse(text: &str) -> Result<Self, String> {
        let prefix = text.trim();
        let is_allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if prefix.len() > 100
            || !prefix.chars().all(is_allowed)
            || prefix.starts_with(['-', '_', '.'])
        {
            return Err(format!(
                "{text:?} can't begin the name of an index: it has the characters a-z 0-9 . _ -, and a letter or digit \
                 first"
            ));
        }
        Ok(Self(prefix.to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

words! {
    /// What stands between the parts of a date in the name of an index.
    pub(crate) enum DateSeparator {
        /// As Jaeger has it.
        Hyphen = "-",
        /// As Logstash has it.
        Dot = ".",
        /// A line.
        Underscore = "_",
    }
    values = "`-`, `.` or `_`"
}

impl DateSeparator {
    pub(crate) fn of_indices(self) -> char {
        match self {
            Self::Hyphen => '-',
            Self::Dot => '.',
            Self::Underscore => '_',
        }
    }
}

words! {
    /// When a new index begins.
    pub(crate) enum IndexRotation {
        /// With every day.
        Daily = "daily",
        /// When it is rolled over.
        Rollover = "rollover",
    }
    values = "`daily` or `rollover`"
}

impl IndexRotation {
    pub(crate) fn of_indices(self) -> Rotation {
        match self {
            Self::Daily => Rotation::Daily,
            Self::Rollover => Rotation::Rollover,
        }
    }
}

/// Which tags are members of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TagFields(pub TagsAsFields);

impl Setting for TagFields {
    const VALUES: &'static str =
        "`all`, or keys separated by commas, such as `http.route, customer`; empty for none";

    fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "all" {
            return Ok(Self(TagsAsFields::All));
        }
        let keys: std::collections::BTreeSet<String> = items(text).map(str::to_owned).collect();
        if keys.is_empty() {
            return Ok(Self(TagsAsFields::Few));
        }
        Ok(Self(TagsAsFields::Some(keys)))
    }

    fn print(&self) -> String {
        match &self.0 {
            TagsAsFields::Few => String::new(),
            TagsAsFields::All => "all".to_owned(),
            TagsAsFields::Some(keys) => keys.iter().cloned().collect::<Vec<_>>().join(", "),
        }
    }
}

/// What stands for a dot in the name of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DotReplacement(pub String);

impl Default for DotReplacement {
    fn default() -> Self {
        Self(DocumentLayout::default().dot)
    }
}

impl Setting for DotReplacement {
    const VALUES: &'static str = "text without dots, such as `@`";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.contains(['.', '*', ' ']) {
            return Err(format!(
                "{text:?} can't stand for a dot; write a sign such as @"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// A user and where its password comes from, for the keys below a section; the error is a sentence with the key.
pub(super) fn user_and_password(
    section: &str,
    (user, password, file): (&OrOff<Name>, &OrOff<Password>, &OrOff<PathBuf>),
) -> Result<Option<(String, PasswordSource)>, String> {
    let password = match (password.clone().on(), file.clone().on()) {
        (Some(_), Some(_)) => {
            return Err(format!(
                "{section}.password and password_file are both set: one of them says who the program is"
            ));
        }
        (Some(password), None) => Some(PasswordSource::Given(password.secret())),
        (None, Some(path)) => Some(PasswordSource::File(path)),
        (None, None) => None,
    };
    match (user.clone().on(), password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some((user.0, password))),
        _ => Err(format!(
            "{section}.username and password_file belong together: give both or none"
        )),
    }
}

impl Elasticsearch {
    pub(crate) fn is_tls(&self) -> bool {
        self.hosts.0.iter().any(|host| host.starts_with(TLS_PREFIX))
    }

    /// What TLS is made of.
    pub(crate) fn tls_files(&self) -> tls::ClientFiles {
        tls::ClientFiles {
            ca_file: self.tls.ca_file.clone().on(),
            cert_file: self.tls.cert_file.clone().on(),
            key_file: self.tls.key_file.clone().on(),
            server_name: self.tls.server_name.clone().on().map(|name| name.0),
            insecure_skip_verify: self.tls.insecure_skip_verify == Switch::On,
            protocols: vec!["http/1.1"],
        }
    }

    pub(crate) fn layout(&self) -> DocumentLayout {
        DocumentLayout {
            tags_as_fields: self.tags_as_fields.0.clone(),
            dot: self.dot_replacement.0.clone(),
            has_end: self.end_times == Switch::On,
        }
    }

    /// Who the program is, if anybody; the error is a sentence with the key. Reads a file.
    pub(crate) fn credentials(&self) -> Result<Option<Credentials>, String> {
        if let OrOff::On(Password(password)) = &self.password {
            return self.with_password(password).map(Some);
        }
        let Some((key, kind, path)) = self.credential_file()? else {
            return Ok(None);
        };
        let loaded = Credentials::load(kind, path);
        let loaded = loaded.map_err(|why| format!("backend.elasticsearch.{key}: {why}"))?;
        Ok(Some(loaded))
    }

    fn with_password(&self, password: &str) -> Result<Credentials, String> {
        let files = [&self.password_file, &self.api_key_file, &self.token_file];
        let Some(user) = self.username.clone().on() else {
            let text =
                "backend.elasticsearch.username and password belong together: give both or none";
            return Err(text.to_owned());
        };
        if files.iter().any(|file| matches!(file, OrOff::On(_))) {
            let text = "backend.elasticsearch.password and a file are both set: one of them says who the program is";
            return Err(text.to_owned());
        }
        let kind = CredentialKind::Password { user: user.0 };
        let given = Credentials::given(kind, password.to_owned());
        given.map_err(|why| format!("backend.elasticsearch.password: {why}"))
    }

    fn credential_file(&self) -> Result<Option<(&'static str, CredentialKind, PathBuf)>, String> {
        let user = self.username.clone().on();
        let files = [
            ("password_file", &self.password_file),
            ("api_key_file", &self.api_key_file),
            ("token_file", &self.token_file),
        ];
        let mut given = files
            .into_iter()
            .filter_map(|(key, file)| Some((key, file.clone().on()?)));
        let (first, second) = (given.next(), given.next());
        if let (Some((one, _)), Some((other, _))) = (&first, &second) {
            return Err(format!(
                "backend.elasticsearch.{one} and {other} are both set: one of them says who the program is"
            ));
        }
        match (first, user) {
            (None, None) => Ok(None),
            (Some((key @ "password_file", path)), Some(user)) => {
                Ok(Some((key, CredentialKind::Password { user: user.0 }, path)))
            }
            (Some(("password_file", _)), None) | (None, Some(_)) => {
                let text = "backend.elasticsearch.username and password_file belong together: give both or none";
                Err(text.to_owned())
            }
            (Some((key, _)), Some(_)) => Err(format!(
                "backend.elasticsearch.username and {key} are both set: one of them says who the program is"
            )),
            (Some((key @ "api_key_file", path)), None) => {
                Ok(Some((key, CredentialKind::ApiKey, path)))
            }
            (Some((key, path)), None) => Ok(Some((key, CredentialKind::Token, path))),
        }
    }

    /// What does not fit together.
    pub(crate) fn contradictions(&self) -> Option<String> {
        if let Err(why) = self.credentials() {
            return Some(why);
        }
        if self.search_traces_max > SEARCH_TRACES_MAX {
            return Some(format!(
                "backend.elasticsearch.search_traces_max is over {SEARCH_TRACES_MAX}, the most ids that the servers \
                 take in one question"
            ));
        }
        let has_plain = self
            .hosts
            .0
            .iter()
            .any(|host| !host.starts_with(TLS_PREFIX));
        let is_mixed = has_plain && self.is_tls();
        is_mixed.then(|| {
            "backend.elasticsearch.hosts has addresses with https:// and with http://: what is said to one plainly the \
             others would hide"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_cluster_are_read_and_hold_no_secrets() {
        let parsed = Hosts::parse("https://a:9200/, https://b:9200/es").unwrap();
        assert_eq!(parsed.print(), "https://a:9200, https://b:9200/es");
        for wrong in ["", "a:9200", "ftp://a", "https://", "http://a?b"] {
            assert!(Hosts::parse(wrong).is_err(), "{wrong}");
        }
        let said = Hosts::parse("https://u:secret@a:9200").unwrap_err();
        assert!(
            said.contains("password_file") && !said.contains("secret"),
            "{said}"
        );
        let said = Hosts::parse("htps://u:secret@a:9200").unwrap_err();
        assert!(!said.contains("secret"), "{said}");
    }

    #[test]
    fn a_buffer_is_of_stores_of_others_and_must_hold_what_it_promises() {
        let said = |change: &dyn Fn(&mut Backend)| {
            let mut chosen = Backend {
                kind: BackendKind::Remote,
                ..Backend::default()
            };
            chosen.buffer.dir = OrOff::On(PathBuf::from("./buffer"));
            change(&mut chosen);
            chosen.buffer_contradictions().join("\n")
        };
        assert_eq!(said(&|_| {}), "");
        let embedded = said(&|it| it.kind = BackendKind::Embedded);
        assert!(embedded.contains("a log of its own"), "{embedded}");
        assert!(said(&|it| it.buffer.bytes_max = ByteCount(1000)).contains("below 1MiB"));
        assert!(said(&|it| it.buffer.in_flight_max = 0).contains("in_flight_max is 0"));
        let memory = said(&|it| it.buffer.acknowledge = Acknowledge::Memory);
        assert!(memory.contains("must be on the disk"), "{memory}");
    }

    #[test]
    fn layouts_are_read_as_they_are_printed() {
        for text in ["", "all", "customer, http.route"] {
            assert_eq!(TagFields::parse(text).unwrap().print(), text);
        }
        for wrong in ["Shop", "-a", "a b", "a*"] {
            assert!(IndexPrefix::parse(wrong).is_err(), "{wrong}");
        }
        assert!(DotReplacement::parse(".").is_err() && DotReplacement::parse("#").is_ok());
    }

    #[test]
    fn there_is_one_way_to_say_who_the_program_is() {
        let on = || OrOff::On(PathBuf::from("/nowhere/secret"));
        let name = || OrOff::On(super::super::units::Name("u".to_owned()));
        let said = |change: &dyn Fn(&mut Elasticsearch)| {
            let mut chosen = Elasticsearch::default();
            change(&mut chosen);
            chosen.contradictions().unwrap_or_default()
        };
        assert_eq!(said(&|_| {}), "");
        assert!(said(&|it| it.username = name()).contains("belong together"));
        assert!(said(&|it| it.password_file = on()).contains("belong together"));
        assert!(said(&|it| (it.api_key_file, it.token_file) = (on(), on())).contains("both set"));
        assert!(said(&|it| (it.username, it.token_file) = (name(), on())).contains("both set"));
        let unread = said(&|it| (it.username, it.password_file) = (name(), on()));
        assert!(
            unread.contains("password_file: can't read /nowhere/secret"),
            "{unread}"
        );
        let mixed = said(&|it| it.hosts = Hosts::parse("https://a, http://b").unwrap());
        assert!(mixed.contains("https://"), "{mixed}");
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["localhost:17271", "[::1]:1", "https://10.0.0.1:65535"] {
            assert_eq!(Endpoint::parse(good).map(|it| it.0), Ok(good.to_owned()));
        }
        let endpoint = Endpoint("https://x:1".to_owned());
        assert!(endpoint.is_tls() && endpoint.authority() == "x:1");
        for bad in ["", "localhost", ":1", "http://x:1", "x:65536", "x:"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
