//! Which spans of one trace stand in a relation to others of it: by ids, whatever these are.
//!
//! The words are those of `model::structure`. Parents may go round in a circle: what hangs below a circle has all of it
//! above, and each span on it all the others.

#![allow(
    clippy::cast_possible_truncation,
    reason = "spans of a trace are below 2^32"
)]

use std::collections::HashMap;

use foldhash::fast::RandomState;
use model::{Relation, SpanId};

/// A span of a trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub span_id: SpanId,
    pub parent_span_id: SpanId,
    /// Whether it is one of those that others are related to.
    pub is_left: bool,
    /// Whether it is found when it is related to one of them.
    pub is_right: bool,
}

const NONE: u32 = u32::MAX;

/// Tells whether a span id comes more than once.
pub(super) fn has_repeats(members: &[Member]) -> bool {
    let mut ids: Vec<SpanId> = members.iter().map(|member| member.span_id).collect();
    ids.sort_unstable();
    ids.windows(2).any(|pair| pair.first() == pair.last())
}

/// The number of spans on the right that are related to one on the left. The members are in order of arrival, or no
/// span id comes twice.
pub(super) fn count_related(members: &[Member], relation: Relation) -> u64 {
    if !members.iter().any(|member| member.is_left) {
        return 0;
    }
    let tree = Tree::new(members);
    let related: Vec<bool> = match relation {
        Relation::Child => tree.of_parent(|parent| tree.is_left(parent)),
        Relation::Parent => tree.left_children().iter().map(|n| *n > 0).collect(),
        Relation::Sibling => {
            let children = tree.left_children();
            let is_sibling = |at: u32| {
                let itself = u32::from(tree.is_left(at));
                get(&children, tree.parent_of(at)).is_some_and(|n| n > itself)
            };
            (0..members.len() as u32).map(is_sibling).collect()
        }
        Relation::Descendant => tree.below_left(),
        Relation::Ancestor => tree.above_left(),
    };
    let found = members.iter().zip(related);
    found
        .filter(|(member, is_related)| member.is_right && *is_related)
        .count() as u64
}

fn get<T: Copy>(column: &[T], at: u32) -> Option<T> {
    column.get(at as usize).copied()
}

/// The spans by place, and who is whose parent.
struct Tree<'a> {
    members: &'a [Member],
    parent: Vec<u32>,
    /// Those on no circle, each before its parent.
    upwards: Vec<u32>,
    /// The circles.
    circles: Vec<Vec<u32>>,
}

impl<'a> Tree<'a> {
    fn new(members: &'a [Member]) -> Self {
        let mut first_of: HashMap<SpanId, u32, RandomState> = HashMap::default();
        for (at, member) in members.iter().enumerate() {
            first_of.entry(member.span_id).or_insert(at as u32);
        }
        let parent_of = |(at, member): (usize, &Member)| {
            let parent = Some(member.parent_span_id).filter(|id| !id.is_zero());
            let parent = parent.and_then(|id| first_of.get(&id)).copied();
            parent.filter(|parent| *parent != at as u32).unwrap_or(NONE)
        };
        let mut tree = Self {
            members,
            parent: members.iter().enumerate().map(parent_of).collect(),
            upwards: Vec::with_capacity(members.len()),
            circles: Vec::new(),
        };
        tree.sort();
        tree
    }

    fn sort(&mut self) {
        let mut children = vec![0u32; self.parent.len()];
        for parent in &self.parent {
            if let Some(count) = children.get_mut(*parent as usize) {
                *count += 1;
            }
        }
        let is_leaf = |at: &u32| get(&children, *at) == Some(0);
        self.upwards
            .extend((0..self.parent.len() as u32).filter(is_leaf));
        let mut next = 0;
        while let Some(at) = self.upwards.get(next).copied() {
            next += 1;
            let parent = self.parent_of(at);
            if let Some(count) = children.get_mut(parent as usize) {
                *count -= 1;
                if *count == 0 {
                    self.upwards.push(parent);
                }
            }
        }
        // Whoever still has a child is on a circle.
        for start in 0..self.parent.len() as u32 {
            let mut circle = Vec::new();
            let mut at = start;
            while let Some(count) = children.get_mut(at as usize).filter(|count| **count > 0) {
                *count = 0;
                circle.push(at);
                at = self.parent_of(at);
            }
            if !circle.is_empty() {
                self.circles.push(circle);
            }
        }
    }

    fn parent_of(&self, at: u32) -> u32 {
        get(&self.parent, at).unwrap_or(NONE)
    }

