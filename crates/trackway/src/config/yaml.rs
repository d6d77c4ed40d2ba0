//! Reads a YAML file into dotted keys with the line of each.
//!
//! Promises: every value keeps the line it stands on. Refuses: lists and nested values in a key, keys without a value,
//! keys given twice, files over [`FILE_BYTES_MAX`], and depth over [`DEPTH_MAX`].

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A configuration is a page or two; more is a file that was named by mistake.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;
/// The tree has three levels; the reader stops long before its own stack does.
const DEPTH_MAX: usize = 16;

/// A key of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileKey {
    /// The dotted path.
    pub path: String,
    /// The value, or why it is none.
    pub value: Result<String, String>,
    /// The line of the value, from 1; 0 when it isn't known.
    pub line: u64,
}

/// Reads the text of a file; the error says where the text is no YAML.
pub(crate) fn read_keys(text: &str) -> Result<Vec<FileKey>, String> {
    let mut keys = Vec::new();
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(keys);
    }
    // Only true and false are booleans: `off` and `no` are the words that they are.
    let options = serde_saphyr::options! { strict_booleans: true };
    let root: Spanned<Value> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let location = error
                .location()
                .map(|at| format!("line {}: ", at.line()))
                .unwrap_or_default();
            let text = error.without_snippet().to_string();
            format!("{location}{}", text.lines().next().unwrap_or_default())
        })?;
    match root.value {
        Value::Section(_) => flatten(String::new(), root, 0, &mut keys),
        Value::Nothing => {}
        _ => {
            return Err(
                "the file holds no sections; begin with a section such as \"store:\"".to_owned(),
            );
        }
    }
    Ok(keys)
}

fn flatten(path: String, node: Spanned<Value>, depth: usize, keys: &mut Vec<FileKey>) {
    let line = node.referenced.line();
    let value = match node.value {
        Value::Section(fields) if depth < DEPTH_MAX => {
            for (name, below) in fields {
                flatten(super::node::join(&path, &name), below, depth + 1, keys);
            }
            return;
        }
        Value::Text(text) => Ok(text),
        // An empty section is what stays when all its keys are commented out.
        Value::Nothing => Err(NO_VALUE.to_owned()),
        Value::List => Err("is a list; it takes one value".to_owned()),
        Value::Section(_) => Err("is nested too deeply".to_owned()),
    };
    keys.push(FileKey { path, value, line });
}

/// What is wrong with a key behind whose colon nothing stands.
pub(crate) const NO_VALUE: &str = "has no value; write one, or leave the key out for its default";

enum Value {
    Nothing,
    Text(String),
    List,
    Section(Vec<(String, Spanned<Value>)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

macro_rules! visit_text {
    ($($visit:ident $kind:ty),+) => { $(
        fn $visit<E>(self, value: $kind) -> Result<Value, E> { Ok(Value::Text(value.to_string())) }
    )+ };
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a section")
    }

    visit_text!(visit_bool bool, visit_u64 u64, visit_i64 i64, visit_f64 f64, visit_u128 u128, visit_i128 i128,
                visit_str &str);

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Value::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry::<String, Spanned<Value>>()? {
            fields.push(field);
        }
        Ok(Value::Section(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str, value: &str, line: u64) -> FileKey {
        FileKey {
            path: path.to_owned(),
            value: Ok(value.to_owned()),
            line,
        }
    }

    #[test]
    fn gives_every_key_with_its_line() {
        let text = "# a comment\nlisten:\n  otlp_http: 4318\n  health: off\nstore:\n  retention:\n    age: 30d\n    \
                    bytes: 80%\nlog: {level: debug}\n";
        let expected = [
            key("listen.otlp_http", "4318", 3),
            key("listen.health", "off", 4),
            key("store.retention.age", "30d", 7),
            key("store.retention.bytes", "80%", 8),
            key("log.level", "debug", 9),
        ];
        assert_eq!(read_keys(text).unwrap(), expected);
    }

    #[test]
    fn takes_an_empty_file_and_a_file_of_comments() {
        assert_eq!(read_keys("").unwrap(), []);
        assert_eq!(read_keys("# nothing here\n\n  # at all\n").unwrap(), []);
    }

    #[test]
    fn says_where_the_text_is_no_yaml_and_which_key_is_given_twice() {
        assert!(
            read_keys("store:\n  dir: [unclosed\n")
                .unwrap_err()
                .contains("line ")
        );
        let twice = read_keys("store:\n  dir: a\n  dir: b\n").unwrap_err();
        assert!(twice.contains("dir"), "{twice}");
        assert!(read_keys("just words").is_err());
    }

    #[test]
    fn tells_lists_and_missing_values_from_values() {
        let keys = read_keys("store:\n  dir:\n  retention: [1, 2]\n").unwrap();
        assert!(keys[0].value.as_ref().unwrap_err().contains("has no value"));
        assert!(keys[1].value.as_ref().unwrap_err().contains("is a list"));
    }
}
