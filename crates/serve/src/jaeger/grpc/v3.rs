//! `jaeger.api_v3.QueryService`: traces as OTLP, one message a trace, several in a row where a trace is long.

use std::sync::Arc;

use bytes::Bytes;
use codec::generated::jaeger::api_v3::{
    DependenciesResponse, Dependency, FindTraceSummariesRequest, FindTraceSummariesResponse,
    FindTracesRequest, GetDependenciesRequest, GetOperationsRequest, GetOperationsResponse,
    GetServicesRequest, GetServicesResponse, GetTraceRequest, Operation, TraceQueryParameters,
};
use codec::otlp::encode_proto_part;
use futures_util::StreamExt as _;
use grpc::code;
use model::SpanBatch;
use prost::Message as _;

use super::status::Status;
use super::v2::{duration_nanos, nanos_of, operations};
use super::written::{Look, Manner, Write, trace_parts, write_traces};
use super::{MESSAGE_BYTES_TYPICAL_MAX, Parts, one, one_with};
use crate::go_text;
use crate::jaeger::Jaeger;
use crate::jaeger::ask::{AskError, Search, shown};
use crate::jaeger::v3::summary;

fn failed(error: AskError) -> Status {
    Status::of(error, "", code::UNKNOWN)
}

pub(super) async fn get_trace(
    jaeger: Arc<Jaeger>,
    request: GetTraceRequest,
) -> Result<Parts, Status> {
    let trace_id = go_text::parse_trace_id(&request.trace_id)
        .map_err(|why| Status::new(code::UNKNOWN, format!("malform trace ID: {why}")))?;
    let found = jaeger.find_one(trace_id).await.map_err(failed)?;
    let manner = manner(request.raw_traces, write);
    Ok(trace_parts(jaeger, Ok(found), manner).boxed())
}

fn search_of(query: Option<TraceQueryParameters>) -> Result<Search, Status> {
    let Some(query) = query else {
        return Err(Status::invalid("missing query"));
    };
    let start_min = nanos_of(query.start_time_min);
    let start_max = nanos_of(query.start_time_max);
    if start_min.is_none() || start_max.is_none() {
        return Err(Status::invalid(
            "start time min and max are required parameters",
        ));
    }
    Ok(Search {
        service: query.service_name,
        operation: query.operation_name,
        attributes: query.attributes.into_iter().collect(),
        start_min,
        start_max,
        duration_min: duration_nanos(query.duration_min),
        duration_max: duration_nanos(query.duration_max),
        depth: i64::from(query.search_depth),
        is_raw: query.raw_traces,
        filter: query.filter,
    })
}

pub(super) async fn find_traces(
    jaeger: Arc<Jaeger>,
    request: FindTracesRequest,
) -> Result<Parts, Status> {
    let search = search_of(request.query)?;
    let found = jaeger.find(&search).await.map_err(failed)?;
    let manner = manner(search.is_raw, write);
    Ok(write_traces(jaeger, found, manner))
}

fn manner(is_raw: bool, write: Write) -> Manner {
    Manner {
        look: Look::of(is_raw),
        write,
        refuse: failed,
    }
}

/// A message of a trace: all of it, or as much as clients take.
pub(super) fn write(spans: &SpanBatch, from: usize) -> (Bytes, usize) {
    let (message, end) = encode_proto_part(spans, from..spans.len(), MESSAGE_BYTES_TYPICAL_MAX);
    (message.into(), end)
}

pub(super) async fn find_trace_summaries(
    jaeger: Arc<Jaeger>,
    request: FindTraceSummariesRequest,
) -> Result<Parts, Status> {
    let search = search_of(request.query)?;
    let found = jaeger.find(&search).await.map_err(failed)?;
    let manner = manner(search.is_raw, write_summary);
    Ok(write_traces(jaeger, found, manner))
}

fn write_summary(spans: &SpanBatch, _: usize) -> (Bytes, usize) {
    let answer = FindTraceSummariesResponse {
        summaries: vec![summary::of(&shown(spans, None))],
    };
    (answer.encode_to_vec().into(), spans.len())
}

pub(super) async fn get_services(
    jaeger: Arc<Jaeger>,
    _: GetServicesRequest,
) -> Result<Parts, Status> {
    let services = jaeger.query.services(&jaeger.tenant).await;
    let services = services.map_err(AskError::from).map_err(failed)?;
    Ok(one(&GetServicesResponse { services }))
}

pub(super) async fn get_operations(
    jaeger: Arc<Jaeger>,
    request: GetOperationsRequest,
) -> Result<Parts, Status> {
    let found = operations(&jaeger, &request.service, &request.span_kind).await?;
    let operations = found.into_iter().map(|(name, kind)| Operation {
        name,
        span_kind: kind.to_owned(),
    });
    Ok(one(&GetOperationsResponse {
        operations: operations.collect(),
    }))
}

pub(super) async fn get_dependencies(
    jaeger: Arc<Jaeger>,
    request: GetDependenciesRequest,
) -> Result<Parts, Status> {
    let Some(start) = nanos_of(request.start_time) else {
        return Err(Status::invalid("start_time is required"));
    };
    let Some(end) = nanos_of(request.end_time) else {
        return Err(Status::invalid("end_time is required"));
    };
    if end <= start {
        return Err(Status::invalid("end_time must be after start_time"));
    }
    let found = jaeger.calls(start, end).await.map_err(failed)?;
    let links = found.links.into_iter().map(|link| Dependency {
        parent: link.parent,
        child: link.child,
        call_count: link.calls,
    });
    let answer = DependenciesResponse {
        dependencies: links.collect(),
    };
    Ok(one_with(&answer, found.skipped))
}
