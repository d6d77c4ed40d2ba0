//! A configuration that is put together key by key, and printed as a file with only what differs from the defaults.
//!
//! Promises: a value that is no value of its key is refused at once; what is printed is read as the same values.

use super::node::{Node, SetError};
use super::print::yaml_scalar;
use super::yaml::{FileValue, read_keys};
use super::{Config, entries_of};

/// What a secret is printed as elsewhere.
const HIDDEN: &str = "***";

/// A configuration in the making.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    defaults: Config,
    config: Config,
    /// Defaults of others who read the file.
    others: Option<Config>,
    /// Secrets as they were given: the tree prints none.
    secrets: Vec<(String, String)>,
}

impl Draft {
    /// Nothing but defaults.
    pub(crate) fn new(defaults: Config) -> Self {
        Self {
            config: defaults.clone(),
            defaults,
            others: None,
            secrets: Vec::new(),
        }
    }

    /// Sets a key; the error says what would be right.
    pub(crate) fn set(&mut self, path: &str, text: &str) -> Result<(), String> {
        let steps: Vec<&str> = path.split('.').collect();
        self.config.set(&steps, text).map_err(|error| match error {
            SetError::Value(why) => why.lines().collect::<Vec<_>>().join("; "),
            SetError::Unknown | SetError::Section => format!("{path} is no key"),
        })?;
        // Looking up a value describes the whole tree.
        if path.ends_with("password") && self.value(path).as_deref() == Some(HIDDEN) {
            self.secrets.push((path.to_owned(), text.to_owned()));
        }
        Ok(())
    }

    /// Gives a key its default again.
    pub(crate) fn reset(&mut self, path: &str) -> Result<(), String> {
        let default = value_of(&self.defaults, path).unwrap_or_default();
        self.set(path, &default)
    }

    /// Has keys printed, too, that differ from the defaults of others who read the file.
    pub(crate) fn print_over(&mut self, others: Config) {
        self.others = Some(others);
    }

    /// The values.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The value of a key, as it is printed.
    pub(crate) fn value(&self, path: &str) -> Option<String> {
        value_of(&self.config, path)
    }

    /// The keys that differ from the defaults, in the order of the table, with their values.
    pub(crate) fn changes(&self) -> Vec<(String, String)> {
        let defaults = entries_of(&self.defaults);
        let others = entries_of(self.others.as_ref().unwrap_or(&self.defaults));
        let defaults = defaults.into_iter().zip(others);
        let entries = entries_of(&self.config).into_iter().zip(defaults);
        let changed = entries
            .filter(|(now, (default, other))| now.key != default.key || now.key != other.key);
        changed
            .filter_map(|(now, _)| {
                let secret = self
                    .secrets
                    .iter()
                    .rev()
                    .find(|(path, _)| *path == now.path);
                let text = secret.map(|(_, text)| text.clone());
                Some((now.path, text.unwrap_or(now.key?.value)))
            })
            .collect()
    }

    /// The same as a file.
    pub(crate) fn print(&self) -> String {
        let lists: Vec<String> = entries_of(&self.config)
            .into_iter()
            .filter(|entry| entry.key.as_ref().is_some_and(|key| key.is_list))
            .map(|entry| entry.path)
            .collect();
        let mut text = String::new();
        let mut sections: Vec<String> = Vec::new();
        for (path, value) in self.changes() {
            let mut steps: Vec<String> = path.split('.').map(str::to_owned).collect();
            let name = steps.pop().unwrap_or_default();
            let shared = steps
                .iter()
                .zip(&sections)
                .take_while(|(new, open)| new == open);
            let shared = shared.count();
            for (depth, step) in steps.iter().enumerate().skip(shared) {
                text.push_str(&format!("{}{step}:\n", "  ".repeat(depth)));
            }
            let indent = "  ".repeat(steps.len());
            match lists.contains(&path) {
                true => text.push_str(&format!("{indent}{name}:\n{}", items(&indent, &value))),
                false => text.push_str(&format!("{indent}{name}: {}\n", scalar(&value))),
            }
            sections = steps;
        }
        text
    }
}

fn value_of(config: &Config, path: &str) -> Option<String> {
    let entry = entries_of(config)
        .into_iter()
        .find(|entry| entry.path == path);
    entry.and_then(|entry| entry.key).map(|key| key.value)
}

/// A list's items, one a line.
fn items(indent: &str, list: &str) -> String {
    let items: Vec<serde_json::Value> = serde_json::from_str(list).unwrap_or_default();
    let lines = items.iter().map(|item| format!("{indent}  - {item}\n"));
    lines.collect()
}

/// A value as YAML reads it back: what would become a number or nothing is quoted.
fn scalar(text: &str) -> String {
    let plain = yaml_scalar(text);
    let read = read_keys(&format!("key: {plain}")).unwrap_or_default();
    let value = read.into_iter().next().map(|key| key.value);
    match value == Some(Ok(FileValue::One(text.to_owned()))) {
        true => plain,
        false => serde_json::Value::from(text).to_string(),
    }
}
