//! From a text to a tree, with everything that is wrong on the way.
//!
//! Promises
//! - No text makes it panic, and each takes time and stack in bounds: [`TEXT_BYTES_MAX`], [`NODES_MAX`], [`DEPTH_MAX`].
//! - There is a query exactly when there is no error; several errors are told at once, since parsing goes on behind
//!   the next `&&`, `||` or bracket.
//! - What belongs to TraceQL but is not supported yet is said to be so, at its place.
//!
//! Binding, loose to tight: `&&` and `||` (one level, left to right, as in Tempo), comparisons, `+ -`, `!`, `* / %`,
//! `^` (to the right), unary minus.
//!
//! Read next: `check.rs` for what is wrong with a tree that is well formed.

use std::ops::Range;

use crate::ast::{ArithOp, CompareOp, Expr, Field, Literal, Node, Query};
use crate::check;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexer::{Number, Token, TokenKind, lex};
use crate::words;

/// The longest text.
pub const TEXT_BYTES_MAX: usize = 128 * 1024;
/// The most nodes of a tree.
pub const NODES_MAX: usize = 4_096;
/// The most levels of a tree. Predicates made of it stay below the 64 levels that a store allows.
pub const DEPTH_MAX: usize = 48;
/// The most diagnostics that are given.
pub const DIAGNOSTICS_MAX: usize = 32;
/// Calls inside one another: two for each level of the tree, and some for brackets that are not needed.
const CALLS_MAX: usize = 2 * DEPTH_MAX + 32;

/// What a text is.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The query; `None` when there is an error among the diagnostics.
    pub query: Option<Query>,
    /// What is wrong with the text, in its order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a text.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!(
            "the text has {} bytes, {TEXT_BYTES_MAX} are allowed; ask for less at once",
            text.len()
        );
        return Parsed {
            query: None,
            diagnostics: vec![Diagnostic::error(&(0..text.len()), message)],
        };
    }
    let (tokens, diagnostics) = lex(text);
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        diagnostics,
        nodes: 0,
        calls: 0,
        is_over: false,
        expects_value: false,
    };
    let query = parser.query();
    let mut diagnostics = parser.diagnostics;
    let is_error = |one: &Diagnostic| one.severity == Severity::Error;
    let mut query = query.filter(|_| !diagnostics.iter().any(is_error));
    if let Some(found) = &query {
        check::check(found, &mut diagnostics);
    }
    if diagnostics.iter().any(is_error) {
        query = None;
    }
    // Errors stay when there are too many to be given.
    diagnostics.sort_by_key(|one| (!is_error(one), one.range.start));
    diagnostics.truncate(DIAGNOSTICS_MAX);
    diagnostics.sort_by_key(|one| one.range.start);
    Parsed { query, diagnostics }
}

/// How a part was written, where brackets make a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One field or value, or something in brackets.
    Closed,
    Any,
    Comparison,
    Not,
    Other,
}

#[derive(Debug)]
struct Part {
    /// `None` where something is wrong, which was said.
    expr: Option<Expr>,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Infix {
    Logic { is_all: bool },
    Compare(CompareOp),
    Arith(ArithOp),
}

const NOT_BINDS: u8 = 8;
const MINUS_BINDS: u8 = 13;

/// How an operator between two parts binds to the left and to the right; the larger, the tighter.
fn infix(kind: &TokenKind) -> Option<(Infix, u8, u8)> {
    Some(match kind {
        TokenKind::And => (Infix::Logic { is_all: true }, 1, 2),
        TokenKind::Or if plumbing::planted("traceql-and-before-or") => {
            (Infix::Logic { is_all: false }, 0, 1)
        }
        TokenKind::Or => (Infix::Logic { is_all: false }, 1, 2),
        TokenKind::Compare(op) => (Infix::Compare(*op), 3, 4),
        TokenKind::Arith(op) => {
            let (left, right) = match op {
                ArithOp::Add | ArithOp::Subtract => (5, 6),
                ArithOp::Multiply | ArithOp::Divide | ArithOp::Remainder => (9, 10),
                ArithOp::Power => (12, 11),
            };
            (Infix::Arith(*op), left, right)
        }
        _ => return None,
    })
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    diagnostics: Vec<Diagnostic>,
    nodes: usize,
    calls: usize,
    /// A bound was reached: nothing more is read.
    is_over: bool,
    /// The next operand stands behind a comparison, so a bare word is probably a text.
    expects_value: bool,
}

impl Parser<'_> {
    fn peek(&self) -> &TokenKind {
        self.kind_at(self.at)
    }

