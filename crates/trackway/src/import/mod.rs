//! Reads the configuration of a Jaeger of version 2, or of an OpenTelemetry Collector with Jaeger's parts, and writes
//! the same as a configuration of Trackway.
//!
//! What counts is what the service uses: a component that no pipeline and no list of extensions names is passed over,
//! as a Collector passes it over. Each component has a table (`storage`, `kafka`, `doors`, `extensions`, `steps`) that
//! says of every key how it is carried over.
//!
//! Promises
//! - What is printed is a valid configuration that means what the file meant, wherever nothing else is said.
//! - Whatever could not be carried over is told, with its place, and what to do instead. Secrets are never shown.
//! - No input ends in a panic.
//!
//! Refuses: what is no YAML, or has no `service`.
//!
//! Read next: `table` (how a row is read), `service` (which command runs it).

mod doors;
mod extensions;
mod kafka;
mod report;
mod service;
mod steps;
mod storage;
mod table;
mod tree;

use crate::config::{Config, Draft};
use doors::Doors;
use report::Place;
use service::{Roles, Service};
use steps::Steps;
use table::Importer;
use tree::{Item, NOTHING, Node};

/// What came of an import.
#[derive(Debug, Clone)]
pub(crate) struct Imported {
    /// The configuration.
    pub text: String,
    /// What there is to say, one sentence a line: first what could not be carried over, then notes.
    pub lines: Vec<String>,
    /// How much could not be carried over.
    pub lost_count: usize,
}

/// Reads a file's text; `name` is what the file is called in messages. The error is a sentence.
pub(crate) fn import(
    name: &str,
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Imported, String> {
    let root = tree::read(text, environment)?;
    if !matches!(root.at("service").node, Node::Section(_)) {
        return Err(
            "there is no section service: this is no configuration of a Jaeger 2 or a Collector"
                .to_owned(),
        );
    }
    let mut importer = Importer::new();
    let service = Service::read(&mut importer, &root);
    let roles = service.roles(&mut importer);
    let mut doors = Doors::default();
    let storage = store(&mut importer, &service);
    let is_embedded =
        matches!(importer.value("backend.kind"), "" | "embedded") && !roles.writes_kafka_alone();
    let roles = roles.on(is_embedded);
    if is_embedded && (roles.ingests || roles.writes_kafka) {
        let why = "behind Kafka is a store that several processes share, which this one is not: set backend.kind";
        importer.lost(&Place::missing("service.pipelines"), why);
    }
    components(&mut importer, &service, &mut doors, is_embedded);
    if let (Some(storage), Some((path, query))) = (&storage, service.extension("jaeger_query")) {
        beside(&mut importer, &service, storage, (&path, query));
    }
    metrics(&mut importer, &service, &mut doors);
    extensions::telemetry(&mut importer, &mut doors, root.at("service.telemetry"));
    let mut steps = Steps::default();
    path_of_spans(&mut importer, &service, &roles, &mut steps);
    let is_adaptive = extensions::is_adaptive(&importer);
    steps.settle(&mut importer, (is_embedded, is_adaptive));
    doors.settle(&mut importer, root.at("extensions"), roles.admin_port());
    if roles.writes_kafka_alone() {
        importer.set(
            "backend.kind",
            "kafka",
            &Place::missing("service.pipelines"),
        );
    }
    let text = print(&mut importer, &roles);
    Ok(Imported {
        text,
        lines: importer.report.print(name),
        lost_count: importer.report.lost_count(),
    })
}

/// The backend that spans are kept in: that of the exporter, or of those who ask.
fn store<'a>(
    importer: &mut Importer,
    service: &Service<'a>,
) -> Option<(String, &'a str, &'a Item)> {
    let named = service.store_names();
    let (place, name) = named.first()?;
    for (place, other) in named.iter().filter(|(_, other)| other != name) {
        let why = format!(
            "spans are kept and looked for in one store, which is {name:?} and not {other:?}"
        );
        importer.lost(place, why);
    }
    let storage = service
        .extension("jaeger_storage")
        .map_or(&NOTHING, |(_, item)| item);
    let Some(found) = storage::backend(storage, name) else {
        importer.lost(
            place,
            "extensions.jaeger_storage, which the service must name, has no such backend",
        );
        return None;
    };
    storage::import(importer, &found);
    let used = [name.clone(), archive_name(service)];
    storage::unused(importer, storage, &used);
    Some(found)
}

