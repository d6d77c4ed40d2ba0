//! What the wiring itself decides: health, limits, the file of addresses.

use model::contract::{Answer, IncomingBatch, Kept, WriteError};

use serve::JaegerOptions;

use super::all_in_one::{jaeger_options, query_limits};
use super::*;
use crate::config::SizeOrAuto;

#[derive(Debug)]
struct Writer(Result<(), String>);

impl SpanWriter for Writer {
    fn write(&self, _incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        Box::pin(async {
            Ok(Kept {
                spans: 0,
                duplicate_spans: 0,
            })
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.0.clone()
    }
}

#[test]
fn is_started_when_the_store_is_open_and_ready_when_it_takes_spans() {
    let shutdown = Shutdown::new();
    let health = ProgramHealth::new(shutdown.clone());
    health.set(State::Starting("replaying the log: 41 %".to_owned()));
    assert_eq!(health.started(), Err("replaying the log: 41 %".to_owned()));
    assert_eq!(health.ready(), Err("replaying the log: 41 %".to_owned()));
    health.set(State::serving(Arc::new(Writer(Err(
        "the disk is full".to_owned()
    )))));
    assert_eq!(health.started(), Ok(()));
    assert_eq!(health.ready(), Err("the disk is full".to_owned()));
    health.set(State::serving(Arc::new(Writer(Ok(())))));
    assert_eq!(health.ready(), Ok(()));
    shutdown.begin();
    assert_eq!(health.ready(), Err("the program stops".to_owned()));
    assert_eq!(health.started(), Ok(()));
}

#[test]
fn the_defaults_of_the_tree_are_the_defaults_of_the_rooms() {
    let config = Config::default();
    let (ours, theirs) = (receive_limits(&config), receive::Limits::default());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(
        format!("{:?}", jaeger_options(&config)),
        format!("{:?}", JaegerOptions::default())
    );
    assert_eq!(
        format!("{:?}", http_limits(&config)),
        format!("{:?}", HttpLimits::default())
    );
}

#[test]
fn an_answer_may_take_a_quarter_of_the_memory_unless_the_key_says_otherwise() {
    let mut config = Config::default();
    assert_eq!(query_limits(&config, 400).answer_bytes_max, 100);
    config.query.answer_bytes_max = SizeOrAuto::Bytes(crate::config::ByteCount(7));
    assert_eq!(query_limits(&config, 400).answer_bytes_max, 7);
}

#[test]
fn a_file_is_written_whole_and_nothing_is_left_beside_it() {
    let folder = std::env::temp_dir().join(format!("trackway-whole-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("addresses");
    write_whole(&file, "one\n").unwrap();
    write_whole(&file, "two\n").unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "two\n");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(write_whole(&file, "three\n").is_err());
}