    fn kind_at(&self, at: usize) -> &TokenKind {
        self.tokens
            .get(at)
            .map_or(&TokenKind::End, |token| &token.kind)
    }

    fn range(&self) -> Range<usize> {
        let end = self.text.len();
        let token = self.tokens.get(self.at);
        token.map_or(end..end, |token| token.range.clone())
    }

    /// Where the token before ended.
    fn end_before(&self) -> usize {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or(0, |token| token.range.end)
    }

    fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn error(&mut self, range: &Range<usize>, message: impl Into<String>) {
        if !self.is_over {
            self.diagnostics.push(Diagnostic::error(range, message));
        }
    }

    fn error_proposing(
        &mut self,
        range: &Range<usize>,
        message: impl Into<String>,
        replaced: &Range<usize>,
        text: &str,
    ) {
        if !self.is_over {
            let error = Diagnostic::error(range, message).propose(replaced, text);
            self.diagnostics.push(error);
        }
    }

    /// What is found here, for messages.
    fn found(&self) -> String {
        match self.peek() {
            TokenKind::End => "the end".to_owned(),
            _ => {
                let written = self.text.get(self.range()).unwrap_or_default();
                let shown: String = written.chars().take(40).collect();
                format!("\"{shown}\"")
            }
        }
    }

    fn query(&mut self) -> Option<Query> {
        let has_brace = *self.peek() == TokenKind::OpenBrace;
        if has_brace {
            self.advance();
        } else if !self.starts_without_brace() {
            return None;
        }
        if has_brace && *self.peek() == TokenKind::CloseBrace {
            self.advance();
            self.trailing();
            return Some(Query { filter: None });
        }
        let filter = self.expr(0).expr;
        self.close(has_brace);
        self.trailing();
        filter.map(|filter| Query {
            filter: Some(filter),
        })
    }

    /// Complains about a text that does not begin with a brace; true when it may be a condition all the same.
    fn starts_without_brace(&mut self) -> bool {
        let (range, whole) = (self.range(), 0..self.text.len());
        let is_set = *self.peek() == TokenKind::OpenParen
            && matches!(
                self.kind_at(self.at + 1),
                TokenKind::OpenBrace | TokenKind::OpenParen
            );
        match self.peek() {
            TokenKind::End => {
                let message = "expected a condition in braces; {} is every span";
                self.error_proposing(&range, message, &whole, "{}");
                false
            }
            _ if is_set => {
                self.error(
                    &range,
                    "combining conditions in several braces is not supported yet",
                );
                false
            }
            TokenKind::Other(_) | TokenKind::And | TokenKind::Or | TokenKind::CloseBrace => {
                let message = format!("found {}, expected \"{{\"", self.found());
                self.error(&range, message);
                false
            }
            _ => {
                let wrapped = format!("{{ {} }}", self.text.trim());
                let message = format!(
                    "found {}, expected \"{{\": conditions stand in braces",
                    self.found()
                );
                self.error_proposing(&range, message, &whole, &wrapped);
                true
            }
        }
    }

