//! Two stored traces compared, for programs: the app compares by the same rule in the browser, files included.

use axum::Json;
use axum::extract::RawQuery;
use model::TraceId;
use query::skeleton::Skeleton;
use query::{Cause, DiffNode, TraceDiff};

use super::Ui;
use super::answers::Skipped;
use super::answers::compare::{CompareAnswer, CompareCause, CompareNode, ComparedTrace};
use super::error::UiError;
use super::parameters::{Parameters, trace_id};
use crate::guard::For;

/// Nodes that are told of a question that doesn't say.
const NODES: u64 = 1_000;
const NODES_MAX: u64 = 100_000;

/// `GET /compare?a=&b=&nodes=`
pub(super) async fn compare(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<Json<CompareAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let nodes_max = parameters.number("nodes", NODES, NODES_MAX)?;
    let id_of = |side: &str| match parameters.text(side) {
        "" => {
            let message = format!("{side} is missing; give the ids of two traces as a and b");
            Err(UiError::bad_request(message))
        }
        text => trace_id(text),
    };
    let (id_a, id_b) = (id_of("a")?, id_of("b")?);
    let (of_a, of_b) = (ui.found(id_a).await?, ui.found(id_b).await?);
    let mut skipped = of_a.skipped;
    skipped.extend(of_b.skipped);
    skipped.dedup();
    let skew = ui.parts.options.clock_skew_max_nanos;
    let diff = ui
        .work(move || {
            let traces = [of_a.outline, of_b.outline].map(|of| Skeleton::of(&of, skew));
            let nodes_max = usize::try_from(nodes_max).unwrap_or(usize::MAX);
            TraceDiff::of(&traces[0], &traces[1], nodes_max)
        })
        .await?;
    let [a, b] = diff.sides;
    let side = |side: query::DiffSide, id: TraceId| ComparedTrace {
        trace_id: id.to_string(),
        duration_ns: side.nanos,
        spans: side.spans,
        only_here: side.only_here,
    };
    Ok(Json(CompareAnswer {
        a: side(a, id_a),
        b: side(b, id_b),
        causes: diff.causes.into_iter().map(cause).collect(),
        nodes: diff.nodes.into_iter().map(node).collect(),
        all_nodes: diff.all_nodes,
        skipped: Skipped::all(&skipped),
    }))
}

fn cause(cause: Cause) -> CompareCause {
    let [spans_a, spans_b] = cause.spans;
    CompareCause {
        service: cause.service,
        operation: cause.operation,
        difference_ns: cause.difference,
        spans_a,
        spans_b,
    }
}

fn node(node: DiffNode) -> CompareNode {
    let ([spans_a, spans_b], [duration_ns_a, duration_ns_b]) = (node.spans, node.nanos);
    let ([own_ns_a, own_ns_b], [first_a, first_b]) = (node.own, node.first);
    CompareNode {
        depth: node.depth,
        service: node.service,
        operation: node.operation,
        spans_a,
        spans_b,
        duration_ns_a,
        duration_ns_b,
        own_ns_a,
        own_ns_b,
        span_id_a: first_a.map(|id| id.to_string()),
        span_id_b: first_b.map(|id| id.to_string()),
    }
}
