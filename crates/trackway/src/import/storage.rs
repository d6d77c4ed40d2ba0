//! Where a Jaeger keeps its spans: the backends of the extension `jaeger_storage`, as keys of `backend` and `store`.
//!
//! Promises: what Jaeger takes where nothing is said and Trackway does not (keyspace, consistency, addresses, times) is
//! written out. A password that came from a variable is not written down.

use super::report::Place;
use super::table::How::{Below, Elsewhere, Key, Lost, LostUnless, Note, Quiet, With};
use super::table::{
    Importer, Meaning, Row, join, lower, off_if_zero, switch, unless_empty, unless_zero,
};
use super::tree::{Item, NOTHING, Node};

const FILES_AGAIN: &str = "files are read again when they change, whatever this says";
const INLINE: &str = "Trackway reads it from a file: write it into one";
const NO_AUTHENTICATOR: &str = "extensions that sign requests are not there: use a user and a password, a token's \
                                file or mTLS, or a proxy that signs";
const ALWAYS_CONFIRMED: &str =
    "a request is answered when its spans are kept, and what can't be kept is tried again";

/// TLS of the program as a client, but the name that a server must have.
macro_rules! tls_without_name {
    ($row:expr $(,)?) => { &[
        $row,
        ("ca_file", "", With("ca_file", $crate::import::table::unless_empty)),
        ("cert_file", "", With("cert_file", $crate::import::table::unless_empty)),
        ("key_file", "", With("key_file", $crate::import::table::unless_empty)),
        ("insecure_skip_verify", "", With("insecure_skip_verify", $crate::import::table::switch)),
        ("insecure", "", Elsewhere),
        ("min_version", "", LostUnless("1.2", "as a client, TLS 1.2 and 1.3 are spoken")),
        ("max_version", "", LostUnless("1.3", "as a client, TLS 1.2 and 1.3 are spoken")),
        ("cipher_suites", "", Lost("ciphers are those that are safe, and can't be chosen")),
        ("curve_preferences", "", Lost("curves are those that are safe, and can't be chosen")),
        ("reload_interval", "", Note("files are read again when they change, whatever this says")),
        ("include_system_ca_certs_pool", "", Lost(
            "ca_file stands in the place of the system's authorities: put both into one file",
        )),
        ("ca_pem", "", Lost("Trackway reads it from a file: write it into one")),
        ("cert_pem", "", Lost("Trackway reads it from a file: write it into one")),
        ("key_pem", "", Lost("Trackway reads it from a file: write it into one")),
        ("tpm", "", Lost("keys are read from files")),
    ] };
}
pub(super) use tls_without_name;

const CLIENT_TLS: &[Row] = tls_without_name![(
    "server_name_override",
    "",
    With("server_name", unless_empty)
)];

const ROTATION_ROWS: &[Row] = &[
    ("shards", "", Elsewhere),
    ("replicas", "", Elsewhere),
    (
        "priority",
        "",
        LostUnless(
            "0",
            "templates have no priority: give it to the template by hand, and set \
                                      backend.elasticsearch.create_templates to off",
        ),
    ),
    ("date_layout", "", With("date_separator", date_separator)),
    ("rollover_frequency", "", LostUnless("day", DATES)),
    (
        "rotation.periodic.date_layout",
        "",
        With("date_separator", date_separator),
    ),
    (
        "rotation.periodic.rollover_frequency",
        "",
        LostUnless("day", DATES),
    ),
    ("rotation.manual_rollover", "", Elsewhere),
    ("rotation.auto_rollover", "", Elsewhere),
    (
        "rotation.data_stream",
        "",
        Lost("spans are not kept in data streams, which Jaeger refuses as well"),
    ),
];
/// A day as Go writes it, by what stands between its parts.
fn date_separator(layout: &str) -> Meaning {
    match layout.trim() {
        "" | "2006-01-02" => Meaning::Unsaid,
        "2006.01.02" => Meaning::is("."),
        "2006_01_02" => Meaning::is("_"),
        _ => Meaning::Wrong(DATES),
    }
}

