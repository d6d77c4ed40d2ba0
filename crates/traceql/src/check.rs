//! What is wrong with a tree that is well formed: types that never fit, patterns that are none, `nil` where there is
//! always a value.
//!
//! Promises: a tree without errors here can be lowered and judged. Attributes have no type of their own, so they are
//! compared with everything; where that can never be true, a warning says so.
//!
//! Read next: `value.rs` for what comparisons and arithmetic do.

use std::ops::Range;

use model::{SpanId, TraceId};

use crate::ast::{ArithOp, CompareOp, Expr, Field, Literal, Node, Query};
use crate::diagnostic::Diagnostic;
use crate::fields::{Intrinsic, Type};
use crate::literal::{duration_nanos, duration_text, quoted};
use crate::parse::DEPTH_MAX;
use crate::pattern;

/// The most patterns of a query; each may take 1 MiB.
pub const PATTERNS_MAX: usize = 64;

/// Appends what is wrong with a query.
pub(crate) fn check(query: &Query, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(filter) = &query.filter {
        // A tree that was made without a text may be of any depth.
        if filter.depth() > DEPTH_MAX {
            let message = format!("the query has more than {DEPTH_MAX} levels; write it flatter");
            diagnostics.push(Diagnostic::error(&filter.range, message));
            return;
        }
        Checker {
            diagnostics,
            patterns: 0,
        }
        .condition(filter);
    }
}

struct Checker<'d> {
    diagnostics: &'d mut Vec<Diagnostic>,
    patterns: usize,
}