    fn is_left(&self, at: u32) -> bool {
        self.members
            .get(at as usize)
            .is_some_and(|member| member.is_left)
    }

    /// For each span, what is true of its parent; false when it has none.
    fn of_parent(&self, is: impl Fn(u32) -> bool) -> Vec<bool> {
        let parents = self.parent.iter();
        parents
            .map(|parent| *parent != NONE && is(*parent))
            .collect()
    }

    /// For each span, how many of the left are its children.
    fn left_children(&self) -> Vec<u32> {
        let mut children = vec![0; self.parent.len()];
        for (parent, member) in self.parent.iter().zip(self.members) {
            if let Some(count) = children
                .get_mut(*parent as usize)
                .filter(|_| member.is_left)
            {
                *count += 1;
            }
        }
        children
    }

    fn below_left(&self) -> Vec<bool> {
        let mut below = vec![false; self.parent.len()];
        for circle in &self.circles {
            let all = circle.iter().filter(|at| self.is_left(**at)).count();
            for at in circle {
                if let Some(is) = below.get_mut(*at as usize) {
                    *is = all > usize::from(self.is_left(*at));
                }
            }
        }
        for at in self.upwards.iter().rev() {
            let parent = self.parent_of(*at);
            let is_below = self.is_left(parent) || get(&below, parent).unwrap_or_default();
            if let Some(is) = below.get_mut(*at as usize) {
                *is = is_below;
            }
        }
        below
    }

    fn above_left(&self) -> Vec<bool> {
        // How many of the left are below, circles left out.
        let mut counts = vec![0u32; self.parent.len()];
        for at in &self.upwards {
            let count = get(&counts, *at).unwrap_or_default() + u32::from(self.is_left(*at));
            if let Some(of_parent) = counts.get_mut(self.parent_of(*at) as usize) {
                *of_parent += count;
            }
        }
        let mut above: Vec<bool> = counts.iter().map(|count| *count > 0).collect();
        for circle in &self.circles {
            let with_below =
                |at: &u32| get(&counts, *at).unwrap_or_default() + u32::from(self.is_left(*at));
            let all: u32 = circle.iter().map(with_below).sum();
            for at in circle {
                if let Some(is) = above.get_mut(*at as usize) {
                    *is = all > u32::from(self.is_left(*at));
                }
            }
        }
        above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spans by their number, the parent's, and what they are.
    fn members(of: &[(u64, u64, &str)]) -> Vec<Member> {
        let member = |(id, parent, is): &(u64, u64, &str)| Member {
            span_id: SpanId::from_number(*id),
            parent_span_id: SpanId::from_number(*parent),
            is_left: is.contains('l'),
            is_right: is.contains('r'),
        };
        of.iter().map(member).collect()
    }

    #[test]
    fn a_span_is_not_its_own_kin() {
        let alone = members(&[(1, 0, "lr"), (2, 1, "lr"), (3, 3, "lr")]);
        assert_eq!(count_related(&alone, Relation::Sibling), 0);
        assert_eq!(count_related(&alone, Relation::Descendant), 1);
        assert_eq!(count_related(&alone, Relation::Ancestor), 1);
        assert_eq!(count_related(&alone, Relation::Child), 1);
        assert_eq!(count_related(&alone, Relation::Parent), 1);
    }

    #[test]
    fn on_a_circle_each_is_above_all_others() {
        let circle = members(&[
            (1, 3, "l"),
            (2, 1, "r"),
            (3, 2, "r"),
            (4, 2, "r"),
            (5, 9, "r"),
        ]);
        assert_eq!(count_related(&circle, Relation::Descendant), 3);
        assert_eq!(count_related(&circle, Relation::Ancestor), 2);
        let below = members(&[(1, 2, "r"), (2, 1, "r"), (3, 1, "l"), (4, 3, "r")]);
        assert_eq!(count_related(&below, Relation::Ancestor), 2);
        assert_eq!(count_related(&below, Relation::Descendant), 1);
    }

    #[test]
    fn of_several_spans_with_an_id_the_first_is_the_parent() {
        let two = members(&[(1, 0, "l"), (1, 0, ""), (2, 1, "r")]);
        assert!(has_repeats(&two));
        assert_eq!(count_related(&two, Relation::Child), 1);
        let other = members(&[(1, 0, ""), (1, 0, "l"), (2, 1, "r")]);
        assert_eq!(count_related(&other, Relation::Child), 0);
    }
}
