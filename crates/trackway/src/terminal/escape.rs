//! Text of senders made safe for a terminal, and cut to a width.
//!
//! Promises: no control character, no direction override and no line break comes through; what was there is still
//! readable (`\n`, `\x1b`, `\u{202e}`). Refuses: exact widths for every script; wide East Asian letters count two
//! columns and combining marks none, anything else one.

use std::borrow::Cow;

/// The text with every character that could command the terminal written out.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(commands) || plumbing::planted("terminal-escape-skipped") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            _ if commands(letter) && u32::from(letter) < 0x100 => {
                safe.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            _ if commands(letter) => safe.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            _ => safe.push(letter),
        }
    }
    Cow::Owned(safe)
}

/// Control characters, overrides of the writing direction, separators of lines, and invisible marks at the edges.
fn commands(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The columns that a text takes.
pub(crate) fn width_of(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(letter: char) -> usize {
    match u32::from(letter) {
        0x0300..=0x036f
        | 0x0483..=0x0489
        | 0x0591..=0x05bd
        | 0x064b..=0x065f
        | 0x200b..=0x200d
        | 0x20d0..=0x20f0
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The text in exactly `columns` columns: cut with an ellipsis, or filled with blanks.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns).into_owned();
    let taken = width_of(&out);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(taken)));
    out
}

fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width_of(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut taken = 0;
    let mut out = String::new();
    for letter in text.chars() {
        taken += columns_of(letter);
        if taken >= columns {
            break;
        }
        out.push(letter);
    }
    if columns > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_out_everything_that_commands_a_terminal() {
        assert_eq!(escaped("a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(escaped("\u{9b}31m\x07\x7f"), "\\x9b31m\\x07\\x7f");
        assert_eq!(escaped("one\r\ntwo\tthree"), "one\\r\\ntwo\\tthree");
        assert_eq!(escaped("\u{202e}evil\u{2066}"), "\\u{202e}evil\\u{2066}");
        assert!(matches!(escaped("größe 注文"), Cow::Borrowed("größe 注文")));
    }

    #[test]
    fn cuts_and_fills_to_exactly_the_columns() {
        assert_eq!(fitted("abc", 5), "abc  ");
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("注文です", 5), "注文…");
        assert_eq!(width_of(&fitted("注文です", 6)), 6);
        assert_eq!(fitted("abc", 0), "");
    }
}
