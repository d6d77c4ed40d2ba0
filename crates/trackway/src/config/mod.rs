//! The configuration: one typed tree, filled from defaults, a YAML file, the environment and flags, in this order.
//!
//! Promises
//! - Every value knows where it came from.
//! - All mistakes are told at once, each with its place, the key's path and what would be right.
//! - An unknown key is a mistake, wherever it stands.
//!
//! Refuses: guessing. A variable is a key only when it has the two underscores of a path (`TRACKWAY_LOG__LEVEL`) or
//! names a key that has no path, for platforms set variables such as `TRACKWAY_PORT` by themselves; one that misses
//! just the second underscore is told.
//!
//! Read next: `tree` and `stores` (the keys), `units` (their kinds), `yaml` (the file), `print` (what people see of
//! it).

mod access;
mod agent;
mod backend;
mod cassandra;
mod draft;
mod jaeger;
mod kafka;
mod nearest;
mod node;
mod print;
mod steps;
mod stores;
mod tail;
mod tree;
mod units;
mod web;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jaeger::Meant;
use node::{Entry, Node, SetError};
use yaml::FileValue;

pub(crate) use agent::{SendCompression, Switch};
pub(crate) use draft::Draft;
pub(crate) use nearest::nearest;
pub(crate) use print::{explain, reference, show};
pub(crate) use stores::BackendKind;
pub(crate) use tree::{Acknowledge, Agent, Config, Listen, LogFormat, PortAccess, Sampling};
#[cfg(test)]
pub(crate) use units::ByteCount;
pub(crate) use units::{Address, Host, Kind, OrOff, PerSecond, Setting, SizeOrAuto, SizeOrShare};

pub(crate) use yaml::{Tree, TreeNode, read_tree};

/// What every variable of ours begins with.
const VARIABLE_PREFIX: &str = "TRACKWAY_";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From the table of keys.
    Default,
    /// From a line of the file; line 0 is not known.
    File(PathBuf, u64),
    /// From an environment variable.
    Variable(String),
    /// From a flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, 0) => write!(f, "{}", path.display()),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A key that a flag sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlagValue {
    /// The key's path.
    pub path: String,
    /// The value.
    pub text: String,
    /// The flag, for messages.
    pub flag: String,
}

/// Everything that may say something about a key but the defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The YAML file.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: Vec<(String, String)>,
    /// The flags, in the order given; later ones win.
    pub flags: Vec<FlagValue>,
}

/// The mistakes of a configuration, one sentence each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .mistakes.join("\n"))]
pub(crate) struct ConfigError {
    /// The mistakes in the order they were found.
    pub mistakes: Vec<String>,
}

/// The configuration and where each value came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The values.
    pub config: Config,
    /// The values where nothing is said.
    defaults: Config,
    origins: BTreeMap<String, Origin>,
    /// Variables of a Jaeger that mean nothing here.
    pub unheeded: Vec<String>,
}

impl Settings {
    /// Fills the tree from the sources.
    pub(crate) fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::load_over(Config::default(), sources)
    }

    /// Fills the tree of a role, whose defaults are its own.
    pub(crate) fn load_over(config: Config, sources: &Sources) -> Result<Self, ConfigError> {
        let mut loader = Loader::default();
        loader.settings.defaults = config.clone();
        loader.settings.config = config;
        if let Some(file) = &sources.file {
            loader.take_file(file);
        }
        loader.take_jaegers_variables(&sources.variables);
        loader.take_variables(&sources.variables);
        let flags = sources
            .flags
            .iter()
            .filter(|_| !plumbing::planted("config-flags-ignored"));
        for flag in flags {
            loader.set(&flag.path, &flag.text, Origin::Flag(flag.flag.clone()));
        }
        loader.finish()
    }

    /// Where the value of a key came from.
    pub(crate) fn origin(&self, path: &str) -> &Origin {
        self.origins.get(path).unwrap_or(&Origin::Default)
    }

    /// All sections and keys in the order of the table.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        entries_of(&self.config)
    }

    /// The same as they are where nothing is said.
    fn default_entries(&self) -> Vec<Entry> {
        entries_of(&self.defaults)
    }
}

fn entries_of(config: &Config) -> Vec<Entry> {
    let mut entries = Vec::new();
    config.describe("", "", &mut entries);
    entries
}

/// The variable that sets a key.
pub(crate) fn variable_name(path: &str) -> String {
    format!(
        "{VARIABLE_PREFIX}{}",
        path.to_uppercase().replace('.', "__")
    )
}

#[derive(Default)]
struct Loader {
    settings: Settings,
    mistakes: Vec<String>,
}

