//! Looks at Rust source as text: blanks out comments and literals, finds functions and their lengths.
//!
//! Promises: line numbers stay; it never fails, and on odd input it finds less rather than something wrong.
//! Refuses to be a parser: a simple brace counter is enough for a size rule.

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Line of the word `fn`, counted from 1.
    pub(crate) line: usize,
    /// From the line of `fn` to the line of the closing brace.
    pub(crate) line_count: usize,
}

/// Returns the source with every comment and literal replaced by spaces, newlines kept.
pub(crate) fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skip_non_code(&chars, at);
        if end == at {
            out.extend(chars.get(at));
            at += 1;
        } else {
            out.extend(
                chars
                    .get(at..end)
                    .unwrap_or_default()
                    .iter()
                    .map(|&c| if c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Returns the end of the comment or literal that begins at `at`, or `at` when code begins there.
fn skip_non_code(chars: &[char], at: usize) -> usize {
    let peek = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    match (peek(0), peek(1)) {
        ('/', '/') => find(chars, at, |rest| rest.first() == Some(&'\n')),
        ('/', '*') => skip_block_comment(chars, at),
        ('"', _) => skip_string(chars, at + 1),
        ('r', '"' | '#') if !follows_word(chars, at) => skip_raw_string(chars, at),
        ('\'', _) => skip_char(chars, at),
        _ => at,
    }
}

fn find(chars: &[char], from: usize, matches: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len())
        .find(|&index| chars.get(index..).is_some_and(&matches))
        .unwrap_or(chars.len())
}

fn follows_word(chars: &[char], at: usize) -> bool {
    // `br"…"` is a raw string too; any other letter before the `r` makes it part of a name.
    let before = |back: usize| {
        at.checked_sub(back)
            .and_then(|index| chars.get(index))
            .copied()
    };
    match before(1) {
        Some('b') => before(2).is_some_and(is_word),
        Some(c) => is_word(c),
        None => false,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn skip_block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut index) = (0_usize, at);
    while index < chars.len() {
        match (chars.get(index), chars.get(index + 1)) {
            (Some('/'), Some('*')) => (depth, index) = (depth + 1, index + 2),
            (Some('*'), Some('/')) => (depth, index) = (depth.saturating_sub(1), index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            return index;
        }
    }
    chars.len()
}

fn skip_string(chars: &[char], mut at: usize) -> usize {
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn skip_raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars.iter().skip(at + 1).take_while(|&&c| c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at; // `r#name` is an identifier
    }
    let mut end: Vec<char> = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let close = find(chars, at + 2 + hashes, |rest| rest.starts_with(&end));
    (close + end.len()).min(chars.len())
}

/// A quote begins a character literal or a lifetime; only the former is skipped.
fn skip_char(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => find(chars, at + 3, |rest| rest.first() == Some(&'\''))
            .saturating_add(1)
            .min(chars.len()),
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// Finds every function that has a body.
pub(crate) fn functions(source: &str) -> Vec<Function> {
    let code: Vec<char> = blank(source).chars().collect();
    let mut found = Vec::new();
    let mut line = 1;
    for (at, &c) in code.iter().enumerate() {
        if c == '\n' {
            line += 1;
        }
        let is_keyword = c == 'f'
            && code.get(at + 1) == Some(&'n')
            && code.get(at + 2).is_some_and(|c| c.is_whitespace())
            && !at
                .checked_sub(1)
                .and_then(|before| code.get(before))
                .copied()
                .is_some_and(is_word);
        if is_keyword
            && let Some((name, line_count)) = measure(code.get(at + 2..).unwrap_or_default())
        {
            found.push(Function {
                name,
                line,
                line_count,
            });
        }
    }
    found
}

/// Reads a function's name and counts its lines; `after` begins behind the word `fn`.
fn measure(after: &[char]) -> Option<(String, usize)> {
    let name: String = after
        .iter()
        .skip_while(|c| c.is_whitespace())
        .take_while(|&&c| is_word(c))
        .collect();
    let (mut parens, mut braces, mut lines) = (0_i64, 0_i64, 1);
    for &c in after {
        match c {
            '\n' => lines += 1,
            '(' | '[' => parens += 1,
            ')' | ']' => parens -= 1,
            ';' if parens == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 {
                    return (!name.is_empty()).then_some((name, lines));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_literals_but_no_code() {
        let source = "let a = \"{\"; // {\nlet b = '{'; /* { /* { */ */ let c: &'a str = r#\"{\"#; br\"{\"; '\\''; xr";
        let blanked = blank(source);
        assert!(!blanked.contains('{'), "{blanked}");
        assert_eq!(blanked.lines().count(), 2);
        assert!(
            blanked.contains("&'a str") && blanked.ends_with("xr"),
            "{blanked}"
        );
    }

    #[test]
    fn measures_functions_and_leaves_declarations_out() {
        let source = "trait T {\n    fn declared(&self);\n}\nfn two() {\n    \"}\"; }\n\n\
                      fn generic<F: Fn(u8) -> u8>(f: F)\n\
                      where\n    F: Copy,\n{\n    if true {\n    }\n}\ntype P = fn(u8);\n";
        let found = functions(source);
        let one = |name: &str, line, line_count| Function {
            name: name.to_owned(),
            line,
            line_count,
        };
        assert_eq!(found, [one("two", 4, 2), one("generic", 7, 7)]);
    }
}
