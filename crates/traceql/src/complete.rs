//! What can stand where the cursor is.
//!
//! Promises: any text and any cursor are answered, however broken the text is; what is offered here comes from the
//! language alone. Keys and values that a store knows are added by the caller, who is told which are wanted.
//!
//! What is replaced goes on to the end of the word that the cursor stands in, or of the string where the quotes of the
//! whole text are even.

use std::ops::Range;

use crate::ast::{CompareOp, Field, Kind, Literal, Status};
use crate::fields::{INTRINSICS, IntrinsicRow, Scope, Type};
use crate::lexer::{Lexed, Token, TokenKind, lex_partial};
use crate::parse::TEXT_BYTES_MAX;

/// What can stand at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The bytes that are replaced by what is chosen; empty where nothing was begun.
    pub replace: Range<usize>,
    /// What is wanted there; none where nothing can be offered.
    pub wants: Vec<Wanted>,
    /// What the language itself has to offer.
    pub items: Vec<Item>,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// The brace that opens a query.
    Open,
    /// The scope of an attribute (`span.`), whose name begins so.
    Scope {
        /// How it begins.
        prefix: String,
    },
    /// A field.
    Field {
        /// Where the attribute stands, when that is written already; else any field is wanted.
        scope: Option<Scope>,
        /// How the key begins, or without a scope the whole name.
        prefix: String,
    },
    /// A comparison.
    Operator {
        /// What is compared; `None` for what is computed.
        field: Option<Field>,
    },
    /// A value to compare with.
    Value {
        /// What is compared; `None` for what is computed.
        field: Option<Field>,
        /// How it is compared.
        op: CompareOp,
        /// How the value begins, without its quote.
        prefix: String,
        /// Whether a quote is open before it.
        is_quoted: bool,
    },
    /// `&&`, `||` or the closing brace.
    Logic,
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is written.
    pub text: String,
    /// What it is, in one line.
    pub help: &'static str,
    /// Whether it is Trackway's own, which Tempo does not know.
    pub is_own: bool,
}

impl Item {
    fn new(text: impl Into<String>, help: &'static str) -> Self {
        Self {
            text: text.into(),
            help,
            is_own: false,
        }
    }
}

/// What the tokens before the cursor lead to.
#[derive(Debug, Clone)]
enum State {
    Outside,
    Operand,
    AfterOperand(Option<Field>),
    AfterCompare(Option<Field>, CompareOp),
    AfterCondition,
    Done,
}

/// Says what can stand at a place of a text; a place that is none is taken for the nearest before it.
#[must_use]
pub fn complete(text: &str, cursor_byte: usize) -> Completion {
    let mut cursor = cursor_byte.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let before = text.get(..cursor).unwrap_or_default();
    let nothing = Completion {
        replace: cursor..cursor,
        wants: Vec::new(),
        items: Vec::new(),
    };
    if text.len() > TEXT_BYTES_MAX {
        return nothing;
    }
    let lexed = lex_partial(before);
    if lexed.is_in_comment {
        return nothing;
    }
    let partial = Partial::of(&lexed, before);
    let start = partial.as_ref().map_or(cursor, |partial| partial.start);
    let state = state_of(
        lexed
            .tokens
            .iter()
            .filter(|token| token.range.start < start),
    );
    let end = match &partial {
        Some(partial) => partial.end_in(text, cursor),
        None => cursor,
    };
    let mut completion = Completion {
        replace: start..end,
        ..nothing
    };
    completion.fill(state, &partial.unwrap_or_default());
    completion
}

