//! Tables that say of every key of a component how it is carried over, and the walk along them.
//!
//! A row is a key's path below the component, what Jaeger takes where the file says nothing (empty where that is what
//! Trackway takes as well, or where nothing follows from it), and how it is carried over.
//!
//! Promises: a key that is in no row is told as unknown, with the nearest name that there is; a value that is none of
//! Trackway's key is told with what would be right.

use std::collections::BTreeMap;

use super::report::{Place, Report, is_secret};
use super::tree::{Item, Node};
use crate::config::{Config, Draft, nearest};

/// A key, what it is where nothing is said, and how it is carried over.
pub(super) type Row = (&'static str, &'static str, How);

/// What a text becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This value.
    Is(String),
    /// What is so anyway.
    Unsaid,
    /// It can't be carried over; this is why.
    Wrong(&'static str),
}

impl Meaning {
    /// This value.
    pub(super) fn is(text: &str) -> Self {
        Self::Is(text.to_owned())
    }
}

/// How a text is read.
pub(super) type Reading = fn(&str) -> Meaning;

/// How a key is carried over. What is said of a section is said of all below it.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    /// The key of this name has the same value.
    Key(&'static str),
    /// The key of this name has a value that is made of it.
    With(&'static str, Reading),
    /// Nothing needs to be said: it changes nothing that anybody could miss.
    Quiet,
    /// Nothing is missing, but this is worth knowing.
    Note(&'static str),
    /// It is missing; this is why, and what to do instead.
    Lost(&'static str),
    /// The same, unless it has this value.
    LostUnless(&'static str, &'static str),
    /// The keys below are those of another table, for Trackway's keys below this one.
    Below(&'static [Row], &'static str),
    /// What handles the component as a whole has read it.
    Elsewhere,
}

/// A key's value in the making.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The value.
    pub text: String,
    /// What it came from.
    pub place: Place,
}

/// What has been understood so far.
#[derive(Debug)]
pub(super) struct Importer {
    /// Values by Trackway's keys.
    pub given: BTreeMap<String, Given>,
    /// What there is to say.
    pub report: Report,
    /// What judges values.
    scratch: Draft,
}

impl Importer {
    /// Nothing is understood yet.
    pub(super) fn new() -> Self {
        Self {
            given: BTreeMap::new(),
            report: Report::default(),
            scratch: Draft::new(Config::default()),
        }
    }

    /// Sets a key of Trackway, or says why that can't be.
    pub(super) fn set(&mut self, key: &str, text: impl Into<String>, place: &Place) {
        let text = text.into();
        let before = self.given.get(key).filter(|before| before.text != text);
        if let Some(before) = before.filter(|before| before.place.component() != place.component())
        {
            let why = match is_secret(key) {
                true => format!(
                    "{key} has another value already, from {}",
                    before.place.path
                ),
                false => format!(
                    "{key} is {} already, from {}",
                    before.text, before.place.path
                ),
            };
            return self.lost(place, why);
        }
        match self.scratch.set(key, &text) {
            Ok(()) => {
                let place = place.clone();
                self.given.insert(key.to_owned(), Given { text, place });
            }
            Err(why) if is_secret(&place.path) || place.shown.contains("***") => {
                let _hidden = why;
                self.lost(place, format!("this is no value of {key}"));
            }
            Err(why) => self.lost(place, format!("{key}: {why}")),
        }
    }

    /// The value of a key so far; empty where there is none.
    pub(super) fn value(&self, key: &str) -> &str {
        self.given.get(key).map_or("", |given| given.text.as_str())
    }

    /// Whether a key has a value that the file says nothing of.
    pub(super) fn is_guess(&self, key: &str) -> bool {
        self.given
            .get(key)
            .is_some_and(|given| given.place.line == 0)
    }

    /// Takes a key's value back.
    pub(super) fn take_back(&mut self, key: &str) -> Option<Given> {
        self.given.remove(key)
    }

    /// Behaviour that was asked for is missing.
    pub(super) fn lost(&mut self, place: &Place, why: impl Into<String>) {
        self.report.lost(place.clone(), why);
    }

    /// Something is worth knowing.
    pub(super) fn note(&mut self, place: &Place, why: impl Into<String>) {
        self.report.note(place.clone(), why);
    }

    /// Carries a component over as its table says; `prefix` is the section of Trackway's keys.
    pub(super) fn walk(&mut self, table: &'static [Row], prefix: &str, path: &str, item: &Item) {
        self.walk_below(table, prefix, path, "", item);
        for (name, default, how) in table {
            let is_said = item
                .get(name)
                .is_some_and(|item| !matches!(item.node, Node::Nothing));
            if default.is_empty() || is_said {
                continue;
            }
            let place = Place::missing(&join(path, name));
            let (key, meaning) = match how {
                How::Key(key) => (key, Meaning::is(default)),
                How::With(key, reading) => (key, reading(default)),
                _ => continue,
            };
            if let Meaning::Is(text) = meaning {
                self.set(&join(prefix, key), text, &place);
            }
        }
    }

    fn walk_below(
        &mut self,
        table: &'static [Row],
        prefix: &str,
        path: &str,
        above: &str,
        item: &Item,
    ) {
        for (name, below) in item.fields() {
            let key = join(above, name);
            let full = join(path, &key);
            let exact = table.iter().find(|(known, _, _)| *known == key);
            let begins = |(known, _, _): &Row| known.starts_with(&format!("{key}."));
            match exact {
                Some((_, _, how)) => self.take(*how, prefix, &full, below),
                None if table.iter().any(begins) => match &below.node {
                    Node::Section(_) => self.walk_below(table, prefix, path, &key, below),
                    Node::Nothing => {}
                    _ => self.lost(
                        &Place::of(&full, below),
                        "this is a section of keys, not a value",
                    ),
                },
                None => {
                    let known = table.iter().map(|(known, _, _)| *known);
                    self.unknown(&full, &key, below, known);
                }
            }
        }
    }

    /// Says that nobody knows a key.
    pub(super) fn unknown<'a>(
        &mut self,
        full: &str,
        key: &str,
        item: &Item,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let guess = match nearest(key, known) {
            Some(near) => format!(": perhaps a typo of {near}"),
            None => String::new(),
        };
        let why = format!("unknown to Jaeger's configuration{guess}");
        self.lost(&Place::of(full, item), why);
    }

    fn take(&mut self, how: How, prefix: &str, path: &str, item: &Item) {
        let place = Place::of(path, item);
        match how {
            How::Quiet | How::Elsewhere => {}
            How::Note(why) => self.note(&place, why),
            How::Lost(_) if is_nothing(item) => {}
            How::LostUnless(..) if item.text().is_some_and(|text| text.is_empty()) => {}
            How::LostUnless(..) if matches!(item.node, Node::Nothing) => {}
            How::Lost(why) => self.lost(&place, why),
            How::LostUnless(value, why) => {
                if item.text().as_deref() != Some(value) {
                    self.lost(&place, why);
                }
            }
            How::Below(table, section) => match &item.node {
                Node::Section(_) => self.walk(table, &join(prefix, section), path, item),
                Node::Nothing => {}
                _ => self.lost(&place, "this is a section of keys, not a value"),
            },
            How::Key(key) => self.take_value(&join(prefix, key), Meaning::is, path, item),
            How::With(key, reading) => self.take_value(&join(prefix, key), reading, path, item),
        }
    }

    fn take_value(&mut self, key: &str, reading: Reading, path: &str, item: &Item) {
        let Some(text) = self.text(path, item) else {
            return;
        };
        let place = Place::of(path, item);
        match reading(&text) {
            Meaning::Is(value) => self.set(key, value, &place),
            Meaning::Unsaid => {}
            Meaning::Wrong(why) => self.lost(&place, why),
        }
    }

    /// The text of a value; where there is none that can be used, that is said.
    pub(super) fn text(&mut self, path: &str, item: &Item) -> Option<String> {
        let place = Place::of(path, item);
        if let Some(why) = &item.unknown {
            self.lost(&place, why.clone());
            return None;
        }
        match (item.text(), &item.node) {
            (Some(text), _) => Some(text),
            (None, Node::Nothing) => None,
            (None, Node::List(items)) => {
                let unknown = items.iter().find_map(|item| item.unknown.clone());
                let why = unknown.unwrap_or_else(|| "values are wanted in this list".to_owned());
                self.lost(&place, why);
                None
            }
            (None, _) => {
                self.lost(&place, "this is a value, not a section of keys");
                None
            }
        }
    }
}

/// Nothing is asked for: no value, `false`, `0`, an empty text, list or section.
pub(super) fn is_nothing(item: &Item) -> bool {
    match &item.node {
        Node::Nothing => true,
        Node::List(items) => items.is_empty(),
        Node::Section(fields) => fields.iter().all(|(_, item)| is_nothing(item)),
        Node::One(_) => {
            let text = item.text();
            text.is_some_and(|text| matches!(text.as_str(), "" | "false" | "0" | "0s"))
        }
    }
}

/// Joins two paths, of which either may be empty.
pub(super) fn join(above: &str, below: &str) -> String {
    match (above, below) {
        ("", path) | (path, "") => path.to_owned(),
        _ => format!("{above}.{below}"),
    }
}

/// `true` and `false` as switches.
pub(super) fn switch(text: &str) -> Meaning {
    match text {
        "true" => Meaning::is("on"),
        "false" => Meaning::is("off"),
        "" => Meaning::Unsaid,
        _ => Meaning::Wrong("true or false is wanted"),
    }
}

/// In small letters.
pub(super) fn lower(text: &str) -> Meaning {
    Meaning::Is(text.to_lowercase())
}

/// A text, unless it is empty.
pub(super) fn unless_empty(text: &str) -> Meaning {
    match text.trim() {
        "" => Meaning::Unsaid,
        _ => Meaning::is(text),
    }
}

/// A duration, unless it is none.
pub(super) fn unless_zero(text: &str) -> Meaning {
    match text.trim() {
        "" | "0" | "0s" => Meaning::Unsaid,
        _ => Meaning::is(text),
    }
}

/// A duration of which none means off.
pub(super) fn off_if_zero(text: &str) -> Meaning {
    match text.trim() {
        "" => Meaning::Unsaid,
        "0" | "0s" => Meaning::is("off"),
        other => Meaning::is(other),
    }
}
