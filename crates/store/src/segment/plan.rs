//! A predicate made ready for segments: compiled once, its filter entries computed once.
//!
//! Promises: what a plan rules out for a granule is certainly not there.

use std::ops::Range;

use model::batch::AttrValue;
use model::{Field, Literal, Operator, Place, Predicate};

use super::SegmentError;
use crate::index::filters::{Filters, Subject, texts_of_number};
use crate::index::keys::{Bounds, KeyFacts, KeyList};
use crate::index::{GRANULE_ROWS, OwnerKind};
use model::evaluate::{self, Compiled, PredicateError};

/// A predicate made ready to search segments with.
#[derive(Debug, Clone)]
pub struct SearchPlan {
    pub(crate) root: Node,
    /// The same, for rows that must be judged one by one.
    pub(crate) rows: Compiled,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    All,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf(Box<Leaf>),
}

/// A comparison, or the question whether a field is there.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub field: Field,
    pub test: Test,
    /// Filter entries of which a match has at least one; `None`: filters can't tell.
    entries: Option<Vec<u64>>,
}

/// What a value must pass.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Exists,
    Value(evaluate::Test),
}

impl Test {
    /// Tells whether a value passes.
    pub(crate) fn passes(&self, value: &AttrValue<'_>) -> bool {
        match self {
            Self::Exists => true,
            Self::Value(test) => evaluate::passes(value, test),
        }
    }
}

impl SearchPlan {
    /// Makes a predicate ready.
    pub fn new(predicate: &Predicate) -> Result<Self, PredicateError> {
        Compiled::new(predicate).map(Self::of_compiled)
    }

    /// Makes a predicate ready that is compiled.
    #[must_use]
    pub fn of_compiled(rows: Compiled) -> Self {
        Self {
            root: node(rows.root()),
            rows,
        }
    }
}

/// Compiling has bounded the depth that this descends.
fn node(judged: &evaluate::Node) -> Node {
    match judged {
        evaluate::Node::All => Node::All,
        evaluate::Node::And(of) => {
            let mut all: Vec<Node> = of.iter().map(node).collect();
            all.sort_by_key(rank);
            Node::And(all)
        }
        evaluate::Node::Or(of) => Node::Or(of.iter().map(node).collect()),
        evaluate::Node::Not(one) => Node::Not(Box::new(node(one))),
        evaluate::Node::Exists(field) => leaf(field, Test::Exists),
        evaluate::Node::Compare(field, test) => leaf(field, Test::Value(test.clone())),
    }
}

/// What is judged first: what usually leaves the fewest rows for the least reading.
fn rank(node: &Node) -> u8 {
    match node {
        Node::Leaf(leaf) => match (&leaf.entries, &leaf.field) {
            (Some(_), Field::Attribute { .. } | Field::EventName | Field::StatusMessage) => 0,
            (Some(_), Field::Name) => 1,
            (Some(_), Field::Service | Field::Status | Field::Kind) => 2,
            _ => 3,
        },
        Node::And(all) => all.iter().map(rank).min().unwrap_or_default(),
        Node::Or(any) => any.iter().map(rank).max().unwrap_or_default(),
        Node::All | Node::Not(_) => 4,
    }
}

fn leaf(field: &Field, test: Test) -> Node {
    let entries = entries(field, &test);
    Node::Leaf(Box::new(Leaf {
        field: field.clone(),
        test,
        entries,
    }))
}

fn entries(field: &Field, test: &Test) -> Option<Vec<u64>> {
    let Test::Value(evaluate::Test::Literal(Operator::Equal, literal)) = test else {
        return None;
    };
    let subject = match field {
        Field::Name => Subject::Name,
        Field::Service => Subject::Service,
        Field::Kind => Subject::Kind,
        Field::Status => Subject::Status,
        Field::StatusMessage => Subject::StatusMessage,
        Field::EventName => Subject::EventName,
        Field::ScopeName => Subject::ScopeName,
        Field::ScopeVersion => Subject::ScopeVersion,
        Field::Attribute { key, .. } => Subject::Attribute(key),
        _ => return None,
    };
    let texts = match literal {
        Literal::String(text) | Literal::Text(text) => vec![text.clone()],
        Literal::Int(int) => texts_of_number(AttrValue::Int(*int)),
        Literal::Double(double) => texts_of_number(AttrValue::Double(*double)),
        Literal::Bool(is) => vec![is.to_string()],
        Literal::TraceId(_) | Literal::SpanId(_) => return None,
    };
    Some(texts.iter().map(|text| subject.entry(text)).collect())
}

