//! A JSON text as a tape: a flat list of its values in their order, each knowing where it ends.
//!
//! A tree reader recurses, and the usual library stops at 128 levels, while 64 levels of OTLP's nested values are 256
//! levels of JSON. The tape is made in one pass without recursion, and reading it jumps over what is of no interest.
//!
//! Promises
//! - What RFC 8259 calls JSON is accepted, nothing else is, with two exceptions that come from senders in the wild: a
//!   byte order mark at the front is passed over, and texts may hold bytes that are no UTF-8 and halves of surrogate
//!   pairs; both are repaired with U+FFFD when the text is read.
//! - Time is linear, the stack constant, and memory at most [`TOKEN_BYTES`] for every four bytes of text.
//!
//! Refuses: more than [`JSON_DEPTH_MAX`] levels, texts of 4 GiB, texts that are denser than OTLP/JSON can be.

use std::borrow::Cow;

use crate::DecodeError;

/// Levels of objects and arrays. OTLP's deepest value takes 64 × 4, its envelopes 10.
pub(crate) const JSON_DEPTH_MAX: usize = 512;
/// Memory of a token.
const TOKEN_BYTES: usize = size_of::<Token>();
/// OTLP's names are long: its densest JSON has a token on every five bytes.
const BYTES_PER_TOKEN_MIN: usize = 4;
/// Spans of services have a token on about so many bytes, without spaces.
const BYTES_PER_TOKEN_USUAL: usize = 12;
/// Tokens that every text may have.
const TOKENS_MIN: usize = 65_536;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    /// A text with backslashes.
    EscapedText,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    /// The bytes of the value; those between the quotes of a text. A container's end is not known.
    start: u32,
    end: u32,
    /// The token after this value and all that is in it.
    next: u32,
    kind: Kind,
}

/// A JSON text, cut into tokens.
#[derive(Debug)]
pub(crate) struct Tape<'a> {
    text: &'a [u8],
    tokens: Vec<Token>,
}

/// A value of the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    tape: &'a Tape<'a>,
    index: usize,
}

impl<'a> Tape<'a> {
    /// Cuts a text.
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, DecodeError> {
        let tokens = Vec::with_capacity(text.len() / BYTES_PER_TOKEN_USUAL);
        let scanner = Scanner {
            text,
            at: 0,
            tokens,
            open: Vec::new(),
        };
        Ok(Self {
            text,
            tokens: scanner.run()?,
        })
    }

    /// The value that the whole text is.
    pub(crate) fn root(&'a self) -> Node<'a> {
        Node {
            tape: self,
            index: 0,
        }
    }

    #[inline]
    fn token(&self, index: usize) -> Token {
        let end = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        self.tokens.get(index).copied().unwrap_or(Token {
            start: 0,
            end: 0,
            next: end,
            kind: Kind::Null,
        })
    }
}

impl<'a> Node<'a> {
    /// What it is.
    pub(crate) fn kind(self) -> Kind {
        self.tape.token(self.index).kind
    }

    /// Tells whether it is `null`, which means absent.
    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Where it is in the text; later values have larger places.
    pub(crate) fn byte(self) -> usize {
        self.tape.token(self.index).start as usize
    }

    /// The bytes of a number or of a text as it was written.
    pub(crate) fn raw(self) -> &'a [u8] {
        let token = self.tape.token(self.index);
        self.tape
            .text
            .get(token.start as usize..token.end as usize)
            .unwrap_or_default()
    }

    /// The text of a text, which may still be no UTF-8, and whether half a surrogate pair had to be repaired.
    pub(crate) fn text(self) -> Option<(Cow<'a, [u8]>, bool)> {
        match self.kind() {
            Kind::Text => Some((Cow::Borrowed(self.raw()), false)),
            Kind::EscapedText => {
                let (text, is_repaired) = unescape(self.raw());
                Some((Cow::Owned(text), is_repaired))
            }
            Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::Array | Kind::Object => {
                None
            }
        }
    }

    /// The keys and values of an object; `None` for anything else.
    pub(crate) fn members(self) -> Option<impl Iterator<Item = (Node<'a>, Node<'a>)>> {
        let mut children = (self.kind() == Kind::Object).then(|| self.children())?;
        Some(std::iter::from_fn(move || {
            Some((children.next()?, children.next()?))
        }))
    }

