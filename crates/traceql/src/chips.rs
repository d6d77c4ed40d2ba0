//! A query as chips, and chips as a query.
//!
//! Promises: there is one chip for each member of the outermost `&&`; a comparison of a field with a value can be
//! edited, everything else is a chip of text. The texts of the chips make a query whose tree is the one they came from.

use crate::ast::{CompareOp, Expr, Field, Literal, Node, Query};
use crate::diagnostic::Diagnostic;
use crate::fields::Type;
use crate::parse::parse;

/// A member of the outermost `&&`.
#[derive(Debug, Clone, PartialEq)]
pub struct Chip {
    /// As it is written.
    pub text: String,
    /// The field, of one that can be edited.
    pub field: Option<Field>,
    /// How it is compared; `None` where a boolean field stands alone.
    pub op: Option<CompareOp>,
    /// What it is compared with.
    pub value: Option<Literal>,
    /// Whether it is a field, an operator and a value, or a boolean field alone.
    pub is_editable: bool,
}

impl Chip {
    fn of(conjunct: &Expr) -> Self {
        let parts = match &conjunct.node {
            Node::Field(field) => Some((field, None)),
            Node::Compare(op, left, right) => match (&left.node, &right.node) {
                (Node::Field(field), Node::Literal(value)) => Some((field, Some((*op, value)))),
                _ => None,
            },
            _ => None,
        };
        Self {
            text: conjunct.to_string(),
            field: parts.map(|(field, _)| field.clone()),
            op: parts.and_then(|(_, compared)| compared).map(|(op, _)| op),
            value: parts
                .and_then(|(_, compared)| compared)
                .map(|(_, value)| value.clone()),
            is_editable: parts.is_some(),
        }
    }
}

/// The chips of a query, in its order; none for `{}`.
#[must_use]
pub fn chips(query: &Query) -> Vec<Chip> {
    query.conjuncts().iter().map(Chip::of).collect()
}

/// The query of some chips' texts.
///
/// # Errors
/// The first chip that is none, by its place, with what is wrong with it in bytes of its text. Chips that are good one
/// by one and too many together are complained about at the last.
pub fn from_chips<T: AsRef<str>>(texts: &[T]) -> Result<Query, (usize, Vec<Diagnostic>)> {
    const OPEN: &str = "{ ";
    let mut conjuncts = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        // With a line end, so that a comment in a chip does not reach the brace.
        let parsed = parse(&format!("{OPEN}{}\n}}", text.as_ref()));
        let length = text.as_ref().len();
        let of_chip = |mut one: Diagnostic| {
            let shifted = |at: usize| at.saturating_sub(OPEN.len()).min(length);
            one.range = shifted(one.range.start)..shifted(one.range.end);
            if let Some(proposal) = &mut one.proposal {
                proposal.range = shifted(proposal.range.start)..shifted(proposal.range.end);
            }
            one
        };
        match parsed.query {
            Some(query) => conjuncts.extend(query.filter),
            None => return Err((at, parsed.diagnostics.into_iter().map(of_chip).collect())),
        }
    }
    let query = Query {
        filter: Expr::all(conjuncts),
    };
    let whole = parse(&query.to_string());
    whole
        .query
        .ok_or((texts.len().saturating_sub(1), whole.diagnostics))
}

impl Query {
    /// The members of the outermost `&&`; a single condition is the only one.
    #[must_use]
    pub fn conjuncts(&self) -> &[Expr] {
        match &self.filter {
            None => &[],
            Some(Expr {
                node: Node::All(members),
                ..
            }) => members,
            Some(only) => std::slice::from_ref(only),
        }
    }

    fn of_conjuncts(conjuncts: Vec<Expr>) -> Self {
        Self {
            filter: Expr::all(conjuncts),
        }
    }

    /// The query with one more comparison; the same where it has it already.
    #[must_use]
    pub fn with_comparison(&self, field: Field, op: CompareOp, value: Literal) -> Self {
        let comparison = Expr::comparison(field, op, value);
        let mut conjuncts = self.conjuncts().to_vec();
        if !conjuncts.contains(&comparison) {
            conjuncts.push(comparison);
        }
        Self::of_conjuncts(conjuncts)
    }

