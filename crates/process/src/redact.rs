//! Takes secrets out of spans: values by their keys, and what looks like a secret wherever it stands.
//!
//! Promises
//! - Attributes of resources, scopes, spans, events and links are looked at, in arrays and maps at every depth, and
//!   names, messages of a status and names of events unless the configuration says otherwise.
//! - Numbers and bytes are judged by their text: a card number sent as a number is one.
//! - Of a masked value nothing is kept, not even its length. A hash is keyed (HMAC with SHA-256, 128 bits of it).
//! - Patterns run in linear time and are bounded in size.
//! - The bytes that came are never kept, changed or not: they may hold what is no part of the model, such as fields of
//!   a later version or the first of a field that came twice. Lists are written anew for the same reason.
//!
//! Refuses: keys. A secret that somebody uses as the key of an attribute stays.

use std::borrow::Cow;
use std::fmt;

use model::batch::{AttrValue, SpanBatch};
use model::contract::Processed;
use model::value::ValueType;
use model::value::packed::{array_to_bytes, map_to_bytes};
use model::{Symbol, Value};
use regex::{Regex, RegexBuilder};
use ring::hmac;

use crate::pipeline::{Step, With, apply_rewrite};
use crate::plan::HIDDEN;
use crate::reader::Reader;
use crate::rewrite::{Cell, Fields, Owner, Rewrite, TextOf};

/// What stands where something was masked.
const MASK: &str = "***";
/// Memory of one compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// More patterns are work that no ingest bears.
const PATTERNS_MAX: usize = 200;
/// Bytes of the HMAC that are kept.
const HASH_BYTES: usize = 16;
/// So many places of one text are hashed one by one; a text with more becomes one hash, or it would grow 32-fold.
const HASHES_PER_TEXT_MAX: usize = 64;
/// A shorter salt is guessed as soon as the values are.
const SALT_BYTES_MIN: usize = 16;

/// What is done to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Remove,
    Mask,
    Hash,
}

/// What is taken for a secret, and what becomes of it.
#[derive(Clone)]
pub(crate) struct RedactOptions {
    keys: Option<Regex>,
    patterns: Vec<Regex>,
    action: Action,
    salt: Option<hmac::Key>,
    /// Whether patterns are looked for in names and messages, too.
    has_texts: bool,
}

impl fmt::Debug for RedactOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The salt is a secret.
        f.debug_struct("RedactOptions")
            .field("keys", &self.keys)
            .field("patterns", &self.patterns)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

impl RedactOptions {
    /// Reads the keys of a step.
    pub(crate) fn read(keys: &mut Reader<'_>) -> Option<Self> {
        let words = [
            ("remove", Action::Remove),
            ("mask", Action::Mask),
            ("hash", Action::Hash),
        ];
        let action = keys.word("action", &words).unwrap_or(Action::Mask);
        let salt = read_salt(keys, action);
        let by_key = read_keys(keys);
        let patterns = read_patterns(keys);
        let has_texts = keys.flag("texts", true);
        let is_idle = by_key.is_none() && patterns.is_empty();
        (!is_idle).then_some(Self {
            keys: by_key,
            patterns,
            action,
            salt,
            has_texts,
        })
    }
}

fn read_salt(keys: &mut Reader<'_>, action: Action) -> Option<hmac::Key> {
    match (keys.text("salt"), action) {
        (None, Action::Hash) => {
            keys.complain(
                "salt",
                "is missing; a hash without a secret salt is guessed",
            );
            None
        }
        (Some(salt), Action::Hash) if salt == HIDDEN => {
            keys.complain("salt", "is hidden where it is shown; write the salt itself");
            None
        }
        (Some(salt), Action::Hash) if salt.len() < SALT_BYTES_MIN => {
            keys.complain("salt", format!("write at least {SALT_BYTES_MIN} bytes"));
            None
        }
        (Some(salt), Action::Hash) => Some(hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes())),
        (Some(_), Action::Mask | Action::Remove) => {
            keys.complain("salt", "is for the action hash alone; leave it out");
            None
        }
        (None, Action::Mask | Action::Remove) => None,
    }
}

/// One expression for all keys: exact ones, those with `*` and `?`, and expressions between slashes.
fn read_keys(keys: &mut Reader<'_>) -> Option<Regex> {
    let written = keys.texts("keys");
    let mut all = Vec::with_capacity(written.len());
    for key in &written {
        let between = key.strip_prefix('/').and_then(|key| key.strip_suffix('/'));
        let pattern = match between.map(|pattern| (pattern, compile(pattern))) {
            None => {
                let exact = regex::escape(key).replace(r"\*", ".*").replace(r"\?", ".");
                format!(r"\A(?:{exact})\z")
            }
            Some((pattern, Ok(regex))) if !regex.is_match("") => format!("(?:{pattern})"),
            Some((_, Ok(_))) => {
                keys.complain("keys", format!("{key}: it matches every key"));
                continue;
            }
            Some((_, Err(why))) => {
                keys.complain("keys", format!("{key}: {why}"));
                continue;
            }
        };
        all.push(pattern);
    }
    if all.is_empty() {
        return None;
    }
    // Whoever writes `password` means `Password`, too.
    match compile(&format!("(?is){}", all.join("|"))) {
        Ok(regex) => Some(regex),
        Err(why) => {
            keys.complain("keys", why);
            None
        }
    }
}

