//! The tree of a query, with the place of every node in its text.
//!
//! Promises: two trees are equal when they mean the same node by node; where they stood in their texts is no part of
//! it. `&&` and `||` have as many members as were written side by side, so long conditions are wide and not deep; a
//! member of an `All` is never an `All` itself, nor of an `Any` an `Any`, when trees are made with [`Expr::all`] and
//! [`Expr::any`].
//!
//! Read next: `fields.rs` for the fields, `parse.rs` for how a text becomes a tree.

use std::ops::Range;

use crate::fields::{Intrinsic, Scope};

/// A query: what a span must satisfy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// The condition; `None` for `{}`, which every span satisfies.
    pub filter: Option<Expr>,
}

/// A node of the tree.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Where it stood, in bytes; empty at 0 for what was never text.
    pub range: Range<usize>,
    depth: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A field of the span, its resource, scope, events, links or trace.
    Field(Field),
    /// A value.
    Literal(Literal),
    /// `-` before a number.
    Negative(Box<Expr>),
    /// `!` before a condition.
    Not(Box<Expr>),
    /// A comparison.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Arithmetic.
    Arith(ArithOp, Box<Expr>, Box<Expr>),
    /// `&&` of at least two.
    All(Vec<Expr>),
    /// `||` of at least two.
    Any(Vec<Expr>),
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// One that every span has.
    Intrinsic(Intrinsic),
    /// An attribute.
    Attribute {
        /// Where it stands.
        scope: Scope,
        /// Its key.
        key: String,
    },
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text.
    String(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction; finite.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// No value.
    Nil,
    /// Nanoseconds.
    Duration(i64),
    /// A status.
    Status(Status),
    /// A kind of span.
    Kind(Kind),
}

/// The status of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not set.
    Unset,
    /// Set to be good.
    Ok,
    /// An error.
    Error,
}

/// The kind of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not said.
    Unspecified,
    /// Inside a service.
    Internal,
    /// Answers a request.
    Server,
    /// Sends a request.
    Client,
    /// Sends a message.
    Producer,
    /// Takes a message.
    Consumer,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=~`
    Matches,
    /// `!~`
    MatchesNot,
}

/// What is computed of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArithOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `^`
    Power,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Expr {
    /// A node at a place of a text.
    #[must_use]
    pub fn new(node: Node, range: Range<usize>) -> Self {
        let below = match &node {
            Node::Field(_) | Node::Literal(_) => 0,
            Node::Negative(of) | Node::Not(of) => of.depth,
            Node::Compare(_, left, right) | Node::Arith(_, left, right) => {
                left.depth.max(right.depth)
            }
            Node::All(of) | Node::Any(of) => of.iter().map(|one| one.depth).max().unwrap_or(0),
        };
        Self {
            node,
            range,
            depth: below + 1,
        }
    }

    /// The levels of nodes, itself counted.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// All of some conditions; `None` of none.
    #[must_use]
    pub fn all(of: Vec<Self>) -> Option<Self> {
        Self::joined(of, true)
    }

    /// At least one of some conditions; `None` of none.
    #[must_use]
    pub fn any(of: Vec<Self>) -> Option<Self> {
        Self::joined(of, false)
    }

    fn joined(of: Vec<Self>, is_all: bool) -> Option<Self> {
        let start = of.first()?.range.start;
        let end = of.last()?.range.end;
        let mut members = Vec::with_capacity(of.len());
        for one in of {
            match (one.node, is_all) {
                (Node::All(inner), true) | (Node::Any(inner), false) => members.extend(inner),
                (node, _) => members.push(Self { node, ..one }),
            }
        }
        if members.len() == 1 {
            return members.pop();
        }
        let node = if is_all {
            Node::All(members)
        } else {
            Node::Any(members)
        };
        Some(Self::new(node, start..end.max(start)))
    }

    /// Two conditions beside each other; members of the left one are not moved, so long chains stay linear.
    pub(crate) fn join(mut self, is_all: bool, right: Self) -> Self {
        match (&mut self.node, is_all) {
            (Node::All(members), true) | (Node::Any(members), false) => {
                self.range.end = right.range.end;
                self.depth = self.depth.max(right.depth + 1);
                match (right.node, is_all) {
                    (Node::All(more), true) | (Node::Any(more), false) => members.extend(more),
                    (node, _) => members.push(Self { node, ..right }),
                }
                self
            }
            _ => {
                let range = self.range.start..right.range.end;
                let fallback = Self::new(Node::Literal(Literal::Bool(is_all)), range);
                Self::joined(vec![self, right], is_all).unwrap_or(fallback)
            }
        }
    }

    /// A comparison of a field with a value, as a chip is.
    #[must_use]
    pub fn comparison(field: Field, op: CompareOp, value: Literal) -> Self {
        let leaf = |node| Box::new(Self::new(node, 0..0));
        let node = Node::Compare(op, leaf(Node::Field(field)), leaf(Node::Literal(value)));
        Self::new(node, 0..0)
    }
}

impl CompareOp {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Matches,
        Self::MatchesNot,
    ];

    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }

    /// Whether it asks for an order.
    #[must_use]
    pub fn is_order(self) -> bool {
        use CompareOp as Op;
        matches!(
            self,
            Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual
        )
    }

    /// Whether it asks for a pattern.
    #[must_use]
    pub fn is_pattern(self) -> bool {
        matches!(self, Self::Matches | Self::MatchesNot)
    }

    /// The one that holds when left and right change places.
    pub(crate) fn turned(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            same => same,
        }
    }
}

impl ArithOp {
    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "^",
        }
    }
}

impl Status {
    /// All of them, by OTLP's number.
    pub const ALL: [Self; 3] = [Self::Unset, Self::Ok, Self::Error];

    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }

    /// OTLP's number.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Unset => 0,
            Self::Ok => 1,
            Self::Error => 2,
        }
    }
}

impl Kind {
    /// All of them, by OTLP's number.
    pub const ALL: [Self; 6] = [
        Self::Unspecified,
        Self::Internal,
        Self::Server,
        Self::Client,
        Self::Producer,
        Self::Consumer,
    ];

    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }

    /// OTLP's number.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Unspecified => 0,
            Self::Internal => 1,
            Self::Server => 2,
            Self::Client => 3,
            Self::Producer => 4,
            Self::Consumer => 5,
        }
    }
}
