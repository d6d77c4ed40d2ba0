//! The form of source files: headers, sizes, to-do marks.
//!
//! Promises: sizes are gates, not guides (the guides are half of them); generated and recorded files are left alone.
//! A function may be longer with a marker above it that gives the reason:
//! `// tidy: long-function: a table, one line for each field`.

use crate::complaint::{Complaint, Rule};
use crate::rust_text;
use crate::tree::{SourceFile, Tree};

const HEADER: Rule = Rule {
    name: "header",
    why: "a file opens with what it is for, what it promises and what it refuses",
};
const LINE: Rule = Rule {
    name: "line-width",
    why: "two files fit side by side on a screen",
};
const FILE: Rule = Rule {
    name: "file-size",
    why: "what is too long to read at one sitting is not read",
};
const FUNCTION: Rule = Rule {
    name: "function-size",
    why: "a function that fits a screen can be checked by eye",
};
const TO_DO: Rule = Rule {
    name: "bare-to-do",
    why: "a mark without an issue is forgotten",
};
const SPACE: Rule = Rule {
    name: "white-space",
    why: "invisible differences make diffs lie",
};

const LINE_COLUMNS_MAX: usize = 120;
const FILE_LINES_MAX: usize = 800;
const TEST_FILE_LINES_MAX: usize = 1200;
const FUNCTION_LINES_MAX: usize = 80;
/// Stands in a comment above a function that may be longer, followed by the reason.
const LONG_FUNCTION_MARKER: &str = "// tidy: long-function: ";
/// The marker is looked for in so many comment and attribute lines above the function.
const MARKER_LINES_MAX: usize = 40;

/// Checks every source file of the tree.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    for file in tree.files.iter().filter(|file| !file.is_generated()) {
        check_to_do(file, complaints);
        check_white_space(file, complaints);
        if is_code(file) {
            check_widths(file, complaints);
            check_length(file, complaints);
        }
        check_header(file, complaints);
        if file.ends_with(".rs") {
            check_functions(file, complaints);
        }
    }
}

fn is_code(file: &SourceFile) -> bool {
    [
        ".rs", ".py", ".js", ".cjs", ".mjs", ".ts", ".tsx", ".css", ".sh",
    ]
    .iter()
    .any(|ending| file.ends_with(ending))
}

/// How a file must begin, where that is a rule. Tests of the web app are named after what they test.
fn header_of(file: &SourceFile) -> Option<&'static str> {
    let ends = |endings: &[&str]| endings.iter().any(|ending| file.ends_with(ending));
    match () {
        () if ends(&[".rs"]) => Some("//!"),
        () if file.is_web_test() => None,
        () if ends(&[".ts", ".tsx"]) => Some("//"),
        () if ends(&[".css"]) => Some("/*"),
        () => None,
    }
}

fn check_header(file: &SourceFile, complaints: &mut Vec<Complaint>) {
    if let Some(header) = header_of(file)
        && !file.text.starts_with(header)
    {
        let fix = format!("begin the file with {header} and what it is for");
        complaints.push(HEADER.broken(&file.path, 1, "the file has no header", fix));
    }
}

fn check_widths(file: &SourceFile, complaints: &mut Vec<Complaint>) {
    for (number, line) in file.numbered() {
        let columns = line.chars().count();
        // An address cannot be broken.
        if columns > LINE_COLUMNS_MAX && !line.contains("://") && !is_formatted(file, line) {
            let what = format!("{columns} columns, {LINE_COLUMNS_MAX} are allowed");
            complaints.push(LINE.broken(&file.path, number, what, "break the line"));
        }
    }
}

/// Tells whether a line is code of the web app: its formatter has broken it where that can be done, which is not within
/// a template or a text.
fn is_formatted(file: &SourceFile, line: &str) -> bool {
    let is_script = file.ends_with(".ts") || file.ends_with(".tsx");
    let starts = |words: &[&str]| words.iter().any(|word| line.trim_start().starts_with(word));
    is_script && !starts(&["//", "/*", "*"])
}

fn check_length(file: &SourceFile, complaints: &mut Vec<Complaint>) {
    let lines_max = if file.is_test() {
        TEST_FILE_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    let lines = file.text.lines().count();
    if lines > lines_max {
        let what = format!("{lines} lines, {lines_max} are allowed");
        complaints.push(FILE.broken(
            &file.path,
            lines_max + 1,
            what,
            "split it by what it is about, not by size",
        ));
    }
}

fn check_functions(file: &SourceFile, complaints: &mut Vec<Complaint>) {
    let lines: Vec<&str> = file.text.lines().collect();
    for function in rust_text::functions(&file.text) {
        if function.line_count > FUNCTION_LINES_MAX && !is_marked(&lines, function.line) {
            let what = format!(
                "{} has {} lines, {FUNCTION_LINES_MAX} are allowed",
                function.name, function.line_count
            );
            let fix = format!(
                "move steps into functions; a table or a match may stay under \"{LONG_FUNCTION_MARKER}REASON\""
            );
            complaints.push(FUNCTION.broken(&file.path, function.line, what, fix));
        }
    }
}

/// Looks for the marker in the comments and attributes right above a line (counted from 1).
fn is_marked(lines: &[&str], line: usize) -> bool {
    let above = lines
        .get(..line.saturating_sub(1))
        .unwrap_or_default()
        .iter()
        .rev()
        .take(MARKER_LINES_MAX);
    let mut attached = above
        .map(|line| line.trim())
        .take_while(|line| line.starts_with("//") || line.starts_with('#'));
    attached.any(|line| {
        line.strip_prefix(LONG_FUNCTION_MARKER)
            .is_some_and(|reason| !reason.trim().is_empty())
    })
}

fn check_to_do(file: &SourceFile, complaints: &mut Vec<Complaint>) {
    // Put together here, so that this file does not complain about itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    for (number, line) in file.numbered() {
        for mark in marks {
            let bare = line
                .match_indices(mark)
                .any(|(at, _)| is_bare(line, at, mark));
            if bare {
                let fix = format!(
                    "write it as {}(#123) with the number of an issue, or do it now",
                    marks[0]
                );
                complaints.push(TO_DO.broken(
                    &file.path,
                    number,
                    format!("{mark} without an issue"),
                    fix,
                ));
            }
        }
    }
}