const DATES: &str = "indices are named by the day, as jaeger-span-2026-01-15: use rollover instead";

const ELASTICSEARCH: &[Row] = &[
    ("server_urls", "http://127.0.0.1:9200", Key("hosts")),
    (
        "remote_read_clusters",
        "",
        Lost("other clusters are not read: name the servers of one"),
    ),
    ("auth.basic", "", Elsewhere),
    (
        "auth.bearer_token.file_path",
        "",
        With("token_file", unless_empty),
    ),
    ("auth.bearer_token.from_context", "", Lost(FROM_CONTEXT)),
    ("auth.bearer_token.reload_interval", "", Note(FILES_AGAIN)),
    (
        "auth.api_key.file_path",
        "",
        With("api_key_file", unless_empty),
    ),
    ("auth.api_key.from_context", "", Lost(FROM_CONTEXT)),
    ("auth.api_key.reload_interval", "", Note(FILES_AGAIN)),
    ("auth.authenticator", "", Lost(NO_AUTHENTICATOR)),
    ("tls", "", Below(CLIENT_TLS, "tls")),
    (
        "sniffing.enabled",
        "",
        Lost("servers are not asked for others: name them all in backend.elasticsearch.hosts"),
    ),
    ("sniffing.use_https", "", Quiet),
    ("disable_health_check", "", Quiet),
    ("health_check_timeout_startup", "", Quiet),
    ("send_get_body_as", "", Quiet),
    ("query_timeout", "", With("timeout", unless_zero)),
    ("http_compression", "", Quiet),
    (
        "custom_headers",
        "",
        Lost("no headers are added: have a proxy add them"),
    ),
    ("bulk_processing", "", Note(ALWAYS_CONFIRMED)),
    ("write_mode", "", Note(ALWAYS_CONFIRMED)),
    (
        "poison_pill_handling",
        "",
        Note(
            "what the server never takes is set aside in the index trackway-set-aside, and the rest is kept",
        ),
    ),
    ("version", "", Note("the server is asked for its version")),
    (
        "log_level",
        "",
        Note("log.level says what is logged, of everything"),
    ),
    ("indices.index_prefix", "", With("index_prefix", prefix)),
    ("indices.spans", "", Below(ROTATION_ROWS, "")),
    ("indices.services", "", Below(ROTATION_ROWS, "")),
    ("indices.dependencies", "", Below(ROTATION_ROWS, "")),
    ("indices.sampling", "", Quiet),
    ("use_aliases", "", Elsewhere),
    ("use_ilm", "", Elsewhere),
    ("span_read_alias", "", Elsewhere),
    ("span_write_alias", "", Elsewhere),
    ("service_read_alias", "", Elsewhere),
    ("service_write_alias", "", Elsewhere),
    ("create_mappings", "", With("create_templates", switch)),
    (
        "max_doc_count",
        "",
        Note("answers are read page by page, so that nothing is cut off at so many"),
    ),
    (
        "max_span_age",
        "",
        Note("services are looked for in all indices that there are"),
    ),
    (
        "max_trace_duration",
        "",
        Note("a trace is read whole, however long it takes"),
    ),
    ("service_cache_ttl", "", Quiet),
    ("adaptive_sampling_lookback", "", Quiet),
    ("tags_as_fields.all", "", With("tags_as_fields", all_tags)),
    (
        "tags_as_fields.include",
        "",
        With("tags_as_fields", unless_empty),
    ),
    (
        "tags_as_fields.config_file",
        "",
        Lost(
            "write the lines of the file into backend.elasticsearch.tags_as_fields, separated by commas",
        ),
    ),
    (
        "tags_as_fields.dot_replacement",
        "",
        With("dot_replacement", unless_empty),
    ),
];
const FROM_CONTEXT: &str =
    "the credentials of those who ask are not passed on: give the program its own";

