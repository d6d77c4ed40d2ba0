//! The extensions of a Jaeger but its storage: queries, sampling, health, the storage API; and `service.telemetry`.
//!
//! Promises: an extension that Trackway has nothing of is told with what there is in its place.

use super::doors::{Doors, GRPC_SERVER, HTTP_SERVER, Kind};
use super::report::Place;
use super::table::How::{Elsewhere, Lost, LostUnless, Note, Quiet, With};
use super::table::{Importer, Meaning, Row, join, off_if_zero, unless_empty, unless_zero};
use super::tree::{Item, Node};

const QUERY: &[Row] = &[
    ("storage.traces", "", Elsewhere),
    ("storage.traces_archive", "", Elsewhere),
    ("storage.metrics", "", Elsewhere),
    ("base_path", "", With("ui.base_path", unless_empty)),
    ("ui.config_file", "", With("ui.config_file", ui_config)),
    (
        "ui.assets_path",
        "",
        Lost("the web app is Trackway's own, and part of the program"),
    ),
    ("ui.log_access", "", Quiet),
    (
        "bearer_token_propagation",
        "",
        Lost("tokens of those who ask are not passed on: give the program its own"),
    ),
    (
        "header_forwarding",
        "",
        Lost("headers of those who ask are not passed on, but the tenant's"),
    ),
    ("multi_tenancy", "", Elsewhere),
    (
        "max_clock_skew_adjust",
        "",
        With("query.clock_skew_max", unless_zero),
    ),
    (
        "max_trace_size",
        "",
        Lost(
            "query.answer_bytes_max bounds an answer in bytes, not in spans; what is over it is refused, never cut",
        ),
    ),
    (
        "enable_tracing",
        "",
        With("own_spans.per_second", own_spans),
    ),
    ("http", "", Elsewhere),
    ("grpc", "", Elsewhere),
    ("ai", "", Lost("there is no assistant")),
    (
        "otlp_proxy",
        "",
        Lost("the web app sends nothing on: senders use the ports of OTLP"),
    ),
    (
        "query_interceptors",
        "",
        Lost("there are no interceptors: access.query says who may ask"),
    ),
];

/// The extension `jaeger_query`, but its storage.
pub(super) fn query(importer: &mut Importer, doors: &mut Doors, path: &str, item: &Item) {
    importer.walk(QUERY, "", path, item);
    for (name, key, port, table) in [
        ("http", "query_http", 16686, HTTP_SERVER),
        ("grpc", "query_grpc", 16685, GRPC_SERVER),
    ] {
        let listener = (name, key, port, table, Kind::Query);
        doors.server(importer, listener, &join(path, name), item.at(name));
    }
    tenants(
        importer,
        &format!("{path}.multi_tenancy"),
        item.at("multi_tenancy"),
    );
}

const TENANTS: &[Row] = &[
    ("enabled", "", Elsewhere),
    ("header", "", Elsewhere),
    ("tenants", "", Elsewhere),
];

fn tenants(importer: &mut Importer, path: &str, item: &Item) {
    importer.walk(TENANTS, "", path, item);
    if !item.is_true("enabled") {
        return;
    }
    let header = item.text_at("header");
    let header = if header.is_empty() {
        "x-tenant".to_owned()
    } else {
        header
    };
    importer.set(
        "access.tenants.header",
        header,
        &Place::of(&join(path, "header"), item.at("header")),
    );
    let why = "spans without the header are refused as well, unless access.tenants.fallback names whose they are";
    importer.note(&Place::without_value(path, item), why);
    let names = item.at("tenants");
    if let Some(text) = importer
        .text(&join(path, "tenants"), names)
        .filter(|text| !text.is_empty())
    {
        importer.set(
            "access.tenants.names",
            text,
            &Place::of(&join(path, "tenants"), names),
        );
    }
}

fn ui_config(text: &str) -> Meaning {
    match text.ends_with(".js") {
        true => Meaning::Wrong(
            "a program in JavaScript is not run: write what it returns into a JSON file",
        ),
        false => unless_empty(text),
    }
}

fn own_spans(text: &str) -> Meaning {
    match text {
        "false" => Meaning::is("off"),
        _ => Meaning::Unsaid,
    }
}

const BY_ESTIMATE: &str =
    "a probability is chosen by an estimate of the traffic, which needs no such number";
