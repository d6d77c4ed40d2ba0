//! A text in tokens.
//!
//! Promises: every token has its place; tokens don't overlap and come in order; a text of any content is read to its
//! end, and what is wrong in it becomes a diagnostic and, where it is clear what was meant, the token that was meant.
//! An attribute's name runs until white space or one of `{ } ( ) = ~ ! < > & | ^ ,`, as in Tempo, so `span.a-b` is one
//! name.
//!
//! Read next: `parse.rs`.

use std::ops::Range;

use crate::ast::{ArithOp, CompareOp, Field, Kind, Literal, Status};
use crate::diagnostic::Diagnostic;
use crate::fields::{Intrinsic, Scope};
use crate::literal::{duration_nanos, ends_name, quoted, unquoted};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    And,
    Or,
    Not,
    Compare(CompareOp),
    Arith(ArithOp),
    Field(Field),
    Literal(Literal),
    /// A number before a sign is put to it.
    Number(Number),
    /// A word that is no field and no value.
    Word(String),
    /// What belongs to the part of TraceQL that is not supported: `>>`, `|`, `,` and so on.
    Other(&'static str),
    /// What was complained about already.
    Bad,
    End,
}

/// A number without sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(u64),
    Float(f64),
    Duration(u64),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub range: Range<usize>,
}

/// A text that may end in the middle of something.
#[derive(Debug)]
pub(crate) struct Lexed {
    pub tokens: Vec<Token>,
    /// Where a string begins that the text ends in.
    pub open_string: Option<usize>,
    /// Whether the text ends in a comment.
    pub is_in_comment: bool,
    diagnostics: Vec<Diagnostic>,
}

/// Reads a text; the last token is the end.
pub(crate) fn lex(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let lexed = lex_partial(text);
    (lexed.tokens, lexed.diagnostics)
}

/// Reads a text up to a cursor.
pub(crate) fn lex_partial(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        at: 0,
        diagnostics: Vec::new(),
        open_string: None,
        is_in_comment: false,
    };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let start = lexer.at;
        let kind = lexer.token();
        let is_end = kind == TokenKind::End;
        // Each token takes at least a character, or is the end.
        tokens.push(Token {
            kind,
            range: start..lexer.at,
        });
        if is_end {
            return Lexed {
                tokens,
                open_string: lexer.open_string,
                is_in_comment: lexer.is_in_comment,
                diagnostics: lexer.diagnostics,
            };
        }
    }
}