const CASSANDRA: &[Row] = &[
    ("schema.keyspace", "jaeger_dc1", Key("keyspace")),
    ("schema.create", "", With("schema.create", switch)),
    ("schema.datacenter", "dc1", Key("schema.datacenters")),
    (
        "schema.trace_ttl",
        "",
        With("schema.trace_ttl", off_if_zero),
    ),
    (
        "schema.dependencies_ttl",
        "",
        With("schema.dependencies_ttl", off_if_zero),
    ),
    (
        "schema.replication_factor",
        "",
        Key("schema.replication_factor"),
    ),
    (
        "schema.compaction_window",
        "",
        With("schema.compaction_window", unless_zero),
    ),
    ("schema.disable_compression", "", Quiet),
    ("connection.servers", "127.0.0.1", Key("servers")),
    ("connection.port", "", With("port", unless_zero)),
    (
        "connection.local_dc",
        "",
        With("local_datacenter", unless_empty),
    ),
    (
        "connection.disable_auto_discovery",
        "",
        Lost("the other servers of the cluster are always learned from these"),
    ),
    ("connection.connections_per_host", "", Quiet),
    ("connection.reconnect_interval", "", Quiet),
    ("connection.socket_keep_alive", "", Quiet),
    ("connection.timeout", "", With("timeout", unless_zero)),
    (
        "connection.proto_version",
        "",
        Note("the version of the protocol is agreed upon with the server"),
    ),
    ("connection.tls", "", Below(CLIENT_TLS, "tls")),
    ("connection.auth.basic.username", "", Elsewhere),
    ("connection.auth.basic.password", "", Elsewhere),
    ("connection.auth.basic.allowed_authenticators", "", Quiet),
    (
        "query.timeout",
        "",
        Note("query.answer_timeout says how long an answer may take"),
    ),
    ("query.max_retry_attempts", "", Quiet),
    ("query.consistency", "local_one", With("consistency", lower)),
    ("span_store_write_cache_ttl", "", Quiet),
    ("index.tags", "", LostUnless("true", ALL_INDEXED)),
    ("index.process_tags", "", LostUnless("true", ALL_INDEXED)),
    ("index.logs", "", LostUnless("true", ALL_INDEXED)),
    ("index.tag_blacklist", "", Lost(ALL_INDEXED)),
    ("index.tag_whitelist", "", Lost(ALL_INDEXED)),
];
const ALL_INDEXED: &str = "all tags have a row in tag_index; a step attributes of process takes those out that are not \
                           wanted at all";

const REMOTE: &[Row] = &[
    ("endpoint", "", Elsewhere),
    ("timeout", "5s", With("timeout", unless_zero)),
    ("tls", "", Below(REMOTE_TLS, "tls")),
    ("auth", "", Elsewhere),
    (
        "headers",
        "",
        Lost("no headers are added but a token's: backend.remote.token_file"),
    ),
    ("writer", "", Elsewhere),
    ("max_recv_msg_size_mib", "", Quiet),
    ("multi_tenancy.enabled", "", Elsewhere),
    ("multi_tenancy.header", "", Elsewhere),
    ("multi_tenancy.tenants", "", Elsewhere),
    (
        "header_forwarding",
        "",
        Lost("headers of those who ask are not passed on, but the tenant's"),
    ),
    ("compression", "", Quiet),
    ("keepalive", "", Quiet),
    ("read_buffer_size", "", Quiet),
    ("write_buffer_size", "", Quiet),
    ("wait_for_ready", "", Quiet),
    ("balancer_name", "", Quiet),
    (
        "authority",
        "",
        Lost("the name in the endpoint is what the server is called"),
    ),
];
const REMOTE_TLS: &[Row] = &[
    ("ca_file", "", With("ca_file", unless_empty)),
    ("cert_file", "", With("cert_file", unless_empty)),
    ("key_file", "", With("key_file", unless_empty)),
    ("insecure", "", Elsewhere),
    (
        "insecure_skip_verify",
        "",
        Lost("certificates are always checked: name the authority in ca_file"),
    ),
    (
        "server_name_override",
        "",
        Lost("the certificate must have the name that stands in the endpoint"),
    ),
    (
        "min_version",
        "",
        LostUnless("1.2", "as a client, TLS 1.2 and 1.3 are spoken"),
    ),
    (
        "max_version",
        "",
        LostUnless("1.3", "as a client, TLS 1.2 and 1.3 are spoken"),
    ),
    ("reload_interval", "", Note(FILES_AGAIN)),
    ("ca_pem", "", Lost(INLINE)),
    ("cert_pem", "", Lost(INLINE)),
    ("key_pem", "", Lost(INLINE)),
];

