//! The tree of a Collector's configuration, with the environment put in as the Collector does.
//!
//! Promises: every value knows its line, and the variable that it came from; one that is not set and has no default
//! stands as it was written and is marked. Refuses: other sources (`${file:…}`, `${http:…}`), which are marked too.

use serde_json::Value;

use crate::config::{Tree, TreeNode, read_tree};

/// The environment, or what stands for it in tests.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A value with all below it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// What it is.
    pub node: Node,
    /// Its line; 0 when it isn't known.
    pub line: u64,
    /// The variable that it, or a part of it, came from.
    pub variable: Option<String>,
    /// Why it is not known.
    pub unknown: Option<String>,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Nothing stands there.
    Nothing,
    /// A text, a number or a boolean.
    One(Value),
    /// A list.
    List(Vec<Item>),
    /// Named values in their order.
    Section(Vec<(String, Item)>),
}

/// Nothing, where a part of the tree is missing.
pub(super) const NOTHING: Item = Item {
    node: Node::Nothing,
    line: 0,
    variable: None,
    unknown: None,
};

impl Item {
    /// What stands below, by its dotted path.
    pub(super) fn get(&self, path: &str) -> Option<&Self> {
        let fields = self.fields();
        if let Some((_, item)) = fields.iter().find(|(name, _)| name == path) {
            return Some(item);
        }
        let (first, rest) = path.split_once('.')?;
        let (_, item) = fields.iter().find(|(name, _)| name == first)?;
        item.get(rest)
    }

    /// The same, or nothing.
    pub(super) fn at(&self, path: &str) -> &Self {
        self.get(path).unwrap_or(&NOTHING)
    }

    /// The names and values of a section.
    pub(super) fn fields(&self) -> &[(String, Self)] {
        match &self.node {
            Node::Section(fields) => fields,
            _ => &[],
        }
    }

    /// The items of a list; one value is a list of itself, as the Collector reads it.
    pub(super) fn items(&self) -> &[Self] {
        match &self.node {
            Node::List(items) => items,
            Node::One(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// The text of one value, or of a list of such, joined by commas; `None` for all else and for what is not known.
    pub(super) fn text(&self) -> Option<String> {
        if self.unknown.is_some() {
            return None;
        }
        match &self.node {
            Node::One(Value::String(text)) => Some(text.clone()),
            Node::One(value) => Some(number(value)),
            Node::List(items) => {
                let texts: Option<Vec<String>> = items.iter().map(Self::one).collect();
                Some(texts?.join(", "))
            }
            Node::Nothing | Node::Section(_) => None,
        }
    }

    /// The text of one value.
    fn one(&self) -> Option<String> {
        match &self.node {
            Node::One(_) => self.text(),
            _ => None,
        }
    }

    /// The text of a value below; empty where there is none.
    pub(super) fn text_at(&self, path: &str) -> String {
        self.at(path).text().unwrap_or_default()
    }

    /// Whether a value below is `true`.
    pub(super) fn is_true(&self, path: &str) -> bool {
        self.text_at(path) == "true"
    }

    /// The value as JSON.
    pub(super) fn json(&self) -> Value {
        match &self.node {
            Node::Nothing => Value::Null,
            Node::One(value) => value.clone(),
            Node::List(items) => Value::Array(items.iter().map(Self::json).collect()),
            Node::Section(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, item)| (name.clone(), item.json()));
                Value::Object(fields.collect())
            }
        }
    }

    /// The variable that this, or anything below, came from.
    pub(super) fn any_variable(&self) -> Option<&str> {
        let below: Box<dyn Iterator<Item = &Self>> = match &self.node {
            Node::List(items) => Box::new(items.iter()),
            Node::Section(fields) => Box::new(fields.iter().map(|(_, item)| item)),
            _ => Box::new(std::iter::empty()),
        };
        let own = self.variable.as_deref();
        own.or_else(|| below.into_iter().find_map(Self::any_variable))
    }
}

/// A number as it is read elsewhere: 1, not 1.0.
fn number(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() => number.to_string(),
        _ => value.to_string(),
    }
}

/// Reads a file's text and puts the environment in.
pub(super) fn read(text: &str, environment: Environment<'_>) -> Result<Item, String> {
    Ok(expand(read_tree(text)?, environment))
}

