//! Judges licence expressions of packages (`MIT OR Apache-2.0`) by the allow-list.
//!
//! Promises: `OR` needs one allowed side, `AND` both, `WITH` is part of the name; the old `/` means `OR`.
//! Refuses what it cannot read: an expression with an unknown form is not allowed.

/// Licences whose code may be part of the program. A licence not listed here is refused until someone has read it.
pub(super) const ALLOWED: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "Unicode-3.0",
    "BSL-1.0",
    "Unlicense",
    "CC0-1.0",
    // Root certificates only.
    "CDLA-Permissive-2.0",
];

/// Brackets may lie this deep in each other.
const DEPTH_MAX: usize = 8;

/// Tells whether a licence expression is satisfied by the allow-list.
pub(super) fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        depth: 0,
    };
    reader
        .either()
        .is_some_and(|allowed| allowed && reader.words.is_empty())
}

struct Reader<'a> {
    words: &'a [&'a str],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, word: &str) -> bool {
        let Some((first, rest)) = self.words.split_first() else {
            return false;
        };
        if *first == word {
            self.words = rest;
        }
        *first == word
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn either(&mut self) -> Option<bool> {
        let mut allowed = self.both()?;
        while self.take("OR") {
            allowed |= self.both()?;
        }
        Some(allowed)
    }

    fn both(&mut self) -> Option<bool> {
        let mut allowed = self.single()?;
        while self.take("AND") {
            allowed &= self.single()?;
        }
        Some(allowed)
    }

    fn single(&mut self) -> Option<bool> {
        if self.take("(") {
            self.depth += 1;
            let inner = if self.depth <= DEPTH_MAX {
                self.either()
            } else {
                None
            };
            return inner.filter(|_| self.take(")"));
        }
        let name = self.next()?;
        if self.take("WITH") {
            let exception = self.next()?;
            return Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()));
        }
        Some(ALLOWED.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_the_forms_that_packages_use() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "MIT AND BSD-3-Clause",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "GPL-2.0 WITH Classpath-exception-2.0",
            "(MIT",
            "MIT MIT",
            "MIT OR",
            "(GPL-3.0 OR MIT) AND AGPL-3.0",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
