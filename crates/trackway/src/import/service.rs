//! Which components of a Collector's configuration its service uses, and which of Trackway's commands do the same.
//!
//! Promises: a component is read once, however many pipelines name it; one that nobody names is noted and passed over.

use super::report::Place;
use super::table::How::{Elsewhere, Lost, Note, Quiet};
use super::table::{Importer, Row};
use super::tree::{Item, NOTHING};
use crate::config::Config;

const CONFIRMED: &str = "a request is answered when its spans are kept, and is tried again meanwhile; no queue \
                         waits in \
                         memory";

/// The exporter to a store.
pub(super) const STORAGE_EXPORTER: &[Row] = &[
    ("trace_storage", "", Elsewhere),
    ("queue", "", Note(CONFIRMED)),
    ("sending_queue", "", Note(CONFIRMED)),
    ("retry_on_failure", "", Quiet),
    ("timeout", "", Quiet),
];

/// The exporter of metrics to Prometheus.
pub(super) const PROMETHEUS: &[Row] = &[
    ("endpoint", "", Elsewhere),
    (
        "namespace",
        "",
        Lost("metrics have their own names: relabel them in Prometheus"),
    ),
    ("const_labels", "", Lost("have Prometheus add labels")),
    ("send_timestamps", "", Quiet),
    ("metric_expiration", "", Quiet),
    ("enable_open_metrics", "", Quiet),
    ("add_metric_suffixes", "", Quiet),
    ("resource_to_telemetry_conversion", "", Quiet),
    ("translation_strategy", "", Quiet),
    ("tls", "", Lost("TLS of listen.admin is access.admin.tls")),
    (
        "auth",
        "",
        Lost("credentials of listen.admin are access.admin"),
    ),
];

/// Components by their kind, path and keys.
type Component<'a> = (&'a str, String, &'a Item);

/// The kinds of component, as sections of the file.
const SECTIONS: [&str; 5] = [
    "receivers",
    "processors",
    "exporters",
    "connectors",
    "extensions",
];

/// One pipeline of spans or metrics.
struct Pipeline {
    is_traces: bool,
    receivers: Vec<String>,
    processors: Vec<String>,
    exporters: Vec<String>,
}

impl Pipeline {
    /// Processors that do something to spans.
    fn steps(&self) -> Vec<String> {
        self.processors
            .iter()
            .filter(|name| !is_plain(kind_of(name)))
            .cloned()
            .collect()
    }
}

/// The kind of a component: what stands before the slash of its name.
fn kind_of(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Whether a processor does nothing to spans.
pub(super) fn is_plain(kind: &str) -> bool {
    [
        "batch",
        "memory_limiter",
        "groupbytrace",
        "adaptive_sampling",
    ]
    .contains(&kind)
}

/// What the service uses.
pub(super) struct Service<'a> {
    root: &'a Item,
    pipelines: Vec<Pipeline>,
    extensions: Vec<String>,
}

impl<'a> Service<'a> {
    /// Reads `service`, and says what is wrong with the names in it.
    pub(super) fn read(importer: &mut Importer, root: &'a Item) -> Self {
        let mut service = Self {
            root,
            pipelines: Vec::new(),
            extensions: names(root.at("service.extensions")),
        };
        for (name, item) in root.fields() {
            match name.as_str() {
                "service" => {}
                _ if SECTIONS.contains(&name.as_str()) => {}
                _ => importer.unknown(name, name, item, SECTIONS.into_iter().chain(["service"])),
            }
        }
        for (name, item) in root.at("service").fields() {
            if !["extensions", "pipelines", "telemetry"].contains(&name.as_str()) {
                let path = format!("service.{name}");
                importer.unknown(&path, name, item, ["extensions", "pipelines", "telemetry"]);
            }
        }
        for (name, item) in root.at("service.pipelines").fields() {
            service.read_pipeline(importer, name, item);
        }
        service.check_names(importer);
        service
    }

    fn read_pipeline(&mut self, importer: &mut Importer, name: &str, item: &Item) {
        let path = format!("service.pipelines.{name}");
        let kind = kind_of(name);
        if !["traces", "metrics"].contains(&kind) {
            return importer.lost(
                &Place::of(&path, item),
                "only spans are kept, and what is counted of them",
            );
        }
        for (key, below) in item.fields() {
            if !["receivers", "processors", "exporters"].contains(&key.as_str()) {
                importer.unknown(
                    &format!("{path}.{key}"),
                    key,
                    below,
                    ["receivers", "processors", "exporters"],
                );
            }
        }
        let pipeline = Pipeline {
            is_traces: kind == "traces",
            receivers: names(item.at("receivers")),
            processors: names(item.at("processors")),
            exporters: names(item.at("exporters")),
        };
        let from_elsewhere = |name: &&String| self.root.at("connectors").get_exact(name).is_none();
        if let (false, Some(other)) = (
            pipeline.is_traces,
            pipeline.receivers.iter().find(from_elsewhere),
        ) {
            let why = format!("metrics of {other} are not taken: only what is counted of spans");
            importer.lost(
                &Place::of(&format!("{path}.receivers"), item.at("receivers")),
                why,
            );
        }
        let place = Place::of(&format!("{path}.processors"), item.at("processors"));
        let steps = pipeline.steps();
        let mut earlier = self.pipelines.iter().filter(|pipeline| pipeline.is_traces);
        let first = earlier.next().map(Pipeline::steps);
        if !pipeline.is_traces && !steps.is_empty() {
            importer.lost(&place, "metrics are shown as they are counted");
        }
        if let Some(first) = first.filter(|first| pipeline.is_traces && *first != steps) {
            let why = format!(
                "steps are of all spans: those of the first pipeline were carried over: {}",
                first.join(", ")
            );
            importer.lost(&place, why);
        }
        self.pipelines.push(pipeline);
    }

