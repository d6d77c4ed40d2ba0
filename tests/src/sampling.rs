//! The stock OpenTelemetry SDK with Jaeger's remote sampler: it follows a change of the strategies within one refresh,
//! and what it sends moves the probabilities that follow the traffic.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::folder::{Folder, project_root};
use crate::http;
use crate::program::Program;
use crate::wait::until;

/// Far longer than what is waited for takes.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The service with the sampler.
struct Sampled {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Sampled {
    fn start(program: &Program) -> Self {
        let root = project_root();
        let status = Command::new(root.join("tests/clients/setup")).status();
        assert!(status.unwrap().success(), "see tests/clients/setup");
        let mut process = Command::new("node")
            .arg(root.join("tests/clients/node/sampled.js"))
            .args([
                "--sampling",
                &format!("http://{}", program.addresses.sampling_http),
            ])
            .args(["--every", "50"])
            .env("NODE_PATH", root.join("target/clients/node/node_modules"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            questions: process.stdin.take(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    /// Begins a hundred traces; gives how many it records, and how often it has asked what to record.
    fn record(&mut self, operation: &str) -> (u64, u64) {
        writeln!(self.questions.as_mut().unwrap(), "{operation}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        let of = |name: &str| answer[name].as_u64().unwrap();
        (of("recorded"), of("asked"))
    }

    /// Lets it ask twice: the second question begins after now.
    fn refresh(&mut self) {
        let (_, asked) = self.record("refresh");
        let refreshed = until(WAIT_MAX, || {
            let (_, now) = self.record("refresh");
            // The third begins when the answer to the second was taken.
            (now >= asked + 3).then_some(())
        });
        refreshed.expect("the sampler asks no more");
    }
}

impl Drop for Sampled {
    fn drop(&mut self) {
        // It ends with its input; the kill is for one that hangs.
        drop(self.questions.take());
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn told(program: &Program) -> Value {
    let answer = http::get(&program.addresses.sampling_http, "/sampling?service=prices");
    answer.unwrap().json()
}

#[test]
fn a_stock_sampler_follows_a_change_within_one_refresh() {
    let folder = Folder::new("strategies");
    let file = folder.join("strategies.json");
    let strategies = |default: f64, health: f64| {
        serde_json::json!({"default_strategy": {"type": "probabilistic", "param": default, "operation_strategies":
            [{"operation": "health", "type": "probabilistic", "param": health}]}})
        .to_string()
    };
    std::fs::write(&file, strategies(0.0, 0.0)).unwrap();
    let set_file = format!("sampling.strategies_file={}", file.display());
    let flags = ["--set", &set_file, "--set", "sampling.reload_interval=50ms"];
    let program = Program::start_with(&folder.join("data"), &flags);
    let mut sampled = Sampled::start(&program);
    sampled.refresh();
    assert_eq!(sampled.record("order").0, 0);
    for (default, health) in [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        std::fs::write(&file, strategies(default, health)).unwrap();
        let is_read = until(WAIT_MAX, || {
            let told = told(&program);
            (told["probabilisticSampling"]["samplingRate"].as_f64() == Some(default)).then_some(())
        });
        is_read.expect("the file is read again");
        sampled.refresh();
        let (order, health_traces) = (sampled.record("order").0, sampled.record("health").0);
        assert_eq!(
            (order as f64, health_traces as f64),
            (default * 100.0, health * 100.0)
        );
    }
    program.stop();
}

#[test]
fn probabilities_follow_what_is_sent_and_outlive_a_start() {
    let folder = Folder::new("adaptive");
    let flags = [
        "--set",
        "sampling.adaptive.target=1",
        "--set",
        "sampling.adaptive.interval=1s",
        "--set",
        "sampling.adaptive.initial_probability=1",
    ];
    let program = Program::start_with(&folder.join("data"), &flags);
    let rate_of = |told: &Value| {
        let own = told["operationSampling"]["perOperationStrategies"].as_array()?;
        let own = own.iter().find(|one| one["operation"] == "order")?;
        own["probabilisticSampling"]["samplingRate"].as_f64()
    };
    assert_eq!(
        told(&program)["operationSampling"]["defaultSamplingProbability"],
        1.0
    );
    let mut number = 0;
    let rate = until(WAIT_MAX, || {
        number += 1;
        let mut request = testkit::spans::request().seed(number).service("prices");
        for trace in 1..=500 {
            request = request.span("order", |span| span.trace(trace).id(trace));
        }
        let mut connection = http::Connection::open(&program.addresses.otlp_http).unwrap();
        let kind = "application/x-protobuf";
        let sent = connection.post("/v1/traces", kind, &request.encode());
        assert_eq!(sent.unwrap().status, 200);
        rate_of(&told(&program)).filter(|rate| *rate < 0.1)
    });
    let rate = rate.expect("a probability for an operation of hundreds of traces a second");
    program.stop();
    let again = Program::start_with(&folder.join("data"), &flags);
    let after = until(WAIT_MAX, || rate_of(&told(&again))).unwrap();
    assert!(
        after <= rate * 20.0 && after < 1.0,
        "{rate} before, {after} after"
    );
    again.stop();
}
