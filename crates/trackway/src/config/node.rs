//! The tree behind the configuration: sections and keys that are described and set by their dotted path.
//!
//! [`tree!`] makes the structs, their defaults, their descriptions and the way to set a key from one table, so that
//! none of the four can disagree with another.

use super::units::Setting;

/// One section or key of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The dotted path.
    pub path: String,
    /// The documentation.
    pub about: String,
    /// What may be written, and the value now; `None` for a section.
    pub key: Option<KeyEntry>,
}

/// What only a key has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyEntry {
    /// What may be written.
    pub values: &'static str,
    /// The value now.
    pub value: String,
    /// Whether the value is a list, printed as JSON.
    pub is_list: bool,
}

/// Why a key could not be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetError {
    /// There is no such key.
    Unknown,
    /// The path ends at a section.
    Section,
    /// The value is not one of the key's.
    Value(String),
}

/// A section or a key.
pub(crate) trait Node {
    /// Appends the entries of this node and of everything below it, in the order of the table.
    fn describe(&self, path: &str, about: &str, out: &mut Vec<Entry>);

    /// Sets the key that the rest of the path leads to.
    fn set(&mut self, path: &[&str], text: &str) -> Result<(), SetError>;
}

impl<T: Setting> Node for T {
    fn describe(&self, path: &str, about: &str, out: &mut Vec<Entry>) {
        let key = KeyEntry {
            values: T::VALUES,
            value: self.print(),
            is_list: T::IS_LIST,
        };
        out.push(Entry {
            path: path.to_owned(),
            about: about.to_owned(),
            key: Some(key),
        });
    }

    fn set(&mut self, path: &[&str], text: &str) -> Result<(), SetError> {
        if !path.is_empty() {
            return Err(SetError::Unknown);
        }
        *self = T::parse(text).map_err(SetError::Value)?;
        Ok(())
    }
}

/// Joins a section's path and a field's name.
pub(crate) fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

/// Joins the lines of a doc comment.
pub(crate) fn paragraph(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Makes the sections of a configuration tree.
macro_rules! tree {
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    ($(
        $(#[doc = $doc:literal])+
        pub(crate) struct $name:ident { $(
            $(#[doc = $about:literal])+
            $field:ident: $kind:ty $(= $default:expr)?,
        )+ }
    )+) => { $(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name { $( $(#[doc = $about])+ pub $field: $kind, )+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: tree!(@default $($default)?), )+ }
            }
        }

        impl Node for $name {
            fn describe(&self, path: &str, about: &str, out: &mut Vec<Entry>) {
                if !path.is_empty() {
                    out.push(Entry { path: path.to_owned(), about: about.to_owned(), key: None });
                }
                $(
                    let path_below = $crate::config::node::join(path, stringify!($field));
                    self.$field.describe(&path_below, &$crate::config::node::paragraph(&[$($about),+]), out);
                )+
            }

            fn set(&mut self, path: &[&str], text: &str) -> Result<(), SetError> {
                match path {
                    [] => Err(SetError::Section),
                    $( [stringify!($field), rest @ ..] => self.$field.set(rest, text), )+
                    _ => Err(SetError::Unknown),
                }
            }
        }
    )+ };
}
pub(crate) use tree;