    /// The values of an array; `None` for anything else.
    pub(crate) fn elements(self) -> Option<impl Iterator<Item = Node<'a>>> {
        (self.kind() == Kind::Array).then(|| self.children())
    }

    fn children(self) -> impl Iterator<Item = Node<'a>> {
        let end = self.tape.token(self.index).next as usize;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            let index = next;
            next = self.tape.token(index).next as usize;
            (index < end).then_some(Node {
                tape: self.tape,
                index,
            })
        })
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    /// The containers around the place, by token.
    open: Vec<usize>,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value, or the end of an array that has none.
    FirstValue,
    Key,
    /// A key, or the end of an object that has none.
    FirstKey,
    /// A comma or the end of the container.
    Next,
}

impl Scanner<'_> {
    fn run(mut self) -> Result<Vec<Token>, DecodeError> {
        if u32::try_from(self.text.len()).is_err() {
            return Err(self.broken("the text is longer than 4 GiB"));
        }
        if self.text.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        let mut expect = Expect::Value;
        loop {
            self.skip_space();
            let Some(&byte) = self.text.get(self.at) else {
                return match (expect, self.open.is_empty()) {
                    (Expect::Next, true) => Ok(self.tokens),
                    _ => Err(self.broken("the text ends within a value")),
                };
            };
            expect = self.step(expect, byte)?;
        }
    }

    fn step(&mut self, expect: Expect, byte: u8) -> Result<Expect, DecodeError> {
        match (expect, byte) {
            (Expect::Next, _) if self.open.is_empty() => {
                Err(self.broken("something follows the value"))
            }
            (Expect::Next, b',') => {
                self.at += 1;
                Ok(if self.is_in_object() {
                    Expect::Key
                } else {
                    Expect::Value
                })
            }
            (Expect::Next | Expect::FirstKey, b'}') if self.is_in_object() => self.close(),
            (Expect::Next | Expect::FirstValue, b']') if !self.is_in_object() => self.close(),
            (Expect::Next, _) => {
                Err(self.broken("a comma or the end of the object or array is missing"))
            }
            (Expect::Key | Expect::FirstKey, b'"') => {
                self.string()?;
                self.skip_space();
                if self.text.get(self.at) != Some(&b':') {
                    return Err(self.broken("a colon is missing"));
                }
                self.at += 1;
                Ok(Expect::Value)
            }
            (Expect::Key | Expect::FirstKey, _) => Err(self.broken("a key is missing")),
            (Expect::Value | Expect::FirstValue, b'{') => {
                self.begin(Kind::Object, Expect::FirstKey)
            }
            (Expect::Value | Expect::FirstValue, b'[') => {
                self.begin(Kind::Array, Expect::FirstValue)
            }
            (Expect::Value | Expect::FirstValue, b'"') => self.string().map(|()| Expect::Next),
            (Expect::Value | Expect::FirstValue, _) => self.scalar(byte).map(|()| Expect::Next),
        }
    }

    fn broken(&self, why: &str) -> DecodeError {
        DecodeError::Broken {
            what: "JSON",
            byte: self.at,
            why: why.to_owned(),
        }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn is_in_object(&self) -> bool {
        let container = self.open.last().and_then(|index| self.tokens.get(*index));
        container.is_some_and(|token| token.kind == Kind::Object)
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the text is below 4 GiB, and so is the number of its tokens"
    )]
    fn push(&mut self, kind: Kind, start: usize, end: usize) -> Result<(), DecodeError> {
        let tokens_max = self.text.len() / BYTES_PER_TOKEN_MIN + TOKENS_MIN;
        if self.tokens.len() == tokens_max {
            let memory_bytes_max = tokens_max * TOKEN_BYTES;
            return Err(DecodeError::TooLarge {
                bytes: self.text.len(),
                memory_bytes_max,
            });
        }
        let next = self.tokens.len() as u32 + 1;
        self.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            next,
            kind,
        });
        Ok(())
    }

    fn begin(&mut self, kind: Kind, expect: Expect) -> Result<Expect, DecodeError> {
        if self.open.len() >= JSON_DEPTH_MAX && !plumbing::planted("codec-json-depth-unbounded") {
            return Err(self.broken(&format!(
                "objects and arrays are nested more than {JSON_DEPTH_MAX} levels deep"
            )));
        }
        self.open.push(self.tokens.len());
        self.push(kind, self.at, self.at)?;
        self.at += 1;
        Ok(expect)
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "there are fewer tokens than bytes, which are below 4 GiB"
    )]
    fn close(&mut self) -> Result<Expect, DecodeError> {
        let next = self.tokens.len() as u32;
        let container = self.open.pop().and_then(|index| self.tokens.get_mut(index));
        let Some(container) = container else {
            return Err(self.broken("nothing is open here"));
        };
        container.next = next;
        self.at += 1;
        Ok(Expect::Next)
    }

    fn string(&mut self) -> Result<(), DecodeError> {
        self.at += 1;
        let start = self.at;
        let mut kind = Kind::Text;
        loop {
            self.at += plain_length(self.text.get(self.at..).unwrap_or_default());
            match self.text.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::EscapedText;
                    self.escape()?;
                }
                Some(_) => {
                    return Err(
                        self.broken("a control character stands in a text; it must be escaped")
                    );
                }
                None => return Err(self.broken("the text ends within a text")),
            }
        }
        self.push(kind, start, self.at)?;
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), DecodeError> {
        let length = match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => {
                let digits = self.text.get(self.at + 2..self.at + 6).unwrap_or_default();
                if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(self.broken("\\u is not followed by four hexadecimal digits"));
                }
                6
            }
            _ => {
                return Err(self
                    .broken("a backslash is followed by something that JSON has no meaning for"));
            }
        };
        self.at += length;
        Ok(())
    }

    fn scalar(&mut self, byte: u8) -> Result<(), DecodeError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let (kind, length) = match byte {
            b't' if rest.starts_with(b"true") => (Kind::True, 4),
            b'f' if rest.starts_with(b"false") => (Kind::False, 5),
            b'n' if rest.starts_with(b"null") => (Kind::Null, 4),
            b'-' | b'0'..=b'9' => (Kind::Number, number_length(rest)),
            _ => return Err(self.broken("a value is missing")),
        };
        if length == 0 {
            return Err(self.broken("a number is not written as JSON writes numbers"));
        }
        self.push(kind, self.at, self.at + length)?;
        self.at += length;
        Ok(())
    }
}

