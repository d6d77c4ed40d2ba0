//! What an import says beside the configuration: what could not be carried over, and notes.
//!
//! Promises: secrets are never in it; lines stand in the order of the file.

use serde_json::Value;

use super::tree::{Item, Node};

/// The most characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 80;
/// A key with one of these in its name holds a secret.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "token",
    "secret",
    "api_key",
    "apikey",
    "authorization",
    "credential",
    "_pem",
];
/// Keys that have such a word in them and say where a secret is, or how it is used.
const HARMLESS_WORDS: [&str; 7] = [
    "_file",
    "file_path",
    "from_context",
    "interval",
    "propagation",
    "filename",
    "scheme",
];

/// Where a value stands: its path, and its line in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The dotted path.
    pub path: String,
    /// The line; 0 when it isn't known.
    pub line: u64,
    /// The value as it may be shown.
    pub shown: String,
}

impl Place {
    /// The place of a value.
    pub(super) fn of(path: &str, item: &Item) -> Self {
        Self {
            path: path.to_owned(),
            line: item.line,
            shown: shown(path, item),
        }
    }

    /// The place of something with all below it, which is not shown.
    pub(super) fn without_value(path: &str, item: &Item) -> Self {
        Self {
            path: path.to_owned(),
            line: item.line,
            ..Self::default()
        }
    }

    /// The component that it is a part of.
    pub(super) fn component(&self) -> &str {
        let end = self
            .path
            .match_indices('.')
            .nth(1)
            .map_or(self.path.len(), |(at, _)| at);
        self.path.get(..end).unwrap_or_default()
    }

    /// The place of what the file does not say.
    pub(super) fn missing(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    place: Place,
    why: String,
    is_lost: bool,
}

/// All lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// Behaviour that was asked for is missing.
    pub(super) fn lost(&mut self, place: Place, why: impl Into<String>) {
        self.add(place, why.into(), true);
    }

    /// Something is worth knowing, and nothing is missing.
    pub(super) fn note(&mut self, place: Place, why: impl Into<String>) {
        self.add(place, why.into(), false);
    }

    fn add(&mut self, place: Place, why: String, is_lost: bool) {
        let line = Line {
            place,
            why,
            is_lost,
        };
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// The number of what was lost.
    pub(super) fn lost_count(&self) -> usize {
        self.lines.iter().filter(|line| line.is_lost).count()
    }

    /// The lines; `file` is what is in front of each.
    pub(super) fn print(&self, file: &str) -> Vec<String> {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by_key(|line| (!line.is_lost, line.place.line));
        let print = |line: &&Line| {
            let mark = if line.is_lost {
                "not carried over"
            } else {
                "note"
            };
            let at = match line.place.line {
                0 => file.to_owned(),
                number => format!("{file}:{number}"),
            };
            let value = match line.place.shown.as_str() {
                "" => String::new(),
                shown => format!(" = {shown}"),
            };
            one_line(&format!(
                "{mark}: {at}: {}{value}: {}",
                line.place.path, line.why
            ))
        };
        lines.iter().map(print).collect()
    }
}

/// Without what would break a line or steer a terminal.
fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// Whether a key holds a secret.
pub(super) fn is_secret(path: &str) -> bool {
    let path = path.to_lowercase();
    let name = path.rsplit('.').next().unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    (has(&SECRET_WORDS) && !has(&HARMLESS_WORDS))
        || path.contains(".headers.")
        || path.contains("custom_headers")
        || path.ends_with(".headers")
        || path.ends_with("htpasswd.inline")
}

/// A value on one line, without secrets.
fn shown(path: &str, item: &Item) -> String {
    let text = match &item.node {
        Node::Nothing => String::new(),
        Node::One(_) if is_secret(path) => "***".to_owned(),
        Node::One(Value::String(text)) => without_login(text),
        _ => hidden(path, &item.json()).to_string(),
    };
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// The JSON of a value with `***` in the place of secrets.
fn hidden(path: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            // What is written as a pair, such as a header or an attribute.
            let named = ["key", "name"]
                .iter()
                .find_map(|key| fields.get(*key)?.as_str());
            let is_pair = named.is_some_and(is_secret);
            let fields = fields.iter().map(|(name, below)| {
                let below = match is_pair && name == "value" {
                    true => "***".into(),
                    false => hidden(&format!("{path}.{name}"), below),
                };
                (name.clone(), below)
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| hidden(path, item)).collect()),
        Value::Null => Value::Null,
        _ if is_secret(path) => "***".into(),
        Value::String(text) => without_login(text).into(),
        other => other.clone(),
    }
}

/// An address without the user and password in it.
fn without_login(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => text.to_owned(),
    }
}
