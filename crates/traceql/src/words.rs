//! What is said of a word that is no field and no value.
//!
//! Promises: where a name of the language is near, it is proposed; else what the place calls for: a text in quotes
//! behind a comparison, an attribute elsewhere. Words of the part of TraceQL that is not supported yet are said to be.

use std::ops::Range;

use crate::ast::{Kind, Status};
use crate::diagnostic::{Diagnostic, Proposal};
use crate::fields::{INTRINSICS, nearest};
use crate::literal::quoted;

/// Fields of Tempo that are not supported yet.
const LATER: [&str; 4] = [
    "parent",
    "nestedSetLeft",
    "nestedSetRight",
    "nestedSetParent",
];
/// How others begin.
const LATER_STARTS: [&str; 3] = ["parent.", "parent:", "span:nested"];

/// Complains about a word.
pub(crate) fn unknown(word: &str, range: &Range<usize>, expects_value: bool) -> Diagnostic {
    let error = |message: String| Diagnostic::error(range, message);
    let proposed = |proposal: &str| format!("\"{word}\" is not known; did you mean {proposal}?");
    let is_later =
        LATER.contains(&word) || LATER_STARTS.iter().any(|start| word.starts_with(start));
    let lower = word.to_ascii_lowercase();
    if is_later {
        error(format!("\"{word}\" is not supported yet"))
    } else if ["null", "none", "undefined"].contains(&lower.as_str()) {
        error(proposed("nil")).propose(range, "nil")
    } else if expects_value {
        match nearest(word, value_words()) {
            Some(value) => error(proposed(value)).propose(range, value),
            None => error(format!(
                "\"{word}\" is no value; texts stand in double quotes"
            ))
            .propose(range, quoted(word)),
        }
    } else if let Some(name) = nearest(word, field_words()) {
        error(proposed(name)).propose(range, name)
    } else if word.contains(':') {
        error(format!(
            "\"{word}\" is no field; attributes have a dot: span.{}",
            behind_colon(word)
        ))
        .propose(range, format!("span.{}", behind_colon(word)))
    } else {
        let proposal = Proposal {
            range: range.clone(),
            text: format!(".{word}"),
            label: format!("write .{word}, the attribute"),
        };
        let message = format!("\"{word}\" is no field; attributes have a dot in front: .{word}");
        Diagnostic {
            proposal: Some(proposal),
            ..error(message)
        }
    }
}

fn behind_colon(word: &str) -> &str {
    word.split_once(':').map_or(word, |(_, name)| name)
}

fn field_words() -> impl Iterator<Item = &'static str> {
    INTRINSICS.iter().flat_map(|row| row.names.iter().copied())
}

fn value_words() -> impl Iterator<Item = &'static str> {
    let words = ["true", "false", "nil", "minInt", "maxInt"];
    let status = Status::ALL.into_iter().map(Status::text);
    let kinds = Kind::ALL.into_iter().map(Kind::text);
    words.into_iter().chain(status).chain(kinds)
}
