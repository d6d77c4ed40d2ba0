//! Finds the name that somebody who mistyped most likely meant.
//!
//! Promises: suggests only what is near; a wrong suggestion is worse than none.

/// The name nearest to what was typed, if one is near enough.
pub(crate) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let best = names
        .into_iter()
        .map(|name| (distance_with_path(&typed, name), name))
        .min()?;
    // A third of the letters may be wrong, and two always.
    let bearable = (typed.chars().count() / 3).max(2);
    (best.0 <= bearable).then_some(best.1)
}

/// The edit distance; a key whose path was left out in front costs one.
fn distance_with_path(typed: &str, name: &str) -> usize {
    let whole = edit_distance(typed, name);
    let steps = typed.split('.').count();
    let tail = match name.rmatch_indices('.').nth(steps.saturating_sub(1)) {
        Some((at, _)) => name.get(at + 1..).unwrap_or(name),
        None => return whole,
    };
    whole.min(edit_distance(typed, tail) + 1)
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (typed, letter) in left.chars().enumerate() {
        let mut diagonal = typed;
        let mut before = typed + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = *cell;
            *cell = changed.min(diagonal + 1).min(before + 1);
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = typed + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = [
        "store.retention.age",
        "store.retention.bytes",
        "store.dir",
        "listen.otlp_http",
    ];

    #[test]
    fn counts_insertions_deletions_and_changes() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }

    #[test]
    fn suggests_what_was_mistyped_or_lacks_its_path() {
        assert_eq!(
            nearest("store.retension.age", NAMES),
            Some("store.retention.age")
        );
        assert_eq!(nearest("retention.age", NAMES), Some("store.retention.age"));
        assert_eq!(nearest("LISTEN.OTLP_HTTP", NAMES), Some("listen.otlp_http"));
        assert_eq!(nearest("listen.otlp-http", NAMES), Some("listen.otlp_http"));
    }

    #[test]
    fn suggests_nothing_when_nothing_is_near() {
        assert_eq!(nearest("exporters.kafka.brokers", NAMES), None);
        assert_eq!(nearest("x", []), None);
    }
}
