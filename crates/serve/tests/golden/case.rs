//! Recorded questions and answers, read from their files.

use std::path::PathBuf;

use serde_json::Value;

use super::project;
use crate::world::BASE_NANOS;

/// One request of the golden input.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) json: Option<Vec<u8>>,
    pub(super) proto: Vec<u8>,
}

/// A recorded question, and how its answer is to be compared.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) method: String,
    path: String,
    query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The recorded server did not survive the question: any sensible answer will do.
    pub(super) is_never: bool,
    /// Only the status is the same from run to run.
    pub(super) is_unstable: bool,
    /// Lists just below the top come in any order.
    pub(super) is_unordered: bool,
    /// Lists anywhere come in any order, and processes have any number.
    pub(super) is_loose: bool,
    pub(super) want: Want,
}

/// A recorded answer.
#[derive(Debug, Default)]
pub(super) struct Want {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) location: String,
    pub(super) is_index_page: bool,
    /// The body, where it is JSON.
    pub(super) json: Option<Value>,
    /// The whole body, where it is short.
    pub(super) text: Option<String>,
    /// The length of the whole body.
    pub(super) body_bytes: Option<u64>,
}

fn golden(path: &str) -> PathBuf {
    project().join("tests/golden").join(path)
}

fn read_json(path: &str) -> Value {
    let text = std::fs::read(golden(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The golden input in the order in which it is sent.
pub(super) fn inputs() -> Vec<Input> {
    let mut inputs = Vec::new();
    for folder in ["input", "input-more"] {
        for row in read_json(&format!("{folder}/manifest.json"))["send_in_this_order"]
            .as_array()
            .unwrap()
        {
            let name = format!("{folder}/{}", text(&row["file"]));
            let json = row["json"]
                .as_bool()
                .unwrap()
                .then(|| std::fs::read(golden(&format!("{name}.json"))).unwrap());
            let proto = std::fs::read(golden(&format!("{name}.bin"))).unwrap();
            inputs.push(Input { name, json, proto });
        }
    }
    inputs
}

/// An answer of ours, where the recorded one can't be changed into it.
pub(super) fn ours(name: &str) -> Value {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/ours/{name}.json"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

pub(super) fn cases_of(group: &str) -> Vec<Case> {
    let file = read_json(&format!("http/{group}.json"));
    file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(Case::read)
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect(),
        Value::Object(pairs) => pairs
            .iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect(),
        _ => Vec::new(),
    }
}

impl Case {
    fn read(case: &Value) -> Self {
        let marked = |mark: &str| case[mark].as_bool().unwrap_or(false);
        let query = match case["raw_query"].as_str() {
            Some(raw) => raw.to_owned(),
            None => {
                let pairs = pairs(&case["query"]);
                let pairs = pairs
                    .iter()
                    .map(|(key, value)| format!("{}={}", escape(key), escape(&resolve(value))));
                pairs.collect::<Vec<_>>().join("&")
            }
        };
        let body = match (case["body_file"].as_str(), case["body"].as_str()) {
            (Some(file), _) => std::fs::read(golden(&format!("input/{file}.json"))).unwrap(),
            (None, body) => resolve(body.unwrap_or_default()).into_bytes(),
        };
        Self {
            name: text(&case["name"]),
            method: text(&case["method"]),
            path: text(&case["path"]),
            query: resolve(&query),
            headers: pairs(&case["headers"]),
            body,
            is_never: case["response"].is_null(),
            is_unstable: marked("unstable"),
            is_unordered: marked("unordered"),
            is_loose: marked("loose"),
            want: Want::read(&case["response"]),
        }
    }

    pub(super) fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

impl Want {
    fn read(response: &Value) -> Self {
        let header = |name: &str| text(&response["headers"][name]);
        Self {
            status: response["status"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .unwrap_or_default(),
            content_type: header("content-type"),
            location: header("location"),
            is_index_page: !response["body_is"].is_null(),
            json: response.get("body").cloned(),
            text: response["body_text"].as_str().map(str::to_owned),
            body_bytes: response["body_bytes"].as_u64(),
        }
    }
}

/// As `application/x-www-form-urlencoded` has it.
fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

/// `@us(1500)@` becomes the base and 1500 ms in microseconds; so do `ms`, `ns` and `s`, and `rfc` in RFC 3339.
fn resolve(text: &str) -> String {
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match moment(part) {
            Some(number) => out.push_str(&number),
            None if part.is_empty() => {}
            None => out.push_str(part),
        }
    }
    out
}

fn moment(part: &str) -> Option<String> {
    let (unit, millis) = part.strip_suffix(')')?.split_once('(')?;
    let unit_nanos = match unit {
        "rfc" | "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return None,
    };
    let millis: f64 = millis.parse().unwrap();
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the recordings count a few days in milliseconds"
    )]
    let nanos = BASE_NANOS.cast_signed() + (millis * 1e6).round() as i64;
    if unit == "rfc" {
        let moment = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
        return Some(moment.to_string());
    }
    Some(nanos.div_euclid(unit_nanos).to_string())
}
