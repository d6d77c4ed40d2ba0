//! The regular expressions of a filter.

/// Memory of one compiled pattern; the store allows as much.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Refuses what a pattern that is found anywhere must not say.
pub(super) fn check_pattern(pattern: &str) -> Result<(), String> {
    let refused = |what: &str| Err(format!("regex: {what} is not allowed in {pattern:?}"));
    let built = regex::RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    if let Err(error) = built {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        return Err(format!(
            "regex: {pattern:?} is no pattern: {}",
            last.trim_start_matches("error: ")
        ));
    }
    let mut is_in_class = false;
    let mut before = ' ';
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('b' | 'B' | 'A' | 'z' | 'Z') if !is_in_class => return refused("an anchor"),
                // The characters of a literal text are none of the language's.
                Some('Q') => return refused("\\Q"),
                _ => {}
            },
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            _ if is_in_class => {}
            '^' | '$' => return refused("an anchor"),
            '?' if matches!(before, '*' | '+' | '?' | '}') => return refused("lazy repetition"),
            '(' if chars.peek() == Some(&'?') => {
                chars.next();
                if chars.next() != Some(':') {
                    return refused("a flag or a name of a group");
                }
            }
            _ => {}
        }
        before = if c == '\\' { ' ' } else { c };
    }
    Ok(())
}