/// The number of bytes up to a quote, a backslash or a control character, eight at a time.
fn plain_length(text: &[u8]) -> usize {
    let mut plain = 0;
    let (chunks, rest) = text.as_chunks::<8>();
    for chunk in chunks {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return plain + special.trailing_zeros() as usize / 8;
        }
        plain += 8;
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    plain + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// The highest bit of each of eight bytes that is a quote, a backslash or a control character. Above the first such
/// byte a borrow may set bits for nothing; only the lowest bit is to be trusted.
fn special_bytes(bytes: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let below = |bytes: u64, limit: u64| bytes.wrapping_sub(ONES * limit) & !bytes & HIGHEST;
    let equal = |wanted: u8| below(bytes ^ (ONES * u64::from(wanted)), 1);
    below(bytes, 0x20) | equal(b'"') | equal(b'\\')
}

/// The length of the number at the front; 0 when there is none.
pub(crate) fn number_length(text: &[u8]) -> usize {
    let digits = |from: usize| {
        text.get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match text.get(at) {
        Some(b'0') => 1,
        _ => match digits(at) {
            0 => return 0,
            count => count,
        },
    };
    if text.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return 0,
            count => at += 1 + count,
        }
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + sign) {
            0 => return 0,
            count => at += 1 + sign + count,
        }
    }
    at
}

/// A text without its backslashes, and whether half a surrogate pair had to be repaired. The escapes are well formed.
fn unescape(raw: &[u8]) -> (Vec<u8>, bool) {
    let mut text = Vec::with_capacity(raw.len());
    let mut is_repaired = false;
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let Some((&escaped, tail)) = rest.split_first() else {
            break;
        };
        rest = tail;
        let plain = match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let character = take_escaped_character(&mut rest);
                is_repaired |= character.is_none();
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            other => other,
        };
        text.push(plain);
    }
    (text, is_repaired)
}

