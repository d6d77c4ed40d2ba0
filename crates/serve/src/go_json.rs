//! The parameter `tags`: a JSON object of texts, refused in the words of Go's `encoding/json`.
//!
//! Promises: what is no JSON is refused at the same character with the same message as in Go; a key that is given
//! twice keeps its last value; `null` is the empty text. Refuses, with a word, what nests deeper than a parameter can
//! reasonably nest.

use serde_json::Value;

use crate::go_text::push_quoted;

/// The deepest nesting that is looked into.
const DEPTH_MAX: usize = 1_000;

/// Reads an object of texts.
pub(crate) fn parse_text_map(text: &str) -> Result<Vec<(String, String)>, String> {
    Scanner::new(text).check()?;
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let pairs = match value {
        Value::Object(pairs) => pairs,
        Value::Null => return Ok(Vec::new()),
        other => return Err(type_error(&other, "map[string]string")),
    };
    let texts = pairs.into_iter().map(|(key, value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Null => Ok((key, String::new())),
        other => Err(type_error(&other, "string")),
    });
    texts.collect()
}

fn type_error(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {found} into Go value of type {wanted}")
}

/// Walks over a text and stops at the first character that can't stand where it stands.
#[derive(Debug)]
struct Scanner<'a> {
    rest: std::str::Chars<'a>,
    next: Option<char>,
    /// The containers that are open; true for an object.
    open: Vec<bool>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        let mut rest = text.chars();
        let next = rest.next();
        Self {
            rest,
            next,
            open: Vec::new(),
        }
    }

    fn check(mut self) -> Result<(), String> {
        loop {
            self.value()?;
            // A value has ended: the containers around it may end as well, or go on.
            loop {
                self.blanks();
                match (self.open.last(), self.next) {
                    (None, None) => return Ok(()),
                    (None, Some(_)) => return Err(self.unexpected("after top-level value")),
                    (Some(true), Some('}')) | (Some(false), Some(']')) => {
                        self.open.pop();
                        self.step();
                    }
                    (Some(true), Some(',')) => {
                        self.step();
                        self.key()?;
                        break;
                    }
                    (Some(false), Some(',')) => {
                        self.step();
                        break;
                    }
                    (Some(true), _) => return Err(self.unexpected("after object key:value pair")),
                    (Some(false), _) => return Err(self.unexpected("after array element")),
                }
            }
        }
    }

    /// A value up to its end, or up to the first value within it.
    fn value(&mut self) -> Result<(), String> {
        loop {
            self.blanks();
            match self.next {
                Some('{') => {
                    self.enter(true)?;
                    if self.is_empty_container('}') {
                        return Ok(());
                    }
                    self.key()?;
                }
                Some('[') => {
                    self.enter(false)?;
                    if self.is_empty_container(']') {
                        return Ok(());
                    }
                }
                Some('"') => return self.text(),
                Some('-' | '0'..='9') => return self.number(),
                Some('t') => return self.word("true"),
                Some('f') => return self.word("false"),
                Some('n') => return self.word("null"),
                _ => return Err(self.unexpected("looking for beginning of value")),
            }
        }
    }

    fn enter(&mut self, is_object: bool) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err("exceeded max depth".to_owned());
        }
        self.open.push(is_object);
        self.step();
        self.blanks();
        Ok(())
    }

    fn is_empty_container(&mut self, end: char) -> bool {
        let is_empty = self.next == Some(end);
        if is_empty {
            self.open.pop();
            self.step();
        }
        is_empty
    }

    fn key(&mut self) -> Result<(), String> {
        self.blanks();
        if self.next != Some('"') {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        self.text()?;
        self.blanks();
        if self.next != Some(':') {
            return Err(self.unexpected("after object key"));
        }
        self.step();
        Ok(())
    }

    fn text(&mut self) -> Result<(), String> {
        self.step();
        loop {
            match self.next {
                Some('"') => {
                    self.step();
                    return Ok(());
                }
                Some('\\') => {
                    self.step();
                    self.escape()?;
                }
                Some('\0'..='\x1f') | None => return Err(self.unexpected("in string literal")),
                Some(_) => self.step(),
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.next {
            Some('b' | 'f' | 'n' | 'r' | 't' | '\\' | '/' | '"') => self.step(),
            Some('u') => {
                self.step();
                for _ in 0..4 {
                    if !self.next.is_some_and(|c| c.is_ascii_hexdigit()) {
                        return Err(self.unexpected("in \\u hexadecimal character escape"));
                    }
                    self.step();
                }
            }
            _ => return Err(self.unexpected("in string escape code")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        if self.next == Some('-') {
            self.step();
        }
        match self.next {
            Some('0') => self.step(),
            Some('1'..='9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.next == Some('.') {
            self.step();
            if !self.is_at_digit() {
                return Err(self.unexpected("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.next, Some('e' | 'E')) {
            self.step();
            if matches!(self.next, Some('+' | '-')) {
                self.step();
            }
            if !self.is_at_digit() {
                return Err(self.unexpected("in exponent of numeric literal"));
            }
            self.digits();
        }
        Ok(())
    }

    fn is_at_digit(&self) -> bool {
        self.next.is_some_and(|c| c.is_ascii_digit())
    }

    fn digits(&mut self) {
        while self.is_at_digit() {
            self.step();
        }
    }

    fn word(&mut self, word: &str) -> Result<(), String> {
        for expected in word.chars() {
            if self.next != Some(expected) {
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.step();
        }
        Ok(())
    }

    fn blanks(&mut self) {
        while matches!(self.next, Some(' ' | '\t' | '\r' | '\n')) {
            self.step();
        }
    }

    fn step(&mut self) {
        self.next = self.rest.next();
    }

    fn unexpected(&self, place: &str) -> String {
        match self.next {
            None => "unexpected end of JSON input".to_owned(),
            Some('\'') => format!("invalid character '\\'' {place}"),
            Some('"') => format!("invalid character '\"' {place}"),
            Some(c) => {
                let mut quoted = String::new();
                push_quoted(&mut quoted, first_byte(c), '"');
                format!("invalid character '{quoted}' {place}")
            }
        }
    }
}

/// Go looks at bytes, and shows the first byte of a longer character as if it were one.
fn first_byte(c: char) -> char {
    let mut bytes = [0; 4];
    c.encode_utf8(&mut bytes)
        .bytes()
        .next()
        .map_or(c, char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_texts_is_read_with_the_last_of_equal_keys() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let read = parse_text_map(" {\"a\":\"1\", \"b\" : null,\"a\":\"\\u00fc\"} ");
        assert_eq!(read, Ok(vec![pair("a", "ü"), pair("b", "")]));
        assert_eq!(parse_text_map("null"), Ok(Vec::new()));
        assert_eq!(parse_text_map("{}"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_object_of_texts_is_refused_in_go_s_words() {
        let type_error = |found: &str, wanted: &str| {
            format!("json: cannot unmarshal {found} into Go value of type {wanted}")
        };
        let invalid = |what: &str| format!("invalid character {what}");
        let end = "unexpected end of JSON input".to_owned();
        let cases = [
            ("", end.clone()),
            ("{", end.clone()),
            ("{\"n\":", end.clone()),
            ("\"a", end),
            ("[]", type_error("array", "map[string]string")),
            ("\"n\"", type_error("string", "map[string]string")),
            ("1", type_error("number", "map[string]string")),
            ("{\"n\":1.5e3}", type_error("number", "string")),
            ("{\"n\":true}", type_error("bool", "string")),
            ("{\"n\":{\"a\":\"b\"}}", type_error("object", "string")),
            ("{\"n\":\"3\"}x", invalid("'x' after top-level value")),
            ("n=3", invalid("'=' in literal null (expecting 'u')")),
            (
                "{n:1}",
                invalid("'n' looking for beginning of object key string"),
            ),
            ("{\"n\" 1}", invalid("'1' after object key")),
            ("{\"n\":1 2}", invalid("'2' after object key:value pair")),
            (
                "{\"n\":1,}",
                invalid("'}' looking for beginning of object key string"),
            ),
            ("[1 2]", invalid("'2' after array element")),
            (
                "{'n':1}",
                invalid("'\\'' looking for beginning of object key string"),
            ),
            ("\"\\x\"", invalid("'x' in string escape code")),
            (
                "\"\\u00g\"",
                invalid("'g' in \\u hexadecimal character escape"),
            ),
            ("\"\n\"", invalid("'\\n' in string literal")),
            ("-x", invalid("'x' in numeric literal")),
            ("1.x", invalid("'x' after decimal point in numeric literal")),
            ("1ex", invalid("'x' in exponent of numeric literal")),
            ("ü", invalid("'Ã' looking for beginning of value")),
        ];
        for (text, message) in cases {
            assert_eq!(parse_text_map(text), Err(message), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        assert!(parse_text_map(&"[".repeat(1_000_000)).is_err());
        assert!(parse_text_map(&"{\"a\":".repeat(900)).is_err());
        let deep = format!("{}1{}", "[".repeat(900), "]".repeat(900));
        assert!(parse_text_map(&deep).is_err());
    }
}
