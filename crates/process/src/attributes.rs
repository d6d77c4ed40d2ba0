//! Deletes, renames and sets attributes by their exact keys.
//!
//! Promises: in one step deletions come first, then renamings, then insertions (where the key is not there), then what
//! is set in any case; other attributes keep their places.
//! Refuses: patterns for keys: what is changed in a trace is written down key by key.

use std::borrow::Cow;

use model::Value;
use model::contract::Processed;

use crate::pipeline::{Step, With, apply_rewrite};
use crate::reader::Reader;
use crate::rewrite::{Cell, Fields, Owner, Pair, Rewrite};
use crate::{Map, Set};

/// Levels of lists and maps in a value that is set.
const VALUE_DEPTH_MAX: usize = 8;
/// Bytes of all keys and values that one step sets: they are written for every owner anew.
const SET_BYTES_MAX: usize = 1024;

/// The owners by their names.
pub(crate) const OWNERS: [(&str, Owner); 5] = [
    ("resource", Owner::Resource),
    ("scope", Owner::Scope),
    ("span", Owner::Span),
    ("event", Owner::Event),
    ("link", Owner::Link),
];

/// What is done to the attributes of some owners.
#[derive(Debug, Clone)]
pub(crate) struct AttributesOptions {
    on: Vec<Owner>,
    delete: Set<String>,
    rename: Map<String, String>,
    insert: Vec<(String, Value)>,
    upsert: Vec<(String, Value)>,
}

impl AttributesOptions {
    /// Reads the keys of a step.
    pub(crate) fn read(keys: &mut Reader<'_>) -> Option<Self> {
        let on = read_owners(keys);
        let delete = keys
            .texts("delete")
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut rename = Map::default();
        for (from, to) in keys.pairs("rename") {
            match to.as_str().filter(|to| !to.is_empty()) {
                Some(to) => drop(rename.insert(from.to_owned(), to.to_owned())),
                None => keys.complain("rename", format!("{from}: write the new key as a text")),
            }
        }
        let options = Self {
            on,
            delete,
            rename,
            insert: read_values(keys, "insert"),
            upsert: read_values(keys, "upsert"),
        };
        let is_idle = options.delete.is_empty()
            && options.rename.is_empty()
            && options.insert.is_empty()
            && options.upsert.is_empty();
        (!is_idle).then_some(options)
    }
}

/// The owners that a step is about; those of spans where nothing is said.
fn read_owners(keys: &mut Reader<'_>) -> Vec<Owner> {
    let mut owners = Vec::new();
    for name in keys.texts("on") {
        match OWNERS.iter().find(|(known, _)| *known == name) {
            Some((_, owner)) => owners.push(*owner),
            None => {
                let known = OWNERS.map(|(known, _)| known).join(", ");
                keys.complain("on", format!("{name:?} is none of {known}"));
            }
        }
    }
    if owners.is_empty() {
        owners.push(Owner::Span);
    }
    owners
}

fn read_values(keys: &mut Reader<'_>, key: &'static str) -> Vec<(String, Value)> {
    let mut values = Vec::new();
    let pairs = keys.pairs(key);
    let bytes: usize = pairs
        .iter()
        .map(|(name, value)| name.len() + value.to_string().len())
        .sum();
    if bytes > SET_BYTES_MAX {
        keys.complain(
            key,
            format!("takes {bytes} bytes; at most {SET_BYTES_MAX} are put into every span"),
        );
    }
    for (name, written) in pairs {
        match value_of(written, 0) {
            Some(value) => values.push((name.to_owned(), value)),
            None => keys.complain(key, format!("{name}: this is no value of an attribute")),
        }
    }
    values
}

/// A value of a configuration as that of an attribute.
fn value_of(written: &serde_json::Value, depth: usize) -> Option<Value> {
    use serde_json::Value as Json;
    if depth > VALUE_DEPTH_MAX {
        return None;
    }
    Some(match written {
        Json::Null => return None,
        Json::Bool(is) => Value::Bool(*is),
        Json::String(text) => Value::String(text.clone()),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Double(number.as_f64()?),
        },
        Json::Array(items) => {
            let items = items.iter().map(|item| value_of(item, depth + 1));
            Value::Array(items.collect::<Option<_>>()?)
        }
        Json::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| Some((key.clone(), value_of(value, depth + 1)?)));
            Value::Map(pairs.collect::<Option<_>>()?)
        }
    })
}

impl Rewrite for AttributesOptions {
    fn attributes(&self, owner: Owner, fields: &mut Fields<'_>) {
        if !self.on.contains(&owner) {
            return;
        }
        let before = fields.pairs.len();
        fields
            .pairs
            .retain(|pair| !self.delete.contains(pair.key.as_ref()));
        fields.is_changed |= fields.pairs.len() != before;
        self.rename(fields);
        for (key, value) in &self.insert {
            if !fields.pairs.iter().any(|pair| pair.key == *key) {
                put(fields, key, value);
            }
        }
        for (key, value) in &self.upsert {
            match fields.pairs.iter().position(|pair| pair.key == *key) {
                None => put(fields, key, value),
                Some(first) => set(fields, first, value),
            }
        }
    }
}

impl AttributesOptions {
    /// What has the new key already makes way for what is renamed to it.
    fn rename(&self, fields: &mut Fields<'_>) {
        let targets = fields
            .pairs
            .iter()
            .filter_map(|pair| self.rename.get(pair.key.as_ref()));
        let taken: Set<&str> = targets.map(String::as_str).collect();
        if taken.is_empty() {
            return;
        }
        fields.is_changed = true;
        fields.pairs.retain_mut(|pair| {
            if let Some(other) = self.rename.get(pair.key.as_ref()) {
                pair.key = Cow::Owned(other.clone());
                return true;
            }
            !taken.contains(pair.key.as_ref())
        });
    }
}

fn put(fields: &mut Fields<'_>, key: &str, value: &Value) {
    fields.pairs.push(Pair {
        key: Cow::Owned(key.to_owned()),
        value: Cell::New(value.clone()),
    });
    fields.is_changed = true;
}

/// Sets the first of equal keys and takes away the others.
fn set(fields: &mut Fields<'_>, first: usize, value: &Value) {
    let Some(pair) = fields.pairs.get_mut(first) else {
        return;
    };
    let is_there = match &pair.value {
        Cell::Old(old) => old.to_value() == *value,
        Cell::New(new) => new == value,
    };
    if !is_there {
        pair.value = Cell::New(value.clone());
        fields.is_changed = true;
    }
    let key = pair.key.clone();
    let before = fields.pairs.len();
    let mut place = 0;
    fields.pairs.retain(|pair| {
        place += 1;
        place - 1 <= first || pair.key != key
    });
    fields.is_changed |= fields.pairs.len() != before;
}

impl Step for AttributesOptions {
    fn apply(&self, _with: &With<'_>, work: &mut Processed) {
        let strings = work.batch.strings();
        let mut keys = self.delete.iter().chain(self.rename.keys());
        let is_idle = self.insert.is_empty()
            && self.upsert.is_empty()
            && keys.all(|key| strings.find(key).is_none());
        if !is_idle {
            apply_rewrite(work, self);
        }
    }
}