const SAMPLING: &[Row] = &[
    ("file.path", "", With("strategies_file", unless_empty)),
    (
        "file.reload_interval",
        "",
        With("reload_interval", off_if_zero),
    ),
    (
        "file.default_sampling_probability",
        "",
        With("default_probability", unless_empty),
    ),
    ("adaptive.sampling_store", "", Elsewhere),
    (
        "adaptive.target_samples_per_second",
        "",
        With("adaptive.target", unless_empty),
    ),
    (
        "adaptive.delta_tolerance",
        "",
        With("adaptive.tolerance", unless_empty),
    ),
    (
        "adaptive.calculation_interval",
        "",
        With("adaptive.interval", unless_zero),
    ),
    (
        "adaptive.initial_sampling_probability",
        "",
        With("adaptive.initial_probability", unless_empty),
    ),
    (
        "adaptive.min_sampling_probability",
        "",
        With("adaptive.min_probability", unless_empty),
    ),
    (
        "adaptive.min_samples_per_second",
        "",
        With("adaptive.min_traces_per_second", unless_empty),
    ),
    ("adaptive.calculation_buckets", "", Note(BY_ESTIMATE)),
    ("adaptive.aggregation_buckets", "", Note(BY_ESTIMATE)),
    ("adaptive.calculation_delay", "", Note(BY_ESTIMATE)),
    ("adaptive.leader_lease_refresh_interval", "", Quiet),
    ("adaptive.follower_lease_refresh_interval", "", Quiet),
    ("http", "", Elsewhere),
    ("grpc", "", Elsewhere),
];

/// The extension `remote_sampling`; `is_embedded` tells whether spans are kept in the embedded store.
pub(super) fn sampling(
    importer: &mut Importer,
    doors: &mut Doors,
    path: &str,
    item: &Item,
    is_embedded: bool,
) {
    importer.walk(SAMPLING, "sampling", path, item);
    for (name, key, port, table) in [
        ("http", "sampling_http", 5778, HTTP_SERVER),
        ("grpc", "sampling_grpc", 5779, GRPC_SERVER),
    ] {
        let listener = (name, key, port, table, Kind::Receive);
        doors.server(importer, listener, &join(path, name), item.at(name));
    }
    let unsaid = |importer: &mut Importer, key: &str, text: &str| {
        if importer.value(key).is_empty() {
            importer.set(key, text, &Place::missing(path));
        }
    };
    let adaptive = item.at("adaptive");
    if item.get("adaptive").is_none() || !matches!(adaptive.node, Node::Section(_)) {
        unsaid(importer, "sampling.reload_interval", "off");
        return unsaid(importer, "sampling.default_probability", "0.001");
    }
    if is_embedded {
        unsaid(importer, "sampling.adaptive.target", "1");
        return unsaid(importer, "sampling.adaptive.tolerance", "0.3");
    }
    let keys: Vec<String> = importer
        .given
        .keys()
        .filter(|key| key.starts_with("sampling.adaptive."))
        .cloned()
        .collect();
    for key in keys {
        let _unused = importer.take_back(&key);
    }
    unsaid(importer, "sampling.default_probability", "0.001");
    let why = "adaptive sampling needs the embedded store; clients are told sampling.default_probability, or what a \
               file says (sampling.strategies_file)";
    importer.lost(&Place::of(&format!("{path}.adaptive"), adaptive), why);
}

const HEALTH: &[Row] = &[
    (
        "use_v2",
        "",
        LostUnless("true", "health is told in one form: 200 and 503 at /status"),
    ),
    ("http", "", Elsewhere),
    (
        "grpc",
        "",
        Note("every port of gRPC answers grpc.health.v1.Health/Check"),
    ),
    (
        "component_health",
        "",
        Note("/ready of listen.admin says what is not well"),
    ),
];
const HEALTH_OF_BEFORE: &[Row] = &[
    ("endpoint", "", Elsewhere),
    (
        "path",
        "",
        LostUnless("/status", "the path is always /status"),
    ),
    ("tls", "", Elsewhere),
    ("auth", "", Elsewhere),
    (
        "response_body",
        "",
        Lost("answers have a body of their own"),
    ),
    ("check_collector_pipeline", "", Quiet),
];
const REMOTE_STORAGE: &[Row] = &[("storage", "", Elsewhere), ("multi_tenancy", "", Elsewhere)];
const DIAGNOSTICS: &str =
    "it shows the inside of a program in Go; metrics and health of Trackway are at listen.admin";

/// Any other extension that the service has.
pub(super) fn other(
    importer: &mut Importer,
    doors: &mut Doors,
    kind: &str,
    path: &str,
    item: &Item,
) {
    let place = Place::of(path, item);
    match kind {
        "healthcheckv2" => {
            importer.walk(HEALTH, "", path, item);
            let listener = ("http", "health", 13133, HTTP_SERVER, Kind::Open);
            doors.server(importer, listener, &format!("{path}.http"), item.at("http"));
        }
        "health_check" => {
            let listener = ("", "health", 13133, HEALTH_OF_BEFORE, Kind::Open);
            doors.server(importer, listener, path, item);
            if item.get("path").is_none() {
                importer.note(&place, "the path is /status");
            }
        }
        "remote_storage" => {
            let server: Vec<(String, Item)> = item
                .fields()
                .iter()
                .filter(|(name, _)| !REMOTE_STORAGE.iter().any(|(known, ..)| known == name))
                .cloned()
                .collect();
            let server = Item {
                node: Node::Section(server),
                ..item.clone()
            };
            let listener = ("", "storage_grpc", 17271, GRPC_SERVER, Kind::Query);
            doors.server(importer, listener, path, &server);
            tenants(
                importer,
                &format!("{path}.multi_tenancy"),
                item.at("multi_tenancy"),
            );
        }
        // What they say is looked up by those who name them.
        "basicauth" | "bearertokenauth" | "file_storage" | "memory_ballast" => {}
        "expvar" | "pprof" | "zpages" => importer.note(&Place::of(path, &bare(item)), DIAGNOSTICS),
        "jaeger_mcp" => importer.lost(&place, "there is no such server"),
        _ => importer.lost(&place, "there is nothing like this extension"),
    }
}

