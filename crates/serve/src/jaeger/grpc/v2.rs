//! `jaeger.api_v2.QueryService`: spans in Jaeger's own model, at most ten in a message, never of two traces.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use codec::generated::google::protobuf::{Duration, Timestamp};
use codec::generated::jaeger::api_v2::{
    ArchiveTraceRequest, ArchiveTraceResponse, DependencyLink, FindTracesRequest,
    GetDependenciesRequest, GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse,
    GetServicesRequest, GetServicesResponse, GetTraceRequest, Operation,
};
use codec::jaeger_encode::{JaegerSpans, kind_name};
use codec::wire::Writer;
use futures_util::StreamExt as _;
use grpc::code;
use model::{SpanBatch, TraceId};

use super::status::Status;
use super::written::{Look, Manner, trace_parts, write_traces};
use super::{MESSAGE_BYTES_TYPICAL_MAX, Parts, one, one_with};
use crate::jaeger::Jaeger;
use crate::jaeger::ask::{AskError, Search};

/// The most spans of a message.
const CHUNK_SPANS_MAX: usize = 10;
/// Go's zero time, which means none.
const ZERO_TIME_SECONDS: i64 = -62_135_596_800;

/// Nanoseconds since the epoch; nothing for no time and for Go's zero time.
pub(super) fn nanos_of(time: Option<Timestamp>) -> Option<i128> {
    let time = time.filter(|time| time.seconds != ZERO_TIME_SECONDS || time.nanos != 0)?;
    Some(i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos))
}

/// Nanoseconds; 0 for none, and the longest there is for what is longer.
pub(super) fn duration_nanos(duration: Option<Duration>) -> i64 {
    let Some(duration) = duration else {
        return 0;
    };
    let nanos = i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos);
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// A trace's id in 8 or 16 bytes; nothing is none.
fn trace_id_of(bytes: &[u8]) -> Result<TraceId, Status> {
    let id = if bytes.is_empty() {
        TraceId::default()
    } else if let Ok(id) = <[u8; 16]>::try_from(bytes) {
        TraceId(id)
    } else if let Ok(low) = <[u8; 8]>::try_from(bytes) {
        TraceId(u128::from(u64::from_be_bytes(low)).to_be_bytes())
    } else {
        return Err(Status::unreadable("invalid length for TraceID"));
    };
    if id.is_zero() {
        return Err(Status::invalid("uninitialized TraceID is not allowed"));
    }
    Ok(id)
}

fn not_found() -> Status {
    Status::new(code::NOT_FOUND, "trace not found")
}

fn trace_failed(error: AskError) -> Status {
    let failed = "failed to fetch spans from the backend: ";
    Status::of(error, failed, code::INTERNAL)
}

fn search_failed(error: AskError) -> Status {
    Status::of(error, "failed when searching for traces: ", code::INTERNAL)
}

pub(super) async fn get_trace(
    jaeger: Arc<Jaeger>,
    request: GetTraceRequest,
) -> Result<Parts, Status> {
    let trace_id = trace_id_of(&request.trace_id)?;
    let found = jaeger.find_one(trace_id).await.map_err(trace_failed)?;
    if found.spans.is_empty() {
        return Err(not_found());
    }
    let manner = Manner {
        look: Look::of(request.raw_traces),
        write,
        refuse: trace_failed,
    };
    Ok(trace_parts(jaeger, Ok(found), manner).boxed())
}

pub(super) async fn find_traces(
    jaeger: Arc<Jaeger>,
    request: FindTracesRequest,
) -> Result<Parts, Status> {
    let Some(query) = request.query else {
        return Err(Status::invalid("missing query"));
    };
    let search = Search {
        service: query.service_name,
        operation: query.operation_name,
        attributes: query.tags.into_iter().collect(),
        start_min: nanos_of(query.start_time_min),
        start_max: nanos_of(query.start_time_max),
        duration_min: duration_nanos(query.duration_min),
        duration_max: duration_nanos(query.duration_max),
        depth: i64::from(query.search_depth),
        is_raw: query.raw_traces,
        filter: None,
    };
    let found = jaeger.find(&search).await.map_err(search_failed)?;
    let manner = Manner {
        look: Look::of(search.is_raw),
        write,
        refuse: search_failed,
    };
    Ok(write_traces(jaeger, found, manner))
}