const MEMORY: &[Row] = &[(
    "max_traces",
    "",
    Note(
        "spans are kept on the disk (store.dir) and outlive a restart; store.retention says how long",
    ),
)];

const BADGER: &[Row] = &[
    ("ttl.spans", "3d", With("store.retention.age", off_if_zero)),
    ("directories", "", Elsewhere),
    ("ephemeral", "", Elsewhere),
    (
        "consistency",
        "",
        Note("store.acknowledge is sync: an accepted span is on the disk"),
    ),
    ("maintenance_interval", "", Quiet),
    ("metrics_update_interval", "", Quiet),
    (
        "read_only",
        "",
        Lost("the embedded store is always written to; trackway store reads one that nobody runs"),
    ),
];

/// The kinds of backend that a Jaeger knows.
const KINDS: [&str; 7] = [
    "memory",
    "badger",
    "grpc",
    "cassandra",
    "elasticsearch",
    "opensearch",
    "clickhouse",
];

/// A backend by its name: its path, its kind, its keys.
pub(super) fn backend<'a>(storage: &'a Item, name: &str) -> Option<(String, &'a str, &'a Item)> {
    let backends = storage.get("backends")?;
    let (_, backend) = backends.fields().iter().find(|(known, _)| known == name)?;
    let (kind, item) = backend.fields().first()?;
    let path = format!("extensions.jaeger_storage.backends.{name}.{kind}");
    Some((path, kind, item))
}

/// Carries over the backend that spans are kept in; says whether several processes can share it.
pub(super) fn import(importer: &mut Importer, (path, kind, item): &(String, &str, &Item)) {
    let section = match *kind {
        "elasticsearch" | "opensearch" => {
            importer.walk(ELASTICSEARCH, "backend.elasticsearch", path, item);
            elasticsearch(importer, path, item);
            "elasticsearch"
        }
        "cassandra" => {
            importer.walk(CASSANDRA, "backend.cassandra", path, item);
            cassandra(importer, path, item);
            "cassandra"
        }
        "grpc" => {
            importer.walk(REMOTE, "backend.remote", path, item);
            remote(importer, path, item);
            "remote"
        }
        "memory" => {
            importer.walk(MEMORY, "", path, item);
            "embedded"
        }
        "badger" => {
            importer.walk(BADGER, "", path, item);
            badger(importer, path, item);
            "embedded"
        }
        "clickhouse" => {
            let why = "spans can't be kept in ClickHouse: choose another store (trackway config explain backend.kind); \
                       without that they are kept in the embedded one";
            return importer.lost(&Place::without_value(path, item), why);
        }
        other => {
            let parent = path
                .strip_suffix(other)
                .unwrap_or(path)
                .trim_end_matches('.');
            return importer.unknown(
                parent,
                other,
                &Item {
                    line: item.line,
                    ..NOTHING
                },
                KINDS,
            );
        }
    };
    importer.set("backend.kind", section, &Place::without_value(path, item));
}