impl Checker<'_> {
    fn error(&mut self, range: &Range<usize>, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(range, message));
    }

    /// What must be true or false.
    fn condition(&mut self, expr: &Expr) {
        match &expr.node {
            Node::All(of) | Node::Any(of) => of.iter().for_each(|one| self.condition(one)),
            Node::Not(of) => self.condition(of),
            Node::Compare(op, left, right) => self.comparison(*op, left, right, &expr.range),
            Node::Literal(Literal::Bool(_)) => {}
            Node::Field(field) if field.value_type() == Type::Unknown => {}
            Node::Field(field) => {
                let message = format!("\"{field}\" alone is no condition; expected a comparison");
                self.error(&expr.range, message);
            }
            Node::Literal(_) | Node::Negative(_) | Node::Arith(..) => {
                let message = format!("\"{expr}\" alone is no condition; expected a comparison");
                self.error(&expr.range, message);
            }
        }
    }

    /// What is compared or computed with.
    fn operand(&mut self, expr: &Expr) -> Type {
        match &expr.node {
            Node::Field(field) => field.value_type(),
            Node::Literal(literal) => literal.value_type(),
            Node::Negative(of) => {
                let of_type = self.operand(of);
                self.number(of, of_type)
            }
            Node::Arith(op, left, right) => {
                let (left_type, right_type) = (self.operand(left), self.operand(right));
                let left_type = self.number(left, left_type);
                let right_type = self.number(right, right_type);
                self.arith(*op, left_type, right_type, &expr.range)
            }
            Node::All(_) | Node::Any(_) | Node::Not(_) | Node::Compare(..) => {
                self.condition(expr);
                Type::Bool
            }
        }
    }

    /// Complains about what is no number; gives the type, or that it is not known.
    fn number(&mut self, expr: &Expr, its_type: Type) -> Type {
        match its_type {
            Type::Int | Type::Float | Type::Duration | Type::Unknown => its_type,
            _ => {
                let message = format!(
                    "found {}, expected a number or a duration to compute with",
                    its_type.words()
                );
                self.error(&expr.range, message);
                Type::Unknown
            }
        }
    }

    fn arith(&mut self, op: ArithOp, left: Type, right: Type, range: &Range<usize>) -> Type {
        use ArithOp as Op;
        let is_duration = (left == Type::Duration, right == Type::Duration);
        let is_known = left != Type::Unknown && right != Type::Unknown;
        match (op, is_duration) {
            (_, (false, false)) if !is_known => Type::Unknown,
            (_, (false, false)) if left == Type::Int && right == Type::Int => Type::Int,
            (_, (false, false)) => Type::Float,
            (Op::Add | Op::Subtract | Op::Remainder, (true, true)) => Type::Duration,
            (Op::Divide, (true, true)) => Type::Float,
            (Op::Multiply, (true, false) | (false, true)) | (Op::Divide, (true, false)) => {
                // Of an attribute it is known as little as of the attribute.
                if is_known {
                    Type::Duration
                } else {
                    Type::Unknown
                }
            }
            _ => {
                let message = format!(
                    "{} {} {} has no meaning",
                    left.words(),
                    op.text(),
                    right.words()
                );
                self.error(range, message);
                Type::Unknown
            }
        }
    }

    fn comparison(&mut self, op: CompareOp, left: &Expr, right: &Expr, range: &Range<usize>) {
        let (left_type, right_type) = (self.operand(left), self.operand(right));
        if left_type == Type::Nil || right_type == Type::Nil {
            self.nil(op, left, right, range);
            return;
        }
        if op.is_pattern() {
            self.pattern(op, left, left_type, right);
            return;
        }
        let unordered = [Type::Bool, Type::Status, Type::Kind];
        if let Some(found) = [left_type, right_type]
            .iter()
            .find(|of| unordered.contains(of))
            && op.is_order()
        {
            let message = format!("{} has no order; expected \"=\" or \"!=\"", found.words());
            self.error(range, message);
            return;
        }
        self.types(left, left_type, right, right_type);
        self.types(right, right_type, left, left_type);
        if !op.is_order() {
            self.id(left, right);
            self.id(right, left);
        }
    }

    fn nil(&mut self, op: CompareOp, left: &Expr, right: &Expr, range: &Range<usize>) {
        let other = match (&left.node, &right.node) {
            (Node::Literal(Literal::Nil), other) | (other, _) => other,
        };
        let message = match other {
            _ if !matches!(op, CompareOp::Equal | CompareOp::NotEqual) => {
                format!(
                    "nil is compared with \"=\" or \"!=\", not with \"{}\"",
                    op.text()
                )
            }
            Node::Field(field) if field.value_type() == Type::Unknown => return,
            Node::Field(field) => {
                format!("every span has \"{field}\"; only attributes are compared with nil")
            }
            _ => "only attributes are compared with nil".to_owned(),
        };
        self.error(range, message);
    }

    fn pattern(&mut self, op: CompareOp, left: &Expr, left_type: Type, right: &Expr) {
        if !matches!(left_type, Type::String | Type::Unknown) {
            let message = format!(
                "\"{}\" compares texts, found {}",
                op.text(),
                left_type.words()
            );
            self.error(&left.range, message);
        }
        let Node::Literal(Literal::String(pattern)) = &right.node else {
            let message = format!(
                "\"{}\" has a pattern in quotes on its right, found \"{right}\"",
                op.text()
            );
            self.error(&right.range, message);
            return;
        };
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            let message =
                format!("the query has more than {PATTERNS_MAX} patterns; join some with |");
            self.error(&right.range, message);
        } else if let Err(why) = pattern::compile(pattern) {
            self.error(
                &right.range,
                format!("the pattern is no regular expression: {why}"),
            );
        }
    }

    /// Complains about a value that can't be compared with what stands on the other side.
    fn types(&mut self, value: &Expr, value_type: Type, other: &Expr, other_type: Type) {
        let is_same =
            value_type == other_type || (value_type.is_number() && other_type.is_number());
        let Node::Literal(literal) = &value.node else {
            // Two that are no values are complained about once.
            let is_first = value.range.start <= other.range.start;
            let is_other_value = matches!(other.node, Node::Literal(_));
            let is_known = value_type != Type::Unknown && other_type != Type::Unknown;
            if !is_same && is_known && is_first && !is_other_value {
                let message = format!("{} is never {}", value_type.words(), other_type.words());
                self.error(&(value.range.start..other.range.end), message);
            }
            return;
        };
        if is_same
            || (matches!(other.node, Node::Literal(_)) && value.range.start > other.range.start)
        {
            return;
        }
        if other_type == Type::Unknown {
            self.never(literal, value, other);
            return;
        }
        let message = match (other_type, value_type) {
            (Type::Duration, Type::Int | Type::Float) => {
                format!("\"{other}\" is a duration, expected a unit behind {literal}")
            }
            _ => format!(
                "\"{other}\" is {}, found {}",
                other_type.words(),
                value_type.words()
            ),
        };
        let error = Diagnostic::error(&value.range, message);
        self.diagnostics.push(match instead(literal, other_type) {
            Some(text) => error.propose(&value.range, text),
            None => error,
        });
    }

    /// Warns about values that no attribute has.
    fn never(&mut self, literal: &Literal, value: &Expr, other: &Expr) {
        let (what, instead) = match literal {
            Literal::Duration(nanos) if matches!(other.node, Node::Field(_)) => {
                ("a duration; compare with a number", nanos.to_string())
            }
            Literal::Status(status) => ("a status; texts stand in quotes", quoted(status.text())),
            Literal::Kind(kind) => ("a kind; texts stand in quotes", quoted(kind.text())),
            _ => return,
        };
        let message = format!("an attribute is never {what}");
        let warning = Diagnostic::warning(&value.range, message);
        self.diagnostics
            .push(warning.propose(&value.range, instead));
    }

    /// Complains about a text that is compared with an id and is none.
    fn id(&mut self, field: &Expr, value: &Expr) {
        let (Node::Field(Field::Intrinsic(intrinsic)), Node::Literal(Literal::String(text))) =
            (&field.node, &value.node)
        else {
            return;
        };
        let reason = match intrinsic {
            Intrinsic::ParentId if text.is_empty() => None,
            Intrinsic::TraceId | Intrinsic::LinkTraceId => TraceId::parse(text).err(),
            Intrinsic::SpanId | Intrinsic::ParentId | Intrinsic::LinkSpanId => {
                SpanId::parse(text).err()
            }
            _ => None,
        };
        if let Some(reason) = reason {
            self.error(&value.range, format!("{} is no id: {reason}", quoted(text)));
        }
    }
}

