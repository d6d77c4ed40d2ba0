//! JSON as it is written: members, lists and texts, with commas that come by themselves.

use std::fmt::{Display, Write as _};

/// A JSON text that is being written; commas come by themselves.
pub(crate) struct Json {
    pub(crate) text: String,
    /// Whether nothing stands yet in the container.
    is_first: bool,
}

impl Json {
    /// Goes on with a text: nothing stands yet in its container when it is empty or ends with `[`.
    pub(crate) fn new(text: String) -> Self {
        let is_first = text.is_empty() || text.ends_with('[');
        Self { text, is_first }
    }

    pub(crate) fn separate(&mut self) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.text.push(',');
        }
    }

    /// Writes a member's name; its value must follow.
    pub(crate) fn key(&mut self, name: &str) {
        self.separate();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    pub(crate) fn contained(&mut self, open: char, close: char, write: impl FnOnce(&mut Self)) {
        self.text.push(open);
        self.is_first = true;
        write(self);
        self.is_first = false;
        self.text.push(close);
    }

    pub(crate) fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.contained('{', '}', write);
    }

    pub(crate) fn member_object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.key(name);
        self.object(write);
    }

    /// Writes a member that is a list of objects.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Self, T),
    ) {
        self.key(name);
        self.contained('[', ']', |out| {
            for item in items {
                out.separate();
                out.object(|out| write(out, item));
            }
        });
    }

    pub(crate) fn quoted(&mut self, text: impl Display) {
        // Writing to a String can't fail.
        let _infallible = write!(self.text, "\"{text}\"");
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.text.push('"');
        let mut rest = text;
        while let Some(at) = rest
            .bytes()
            .position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
        {
            let (plain, tail) = rest.split_at(at);
            self.text.push_str(plain);
            let mut characters = tail.chars();
            match characters.next() {
                Some('"') => self.text.push_str("\\\""),
                Some('\\') => self.text.push_str("\\\\"),
                Some('\n') => self.text.push_str("\\n"),
                Some('\r') => self.text.push_str("\\r"),
                Some('\t') => self.text.push_str("\\t"),
                Some(other) => {
                    let _infallible = write!(self.text, "\\u{:04x}", u32::from(other));
                }
                None => {}
            }
            rest = characters.as_str();
        }
        self.text.push_str(rest);
        self.text.push('"');
    }

    pub(crate) fn member_text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.key(name);
            self.string(text);
        }
    }

    pub(crate) fn member_number(&mut self, name: &str, number: impl Into<i64>) {
        let number = number.into();
        if number != 0 {
            self.key(name);
            let _infallible = write!(self.text, "{number}");
        }
    }

    pub(crate) fn member_nanos(&mut self, name: &str, nanos: u64) {
        if nanos != 0 {
            self.key(name);
            self.quoted(nanos);
        }
    }

    pub(crate) fn member_id(&mut self, name: &str, id: impl Display, is_zero: bool) {
        if !is_zero {
            self.key(name);
            self.quoted(id);
        }
    }
}
