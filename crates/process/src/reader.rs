//! Reads the keys of one step out of what a configuration file holds, and collects what is wrong with them.
//!
//! Promises: a key that nobody asked for is a mistake, and so is a value of another kind; all are told at once, each
//! with the step's number and the key. What was wrong reads as the default, so that reading goes on.

use std::fmt::Display;

use serde_json::{Map, Value};

/// Texts, lists and maps of a step; more is no configuration.
pub(crate) const ITEMS_MAX: usize = 10_000;

/// Reads one map of the configuration.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    path: String,
    map: Option<&'a Map<String, Value>>,
    asked: Vec<&'static str>,
    mistakes: Vec<String>,
}

/// What a value is, for messages.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

impl<'a> Reader<'a> {
    /// Reads a map at a path; nothing at all is an empty map.
    pub(crate) fn new(path: String, value: &'a Value) -> Self {
        let mut mistakes = Vec::new();
        let map = match value {
            Value::Object(map) => Some(map),
            Value::Null => None,
            other => {
                mistakes.push(format!("{path} is {}; write a map of keys", kind_of(other)));
                None
            }
        };
        Self {
            path,
            map,
            asked: Vec::new(),
            mistakes,
        }
    }

    /// Where it reads.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The value of a key, if it is there.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.map
            .and_then(|map| map.get(key))
            .filter(|value| !value.is_null())
    }

    /// Notes what is wrong with a key.
    pub(crate) fn complain(&mut self, key: &str, why: impl Display) {
        self.mistakes.push(format!("{}.{key}: {why}", self.path));
    }

    /// Takes over what another reader found.
    pub(crate) fn absorb(&mut self, mistakes: Vec<String>) {
        self.mistakes.extend(mistakes);
    }

    fn wrong(&mut self, key: &str, value: &Value, wanted: &str) {
        // The value itself may be a secret.
        self.complain(key, format!("{} is no {wanted}", kind_of(value)));
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        match self.value(key)? {
            Value::String(text) => Some(text),
            other => {
                self.wrong(key, other, "text; write one, with quotes if need be");
                None
            }
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.value(key) {
            None => default,
            Some(Value::Bool(is)) => *is,
            Some(other) => {
                self.wrong(key, other, "boolean; write true or false");
                default
            }
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn count(&mut self, key: &'static str, least: u64) -> Option<u64> {
        let value = self.value(key)?;
        let count = value.as_u64().filter(|count| *count >= least);
        if count.is_none() {
            self.complain(key, format!("write a whole number from {least} up"));
        }
        count
    }

    /// A number in a range.
    pub(crate) fn number(&mut self, key: &'static str, range: (f64, f64)) -> Option<f64> {
        let value = self.value(key)?;
        let number = value
            .as_f64()
            .filter(|number| (range.0..=range.1).contains(number));
        if number.is_none() {
            let to = if range.1.is_finite() {
                format!(" to {}", range.1)
            } else {
                " up".to_owned()
            };
            self.complain(key, format!("write a number from {}{to}", range.0));
        }
        number
    }

    /// One of some words, by its place among them.
    pub(crate) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.complain(key, format!("{text:?} is none of {}", known.join(", ")));
        }
        found.map(|(_, meant)| *meant)
    }

    /// A list of texts; a single text is a list of one.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<&'a str> {
        let items = match self.value(key) {
            None => return Vec::new(),
            Some(Value::String(text)) => return vec![text],
            Some(Value::Array(items)) if items.len() <= ITEMS_MAX => items,
            Some(other) => {
                self.wrong(key, other, "list of texts");
                return Vec::new();
            }
        };
        if let Some(odd) = items.iter().find(|item| !item.is_string()) {
            self.wrong(key, odd, "text; every item of the list is one");
        }
        items.iter().filter_map(Value::as_str).collect()
    }

    /// The pairs of a map.
    pub(crate) fn pairs(&mut self, key: &'static str) -> Vec<(&'a str, &'a Value)> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Object(map)) if map.len() <= ITEMS_MAX => map
                .iter()
                .map(|(name, value)| (name.as_str(), value))
                .collect(),
            Some(other) => {
                self.wrong(key, other, "map");
                Vec::new()
            }
        }
    }

    /// What was wrong, unknown keys included.
    pub(crate) fn finish(self) -> Vec<String> {
        let mut mistakes = self.mistakes;
        let keys = self.map.into_iter().flat_map(Map::keys);
        for key in keys.filter(|key| !self.asked.contains(&key.as_str())) {
            let known = self.asked.join(", ");
            mistakes.push(format!(
                "{}: unknown key {key}; it takes {known}",
                self.path
            ));
        }
        mistakes
    }
}
