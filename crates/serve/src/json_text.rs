//! Writes JSON as Go's `encoding/json` does: compact, or indented by four blanks.
//!
//! Answers are written by hand into one text: the order of keys is part of what clients have come to expect, and a
//! big trace must not become a tree in memory first.

use std::fmt::Write;

/// Writes a text with its quotes. Like Go's, it escapes `<`, `>`, `&` and the line ends of JavaScript, so that an
/// answer may stand in a page.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    // Most texts have nothing to escape: runs are copied whole.
    let needs_care = |c: char| {
        matches!(
            c,
            '\0'..='\x1f' | '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut rest = text;
    while let Some(at) = rest.find(needs_care) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = from.chars();
        if let Some(c) = chars.next() {
            push_escaped(out, c);
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        _ => push_number(out, format_args!("\\u{:04x}", u32::from(c))),
    }
}

/// Writes what needs no escaping: a number, an id.
pub(crate) fn push_number(out: &mut String, number: impl std::fmt::Display) {
    // Writing to a text can't fail.
    let _infallible = write!(out, "{number}");
}

/// Writes items in brackets.
pub(crate) fn push_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut push_item: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_item(out, item);
    }
    out.push(']');
}

/// The same JSON with line ends and four blanks for each level; empty lists and objects stay together.
pub(crate) fn indent(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0usize;
    let mut chars = compact.chars().peekable();
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    while let Some(c) = chars.next() {
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                out.push(c);
                let mut is_escaped = false;
                for c in chars.by_ref() {
                    out.push(c);
                    match c {
                        '"' if !is_escaped => break,
                        _ => is_escaped = c == '\\' && !is_escaped,
                    }
                }
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_go_escapes_them() {
        let mut out = String::new();
        push_text(&mut out, "a\"b\\<&>\u{1}\u{8}\u{2028}\u{7f}ü\n");
        assert_eq!(
            out,
            "\"a\\\"b\\\\\\u003c\\u0026\\u003e\\u0001\\b\\u2028\u{7f}ü\\n\""
        );
    }

    #[test]
    fn indented_json_keeps_texts_and_empty_lists_together() {
        let compact = r#"{"a":[],"b":{"c":"{,:\\\"[","d":[1,{}]}}"#;
        let expected = [
            "{",
            "    \"a\": [],",
            "    \"b\": {",
            "        \"c\": \"{,:\\\\\\\"[\",",
            "        \"d\": [",
            "            1,",
            "            {}",
            "        ]",
            "    }",
            "}",
        ];
        let expected = expected.join("\n");
        assert_eq!(indent(compact), expected);
    }
}