/// Says what of the extension is neither a backend nor used.
pub(super) fn unused(importer: &mut Importer, storage: &Item, used: &[String]) {
    let path = "extensions.jaeger_storage";
    for (name, item) in storage.fields() {
        if !["backends", "metric_backends"].contains(&name.as_str()) {
            importer.unknown(
                &join(path, name),
                name,
                item,
                ["backends", "metric_backends"],
            );
        }
    }
    for (name, item) in storage.at("backends").fields() {
        let place = Place::without_value(&format!("{path}.backends.{name}"), item);
        if item.fields().len() > 1 {
            importer.lost(&place, "a backend is of one kind: the first was taken");
        }
        if !used.contains(name) {
            importer.note(&place, "no spans are kept there that anybody asks for");
        }
    }
}

/// A user and a password. One from a variable is not written down; a user without one is a mistake, so both go.
pub(super) fn login(
    importer: &mut Importer,
    section: &str,
    path: &str,
    (user, password): (&Item, &Item),
) {
    let (user_path, password_path) = (format!("{path}.username"), format!("{path}.password"));
    let place = Place::of(&password_path, password);
    if let Some(name) = password.any_variable() {
        let variable = crate::config::variable_name(&format!("{section}.password"));
        let user_variable = crate::config::variable_name(&format!("{section}.username"));
        let why = format!(
            "it came from {name} and is not written down: set {user_variable} to the user and {variable} to what \
             {name} holds, or write it into a file and name both in {section}.username and password_file"
        );
        return importer.lost(&place, why);
    }
    let user_text = importer.text(&user_path, user).unwrap_or_default();
    let password_text = importer.text(&password_path, password).unwrap_or_default();
    match (user_text.is_empty(), password_text.is_empty()) {
        (true, true) => {}
        (false, false) => {
            importer.set(&format!("{section}.username"), user_text, &Place::of(&user_path, user));
            importer.set(&format!("{section}.password"), password_text, &place);
            importer.note(&place, format!("{section}.password_file keeps it better than the configuration"));
        }
        _ => importer.lost(
            &Place::of(&user_path, user),
            format!("a user and a password belong together: set both of {section}.username and password_file"),
        ),
    }
}

fn elasticsearch(importer: &mut Importer, path: &str, item: &Item) {
    let basic = item.at("auth.basic");
    let section = "backend.elasticsearch";
    let basic_path = format!("{path}.auth.basic");
    match basic.text_at("password_file") {
        file if file.is_empty() => {
            login(
                importer,
                section,
                &basic_path,
                (basic.at("username"), basic.at("password")),
            );
        }
        file => {
            let place = Place::of(&format!("{basic_path}.username"), basic.at("username"));
            importer.set(
                "backend.elasticsearch.username",
                basic.text_at("username"),
                &place,
            );
            let place = Place::of(
                &format!("{basic_path}.password_file"),
                basic.at("password_file"),
            );
            importer.set("backend.elasticsearch.password_file", file, &place);
        }
    }
    for (name, below) in basic.fields() {
        if !["username", "password", "password_file", "reload_interval"].contains(&name.as_str()) {
            importer.unknown(
                &format!("{basic_path}.{name}"),
                name,
                below,
                ["username", "password", "password_file"],
            );
        }
    }
    counts(importer, path, item);
    rotation(importer, path, item);
}

/// Shards and copies: Jaeger has them by kind of index, Trackway one number for all.
fn counts(importer: &mut Importer, path: &str, item: &Item) {
    for (name, default, key) in [("shards", "5", "shards"), ("replicas", "1", "replicas")] {
        let of = |kind: &str| item.text_at(&format!("indices.{kind}.{name}"));
        let place_of = |kind: &str| {
            let below = format!("indices.{kind}.{name}");
            Place::of(&join(path, &below), item.at(&below))
        };
        let spans = of("spans");
        let chosen = if spans.is_empty() {
            default
        } else {
            spans.as_str()
        };
        if !spans.is_empty() {
            importer.set(
                &format!("backend.elasticsearch.{key}"),
                chosen,
                &place_of("spans"),
            );
        }
        for kind in ["services", "dependencies"] {
            let other = of(kind);
            if !other.is_empty() && other != chosen {
                let why = format!(
                    "all indices have as many {name} as those of spans, which are {chosen}"
                );
                importer.lost(&place_of(kind), why);
            }
        }
    }
}