/// Tells whether the mark at byte `at` is a word of its own and names no issue.
fn is_bare(line: &str, at: usize, mark: &str) -> bool {
    let before = line.get(..at).and_then(|text| text.chars().next_back());
    let after = line.get(at + mark.len()..).unwrap_or("");
    let is_word = !before.is_some_and(is_name) && !after.chars().next().is_some_and(is_name);
    is_word && !after.starts_with("(#")
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn check_white_space(file: &SourceFile, complaints: &mut Vec<Complaint>) {
    for (number, line) in file.numbered() {
        if line.ends_with([' ', '\t', '\r']) {
            complaints.push(SPACE.broken(
                &file.path,
                number,
                "white space at the end of the line",
                "remove it",
            ));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        complaints.push(SPACE.broken(
            &file.path,
            last,
            "no newline at the end of the file",
            "add it",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let mut complaints = Vec::new();
        check(&Tree::of(&[(path, text)]), &mut complaints);
        complaints
            .iter()
            .map(|complaint| (complaint.rule, complaint.line))
            .collect()
    }

    #[test]
    fn wants_a_header_and_narrow_lines() {
        assert_eq!(rules("a.rs", "use b;\n"), [("header", 1)]);
        assert_eq!(
            rules("a.rs", &format!("//! A\n// {}\n", "x".repeat(120))),
            [("line-width", 2)]
        );
        assert_eq!(
            rules("a.rs", &format!("//! A\n// https://{}\n", "x".repeat(120))),
            []
        );
        assert_eq!(rules("crates/a/golden/a.rs", &"x".repeat(200)), []);
    }

    #[test]
    fn holds_the_web_app_to_the_same_rules_but_what_is_generated() {
        let wide = format!("// A\n// {}\n", "x".repeat(120));
        for path in ["web/src/a.ts", "web/src/a.tsx"] {
            assert_eq!(rules(path, "import a;\n"), [("header", 1)]);
            assert_eq!(rules(path, &wide), [("line-width", 2)]);
            let template = format!("// A\nconst a = `{}`;\n", "x".repeat(120));
            assert_eq!(rules(path, &template), [], "no formatter can break it");
        }
        assert_eq!(rules("web/src/a.css", ".a {}\n"), [("header", 1)]);
        assert_eq!(rules("web/src/a.css", "/* A */\n.a {}\n"), []);
        assert_eq!(rules("web/src/a.test.ts", "import a;\n"), []);
        assert_eq!(rules("web/src/api/generated/types.ts", &wide), []);
    }

    #[test]
    fn holds_files_to_their_size_and_lets_tests_be_longer() {
        let lines = |count: usize| format!("//! A\n{}", "a\n".repeat(count - 1));
        assert_eq!(rules("a.rs", &lines(800)), []);
        assert_eq!(rules("a.rs", &lines(801)), [("file-size", 801)]);
        assert_eq!(rules("a/tests/a.rs", &lines(1200)), []);
        assert_eq!(rules("a/tests/a.rs", &lines(1201)), [("file-size", 1201)]);
    }

    #[test]
    fn holds_functions_to_their_size_unless_marked_with_a_reason() {
        let function =
            |above: &str| format!("//! A\n\n{above}fn f() {{\n{}}}\n", "a;\n".repeat(79));
        assert_eq!(rules("a.rs", &function("")), [("function-size", 3)]);
        assert_eq!(
            rules(
                "a.rs",
                &function("// tidy: long-function: a table\n#[test]\n")
            ),
            []
        );
        assert_eq!(
            rules(
                "a.rs",
                &function("// tidy: long-function: \n").replace(": \n", ":\n")
            ),
            [("function-size", 4)]
        );
    }

    #[test]
    fn wants_an_issue_behind_each_mark() {
        let mark = concat!("TO", "DO");
        assert_eq!(
            rules("a.md", &format!("{mark}: later\n")),
            [("bare-to-do", 1)]
        );
        assert_eq!(
            rules("a.md", &format!("{mark}(#12): later, MY{mark}LIST\n")),
            []
        );
    }

    #[test]
    fn complains_about_invisible_white_space() {
        assert_eq!(
            rules("a.md", "a \nb"),
            [("white-space", 1), ("white-space", 2)]
        );
    }
}
