//! Golden imports of whole configurations, and what each row promises.

use std::path::PathBuf;

use super::*;
use crate::config::{Settings, Sources, show};

const NAMES: [&str; 8] = [
    "all-in-one",
    "elasticsearch",
    "cassandra",
    "collector-kafka",
    "ingester",
    "sampling",
    "left-out",
    "several",
];

fn environment(name: &str) -> Option<String> {
    match name {
        "JAEGER_LISTEN_HOST" => Some("0.0.0.0".to_owned()),
        "ES_USER" => Some("jaeger".to_owned()),
        "ES_PASSWORD" | "API_KEY" => Some("sekrit-of-a-variable".to_owned()),
        "PORT" => Some("4000".to_owned()),
        _ => None,
    }
}

fn golden(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn imported(text: &str) -> Imported {
    import("jaeger.yaml", text, &environment).unwrap()
}

/// Nothing is wrong with what is printed but that files are not on this machine.
fn assert_valid(name: &str, text: &str) {
    let file = std::env::temp_dir().join(format!(
        "trackway-import-{}-{name}.yaml",
        std::process::id()
    ));
    std::fs::write(&file, text).unwrap();
    let sources = Sources {
        file: Some(file.clone()),
        ..Sources::default()
    };
    let mistakes = Settings::load(&sources).map_or_else(|error| error.mistakes, |_| Vec::new());
    std::fs::remove_file(&file).unwrap();
    let is_wrong = |why: &String| !why.contains("can't read");
    let wrong: Vec<String> = mistakes.into_iter().filter(is_wrong).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}\n{text}");
}

/// What is printed, loaded as `config check` and the command load it.
fn loaded(name: &str, text: &str, defaults: Config) -> Settings {
    let path = std::env::temp_dir().join(format!(
        "trackway-import-{}-{name}.yaml",
        std::process::id()
    ));
    std::fs::write(&path, text).unwrap();
    let sources = Sources {
        file: Some(path.clone()),
        ..Sources::default()
    };
    let checked = Settings::load(&sources);
    let settings = Settings::load_over(defaults, &sources);
    std::fs::remove_file(&path).unwrap();
    checked.unwrap_or_else(|why| panic!("{name}: {why}\n{text}"));
    settings.unwrap_or_else(|why| panic!("{name}: {why}\n{text}"))
}

fn defaults_of(text: &str) -> Config {
    let line = text
        .lines()
        .find(|line| line.starts_with("#   trackway"))
        .unwrap();
    match line {
        line if line.contains("collector") => Config::for_collector(),
        line if line.contains("ingester") => Config::for_ingester(),
        line if line.contains("query") => Config::for_query(),
        _ => Config::default(),
    }
}

