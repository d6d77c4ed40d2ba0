//! `trackway doctor` on this machine and on a real Elasticsearch: what is broken is told in the words that
//! docs/troubleshooting.md has, with what to change. The same in pods: `cluster::broken`.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::folder::{Folder, project_root};
use crate::program::{LISTENERS, Program, binary};
use crate::ran::Ran;
use crate::server::{Server, USER, free_port, other_authority};
use crate::small_disk::SmallDisk;
use crate::wait::report;

/// More than the doctor asks for, and soon full.
const DISK_MIB: usize = 96;

/// What a person reads in the page about troubles, with white space made alike.
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn read() -> Self {
        let page = project_root().join("docs/troubleshooting.md");
        let text = std::fs::read_to_string(page).unwrap();
        Self(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Words that must have been said, and must be on the page.
    #[track_caller]
    pub(crate) fn tells(&self, case: &str, said: &str, words: &str) {
        assert!(said.contains(words), "{case}: no {words:?} in {said}");
        assert!(
            self.0.contains(words),
            "{case}: docs/troubleshooting.md does not have {words:?}"
        );
        report(&format!("{case}: {words}"));
    }
}

/// The doctor, asked about a role with the settings `key=value`.
fn asked(role: &str, settings: &[String]) -> Ran {
    let mut command = Command::new(binary());
    command.args(["doctor", "--role", role]);
    if role != "all-in-one" {
        command.arg("--away");
    }
    for setting in settings {
        command.args(["--set", setting]);
    }
    Ran::from(command.output().unwrap())
}

/// What it says of something that is wrong, in its outputs; its exit code is 1.
#[track_caller]
fn sick(role: &str, settings: &[String]) -> String {
    let ran = asked(role, settings);
    assert!(!ran.is_well, "{}", ran.said);
    ran.said
}

/// Listeners on free ports, and a folder for the store.
fn here(folder: &Path) -> Vec<String> {
    let free = LISTENERS.map(|name| format!("listen.{name}=0"));
    let store = format!("store.dir={}", folder.display());
    free.into_iter().chain([store]).collect()
}

#[test]
fn a_taken_port_is_told_and_all_else_is_well() {
    let folder = Folder::new("doctor");
    let settings = here(&folder.join("data"));
    let well = asked("all-in-one", &settings).well();
    assert!(well.contains("0 wrong, "), "{well}");
    assert!(
        !folder.join("data").exists(),
        "the doctor changes nothing: {well}"
    );
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let taken = format!("listen.query_http={port}");
    let said = sick("all-in-one", &[settings, vec![taken]].concat());
    assert!(
        said.contains(&format!("port {port} for listen.query_http")),
        "{said}"
    );
    assert!(said.contains("1 wrong"), "{said}");
    Page::read().tells("port clash", &said, "is taken");
}

#[test]
fn a_span_is_sent_until_somebody_takes_it() {
    let folder = Folder::new("doctor-round-trip");
    let ports = [free_port(901), free_port(902)];
    let [sent_to, asked] = ports.map(|port| format!("http://127.0.0.1:{port}"));
    // It begins before there is anybody, as in a pod beside a Service that is not known everywhere yet.
    let doctor = Command::new(binary())
        .args(["doctor", "--away", "--send-to", &sent_to, "--ask", &asked])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let [sent_to, asked] = ports;
    // It has come once in vain before the program is there.
    let nobody = TcpListener::bind(("127.0.0.1", sent_to)).unwrap();
    drop(nobody.accept().unwrap());
    drop(nobody);
    let listen = [
        format!("listen.otlp_http={sent_to}"),
        format!("listen.query_http={asked}"),
    ];
    let flags = ["--set", &listen[0], "--set", &listen[1]];
    let _program = Program::start_with(&folder.join("data"), &flags);
    let told = Ran::from(doctor.wait_with_output().unwrap()).well();
    assert!(told.contains("was found at"), "{told}");
}

#[test]
fn a_disk_without_room_is_told() {
    let folder = Folder::new("doctor-full");
    let Some(disk) = SmallDisk::mount(&folder.join("disk"), DISK_MIB) else {
        return;
    };
    let left = |free| format!("has {free} of {DISK_MIB} MiB left");
    let said = asked("all-in-one", &here(&disk.path)).said;
    assert!(said.contains(&left(DISK_MIB)), "{said}");
    std::fs::write(disk.path.join("others"), vec![1; (DISK_MIB - 8) << 20]).unwrap();
    let said = sick("all-in-one", &here(&disk.path));
    assert!(said.contains(&left(8)), "{said}");
    assert!(said.contains("store.retention.bytes"), "{said}");
}

#[test]
fn a_store_that_is_not_reached_is_told_with_the_cause() {
    let Some(server) = Server::start("elasticsearch", true) else {
        return;
    };
    let folder = Folder::new("doctor-store");
    let page = Page::read();
    let store = |url: &str, password: &Path, ca: &Path| {
        [
            "kind=elasticsearch".to_owned(),
            format!("elasticsearch.hosts={url}"),
            format!("elasticsearch.username={USER}"),
            format!("elasticsearch.password_file={}", password.display()),
            format!("elasticsearch.tls.ca_file={}", ca.display()),
        ]
        .map(|setting| format!("backend.{setting}"))
    };
    let (password, ca) = (server.password_file(), server.ca_file());
    let well = asked("collector", &store(&server.url, &password, &ca)).well();
    assert!(
        well.contains("Elasticsearch 8") && well.contains("0 wrong"),
        "{well}"
    );

    let wrong = folder.join("wrong-password");
    std::fs::write(&wrong, "wrong-sekrit-34").unwrap();
    let said = sick("collector", &store(&server.url, &wrong, &ca));
    page.tells("wrong password", &said, "it answers 401");
    page.tells("wrong password", &said, "give the right user and password");
    assert!(!said.contains("sekrit"), "{said}");

    let other = other_authority(folder.join("other-ca.pem"));
    let said = sick("collector", &store(&server.url, &password, &other));
    page.tells("other authority", &said, "the chain is broken");

    let missing = server.ca_file().with_file_name("ca-cert.pem");
    let said = sick("collector", &store(&server.url, &password, &missing));
    page.tells(
        "missing CA key",
        &said,
        "can't be read: there is no such file, its folder has",
    );

    let plain = server.url.replace("https://", "http://");
    let said = sick("collector", &store(&plain, &password, &ca));
    page.tells(
        "wrong scheme",
        &said,
        "speaks TLS, and is spoken to plainly",
    );

    let unknown = "https://elasticsearch.logging.svc:9200";
    let said = sick("query", &store(unknown, &password, &ca));
    page.tells(
        "wrong name",
        &said,
        "kubectl -n logging get service elasticsearch",
    );

    // Nobody gets a port below 1024 by chance.
    let said = sick("query", &store("https://127.0.0.1:1", &password, &ca));
    page.tells("nobody listens", &said, "Connection refused");

    let old = r#"{"index_patterns": ["jaeger-span-*"], "priority": 500,
        "template": {"mappings": {"properties": {"traceID": {"type": "text"}}}}}"#;
    server.curl("PUT", "/_index_template/old", old);
    server.curl("PUT", "/jaeger-span-2026-01-01", "");
    let said = sick("query", &store(&server.url, &password, &ca));
    page.tells(
        "old index template",
        &said,
        "were made by another index template: their spans are not found",
    );
}
