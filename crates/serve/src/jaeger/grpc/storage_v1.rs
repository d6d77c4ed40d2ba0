//! `jaeger.storage.v1`: what a Jaeger of version 1 reads from the store that it is told to use, spans in its own model.
//!
//! Promises
//! - Spans are given as they are stored, as far as Jaeger's model holds them (`codec::jaeger_encode`): what a query
//!   service edits is left to the one that asks.
//! - The archive holds the pinned traces, and no others.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use codec::generated::jaeger::api_v2::DependencyLink;
use codec::generated::jaeger::storage::v1::{
    CapabilitiesRequest, CapabilitiesResponse, FindTraceIDsRequest, FindTraceIDsResponse,
    FindTracesRequest, GetDependenciesRequest, GetDependenciesResponse, GetOperationsRequest,
    GetOperationsResponse, GetServicesRequest, GetServicesResponse, GetTraceRequest, Operation,
    TraceQueryParameters,
};
use futures_util::StreamExt as _;
use grpc::code;
use model::contract::DependencyAnswer;
use model::{SpanBatch, TraceId};

use super::status::Status;
use super::storage_v2::{calls, depth_of, failed, services, trace_id_of};
use super::v2::{duration_nanos, nanos_of, operations, write_chunk};
use super::written::{Look, Manner, trace_parts, write_traces};
use super::{Parts, one, one_with};
use crate::jaeger::Jaeger;
use crate::jaeger::ask::Search;

/// The most spans of a message.
const CHUNK_SPANS_MAX: usize = 1_000;

const MANNER: Manner = Manner {
    look: Look::Stored,
    write,
    refuse: failed,
};

fn write(spans: &SpanBatch, from: usize) -> (Bytes, usize) {
    write_chunk(spans, from, CHUNK_SPANS_MAX)
}

fn not_found() -> Status {
    Status::new(code::NOT_FOUND, "trace not found")
}

async fn trace(jaeger: Arc<Jaeger>, trace_id: TraceId) -> Result<Parts, Status> {
    let found = jaeger.find_one(trace_id).await.map_err(failed)?;
    if found.spans.is_empty() {
        return Err(not_found());
    }
    Ok(trace_parts(jaeger, Ok(found), MANNER).boxed())
}

pub(super) async fn get_trace(
    jaeger: Arc<Jaeger>,
    request: GetTraceRequest,
) -> Result<Parts, Status> {
    let trace_id = trace_id_of(&request.trace_id)?;
    trace(jaeger, trace_id).await
}

pub(super) async fn get_archive_trace(
    jaeger: Arc<Jaeger>,
    request: GetTraceRequest,
) -> Result<Parts, Status> {
    let trace_id = trace_id_of(&request.trace_id)?;
    let pins = jaeger.pins.pins(&jaeger.tenant).await;
    let pins = pins.map_err(|error| Status::of_pin(&error))?;
    if pins.iter().all(|pin| pin.trace_id != trace_id) {
        return Err(not_found());
    }
    trace(jaeger, trace_id).await
}

fn search_of(query: Option<TraceQueryParameters>) -> Result<Search, Status> {
    let query = query.ok_or_else(|| Status::invalid("missing query"))?;
    Ok(Search {
        service: query.service_name,
        operation: query.operation_name,
        attributes: query.tags.into_iter().collect(),
        start_min: nanos_of(query.start_time_min),
        start_max: nanos_of(query.start_time_max),
        duration_min: duration_nanos(query.duration_min),
        duration_max: duration_nanos(query.duration_max),
        depth: depth_of(query.num_traces),
        is_raw: true,
        filter: None,
    })
}

pub(super) async fn find_traces(
    jaeger: Arc<Jaeger>,
    request: FindTracesRequest,
) -> Result<Parts, Status> {
    let search = search_of(request.query)?;
    let found = jaeger.find(&search).await.map_err(failed)?;
    Ok(write_traces(jaeger, found, MANNER))
}

pub(super) async fn find_trace_ids(
    jaeger: Arc<Jaeger>,
    request: FindTraceIDsRequest,
) -> Result<Parts, Status> {
    let search = search_of(request.query)?;
    let found = jaeger.find(&search).await.map_err(failed)?;
    let trace_ids = found.hits.iter().map(|hit| hit.trace_id.0.to_vec());
    let answer = FindTraceIDsResponse {
        trace_ids: trace_ids.collect(),
    };
    Ok(one_with(&answer, found.skipped))
}

pub(super) async fn get_services(
    jaeger: Arc<Jaeger>,
    _: GetServicesRequest,
) -> Result<Parts, Status> {
    let services = services(&jaeger).await?;
    Ok(one(&GetServicesResponse { services }))
}

pub(super) async fn get_operations(
    jaeger: Arc<Jaeger>,
    request: GetOperationsRequest,
) -> Result<Parts, Status> {
    let found = operations(&jaeger, &request.service, &request.span_kind).await?;
    let names: BTreeSet<String> = found.iter().map(|(name, _)| name.clone()).collect();
    let operations = found.into_iter().map(|(name, kind)| Operation {
        name,
        span_kind: kind.to_owned(),
    });
    Ok(one(&GetOperationsResponse {
        operation_names: names.into_iter().collect(),
        operations: operations.collect(),
    }))
}

pub(super) async fn get_dependencies(
    jaeger: Arc<Jaeger>,
    request: GetDependenciesRequest,
) -> Result<Parts, Status> {
    let DependencyAnswer { links, skipped } =
        calls(&jaeger, request.start_time, request.end_time).await?;
    let links = links.into_iter().map(|link| DependencyLink {
        parent: link.parent,
        child: link.child,
        call_count: link.calls,
        source: String::new(),
    });
    let answer = GetDependenciesResponse {
        dependencies: links.collect(),
    };
    Ok(one_with(&answer, skipped))
}

pub(super) async fn capabilities(_: Arc<Jaeger>, _: CapabilitiesRequest) -> Result<Parts, Status> {
    Ok(one(&CapabilitiesResponse {
        archive_span_reader: true,
        archive_span_writer: true,
        streaming_span_writer: true,
    }))
}