fn read_patterns(keys: &mut Reader<'_>) -> Vec<Regex> {
    let mut patterns = Vec::new();
    let written = keys.texts("patterns");
    if written.len() > PATTERNS_MAX {
        keys.complain("patterns", format!("at most {PATTERNS_MAX} can be used"));
    }
    for pattern in written.into_iter().take(PATTERNS_MAX) {
        match compile(pattern) {
            Ok(regex) if regex.is_match("") => {
                let why = format!("{pattern:?} also matches where nothing is; ask for a character");
                keys.complain("patterns", why);
            }
            Ok(regex) => patterns.push(regex),
            Err(why) => keys.complain("patterns", format!("{pattern:?}: {why}")),
        }
    }
    patterns
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it takes more than 1 MiB compiled".to_owned(),
        other => {
            let text = other.to_string();
            // Above the last line the pattern is shown again.
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    })
}

/// What becomes of a value.
enum Verdict {
    /// It is no secret.
    Stays,
    /// It goes.
    Goes,
    /// It becomes another.
    Becomes(Value),
}

impl RedactOptions {
    fn is_secret_key(&self, key: &str) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.is_match(key))
    }

    /// What stands for a secret.
    fn replacement(&self, secret: &str) -> String {
        let Some(key) = self.salt.as_ref().filter(|_| self.action == Action::Hash) else {
            return MASK.to_owned();
        };
        let tag = hmac::sign(key, secret.as_bytes());
        let bytes = tag.as_ref().iter().take(HASH_BYTES);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    /// A text with all that looks like a secret replaced; `None` where nothing does.
    fn without_secrets(&self, text: &str) -> Option<String> {
        let mut clean: Option<String> = None;
        for pattern in &self.patterns {
            let before = clean.as_deref().unwrap_or(text);
            let places = pattern.find_iter(before).take(HASHES_PER_TEXT_MAX + 1);
            if self.action == Action::Hash && places.count() > HASHES_PER_TEXT_MAX {
                return Some(self.replacement(text));
            }
            let after = pattern.replace_all(before, |found: &regex::Captures<'_>| {
                self.replacement(found.get(0).map_or("", |found| found.as_str()))
            });
            if let Cow::Owned(after) = after {
                clean = Some(after);
            }
        }
        clean
    }

    /// Judges a value whose key is no secret's.
    fn judge(&self, value: &Value) -> Verdict {
        match value {
            Value::Array(_) | Value::Map(_) if plumbing::planted("process-lists-not-redacted") => {
                Verdict::Stays
            }
            Value::Array(values) => {
                let parts = values.iter().map(|value| ((), value, self.judge(value)));
                rebuilt(parts, |parts| {
                    Value::Array(parts.into_iter().map(|((), value)| value).collect())
                })
            }
            Value::Map(pairs) => {
                let parts = pairs
                    .iter()
                    .map(|(key, value)| (key.clone(), value, self.judge_pair(key, value)));
                rebuilt(parts, Value::Map)
            }
            Value::Empty | Value::Bool(_) => Verdict::Stays,
            Value::String(text) => self.judge_text(text),
            Value::Bytes(raw) => self.judge_text(&String::from_utf8_lossy(raw)),
            Value::Int(_) | Value::Double(_) => self.judge_text(&value.canonical_text()),
        }
    }

    fn judge_pair(&self, key: &str, value: &Value) -> Verdict {
        if !self.is_secret_key(key) {
            return self.judge(value);
        }
        if self.action == Action::Remove {
            return Verdict::Goes;
        }
        Verdict::Becomes(Value::String(self.replacement(&value.canonical_text())))
    }

    fn judge_text(&self, text: &str) -> Verdict {
        match self.without_secrets(text) {
            None => Verdict::Stays,
            Some(_) if self.action == Action::Remove => Verdict::Goes,
            Some(clean) => Verdict::Becomes(Value::String(clean)),
        }
    }

    /// Tells whether anything of a batch could be a secret; `false` is certain.
    fn may_touch(&self, batch: &SpanBatch) -> bool {
        let looks_so = |text: &str| {
            self.is_secret_key(text) || self.patterns.iter().any(|pattern| pattern.is_match(text))
        };
        let texts = (0..batch.strings().len()).filter_map(|at| u32::try_from(at).ok());
        let mut texts = texts.map(|at| batch.strings().get(Symbol(at)));
        let has_patterns = !self.patterns.is_empty();
        // What is in lists is no text of the batch, and numbers are judged by theirs.
        let is_hidden = |value_type: ValueType| match value_type {
            ValueType::Array | ValueType::Map => true,
            ValueType::Bytes | ValueType::Int | ValueType::Double => has_patterns,
            ValueType::Empty | ValueType::String | ValueType::Bool => false,
        };
        let shapes = (0..batch.shapes().len()).filter_map(|at| u32::try_from(at).ok());
        let mut fields =
            shapes.flat_map(|at| batch.shapes().fields(model::batch::ShapeId(at)).iter());
        fields.any(|field| is_hidden(field.value_type)) || texts.any(looks_so)
    }
}

