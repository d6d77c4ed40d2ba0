//! Where a Jaeger listens, and who is let in there: receivers, and the servers of extensions, as keys of `listen` and
//! `access`.
//!
//! Trackway's listeners share `listen.host`, and those of one kind share TLS, credentials and sites; a Collector says
//! all of it of each. What they have in common is carried over, the others are told one by one.
//!
//! Promises: what a Jaeger does not listen to is off; a port that was on loopback alone stays there.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::report::Place;
use super::table::How::{self, Elsewhere, Lost, LostUnless, Note, Quiet};
use super::table::{Importer, Row, join};
use super::tree::{Item, Node};

const SHARED: &str = "all ports of a kind share it";

/// A server of gRPC.
pub(super) const GRPC_SERVER: &[Row] = &[
    ("endpoint", "", Elsewhere),
    ("transport", "", LostUnless("tcp", "listeners are of TCP")),
    ("tls", "", How::Elsewhere),
    ("auth", "", Elsewhere),
    ("max_recv_msg_size_mib", "", Elsewhere),
    ("max_concurrent_streams", "", Quiet),
    ("read_buffer_size", "", Quiet),
    ("write_buffer_size", "", Quiet),
    ("keepalive", "", Quiet),
    ("include_metadata", "", Quiet),
    ("middlewares", "", Lost("there are no extensions")),
];

/// A server of HTTP.
pub(super) const HTTP_SERVER: &[Row] = &[
    ("endpoint", "", Elsewhere),
    ("transport", "", LostUnless("tcp", "listeners are of TCP")),
    ("tls", "", Elsewhere),
    ("auth", "", Elsewhere),
    ("cors.allowed_origins", "", Elsewhere),
    (
        "cors.allowed_headers",
        "",
        Note("pages of the sites that are named may send any header"),
    ),
    ("cors.exposed_headers", "", Quiet),
    ("cors.max_age", "", Quiet),
    ("max_request_body_size", "", Elsewhere),
    ("include_metadata", "", Quiet),
    (
        "response_headers",
        "",
        Lost("no headers are added to answers: have a proxy add them"),
    ),
    ("compression_algorithms", "", Quiet),
    ("read_timeout", "", Quiet),
    ("read_header_timeout", "", Quiet),
    ("write_timeout", "", Quiet),
    ("idle_timeout", "", Quiet),
    (
        "keep_alives_enabled",
        "",
        LostUnless("true", "connections are kept open"),
    ),
    (
        "traces_url_path",
        "",
        LostUnless("/v1/traces", "the path is always /v1/traces"),
    ),
    ("metrics_url_path", "", Quiet),
    ("logs_url_path", "", Quiet),
    (
        "parse_string_tags",
        "",
        LostUnless("false", "tags of Zipkin's are texts, as they were sent"),
    ),
    ("status.enabled", "", Quiet),
    (
        "status.path",
        "",
        LostUnless("/status", "the path is always /status"),
    ),
    (
        "config",
        "",
        Lost("the configuration is not shown over HTTP; trackway config show prints it"),
    ),
    ("middlewares", "", Lost("there are no extensions")),
];

/// A listener of datagrams.
const UDP_SERVER: &[Row] = &[
    ("endpoint", "", Elsewhere),
    ("queue_size", "", Quiet),
    ("max_packet_size", "", Quiet),
    ("workers", "", Quiet),
    ("socket_buffer_size", "", Quiet),
];

/// Which of the keys of `access` hold for a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `access.receive`.
    Receive,
    /// `access.query`.
    Query,
    /// Nothing can be asked for there.
    Open,
}

/// One listener of a Jaeger.
struct Door {
    key: &'static str,
    host: String,
    port: u16,
    place: Place,
}