    /// Says which names lead nowhere, and which components nobody uses.
    fn check_names(&self, importer: &mut Importer) {
        for section in SECTIONS {
            let used = self.names_of(section);
            let defined = self.root.at(section).fields();
            for name in &used {
                let is_connector =
                    section != "extensions" && self.root.at("connectors").get_exact(name).is_some();
                if !is_connector && !defined.iter().any(|(known, _)| known == name) {
                    let place = Place::missing(&format!("service: {section}: {name}"));
                    importer.lost(
                        &place,
                        "it is not defined, so that no Collector would start",
                    );
                }
            }
            for (name, item) in defined.iter().filter(|(name, _)| !used.contains(name)) {
                let item = Item {
                    line: item.line,
                    ..NOTHING
                };
                let place = Place::of(&format!("{section}.{name}"), &item);
                importer.note(
                    &place,
                    "it is used nowhere, and a Collector takes no notice of it",
                );
            }
        }
    }

    fn names_of(&self, section: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut add = |names: &[String]| {
            for name in names {
                if !found.contains(name) {
                    found.push(name.clone());
                }
            }
        };
        if section == "extensions" {
            add(&self.extensions);
        }
        for pipeline in &self.pipelines {
            match section {
                "receivers" => add(&pipeline.receivers),
                "processors" => add(&pipeline.processors),
                "exporters" => add(&pipeline.exporters),
                "connectors" => {
                    let connectors = self.root.at("connectors");
                    for names in [&pipeline.receivers, &pipeline.exporters] {
                        let known = names
                            .iter()
                            .filter(|name| connectors.get_exact(name).is_some());
                        add(&known.cloned().collect::<Vec<_>>());
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// The components of a section that the pipelines of spans, or those of metrics, use.
    fn components(&self, section: &'static str, is_traces: bool) -> Vec<Component<'a>> {
        let mut is_first = true;
        let mut found: Vec<Component<'a>> = Vec::new();
        for pipeline in self
            .pipelines
            .iter()
            .filter(|pipeline| pipeline.is_traces == is_traces)
        {
            let names = match section {
                "receivers" => &pipeline.receivers,
                "processors" => &pipeline.processors,
                _ => &pipeline.exporters,
            };
            // One list of steps is for all: the first pipeline's.
            let is_later = section == "processors" && !is_first;
            let names = names
                .iter()
                .filter(|name| !is_later || is_plain(kind_of(name)));
            found.extend(names.filter_map(|name| self.component(section, name)));
            is_first = false;
        }
        let mut seen: Vec<String> = Vec::new();
        found.retain(|(_, path, _)| {
            let is_new = !seen.contains(path);
            seen.push(path.clone());
            is_new
        });
        found
    }

    fn component(&self, section: &str, name: &str) -> Option<Component<'a>> {
        let fields = self.root.at(section).fields();
        let (name, item) = fields.iter().find(|(known, _)| known == name)?;
        let kind = kind_of(name);
        Some((kind, format!("{section}.{name}"), item))
    }

    /// Receivers of spans.
    pub(super) fn receivers(&self) -> Vec<Component<'a>> {
        self.components("receivers", true)
    }

    /// Processors of spans.
    pub(super) fn processors(&self) -> Vec<Component<'a>> {
        self.components("processors", true)
    }

    /// Exporters of spans.
    pub(super) fn exporters(&self) -> Vec<Component<'a>> {
        self.components("exporters", true)
    }

    /// Exporters of metrics.
    pub(super) fn metrics_exporters(&self) -> Vec<Component<'a>> {
        self.components("exporters", false)
    }

    /// Connectors that spans go to.
    pub(super) fn connectors(&self) -> Vec<Component<'a>> {
        let traces = self.pipelines.iter().filter(|pipeline| pipeline.is_traces);
        let names = traces.flat_map(|pipeline| &pipeline.exporters);
        let mut found: Vec<Component<'a>> = Vec::new();
        for name in names {
            if let Some(component) = self.component("connectors", name)
                && !found.iter().any(|(_, path, _)| *path == component.1)
            {
                found.push(component);
            }
        }
        found
    }