    fn close(&mut self, has_brace: bool) {
        loop {
            let range = self.range();
            match self.peek() {
                TokenKind::CloseBrace => {
                    self.advance();
                    return;
                }
                TokenKind::End => {
                    if has_brace {
                        let end = self.end_before();
                        self.error_proposing(
                            &range,
                            "found the end, expected \"}\"",
                            &(end..end),
                            " }",
                        );
                    }
                    return;
                }
                TokenKind::CloseParen => {
                    self.error_proposing(&range, "\")\" closes nothing", &range, "");
                    self.advance();
                    // What follows is read for its own mistakes.
                    if infix(self.peek()).is_some() {
                        self.advance();
                        self.expr(0);
                    }
                }
                _ => {
                    self.unexpected();
                    self.recover();
                    if infix(self.peek()).is_some() {
                        self.advance();
                        self.expr(0);
                    } else if !matches!(self.peek(), TokenKind::CloseBrace | TokenKind::CloseParen)
                    {
                        self.at = self.tokens.len().saturating_sub(1);
                    }
                }
            }
        }
    }

    /// Complains about what stands behind a complete condition inside the braces.
    fn unexpected(&mut self) {
        let (range, found) = (self.range(), self.found());
        match self.peek().clone() {
            TokenKind::Other("|") => {
                self.error_proposing(&range, "found \"|\", expected \"||\"", &range, "||");
            }
            TokenKind::Other(",") => {
                self.error_proposing(&range, "found \",\", expected \"&&\"", &range, " &&");
            }
            TokenKind::Other(sign) => {
                self.error(
                    &range,
                    format!("\"{sign}\" between spans is not supported yet"),
                );
            }
            TokenKind::Bad => {}
            TokenKind::Field(_) | TokenKind::OpenParen | TokenKind::Not => {
                let end = self.end_before();
                let message = format!("found {found}, expected \"&&\", \"||\" or \"}}\"");
                self.error_proposing(&range, message, &(end..end), " &&");
            }
            _ => {
                let message =
                    format!("found {found}, expected an operator, \"&&\", \"||\" or \"}}\"");
                self.error(&range, message);
            }
        }
    }

    /// Complains about what stands behind the closing brace.
    fn trailing(&mut self) {
        let (range, found) = (self.range(), self.found());
        let message = match self.peek() {
            TokenKind::End => return,
            TokenKind::Bad => return,
            TokenKind::Other("|") => match self.kind_at(self.at + 1) {
                TokenKind::Word(word) => {
                    format!("a pipeline (\"| {word}\") is not supported yet")
                }
                _ => "a pipeline (\"|\") is not supported yet".to_owned(),
            },
            TokenKind::Other(",") | TokenKind::CloseBrace | TokenKind::CloseParen => {
                format!("found {found}, expected the end")
            }
            TokenKind::And | TokenKind::Or => {
                "combining conditions in several braces is not supported yet".to_owned()
            }
            TokenKind::Other(_) | TokenKind::Compare(_) => {
                format!("a relation between spans ({found}) is not supported yet")
            }
            TokenKind::Word(word) if word == "with" => "\"with\" is not supported yet".to_owned(),
            _ => format!(
                "found {found}, expected the end; what stands behind the braces is not supported yet"
            ),
        };
        self.error(&range, message);
    }

    /// Passes over what can't be read, up to where a condition may begin or end.
    fn recover(&mut self) {
        let mut open = 0usize;
        loop {
            match self.peek() {
                TokenKind::End | TokenKind::CloseBrace => return,
                TokenKind::And | TokenKind::Or if open == 0 => return,
                TokenKind::CloseParen if open == 0 => return,
                TokenKind::CloseParen => open -= 1,
                TokenKind::OpenParen => open += 1,
                _ => {}
            }
            self.advance();
        }
    }

    fn stop(&mut self, range: &Range<usize>, message: String) {
        self.error(range, message);
        self.is_over = true;
        self.at = self.tokens.len().saturating_sub(1);
    }

    /// Counts a node; `None` when there are too many, or too deep.
    fn make(&mut self, node: Node, range: Range<usize>) -> Option<Expr> {
        self.bounded(Expr::new(node, range))
    }