/// What the sidecar knows that rules granules out.
#[derive(Debug)]
pub(crate) struct Pruner<'a> {
    pub filters: &'a Filters,
    pub keys: &'a KeyList,
}

impl Pruner<'_> {
    /// Tells whether some rows may have a match.
    pub(crate) fn may_match(&self, node: &Node, rows: &Range<usize>) -> Result<bool, SegmentError> {
        may_hold(node, &|leaf| self.leaf_may_match(leaf, rows))
    }

    /// Tells whether any row may have a match, from the keys alone, which costs less than to ask for each granule.
    pub(crate) fn keys_may_match(&self, node: &Node) -> Result<bool, SegmentError> {
        may_hold(node, &|leaf| Ok(self.key_may_match(leaf, None)))
    }

    pub(crate) fn leaf_may_match(
        &self,
        leaf: &Leaf,
        rows: &Range<usize>,
    ) -> Result<bool, SegmentError> {
        for granule in rows.start / GRANULE_ROWS..rows.end.div_ceil(GRANULE_ROWS) {
            if self.granule_may_match(leaf, granule)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn granule_may_match(&self, leaf: &Leaf, granule: usize) -> Result<bool, SegmentError> {
        if let Some(entries) = &leaf.entries {
            let mut may_have = false;
            for entry in entries {
                may_have = may_have || self.filters.may_have(granule, *entry)?;
            }
            if !may_have {
                return Ok(false);
            }
        }
        Ok(self.key_may_match(leaf, Some(granule)))
    }

    /// Tells whether a key has such values in a granule, or in any.
    fn key_may_match(&self, leaf: &Leaf, granule: Option<usize>) -> bool {
        let Field::Attribute { place, key } = &leaf.field else {
            return true;
        };
        let is_in = |facts: &KeyFacts| granule.is_none_or(|granule| facts.is_in(granule));
        self.facts(*place, key)
            .is_none_or(|mut facts| facts.any(|facts| is_in(facts) && may_pass(facts, &leaf.test)))
    }

    /// What is known of a key at a place; `None` when that may not be all.
    fn facts(&self, place: Place, key: &str) -> Option<impl Iterator<Item = &KeyFacts>> {
        let is_asked = move |facts: &&KeyFacts| stands_at(facts.owner, place) && facts.key == key;
        self.keys
            .is_complete
            .then(|| self.keys.keys.iter().filter(is_asked))
    }

    /// Tells whether a key may stand with owners of this kind.
    pub(crate) fn may_own(&self, owner: OwnerKind, key: &str) -> bool {
        !self.keys.is_complete
            || self
                .keys
                .keys
                .iter()
                .any(|facts| facts.owner == owner && facts.key == key)
    }
}

/// Tells whether a node may hold where its leaves may as they say; the first that decides is the last that is asked.
/// Compiling has bounded the depth that this descends.
fn may_hold(
    node: &Node,
    leaf_may: &dyn Fn(&Leaf) -> Result<bool, SegmentError>,
) -> Result<bool, SegmentError> {
    let any_is = |of: &[Node], wanted: bool| {
        for one in of {
            if may_hold(one, leaf_may)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match node {
        Node::All | Node::Not(_) => Ok(true),
        Node::And(all) => any_is(all, false).map(|is| !is),
        Node::Or(any) => any_is(any, true),
        Node::Leaf(leaf) => leaf_may(leaf),
    }
}

/// Tells whether attributes of these owners are meant by a place.
pub(crate) fn stands_at(owner: OwnerKind, place: Place) -> bool {
    match place {
        Place::Anywhere => true,
        Place::Span => owner == OwnerKind::Span,
        Place::Resource => owner == OwnerKind::Resource,
        Place::Scope => owner == OwnerKind::Scope,
        Place::Event => owner == OwnerKind::Event,
        Place::Link => owner == OwnerKind::Link,
    }
}

/// Whether a number between the bounds may pass: an interval passes a comparison if one of its ends does.
fn may_pass(facts: &KeyFacts, test: &Test) -> bool {
    let Test::Value(evaluate::Test::Literal(operator, Literal::Int(_) | Literal::Double(_))) = test
    else {
        return true;
    };
    let ends = match facts.bounds {
        Some(Bounds::Int(low, high)) => [AttrValue::Int(low), AttrValue::Int(high)],
        Some(Bounds::Double(low, high)) => [AttrValue::Double(low), AttrValue::Double(high)],
        // Other types have no order with numbers and are equal to none; NotEqual holds for all of them.
        None => return *operator == Operator::NotEqual,
    };
    match operator {
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            ends.iter().any(|end| test.passes(end))
        }
        _ => true,
    }
}
