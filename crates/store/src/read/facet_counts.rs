//! The values of a field, counted over all places, in bounded memory.
//!
//! Where there are too many, those with the lowest counts are let go: what is left may count too few, never too many.

use std::cmp::Reverse;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::overview::{FacetAnswer, FacetValue};
use model::{Field, ValueType};

use crate::segment::facets::{Counted, GroupFacet};

/// Values of a facet, and bytes of their texts, before some are let go.
const VALUES_MAX: usize = 100_000;
const TEXT_BYTES_MAX: usize = 16 << 20;

/// How many spans have each value of a field.
#[derive(Debug, Default)]
pub(super) struct FacetCounts {
    values: HashMap<(ValueType, String), (u64, u64), RandomState>,
    text_bytes: usize,
    missing: u64,
    /// The counts of values that were let go.
    let_go: u64,
    is_cut: bool,
}

impl FacetCounts {
    /// Adds what is known of more spans.
    pub(super) fn absorb(&mut self, more: GroupFacet) {
        self.missing += more.missing;
        more.values.into_iter().for_each(|value| self.add(value));
    }

    /// Adds what was counted elsewhere.
    pub(super) fn absorb_all(&mut self, other: Self) {
        self.missing += other.missing;
        self.let_go += other.let_go;
        self.is_cut |= other.is_cut;
        for ((value_type, text), (count, errors)) in other.values {
            self.add(Counted {
                value_type,
                text,
                count,
                errors,
            });
        }
    }

    fn add(&mut self, value: Counted) {
        let bytes = value.text.len();
        let counts = self.values.entry((value.value_type, value.text));
        let counts = counts.or_insert_with(|| {
            self.text_bytes += bytes;
            (0, 0)
        });
        counts.0 += value.count;
        counts.1 += value.errors;
        if self.values.len() > VALUES_MAX || self.text_bytes > TEXT_BYTES_MAX {
            self.let_some_go();
        }
    }

    /// Keeps the half with the highest counts.
    fn let_some_go(&mut self) {
        self.is_cut = true;
        let mut all: Vec<_> = std::mem::take(&mut self.values).into_iter().collect();
        all.sort_unstable_by(|a, b| (Reverse(a.1.0), &a.0).cmp(&(Reverse(b.1.0), &b.0)));
        self.text_bytes = 0;
        for (key, counts) in all {
            let bytes = self.text_bytes + key.1.len();
            if self.values.len() >= VALUES_MAX / 2 || bytes > TEXT_BYTES_MAX / 2 {
                self.let_go += counts.0;
                continue;
            }
            self.text_bytes = bytes;
            self.values.insert(key, counts);
        }
    }

    /// The most frequent values.
    pub(super) fn finish(self, field: Field, values_max: usize) -> FacetAnswer {
        let distinct = self.values.len() as u64;
        let mut all: Vec<_> = self.values.into_iter().collect();
        all.sort_unstable_by(|(a, of_a), (b, of_b)| {
            (Reverse(of_a.0), &a.1, a.0).cmp(&(Reverse(of_b.0), &b.1, b.0))
        });
        let others = all.iter().skip(values_max).map(|(_, counts)| counts.0);
        let others = others.sum::<u64>() + self.let_go;
        all.truncate(values_max);
        let values = all.into_iter();
        let values = values.map(|((value_type, text), (count, errors))| FacetValue {
            text,
            value_type,
            count,
            errors,
        });
        FacetAnswer {
            field,
            values: values.collect(),
            others,
            distinct,
            missing: self.missing,
            is_exact: !self.is_cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: String, count: u64) -> GroupFacet {
        GroupFacet {
            values: vec![Counted {
                value_type: ValueType::String,
                text,
                count,
                errors: 0,
            }],
            missing: 1,
        }
    }

    #[test]
    fn of_too_many_values_the_most_frequent_stay_and_nothing_is_lost() {
        let mut counts = FacetCounts::default();
        for number in 0..3 * VALUES_MAX as u64 / 2 {
            counts.absorb(counted(format!("rare-{number}"), 1));
            counts.absorb(counted("often".to_owned(), 2));
        }
        counts.absorb(counted("x".repeat(TEXT_BYTES_MAX), 1));
        let mut all = FacetCounts::default();
        all.absorb_all(counts);
        assert!(all.values.len() <= VALUES_MAX && all.text_bytes <= TEXT_BYTES_MAX);
        let answer = all.finish(Field::Name, 2);
        assert!(!answer.is_exact);
        assert_eq!(answer.values[0].text, "often");
        assert_eq!(answer.values[0].count, 3 * VALUES_MAX as u64);
        let told = answer.values.iter().map(|value| value.count).sum::<u64>();
        assert_eq!(told + answer.others, 3 * VALUES_MAX as u64 / 2 * 3 + 1);
        assert_eq!(answer.missing, 3 * VALUES_MAX as u64 + 1);
    }
}
