//! Regular expressions of queries: RE2's syntax in linear time, matched with the whole value.
//!
//! Promises: a pattern that compiles here compiles in a store, which anchors it in the same way.

use regex::{Regex, RegexBuilder};

/// Memory of one compiled pattern; a store allows as much.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Compiles a pattern, or says in one line why it is none.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let build = |text: &str| {
        let built = RegexBuilder::new(text)
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it takes more than 1 MiB compiled".to_owned(),
            other => {
                let text = other.to_string();
                // Above the last line the pattern is shown again.
                let last = text.lines().last().unwrap_or_default();
                last.trim_start_matches("error: ").to_owned()
            }
        })
    };
    // Alone first: "a)|(b" would be a pattern only between the anchors.
    let alone = build(pattern)?;
    if plumbing::planted("traceql-pattern-not-anchored") {
        return Ok(alone);
    }
    build(&format!(r"\A(?:{pattern})\z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_values_and_are_bounded() {
        let is_match = |pattern: &str, text: &str| compile(pattern).unwrap().is_match(text);
        assert!(is_match("a|b", "a") && is_match("a|b", "b") && !is_match("a|b", "ab"));
        assert!(!is_match("a", "a\n"));
        for bad in ["(", "a)|(b", "(?x)a # b", r"(a)\1", "(\\w{500}){500}"] {
            let why = compile(bad).unwrap_err();
            assert!(!why.is_empty() && !why.contains('\n'), "{bad}: {why}");
        }
    }
}