/// How indices follow one another, said in the old way or in the new.
fn rotation(importer: &mut Importer, path: &str, item: &Item) {
    let prefix = item.text_at("indices.index_prefix");
    let prefix = match prefix.trim_end_matches('-') {
        "" => String::new(),
        prefix => format!("{prefix}-"),
    };
    let mut is_rolled = false;
    for key in ["use_aliases", "use_ilm"] {
        if item.is_true(key) {
            is_rolled = true;
            importer.set(
                "backend.elasticsearch.rotation",
                "rollover",
                &Place::of(&join(path, key), item.at(key)),
            );
        }
    }
    if item.is_true("use_ilm") {
        no_policy(
            importer,
            &Place::of(&join(path, "use_ilm"), item.at("use_ilm")),
        );
    }
    for (kind, word) in [
        ("spans", "span"),
        ("services", "service"),
        ("dependencies", "dependencies"),
    ] {
        for way in ["manual_rollover", "auto_rollover"] {
            let below = format!("indices.{kind}.rotation.{way}");
            let Some(chosen) = item.get(&below) else {
                continue;
            };
            let place = Place::of(&join(path, &below), chosen);
            is_rolled = true;
            importer.set("backend.elasticsearch.rotation", "rollover", &place);
            if way == "auto_rollover" {
                no_policy(importer, &place);
            }
            for end in ["read", "write"] {
                let usual = format!("{prefix}jaeger-{word}-{end}");
                alias(
                    importer,
                    &join(path, &below),
                    chosen,
                    &format!("{end}_alias"),
                    &usual,
                );
            }
        }
        for end in ["read", "write"] {
            let usual = format!("{prefix}jaeger-{word}-{end}");
            alias(importer, path, item, &format!("{word}_{end}_alias"), &usual);
        }
    }
    if is_rolled {
        let why = "trackway storage init makes the first indices where there are none, trackway storage rollover and \
                   clean do what es-rollover and es-index-cleaner did";
        importer.note(&Place::without_value(path, item), why);
    }
}

fn no_policy(importer: &mut Importer, place: &Place) {
    let why = "templates name no policy: keep those that there are with backend.elasticsearch.create_templates: off, \
               or \
               have trackway storage rollover and clean run";
    importer.lost(place, why);
}

fn alias(importer: &mut Importer, path: &str, item: &Item, key: &str, usual: &str) {
    let given = item.text_at(key);
    if !given.is_empty() && given != usual {
        let why = format!("the alias is always {usual}: add it to the indices that are to be read");
        importer.lost(&Place::of(&join(path, key), item.at(key)), why);
    }
}

/// A hyphen is put behind it by both, unless there is one.
fn prefix(text: &str) -> Meaning {
    unless_empty(text.strip_suffix('-').unwrap_or(text))
}

fn all_tags(text: &str) -> Meaning {
    match text {
        "true" => Meaning::is("all"),
        _ => Meaning::Unsaid,
    }
}

fn cassandra(importer: &mut Importer, path: &str, item: &Item) {
    let tls = item.at("connection.tls");
    if matches!(tls.node, Node::Section(_)) && !tls.is_true("insecure") {
        let place = Place::of(&format!("{path}.connection.tls"), tls);
        importer.set("backend.cassandra.tls.enabled", "on", &place);
    }
    let basic = item.at("connection.auth.basic");
    let keys = (basic.at("username"), basic.at("password"));
    login(
        importer,
        "backend.cassandra",
        &format!("{path}.connection.auth.basic"),
        keys,
    );
    let place = Place::without_value(path, item);
    importer.note(
        &place,
        "run trackway storage init once: it adds the tables trackway_start_index and trackway_sums",
    );
}