/// A receiver's or extension's listeners: what it is called below it, Trackway's key, the port, the keys, the kind.
type Listener = (&'static str, &'static str, u16, &'static [Row], Kind);

const OTLP: &[Listener] = &[
    ("grpc", "otlp_grpc", 4317, GRPC_SERVER, Kind::Receive),
    ("http", "otlp_http", 4318, HTTP_SERVER, Kind::Receive),
];
const JAEGER: &[Listener] = &[
    ("grpc", "jaeger_grpc", 14250, GRPC_SERVER, Kind::Receive),
    (
        "thrift_http",
        "jaeger_http",
        14268,
        HTTP_SERVER,
        Kind::Receive,
    ),
    (
        "thrift_compact",
        "jaeger_compact",
        6831,
        UDP_SERVER,
        Kind::Open,
    ),
    (
        "thrift_binary",
        "jaeger_binary",
        6832,
        UDP_SERVER,
        Kind::Open,
    ),
];

/// Every key of `listen` that a Jaeger can mean.
const KEYS: [&str; 13] = [
    "otlp_grpc",
    "otlp_http",
    "jaeger_http",
    "jaeger_grpc",
    "storage_grpc",
    "jaeger_compact",
    "jaeger_binary",
    "zipkin",
    "query_http",
    "query_grpc",
    "sampling_http",
    "sampling_grpc",
    "health",
];

/// All listeners of a Jaeger, and what each asks of those who come.
#[derive(Default)]
pub(super) struct Doors {
    doors: Vec<Door>,
    guards: BTreeMap<Kind, Vec<(String, Item)>>,
    sizes: Vec<(u64, Place)>,
}

impl Doors {
    /// The listeners of a receiver; those that it has no key of are not there.
    pub(super) fn receiver(
        &mut self,
        importer: &mut Importer,
        kind: &str,
        path: &str,
        item: &Item,
    ) {
        let listeners = match kind {
            "otlp" => OTLP,
            "jaeger" => JAEGER,
            _ => {
                let zipkin = ("", "zipkin", 9411, HTTP_SERVER, Kind::Receive);
                return self.server(importer, zipkin, path, item);
            }
        };
        for (name, below) in item.fields() {
            let path = join(path, name);
            match name.as_str() {
                "protocols" => {
                    for (protocol, below) in below.fields() {
                        let path = join(&path, protocol);
                        match listeners.iter().find(|(known, ..)| known == protocol) {
                            Some(listener) => self.server(importer, *listener, &path, below),
                            None => {
                                let known = listeners.iter().map(|(known, ..)| *known);
                                importer.unknown(&path, protocol, below, known);
                            }
                        }
                    }
                }
                "remote_sampling" => {
                    let why = "what clients are to record is said by the extension remote_sampling";
                    importer.lost(&Place::of(&path, below), why);
                }
                _ => importer.unknown(&path, name, below, ["protocols"]),
            }
        }
    }

    /// One listener.
    pub(super) fn server(
        &mut self,
        importer: &mut Importer,
        (_, key, port, table, kind): Listener,
        path: &str,
        item: &Item,
    ) {
        importer.walk(table, "", path, item);
        let endpoint = item.at("endpoint");
        let place = Place::of(&join(path, "endpoint"), endpoint);
        let host = match key {
            "query_http" | "query_grpc" | "sampling_http" | "sampling_grpc" => "",
            _ => "localhost",
        };
        let text = match endpoint.node {
            Node::Nothing => format!("{host}:{port}"),
            _ => match importer.text(&place.path, endpoint) {
                Some(text) => text,
                None => format!("{host}:{port}"),
            },
        };
        match text
            .rsplit_once(':')
            .map(|(host, port)| (host, port.parse()))
        {
            Some((host, Ok(port))) => self.doors.push(Door {
                key,
                host: all_if_empty(host.trim_matches(['[', ']'])),
                port,
                place,
            }),
            _ => importer.lost(&place, "this is no address: host:port is wanted"),
        }
        if kind != Kind::Open {
            self.guards
                .entry(kind)
                .or_default()
                .push((path.to_owned(), item.clone()));
        } else if item.get("tls").is_some() {
            importer.lost(
                &Place::of(&join(path, "tls"), item.at("tls")),
                "this port never speaks TLS",
            );
        }
        for (size, unit) in [
            ("max_recv_msg_size_mib", 1_u64 << 20),
            ("max_request_body_size", 1),
        ] {
            if let Ok(count) = item.text_at(size).parse::<u64>() {
                let place = Place::of(&join(path, size), item.at(size));
                self.sizes.push((count.saturating_mul(unit), place));
            }
        }
    }

    /// Where metrics are shown, if that was said.
    pub(super) fn admin(&mut self, host: &str, port: u16, place: Place) {
        let host = all_if_empty(host);
        self.doors.push(Door {
            key: "admin",
            host,
            port,
            place,
        });
    }

    /// Whether a listener is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.doors.iter().any(|door| door.key == key)
    }

    /// Sets the keys of `listen` and `access`. `admin_port` is the one that the command has by itself.
    pub(super) fn settle(mut self, importer: &mut Importer, extensions: &Item, admin_port: u16) {
        let host = self.usual_host();
        if !is_loopback(&host) && !self.has("admin") {
            let place = Place::missing("service.telemetry.metrics");
            self.admin("localhost", admin_port, place);
        }
        if !is_loopback(&host) {
            importer.set(
                "listen.host",
                host.clone(),
                &Place::missing("the endpoints"),
            );
        }
        for key in KEYS {
            if !self.has(key) {
                importer.set(&format!("listen.{key}"), "off", &Place::missing("service"));
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for door in &self.doors {
            if seen.contains(&door.key) {
                let why = format!("there is one listener of this kind: listen.{}", door.key);
                importer.lost(&door.place, why);
                continue;
            }
            seen.push(door.key);
            let key = format!("listen.{}", door.key);
            let address = address(door, &host);
            if address.is_none() {
                let why =
                    format!("listeners have addresses, not names: it is {key} on listen.host");
                importer.lost(&door.place, why);
            }
            importer.set(
                &key,
                address.unwrap_or_else(|| door.port.to_string()),
                &door.place,
            );
        }
        self.settle_sizes(importer);
        for (kind, section) in [
            (Kind::Receive, "access.receive"),
            (Kind::Query, "access.query"),
        ] {
            let guards = self.guards.remove(&kind).unwrap_or_default();
            tls(importer, section, &guards);
            credentials(importer, section, &guards, extensions);
            sites(importer, section, &guards);
        }
    }

    /// The host of most listeners; loopback where all are even.
    fn usual_host(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for door in self.doors.iter().filter(|door| door.key != "admin") {
            if is_loopback(&door.host) || is_address(&door.host) {
                *counts.entry(&door.host).or_default() += 1;
            }
        }
        let most = counts
            .into_iter()
            .max_by_key(|(host, count)| (*count, is_loopback(host)));
        most.map_or_else(|| "localhost".to_owned(), |(host, _)| host.to_owned())
    }

    /// One size for all ports: the largest that was asked for, where it is over what is taken anyway.
    fn settle_sizes(&self, importer: &mut Importer) {
        const TAKEN_BYTES: u64 = 64 << 20;
        let Some((largest, place)) = self.sizes.iter().max_by_key(|(size, _)| *size) else {
            return;
        };
        if *largest > TAKEN_BYTES {
            for key in ["receive.body_bytes_max", "receive.compressed_bytes_max"] {
                importer.set(key, format!("{largest}B"), place);
            }
            return;
        }
        let place = place.clone();
        importer.note(
            &place,
            "every port takes requests of up to 64 MiB: receive.body_bytes_max",
        );
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1")
}

/// An address without a host is every one of the machine.
fn all_if_empty(host: &str) -> String {
    if host.is_empty() { "::" } else { host }.to_owned()
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// A listener's address as Trackway writes it; `None` where it is a name.
fn address(door: &Door, usual: &str) -> Option<String> {
    let port = door.port;
    match door.host.as_str() {
        host if host == usual && host != "127.0.0.1" => Some(port.to_string()),
        "localhost" => Some(format!("localhost:{port}")),
        host => {
            let ip: IpAddr = host.parse().ok()?;
            Some(std::net::SocketAddr::new(ip, port).to_string())
        }
    }
}

const TLS_KEYS: [(&str, &str); 3] = [
    ("cert_file", "cert_file"),
    ("key_file", "key_file"),
    ("client_ca_file", "client_ca_file"),
];

/// Keys of a server's TLS that Trackway has no key of.
const SERVER_TLS: &[Row] = &[
    ("cert_file", "", Elsewhere),
    ("key_file", "", Elsewhere),
    ("client_ca_file", "", Elsewhere),
    ("min_version", "", Elsewhere),
    (
        "max_version",
        "",
        LostUnless("1.3", "TLS 1.3 is always spoken"),
    ),
    (
        "cipher_suites",
        "",
        Lost("ciphers are those that are safe, and can't be chosen"),
    ),
    (
        "curve_preferences",
        "",
        Lost("curves are those that are safe, and can't be chosen"),
    ),
    (
        "reload_interval",
        "",
        Note("files are looked at every 10 s"),
    ),
    ("client_ca_file_reload", "", Quiet),
    (
        "include_system_ca_certs_pool",
        "",
        Lost("clients' authorities are those of client_ca_file"),
    ),
    ("ca_file", "", Quiet),
    ("insecure", "", Quiet),
    (
        "cert_pem",
        "",
        Lost("the certificate is read from a file: write it into one"),
    ),
    (
        "key_pem",
        "",
        Lost("the key is read from a file: write it into one"),
    ),
];

/// TLS of one kind of ports. Where only some have it, all get it: what was hidden must not be said plainly.
fn tls(importer: &mut Importer, section: &str, guards: &[(String, Item)]) {
    for (path, item) in guards {
        importer.walk(SERVER_TLS, "", &join(path, "tls"), item.at("tls"));
    }
    let has_tls = |item: &Item| !item.text_at("tls.cert_file").is_empty();
    let Some((first_path, first)) = guards.iter().find(|(_, item)| has_tls(item)) else {
        return;
    };
    let path = join(first_path, "tls");
    for (name, key) in TLS_KEYS {
        let item = first.at("tls").at(name);
        if let Some(text) = importer
            .text(&join(&path, name), item)
            .filter(|text| !text.is_empty())
        {
            importer.set(
                &format!("{section}.tls.{key}"),
                text,
                &Place::of(&join(&path, name), item),
            );
        }
    }
    let version = first.at("tls.min_version");
    let place = Place::of(&join(&path, "min_version"), version);
    match version.text().unwrap_or_default().as_str() {
        "" | "1.2" => {}
        "1.0" | "1.1" => importer.lost(&place, "TLS before 1.2 is not spoken: it is not safe"),
        text => importer.set(&format!("{section}.tls.version_min"), text, &place),
    }
    for (path, item) in guards {
        if same_files(item, first) {
            continue;
        }
        let why = format!(
            "{SHARED}: TLS is spoken here as well, with the files of {first_path} (trackway config explain \
             {section}.tls)"
        );
        let place = match item.get("tls") {
            Some(tls) => Place::of(&join(path, "tls"), tls),
            None => Place::without_value(path, item),
        };
        importer.lost(&place, why);
    }
}

fn same_files(left: &Item, right: &Item) -> bool {
    let names = ["cert_file", "key_file", "client_ca_file", "min_version"];
    names
        .iter()
        .all(|name| left.at("tls").text_at(name) == right.at("tls").text_at(name))
}

/// Passwords and tokens of one kind of ports.
fn credentials(
    importer: &mut Importer,
    section: &str,
    guards: &[(String, Item)],
    extensions: &Item,
) {
    let named = |item: &Item| item.text_at("auth.authenticator");
    let Some((first_path, first)) = guards.iter().find(|(_, item)| !named(item).is_empty()) else {
        return;
    };
    let name = named(first);
    let place = Place::of(
        &format!("{first_path}.auth.authenticator"),
        first.at("auth.authenticator"),
    );
    let extension = extensions.fields().iter().find(|(known, _)| *known == name);
    let files = [
        ("basicauth", "htpasswd.file", "users_file"),
        ("bearertokenauth", "filename", "tokens_file"),
    ];
    let kind = name.split('/').next().unwrap_or_default();
    let found = files.iter().find(|(known, ..)| *known == kind);
    let file = found
        .zip(extension)
        .map(|((_, path, key), (_, item))| (*key, item.text_at(path)));
    match file.filter(|(_, file)| !file.is_empty()) {
        Some((key, file)) => importer.set(&format!("{section}.{key}"), file, &place),
        None => {
            let why = format!(
                "write users into a file ({section}.users_file, as htpasswd -B does), or tokens \
                 ({section}.tokens_file), \
                 or have a proxy sign people in; until then everybody is let in"
            );
            importer.lost(&place, why);
        }
    }
    for (path, item) in guards.iter().filter(|(_, item)| named(item) != name) {
        let why =
            format!("{SHARED}: credentials are asked for here as well, those of {first_path}");
        importer.lost(&Place::without_value(path, item), why);
    }
}

/// Sites whose pages may send and ask.
fn sites(importer: &mut Importer, section: &str, guards: &[(String, Item)]) {
    let mut all: Vec<String> = Vec::new();
    let mut last = None;
    for (path, item) in guards {
        let path = join(path, "cors.allowed_origins");
        for origin in item.at("cors.allowed_origins").items() {
            let place = Place::of(&path, origin);
            match importer.text(&path, origin) {
                Some(text) if text.contains('*') => {
                    let why = format!(
                        "sites are named one by one in {section}.cors_origins, without patterns"
                    );
                    importer.lost(&place, why);
                }
                Some(text) if !all.contains(&text) => all.push(text),
                Some(_) | None => {}
            }
            last = Some(place);
        }
    }
    if let (false, Some(place)) = (all.is_empty(), last) {
        importer.set(&format!("{section}.cors_origins"), all.join(", "), &place);
    }
}