fn bare(item: &Item) -> Item {
    Item {
        node: Node::Nothing,
        ..item.clone()
    }
}

const TELEMETRY: &[Row] = &[
    ("logs.level", "", With("log.level", log_level)),
    ("logs.encoding", "", With("log.format", log_format)),
    ("logs.development", "", Quiet),
    ("logs.disable_caller", "", Quiet),
    ("logs.disable_stacktrace", "", Quiet),
    ("logs.sampling", "", Quiet),
    (
        "logs.output_paths",
        "",
        LostUnless(
            "stderr",
            "the log is written to standard error: redirect it",
        ),
    ),
    (
        "logs.error_output_paths",
        "",
        LostUnless(
            "stderr",
            "the log is written to standard error: redirect it",
        ),
    ),
    (
        "logs.initial_fields",
        "",
        Lost("lines of the log have no fields of others"),
    ),
    (
        "logs.processors",
        "",
        Lost("the log is written to standard error: have an agent of logs read it"),
    ),
    ("metrics.level", "", Quiet),
    ("metrics.address", "", Elsewhere),
    ("metrics.readers", "", Elsewhere),
    (
        "metrics.views",
        "",
        Lost("metrics are shown as docs/metrics.md lists them"),
    ),
    (
        "traces.processors",
        "",
        Lost("Trackway's own spans are kept with all others: own_spans"),
    ),
    ("traces.level", "", Quiet),
    ("traces.propagators", "", Quiet),
    ("traces.sampler", "", Quiet),
    ("resource", "", Elsewhere),
];

/// What the service tells of itself.
pub(super) fn telemetry(importer: &mut Importer, doors: &mut Doors, item: &Item) {
    let path = "service.telemetry";
    importer.walk(TELEMETRY, "", path, item);
    // The key has dots of its own.
    if let Some(name) = item.at("resource").get("service.name") {
        let path = "service.telemetry.resource.service.name";
        if let Some(text) = importer.text(path, name) {
            importer.set("own_spans.service", text, &Place::of(path, name));
        }
    }
    let address = item.at("metrics.address");
    if let Some(text) = importer.text("service.telemetry.metrics.address", address) {
        let place = Place::of("service.telemetry.metrics.address", address);
        metrics_at(importer, doors, &text, place);
    }
    for reader in item.at("metrics.readers").items() {
        let place = Place::of("service.telemetry.metrics.readers", reader);
        let prometheus = reader.at("pull.exporter.prometheus");
        let port = prometheus.text_at("port");
        if port.is_empty() {
            importer.lost(
                &place,
                "metrics are asked for at /metrics of listen.admin, and sent nowhere",
            );
            continue;
        }
        let host = prometheus.text_at("host");
        let host = if host.is_empty() {
            "localhost".to_owned()
        } else {
            host
        };
        metrics_at(importer, doors, &format!("{host}:{port}"), place);
    }
}

/// Has metrics shown at an address; `/metrics` and the rest of the admin port are there.
pub(super) fn metrics_at(importer: &mut Importer, doors: &mut Doors, address: &str, place: Place) {
    let Some((host, Ok(port))) = address
        .rsplit_once(':')
        .map(|(host, port)| (host, port.parse()))
    else {
        return importer.lost(&place, "this is no address: host:port is wanted");
    };
    if doors.has("admin") {
        return importer.note(&place, "all metrics are at one port, listen.admin");
    }
    let why = "listen.admin is there: metrics under Trackway's own names (docs/metrics.md), and all else of that port; \
               access.admin says who is let in";
    importer.note(&place, why);
    doors.admin(host.trim_matches(['[', ']']), port, place);
}

fn log_level(text: &str) -> Meaning {
    match text.to_lowercase().as_str() {
        "" => Meaning::Unsaid,
        "warning" => Meaning::is("warn"),
        "dpanic" | "panic" | "fatal" => Meaning::is("error"),
        other => Meaning::is(other),
    }
}

fn log_format(text: &str) -> Meaning {
    match text {
        "" => Meaning::Unsaid,
        "json" => Meaning::is("json"),
        "console" => Meaning::is("text"),
        _ => Meaning::Wrong("json or console is wanted"),
    }
}

/// Whether a Jaeger's sampling follows the traffic.
pub(super) fn is_adaptive(importer: &Importer) -> bool {
    !importer.value("sampling.adaptive.target").is_empty()
}