fn state_of<'a>(tokens: impl Iterator<Item = &'a Token>) -> State {
    let mut state = State::Outside;
    for token in tokens {
        state = match (&token.kind, state) {
            (TokenKind::OpenBrace, State::Outside) => State::Operand,
            (TokenKind::End, same) | (_, same @ (State::Outside | State::Done)) => same,
            (TokenKind::CloseBrace, _) => State::Done,
            (TokenKind::And | TokenKind::Or, _) => State::Operand,
            (TokenKind::CloseParen, State::AfterOperand(_)) => State::AfterOperand(None),
            (TokenKind::CloseParen, _) => State::AfterCondition,
            (TokenKind::Compare(op), State::AfterOperand(field)) => State::AfterCompare(field, *op),
            (TokenKind::Compare(op), _) => State::AfterCompare(None, *op),
            (TokenKind::Arith(_), State::AfterOperand(_)) => State::Operand,
            (TokenKind::Field(field), State::Operand) => State::AfterOperand(Some(field.clone())),
            (TokenKind::Literal(_) | TokenKind::Number(_) | TokenKind::Word(_), State::Operand) => {
                State::AfterOperand(None)
            }
            (
                TokenKind::Field(_)
                | TokenKind::Literal(_)
                | TokenKind::Number(_)
                | TokenKind::Word(_),
                State::AfterCompare(..),
            ) => State::AfterCondition,
            (_, same) => same,
        };
    }
    state
}

/// The word or string that the cursor stands in or behind.
#[derive(Debug, Default)]
struct Partial {
    start: usize,
    /// The scope of an attribute and the key so far, or no scope and the word so far.
    scope: Option<Scope>,
    written: String,
    is_quoted: bool,
    is_number: bool,
}

impl Partial {
    fn of(lexed: &Lexed, before: &str) -> Option<Self> {
        if let Some(start) = lexed.open_string {
            return Some(Self {
                start,
                written: before.get(start + 1..).unwrap_or_default().to_owned(),
                is_quoted: true,
                ..Self::default()
            });
        }
        let last = lexed
            .tokens
            .iter()
            .rfind(|token| token.kind != TokenKind::End)?;
        if last.range.end != before.len() {
            return None;
        }
        let written = before
            .get(last.range.clone())
            .unwrap_or_default()
            .to_owned();
        let (scope, written) = match &last.kind {
            TokenKind::Field(Field::Attribute { scope, key }) => (Some(*scope), key.clone()),
            TokenKind::Literal(Literal::String(_)) => return None,
            TokenKind::Field(_) | TokenKind::Literal(_) | TokenKind::Word(_) => (None, written),
            TokenKind::Number(_) | TokenKind::Bad
                if written.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                (None, written)
            }
            _ => return None,
        };
        Some(Self {
            start: last.range.start,
            scope,
            is_number: written.starts_with(|c: char| c.is_ascii_digit()) && scope.is_none(),
            written,
            is_quoted: false,
        })
    }

    /// Where it ends in the whole text.
    fn end_in(&self, text: &str, cursor: usize) -> usize {
        let whole = lex_partial(text);
        if self.is_quoted && whole.open_string.is_some() {
            return cursor;
        }
        let same = whole
            .tokens
            .iter()
            .find(|token| token.range.start == self.start);
        same.map_or(cursor, |token| token.range.end.max(cursor))
    }
}

impl Completion {
    fn fill(&mut self, state: State, partial: &Partial) {
        let prefix = || partial.written.clone();
        match state {
            State::Outside => {
                self.wants.push(Wanted::Open);
                self.items
                    .push(Item::new("{ ", "conditions stand in braces"));
            }
            State::Operand if partial.is_quoted || partial.is_number => {}
            State::Operand => {
                if partial.scope.is_none() {
                    self.wants.push(Wanted::Scope { prefix: prefix() });
                    self.fields(&partial.written);
                }
                self.wants.push(Wanted::Field {
                    scope: partial.scope,
                    prefix: prefix(),
                });
            }
            State::AfterOperand(field) => {
                self.operators(field.as_ref());
                if field
                    .as_ref()
                    .is_some_and(|field| field.value_type() == Type::Unknown)
                {
                    self.logic();
                }
                self.wants.insert(0, Wanted::Operator { field });
            }
            State::AfterCompare(field, op) => {
                if partial.scope.is_some() {
                    self.wants.push(Wanted::Field {
                        scope: partial.scope,
                        prefix: prefix(),
                    });
                    return;
                }
                self.values(field.as_ref(), op, partial);
                self.wants.push(Wanted::Value {
                    field,
                    op,
                    prefix: prefix(),
                    is_quoted: partial.is_quoted,
                });
            }
            State::AfterCondition => self.logic(),
            State::Done => {}
        }
    }

