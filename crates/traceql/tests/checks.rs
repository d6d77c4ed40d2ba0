//! What must hold for any bytes at all: shared by the fuzzer and the tests.
//!
//! Each function panics when its property is broken.

#![allow(
    unreachable_pub,
    reason = "the fuzzer includes this file as a module of its own"
)]

use traceql::{Judge, Parsed, Severity, chips, complete, from_chips, lower, parse};

/// Completion looks at the whole text for each cursor, so only short texts are tried at all.
const COMPLETED_BYTES_MAX: usize = 600;

/// Checks everything on any bytes.
pub fn check_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parsed = parse(&text);
    check_diagnostics(&text, &parsed);
    check_completion(&text);
    let Some(query) = parsed.query else { return };
    let printed = query.to_string();
    let again = parse(&printed);
    assert_eq!(again.query.as_ref(), Some(&query), "{printed}");
    assert_eq!(again.query.unwrap().to_string(), printed);
    let texts: Vec<String> = chips(&query).into_iter().map(|chip| chip.text).collect();
    assert_eq!(from_chips(&texts), Ok(query.clone()), "{printed}");
    lower(&query).unwrap();
    Judge::new(&query).unwrap();
}

fn check_diagnostics(text: &str, parsed: &Parsed) {
    let is_error = |severity| severity == Severity::Error;
    let has_error = parsed.diagnostics.iter().any(|one| is_error(one.severity));
    assert_eq!(parsed.query.is_none(), has_error, "{text:?}");
    for one in &parsed.diagnostics {
        assert!(text.get(one.range.clone()).is_some(), "{text:?}: {one}");
        assert!(!one.message.is_empty());
        if let Some(proposal) = &one.proposal {
            let mut applied = text.to_owned();
            assert!(
                text.get(proposal.range.clone()).is_some(),
                "{text:?}: {one}"
            );
            applied.replace_range(proposal.range.clone(), &proposal.text);
            assert_ne!(applied, text, "{one}");
        }
    }
}

fn check_completion(text: &str) {
    if text.len() > COMPLETED_BYTES_MAX {
        return;
    }
    for cursor in 0..=text.len() {
        let completion = complete(text, cursor);
        let replace = completion.replace;
        assert!(
            replace.start <= cursor && text.get(replace.clone()).is_some(),
            "{text:?} {cursor}"
        );
        if text.is_char_boundary(cursor) {
            assert!(replace.end >= cursor, "{text:?} {cursor}");
        }
    }
}