    fn bounded(&mut self, expr: Expr) -> Option<Expr> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message =
                format!("the query has more than {NODES_MAX} parts; ask for less at once");
            self.stop(&expr.range, message);
            return None;
        }
        if expr.depth() > DEPTH_MAX {
            self.too_deep(&expr.range);
            return None;
        }
        Some(expr)
    }

    fn too_deep(&mut self, range: &Range<usize>) {
        let message = format!("the query has more than {DEPTH_MAX} levels; write it flatter");
        self.stop(range, message);
    }

    fn expr(&mut self, binds_min: u8) -> Part {
        self.calls += 1;
        let part = if self.calls > CALLS_MAX {
            let range = self.range();
            self.too_deep(&range);
            Part {
                expr: None,
                form: Form::Other,
            }
        } else {
            self.expr_inside(binds_min)
        };
        self.calls -= 1;
        part
    }

    fn expr_inside(&mut self, binds_min: u8) -> Part {
        let mut left = self.prefix();
        if left.expr.is_none() {
            self.recover();
        }
        while let Some((operator, binds_left, binds_right)) = infix(self.peek()) {
            if binds_left < binds_min {
                break;
            }
            let sign = self.range();
            self.warn(&operator, &left, &sign);
            self.advance();
            self.expects_value = matches!(operator, Infix::Compare(_));
            let right = self.expr(binds_right);
            self.warn_of_negation(&operator, &left, &right);
            left = self.join(operator, left, right);
        }
        left
    }

    /// What is well formed, but perhaps not what was meant.
    fn warn(&mut self, operator: &Infix, left: &Part, sign: &Range<usize>) {
        let Some(written) = &left.expr else { return };
        let range = written.range.start..sign.end;
        let whole = self.text.get(written.range.clone()).unwrap_or_default();
        match (operator, left.form) {
            (Infix::Logic { is_all: true }, Form::Any) => {
                let message = "\"&&\" and \"||\" bind alike, from left to right: \
                               what stands before \"&&\" is taken together";
                let warning = Diagnostic::warning(&range, message);
                let grouped = format!("({whole})");
                self.diagnostics
                    .push(warning.propose(&written.range, grouped));
            }
            (Infix::Compare(_), Form::Comparison) => {
                let message = "comparisons don't chain; join two with \"&&\"";
                self.error(sign, message);
            }
            _ => {}
        }
    }

    /// `!a = b` negates `a` alone.
    fn warn_of_negation(&mut self, operator: &Infix, left: &Part, right: &Part) {
        let (Some(one), Some(two)) = (&left.expr, &right.expr) else {
            return;
        };
        if left.form != Form::Not || !matches!(operator, Infix::Compare(_)) {
            return;
        }
        let range = one.range.start..two.range.end;
        let written = self.text.get(range.clone()).unwrap_or_default();
        let inner = written.strip_prefix('!').unwrap_or(written);
        let message = "\"!\" binds tighter than a comparison; write !(…) to negate all of it";
        let warning = Diagnostic::warning(&range, message);
        let whole = format!("!({})", inner.trim_start());
        self.diagnostics.push(warning.propose(&range, whole));
    }

    fn join(&mut self, operator: Infix, left: Part, right: Part) -> Part {
        let form = match operator {
            Infix::Logic { is_all: false } => Form::Any,
            Infix::Compare(_) => Form::Comparison,
            Infix::Logic { .. } | Infix::Arith(_) => Form::Other,
        };
        let (Some(one), Some(two)) = (left.expr, right.expr) else {
            return Part { expr: None, form };
        };
        let range = one.range.start..two.range.end;
        let expr = match operator {
            Infix::Logic { is_all } => self.bounded(one.join(is_all, two)),
            Infix::Compare(op) => {
                let node = Node::Compare(op, Box::new(one), Box::new(two));
                self.make(node, range)
            }
            Infix::Arith(op) => self.make(Node::Arith(op, Box::new(one), Box::new(two)), range),
        };
        Part { expr, form }
    }

    fn prefix(&mut self) -> Part {
        let range = self.range();
        let expects_value = std::mem::take(&mut self.expects_value);
        let (expr, form) = match self.peek().clone() {
            TokenKind::OpenParen => {
                self.advance();
                (self.in_brackets(range.start), Form::Closed)
            }
            TokenKind::Not => {
                self.advance();
                let of = self.expr(NOT_BINDS).expr;
                let expr = of.and_then(|of| {
                    let range = range.start..of.range.end;
                    self.make(Node::Not(Box::new(of)), range)
                });
                (expr, Form::Not)
            }
            TokenKind::Arith(ArithOp::Subtract) => {
                self.advance();
                (self.negative(range.start), Form::Closed)
            }
            TokenKind::Number(number) => {
                self.advance();
                (self.number(number, false, range), Form::Closed)
            }
            TokenKind::Literal(literal) => {
                self.advance();
                (self.make(Node::Literal(literal), range), Form::Closed)
            }
            TokenKind::Field(field) => {
                self.advance();
                (self.make(Node::Field(field), range), Form::Closed)
            }
            TokenKind::Word(word) => {
                self.advance();
                self.unknown_word(&word, &range, expects_value);
                (None, Form::Other)
            }
            _ => {
                self.no_operand(&range, expects_value);
                (None, Form::Other)
            }
        };
        Part { expr, form }
    }

    fn in_brackets(&mut self, start: usize) -> Option<Expr> {
        let mut inner = self.expr(0).expr;
        if *self.peek() == TokenKind::CloseParen {
            self.advance();
        } else {
            let (range, end) = (self.range(), self.end_before());
            let message = format!("found {}, expected \")\"", self.found());
            self.error_proposing(&range, message, &(end..end), ")");
            inner = None;
        }
        if let Some(inner) = &mut inner {
            inner.range = start..self.end_before();
        }
        inner
    }

    fn negative(&mut self, start: usize) -> Option<Expr> {
        if let TokenKind::Number(number) = *self.peek() {
            let range = start..self.range().end;
            self.advance();
            return self.number(number, true, range);
        }
        let of = self.expr(MINUS_BINDS).expr?;
        let range = start..of.range.end;
        self.make(Node::Negative(Box::new(of)), range)
    }

    fn number(&mut self, number: Number, is_negative: bool, range: Range<usize>) -> Option<Expr> {
        let signed = |number: u64| {
            let number = i128::from(number);
            i64::try_from(if is_negative { -number } else { number }).ok()
        };
        let literal = match number {
            Number::Int(number) => signed(number).map(Literal::Int),
            Number::Duration(nanos) => signed(nanos).map(Literal::Duration),
            Number::Float(number) => {
                Some(Literal::Float(if is_negative { -number } else { number }))
            }
        };
        let Some(literal) = literal else {
            self.error(&range, "the number is beyond maxInt (9223372036854775807)");
            return None;
        };
        self.make(Node::Literal(literal), range)
    }

    fn no_operand(&mut self, range: &Range<usize>, expects_value: bool) {
        let expected = if expects_value {
            "a value or a field"
        } else {
            "a field, a value, \"(\" or \"!\""
        };
        match self.peek() {
            TokenKind::Bad => {}
            TokenKind::OpenBrace => {
                self.error(
                    range,
                    "conditions in braces inside of others are not supported yet",
                );
            }
            _ => {
                let message = format!("found {}, expected {expected}", self.found());
                self.error(range, message);
            }
        }
    }

    fn unknown_word(&mut self, word: &str, range: &Range<usize>, expects_value: bool) {
        if self.is_over {
            return;
        }
        // Looking for near names takes time, and nobody reads so many.
        let is_looked_up = self.diagnostics.len() <= DIAGNOSTICS_MAX;
        let found = if is_looked_up {
            words::unknown(word, range, expects_value)
        } else {
            Diagnostic::error(range, format!("\"{word}\" is not known"))
        };
        self.diagnostics.push(found);
    }
}

/// Reads a field alone, as it is written in a query.
#[must_use]
pub fn parse_field(text: &str) -> Option<Field> {
    let (tokens, diagnostics) = lex(text);
    match tokens.as_slice() {
        [
            Token {
                kind: TokenKind::Field(field),
                ..
            },
            Token {
                kind: TokenKind::End,
                ..
            },
        ] if diagnostics.is_empty() && text.len() <= TEXT_BYTES_MAX => Some(field.clone()),
        _ => None,
    }
}