fn archive_name(service: &Service<'_>) -> String {
    let query = service.extension("jaeger_query");
    query.map_or_else(String::new, |(_, item)| {
        item.text_at("storage.traces_archive")
    })
}

/// What a query service has beside the store of spans: an archive, and metrics.
fn beside(
    importer: &mut Importer,
    service: &Service<'_>,
    spans: &(String, &str, &Item),
    (path, query): (&str, &Item),
) {
    let storage = service
        .extension("jaeger_storage")
        .map_or(&NOTHING, |(_, item)| item);
    let archive = query.at("storage.traces_archive");
    let place = Place::of(&format!("{path}.storage.traces_archive"), archive);
    if let Some(name) = archive.text().filter(|name| !name.is_empty()) {
        match storage::backend(storage, &name) {
            Some(found) => storage::archive(importer, &place, spans, &found),
            None => importer.lost(&place, "extensions.jaeger_storage has no such backend"),
        }
    }
    let metrics = query.at("storage.metrics");
    if metrics.text().is_some_and(|name| !name.is_empty()) {
        let place = Place::of(&format!("{path}.storage.metrics"), metrics);
        match spans.1 {
            "grpc" => importer.lost(
                &place,
                "the storage API has no questions for the monitor: ask Prometheus itself",
            ),
            _ => importer.note(
                &place,
                "the monitor is answered from counts that are kept with the spans, without Prometheus",
            ),
        }
    }
}

/// Receivers and extensions that the service uses.
fn components(
    importer: &mut Importer,
    service: &Service<'_>,
    doors: &mut Doors,
    is_embedded: bool,
) {
    for (kind, path, item) in service.receivers() {
        match kind {
            "otlp" | "jaeger" | "zipkin" => doors.receiver(importer, kind, &path, item),
            "kafka" => kafka::receiver(importer, &path, item),
            "nop" => {}
            _ => importer.lost(
                &Place::of(&path, item),
                "there is no such port: send spans as OTLP",
            ),
        }
    }
    for (kind, path, item) in service.extensions() {
        match kind {
            "jaeger_storage" => {}
            "jaeger_query" => extensions::query(importer, doors, &path, item),
            "remote_sampling" => extensions::sampling(importer, doors, &path, item, is_embedded),
            _ => extensions::other(importer, doors, kind, &path, item),
        }
    }
    for (kind, path, item) in service.exporters() {
        let place = Place::of(&path, item);
        match kind {
            "jaeger_storage_exporter" => importer.walk(service::STORAGE_EXPORTER, "", &path, item),
            "kafka" => kafka::exporter(importer, &path, item),
            "nop" => {}
            "otlp" | "otlp_grpc" | "otlphttp" | "otlp_http" => {
                let why = "spans are kept, not sent on; trackway agent, in a process of its own, delivers to \
                           collectors \
                           (docs/agent.md)";
                importer.lost(&place, why);
            }
            "debug" | "logging" => importer.lost(
                &place,
                "spans are not written to the log: look at the live tail",
            ),
            _ => importer.lost(&place, "spans are kept, and sent nowhere else"),
        }
    }
}

/// Pipelines of metrics: those of spans are shown to Prometheus.
fn metrics(importer: &mut Importer, service: &Service<'_>, doors: &mut Doors) {
    for (kind, path, item) in service.metrics_exporters() {
        let place = Place::of(&format!("{path}.endpoint"), item.at("endpoint"));
        match kind {
            "prometheus" => {
                importer.walk(service::PROMETHEUS, "", &path, item);
                if let Some(address) = importer.text(&place.path, item.at("endpoint")) {
                    extensions::metrics_at(importer, doors, &address, place);
                }
            }
            "nop" => {}
            _ => {
                let why = "metrics are shown at /metrics of listen.admin, and sent nowhere: have Prometheus ask there";
                importer.lost(&Place::of(&path, item), why);
            }
        }
    }
}

/// What is done to spans between their coming and their keeping.
fn path_of_spans(importer: &mut Importer, service: &Service<'_>, roles: &Roles, steps: &mut Steps) {
    // An ingester takes no steps.
    let is_late = roles.ingests && !roles.writes_kafka && !roles.stores;
    for (kind, path, item) in service.processors() {
        if is_late && !service::is_plain(kind) {
            let why = "steps are taken where spans come in, not behind Kafka: put it before";
            importer.lost(&Place::of(&path, item), why);
            continue;
        }
        steps.processor(importer, kind, &path, item);
    }
    for (kind, path, item) in service.connectors() {
        let place = Place::of(&path, item);
        match kind {
            "spanmetrics" if is_late => importer.lost(
                &place,
                "spans are counted where they come in, not behind Kafka",
            ),
            "spanmetrics" => steps.span_metrics(importer, &path, item),
            "servicegraph" => {
                importer.lost(
                    &place,
                    "calls between services are shown in the app, not to Prometheus",
                );
            }
            "forward" => {}
            _ => importer.lost(&place, "there is nothing like this connector"),
        }
    }
}