/// Values of the configuration that an example comes to, as `config show` has them.
fn shown(name: &str) -> String {
    let text = imported(&golden(&format!("{name}.jaeger.yaml"))).text;
    let shown = show(&loaded(&format!("{name}-shown"), &text, defaults_of(&text)));
    let squeezed = |line: &str| {
        let value = line.split(" # ").next().unwrap_or_default();
        value.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    shown.lines().map(squeezed).collect::<Vec<_>>().join("\n")
}

fn assert_shown(name: &str, lines: &[&str]) {
    let shown = shown(name);
    for line in lines {
        assert!(
            shown.lines().any(|one| one == *line),
            "{name}: {line}\n{shown}"
        );
    }
}

#[test]
fn every_example_is_imported_as_it_was_and_what_is_printed_is_valid() {
    for name in NAMES {
        let imported = imported(&golden(&format!("{name}.jaeger.yaml")));
        let said = format!(
            "{}\nlost: {}\n",
            imported.lines.join("\n"),
            imported.lost_count
        );
        crate::golden::assert_golden(&format!("import/{name}.trackway.yaml"), &imported.text);
        crate::golden::assert_golden(&format!("import/{name}.said.txt"), &said);
        let _valid = loaded(name, &imported.text, defaults_of(&imported.text));
        for secret in ["sekrit", "changeit", "a-secret-header"] {
            assert!(
                !imported.text.contains(secret) && !said.contains(secret),
                "{name}: {secret}"
            );
        }
        assert!(!said.contains("plain-in-the-file"), "{name}: {said}");
    }
}

// tidy: long-function: a table, a line for each value
#[test]
fn examples_mean_what_they_meant() {
    assert_shown(
        "all-in-one",
        &[
            "host: 0.0.0.0",
            "admin: 8888",
            "kind: embedded",
            "zipkin: 9411",
            "service: jaeger",
        ],
    );
    assert_shown(
        "elasticsearch",
        &[
            "hosts: \"https://es-1.example.com:9200, https://es-2.example.com:9200\"",
            "index_prefix: production",
            "rotation: rollover",
            "shards: 3",
            "tags_as_fields: \"customer, http.route\"",
            "version_min: 1.3",
            "body_bytes_max: 100MiB",
            "limit: 2GiB",
            "base_path: /jaeger",
            "admin: \"localhost:14269\"",
            "zipkin: off",
        ],
    );
    assert_shown(
        "cassandra",
        &[
            "keyspace: jaeger_dc1",
            "consistency: local_one",
            "datacenters: dc1",
            "trace_ttl: 14d",
            "enabled: on",
            "query_http: off",
            "jaeger_http: off",
        ],
    );
    assert_shown(
        "collector-kafka",
        &[
            "kind: kafka",
            "topic: jaeger-spans",
            "compression: none",
            "enabled: on",
        ],
    );
    assert_shown(
        "ingester",
        &[
            "kind: elasticsearch",
            "hosts: \"http://127.0.0.1:9200\"",
            "index_prefix: shop",
            "encoding: jaeger_proto",
            "start: oldest",
            "level: debug",
            "health: 14133",
        ],
    );
    assert_shown(
        "sampling",
        &[
            "age: 2d",
            "dir: /badger/values/trackway",
            "reload_interval: 1m",
            "default_probability: 0.001",
            "header: x-scope",
            "clock_skew_max: 5s",
            "per_second: off",
            "admin: 8889",
            "- {\"metrics\":{\"dimensions\":[\"http.route\"],\"buckets_ms\":[10.0,100.0,1500.0]}}",
        ],
    );
    assert_shown(
        "several",
        &[
            "endpoint: \"https://storage.example.com:17271\"",
            "timeout: 5s",
            "topic: spans",
            "start: newest",
        ],
    );
}

/// A configuration with one key more in its backend.
fn with_backend(backend: &str) -> Imported {
    imported(&format!(
        "service: {{extensions: [jaeger_storage, jaeger_query]}}\nextensions:\n  \
         jaeger_query: {{storage: {{traces: a}}}}\n  \
         jaeger_storage: {{backends: {{a: {backend}}}}}\n"
    ))
}

#[test]
fn a_mistyped_key_is_told_with_the_nearest_one_and_its_line() {
    let imported = with_backend("{cassandra: {schema: {keyspcae: x}}}");
    let wanted = "not carried over: jaeger.yaml:4: extensions.jaeger_storage.backends.a.cassandra.schema.keyspcae = x: \
                  unknown to Jaeger's configuration: perhaps a typo of schema.keyspace";
    assert_eq!(imported.lines[0], wanted);
    let imported = with_backend("{casandra: {}}");
    assert!(
        imported.lines[0].contains("perhaps a typo of cassandra"),
        "{:?}",
        imported.lines
    );
}

#[test]
fn variables_are_put_in_and_those_that_are_missing_are_told() {
    let text = "a: ${env:PORT}\nb: x${PORT}y\nc: $${PORT}\nd: ${env:NONE:-5s}\ne: ${NONE}\nf: ${file:/x}\ng: $\n";
    let root = tree::read(text, &environment).unwrap();
    let texts = ["a", "b", "c", "d"].map(|key| root.text_at(key));
    assert_eq!(texts, ["4000", "x4000y", "${PORT}", "5s"]);
    assert_eq!(root.at("a").variable.as_deref(), Some("PORT"));
    assert!(
        root.at("e")
            .unknown
            .as_ref()
            .unwrap()
            .contains("NONE is not set")
    );
    assert!(root.at("f").unknown.as_ref().unwrap().contains("file"));
    assert_eq!(root.text_at("g"), "$");
}

#[test]
fn every_key_of_a_table_is_one_of_trackways() {
    let rows = [
        (
            "backend.elasticsearch",
            "{elasticsearch: {query_timeout: 3s, http_compression: false}}",
            "timeout: 3s",
        ),
        (
            "backend.remote",
            "{grpc: {endpoint: 'x:1', tls: {insecure: true}}}",
            "endpoint: \"x:1\"",
        ),
        (
            "backend.cassandra",
            "{cassandra: {connection: {port: 9999}}}",
            "port: 9999",
        ),
        ("store", "{badger: {ttl: {spans: 1h}}}", "age: 1h"),
    ];
    for (section, backend, line) in rows {
        let text = with_backend(backend).text;
        assert!(text.contains(line), "{section}: {text}");
    }
}

#[test]
fn what_is_no_configuration_is_refused() {
    for text in ["", "- a", "a: [", "x: 1", "service: 1"] {
        assert!(import("x", text, &environment).is_err(), "{text}");
    }
}

#[test]
fn a_secret_in_an_address_is_not_shown() {
    let imported = with_backend("{elasticsearch: {server_urls: ['https://u:hunter2@es:9200']}}");
    let all = format!("{}{}", imported.text, imported.lines.join("\n"));
    assert!(imported.lost_count > 0 && !all.contains("hunter2"), "{all}");
}

#[test]
fn the_example_of_the_page_is_true() {
    let page = std::fs::read_to_string(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/import.md"),
    )
    .unwrap();
    // Between fences: the file, what is printed, what is said.
    let mut parts: Vec<&str> = page.split("```").collect();
    let at = parts
        .iter()
        .position(|part| part.starts_with("yaml\n"))
        .unwrap();
    let given = imported(parts[at].strip_prefix("yaml\n").unwrap());
    let (printed, said) = (
        format!("yaml\n{}", given.text),
        format!("text\n{}\n", given.lines.join("\n")),
    );
    assert!(parts[at + 2].starts_with("yaml\n") && parts[at + 4].starts_with("text\n"));
    (parts[at + 2], parts[at + 4]) = (&printed, &said);
    crate::golden::assert_file("../../docs/import.md", &parts.join("```"));
}

#[test]
fn what_needs_the_embedded_store_is_told_where_there_is_none() {
    let text = golden("collector-kafka.jaeger.yaml")
        .replace("[batch, attributes, filter]", "[tail_sampling]")
        .replace(
            "  attributes:\n",
            "  tail_sampling: {policies: [{name: a, type: always_sample}]}\n  attributes:\n",
        );
    let imported = imported(&text);
    assert!(
        imported.text.contains("kind: kafka") && !imported.text.contains("tail_sampling"),
        "{}",
        imported.text
    );
    assert!(
        imported
            .lines
            .iter()
            .any(|line| line.contains("needs the embedded store"))
    );
    let memory = golden("ingester.jaeger.yaml").replace(
        "opensearch:\n          indices:\n            index_prefix: shop-",
        "memory:",
    );
    assert!(self::imported(&memory).lines[0].contains("several processes share"));
}

#[test]
fn two_components_that_want_different_values_of_one_key_are_told() {
    let text = golden("several.jaeger.yaml").replace("topic: spans}", "topic: others}");
    let imported = imported(&text);
    let told = imported
        .lines
        .iter()
        .find(|line| line.contains("traces.topic"))
        .unwrap();
    assert!(
        told.contains("backend.kafka.topic is spans already"),
        "{told}"
    );
}

/// Pieces of which broken configurations are made.
const PIECES: [&str; 42] = [
    "service",
    "extensions",
    "pipelines",
    "traces",
    "receivers",
    "exporters",
    "processors",
    "otlp",
    "kafka",
    "jaeger_storage",
    "jaeger_query",
    "backends",
    "elasticsearch",
    "cassandra",
    "auth",
    "tls",
    "policies",
    "endpoint",
    "[",
    "]",
    "{",
    "}",
    ": ",
    ": ",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    ",",
    "${",
    "}",
    "$",
    "'",
    "\"",
    "&a",
    "*a",
    "0.0.0.0:1",
    "é",
    "\u{1}",
    "1e999",
    "null",
];
const GARBAGE: [&str; 14] = [
    "",
    "[]",
    "{}",
    "[a, {b: c}]",
    "-1",
    "1e9",
    "''",
    "${env:X}",
    "${env:PORT}",
    "{a: {b: 1}}",
    "true",
    "\"é\u{1}\"",
    "'0x1F'",
    "99999999999999999999",
];

#[test]
fn no_text_makes_it_panic() {
    let mut state = 7_u64;
    let mut next = |count: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % count
    };
    for _ in 0..400 {
        let count = next(40);
        let text: String = (0..count).map(|_| PIECES[next(PIECES.len())]).collect();
        let _either = import("x", &text, &environment);
        let _either = import("x", &format!("service: {{}}\n{text}"), &environment);
    }
}

#[test]
fn whatever_stands_in_a_value_what_is_printed_is_valid() {
    let mut tried = 0;
    for name in NAMES {
        let text = golden(&format!("{name}.jaeger.yaml"));
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.starts_with('#'))
        {
            let Some((key, _)) = line.split_once(": ") else {
                continue;
            };
            tried += 1;
            let broken = format!("{key}: {}", GARBAGE[tried % GARBAGE.len()]);
            let mut lines = lines.clone();
            lines[at] = &broken;
            if let Ok(imported) = import("x", &lines.join("\n"), &environment) {
                assert_valid("garbage", &imported.text);
            }
        }
    }
    assert!(tried > 150);
}
