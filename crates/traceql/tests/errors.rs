//! What is said of texts that are wrong or doubtful: `testdata/errors.txt`; `UPDATE=1` writes it anew.
//!
//! The file has each text behind `> `, then what is said, one line for each diagnostic: severity, place in bytes,
//! message, and in brackets what is proposed for which place.

use std::fmt::Write as _;
use std::path::Path;

use traceql::parse;

fn shown(texts: &[&str]) -> String {
    let mut out = String::new();
    for text in texts {
        writeln!(out, "> {}", text.replace('\n', "\\n")).unwrap();
        let parsed = parse(text);
        for diagnostic in &parsed.diagnostics {
            writeln!(out, "{diagnostic}").unwrap();
        }
        if let Some(query) = parsed.query {
            writeln!(out, "= {query}").unwrap();
        }
        out.push('\n');
    }
    out
}

#[test]
fn errors_say_where_what_was_expected_and_what_to_write() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/errors.txt");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let texts: Vec<&str> = kept
        .lines()
        .filter_map(|line| line.strip_prefix("> "))
        .collect();
    let texts: Vec<String> = texts.iter().map(|text| text.replace("\\n", "\n")).collect();
    let now = shown(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(texts.len() >= 50, "{} texts", texts.len());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    assert!(
        kept == now,
        "errors.txt is not what is said now (UPDATE=1 writes it anew):\n{now}"
    );
}

#[test]
fn what_is_proposed_can_be_used_at_once() {
    for text in [
        "{ name == \"a\" }",
        "{ name = 'a' }",
        "{ name = \"a }",
        "{ duration > 100 }",
        "{ .a = 1 and .b = 2 }",
        "{ .a = 1 or .b = 2 }",
        "{ staus = error }",
        "{ status = \"error\" }",
        "{ kind = \"SERVER\" }",
        "{ name = a }",
        "{ .a = 1",
        "{ (.a = 1 }",
        "name = \"a\"",
        "{ http.method = \"GET\" }",
        "{ .a = null }",
        "{ .a = 1 & .b = 2 }",
        "{ .a = 1 .b = 2 }",
        "{ .a = 1, .b = 2 }",
        "{ .a = 1 | .b = 2 }",
        "",
        "{ .a ~= \"x\" }",
        "{ name = 5 }",
        "{ duration > \"1s\" }",
        "{ .a <> 1 }",
        "{ not .a }",
        "{ .a = 1) }",
        "{ span:foo = 1 }",
        "{ .a = tru }",
        "{ trace:spancount > 1 }",
        "{ .a = `x }",
        "{ name = \"a\" /* x",
    ] {
        let mut text = text.to_owned();
        for _ in 0..4 {
            let parsed = parse(&text);
            let Some(proposal) = parsed
                .diagnostics
                .iter()
                .find_map(|one| one.proposal.clone())
            else {
                assert!(parsed.query.is_some(), "{text}: {:?}", parsed.diagnostics);
                break;
            };
            text.replace_range(proposal.range, &proposal.text);
        }
        assert!(
            parse(&text).query.is_some(),
            "{text}: {:?}",
            parse(&text).diagnostics
        );
    }
}