/// The file: which command runs it, and what differs from that command's defaults.
fn print(importer: &mut Importer, roles: &Roles) -> String {
    let commands = roles.commands();
    let shared = commands.len() > 1;
    let (_, defaults) = commands
        .first()
        .cloned()
        .unwrap_or_else(|| ("trackway", Config::default()));
    let base = if shared { Config::default() } else { defaults };
    let mut draft = draft_of(importer, base, |key| !(shared && is_of_a_command(key)));
    contradictions(importer, &mut draft);
    // `config check` knows no command: what is off by itself is said where a port would be taken twice.
    let checked = draft_of(importer, Config::default(), |key| {
        !(shared && is_of_a_command(key))
    });
    if checked.config().contradictions() != draft.config().contradictions() {
        draft.print_over(Config::default());
    }
    let mut text = "# Made by trackway config import. Run it:\n".to_owned();
    for (command, defaults) in &commands {
        let flags = if shared {
            flags(importer, roles, (command, defaults))
        } else {
            String::new()
        };
        text.push_str(&format!("#   {command} --config trackway.yaml{flags}\n"));
    }
    text.push_str(&draft.print());
    text
}

/// What each of several commands is told by itself.
fn flags(importer: &Importer, roles: &Roles, (command, defaults): (&str, &Config)) -> String {
    let mut own = draft_of(importer, defaults.clone(), |key| {
        is_of_a_command(key) && roles.is_of(command, key)
    });
    if importer.is_guess("listen.admin") {
        let address = format!("localhost:{}", service::admin_port_of(command));
        let _good = own.set("listen.admin", &address);
    }
    let kind = match command {
        "trackway collector" => " --set backend.kind=kafka",
        _ => "",
    };
    let flags = own
        .changes()
        .into_iter()
        .map(|(key, value)| format!(" --set {key}={value}"));
    format!("{kind}{}", flags.collect::<String>())
}

/// Whether a key is said to each command by itself, where several read one file.
fn is_of_a_command(key: &str) -> bool {
    (key.starts_with("listen.") && key != "listen.host") || key.starts_with("own_spans.")
}

fn draft_of(importer: &Importer, defaults: Config, is_wanted: impl Fn(&str) -> bool) -> Draft {
    let mut draft = Draft::new(defaults);
    for (key, given) in importer.given.iter().filter(|(key, _)| is_wanted(key)) {
        // Each was tried before.
        let _good = draft.set(key, &given.text);
    }
    draft
}

/// Takes out what does not fit together although each key by itself is right. A file that isn't on this machine may be
/// on another, and stays.
fn contradictions(importer: &mut Importer, draft: &mut Draft) {
    /// What is taken out may leave another key alone.
    const ROUNDS_MAX: usize = 8;
    for _ in 0..ROUNDS_MAX {
        let mut is_done = true;
        for why in draft.config().contradictions() {
            let keys = importer.given.keys();
            let named: Vec<String> = keys.filter(|key| is_named(key, &why)).cloned().collect();
            let longest = named.iter().max_by_key(|key| key.len());
            let Some(given) = longest.and_then(|key| importer.given.get(key)).cloned() else {
                importer.lost(&Place::missing("service"), why);
                continue;
            };
            if why.contains("can't read") && !std::path::Path::new(&given.text).exists() {
                let note = "there is no such file on this machine, so that trackway config check complains here";
                importer.note(&given.place, note);
                continue;
            }
            importer.lost(&given.place, why);
            is_done = false;
            for key in named {
                let _default = draft.reset(&key);
                let _gone = importer.take_back(&key);
            }
        }
        if is_done {
            return;
        }
    }
}

/// Whether a sentence names a key, be it by its last part behind another of the same section.
fn is_named(key: &str, why: &str) -> bool {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut words = why
        .split(|c| !is_word(c))
        .map(|word| word.trim_end_matches('.'));
    let begins = format!("{section}.");
    match words.clone().any(|word| word == key) {
        true => true,
        false => {
            words.clone().any(|word| word.starts_with(&begins)) && words.any(|word| word == name)
        }
    }
}

#[cfg(test)]
mod tests;