fn remote(importer: &mut Importer, path: &str, item: &Item) {
    let address = |item: &Item, default: &str| {
        let given = item.text_at("endpoint");
        let given = if given.is_empty() {
            default.to_owned()
        } else {
            given
        };
        let is_plain = item.is_true("tls.insecure") || given.starts_with("http://");
        let bare = ["dns:///", "http://", "https://"];
        let bare = bare
            .iter()
            .find_map(|scheme| given.strip_prefix(scheme))
            .unwrap_or(&given);
        match is_plain {
            true => bare.to_owned(),
            false => format!("https://{bare}"),
        }
    };
    let endpoint = address(item, "localhost:17271");
    let place = Place::of(&format!("{path}.endpoint"), item.at("endpoint"));
    if item.at("endpoint").unknown.is_none() {
        importer.set("backend.remote.endpoint", endpoint.clone(), &place);
    } else {
        let _told = importer.text(&place.path, item.at("endpoint"));
    }
    let writer = item.at("writer");
    if !writer.text_at("endpoint").is_empty() && address(writer, "") != endpoint {
        let why = "spans are written where they are read: backend.remote.endpoint";
        importer.lost(&Place::of(&format!("{path}.writer"), writer), why);
    }
    let header = item.at("multi_tenancy.header");
    let is_usual = header
        .text()
        .is_none_or(|name| name.eq_ignore_ascii_case("x-tenant"));
    if item.is_true("multi_tenancy.enabled") && !is_usual {
        let why = "a tenant is told to the store in the header x-tenant";
        importer.lost(
            &Place::of(&format!("{path}.multi_tenancy.header"), header),
            why,
        );
    }
    if item.get("auth").is_some() {
        let why = "write the token into a file and name it in backend.remote.token_file";
        importer.lost(&Place::of(&format!("{path}.auth"), item.at("auth")), why);
    }
}

fn badger(importer: &mut Importer, path: &str, item: &Item) {
    let values = item.text_at("directories.values");
    let place = Place::of(&format!("{path}.directories"), item.at("directories"));
    if !values.is_empty() {
        importer.set(
            "store.dir",
            format!("{}/trackway", values.trim_end_matches('/')),
            &place,
        );
    }
    let why =
        "Badger's files are not read: what is in them is not found; spans are kept in store.dir";
    importer.note(&place, why);
    if item
        .get("ephemeral")
        .is_some_and(|_| item.is_true("ephemeral"))
    {
        let why = "spans outlive a restart in store.dir";
        importer.note(
            &Place::of(&format!("{path}.ephemeral"), item.at("ephemeral")),
            why,
        );
    }
}

/// Where archived traces go, beside the backend that all spans are kept in.
pub(super) fn archive(
    importer: &mut Importer,
    place: &Place,
    (_, kind, spans): &(String, &str, &Item),
    (path, archive_kind, archive): &(String, &str, &Item),
) {
    match *kind {
        "memory" | "badger" => {
            importer.note(
                place,
                "a trace that is archived is pinned where it is, and stays",
            );
        }
        "cassandra"
            if *archive_kind == "cassandra"
                && archive.at("connection").json() == spans.at("connection").json() =>
        {
            let keyspace = archive.text_at("schema.keyspace");
            let keyspace = if keyspace.is_empty() {
                "jaeger_dc1".to_owned()
            } else {
                keyspace
            };
            let place = Place::of(
                &format!("{path}.schema.keyspace"),
                archive.at("schema.keyspace"),
            );
            importer.set("backend.cassandra.archive_keyspace", keyspace, &place);
        }
        "elasticsearch" | "opensearch" => {
            let why = "archived traces are kept in the index PREFIX-jaeger-span-archive of the same servers; what a \
                       Jaeger archived elsewhere is not found: copy it there";
            importer.lost(place, why);
        }
        _ => importer.lost(
            place,
            "archived traces go to the same servers as all others, which this is not",
        ),
    }
}