/// Operators, longer ones before those that they begin with.
static OPERATORS: [(&str, TokenKind); 37] = {
    use TokenKind as T;
    [
        ("&>>", T::Other("&>>")),
        ("&<<", T::Other("&<<")),
        ("!>>", T::Other("!>>")),
        ("!<<", T::Other("!<<")),
        ("&&", T::And),
        ("||", T::Or),
        ("!=", T::Compare(CompareOp::NotEqual)),
        ("!~", T::Compare(CompareOp::MatchesNot)),
        ("=~", T::Compare(CompareOp::Matches)),
        ("==", T::Compare(CompareOp::Equal)),
        ("~=", T::Compare(CompareOp::Matches)),
        ("<>", T::Compare(CompareOp::NotEqual)),
        (">=", T::Compare(CompareOp::GreaterOrEqual)),
        ("<=", T::Compare(CompareOp::LessOrEqual)),
        (">>", T::Other(">>")),
        ("<<", T::Other("<<")),
        ("&>", T::Other("&>")),
        ("&<", T::Other("&<")),
        ("&~", T::Other("&~")),
        ("!>", T::Other("!>")),
        ("!<", T::Other("!<")),
        ("=", T::Compare(CompareOp::Equal)),
        (">", T::Compare(CompareOp::Greater)),
        ("<", T::Compare(CompareOp::Less)),
        ("!", T::Not),
        ("+", T::Arith(ArithOp::Add)),
        ("-", T::Arith(ArithOp::Subtract)),
        ("*", T::Arith(ArithOp::Multiply)),
        ("/", T::Arith(ArithOp::Divide)),
        ("%", T::Arith(ArithOp::Remainder)),
        ("^", T::Arith(ArithOp::Power)),
        ("{", T::OpenBrace),
        ("}", T::CloseBrace),
        ("(", T::OpenParen),
        (")", T::CloseParen),
        ("|", T::Other("|")),
        (",", T::Other(",")),
    ]
};

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    diagnostics: Vec<Diagnostic>,
    open_string: Option<usize>,
    is_in_comment: bool,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The bytes from the front for which a test holds.
    fn length(&self, test: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        rest.find(|c| !test(c)).unwrap_or(rest.len())
    }

    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn skip_space(&mut self) {
        loop {
            self.at += self.length(char::is_whitespace);
            let rest = self.rest();
            if rest.starts_with("//") {
                self.is_in_comment = !rest.contains('\n');
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let start = self.at;
                if let Some(end) = comment.find("*/") {
                    self.at += end + 4;
                } else {
                    self.is_in_comment = true;
                    self.at = self.text.len();
                    let end = self.at;
                    let comment = Diagnostic::error(&(start..end), "this comment has no end");
                    self.diagnostics.push(comment.propose(&(end..end), " */"));
                }
            } else {
                return;
            }
        }
    }

    fn token(&mut self) -> TokenKind {
        let Some(first) = self.rest().chars().next() else {
            return TokenKind::End;
        };
        match first {
            '"' => self.string(),
            '`' => self.raw_string(),
            '\'' => self.single_quoted(),
            '.' => {
                self.at += 1;
                self.attribute(Scope::Either)
            }
            '0'..='9' => self.number(),
            c if c == '_' || c.is_alphabetic() => self.word(),
            _ => self.operator(first),
        }
    }

    fn operator(&mut self, first: char) -> TokenKind {
        let start = self.at;
        let found = OPERATORS
            .iter()
            .find(|(text, _)| self.rest().starts_with(text));
        let Some((text, kind)) = found else {
            self.at += first.len_utf8();
            let range = start..self.at;
            if first == '~' {
                return TokenKind::Other("~");
            }
            let error = match first {
                '&' => {
                    Diagnostic::error(&range, "found \"&\", expected \"&&\"").propose(&range, "&&")
                }
                _ => Diagnostic::error(&range, format!("{first:?} means nothing here")),
            };
            self.diagnostics.push(error);
            return match first {
                '&' => TokenKind::And,
                _ => TokenKind::Bad,
            };
        };
        self.at += text.len();
        let range = start..self.at;
        let meant = match *text {
            "==" => "=",
            "~=" => "=~",
            "<>" => "!=",
            _ => return kind.clone(),
        };
        let message = format!("found {text:?}, expected {meant:?}");
        self.diagnostics
            .push(Diagnostic::error(&range, message).propose(&range, meant));
        kind.clone()
    }

    fn string(&mut self) -> TokenKind {
        let start = self.at;
        let inner_start = start + 1;
        let mut is_escaped = false;
        let inner = self.text.get(inner_start..).unwrap_or_default();
        let end = inner.find(|c| {
            let is_end = !is_escaped && matches!(c, '"' | '\n');
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        let is_closed = end.is_some_and(|end| inner.as_bytes().get(end) == Some(&b'"'));
        let inner = inner.get(..end.unwrap_or(inner.len())).unwrap_or_default();
        let inner = if is_closed {
            self.at = inner_start + inner.len() + 1;
            inner
        } else {
            self.unclosed(inner, "\"")
        };
        match unquoted(inner) {
            Ok(text) => TokenKind::Literal(Literal::String(text)),
            Err((range, message)) => {
                let range = inner_start + range.start..inner_start + range.end;
                self.diagnostics.push(Diagnostic::error(&range, message));
                TokenKind::Literal(Literal::String(inner.to_owned()))
            }
        }
    }

    /// A string whose quote is missing ends before the brace that ends its line, if there is one.
    fn unclosed(&mut self, given: &'a str, quote: &str) -> &'a str {
        let trimmed = given.trim_end();
        let inner = trimmed.strip_suffix('}').map_or(trimmed, str::trim_end);
        let start = self.at;
        if start + 1 + given.len() == self.text.len() {
            self.open_string = Some(start);
        }
        self.at = start + 1 + inner.len();
        let end = self.at;
        let message = format!("this string has no end, expected {quote}");
        self.diagnostics
            .push(Diagnostic::error(&(start..end), message).propose(&(end..end), quote));
        inner
    }

    fn raw_string(&mut self) -> TokenKind {
        let start = self.at;
        let inner = self.text.get(start + 1..).unwrap_or_default();
        let inner = if let Some(end) = inner.find('`') {
            self.at = start + 1 + end + 1;
            inner.get(..end).unwrap_or_default()
        } else {
            self.unclosed(inner, "`")
        };
        TokenKind::Literal(Literal::String(inner.replace('\r', "")))
    }

    fn single_quoted(&mut self) -> TokenKind {
        let start = self.at;
        let inner = self.text.get(start + 1..).unwrap_or_default();
        let end = inner.find(['\'', '\n']);
        let is_closed = end.is_some_and(|end| inner.as_bytes().get(end) == Some(&b'\''));
        let inner = if is_closed {
            let inner = inner.get(..end.unwrap_or_default()).unwrap_or_default();
            self.at = start + inner.len() + 2;
            let range = start..self.at;
            let message = "strings stand in double quotes";
            self.diagnostics
                .push(Diagnostic::error(&range, message).propose(&range, quoted(inner)));
            inner
        } else {
            let line = inner.get(..end.unwrap_or(inner.len())).unwrap_or_default();
            self.unclosed(line, "'")
        };
        TokenKind::Literal(Literal::String(inner.to_owned()))
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at;
        let mut length =
            self.length(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | 'µ' | 'μ'));
        let rest = self.rest();
        let written = rest.get(..length).unwrap_or_default();
        // The sign of an exponent belongs to the number: 1e-7.
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let mantissa = written.strip_suffix(['e', 'E']).filter(|text| digits(text));
        if mantissa.is_some()
            && rest
                .get(length..)
                .is_some_and(|rest| rest.starts_with(['+', '-']))
        {
            let behind = rest.get(length + 1..).unwrap_or_default();
            let exponent = behind.find(|c: char| !c.is_ascii_digit());
            length += 1 + exponent.unwrap_or(behind.len());
        }
        let written = self.take(length);
        let range = start..self.at;
        match read_number(written) {
            Ok(number) => TokenKind::Number(number),
            Err(message) => {
                self.diagnostics.push(Diagnostic::error(&range, message));
                TokenKind::Bad
            }
        }
    }

    /// A word: the scope of a field, a field, a value, or nothing known.
    fn word(&mut self) -> TokenKind {
        let start = self.at;
        let length = self.length(|c| c == '_' || c.is_alphanumeric());
        let word = self.take(length);
        let next = self.rest().chars().next();
        if let (Some('.'), Some(scope)) = (next, Scope::from_name(word)) {
            self.at += 1;
            return self.attribute(scope);
        }
        if matches!(next, Some('.' | ':')) {
            return self.scoped_word(start);
        }
        if let Some(intrinsic) = Intrinsic::from_name(word) {
            return TokenKind::Field(Field::Intrinsic(intrinsic));
        }
        if let Some(literal) = literal_of(word) {
            return TokenKind::Literal(literal);
        }
        let logic = match word.to_ascii_lowercase().as_str() {
            "and" => (TokenKind::And, "&&"),
            "or" => (TokenKind::Or, "||"),
            "not" => (TokenKind::Not, "!"),
            _ => return self.unknown_word(start),
        };
        let range = start..self.at;
        let message = format!("found {word:?}, expected {:?}", logic.1);
        self.diagnostics
            .push(Diagnostic::error(&range, message).propose(&range, logic.1));
        logic.0
    }

    /// `span:name`, or something of that form that is not known.
    fn scoped_word(&mut self, start: usize) -> TokenKind {
        let inner = self.rest().get(1..).map_or(0, |rest| {
            let is_end = |c: char| c != '_' && !c.is_alphanumeric();
            rest.find(is_end).unwrap_or(rest.len())
        });
        let end = self.at + 1 + inner;
        let name = self.text.get(start..end).unwrap_or_default();
        if let Some(intrinsic) = Intrinsic::from_name(name) {
            self.at = end;
            return TokenKind::Field(Field::Intrinsic(intrinsic));
        }
        self.unknown_word(start)
    }

    fn unknown_word(&mut self, start: usize) -> TokenKind {
        self.at = start;
        let length = self.length(|c| !ends_name(c) && c != '"');
        TokenKind::Word(self.take(length).to_owned())
    }

    /// The key of an attribute, behind the dot.
    fn attribute(&mut self, scope: Scope) -> TokenKind {
        let start = self.at;
        let mut key = String::new();
        loop {
            let length = self.length(|c| !ends_name(c) && c != '"');
            key.push_str(self.take(length));
            if !self.rest().starts_with('"') {
                break;
            }
            let quote = self.at;
            if !self.quoted_part(&mut key) {
                let end = self.at;
                let message = "this quoted name has no end, expected \"";
                let error = Diagnostic::error(&(quote..end), message);
                self.diagnostics.push(error.propose(&(end..end), "\""));
                break;
            }
        }
        if key.is_empty() {
            let shown = format!("{}.", scope.text());
            let range = start.saturating_sub(shown.len())..self.at;
            let message = format!("expected the name of an attribute behind {shown:?}");
            self.diagnostics.push(Diagnostic::error(&range, message));
        }
        TokenKind::Field(Field::Attribute { scope, key })
    }

    /// A quoted part of a key; false when it has no end.
    fn quoted_part(&mut self, key: &mut String) -> bool {
        let inner = self.rest().get(1..).unwrap_or_default();
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 2;
                    return true;
                }
                '\\' => match chars.clone().next() {
                    Some((_, escaped @ ('"' | '\\'))) => {
                        key.push(escaped);
                        chars.next();
                    }
                    _ => key.push(c),
                },
                c => key.push(c),
            }
        }
        self.at = self.text.len();
        false
    }
}

