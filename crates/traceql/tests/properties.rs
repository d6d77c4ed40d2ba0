//! What must hold of any tree: it prints to a text that reads back as itself, whole and in chips.

use proptest::prelude::*;
use traceql::{Query, chips, from_chips, parse};

use crate::checks::check_text;
use crate::trees::query;

proptest! {
    #[test]
    fn a_tree_prints_to_a_text_that_reads_back_as_the_same_tree(query in query()) {
        let printed = query.to_string();
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.query.as_ref(), Some(&query), "{}: {:?}", printed, parsed.diagnostics);
        prop_assert_eq!(parsed.query.unwrap().to_string(), printed);
    }

    #[test]
    fn the_chips_of_a_tree_make_the_same_tree(query in query()) {
        let texts: Vec<String> = chips(&query).into_iter().map(|chip| chip.text).collect();
        prop_assert_eq!(from_chips(&texts), Ok(query));
    }

    #[test]
    fn conjuncts_that_are_taken_out_and_put_back_make_the_same_tree(query in query(), at in 0usize..4) {
        let conjuncts = query.conjuncts();
        let at = at % conjuncts.len().max(1);
        let without = query.without_conjunct(at);
        prop_assert_eq!(without.conjuncts().len(), conjuncts.len().saturating_sub(1));
        let rest: Vec<_> = conjuncts.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, one)| one.clone()).collect();
        prop_assert_eq!(without, Query { filter: traceql::Expr::all(rest) });
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        check_text(text.as_bytes());
    }

    #[test]
    fn no_text_of_the_words_of_the_language_makes_it_panic(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..24)
    ) {
        check_text(words.concat().as_bytes());
        check_text(words.join(" ").as_bytes());
        check_text(format!("{{ {} }}", words.join(" ")).as_bytes());
    }

    #[test]
    fn no_change_of_a_good_text_makes_it_panic(
        query in query(),
        at in any::<prop::sample::Index>(),
        word in prop::sample::select(WORDS.to_vec()),
        removed in 0usize..3,
    ) {
        let mut letters: Vec<char> = query.to_string().chars().collect();
        let from = at.index(letters.len());
        let to = (from + removed).min(letters.len());
        letters.splice(from..to, word.chars());
        check_text(letters.into_iter().collect::<String>().as_bytes());
    }
}

const WORDS: [&str; 44] = [
    "{",
    "}",
    "(",
    ")",
    "&&",
    "||",
    "!",
    "=",
    "!=",
    "=~",
    "!~",
    ">",
    "<=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "^",
    "%",
    "name",
    "duration",
    "status",
    "span.a",
    ".b",
    "event:name",
    "resource.service.name",
    "trace:id",
    "\"x\"",
    "\"",
    "`",
    "'",
    "1",
    "1.5",
    "10ms",
    "nil",
    "true",
    "error",
    "server",
    "and",
    ">>",
    "|",
    "/*",
    "\\",
];

#[test]
fn bounds_hold() {
    let errors = |text: &str| {
        parse(text)
            .diagnostics
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let chain = |count: usize| format!("{{ {} }}", vec![".a"; count].join(" && "));
    assert!(parse(&chain(2_048)).query.is_some());
    assert!(errors(&chain(4_200))[0].contains("more than 4096 parts"));
    let deep = |count: usize| format!("{{ {}.a{} }}", "!(".repeat(count), ")".repeat(count));
    assert!(parse(&deep(40)).query.is_some());
    assert!(errors(&deep(60))[0].contains("more than 48 levels"));
    for hostile in ["(", "!", "-", "{ 1 ^", "{ .a = -", "{ (", "{ 1 +"] {
        let text = format!("{{ {}", hostile.repeat(20_000));
        assert!(!errors(&text).is_empty(), "{hostile}");
    }
    for hostile in ["1 ^ ", "1 + ", ".a = ", ".a || .b && ", "&", "'a' "] {
        let text = format!("{{ {}1 }}", hostile.repeat(5_000));
        let found = errors(&text);
        assert!(
            !found.is_empty() && found.len() <= traceql::DIAGNOSTICS_MAX,
            "{hostile}"
        );
    }
    let long = format!("{{ name = \"{}\" }}", "x".repeat(traceql::TEXT_BYTES_MAX));
    assert!(errors(&long)[0].contains("131072 are allowed"));
    let patterns = format!("{{ {} }}", vec!["name =~ `x`"; 65].join(" || "));
    assert!(errors(&patterns)[0].contains("more than 64 patterns"));
}