/// Takes what follows `\u`: four digits, and the second half of a pair when the first is given. `None` for half a pair.
fn take_escaped_character(rest: &mut &[u8]) -> Option<char> {
    let (first, tail) = hex_unit(rest)?;
    *rest = tail;
    if let Some(character) = char::from_u32(first) {
        return Some(character);
    }
    let second = tail.strip_prefix(b"\\u").and_then(hex_unit);
    let (second, tail) =
        second.filter(|(second, _)| first < 0xdc00 && (0xdc00..0xe000).contains(second))?;
    *rest = tail;
    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn hex_unit(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, tail) = text.split_at_checked(4)?;
    let unit = digits.iter().try_fold(0, |unit, digit| {
        Some(unit << 4 | char::from(*digit).to_digit(16)?)
    })?;
    Some((unit, tail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(json: &str) -> (String, bool) {
        let tape = Tape::new(json.as_bytes()).unwrap();
        let (text, is_repaired) = tape.root().text().unwrap();
        (String::from_utf8(text.into_owned()).unwrap(), is_repaired)
    }

    #[test]
    fn escapes_are_read_and_half_pairs_repaired() {
        assert_eq!(
            text_of(r#""a\"\\\/\b\f\n\r\tz\u00e4\u0000""#).0,
            "a\"\\/\u{8}\u{c}\n\r\tzä\0"
        );
        assert_eq!(text_of(r#""\ud83d\ude00""#), ("😀".to_owned(), false));
        assert_eq!(text_of(r#""\ud83d""#), ("\u{fffd}".to_owned(), true));
        assert_eq!(text_of(r#""\ude00x""#), ("\u{fffd}x".to_owned(), true));
        assert_eq!(
            text_of(r#""\ud83d\ud83d\ude00""#),
            ("\u{fffd}😀".to_owned(), true)
        );
        assert_eq!(text_of(r#""\ud83dA""#), ("\u{fffd}A".to_owned(), true));
    }

    #[test]
    fn members_and_elements_are_found_by_jumping() {
        let tape = Tape::new(br#"{"a":[1,{"b":[]},[[]]],"c":{},"d":null}"#).unwrap();
        let members: Vec<_> = tape
            .root()
            .members()
            .unwrap()
            .map(|(key, value)| (key.raw(), value.kind()))
            .collect();
        assert_eq!(
            members,
            [
                (&b"a"[..], Kind::Array),
                (b"c", Kind::Object),
                (b"d", Kind::Null)
            ]
        );
        let (_, list) = tape.root().members().unwrap().next().unwrap();
        let kinds: Vec<_> = list.elements().unwrap().map(Node::kind).collect();
        assert_eq!(kinds, [Kind::Number, Kind::Object, Kind::Array]);
        assert!(list.members().is_none() && tape.root().elements().is_none());
    }

    #[test]
    fn depth_is_bounded_and_costs_no_stack() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Tape::new(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        let error = Tape::new(nested(JSON_DEPTH_MAX + 1).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("512 levels"), "{error}");
        assert!(Tape::new("[".repeat(5_000_000).as_bytes()).is_err());
    }

    #[test]
    fn texts_denser_than_otlp_are_refused_before_they_take_memory() {
        let dense = format!("[{}0]", "0,".repeat(4_000_000));
        assert!(matches!(
            Tape::new(dense.as_bytes()),
            Err(DecodeError::TooLarge {
                bytes: 8_000_003,
                ..
            })
        ));
    }

    fn json_like() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"\\u00e4\"",
            "\"",
            "\\",
            "0",
            "-1",
            "1.5e3",
            "1.",
            "01",
            "-",
            "e",
            "true",
            "false",
            "null",
            "nul",
            " ",
            "\n",
            "\u{1}",
            "ä",
            "\"k\":",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn exactly_json_is_accepted(text in json_like()) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
            prop_assert_eq!(Tape::new(text.as_bytes()).is_ok(), theirs.is_ok(), "{}", text);
        }

        #[test]
        fn any_bytes_are_cut_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _cut = Tape::new(&bytes);
        }
    }
}
