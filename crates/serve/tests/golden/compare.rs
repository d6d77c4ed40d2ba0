//! Says how an answer differs from the recorded one.

use serde_json::{Map, Value};

use super::case::Case;
use crate::world::Answer;

/// How many differences of one case are told.
const TOLD_MAX: usize = 12;

impl Case {
    pub(super) fn differences(&self, got: &Answer) -> Vec<String> {
        if self.is_never {
            return if got.status < 500 {
                Vec::new()
            } else {
                vec![format!("status {}", got.status)]
            };
        }
        let want = &self.want;
        let mut told = Vec::new();
        if want.status != got.status {
            told.push(format!(
                "status: want {}, got {}: {}",
                want.status,
                got.status,
                short(&got.text)
            ));
        }
        if want.content_type.replace(' ', "") != got.content_type.replace(' ', "") {
            told.push(format!(
                "content-type: want {:?}, got {:?}",
                want.content_type, got.content_type
            ));
        }
        if want.location != got.location {
            told.push(format!(
                "location: want {:?}, got {:?}",
                want.location, got.location
            ));
        }
        if want.is_index_page && !got.text.contains("<html") {
            told.push(format!("no page: {}", short(&got.text)));
        }
        if self.is_unstable || want.is_index_page {
            return told;
        }
        match &want.json {
            Some(json) => self.compare_json(json, &got.text, &mut told),
            None if want.text.as_deref().unwrap_or_default() != got.text => {
                told.push(format!(
                    "text: want {:?}, got {}",
                    want.text,
                    short(&got.text)
                ));
            }
            None => {}
        }
        told.truncate(TOLD_MAX);
        told
    }

    fn compare_json(&self, want: &Value, got_text: &str, told: &mut Vec<String>) {
        let Ok(got) = serde_json::from_str::<Value>(got_text) else {
            return told.push(format!("no JSON: {}", short(got_text)));
        };
        if self.is_loose {
            compare("$", &loose(want), &loose(&got), told);
        } else if self.is_unordered {
            compare("$", &sorted_below_top(want), &sorted_below_top(&got), told);
        } else {
            compare("$", want, &got, told);
            let text = self.want.text.as_deref();
            if told.is_empty() && text.is_some_and(|text| text != got_text) {
                told.push(format!("same JSON, other text: {got_text}"));
            }
        }
        let (want_bytes, got_bytes) = (self.want.body_bytes, got_text.len() as u64);
        if told.is_empty() && want_bytes.is_some_and(|bytes| bytes != got_bytes) {
            told.push(format!(
                "same JSON, but {got_bytes} bytes and not {want_bytes:?}"
            ));
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

fn sort(values: &mut [Value]) {
    values.sort_by_cached_key(canonical);
}

/// A text that is the same for equal values.
fn canonical(value: &Value) -> String {
    let in_order = |pairs: &Map<String, Value>| {
        let mut pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| format!("{key:?}:{}", canonical(value)))
            .collect();
        pairs.sort();
        format!("{{{}}}", pairs.join(","))
    };
    match value {
        Value::Object(pairs) => in_order(pairs),
        Value::Array(values) => format!(
            "[{}]",
            values.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        other => other.to_string(),
    }
}

fn sorted_below_top(body: &Value) -> Value {
    let mut body = body.clone();
    if let Value::Object(pairs) = &mut body {
        for value in pairs.values_mut() {
            if let Value::Array(values) = value {
                sort(values);
            }
        }
    }
    body
}

/// A trace's meaning: no order of anything; numbers of processes are replaced by the processes.
fn loose(value: &Value) -> Value {
    match value {
        Value::Object(pairs) => {
            let mut pairs = pairs.clone();
            if let (Some(Value::Array(spans)), Some(Value::Object(processes))) =
                (pairs.get("spans").cloned(), pairs.get("processes").cloned())
            {
                let with_process = |mut span: Value| {
                    let number = span["processID"].as_str().unwrap_or_default().to_owned();
                    span["processID"] = processes.get(&number).cloned().unwrap_or_default();
                    span
                };
                pairs.insert(
                    "spans".to_owned(),
                    spans.into_iter().map(with_process).collect(),
                );
                pairs.insert("processes".to_owned(), Value::Null);
            }
            Value::Object(
                pairs
                    .iter()
                    .map(|(key, value)| (key.clone(), loose(value)))
                    .collect(),
            )
        }
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(loose).collect();
            sort(&mut values);
            Value::Array(values)
        }
        other => other.clone(),
    }
}

fn compare(path: &str, want: &Value, got: &Value, told: &mut Vec<String>) {
    if told.len() >= TOLD_MAX {
        return;
    }
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            for (key, value) in want {
                match got.get(key) {
                    Some(other) => compare(&format!("{path}.{key}"), value, other, told),
                    None => told.push(format!(
                        "{path}.{key}: missing, want {}",
                        short(&value.to_string())
                    )),
                }
            }
            for (key, value) in got.iter().filter(|(key, _)| !want.contains_key(*key)) {
                told.push(format!(
                    "{path}.{key}: not wanted, got {}",
                    short(&value.to_string())
                ));
            }
        }
        (Value::Array(want), Value::Array(got)) => {
            if want.len() != got.len() {
                told.push(format!(
                    "{path}: want {} items, got {}",
                    want.len(),
                    got.len()
                ));
            }
            for (index, (want, got)) in want.iter().zip(got).enumerate() {
                compare(&format!("{path}[{index}]"), want, got, told);
            }
        }
        (one, two) if one == two => {}
        // The recordings lost the sign of -0; the length of the text is compared as well.
        (Value::Number(one), Value::Number(two))
            if one.as_f64() == Some(0.0) && two.as_f64() == Some(0.0) => {}
        (want, got) => {
            let (want, got) = (short(&want.to_string()), short(&got.to_string()));
            told.push(format!("{path}: want {want}, got {got}"));
        }
    }
}