fn write(spans: &SpanBatch, from: usize) -> (Bytes, usize) {
    let chunk_spans_max = if plumbing::planted("jaeger-chunks-unbounded") {
        usize::MAX
    } else {
        CHUNK_SPANS_MAX
    };
    write_chunk(spans, from, chunk_spans_max)
}

/// A chunk of spans in Jaeger's model: so many, or as many as clients take.
pub(super) fn write_chunk(spans: &SpanBatch, from: usize, spans_max: usize) -> (Bytes, usize) {
    let mut writing = JaegerSpans::new(spans);
    let (mut out, mut span) = (Writer::new(), Writer::new());
    for row in from..spans.len() {
        span.clear();
        writing.push(&mut span, 1, row);
        let bytes = out.as_bytes().len() + span.as_bytes().len();
        let in_chunk = row - from;
        if in_chunk == spans_max || (in_chunk > 0 && bytes > MESSAGE_BYTES_TYPICAL_MAX) {
            return (out.into_bytes().into(), row);
        }
        out.raw(span.as_bytes());
    }
    (out.into_bytes().into(), spans.len())
}

pub(super) async fn archive_trace(
    jaeger: Arc<Jaeger>,
    request: ArchiveTraceRequest,
) -> Result<Parts, Status> {
    let trace_id = trace_id_of(&request.trace_id)?;
    let pinned = jaeger.pins.pin(&jaeger.tenant, trace_id).await;
    match pinned {
        Ok(true) => Ok(one(&ArchiveTraceResponse {})),
        Ok(false) => Err(not_found()),
        Err(error) => Err(Status::of_pin(&error)),
    }
}

pub(super) async fn get_services(
    jaeger: Arc<Jaeger>,
    _: GetServicesRequest,
) -> Result<Parts, Status> {
    let services = jaeger.query.services(&jaeger.tenant).await;
    let failed = |error| Status::of(error, "failed to fetch services: ", code::INTERNAL);
    let services = services.map_err(AskError::from).map_err(failed)?;
    Ok(one(&GetServicesResponse { services }))
}

/// The operations of a service by name, then kind; a kind that has no name is empty.
pub(super) async fn operations(
    jaeger: &Jaeger,
    service: &str,
    wanted: &str,
) -> Result<BTreeSet<(String, &'static str)>, Status> {
    let known = jaeger.query.operations(&jaeger.tenant, service).await;
    let failed = |error| Status::of(error, "failed to fetch operations: ", code::INTERNAL);
    let known = known.map_err(AskError::from).map_err(failed)?;
    let named = known.operations.into_iter().map(|operation| {
        let kind = kind_name(operation.kind).unwrap_or_default();
        (operation.name, kind)
    });
    Ok(named
        .filter(|(_, kind)| wanted.is_empty() || *kind == wanted)
        .collect())
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
    let failed = "failed to fetch dependencies: ";
    let times = (nanos_of(request.start_time), nanos_of(request.end_time));
    let (Some(start), Some(end)) = times else {
        return Err(Status::invalid(
            "StartTime and EndTime must be initialized.",
        ));
    };
    if end < start {
        let message = format!("{failed}end time must be greater than start time");
        return Err(Status::new(code::INTERNAL, message));
    }
    let found = jaeger.calls(start, end).await;
    let found = found.map_err(|error| Status::of(error, failed, code::INTERNAL))?;
    let links = found.links.into_iter().map(|link| DependencyLink {
        parent: link.parent,
        child: link.child,
        call_count: link.calls,
        source: String::new(),
    });
    let answer = GetDependenciesResponse {
        dependencies: links.collect(),
    };
    Ok(one_with(&answer, found.skipped))
}
