//! Words looked for in all that a span holds, as Jaeger's find field means them.
//!
//! Words are split at spaces, double quotes keep them. A span matches when any of them is in its name, its service, or
//! in a key or a value of its attributes, events, resource or scope, in any case, or is its id; leading zeros don't
//! count. `-key` leaves the attributes of a key out.
//!
//! Source: `filterSpans` of jaeger-ui, and its documentation of `uiFind`.

use std::collections::{HashMap, HashSet};

use model::SpanBatch;
use model::batch::{AttrValue, SpanRef};
use plumbing::planted;
use regex::{Regex, RegexBuilder};
use traceql::{Kind, Status};

use super::error::UiError;
use crate::kinds;

/// Characters of a text that is looked for.
const TEXT_MAX: usize = 10_000;

/// What is looked for.
#[derive(Debug)]
pub(super) struct Words {
    /// `None`: nothing.
    any: Option<Regex>,
    /// Lower case, without leading zeros.
    ids: HashSet<String>,
    /// Lower case.
    without_keys: HashSet<String>,
}

impl Words {
    pub(super) fn parse(text: &str) -> Result<Self, UiError> {
        if text.len() > TEXT_MAX {
            let message = format!("the text to find has more than {TEXT_MAX} characters");
            return Err(UiError::bad_request(message));
        }
        let (mut any, mut without_keys) = (Vec::new(), HashSet::new());
        for (word, is_quoted) in split(text) {
            match word.strip_prefix('-').filter(|_| !is_quoted) {
                Some("") => {}
                Some(key) => drop(without_keys.insert(key.to_lowercase())),
                None => any.push(word),
            }
        }
        let ids = any.iter().map(|word| id_of(word));
        let ids = ids.filter(|id| !id.is_empty()).collect();
        let pattern: Vec<String> = any.iter().map(|word| regex::escape(word)).collect();
        let any = (!pattern.is_empty())
            .then(|| {
                RegexBuilder::new(&pattern.join("|"))
                    .case_insensitive(true)
                    .build()
            })
            .transpose()
            .map_err(|error| {
                UiError::bad_request(format!("these words can't be found: {error}"))
            })?;
        Ok(Self {
            any,
            ids,
            without_keys,
        })
    }

    /// The rows of the spans that hold any of the words, ascending.
    pub(super) fn matches(&self, spans: &SpanBatch) -> Vec<usize> {
        let Some(any) = &self.any else {
            return Vec::new();
        };
        let mut look = Look {
            words: self,
            any,
            known: HashMap::new(),
        };
        let holds = spans.iter().filter(|span| look.span(*span));
        holds.map(|span| span.row()).collect()
    }
}

fn id_of(word: &str) -> String {
    word.trim_start_matches('0').to_lowercase()
}

/// The words of a text, and whether each was quoted. A quote that isn't closed reaches to the end.
fn split(text: &str) -> Vec<(&str, bool)> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (word, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
            if !word.is_empty() {
                words.push((word, true));
            }
            rest = behind.trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        words.push((word, false));
        rest = behind.trim_start();
    }
    words
}

/// A look at the spans of a batch, whose texts repeat.
struct Look<'a> {
    words: &'a Words,
    any: &'a Regex,
    /// By place of a text in the batch: whether it holds a word.
    known: HashMap<(usize, usize), bool>,
}

impl Look<'_> {
    fn text(&mut self, text: &str) -> bool {
        let place = (text.as_ptr().addr(), text.len());
        let any = self.any;
        *self
            .known
            .entry(place)
            .or_insert_with(|| any.is_match(text))
    }

    fn attribute(&mut self, key: &str, value: AttrValue<'_>) -> bool {
        let is_left_out = !self.words.without_keys.is_empty()
            && self.words.without_keys.contains(&key.to_lowercase())
            && !planted("ui-find-left-out-keys");
        if is_left_out {
            return false;
        }
        self.text(key)
            || match value {
                AttrValue::String(text) => self.text(text),
                other => self.any.is_match(&other.canonical_text()),
            }
    }

    fn span(&mut self, span: SpanRef<'_>) -> bool {
        let is_error = span.status() == Status::Error.number();
        let kind = kinds::of_number(span.kind()).filter(|kind| *kind != Kind::Unspecified);
        let (resource, scope) = (span.resource(), span.scope());
        self.text(span.name())
            || self.text(span.service())
            || self.text(span.status_message())
            || self.text(scope.name())
            || self.text(scope.version())
            || kind.is_some_and(|kind| self.attribute("span.kind", AttrValue::String(kind.text())))
            || is_error && self.attribute("error", AttrValue::Bool(true))
            || span.attributes().any(|of| self.attribute(of.key, of.value))
            || resource
                .attributes()
                .any(|of| self.attribute(of.key, of.value))
            || scope
                .attributes()
                .any(|of| self.attribute(of.key, of.value))
            || span.events().any(|event| {
                self.text(event.name())
                    || event
                        .attributes()
                        .any(|of| self.attribute(of.key, of.value))
            })
            || self.words.ids.contains(&id_of(&span.span_id().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_at_spaces_and_quotes_keep_them() {
        assert_eq!(
            split(" a  \"b c\" -d \"-e\" \"\" \"f g"),
            [
                ("a", false),
                ("b c", true),
                ("-d", false),
                ("-e", true),
                ("f g", true)
            ]
        );
        assert_eq!(split("  "), []);
    }

    #[test]
    fn what_finds_nothing_is_no_mistake_and_what_is_too_long_is() {
        for text in ["", "-", "-key", "\"\""] {
            assert!(Words::parse(text).unwrap().any.is_none(), "{text:?}");
        }
        assert!(Words::parse(&"x".repeat(TEXT_MAX)).is_ok());
        assert!(Words::parse(&"x".repeat(TEXT_MAX + 1)).is_err());
        assert!(
            Words::parse("(*[").unwrap().any.is_some(),
            "words are no patterns"
        );
    }
}
