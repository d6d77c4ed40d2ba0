//! From a tree to its text.
//!
//! Promises: a text that is printed reads back as the same tree; what means the same prints the same, whatever white
//! space, brackets, comments and names it was written with. `&&` inside `||` stands in brackets, and the other way.

use std::fmt;

use crate::ast::{ArithOp, Expr, Field, Literal, Node, Query};
use crate::literal::{duration_text, key_text, quoted};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.filter {
            None => f.write_str("{}"),
            Some(filter) => write!(f, "{{ {filter} }}"),
        }
    }
}

/// How tight a node binds that is not in brackets; the numbers are those of the parser.
fn binds(node: &Node) -> u8 {
    match node {
        Node::All(_) | Node::Any(_) => 1,
        Node::Compare(..) => 3,
        Node::Arith(op, ..) => arith_binds(*op),
        Node::Not(_) => 7,
        Node::Negative(_) => 13,
        Node::Field(_) | Node::Literal(_) => 15,
    }
}

fn arith_binds(op: ArithOp) -> u8 {
    match op {
        ArithOp::Add | ArithOp::Subtract => 5,
        ArithOp::Multiply | ArithOp::Divide | ArithOp::Remainder => 9,
        ArithOp::Power => 11,
    }
}

/// A part that stands in brackets unless it binds at least so tight.
struct Part<'a>(&'a Expr, u8);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if binds(&self.0.node) < self.1 && !plumbing::planted("traceql-print-without-brackets") {
            write!(f, "({})", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Field(field) => write!(f, "{field}"),
            Node::Literal(literal) => write!(f, "{literal}"),
            // A number would be read as a negative one.
            Node::Negative(of) if is_unsigned(of) => write!(f, "-({of})"),
            Node::Negative(of) => write!(f, "-{}", Part(of, 13)),
            Node::Not(of) => write!(f, "!{}", Part(of, 7)),
            Node::Compare(op, left, right) => {
                write!(f, "{} {} {}", side(left), op.text(), side(right))
            }
            Node::Arith(op, left, right) => {
                let binds = arith_binds(*op);
                let (to_left, to_right) = match op {
                    ArithOp::Power => (binds + 1, binds),
                    _ => (binds, binds + 1),
                };
                let (left, right) = (Part(left, to_left), Part(right, to_right));
                write!(f, "{left} {} {right}", op.text())
            }
            Node::All(of) => joined(f, of, " && "),
            Node::Any(of) => joined(f, of, " || "),
        }
    }
}

/// A side of a comparison; a negation there would read as if it were that of the comparison.
fn side(of: &Expr) -> Part<'_> {
    Part(
        of,
        if matches!(of.node, Node::Not(_)) {
            8
        } else {
            4
        },
    )
}

fn is_unsigned(of: &Expr) -> bool {
    match &of.node {
        Node::Literal(Literal::Int(number) | Literal::Duration(number)) => *number >= 0,
        Node::Literal(Literal::Float(number)) => !number.is_sign_negative(),
        _ => false,
    }
}

fn joined(f: &mut fmt::Formatter<'_>, of: &[Expr], sign: &str) -> fmt::Result {
    for (at, one) in of.iter().enumerate() {
        if at > 0 {
            f.write_str(sign)?;
        }
        write!(f, "{}", Part(one, 2))?;
    }
    Ok(())
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intrinsic(intrinsic) => f.write_str(intrinsic.name()),
            Self::Attribute { scope, key } => {
                write!(f, "{}.{}", scope.text(), key_text(key))
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(&quoted(text)),
            Self::Int(i64::MIN) => f.write_str("minInt"),
            Self::Int(i64::MAX) => f.write_str("maxInt"),
            Self::Int(number) => write!(f, "{number}"),
            // With the point or the exponent that tells it from a whole number.
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Bool(is) => write!(f, "{is}"),
            Self::Nil => f.write_str("nil"),
            Self::Duration(nanos) => f.write_str(&duration_text(*nanos)),
            Self::Status(status) => f.write_str(status.text()),
            Self::Kind(kind) => f.write_str(kind.text()),
        }
    }
}