/// The values that are words.
fn literal_of(word: &str) -> Option<Literal> {
    let status = Status::ALL.into_iter().find(|status| status.text() == word);
    let kind = Kind::ALL.into_iter().find(|kind| kind.text() == word);
    let value = match word {
        "true" => Some(Literal::Bool(true)),
        "false" => Some(Literal::Bool(false)),
        "nil" => Some(Literal::Nil),
        "minInt" => Some(Literal::Int(i64::MIN)),
        "maxInt" => Some(Literal::Int(i64::MAX)),
        _ => None,
    };
    value
        .or_else(|| status.map(Literal::Status))
        .or_else(|| kind.map(Literal::Kind))
}

fn read_number(written: &str) -> Result<Number, String> {
    let is_plain = written.chars().all(|c| c.is_ascii_digit());
    if is_plain {
        if written.len() > 1 && written.starts_with('0') {
            return Err(format!("{written} has a zero in front; write it without"));
        }
        let number = written.parse::<u64>().ok();
        // One more than fits is allowed, for the least number of all, which has a minus before it.
        let number = number.filter(|number| *number <= i64::MAX.unsigned_abs() + 1);
        return number
            .map(Number::Int)
            .ok_or_else(|| format!("{written} is beyond maxInt (9223372036854775807)"));
    }
    if written
        .chars()
        .all(|c| c.is_ascii_digit() || ".eE+-".contains(c))
    {
        let number = written
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite());
        return number
            .map(Number::Float)
            .ok_or_else(|| format!("{written} is no number"));
    }
    duration_nanos(written)
        .map(Number::Duration)
        .ok_or_else(|| {
            format!("{written} is no number and no duration; units are ns us µs ms s m h d w y")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        lex(text).0.into_iter().map(|token| token.kind).collect()
    }

    fn field(scope: Scope, key: &str) -> TokenKind {
        TokenKind::Field(Field::attribute(scope, key))
    }

    #[test]
    fn names_run_until_white_space_or_a_sign_of_their_own() {
        let minus = TokenKind::Arith(ArithOp::Subtract);
        let end = TokenKind::End;
        let (a, b) = (field(Scope::Span, "a"), field(Scope::Span, "b"));
        assert_eq!(kinds("span.a - span.b"), [a, minus, b, end.clone()]);
        let whole = field(Scope::Span, "a-span.b");
        assert_eq!(kinds("span.a-span.b"), [whole, end.clone()]);
        let header = field(Scope::Span, "http header.x");
        assert_eq!(kinds("span.\"http header\".x"), [header, end.clone()]);
        let quoted = field(Scope::Either, "a\"\\n");
        assert_eq!(kinds(r#"."a\"\\n""#), [quoted, end.clone()]);
        let odd = field(Scope::Either, "a/b:c[0]'*%+");
        assert_eq!(kinds(".a/b:c[0]'*%+)"), [odd, TokenKind::CloseParen, end]);
    }

    #[test]
    fn comments_are_white_space() {
        let name = TokenKind::Field(Field::Intrinsic(Intrinsic::Name));
        assert_eq!(
            kinds("// one\nname /* two\n */ // three"),
            [name, TokenKind::End]
        );
        assert_eq!(lex("name /* two").1.len(), 1);
    }

    #[test]
    fn every_text_is_read_to_its_end_in_tokens_that_follow_each_other() {
        for text in [
            "\u{0}", "🦀{", "\"\\", ".\"", "'", "`", "1e", "1e+", "&", "~", "a:", "/*",
        ] {
            let (tokens, _) = lex(text);
            let mut at = 0;
            for token in &tokens {
                assert!(
                    token.range.start >= at && token.range.end <= text.len(),
                    "{text}"
                );
                assert!(text.get(token.range.clone()).is_some(), "{text}");
                at = token.range.end;
            }
            assert_eq!(tokens.last().unwrap().kind, TokenKind::End);
        }
    }
}
