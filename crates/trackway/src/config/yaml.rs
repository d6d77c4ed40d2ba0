//! Reads a YAML file into dotted keys with the line of each.
//!
//! Promises: every value keeps the line it stands on; a list is handed on as JSON. Refuses: nested values in a key,
//! keys without a value, keys given twice, files over [`FILE_BYTES_MAX`], and depth over [`DEPTH_MAX`].

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
    pub value: Result<FileValue, String>,
    /// The line of the value, from 1; 0 when it isn't known.
    pub line: u64,
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileValue {
    /// One value.
    One(String),
    /// A list, as JSON.
    List(String),
}

/// Reads a list that stands alone, such as in a variable: YAML, of which JSON is a part.
pub(crate) fn read_list(text: &str) -> Result<Vec<serde_json::Value>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    match read(text)?.value {
        Value::List(items) => items.into_iter().map(|item| json(item, 0)).collect(),
        _ => Err("is no list; write [] for an empty one".to_owned()),
    }
}

/// A value with all below it, as JSON has it.
fn json(node: Spanned<Value>, depth: usize) -> Result<serde_json::Value, String> {
    if depth >= DEPTH_MAX {
        return Err(TOO_DEEP.to_owned());
    }
    Ok(match node.value {
        Value::Nothing => serde_json::Value::Null,
        Value::Text(text) => text.into(),
        Value::Scalar(scalar) => scalar,
        Value::List(items) => {
            let items = items.into_iter().map(|item| json(item, depth + 1));
            serde_json::Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Section(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, below)| Ok((name, json(below, depth + 1)?)));
            serde_json::Value::Object(fields.collect::<Result<_, String>>()?)
        }
    })
}

/// A value with all below it, and its line from 1; 0 when it isn't known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    /// What it is.
    pub node: TreeNode,
    /// Where it stands.
    pub line: u64,
}

/// What a [`Tree`] is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TreeNode {
    /// Nothing stands there.
    Nothing,
    /// A text, a number or a boolean.
    One(serde_json::Value),
    /// A list.
    List(Vec<Tree>),
    /// Named values in their order.
    Section(Vec<(String, Tree)>),
}

/// Reads the text of a file of others, whatever is in it; the error says where the text is no YAML.
pub(crate) fn read_tree(text: &str) -> Result<Tree, String> {
    if is_blank(text) {
        let node = TreeNode::Nothing;
        return Ok(Tree { node, line: 0 });
    }
    tree(read(text)?, 0)
}

fn tree(read: Spanned<Value>, depth: usize) -> Result<Tree, String> {
    let line = read.referenced.line();
    if depth >= DEPTH_MAX {
        return Err(format!("line {line}: {TOO_DEEP}"));
    }
    let node = match read.value {
        Value::Nothing => TreeNode::Nothing,
        Value::Text(text) => TreeNode::One(text.into()),
        Value::Scalar(scalar) => TreeNode::One(scalar),
        Value::List(items) => {
            let items = items.into_iter().map(|item| tree(item, depth + 1));
            TreeNode::List(items.collect::<Result<_, _>>()?)
        }
        Value::Section(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, below)| Ok((name, tree(below, depth + 1)?)));
            TreeNode::Section(fields.collect::<Result<_, String>>()?)
        }
    };
    Ok(Tree { node, line })
}

/// Nothing but comments.
fn is_blank(text: &str) -> bool {
    text.lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn read(text: &str) -> Result<Spanned<Value>, String> {
    // Only true and false are booleans: `off` and `no` are the words that they are.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let location = error
            .location()
            .map(|at| format!("line {}: ", at.line()))
            .unwrap_or_default();
        let text = error.without_snippet().to_string();
        format!("{location}{}", text.lines().next().unwrap_or_default())
    })
}

/// Reads the text of a file; the error says where the text is no YAML.
pub(crate) fn read_keys(text: &str) -> Result<Vec<FileKey>, String> {
    let mut keys = Vec::new();
    if is_blank(text) {
        return Ok(keys);
    }
    let root = read(text)?;
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
        Value::Text(text) => Ok(FileValue::One(text)),
        Value::Scalar(scalar) => Ok(FileValue::One(match scalar.as_f64() {
            // As it is read elsewhere: 1, not 1.0.
            Some(number) if scalar.is_f64() => number.to_string(),
            _ => scalar.to_string(),
        })),
        // An empty section is what stays when all its keys are commented out.
        Value::Nothing => Err(NO_VALUE.to_owned()),
        Value::List(items) => {
            let items: Result<Vec<_>, _> = items.into_iter().map(|item| json(item, 1)).collect();
            items.map(|items| FileValue::List(serde_json::Value::Array(items).to_string()))
        }
        Value::Section(_) => Err(TOO_DEEP.to_owned()),
    };
    keys.push(FileKey { path, value, line });
}

/// What is wrong with a key behind whose colon nothing stands.
pub(crate) const NO_VALUE: &str = "has no value; write one, or leave the key out for its default";

/// What is wrong with a key that gives a list and takes one value.
pub(crate) const LIST: &str = "is a list; it takes one value";
const TOO_DEEP: &str = "is nested too deeply";

enum Value {
    Nothing,
    Text(String),
    /// A boolean or a number.
    Scalar(serde_json::Value),
    List(Vec<Spanned<Value>>),
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

macro_rules! visit_scalar {
    ($($visit:ident $kind:ty),+) => { $(
        fn $visit<E>(self, value: $kind) -> Result<Value, E> { Ok(Value::Scalar(value.into())) }
    )+ };
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a section")
    }

    visit_text!(visit_u128 u128, visit_i128 i128, visit_str &str);
    visit_scalar!(visit_bool bool, visit_u64 u64, visit_i64 i64);

    /// JSON has no number for what is infinite or none.
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(serde_json::Number::from_f64(value).map_or_else(
            || Value::Text(value.to_string()),
            |number| Value::Scalar(serde_json::Value::Number(number)),
        ))
    }

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
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<Spanned<Value>>()? {
            items.push(item);
        }
        Ok(Value::List(items))
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
            value: Ok(FileValue::One(value.to_owned())),
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
        let keys = read_keys("store:\n  dir:\n  retention: [1, off, {a: true, b: 0.5}]\n").unwrap();
        assert!(keys[0].value.as_ref().unwrap_err().contains("has no value"));
        let list = FileValue::List(r#"[1,"off",{"a":true,"b":0.5}]"#.to_owned());
        assert_eq!(keys[1].value, Ok(list));
    }

    #[test]
    fn a_list_is_yaml_or_json_and_bounded_in_depth() {
        let list = r#"[{"filter":{"drop":"{ }"}}]"#;
        let as_yaml = "- filter:\n    drop: '{ }'\n";
        assert_eq!(read_list(list).unwrap(), read_list(as_yaml).unwrap());
        assert_eq!(read_list("[]").unwrap(), read_list(" ").unwrap());
        assert!(read_list("filter: 1").unwrap_err().contains("is no list"));
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        assert!(read_list(&deep).is_err());
    }
}