    /// The query with another comparison at a place; the same where there is no such place.
    #[must_use]
    pub fn with_replaced(&self, at: usize, field: Field, op: CompareOp, value: Literal) -> Self {
        let mut conjuncts = self.conjuncts().to_vec();
        if let Some(slot) = conjuncts.get_mut(at) {
            *slot = Expr::comparison(field, op, value);
        }
        Self::of_conjuncts(conjuncts)
    }

    /// The query without the member at a place; the same where there is no such place.
    #[must_use]
    pub fn without_conjunct(&self, at: usize) -> Self {
        let mut conjuncts = self.conjuncts().to_vec();
        if at < conjuncts.len() {
            conjuncts.remove(at);
        }
        Self::of_conjuncts(conjuncts)
    }
}

impl Field {
    /// The operators that fit its type.
    #[must_use]
    pub fn operators(&self) -> Vec<CompareOp> {
        let its_type = self.value_type();
        let fits = |op: &CompareOp| match its_type {
            Type::Unknown => true,
            Type::String => !op.is_order() || !self.is_id(),
            Type::Status | Type::Kind | Type::Bool | Type::Nil => {
                !op.is_order() && !op.is_pattern()
            }
            Type::Int | Type::Float | Type::Duration => !op.is_pattern(),
        };
        CompareOp::ALL.into_iter().filter(fits).collect()
    }

    fn is_id(&self) -> bool {
        matches!(self, Self::Intrinsic(intrinsic) if intrinsic.is_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{Intrinsic, Scope};

    fn query(text: &str) -> Query {
        parse(text).query.unwrap()
    }

    #[test]
    fn simple_comparisons_can_be_edited_and_all_else_is_text() {
        let found = chips(&query(
            "{ name = \"a\" && .x != nil && span.is && (duration > 1s || .y = 1) && !.z && 1 < .n }",
        ));
        let shown: Vec<_> = found
            .iter()
            .map(|chip| (chip.text.as_str(), chip.is_editable))
            .collect();
        assert_eq!(
            shown,
            [
                ("name = \"a\"", true),
                (".x != nil", true),
                ("span.is", true),
                ("duration > 1s || .y = 1", false),
                ("!.z", false),
                ("1 < .n", false),
            ]
        );
        assert_eq!(found[0].field, Some(Field::Intrinsic(Intrinsic::Name)));
        assert_eq!(found[1].value, Some(Literal::Nil));
        assert_eq!(found[2].op, None);
        let mixed = chips(&query("{ .a || .b }"));
        assert_eq!(mixed.len(), 1);
        assert!(chips(&query("{}")).is_empty());
    }

    #[test]
    fn chips_make_the_query_they_came_from_and_bad_ones_are_told_apart() {
        let whole = query("{ .a && (.b || .c) && !(.d = 1) }");
        let texts: Vec<String> = chips(&whole).into_iter().map(|chip| chip.text).collect();
        assert_eq!(from_chips(&texts), Ok(whole));
        assert_eq!(from_chips::<&str>(&[]), Ok(query("{}")));
        let (at, diagnostics) = from_chips(&[".a", "name = foo"]).unwrap_err();
        assert_eq!((at, diagnostics[0].range.clone()), (1, 7..10));
        assert_eq!(from_chips(&[".a) || (.b"]).unwrap_err().0, 0);
    }

    #[test]
    fn conjuncts_are_added_replaced_and_removed() {
        let none = Query::default();
        let env = || Field::attribute(Scope::Resource, "env");
        let text = |text: &str| Literal::String(text.to_owned());
        let one = none.with_comparison(env(), CompareOp::Equal, text("prod"));
        assert_eq!(one.to_string(), "{ resource.env = \"prod\" }");
        assert_eq!(
            one.with_comparison(env(), CompareOp::Equal, text("prod")),
            one
        );
        let or = query("{ .a || .b }").with_comparison(env(), CompareOp::NotEqual, text("x"));
        assert_eq!(or.to_string(), "{ (.a || .b) && resource.env != \"x\" }");
        assert_eq!(or.without_conjunct(1).to_string(), "{ .a || .b }");
        assert_eq!(or.without_conjunct(7), or);
        assert_eq!(one.without_conjunct(0), none);
        let other = one.with_replaced(0, env(), CompareOp::Equal, text("test"));
        assert_eq!(other.to_string(), "{ resource.env = \"test\" }");
    }
}