fn expand(tree: Tree, environment: Environment<'_>) -> Item {
    let line = tree.line;
    let node = match tree.node {
        TreeNode::Nothing => Node::Nothing,
        TreeNode::One(Value::String(text)) if text.contains('$') => {
            return expanded(&text, line, environment);
        }
        TreeNode::One(value) => Node::One(value),
        TreeNode::List(items) => {
            let items = items.into_iter().map(|item| expand(item, environment));
            Node::List(items.collect())
        }
        TreeNode::Section(fields) => {
            let fields = fields.into_iter();
            Node::Section(
                fields
                    .map(|(name, below)| (name, expand(below, environment)))
                    .collect(),
            )
        }
    };
    Item {
        node,
        line,
        ..NOTHING
    }
}

/// A text with `${…}` in it. One that is nothing else takes the type of the value.
fn expanded(text: &str, line: u64, environment: Environment<'_>) -> Item {
    let mut out = String::new();
    let mut item = Item { line, ..NOTHING };
    let mut parts = 0;
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        parts += usize::from(!before.is_empty());
        if let Some(behind) = behind.strip_prefix("$$") {
            out.push('$');
            (rest, parts) = (behind, parts + 2);
            continue;
        }
        let inside = behind
            .strip_prefix("${")
            .and_then(|inside| inside.split_once('}'));
        let Some((inside, behind)) = inside else {
            out.push('$');
            (rest, parts) = (behind.strip_prefix('$').unwrap_or_default(), parts + 2);
            continue;
        };
        parts += 1;
        rest = behind;
        match value_of(inside, environment) {
            Ok((name, value)) => {
                item.variable = item.variable.or(Some(name));
                out.push_str(&value);
            }
            Err(why) => {
                item.unknown = Some(why);
                out.push_str(&format!("${{{inside}}}"));
            }
        }
    }
    out.push_str(rest);
    parts += usize::from(!rest.is_empty());
    item.node = match item.unknown.is_none() && parts == 1 {
        true => typed(out, &item),
        false => Node::One(out.into()),
    };
    item
}

/// What a variable holds is YAML by itself.
fn typed(text: String, item: &Item) -> Node {
    let Ok(tree) = read_tree(&text) else {
        return Node::One(text.into());
    };
    let variable = &item.variable;
    match mark(tree, item.line, variable).node {
        // A number, an identifier of digits, stays as it was written.
        Node::One(Value::Number(_))
            if read_tree(&text).is_ok_and(|tree| !is_same(&tree, &text)) =>
        {
            Node::One(text.into())
        }
        node => node,
    }
}

fn is_same(tree: &Tree, text: &str) -> bool {
    matches!(&tree.node, TreeNode::One(value) if number(value) == text)
}

/// The tree as it is, all of it from one variable.
fn mark(tree: Tree, line: u64, variable: &Option<String>) -> Item {
    let node = match tree.node {
        TreeNode::Nothing => Node::Nothing,
        TreeNode::One(value) => Node::One(value),
        TreeNode::List(items) => {
            let items = items.into_iter().map(|item| mark(item, line, variable));
            Node::List(items.collect())
        }
        TreeNode::Section(fields) => {
            let fields = fields.into_iter();
            Node::Section(
                fields
                    .map(|(name, below)| (name, mark(below, line, variable)))
                    .collect(),
            )
        }
    };
    Item {
        node,
        line,
        variable: variable.clone(),
        unknown: None,
    }
}

/// The name and the value of what stands between `${` and `}`; the error is a sentence.
fn value_of(inside: &str, environment: Environment<'_>) -> Result<(String, String), String> {
    let name = match inside.split_once(':') {
        Some(("env", name)) => name,
        // A scheme has two letters at least and is no default.
        Some((scheme, rest)) if !rest.starts_with('-') => {
            return Err(format!(
                "values from {scheme:?} are not read; write what it says into the configuration"
            ));
        }
        _ => inside,
    };
    let (name, default) = match name.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (name, None),
    };
    let value = environment(name).or_else(|| default.map(str::to_owned));
    value
        .map(|value| (name.to_owned(), value))
        .ok_or_else(|| format!("the variable {name} is not set and has no default"))
}