impl Literal {
    /// Its type.
    #[must_use]
    pub fn value_type(&self) -> Type {
        match self {
            Self::String(_) => Type::String,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Bool(_) => Type::Bool,
            Self::Nil => Type::Nil,
            Self::Duration(_) => Type::Duration,
            Self::Status(_) => Type::Status,
            Self::Kind(_) => Type::Kind,
        }
    }
}

/// What a value of the wrong type was probably meant to be.
fn instead(literal: &Literal, wanted: Type) -> Option<String> {
    match (literal, wanted) {
        (Literal::Int(0), Type::Duration) => Some(duration_text(0)),
        (Literal::Int(_) | Literal::Float(_), Type::Duration) => Some(format!("{literal}ms"))
            .filter(|text| duration_nanos(text.trim_start_matches('-')).is_some()),
        (Literal::String(text), Type::Duration) => {
            duration_nanos(text).is_some().then(|| text.clone())
        }
        (Literal::String(text), Type::Int | Type::Float) => {
            text.parse::<i64>().ok().map(|number| number.to_string())
        }
        (Literal::String(text), Type::Status) => {
            let lower = text.to_ascii_lowercase();
            let mut all = crate::ast::Status::ALL
                .into_iter()
                .map(crate::ast::Status::text);
            all.find(|one| *one == lower).map(ToOwned::to_owned)
        }
        (Literal::String(text), Type::Kind) => {
            let lower = text.to_ascii_lowercase();
            let mut all = crate::ast::Kind::ALL
                .into_iter()
                .map(crate::ast::Kind::text);
            all.find(|one| *one == lower).map(ToOwned::to_owned)
        }
        (Literal::Int(number), Type::Status) => {
            let mut all = crate::ast::Status::ALL.into_iter();
            let found = all.find(|one| i64::from(one.number()) == *number);
            found.map(|one| one.text().to_owned())
        }
        (Literal::Int(number), Type::Kind) => {
            let mut all = crate::ast::Kind::ALL.into_iter();
            let found = all.find(|one| i64::from(one.number()) == *number);
            found.map(|one| one.text().to_owned())
        }
        (_, Type::String) => Some(quoted(&literal.to_string())),
        _ => None,
    }
}
