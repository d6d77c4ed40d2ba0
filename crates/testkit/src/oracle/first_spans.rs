//! The first spans in an order, by sorting all that match: the words of `model::span_search`.

use model::batch::SpanRef;
use model::contract::ReadError;
use model::{BatchBuilder, SpanPosition, SpanSearchAnswer, SpanSearchRequest};

use super::bad_question;
use super::evaluate::Evaluator;

pub(super) fn search_spans(
    spans: &[SpanRef<'_>],
    request: &SpanSearchRequest,
) -> Result<SpanSearchAnswer, ReadError> {
    let evaluator = Evaluator::new(&request.predicate).map_err(bad_question)?;
    let mut buf = Vec::new();
    let mut found: Vec<(SpanPosition, SpanRef<'_>)> = spans
        .iter()
        .filter(|span| request.window.contains(span.start()) && evaluator.holds(**span))
        .filter_map(|span| {
            let position = SpanPosition::of(span.batch(), span.row(), request.order, &mut buf)?;
            Some((position, *span))
        })
        .collect();
    if let Some(after) = request.after {
        found.retain(|(position, _)| *position > after);
    }
    found.sort_by_key(|(position, _)| *position);
    let has_more = found.len() > request.limit;
    found.truncate(request.limit);
    let mut builder = BatchBuilder::new();
    for (_, span) in &found {
        builder.append_rows(span.batch(), [span.row()]);
    }
    Ok(SpanSearchAnswer {
        spans: builder.finish(),
        positions: found.into_iter().map(|(position, _)| position).collect(),
        has_more,
        skipped: Vec::new(),
    })
}