    /// Extensions in the order in which the service names them.
    pub(super) fn extensions(&self) -> Vec<Component<'a>> {
        let found = self
            .extensions
            .iter()
            .filter_map(|name| self.component("extensions", name));
        found.collect()
    }

    /// The first extension of a kind.
    pub(super) fn extension(&self, kind: &str) -> Option<(String, &'a Item)> {
        let found = self
            .extensions()
            .into_iter()
            .find(|(known, _, _)| *known == kind);
        found.map(|(_, path, item)| (path, item))
    }

    /// The stores that are named, and where.
    pub(super) fn store_names(&self) -> Vec<(Place, String)> {
        let mut found = Vec::new();
        let mut add = |path: String, item: &Item| {
            if let Some(name) = item.text().filter(|name| !name.is_empty()) {
                found.push((Place::of(&path, item), name));
            }
        };
        for (kind, path, item) in self.exporters() {
            if kind == "jaeger_storage_exporter" {
                add(format!("{path}.trace_storage"), item.at("trace_storage"));
            }
        }
        for (kind, path, item) in self.extensions() {
            match kind {
                "jaeger_query" => add(format!("{path}.storage.traces"), item.at("storage.traces")),
                "remote_storage" => add(format!("{path}.storage"), item.at("storage")),
                _ => {}
            }
        }
        found
    }

    /// What the service does.
    pub(super) fn roles(&self, importer: &mut Importer) -> Roles {
        let kind = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
        let mut roles = Roles {
            asks: self.extension("jaeger_query").is_some(),
            ..Roles::default()
        };
        for pipeline in self.pipelines.iter().filter(|pipeline| pipeline.is_traces) {
            let has =
                |names: &[String], wanted: &str| names.iter().any(|name| kind(name) == wanted);
            let stores = has(&pipeline.exporters, "jaeger_storage_exporter");
            let writes = has(&pipeline.exporters, "kafka");
            let reads = has(&pipeline.receivers, "kafka");
            let receives = pipeline.receivers.iter().any(|name| kind(name) != "kafka");
            roles.ingests |= reads && stores;
            roles.writes_kafka |= writes && receives;
            roles.stores |= stores && receives;
            if reads && writes {
                let place = Place::missing("service.pipelines");
                importer.lost(&place, "spans are not carried from Kafka to Kafka");
            }
        }
        if roles.stores && roles.writes_kafka {
            roles.writes_kafka = false;
            let why = "spans go to one place, which is the store: an ingester takes them out of Kafka to it";
            importer.lost(&Place::missing("service.pipelines: exporter kafka"), why);
        }
        roles
    }
}

fn names(item: &Item) -> Vec<String> {
    let names = item.items().iter().filter_map(Item::text);
    names.filter(|name| !name.is_empty()).collect()
}

impl Item {
    /// What stands right below by a name that may have dots.
    pub(super) fn get_exact(&self, name: &str) -> Option<&Self> {
        let found = self.fields().iter().find(|(known, _)| known == name);
        found.map(|(_, item)| item)
    }
}

/// What a service does, and so which commands do the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Roles {
    /// It keeps what it receives.
    pub stores: bool,
    /// It writes what it receives to Kafka.
    pub writes_kafka: bool,
    /// It takes spans out of Kafka into a store.
    pub ingests: bool,
    /// It answers questions.
    pub asks: bool,
    is_embedded: bool,
}

impl Roles {
    /// The same on a store that several processes can share, or not.
    pub(super) fn on(self, is_embedded: bool) -> Self {
        Self {
            is_embedded,
            ..self
        }
    }

    /// It does nothing but write to Kafka.
    pub(super) fn writes_kafka_alone(&self) -> bool {
        self.writes_kafka && !self.ingests && !self.asks
    }

    /// The commands, with the defaults of each.
    pub(super) fn commands(&self) -> Vec<(&'static str, Config)> {
        let all = ("trackway", Config::default());
        let collector = ("trackway collector", Config::for_collector());
        let ingester = ("trackway ingester", Config::for_ingester());
        let query = ("trackway query", Config::for_query());
        if self.ingests || self.writes_kafka {
            let takes = self.writes_kafka || self.stores;
            let commands = [
                (takes, collector),
                (self.ingests, ingester),
                (self.asks, query),
            ];
            return commands
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, command)| command)
                .collect();
        }
        match (self.is_embedded, self.stores, self.asks) {
            (false, true, false) => vec![collector],
            (false, false, true) => vec![query],
            _ => vec![all],
        }
    }

    /// The admin port of the first command.
    pub(super) fn admin_port(&self) -> u16 {
        self.commands()
            .first()
            .map_or(14269, |(command, _)| admin_port_of(command))
    }

    /// Whether a key is one for a command, where several share a file.
    pub(super) fn is_of(&self, command: &str, key: &str) -> bool {
        let of_query = [
            "listen.query_http",
            "listen.query_grpc",
            "listen.storage_grpc",
        ]
        .contains(&key);
        let of_all = ["listen.admin", "listen.health"].contains(&key);
        match command {
            "trackway ingester" => of_all,
            "trackway query" => of_query || of_all,
            _ => !of_query,
        }
    }
}

/// The admin port that a command has by itself.
pub(super) fn admin_port_of(command: &str) -> u16 {
    match command {
        "trackway ingester" => 14270,
        "trackway query" => 16687,
        _ => 14269,
    }
}
