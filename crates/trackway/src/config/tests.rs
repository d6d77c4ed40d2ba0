//! Layering, provenance and mistakes of the configuration.

use std::time::Duration;

use super::*;

/// A YAML file that is gone when the test ends.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, text: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("trackway-{}-{name}.yaml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

fn flag(path: &str, text: &str) -> FlagValue {
    FlagValue {
        path: path.to_owned(),
        text: text.to_owned(),
        flag: "--set".to_owned(),
    }
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn mistakes(sources: &Sources) -> Vec<String> {
    Settings::load(sources).unwrap_err().mistakes
}

#[test]
fn works_without_any_source() {
    let settings = Settings::load(&Sources::default()).unwrap();
    assert_eq!(settings.config, Config::default());
    assert_eq!(settings.origin("store.dir"), &Origin::Default);
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let file = TemporaryFile::new(
        "layers",
        "store:\n  retention:\n    age: 1d\nlog:\n  level: debug\nlisten:\n  admin: 1\n",
    );
    let sources = Sources {
        file: Some(file.0.clone()),
        variables: variables(&[
            ("TRACKWAY_STORE__RETENTION__AGE", "2d"),
            ("TRACKWAY_LOG__LEVEL", "warn"),
        ]),
        flags: vec![flag("store.retention.age", "3d")],
    };
    let settings = Settings::load(&sources).unwrap();
    assert_eq!(
        settings.config.store.retention.age,
        OrOff::On(Duration::from_secs(3 * 86_400))
    );
    assert_eq!(settings.config.log.level.directives(), "warn");
    assert_eq!(settings.config.listen.admin, Address::Port(1));
    assert_eq!(settings.config.listen.otlp_grpc, Address::Port(4317));
    assert_eq!(
        settings.origin("store.retention.age"),
        &Origin::Flag("--set".to_owned())
    );
    assert_eq!(
        settings.origin("log.level"),
        &Origin::Variable("TRACKWAY_LOG__LEVEL".to_owned())
    );
    assert_eq!(
        settings.origin("listen.admin"),
        &Origin::File(file.0.clone(), 7)
    );
    assert_eq!(settings.origin("listen.otlp_grpc"), &Origin::Default);
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_name() {
    let file = TemporaryFile::new("unknown", "store:\n  retension:\n    age: 1d\n");
    let sources = Sources {
        file: Some(file.0.clone()),
        variables: variables(&[("TRACKWAY_LOGS__LEVEL", "warn")]),
        flags: vec![flag("listen.otlp_gprc", "0"), flag("zookeeper.quorum", "x")],
    };
    let expected = [
        format!(
            "{}:3: unknown key store.retension.age; did you mean store.retention.age?",
            file.0.display()
        ),
        "TRACKWAY_LOGS__LEVEL: unknown key logs.level; did you mean log.level?".to_owned(),
        "--set: unknown key listen.otlp_gprc; did you mean listen.otlp_grpc?".to_owned(),
        "--set: unknown key zookeeper.quorum; `trackway config show` lists all keys".to_owned(),
    ];
    assert_eq!(mistakes(&sources), expected);
}

#[test]
fn a_wrong_value_is_told_with_key_and_what_would_be_right() {
    let sources = Sources {
        flags: vec![flag("store.retention.age", "30")],
        ..Sources::default()
    };
    assert_eq!(
        mistakes(&sources),
        ["--set: store.retention.age: \"30\" has no unit; write 30s or 30m; or off"]
    );
    let sources = Sources {
        flags: vec![flag("store.acknowledge", "fsync")],
        ..Sources::default()
    };
    assert_eq!(
        mistakes(&sources),
        ["--set: store.acknowledge: \"fsync\" is none of sync, page_cache, memory"]
    );
    let sources = Sources {
        flags: vec![flag("log.level", "inof")],
        ..Sources::default()
    };
    assert!(mistakes(&sources)[0].contains("\"inof\" is not a level"));
}

#[test]
fn variables_of_the_platform_are_left_alone_but_a_missing_underscore_is_told() {
    let platform = variables(&[
        ("TRACKWAY_PORT", "tcp://10.0.0.1:4317"),
        ("TRACKWAY_SERVICE_HOST", "10.0.0.1"),
        ("TRACKWAY_CONFIG", "x.yaml"),
        ("PATH", "/bin"),
    ]);
    assert!(
        Settings::load(&Sources {
            variables: platform,
            ..Sources::default()
        })
        .is_ok()
    );
    let slip = variables(&[("TRACKWAY_STORE_RETENTION_AGE", "1d")]);
    assert_eq!(
        mistakes(&Sources {
            variables: slip,
            ..Sources::default()
        }),
        [
            "TRACKWAY_STORE_RETENTION_AGE: no such variable; did you mean TRACKWAY_STORE__RETENTION__AGE?"
        ]
    );
}

#[test]
fn a_section_takes_no_value_and_an_empty_one_is_fine() {
    let sources = Sources {
        flags: vec![flag("store.retention", "7d")],
        ..Sources::default()
    };
    assert_eq!(
        mistakes(&sources),
        [
            "--set: store.retention is a section; set one of its keys: store.retention.age, store.retention.bytes"
        ]
    );
    let file = TemporaryFile::new("empty", "store:\nlisten:\n  # health: off\n");
    assert!(
        Settings::load(&Sources {
            file: Some(file.0.clone()),
            ..Sources::default()
        })
        .is_ok()
    );
    let file = TemporaryFile::new("list", "store:\n  dir: [a]\n  head: [b]\n");
    let told = mistakes(&Sources {
        file: Some(file.0.clone()),
        ..Sources::default()
    });
    assert!(
        told[0].ends_with("store.dir is a list; it takes one value"),
        "{told:?}"
    );
    assert!(
        told[1].ends_with("store.head is a list; it takes one value"),
        "{told:?}"
    );
}

#[test]
fn what_does_not_fit_together_is_told() {
    let flags = vec![
        flag("listen.admin", "4318"),
        flag("receive.connections_max", "0"),
        flag("memory.limit", "1MiB"),
    ];
    let told = mistakes(&Sources {
        flags,
        ..Sources::default()
    });
    assert!(
        told[0].contains("listen.otlp_http and listen.admin are both 4318"),
        "{told:?}"
    );
    assert!(told[1].contains("receive.connections_max is 0"), "{told:?}");
    assert!(told[2].contains("memory.limit is 1MiB"), "{told:?}");
    let free = [
        "otlp_grpc",
        "otlp_http",
        "query_http",
        "query_grpc",
        "admin",
        "health",
    ];
    let flags = free
        .iter()
        .map(|name| flag(&format!("listen.{name}"), "0"))
        .collect();
    assert!(
        Settings::load(&Sources {
            flags,
            ..Sources::default()
        })
        .is_ok()
    );
}

#[test]
fn a_file_that_is_missing_is_told_by_its_name() {
    let told = mistakes(&Sources {
        file: Some(PathBuf::from("/no/such.yaml")),
        ..Sources::default()
    });
    assert!(
        told[0].starts_with("/no/such.yaml: can't read the configuration"),
        "{told:?}"
    );
}

#[test]
fn what_show_prints_is_read_back_as_the_same_configuration() {
    let flags = vec![
        flag("listen.otlp_http", "[::1]:4318"),
        flag("listen.health", "off"),
        flag("store.dir", "a # b: c"),
    ];
    let settings = Settings::load(&Sources {
        flags,
        ..Sources::default()
    })
    .unwrap();
    let file = TemporaryFile::new("shown", &show(&settings));
    let again = Settings::load(&Sources {
        file: Some(file.0.clone()),
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(again.config, settings.config);
}

#[test]
fn show_names_the_source_of_every_value() {
    let sources = Sources {
        file: None,
        variables: variables(&[("TRACKWAY_LOG__LEVEL", "warn,store=debug")]),
        flags: vec![FlagValue {
            path: "store.dir".to_owned(),
            text: "/srv/x".to_owned(),
            flag: "--data-dir".to_owned(),
        }],
    };
    crate::golden::assert_golden(
        "config-show.yaml",
        &show(&Settings::load(&sources).unwrap()),
    );
}

#[test]
fn explain_tells_everything_about_a_key_and_refuses_an_unknown_one() {
    let settings = Settings::load(&Sources::default()).unwrap();
    crate::golden::assert_golden(
        "config-explain.txt",
        &explain(&settings, "store.acknowledge").unwrap(),
    );
    assert!(
        explain(&settings, "store.retention")
            .unwrap()
            .contains("store.retention.bytes")
    );
    assert!(
        explain(&settings, "store.retenton")
            .unwrap_err()
            .contains("did you mean store.retention?")
    );
}

#[test]
fn a_ui_configuration_of_jaeger_is_read_at_once_and_its_mistakes_are_told_with_file_and_line() {
    let load = |path: &Path| {
        Settings::load(&Sources {
            flags: vec![flag("ui.config_file", &path.display().to_string())],
            ..Sources::default()
        })
    };
    let good = TemporaryFile::new("ui-good", "{\"archiveEnabled\": false}");
    let settings = load(&good.0).unwrap();
    assert_eq!(settings.config.ui.config_file, OrOff::On(good.0.clone()));
    assert!(settings.config.ui.jaeger_config().is_ok());
    for (name, text, line, told) in [
        ("ui-script", "\nfunction UIConfig() {}\n", 2, "JavaScript"),
        ("ui-broken", "{\n\"menu\": [", 2, "this is no JSON"),
    ] {
        let file = TemporaryFile::new(name, text);
        let mistakes = load(&file.0).unwrap_err().mistakes;
        let begin = format!("ui.config_file: {}, line {line}: ", file.0.display());
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(
            mistakes[0].starts_with(&begin) && mistakes[0].contains(told),
            "{mistakes:?}"
        );
    }
    let absent = load(Path::new("/nowhere/ui.json")).unwrap_err().mistakes;
    assert!(absent[0].contains("correct the path"), "{absent:?}");
}

#[test]
fn steps_are_a_list_in_a_file_a_variable_or_a_flag_and_the_last_wins_as_a_whole() {
    let file = TemporaryFile::new(
        "steps",
        "process:\n  - filter: {drop: '{ name = \"a\" }'}\n  - metrics:\n",
    );
    let from_file = Sources {
        file: Some(file.0.clone()),
        ..Sources::default()
    };
    let settings = Settings::load(&from_file).unwrap();
    let shown = "[{\"filter\":{\"drop\":\"{ name = \\\"a\\\" }\"}},{\"metrics\":null}]";
    assert_eq!(settings.config.process.print(), shown);
    assert_eq!(settings.origin("process"), &Origin::File(file.0.clone(), 2));
    let sources = Sources {
        variables: variables(&[("TRACKWAY_PROCESS", "[{limit: {events_max: 1}}]")]),
        ..from_file
    };
    let settings = Settings::load(&sources).unwrap();
    assert_eq!(
        settings.config.process.print(),
        "[{\"limit\":{\"events_max\":1}}]"
    );
    let again = TemporaryFile::new("steps-shown", &show(&settings));
    let read_back = Settings::load(&Sources {
        file: Some(again.0.clone()),
        ..Sources::default()
    });
    assert_eq!(read_back.unwrap().config, settings.config);
    let sources = Sources {
        flags: vec![flag("process", "[]")],
        ..sources
    };
    let settings = Settings::load(&sources).unwrap();
    assert!(settings.config.process.plan().is_empty());
}

#[test]
fn mistakes_in_steps_name_the_line_the_step_and_the_key_and_a_salt_is_never_shown() {
    let file = TemporaryFile::new(
        "steps-wrong",
        "log: {level: info}\nprocess:\n  - limit: {events_max: x}\n  - redact: {kees: [a]}\n",
    );
    let told = mistakes(&Sources {
        file: Some(file.0.clone()),
        ..Sources::default()
    });
    let place = format!("{}:3: process: ", file.0.display());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|one| one.starts_with(&place)), "{told:?}");
    assert!(told[0].contains("step 1: limit.events_max"), "{told:?}");
    assert!(
        told[1].contains("step 2: redact: unknown key kees"),
        "{told:?}"
    );
    let salted = "[{redact: {keys: [a], action: hash, salt: a salt of many bytes}}]";
    let settings = Settings::load(&Sources {
        flags: vec![flag("process", salted)],
        ..Sources::default()
    });
    let settings = settings.unwrap();
    let explained = explain(&settings, "process").unwrap();
    for text in [show(&settings), explained, format!("{:?}", settings.config)] {
        assert!(
            !text.contains("many bytes") && text.contains("***"),
            "{text}"
        );
    }
    // What is hidden is no salt: it would make other hashes without anybody's noticing.
    let shown = mistakes(&Sources {
        flags: vec![flag("process", &settings.config.process.print())],
        ..Sources::default()
    });
    assert!(
        shown[0].contains("is hidden where it is shown"),
        "{shown:?}"
    );
}

#[test]
fn the_reference_in_docs_is_what_the_table_says() {
    crate::golden::assert_file("../../docs/configuration.md", &reference());
}

#[test]
fn keys_are_few_and_each_is_documented() {
    let entries = Settings::default().entries();
    let keys = |is_counted: &dyn Fn(&str) -> bool| {
        let keys = entries.iter().filter(|entry| entry.key.is_some());
        keys.filter(|entry| is_counted(&entry.path)).count()
    };
    // Of stores of others a program has one.
    assert!(keys(&|path| !path.starts_with("backend.")) < 120);
    for backend in [
        "backend.remote.",
        "backend.elasticsearch.",
        "backend.cassandra.",
        "backend.kafka.",
    ] {
        assert!(keys(&|path| path.starts_with(backend)) < 30);
    }
    for entry in entries {
        assert!(
            entry.about.ends_with('.'),
            "{} lacks a sentence",
            entry.path
        );
    }
}