impl Loader {
    fn take_file(&mut self, file: &Path) {
        let keys = read_file(file).and_then(|text| yaml::read_keys(&text));
        let keys = match keys {
            Ok(keys) => keys,
            Err(why) => return self.mistakes.push(format!("{}: {why}", file.display())),
        };
        for key in keys {
            let origin = Origin::File(file.to_owned(), key.line);
            match key.value {
                Ok(FileValue::One(text)) => self.set(&key.path, &text, origin),
                Ok(FileValue::List(list)) if self.takes_list(&key.path) => {
                    self.set(&key.path, &list, origin);
                }
                Ok(FileValue::List(_)) => self.take_no_value(&key.path, yaml::LIST, &origin),
                Err(why) => self.take_no_value(&key.path, &why, &origin),
            }
        }
    }

    fn takes_list(&self, path: &str) -> bool {
        let entries = self.settings.entries();
        let found = entries.into_iter().find(|entry| entry.path == path);
        found
            .and_then(|entry| entry.key)
            .is_some_and(|key| key.is_list)
    }

    /// An empty section is fine, anything else that has no single value is not.
    fn take_no_value(&mut self, path: &str, why: &str, origin: &Origin) {
        let entries = self.settings.entries();
        let found = entries.iter().find(|entry| entry.path == path);
        match found {
            None => self.mistakes.push(unknown(path, origin)),
            Some(entry) if entry.key.is_none() && why == yaml::NO_VALUE => {}
            Some(_) => self.mistakes.push(format!("{origin}: {path} {why}")),
        }
    }

    fn take_jaegers_variables(&mut self, variables: &[(String, String)]) {
        self.settings.unheeded = jaeger::unheeded(variables);
        for meant in jaeger::keys_of(variables) {
            match meant {
                Meant::Key(name, path, text) => {
                    self.set(&path, &text, Origin::Variable(name));
                }
                Meant::Mistake(why) => self.mistakes.push(why),
            }
        }
    }

    fn take_variables(&mut self, variables: &[(String, String)]) {
        let squeezed = |name: &str| name.replace('_', "");
        let names: Vec<String> = entries_of(&Config::default())
            .iter()
            .filter(|entry| entry.key.is_some())
            .map(|entry| variable_name(&entry.path))
            .collect();
        for (name, text) in variables {
            let Some(path) = name.strip_prefix(VARIABLE_PREFIX) else {
                continue;
            };
            if path.contains("__") || names.contains(name) {
                let path = path.to_lowercase().replace("__", ".");
                self.set(&path, text, Origin::Variable(name.clone()));
            } else if let Some(meant) = names.iter().find(|known| squeezed(known) == squeezed(name))
            {
                self.mistakes
                    .push(format!("{name}: no such variable; did you mean {meant}?"));
            }
        }
    }

    fn set(&mut self, path: &str, text: &str, origin: Origin) {
        let steps: Vec<&str> = path.split('.').collect();
        match self.settings.config.set(&steps, text) {
            Ok(()) => drop(self.settings.origins.insert(path.to_owned(), origin)),
            Err(SetError::Unknown) => self.mistakes.push(unknown(path, &origin)),
            Err(SetError::Section) => {
                self.mistakes.push(format!(
                    "{origin}: {path} is a section; set one of its keys: {}",
                    below(path)
                ));
            }
            // A list may have many mistakes, one a line.
            Err(SetError::Value(why)) => {
                let told = why.lines().map(|why| format!("{origin}: {path}: {why}"));
                self.mistakes.extend(told);
            }
        }
    }

    fn finish(mut self) -> Result<Settings, ConfigError> {
        if self.mistakes.is_empty() {
            self.mistakes = self.settings.config.contradictions();
        }
        if self.mistakes.is_empty() {
            Ok(self.settings)
        } else {
            Err(ConfigError {
                mistakes: self.mistakes,
            })
        }
    }
}

/// The text of a configuration's file; the error is a sentence without its name.
pub(crate) fn read_file(file: &Path) -> Result<String, String> {
    let size = std::fs::metadata(file)
        .map_err(|error| format!("can't read the configuration: {error}"))?
        .len();
    if size > yaml::FILE_BYTES_MAX {
        return Err(format!(
            "{size} bytes are no configuration (at most {})",
            yaml::FILE_BYTES_MAX
        ));
    }
    std::fs::read_to_string(file).map_err(|error| format!("can't read the configuration: {error}"))
}

fn unknown(path: &str, origin: &Origin) -> String {
    format!("{origin}: unknown key {path}{}", suggestion(path))
}

/// What the reader of an unknown key should try.
fn suggestion(path: &str) -> String {
    let entries = entries_of(&Config::default());
    match nearest::nearest(path, entries.iter().map(|entry| entry.path.as_str())) {
        Some(near) => format!("; did you mean {near}?"),
        None => "; `trackway config show` lists all keys".to_owned(),
    }
}

/// The keys of a section.
fn below(section: &str) -> String {
    let prefix = format!("{section}.");
    let entries = entries_of(&Config::default());
    let keys = entries
        .iter()
        .filter(|entry| entry.key.is_some() && entry.path.starts_with(&prefix));
    keys.map(|entry| entry.path.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