    fn fields(&mut self, prefix: &str) {
        for row in &INTRINSICS {
            if let Some(name) = name_beginning(row, prefix) {
                self.items.push(Item {
                    is_own: row.is_own,
                    ..Item::new(name, row.help)
                });
            }
        }
        for scope in Scope::NAMED {
            if begins(scope.text(), prefix) {
                self.items
                    .push(Item::new(format!("{}.", scope.text()), scope.help()));
            }
        }
        if prefix.is_empty() {
            self.items.push(Item::new(".", Scope::Either.help()));
        }
    }

    fn operators(&mut self, field: Option<&Field>) {
        let all = field.map_or_else(|| CompareOp::ALL.to_vec(), Field::operators);
        for op in all {
            let help = match op {
                CompareOp::Equal => "is",
                CompareOp::NotEqual => "is another",
                CompareOp::Greater => "is more than",
                CompareOp::GreaterOrEqual => "is at least",
                CompareOp::Less => "is less than",
                CompareOp::LessOrEqual => "is at most",
                CompareOp::Matches => "is matched whole by the pattern",
                CompareOp::MatchesNot => "is not matched whole by the pattern",
            };
            self.items.push(Item::new(op.text(), help));
        }
    }

    fn logic(&mut self) {
        self.wants.push(Wanted::Logic);
        self.items.push(Item::new("&&", "both must hold"));
        self.items.push(Item::new("||", "at least one must hold"));
        self.items.push(Item::new("}", "the end of the conditions"));
    }

    fn values(&mut self, field: Option<&Field>, op: CompareOp, partial: &Partial) {
        let mut offer = |text: String, help| {
            if begins(&text, &partial.written) {
                self.items.push(Item::new(text, help));
            }
        };
        match field.map_or(Type::Unknown, Field::value_type) {
            Type::Status => Status::ALL
                .into_iter()
                .for_each(|one| offer(one.text().to_owned(), "a status")),
            Type::Kind => Kind::ALL
                .into_iter()
                .for_each(|one| offer(one.text().to_owned(), "a kind of span")),
            Type::Duration if partial.is_number => {
                let number = partial
                    .written
                    .trim_end_matches(char::is_alphabetic)
                    .to_owned();
                for unit in ["ns", "µs", "ms", "s", "m", "h"] {
                    offer(format!("{number}{unit}"), "a duration");
                }
            }
            Type::Duration => {
                for example in ["10ms", "100ms", "500ms", "1s", "1m30s"] {
                    offer(example.to_owned(), "a duration");
                }
            }
            Type::Unknown if !partial.is_quoted && !op.is_order() && !op.is_pattern() => {
                if field.is_some() {
                    offer("nil".to_owned(), "no value: the attribute is not there");
                }
                offer("true".to_owned(), "a boolean");
                offer("false".to_owned(), "a boolean");
            }
            _ => {}
        }
    }
}

fn begins(name: &str, prefix: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    let mut wanted = prefix.chars().flat_map(char::to_lowercase);
    wanted.all(|letter| letters.next() == Some(letter))
}

/// The name of a field that begins so, or whose part behind the colon does.
fn name_beginning(row: &IntrinsicRow, prefix: &str) -> Option<&'static str> {
    let fits = |name: &&&str| {
        let behind = name.split_once(':').map(|(_, behind)| behind);
        begins(name, prefix) || behind.is_some_and(|behind| begins(behind, prefix))
    };
    row.names.iter().find(fits).copied()
}