/// A list put together again, if any of its parts does not stay.
fn rebuilt<'v, K>(
    parts: impl Iterator<Item = (K, &'v Value, Verdict)>,
    make: impl FnOnce(Vec<(K, Value)>) -> Value,
) -> Verdict {
    let mut is_changed = false;
    let mut rest = Vec::new();
    for (key, value, verdict) in parts {
        is_changed |= !matches!(verdict, Verdict::Stays);
        match verdict {
            Verdict::Stays => rest.push((key, value.clone())),
            Verdict::Becomes(other) => rest.push((key, other)),
            Verdict::Goes => {}
        }
    }
    if is_changed {
        Verdict::Becomes(make(rest))
    } else {
        Verdict::Stays
    }
}

/// Whether the bytes of a list hold anything but its values.
fn has_more(old: &AttrValue<'_>, values: &Value) -> bool {
    let mut written = Vec::new();
    match (old, values) {
        (AttrValue::Array(raw), Value::Array(values)) => {
            array_to_bytes(values, &mut written);
            written != *raw
        }
        (AttrValue::Map(raw), Value::Map(pairs)) => {
            map_to_bytes(pairs, &mut written);
            written != *raw
        }
        _ => false,
    }
}

impl Rewrite for RedactOptions {
    fn attributes(&self, _owner: Owner, fields: &mut Fields<'_>) {
        let mut is_changed = false;
        fields.pairs.retain_mut(|pair| {
            let verdict = match &pair.value {
                Cell::Old(AttrValue::String(text)) if !self.is_secret_key(&pair.key) => {
                    self.judge_text(text)
                }
                Cell::Old(old) => {
                    let value = old.to_value();
                    match self.judge_pair(&pair.key, &value) {
                        Verdict::Stays if has_more(old, &value) => Verdict::Becomes(value),
                        verdict => verdict,
                    }
                }
                Cell::New(new) => self.judge_pair(&pair.key, new),
            };
            is_changed |= !matches!(verdict, Verdict::Stays);
            match verdict {
                Verdict::Stays => true,
                Verdict::Goes => false,
                Verdict::Becomes(other) => {
                    pair.value = Cell::New(other);
                    true
                }
            }
        });
        fields.is_changed = is_changed;
    }

    /// A name can't go: what looks like a secret in it is masked then.
    fn text(&self, _of: TextOf, text: &str) -> Option<String> {
        if self.has_texts {
            self.without_secrets(text)
        } else {
            None
        }
    }
}

impl Step for RedactOptions {
    fn apply(&self, _with: &With<'_>, work: &mut Processed) {
        if self.may_touch(&work.batch) {
            apply_rewrite(work, self);
        }
        work.is_changed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> RedactOptions {
        let value = serde_json::from_str(text).unwrap();
        let mut keys = Reader::new("redact".to_owned(), &value);
        let options = RedactOptions::read(&mut keys).unwrap();
        assert_eq!(keys.finish(), Vec::<String>::new());
        options
    }

    #[test]
    fn keys_are_exact_or_have_wildcards_or_are_expressions_that_may_match_a_part() {
        let options = options(r#"{"keys": ["a.b", "*token*", "id?", "/^card_/", "/secret$/"]}"#);
        let secret = [
            "a.b",
            "A.B",
            "token",
            "my.Token.x",
            "id1",
            "card_number",
            "top.secret",
        ];
        let not = [
            "a.bc", "xa.b", "axb", "id", "id12", "my_card_", "secrets", "",
        ];
        assert!(secret.iter().all(|key| options.is_secret_key(key)));
        assert!(not.iter().all(|key| !options.is_secret_key(key)), "{not:?}");
    }

    #[test]
    fn hashes_are_keyed_and_say_nothing_of_the_length() {
        let of = |salt: &str, text: &str| {
            let keys = format!(r#"{{"keys": ["a"], "action": "hash", "salt": "{salt}"}}"#);
            options(&keys).replacement(text)
        };
        let one = of("0123456789abcdef", "ann@example.org");
        assert_eq!(one, of("0123456789abcdef", "ann@example.org"));
        assert_ne!(one, of("0123456789abcdeg", "ann@example.org"));
        assert_ne!(one, of("0123456789abcdef", "ann@example.com"));
        assert_eq!(of("0123456789abcdef", "").len(), one.len());
    }

    #[test]
    fn a_text_of_nothing_but_secrets_does_not_grow() {
        let many = "7".repeat(100_000);
        let hash = r#"{"patterns": ["\\d"], "action": "hash", "salt": "0123456789abcdef"}"#;
        assert_eq!(options(hash).without_secrets(&many).unwrap().len(), 32);
        let few = options(hash).without_secrets("a1b").unwrap();
        assert_eq!((few.len(), options(hash).without_secrets("ab")), (34, None));
        let mask = options(r#"{"patterns": ["\\d"]}"#);
        assert_eq!(mask.without_secrets("a1b22").unwrap(), "a***b******");
    }
}
