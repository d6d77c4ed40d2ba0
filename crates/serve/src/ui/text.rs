//! Texts of queries: places in them as browsers count, and what is wrong with them as it is told.

use plumbing::planted;
use query::Question;

use super::answers::{Diagnostic, Proposal, Severity};
use super::error::UiError;

/// The place of a byte in UTF-16 units.
pub(super) fn utf16_of(text: &str, byte: usize) -> u32 {
    let before = text.get(..byte).unwrap_or(text);
    if planted("ui-places-in-bytes") {
        return u32::try_from(before.len()).unwrap_or(u32::MAX);
    }
    let units = before.chars().map(char::len_utf16).sum::<usize>();
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The byte of a place in UTF-16 units; of one inside a character, its start.
pub(super) fn byte_of(text: &str, utf16: usize) -> usize {
    let mut units = 0;
    for (byte, char) in text.char_indices() {
        if units + char.len_utf16() > utf16 {
            return byte;
        }
        units += char.len_utf16();
    }
    text.len()
}

pub(super) fn diagnostics(text: &str, all: &[traceql::Diagnostic]) -> Vec<Diagnostic> {
    let told = |one: &traceql::Diagnostic| Diagnostic {
        severity: match one.severity {
            traceql::Severity::Error => Severity::Error,
            traceql::Severity::Warning => Severity::Warning,
        },
        from: utf16_of(text, one.range.start),
        to: utf16_of(text, one.range.end),
        message: one.message.clone(),
        proposal: one.proposal.as_ref().map(|proposal| Proposal {
            from: utf16_of(text, proposal.range.start),
            to: utf16_of(text, proposal.range.end),
            text: proposal.text.clone(),
            label: proposal.label.clone(),
        }),
    };
    all.iter().map(told).collect()
}

/// An error of a question with the places of its text.
pub(super) fn error_of(text: &str, error: query::Error) -> UiError {
    let told = match &error {
        query::Error::BadText { diagnostics: all } => diagnostics(text, all),
        _ => Vec::new(),
    };
    let mut error = UiError::from(error);
    error.diagnostics = told;
    error
}

/// What to mind about a question.
pub(super) fn warnings(text: &str, question: &Question) -> Vec<Diagnostic> {
    diagnostics(text, &question.warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_browsers_count_them() {
        let text = "aä😀b";
        let places: Vec<u32> = [0, 1, 3, 7, 8].map(|byte| utf16_of(text, byte)).into();
        assert_eq!(places, [0, 1, 2, 4, 5]);
        let bytes: Vec<usize> = [0, 1, 2, 3, 4, 5, 99]
            .map(|unit| byte_of(text, unit))
            .into();
        assert_eq!(bytes, [0, 1, 3, 3, 7, 8, 8]);
    }
}
