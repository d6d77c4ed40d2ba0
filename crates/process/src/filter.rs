//! Leaves out the spans that a query holds for, in the language that people search with.
//!
//! Promises: a span is judged by itself alone, by the very code that judges it in searches.
//! Refuses: queries that ask for facts of the trace (root, counts, self time): other spans are elsewhere or not yet
//! there.

use model::contract::{FilteredSpans, Processed};
use traceql::{Judge, Severity};

use crate::pipeline::{Step, With, keep_rows};
use crate::reader::Reader;

/// What is left out.
#[derive(Debug, Clone)]
pub(crate) struct FilterOptions {
    drop: Judge,
}

impl FilterOptions {
    /// Reads the keys of a step.
    pub(crate) fn read(keys: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = keys.text("drop") else {
            keys.complain(
                "drop",
                "is missing; write a query such as '{ name = \"GET /health\" }'",
            );
            return None;
        };
        match judge(text) {
            Ok(drop) => Some(Self { drop }),
            Err(why) => {
                keys.complain("drop", why);
                None
            }
        }
    }
}

/// Makes a query ready to judge spans one by one.
pub(crate) fn judge(text: &str) -> Result<Judge, String> {
    let judge = judge_of_traces(text)?;
    if judge.needs_whole_trace() {
        return Err(format!(
            "{text} asks for other spans of the trace, and a span is judged before those are there; \
             leave out its root, counts, children, self time and the trace's duration"
        ));
    }
    Ok(judge)
}

/// Makes a query ready to judge whole traces.
pub(crate) fn judge_of_traces(text: &str) -> Result<Judge, String> {
    let parsed = traceql::parse(text);
    let is_error = |severity| severity == Severity::Error;
    if let Some(wrong) = parsed.diagnostics.iter().find(|one| is_error(one.severity)) {
        return Err(wrong.to_string());
    }
    let query = parsed
        .query
        .ok_or_else(|| format!("{text:?} is no query; write '{{ … }}'"))?;
    Judge::new(&query).map_err(|why| why.to_string())
}

impl Step for FilterOptions {
    fn apply(&self, _with: &With<'_>, work: &mut Processed) {
        let mut left_out = self.drop.matches(&work.batch).into_iter().peekable();
        if left_out.peek().is_none() {
            return;
        }
        let rows = (0..work.batch.len()).filter(|row| left_out.next_if_eq(row).is_none());
        let rows: Vec<usize> = rows.collect();
        let spans = keep_rows(work, &rows);
        let reason = "filter";
        work.filtered.push(FilteredSpans { reason, spans });
    }
}
